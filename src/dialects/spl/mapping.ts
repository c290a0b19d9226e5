/** The command `map`: a search is run for each row, with the row's values in it. */
import { diagnose } from '../../core/diagnostic.ts'
import type { Span } from '../../core/span.ts'
import { call, FALSE, texts } from '../../ir/expr.ts'
import { appended } from './appending.ts'
import { type CommandRecord, type Context, command } from './command.ts'
import { Options } from './options.ts'
import { numbered } from './ordering.ts'
import type { Reader } from './reader.ts'
import { refuse } from './refusal.ts'
import { fieldValue, filtered, limited, type Rows, sorted } from './rows.ts'

const OPTIONS = { search: 'text', maxsearches: 'count' } as const

/** Searches that `map` runs when it is not told how many, and the most that it does. */
const FEW = 10
const MOST = 1_000

interface MapNode {
  readonly text: string
  readonly span: Span
  readonly most: number
}

function readMap(reader: Reader): MapNode {
  const options = new Options(OPTIONS)
  let inner: { readonly text: string; readonly span: Span } | undefined
  while (!reader.isDone) {
    if (options.take(reader)) continue
    const token = reader.next()
    if (token.kind !== 'search') {
      return reader.fail('map needs search="..." or a search in brackets', token.span)
    }
    inner = { text: token.text, span: token.span }
  }
  const given = options.given('search') ?? inner
  if (given === undefined) return reader.fail('map needs search="..." or a search in brackets')
  const most = options.number('maxsearches', FEW)
  if (most > MOST) {
    refuse(
      'HR517',
      { what: 'maxsearches', size: `${most}`, limit: MOST },
      options.given('maxsearches')?.span,
    )
  }
  return { text: given.text, span: given.span, most }
}

const TOKEN = /\$([^$\s"|[\]]+)\$/g

/** The number of the row, which Splunk gives under this name. */
const SERIAL = '_serial_id'

/** The value of a token as text, several values with blanks between. */
function textIn(row: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = Object.hasOwn(row, name) ? row[name] : undefined
  if (value === undefined || value === null) return undefined
  return Array.isArray(value) ? value.join(' ') : String(value)
}

/**
 * The search with the values of a row. A value comes from logs, so it must stay a value: inside of quotes its own
 * quotes and backslashes are escaped, outside of them it is put in quotes unless it is a plain word.
 */
function filled(search: string, row: (name: string) => string | undefined): string | undefined {
  let isMissing = false
  let at = 0
  let isQuoted = false
  let made = ''
  for (const match of search.matchAll(TOKEN)) {
    const before = search.slice(at, match.index)
    for (let i = 0; i < before.length; i++) {
      if (before[i] === '\\') i++
      else if (before[i] === '"') isQuoted = !isQuoted
    }
    const value = row(match[1] ?? '')
    if (value === undefined) isMissing = true
    else {
      const escaped = value.replace(/["\\]/g, '\\$&')
      const isPlain = /^[\w.:@%+-]+$/.test(value)
      made += `${before}${isQuoted ? escaped : isPlain ? value : `"${escaped}"`}`
    }
    at = match.index + match[0].length
  }
  return isMissing ? undefined : made + search.slice(at)
}

function rowOf(json: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(json)
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function mapped({ text, span, most }: MapNode, rows: Rows, context: Context): Rows {
  const names = [...new Set([...text.matchAll(TOKEN)].map(([, name = '']) => name))].filter(
    (name) => name !== SERIAL,
  )
  const unknown = names.find((name) => !rows.fields.has(name))
  if (unknown !== undefined) {
    const message = `map needs the field "${unknown}", which the rows have not`
    refuse('HR509', { message }, span)
  }
  const column = context.hidden('c')
  // With its number each row is another text, so that equal rows are run as often as they are there.
  const counted = numbered(rows, context)
  const values = [counted.number, ...names.map((name) => fieldValue(rows, name))]
  const value = call('row.json', [texts([SERIAL, ...names]), ...values], 'text')
  const from = sorted(limited(counted.rows, most))
  const found = context.discover(
    'map',
    { op: 'select', from, keep: [{ name: column, value }] },
    span,
  )
  let skipped = 0
  const results = found.flatMap((json, at): readonly Rows[] => {
    const row = rowOf(json)
    const search = filled(text, (name) => (name === SERIAL ? `${at}` : textIn(row, name)))
    if (search === undefined) skipped++
    return search === undefined ? [] : [context.inner(search, undefined, span)]
  })
  if (skipped > 0) context.notice(diagnose('HR521', { count: skipped }, span))
  const [first, ...rest] = results
  if (first === undefined) {
    // Not known yet, or no row: the fields are those of the search with anything filled in.
    const any = context.inner(filled(text, () => '0') ?? text, undefined, span)
    return { ...filtered(any, FALSE), isEvents: false }
  }
  return { ...rest.reduce((all, each) => appended(all, each, context), first), isEvents: false }
}

const map = command<MapNode>({
  name: 'map',
  says: 'Runs a search for each row, with the values of the row for $field$; at most maxsearches of them.',
  kind: 'transforming',
  options: OPTIONS,
  read: readMap,
  lower: mapped,
})

export const mappingCommands: readonly CommandRecord[] = [map]
