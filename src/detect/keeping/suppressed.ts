/** What was held back, by rule and values: how often, from when to when, and what was told in its place. */
import type { Records } from '../../engine/records.ts'
import { STATE, SUPPRESSED } from './throttle.ts'

/** Findings that were held back together. Names are the public JSON contract. */
export interface SuppressedGroup {
  /** What the rule is remembered by. */
  readonly rule: string
  readonly title: string
  /** The fields that make them equal, and their values; of a suppression of the settings none. */
  readonly fields: readonly string[]
  readonly values: readonly (string | readonly string[] | null)[]
  /** The suppression of the settings; empty for throttling. */
  readonly reason: string
  readonly count: number
  /** Of those, how many had been told before an earlier one came up. */
  readonly withdrawn: number
  /** Times of the first and the last of them. */
  readonly first: string
  readonly last: string
  /** Id of the finding that was told last in their place; empty for a suppression of the settings. */
  readonly instead: string
}

export interface SuppressedQuery {
  readonly rule?: string
  /** Those in the place of which this finding was told. */
  readonly instead?: string
  readonly from?: string
  readonly to?: string
}

/** Rows that are read; more are not listed. */
const MOST = 500_000

function listOf(text: string): SuppressedGroup['values'] {
  try {
    const parsed: unknown = JSON.parse(text)
    if (!Array.isArray(parsed)) return [text]
    return parsed.map((each: unknown) =>
      each === null ? null : Array.isArray(each) ? each.map(String) : String(each),
    )
  } catch {
    // Cut where it was too long.
    return [text]
  }
}

/** What makes a row equal to others. */
function equalityOf({ reason, values }: { readonly reason: string; readonly values: string }) {
  if (reason !== '') return { fields: [], values: [] }
  const [fields = '', ...rest] = values.split('\n')
  return { fields: listOf(fields).map(String), values: listOf(rest.join('\n')) }
}

/** Findings that are held back, in groups; the greatest first. */
export async function suppressedFindings(
  records: Records,
  { rule, instead, from, to }: SuppressedQuery = {},
): Promise<readonly SuppressedGroup[]> {
  const table = await records.table(SUPPRESSED)
  const where = [
    { column: 'state', is: 'in' as const, value: [STATE.held, STATE.withdrawn] },
    ...(rule === undefined ? [] : [{ column: 'rule', is: '=' as const, value: rule }]),
    ...(instead === undefined ? [] : [{ column: 'instead', is: '=' as const, value: instead }]),
    ...(from === undefined ? [] : [{ column: 'finding_time', is: '>=' as const, value: from }]),
    ...(to === undefined ? [] : [{ column: 'finding_time', is: '<' as const, value: to }]),
  ]
  const groups = new Map<string, SuppressedGroup>()
  for (const row of await table.read({ where, order: ['finding_time', 'id'], limit: MOST })) {
    const key = JSON.stringify([row.rule, row.reason, row.equal])
    const before = groups.get(key)
    groups.set(key, {
      rule: row.rule,
      title: row.title,
      ...equalityOf(row),
      reason: row.reason,
      count: (before?.count ?? 0) + 1,
      withdrawn: (before?.withdrawn ?? 0) + (row.state === STATE.withdrawn ? 1 : 0),
      first: before?.first ?? row.finding_time,
      last: row.finding_time,
      instead: row.instead,
    })
  }
  return [...groups.values()].sort((a, b) => b.count - a.count || (a.last < b.last ? 1 : -1))
}

/** Ids of findings that were told before an earlier equal one came up: they are kept, and no longer stand in the queue. */
export async function withdrawnIds(records: Records): Promise<ReadonlySet<string>> {
  const table = await records.table(SUPPRESSED)
  const where = [{ column: 'state', is: '=' as const, value: STATE.withdrawn }]
  return new Set((await table.read({ where, limit: MOST })).map(({ id }) => id))
}
