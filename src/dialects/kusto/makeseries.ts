/**
 * `make-series`: values of aggregates as arrays along an axis. Rows are grouped by their place on the axis first, and
 * the groups of one series are then put into arrays at these places.
 */
import { MOST_PLACES } from '../../functions/axis.ts'
import { call, type Expr, field } from '../../ir/expr.ts'
import type { AggBinding, Binding, Rel } from '../../ir/rel.ts'
import type { BaseType } from '../../ir/types.ts'
import type { Column, Node } from './adapter.ts'
import { parameterOf } from './joins.ts'
import {
  type Context,
  cast,
  constant,
  derived,
  filtered,
  type Operator,
  type Rowset,
  refuse,
  rowOf,
  same,
  selected,
} from './scope.ts'
import { grouped } from './summarize.ts'
import { typeOf } from './values.ts'

/** Where the places of an axis are counted from, and which of them belong to the series. */
interface Axis {
  readonly value: Expr
  readonly step: Expr
  /** Place 0: the start that is given, or the zero of the type. */
  readonly base: Expr
  readonly from: Expr | undefined
  readonly to: Expr | undefined
  /** True when places are counted from zero although a start is given, and the end belongs to the series. */
  readonly isRange: boolean
}

const EPOCH = '0001-01-01T00:00:00.0000000Z'

function zero(type: BaseType): Expr {
  return constant(type === 'time' ? EPOCH : 0, type)
}

function axisOf(rows: Rowset, node: Node, context: Context): Axis {
  const { lowering } = context
  const inner: Context = { ...context, row: rowOf(rows) }
  const on = node.child('OnClause').child('Expression')
  const written = lowering.expr(on, inner)
  const known = typeOf(on, written.type)
  const type: BaseType = known === 'int32' ? 'int' : known
  if (!['int', 'float', 'decimal', 'time', 'span'].includes(type)) {
    return refuse('HR407', { what: `an axis of ${known}` }, lowering.place(on))
  }
  const value = cast(written, type)
  const bound = (each: Node | undefined): Expr | undefined =>
    each === undefined ? undefined : cast(lowering.expr(each, context), type)
  const stepOf = (each: Node): Expr =>
    cast(lowering.expr(each, context), type === 'time' ? 'span' : type)
  const clause = node.child('RangeClause')
  if (clause.kind === 'MakeSeriesInRangeClause') {
    const [from, to, step] = clause.child('Arguments').items('Expressions')
    if (step === undefined) return refuse('HR407', { what: clause.text }, lowering.place(clause))
    return {
      value,
      step: stepOf(step),
      base: zero(type),
      from: bound(from),
      to: bound(to),
      isRange: true,
    }
  }
  const from = bound(clause.maybe('MakeSeriesFromClause')?.child('Expression'))
  return {
    value,
    step: stepOf(clause.child('MakeSeriesStepClause').child('Expression')),
    base: from ?? zero(type),
    from,
    to: bound(clause.maybe('MakeSeriesToClause')?.child('Expression')),
    isRange: false,
  }
}

/** The rows that are on the axis, each with its place as the last of the hidden keys. */
function placed(rows: Rowset, axis: Axis, place: string): Rowset {
  const { value, from, to, base, step, isRange } = axis
  const after = (fn: string, bound: Expr | undefined): readonly Expr[] =>
    bound === undefined ? [] : [call('logic.holds', [call(fn, [value, bound])])]
  const bounds = [
    ...after('compare.greater_or_equal', from),
    ...after(isRange ? 'compare.less_or_equal' : 'compare.less', to),
  ]
  const kept = bounds.reduce((before, where) => filtered(before, where), rows)
  const numbered = derived(kept, [
    { name: place, value: call('axis.place', [base, value, step], 'int') },
  ])
  const isPlaced = call('logic.not', [call('value.is_missing', [field(place, 'int')])])
  return { ...filtered(numbered, isPlaced), by: [...rows.by, { name: place, type: 'int' }] }
}

/** Columns that an aggregate of the list gives, with the types of their elements. */
function elementsOf(item: Node): readonly BaseType[] {
  if (item.isTable || item.columns.length > 0) return item.columns.map(({ type }) => type)
  return [typeOf(item, 'dynamic')]
}

