/**
 * `transaction`: events with the same values, near each other in time, as one event. Splunk reads them from the newest
 * back: a transaction begins with its last event and is closed by its first.
 *
 * Rows are numbered in that order. Where conditions or pauses alone part them, windows number the parts; a greatest
 * span, which counts from the newest event of each part, is followed event by event in an aggregate that gives the
 * places of the cuts.
 */
import type { Span } from '../../core/span.ts'
import { and, call, type Expr, field, not, text } from '../../ir/expr.ts'
import type { AggBinding, Binding, OrderKey, Rel } from '../../ir/rel.ts'
import { isList, type Type } from '../../ir/types.ts'
import type { EvalExpr, SearchExpr } from './ast.ts'
import { type CommandRecord, type Context, command } from './command.ts'
import { readEval } from './evaluation.ts'
import { idle, Options } from './options.ts'
import { Reader } from './reader.ts'
import { refuse } from './refusal.ts'
import {
  asList,
  asNumber,
  asText,
  derived,
  fieldValue,
  filtered,
  float,
  HIDDEN,
  int,
  orderKey,
  type Rows,
} from './rows.ts'
import { present } from './searching.ts'
import { readTerms } from './searchterms.ts'
import { timeSpan } from './timespans.ts'
import { byNumber, flag, windowed } from './windows.ts'

/** A condition on an event: one of `search`, or an expression. */
type Condition =
  | { readonly search: SearchExpr; readonly test?: undefined }
  | { readonly test: EvalExpr; readonly search?: undefined }

interface TransactionNode {
  readonly names: readonly string[]
  readonly starts?: Condition
  readonly ends?: Condition
  readonly options: Options
}

const OPTIONS = {
  maxspan: 'text',
  maxpause: 'text',
  maxevents: 'number',
  connected: idle('flag', 'events are put together when all fields are equal, missing ones too'),
  unifyends: 'flag',
  keepevicted: 'flag',
  keeporphans: 'flag',
  mvlist: 'flag',
  mvraw: 'flag',
  delim: idle('text', 'it changes only how lists are shown'),
  nullstr: 'text',
  maxopentxn: idle('count', 'no transaction is given up for want of memory'),
  maxopenevents: idle('count', 'no transaction is given up for want of memory'),
} as const

/** Events that a transaction holds where the search does not say how many. */
const MOST_EVENTS = 1_000

function readCondition(reader: Reader): Condition {
  if (reader.isWord('eval') && reader.peekSecond()?.text === '(') {
    reader.next()
    reader.expect('(')
    const test = readEval(reader)
    reader.expect(')')
    return { test }
  }
  if (reader.take('(')) {
    const { where } = readTerms(reader)
    reader.expect(')')
    return where === undefined ? reader.fail('the condition is empty') : { search: where }
  }
  const { text: written, span } = reader.value()
  const inner = new Reader(written, { start: 0, end: written.length }, reader.command)
  const value = { text: written, isQuoted: true, span }
  if (!/[=<>]/.test(written)) return { search: { kind: 'term', value, span } }
  const { where } = readTerms(inner)
  return where === undefined ? reader.fail('the condition is empty', span) : { search: where }
}

function readTransaction(reader: Reader): TransactionNode {
  const options = new Options(OPTIONS)
  const names: string[] = []
  let starts: Condition | undefined
  let ends: Condition | undefined
  while (!reader.isDone) {
    if (reader.take(',')) continue
    const name = reader.optionName()
    if (name === 'startswith' || name === 'endswith') {
      reader.next()
      reader.expect('=')
      const made = readCondition(reader)
      if (name === 'startswith') starts = made
      else ends = made
    } else if (!options.take(reader)) names.push(reader.name().name)
  }
  return {
    names,
    ...(starts === undefined ? {} : { starts }),
    ...(ends === undefined ? {} : { ends }),
    options,
  }
}

/** A length of time in seconds; undefined where the option is not given, or -1 for no limit. */
function secondsOf(options: Options, name: string): number | undefined {
  const given = options.given(name)
  if (given === undefined || given.text === '-1') return undefined
  const made = timeSpan(given.text)
  if (made === undefined || !('seconds' in made)) {
    return refuse('HR506', { option: name, wanted: 'a length of time such as 5m' }, given.span)
  }
  return made.seconds
}

