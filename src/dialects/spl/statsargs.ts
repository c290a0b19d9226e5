/**
 * The functions of `stats` and its kin: reading their list (`count, dc(user) as users, sum(a_*) as s_*,
 * count(eval(status=404))`), and what each is over rows.
 */
import { limits } from '../../core/limits.ts'
import type { Span } from '../../core/span.ts'
import { suggest } from '../../core/suggest.ts'
import { aggregatesSpelled, functionOf } from '../../functions/catalogue.ts'
import type { FunctionRecord } from '../../functions/record.ts'
import { type Expr, field, NULL } from '../../ir/expr.ts'
import type { AggBinding, Binding } from '../../ir/rel.ts'
import type { EvalExpr } from './ast.ts'
import { chosenSpan, extentOf, secondsOf } from './bincommands.ts'
import type { Context } from './command.ts'
import { readEval } from './evaluation.ts'
import { numbered } from './ordering.ts'
import type { Reader } from './reader.ts'
import { refuse } from './refusal.ts'
import { asNumber, derived, fieldValue, nameParts, nameTest, type Rows } from './rows.ts'
import { type TimeSpan, wantedSpan } from './timespans.ts'

/** One function of a list, as written. */
export interface StatsCall {
  /** In lower case, the digits of a percentile apart. */
  readonly fn: string
  readonly percent?: number
  /** The field, or a pattern of fields. */
  readonly field?: string
  readonly eval?: EvalExpr
  /** The length of the spans of a sparkline. */
  readonly every?: TimeSpan
  /** The name of its column, or a pattern of names. */
  readonly as?: string
  /** The name that the column has where none is given. */
  readonly label: string
  readonly span: Span
}

const PERCENTILE = /^(perc|p|upperperc|exactperc)(\d{1,3}(?:\.\d+)?)$/

/** Functions of `timechart` that tell how much there is in a time: the sum, and the seconds it is told for. */
export const RATES: Readonly<Record<string, number>> = {
  per_second: 1,
  per_minute: 60,
  per_hour: 3_600,
  per_day: 86_400,
}

/** Functions that are known and cannot be run. */
const UNABLE: Readonly<Record<string, string>> = {
  rate_avg: 'rate_avg is for metrics',
  rate_sum: 'rate_sum is for metrics',
}

/** The place of a field's name in the label of a call: replaced where a pattern stands for several. */
const labelOf = (fn: string, argument: string): string => `${fn}(${argument})`

function readFunction(reader: Reader): {
  fn: string
  written: string
  percent?: number
  span: Span
} {
  const token = reader.peek()
  if (token?.kind !== 'word') return reader.fail('expected a function such as count or dc(user)')
  reader.next()
  const written = token.text.toLowerCase()
  const found = PERCENTILE.exec(written)
  const [, name = written, digits] = found ?? []
  if (digits === undefined) {
    const reason = Object.hasOwn(UNABLE, written) ? UNABLE[written] : undefined
    if (reason !== undefined) refuse('HR507', { what: reason }, token.span)
    return { fn: written, written, span: token.span }
  }
  const percent = Number(digits)
  if (percent > 100) reader.fail('a percentile is from 0 to 100', token.span)
  return { fn: name, written, percent, span: token.span }
}

/** What stands between the parentheses of a call. */
function readArgument(
  reader: Reader,
): Pick<StatsCall, 'field' | 'eval'> & { readonly shown: string } {
  const start = reader.expect('(').span.end
  if (reader.take(')')) return { shown: '' }
  const first = reader.peek()
  if (
    first?.kind === 'word' &&
    first.text.toLowerCase() === 'eval' &&
    reader.peekSecond()?.text === '('
  ) {
    reader.next()
    reader.expect('(')
    const made = readEval(reader)
    const end = reader.expect(')').span.end
    reader.expect(')')
    return { eval: made, shown: reader.text.slice(start, end).trim() }
  }
  const { name } = reader.name()
  reader.expect(')')
  return { field: name, shown: name }
}

