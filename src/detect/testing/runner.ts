/** Running tests of rules, one result each: tests of the same logs share them, and several benches work side by side. */
import { EngineError, type QueryOptions } from '../../engine/engine.ts'
import type { Rule } from '../../rules/rule.ts'
import { attackReasons } from './attackdata.ts'
import type { Step, TestCase, TestResult } from './cases.ts'
import { unmet } from './expect.ts'
import { nearestMiss } from './nearest.ts'
import { type Bench, type TrialReport, type Tried, trial } from './trial.ts'

export interface TestRun {
  /** Milliseconds of some clock, for the time that a test takes. */
  readonly clock: () => number
  readonly query?: QueryOptions
  /** Told of each result as it comes, in no fixed order; false ends the run. */
  readonly onResult: (test: TestCase, result: TestResult) => boolean
}

/** Reasons of a run that failed by itself. */
function troubles({ state, diagnostics }: Tried, isExpected: boolean): readonly string[] {
  const errors = diagnostics.filter((each) => each.severity === 'error')
  if (errors.length > 0) return errors.map(({ code, message }) => `${code}: ${message}`)
  if (!isExpected) return []
  if (state === 'no_data') return ['no event of the test is of a source that the rule reads']
  if (state === 'cannot_fire') {
    return ['a field that the rule needs is in no event of the test']
  }
  return []
}

interface StepOutcome {
  readonly reasons: readonly string[]
  readonly findings: number
  readonly events: number
  readonly nearest: readonly string[]
  readonly isInterrupted: boolean
}

/** Why it says nothing that a rule finds nothing: it had nothing to look at. */
function idleReasons({ intake }: TrialReport, { state }: Tried): readonly string[] {
  if (intake.every(({ stored, repeated }) => stored + repeated === 0)) {
    return ['no event of the test could be read, so that it proves nothing']
  }
  return state === 'no_data'
    ? ['no event of the test is of a source that the rule reads, so that it proves nothing']
    : []
}

async function runStep(
  test: TestCase,
  step: Step,
  bench: Bench,
  { query }: TestRun,
): Promise<StepOutcome> {
  const { at, writes, expected } = step
  const rule: Rule = step.rule ?? test.rule
  const report = await trial([rule], test.logs, bench, {
    writesLookups: writes,
    ...(at === undefined ? {} : { at }),
    ...(query === undefined ? {} : { query }),
  })
  const [tried] = report.tried
  const damage = report.intake.flatMap(({ files }) =>
    files.flatMap(({ error }) => (error === undefined ? [] : [`a log cannot be read: ${error}`])),
  )
  const events = report.intake.reduce((sum, each) => sum + each.received, 0)
  if (tried === undefined) {
    return { reasons: damage, findings: 0, events, nearest: [], isInterrupted: true }
  }
  const isWanted = expected.fires.least > 0
  const isQuiet = test.convention === 'harrier' && expected.fires.most === 0 && tried.count === 0
  const own = unmet(expected, tried.findings, tried.count)
  const published =
    test.convention === 'escu' && tried.count > 0 ? attackReasons(rule, tried.findings) : []
  const isSilent = isWanted && tried.count < expected.fires.least
  const reasons = [
    ...own,
    ...published,
    ...troubles(tried, isSilent),
    ...(isQuiet ? idleReasons(report, tried) : []),
    ...(own.length > 0 || !isWanted ? damage : []),
  ]
  const nearest =
    isSilent && tried.count === 0 && tried.state !== 'failed'
      ? await bench.alone(() =>
          nearestMiss(rule, {
            store: bench.parts.store,
            schema: bench.parts.schema,
            ...(at === undefined ? {} : { at }),
            ...(query === undefined ? {} : { query }),
          }),
        )
      : []
  return {
    reasons,
    findings: tried.count,
    events,
    nearest,
    isInterrupted: report.isInterrupted,
  }
}

/** Runs one test; undefined when it was interrupted. */
async function runCase(
  test: TestCase,
  bench: Bench,
  run: TestRun,
): Promise<TestResult | undefined> {
  const started = run.clock()
  const { convention, name, file, line, rule, steps } = test
  const reasons: string[] = []
  let last: StepOutcome | undefined
  try {
    for (const [place, step] of steps.entries()) {
      last = await runStep(test, step, bench, run)
      if (last.isInterrupted) return undefined
      const where = steps.length > 1 ? `${step.said ?? `step ${place + 1}`}: ` : ''
      reasons.push(...last.reasons.map((each) => where + each))
      if (reasons.length > 0) break
    }
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    if (error.kind === 'cancelled') return undefined
    if (error.kind === 'locked' || error.kind === 'unavailable') throw error
    reasons.push(error.message)
  }
  if (steps.some((each) => each.writes)) await bench.alone(() => bench.clear())
  return {
    convention,
    name,
    file,
    ...(line === undefined ? {} : { line }),
    rule,
    state: reasons.length === 0 ? 'passed' : 'failed',
    reasons,
    diagnostics: [],
    findings: last?.findings ?? 0,
    events: last?.events ?? 0,
    seconds: (run.clock() - started) / 1_000,
    nearest: last?.nearest ?? [],
  }
}

/** Tests of the same logs, one after the other; those that write are by themselves. */
function byLogs(tests: readonly TestCase[]): readonly (readonly TestCase[])[] {
  const groups = new Map<string, TestCase[]>()
  for (const [place, test] of tests.entries()) {
    const isWriting = test.steps.some((each) => each.writes)
    const key = isWriting ? `writes ${place}` : JSON.stringify(test.logs)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [test])
    else group.push(test)
  }
  return [...groups.values()]
}

/** Sets of logs that are read in one go. */
const READ_AHEAD = 16

/** Runs tests on benches; resolves, when all are done or the run is stopped, with whether it was stopped. */
export async function runTests(
  tests: readonly TestCase[],
  benches: readonly Bench[],
  run: TestRun,
): Promise<boolean> {
  const queue = [...byLogs(tests)]
  let isStopped = false
  const work = async (bench: Bench): Promise<void> => {
    // The last ones are shared, so that no bench waits long for another.
    const share = Math.ceil(queue.length / benches.length / 2)
    for (;;) {
      const groups = queue.splice(0, Math.max(1, Math.min(READ_AHEAD, share)))
      if (groups.length === 0) return
      const sets = groups.flatMap(([first]) => (first === undefined ? [] : [first.logs]))
      if (sets.length > 1) await bench.alone(() => bench.prepare(sets, run.query?.signal))
      for (const test of groups.flat()) {
        if (isStopped) return
        const result = await runCase(test, bench, run)
        isStopped ||= result === undefined || !run.onResult(test, result)
      }
    }
  }
  await Promise.all(benches.map(work))
  return isStopped
}
