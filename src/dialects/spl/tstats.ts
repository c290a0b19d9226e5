/** `tstats`: statistics over the events of a data model, or of all events, without reading them one by one. */
import { diagnose } from '../../core/diagnostic.ts'
import type { Span } from '../../core/span.ts'
import { suggest } from '../../core/suggest.ts'
import { call, type Expr, text } from '../../ir/expr.ts'
import type { Binding } from '../../ir/rel.ts'
import { isList } from '../../ir/types.ts'
import type { Dataset } from '../../schema/datamodels.ts'
import type { SearchExpr } from './ast.ts'
import { type CommandRecord, type Context, command } from './command.ts'
import { type DatasetName, datasetName, prefixed } from './datamodels.ts'
import { searchedEvents } from './filters.ts'
import { idle, Options } from './options.ts'
import type { Reader } from './reader.ts'
import { refuse } from './refusal.ts'
import { asText, derived, fieldValue, filtered, type Rows } from './rows.ts'
import { present } from './searching.ts'
import { readTerms, type SearchTerms } from './searchterms.ts'
import { readStatsCalls, type StatsCall } from './statsargs.ts'
import { grouped } from './statscommands.ts'
import { type TimeSpan, timeBucket, wantedSpan } from './timespans.ts'

interface Key {
  readonly name: string
  readonly span: Span
}

interface TstatsNode {
  readonly calls: readonly StatsCall[]
  readonly from?: DatasetName
  readonly terms: SearchTerms
  readonly by: readonly Key[]
  readonly every?: TimeSpan
  readonly options: Options
}

const TSTATS_OPTIONS = {
  summariesonly: 'flag',
  allow_old_summaries: idle('flag', 'there are no summaries; all events are read'),
  chunk_size: idle('count', 'it is about how Splunk reads its files'),
  fillnull_value: 'text',
  prestats: 'flag',
  append: 'flag',
  local: idle('flag', 'there is one server'),
  use_summary_index_values: idle('flag', 'there are no summaries; all events are read'),
  include_reduced_buckets: idle('flag', 'it is about how Splunk reads its files'),
} as const

const STOPS = ['from', 'where', 'by', 'groupby']

function readKeys(reader: Reader): { readonly by: readonly Key[]; readonly every?: TimeSpan } {
  const by: Key[] = []
  let every: TimeSpan | undefined
  while (!reader.isDone) {
    if (reader.take(',')) continue
    if (reader.optionName() === 'span') {
      reader.next()
      reader.expect('=')
      const { text: written, span } = reader.value()
      every = wantedSpan(written, span)
      continue
    }
    const token = reader.peek()
    if (token?.kind === 'word' && STOPS.includes(token.text.toLowerCase())) break
    by.push(reader.name())
  }
  if (by.length === 0) reader.fail('"by" needs the names of fields')
  return { by, ...(every === undefined ? {} : { every }) }
}

function readSource(reader: Reader): DatasetName {
  if (!reader.takeWord('datamodel')) {
    const { text: given, span } = reader.value()
    const glued = /^datamodel:(.+)$/i.exec(given)?.[1]
    if (glued !== undefined) return datasetName(glued, span)
    return reader.fail('tstats reads from datamodel=...', span)
  }
  reader.take('=')
  const { text: given, span } = reader.value()
  return datasetName(given.replace(/^:/, ''), span)
}

function readTstats(reader: Reader): TstatsNode {
  const options = new Options(TSTATS_OPTIONS)
  const calls = readStatsCalls(reader, STOPS, () => options.take(reader))
  if (calls.length === 0) reader.fail('tstats needs a function such as count')
  let from: DatasetName | undefined
  let terms: SearchTerms = { times: [], diagnostics: [] }
  let keys: ReturnType<typeof readKeys> = { by: [] }
  while (!reader.isDone) {
    if (reader.takeWord('from')) from = readSource(reader)
    else if (reader.takeWord('where')) terms = readTerms(reader, ['by', 'groupby', 'from'])
    else if (reader.takeWord('by') || reader.takeWord('groupby')) keys = readKeys(reader)
    else if (!options.take(reader)) reader.fail('expected from, where or by')
  }
  return { calls, ...(from === undefined ? {} : { from }), terms, ...keys, options }
}

