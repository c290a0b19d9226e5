/**
 * What a report keeps of a stream of findings: counts of everything, and the findings themselves up to a budget.
 * Takes findings in any order; memory stays bounded however many come and whatever they hold.
 */
import { limits } from '../core/limits.ts'
import { parseIso } from '../core/time.ts'
import type { EventFields, Finding, FoundEntity } from '../detect/finding.ts'
import { LEVELS, type Level, rankOf } from '../rules/rule.ts'
import { type FieldShown, orderFields } from './evidence.ts'

/** What a finding of a rule with a query of its own says beside its event; all texts are cut to what can be shown. */
export interface Said {
  readonly title: string
  readonly description: string
  /** Each as one text: `IP 192.0.2.1`. */
  readonly entities: readonly string[]
  readonly details: readonly FieldShown[]
  /** How many rows of a run it stands for; undefined for a finding of one row. */
  readonly rows: number | undefined
  /** The first rows of several, with the names of their columns. */
  readonly columns: readonly string[]
  readonly results: readonly (readonly string[])[]
}

/** What is kept of a finding: its place and its fields, the telling ones first. */
export interface Kept extends Pick<Finding, 'time' | 'host' | 'source' | 'file' | 'record' | 'id'> {
  readonly said?: Said
  readonly fields: readonly FieldShown[]
  /** Fields of the event that are not in `fields`. */
  readonly moreFields: number
}

export interface RuleTally {
  readonly id: string
  readonly title: string
  readonly level: Level
  hits: number
  /** Different hosts, at most `limits.hostsPerRule`; more when `hasMoreHosts`. */
  readonly hosts: Set<string>
  hasMoreHosts: boolean
  /** Earliest and latest event time, ISO text. */
  first: string
  last: string
  /** The findings kept to be shown, in the order in which they came. */
  kept: Kept[]
}

export interface HostTally {
  hits: number
  level: Level
  readonly rules: Set<string>
}

export interface Bucket {
  /** Start of the bucket, milliseconds since 1970. */
  readonly start: number
  /** Findings by rank of their level. */
  readonly counts: readonly number[]
}

export interface TallyBudget {
  /** Findings kept per rule at first; lowered, lowest level first, when the total is reached. */
  readonly perRule: number
  readonly findings: number
  readonly chars: number
  /** Names of the fields that a rule reads, by rule id; they are shown first. */
  readonly read?: (rule: string) => readonly string[]
}

/** What every rule may keep until all levels have given; only then is evidence given up whole. */
const LEAST_KEPT = 3
const NAME_CHARS = 256
const VALUES_KEPT = 100
const MOST_BUCKETS = 4_096
const FIRST_BUCKET_MS = 60_000

function clip(text: string, most: number): string {
  return text.length <= most
    ? text
    : `${text.slice(0, most)} … (${text.length - most} more characters)`
}

/** The values of one field, cut so that they hold at most `limits.reportValueChars` together. */
function clipValues(values: readonly string[]): readonly string[] {
  const kept: string[] = []
  let room: number = limits.reportValueChars
  for (const [index, value] of values.entries()) {
    if (room <= 0 || kept.length === VALUES_KEPT) {
      kept.push(`… (${values.length - index} more values)`)
      break
    }
    kept.push(clip(value, room))
    room -= value.length
  }
  return kept
}

/** An entity as one text: its type and the values that tell it, the last of a name first. */
function entityText({ type, ...identifiers }: FoundEntity): string {
  return `${type} ${Object.values(identifiers).join(' ')}`
}

const COLUMNS_KEPT = 12
const CELL_CHARS = 500
const ENTITIES_KEPT = 40

function textOf(value: EventFields[string] | undefined): string {
  return typeof value === 'string' ? value : (value ?? []).join(', ')
}

/** What is at risk and what is evidence, as details. */
function riskDetails({ risk = [], threat_objects: threats = [] }: Finding): Finding['details'] {
  const atRisk = risk.map(({ value, type, score }) => `${value} (${type}, ${score})`)
  const evidence = threats.map(({ value, field }) => `${value} (${field})`)
  return {
    ...(atRisk.length === 0 ? {} : { 'at risk': atRisk }),
    ...(evidence.length === 0 ? {} : { evidence }),
  }
}

