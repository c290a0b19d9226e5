/**
 * The scheduler: runs every window of every rule once it is due, and again when events that came late touch it, in the
 * order of their times. What is due comes from the checkpoint of each rule and never from the clock alone, so that no
 * window is lost by a stop, a sleep or a change of the clock. Findings are kept before a window is noted as done, so that
 * a crash leads to the same window again and to the same findings.
 */
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import { limits } from '../../core/limits.ts'
import { step } from '../../core/steps.ts'
import type { Records } from '../../engine/records.ts'
import { MOST_TOUCHED, type TouchedBatch } from '../../engine/touched.ts'
import { keyOfRule, type Rule } from '../../rules/rule.ts'
import type { SchemaCatalogue } from '../../schema/catalogue.ts'
import type { Keeper, KeepReport, WindowRun } from '../keeping/keeper.ts'
import { Plans } from '../plan.ts'
import { runsAtOnce } from '../scheduled.ts'
import { NOTHING_SHOWN, type ShownRows } from '../shown.ts'
import type { RunStore } from '../store.ts'
import { cadenceOf } from '../windows.ts'
import { isScheduled, type Schedule, scheduleOf } from './cadence.ts'
import { Entry, type Job, versionOf } from './entry.ts'
import { type Clock, Lease } from './lease.ts'
import { Minutes } from './minutes.ts'
import { pausedFinding } from './paused.ts'
import { RuleReads } from './reads.ts'
import { runGroup, type WindowResult } from './running.ts'
import type { ScheduleSettings } from './settings.ts'
import { type RuleRow, ScheduleState, shownList, shownOf, type WindowRow } from './state.ts'

export interface SchedulerStore extends RunStore {
  readonly records: Records
  touched(after: number): Promise<readonly TouchedBatch[]>
}

export interface SchedulerOptions {
  readonly store: SchedulerStore
  /** The same for runs of the past, which have a pool of their own. */
  readonly past?: RunStore
  readonly schema: SchemaCatalogue
  readonly settings: ScheduleSettings
  readonly keeper: Keeper
  readonly clock: Clock
  /** Who this is, for others to read. */
  readonly holder: string
  /** True for a holder that is known to be no more. */
  readonly hasEnded?: (holder: string) => boolean
  /** Where rules that are new begin, milliseconds; now without it. */
  readonly since?: number
  readonly signal?: AbortSignal
  /** How long the lease holds without being renewed, milliseconds; for tests. */
  readonly leaseHolds?: number
}

/** What one round has done. */
export interface Round {
  readonly windows: number
  readonly findings: number
  /** True when more is due already. */
  readonly more: boolean
}

/** Batches of the last ten seconds before the mark are looked at again: several writers number their batches. */
const MARGIN = 10_000_000
const MARK_EVERY_MS = 10_000
const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
/** Windows of one round, and of one of the past, which must not keep those of now waiting. */
const ROUND = 4_000
const ROUND_OF_PAST = 2_000
const PAST_MS = 5_000
/** How far rounds look ahead of the rule that is furthest behind, until they have enough to do. */
const STEPS = [30 * MINUTE, 3 * 60 * MINUTE, DAY, 7 * DAY, Number.POSITIVE_INFINITY]
/** Results that wait to be noted together, and for how long. */
const HELD_WINDOWS = 500
const HELD_FINDINGS = 5_000
const HELD_MS = 2_000
/** Lists of batches that are remembered within the margin. */
const MOST_IDS = 200_000
/** Looks at the ledger in one round. */
const MOST_PAGES = 10

interface Held {
  readonly job: Job
  readonly result: WindowResult
}

export class Scheduler {
  readonly #options: SchedulerOptions
  readonly #state: ScheduleState
  readonly #lease: Lease
  readonly #plans = new Plans()
  readonly #reads: RuleReads
  readonly #minutes: Minutes
  readonly #known = new Map<string, RuleRow>()
  #entries: readonly Entry[] = []
  #problems: readonly Diagnostic[] = []
  /** The greatest number of a batch that has been looked at. */
  #seen = 0
  #marked = 0
  #markedAt = Number.NEGATIVE_INFINITY
  readonly #ids = new Set<string>()
  #held: Held[] = []
  #heldSince = 0
  #ended = false
  #isAll = false
  windows = 0
  findings = 0
  suppressed = 0
  failed = 0