/** A dataset below the one that is read, which a condition on `nodename` chooses, and the conditions without it. */
function withoutNode(where: SearchExpr | undefined): {
  readonly node?: string
  readonly rest?: SearchExpr
} {
  const parts = where === undefined ? [] : where.kind === 'and' ? where.items : [where]
  const isNode = (each: SearchExpr): boolean =>
    each.kind === 'compare' && each.op === '=' && each.field === 'nodename'
  const found = parts.find(isNode)
  if (where === undefined || found?.kind !== 'compare')
    return where === undefined ? {} : { rest: where }
  const node = found.value.text.split('.').at(-1)
  const items = parts.filter((each) => each !== found)
  const [only] = items
  const rest: SearchExpr | undefined =
    items.length <= 1 ? only : { kind: 'and', items, span: where.span }
  return { ...(node === undefined ? {} : { node }), ...(rest === undefined ? {} : { rest }) }
}

/** Names of fields that a list of conditions reads. */
function fieldsRead(expr: SearchExpr | undefined): readonly Key[] {
  switch (expr?.kind) {
    case 'and':
    case 'or':
      return expr.items.flatMap(fieldsRead)
    case 'not':
      return fieldsRead(expr.of)
    case 'compare':
    case 'in':
      return [{ name: expr.field, span: expr.fieldSpan }]
    default:
      return []
  }
}

/** Tells of fields that the dataset does not have. */
function checkFields(
  names: readonly Key[],
  rows: Rows,
  { model, name: dataset }: Dataset,
  context: Context,
): void {
  const known = [...rows.fields.keys()]
  for (const { name, span } of names) {
    if (name.includes('*') || rows.fields.has(name) || name === 'nodename') continue
    const near = suggest(name, known)
    const hint = near === undefined ? 'see the manual for its fields' : `did you mean ${near}?`
    context.notice(diagnose('HR512', { dataset: `${model}.${dataset}`, name, hint }, span))
  }
}

/** The rows that the functions work on. */
function sourceRows(node: TstatsNode, context: Context): Rows {
  const { from, terms, calls, by } = node
  if (from === undefined) return searchedEvents(terms, context)
  for (const each of terms.diagnostics) context.notice(each)
  const { node: below, rest } = withoutNode(terms.where)
  const wanted = below === undefined ? from : { ...from, dataset: below }
  const { rows: plain, dataset } = context.dataset(wanted, terms.times)
  const rows = prefixed(plain, dataset)
  const read = calls.flatMap(({ field: name, span }) =>
    name === undefined ? [] : [{ name, span }],
  )
  checkFields([...fieldsRead(rest), ...read, ...by], rows, dataset, context)
  return rest === undefined ? rows : filtered(rows, context.condition(rest, rows))
}

/** Keys with the time in buckets, and what stands for a missing value where the search says so. */
function keyed(rows: Rows, { by, every, options }: TstatsNode): Rows {
  const fill = options.text('fillnull_value')
  const set = by.flatMap(({ name }): readonly Binding[] => {
    const value = fieldValue(rows, name)
    if (name === '_time') {
      return every === undefined ? [] : [{ name, value: timeBucket(value, every) }]
    }
    return fill === undefined ? [] : [{ name, value: filled(value, fill) }]
  })
  return derived(rows, set)
}

function filled(value: Expr, fill: string): Expr {
  if (value.type === 'null') return text(fill)
  if (isList(value.type)) {
    const one: Expr = { op: 'const', value: [fill], type: value.type }
    return call('eval.case', [present(value), value, one], value.type)
  }
  return call('eval.coalesce', [asText(value), text(fill)], 'text')
}

const tstats = command<TstatsNode>({
  name: 'tstats',
  says: 'Makes statistics of the events of a data model, or of all events.',
  kind: 'generating',
  options: TSTATS_OPTIONS,
  read: readTstats,
  lower: (node, _, context, span) => {
    const { options, calls, by } = node
    for (const name of ['prestats', 'append']) {
      if (options.flag(name, false)) {
        refuse('HR507', { what: `tstats with ${name}=true` }, options.given(name)?.span ?? span)
      }
    }
    if (options.flag('summariesonly', false)) {
      context.note('assumption', 'summariesonly: there are no summaries; all events are read', span)
    }
    const rows = keyed(sourceRows(node, context), node)
    if (node.every !== undefined && !by.some(({ name }) => name === '_time')) {
      refuse('HR506', { option: 'span', wanted: 'with _time behind "by"' }, span)
    }
    const names = [...new Set(by.map(({ name }) => name))]
    return grouped(rows, calls, names, context)
  },
})

export const tstatsCommands: readonly CommandRecord[] = [tstats]
