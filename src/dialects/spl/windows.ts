/** Windows over rows: values that a row gets from those around it, along their order. */
import { call, type Expr, field } from '../../ir/expr.ts'
import type { AggBinding, Order, Sliding } from '../../ir/rel.ts'
import type { Context } from './command.ts'
import { int, type Rows } from './rows.ts'

export interface Along {
  /** What tells apart the rows that see each other; all do where nothing is said. */
  readonly by?: readonly Expr[]
  /** That of the rows where nothing is said; none for all rows at once. */
  readonly order?: Order
  /** The rows that each sees: those up to it where nothing is said. */
  readonly frame?: 'running' | 'all' | Sliding
}

/** Rows with columns more, which a window gives. */
export function windowed(rows: Rows, into: readonly AggBinding[], along: Along = {}): Rows {
  const { by = [], frame = 'running' } = along
  const { order = frame === 'all' ? [] : rows.order } = along
  return { ...rows, rel: { op: 'window', from: rows.rel, by, order, into, frame } }
}

/** The order of a column of numbers. */
export const byNumber = (number: Expr): Order => [{ by: number, down: false, nulls: 'last' }]

/** Rows with one column more, and its value. */
interface Seen {
  readonly rows: Rows
  readonly value: Expr
}

/** The value that was so many rows before; `none` where there is no such row. */
export function previous(
  rows: Rows,
  value: Expr,
  none: Expr,
  context: Context,
  { count = 1, ...along }: Along & { readonly count?: number } = {},
): Seen {
  const name = context.hidden('l')
  const into = [{ name, fn: 'win.lag', args: [value, int(count), none], type: value.type }]
  return { rows: windowed(rows, into, along), value: field(name, value.type) }
}

/** The sum of whole numbers along the rows, each row's own with it. */
export function runningSum(rows: Rows, value: Expr, context: Context, along: Along = {}): Seen {
  const name = context.hidden('g')
  const into: readonly AggBinding[] = [{ name, fn: 'win.sum', args: [value], type: 'int' }]
  return { rows: windowed(rows, into, along), value: field(name, 'int') }
}

/** The number of the row, from 1. */
export function rowNumber(rows: Rows, context: Context, along: Along = {}): Seen {
  const name = context.hidden('i')
  const into: readonly AggBinding[] = [{ name, fn: 'win.row_number', args: [], type: 'int' }]
  return { rows: windowed(rows, into, along), value: field(name, 'int') }
}

/** A test as 1 or 0. */
export const flag = (test: Expr): Expr => call('eval.case', [test, int(1), int(0)], 'int')
