/**
 * The first reading of a search: comments are taken out and macros written out, before anything else is understood.
 * Every character of the result knows where it comes from, so that what is told later points into the text as written.
 */
import { limits } from '../../core/limits.ts'
import type { Span } from '../../core/span.ts'
import { suggest } from '../../core/suggest.ts'
import { textOfEval } from './macroeval.ts'
import { isEscapedQuote, stringEnd } from './quotes.ts'
import { refuse } from './refusal.ts'
import type { World } from './world.ts'

/** A run of characters that come from one place: letter by letter, or all of them from a macro's call. */
interface Piece {
  /** Offset in the result. */
  readonly at: number
  readonly origin: Span
  readonly isExact: boolean
}

/** A macro that was written out. */
export interface Expansion {
  /** As it was called, with its arguments. */
  readonly call: string
  readonly text: string
  readonly span: Span
}

/** A text without comments and macros. */
export class ExpandedText {
  readonly text: string
  readonly expansions: readonly Expansion[]
  readonly #pieces: readonly Piece[]

  constructor(text: string, pieces: readonly Piece[], expansions: readonly Expansion[]) {
    this.text = text
    this.#pieces = pieces
    this.expansions = expansions
  }

  #pieceAt(offset: number): Piece | undefined {
    let low = 0
    let high = this.#pieces.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#pieces[middle]?.at ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return this.#pieces[low]
  }

  /** The same text where all of it comes from one place, such as the string that it stands in. */
  within(place: Span): ExpandedText {
    return new ExpandedText(this.text, [{ at: 0, origin: place, isExact: false }], [])
  }

  /** Where a part of the result stands in the text as written. */
  origin({ start, end }: Span): Span {
    const first = this.#pieceAt(start)
    const last = this.#pieceAt(Math.max(start, end - 1))
    if (first === undefined || last === undefined) return { start: 0, end: 0 }
    const from = first.isExact ? first.origin.start + (start - first.at) : first.origin.start
    const to = last.isExact ? last.origin.start + (end - last.at) : last.origin.end
    return { start: from, end: Math.max(from, to) }
  }
}

const COMMENT = '```'

interface Call {
  readonly name: string
  readonly args: readonly string[]
}

/** The parts of a text between commas that stand outside of quotes and parentheses. */
function splitArguments(text: string): readonly string[] {
  if (text.trim() === '') return []
  const parts: string[] = []
  let depth = 0
  let from = 0
  for (let at = 0; at < text.length; at++) {
    const each = text[at]
    if (each === '"') {
      const end = stringEnd(text, at)
      at = end === -1 ? text.length : end - 1
    } else if (each === '(') depth++
    else if (each === ')') depth--
    else if (each === ',' && depth === 0) {
      parts.push(text.slice(from, at))
      from = at + 1
    }
  }
  parts.push(text.slice(from))
  return parts.map((each) => unquoted(each.trim()))
}