const makeSeries: Operator = (rows, node, context) => {
  const { lowering } = context
  const keys = node.maybe('ByClause')?.items('Expressions') ?? []
  const items = node.items('Aggregates')
  const axis = axisOf(rows, node, context)
  const place = lowering.hidden('x')
  const types = items.flatMap(elementsOf)
  // What is made of several aggregates is an array for each of them, whatever the binder says of it.
  const out = node.columns.map((each, index) =>
    index < keys.length ? each : { ...each, type: 'dynamic' as const },
  )
  const series = out.slice(keys.length, keys.length + types.length)
  const points: readonly Column[] = [
    ...out.slice(0, keys.length),
    ...series.map(({ name }, index) => ({ name, type: types[index] ?? 'dynamic' })),
  ]
  const lists = items.map((each) => each.child('Expression'))
  const groups = grouped(placed(rows, axis, place), keys, lists, points, context)
  const defaults = items.flatMap((each) => {
    const given = each.maybe('DefaultExpression')?.child('Expression')
    const value = given === undefined ? constant(0, 'int') : lowering.expr(given, context)
    return elementsOf(each).map((type) => elementOf(value, type))
  })
  const isNonEmpty = /nonempty/i.test(parameterOf(node, 'kind')?.text ?? '') && keys.length === 0
  return collected(
    groups,
    { axis, place, keys: points.slice(0, keys.length), defaults, isNonEmpty },
    out,
    context,
  )
}

/** A default as an element beside values of a type. */
function elementOf(value: Expr, type: BaseType): Expr {
  return ['int', 'int32', 'float', 'decimal'].includes(type) ? cast(value, type) : value
}

interface Series {
  readonly axis: Axis
  /** The hidden key that holds the place. */
  readonly place: string
  readonly keys: readonly Column[]
  readonly defaults: readonly Expr[]
  readonly isNonEmpty: boolean
}

function collected(
  groups: Rowset,
  { axis, place, keys, defaults, isNonEmpty }: Series,
  out: readonly Column[],
  context: Context,
): Rowset {
  const { lowering } = context
  const { base, step, from, to, isRange } = axis
  const outer = groups.by.slice(0, -1)
  const per = [...outer, ...keys].map(({ name, type }) => field(name, type))
  const start = lowering.hidden('s')
  const at = field(place, 'int')
  const minus = (one: Expr, other: Expr): Expr => call('arith.subtract', [one, other], 'int')
  const startOf: Expr | undefined =
    isRange && from !== undefined ? call('axis.place', [base, from, step], 'int') : undefined
  const begins: Rel =
    from === undefined
      ? {
          op: 'window',
          from: groups.rel,
          by: per,
          order: [],
          into: [{ name: start, fn: 'win.min', args: [at], type: 'int' }],
        }
      : {
          op: 'derive',
          from: groups.rel,
          set: [{ name: start, value: startOf ?? constant(0, 'int') }],
        }
  const offset = minus(at, field(start, 'int'))
  const within: Rel = {
    op: 'filter',
    from: begins,
    where: call('logic.holds', [
      call('compare.between', [offset, constant(0, 'int'), constant(MOST_PLACES - 1, 'int')]),
    ]),
  }
  const points = groups.columns.slice(keys.length)
  const lists = points.map((each): AggBinding & { readonly hidden: string } => {
    const hidden = lowering.hidden('l')
    const args = [field(each.name, each.type), offset]
    return { hidden, name: hidden, fn: 'axis.collect', args, type: { list: 'text' } }
  })
  const rows = lowering.hidden('n')
  const first = lowering.hidden('s')
  const by: readonly Binding[] = [...same(outer), ...same(keys)]
  const series: Rel = {
    op: 'aggregate',
    from: within,
    by,
    into: [
      ...lists.map(({ name, fn, args, type }) => ({ name, fn, args, type })),
      { name: rows, fn: 'agg.count', args: [], type: 'int' },
      { name: first, fn: 'agg.min', args: [field(start, 'int')], type: 'int' },
    ],
  }
  // Without keys the engine makes a row of nothing too.
  const filled: Rel =
    isNonEmpty || by.length > 0
      ? series
      : {
          op: 'filter',
          from: series,
          where: call('compare.greater', [field(rows, 'int'), constant(0, 'int')]),
        }
  const firstPlace: Expr =
    from === undefined ? field(first, 'int') : (startOf ?? constant(0, 'int'))
  const [longest] = lists
  const length: Expr =
    to === undefined
      ? call('axis.count', [field(longest?.hidden ?? '', { list: 'text' })], 'int')
      : isRange
        ? call(
            'arith.add',
            [minus(call('axis.place', [base, to, step], 'int'), firstPlace), constant(1, 'int')],
            'int',
          )
        : minus(call('axis.length', [base, to, step], 'int'), firstPlace)
  const made: Rowset = { ...groups, rel: filled, by: outer, order: [] }
  return selected(made, out, [
    ...keys.map(({ name, type }) => field(name, type)),
    ...lists.map(({ hidden }, index) =>
      call(
        'axis.array',
        [field(hidden, { list: 'text' }), length, defaults[index] ?? constant(0, 'int')],
        'dynamic',
      ),
    ),
    call('axis.values', [base, step, firstPlace, length], 'dynamic'),
  ])
}

export const seriesOperators = { MakeSeriesOperator: makeSeries } as const