function saidBy(finding: Finding): Said | undefined {
  const { title = '', entities = [], rows, results = [] } = finding
  const details = { ...riskDetails(finding), ...finding.details }
  const description = finding.description ?? finding.risk_message ?? ''
  const isBare = title === '' && description === '' && rows === undefined
  if (isBare && entities.length === 0 && Object.keys(details).length === 0) return undefined
  const shown = results.length > 1 ? results : []
  const names = new Set(shown.flatMap((each) => Object.keys(each)))
  const columns = [...names].slice(0, COLUMNS_KEPT)
  return {
    title: clip(title, CELL_CHARS),
    description: clip(description, limits.reportValueChars),
    entities: entities.slice(0, ENTITIES_KEPT).map((each) => clip(entityText(each), CELL_CHARS)),
    details: Object.entries(details)
      .slice(0, ENTITIES_KEPT)
      .map(([name, values]) => ({ name, values: clipValues(values), isRead: false })),
    rows,
    columns: columns.map((each) => clip(each, NAME_CHARS)),
    results: shown.map((each) => columns.map((name) => clip(textOf(each[name]), CELL_CHARS))),
  }
}

/** The part of a finding that a report can show, so that one huge event does not stay in memory. */
function keep(finding: Finding, read: readonly string[]): Kept {
  const fields = orderFields(finding.event, read)
  const said = saidBy(finding)
  return {
    ...(said === undefined ? {} : { said }),
    time: finding.time,
    host: clip(finding.host, NAME_CHARS),
    source: finding.source,
    file: finding.file,
    record: finding.record,
    id: finding.id,
    moreFields: Math.max(0, fields.length - limits.reportFields),
    fields: fields.slice(0, limits.reportFields).map(({ name, values, isRead }) => ({
      name: clip(name, NAME_CHARS),
      values: clipValues(values),
      isRead,
    })),
  }
}

/** Rough size in characters of what is kept of a finding. */
function sizeOf(kept: Kept): number {
  let size = 200 + kept.host.length + kept.file.length
  for (const { name, values } of kept.fields) {
    size += 40 + name.length
    for (const value of values) size += value.length
  }
  const { said } = kept
  if (said === undefined) return size
  const texts = [said.title, said.description, ...said.entities, ...said.results.flat()]
  for (const { values } of said.details) texts.push(...values)
  for (const each of texts) size += each.length + 20
  return size
}

/** Counts findings and keeps the first of each rule. */
export class Tally {
  readonly rules = new Map<string, RuleTally>()
  readonly hosts = new Map<string, HostTally>()
  /** Findings on hosts beyond `limits.hostsPerReport`. */
  otherHostHits = 0
  /** Findings whose time cannot be read. */
  undated = 0
  findings = 0
  readonly #budget: TallyBudget
  readonly #perRule: Map<Level, number>
  readonly #buckets = new Map<number, number[]>()
  #bucketMs = FIRST_BUCKET_MS
  #kept = 0
  #chars = 0

  constructor(budget: TallyBudget) {
    this.#budget = budget
    this.#perRule = new Map(LEVELS.map((level) => [level, budget.perRule]))
  }

