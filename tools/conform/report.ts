/** The outcomes of a run of recorded cases as text: totals by family and by cause, and each failure in full. */
import type { Difference } from './compare.ts'
import type { CaseBase } from './record.ts'

export interface Outcome {
  readonly recorded: CaseBase
  /** `unstable`: two runs of the query may differ, so that agreement says nothing. */
  readonly state: 'passed' | 'failed' | 'unstable'
  /** Why it failed: the code of a diagnostic, a kind of engine error, or what of the result is wrong. */
  readonly cause?: string
  readonly difference?: Omit<Difference, 'cause'>
  readonly milliseconds: number
}

function counts(keys: Iterable<string>): readonly (readonly [string, number])[] {
  const found = new Map<string, number>()
  for (const key of keys) found.set(key, (found.get(key) ?? 0) + 1)
  return [...found].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
}

const indent = (text: string): string => text.trim().replace(/^/gm, '    ')

/** One failure: name, query, what was expected and what came. */
export function failureText({ recorded, cause, difference }: Outcome): string {
  return [
    `FAIL ${recorded.family} / ${recorded.name}: ${cause}`,
    '  query',
    indent(recorded.query),
    '  expected',
    indent(difference?.expected ?? ''),
    '  got',
    indent(difference?.got ?? ''),
    '',
  ].join('\n')
}

/** Totals of each family and cause, ending in `N passed, M failed`. */
export function totalsText(outcomes: readonly Outcome[]): string {
  const families = [...new Set(outcomes.map((each) => each.recorded.family))].sort()
  const width = Math.max(8, ...families.map((each) => each.length))
  const rows = families.map((family) => {
    const mine = outcomes.filter((each) => each.recorded.family === family)
    const passed = mine.filter((each) => each.state === 'passed').length
    const counted = mine.filter((each) => each.state !== 'unstable').length
    const share = counted === 0 ? '' : `${((100 * passed) / counted).toFixed(1)} %`
    return `${family.padEnd(width)}  ${String(passed).padStart(5)} of ${String(counted).padStart(5)}  ${share.padStart(7)}`
  })
  const failed = outcomes.filter((each) => each.state === 'failed')
  const unstable = outcomes.filter((each) => each.state === 'unstable')
  const passed = outcomes.length - failed.length - unstable.length
  const causes = counts(failed.map((each) => each.cause ?? ''))
  return [
    'by family',
    ...rows.map((each) => `  ${each}`),
    ...(causes.length === 0 ? [] : ['by cause']),
    ...causes.map(([cause, times]) => `  ${String(times).padStart(5)}  ${cause}`),
    ...(unstable.length === 0
      ? []
      : [
          `not counted, as two runs may differ: ${unstable.map((each) => each.recorded.name).join(', ')}`,
        ]),
    `${passed} passed, ${failed.length} failed`,
    '',
  ].join('\n')
}

/** The outcomes as data, for `--json`. */
export function outcomeRecords(outcomes: readonly Outcome[]): readonly object[] {
  return outcomes.map(({ recorded, state, cause, difference, milliseconds }) => ({
    name: recorded.name,
    family: recorded.family,
    query: recorded.query,
    state,
    ...(cause === undefined ? {} : { cause }),
    ...(difference === undefined ? {} : difference),
    milliseconds: Math.round(milliseconds),
  }))
}
