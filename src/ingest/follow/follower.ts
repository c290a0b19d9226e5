/**
 * Follows files and folders: looks what is there, reads what is new, and notes how far it got once that is stored. The
 * order makes it safe to stop at any time: what is read again is told from what is stored by the ids of its batches.
 */
import { type FSWatcher, watch } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { limits } from '../../core/limits.ts'
import type { Damage } from '../report.ts'
import { type InputFile, listInputs } from '../walk.ts'
import { Entry } from './entry.ts'
import { type Counts, Hand, type HandOptions, type Read } from './hand.ts'
import { Kinship, kinOf } from './kin.ts'
import type { Mark, MarkTable } from './mark.ts'

export interface FollowState extends Readonly<Counts> {
  /** Files that are followed, and those of them that have something unread. */
  readonly files: number
  readonly behind: number
  readonly unreadBytes: number
  /** Milliseconds since the oldest of what is unread was seen. */
  readonly lag: number
  /** Files and folders that cannot be read. */
  readonly problems: number
}

export interface FollowOptions extends Omit<HandOptions, 'counts' | 'onDamage'> {
  readonly paths: readonly string[]
  readonly marks: MarkTable
  readonly workers: number
  /** Ends when all that is there has been read. */
  readonly once: boolean
  readonly signal: AbortSignal
  /** Milliseconds since some moment; never goes back. */
  readonly elapsed: () => number
  readonly onState: (state: FollowState) => void
  /** Told once of each path that cannot be read, and again when the reason changes. */
  readonly onProblem: (path: string, reason: string) => void
  /** Told when the store fails, and that it is tried again. An error that this throws ends the following. */
  readonly onTrouble: (error: Error) => void
}

/** How often folders are looked through when nothing tells of a change; more seldom when that takes long. */
const LOOK_MS = 500
const SOON_MS = 100
const LOOK_SHARE = 10
const TICK_MS = 100
/** How often marks are written. */
const NOTE_MS = 1_000
const TROUBLE_MS = 2_000
/** A new file that may be an old one is looked at once it has been quiet, or after the longer time. */
const KIN_QUIET_MS = 1_500
const KIN_LONG_MS = 5_000
/** Folders that are listened to; the others are only looked through. */
const MOST_WATCHED = 2_000
/** Files that are being read or stored at a time. */
const MOST_RUNNING = 500
const MOST_PROBLEMS = 10_000
/** Files of one name that are remembered after their end, and for how long. */
const MOST_ENDED = 20
const ENDED_MS = 30 * 24 * 3600 * 1000

const errorOf = (error: unknown): Error =>
  error instanceof Error ? error : new Error(String(error))

class Follower {
  readonly #options: FollowOptions
  readonly #counts: Counts = { received: 0, stored: 0, repeated: 0, rejected: 0 }
  readonly #hands: Hand[]
  readonly #idle: Hand[]
  /** Files that are followed, by where they are. */
  readonly #entries = new Map<string, Entry>()
  /** Files whose name has another file now, or none. */
  #ended: Mark[] = []
  /** New files that may be old ones, with when they were first seen. */
  readonly #strangers = new Map<string, { readonly since: number; bytes: number; at: number }>()
  readonly #queue: Entry[] = []
  readonly #dirty = new Map<string, Mark>()
  readonly #problems = new Map<string, string>()
  readonly #watchers = new Map<string, FSWatcher>()
  readonly #running = new Set<Promise<void>>()
  #isChanged = true
  #lookedAt = Number.NEGATIVE_INFINITY
  #lookTook = 0
  #notedAt = Number.NEGATIVE_INFINITY
  #restUntil = Number.NEGATIVE_INFINITY
  #born = 0
  #isOverfull = false
  #wake: (() => void) | undefined
  /** What the caller does not want to go on after. */
  #fatal: { readonly error: unknown } | undefined

  constructor(options: FollowOptions) {
    this.#options = options
    const shared: HandOptions = {
      ...options,
      counts: this.#counts,
      onDamage: (file, damage) => this.#damage(file, damage),
    }
    this.#hands = Array.from({ length: Math.max(1, options.workers) }, () => new Hand(shared))
    this.#idle = [...this.#hands]
  }

