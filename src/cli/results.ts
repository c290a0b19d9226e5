/**
 * Rows of queries as a table, JSON, JSON lines or CSV, written as they come so that memory stays bounded. Takes typed
 * values, gives text on stdout; what is left out is told on stderr.
 */
import type { ResultColumn, Value } from '../detect/values.ts'
import type { OptionRecord, OptionValues } from './command.ts'
import { counted } from './figures.ts'
import { jsonText, safeJson } from './json.ts'
import { KUSTO_PRINTING, type Printing } from './printing.ts'
import { buffered, csvCell } from './stream.ts'
import { renderTable } from './table.ts'
import { type Output, paint, type Writer } from './terminal.ts'
import { pad, safeCut, safeText, widthOf } from './text.ts'
import { UsageError } from './usage.ts'

export const ROWS_OPTION: OptionRecord = {
  flags: '--rows <number>',
  says: 'the most rows to print of each query (default: 500 on a terminal, else all)',
}

/** What of a query is known before its first row. */
export interface ResultHead {
  readonly columns: readonly ResultColumn[]
  /** The chart that the query asks for. */
  readonly render: string | undefined
  readonly printing: Printing
  /** True when the rows are events: of many fields each has a few. */
  readonly isEvents: boolean
}

export interface ResultEnd {
  /** Rows that were held back. */
  readonly more: number
  /** True when the query was stopped, so that rows are missing. */
  readonly isPartial: boolean
}

/** Where the rows of queries go: every output form is one of these. */
export interface ResultWriter {
  begin(head: ResultHead): void | Promise<void>
  /** Takes one row of the query that has begun; await what it gives. */
  row(values: readonly Value[]): void | Promise<void>
  /** Ends the rows of one query. */
  finish(end: ResultEnd): Promise<void>
  /** Ends the output. Call it also when a query was interrupted. */
  end(): Promise<void>
}

/** Rows that are measured and printed together; widths may differ between such blocks. */
const BLOCK_ROWS = 500
/** Longest text of a cell that a table keeps. */
const CELL_CHARS = 8_000
/** A column wider than this may shrink to it before the rows are printed one below the other. */
const NARROW = 48
/** Lines that one value may fill in the upright form. */
const VALUE_LINES = 12
const GAP = 2

/** Before its first query an output knows no language. */
const NOTHING: ResultHead = {
  columns: [],
  render: undefined,
  printing: KUSTO_PRINTING,
  isEvents: false,
}

/** True when a table of these cells fits a screen, its widest columns cut to what still tells something. */
function fits(
  columns: readonly ResultColumn[],
  rows: readonly (readonly string[])[],
  screen: number,
): boolean {
  const width = columns.reduce((sum, { name }, at) => {
    const cells = rows.map((row) => widthOf(safeCut(row[at] ?? '', NARROW)))
    return sum + Math.max(widthOf(safeText(name)), ...cells) + GAP
  }, -GAP)
  return width <= screen
}

/** A safe text in lines of at most so many columns. */
function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  let used = 0
  for (const char of text) {
    const next = widthOf(char)
    if (used + next > width) {
      lines.push(line)
      line = ''
      used = 0
    }
    line += char
    used += next
  }
  lines.push(line)
  return lines
}

/** One row with a line for each column; of an event, for each that it has. */
function uprightRow(
  writer: Writer,
  { columns, isEvents }: ResultHead,
  row: readonly string[],
  place: number,
): string {
  const screen = writer.columns()
  const filled = columns.flatMap(({ name }, at) => {
    const value = row[at] ?? ''
    return isEvents && value === '' ? [] : [{ name, value }]
  })
  const names = filled.map(({ name }) => safeCut(name, Math.max(8, Math.floor(screen / 3))))
  const side = Math.max(...names.map(widthOf))
  const room = Math.max(8, screen - side - 3)
  const lines = names.map((name, at) => {
    const value = safeCut(filled[at]?.value ?? '', room * VALUE_LINES)
    const indent = ' '.repeat(side + 3)
    return ` ${paint(writer, 'dim', pad(name, side))}  ${wrapped(value, room).join(`\n${indent}`)}`
  })
  return `${paint(writer, 'bold', `row ${place}`)}\n${lines.map((each) => `${each.trimEnd()}\n`).join('')}`
}

