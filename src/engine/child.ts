/**
 * The engine's child process: opens one chDB folder and answers its parent. One writer session and a control
 * session live here; queries run in reader threads. It ends the moment its parent is gone.
 */
import { isMainThread, Worker } from 'node:worker_threads'
import { Session } from 'chdb'
import { quoteText } from '../sql/quote.ts'
import {
  CANCELLED,
  OVERDUE,
  type ReaderReply,
  type ReaderRequest,
  type Reply,
  type Request,
} from './protocol.ts'
import { type ReaderStart, runReader } from './reader.ts'

type RowsRequest = Extract<Request, { op: 'rows' }>

interface Reader {
  readonly worker: Worker
  readonly mark: string
  ready: boolean
  running: Running | undefined
}

interface Running {
  readonly request: RowsRequest
  readonly reader: Reader
  /** What to report instead of the engine's own word, once the query was told to stop. */
  stopped: string | undefined
  overdue: NodeJS.Timeout
  killing: Promise<void> | undefined
}

/** Milliseconds past its limit after which a query is killed, and after which the whole child is. */
const GRACE_MS = 5_000
const STUCK_MS = 10_000
const KILL_EVERY_MS = 100
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Ends at once, whatever threads are doing; what was acknowledged is on disk already. */
function endNow(): never {
  process.kill(process.pid, 'SIGKILL')
  throw new Error('ended')
}

function send(message: Reply): void {
  process.send?.(message)
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Runs statements on a session one after another; a session that failed is replaced. */
class Writer {
  readonly #open: () => Session
  #session: Session
  #last: Promise<unknown> = Promise.resolve()

  constructor(open: () => Session) {
    this.#open = open
    this.#session = open()
  }

  run(sql: string): Promise<string> {
    const result = this.#last.then(async () => {
      try {
        return (await this.#session.queryAsync(sql, { format: 'TSV' })).text()
      } catch (error) {
        this.#session.close()
        this.#session = this.#open()
        throw error
      }
    })
    this.#last = result.catch(() => {})
    return result
  }

  /** Resolves when nothing is running any more. */
  async idle(): Promise<void> {
    await this.#last
  }
}

/** The reader threads and the queries that wait for one. */
class Readers {
  readonly #path: string
  readonly #most: number
  #control: Writer | undefined
  readonly #readers: Reader[] = []
  readonly #waiting: RowsRequest[] = []
  readonly #running = new Map<number, Running>()

  /** Starts the first thread, which loads while the folder is being opened. */
  constructor(path: string, most: number) {
    this.#path = path
    this.#most = most
    this.#spawn()
  }

  /** The folder is open: queries may run, and `control` can kill them. */
  open(control: Writer): void {
    this.#control = control
    this.#dispatch()
  }

  start(request: RowsRequest): void {
    this.#waiting.push(request)
    this.#dispatch()
  }

  more(id: number): void {
    const running = this.#running.get(id)
    if (running !== undefined) this.#tell(running.reader, { op: 'more' })
  }

  cancel(id: number): void {
    const index = this.#waiting.findIndex((each) => each.id === id)
    if (index >= 0) {
      this.#waiting.splice(index, 1)
      send({ op: 'fail', id, message: CANCELLED })
      return
    }
    const running = this.#running.get(id)
    if (running !== undefined) this.#stop(running, CANCELLED)
  }

