/**
 * Running one compiled query: its plan is optimised and printed, and the engine's rows come back as typed values. The
 * command line and the conformance tool share it.
 */
import { type Diagnostic, hasErrors, type Outcome } from '../core/diagnostic.ts'
import type { QueryOptions } from '../engine/engine.ts'
import { type Rel, schemaOf } from '../ir/rel.ts'
import { optimise } from '../plan/passes.ts'
import { printSql } from '../sql/print.ts'
import type { RunStore } from './run.ts'
import { type ResultColumn, readValue, type Value } from './values.ts'

/** A query that is ready for the engine. */
export interface QueryPlan {
  readonly rel: Rel
  readonly sql: string
  readonly columns: readonly ResultColumn[]
}

/** What puts stored sources in the place of the tables that a plan names. */
export type BindTables = (rel: Rel) => {
  readonly rel: Rel
  readonly diagnostics: readonly Diagnostic[]
}

/** Makes a compiled query ready; no value when its tables cannot be bound. */
export function planQuery(compiled: Rel, bindTables: BindTables): Outcome<QueryPlan> {
  const { rel: bound, diagnostics } = bindTables(compiled)
  if (hasErrors(diagnostics)) return { diagnostics }
  const rel = optimise(bound)
  return { value: { rel, sql: printSql(rel), columns: schemaOf(compiled) }, diagnostics }
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
