/** What of a search or a query is code: no text between quotation marks, and no comment. */
import type { Span } from '../../core/span.ts'

/** The parts of a search or query that are in no text between quotation marks, and in no comment. */
export function outsideTexts(query: string, isKusto: boolean): readonly Span[] {
  const parts: Span[] = []
  let start = 0
  for (let at = 0; at < query.length; at++) {
    const char = query[at] ?? ''
    const isText = char === '"' || (isKusto && char === "'")
    const comment = isKusto ? query.startsWith('//', at) : query.startsWith('```', at)
    if (!isText && !comment) continue
    parts.push({ start, end: at })
    if (comment) {
      const end = isKusto ? query.indexOf('\n', at) : query.indexOf('```', at + 3) + 2
      at = end < at ? query.length : end
    } else {
      const isVerbatim = isKusto && query[at - 1] === '@'
      for (at++; at < query.length && query[at] !== char; at++) {
        if (query[at] === '\\' && !isVerbatim) at++
      }
    }
    start = at + 1
  }
  parts.push({ start, end: query.length })
  return parts.filter((each) => each.end > each.start)
}

/** The code of a search or a query, with a blank for each text or comment. */
export function codeOf(query: string, isKusto: boolean): string {
  return outsideTexts(query, isKusto)
    .map(({ start, end }) => query.slice(start, end))
    .join(' ')
}
