/** Running one Sigma correlation over a store. */
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import { lengthText } from '../../core/length.ts'
import { limits } from '../../core/limits.ts'
import { instantOfTicks, printInstant } from '../../core/time.ts'
import { givesNothing } from '../../plan/empty.ts'
import type { CorrelationPart, Rule } from '../../rules/rule.ts'
import type { Finding } from '../finding.ts'
import { type QueryWorld, within } from '../runquery.ts'
import type { ScheduledOptions, ScheduledOutcome } from '../scheduled.ts'
import { type Bursts, type BurstWorld, measureOf, type Range, readBursts } from './bursts.ts'
import { type Burst, TooManyMatches } from './correlator.ts'
import { correlationFindings, type Seen } from './findings.ts'
import { type MatchPlan, planMatches, streamOf } from './stream.ts'

/** Plans of a correlation and of those that it counts. */
function plansOf(part: CorrelationPart, world: QueryWorld): readonly MatchPlan[] {
  const inner = part.rules.flatMap(({ rule }) =>
    rule.correlation === undefined ? [] : plansOf(rule.correlation, world),
  )
  return [planMatches(part, world), ...inner]
}

/** What a correlation reads, as it would be run; without statements when nothing would. */
export function correlationPlans(
  part: CorrelationPart,
  world: QueryWorld,
): {
  readonly state: MatchPlan['state']
  readonly plans: readonly ReturnType<typeof streamOf>[]
  readonly diagnostics: readonly Diagnostic[]
} {
  const plans = plansOf(part, world)
  const states = plans.filter(({ rel }) => rel !== undefined || plans.length === 1)
  const failed = plans.find(({ state }) => state === 'failed')
  const state = failed?.state ?? (states.length === 0 ? 'no_data' : (states[0]?.state ?? 'ready'))
  const said = plans.flatMap(({ diagnostics }) => diagnostics)
  return {
    state,
    plans: plans.flatMap(({ rel }) =>
      rel === undefined || givesNothing(rel) ? [] : [streamOf(rel, world.time)],
    ),
    diagnostics: [...new Map(said.map((each) => [`${each.code} ${each.message}`, each])).values()],
  }
}

function rangeOf({ time, at, scheduled }: ScheduledOptions): Range {
  if (scheduled !== undefined) return { ...within(scheduled.window.time, time), readsBack: true }
  if (at === undefined) return { ...time, readsBack: false }
  return { ...within({ to: at }, time), readsBack: true }
}

/** What is said of matches and values that were left out. */
function lackingText(part: CorrelationPart, { lacking }: Bursts): readonly Diagnostic[] {
  const groups = [...lacking.groups].map(([at, count]) => {
    const { name = '', fields } = part.rules[at] ?? {}
    const names = part.groupBy.map((each) => `"${fields?.get(each) ?? each}"`).join(' or ')
    return diagnose('HR372', { count, name: name.slice(0, 64), fields: names.slice(0, 300) })
  })
  if (lacking.values === 0) return groups
  const field = part.fields.join(', ').slice(0, 128)
  return [...groups, diagnose('HR375', { count: lacking.values, field })]
}

/** A burst that has gone on for longer than is read back is told once in each such time. */
function seenOf(burst: Burst, found: Bursts, part: CorrelationPart): Seen {
  if (!found.unsure.has(burst)) return { burst }
  const length = measureOf(part).timespan * BigInt(limits.correlationBack)
  const slot = burst.last - (burst.last % length)
  return { burst, slot: printInstant(instantOfTicks(slot)) }
}

/** Runs a correlation; findings are handed out when all are known. Errors of the engine are the caller's. */
export async function runCorrelation(
  rule: Rule,
  part: CorrelationPart,
  options: ScheduledOptions,
  emit: (finding: Finding) => Promise<void>,
): Promise<ScheduledOutcome> {
  const { schema, stored, store, time, query } = options
  const world: BurstWorld = { schema, stored, store, time, ...(query && { query }) }
  const { state, plans, diagnostics } = correlationPlans(part, world)
  const [ran] = plans
  if (state !== 'ready') return { state, diagnostics, runs: 0 }
  let found: Bursts
  try {
    found = await readBursts(planMatches(part, world), world, rangeOf(options))
  } catch (error) {
    if (!(error instanceof TooManyMatches)) throw error
    const problem = diagnose('HR373', { limit: limits.correlationMatches })
    return { state: 'failed', diagnostics: [...diagnostics, problem], runs: plans.length }
  }
  const seen = found.bursts.map((burst) => seenOf(burst, found, part))
  for await (const finding of correlationFindings(rule, part, seen, world)) await emit(finding)
  const length = lengthText(part.timespan * limits.correlationBack)
  const unsure = found.unsure.size === 0 ? [] : [diagnose('HR374', { length })]
  return {
    diagnostics: [...diagnostics, ...lackingText(part, found), ...unsure],
    runs: plans.length,
    ...(ran === undefined ? {} : { ran }),
  }
}
