/**
 * Published Kusto queries and recorded cases against the product, for `npm run corpus`: how many queries compile and
 * bind on an empty store, why the others are refused, and how many recorded results come out the same.
 */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { Diagnostic } from '../src/core/diagnostic.ts'
import { planQuery } from '../src/detect/runquery.ts'
import type { KustoAnswer } from '../src/dialects/kusto/answer.ts'
import { compilerHere } from '../src/rules/kustolibrary.ts'
import { readCases } from './conform/formats.ts'
import { withProduct } from './conform/product.ts'
import type { Outcome } from './conform/report.ts'
import { runCases } from './conform/run.ts'
import { readyMadeSchema } from './product.ts'

export interface KustoOutcome {
  readonly board: Readonly<Record<string, number>>
  readonly notes: readonly string[]
  /** Refused queries by the code of their first error; for people, and held to nothing. */
  readonly refused?: Readonly<Record<string, number>>
}

/** Tables, columns and functions that are not there, and services of a tenant. */
const UNKNOWN: ReadonlySet<string> = new Set(['HR401', 'HR402', 'HR403', 'HR408'])
/** What a query needs is not given, which is no fault of the query. */
const INPUT_MISSING = 'HR432'
const MOST_SECONDS = 2

interface Published {
  readonly id: string
  readonly query: string
}

function readQueries(path: string): readonly Published[] {
  const lines = gunzipSync(readFileSync(path)).toString('utf8').split('\n')
  return lines.flatMap((line): readonly Published[] => {
    const parsed: unknown = line === '' ? undefined : JSON.parse(line)
    if (typeof parsed !== 'object' || parsed === null) return []
    const { id, query } = parsed as { readonly id?: unknown; readonly query?: unknown }
    return typeof query === 'string' ? [{ id: String(id), query }] : []
  })
}

/** The queries of a file of JSON lines, each compiled and bound on an empty store. */
export async function kustoQueries(path: string): Promise<KustoOutcome> {
  const schema = readyMadeSchema()
  const compiler = compilerHere(schema.tables)
  const world = { schema, stored: new Map(), time: {} }
  const isFatal = ({ code, severity }: Diagnostic): boolean =>
    severity === 'error' && code !== INPUT_MISSING
  const firstError = (answers: readonly KustoAnswer[]): Diagnostic | undefined => {
    // Columns that only the data can tell are found when the query runs.
    if (answers.some(({ discover }) => discover !== undefined)) return undefined
    const found = answers.flatMap((each) => each.diagnostics).find(isFatal)
    if (found !== undefined) return found
    const plans = answers.flatMap(({ rel }) => (rel === undefined ? [] : [planQuery(rel, world)]))
    return plans.flatMap((each) => each.diagnostics).find(isFatal)
  }
  const refused = new Map<string, number>()
  const slow: string[] = []
  const queries = readQueries(path)
  // The library's own start is no query's.
  await compiler.compile([{ query: 'print 1', name: 'first' }], [], [])
  let runnable = 0
  for (const { id, query } of queries) {
    const before = process.cpuUsage()
    const [compiled] = await compiler.compile([{ query, name: id }], [], [])
    const error = firstError(compiled?.queries ?? [])
    const seconds = process.cpuUsage(before).user / 1_000_000
    if (seconds > MOST_SECONDS) slow.push(`${id} took ${seconds.toFixed(1)} s`)
    if (error === undefined) runnable++
    else refused.set(error.code, (refused.get(error.code) ?? 0) + 1)
  }
  const byCode = [...refused].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  const unknown = byCode.reduce((sum, [code, times]) => sum + (UNKNOWN.has(code) ? times : 0), 0)
  const known = queries.length - unknown
  return {
    board: { 'kusto queries': queries.length, 'kusto queries runnable': runnable },
    notes: [
      `refused: ${byCode.map(([code, times]) => `${code} ${times}`).join(', ')}`,
      `${((100 * runnable) / queries.length).toFixed(1)} % of all; ${((100 * runnable) / known).toFixed(1)} % of the ${known} whose tables, columns and functions are known`,
      ...slow,
    ],
    refused: Object.fromEntries(byCode),
  }
}

/** The recorded cases of a file that need no data, by family. */
export async function kustoCases(path: string, name: string): Promise<KustoOutcome> {
  const { cases } = readCases(JSON.parse(gunzipSync(readFileSync(path)).toString('utf8')))
  const chosen = cases.filter((each) => each.selfContained)
  const outcomes: Outcome[] = []
  await withProduct(async (runner) => {
    outcomes.push(...(await runCases(chosen, runner)))
  })
  const passed = new Map<string, number>()
  for (const { state, recorded } of outcomes) {
    if (state === 'passed') passed.set(recorded.family, (passed.get(recorded.family) ?? 0) + 1)
  }
  const families = [...passed].sort(([a], [b]) => (a < b ? -1 : 1))
  const failed = outcomes.filter(({ state }) => state === 'failed')
  const total = outcomes.length - failed.length
  return {
    board: Object.fromEntries([
      ...families.map(([family, times]) => [`${name}: ${family} passed`, times] as const),
    ]),
    notes: [
      `${total} of ${outcomes.length} passed or cannot be told`,
      ...failed.map(({ recorded, cause }) => `failed: ${recorded.name}: ${cause}`),
    ],
  }
}
