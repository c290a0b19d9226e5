/**
 * Small tables of what the product itself must remember: runs of windows, checkpoints, changes of findings, messages to
 * be sent. Rows are only added. Of rows with one key the one with the greatest version counts, so that writing a row
 * again changes nothing, and what is answered is on disk.
 */
import type { ColumnBlock } from '../schema/batch.ts'
import { ListColumn, TextColumn, Uint64Column } from '../schema/columns.ts'
import { quoteName, quoteText } from '../sql/quote.ts'
import type { Engine } from './engine.ts'
import { assembleBlock } from './native.ts'
import { createRecords, RECORDS_PREFIX } from './tables.ts'

/** text: a text; number: a whole number from 0 to 2^53 - 1; list: texts. */
export type RecordKind = 'text' | 'number' | 'list'

type ValueOf<K extends RecordKind> = K extends 'text'
  ? string
  : K extends 'number'
    ? number
    : readonly string[]

/** A kind of record: its columns, and those of them that tell one record from another. */
export interface RecordSpec<C extends Readonly<Record<string, RecordKind>>> {
  /** Letters, digits and `_`. */
  readonly name: string
  readonly columns: C
  readonly key: readonly (keyof C & string)[]
}

export type RecordOf<C extends Readonly<Record<string, RecordKind>>> = {
  readonly [name in keyof C]: ValueOf<C[name]>
}

/** One test of a column; all of a list must hold. */
export interface RecordTest {
  readonly column: string
  readonly is: '=' | '<' | '<=' | '>' | '>=' | 'in'
  readonly value: string | number | readonly string[] | readonly number[]
}

export interface RecordQuery {
  readonly where?: readonly RecordTest[]
  /** Columns that the rows are sorted by; `-name` the other way. */
  readonly order?: readonly string[]
  readonly limit?: number
}

export interface RecordTable<C extends Readonly<Record<string, RecordKind>>> {
  /** Adds rows, or replaces those with the same keys; resolves when they are on disk. */
  append(rows: readonly RecordOf<C>[], version?: number): Promise<void>
  /** The rows that count. */
  read(query?: RecordQuery): Promise<readonly RecordOf<C>[]>
  /** How many rows count. */
  count(where?: readonly RecordTest[]): Promise<number>
}

/** Tables of records by their kinds. A kind has the same columns wherever it is asked for. */
export interface Records {
  table<C extends Readonly<Record<string, RecordKind>>>(
    spec: RecordSpec<C>,
  ): Promise<RecordTable<C>>
}

/** Column of the version. */
const VERSION = '@version'

function literal(value: string | number): string {
  if (typeof value === 'string') return quoteText(value)
  return Number.isSafeInteger(value) ? String(value) : '0'
}

function testSql({ column, is, value }: RecordTest): string {
  if (typeof value === 'string' || typeof value === 'number') {
    return `${quoteName(column)} ${is} ${literal(value)}`
  }
  const values = value.map((each: string | number) => literal(each))
  return values.length === 0 ? '0' : `${quoteName(column)} IN (${values.join(', ')})`
}

const whereSql = (tests: readonly RecordTest[]): string =>
  tests.length === 0 ? '' : ` WHERE ${tests.map(testSql).join(' AND ')}`

function block(name: string, kind: RecordKind, values: readonly unknown[]): ColumnBlock {
  if (kind === 'text') {
    const column = new TextColumn()
    values.forEach((value, row) => {
      column.append(row, String(value))
    })
    return column.finish(name, values.length)
  }
  if (kind === 'number') {
    const column = new Uint64Column()
    values.forEach((value, row) => {
      column.append(row, Number(value))
    })
    return column.finish(name, values.length)
  }
  const column = new ListColumn()
  values.forEach((value, row) => {
    column.append(row, Array.isArray(value) ? value.map(String) : [])
  })
  return column.finish(name, values.length)
}

function cellOf(kind: RecordKind, value: unknown): string | number | readonly string[] {
  if (kind === 'text') return String(value ?? '')
  if (kind === 'number') return Number(value)
  return Array.isArray(value) ? value.map(String) : []
}