/** An argument without the pair of quotes around it. */
function unquoted(text: string): string {
  if (text.length < 2 || !text.startsWith('"') || !text.endsWith('"')) return text
  return text.slice(1, -1).replace(/\\(["\\])/g, '$1')
}

function readCall(inner: string): Call | undefined {
  const match = /^([^\s()"`|]+)(?:\s*\(([\s\S]*)\))?$/.exec(inner.trim())
  if (match === null) return undefined
  const [, name = '', args] = match
  return { name, args: args === undefined ? [] : splitArguments(args) }
}

/** The definition with the values of the arguments in it, in quotes too. */
function filled(definition: string, names: readonly string[], args: readonly string[]): string {
  const values = new Map(names.map((name, index) => [name, args[index] ?? '']))
  return definition.replace(/\$([^$\s]+)\$/g, (whole, name: string) => values.get(name) ?? whole)
}

class Expander {
  readonly #world: Pick<World, 'macro' | 'macroNames'>
  readonly #parts: string[] = []
  readonly #pieces: Piece[] = []
  readonly #expansions: Expansion[] = []
  #length = 0

  constructor(world: Pick<World, 'macro' | 'macroNames'>) {
    this.#world = world
  }

  #add(text: string, origin: Span, isExact: boolean): void {
    if (text === '') return
    this.#pieces.push({ at: this.#length, origin, isExact })
    this.#parts.push(text)
    this.#length += text.length
    if (this.#length > limits.splCharacters) {
      const size = `more than ${limits.splCharacters} characters`
      refuse('HR517', { what: 'the search', size, limit: limits.splCharacters }, origin)
    }
  }

  /** Writes a text out; `origin` is the call that it comes from, when it is the body of a macro. */
  write(text: string, names: readonly string[], origin?: Span): void {
    let from = 0
    const place = (start: number, end: number): Span => origin ?? { start, end }
    const copy = (end: number): void => {
      this.#add(text.slice(from, end), place(from, end), origin === undefined)
    }
    for (let at = 0; at < text.length; ) {
      const each = text[at]
      if (isEscapedQuote(text, at)) at += 2
      else if (each === '"') {
        const end = stringEnd(text, at)
        if (end === -1) refuse('HR500', { message: 'the quote is not closed' }, place(at, at + 1))
        at = end
      } else if (text.startsWith(COMMENT, at)) {
        const end = text.indexOf(COMMENT, at + COMMENT.length)
        if (end === -1) {
          refuse('HR500', { message: 'the comment is not closed' }, place(at, at + COMMENT.length))
        }
        copy(at)
        this.#add(' ', place(at, end), false)
        at = end + COMMENT.length
        from = at
      } else if (each === '`') {
        const end = closingTick(text, at)
        if (end === -1) {
          refuse('HR500', { message: 'the name of the macro is not closed' }, place(at, at + 1))
        }
        copy(at)
        this.#call(text.slice(at + 1, end), names, place(at, end + 1), origin === undefined)
        at = end + 1
        from = at
      } else at++
    }
    copy(text.length)
  }

  #call(inner: string, names: readonly string[], span: Span, isWritten: boolean): void {
    const called = readCall(inner)
    if (called === undefined) {
      refuse('HR500', { message: 'this is no call of a macro' }, span)
    }
    const { name, args } = called
    const macro = this.#world.macro(name, args.length)
    if (macro === undefined) this.#unknown(called, span)
    if (names.length >= limits.splMacroDepth) {
      refuse(
        'HR502',
        { name, reason: `is nested deeper than ${limits.splMacroDepth} levels` },
        span,
      )
    }
    if (names.includes(name)) refuse('HR502', { name, reason: 'calls itself' }, span)
    const body = filled(macro.definition, macro.args, args)
    const text = macro.isEval ? textOfEval(body, name, span) : body
    if (isWritten) this.#expansions.push({ call: inner.trim(), text, span })
    this.write(text, [...names, name], span)
  }

  #unknown({ name, args }: Call, span: Span): never {
    const others = [...this.#world.macroNames()]
    const near = suggest(name, others)
    const counted = args.length === 0 ? name : `${name}(${args.length})`
    const hint =
      near === undefined
        ? 'give the file that defines it'
        : near === name
          ? 'there is one with another number of arguments'
          : `did you mean ${near}?`
    return refuse('HR501', { name: counted, hint }, span)
  }

  finish(): ExpandedText {
    return new ExpandedText(this.#parts.join(''), this.#pieces, this.#expansions)
  }
}

/** The backtick that closes a macro call; quoted arguments may hold others. */
function closingTick(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const each = text[at]
    if (each === '"') {
      const end = stringEnd(text, at)
      // A quote that is not closed within the call belongs to what comes after it.
      if (end !== -1 && end <= text.indexOf('`', at + 1) + 1) at = end - 1
      else if (end !== -1 && text.slice(start, at).includes('(')) at = end - 1
    } else if (each === '`') return at
  }
  return -1
}

/** Takes comments out of a search and writes its macros out. Refuses unknown macros and those that never end. */
export function expand(text: string, world: Pick<World, 'macro' | 'macroNames'>): ExpandedText {
  if (text.length > limits.splCharacters) {
    const size = `${text.length} characters`
    refuse('HR517', { what: 'the search', size, limit: limits.splCharacters }, { start: 0, end: 1 })
  }
  const expander = new Expander(world)
  expander.write(text, [])
  return expander.finish()
}
