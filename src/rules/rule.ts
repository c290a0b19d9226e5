/** A loaded rule, whatever its language: what it is, where it came from, and its plan when it can run. */
import type { Diagnostic } from '../core/diagnostic.ts'
import type { Place } from '../core/span.ts'
import type { Rel } from '../ir/rel.ts'

export const LEVELS = ['informational', 'low', 'medium', 'high', 'critical'] as const
export type Level = (typeof LEVELS)[number]
export type Language = 'sigma'

/** One thing that a rule tests: a named selection or a stage, with its own text. */
export interface Stage {
  readonly name: string
  readonly text: string
}

export interface RuleInfo {
  /** File as the user named it; a member of an archive is `pack.zip!/rules/x.yml`. */
  readonly file: string
  readonly id: string
  readonly title: string
  readonly language: Language
  readonly level: Level
  readonly status: string
  readonly description: string
  readonly author: string
  readonly date: string
  readonly tags: readonly string[]
  readonly references: readonly string[]
  readonly falsepositives: readonly string[]
  /** The log source in one line, as `explain` prints it: `windows / process_creation`. */
  readonly logsource: string
}

/** What a rule needs to be run: its unbound plan. */
export interface Rule extends RuleInfo {
  readonly rel: Rel
  readonly stages: readonly Stage[]
  /** Field names that the rule reads. */
  readonly fields: readonly string[]
}

/** A diagnostic with the place a person can go to. */
export interface LocatedDiagnostic extends Diagnostic {
  readonly place?: Place
}

/** One rule document of a file: runnable when `rule` is there. */
export interface LoadedRule {
  readonly file: string
  readonly id: string
  readonly title: string
  readonly language: Language
  readonly rule?: Rule
  readonly diagnostics: readonly LocatedDiagnostic[]
  /** The text of the file, for carets and reports. */
  readonly text: string
}

/** Rank of a level, 0 (informational) to 4 (critical). */
export function rankOf(level: Level): number {
  return LEVELS.indexOf(level)
}
