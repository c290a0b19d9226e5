/**
 * A part of a file that grows: from where it was left up to its last whole record, read with what the beginning of the file
 * says of how to read it. Whether it is the file that it is taken for, what is new in it, and by what it is known again all
 * come from one open file: another may have its name a moment later. Runs in the decoding worker.
 */
import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { limits } from '../../core/limits.ts'
import { utf8Head } from '../bytes.ts'
import { openPath, packingOf } from '../containers.ts'
import { detectFormat } from '../detect.ts'
import { decoders } from '../formats.ts'
import { identityOf } from '../walk.ts'

/** By what a place in a file is known again: prints of its beginning, and of what ends there. */
export interface Prints {
  /** Print of the first bytes, and of how many. */
  readonly head: string
  readonly headBytes: number
  /** Print of the last bytes before the place. */
  readonly tail: string
}

export interface Part extends Prints {
  /** The file that is meant, whatever has its name. */
  readonly identity: string
  /** The name that the events are stored under. */
  readonly name: string
  /** Byte to go on from; of what is unpacked, in a packed file. */
  readonly from: number
  /** Number of the next record. */
  readonly first: number
  /** Lines before `from`. */
  readonly lines: number
  /** Lines that say how to read the others, with their line breaks. */
  readonly header: string
  /** Name of the decoder; empty before the first part. */
  readonly format: string
  /** True when the last line counts as whole, though nothing ends it. */
  readonly isQuiet: boolean
  /** True for a packed file whose first bytes were read before it was packed. */
  readonly isPacked: boolean
}

/**
 * `lines`: read on line by line; `whole`: only to be read from its start; `other`: it does not hold what was read of it;
 * `moved`: its name has another file now, or none.
 */
export type PartKind = 'lines' | 'whole' | 'other' | 'moved'

/** Where a part has ended. */
export interface PartEnd extends Prints {
  readonly kind: PartKind
  readonly to: number
  readonly first: number
  readonly lines: number
  readonly header: string
  readonly format: string
}

interface OpenPart extends Prints {
  readonly kind: PartKind
  readonly to: number
  readonly lines: number
  readonly format: string
  /** To be read before the bytes; empty where they hold it themselves. */
  readonly header: string
  /** For the next part. */
  readonly nextHeader: string
  readonly bytes: AsyncIterable<Uint8Array>
  /** Where the bytes have ended, once they are read, when that is not known before. */
  readonly end?: () => number
}

/** Decoders that read one line, or a few that belong together, at a time. */
const BY_LINE: ReadonlySet<string> = new Set(
  'json zeek w3c auditd access squid syslog csv text'.split(' '),
)
const HEAD = 64 * 1024
const MOST_HEADER = 64 * 1024
/** Bytes by which the place in a file is known again. */
const PRINT_BYTES = 1_024
const LF = 10

/** The print of bytes: what tells them from others. */
export function printOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Bytes of an open file; fewer at its end. */
export async function readAt(handle: FileHandle, from: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.max(0, length))
  let filled = 0
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, from + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}

function countLines(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1)) count++
  return count
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

/** The decoder of a file by its first lines, or why it cannot be read on line by line; undefined when it is too early to tell. */
function formatOf(
  head: Buffer,
  isQuiet: boolean,
  named: string | undefined,
): { readonly kind: PartKind; readonly format: string } | undefined {
  const whole = { kind: 'whole', format: '' } as const
  if (packingOf(head.subarray(0, 512)) !== 'plain') return whole
  const isUtf16 =
    (head[0] === 0xff && head[1] === 0xfe) ||
    (head[0] === 0xfe && head[1] === 0xff) ||
    head[1] === 0
  if (isUtf16) return whole
  const end = head.lastIndexOf(LF) + 1
  const known = head.subarray(0, end === 0 || isQuiet ? head.length : end)
  if (end === 0 && !isQuiet && head.length < HEAD) {
    // A binary log has no lines: its first bytes tell enough.
    const early = detectFormat(utf8Head(head), decoders)
    return early !== undefined && !BY_LINE.has(early.name) ? whole : undefined
  }
  const text = known.toString('utf8')
  const isOnlyHeader = text.split('\n').every((each) => each === '' || each.startsWith('#'))
  if (isOnlyHeader && !isQuiet) return undefined
  const format = named ?? detectFormat(utf8Head(known), decoders)?.name
  if (format === undefined || !BY_LINE.has(format)) return whole
  const [first = ''] = text.split('\n', 1)
  // Other JSON than an object a line has records that no line ends.
  if (format === 'json' && !isObject(first.replace(/^\ufeff/, ''))) return whole
  // A message may come with its length before it, and line breaks inside.
  if (format === 'syslog' && /^\d+ </.test(first)) return whole
  return { kind: 'lines', format }
}

