/**
 * The matches of the rules that a correlation counts, as one stream in the order of time: which rule, when, where, and the
 * fields of the group and of the value. Groups that cannot fire for want of matches are left to the engine.
 */
import { type Diagnostic, hasErrors } from '../../core/diagnostic.ts'
import { limits } from '../../core/limits.ts'
import { ticksIn } from '../../core/time.ts'
import type { QueryOptions } from '../../engine/engine.ts'
import { checkRel } from '../../functions/check.ts'
import { call, type Expr, field, number, or, text } from '../../ir/expr.ts'
import type { Binding, Rel, Row, TimeBounds } from '../../ir/rel.ts'
import type { Schema } from '../../ir/types.ts'
import { bind } from '../../plan/bind.ts'
import { givesNothing } from '../../plan/empty.ts'
import { optimise } from '../../plan/passes.ts'
import { substitute } from '../../plan/push.ts'
import type { CorrelatedRule, CorrelationPart } from '../../rules/rule.ts'
import { LIST_SUFFIX, META, QUERY_PREFIX } from '../../schema/source.ts'
import { printSql } from '../../sql/print.ts'
import { viewResolver } from '../plan.ts'
import { bounded, type QueryWorld } from '../runquery.ts'
import type { RunStore } from '../store.ts'
import { readValue } from '../values.ts'
import { TooManyMatches } from './correlator.ts'
import type { Match, Measure } from './gauge.ts'
import { leastOf } from './gauge.ts'

const own = (name: string): string => QUERY_PREFIX + name
const RULE = own('rule')
const SOURCE = own('source')
const COUNT = own('count')
const TIME: Expr = { op: 'field', name: META.time, type: 'time', stored: 'plain' }
const groupName = (at: number): string => own(`group${at}`)
const valueName = (at: number): string => own(`value${at}`)
/** Whether a match has a field of the group or of the value, counted through both: an empty text is a value too. */
const HAS = own('has')
const hasName = (at: number): string => HAS + at
const LISTED = own('list')
/** All values of such a field where it has several. */
const listName = (at: number): string => LISTED + at

/** Columns of the engine's own that a stream reads of each source. */
const HEAD: Schema = [
  { name: META.time, type: 'time', stored: 'plain' },
  { name: META.file, type: 'text', stored: 'plain' },
  { name: META.record, type: 'int', stored: 'plain' },
]

const TICKS_PER_MS = 10_000n

/** Below this many rows a second query costs more than it saves. */
const ROWS_WORTH_COUNTING = 50_000

/** The parts of a bound plan that read one source each. */
function partsOf(rel: Rel): readonly (readonly [source: string, rel: Rel])[] {
  switch (rel.op) {
    case 'scan':
      return rel.table.kind === 'source' ? [[rel.table.name, { ...rel, out: HEAD }]] : []
    case 'filter':
    case 'derive':
    case 'select':
      return partsOf(rel.from).map(([source, from]) => [source, { ...rel, from }] as const)
    case 'union':
      return rel.all.flatMap(partsOf)
    default:
      return []
  }
}

const textOf = (name: string): Expr => call('text.or_empty', [field(name)], 'text')

/** The matches of one rule, before its view is bound. */
function matchesOf({ rule, fields }: CorrelatedRule, at: number, part: CorrelationPart): Rel {
  const named = (each: string): string => fields.get(each) ?? each
  const asked = [...part.groupBy, ...part.fields].map(named)
  const keep: Binding[] = [
    { name: RULE, value: number(at) },
    ...HEAD.map(({ name, type }) => ({
      name,
      value: { op: 'field', name, type, stored: 'plain' } as const,
    })),
    ...part.groupBy.map((each, index) => ({
      name: groupName(index),
      value: textOf(named(each)),
    })),
    ...part.fields.map((each, index) => ({
      name: valueName(index),
      value: textOf(named(each)),
    })),
    ...asked.map((each, index) => ({
      name: hasName(index),
      value: call('value.has_value', [field(each)]),
    })),
    ...asked.map((each, index) => ({
      name: listName(index),
      value: field(each + LIST_SUFFIX, { list: 'text' }),
    })),
  ]
  return { op: 'select', from: rule.rel, keep }
}

