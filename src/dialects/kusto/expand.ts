/** `mv-expand` and `mv-apply`: rows from the elements of dynamic values. */
import { call, type Expr, field } from '../../ir/expr.ts'
import type { Binding, OrderKey, Rel } from '../../ir/rel.ts'
import type { BaseType } from '../../ir/types.ts'
import { type Column, type Node, typeNamed } from './adapter.ts'
import { parameterOf } from './joins.ts'
import { piped } from './rows.ts'
import {
  type Context,
  cast,
  constant,
  derived,
  type Operator,
  orderFields,
  type Rowset,
  refuse,
  rowOf,
  selected,
} from './scope.ts'
import { countOf } from './values.ts'

/** One list that is expanded: its column's name, its type, and what it is made from. */
interface Item {
  readonly name: string
  readonly type: BaseType
  readonly value: Expr
}

function itemOf(node: Node, row: Context, taken: ReadonlySet<string>, free: Column[]): Item {
  const inner = node.child('Expression')
  const wanted = node.maybe('ToTypeOf')?.child('TypeOf').items('Types')[0]?.text
  const value = row.lowering.expr(inner, row)
  const written =
    inner.kind === 'SimpleNamedExpression'
      ? inner.child('Name').name
      : inner.kind === 'NameReference'
        ? inner.name
        : undefined
  const name =
    (written ?? inner.resultName) || (free.find((each) => !taken.has(each.name))?.name ?? '')
  const type = wanted === undefined ? 'dynamic' : (typeNamed(wanted) ?? 'dynamic')
  return { name, type, value: cast(value, 'dynamic') }
}

/** Rows with one row for each element; the lists of several items are walked together, the longest tells how far. */
function expanded(
  rows: Rowset,
  items: readonly Item[],
  pairs: boolean,
  index: string | undefined,
  context: Context,
): Rowset {
  const { lowering } = context
  const lists = items.map(({ value }) =>
    call(pairs ? 'dyn.pairs' : 'dyn.elements', [value], { list: 'dynamic' }),
  )
  const at = lowering.hidden('i')
  const element = lowering.hidden('e')
  const rel: Rel = {
    op: 'expand',
    from: rows.rel,
    list: call('list.zip', lists, { list: 'dynamic' }),
    as: element,
  }
  const set: Binding[] = items.map(({ name, type }, position): Binding => {
    const value = call(
      'tuple.at',
      [field(element, 'dynamic'), constant(position, 'int')],
      'dynamic',
    )
    return { name, value: cast(value, type) }
  })
  const place = call('tuple.at', [field(element, 'dynamic'), constant(items.length, 'int')], 'int')
  const made = new Map(set.map(({ name, value }) => [name, value]))
  const before = rowOf(rows)
  const columns: readonly Column[] = [
    ...rows.columns.map((each) => {
      const item = items.find(({ name }) => name === each.name)
      return item === undefined ? each : { name: each.name, type: item.type }
    }),
    ...items.filter(({ name }) => !before.has(name)).map(({ name, type }) => ({ name, type })),
    ...(index === undefined ? [] : [{ name: index, type: 'int' as const }]),
  ]
  const values = columns.map(
    ({ name, type }): Expr =>
      name === index ? place : (made.get(name) ?? before.get(name) ?? constant(null, type)),
  )
  const key: OrderKey = { by: field(at, 'int'), down: false, nulls: 'first' }
  const result = selected({ ...rows, rel }, columns, values, [{ name: at, value: place }])
  // The elements come in their order where the rows have one.
  return rows.order.length === 0 ? result : { ...result, order: [...rows.order, key] }
}

function itemsOf(rows: Rowset, node: Node, context: Context): readonly Item[] {
  const row: Context = { ...context, row: rowOf(rows) }
  const taken = new Set(rows.columns.map(({ name }) => name))
  const free = [...node.columns]
  return node.items('Expressions').map((each) => itemOf(each, row, taken, free))
}

