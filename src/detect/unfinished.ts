/**
 * Rules whose columns hang on the data: before the first run their columns are found in all the logs, so that every run
 * gives the same ones.
 */
import { type Diagnostic, diagnose, hasErrors } from '../core/diagnostic.ts'
import { legacyEntities } from '../dialects/kusto/entity.ts'
import type { QueryOptions } from '../engine/engine.ts'
import { atTime, type TimeColumns, withoutBounds } from '../plan/now.ts'
import type { KustoPart, Rule } from '../rules/rule.ts'
import { compileDiscovering } from './discover.ts'
import { planQuery, planRows, type QueryWorld, sourcesOf } from './runquery.ts'
import type { RunStore } from './store.ts'
import { endOf } from './windows.ts'

interface Logs extends QueryWorld {
  readonly store: Pick<RunStore, 'rows'>
  /** The time of a single run; without it the end of the logs stands for now. */
  readonly at?: string
  readonly query?: QueryOptions
}

export interface Finished {
  readonly rule: Rule
  readonly part: KustoPart
}

/** The rule with its columns; only the diagnostics when they cannot be found or written. */
export async function finishedRule(
  rule: Rule,
  part: KustoPart,
  options: Logs,
  times: TimeColumns,
): Promise<Finished | { readonly diagnostics: readonly Diagnostic[] }> {
  const { unfinished, ...known } = part
  if (unfinished === undefined) return { rule, part }
  const { schema, stored, store, time, query } = options
  const world: QueryWorld = { schema, stored, time }
  const bound = planQuery(rule.rel, world).value
  const end =
    options.at ?? (bound === undefined ? undefined : await endOf(store, sourcesOf(bound.rel), time))
  const { compiled } = await compileDiscovering(unfinished.text, {
    compile: unfinished.compile,
    // Tests like `> ago(1d)` are left out: they hold for other events in each run.
    rows: (rel) => {
      const all = withoutBounds(rel, 1n, times)
      return planRows(store, end === undefined ? all : atTime(all, end), world, query)
    },
  })
  const answer = compiled.queries[unfinished.query]
  if (answer?.rel === undefined) {
    const told = answer?.diagnostics ?? []
    return {
      diagnostics: hasErrors(told) ? told : [diagnose('HR469', { reason: 'no plan was made' })],
    }
  }
  const { rel, columns, tables, order, render } = answer
  const fields = columns.map(({ name }) => name)
  return {
    rule: { ...rule, rel, fields },
    part: {
      ...known,
      isFound: true,
      entityMappings:
        known.entityMappings.length > 0 ? known.entityMappings : legacyEntities(fields),
      columns,
      tables,
      ...(order === undefined ? {} : { order }),
      ...(render === undefined ? {} : { render }),
    },
  }
}