  #tell(reader: Reader, message: ReaderRequest): void {
    reader.worker.postMessage(message)
  }

  #spawn(): void {
    const mark = `reader-${this.#readers.length + 1}`
    const workerData: ReaderStart = { path: this.#path, mark }
    const worker = new Worker(new URL(import.meta.url), { workerData })
    const reader: Reader = { worker, mark, ready: false, running: undefined }
    worker.on('message', (message: ReaderReply) => this.#hear(reader, message))
    // A thread that ended took the engine's state with it; the parent starts a new child.
    worker.on('error', (error) => {
      process.stderr.write(`reader thread: ${textOf(error)}\n`)
      endNow()
    })
    this.#readers.push(reader)
  }

  #dispatch(): void {
    while (this.#control !== undefined && this.#waiting.length > 0) {
      const reader = this.#readers.find((each) => each.ready && each.running === undefined)
      if (reader === undefined) {
        const starting = this.#readers.filter((each) => !each.ready).length
        if (starting === 0 && this.#readers.length < this.#most) this.#spawn()
        return
      }
      const request = this.#waiting.shift()
      if (request === undefined) return
      const running: Running = {
        request,
        reader,
        stopped: undefined,
        killing: undefined,
        overdue: setTimeout(
          () => this.#stop(running, OVERDUE),
          Math.min(request.seconds * 1000 + GRACE_MS, LONGEST_TIMER_MS),
        ),
      }
      reader.running = running
      this.#running.set(request.id, running)
      this.#tell(reader, { op: 'start', id: request.id, sql: request.sql, set: request.set })
    }
  }

  /** Stops a running query; the engine is asked again until the thread has ended it. */
  #stop(running: Running, reason: string): void {
    if (running.stopped !== undefined) return
    running.stopped = reason
    this.#tell(running.reader, { op: 'cancel' })
    running.killing = this.#kill(running)
  }

  async #kill(running: Running): Promise<void> {
    const mark = quoteText(running.reader.mark)
    const started = performance.now()
    while (this.#running.has(running.request.id)) {
      await this.#control
        ?.run(`KILL QUERY WHERE Settings['log_comment'] = ${mark} ASYNC`)
        .catch(() => {})
      await wait(KILL_EVERY_MS)
      if (performance.now() - started > STUCK_MS && this.#running.has(running.request.id)) {
        send({ op: 'fail', id: running.request.id, message: running.stopped ?? CANCELLED })
        await wait(KILL_EVERY_MS)
        endNow()
      }
    }
  }

  #hear(reader: Reader, message: ReaderReply): void {
    if (message.op === 'ready') {
      reader.ready = true
      this.#dispatch()
      return
    }
    const running = reader.running
    if (running === undefined || running.request.id !== message.id) return
    if (message.op === 'chunk') {
      if (running.stopped === undefined) send(message)
      return
    }
    clearTimeout(running.overdue)
    this.#running.delete(message.id)
    const stopped = running.stopped
    send(stopped === undefined ? message : { op: 'fail', id: message.id, message: stopped })
    // A kill still on its way must not hit the thread's next query.
    void Promise.resolve(running.killing).then(() => {
      reader.running = undefined
      this.#dispatch()
    })
  }
}

async function open(
  request: Extract<Request, { op: 'open' }>,
): Promise<{ readers: Readers; writer: Writer }> {
  const { path, config, set } = request
  const session = (): Session => {
    const fresh = new Session(path, { connectionArgs: [`--config-file=${config}`] })
    fresh.query(set)
    return fresh
  }
  try {
    const readers = new Readers(path, request.readers)
    const writer = new Writer(session)
    const control = new Writer(session)
    const version = (await control.run('SELECT version()')).trim()
    readers.open(control)
    send({ op: 'opened', version })
    return { readers, writer }
  } catch (error) {
    send({ op: 'shut', message: textOf(error) })
    await wait(KILL_EVERY_MS)
    return endNow()
  }
}

function startChild(): void {
  // The parent decides when this process ends: a signal to the whole group must not cut a write short.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  process.on('disconnect', endNow)
  let opened: ReturnType<typeof open> | undefined
  process.on('message', (message: Request) => {
    void (async () => {
      if (message.op === 'open') {
        opened = open(message)
        return
      }
      const engine = await opened
      if (engine === undefined) return
      switch (message.op) {
        case 'rows':
          engine.readers.start(message)
          return
        case 'more':
          engine.readers.more(message.id)
          return
        case 'cancel':
          engine.readers.cancel(message.id)
          return
        case 'run':
          try {
            await engine.writer.run(message.sql)
            send({ op: 'end', id: message.id })
          } catch (error) {
            send({ op: 'fail', id: message.id, message: textOf(error) })
          }
          return
        case 'close':
          await engine.writer.idle()
          endNow()
      }
    })()
  })
}

if (isMainThread) startChild()
else runReader()
