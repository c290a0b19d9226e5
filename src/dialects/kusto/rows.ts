/** What the tabular operators have in common: named columns, order, limits, pipes over pipes. */
import { functionOf } from '../../functions/catalogue.ts'
import { call, type Expr, field } from '../../ir/expr.ts'
import type { AggBinding, Binding, OrderKey, Rel, Scalar } from '../../ir/rel.ts'
import type { Field } from '../../ir/types.ts'
import type { Column, Node } from './adapter.ts'
import {
  type Context,
  cast,
  constant,
  derived,
  isPlace,
  partitionOf,
  type Rowset,
  refuse,
  rowOf,
  same,
  selected,
} from './scope.ts'
import { Windows } from './windows.ts'

/** What an operator with named expressions makes: for each expression, the columns it gives. */
export interface Made {
  readonly name: string
  readonly value: Expr
}

/** Values of an expression that gives several columns: of a dynamic array, its elements. */
function elementsOf(value: Expr, count: number): readonly Expr[] {
  return Array.from({ length: count }, (_, index) =>
    call('dyn.path', [cast(value, 'dynamic'), constant(index, 'int')], 'dynamic'),
  )
}

/** The names that an expression is given; none where the binder makes one up. */
function writtenNames(node: Node): readonly string[] {
  if (node.kind === 'SimpleNamedExpression') return [node.child('Name').name]
  if (node.kind === 'CompoundNamedExpression') {
    return node
      .child('Names')
      .items('Names')
      .map(({ name }) => name)
  }
  const own = node.kind === 'NameReference' ? node.name : node.resultName
  return own === '' ? [] : [own]
}

/** Values of an expression that gives several columns, in the form that its function has for that. */
function severalOf(value: Expr, count: number): readonly Expr[] {
  const fn = value.op === 'call' ? functionOf(value.fn).several : undefined
  return elementsOf(
    value.op === 'call' && fn !== undefined ? { ...value, fn, type: 'dynamic' } : value,
    count,
  )
}

/**
 * The columns that a list of expressions makes. Names are those written, or those that the binder gives to paths and
 * conversions; the others take, in order, the columns of the result that nothing else accounts for.
 */
export function namedValues(
  list: readonly Node[],
  out: readonly Column[],
  taken: ReadonlySet<string>,
  context: Context,
): readonly Made[] {
  const written = list.map(writtenNames)
  const claimed = new Set(written.flat())
  const free = out.filter(({ name }) => !claimed.has(name) && !taken.has(name))
  const used = new Set<string>()
  const known = new Set(out.map(({ name }) => name))
  return list.flatMap((each, index): readonly Made[] => {
    const names = written[index] ?? []
    if (each.kind === 'CompoundNamedExpression') {
      const value = context.lowering.expr(each.child('Expression'), context)
      // Values beyond the written names keep their own; only `extend`, which has columns already, leaves them out.
      const rest = each.columns.slice(names.length).map(({ name }) => name)
      if (taken.size > 0) for (const name of rest) context.lowering.phantoms.add(name)
      const all = taken.size > 0 ? names : [...names, ...rest]
      const values = severalOf(value, all.length)
      return all.map((name, at) => ({ name, value: values[at] ?? constant(null, 'dynamic') }))
    }
    const value = context.lowering.expr(each, context)
    if (each.kind === 'SimpleNamedExpression') {
      for (const other of each.columns.slice(1)) context.lowering.phantoms.add(other.name)
    }
    const isCall = each.kind === 'FunctionCallExpression' && each.columns.length > 1
    if (isCall && value.op === 'call' && functionOf(value.fn).several) {
      const columns = free.splice(0, each.columns.length)
      const values = severalOf(value, columns.length)
      return columns.map(({ name }, at) => ({
        name,
        value: values[at] ?? constant(null, 'dynamic'),
      }))
    }
    const [own] = names
    const isOwn = own !== undefined && known.has(own) && !used.has(own)
    const name = isOwn ? own : free.shift()?.name
    if (name === undefined) {
      return refuse('HR407', { what: each.text.slice(0, 60) }, context.lowering.place(each))
    }
    used.add(name)
    return [{ name, value }]
  })
}

