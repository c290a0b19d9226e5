/** Reading bytes in pieces of any size out of a stream, for formats whose parts have stated lengths. */
import { ByteQueue } from './bytes.ts'

/** A stream with a place in it. Errors of the stream end it and are kept in `failure`. */
export class ByteSource {
  private readonly iterator: AsyncIterator<Uint8Array>
  private readonly queue = new ByteQueue()
  private isDone = false
  /** Bytes taken from the stream so far, used or not. */
  received = 0
  failure: string | undefined

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.iterator = bytes[Symbol.asyncIterator]()
  }

  /** The bytes at hand; valid until the next call of `fill`. */
  view(): Buffer {
    return this.queue.view()
  }

  /** Place in the stream. */
  get offset(): number {
    return this.received - this.queue.length
  }

  /** Waits until at least `size` bytes are at hand; false when the stream ends before that. */
  async fill(size: number): Promise<boolean> {
    while (this.queue.length < size && !this.isDone) {
      try {
        const next = await this.iterator.next()
        if (next.done === true) this.isDone = true
        else {
          this.received += next.value.length
          this.queue.append(next.value)
        }
      } catch (error) {
        this.failure = error instanceof Error ? error.message : String(error)
        this.isDone = true
      }
    }
    return this.queue.length >= size
  }

  drop(count: number): void {
    this.queue.drop(count)
  }

  /** Gives up to `size` bytes, as they come, and uses them up. */
  async *take(size: number): AsyncGenerator<Buffer> {
    let left = size
    while (left > 0 && (await this.fill(1))) {
      const piece = Buffer.from(this.view().subarray(0, left))
      this.drop(piece.length)
      left -= piece.length
      yield piece
    }
  }

  /** All bytes that are left. */
  rest(): AsyncGenerator<Buffer> {
    return this.take(Number.POSITIVE_INFINITY)
  }

  async close(): Promise<void> {
    if (!this.isDone) await this.iterator.return?.()
    this.isDone = true
  }
}
