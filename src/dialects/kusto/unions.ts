/** `union`, `search` and `find`: several tables as one, and tests of every column. */
import { diagnose } from '../../core/diagnostic.ts'
import { call, type Expr, field, or, text } from '../../ir/expr.ts'
import type { Rel } from '../../ir/rel.ts'
import { type Column, kustoTypeName, type Node } from './adapter.ts'
import { parameterOf } from './joins.ts'
import { quotedPattern } from './parse.ts'
import {
  type Context,
  cast,
  filtered,
  missing,
  type Operator,
  type Row,
  type Rowset,
  selected,
} from './scope.ts'

/** A table of a union with the name that `withsource` tells. */
interface Leg {
  readonly rows: Rowset
  readonly name: string
}

function globOf(pattern: string): RegExp {
  const parts = pattern.split('*').map(quotedPattern)
  return new RegExp(`^${parts.join('.*')}$`)
}

/** The name at the start of a pipe, when nothing has it. */
function absentTable(node: Node, context: Context): string | undefined {
  if (node.kind === 'PipeExpression' || node.kind === 'ParenthesizedExpression') {
    return absentTable(node.child('Expression'), context)
  }
  if (node.kind !== 'NameReference' || node.calledBody !== undefined) return undefined
  const { name } = node
  const isKnown =
    context.env.get(name) !== undefined || context.lowering.tableNames().includes(name)
  return isKnown ? undefined : name
}

/** All tables, or those whose names fit; the ones behind functions are left out. */
function allLegs(
  item: Node,
  { lowering }: Context,
  fits: (name: string) => boolean = () => true,
): readonly Leg[] {
  const names = new Map<string, string>()
  for (const name of lowering.tableNames()) {
    // A table that is known under spellings of different case is one table.
    const low = name.toLowerCase()
    if (!name.endsWith('_') && fits(name) && !names.has(low)) names.set(low, name)
  }
  return [...names.values()].map((name) => ({ rows: unnamed(lowering.stored(name, item)), name }))
}

/** The rows of a table that is read as one of all. */
function unnamed(rows: Rowset): Rowset {
  const { rel } = rows
  if (rel.op !== 'scan') return rows
  return { ...rows, rel: { ...rel, table: { ...rel.table, isUnnamed: true } } }
}

/** The tables of a query that names none. */
function everyLeg(item: Node, context: Context): readonly Leg[] {
  const legs = allLegs(item, context)
  const { lowering } = context
  lowering.notice(diagnose('HR476', { count: legs.length }, lowering.place(item)))
  return legs
}

/** The tables that an item of a union stands for; names with `*` stand for all that fit. */
function legsOf(item: Node, index: number, context: Context, isFuzzy: boolean): readonly Leg[] {
  const { lowering } = context
  if (item.kind === 'NameReference' && item.child('Name').kind === 'WildcardedName') {
    const pattern = globOf(item.child('Name').text)
    return item.child('Name').text === '*'
      ? everyLeg(item, context)
      : allLegs(item, context, (name) => pattern.test(name))
  }
  let inner = item
  while (inner.kind === 'ParenthesizedExpression') inner = inner.child('Expression')
  const absent = isFuzzy ? absentTable(inner, context) : undefined
  if (absent !== undefined) {
    const span = lowering.place(item)
    lowering.notice(diagnose('HR418', { name: absent }, span))
    return []
  }
  const rows = lowering.table(item, context.env)
  // Only tables of the store are told by their names.
  const isStored =
    inner.kind === 'NameReference' &&
    inner.calledBody === undefined &&
    context.env.get(inner.name) === undefined
  const name = isStored ? inner.name : (namedAs(inner) ?? `union_arg${index}`)
  return [{ rows, name }]
}

/** The name that a pipe gives its rows with a final `as`. */
function namedAs(node: Node): string | undefined {
  const last = node.kind === 'PipeExpression' ? node.child('Operator') : undefined
  return last?.kind === 'AsOperator' ? last.child('Name').name : undefined
}

