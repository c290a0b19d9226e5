/** What operators and calls ask of expressions: constants, the first cell of a table, conditions, result types. */
import { call, type Expr } from '../../ir/expr.ts'
import type { BaseType } from '../../ir/types.ts'
import type { Node } from './adapter.ts'
import { type Context, cast, refuse, selected, spanOf } from './scope.ts'

/** The type that the binder gives, or the one at hand where it cannot know. */
export function typeOf(node: Node, fallback: Expr['type'] | undefined): BaseType {
  const known = node.type
  if (known !== undefined && known !== 'null') return known
  return typeof fallback === 'string' && fallback !== 'null' ? fallback : 'dynamic'
}

/** The first cell of a table as a value; a scalar inside `toscalar` stays what it is. */
export function scalarOf(inside: Node, context: Context, node: Node): Expr {
  if (!inside.isTable && inside.type !== undefined) return context.lowering.expr(inside, context)
  const rows = context.lowering.table(inside, context.env)
  const [column] = rows.columns
  if (column === undefined) return refuse('HR407', { what: node.text.slice(0, 60) }, spanOf(node))
  const type = typeOf(node, column.type)
  const value = cast({ op: 'field', name: column.name, type: column.type }, type)
  const first = context.lowering.sorted(rows)
  const rel = selected({ ...rows, rel: first, order: [] }, [{ name: column.name, type }], [value])
  const query: Expr = {
    op: 'query',
    gives: 'cell',
    type,
    rel: { op: 'limit', from: rel.rel, rows: 1 },
  }
  // No row gives null, and a text is never null.
  return type === 'text' ? call('text.or_empty', [query], 'text') : query
}

/** A whole number that must be written in the query. */
export function countOf(node: Node, context: Context): number {
  const value = context.lowering.expr(node, context)
  if (
    value.op === 'const' &&
    typeof value.value === 'number' &&
    Number.isSafeInteger(value.value)
  ) {
    return value.value
  }
  return refuse('HR409', { name: node.text.slice(0, 60) }, context.lowering.place(node))
}

/** A text that must be written in the query. */
export function constantText(node: Node, context: Context): string {
  const value = context.lowering.expr(node, context)
  if (value.op === 'const' && typeof value.value === 'string') return value.value
  return refuse('HR409', { name: node.text.slice(0, 60) }, context.lowering.place(node))
}
