/**
 * Sigma text values: wildcards and escapes read into tokens, and the shape that a token list has (equal, prefix,
 * part, ...). Rule: `\` before `*`, `?` or `\` makes that character plain, any other `\` is itself; the escapes
 * are settled before a modifier adds its wildcards (Sigma specification, "Wildcards" and "Escaping").
 */

export type Token =
  | { readonly kind: 'text'; readonly text: string }
  /** `*`: any run of characters, line ends too. */
  | { readonly kind: 'run' }
  /** `?`: exactly one character. */
  | { readonly kind: 'one' }
  /** `%name%` under the modifier `expand`. */
  | { readonly kind: 'hole'; readonly name: string }
  /** Any of the dashes of the modifier `windash`. */
  | { readonly kind: 'dash' }

export type Tokens = readonly Token[]

/** How a value without holes is matched; `any` is met by every value, also an empty one. */
export type Shape =
  | { readonly kind: 'equals' | 'contains' | 'starts' | 'ends'; readonly text: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'like' }

export type Anchor = 'contains' | 'starts' | 'ends'

const RUN: Token = { kind: 'run' }
const ONE: Token = { kind: 'one' }
const HOLE = /%([\p{L}\p{N}_.-]{1,128})%/uy

/** A plain text as tokens. */
export function plainTokens(text: string): Tokens {
  return text === '' ? [] : [{ kind: 'text', text }]
}

/** Joins neighbours: texts become one, and a run after a run says nothing more. */
export function joinTokens(parts: Iterable<Token>): Tokens {
  const out: Token[] = []
  for (const token of parts) {
    const last = out.at(-1)
    if (token.kind === 'run' && last?.kind === 'run') continue
    if (token.kind === 'text' && last?.kind === 'text') {
      out[out.length - 1] = { kind: 'text', text: last.text + token.text }
    } else if (token.kind !== 'text' || token.text !== '') out.push(token)
  }
  return out
}

/** Reads a text value; placeholders `%name%` (and `\%` for a plain sign) only when asked for. */
export function readText(text: string, holes = false): Tokens {
  if (!/[*?\\]/.test(text) && !holes) return plainTokens(text)
  const out: Token[] = []
  let literal = ''
  const push = (token: Token): void => {
    if (literal !== '') out.push({ kind: 'text', text: literal })
    literal = ''
    if (token.kind !== 'run' || out.at(-1)?.kind !== 'run') out.push(token)
  }
  let at = 0
  while (at < text.length) {
    const char = text[at] ?? ''
    const next = text[at + 1] ?? ''
    if (char === '\\' && next !== '' && (holes ? '*?\\%' : '*?\\').includes(next)) {
      literal += next
      at += 2
      continue
    }
    if (char === '*') push(RUN)
    else if (char === '?') push(ONE)
    else {
      HOLE.lastIndex = at
      const name = holes && char === '%' ? HOLE.exec(text)?.[1] : undefined
      if (name === undefined) literal += char
      else {
        push({ kind: 'hole', name })
        at += name.length + 1
      }
    }
    at++
  }
  if (literal !== '') out.push({ kind: 'text', text: literal })
  return out
}

/** The tokens opened at the sides that the anchor leaves free. */
export function anchorTokens(tokens: Tokens, anchor: Anchor | undefined): Tokens {
  if (anchor === undefined) return tokens
  return joinTokens([
    ...(anchor === 'starts' ? [] : [RUN]),
    ...tokens,
    ...(anchor === 'ends' ? [] : [RUN]),
  ])
}

/** The plainest shape that says the same as the tokens. */
export function shapeOf(tokens: Tokens): Shape {
  const [first, second, third] = tokens
  if (first === undefined) return { kind: 'equals', text: '' }
  if (first.kind === 'text') {
    if (second === undefined) return { kind: 'equals', text: first.text }
    if (second.kind === 'run' && third === undefined) return { kind: 'starts', text: first.text }
  }
  if (first.kind === 'run') {
    if (second === undefined) return { kind: 'any' }
    if (second.kind === 'text' && third === undefined) return { kind: 'ends', text: second.text }
    if (second.kind === 'text' && third?.kind === 'run' && tokens.length === 3) {
      return { kind: 'contains', text: second.text }
    }
  }
  return { kind: 'like' }
}

/** The tokens as a pattern of `match.like`: `%` any run, `_` one character, `\` before a plain sign. */
export function likePattern(tokens: Tokens): string {
  return tokens
    .map((token) => {
      if (token.kind === 'run') return '%'
      if (token.kind === 'one') return '_'
      return token.kind === 'text' ? token.text.replace(/[%_\\]/g, '\\$&') : ''
    })
    .join('')
}

const DASHES = '[-/\\x{2013}\\x{2014}\\x{2015}]'

/** The tokens as an RE2 pattern, for values with more dashes than can be written out one by one. */
export function dashPattern(tokens: Tokens, cased: boolean): string {
  const opens = tokens[0]?.kind === 'run'
  const closes = tokens.at(-1)?.kind === 'run'
  const inner = tokens.slice(opens ? 1 : 0, closes ? -1 : undefined)
  const body = inner.map((token) => {
    if (token.kind === 'run') return '.*'
    if (token.kind === 'one') return '.'
    if (token.kind === 'dash') return DASHES
    return token.kind === 'text' ? token.text.replace(/[^\p{L}\p{N}_ ]/gu, quoteSign) : ''
  })
  return `(?${cased ? '' : 'i'}s)${opens ? '' : '^'}${body.join('')}${closes ? '' : '$'}`
}

/** A sign as RE2 text; only ASCII signs may have a backslash before them. */
function quoteSign(char: string): string {
  const code = char.codePointAt(0) ?? 0
  if (code > 0x7e) return char
  return code < 0x20 ? `\\x{${code.toString(16)}}` : `\\${char}`
}
