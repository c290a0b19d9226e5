/** Result bytes (JSONCompactEachRow) to rows, whatever the pieces they arrive in. */
import { engineErrorOf, failureOf } from './failure.ts'

const NEWLINE = 0x0a

/** Parses whole lines; text that is no row is the engine's error, written after the rows it had. */
function parseLines(text: string): readonly (readonly unknown[])[] {
  const lines = text.endsWith('\n') ? text.slice(0, -1) : text
  if (lines === '') return []
  try {
    // A line break inside a value is escaped, so each one here ends a row.
    const rows: unknown = JSON.parse(`[${lines.replaceAll('\n', ',')}]`)
    if (Array.isArray(rows) && rows.every(Array.isArray)) return rows
  } catch (error) {
    const start = lines.search(/Code: \d{1,6}\. DB::/)
    if (start < 0) throw engineErrorOf(error)
    throw failureOf(lines.slice(start))
  }
  throw failureOf('the engine gave a result that is not rows')
}

/** Collects pieces of a result and gives the rows that are whole. */
class RowLines {
  readonly #decoder = new TextDecoder()
  #rest: Uint8Array = new Uint8Array(0)

  push(bytes: Uint8Array): readonly (readonly unknown[])[] {
    const end = bytes.lastIndexOf(NEWLINE) + 1
    if (end === 0) {
      this.#rest = this.#joined(bytes)
      return []
    }
    const whole = this.#joined(bytes.subarray(0, end))
    this.#rest = new Uint8Array(bytes.subarray(end))
    return parseLines(this.#decoder.decode(whole))
  }

  /** Rows of a last line without its line break; throws what the engine wrote instead of one. */
  end(): readonly (readonly unknown[])[] {
    const rest = this.#rest
    this.#rest = new Uint8Array(0)
    return parseLines(this.#decoder.decode(rest))
  }

  #joined(bytes: Uint8Array): Uint8Array {
    if (this.#rest.length === 0) return bytes
    const all = new Uint8Array(this.#rest.length + bytes.length)
    all.set(this.#rest)
    all.set(bytes, this.#rest.length)
    return all
  }
}

/** The rows of a result, several at a time as they come. */
export async function* chunksOf(
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly (readonly unknown[])[]> {
  const lines = new RowLines()
  for await (const bytes of pieces) {
    const rows = lines.push(bytes)
    if (rows.length > 0) yield rows
  }
  const rows = lines.end()
  if (rows.length > 0) yield rows
}

/** The same rows one by one. */
export async function* rowsOf(
  chunks: AsyncIterable<readonly (readonly unknown[])[]>,
): AsyncGenerator<readonly unknown[]> {
  for await (const rows of chunks) for (const row of rows) yield row
}
