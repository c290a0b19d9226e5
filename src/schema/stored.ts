/** What a store holds, as the planner needs it: the sources that have data, with their columns. */

export interface StoredColumns {
  /** Fields that have a text column. */
  readonly text: ReadonlySet<string>
  /** Fields that have a companion list column. */
  readonly lists: ReadonlySet<string>
  /** True when some fields of some events are in the overflow map. */
  readonly overflow: boolean
  readonly rows: number
}

/** Sources with data, by name. A source that is not here has no data. */
export type StoredCatalogue = ReadonlyMap<string, StoredColumns>
