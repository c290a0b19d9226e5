/**
 * Values that a template reads several times: printed once and named, so that nested calls do not multiply the text
 * of a query.
 */
import { type Sql, type SqlHole, sql } from './sql.ts'

/** More pieces than this in a value, and it is named instead of repeated. */
const FEW_PIECES = 3

function piecesOf(tree: Sql): number {
  return tree.holes.reduce(
    (sum, hole: SqlHole) => sum + (hole.kind === 'sql' ? piecesOf(hole) : 1),
    1,
  )
}

/** Names inside templates: the caret keeps them apart from every column, whose carets stand before `.`, `:` or `^`. */
export const VARIABLES = {
  a: sql`\`^a\``,
  b: sql`\`^b\``,
  c: sql`\`^c\``,
  g: sql`\`^g\``,
  t: sql`\`^t\``,
} as const

/** The body with a value in it, which is computed once; the body must not name the same variable inside. */
export function once(value: Sql, variable: Sql, body: (value: Sql) => Sql): Sql {
  return piecesOf(value) <= FEW_PIECES ? body(value) : named(value, variable, body)
}

/** More pieces than this, and a value is named even where repeating it would be read faster. */
const SOME_PIECES = 8

/** The body with a value in it, repeated where it is little more than a column. */
export function repeated(value: Sql, variable: Sql, body: (value: Sql) => Sql): Sql {
  return piecesOf(value) <= SOME_PIECES ? body(value) : named(value, variable, body)
}

/** The body with a named value, however short the value is. */
export function named(value: Sql, variable: Sql, body: (value: Sql) => Sql): Sql {
  return sql`arrayMap(${variable} -> ${body(variable)}, [${value}])[1]`
}
