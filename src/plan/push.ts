/**
 * Pushing filters down: through unions into each part, through derived columns by substitution, and into one
 * another, so that each scan carries its whole condition.
 */
import { and, type Expr } from '../ir/expr.ts'
import type { Binding, Rel } from '../ir/rel.ts'
import { mapExpr, mapRel, visitExpr } from '../ir/walk.ts'

/** Replaces fields by the expressions that define them. */
function substitute(expr: Expr, set: readonly Binding[]): Expr {
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

/** True when a condition stays near its size with the columns written out that it reads. */
function staysSmall(where: Expr, set: readonly Binding[], most: number): boolean {
  const values = new Map(set.map((each) => [each.name, each.value]))
  let size = sizeOf(where)
  visitExpr(where, (each) => {
    const value =
      each.op === 'field' && each.stored === undefined ? values.get(each.name) : undefined
    if (value !== undefined) size += sizeOf(value)
  })
  return size <= most
}

function pushFilter(where: Expr, from: Rel, most = sizeOf(where) * GROWTH + SLACK): Rel {
  switch (from.op) {
    case 'filter':
      return pushFilter(and([from.where, where]), from.from)
    case 'union':
      return { op: 'union', all: from.all.map((each) => pushFilter(where, each, most)) }
    case 'derive':
      return staysSmall(where, from.set, most)
        ? { ...from, from: pushFilter(substitute(where, from.set), from.from, most) }
        : { op: 'filter', from, where }
    case 'select':
      return staysSmall(where, from.keep, most)
        ? { ...from, from: pushFilter(substitute(where, from.keep), from.from, most) }
        : { op: 'filter', from, where }
    default:
      return { op: 'filter', from, where }
  }
}

/** Moves every filter as near to its scans as meaning allows. */
export function push(rel: Rel): Rel {
  return mapRel(rel, (each) => (each.op === 'filter' ? pushFilter(each.where, each.from) : each))
}
