/**
 * Sources that the product writes itself: what rules found, what is at risk, and what became of findings. A query sees
 * them only where it names one of the views that they feed. What means everything (all events, all tables, all fields)
 * means what was taken in: a rule must not find its own findings.
 */
import { call, type Expr, field, not, text } from '../ir/expr.ts'
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

/** Field that findings of rules have that read findings themselves. */
const DERIVED = 'is_derived'

/**
 * Which events of own sources any view shows: not what rules made of findings. A rule that reads findings can therefore
 * never be fed by its own, nor by those of another that is fed by its.
 */
export const SHOWN: Expr = not(call('match.equals', [field(DERIVED), text('true')]))
