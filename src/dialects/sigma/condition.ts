/**
 * The condition language: text to a tree over the selections of the rule. Own lexer and parser; every node and
 * every diagnostic has its span. Grammar: `or` < `and` < `not` < `1 of`/`any of`/`all of` < brackets; words in
 * lower case; `*` anywhere in the pattern of a quantifier.
 */
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import { limits } from '../../core/limits.ts'
import type { Span } from '../../core/span.ts'
import { suggest } from '../../core/suggest.ts'

export type Condition =
  | { readonly op: 'selection'; readonly name: string; readonly span: Span }
  | { readonly op: 'and' | 'or'; readonly parts: readonly Condition[]; readonly span: Span }
  | { readonly op: 'not'; readonly part: Condition; readonly span: Span }
  | {
      readonly op: 'some' | 'every'
      /** The pattern as written, or `them`. */
      readonly pattern: string
      readonly names: readonly string[]
      readonly span: Span
    }

/** What a condition is read against. */
export interface Scope {
  readonly names: ReadonlySet<string>
  /** Names of a pattern, found once. */
  readonly matches: Map<string, readonly string[]>
}

interface Word {
  readonly text: string
  readonly span: Span
}

const WORDS: ReadonlySet<string> = new Set(['and', 'or', 'not', 'of', 'them', 'all', 'any'])
/** A condition with more mistakes than this is not read further. */
const MOST_ERRORS = 10

class Stop extends Error {}

/** The scope of a rule's selections. */
export function scopeOf(names: readonly string[]): Scope {
  return { names: new Set(names), matches: new Map() }
}

function matchesPattern(name: string, parts: readonly string[]): boolean {
  const first = parts[0] ?? ''
  const last = parts.at(-1) ?? ''
  if (parts.length === 1) return name === first
  if (name.length < first.length + last.length) return false
  if (!name.startsWith(first) || !name.endsWith(last)) return false
  let at = first.length
  const end = name.length - last.length
  for (const part of parts.slice(1, -1)) {
    const found = name.indexOf(part, at)
    if (found === -1 || found + part.length > end) return false
    at = found + part.length
  }
  return true
}

/** Names that a pattern means; names with a leading `_` only when the pattern has it too. */
function namesFor(scope: Scope, pattern: string): readonly string[] {
  const known = scope.matches.get(pattern)
  if (known !== undefined) return known
  const parts = (pattern === 'them' ? '*' : pattern).split('*')
  const found = [...scope.names].filter(
    (name) => (pattern.startsWith('_') || !name.startsWith('_')) && matchesPattern(name, parts),
  )
  scope.matches.set(pattern, found)
  return found
}

function wordsOf(text: string, place: (start: number, end: number) => Span): readonly Word[] {
  return [...text.matchAll(/[()|]|[^\s()|]+/g)].map((found) => ({
    text: found[0],
    span: place(found.index, found.index + found[0].length),
  }))
}

class Parser {
  readonly diagnostics: Diagnostic[] = []
  private readonly words: readonly Word[]
  private readonly scope: Scope
  private readonly end: Span
  private at = 0
  private depth = 0

  constructor(words: readonly Word[], scope: Scope, whole: Span) {
    this.words = words
    this.scope = scope
    this.end = { start: Math.max(whole.start, whole.end - 1), end: whole.end }
  }

  run(): Condition | undefined {
    try {
      const found = this.either()
      if (this.words[this.at] !== undefined) this.expected('"and", "or" or the end')
      return found
    } catch (error) {
      if (error instanceof Stop) return undefined
      throw error
    }
  }

  private get word(): Word | undefined {
    return this.words[this.at]
  }

  private report(diagnostic: Diagnostic): void {
    this.diagnostics.push(diagnostic)
    if (this.diagnostics.length >= MOST_ERRORS) throw new Stop()
  }

  private expected(wanted: string): never {
    const { word } = this
    this.diagnostics.push(
      word?.text === '|'
        ? diagnose('HR335', {}, word.span)
        : diagnose(
            'HR330',
            { wanted, found: word === undefined ? 'the end' : `"${word.text.slice(0, 64)}"` },
            word?.span ?? this.end,
          ),
    )
    throw new Stop()
  }

  /** True, with the cursor moved, at one of the grammar's words; other cases of it are reported. */
  private take(wanted: string): boolean {
    const { word } = this
    if (word === undefined || word.text.toLowerCase() !== wanted) return false
    if (word.text !== wanted) {
      if (this.scope.names.has(word.text)) return false
      this.report(diagnose('HR331', { word: word.text, right: wanted }, word.span))
    }
    this.at++
    return true
  }

