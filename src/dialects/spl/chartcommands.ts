/** `chart` and `timechart`: tables for drawing, with a column for each value of a field. */
import type { Span } from '../../core/span.ts'
import { call, type Expr } from '../../ir/expr.ts'
import { isList } from '../../ir/types.ts'
import { BIN_OPTIONS, numberBin, secondsOf, timeBin } from './bincommands.ts'
import { type CommandRecord, type Context, command } from './command.ts'
import { idle, Options } from './options.ts'
import {
  emptyCell,
  type Pivot,
  type PivotCell,
  pivoted,
  type SeriesChoice,
  withoutGaps,
} from './pivot.ts'
import type { Reader } from './reader.ts'
import { refuse } from './refusal.ts'
import { derived, fieldValue, float, orderKey, type Rows } from './rows.ts'
import { present } from './searching.ts'
import {
  aggregatesOf,
  columnOf,
  RATES,
  readStatsCalls,
  type StatsCall,
  spreadCalls,
} from './statsargs.ts'
import { distinctCalls, grouped, keyedRows, refuseFlags } from './statscommands.ts'
import type { TimeSpan } from './timespans.ts'

const SERIES_OPTIONS = {
  limit: 'text',
  agg: ['sum', 'avg', 'mean', 'max', 'min', 'count', 'dc', 'median', 'range', 'stdev', 'var'],
  useother: 'flag',
  usenull: 'flag',
  otherstr: 'text',
  nullstr: 'text',
  sep: 'text',
  format: 'text',
  cont: 'flag',
  dedup_splitvals: 'flag',
} as const

const TIME_OPTIONS = {
  ...SERIES_OPTIONS,
  partial: 'flag',
  fixedrange: idle('flag', 'the table goes from the first event to the last'),
  span: 'text',
  minspan: 'text',
  bins: 'count',
  aligntime: 'text',
} as const

/** A field of the table with how its values are put in bins. */
interface Axis {
  readonly name: string
  readonly bins: Options
  readonly span: Span
}

interface ChartNode {
  readonly calls: readonly StatsCall[]
  readonly options: Options
  readonly over?: Axis
  readonly split?: Axis
  readonly chosen?: Chosen
}

/** Options that are those of the time in a timechart, wherever they stand. */
const OF_TIME: readonly string[] = ['span', 'bins', 'minspan', 'aligntime']

/** Reads a field, and the options of its bins behind it; in a timechart those of the time. */
function readAxis(reader: Reader, options: Options): Axis {
  const { name, span } = reader.name()
  if (name.includes('*')) reader.fail('a chart is made over a field, not a pattern', span)
  const bins = new Options(BIN_OPTIONS)
  for (;;) {
    const option = reader.optionName()
    if (option === undefined) break
    const isOfTime = reader.command === 'timechart' && OF_TIME.includes(option)
    if (Object.hasOwn(BIN_OPTIONS, option) && !isOfTime) bins.take(reader)
    else options.take(reader)
  }
  return { name, bins, span }
}

const STOPS = ['over', 'by']

function readChart(reader: Reader): ChartNode {
  const options = new Options(SERIES_OPTIONS)
  const bins = new Options(BIN_OPTIONS)
  const take = (): boolean => {
    const option = reader.optionName()
    return option !== undefined && Object.hasOwn(BIN_OPTIONS, option)
      ? bins.take(reader)
      : options.take(reader)
  }
  const calls = readStatsCalls(reader, STOPS, take)
  if (calls.length === 0) reader.fail('chart needs a function such as count')
  let over = reader.takeWord('over') ? readAxis(reader, options) : undefined
  let split: Axis | undefined
  if (reader.takeWord('by')) {
    const first = readAxis(reader, options)
    reader.take(',')
    if (over === undefined) {
      over = first
      if (!reader.isDone && !reader.isWord('where')) split = readAxis(reader, options)
    } else split = first
    reader.take(',')
  }
  const chosen = split === undefined ? undefined : readChosen(reader)
  refuseFlags(options, ['cont', 'dedup_splitvals'])
  // Bins that are written before the fields are those of the rows.
  const own = over !== undefined && bins.isGiven ? { ...over, bins } : over
  return {
    calls,
    options,
    ...(own === undefined ? {} : { over: own }),
    ...(split === undefined ? {} : { split }),
    ...(chosen === undefined ? {} : { chosen }),
  }
}

/** Which series are shown, as `where sum in top5` says it. */
interface Chosen {
  readonly score: string
  readonly isTop: boolean
  readonly count: number
}

