/**
 * Compiled Kusto queries on disk, so that a query that was compiled before needs no front end. Each text has a file of its
 * own, named by what its answer depends on; a file that cannot be read, or that holds something else, counts as none.
 */
import { createHash } from 'node:crypto'
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { limits } from '../core/limits.ts'
import type { TableText } from '../dialects/kusto/adapter.ts'
import type {
  KustoAnswer,
  KustoCompiled,
  KustoCompiler,
  KustoFunction,
  KustoPin,
  Watchlist,
} from '../dialects/kusto/answer.ts'
import { readsAll } from '../dialects/kusto/scan.ts'
import { decode, encode } from './kustowire.ts'
import { isPrivateFolder, removeQuietly } from './privatefolder.ts'

export interface CacheOptions {
  readonly folder: string
  /** A text that changes with everything else that answers depend on: the program and its tables. */
  readonly version: string
  readonly pins?: readonly KustoPin[]
  /** Bytes on disk; by default the limit of the product. */
  readonly bytes?: number
}

const MAGIC = 'harrier compiled kusto 1'
const SHARD = /^[0-9a-f]{2}$/
const ENTRY = /^[0-9a-f]{62}(?:\.\d+)?$/
const DAY_MS = 24 * 3600 * 1000
/** Of the bound; what is left after old files were removed. */
const KEPT = 0.75
/** Texts that are written before the size is looked at again, in the long run. */
const WRITES_PER_SWEEP = 64
const WORD = /[A-Za-z_]\w*/g
/** A plan that is larger than this, as it is written, is not worth keeping. */
const MOST_ENTRY = 64 * 1024 * 1024
/** What a process had to give up on may go well another time. */
const PASSING: ReadonlySet<string> = new Set(['HR480', 'HR481'])

const sha = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex')

/** The part of a request's key that depends on what its text uses. */
class Uses {
  readonly #functions: ReadonlyMap<string, KustoFunction>
  readonly #watchlists: readonly Watchlist[]
  readonly #pins: readonly KustoPin[]
  readonly #tables: ReadonlyMap<string, TableText>
  #lists: string | undefined
  #files: string | undefined

  constructor(
    functions: readonly KustoFunction[],
    watchlists: readonly Watchlist[],
    pins: readonly KustoPin[],
    tables: readonly TableText[],
  ) {
    this.#pins = pins
    this.#tables = new Map(tables.map((each) => [each.name.toLowerCase(), each]))
    this.#functions = new Map(functions.map((each) => [each.name, each]))
    this.#watchlists = watchlists
  }

