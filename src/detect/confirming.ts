/**
 * Looking at values one by one with a regular expression that the engine does not have. Patterns come from rules and
 * values from logs: one can be made to take for ever on the other, so all of it has a deadline.
 */
import { runInNewContext } from 'node:vm'
import { limits } from '../core/limits.ts'
import type { Confirmation } from '../dialects/spl/answer.ts'

/** Runs apart from everything else; the deadline stops a pattern in the middle of a value too. */
const SCRIPT = `
  const test = new RegExp(pattern, flags)
  const all = new RegExp(pattern, flags + 'g')
  values.flatMap((value) => {
    if (replacement === undefined) return test.test(value) ? [value] : []
    const made = value.replace(all, replacement)
    return made === value ? [] : [JSON.stringify([value, made])]
  })
`

/** The texts that a confirmation keeps or makes; undefined when they take longer than the deadline. */
export function confirmedValues(
  values: readonly string[],
  { pattern, flags, replacement }: Confirmation,
): readonly string[] | undefined {
  const timeout = limits.confirmSeconds * 1_000
  try {
    const made: unknown = runInNewContext(
      SCRIPT,
      { values, pattern, flags, replacement },
      { timeout },
    )
    return Array.isArray(made) ? made.map(String) : []
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined
    throw error
  }
}