const mvExpand: Operator = (rows, node, context) => {
  const pairs = /array/.test(
    (parameterOf(node, 'bagexpansion') ?? parameterOf(node, 'kind'))?.text ?? '',
  )
  const indexNode = parameterOf(node, 'with_itemindex')
  const index = indexNode === undefined ? undefined : indexNode.name || indexNode.text
  const items = itemsOf(rows, node, context)
  // The limit counts the elements of each row.
  const limit = node.maybe('RowLimitClause')?.child('RowLimit')
  const result = expanded(
    rows,
    limit === undefined ? items : firstElements(items, countOf(limit, context)),
    pairs,
    index,
    context,
  )
  return reshaped(result, node.columns, context, node)
}

/** The first elements of each list. */
function firstElements(items: readonly Item[], count: number): readonly Item[] {
  return items.map((each) => ({
    ...each,
    value: call('dyn.first_elements', [each.value, constant(count, 'int')], 'dynamic'),
  }))
}

/** The columns in the order of the binder. */
function reshaped(rows: Rowset, out: readonly Column[], context: Context, node: Node): Rowset {
  const row = rowOf(rows)
  return selected(
    rows,
    out,
    out.map(({ name, type }) => {
      const value = row.get(name)
      if (value === undefined)
        return refuse('HR407', { what: `the column ${name}` }, context.lowering.place(node))
      return cast(value, type)
    }),
  )
}

/** A pipe over the elements of each row on its own. The row's other columns stand beside each result. */
const mvApply: Operator = (rows, node, context) => {
  const { lowering } = context
  const id = lowering.hidden('n')
  const numbered: Rowset = derived(rows, [{ name: id, value: call('row.number', [], 'int') }])
  const items = itemsOf(numbered, node, context)
  const limit = node.maybe('RowLimitClause')?.child('RowLimit')
  const lists = limit === undefined ? items : firstElements(items, countOf(limit, context))
  const indexNode = parameterOf(node, 'with_itemindex')
  const index = indexNode === undefined ? undefined : indexNode.name || indexNode.text
  // What the row had before is carried as hidden keys, so that grouping inside keeps it.
  const outer = rows.columns.filter(({ name }) => node.columns.some((each) => each.name === name))
  const kept = outer.map(({ name, type }) => ({ name, type, hidden: lowering.hidden('c') }))
  const carried = derived(
    numbered,
    kept.map(({ name, type, hidden }) => ({ name: hidden, value: field(name, type) })),
  )
  const by = [
    ...rows.by,
    { name: id, type: 'int' as const },
    ...orderFields(rows.order).map((each) => ({ ...each, follows: true as const })),
    ...kept.map(({ hidden, type }) => ({ name: hidden, type, follows: true as const })),
  ]
  const opened = expanded({ ...carried, by }, lists, false, index, context)
  const inOrder: Rowset =
    opened.order.length > 0 ? opened : { ...opened, order: elementOrder(opened, id) }
  const made = piped(inOrder, node.child('Subquery').child('Expression'), context)
  const inner = rowOf(made)
  const hidden = new Map(kept.map(({ name, type, hidden: column }) => [name, field(column, type)]))
  return selected(
    { ...made, by: rows.by, order: rows.order },
    node.columns,
    node.columns.map(({ name, type }) => {
      const value = inner.get(name) ?? hidden.get(name)
      if (value === undefined)
        return refuse('HR407', { what: `the column ${name}` }, lowering.place(node))
      return cast(value, type)
    }),
  )
}

/** The order of the elements within their rows. */
function elementOrder(rows: Rowset, id: string): Rowset['order'] {
  const at = rows.rel.op === 'select' ? rows.rel.keep.at(-1)?.name : undefined
  const key = (name: string): OrderKey => ({ by: field(name, 'int'), down: false, nulls: 'first' })
  return at === undefined ? [key(id)] : [key(id), key(at)]
}

export const expandOperators = { MvExpandOperator: mvExpand, MvApplyOperator: mvApply } as const