  /**
   * The functions that a text names, those that they name, the tables of the store among its words, and the watchlists
   * and files where it names any.
   */
  of(text: string): readonly unknown[] {
    const words = new Set<string>()
    const texts = [text]
    const functions: KustoFunction[] = []
    for (const each of texts) {
      for (const [word] of each.matchAll(WORD)) {
        if (words.has(word)) continue
        words.add(word)
        const found = this.#functions.get(word)
        if (found === undefined) continue
        functions.push(found)
        texts.push(found.body)
      }
    }
    const used = functions.map(({ name, parameters, body }) => [name, parameters, body])
    const isListed = words.has('_GetWatchlist') || words.has('_GetWatchlistAlias')
    const isExternal = words.has('externaldata') || words.has('external_data')
    if (isListed) this.#lists ??= sha(JSON.stringify(this.#watchlists))
    if (isExternal) this.#files ??= sha(JSON.stringify(this.#pins))
    const isWide = texts.some((each) => readsAll(each) || /\w\*/.test(each))
    const tables = isWide
      ? [...this.#tables.values()]
      : [...words].flatMap((word) => this.#tables.get(word.toLowerCase()) ?? [])
    return [used, isListed ? this.#lists : '', isExternal ? this.#files : '', tables]
  }
}

function isAnswer(value: unknown): value is KustoAnswer {
  if (typeof value !== 'object' || value === null) return false
  const { columns, tables, diagnostics, span } = value as Record<string, unknown>
  return [columns, tables, diagnostics].every(Array.isArray) && typeof span === 'object'
}

function isCompiled(value: unknown): value is KustoCompiled {
  if (typeof value !== 'object' || value === null || !('queries' in value)) return false
  const { queries } = value
  return Array.isArray(queries) && queries.every(isAnswer)
}

/** The answer that a file holds for a key; undefined when it holds none. */
function readEntry(bytes: Buffer, key: string): KustoCompiled | undefined {
  const end = bytes.indexOf(10)
  const [magic, own, sum] = bytes.subarray(0, Math.max(end, 0)).toString('latin1').split('\t')
  const body = bytes.subarray(end + 1)
  if (magic !== MAGIC || own !== key || sum !== sha(body)) return undefined
  const value = decode(inflateRawSync(body, { maxOutputLength: MOST_ENTRY }).toString('utf8'))
  return isCompiled(value) ? value : undefined
}

function printEntry(key: string, compiled: KustoCompiled): Buffer | undefined {
  const text = encode(compiled)
  if (text.length > MOST_ENTRY / 4) return undefined
  const body = deflateRawSync(text, { level: 1 })
  return Buffer.concat([Buffer.from(`${[MAGIC, key, sha(body)].join('\t')}\n`, 'latin1'), body])
}

interface Entry {
  readonly path: string
  readonly size: number
  readonly used: number
}

/** The files of a cache. */
function* entriesOf(folder: string): Generator<Entry> {
  for (const shard of readdirSync(folder)) {
    if (!SHARD.test(shard)) continue
    for (const name of readdirSync(join(folder, shard))) {
      if (!ENTRY.test(name)) continue
      const path = join(folder, shard, name)
      const stat = statSync(path, { throwIfNoEntry: false })
      if (stat !== undefined) yield { path, size: stat.size, used: stat.mtimeMs }
    }
  }
}

/** How many texts a cache holds, and their bytes on disk. */
export function cacheSize(folder: string): { readonly texts: number; readonly bytes: number } {
  try {
    const sizes = [...entriesOf(folder)].map(({ size }) => size)
    return { texts: sizes.length, bytes: sizes.reduce((sum, each) => sum + each, 0) }
  } catch {
    return { texts: 0, bytes: 0 }
  }
}

class Cache implements KustoCompiler {
  readonly #compiler: KustoCompiler
  readonly #options: CacheOptions
  readonly #isUsable: boolean

  constructor(compiler: KustoCompiler, options: CacheOptions) {
    this.#compiler = compiler
    this.#options = options
    this.#isUsable = isPrivateFolder(options.folder)
  }

  #path(key: string): string {
    return join(this.#options.folder, key.slice(0, 2), key.slice(2))
  }

  #read(key: string): KustoCompiled | undefined {
    if (!this.#isUsable) return undefined
    const path = this.#path(key)
    try {
      const compiled = readEntry(readFileSync(path), key)
      const now = Date.now()
      if (compiled !== undefined && now - statSync(path).mtimeMs > DAY_MS) {
        utimesSync(path, new Date(now), new Date(now))
      }
      return compiled
    } catch {
      return undefined
    }
  }

  #write(key: string, compiled: KustoCompiled): void {
    if (!this.#isUsable) return
    const isPassing = compiled.queries.some(({ diagnostics }) =>
      diagnostics.some(({ code }) => PASSING.has(code)),
    )
    const bytes = isPassing ? undefined : printEntry(key, compiled)
    if (bytes === undefined) return
    const path = this.#path(key)
    const fresh = `${path}.${process.pid}`
    try {
      mkdirSync(join(this.#options.folder, key.slice(0, 2)), { recursive: true, mode: 0o700 })
      writeFileSync(fresh, bytes, { mode: 0o600 })
      renameSync(fresh, path)
    } catch {
      // A full or unwritable disk costs speed only.
      removeQuietly(fresh)
    }
  }

  /** Removes what was used longest ago once the bound is passed. */
  #sweep(): void {
    const { folder, bytes = limits.kustoCacheBytes } = this.#options
    try {
      const all = [...entriesOf(folder)].sort((a, b) => b.used - a.used)
      let sum = all.reduce((total, { size }) => total + size, 0)
      if (sum <= bytes) return
      while (sum > bytes * KEPT) {
        const oldest = all.pop()
        if (oldest === undefined) return
        removeQuietly(oldest.path)
        sum -= oldest.size
      }
    } catch {
      // Another process is at it, or the folder went away.
    }
  }

  compile: KustoCompiler['compile'] = async (requests, functions, watchlists, tables = []) => {
    const uses = new Uses(functions, watchlists, this.#options.pins ?? [], tables)
    const jobs = requests.map((request) => {
      const key = sha(
        JSON.stringify([this.#options.version, request.query, uses.of(request.query)]),
      )
      return { request, key, known: this.#read(key) }
    })
    const missing = new Map(
      jobs.filter(({ known }) => known === undefined).map(({ key, request }) => [key, request]),
    )
    if (missing.size === 0) return jobs.flatMap(({ known }) => known ?? [])
    const keys = [...missing.keys()]
    const made = await this.#compiler.compile([...missing.values()], functions, watchlists, tables)
    const fresh = new Map(keys.flatMap((key, at) => (made[at] ? [[key, made[at]] as const] : [])))
    for (const [key, compiled] of fresh) this.#write(key, compiled)
    const isDue =
      fresh.size >= WRITES_PER_SWEEP ||
      keys.some((key) => Number.parseInt(key.slice(-4), 16) % WRITES_PER_SWEEP === 0)
    if (this.#isUsable && isDue) this.#sweep()
    return jobs.map(({ key, known }) => known ?? fresh.get(key) ?? { queries: [] })
  }
}

/** A compiler that is only asked for what is not on disk. Answers are the same with and without. */
export function cachedCompiler(compiler: KustoCompiler, options: CacheOptions): KustoCompiler {
  return new Cache(compiler, options)
}
