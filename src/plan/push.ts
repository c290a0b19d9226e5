/**
 * Pushing filters down: through unions into each part, through derived columns by substitution, and into one
 * another, so that each scan carries its whole condition.
 */
import { and, type Expr, TRUE } from '../ir/expr.ts'
import type { Binding, Rel } from '../ir/rel.ts'
import { mapExpr, mapRel, visitExpr } from '../ir/walk.ts'

/** Replaces fields by the expressions that define them. */
export function substitute(expr: Expr, set: readonly Binding[]): Expr {
  const values = new Map(set.map((each) => [each.name, each.value]))
  return mapExpr(expr, (each) =>
    each.op === 'field' && each.stored === undefined ? (values.get(each.name) ?? each) : each,
  )
}

/** Nodes of an expression, counted each time they would be printed. */
const sizes = new WeakMap<Expr, number>()

function sizeOf(expr: Expr): number {
  const known = sizes.get(expr)
  if (known !== undefined) return known
  let size = 1
  if (expr.op === 'call') for (const each of expr.args) size += sizeOf(each)
  if (expr.op === 'case') {
    for (const [test, then] of expr.when) size += sizeOf(test) + sizeOf(then)
    size += sizeOf(expr.otherwise)
  }
  sizes.set(expr, size)
  return size
}

/** How far a condition may grow on its way down; columns made of columns made of columns would double it each time. */
const GROWTH = 4
const SLACK = 400

/** The size of a condition with the columns written out that it reads. */
function sizeWithin(where: Expr, set: readonly Binding[]): number {
  const values = new Map(set.map((each) => [each.name, each.value]))
  let size = sizeOf(where)
  visitExpr(where, (each) => {
    const value =
      each.op === 'field' && each.stored === undefined ? values.get(each.name) : undefined
    if (value !== undefined) size += sizeOf(value)
  })
  return size
}

/**
 * The parts of a condition that go below the columns they read, as far as the whole stays near its size, and those that
 * stay above. The smallest go first: they are most likely to be tests of stored columns.
 */
function dividedBy(
  where: Expr,
  set: readonly Binding[],
  most: number,
): { readonly below: Expr; readonly above: readonly Expr[] } {
  const parts = where.op === 'call' && where.fn === 'logic.and' ? where.args : [where]
  const sizes = new Map(parts.map((each) => [each, sizeWithin(each, set)]))
  const small = new Set<Expr>()
  let left = most
  for (const [each, size] of [...sizes].sort((a, b) => a[1] - b[1])) {
    if (size > left) break
    left -= size
    small.add(each)
  }
  return {
    below: and(parts.filter((each) => small.has(each))),
    above: parts.filter((each) => !small.has(each)),
  }
}

function pushFilter(where: Expr, from: Rel, most = sizeOf(where) * GROWTH + SLACK): Rel {
  switch (from.op) {
    case 'filter':
      return pushFilter(and([from.where, where]), from.from)
    case 'union':
      return { op: 'union', all: from.all.map((each) => pushFilter(where, each, most)) }
    case 'derive':
    case 'select': {
      const set = from.op === 'derive' ? from.set : from.keep
      const { below, above } = dividedBy(where, set, most)
      const made: Rel =
        below === TRUE
          ? from
          : { ...from, from: pushFilter(substitute(below, set), from.from, most) }
      return above.length === 0 ? made : { op: 'filter', from: made, where: and(above) }
    }
    default:
      return { op: 'filter', from, where }
  }
}

/** Moves every filter as near to its scans as meaning allows. */
export function push(rel: Rel): Rel {
  return mapRel(rel, (each) => (each.op === 'filter' ? pushFilter(each.where, each.from) : each))
}
