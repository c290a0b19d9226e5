/**
 * Faults of regular expressions that can be told from their text: an anchor that cannot hold where it stands, and parts
 * that only cost time. What is not plainly a fault is left alone.
 */

export interface PatternFault {
  /** True when nothing can match. */
  readonly isNever: boolean
  readonly reason: string
}

interface Atom {
  readonly kind: 'start' | 'end' | 'other'
  /** True when it may match nothing. */
  readonly isOptional: boolean
}

/** Where a group ends that opens at an offset; the end of the text when it does not. */
function groupEnd(pattern: string, open: number): number {
  let depth = 0
  for (let at = open; at < pattern.length; at++) {
    const char = pattern[at]
    if (char === '\\') at++
    else if (char === '[') at = classEnd(pattern, at)
    else if (char === '(') depth++
    else if (char === ')' && --depth === 0) return at
  }
  return pattern.length
}

function classEnd(pattern: string, open: number): number {
  let at = open + 1
  if (pattern[at] === '^') at++
  if (pattern[at] === ']') at++
  for (; at < pattern.length; at++) {
    if (pattern[at] === '\\') at++
    else if (pattern[at] === ']') return at
  }
  return pattern.length
}

/** The atoms of the outermost level, one list an alternative; groups are atoms. */
function alternatives(pattern: string): readonly (readonly Atom[])[] {
  const all: Atom[][] = [[]]
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at] ?? ''
    if (char === '|') {
      all.push([])
      continue
    }
    let kind: Atom['kind'] = 'other'
    let isOptional = false
    if (char === '^') kind = 'start'
    else if (char === '$') kind = 'end'
    else if (char === '\\') {
      // Words' edges take no character.
      isOptional = /[bBAzZ]/.test(pattern[at + 1] ?? '')
      const isQuoted = pattern[at + 1] === 'Q'
      const end = isQuoted ? pattern.indexOf('\\E', at) : at
      at = isQuoted ? (end === -1 ? pattern.length : end + 1) : at + 1
    } else if (char === '[') at = classEnd(pattern, at)
    else if (char === '(') {
      // Whether a group takes a character is not looked at.
      isOptional = true
      at = groupEnd(pattern, at)
    }
    const rest = pattern.slice(at + 1, at + 24)
    const quantifier = /^(?:[*?]|\{0?,?\d*\}|\+)[?+]?/.exec(rest)?.[0] ?? ''
    if (/^[*?]|^\{0?,/.test(quantifier) || quantifier === '{0}') isOptional = true
    at += quantifier.length
    all.at(-1)?.push({ kind, isOptional })
  }
  return all
}

function isDead(atoms: readonly Atom[]): boolean {
  const start = atoms.findLastIndex((each) => each.kind === 'start' && !each.isOptional)
  const end = atoms.findIndex((each) => each.kind === 'end' && !each.isOptional)
  const takes = (part: readonly Atom[]): boolean =>
    part.some((each) => each.kind === 'other' && !each.isOptional)
  return takes(atoms.slice(0, Math.max(0, start))) || (end !== -1 && takes(atoms.slice(end + 1)))
}

/** A group that is one repeated character or class, and is repeated itself; with anything beside it, it says more. */
const NESTED = /(?<!\\)\((?:\?:)?(?:[^()\\[\]|^$+*?{}]|\\.|\[\^?\]?(?:\\.|[^\]\\])*\])[+*]\)[+*]/

/** What is wrong with a pattern; undefined when nothing is seen. */
export function faultOf(pattern: string): PatternFault | undefined {
  const flags = /^\(\?([a-z-]+)\)/.exec(pattern)
  const body = flags === null ? pattern : pattern.slice(flags[0].length)
  const isMultiline = (flags?.[1] ?? '').split('-')[0]?.includes('m') ?? false
  // Line starts and ends may lie anywhere in a text of several lines.
  if (!isMultiline && !/\(\?[a-z]*m/.test(pattern) && alternatives(body).every(isDead)) {
    return { isNever: true, reason: 'it asks for text before the start or behind the end' }
  }
  if (NESTED.test(body)) {
    return {
      isNever: false,
      reason: 'a repeated group repeats within: one repetition says the same',
    }
  }
  if (/^\.\*[^?+]/.test(body) && !/^\.\*(?:\)|$)/.test(body)) {
    return { isNever: false, reason: 'the `.*` at its start changes nothing and costs time' }
  }
  return undefined
}