/** Reads `sparkline`, `sparkline(count)` and `sparkline(count, 1h)`; others are refused. */
function readSparkline(reader: Reader, span: Span): StatsCall {
  const start = reader.at
  let every: TimeSpan | undefined
  if (reader.take('(')) {
    const counted = reader.name('count')
    if (counted.name.toLowerCase() !== 'count' || reader.isAt('(')) {
      refuse('HR507', { what: 'a sparkline of anything but count' }, counted.span)
    }
    if (reader.take(',')) {
      const given = reader.value()
      every = wantedSpan(given.text, given.span)
      if (!('seconds' in every)) refuse('HR507', { what: 'a sparkline over months' }, given.span)
    }
    reader.expect(')')
  }
  const label = `sparkline${reader.text.slice(start, reader.at).trim()}`
  const as = reader.takeWord('as') ? reader.newName('the name of a column').name : undefined
  return {
    fn: 'sparkline',
    label,
    span,
    ...(every === undefined ? {} : { every }),
    ...(as === undefined ? {} : { as }),
  }
}

/** Reads one function with its argument and name. */
function readStatsCall(reader: Reader): StatsCall {
  const { fn, written, percent, span } = readFunction(reader)
  if (fn === 'sparkline') return readSparkline(reader, span)
  const next = reader.peek()
  const hasArgument = next?.kind === 'mark' && next.text === '('
  const { shown, ...argument } = hasArgument
    ? readArgument(reader)
    : { shown: '', ...(fn === 'count' || fn === 'c' ? {} : { field: '*' }) }
  const as = reader.takeWord('as') ? reader.newName('the name of a column').name : undefined
  const isBare = shown === '' && argument.field === undefined && argument.eval === undefined
  known(fn, span)
  return {
    fn,
    ...(percent === undefined ? {} : { percent }),
    ...argument,
    ...(as === undefined ? {} : { as }),
    label: isBare ? written : labelOf(written, argument.field ?? shown),
    span,
  }
}

/** Reads functions to the end, or to a word that stops them. `take` reads what else may stand between them. */
export function readStatsCalls(
  reader: Reader,
  stops: readonly string[],
  take: () => boolean = () => false,
): readonly StatsCall[] {
  const calls: StatsCall[] = []
  while (!reader.isDone) {
    if (reader.take(',') || take()) continue
    const token = reader.peek()
    if (token?.kind === 'word' && stops.includes(token.text.toLowerCase())) break
    calls.push(readStatsCall(reader))
  }
  return calls
}

function known(fn: string, span: Span): FunctionRecord {
  const record = aggregatesSpelled('spl').get(Object.hasOwn(RATES, fn) ? 'sum' : fn)
  if (record !== undefined) return record
  const names = [...aggregatesSpelled('spl').keys()]
  const near = suggest(fn, names)
  const hint = near === undefined ? 'it is no function of stats' : `did you mean ${near}?`
  return refuse('HR508', { name: fn, hint }, span)
}

/** The calls with each pattern of fields written out: `sum(a_*) as s_*` is one call for each field that fits. */
export function spreadCalls(
  calls: readonly StatsCall[],
  rows: Rows,
  without: readonly string[] = [],
): readonly StatsCall[] {
  return calls.flatMap((each): readonly StatsCall[] => {
    const pattern = each.field
    if (pattern === undefined || !pattern.includes('*')) {
      if (each.as?.includes('*'))
        refuse('HR509', { message: 'a * in a name needs one in the field' }, each.span)
      return [each]
    }
    const fits = nameTest(pattern)
    const names = [...rows.fields.keys()].filter(
      (name) =>
        !without.includes(name) && (!name.startsWith('_') || pattern.startsWith('_')) && fits(name),
    )
    return names.map((name): StatsCall => {
      const label = each.label.replace(pattern, () => name)
      return { ...each, field: name, label, ...named(each.as, pattern, name) }
    })
  })
}

/** The name of a column where a pattern of names is given: its stars stand for what those of the field stand for. */
function named(as: string | undefined, pattern: string, name: string): { readonly as?: string } {
  if (as === undefined) return {}
  const parts = [...(nameParts(pattern, name) ?? [])]
  return { as: as.replace(/\*/g, () => parts.shift() ?? '') }
}

/** The name of the column of a call. */
export const columnOf = (call: StatsCall): string => call.as ?? call.label

