/** Commands on numbers along the rows: `delta`, `accum`, `autoregress`, `trendline`, `outlier`, `rangemap`. */
import { limits } from '../../core/limits.ts'
import type { Span } from '../../core/span.ts'
import { and, call, type Expr, field, or, text } from '../../ir/expr.ts'
import type { AggBinding, Binding, Sliding } from '../../ir/rel.ts'
import { isList } from '../../ir/types.ts'
import { type CommandRecord, type Context, command } from './command.ts'
import { fixed, Options } from './options.ts'
import { numbered } from './ordering.ts'
import type { Reader } from './reader.ts'
import { refuse } from './refusal.ts'
import {
  asNumber,
  asText,
  derived,
  fieldValue,
  filtered,
  float,
  int,
  namesMeant,
  type Rows,
} from './rows.ts'
import { present } from './searching.ts'
import { where } from './statscommands.ts'
import { byNumber, previous, windowed } from './windows.ts'

const noText: Expr = { op: 'const', value: null, type: 'text' }

interface FieldNode {
  readonly name: string
  readonly as?: string
  readonly options: Options
}

/** Reads `field [as name]` with options around it. */
function readField(reader: Reader, options: Options): FieldNode {
  options.takeAll(reader)
  const { name } = reader.name()
  options.takeAll(reader)
  const as = reader.takeWord('as') ? reader.name().name : undefined
  options.takeAll(reader)
  return { name, options, ...(as === undefined ? {} : { as }) }
}

/** The value that a field had so many rows before. */
function before(rows: Rows, number: Expr, value: Expr, count: number, context: Context) {
  const none: Expr = { op: 'const', value: null, type: value.type }
  return previous(rows, value, none, context, { count, order: byNumber(number) })
}

/** A plain column of an expression, for windows. */
function column(rows: Rows, value: Expr, context: Context): { rows: Rows; value: Expr } {
  const name = context.hidden('v')
  return { rows: derived(rows, [{ name, value }]), value: field(name, value.type) }
}

const DELTA_OPTIONS = { p: 'count' } as const

const delta = command<FieldNode>({
  name: 'delta',
  says: 'How much a number is more than it was one row before, or as many as p says.',
  kind: 'streaming',
  options: DELTA_OPTIONS,
  read: (reader) => readField(reader, new Options(DELTA_OPTIONS)),
  lower: ({ name, as, options }, rows, context) => {
    const count = options.number('p', 1)
    if (count === 0)
      refuse('HR506', { option: 'p', wanted: 'at least 1' }, options.given('p')?.span)
    const placed = numbered(rows, context)
    const own = column(placed.rows, asNumber(fieldValue(rows, name)), context)
    const last = before(own.rows, placed.number, own.value, count, context)
    const value = call('eval.subtract', [own.value, last.value], 'float')
    return derived(last.rows, [{ name: as ?? `delta(${name})`, value }])
  },
})

const accum = command<FieldNode>({
  name: 'accum',
  says: 'The sum of a number over the rows so far.',
  kind: 'streaming',
  read: (reader) => readField(reader, new Options({})),
  lower: ({ name, as }, rows, context) => {
    const placed = numbered(rows, context)
    const own = column(placed.rows, asNumber(fieldValue(rows, name)), context)
    const sum = context.hidden('s')
    const into: AggBinding = { name: sum, fn: 'stats.sum', args: [own.value], type: 'float' }
    const made = windowed(own.rows, [into], { order: byNumber(placed.number) })
    return derived(made, [
      { name: as ?? name, value: where(present(own.value), field(sum, 'float')) },
    ])
  },
})

interface RegressNode extends FieldNode {
  readonly from: number
  readonly to: number
}

const autoregress = command<RegressNode>({
  name: 'autoregress',
  says: 'Adds to every row the value that a field had one or more rows before.',
  kind: 'streaming',
  options: { p: 'text' },
  read: (reader) => {
    const node = readField(reader, new Options({ p: 'text' }))
    const given = node.options.given('p')
    const match = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(given?.text ?? '1')
    const from = Number(match?.[1] ?? 0)
    const to = Number(match?.[2] ?? from)
    if (from === 0 || to < from || to - from >= limits.regressRows) {
      refuse('HR506', { option: 'p', wanted: 'a number of rows such as 3 or 1-5' }, given?.span)
    }
    if (node.as !== undefined && to > from) {
      refuse(
        'HR509',
        { message: 'a name with "as" is for one row before, not for several' },
        given?.span,
      )
    }
    return { ...node, from, to }
  },
  lower: ({ name, as, from, to }, rows, context) => {
    const placed = numbered(rows, context)
    const value = fieldValue(rows, name)
    if (value.type === 'null') return rows
    const own = column(placed.rows, isList(value.type) ? asText(value) : value, context)
    let made = own.rows
    const set: Binding[] = []
    for (let count = from; count <= to; count++) {
      const last = before(made, placed.number, own.value, count, context)
      made = last.rows
      set.push({ name: as ?? `${name}_p${count}`, value: last.value })
    }
    return derived(made, set)
  },
})

