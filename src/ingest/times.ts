/**
 * Where structured records keep their time and their host, and how the time is read: field names in order of
 * trust, and the date forms that exports use besides ISO 8601 and Unix times.
 */
import { type Instant, instantOfParts, parseEpoch, parseIso } from '../core/time.ts'

/** Fields that hold the event time, most trusted first; compared exactly, then ignoring case. */
const TIME_FIELDS = [
  'TimeCreated_SystemTime',
  '@timestamp',
  'timestamp',
  // A stream of advanced hunting: `time` beside it is when the record was sent.
  'properties.Timestamp',
  'time',
  'eventTime',
  'TimeGenerated',
  'Timestamp',
  'TimeCreated',
  'EventTime',
  'UtcTime',
  '_time',
  'ts',
  'published',
  'createdDateTime',
  'activityDateTime',
  'CreationTime',
  'requestReceivedTimestamp',
  'protoPayload.requestMetadata.requestAttributes.time',
  'receiveTimestamp',
  'date',
  'datetime',
  'event.created',
  'id.time',
  'fss',
  'flow_start_seconds',
  'fes',
  'flow_end_seconds',
  'EventReceivedTime',
] as const

/** Fields that hold the host, most trusted first; compared exactly, then ignoring case. */
const HOST_FIELDS = [
  'Computer',
  'host.name',
  'host.hostname',
  'host',
  'hostname',
  'HostName',
  'DeviceName',
  'properties.DeviceName',
  'ComputerName',
  'computer_name',
  'agent.hostname',
  'beat.hostname',
  'dvc_host',
  'dvc',
] as const

function slotsOf(wanted: readonly string[], names: readonly string[]): number[] {
  const exact = new Map<string, number>()
  const folded = new Map<string, number>()
  names.forEach((name, slot) => {
    if (!exact.has(name)) exact.set(name, slot)
    const lower = name.toLowerCase()
    if (!folded.has(lower)) folded.set(lower, slot)
  })
  const slots = new Set<number>()
  for (const name of wanted) {
    const slot = exact.get(name)
    if (slot !== undefined) slots.add(slot)
  }
  for (const name of wanted) {
    const slot = folded.get(name.toLowerCase())
    if (slot !== undefined) slots.add(slot)
  }
  return [...slots]
}

/** Places among the names that may hold the event time, best first. */
export function timeSlots(names: readonly string[]): number[] {
  return slotsOf(TIME_FIELDS, names)
}

/** Places among the names that may hold the host name, best first. */
export function hostSlots(names: readonly string[]): number[] {
  return slotsOf(HOST_FIELDS, names)
}

/** Places of a `date` and a `time` field that name the instant together, where both exist. */
export function datePair(names: readonly string[]): readonly [number, number] | undefined {
  const date = names.indexOf('date')
  const time = names.indexOf('time')
  return date < 0 || time < 0 ? undefined : [date, time]
}

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec'

/** Month 1 to 12 of an English three-letter name in its usual case, or undefined. */
export function monthOf(name: string): number | undefined {
  const at = name.length === 3 ? MONTHS.indexOf(name) : -1
  return at < 0 || at % 3 !== 0 ? undefined : at / 3 + 1
}

function digits(text: string, from: number, count: number): number {
  let value = 0
  for (let i = from; i < from + count; i++) {
    const digit = text.charCodeAt(i) - 48
    if (!(digit >= 0 && digit <= 9)) return -1
    value = value * 10 + digit
  }
  return value
}

/**
 * `YYYY-MM-DDThh:mm:ss` with up to seven fractional digits and `Z`, `+00:00` or no zone: the form of nearly every
 * machine-written log, read without a regular expression. Anything unusual is left to `parseIso`.
 */
function plainIso(text: string): Instant | undefined {
  const { length } = text
  if (length < 19 || length > 33) return undefined
  const between = text.charCodeAt(10)
  if (between !== 84 && between !== 32) return undefined
  if (text.charCodeAt(4) !== 45 || text.charCodeAt(7) !== 45) return undefined
  if (text.charCodeAt(13) !== 58 || text.charCodeAt(16) !== 58) return undefined
  const year = digits(text, 0, 4)
  const month = digits(text, 5, 2)
  const day = digits(text, 8, 2)
  const hour = digits(text, 11, 2)
  const minute = digits(text, 14, 2)
  const second = digits(text, 17, 2)
  if (year < 1900 || month < 1 || month > 12 || day < 1 || day > 28) return undefined
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) {
    return undefined
  }
  let at = 19
  let ticks = 0
  if (text.charCodeAt(19) === 46) {
    let unit = 1_000_000
    for (at = 20; at < length; at++) {
      const digit = text.charCodeAt(at) - 48
      if (!(digit >= 0 && digit <= 9)) break
      if (unit < 1) return undefined
      ticks += digit * unit
      unit = unit === 1 ? 0 : unit / 10
    }
    if (at === 20) return undefined
  }
  const rest = length - at
  const isUtc =
    rest === 0 ||
    (rest === 1 && text.charCodeAt(at) === 90) ||
    (rest === 6 && text.endsWith('+00:00'))
  if (!isUtc) return undefined
  const sub = ticks % 10_000
  return {
    ms: Date.UTC(year, month - 1, day, hour, minute, second, (ticks - sub) / 10_000),
    sub,
  }
}

/** Calendar parts, an optional fraction of a second and the minutes by which the clock was ahead of UTC. */
export interface Stamp {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly fraction?: string | undefined
  readonly offset?: number
}

