/** The definition of a lookup as a pack of Splunk content gives it, before its rows are made a table. */
import type { LookupOptions } from './world.ts'

/** `csv`: rows in a file; `kvstore`: rows that searches write; `mlmodel`: a model, which has no rows. */
export type LookupKind = 'csv' | 'kvstore' | 'mlmodel'

export interface LookupDefinition {
  readonly name: string
  readonly kind: LookupKind
  readonly description: string
  readonly options: LookupOptions
  /** Columns that the definition names; empty where only the rows tell them. */
  readonly fields: readonly string[]
  /** Name of the CSV file, without folders; of a KV store that of its collection. */
  readonly source: string
  /** The text of the CSV file, where it stands beside the definition. */
  readonly csv?: string
  /** Settings that have no meaning here, e.g. those of lookups by time, as they are written. */
  readonly others: ReadonlyMap<string, string>
  /** The file that defines it. */
  readonly file: string
}

/** How a lookup matches when nothing is said of it. */
export const PLAIN_LOOKUP: LookupOptions = {
  match: new Map(),
  isCaseSensitive: true,
  maxMatches: 100,
  minMatches: 0,
  defaultMatch: '',
}

/** A definition of which only what is said is known: it matches plainly, and its rows are named as it is. */
export function lookupDefinition(
  name: string,
  kind: LookupKind,
  said: Partial<LookupDefinition> = {},
): LookupDefinition {
  return {
    name,
    kind,
    description: '',
    options: PLAIN_LOOKUP,
    fields: [],
    source: name,
    others: new Map(),
    file: '',
    ...said,
  }
}

const WRITES = /\boutputlookup\b((?:\s+\w+\s*=\s*\S+)*)\s+"?([A-Za-z0-9_][\w.-]*)/g

/**
 * Lookups that a search writes, by the names under which others read them: its own, and as a file. Nothing else need
 * define them; until the search has run they have no rows.
 */
export function writtenBy(search: string, file: string): readonly LookupDefinition[] {
  const names = new Set([...search.matchAll(WRITES)].map((each) => each[2] ?? ''))
  return [...names].flatMap((name) => {
    const stem = name.replace(/\.csv$/i, '')
    return [stem, `${stem}.csv`].map((each) =>
      lookupDefinition(each, 'kvstore', { source: stem, file }),
    )
  })
}
