/**
 * What the encoding modifiers make of a value: the dashes of `windash`, the UTF-16 forms, and base64 at one or
 * three offsets. Pure functions on tokens, texts and bytes.
 */
import { joinTokens, plainTokens, type Token, type Tokens } from './value.ts'

export type Utf16 = 'le' | 'be' | 'bom'

/** The forms that a dash of the rule stands for: hyphen, slash, en dash, em dash, horizontal bar. */
const DASH_FORMS: readonly string[] = ['-', '/', '\u2013', '\u2014', '\u2015']
const WORD = /[\p{L}\p{N}_]/u
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/**
 * Marks the dashes that begin an option: `-` or `/` with no word character before it and one after it. The sides
 * of a wildcard count as the ends of a text.
 */
export function markDashes(tokens: Tokens): Tokens {
  return tokens.flatMap((token) => (token.kind === 'text' ? splitDashes(token.text) : [token]))
}

function splitDashes(text: string): Tokens {
  if (!/[-/]/.test(text)) return plainTokens(text)
  const out: Token[] = []
  const chars = [...text]
  let literal = ''
  for (const [index, char] of chars.entries()) {
    const isDash =
      (char === '-' || char === '/') &&
      !WORD.test(chars[index - 1] ?? '') &&
      WORD.test(chars[index + 1] ?? '')
    if (isDash) {
      out.push(...plainTokens(literal), { kind: 'dash' })
      literal = ''
    } else literal += char
  }
  return [...out, ...plainTokens(literal)]
}

/** How many values the dashes stand for. */
export function dashCount(tokens: Tokens): number {
  return DASH_FORMS.length ** tokens.filter((token) => token.kind === 'dash').length
}

/** Every way to write the dashes; the caller bounds `dashCount` first. */
export function writeDashes(tokens: Tokens): readonly Tokens[] {
  let all: readonly (readonly Tokens[])[] = [[]]
  let fixed: Token[] = []
  const keep = (): void => {
    const part = fixed
    all = all.map((start) => [...start, part])
    fixed = []
  }
  for (const token of tokens) {
    if (token.kind !== 'dash') fixed.push(token)
    else {
      keep()
      all = all.flatMap((start) => DASH_FORMS.map((form) => [...start, plainTokens(form)]))
    }
  }
  keep()
  return all.map((parts) => joinTokens(parts.flat()))
}

/** The text in UTF-16: little-endian, big-endian, or little-endian after a byte order mark. */
export function utf16Bytes(text: string, form: Utf16): Uint8Array {
  const bytes: number[] = form === 'bom' ? [0xff, 0xfe] : []
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (form === 'be') bytes.push(unit >> 8, unit & 0xff)
    else bytes.push(unit & 0xff, unit >> 8)
  }
  return Uint8Array.from(bytes)
}

/** The bytes read as UTF-8, or undefined when they are not. */
export function textOfBytes(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** Base64 with padding. */
export function base64(bytes: Uint8Array): string {
  let out = ''
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at
    const group = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
    out += BASE64.charAt(group >> 18) + BASE64.charAt((group >> 12) & 63)
    out += left > 1 ? BASE64.charAt((group >> 6) & 63) : '='
    out += left > 2 ? BASE64.charAt(group & 63) : '='
  }
  return out
}

/**
 * The three forms that the bytes can have inside a longer base64 text: encoded after 0, 1 and 2 other bytes, less
 * the characters at either end that hold bits of the neighbours.
 */
export function base64Offsets(bytes: Uint8Array): readonly string[] {
  return [0, 1, 2].map((shift) => {
    const padded = new Uint8Array(shift + bytes.length)
    padded.set(bytes, shift)
    const whole = base64(padded)
    const start = [0, 2, 3][shift] ?? 0
    const cut = [0, 3, 2][padded.length % 3] ?? 0
    return whole.slice(start, whole.length - cut)
  })
}
