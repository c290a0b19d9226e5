/**
 * Splits delimited rows into cells by RFC 4180: quoted cells, doubled quotes, line breaks within quotes. Lines of a row are
 * fed one after another, and each character is looked at once.
 */

/** A row so far: whole, open (its last quoted cell goes on in the next line), or bad (text after a closing quote). */
export type RowState = 'whole' | 'open' | 'bad'

export class RowReader {
  private readonly delimiter: string
  private readonly most: number
  private parts: string[] = []
  private state: RowState = 'whole'
  /** Cells found; one more than `most` when there are too many, and then no more are looked for. */
  cells: string[] = []

  constructor(delimiter: string, most: number) {
    this.delimiter = delimiter
    this.most = most
  }

  /** Reads the next line; starts a new row unless the last line left one open. `lineBreak` is what ended that line. */
  feed(line: string, lineBreak = '\n'): RowState {
    let at = 0
    if (this.state === 'open') {
      this.parts.push(lineBreak)
      at = this.quoted(line, 0)
    } else {
      this.cells = []
      this.state = 'whole'
    }
    while (at !== -1) at = this.cell(line, at)
    return this.state
  }

  /** Forgets an open row. */
  reset(): void {
    this.state = 'whole'
    this.parts = []
    this.cells = []
  }

  /** Reads one cell; gives where the next one starts, or -1 when the line is at its end. */
  private cell(line: string, at: number): number {
    if (this.cells.length > this.most) return -1
    if (line.charCodeAt(at) === 34) return this.quoted(line, at + 1)
    const end = line.indexOf(this.delimiter, at)
    this.cells.push(end === -1 ? line.slice(at) : line.slice(at, end))
    return end === -1 ? -1 : end + 1
  }

  private quoted(line: string, from: number): number {
    let close = line.indexOf('"', from)
    let isDoubled = false
    while (close !== -1 && line.charCodeAt(close + 1) === 34) {
      isDoubled = true
      close = line.indexOf('"', close + 2)
    }
    const inner = close === -1 ? line.slice(from) : line.slice(from, close)
    this.parts.push(isDoubled ? inner.replaceAll('""', '"') : inner)
    if (close === -1) {
      this.state = 'open'
      return -1
    }
    this.cells.push(this.parts.length === 1 ? (this.parts[0] ?? '') : this.parts.join(''))
    this.parts = []
    this.state = 'whole'
    const next = close + 1
    if (next === line.length) return -1
    if (line[next] === this.delimiter) return next + 1
    this.state = 'bad'
    return -1
  }
}
