/**
 * Units of time as SPL's time modifiers and lengths of buckets name them.
 * https://help.splunk.com/en/splunk-enterprise/search/spl-search-reference/9.4/time-format-variables-and-modifiers/time-modifiers
 */

/** A unit: so many seconds, or so many months of the calendar. */
export interface TimeUnit {
  /** Its spellings in small letters, as alternatives of a pattern. */
  readonly names: string
  readonly seconds: number
  readonly months: number
}

export const TIME_UNITS: readonly TimeUnit[] = [
  { names: 's|secs?|seconds?', seconds: 1, months: 0 },
  { names: 'm|mins?|minutes?', seconds: 60, months: 0 },
  { names: 'h|hrs?|hours?', seconds: 3_600, months: 0 },
  { names: 'd|days?', seconds: 86_400, months: 0 },
  { names: 'w|weeks?', seconds: 604_800, months: 0 },
  { names: 'mon|months?', seconds: 0, months: 1 },
  { names: 'q|qtrs?|quarters?', seconds: 0, months: 3 },
  { names: 'y|yrs?|years?', seconds: 0, months: 12 },
]

/** Units shorter than a second, for times that are calculated and for lengths of buckets. */
export const PARTS_OF_SECONDS: readonly TimeUnit[] = [
  { names: 'us', seconds: 1e-6, months: 0 },
  { names: 'ms', seconds: 1e-3, months: 0 },
]

/** Finds a unit by its spelling, in small letters, among those of a table. */
export function unitNamed(units: readonly TimeUnit[]): (name: string) => TimeUnit | undefined {
  const tests = units.map((unit) => ({ unit, test: new RegExp(`^(?:${unit.names})$`) }))
  return (name) => tests.find(({ test }) => test.test(name))?.unit
}
