/**
 * What a rule must find whose findings stand for rows of a result, not for records of a file: it is told by the values of
 * one column.
 */
export interface RowExpectation {
  /** Name of the file without `.yml`. */
  readonly rule: string
  readonly column: string
  /** The values of the column in all rows of all findings, each once. */
  readonly finds: readonly string[]
  /** Values that stand in the samples and that the rule must leave alone. */
  readonly leaves: readonly (readonly [value: string, why: string])[]
}
