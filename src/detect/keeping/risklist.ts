/** Reading risk back: objects with what they add up to in a time, and the events of one object. */
import { call, type Expr, text, texts } from '../../ir/expr.ts'
import type { Rel, TimeBounds } from '../../ir/rel.ts'
import type { Field } from '../../ir/types.ts'
import { RISKS } from '../../schema/own.ts'
import { META } from '../../schema/source.ts'
import { printSql } from '../../sql/print.ts'
import type { RunStore } from '../store.ts'

/** One risk event. Names are the public JSON contract. */
export interface RiskEntry {
  readonly time: string
  readonly object: string
  readonly type: string
  readonly normalized: string
  readonly score: number
  /** What counts of it. */
  readonly calculated: number
  readonly rule_title: string
  readonly rule_id: string
  readonly message: string
  readonly tactics: readonly string[]
  readonly techniques: readonly string[]
  /** Factors that held. */
  readonly factors: readonly string[]
  readonly finding: string
  readonly id: string
}

/** One object at risk. Names are the public JSON contract. */
export interface RiskTotal {
  readonly object: string
  readonly type: string
  readonly normalized: string
  readonly risk: number
  readonly events: number
  readonly rules: readonly string[]
  readonly tactics: readonly string[]
  readonly first: string
  readonly last: string
}

/** Objects that are told apart; what more there are would fill the memory. */
const MOST_OBJECTS = 200_000
/** Ids that are remembered, to count an event once that was stored twice. */
const MOST_IDS = 2_000_000
/** Rules and tactics that are listed of one object. */
const MOST_LISTED = 200

const TEXTS = [
  'id',
  'finding_id',
  'risk_object',
  'risk_object_type',
  'normalized_risk_object',
  'risk_score',
  'calculated_risk_score',
  'rule_name',
  'rule_id',
  'risk_message',
] as const
const LISTS = [
  'annotations.mitre_attack.mitre_tactic',
  'annotations.mitre_attack.mitre_technique_id',
  'risk_factor_add_matched',
  'risk_factor_mult_matched',
] as const

export interface RiskQuery {
  readonly time: TimeBounds
  /** Only of this object, as it is compared or as it is written. */
  readonly object?: string
  readonly type?: string
}

const TIME: Expr = { op: 'field', name: META.time, type: 'time', stored: 'plain' }

const isoOf = (value: unknown): string => `${String(value).replace(' ', 'T')}Z`
const listOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.map(String) : []

/** The risk events in a time, the earliest first; each once. */
export async function* riskEntries(
  store: Pick<RunStore, 'rows' | 'catalogue'>,
  { time, object, type }: RiskQuery,
): AsyncGenerator<RiskEntry> {
  const columns = (await store.catalogue()).get(RISKS)
  if (columns === undefined) return
  const named = (name: string): Expr =>
    columns.text.has(name) ? { op: 'field', name, type: 'text', stored: 'plain' } : text('')
  const listed = (name: string): Expr =>
    columns.lists.has(name)
      ? { op: 'field', name: `${name}[]`, type: { list: 'text' }, stored: 'plain' }
      : texts([])
  const out: readonly Field[] = [
    { name: META.time, type: 'time', stored: 'plain' },
    ...TEXTS.filter((each) => columns.text.has(each)).map(
      (name): Field => ({ name, type: 'text', stored: 'plain' }),
    ),
    ...LISTS.filter((each) => columns.lists.has(each)).map(
      (name): Field => ({ name: `${name}[]`, type: { list: 'text' }, stored: 'plain' }),
    ),
  ]
  const scan: Rel = { op: 'scan', table: { kind: 'source', name: RISKS }, time, out }
  const tests: Expr[] = [
    ...(object === undefined
      ? []
      : [
          call('logic.or', [
            call('match.equals', [named('normalized_risk_object'), text(object)]),
            call('match.equals', [named('risk_object'), text(object)]),
          ]),
        ]),
    ...(type === undefined ? [] : [call('match.equals', [named('risk_object_type'), text(type)])]),
  ]
  const from = tests.reduce<Rel>((rel, where) => ({ op: 'filter', from: rel, where }), scan)
  const rel: Rel = {
    op: 'sort',
    from: {
      op: 'select',
      from,
      keep: [
        { name: META.time, value: TIME },
        ...TEXTS.map((name) => ({ name, value: named(name) })),
        ...LISTS.map((name) => ({ name: `${name}[]`, value: listed(name) })),
      ],
    },
    order: [{ by: TIME, down: false, nulls: 'last' }],
  }
  const seen = new Set<string>()
  for await (const row of store.rows(printSql(rel))) {
    const [at, ...cells] = row
    const said = cells.slice(0, TEXTS.length).map(String)
    const lists = cells.slice(TEXTS.length).map(listOf)
    const [id = '', finding = '', value = '', kind = '', normalized = ''] = said
    const [, , , , , score, calculated, title = '', rule = '', message = ''] = said
    if (seen.has(id)) continue
    if (seen.size < MOST_IDS) seen.add(id)
    yield {
      time: isoOf(at),
      object: value,
      type: kind,
      normalized,
      score: Number(score),
      calculated: Number(calculated),
      rule_title: title,
      rule_id: rule,
      message,
      tactics: lists[0] ?? [],
      techniques: lists[1] ?? [],
      factors: [...(lists[2] ?? []), ...(lists[3] ?? [])],
      finding,
      id,
    }
  }
}

interface Sum {
  object: string
  readonly type: string
  readonly normalized: string
  risk: number
  events: number
  readonly rules: Set<string>
  readonly tactics: Set<string>
  readonly first: string
  last: string
}

/** Objects by what they add up to, the greatest first; `more` counts those that are left out. */
export async function riskTotals(
  store: Pick<RunStore, 'rows' | 'catalogue'>,
  query: RiskQuery,
): Promise<{ readonly totals: readonly RiskTotal[]; readonly more: number }> {
  const sums = new Map<string, Sum>()
  let more = 0
  for await (const each of riskEntries(store, query)) {
    const { type, normalized, object, time, rule_title: rule, tactics, calculated } = each
    const key = JSON.stringify([type, normalized])
    let sum = sums.get(key)
    if (sum === undefined) {
      if (sums.size === MOST_OBJECTS) {
        more++
        continue
      }
      const none = { risk: 0, events: 0, rules: new Set<string>(), tactics: new Set<string>() }
      sum = { object, type, normalized, ...none, first: time, last: time }
      sums.set(key, sum)
    }
    sum.object = object
    sum.risk += calculated
    sum.events++
    sum.last = time
    if (sum.rules.size < MOST_LISTED) sum.rules.add(rule)
    for (const tactic of tactics) if (sum.tactics.size < MOST_LISTED) sum.tactics.add(tactic)
  }
  const totals = [...sums.values()].map(
    (each): RiskTotal => ({
      ...each,
      risk: Math.round(each.risk * 100) / 100,
      rules: [...each.rules].sort(),
      tactics: [...each.tactics].sort(),
    }),
  )
  totals.sort((a, b) => b.risk - a.risk || (a.normalized < b.normalized ? -1 : 1))
  return { totals, more }
}
