/**
 * The characters of a regular expression: escapes and bracket classes. Takes a pattern and an offset, gives the
 * RE2 text of one item with its size in compiled steps and where it ends; what RE2 lacks is refused by throwing
 * `RegexRefusal`, which `checkRegex` turns into a diagnostic.
 */
import { type Diagnostic, diagnose } from './diagnostic.ts'
import type { Span } from './span.ts'

/**
 * Sizes in compiled steps, measured on the engine by repeating each form until it refused (about 700,000 steps);
 * rounded up so that what passes here compiles there.
 */
export const STEPS = { ascii: 2, wide: 8, dot: 15 } as const
const SET_STEPS = 5
const NOT_SET_STEPS = 20
const WIDE_RANGE_STEPS = 30
const NEGATED_STEPS = 40
const SCRIPT_STEPS = 400
const CATEGORY_STEPS = 1_700

/** One item of a pattern; a `char` has its code point, the others their RE2 text. */
export interface RegexItem {
  readonly kind: 'char' | 'set' | 'assertion' | 'nothing'
  readonly text: string
  readonly code: number
  readonly steps: number
  readonly end: number
}

/** Carries a diagnostic out of the scan. */
export class RegexRefusal extends Error {
  readonly diagnostic: Diagnostic
  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message)
    this.diagnostic = diagnostic
  }
}

/** Stops the scan: the pattern is not valid in any language. */
export function invalid(reason: string, span: Span): never {
  throw new RegexRefusal(diagnose('HR600', { reason }, span))
}

/** Stops the scan: recursion and its kin. */
export function unsupported(what: string, start: number): never {
  throw new RegexRefusal(diagnose('HR604', { what }, { start, end: start + 3 }))
}

/** Stops the scan: a reference back to a group. */
export function backReference(start: number, end: number): never {
  throw new RegexRefusal(diagnose('HR602', {}, { start, end }))
}

const CATEGORIES: ReadonlySet<string> = new Set(
  'C Cc Cf Co Cs L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So Z Zl Zp Zs Any'.split(
    ' ',
  ),
)
const SCRIPTS: ReadonlySet<string> = new Set(
  'Arabic Armenian Bengali Common Cyrillic Devanagari Ethiopic Georgian Greek Gujarati Gurmukhi Han Hangul Hebrew Hiragana Inherited Kannada Katakana Khmer Lao Latin Malayalam Mongolian Myanmar Oriya Sinhala Syriac Tamil Telugu Thaana Thai Tibetan'.split(
    ' ',
  ),
)
const POSIX: ReadonlySet<string> = new Set(
  'alnum alpha ascii blank cntrl digit graph lower print punct space upper word xdigit'.split(' '),
)
const CONTROLS: ReadonlyMap<string, number> = new Map([
  ['a', 7],
  ['e', 27],
  ['f', 12],
  ['n', 10],
  ['r', 13],
  ['t', 9],
])

/** What to write instead of an escape that RE2 lacks, or that languages read in different ways. */
const INSTEAD: ReadonlyMap<string, string> = new Map([
  ['C', 'write . for one character'],
  ['G', 'leave it out: a rule looks for one match only'],
  ['H', 'write [^ \\t]'],
  ['K', 'leave it out: where the match starts does not matter to a rule'],
  ['N', 'write [^\\n]'],
  ['R', 'write (?:\\r\\n|\\n|\\r)'],
  ['V', 'write [^\\n\\x0B\\f\\r]'],
  ['X', 'write . for one character'],
  ['Z', 'write \\z for the very end, or \\n?\\z'],
  ['h', 'write [ \\t]'],
  ['v', 'write \\x0B for a vertical tab, or [\\n\\x0B\\f\\r]'],
])

const isOctal = (char: string | undefined): boolean =>
  char !== undefined && char >= '0' && char <= '7'
const isHex = (text: string): boolean => /^[0-9a-fA-F]+$/.test(text)

/** A character by its number, as RE2 text. */
export function hexText(code: number): string {
  return `\\x{${code.toString(16).toUpperCase()}}`
}

/** A character as RE2 text, the same inside and outside a class. */
function charText(code: number): string {
  if (code > 0x7e) return String.fromCodePoint(code)
  if (code < 0x20) return hexText(code)
  const char = String.fromCharCode(code)
  return /[A-Za-z0-9_ ]/.test(char) ? char : `\\${char}`
}

