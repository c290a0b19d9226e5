/**
 * Many rules in one pass: the conditions of rules that read the same source become one scan that tells, for each
 * row, which of them hold. Takes optimised plans, gives one relation a group.
 */
import { and, call, type Expr, FALSE, field, or } from '../ir/expr.ts'
import { printExpr } from '../ir/print.ts'
import type { Rel, TimeBounds } from '../ir/rel.ts'
import type { Schema } from '../ir/types.ts'
import { QUERY_PREFIX } from '../schema/source.ts'
import { shareLiterals } from './atoms.ts'

/** Column of a grouped scan that lists, from 1, the conditions that hold. */
const HITS = `${QUERY_PREFIX}hits`

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
  /** What every one of the conditions also asks; it narrows the scan itself. */
  readonly common?: Expr
  readonly conditions: readonly Expr[]
  /** True to search the literals of all conditions in one reading of each column; pays on many rows. */
  readonly shared?: boolean
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
  const { set, conditions } = group.shared
    ? shareLiterals(group.conditions)
    : { set: [], conditions: group.conditions }
  const narrowed: Rel =
    group.common === undefined ? scan : { op: 'filter', from: scan, where: group.common }
  const searched: Rel = set.length === 0 ? narrowed : { op: 'derive', from: narrowed, set }
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
        from: searched,
        set: [{ name: HITS, value: call('rules.hits', conditions, hits.type) }],
      },
    },
  }
}

/** The parts that must all hold. */
function conjuncts(where: Expr): readonly Expr[] {
  return where.op === 'call' && where.fn === 'logic.and' ? where.args : [where]
}

/** A test of one field against constants, which a sort key may serve. */
function isKeyTest(part: Expr): boolean {
  if (part.op !== 'call' || (part.fn !== 'match.in' && part.fn !== 'match.equals')) return false
  const [subject, value] = part.args
  return subject?.op === 'field' && value?.op === 'const'
}

/** The first part of a condition as text, when it is a plain test: rules that share it are scanned together. */
export function leadOf(where: Expr): string {
  const [first] = conjuncts(where)
  return first !== undefined && isKeyTest(first) ? printExpr(first) : ''
}

/** Takes out what all conditions ask alike; nothing when they share nothing. */
export function takeCommon(conditions: readonly Expr[]): {
  readonly common?: Expr
  readonly rest: readonly Expr[]
} {
  const [first, ...others] = conditions.map((each) => conjuncts(each))
  if (first === undefined) return { rest: conditions }
  const sets = others.map((parts) => new Set(parts.map(printExpr)))
  const shared = new Set(
    first
      .filter(isKeyTest)
      .map(printExpr)
      .filter((each) => sets.every((set) => set.has(each))),
  )
  if (shared.size === 0) return { rest: conditions }
  return {
    common: and(first.filter((each) => shared.has(printExpr(each)))),
    rest: conditions.map((each) =>
      and(conjuncts(each).filter((part) => !shared.has(printExpr(part)))),
    ),
  }
}