/** Rows with one more column made by a window over each key, from the newest event back. */
class Steps {
  rows: Rows
  readonly #context: Context

  constructor(rows: Rows, context: Context) {
    this.rows = rows
    this.#context = context
  }

  set(label: string, value: Expr): Expr {
    const name = this.#context.hidden(label)
    this.rows = derived(this.rows, [{ name, value }])
    return field(name, value.type)
  }

  window(
    label: string,
    fn: string,
    args: readonly Expr[],
    by: readonly Expr[],
    order: readonly OrderKey[],
    type: Type,
    frame: 'running' | 'all' = 'running',
  ): Expr {
    const name = this.#context.hidden(label)
    const shown = frame === 'all' ? [] : order
    this.rows = windowed(this.rows, [{ name, fn, args, type }], { by, order: shown, frame })
    return field(name, type)
  }
}

function holds(condition: Condition | undefined, rows: Rows, context: Context): Expr | undefined {
  if (condition === undefined) return undefined
  return condition.search === undefined
    ? context.test(condition.test, rows)
    : context.condition(condition.search, rows)
}

/** What tells one transaction from another, and whether an event is in one at all. */
interface Parted {
  readonly rows: Rows
  readonly group: readonly Expr[]
  /** True for the transactions that have what the search asks for. */
  readonly isWhole?: Expr
  /** True for those that something closed. */
  readonly isClosed: Expr
}

interface Limits {
  readonly span?: number
  readonly pause?: number
  readonly events: number
}

const isOne = (value: Expr): Expr => call('compare.equals', [value, int(1)])
const atMost = (value: Expr, most: Expr): Expr => call('compare.less_or_equal', [value, most])

/** Transactions that end with one event and begin with another: what lies between others belongs to none. */
function bothEnds(
  steps: Steps,
  key: Expr,
  time: Expr,
  number: Expr,
  start: Expr,
  end: Expr,
  limits: Limits,
): Parted {
  const order = byNumber(number)
  const starts = steps.set('b', flag(start))
  const ends = steps.set('e', flag(end))
  const part = steps.window('g', 'win.sum', [ends], [key], order, 'int')
  const within = [key, part]
  const begun = steps.window('s', 'win.sum', [starts], within, order, 'int')
  const place = steps.window('p', 'win.row_number', [], within, order, 'int')
  const newest = steps.window('t', 'win.max', [time], within, order, 'float', 'all')
  const before = call('arith.subtract', [begun, starts], 'int')
  const tests: Expr[] = [
    atMost(int(1), part),
    call('compare.equals', [before, int(0)]),
    atMost(place, int(limits.events)),
  ]
  if (limits.span !== undefined) {
    const age = call('arith.subtract', [newest, time], 'float')
    tests.push(atMost(age, float(limits.span)))
  }
  if (limits.pause !== undefined) {
    const last = steps.window('l', 'win.lag', [time, int(1), time], within, order, 'float')
    const gap = call('arith.subtract', [last, time], 'float')
    const broken = steps.set('x', flag(not(atMost(gap, float(limits.pause)))))
    const breaks = steps.window('y', 'win.sum', [broken], within, order, 'int')
    tests.push(call('compare.equals', [breaks, int(0)]))
  }
  const inside = filtered(steps.rows, and(tests))
  return { rows: inside, group: within, isWhole: starts, isClosed: starts }
}

