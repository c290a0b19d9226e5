/**
 * The keeper: what runs have found becomes kept findings, their risk, and messages to be sent, in that order and all on
 * disk when it answers. Each step can be done again: ids are fixed, and what is there already is left as it is. So a
 * crash between two steps, and a window that is run again, end in the same.
 */
import { step } from '../../core/steps.ts'
import { type Instant, printInstant } from '../../core/time.ts'
import type { Store } from '../../engine/store.ts'
import type { Attack } from '../../rules/attack.ts'
import { keyOfRule, LEVELS, type Level, type Rule } from '../../rules/rule.ts'
import type { SchemaCatalogue } from '../../schema/catalogue.ts'
import { FINDINGS, RISKS } from '../../schema/own.ts'
import type { EventFields, Finding } from '../finding.ts'
import type { Outbox } from '../notify/outbox.ts'
import { versionOf } from '../schedule/entry.ts'
import type { AssetLists } from './assets.ts'
import { DayTotals } from './daily.ts'
import { typedEntities } from './entities.ts'
import { type OwnStore, writeEvents } from './events.ts'
import { type Evidence, EvidenceStore, evidenceOf } from './evidence.ts'
import { annotationsOf, findingEvent, type OwnEvent, riskEvent } from './fields.ts'
import { cappedRuns, overflowId } from './flood.ts'
import { type Grouped, grouped } from './incidents.ts'
import type { Keeper, KeepReport, WindowRun } from './keeper.ts'
import { eventIdOf, type KeptFinding } from './kept.ts'
import { ownReads } from './reading.ts'
import { risksOf, scored, threatsOf } from './risk.ts'
import type { RiskSettings } from './risksettings.ts'
import { type Suppression, suppressedBy, throttlingOf } from './suppression.ts'
import { type Candidate, Throttle } from './throttle.ts'
import { standingOf, urgencyOf } from './urgency.ts'

export interface KeeperOptions {
  readonly store: OwnStore & Pick<Store, 'records'>
  readonly schema: SchemaCatalogue
  readonly attack: Attack
  readonly risk: RiskSettings
  readonly now: () => Instant
  /** What the user knows of assets and identities. */
  readonly lists?: AssetLists
  /** What the user does not want to be told of. */
  readonly suppressions?: readonly Suppression[]
  /** Absent where nobody is to be told. */
  readonly outbox?: Outbox
}

/** What keeping knows of a rule, whatever run of it. */
interface KnownRule {
  readonly key: string
  readonly version: string
  /** True when it reads findings, and when it reads risk or findings. */
  readonly isDerived: boolean
  readonly readsOwn: boolean
}

/** Security domain of rules that name none. */
const DOMAIN = 'threat'

/** The name of a search as Enterprise Security writes it: `Endpoint - Title - Rule`. */
function searchName(domain: string, title: string): string {
  return `${domain.slice(0, 1).toUpperCase()}${domain.slice(1)} - ${title} - Rule`
}

/** A search over risk says itself how severe what it found is. */
function severityOf(finding: Finding, isOverOwn: boolean): Level {
  const said = Object.hasOwn(finding.event, 'severity') ? finding.event.severity : undefined
  return (isOverOwn ? LEVELS.find((each) => each === said) : undefined) ?? finding.level
}

class FindingKeeper implements Keeper {
  readonly #options: KeeperOptions
  /** A rule finds things in many windows; its version is a hash of its whole plan. */
  readonly #rules = new WeakMap<Rule, KnownRule>()
  readonly #evidence: EvidenceStore
  readonly #days: DayTotals
  readonly #throttle: Throttle

  constructor(options: KeeperOptions) {
    this.#options = options
    this.#evidence = new EvidenceStore(options.store.records)
    this.#days = new DayTotals(options.store, options.risk.mostPerDay)
    this.#throttle = new Throttle(options.store.records)
  }

  #known(rule: Rule): KnownRule {
    const before = this.#rules.get(rule)
    if (before !== undefined) return before
    const reads = ownReads(rule, this.#options.schema)
    const known = {
      key: keyOfRule(rule),
      version: versionOf(rule),
      isDerived: [...reads].some((each) => each !== RISKS),
      readsOwn: reads.size > 0,
    }
    this.#rules.set(rule, known)
    return known
  }

