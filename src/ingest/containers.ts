/**
 * Opens files, archives and standard input: whatever is packed comes out as members with a path such as
 * `logs.zip!/app.json`. The kind is told from content, not from the name; unpacking is streamed and stops at the limits, and
 * an archive inside an archive is refused. Damage is told; only a file that cannot be opened at all throws.
 */
import { type FileHandle, open, stat } from 'node:fs/promises'
import { limits } from '../core/limits.ts'
import { withHead } from './bytes.ts'
import { gunzipped } from './inflate.ts'
import { pipeBytes, standardInput } from './pipe.ts'
import { type Report, tell } from './refusal.ts'
import { ByteSource } from './source.ts'
import { isTarHeader, tarMembers } from './tar.ts'
import { type RandomAccess, zipMembers } from './zip.ts'
import { unzstd } from './zstd.ts'

/** One file to decode. It must be read, or left, before the next is asked for. */
export interface Member {
  readonly path: string
  readonly bytes: AsyncIterable<Uint8Array>
}

export interface OpenOptions {
  /** Told how many bytes of the file have been read so far, packed as they are. */
  readonly onBytes?: (bytes: number) => void
  /** Told about damage, by the path of the file or member, with a diagnostic code. */
  readonly onDamage?: (file: string, code: string, reason: string, place: string) => void
}

/** What the first bytes say a file is. */
type Packing = 'plain' | 'gzip' | 'zstd' | 'zip' | 'tar' | { readonly other: string }

const READ_AT_ONCE = 256 * 1024
const HEAD = 512

/** Formats that are told from their first bytes only to say clearly that they are not read. */
const OTHER_FORMATS: readonly (readonly [string, readonly number[]])[] = [
  ['a bzip2 file', [0x42, 0x5a, 0x68]],
  ['an xz file', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]],
  ['a 7z archive', [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]],
  ['a rar archive', [0x52, 0x61, 0x72, 0x21, 0x1a, 0x07]],
  ['an lz4 file', [0x04, 0x22, 0x4d, 0x18]],
  ['a compress (.Z) file', [0x1f, 0x9d]],
  ['a cabinet archive', [0x4d, 0x53, 0x43, 0x46]],
  ['a Parquet file', [0x50, 0x41, 0x52, 0x31]],
  ['a packet capture', [0xd4, 0xc3, 0xb2, 0xa1]],
  ['a packet capture', [0xa1, 0xb2, 0xc3, 0xd4]],
  ['a packet capture', [0x0a, 0x0d, 0x0d, 0x0a]],
  ['a systemd journal', [0x4c, 0x50, 0x4b, 0x53, 0x48, 0x48, 0x52, 0x48]],
  ['an SQLite database', [0x53, 0x51, 0x4c, 0x69, 0x74, 0x65, 0x20, 0x66]],
]

function startsWith(head: Buffer, sign: readonly number[]): boolean {
  return head.length >= sign.length && sign.every((byte, at) => head[at] === byte)
}

/** What a file is, from its first 512 bytes. */
export function packingOf(head: Buffer): Packing {
  if (startsWith(head, [0x1f, 0x8b])) return 'gzip'
  if (startsWith(head, [0x28, 0xb5, 0x2f, 0xfd])) return 'zstd'
  if (((head[0] ?? 0) & 0xf0) === 0x50 && startsWith(head.subarray(1), [0x2a, 0x4d, 0x18])) {
    return 'zstd'
  }
  if (startsWith(head, [0x50, 0x4b, 3, 4]) || startsWith(head, [0x50, 0x4b, 5, 6])) return 'zip'
  if (isTarHeader(head)) return 'tar'
  const other = OTHER_FORMATS.find(([, sign]) => startsWith(head, sign))
  return other === undefined ? 'plain' : { other: other[0] }
}

