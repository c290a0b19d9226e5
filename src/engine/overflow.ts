/**
 * Columns of a block that a table has no room for, moved into its overflow map. Intake keeps to the budget of
 * names, but each of its workers knows only part of what the others add; this is where the budget holds.
 */
import type { ColumnBlock, SourceBlock } from '../schema/batch.ts'
import { MapColumn } from '../schema/columns.ts'
import { META } from '../schema/source.ts'

const decoder = new TextDecoder()

/** Reads the texts of a column one after another. */
class Texts {
  readonly #data: Uint8Array
  #at: number

  constructor(data: Uint8Array, at = 0) {
    this.#data = data
    this.#at = at
  }

  next(): string {
    let length = 0
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.#data[this.#at++] ?? 0
      length += (byte & 0x7f) * scale
      if (byte < 0x80) break
    }
    const start = this.#at
    this.#at += length
    return length === 0 ? '' : decoder.decode(this.#data.subarray(start, this.#at))
  }
}

/** The number of values of each row, from the running ends at the start of a list or map. */
function countsOf(data: Uint8Array, rows: number): readonly number[] {
  const view = new DataView(data.buffer, data.byteOffset, data.length)
  let before = 0
  return Array.from({ length: rows }, (_, row) => {
    const end = view.getUint32(row * 8, true)
    const count = end - before
    before = end
    return count
  })
}

type Entries = readonly (readonly [string, string])[]

function mapEntries({ data }: ColumnBlock, rows: number): readonly Entries[] {
  const counts = countsOf(data, rows)
  const total = counts.reduce((sum, count) => sum + count, 0)
  const texts = new Texts(data, rows * 8)
  const keys = Array.from({ length: total }, () => texts.next())
  let at = 0
  return counts.map((count) =>
    Array.from({ length: count }, () => [keys[at++] ?? '', texts.next()] as const),
  )
}

function columnEntries({ name, kind, data }: ColumnBlock, rows: number): readonly Entries[] {
  if (kind === 'list') {
    const texts = new Texts(data, rows * 8)
    return countsOf(data, rows).map((count) => {
      if (count === 0) return []
      const values = Array.from({ length: count }, () => texts.next())
      return [[name, JSON.stringify(values)]]
    })
  }
  const texts = new Texts(data)
  return Array.from({ length: rows }, () => {
    const value = texts.next()
    return value === '' ? [] : [[name, value]]
  })
}

/** The block with the named text and list columns moved into `@more`. */
export function moveToOverflow(block: SourceBlock, names: ReadonlySet<string>): SourceBlock {
  if (names.size === 0) return block
  const more = block.columns.find((each) => each.name === META.more)
  const moved = block.columns.filter((each) => names.has(each.name))
  const entries = [
    ...(more === undefined ? [] : [mapEntries(more, block.rows)]),
    ...moved.map((each) => columnEntries(each, block.rows)),
  ]
  const map = new MapColumn()
  for (let row = 0; row < block.rows; row++) {
    for (const column of entries) {
      for (const [key, value] of column[row] ?? []) map.append(row, key, value)
    }
  }
  const kept = block.columns.filter((each) => each !== more && !names.has(each.name))
  return {
    ...block,
    overflow: true,
    columns: [...kept, map.finish(META.more, block.rows)],
  }
}
