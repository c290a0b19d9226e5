/** How a call of the program ends: exit codes, and mistakes in how it was called. */

/** Exit codes; see the conventions page. */
export const EXIT = {
  done: 0,
  failOn: 1,
  unusable: 2,
  usage: 3,
  engine: 4,
  interrupted: 130,
} as const

/** A mistake in how the program was called; printed with its hint, exit code 3. */
export class UsageError extends Error {
  readonly hint: string | undefined
  constructor(message: string, hint?: string) {
    super(message)
    this.name = 'UsageError'
    this.hint = hint
  }
}