/** Transactions that are parted by one condition, by pauses and by their size. */
function oneEnd(
  steps: Steps,
  key: Expr,
  time: Expr,
  number: Expr,
  { start, end }: { readonly start?: Expr; readonly end?: Expr },
  limits: Limits,
  context: Context,
): Parted {
  const order = byNumber(number)
  const starts = start && steps.set('b', flag(start))
  const ends = end && steps.set('e', flag(end))
  const cuts: Expr[] = []
  if (ends !== undefined) cuts.push(isOne(ends))
  if (starts !== undefined) {
    // The event behind a first one belongs to the transaction before it.
    const last = steps.window('l', 'win.lag', [starts, int(1), int(0)], [key], order, 'int')
    cuts.push(isOne(last))
  }
  if (limits.pause !== undefined) {
    const last = steps.window('l', 'win.lag', [time, int(1), time], [key], order, 'float')
    const gap = call('arith.subtract', [last, time], 'float')
    cuts.push(not(atMost(gap, float(limits.pause))))
  }
  const cut = steps.set('c', cuts.length === 0 ? int(0) : flag(call('logic.or', [...cuts])))
  const forced =
    limits.span === undefined
      ? cut
      : spanCuts(steps, key, time, number, cut, limits.span, limits.events, context)
  const part = steps.window('g', 'win.sum', [forced], [key], order, 'int')
  const place = steps.window('p', 'win.row_number', [], [key, part], order, 'int')
  const chunk =
    limits.span === undefined
      ? steps.set('h', call('number.chunk', [place, int(limits.events)], 'int'))
      : steps.set('h', int(0))
  const oldest = steps.window('o', 'win.max', [part], [key], [], 'int', 'all')
  const isClosed = steps.set('z', flag(not(call('compare.equals', [part, oldest]))))
  const whole = starts ?? ends
  return {
    rows: steps.rows,
    group: [key, part, chunk],
    ...(whole === undefined ? { isClosed } : { isWhole: whole, isClosed: whole }),
  }
}

/** 1 for the events at which a transaction begins when none may be longer than a span. */
function spanCuts(
  steps: Steps,
  key: Expr,
  time: Expr,
  number: Expr,
  cut: Expr,
  span: number,
  events: number,
  context: Context,
): Expr {
  const [list, at] = [context.hidden('q'), context.hidden('q')]
  const into: readonly AggBinding[] = [
    {
      name: list,
      fn: 'transaction.cuts',
      args: [time, number, cut, float(span), int(events)],
      type: { list: 'int' },
    },
  ]
  const places: Rel = {
    op: 'expand',
    from: {
      op: 'aggregate',
      from: steps.rows.rel,
      by: [{ name: context.hidden('q'), value: key }],
      into,
    },
    list: field(list, { list: 'int' }),
    as: at,
  }
  const found: Rel = {
    op: 'select',
    from: places,
    keep: [
      { name: at, value: field(at, 'int') },
      { name: `${at}is`, value: int(1) },
    ],
  }
  const rel: Rel = {
    op: 'join',
    how: 'left',
    left: steps.rows.rel,
    right: found,
    on: [{ left: number, right: field(at, 'int') }],
  }
  steps.rows = { ...steps.rows, rel }
  return steps.set('c', call('eval.coalesce', [field(`${at}is`, 'int'), int(0)], 'int'))
}

/**
 * The fields of a transaction: those of its events, their values each once and in order, or those of every event
 * with `mvlist`, where a text stands for a missing one.
 */
function fieldAggregates(
  rows: Rows,
  names: readonly string[],
  number: Expr,
  missing: Expr | undefined,
): readonly AggBinding[] {
  return [...rows.fields].flatMap(([name, type]): readonly AggBinding[] => {
    if (name === '_time' || name.startsWith(HIDDEN)) return []
    const value = isList(type) ? asList(field(name, type)) : asText(field(name, type))
    const list: Type = { list: 'text' }
    if (name === '_raw') return [{ name, fn: 'stats.list', args: [value, number], type: list }]
    if (names.includes(name) && !isList(type)) {
      return [{ name, fn: 'stats.first', args: [value, number], type: 'text' }]
    }
    if (missing === undefined) return [{ name, fn: 'stats.values', args: [value], type: list }]
    const there = isList(type)
      ? call('eval.case', [present(value), value, asList(missing)], type)
      : call('eval.coalesce', [value, missing], 'text')
    return [{ name, fn: 'stats.list', args: [there, number], type: list }]
  })
}

function refused(options: Options): void {
  for (const name of ['keeporphans', 'unifyends', 'mvraw'] as const) {
    if (options.flag(name, false)) {
      refuse('HR507', { what: `transaction with ${name}=true` }, options.given(name)?.span)
    }
  }
}

