/** Where a recorded case may differ from an exact answer, and why: the only exceptions that the comparer makes. */

interface Tolerance {
  readonly calls: RegExp
  /** Largest relative difference of numbers. */
  readonly relative: number
  readonly why: string
}

/** Apply to queries over a thousand rows or more only: on fewer rows the functions are exact. */
const APPROXIMATE: readonly Tolerance[] = [
  {
    calls: /\b(?:dcount|dcountif|dcount_hll|dcount_intersect)\s*\(/,
    relative: 0.02,
    why: 'counts by HyperLogLog, whose standard error is 0.8 % as called by default and 1.6 % at most',
  },
  {
    calls:
      /\b(?:percentiles?|percentilew|percentilesw|percentiles_array|percentile_tdigest|rank_tdigest)\s*\(/,
    relative: 0.02,
    why: 'quantiles by t-digest, which interpolates between kept centroids',
  },
]

/** Reals are compared to this, as the recorders print at most 15 to 17 digits. */
export const REAL_RELATIVE = 1e-9

/** True when the text makes rows by `range` up to a thousand or more. */
function readsMany(query: string): boolean {
  return [...query.matchAll(/\brange\s[\s\S]{0,200}?\bto\s+(\d+)/g)].some(
    ([, end]) => Number(end) >= 1_000,
  )
}

/** The relative difference that numbers of the query's result may have. */
export function toleranceOf(query: string): number {
  if (!readsMany(query)) return REAL_RELATIVE
  return APPROXIMATE.reduce(
    (most, { calls, relative }) => (calls.test(query) ? Math.max(most, relative) : most),
    REAL_RELATIVE,
  )
}

const UNSTABLE = /\b(?:rand|now|ago|new_guid|ingestion_time)\s*\(|\|\s*sample\s/

/** True when two runs of the query on the same data may differ: such a case is shown apart and never passes. */
export function isUnstable(query: string): boolean {
  return UNSTABLE.test(query)
}

/** Functions whose lists are sets: Kusto promises no order of their elements. */
const SETS = 'make_set|makeset|make_set_if|set_union|set_intersect|set_difference'

/** True for a column that a set function fills, by its name in the query or the name that Kusto gives it. */
export function isSetColumn(name: string, query: string): boolean {
  if (/^set_/.test(name) && /\b(?:make_?set|make_set_if)\s*\(/.test(query)) return true
  if (!/^\w+$/.test(name)) return false
  return new RegExp(`\\b${name}\\s*=\\s*(?:${SETS})\\s*\\(`).test(query)
}
