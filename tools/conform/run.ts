/** Runs recorded cases through a runner and judges each. Takes cases and what runs a query, gives outcomes. */
import { compare, type Given } from './compare.ts'
import type { RecordedCase } from './record.ts'
import type { Outcome } from './report.ts'
import { isUnstable } from './tolerance.ts'

/** Runs one query text; what keeps it from running is thrown as a `QueryFailure`. */
export interface Runner {
  run(query: string, signal: AbortSignal): Promise<Given>
}

/** Why a query gave no rows. */
export class QueryFailure extends Error {
  /** The code of a diagnostic, or a kind of engine error. */
  readonly why: string
  constructor(why: string, message: string) {
    super(message)
    this.name = 'QueryFailure'
    this.why = why
  }
}

/** What one case may take. */
const CASE_MS = 20_000

/** The promise, or the failure `timeout` when the signal comes first. */
function within<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(new QueryFailure('timeout', `no answer in ${CASE_MS / 1000} s`))
    signal.addEventListener('abort', late, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', late))
  })
}

async function judge(recorded: RecordedCase, runner: Runner): Promise<Outcome> {
  const start = performance.now()
  const expected = `${recorded.columns.map((each) => `${each.name}:${each.written}`).join(', ')}\n${recorded.rows
    .slice(0, 3)
    .map((each) => each.written)
    .join('\n')}`
  const outcome = (rest: Omit<Outcome, 'recorded' | 'milliseconds'>): Outcome => {
    const isOpen = isUnstable(recorded.query)
    const milliseconds = performance.now() - start
    return { recorded, milliseconds, ...rest, ...(isOpen ? { state: 'unstable' } : {}) }
  }
  try {
    const signal = AbortSignal.timeout(CASE_MS)
    const difference = compare(recorded, await within(runner.run(recorded.query, signal), signal))
    if (difference === undefined) return outcome({ state: 'passed' })
    return outcome({ state: 'failed', cause: difference.cause, difference })
  } catch (error) {
    const got = error instanceof Error ? error.message : String(error)
    const cause = error instanceof QueryFailure ? error.why : 'crash'
    const more = cause === 'crash' && error instanceof Error ? `\n${error.stack}` : ''
    return outcome({ state: 'failed', cause, difference: { expected, got: got + more } })
  }
}

/** The outcomes of all cases, in their order; a few run at the same time. */
export async function runCases(
  cases: readonly RecordedCase[],
  runner: Runner,
  atOnce = 3,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  let next = 0
  const work = async (): Promise<void> => {
    for (let at = next++; at < cases.length; at = next++) {
      const recorded = cases[at]
      if (recorded !== undefined) outcomes[at] = await judge(recorded, runner)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return outcomes
}