const transaction = command<TransactionNode>({
  name: 'transaction',
  says: 'Makes one event of events with the same values that lie near each other in time.',
  kind: 'transforming',
  options: { ...OPTIONS, startswith: 'text', endswith: 'text' },
  read: readTransaction,
  lower: (node, given, context, span: Span) => {
    const { names, options } = node
    refused(options)
    if (!given.fields.has('_time')) {
      refuse('HR507', { what: 'transaction over rows without _time' }, span)
    }
    const values = names.map((each) => fieldValue(given, each))
    if (names.length > 1) {
      context.note(
        'assumption',
        'transaction: events are put together when all fields are equal, missing ones too',
        span,
      )
    }
    const keyed =
      values.length === 0 ? given : filtered(given, call('logic.or', values.map(present)))
    const steps = new Steps(keyed, context)
    const keys = values.map((each) =>
      isList(each.type) ? call('list.key', [each], 'text') : asText(each),
    )
    const [first = text('')] = keys
    // Rows without the one field are left out: its value tells transactions apart as it is.
    const key = steps.set('k', keys.length > 1 ? call('row.key', keys, 'text') : first)
    const time = steps.set(
      't',
      call('eval.coalesce', [asNumber(field('_time', 'float')), float(0)], 'float'),
    )
    const order: readonly OrderKey[] = [{ by: time, down: true, nulls: 'last' }, ...keyed.order]
    const start = holds(node.starts, keyed, context)
    const end = holds(node.ends, keyed, context)
    const [most, pause] = ['maxspan', 'maxpause'].map((each) => secondsOf(options, each))
    // A span is followed over all events together, all else within each key: then there is less to sort.
    const within = most === undefined ? [key] : []
    const number = steps.window('i', 'win.row_number', [], within, order, 'int')
    const events = options.number('maxevents', MOST_EVENTS)
    const limits: Limits = {
      ...(most === undefined ? {} : { span: most }),
      ...(pause === undefined ? {} : { pause }),
      events: events > 0 ? Math.floor(events) : Number.MAX_SAFE_INTEGER,
    }
    const one = { ...(start === undefined ? {} : { start }), ...(end === undefined ? {} : { end }) }
    const parted =
      start !== undefined && end !== undefined
        ? bothEnds(steps, key, time, number, start, end, limits)
        : oneEnd(steps, key, time, number, one, limits, context)
    return wholeEvents(parted, given, node, { time, number }, context)
  },
})

/** One row of each transaction, the newest first. */
function wholeEvents(
  parted: Parted,
  given: Rows,
  { names, options }: TransactionNode,
  { time, number }: { readonly time: Expr; readonly number: Expr },
  context: Context,
): Rows {
  const whole = context.hidden('w')
  const [first, last] = [context.hidden('f'), context.hidden('f')]
  const own: readonly AggBinding[] = [
    { name: first, fn: 'win.min', args: [time], type: 'float' },
    { name: last, fn: 'win.max', args: [time], type: 'float' },
    { name: 'eventcount', fn: 'stats.count_rows', args: [], type: 'int' },
    { name: 'closed_txn', fn: 'win.max', args: [parted.isClosed], type: 'int' },
    { name: whole, fn: 'win.max', args: [parted.isWhole ?? int(1)], type: 'int' },
  ]
  const taken = new Set(['eventcount', 'closed_txn', 'duration'])
  const missing = options.flag('mvlist', false)
    ? text(options.text('nullstr') ?? 'NULL')
    : undefined
  const fields = fieldAggregates(given, names, number, missing).filter(
    ({ name }) => !taken.has(name),
  )
  const by = parted.group.map((value): Binding => ({ name: context.hidden('y'), value }))
  const rel: Rel = { op: 'aggregate', from: parted.rows.rel, by, into: [...own, ...fields] }
  const shown = new Map<string, Type>(fields.map(({ name, type }) => [name, type]))
  const made: Rows = {
    rel,
    fields: new Map<string, Type>([...shown, ['eventcount', 'int'], ['closed_txn', 'int']]),
    order: [],
    isEvents: true,
  }
  const between = call('arith.subtract', [field(last, 'float'), field(first, 'float')], 'float')
  // Times are kept to the microsecond; what a difference has beyond is noise.
  const duration = call('eval.round', [between, int(6)], 'float')
  const timed = derived(made, [
    { name: '_time', value: field(first, 'float') },
    { name: 'duration', value: duration },
  ])
  const complete =
    parted.isWhole === undefined || options.flag('keepevicted', false)
      ? timed
      : filtered(timed, isOne(field(whole, 'int')))
  return { ...complete, order: [orderKey(first, 'float', true)] }
}

export const transactionCommands: readonly CommandRecord[] = [transaction]
