/** The tests that published rules carry, run on the data that there is of them. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { attackTests, dataBelow, firstOf } from '../src/detect/testing/attackdata.ts'
import type { TestCase, TestResult, Unrunnable } from '../src/detect/testing/cases.ts'
import { readTestFile, testPaths } from '../src/detect/testing/neighbours.ts'
import { regressionTests } from '../src/detect/testing/regression.ts'
import { runTests } from '../src/detect/testing/runner.ts'
import { Bench } from '../src/detect/testing/trial.ts'
import type { Store } from '../src/engine/store.ts'
import { compilerHere } from '../src/rules/kustolibrary.ts'
import { loadRules } from '../src/rules/load.ts'
import { readyMadeSchema, schemaFiles, withStore } from './product.ts'

const WORKER = fileURLToPath(new URL('../dist/ingest-worker.js', import.meta.url))

/** Where data of tests lies that is not beside its rules. */
export interface TestData {
  readonly attackData?: string
  readonly regressionData?: string
}

/** A bench over an empty store; `folder` is for events that are given inline. */
export function benchOver(store: Store, folder: string): Bench {
  return new Bench({
    store,
    schema: readyMadeSchema(),
    schemaFiles: schemaFiles(),
    workerPath: WORKER,
    folder,
    now: { ms: Date.parse('2026-02-01T12:00:00Z'), sub: 0 },
  })
}

/** What became of all tests that the paths lead to, in no fixed order. */
export async function testedOn(
  bench: Bench,
  paths: readonly string[],
  { attackData, regressionData }: TestData,
): Promise<readonly (TestResult | Unrunnable)[]> {
  const { schema } = bench.parts
  const { rules: rulePaths, tests } = testPaths(paths)
  const { rules, texts } = await loadRules(rulePaths, {
    placeholders: new Map(),
    kusto: compilerHere(schema.tables),
    schema: () => schema,
  })
  const find = firstOf(attackData === undefined ? [] : [dataBelow(attackData)])
  const data = regressionData === undefined ? paths : [...paths, regressionData]
  const all = [
    ...tests.flatMap((file) => readTestFile(file, { rules, schema })),
    ...regressionTests(data, rules, texts),
    ...attackTests(rules, { find, schema }),
  ]
  const results: (TestResult | Unrunnable)[] = []
  const runnable: TestCase[] = []
  for (const each of all) {
    if ('state' in each) results.push(each)
    else runnable.push(each)
  }
  let now = 0
  await runTests(runnable, [bench], {
    clock: () => now++,
    onResult: (_, result) => {
      results.push(result)
      return true
    },
  })
  return results
}

/** How many tests of published rules there are, have data here, and pass; with what keeps the others from it. */
export async function publishedTests(paths: readonly string[], data: TestData) {
  const folder = mkdtempSync(join(tmpdir(), 'harrier-tests-'))
  mkdirSync(join(folder, 'inline'))
  try {
    const results = await withStore((store) =>
      testedOn(benchOver(store, join(folder, 'inline')), paths, data),
    )
    const of = (state: string): readonly (TestResult | Unrunnable)[] =>
      results.filter((each) => each.state === state)
    const missed = [...of('failed'), ...of('broken')]
    return {
      board: {
        'tests of published rules': results.length,
        'tests of published rules with data here': of('passed').length + of('failed').length,
        'tests of published rules that pass': of('passed').length,
      },
      notes: [
        `${of('skipped').length} skipped, ${of('broken').length} broken, ${of('failed').length} failed`,
        ...missed.map(({ state, rule, name, reasons }) =>
          [state, rule?.title ?? '', name, ...reasons].join(': '),
        ),
      ],
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
