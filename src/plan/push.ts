/**
 * Pushing filters down: through unions into each part, through derived columns by substitution, and into one
 * another, so that each scan carries its whole condition.
 */
import { and, type Expr } from '../ir/expr.ts'
import type { Binding, Rel } from '../ir/rel.ts'
import { mapExpr, mapRel } from '../ir/walk.ts'

/** Replaces fields by the expressions that define them. */
function substitute(expr: Expr, set: readonly Binding[]): Expr {
  const values = new Map(set.map((each) => [each.name, each.value]))
  return mapExpr(expr, (each) =>
    each.op === 'field' && each.stored === undefined ? (values.get(each.name) ?? each) : each,
  )
}

function pushFilter(where: Expr, from: Rel): Rel {
  switch (from.op) {
    case 'filter':
      return pushFilter(and([from.where, where]), from.from)
    case 'union':
      return { op: 'union', all: from.all.map((each) => pushFilter(where, each)) }
    case 'derive':
      return { ...from, from: pushFilter(substitute(where, from.set), from.from) }
    case 'select':
      return { ...from, from: pushFilter(substitute(where, from.keep), from.from) }
    default:
      return { op: 'filter', from, where }
  }
}

/** Moves every filter as near to its scans as meaning allows. */
export function push(rel: Rel): Rel {
  return mapRel(rel, (each) => (each.op === 'filter' ? pushFilter(each.where, each.from) : each))
}
