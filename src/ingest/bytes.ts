/**
 * Bytes on their way in: a growing buffer that is filled at one end and emptied at the other, and the change of
 * UTF-16 files (told by their byte order mark) to UTF-8.
 */
import { TextDecoder } from 'node:util'

/** Bytes received but not yet used. Appending costs the size of what is appended, however long it gets. */
export class ByteQueue {
  private data = Buffer.alloc(0)
  private start = 0
  private stop = 0

  get length(): number {
    return this.stop - this.start
  }

  /** The bytes held; valid until the next `append`. */
  view(): Buffer {
    return this.data.subarray(this.start, this.stop)
  }

  append(bytes: Uint8Array): void {
    const { length } = this
    if (this.stop + bytes.length > this.data.length) {
      if (length + bytes.length > this.data.length / 2) {
        const grown = Buffer.allocUnsafe(Math.max(64 * 1024, 2 * (length + bytes.length)))
        grown.set(this.view(), 0)
        this.data = grown
      } else {
        this.data.copyWithin(0, this.start, this.stop)
      }
      this.start = 0
      this.stop = length
    }
    this.data.set(bytes, this.stop)
    this.stop += bytes.length
  }

  /** Forgets the first `count` bytes. */
  drop(count: number): void {
    this.start += Math.min(count, this.length)
    if (this.start === this.stop) {
      this.start = 0
      this.stop = 0
      if (this.data.length > 4 * 1024 * 1024) this.data = Buffer.alloc(0)
    }
  }
}

type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be'

function encodingOf(head: Uint8Array): { readonly encoding: Encoding; readonly mark: number } {
  if (head[0] === 0xff && head[1] === 0xfe) return { encoding: 'utf-16le', mark: 2 }
  if (head[0] === 0xfe && head[1] === 0xff) return { encoding: 'utf-16be', mark: 2 }
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf)
    return { encoding: 'utf-8', mark: 3 }
  return { encoding: 'utf-8', mark: 0 }
}

/** The first bytes of a file as UTF-8 without a byte order mark, for recognising its format. */
export function utf8Head(head: Uint8Array): Uint8Array {
  const { encoding, mark } = encodingOf(head)
  const rest = head.subarray(mark)
  return encoding === 'utf-8' ? rest : Buffer.from(new TextDecoder(encoding).decode(rest))
}

/**
 * The file as UTF-8 without a byte order mark. UTF-16 is told by its mark and changed; half a surrogate pair
 * becomes U+FFFD, as it cannot be written in UTF-8. Bytes that are not UTF-8 pass as they are.
 */
export async function* asUtf8(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const head = new ByteQueue()
  let decoder: TextDecoder | undefined
  let isOpen = false
  for await (const chunk of bytes) {
    if (isOpen) {
      yield decoder === undefined ? chunk : Buffer.from(decoder.decode(chunk, { stream: true }))
      continue
    }
    head.append(chunk)
    if (head.length < 3) continue
    isOpen = true
    const { encoding, mark } = encodingOf(head.view())
    if (encoding !== 'utf-8') decoder = new TextDecoder(encoding)
    const rest = Buffer.from(head.view().subarray(mark))
    yield decoder === undefined ? rest : Buffer.from(decoder.decode(rest, { stream: true }))
  }
  if (isOpen) {
    if (decoder !== undefined) yield Buffer.from(decoder.decode())
  } else if (head.length > 0) yield utf8Head(head.view())
}

/** Bytes of the places in `bytes` that are not part of valid UTF-8, as a sorted list of offsets. */
function badOffsets(bytes: Uint8Array): number[] {
  const bad: number[] = []
  const { length } = bytes
  for (let at = 0; at < length; ) {
    const size = sequenceAt(bytes, at)
    if (size === 0) bad.push(at)
    at += size === 0 ? 1 : size
  }
  return bad
}

function isContinuation(byte: number | undefined, low = 0x80, high = 0xbf): boolean {
  return byte !== undefined && byte >= low && byte <= high
}

/** Length of the well-formed UTF-8 sequence at the place (Unicode table 3-7), 0 when there is none. */
function sequenceAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0
  if (first < 0x80) return 1
  const second = bytes[at + 1]
  if (first >= 0xc2 && first <= 0xdf) return isContinuation(second) ? 2 : 0
  if (first >= 0xe0 && first <= 0xef) {
    const low = first === 0xe0 ? 0xa0 : 0x80
    const high = first === 0xed ? 0x9f : 0xbf
    return isContinuation(second, low, high) && isContinuation(bytes[at + 2]) ? 3 : 0
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const low = first === 0xf0 ? 0x90 : 0x80
    const high = first === 0xf4 ? 0x8f : 0xbf
    return isContinuation(second, low, high) &&
      isContinuation(bytes[at + 2]) &&
      isContinuation(bytes[at + 3])
      ? 4
      : 0
  }
  return 0
}

/**
 * Text of bytes that are not all valid UTF-8: each byte that is part of no character becomes `prefix` and two
 * hex digits, as Splunk shows it, so nothing is lost and two different inputs stay different.
 */
export function lenientText(
  bytes: Uint8Array,
  prefix: string,
): { readonly text: string; readonly bad: number } {
  const pieces: string[] = []
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const bad = badOffsets(bytes)
  let from = 0
  for (const at of bad) {
    if (at > from) pieces.push(buffer.toString('utf8', from, at))
    pieces.push(prefix, (bytes[at] ?? 0).toString(16).padStart(2, '0'))
    from = at + 1
  }
  pieces.push(buffer.toString('utf8', from))
  return { text: pieces.join(''), bad: bad.length }
}

/**
 * Reads the first bytes of a stream (at least `size` unless it is shorter) without using them up: `all` gives the whole
 * stream again from its start.
 */
export async function withHead(
  bytes: AsyncIterable<Uint8Array>,
  size: number,
): Promise<{ readonly head: Buffer; readonly all: AsyncIterable<Uint8Array> }> {
  const source = bytes[Symbol.asyncIterator]()
  const queue = new ByteQueue()
  let isDone = false
  while (queue.length < size && !isDone) {
    const next = await source.next()
    if (next.done === true) isDone = true
    else queue.append(next.value)
  }
  const head = queue.view()
  async function* all(): AsyncGenerator<Uint8Array> {
    try {
      if (head.length > 0) yield head
      while (!isDone) {
        const next = await source.next()
        if (next.done === true) return
        yield next.value
      }
    } finally {
      await source.return?.()
    }
  }
  return { head, all: all() }
}
