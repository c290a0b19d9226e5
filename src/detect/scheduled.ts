/**
 * Running one Kusto rule over a store: each run of its schedule that sees events, or all of them in one scan where
 * that gives the same, and findings from the rows.
 */
import { type Diagnostic, diagnose, hasErrors } from '../core/diagnostic.ts'
import { limits } from '../core/limits.ts'
import { ticksIn } from '../core/time.ts'
import type { QueryOptions } from '../engine/engine.ts'
import type { Rel, TimeBounds } from '../ir/rel.ts'
import { givesNothing } from '../plan/empty.ts'
import { allRunsAtOnce, atTime, readsNow, type TimeColumns, withoutBounds } from '../plan/now.ts'
import type { KustoPart, Rule } from '../rules/rule.ts'
import type { SchemaCatalogue } from '../schema/catalogue.ts'
import { META } from '../schema/source.ts'
import type { StoredCatalogue } from '../schema/stored.ts'
import { Alerts, isSetOffBy, keyOfKeys, keyOfRows, type ResultRow } from './alerts.ts'
import type { Finding } from './finding.ts'
import type { RuleState } from './report.ts'
import { planQuery, type QueryPlan, queryRows, sourcesOf, within } from './runquery.ts'
import { NOTHING_SHOWN, Shown, type ShownRows } from './shown.ts'
import type { RunStore } from './store.ts'
import { type Finished, finishedRule } from './unfinished.ts'
import {
  type Cadence,
  cadenceOf,
  endOf,
  type RunWindow,
  type ScheduledRun,
  windowAt,
  windowsOf,
} from './windows.ts'

export interface ScheduledOptions {
  readonly schema: SchemaCatalogue
  readonly stored: StoredCatalogue
  readonly store: Pick<RunStore, 'rows' | 'lookups'>
  /** Events outside of it are not there. */
  readonly time: TimeBounds
  /** The time of a single run; without it the rule runs at each step of its schedule. */
  readonly at?: string
  /** The run that a schedule asks for, in place of all or of one at a time; and what the run before has shown. */
  readonly scheduled?: ScheduledRun
  readonly shown?: ShownRows
  /** True when searches may write lookups into the store. */
  readonly writesLookups?: boolean
  /** True when who takes the findings throttles them. */
  readonly isUnthrottled?: boolean
  readonly query?: QueryOptions
}

export interface ScheduledOutcome {
  /** Undefined when the rule has run. */
  readonly state?: RuleState
  readonly diagnostics: readonly Diagnostic[]
  /** Queries that were run. */
  readonly runs: number
  /** The first of them. */
  readonly ran?: Pick<QueryPlan, 'rel' | 'sql'>
  /** What a run of a schedule has shown, for the run after it. */
  readonly shown?: ShownRows
}

/** The time of an event whose own cannot be read. */
const EPOCH = '1970-01-01T00:00:00Z'

/** Rows of one run, as many as are held of them, and the time of the earliest event where it is known. */
interface Held {
  readonly rows: ResultRow[]
  count: number
  time?: string
}

class Scheduled {
  readonly rule: Rule
  readonly part: KustoPart
  readonly options: ScheduledOptions
  readonly #emit: (finding: Finding) => Promise<void>
  readonly #told = new Set<string>()
  /** What the last run has shown. */
  shown: ShownRows = NOTHING_SHOWN
  ran: QueryPlan | undefined
  runs = 0

  constructor(
    rule: Rule,
    part: KustoPart,
    options: ScheduledOptions,
    emit: (finding: Finding) => Promise<void>,
  ) {
    this.rule = rule
    this.part = part
    this.options = options
    this.#emit = emit
  }

  plan(rel: Rel, time: TimeBounds) {
    const { schema, stored } = this.options
    return planQuery(rel, { schema, stored, time })
  }

