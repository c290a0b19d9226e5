/**
 * Sources that the product writes itself: what rules found, what is at risk, and what became of findings. A query sees
 * them only where it names one of the views that they feed. What means everything (all events, all tables, all fields)
 * means what was taken in: a rule must not find its own findings.
 */
import type { StoredCatalogue } from './stored.ts'

/** Findings (notable events), one event each. */
export const FINDINGS = 'harrier.finding'
/** Risk, one event for each object of each finding. */
export const RISKS = 'harrier.risk'
/** Changes of findings: status, owner, disposition, notes; one event each. */
export const INCIDENTS = 'harrier.incident'

export type OwnSource = typeof FINDINGS | typeof RISKS | typeof INCIDENTS

const PREFIX = 'harrier.'

/** True for a source that the product writes itself. */
export function isOwnSource(name: string): boolean {
  return name.startsWith(PREFIX)
}

/** What was taken in, of all that is stored: what a query means that names no source. */
export function ingested(stored: StoredCatalogue): StoredCatalogue {
  return new Map([...stored].filter(([name]) => !isOwnSource(name)))
}