/** The end of the last row of a table that is whole: a line break outside of quotes. */
function tableEnd(bytes: Buffer): number {
  let isOpen = false
  let end = 0
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] === 0x22) isOpen = !isOpen
    else if (bytes[at] === LF && !isOpen) end = at + 1
  }
  return end
}

const SERIAL = /msg=audit\(\d+\.\d+:(\d+)\)/

/** The end of the last audit event after which another has begun: the records of the last one may still be coming. */
function auditEnd(bytes: Buffer): number {
  const serialAt = (from: number, to: number): string | undefined =>
    SERIAL.exec(bytes.toString('latin1', from, Math.min(to, from + 512)))?.[1]
  let end = bytes.lastIndexOf(LF) + 1
  let next: string | undefined
  while (end > 0) {
    const start = end < 2 ? 0 : bytes.lastIndexOf(LF, end - 2) + 1
    const serial = serialAt(start, end)
    if (/\btype=EOE /.test(bytes.toString('latin1', start, Math.min(end, start + 64)))) return end
    if (next !== undefined && serial !== next) return end
    next = serial ?? next
    end = start
  }
  return 0
}

function endOf(bytes: Buffer, format: string): number {
  if (format === 'csv') return tableEnd(bytes)
  if (format === 'auditd') return auditEnd(bytes)
  return bytes.lastIndexOf(LF) + 1
}

function directive(line: string): string {
  return /^#[\w-]*/.exec(line)?.[0].toLowerCase() ?? ''
}

