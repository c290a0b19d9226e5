/** `bin`: numbers in ranges, times at the beginning of the span that they are in. */
import type { Span } from '../../core/span.ts'
import { call, type Expr, field } from '../../ir/expr.ts'
import type { Rel } from '../../ir/rel.ts'
import { type CommandRecord, type Context, command } from './command.ts'
import { type GivenOption, Options } from './options.ts'
import type { Reader } from './reader.ts'
import { refuse } from './refusal.ts'
import { asNumber, derived, fieldValue, float, type Rows } from './rows.ts'
import { type TimeSpan, timeBucket, timeSpan } from './timespans.ts'

export const BIN_OPTIONS = {
  span: 'text',
  minspan: 'text',
  bins: 'count',
  start: 'number',
  end: 'number',
  aligntime: 'text',
} as const

interface BinNode {
  readonly name: string
  readonly as?: string
  readonly options: Options
}

function readBin(reader: Reader): BinNode {
  const options = new Options(BIN_OPTIONS)
  options.takeAll(reader)
  const { name } = reader.name()
  options.takeAll(reader)
  const as = reader.takeWord('as') ? reader.name().name : undefined
  options.takeAll(reader)
  return { name, ...(as === undefined ? {} : { as }), options }
}

/** Spans of time that are chosen from, shortest first. */
const CHOICES: readonly TimeSpan[] = [
  ...[1, 5, 10, 30, 60, 300, 600, 1_800, 3_600, 86_400].map((seconds) => ({ seconds })),
  { count: 1, calendar: 'mon' },
  { count: 1, calendar: 'y' },
]

const MONTH = 30 * 86_400

/** About how many seconds a span has. */
export function secondsOf(span: TimeSpan): number {
  if ('seconds' in span) return span.seconds
  return span.count * { mon: MONTH, q: 3 * MONTH, y: 12 * MONTH }[span.calendar]
}

/** The shortest span, none shorter than the least, of which no more than so many cover a length of time. */
export function chosenSpan(seconds: number, bins: number, least: number): TimeSpan {
  const fits = CHOICES.find(
    (each) => secondsOf(each) >= least && Math.floor(seconds / secondsOf(each)) < bins,
  )
  return fits ?? { count: 1, calendar: 'y' }
}

/** The least and the greatest number of a field, as far as they are known. */
export function extentOf(
  rows: Rows,
  value: Expr,
  context: Context,
  span: Span,
): readonly [number, number] | undefined {
  const number = asNumber(value)
  const [low, high, text] = ['a', 'b', 'c'].map((each) => context.hidden(each))
  const name = (each: string | undefined): string => each ?? ''
  const ends: Rel = {
    op: 'aggregate',
    from: rows.rel,
    by: [],
    into: [
      { name: name(low), fn: 'stats.min', args: [number], type: 'float' },
      { name: name(high), fn: 'stats.max', args: [number], type: 'float' },
    ],
  }
  const parts = [low, high].map((each) => call('eval.text', [field(name(each), 'float')], 'text'))
  const [first = number, last = number] = parts
  const between: Expr = { op: 'const', value: ' ', type: 'text' }
  const joined = call('eval.concat', [call('eval.concat', [first, between], 'text'), last], 'text')
  const rel: Rel = { op: 'select', from: ends, keep: [{ name: name(text), value: joined }] }
  const [found] = context.discover('extent', rel, span)
  const [from, to] = (found ?? '').split(' ').map(Number)
  if (found === undefined || from === undefined || to === undefined) return undefined
  return Number.isFinite(from) && Number.isFinite(to) ? [from, to] : undefined
}

/** The origin of spans that `aligntime` sets: an instant, or an end of the data. */
function originOf(
  given: GivenOption | undefined,
  extent: () => readonly [number, number] | undefined,
): number | undefined {
  if (given === undefined) return undefined
  const text = given.text.toLowerCase()
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text)
  if (text === 'earliest') return extent()?.[0] ?? 0
  if (text === 'latest') return extent()?.[1] ?? 0
  // Every day begins at the same time in UTC, so that an offset from its beginning is one from any day's.
  const offset = /^'?@d(?:([+-])(.+?))?'?$/.exec(text)
  const length = offset?.[2] === undefined ? { seconds: 0 } : timeSpan(offset[2])
  if (offset !== null && length !== undefined && 'seconds' in length) {
    return offset[1] === '-' ? -length.seconds : length.seconds
  }
  return refuse(
    'HR506',
    { option: 'aligntime', wanted: 'earliest, latest, epoch seconds or @d with an offset' },
    given.span,
  )
}

/** A time as the beginning of the span that it is in. */
export function timeBin(
  rows: Rows,
  value: Expr,
  options: Options,
  context: Context,
  place: Span,
): { readonly value: Expr; readonly span: TimeSpan } {
  const number = asNumber(value)
  const extent = () => extentOf(rows, value, context, place)
  const span = spanOf(options, extent)
  const origin = originOf(options.given('aligntime'), extent)
  const aligns = 'seconds' in span && span.seconds % 86_400 !== 0
  return { value: timeBucket(number, span, aligns ? origin : undefined), span }
}

