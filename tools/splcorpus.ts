/**
 * Published searches and recorded cases of SPL against the product, for `npm run corpus`: how many rules of a pack compile
 * and bind on an empty store, why the others are refused, and how many recorded results come out the same.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { planQuery } from '../src/detect/runquery.ts'
import { loadRules } from '../src/rules/load.ts'
import type { LoadedRule } from '../src/rules/rule.ts'
import { readCases } from './conform/formats.ts'
import { runSearches } from './conform/splproduct.ts'
import { readyMadeSchema } from './product.ts'

export interface SplOutcome {
  readonly board: Readonly<Record<string, number>>
  readonly notes: readonly string[]
  /** Refused rules by the code of their first error; for people, and held to nothing. */
  readonly refused?: Readonly<Record<string, number>>
}

function tally(keys: readonly string[]): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>()
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
}

/** Seconds of the processor that one rule may take to be compiled. */
const MOST_SECONDS = 2

/** The rules of a pack of Splunk content: live detections, deprecated ones and baselines, each counted apart. */
export async function splRules(folder: string): Promise<SplOutcome> {
  const schema = readyMadeSchema()
  const before = process.cpuUsage()
  const { rules, problems } = await loadRules(
    ['detections', 'baselines'].map((name) => join(folder, name)),
    { placeholders: new Map(), schema: () => schema },
  )
  const seconds = process.cpuUsage(before).user / 1_000_000
  const kindOf = ({ file }: LoadedRule): string =>
    /[\\/]baselines[\\/]/.test(file)
      ? 'spl baselines'
      : /[\\/]deprecated[\\/]/.test(file)
        ? 'spl deprecated detections'
        : 'spl detections'
  /** The code of what keeps a rule from running. */
  const fault = ({ rule, diagnostics }: LoadedRule): string | undefined => {
    const isError = ({ severity }: { readonly severity: string }): boolean => severity === 'error'
    if (rule === undefined) return diagnostics.find(isError)?.code ?? 'none'
    const planned = planQuery(rule.rel, { schema, stored: new Map(), time: {} })
    return planned.diagnostics.find(isError)?.code
  }
  const judged = rules.map((each) => ({ each, kind: kindOf(each), code: fault(each) }))
  const kinds = ['spl detections', 'spl deprecated detections', 'spl baselines']
  const refused = tally(judged.flatMap(({ code }) => code ?? []))
  const slow = seconds / Math.max(1, rules.length) > MOST_SECONDS ? [`${seconds} s in all`] : []
  return {
    board: Object.fromEntries(
      kinds.flatMap((kind) => {
        const mine = judged.filter((each) => each.kind === kind)
        const runnable = mine.filter(({ code }) => code === undefined).length
        return [
          [kind, mine.length],
          [`${kind} runnable`, runnable],
        ]
      }),
    ),
    notes: [
      `compiled in ${seconds.toFixed(1)} s of the processor`,
      `files that are no rules: ${tally(problems.map(({ diagnostic }) => diagnostic.code)).join(', ')}`,
      ...judged.flatMap(({ each, code }) => {
        const error = each.diagnostics.find(({ severity }) => severity === 'error')
        return code === undefined ? [] : [`refused: ${each.title}: ${code} ${error?.message ?? ''}`]
      }),
      ...slow,
    ],
    refused: Object.fromEntries(refused),
  }
}

/** The recorded cases of a file, by family. */
export async function splCases(path: string): Promise<SplOutcome> {
  const { searches } = readCases(JSON.parse(gunzipSync(readFileSync(path)).toString('utf8')))
  const outcomes = await runSearches(searches)
  const passed = outcomes.filter(({ state }) => state === 'passed')
  const failed = outcomes.filter(({ state }) => state === 'failed')
  const isSure = (at: number): boolean => searches[at]?.confidence === 'high'
  const sure = outcomes.filter((_, at) => isSure(at))
  const families = tally(passed.map(({ recorded }) => recorded.family)).toSorted(([a], [b]) =>
    a < b ? -1 : 1,
  )
  return {
    board: {
      ...Object.fromEntries(families.map(([name, times]) => [`spl: ${name} passed`, times])),
      'spl: of high confidence passed': sure.filter(({ state }) => state === 'passed').length,
    },
    notes: [
      `${passed.length} of ${outcomes.length} passed; ${sure.length} are of high confidence`,
      ...failed.map(({ recorded, cause }) => `failed: ${recorded.name}: ${cause}`),
    ],
  }
}
