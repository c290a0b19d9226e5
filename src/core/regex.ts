/**
 * Checks a regular expression as published rules write it (the common part of PCRE, Python and Java) and gives
 * the same expression as RE2 text for the engine. What RE2 cannot do is refused with its place; nothing is
 * approximated, and the pattern is never handed to a back-tracking matcher.
 *
 * Two known differences stay, both of RE2: `$` without `m` is the very end (not before a last line end), and
 * `\s` holds no vertical tab.
 */
import { diagnose, type Outcome } from './diagnostic.ts'
import { limits } from './limits.ts'
import {
  backReference,
  hexText,
  invalid,
  type RegexItem,
  RegexRefusal,
  readChar,
  readClass,
  readEscape,
  STEPS,
  unsupported,
} from './regexchars.ts'
import type { Span } from './span.ts'

export interface RegexFlags {
  readonly i?: boolean
  readonly m?: boolean
  readonly s?: boolean
}

/** RE2 refuses a repeat, and a product of nested repeats, above this. */
const MOST_REPEATS = 1_000
/** The engine gives up at about 700,000 compiled steps. */
const MOST_STEPS = 500_000

/** What a repeat would apply to: its size and the product of the repeats inside it. */
interface Atom {
  readonly steps: number
  readonly repeats: number
  /** Set for one plain character: its code point, whose text was written last. */
  readonly code?: number
}

interface Group {
  readonly start: number
  readonly foldsOutside: boolean
  steps: number
  repeats: number
}

interface Counted {
  readonly text: string
  readonly most: number
  readonly end: number
}

class Scanner {
  private readonly pattern: string
  private at = 0
  /** True while case is ignored: a class then takes about twice the steps. */
  private folds: boolean
  private readonly out: string[] = []
  private readonly groups: Group[]
  private readonly names = new Set<string>()
  private last: Atom | undefined

  constructor(pattern: string, folds: boolean) {
    this.pattern = pattern
    this.folds = folds
    this.groups = [{ start: 0, foldsOutside: folds, steps: 0, repeats: 1 }]
  }

  run(): string {
    while (this.at < this.pattern.length) this.step()
    const open = this.groups.at(-1)
    if (this.groups.length > 1 && open) {
      invalid('a bracket "(" is never closed', { start: open.start, end: open.start + 1 })
    }
    return this.out.join('')
  }

  private span(start: number): Span {
    return { start, end: Math.max(this.at, start + 1) }
  }

  private step(): void {
    const start = this.at
    const char = this.pattern[start] ?? ''
    switch (char) {
      case '(':
        this.openGroup()
        return
      case ')':
        this.closeGroup()
        return
      case '|':
        this.at++
        this.out.push('|')
        this.last = undefined
        return
      case '*':
      case '+':
      case '?':
        this.repeat({ text: char, most: 1, end: start + 1 })
        return
      case '{': {
        const counted = this.counted(start)
        if (counted === undefined) this.item(readChar(this.pattern, start))
        else this.repeat(counted)
        return
      }
      case '[':
        this.item(readClass(this.pattern, start))
        return
      case '.':
        this.item({ kind: 'set', text: '.', code: 0, steps: STEPS.dot, end: start + 1 })
        return
      case '^':
      case '$':
        this.item({ kind: 'assertion', text: char, code: 0, steps: 1, end: start + 1 })
        return
      case '\\':
        if (this.pattern[start + 1] === 'Q') this.quotedRun()
        else this.item(readEscape(this.pattern, start, false))
        return
      default:
        this.item(readChar(this.pattern, start))
    }
  }

  private item(item: RegexItem): void {
    this.at = item.end
    if (item.kind === 'nothing') return
    const steps = this.folds ? item.steps * 2 : item.steps
    const code = item.kind === 'char' ? { code: item.code } : {}
    this.last = { steps, repeats: 1, ...code }
    this.out.push(item.text)
    this.count(steps, 1)
  }

  private count(steps: number, repeats: number): void {
    const group = this.groups.at(-1)
    if (group === undefined) return
    group.steps += steps
    group.repeats = Math.max(group.repeats, repeats)
    if (group.steps > MOST_STEPS) throw new RegexRefusal(diagnose('HR609', {}, this.span(0)))
  }

