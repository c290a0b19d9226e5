/**
 * `evaluate`: the plugins that make columns of bags and of values, look addresses up, and count activity. Where the
 * columns hang on the data and the query does not list them, the query is compiled again once they are found.
 */
import { and, call, type Expr, field, text } from '../../ir/expr.ts'
import type { AggBinding, Binding, Rel } from '../../ir/rel.ts'
import type { BaseType } from '../../ir/types.ts'
import { type Column, kustoTypeName, type Node } from './adapter.ts'
import { argumentsOf, functionName } from './calls.ts'
import { EMPTY_NAME } from './discover.ts'
import { joined, type Pair } from './joins.ts'
import { type Evaluate, need, type Plugin } from './plugin.ts'
import { shaped } from './rows.ts'
import {
  type Context,
  cast,
  constant,
  derived,
  filtered,
  missing,
  type Operator,
  partitionOf,
  type Rowset,
  refuse,
  rowOf,
  same,
  selected,
} from './scope.ts'
import { SLIDING } from './sliding.ts'
import { Aggregates } from './summarize.ts'
import { constantText, typeOf } from './values.ts'

function pluginOf(node: Node): Plugin {
  const call = node.child('FunctionCall')
  const args = argumentsOf(call)
  const named = new Map(
    args.flatMap((each) =>
      each.kind === 'SimpleNamedExpression'
        ? [[each.child('Name').name || each.child('Name').text, each.child('Expression')] as const]
        : [],
    ),
  )
  return {
    name: functionName(call),
    call,
    placed: args.filter((each) => each.kind !== 'SimpleNamedExpression'),
    named,
    out: node.columns,
    isOpen: node.maybe('Schema') === undefined,
  }
}

/** An optional argument, by its name or by its place. */
function optional(plugin: Plugin, name: string, index: number): Node | undefined {
  return plugin.named.get(name) ?? plugin.placed[index]
}

const CONFLICTS: Readonly<Record<string, 'error' | 'replace' | 'keep'>> = {
  error: 'error',
  replace_source: 'replace',
  keep_source: 'keep',
}

/** The texts of a constant array. */
function textsOf(node: Node | undefined, context: Context): readonly string[] {
  if (node === undefined) return []
  const value = context.lowering.expr(node, context)
  if (value.op !== 'const' || typeof value.value !== 'string') {
    return refuse('HR409', { name: node.text.slice(0, 60) }, context.lowering.place(node))
  }
  const list: unknown = JSON.parse(value.value)
  return Array.isArray(list) ? list.filter((each) => typeof each === 'string') : []
}

const bagUnpack: Evaluate = (rows, plugin, context) => {
  const { lowering } = context
  const bagNode = need(plugin, 0, context)
  const bag = cast(lowering.expr(bagNode, { ...context, row: rowOf(rows) }), 'dynamic')
  const prefixNode = optional(plugin, 'OutputColumnPrefix', 1)
  const prefix = prefixNode === undefined ? '' : constantText(prefixNode, context)
  const conflictNode = optional(plugin, 'columnsConflict', 2)
  const written = conflictNode === undefined ? 'error' : constantText(conflictNode, context)
  const conflict = CONFLICTS[written] ?? 'error'
  const ignored = new Set(textsOf(optional(plugin, 'ignoredProperties', 3), context))
  if (plugin.isOpen) {
    return lowering.discover(plugin.call, membersOf(rows, bag, ignored, context), {
      plugin: plugin.name,
      fixed: rows.columns,
      replaced: bagNode.name,
      prefix,
      conflict,
    })
  }
  const before = new Map([...rowOf(rows)].filter(([name]) => name !== bagNode.name))
  return selected(
    rows,
    plugin.out,
    plugin.out.map(({ name, type }) => {
      const source = before.get(name)
      const isFree = source === undefined || conflict === 'replace'
      const key = name.startsWith(prefix) ? name.slice(prefix.length) : undefined
      if (isFree && key !== undefined && !ignored.has(key)) {
        const property = key === EMPTY_NAME ? '' : key
        return cast(call('dyn.path', [bag, text(property)], 'dynamic'), type)
      }
      return source === undefined ? missing(type) : cast(source, type)
    }),
  )
}

/** Most different names of columns that are looked at; more than an answer may have are refused. */
const MOST_NAMES = 2_000

