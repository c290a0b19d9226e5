/**
 * Plugins that look at rows around a row, or over windows that slide along a line of time: each row is laid into all
 * the windows that hold it, and the windows are then grouped as usual.
 */
import { and, call, type Expr, field, not } from '../../ir/expr.ts'
import type { Rel } from '../../ir/rel.ts'
import type { BaseType } from '../../ir/types.ts'
import type { Column } from './adapter.ts'
import { type Evaluate, need, type Plugin } from './plugin.ts'
import { shaped } from './rows.ts'
import {
  type Context,
  cast,
  constant,
  derived,
  filtered,
  type Rowset,
  refuse,
  rowOf,
  same,
  selected,
} from './scope.ts'
import { countOf, typeOf } from './values.ts'

const whole = (value: number): Expr => constant(value, 'int')
const add = (one: Expr, other: Expr): Expr => call('arith.add', [one, other], 'int')

/** A line of time or of numbers that windows slide along. */
interface Line {
  readonly name: string
  readonly value: Expr
  readonly type: BaseType
  /** Type of a distance on it. */
  readonly step: BaseType
}

function lineOf(plugin: Plugin, index: number, rows: Rowset, context: Context): Line {
  const node = need(plugin, index, context)
  const value = context.lowering.expr(node, { ...context, row: rowOf(rows) })
  const type = typeOf(node, value.type)
  if (type !== 'time' && type !== 'int' && type !== 'int32' && type !== 'float') {
    const what = `${plugin.name} along a column that is no time and no number`
    return refuse('HR407', { what }, context.lowering.place(node))
  }
  const plain = type === 'int32' ? 'int' : type
  return {
    name: node.name,
    value: cast(value, plain),
    type: plain,
    step: type === 'time' ? 'span' : plain,
  }
}

/** A distance on a line; the words for calendar steps, such as `week`, are refused. */
function distance(plugin: Plugin, index: number, line: Line, context: Context): Expr {
  const node = need(plugin, index, context)
  const value = context.lowering.expr(node, context)
  if (value.type === 'text') {
    const what = `${plugin.name} by ${node.text.slice(0, 40)}`
    return refuse('HR407', { what }, context.lowering.place(node))
  }
  return cast(value, line.step)
}

/** The columns that the arguments from a place on name. */
function dimensions(
  plugin: Plugin,
  from: number,
  rows: Rowset,
  context: Context,
): readonly Column[] {
  return plugin.placed
    .slice(from)
    .map(
      (each) =>
        rows.columns.find(({ name }) => name === each.name) ??
        refuse('HR407', { what: each.text.slice(0, 60) }, context.lowering.place(each)),
    )
}

/** Each row once for every window that it lies in: as many as are said, from its own place on. */
function spread(from: Rel, place: Expr, count: Expr, as: string): Rel {
  const last = add(place, call('arith.subtract', [count, whole(1)], 'int'))
  return {
    op: 'expand',
    from,
    list: call('list.range', [place, last, whole(1)], { list: 'int' }),
    as,
  }
}

/** How many steps a length takes up. */
function stepsIn(length: Expr, step: Expr, line: Line): Expr {
  return call('axis.length', [constant(0, line.step), length, step], 'int')
}

/** The point of a line so many steps behind its start. */
function pointAt(start: Expr, place: Expr, step: Expr, line: Line): Expr {
  const steps = call(
    'arith.multiply',
    [cast(place, line.step === 'span' ? 'int' : line.step), step],
    line.step,
  )
  return call('arith.add', [start, steps], line.type)
}

function within(place: Expr, start: Expr, end: Expr, step: Expr): Expr {
  const last = call('axis.place', [start, end, step], 'int')
  return call('logic.holds', [call('compare.between', [place, whole(0), last])])
}

