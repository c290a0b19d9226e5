/** The connection of a process to the owner of a store: requests with numbers, and the answers to them. */
import { connect, type Socket } from 'node:net'
import { limits } from '../../core/limits.ts'
import { EngineError, type QueryOptions } from '../engine.ts'
import { engineErrorOf } from '../failure.ts'
import { UPLOAD_WINDOW } from './desk.ts'
import { type Frame, FrameReader, sendFrame } from './frame.ts'
import { type Place, PROTOCOL } from './place.ts'
import { failureFrom, plain, whole } from './wire.ts'

/** Time that the owner has to answer the first frame. */
const WELCOME_MS = 5_000

interface Waiting {
  bytes?(bytes: Uint8Array): void
  more?(): void
  done(value: unknown): void
  fail(error: EngineError): void
}

/** Things that come one by one and are waited for. */
class Arrivals<T> {
  readonly #items: T[] = []
  #end: { readonly error?: EngineError } | undefined
  #wake: (() => void) | undefined

  add(item: T): void {
    this.#items.push(item)
    this.#wake?.()
  }

  end(error?: EngineError): void {
    this.#end ??= error === undefined ? {} : { error }
    this.#wake?.()
  }

  async next(): Promise<T | undefined> {
    for (;;) {
      if (this.#end?.error !== undefined) throw this.#end.error
      const item = this.#items.shift()
      if (item !== undefined || this.#end !== undefined) return item
      await new Promise<void>((wake) => {
        this.#wake = wake
      })
      this.#wake = undefined
    }
  }
}

export class Link {
  readonly #socket: Socket
  readonly #place: Place
  readonly #reader = new FrameReader(limits.sharedFrameBytes)
  readonly #waiting = new Map<number, Waiting>()
  #ids = 0
  /** Why the connection is over. */
  #over: EngineError | undefined

  private constructor(socket: Socket, place: Place) {
    this.#socket = socket
    this.#place = place
  }

  /** Connects to the owner of a place; undefined when nobody is there. */
  static async open(place: Place): Promise<Link | undefined> {
    const socket = connect(place.socket)
    const isThere = await new Promise<boolean>((done) => {
      socket.once('connect', () => done(true))
      socket.once('error', () => done(false))
    })
    if (!isThere) return undefined
    const link = new Link(socket, place)
    return (await link.#greet()) ? link : undefined
  }

  get isOver(): boolean {
    return this.#over !== undefined
  }

  #greet(): Promise<boolean> {
    return new Promise((done) => {
      const late = setTimeout(() => this.#socket.destroy(), WELCOME_MS)
      this.#waiting.set(0, {
        done: () => {
          clearTimeout(late)
          done(true)
        },
        fail: () => {
          clearTimeout(late)
          this.#socket.destroy()
          done(false)
        },
      })
      this.#socket.on('data', (piece: Buffer) => {
        this.#reader.push(piece)
        this.#drain()
      })
      this.#socket.on('error', () => this.#socket.destroy())
      this.#socket.on('close', () =>
        this.#end(
          new EngineError(
            'unavailable',
            `process ${this.#place.pid}, which had the store open, has ended or closed it`,
          ),
        ),
      )
      this.#send({ op: 'hello', secret: this.#place.secret, protocol: PROTOCOL })
    })
  }

  #end(error: EngineError): void {
    this.#over ??= error
    const all = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const each of all) each.fail(this.#over)
  }

  #send(json: unknown, pieces?: readonly Uint8Array[]): void {
    sendFrame(this.#socket, json, pieces)
  }

  #drain(): void {
    try {
      for (let frame = this.#reader.next(); frame !== undefined; frame = this.#reader.next()) {
        this.#take(frame)
      }
    } catch (error) {
      this.#end(engineErrorOf(error, 'unavailable'))
      this.#socket.destroy()
    }
  }

  #take({ json, bytes }: Frame): void {
    const { op, id: given, error } = plain(json)
    const id = op === 'welcome' ? 0 : whole(given, 'id')
    const waiting = this.#waiting.get(id)
    if (op === 'bytes') waiting?.bytes?.(bytes)
    else if (op === 'more') waiting?.more?.()
    else {
      this.#waiting.delete(id)
      if (op === 'fail') waiting?.fail(failureFrom(error))
      else waiting?.done(op === 'done' ? JSON.parse(Buffer.from(bytes).toString('utf8')) : null)
    }
  }

  #start(
    message: Readonly<Record<string, unknown>>,
    pieces: readonly Uint8Array[],
    waiting: Waiting,
  ) {
    const id = ++this.#ids
    if (this.#over !== undefined) waiting.fail(this.#over)
    else {
      this.#waiting.set(id, waiting)
      this.#send({ ...message, id }, pieces)
    }
    return id
  }

  /** One request with one answer. */
  call(name: string, args: unknown, pieces: readonly Uint8Array[] = []): Promise<unknown> {
    return new Promise((done, fail) => {
      this.#start({ op: 'call', name, args }, pieces, { done, fail })
    })
  }

  /** The rows of a query as the engine writes them, a few pieces ahead of who reads them. */
  async *bytes(sql: string, options: QueryOptions): AsyncGenerator<Uint8Array> {
    const { signal, ...limited } = options
    const cancelled = (): EngineError => new EngineError('cancelled', 'the query was cancelled')
    if (signal?.aborted === true) throw cancelled()
    const arrivals = new Arrivals<Uint8Array>()
    let isOver = false
    const id = this.#start({ op: 'rows', sql, options: limited }, [], {
      bytes: (bytes) => arrivals.add(bytes),
      done: () => {
        isOver = true
        arrivals.end()
      },
      fail: (error) => {
        isOver = true
        arrivals.end(error)
      },
    })
    const abort = (): void => arrivals.end(cancelled())
    signal?.addEventListener('abort', abort, { once: true })
    try {
      for (let piece = await arrivals.next(); piece !== undefined; piece = await arrivals.next()) {
        this.#send({ op: 'more', id })
        yield piece
      }
    } finally {
      signal?.removeEventListener('abort', abort)
      if (!isOver) {
        this.#waiting.delete(id)
        this.#send({ op: 'cancel', id })
      }
    }
  }

  /** Sends parts of something long, a few ahead of who takes them; gives the answer. */
  async upload(args: unknown, parts: AsyncIterable<unknown>): Promise<unknown> {
    const room = new Arrivals<true>()
    for (let count = 0; count < UPLOAD_WINDOW; count++) room.add(true)
    let id = 0
    const answer = new Promise<unknown>((done, fail) => {
      id = this.#start({ op: 'upload', args }, [], {
        more: () => room.add(true),
        done,
        fail: (error) => {
          room.end(error)
          fail(error)
        },
      })
    })
    answer.catch(() => {})
    try {
      for await (const rows of parts) {
        await room.next()
        this.#send({ op: 'part', id, rows })
      }
    } catch (error) {
      this.#send({ op: 'cancel', id })
      throw error
    }
    this.#send({ op: 'end', id })
    return answer
  }

  close(): void {
    this.#socket.destroy()
  }
}