  #kept(
    run: WindowRun,
    finding: Finding,
    { key, version, isDerived, readsOwn }: KnownRule,
    plans: readonly string[],
    now: string,
  ): KeptFinding {
    const { rule, window, isBackfill } = run
    const entities = typedEntities(finding)
    const { lists } = this.#options
    const isListed = lists !== undefined && !lists.isEmpty
    const { priority, context } = isListed
      ? standingOf(finding, entities, lists)
      : { priority: undefined, context: {} }
    const domain = finding.security_domain ?? DOMAIN
    const severity = severityOf(finding, readsOwn)
    const { risk: settings } = this.#options
    const found = readsOwn ? [] : risksOf(finding, rule, entities, settings)
    const facts = {
      ...finding.event,
      ...context,
      severity,
      rule_id: rule.id,
      rule_title: rule.title,
    }
    const risks = scored(finding, found, settings.factors, facts)
    const threats = threatsOf(finding, entities)
    return {
      ...finding,
      ...(entities.length === 0 ? {} : { entities }),
      ...(threats.length === 0 ? {} : { threat_objects: threats }),
      event_id: eventIdOf(finding.id),
      rule_key: key,
      rule_version: version,
      search_name: searchName(domain, finding.rule_title),
      rule_description: rule.description,
      severity,
      urgency: priority === undefined ? severity : urgencyOf(severity, priority),
      security_domain: domain,
      run_at: window.at,
      window: finding.window ?? window.time,
      kept_at: now,
      plans,
      context,
      risks,
      risk_score: 0,
      ...(isBackfill ? { is_backfill: true as const } : {}),
      ...(isDerived ? { is_derived: true as const } : {}),
    }
  }

  async keep(runs: readonly WindowRun[]): Promise<readonly KeepReport[]> {
    const { store, outbox } = this.#options
    const now = this.#options.now()
    const evidence: Evidence[] = []
    const all = runs.map((run) => {
      if (run.findings.length === 0) return []
      const known = this.#known(run.rule)
      const texts = evidenceOf(run, known.key, known.version)
      evidence.push(...texts)
      const plans = texts.map((each) => each.id)
      return run.findings.map((each) => this.#kept(run, each, known, plans, printInstant(now)))
    })
    const decision = await this.#throttle.decide(
      runs.flatMap(({ rule }, at) => (all[at] ?? []).map((each) => this.#candidate(rule, each))),
    )
    const incidents = await grouped(
      store,
      runs.map(({ rule }) => rule),
      await this.#days.within(cappedRuns(runs, all, decision.told)),
    )
    const { findings } = incidents
    await this.#evidence.keep(evidence)
    const fresh = await writeEvents(store, this.#events(runs, incidents), now)
    // Noted only now: after a crash before this, the same is decided again.
    await this.#throttle.note(decision)
    step('findings.kept')
    await outbox?.fill(findings)
    const there = new Set(findings.map(({ id }) => id))
    return all.map((list, at) => {
      const ids = [...new Set(list.map(({ id }) => id))]
      const own = ids.filter((id) => there.has(id))
      const kept = own.filter((id) => fresh.has(id)).length
      const suppressed = ids.filter((id) => decision.held.has(id)).length
      const run = runs[at]
      const isFlood = run !== undefined && fresh.has(overflowId(keyOfRule(run.rule), run.window.at))
      return { kept: kept + (isFlood ? 1 : 0), known: own.length - kept, suppressed }
    })
  }

  #candidate(rule: Rule, finding: KeptFinding): Candidate {
    const { suppressions = [] } = this.#options
    const throttling = throttlingOf(rule)
    const suppression = suppressedBy(finding, suppressions, finding.context)
    return {
      finding,
      ...(throttling === undefined ? {} : { throttling }),
      ...(suppression === undefined ? {} : { suppression }),
    }
  }

  /** The events of findings and their risk; a finding is stored after its risk, so that it tells that all is there. */
  #events(runs: readonly WindowRun[], { findings, views }: Grouped) {
    const rules = new Map(runs.map(({ rule }) => [keyOfRule(rule), rule]))
    const known = new Map<string, EventFields>()
    const annotations = ({ rule_key: key, tags }: KeptFinding): EventFields => {
      const rule = rules.get(key)
      const id = JSON.stringify([key, tags])
      const made =
        known.get(id) ?? (rule === undefined ? {} : annotationsOf(rule, tags, this.#options.attack))
      known.set(id, made)
      return made
    }
    const risks: OwnEvent[] = []
    const events: OwnEvent[] = []
    for (const finding of findings) {
      const said = annotations(finding)
      for (const each of finding.risks) risks.push(riskEvent(finding, each, said))
      events.push(findingEvent(finding, said, views.get(finding.incident ?? '')))
    }
    return [
      [RISKS, risks],
      [FINDINGS, events],
    ] as const
  }
}

/** The keeper of a store. */
export function makeKeeper(options: KeeperOptions): Keeper {
  return new FindingKeeper(options)
}
