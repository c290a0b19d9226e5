/**
 * What a detection of Splunk content says of itself beside its search, whatever form and generation of file it came
 * from, and the document that holds it.
 */
import type { Diagnostic } from '../../core/diagnostic.ts'
import type { Placing } from '../../core/placing.ts'
import type { Span } from '../../core/span.ts'
import type { LookupDefinition } from './lookupdef.ts'
import type { Macro } from './world.ts'

export const RULE_TYPES = [
  'TTP',
  'Anomaly',
  'Hunting',
  'Correlation',
  'Baseline',
  'Investigation',
] as const
export type SplRuleType = (typeof RULE_TYPES)[number]

export const SPL_SEVERITIES = ['informational', 'low', 'medium', 'high', 'critical'] as const
export type SplSeverity = (typeof SPL_SEVERITIES)[number]

/** What a finding puts at risk: each value of a field of the result. */
export interface RiskObject {
  readonly field: string
  /** `system`, `user` or `other`. */
  readonly type: string
  readonly score: number
  /** Its own message, where it has one. */
  readonly message?: string
}

/** Kinds of threat objects, as the publisher of most content names them. */
const THREAT_TYPES = new Set(
  (
    'certificate_common_name certificate_organization certificate_serial certificate_unit command domain email_address ' +
    'email_subject file_hash file_name file_path http_user_agent ip_address process process_name parent_process ' +
    'parent_process_name process_hash registry_path registry_value_name registry_value_text service signature system ' +
    'tls_hash url'
  ).split(' '),
)

/** The kind that a field of this name holds, where it has the name of one; empty otherwise. */
export function threatTypeOf(field: string): string {
  return THREAT_TYPES.has(field) ? field : ''
}

/** What a finding is evidence of: each value of a field of the result. */
export interface ThreatObject {
  readonly field: string
  readonly type: string
}

export interface Drilldown {
  readonly name: string
  readonly search: string
  readonly earliest: string
  readonly latest: string
}

/** Rows with the same values of the fields are told once in a period of seconds. */
export interface Throttling {
  readonly fields: readonly string[]
  readonly seconds: number
}

/** When a search runs, and the times that it looks at, as Splunk writes them. */
export interface SplSchedule {
  readonly cron: string
  readonly earliest: string
  readonly latest: string
  readonly window: string
}

/** What a notable says: `$field$` stands for a value of the row, `%name%` for a part of the rule. */
export interface NotableAction {
  readonly title: string
  readonly description: string
  /** Fields that an analyst sees first. */
  readonly fields: readonly string[]
}

/** A published test: which data makes the search find something. */
export interface DetectionTest {
  readonly name: string
  readonly type: string
  readonly data: readonly {
    readonly data: string
    readonly source: string
    readonly sourcetype: string
    readonly host: string
    readonly index: string
  }[]
}

export interface SplRule {
  /** `search`: no more than a search with a title. */
  readonly form: 'detection' | 'savedsearch' | 'page' | 'search'
  readonly id: string
  readonly name: string
  readonly version: string
  /** Of its making, and of its last change where it has both. */
  readonly date: string
  readonly modified: string
  readonly author: string
  readonly status: string
  readonly type?: SplRuleType
  readonly enabled: boolean
  readonly description: string
  readonly dataSources: readonly string[]
  readonly implementation: string
  readonly falsePositives: string
  readonly references: readonly string[]
  readonly stories: readonly string[]
  readonly techniques: readonly string[]
  readonly cves: readonly string[]
  readonly groups: readonly string[]
  readonly assetType: string
  readonly products: readonly string[]
  readonly securityDomain: string
  readonly severity?: SplSeverity
  readonly riskMessage: string
  readonly riskObjects: readonly RiskObject[]
  readonly threatObjects: readonly ThreatObject[]
  readonly drilldowns: readonly Drilldown[]
  readonly throttling?: Throttling
  readonly tests: readonly DetectionTest[]
  readonly schedule?: SplSchedule
  /** Absent when a hit makes no notable. */
  readonly notable?: NotableAction
  /** True when a hit adds to the risk of its objects. */
  readonly hasRisk: boolean
  /** Names of values that a person gives an investigation. */
  readonly inputs: readonly string[]
  /** Keys that have no meaning here, as plain values. */
  readonly custom: ReadonlyMap<string, unknown>
}