/** Aggregates over rows, in columns of their own that no field disturbs. */
export interface Aggregates {
  /** The rows with what the aggregates need beside their fields. */
  readonly rows: Rows
  readonly into: readonly AggBinding[]
}

function argumentOf(
  each: StatsCall,
  rows: Rows,
  context: Context,
): { readonly value?: Expr; readonly where?: Expr } {
  if (each.eval === undefined) {
    return each.field === undefined ? {} : { value: fieldValue(rows, each.field) }
  }
  const value = context.evaluate(each.eval, rows)
  if (value.type !== 'bool') return { value }
  if (each.fn === 'count' || each.fn === 'c') return { where: context.test(each.eval, rows) }
  return refuse('HR509', { message: `${each.fn} takes a value here, not a test` }, each.span)
}

/**
 * The aggregates that calls are, each named as `names` says. Values of expressions become columns of the plan, and rows
 * are numbered where an aggregate hangs on their order.
 */
export function aggregatesOf(
  calls: readonly StatsCall[],
  names: readonly string[],
  given: Rows,
  context: Context,
): Aggregates {
  const set: Binding[] = []
  const records = calls.map((each) => {
    const { value, where } = argumentOf(each, given, context)
    if (each.fn === 'sparkline') return { record: functionOf('stats.sparkline'), each }
    const isBare = value === undefined
    if (isBare && each.fn !== 'count' && each.fn !== 'c') {
      return refuse('HR509', { message: `${each.fn} needs a field` }, each.span)
    }
    const record = isBare ? functionOf('stats.count_rows') : known(each.fn, each.span)
    if (record.takes.some(({ name }) => name === 'percent') && each.percent === undefined) {
      return refuse(
        'HR509',
        { message: `${each.fn} needs a number, as in ${each.fn}95` },
        each.span,
      )
    }
    return {
      record,
      value: value === undefined ? undefined : placed(value, set, context),
      where,
      each,
    }
  })
  const needsOrder = records.some(({ record }) => record.ordered)
  const rank = needsOrder ? numbered(derived(given, set), context) : undefined
  const rows = rank?.rows ?? derived(given, set)
  const into = records.map(({ record, value = NULL, where, each }, at): AggBinding => {
    const args = record.takes.flatMap(({ name }): readonly Expr[] => {
      if (name === 'value') return [value]
      if (name === 'time') return [fieldTime(rows)]
      if (name === 'order') return [rank?.number ?? NULL]
      if (name === 'start') return sparkline(each, rows, context)
      if (name === 'step' || name === 'places') return []
      return [{ op: 'const', value: each.percent ?? 0, type: 'float' }]
    })
    const type = record.givesFor?.(args.map((arg) => arg.type)) ?? record.gives
    const name = names[at] ?? columnOf(each)
    return { name, fn: record.id, args, type, ...(where === undefined ? {} : { where }) }
  })
  return { rows, into }
}

/** Where a sparkline begins, the length of its spans, and how many there are. */
function sparkline({ every, span }: StatsCall, rows: Rows, context: Context): readonly Expr[] {
  const [from, to] = extentOf(rows, fieldTime(rows), context, span) ?? [0, 0]
  const length = secondsOf(every ?? chosenSpan(to - from, SPARKS, 1))
  const start = Math.floor(from / length) * length
  const places = Math.floor((to - start) / length) + 1
  if (places > limits.sparklineSpans) {
    const size = `${places} spans`
    refuse('HR517', { what: 'the sparkline', size, limit: limits.sparklineSpans }, span)
  }
  const constant = (value: number, type: 'float' | 'int'): Expr => ({ op: 'const', value, type })
  return [constant(start, 'float'), constant(length, 'float'), constant(places, 'int')]
}

/** Spans of a sparkline when no length is said. */
const SPARKS = 100

/** The time of rows, which aggregates by time need. */
function fieldTime(rows: Rows): Expr {
  return asNumber(fieldValue(rows, '_time'))
}

/** A value that is no plain field as a column of the plan. */
function placed(value: Expr, set: Binding[], context: Context): Expr {
  if (value.op === 'field' || value.op === 'const') return value
  const name = context.hidden('a')
  set.push({ name, value })
  return field(name, value.type)
}
