/**
 * Relations: the thirteen ways to make rows from rows, the schema each gives, and the shapes of the expressions in
 * them. Plain readonly data.
 */
import type { Field, Schema, Storage, Type } from './types.ts'

export type Scalar = string | number | boolean | null
export type ConstValue = Scalar | readonly Scalar[]

export interface Const {
  readonly op: 'const'
  readonly value: ConstValue
  readonly type: Type
}

export interface FieldRef {
  readonly op: 'field'
  readonly name: string
  readonly type: Type
  /** Storage of the column, set when the field is bound to a stored source. */
  readonly stored?: Storage
  /**
   * Where a stored field is kept when not (only) in its own column: the overflow map, or both. `marks`: no event has
   * a text for it, but some may name it as empty or null.
   */
  readonly kept?: 'map' | 'both' | 'marks'
  /** True for a text that is always a whole number written plainly, such as the id of an event. */
  readonly whole?: true
}

export interface Call {
  readonly op: 'call'
  readonly fn: string
  readonly args: readonly Expr[]
  readonly type: Type
}

export interface Case {
  readonly op: 'case'
  readonly when: readonly (readonly [Expr, Expr])[]
  readonly otherwise: Expr
  readonly type: Type
}

/**
 * The rows of a relation as a value, computed once for the whole query: the first cell, null when there is no row, or
 * the first column as the set that `set.has` and its kin look in.
 */
export interface Query {
  readonly op: 'query'
  readonly rel: Rel
  readonly gives: 'cell' | 'set'
  readonly type: Type
}

export type Expr = Const | FieldRef | Call | Case | Query

/**
 * A view (bound later to the sources that feed it), a stored source, what a `named` above has defined, or a stored
 * lookup, which has no times.
 */
export interface TableRef {
  readonly kind: 'view' | 'source' | 'named' | 'lookup'
  readonly name: string
  /** Of a view that is read as one of all, not by its name: what the product writes itself is no part of it. */
  readonly isUnnamed?: true
}

/** Bounds of event time: from inclusive, to exclusive; ISO text with up to seven fractional digits. */
export interface TimeBounds {
  readonly from?: string
  readonly to?: string
}

export interface Binding {
  readonly name: string
  readonly value: Expr
  /** Of a key of an aggregate: the other keys decide it, so that rows are not grouped by it. */
  readonly follows?: true
}

export interface AggBinding {
  readonly name: string
  readonly fn: string
  readonly args: readonly Expr[]
  readonly where?: Expr
  readonly type: Type
}

export interface OrderKey {
  readonly by: Expr
  readonly down: boolean
  readonly nulls: 'first' | 'last'
}

export type Order = readonly OrderKey[]
export type Row = readonly Scalar[]
export type JoinKind = 'inner' | 'left' | 'right' | 'full' | 'semi' | 'anti' | 'cross'

export interface JoinKey {
  readonly left: Expr
  readonly right: Expr
  /** True when missing values match each other. */
  readonly nullsMatch?: boolean
}

/** The rows shortly before a row: so many, or those whose key of the order, a number, is not further away. */
export interface Sliding {
  readonly by: 'rows' | 'distance'
  /** How many rows, or how far, counted without the row itself; not said, all before. */
  readonly before?: number
  /** True when the row itself is one of them. */
  readonly isCurrent: boolean
}

export type Rel =
  | {
      readonly op: 'scan'
      readonly table: TableRef
      readonly time: TimeBounds
      readonly out: Schema
    }
  | { readonly op: 'values'; readonly rows: readonly Row[]; readonly out: Schema }
  | { readonly op: 'filter'; readonly from: Rel; readonly where: Expr }
  | { readonly op: 'derive'; readonly from: Rel; readonly set: readonly Binding[] }
  | { readonly op: 'select'; readonly from: Rel; readonly keep: readonly Binding[] }
  | {
      readonly op: 'aggregate'
      readonly from: Rel
      readonly by: readonly Binding[]
      readonly into: readonly AggBinding[]
    }
  | {
      readonly op: 'window'
      readonly from: Rel
      readonly by: readonly Expr[]
      readonly order: Order
      readonly into: readonly AggBinding[]
      /** The rows that each value is made from: those up to its own (the default with an order), all, or some before. */
      readonly frame?: 'running' | 'all' | Sliding
    }
  | {
      readonly op: 'join'
      readonly how: JoinKind
      readonly left: Rel
      readonly right: Rel
      readonly on: readonly JoinKey[]
    }
  | { readonly op: 'union'; readonly all: readonly Rel[] }
  | { readonly op: 'expand'; readonly from: Rel; readonly list: Expr; readonly as: string }
  | { readonly op: 'sort'; readonly from: Rel; readonly order: Order }
  | {
      readonly op: 'limit'
      readonly from: Rel
      readonly rows: number
      readonly per?: readonly Expr[]
    }
  | {
      readonly op: 'named'
      readonly name: string
      readonly value: Rel
      readonly body: Rel
      /** True when the value is computed once, however often it is read. */
      readonly once?: boolean
    }

/** A value of a union that cannot occur; keeps `switch` exhaustive. */
export function absurd(value: never): never {
  throw new TypeError(`unexpected value ${JSON.stringify(value)}`)
}

function overlay(base: Schema, added: readonly Field[]): Schema {
  const names = new Set(added.map((each) => each.name))
  return [...base.filter((each) => !names.has(each.name)), ...added]
}

function fieldOf(binding: Binding): Field {
  const { value } = binding
  const stored = value.op === 'field' && value.stored !== undefined ? { stored: value.stored } : {}
  return { name: binding.name, type: value.type, ...stored }
}

/** The fields that a relation gives, in order. */
export function schemaOf(rel: Rel): Schema {
  switch (rel.op) {
    case 'scan':
    case 'values':
      return rel.out
    case 'filter':
    case 'sort':
    case 'limit':
      return schemaOf(rel.from)
    case 'derive':
      return overlay(schemaOf(rel.from), rel.set.map(fieldOf))
    case 'select':
      return rel.keep.map(fieldOf)
    case 'aggregate':
      return [...rel.by.map(fieldOf), ...rel.into.map(({ name, type }) => ({ name, type }))]
    case 'window':
      return overlay(
        schemaOf(rel.from),
        rel.into.map(({ name, type }) => ({ name, type })),
      )
    case 'join': {
      const left = schemaOf(rel.left)
      if (rel.how === 'semi' || rel.how === 'anti') return left
      const names = new Set(left.map((each) => each.name))
      return overlay(
        left,
        schemaOf(rel.right).filter((each) => !names.has(each.name)),
      )
    }
    case 'union':
      return rel.all.reduce<Schema>((all, each) => {
        const known = new Set(all.map((field) => field.name))
        return all.concat(schemaOf(each).filter((field) => !known.has(field.name)))
      }, [])
    case 'expand': {
      const type: Type = typeof rel.list.type === 'object' ? rel.list.type.list : rel.list.type
      return overlay(schemaOf(rel.from), [{ name: rel.as, type }])
    }
    case 'named':
      return schemaOf(rel.body)
    default:
      return absurd(rel)
  }
}
