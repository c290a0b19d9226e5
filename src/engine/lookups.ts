/**
 * The rows of lookups in the store: tables of their own, whole or not there. A list of them says which table holds a
 * lookup now; a new content is a new table, and its line in the list puts it in the place of the old one at once.
 */
import { randomUUID } from 'node:crypto'
import { limits } from '../core/limits.ts'
import type { ColumnBlock } from '../schema/batch.ts'
import { ListColumn, TextColumn, Uint64Column } from '../schema/columns.ts'
import {
  isLookupName,
  LOOKUP_LINE,
  type LookupContent,
  type LookupTables,
  type StoredLookup,
  type StoredLookups,
} from '../schema/lookups.ts'
import { LOOKUPS_PREFIX } from '../sql/print.ts'
import { identifierOf, nameOf, quoteName, quoteText } from '../sql/quote.ts'
import { type Engine, EngineError } from './engine.ts'
import { assembleBlock } from './native.ts'
import { createLookup, createLookups, LOOKUPS } from './tables.ts'

/** Rows and bytes of one block of an insert. */
const BLOCK_ROWS = 20_000
const BLOCK_BYTES = 16 * 1024 * 1024
/** Tables of files that are kept for later runs; of more the oldest go. */
const MOST_FILES = 500

type Rows = AsyncIterable<readonly string[]> | Iterable<readonly string[]>

interface Listed extends StoredLookup {
  readonly version: number
}

/** Tables made from files have this in front of what tells their content. */
const FILE = 'file_'

class EngineLookups implements LookupTables {
  readonly #engine: Engine
  readonly #making = new Map<string, Promise<void>>()
  #lookups: Map<string, Listed> | undefined
  #version = 0

  constructor(engine: Engine) {
    this.#engine = engine
  }

  async #load(): Promise<Map<string, Listed>> {
    if (this.#lookups !== undefined) return this.#lookups
    const found = new Map<string, Listed>()
    const latest = (column: string): string => `argMax(${quoteName(column)}, version)`
    const sql =
      `SELECT name, ${latest('table')}, ${latest('columns')}, ${latest('rows')}, max(version) ` +
      `FROM ${quoteName(LOOKUPS)} GROUP BY name`
    for await (const [name, table, columns, rows, version] of this.#engine.rows(sql)) {
      this.#version = Math.max(this.#version, Number(version))
      // An empty name of a table takes the lookup away.
      if (table === '') continue
      found.set(String(name), {
        name: String(name),
        table: String(table),
        columns: Array.isArray(columns) ? columns.map(String) : [],
        rows: Number(rows),
        version: Number(version),
      })
    }
    this.#lookups = found
    return found
  }

  async written(): Promise<StoredLookups> {
    const all = await this.#load()
    return new Map([...all].filter(([, { table }]) => !table.startsWith(FILE)))
  }

  async ensure(table: string, content: LookupContent): Promise<void> {
    const known = await this.#load()
    if (known.has(table)) return
    const running = this.#making.get(table)
    if (running !== undefined) return running
    const made = this.#makeFile(table, content).finally(() => this.#making.delete(table))
    this.#making.set(table, made)
    return made
  }

