/** Commands that calculate over groups of rows: `stats` makes a row of each, `eventstats` tells each row of its group. */
import { and, call, type Expr, field, or } from '../../ir/expr.ts'
import type { AggBinding, Binding, Rel } from '../../ir/rel.ts'
import { isList, type Type } from '../../ir/types.ts'
import { type CommandRecord, type Context, command } from './command.ts'
import { idle, Options } from './options.ts'
import { sortedBy } from './ordering.ts'
import type { Reader } from './reader.ts'
import { refuse } from './refusal.ts'
import { asList, derived, fieldValue, filtered, type Rows } from './rows.ts'
import { present } from './searching.ts'
import { aggregatesOf, columnOf, readStatsCalls, type StatsCall, spreadCalls } from './statsargs.ts'
import { windowed } from './windows.ts'

interface StatsNode {
  readonly calls: readonly StatsCall[]
  readonly by: readonly string[]
  readonly options: Options
}

const STATS_OPTIONS = {
  allnum: 'flag',
  delim: idle('text', 'it changes only how lists are shown'),
  partitions: idle('count', 'it is about how Splunk divides its work'),
  dedup_splitvals: 'flag',
} as const

/** Reads the names behind `by`; patterns are no names. */
export function readBy(reader: Reader): readonly string[] {
  const names = reader.names()
  if (names.length === 0) reader.fail('"by" needs the names of fields')
  const pattern = names.find(({ name }) => name.includes('*'))
  if (pattern !== undefined) reader.fail('"by" takes names of fields, not patterns', pattern.span)
  return [...new Set(names.map(({ name }) => name))]
}

/** Refuses options that are set to true. */
export function refuseFlags(options: Options, names: readonly string[]): void {
  for (const name of names) {
    if (!options.flag(name, false)) continue
    refuse('HR507', { what: `${name}=true` }, options.given(name)?.span)
  }
}

function readStats(reader: Reader): StatsNode {
  const options = new Options(STATS_OPTIONS)
  const calls = readStatsCalls(reader, ['by'], () => options.take(reader))
  if (calls.length === 0) reader.fail(`${reader.command} needs a function such as count`)
  const by = reader.takeWord('by') ? readBy(reader) : []
  refuseFlags(options, ['allnum', 'dedup_splitvals'])
  return { calls, by, options }
}

/** Rows that have a value for every field of a list: of several values of one field, each has a row of its own. */
export function keyedRows(rows: Rows, by: readonly string[]): Rows {
  let spread = rows
  for (const name of by) {
    const value = fieldValue(spread, name)
    if (!isList(value.type)) continue
    const fields = new Map(spread.fields).set(name, 'text')
    spread = { ...spread, rel: { op: 'expand', from: spread.rel, list: value, as: name }, fields }
  }
  return by.reduce((each, name) => filtered(each, present(fieldValue(each, name))), spread)
}

/** Of calls with one name, the last: it is the one that is seen. */
export function distinctCalls(calls: readonly StatsCall[]): readonly StatsCall[] {
  const last = new Map(calls.map((each) => [columnOf(each), each]))
  return [...last.values()]
}

/** Says that rows without a key are dropped, and how many that are. */
function noteDropped(rows: Rows, by: readonly string[], context: Context): void {
  const missing = by.map((name) => call('logic.not', [present(fieldValue(rows, name))]))
  const from: Rel = { op: 'filter', from: rows.rel, where: or(missing) }
  const count: Rel = {
    op: 'aggregate',
    from,
    by: [],
    into: [{ name: context.hidden('n'), fn: 'stats.count_rows', args: [], type: 'int' }],
  }
  context.note('missing keys', `rows without ${by.join(' or ')}`, undefined, count)
}

/** One row for each group, in the order of its keys. Rows without a key are in none. */
export function grouped(
  rows: Rows,
  calls: readonly StatsCall[],
  by: readonly string[],
  context: Context,
): Rows {
  const list = distinctCalls(spreadCalls(calls, rows, by))
  const clash = list.find((each) => by.includes(columnOf(each)))
  if (clash !== undefined) {
    const message = `${columnOf(clash)} is a field that rows are grouped by; give it another name with "as"`
    refuse('HR509', { message }, clash.span)
  }
  if (by.length > 0) noteDropped(rows, by, context)
  const keyed = keyedRows(rows, by)
  const names = list.map(columnOf)
  const { rows: from, into } = aggregatesOf(list, names, keyed, context)
  const keys = by.map((name): Binding => ({ name, value: known(fieldValue(from, name)) }))
  const fields = new Map<string, Type>([
    ...keys.map(({ name, value }) => [name, value.type] as const),
    ...into.map(({ name, type }) => [name, type] as const),
  ])
  const made: Rows = {
    rel: { op: 'aggregate', from: from.rel, by: keys, into },
    fields,
    order: [],
    isEvents: false,
  }
  const sort = by.map((name) => ({ field: name, isDown: false, type: 'auto' as const }))
  return sortedBy(made, sort, context)
}

/** A key that no row has is a missing text. */
const known = (value: Expr): Expr =>
  value.type === 'null' ? { op: 'const', value: null, type: 'text' } : value

const stats = command<StatsNode>({
  name: 'stats',
  says: 'Makes one row of all rows, or one of each group with the same values, with what functions give for it.',
  kind: 'transforming',
  options: STATS_OPTIONS,
  read: readStats,
  lower: ({ calls, by }, rows, context) => grouped(rows, calls, by, context),
})

/** What rows are told apart by: a list as a whole. */
export function partitionKeys(rows: Rows, by: readonly string[]): readonly Expr[] {
  return by.map((name) => {
    const value = fieldValue(rows, name)
    return isList(value.type) ? call('list.key', [asList(value)], 'text') : known(value)
  })
}

/** Values that are there only where a condition holds. */
export function where(condition: Expr, value: Expr): Expr {
  const missing: Expr = isList(value.type)
    ? { op: 'const', value: [], type: value.type }
    : { op: 'const', value: null, type: value.type }
  return call('eval.case', [condition, value, missing], value.type)
}

/** The columns that aggregates of a window become; rows without a key have none of their values. */
export function toldColumns(
  list: readonly StatsCall[],
  into: readonly AggBinding[],
  keys: readonly Expr[],
): readonly Binding[] {
  const isKeyed = and(keys.map(present))
  return into.map(({ name, type }, at): Binding => {
    const value = field(name, type)
    const call = list[at]
    return {
      name: call === undefined ? name : columnOf(call),
      value: keys.length === 0 ? value : where(isKeyed, value),
    }
  })
}

const eventstats = command<StatsNode>({
  name: 'eventstats',
  says: 'Adds to every row what functions give for all rows, or for those with the same values.',
  kind: 'streaming',
  options: STATS_OPTIONS,
  read: readStats,
  lower: ({ calls, by }, rows, context) => {
    const list = distinctCalls(spreadCalls(calls, rows, by))
    const hidden = list.map(() => context.hidden('w'))
    const { rows: from, into } = aggregatesOf(list, hidden, rows, context)
    const keys = partitionKeys(from, by)
    const window = windowed(from, into, { by: keys, frame: 'all' })
    return derived(window, toldColumns(list, into, keys))
  },
})

export const statsCommands: readonly CommandRecord[] = [stats, eventstats]
