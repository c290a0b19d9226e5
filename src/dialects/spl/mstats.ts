/**
 * `mstats`: statistics over metrics. A metric is an event with the name of one measure (`metric_name`) and its `_value`,
 * or with several measures, each in a field called `metric_name:` and its name.
 * https://help.splunk.com/en/splunk-enterprise/get-data-in/metrics/get-metrics-in-from-other-sources
 */
import type { Span } from '../../core/span.ts'
import { call, type Expr, field, text } from '../../ir/expr.ts'
import type { Binding, Rel } from '../../ir/rel.ts'
import type { SearchExpr } from './ast.ts'
import { type CommandRecord, type Context, command } from './command.ts'
import { searchedEvents } from './filters.ts'
import { fixed, idle, Options } from './options.ts'
import type { Reader } from './reader.ts'
import { refuse } from './refusal.ts'
import { asNumber, asText, derived, fieldValue, filtered, nameTest, type Rows } from './rows.ts'
import { equalTo } from './searching.ts'
import { readTerms, type SearchTerms } from './searchterms.ts'
import { readStatsCalls, type StatsCall, spreadCalls } from './statsargs.ts'
import { grouped } from './statscommands.ts'
import { type TimeSpan, timeBucket, wantedSpan } from './timespans.ts'

const OPTIONS = {
  prestats: 'flag',
  append: 'flag',
  backfill: idle('flag', 'searches read what is stored'),
  chart: fixed('flag', 'false'),
  update_period: idle('count', 'there are no previews'),
  chunk_size: idle('count', 'it is about how Splunk reads its files'),
  fillnull_value: 'text',
} as const

const MEASURE = 'metric_name:'

interface MstatsNode {
  readonly calls: readonly StatsCall[]
  readonly terms: SearchTerms
  readonly by: readonly string[]
  readonly every?: TimeSpan
  readonly options: Options
}

const STOPS = ['where', 'by', 'groupby']
/** What ends the conditions. */
const ENDS = ['by', 'groupby', 'span=', ...Object.keys(OPTIONS).map((name) => `${name}=`)]

function readMstats(reader: Reader): MstatsNode {
  const options = new Options(OPTIONS)
  let every: TimeSpan | undefined
  const takeSpan = (): boolean => {
    if (reader.optionName() !== 'span') return options.take(reader)
    reader.next()
    reader.expect('=')
    const { text: written, span } = reader.value()
    every = wantedSpan(written, span)
    return true
  }
  const calls = readStatsCalls(reader, STOPS, takeSpan)
  if (calls.length === 0) reader.fail('mstats needs a function such as avg(cpu.usage)')
  let terms: SearchTerms = { times: [], diagnostics: [] }
  const by: string[] = []
  while (!reader.isDone) {
    if (reader.takeWord('where')) terms = readTerms(reader, ENDS)
    else if (reader.takeWord('by') || reader.takeWord('groupby')) {
      while (!reader.isDone && reader.optionName() === undefined) {
        if (reader.take(',')) continue
        by.push(reader.name().name)
      }
    } else if (!takeSpan()) reader.fail('expected where, by or span')
  }
  return { calls, terms, by, ...(every === undefined ? {} : { every }), options }
}

/** The measures that conditions name, and the conditions without them. */
function measuresOf(where: SearchExpr | undefined): {
  readonly names: readonly string[]
  readonly rest: readonly SearchExpr[]
} {
  const parts = where === undefined ? [] : where.kind === 'and' ? where.items : [where]
  const names: string[] = []
  const rest: SearchExpr[] = []
  for (const each of parts) {
    if (each.kind === 'compare' && each.op === '=' && each.field === 'metric_name') {
      names.push(each.value.text)
    } else if (each.kind === 'in' && each.field === 'metric_name') {
      names.push(...each.values.map((value) => value.text))
    } else rest.push(each)
  }
  return { names, rest }
}