/** Reads `where sum in top5`; other conditions on series are refused. */
function readChosen(reader: Reader): Chosen | undefined {
  const start = reader.peek()?.span
  if (!reader.takeWord('where')) return undefined
  const score = reader.name('a function such as sum').name.toLowerCase()
  const match = reader.takeWord('in')
    ? /^(top|bottom)(\d{1,6})$/i.exec(reader.value().text)
    : undefined
  const isKnown: boolean = SERIES_OPTIONS.agg.some((each) => each === score)
  if (!match || !isKnown || Number(match[2]) === 0) {
    return refuse(
      'HR507',
      { what: 'a condition on series that is not like "where sum in top5"' },
      start,
    )
  }
  return { score, isTop: match[1]?.toLowerCase() === 'top', count: Number(match[2]) }
}

/** Series that are shown when no number is said. */
const SHOWN = 10

/** Which series are shown: `limit=5`, `limit=top5`, `limit=bottom5`. */
function choiceOf(options: Options, chosen: Chosen | undefined): SeriesChoice {
  const given = options.given('limit')
  const match = /^(top|bottom)? *(\d{1,6})$/i.exec(given?.text.trim() ?? `${SHOWN}`)
  if (match === null) {
    refuse('HR506', { option: 'limit', wanted: 'a number such as 5, top5 or bottom5' }, given?.span)
  }
  const limit = {
    score: options.word('agg') ?? 'sum',
    isTop: match?.[1]?.toLowerCase() !== 'bottom',
    count: Number(match?.[2] ?? SHOWN),
  }
  const { score, isTop, count } = chosen ?? limit
  return {
    count,
    isTop,
    score: score === 'mean' ? 'avg' : score,
    ...(options.flag('useother', true) ? { other: options.text('otherstr') ?? 'OTHER' } : {}),
    ...(options.flag('usenull', true) ? { missing: options.text('nullstr') ?? 'NULL' } : {}),
  }
}

/** The name of a column: the series alone where there is one aggregate, else both. */
function namesOf(options: Options, calls: number) {
  const format = options.text('format')
  const sep = options.text('sep') ?? ': '
  return (series: string, label: string): string => {
    if (calls === 1 && format === undefined) return series
    if (format === undefined) return `${label}${sep}${series}`
    return format.replace(/\$(AGG|VAL)\$/gi, (_, which: string) =>
      which.toUpperCase() === 'AGG' ? label : series,
    )
  }
}

/** The field of an axis in bins, where it says so. */
function binned(rows: Rows, { name, bins, span }: Axis, context: Context): Rows {
  if (!bins.isGiven) return rows
  const value = fieldValue(rows, name)
  if (value.type === 'null') return rows
  const made =
    name === '_time'
      ? timeBin(rows, value, bins, context, span).value
      : numberBin(rows, value, bins, context, span)
  return derived(rows, [{ name, value: made }])
}

/** The factor that makes a sum one for each second, minute, hour or day. */
function rateOf(each: StatsCall, span: TimeSpan | undefined): number | undefined {
  const unit = Object.hasOwn(RATES, each.fn) ? RATES[each.fn] : undefined
  if (unit === undefined) return undefined
  if (span === undefined) {
    return refuse('HR509', { message: `${each.fn} is for timechart only` }, each.span)
  }
  return unit / secondsOf(span)
}

/** Functions that count. */
const COUNTS: readonly string[] = ['count', 'c', 'dc', 'distinct_count', 'estdc']

interface Table {
  readonly over: string
  readonly split?: string
  readonly options: Options
  readonly calls: readonly StatsCall[]
  readonly chosen?: Chosen | undefined
  readonly time?: TimeSpan
}

/** The table of a chart and what its cells are made by. */
function table(
  rows: Rows,
  { over, split, options, calls, chosen, time }: Table,
  context: Context,
  span: Span,
): Pivot {
  const spread = split === undefined ? [over] : [over, split]
  const list = distinctCalls(spreadCalls(calls, rows, spread))
  const keyed = keyedRows(rows, [over])
  const labels = list.map(columnOf)
  if (split === undefined) {
    const made = grouped(keyed, list, [over], context)
    const set = list.flatMap((each) => {
      const rate = rateOf(each, time)
      const name = columnOf(each)
      if (rate === undefined) return []
      const value = call('eval.multiply', [fieldValue(made, name), float(rate)], 'float')
      return [{ name, value }]
    })
    const counts = list.filter(({ fn }) => COUNTS.includes(fn)).map(columnOf)
    return { rows: derived(made, set), counts: new Set(counts) }
  }
  const choice = choiceOf(options, chosen)
  const series = spreadSplit(keyed, split, choice.missing)
  const { rows: from, into } = aggregatesOf(list, labels, series, context)
  const cells = list.map((each, at): PivotCell => {
    const rate = rateOf(each, time)
    const binding = into[at]
    if (binding === undefined) throw new RangeError('a call has no aggregate')
    const finish = (value: Expr): Expr => call('eval.multiply', [value, float(rate ?? 1)], 'float')
    return { label: columnOf(each), binding, ...(rate === undefined ? {} : { finish }) }
  })
  const nameOf = namesOf(options, cells.length)
  const node = { over, split, choice, nameOf }
  return pivoted(from, node, cells, context, span)
}