/** The instant of calendar parts; undefined when one is out of range. Quick for the days that every month has. */
export function instantAt(stamp: Stamp): Instant | undefined {
  const { year, month, day, hour, minute, second, fraction, offset = 0 } = stamp
  const isPlain = year >= 1900 && month >= 1 && month <= 12 && day >= 1 && day <= 28
  if (!isPlain || fraction !== undefined || hour > 23 || minute > 59 || second > 59) {
    return instantOfParts(stamp, fraction, offset)
  }
  return { ms: Date.UTC(year, month - 1, day, hour, minute, second) - offset * 60_000, sub: 0 }
}

/** A Unix time in seconds or milliseconds, with up to seven digits of a fraction, without a regular expression. */
function plainEpoch(text: string): Instant | undefined {
  const { length } = text
  let at = 0
  let whole = 0
  for (; at < length; at++) {
    const digit = text.charCodeAt(at) - 48
    if (!(digit >= 0 && digit <= 9)) break
    whole = whole * 10 + digit
  }
  if (at < 9 || at > 13) return undefined
  let ticks = 0
  if (at < length) {
    if (text.charCodeAt(at) !== 46 || at > 11 || length - at > 8 || length - at < 2)
      return undefined
    let unit = 1_000_000
    for (let i = at + 1; i < length; i++) {
      const digit = text.charCodeAt(i) - 48
      if (!(digit >= 0 && digit <= 9)) return undefined
      ticks += digit * unit
      unit /= 10
    }
  }
  if (at > 11) return { ms: whole, sub: 0 }
  const sub = ticks % 10_000
  return { ms: whole * 1000 + (ticks - sub) / 10_000, sub }
}

const AMERICAN =
  /^(\d{1,2})\/(\d{1,2})\/(\d{4}),? (\d{1,2}):(\d\d)(?::(\d\d)(?:\.(\d{1,7}))?)? ?([AaPp])[Mm]$/
const KIBANA = /^([A-Z][a-z]{2}) (\d{1,2}), (\d{4}) @ (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?$/
const MAIL =
  /^(?:[A-Z][a-z]{2}, )?(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) (?:GMT|UTC|([+-])(\d\d)(\d\d))$/
/** Stamp and serial number of an audit record. */
const AUDIT = /^(\d{9,11}\.\d{3}):\d{1,20}$/
const NET = /^\/Date\((-?\d{1,15})(?:[+-]\d{4})?\)\/$/

/** `11/16/2020, 9:43:12.000 PM`, as Log Analytics exports write; without AM or PM the order is not certain. */
function americanTime(text: string): Instant | undefined {
  const match = AMERICAN.exec(text)
  if (!match) return undefined
  const [, month, day, year, hours, minute, second, fraction, half] = match
  const hour = Number(hours)
  if (hour < 1 || hour > 12) return undefined
  return instantOfParts(
    {
      year: Number(year),
      month: Number(month),
      day: Number(day),
      hour: (hour % 12) + (half === 'P' || half === 'p' ? 12 : 0),
      minute: Number(minute),
      second: Number(second ?? 0),
    },
    fraction,
  )
}

/** `Nov 16, 2020 @ 11:00:47.500`, as Kibana exports write. */
function kibanaTime(text: string): Instant | undefined {
  const match = KIBANA.exec(text)
  if (!match) return undefined
  const [, name, day, year, hour, minute, second, fraction] = match
  const month = monthOf(name ?? '')
  if (month === undefined) return undefined
  return instantOfParts(
    {
      year: Number(year),
      month,
      day: Number(day),
      hour: Number(hour),
      minute: Number(minute),
      second: Number(second),
    },
    fraction,
  )
}

/** `Mon, 16 Nov 2020 11:00:47 +0100`, as mail and HTTP headers write. */
function mailTime(text: string): Instant | undefined {
  const match = MAIL.exec(text)
  if (!match) return undefined
  const [, day, name, year, hour, minute, second, sign, zoneHours, zoneMinutes] = match
  const month = monthOf(name ?? '')
  if (month === undefined) return undefined
  const offset = Number(zoneHours ?? 0) * 60 + Number(zoneMinutes ?? 0)
  return instantOfParts(
    {
      year: Number(year),
      month,
      day: Number(day),
      hour: Number(hour),
      minute: Number(minute),
      second: Number(second),
    },
    '',
    sign === '-' ? -offset : offset,
  )
}

/**
 * The instant that the text of a time field names: ISO 8601, a Unix time of nine digits or more (shorter
 * numbers are durations and counters), or one of the export forms. Undefined when it is none of these.
 */
export function timeIn(text: string): Instant | undefined {
  const quick = plainIso(text)
  if (quick !== undefined) return quick
  const epoch = plainEpoch(text)
  if (epoch !== undefined) return epoch
  if (text.length > 48) return undefined
  const trimmed = text.trim()
  const iso = parseIso(trimmed)
  if (iso !== undefined) return iso
  if (/^-?\d{9,19}(?:\.\d{1,9})?$/.test(trimmed)) return parseEpoch(trimmed)
  const net = NET.exec(trimmed)
  const audit = AUDIT.exec(trimmed)
  if (audit?.[1] !== undefined) return plainEpoch(audit[1])
  if (net) return { ms: Number(net[1]), sub: 0 }
  return americanTime(trimmed) ?? kibanaTime(trimmed) ?? mailTime(trimmed)
}
