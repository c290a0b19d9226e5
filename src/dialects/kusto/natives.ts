/**
 * Functions that have no body in the language: those that give watchlists, the names of other workspaces, and what
 * only a tenant has. What the binder is told of them, and the rows that they give.
 */
import { diagnose } from '../../core/diagnostic.ts'
import { suggest } from '../../core/suggest.ts'
import { call, field, text } from '../../ir/expr.ts'
import type { Binding } from '../../ir/rel.ts'
import type { Column, NativeFunction, Node } from './adapter.ts'
import type { Watchlist } from './answer.ts'
import { argumentsOf } from './calls.ts'
import { listedRows } from './rows.ts'
import {
  type Context,
  cast,
  derived,
  InputMissing,
  type Rowset,
  refuse,
  selected,
} from './scope.ts'
import { TENANT } from './tenant.ts'
import { constantText } from './values.ts'

const LIST = '_GetWatchlist'
const ALIASES = '_GetWatchlistAlias'

/** Columns that the service puts before those of the list. */
const SERVICE: readonly Column[] = [
  { name: '_DTItemId', type: 'text' },
  { name: '_DTTimestamp', type: 'time' },
  { name: 'LastUpdatedTimeUTC', type: 'time' },
  { name: 'SearchKey', type: 'text' },
  { name: 'WatchlistItem', type: 'dynamic' },
]

const ALIAS_COLUMNS: readonly Column[] = [{ name: 'WatchlistAlias', type: 'text' }]

/** Makes the rows that a call of a native function gives. */
export type NativeRows = (node: Node, context: Context) => Rowset

/** The native functions of one set of watchlists. */
export class Natives {
  readonly #watchlists: ReadonlyMap<string, Watchlist>
  readonly declared: readonly NativeFunction[]

  constructor(watchlists: readonly Watchlist[]) {
    this.#watchlists = new Map(watchlists.map((each) => [each.alias, each]))
    this.declared = [
      { name: LIST, gives: 'rows', columns: (alias) => this.#columns(alias) },
      { name: ALIASES, gives: 'rows', columns: () => ALIAS_COLUMNS },
      { name: 'workspace', gives: 'here' },
      // Resource Graph; its tables are read from what was exported of it.
      { name: 'arg', gives: 'here' },
      ...[...TENANT].flatMap(([name, { gives, adds = [] }]) =>
        gives === undefined ? [] : [{ name, gives, adds }],
      ),
    ]
  }

  #columns(alias: string | undefined): readonly Column[] | undefined {
    const watchlist = this.#watchlists.get(alias ?? '')
    if (watchlist === undefined) return undefined
    const own = new Set(SERVICE.map(({ name }) => name))
    const listed = watchlist.columns.filter((name) => !own.has(name))
    return [...SERVICE, ...listed.map((name): Column => ({ name, type: 'text' }))]
  }

  /** What makes the rows of a call; undefined for names of no function that gives rows here. */
  rows(name: string): NativeRows | undefined {
    if (name === LIST) return (node, context) => this.#list(node, context)
    if (name === ALIASES) {
      const aliases = [...this.#watchlists.keys()].map((alias) => [alias])
      return (_, context) => listedRows(ALIAS_COLUMNS, aliases, context)
    }
    return undefined
  }

  #list(node: Node, context: Context): Rowset {
    const [first, ...keys] = argumentsOf(node)
    const { lowering } = context
    if (first === undefined) return refuse('HR409', { name: LIST }, lowering.place(node))
    const alias = constantText(
      first.kind === 'SimpleNamedExpression' ? first.child('Expression') : first,
      context,
    )
    const watchlist = this.#watchlists.get(alias)
    const columns = this.#columns(alias)
    if (watchlist === undefined || columns === undefined) {
      const near = suggest(alias, this.#watchlists.keys())
      const guess = near === undefined ? '' : `; there is "${near}"`
      const named = alias.slice(0, 120)
      lowering.notice(diagnose('HR431', { alias: named, guess }, lowering.place(node)))
      throw new InputMissing(`the watchlist "${named}"`)
    }
    return rowsOf(
      watchlist,
      columns,
      keys.flatMap((each) => textsOf(each, context)),
      context,
    )
  }
}

/** The texts of a constant: itself, or the elements of a list. */
function textsOf(node: Node, context: Context): readonly string[] {
  const given = node.kind === 'SimpleNamedExpression' ? node.child('Expression') : node
  const value = context.lowering.expr(given, context)
  if (value.op === 'const' && typeof value.value === 'string') {
    if (value.type !== 'dynamic') return [value.value]
    const parsed: unknown = JSON.parse(value.value)
    if (Array.isArray(parsed)) return parsed.map(String)
  }
  return refuse('HR409', { name: node.text.slice(0, 60) }, context.lowering.place(node))
}

/** The place of the column that is searched: the one named so, or else the first, as lists are kept. */
function keyOf({ columns, searchKey }: Watchlist): number {
  const own = columns.indexOf(searchKey ?? 'SearchKey')
  return own === -1 ? 0 : own
}

/** The rows of a list, only those of some keys where any are given. */
function rowsOf(
  watchlist: Watchlist,
  columns: readonly Column[],
  keys: readonly string[],
  context: Context,
): Rowset {
  const key = keyOf(watchlist)
  const wanted = new Set(keys)
  const chosen = watchlist.rows.filter((row) => keys.length === 0 || wanted.has(row[key] ?? ''))
  // Columns that a list has in common with the service get names of their own first.
  const names = watchlist.columns.map((name) => ({ name, hidden: context.lowering.hidden('w') }))
  const stored = names.map(({ hidden }): Column => ({ name: hidden, type: 'text' }))
  const listed = listedRows(stored, chosen, context)
  const hiddenOf = new Map(names.map(({ name, hidden }) => [name, hidden]))
  const place = listed.order[0]?.by
  const now = call('time.now', [], 'time')
  const pairs = names.flatMap(({ name, hidden }) => [text(name), field(hidden, 'text')])
  const service = new Map([
    ['_DTItemId', place === undefined ? text('') : cast(place, 'text')],
    ['_DTTimestamp', now],
    ['LastUpdatedTimeUTC', now],
    ['SearchKey', field(names[key]?.hidden ?? '', 'text')],
    ['WatchlistItem', call('dyn.bag', pairs, 'dynamic')],
  ])
  const set = columns.map(({ name }): Binding => {
    const hidden = hiddenOf.get(name)
    const value = service.get(name) ?? (hidden === undefined ? text('') : field(hidden, 'text'))
    return { name, value }
  })
  const rows = derived(listed, set)
  return selected(
    { ...rows, columns },
    columns,
    columns.map(({ name, type }) => field(name, type)),
  )
}
