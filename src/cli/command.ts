/** What a command is: one record with its name, words, options and action. The program is made from the table. */
import type { Context } from './context.ts'

export interface OptionRecord {
  /** As commander writes it: `--store <dir>`, `-q, --quiet`. */
  readonly flags: string
  readonly says: string
  /** May be given several times; the values are a list. */
  readonly many?: boolean
  /** The only values allowed. */
  readonly values?: readonly string[]
}

export interface CommandRecord {
  /** `run`, or `rules check` for a command of a group. */
  readonly name: string
  readonly says: string
  /** Positional arguments as commander writes them: `[logs...]`. */
  readonly args?: string
  readonly options: readonly OptionRecord[]
  readonly examples: readonly string[]
  readonly act: (
    context: Context,
    args: readonly string[],
    options: OptionValues,
  ) => Promise<number>
}

/** Option values by their camel-case name, read with a type. */
export class OptionValues {
  readonly values: Readonly<Record<string, unknown>>
  constructor(values: Readonly<Record<string, unknown>>) {
    this.values = values
  }
  text(name: string): string | undefined {
    const value = this.values[name]
    return typeof value === 'string' ? value : undefined
  }
  texts(name: string): readonly string[] {
    const value = this.values[name]
    return Array.isArray(value) ? value.map(String) : typeof value === 'string' ? [value] : []
  }
  flag(name: string): boolean {
    return this.values[name] === true
  }
}

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
