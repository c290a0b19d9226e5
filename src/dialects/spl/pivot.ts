/**
 * Tables with a column for each value of a field, as `chart`, `timechart` and `xyseries` make them. Which values there
 * are only the data can tell.
 */
import { limits } from '../../core/limits.ts'
import type { Span } from '../../core/span.ts'
import { call, type Expr, field, text } from '../../ir/expr.ts'
import type { AggBinding, Binding, OrderKey, Rel } from '../../ir/rel.ts'
import { isList, type Type } from '../../ir/types.ts'
import type { Context } from './command.ts'
import { sortedBy } from './ordering.ts'
import { refuse } from './refusal.ts'
import {
  asNumber,
  asText,
  derived,
  fieldValue,
  filtered,
  int,
  nameFromData,
  type Rows,
} from './rows.ts'
import { present } from './searching.ts'
import { byNumber, windowed } from './windows.ts'

/** How many series are shown, and which. */
export interface SeriesChoice {
  /** 0 for all. */
  readonly count: number
  readonly isTop: boolean
  /** What the values of a series are made one of, to choose by. */
  readonly score: string
  /** The name of all that are not shown; undefined to leave them out. */
  readonly other?: string
  /** The name of rows without a value; undefined to leave them out. */
  readonly missing?: string
}

export interface PivotNode {
  /** The field of the rows. */
  readonly over: string
  /** The field of which each value is a column. */
  readonly split: string
  readonly choice: SeriesChoice
  /** The name of the column of a series and the label of an aggregate. */
  readonly nameOf: (series: string, label: string) => string
}

/** An aggregate of a pivot: under its label, with what is made of it afterwards. */
export interface PivotCell {
  readonly label: string
  readonly binding: AggBinding
  readonly finish?: (value: Expr) => Expr
}

/** The values of the split field, those shown first: by their score, then by their text. */
function rankedSeries(
  rows: Rows,
  node: PivotNode,
  series: Expr,
  cell: PivotCell,
  context: Context,
): Rel {
  const { choice, over } = node
  const [value, score, order] = ['v', 's', 'o'].map((each) => context.hidden(each))
  const name = (each: string | undefined): string => each ?? ''
  const key = name(order)
  const own: Binding[] = [
    { name: over, value: fieldValue(rows, over) },
    { name: key, value: series },
  ]
  const named = { ...cell.binding, name: name(value) }
  const cells: Rel = { op: 'aggregate', from: rows.rel, by: own, into: [named] }
  const number = asNumber(field(name(value), cell.binding.type))
  const scored: Rel = {
    op: 'aggregate',
    from: cells,
    by: [{ name: key, value: field(key, 'text') }],
    into: [{ name: name(score), fn: `stats.${choice.score}`, args: [number], type: 'float' }],
  }
  const sort: readonly OrderKey[] = [
    { by: field(name(score), 'float'), down: choice.isTop, nulls: 'last' },
    { by: field(key, 'text'), down: false, nulls: 'last' },
  ]
  const sorted: Rel = { op: 'sort', from: scored, order: sort }
  const all = limits.discoveredColumns + 1
  const most = choice.count === 0 ? all : Math.min(choice.count + 1, all)
  const first: Rel = { op: 'limit', from: sorted, rows: most }
  return { op: 'select', from: first, keep: [{ name: key, value: field(key, 'text') }] }
}

/** Numbers by their size, then texts. */
function inOrder(names: readonly string[]): readonly string[] {
  const rank = (each: string): number =>
    each.trim() !== '' && Number.isFinite(Number(each)) ? Number(each) : Number.POSITIVE_INFINITY
  return [...names].sort((a, b) => {
    const [x, y] = [rank(a), rank(b)]
    if (x !== y) return x < y ? -1 : 1
    return a < b ? -1 : a > b ? 1 : 0
  })
}

/** Refuses a table that is too wide. */
export function checkColumns(count: number, span: Span): void {
  if (count <= limits.discoveredColumns) return
  const size = `more than ${limits.discoveredColumns}`
  refuse('HR517', { what: 'the number of columns', size, limit: limits.discoveredColumns }, span)
}

interface Series {
  readonly rows: Rows
  /** The name of the series that a row is part of. */
  readonly of: Expr
  readonly names: readonly string[]
}

