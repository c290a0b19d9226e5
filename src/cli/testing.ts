/** Finding and running tests of rules for a command: paths and options in, results out, with progress on stderr. */
import { mkdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { attackTests, dataBelow, firstOf } from '../detect/testing/attackdata.ts'
import type { TestCase, TestResult, Unrunnable } from '../detect/testing/cases.ts'
import { filterTests } from '../detect/testing/filtertests.ts'
import { readTestFile, testPaths } from '../detect/testing/neighbours.ts'
import { regressionTests } from '../detect/testing/regression.ts'
import { runTests } from '../detect/testing/runner.ts'
import { Bench } from '../detect/testing/trial.ts'
import type { LoadedRule } from '../rules/rule.ts'
import { fetchedData } from './attackdata.ts'
import type { OptionValues } from './command.ts'
import { type Context, type OpenStore, openTemporaryStore } from './context.ts'
import { count, counted } from './figures.ts'
import { packagePath } from './paths.ts'
import { defaultRulePaths, problemText, readRules } from './rulesets.ts'
import { engineLimits } from './running.ts'
import { UnusableError } from './usage.ts'

export interface FoundTests {
  readonly rules: readonly LoadedRule[]
  readonly runnable: readonly TestCase[]
  readonly others: readonly Unrunnable[]
}

/** What became of all tests. */
export interface TestReport {
  readonly results: readonly TestResult[]
  readonly rules: readonly LoadedRule[]
  readonly seconds: number
  readonly isInterrupted: boolean
  /** Tests that were not reached, after a failure with `--fail-fast`. */
  readonly left: number
}

type Named = Pick<TestResult, 'file' | 'name' | 'rule'>

/** True for a test whose file, name, or rule holds the text, ignoring case. */
function fits({ file, name, rule }: Named, wanted: string | undefined): boolean {
  if (wanted === undefined) return true
  const words = [file, name, rule?.title ?? '', rule?.id ?? '', rule?.file ?? '']
  return words.some((each) => each.toLowerCase().includes(wanted.toLowerCase()))
}

const isRunnable = (test: TestCase | Unrunnable): test is TestCase => !('state' in test)

/** All tests that paths and options lead to. A path that cannot be read is an error. */
export async function findTests(
  context: Context,
  paths: readonly string[],
  options: OptionValues,
): Promise<FoundTests> {
  const roots = paths.length > 0 ? paths : defaultRulePaths(context)
  const { rules: rulePaths, tests: files } = testPaths(roots)
  const { set, problems } = await readRules(context, options, rulePaths)
  const unread = problems.filter(
    ({ isNamed, diagnostic }) => isNamed && (diagnostic.code !== 'HR910' || files.length === 0),
  )
  if (unread.length > 0) throw new UnusableError(problemText(unread).trimEnd())
  const schema = context.schema()
  const { rules, texts } = set
  const named = options.texts('attackData').map(dataBelow)
  const fetched = options.flag('download')
    ? [
        await fetchedData(context, options, {
          rules: rules.filter((rule) =>
            fits({ file: rule.file, name: '', rule }, options.text('filter')),
          ),
          isHere: firstOf(named),
        }),
      ]
    : []
  const find = firstOf([...named, ...fetched])
  const all = [
    ...files.flatMap((file) => readTestFile(file, { rules, schema })),
    ...regressionTests([...roots, ...options.texts('regressionData')], rules, texts),
    ...attackTests(rules, { find, schema }),
    ...filterTests(
      rules.flatMap((each) => each.rule ?? []),
      schema,
    ),
  ].filter((each) => fits(each, options.text('filter')))
  return {
    rules,
    runnable: all.filter(isRunnable),
    others: all.filter((each): each is Unrunnable => !isRunnable(each)),
  }
}

/** The tests of the filters of loaded rules. */
export function findFilterTests(context: Context, rules: readonly LoadedRule[]): FoundTests {
  const runnable = rules.flatMap((each) => each.rule ?? [])
  const all = filterTests(runnable, context.schema())
  return {
    rules,
    runnable: all.filter(isRunnable),
    others: all.filter((each): each is Unrunnable => !isRunnable(each)),
  }
}

/** Fewer tests than this are quicker on one engine than the second takes to start. */
const WORTH_TWO = 12

async function openBench(context: Context): Promise<{ opened: OpenStore; bench: Bench }> {
  const opened = await openTemporaryStore(context)
  const folder = join(opened.where, 'inline')
  mkdirSync(folder)
  const bench = new Bench({
    store: opened.store,
    schema: context.schema(),
    schemaFiles: context.schemaFiles(),
    workerPath: packagePath('dist/ingest-worker.js'),
    folder,
    now: context.now(),
  })
  return { opened, bench }
}

/** Results in the order in which their tests were found. */
function inOrder(found: FoundTests, results: ReadonlyMap<TestCase, TestResult>): TestResult[] {
  const others = found.others.map(
    (each): TestResult => ({ ...each, findings: 0, events: 0, seconds: 0, nearest: [] }),
  )
  return [...found.runnable.flatMap((each) => results.get(each) ?? []), ...others].sort((a, b) =>
    a.file === b.file ? (a.line ?? 0) - (b.line ?? 0) : a.file < b.file ? -1 : 1,
  )
}

/** Runs tests; with `--fail-fast` until the first that fails. */
export async function runFound(
  context: Context,
  found: FoundTests,
  options: OptionValues,
): Promise<TestReport> {
  const started = performance.now()
  const { runnable, others, rules } = found
  const results = new Map<TestCase, TestResult>()
  const isFast = options.flag('failFast')
  let isFailed = isFast && others.some(({ state }) => state === 'broken')
  let isStopped = false
  if (runnable.length > 0 && !isFailed) {
    const wanted = runnable.length >= WORTH_TWO && availableParallelism() > 1 ? 2 : 1
    const opened: OpenStore[] = []
    try {
      const benches: Bench[] = []
      for (let at = 0; at < wanted; at++) {
        const made = await openBench(context)
        opened.push(made.opened)
        benches.push(made.bench)
      }
      let failures = 0
      isStopped = await runTests(runnable, benches, {
        clock: () => performance.now(),
        query: { signal: context.signal, ...engineLimits(options) },
        onResult: (test, result) => {
          results.set(test, result)
          if (result.state !== 'passed') failures++
          const done = `${count(results.size)} of ${counted(runnable.length, 'test')}`
          context.output.status(`Testing ${done}, ${counted(failures, 'failure')}`)
          isFailed ||= isFast && failures > 0
          return !isFailed
        },
      })
    } finally {
      context.output.status(undefined)
      for (const each of opened) await each.close()
    }
  }
  return {
    results: inOrder(found, results),
    rules,
    seconds: (performance.now() - started) / 1_000,
    isInterrupted: isStopped && !isFailed,
    left: runnable.length - results.size,
  }
}
