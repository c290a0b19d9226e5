/** Watchlists: a CSV text (RFC 4180) whose first row names the columns. All values stay texts. */

import { CsvError, csvRows } from '../../core/csv.ts'
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import { limits } from '../../core/limits.ts'
import type { Watchlist } from './answer.ts'

export interface WatchlistResult {
  readonly watchlist?: Watchlist
  readonly diagnostics: readonly Diagnostic[]
}

function readColumns(header: readonly string[]): readonly string[] {
  const columns = header.map((each) => each.trim())
  if (columns.length === 0) throw new CsvError('it has no row of column names')
  if (columns.length > limits.fieldsPerSource) throw new CsvError('it has too many columns')
  const empty = columns.indexOf('')
  if (empty !== -1) throw new CsvError(`column ${empty + 1} has no name`)
  const seen = new Set<string>()
  for (const each of columns) {
    if (seen.has(each)) throw new CsvError(`there are two columns "${each.slice(0, 64)}"`)
    seen.add(each)
  }
  return columns
}

function readRows(text: string): Pick<Watchlist, 'columns' | 'rows'> {
  let columns: readonly string[] | undefined
  const rows: (readonly string[])[] = []
  for (const row of csvRows(text)) {
    if (columns === undefined) {
      columns = readColumns(row)
      continue
    }
    if (rows.length >= limits.watchlistRows) {
      throw new CsvError(`it has more than ${limits.watchlistRows} rows`)
    }
    if (row.length > columns.length) {
      const place = `row ${rows.length + 2}`
      throw new CsvError(`${place} has ${row.length} cells, the header ${columns.length}`)
    }
    rows.push([...row, ...columns.slice(row.length).map(() => '')])
  }
  return { columns: columns ?? readColumns([]), rows }
}

/** Reads a watchlist. What cannot be read whole is refused: a shorter list would find less. */
export function readWatchlist(alias: string, text: string, searchKey?: string): WatchlistResult {
  const refused = (reason: string): WatchlistResult => ({
    diagnostics: [diagnose('HR466', { reason })],
  })
  if (!/^[\w.-][\w. -]{0,255}$/.test(alias)) return refused(`"${alias.slice(0, 64)}" is no alias`)
  if (text.length > limits.watchlistBytes) {
    return refused(`it has more than ${limits.watchlistBytes} bytes`)
  }
  try {
    const { columns, rows } = readRows(text)
    if (searchKey !== undefined && !columns.includes(searchKey)) {
      return refused(`there is no column "${searchKey.slice(0, 64)}" to search`)
    }
    const base = { alias, columns, rows }
    return { watchlist: searchKey === undefined ? base : { ...base, searchKey }, diagnostics: [] }
  } catch (error) {
    if (error instanceof CsvError) return refused(error.message)
    throw error
  }
}
