/**
 * What intake hands to storage: batches of encoded columns, one block per source, with the counts that must
 * always add up (received = stored + rejected).
 */

/** Layouts of a column; `schema/columns` builds them. time: ticks of 100 ns since 1970. */
export type ColumnKind = 'text' | 'list' | 'map' | 'time' | 'uint64'

/** A column in the engine's Native layout, for all rows of its block. */
export interface ColumnBlock {
  /** Stored name of the field (`storedName`, with `LIST_SUFFIX` for the companion list) or one of `META`. */
  readonly name: string
  readonly kind: ColumnKind
  /** Different values by values seen, at most 1 (1 also when too few to tell); decides dictionary coding. */
  readonly variety: number
  /** Bytes as the engine's Native format wants them for this kind. */
  readonly data: Uint8Array
}

/** Rows of one source. The store adds `@batch` and `@ingest` itself where a block has none. */
export interface SourceBlock {
  readonly source: string
  readonly rows: number
  readonly columns: readonly ColumnBlock[]
  /** True when some fields of some rows went to the overflow map. */
  readonly overflow: boolean
}

/** A record that could not be stored, for the dead-letter table. */
export interface Reject {
  readonly file: string
  /** Where in the file: line, record number or byte offset, as text. */
  readonly place: string
  readonly code: string
  readonly reason: string
  /** The record's own text, cut at 64 KiB. */
  readonly raw: string
}

export interface Batch {
  /** Hash of path, first record and the raw bytes of all records: the same batch is stored once. */
  readonly id: string
  readonly file: string
  readonly first: number
  readonly received: number
  readonly blocks: readonly SourceBlock[]
  readonly rejects: readonly Reject[]
}

/** The answer of storage once the batch is on disk and synced. */
export interface BatchReceipt {
  readonly stored: number
  readonly rejected: number
  /** Rows that an earlier, identical batch had stored already. */
  readonly repeated: number
}