function withSource(source: string, rel: Rel): Rel {
  if (rel.op !== 'select') return rel
  return { ...rel, keep: [{ name: SOURCE, value: text(source) }, ...rel.keep] }
}

/** A relation with more columns where those of the stored source are given their names. */
function derivedBelow(rel: Rel, change: (set: readonly Binding[]) => readonly Binding[]): Rel {
  if (rel.op === 'derive') return { ...rel, set: change(rel.set) }
  return rel.op === 'filter' ? { ...rel, from: derivedBelow(rel.from, change) } : rel
}

/**
 * Asks whether a field is there, and for its list, where stored columns are read: only there a value that is missing is
 * told from an empty one, and a list that the source cannot have is a constant.
 */
function settled(rel: Rel): Rel {
  if (rel.op !== 'select') return rel
  const constants = new Map<string, Expr>()
  const from = derivedBelow(rel.from, (set) => [
    ...set,
    ...rel.keep.flatMap(({ name, value }): readonly Binding[] => {
      if (!name.startsWith(HAS) && !name.startsWith(LISTED)) return []
      const made = substitute(value, set)
      if (made.op !== 'const') return [{ name, value: made }]
      constants.set(name, made)
      return []
    }),
  ])
  const above = ({ name, value }: Binding): Expr => {
    if (name.startsWith(HAS)) return constants.get(name) ?? field(name, 'bool')
    if (name.startsWith(LISTED)) return constants.get(name) ?? field(name, { list: 'text' })
    return value
  }
  return { ...rel, from, keep: rel.keep.map((each) => ({ name: each.name, value: above(each) })) }
}

const isListed = (rel: Rel): boolean =>
  rel.op === 'select' &&
  rel.keep.some(({ name, value }) => name.startsWith(LISTED) && value.op !== 'const')

function withoutLists(rel: Rel): Rel {
  if (rel.op !== 'select') return rel
  return { ...rel, keep: rel.keep.filter(({ name }) => !name.startsWith(LISTED)) }
}

/** The stream of a correlation, bound to what is stored. */
export interface MatchPlan {
  readonly part: CorrelationPart
  /** The matches in no order; absent when there can be none. */
  readonly rel?: Rel
  /** True when a field of the group or of the value may have several values. */
  readonly isListed: boolean
  readonly state: 'ready' | 'no_data' | 'cannot_fire' | 'failed'
  readonly diagnostics: readonly Diagnostic[]
  /** Events of the sources that are read. */
  readonly rows: number
}

/** Binds the rules of a correlation that are over single events; other correlations are computed apart. */
export function planMatches(part: CorrelationPart, { schema, stored }: QueryWorld): MatchPlan {
  const context = {
    view: viewResolver(schema),
    source: (name: string) => schema.sources.get(name),
    stored,
  }
  const diagnostics: Diagnostic[] = []
  const found: (readonly [source: string, rel: Rel])[] = []
  const sources = new Set<string>()
  part.rules.forEach((each, at) => {
    if (each.rule.correlation !== undefined) return
    const { rel, diagnostics: said } = bind(matchesOf(each, at, part), context)
    diagnostics.push(...said, ...checkRel(each.rule.rel))
    for (const [source, rows] of partsOf(rel)) found.push([source, settled(rows)])
  })
  const isList = found.some(([, rows]) => isListed(rows))
  const parts = found.flatMap(([source, rows]): readonly Rel[] => {
    const made = optimise(withSource(source, isList ? rows : withoutLists(rows)))
    if (givesNothing(made)) return []
    sources.add(source)
    return [made]
  })
  const told = unique(diagnostics)
  const rows = [...sources].reduce((sum, name) => sum + (stored.get(name)?.rows ?? 0), 0)
  const isChained = part.rules.some(({ rule }) => rule.correlation !== undefined)
  const base = { part, diagnostics: told, rows, isListed: isList }
  if (hasErrors(told)) return { ...base, state: 'failed' }
  if (parts.length === 0) {
    return { ...base, state: isChained ? 'ready' : found.length > 0 ? 'cannot_fire' : 'no_data' }
  }
  const [only] = parts
  const rel: Rel = parts.length === 1 && only !== undefined ? only : { op: 'union', all: parts }
  return { ...base, rel, state: 'ready' }
}