  /** The counted repeat at an offset, or undefined when the bracket is plain text. */
  private counted(start: number): Counted | undefined {
    let at = start + 1
    const digits = (): string => {
      const from = at
      while (/^[0-9]$/.test(this.pattern[at] ?? '')) at++
      return this.pattern.slice(from, at)
    }
    const low = digits()
    const hasComma = this.pattern[at] === ','
    if (hasComma) at++
    const high = hasComma ? digits() : low
    if (this.pattern[at] !== '}' || (low === '' && high === '')) return undefined
    const span = { start, end: at + 1 }
    if (low === '') {
      invalid('"{,n}" means different things in different languages; write {0,n}', span)
    }
    const least = Number(low)
    const most = high === '' ? least : Number(high)
    if (most < least) invalid('the counts of a repeat are the wrong way round', span)
    const rest = hasComma ? `,${high === '' ? '' : most}` : ''
    return { text: `{${least}${rest}}`, most: Math.max(1, most), end: at + 1 }
  }

  private repeat(by: Counted): void {
    const start = this.at
    this.at = by.end
    const { last } = this
    if (last === undefined) {
      invalid(
        `there is nothing for "${this.pattern.slice(start, by.end)}" to repeat`,
        this.span(start),
      )
    }
    const repeats = last.repeats * by.most
    if (repeats > MOST_REPEATS) {
      const params = { count: repeats, limit: MOST_REPEATS }
      throw new RegexRefusal(diagnose('HR606', params, this.span(start)))
    }
    // The engine's search for required text takes the last byte of a repeated wide character for all of it.
    if (last.code !== undefined && last.code >= 0x80) this.out.splice(-1, 1, hexText(last.code))
    this.out.push(by.text)
    this.count(last.steps * (by.most - 1) + 1, repeats)
    this.last = undefined
    if (this.pattern[this.at] === '+') {
      this.at++
      const what = `the possessive repeat "${this.pattern.slice(start, this.at)}"`
      throw new RegexRefusal(diagnose('HR603', { what }, this.span(start)))
    }
    if (this.pattern[this.at] === '?') {
      this.at++
      this.out.push('?')
    }
    this.refuseSecondRepeat()
  }

  private refuseSecondRepeat(): void {
    const start = this.at
    const next = this.pattern[start] ?? ''
    if ('*+?'.includes(next) ? next !== '' : next === '{' && this.counted(start) !== undefined) {
      const reason = 'a repeat follows a repeat; put the first in (?:...)'
      invalid(reason, { start, end: start + 1 })
    }
  }

  private openGroup(): void {
    const start = this.at
    if (this.groups.length > limits.queryDepth) {
      const size = `${this.groups.length} levels`
      const params = { what: 'the nesting of brackets', size, limit: limits.queryDepth }
      throw new RegexRefusal(diagnose('HR004', params, this.span(start)))
    }
    const rest = this.pattern.slice(start + 1, start + 6)
    if (rest.startsWith('*')) unsupported('a verb "(*"', start)
    if (rest.startsWith('?')) this.specialGroup(start, rest.slice(1))
    else this.pushGroup('(', start, start + 1, this.folds)
  }

  private pushGroup(text: string, start: number, at: number, folds: boolean): void {
    this.groups.push({ start, foldsOutside: this.folds, steps: 0, repeats: 1 })
    this.at = at
    this.folds = folds
    this.out.push(text)
    this.last = undefined
  }

