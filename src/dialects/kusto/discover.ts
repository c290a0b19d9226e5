/**
 * Columns that are found in the data: from the names and types that were found, the list of columns that is written
 * behind the call in the text of the query. Names come from logs, so each is written as a text with every sign escaped.
 */
import { diagnose, type Outcome } from '../../core/diagnostic.ts'
import { limits } from '../../core/limits.ts'
import { kustoTypeName } from './adapter.ts'
import type { Discovery } from './answer.ts'

/** What a column without a name is called. */
export const EMPTY_NAME = 'Column1'

/** A name and the type of a value under it, as a row of a discovery has them. */
export interface FoundName {
  readonly name: string
  readonly type: string
}

/** A name in brackets; nothing in it can end it. */
function quotedName(name: string): string {
  const units = [...name].flatMap((char) =>
    /[\w .-]/.test(char)
      ? [char]
      : [...Array(char.length).keys()].map(
          (at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`,
        ),
  )
  return `['${units.join('')}']`
}

/** Ordinal order, which does not hang on the place where the program runs. */
const byName = ([one]: readonly [string, string], [other]: readonly [string, string]): number =>
  one < other ? -1 : one > other ? 1 : 0

/** The text with the columns of a discovery written behind its call. */
export function withColumns(
  query: string,
  discovery: Discovery,
  found: readonly FoundName[],
): Outcome<string> {
  const { fixed, prefix, conflict, replaced, plugin, at } = discovery
  const span = { start: Math.max(0, at - 1), end: at }
  const types = new Map<string, string>()
  for (const { name, type } of found) {
    const column = `${prefix}${name === '' ? EMPTY_NAME : name}`
    const known = types.get(column)
    types.set(column, known === undefined || known === type ? type : 'dynamic')
  }
  const limit = limits.discoveredColumns
  if (types.size > limit) return { diagnostics: [diagnose('HR420', { plugin, limit }, span)] }
  const columns: (readonly [string, string])[] = []
  for (const { name, type } of fixed) {
    const taking = types.get(name)
    if (name === replaced) {
      if (taking !== undefined) columns.push([name, taking])
    } else {
      if (taking !== undefined && conflict === 'error') {
        return { diagnostics: [diagnose('HR421', { plugin, name: name.slice(0, 128) }, span)] }
      }
      const own = typeof type === 'string' ? kustoTypeName(type) : 'dynamic'
      columns.push([name, taking !== undefined && conflict === 'replace' ? taking : own])
    }
    types.delete(name)
  }
  const all = [...columns, ...[...types].sort(byName)]
  // Where there is nothing at all the call still needs a list.
  const list = all.length === 0 ? [[EMPTY_NAME, 'string'] as const] : all
  const written = list.map(([name, type]) => `${quotedName(name)}: ${type}`).join(', ')
  return { value: `${query.slice(0, at)} : (${written})${query.slice(at)}`, diagnostics: [] }
}
