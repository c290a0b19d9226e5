/**
 * A rule over the past: the runs that its schedule would have made, through the one path that runs rules, and what came
 * of them. Nothing is kept: a backtest only counts.
 */

import type { Diagnostic } from '../../core/diagnostic.ts'
import { limits } from '../../core/limits.ts'
import { isoOfMs } from '../../core/time.ts'
import type { QueryOptions } from '../../engine/engine.ts'
import type { TimeBounds } from '../../ir/rel.ts'
import type { Rule } from '../../rules/rule.ts'
import type { SchemaCatalogue } from '../../schema/catalogue.ts'
import { type Finding, fixedId } from '../finding.ts'
import type { Suppression } from '../keeping/suppression.ts'
import { Plans } from '../plan.ts'
import type { RuleState } from '../report.ts'
import { runRules } from '../run.ts'
import { isScheduled, scheduleOf } from '../schedule/cadence.ts'
import type { ScheduleSettings } from '../schedule/settings.ts'
import { NOTHING_SHOWN, type ShownRows } from '../shown.ts'
import type { RunStore } from '../store.ts'
import type { ScheduledRun } from '../windows.ts'
import { type Hidden, HiddenCount } from './hidden.ts'
import { eventTimes, pastRuns } from './past.ts'
import { type Counted, type FieldTally, Tallies } from './tallies.ts'

export interface BacktestWorld {
  readonly store: RunStore
  readonly schema: SchemaCatalogue
  readonly time: TimeBounds
  readonly settings: ScheduleSettings
  /** Suppressions of the settings. */
  readonly suppressions?: readonly Suppression[]
  /** Milliseconds of some clock, for what runs cost. */
  readonly clock: () => number
  readonly query?: QueryOptions
  readonly onProgress?: (done: number, total: number, findings: number) => void
}

/** Seconds that runs took. */
export interface Cost {
  readonly seconds: number
  readonly runs: number
  readonly p50: number
  readonly p95: number
  readonly longest: number
}

export interface Backtest {
  readonly rule: Rule
  readonly state: RuleState
  /** The range that was looked at, ISO texts. */
  readonly from: string
  readonly to: string
  /** When the rule runs, or why it does not run on its own. */
  readonly schedule: string
  /** Runs that were due, those of them that saw an event, and those that found something. */
  readonly due: number
  readonly ran: number
  readonly fired: number
  /** Why the runs of the schedule were not made one by one, where they were not. */
  readonly whole?: string
  readonly findings: number
  /** True when counting ended at `limits.backtestFindings`. */
  readonly isCut: boolean
  readonly days: readonly Counted[]
  readonly fields: readonly FieldTally[]
  readonly entities: readonly Counted[]
  readonly samples: readonly Finding[]
  readonly hidden: Hidden
  readonly cost: Cost
  readonly diagnostics: readonly Diagnostic[]
  /** By the key of what was found: the finding, of the first ones. */
  readonly found: ReadonlyMap<string, Finding | undefined>
  /** The most findings of one run, by the time of the run. */
  readonly largest: readonly Counted[]
  readonly isInterrupted: boolean
}

const FIELDS_SHOWN = 12
const VALUES_SHOWN = 5
const SAMPLES = 5
const LARGEST_SHOWN = 5
/** Findings that are held whole, to show those that only one of two versions has. */
const MOST_HELD = 2_000

/** What a finding is about whatever rule has found it: its event, or the row with the time of its run. */
function matchKey({ source, file, record, time, event, window }: Finding): string {
  const what =
    record > 0 ? [source, file, record, time] : [window?.to ?? time, Object.entries(event).sort()]
  return fixedId(...what)
}