function readSpan(given: GivenOption): TimeSpan {
  const span = timeSpan(given.text)
  const wanted = 'a length of time such as 5m or 1h'
  return span ?? refuse('HR506', { option: given.name, wanted }, given.span)
}

/** Spans that a length of time is put in when no number is said. */
const SPANS = 100

/** The span that options set, or that suits an extent. */
export function spanOf(
  options: Options,
  extent: () => readonly [number, number] | undefined,
): TimeSpan {
  const given = options.given('span')
  if (given !== undefined) return readSpan(given)
  const least = options.given('minspan')
  const shortest = least === undefined ? 0 : secondsOf(readSpan(least))
  const [from, to] = extent() ?? [0, 0]
  return chosenSpan(to - from, options.number('bins', SPANS), shortest)
}

const flag = (value: boolean): Expr => ({ op: 'const', value, type: 'bool' })

/** A power of ten. */
const tenTo = (exponent: number): number => Number(`1e${exponent}`)

/** The width of ranges when no span is said: a power of ten, so that there are not more ranges than wanted. */
function widthFor(options: Options, extent: readonly [number, number] | undefined): number {
  const least = options.given('minspan')
  if (least !== undefined) {
    const number = Number(least.text)
    if (!(number > 0))
      refuse('HR506', { option: 'minspan', wanted: 'a number above 0' }, least.span)
    return tenTo(Math.ceil(Math.log10(number) - 1e-9))
  }
  const [low, high] = extent ?? [0, 0]
  const from = Math.min(low, options.number('start', low))
  const to = Math.max(high, options.number('end', high))
  const range = to - from
  if (range <= 0) return 1
  const bins = options.number('bins')
  if (bins === undefined) return tenTo(Math.floor(Math.log10(range) + 1e-12))
  let width = tenTo(Math.ceil(Math.log10(range / bins) - 1e-9))
  while (Math.floor(to / width) - Math.floor(from / width) + 1 > bins && width < range) width *= 10
  return width
}

const LOG_SPAN = /^(\d*\.?\d*)log(\d*\.?\d*)$/i

/** A number as the text of the range that it is in. */
export function numberBin(
  rows: Rows,
  value: Expr,
  options: Options,
  context: Context,
  place: Span,
): Expr {
  const number = asNumber(value)
  const given = options.given('span')
  if (given === undefined) {
    const extent = options.has('minspan') ? undefined : extentOf(rows, value, context, place)
    const isPlain = ['minspan', 'bins', 'start', 'end'].some((each) => options.has(each))
    const width = widthFor(options, extent)
    return call('bin.range', [number, float(width), float(0), flag(!isPlain)], 'text')
  }
  const log = LOG_SPAN.exec(given.text)
  if (log !== null) {
    const factor = log[1] === '' ? 1 : Number(log[1])
    const base = log[2] === '' ? 10 : Number(log[2])
    if (!(factor >= 1 && base > 1 && factor < base)) {
      const wanted = 'a logarithm such as log10 or 2log10, its factor at least 1 and below its base'
      refuse('HR506', { option: 'span', wanted }, given.span)
    }
    return call('bin.log_range', [number, float(factor), float(base)], 'text')
  }
  const width = Number(given.text)
  if (given.text.trim() === '' || !(width > 0) || !Number.isFinite(width)) {
    // A length of time means that the numbers are seconds.
    if (timeSpan(given.text) !== undefined)
      return timeBin(rows, value, options, context, place).value
    refuse(
      'HR506',
      { option: 'span', wanted: 'a number, a logarithm or a length of time' },
      given.span,
    )
  }
  const isReal = !Number.isInteger(width)
  return call('bin.range', [number, float(width), float(0), flag(isReal)], 'text')
}

function checkBins(options: Options): void {
  const bins = options.given('bins')
  if (bins !== undefined && Number(bins.text) < 2) {
    refuse('HR506', { option: 'bins', wanted: 'a whole number of at least 2' }, bins.span)
  }
}

function binCommand(name: string): CommandRecord {
  return command<BinNode>({
    name,
    says: 'Puts numbers in ranges, and times at the beginning of the span that they are in.',
    kind: 'streaming',
    options: BIN_OPTIONS,
    read: readBin,
    lower: (node, rows, context, span) => {
      checkBins(node.options)
      const value = fieldValue(rows, node.name)
      if (value.type === 'null') return rows
      const made =
        node.name === '_time'
          ? timeBin(rows, value, node.options, context, span).value
          : numberBin(rows, value, node.options, context, span)
      const kept =
        made.type === 'text' && value.type === 'text'
          ? call('eval.coalesce', [made, value], 'text')
          : made
      return derived(rows, [{ name: node.as ?? node.name, value: kept }])
    },
  })
}

export const binCommands: readonly CommandRecord[] = [
  binCommand('bin'),
  binCommand('bucket'),
  binCommand('discretize'),
]
