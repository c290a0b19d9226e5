/**
 * What lowering carries from operator to operator: rows with their columns and order, the meaning of names, and the
 * one way to give up on a query.
 */

import type { Code } from '../../core/codes.ts'
import { type Diagnostic, diagnose, type Params } from '../../core/diagnostic.ts'
import type { Span } from '../../core/span.ts'
import { call, type Expr, field } from '../../ir/expr.ts'
import type { Binding, Order, Rel, Scalar } from '../../ir/rel.ts'
import type { BaseType, Field } from '../../ir/types.ts'
import type { Column, Node } from './adapter.ts'
import type { Discovery, KustoPin } from './answer.ts'

/** A query cannot run; thrown within the dialect only, and caught where a query begins. */
export class Refusal extends Error {
  readonly diagnostic: Diagnostic

  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message)
    this.diagnostic = diagnostic
  }
}

/** A query cannot be compiled before its columns are found in the data; thrown as a refusal is. */
export class Undiscovered extends Refusal {
  readonly discovery: Discovery

  constructor(diagnostic: Diagnostic, discovery: Discovery) {
    super(diagnostic)
    this.discovery = discovery
  }
}

/** Start of the names of inputs that a query reads and that nobody has given: binding refuses them by name. */
export const MISSING_INPUT = 'missing:'

/** A query reads rows whose very columns depend on an input that is not given; thrown and caught as a refusal is. */
export class InputMissing extends Error {
  readonly what: string

  constructor(what: string) {
    super(what)
    this.what = what
  }
}

/** Gives up with a diagnostic at a place. */
export function refuse<C extends Code>(code: C, params: Params<C>, span?: Span): never {
  throw new Refusal(diagnose(code, params, span))
}

/** Rows under way. `order` speaks of hidden columns only, so that no operator on named columns can disturb it. */
export interface Rowset {
  readonly rel: Rel
  readonly columns: readonly Column[]
  readonly order: Order
  /** Hidden columns that tell apart the small tables that an operator works on one by one (`partition`, `mv-apply`). */
  readonly by: readonly KeyField[]
}

/** A hidden column that tells small tables apart, or one that the others decide and that is only carried along. */
export interface KeyField extends Field {
  readonly follows?: true
}

/** Columns that queries need for themselves begin so; no column of a user does. */
const HIDDEN = '@@'

/** Makes rows from rows. */
export type Operator = (rows: Rowset, node: Node, context: Context) => Rowset

/** What a name in a query stands for. */
export type Meaning =
  | { readonly kind: 'scalar'; readonly value: () => Expr }
  | { readonly kind: 'table'; readonly rows: () => Rowset }
  | { readonly kind: 'function'; readonly env: Env }

/** Names in scope; an inner scope hides the names of the outer one. */
export class Env {
  readonly #outer: Env | undefined
  readonly #names = new Map<string, Meaning | undefined>()

  constructor(outer?: Env) {
    this.#outer = outer
  }

  get(name: string): Meaning | undefined {
    return this.#names.has(name) ? this.#names.get(name) : this.#outer?.get(name)
  }

  /** Gives a name a meaning; undefined hides what it means outside. */
  set(name: string, meaning: Meaning | undefined): void {
    this.#names.set(name, meaning)
  }
}

/** Computes a value once, when it is first asked for; a definition that needs itself is refused. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

/** One row as expressions see it. */
export type Row = ReadonlyMap<string, Expr>

/** The lowering of one query, as the files that each know a part of the language see it. */
export interface Lowerer {
  /** The outermost scope: what the query itself has not defined. */
  readonly root: Env
  /** The kind of chart that the query asks for. */
  render: string | undefined
  /** What the query sets for itself (`set name = value`), by name. */
  readonly settings: ReadonlyMap<string, Node>
  /**
   * Columns that the binder believes in and the language does not make: the other values of a call that is given one
   * name, as in `extend x = series_stats(y)`.
   */
  readonly phantoms: Set<string>
  expr(node: Node, context: Context): Expr
  table(node: Node, env: Env): Rowset
  operate(rows: Rowset, operator: Node, env: Env): Rowset
  /** What an operator without input begins with: one row without columns. */
  nothing(): Rowset
  /** The rows of a table of the store. */
  stored(name: string, node: Node): Rowset
  /** Files that the user gave for addresses of `externaldata`. */
  readonly pins: readonly KustoPin[]
  /** Names of the tables there are. */
  tableNames(): readonly string[]
  statements(list: readonly Node[], env: Env): void
  /** Rows that the body of a user's function gives, called at a place. */
  body(body: Node, env: Env, node: Node): Rowset
  /** A name for a column that only the plan knows. */
  hidden(label: string): string
  /** Where a node stands in the whole text; inside a function that is written out, the place of its call. */
  place(node: Node): Span
  /** Runs what is inside a call of a user's function. */
  inside<T>(call: Node, make: () => T): T
  notice(diagnostic: Diagnostic): void
  /** Gives up until the columns that a call gives are found; refuses where they cannot be written behind it. */
  discover(call: Node, rows: Rowset, found: Omit<Discovery, 'rel' | 'at'>): never
  /** Refuses a constant pattern that the engine's regular expressions do not read. */
  checkRegex(pattern: Expr, node: Node): void
  /** Refuses a call whose record does not take it. */
  checkCall(made: Expr, name: string, node: Node): void
  /** The relation with its rows in the order that they have. */
  sorted(rows: Rowset): Rel
  /** Rows that are computed once, however often they are read. */
  shared(rows: Rowset): Rowset
}

