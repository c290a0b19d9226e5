/** A bench for trials of rules, with the folders that it needs, for the time of a test file. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll } from 'vitest'
import { attackTests, dataBelow, firstOf } from '../../src/detect/testing/attackdata.ts'
import type { TestCase, TestResult, Unrunnable } from '../../src/detect/testing/cases.ts'
import { readTestFile, testPaths } from '../../src/detect/testing/neighbours.ts'
import { regressionTests } from '../../src/detect/testing/regression.ts'
import { runTests } from '../../src/detect/testing/runner.ts'
import { Bench } from '../../src/detect/testing/trial.ts'
import { compilerHere } from '../../src/rules/kustolibrary.ts'
import { loadRules } from '../../src/rules/load.ts'
import type { Rule } from '../../src/rules/rule.ts'
import { readyMadeSchema, schemaFiles } from '../../tools/product.ts'
import { type TemporaryEngine, temporaryStore } from './temporary.ts'

const WORKER = fileURLToPath(new URL('../../dist/ingest-worker.js', import.meta.url))

export interface TestBench {
  readonly folder: string
  bench(): Bench
  /** Writes a file below the folder and gives its path. */
  write(name: string, content: string): string
  rules(...paths: readonly string[]): Promise<readonly Rule[]>
  /** What became of all tests below paths, as `state name` with the reasons. */
  tested(
    paths: readonly string[],
    beside?: { readonly attackData?: string; readonly packs?: readonly string[] },
  ): Promise<readonly (TestResult | Unrunnable)[]>
}

/** Makes the bench before the tests of a file and removes it after them. */
export function testBench(): TestBench {
  const folder = mkdtempSync(join(tmpdir(), 'harrier-bench-'))
  const schema = readyMadeSchema()
  let opened: TemporaryEngine
  let bench: Bench
  beforeAll(async () => {
    const made = await temporaryStore()
    opened = made
    bench = new Bench({
      store: made.store,
      schema,
      schemaFiles: schemaFiles(),
      workerPath: WORKER,
      folder: join(folder, '.inline'),
      now: { ms: Date.parse('2026-02-01T12:00:00Z'), sub: 0 },
    })
  })
  afterAll(async () => {
    await opened.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const load = (paths: readonly string[]) =>
    loadRules(paths, {
      placeholders: new Map(),
      kusto: compilerHere(schema.tables),
      schema: () => schema,
    })
  return {
    folder,
    bench: () => bench,
    write(name, content) {
      const path = join(folder, name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, content)
      return path
    },
    async rules(...paths) {
      return (await load(paths)).rules.flatMap((each) => each.rule ?? [])
    },
    async tested(paths, { attackData, packs = [] } = {}) {
      const { rules: rulePaths, tests } = testPaths(paths)
      const { rules, texts } = await load([...rulePaths, ...packs])
      const find = firstOf(attackData === undefined ? [] : [dataBelow(attackData)])
      const all = [
        ...tests.flatMap((file) => readTestFile(file, { rules, schema })),
        ...regressionTests(paths, rules, texts),
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
    },
  }
}
