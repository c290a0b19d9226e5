/** Lengths of time buckets as searches write them (`5m`, `1h`, `1d`, `1mon`), and the bucket that a time is in. */
import type { Span } from '../../core/span.ts'
import { PARTS_OF_SECONDS, TIME_UNITS, unitNamed } from '../../functions/timeunits.ts'
import { call, type Expr, text } from '../../ir/expr.ts'
import { refuse } from './refusal.ts'

/** A length of time: so many seconds, or so many months, quarters or years of the calendar. */
export type TimeSpan =
  | { readonly seconds: number }
  | { readonly count: number; readonly calendar: 'mon' | 'q' | 'y' }

const unitOf = unitNamed([
  ...PARTS_OF_SECONDS,
  { names: 'cs', seconds: 0.01, months: 0 },
  { names: 'ds', seconds: 0.1, months: 0 },
  ...TIME_UNITS,
])

/** Units of the calendar by their months. */
const CALENDAR: ReadonlyMap<number, 'mon' | 'q' | 'y'> = new Map([
  [1, 'mon'],
  [3, 'q'],
  [12, 'y'],
])

/** Reads a length; a number alone is one of seconds. Undefined for other texts. */
export function timeSpan(written: string): TimeSpan | undefined {
  const match = /^(\d*(?:\.\d+)?)([a-z]*)(?:@[a-z0-9]+)?$/i.exec(written.trim())
  if (match === null) return undefined
  const [, digits = '', word = ''] = match
  if (digits === '' && word === '') return undefined
  const count = digits === '' ? 1 : Number(digits)
  const unit = unitOf(word === '' ? 's' : word.toLowerCase())
  if (unit === undefined || !(count > 0)) return undefined
  const calendar = CALENDAR.get(unit.months)
  if (calendar === undefined) return { seconds: count * unit.seconds }
  return Number.isInteger(count) && count <= 1_200 ? { count, calendar } : undefined
}

/** Reads a length, or refuses. */
export function wantedSpan(written: string, place: Span): TimeSpan {
  const made = timeSpan(written)
  return (
    made ?? refuse('HR506', { option: 'span', wanted: 'a length of time such as 5m or 1h' }, place)
  )
}

/** Weeks begin on Sunday; the first of 1970 was the fourth of January. */
const FIRST_SUNDAY = 3 * 86_400
const WEEK = 604_800

/** The beginning of the bucket that a time is in. `origin`: an instant at which some bucket begins. */
export function timeBucket(time: Expr, span: TimeSpan, origin?: number): Expr {
  if ('calendar' in span) {
    const count: Expr = { op: 'const', value: span.count, type: 'int' }
    return call('time.bucket_months', [time, count, text(span.calendar)], 'float')
  }
  const { seconds } = span
  const start = origin ?? (seconds % WEEK === 0 ? FIRST_SUNDAY : 0)
  return call('time.bucket_seconds', [time, seconds, start].map(constantOf), 'float')
}

const constantOf = (value: Expr | number): Expr =>
  typeof value === 'number' ? { op: 'const', value, type: 'float' } : value
