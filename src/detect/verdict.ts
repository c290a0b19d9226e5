/**
 * The verdict of the publisher's own unit test on the rows that a search gives for its test data: at least one row, every
 * object at risk in each of them, and every object that is evidence in at least one.
 */
import type { SplRule } from '../dialects/spl/rule.ts'

export interface Verdict {
  readonly passed: boolean
  /** Why not, in words; empty when it has passed. */
  readonly reasons: readonly string[]
}

/** The values of a row by the names of their fields. */
export type RowValues = (field: string) => readonly string[]

/** What stands for no value in the test. */
const isNothing = (values: readonly string[]): boolean =>
  values.length === 0 || values.every((each) => each === 'null')

/** Judges the rows of a rule's search. */
export function unitVerdict(
  { riskObjects, threatObjects }: Pick<SplRule, 'riskObjects' | 'threatObjects'>,
  rows: readonly RowValues[],
): Verdict {
  const lacks = (field: string): number => rows.filter((row) => isNothing(row(field))).length
  const reasons = [
    ...(rows.length === 0 ? ['the search gives no row'] : []),
    ...[...new Set(riskObjects.map(({ field }) => field))].flatMap((field) => {
      const missing = lacks(field)
      return missing === 0 ? [] : [`the risk object ${field} is missing in ${missing} rows`]
    }),
    ...[...new Set(threatObjects.map(({ field }) => field))].flatMap((field) =>
      rows.length === 0 || lacks(field) < rows.length
        ? []
        : [`the threat object ${field} is missing in every row`],
    ),
  ]
  return { passed: reasons.length === 0, reasons }
}
