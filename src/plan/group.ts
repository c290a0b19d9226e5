/**
 * Many rules in one pass: the conditions of rules that read the same source become one scan that tells, for each
 * row, which of them hold. Takes optimised plans, gives one relation a group.
 */
import { call, type Expr, FALSE, field, or } from '../ir/expr.ts'
import type { Rel, TimeBounds } from '../ir/rel.ts'
import type { Schema } from '../ir/types.ts'

/** Column of a grouped scan that lists, from 1, the conditions that hold. */
export const HITS = '@hits'

export interface SourceCondition {
  readonly source: string
  readonly where: Expr
}

/**
 * The conditions that a plan puts on the rows of its sources, when it is no more than that (filters, derived
 * columns and unions over scans); undefined when the plan makes new rows and so needs a query of its own.
 */
export function rowConditions(rel: Rel): readonly SourceCondition[] | undefined {
  switch (rel.op) {
    case 'values':
      return rel.rows.length === 0 ? [] : undefined
    case 'derive':
      return rowConditions(rel.from)
    case 'union': {
      const all = rel.all.map(rowConditions)
      return all.includes(undefined) ? undefined : bySource(all.flatMap((each) => each ?? []))
    }
    case 'scan':
      return rel.table.kind === 'source'
        ? [{ source: rel.table.name, where: { op: 'const', value: true, type: 'bool' } }]
        : undefined
    case 'filter':
      return rel.from.op === 'scan' && rel.from.table.kind === 'source'
        ? rel.where.op === 'const' && rel.where.value === false
          ? []
          : [{ source: rel.from.table.name, where: rel.where }]
        : undefined
    default:
      return undefined
  }
}

/** One condition a source: an event that fits two parts of a view is still one event. */
function bySource(conditions: readonly SourceCondition[]): readonly SourceCondition[] {
  const merged = new Map<string, Expr>()
  for (const { source, where } of conditions) {
    merged.set(source, or([merged.get(source) ?? FALSE, where].filter((each) => each !== FALSE)))
  }
  return [...merged].map(([source, where]) => ({ source, where }))
}

export interface GroupedScan {
  readonly source: string
  readonly conditions: readonly Expr[]
  readonly time: TimeBounds
  /** Columns to give for each row with a hit, besides `HITS`. */
  readonly columns: Schema
}

/** The relation of a grouped scan: rows with at least one hit, with the list of hits first. */
export function groupedScan(group: GroupedScan): Rel {
  const hits = { name: HITS, type: { list: 'int' } } as const
  const scan: Rel = {
    op: 'scan',
    table: { kind: 'source', name: group.source },
    time: group.time,
    out: group.columns,
  }
  return {
    op: 'select',
    keep: [
      { name: HITS, value: field(HITS, hits.type) },
      ...group.columns.map(({ name, type }) => ({
        name,
        value: { op: 'field', name, type, stored: 'plain' } as const,
      })),
    ],
    from: {
      op: 'filter',
      where: call('list.not_empty', [field(HITS, hits.type)]),
      from: {
        op: 'derive',
        from: scan,
        set: [{ name: HITS, value: call('rules.hits', group.conditions, hits.type) }],
      },
    },
  }
}
