/**
 * The embedded engine: chDB in a child process that is watched and started again when it dies. Queries that were
 * running then fail as `crashed`; later ones work. Blocks to insert go by file through a spool folder, results
 * come back over the process channel, a few chunks ahead of whoever reads them.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, statfsSync, statSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { limits } from '../core/limits.ts'
import { systemReason } from '../core/systemerror.ts'
import { quoteName, quoteNumber, quoteText } from '../sql/quote.ts'
import { type EngineFolders, prepareFolders } from './config.ts'
import { type Engine, EngineError, type QueryOptions } from './engine.ts'
import { failureOf } from './failure.ts'
import { checkQuery } from './guard.ts'
import { chunksOf, rowsOf } from './lines.ts'
import type { Reply, Request } from './protocol.ts'
import { readerSettings, writerSettings } from './settings.ts'

/** Bytes that must be free before a table is made or changed: far more than any description has. */
const LEAST_ROOM = 256 * 1024

export interface ChdbOptions {
  /** The engine's data folder; made when it is not there. */
  readonly path: string
  /** The built child, `dist/engine-child.js`. */
  readonly childPath: string
  /** Queries that run at the same time; default 4. */
  readonly readers?: number
}

/** What waits for the child: a stream of chunks or the end of a statement. */
interface Pending {
  chunk(bytes: Uint8Array): void
  end(): void
  fail(error: EngineError): void
}

const READERS = 4
/** Threads of the child's pool beyond one for each reader: writer, control and file work. */
const SPARE_THREADS = 8
/** Child deaths in a row, each within a second of its start, after which it is not started again by itself. */
const DEATHS = 3
const SHORT_LIFE_MS = 1_000
/** Tries to open a folder that is locked, and the wait between them. */
const LOCK_TRIES = 3
const LOCK_WAIT_MS = 200
/** Longest wait for writes to end when closing. */
const CLOSE_MS = 30_000
const STDERR_KEPT = 4_096

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function setStatement(settings: Readonly<Record<string, string | number>>): string {
  const each = Object.entries(settings).map(
    ([name, value]) =>
      `${name} = ${typeof value === 'number' ? quoteNumber(value) : quoteText(value)}`,
  )
  return `SET ${each.join(', ')}`
}

/** Chunks between the child and a reader of rows; at most a window of them is ever held. */
class ChunkQueue implements Pending {
  readonly #chunks: Uint8Array[] = []
  #ended = false
  #error: EngineError | undefined
  #wake: (() => void) | undefined

  chunk(bytes: Uint8Array): void {
    this.#chunks.push(bytes)
    this.#wake?.()
  }

  end(): void {
    this.#ended = true
    this.#wake?.()
  }

  fail(error: EngineError): void {
    this.#error ??= error
    this.#wake?.()
  }

  get isOver(): boolean {
    return this.#ended || this.#error !== undefined
  }

  /** The next chunk, or undefined at the end. Rows before an error are worth nothing: it is thrown first. */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      if (this.#error !== undefined) throw this.#error
      const chunk = this.#chunks.shift()
      if (chunk !== undefined) return chunk
      if (this.#ended) return undefined
      await new Promise<void>((wake) => {
        this.#wake = wake
      })
      this.#wake = undefined
    }
  }
}

class ChdbEngine implements Engine {
  readonly #options: ChdbOptions
  readonly #folders: EngineFolders
  readonly #pending = new Map<number, Pending>()
  #child: ChildProcess | undefined
  #opened: Promise<string> | undefined
  #deaths = 0
  #ids = 0
  #wasOpen = false
  #closing = false

  constructor(options: ChdbOptions, folders: EngineFolders) {
    this.#options = options
    this.#folders = folders
  }

  /** Starts the child if there is none; gives the engine's version once its folder is open. */
  start(): Promise<string> {
    if (this.#closing) {
      return Promise.reject(new EngineError('unavailable', 'the engine has been closed'))
    }
    this.#opened ??= this.#spawn()
    return this.#opened
  }

