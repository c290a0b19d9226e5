/** Sources of rows that are written in the query: `datatable`, and `externaldata` from files that the user gave. */
import { field } from '../../ir/expr.ts'
import type { Rel, Scalar } from '../../ir/rel.ts'
import type { Column, Node } from './adapter.ts'
import { externalRows } from './external.ts'
import { listedRows } from './rows.ts'
import { type Context, cast, type Rowset, refuse, selected } from './scope.ts'

type Source = (node: Node, context: Context) => Rowset

const datatable: Source = (node, context) => {
  const columns = node.columns
  const width = columns.length
  const values = node.items('Values').map((each) => context.lowering.expr(each, context))
  if (width === 0 || values.length % width !== 0) {
    return refuse(
      'HR404',
      { message: 'the values of the datatable do not fill its rows' },
      context.lowering.place(node),
    )
  }
  const typed = values.map((each, index) => cast(each, columns[index % width]?.type ?? 'dynamic'))
  const rows: Scalar[][] = []
  let isPlain = true
  typed.forEach((each, index) => {
    if (index % width === 0) rows.push([])
    if (each.op === 'const' && !Array.isArray(each.value)) rows.at(-1)?.push(each.value as Scalar)
    else isPlain = false
  })
  if (isPlain) return listedRows(columns, rows, context)
  return computedRows(columns, typed, context)
}

/** Rows whose values must be computed, such as `now()`. */
function computedRows(
  columns: readonly Column[],
  values: readonly ReturnType<typeof cast>[],
  context: Context,
): Rowset {
  const at = context.lowering.hidden('i')
  const all: Rel[] = []
  for (let start = 0; start < values.length; start += columns.length) {
    const keep = columns.map(({ name, type }, index) => ({
      name,
      value: values[start + index] ?? { op: 'const' as const, value: null, type },
    }))
    const place = { op: 'const' as const, value: all.length, type: 'int' as const }
    all.push({ op: 'select', from: one, keep: [...keep, { name: at, value: place }] })
  }
  const rel: Rel = all.length === 1 && all[0] !== undefined ? all[0] : { op: 'union', all }
  const rows: Rowset = {
    rel,
    columns,
    order: [{ by: field(at, 'int'), down: false, nulls: 'first' }],
    by: [],
  }
  return selected(
    rows,
    columns,
    columns.map(({ name, type }) => field(name, type)),
  )
}

const one: Rel = { op: 'values', rows: [[]], out: [] }

export const SOURCES: Readonly<Record<string, Source>> = {
  DataTableExpression: datatable,
  ExternalDataExpression: (node, context) => externalRows(node, context.lowering.pins, context),
}
