/**
 * The store: batches of events into tables, exactly once, and what is there out again. A batch is acknowledged
 * when its rows, its rejects and its row in the ledger are on disk; batches that arrive together share one insert
 * for each table.
 */
import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { step } from '../core/steps.ts'
import type { Batch, BatchReceipt, ColumnBlock, Reject, SourceBlock } from '../schema/batch.ts'
import {
  constantText,
  constantTime,
  ListColumn,
  TextColumn,
  TimeColumn,
  Uint64Column,
} from '../schema/columns.ts'
import type { LookupTables } from '../schema/lookups.ts'
import { META, type Source } from '../schema/source.ts'
import type { StoredCatalogue } from '../schema/stored.ts'
import { quoteName, quoteText } from '../sql/quote.ts'
import { Contents, type StoredSource } from './contents.ts'
import { findDamage } from './damage.ts'
import { type Engine, EngineError, type QueryOptions } from './engine.ts'
import { engineErrorOf } from './failure.ts'
import { type KnownBatch, Ledger } from './ledger.ts'
import { openLookups } from './lookups.ts'
import { assembleBlock } from './native.ts'
import { openRecords, type Records } from './records.ts'
import {
  BATCHES,
  createBatches,
  createRejects,
  growBatches,
  LATER_COLUMNS,
  REJECTS,
  tableOf,
} from './tables.ts'
import { Numbering, readTouched, type TouchedBatch, touchedTexts } from './touched.ts'

export interface StoreOptions {
  readonly engine: Engine
  /** Facts of a source by its name: sort order and fields that are never dictionary-coded. */
  readonly source?: (name: string) => Source | undefined
  /** Milliseconds since 1970, for `@ingest`. */
  readonly now?: () => number
  /** True when nobody else can write to the store. */
  readonly isOwned?: boolean
}

export interface Store {
  /**
   * Stores a batch; resolves when it is on disk. A batch that is stored already changes nothing and says so. The
   * call may be repeated after any error.
   */
  write(batch: Batch): Promise<BatchReceipt>
  /** Batches of a file that are stored, in order. */
  knownBatches(file: string): Promise<readonly KnownBatch[]>
  /**
   * Batches that were stored after one, by their numbers, with the minutes that they touched; the first ones when there
   * are many. Batches of stores that earlier versions wrote are not told.
   */
  touched(after: number): Promise<readonly TouchedBatch[]>
  /**
   * Batches of which rows may be there although they were not stored in full: the program ended, or the engine died, before
   * they were noted. Nobody was told that they are stored, and their rows may go again.
   */
  unnoted(): Promise<ReadonlySet<string>>
  /** Names of the field columns of each source; list columns with their suffix. */
  columnNames(): Promise<ReadonlyMap<string, readonly string[]>>
  /** The sources that have data, as the planner needs them. */
  catalogue(): Promise<StoredCatalogue>
  /** The sources that have data, as a person wants them. */
  sources(): Promise<readonly StoredSource[]>
  rows(sql: string, options?: QueryOptions): AsyncIterable<readonly unknown[]>
  /** Records that could not be stored, the latest first. */
  rejects(options?: QueryOptions): AsyncIterable<Reject>
  about(): Promise<{ readonly version: string; readonly where: string }>
  /** The rows of lookups. */
  readonly lookups: LookupTables
  /** What the product itself must remember. */
  readonly records: Records
  /** Removes everything that is stored. No write may be running. */
  drop(): Promise<void>
}

interface Waiting {
  readonly batch: Batch
  readonly done: (receipt: BatchReceipt) => void
  readonly failed: (error: EngineError) => void
}

/** Blocks for one table, and how many of their rows belong to each batch. */
interface Insert {
  readonly blocks: { readonly rows: number; readonly columns: readonly ColumnBlock[] }[]
}

/** What one shared insert may hold; one batch alone may be larger. */
const GROUP_BATCHES = 500
const GROUP_BYTES = 48 * 1024 * 1024
const GROUP_ROWS = 200_000
/** Rows times columns: the engine fills the columns that a block lacks, at about eight bytes a cell. */
const GROUP_CELLS = 8_000_000
/** Tries of one insert when the engine dies under it, and the wait before each further one. */
const TRIES = 4
const RETRY_MS = 250
/** Batches that one statement removes. */
const REMOVED_AT_ONCE = 500

function sizeOf({ blocks, rejects }: Batch): number {
  let bytes = 0
  for (const { columns } of blocks) for (const { data } of columns) bytes += data.length
  for (const { raw } of rejects) bytes += raw.length
  return bytes
}

