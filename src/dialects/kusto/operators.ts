/** The tabular operators, by the kind of their node. A family with a file of its own adds its table here. */
import { call, type Expr, field } from '../../ir/expr.ts'
import type { Rel, Scalar } from '../../ir/rel.ts'
import { kustoTypeName } from './adapter.ts'
import { evaluateOperators } from './evaluate.ts'
import { expandOperators } from './expand.ts'
import { invokeOperators } from './invoke.ts'
import { joinOperators } from './joins.ts'
import { seriesOperators } from './makeseries.ts'
import { parseOperators } from './parse.ts'
import {
  distinctRows,
  limited,
  listedRows,
  type Made,
  namedValues,
  ordered,
  overRows,
  piped,
  shaped,
} from './rows.ts'
import {
  type Context,
  cast,
  derived,
  filtered,
  type Operator,
  type Rowset,
  rowOf,
  same,
  selected,
} from './scope.ts'
import { stateOperators } from './states.ts'
import { summarizeOperators } from './summarize.ts'
import { unionOperators } from './unions.ts'
import { countOf, typeOf } from './values.ts'

const filter: Operator = (rows, node, context) => {
  const { rows: ready, made } = overRows(rows, context, (inner) =>
    cast(context.lowering.expr(node.child('Condition'), inner), 'bool'),
  )
  return filtered(ready, made)
}

const extend: Operator = (rows, node, context) => {
  const out = node.columns
  const taken = new Set(rows.columns.map(({ name }) => name))
  const { rows: ready, made } = overRows(rows, context, (inner) =>
    namedValues(node.items('Expressions'), out, taken, inner),
  )
  return shaped(ready, out, made, node, context)
}

const project: Operator = (rows, node, context) => {
  const out = node.columns
  const { rows: ready, made } = overRows(rows, context, (inner) =>
    namedValues(node.items('Expressions'), out, new Set(), inner),
  )
  return shaped(ready, out, made, node, context)
}

const rename: Operator = (rows, node, context) => {
  const before = rowOf(rows)
  const made = node.items('Expressions').flatMap((each): readonly Made[] => {
    const value = before.get(each.maybe('Expression')?.name ?? '')
    return value === undefined ? [] : [{ name: each.child('Name').name, value }]
  })
  return shaped(rows, node.columns, made, node, context)
}

/** Operators that only choose and order columns. */
const choose: Operator = (rows, node, context) => shaped(rows, node.columns, [], node, context)

const take: Operator = (rows, node, context) =>
  limited(rows, countOf(node.child('Expression'), context), context)

const top: Operator = (rows, node, context) => {
  const count = countOf(node.child('Expression'), context)
  return limited(ordered(rows, [node.child('ByExpression')], context), count, context)
}

const distinct: Operator = (rows, node, context) => {
  const list = node.items('Expressions')
  const chosen = list.some((each) => each.kind === 'StarExpression')
    ? rows
    : project(rows, node, context)
  return distinctRows(chosen)
}

const count: Operator = (rows, node) => {
  const [column = { name: 'Count', type: 'int' as const }] = node.columns
  const rel: Rel = {
    op: 'aggregate',
    from: rows.rel,
    by: same(rows.by),
    into: [{ name: column.name, fn: 'agg.count', args: [], type: 'int' }],
  }
  return { ...rows, rel, columns: [column], order: [] }
}

const sample: Operator = (rows, node, context) =>
  limited(rows, countOf(node.child('Expression'), context), context)

const sampleDistinct: Operator = (rows, node, context) => {
  const inner: Context = { ...context, row: rowOf(rows) }
  const value = context.lowering.expr(node.child('OfExpression'), inner)
  const [column = { name: 'Column1', type: typeOf(node.child('OfExpression'), value.type) }] =
    node.columns
  const chosen = selected(rows, [column], [cast(value, column.type)])
  return limited(distinctRows(chosen), countOf(node.child('Expression'), context), context)
}

