/** The rows of lookups that are too many for a plan: they are made tables of the store before a search reads them. */
import type { Lookups } from '../dialects/spl/lookups.ts'
import type { Rel } from '../ir/rel.ts'
import { childrenOf, queriesOf } from '../ir/walk.ts'
import type { LookupTables } from '../schema/lookups.ts'

/** Names of the tables of lookups that a plan reads, each once. */
function lookupTablesOf(rel: Rel): readonly string[] {
  const own = rel.op === 'scan' && rel.table.kind === 'lookup' ? [rel.table.name] : []
  const below = [...childrenOf(rel), ...queriesOf(rel)].flatMap(lookupTablesOf)
  return [...new Set([...own, ...below])]
}

/** Makes the tables that a plan reads, where the store does not have them yet. */
export async function readyLookups(
  rel: Rel,
  lookups: Lookups,
  tables: LookupTables | undefined,
): Promise<void> {
  if (tables === undefined) return
  for (const name of lookupTablesOf(rel)) {
    const content = lookups.content(name)
    if (content !== undefined) await tables.ensure(name, content)
  }
}
