/**
 * Reads zip archives by their central directory, zip64 included: stored and deflated members, checked against the size
 * and checksum that the directory states. Encrypted members and other methods are told, not guessed.
 */
import { isUtf8 } from 'node:buffer'
import { limits } from '../core/limits.ts'
import { crc32, type InflateEnd, inflated } from './inflate.ts'
import { type Report, tell } from './refusal.ts'
import { ByteSource } from './source.ts'

/** Bytes that can be read at any place: a file, or a buffer. */
export interface RandomAccess {
  readonly size: number
  /** Up to `length` bytes from the offset on; fewer only at the end. */
  read(offset: number, length: number): Promise<Buffer>
}

export interface ZipMember {
  readonly name: string
  readonly bytes: AsyncIterable<Uint8Array>
}

const END_SIGN = 0x06054b50
const END64_SIGN = 0x06064b50
const LOCATOR_SIGN = 0x07064b50
const ENTRY_SIGN = 0x02014b50
const LOCAL_SIGN = 0x04034b50
const END_LENGTH = 22
const MOST_COMMENT = 65_535
const MOST_DIRECTORY = 64 * 1024 * 1024
const READ_AT_ONCE = 256 * 1024
const FORMAT = 'zip'

interface Directory {
  readonly offset: number
  readonly size: number
  readonly count: number
  /** How many bytes stand before the archive (a self-extracting program): all offsets are moved by it. */
  readonly shift: number
}

/** The 64-bit end record that a locator before the usual one points at. */
async function directory64(
  file: RandomAccess,
  end: number,
): Promise<Omit<Directory, 'shift'> | undefined> {
  if (end < 20) return undefined
  const locator = await file.read(end - 20, 20)
  if (locator.length < 20 || locator.readUInt32LE(0) !== LOCATOR_SIGN) return undefined
  const at = Number(locator.readBigUInt64LE(8))
  if (at > file.size - 56) return undefined
  const record = await file.read(at, 56)
  if (record.length < 56 || record.readUInt32LE(0) !== END64_SIGN) return undefined
  return {
    count: Number(record.readBigUInt64LE(32)),
    size: Number(record.readBigUInt64LE(40)),
    offset: Number(record.readBigUInt64LE(48)),
  }
}

async function findDirectory(file: RandomAccess): Promise<Directory | undefined> {
  const length = Math.min(file.size, END_LENGTH + MOST_COMMENT)
  const start = file.size - length
  const tail = await file.read(start, length)
  for (let at = tail.length - END_LENGTH; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== END_SIGN) continue
    if (at + END_LENGTH + tail.readUInt16LE(at + 20) > tail.length) continue
    const count = tail.readUInt16LE(at + 10)
    const size = tail.readUInt32LE(at + 12)
    const offset = tail.readUInt32LE(at + 16)
    const needs64 = count === 0xffff || size === 0xffffffff || offset === 0xffffffff
    const wide = needs64 ? await directory64(file, start + at) : undefined
    if (wide !== undefined) return { ...wide, shift: 0 }
    return { count, size, offset, shift: Math.max(0, start + at - size - offset) }
  }
  return undefined
}

interface Entry {
  readonly name: string
  readonly flags: number
  readonly method: number
  readonly crc: number
  readonly packed: number
  readonly size: number
  readonly offset: number
  readonly isLink: boolean
}

/** Sizes and offset that did not fit into 32 bits stand in an extra field, in this order. */
function wideValues(extra: Buffer, values: readonly number[]): readonly number[] {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue
    const end = Math.min(extra.length, at + 4 + extra.readUInt16LE(at + 2))
    let next = at + 4
    return values.map((value) => {
      if (value !== 0xffffffff || next + 8 > end) return value
      next += 8
      return Number(extra.readBigUInt64LE(next - 8))
    })
  }
  return values
}