  private constructor(options: SchedulerOptions, state: ScheduleState, lease: Lease) {
    this.#options = options
    this.#state = state
    this.#lease = lease
    this.#reads = new RuleReads(options.schema, this.#plans)
    this.#minutes = new Minutes(options.store)
  }

  /** Takes the schedule of a store. A `LeaseError` when someone else runs it. */
  static async open(options: SchedulerOptions, rules: readonly Rule[]): Promise<Scheduler> {
    const { store, holder, hasEnded, clock, leaseHolds } = options
    const lease = await Lease.claim({
      store,
      holder,
      clock,
      ...(hasEnded === undefined ? {} : { hasEnded }),
      ...(leaseHolds === undefined ? {} : { holds: leaseHolds }),
    })
    const scheduler = new Scheduler(options, await ScheduleState.open(store.records), lease)
    await scheduler.#load()
    await scheduler.use(rules)
    await scheduler.#tellPaused(scheduler.#entries.filter(({ row }) => row.strikes > 0))
    return scheduler
  }

  async #load(): Promise<void> {
    const { clock } = this.#options
    const rows = await this.#state.rules()
    for (const row of rows) this.#known.set(row.rule, row)
    // What an owner before this one may still write is of a lower version than these.
    if (rows.length > 0) await this.#state.keepRules(rows, this.#lease.fence)
    const mark = await this.#state.mark()
    this.#marked = mark ?? clock.now() * 1_000
    this.#seen = Math.max(0, this.#marked - MARGIN)
    if (mark === undefined) await this.#state.keepMark(this.#marked, this.#lease.fence)
  }

  get entries(): readonly Entry[] {
    return this.#entries
  }

  /** What is wrong with schedules and rules. */
  get problems(): readonly Diagnostic[] {
    return this.#problems
  }

  /** Runs these rules from here on; those that it knows go on from their checkpoints. */
  async use(rules: readonly Rule[]): Promise<void> {
    const { settings, clock, since, schema } = this.#options
    const now = clock.now()
    const problems: Diagnostic[] = []
    const before = new Map(this.#entries.map((each) => [each.key, each]))
    const entries = new Map<string, Entry>()
    for (const rule of rules) {
      const schedule = scheduleOf(rule, settings)
      if (!isScheduled(schedule)) {
        if (schedule.problem !== undefined) problems.push(schedule.problem)
        continue
      }
      const key = keyOfRule(rule)
      if (entries.has(key)) {
        problems.push(diagnose('HR712', { rule: rule.title.slice(0, 200), id: key.slice(0, 200) }))
        continue
      }
      const known = before.get(key)?.row ?? this.#known.get(key)
      const row = rowOf(rule, schedule, known, now, since)
      const entry = new Entry(rule, schedule, row, isByEvent(rule, schedule, schema))
      entry.isChanged = JSON.stringify(known) !== JSON.stringify(entry.row)
      for (const time of before.get(key)?.dirty ?? []) entry.dirty.add(time)
      entries.set(key, entry)
    }
    this.#entries = [...entries.values()]
    this.#problems = problems
    await this.#keepRules()
    step('rules.loaded')
  }

  /** Does what is due now. Errors of the engine that no rule is to blame for are the caller's, and lose nothing. */
  async round(): Promise<Round> {
    const before = { windows: this.windows, findings: this.findings }
    await this.#lease.hold()
    await this.#obey()
    this.#reads.stored = await this.#options.store.catalogue()
    await this.#look()
    await this.#skipOld()
    this.#held = []
    const { live, past } = this.#jobs()
    await this.#work(live, Number.POSITIVE_INFINITY)
    await this.#work(past, this.#options.clock.elapsed() + PAST_MS)
    await this.#keepMark()
    const windows = this.windows - before.windows
    const more = windows > 0 && !this.#isStopped && (!this.#isAll || this.#isMoreDue())
    return { windows, findings: this.findings - before.findings, more }
  }

  #isMoreDue(): boolean {
    const { live, past } = this.#jobs()
    return live.length + past.length > 0
  }

  async #work(jobs: readonly Job[], until: number): Promise<void> {
    const failed = new Set<Entry>()
    for (const group of this.#groups(jobs)) {
      if (this.#isStopped || this.#options.clock.elapsed() > until) break
      const ready = group.filter(({ entry }) => !failed.has(entry))
      if (ready.length === 0) continue
      // An earlier window of the same rule that has just become late runs first, in the next round: what a window tells
      // depends on what the one before it has shown.
      if ((await this.#prepare(ready)) && ready.some((job) => this.#isOvertaken(job))) break
      for (const held of await this.#run(ready)) {
        // Later windows of a rule that fails wait until this one is done.
        if (held.result.state === 'failed') failed.add(held.job.entry)
        if (this.#held.length === 0) this.#heldSince = this.#options.clock.elapsed()
        this.#held.push(held)
      }
      if (this.#isFull) await this.#flush()
    }
    await this.#flush()
  }

  get #isStopped(): boolean {
    return this.#options.signal?.aborted === true
  }

  get #isFull(): boolean {
    const findings = this.#held.reduce((sum, { result }) => sum + result.findings.length, 0)
    return (
      this.#held.length >= HELD_WINDOWS ||
      findings >= HELD_FINDINGS ||
      this.#options.clock.elapsed() - this.#heldSince >= HELD_MS
    )
  }

  /** Follows what people have asked for since the last round. */
  async #obey(): Promise<void> {
    const orders = new Map((await this.#state.orders()).map((each) => [each.rule, each]))
    for (const entry of this.#entries) {
      const order = orders.get(entry.key)
      if (order === undefined || order.at <= entry.row.paused_at) continue
      const at = { paused_at: order.at }
      if (order.want === 'pause') entry.change({ ...at, paused: order.reason || 'by hand' })
      else {
        entry.retryAt = 0
        entry.change({ ...at, paused: '', strikes: 0 })
        const now = this.#options.clock.now()
        const [failing] = order.want === 'skip' ? entry.due(now, now, 1) : []
        if (failing !== undefined) await this.#skip(entry, [failing], 'skipped by hand')
      }
    }
  }

  /** Windows that are too long ago to be caught up with are told as skipped. */
  async #skipOld(): Promise<void> {
    const { settings, clock } = this.#options
    const oldest = clock.now() - settings.catchUp
    for (const entry of this.#entries) {
      const { checkpoint, begun } = entry.row
      // Who asks for the past gets all of it.
      if (entry.isPaused || checkpoint < begun || checkpoint >= oldest - DAY) continue
      const times = entry.schedule.between(checkpoint, oldest, limits.skippedWindows)
      if (times.length > 0) await this.#skip(entry, times, 'longer ago than schedule.catch_up')
    }
  }

  async #skip(entry: Entry, times: readonly number[], reason: string): Promise<void> {
    const { clock } = this.#options
    const { fence } = this.#lease
    const started = clock.now()
    const rows = times.map(
      (at): WindowRow => ({
        ...EMPTY_WINDOW,
        rule: entry.key,
        at,
        state: 'skipped',
        reason,
        started,
        fence,
      }),
    )
    await this.#lease.hold()
    await this.#state.keepWindows(rows, fence)
    const checkpoint = Math.max(entry.row.checkpoint, ...times.slice(-1))
    entry.change({ checkpoint, gaps: entry.row.gaps + times.length })
    await this.#keepRules()
  }

  /** Looks at what has been stored since the last round. */
  async #look(): Promise<void> {
    const { store } = this.#options
    let after = Math.max(0, this.#seen - MARGIN)
    for (let pages = 1; pages <= MOST_PAGES; pages++) {
      const batches = await store.touched(after)
      this.#account(batches)
      this.#isAll = batches.length < MOST_TOUCHED
      after = batches.at(-1)?.seq ?? after
      if (this.#isAll) return
    }
  }

  #account(batches: readonly TouchedBatch[]): void {
    const { clock, settings } = this.#options
    const now = clock.now()
    const readers = new Map<string, Entry[]>()
    for (const { id, seq, ingest, runs } of batches) {
      this.#seen = Math.max(this.#seen, seq)
      if (this.#ids.has(id)) continue
      this.#ids.add(id)
      for (const { source, first, last, rows } of runs) {
        this.#minutes.add(source, first, last, now)
        const reading = readers.get(source) ?? this.#readersOf(source)
        readers.set(source, reading)
        const cutoff = Math.floor((ingest - settings.lateness) / MINUTE)
        for (const entry of reading) entry.touch(first, last, rows, cutoff)
      }
    }
    for (const id of this.#ids) {
      if (this.#ids.size <= MOST_IDS) break
      this.#ids.delete(id)
    }
  }

  #readersOf(source: string): Entry[] {
    return this.#entries.filter(({ rule }) => this.#reads.of(rule).sources.has(source))
  }

  /** What is to be done, the earliest first; what reads findings comes after what makes them. */
  #jobs(): { readonly live: readonly Job[]; readonly past: readonly Job[] } {
    const now = this.#options.clock.now()
    const ready = this.#entries.filter((each) => each.isReady(now))
    const late = ready.flatMap((entry) =>
      [...entry.dirty].map((time): Job => ({ entry, time, kind: 'late' })),
    )
    const isPast = ({ row }: Entry): boolean => row.checkpoint < row.begun
    const live = [
      ...late,
      ...dueOf(
        ready.filter((each) => !isPast(each)),
        now,
        ROUND,
      ),
    ]
    const past = dueOf(ready.filter(isPast), now, ROUND_OF_PAST)
    return { live: this.#inOrder(live, ROUND), past: this.#inOrder(past, ROUND_OF_PAST) }
  }

  #inOrder(jobs: readonly Job[], most: number): readonly Job[] {
    const phase = ({ entry }: Job): number => Number(this.#reads.of(entry.rule).readsFindings)
    return jobs
      .map((job) => ({ job, phase: phase(job) }))
      .sort(
        (a, b) =>
          a.job.time - b.job.time ||
          a.phase - b.phase ||
          a.job.kind.localeCompare(b.job.kind) ||
          (a.job.entry.key < b.job.entry.key ? -1 : 1),
      )
      .slice(0, most)
      .map(({ job }) => job)
  }

  /** Jobs that one call runs: of the same time, over the same events. */
  #groups(jobs: readonly Job[]): Iterable<readonly Job[]> {
    const groups = new Map<string, Job[]>()
    for (const job of jobs) {
      const { window, since, isApart } = job.entry.runAt(job.time)
      const phase = this.#reads.of(job.entry.rule).readsFindings
      const key = [job.time, phase, job.kind, window.time.from, window.time.to, since, isApart]
      const name = key.join(' ')
      const group = groups.get(name)
      if (group === undefined) groups.set(name, [job])
      else group.push(job)
    }
    return groups.values()
  }

  /**
   * What must be on disk before jobs may run: what they read of other rules, and of the runs before them. True when
   * something had to be.
   */
  async #prepare(jobs: readonly Job[]): Promise<boolean> {
    const isReader = jobs.some(({ entry }) => this.#reads.of(entry.rule).readsFindings)
    const hasFindings = this.#held.some(({ result }) => result.findings.length > 0)
    if (!isReader || !hasFindings) return false
    await this.#flush()
    this.#reads.stored = await this.#options.store.catalogue()
    await this.#look()
    return true
  }

  /** True when late events have touched a window of the rule before this one. */
  #isOvertaken({ entry, time }: Job): boolean {
    return [...entry.dirty].some((each) => each < time)
  }

  /** What the run before one has shown. */
  async #shownBefore({ entry, time }: Job): Promise<ShownRows> {
    const before = entry.schedule.previous(time)
    if (before === undefined || before <= entry.row.since) return NOTHING_SHOWN
    const known = entry.shown(before)
    if (known !== undefined) return known
    const row = await this.#state.window(entry.key, before)
    return row === undefined ? NOTHING_SHOWN : shownOf(row.shown)
  }

  /** True when no event that a job reads is in its window, and it can find nothing without one. */
  async #isIdle({ entry, time }: Job): Promise<boolean> {
    const { sources, needsEvents, isWide } = this.#reads.of(entry.rule)
    if (!needsEvents || entry.schedule.silent) return false
    const seen = entry.sees(time)
    const from = isWide ? Number.NEGATIVE_INFINITY : seen.from
    for (const source of sources) {
      if (!this.#reads.isStored(source)) continue
      await this.#minutes.learn(source, entry.row.checkpoint - 2 * DAY)
      if (this.#minutes.mayHave(source, from, seen.to)) return false
    }
    return true
  }

  async #run(jobs: readonly Job[]): Promise<readonly Held[]> {
    const { clock } = this.#options
    const idle = new Set<Job>()
    for (const job of jobs) if (await this.#isIdle(job)) idle.add(job)
    const busy = jobs.filter((job) => !idle.has(job))
    const [first] = busy
    const found: Held[] = [...idle].map((job) => {
      const isFed = this.#reads.of(job.entry.rule).sources.size > 0
      const reason = isFed ? 'no events' : 'no source of the store feeds it'
      return { job, result: { ...NO_RESULT, reason, started: clock.now() } }
    })
    if (first === undefined) return found
    step('window.claimed')
    const scheduled = first.entry.runAt(first.time)
    const shown = new Map<Rule, ShownRows>()
    if (!scheduled.isApart) {
      for (const job of busy) shown.set(job.entry.rule, await this.#shownBefore(job))
    }
    const { store, past = store } = this.#options
    const results = await runGroup({
      ...this.#options,
      store: first.time <= first.entry.row.begun ? past : store,
      rules: busy.map(({ entry }) => entry.rule),
      scheduled,
      shown,
      plans: this.#plans,
      writesLookups: first.kind === 'due',
    })
    step('window.queried')
    for (const job of busy) {
      const result = results.get(job.entry.rule)
      if (result !== undefined) found.push({ job, result })
    }
    return found
  }

  /** Keeps the findings of the runs that wait, then notes their windows and checkpoints. */
  async #flush(): Promise<void> {
    const held = this.#held
    if (held.length === 0) return
    await this.#lease.hold()
    const runs = held.filter(({ result }) => result.findings.length > 0 || result.more > 0)
    const reports = await this.#options.keeper.keep(runs.map((each) => this.#windowRun(each)))
    const kept = new Map(runs.map((each, at) => [each, reports[at]]))
    const rows: WindowRow[] = []
    for (const each of held) {
      const { job, result } = each
      const isAgain = job.kind === 'late'
      const before = isAgain ? await this.#state.window(job.entry.key, job.time) : undefined
      this.#follow(job, result, before)
      rows.push(this.#windowRow(each, kept.get(each), before))
    }
    await this.#state.keepWindows(rows, this.#lease.fence)
    for (const each of held) this.#note(each)
    await this.#keepRules()
    step('windows.noted')
    this.#held = []
    this.windows += held.length
    for (const report of reports) {
      this.findings += report.kept
      this.suppressed += report.suppressed
    }
    const failed = held.filter(({ result }) => result.state === 'failed')
    await this.#tellPaused([...new Set(failed.map(({ job }) => job.entry))])
  }

  #windowRun({ job, result }: Held): WindowRun {
    const { entry, time } = job
    return {
      rule: entry.rule,
      window: entry.schedule.windowAt(time),
      findings: result.findings,
      queries: result.queries,
      more: result.more,
      isBackfill: time <= entry.row.begun,
    }
  }

  /** The result of a window; one that has been run before has found all that both runs have. */
  #windowRow(
    { job, result }: Held,
    report: KeepReport | undefined,
    before: WindowRow | undefined,
  ): WindowRow {
    const { entry, time } = job
    return {
      rule: entry.key,
      at: time,
      state: result.state,
      reason: result.reason.slice(0, 1_000),
      started: result.started,
      took: Math.round(result.took),
      lag: Math.max(0, result.started - time - entry.schedule.delay),
      findings: result.findings.length + result.more,
      kept: (before?.kept ?? 0) + (report?.kept ?? 0),
      suppressed: report?.suppressed ?? 0,
      tries: entry.row.strikes + 1,
      shown: shownList(result.shown),
      fence: this.#lease.fence,
    }
  }

  /** When a run that is done again shows other rows than before, the run after it may have news. */
  #follow({ entry, time, kind }: Job, { shown, state }: WindowResult, before?: WindowRow): void {
    if (kind !== 'late' || state === 'failed' || entry.runAt(time).isApart) return
    const known = entry.shown(time) ?? shownOf(before?.shown ?? [])
    const isSame =
      known.size === shown.size && [...shown].every(([key, at]) => known.get(key) === at)
    const next = entry.schedule.next(time)
    if (!isSame && next !== undefined && next <= entry.row.checkpoint) entry.dirty.add(next)
  }

  #note({ job, result }: Held): void {
    const { entry, time, kind } = job
    const { settings, clock } = this.#options
    if (kind === 'late') entry.dirty.delete(time)
    const { state, started } = result
    if (state === 'ok' && entry.row.strikes > 0) entry.change({ strikes: 0 })
    if (state === 'failed') {
      this.failed++
      if (kind === 'late') entry.dirty.add(time)
      if (entry.fail(clock.now(), settings.strikes)) {
        entry.change({
          paused: `${entry.row.strikes} runs in a row failed: ${result.reason}`.slice(0, 1_000),
          paused_at: clock.now(),
        })
      }
      entry.change({ state, started })
      return
    }
    entry.keepShown(time, result.shown)
    if (kind === 'late') return
    const lag = Math.max(0, started - time - entry.schedule.delay)
    entry.change({
      checkpoint: Math.max(entry.row.checkpoint, time),
      state,
      started,
      lag,
    })
  }

  /**
   * A rule that is paused because it failed is a finding itself. Told again when the schedule is taken: the program may have
   * ended between the note of the pause and the finding, which has one id and is kept once.
   */
  async #tellPaused(entries: readonly Entry[]): Promise<void> {
    const paused = entries.filter(({ isPaused }) => isPaused)
    if (paused.length === 0) return
    await this.#options.keeper.keep(
      paused.map(({ rule, row }) => pausedFinding(rule, row.paused, row.checkpoint, row.paused_at)),
    )
  }

  async #keepRules(): Promise<void> {
    const changed = this.#entries.filter((each) => each.isChanged)
    if (changed.length === 0) return
    await this.#state.keepRules(
      changed.map(({ row }) => ({ ...row, fence: this.#lease.fence })),
      this.#lease.fence,
    )
    for (const each of changed) each.isChanged = false
  }

  /** Late events are accounted for when every window that they touched has been run. */
  async #keepMark(): Promise<void> {
    const { clock } = this.#options
    const isClean =
      this.#isAll && this.#entries.every(({ dirty, isPaused }) => isPaused || dirty.size === 0)
    const isTime = this.#ended || clock.elapsed() - this.#markedAt >= MARK_EVERY_MS
    if (!isClean || !isTime || this.#seen <= this.#marked) return
    for (const entry of this.#entries) {
      const dirty = entry.isPaused ? [...entry.dirty].map(String) : []
      if (dirty.join() !== entry.row.dirty.join()) entry.change({ dirty })
    }
    await this.#keepRules()
    await this.#state.keepMark(this.#seen, this.#lease.fence)
    this.#marked = this.#seen
    this.#markedAt = clock.elapsed()
    this.#minutes.forget(clock.now() - 8 * DAY)
  }

  /** Lets go of the schedule; what is not noted yet is run again by the next owner. */
  async close(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    await this.#keepMark()
    await this.#lease.release()
  }
}

