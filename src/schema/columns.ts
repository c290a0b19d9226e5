/**
 * Builders of columns in the layout that the engine's Native format wants. Values are appended row by row;
 * rows that get no value are filled with blanks. A finished column is a `ColumnBlock` with its own buffer, which
 * may be handed to another thread.
 */
import type { ColumnBlock } from './batch.ts'

const encoder = new TextEncoder()

/** Up to this many characters a loop is faster than the encoder (measured: they meet at about 35). */
const SHORT = 32
/** Past this many characters no room is kept for characters that need more than one byte. */
const LONG = 16 * 1024
/** Values looked at to tell how much they vary, and the fewest that tell anything. */
const SAMPLE = 2_000
const FEWEST = 20

/** Bytes that a length prefix takes (LEB128). */
function prefixSize(length: number): number {
  if (length < 0x80) return 1
  if (length < 0x4000) return 2
  if (length < 0x200000) return 3
  return length < 0x10000000 ? 4 : 5
}

const NONE = new Uint8Array(0)
/** Longest run of bytes that is copied when it is taken; a longer one is handed over. */
const COPIED = 256 * 1024
const LEAST = 1024
const MOST_WANTED = 32 * 1024 * 1024

/** A growing run of bytes; a small buffer is kept for the next column when it has been taken. */
class Bytes {
  #bytes = NONE
  /** How much the last column took; the next one will probably take as much. */
  #wanted = LEAST
  at = 0

  /** Makes room for `more` bytes and gives the buffer; it is valid until the next call. */
  room(more: number): Uint8Array {
    const needed = this.at + more
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2, this.#wanted))
      grown.set(this.#bytes.subarray(0, this.at))
      this.#bytes = grown
    }
    return this.#bytes
  }

