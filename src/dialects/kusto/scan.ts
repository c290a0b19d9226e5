/** Finding one's way in Kusto text without parsing it: past strings and comments, to closing brackets. */

const CLOSING: ReadonlyMap<string, string> = new Map([
  ['(', ')'],
  ['{', '}'],
  ['[', ']'],
])

function quotedEnd(text: string, at: number, quote: string, isVerbatim: boolean): number {
  for (let index = at; index < text.length; index++) {
    const char = text[index]
    if (char === '\n' && !isVerbatim) return index
    if (char === '\\' && !isVerbatim) index++
    else if (char === quote) {
      if (!isVerbatim || text[index + 1] !== quote) return index + 1
      index++
    }
  }
  return text.length
}

/** The offset after the string or comment that begins here; the same offset when none does. */
function pastOpaque(text: string, at: number): number {
  const char = text[at]
  if (char === '"' || char === "'") return quotedEnd(text, at + 1, char, false)
  const next = text[at + 1] ?? ''
  if (char === '@' && (next === '"' || next === "'")) return quotedEnd(text, at + 2, next, true)
  if (char === '/' && next === '/') {
    const end = text.indexOf('\n', at)
    return end === -1 ? text.length : end
  }
  for (const fence of ['```', '~~~']) {
    if (!text.startsWith(fence, at)) continue
    const end = text.indexOf(fence, at + fence.length)
    return end === -1 ? text.length : end + fence.length
  }
  return at
}

/** The offset of the bracket that closes the one at an offset, or undefined when none does. */
export function closingAt(text: string, at: number): number | undefined {
  const open: string[] = []
  for (let index = at; index < text.length; ) {
    const past = pastOpaque(text, index)
    if (past > index) {
      index = past
      continue
    }
    const char = text[index] ?? ''
    const close = CLOSING.get(char)
    if (close !== undefined) open.push(close)
    else if (char === ')' || char === '}' || char === ']') {
      if (open.pop() !== char) return undefined
      if (open.length === 0) return index
    }
    index++
  }
  return undefined
}

/** The parts of a list between commas that are in no bracket, string or comment. */
export function splitList(text: string): readonly string[] {
  const parts: string[] = []
  let from = 0
  for (let index = 0; index < text.length; ) {
    const past = pastOpaque(text, index)
    const close =
      past > index || !CLOSING.has(text[index] ?? '') ? undefined : closingAt(text, index)
    if (text[index] === ',') {
      parts.push(text.slice(from, index))
      from = index + 1
    }
    index = Math.max(past, (close ?? index - 1) + 1, index + 1)
  }
  return [...parts, text.slice(from)].map((each) => each.trim()).filter((each) => each !== '')
}

/** The offset of the first character from here that is no white space and in no comment. */
export function pastBlanks(text: string, at: number): number {
  let index = at
  for (;;) {
    while (index < text.length && /\s/.test(text[index] ?? '')) index++
    if (!text.startsWith('//', index)) return index
    index = pastOpaque(text, index)
  }
}

/** `union *`, and `search` and `find` that name no tables: all tables, which are those that may have rows here. */
export function readsAll(text: string): boolean {
  return hasStarAfter(text, ['union']) || /(?:^|[;(={\n])[^\S\n]*(?:search|find)\b/.test(text)
}

/** True for a `*` that has one of some operators before it in its part of a pipe. */
export function hasStarAfter(text: string, operators: readonly string[]): boolean {
  let isAfter = false
  for (const [found] of text.matchAll(/\b\w+\b|[|;*]/g)) {
    if (found === '*' && isAfter) return true
    if (found === '|' || found === ';') isAfter = false
    else if (operators.includes(found)) isAfter = true
  }
  return false
}