/** Rows that lie beside one that meets a condition. */
const rowsNear: Evaluate = (rows, plugin, context) => {
  const { lowering } = context
  const inner: Context = { ...context, row: rowOf(rows) }
  const test = cast(lowering.expr(need(plugin, 0, context), inner), 'bool')
  const before = countOf(need(plugin, 1, context), context)
  const after = plugin.placed[2] === undefined ? before : countOf(plugin.placed[2], context)
  if (rows.order.length === 0) {
    const what = 'rows_near on rows without an order: sort them first'
    return refuse('HR407', { what }, lowering.place(plugin.call))
  }
  const [number, last, next] = ['n', 'l', 'f'].map((each) => lowering.hidden(each))
  const [n, l, f] = [number ?? '', last ?? '', next ?? '']
  const by = rows.by.map((each) => field(each.name, each.type))
  const numbered: Rel = {
    op: 'window',
    from: rows.rel,
    by,
    order: rows.order,
    into: [{ name: n, fn: 'win.row_number', args: [], type: 'int' }],
    frame: 'running',
  }
  const own: Expr = {
    op: 'case',
    when: [[call('logic.holds', [test]), field(n, 'int')]],
    otherwise: constant(null, 'int'),
    type: 'int',
  }
  const along = (from: Rel, name: string, fn: string, down: boolean): Rel => ({
    op: 'window',
    from,
    by,
    order: [{ by: field(n, 'int'), down, nulls: 'first' }],
    into: [{ name, fn, args: [own], type: 'int' }],
    frame: 'running',
  })
  const rel = along(along(numbered, l, 'win.max', false), f, 'win.min', true)
  const isNear = (gap: Expr, most: number): Expr =>
    call('logic.holds', [call('compare.less_or_equal', [gap, whole(most)], 'bool')])
  const behind = call('arith.subtract', [field(n, 'int'), field(l, 'int')], 'int')
  const ahead = call('arith.subtract', [field(f, 'int'), field(n, 'int')], 'int')
  const far = and([not(isNear(behind, after)), not(isNear(ahead, before))])
  const near = filtered({ ...rows, rel }, not(far))
  return selected(
    near,
    plugin.out,
    plugin.out.map(({ name, type }) => field(name, type)),
  )
}

/** Rows and different values of an id in the window that ends with each step. */
const slidingCounts: Evaluate = (rows, plugin, context) => {
  const { lowering } = context
  const line = lineOf(plugin, 1, rows, context)
  const idNode = need(plugin, 0, context)
  const id = lowering.expr(idNode, { ...context, row: rowOf(rows) })
  const point = (index: number): Expr =>
    cast(lowering.expr(need(plugin, index, context), context), line.type)
  const [start, end] = [point(2), point(3)]
  const lookback = distance(plugin, 4, line, context)
  const step = distance(plugin, 5, line, context)
  const keys = dimensions(plugin, 6, rows, context)
  const [who, bin, count, dcount] = ['v', 'b', 'c', 'd'].map((each) => lowering.hidden(each))
  const names = { who: who ?? '', bin: bin ?? '', count: count ?? '', dcount: dcount ?? '' }
  const type = typeOf(idNode, id.type)
  const isBefore = call('logic.holds', [call('compare.less_or_equal', [line.value, end], 'bool')])
  const ready = derived(filtered(rows, isBefore), [{ name: names.who, value: cast(id, type) }])
  const place = call('axis.place', [start, line.value, step], 'int')
  const all = spread(ready.rel, place, stepsIn(lookback, step, line), names.bin)
  const at = field(names.bin, 'int')
  const rel: Rel = {
    op: 'aggregate',
    from: { op: 'filter', from: all, where: within(at, start, end, step) },
    by: [...same(rows.by), ...same(keys), { name: names.bin, value: at }],
    into: [
      { name: names.count, fn: 'agg.count', args: [], type: 'int' },
      { name: names.dcount, fn: 'agg.count_distinct', args: [field(names.who, type)], type: 'int' },
    ],
  }
  return shaped(
    { ...rows, rel, order: [], columns: keys },
    plugin.out,
    [
      { name: line.name, value: pointAt(start, at, step, line) },
      { name: 'Count', value: field(names.count, 'int') },
      { name: 'Dcount', value: field(names.dcount, 'int') },
    ],
    plugin.call,
    context,
  )
}

/** A percentile of the values in the bins up to each bin that has rows. */
const rollingPercentile: Evaluate = (rows, plugin, context) => {
  const { lowering } = context
  const inner: Context = { ...context, row: rowOf(rows) }
  const valueNode = need(plugin, 0, context)
  const value = lowering.expr(valueNode, inner)
  const percent = cast(lowering.expr(need(plugin, 1, context), context), 'float')
  const line = lineOf(plugin, 2, rows, context)
  const step = distance(plugin, 3, line, context)
  const bins = countOf(need(plugin, 4, context), context)
  const keys = dimensions(plugin, 5, rows, context)
  const [own, bin, made, here] = ['v', 'b', 'p', 'h'].map((each) => lowering.hidden(each))
  const names = { own: own ?? '', bin: bin ?? '', made: made ?? '', here: here ?? '' }
  const zero =
    line.type === 'time' ? constant('1970-01-01T00:00:00.0000000Z', 'time') : constant(0, line.type)
  const ready = derived(rows, [
    { name: names.own, value: call('axis.place', [zero, line.value, step], 'int') },
  ])
  const all = spread(ready.rel, field(names.own, 'int'), whole(bins), names.bin)
  const at = field(names.bin, 'int')
  const type = typeOf(valueNode, value.type)
  const isOwn = call('compare.equals', [at, field(names.own, 'int')])
  const grouped: Rel = {
    op: 'aggregate',
    from: all,
    by: [...same(rows.by), ...same(keys), { name: names.bin, value: at }],
    into: [
      { name: names.made, fn: 'agg.percentile', args: [cast(value, type), percent], type },
      { name: names.here, fn: 'agg.count', args: [], type: 'int', where: isOwn },
    ],
  }
  const hasRows = call('compare.greater', [field(names.here, 'int'), whole(0)], 'bool')
  const rel: Rel = { op: 'filter', from: grouped, where: call('logic.holds', [hasRows]) }
  const result = plugin.out.at(-1)?.name ?? ''
  return shaped(
    { ...rows, rel, order: [], columns: keys },
    plugin.out,
    [
      { name: line.name, value: pointAt(zero, at, step, line) },
      { name: result, value: field(names.made, type) },
    ],
    plugin.call,
    context,
  )
}

