/**
 * The owner's side of a shared store: a local socket that only the same user can reach, and what comes in over it. Each
 * connection is bounded in requests and bytes; one that breaks the rules is closed, and the store goes on.
 */
import { timingSafeEqual } from 'node:crypto'
import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { limits } from '../../core/limits.ts'
import { type Engine, EngineError } from '../engine.ts'
import { engineErrorOf } from '../failure.ts'
import type { Store } from '../store.ts'
import { answer, UPLOAD_WINDOW, Upload } from './desk.ts'
import { type Frame, FrameReader, sendFrame } from './frame.ts'
import { makePlace, type Place, PROTOCOL, publish, withdraw } from './place.ts'
import { failureJson, optionsFrom, plain, refused, text, whole } from './wire.ts'

export interface ShareOptions {
  readonly store: Store
  readonly engine: Pick<Engine, 'bytes'>
  /** Folder of the store. */
  readonly folder: string
  /** Takes a place for a query of another process; gives what lets go of it. */
  readonly enter?: (signal: AbortSignal) => Promise<() => void>
}

export interface Sharing {
  /** Ends all connections; what others have asked for then fails on their side. */
  close(): Promise<void>
}

/** Time that a connection has to say who it is. */
const HELLO_MS = 5_000
const HELLO_BYTES = 4_096
/** Requests of one connection in hand at a time; results among them. */
const MOST_CALLS = 1_024
const MOST_RESULTS = 32
const MOST_CONNECTIONS = 64

function isSecret(given: unknown, wanted: string): boolean {
  if (typeof given !== 'string') return false
  const a = Buffer.from(given)
  const b = Buffer.from(wanted)
  return a.length === b.length && timingSafeEqual(a, b)
}

/** A result on its way: a few chunks ahead of who reads it. */
interface Result {
  credit: number
  wake: (() => void) | undefined
  readonly stop: AbortController
}

class Connection {
  readonly #socket: Socket
  readonly #options: ShareOptions
  readonly #place: Place
  readonly #reader = new FrameReader(HELLO_BYTES)
  readonly #results = new Map<number, Result>()
  readonly #uploads = new Map<number, Upload>()
  readonly #hello: NodeJS.Timeout
  #isKnown = false
  #calls = 0
  #bytes = 0

