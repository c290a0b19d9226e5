/**
 * Windows event logs (EVTX): 64 KiB chunks of binary XML records. Takes the bytes as they come, gives each record
 * with its event XML. Counts and checksums of the headers are not trusted; what is damaged is told with its place
 * and the rest is read.
 */

import { instantOfFiletime } from '../core/time.ts'
import { BinRenderer } from './binrender.ts'
import { BinFault } from './binvalue.ts'
import type { DecodeContext, DecodedEvent, Decoder, Sink } from './decoder.ts'
import { refuse, tell } from './refusal.ts'

const FILE_MAGIC = 'ElfFile\0'
const CHUNK_MAGIC = 'ElfChnk\0'
const RECORD_MAGIC = 0x2a2a
const FILE_HEADER = 4_096
const CHUNK = 65_536
const CHUNK_HEADER = 512

/** Head of a record (magic, size, number, time written) and the copy of its size at the end. */
const RECORD_HEAD = 24
const RECORD_TAIL = 4
const SMALLEST_RECORD = RECORD_HEAD + RECORD_TAIL

/** Records start at multiples of this. */
const ALIGNMENT = 8

/** After damage, a record is only taken for one when its number follows within this distance. */
const MOST_MISSING = CHUNK / SMALLEST_RECORD

function startsWith(bytes: Uint8Array, magic: string): boolean {
  for (let i = 0; i < magic.length; i++) if (bytes[i] !== magic.charCodeAt(i)) return false
  return bytes.length >= magic.length
}

const ZEROS = Buffer.alloc(CHUNK)

function isZero(bytes: Buffer): boolean {
  return bytes.equals(ZEROS.subarray(0, bytes.length))
}

class EvtxFile {
  private readonly sink: Sink
  private readonly renderer = new BinRenderer()
  private bytes: Buffer = Buffer.alloc(0)
  private chunk = 0
  /** Offset of the chunk in the file. */
  private offset = 0
  private count = 0

  /** True when records behind a damaged one are looked for; else the chunk ends there, as in other readers. */
  private readonly isRecovering: boolean

  constructor(sink: Sink, isRecovering: boolean) {
    this.sink = sink
    this.isRecovering = isRecovering
  }

  /** Reads a chunk, which is shorter than 64 KiB only at the end of the file. */
  take(bytes: Buffer, offset: number): void {
    this.chunk++
    this.bytes = bytes
    this.offset = offset
    if (isZero(bytes)) return
    if (bytes.length < CHUNK) tell(this.sink, 'HR102', { size: bytes.length }, this.place(0))
    if (bytes.length < CHUNK_HEADER) return
    if (!startsWith(bytes, CHUNK_MAGIC)) {
      tell(this.sink, 'HR101', {}, this.place(0))
      return
    }
    this.renderer.use(bytes)
    this.records()
  }

  private place(at: number): string {
    return `chunk ${this.chunk}, offset 0x${(this.offset + at).toString(16)}`
  }

  /** Size of the record at a place, or 0 when there is none. */
  private sizeAt(at: number): number {
    const { bytes } = this
    if (at + SMALLEST_RECORD > bytes.length || bytes.readUInt32LE(at) !== RECORD_MAGIC) return 0
    const size = bytes.readUInt32LE(at + 4)
    return size < SMALLEST_RECORD || at + size > bytes.length ? 0 : size
  }

  private numberAt(at: number): number {
    return this.bytes.readUInt32LE(at) + this.bytes.readUInt32LE(at + 4) * 4_294_967_296
  }

  private records(): void {
    const { bytes } = this
    const free = bytes.readUInt32LE(48)
    const used = free >= CHUNK_HEADER && free <= bytes.length ? free : bytes.length
    let previous = this.numberAt(24) - 1
    for (let at = CHUNK_HEADER; at < bytes.length; ) {
      const size = this.sizeAt(at)
      const number = size === 0 ? 0 : this.numberAt(at + 8)
      // A log that was not closed may hold records that its chunk header does not count yet.
      if (at >= used && (size === 0 || number !== previous + 1)) return
      if (size === 0) {
        const next = this.recover(at, used, previous)
        if (next < 0) return
        at = next
        continue
      }
      this.record(at, size, number)
      previous = number
      at = this.following(at, size, used, number)
    }
  }

