/**
 * What a search may read and call: the macros and lookups of loaded packs before those that come with the program, the
 * data models of the schema, and the fields of the events that are stored. One function makes it for all that compile.
 */
import type { Lookup, Macro, World } from '../dialects/spl/world.ts'
import type { SchemaCatalogue } from '../schema/catalogue.ts'
import type { StoredCatalogue } from '../schema/stored.ts'

/** Macros and lookups in the order in which they hold: of two with one name, the first. */
export interface SplLibrary {
  readonly macros: readonly Macro[]
  readonly lookups: readonly Lookup[]
}

export interface SplSurroundings {
  readonly schema: SchemaCatalogue
  /** Absent: nothing is stored yet, and every field that a search names is taken to be there. */
  readonly stored?: StoredCatalogue
  readonly library: SplLibrary
}

const macroKey = (name: string, args: number): string => `${name}(${args})`

function firstOf<T>(list: readonly T[], keyOf: (each: T) => string): ReadonlyMap<string, T> {
  const found = new Map<string, T>()
  for (const each of list) if (!found.has(keyOf(each))) found.set(keyOf(each), each)
  return found
}

/** The world of searches over a store, or over one that is not there yet. */
export function splWorld({ library }: SplSurroundings): World {
  const macros = firstOf(library.macros, ({ name, args }) => macroKey(name, args.length))
  const lookups = firstOf(library.lookups, ({ name }) => name)
  return {
    macro: (name, args) => macros.get(macroKey(name, args)),
    macroNames: () => new Set([...macros.values()].map(({ name }) => name)),
    events: () => ({
      typeOf: (name) => (name.includes('{}') ? { list: 'text' } : 'text'),
      names: [],
    }),
    dataset: () => undefined,
    datasetNames: () => [],
    lookup: (name) => lookups.get(name),
    lookupNames: () => lookups.keys(),
  }
}