/** Names of types as `getschema` tells them. */
const DATA_TYPES: Readonly<Record<string, string>> = {
  bool: 'System.SByte',
  int: 'System.Int32',
  long: 'System.Int64',
  real: 'System.Double',
  decimal: 'System.Data.SqlTypes.SqlDecimal',
  string: 'System.String',
  datetime: 'System.DateTime',
  timespan: 'System.TimeSpan',
  guid: 'System.Guid',
  dynamic: 'System.Object',
}

const schema: Operator = (rows, node, context) => {
  const listed = rows.columns.map(({ name, type }, index): readonly Scalar[] => {
    const kusto = kustoTypeName(type)
    return [name, index, DATA_TYPES[kusto] ?? kusto, kusto]
  })
  return listedRows(node.columns, listed, context)
}

const render: Operator = (rows, node, context) => {
  context.lowering.render =
    node.token('ChartType') || /^render\s+(\w+)/i.exec(node.text)?.[1] || 'table'
  return rows
}

const remember: Operator = (rows, node, context) => {
  const shared = context.lowering.shared(rows)
  context.env.set(node.child('Name').name || node.child('Name').text, {
    kind: 'table',
    rows: () => shared,
  })
  return shared
}

const print: Operator = (rows, node, context) => {
  const out = node.columns
  const made = namedValues(node.items('Expressions'), out, new Set(), context)
  return shaped(rows, out, made, node, context)
}

/** Whole numbers, dates or lengths of time from one bound to another. */
const range: Operator = (_, node, context) => {
  const [column = { name: 'x', type: 'int' as const }] = node.columns
  const value = (name: string): Expr =>
    cast(
      context.lowering.expr(node.child(name), context),
      name === 'Step' && column.type === 'time' ? 'span' : column.type,
    )
  const at = context.lowering.hidden('i')
  const list = call('list.range', [value('From'), value('To'), value('Step')], {
    list: column.type,
  })
  const rel: Rel = { op: 'expand', from: context.lowering.nothing().rel, list, as: column.name }
  return {
    rel: { op: 'derive', from: rel, set: [{ name: at, value: field(column.name, column.type) }] },
    columns: [column],
    order: [{ by: field(at, column.type), down: false, nulls: 'first' }],
    by: [],
  }
}

/** A table for each value of a key, an operator or a pipe over each, and all results together. */
const partition: Operator = (rows, node, context) => {
  const inner: Context = { ...context, row: rowOf(rows) }
  const key = context.lowering.expr(node.child('ByExpression'), inner)
  const name = context.lowering.hidden('p')
  const type = typeOf(node.child('ByExpression'), key.type)
  const parted: Rowset = {
    ...derived(rows, [{ name, value: key }]),
    by: [...rows.by, { name, type }],
  }
  const operand = node.child('Operand')
  const made = piped(
    parted,
    operand.maybe('Subquery') ?? operand.maybe('Expression') ?? operand.child('Query'),
    context,
  )
  const result: Rowset = { ...made, by: rows.by, order: [] }
  return shaped(result, node.columns, [], node, context)
}

export const OPERATORS: Readonly<Record<string, Operator>> = {
  FilterOperator: filter,
  ExtendOperator: extend,
  SerializeOperator: extend,
  ProjectOperator: project,
  ProjectRenameOperator: rename,
  ProjectAwayOperator: choose,
  ProjectKeepOperator: choose,
  ProjectReorderOperator: choose,
  ProjectByNamesOperator: choose,
  SortOperator: (rows, node, context) => ordered(rows, node.items('Expressions'), context),
  TakeOperator: take,
  TopOperator: top,
  DistinctOperator: distinct,
  CountOperator: count,
  SampleOperator: sample,
  SampleDistinctOperator: sampleDistinct,
  GetSchemaOperator: schema,
  RenderOperator: render,
  AsOperator: remember,
  PrintOperator: print,
  RangeOperator: range,
  PartitionOperator: partition,
  ConsumeOperator: (rows) => rows,
  AssertSchemaOperator: (rows) => rows,
  ...summarizeOperators,
  ...joinOperators,
  ...invokeOperators,
  ...unionOperators,
  ...expandOperators,
  ...parseOperators,
  ...evaluateOperators,
  ...seriesOperators,
  ...stateOperators,
}
