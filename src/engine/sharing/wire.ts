/**
 * What a store takes and gives, as JSON and bytes and back. All that comes from another process is checked here: a
 * value of another shape throws an `EngineError` of the kind `refused`.
 */
import type { Batch, ColumnBlock, ColumnKind, Reject, SourceBlock } from '../../schema/batch.ts'
import type { StoredCatalogue } from '../../schema/stored.ts'
import { EngineError, type EngineFailure, type QueryOptions } from '../engine.ts'
import type { RecordKind, RecordQuery, RecordSpec, RecordTest } from '../records.ts'

type Plain = Readonly<Record<string, unknown>>
export type AnySpec = RecordSpec<Readonly<Record<string, RecordKind>>>
export type AnyRecord = Readonly<Record<string, string | number | readonly string[]>>

const COLUMN_KINDS: ReadonlySet<unknown> = new Set<ColumnKind>([
  'text',
  'list',
  'map',
  'time',
  'uint64',
])
const RECORD_KINDS: ReadonlySet<unknown> = new Set<RecordKind>(['text', 'number', 'list'])
const TESTS: ReadonlySet<unknown> = new Set<RecordTest['is']>(['=', '<', '<=', '>', '>=', 'in'])
const FAILURES: ReadonlySet<unknown> = new Set<EngineFailure>([
  'timeout',
  'memory',
  'cancelled',
  'refused',
  'locked',
  'crashed',
  'unavailable',
  'damaged',
  'query',
])
/** Sizes past which nothing of the product goes. */
const MOST_BLOCKS = 10_000
const MOST_COLUMNS = 200_000
const MOST_RECORD_COLUMNS = 200
const MOST_SECONDS = 7 * 24 * 3600

export function refused(what: string): EngineError {
  return new EngineError('refused', `another process asked for something unknown: ${what}`)
}

/** An object from outside, without a prototype's names. */
export function plain(value: unknown, what = 'message'): Plain {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refused(what)
  return value as Plain
}

function list(value: unknown, most: number, what: string): readonly unknown[] {
  if (!Array.isArray(value) || value.length > most) throw refused(what)
  return value
}

export function text(value: unknown, what: string): string {
  if (typeof value !== 'string') throw refused(what)
  return value
}

export function whole(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw refused(what)
  return value
}

export function texts(value: unknown, most: number, what: string): readonly string[] {
  return list(value, most, what).map((each) => text(each, what))
}

/** The limits of a query. */
export function optionsFrom(value: unknown): QueryOptions {
  const { seconds, memory, threads, conditionCache } = plain(value, 'options')
  const most = (given: unknown, limit: number): number => {
    if (typeof given !== 'number' || !(given > 0) || given > limit) throw refused('options')
    return given
  }
  return {
    ...(seconds === undefined ? {} : { seconds: most(seconds, MOST_SECONDS) }),
    ...(memory === undefined ? {} : { memory: most(memory, Number.MAX_SAFE_INTEGER) }),
    ...(threads === undefined ? {} : { threads: most(threads, 1_024) }),
    ...(conditionCache === false ? { conditionCache } : {}),
  }
}

/** A batch as JSON, and the bytes of its columns one after the other. */
export function batchParts(batch: Batch): {
  readonly json: Plain
  readonly bytes: readonly Uint8Array[]
} {
  const bytes: Uint8Array[] = []
  const blocks = batch.blocks.map(({ source, rows, overflow, columns }) => ({
    source,
    rows,
    overflow,
    columns: columns.map(({ name, kind, variety, data }) => {
      bytes.push(data)
      return [name, kind, variety, data.length]
    }),
  }))
  return { json: { ...batch, blocks }, bytes }
}

function rejectFrom(value: unknown): Reject {
  const { file, place, code, reason, raw } = plain(value, 'reject')
  return {
    file: text(file, 'reject'),
    place: text(place, 'reject'),
    code: text(code, 'reject'),
    reason: text(reason, 'reject'),
    raw: text(raw, 'reject'),
  }
}

/** The batch of such parts. */
export function batchFrom(value: unknown, bytes: Uint8Array): Batch {
  const { id, file, first, received, blocks, rejects } = plain(value, 'batch')
  let at = 0
  const columnFrom = (each: unknown): ColumnBlock => {
    const [name, kind, variety, length] = list(each, 4, 'column')
    if (!COLUMN_KINDS.has(kind) || typeof variety !== 'number') throw refused('column')
    const end = at + whole(length, 'column')
    if (end > bytes.length) throw refused('column')
    const data = bytes.subarray(at, end)
    at = end
    return { name: text(name, 'column'), kind: kind as ColumnKind, variety, data }
  }
  const blockFrom = (each: unknown): SourceBlock => {
    const { source, rows, overflow, columns } = plain(each, 'block')
    return {
      source: text(source, 'block'),
      rows: whole(rows, 'block'),
      overflow: overflow === true,
      columns: list(columns, MOST_COLUMNS, 'block').map(columnFrom),
    }
  }
  const batch: Batch = {
    id: text(id, 'batch'),
    file: text(file, 'batch'),
    first: whole(first, 'batch'),
    received: whole(received, 'batch'),
    blocks: list(blocks, MOST_BLOCKS, 'batch').map(blockFrom),
    rejects: list(rejects, Number.MAX_SAFE_INTEGER, 'batch').map(rejectFrom),
  }
  if (at !== bytes.length) throw refused('batch')
  return batch
}

