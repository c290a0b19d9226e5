/**
 * The grammar of `search`, and of `where` in tstats: conditions without a word between them hold together, and OR binds
 * more tightly than AND. Values are literals in which `*` stands for any text.
 */
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import { limits } from '../../core/limits.ts'
import type { Span } from '../../core/span.ts'
import type { SearchExpr, SearchValue } from './ast.ts'
import { COMPARISONS, type Reader, type Token, unescaped } from './reader.ts'
import { refuse } from './refusal.ts'

/** A bound of time that a search sets for itself. */
export interface TimeModifier {
  /** In lower case: `earliest`, `_index_latest`, `starthoursago`, ... */
  readonly name: string
  readonly value: string
  readonly span: Span
}

export interface SearchTerms {
  /** Absent when there are no conditions but those of time. */
  readonly where?: SearchExpr
  readonly times: readonly TimeModifier[]
  readonly diagnostics: readonly Diagnostic[]
}

const TIME_NAMES = new Set(
  `earliest latest _index_earliest _index_latest starttime endtime starttimeu endtimeu daysago hoursago minutesago
   startdaysago enddaysago starthoursago endhoursago startminutesago endminutesago startmonthsago endmonthsago monthsago
   searchtimespanhours searchtimespandays searchtimespanminutes searchtimespanmonths timeformat`.split(
    /\s+/,
  ),
)

