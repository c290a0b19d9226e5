/** Lookups whose rows a store holds: those that searches have written. */

/** Name of the column that holds the place of a row in its lookup, from 1. */
export const LOOKUP_LINE = '@@line'

export interface StoredLookup {
  readonly name: string
  /** Name of its table, without the prefix of all such tables. */
  readonly table: string
  /** Names of its columns; all hold texts, an empty one where a row has no value. */
  readonly columns: readonly string[]
  readonly rows: number
}

/** Lookups by name. */
export type StoredLookups = ReadonlyMap<string, StoredLookup>

/** The rows of a lookup before they are a table. */
export interface LookupContent {
  readonly columns: readonly string[]
  /** As many texts each as there are columns. */
  readonly rows: readonly (readonly string[])[]
}

/** Where a store keeps the rows of lookups. */
export interface LookupTables {
  /** The lookups that searches have written. */
  written(): Promise<StoredLookups>
  /** Makes a table with this content, unless it is there. Its name says what it holds. */
  ensure(table: string, content: LookupContent): Promise<void>
  /** Puts rows in the place of what a lookup holds, all at once; gives their number. Nothing changes when it fails. */
  write(
    name: string,
    columns: readonly string[],
    rows: AsyncIterable<readonly string[]> | Iterable<readonly string[]>,
  ): Promise<number>
  /** Removes all of them. */
  drop(): Promise<void>
}

/** True for a name that a lookup may be written under: it can stand for no folder and no other file. */
export function isLookupName(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(name)
}
