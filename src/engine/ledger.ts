/**
 * The ledger of batches: which are stored in full, so that none is stored twice. A batch whose rows are in the
 * tables but not in the ledger was cut short (a crash between the two); such a batch is a suspect, and is
 * compared with what is there before it is stored again.
 */
import { limits } from '../core/limits.ts'
import { META } from '../schema/source.ts'
import { quoteName, quoteText } from '../sql/quote.ts'
import type { Engine } from './engine.ts'
import { BATCHES } from './tables.ts'

/** A batch that is stored: where it began in its file, how many records, and its id. */
export interface KnownBatch {
  readonly first: number
  readonly received: number
  readonly id: string
}

const NONE: readonly KnownBatch[] = []
/** Batches that one query asks for. */
const IDS_AT_ONCE = 500
const FILE = quoteName('file')

export class Ledger {
  readonly #engine: Engine
  /** Batches by file; undefined when there are too many to keep, and each file is looked up. */
  #files: Map<string, KnownBatch[]> | undefined
  #ids = new Set<string>()
  readonly #suspects = new Set<string>()
  /** Suspects that were not noted when this process came, or that it has failed with itself. */
  readonly #cut = new Set<string>()
  #loaded: Promise<void> | undefined
  #checked: Promise<void> | undefined

  constructor(engine: Engine) {
    this.#engine = engine
  }

  #load(): Promise<void> {
    this.#loaded ??= this.#read().catch((error: unknown) => {
      this.#loaded = undefined
      throw error
    })
    return this.#loaded
  }

  async #read(): Promise<void> {
    const table = quoteName(BATCHES)
    for await (const [count] of this.#engine.rows(`SELECT count() FROM ${table}`)) {
      if (Number(count) > limits.knownBatches) return
    }
    const files = new Map<string, KnownBatch[]>()
    const ids = new Set<string>()
    for await (const chunk of this.#engine.chunks(
      `SELECT id, ${FILE}, first, received FROM ${table} ORDER BY ${FILE}, first`,
    )) {
      for (const [id, file, first, received] of chunk) {
        remember(files, String(file), {
          id: String(id),
          first: Number(first),
          received: Number(received),
        })
        ids.add(String(id))
      }
    }
    this.#files = files
    this.#ids = ids
  }

  /** Finds batches that the tables know and the ledger does not; once, before the first write. */
  async check(tables: readonly string[]): Promise<void> {
    this.#checked ??= this.#findSuspects(tables).catch((error: unknown) => {
      this.#checked = undefined
      throw error
    })
    await this.#checked
  }

  async #findSuspects(tables: readonly string[]): Promise<void> {
    const batch = quoteName(META.batch)
    for (const table of tables) {
      const sql =
        `SELECT DISTINCT ${batch} FROM ${quoteName(table)} ` +
        `WHERE ${batch} NOT IN (SELECT id FROM ${quoteName(BATCHES)})`
      for await (const [id] of this.#engine.rows(sql)) this.#suspects.add(String(id))
    }
    for (const ids of this.#lists(this.#suspects)) {
      for (const table of tables) {
        const rows =
          `SELECT ${batch} FROM ${quoteName(table)} WHERE ${batch} IN (${ids}) ` +
          `GROUP BY ${batch} HAVING min(${quoteName(META.ingest)}) >= ` +
          `(SELECT max(ingest) FROM ${quoteName(BATCHES)}) ` +
          `AND (SELECT count() FROM ${quoteName(BATCHES)}) > 0`
        for await (const [id] of this.#engine.rows(rows)) this.#cut.add(String(id))
      }
    }
  }

  /** Ids as the lists of queries, so many at once. */
  *#lists(ids: Iterable<string>): Generator<string> {
    const all = [...ids]
    for (let at = 0; at < all.length; at += IDS_AT_ONCE) {
      yield all
        .slice(at, at + IDS_AT_ONCE)
        .map(quoteText)
        .join(', ')
    }
  }

  isSuspect(id: string): boolean {
    return this.#suspects.has(id)
  }

  /**
   * Suspects that were surely cut short: not in the ledger, and not older than its last row when this process came. A batch
   * that is older was noted once, and a ledger that has lost it must not take its events along.
   */
  async cutShort(): Promise<ReadonlySet<string>> {
    for (const ids of this.#lists(this.#cut)) {
      const sql = `SELECT id FROM ${quoteName(BATCHES)} WHERE id IN (${ids})`
      for await (const [id] of this.#engine.rows(sql)) this.#cut.delete(String(id))
    }
    return new Set(this.#cut)
  }

  /** Notes that nothing is left of some batches. */
  acquit(ids: readonly string[]): void {
    for (const id of ids) this.#forgive(id)
  }

  #forgive(id: string): void {
    this.#suspects.delete(id)
    this.#cut.delete(id)
  }

  /** Marks batches whose storing failed at an unknown point. */
  suspect(ids: readonly string[]): void {
    for (const id of ids) {
      this.#suspects.add(id)
      this.#cut.add(id)
    }
  }

  /** True when the batch is stored in full. */
  async has(id: string, file: string): Promise<boolean> {
    await this.#load()
    if (this.#ids.has(id)) return true
    if (this.#files !== undefined) return false
    return (await this.#lookUp(file)).some((each) => each.id === id)
  }

  /** The stored batches of a file, in order. */
  async known(file: string): Promise<readonly KnownBatch[]> {
    await this.#load()
    return this.#files === undefined ? this.#lookUp(file) : (this.#files.get(file) ?? NONE)
  }

  async #lookUp(file: string): Promise<readonly KnownBatch[]> {
    const found: KnownBatch[] = []
    const sql =
      `SELECT id, first, received FROM ${quoteName(BATCHES)} ` +
      `WHERE ${FILE} = ${quoteText(file)} ORDER BY first`
    for await (const [id, first, received] of this.#engine.rows(sql)) {
      found.push({ id: String(id), first: Number(first), received: Number(received) })
    }
    return found
  }

  /** Notes a batch whose row in the ledger table is stored. */
  add(file: string, batch: KnownBatch): void {
    this.#ids.add(batch.id)
    this.#forgive(batch.id)
    if (this.#files !== undefined) remember(this.#files, file, batch)
  }

  /** Forgets everything; the tables are gone. */
  clear(): void {
    this.#files = new Map()
    this.#ids.clear()
    this.#suspects.clear()
    this.#cut.clear()
    this.#loaded = Promise.resolve()
    this.#checked = Promise.resolve()
  }
}

function remember(files: Map<string, KnownBatch[]>, file: string, batch: KnownBatch): void {
  const known = files.get(file)
  if (known === undefined) files.set(file, [batch])
  else known.push(batch)
}
