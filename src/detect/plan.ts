/**
 * From rules to scans: each rule is bound to what the store holds, optimised, and put with others that read the
 * same source. A rule that has no data, or that cannot fire on it, is told apart here and costs no scan.
 */
import { type Diagnostic, hasErrors } from '../core/diagnostic.ts'
import { limits } from '../core/limits.ts'
import { checkRel } from '../functions/check.ts'
import type { Expr } from '../ir/expr.ts'
import type { Rel } from '../ir/rel.ts'
import { visitExpr } from '../ir/walk.ts'
import { bind } from '../plan/bind.ts'
import { DATASET_VIEW } from '../plan/bindevents.ts'
import { leadOf, rowConditions } from '../plan/group.ts'
import { optimise } from '../plan/passes.ts'
import type { Rule } from '../rules/rule.ts'
import type { SchemaCatalogue } from '../schema/catalogue.ts'
import { viewForDataset } from '../schema/datamodels.ts'
import { viewForLogsource } from '../schema/logsource.ts'
import type { StoredCatalogue } from '../schema/stored.ts'
import { viewForTable } from '../schema/tableview.ts'
import type { Logsource, View } from '../schema/view.ts'

export interface PlannedRule {
  readonly rule: Rule
  readonly bound: Rel
  readonly plan: Rel
  readonly state: 'ready' | 'no_data' | 'cannot_fire' | 'failed'
  readonly diagnostics: readonly Diagnostic[]
}

/** One condition of one rule on one source. */
export interface ScanItem {
  readonly rule: Rule
  readonly where: Expr
}

export interface Scan {
  readonly source: string
  readonly items: readonly ScanItem[]
}

const TABLE_VIEW = 'table:'
const SIGMA_VIEW = /^sigma:([^/]*)\/([^/]*)\/([^/]*)$/

function logsourceOf(name: string): Logsource | undefined {
  const match = SIGMA_VIEW.exec(name)
  if (!match) return undefined
  const [, product, category, service] = match
  const given = (value: string | undefined): value is string => value !== undefined && value !== '-'
  return {
    ...(given(product) ? { product } : {}),
    ...(given(category) ? { category } : {}),
    ...(given(service) ? { service } : {}),
  }
}

function viewNamed(schema: SchemaCatalogue, name: string): View | undefined {
  if (name.startsWith(TABLE_VIEW)) return viewForTable(schema, name.slice(TABLE_VIEW.length))
  if (name.startsWith(DATASET_VIEW)) return viewForDataset(schema, name.slice(DATASET_VIEW.length))
  const logsource = logsourceOf(name)
  return logsource && viewForLogsource(schema, logsource).view
}

/** Resolves the views that plans name, remembering each. */
export function viewResolver(schema: SchemaCatalogue): (name: string) => View | undefined {
  const known = new Map<string, View | undefined>()
  return (name) => {
    if (!known.has(name)) known.set(name, viewNamed(schema, name))
    return known.get(name)
  }
}

/** Binds and optimises rules against what is stored. */
export function planRules(
  rules: readonly Rule[],
  schema: SchemaCatalogue,
  stored: StoredCatalogue,
): readonly PlannedRule[] {
  const view = viewResolver(schema)
  const context = { view, source: (name: string) => schema.sources.get(name), stored }
  return rules.map((rule): PlannedRule => {
    const { rel, diagnostics } = bind(rule.rel, context)
    const plan = optimise(rel)
    const all = [...diagnostics, ...checkRel(rule.rel)]
    const base = { rule, bound: rel, plan, diagnostics: all }
    if (hasErrors(all)) return { ...base, state: 'failed' }
    if (diagnostics.some((each) => each.code === 'HR262')) return { ...base, state: 'no_data' }
    const conditions = rowConditions(plan)
    if (conditions === undefined) return { ...base, state: 'failed' }
    return { ...base, state: conditions.length === 0 ? 'cannot_fire' : 'ready' }
  })
}

/** What plans hang on: the sources that have data and how many fields each has; fields are only ever added. */
export function shapeOf(stored: StoredCatalogue): string {
  const each = [...stored].map(
    ([name, { text, lists, overflow }]) => `${name} ${text.size} ${lists.size} ${overflow}`,
  )
  return each.sort().join('\n')
}

/** Plans of rules, kept for as long as the store has the same sources and fields. */
export class Plans {
  #shape: string | undefined
  #known = new WeakMap<Rule, PlannedRule>()

  /** The plans of rules, as `planRules` makes them. */
  of(
    rules: readonly Rule[],
    schema: SchemaCatalogue,
    stored: StoredCatalogue,
  ): readonly PlannedRule[] {
    const shape = shapeOf(stored)
    if (shape !== this.#shape) {
      this.#shape = shape
      this.#known = new WeakMap()
    }
    const missing = rules.filter((rule) => !this.#known.has(rule))
    for (const planned of planRules(missing, schema, stored)) this.#known.set(planned.rule, planned)
    return rules.flatMap((rule) => this.#known.get(rule) ?? [])
  }
}

/** Rough size of a condition: constants weigh by their number, so that huge lists do not share a scan. */
function weigh(where: Expr): number {
  let weight = 0
  visitExpr(where, (each) => {
    weight += each.op === 'const' && Array.isArray(each.value) ? each.value.length / 4 : 1
  })
  return weight
}

/** The heaviest set of conditions that goes into one scan; about 100 average rules of a published pack. */
const SCAN_WEIGHT = 12_000

/** Rules that begin with the same test share scans of their own when there are at least so many of them. */
const WORTH_A_SCAN = 10

interface Piece extends ScanItem {
  readonly source: string
  readonly lead: string
}

/** Puts ready rules into scans of at most `limits.rulesPerScan` rules each, in the order given. */
export function groupScans(
  planned: readonly PlannedRule[],
  perScan = limits.rulesPerScan,
): readonly Scan[] {
  const pieces = planned.flatMap(({ rule, plan, state }): readonly Piece[] =>
    state !== 'ready'
      ? []
      : (rowConditions(plan) ?? []).map(({ source, where }) => ({
          rule,
          where,
          source,
          lead: leadOf(where),
        })),
  )
  const counts = new Map<string, number>()
  const keyOf = ({ source, lead }: Piece): string => `${source}\0${lead}`
  for (const piece of pieces) counts.set(keyOf(piece), (counts.get(keyOf(piece)) ?? 0) + 1)
  const open = new Map<string, { items: ScanItem[]; weight: number }>()
  const scans: Scan[] = []
  for (const piece of pieces) {
    const { rule, where, source } = piece
    const key = (counts.get(keyOf(piece)) ?? 0) >= WORTH_A_SCAN ? keyOf(piece) : source
    const weight = weigh(where)
    const current = open.get(key)
    if (
      current === undefined ||
      current.items.length >= perScan ||
      current.weight + weight > SCAN_WEIGHT
    ) {
      const items = [{ rule, where }]
      open.set(key, { items, weight })
      scans.push({ source, items })
    } else {
      current.items.push({ rule, where })
      current.weight += weight
    }
  }
  return scans
}