/** The column of a leg that a column of the union reads: of its name and type, or split off by type. */
function sourceOf(out: Column, rows: Rowset): Expr {
  const exact = rows.columns.find(({ name, type }) => name === out.name && type === out.type)
  if (exact !== undefined) return field(exact.name, exact.type)
  const split = rows.columns.find(
    ({ name, type }) => out.name === `${name}_${kustoTypeName(type)}` && type === out.type,
  )
  if (split !== undefined) return field(split.name, split.type)
  // Columns of one name and several types may come together as dynamic values.
  const named = rows.columns.find(({ name }) => name === out.name)
  return named === undefined || out.type !== 'dynamic'
    ? missing(out.type)
    : cast(field(named.name, named.type), 'dynamic')
}

function united(legs: readonly Leg[], out: readonly Column[], source: string | undefined): Rowset {
  const all = legs.map(({ rows, name }): Rel => {
    const plain: Rowset = { ...rows, order: [], by: [] }
    return selected(
      plain,
      out,
      out.map((each) => (each.name === source ? text(name) : sourceOf(each, rows))),
    ).rel
  })
  const [only] = all
  const rel: Rel =
    only === undefined
      ? { op: 'values', rows: [], out }
      : all.length === 1
        ? only
        : { op: 'union', all }
  return { rel, columns: out, order: [], by: [] }
}

const union: Operator = (rows, node, context) => {
  const isFuzzy = parameterOf(node, 'isfuzzy')?.text.toLowerCase() === 'true'
  const source = parameterOf(node, 'withsource') ?? parameterOf(node, 'with_source')
  const items = node.items('Expressions')
  const isPiped = rows.columns.length > 0
  const legs = items.flatMap((each, index) =>
    legsOf(each, isPiped ? index + 1 : index, context, isFuzzy),
  )
  const all = isPiped ? [{ rows, name: 'union_arg0' }, ...legs] : legs
  // The binder has settled which columns there are, for the outer kind and the inner one.
  return united(all, node.columns, source?.name || source?.text)
}

/** All columns that hold text, tested. */
function anywhere(rows: Rowset, test: (value: Expr) => Expr): Expr {
  const columns = rows.columns.filter(({ name }) => name !== '$table')
  return or(columns.map(({ name, type }) => test(cast(field(name, type), 'text'))))
}

/** One leg's row as a condition sees it: columns of other legs are missing in it, those of several types are dynamic. */
function legRow(leg: Rowset, legs: readonly Leg[]): Row {
  const row = new Map<string, Expr>()
  for (const { rows } of legs) {
    for (const { name, type } of rows.columns) if (!row.has(name)) row.set(name, missing(type))
  }
  for (const { name, type } of leg.columns) {
    const isMixed = legs.some(({ rows }) =>
      rows.columns.some((each) => each.name === name && each.type !== type),
    )
    row.set(name, isMixed ? cast(field(name, type), 'dynamic') : field(name, type))
  }
  return row
}

/** A condition of `search`: a bare text is looked for in every column. */
function searched(node: Node, rows: Rowset, context: Context, noCase: boolean): Expr {
  const again = (each: Node): Expr => searched(each, rows, context, noCase)
  switch (node.kind) {
    case 'ParenthesizedExpression':
      return again(node.child('Expression'))
    case 'AndExpression':
      return call('logic3.and', [again(node.child('Left')), again(node.child('Right'))])
    case 'OrExpression':
      return call('logic3.or', [again(node.child('Left')), again(node.child('Right'))])
    case 'StringLiteralExpression':
      return anywhere(rows, (value) => wildcard(value, node.literalText, noCase))
    case 'StarExpression':
      return { op: 'const', value: true, type: 'bool' }
    case 'SearchExpression': {
      // `column: "text"`
      const value = cast(context.lowering.expr(node.child('Left'), context), 'text')
      return wildcard(value, node.child('Right').literalText, noCase)
    }
    case 'FunctionCallExpression':
      if (node.child('Name').name === 'not') {
        const [inner] = node.child('ArgumentList').items('Expressions')
        if (inner !== undefined) return call('logic3.not', [again(inner)])
      }
      break
    default:
  }
  return cast(context.lowering.expr(node, context), 'bool')
}

