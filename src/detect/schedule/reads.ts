/** What each rule reads of a store: its sources, and whether a run without any event of them may find something. */
import type { Rel } from '../../ir/rel.ts'
import { givesNothing } from '../../plan/empty.ts'
import type { Rule } from '../../rules/rule.ts'
import type { SchemaCatalogue } from '../../schema/catalogue.ts'
import type { StoredCatalogue } from '../../schema/stored.ts'
import { ownReads } from '../keeping/reading.ts'
import { type Plans, shapeOf } from '../plan.ts'
import { planQuery, sourcesOf } from '../runquery.ts'

export interface Reads {
  readonly sources: ReadonlySet<string>
  /** False when a run that sees no event may give rows all the same. */
  readonly needsEvents: boolean
  /** True when it may look at events outside of its window. */
  readonly isWide: boolean
  /** True when it reads what other rules have found. */
  readonly readsFindings: boolean
}

const NO_EVENTS: StoredCatalogue = new Map()

/** A time range within the search itself goes before that of its schedule. */
const OWN_RANGE =
  /\b(?:earliest|latest|starttimeu?|endtimeu?|\w+(?:days|hours|minutes|months)ago)\b/i

export class RuleReads {
  readonly #schema: SchemaCatalogue
  readonly #plans: Plans
  #shape: string | undefined
  #stored: StoredCatalogue = NO_EVENTS
  #known = new WeakMap<Rule, Reads>()

  constructor(schema: SchemaCatalogue, plans: Plans) {
    this.#schema = schema
    this.#plans = plans
  }

  /** The store that rules are asked about from here on. */
  set stored(stored: StoredCatalogue) {
    const shape = shapeOf(stored)
    this.#stored = stored
    if (shape === this.#shape) return
    this.#shape = shape
    this.#known = new WeakMap()
  }

  /** True when a source has events. */
  isStored(source: string): boolean {
    return this.#stored.has(source)
  }

  of(rule: Rule): Reads {
    const known = this.#known.get(rule)
    if (known !== undefined) return known
    const reads = this.#read(rule)
    this.#known.set(rule, reads)
    return reads
  }

  #read(rule: Rule): Reads {
    const { correlation } = rule
    if (correlation !== undefined) {
      const sources = correlation.rules.flatMap((each) => [...this.of(each.rule).sources])
      return { sources: new Set(sources), needsEvents: true, isWide: false, readsFindings: false }
    }
    if (rule.kusto === undefined && rule.spl === undefined) {
      const [planned] = this.#plans.of([rule], this.#schema, this.#stored)
      const sources = new Set(planned === undefined ? [] : sourcesOf(planned.bound))
      return { sources, needsEvents: true, isWide: false, readsFindings: false }
    }
    const bound = this.#bound(rule.rel, this.#stored)
    const own = ownReads(rule, this.#schema)
    const empty = this.#bound(rule.rel, NO_EVENTS)
    const sources = new Set<string>(bound === undefined ? this.#stored.keys() : sourcesOf(bound))
    for (const each of own) sources.add(each)
    return {
      sources,
      needsEvents: bound !== undefined && empty !== undefined && givesNothing(empty),
      isWide: rule.spl !== undefined && OWN_RANGE.test(rule.spl.search.slice(0, 100_000)),
      readsFindings: own.size > 0,
    }
  }

  #bound(rel: Rel, stored: StoredCatalogue): Rel | undefined {
    return planQuery(rel, { schema: this.#schema, stored, time: {} }).value?.rel
  }
}