/** The windows of rules that are due, not far ahead of the rule that is furthest behind. */
function dueOf(entries: readonly Entry[], now: number, enough: number): readonly Job[] {
  const first = Math.min(...entries.map(({ row }) => row.checkpoint))
  let jobs: readonly Job[] = []
  for (const ahead of STEPS) {
    jobs = entries.flatMap((entry) =>
      entry.due(now, first + ahead, enough).map((time): Job => ({ entry, time, kind: 'due' })),
    )
    if (jobs.length >= enough || first + ahead >= now) break
  }
  return jobs
}

/** True for a Kusto rule whose runs are one scan: an event belongs to the first run that sees it. */
function isByEvent(rule: Rule, schedule: Schedule, schema: SchemaCatalogue): boolean {
  const part = rule.kusto
  const cadence = part && cadenceOf(part, rule.tuning?.schedule)
  if (part === undefined || part.unfinished !== undefined || cadence === undefined) return false
  // A clock that does not tick evenly may have runs that are further apart than they look back.
  const isEven = schedule.text.startsWith('every ')
  return isEven && runsAtOnce(rule, part, cadence, schema) !== undefined
}

const EMPTY_WINDOW: WindowRow = {
  rule: '',
  at: 0,
  state: 'ok',
  reason: '',
  started: 0,
  took: 0,
  lag: 0,
  findings: 0,
  kept: 0,
  suppressed: 0,
  tries: 0,
  shown: [],
  fence: 0,
}

const NO_RESULT: WindowResult = {
  state: 'ok',
  reason: '',
  started: 0,
  took: 0,
  findings: [],
  more: 0,
  shown: NOTHING_SHOWN,
  queries: [],
}

/** What is remembered of a rule from here on: where it goes on from, or where it begins. */
function rowOf(
  rule: Rule,
  schedule: Schedule,
  known: RuleRow | undefined,
  now: number,
  since: number | undefined,
): RuleRow {
  const own = {
    rule: keyOfRule(rule),
    title: rule.title,
    language: rule.language,
    schedule: schedule.text,
    version: versionOf(rule),
  }
  if (known !== undefined) return { ...known, ...own }
  const begin = Math.min(since ?? now, now)
  return {
    ...own,
    since: begin,
    begun: now,
    checkpoint: begin,
    strikes: 0,
    paused: '',
    paused_at: 0,
    dirty: [],
    late: 0,
    gaps: 0,
    state: '',
    started: 0,
    lag: 0,
    fence: 0,
  }
}
