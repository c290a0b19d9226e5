/** `join` and `lookup`: keys, the kinds of join, and the names of the columns of both sides. */
import { call, type Expr, field } from '../../ir/expr.ts'
import type { Binding, JoinKey, JoinKind, Rel } from '../../ir/rel.ts'
import type { Column, Node } from './adapter.ts'
import {
  type Context,
  cast,
  hiddenFields,
  missing,
  type Operator,
  type Rowset,
  refuse,
  rowOf,
  same,
  selected,
} from './scope.ts'

/** A pair of expressions, one over each side. */
export interface Pair {
  readonly left: Expr
  readonly right: Expr
}

const FLIPPED: Readonly<Record<string, string>> = { $left: '$right', $right: '$left' }

/** The side that an expression of a join condition speaks of. */
function sideOf(node: Node): string | undefined {
  for (const each of node.walk()) {
    if (each.kind === 'NameReference' && (each.name === '$left' || each.name === '$right'))
      return each.name
  }
  return undefined
}

/** An expression over one side; `$left.x` reads the column x. */
function sided(node: Node, rows: Rowset, context: Context): Expr {
  return context.lowering.expr(node, {
    lowering: context.lowering,
    env: context.env,
    row: rowOf(rows),
    special: (each) => {
      if (each.kind !== 'PathExpression') return undefined
      const base = each.child('Expression')
      if (base.kind !== 'NameReference' || FLIPPED[base.name] === undefined) return undefined
      return rowOf(rows).get(each.child('Selector').name)
    },
  })
}

function pairsOf(node: Node, left: Rowset, right: Rowset, context: Context): readonly Pair[] {
  if (node.kind === 'ParenthesizedExpression')
    return pairsOf(node.child('Expression'), left, right, context)
  if (node.kind === 'AndExpression') {
    return ['Left', 'Right'].flatMap((side) => pairsOf(node.child(side), left, right, context))
  }
  if (node.kind === 'NameReference') {
    const pick = (rows: Rowset): Expr =>
      rowOf(rows).get(node.name) ??
      refuse(
        'HR402',
        { name: node.name, hint: 'both sides of a join must have it' },
        context.lowering.place(node),
      )
    return [{ left: pick(left), right: pick(right) }]
  }
  if (node.kind === 'EqualExpression') {
    const [one, other] = [node.child('Left'), node.child('Right')]
    const [first, second] = sideOf(one) === '$right' ? [other, one] : [one, other]
    return [{ left: sided(first, left, context), right: sided(second, right, context) }]
  }
  return refuse('HR407', { what: node.text.slice(0, 80) }, context.lowering.place(node))
}

/** Makes both sides of a key comparable. */
function keyOf({ left, right }: Pair): JoinKey {
  const scalar = (value: Expr): Expr => (value.type === 'dynamic' ? cast(value, 'text') : value)
  const [one, other] = [scalar(left), scalar(right)]
  if (typeof one.type !== 'string' || typeof other.type !== 'string')
    return { left: one, right: other }
  const isText = one.type === 'text' || other.type === 'text'
  const type =
    one.type === other.type
      ? one.type
      : isText
        ? 'text'
        : one.type === 'int32'
          ? other.type
          : one.type
  return {
    left: cast(one, type),
    right: cast(other, type),
    ...(type === 'text' ? {} : { nullsMatch: true }),
  }
}

/** Rows as one side of a join: columns under names of their own, so that those of the sides never meet. */
interface Side {
  readonly rel: Rel
  readonly columns: readonly Column[]
  readonly names: readonly string[]
}

/** True when rows of a side may be left without a partner, and so its columns without values. */
function sideFor(
  rows: Rowset,
  columns: readonly Column[],
  mayMiss: boolean,
  label: string,
  context: Context,
): Side {
  const names = columns.map(() => context.lowering.hidden(label))
  const keep = columns.map(({ name, type }, index): Binding => {
    const value = field(name, type)
    return {
      name: names[index] ?? name,
      value: mayMiss && type !== 'text' ? call('value.may_miss', [value], type) : value,
    }
  })
  return {
    rel: { op: 'select', from: rows.rel, keep: [...keep, ...same(hiddenFields(rows))] },
    columns,
    names,
  }
}

const KINDS: Readonly<
  Record<string, { readonly how: JoinKind; readonly flip?: true; readonly keeps: 'both' | 'left' }>
> = {
  inner: { how: 'inner', keeps: 'both' },
  innerunique: { how: 'inner', keeps: 'both' },
  leftouter: { how: 'left', keeps: 'both' },
  rightouter: { how: 'right', keeps: 'both' },
  fullouter: { how: 'full', keeps: 'both' },
  leftsemi: { how: 'semi', keeps: 'left' },
  rightsemi: { how: 'semi', flip: true, keeps: 'left' },
  leftanti: { how: 'anti', keeps: 'left' },
  anti: { how: 'anti', keeps: 'left' },
  leftantisemi: { how: 'anti', keeps: 'left' },
  rightanti: { how: 'anti', flip: true, keeps: 'left' },
  rightantisemi: { how: 'anti', flip: true, keeps: 'left' },
}