  async #makeFile(table: string, { columns, rows }: LookupContent): Promise<void> {
    // What a run that was cut short has left of it goes first.
    await this.#engine.command(dropTable(table))
    const count = await this.#fill(table, columns, rows)
    await this.#publish({ name: table, table, columns, rows: count })
    const files = [...(await this.#load()).values()].filter((each) => each.table.startsWith(FILE))
    const old = files.sort((a, b) => b.version - a.version).slice(MOST_FILES)
    for (const each of old) await this.#remove(each)
  }

  async write(name: string, columns: readonly string[], rows: Rows): Promise<number> {
    if (!isLookupName(name)) throw new EngineError('query', 'no lookup can have this name')
    const known = await this.#load()
    if (!known.has(name) && known.size >= limits.lookupsWritten) {
      throw new EngineError('query', `there are more than ${limits.lookupsWritten} lookups`)
    }
    const table = `written_${randomUUID().replaceAll('-', '')}`
    let count: number
    try {
      count = await this.#fill(table, columns, rows)
    } catch (error) {
      await this.#engine.command(dropTable(table))
      throw error
    }
    const before = known.get(name)
    await this.#publish({ name, table, columns, rows: count })
    if (before !== undefined) await this.#engine.command(dropTable(before.table))
    return count
  }

  /** Makes a table and puts rows into it, block by block. */
  async #fill(table: string, columns: readonly string[], rows: Rows): Promise<number> {
    await this.#engine.command(createLookup(table, columns))
    let count = 0
    let blocks = 0
    let block: (readonly string[])[] = []
    let bytes = 0
    const flush = async (): Promise<void> => {
      if (block.length === 0) return
      const native = assembleBlock(block.length, blockColumns(columns, block, count - block.length))
      await this.#engine.insert(LOOKUPS_PREFIX + table, native, `${table}:${blocks++}`)
      block = []
      bytes = 0
    }
    for await (const row of rows) {
      if (++count > limits.lookupRows) {
        throw new EngineError('query', `it has more than ${limits.lookupRows} rows`)
      }
      block.push(row)
      for (const cell of row) bytes += cell.length
      if (block.length >= BLOCK_ROWS || bytes >= BLOCK_BYTES) await flush()
    }
    await flush()
    return count
  }

  async #publish(lookup: StoredLookup): Promise<void> {
    const version = ++this.#version
    const lists = new ListColumn()
    lists.append(0, lookup.columns)
    const native = assembleBlock(1, [
      text('name', [lookup.name]),
      text('table', [lookup.table]),
      lists.finish('columns', 1),
      numbers('rows', [lookup.rows]),
      numbers('version', [version]),
    ])
    await this.#engine.insert(LOOKUPS, native, `${randomUUID()}:lookups`)
    const known = await this.#load()
    known.delete(lookup.name)
    if (lookup.table !== '') known.set(lookup.name, { ...lookup, version })
  }

  async #remove({ name, table }: StoredLookup): Promise<void> {
    await this.#publish({ name, table: '', columns: [], rows: 0 })
    await this.#engine.command(dropTable(table))
  }

  async drop(): Promise<void> {
    const prefix = quoteText(identifierOf(LOOKUPS_PREFIX))
    const sql = `SELECT name FROM system.tables WHERE database = currentDatabase() AND startsWith(name, ${prefix})`
    const tables: string[] = []
    for await (const [name] of this.#engine.rows(sql)) tables.push(nameOf(String(name)))
    for (const each of tables)
      await this.#engine.command(dropTable(each.slice(LOOKUPS_PREFIX.length)))
    await this.#engine.command(`TRUNCATE TABLE ${quoteName(LOOKUPS)}`)
    this.#lookups = undefined
  }
}

const dropTable = (table: string): string =>
  `DROP TABLE IF EXISTS ${quoteName(LOOKUPS_PREFIX + table)} SYNC`

function text(name: string, values: readonly string[]): ColumnBlock {
  const column = new TextColumn()
  for (const [row, value] of values.entries()) column.append(row, value)
  return column.finish(name, values.length)
}

function numbers(name: string, values: readonly number[]): ColumnBlock {
  const column = new Uint64Column()
  for (const [row, value] of values.entries()) column.append(row, value)
  return column.finish(name, values.length)
}

function blockColumns(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  before: number,
): readonly ColumnBlock[] {
  return [
    numbers(
      LOOKUP_LINE,
      rows.map((_, index) => before + index + 1),
    ),
    ...columns.map((name, at) =>
      text(
        name,
        rows.map((row) => row[at] ?? ''),
      ),
    ),
  ]
}

/** The lookups of an engine; makes the list of them when it is not there. */
export async function openLookups(engine: Engine): Promise<LookupTables> {
  await engine.command(createLookups)
  return new EngineLookups(engine)
}
