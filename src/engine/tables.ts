/** The store's tables as statements: one for the events of each source, the dead letters, and the ledger of batches. */
import type { ColumnBlock } from '../schema/batch.ts'
import { LOOKUP_LINE } from '../schema/lookups.ts'
import { LIST_SUFFIX, META } from '../schema/source.ts'
import { EVENTS_PREFIX, LOOKUPS_PREFIX } from '../sql/print.ts'
import { quoteName } from '../sql/quote.ts'

export const BATCHES = 'batches'
export const REJECTS = 'rejects'
export const LOOKUPS = 'lookups'
/** What the names of tables of records begin with. */
export const RECORDS_PREFIX = 'records_'

/** A new column is dictionary-coded when its values repeat at least this much (different by seen). */
const CODED_BELOW = 0.3

const PLAIN = 'String CODEC(ZSTD(1))'
const CODED = 'LowCardinality(String)'
const TIME = "DateTime64(7, 'UTC') CODEC(Delta, ZSTD(1))"

const META_TYPES: ReadonlyMap<string, string> = new Map([
  [META.time, TIME],
  [META.ingest, TIME],
  [META.host, CODED],
  [META.file, CODED],
  [META.record, 'UInt64 CODEC(Delta, ZSTD(1))'],
  [META.raw, PLAIN],
  [META.batch, CODED],
  [META.empty, 'Array(LowCardinality(String))'],
  [META.nulls, 'Array(LowCardinality(String))'],
  [META.more, 'Map(String, String) CODEC(ZSTD(1))'],
  [META.flags, 'Array(LowCardinality(String))'],
])

/**
 * Settings of every table. An insert is on disk when it is acknowledged, and a repeated one is told by its token.
 * Parts below 64 MB are kept in few files, because each file is synced (measured: 55 ms instead of 110 ms for
 * 20,000 rows of 57 columns); file names are hashes, because field names may differ only in case or be too long.
 * Large parts are merged column by column, so that rows of huge values are not in memory whole (measured: 670 MB
 * instead of 1,200 MB for 20 records of 20 MB).
 */
const SETTINGS = [
  'fsync_after_insert = 1',
  'fsync_part_directory = 1',
  'non_replicated_deduplication_window = 10000',
  'min_bytes_for_wide_part = 67108864',
  'replace_long_file_name_to_hash = 1',
  'max_file_name_length = 0',
  'vertical_merge_algorithm_min_rows_to_activate = 1',
  'parts_to_delay_insert = 3000',
  'parts_to_throw_insert = 10000',
].join(', ')

/** Months of the years that logs come from, and one partition for all other times (docs/decisions/001.md). */
const PARTITION = `if(toYear(${quoteName(META.time)}) BETWEEN 2000 AND 2049, toYYYYMM(${quoteName(META.time)}), 0)`

function createTable(
  name: string,
  columns: readonly string[],
  rest: string,
  engine = 'MergeTree',
): string {
  return (
    `CREATE TABLE IF NOT EXISTS ${quoteName(name)} (${columns.join(', ')}) ` +
    `ENGINE = ${engine} ${rest} SETTINGS ${SETTINGS}`
  )
}

export function tableOf(source: string): string {
  return EVENTS_PREFIX + source
}

/** True for the columns that every table of events has. */
export function isMeta(name: string): boolean {
  return META_TYPES.has(name)
}

/** The table of a source; `order` is the field that leads its sort order. */
export function createEvents(source: string, order: string | undefined): string {
  const meta = [...META_TYPES].map(([name, type]) => `${quoteName(name)} ${type}`)
  const time = quoteName(META.time)
  return order === undefined
    ? createTable(tableOf(source), meta, `PARTITION BY ${PARTITION} ORDER BY ${time}`)
    : createTable(
        tableOf(source),
        [...meta, `${quoteName(order)} ${CODED}`],
        `PARTITION BY ${PARTITION} ORDER BY (${quoteName(order)}, ${time})`,
      )
}

