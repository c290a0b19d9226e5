/**
 * The decoder of delimited tables with a header: comma, semicolon, tab or bar, quotes by RFC 4180. Takes bytes, gives
 * one event a row; an empty cell is present but empty, a missing last cell is absent, a row with too many is rejected.
 */
import { limits } from '../core/limits.ts'
import { asUtf8, withHead } from './bytes.ts'
import { RowReader, type RowState } from './cells.ts'
import type { DecodeContext, Decoder, Sink } from './decoder.ts'
import { openingEmbedded } from './embedded.ts'
import { readLines } from './lines.ts'
import { recordPlanner } from './plan.ts'
import { refuse, tell } from './refusal.ts'
import { type Field, Records } from './shape.ts'

const DELIMITERS = [',', ';', '\t', '|'] as const
const LOOK_AHEAD = 64 * 1024
const SAMPLE_ROWS = 20
const MOST_LINES = 500
const MOST_CELLS = 100_000

/**
 * Lines that may be read again because the row they seemed to belong to was none; beyond it they are rejected. A row
 * of that many lines is none.
 */
const READ_AGAIN = 100_000

interface Line {
  readonly text: string
  readonly line: number
  /** What ended the line. */
  readonly lineBreak: string
}

/** The text of the lines of one row. */
function joined(lines: readonly Line[]): string {
  const [first] = lines
  if (lines.length === 1 && first !== undefined) return first.text
  return lines
    .map(({ text, lineBreak }, at) => (at === lines.length - 1 ? text : text + lineBreak))
    .join('')
}

/** Turns lines into rows and rows into events. */
class Table {
  private readonly sink: Sink
  private readonly records: Records
  private fields: readonly Field[] | undefined
  private rows: RowReader
  private readonly delimiter: string
  /** Lines of the row being read, and lines still to read, the next one last. */
  private row: Line[] = []
  private waiting: Line[] = []
  private rowChars = 0
  private again = 0

  constructor(sink: Sink, context: DecodeContext, delimiter: string) {
    this.sink = sink
    this.delimiter = delimiter
    this.rows = new RowReader(delimiter, MOST_CELLS)
    this.records = new Records(recordPlanner('csv', context.file))
  }

  take(line: Line): void {
    this.waiting.push(line)
    for (let next = this.waiting.pop(); next !== undefined; next = this.waiting.pop()) {
      this.feed(next)
    }
  }

  end(): void {
    while (this.row.length > 0) {
      this.fail()
      for (let next = this.waiting.pop(); next !== undefined; next = this.waiting.pop()) {
        this.feed(next)
      }
    }
    if (this.fields === undefined) tell(this.sink, 'HR132', {}, 'line 1')
  }

  private feed(line: Line): void {
    const before = this.row.at(-1)
    if (before === undefined && line.text === '') return
    // Spreadsheets may be told the delimiter in a line of its own.
    if (this.fields === undefined && /^sep=.$/.test(line.text)) return
    this.row.push(line)
    this.rowChars += line.text.length
    const state = this.rows.feed(line.text, before?.lineBreak)
    const isLong = this.rows.cells.length > (this.fields?.length ?? MOST_CELLS)
    const mayGoOn = !isLong && this.rowChars <= limits.recordBytes && this.row.length < READ_AGAIN
    if (state === 'open' && mayGoOn) return
    if (state !== 'whole' || (isLong && this.row.length > 1)) this.fail()
    else this.finish()
  }

  /**
   * The lines make no row together. Only the first is at fault: the others are read again on their own, so that one
   * stray quote does not hide the rows after it.
   */
  private fail(): void {
    const { row } = this
    this.reset()
    this.again += row.length - 1
    const alone = this.again > READ_AGAIN ? row.length : 1
    for (const { text, line } of row.slice(0, alone)) {
      refuse(this.sink, 'HR131', {}, { place: `line ${line}`, raw: text })
    }
    for (let at = row.length - 1; at >= alone; at--) {
      const line = row[at]
      if (line !== undefined) this.waiting.push(line)
    }
  }

  private reset(): void {
    this.row = []
    this.rowChars = 0
    this.rows.reset()
  }

