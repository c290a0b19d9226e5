/**
 * The decoder of web server access logs in the NCSA common and combined forms (Apache, nginx), also with the virtual host
 * in front. Fields have the names of the W3C extended format; escapes such as `\"` and `\x16` stay as written.
 */
import type { Instant } from '../core/time.ts'
import type { DecodeContext, Decoder, Sink } from './decoder.ts'
import { readLines } from './lines.ts'
import { refuse } from './refusal.ts'
import { type Field, Records } from './shape.ts'
import { instantAt, monthOf } from './times.ts'

const STAMP = /^\[(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)\]/

/** `[10/Oct/2000:13:55:36 -0700]` at the start of the text. */
function stampOf(text: string): Instant | undefined {
  const match = STAMP.exec(text)
  if (!match) return undefined
  const [, day, name, year, hour, minute, second, sign, zoneHours, zoneMinutes] = match
  const month = monthOf(name ?? '')
  if (month === undefined) return undefined
  const offset = Number(zoneHours) * 60 + Number(zoneMinutes)
  return instantAt({
    year: Number(year),
    month,
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    offset: sign === '-' ? -offset : offset,
  })
}

/** How many brackets before the time are looked at; a user name may hold some. */
const MOST_BRACKETS = 8
const STAMP_CHARS = 28
const MOST_USER_CHARS = 8_192

interface Access {
  readonly vhost?: string | undefined
  readonly client: string
  readonly user: string | undefined
  readonly time: Instant
  readonly request: string
  readonly status: string
  readonly bytes: string
  readonly referer?: string | undefined
  readonly agent?: string | undefined
  readonly extra?: string | undefined
}

/** End of the quoted text that starts at `at` (its closing quote), or -1; a backslash takes the next character along. */
function closing(line: string, at: number): number {
  for (let close = line.indexOf('"', at + 1); close !== -1; close = line.indexOf('"', close + 1)) {
    let before = close - 1
    while (before > at && line.charCodeAt(before) === 92) before--
    if ((close - before) % 2 === 1) return close
  }
  return -1
}

function parseAccess(line: string): Access | undefined {
  let open = line.indexOf('[')
  let time: Instant | undefined
  for (let tries = 0; open !== -1 && tries < MOST_BRACKETS; tries++) {
    time = stampOf(line.slice(open, open + STAMP_CHARS))
    if (time !== undefined) break
    open = line.indexOf('[', open + 1)
  }
  if (time === undefined || open < 4 || open > MOST_USER_CHARS) return undefined
  const before = line.slice(0, open).trimEnd().split(' ')
  const hasHost = before.length >= 4 && /^[^\s:]+:\d{1,5}$/.test(before[0] ?? '')
  const [client, , ...user] = hasHost ? before.slice(1) : before
  if (client === undefined || user.length === 0) return undefined
  const quote = open + STAMP_CHARS + 1
  if (line[quote] !== '"') return undefined
  const end = closing(line, quote)
  if (end === -1) return undefined
  const numbers = /^ (\d{3}|-) (\d{1,20}|-)(?: |$)/.exec(line.slice(end + 1, end + 32))
  if (!numbers) return undefined
  const [whole, status = '-', bytes = '-'] = numbers
  const { referer, agent, extra } = tailOf(line, end + 1 + whole.length)
  return {
    vhost: hasHost ? before[0] : undefined,
    client,
    user: user.length === 1 ? user[0] : user.join(' '),
    time,
    request: line.slice(quote + 1, end),
    status,
    bytes,
    referer,
    agent,
    extra,
  }
}

/** Referer and user agent, and whatever the server was told to log after them. */
function tailOf(line: string, at: number): Pick<Access, 'referer' | 'agent' | 'extra'> {
  if (at >= line.length) return {}
  const refererEnd = line[at] === '"' ? closing(line, at) : -1
  const agentEnd =
    refererEnd !== -1 && line.startsWith(' "', refererEnd + 1) ? closing(line, refererEnd + 2) : -1
  if (agentEnd === -1) return { extra: line.slice(at) }
  const extra = line.slice(agentEnd + 1).trim()
  return {
    referer: line.slice(at + 1, refererEnd),
    agent: line.slice(refererEnd + 3, agentEnd),
    extra: extra === '' ? undefined : extra,
  }
}

class AccessEvents {
  private readonly records = new Records((names) => ({
    kind: 'access',
    names,
    times: [],
    hosts: [],
  }))
  private readonly sink: Sink

  constructor(sink: Sink) {
    this.sink = sink
  }

  private put(name: string, value: string | undefined): void {
    if (value === undefined || value === '-') return
    const field: Field = this.records.field(name)
    this.records.put(field, value)
  }

  /** `GET /path?query HTTP/1.1`; a request line that is none of that is kept whole as `request`. */
  private request(text: string): void {
    const first = text.indexOf(' ')
    const last = text.lastIndexOf(' ')
    const version = text.slice(last + 1)
    if (first <= 0 || last <= first || !version.startsWith('HTTP/')) {
      this.put('request', text)
      return
    }
    const uri = text.slice(first + 1, last)
    const mark = uri.indexOf('?')
    this.put('cs-method', text.slice(0, first))
    this.put('c-uri', uri)
    this.put('cs-uri-stem', mark === -1 ? uri : uri.slice(0, mark))
    this.put('cs-uri-query', mark === -1 ? undefined : uri.slice(mark + 1))
    this.put('cs-version', version)
  }

  line(text: string, line: number): void {
    if (text === '') return
    const access = parseAccess(text)
    if (access === undefined) {
      refuse(this.sink, 'HR141', {}, { place: `line ${line}`, raw: text })
      return
    }
    this.records.begin()
    this.put('s-host', access.vhost)
    this.put('c-ip', access.client)
    this.put('cs-username', access.user)
    this.request(access.request)
    this.put('sc-status', access.status)
    this.put('sc-bytes', access.bytes)
    this.put('cs-referer', access.referer)
    this.put('cs-user-agent', access.agent)
    this.put('extra', access.extra)
    this.sink.event(this.records.finish(text, line, access.time))
  }
}

async function decode(
  bytes: AsyncIterable<Uint8Array>,
  sink: Sink,
  _context: DecodeContext,
): Promise<void> {
  const events = new AccessEvents(sink)
  await readLines(bytes, sink, (text, line) => events.line(text, line))
}

function detect(head: Uint8Array): number {
  const text = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('utf8')
  const lines = text.split('\n', 11).filter((line) => line.trim() !== '')
  // The last line of a long head may be cut.
  const whole = lines.length > 1 ? lines.slice(0, 10) : lines
  const fitting = whole.filter((line) => parseAccess(line.replace(/\r$/, '')) !== undefined).length
  return whole.length > 0 && fitting * 2 >= whole.length ? 88 : 0
}

/** The decoder of access logs. */
export const access: Decoder = {
  name: 'access',
  says: 'Web server access logs, common and combined (Apache, nginx)',
  detect,
  decode,
}
