/**
 * Unpacks deflate data to its exact end, and gzip files of one or more members around it. Gives what could be unpacked
 * before any damage; damage and data after the end are told, never thrown.
 */
import zlib, { type ZlibOptions } from 'node:zlib'
import { limits } from '../core/limits.ts'
import { type Report, tell } from './refusal.ts'
import type { ByteSource } from './source.ts'

/** How many packed bytes go in at once: they may become a thousand times as many. */
const SLICE = 16 * 1024
const CHUNK = 64 * 1024
const MOST_WAITING = 1024 * 1024 * 1024

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1
  return value
})

/** CRC-32 of the bytes, going on from the CRC of those before. */
export function crc32(bytes: Uint8Array, before = 0): number {
  if (typeof zlib.crc32 === 'function') return zlib.crc32(bytes, before)
  let crc = ~before
  for (let i = 0; i < bytes.length; i++) {
    crc = (CRC_TABLE[(crc ^ (bytes[i] ?? 0)) & 255] ?? 0) ^ (crc >>> 8)
  }
  return ~crc >>> 0
}

/** How unpacking ended: at the end of the packed data, at the end of the file before that, or at damage. */
export type InflateEnd = 'whole' | 'early' | { readonly reason: string }

/** Unpacks one deflate stream from the source, and uses up exactly its bytes. The end is given by the generator. */
export async function* inflated(source: ByteSource): AsyncGenerator<Buffer, InflateEnd> {
  // The engine never waits for its output to be taken: what one slice gives is taken before the next goes in.
  const options: ZlibOptions & { readableHighWaterMark: number } = {
    chunkSize: CHUNK,
    readableHighWaterMark: MOST_WAITING,
  }
  const engine = zlib.createInflateRaw(options)
  let failure: string | undefined
  let wake = (): void => {}
  engine.on('end', () => wake())
  engine.on('error', (error: Error) => {
    failure = error.message
    wake()
  })
  const output = (): readonly Buffer[] => {
    const bytes: unknown = engine.read()
    return Buffer.isBuffer(bytes) ? [bytes] : []
  }
  try {
    let used = 0
    while (await source.fill(1)) {
      const slice = source.view().subarray(0, SLICE)
      await new Promise<void>((resolve) => {
        wake = resolve
        engine.write(slice, () => resolve())
      })
      yield* output()
      if (failure !== undefined) return { reason: failure }
      const taken = engine.bytesWritten - used
      used = engine.bytesWritten
      source.drop(taken)
      if (taken < slice.length) return 'whole'
    }
    await new Promise<void>((resolve) => {
      wake = resolve
      engine.end(() => resolve())
    })
    yield* output()
    return failure === undefined ? 'whole' : 'early'
  } finally {
    engine.destroy()
  }
}

/** Length of the gzip header at the start of the source, 0 when it is none or does not end. */
async function headerLength(source: ByteSource): Promise<number> {
  if (!(await source.fill(10))) return 0
  const fixed = source.view()
  const flags = fixed[3] ?? 0
  if (fixed[0] !== 0x1f || fixed[1] !== 0x8b || fixed[2] !== 8 || flags > 31) return 0
  let length = 10
  if (flags & 4) {
    if (!(await source.fill(length + 2))) return 0
    length += 2 + source.view().readUInt16LE(length)
  }
  for (const flag of [8, 16]) {
    if (!(flags & flag)) continue
    let end = -1
    while (end === -1) {
      end = source.view().indexOf(0, length)
      const held = source.view().length
      if (end === -1 && (held - length > 64 * 1024 || !(await source.fill(held + 1)))) return 0
    }
    length = end + 1
  }
  if (flags & 2) length += 2
  return (await source.fill(length)) ? length : 0
}

/** True when only zero bytes, which tapes and disks add, are left. */
async function onlyPadding(source: ByteSource): Promise<boolean> {
  while (await source.fill(1)) {
    const view = source.view()
    const other = view.findIndex((byte) => byte !== 0)
    if (other !== -1) return false
    source.drop(view.length)
  }
  return true
}

/** Unpacks a gzip file. Each member's checksum and length are compared. */
export async function* gunzipped(
  source: ByteSource,
  report: Report,
): AsyncGenerator<Buffer, undefined> {
  const format = 'gzip'
  for (let member = 1; ; member++) {
    const place = `byte ${source.offset}`
    const header = await headerLength(source)
    if (header === 0) {
      if (member === 1) tell(report, 'HR150', { format, reason: 'its header is not valid' }, place)
      else if (!(await onlyPadding(source))) tell(report, 'HR152', { format }, place)
      return
    }
    if (member > limits.archiveMembers) {
      tell(report, 'HR155', { limit: limits.archiveMembers }, place)
      return
    }
    source.drop(header)
    let crc = 0
    let size = 0
    const chunks = inflated(source)
    let end: InflateEnd | undefined
    try {
      while (end === undefined) {
        const next = await chunks.next()
        if (next.done === true) end = next.value
        else {
          crc = crc32(next.value, crc)
          size += next.value.length
          yield next.value
        }
      }
    } finally {
      await chunks.return('early')
    }
    if (typeof end === 'object') {
      tell(report, 'HR150', { format, reason: end.reason }, place)
      return
    }
    if (end === 'early' || !(await source.fill(8))) {
      tell(report, 'HR151', { format }, place)
      return
    }
    const trailer = source.view()
    if (trailer.readUInt32LE(0) !== crc || trailer.readUInt32LE(4) !== size % 2 ** 32) {
      tell(report, 'HR150', { format, reason: 'its checksum does not fit' }, place)
    }
    source.drop(8)
    if (!(await source.fill(1))) return
  }
}
