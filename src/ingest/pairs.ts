/**
 * Lines of `name=value` pairs as FortiGate writes them, on disk and in syslog: blanks between pairs, texts in double
 * quotes. Takes the text of a line, gives its pairs in order.
 */
import { limits } from '../core/limits.ts'

/** Longest name of a pair. */
const MOST_NAME = 64

/** Where the quoted text that starts at `from` ends, or -1; a backslash takes the next character along. */
function closing(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') return at
  }
  return -1
}

/** The pairs of a text that is nothing but pairs; undefined for any other text. */
export function readPairs(text: string): readonly (readonly [string, string])[] | undefined {
  const pairs: [string, string][] = []
  let at = 0
  while (at < text.length) {
    if (text[at] === ' ') {
      at++
      continue
    }
    const equals = text.indexOf('=', at)
    const name = equals === -1 ? '' : text.slice(at, Math.min(equals, at + MOST_NAME + 1))
    if (!/^[A-Za-z_][\w.-]{0,63}$/.test(name)) return undefined
    if (pairs.length >= limits.fieldsPerEvent / 2) return undefined
    const isQuoted = text[equals + 1] === '"'
    const start = isQuoted ? equals + 2 : equals + 1
    const found = isQuoted ? closing(text, equals + 1) : text.indexOf(' ', start)
    if (isQuoted && found === -1) return undefined
    const end = found === -1 ? text.length : found
    const value = text.slice(start, end)
    pairs.push([name, isQuoted ? value.replace(/\\(["\\])/g, '$1') : value])
    at = end + 1
  }
  return pairs.length === 0 ? undefined : pairs
}

/** True when a text may be the record of a FortiGate; cheap, asked of every line. */
export function isFortinet(text: string): boolean {
  return text.includes('logid=') && text.includes('type=') && text.includes('devid=')
}