/** One search of a file with what is said of it. It is refused when its diagnostics have an error. */
export interface SplDocument {
  readonly rule: SplRule
  readonly search: string
  /** From a span of the search to a span of the file. */
  readonly place: Placing
  readonly diagnostics: readonly Diagnostic[]
  readonly span: Span
  /** Macros that hold for this search alone. */
  readonly macros: readonly Macro[]
  /** Places of what the rule names beside its search, by name of the field. */
  readonly fieldSpans: ReadonlyMap<string, Span>
}

/** A story: what several detections are about. */
export interface Story {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly narrative: string
  readonly categories: readonly string[]
  readonly references: readonly string[]
}

/** What holds for all rules of a type in a pack, in place of what is usual. */
export interface Deployment {
  readonly type: SplRuleType
  readonly schedule?: SplSchedule
  /** Undefined where nothing is said of it. */
  readonly notable?: NotableAction | 'none'
  readonly hasRisk?: boolean
}

/** All that a file holds. */
export interface SplFile {
  readonly documents: readonly SplDocument[]
  readonly macros: readonly Macro[]
  readonly lookups: readonly LookupDefinition[]
  readonly stories: readonly Story[]
  readonly deployments: readonly Deployment[]
  /** Names of KV store collections with their fields. */
  readonly collections: ReadonlyMap<string, readonly string[]>
  /** What is wrong beside its documents. */
  readonly diagnostics: readonly Diagnostic[]
}

export const EMPTY_FILE: SplFile = {
  documents: [],
  macros: [],
  lookups: [],
  stories: [],
  deployments: [],
  collections: new Map(),
  diagnostics: [],
}

/** The rule of which nothing is known. */
export const PLAIN_RULE: SplRule = {
  form: 'search',
  id: '',
  name: '',
  version: '',
  date: '',
  modified: '',
  author: '',
  status: '',
  enabled: true,
  description: '',
  dataSources: [],
  implementation: '',
  falsePositives: '',
  references: [],
  stories: [],
  techniques: [],
  cves: [],
  groups: [],
  assetType: '',
  products: [],
  securityDomain: '',
  riskMessage: '',
  riskObjects: [],
  threatObjects: [],
  drilldowns: [],
  tests: [],
  hasRisk: false,
  inputs: [],
  custom: new Map(),
}

const HOURLY: SplSchedule = {
  cron: '0 * * * *',
  earliest: '-70m@m',
  latest: '-10m@m',
  window: 'auto',
}

/** When a rule of a type runs where nothing else is said. */
export function usualSchedule(type: SplRuleType | undefined): SplSchedule | undefined {
  if (type === undefined || type === 'Investigation') return undefined
  return type === 'Baseline' ? { ...HOURLY, cron: '10 0 * * *', earliest: '-1450m@m' } : HOURLY
}

/** The notable of a rule of a type where nothing else is said. */
function usualNotable(type: SplRuleType | undefined): NotableAction | undefined {
  if (type !== 'TTP' && type !== 'Correlation') return undefined
  const title = type === 'Correlation' ? 'RBA: %name%' : '%name%'
  return { title, description: '%description%', fields: ['user', 'dest'] }
}

/** The severity that risk scores from 0 to 100 stand for: that of the highest, and high when there is none. */
export function severityOfScores(scores: readonly number[]): SplSeverity {
  if (scores.length === 0) return 'high'
  const most = Math.max(...scores)
  return SPL_SEVERITIES[Math.min(4, Math.max(0, Math.ceil(most / 20) - 1))] ?? 'high'
}

/** The tags of a rule in the form that Sigma has: `attack.t1195.002`, `cve.2023-29059`. */
export function tagsOf({ techniques, cves }: SplRule): readonly string[] {
  return [
    ...new Set([
      ...techniques.map((each) => `attack.${each.toLowerCase()}`),
      ...cves.map((each) => each.toLowerCase().replace(/^cve-/, 'cve.')),
    ]),
  ]
}

/** The rule with what its type, or its pack for the type, says where it says nothing itself. */
export function deployed(rule: SplRule, deployments: readonly Deployment[]): SplRule {
  const { type } = rule
  if (rule.form !== 'detection') return rule
  const known = deployments.find((each) => each.type === type)
  const schedule = rule.schedule ?? known?.schedule ?? usualSchedule(type)
  const given = known?.notable ?? usualNotable(type)
  const notable = rule.notable ?? (given === 'none' ? undefined : given)
  const isUsual = type === 'TTP' || type === 'Anomaly'
  return {
    ...rule,
    ...(schedule === undefined ? {} : { schedule }),
    ...(notable === undefined ? {} : { notable }),
    hasRisk: rule.hasRisk || (known?.hasRisk ?? isUsual),
  }
}
