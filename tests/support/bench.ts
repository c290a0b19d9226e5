/** A bench for trials of rules, with the folders that it needs, for the time of a test file. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import type { TestResult, Unrunnable } from '../../src/detect/testing/cases.ts'
import type { Bench } from '../../src/detect/testing/trial.ts'
import { loadRules } from '../../src/rules/load.ts'
import type { Rule } from '../../src/rules/rule.ts'
import { benchOver, type TestData, testedOn } from '../../tools/ruletests.ts'
import { type TemporaryEngine, temporaryStore } from './temporary.ts'

export interface TestBench {
  readonly folder: string
  bench(): Bench
  /** Writes a file below the folder and gives its path. */
  write(name: string, content: string): string
  rules(...paths: readonly string[]): Promise<readonly Rule[]>
  /** What became of all tests below paths. */
  tested(paths: readonly string[], data?: TestData): Promise<readonly (TestResult | Unrunnable)[]>
}

/** Makes the bench before the tests of a file and removes it after them. */
export function testBench(): TestBench {
  const folder = mkdtempSync(join(tmpdir(), 'harrier-bench-'))
  let opened: TemporaryEngine
  let bench: Bench
  beforeAll(async () => {
    const made = await temporaryStore()
    opened = made
    bench = benchOver(made.store, join(folder, '.inline'))
  })
  afterAll(async () => {
    await opened.close()
    rmSync(folder, { recursive: true, force: true })
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
      const { rules } = await loadRules(paths, { placeholders: new Map() })
      return rules.flatMap((each) => each.rule ?? [])
    },
    tested: (paths, data = {}) => testedOn(bench, paths, data),
  }
}
