/**
 * Patterns of Kusto as RE2 text for the engine. Kusto's `\s`, `\d` and `\w` know all of Unicode, RE2's know ASCII, so
 * they are written out. `\b` stays with ASCII words, which RE2 cannot do otherwise.
 */
import { checkRegex } from '../core/regex.ts'

interface Pattern {
  /** RE2 text. */
  readonly text: string
  readonly groups: number
  /** The groups' names, by number from 1; empty where a group has none. */
  readonly names: readonly string[]
}

/** Stands for a pattern that was refused before it came here: it matches nothing. */
const NOTHING = '[^\\x00-\\x{10FFFF}]'

/** What the escapes hold, as parts of a class. */
const CLASSES: Readonly<Record<string, string>> = {
  s: '\\s\\x0B\\x{85}\\pZ',
  d: '\\p{Nd}',
  w: '\\pL\\pM\\p{Nd}\\p{Nl}\\p{Pc}\\x{200C}\\x{200D}',
}

/** Written-out classes are large; RE2 gives up on a pattern in which repeats make more of them than this. */
const MOST_CLASSES = 120

/** About how many times the engine will have each class of the pattern in its program. */
function repeated(pattern: string): number {
  const counts = [...pattern.matchAll(/(.)\{(\d+)(?:,(\d*))?\}/gs)].map(
    ([, before, low, high]) => ({
      nested: before === ')',
      most: Math.max(1, Number(high || low)),
    }),
  )
  const single = Math.max(1, ...counts.filter((each) => !each.nested).map((each) => each.most))
  return counts.filter((each) => each.nested).reduce((all, each) => all * each.most, single)
}

/** The RE2 text with the classes written out; the escapes of a class stand in `[...]` without brackets of their own. */
function withUnicode(pattern: string): string {
  const escapes = pattern.match(/\\[sdwSDW]/g)?.length ?? 0
  if (escapes === 0 || escapes * repeated(pattern) > MOST_CLASSES) return pattern
  let isInClass = false
  const posix = /^\[:\^?[a-z]+:\]/
  const out: string[] = []
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at] ?? ''
    const next = pattern[at + 1] ?? ''
    const known = CLASSES[next.toLowerCase()]
    if (char === '\\') {
      at++
      const negated = next !== next.toLowerCase()
      if (known === undefined || (negated && isInClass && next !== 'D')) out.push(char, next)
      else if (next === 'D') out.push('\\P{Nd}')
      else out.push(isInClass ? known : `[${negated ? '^' : ''}${known}]`)
    } else if (isInClass && char === '[' && posix.test(pattern.slice(at, at + 12))) {
      const name = posix.exec(pattern.slice(at, at + 12))?.[0] ?? ''
      out.push(name)
      at += name.length - 1
    } else {
      if (char === '[') isInClass = true
      else if (char === ']' && isInClass) isInClass = false
      out.push(char)
    }
  }
  return out.join('')
}

/** The capture groups of RE2 text: their names, empty where a group has none. */
export function groupNames(pattern: string): readonly string[] {
  const plain = pattern.replace(/\\.|\[\^?\]?(?:\\.|\[:\^?[a-z]+:\]|[^\]\\])*\]/gs, 'x')
  return [...plain.matchAll(/\((?:\?(?:P?<|')(\w+)[>']|(?!\?))/g)].map(([, name]) => name ?? '')
}

/** A checked pattern as the engine reads it; one that is not accepted matches nothing. */
export function patternOf(written: string): Pattern {
  const text = checkRegex(written).value
  if (text === undefined) return { text: NOTHING, groups: 0, names: [] }
  const groups = groupNames(text).length
  const named = groupNames(written)
  const names = named.length === groups ? named : Array.from({ length: groups }, () => '')
  return { text: withUnicode(text), groups, names }
}
