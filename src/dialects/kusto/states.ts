/** `top-nested` and `top-hitters`: the groups with the greatest values, level within level. */
import { call, type Expr, field } from '../../ir/expr.ts'
import type { Binding, OrderKey, Rel } from '../../ir/rel.ts'
import type { BaseType, Field } from '../../ir/types.ts'
import type { Column, Node } from './adapter.ts'
import {
  type Context,
  cast,
  constant,
  derived,
  missing,
  type Operator,
  partitionOf,
  type Rowset,
  rowOf,
  same,
  selected,
} from './scope.ts'
import { scan } from './steps.ts'
import { Aggregates } from './summarize.ts'
import { countOf, typeOf } from './values.ts'

/** One level: the hidden columns of its key and of its value, and how many groups it keeps. */
interface Level {
  readonly key: Field & { readonly type: BaseType }
  readonly value: Field & { readonly type: BaseType }
  readonly most: number | undefined
  readonly down: boolean
  /** The call of the aggregate. */
  readonly by: Node
  /** What the groups that are not kept are called together. */
  readonly others: Expr | undefined
}

function inner(node: Node): Node {
  return node.kind === 'OrderedExpression' || node.kind === 'SimpleNamedExpression'
    ? inner(node.child('Expression'))
    : node
}

function levelsOf(node: Node, rows: Rowset, context: Context) {
  const { lowering } = context
  const row: Context = { ...context, row: rowOf(rows) }
  const out = node.columns
  return node.items('Clauses').map((each, index) => {
    const ofNode = inner(each.child('OfExpression'))
    const key = lowering.expr(ofNode, row)
    const keyType = out[index * 2]?.type ?? typeOf(ofNode, key.type)
    const byNode = each.child('ByExpression')
    const by = inner(byNode)
    const count = each.maybe('Expression')
    const others = each.maybe('WithOthersClause')?.child('Expression')
    const ordering = byNode.kind === 'OrderedExpression' ? byNode.maybe('Ordering') : undefined
    const level: Level = {
      key: { name: lowering.hidden('k'), type: keyType },
      value: { name: lowering.hidden('v'), type: out[index * 2 + 1]?.type ?? typeOf(by, 'float') },
      most: count === undefined ? undefined : countOf(count, context),
      down: ordering?.token('AscOrDescKeyword') !== 'asc',
      by,
      others: others === undefined ? undefined : cast(lowering.expr(others, context), keyType),
    }
    return { level, binding: { name: level.key.name, value: cast(key, keyType) } }
  })
}

const ref = ({ name, type }: Field): Expr => field(name, type)

/** The groups of a level among the rows of the groups above, with their values. */
function groupsOf(
  rows: Rowset,
  above: readonly Field[],
  level: Level,
  key: Binding,
  context: Context,
): Rel {
  const aggregates = new Aggregates(rows, context)
  const value = context.lowering.expr(level.by, {
    ...context,
    row: new Map(),
    special: aggregates.special,
  })
  const from = aggregates.rows
  return {
    op: 'derive',
    from: { op: 'aggregate', from, by: [...same(above), key], into: aggregates.into },
    set: [{ name: level.value.name, value: cast(value, level.value.type) }],
  }
}

/** The first groups of each group above. */
function kept(groups: Rel, above: readonly Field[], level: Level, context: Context): Rel {
  if (level.most === undefined) return groups
  const rank = context.lowering.hidden('r')
  const order: readonly OrderKey[] = [
    { by: ref(level.value), down: level.down, nulls: 'last' },
    { by: ref(level.key), down: false, nulls: 'last' },
  ]
  const into = [{ name: rank, fn: 'win.row_number', args: [], type: 'int' as const }]
  return {
    op: 'filter',
    from: { op: 'window', from: groups, by: above.map(ref), order, into, frame: 'running' },
    where: call('compare.less_or_equal', [field(rank, 'int'), constant(level.most, 'int')]),
  }
}

/** The rows of groups that are kept, or of those that are not. */
function joinedTo(
  rows: Rel,
  groups: Rel,
  keys: readonly Field[],
  how: 'inner' | 'anti',
  context: Context,
  value: Field,
): Rel {
  const names = keys.map(() => context.lowering.hidden('j'))
  const right: Rel = {
    op: 'select',
    from: groups,
    keep: [
      ...keys.map((each, index) => ({ name: names[index] ?? '', value: ref(each) })),
      ...(how === 'inner' ? same([value]) : []),
    ],
  }
  const on = keys.map((each, index) => ({
    left: ref(each),
    right: field(names[index] ?? '', each.type),
    ...(each.type === 'text' ? {} : { nullsMatch: true }),
  }))
  return { op: 'join', how, left: rows, right, on }
}

