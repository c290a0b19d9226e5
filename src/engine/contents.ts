/**
 * What a store holds: its event tables with their columns and row counts, read once and kept up to date by what
 * is written; and the making of tables and columns that new blocks need.
 */
import { limits } from '../core/limits.ts'
import type { ColumnBlock, SourceBlock } from '../schema/batch.ts'
import { LIST_SUFFIX, META, type Source } from '../schema/source.ts'
import type { StoredCatalogue, StoredColumns } from '../schema/stored.ts'
import { EVENTS_PREFIX } from '../sql/print.ts'
import { identifierOf, nameOf, quoteName, quoteText } from '../sql/quote.ts'
import { type Engine, EngineError } from './engine.ts'
import { moveToOverflow } from './overflow.ts'
import { addColumns, BATCHES, createEvents, isMeta, tableOf } from './tables.ts'

/** One source with data. */
export interface StoredSource {
  readonly name: string
  readonly rows: number
  /** Names of its fields. */
  readonly columns: readonly string[]
  /** Times of the earliest and latest event, ISO 8601. */
  readonly first?: string
  readonly last?: string
}

interface Table {
  /** Columns of fields; lists with their suffix. */
  readonly columns: Set<string>
  rows: number
  overflow: boolean
  span: readonly [string, string] | undefined
}

const LONGEST_SOURCE = 128

function fieldsOf(table: Table): readonly string[] {
  const plain = [...table.columns].map((name) =>
    name.endsWith(LIST_SUFFIX) ? name.slice(0, -LIST_SUFFIX.length) : name,
  )
  return [...new Set(plain)].sort()
}

function storedColumns({ columns, rows, overflow }: Table): StoredColumns {
  const names = [...columns]
  const isList = (name: string): boolean => name.endsWith(LIST_SUFFIX)
  return {
    text: new Set(names.filter((name) => !isList(name))),
    lists: new Set(names.filter(isList).map((name) => name.slice(0, -LIST_SUFFIX.length))),
    overflow,
    rows,
  }
}

/** `2024-01-02 03:04:05.1234567` as ISO 8601. */
function isoOf(time: unknown): string {
  return `${String(time).replace(' ', 'T')}Z`
}

export class Contents {
  readonly #engine: Engine
  readonly #source: (name: string) => Source | undefined
  readonly #tables = new Map<string, Table>()

  constructor(engine: Engine, source: (name: string) => Source | undefined) {
    this.#engine = engine
    this.#source = source
  }

  /** Reads the tables that are there. */
  async load(): Promise<void> {
    const prefix = quoteText(identifierOf(EVENTS_PREFIX))
    const mine = (column: string): string =>
      `database = currentDatabase() AND startsWith(${column}, ${prefix})`
    const tables = `SELECT name, total_rows FROM system.tables WHERE ${mine('name')}`
    for await (const [name, rows] of this.#engine.rows(tables)) {
      this.#tables.set(nameOf(String(name)).slice(EVENTS_PREFIX.length), {
        columns: new Set(),
        rows: Number(rows ?? 0),
        overflow: false,
        span: undefined,
      })
    }
    const columns = `SELECT table, name FROM system.columns WHERE ${mine('table')}`
    for await (const [table, column] of this.#engine.rows(columns)) {
      const name = nameOf(String(column))
      const found = this.#tables.get(nameOf(String(table)).slice(EVENTS_PREFIX.length))
      if (!isMeta(name)) found?.columns.add(name)
    }
    const overflow = `SELECT DISTINCT arrayJoin(overflow) FROM ${quoteName(BATCHES)}`
    for await (const [source] of this.#engine.rows(overflow)) {
      const found = this.#tables.get(String(source))
      if (found !== undefined) found.overflow = true
    }
  }

  /** Names of all tables of events. */
  get tables(): readonly string[] {
    return [...this.#tables.keys()].map(tableOf)
  }

  get columnNames(): ReadonlyMap<string, readonly string[]> {
    return new Map([...this.#tables].map(([name, { columns }]) => [name, [...columns]]))
  }

  /** Number of field columns of a source; 0 when it has no table. */
  widthOf(source: string): number {
    return this.#tables.get(source)?.columns.size ?? 0
  }

  get catalogue(): StoredCatalogue {
    const filled = [...this.#tables].filter(([, table]) => table.rows > 0)
    return new Map(filled.map(([name, table]) => [name, storedColumns(table)]))
  }

  async sources(): Promise<readonly StoredSource[]> {
    const filled = [...this.#tables].filter(([, table]) => table.rows > 0)
    const time = quoteName(META.time)
    for (const [name, table] of filled) {
      if (table.span !== undefined) continue
      const sql = `SELECT min(${time}), max(${time}) FROM ${quoteName(tableOf(name))}`
      for await (const [first, last] of this.#engine.rows(sql)) {
        table.span = [isoOf(first), isoOf(last)]
      }
    }
    return filled
      .map(([name, table]) => ({
        name,
        rows: table.rows,
        columns: fieldsOf(table),
        ...(table.span === undefined ? {} : { first: table.span[0], last: table.span[1] }),
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /**
   * Makes the table and the columns that a block needs, in one statement each, and gives the block as it may be
   * inserted: columns past the budget have become entries of the overflow map.
   */
  async makeRoom(block: SourceBlock): Promise<SourceBlock> {
    const { source } = block
    if (source === '' || Buffer.byteLength(source) > LONGEST_SOURCE) {
      throw new EngineError('query', `the name of a source has 1 to ${LONGEST_SOURCE} bytes`)
    }
    const known = this.#source(source)
    let table = this.#tables.get(source)
    if (table === undefined) {
      await this.#engine.command(createEvents(source, known?.order))
      const columns = new Set(known?.order === undefined ? [] : [known.order])
      table = { columns, rows: 0, overflow: false, span: undefined }
      this.#tables.set(source, table)
    }
    const fresh: ColumnBlock[] = []
    const moved = new Set<string>()
    for (const column of block.columns) {
      const { name } = column
      if (isMeta(name) || table.columns.has(name)) continue
      const room = table.columns.size + fresh.length < limits.fieldsPerSource
      if (room && Buffer.byteLength(name) <= limits.fieldNameBytes) fresh.push(column)
      else moved.add(name)
    }
    if (fresh.length > 0) {
      await this.#engine.command(addColumns(source, fresh, new Set(known?.plain)))
      for (const { name } of fresh) table.columns.add(name)
    }
    return moveToOverflow(block, moved)
  }

  /** Notes a block that is stored. */
  add(block: SourceBlock): void {
    const table = this.#tables.get(block.source)
    if (table === undefined) return
    table.rows += block.rows
    table.overflow ||= block.overflow
    table.span = undefined
  }

  clear(): void {
    this.#tables.clear()
  }
}
