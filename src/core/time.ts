/**
 * Instants to 100 nanoseconds, as two numbers so that no precision is lost, and the readers and printers
 * of the date forms that logs use most. All times are UTC unless the text carries an offset.
 */

/** Milliseconds since 1970 (may be negative) and the 100 ns units within that millisecond (0 to 9999). */
export interface Instant {
  readonly ms: number
  readonly sub: number
}

/** Milliseconds between 1601-01-01 (FILETIME) and 1970-01-01. */
const FILETIME_EPOCH_MS = 11_644_473_600_000

/** The engine's time column holds 1900-01-01 to 2299-12-31; other instants are clamped by the caller. */
export const EARLIEST_MS = Date.UTC(1900, 0, 1)
export const LATEST_MS = Date.UTC(2299, 11, 31, 23, 59, 59, 999)

/** The instant of a Windows FILETIME given as two unsigned 32-bit halves. */
export function instantOfFiletime(low: number, high: number): Instant {
  // Without big integers: 2^32 is 429,496 times 10,000, and 7,296.
  const rest = (high >>> 0) * 7_296 + (low >>> 0)
  const ms = (high >>> 0) * 429_496 + Math.floor(rest / 10_000)
  return { ms: ms - FILETIME_EPOCH_MS, sub: rest % 10_000 }
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0')
}

/** ISO 8601 with seven fractional digits and `Z`, as Windows prints event times. */
export function printInstant(time: Instant): string {
  const date = new Date(time.ms)
  if (Number.isNaN(date.getTime())) return ''
  const year = date.getUTCFullYear()
  const years =
    year >= 0 && year <= 9999 ? pad(year, 4) : `${year < 0 ? '-' : '+'}${pad(Math.abs(year), 6)}`
  return (
    `${years}-${pad(date.getUTCMonth() + 1, 2)}-${pad(date.getUTCDate(), 2)}` +
    `T${pad(date.getUTCHours(), 2)}:${pad(date.getUTCMinutes(), 2)}:${pad(date.getUTCSeconds(), 2)}` +
    `.${pad(date.getUTCMilliseconds(), 3)}${pad(time.sub, 4)}Z`
  )
}

/** The same of milliseconds since 1970. */
export const isoOfMs = (ms: number): string => printInstant({ ms, sub: 0 })

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate()
}

/** Instant of calendar parts; undefined when a part is out of range (a leap second becomes second 59). */
export function instantOfParts(
  parts: {
    year: number
    month: number
    day: number
    hour?: number
    minute?: number
    second?: number
  },
  fraction = '',
  offsetMinutes = 0,
): Instant | undefined {
  const { year, month, day, hour = 0, minute = 0 } = parts
  const second = parts.second === 60 ? 59 : (parts.second ?? 0)
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined
  if (hour > 23 || minute > 59 || second > 59 || year < 0 || year > 9999) return undefined
  const digits = `${fraction}0000000`.slice(0, 7)
  const date = new Date(
    Date.UTC(2000, month - 1, day, hour, minute, second, Number(digits.slice(0, 3))),
  )
  date.setUTCFullYear(year, month - 1, day)
  return { ms: date.getTime() - offsetMinutes * 60_000, sub: Number(digits.slice(3)) }
}

const ISO =
  /^(\d{4})-?(\d\d)-?(\d\d)(?:[T ](\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d{1,12}))?)?)?\s?(Z|z|UTC|[+-]\d\d(?::?\d\d)?)?$/

/** Reads ISO 8601 and its common relatives (blank for T, comma fraction, no zone = UTC). */
export function parseIso(text: string): Instant | undefined {
  if (text.length > 48) return undefined
  const match = ISO.exec(text)
  if (!match) return undefined
  const [, year, month, day, hour, minute, second, fraction, zone] = match
  let offset = 0
  if (zone !== undefined && /^[+-]/.test(zone)) {
    const digits = zone.slice(1).replace(':', '')
    const hours = Number(digits.slice(0, 2))
    const minutes = Number(digits.slice(2) || '0')
    if (hours > 18 || minutes > 59) return undefined
    offset = (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)
  }
  return instantOfParts(
    {
      year: Number(year),
      month: Number(month),
      day: Number(day),
      hour: Number(hour ?? 0),
      minute: Number(minute ?? 0),
      second: Number(second ?? 0),
    },
    fraction,
    offset,
  )
}

/**
 * Reads a Unix time in seconds, milliseconds, microseconds or nanoseconds; the unit is told from the size,
 * as every common shipper does (seconds below 10^11, milliseconds below 10^14, and so on).
 */
export function parseEpoch(text: string): Instant | undefined {
  const match = /^(-?)(\d{1,19})(?:\.(\d{1,9}))?$/.exec(text)
  if (!match) return undefined
  const [, sign, whole = '0', fraction = ''] = match
  const scale = whole.length <= 11 ? 7 : whole.length <= 14 ? 4 : whole.length <= 17 ? 1 : -2
  let ticks = BigInt(whole)
  if (scale >= 0) {
    ticks = ticks * 10n ** BigInt(scale) + BigInt(`${fraction}0000000`.slice(0, scale) || '0')
  } else {
    ticks /= 100n
  }
  if (sign === '-') ticks = -ticks
  const ms = ticks / 10_000n - (ticks < 0n && ticks % 10_000n !== 0n ? 1n : 0n)
  return { ms: Number(ms), sub: Number(ticks - ms * 10_000n) }
}

/** Reads ISO text or a Unix time. */
export function parseInstant(text: string): Instant | undefined {
  const trimmed = text.trim()
  return parseIso(trimmed) ?? parseEpoch(trimmed)
}

const TICKS_PER_MS = 10_000n

/** Hundreds of nanoseconds since 1970. */
export function ticksOf({ ms, sub }: Instant): bigint {
  return BigInt(ms) * TICKS_PER_MS + BigInt(sub)
}

/** The instant of hundreds of nanoseconds since 1970. */
export function instantOfTicks(ticks: bigint): Instant {
  const sub = ((ticks % TICKS_PER_MS) + TICKS_PER_MS) % TICKS_PER_MS
  return { ms: Number((ticks - sub) / TICKS_PER_MS), sub: Number(sub) }
}

const TICKS_PER_SECOND = 10_000_000n
const TICKS_PER_DAY = 86_400n * TICKS_PER_SECOND

/** A time span of so many ticks as `[-][d.]hh:mm:ss[.fffffff]`. */
export function printSpan(ticks: bigint): string {
  const size = ticks < 0n ? -ticks : ticks
  const days = size / TICKS_PER_DAY
  const seconds = Number((size % TICKS_PER_DAY) / TICKS_PER_SECOND)
  const fraction = size % TICKS_PER_SECOND
  const two = (value: number): string => String(value).padStart(2, '0')
  const clock = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map(two)
  return [
    ticks < 0n ? '-' : '',
    days === 0n ? '' : `${days}.`,
    clock.join(':'),
    fraction === 0n ? '' : `.${String(fraction).padStart(7, '0')}`,
  ].join('')
}

/** Ticks since 1970 of an ISO text that we wrote ourselves; another text is an error of our own and throws. */
export function ticksIn(iso: string): bigint {
  const instant = parseIso(iso)
  if (instant === undefined) throw new TypeError(`not an instant: ${iso}`)
  return ticksOf(instant)
}
