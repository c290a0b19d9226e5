/**
 * SQL templates as trees: fixed text from our own source, and holes for expressions, literals and names. A
 * template never holds a value as text; `sql/quote.ts` prints the holes.
 */
import type { ConstValue } from '../ir/expr.ts'
import type { Type } from '../ir/types.ts'

export type SqlHole =
  | Sql
  | { readonly kind: 'literal'; readonly value: ConstValue }
  | { readonly kind: 'name'; readonly name: string }

export interface Sql {
  readonly kind: 'sql'
  readonly parts: readonly string[]
  readonly holes: readonly SqlHole[]
}

/** Tagged template: every hole is a tree, so a plain string cannot slip in. */
export function sql(parts: TemplateStringsArray, ...holes: readonly SqlHole[]): Sql {
  return { kind: 'sql', parts: [...parts], holes }
}

/** A literal hole. */
export function literal(value: ConstValue): SqlHole {
  return { kind: 'literal', value }
}

/** A name hole (column, table, alias). */
export function name(value: string): SqlHole {
  return { kind: 'name', name: value }
}

/** Several pieces with fixed text between them. */
export function joined(pieces: readonly SqlHole[], between: ', ' | ' AND ' | ' OR '): Sql {
  const last = pieces.length - 1
  return {
    kind: 'sql',
    parts: ['', ...pieces.map((_, index) => (index === last ? '' : between))],
    holes: pieces,
  }
}

/** An argument as a function record sees it when it prints itself. */
export interface SqlArg {
  readonly sql: Sql
  readonly type: Type
  /** The constant, when the argument is one. */
  readonly value?: ConstValue
  /** The stored field's name, when the argument is a bare field with blank storage. */
  readonly blank?: string
  /** True for a text that is made from stored fields: it is empty where there is nothing to make it from. */
  readonly computed?: true
}
