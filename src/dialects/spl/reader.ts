/**
 * Reads the arguments of a command: words, quoted values, lists of fields, options, subsearches. Both expression
 * grammars go on from where a reader stands, so that a command may mix them.
 */
import type { Span } from '../../core/span.ts'
import { isOwnName } from '../../schema/source.ts'
import type { CompareOp, Subsearch } from './ast.ts'
import { stringEnd } from './quotes.ts'
import { refuse } from './refusal.ts'
import { closingBracket, splitSearch } from './split.ts'

export interface Token {
  /** `word` is bare text, `string` a quoted one, `mark` one of `( ) , = != < <= > >=`, `search` a subsearch. */
  readonly kind: 'word' | 'string' | 'mark' | 'search'
  /** As written, without the quotes of a string. */
  readonly text: string
  /** True when no blank stands before it. */
  readonly isGlued: boolean
  readonly span: Span
}

/** Signs of comparison, as both grammars write them. */
export const COMPARISONS: Readonly<Record<string, CompareOp>> = {
  '=': '=',
  '==': '=',
  '!=': '!=',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
}

const MARKS = ['!=', '<=', '>=', '==', '(', ')', ',', '=', '<', '>']
const WORD_END = /[\s(),=<>"[\]]/

/** Parentheses behind a word, without blanks or others in them. */
const GLUED = /\([^\s()"]*\)/y

/** The text of a string or word with `\\` and `\"` read as one character; every other backslash stays. */
export function unescaped(text: string): string {
  return text.replace(/\\([\\"])/g, '$1')
}

/** A name that is none of a column that only the plan knows. */
function checked(name: string, span: Span): { readonly name: string; readonly span: Span } {
  return isOwnName(name)
    ? refuse('HR507', { what: `a field called ${name}` }, span)
    : { name, span }
}

export class Reader {
  readonly text: string
  readonly end: number
  at: number
  /** The command whose arguments these are, for messages. */
  readonly command: string
  #peeked:
    | { readonly at: number; readonly token: Token | undefined; readonly next: number }
    | undefined

  constructor(text: string, { start, end }: Span, command: string) {
    this.text = text
    this.at = start
    this.end = end
    this.command = command
  }

  /** What holds although the arguments say more: it is told to who asks for an explanation. */
  readonly assumptions: { readonly text: string; readonly span: Span }[] = []

  assume(text: string, span: Span): void {
    this.assumptions.push({ text, span })
  }

  /** Gives up at a place, or where the reader stands. */
  fail(message: string, span?: Span): never {
    const at = Math.min(this.at, Math.max(0, this.end - 1))
    return refuse('HR500', { message }, span ?? this.peek()?.span ?? { start: at, end: at + 1 })
  }

  #skipBlanks(from: number): number {
    let at = from
    while (at < this.end && /\s/.test(this.text[at] ?? '')) at++
    return at
  }

  /** True when nothing but blanks is left. */
  get isDone(): boolean {
    return this.#skipBlanks(this.at) >= this.end
  }

  #scan(): { readonly token: Token | undefined; readonly next: number } {
    const { text, end } = this
    const start = this.#skipBlanks(this.at)
    if (start >= end) return { token: undefined, next: end }
    const isGlued = start === this.at
    const made = (kind: Token['kind'], shown: string, next: number) => ({
      token: { kind, text: shown, isGlued, span: { start, end: next } },
      next,
    })
    const first = text[start] ?? ''
    if (first === '"') {
      const stop = stringEnd(text, start)
      if (stop === -1 || stop > end) this.fail('the quote is not closed', { start, end: start + 1 })
      return made('string', text.slice(start + 1, stop - 1), stop)
    }
    if (first === '[') {
      const stop = closingBracket(text, start, end)
      return made('search', text.slice(start + 1, stop - 1), stop)
    }
    const mark = MARKS.find((each) => text.startsWith(each, start))
    if (mark !== undefined) return made('mark', mark, start + mark.length)
    let at = start
    while (at < end) {
      const each = text[at] ?? ''
      if (WORD_END.test(each) || (each === '!' && text[at + 1] === '=')) break
      // A backslash takes the next character with it, so that `\"` does not end a word.
      at += each === '\\' && at + 1 < end && !/\s/.test(text[at + 1] ?? '') ? 2 : 1
    }
    // A lone bracket that closes nothing.
    if (at === start) this.fail(`"${first}" is not expected here`, { start, end: start + 1 })
    return made('word', text.slice(start, at), at)
  }

  /** The next token, which stays to be read. */
  peek(): Token | undefined {
    if (this.#peeked?.at !== this.at) this.#peeked = { at: this.at, ...this.#scan() }
    return this.#peeked.token
  }

  /** The token behind the next one. */
  peekSecond(): Token | undefined {
    const { at } = this
    if (this.peek() === undefined) return undefined
    this.next()
    const second = this.peek()
    this.at = at
    return second
  }

  /** The next token; refuses at the end. */
  next(): Token {
    const token = this.peek()
    if (token === undefined) {
      const at = Math.max(0, this.end - 1)
      return this.fail(`${this.command} ends where something is missing`, {
        start: at,
        end: this.end,
      })
    }
    this.at = this.#peeked?.next ?? this.end
    return token
  }

  /** True when the next token is this mark. */
  isAt(mark: string): boolean {
    const token = this.peek()
    return token?.kind === 'mark' && token.text === mark
  }

  /** Takes a mark if it is next. */
  take(mark: string): boolean {
    if (!this.isAt(mark)) return false
    this.next()
    return true
  }

  /** Takes a mark, or refuses. */
  expect(mark: string): Token {
    if (!this.isAt(mark)) this.fail(`expected "${mark}"`)
    return this.next()
  }

  /** True when the next token is this word, in any case. */
  isWord(word: string): boolean {
    const token = this.peek()
    return token?.kind === 'word' && token.text.toLowerCase() === word
  }

  /** Takes a word, in any case, if it is next. */
  takeWord(word: string): boolean {
    if (!this.isWord(word)) return false
    this.next()
    return true
  }

  /** A name of a field, bare or in double quotes. */
  name(what = 'the name of a field'): { readonly name: string; readonly span: Span } {
    const token = this.peek()
    if (token === undefined || token.kind === 'mark' || token.kind === 'search') {
      return this.fail(`expected ${what}`)
    }
    // Single quotes mark names in expressions; people write them in lists too.
    const { start } = token.span
    const close =
      token.kind === 'word' && token.text.startsWith("'") ? this.text.indexOf("'", start + 1) : -1
    if (close > start + 1 && close < this.end) {
      this.at = close + 1
      return checked(this.text.slice(start + 1, close), { start, end: close + 1 })
    }
    this.next()
    return checked(unescaped(token.text), token.span)
  }

  /** A new name behind `as`: parentheses that are glued to it belong to it. */
  newName(what: string): { readonly name: string; readonly span: Span } {
    const { name, span } = this.name(what)
    GLUED.lastIndex = this.at
    const tail = GLUED.exec(this.text)
    if (tail === null || GLUED.lastIndex > this.end) return { name, span }
    this.at = GLUED.lastIndex
    return { name: `${name}${tail[0]}`, span: { start: span.start, end: this.at } }
  }

  /** A value: a word or a string. */
  value(): { readonly text: string; readonly isQuoted: boolean; readonly span: Span } {
    const token = this.peek()
    if (token === undefined || token.kind === 'mark' || token.kind === 'search') {
      return this.fail('expected a value')
    }
    this.next()
    return { text: unescaped(token.text), isQuoted: token.kind === 'string', span: token.span }
  }

  /** Names to the end, or to a word that stops them: separated by blanks or commas, a trailing comma is no error. */
  names(stops: readonly string[] = []): readonly { readonly name: string; readonly span: Span }[] {
    const found: { readonly name: string; readonly span: Span }[] = []
    while (!this.isDone) {
      if (this.take(',')) continue
      const token = this.peek()
      if (token === undefined || token.kind === 'mark' || token.kind === 'search') break
      if (token.kind === 'word' && stops.includes(token.text.toLowerCase())) break
      found.push(this.name())
    }
    return found
  }

  /** The commands of a subsearch, if one is next. */
  takeSearch(): Subsearch | undefined {
    const token = this.peek()
    if (token?.kind !== 'search') return undefined
    this.next()
    const inner = { start: token.span.start + 1, end: token.span.end - 1 }
    return { commands: splitSearch(this.text, inner, true), span: token.span }
  }

  /** A subsearch; refuses anything else. */
  search(): Subsearch {
    return this.takeSearch() ?? this.fail(`${this.command} needs a search in brackets here`)
  }

  /** The name of an option when `name=` is next: a word that an equals sign follows. */
  optionName(): string | undefined {
    const token = this.peek()
    if (token?.kind !== 'word') return undefined
    const second = this.peekSecond()
    return second?.kind === 'mark' && second.text === '=' ? token.text.toLowerCase() : undefined
  }

  /** Refuses what is left. */
  finish(): void {
    if (!this.isDone) this.fail(`${this.command} does not take this`)
  }
}