function rowsOf({ blocks, rejects }: Batch): number {
  return blocks.reduce((sum, { rows }) => sum + rows, rejects.length)
}

class EventStore implements Store {
  readonly #engine: Engine
  readonly lookups: LookupTables
  readonly records: ReturnType<typeof openRecords>
  readonly #now: () => number
  readonly #isOwned: boolean
  readonly #contents: Contents
  readonly #ledger: Ledger
  readonly #numbering: Numbering
  readonly #queue: Waiting[] = []
  /** Part of every token, so that a token only ever stands for one try to store a group. */
  readonly #session = randomUUID()
  #groups = 0
  #pumping = false

  constructor(options: StoreOptions, lookups: LookupTables) {
    this.#engine = options.engine
    this.lookups = lookups
    this.#now = options.now ?? Date.now
    this.#isOwned = options.isOwned === true
    this.records = openRecords(options.engine, this.#now)
    this.#contents = new Contents(options.engine, options.source ?? (() => undefined))
    this.#ledger = new Ledger(options.engine)
    this.#numbering = new Numbering(options.engine, this.#now)
  }

  async open(): Promise<void> {
    await this.#engine.command(createBatches)
    await this.#grow()
    await this.#engine.command(createRejects)
    await this.#contents.load()
    const rows = [...this.#contents.catalogue.values()].reduce((sum, each) => sum + each.rows, 0)
    const damage = await findDamage(this.#engine, rows)
    if (damage !== undefined) {
      const { where } = await this.#engine.about()
      throw new EngineError('damaged', `the store at ${where} is damaged: ${damage}`)
    }
  }

  /** Gives the ledger of an older store the columns that it lacks; a ledger that has them is not touched. */
  async #grow(): Promise<void> {
    const sql =
      'SELECT count() FROM system.columns WHERE database = currentDatabase() ' +
      `AND table = ${quoteText(BATCHES)} AND name IN (${[...LATER_COLUMNS.keys()].map(quoteText).join(', ')})`
    for await (const [found] of this.#engine.rows(sql)) {
      if (Number(found) < LATER_COLUMNS.size) await this.#engine.command(growBatches)
    }
  }

  write(batch: Batch): Promise<BatchReceipt> {
    return new Promise((done, failed) => {
      this.#queue.push({ batch, done, failed })
      void this.#pump()
    })
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return
    this.#pumping = true
    // Writes that are made in the same turn share a group.
    await Promise.resolve()
    while (this.#queue.length > 0) await this.#store(this.#nextGroup())
    this.#pumping = false
  }

  #nextGroup(): readonly Waiting[] {
    let bytes = 0
    let rows = 0
    let cells = 0
    let count = 0
    for (const { batch } of this.#queue) {
      bytes += sizeOf(batch)
      rows += rowsOf(batch)
      cells += this.#cellsOf(batch)
      const isMuch = bytes > GROUP_BYTES || rows > GROUP_ROWS || cells > GROUP_CELLS
      if (count > 0 && (isMuch || count >= GROUP_BATCHES)) break
      count++
    }
    return this.#queue.splice(0, count)
  }

  #cellsOf({ blocks }: Batch): number {
    return blocks.reduce((sum, { source, rows, columns }) => {
      const width = Math.max(columns.length, this.#contents.widthOf(source))
      return sum + rows * width
    }, 0)
  }

  /** Stores a group; if that fails on one of several batches, each is stored alone. */
  async #store(group: readonly Waiting[]): Promise<void> {
    let fresh: readonly Waiting[] = group
    try {
      await this.#check()
      if (this.#isOwned) await this.#removeCut(group)
      fresh = await this.#unseen(group)
      if (fresh.length > 0) await this.#commit(fresh.map((each) => each.batch))
    } catch (error) {
      const reason = engineErrorOf(error)
      this.#ledger.suspect(fresh.map((each) => each.batch.id))
      if (reason.kind === 'query' && fresh.length > 1) {
        for (const each of fresh) await this.#store([each])
        return
      }
      for (const { failed } of fresh) failed(reason)
      return
    }
    for (const { batch, done } of fresh) {
      const stored = batch.blocks.reduce((sum, { rows }) => sum + rows, 0)
      done({ stored, rejected: batch.rejects.length, repeated: 0 })
    }
  }

  #check(): Promise<void> {
    return this.#ledger.check([...this.#contents.tables, REJECTS])
  }

  async unnoted(): Promise<ReadonlySet<string>> {
    await this.#check()
    return this.#ledger.cutShort()
  }

  /**
   * Removes what batches that were cut short have left, unless they are being stored again. Nobody was told that they are
   * stored, and a file that has grown since is read again in other batches. Of a server another writer may be at work.
   */
  async #removeCut(group: readonly Waiting[]): Promise<void> {
    const coming = new Set(group.map(({ batch }) => batch.id))
    const cut = [...(await this.#ledger.cutShort())].filter((id) => !coming.has(id))
    for (let at = 0; at < cut.length; at += REMOVED_AT_ONCE) {
      const ids = cut.slice(at, at + REMOVED_AT_ONCE)
      const which = `${quoteName(META.batch)} IN (${ids.map(quoteText).join(', ')})`
      for (const table of [...this.#contents.tables, REJECTS]) {
        await this.#engine.command(`DELETE FROM ${quoteName(table)} WHERE ${which}`)
      }
      this.#ledger.acquit(ids)
    }
  }

  /** Answers the batches that are stored already, or twice in the group, and gives the others. */
  async #unseen(group: readonly Waiting[]): Promise<readonly Waiting[]> {
    const fresh: Waiting[] = []
    const ids = new Set<string>()
    for (const each of group) {
      const { id, file, received } = each.batch
      if (ids.has(id) || (await this.#ledger.has(id, file))) {
        each.done({ stored: 0, rejected: 0, repeated: received })
        continue
      }
      ids.add(id)
      fresh.push(each)
    }
    return fresh
  }

  async #commit(batches: readonly Batch[]): Promise<void> {
    const ingest = this.#now()
    const inserts = new Map<string, Insert>()
    const stored: SourceBlock[] = []
    const overflow = new Map<string, string[]>()
    const add = (table: string, rows: number, columns: readonly ColumnBlock[]): void => {
      const insert = inserts.get(table) ?? { blocks: [] }
      insert.blocks.push({ rows, columns })
      inserts.set(table, insert)
    }
    for (const { id, blocks, rejects } of batches) {
      for (const given of blocks) {
        if (given.rows === 0) continue
        const block = await this.#contents.makeRoom(given)
        if (block.overflow) overflow.set(id, [...(overflow.get(id) ?? []), block.source])
        const table = tableOf(block.source)
        if (await this.#isThere(table, id, block.rows)) continue
        add(table, block.rows, stamped(block, id, ingest))
        stored.push(block)
      }
      if (rejects.length > 0 && !(await this.#isThere(REJECTS, id, rejects.length))) {
        add(REJECTS, rejects.length, rejectColumns(rejects, id, ingest))
      }
    }
    const seq = await this.#numbering.take(batches.length)
    const note = { rows: batches.length, columns: ledgerColumns(batches, overflow, ingest, seq) }
    const group = this.#token(batches)
    for (const [table, { blocks }] of inserts) await this.#insert(table, blocks, group)
    step('events.inserted')
    await this.#insert(BATCHES, [note], group)
    step('batches.noted')
    for (const block of stored) this.#contents.add(block)
    for (const { id, file, first, received } of batches) {
      this.#ledger.add(file, { id, first, received })
    }
  }

  #token(batches: readonly Batch[]): string {
    const [only] = batches
    const ids = batches.map((each) => each.id)
    const name =
      only !== undefined && batches.length === 1
        ? only.id
        : createHash('sha256').update(ids.join('\n')).digest('hex')
    return `${name}:${this.#session}:${++this.#groups}`
  }

  /**
   * True when a batch that was cut short left all its rows in the table. If it left some, which happens where they
   * fall into several partitions, those are removed so that all can be stored again.
   */
  async #isThere(table: string, id: string, rows: number): Promise<boolean> {
    if (!this.#ledger.isSuspect(id)) return false
    const mine = `FROM ${quoteName(table)} WHERE ${quoteName(META.batch)} = ${quoteText(id)}`
    let found = 0
    for await (const [count] of this.#engine.rows(`SELECT count() ${mine}`)) found = Number(count)
    if (found === rows) return true
    if (found > 0) await this.#engine.command(`DELETE ${mine}`)
    return false
  }

  async #insert(table: string, blocks: Insert['blocks'], group: string): Promise<void> {
    const native = blocks.flatMap(({ rows, columns }) => assembleBlock(rows, columns))
    for (let tries = 1; ; tries++) {
      try {
        await this.#engine.insert(table, native, `${group}:${table}`)
        return
      } catch (error) {
        const { kind } = engineErrorOf(error)
        if ((kind !== 'crashed' && kind !== 'unavailable') || tries === TRIES) throw error
        await wait(RETRY_MS * tries)
      }
    }
  }

  knownBatches(file: string): Promise<readonly KnownBatch[]> {
    return this.#ledger.known(file)
  }

  touched(after: number): Promise<readonly TouchedBatch[]> {
    return readTouched(this.#engine, after)
  }

  async columnNames(): Promise<ReadonlyMap<string, readonly string[]>> {
    return this.#contents.columnNames
  }

  async catalogue(): Promise<StoredCatalogue> {
    return this.#contents.catalogue
  }

  sources(): Promise<readonly StoredSource[]> {
    return this.#contents.sources()
  }

  rows(sql: string, options?: QueryOptions): AsyncIterable<readonly unknown[]> {
    return this.#engine.rows(sql, options)
  }

  async *rejects(options?: QueryOptions): AsyncGenerator<Reject> {
    const columns = ['file', 'place', 'code', 'reason', 'raw'].map(quoteName).join(', ')
    const order = `${quoteName(META.ingest)} DESC, ${quoteName(META.batch)}, ${quoteName('row')}`
    const sql = `SELECT ${columns} FROM ${quoteName(REJECTS)} ORDER BY ${order}`
    for await (const row of this.#engine.rows(sql, options)) {
      const [file = '', place = '', code = '', reason = '', raw = ''] = row.map(String)
      yield { file, place, code, reason, raw }
    }
  }

  about(): Promise<{ readonly version: string; readonly where: string }> {
    return this.#engine.about()
  }

  async drop(): Promise<void> {
    for (const table of [...this.#contents.tables, REJECTS, BATCHES]) {
      await this.#engine.command(`DROP TABLE IF EXISTS ${quoteName(table)} SYNC`)
    }
    await this.lookups.drop()
    await this.records.drop()
    this.#contents.clear()
    this.#ledger.clear()
    await this.#engine.command(createBatches)
    await this.#engine.command(createRejects)
  }
}

/** The columns of a block with the batch and the time of intake, where it has none. */
function stamped(block: SourceBlock, id: string, ingest: number): readonly ColumnBlock[] {
  const { rows, columns } = block
  const has = (name: string): boolean => columns.some((each) => each.name === name)
  return [
    ...columns,
    ...(has(META.batch) ? [] : [constantText(META.batch, id, rows)]),
    ...(has(META.ingest) ? [] : [constantTime(META.ingest, ingest, rows)]),
  ]
}

function texts(name: string, values: readonly string[]): ColumnBlock {
  const column = new TextColumn()
  values.forEach((value, row) => {
    column.append(row, value)
  })
  return column.finish(name, values.length)
}

function numbers(name: string, values: readonly number[]): ColumnBlock {
  const column = new Uint64Column()
  values.forEach((value, row) => {
    column.append(row, value)
  })
  return column.finish(name, values.length)
}

function rejectColumns(
  rejects: readonly Reject[],
  id: string,
  ingest: number,
): readonly ColumnBlock[] {
  const of = (name: keyof Reject): ColumnBlock =>
    texts(
      name,
      rejects.map((each) => each[name]),
    )
  const { length } = rejects
  return [
    constantText(META.batch, id, length),
    constantTime(META.ingest, ingest, length),
    numbers('row', [...rejects.keys()]),
    of('file'),
    of('place'),
    of('code'),
    of('reason'),
    of('raw'),
  ]
}

function ledgerColumns(
  batches: readonly Batch[],
  overflow: ReadonlyMap<string, readonly string[]>,
  ingest: number,
  seq: number,
): readonly ColumnBlock[] {
  const time = new TimeColumn()
  const lists = new ListColumn()
  const touched = new ListColumn()
  batches.forEach(({ id, blocks }, row) => {
    time.append(row, ingest, 0)
    lists.append(row, overflow.get(id) ?? [])
    touched.append(row, touchedTexts(blocks))
  })
  const of = (value: (batch: Batch) => number): readonly number[] => batches.map(value)
  return [
    texts(
      'id',
      batches.map((each) => each.id),
    ),
    texts(
      'file',
      batches.map((each) => each.file),
    ),
    numbers(
      'first',
      of((each) => each.first),
    ),
    numbers(
      'received',
      of((each) => each.received),
    ),
    numbers(
      'stored',
      of(({ blocks }) => blocks.reduce((sum, { rows }) => sum + rows, 0)),
    ),
    numbers(
      'rejected',
      of((each) => each.rejects.length),
    ),
    time.finish('ingest', batches.length),
    lists.finish('overflow', batches.length),
    numbers(
      'seq',
      batches.map((_, row) => seq + row),
    ),
    touched.finish('touched', batches.length),
  ]
}

/** Opens the store of an engine; makes its own tables when they are not there. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const store = new EventStore(options, await openLookups(options.engine))
  await store.open()
  return store
}
