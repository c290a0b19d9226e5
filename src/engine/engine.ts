/**
 * The engine as the rest of the product sees it: SQL in, rows out, in two implementations (embedded chDB in a
 * supervised child process, ClickHouse over HTTP). Settings never leak from one query to the next, a failed
 * query never leaves rows behind, and every query has a time and a memory limit.
 */

export type EngineFailure =
  | 'timeout'
  | 'memory'
  | 'cancelled'
  | 'refused'
  | 'locked'
  | 'crashed'
  | 'unavailable'
  | 'damaged'
  | 'query'

/** The one error type of this floor. `code` is the engine's own number where it gave one. */
export class EngineError extends Error {
  readonly kind: EngineFailure
  readonly code: number | undefined
  constructor(kind: EngineFailure, message: string, code?: number) {
    super(message)
    this.name = 'EngineError'
    this.kind = kind
    this.code = code
  }
}

export interface QueryOptions {
  /** Seconds; default `limits.querySeconds`. */
  readonly seconds?: number
  /** Bytes; default `limits.queryMemoryBytes`. */
  readonly memory?: number
  /** Threads; default all cores. */
  readonly threads?: number
  /** False: the engine may not remember which blocks matched. For measurements. */
  readonly conditionCache?: boolean
  readonly signal?: AbortSignal
}

export interface Engine {
  /**
   * Runs a read-only query and yields its rows as arrays (JSONCompactEachRow), 64-bit integers as text.
   * Errors are `EngineError`; rows already yielded before an error must be thrown away by the caller.
   */
  rows(sql: string, options?: QueryOptions): AsyncIterable<readonly unknown[]>
  /** The same rows, several at a time as they come: cheaper for large results. */
  chunks(sql: string, options?: QueryOptions): AsyncIterable<readonly (readonly unknown[])[]>
  /** The same rows as the engine writes them (JSONCompactEachRow), in pieces: for whoever passes them on. */
  bytes(sql: string, options?: QueryOptions): AsyncIterable<Uint8Array>
  /** Runs a statement that changes the store (DDL). Only `engine/store.ts` calls it. */
  command(sql: string): Promise<void>
  /**
   * Inserts Native-format blocks, given as consecutive pieces; resolves when stored and synced. Columns that a
   * block leaves out are blank, columns that the table does not have are an error. The token makes a retry
   * harmless.
   */
  insert(table: string, native: readonly Uint8Array[], token: string): Promise<void>
  /** Engine version and where it runs, for `doctor`. */
  about(): Promise<{ readonly version: string; readonly where: string }>
  close(): Promise<void>
}