interface Trend {
  readonly kind: 'sma' | 'wma'
  readonly rows: number
  readonly name: string
  readonly as: string
}

function readTrends(reader: Reader): readonly Trend[] {
  const trends: Trend[] = []
  while (!reader.isDone) {
    if (reader.take(',')) continue
    const token = reader.next()
    const match = /^(sma|wma|ema)(\d{1,5})$/i.exec(token.text)
    const kind = match?.[1]?.toLowerCase()
    const rows = Number(match?.[2])
    if (kind === 'ema') {
      refuse('HR507', { what: 'ema in trendline; sma and wma are' }, token.span)
    }
    if ((kind !== 'sma' && kind !== 'wma') || rows < 2 || rows > limits.trendRows) {
      return reader.fail(
        `expected a trend such as sma5(field), over 2 to ${limits.trendRows} rows`,
        token.span,
      )
    }
    reader.expect('(')
    const { name } = reader.name()
    reader.expect(')')
    const as = reader.takeWord('as') ? reader.name().name : `${kind}${rows}(${name})`
    trends.push({ kind, rows, name, as })
  }
  if (trends.length === 0) reader.fail('trendline needs a trend such as sma5(field)')
  return trends
}

const trendline = command<readonly Trend[]>({
  name: 'trendline',
  says: 'The mean of a number over the last rows: plain (sma5), or with more weight on the later ones (wma5).',
  kind: 'streaming',
  read: readTrends,
  lower: (trends, rows, context) =>
    trends.reduce((given, trend) => {
      const placed = numbered(given, context)
      const own = column(placed.rows, asNumber(fieldValue(given, trend.name)), context)
      const [mean, count] = [context.hidden('m'), context.hidden('c')]
      const args = trend.kind === 'sma' ? [own.value] : [own.value, placed.number]
      const fn = trend.kind === 'sma' ? 'stats.avg' : 'stats.wma'
      const into: readonly AggBinding[] = [
        { name: mean, fn, args, type: 'float' },
        { name: count, fn: 'stats.count_rows', args: [], type: 'int' },
      ]
      const frame: Sliding = { by: 'rows', before: trend.rows - 1, isCurrent: true }
      const made = windowed(own.rows, into, { order: byNumber(placed.number), frame })
      const isFull = call('compare.equals', [field(count, 'int'), int(trend.rows)])
      return derived(made, [{ name: trend.as, value: where(isFull, field(mean, 'float')) }])
    }, rows),
})

const OUTLIER_OPTIONS = {
  type: fixed(['iqr'], 'iqr'),
  action: ['rm', 'remove', 'tf', 'transform'],
  param: 'number',
  uselower: 'flag',
  mark: 'flag',
} as const

interface OutlierNode {
  readonly names: readonly string[]
  readonly options: Options
}

/** How many times the middle half of the values a value may lie outside of it. */
const OUTLYING = 2.5

const outlier = command<OutlierNode>({
  name: 'outlier',
  says: 'Takes rows away, or cuts numbers, that lie far outside of the middle half of the values.',
  kind: 'streaming',
  options: OUTLIER_OPTIONS,
  read: (reader) => {
    const options = new Options(OUTLIER_OPTIONS)
    const names: string[] = []
    while (!reader.isDone) {
      if (reader.take(',') || options.take(reader)) continue
      names.push(reader.name().name)
    }
    return { names, options }
  },
  lower: ({ names, options }, rows, context) => {
    const all = [...rows.fields.keys()].filter((each) => !each.startsWith('_'))
    const meant = (names.length === 0 ? all : namesMeant(rows, names)).filter((each) =>
      rows.fields.has(each),
    )
    return meant.reduce((each, name) => withoutOutliers(each, name, options, context), rows)
  },
})