  #spawn(): Promise<string> {
    const { path, spool, config } = this.#folders
    const readers = Math.max(1, this.#options.readers ?? READERS)
    const { NODE_OPTIONS: _, ...env } = process.env
    for (const name of Object.keys(env)) if (name.startsWith('HARRIER_')) delete env[name]
    const started = performance.now()
    const child = fork(this.#options.childPath, [], {
      cwd: spool,
      env: { ...env, UV_THREADPOOL_SIZE: String(readers + SPARE_THREADS) },
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.#child = child
    let said = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-STDERR_KEPT)
    })
    const opened = new Promise<string>((ready, failed) => {
      let shut: string | undefined
      child.on('message', (message: Reply) => {
        if (message.op === 'shut') shut = message.message
        else if (message.op === 'opened') {
          this.#wasOpen = true
          ready(message.version)
        } else this.#hear(message)
      })
      child.on('error', (error) => {
        said += error.message
      })
      child.on('close', (code, signal) => {
        this.#child = undefined
        const error =
          shut === undefined ? this.#crash(code, signal, said) : this.#refusal(shut, said)
        failed(error)
        this.#failAll(error)
        this.#restart(performance.now() - started)
      })
    })
    opened.catch(() => {})
    this.#send({ op: 'open', path, config, set: setStatement(writerSettings), readers })
    return opened
  }

  #crash(code: number | null, signal: string | null, said: string): EngineError {
    const how = signal === null ? `with code ${code}` : `by ${signal}`
    const last = said.trim().split('\n').at(-1) ?? ''
    return new EngineError(
      'crashed',
      `the engine's process ended ${how}${last === '' ? '' : `: ${last}`}`,
    )
  }

  #refusal(reason: string, said: string): EngineError {
    const { path } = this.#folders
    if (!said.includes('Cannot lock file')) {
      const last = said.trim().split('\n').at(-1)
      return new EngineError('unavailable', `cannot open ${path}: ${last || reason}`)
    }
    const status = join(path, 'status')
    let holder: string | undefined
    try {
      holder = /^PID: (\d+)/m.exec(readFileSync(status, 'utf8'))?.[1]
    } catch {
      // The holder may just have ended; the lock was refused all the same.
    }
    return new EngineError(
      'locked',
      `${path} is in use by ${holder === undefined ? 'another process' : `process ${holder}`}`,
    )
  }

  /** A new child at once, unless the last ones died young: then the next request tries. */
  #restart(lived: number): void {
    this.#opened = undefined
    this.#deaths = lived < SHORT_LIFE_MS ? this.#deaths + 1 : 0
    if (this.#wasOpen && !this.#closing && this.#deaths < DEATHS) this.start().catch(() => {})
  }

  #failAll(error: EngineError): void {
    const all = [...this.#pending.values()]
    this.#pending.clear()
    for (const each of all) each.fail(error)
  }

  #hear(message: Exclude<Reply, { op: 'opened' | 'shut' }>): void {
    const pending = this.#pending.get(message.id)
    if (message.op === 'chunk') {
      pending?.chunk(message.bytes)
      return
    }
    this.#pending.delete(message.id)
    if (message.op === 'end') pending?.end()
    else pending?.fail(failureOf(message.message))
  }

  #send(message: Request): void {
    // A child that is dying fails all that is pending when it is gone.
    this.#child?.send(message, () => {})
  }

  async *bytes(sql: string, options: QueryOptions = {}): AsyncGenerator<Uint8Array> {
    checkQuery(sql)
    const { signal } = options
    const cancelled = () => new EngineError('cancelled', 'the query was cancelled')
    if (signal?.aborted) throw cancelled()
    await this.start()
    const id = ++this.#ids
    const queue = new ChunkQueue()
    const abort = (): void => queue.fail(cancelled())
    this.#pending.set(id, queue)
    signal?.addEventListener('abort', abort, { once: true })
    const seconds = options.seconds ?? limits.querySeconds
    this.#send({ op: 'rows', id, sql, set: setStatement(readerSettings(options)), seconds })
    try {
      for (;;) {
        const chunk = await queue.next()
        if (chunk === undefined) return
        this.#send({ op: 'more', id })
        yield chunk
      }
    } finally {
      signal?.removeEventListener('abort', abort)
      if (this.#pending.delete(id)) this.#send({ op: 'cancel', id })
    }
  }

  chunks(sql: string, options: QueryOptions = {}): AsyncIterable<readonly (readonly unknown[])[]> {
    return chunksOf(this.bytes(sql, options))
  }

  rows(sql: string, options: QueryOptions = {}): AsyncIterable<readonly unknown[]> {
    return rowsOf(this.chunks(sql, options))
  }

  /**
   * Refuses to change tables on a full disk: the engine writes the description of a table in place, and one that it
   * cannot write to the end is empty afterwards (measured: `ALTER` with no byte left).
   */
  #needRoom(): void {
    const { bavail, bsize } = statfsSync(this.#folders.path)
    if (bavail * bsize < LEAST_ROOM) {
      throw new EngineError('query', 'the disk is full: there is no room to change a table')
    }
  }

  async command(sql: string): Promise<void> {
    await this.start()
    if (!sql.startsWith('DROP ')) this.#needRoom()
    const id = ++this.#ids
    const child = this.#child
    const stuck = setTimeout(() => child?.kill('SIGKILL'), limits.writeSeconds * 1000)
    try {
      await new Promise<void>((done, failed) => {
        this.#pending.set(id, { chunk: () => {}, end: done, fail: failed })
        this.#send({ op: 'run', id, sql })
      })
    } finally {
      clearTimeout(stuck)
    }
  }

  async insert(table: string, native: readonly Uint8Array[], token: string): Promise<void> {
    await this.start()
    // The child runs in the spool folder; a bare name holds nothing that the engine could take for a pattern.
    const name = `block-${process.pid}-${++this.#ids}.native`
    const file = join(this.#folders.spool, name)
    try {
      await writePieces(file, native)
      await this.command(
        `INSERT INTO ${quoteName(table)} FROM INFILE ${quoteText(name)} ` +
          `SETTINGS insert_deduplication_token = ${quoteText(token)} FORMAT Native`,
      )
    } finally {
      await rm(file, { force: true })
    }
  }

  async about(): Promise<{ readonly version: string; readonly where: string }> {
    return { version: await this.start(), where: this.#folders.path }
  }

  /** Removes blocks that an earlier process left behind; called once the folder is ours. */
  sweep(): void {
    for (const name of readdirSync(this.#folders.spool)) {
      rmSync(join(this.#folders.spool, name), { force: true })
    }
  }

  async close(): Promise<void> {
    this.#closing = true
    const child = this.#child
    if (child === undefined) return
    const gone = new Promise<void>((done) => {
      child.once('close', () => done())
    })
    this.#send({ op: 'close' })
    const stuck = setTimeout(() => child.kill('SIGKILL'), CLOSE_MS)
    await gone
    clearTimeout(stuck)
  }
}

async function writePieces(path: string, pieces: readonly Uint8Array[]): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    // One call takes at most 1024 pieces.
    for (let at = 0; at < pieces.length; at += 1024) {
      const some = pieces.slice(at, at + 1024)
      const wanted = some.reduce((sum, piece) => sum + piece.length, 0)
      const { bytesWritten } = await file.writev([...some])
      if (bytesWritten !== wanted) throw new EngineError('unavailable', `cannot write ${path}`)
    }
  } catch (error) {
    if (error instanceof EngineError) throw error
    throw new EngineError('unavailable', `cannot write ${path}: ${textOf(error)}`)
  } finally {
    await file.close()
  }
}

function foldersOf(path: string): EngineFolders {
  const full = resolve(path)
  const pattern = /[*?{}\\]/.exec(full)
  if (pattern !== null) {
    // The engine reads such a path as a pattern of file names.
    const why = `the engine cannot use a folder with "${pattern[0]}" in its path`
    throw new EngineError('unavailable', `cannot open ${full}: ${why}`)
  }
  try {
    return prepareFolders(full)
  } catch (error) {
    throw new EngineError('unavailable', `cannot open ${path}: ${systemReason(error)}`)
  }
}

const EMPTY_TABLE = /Empty query: .*metadata file (\S+?\.sql)(?:[\s.,;]|$)/

/**
 * Removes the description of a table that a full disk left empty: the table was never made, so nothing is stored in it,
 * but the engine would not open the folder again. True when the folder is worth another try.
 */
function removedStub(error: unknown, path: string): boolean {
  const file = error instanceof EngineError ? EMPTY_TABLE.exec(error.message)?.[1] : undefined
  if (file === undefined || !file.startsWith(path + sep)) return false
  try {
    if (statSync(file).size > 0) return false
    rmSync(file)
    return true
  } catch {
    return false
  }
}

/**
 * Opens the embedded engine on a folder. Fails with `locked` when another process has it (the message names that
 * process), with `unavailable` when it cannot be opened.
 */
export async function openChdb(options: ChdbOptions): Promise<Engine> {
  const folders = foldersOf(options.path)
  for (let tries = 1; ; tries++) {
    const engine = new ChdbEngine(options, folders)
    try {
      await engine.start()
      engine.sweep()
      return engine
    } catch (error) {
      await engine.close()
      if (removedStub(error, folders.path)) continue
      const isLocked = error instanceof EngineError && error.kind === 'locked'
      if (!isLocked || tries >= LOCK_TRIES) throw error
    }
    // A child whose parent was killed needs a moment to let go.
    await wait(LOCK_WAIT_MS)
  }
}
