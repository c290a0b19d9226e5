/** Lists of records: a table on a terminal, or JSON, JSON lines and CSV with the same fields. */
import type { OptionRecord, OptionValues } from './command.ts'
import type { Context } from './context.ts'
import { jsonText } from './json.ts'
import { buffered, csvCell } from './stream.ts'
import { type Cell, type Column, renderTable } from './table.ts'
import { UsageError } from './usage.ts'

const FORMS = ['json', 'jsonl', 'csv', 'rawCsv'] as const
const MOST = 1_000_000

/** The options that choose how a list is printed. */
export const LIST_OPTIONS: readonly OptionRecord[] = [
  { flags: '--json', says: 'one JSON document' },
  { flags: '--jsonl', says: 'one record as JSON on each line' },
  { flags: '--csv', says: 'comma-separated values, safe for spreadsheets' },
  { flags: '--raw-csv', says: 'comma-separated values, cells exactly as they are' },
]

/** Refuses options that contradict each other. */
export function checkListing(options: OptionValues): void {
  if (FORMS.filter((each) => options.flag(each)).length > 1) {
    throw new UsageError('choose one of --json, --jsonl, --csv and --raw-csv')
  }
}

/** True when people read the list, not programs. */
export function isForPeople(options: OptionValues): boolean {
  return FORMS.every((each) => !options.flag(each))
}

/** The number of `--limit`. */
export function listLimit(options: OptionValues, usual: number): number {
  const given = options.text('limit')
  if (given === undefined) return usual
  const value = Number(given)
  if (/^\d+$/.test(given) && value >= 1 && value <= MOST) return value
  throw new UsageError(`--limit wants a number from 1 to ${MOST}, not "${given}"`)
}

type ListCell = string | number | null | readonly unknown[]
export type ListRow = Readonly<Record<string, ListCell>>

export interface Listing {
  /** For JSON: what stands beside the records, and what those are called. */
  readonly head: Readonly<Record<string, unknown>>
  readonly name: string
  readonly rows: readonly ListRow[]
  readonly columns: readonly Column[]
  /** The cells of the table for one of the records. */
  readonly cells: (row: number) => readonly Cell[]
}

function cellText(value: ListCell): string {
  if (value === null) return ''
  return typeof value === 'object' ? value.map(String).join('; ') : String(value)
}

/** Prints a list in the form that the options choose. */
export async function printListing(
  context: Context,
  options: OptionValues,
  { rows, name, head, columns, cells }: Listing,
): Promise<void> {
  const { out } = context.output
  const form = FORMS.find((each) => options.flag(each))
  if (form === 'json') {
    out.write(`${jsonText({ ...head, [name]: rows })}\n`)
    return
  }
  if (form === undefined) {
    if (rows.length === 0) return
    const lines = rows.map((_, at) => cells(at))
    out.write(renderTable(out, columns, lines))
    return
  }
  const to = buffered(out)
  const [first] = rows
  if (form !== 'jsonl' && first !== undefined) await to.put(`${Object.keys(first).join(',')}\n`)
  const isRaw = form === 'rawCsv'
  for (const row of rows) {
    if (context.output.gone.aborted) break
    const cellsOf = Object.values(row).map((each) => csvCell(cellText(each), isRaw))
    await to.put(form === 'jsonl' ? `${jsonText(row)}\n` : `${cellsOf.join(',')}\n`)
  }
  await to.flush()
}
