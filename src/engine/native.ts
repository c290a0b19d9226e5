/** Finished columns to blocks of the engine's Native format, as pieces that need not be copied together. */
import type { ColumnBlock, ColumnKind } from '../schema/batch.ts'
import { identifierOf } from '../sql/quote.ts'

/** How each layout is declared inside a block; the engine converts to the column's own type. */
const TYPES: Readonly<Record<ColumnKind, string>> = {
  text: 'String',
  list: 'Array(String)',
  map: 'Map(String, String)',
  time: "DateTime64(7, 'UTC')",
  uint64: 'UInt64',
}

const encoder = new TextEncoder()

function prefix(value: number): readonly number[] {
  const bytes: number[] = []
  let rest = value
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80)
    rest >>>= 7
  }
  bytes.push(rest)
  return bytes
}

function prefixed(text: string): readonly number[] {
  const bytes = encoder.encode(text)
  return [...prefix(bytes.length), ...bytes]
}

/** One block of `rows` rows. Blocks may follow each other, and their columns may differ. */
export function assembleBlock(rows: number, columns: readonly ColumnBlock[]): Uint8Array[] {
  const pieces: Uint8Array[] = [Uint8Array.from([...prefix(columns.length), ...prefix(rows)])]
  for (const { name, kind, data } of columns) {
    pieces.push(Uint8Array.from([...prefixed(identifierOf(name)), ...prefixed(TYPES[kind])]), data)
  }
  return pieces
}