/** The value below which a share of sorted numbers lies. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

class Backtesting {
  readonly #rule: Rule
  readonly #world: BacktestWorld
  readonly #plans = new Plans()
  readonly #tallies = new Tallies()
  readonly #ids = new Set<string>()
  readonly #found = new Map<string, Finding | undefined>()
  readonly #samples: Finding[] = []
  readonly #seconds: number[] = []
  readonly #perRun: Counted[] = []
  readonly #hidden: HiddenCount
  readonly #diagnostics = new Map<string, Diagnostic>()
  readonly #schedule: ReturnType<typeof scheduleOf>
  #state: RuleState = 'quiet'
  #fired = 0
  #isInterrupted = false

  constructor(rule: Rule, world: BacktestWorld) {
    this.#rule = rule
    this.#world = world
    this.#hidden = new HiddenCount(rule, world.suppressions)
    this.#schedule = scheduleOf(rule, world.settings)
  }

  get #isFull(): boolean {
    return this.#ids.size >= limits.backtestFindings
  }

  /** The run that finds something: the one under way or, of a rule that is run by the day, the first that sees the event. */
  #runOf(finding: Finding, under: ScheduledRun | undefined): string {
    if (under !== undefined) return under.window.at
    const time = Date.parse(finding.time)
    const next = isScheduled(this.#schedule) ? this.#schedule.next(time) : undefined
    return next === undefined ? '' : isoOfMs(next)
  }

  #take(finding: Finding, under: ScheduledRun | undefined): void {
    if (this.#isFull || this.#ids.has(finding.id)) return
    this.#ids.add(finding.id)
    this.#hidden.add(finding, this.#runOf(finding, under))
    this.#tallies.add(finding)
    // Only so much of each is held as is told apart and shown; events may be large.
    const key = matchKey(finding)
    if (!this.#found.has(key)) {
      this.#found.set(key, this.#found.size < MOST_HELD ? finding : undefined)
    }
    if (this.#samples.length < SAMPLES) this.#samples.push(finding)
  }

  /** One call of the runner; gives what it has shown. */
  async #run(
    name: string,
    how: { readonly scheduled?: ScheduledRun; readonly time?: TimeBounds },
    before: ShownRows = NOTHING_SHOWN,
  ): Promise<ShownRows> {
    const { store, schema, query, clock } = this.#world
    const started = clock()
    const had = this.#ids.size
    const report = await runRules({
      rules: [this.#rule],
      schema,
      store,
      time: how.time ?? this.#world.time,
      ...(how.scheduled === undefined ? {} : { scheduled: how.scheduled }),
      shown: new Map([[this.#rule, before]]),
      plans: this.#plans,
      onFinding: (finding) => this.#take(finding, how.scheduled),
      ...(query === undefined ? {} : { query }),
    })
    this.#seconds.push((clock() - started) / 1_000)
    const count = this.#ids.size - had
    if (count > 0) {
      this.#fired++
      this.#perRun.push({ value: name, count })
    }
    this.#isInterrupted ||= report.interrupted
    const [outcome] = report.outcomes
    for (const each of outcome?.diagnostics ?? []) this.#diagnostics.set(each.message, each)
    if (outcome !== undefined && this.#state !== 'fired' && this.#state !== 'failed') {
      this.#state = outcome.state
    }
    if (outcome?.state === 'failed') this.#state = 'failed'
    if (outcome?.state === 'fired') this.#state = this.#state === 'failed' ? 'failed' : 'fired'
    return outcome?.shown ?? NOTHING_SHOWN
  }

  /** A rule that looks at one event at a time finds in a day what its runs of that day would find. */
  async #byDay(first: number, end: number): Promise<void> {
    const day = 86_400_000
    const starts: number[] = []
    for (let at = Math.floor(first / day) * day; at < end; at += day) starts.push(at)
    const { from, to } = this.#world.time
    for (const [place, start] of starts.entries()) {
      if (this.#isInterrupted || this.#isFull) return
      this.#world.onProgress?.(place, starts.length, this.#ids.size)
      const begin = isoOfMs(start)
      const stop = isoOfMs(start + day)
      const time = {
        from: from !== undefined && from > begin ? from : begin,
        to: to !== undefined && to < stop ? to : stop,
      }
      await this.#run(begin.slice(0, 10), { time })
    }
  }

  async #bySchedule(runs: readonly ScheduledRun[]): Promise<void> {
    let shown: ShownRows = NOTHING_SHOWN
    let before: string | undefined
    for (const [place, scheduled] of runs.entries()) {
      if (this.#isInterrupted || this.#isFull || this.#state === 'failed') return
      this.#world.onProgress?.(place, runs.length, this.#ids.size)
      const { at } = scheduled.window
      // What a run has shown counts only for the one after it.
      shown = await this.#run(at, { scheduled }, scheduled.since === before ? shown : undefined)
      before = at
    }
  }

  async run(): Promise<Backtest> {
    const { store, time, clock } = this.#world
    const started = clock()
    const rule = this.#rule
    const events = await eventTimes(store, await store.catalogue(), time)
    const schedule = this.#schedule
    const isCounted = rule.correlation !== undefined
    const isEvents = rule.kusto === undefined && rule.spl === undefined && !isCounted
    const past = isScheduled(schedule) ? pastRuns(schedule, events) : undefined
    let whole: string | undefined
    const { first, end } = events
    if (first !== undefined && end !== undefined) {
      if (isEvents) {
        whole = 'it looks at one event at a time and was run by the day'
        await this.#byDay(first, end)
      } else if (past !== undefined && !isCounted) await this.#bySchedule(past.runs)
      else {
        whole = isCounted
          ? 'its sliding windows were looked at over all events of the range'
          : isScheduled(schedule)
            ? `more than ${limits.ruleWindows} runs saw events; a narrower range runs them one by one`
            : 'it ran once over all events of the range'
        await this.#run('', {})
      }
    }
    const from = time.from ?? (first === undefined ? '' : isoOfMs(first))
    const to = time.to ?? (end === undefined ? '' : isoOfMs(end))
    const sorted = this.#seconds.toSorted((a, b) => a - b)
    return {
      rule,
      state: this.#ids.size > 0 && this.#state !== 'failed' ? 'fired' : this.#state,
      from,
      to,
      schedule: isScheduled(schedule) ? schedule.text : schedule.off,
      due: whole === undefined ? (past?.due ?? 0) : this.#seconds.length,
      ran: this.#seconds.length,
      fired: this.#fired,
      ...(whole === undefined ? {} : { whole }),
      findings: this.#ids.size,
      isCut: this.#isFull,
      days: from === '' || to === '' ? [] : this.#tallies.days(from, isoBefore(to)),
      fields: this.#tallies.fields(FIELDS_SHOWN, VALUES_SHOWN, rule.fields),
      entities: this.#tallies.entities(VALUES_SHOWN),
      samples: this.#samples,
      hidden: this.#hidden.result(),
      cost: {
        seconds: (clock() - started) / 1_000,
        runs: sorted.length,
        p50: quantile(sorted, 0.5),
        p95: quantile(sorted, 0.95),
        longest: sorted.at(-1) ?? 0,
      },
      diagnostics: [...this.#diagnostics.values()],
      found: this.#found,
      largest: this.#perRun.toSorted((a, b) => b.count - a.count).slice(0, LARGEST_SHOWN),
      isInterrupted: this.#isInterrupted,
    }
  }
}

/** The last moment before a bound that is not part of a range. */
function isoBefore(to: string): string {
  return isoOfMs(Date.parse(to.replace(/(\.\d{3})\d*Z$/, '$1Z')) - 1)
}

/** Runs one rule over the past. Errors of the engine that are no rule's fault are thrown. */
export function backtest(rule: Rule, world: BacktestWorld): Promise<Backtest> {
  return new Backtesting(rule, world).run()
}

/** What one version of a rule finds and the other does not. */
export interface Difference {
  readonly both: number
  readonly onlyFirst: number
  readonly onlySecond: number
  readonly firstSamples: readonly Finding[]
  readonly secondSamples: readonly Finding[]
}

/** Compares what two backtests have found, by the events and rows that were matched. */
export function differenceOf(first: Backtest, second: Backtest): Difference {
  const only = (a: Backtest, b: Backtest): readonly (Finding | undefined)[] =>
    [...a.found].flatMap(([key, finding]) => (b.found.has(key) ? [] : [finding]))
  const [onlyFirst, onlySecond] = [only(first, second), only(second, first)]
  const samples = (all: readonly (Finding | undefined)[]): readonly Finding[] =>
    all.filter((each) => each !== undefined).slice(0, SAMPLES)
  return {
    both: first.found.size - onlyFirst.length,
    onlyFirst: onlyFirst.length,
    onlySecond: onlySecond.length,
    firstSamples: samples(onlyFirst),
    secondSamples: samples(onlySecond),
  }
}