  prefix(bytes: Uint8Array, length: number): void {
    let rest = length
    while (rest >= 0x80) {
      bytes[this.at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    bytes[this.at++] = rest
  }

  blanks(count: number): void {
    this.room(count).fill(0, this.at, this.at + count)
    this.at += count
  }

  /** One text: its length in bytes, then UTF-8. A lone surrogate becomes U+FFFD. */
  text(value: string): void {
    const { length } = value
    if (length > LONG) {
      this.#long(value)
      return
    }
    const bytes = this.room(length * 3 + 5)
    if (length <= SHORT) {
      const start = this.at + 1
      let index = 0
      for (; index < length; index++) {
        const code = value.charCodeAt(index)
        if (code > 0x7f) break
        bytes[start + index] = code
      }
      if (index === length) {
        bytes[this.at] = length
        this.at = start + length
        return
      }
    }
    const guess = prefixSize(length)
    const start = this.at + guess
    const { written } = encoder.encodeInto(value, bytes.subarray(start))
    const actual = prefixSize(written)
    if (actual !== guess) bytes.copyWithin(this.at + actual, start, start + written)
    this.prefix(bytes, written)
    this.at += written
  }

  /** A long text: most are ASCII, so room is made for that, and for the rest when it is not. */
  #long(value: string): void {
    const begin = this.at
    const start = begin + prefixSize(value.length)
    this.room(value.length + 5)
    this.at = start
    for (let from = 0; from < value.length; ) {
      const left = value.length - from
      const bytes = this.room(from === 0 ? left : left * 3)
      const { read, written } = encoder.encodeInto(value.slice(from), bytes.subarray(this.at))
      this.at += written
      from += read
    }
    const size = this.at - start
    const bytes = this.room(5)
    const moved = begin + prefixSize(size)
    if (moved !== start) bytes.copyWithin(moved, start, this.at)
    this.at = begin
    this.prefix(bytes, size)
    this.at += size
  }

  /** What was written so far; valid until the next change. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.at)
  }

  /** What was written; the buffer starts again empty. */
  take(): Uint8Array {
    const { at } = this
    this.at = 0
    if (at <= COPIED && this.#bytes.length <= 4 * COPIED) return this.#bytes.slice(0, at)
    const data = this.#bytes.subarray(0, at)
    this.#bytes = NONE
    this.#wanted = Math.max(LEAST, Math.min(at, MOST_WANTED))
    return data
  }
}

/** Counts of values per row, written as the running ends that the engine wants before the values. */
class Ends {
  #ends = new Uint32Array(64)
  rows = 0
  total = 0

  /** Starts a row; false when it has been started before. */
  open(row: number): boolean {
    if (row < this.rows) return false
    this.#fill(row + 1)
    return true
  }

  add(count: number): void {
    this.total += count
    this.#ends[this.rows - 1] = this.total
  }

  #fill(rows: number): void {
    if (rows > this.#ends.length) {
      const grown = new Uint32Array(Math.max(rows, this.#ends.length * 2))
      grown.set(this.#ends.subarray(0, this.rows))
      this.#ends = grown
    }
    this.#ends.fill(this.total, this.rows, rows)
    this.rows = rows
  }

  take(rows: number): Uint8Array {
    checkRows(this.rows, rows)
    this.#fill(rows)
    const data = new Uint8Array(rows * 8)
    const view = new DataView(data.buffer)
    for (let row = 0; row < rows; row++) view.setUint32(row * 8, this.#ends[row] ?? 0, true)
    this.rows = 0
    this.total = 0
    return data
  }
}

function checkRows(written: number, rows: number): void {
  if (written > rows) throw new RangeError(`a column has ${written} rows, the block only ${rows}`)
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const data = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    data.set(part, at)
    at += part.length
  }
  return data
}

/** Texts, at most one a row; a row without one reads as the empty text. */
export class TextColumn {
  readonly kind = 'text'
  #bytes = new Bytes()
  #rows = 0
  #sampled = 0
  /** Only the first block tells the variety: the column is made from it. */
  #isSampling = true
  #variety: number | undefined
  readonly #different = new Set<string>()

  /** Bytes written so far. */
  get size(): number {
    return this.#bytes.at
  }

  /** What was written so far; valid until the next change. */
  get written(): Uint8Array {
    return this.#bytes.written
  }

  /** Adds the text of a row. Rows come in rising order; false when the row has one already. */
  append(row: number, value: string): boolean {
    if (row < this.#rows) return false
    if (row > this.#rows) this.#bytes.blanks(row - this.#rows)
    this.#rows = row + 1
    this.#bytes.text(value)
    if (this.#isSampling) {
      this.#different.add(value)
      this.#isSampling = ++this.#sampled < SAMPLE
    }
    return true
  }

  /** The column for a block of that many rows; the builder starts again empty. */
  finish(name: string, rows: number): ColumnBlock {
    checkRows(this.#rows, rows)
    this.#bytes.blanks(rows - this.#rows)
    const variety = this.#sampled < FEWEST ? 1 : this.#different.size / this.#sampled
    this.#rows = 0
    this.#isSampling = false
    this.#different.clear()
    this.#variety ??= variety
    return { name, kind: 'text', variety: this.#variety, data: this.#bytes.take() }
  }
}

/** Lists of texts; a row without one reads as the empty list. */
export class ListColumn {
  readonly kind = 'list'
  readonly #ends = new Ends()
  readonly #bytes = new Bytes()

  get size(): number {
    return this.#ends.rows * 8 + this.#bytes.at
  }

  /** Adds the list of a row; false when the row has one already. */
  append(row: number, values: readonly string[]): boolean {
    if (!this.#ends.open(row)) return false
    this.#ends.add(values.length)
    for (const value of values) this.#bytes.text(value)
    return true
  }

  finish(name: string, rows: number): ColumnBlock {
    const data = joined([this.#ends.take(rows), this.#bytes.take()])
    return { name, kind: 'list', variety: 1, data }
  }
}

/** Maps of text to text; a row without one reads as the empty map. */
export class MapColumn {
  readonly kind = 'map'
  readonly #ends = new Ends()
  readonly #keys = new Bytes()
  readonly #values = new Bytes()

  get size(): number {
    return this.#ends.rows * 8 + this.#keys.at + this.#values.at
  }

  /** Adds an entry to the map of a row; false when a later row has been started. Keys are not compared. */
  append(row: number, key: string, value: string): boolean {
    if (row < this.#ends.rows - 1) return false
    this.#ends.open(row)
    this.#ends.add(1)
    this.#keys.text(key)
    this.#values.text(value)
    return true
  }

  finish(name: string, rows: number): ColumnBlock {
    const data = joined([this.#ends.take(rows), this.#keys.take(), this.#values.take()])
    return { name, kind: 'map', variety: 1, data }
  }
}

const TWO_32 = 0x1_0000_0000

/** Eight bytes a row, little-endian; shared by times and counts. */
class Words {
  #view = new DataView(new ArrayBuffer(1024))
  #rows = 0

  get size(): number {
    return this.#rows * 8
  }

  set(row: number, high: number, low: number): boolean {
    if (row < this.#rows) return false
    this.#grow(row + 1)
    this.#view.setUint32(row * 8, low, true)
    this.#view.setInt32(row * 8 + 4, high, true)
    return true
  }

  #grow(rows: number): void {
    const needed = rows * 8
    if (needed > this.#view.byteLength) {
      const grown = new Uint8Array(Math.max(needed, this.#view.byteLength * 2))
      grown.set(new Uint8Array(this.#view.buffer, 0, this.#rows * 8))
      this.#view = new DataView(grown.buffer)
    }
    new Uint8Array(this.#view.buffer, this.#rows * 8, needed - this.#rows * 8).fill(0)
    this.#rows = rows
  }

  take(rows: number): Uint8Array {
    checkRows(this.#rows, rows)
    this.#grow(rows)
    this.#rows = 0
    return new Uint8Array(this.#view.buffer.slice(0, rows * 8))
  }
}

/** Instants in 100 ns ticks since 1970 (signed 64 bits); a row without one reads as 1970. */
export class TimeColumn {
  readonly kind = 'time'
  readonly #words = new Words()

  get size(): number {
    return this.#words.size
  }

  /** Adds the instant of a row, in whole milliseconds and ticks (see `core/time`); false when it has one. */
  append(row: number, ms: number, sub: number): boolean {
    // ms * 10000 + sub without leaving the whole numbers that a double holds: ms = above * 2^20 + below.
    const above = Math.floor(ms / 0x100000)
    const below = ms - above * 0x100000
    const scaled = above * 10_000
    const high = Math.floor(scaled / 4096)
    const low = (scaled - high * 4096) * 0x100000 + below * 10_000 + sub
    return this.#words.set(row, high + Math.floor(low / TWO_32), low % TWO_32)
  }

  finish(name: string, rows: number): ColumnBlock {
    return { name, kind: 'time', variety: 1, data: this.#words.take(rows) }
  }
}

/** Whole numbers from 0 to 2^53; a row without one reads as 0. */
export class Uint64Column {
  readonly kind = 'uint64'
  readonly #words = new Words()

  get size(): number {
    return this.#words.size
  }

  /** Adds the number of a row; false when it has one already. */
  append(row: number, value: number): boolean {
    return this.#words.set(row, Math.floor(value / TWO_32), value % TWO_32)
  }

  finish(name: string, rows: number): ColumnBlock {
    return { name, kind: 'uint64', variety: 1, data: this.#words.take(rows) }
  }
}

/** A column with the same text in every row. */
export function constantText(name: string, value: string, rows: number): ColumnBlock {
  const one = new Bytes()
  one.text(value)
  const cell = one.take()
  const data = new Uint8Array(cell.length * rows)
  for (let row = 0; row < rows; row++) data.set(cell, row * cell.length)
  return { name, kind: 'text', variety: 0, data }
}

/** A column with the same instant in every row. */
export function constantTime(name: string, ms: number, rows: number): ColumnBlock {
  const column = new TimeColumn()
  for (let row = 0; row < rows; row++) column.append(row, ms, 0)
  return column.finish(name, rows)
}
