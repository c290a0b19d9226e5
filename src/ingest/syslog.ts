/**
 * The decoder of syslog: RFC 3164, RFC 5424 and ISO-dated lines, and octet-counted frames. Takes bytes, gives one event a
 * message; audit records inside become joined audit events, Sysmon for Linux becomes Windows-like events, and records of
 * the Common Event Format become events of their own.
 */
import { limits } from '../core/limits.ts'
import type { Instant } from '../core/time.ts'
import { AuditJoiner } from './auditjoin.ts'
import { parseAudit } from './auditline.ts'
import { asUtf8, ByteQueue, withHead } from './bytes.ts'
import { isCef, readCef } from './cef.ts'
import type { DecodeContext, Decoder, Sink } from './decoder.ts'
import { readLines, TextReader } from './lines.ts'
import { isFortinet, readPairs } from './pairs.ts'
import { refuse } from './refusal.ts'
import { Records } from './shape.ts'
import { parseSyslog, type SyslogLine } from './syslogline.ts'
import { datePair, timeIn, timeSlots } from './times.ts'
import { eventXmlReader } from './winxml.ts'

const FRAME = /^(\d{1,9}) (?=<\d{1,3}>)/
const MOST_NAME_CHARS = 4 * 1024 * 1024

function freshPairs(): Records {
  return new Records((names) => ({
    kind: 'pairs',
    names,
    times: timeSlots(names),
    pair: datePair(names),
    hosts: [names.indexOf('devname')].filter((at) => at >= 0),
  }))
}

/** Records of the Common Event Format: the device says when it saw the event, and what it is called. */
function freshCommon(): Records {
  const slots = (names: readonly string[], wanted: readonly string[]): number[] =>
    wanted.map((each) => names.indexOf(each)).filter((at) => at >= 0)
  return new Records((names) => ({
    kind: 'cef',
    names,
    times: slots(names, ['rt', 'end', 'start']),
    hosts: slots(names, ['dvchost', 'dvc']),
  }))
}

class SyslogEvents {
  private readonly sink: Sink
  private readonly now: Instant
  private records = this.fresh()
  private pairRecords = freshPairs()
  private commonRecords = freshCommon()
  private readonly joiner: AuditJoiner
  private readonly readEvent = eventXmlReader()

  constructor(sink: Sink, now: Instant) {
    this.sink = sink
    this.now = now
    this.joiner = new AuditJoiner(sink)
  }

  private fresh(): Records {
    return new Records((names) => ({ kind: 'syslog', names, times: [], hosts: [] }))
  }

  message(text: string, record: number): void {
    if (text.trim() === '') return
    const line = parseSyslog(text, this.now)
    const { message } = line
    if (message.includes('audit(')) {
      const audit = parseAudit(text)
      if (audit !== undefined) {
        this.joiner.take(audit, text, record, line.host)
        return
      }
    }
    if (line.program?.toLowerCase() === 'sysmon' && message.trimStart().startsWith('<Event')) {
      if (this.sysmon(line, record)) return
    }
    if (isCef(text) && this.common(line, text, record)) return
    if (isFortinet(message) && this.paired(line, text, record)) return
    this.plain(line, text, record)
  }

  /** Gives the event inside a Sysmon for Linux message; false when it is cut or damaged, and the line stays text. */
  private sysmon(line: SyslogLine, record: number): boolean {
    const xml = line.message.trim()
    const { names, values, time, host, damage } = this.readEvent(xml)
    if (damage !== undefined) return false
    this.sink.event({
      kind: 'windows',
      names,
      values,
      raw: xml,
      time: time ?? line.time,
      host: host ?? line.host,
      record,
    })
    return true
  }

  /** Gives a record of name and value pairs; false when the message is anything else. */
  private paired(line: SyslogLine, text: string, record: number): boolean {
    const pairs = readPairs(line.message)
    if (pairs === undefined) return false
    const { pairRecords } = this
    if (pairRecords.nameChars > MOST_NAME_CHARS) this.pairRecords = freshPairs()
    const records = this.pairRecords
    records.begin()
    for (const [name, value] of pairs) records.put(records.field(name), value)
    const stamp = records.value(records.field('eventtime'))
    const time = typeof stamp === 'string' ? timeIn(stamp) : undefined
    this.sink.event(records.finish(text, record, time ?? line.time, line.host))
    return true
  }

  /** Gives a record of the Common Event Format; false when it is not whole, and the line stays text. */
  private common(line: SyslogLine, text: string, record: number): boolean {
    const pairs = readCef(text)
    if (pairs === undefined) return false
    if (this.commonRecords.nameChars > MOST_NAME_CHARS) this.commonRecords = freshCommon()
    const records = this.commonRecords
    records.begin()
    for (const [name, value] of pairs) records.put(records.field(name), value)
    const { times, hosts } = records.plan()
    // The header of the line is the collector's; it counts only where the device is silent.
    const time = times.length === 0 ? line.time : undefined
    const host = hosts.length === 0 ? line.host : undefined
    const event = records.finish(text, record, time, host)
    this.sink.event({ ...event, time: event.time ?? line.time, host: event.host ?? line.host })
    return true
  }

