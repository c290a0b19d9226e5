/**
 * What a search does beside giving rows: the lookups that it writes. Done when its rows are out, and only where the run
 * may: a search that is checked, explained or tried out changes nothing.
 */
import { type Diagnostic, diagnose, hasErrors } from '../core/diagnostic.ts'
import type { Effect } from '../dialects/spl/answer.ts'
import type { Lookups } from '../dialects/spl/lookups.ts'
import { EngineError, type QueryOptions } from '../engine/engine.ts'
import type { Rel } from '../ir/rel.ts'
import { planQuery, type QueryWorld, queryRows } from './runquery.ts'
import { readyLookups } from './spltables.ts'
import type { RunStore } from './store.ts'

export interface EffectRun {
  readonly store: Pick<RunStore, 'rows' | 'lookups'>
  readonly world: QueryWorld
  readonly lookups: Lookups
  /** A plan with the time that the run stands for. */
  readonly timed: (rel: Rel) => Promise<Rel>
  readonly mayWrite: boolean
  readonly query?: QueryOptions
}

/** Carries out the effects of a search, in order; gives what is to be said of them. */
export async function runEffects(
  effects: readonly Effect[],
  run: EffectRun,
): Promise<readonly Diagnostic[]> {
  const told: Diagnostic[] = []
  for (const effect of effects) {
    if (effect.kind === 'outputlookup') told.push(...(await writeLookup(effect, run)))
  }
  return told
}

async function writeLookup(effect: Effect, run: EffectRun): Promise<readonly Diagnostic[]> {
  const { name, columns, options } = effect
  const { store, world, lookups, timed, mayWrite, query } = run
  const tables = store.lookups
  if (!mayWrite || tables === undefined) return [diagnose('HR539', { name })]
  const { value, diagnostics } = planQuery(await timed(effect.rel), world)
  if (value === undefined) return diagnostics.filter((each) => hasErrors([each]))
  try {
    await readyLookups(value.rel, lookups, tables)
    const rows = queryRows(store, value, query)[Symbol.asyncIterator]()
    const first = await rows.next()
    if (first.done === true) {
      const isThere = (await tables.written()).has(name)
      const stays = isThere
        ? options.override_if_empty === 'false'
        : options.create_empty === 'false'
      if (stays) return []
    }
    const count = await tables.write(
      name,
      columns.map((each) => each.name),
      cells(first, rows),
    )
    return [diagnose('HR537', { name, rows: count })]
  } catch (error) {
    if (!(error instanceof EngineError) || error.kind === 'cancelled') throw error
    return [diagnose('HR538', { name, reason: error.message })]
  }
}

/** The rows as texts, the first of which has been read. */
async function* cells(
  first: IteratorResult<readonly unknown[]>,
  rows: AsyncIterator<readonly unknown[]>,
): AsyncGenerator<readonly string[]> {
  for (let each = first; each.done !== true; each = await rows.next()) {
    yield each.value.map((value) => (value === null || value === undefined ? '' : String(value)))
  }
}
