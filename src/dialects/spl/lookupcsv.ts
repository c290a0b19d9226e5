/** The CSV file of a lookup: its first row names the columns, all values are texts. */
import { CsvError, csvRows } from '../../core/csv.ts'
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import { limits } from '../../core/limits.ts'
import type { LookupContent } from '../../schema/lookups.ts'
import { HIDDEN } from './rows.ts'

export interface CsvLookup {
  /** Absent when the text cannot be read; the diagnostics say why. */
  readonly content?: LookupContent
  readonly diagnostics: readonly Diagnostic[]
}

/** The names of the columns. Cells without a name at the end of the row are left over from an editor, and no columns. */
function readHeader(cells: readonly string[]): readonly string[] {
  const names = cells.map((each) => each.trim())
  while (names.at(-1) === '') names.pop()
  if (names.length === 0) throw new CsvError('it has no row of column names')
  if (names.length > limits.lookupColumns) {
    throw new CsvError(`it has more than ${limits.lookupColumns} columns`)
  }
  const seen = new Set<string>()
  for (const [index, name] of names.entries()) {
    const shown = JSON.stringify(name.slice(0, 64))
    if (name === '') throw new CsvError(`column ${index + 1} has no name`)
    if (seen.has(name)) throw new CsvError(`there are two columns ${shown}`)
    if (name.length > limits.fieldNameBytes) throw new CsvError(`the name ${shown} is too long`)
    if (name.startsWith(HIDDEN)) throw new CsvError(`a column cannot be named ${shown}`)
    seen.add(name)
  }
  return names
}

/** Reads a lookup. Rows with more cells than the header has names are passed over and counted. */
export function readLookupCsv(name: string, text: string): CsvLookup {
  if (text.length > limits.lookupBytes) {
    const reason = `it has more than ${limits.lookupBytes} bytes`
    return { diagnostics: [diagnose('HR530', { name, reason })] }
  }
  try {
    let columns: readonly string[] | undefined
    const rows: (readonly string[])[] = []
    let passedOver = 0
    let first: { readonly line: number; readonly cells: number } | undefined
    let line = 0
    for (const row of csvRows(text, ',', true)) {
      line++
      if (columns === undefined) {
        columns = readHeader(row)
        continue
      }
      if (row.slice(columns.length).some((each) => each !== '')) {
        passedOver++
        first ??= { line, cells: row.length }
        continue
      }
      if (rows.length >= limits.lookupRows) {
        throw new CsvError(`it has more than ${limits.lookupRows} rows`)
      }
      rows.push(columns.map((_, index) => row[index] ?? ''))
    }
    columns ??= readHeader([])
    if (first === undefined) return { content: { columns, rows }, diagnostics: [] }
    const reason = `it has ${first.cells} cells, the header ${columns.length}`
    const about = { name, count: passedOver, line: first.line, reason }
    return { content: { columns, rows }, diagnostics: [diagnose('HR531', about)] }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    return { diagnostics: [diagnose('HR530', { name, reason: error.message })] }
  }
}
