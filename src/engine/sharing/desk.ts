/** What the owner of a store does for one request of another process. */
import type { LookupTables } from '../../schema/lookups.ts'
import { EngineError } from '../engine.ts'
import type { Store } from '../store.ts'
import type { Frame } from './frame.ts'
import {
  batchFrom,
  catalogueJson,
  plain,
  questionFrom,
  recordsFrom,
  refused,
  specFrom,
  testsFrom,
  text,
  texts,
  whole,
} from './wire.ts'

const MOST_CELLS = 100_000
const MOST_CONTENT_ROWS = 10_000_000

function rowsFrom(value: unknown): readonly (readonly string[])[] {
  if (!Array.isArray(value) || value.length > MOST_CONTENT_ROWS) throw refused('rows')
  return value.map((each) => texts(each, MOST_CELLS, 'rows'))
}

async function collected<T>(items: AsyncIterable<T>, most: number): Promise<readonly T[]> {
  const found: T[] = []
  for await (const each of items) {
    found.push(each)
    if (found.length >= most) break
  }
  return found
}

/** Rejected records that one request gives. */
const MOST_REJECTS = 100_000

async function records(store: Store, name: string, args: Frame['json']): Promise<unknown> {
  const { spec: given, rows, version, query, where } = plain(args)
  const spec = specFrom(given)
  const table = await store.records.table(spec)
  if (name === 'records.append') {
    await table.append(
      recordsFrom(rows, spec),
      version === undefined ? undefined : whole(version, 'records'),
    )
    return null
  }
  if (name === 'records.count') return table.count(testsFrom(where ?? [], spec))
  return table.read(questionFrom(query ?? {}, spec))
}

/** Answers one call; what it gives is JSON. Rejects with an `EngineError`. */
export async function answer(store: Store, name: string, frame: Frame): Promise<unknown> {
  const { args } = plain(frame.json)
  switch (name) {
    case 'write':
      return store.write(batchFrom(args, frame.bytes))
    case 'knownBatches':
      return store.knownBatches(text(args, name))
    case 'touched':
      return store.touched(whole(args, name))
    case 'unnoted':
      return [...(await store.unnoted())]
    case 'columnNames':
      return [...(await store.columnNames())]
    case 'catalogue':
      return catalogueJson(await store.catalogue())
    case 'sources':
      return store.sources()
    case 'rejects':
      return collected(store.rejects(), MOST_REJECTS)
    case 'about':
      return store.about()
    case 'lookups.written':
      return [...(await store.lookups.written()).values()]
    case 'lookups.ensure': {
      const { table, columns, rows } = plain(args)
      const content = { columns: texts(columns, MOST_CELLS, name), rows: rowsFrom(rows) }
      await store.lookups.ensure(text(table, name), content)
      return null
    }
    case 'records.table':
    case 'records.append':
    case 'records.read':
    case 'records.count':
      return records(store, name, args)
    default:
      throw refused(name.slice(0, 40))
  }
}

/** Rows of a lookup on their way from another process; a few parts ahead of who writes them. */
export class Upload {
  readonly #parts: (readonly (readonly string[])[])[] = []
  readonly #more: () => void
  #state: 'open' | 'ended' | 'broken' = 'open'
  #wake: (() => void) | undefined

  /** `more` is called when there is room for another part. */
  constructor(more: () => void) {
    this.#more = more
  }

  part(value: unknown): void {
    if (this.#parts.length >= UPLOAD_WINDOW) throw refused('rows')
    this.#parts.push(rowsFrom(value))
    this.#wake?.()
  }

  end(): void {
    if (this.#state === 'open') this.#state = 'ended'
    this.#wake?.()
  }

  /** The sender is gone, or has thought better of it: nothing is written. */
  break(): void {
    this.#state = 'broken'
    this.#wake?.()
  }

  async *#rows(): AsyncGenerator<readonly string[]> {
    for (;;) {
      if (this.#state === 'broken') {
        throw new EngineError('cancelled', 'the other process has not sent all rows')
      }
      const part = this.#parts.shift()
      if (part !== undefined) {
        this.#more()
        yield* part
      } else if (this.#state === 'ended') return
      else {
        await new Promise<void>((wake) => {
          this.#wake = wake
        })
        this.#wake = undefined
      }
    }
  }

  /** Writes all that comes. */
  write(lookups: LookupTables, args: unknown): Promise<number> {
    const { name, columns } = plain(args)
    return lookups.write(text(name, 'lookup'), texts(columns, MOST_CELLS, 'lookup'), this.#rows())
  }
}

/** Parts of an upload, and chunks of a result, that may be on the way without having been asked for. */
export const UPLOAD_WINDOW = 4
