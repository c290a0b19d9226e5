/**
 * Reads one syslog line: RFC 5424, RFC 3164 with or without its priority, and the ISO-dated form of rsyslog. What cannot be
 * told apart is left in the message; nothing is thrown away.
 */
import { limits } from '../core/limits.ts'
import { type Instant, parseIso } from '../core/time.ts'
import { instantAt, monthOf, type Stamp as Parts, timeIn } from './times.ts'

export interface SyslogLine {
  readonly facility?: string | undefined
  readonly severity?: string | undefined
  readonly time?: Instant | undefined
  readonly host?: string | undefined
  readonly program?: string | undefined
  readonly pid?: string | undefined
  readonly msgid?: string | undefined
  /** Structured data as `id.parameter` and value. */
  readonly data: readonly (readonly [string, string])[]
  readonly message: string
  /** False when the line has none of the headers; all of it is the message then. */
  readonly isSyslog: boolean
}

const FACILITIES =
  'kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp audit alert clock local0 local1 local2 local3 local4 local5 local6 local7'.split(
    ' ',
  )
const SEVERITIES = 'emerg alert crit err warning notice info debug'.split(' ')

/** Name of a facility by its number, 0 to 23. */
export function facilityName(number: number): string | undefined {
  return FACILITIES[number]
}

/** Name of a severity by its number, 0 to 7. */
export function severityName(number: number): string | undefined {
  return SEVERITIES[number]
}

const DAY_MS = 86_400_000
/** A 29 February without a year may be up to eight years back (1896 to 1904, 2096 to 2104). */
const YEARS_BACK = 8

interface Priority {
  readonly facility?: string | undefined
  readonly severity?: string | undefined
  readonly length: number
}

function priorityOf(text: string): Priority {
  const match = /^<(\d{1,3})>/.exec(text.slice(0, 5))
  const value = Number(match?.[1] ?? 999)
  if (!match || value > 191) return { length: 0 }
  return {
    facility: FACILITIES[value >> 3],
    severity: SEVERITIES[value & 7],
    length: match[0].length,
  }
}

interface Stamp {
  readonly time: Instant | undefined
  readonly length: number
}

const OLD_STAMP =
  /^([A-Z][a-z]{2}) {1,2}(\d{1,2}) (?:(\d{4}) )?(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?: (\d{4})(?= ))?(?=[ :]|$)/

/** The date in the latest year in which it is not more than a day after `now`. */
function yearless(parts: Omit<Parts, 'year'>, now: Instant): Instant | undefined {
  const { month, day, hour, minute, second, fraction } = parts
  const last = new Date(now.ms + DAY_MS).getUTCFullYear()
  for (let back = 0; back <= YEARS_BACK; back++) {
    const time = instantAt({ year: last - back, month, day, hour, minute, second, fraction })
    if (time !== undefined && time.ms <= now.ms + DAY_MS) return time
  }
  return undefined
}

/** `Oct 11 22:14:15`, also with a year before or after the time of day, or a fraction. */
function oldStamp(text: string, now: Instant): Stamp | undefined {
  const match = OLD_STAMP.exec(text.slice(0, 48))
  if (!match) return undefined
  const [whole, name, day, before, hour, minute, second, fraction, after] = match
  const month = monthOf(name ?? '')
  if (month === undefined) return undefined
  const parts = {
    month,
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    fraction,
  }
  const year = before ?? after
  const time =
    year === undefined ? yearless(parts, now) : instantAt({ ...parts, year: Number(year) })
  return { time, length: whole.length }
}

/** An ISO 8601 date and time up to the next blank. */
function isoStamp(text: string): Stamp | undefined {
  if (!/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(text.slice(0, 16))) return undefined
  const from = text[10] === ' ' ? 11 : 0
  const blank = text.indexOf(' ', from)
  const zone = /^ [+-]\d\d:?\d\d(?= |$)/.exec(text.slice(blank === -1 ? text.length : blank))
  const length = (blank === -1 ? text.length : blank) + (zone?.[0].length ?? 0)
  const time =
    length > 48 ? undefined : (timeIn(text.slice(0, length).replace(/ (?=[+-])/, '')) ?? undefined)
  return time === undefined ? undefined : { time, length }
}