/** The lines that say how to read what follows, after a part. */
function headerAfter(header: string, bytes: Buffer, format: string, isStart: boolean): string {
  if (format === 'csv' && isStart) {
    const text = bytes.toString('utf8', 0, MOST_HEADER)
    const first = text
      .split('\n')
      .findIndex((each) => each.trim() !== '' && !/^sep=.\r?$/.test(each))
    return `${text.split('\n', first + 1).join('\n')}\n`
  }
  if (format !== 'zeek' && format !== 'w3c') return header
  let lines = header.split('\n').filter((each) => each !== '')
  for (let at = 0; at !== -1 && at < bytes.length; ) {
    const next = bytes.indexOf(LF, at)
    const end = next === -1 ? bytes.length : next
    if (bytes[at] === 0x23) {
      const line = bytes.toString('utf8', at, Math.min(end, at + MOST_HEADER))
      const name = directive(line)
      if (name === '#separator') lines = []
      lines = [...lines.filter((each) => directive(each) !== name), line]
    }
    at = next === -1 ? -1 : next + 1
  }
  const text = lines.filter((each) => !/^#(?:close|open)/.test(each)).join('\n')
  return text === '' || text.length > MOST_HEADER ? header : `${text}\n`
}

/** What a part comes to when nothing is read. */
function unread(part: Part, kind: PartKind): OpenPart {
  const { from: to, head, headBytes, tail, lines, header, format } = part
  const prints = { head, headBytes, tail }
  return { ...prints, kind, to, lines, header, format, nextHeader: header, bytes: nothing() }
}

/** What is left of an unpacked stream behind a place, when what stands before it has the print. */
async function openPacked(path: string, part: Part): Promise<OpenPart> {
  let at = 0
  let tail = Buffer.alloc(0)
  for await (const member of openPath(path)) {
    const source = member.bytes[Symbol.asyncIterator]()
    for (let next = await source.next(); next.done !== true; next = await source.next()) {
      const bytes = Buffer.from(next.value)
      const left = part.from - at
      at += bytes.length
      tail = Buffer.concat([tail, bytes.subarray(0, left)]).subarray(-PRINT_BYTES)
      if (bytes.length < left) continue
      if (printOf(tail) !== part.tail) break
      return {
        ...unread(part, 'lines'),
        to: part.from + 1,
        end: () => at,
        bytes: (async function* () {
          yield bytes.subarray(left)
          for (let more = await source.next(); more.done !== true; more = await source.next()) {
            at += more.value.length
            yield more.value
          }
        })(),
      }
    }
    break
  }
  return unread(part, 'other')
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function* only(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes
}

/** The bytes that prints are made of, for a place in a file. */
interface Printed {
  readonly head: Buffer
  readonly tail: Buffer
}

async function printedAt(handle: FileHandle, place: number): Promise<Printed> {
  const length = Math.min(PRINT_BYTES, place)
  const head = await readAt(handle, 0, length)
  return { head, tail: place === length ? head : await readAt(handle, place - length, length) }
}

/** True when a place in a file still has the prints that it had. */
function hasPrints({ head, tail }: Printed, prints: Prints, place: number): boolean {
  if (place === 0) return true
  return (
    printOf(head.subarray(0, prints.headBytes)) === prints.head && printOf(tail) === prints.tail
  )
}

/** The prints of the place behind more bytes. */
function printsAfter(before: Printed, bytes: Buffer): Prints {
  const head = Buffer.concat([before.head, bytes.subarray(0, PRINT_BYTES)]).subarray(0, PRINT_BYTES)
  const tail = Buffer.concat([before.tail, bytes.subarray(-PRINT_BYTES)]).subarray(-PRINT_BYTES)
  return { head: printOf(head), headBytes: head.length, tail: printOf(tail) }
}

/** True when a file still holds at a place what it held when the prints were made. */
export async function isSame(path: string, place: number, prints: Prints): Promise<boolean> {
  const handle = await open(path, 'r')
  try {
    return hasPrints(await printedAt(handle, place), prints, place)
  } finally {
    await handle.close()
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT'

/** Opens a part of a file. `named` is the format that the user named, if any. Throws when the file cannot be read. */
export async function openPart(
  path: string,
  part: Part,
  named: string | undefined,
): Promise<OpenPart> {
  if (part.isPacked) return openPacked(path, part)
  const handle = await open(path, 'r').catch((error: unknown) => {
    if (isMissing(error)) return undefined
    throw error
  })
  if (handle === undefined) return unread(part, 'moved')
  try {
    if (identityOf(await handle.stat()) !== part.identity) return unread(part, 'moved')
    const bytes = await readAt(handle, part.from, limits.partBytes)
    // Looked at after reading: a file that is cut in between must not pass for the one that it was.
    const before = await printedAt(handle, part.from)
    if (!hasPrints(before, part, part.from)) return unread(part, 'other')
    const found =
      part.format === '' ? formatOf(bytes.subarray(0, HEAD), part.isQuiet, named) : undefined
    const kind = part.format === '' ? (found?.kind ?? 'lines') : 'lines'
    const format = part.format === '' ? (found?.format ?? '') : part.format
    if (kind !== 'lines' || format === '') return { ...unread(part, kind), format }
    const isFull = bytes.length >= limits.partBytes
    let end = endOf(bytes, format)
    if (part.isQuiet && !isFull) end = bytes.length
    // A record that is longer than a part is cut here, and refused for its length when it is read.
    else if (end === 0 && isFull) end = bytes.lastIndexOf(LF) + 1 || bytes.length
    const taken = bytes.subarray(0, end)
    const isStart = part.from === 0
    return {
      ...printsAfter(before, taken),
      kind,
      format,
      to: part.from + end,
      lines: part.lines + countLines(taken),
      header: isStart ? '' : part.header,
      nextHeader: headerAfter(part.header, taken, format, isStart),
      bytes: only(taken),
    }
  } finally {
    await handle.close()
  }
}