  private plain(line: SyslogLine, text: string, record: number): void {
    if (this.records.nameChars > MOST_NAME_CHARS) this.records = this.fresh()
    const { records } = this
    records.begin()
    const put = (name: string, value: string | undefined): void => {
      if (value !== undefined) records.put(records.field(name), value)
    }
    put('facility', line.facility)
    put('severity', line.severity)
    put('host', line.host)
    put('program', line.program)
    put('pid', line.pid)
    put('msgid', line.msgid)
    for (const [name, value] of line.data) put(name, value)
    put('message', line.message)
    if (records.fieldCount > limits.fieldsPerEvent) {
      const at = { place: `line ${record}`, raw: text }
      refuse(this.sink, 'HR124', { limit: limits.fieldsPerEvent }, at)
      return
    }
    this.sink.event(records.finish(text, record, line.time, line.host))
  }

  end(): void {
    this.joiner.end()
  }
}

/** Octet-counted frames (RFC 6587): a length, a blank, and so many bytes. */
class Frames {
  private readonly queue = new ByteQueue()
  private readonly sink: Sink
  private readonly events: SyslogEvents
  private readonly reader = new TextReader()
  private count = 0

  constructor(sink: Sink, events: SyslogEvents) {
    this.sink = sink
    this.events = events
  }

  push(bytes: Uint8Array, isEnd = false): void {
    this.queue.append(bytes)
    while (this.queue.length > 0 && this.next(isEnd));
  }

  private next(isEnd: boolean): boolean {
    const view = this.queue.view()
    if (view[0] === 10 || view[0] === 13) {
      this.queue.drop(1)
      return true
    }
    const head = view.toString('latin1', 0, 16)
    if (head.length < 16 && !isEnd) return false
    const match = FRAME.exec(head)
    const size = Number(match?.[1] ?? -1)
    if (match === null || size > limits.recordBytes) return this.skip(view, isEnd)
    const start = match[0].length
    if (view.length < start + size && !isEnd) return false
    this.count++
    const frame = view.subarray(start, start + size)
    if (frame.length < size) {
      const raw = this.reader.text(frame, `frame ${this.count}`)
      refuse(this.sink, 'HR126', {}, { place: `frame ${this.count}`, raw })
    } else {
      const text = this.reader.text(frame, `frame ${this.count}`)
      this.events.message(text.trimEnd(), this.count)
    }
    this.queue.drop(start + size)
    return true
  }

  /** Rejects bytes that start no frame, up to the next line. */
  private skip(view: Buffer, isEnd: boolean): boolean {
    const end = view.indexOf(10)
    if (end === -1 && !isEnd && view.length < limits.recordBytes) return false
    this.count++
    const stop = end === -1 ? view.length : end
    const place = `frame ${this.count}`
    refuse(this.sink, 'HR134', {}, { place, raw: this.reader.text(view.subarray(0, stop), place) })
    this.queue.drop(stop)
    return true
  }

  end(): void {
    this.push(new Uint8Array(0), true)
    this.reader.close(this.sink)
  }
}

async function decode(
  bytes: AsyncIterable<Uint8Array>,
  sink: Sink,
  context: DecodeContext,
): Promise<void> {
  const events = new SyslogEvents(sink, context.now)
  const { head, all } = await withHead(asUtf8(bytes), 64)
  if (FRAME.test(head.toString('latin1', 0, 32))) {
    const frames = new Frames(sink, events)
    for await (const chunk of all) {
      frames.push(chunk)
      await sink.ready()
    }
    frames.end()
  } else await readLines(all, sink, (text, line) => events.message(text, line))
  events.end()
}

/** A clock for telling the format only: dates without a year are all read alike. */
const ANY_TIME: Instant = { ms: 0, sub: 0 }

/** How sure one line is syslog: 1 for a priority or an old date with a host, less without a program. */
function likeness(text: string): number {
  const line = parseSyslog(text, ANY_TIME)
  if (isCef(text) && readCef(text) !== undefined) return 1
  if (!line.isSyslog) return isFortinet(text) && readPairs(text) !== undefined ? 1 : 0
  if (line.severity !== undefined || !/^\d/.test(text)) return 1
  if (line.program?.startsWith('%') === true) return 1
  return line.program === undefined || line.host === undefined ? 0 : 1
}

function detect(head: Uint8Array): number {
  const text = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('utf8')
  if (FRAME.test(text.slice(0, 32))) return 92
  const lines = text.split('\n', 21).filter((line) => line.trim() !== '')
  const whole = lines.length > 1 ? lines.slice(0, 20) : lines
  if (whole.length === 0) return 0
  const share =
    whole.reduce((sum, line) => sum + likeness(line.replace(/\r$/, '')), 0) / whole.length
  return share >= 0.5 ? 85 : 0
}

/** The decoder of syslog. */
export const syslog: Decoder = {
  name: 'syslog',
  says: 'Syslog: RFC 3164, RFC 5424, rsyslog with ISO dates, octet-counted frames; CEF',
  detect,
  decode,
}
