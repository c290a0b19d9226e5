/**
 * A store that another process has open: the same `Store`, whose work is done by its owner. When the owner ends, what is
 * being asked fails as `unavailable`; the next request looks for a new owner.
 */
import type { Batch, BatchReceipt, Reject } from '../../schema/batch.ts'
import type { LookupContent, LookupTables, StoredLookups } from '../../schema/lookups.ts'
import type { StoredCatalogue } from '../../schema/stored.ts'
import type { StoredSource } from '../contents.ts'
import { EngineError, type QueryOptions } from '../engine.ts'
import type { KnownBatch } from '../ledger.ts'
import { chunksOf, rowsOf } from '../lines.ts'
import type { RecordKind, RecordOf, RecordSpec, Records, RecordTable } from '../records.ts'
import type { Store } from '../store.ts'
import type { TouchedBatch } from '../touched.ts'
import { Link } from './link.ts'
import { PROTOCOL, readPlace } from './place.ts'
import { batchParts, catalogueFrom } from './wire.ts'

export interface SharedStore {
  readonly store: Store
  /** The process that has the store. */
  readonly owner: number
  close(): void
}

/** Rows of a lookup that are sent at a time. */
const PART_ROWS = 2_000
const PART_CHARS = 4 * 1024 * 1024

async function* partsOf(
  rows: AsyncIterable<readonly string[]> | Iterable<readonly string[]>,
): AsyncGenerator<readonly (readonly string[])[]> {
  let part: (readonly string[])[] = []
  let chars = 0
  for await (const row of rows) {
    part.push(row)
    for (const cell of row) chars += cell.length
    if (part.length < PART_ROWS && chars < PART_CHARS) continue
    yield part
    part = []
    chars = 0
  }
  if (part.length > 0) yield part
}

/** Finds the owner of a store and connects to it; undefined when there is none. */
async function reach(folder: string): Promise<{ link: Link; owner: number } | undefined> {
  const place = readPlace(folder)
  if (place === undefined) return undefined
  if (place.protocol !== PROTOCOL) {
    // Another version of the program may still have the store, or have left its note behind: opening it tells.
    return undefined
  }
  const link = await Link.open(place)
  return link === undefined ? undefined : { link, owner: place.pid }
}

class ClientStore implements Store {
  readonly #folder: string
  #link: Link
  readonly lookups: LookupTables
  readonly records: Records

  constructor(folder: string, link: Link) {
    this.#folder = folder
    this.#link = link
    const call = <T>(name: string, args: unknown): Promise<T> => this.#call(name, args)
    this.lookups = {
      async written(): Promise<StoredLookups> {
        const all = await call<StoredLookups extends ReadonlyMap<string, infer L> ? L[] : never>(
          'lookups.written',
          null,
        )
        return new Map(all.map((each) => [each.name, each]))
      },
      async ensure(table: string, { columns, rows }: LookupContent): Promise<void> {
        await call('lookups.ensure', { table, columns, rows })
      },
      write: async (name, columns, rows) =>
        Number(await (await this.#reach()).upload({ name, columns }, partsOf(rows))),
      drop: () => Promise.reject(notHere()),
    }
    this.records = {
      async table<C extends Readonly<Record<string, RecordKind>>>(
        spec: RecordSpec<C>,
      ): Promise<RecordTable<C>> {
        const { name, columns, key } = spec
        const asked = { name, columns, key }
        await call('records.read', { spec: asked, query: { limit: 0 } })
        return {
          async append(rows, version) {
            if (rows.length === 0) return
            await call('records.append', {
              spec: asked,
              rows,
              ...(version === undefined ? {} : { version }),
            })
          },
          read: (query = {}) => call<RecordOf<C>[]>('records.read', { spec: asked, query }),
          count: (where = []) => call<number>('records.count', { spec: asked, where }),
        }
      },
    }
  }

  async #reach(): Promise<Link> {
    if (!this.#link.isOver) return this.#link
    const found = await reach(this.#folder)
    if (found === undefined) {
      throw new EngineError('unavailable', 'the process that had the store open has ended')
    }
    this.#link = found.link
    return this.#link
  }

  /** The answer to a request; its shape is the owner's word. */
  async #call<T>(name: string, args: unknown, pieces: readonly Uint8Array[] = []): Promise<T> {
    const link = await this.#reach()
    return (await link.call(name, args, pieces)) as T
  }

  write(batch: Batch): Promise<BatchReceipt> {
    const { json, bytes } = batchParts(batch)
    return this.#call('write', json, bytes)
  }

  knownBatches(file: string): Promise<readonly KnownBatch[]> {
    return this.#call('knownBatches', file)
  }

  touched(after: number): Promise<readonly TouchedBatch[]> {
    return this.#call('touched', Math.max(0, Math.floor(after)))
  }

  async unnoted(): Promise<ReadonlySet<string>> {
    return new Set(await this.#call<readonly string[]>('unnoted', null))
  }

  async columnNames(): Promise<ReadonlyMap<string, readonly string[]>> {
    return new Map(await this.#call<(readonly [string, readonly string[]])[]>('columnNames', null))
  }

  async catalogue(): Promise<StoredCatalogue> {
    return catalogueFrom(await this.#call('catalogue', null))
  }

  sources(): Promise<readonly StoredSource[]> {
    return this.#call('sources', null)
  }

  async *#bytes(sql: string, options: QueryOptions): AsyncGenerator<Uint8Array> {
    yield* (await this.#reach()).bytes(sql, options)
  }

  rows(sql: string, options: QueryOptions = {}): AsyncIterable<readonly unknown[]> {
    return rowsOf(chunksOf(this.#bytes(sql, options)))
  }

  async *rejects(options: QueryOptions = {}): AsyncGenerator<Reject> {
    for (const each of await this.#call<readonly Reject[]>('rejects', null)) {
      if (options.signal?.aborted === true) return
      yield each
    }
  }

  about(): Promise<{ readonly version: string; readonly where: string }> {
    return this.#call('about', null)
  }

  drop(): Promise<void> {
    return Promise.reject(notHere())
  }

  close(): void {
    this.#link.close()
  }
}

function notHere(): EngineError {
  return new EngineError('refused', 'only the process that has the store may remove what it holds')
}

/** The store of a folder by way of the process that has it open; undefined when no process shares it. */
export async function openShared(folder: string): Promise<SharedStore | undefined> {
  const found = await reach(folder)
  if (found === undefined) return undefined
  const store = new ClientStore(folder, found.link)
  return { store, owner: found.owner, close: () => store.close() }
}
