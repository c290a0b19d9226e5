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

/** Options that every command has. */
export const EVERYWHERE: readonly OptionRecord[] = [
  { flags: '--no-color', says: 'no colours, as with NO_COLOR' },
  { flags: '-q, --quiet', says: 'only data and errors' },
]

export interface CommandRecord {
  /** `run`, or `rules check` for a command of a group. */
  readonly name: string
  readonly says: string
  /** What its group does when no command of it is named. */
  readonly isDefault?: boolean
  /** Positional arguments as commander writes them: `[logs...]`. */
  readonly args?: string
  /** What the argument may be, where there are only a few. */
  readonly argValues?: readonly string[]
  readonly options: readonly OptionRecord[]
  /** What it prints, for the manual: a few sentences. */
  readonly prints: string
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
