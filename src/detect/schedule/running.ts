/** Running some rules over one window, each within its budget. */
import type { Rule } from '../../rules/rule.ts'
import type { SchemaCatalogue } from '../../schema/catalogue.ts'
import type { Finding } from '../finding.ts'
import type { Plans } from '../plan.ts'
import type { RanQuery, RuleOutcome } from '../report.ts'
import { runRules } from '../run.ts'
import { NOTHING_SHOWN, type ShownRows } from '../shown.ts'
import type { RunStore } from '../store.ts'
import type { ScheduledRun } from '../windows.ts'
import type { Clock } from './lease.ts'
import type { ScheduleSettings } from './settings.ts'

/** What became of one window of one rule. */
export interface WindowResult {
  readonly state: 'ok' | 'failed'
  /** Why it failed, or why there was nothing to run; empty otherwise. */
  readonly reason: string
  readonly started: number
  /** Milliseconds, shared with the rules that were run with it. */
  readonly took: number
  readonly findings: readonly Finding[]
  /** Findings past those that the budget holds. */
  readonly more: number
  readonly shown: ShownRows
  readonly queries: readonly RanQuery[]
}

export interface GroupOptions {
  readonly store: RunStore
  readonly schema: SchemaCatalogue
  readonly settings: ScheduleSettings
  readonly clock: Clock
  readonly signal?: AbortSignal
  readonly rules: readonly Rule[]
  readonly scheduled: ScheduledRun
  readonly shown: ReadonlyMap<Rule, ShownRows>
  readonly plans: Plans
  readonly writesLookups: boolean
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['no_data', 'no source of the store feeds it'],
  ['cannot_fire', 'the fields that it needs do not occur'],
])

function reasonOf({ state, diagnostics }: RuleOutcome): string {
  const error = diagnostics.find(({ severity }) => severity === 'error')
  if (state === 'failed') return error?.message ?? 'it cannot be run'
  return REASONS.get(state) ?? ''
}

/** Runs rules over the window of a scheduled time; none has a result when the run is stopped midway. */
export async function runGroup(options: GroupOptions): Promise<ReadonlyMap<Rule, WindowResult>> {
  const { clock, settings, signal, ...rest } = options
  const { seconds, memory, rows } = settings.budget
  const found = new Map<Rule, Finding[]>()
  const more = new Map<Rule, number>()
  const started = clock.now()
  const from = clock.elapsed()
  const report = await runRules({
    ...rest,
    time: {},
    atOnce: settings.atOnce.schedule,
    query: { seconds, memory, ...(signal === undefined ? {} : { signal }) },
    onFinding(finding, rule) {
      const held = found.get(rule) ?? []
      found.set(rule, held)
      if (held.length < rows) held.push(finding)
      else more.set(rule, (more.get(rule) ?? 0) + 1)
    },
  })
  if (report.interrupted) return new Map()
  const took = clock.elapsed() - from
  const results = options.rules.flatMap((rule, at): (readonly [Rule, WindowResult])[] => {
    const outcome = report.outcomes[at]
    if (outcome === undefined) return []
    return [
      [
        rule,
        {
          state: outcome.state === 'failed' ? 'failed' : 'ok',
          reason: reasonOf(outcome),
          started,
          took,
          findings: found.get(rule) ?? [],
          more: more.get(rule) ?? 0,
          shown: outcome.shown ?? NOTHING_SHOWN,
          queries: outcome.queries ?? [],
        },
      ],
    ]
  })
  return new Map(results)
}
