/**
 * Unpacks Zstandard files (RFC 8878) block by block. The frame and block headers are read and checked here; a hostile
 * header can so neither ask for gigabytes of window nor for hours of copying. Content checksums are not compared.
 */
import { Decompress } from 'fzstd'
import { limits } from '../core/limits.ts'
import { type Report, tell } from './refusal.ts'
import type { ByteSource } from './source.ts'

const FORMAT = 'zstd'
const MAGIC = 0xfd2fb528
const BLOCK_MOST = 128 * 1024

/**
 * The decompressor moves its whole window for every block. What it may move: a fixed amount, and so much for each byte
 * that comes in or goes out; ordinary files stay far below.
 */
const MOVES_FREE = 50e9
const MOVES_PER_BYTE_IN = 20_000
const MOVES_PER_BYTE_OUT = 1_024

interface FrameHeader {
  readonly length: number
  readonly window: number
  readonly hasChecksum: boolean
  readonly hasDictionary: boolean
}

/** Reads a frame header; undefined when the bytes end before it does. */
function frameHeader(bytes: Buffer): FrameHeader | undefined {
  const descriptor = bytes[4]
  if (descriptor === undefined) return undefined
  const isSingle = (descriptor & 32) !== 0
  const sizeFlag = descriptor >> 6
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0
  const sizeBytes = sizeFlag === 0 ? (isSingle ? 1 : 0) : 1 << sizeFlag
  const start = isSingle ? 5 : 6
  const length = start + dictionaryBytes + sizeBytes
  if (bytes.length < length) return undefined
  const at = start + dictionaryBytes
  let window = 0
  if (isSingle) {
    if (sizeBytes === 8) window = Number(bytes.readBigUInt64LE(at))
    else window = bytes.readUIntLE(at, sizeBytes) + (sizeBytes === 2 ? 256 : 0)
  } else {
    const log = bytes[5] ?? 0
    const base = 2 ** (10 + (log >> 3))
    window = base + (base / 8) * (log & 7)
  }
  const dictionary = bytes.subarray(start, at)
  return {
    length,
    window,
    hasChecksum: (descriptor & 4) !== 0,
    hasDictionary: dictionary.some((byte) => byte !== 0),
  }
}

/** Unpacks one frame at the start of the source. Gives false when nothing after it can be read. */
async function* frame(source: ByteSource, report: Report): AsyncGenerator<Uint8Array, boolean> {
  const place = `byte ${source.offset}`
  const damaged = (reason: string): false => {
    tell(report, 'HR150', { format: FORMAT, reason }, place)
    return false
  }
  const early = (): false => {
    tell(report, 'HR151', { format: FORMAT }, place)
    return false
  }
  await source.fill(18)
  const header = frameHeader(source.view())
  if (header === undefined) return early()
  if (header.hasDictionary) return damaged('it needs a dictionary')
  if (header.window > limits.zstdWindowBytes) {
    const params = { size: header.window, limit: limits.zstdWindowBytes }
    tell(report, 'HR163', params, place)
    return false
  }
  const ready: Uint8Array[] = []
  const engine = new Decompress((chunk) => ready.push(chunk))
  const feed = (bytes: Uint8Array, isLast: boolean): string | undefined => {
    try {
      engine.push(bytes, isLast)
      return undefined
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }
  let start = header.length
  let moves = 0
  let allowed = MOVES_FREE
  for (;;) {
    if (!(await source.fill(start + 3))) return early()
    const block = source.view().readUIntLE(start, 3)
    const isLast = (block & 1) === 1
    const type = (block >> 1) & 3
    const size = block >> 3
    if (type === 3 || size > Math.min(BLOCK_MOST, Math.max(header.window, 1_024))) {
      return damaged('a block has no valid header')
    }
    const content = type === 1 ? 1 : size
    const length = start + 3 + content + (isLast && header.hasChecksum ? 4 : 0)
    if (!(await source.fill(length))) return early()
    const failure = feed(Buffer.from(source.view().subarray(0, length)), isLast)
    source.drop(length)
    start = 0
    const chunks = ready.splice(0).filter((chunk) => chunk.length > 0)
    yield* chunks
    if (failure !== undefined) return damaged(failure)
    if (isLast) return true
    moves += header.window
    allowed += length * MOVES_PER_BYTE_IN
    for (const chunk of chunks) allowed += chunk.length * MOVES_PER_BYTE_OUT
    if (moves > allowed) return damaged('its blocks are too small for its window')
  }
}

/** Unpacks a zstd file of any number of frames. */
export async function* unzstd(
  source: ByteSource,
  report: Report,
): AsyncGenerator<Uint8Array, undefined> {
  while (await source.fill(1)) {
    const place = `byte ${source.offset}`
    if (!(await source.fill(5))) {
      tell(report, 'HR151', { format: FORMAT }, place)
      return
    }
    const magic = source.view().readUInt32LE(0)
    if (magic >>> 4 === 0x184d2a5) {
      if (!(await source.fill(8))) {
        tell(report, 'HR151', { format: FORMAT }, place)
        return
      }
      const size = source.view().readUInt32LE(4)
      source.drop(8)
      for await (const _ of source.take(size));
      continue
    }
    if (magic !== MAGIC) {
      tell(report, 'HR152', { format: FORMAT }, place)
      return
    }
    if (!(yield* frame(source, report))) return
  }
}
