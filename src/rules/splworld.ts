/**
 * What a search may read and call: the macros and lookups of loaded packs before those that come with the program, the
 * data models of the schema, and the fields of the events that are stored. One function makes it for all that compile.
 */
import { createHash } from 'node:crypto'
import { macrosOf, type SplLibrary } from '../dialects/spl/library.ts'
import { Lookups } from '../dialects/spl/lookups.ts'
import type { World } from '../dialects/spl/world.ts'
import { eventFields } from '../plan/eventfields.ts'
import type { SchemaCatalogue } from '../schema/catalogue.ts'
import { dataset, datasetNames } from '../schema/datamodels.ts'
import type { StoredLookups } from '../schema/lookups.ts'
import type { StoredCatalogue } from '../schema/stored.ts'

export interface SplSurroundings {
  readonly schema: SchemaCatalogue
  /** Absent: nothing is stored yet, and every field that a search names is taken to be there. */
  readonly stored?: StoredCatalogue
  /** The lookups that searches have written. */
  readonly written?: StoredLookups
  readonly library: SplLibrary
  /** True when a filter that nobody defined lets all through, as in rules of a pack. */
  readonly hasFilters?: boolean
}

export interface SplSetting {
  readonly world: World
  /** Also tells the rows that must be made tables before a search reads them. */
  readonly lookups: Lookups
}

const digest = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 32)

/** The world of searches over a store, or over one that is not there yet. */
export function splWorld(given: SplSurroundings): SplSetting {
  const { schema, stored, written = new Map(), library, hasFilters = false } = given
  const lookups = new Lookups({ definitions: library.lookups, stored: written, digest })
  const names = datasetNames(schema)
  const world: World = {
    ...macrosOf(library.macros, hasFilters),
    events: (tests) => eventFields(schema, stored, tests),
    dataset: (model, name) => dataset(schema, model, name),
    datasetNames: () => names,
    lookup: lookups.lookup,
    lookupNames: lookups.lookupNames,
  }
  return { world, lookups }
}
