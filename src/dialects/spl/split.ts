/** An expanded search to its commands: what stands between the pipes, outside of quotes and brackets. */
import { limits } from '../../core/limits.ts'
import type { Span } from '../../core/span.ts'
import type { Command } from './ast.ts'
import { isEscapedQuote, stringEnd } from './quotes.ts'
import { refuse } from './refusal.ts'

/** The offset past the bracket that closes the one at an offset; refuses where there is none. */
export function closingBracket(text: string, start: number, end = text.length): number {
  let depth = 0
  for (let at = start; at < end; at++) {
    const each = text[at]
    if (isEscapedQuote(text, at)) at++
    else if (each === '"') {
      const stop = stringEnd(text, at)
      if (stop === -1 || stop > end) break
      at = stop - 1
    } else if (each === '[') {
      depth++
      if (depth > limits.splNesting) {
        const size = `more than ${limits.splNesting} levels`
        refuse(
          'HR517',
          { what: 'the nesting of searches', size, limit: limits.splNesting },
          { start: at, end: at + 1 },
        )
      }
    } else if (each === ']' && --depth === 0) return at + 1
  }
  return refuse('HR500', { message: 'the bracket is not closed' }, { start, end: start + 1 })
}

function pieces(text: string, { start, end }: Span): readonly Span[] {
  const found: Span[] = []
  let from = start
  for (let at = start; at < end; at++) {
    const each = text[at]
    if (isEscapedQuote(text, at)) at++
    else if (each === '"') {
      const stop = stringEnd(text, at)
      at = stop === -1 || stop > end ? end : stop - 1
    } else if (each === '[') at = closingBracket(text, at, end) - 1
    else if (each === ']') {
      refuse(
        'HR500',
        { message: 'there is no bracket that this one closes' },
        { start: at, end: at + 1 },
      )
    } else if (each === '|') {
      found.push({ start: from, end: at })
      from = at + 1
    }
  }
  found.push({ start: from, end })
  return found
}

const isBlank = (text: string, { start, end }: Span): boolean =>
  text.slice(start, end).trim() === ''

const NAME = /\s*([A-Za-z_][A-Za-z0-9_]*)/y

/** The span without blanks at its ends. */
function trimmed(text: string, { start, end }: Span): Span {
  let from = start
  let to = end
  while (from < to && /\s/.test(text[from] ?? '')) from++
  while (to > from && /\s/.test(text[to - 1] ?? '')) to--
  return { start: from, end: to }
}

function commandOf(text: string, span: Span): Command {
  NAME.lastIndex = span.start
  const match = NAME.exec(text)
  const place = trimmed(text, span)
  if (match === null || NAME.lastIndex > span.end) {
    const shown = text.slice(place.start, Math.min(place.end, place.start + 20))
    return refuse('HR500', { message: `there is no command in "${shown}"` }, place)
  }
  const [whole, name = ''] = match
  const start = span.start + whole.length - name.length
  const nameSpan = { start, end: start + name.length }
  return {
    name: name.toLowerCase(),
    nameSpan,
    args: { start: nameSpan.end, end: span.end },
    span: place,
  }
}

/** Commands that make rows from nothing: a search that begins with one of them without a pipe is a mistake. */
const GENERATING = new Set(
  'tstats mstats from datamodel inputlookup makeresults metadata loadjob union multisearch eventcount gentimes'.split(
    ' ',
  ),
)

/**
 * Splits a search. Where it does not begin with a pipe, its first words are those of an implicit `search`; in a
 * subsearch (`isInner`) the first word is a command in any case.
 */
export function splitSearch(text: string, span: Span, isInner: boolean): readonly Command[] {
  const parts = pieces(text, span)
  const [first = span, ...rest] = parts
  const named = rest.map((each): Command => {
    if (isBlank(text, each)) {
      return refuse(
        'HR500',
        { message: 'there is no command behind the pipe' },
        { start: each.start - 1, end: each.start },
      )
    }
    return commandOf(text, each)
  })
  if (isBlank(text, first)) {
    if (named.length > 0) return named
    return refuse('HR500', { message: 'the text holds no search' }, span)
  }
  if (isInner) return [commandOf(text, first), ...named]
  NAME.lastIndex = first.start
  const word = NAME.exec(text)?.[1] ?? ''
  const follows = text[NAME.lastIndex] ?? ' '
  if (word.toLowerCase() === 'search' && /[\s([]/.test(follows)) {
    return [commandOf(text, first), ...named]
  }
  const place = trimmed(text, first)
  if (GENERATING.has(word.toLowerCase()) && /\s/.test(follows)) {
    return refuse('HR516', { name: word }, { start: place.start, end: place.start + word.length })
  }
  const search: Command = {
    name: 'search',
    nameSpan: { start: place.start, end: place.start },
    args: first,
    span: place,
  }
  return [search, ...named]
}