/** A term of `search`: `*` at its ends frees them. */
function wildcard(value: Expr, needle: string, noCase: boolean): Expr {
  const starts = needle.startsWith('*')
  const ends = needle.endsWith('*') && needle.length > 1
  const inner = needle.slice(starts ? 1 : 0, ends ? -1 : undefined)
  const cs = noCase ? '' : '_cs'
  if (inner === '') return { op: 'const', value: true, type: 'bool' }
  if (inner.includes('*')) {
    const pattern = inner.split('*').map(quotedPattern).join('.*')
    return call('text.matches', [value, text(`${noCase ? '(?i)' : ''}${pattern}`)])
  }
  if (starts && ends)
    return call(noCase ? 'text.contains_nocase' : 'text.contains_case', [value, text(inner)])
  if (ends) return call(`term.hasprefix${cs}`, [value, text(inner)])
  if (starts) return call(`term.hassuffix${cs}`, [value, text(inner)])
  return call(`term.has${cs}`, [value, text(inner)])
}

const search: Operator = (rows, node, context) => {
  const isPiped = rows.columns.length > 0
  const listed = node.maybe('InClause')?.items('Expressions') ?? []
  const noCase = !/case_sensitive/.test(parameterOf(node, 'kind')?.text ?? '')
  const legs: readonly Leg[] = isPiped
    ? [{ rows, name: 'search_arg0' }]
    : listed.length > 0
      ? listed.flatMap((each, index) => legsOf(each, index, context, true))
      : everyLeg(node, context)
  const condition = node.child('Condition')
  const found = legs.map(({ rows: leg, name }) => ({
    rows: filtered(leg, searched(condition, leg, { ...context, row: legRow(leg, legs) }, noCase)),
    name,
  }))
  const out = node.columns
  const isTold = out.some(({ name }) => name === '$table')
  return united(found, out, isTold ? '$table' : undefined)
}

const find: Operator = (rows, node, context) => {
  const isPiped = rows.columns.length > 0
  const listed = node.maybe('InClause')?.items('Expressions') ?? []
  const withSource = parameterOf(node, 'withsource')
  const legs: readonly Leg[] = isPiped
    ? [{ rows, name: 'find_arg0' }]
    : listed.length > 0
      ? listed.flatMap((each, index) => legsOf(each, index, context, true))
      : everyLeg(node, context)
  const condition = node.child('Condition')
  const out = node.columns
  const source = withSource?.name || withSource?.text || 'source_'
  const packed = out.find(({ name, type }) => name === 'pack_' && type === 'dynamic')
  const found = legs.map(({ rows: leg, name }): Leg => {
    const kept = filtered(
      leg,
      searched(condition, leg, { ...context, row: legRow(leg, legs) }, true),
    )
    if (packed === undefined) return { rows: kept, name }
    const shown = new Set(out.map((each) => each.name))
    const pairs = leg.columns
      .filter((each) => !shown.has(each.name))
      .flatMap((each) => [text(each.name), field(each.name, each.type)])
    const columns = [...leg.columns, packed]
    const values = [
      ...leg.columns.map((each) => field(each.name, each.type)),
      call('dyn.bag_of_values', pairs, 'dynamic'),
    ]
    return { rows: selected(kept, columns, values), name }
  })
  return united(found, out, source)
}

export const unionOperators = {
  UnionOperator: union,
  SearchOperator: search,
  FindOperator: find,
} as const