  /** Makes the event of a whole row. */
  private finish(): void {
    const { cells } = this.rows
    const text = joined(this.row)
    const line = this.row[0]?.line ?? 0
    this.row = []
    this.rowChars = 0
    const { fields } = this
    if (fields === undefined) {
      this.header(cells)
      return
    }
    const at = { place: `line ${line}`, raw: text }
    const columns = fields.length
    if (columns > limits.fieldsPerEvent) {
      refuse(this.sink, 'HR124', { limit: limits.fieldsPerEvent }, at)
    } else if (cells.length > columns) {
      refuse(this.sink, 'HR130', { cells: `more than ${columns}`, columns }, at)
    } else {
      this.records.begin()
      for (let i = 0; i < cells.length; i++) {
        const field = fields[i]
        if (field !== undefined) this.records.put(field, cells[i] ?? '')
      }
      this.sink.event(this.records.finish(text, line))
    }
  }

  private header(cells: readonly string[]): void {
    this.fields = cells
      .slice(0, limits.fieldsPerEvent + 1)
      .map((cell, at) => this.records.field(cell.trim() === '' ? `column_${at + 1}` : cell.trim()))
    this.rows = new RowReader(this.delimiter, this.fields.length)
  }
}

function sampleRows(head: string, delimiter: string): readonly (readonly string[])[] {
  const rows: (readonly string[])[] = []
  const reader = new RowReader(delimiter, MOST_CELLS)
  const lines = head.split('\n', MOST_LINES)
  let state: RowState = 'whole'
  for (const [at, line] of lines.entries()) {
    // The last line of the sample may be cut.
    if (rows.length === SAMPLE_ROWS || (at === lines.length - 1 && at > 0)) break
    const text = line.endsWith('\r') ? line.slice(0, -1) : line
    if (text === '' && state !== 'open') continue
    state = reader.feed(text)
    if (state === 'bad') break
    if (state === 'whole') rows.push(reader.cells)
  }
  return rows
}

interface Layout {
  readonly delimiter: string
  readonly columns: number
  /** Rows of the sample, header included, and how many of them have no more cells than the header. */
  readonly rows: number
  readonly fitting: number
  readonly header: readonly string[]
}

/** The delimiter by which the sample makes the most regular table, or undefined when there is none. */
function layoutOf(head: string): Layout | undefined {
  const sep = /^sep=(.)\r?\n/.exec(head)
  const text = sep === null ? head : head.slice(sep[0].length)
  let best: Layout | undefined
  for (const delimiter of sep?.[1] === undefined ? DELIMITERS : [sep[1]]) {
    const rows = sampleRows(text, delimiter)
    const [header] = rows
    if (header === undefined || header.length < 2) continue
    const columns = header.length
    const fitting = rows.filter((row) => row.length === columns).length
    const layout = { delimiter, columns, rows: rows.length, fitting, header }
    const better =
      best === undefined ||
      fitting / rows.length > best.fitting / best.rows ||
      (fitting / rows.length === best.fitting / best.rows && columns > best.columns)
    if (better) best = layout
  }
  return best
}

async function decode(
  bytes: AsyncIterable<Uint8Array>,
  sink: Sink,
  context: DecodeContext,
): Promise<void> {
  const { head, all } = await withHead(asUtf8(bytes), LOOK_AHEAD)
  const delimiter = layoutOf(head.toString('utf8', 0, LOOK_AHEAD))?.delimiter ?? ','
  const table = new Table(openingEmbedded(sink, context), context, delimiter)
  await readLines(all, sink, (text, line, hadReturn) =>
    table.take({ text, line, lineBreak: hadReturn ? '\r\n' : '\n' }),
  )
  table.end()
}

/** True for a text that may name a column: a few words, not a number, not a date. */
function isName(cell: string): boolean {
  return cell.length <= 100 && /[A-Za-z]/.test(cell) && !/[{}<>=]|:\/\/|\d:\d\d/.test(cell)
}

function detect(head: Uint8Array): number {
  const text = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('utf8')
  const layout = layoutOf(text)
  if (layout === undefined || text.includes('\0')) return 0
  const { header, rows, fitting, columns } = layout
  const named = header.filter((cell) => cell === '' || isName(cell.trim())).length
  if (named < columns || header.every((cell) => cell === '')) return 0
  if (rows > 1 && fitting < rows * 0.8) return 0
  return rows === 1 ? 30 : columns >= 4 ? 60 : 45
}

/** The decoder of CSV and its relatives. */
export const csv: Decoder = {
  name: 'csv',
  says: 'Tables with a header line: comma, semicolon, tab or bar separated',
  detect,
  decode,
}