  private enter(): void {
    this.depth++
    if (this.depth <= limits.queryDepth) return
    const params = { what: 'the nesting of the condition', size: `${this.depth} levels` }
    this.diagnostics.push(
      diagnose('HR004', { ...params, limit: limits.queryDepth }, this.word?.span ?? this.end),
    )
    throw new Stop()
  }

  private join(op: 'and' | 'or', next: () => Condition): Condition {
    const first = next()
    const parts = [first]
    while (this.take(op)) parts.push(next())
    const last = parts.at(-1) ?? first
    return parts.length === 1
      ? first
      : { op, parts, span: { start: first.span.start, end: last.span.end } }
  }

  private either(): Condition {
    return this.join('or', () => this.join('and', () => this.negation()))
  }

  private negation(): Condition {
    const start = this.word?.span.start ?? this.end.start
    if (!this.take('not')) return this.operand()
    this.enter()
    const part = this.negation()
    this.depth--
    return { op: 'not', part, span: { start, end: part.span.end } }
  }

  private operand(): Condition {
    const { word } = this
    if (word === undefined || word.text === '|' || word.text === ')') {
      return this.expected('a selection')
    }
    if (word.text === '(') {
      this.enter()
      this.at++
      const inner = this.either()
      const close = this.word
      if (close?.text !== ')') return this.expected('")"')
      this.at++
      this.depth--
      return { ...inner, span: { start: word.span.start, end: close.span.end } }
    }
    const following = this.words[this.at + 1]?.text.toLowerCase()
    if (following === 'of') return this.quantified(word)
    return this.selection(word)
  }

  private selection(word: Word): Condition {
    const { text, span } = word
    if (this.scope.names.has(text)) {
      this.at++
      return { op: 'selection', name: text, span }
    }
    if (WORDS.has(text.toLowerCase())) return this.expected('a selection')
    this.at++
    if (text.includes('*')) this.report(diagnose('HR336', { pattern: text.slice(0, 64) }, span))
    else {
      const near = suggest(text, this.scope.names)
      const help = near === undefined ? knownNames(this.scope) : `did you mean "${near}"?`
      this.report(diagnose('HR332', { name: text.slice(0, 64), help }, span))
    }
    return { op: 'selection', name: text, span }
  }

  /** `1 of`, `any of`, `all of` with a pattern or `them`. */
  private quantified(word: Word): Condition {
    const count = word.text.toLowerCase()
    if (count === 'all' || count === 'any') this.take(count)
    else {
      this.at++
      if (count !== '1')
        this.report(diagnose('HR334', { count: word.text.slice(0, 64) }, word.span))
    }
    this.take('of')
    const target = this.word
    if (target === undefined || '()|'.includes(target.text)) return this.expected('a pattern')
    if (!this.take('them')) this.at++
    const pattern = target.text.toLowerCase() === 'them' ? 'them' : target.text
    const names = namesFor(this.scope, pattern)
    if (names.length === 0) {
      this.report(diagnose('HR333', { pattern: pattern.slice(0, 64) }, target.span))
    }
    const span = { start: word.span.start, end: target.span.end }
    return { op: count === 'all' ? 'every' : 'some', pattern, names, span }
  }
}

function knownNames(scope: Scope): string {
  const shown = [...scope.names].slice(0, 8).map((name) => `"${name.slice(0, 64)}"`)
  return `the rule has ${shown.join(', ')}${scope.names.size > 8 ? ', ...' : ''}`
}

/** Reads one condition. `place` gives the span in the file of a range of the condition's text. */
export function parseCondition(
  text: string,
  scope: Scope,
  place: (start: number, end: number) => Span,
): { readonly condition?: Condition; readonly diagnostics: readonly Diagnostic[] } {
  const whole = place(0, text.length)
  if (text.length > limits.conditionBytes) {
    const params = { what: 'the condition', size: `${text.length} characters` }
    return { diagnostics: [diagnose('HR004', { ...params, limit: limits.conditionBytes }, whole)] }
  }
  const parser = new Parser(wordsOf(text, place), scope, whole)
  const condition = parser.run()
  const { diagnostics } = parser
  return condition === undefined || diagnostics.length > 0
    ? { diagnostics }
    : { condition, diagnostics }
}

/** Names of the selections that a condition uses. */
export function namesOf(condition: Condition, into: Set<string> = new Set()): Set<string> {
  switch (condition.op) {
    case 'selection':
      into.add(condition.name)
      break
    case 'not':
      namesOf(condition.part, into)
      break
    case 'and':
    case 'or':
      for (const part of condition.parts) namesOf(part, into)
      break
    case 'some':
    case 'every':
      for (const name of condition.names) into.add(name)
  }
  return into
}
