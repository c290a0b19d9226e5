/**
 * Places in a text. A span is a pair of UTF-16 offsets; a place is what a person reads.
 */

/** Half-open range of UTF-16 offsets in a source text. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** A one-based line and column. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** The place of an offset; offsets past the end give the end. */
export function placeOf(text: string, offset: number): Place {
  const stop = Math.min(Math.max(offset, 0), text.length)
  let line = 1
  let lineStart = 0
  for (let at = text.indexOf('\n'); at !== -1 && at < stop; at = text.indexOf('\n', at + 1)) {
    line++
    lineStart = at + 1
  }
  return { line, column: stop - lineStart + 1 }
}

/** The places of many offsets of one text: like `placeOf`, without counting lines from the start each time. */
export function placesIn(text: string): (offset: number) => Place {
  let starts: number[] | undefined
  return (offset) => {
    if (starts === undefined) {
      starts = [0]
      for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1))
        starts.push(at + 1)
    }
    const stop = Math.min(Math.max(offset, 0), text.length)
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((starts[middle] ?? 0) <= stop) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: stop - (starts[low] ?? 0) + 1 }
  }
}

/** The whole line that holds the offset, without its line break. */
export function lineAt(text: string, offset: number): string {
  const start = text.lastIndexOf('\n', offset - 1) + 1
  const end = text.indexOf('\n', start)
  return text.slice(start, end === -1 ? undefined : end).replace(/\r$/, '')
}
