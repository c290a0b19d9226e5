/** Frames between processes that share a store: a JSON value and bytes, each with its length before it. */
import type { Socket } from 'node:net'

export interface Frame {
  readonly json: unknown
  readonly bytes: Uint8Array
}

/** Lengths before each frame: of the JSON and of the bytes, four bytes each. */
const PREFIX = 8

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

/** One frame as consecutive pieces. */
export function frameOf(json: unknown, pieces: readonly Uint8Array[] = []): readonly Uint8Array[] {
  const text = encoder.encode(JSON.stringify(json))
  const prefix = Buffer.alloc(PREFIX)
  prefix.writeUInt32BE(text.length, 0)
  prefix.writeUInt32BE(
    pieces.reduce((sum, piece) => sum + piece.length, 0),
    4,
  )
  return [prefix, text, ...pieces]
}

/** Writes one frame; nothing to a socket that is closed. */
export function sendFrame(socket: Socket, json: unknown, pieces: readonly Uint8Array[] = []): void {
  if (!socket.writable) return
  socket.cork()
  for (const piece of frameOf(json, pieces)) socket.write(piece)
  socket.uncork()
}

/** Puts frames together from whatever pieces they arrive in. Holds at most one frame and what came with its end. */
export class FrameReader {
  #pieces: Uint8Array[] = []
  #held = 0
  #most: number

  /** `most`: bytes of the largest frame that is taken. */
  constructor(most: number) {
    this.#most = most
  }

  /** Takes frames of another size from here on. */
  allow(most: number): void {
    this.#most = most
  }

  push(piece: Uint8Array): void {
    this.#pieces.push(piece)
    this.#held += piece.length
  }

  /** The next whole frame, or undefined. Throws for a frame that is too large or holds no JSON. */
  next(): Frame | undefined {
    if (this.#held < PREFIX) return undefined
    const prefix = Buffer.from(this.#take(PREFIX, true))
    const text = prefix.readUInt32BE(0)
    const bytes = prefix.readUInt32BE(4)
    if (text + bytes > this.#most) throw new Error('a frame is too large')
    if (this.#held < PREFIX + text + bytes) return undefined
    this.#take(PREFIX, false)
    const json: unknown = JSON.parse(decoder.decode(this.#take(text, false)))
    return { json, bytes: this.#take(bytes, false) }
  }

  /** So many bytes from the front, which stay there when they are only looked at. */
  #take(length: number, isLook: boolean): Uint8Array {
    const taken = Buffer.allocUnsafe(length)
    let at = 0
    let whole = 0
    while (at < length) {
      const piece = this.#pieces[whole]
      if (piece === undefined) break
      const part = piece.subarray(0, length - at)
      taken.set(part, at)
      at += part.length
      if (part.length < piece.length) {
        if (!isLook) this.#pieces[whole] = piece.subarray(part.length)
        break
      }
      whole++
    }
    if (!isLook) {
      this.#pieces.splice(0, whole)
      this.#held -= length
    }
    return taken
  }
}
