/** Options of commands (`name=value`): which there are, what they may hold, and what holds where none is given. */
import type { Span } from '../../core/span.ts'
import type { Reader } from './reader.ts'
import { refuse } from './refusal.ts'

/** What an option takes: a yes or no, a whole number, one of some words, or any text. */
type PlainKind = 'flag' | 'count' | 'number' | 'text' | readonly string[]

/** An option that changes nothing here, with why that is so: it is told when one is given. */
interface Idle {
  readonly takes: PlainKind
  readonly why: string
}

/** An option of which one value is followed only; others are refused. */
interface Fixed {
  readonly takes: PlainKind
  readonly only: string
}

export type OptionKind = PlainKind | Idle | Fixed

const isPlain = (kind: OptionKind): kind is PlainKind =>
  typeof kind === 'string' || Array.isArray(kind)

/** An option that changes nothing here. */
export const idle = (takes: PlainKind, why: string): Idle => ({ takes, why })

/** An option of which one value is followed only: of a flag `true` or `false`, of others the value in lower case. */
export const fixed = (takes: PlainKind, only: string): Fixed => ({ takes, only })

export type OptionKinds = Readonly<Record<string, OptionKind>>

export interface GivenOption {
  readonly name: string
  readonly text: string
  readonly span: Span
}

const YES = new Set(['t', 'true', '1', 'yes', 'y'])
const NO = new Set(['f', 'false', '0', 'no', 'n'])

/** The options that a command was given. Later ones go before earlier ones. */
export class Options {
  readonly #kinds: OptionKinds
  readonly #given = new Map<string, GivenOption>()

  constructor(kinds: OptionKinds) {
    this.#kinds = kinds
  }

  /** Takes the option that is next, if one is; an unknown one is refused, a value that does not fit too. */
  take(reader: Reader): boolean {
    const name = reader.optionName()
    if (name === undefined) return false
    const start = reader.next().span
    const kind = Object.hasOwn(this.#kinds, name) ? this.#kinds[name] : undefined
    if (kind === undefined) {
      const known = Object.keys(this.#kinds).join(', ')
      refuse(
        'HR505',
        { option: name, command: reader.command, known: known === '' ? 'none' : known },
        start,
      )
    }
    reader.expect('=')
    const { text, span } = reader.value()
    const takes = isPlain(kind) ? kind : kind.takes
    check(name, text, takes, span)
    if (!isPlain(kind)) {
      if ('why' in kind) reader.assume(`${reader.command} ${name}: ${kind.why}`, span)
      else if (plainly(text, takes) !== kind.only) {
        refuse('HR507', { what: `${name}=${text} in ${reader.command}` }, span)
      }
    }
    this.#given.set(name, { name, text, span })
    return true
  }

  /** Takes all options that are next. */
  takeAll(reader: Reader): void {
    while (this.take(reader));
  }

  given(name: string): GivenOption | undefined {
    return this.#given.get(name)
  }

  has(name: string): boolean {
    return this.#given.has(name)
  }

  /** True when any option was given. */
  get isGiven(): boolean {
    return this.#given.size > 0
  }

  text(name: string): string | undefined {
    return this.#given.get(name)?.text
  }

  flag(name: string, fallback: boolean): boolean {
    const text = this.text(name)
    return text === undefined ? fallback : YES.has(text.toLowerCase())
  }

  number(name: string): number | undefined
  number(name: string, fallback: number): number
  number(name: string, fallback?: number): number | undefined {
    const text = this.text(name)
    return text === undefined ? fallback : Number(text)
  }

  /** A word of a list, in lower case. */
  word(name: string): string | undefined {
    return this.text(name)?.toLowerCase()
  }
}

/** A value in one way of writing. */
function plainly(text: string, kind: PlainKind): string {
  const low = text.toLowerCase()
  return kind !== 'flag' ? low : YES.has(low) ? 'true' : 'false'
}

function check(name: string, text: string, kind: PlainKind, span: Span): void {
  const low = text.toLowerCase()
  const wanted =
    kind === 'flag'
      ? YES.has(low) || NO.has(low)
        ? undefined
        : 'true or false'
      : kind === 'count'
        ? /^\d{1,15}$/.test(text)
          ? undefined
          : 'a whole number'
        : kind === 'number'
          ? text.trim() !== '' && Number.isFinite(Number(text))
            ? undefined
            : 'a number'
          : kind === 'text' || kind.includes(low)
            ? undefined
            : `one of ${kind.join(', ')}`
  if (wanted !== undefined) refuse('HR506', { option: name, wanted }, span)
}
