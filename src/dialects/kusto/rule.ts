/**
 * What a Kusto rule says of itself beside its query, whatever form of file it came from, and the document that holds
 * it. Lengths of time are milliseconds.
 */
import type { Diagnostic } from '../../core/diagnostic.ts'
import type { Placing } from '../../core/placing.ts'
import type { Span } from '../../core/span.ts'
import type { KustoFunction, Watchlist } from './answer.ts'

export const SEVERITIES = ['Informational', 'Low', 'Medium', 'High'] as const
export type KustoSeverity = (typeof SEVERITIES)[number]

/** How the number of result rows is compared with the threshold. */
export type TriggerOperator = 'gt' | 'lt' | 'eq' | 'ne'

export interface KustoTrigger {
  readonly operator: TriggerOperator
  readonly threshold: number
}

/** An entity that each result row names: which identifier of it stands in which column. */
export interface EntityMapping {
  readonly entityType: string
  readonly fieldMappings: readonly { readonly identifier: string; readonly columnName: string }[]
}

/** A name given by the rule, and the column that holds its value. */
export interface NamedColumn {
  readonly name: string
  readonly column: string
}

/** Texts and columns that replace what the alert would say; formats hold `{{Column}}`. */
export interface AlertDetails {
  readonly displayNameFormat?: string
  readonly descriptionFormat?: string
  readonly tacticsColumn?: string
  readonly severityColumn?: string
  readonly dynamicProperties: readonly NamedColumn[]
}

/** How alerts come together: those with the same entities, all of the rule, or those with the same selected values. */
export const MATCHING_METHODS = ['AllEntities', 'AnyAlert', 'Selected'] as const
/** Details of an alert that alerts can be grouped by. */
export const ALERT_DETAILS = ['DisplayName', 'Severity'] as const

export interface IncidentGrouping {
  /** False, too, where something of it is not understood: to group by less than was said would hide alerts. */
  readonly enabled: boolean
  readonly reopenClosedIncident: boolean
  /** Milliseconds between the first and the last alert of an incident. */
  readonly lookback?: number
  readonly matchingMethod: (typeof MATCHING_METHODS)[number]
  readonly groupByEntities: readonly string[]
  readonly groupByAlertDetails: readonly (typeof ALERT_DETAILS)[number][]
  readonly groupByCustomDetails: readonly string[]
}

export interface KustoRule {
  /** `query`: no more than a query with a title, as Markdown and `.kql` files have it. */
  readonly form: 'sentinel' | 'hunting' | 'defender' | 'query'
  readonly id: string
  readonly name: string
  readonly description: string
  readonly severity?: KustoSeverity
  /** `Scheduled` or `NRT`; hunting queries and plain queries have none. */
  readonly kind?: string
  readonly status: string
  readonly version: string
  readonly author: string
  readonly enabled: boolean
  /** How often it runs; 0: all the time, on what has just come in. */
  readonly queryFrequency?: number
  /** How far back each run looks. */
  readonly queryPeriod?: number
  readonly trigger: KustoTrigger
  readonly suppression?: { readonly enabled: boolean; readonly duration?: number }
  readonly tactics: readonly string[]
  /** Techniques and sub-techniques, each once, in upper case. */
  readonly techniques: readonly string[]
  readonly tags: readonly string[]
  readonly references: readonly string[]
  readonly requiredDataConnectors: readonly {
    readonly connectorId: string
    readonly dataTypes: readonly string[]
  }[]
  readonly entityMappings: readonly EntityMapping[]
  /** Columns that hold lists of entities in the service's own form. */
  readonly sentinelEntitiesMappings: readonly string[]
  readonly customDetails: readonly NamedColumn[]
  readonly alertDetailsOverride?: AlertDetails
  /** `SingleAlert`: one finding for all rows of a run; `AlertPerResult`: one for each row. */
  readonly aggregationKind: 'SingleAlert' | 'AlertPerResult'
  readonly incidentConfiguration?: {
    readonly createIncident: boolean
    readonly grouping?: IncidentGrouping
  }
  /** What a Defender rule calls impacted: the kind of asset and the column that names it. */
  readonly impactedAssets: readonly NamedColumn[]
  /** Response actions of a Defender rule, as they are written; none is ever taken. */
  readonly actions: readonly unknown[]
  readonly metadata: unknown
  /** Keys that have no meaning here, as plain values. */
  readonly custom: ReadonlyMap<string, unknown>
}

/** A column that the rule names outside of its query. */
export interface ColumnUse {
  readonly name: string
  /** What needs it, for messages: `the entity Account`. */
  readonly what: string
  readonly span: Span
}

/** One query of a file with what is said of it. It is refused when its diagnostics have an error. */
export interface KustoDocument {
  readonly rule: KustoRule
  readonly query: string
  /** From a span of the query to a span of the file. */
  readonly place: Placing
  readonly uses: readonly ColumnUse[]
  readonly diagnostics: readonly Diagnostic[]
  readonly span: Span
}

/** All that a file holds. */
export interface KustoFile {
  readonly documents: readonly KustoDocument[]
  readonly functions: readonly KustoFunction[]
  readonly watchlists: readonly Watchlist[]
  /** What is wrong beside its documents. */
  readonly diagnostics: readonly Diagnostic[]
}

/** The rule of which nothing is known. */
export const PLAIN_RULE: KustoRule = {
  form: 'query',
  id: '',
  name: '',
  description: '',
  status: '',
  version: '',
  author: '',
  enabled: true,
  trigger: { operator: 'gt', threshold: 0 },
  tactics: [],
  techniques: [],
  tags: [],
  references: [],
  requiredDataConnectors: [],
  entityMappings: [],
  sentinelEntitiesMappings: [],
  customDetails: [],
  aggregationKind: 'SingleAlert',
  impactedAssets: [],
  actions: [],
  metadata: undefined,
  custom: new Map(),
}

/** The tags of a rule in the form that Sigma has: `attack.initial-access`, `attack.t1195`, then its own. */
export function attackTags({
  tactics,
  techniques,
  tags,
}: Pick<KustoRule, 'tactics' | 'techniques' | 'tags'>): readonly string[] {
  const words = tactics.map((each) =>
    each
      .replace(/([a-z])([A-Z])/g, '$1-$2')
      .replace(/[\s_]+/g, '-')
      .toLowerCase(),
  )
  const attack = [...words, ...techniques.map((each) => each.toLowerCase())]
  return [...new Set([...attack.map((each) => `attack.${each}`), ...tags])]
}