/** The plain character at an offset; half of a surrogate pair is not text. */
export function readChar(pattern: string, at: number): RegexItem {
  const code = pattern.codePointAt(at) ?? 0
  if (code >= 0xd800 && code <= 0xdfff) {
    invalid('it holds half a character', { start: at, end: at + 1 })
  }
  return char(code, at + (code > 0xffff ? 2 : 1))
}

function char(code: number, end: number): RegexItem {
  return {
    kind: 'char',
    text: charText(code),
    code,
    steps: code < 0x80 ? STEPS.ascii : STEPS.wide,
    end,
  }
}

const set = (text: string, steps: number, end: number): RegexItem => ({
  kind: 'set',
  text,
  code: 0,
  steps,
  end,
})

function badEscape(pattern: string, start: number, end: number, hint: string): never {
  const written = pattern.slice(start, end)
  throw new RegexRefusal(diagnose('HR605', { escape: written, hint }, { start, end }))
}

/** The escape at an offset, which holds a backslash. */
export function readEscape(pattern: string, start: number, inClass: boolean): RegexItem {
  const letter = pattern[start + 1]
  const end = start + 2
  if (letter === undefined) {
    invalid('it ends with a single backslash', { start, end: start + 1 })
  }
  if ('dws'.includes(letter)) return set(`\\${letter}`, SET_STEPS, end)
  if ('DWS'.includes(letter)) return set(`\\${letter}`, NOT_SET_STEPS, end)
  if (letter === 'b' && inClass) return char(8, end)
  if ('bBAz'.includes(letter)) {
    if (inClass) badEscape(pattern, start, end, 'inside [...] only characters can stand')
    return { kind: 'assertion', text: `\\${letter}`, code: 0, steps: 1, end }
  }
  const control = CONTROLS.get(letter)
  if (control !== undefined) return char(control, end)
  if (letter >= '0' && letter <= '9') return readOctal(pattern, start, inClass)
  switch (letter) {
    case 'x':
    case 'u':
    case 'U':
      return readHex(pattern, start, letter)
    case 'c': {
      const name = pattern[end]?.toUpperCase() ?? ''
      if (!/^[@-_]$/.test(name)) badEscape(pattern, start, end, 'write \\cA to \\cZ')
      return char(name.charCodeAt(0) ^ 64, end + 1)
    }
    case 'p':
    case 'P':
      return readProperty(pattern, start, letter)
    case 'E':
      return { kind: 'nothing', text: '', code: 0, steps: 0, end }
    case 'Q':
      return badEscape(pattern, start, end, 'write out the characters, each with a backslash')
    case 'g':
      if (pattern[end] === '<') unsupported('recursion', start)
      return backReference(start, end)
    case 'k':
      return backReference(start, end)
  }
  if (/[A-Za-z]/.test(letter)) {
    const hint = INSTEAD.get(letter) ?? 'a backslash before this letter has no meaning'
    badEscape(pattern, start, end, hint)
  }
  return readChar(pattern, start + 1)
}

/** `\0`, `\012`, `\101`; other numbers refer back to a group, except inside a class. */
function readOctal(pattern: string, start: number, inClass: boolean): RegexItem {
  const first = start + 1
  let end = first
  while (end < first + 3 && isOctal(pattern[end])) end++
  const digits = pattern.slice(first, end)
  const code = Number.parseInt(digits, 8)
  const isChar = digits.startsWith('0') || digits.length === 3 || (inClass && digits !== '')
  if (!isChar || code > 0xff) backReference(start, first + 1)
  return char(code, end)
}