/** Different ids that were there in enough periods before one of their appearances, for each step. */
const activeUsers: Evaluate = (rows, plugin, context) => {
  const { lowering } = context
  const line = lineOf(plugin, 1, rows, context)
  const idNode = need(plugin, 0, context)
  const id = lowering.expr(idNode, { ...context, row: rowOf(rows) })
  const point = (index: number): Expr =>
    cast(lowering.expr(need(plugin, index, context), context), line.type)
  const [start, end] = [point(2), point(3)]
  const [lookback, period] = [
    distance(plugin, 4, line, context),
    distance(plugin, 5, line, context),
  ]
  const wanted = countOf(need(plugin, 6, context), context)
  const step = distance(plugin, 7, line, context)
  const keys = dimensions(plugin, 8, rows, context)
  const [who, own, at] = ['v', 'o', 'b'].map((each) => lowering.hidden(each))
  const [seen, here, bin, dcount] = ['s', 'h', 'x', 'd'].map((each) => lowering.hidden(each))
  const names = { who: who ?? '', own: own ?? '', at: at ?? '', seen: seen ?? '' }
  const more = { here: here ?? '', bin: bin ?? '', dcount: dcount ?? '' }
  const type = typeOf(idNode, id.type)
  const ready = derived(rows, [
    { name: names.who, value: cast(id, type) },
    { name: names.own, value: call('axis.place', [start, line.value, period], 'int') },
  ])
  const periods = stepsIn(lookback, period, line)
  const all = spread(ready.rel, field(names.own, 'int'), periods, names.at)
  const place = field(names.at, 'int')
  const per = [...same(rows.by), ...same(keys)]
  const appearances: Rel = {
    op: 'aggregate',
    from: all,
    by: [
      ...per,
      { name: names.who, value: field(names.who, type) },
      { name: names.at, value: place },
    ],
    into: [
      { name: names.seen, fn: 'agg.count_distinct', args: [field(names.own, 'int')], type: 'int' },
      {
        name: more.here,
        fn: 'agg.count',
        args: [],
        type: 'int',
        where: call('compare.equals', [place, field(names.own, 'int')]),
      },
    ],
  }
  const isOften = call(
    'compare.greater_or_equal',
    [field(names.seen, 'int'), whole(wanted)],
    'bool',
  )
  const isHere = call('compare.greater', [field(more.here, 'int'), whole(0)], 'bool')
  const moment = pointAt(start, place, period, line)
  const step0 = call('axis.place', [start, moment, step], 'int')
  const active: Rel = {
    op: 'filter',
    from: appearances,
    where: and([
      call('logic.holds', [isOften]),
      call('logic.holds', [isHere]),
      call('logic.holds', [call('compare.between', [moment, start, end])]),
    ]),
  }
  const rel: Rel = {
    op: 'aggregate',
    from: active,
    by: [...per, { name: more.bin, value: step0 }],
    into: [
      { name: more.dcount, fn: 'agg.count_distinct', args: [field(names.who, type)], type: 'int' },
    ],
  }
  const result = plugin.out.at(-1)?.name ?? ''
  return shaped(
    { ...rows, rel, order: [], columns: keys },
    plugin.out,
    [
      { name: line.name, value: pointAt(start, field(more.bin, 'int'), step, line) },
      { name: result, value: field(more.dcount, 'int') },
    ],
    plugin.call,
    context,
  )
}

/** How many values states of counts have in common: of the first, of the first two, and so on. */
const dcountIntersect: Evaluate = (rows, plugin, context) => {
  const { lowering } = context
  const inner: Context = { ...context, row: rowOf(rows) }
  const states = plugin.placed.map((each) => cast(lowering.expr(each, inner), 'dynamic'))
  const counts = states.map((_, index) => ({
    name: `s${index}`,
    value: call('sketch.hll_common', states.slice(0, index + 1), 'int'),
  }))
  return shaped(rows, plugin.out, counts, plugin.call, context)
}

/** The plugins of this file, by name. */
export const SLIDING: Readonly<Record<string, Evaluate>> = {
  rows_near: rowsNear,
  sliding_window_counts: slidingCounts,
  rolling_percentile: rollingPercentile,
  active_users_count: activeUsers,
  dcount_intersect: dcountIntersect,
}