function entryAt(
  bytes: Buffer,
  at: number,
): { readonly entry: Entry; readonly next: number } | undefined {
  if (at + 46 > bytes.length || bytes.readUInt32LE(at) !== ENTRY_SIGN) return undefined
  const nameEnd = at + 46 + bytes.readUInt16LE(at + 28)
  const extraEnd = nameEnd + bytes.readUInt16LE(at + 30)
  const next = extraEnd + bytes.readUInt16LE(at + 32)
  if (next > bytes.length) return undefined
  const name = bytes.subarray(at + 46, nameEnd)
  const [size = 0, packed = 0, offset = 0] = wideValues(bytes.subarray(nameEnd, extraEnd), [
    bytes.readUInt32LE(at + 24),
    bytes.readUInt32LE(at + 20),
    bytes.readUInt32LE(at + 42),
  ])
  const isUnix = bytes[at + 5] === 3
  const entry = {
    name: name.toString(isUtf8(name) ? 'utf8' : 'latin1'),
    flags: bytes.readUInt16LE(at + 8),
    method: bytes.readUInt16LE(at + 10),
    crc: bytes.readUInt32LE(at + 16),
    packed,
    size,
    offset,
    isLink: isUnix && (bytes.readUInt16LE(at + 40) & 0xf000) === 0xa000,
  }
  return { entry, next }
}

async function* stretch(file: RandomAccess, from: number, length: number): AsyncGenerator<Buffer> {
  for (let at = from; at < from + length; ) {
    const piece = await file.read(at, Math.min(READ_AT_ONCE, from + length - at))
    if (piece.length === 0) return
    at += piece.length
    yield piece
  }
}

async function* content(
  file: RandomAccess,
  entry: Entry,
  start: number,
  report: Report,
): AsyncGenerator<Uint8Array> {
  let crc = 0
  let size = 0
  const source = new ByteSource(stretch(file, start, entry.packed))
  const parts = entry.method === 0 ? stored(source) : inflated(source)
  let end: InflateEnd | undefined
  try {
    while (end === undefined) {
      const next = await parts.next()
      if (next.done === true) end = next.value
      else {
        crc = crc32(next.value, crc)
        size += next.value.length
        yield next.value
      }
    }
  } finally {
    await parts.return('early')
  }
  if (typeof end === 'object') {
    tell(report, 'HR150', { format: FORMAT, reason: end.reason }, entry.name)
  } else if (end === 'early') tell(report, 'HR151', { format: FORMAT }, entry.name)
  else if (crc !== entry.crc || size !== entry.size) tell(report, 'HR160', {}, entry.name)
}

async function* stored(source: ByteSource): AsyncGenerator<Buffer, InflateEnd> {
  yield* source.rest()
  return source.failure === undefined ? 'whole' : { reason: source.failure }
}

/** Where the packed bytes of a member start, or -1 when its local header is not there. */
async function contentStart(file: RandomAccess, offset: number): Promise<number> {
  if (offset + 30 > file.size) return -1
  const local = await file.read(offset, 30)
  if (local.length < 30 || local.readUInt32LE(0) !== LOCAL_SIGN) return -1
  return offset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28)
}

/** The files of a zip archive in the order of its directory. */
export async function* zipMembers(
  file: RandomAccess,
  report: Report,
): AsyncGenerator<ZipMember, undefined> {
  const directory = await findDirectory(file)
  const damaged = (reason: string, place: string): void =>
    tell(report, 'HR150', { format: FORMAT, reason }, place)
  if (directory === undefined) {
    damaged('it has no directory', 'end of file')
    return
  }
  const { count, size, shift } = directory
  if (count > limits.archiveMembers) {
    tell(report, 'HR155', { limit: limits.archiveMembers }, 'directory')
    return
  }
  const offset = directory.offset + shift
  if (size > MOST_DIRECTORY || offset + size > file.size) {
    damaged('its directory is not within the file', 'directory')
    return
  }
  const bytes = await file.read(offset, size)
  for (let at = 0, index = 0; index < count; index++) {
    const found = entryAt(bytes, at)
    if (found === undefined) {
      damaged(`its directory ends after ${index} of ${count} members`, 'directory')
      return
    }
    at = found.next
    const { entry } = found
    if (entry.name.endsWith('/')) continue
    const start = await contentStart(file, entry.offset + shift)
    if (entry.flags & 1) tell(report, 'HR158', {}, entry.name)
    else if (entry.isLink) tell(report, 'HR161', { what: 'link' }, entry.name)
    else if (entry.method !== 0 && entry.method !== 8) {
      tell(report, 'HR159', { method: entry.method }, entry.name)
    } else if (start === -1 || start + entry.packed > file.size) {
      damaged('the member is not where the directory says', entry.name)
    } else yield { name: entry.name, bytes: content(file, entry, start, report) }
  }
}