/** Each value of a list is one of its own; rows without any are those of the missing series. */
function spreadSplit(rows: Rows, split: string, missing: string | undefined): Rows {
  const value = fieldValue(rows, split)
  if (!isList(value.type)) return rows
  const none: Expr = {
    op: 'const',
    value: missing === undefined ? [] : [missing],
    type: value.type,
  }
  const list = call('eval.case', [present(value), value, none], value.type)
  return {
    ...rows,
    rel: { op: 'expand', from: rows.rel, list, as: split },
    fields: new Map(rows.fields).set(split, 'text'),
  }
}

/** Rows in the order of the ranges of numbers that a field holds. */
function inRanges(rows: Rows, name: string, context: Context): Rows {
  const value = fieldValue(rows, name)
  if (value.type !== 'text') return rows
  const column = context.hidden('o')
  const made = derived(rows, [{ name: column, value: call('bin.lower', [value], 'float') }])
  return { ...made, order: [orderKey(column, 'float'), ...rows.order] }
}

const chart = command<ChartNode>({
  name: 'chart',
  says: 'Makes a table of one row for each value of a field, with a column for each value of another.',
  kind: 'transforming',
  options: SERIES_OPTIONS,
  read: readChart,
  lower: ({ calls, options, over, split, chosen }, rows, context, span) => {
    if (over === undefined) return grouped(rows, calls, [], context)
    if (split?.name === over.name) {
      refuse('HR509', { message: 'a chart needs two different fields' }, split.span)
    }
    const base = binned(rows, over, context)
    const own = split === undefined ? base : binned(base, split, context)
    const node = { over: over.name, options, calls, chosen }
    const made = table(
      own,
      split === undefined ? node : { ...node, split: split.name },
      context,
      span,
    )
    return over.bins.isGiven ? inRanges(made.rows, over.name, context) : made.rows
  },
})

function readTimechart(reader: Reader): ChartNode {
  const options = new Options(TIME_OPTIONS)
  const calls = readStatsCalls(reader, ['by'], () => options.take(reader))
  if (calls.length === 0) reader.fail('timechart needs a function such as count')
  const split = reader.takeWord('by') ? readAxis(reader, options) : undefined
  reader.take(',')
  const chosen = split === undefined ? undefined : readChosen(reader)
  refuseFlags(options, ['dedup_splitvals'])
  if (!options.flag('partial', true)) {
    refuse('HR507', { what: 'partial=false' }, options.given('partial')?.span)
  }
  return {
    calls,
    options,
    ...(split === undefined ? {} : { split }),
    ...(chosen === undefined ? {} : { chosen }),
  }
}

/** What makes the beginnings of the spans from one to the next. */
export function spansBetween(span: TimeSpan): (first: Expr, next: Expr) => Expr {
  if ('seconds' in span) {
    return (first, next) =>
      call('bin.between', [first, next, float(span.seconds)], { list: 'text' })
  }
  const months = span.count * { mon: 1, q: 3, y: 12 }[span.calendar]
  const count: Expr = { op: 'const', value: months, type: 'int' }
  return (first, next) => call('bin.months_between', [first, next, count], { list: 'text' })
}

const timechart = command<ChartNode>({
  name: 'timechart',
  says: 'Makes a table of one row for each span of time, with a column for each value of a field.',
  kind: 'transforming',
  options: TIME_OPTIONS,
  read: readTimechart,
  lower: ({ calls, options, split, chosen }, rows, context, span) => {
    const time = fieldValue(rows, '_time')
    if (time.type === 'null') {
      refuse('HR509', { message: 'timechart needs _time, and no row has it' }, span)
    }
    const made = timeBin(rows, time, options, context, span)
    const base = derived(rows, [{ name: '_time', value: made.value }])
    const own = split === undefined ? base : binned(base, split, context)
    const node = { over: '_time', options, calls, chosen, time: made.span }
    const table_ = table(
      own,
      split === undefined ? node : { ...node, split: split.name },
      context,
      span,
    )
    if (!options.flag('cont', true)) return table_.rows
    context.note('time', 'rows from the first span with events to the last', span)
    const cell = (name: string, type: Parameters<typeof emptyCell>[1]): Expr =>
      emptyCell(table_.counts.has(name), type)
    return withoutGaps(table_.rows, '_time', spansBetween(made.span), cell, context)
  },
})

export const chartCommands: readonly CommandRecord[] = [chart, timechart]
