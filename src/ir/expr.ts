/**
 * Expressions: constant, field, call, case, and a query whose rows are a value. Plain readonly data, serialisable, free of any dialect;
 * their shapes stand beside those of relations, which they may hold.
 * Operators, casts and patterns are all calls of a function record (see `functions/`).
 */
import type { Call, Case, Const, ConstValue, Expr, FieldRef, Query, Scalar } from './rel.ts'
import type { Type } from './types.ts'

export type { Call, Case, Const, ConstValue, Expr, FieldRef, Query, Scalar }

export const TRUE: Const = { op: 'const', value: true, type: 'bool' }
export const FALSE: Const = { op: 'const', value: false, type: 'bool' }
export const NULL: Const = { op: 'const', value: null, type: 'null' }

/** A text constant. */
export function text(value: string): Const {
  return { op: 'const', value, type: 'text' }
}

/** A list-of-text constant. */
export function texts(values: readonly string[]): Const {
  return { op: 'const', value: values, type: { list: 'text' } }
}

/** An integer or real constant. */
export function number(value: number): Const {
  return { op: 'const', value, type: Number.isInteger(value) ? 'int' : 'float' }
}

/** A field by name; untyped sources hold text. */
export function field(name: string, type: Type = 'text'): FieldRef {
  return { op: 'field', name, type }
}

/** A call; the result type is the caller's knowledge, checked by `check`. */
export function call(fn: string, args: readonly Expr[], type: Type = 'bool'): Call {
  return { op: 'call', fn, args, type }
}

/** Conjunction; flattens, and is TRUE for no parts. */
export function and(parts: readonly Expr[]): Expr {
  return join('logic.and', parts, TRUE)
}

/** Disjunction; flattens, and is FALSE for no parts. */
export function or(parts: readonly Expr[]): Expr {
  return join('logic.or', parts, FALSE)
}

/** Negation of a two-valued condition. */
export function not(part: Expr): Expr {
  return call('logic.not', [part])
}

function join(fn: 'logic.and' | 'logic.or', parts: readonly Expr[], none: Expr): Expr {
  const flat = parts.flatMap((part) => (part.op === 'call' && part.fn === fn ? part.args : [part]))
  const [only] = flat
  return flat.length === 0 || only === undefined ? none : flat.length === 1 ? only : call(fn, flat)
}
