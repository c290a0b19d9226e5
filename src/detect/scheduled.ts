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
import { Alerts, isSetOffBy, keyOfRows, type ResultRow } from './alerts.ts'
import type { Finding } from './finding.ts'
import type { RuleState } from './report.ts'
import { planQuery, queryRows, sourcesOf, within } from './runquery.ts'
import type { RunStore } from './store.ts'
import { type Finished, finishedRule } from './unfinished.ts'
import { type Cadence, cadenceOf, endOf, type RunWindow, windowAt, windowsOf } from './windows.ts'

export interface ScheduledOptions {
  readonly schema: SchemaCatalogue
  readonly stored: StoredCatalogue
  readonly store: Pick<RunStore, 'rows' | 'lookups'>
  /** Events outside of it are not there. */
  readonly time: TimeBounds
  /** The time of a single run; without it the rule runs at each step of its schedule. */
  readonly at?: string
  /** True when searches may write lookups into the store. */
  readonly writesLookups?: boolean
  readonly query?: QueryOptions
}

export interface ScheduledOutcome {
  /** Undefined when the rule has run. */
  readonly state?: RuleState
  readonly diagnostics: readonly Diagnostic[]
  /** Queries that were run. */
  readonly runs: number
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
  /** The rows that the last finding of a run stood for. */
  #last = ''
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
    const alerts = new Alerts(this.rule, this.part, plan.columns)
    const held: Held = { rows: [], count: 0 }
    const most = alerts.isSingle ? limits.singleAlertRows : limits.findingsPerRule
    for await (const row of queryRows(this.options.store, plan, this.options.query)) {
      held.count++
      if (held.rows.length < most) held.rows.push(row)
    }
    if (!alerts.isTriggered(held.count)) {
      this.#last = ''
      return
    }
    if (alerts.isSingle) await this.#tellRun(alerts, held, window, isApart)
    else await this.#tellRows(alerts, held, window, isApart)
  }

  /** One finding for a run. The rows that the run before has told, and no others, are no news where runs overlap. */
  async #tellRun(alerts: Alerts, held: Held, window: RunWindow, isApart: boolean): Promise<void> {
    const { rows, count, time } = held
    const seen = keyOfRows(rows)
    if (!isApart && rows.length > 0 && seen === this.#last) return
    this.#last = seen
    await this.tell(alerts.finding(rows, { count, key: window.at, window, time }))
  }

  /**
   * One finding for each row. The same values in runs that share no event are several; in runs that overlap they may be
   * the same event again, and only as many are told as one run has.
   */
  async #tellRows(alerts: Alerts, { rows }: Held, window: RunWindow, isApart: boolean) {
    const counts = new Map<string, number>()
    for (const row of rows) {
      const values = keyOfRows([row])
      const place = counts.get(values) ?? 0
      counts.set(values, place + 1)
      const key = `${values} ${place}${isApart ? ` ${window.at}` : ''}`
      await this.tell(alerts.finding([row], { count: 1, key, window }))
    }
  }

  /** All runs in one scan; each row belongs to the run that saw it first. */
  async once(rel: Rel, { apart, back }: Cadence): Promise<void> {
    const plan = this.plan(rel, this.options.time).value
    if (plan === undefined || this.isStopped) return
    this.runs++
    const timeAt = plan.columns.findIndex(({ name }) => name === META.time)
    const without = <T>(list: readonly T[]): readonly T[] => list.toSpliced(timeAt, 1)
    const alerts = new Alerts(this.rule, this.part, without(plan.columns))
    const runs = new Map<bigint, Held>()
    const counts = new Map<string, number>()
    for await (const all of queryRows(this.options.store, plan, this.options.query)) {
      const time = String(all[timeAt] ?? EPOCH)
      const ticks = ticksIn(time)
      const run = (ticks - (((ticks % apart) + apart) % apart)) / apart + 1n
      const row = without(all)
      if (!alerts.isSingle) {
        const values = keyOfRows([all])
        const place = counts.get(values) ?? 0
        counts.set(values, place + 1)
        const window = windowAt(run * apart, back)
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
        await this.#tellRun(alerts, held, windowAt(run * apart, back), true)
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
  const cadence = cadenceOf(part)
  if (options.at !== undefined || cadence === undefined) {
    const notices = await runSingle(run, sources, cadence?.back)
    return { diagnostics: [...diagnostics, ...notices], runs: run.runs }
  }
  const problems = await runSchedule(run, sources, cadence)
  const failed = hasErrors(problems) ? { state: 'failed' as const } : {}
  return { ...failed, diagnostics: [...diagnostics, ...problems], runs: run.runs }
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
  const whole =
    back >= apart && firesOnRows(part) ? allRunsAtOnce(rule.rel, apart, times) : undefined
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
    await run.window(rel, window, back <= apart)
  }
  return []
}
