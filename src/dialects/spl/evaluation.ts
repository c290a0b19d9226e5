/**
 * The grammar of `eval` and `where`: bare words are fields, double quotes hold texts, single quotes the names of
 * fields. From the tightest: signs, `* / %`, `+ -`, `.`, comparisons, NOT, AND, OR, XOR.
 */
import { limits } from '../../core/limits.ts'
import type { Span } from '../../core/span.ts'
import type { BinaryOp, EvalExpr } from './ast.ts'
import { stringEnd } from './quotes.ts'
import { COMPARISONS, type Reader, unescaped } from './reader.ts'
import { refuse } from './refusal.ts'

interface EvalToken {
  readonly kind: 'number' | 'string' | 'word' | 'name' | 'mark' | 'end'
  readonly text: string
  readonly span: Span
}

const MARKS = ['==', '!=', '<=', '>=', '(', ')', ',', '=', '<', '>', '+', '-', '*', '/', '%', '.']
const WORD = /[A-Za-z_\u0080-\uffff$][\w$@#\u0080-\uffff]*(?:::[\w]+)?/y
const NUMBER = /(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?/y

/** Words that stand between values. */
const KEYWORDS = new Set(['and', 'or', 'xor', 'not', 'in', 'like'])

const whole = (start: Span, end: Span): Span => ({ start: start.start, end: end.end })

class Evaluation {
  readonly #reader: Reader
  #token: EvalToken
  #depth = 0

  constructor(reader: Reader) {
    this.#reader = reader
    this.#token = this.#scan()
  }

  /** Where the last token that was taken ends. */
  #end = 0

  /** True when the token before the one that is read next ends a value. */
  get #isValue(): boolean {
    const token: EvalToken | undefined = this.#token
    if (token === undefined || token.kind === 'end') return false
    if (token.kind === 'word') return !KEYWORDS.has(token.text.toLowerCase())
    return token.kind !== 'mark' || token.text === ')'
  }

  #scan(): EvalToken {
    const { text, end } = this.#reader
    let start = this.#reader.at
    while (start < end && /\s/.test(text[start] ?? '')) start++
    const made = (kind: EvalToken['kind'], shown: string, stop: number): EvalToken => {
      this.#reader.at = stop
      return { kind, text: shown, span: { start, end: stop } }
    }
    if (start >= end) return made('end', '', end)
    const first = text[start] ?? ''
    if (first === '"') {
      const stop = stringEnd(text, start)
      if (stop === -1 || stop > end) this.fail('the quote is not closed', { start, end: start + 1 })
      return made('string', unescaped(text.slice(start + 1, stop - 1)), stop)
    }
    if (first === "'") {
      // Doubled quotes around a name are read as single ones.
      const doubled = /''([^']+)''/y
      doubled.lastIndex = start
      const name = doubled.exec(text)?.[1]
      if (name !== undefined && doubled.lastIndex <= end)
        return made('name', name, doubled.lastIndex)
      const stop = text.indexOf("'", start + 1)
      if (stop === -1 || stop >= end)
        this.fail('the quote is not closed', { start, end: start + 1 })
      return made('name', text.slice(start + 1, stop), stop + 1)
    }
    NUMBER.lastIndex = start
    // Behind a value a point joins texts, whatever follows it.
    const isJoin = first === '.' && this.#isValue
    const number = isJoin ? null : NUMBER.exec(text)
    if (number !== null) {
      const stop = NUMBER.lastIndex
      if (/[A-Za-z_]/.test(text[stop] ?? '')) {
        this.fail('the name of a field that begins with a digit needs single quotes', {
          start,
          end: stop + 1,
        })
      }
      return made('number', number[0], stop)
    }
    WORD.lastIndex = start
    const word = WORD.exec(text)
    if (word !== null) return made('word', word[0], WORD.lastIndex)
    const mark = MARKS.find((each) => text.startsWith(each, start))
    if (mark === undefined) this.fail(`"${first}" is not expected here`, { start, end: start + 1 })
    return made('mark', mark ?? '', start + (mark ?? '').length)
  }

  fail(message: string, span = this.#token.span): never {
    return refuse('HR500', { message }, span)
  }

  #next(): EvalToken {
    const token = this.#token
    this.#end = token.span.end
    this.#token = this.#scan()
    return token
  }

  /** Puts the reader behind the last token of the expression. */
  release(): void {
    this.#reader.at = this.#end === 0 ? this.#token.span.start : this.#end
  }

  #isMark(...marks: readonly string[]): boolean {
    return this.#token.kind === 'mark' && marks.includes(this.#token.text)
  }

  #isWord(word: string): boolean {
    return this.#token.kind === 'word' && this.#token.text.toLowerCase() === word
  }

  #deeper<T>(make: () => T): T {
    if (++this.#depth > limits.splNesting * 4) {
      const size = `more than ${limits.splNesting * 4} levels`
      refuse('HR517', { what: 'the nesting', size, limit: limits.splNesting * 4 }, this.#token.span)
    }
    const made = make()
    this.#depth--
    return made
  }

  whole(): EvalExpr {
    return this.#deeper(() => this.#joined('xor', () => this.#or()))
  }

  #or(): EvalExpr {
    return this.#joined('or', () => this.#and())
  }

  #and(): EvalExpr {
    return this.#joined('and', () => this.#not())
  }

  #joined(op: 'xor' | 'or' | 'and', part: () => EvalExpr): EvalExpr {
    let left = part()
    while (this.#isWord(op)) {
      this.#next()
      const right = part()
      left = { kind: 'binary', op, left, right, span: whole(left.span, right.span) }
    }
    return left
  }

  #not(): EvalExpr {
    if (!this.#isWord('not')) return this.#comparison()
    const { span } = this.#next()
    const of = this.#deeper(() => this.#not())
    return { kind: 'unary', op: 'not', of, span: whole(span, of.span) }
  }

  #comparison(): EvalExpr {
    let left = this.#concatenation()
    for (;;) {
      const op = this.#token.kind === 'mark' ? COMPARISONS[this.#token.text] : undefined
      if (op !== undefined || this.#isWord('like')) {
        this.#next()
        const right = this.#concatenation()
        left = { kind: 'binary', op: op ?? 'like', left, right, span: whole(left.span, right.span) }
        continue
      }
      const isNegated = this.#isWord('not') && this.#isInNext()
      if (!isNegated && !this.#isWord('in')) return left
      if (isNegated) this.#next()
      this.#next()
      const { list, end } = this.#arguments()
      const made: EvalExpr = { kind: 'in', of: left, list, span: whole(left.span, end) }
      left = isNegated ? { kind: 'unary', op: 'not', of: made, span: made.span } : made
    }
  }

  /** True when `not` is followed by `in (`. */
  #isInNext(): boolean {
    return /^\s*in\s*\(/i.test(this.#reader.text.slice(this.#token.span.end, this.#reader.end))
  }

  #concatenation(): EvalExpr {
    return this.#series(['.'], () => this.#series(['+', '-'], () => this.#product()))
  }

  #product(): EvalExpr {
    return this.#series(['*', '/', '%'], () => this.#sign())
  }

  #series(marks: readonly string[], part: () => EvalExpr): EvalExpr {
    let left = part()
    while (this.#isMark(...marks)) {
      const op = this.#next().text as BinaryOp
      const right = part()
      left = { kind: 'binary', op, left, right, span: whole(left.span, right.span) }
    }
    return left
  }

  #sign(): EvalExpr {
    if (!this.#isMark('-', '+')) return this.#primary()
    const { text, span } = this.#next()
    const of = this.#deeper(() => this.#sign())
    if (text === '+') return of
    return { kind: 'unary', op: '-', of, span: whole(span, of.span) }
  }

  #primary(): EvalExpr {
    const { kind, text, span } = this.#token
    if (kind === 'mark' && text === '(') {
      this.#next()
      const inner = this.whole()
      if (!this.#isMark(')')) this.fail('expected ")"')
      const end = this.#next().span
      return { ...inner, span: whole(span, end) }
    }
    if (kind === 'end') return this.fail('the expression ends where something is missing')
    if (kind === 'mark') return this.fail(`"${text}" is not expected here`)
    this.#next()
    if (kind === 'number') return { kind, value: Number(text), text, span }
    if (kind === 'string') return { kind, value: text, span }
    if (kind === 'name') return { kind: 'field', name: text, span }
    if (this.#isMark('(')) {
      const { list, end } = this.#arguments()
      return {
        kind: 'call',
        name: text.toLowerCase(),
        nameSpan: span,
        args: list,
        span: whole(span, end),
      }
    }
    return { kind: 'field', name: text, span }
  }

  #arguments(): { readonly list: readonly EvalExpr[]; readonly end: Span } {
    if (!this.#isMark('(')) this.fail('expected "("')
    this.#next()
    const list: EvalExpr[] = []
    while (!this.#isMark(')')) {
      list.push(this.whole())
      if (this.#isMark(',')) this.#next()
      else if (!this.#isMark(')')) this.fail('expected "," or ")"')
    }
    return { list, end: this.#next().span }
  }
}

/** Reads one expression from where the reader stands; the reader goes on behind it. */
export function readEval(reader: Reader): EvalExpr {
  const evaluation = new Evaluation(reader)
  const made = evaluation.whole()
  evaluation.release()
  return made
}