/** The value of a parameter such as `kind=inner`, in lower case. */
export function parameterOf(node: Node, name: string): Node | undefined {
  return node
    .items('Parameters')
    .find((each) => each.child('Name').name === name || each.child('Name').text === name)
    ?.maybe('Expression')
}

/** One row for each combination of keys, as `innerunique` takes from its left side. */
function uniqueKeys(rows: Rowset, keys: readonly JoinKey[]): Rowset {
  return {
    ...rows,
    rel: { op: 'limit', from: rows.rel, rows: 1, per: keys.map(({ left }) => left) },
  }
}

export function joined(
  left: Rowset,
  right: Rowset,
  pairs: readonly Pair[],
  kind: string,
  out: readonly Column[],
  context: Context,
  rightColumns: readonly Column[] = right.columns,
): Rowset {
  const spec = KINDS[kind]
  if (spec === undefined) return refuse('HR407', { what: `join kind=${kind}` })
  const keys = pairs.map(keyOf)
  const { how } = spec
  if (spec.keeps === 'left') {
    const on = spec.flip ? keys.map((key) => ({ ...key, left: key.right, right: key.left })) : keys
    const [main, other] = spec.flip ? [right, left] : [left, right]
    const rel: Rel = {
      op: 'join',
      how,
      left: main.rel,
      right: keysOnly(other, on),
      on: on.map((key, index) => ({ ...key, right: field(`@@j${index}`, key.right.type) })),
    }
    const made: Rowset = {
      ...main,
      rel,
      order: spec.flip ? [] : main.order,
      by: spec.flip ? left.by : main.by,
    }
    return selected(
      { ...made, order: [] },
      out,
      out.map(({ name, type }) => field(name, type)),
    )
  }
  const first = kind === 'innerunique' ? uniqueKeys(left, keys) : left
  const one = sideFor(first, left.columns, how === 'right' || how === 'full', 'l', context)
  const two = sideFor(
    { ...right, by: [] },
    rightColumns,
    how === 'left' || how === 'full',
    'r',
    context,
  )
  const keyNames = keys.map(() => context.lowering.hidden('k'))
  const withKeys = (
    rows: Rowset,
    side: Side,
    pick: (key: JoinKey) => Expr,
    mayMiss: boolean,
  ): Rel => ({
    op: 'select',
    from: rows.rel,
    keep: [
      ...(side.rel.op === 'select' ? side.rel.keep : []),
      ...keys.map((key, index): Binding => {
        const value = pick(key)
        return {
          name: keyNames[index] ?? '',
          value:
            mayMiss && value.type !== 'text'
              ? call(
                  'value.may_miss',
                  [value],
                  typeof value.type === 'string' ? value.type : 'text',
                )
              : value,
        }
      }),
    ],
  })
  const rel: Rel = {
    op: 'join',
    how,
    left: withKeys(first, one, (key) => key.left, false),
    right: withKeys({ ...right, by: [] }, two, (key) => key.right, false),
    on: keys.map((key, index) => ({
      left: field(keyNames[index] ?? '', key.left.type),
      right: field(keyNames[index] ?? '', key.right.type),
      ...(key.nullsMatch ? { nullsMatch: true } : {}),
    })),
  }
  const all = [
    ...one.columns.map((each, index) => [each, one.names[index]] as const),
    ...two.columns.map((each, index) => [each, two.names[index]] as const),
  ]
  return selected(
    { rel, columns: [], order: [], by: left.by },
    out,
    out.map(({ type }, index) => {
      const pair = all[index]
      if (pair === undefined) return missing(type)
      return cast(field(pair[1] ?? '', pair[0].type), type)
    }),
  )
}

/** Only the keys of a side: all that a test of existence needs. */
function keysOnly(rows: Rowset, on: readonly JoinKey[]): Rel {
  return {
    op: 'select',
    from: rows.rel,
    keep: on.map(({ right }, index) => ({ name: `@@j${index}`, value: right })),
  }
}

const join: Operator = (rows, node, context) => {
  const right = context.lowering.table(node.child('Expression'), context.env)
  const clause = node.maybe('ConditionClause')
  if (clause?.kind !== 'JoinOnClause') {
    return refuse('HR407', { what: 'a join without "on"' }, context.lowering.place(node))
  }
  const kind = parameterOf(node, 'kind')?.text.toLowerCase() ?? 'innerunique'
  const pairs = clause.items('Expressions').flatMap((each) => pairsOf(each, rows, right, context))
  return joined(rows, right, pairs, kind, node.columns, context)
}

const lookup: Operator = (rows, node, context) => {
  const right = context.lowering.table(node.child('Expression'), context.env)
  const clause = node.child('LookupClause')
  const kind = parameterOf(node, 'kind')?.text.toLowerCase() ?? 'leftouter'
  const pairs = clause.items('Expressions').flatMap((each) => pairsOf(each, rows, right, context))
  // The keys of the right side are not repeated.
  const keys = new Set(pairs.flatMap(({ right: key }) => (key.op === 'field' ? [key.name] : [])))
  const rest = right.columns.filter(({ name }) => !keys.has(name))
  return joined(rows, right, pairs, kind, node.columns, context, rest)
}

export const joinOperators = { JoinOperator: join, LookupOperator: lookup } as const