/** What an expression can see. */
export interface Context {
  readonly lowering: Lowerer
  readonly env: Env
  /** Columns in reach; undefined where an expression stands outside of any row. */
  readonly row?: Row
  /** Takes calls that only an operator can understand: aggregates, and functions of neighbouring rows. */
  readonly special?: (node: Node, context: Context) => Expr | undefined
}

export function rowOf(rows: Rowset): Row {
  return new Map(rows.columns.map(({ name, type }) => [name, field(name, type)]))
}

/** A name for a column that no query can name. */
export function hiddenName(label: string, count: number): string {
  return `${HIDDEN}${label}${count}`
}

/** True for the hidden column that numbers rows written in the query. */
export function isPlace(name: string): boolean {
  return /^@@i\d+$/.test(name)
}

/** The hidden columns that carry the order. */
export function orderFields(order: Order): readonly Field[] {
  return order.flatMap(({ by }) => (by.op === 'field' ? [{ name: by.name, type: by.type }] : []))
}

/** The hidden columns of rows. */
export function hiddenFields({ order, by }: Rowset): readonly Field[] {
  return [...orderFields(order), ...by]
}

/** Columns as they are. */
export function same(columns: readonly KeyField[]): readonly Binding[] {
  return columns.map(({ name, type, follows }) => ({
    name,
    value: field(name, type),
    ...(follows ? { follows } : {}),
  }))
}

/** What tells the small tables of rows apart, as windows and limits take it. */
export function partitionOf({ by }: Rowset): readonly Expr[] {
  return by.filter(({ follows }) => !follows).map(({ name, type }) => field(name, type))
}

/** New columns from old ones; the order is carried along. */
export function selected(
  rows: Rowset,
  columns: readonly Column[],
  values: readonly Expr[],
  extra: readonly Binding[] = [],
): Rowset {
  const keep = columns.map(({ name }, index): Binding => {
    const value = values[index]
    if (value === undefined) throw new TypeError(`no value for the column ${name}`)
    return { name, value }
  })
  return {
    ...rows,
    rel: { op: 'select', from: rows.rel, keep: [...keep, ...same(hiddenFields(rows)), ...extra] },
    columns,
  }
}

export function filtered(rows: Rowset, where: Expr): Rowset {
  return { ...rows, rel: { op: 'filter', from: rows.rel, where } }
}

/** The same rows with a hidden column more. */
export function derived(rows: Rowset, set: readonly Binding[]): Rowset {
  return set.length === 0 ? rows : { ...rows, rel: { op: 'derive', from: rows.rel, set } }
}

/** Constants of a type, null too. */
export function constant(value: Scalar, type: BaseType): Expr {
  return { op: 'const', value, type }
}

/** What a column holds where there is nothing: the empty text, or null. */
export function missing(type: BaseType): Expr {
  return constant(type === 'text' ? '' : null, type)
}

/** The value in another type, by the rules of Kusto's conversion functions. */
export function cast(value: Expr, type: BaseType): Expr {
  if (value.type === type) return value
  if (value.op === 'const' && value.value === null) return missing(type)
  if (value.type === 'null') return missing(type)
  if (value.op === 'const' && typeof value.value === 'number') {
    if (type === 'float' || type === 'decimal') return constant(value.value, type)
    if (type === 'int' && value.type === 'int32') return constant(value.value, type)
    if (type === 'int32' && value.type === 'int' && Math.abs(value.value) < 2 ** 31) {
      return constant(value.value, type)
    }
  }
  return call(`cast.${type}`, [value], type)
}

/** Where a node stands, for diagnostics. */
export function spanOf(node: Node): Span {
  return { start: node.start, end: node.end }
}