class EngineTable<C extends Readonly<Record<string, RecordKind>>> implements RecordTable<C> {
  readonly #engine: Engine
  readonly #spec: RecordSpec<C>
  readonly #name: string
  readonly #next: () => number

  constructor(engine: Engine, spec: RecordSpec<C>, next: () => number) {
    this.#engine = engine
    this.#spec = spec
    this.#name = RECORDS_PREFIX + spec.name
    this.#next = next
  }

  async append(rows: readonly RecordOf<C>[], version?: number): Promise<void> {
    if (rows.length === 0) return
    const columns = Object.entries(this.#spec.columns).map(([name, kind]) =>
      block(
        name,
        kind,
        rows.map((row) => row[name]),
      ),
    )
    const given = version ?? this.#next()
    const versions = block(
      VERSION,
      'number',
      rows.map(() => given),
    )
    await this.#engine.insert(
      this.#name,
      assembleBlock(rows.length, [...columns, versions]),
      // Rows are told apart by their keys: an insert that is done twice changes nothing.
      `${this.#name}:${given}:${this.#next()}`,
    )
  }

  async read({ where = [], order = [], limit }: RecordQuery = {}): Promise<readonly RecordOf<C>[]> {
    const columns = Object.entries(this.#spec.columns)
    const names = columns.map(([name]) => quoteName(name)).join(', ')
    const sorted = order.map((each) =>
      each.startsWith('-') ? `${quoteName(each.slice(1))} DESC` : quoteName(each),
    )
    const sql =
      `SELECT ${names} FROM ${quoteName(this.#name)} FINAL${whereSql(where)}` +
      (sorted.length === 0 ? '' : ` ORDER BY ${sorted.join(', ')}`) +
      (limit === undefined ? '' : ` LIMIT ${Math.max(0, Math.floor(limit))}`)
    const rows: RecordOf<C>[] = []
    for await (const row of this.#engine.rows(sql)) {
      const entries = columns.map(([name, kind], at) => [name, cellOf(kind, row[at])])
      rows.push(Object.fromEntries(entries))
    }
    return rows
  }

  async count(where: readonly RecordTest[] = []): Promise<number> {
    const sql = `SELECT count() FROM ${quoteName(this.#name)} FINAL${whereSql(where)}`
    for await (const [count] of this.#engine.rows(sql)) return Number(count)
    return 0
  }
}

/** The tables of records of an engine. `now` gives milliseconds since 1970; versions never go back, whatever it says. */
export function openRecords(
  engine: Engine,
  now: () => number,
): Records & { drop(): Promise<void> } {
  const made = new Map<string, Promise<unknown>>()
  let last = 0
  const next = (): number => {
    last = Math.max(last + 1, Math.floor(now() * 1_000))
    return last
  }
  return {
    async table(spec) {
      const table = RECORDS_PREFIX + spec.name
      const ready = made.get(spec.name) ?? makeTable(table, spec.columns, spec.key)
      made.set(spec.name, ready)
      try {
        await ready
      } catch (error) {
        made.delete(spec.name)
        throw error
      }
      return new EngineTable(engine, spec, next)
    },
    async drop() {
      const sql = `SELECT name FROM system.tables WHERE database = currentDatabase() AND startsWith(name, ${quoteText(RECORDS_PREFIX)})`
      const names: string[] = []
      for await (const [name] of engine.rows(sql)) names.push(String(name))
      for (const name of names) await engine.command(`DROP TABLE IF EXISTS ${quoteName(name)} SYNC`)
      made.clear()
    },
  }

  async function makeTable(
    table: string,
    columns: Readonly<Record<string, RecordKind>>,
    key: readonly string[],
  ): Promise<void> {
    await engine.command(createRecords(table, columns, key, VERSION))
    const sql = `SELECT max(${quoteName(VERSION)}) FROM ${quoteName(table)}`
    for await (const [most] of engine.rows(sql)) last = Math.max(last, Number(most))
  }
}
