/** A loaded rule, whatever its language: what it is, where it came from, and its plan when it can run. */
import type { Diagnostic } from '../core/diagnostic.ts'
import { type Place, placesIn } from '../core/span.ts'
import type { KustoAnswer, KustoCompiled } from '../dialects/kusto/answer.ts'
import type { KustoRule } from '../dialects/kusto/rule.ts'
import type { Correlation } from '../dialects/sigma/correlation.ts'
import type { Effect, SplAnswer } from '../dialects/spl/answer.ts'
import type { TimeRange } from '../dialects/spl/command.ts'
import type { Lookups } from '../dialects/spl/lookups.ts'
import type { SplRule } from '../dialects/spl/rule.ts'
import type { Rel } from '../ir/rel.ts'
import type { StoredLookups } from '../schema/lookups.ts'
import type { StoredCatalogue } from '../schema/stored.ts'

export const LEVELS = ['informational', 'low', 'medium', 'high', 'critical'] as const
export type Level = (typeof LEVELS)[number]
export type Language = 'sigma' | 'kusto' | 'spl'

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

/** A query whose columns only the data can tell; the rule's plan gives their names and types until they are found. */
export interface Unfinished {
  /** The text that the query is in, and which of its queries it is. */
  readonly text: string
  readonly query: number
  readonly compile: (text: string) => Promise<KustoCompiled>
}

/** What a Kusto rule has beside its plan: its schedule, trigger and mappings, and what its query gives. */
export interface KustoPart
  extends KustoRule,
    Pick<KustoAnswer, 'columns' | 'tables' | 'order' | 'render'> {
  readonly unfinished?: Unfinished
  /** True when the data has told its columns: there may be more of them another time. */
  readonly isFound?: boolean
}

/** What is known of the store that a search is compiled for. */
export interface SplStore {
  /** Absent: every field that the search names is taken to be there. */
  readonly stored?: StoredCatalogue
  /** The lookups that searches have written. */
  readonly written?: StoredLookups
}

/** The store, and the times that the search looks at. */
export interface SplTimes extends SplStore {
  readonly range?: TimeRange
}

/** Compiles the search of a rule for a store. */
export type SplCompiler = (given: SplTimes) => {
  readonly lookups: Lookups
  readonly compile: (found: ReadonlyMap<string, readonly string[]>) => SplAnswer
}

/** What a rule of Splunk content has beside its plan: its schedule, risk and texts, and what its search gives. */
export interface SplPart
  extends SplRule,
    Pick<SplAnswer, 'columns' | 'order' | 'isEvents' | 'notes' | 'reads'> {
  readonly search: string
  /** The lookups and indexes that the search writes. */
  readonly writes: readonly Pick<Effect, 'kind' | 'name'>[]
  readonly compiler: SplCompiler
}

/** A rule that a correlation counts. */
export interface CorrelatedRule {
  /** As the correlation names it. */
  readonly name: string
  /** A rule over single events, or another correlation. */
  readonly rule: Rule
  /** By the name that the correlation gives a field, the one that events of this rule have. */
  readonly fields: ReadonlyMap<string, string>
}

/** What a Sigma correlation has beside its plan. */
export interface CorrelationPart extends Omit<Correlation, 'rules' | 'aliases' | 'span'> {
  readonly rules: readonly CorrelatedRule[]
}

/** When a rule runs, where a user's overlay says so; what is absent stays as the rule has it. Lengths are milliseconds. */
export interface TunedSchedule {
  /** Five fields, as cron has them. */
  readonly cron?: string
  /** Instead of cron: how far runs are apart. */
  readonly every?: number
  /** How far back each run looks. */
  readonly lookback?: number
  /** How long a run waits for events that come late. */
  readonly delay?: number
}

/** What a user's overlay says of a rule beside what the rule says of itself; pack updates leave it alone. */
export interface Tuning {
  /** The overlay file. */
  readonly file: string
  readonly enabled?: boolean
  readonly schedule?: TunedSchedule
  /** Findings with equal values of the fields are told once in a period; without fields all of the rule are equal. */
  readonly suppress?: { readonly fields: readonly string[]; readonly seconds: number }
  /** Score of every risk that the rule adds. */
  readonly riskScore?: number
  /** The most findings that one run may make; the rest are counted in one finding. */
  readonly mostFindings?: number
  /** The filter as it is written, in the rule's own language; it is part of the plan already. */
  readonly filter?: string
  /** The rule as it is without the filter, for tests of the filter. */
  readonly unfiltered?: Rule
  readonly tests?: readonly FilterTest[]
  /** Why the user changed the rule, who did so, and when. */
  readonly reason?: string
  readonly author?: string
  readonly date?: string
}

/** An event that a filter must hide, or must let through. */
export interface FilterTest {
  readonly keeps: boolean
  readonly name: string
  /** The overlay file and the line of the test in it. */
  readonly file: string
  readonly line: number
  readonly events: readonly (string | Readonly<Record<string, unknown>>)[]
  /** Names of files beside the overlay. */
  readonly files: readonly string[]
  /** What tells where the events come from, as in tests beside rules. */
  readonly format?: string
  readonly source?: string
  readonly table?: string
  readonly sourcetype?: string
}

/** What a rule needs to be run: its unbound plan. */
export interface Rule extends RuleInfo {
  readonly rel: Rel
  readonly tuning?: Tuning
  readonly stages: readonly Stage[]
  /** Field names that the rule reads; of a Kusto rule or a search the columns that it gives. */
  readonly fields: readonly string[]
  readonly kusto?: KustoPart
  readonly spl?: SplPart
  readonly correlation?: CorrelationPart
  /** The title of a correlation that counts its matches, in place of findings of its own. */
  readonly countedBy?: string
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

/** The diagnostics of one text with their places. */
export function located(
  diagnostics: readonly Diagnostic[],
  text: string,
): readonly LocatedDiagnostic[] {
  const placed = placesIn(text)
  return diagnostics.map((each) =>
    each.span === undefined ? each : { ...each, place: placed(each.span.start) },
  )
}

/** Rank of a level, 0 (informational) to 4 (critical). */
export function rankOf(level: Level): number {
  return LEVELS.indexOf(level)
}

/** What tells a rule from others wherever it is remembered: its id, or else its language and title. */
export function keyOfRule({
  id,
  language,
  title,
}: Pick<RuleInfo, 'id' | 'language' | 'title'>): string {
  return id === '' ? `${language}:${title}` : id
}