/** A table, or each row upright on a terminal that is too narrow for the table. */
function resultTable({ out, err, quiet }: Output): ResultWriter {
  let head = NOTHING
  let rows: (readonly string[])[] = []
  let printed = 0
  let results = 0
  let isUpright: boolean | undefined
  const print = (): void => {
    const { columns, printing, isEvents } = head
    isUpright ??= isEvents || (out.isTerminal && !fits(columns, rows, out.columns()))
    if (isUpright) {
      rows.forEach((row, at) => {
        out.write(uprightRow(out, head, row, printed + at + 1))
      })
    } else {
      const shown = columns.map((column) => ({
        title: column.name,
        align: printing.isNumber(column) ? ('right' as const) : ('left' as const),
        shrinksTo: Math.max(widthOf(safeText(column.name)), NARROW / 2),
      }))
      const text = renderTable(out, shown, rows).replace(/ +$/gm, '')
      out.write(printed === 0 ? text : text.slice(text.indexOf('\n') + 1))
    }
    printed += rows.length
    rows = []
  }
  return {
    begin(next) {
      if (results++ > 0) out.write('\n')
      head = next
      printed = 0
      isUpright = undefined
    },
    row(values) {
      const { columns, printing } = head
      const cell = (column: ResultColumn, at: number): string =>
        printing.text(values[at] ?? null, column).slice(0, CELL_CHARS)
      rows.push(columns.map(cell))
      if (rows.length < BLOCK_ROWS) return undefined
      print()
      return out.ready()
    },
    finish({ more, isPartial }) {
      if (rows.length > 0 || (printed === 0 && !isPartial)) print()
      if (more > 0) {
        err.write(`and ${counted(more, 'more row')}; --rows prints more, --jsonl and --csv all\n`)
      } else if (!quiet && out.isTerminal) {
        err.write(`${paint(err, 'dim', counted(printed, 'row'))}\n`)
      }
      return out.ready()
    },
    end: () => out.ready(),
  }
}

/**
 * A row as a JSON object: the names of its columns in their order, values with all their digits. Of an event only the
 * fields that it has.
 */
function rowObject({ columns, printing, isEvents }: ResultHead, values: readonly Value[]): string {
  const members = columns.flatMap((column, at) => {
    const value = values[at] ?? null
    if (isEvents && (value === null || value === '[]')) return []
    return [`${JSON.stringify(column.name)}:${printing.json(value, column)}`]
  })
  return safeJson(`{${members.join(',')}}`)
}

function moreText(err: Writer, more: number): void {
  if (more > 0) err.write(`and ${counted(more, 'more row')}\n`)
}

/** `--jsonl`: one row a line, those of all queries one after the other. */
function resultLines({ out, err }: Output): ResultWriter {
  const buffer = buffered(out)
  let head = NOTHING
  return {
    begin(next) {
      head = next
    },
    row: (values) => buffer.put(`${rowObject(head, values)}\n`),
    async finish({ more }) {
      await buffer.flush()
      moreText(err, more)
    },
    end: () => buffer.flush(),
  }
}

/** `--json`: `{"results":[{"columns":[...],"rows":[...]}]}`, one row a line. */
function resultDocument({ out, err }: Output): ResultWriter {
  const buffer = buffered(out)
  let head = NOTHING
  let results = 0
  let rows = 0
  void buffer.put('{"results":[')
  return {
    begin(next) {
      head = next
      rows = 0
      const described = head.columns.map(({ name, type }) => ({
        name,
        type: next.printing.typeWord(type),
      }))
      const chart = head.render === undefined ? '' : `"render":${jsonText(head.render)},`
      return buffer.put(
        `${results++ === 0 ? '' : ','}\n{"columns":${jsonText(described)},${chart}"rows":[`,
      )
    },
    row: (values) => buffer.put(`${rows++ === 0 ? '' : ','}\n${rowObject(head, values)}`),
    async finish({ more, isPartial }) {
      const held = more > 0 ? `,"more":${more}` : ''
      await buffer.put(`\n]${held}${isPartial ? ',"interrupted":true' : ''}}`)
      moreText(err, more)
    },
    async end() {
      await buffer.put('\n]}\n')
      await buffer.flush()
    },
  }
}

/** `--csv` and `--raw-csv`: a line of names, then the rows; an empty line between queries. */
function resultCsv({ out, err }: Output, isRaw: boolean): ResultWriter {
  const buffer = buffered(out)
  const raw = isRaw && !out.isTerminal
  let head = NOTHING
  let results = 0
  // A number is never a formula, whatever its sign.
  const cell = (value: Value, column: ResultColumn): string =>
    csvCell(head.printing.cell(value, column), raw || head.printing.isNumber(column))
  return {
    begin(next) {
      head = next
      const names = head.columns.map(({ name }) => csvCell(name, raw))
      return buffer.put(`${results++ === 0 ? '' : '\n'}${names.join(',')}\n`)
    },
    row: (values) =>
      buffer.put(
        `${head.columns.map((column, at) => cell(values[at] ?? null, column)).join(',')}\n`,
      ),
    async finish({ more }) {
      await buffer.flush()
      moreText(err, more)
    },
    end: () => buffer.flush(),
  }
}

/** The writer that the options choose. */
export function resultWriter(output: Output, options: OptionValues): ResultWriter {
  if (options.flag('json')) return resultDocument(output)
  if (options.flag('jsonl')) return resultLines(output)
  if (options.flag('csv') || options.flag('rawCsv')) {
    return resultCsv(output, options.flag('rawCsv'))
  }
  return resultTable(output)
}

/** Rows of a table on a terminal unless asked otherwise. */
const SCREEN_ROWS = 500

/** The most rows to print of one query. */
export function mostRows(output: Output, options: OptionValues): number {
  const text = options.text('rows')
  if (text !== undefined) {
    if (!/^\d{1,12}$/.test(text)) throw new UsageError(`--rows wants a whole number, not "${text}"`)
    return Number(text)
  }
  const isData = ['json', 'jsonl', 'csv', 'rawCsv'].some((each) => options.flag(each))
  return output.out.isTerminal && !isData ? SCREEN_ROWS : Number.POSITIVE_INFINITY
}
