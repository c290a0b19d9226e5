/**
 * Cuts a file into lines: bytes in, one text a line out, with line numbers from 1. A line ends at LF or CR LF (a lone
 * CR is no break); a line over the record limit is rejected whole, never cut; memory stays bounded by that limit.
 */
import { isUtf8 } from 'node:buffer'
import { limits } from '../core/limits.ts'
import { asUtf8, ByteQueue, lenientText } from './bytes.ts'
import type { Sink } from './decoder.ts'
import { refuse, tell } from './refusal.ts'

/** Takes one line without its LF; `line` counts from 1, empty lines too. The CR of a CR LF is taken off. */
export type LineHandler = (text: string, line: number, hadReturn: boolean) => void

/** How many bytes of an over-long line are shown with its rejection. */
const SHOWN = 64 * 1024

/**
 * Text of records of one file. Bytes that are not UTF-8 become `prefix` and two hex digits (see `lenientText`) and are
 * told once a file with their count.
 */
export class TextReader {
  private readonly prefix: string
  private bad = 0
  private firstBad = ''

  constructor(prefix = '\\x') {
    this.prefix = prefix
  }

  /** The text of a record; `isValid` when the caller knows that the bytes are UTF-8. */
  text(bytes: Buffer, place: string, isValid = false): string {
    if (isValid || isUtf8(bytes)) return bytes.toString('utf8')
    const { text, bad } = lenientText(bytes, this.prefix)
    if (this.bad === 0) this.firstBad = place
    this.bad += bad
    return text
  }

  /** Tells the sink about the bytes that were not UTF-8, if any. */
  close(sink: Sink): void {
    if (this.bad > 0) tell(sink, 'HR121', { count: this.bad }, this.firstBad)
  }
}

class LineCutter {
  private readonly sink: Sink
  private readonly onLine: LineHandler
  private readonly reader: TextReader
  private readonly carry = new ByteQueue()
  /** True while the rest of an over-long line is passed over. */
  private isSkipping = false
  private line = 0

  constructor(sink: Sink, onLine: LineHandler, prefix: string) {
    this.sink = sink
    this.onLine = onLine
    this.reader = new TextReader(prefix)
  }

  private give(bytes: Buffer, isValid: boolean): void {
    this.line++
    const { length } = bytes
    const hadReturn = length > 0 && bytes[length - 1] === 13
    const body = hadReturn ? bytes.subarray(0, length - 1) : bytes
    this.onLine(this.reader.text(body, `line ${this.line}`, isValid), this.line, hadReturn)
  }

  private overlong(bytes: Buffer): void {
    this.line++
    const { text } = lenientText(bytes.subarray(0, SHOWN), '\\x')
    const at = { place: `line ${this.line}`, raw: text }
    refuse(this.sink, 'HR120', { limit: limits.recordBytes }, at)
  }

  /** Takes whole lines, the last of which ends with LF. */
  private block(bytes: Buffer): void {
    const isValid = isUtf8(bytes)
    let from = 0
    for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, from)) {
      this.line++
      const hadReturn = at > from && bytes[at - 1] === 13
      const end = hadReturn ? at - 1 : at
      if (end - from > limits.recordBytes) {
        this.line--
        this.overlong(bytes.subarray(from, end))
        from = at + 1
        continue
      }
      const text = isValid
        ? bytes.toString('utf8', from, end)
        : this.reader.text(bytes.subarray(from, end), `line ${this.line}`)
      this.onLine(text, this.line, hadReturn)
      from = at + 1
    }
  }

  push(bytes: Uint8Array): void {
    let chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (this.isSkipping) {
      const end = chunk.indexOf(10)
      if (end === -1) return
      chunk = chunk.subarray(end + 1)
      this.isSkipping = false
    }
    if (this.carry.length > 0) {
      const end = chunk.indexOf(10)
      if (this.carry.length + (end === -1 ? chunk.length : end) > limits.recordBytes) {
        this.overlong(this.carry.view())
        this.carry.drop(this.carry.length)
        this.isSkipping = end === -1
        chunk = end === -1 ? chunk.subarray(chunk.length) : chunk.subarray(end + 1)
      } else {
        this.carry.append(end === -1 ? chunk : chunk.subarray(0, end))
        if (end === -1) return
        this.give(this.carry.view(), false)
        this.carry.drop(this.carry.length)
        chunk = chunk.subarray(end + 1)
      }
    }
    const last = chunk.lastIndexOf(10)
    if (last !== -1) this.block(chunk.subarray(0, last + 1))
    const rest = chunk.subarray(last + 1)
    if (rest.length > limits.recordBytes) {
      this.overlong(rest)
      this.isSkipping = true
    } else if (rest.length > 0) this.carry.append(rest)
  }

  end(): void {
    if (this.carry.length > 0) this.give(this.carry.view(), false)
    this.reader.close(this.sink)
  }
}

/**
 * Reads all lines of a file. Waits for the sink once a chunk. `prefix` stands before the hex digits of a byte that is not
 * UTF-8 (JSON needs the backslash doubled).
 */
export async function readLines(
  bytes: AsyncIterable<Uint8Array>,
  sink: Sink,
  onLine: LineHandler,
  prefix = '\\x',
): Promise<void> {
  const cutter = new LineCutter(sink, onLine, prefix)
  for await (const chunk of asUtf8(bytes)) {
    cutter.push(chunk)
    await sink.ready()
  }
  cutter.end()
}