  constructor(socket: Socket, options: ShareOptions, place: Place) {
    this.#socket = socket
    this.#options = options
    this.#place = place
    this.#hello = setTimeout(() => socket.destroy(), HELLO_MS)
    socket.on('data', (piece: Buffer) => {
      this.#reader.push(piece)
      this.#drain()
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#closed())
  }

  close(): void {
    this.#socket.destroy()
  }

  #closed(): void {
    clearTimeout(this.#hello)
    for (const each of this.#results.values()) {
      each.stop.abort()
      each.wake?.()
    }
    for (const each of this.#uploads.values()) each.break()
  }

  #send(json: unknown, pieces?: readonly Uint8Array[]): void {
    sendFrame(this.#socket, json, pieces)
  }

  #drain(): void {
    try {
      for (;;) {
        const frame = this.#reader.next()
        if (frame === undefined) break
        if (this.#isKnown) this.#take(frame)
        else this.#welcome(frame)
      }
    } catch (error) {
      // Whatever broke the rules once is not listened to again.
      this.#send({ op: 'fail', id: 0, error: failureJson(engineErrorOf(error, 'refused')) })
      this.#socket.destroySoon()
      this.#closed()
    }
  }

  #welcome({ json }: Frame): void {
    const { op, secret, protocol } = plain(json)
    if (op !== 'hello' || protocol !== PROTOCOL || !isSecret(secret, this.#place.secret)) {
      throw refused('who are you?')
    }
    clearTimeout(this.#hello)
    this.#isKnown = true
    this.#reader.allow(limits.sharedFrameBytes)
    this.#send({ op: 'welcome', pid: process.pid })
  }

  #take(frame: Frame): void {
    const json = plain(frame.json)
    const id = whole(json.id, 'id')
    switch (json.op) {
      case 'call':
        void this.#call(id, text(json.name, 'name'), frame)
        return
      case 'rows':
        void this.#rows(id, text(json.sql, 'sql'), json.options)
        return
      case 'upload':
        void this.#upload(id, json.args)
        return
      case 'part':
        this.#uploads.get(id)?.part(json.rows)
        return
      case 'end':
        this.#uploads.get(id)?.end()
        return
      case 'more': {
        const result = this.#results.get(id)
        if (result === undefined) return
        result.credit = Math.min(result.credit + 1, UPLOAD_WINDOW)
        result.wake?.()
        return
      }
      case 'cancel':
        this.#uploads.get(id)?.break()
        this.#results.get(id)?.stop.abort()
        this.#results.get(id)?.wake?.()
        return
      default:
        throw refused('op')
    }
  }

  /** Runs one request and tells how it ended. The connection is not read while too much is in hand. */
  async #work(id: number, bytes: number, work: () => Promise<unknown>): Promise<void> {
    this.#calls++
    this.#bytes += bytes
    if (this.#bytes > limits.sharedBytesInHand) this.#socket.pause()
    try {
      if (this.#calls > MOST_CALLS) throw refused('too much at once')
      const value = await work()
      this.#send({ op: 'done', id }, [Buffer.from(JSON.stringify(value ?? null))])
    } catch (error) {
      this.#send({ op: 'fail', id, error: failureJson(engineErrorOf(error)) })
    } finally {
      this.#calls--
      this.#bytes -= bytes
      if (this.#bytes <= limits.sharedBytesInHand) this.#socket.resume()
    }
  }

  #call(id: number, name: string, frame: Frame): Promise<void> {
    return this.#work(id, frame.bytes.length + 1_024, () =>
      answer(this.#options.store, name, frame),
    )
  }

  #upload(id: number, args: unknown): Promise<void> {
    return this.#work(id, 0, async () => {
      if (this.#uploads.size >= MOST_RESULTS || this.#uploads.has(id)) throw refused('upload')
      const upload = new Upload(() => this.#send({ op: 'more', id }))
      this.#uploads.set(id, upload)
      try {
        return await upload.write(this.#options.store.lookups, args)
      } finally {
        this.#uploads.delete(id)
      }
    })
  }

  #rows(id: number, sql: string, given: unknown): Promise<void> {
    return this.#work(id, sql.length, async () => {
      if (this.#results.size >= MOST_RESULTS || this.#results.has(id)) throw refused('results')
      const stop = new AbortController()
      const { signal } = stop
      const result: Result = { credit: UPLOAD_WINDOW, wake: undefined, stop }
      this.#results.set(id, result)
      let leave: (() => void) | undefined
      try {
        const options = optionsFrom(given ?? {})
        leave = await this.#options.enter?.(signal)
        for await (const bytes of this.#options.engine.bytes(sql, { ...options, signal })) {
          while (result.credit === 0 && !signal.aborted) {
            await new Promise<void>((wake) => {
              result.wake = wake
            })
            result.wake = undefined
          }
          if (signal.aborted) throw new EngineError('cancelled', 'the query was cancelled')
          result.credit--
          this.#send({ op: 'bytes', id }, [bytes])
        }
        return null
      } finally {
        leave?.()
        this.#results.delete(id)
      }
    })
  }
}

/** Listens so that the socket is never open to others, not even for a moment. */
async function listen(server: Server, socket: string): Promise<void> {
  const isPipe = process.platform === 'win32'
  // The caller has the store, so a socket that is there was left behind.
  if (!isPipe) rmSync(socket, { force: true })
  const before = isPipe ? undefined : process.umask(0o177)
  try {
    await new Promise<void>((done, failed) => {
      server.once('error', failed)
      server.listen(socket, () => done())
      if (before !== undefined) process.umask(before)
    })
  } finally {
    if (before !== undefined) process.umask(before)
  }
  if (!isPipe) chmodSync(socket, 0o600)
}

/** Lets other processes of this user work with a store that this process has open. */
export async function shareStore(options: ShareOptions): Promise<Sharing> {
  const place = makePlace(options.folder)
  const connections = new Set<Connection>()
  const server = createServer((socket) => {
    if (connections.size >= MOST_CONNECTIONS) {
      socket.destroy()
      return
    }
    const connection = new Connection(socket, options, place)
    connections.add(connection)
    socket.on('close', () => connections.delete(connection))
  })
  await listen(server, place.socket)
  publish(options.folder, place)
  return {
    async close() {
      withdraw(options.folder, place)
      const ended = new Promise<void>((done) => {
        server.close(() => done())
      })
      for (const each of connections) each.close()
      await ended
    },
  }
}
