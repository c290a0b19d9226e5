/**
 * The Kusto front end from outside: processes that compile queries, watched and started again when they die. A query
 * that takes too long, or at which the process dies twice, is refused by itself; the others are compiled.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { availableParallelism } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import { diagnose } from '../core/diagnostic.ts'
import { limits } from '../core/limits.ts'
import type {
  KustoAnswer,
  KustoCompiled,
  KustoCompiler,
  KustoPin,
} from '../dialects/kusto/answer.ts'
import {
  dropSnapshot,
  type FrontParts,
  findSnapshot,
  frontEnvironment,
  nodeOptions,
} from './kustosnapshot.ts'
import { decode, encode, type FrontReply, type FrontRequest, type FrontWorld } from './kustowire.ts'

export interface FrontOptions extends FrontParts {
  /** Where the start-up snapshot is kept; undefined starts without one. */
  readonly folder: string | undefined
  /** From `frontVersion`. */
  readonly version: string
  readonly pins?: readonly KustoPin[]
  /** Called before the snapshot is looked for, which may take seconds once. */
  readonly onStart?: () => void
  /** Seconds that one query may take; by default the limit of the product. */
  readonly seconds?: number
}

export interface KustoFront extends KustoCompiler {
  /** Ends the processes; later requests start new ones. */
  close(): void
}

type Process = ChildProcessByStdio<Writable, Readable, Readable>

/** Why a process gave no answer. */
class FrontFailure extends Error {
  readonly isLate: boolean

  constructor(reason: string, isLate = false) {
    super(reason)
    this.isLate = isLate
  }
}

/** A process that was asked for queries takes its time to start on a busy machine. */
const START_MS = 60_000
/** Longest line that is taken from the process; the plan of a query is far below. */
const MOST_LINE = 256 * 1024 * 1024
const STDERR_KEPT = 2_000
/** With fewer queries a second process costs more than it saves. */
const QUERIES_PER_PROCESS = 50
/** A process is started anew after so many queries: the library keeps what it has seen. */
const QUERIES_PER_LIFE = 5_000
const NEWLINE = 10

/** One process, and the line of what it was asked. */
class Front {
  readonly #child: Process
  readonly #seconds: number
  #parts: Buffer[] = []
  #size = 0
  #hear: ((reply: FrontReply) => void) | undefined
  #fail: ((error: FrontFailure) => void) | undefined
  #dead: FrontFailure | undefined
  #world = ''
  #asked = 0

