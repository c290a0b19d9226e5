/**
 * Where a piece of a query stands in its file, although margins, quotes and escapes lie between. Both texts are cut at
 * the same points; within a segment they are the same.
 */
import type { Span } from './span.ts'
import type { YamlScalar } from './yaml.ts'

/** From a span of the query's text to the span of the file. */
export type Placing = (span: Span) => Span

/** A run of characters that stands in the file as it is: where it begins in the query and in the file. */
export interface Segment {
  readonly query: number
  readonly file: number
}

/** A placing by segments in rising order; they are made when the first span is asked for. */
export function placingBy(make: () => readonly Segment[]): Placing {
  let segments: readonly Segment[] | undefined
  const placed = (offset: number): number => {
    segments ??= make()
    let low = 0
    let high = segments.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((segments[middle]?.query ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    const found = segments[low] ?? { query: 0, file: 0 }
    return found.file + Math.max(0, offset - found.query)
  }
  return ({ start, end }) => {
    const from = placed(start)
    return { start: from, end: end > start ? Math.max(from, placed(end - 1) + 1) : from }
  }
}

/** The length of an escape in a text between double quotes, and how many characters it stands for. */
function escapeAt(source: string, at: number): { readonly length: number; readonly gives: number } {
  switch (source[at + 1]) {
    case 'x':
      return { length: 4, gives: 1 }
    case 'u':
      return { length: 6, gives: 1 }
    case 'U':
      return { length: 10, gives: source.startsWith('0000', at + 2) ? 1 : 2 }
    case '\r':
    case '\n': {
      const margin = /^\r?\n[ \t]*/.exec(source.slice(at + 1, at + 1_000))?.[0] ?? ''
      return { length: 1 + margin.length, gives: 0 }
    }
    default:
      return { length: 2, gives: 1 }
  }
}

const isBlank = (char: string | undefined): boolean =>
  char === ' ' || char === '\t' || char === '\n' || char === '\r'

/** The end of the white space that begins at an offset. */
function blanksEnd(text: string, at: number, end: number): number {
  let stop = at
  while (stop < end && isBlank(text[stop])) stop++
  return stop
}

/** Between double quotes: escapes are shorter in the query, and a broken line may be folded. */
function quotedSegments(source: string, { span, text }: YamlScalar): readonly Segment[] {
  const segments: Segment[] = [{ query: 0, file: span.start }]
  let query = 0
  let file = span.start
  const jump = (toQuery: number, toFile: number): void => {
    query = toQuery
    file = toFile
    segments.push({ query, file })
  }
  while (file < span.end && query < text.length) {
    if (source[file] === '\\') {
      const { length, gives } = escapeAt(source, file)
      jump(query + gives, file + length)
    } else if (isBlank(source[file])) {
      const stop = blanksEnd(source, file, span.end)
      if (!source.slice(file, stop).includes('\n')) {
        query += stop - file
        file = stop
      } else jump(blanksEnd(text, query, text.length), stop)
    } else {
      query++
      file++
    }
  }
  return segments
}

/** A literal block: each line has lost its margin; undefined when the lines are not the same. */
function blockSegments(source: string, { span, text }: YamlScalar): readonly Segment[] | undefined {
  const segments: Segment[] = []
  let file = span.start
  let query = 0
  while (query < text.length) {
    const queryEnd = text.indexOf('\n', query)
    const line = text.slice(query, queryEnd === -1 ? text.length : queryEnd)
    const fileEnd = source.indexOf('\n', file)
    const stop = fileEnd === -1 ? source.length : fileEnd
    const end = source[stop - 1] === '\r' && !line.endsWith('\r') ? stop - 1 : stop
    const start = end - line.length
    if (start < file || !source.startsWith(line, start)) return undefined
    segments.push({ query, file: start })
    query += line.length + 1
    file = stop + 1
  }
  return segments
}

/** The same characters in the same order, with others between them; white space may have been folded. */
function foldedSegments(source: string, { span, text }: YamlScalar): readonly Segment[] {
  const segments: Segment[] = []
  let file = span.start
  let next = -1
  for (let query = 0; query < text.length; query++) {
    if (isBlank(text[query])) continue
    while (file < span.end && source[file] !== text[query]) file++
    if (file - query !== next) segments.push({ query, file: Math.min(file, span.end) })
    next = file - query
    file++
  }
  return segments
}

/** A placing from the text of a scalar to its file. */
export function placingOf(source: string, scalar: YamlScalar): Placing {
  const { span, text } = scalar
  return placingBy(() => {
    if (span.end - span.start === text.length && source.startsWith(text, span.start)) {
      return [{ query: 0, file: span.start }]
    }
    const before = source[span.start - 1]
    if (before === '"') return quotedSegments(source, scalar)
    const block = before === '\n' ? blockSegments(source, scalar) : undefined
    return block ?? foldedSegments(source, scalar)
  })
}