const topNested: Operator = (rows, node, context) => {
  const { lowering } = context
  const made = levelsOf(node, rows, context)
  const keyed = derived(
    rows,
    made.map(({ binding }) => binding),
  )
  const all: readonly Field[] = made.flatMap(({ level }) => [level.key, level.value])
  const columns: readonly Column[] = all.map(({ name, type }) => ({
    name,
    type: typeof type === 'string' ? type : 'dynamic',
  }))
  // The keys travel as hidden columns of the small tables, so that they outlive what is shared.
  const withKeys: Rowset = {
    ...keyed,
    by: [...rows.by, ...made.map(({ level }) => level.key)],
  }
  let current =
    made.length > 1 || made.some(({ level }) => level.others !== undefined)
      ? lowering.shared(withKeys)
      : withKeys
  let above: readonly Field[] = rows.by
  const results: Rel[] = []
  made.forEach(({ level }, index) => {
    const key: Binding = { name: level.key.name, value: ref(level.key) }
    const groups = groupsOf(current, above, level, key, context)
    const first = kept(groups, above, level, context)
    const keys = [
      ...above.filter((each) => !made.some((one) => one.level.value === each)),
      level.key,
    ]
    if (level.others !== undefined) {
      const rest: Rowset = {
        ...current,
        rel: joinedTo(current.rel, first, keys, 'anti', context, level.value),
      }
      const together = { name: level.key.name, value: level.others }
      results.push(
        filledTo(groupsOf(rest, above, level, together, context), columns, index, rows.by),
      )
    }
    if (index === made.length - 1) results.push(filledTo(first, columns, index, rows.by))
    else {
      current = {
        ...current,
        rel: joinedTo(current.rel, first, keys, 'inner', context, level.value),
      }
      above = [...above, level.key, level.value]
    }
  })
  const [only] = results
  const rel: Rel = results.length === 1 && only !== undefined ? only : { op: 'union', all: results }
  const out = node.columns
  return selected(
    { ...rows, rel, order: [] },
    out,
    out.map(({ type }, index) => {
      const column = columns[index]
      return column === undefined ? missing(type) : cast(ref(column), type)
    }),
  )
}

/** The columns of all levels; those below a level are missing. */
function filledTo(rel: Rel, columns: readonly Column[], level: number, by: readonly Field[]): Rel {
  const keep = columns.map(
    ({ name, type }, index): Binding => ({
      name,
      value: index <= level * 2 + 1 ? field(name, type) : missing(type),
    }),
  )
  return { op: 'select', from: rel, keep: [...keep, ...same(by)] }
}

const topHitters: Operator = (rows, node, context) => {
  const { lowering } = context
  const row: Context = { ...context, row: rowOf(rows) }
  const [keyColumn, valueColumn] = node.columns
  const ofNode = inner(node.child('OfExpression'))
  const key = lowering.expr(ofNode, row)
  const type = keyColumn?.type ?? typeOf(ofNode, key.type)
  const weight = node.maybe('ByClause')?.child('Expression')
  const valueType = valueColumn?.type ?? 'int'
  const [name, value] = [lowering.hidden('k'), lowering.hidden('v')]
  const into = {
    name: value,
    type: valueType,
    ...(weight === undefined
      ? { fn: 'agg.count', args: [] }
      : { fn: 'agg.sum', args: [cast(lowering.expr(weight, row), valueType)] }),
  }
  const grouped: Rel = {
    op: 'aggregate',
    from: rows.rel,
    by: [...same(rows.by), { name, value: cast(key, type) }],
    into: [into],
  }
  const order: readonly OrderKey[] = [
    { by: field(value, valueType), down: true, nulls: 'last' },
    { by: field(name, type), down: true, nulls: 'last' },
  ]
  const per = partitionOf(rows)
  const rel: Rel = {
    op: 'limit',
    from: { op: 'sort', from: grouped, order },
    rows: countOf(node.child('Expression'), context),
    ...(per.length === 0 ? {} : { per }),
  }
  return selected(
    { ...rows, rel, order },
    node.columns,
    [field(name, type), field(value, valueType)],
    [],
  )
}

export const stateOperators = {
  TopNestedOperator: topNested,
  TopHittersOperator: topHitters,
  ScanOperator: scan,
} as const
