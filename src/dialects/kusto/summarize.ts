/**
 * `summarize` and what groups: aggregates are taken out of their expressions into hidden columns, and the expressions
 * are then evaluated over one row a group.
 */
import { aggregatesSpelled, functions } from '../../functions/catalogue.ts'
import type { FunctionRecord } from '../../functions/record.ts'
import { call, type Expr, field } from '../../ir/expr.ts'
import type { AggBinding, Binding, Rel } from '../../ir/rel.ts'
import type { BaseType } from '../../ir/types.ts'
import type { Column, Node } from './adapter.ts'
import { argumentsOf, functionName } from './calls.ts'
import { firstPlace } from './rows.ts'
import {
  type Context,
  cast,
  constant,
  type Lowerer,
  partitionOf,
  type Rowset,
  refuse,
  rowOf,
  same,
  selected,
} from './scope.ts'
import { typeOf } from './values.ts'

/** The aggregate that a name like `countif` or `make_list_if` stands for, over the rows that meet a condition. */
function conditional(name: string): FunctionRecord | undefined {
  return [...functions.values()].find((record) => record.conditional?.kusto.includes(name))
}

/** Collects the aggregates of the expressions of one operator. */
export class Aggregates {
  readonly into: AggBinding[] = []
  readonly #rows: Rowset
  readonly #inner: Context

  constructor(rows: Rowset, context: Context) {
    this.#rows = rows
    this.#inner = { lowering: context.lowering, env: context.env, row: rowOf(rows) }
  }

  get lowering(): Lowerer {
    return this.#inner.lowering
  }

