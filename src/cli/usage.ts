/** How a call of the program ends: exit codes, and the errors that a command ends with on purpose. */

/** Exit codes; see the conventions page. */
export const EXIT = {
  done: 0,
  failOn: 1,
  unusable: 2,
  usage: 3,
  engine: 4,
  interrupted: 130,
} as const

/** What each exit code means, for the help and the manual. */
export const EXIT_TEXTS: readonly (readonly [number, string])[] = [
  [EXIT.done, 'done, whether or not there are findings'],
  [EXIT.failOn, 'a finding reached the level of --fail-on, or a test failed'],
  [EXIT.unusable, 'a rule cannot be used, or a path holds no rule'],
  [EXIT.usage, 'wrong usage: unknown command or option, bad value, no such store'],
  [EXIT.engine, 'a log, the store or the engine failed, or a rule was stopped midway'],
  [EXIT.interrupted, 'interrupted (Ctrl-C): what was stored stays stored'],
]

/** A mistake in how the program was called; printed with its hint, exit code 3. */
export class UsageError extends Error {
  readonly hint: string | undefined
  constructor(message: string, hint?: string) {
    super(message)
    this.name = 'UsageError'
    this.hint = hint
  }
}

/** Settings that cannot be used: the message is the diagnostics as text of several lines, exit code 3. */
export class SettingsError extends UsageError {
  constructor(message: string) {
    super(message)
    this.name = 'SettingsError'
  }
}

/** Rules that cannot be used: the message is the diagnostics as text of several lines, exit code 2. */
export class UnusableError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UnusableError'
  }
}

/** Something outside that fails, such as a file that cannot be written; printed with its hint, exit code 4. */
export class TroubleError extends Error {
  readonly hint: string | undefined
  constructor(message: string, hint?: string) {
    super(message)
    this.name = 'TroubleError'
    this.hint = hint
  }
}

/** What is wanted is in use by another process, and may be free later. */
export class TakenError extends TroubleError {}

/** A word of a command as a shell takes it, in single quotes where it has to be. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