/** A name from an archive as it may be shown: control characters and steps upward are escaped. */
function shownName(name: string): string {
  const parts = name.split('/').map((part) => (part === '..' ? '%2e%2e' : part))
  return parts
    .join('/')
    .replace(/[\0-\x1f\x7f]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

/** True for what macOS adds beside each file of an archive. */
function isResourceFork(name: string): boolean {
  const base = name.slice(name.lastIndexOf('/') + 1)
  return base.startsWith('._') || name.startsWith('__MACOSX/')
}

/** Counts what is unpacked from one file and stops at the limits. */
class Guard {
  private unpacked = 0
  private readonly packed: () => number
  /** True once a limit was reached: nothing more is unpacked from the file. */
  isOver = false

  /** `packed` gives the packed bytes read so far, or the size of the whole archive. */
  constructor(packed: () => number) {
    this.packed = packed
  }

  async *pass(bytes: AsyncIterable<Uint8Array>, report: Report): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      if (this.isOver) return
      this.unpacked += chunk.length
      const place = `unpacked byte ${this.unpacked}`
      if (this.unpacked > limits.archiveBytes) {
        tell(report, 'HR154', { limit: limits.archiveBytes }, place)
        this.isOver = true
      } else if (
        this.unpacked > limits.archiveFreeBytes &&
        this.unpacked > this.packed() * limits.archiveRatio
      ) {
        tell(report, 'HR153', { limit: limits.archiveRatio }, place)
        this.isOver = true
      }
      if (this.isOver) return
      yield chunk
    }
  }
}

function reportFor(file: string, options: OpenOptions): Report {
  return {
    damage(code, reason, place) {
      options.onDamage?.(file, code, reason, place)
    },
  }
}

/** Closes a stream that nobody reads to its end, so that what stands behind it is freed at once. */
async function abandon(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of bytes) break
}

/** Gives a member of an archive unless it is packed itself. */
async function* inner(
  path: string,
  bytes: AsyncIterable<Uint8Array>,
  options: OpenOptions,
): AsyncGenerator<Member> {
  const { head, all } = await withHead(bytes, HEAD)
  const packing = packingOf(head)
  const report = reportFor(path, options)
  try {
    if (packing === 'plain') yield { path, bytes: all }
    else if (typeof packing === 'object') {
      tell(report, 'HR157', { format: packing.other }, path)
    } else tell(report, 'HR156', { format: `${packing} file` }, path)
  } finally {
    await abandon(all)
  }
}

/** Files of an archive, as zip and tar give them, without those that are no logs. */
async function* archived(
  path: string,
  members: AsyncIterable<{ readonly name: string; readonly bytes: AsyncIterable<Uint8Array> }>,
  guard: Guard,
  options: OpenOptions,
): AsyncGenerator<Member> {
  let count = 0
  for await (const { name, bytes } of members) {
    const memberPath = `${path}!/${shownName(name)}`
    const report = reportFor(memberPath, options)
    if (++count > limits.archiveMembers) {
      tell(reportFor(path, options), 'HR155', { limit: limits.archiveMembers }, memberPath)
      return
    }
    if (isResourceFork(name)) tell(report, 'HR161', { what: 'macOS resource fork' }, memberPath)
    else yield* inner(memberPath, guard.pass(bytes, report), options)
    if (guard.isOver) return
  }
}

/** Opens a stream that is no zip: one file, packed or not, or a tar archive, packed or not. */
async function* streamed(
  path: string,
  packing: Packing,
  source: ByteSource,
  options: OpenOptions,
): AsyncGenerator<Member> {
  const report = reportFor(path, options)
  if (typeof packing === 'object') {
    tell(report, 'HR157', { format: packing.other }, path)
    return
  }
  const guard = new Guard(() => source.received)
  if (packing === 'tar') {
    yield* archived(path, tarMembers(source, report), guard, options)
    return
  }
  if (packing === 'plain') {
    yield { path, bytes: source.rest() }
    return
  }
  const unpacked = packing === 'gzip' ? gunzipped(source, report) : unzstd(source, report)
  const { head, all } = await withHead(guard.pass(unpacked, report), HEAD)
  if (packingOf(head) === 'tar') {
    const tar = new ByteSource(all)
    const free = new Guard(() => Number.POSITIVE_INFINITY)
    yield* archived(path, tarMembers(tar, report), free, options)
    await tar.close()
  } else yield* inner(path, all, options)
}