const EMPTY_CALL = /\([^\s()"]*\)/y

const whole = (start: Span, end: Span): Span => ({ start: start.start, end: end.end })

class Terms {
  readonly #reader: Reader
  /** Words that end the conditions, such as `by` of tstats, and options that do, as `span=`. */
  readonly #stops: readonly string[]
  readonly times: TimeModifier[] = []
  readonly diagnostics: Diagnostic[] = []
  #count = 0
  #depth = 0

  constructor(reader: Reader, stops: readonly string[]) {
    this.#reader = reader
    this.#stops = stops
  }

  #isWord(word: string): boolean {
    const token = this.#reader.peek()
    return token?.kind === 'word' && token.text === word
  }

  /** True where no further condition begins. */
  #isEnd(): boolean {
    const token = this.#reader.peek()
    if (token === undefined || (token.kind === 'mark' && token.text === ')')) return true
    if (token.kind !== 'word') return false
    const word = token.text.toLowerCase()
    const second = this.#reader.peekSecond()
    // A field may be called as a word is that ends the conditions; an option ends them where it is one.
    const isCompared = second?.kind === 'mark' && Object.hasOwn(COMPARISONS, second.text)
    return this.#stops.includes(isCompared ? `${word}=` : word)
  }

  all(): SearchExpr | undefined {
    const items: SearchExpr[] = []
    while (!this.#isEnd()) {
      if (this.#reader.take(',')) continue
      if (this.#isWord('AND')) {
        const { span } = this.#reader.next()
        if (items.length === 0 && this.times.length === 0) {
          this.#reader.fail('there is nothing before AND', span)
        }
        if (this.#isEnd()) this.#reader.fail('there is nothing behind AND', span)
      }
      const item = this.#either()
      if (item !== undefined) items.push(item)
    }
    return joined('and', items)
  }

  #either(): SearchExpr | undefined {
    const items: SearchExpr[] = []
    const first = this.#unary()
    if (first !== undefined) items.push(first)
    while (this.#isWord('OR')) {
      const { span } = this.#reader.next()
      if (this.#isEnd()) this.#reader.fail('there is nothing behind OR', span)
      const next = this.#unary()
      if (next !== undefined) items.push(next)
    }
    return joined('or', items)
  }

  #unary(): SearchExpr | undefined {
    if (!this.#isWord('NOT')) return this.#primary()
    const { span } = this.#reader.next()
    if (this.#isEnd()) this.#reader.fail('there is nothing behind NOT', span)
    this.#deeper(span)
    const of = this.#unary()
    this.#depth--
    return of && { kind: 'not', of, span: whole(span, of.span) }
  }

  #deeper(span: Span): void {
    if (++this.#depth > limits.splNesting) {
      const size = `more than ${limits.splNesting} levels`
      refuse('HR517', { what: 'the nesting', size, limit: limits.splNesting }, span)
    }
  }

  #primary(): SearchExpr | undefined {
    if (++this.#count > limits.splTerms) {
      const size = `more than ${limits.splTerms} conditions`
      refuse(
        'HR517',
        { what: 'the search', size, limit: limits.splTerms },
        this.#reader.peek()?.span,
      )
    }
    const reader = this.#reader
    const token = reader.peek()
    if (token === undefined) return reader.fail('a condition is missing')
    if (token.kind === 'search') {
      const search = reader.search()
      return { kind: 'subsearch', search, span: search.span }
    }
    if (token.kind === 'mark') {
      if (token.text !== '(') return reader.fail(`"${token.text}" is not expected here`)
      reader.next()
      this.#deeper(token.span)
      const inner = this.all()
      this.#depth--
      const end = reader.expect(')').span
      if (inner === undefined && this.times.length === 0) {
        return reader.fail('there is nothing in the parentheses', whole(token.span, end))
      }
      return inner && { ...inner, span: whole(token.span, end) }
    }
    return this.#condition()
  }

  #condition(): SearchExpr | undefined {
    const reader = this.#reader
    const second = reader.peekSecond()
    const first = reader.next()
    if (second?.kind === 'mark' && Object.hasOwn(COMPARISONS, second.text)) {
      return this.#comparison(first)
    }
    if (second?.kind === 'word' && /^in$/i.test(second.text)) {
      const { at } = reader
      reader.next()
      if (reader.isAt('(')) return this.#list(first)
      reader.at = at
    }
    if (first.kind === 'word') {
      const call = /^(TERM|CASE)$/.exec(first.text)?.[1]
      if (call !== undefined && second?.kind === 'mark' && second.text === '(' && second.isGlued) {
        return this.#exact(first, call === 'TERM' ? 'TERM' : 'CASE')
      }
      const indexed = /^([A-Za-z_][\w.]*)::(.+)$/.exec(first.text)
      if (indexed !== null) {
        const [, field = '', text = ''] = indexed
        const value = { text: unescaped(text), isQuoted: false, span: first.span }
        return { kind: 'compare', field, fieldSpan: first.span, op: '=', value, span: first.span }
      }
    }
    const value = this.#glued(first)
    return { kind: 'term', value, span: value.span }
  }

  #comparison(first: Token): SearchExpr | undefined {
    const reader = this.#reader
    const field = fieldName(first)
    const mark = reader.next()
    const op = COMPARISONS[mark.text] ?? '='
    const token = reader.peek()
    if (token?.kind === 'search') {
      return reader.fail(
        'a search in brackets cannot stand for a value; use return or format',
        token.span,
      )
    }
    if (token === undefined || token.kind === 'mark') {
      return reader.fail(`the value of "${field}" is missing`, mark.span)
    }
    const value = this.#glued(reader.next())
    const span = whole(first.span, value.span)
    if (first.kind === 'word' && TIME_NAMES.has(field.toLowerCase()) && op === '=') {
      this.times.push({ name: field.toLowerCase(), value: value.text, span })
      return undefined
    }
    return { kind: 'compare', field, fieldSpan: first.span, op, value, span }
  }

  /** A value of one or more pieces: quoted and bare ones without a blank between them are one value. */
  #glued(first: Token): SearchValue {
    const reader = this.#reader
    let text = unescaped(first.text)
    let { span } = first
    let isQuoted = first.kind === 'string'
    let pieces = 1
    for (;;) {
      EMPTY_CALL.lastIndex = reader.at
      const call = EMPTY_CALL.exec(reader.text)
      if (call !== null && EMPTY_CALL.lastIndex <= reader.end) {
        // Parentheses that close at once belong to the word before them: `*GetCurrent()*`.
        text += call[0]
        reader.at += call[0].length
        span = { start: span.start, end: reader.at }
        continue
      }
      const next = reader.peek()
      if (next === undefined || !next.isGlued || (next.kind !== 'word' && next.kind !== 'string'))
        break
      // A field with its operator begins the next condition, without a blank too.
      const second = reader.peekSecond()
      if (second?.kind === 'mark' && Object.hasOwn(COMPARISONS, second.text)) break
      reader.next()
      text += unescaped(next.text)
      span = whole(span, next.span)
      isQuoted ||= next.kind === 'string'
      pieces++
    }
    if (pieces > 1) this.diagnostics.push(diagnose('HR513', { value: text }, span))
    return { text, isQuoted, span }
  }

  #list(first: Token): SearchExpr {
    const reader = this.#reader
    reader.expect('(')
    const values: SearchValue[] = []
    while (!reader.isAt(')')) {
      if (reader.take(',')) continue
      const token = reader.peek()
      if (token === undefined) return reader.fail('the list is not closed')
      if (token.kind !== 'word' && token.kind !== 'string') {
        return reader.fail('expected a value of the list')
      }
      values.push(this.#glued(reader.next()))
    }
    const end = reader.expect(')').span
    const span = whole(first.span, end)
    if (values.length === 0) return reader.fail('the list is empty', span)
    return { kind: 'in', field: fieldName(first), fieldSpan: first.span, values, span }
  }

  /** TERM(...) and CASE(...): what is inside is one value, to the closing parenthesis. */
  #exact(first: Token, as: 'TERM' | 'CASE'): SearchExpr {
    const reader = this.#reader
    const open = reader.expect('(').span
    const close = reader.text.indexOf(')', open.end)
    if (close === -1 || close >= reader.end) return reader.fail(`${as}( is not closed`, first.span)
    const inner = { start: open.end, end: close }
    reader.at = close + 1
    const text = reader.text
      .slice(inner.start, inner.end)
      .trim()
      .replace(/^"([\s\S]*)"$/, '$1')
    const span = { start: first.span.start, end: close + 1 }
    if (text === '') return reader.fail(`there is nothing in ${as}()`, span)
    return { kind: 'term', value: { text: unescaped(text), isQuoted: true, span: inner }, as, span }
  }
}

function fieldName(token: Token): string {
  return unescaped(token.text)
}

function joined(kind: 'and' | 'or', items: readonly SearchExpr[]): SearchExpr | undefined {
  const [first] = items
  const last = items.at(-1)
  if (first === undefined || last === undefined) return undefined
  return items.length === 1 ? first : { kind, items, span: whole(first.span, last.span) }
}

/** Reads conditions up to the end of the arguments, or to one of the words or options (`span=`) that stop them. */
export function readTerms(reader: Reader, stops: readonly string[] = []): SearchTerms {
  const terms = new Terms(reader, stops)
  const where = terms.all()
  return {
    ...(where === undefined ? {} : { where }),
    times: terms.times,
    diagnostics: terms.diagnostics,
  }
}
