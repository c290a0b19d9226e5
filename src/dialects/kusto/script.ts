/**
 * Several queries in one text. Editors of the language run the block around the cursor, so published files hold
 * queries with nothing but blank lines between them.
 */
import type { Span } from '../../core/span.ts'

/** Blocks that are tried together; beyond, each try would cost more than it tells. */
const MOST_BLOCKS = 80

/** Blocks between blank lines; a blank line inside of a text of several lines ends nothing. */
function blocksOf(text: string): readonly Span[] {
  const blocks: Span[] = []
  let start = 0
  let at = 0
  let isQuoted = false
  for (const line of text.split(/(?<=\n)/)) {
    const fences = line.split('```').length - 1
    if (fences % 2 === 1) isQuoted = !isQuoted
    if (!isQuoted && line.trim() === '') {
      if (text.slice(start, at).trim() !== '') blocks.push({ start, end: at })
      start = at + line.length
    }
    at += line.length
  }
  if (text.slice(start).trim() !== '') blocks.push({ start, end: text.length })
  return blocks
}

/** The text without comments, enough to tell whether anything is left. */
function bare(text: string): string {
  return text.replace(/^[^\S\r\n\u2028\u2029]*\/\/.*$/gm, '').trim()
}

/** True for a part that ends in a query: definitions alone give no rows. */
function hasQuery(text: string): boolean {
  const rest = bare(text).replace(/;\s*$/, '')
  const last = rest.slice(rest.lastIndexOf(';') + 1).trim()
  return last !== '' && !/^(?:let|set|declare|alias)\b/i.test(last)
}

/**
 * The queries of a text: the whole, when it is one; else the longest runs of blocks that are each well formed. A block
 * that is part of none is a query of its own, so that its error is told and the others run.
 */
export function splitScript(
  text: string,
  isWellFormed: (part: string) => boolean,
): readonly Span[] {
  if (bare(text) === '') return []
  if (isWellFormed(text)) return [{ start: 0, end: text.length }]
  const blocks = blocksOf(text).filter(({ start, end }) => bare(text.slice(start, end)) !== '')
  if (blocks.length <= 1 || blocks.length > MOST_BLOCKS) return [{ start: 0, end: text.length }]
  const found: (Span & { readonly isFound: boolean })[] = []
  for (let first = 0; first < blocks.length; ) {
    let last = first
    let isFound = false
    for (let end = blocks.length - 1; end >= first; end--) {
      const part = text.slice(blocks[first]?.start, blocks[end]?.end)
      if (hasQuery(part) && isWellFormed(part)) {
        last = end
        isFound = true
        break
      }
    }
    const span = { start: blocks[first]?.start ?? 0, end: blocks[last]?.end ?? text.length }
    const before = found.at(-1)
    if (!isFound && before?.isFound === false) {
      // Neighbours that no query has are one broken query, told once.
      found[found.length - 1] = { ...before, end: span.end }
    } else found.push({ ...span, isFound })
    first = last + 1
  }
  return found.map(({ start, end }) => ({ start, end }))
}