/** Reads `[id name="value" ...]...`; gives where the data ends, or -1 when it is not well formed. */
function structuredData(text: string, start: number, data: [string, string][]): number {
  let at = start
  if (text[at] === '-') return at + 1
  while (text[at] === '[') {
    const idEnd = /[ \]]/.exec(text.slice(at + 1, at + 257))?.index
    if (idEnd === undefined) return -1
    const id = text.slice(at + 1, at + 1 + idEnd)
    at += 1 + idEnd
    while (text[at] === ' ') {
      if (data.length > limits.fieldsPerEvent / 2) return -1
      const equals = text.indexOf('="', at)
      if (equals === -1) return -1
      const name = text.slice(at + 1, equals)
      if (name === '' || name.length > 256 || /[ "\]]/.test(name)) return -1
      let close = equals + 2
      while (close < text.length && text[close] !== '"') close += text[close] === '\\' ? 2 : 1
      if (close >= text.length) return -1
      data.push([`${id}.${name}`, text.slice(equals + 2, close).replace(/\\(["\\\]])/g, '$1')])
      at = close + 1
    }
    if (text[at] !== ']') return -1
    at++
  }
  return at > start ? at : -1
}

function present(token: string | undefined): string | undefined {
  return token === '-' || token === '' ? undefined : token
}

/** RFC 5424, given the text after `<PRI>1 `. */
function newForm(text: string, priority: Priority): SyslogLine | undefined {
  const parts: string[] = []
  let at = 0
  for (let i = 0; i < 5; i++) {
    const blank = text.indexOf(' ', at)
    if (blank === -1 || blank - at > 512) return undefined
    parts.push(text.slice(at, blank))
    at = blank + 1
  }
  const [stamp = '-', host, program, pid, msgid] = parts
  const time = stamp === '-' ? undefined : parseIso(stamp)
  if (stamp !== '-' && time === undefined) return undefined
  const data: [string, string][] = []
  const end = structuredData(text, at, data)
  if (end === -1) return undefined
  const message = text.slice(text[end] === ' ' ? end + 1 : end)
  return {
    facility: priority.facility,
    severity: priority.severity,
    time,
    host: present(host),
    program: present(program),
    pid: present(pid),
    msgid: present(msgid),
    data,
    message: message.startsWith('\uFEFF') ? message.slice(1) : message,
    isSyslog: true,
  }
}

const TAG = /^([^\s:[\]]{1,128})(?:\[([^\]\s]{1,64})\])?:(?: |$)/

/** Program, process id and message of what follows the host. */
function tagged(text: string): Pick<SyslogLine, 'program' | 'pid' | 'message'> {
  const match = TAG.exec(text.slice(0, 256))
  if (!match) return { message: text }
  return { program: match[1], pid: match[2], message: text.slice(match[0].length) }
}

const DEVICE_HEAD =
  /^(?:\d{1,10}: )?(?:([A-Za-z0-9_][\w.-]{0,254}): )?(?:\d{1,10}: )?[*.]?(?=[A-Z][a-z]{2} {1,2}\d{1,2} )/
const DEVICE_TAIL = /^(?: [A-Z]{2,5})?: (?=%[A-Z])/

/** Cisco IOS: `123: router1: *May  1 10:00:00.123 UTC: %SYS-5-CONFIG_I: ...`; number, host, mark and zone may miss. */
function deviceForm(text: string, now: Instant): SyslogLine | undefined {
  const head = DEVICE_HEAD.exec(text.slice(0, 320))
  if (head === null) return undefined
  const start = head[0].length
  const stamp = oldStamp(text.slice(start), now)
  if (stamp === undefined) return undefined
  const after = text.slice(start + stamp.length)
  const tail = DEVICE_TAIL.exec(after.slice(0, 16))
  if (tail === null) return undefined
  const { program, pid, message } = tagged(after.slice(tail[0].length))
  return { time: stamp.time, host: head[1], program, pid, data: [], message, isSyslog: true }
}

/** Reads a line. `now` is the clock at intake, for dates without a year. */
export function parseSyslog(line: string, now: Instant): SyslogLine {
  const priority = priorityOf(line)
  const { facility, severity } = priority
  const rest = line.slice(priority.length)
  if (priority.length > 0 && rest.startsWith('1 ')) {
    const parsed = newForm(rest.slice(2), priority)
    if (parsed !== undefined) return parsed
  }
  const device = deviceForm(rest, now)
  if (device !== undefined) return { ...device, facility, severity }
  const stamp = oldStamp(rest, now) ?? isoStamp(rest)
  if (stamp === undefined) {
    const isSyslog = priority.length > 0
    const { program, pid, message } = isSyslog ? tagged(rest) : { message: rest }
    return { facility, severity, program, pid, data: [], message, isSyslog }
  }
  let after = rest.slice(stamp.length).replace(/^:? +/, '')
  let host: string | undefined
  const blank = after.indexOf(' ')
  const token = blank === -1 ? after : after.slice(0, blank)
  // A first word that is a tag itself means that the host was left out.
  if (token !== '' && !/[:\]]$/.test(token) && !TAG.test(`${token} `) && token.length <= 255) {
    host = token
    after = blank === -1 ? '' : after.slice(blank + 1)
  }
  const { program, pid, message } = tagged(after)
  return {
    facility,
    severity,
    time: stamp.time,
    host,
    program,
    pid,
    data: [],
    message,
    isSyslog: true,
  }
}