  constructor(child: Process, seconds: number) {
    this.#child = child
    this.#seconds = seconds
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-STDERR_KEPT)
    })
    child.stdin.on('error', () => {})
    child.stdout.on('data', (bytes: Buffer) => this.#read(bytes))
    const end = (how: string): void => {
      const last = said.trim().split('\n').at(-1) ?? ''
      this.#end(new FrontFailure(`its process ended ${how}${last === '' ? '' : `: ${last}`}`))
    }
    child.on('error', (error) => end(`(${error.message})`))
    child.on('close', (code, signal) => end(signal === null ? `with code ${code}` : `by ${signal}`))
  }

  get isDead(): boolean {
    return this.#dead !== undefined
  }

  get isWorn(): boolean {
    return this.#asked >= QUERIES_PER_LIFE
  }

  #end(error: FrontFailure): void {
    this.#dead ??= error
    this.#fail?.(this.#dead)
  }

  #read(bytes: Buffer): void {
    let from = 0
    for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, from)) {
      this.#parts.push(bytes.subarray(from, at))
      const text = Buffer.concat(this.#parts).toString('utf8')
      this.#parts = []
      this.#size = 0
      from = at + 1
      let reply: FrontReply
      try {
        reply = decode(text) as FrontReply
      } catch {
        this.kill()
        this.#end(new FrontFailure('its process answered in a way that cannot be read'))
        return
      }
      this.#hear?.(reply)
    }
    this.#parts.push(bytes.subarray(from))
    this.#size += bytes.length - from
    if (this.#size > MOST_LINE) {
      this.kill()
      this.#end(new FrontFailure('its answer is too large'))
    }
  }

  /** Waits for replies until one ends it; each may take so long. */
  #wait(ms: number, isEnd: (reply: FrontReply) => boolean): Promise<void> {
    return new Promise((done, failed) => {
      let clock: NodeJS.Timeout
      const finish = (): void => {
        clearTimeout(clock)
        this.#hear = undefined
        this.#fail = undefined
      }
      const wind = (): void => {
        clearTimeout(clock)
        clock = setTimeout(() => {
          finish()
          this.kill()
          this.#dead ??= new FrontFailure('it was stopped')
          failed(new FrontFailure('it took too long', true))
        }, ms)
      }
      this.#fail = (error) => {
        finish()
        failed(error)
      }
      this.#hear = (reply) => {
        if (!isEnd(reply)) return wind()
        finish()
        done()
      }
      if (this.#dead !== undefined) this.#fail(this.#dead)
      else wind()
    })
  }

  #send(request: string): void {
    this.#child.stdin.write(`${request}\n`)
  }

  /** Waits until the process can be asked. */
  ready(): Promise<void> {
    return this.#wait(START_MS, (reply) => reply.op === 'ready')
  }

  /** Asks for the queries of a text; `onAnswer` has those that came before a failure too. */
  async ask(text: string, world: string, onAnswer: (answer: KustoAnswer) => void): Promise<void> {
    if (this.#dead !== undefined) throw this.#dead
    if (world !== this.#world) this.#send(world)
    this.#world = world
    const id = ++this.#asked
    this.#send(encode({ op: 'compile', id, text } satisfies FrontRequest))
    await this.#wait(this.#seconds * 1000, (reply) => {
      if (reply.op === 'answer' && reply.id === id) onAnswer(reply.answer)
      return reply.op === 'end' && reply.id === id
    })
  }

  /** Whether this program waits for the process before it ends. */
  hold(isHeld: boolean): void {
    const { stdin, stdout, stderr } = this.#child
    // The pipes of a child are sockets, whatever their types say.
    const parts = [this.#child, stdin, stdout, stderr] as readonly unknown[] as readonly Partial<
      Pick<Socket, 'ref' | 'unref'>
    >[]
    for (const each of parts) {
      if (isHeld) each.ref?.()
      else each.unref?.()
    }
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

/** The answers to one text when the front end gave up on it: those it had, and one that tells why the rest is missing. */
function given(
  text: string,
  answers: readonly KustoAnswer[],
  failure: FrontFailure,
  seconds: number,
): KustoCompiled {
  const start = Math.min(answers.at(-1)?.span.end ?? 0, Math.max(0, text.length - 1))
  const span = { start, end: text.length }
  const diagnostic = failure.isLate
    ? diagnose('HR480', { seconds }, span)
    : diagnose('HR481', { reason: failure.message }, span)
  const refused = { columns: [], tables: [], span, diagnostics: [diagnostic] }
  return { queries: [...answers, refused] }
}

class Fronts implements KustoFront {
  readonly #options: FrontOptions
  readonly #seconds: number
  readonly #idle: Front[] = []
  readonly #live = new Set<Front>()
  #snapshot: Promise<string | undefined> | undefined
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: FrontOptions) {
    this.#options = options
    this.#seconds = options.seconds ?? limits.kustoSeconds
  }

  #spawn(snapshot: string | undefined): Front {
    const { script, files } = this.#options
    const start =
      snapshot === undefined ? [script, JSON.stringify(files)] : ['--snapshot-blob', snapshot]
    // A session of its own: Ctrl-C is for this program, which ends the process when it ends itself.
    const child = spawn(process.execPath, [...nodeOptions(), ...start], {
      cwd: '/',
      detached: true,
      env: frontEnvironment(),
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const front = new Front(child, this.#seconds)
    if (this.#live.size === 0) process.on('exit', this.#killAll)
    this.#live.add(front)
    return front
  }

  readonly #killAll = (): void => {
    for (const each of this.#live) each.kill()
  }

  #drop(front: Front): void {
    front.kill()
    this.#live.delete(front)
    if (this.#live.size === 0) process.off('exit', this.#killAll)
  }

  async #start(): Promise<Front> {
    const { folder, version, onStart } = this.#options
    if (this.#snapshot === undefined) onStart?.()
    this.#snapshot ??=
      folder === undefined
        ? Promise.resolve(undefined)
        : findSnapshot(this.#options, folder, version)
    const snapshot = await this.#snapshot
    const front = this.#spawn(snapshot)
    try {
      await front.ready()
      return front
    } catch (error) {
      this.#drop(front)
      if (snapshot === undefined) throw error
    }
    // A snapshot that does not start is of no use to anybody.
    dropSnapshot(snapshot)
    this.#snapshot = Promise.resolve(undefined)
    return this.#start()
  }

  async #take(): Promise<Front> {
    const front = this.#idle.pop() ?? (await this.#start())
    front.hold(true)
    return front
  }

  #giveBack(front: Front): void {
    if (front.isDead || front.isWorn) this.#drop(front)
    else {
      front.hold(false)
      this.#idle.push(front)
    }
  }

  /** Compiles one text with a process; the process that comes back is the one to go on with. */
  async #compile(
    front: Front,
    text: string,
    world: string,
  ): Promise<{ readonly front: Front; readonly compiled: KustoCompiled }> {
    let current = front
    for (let tries = 1; ; tries++) {
      const queries: KustoAnswer[] = []
      try {
        await current.ask(text, world, (answer) => queries.push(answer))
        return { front: current, compiled: { queries } }
      } catch (error) {
        if (!(error instanceof FrontFailure)) throw error
        this.#drop(current)
        current = await this.#take()
        if (error.isLate || tries > 1) {
          return { front: current, compiled: given(text, queries, error, this.#seconds) }
        }
      }
    }
  }

  async #all(texts: readonly string[], world: string): Promise<readonly KustoCompiled[]> {
    const answers: KustoCompiled[] = new Array<KustoCompiled>(texts.length)
    let next = 0
    const work = async (): Promise<void> => {
      let front = await this.#take()
      try {
        while (next < texts.length) {
          const at = next++
          const done = await this.#compile(front, texts[at] ?? '', world)
          front = done.front
          answers[at] = done.compiled
        }
      } finally {
        this.#giveBack(front)
      }
    }
    const wanted = Math.min(
      limits.kustoProcesses,
      availableParallelism(),
      Math.ceil(texts.length / QUERIES_PER_PROCESS),
    )
    // The first makes the snapshot, if there is none, for the others.
    this.#idle.push(await this.#take())
    await Promise.all(Array.from({ length: Math.max(1, wanted) }, work))
    // One process stays for the next request.
    while (this.#idle.length > 1) {
      const spare = this.#idle.pop()
      if (spare !== undefined) this.#drop(spare)
    }
    return answers
  }

  compile: KustoCompiler['compile'] = (requests, functions, watchlists, custom = []) => {
    if (requests.length === 0) return Promise.resolve([])
    const world: FrontWorld = { functions, watchlists, pins: this.#options.pins ?? [], custom }
    const line = encode({ op: 'world', world } satisfies FrontRequest)
    const texts = requests.map(({ query }) => query)
    const mine = this.#turn.then(() => this.#all(texts, line))
    this.#turn = mine.catch(() => {})
    return mine
  }

  close(): void {
    this.#killAll()
    this.#idle.length = 0
    this.#live.clear()
    process.off('exit', this.#killAll)
  }
}

/** A front end in processes of its own; the first starts with the first request, and one stays for later ones. */
export function openFront(options: FrontOptions): KustoFront {
  return new Fronts(options)
}
