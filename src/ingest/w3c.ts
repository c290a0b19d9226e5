/**
 * The decoder of the W3C extended log format (IIS, Exchange, proxies). Takes bytes, gives one event a line with the names
 * of the `#Fields` line, which may change within the file; `-` is absent; `c-uri` is added where a stem is logged.
 */
import { limits } from '../core/limits.ts'
import type { Instant } from '../core/time.ts'
import { RowReader } from './cells.ts'
import type { DecodeContext, Decoder, Sink } from './decoder.ts'
import { readLines } from './lines.ts'
import { refuse, tell } from './refusal.ts'
import { type Field, type Plan, Records } from './shape.ts'
import { hostSlots, timeIn, timeSlots } from './times.ts'

/** Fields that hold the whole time, and those that name the server, by what writes them. */
const WHOLE_TIMES = ['date-time', 'DateTime', 'x-timestamp', 'timestamp']
const SERVERS = ['s-computername', 's-hostname', 'server-hostname']

function slots(names: readonly string[], wanted: readonly string[]): number[] {
  return wanted.map((name) => names.indexOf(name)).filter((at) => at >= 0)
}

function planOf(names: readonly string[]): Plan {
  const date = names.indexOf('date')
  const time = names.indexOf('time')
  return {
    kind: 'w3c',
    names,
    pair: date >= 0 && time >= 0 ? [date, time] : undefined,
    times: [...slots(names, WHOLE_TIMES), ...timeSlots(names)],
    hosts: [...slots(names, SERVERS), ...hostSlots(names)],
  }
}

class W3cLog {
  private readonly sink: Sink
  private records = new Records(planOf)
  private fields: readonly Field[] = []
  private uri = this.records.field('c-uri')
  private delimiter = ' '
  private cells = new RowReader(' ', 0)
  /** The day of the last `#Date` line, for logs whose lines have a time of day only. */
  private day: string | undefined
  private time = -1
  private stem = -1
  private query = -1

  constructor(sink: Sink) {
    this.sink = sink
  }

  line(text: string, line: number): void {
    if (text.startsWith('#')) this.directive(text, line)
    else if (text.trim() !== '') this.row(text, line)
  }

  private directive(text: string, line: number): void {
    const colon = text.indexOf(':')
    const word = text.slice(1, colon).toLowerCase()
    const rest = text.slice(colon + 1).trim()
    if (word === 'date') this.day = /^\d{4}-\d\d-\d\d/.exec(rest)?.[0]
    else if (word === 'fields') this.header(rest, text, line)
  }

  private header(list: string, text: string, line: number): void {
    this.delimiter = list.includes('\t') ? '\t' : list.includes(' ') ? ' ' : ','
    const names = list
      .split(this.delimiter, limits.fieldsPerEvent + 1)
      .filter((name) => name !== '')
    if (new Set(names).size !== names.length) {
      tell(this.sink, 'HR140', { line: text.slice(0, 100) }, `line ${line}`)
    }
    this.records = new Records(planOf)
    this.fields = names.map((name) => this.records.field(name))
    this.uri = this.records.field('c-uri')
    this.cells = new RowReader(this.delimiter, names.length)
    this.time = names.includes('date') ? -1 : names.indexOf('time')
    this.stem = names.includes('c-uri') ? -1 : names.indexOf('cs-uri-stem')
    this.query = names.indexOf('cs-uri-query')
  }

  private row(text: string, line: number): void {
    const at = { place: `line ${line}`, raw: text }
    const columns = this.fields.length
    if (columns === 0) {
      refuse(this.sink, 'HR139', {}, at)
      return
    }
    if (columns > limits.fieldsPerEvent) {
      refuse(this.sink, 'HR124', { limit: limits.fieldsPerEvent }, at)
      return
    }
    const cells = this.split(text)
    if (cells.length !== columns) {
      const found = cells.length > columns ? `more than ${columns}` : cells.length
      refuse(this.sink, 'HR138', { cells: found, columns }, at)
      return
    }
    this.records.begin()
    for (let i = 0; i < columns; i++) {
      const cell = cells[i] ?? '-'
      const field = this.fields[i]
      if (field !== undefined && cell !== '-') this.records.put(field, cell)
    }
    this.addUri(cells)
    this.sink.event(this.records.finish(text, line, this.timeOf(cells)))
  }

  /** Cells of a row. Some proxies quote texts with blanks; a row whose quotes do not pair is split at blanks alone. */
  private split(text: string): readonly string[] {
    const most = this.fields.length + 1
    if (text.includes('"')) {
      const state = this.cells.feed(text)
      const { cells } = this.cells
      this.cells.reset()
      if (state === 'whole') return cells
    }
    return text.trimEnd().split(this.delimiter, most)
  }

  private addUri(cells: readonly string[]): void {
    const stem = cells[this.stem]
    if (stem === undefined || stem === '-') return
    const query = cells[this.query]
    const hasQuery = query !== undefined && query !== '-' && query !== ''
    this.records.put(this.uri, hasQuery ? `${stem}?${query}` : stem)
  }

  private timeOf(cells: readonly string[]): Instant | undefined {
    const clock = cells[this.time]
    if (clock === undefined || this.day === undefined) return undefined
    return timeIn(`${this.day} ${clock}`)
  }
}

async function decode(
  bytes: AsyncIterable<Uint8Array>,
  sink: Sink,
  _context: DecodeContext,
): Promise<void> {
  const log = new W3cLog(sink)
  await readLines(bytes, sink, (text, line) => log.line(text, line))
}

function detect(head: Uint8Array): number {
  const text = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('latin1')
  if (/^#Fields: ?\S/im.test(text))
    return /^#(?:Software|Version|Date|Fields):/i.test(text) ? 98 : 80
  return /^#(?:Software|Version|Date): /i.test(text) ? 60 : 0
}

/** The decoder of W3C extended logs. */
export const w3c: Decoder = {
  name: 'w3c',
  says: 'W3C extended logs (IIS, Exchange, proxies)',
  detect,
  decode,
}
