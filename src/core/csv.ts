/** Rows of separated values (RFC 4180): a quote is written twice within quotes. */

/** Why a text is no table. */
export class CsvError extends Error {}

interface Cell {
  readonly text: string
  readonly next: number
}

/** A cell between quotes, in which a quote is written twice. */
function quotedCell(text: string, at: number): Cell {
  const parts: string[] = []
  let from = at + 1
  for (;;) {
    const quote = text.indexOf('"', from)
    if (quote === -1) throw new CsvError('a quoted cell is not closed')
    parts.push(text.slice(from, quote))
    if (text[quote + 1] !== '"') return { text: parts.join(''), next: quote + 1 }
    parts.push('"')
    from = quote + 2
  }
}

function plainCell(text: string, at: number, separator: string): Cell {
  let next = at
  while (
    next < text.length &&
    text[next] !== separator &&
    text[next] !== '\n' &&
    text[next] !== '\r'
  ) {
    next++
  }
  return { text: text.slice(at, next), next }
}

/**
 * The rows of a text; empty lines are left out. With `isTrimmed`, blanks around a cell without quotes are no part of
 * it. Throws a `CsvError` where a quote is out of place.
 */
export function* csvRows(
  text: string,
  separator = ',',
  isTrimmed = false,
): Generator<readonly string[]> {
  let at = text.startsWith('\ufeff') ? 1 : 0
  let row: string[] = []
  while (at < text.length || row.length > 0) {
    const isQuoted = text[at] === '"'
    const cell = isQuoted ? quotedCell(text, at) : plainCell(text, at, separator)
    row.push(isTrimmed && !isQuoted ? cell.text.trim() : cell.text)
    at = cell.next
    if (text[at] === separator) {
      at++
      continue
    }
    if (at < text.length && text[at] !== '\n' && text[at] !== '\r') {
      throw new CsvError(`a quoted cell is followed by ${JSON.stringify(text[at])}`)
    }
    at += text.startsWith('\r\n', at) ? 2 : 1
    if (row.length > 1 || row[0] !== '') yield row
    row = []
  }
}
