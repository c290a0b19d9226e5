/** A finding: one event that one rule matched, with enough to act on it without the store. */
import { createHash } from 'node:crypto'
import type { TimeBounds } from '../ir/rel.ts'
import type { Level } from '../rules/rule.ts'

/** Values of an event's fields; a multivalued field is an array, a present field without a value is null. */
export type EventFields = Readonly<Record<string, string | readonly string[] | null>>

/** Keys are in the order in which they are printed; names are the public JSON contract. */
export interface Finding {
  /** Event time, ISO 8601 UTC with seven fractional digits. */
  readonly time: string
  readonly rule_id: string
  readonly rule_title: string
  readonly language: string
  readonly level: Level
  readonly host: string
  readonly tags: readonly string[]
  /** Stored source, e.g. `windows.sysmon`. */
  readonly source: string
  readonly file: string
  /** Record or line number within the file. */
  readonly record: number
  /** Fixed id: the same rule on the same event always gives the same id. */
  readonly id: string
  readonly event: EventFields
  /** What the alert is called and says of itself, where the rule makes it from its rows. */
  readonly title?: string
  readonly description?: string
  readonly entities?: readonly FoundEntity[]
  /** Values that the rule surfaces by names of its own. */
  readonly details?: Readonly<Record<string, readonly string[]>>
  /** Rows of the query's result that the finding stands for, where it stands for all of a run. */
  readonly rows?: number
  /** The first of them. */
  readonly results?: readonly EventFields[]
  /** The events that the run could see. */
  readonly window?: TimeBounds
  /** What a hit says of its risk, with the values of its row. */
  readonly risk_message?: string
  /** What is at risk: one for each value of the fields that the rule names. */
  readonly risk?: readonly FoundRisk[]
  /** What the finding is evidence of. */
  readonly threat_objects?: readonly FoundThreat[]
  readonly security_domain?: string
}

/** Something at risk, and by how much. */
export interface FoundRisk {
  readonly field: string
  readonly value: string
  /** `system`, `user` or `other`. */
  readonly type: string
  /** 0 to 100. */
  readonly score: number
  readonly message: string
}

/** Something that is evidence: a process, an address, a file. */
export interface FoundThreat {
  readonly field: string
  readonly value: string
  readonly type: string
}

/** An entity that a rule maps columns to: its type, and its identifiers by name (`Address`, `FullName`). */
export interface FoundEntity {
  readonly type: string
  readonly [identifier: string]: string
}

/** An event as it is read back from the store. */
export interface StoredEvent {
  readonly time: string
  readonly host: string
  readonly file: string
  readonly record: number
  readonly event: EventFields
}

/**
 * The fixed id of a rule's match on one event: the same rule on the same record of the same file always gives the
 * same, whatever else is stored.
 */
export function findingId(rule: string, source: string, stored: StoredEvent): string {
  return fixedId(rule, source, stored.file, stored.record, stored.time)
}

/** An id that the same parts always give: 32 hexadecimal digits. */
export function fixedId(...parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)
}
