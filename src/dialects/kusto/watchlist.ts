/** Watchlists: a CSV text (RFC 4180) whose first row names the columns. All values stay texts. */
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import { limits } from '../../core/limits.ts'
import type { Watchlist } from './answer.ts'

export interface WatchlistResult {
  readonly watchlist?: Watchlist
  readonly diagnostics: readonly Diagnostic[]
}

interface Cell {
  readonly text: string
  readonly next: number
}

class Refused extends Error {}

/** A cell between quotes, in which a quote is written twice. */
function quotedCell(text: string, at: number): Cell {
  const parts: string[] = []
  let from = at + 1
  for (;;) {
    const quote = text.indexOf('"', from)
    if (quote === -1) throw new Refused('a quoted cell is not closed')
    parts.push(text.slice(from, quote))
    if (text[quote + 1] !== '"') return { text: parts.join(''), next: quote + 1 }
    parts.push('"')
    from = quote + 2
  }
}

function plainCell(text: string, at: number): Cell {
  let next = at
  while (next < text.length && text[next] !== ',' && text[next] !== '\n' && text[next] !== '\r') {
    next++
  }
  return { text: text.slice(at, next), next }
}

/** The rows of a CSV text; empty lines are left out. */
function* rowsOf(text: string): Generator<readonly string[]> {
  let at = text.startsWith('\ufeff') ? 1 : 0
  let row: string[] = []
  while (at < text.length || row.length > 0) {
    const cell = text[at] === '"' ? quotedCell(text, at) : plainCell(text, at)
    row.push(cell.text)
    at = cell.next
    if (text[at] === ',') {
      at++
      continue
    }
    if (at < text.length && text[at] !== '\n' && text[at] !== '\r') {
      throw new Refused(`a quoted cell is followed by ${JSON.stringify(text[at])}`)
    }
    at += text.startsWith('\r\n', at) ? 2 : 1
    if (row.length > 1 || row[0] !== '') yield row
    row = []
  }
}

function readColumns(header: readonly string[]): readonly string[] {
  const columns = header.map((each) => each.trim())
  if (columns.length === 0) throw new Refused('it has no row of column names')
  if (columns.length > limits.fieldsPerSource) throw new Refused('it has too many columns')
  const empty = columns.indexOf('')
  if (empty !== -1) throw new Refused(`column ${empty + 1} has no name`)
  const seen = new Set<string>()
  for (const each of columns) {
    if (seen.has(each)) throw new Refused(`there are two columns "${each.slice(0, 64)}"`)
    seen.add(each)
  }
  return columns
}

function readRows(text: string): Pick<Watchlist, 'columns' | 'rows'> {
  let columns: readonly string[] | undefined
  const rows: (readonly string[])[] = []
  for (const row of rowsOf(text)) {
    if (columns === undefined) {
      columns = readColumns(row)
      continue
    }
    if (rows.length >= limits.watchlistRows) {
      throw new Refused(`it has more than ${limits.watchlistRows} rows`)
    }
    if (row.length > columns.length) {
      const place = `row ${rows.length + 2}`
      throw new Refused(`${place} has ${row.length} cells, the header ${columns.length}`)
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
    if (error instanceof Refused) return refused(error.message)
    throw error
  }
}
