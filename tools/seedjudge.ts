/** What rules find in planted logs, beside what they must find. */
import { runRules } from '../src/detect/run.ts'
import type { LoadedRule } from '../src/rules/rule.ts'
import type { SchemaCatalogue } from '../src/schema/catalogue.ts'
import { readInto, withStore } from './product.ts'

export interface SeedResult {
  /** How many ran, whatever they found. */
  readonly ran: number
  /** How many found what they must, no more and no less. */
  readonly exact: number
  readonly notes: readonly string[]
}

/** For each rule, in their order: its name in notes, and what a column of its results must hold. */
export type Expected = readonly (readonly [
  title: string,
  column: string,
  found: readonly string[],
])[]

/** Runs rules one by one over the logs below a folder, in a store of their own. */
export async function judged(
  rules: readonly LoadedRule[],
  expectations: Expected,
  logs: string,
  schema: SchemaCatalogue,
): Promise<SeedResult> {
  const notes = rules.flatMap(({ title, diagnostics }) =>
    diagnostics.map(({ code, message }) => `${title}: ${code} ${message}`),
  )
  return withStore(async (store) => {
    await readInto(store, [logs])
    let [ran, exact] = [0, 0]
    for (const [index, { rule }] of rules.entries()) {
      const [title = `rule ${index + 1}`, column = '', expected] = expectations[index] ?? []
      const found: string[] = []
      const { outcomes } = await runRules({
        rules: rule === undefined ? [] : [rule],
        schema,
        store,
        time: {},
        onFinding: ({ event, results = [event] }) => {
          for (const each of results) found.push(String(each[column] ?? ''))
        },
      })
      const [outcome] = outcomes
      if (outcome?.state === 'fired' || outcome?.state === 'quiet') ran++
      if (JSON.stringify(found.sort()) === JSON.stringify(expected)) exact++
      else {
        const why = outcome?.diagnostics.map(({ code, message }) => `${code} ${message}`).join('; ')
        notes.push(`${title}: ${outcome?.state ?? 'refused'} ${JSON.stringify(found)} ${why ?? ''}`)
      }
    }
    return { ran, exact, notes }
  })
}
