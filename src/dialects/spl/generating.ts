/** Commands that make rows from nothing, or from what events there are: `makeresults`, `eventcount`, `metadata`, `gentimes`. */
import { limits } from '../../core/limits.ts'
import type { Span } from '../../core/span.ts'
import { call, type Expr, field, text } from '../../ir/expr.ts'
import type { AggBinding, Binding, Rel, Scalar } from '../../ir/rel.ts'
import type { Type } from '../../ir/types.ts'
import type { SourceField, SourceTest } from '../../schema/eventview.ts'
import { type CommandRecord, type Context, command } from './command.ts'
import { NOW } from './evaluating.ts'
import { readLookupCsv } from './lookupcsv.ts'
import { fixed, idle, Options } from './options.ts'
import { sortedBy } from './ordering.ts'
import type { Reader } from './reader.ts'
import { refuse } from './refusal.ts'
import { derived, filtered, float, HIDDEN, orderKey, type Rows, selected } from './rows.ts'
import { present } from './searching.ts'
import { instantOf } from './timerange.ts'
import { timeSpan } from './timespans.ts'

const PLACE = `${HIDDEN}i1`

/** Rows that are written down: texts by the names of their fields, in order. */
function writtenTexts(names: readonly string[], rows: readonly (readonly Scalar[])[]): Rows {
  const out = [
    ...names.map((name) => ({ name, type: 'text' as const })),
    { name: PLACE, type: 'int' as const },
  ]
  return {
    rel: { op: 'values', rows: rows.map((row, at) => [...row, at]), out },
    fields: new Map(names.map((name) => [name, 'text'])),
    order: [orderKey(PLACE, 'int')],
    isEvents: false,
  }
}

const MAKE_OPTIONS = {
  count: 'count',
  annotate: 'flag',
  splunk_server: idle('text', 'there is one server'),
  splunk_server_group: idle('text', 'there is one server'),
  format: ['csv', 'json'],
  data: 'text',
} as const

/** The rows that a text of JSON objects or CSV holds. */
function dataRows(options: Options, span: Span): Rows {
  const data = options.text('data') ?? ''
  const place = options.given('data')?.span ?? span
  if ((options.word('format') ?? 'csv') === 'csv') {
    const { content, diagnostics } = readLookupCsv('data', `${data}\n`)
    if (content === undefined) {
      const message = diagnostics[0]?.message ?? 'data is no CSV'
      return refuse('HR500', { message }, place)
    }
    return writtenTexts(content.columns, content.rows)
  }
  let list: unknown
  try {
    list = JSON.parse(data)
  } catch {
    return refuse('HR500', { message: 'data is no JSON' }, place)
  }
  const objects = (Array.isArray(list) ? list : [list]).map((each): ReadonlyMap<string, Scalar> => {
    if (typeof each !== 'object' || each === null || Array.isArray(each)) {
      return refuse('HR500', { message: 'data is no list of JSON objects' }, place)
    }
    const cells = Object.entries(each as Readonly<Record<string, unknown>>)
    return new Map(cells.map(([name, value]) => [name, cellOf(value)]))
  })
  const names = [...new Set(objects.flatMap((each) => [...each.keys()]))]
  return writtenTexts(
    names,
    objects.map((each) => names.map((name) => each.get(name) ?? null)),
  )
}

