/** Walking and rewriting of relations and expressions; every rewrite shares what it did not change. */
import type { Expr } from './expr.ts'
import { type AggBinding, absurd, type Binding, type Rel } from './rel.ts'

/** Rewrites an expression from the leaves up. */
export function mapExpr(expr: Expr, change: (expr: Expr) => Expr): Expr {
  switch (expr.op) {
    case 'const':
    case 'field':
    case 'query':
      return change(expr)
    case 'call': {
      const args = mapAll(expr.args, (each) => mapExpr(each, change))
      return change(args === expr.args ? expr : { ...expr, args })
    }
    case 'case':
      return change({
        ...expr,
        when: expr.when.map(([test, then]) => [mapExpr(test, change), mapExpr(then, change)]),
        otherwise: mapExpr(expr.otherwise, change),
      })
    default:
      return absurd(expr)
  }
}

/** Maps a list and gives the same list back when nothing changed. */
function mapAll<T>(items: readonly T[], change: (item: T) => T): readonly T[] {
  let changed = false
  const out = items.map((item) => {
    const next = change(item)
    if (next !== item) changed = true
    return next
  })
  return changed ? out : items
}

/** Visits every expression node, parents first. */
export function visitExpr(expr: Expr, visit: (expr: Expr) => void): void {
  visit(expr)
  if (expr.op === 'call') for (const each of expr.args) visitExpr(each, visit)
  if (expr.op === 'case') {
    for (const [test, then] of expr.when) {
      visitExpr(test, visit)
      visitExpr(then, visit)
    }
    visitExpr(expr.otherwise, visit)
  }
}

/** Names of all fields that an expression reads. */
export function fieldsOf(expr: Expr): ReadonlySet<string> {
  const names = new Set<string>()
  visitExpr(expr, (each) => {
    if (each.op === 'field') names.add(each.name)
  })
  return names
}

/** The relations directly below. */
export function childrenOf(rel: Rel): readonly Rel[] {
  switch (rel.op) {
    case 'scan':
    case 'values':
      return []
    case 'join':
      return [rel.left, rel.right]
    case 'union':
      return rel.all
    case 'named':
      return [rel.value, rel.body]
    default:
      return [rel.from]
  }
}

/** The relations inside the expressions of one relation rewritten. */
function mapQueries(rel: Rel, change: (rel: Rel) => Rel): Rel {
  if (!ownExprs(rel).some(hasQuery)) return rel
  return mapOwnExprs(rel, (own) =>
    mapExpr(own, (each) => (each.op === 'query' ? { ...each, rel: change(each.rel) } : each)),
  )
}

function hasQuery(expr: Expr): boolean {
  let found = false
  visitExpr(expr, (each) => {
    if (each.op === 'query') found = true
  })
  return found
}

/** The relations that stand inside the expressions of one relation. */
export function queriesOf(rel: Rel): readonly Rel[] {
  const found: Rel[] = []
  for (const own of ownExprs(rel)) {
    visitExpr(own, (each) => {
      if (each.op === 'query') found.push(each.rel)
    })
  }
  return found
}

/** Rewrites a relation from the leaves up, those inside its expressions too. */
export function mapRel(rel: Rel, change: (rel: Rel) => Rel): Rel {
  return change(mapQueries(mapBelow(rel, change), (each) => mapRel(each, change)))
}

function mapBelow(rel: Rel, change: (rel: Rel) => Rel): Rel {
  switch (rel.op) {
    case 'scan':
    case 'values':
      return rel
    case 'join':
      return { ...rel, left: mapRel(rel.left, change), right: mapRel(rel.right, change) }
    case 'union':
      return { ...rel, all: rel.all.map((each) => mapRel(each, change)) }
    case 'named':
      return { ...rel, value: mapRel(rel.value, change), body: mapRel(rel.body, change) }
    default:
      return { ...rel, from: mapRel(rel.from, change) }
  }
}

const inBinding =
  (change: (expr: Expr) => Expr) =>
  (binding: Binding): Binding => ({
    ...binding,
    value: change(binding.value),
  })

const inAgg =
  (change: (expr: Expr) => Expr) =>
  (binding: AggBinding): AggBinding => ({
    ...binding,
    args: binding.args.map(change),
    ...(binding.where === undefined ? {} : { where: change(binding.where) }),
  })

/** Rewrites every expression held directly by one relation (not by its children). */
export function mapOwnExprs(rel: Rel, change: (expr: Expr) => Expr): Rel {
  switch (rel.op) {
    case 'scan':
    case 'values':
    case 'union':
    case 'named':
      return rel
    case 'filter':
      return { ...rel, where: change(rel.where) }
    case 'derive':
      return { ...rel, set: rel.set.map(inBinding(change)) }
    case 'select':
      return { ...rel, keep: rel.keep.map(inBinding(change)) }
    case 'aggregate':
      return { ...rel, by: rel.by.map(inBinding(change)), into: rel.into.map(inAgg(change)) }
    case 'window':
      return {
        ...rel,
        by: rel.by.map(change),
        order: rel.order.map((key) => ({ ...key, by: change(key.by) })),
        into: rel.into.map(inAgg(change)),
      }
    case 'join':
      return {
        ...rel,
        on: rel.on.map((key) => ({ ...key, left: change(key.left), right: change(key.right) })),
      }
    case 'expand':
      return { ...rel, list: change(rel.list) }
    case 'sort':
      return { ...rel, order: rel.order.map((key) => ({ ...key, by: change(key.by) })) }
    case 'limit':
      return rel.per === undefined ? rel : { ...rel, per: rel.per.map(change) }
    default:
      return absurd(rel)
  }
}

/** All expressions held directly by one relation. */
export function ownExprs(rel: Rel): readonly Expr[] {
  const found: Expr[] = []
  mapOwnExprs(rel, (expr) => {
    found.push(expr)
    return expr
  })
  return found
}