export function catalogueJson(catalogue: StoredCatalogue): unknown {
  return [...catalogue].map(([name, { text, lists, overflow, rows }]) => [
    name,
    { text: [...text], lists: [...lists], overflow, rows },
  ])
}

export function catalogueFrom(value: unknown): StoredCatalogue {
  return new Map(
    list(value, Number.MAX_SAFE_INTEGER, 'catalogue').map((each) => {
      const [name, columns] = list(each, 2, 'catalogue')
      const { text: plainNames, lists, overflow, rows } = plain(columns, 'catalogue')
      return [
        text(name, 'catalogue'),
        {
          text: new Set(texts(plainNames, MOST_COLUMNS, 'catalogue')),
          lists: new Set(texts(lists, MOST_COLUMNS, 'catalogue')),
          overflow: overflow === true,
          rows: whole(rows, 'catalogue'),
        },
      ]
    }),
  )
}

/** The specification of a kind of records. */
export function specFrom(value: unknown): AnySpec {
  const { name, columns, key } = plain(value, 'records')
  const kinds = Object.entries(plain(columns, 'records'))
  if (typeof name !== 'string' || !/^\w{1,64}$/.test(name)) throw refused('records')
  if (kinds.length === 0 || kinds.length > MOST_RECORD_COLUMNS) throw refused('records')
  const found = new Map<string, RecordKind>()
  for (const [column, kind] of kinds) {
    if (!/^\w{1,64}$/.test(column) || !RECORD_KINDS.has(kind)) throw refused('records')
    found.set(column, kind as RecordKind)
  }
  const keys = texts(key, kinds.length, 'records')
  if (!keys.every((each) => found.has(each))) throw refused('records')
  return { name, columns: Object.fromEntries(found), key: keys }
}

/** Rows of a kind of records. */
export function recordsFrom(value: unknown, { columns }: AnySpec): readonly AnyRecord[] {
  return list(value, Number.MAX_SAFE_INTEGER, 'records').map((each) => {
    const row = plain(each, 'records')
    return Object.fromEntries(
      Object.entries(columns).map(([name, kind]) => {
        const cell = Object.hasOwn(row, name) ? row[name] : undefined
        if (kind === 'number') return [name, whole(cell, 'records')]
        if (kind === 'text') return [name, text(cell, 'records')]
        return [name, texts(cell, Number.MAX_SAFE_INTEGER, 'records')]
      }),
    )
  })
}

function testFrom(value: unknown, { columns }: AnySpec): RecordTest {
  const { column, is, value: wanted } = plain(value, 'test')
  if (!Object.hasOwn(columns, text(column, 'test')) || !TESTS.has(is)) throw refused('test')
  const isScalar = typeof wanted === 'string' || typeof wanted === 'number'
  const isList =
    Array.isArray(wanted) &&
    (wanted.every((each) => typeof each === 'string') ||
      wanted.every((each) => typeof each === 'number'))
  if (!(isScalar || isList) || (is === 'in') !== isList) throw refused('test')
  return {
    column: text(column, 'test'),
    is: is as RecordTest['is'],
    value: wanted as RecordTest['value'],
  }
}

export function testsFrom(value: unknown, spec: AnySpec): readonly RecordTest[] {
  return list(value, 1_000, 'tests').map((each) => testFrom(each, spec))
}

/** A question about records. */
export function questionFrom(value: unknown, spec: AnySpec): RecordQuery {
  const { where, order, limit } = plain(value, 'question')
  const names = order === undefined ? undefined : texts(order, MOST_RECORD_COLUMNS, 'question')
  if (names?.some((each) => !Object.hasOwn(spec.columns, each.replace(/^-/, '')))) {
    throw refused('question')
  }
  return {
    ...(where === undefined ? {} : { where: testsFrom(where, spec) }),
    ...(names === undefined ? {} : { order: names }),
    ...(limit === undefined ? {} : { limit: whole(limit, 'question') }),
  }
}

export function failureJson({ kind, message, code }: EngineError): Plain {
  return { kind, message, ...(code === undefined ? {} : { code }) }
}

export function failureFrom(value: unknown): EngineError {
  const { kind, message, code } = plain(value, 'failure')
  return new EngineError(
    FAILURES.has(kind) ? (kind as EngineFailure) : 'query',
    text(message, 'failure'),
    typeof code === 'number' ? code : undefined,
  )
}