function bufferAccess(bytes: Buffer): RandomAccess {
  return {
    size: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
  }
}

async function collected(source: ByteSource): Promise<Buffer | undefined> {
  const isMore = await source.fill(limits.archiveFreeBytes + 1)
  return isMore ? undefined : Buffer.from(source.view())
}

/**
 * Opens a stream of bytes under a name: standard input, or bytes at hand. A zip archive, whose directory stands at its end,
 * is held in memory and may have `limits.archiveFreeBytes`.
 */
export async function* openBytes(
  path: string,
  bytes: AsyncIterable<Uint8Array>,
  options: OpenOptions = {},
): AsyncGenerator<Member> {
  const source = new ByteSource(bytes)
  const report = reportFor(path, options)
  try {
    await source.fill(HEAD)
    const packing = packingOf(source.view().subarray(0, HEAD))
    if (packing === 'zip') {
      const whole = await collected(source)
      if (whole === undefined) tell(report, 'HR162', { limit: limits.archiveFreeBytes }, path)
      else {
        const guard = new Guard(() => whole.length)
        yield* archived(path, zipMembers(bufferAccess(whole), report), guard, options)
      }
    } else yield* streamed(path, packing, source, options)
    if (source.failure !== undefined) {
      tell(report, 'HR005', { path, reason: source.failure }, `byte ${source.received}`)
    }
  } finally {
    await source.close()
  }
}

function fileAccess(
  handle: FileHandle,
  size: number,
  onBytes: ((bytes: number) => void) | undefined,
): RandomAccess {
  let count = 0
  return {
    size,
    async read(offset, length) {
      const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, size - offset)))
      let filled = 0
      while (filled < buffer.length) {
        const { bytesRead } = await handle.read(
          buffer,
          filled,
          buffer.length - filled,
          offset + filled,
        )
        if (bytesRead === 0) break
        filled += bytesRead
      }
      count += filled
      onBytes?.(Math.min(count, size))
      return buffer.subarray(0, filled)
    },
  }
}

/** The file from its start, whatever was read of it before. */
async function* fileBytes(handle: FileHandle): AsyncGenerator<Buffer> {
  let at = 0
  for (;;) {
    const buffer = Buffer.allocUnsafe(READ_AT_ONCE)
    const { bytesRead } = await handle.read(buffer, 0, READ_AT_ONCE, at)
    if (bytesRead === 0) return
    at += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

async function* counted(
  bytes: AsyncIterable<Uint8Array>,
  onBytes: ((bytes: number) => void) | undefined,
): AsyncGenerator<Uint8Array> {
  let count = 0
  for await (const chunk of bytes) {
    count += chunk.length
    onBytes?.(count)
    yield chunk
  }
}

/**
 * Opens a file, or standard input for `-`, and gives what is to be decoded. Throws only when the file cannot be opened;
 * what is wrong inside is told to `onDamage`.
 */
export async function* openPath(path: string, options: OpenOptions = {}): AsyncGenerator<Member> {
  if (path === '-') {
    yield* openBytes(path, counted(standardInput(), options.onBytes), options)
    return
  }
  const kind = await stat(path)
  if (kind.isFIFO()) {
    yield* openBytes(path, counted(pipeBytes(path), options.onBytes), options)
    return
  }
  const { size } = kind
  const handle = await open(path, 'r')
  try {
    const head = Buffer.alloc(HEAD)
    const { bytesRead } = await handle.read(head, 0, HEAD, 0)
    if (packingOf(head.subarray(0, bytesRead)) !== 'zip') {
      yield* openBytes(path, counted(fileBytes(handle), options.onBytes), options)
      return
    }
    const report = reportFor(path, options)
    const guard = new Guard(() => size)
    yield* archived(
      path,
      zipMembers(fileAccess(handle, size, options.onBytes), report),
      guard,
      options,
    )
  } finally {
    await handle.close()
  }
}