function typeOf(column: ColumnBlock, plain: ReadonlySet<string>): string {
  if (column.kind === 'list' || column.name.endsWith(LIST_SUFFIX)) {
    return 'Array(String) CODEC(ZSTD(1))'
  }
  return column.variety < CODED_BELOW && !plain.has(column.name) ? CODED : PLAIN
}

/** Adds columns in one statement. `plain` names the fields that are never dictionary-coded. */
export function addColumns(
  source: string,
  columns: readonly ColumnBlock[],
  plain: ReadonlySet<string>,
): string {
  const each = columns.map(
    (column) => `ADD COLUMN IF NOT EXISTS ${quoteName(column.name)} ${typeOf(column, plain)}`,
  )
  return `ALTER TABLE ${quoteName(tableOf(source))} ${each.join(', ')}`
}

const name = quoteName

/** Records that could not be stored. */
export const createRejects = createTable(
  REJECTS,
  [
    `${name(META.batch)} String CODEC(ZSTD(1))`,
    `${name(META.ingest)} ${TIME}`,
    `${name('row')} UInt64`,
    `${name('file')} ${CODED}`,
    `${name('place')} ${PLAIN}`,
    `${name('code')} ${CODED}`,
    `${name('reason')} ${PLAIN}`,
    `${name('raw')} ${PLAIN}`,
  ],
  `ORDER BY ${name(META.ingest)}`,
)

/** Columns of the ledger that stores of earlier versions do not have. */
export const LATER_COLUMNS: ReadonlyMap<string, string> = new Map([
  ['seq', 'UInt64'],
  ['touched', 'Array(String)'],
])

/** One row for each batch that is stored in full; written last. */
export const createBatches = createTable(
  BATCHES,
  [
    `${name('id')} String`,
    `${name('file')} String CODEC(ZSTD(1))`,
    `${name('first')} UInt64`,
    `${name('received')} UInt64`,
    `${name('stored')} UInt64`,
    `${name('rejected')} UInt64`,
    `${name('ingest')} ${TIME}`,
    `${name('overflow')} Array(String)`,
    ...[...LATER_COLUMNS].map(([column, type]) => `${name(column)} ${type}`),
  ],
  `ORDER BY (${name('file')}, ${name('first')})`,
)

export const growBatches = `ALTER TABLE ${name(BATCHES)} ${[...LATER_COLUMNS]
  .map(([column, type]) => `ADD COLUMN IF NOT EXISTS ${name(column)} ${type}`)
  .join(', ')}`

/** The rows of a lookup, in its order. */
export function createLookup(table: string, columns: readonly string[]): string {
  return createTable(
    LOOKUPS_PREFIX + table,
    [`${name(LOOKUP_LINE)} Int64`, ...columns.map((each) => `${name(each)} ${PLAIN}`)],
    `ORDER BY ${name(LOOKUP_LINE)}`,
  )
}

/** Which table holds each lookup: of the rows of one name the one with the greatest version. */
export const createLookups = createTable(
  LOOKUPS,
  [
    `${name('name')} String`,
    `${name('table')} String`,
    `${name('columns')} Array(String)`,
    `${name('rows')} UInt64`,
    `${name('version')} UInt64`,
  ],
  `ORDER BY (${name('name')}, ${name('version')})`,
)

const RECORD_TYPES = {
  text: PLAIN,
  number: 'UInt64',
  list: 'Array(String) CODEC(ZSTD(1))',
} as const

/** A table of records: of rows with one key the one with the greatest version stays. */
export function createRecords(
  table: string,
  columns: Readonly<Record<string, keyof typeof RECORD_TYPES>>,
  key: readonly string[],
  version: string,
): string {
  return createTable(
    table,
    [
      ...Object.entries(columns).map(([each, kind]) => `${name(each)} ${RECORD_TYPES[kind]}`),
      `${name(version)} UInt64`,
    ],
    `ORDER BY (${key.map(name).join(', ')})`,
    `ReplacingMergeTree(${name(version)})`,
  )
}
