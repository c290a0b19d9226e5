/**
 * Where a rule that found nothing came nearest to it: its plan is followed from the events up, and told is the first step
 * that leaves nothing, with the tests of it that no row met. Counting costs a query a step, so this is for a test that failed.
 */
import type { QueryOptions } from '../../engine/engine.ts'
import { and, type Expr } from '../../ir/expr.ts'
import { printExpr } from '../../ir/print.ts'
import type { Rel } from '../../ir/rel.ts'
import { rowConditions } from '../../plan/group.ts'
import { atTime, readsNow } from '../../plan/now.ts'
import type { Rule } from '../../rules/rule.ts'
import type { SchemaCatalogue } from '../../schema/catalogue.ts'
import type { StoredCatalogue } from '../../schema/stored.ts'
import { printSql } from '../../sql/print.ts'
import { planRules } from '../plan.ts'
import { planRows } from '../runquery.ts'
import { readyLookups } from '../spltables.ts'
import type { RunStore } from '../store.ts'
import { endOf } from '../windows.ts'

export interface NearestWorld {
  readonly store: RunStore
  readonly schema: SchemaCatalogue
  /** What `now` is; without it, the end of the logs. */
  readonly at?: string
  readonly query?: QueryOptions
}

/** Steps of a plan that are looked at, and tests of one step. */
const MOST_STEPS = 40
const MOST_TESTS = 12
const MOST_CHARS = 200

/** Steps by names that a person knows. */
const NAMES: Readonly<Partial<Record<Rel['op'], string>>> = {
  filter: 'a filter',
  aggregate: 'a count',
  join: 'a join',
  limit: 'a limit',
  expand: 'an expansion of lists',
}

/** The relation that another one reads its rows from, where it is one. */
function below(rel: Rel): Rel | undefined {
  return 'from' in rel ? rel.from : undefined
}

/** From the rows that are read first to the whole plan. */
function stepsOf(rel: Rel): readonly Rel[] {
  const steps: Rel[] = []
  for (let at: Rel | undefined = rel; at !== undefined; at = below(at)) steps.push(at)
  return steps.reverse()
}

function testsOf(where: Expr): readonly Expr[] {
  const isAnd = where.op === 'call' && (where.fn === 'logic.and' || where.fn === 'logic3.and')
  return isAnd ? where.args.flatMap(testsOf) : [where]
}

function shortened(expr: Expr): string {
  const text = printExpr(expr).replace(/\s+/g, ' ')
  return text.length <= MOST_CHARS ? text : `${text.slice(0, MOST_CHARS - 1)}…`
}

function counted(from: Rel): Rel {
  const into = [{ name: 'count', fn: 'agg.count', args: [], type: 'int' as const }]
  return { op: 'aggregate', from, by: [], into }
}

class Nearest {
  readonly rule: Rule
  readonly #world: NearestWorld
  readonly #stored: StoredCatalogue

  constructor(rule: Rule, world: NearestWorld, stored: StoredCatalogue) {
    this.rule = rule
    this.#world = world
    this.#stored = stored
  }

  /** How many rows a plan gives; undefined when it cannot be counted. */
  async count(rel: Rel): Promise<number | undefined> {
    const { store, schema, query } = this.#world
    const { rule } = this
    if (rule.kusto === undefined && rule.spl === undefined) return this.#events({ ...rule, rel })
    const world = { schema, stored: this.#stored, time: {} }
    for await (const [value] of planRows(store, counted(rel), world, query)) return Number(value)
    return undefined
  }

  /** How many events a Sigma rule matches: its sources are told by its log source. */
  async #events(rule: Rule): Promise<number | undefined> {
    const { store, schema, query } = this.#world
    const [planned] = planRules([rule], schema, this.#stored)
    if (planned?.state === 'no_data' || planned?.state === 'failed') return undefined
    let sum = 0
    for (const { source: name, where } of (planned && rowConditions(planned.plan)) ?? []) {
      const scan: Rel = { op: 'scan', table: { kind: 'source', name }, time: {}, out: [] }
      const sql = printSql(counted({ op: 'filter', from: scan, where }))
      for await (const [value] of store.rows(sql, query)) sum += Number(value)
    }
    return sum
  }

  /** The tests of a filter that no row meets, or else how near the nearest rows came. */
  async tests(from: Rel, where: Expr, rows: number): Promise<readonly string[]> {
    const tests = testsOf(where).slice(0, MOST_TESTS)
    const lines: string[] = []
    for (const test of tests) {
      const met = await this.count({ op: 'filter', from, where: test })
      if (met === 0) lines.push(`met by no row: ${shortened(test)}`)
    }
    if (lines.length > 0 || tests.length < 2) return lines
    for (const [place, test] of tests.entries()) {
      const others = tests.filter((_, at) => at !== place)
      const met = await this.count({ op: 'filter', from, where: and(others) })
      if (met !== undefined && met > 0) {
        lines.push(`${met} of ${rows} rows fail only at: ${shortened(test)}`)
      }
    }
    return lines.length > 0 ? lines : [`no one of its ${rows} rows meets all tests at once`]
  }

  async follow(rel: Rel): Promise<readonly string[]> {
    let before: number | undefined
    for (const step of stepsOf(rel).slice(0, MOST_STEPS)) {
      const rows = await this.count(step)
      if (rows === 0) {
        if (before === undefined) return ['no event here is of a source that the rule reads']
        const what = `${NAMES[step.op] ?? step.op} leaves nothing of ${before} row${before === 1 ? '' : 's'}`
        if (step.op !== 'filter') return [what]
        return [what, ...(await this.tests(step.from, step.where, before))]
      }
      before = rows ?? before
    }
    return []
  }
}

/** The plan of a rule for what is stored, with the lookups that it reads in place. */
async function readyPlan(rule: Rule, { store }: NearestWorld, stored: StoredCatalogue) {
  if (rule.spl === undefined) return rule.rel
  const { lookups, compile } = rule.spl.compiler({ stored })
  const { rel } = compile(new Map())
  if (rel !== undefined) await readyLookups(rel, lookups, store.lookups)
  return rel
}

/** Where a rule came nearest to a finding in what is stored, in words; nothing when that cannot be told. */
export async function nearestMiss(rule: Rule, world: NearestWorld): Promise<readonly string[]> {
  if (rule.correlation !== undefined) return []
  try {
    const stored = await world.store.catalogue()
    const rel = await readyPlan(rule, world, stored)
    if (rel === undefined) return []
    const end = world.at ?? (await endOf(world.store, [...stored.keys()], {}))
    const timed = readsNow(rel) && end !== undefined ? atTime(rel, end) : rel
    return await new Nearest(rule, world, stored).follow(timed)
  } catch {
    // What cannot be counted is only left out of the advice.
    return []
  }
}
