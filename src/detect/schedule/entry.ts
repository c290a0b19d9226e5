/** One rule of the schedule while it runs: what is remembered of it, and what is yet to be done. */

import { createHash } from 'node:crypto'
import { isoOfMs } from '../../core/time.ts'
import { keyOfRule, type Rule } from '../../rules/rule.ts'
import type { ShownRows } from '../shown.ts'
import type { ScheduledRun } from '../windows.ts'
import type { Schedule } from './cadence.ts'
import { boundsIn, type Seen, timesTouched } from './minutes.ts'
import type { RuleRow } from './state.ts'

/** Windows whose shown rows are kept in memory. */
const MOST_SHOWN = 16
const MINUTE = 60_000
/** A run that has failed is tried again after a minute, then after two, and so on. */
const RETRY_MS = MINUTE

/** Changes when the rule is another one than before. */
export function versionOf(rule: Rule): string {
  const { title, level, rel, tuning, kusto, spl, correlation, stages } = rule
  const counted = correlation === undefined ? undefined : stages
  const said = [title, level, rel, tuning, kusto?.version, spl?.version, spl?.search, counted]
  return createHash('sha256').update(JSON.stringify(said)).digest('hex').slice(0, 16)
}

/** A window that is to be run. `due`: for the first time; `late`: again, for events that came late. */
export interface Job {
  readonly entry: Entry
  readonly time: number
  readonly kind: 'due' | 'late'
}

export class Entry {
  readonly rule: Rule
  readonly key: string
  readonly schedule: Schedule
  /** Windows that are to be run again. */
  readonly dirty = new Set<number>()
  /** True when each event alone decides: then only those since the run before matter to a run. */
  readonly #isByEvent: boolean
  row: RuleRow
  isChanged = true
  retryAt = 0
  readonly #shown = new Map<number, ShownRows>()

  constructor(rule: Rule, schedule: Schedule, row: RuleRow, isByEvent = false) {
    this.#isByEvent = isByEvent
    this.rule = rule
    this.key = keyOfRule(rule)
    this.schedule = schedule
    this.row = row
    for (const time of row.dirty) this.dirty.add(Number(time))
  }

  change(change: Partial<RuleRow>): void {
    this.row = { ...this.row, ...change }
    this.isChanged = true
  }

  get isPaused(): boolean {
    return this.row.paused !== ''
  }

  /** How far behind its schedule the rule is, in milliseconds. */
  behind(now: number): number {
    const next = this.schedule.next(this.row.checkpoint)
    return next === undefined ? 0 : Math.max(0, now - next - this.schedule.delay)
  }

  /** True when the rule may run now. */
  isReady(now: number): boolean {
    return !this.isPaused && now >= this.retryAt
  }

  /** The scheduled times that are due and lie before a time, in order; no more than `most`. */
  due(now: number, until: number, most: number): readonly number[] {
    if (!this.isReady(now)) return []
    const end = Math.min(until, now - this.schedule.delay)
    return this.schedule.between(this.row.checkpoint, end, most)
  }

  /** Where the events lie that matter to the run of a scheduled time. */
  sees(time: number): Seen {
    const { schedule } = this
    if (this.#isByEvent) return { from: schedule.previous(time) ?? 0, to: time }
    const { from, to } = boundsIn(schedule.windowAt(time))
    return { from: Math.min(from, time - schedule.reach.from), to }
  }

  /** The run of a scheduled time. */
  runAt(time: number): ScheduledRun {
    const { schedule } = this
    const before = schedule.previous(time) ?? time
    const window = schedule.windowAt(time)
    const isApart = boundsIn(schedule.windowAt(before)).to <= boundsIn(window).from
    return { window, since: isoOfMs(before), isApart }
  }

  /**
   * Marks the windows that minutes belong to, where they are done already; gives how many of the events are too late for
   * that. `cutoff` is the earliest minute that is not.
   */
  touch(first: number, last: number, rows: number, cutoff: number): number {
    const { checkpoint, since } = this.row
    const done = { after: since, until: checkpoint }
    if (checkpoint <= since || first * MINUTE + this.schedule.reach.to > checkpoint) return 0
    const begin = Math.max(first, cutoff)
    const touched = (from: number, to: number): readonly number[] =>
      timesTouched(this.schedule, (time) => this.sees(time), { first: from, last: to }, done)
    if (begin <= last) for (const time of touched(begin, last)) this.dirty.add(time)
    if (first >= cutoff) return 0
    const end = Math.min(last, cutoff - 1)
    if (touched(first, end).length === 0) return 0
    const late = Math.round((rows * (end - first + 1)) / (last - first + 1))
    this.change({ late: this.row.late + late })
    return late
  }

  /** Notes that a run has failed; true when it is one too many. */
  fail(now: number, strikes: number): boolean {
    this.change({ strikes: this.row.strikes + 1 })
    this.retryAt = now + RETRY_MS * this.row.strikes
    return this.row.strikes >= strikes
  }

  shown(time: number): ShownRows | undefined {
    return this.#shown.get(time)
  }

  keepShown(time: number, shown: ShownRows): void {
    this.#shown.delete(time)
    this.#shown.set(time, shown)
    const [oldest] = this.#shown.keys()
    if (this.#shown.size > MOST_SHOWN && oldest !== undefined) this.#shown.delete(oldest)
  }
}