  /** The place behind a record. One that was written in part has no copy of its size at its end. */
  private following(at: number, size: number, used: number, number: number): number {
    const behind = at + size
    const tail = this.bytes.readUInt32LE(behind - RECORD_TAIL)
    if (tail === size) return behind
    tell(this.sink, 'HR105', { size, tail }, `${this.place(at)}, record ${number}`)
    const next = this.isRecovering
      ? this.nextRecord(at + RECORD_HEAD, Math.min(used, behind), number)
      : -1
    return next < 0 ? behind : next
  }

  /** Tells of a damaged record head and gives the place of the next record, or -1. */
  private recover(at: number, used: number, previous: number): number {
    // Zeros are the unused rest only when the chunk header does not say where the records end.
    if (used === this.bytes.length && isZero(this.bytes.subarray(at))) return -1
    const next = this.isRecovering ? this.nextRecord(at + 1, used, previous) : -1
    this.lost(at, next < 0 ? used : next)
    return next
  }

  /** A record further on, told by its magic, its size at both ends and a number that follows on. */
  private nextRecord(from: number, used: number, previous: number): number {
    const { bytes } = this
    for (let at = Math.ceil(from / ALIGNMENT) * ALIGNMENT; at < used; at += ALIGNMENT) {
      const size = this.sizeAt(at)
      if (size === 0 || bytes.readUInt32LE(at + size - RECORD_TAIL) !== size) continue
      const ahead = this.numberAt(at + 8) - previous
      if (ahead >= 1 && ahead <= MOST_MISSING) return at
    }
    return -1
  }

  /** A record is rejected when there is at least the beginning of one; other bytes are damage. */
  private lost(at: number, end: number): void {
    const { bytes } = this
    const place = this.place(at)
    const isRecord = at + RECORD_HEAD <= end && bytes.readUInt32LE(at) === RECORD_MAGIC
    if (!isRecord) {
      tell(this.sink, 'HR103', { size: end - at }, place)
      return
    }
    const reason = `its size is given as ${bytes.readUInt32LE(at + 4)} bytes`
    const where = `${place}, record ${this.numberAt(at + 8)}`
    this.count++
    refuse(this.sink, 'HR104', { reason }, { place: where, raw: bytes.toString('hex', at, end) })
  }

  private record(at: number, size: number, number: number): void {
    const { bytes } = this
    this.count++
    const record = number > 0 && Number.isSafeInteger(number) ? number : this.count
    const written = instantOfFiletime(bytes.readUInt32LE(at + 16), bytes.readUInt32LE(at + 20))
    let event: DecodedEvent | undefined
    try {
      event = this.renderer.event(at + RECORD_HEAD, at + size - RECORD_TAIL, record, written)
    } catch (error) {
      const says = error instanceof Error ? error.message : String(error)
      const reason = error instanceof BinFault ? says : `internal error: ${says}`
      const place = `${this.place(at)}, record ${record}`
      refuse(this.sink, 'HR104', { reason }, { place, raw: bytes.toString('hex', at, at + size) })
    }
    if (event !== undefined) this.sink.event(event)
  }
}

async function decode(
  bytes: AsyncIterable<Uint8Array>,
  sink: Sink,
  context: DecodeContext,
): Promise<void> {
  const file = new EvtxFile(sink, context.recover === true)
  const buffer = Buffer.alloc(CHUNK)
  let wanted = FILE_HEADER
  let used = 0
  let offset = 0
  let isFirst = true
  for await (const block of bytes) {
    for (let from = 0; from < block.length; ) {
      const part = block.subarray(from, from + wanted - used)
      buffer.set(part, used)
      used += part.length
      from += part.length
      if (used < wanted) break
      if (isFirst) {
        isFirst = false
        wanted = CHUNK
        // A chunk cut out of a log is read as well.
        if (startsWith(buffer, CHUNK_MAGIC)) continue
        if (!startsWith(buffer, FILE_MAGIC)) tell(sink, 'HR100', {}, 'offset 0x0')
      } else {
        file.take(buffer, offset)
        await sink.ready()
      }
      offset += used
      used = 0
    }
  }
  if (isFirst && !startsWith(buffer.subarray(0, used), CHUNK_MAGIC)) {
    tell(sink, 'HR100', {}, 'offset 0x0')
  } else if (used > 0) file.take(buffer.subarray(0, used), offset)
  await sink.ready()
}

function detect(head: Uint8Array): number {
  if (startsWith(head, FILE_MAGIC)) return 100
  return startsWith(head, CHUNK_MAGIC) ? 90 : 0
}

/** The decoder of EVTX files. */
export const evtx: Decoder = {
  name: 'evtx',
  says: 'Windows event log file (.evtx)',
  detect,
  decode,
}