/** The names and types of the properties in a column of bags. */
function membersOf(
  rows: Rowset,
  bag: Expr,
  ignored: ReadonlySet<string>,
  context: Context,
): Rowset {
  const { lowering } = context
  const element = lowering.hidden('e')
  const rel: Rel = {
    op: 'expand',
    from: rows.rel,
    list: call('dyn.members', [bag], { list: 'dynamic' }),
    as: element,
  }
  const at = (place: number): Expr =>
    call('tuple.at', [field(element, 'dynamic'), constant(place, 'int')], 'text')
  const kept: Rel =
    ignored.size === 0
      ? rel
      : {
          op: 'filter',
          from: rel,
          where: call('logic.not', [
            call('text.in_case', [
              at(0),
              { op: 'const', value: [...ignored], type: { list: 'text' } },
            ]),
          ]),
        }
  return namesOf(kept, at(0), at(1))
}

/** Different pairs of a name and a type, as the rows of a discovery. */
function namesOf(from: Rel, name: Expr, type: Expr): Rowset {
  const columns: readonly Column[] = [
    { name: 'name', type: 'text' },
    { name: 'type', type: 'text' },
  ]
  const rel: Rel = {
    op: 'aggregate',
    from,
    by: [
      { name: 'name', value: name },
      { name: 'type', value: type },
    ],
    into: [],
  }
  return { rel: { op: 'limit', from: rel, rows: MOST_NAMES }, columns, order: [], by: [] }
}

/** True for a call of an aggregate; the second argument of `pivot` may be left out. */
function isAggregate(node: Node, rows: Rowset): boolean {
  return !(node.kind === 'NameReference' && rowOf(rows).has(node.name))
}

/** Columns that an expression reads. */
function readBy(node: Node): ReadonlySet<string> {
  return new Set(
    [...node.walk()].flatMap((each) => (each.symbol?.kind === 'column' ? [each.symbol.name] : [])),
  )
}

const pivot: Evaluate = (rows, plugin, context) => {
  const { lowering } = context
  const inner: Context = { ...context, row: rowOf(rows) }
  const onNode = need(plugin, 0, context)
  const on = cast(lowering.expr(onNode, inner), 'text')
  const [, second, ...rest] = plugin.placed
  const aggregate = second !== undefined && isAggregate(second, rows) ? second : undefined
  const listed = aggregate === undefined && second !== undefined ? [second, ...rest] : rest
  const used = new Set([...readBy(onNode), ...(aggregate === undefined ? [] : readBy(aggregate))])
  const keys: readonly Column[] =
    listed.length > 0
      ? listed.flatMap((each) => rows.columns.filter(({ name }) => name === each.name))
      : rows.columns.filter(({ name }) => !used.has(name))
  if (keys.length < listed.length) {
    return refuse('HR407', { what: plugin.call.text.slice(0, 80) }, lowering.place(plugin.call))
  }
  const type = aggregate === undefined ? 'int' : typeOf(aggregate, 'dynamic')
  if (plugin.isOpen) {
    return lowering.discover(plugin.call, namesOf(rows.rel, on, text(kustoTypeName(type))), {
      plugin: plugin.name,
      fixed: keys,
      prefix: '',
      conflict: 'error',
    })
  }
  return pivoted(rows, { plugin, keys, on, aggregate }, context)
}

interface Pivot {
  readonly plugin: Plugin
  readonly keys: readonly Column[]
  readonly on: Expr
  readonly aggregate: Node | undefined
}

/** One row for each combination of keys, and a column for each value that the query lists. */
function pivoted(rows: Rowset, { plugin, keys, on, aggregate }: Pivot, context: Context): Rowset {
  const { lowering } = context
  const column = lowering.hidden('p')
  const ready = derived(rows, [{ name: column, value: on }])
  const aggregates = new Aggregates(ready, context)
  const into: AggBinding[] = []
  const names = new Set(keys.map(({ name }) => name))
  const values = plugin.out.map(({ name, type }): Expr => {
    const key = keys.find((each) => each.name === name)
    if (key !== undefined) return cast(field(key.name, key.type), type)
    if (aggregate === undefined) aggregates.add('agg.count', [], 'int')
    const value =
      aggregate === undefined
        ? field(aggregates.into.at(-1)?.name ?? '', 'int')
        : lowering.expr(aggregate, { ...context, row: new Map(), special: aggregates.special })
    // What the aggregate has just added counts the rows of this column alone.
    const isHere = call('compare.equals', [
      field(column, 'text'),
      text(name === EMPTY_NAME ? '' : name),
    ])
    for (const each of aggregates.into.splice(0)) {
      into.push({
        ...each,
        where: and([isHere, ...(each.where === undefined ? [] : [each.where])]),
      })
    }
    return cast(value, type)
  })
  const by = [...same(rows.by), ...same(keys.filter(({ name }) => names.has(name)))]
  const rel: Rel = { op: 'aggregate', from: aggregates.rows, by, into }
  const made: Rowset = { ...rows, rel, order: [] }
  return selected(made, plugin.out, values)
}