  #damage(file: string, { code, reason, place }: Damage): void {
    this.#problem(`${file}`, `${code} ${reason} (${place})`)
  }

  #problem(path: string, reason: string): void {
    if (this.#problems.get(path) === reason) return
    if (!this.#problems.has(path) && this.#problems.size >= MOST_PROBLEMS) return
    this.#problems.set(path, reason)
    this.#options.onProblem(path, reason)
  }

  async #load(): Promise<void> {
    const marks = await this.#options.marks.read()
    const oldest = this.#options.now().ms - ENDED_MS
    for (const mark of marks) {
      if (mark.state === 'live') {
        const file = { path: mark.path, bytes: 0, identity: mark.identity, changed: 0 }
        this.#entries.set(mark.path, new Entry(mark, file, this.#options.elapsed()))
      } else if (mark.at > oldest) this.#ended.push(mark)
    }
    this.#ended.sort((a, b) => b.at - a.at)
  }

  #fresh(file: InputFile, like: Partial<Mark> = {}): Entry {
    const { path, identity } = file
    const at = this.#options.now().ms
    const mark: Mark = {
      id: `${at}-${++this.#born}-${path}`,
      name: path,
      path,
      identity,
      head: '',
      headBytes: 0,
      tail: '',
      offset: 0,
      first: 1,
      lines: 0,
      header: '',
      format: '',
      kind: '',
      size: 0,
      changed: 0,
      state: 'live',
      at,
      ...like,
    }
    const entry = new Entry(mark, file, this.#options.elapsed())
    this.#entries.set(path, entry)
    if (like.id === undefined && like.offset !== undefined) this.#note(entry)
    return entry
  }

  #note({ mark }: Entry): void {
    this.#dirty.set(mark.id, {
      ...mark,
      changed: Math.floor(mark.changed),
      at: this.#options.now().ms,
    })
  }

  /** Its name has another file now, or none. */
  #finish(entry: Entry): void {
    if (this.#entries.get(entry.mark.path) === entry) this.#entries.delete(entry.mark.path)
    const mark = { ...entry.mark, state: 'ended', at: this.#options.now().ms }
    this.#dirty.set(mark.id, { ...mark, changed: Math.floor(mark.changed) })
    if (mark.offset === 0) return
    this.#ended.unshift(mark)
    const same = this.#ended.filter(({ name }) => name === mark.name)
    const last = same[MOST_ENDED]
    if (last !== undefined) this.#ended = this.#ended.filter((each) => each !== last)
  }

  /** Looks through the folders. */
  async #look(): Promise<void> {
    const { elapsed, paths } = this.#options
    const started = elapsed()
    this.#isChanged = false
    const { files, problems } = listInputs(paths)
    for (const { path, reason } of problems) this.#problem(path, reason)
    const bad = new Set(problems.map(({ path }) => path))
    const byIdentity = new Map(files.map((each) => [each.identity, each]))
    const byPath = new Map(files.map((each) => [each.path, each]))
    const known = new Set<string>()
    for (const entry of [...this.#entries.values()])
      this.#seeAgain(entry, byPath, byIdentity, known, bad)
    const strangers = files.filter(
      ({ path, identity }) => !this.#entries.has(path) && !known.has(identity),
    )
    const kinship =
      strangers.length === 0
        ? undefined
        : new Kinship([...this.#ended, ...[...this.#entries.values()].map(({ mark }) => mark)])
    for (const file of strangers) {
      if (this.#entries.size >= limits.followedFiles) {
        if (!this.#isOverfull) {
          this.#isOverfull = true
          this.#problem(
            file.path,
            `more than ${limits.followedFiles} files; the rest is left alone`,
          )
        }
        break
      }
      await this.#meet(file, kinship?.of(file.path) ?? [])
    }
    for (const path of this.#strangers.keys()) if (!byPath.has(path)) this.#strangers.delete(path)
    this.#listen(files)
    this.#lookedAt = elapsed()
    this.#lookTook = this.#lookedAt - started
  }

  #seeAgain(
    entry: Entry,
    byPath: ReadonlyMap<string, InputFile>,
    byIdentity: ReadonlyMap<string, InputFile>,
    known: Set<string>,
    bad: ReadonlySet<string>,
  ): void {
    const { mark } = entry
    const here = byPath.get(mark.path)
    const file = here?.identity === mark.identity ? here : byIdentity.get(mark.identity)
    // What cannot be looked at now is not gone.
    if (
      file === undefined &&
      here === undefined &&
      [...bad].some((each) => mark.path.startsWith(each))
    )
      return
    if (file === undefined || known.has(mark.identity)) {
      this.#finish(entry)
      return
    }
    if (file.path !== mark.path) {
      this.#entries.delete(mark.path)
      const other = this.#entries.get(file.path)
      if (other !== undefined) this.#finish(other)
      this.#entries.set(file.path, entry)
    }
    entry.see(file, this.#options.elapsed())
    if (entry.mark !== mark) this.#note(entry)
    if (mark.kind !== 'whole' && file.bytes < mark.offset && !entry.isBusy) {
      this.#finish(entry)
      this.#fresh(file)
    }
    known.add(mark.identity)
  }

  /** A file that is not followed yet: a new one, or one that was read before under another name. */
  async #meet(file: InputFile, marks: readonly Mark[]): Promise<void> {
    const { elapsed, once } = this.#options
    if (marks.length === 0) {
      this.#fresh(file)
      return
    }
    const now = elapsed()
    const seen = this.#strangers.get(file.path) ?? { since: now, bytes: -1, at: now }
    if (seen.bytes !== file.bytes) seen.at = now
    seen.bytes = file.bytes
    this.#strangers.set(file.path, seen)
    const isSettled = now - seen.at >= KIN_QUIET_MS || now - seen.since >= KIN_LONG_MS
    if (!isSettled && !once) return
    // What is being read of the others has to be noted before it can be compared.
    const isBusy = marks.some(({ path, id }) => {
      const entry = this.#entries.get(path)
      return entry?.isBusy === true && entry.mark.id === id
    })
    if (isBusy && !once && now - seen.since < 4 * KIN_LONG_MS) return
    this.#strangers.delete(file.path)
    try {
      const kin = await kinOf(file, marks)
      if (kin === undefined) this.#fresh(file)
      else this.#adopt(file, kin.mark, kin)
    } catch {
      // Reading it will say what is wrong.
      this.#fresh(file)
    }
  }

  #adopt(
    file: InputFile,
    mark: Mark,
    { bytes, isPacked }: { bytes: number; isPacked: boolean },
  ): void {
    const { head, headBytes, tail, offset, first, lines, header, format } = mark
    const name = mark.state === 'ended' ? mark.name : file.path
    const place = { name, head, headBytes, tail, offset, first, lines, header, format }
    if (!isPacked) {
      this.#fresh(file, { ...place, kind: 'lines' })
      // Who reads on from there is the new one.
      this.#ended = this.#ended.filter((each) => each !== mark)
      return
    }
    const isAll = bytes === offset % 2 ** 32
    const { bytes: size, changed } = file
    this.#fresh(file, { ...place, kind: 'whole', ...(isAll ? { size, changed } : {}) })
  }

  /** Listens to the folders of the files, so that changes are seen at once. */
  #listen(files: readonly InputFile[]): void {
    const folders = new Set(files.map(({ path }) => dirname(path)))
    for (const path of this.#options.paths) if (folders.size < MOST_WATCHED) folders.add(path)
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue
      watcher.close()
      this.#watchers.delete(folder)
    }
    for (const folder of folders) {
      if (this.#watchers.has(folder) || this.#watchers.size >= MOST_WATCHED) continue
      try {
        const watcher = watch(folder, { persistent: false }, () => {
          this.#isChanged = true
          this.#wake?.()
        })
        watcher.on('error', () => {
          watcher.close()
          this.#watchers.delete(folder)
        })
        this.#watchers.set(folder, watcher)
      } catch {
        // Folders are looked through all the same.
        return
      }
    }
  }

  #fill(): void {
    const now = this.#options.elapsed()
    for (const entry of this.#entries.values()) {
      if (entry.isQueued || !entry.isDue(now, this.#options.once)) continue
      entry.isQueued = true
      this.#queue.push(entry)
    }
  }

  #hand(): void {
    while (this.#idle.length > 0 && this.#queue.length > 0 && this.#running.size < MOST_RUNNING) {
      const entry = this.#queue.shift()
      const hand = this.#idle.pop()
      if (entry === undefined || hand === undefined) return
      entry.isQueued = false
      entry.isBusy = true
      const running = this.#read(entry, hand)
        .catch((error: unknown) => {
          this.#fatal ??= { error }
        })
        .finally(() => {
          this.#running.delete(running)
          entry.isBusy = false
          this.#wake?.()
        })
      this.#running.add(running)
    }
  }

  #free(hand: Hand): void {
    if (!this.#idle.includes(hand)) this.#idle.push(hand)
    if (this.#queue.length > 0 && !this.#options.signal.aborted) this.#hand()
    else this.#wake?.()
  }

  async #read(entry: Entry, hand: Hand): Promise<void> {
    const { elapsed, once } = this.#options
    const { mark } = entry
    const { bytes, changed } = entry
    const started = elapsed()
    try {
      const isWhole = mark.kind === 'whole' && mark.offset === 0
      const part = isWhole ? undefined : entry.part(started, once)
      const { path } = mark
      const reading = hand.read({
        path,
        isAgain: entry.isAgain,
        ...(part === undefined ? {} : { part }),
      })
      void reading.decoded.then(() => this.#free(hand))
      this.#done(entry, await reading.stored, { bytes, changed, started })
    } catch (error) {
      this.#free(hand)
      entry.isAgain = true
      if (this.#options.signal.aborted) return
      this.#restUntil = elapsed() + TROUBLE_MS
      this.#options.onTrouble(errorOf(error))
    }
  }

  #done(
    entry: Entry,
    { part, error }: Read,
    seen: { readonly bytes: number; readonly changed: number; readonly started: number },
  ): void {
    const now = this.#options.elapsed()
    if (this.#options.signal.aborted && part === undefined) return
    if (error !== undefined) {
      entry.failedAt = seen.bytes
      entry.isAgain = true
      this.#problem(entry.mark.path, error)
      return
    }
    entry.failedAt = undefined
    if (part?.kind === 'moved') {
      this.#isChanged = true
      return
    }
    if (part?.kind === 'other' && entry.mark.kind !== 'whole') {
      this.#finish(entry)
      this.#isChanged = true
      return
    }
    if (part?.kind === 'other') {
      // It only began like a file that was read: it is read from its start.
      entry.mark = { ...entry.mark, name: entry.mark.path, offset: 0, first: 1, lines: 0, tail: '' }
      return
    }
    if (part === undefined || entry.mark.kind === 'whole') {
      entry.readWhole(seen.bytes, seen.changed, seen.started, now)
    } else {
      const before = entry.mark
      entry.readTo(part, now)
      if (entry.mark.offset > before.offset) entry.isAgain = false
      else if (entry.mark.kind === before.kind) return
    }
    if (this.#entries.get(entry.mark.path) === entry) this.#note(entry)
  }

  async #write(isLast = false): Promise<void> {
    const { elapsed, marks } = this.#options
    if (this.#dirty.size === 0 || (!isLast && elapsed() - this.#notedAt < NOTE_MS)) return
    this.#notedAt = elapsed()
    const rows = [...this.#dirty.values()]
    this.#dirty.clear()
    try {
      await marks.append(rows)
    } catch (error) {
      for (const row of rows) if (!this.#dirty.has(row.id)) this.#dirty.set(row.id, row)
      this.#restUntil = elapsed() + TROUBLE_MS
      this.#options.onTrouble(errorOf(error))
    }
  }

  state(): FollowState {
    const now = this.#options.elapsed()
    let behind = 0
    let unreadBytes = 0
    let since = now
    for (const entry of this.#entries.values()) {
      if (entry.unread === 0 || entry.failedAt === entry.bytes) continue
      behind++
      unreadBytes += entry.unread
      since = Math.min(since, entry.behindSince ?? now)
    }
    return {
      ...this.#counts,
      files: this.#entries.size,
      behind,
      unreadBytes,
      lag: now - since,
      problems: this.#problems.size,
    }
  }

  #isLookDue(now: number): boolean {
    const since = now - this.#lookedAt
    const rest = this.#lookTook * LOOK_SHARE
    return since >= Math.max(this.#isChanged ? SOON_MS : LOOK_MS, rest)
  }

  async run(): Promise<FollowState> {
    const { elapsed, signal, once } = this.#options
    const wakeNow = (): void => this.#wake?.()
    signal.addEventListener('abort', wakeNow)
    try {
      await this.#load()
      while (!signal.aborted) {
        if (this.#fatal !== undefined) throw this.#fatal.error
        const now = elapsed()
        if (this.#isLookDue(now)) await this.#look()
        if (now >= this.#restUntil) {
          this.#fill()
          this.#hand()
          await this.#write()
        }
        this.#options.onState(this.state())
        const isIdle = this.#running.size === 0 && this.#queue.length === 0
        if (once && isIdle && !this.#isChanged && this.#strangers.size === 0) {
          await this.#look()
          this.#fill()
          if (this.#queue.length === 0 && !this.#isChanged) break
          continue
        }
        await this.#rest()
      }
      if (!signal.aborted) await Promise.all(this.#running)
    } finally {
      signal.removeEventListener('abort', wakeNow)
      for (const each of this.#watchers.values()) each.close()
      for (const each of this.#hands) await each.close()
      await Promise.all(this.#running)
      await this.#write(true)
    }
    return this.state()
  }

  /** Waits until something has happened, or a while. */
  async #rest(): Promise<void> {
    const stop = new AbortController()
    const woken = new Promise<void>((go) => {
      this.#wake = go
    })
    const tired = wait(TICK_MS, undefined, { signal: stop.signal }).catch(() => undefined)
    await Promise.race([woken, tired])
    stop.abort()
    this.#wake = undefined
    // What comes at once is taken together.
    await wait(10)
  }
}

/** Follows paths until the signal aborts, or once. Rejects with what `onTrouble` throws, and when marks cannot be read. */
export function follow(options: FollowOptions): Promise<FollowState> {
  return new Follower(options).run()
}
