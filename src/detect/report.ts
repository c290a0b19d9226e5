/** What a run tells besides its findings: one outcome a rule, and the totals. */
import type { Diagnostic } from '../core/diagnostic.ts'
import type { RuleInfo } from '../rules/rule.ts'
import type { ShownRows } from './shown.ts'

/**
 * fired: at least one finding; quiet: ran without a hit; no_data: no ingested source feeds it; cannot_fire: the
 * sources have data but the fields it needs do not occur; failed: the engine refused or stopped it.
 */
export type RuleState = 'fired' | 'quiet' | 'no_data' | 'cannot_fire' | 'failed'

export interface RuleOutcome {
  readonly rule: RuleInfo
  readonly state: RuleState
  readonly findings: number
  /** Earliest and latest event time of its findings, ISO text. */
  readonly first?: string
  readonly last?: string
  readonly diagnostics: readonly Diagnostic[]
  /** Of a rule that fired: the plan and the statement that were run, as text. */
  readonly queries?: readonly RanQuery[]
  /** What a run of a schedule has shown, for the run after it. */
  readonly shown?: ShownRows
}

/** A query that was run: its plan and its statement, as text. */
export interface RanQuery {
  readonly plan: string
  readonly sql: string
}

export interface RunReport {
  readonly outcomes: readonly RuleOutcome[]
  readonly findings: number
  readonly scans: number
  /** Wall time of the run in seconds. */
  readonly seconds: number
  /** True when the run was interrupted before all scans were done. */
  readonly interrupted: boolean
}
