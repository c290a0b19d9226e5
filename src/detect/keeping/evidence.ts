/**
 * The texts of what was run: plan and statement, kept once for all findings of a version of a rule. Runs differ in their
 * times; those stand with each finding, so that texts that differ in times alone are kept as one.
 */

import type { RecordSpec, Records } from '../../engine/records.ts'
import { fixedId } from '../finding.ts'
import type { WindowRun } from './keeper.ts'

/** Longest plan or statement that is kept whole. */
const LONGEST = 512 * 1024

const PLANS = {
  name: 'plans',
  columns: { id: 'text', rule: 'text', version: 'text', plan: 'text', sql: 'text' },
  key: ['id'],
} as const satisfies RecordSpec<
  Readonly<Record<'id' | 'rule' | 'version' | 'plan' | 'sql', 'text'>>
>

/** The plan and the statement of a run. */
export interface Evidence {
  readonly id: string
  readonly rule: string
  readonly version: string
  readonly plan: string
  readonly sql: string
}

const TIME = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?Z?/g

const shortened = (text: string): string =>
  text.length > LONGEST ? `${text.slice(0, LONGEST)}\n(cut here)` : text

/** The texts of a run, with their keys. */
export function evidenceOf(
  { queries }: Pick<WindowRun, 'queries'>,
  rule: string,
  version: string,
): readonly Evidence[] {
  return queries.map(({ plan, sql }) => {
    const id = fixedId(rule, version, plan.replace(TIME, '?'), sql.replace(TIME, '?'))
    return { id, rule, version, plan: shortened(plan), sql: shortened(sql) }
  })
}

/** What was run, by the keys that findings have. */
export class EvidenceStore {
  readonly #records: Records
  /** Keys that are known to be on disk. */
  readonly #known = new Set<string>()

  constructor(records: Records) {
    this.#records = records
  }

  async keep(all: readonly Evidence[]): Promise<void> {
    const fresh = new Map(
      all.filter(({ id }) => !this.#known.has(id)).map((each) => [each.id, each]),
    )
    if (fresh.size === 0) return
    const table = await this.#records.table(PLANS)
    const there = await table.read({
      where: [{ column: 'id', is: 'in', value: [...fresh.keys()] }],
    })
    for (const { id } of there) fresh.delete(id)
    await table.append([...fresh.values()])
    for (const { id } of all) this.#known.add(id)
  }

  /** The texts with these keys, in their order. */
  async read(ids: readonly string[]): Promise<readonly Evidence[]> {
    const table = await this.#records.table(PLANS)
    const found = await table.read({ where: [{ column: 'id', is: 'in', value: ids }] })
    return ids.flatMap((id) => found.find((each) => each.id === id) ?? [])
  }
}