function withoutOutliers(rows: Rows, name: string, options: Options, context: Context): Rows {
  const given = fieldValue(rows, name)
  const own = column(rows, asNumber(given), context)
  const [low, high] = [context.hidden('a'), context.hidden('b')]
  const quarter = (into: string, percent: number): AggBinding => ({
    name: into,
    fn: 'stats.exactperc',
    args: [own.value, float(percent)],
    type: 'float',
  })
  const made = windowed(own.rows, [quarter(low, 25), quarter(high, 75)], { frame: 'all' })
  const [first, third] = [field(low, 'float'), field(high, 'float')]
  const times = (value: Expr): Expr =>
    call('eval.multiply', [value, float(options.number('param', OUTLYING))], 'float')
  const reach = times(call('eval.subtract', [third, first], 'float'))
  const top = call('eval.add', [third, reach], 'float')
  const bottom = call('eval.subtract', [first, reach], 'float')
  const isAbove = call('compare.greater', [own.value, top])
  const isBelow = call('compare.less', [own.value, bottom])
  const usesLower = options.flag('uselower', false)
  const tests = usesLower ? [isAbove, isBelow] : [isAbove]
  const action = options.word('action') ?? 'transform'
  if (action === 'rm' || action === 'remove') {
    return filtered(made, call('logic.not', [or(tests)]))
  }
  const cut = (value: Expr): Expr => {
    const written = asText(value)
    return options.flag('mark', false)
      ? call('eval.concat', [text('000'), written], 'text')
      : written
  }
  const parts = [isAbove, cut(top), ...(usesLower ? [isBelow, cut(bottom)] : []), asText(given)]
  return derived(made, [{ name, value: call('eval.case', parts, 'text') }])
}

interface Range {
  readonly name: string
  readonly low: number
  readonly high: number
}

interface RangeNode {
  readonly field: string
  readonly ranges: readonly Range[]
  readonly attribute: string
  readonly otherwise: string
}

const RANGE = /^(-?\d+(?:\.\d+)?)-(-?\d+(?:\.\d+)?)$/

function readRanges(reader: Reader): RangeNode {
  const ranges: Range[] = []
  const words = new Map<string, string>()
  while (!reader.isDone) {
    if (reader.take(',')) continue
    const { text: name, span } = reader.next()
    reader.expect('=')
    const value = reader.value()
    if (['field', 'attr', 'default'].includes(name.toLowerCase())) {
      words.set(name.toLowerCase(), value.text)
      continue
    }
    ranges.push(rangeOf(name, value.text, value.span, span))
  }
  const given = words.get('field')
  if (given === undefined) return reader.fail('rangemap needs field=')
  if (ranges.length === 0) reader.fail('rangemap needs a range such as low=1-30')
  return {
    field: given,
    ranges,
    attribute: words.get('attr') ?? 'range',
    otherwise: words.get('default') ?? 'None',
  }
}

function rangeOf(name: string, written: string, span: Span, place: Span): Range {
  const match = RANGE.exec(written)
  if (match === null) {
    refuse('HR506', { option: name, wanted: 'a range of numbers such as 1-30' }, span)
  }
  const [low, high] = [Number(match?.[1]), Number(match?.[2])]
  if (low > high) refuse('HR506', { option: name, wanted: 'a range from low to high' }, place)
  return { name, low, high }
}

const rangemap = command<RangeNode>({
  name: 'rangemap',
  says: 'Names the range that a number is in; a number in several ranges has several names.',
  kind: 'streaming',
  read: readRanges,
  lower: ({ field: name, ranges, attribute, otherwise }, rows) => {
    const number = asNumber(fieldValue(rows, name))
    const tests = ranges.map(({ low, high }) =>
      and([
        call('compare.greater_or_equal', [number, float(low)]),
        call('compare.less_or_equal', [number, float(high)]),
      ]),
    )
    const overlap = ranges.some((each, at) =>
      ranges.slice(at + 1).some((other) => each.low <= other.high && other.low <= each.high),
    )
    const other = text(otherwise)
    if (!overlap) {
      const parts = tests.flatMap((test, at) => [test, text(ranges[at]?.name ?? '')])
      const value = call('eval.case', [...parts, other], 'text')
      return derived(rows, [{ name: attribute, value }])
    }
    const type = { list: 'text' } as const
    const names = tests.map((test, at) =>
      call('eval.case', [test, text(ranges[at]?.name ?? ''), noText], 'text'),
    )
    const all = call('mv.append', names, type)
    const none: Expr = { op: 'const', value: [otherwise], type }
    return derived(rows, [
      { name: attribute, value: call('eval.case', [present(all), all, none], type) },
    ])
  },
})

export const seriesCommands: readonly CommandRecord[] = [
  delta,
  accum,
  autoregress,
  trendline,
  outlier,
  rangemap,
]