/** All columns one below the other, as texts. */
const narrow: Evaluate = (rows, plugin, context) => {
  const { lowering } = context
  const [number, element] = [lowering.hidden('n'), lowering.hidden('e')]
  const pairs = rows.columns.map(({ name, type }) =>
    call('dyn.list', [text(name), cast(field(name, type), 'text')], 'dynamic'),
  )
  const numbered: Rel = {
    op: 'window',
    from: rows.rel,
    by: partitionOf(rows),
    order: rows.order,
    into: [{ name: number, fn: 'win.row_number', args: [], type: 'int' }],
  }
  const rel: Rel = {
    op: 'expand',
    from: numbered,
    list: call('dyn.elements', [call('dyn.list', pairs, 'dynamic')], { list: 'dynamic' }),
    as: element,
  }
  const part = (place: number): Expr =>
    cast(call('dyn.path', [field(element, 'dynamic'), constant(place, 'int')], 'dynamic'), 'text')
  const row = call('arith.subtract', [field(number, 'int'), constant(1, 'int')], 'int')
  return selected({ ...rows, rel }, plugin.out, [row, part(0), part(1)])
}

/** Rows beside the rows of a table whose network holds their address. */
const addressLookup =
  (family: 'ipv4' | 'ipv6'): Evaluate =>
  (rows, plugin, context) => {
    const { lowering } = context
    const table = lowering.table(need(plugin, 0, context), context.env)
    const left = lowering.shared(rows)
    const source = cast(
      lowering.expr(need(plugin, 1, context), { ...context, row: rowOf(left) }),
      'text',
    )
    const network = need(plugin, 2, context).name
    const networkColumn = rowOf(table).get(network)
    if (networkColumn === undefined) {
      const hint = 'the table that is looked in must have it'
      return refuse('HR402', { name: network, hint }, lowering.place(need(plugin, 2, context)))
    }
    // Further keys are names; a bare truth value at the end is the option.
    const rest = plugin.placed.slice(3)
    const isFlag = (each: Node): boolean => each.kind === 'BooleanLiteralExpression'
    const extras = rest.filter((each) => !isFlag(each)).map((each) => each.name)
    const flag = plugin.named.get('return_unmatched') ?? rest.find(isFlag)
    const isOuter = flag !== undefined && /true/i.test(flag.text)
    const [address, key] = [lowering.hidden('i'), lowering.hidden('k')]
    const addresses: Rel = {
      op: 'aggregate',
      from: left.rel,
      by: [{ name: address, value: source }],
      into: [],
    }
    const expanded: Rel = {
      op: 'expand',
      from: addresses,
      list: call(`${family}.networks`, [field(address, 'text')], { list: 'text' }),
      as: key,
    }
    const isNetwork = call('compare.differs', [
      call(`${family}.network`, [cast(networkColumn, 'text')], 'text'),
      text(''),
    ])
    const found: Rel = {
      op: 'join',
      how: 'inner',
      left: expanded,
      right: filtered({ ...table, order: [], by: [] }, isNetwork).rel,
      on: [
        {
          left: field(key, 'text'),
          right: call(`${family}.network`, [cast(networkColumn, 'text')], 'text'),
        },
      ],
    }
    const pairs: readonly Pair[] = [
      { left: source, right: field(address, 'text') },
      ...extras.map((name): Pair => {
        const [one, other] = [rowOf(left).get(name), rowOf(table).get(name)]
        if (one === undefined || other === undefined) {
          const hint = 'both tables must have it'
          return refuse('HR402', { name, hint }, lowering.place(plugin.call))
        }
        return { left: one, right: other }
      }),
    ]
    const right: Rowset = { rel: found, columns: table.columns, order: [], by: [] }
    const shown = table.columns.filter(({ name }) => !extras.includes(name))
    return joined(left, right, pairs, isOuter ? 'leftouter' : 'inner', plugin.out, context, shown)
  }