/** `\x41`, `\x{1F600}`, `\u00e9` (surrogate pairs are joined), `\u{1F600}`, `\U0001F600`. */
function readHex(pattern: string, start: number, kind: 'x' | 'u' | 'U'): RegexItem {
  const from = start + 2
  const scalar = (code: number, end: number): RegexItem => {
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
      badEscape(pattern, start, end, 'there is no character with this number')
    }
    return char(code, end)
  }
  const forms = 'write \\x41 or \\x{1F600}'
  if (kind !== 'U' && pattern[from] === '{') {
    const close = pattern.indexOf('}', from)
    const digits = close === -1 ? '' : pattern.slice(from + 1, close)
    if (digits.length > 8 || !isHex(digits)) badEscape(pattern, start, from, forms)
    return scalar(Number.parseInt(digits, 16), close + 1)
  }
  const end = from + (kind === 'x' ? 2 : kind === 'u' ? 4 : 8)
  const digits = pattern.slice(from, end)
  if (from + digits.length < end || !isHex(digits)) badEscape(pattern, start, from, forms)
  const code = Number.parseInt(digits, 16)
  const low = pattern.slice(end + 2, end + 6)
  if (code >= 0xd800 && code <= 0xdbff && pattern.startsWith('\\u', end) && isHex(low)) {
    const second = Number.parseInt(low, 16)
    if (second >= 0xdc00 && second <= 0xdfff) {
      return char(0x10000 + ((code - 0xd800) << 10) + (second - 0xdc00), end + 6)
    }
  }
  return scalar(code, end)
}

function readProperty(pattern: string, start: number, kind: 'p' | 'P'): RegexItem {
  const from = start + 2
  const braced = pattern[from] === '{'
  const close = braced ? pattern.indexOf('}', from) : from
  const written = braced
    ? pattern.slice(from + 1, close === -1 ? pattern.length : close)
    : (pattern[from] ?? '')
  const end = close === -1 ? pattern.length : close + 1
  const negated = written.startsWith('^')
  const name = negated ? written.slice(1) : written
  const isCategory = CATEGORIES.has(name)
  if (close === -1 || (!isCategory && !SCRIPTS.has(name))) {
    throw new RegexRefusal(diagnose('HR608', { name: written.slice(0, 40) }, { start, end }))
  }
  const letter = negated === (kind === 'p') ? 'P' : 'p'
  return set(`\\${letter}{${name}}`, isCategory ? CATEGORY_STEPS : SCRIPT_STEPS, end)
}

/** The bracket class at an offset. */
export function readClass(pattern: string, start: number): RegexItem {
  const negated = pattern[start + 1] === '^'
  const from = start + (negated ? 2 : 1)
  const parts: string[] = []
  let steps: number = negated ? NEGATED_STEPS : 0
  let at = from
  while (pattern[at] !== ']' || at === from) {
    if (at >= pattern.length) {
      invalid('a bracket "[" is never closed', { start, end: start + 1 })
    }
    const item = readClassItem(pattern, at)
    at = item.end
    steps += item.steps
    parts.push(item.text)
  }
  const text = parts.join('')
  if (text === '') invalid('the class [...] is empty', { start, end: at + 1 })
  return set(`[${negated ? '^' : ''}${text}]`, Math.max(steps, STEPS.ascii), at + 1)
}

/** One character, set or range of a class. */
function readClassItem(pattern: string, start: number): RegexItem {
  const low = readClassChar(pattern, start)
  const dash = low.end
  if (low.kind !== 'char' || pattern[dash] !== '-') return low
  if (dash + 1 >= pattern.length || pattern[dash + 1] === ']') return low
  const high = readClassChar(pattern, dash + 1)
  const span = { start, end: high.end }
  if (high.kind !== 'char') invalid('a range must end with one character', span)
  if (high.code < low.code) invalid('a range is the wrong way round', span)
  const steps = high.code < 0x80 ? STEPS.ascii : WIDE_RANGE_STEPS
  return set(`${charText(low.code)}-${charText(high.code)}`, steps, high.end)
}

function readClassChar(pattern: string, start: number): RegexItem {
  if (pattern[start] === '\\') return readEscape(pattern, start, true)
  const kind = pattern[start + 1]
  if (pattern[start] === '[' && kind !== undefined && ':.='.includes(kind)) {
    const close = pattern.indexOf(`${kind}]`, start + 2)
    const name = close === -1 ? '' : pattern.slice(start + 2, close)
    if (/^\^?[a-z]+$/.test(name)) {
      const end = close + 2
      if (kind !== ':' || !POSIX.has(name.replace('^', ''))) {
        invalid(`there is no class [${kind}${name}${kind}]`, { start, end })
      }
      return set(`[:${name}:]`, NOT_SET_STEPS, end)
    }
  }
  return readChar(pattern, start)
}
