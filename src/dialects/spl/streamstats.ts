/** `streamstats`: what functions give for the rows up to each, all of them, the last few, or those of a length of time. */

import { TIME_RANKS } from '../../functions/bins.ts'
import { call, type Expr, field, or } from '../../ir/expr.ts'
import type { Sliding } from '../../ir/rel.ts'
import type { EvalExpr } from './ast.ts'
import { type CommandRecord, type Context, command } from './command.ts'
import { readEval } from './evaluation.ts'
import { Options } from './options.ts'
import { numbered } from './ordering.ts'
import { Reader, unescaped } from './reader.ts'
import { refuse } from './refusal.ts'
import { asNumber, asText, derived, fieldValue, int, type Rows } from './rows.ts'
import { aggregatesOf, readStatsCalls, type StatsCall, spreadCalls } from './statsargs.ts'
import { distinctCalls, partitionKeys, readBy, refuseFlags, toldColumns } from './statscommands.ts'
import { type TimeSpan, wantedSpan } from './timespans.ts'
import { byNumber, flag, previous, rowNumber, runningSum, windowed } from './windows.ts'

const STREAM_OPTIONS = {
  current: 'flag',
  window: 'count',
  global: 'flag',
  time_window: 'text',
  reset_on_change: 'flag',
  allnum: 'flag',
} as const

interface StreamNode {
  readonly calls: readonly StatsCall[]
  readonly by: readonly string[]
  readonly options: Options
  /** The length of time of the window, in seconds. */
  readonly seconds?: number
  readonly resetBefore?: EvalExpr
  readonly resetAfter?: EvalExpr
}

/** Reads the test of `reset_before=("(" test ")")`, which people write in parentheses or in quotes. */
function readReset(reader: Reader): EvalExpr {
  reader.next()
  reader.expect('=')
  const first = reader.peek()
  if (first?.kind !== 'string') return readEval(reader)
  reader.next()
  if (first.text.trim() === '(') {
    const made = readEval(reader)
    const last = reader.next()
    if (last.text.trim() !== ')') reader.fail('expected ")"', last.span)
    return made
  }
  // Its quotes are escaped; what it holds begins where the string does, so that places stay true.
  const start = first.span.start + 1
  const text = ' '.repeat(start) + unescaped(first.text)
  const own = new Reader(text, { start, end: text.length }, reader.command)
  const made = readEval(own)
  own.finish()
  return made
}

function readStream(reader: Reader): StreamNode {
  const options = new Options(STREAM_OPTIONS)
  const resets = new Map<string, EvalExpr>()
  const take = (): boolean => {
    const name = reader.optionName()
    if (name !== 'reset_before' && name !== 'reset_after') return options.take(reader)
    resets.set(name, readReset(reader))
    return true
  }
  const calls = readStatsCalls(reader, ['by'], take)
  if (calls.length === 0) reader.fail('streamstats needs a function such as count')
  const by = reader.takeWord('by') ? readBy(reader) : []
  refuseFlags(options, ['allnum'])
  const time = options.given('time_window')
  if (time !== undefined && options.number('window', 0) > 0) {
    refuse('HR507', { what: 'window with time_window' }, time.span)
  }
  if (time !== undefined && !options.flag('current', true)) {
    refuse('HR507', { what: 'time_window with current=false' }, time.span)
  }
  if (options.flag('reset_on_change', false) && by.length === 0) {
    reader.fail('reset_on_change needs "by"', options.given('reset_on_change')?.span)
  }
  const length: TimeSpan | undefined =
    time === undefined ? undefined : wantedSpan(time.text, time.span)
  if (length !== undefined && !('seconds' in length)) {
    refuse('HR506', { option: 'time_window', wanted: 'a length in days or less' }, time?.span)
  }
  const before = resets.get('reset_before')
  const after = resets.get('reset_after')
  return {
    calls,
    by,
    options,
    ...(length === undefined ? {} : { seconds: length.seconds }),
    ...(before === undefined ? {} : { resetBefore: before }),
    ...(after === undefined ? {} : { resetAfter: after }),
  }
}