function unique(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return [...new Map(diagnostics.map((each) => [`${each.code} ${each.message}`, each])).values()]
}

/** What is left out of a stream. */
export interface Lacking {
  /** By rule, matches without one of the group fields. */
  readonly groups: Map<number, number>
  /** Values that are no numbers, where numbers are asked for. */
  values: number
}

/** The longest distance that the engine slides a window over. */
const MOST_DISTANCE = 2 ** 31 - 2

/**
 * Matches with how many there are of their group, over the timespan that ends with each and up to one unit more: the
 * engine counts in milliseconds, or in seconds where the timespan is long.
 */
function counted(rel: Rel, keys: readonly Expr[], { timespan }: Measure): Rel {
  const isShort = timespan / TICKS_PER_MS < MOST_DISTANCE
  const unit = isShort ? TICKS_PER_MS : TICKS_PER_MS * 1_000n
  const length = { op: 'const', value: String(unit), type: 'span' } as const
  const ticks = call('time.slot', [TIME, length], 'int')
  const name = own('ticks')
  return {
    op: 'window',
    from: { op: 'derive', from: rel, set: [{ name, value: ticks }] },
    by: keys,
    order: [{ by: field(name, 'int'), down: false, nulls: 'last' }],
    into: [{ name: COUNT, fn: 'agg.count', args: [], type: 'int' }],
    frame: { by: 'distance', before: Number(timespan / unit) + 1, isCurrent: true },
  }
}

/** Groups that may fire, or that have a field missing: one row each. */
function candidatesOf(rel: Rel, { groupBy }: CorrelationPart, measure: Measure): Rel {
  const names = groupBy.map((_, at) => groupName(at))
  const keys = names.map((name) => field(name))
  const by = names.map((name) => ({ name, value: field(name) }))
  const least = number(leastOf(measure) ?? 0)
  const enough = call('compare.greater_or_equal', [field(COUNT, 'int'), least])
  const where = or([enough, ...keys.map((key) => call('value.is_empty', [key]))])
  if (measure.type === 'event_count') {
    const from: Rel = { op: 'filter', from: counted(rel, keys, measure), where }
    return { op: 'aggregate', from, by, into: [] }
  }
  // Over all that is read: no window has more. An empty value counts here and not there, so that no group is lost.
  const what = measure.type === 'value_count' ? field(valueName(0)) : field(RULE, 'int')
  const into = [{ name: COUNT, fn: 'agg.distinct', args: [what], type: 'int' }] as const
  return { op: 'filter', from: { op: 'aggregate', from: rel, by, into }, where }
}

/** The matches that lie in groups. */
function within(rel: Rel, groups: readonly Row[]): Rel {
  const [first = []] = groups
  const out: Schema = first.map((_, at) => ({ name: groupName(at), type: 'text' }))
  return {
    op: 'join',
    how: 'semi',
    left: rel,
    right: { op: 'values', rows: groups, out },
    on: out.map(({ name }) => ({ left: field(name), right: field(name) })),
  }
}

function inOrder(rel: Rel): Rel {
  const by = (name: string, type: 'time' | 'text' | 'int'): Expr => field(name, type)
  const keys = [by(META.time, 'time'), by(SOURCE, 'text'), by(META.file, 'text')]
  const order = [...keys, by(META.record, 'int')].map((each) => ({
    by: each,
    down: false,
    nulls: 'last' as const,
  }))
  return { op: 'sort', from: rel, order }
}

/** The statement of a stream, whole and in order. */
export function streamOf(rel: Rel, time: TimeBounds): { readonly rel: Rel; readonly sql: string } {
  const made = inOrder(bounded(rel, time))
  return { rel: made, sql: printSql(made) }
}

export interface MatchOptions {
  readonly store: Pick<RunStore, 'rows'>
  readonly time: TimeBounds
  readonly measure: Measure
  readonly query?: QueryOptions
  /** Rows from which groups are counted first. */
  readonly counted?: number
}

/**
 * Leaves out groups that cannot fire, where there are few that can. Gives the matches to read, none when no group can
 * fire; matches without a group are left in.
 */
