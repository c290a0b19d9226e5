/**
 * Correlation over a stream of matches in the order of time: windows slide with the matches, both ends belong to them,
 * and windows of one group that fire and overlap are one burst. What is measured is looked at once for each instant at
 * which the group has a match, over the timespan that ends there.
 */
import { limits } from '../../core/limits.ts'
import { enoughFor, type Gauge, gaugeOf, type Match, type Measure, valuesOf } from './gauge.ts'

/** Windows that fired and overlap, of one group. */
export interface Burst {
  readonly group: readonly string[]
  /** The first matches, in order. */
  readonly matches: readonly Match[]
  /** The end of the first window that fired, and of the last. */
  readonly began: bigint
  readonly last: bigint
  readonly count: number
  /** How many matches there are of each rule. */
  readonly byRule: readonly number[]
  /** Different values of the field that is counted, the first ones. */
  readonly values: readonly string[]
  /** The most that was measured in one window. */
  readonly most: number | undefined
}

/** An instant at which a group fired, with the first match of its window. */
export interface Firing {
  readonly time: bigint
  readonly group: readonly string[]
  readonly first: Match
}

export interface CorrelatorOptions {
  readonly measure: Measure
  readonly onBurst: (burst: Burst) => void
  readonly onFiring?: (firing: Firing) => void
  /** Windows that end before are not looked at: some of their matches may not have been read. */
  readonly since?: bigint
  /** Matches held at the same time. */
  readonly most?: number
}

/** More matches would have to be held than may be. */
export class TooManyMatches extends Error {}

interface Open {
  matches: Match[]
  began: bigint
  last: bigint
  count: number
  byRule: number[]
  values: Set<string>
  most: number | undefined
}

/** The matches of one group. */
class Group {
  readonly fields: readonly string[]
  readonly gauge: Gauge
  /** In order; those before `head` have left the window. */
  matches: Match[] = []
  head = 0
  /** Matches of the instant that is being read. */
  fresh: Match[] = []
  /** How many there are since the group fired last. */
  since = 0
  last = 0n
  open: Open | undefined

  constructor(fields: readonly string[], measure: Measure) {
    this.fields = fields
    this.gauge = gaugeOf(measure)
  }

  get size(): number {
    return this.matches.length - this.head
  }

  /** Takes the first match out of the window. */
  shift(): void {
    const match = this.matches[this.head]
    if (match === undefined) return
    this.gauge.drop(match)
    this.head++
    if (this.head > 1_000 && this.head * 2 > this.matches.length) {
      this.matches = this.matches.slice(this.head)
      this.head = 0
    }
  }
}

export class Correlator {
  readonly #options: CorrelatorOptions
  readonly #measure: Measure
  readonly #most: number
  /** Of a count that can only be too low, so many matches of a group that has fired decide. */
  readonly #enough: number | undefined
  readonly #groups = new Map<string, Group>()
  #fresh: Group[] = []
  #now: bigint | undefined
  /** Groups that are over are left when the stream has gone on by a timespan. */
  #swept: bigint | undefined
  #held = 0

  constructor(options: CorrelatorOptions) {
    this.#options = options
    this.#measure = options.measure
    this.#most = options.most ?? limits.correlationMatches
    this.#enough = enoughFor(options.measure)
  }

  /** Takes the next match; times never go back. Throws when too many are held. */
  push(match: Match): void {
    if (this.#now !== undefined && match.time > this.#now) this.#instant(match.time)
    this.#now = match.time
    const { group: fields } = match
    const [only = ''] = fields
    const key = fields.length === 1 ? only : JSON.stringify(fields)
    let group = this.#groups.get(key)
    if (group === undefined) {
      group = new Group(fields, this.#measure)
      this.#groups.set(key, group)
    }
    if (group.fresh.length === 0) this.#fresh.push(group)
    group.fresh.push(match)
    group.last = match.time
    if (++this.#held <= this.#most) return
    this.#sweep(match.time)
    if (this.#held > this.#most) throw new TooManyMatches()
  }

  /** The end of the stream: bursts that are under way are told. */
  end(): void {
    if (this.#now !== undefined) this.#instant(undefined)
    for (const group of this.#groups.values()) this.#close(group)
    this.#groups.clear()
  }

  /** All matches of an instant are there: each group that has some is looked at. */
  #instant(next: bigint | undefined): void {
    for (const group of this.#fresh) this.#look(group)
    this.#fresh = []
    if (next === undefined) return
    this.#swept ??= next
    if (next - this.#swept >= this.#measure.timespan) this.#sweep(next)
  }

  /** Leaves the groups whose windows are over at a time, and tells their bursts. */
  #sweep(now: bigint): void {
    this.#swept = now
    const from = now - this.#measure.timespan
    for (const [key, group] of this.#groups) {
      if (group.last >= from) continue
      this.#close(group)
      this.#held -= group.size
      this.#groups.delete(key)
    }
  }

  #look(group: Group): void {
    const { last: now, fresh } = group
    const from = now - this.#measure.timespan
    while (group.size > 0 && (group.matches[group.head]?.time ?? now) < from) this.#shift(group)
    for (const match of fresh) group.matches.push(match)
    group.gauge.add(fresh)
    group.since += fresh.length
    group.fresh = []
    const { since } = this.#options
    if (since !== undefined && now < since) return
    if (group.gauge.isMet(now)) this.#fire(group, now)
  }

  #shift(group: Group): void {
    group.shift()
    this.#held--
  }

  #fire(group: Group, now: bigint): void {
    const from = now - this.#measure.timespan
    if (group.open !== undefined && group.open.last < from) this.#close(group)
    const open = group.open ?? startedAt(now, this.#measure.rules.length)
    const isNew = group.open === undefined
    group.open = open
    open.last = now
    const first = isNew ? group.head : Math.max(group.head, group.matches.length - group.since)
    for (let at = first; at < group.matches.length; at++) note(open, group.matches[at])
    group.since = 0
    const value = group.gauge.value(now)
    if (value !== undefined && (open.most === undefined || value > open.most)) open.most = value
    const opening = group.matches[group.head]
    if (opening !== undefined) {
      this.#options.onFiring?.({ time: now, group: group.fields, first: opening })
    }
    if (this.#enough === undefined) return
    while (group.size > Math.max(1, this.#enough)) this.#shift(group)
  }

  #close(group: Group): void {
    const { open, fields } = group
    if (open === undefined) return
    group.open = undefined
    // What is told is held until all is told.
    if (++this.#held > this.#most) throw new TooManyMatches()
    this.#options.onBurst({ ...open, group: fields, values: [...open.values] })
  }
}

function startedAt(now: bigint, rules: number): Open {
  const byRule = Array.from({ length: rules }, () => 0)
  return {
    matches: [],
    began: now,
    last: now,
    count: 0,
    byRule,
    values: new Set(),
    most: undefined,
  }
}

/** Adds a match to a burst. */
function note(open: Open, match: Match | undefined): void {
  if (match === undefined) return
  open.count++
  open.byRule[match.rule] = (open.byRule[match.rule] ?? 0) + 1
  if (open.matches.length < limits.resultsPerFinding) open.matches.push(match)
  for (const value of valuesOf(match)) {
    if (open.values.size < limits.resultsPerFinding) open.values.add(value)
  }
}
