/** All checks, and what each code of theirs is for. */
import type { Code } from '../../core/codes.ts'
import { attackCheck } from './attack.ts'
import { fieldChecks } from './fields.ts'
import { metadataChecks } from './metadata.ts'
import { predicateChecks } from './predicates.ts'
import type { LintCheck } from './subject.ts'
import { timingChecks } from './timing.ts'
import { writingChecks } from './writing.ts'

const none = () => []

/** Checks of several rules together; `packs` finds them. */
const PACK_CHECKS: readonly LintCheck[] = [
  {
    codes: ['HR954', 'HR955'],
    says: 'Ids and titles are those of one rule.',
    check: none,
  },
  {
    codes: ['HR980', 'HR981'],
    says: 'Detections of Splunk content call the filter macro of their name, and macros of a pack are called.',
    check: none,
  },
]

export const CHECKS: readonly LintCheck[] = [
  attackCheck,
  ...PACK_CHECKS.slice(0, 1),
  ...metadataChecks,
  ...writingChecks,
  ...predicateChecks,
  ...timingChecks,
  ...fieldChecks,
  ...PACK_CHECKS.slice(1),
]

/** What a code of a check is for; undefined for codes that rules have when they are loaded. */
export function purposeOf(code: Code): string | undefined {
  return CHECKS.find(({ codes }) => codes.includes(code))?.says
}