  /** Lowers an argument of an aggregate: it sees the rows, not the groups. */
  argument(node: Node): Expr {
    return this.lowering.expr(node, this.#inner)
  }

  /** The columns of the rows, for `arg_max(x, *)`. */
  get columns(): readonly Column[] {
    return this.#rows.columns
  }

  /** Columns that tell the rows' order, for lists that keep it. */
  get order(): readonly Expr[] {
    return this.#rows.order.map(({ by }) => by)
  }

  add(fn: string, args: readonly Expr[], type: BaseType, where?: Expr): Expr {
    const name = this.lowering.hidden('a')
    this.into.push({ name, fn, args, type, ...(where === undefined ? {} : { where }) })
    return field(name, type)
  }

  /** Takes calls of aggregates; for `Context.special`. */
  readonly special = (node: Node): Expr | undefined => {
    if (node.kind !== 'FunctionCallExpression' || node.calledBody !== undefined) return undefined
    return this.values(node)?.[0]
  }

  /** The values of a call of an aggregate; undefined for other calls. */
  values(node: Node): readonly Expr[] | undefined {
    const name = functionName(node).toLowerCase()
    const several = Object.hasOwn(SEVERAL, name) ? SEVERAL[name] : undefined
    if (several !== undefined) return several(this, node, argumentsOf(node))
    const record = aggregatesSpelled('kusto').get(name)
    if (record !== undefined) return [this.#plain(record, node, argumentsOf(node))]
    const base = conditional(name)
    const at = base?.conditional?.at
    if (base === undefined || at === undefined) return undefined
    const args = argumentsOf(node)
    const test = args[at]
    if (test === undefined) return refuse('HR406', { name }, this.lowering.place(node))
    const rest = args.filter((_, index) => index !== at)
    const condition = call('logic.holds', [cast(this.argument(test), 'bool')])
    return [this.#plain(base, node, rest, condition)]
  }

  #plain(record: FunctionRecord, node: Node, args: readonly Node[], where?: Expr): Expr {
    const values = args.map((each, index) => {
      const value = this.argument(each)
      const wanted = record.takes[index]?.type
      return typeof wanted === 'string' && wanted !== 'any' ? cast(value, wanted) : value
    })
    const given = record.takes.length === 0 ? [] : values
    const type = typeOf(node, typeof record.gives === 'string' ? record.gives : 'dynamic')
    const ordered = record.ordered === true ? this.#ordered(record, given) : given
    return this.add(record.id, ordered, type, where)
  }

  /** An aggregate whose result follows the order of the rows gets a rank of the row behind its arguments. */
  #ordered(record: FunctionRecord, args: readonly Expr[]): readonly Expr[] {
    if (this.#rows.order.length === 0) return args
    const filled = [...args]
    for (let index = filled.length; index < record.takes.length - 1; index++) {
      filled.push(constant(1_048_576, 'int'))
    }
    return [...filled, this.rank()]
  }

  #rank: Expr | undefined
  /** Number of the row in the order of the rows. */
  rank(): Expr {
    this.#rank ??= field(this.lowering.hidden('r'), 'int')
    return this.#rank
  }

  /** The rows to group, with their rank where an aggregate needs it. */
  get rows(): Rel {
    const { rel, order } = this.#rows
    if (this.#rank === undefined || this.#rank.op !== 'field') return rel
    const into = [{ name: this.#rank.name, fn: 'win.row_number', args: [], type: 'int' as const }]
    return {
      op: 'window',
      from: rel,
      by: partitionOf(this.#rows),
      order,
      into,
      frame: 'running',
    }
  }
}

type Several = (aggregates: Aggregates, node: Node, args: readonly Node[]) => readonly Expr[]

const need = (aggregates: Aggregates, node: Node, args: readonly Node[], index: number): Node =>
  args[index] ?? refuse('HR406', { name: functionName(node) }, aggregates.lowering.place(node))

/** `arg_max(x, a, b)` and `arg_max(x, *)`: columns of the row that has the greatest x. */
const extreme =
  (fn: string): Several =>
  (aggregates, node, args) => {
    const by = aggregates.argument(need(aggregates, node, args, 0))
    const rest = args.slice(1)
    const out = node.columns
    const star = rest.some((each) => each.kind === 'StarExpression')
    const values = star
      ? out.slice(1).map(({ name, type }) => field(name, type))
      : rest.map((each) => aggregates.argument(each))
    const all = [by, ...values]
    const types = all.map(
      (each): BaseType => (typeof each.type === 'string' ? each.type : 'dynamic'),
    )
    // Of rows alike the first one counts, where the rows have an order.
    const tuple =
      aggregates.order.length === 0
        ? aggregates.add(fn, all, 'dynamic')
        : aggregates.add(`${fn}_first`, [aggregates.rank(), ...all], 'dynamic')
    return all.map((_, index) =>
      call('tuple.at', [tuple, constant(index, 'int')], types[index] ?? 'dynamic'),
    )
  }

/** `take_any(a, b)`: the values of one and the same row. */
const anyOf: Several = (aggregates, node, args) => {
  const star = args.some((each) => each.kind === 'StarExpression')
  const values = star
    ? aggregates.columns.map(({ name, type }) => field(name, type))
    : args.map((each) => aggregates.argument(each))
  const [only] = values
  if (values.length === 1 && only !== undefined) {
    return [aggregates.add('agg.take_any', [only], typeOf(node, only.type))]
  }
  const tuple = aggregates.add('agg.take_any', values, 'dynamic')
  return values.map((each, index) =>
    call(
      'tuple.at',
      [tuple, constant(index, 'int')],
      typeof each.type === 'string' ? each.type : 'dynamic',
    ),
  )
}

/** `percentiles(x, 5, 50)`: a column for each. */
const percentiles: Several = (aggregates, node, args) => {
  const value = aggregates.argument(need(aggregates, node, args, 0))
  const columns = node.columns
  return args
    .slice(1)
    .map((each, index) =>
      aggregates.add(
        'agg.percentile',
        [value, cast(aggregates.argument(each), 'float')],
        columns[index]?.type ?? (typeof value.type === 'string' ? value.type : 'float'),
      ),
    )
}

const weightedPercentiles: Several = (aggregates, node, args) => {
  const value = aggregates.argument(need(aggregates, node, args, 0))
  const weight = aggregates.argument(need(aggregates, node, args, 1))
  const columns = node.columns
  return args
    .slice(2)
    .map((each, index) =>
      aggregates.add(
        'agg.percentilew',
        [value, weight, cast(aggregates.argument(each), 'float')],
        columns[index]?.type ?? (typeof value.type === 'string' ? value.type : 'float'),
      ),
    )
}

const SEVERAL: Readonly<Record<string, Several>> = {
  arg_max: extreme('agg.arg_max'),
  argmax: extreme('agg.arg_max'),
  arg_min: extreme('agg.arg_min'),
  argmin: extreme('agg.arg_min'),
  take_any: anyOf,
  any: anyOf,
  anyif: (aggregates, node, args) => conditionalAny(aggregates, node, args),
  take_anyif: (aggregates, node, args) => conditionalAny(aggregates, node, args),
  percentiles,
  percentilesw: weightedPercentiles,
}

const conditionalAny: Several = (aggregates, node, args) => {
  const value = aggregates.argument(need(aggregates, node, args, 0))
  const test = cast(aggregates.argument(need(aggregates, node, args, 1)), 'bool')
  const type = typeOf(node, value.type)
  return [aggregates.add('agg.take_any', [value], type, call('logic.holds', [test]))]
}

function inner(node: Node): Node {
  return node.kind === 'SimpleNamedExpression' || node.kind === 'CompoundNamedExpression'
    ? node.child('Expression')
    : node
}

/** The values of one item of the list of aggregates: one, or as many as its call gives. */
function valuesOf(item: Node, aggregates: Aggregates, groups: Context): readonly Expr[] {
  let call = inner(item)
  while (call.kind === 'ParenthesizedExpression') call = call.child('Expression')
  if (call.kind === 'FunctionCallExpression' && call.calledBody === undefined) {
    const several = aggregates.values(call)
    if (several !== undefined) return several
  }
  return [groups.lowering.expr(item, groups)]
}

/** Groups rows by keys and gives the columns of aggregates behind them. */
export function grouped(
  rows: Rowset,
  keys: readonly Node[],
  list: readonly Node[],
  out: readonly Column[],
  context: Context,
): Rowset {
  const { lowering } = context
  const inside: Context = { ...context, row: rowOf(rows) }
  const aggregates = new Aggregates(rows, context)
  const by = keys.map(
    (each, index): Binding & { readonly type: BaseType; readonly text: string } => {
      const value = lowering.expr(each, inside)
      const type = out[index]?.type ?? typeOf(each, value.type)
      return { name: lowering.hidden('g'), value: cast(value, type), type, text: inner(each).text }
    },
  )
  // An expression over aggregates may name a key, by its column or by its own text.
  const keyRow = new Map(
    by.flatMap(({ name, type, text }, index) => {
      const column = out[index]?.name
      const value = field(name, type)
      return [[text, value] as const, ...(column === undefined ? [] : [[column, value] as const])]
    }),
  )
  const groups: Context = {
    ...context,
    row: keyRow,
    special: (node) => aggregates.special(node) ?? keyRow.get(node.text),
  }
  const values = list.flatMap((each) => valuesOf(each, aggregates, groups))
  const first = firstPlace(rows)
  const rel: Rel = {
    op: 'aggregate',
    from: aggregates.rows,
    by: [...same(rows.by), ...by.map(({ name, value }) => ({ name, value }))],
    into: first === undefined ? aggregates.into : [...aggregates.into, first],
  }
  const all = [...by.map(({ name, type }) => field(name, type)), ...values]
  const made: Rowset = { ...rows, rel, order: first === undefined ? [] : rows.order }
  return selected(
    made,
    out,
    out.map(({ type }, index) => {
      const value = all[index]
      if (value === undefined) return refuse('HR407', { what: 'this list of aggregates' })
      return cast(value, type)
    }),
  )
}

function summarize(rows: Rowset, node: Node, context: Context): Rowset {
  const clause = node.maybe('ByClause')
  const keys = clause?.items('Expressions') ?? []
  const list = node.items('Aggregates')
  const binned = clause?.maybe('BinClause')
  if (binned !== undefined)
    return refuse('HR407', { what: binned.text.slice(0, 60) }, context.lowering.place(binned))
  return grouped(rows, keys, list, node.columns, context)
}

export const summarizeOperators = { SummarizeOperator: summarize } as const

/** True for an aggregate that queries may call. */
export function isKnownAggregate(name: string): boolean {
  const low = name.toLowerCase()
  const isPlain = aggregatesSpelled('kusto').has(low)
  return isPlain || Object.hasOwn(SEVERAL, low) || conditional(low) !== undefined
}