/** The series of rows, found in the data: those shown, the others and those without a value as one each. */
function seriesOf(
  given: Rows,
  node: PivotNode,
  cell: PivotCell,
  context: Context,
  span: Span,
): Series {
  const { choice } = node
  const column = context.hidden('x')
  const value = asText(fieldValue(given, node.split))
  const rows = derived(given, [{ name: column, value }])
  const of = field(column, 'text')
  const keyed = filtered(rows, present(of))
  const found = context.discover('series', rankedSeries(keyed, node, of, cell, context), span)
  const shown = choice.count === 0 ? found : found.slice(0, choice.count)
  checkColumns(shown.length, span)
  const hasOthers = found.length > shown.length && choice.other !== undefined
  const isMissing = call('logic.not', [present(of)])
  const none: Rel = {
    op: 'select',
    from: { op: 'limit', from: filtered(rows, isMissing).rel, rows: 1 },
    keep: [{ name: column, value: text('none') }],
  }
  const hasMissing =
    choice.missing !== undefined && context.discover('rows without a series', none, span).length > 0
  const isShown = call('eval.in', [of, ...shown.map(text)])
  const known =
    shown.length === 0
      ? text(choice.other ?? '')
      : call('eval.case', [isShown, of, text(choice.other ?? '')], 'text')
  const name = call('eval.case', [isMissing, text(choice.missing ?? ''), known], 'text')
  const own = context.hidden('n')
  const names = [...inOrder(shown)]
  // A series may be called as the others are; then it is one with them.
  for (const each of [
    hasMissing ? choice.missing : undefined,
    hasOthers ? choice.other : undefined,
  ]) {
    if (each !== undefined && !names.includes(each)) names.push(each)
  }
  return { rows: derived(rows, [{ name: own, value: name }]), of: field(own, 'text'), names }
}

/** A table, and which of its columns count: those are 0 where there is nothing. */
export interface Pivot {
  readonly rows: Rows
  readonly counts: ReadonlySet<string>
}

/** A row for each value of one field, a column for each value of another and each aggregate. */
export function pivoted(
  rows: Rows,
  node: PivotNode,
  cells: readonly PivotCell[],
  context: Context,
  span: Span,
): Pivot {
  const [first] = cells
  if (first === undefined) return { rows, counts: new Set() }
  const series = seriesOf(rows, node, first, context, span)
  const over = fieldValue(series.rows, node.over)
  const columns = cells.flatMap((cell) =>
    series.names.map((name) => {
      const isOf = call('compare.equals', [series.of, text(name)])
      const { where } = cell.binding
      const test = where === undefined ? isOf : call('logic.and', [isOf, where])
      return { cell, column: nameFromData(node.nameOf(name, cell.label)), test }
    }),
  )
  const shown = [...new Map(columns.map((each) => [each.column, each])).values()].filter(
    ({ column }) => column !== node.over,
  )
  const into = shown.map(
    ({ cell, column, test }): AggBinding => ({ ...cell.binding, name: column, where: test }),
  )
  const rel: Rel = {
    op: 'aggregate',
    from: series.rows.rel,
    by: [{ name: node.over, value: over }],
    into,
  }
  const fields = new Map<string, Type>([
    [node.over, over.type],
    ...into.map(({ name, type }) => [name, type] as const),
  ])
  const made: Rows = { rel, fields, order: [], isEvents: false }
  const finished = derived(
    made,
    shown.flatMap(({ cell, column }): readonly Binding[] => {
      const value = cell.finish?.(field(column, cell.binding.type))
      return value === undefined ? [] : [{ name: column, value }]
    }),
  )
  return {
    rows: sortedBy(finished, [{ field: node.over, isDown: false, type: 'auto' }], context),
    counts: new Set(into.filter(({ fn }) => COUNTS.includes(fn)).map(({ name }) => name)),
  }
}

/** Aggregates that count: of nothing they are 0. */
const COUNTS: readonly string[] = ['stats.count', 'stats.count_rows', 'stats.dc', 'stats.estdc']

/** What stands in a cell of a row that fills a gap. */
export function emptyCell(isCount: boolean, type: Type): Expr {
  if (isCount) return { op: 'const', value: 0, type }
  return isList(type)
    ? { op: 'const', value: [], type }
    : { op: 'const', value: null, type: type === 'null' ? 'text' : type }
}

/**
 * Rows with others put in where numbers of a field, which they are in the order of, are more than a step apart. `list`
 * makes the numbers from one to the next; `cell` says what the other fields hold in such rows.
 */
export function withoutGaps(
  rows: Rows,
  name: string,
  list: (first: Expr, next: Expr) => Expr,
  cell: (field: string, type: Type) => Expr,
  context: Context,
): Rows {
  const [own, next, each] = ['a', 'b', 'c'].map((label) => context.hidden(label))
  const column = (given: string | undefined): string => given ?? ''
  const type = 'float' as const
  const kept = derived(rows, [{ name: column(own), value: asNumber(fieldValue(rows, name)) }])
  const first = field(column(own), type)
  const none: Expr = { op: 'const', value: null, type }
  const lead: AggBinding = { name: column(next), fn: 'win.lead', args: [first, int(1), none], type }
  const looked = windowed(kept, [lead], { order: byNumber(first), frame: 'all' })
  const spread: Rel = {
    op: 'expand',
    from: looked.rel,
    list: list(first, field(column(next), type)),
    as: column(each),
  }
  const place = call('eval.number', [field(column(each), 'text')], type)
  const isOwn = call('compare.equals', [place, first])
  const set = [...rows.fields].map(([field_, fieldType]): Binding => {
    if (field_ === name) return { name, value: place }
    const value = call(
      'eval.case',
      [isOwn, field(field_, fieldType), cell(field_, fieldType)],
      fieldType,
    )
    return { name: field_, value }
  })
  const made = derived({ ...rows, rel: spread }, set)
  return sortedBy({ ...made, order: [] }, [{ field: name, isDown: false, type: 'auto' }], context)
}
