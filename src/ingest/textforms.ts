/**
 * Lines of plain text logs that are told by their form: server error logs, scanners, file servers, name servers. Takes a
 * line, gives its kind, its time and the fields that rules ask for; a line of no known form is only a message.
 */
import type { Instant } from '../core/time.ts'
import { instantAt, monthOf, timeIn } from './times.ts'

export interface TextForm {
  readonly kind: string
  readonly time?: Instant | undefined
  readonly fields: readonly (readonly [string, string])[]
}

const LEADING_TIME =
  /^[[("]?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?)/
/** `Fri May 01 10:00:00.123456 2026`, as the C library prints it, with or without a bracket. */
const C_TIME =
  /^\[?[A-Z][a-z]{2} ([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))? (\d{4})\b/
const SLASHED = /^(\d{4})\/(\d\d)\/(\d\d) (\d\d):(\d\d):(\d\d)\b/
/** `01-May-2026 10:00:00.123` or `[01/May/2026 10:00:00]`. */
const DAY_FIRST = /^\[?(\d\d)[-/]([A-Z][a-z]{2})[-/](\d{4})[ :](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?/
const RUBY = /^[A-Z], \[(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?)/
const AMERICAN = /^(\d{1,2}\/\d{1,2}\/\d{4} \d{1,2}:\d\d:\d\d [AP]M) /

function at(
  year: string | undefined,
  month: number | undefined,
  [day, hour, minute, second]: readonly (string | undefined)[],
  fraction?: string,
): Instant | undefined {
  if (month === undefined) return undefined
  return instantAt({
    year: Number(year),
    month,
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    fraction,
  })
}

/** The time that a line starts with, in one of the forms of such logs; without a zone it is taken as UTC. */
function leadingTime(line: string): Instant | undefined {
  const head = line.slice(0, 64)
  const iso = LEADING_TIME.exec(head) ?? RUBY.exec(head) ?? AMERICAN.exec(head)
  if (iso?.[1] !== undefined) return timeIn(iso[1].replace(',', '.'))
  const c = C_TIME.exec(head)
  if (c !== null) return at(c[7], monthOf(c[1] ?? ''), c.slice(2, 6), c[6])
  const slashed = SLASHED.exec(head)
  if (slashed !== null) return at(slashed[1], Number(slashed[2]), slashed.slice(3, 7))
  const dayFirst = DAY_FIRST.exec(head)
  if (dayFirst === null) return undefined
  const rest = [dayFirst[1], ...dayFirst.slice(4, 7)]
  return at(dayFirst[3], monthOf(dayFirst[2] ?? ''), rest, dayFirst[7])
}

const NGINX = /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[[a-z]{1,12}\] \d{1,10}#\d{1,20}: /
const APACHE =
  /^\[[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d[.\d]{0,10} \d{4}\] \[[\w:-]{1,64}\] /
const SCANNED =
  /^(?:[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4} -> )?(\S[^:]{0,4096}): (\S+(?:\([0-9a-f:]+\))?) FOUND$/
const VSFTPD = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4} \[pid \d{1,10}\] /
const BIND =
  /\bclient (?:@0x[0-9a-f]{1,16} )?([0-9A-Fa-f.:]{2,45})#\d{1,5} \([^)]{0,255}\): (?:view [^:]{1,64}: )?query: (\S{1,255}) [A-Z0-9]{1,12} ([A-Z0-9]{1,12}) /
const WINDOWS_DNS =
  / PACKET {1,2}[0-9A-Fa-f]{8,16} (?:UDP|TCP) (?:Rcv|Snd) ([0-9A-Fa-f.:]{2,45}) {1,40}[0-9a-f]{4} (R| ) ([A-Z?]) \[[^\]]{1,40}\] ([A-Z0-9]{1,12}) {1,12}((?:\(\d{1,2}\)[^()]{0,63}){1,64})/

/** `(1)x(7)example(3)org(0)` as a name with dots. */
function dotted(labels: string): string {
  return labels.replace(/\(\d{1,2}\)/g, '.').replace(/^\.|\.$/g, '')
}

function dnsForm(line: string, time: Instant | undefined): TextForm | undefined {
  const bind = BIND.exec(line)
  if (bind !== null) {
    const [, client = '', query = '', type = ''] = bind
    return { kind: 'dns', time, fields: pairs(client, query, type) }
  }
  const windows = WINDOWS_DNS.exec(line)
  if (windows === null) return undefined
  const [, client = '', answer = '', , type = '', labels = ''] = windows
  const fields = pairs(client, dotted(labels), type)
  return { kind: 'dns', time, fields: [...fields, ['is_response', String(answer === 'R')]] }
}

function pairs(client: string, query: string, type: string): TextForm['fields'] {
  return [
    ['client', client],
    ['query', query],
    ['record_type', type],
  ]
}

/** Longest line whose form is looked at. */
const MOST_CHARS = 16_384

/** What a line of text is. */
export function textForm(line: string): TextForm {
  const time = leadingTime(line)
  if (line.length > MOST_CHARS) return { kind: 'text', time, fields: [] }
  if (NGINX.test(line)) return { kind: 'nginx_error', time, fields: [] }
  if (APACHE.test(line)) return { kind: 'apache_error', time, fields: [] }
  if (VSFTPD.test(line)) return { kind: 'vsftpd', time, fields: [] }
  const scanned = line.endsWith(' FOUND') ? SCANNED.exec(line) : null
  if (scanned !== null) {
    const [, file = '', signature = ''] = scanned
    const fields: TextForm['fields'] = [
      ['file', file],
      ['signature', signature],
    ]
    return { kind: 'clamav', time, fields }
  }
  return dnsForm(line, time) ?? { kind: 'text', time, fields: [] }
}