/** Rows with the number of the run that each is in: a run ends where the groups change or a test says so. */
function inRuns(
  { by, options, resetBefore, resetAfter }: StreamNode,
  rows: Rows,
  number: Expr,
  context: Context,
): { readonly rows: Rows; readonly run?: Expr } {
  const starts: Expr[] = []
  let made = rows
  const add = (label: string, value: Expr): Expr => {
    const name = context.hidden(label)
    made = derived(made, [{ name, value }])
    return field(name, value.type)
  }
  const order = byNumber(number)
  const before = (value: Expr, first: Expr): Expr => {
    const seen = previous(made, value, first, context, { order })
    made = seen.rows
    return seen.value
  }
  if (options.flag('reset_on_change', false)) {
    const keys = by.map((name) => asText(partitionKeys(made, [name])[0] ?? int(0)))
    const key = add('k', call('row.key', keys, 'text'))
    const last = before(key, { op: 'const', value: '', type: 'text' })
    starts.push(call('logic.not', [call('compare.equals', [key, last])]))
  }
  if (resetBefore !== undefined) starts.push(context.test(resetBefore, rows))
  if (resetAfter !== undefined) {
    const test = context.test(resetAfter, rows)
    const ends = add('e', flag(test))
    starts.push(call('compare.equals', [before(ends, int(0)), int(1)]))
  }
  if (starts.length === 0) return { rows }
  const start = add('s', flag(or(starts)))
  const { rows: counted, value: run } = runningSum(made, start, context, { order })
  return { rows: counted, run }
}

/** A number that grows along the rows as time goes, up or down, as the rows come. */
function timeRank(
  rows: Rows,
  number: Expr,
  seconds: number,
  context: Context,
): { rows: Rows; rank: Expr } {
  const time = asNumber(fieldValue(rows, '_time'))
  const names = ['first', 'last'].map((each) => context.hidden(each))
  const into = ['first', 'last'].map((each, at) => ({
    name: names[at] ?? each,
    fn: `stats.${each}`,
    args: [time, number],
    type: 'float' as const,
  }))
  const ends = windowed(rows, into, { frame: 'all' })
  const [first, last] = names.map((each) => field(each, 'float'))
  const along = { by: [time], order: byNumber(number) }
  const { rows: placed, value: place } = rowNumber(ends, context, along)
  const name = context.hidden('t')
  const span: Expr = { op: 'const', value: seconds, type: 'float' }
  const args = [time, first ?? time, last ?? time, place, span]
  const value = call('bin.time_rank', args, 'float')
  return { rows: derived(placed, [{ name, value }]), rank: field(name, 'float') }
}

/** The rows that a value is made of, and what they are counted along. */
function frameOf(node: StreamNode): Sliding {
  const { options, by, seconds } = node
  const isCurrent = options.flag('current', true)
  if (seconds !== undefined) {
    return { by: 'distance', before: TIME_RANKS, isCurrent }
  }
  const count = options.number('window', 0)
  if (count === 0) return { by: 'rows', isCurrent }
  const before = isCurrent ? count - 1 : count
  // One window over all groups: of its rows, a group sees its own.
  const unit = by.length > 0 && options.flag('global', true) ? 'distance' : 'rows'
  return { by: unit, before, isCurrent }
}

const streamstats = command<StreamNode>({
  name: 'streamstats',
  says: 'Adds to every row what functions give for it and the rows before it.',
  kind: 'streaming',
  options: { ...STREAM_OPTIONS, reset_before: 'text', reset_after: 'text' },
  read: readStream,
  lower: (node, rows, context) => {
    const { calls, by } = node
    const list = distinctCalls(spreadCalls(calls, rows, by))
    const hidden = list.map(() => context.hidden('w'))
    const { rows: with_, into } = aggregatesOf(list, hidden, rows, context)
    const ranked = numbered(with_, context)
    const { rows: inRun, run } = inRuns(node, ranked.rows, ranked.number, context)
    const along =
      node.seconds === undefined
        ? { rows: inRun, rank: ranked.number }
        : timeRank(inRun, ranked.number, node.seconds, context)
    const keys = partitionKeys(along.rows, by)
    const window = windowed(along.rows, into, {
      by: [...keys, ...(run === undefined ? [] : [run])],
      order: byNumber(along.rank),
      frame: frameOf(node),
    })
    return derived(window, toldColumns(list, into, keys))
  },
})

export const streamCommands: readonly CommandRecord[] = [streamstats]