/** The value of a measure in a row: its own field, or that of the only measure of the event. */
function measureValue(rows: Rows, names: readonly string[]): Expr {
  const own = names.map((name) => asNumber(fieldValue(rows, `${MEASURE}${name}`)))
  const called = fieldValue(rows, 'metric_name')
  const single = names.map((name): Expr => {
    const missing: Expr = { op: 'const', value: null, type: 'float' }
    const value = asNumber(fieldValue(rows, '_value'))
    return call('eval.case', [equalTo(called, name), value, missing], 'float')
  })
  const parts = [...own, ...single].filter((each) => !(each.op === 'const' && each.value === null))
  return parts.length === 0
    ? { op: 'const', value: null, type: 'float' }
    : call('eval.coalesce', parts, 'float')
}

/** All measures that there are: those of events with several, and those that events with one are called by. */
function allMeasures(rows: Rows, context: Context, span: Span): readonly string[] {
  const several = [...rows.fields.keys()].flatMap((name) =>
    name.startsWith(MEASURE) ? [name.slice(MEASURE.length)] : [],
  )
  const called = asText(fieldValue(rows, 'metric_name'))
  const column = context.hidden('m')
  const names: Rel = {
    op: 'aggregate',
    from: filtered(rows, call('value.has_value', [called])).rel,
    by: [{ name: column, value: called }],
    into: [],
  }
  const single = rows.fields.has('metric_name') ? context.discover('metrics', names, span) : []
  return [...new Set([...several, ...single])].sort()
}

/** Rows with a field for each measure that a function reads. */
function measured(
  rows: Rows,
  node: MstatsNode,
  names: readonly string[],
  context: Context,
  span: Span,
): Rows {
  const wanted = node.calls.flatMap((each) => (each.field === undefined ? [] : [each.field]))
  const known =
    wanted.some((each) => each.includes('*')) || names.some((each) => each.includes('*'))
      ? allMeasures(rows, context, span)
      : []
  const set = new Map<string, Expr>()
  for (const each of wanted) {
    if (each === '_value') {
      const meant = names.flatMap((name) =>
        name.includes('*') ? known.filter(nameTest(name)) : [name],
      )
      set.set('_value', measureValue(rows, meant))
    } else if (each.includes('*')) {
      for (const name of known.filter(nameTest(each))) set.set(name, measureValue(rows, [name]))
    } else set.set(each, measureValue(rows, [each]))
  }
  const made = [...set].map(([name, value]): Binding => ({ name, value }))
  // Only measures are meant by a pattern, not what else an event has.
  const kept = new Set([...node.by, '_time'])
  const fields = new Map([...rows.fields].filter(([name]) => kept.has(name)))
  return derived({ ...rows, fields }, made)
}

const mstats = command<MstatsNode>({
  name: 'mstats',
  says: 'Makes statistics of metrics: of one measure, or of all that a pattern means.',
  kind: 'generating',
  options: { ...OPTIONS, span: 'text' },
  read: readMstats,
  lower: (node, _, context, span) => {
    const { options, terms, by, every, calls } = node
    for (const name of ['prestats', 'append']) {
      if (options.flag(name, false)) {
        refuse('HR507', { what: `mstats with ${name}=true` }, options.given(name)?.span ?? span)
      }
    }
    const { names, rest } = measuresOf(terms.where)
    const value = calls.find((each) => each.field === '_value')
    if (value !== undefined && names.length === 0) {
      refuse(
        'HR509',
        { message: 'a function of _value needs metric_name= behind where' },
        value.span,
      )
    }
    const place = terms.where?.span ?? span
    const [only] = rest
    const where: SearchExpr | undefined =
      rest.length <= 1 ? only : { kind: 'and', items: rest, span: place }
    const { where: __, ...others } = terms
    const events = searchedEvents({ ...others, ...(where === undefined ? {} : { where }) }, context)
    const fill = options.text('fillnull_value')
    const rows = measured(events, node, names, context, span)
    const keys = by.flatMap((name): readonly Binding[] => {
      const found = fieldValue(rows, name)
      return fill === undefined || found.type === 'null'
        ? []
        : [{ name, value: call('eval.coalesce', [asText(found), text(fill)], 'text') }]
    })
    const time: readonly Binding[] =
      every === undefined
        ? []
        : [{ name: '_time', value: timeBucket(field('_time', 'float'), every) }]
    const ready = derived(rows, [...keys, ...time])
    const groups = every === undefined ? by : ['_time', ...by]
    return grouped(ready, spreadCalls(calls, ready, groups), groups, context)
  },
})

export const metricCommands: readonly CommandRecord[] = [mstats]