/** Rows with exactly these columns, each by its name from what was made or else from what was there. */
export function shaped(
  rows: Rowset,
  out: readonly Column[],
  made: readonly Made[],
  node: Node,
  context: Context,
): Rowset {
  const values = new Map(made.map(({ name, value }) => [name, value]))
  const before = rowOf(rows)
  const real = out.filter(
    ({ name }) => values.has(name) || before.has(name) || !context.lowering.phantoms.has(name),
  )
  return selected(
    rows,
    real,
    real.map(({ name, type }) => {
      const value = values.get(name) ?? before.get(name)
      if (value === undefined) {
        return refuse('HR407', { what: `the column ${name}` }, context.lowering.place(node))
      }
      return cast(value, type)
    }),
  )
}

/** Runs expressions that may look at neighbouring rows over rows. */
export function overRows<T>(
  rows: Rowset,
  context: Context,
  make: (inner: Context) => T,
): { rows: Rowset; made: T } {
  const windows = new Windows(rows)
  const made = make({ ...context, row: rowOf(rows), special: windows.special })
  return { rows: windows.rows, made }
}

/** The keys of a sort, with the defaults of the language: descending, and missing values least. */
function orderKeys(
  list: readonly Node[],
  context: Context,
): readonly { readonly value: Expr; readonly key: Omit<OrderKey, 'by'> }[] {
  return list.map((each) => {
    const isOrdered = each.kind === 'OrderedExpression'
    const ordering = isOrdered ? each.maybe('Ordering') : undefined
    const down = ordering?.token('AscOrDescKeyword') !== 'asc'
    const nulls = ordering?.maybe('NullsClause')?.token('FirstOrLastKeyword')
    const value = context.lowering.expr(isOrdered ? each.child('Expression') : each, context)
    return {
      value: value.type === 'dynamic' ? cast(value, 'text') : value,
      key: { down, nulls: nulls === 'first' || nulls === 'last' ? nulls : down ? 'last' : 'first' },
    }
  })
}

/** Rows with a new order. Its keys are hidden columns, so that later operators cannot lose them. */
export function ordered(rows: Rowset, list: readonly Node[], context: Context): Rowset {
  const { rows: ready, made: keys } = overRows(rows, context, (inner) => orderKeys(list, inner))
  const set = keys.map(({ value }): Binding => ({ name: context.lowering.hidden('o'), value }))
  const order = set.map(({ name, value }, index): OrderKey => {
    const key = keys[index]?.key ?? { down: false, nulls: 'first' }
    return { by: field(name, value.type), ...key }
  })
  // An order of before decides between rows that the new one leaves equal.
  return { ...derived(ready, set), order: [...order, ...ready.order] }
}

/** The first rows; of each small table where there are several. */
export function limited(rows: Rowset, count: number, context: Context): Rowset {
  const from = context.lowering.sorted(rows)
  const per = partitionOf(rows)
  const rel: Rel =
    per.length === 0 ? { op: 'limit', from, rows: count } : { op: 'limit', from, rows: count, per }
  return { ...rows, rel }
}

/** One row for each different combination of columns. */
export function distinctRows(rows: Rowset): Rowset {
  const first = firstPlace(rows)
  const rel: Rel = {
    op: 'aggregate',
    from: rows.rel,
    by: [...same(rows.columns), ...same(rows.by)],
    into: first === undefined ? [] : [first],
  }
  const order = first === undefined ? [] : rows.order
  return { ...rows, rel, order }
}

/** The least place of a group of rows that are written in the query: groups come in the order of their first rows. */
export function firstPlace(rows: Rowset): AggBinding | undefined {
  const [key, ...others] = rows.order
  if (key?.by.op !== 'field' || others.length > 0 || !isPlace(key.by.name)) return undefined
  return { name: key.by.name, fn: 'agg.min', args: [key.by], type: 'int' }
}

/** Rows of constants, in their order. */
export function listedRows(
  columns: readonly Column[],
  list: readonly (readonly Scalar[])[],
  context: Context,
): Rowset {
  const at = context.lowering.hidden('i')
  const out: readonly Field[] = [...columns, { name: at, type: 'int' }]
  return {
    rel: { op: 'values', rows: list.map((row, index) => [...row, index]), out },
    columns,
    order: [{ by: field(at, 'int'), down: false, nulls: 'first' }],
    by: [],
  }
}

/** Applies a pipe that begins with an operator. */
export function piped(rows: Rowset, node: Node, context: Context): Rowset {
  if (node.kind === 'PipeExpression') {
    const before = piped(rows, node.child('Expression'), context)
    return context.lowering.operate(before, node.child('Operator'), context.env)
  }
  if (node.kind === 'ParenthesizedExpression') return piped(rows, node.child('Expression'), context)
  return context.lowering.operate(rows, node, context.env)
}