  /** A finding that overlapping windows show again is told once. */
  async tell(finding: Finding): Promise<void> {
    if (this.#told.has(finding.id)) return
    this.#told.add(finding.id)
    await this.#emit(finding)
  }

  get isStopped(): boolean {
    return this.options.query?.signal?.aborted === true
  }

  /** One run: its rows are held until all are there, so that a run that fails tells nothing. */
  async window(rel: Rel, window: RunWindow, isApart: boolean): Promise<void> {
    const timed = readsNow(rel) ? atTime(rel, window.at) : rel
    const plan = this.plan(timed, within(window.time, this.options.time)).value
    if (plan === undefined || this.isStopped) return
    this.runs++
    this.ran ??= plan
    const shown = new Shown(this.shown, window.at)
    this.shown = shown.rows
    const alerts = new Alerts(this.rule, this.part, plan.columns)
    const held: Held = { rows: [], count: 0 }
    const most = alerts.isSingle ? limits.singleAlertRows : limits.findingsPerRule
    for await (const row of queryRows(this.options.store, plan, this.options.query)) {
      held.count++
      if (held.rows.length < most) held.rows.push(row)
    }
    if (!alerts.isTriggered(held.count)) return
    const known = isApart ? undefined : shown
    if (alerts.isSingle) await this.#tellRun(alerts, held, window, known)
    else await this.#tellRows(alerts, held, window, known)
  }

  /** One finding for a run. The rows that the run before has told, and no others, are no news where runs overlap. */
  async #tellRun(alerts: Alerts, held: Held, window: RunWindow, shown?: Shown): Promise<void> {
    const { rows, count, time } = held
    if (shown !== undefined && rows.length > 0) {
      const keys = rows.map((row) => this.#keyOf(row, alerts))
      if (shown.since(keyOfKeys(keys)) !== window.at) return
    }
    await this.tell(alerts.finding(rows, { count, key: window.at, window, time }))
  }

  /**
   * One finding for each row. The same values in runs that share no event are several; in runs that overlap they may be
   * the same event again, and only as many are told as one run has: a row with a time is known by it, any other for as
   * long as runs show it.
   */
  async #tellRows(alerts: Alerts, { rows }: Held, window: RunWindow, shown?: Shown) {
    const counts = new Map<string, number>()
    for (const row of rows) {
      const values = this.#keyOf(row, alerts)
      const place = counts.get(values) ?? 0
      counts.set(values, place + 1)
      const isKnownByTime = shown !== undefined && alerts.timeOf(row) !== undefined
      const since = isKnownByTime ? undefined : (shown?.since(`${values} ${place}`) ?? window.at)
      if (since !== undefined && since !== window.at) continue
      const key = `${values} ${place}${since === undefined ? '' : ` ${since}`}`
      await this.tell(alerts.finding([row], { count: 1, key, window }))
    }
  }

  /** The values of a row as a key. Columns that the data tells may be more in a later run: only those with a value count. */
  #keyOf(row: ResultRow, alerts: Alerts): string {
    return this.part.isFound === true ? keyOfRows([alerts.valuesOf(row)]) : keyOfRows([row])
  }

  /** All runs in one scan, or one of them; each row belongs to the run that saw it first. */
  async once(rel: Rel, { apart, back }: Cadence, only?: ScheduledRun): Promise<void> {
    const { time: all } = this.options
    const time = only === undefined ? all : within({ from: only.since, to: only.window.at }, all)
    const plan = this.plan(rel, time).value
    if (plan === undefined || this.isStopped) return
    this.runs++
    this.ran ??= plan
    const timeAt = plan.columns.findIndex(({ name }) => name === META.time)
    const without = <T>(list: readonly T[]): readonly T[] => list.toSpliced(timeAt, 1)
    const alerts = new Alerts(this.rule, this.part, without(plan.columns))
    const runs = new Map<bigint, Held>()
    const counts = new Map<string, number>()
    for await (const whole of queryRows(this.options.store, plan, this.options.query)) {
      const time = String(whole[timeAt] ?? EPOCH)
      const ticks = ticksIn(time)
      const run =
        only === undefined ? (ticks - (((ticks % apart) + apart) % apart)) / apart + 1n : 1n
      const row = without(whole)
      if (!alerts.isSingle) {
        const values = `${this.#keyOf(row, alerts)} ${time}`
        const place = counts.get(values) ?? 0
        counts.set(values, place + 1)
        const window = only?.window ?? windowAt(run * apart, back)
        const key = `${values} ${place}`
        await this.tell(alerts.finding([row], { count: 1, key, window, time }))
        continue
      }
      const held = runs.get(run) ?? { rows: [], count: 0 }
      held.count++
      if (held.time === undefined || time < held.time) held.time = time
      if (held.rows.length < limits.singleAlertRows) held.rows.push(row)
      runs.set(run, held)
    }
    for (const [run, held] of [...runs].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (alerts.isTriggered(held.count)) {
        await this.#tellRun(alerts, held, only?.window ?? windowAt(run * apart, back))
      }
    }
  }
}

/** True when only the presence of rows sets the rule off, run by run. */
function firesOnRows({ trigger }: KustoPart): boolean {
  return trigger.operator === 'gt' && trigger.threshold === 0
}

/** The columns that hold the time of the event in every table of a rule. */
function timeColumns({ tables }: KustoPart, schema: SchemaCatalogue): TimeColumns {
  const isHunting = tables.every((name) => schema.tables.table(name)?.isHunting === true)
  return new Set(isHunting ? ['TimeGenerated', 'Timestamp'] : ['TimeGenerated'])
}