  /** A group that opens with `(?`; `rest` is what follows. */
  private specialGroup(start: number, rest: string): void {
    const looks = /^<?[=!]/.exec(rest)?.[0]
    if (looks !== undefined) {
      const what = looks.startsWith('<') ? 'lookbehind' : 'lookahead'
      const span = { start, end: start + 2 + looks.length }
      throw new RegexRefusal(diagnose('HR601', { what }, span))
    }
    if (rest.startsWith('>')) {
      const what = 'the atomic group "(?>"'
      throw new RegexRefusal(diagnose('HR603', { what }, { start, end: start + 3 }))
    }
    if (rest.startsWith('P=')) backReference(start, start + 4)
    if (rest.startsWith('|')) unsupported('a branch reset "(?|"', start)
    if (rest.startsWith('(')) unsupported('a conditional "(?("', start)
    if (/^(?:[R&]|P>|[-+]?[0-9])/.test(rest)) unsupported('recursion', start)
    if (rest.startsWith(':')) this.pushGroup('(?:', start, start + 3, this.folds)
    else if (rest.startsWith('#')) this.comment(start)
    else if (/^(?:P?<|')/.test(rest)) this.namedGroup(start, start + (rest[0] === 'P' ? 3 : 2))
    else this.flagGroup(start)
  }

  private comment(start: number): void {
    const close = this.pattern.indexOf(')', start)
    if (close === -1) invalid('a comment is never closed', { start, end: start + 3 })
    this.at = close + 1
  }

  private namedGroup(start: number, open: number): void {
    const close = this.pattern.indexOf(this.pattern[open] === "'" ? "'" : '>', open + 1)
    const name = close === -1 ? '' : this.pattern.slice(open + 1, close)
    const span = { start, end: close === -1 ? open + 1 : close + 1 }
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      invalid('the name of a group must be letters, digits and "_"', span)
    }
    if (this.names.has(name)) invalid(`two groups have the name "${name}"`, span)
    this.names.add(name)
    // Without its name: the engine takes a name with "_" in it for a text that must be there, and finds nothing.
    this.pushGroup('(', start, close + 1, this.folds)
  }

  /** Inline flags, for the rest of the group `(?i)` or for a group of their own `(?i:...)`. */
  private flagGroup(start: number): void {
    let { folds } = this
    let off = false
    let at = start + 2
    while (at < this.pattern.length && this.pattern[at] !== ')' && this.pattern[at] !== ':') {
      const flag = this.pattern[at++] ?? ''
      if (flag === 'i') folds = !off
      if (flag === '-' && !off) off = true
      else if (!'imsU'.includes(flag)) {
        throw new RegexRefusal(diagnose('HR607', { flag }, { start, end: at }))
      }
    }
    const body = this.pattern.slice(start, at)
    if (at >= this.pattern.length) {
      invalid('a bracket "(" is never closed', { start, end: start + 1 })
    }
    if (body === '(?' || body.endsWith('-')) invalid('a flag is missing', { start, end: at + 1 })
    if (this.pattern[at] === ':') {
      this.pushGroup(`${body}:`, start, at + 1, folds)
      return
    }
    this.at = at + 1
    this.out.push(`${body})`)
    this.folds = folds
    this.last = undefined
  }

  private closeGroup(): void {
    const start = this.at++
    const group = this.groups.length > 1 ? this.groups.pop() : undefined
    if (group === undefined) invalid('a bracket ")" was never opened', { start, end: start + 1 })
    this.folds = group.foldsOutside
    this.out.push(')')
    const steps = group.steps + 2
    this.count(steps, group.repeats)
    this.last = { steps, repeats: group.repeats }
  }

  /** `\Q...\E`: plain text up to the end mark, or to the end of the pattern. */
  private quotedRun(): void {
    const found = this.pattern.indexOf('\\E', this.at + 2)
    const end = found === -1 ? this.pattern.length : found
    this.at += 2
    while (this.at < end) this.item(readChar(this.pattern, this.at))
    this.at = Math.min(this.pattern.length, end + 2)
  }
}

/**
 * The pattern as RE2 text, with its flags in front and `.` not crossing line ends unless `s` is set. Spans of
 * diagnostics are offsets in the pattern.
 */
export function checkRegex(pattern: string, flags: RegexFlags = {}): Outcome<string> {
  const bytes = new TextEncoder().encode(pattern).length
  if (bytes > limits.regexBytes) {
    const what = 'the regular expression'
    const params = { what, size: `${bytes} bytes`, limit: limits.regexBytes }
    return { diagnostics: [diagnose('HR004', params)] }
  }
  const on = `${flags.i ? 'i' : ''}${flags.m ? 'm' : ''}${flags.s ? 's' : ''}`
  try {
    const body = new Scanner(pattern, flags.i === true).run()
    return { value: `(?${on}${flags.s ? '' : '-s'})${body}`, diagnostics: [] }
  } catch (error) {
    if (error instanceof RegexRefusal) return { diagnostics: [error.diagnostic] }
    throw error
  }
}
