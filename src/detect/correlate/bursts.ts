/**
 * The bursts of a correlation in a range of time. A scheduled run reads back before its range until the first match of each
 * burst is known, so that runs that follow one another tell the same burst by the same id.
 */
import { limits } from '../../core/limits.ts'
import { instantOfTicks, printInstant, ticksIn } from '../../core/time.ts'
import type { QueryOptions } from '../../engine/engine.ts'
import type { TimeBounds } from '../../ir/rel.ts'
import type { CorrelationPart } from '../../rules/rule.ts'
import type { QueryWorld } from '../runquery.ts'
import type { RunStore } from '../store.ts'
import { type Burst, Correlator, type Firing } from './correlator.ts'
import { type Match, type Measure, numberIn, valuesOf } from './gauge.ts'
import { type Lacking, type MatchPlan, planMatches, readMatches } from './stream.ts'

const TICKS_PER_MS = 10_000n

/** What bursts are read from. */
export interface BurstWorld extends QueryWorld {
  readonly store: Pick<RunStore, 'rows'>
  readonly query?: QueryOptions
  /** Rows from which groups are counted first; for tests. */
  readonly counted?: number
}

export interface Bursts {
  readonly bursts: readonly Burst[]
  readonly firings: readonly Firing[]
  readonly lacking: Lacking
  /** Bursts that began before what was read back. */
  readonly unsure: ReadonlySet<Burst>
}

/** A range of event time; without a beginning, all there is up to the end. */
export interface Range extends TimeBounds {
  /** True when what lies before the range counts too. */
  readonly readsBack: boolean
}

const isoOf = (ticks: bigint): string => printInstant(instantOfTicks(ticks))

/** What a correlation measures. */
export function measureOf(part: CorrelationPart): Measure {
  const { type, comparisons, percentile, expression, rules, timespan } = part
  return {
    type,
    rules: rules.map(({ name }) => name),
    timespan: BigInt(timespan) * TICKS_PER_MS,
    comparisons,
    percentile,
    ...(expression === undefined ? {} : { expression }),
  }
}

const NUMERIC: ReadonlySet<string> = new Set([
  'value_sum',
  'value_avg',
  'value_percentile',
  'value_median',
])

/**
 * The findings of another correlation as matches: types that ask whether rules have matched see every instant at which
 * it fired, types that count see each burst once, at the end of the first window that fired.
 */
function asMatches(found: Bursts, part: CorrelationPart, at: number): readonly Match[] {
  const isAsked = part.type === 'temporal' || part.type === 'temporal_ordered'
  const inner = part.rules[at]
  const names = inner?.rule.correlation?.groupBy ?? []
  const value = (group: readonly string[], name: string): string =>
    group[names.indexOf(inner?.fields.get(name) ?? '')] ?? ''
  const made = (time: bigint, group: readonly string[], first: Match | undefined): Match => {
    const ref = first?.ref ?? { source: '', file: '', record: 0, time: '' }
    const values = part.fields.map((name) => value(group, name))
    const own = values.length === 1 ? values[0] : JSON.stringify(values)
    return {
      time,
      rule: at,
      group: part.groupBy.map((name) => value(group, name)),
      ...(values.length === 0 || own === undefined ? {} : { value: own }),
      ref: { ...ref, time: isoOf(time), isExact: false },
    }
  }
  const all = isAsked
    ? found.firings.map(({ time, group, first }) => made(time, group, first))
    : found.bursts.map(({ began, group, matches }) => made(began, group, matches[0]))
  return all.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
}

async function innerMatches(
  part: CorrelationPart,
  world: BurstWorld,
  range: Range,
): Promise<readonly Match[]> {
  const all: Match[] = []
  for (const [at, { rule }] of part.rules.entries()) {
    if (rule.correlation === undefined) continue
    const found = await readBursts(planMatches(rule.correlation, world), world, range)
    // A range of very many findings has more of them than a call takes arguments.
    for (const match of asMatches(found, part, at)) all.push(match)
  }
  return all.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
}

/** How many values of a match are no numbers; one that is missing is none. */
function lackingNumbers(match: Match): number {
  const values = valuesOf(match)
  if (values.length === 0) return 1
  return values.filter((value) => numberIn(value) === undefined).length
}

/** One reading of the stream, from `back` timespans before the range on. */
async function readOnce(
  plan: MatchPlan,
  world: BurstWorld,
  range: Range,
  back: bigint,
): Promise<Bursts> {
  const measure = measureOf(plan.part)
  const begin = range.from === undefined ? undefined : ticksIn(range.from)
  const isBack = range.readsBack && begin !== undefined
  const first = isBack ? begin - back * measure.timespan : begin
  const time: TimeBounds = {
    ...(first === undefined ? {} : { from: isoOf(first) }),
    ...(range.to === undefined ? {} : { to: range.to }),
  }
  const bursts: Burst[] = []
  const firings: Firing[] = []
  const lacking: Lacking = { groups: new Map(), values: 0 }
  // Windows that end before this were not read from their beginning.
  const since = isBack && first !== undefined ? first + measure.timespan : undefined
  const isNew = (last: bigint): boolean => begin === undefined || last >= begin
  const correlator = new Correlator({
    measure,
    onBurst: (burst) => {
      if (isNew(burst.last)) bursts.push(burst)
    },
    onFiring: (firing) => {
      if (isNew(firing.time)) firings.push(firing)
    },
    ...(since === undefined ? {} : { since }),
  })
  const { store, query, counted } = world
  const inner = await innerMatches(plan.part, world, { ...time, readsBack: range.readsBack })
  const isNumeric = NUMERIC.has(measure.type)
  let at = 0
  const take = (match: Match): void => {
    if (isNumeric) lacking.values += lackingNumbers(match)
    correlator.push(match)
  }
  const options = {
    store,
    time,
    measure,
    ...(query === undefined ? {} : { query }),
    ...(counted === undefined ? {} : { counted }),
  }
  await readMatches(plan, options, lacking, (match) => {
    for (let other = inner[at]; other !== undefined && other.time <= match.time; ) {
      take(other)
      other = inner[++at]
    }
    take(match)
  })
  for (const other of inner.slice(at)) take(other)
  correlator.end()
  const isUnsure = ({ began }: Burst): boolean =>
    since !== undefined && began - measure.timespan < since
  return { bursts, firings, lacking, unsure: new Set(bursts.filter(isUnsure)) }
}

/** The bursts with a window that fires in a range. Throws `TooManyMatches`, and the errors of the engine. */
export async function readBursts(
  plan: MatchPlan,
  world: BurstWorld,
  range: Range,
): Promise<Bursts> {
  let back = 2n
  for (;;) {
    const found = await readOnce(plan, world, range, back)
    if (found.unsure.size === 0 || back >= BigInt(limits.correlationBack)) return found
    back *= 2n
  }
}
