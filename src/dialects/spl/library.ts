/** Macros and lookups that searches may call, gathered from packs, the user and what is known without either. */
import type { LookupDefinition } from './lookupdef.ts'
import { KNOWN_MACROS } from './macrotable.ts'
import type { Macro, World } from './world.ts'

/** What packs and the user define; of two of the same name the first holds. */
export interface SplLibrary {
  readonly macros: readonly Macro[]
  readonly lookups: readonly LookupDefinition[]
}

export const EMPTY_LIBRARY: SplLibrary = { macros: [], lookups: [] }

/** The macro that every rule of a pack ends with, for users to fill: it lets all through until they do. */
const FILTER = /_filter$/

const keyOf = (name: string, args: number): string => `${name}(${args})`

/**
 * The macros of a library, then those that are known anyway. With `hasFilters`, a filter that nobody defined lets all
 * through: packs make those when they are built.
 */
export function macrosOf(
  macros: readonly Macro[],
  hasFilters: boolean,
): Pick<World, 'macro' | 'macroNames'> {
  const known = new Map<string, Macro>()
  for (const each of [...macros, ...KNOWN_MACROS]) {
    const key = keyOf(each.name, each.args.length)
    if (!known.has(key)) known.set(key, each)
  }
  return {
    macro(name, args) {
      const found = known.get(keyOf(name, args))
      if (found !== undefined || !hasFilters || args > 0 || !FILTER.test(name)) return found
      return { name, args: [], definition: 'search *' }
    },
    macroNames: () => new Set([...known.values()].map((each) => each.name)),
  }
}
