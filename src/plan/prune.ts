/**
 * Pruning: columns that nothing reads are not made, parts of a union that can give no row are dropped, and a
 * selection right above a selection becomes one.
 */
import { type Rel, schemaOf } from '../ir/rel.ts'
import type { Schema } from '../ir/types.ts'
import { fieldsOf, mapExpr, mapOwnExprs, mapRel, ownExprs } from '../ir/walk.ts'

type Needed = ReadonlySet<string> | 'all'

function isEmpty(rel: Rel): boolean {
  if (rel.op === 'values') return rel.rows.length === 0
  if (rel.op === 'filter') {
    return (rel.where.op === 'const' && rel.where.value === false) || isEmpty(rel.from)
  }
  if (rel.op === 'derive' || rel.op === 'select' || rel.op === 'sort' || rel.op === 'limit') {
    return isEmpty(rel.from)
  }
  return rel.op === 'union' && rel.all.every(isEmpty)
}

function nothing(rel: Rel): Rel {
  return { op: 'values', rows: [], out: schemaOf(rel) }
}

function plus(needed: Needed, rel: Rel): Needed {
  if (needed === 'all') return 'all'
  return new Set([...needed, ...ownExprs(rel).flatMap((each) => [...fieldsOf(each)])])
}

function narrow(rel: Rel, needed: Needed): Rel {
  switch (rel.op) {
    case 'derive': {
      const set = needed === 'all' ? rel.set : rel.set.filter((each) => needed.has(each.name))
      const made = new Set(set.map((each) => each.name))
      const own: Rel = { ...rel, set }
      const below =
        needed === 'all' ? 'all' : plus(new Set([...needed].filter((each) => !made.has(each))), own)
      const from = narrow(rel.from, below)
      return set.length === 0 ? from : { ...own, from }
    }
    case 'select': {
      const keep = needed === 'all' ? rel.keep : rel.keep.filter((each) => needed.has(each.name))
      const own: Rel = { ...rel, keep }
      return { ...own, from: narrow(rel.from, plus(new Set(), own)) }
    }
    case 'aggregate': {
      const into = needed === 'all' ? rel.into : rel.into.filter(({ name }) => needed.has(name))
      // A key that follows from the others may go; one that groups may not.
      const by = rel.by.filter((key) => !key.follows || needed === 'all' || needed.has(key.name))
      const own: Rel = { ...rel, by, into }
      return { ...own, from: narrow(rel.from, plus(new Set(), own)) }
    }
    case 'filter':
    case 'sort':
    case 'limit':
    case 'expand':
      return { ...rel, from: narrow(rel.from, plus(needed, rel)) }
    case 'window': {
      const into = needed === 'all' ? rel.into : rel.into.filter(({ name }) => needed.has(name))
      if (into.length === 0) return narrow(rel.from, needed)
      const own: Rel = { ...rel, into }
      return { ...own, from: narrow(rel.from, plus(needed, own)) }
    }
    case 'union':
      return { ...rel, all: rel.all.map((each) => narrow(each, needed)) }
    case 'scan':
      return needed === 'all' || rel.table.kind !== 'view'
        ? rel
        : { ...rel, out: chosen(rel.out, needed) }
    case 'join': {
      const all = plus(needed, rel)
      return { ...rel, left: narrow(rel.left, all), right: narrow(rel.right, all) }
    }
    case 'named':
      return { ...rel, value: narrow(rel.value, 'all'), body: narrow(rel.body, needed) }
    default:
      return rel
  }
}

/** The columns that are needed; one at least, so that rows can be counted. */
function chosen(out: Schema, needed: ReadonlySet<string>): Schema {
  const kept = out.filter(({ name }) => needed.has(name))
  return kept.length > 0 ? kept : out.slice(0, 1)
}

/** Narrows the relations that stand inside of expressions. */
function narrowQueries(rel: Rel): Rel {
  return mapRel(rel, (each) =>
    mapOwnExprs(each, (own) =>
      mapExpr(own, (expr) =>
        expr.op === 'query' ? { ...expr, rel: narrow(expr.rel, 'all') } : expr,
      ),
    ),
  )
}

/** Removes what cannot matter to the rows or columns of the result. */
export function prune(rel: Rel): Rel {
  const live = mapRel(rel, (each) => {
    if (each.op === 'union') {
      const all = each.all.filter((part) => !isEmpty(part))
      const [only] = all
      return all.length === 1 && only !== undefined
        ? only
        : all.length === 0
          ? nothing(each)
          : { ...each, all }
    }
    return isEmpty(each) && each.op !== 'values' ? nothing(each) : each
  })
  return narrow(narrowQueries(live), 'all')
}