/** Rows, different values and first values of an id in each window of time, for each combination of dimensions. */
const activityCounts: Evaluate = (rows, plugin, context) => {
  const { lowering } = context
  const inner: Context = { ...context, row: rowOf(rows) }
  const value = (index: number, type: BaseType, where: Context): Expr =>
    cast(lowering.expr(need(plugin, index, context), where), type)
  const timeNode = need(plugin, 1, context)
  const time = value(1, 'time', inner)
  const [start, end] = [value(2, 'time', context), value(3, 'time', context)]
  const step = value(4, 'span', context)
  const idNode = need(plugin, 0, context)
  const id = lowering.expr(idNode, inner)
  const dims = plugin.placed.slice(5).map((each) => each.name)
  const keys = rows.columns.filter(({ name }) => dims.includes(name))
  const [place, who, first] = [lowering.hidden('x'), lowering.hidden('v'), lowering.hidden('f')]
  const type = typeOf(idNode, id.type)
  const isWithin = call('logic.holds', [call('compare.between', [time, start, end])])
  const placed = derived(filtered(rows, isWithin), [
    { name: place, value: call('axis.place', [start, time, step], 'int') },
    { name: who, value: cast(id, type) },
  ])
  const per = [...partitionOf(rows), ...keys.map((each) => field(each.name, each.type))]
  const begun: Rel = {
    op: 'window',
    from: placed.rel,
    by: [...per, field(who, type)],
    order: [],
    into: [{ name: first, fn: 'win.min', args: [field(place, 'int')], type: 'int' }],
  }
  const [count, dcount, fresh, total] = ['c', 'd', 'n', 't'].map((each) => lowering.hidden(each))
  const names = { count: count ?? '', dcount: dcount ?? '', fresh: fresh ?? '', total: total ?? '' }
  const isFirst = call('compare.equals', [field(first, 'int'), field(place, 'int')])
  const distinct = { fn: 'agg.count_distinct', args: [field(who, type)], type: 'int' as const }
  const by: readonly Binding[] = [
    ...same(rows.by),
    ...same(keys),
    { name: place, value: field(place, 'int') },
  ]
  const grouped: Rel = {
    op: 'aggregate',
    from: begun,
    by,
    into: [
      { name: names.count, fn: 'agg.count', args: [], type: 'int' },
      { ...distinct, name: names.dcount },
      { ...distinct, name: names.fresh, where: isFirst },
    ],
  }
  const summed: Rel = {
    op: 'window',
    from: grouped,
    by: per,
    order: [{ by: field(place, 'int'), down: false, nulls: 'first' }],
    into: [{ name: names.total, fn: 'win.sum', args: [field(names.fresh, 'int')], type: 'int' }],
    frame: 'running',
  }
  const window = call(
    'arith.add',
    [start, call('arith.multiply', [field(place, 'int'), step], 'span')],
    'time',
  )
  const made: Rowset = { ...rows, rel: summed, order: [] }
  const values = new Map<string, Expr>([
    [timeNode.name, window],
    ['count', field(names.count, 'int')],
    ['dcount', field(names.dcount, 'int')],
    ['new_dcount', field(names.fresh, 'int')],
    ['aggregated_dcount', field(names.total, 'int')],
  ])
  return shaped(
    { ...made, columns: keys },
    plugin.out,
    [...values].map(([name, each]) => ({ name, value: each })),
    plugin.call,
    context,
  )
}

const PLUGINS: Readonly<Record<string, Evaluate>> = {
  bag_unpack: bagUnpack,
  pivot,
  narrow,
  ipv4_lookup: addressLookup('ipv4'),
  ipv6_lookup: addressLookup('ipv6'),
  activity_counts_metrics: activityCounts,
  ...SLIDING,
}

/** True for the name of a plugin that `evaluate` has. */
export function isPlugin(name: string): boolean {
  return Object.hasOwn(PLUGINS, name)
}

const evaluate: Operator = (rows, node, context) => {
  const plugin = pluginOf(node)
  const make = Object.hasOwn(PLUGINS, plugin.name) ? PLUGINS[plugin.name] : undefined
  if (make === undefined) {
    return refuse('HR405', { name: `evaluate ${plugin.name}` }, context.lowering.place(node))
  }
  return make(rows, plugin, context)
}

export const evaluateOperators = { EvaluateOperator: evaluate } as const