/** Runs a Kusto rule; findings are handed out as they come. Errors of the engine are the caller's. */
export async function runScheduled(
  rule: Rule,
  part: KustoPart,
  options: ScheduledOptions,
  emit: (finding: Finding) => Promise<void>,
): Promise<ScheduledOutcome> {
  const finished = await finishedRule(rule, part, options, timeColumns(part, options.schema))
  if (!('rule' in finished)) return { state: 'failed', diagnostics: finished.diagnostics, runs: 0 }
  return runFinished(finished, options, emit)
}

async function runFinished(
  { rule, part }: Finished,
  options: ScheduledOptions,
  emit: (finding: Finding) => Promise<void>,
): Promise<ScheduledOutcome> {
  const run = new Scheduled(rule, part, options, emit)
  const { value, diagnostics } = run.plan(rule.rel, options.time)
  if (value === undefined || hasErrors(diagnostics))
    return { state: 'failed', diagnostics, runs: 0 }
  const sources = sourcesOf(value.rel)
  if (sources.length === 0 && part.tables.length > 0)
    return { state: 'no_data', diagnostics, runs: 0 }
  if (givesNothing(value.rel) && !isSetOffBy(part, 0))
    return { state: 'cannot_fire', diagnostics, runs: 0 }
  const cadence = cadenceOf(part, rule.tuning?.schedule)
  const ended = (problems: readonly Diagnostic[]): ScheduledOutcome => ({
    ...(hasErrors(problems) ? { state: 'failed' as const } : {}),
    diagnostics: [...diagnostics, ...problems],
    runs: run.runs,
    shown: run.shown,
    ...(run.ran === undefined ? {} : { ran: run.ran }),
  })
  if (options.scheduled !== undefined) {
    await runOne(run, options.scheduled)
    return ended([])
  }
  if (options.at !== undefined || cadence === undefined) {
    return ended(await runSingle(run, sources, cadence?.back))
  }
  return ended(await runSchedule(run, sources, cadence))
}

/**
 * The plan of all runs at once, where each row decides alone and only its presence matters; then an event belongs to the
 * first run that sees it.
 */
export function runsAtOnce(
  rule: Rule,
  part: KustoPart,
  { apart, back }: Cadence,
  schema: SchemaCatalogue,
): Rel | undefined {
  if (back < apart || !firesOnRows(part)) return undefined
  return allRunsAtOnce(rule.rel, apart, timeColumns(part, schema))
}

/** The one run that a schedule asks for: it tells what the same run among all those of the past would. */
async function runOne(run: Scheduled, scheduled: ScheduledRun): Promise<void> {
  const { rule, part, options } = run
  const { window, since, isApart } = scheduled
  const at = ticksIn(window.at)
  const from = window.time.from === undefined ? 0n : ticksIn(window.time.from)
  const cadence = { apart: at - ticksIn(since), back: at - from }
  const whole = runsAtOnce(rule, part, cadence, options.schema)
  if (whole !== undefined) {
    await run.once(whole, cadence, scheduled)
    return
  }
  run.shown = options.shown ?? NOTHING_SHOWN
  await run.window(
    withoutBounds(rule.rel, cadence.back, timeColumns(part, options.schema)),
    window,
    isApart,
  )
}

/** One run, at the time that is named or else at the end of the logs. */
async function runSingle(
  run: Scheduled,
  sources: readonly string[],
  back: bigint | undefined,
): Promise<readonly Diagnostic[]> {
  const { rule, options } = run
  const end = options.at ?? (await endOf(options.store, sources, options.time))
  const window = windowAt(
    end === undefined ? 0n : ticksIn(end),
    end === undefined ? undefined : back,
  )
  // A query without a schedule sees all that is there; at a named time, all that was there by then.
  const isBound = back !== undefined || options.at !== undefined
  await run.window(rule.rel, isBound ? window : { ...window, time: {} }, true)
  const isTold = options.at === undefined && end !== undefined && readsNow(rule.rel)
  return isTold ? [diagnose('HR491', { time: end })] : []
}

/** Every run of a schedule that sees events, or all of them in one where that gives the same. */
async function runSchedule(
  run: Scheduled,
  sources: readonly string[],
  cadence: Cadence,
): Promise<readonly Diagnostic[]> {
  const { rule, part, options } = run
  const { apart, back } = cadence
  const times = timeColumns(part, options.schema)
  const whole = runsAtOnce(rule, part, cadence, options.schema)
  if (whole !== undefined) {
    await run.once(whole, cadence)
    return []
  }
  const rel = withoutBounds(rule.rel, back, times)
  const windows = await windowsOf(options.store, sources, options.time, {
    ...cadence,
    silent: isSetOffBy(part, 0),
    changed: !readsNow(rel),
  })
  if (windows === undefined) return [diagnose('HR490', { limit: limits.ruleWindows })]
  for (const window of windows) {
    if (run.isStopped) break
    if (window.isFresh) run.shown = NOTHING_SHOWN
    await run.window(rel, window, back <= apart)
  }
  return []
}
