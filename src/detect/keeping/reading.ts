/** Which sources of the product's own a rule reads: findings, changes of them, risk. Told from its plan. */

import type { Rel } from '../../ir/rel.ts'
import { childrenOf, ownExprs, queriesOf, visitExpr } from '../../ir/walk.ts'
import { ALL_EVENTS } from '../../plan/bindevents.ts'
import { namesIndex } from '../../plan/eventtests.ts'
import type { Rule } from '../../rules/rule.ts'
import type { SchemaCatalogue } from '../../schema/catalogue.ts'
import { FINDINGS, INCIDENTS, isOwnSource, type OwnSource, RISKS } from '../../schema/own.ts'
import { viewResolver } from '../plan.ts'

const OWN: readonly OwnSource[] = [FINDINGS, RISKS, INCIDENTS]
const TEST = 'events.is'

/** All texts that tests of an index in a relation name. */
function indexes(rel: Rel): readonly string[] {
  const found: string[] = []
  const visit = (each: Rel): void => {
    for (const expr of ownExprs(each)) {
      visitExpr(expr, (inner) => {
        if (inner.op !== 'call' || inner.fn !== TEST) return
        const [name, values] = inner.args
        if (name?.op !== 'const' || name.value !== 'index' || values?.op !== 'const') return
        found.push(...(Array.isArray(values.value) ? values.value : [values.value]).map(String))
      })
    }
    for (const inner of [...childrenOf(each), ...queriesOf(each)]) visit(inner)
  }
  visit(rel)
  return found
}

function viewsOf(rel: Rel): readonly string[] {
  if (rel.op === 'scan') {
    return rel.table.kind === 'view' && rel.table.isUnnamed !== true ? [rel.table.name] : []
  }
  return [...childrenOf(rel), ...queriesOf(rel)].flatMap(viewsOf)
}

const known = new WeakMap<Rule, ReadonlySet<OwnSource>>()

/** The own sources that a rule reads. */
export function ownReads(rule: Rule, schema: SchemaCatalogue): ReadonlySet<OwnSource> {
  const before = known.get(rule)
  if (before !== undefined) return before
  const view = viewResolver(schema)
  const found = new Set<OwnSource>()
  const views = new Set(viewsOf(rule.rel))
  for (const name of views) {
    if (name === ALL_EVENTS) continue
    for (const { source } of view(name)?.parts ?? []) {
      if (isOwnSource(source)) for (const own of OWN) if (own === source) found.add(own)
    }
  }
  if (views.has(ALL_EVENTS)) {
    const named = indexes(rule.rel)
    for (const own of OWN) if (namesIndex(named, schema.events(own))) found.add(own)
  }
  known.set(rule, found)
  return found
}
