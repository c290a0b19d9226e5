/**
 * A finding as it is kept: what the rule made of its events, and what keeping adds: urgency, risk, the run that found it
 * and the texts of what was run. It lies in the store as the record of its event, and is read back from there.
 */
import type { TimeBounds } from '../../ir/rel.ts'
import type { Level } from '../../rules/rule.ts'
import type { Finding, FoundRisk } from '../finding.ts'

/** One risk of a finding, with what the settings make of its score. */
export interface KeptRisk extends FoundRisk {
  /** Fixed id: the same risk of the same finding always has the same. */
  readonly id: string
  /** The object as it is compared: without domain, case and marks of a network. */
  readonly normalized: string
  /** What counts: the score with its factors, within what one rule may add to one object in a day. */
  readonly calculated: number
  /** Factors that were added to the score, and that it was multiplied with, by their names. */
  readonly added: readonly string[]
  readonly multiplied: readonly string[]
  /** What it would count without the most of a day; only there where that holds it back. */
  readonly uncapped?: number
}

/** Keys behind those of the finding, in the order in which they are printed; the public JSON contract. */
export interface KeptFinding extends Finding {
  /** Its id in the form of Enterprise Security. */
  readonly event_id: string
  /** What the rule is remembered by. */
  readonly rule_key: string
  /** Changes when what the rule does changes. */
  readonly rule_version: string
  readonly search_name: string
  readonly rule_description: string
  /** The level of the finding; urgency is what it becomes for what it is about. */
  readonly severity: Level
  readonly urgency: Level
  readonly security_domain: string
  /** The time that the run stands for. */
  readonly run_at: string
  /** The events that the run could see. */
  readonly window: TimeBounds
  readonly kept_at: string
  /** Keys of the texts of what was run (evidence.ts). */
  readonly plans: readonly string[]
  /** What asset and identity lists say of it: `dest_priority`, `user_category`. */
  readonly context: Readonly<Record<string, string | readonly string[]>>
  readonly risks: readonly KeptRisk[]
  /** Sum of what its risks count. */
  readonly risk_score: number
  /** Hits past the most of a run that it stands for. */
  readonly more?: number
  /** True when it was found by a run of the past. */
  readonly is_backfill?: true
  /** True when its rule reads findings: rules do not see it, so that none can feed itself. */
  readonly is_derived?: true
  /** Id of the incident that its rule puts it into with others: that of the finding that opened it. */
  readonly incident?: string
  /** True when its rule makes no incident of it. */
  readonly is_alert_only?: true
}

/** The id of a finding as Enterprise Security writes ids of notables. */
export function eventIdOf(id: string): string {
  return `harrier@@notable@@${id}`
}

/** The number of an incident: 31 bits of its id, since the column of the service is a whole number of 32 bits. */
export function incidentNumber(id: string): number {
  return Number.parseInt(id.slice(0, 8), 16) % 0x7fffffff
}

/** Reads the record of a stored finding; undefined for a text that is none. */
export function keptFindingOf(raw: string): KeptFinding | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(raw)
  } catch {
    return undefined
  }
  return isKept(parsed) ? parsed : undefined
}

/** True for what has the keys that every kept finding has. */
function isKept(value: unknown): value is KeptFinding {
  if (value === null || typeof value !== 'object') return false
  const has = (key: string, type: string): boolean =>
    Object.hasOwn(value, key) && typeof Reflect.get(value, key) === type
  return (
    ['id', 'rule_key', 'rule_title', 'time', 'severity', 'urgency', 'run_at'].every((key) =>
      has(key, 'string'),
    ) && ['risks', 'plans', 'tags'].every((key) => Array.isArray(Reflect.get(value, key)))
  )
}
