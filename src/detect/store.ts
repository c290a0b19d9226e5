/** What a run needs of a store: what is in it, and rows. */
import type { QueryOptions } from '../engine/engine.ts'
import type { LookupTables } from '../schema/lookups.ts'
import type { StoredCatalogue } from '../schema/stored.ts'

export interface RunStore {
  catalogue(): Promise<StoredCatalogue>
  rows(sql: string, options?: QueryOptions): AsyncIterable<readonly unknown[]>
  /** The rows of lookups; without it, searches read only what stands in their plan. */
  readonly lookups?: LookupTables
}