async function worthReading(
  plan: MatchPlan,
  rel: Rel,
  { store, time, measure, query, counted }: MatchOptions,
): Promise<Rel | undefined> {
  const { part, rows, isListed } = plan
  const least = leastOf(measure)
  const isChained = part.rules.some(({ rule }) => rule.correlation !== undefined)
  const isWorth = rows >= (counted ?? ROWS_WORTH_COUNTING)
  const isTuple = part.type === 'value_count' && part.fields.length !== 1
  // A match with several values is in several groups, which the engine does not count.
  if (least === undefined || least < 2 || isChained || isTuple || isListed || !isWorth) return rel
  if (part.groupBy.length === 0) return rel
  const groups: Row[] = []
  const sql = printSql(candidatesOf(bounded(rel, time), part, measure))
  for await (const row of store.rows(sql, query)) {
    if (groups.length === limits.correlationGroups) return rel
    groups.push(part.groupBy.map((_, at) => String(row[at] ?? '')))
  }
  return groups.length === 0 ? undefined : within(rel, groups)
}

/** Every choice of one value for each field, those of the last field behind each other. Throws when there are more than can be held. */
function choicesOf(fields: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const count = fields.reduce((product, values) => product * values.length, 1)
  if (count > limits.correlationMatches) throw new TooManyMatches()
  return fields.reduce<readonly (readonly string[])[]>(
    (all, values) => all.flatMap((each) => values.map((value) => [...each, value])),
    [[]],
  )
}

/** What is counted of a match: its values, or tuples of them; nothing when a field is missing. */
function countedOf(fields: readonly (readonly string[])[]): Pick<Match, 'value' | 'more'> {
  if (fields.length === 0) return {}
  const [only = []] = fields
  const all = fields.length === 1 ? only : choicesOf(fields).map((each) => JSON.stringify(each))
  const [value, ...more] = all
  if (value === undefined) return {}
  return more.length === 0 ? { value } : { value, more }
}

/** A truth as the engine writes it. */
const isTrue = (cell: unknown): boolean => cell === true || cell === 1 || cell === '1'

/** The text of a cell; the same object as before where it is the same, so that what is held of many rows is held once. */
function same(cell: unknown, before: string): string {
  return cell === before ? before : String(cell ?? '')
}

/** Hands out the matches within bounds of time, in order. Matches without a group are counted and left out. */
export async function readMatches(
  plan: MatchPlan,
  options: MatchOptions,
  lacking: Lacking,
  take: (match: Match) => void,
): Promise<void> {
  if (plan.rel === undefined) return
  const rel = await worthReading(plan, plan.rel, options)
  if (rel === undefined) return
  const { groupBy, fields } = plan.part
  const begin = 5
  const asked = groupBy.length + fields.length
  /** The values that a match has in a field. */
  const valuesAt = (row: readonly unknown[], at: number): readonly string[] => {
    const written = String(row[begin + at] ?? '')
    if (written !== '') return [written]
    if (!isTrue(row[begin + asked + at])) return []
    const list: unknown = plan.isListed ? row[begin + 2 * asked + at] : undefined
    return Array.isArray(list) && list.length > 0 ? list.map(String) : ['']
  }
  const fieldsFrom = (row: readonly unknown[], from: number, to: number) =>
    Array.from({ length: to - from }, (_, at) => valuesAt(row, from + at))
  let [source, file, written, time] = ['', '', '', '']
  let ticks = 0n
  for await (const row of options.store.rows(streamOf(rel, options.time).sql, options.query)) {
    const rule = Number(row[1])
    const groups = fieldsFrom(row, 0, groupBy.length)
    if (groups.some((values) => values.length === 0)) {
      lacking.groups.set(rule, (lacking.groups.get(rule) ?? 0) + 1)
      continue
    }
    if (row[2] !== written) {
      written = String(row[2])
      time = String(readValue(written, 'time') ?? '')
      ticks = ticksIn(time)
    }
    source = same(row[0], source)
    file = same(row[3], file)
    const counted = countedOf(fieldsFrom(row, groupBy.length, asked))
    const ref = { source, file, record: Number(row[4]), time, isExact: true }
    const isPlain = groups.every((values) => values.length === 1)
    const within = isPlain ? [groups.flat()] : choicesOf(groups.map((each) => [...new Set(each)]))
    for (const group of within) take({ time: ticks, rule, group, ref, ...counted })
  }
}