  add(finding: Finding): void {
    this.findings++
    const rule = this.#ruleOf(finding)
    rule.hits++
    if (finding.time < rule.first) rule.first = finding.time
    if (finding.time > rule.last) rule.last = finding.time
    const host = clip(finding.host, NAME_CHARS)
    if (rule.hosts.size < limits.hostsPerRule) rule.hosts.add(host)
    else if (!rule.hosts.has(host)) rule.hasMoreHosts = true
    this.#countHost(finding, host)
    this.#countTime(finding)
    if (rule.kept.length < (this.#perRule.get(rule.level) ?? 0)) {
      const kept = keep(finding, this.#budget.read?.(finding.rule_id) ?? [])
      rule.kept.push(kept)
      this.#kept++
      this.#chars += sizeOf(kept)
      while (this.#isOver() && this.#trim());
    }
  }

  /** Rules that fired, most severe first, then by hits, then by title. */
  ordered(): readonly RuleTally[] {
    return [...this.rules.values()].sort(
      (a, b) =>
        rankOf(b.level) - rankOf(a.level) ||
        b.hits - a.hits ||
        (a.title < b.title ? -1 : a.title > b.title ? 1 : 0),
    )
  }

  /** Findings by time in at most `most` buckets of equal width, without holes; empty when none is dated. */
  timeline(most: number): { readonly width: number; readonly buckets: readonly Bucket[] } {
    const starts = [...this.#buckets.keys()].sort((a, b) => a - b)
    const first = starts[0]
    const last = starts.at(-1)
    if (first === undefined || last === undefined) return { width: 0, buckets: [] }
    const slots = last - first + 1
    const merge = Math.max(1, Math.ceil(slots / most))
    const width = this.#bucketMs * merge
    const buckets = Array.from({ length: Math.ceil(slots / merge) }, (_, index) => ({
      start: first * this.#bucketMs + index * width,
      counts: LEVELS.map(() => 0),
    }))
    for (const [slot, counts] of this.#buckets) {
      const into = buckets[Math.floor((slot - first) / merge)]?.counts
      if (into === undefined) continue
      counts.forEach((each, rank) => {
        into[rank] = (into[rank] ?? 0) + each
      })
    }
    return { width, buckets }
  }

  #ruleOf(finding: Finding): RuleTally {
    const known = this.rules.get(finding.rule_id)
    if (known !== undefined) return known
    const made: RuleTally = {
      id: finding.rule_id,
      title: finding.rule_title,
      level: finding.level,
      hits: 0,
      hosts: new Set(),
      hasMoreHosts: false,
      first: finding.time,
      last: finding.time,
      kept: [],
    }
    this.rules.set(finding.rule_id, made)
    return made
  }

  #countHost(finding: Finding, host: string): void {
    if (host === '') return
    const known = this.hosts.get(host)
    if (known !== undefined) {
      known.hits++
      if (rankOf(finding.level) > rankOf(known.level)) known.level = finding.level
      if (known.rules.size < limits.hostsPerRule) known.rules.add(finding.rule_id)
    } else if (this.hosts.size < limits.hostsPerReport) {
      this.hosts.set(host, { hits: 1, level: finding.level, rules: new Set([finding.rule_id]) })
    } else this.otherHostHits++
  }

  #countTime(finding: Finding): void {
    const ms = parseIso(finding.time)?.ms
    if (ms === undefined) {
      this.undated++
      return
    }
    const slot = Math.floor(ms / this.#bucketMs)
    const counts = this.#buckets.get(slot) ?? LEVELS.map(() => 0)
    const rank = rankOf(finding.level)
    counts[rank] = (counts[rank] ?? 0) + 1
    this.#buckets.set(slot, counts)
    while (this.#buckets.size > MOST_BUCKETS) this.#widen()
  }

  /** Makes the buckets twice as wide. */
  #widen(): void {
    this.#bucketMs *= 2
    const before = [...this.#buckets]
    this.#buckets.clear()
    for (const [slot, counts] of before) {
      const into = this.#buckets.get(Math.floor(slot / 2))
      if (into === undefined) this.#buckets.set(Math.floor(slot / 2), counts)
      else {
        counts.forEach((each, rank) => {
          into[rank] = (into[rank] ?? 0) + each
        })
      }
    }
  }

  #isOver(): boolean {
    return this.#kept > this.#budget.findings || this.#chars > this.#budget.chars
  }

  /** Halves what is kept per rule of the lowest level that can still give; false when none can. */
  #trim(): boolean {
    for (const least of [LEAST_KEPT, 0]) {
      for (const level of LEVELS) {
        const now = this.#perRule.get(level) ?? 0
        if (now <= least) continue
        this.#lower(level, Math.max(least, Math.floor(now / 2)))
        return true
      }
    }
    return false
  }

  #lower(level: Level, most: number): void {
    this.#perRule.set(level, most)
    for (const rule of this.rules.values()) {
      if (rule.level !== level || rule.kept.length <= most) continue
      for (const gone of rule.kept.slice(most)) {
        this.#kept--
        this.#chars -= sizeOf(gone)
      }
      rule.kept = rule.kept.slice(0, most)
    }
  }
}
