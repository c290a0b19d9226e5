/**
 * What a scheduled run hands over and what becomes of it: findings kept, risk added, messages put into the outbox, all on
 * disk when the keeper answers. Handing the same run over again changes nothing.
 */
import type { Rule } from '../../rules/rule.ts'
import type { Finding } from '../finding.ts'
import type { RunWindow } from '../windows.ts'

/** One window of one rule that has been run, with what it found. */
export interface WindowRun {
  readonly rule: Rule
  readonly window: RunWindow
  readonly findings: readonly Finding[]
  /** The plan and the statement that were run, as text. */
  readonly queries: readonly { readonly plan: string; readonly sql: string }[]
  /** Hits past the most that a run tells. */
  readonly more: number
  /** Runs of the past, of which nobody is told by a message. */
  readonly isBackfill: boolean
}

export interface KeepReport {
  /** Findings that are new. */
  readonly kept: number
  /** Findings that had been kept before. */
  readonly known: number
  /** Findings that suppression or throttling holds back. */
  readonly suppressed: number
}

export interface Keeper {
  /** Keeps what runs have found; resolves, with one report a run, when all of it is on disk. */
  keep(runs: readonly WindowRun[]): Promise<readonly KeepReport[]>
}