function cellOf(value: unknown): Scalar {
  if (value === null || value === undefined) return null
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const makeresults = command<Options>({
  name: 'makeresults',
  says: 'Makes rows with the time of the run, or rows from a text of CSV or JSON.',
  kind: 'generating',
  options: MAKE_OPTIONS,
  read: (reader) => {
    const options = new Options(MAKE_OPTIONS)
    options.takeAll(reader)
    return options
  },
  lower: (options, _, __, span) => {
    if (options.has('data')) return timed(dataRows(options, span), options)
    const count = options.number('count', 1)
    if (count > limits.madeRows) {
      const size = `${count}`
      refuse(
        'HR517',
        { what: 'the number of rows', size, limit: limits.madeRows },
        options.given('count')?.span,
      )
    }
    return timed(
      writtenTexts(
        [],
        Array.from({ length: count }, () => []),
      ),
      options,
    )
  },
})

/** The rows with the time of the run, and what else an event has. */
function timed(rows: Rows, options: Options): Rows {
  const own: readonly Binding[] = options.flag('annotate', false)
    ? [
        { name: '_raw', value: { op: 'const', value: null, type: 'text' } },
        { name: 'host', value: { op: 'const', value: null, type: 'text' } },
        { name: 'source', value: { op: 'const', value: null, type: 'text' } },
        { name: 'sourcetype', value: { op: 'const', value: null, type: 'text' } },
        { name: 'splunk_server', value: text('harrier') },
      ]
    : []
  const isTimed = rows.fields.has('_time')
  return derived(rows, [...(isTimed ? [] : [{ name: '_time', value: NOW }]), ...own])
}

/** Tests of sources that options like `index=x` set. */
function sourceTests(options: Options, names: readonly SourceField[]): readonly SourceTest[] {
  return names.flatMap((name): readonly SourceTest[] => {
    const value = options.text(name)
    return value === undefined ? [] : [{ field: name, values: [value] }]
  })
}

function eventsOf(tests: readonly SourceTest[], context: Context): Rows {
  const { rows, isStored } = context.events(tests, [])
  if (!isStored) return rows
  return tests.reduce(
    (each, { field: name, values }) =>
      filtered(
        each,
        call('events.is', [text(name), { op: 'const', value: values, type: { list: 'text' } }]),
      ),
    rows,
  )
}

function counted(from: Rel, by: readonly Binding[], into: readonly AggBinding[]): Rows {
  return {
    rel: { op: 'aggregate', from, by, into },
    fields: new Map<string, Type>([
      ...by.map(({ name, value }) => [name, value.type] as const),
      ...into.map(({ name, type }) => [name, type] as const),
    ]),
    order: [],
    isEvents: false,
  }
}

const COUNT_OPTIONS = {
  index: 'text',
  summarize: 'flag',
  report_size: 'flag',
  list_vix: idle('flag', 'there are no virtual indexes'),
  list_federated_remote: idle('flag', 'there is one server'),
} as const

const eventcount = command<Options>({
  name: 'eventcount',
  says: 'Counts the events of indexes.',
  kind: 'generating',
  options: COUNT_OPTIONS,
  read: (reader) => {
    const options = new Options(COUNT_OPTIONS)
    options.takeAll(reader)
    return options
  },
  lower: (options, _, context, span) => {
    if (options.flag('report_size', false)) {
      refuse(
        'HR507',
        { what: 'eventcount with report_size=true' },
        options.given('report_size')?.span ?? span,
      )
    }
    const rows = eventsOf(sourceTests(options, ['index']), context)
    const count: AggBinding = { name: 'count', fn: 'stats.count_rows', args: [], type: 'int' }
    if (options.flag('summarize', true)) return counted(rows.rel, [], [count])
    const index = field('index', 'text')
    const made = counted(
      filtered(rows, present(index)).rel,
      [{ name: 'index', value: index }],
      [count],
    )
    return sortedBy(made, [{ field: 'index', isDown: false, type: 'auto' }], context)
  },
})

const METADATA_OPTIONS = {
  type: ['hosts', 'sources', 'sourcetypes'],
  index: 'text',
  splunk_server: idle('text', 'there is one server'),
  splunk_server_group: idle('text', 'there is one server'),
  datatype: fixed(['metric', 'event'], 'event'),
} as const

const metadata = command<Options>({
  name: 'metadata',
  says: 'Lists the hosts, sources or sourcetypes of events, with how many there are and when.',
  kind: 'generating',
  options: METADATA_OPTIONS,
  read: (reader) => {
    const options = new Options(METADATA_OPTIONS)
    options.takeAll(reader)
    if (!options.has('type')) reader.fail('metadata needs type=hosts, sources or sourcetypes')
    return options
  },
  lower: (options, _, context) => {
    const name = (options.word('type') ?? 'hosts').slice(0, -1)
    const rows = eventsOf(sourceTests(options, ['index']), context)
    const value = field(name, 'text')
    const time = field('_time', 'float')
    const made = counted(
      filtered(rows, present(value)).rel,
      [{ name, value }],
      [
        { name: 'totalCount', fn: 'stats.count_rows', args: [], type: 'int' },
        { name: 'firstTime', fn: 'win.min', args: [time], type: 'float' },
        { name: 'lastTime', fn: 'win.max', args: [time], type: 'float' },
      ],
    )
    const whole = derived(made, [
      { name: 'recentTime', value: field('lastTime', 'float') },
      { name: 'type', value: text(`${name}s`) },
    ])
    return sortedBy(whole, [{ field: name, isDown: false, type: 'auto' }], context)
  },
})

interface Times {
  readonly start: string
  readonly end?: string
  readonly seconds: number
  readonly span: Span
}

const TIMES_OPTIONS = { start: 'text', end: 'text', increment: 'text' } as const
const DAY = 86_400

function readTimes(reader: Reader): Times {
  const options = new Options(TIMES_OPTIONS)
  options.takeAll(reader)
  const start = options.given('start')
  if (start === undefined) return reader.fail('gentimes needs start=')
  const every = timeSpan(options.text('increment') ?? '1d')
  if (every === undefined || !('seconds' in every)) {
    return reader.fail('the increment must be a length of time such as 1h')
  }
  const end = options.text('end')
  return {
    start: start.text,
    ...(end === undefined ? {} : { end }),
    seconds: every.seconds,
    span: start.span,
  }
}

/** Seconds since 1970 of a date, or days before the run: a number below zero. */
function momentOf(
  written: string,
  span: Span,
): { readonly days: number } | { readonly at: number } {
  if (/^-\d{1,5}$/.test(written)) return { days: Number(written) }
  const made = instantOf(written, span)
  const [seconds] = made?.op === 'call' ? made.args : []
  if (seconds?.op === 'const' && typeof seconds.value === 'number') return { at: seconds.value }
  return refuse(
    'HR519',
    { text: written, reason: 'it is no date such as 10/1/2024, nor days such as -7' },
    span,
  )
}

const gentimes = command<Times>({
  name: 'gentimes',
  says: 'Makes a row for each step of time between two dates.',
  kind: 'generating',
  options: TIMES_OPTIONS,
  read: readTimes,
  lower: ({ start, end, seconds, span }) => {
    const first = momentOf(start, span)
    const last = end === undefined ? undefined : momentOf(end, span)
    const isCounted = 'days' in first
    if (
      isCounted ? last !== undefined && !('days' in last) : last === undefined || 'days' in last
    ) {
      refuse('HR507', { what: 'gentimes from days before now to a date, or the other way' }, span)
    }
    const from = isCounted ? first.days * DAY : first.at
    const to = last === undefined ? 0 : 'days' in last ? last.days * DAY : last.at + DAY
    const count = Math.ceil((to - from) / seconds)
    if (count > limits.madeRows) {
      refuse(
        'HR517',
        { what: 'the number of rows', size: `${count}`, limit: limits.madeRows },
        span,
      )
    }
    const rows = writtenTexts(
      [],
      Array.from({ length: Math.max(0, count) }, () => []),
    )
    const today = call('time.bucket_seconds', [NOW, float(DAY), float(0)], 'float')
    const base = isCounted ? call('arith.add', [today, float(from)], 'float') : float(from)
    const offset = call('arith.multiply', [field(PLACE, 'int'), float(seconds)], 'float')
    const starttime = call('arith.add', [base, offset], 'float')
    const endtime = call('arith.add', [starttime, float(seconds - 1)], 'float')
    const made = derived(rows, [
      { name: 'starttime', value: starttime },
      { name: 'endtime', value: endtime },
    ])
    const human = (name: string): Expr =>
      call('eval.strftime', [field(name, 'float'), text('%a %b %d %H:%M:%S %Y')], 'text')
    const named = derived(made, [
      { name: 'starthuman', value: human('starttime') },
      { name: 'endhuman', value: human('endtime') },
    ])
    const names = ['starttime', 'starthuman', 'endtime', 'endhuman']
    return selected(
      named,
      names.map((name) => ({ name, value: field(name, named.fields.get(name) ?? 'text') })),
    )
  },
})

export const generatingCommands: readonly CommandRecord[] = [
  makeresults,
  eventcount,
  metadata,
  gentimes,
]
