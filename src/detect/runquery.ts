/**
 * Running one compiled query: its tables are bound to what is stored, the plan is optimised and printed, and the
 * engine's rows come back as typed values. The command line and the conformance tool share it.
 */
import { hasErrors, type Outcome } from '../core/diagnostic.ts'
import type { QueryOptions } from '../engine/engine.ts'
import { type Rel, schemaOf, type TimeBounds } from '../ir/rel.ts'
import { childrenOf, mapRel, queriesOf } from '../ir/walk.ts'
import { bindEvents } from '../plan/bindevents.ts'
import { bindTables } from '../plan/bindtable.ts'
import { eventContext } from '../plan/eventfields.ts'
import { optimise } from '../plan/passes.ts'
import { prune } from '../plan/prune.ts'
import type { SchemaCatalogue } from '../schema/catalogue.ts'
import type { StoredCatalogue } from '../schema/stored.ts'
import { printSql } from '../sql/print.ts'
import { viewResolver } from './plan.ts'
import type { RunStore } from './store.ts'
import { type ResultColumn, readValue, type Value } from './values.ts'

/** A query that is ready for the engine. */
export interface QueryPlan {
  readonly rel: Rel
  readonly sql: string
  readonly columns: readonly ResultColumn[]
}

export interface QueryWorld {
  readonly schema: SchemaCatalogue
  readonly stored: StoredCatalogue
  /** Every table is read within these bounds, whatever the query itself asks for. */
  readonly time: TimeBounds
}

/** The narrower of two ranges; bounds are ISO texts of one form, so that their order is that of the times. */
export function within(inner: TimeBounds, outer: TimeBounds): TimeBounds {
  const from = [inner.from, outer.from].filter((each) => each !== undefined).sort()
  const to = [inner.to, outer.to].filter((each) => each !== undefined).sort()
  const [last, first] = [from.at(-1), to[0]]
  return {
    ...(last === undefined ? {} : { from: last }),
    ...(first === undefined ? {} : { to: first }),
  }
}

/** The relation with every table read within bounds of time. */
export function bounded(rel: Rel, time: TimeBounds): Rel {
  if (time.from === undefined && time.to === undefined) return rel
  return mapRel(rel, (each) =>
    each.op === 'scan' && (each.table.kind === 'view' || each.table.kind === 'source')
      ? { ...each, time: within(each.time, time) }
      : each,
  )
}

/** Makes a compiled query ready; no value when its tables cannot be bound. */
export function planQuery(compiled: Rel, { schema, stored, time }: QueryWorld): Outcome<QueryPlan> {
  const view = viewResolver(schema)
  const tables = bindTables(prune(bounded(compiled, time)), {
    view,
    source: (name) => schema.sources.get(name),
    table: (name) => schema.tables.table(name),
    stored,
  })
  const { rel: bound, diagnostics: said } = bindEvents(tables.rel, {
    ...eventContext(schema),
    view,
    stored,
  })
  const diagnostics = [...tables.diagnostics, ...said]
  if (hasErrors(diagnostics)) return { diagnostics }
  const rel = optimise(bound)
  return { value: { rel, sql: printSql(rel), columns: schemaOf(compiled) }, diagnostics }
}

/** Names of the stored sources that a bound plan reads, each once. */
export function sourcesOf(rel: Rel): readonly string[] {
  const own = rel.op === 'scan' && rel.table.kind === 'source' ? [rel.table.name] : []
  const below = [...childrenOf(rel), ...queriesOf(rel)].flatMap(sourcesOf)
  return [...new Set([...own, ...below])]
}

/** The rows of a planned query as typed values; errors are those of the engine. */
export async function* queryRows(
  store: Pick<RunStore, 'rows'>,
  { sql, columns }: QueryPlan,
  options?: QueryOptions,
): AsyncGenerator<readonly Value[]> {
  for await (const row of store.rows(sql, options)) {
    yield columns.map(({ type }, at) => readValue(row[at], type))
  }
}

/** The rows of a compiled query that is no answer itself; none when its tables cannot be bound. */
export async function* planRows(
  store: Pick<RunStore, 'rows'>,
  compiled: Rel,
  world: QueryWorld,
  options?: QueryOptions,
): AsyncGenerator<readonly Value[]> {
  const { value } = planQuery(compiled, world)
  if (value !== undefined) yield* queryRows(store, value, options)
}
