/**
 * Reads tar archives (ustar, pax and GNU long names) as a stream of members. Nothing is written and no link is followed;
 * what is no regular file is told and passed over.
 */
import { limits } from '../core/limits.ts'
import { type Report, tell } from './refusal.ts'
import type { ByteSource } from './source.ts'

const BLOCK = 512
const MOST_NAME_BLOCK = 1024 * 1024

export interface TarMember {
  readonly name: string
  readonly bytes: AsyncIterable<Uint8Array>
}

function field(header: Buffer, start: number, length: number): string {
  const bytes = header.subarray(start, start + length)
  const end = bytes.indexOf(0)
  return bytes.toString('utf8', 0, end === -1 ? length : end)
}

/** A number in octal, or in binary when its first bit is set; -1 when it is neither. */
function numberAt(header: Buffer, start: number, length: number): number {
  const first = header[start] ?? 0
  if (first & 0x80) {
    let value = first & 0x7f
    for (let i = 1; i < length; i++) value = value * 256 + (header[start + i] ?? 0)
    return Number.isSafeInteger(value) ? value : -1
  }
  const text = field(header, start, length).trim()
  return /^[0-7]{1,12}$/.test(text) ? Number.parseInt(text, 8) : text === '' ? 0 : -1
}

/** True when the checksum of the header fits: the sign by which a tar header is told. */
export function isTarHeader(header: Buffer): boolean {
  if (header.length < BLOCK) return false
  const stated = numberAt(header, 148, 8)
  let sum = 0
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 32 : (header[i] ?? 0)
  return stated > 0 && stated === sum && header[0] !== 0
}

/** `path` and `size` of a pax header: records of the form `27 path=some/name`, each ending in a line feed. */
function paxValues(bytes: Buffer): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  for (let at = 0; at < bytes.length; ) {
    const blank = bytes.indexOf(32, at)
    const length = blank === -1 ? 0 : Number(bytes.toString('latin1', at, Math.min(blank, at + 10)))
    if (!Number.isInteger(length) || length < 3 || at + length > bytes.length) break
    const record = bytes.toString('utf8', blank + 1, at + length - 1)
    const equals = record.indexOf('=')
    if (equals > 0) values.set(record.slice(0, equals), record.slice(equals + 1))
    at += length
  }
  return values
}

const OTHER_TYPES = new Map([
  ['1', 'link'],
  ['2', 'link'],
  ['3', 'device'],
  ['4', 'device'],
  ['6', 'pipe'],
])

interface Entry {
  readonly name: string
  readonly size: number
  readonly type: string
}

class TarReader {
  private readonly source: ByteSource
  private readonly report: Report
  private longName: string | undefined
  private pax: ReadonlyMap<string, string> = new Map()

  constructor(source: ByteSource, report: Report) {
    this.source = source
    this.report = report
  }

  private async skip(size: number): Promise<void> {
    for await (const _ of this.source.take(size));
  }

  private early(): undefined {
    tell(this.report, 'HR151', { format: 'tar' }, `byte ${this.source.offset}`)
    return undefined
  }

  /** The next header that fits; undefined at the end. Damaged blocks before it are told once and passed over. */
  private async header(): Promise<Buffer | undefined> {
    const { source } = this
    for (let isLost = false; ; ) {
      // A file that was cut between two members lacks the block of zeros.
      if (!(await source.fill(BLOCK))) return this.early()
      const block = source.view().subarray(0, BLOCK)
      if (block.every((byte) => byte === 0)) {
        source.drop(BLOCK)
        await this.end()
        return undefined
      }
      if (isTarHeader(block)) return block
      if (!isLost) {
        const params = { format: 'tar', reason: 'a header is not valid' }
        tell(this.report, 'HR150', params, `byte ${source.offset}`)
      }
      isLost = true
      source.drop(BLOCK)
    }
  }

  /** After the block of zeros that ends the archive there should be padding only. */
  private async end(): Promise<void> {
    while (await this.source.fill(1)) {
      const view = this.source.view()
      if (view.some((byte) => byte !== 0)) {
        tell(this.report, 'HR152', { format: 'tar' }, `byte ${this.source.offset}`)
        return
      }
      this.source.drop(view.length)
    }
  }

  private entry(header: Buffer): Entry | undefined {
    const prefix = header.toString('latin1', 257, 262) === 'ustar' ? field(header, 345, 155) : ''
    const short = field(header, 0, 100)
    const name =
      this.pax.get('path') ?? this.longName ?? (prefix === '' ? short : `${prefix}/${short}`)
    const paxSize = this.pax.get('size')
    const size =
      paxSize !== undefined && /^\d{1,15}$/.test(paxSize)
        ? Number(paxSize)
        : numberAt(header, 124, 12)
    if (size < 0 || size > limits.archiveBytes) return undefined
    return { name, size, type: field(header, 156, 1) || '0' }
  }

  /** Reads the names that stand in blocks of their own; true when the entry was one of these. */
  private async names({ type, size }: Entry): Promise<boolean> {
    if (!['x', 'g', 'L', 'K'].includes(type)) return false
    const parts: Buffer[] = []
    const known = size <= MOST_NAME_BLOCK
    if (known) for await (const part of this.source.take(size)) parts.push(part)
    else await this.skip(size)
    await this.skip((BLOCK - (size % BLOCK)) % BLOCK)
    const bytes = Buffer.concat(parts)
    if (type === 'x') this.pax = paxValues(bytes)
    if (type === 'L') this.longName = field(bytes, 0, bytes.length)
    return true
  }

  async *members(): AsyncGenerator<TarMember, undefined> {
    const { source, report } = this
    let count = 0
    for (let header = await this.header(); header !== undefined; header = await this.header()) {
      const place = `byte ${source.offset}`
      const entry = this.entry(header)
      source.drop(BLOCK)
      if (entry === undefined) {
        tell(report, 'HR150', { format: 'tar', reason: 'a size is not valid' }, place)
        continue
      }
      if (++count > limits.archiveMembers * 2) {
        tell(report, 'HR155', { limit: limits.archiveMembers }, place)
        return
      }
      if (await this.names(entry)) continue
      this.longName = undefined
      this.pax = new Map()
      const { name, size, type } = entry
      const end = source.offset + size
      if (type === '0' || type === '7') {
        yield { name, bytes: source.take(size) }
        if (source.offset < end) await this.skip(end - source.offset)
        if (source.offset < end) return this.early()
      } else {
        const what = OTHER_TYPES.get(type)
        if (what !== undefined) tell(report, 'HR161', { what }, name)
        else if (type !== '5') tell(report, 'HR159', { method: `tar type ${type}` }, name)
        await this.skip(size)
      }
      await this.skip((BLOCK - (size % BLOCK)) % BLOCK)
    }
  }
}

/** The regular files of a tar archive, in order. Each must be read, or left, before the next is asked for. */
export function tarMembers(
  source: ByteSource,
  report: Report,
): AsyncGenerator<TarMember, undefined> {
  return new TarReader(source, report).members()
}
