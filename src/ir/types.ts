/**
 * The types of values and the shape of rows. A field read from a stored source is text unless the source says
 * otherwise; a list type is a multivalued field.
 */
import type { Span } from '../core/span.ts'

export type BaseType =
  | 'bool'
  /** Whole number of 32 bits. */
  | 'int32'
  /** Whole number of 64 bits. */
  | 'int'
  | 'float'
  /** Decimal fraction, exact. */
  | 'decimal'
  | 'text'
  /** Instant, in steps of 100 ns, UTC. */
  | 'time'
  /** Length of time, in steps of 100 ns. */
  | 'span'
  | 'guid'
  | 'ip'
  /** JSON text; a missing value is null. */
  | 'dynamic'
  | 'null'
export type Type = BaseType | { readonly list: BaseType }

/**
 * How a column is kept. `blank`: a stored empty text stands for "no value" unless the row's `@empty` names the
 * field; `plain`: the stored value is the value.
 */
export type Storage = 'blank' | 'plain'

export interface Field {
  readonly name: string
  readonly type: Type
  readonly stored?: Storage
  readonly origin?: Span
}

export type Schema = readonly Field[]

/** True for a list (multivalued) type. */
export function isList(type: Type): type is { readonly list: BaseType } {
  return typeof type === 'object'
}

/** Text of a type for messages and golden files. */
export function printType(type: Type): string {
  return isList(type) ? `${type.list}[]` : type
}
