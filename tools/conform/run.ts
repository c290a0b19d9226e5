/** Runs recorded cases through a runner and judges each. Takes cases and what runs a query, gives outcomes. */
import { compare, type Difference, type Given } from './compare.ts'
import type { CaseBase, RecordedCase } from './record.ts'
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

/** How cases of one kind are judged. */
export interface Judge<Case extends CaseBase> {
  /** The first difference between the record and what came; what keeps the query from running is thrown. */
  readonly check: (recorded: Case, signal: AbortSignal) => Promise<Difference | undefined>
  /** What the record expects, for a person. */
  readonly expected: (recorded: Case) => string
  /** True for a query two runs of which may differ. */
  readonly isUnstable: (recorded: Case) => boolean
}

async function judge<Case extends CaseBase>(
  recorded: Case,
  { check, expected, isUnstable: isOpen }: Judge<Case>,
): Promise<Outcome> {
  const start = performance.now()
  const outcome = (rest: Omit<Outcome, 'recorded' | 'milliseconds'>): Outcome => {
    const milliseconds = performance.now() - start
    return { recorded, milliseconds, ...rest, ...(isOpen(recorded) ? { state: 'unstable' } : {}) }
  }
  try {
    const signal = AbortSignal.timeout(CASE_MS)
    const difference = await within(check(recorded, signal), signal)
    if (difference === undefined) return outcome({ state: 'passed' })
    return outcome({ state: 'failed', cause: difference.cause, difference })
  } catch (error) {
    const got = error instanceof Error ? error.message : String(error)
    const cause = error instanceof QueryFailure ? error.why : 'crash'
    const more = cause === 'crash' && error instanceof Error ? `\n${error.stack}` : ''
    return outcome({
      state: 'failed',
      cause,
      difference: { expected: expected(recorded), got: got + more },
    })
  }
}

/** The outcomes of all cases, in their order; a few run at the same time. */
export async function judgeCases<Case extends CaseBase>(
  cases: readonly Case[],
  by: Judge<Case>,
  atOnce = 3,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  let next = 0
  const work = async (): Promise<void> => {
    for (let at = next++; at < cases.length; at = next++) {
      const recorded = cases[at]
      if (recorded !== undefined) outcomes[at] = await judge(recorded, by)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return outcomes
}

const expectedOf = ({ columns, rows }: RecordedCase): string =>
  [
    columns.map((each) => `${each.name}:${each.written}`).join(', '),
    ...rows.slice(0, 3).map((each) => each.written),
  ].join('\n')

/** The outcomes of cases of Kusto. */
export function runCases(
  cases: readonly RecordedCase[],
  runner: Runner,
): Promise<readonly Outcome[]> {
  return judgeCases(cases, {
    check: async (recorded, signal) => compare(recorded, await runner.run(recorded.query, signal)),
    expected: expectedOf,
    isUnstable: ({ query }) => isUnstable(query),
  })
}
