/**
 * Running one Kusto rule over a store: each run of its schedule that sees events, or all of them in one scan where
 * that gives the same, and findings from the rows.
 */
import { type Diagnostic, diagnose, hasErrors } from '../core/diagnostic.ts'
import { limits } from '../core/limits.ts'
import type { QueryOptions } from '../engine/engine.ts'
import type { Rel, TimeBounds } from '../ir/rel.ts'
import { childrenOf, queriesOf } from '../ir/walk.ts'
import { allRunsAtOnce, atTime, readsNow, ticksIn } from '../plan/now.ts'
import type { KustoPart, Rule } from '../rules/rule.ts'
import type { SchemaCatalogue } from '../schema/catalogue.ts'
import type { StoredCatalogue } from '../schema/stored.ts'
import { Alerts, type ResultRow } from './alerts.ts'
import type { Finding } from './finding.ts'
import type { RuleState } from './report.ts'
import type { RunStore } from './run.ts'
import { planQuery, type QueryPlan, queryRows } from './runquery.ts'
import { type Cadence, cadenceOf, endOf, type RunWindow, windowAt, windowsOf } from './windows.ts'

export interface ScheduledOptions {
  readonly schema: SchemaCatalogue
  readonly stored: StoredCatalogue
  readonly store: Pick<RunStore, 'rows'>
  /** Events outside of it are not there. */
  readonly time: TimeBounds
  /** The time of a single run; without it the rule runs at each step of its schedule. */
  readonly at?: string
  readonly query?: QueryOptions
}

export interface ScheduledOutcome {
  /** Undefined when the rule has run. */
  readonly state?: RuleState
  readonly diagnostics: readonly Diagnostic[]
  /** Queries that were run. */
  readonly runs: number
}

/** Names of the stored sources that a bound plan reads. */
function sourcesOf(rel: Rel): readonly string[] {
  const own = rel.op === 'scan' && rel.table.kind === 'source' ? [rel.table.name] : []
  return [...own, ...[...childrenOf(rel), ...queriesOf(rel)].flatMap(sourcesOf)]
}

class Scheduled {
  readonly rule: Rule
  readonly part: KustoPart
  readonly options: ScheduledOptions
  readonly #emit: (finding: Finding) => Promise<void>
  readonly #told = new Set<string>()
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
  async window(window: RunWindow): Promise<void> {
    const rel = readsNow(this.rule.rel) ? atTime(this.rule.rel, window.at) : this.rule.rel
    const plan = this.plan(rel, narrower(window.time, this.options.time)).value
    if (plan === undefined || this.isStopped) return
    this.runs++
    const alerts = new Alerts(this.rule, this.part, plan.columns)
    const { kept, count } = await this.#rows(plan, alerts)
    if (!alerts.isTriggered(count)) return
    if (alerts.isSingle) await this.tell(alerts.finding(kept, count, window))
    else for (const row of kept) await this.tell(alerts.finding([row], 1, window))
  }

  async #rows(
    plan: QueryPlan,
    alerts: Alerts,
  ): Promise<{ readonly kept: ResultRow[]; readonly count: number }> {
    const kept: ResultRow[] = []
    let count = 0
    const most = alerts.isSingle ? limits.singleAlertRows : limits.findingsPerRule
    for await (const row of queryRows(this.options.store, plan, this.options.query)) {
      count++
      if (kept.length < most) kept.push(row)
    }
    return { kept, count }
  }

  /** All runs in one scan. Rows of a rule that makes one finding a run are put together by the run that saw them first. */
  async once(rel: Rel, { apart, back }: Cadence): Promise<void> {
    const plan = this.plan(rel, this.options.time).value
    if (plan === undefined || this.isStopped) return
    this.runs++
    const alerts = new Alerts(this.rule, this.part, plan.columns)
    const groups = new Map<bigint, { rows: ResultRow[]; count: number }>()
    for await (const row of queryRows(this.options.store, plan, this.options.query)) {
      const time = alerts.timeOf(row)
      const ticks = time === undefined ? 0n : ticksIn(time)
      const run = (ticks - (((ticks % apart) + apart) % apart)) / apart + 1n
      if (!alerts.isSingle) {
        await this.tell(alerts.finding([row], 1, windowAt(run * apart, back)))
        continue
      }
      const group = groups.get(run) ?? { rows: [], count: 0 }
      group.count++
      if (group.rows.length < limits.singleAlertRows) group.rows.push(row)
      groups.set(run, group)
    }
    const runs = [...groups].sort(([a], [b]) => (a < b ? -1 : 1))
    for (const [run, { rows, count }] of runs) {
      if (alerts.isTriggered(count)) {
        await this.tell(alerts.finding(rows, count, windowAt(run * apart, back)))
      }
    }
  }
}

function narrower(window: TimeBounds, range: TimeBounds): TimeBounds {
  const from = [window.from, range.from]
    .flatMap((each) => each ?? [])
    .sort()
    .at(-1)
  const to = [window.to, range.to].flatMap((each) => each ?? []).sort()[0]
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
}

/** True when only the presence of rows sets the rule off, run by run. */
function firesOnRows({ trigger }: KustoPart): boolean {
  return trigger.operator === 'gt' && trigger.threshold === 0
}

/** Runs a Kusto rule; findings are handed out as they come. Errors of the engine are the caller's. */
export async function runScheduled(
  rule: Rule,
  part: KustoPart,
  options: ScheduledOptions,
  emit: (finding: Finding) => Promise<void>,
): Promise<ScheduledOutcome> {
  const run = new Scheduled(rule, part, options, emit)
  const { value, diagnostics } = run.plan(rule.rel, options.time)
  if (value === undefined || hasErrors(diagnostics))
    return { state: 'failed', diagnostics, runs: 0 }
  const sources = [...new Set(sourcesOf(value.rel))]
  if (sources.length === 0 && part.tables.length > 0)
    return { state: 'no_data', diagnostics, runs: 0 }
  const cadence = cadenceOf(part)
  const single = async (at: string | undefined, back?: bigint): Promise<void> => {
    const end = at ?? (await endOf(options.store, sources, options.time))
    const window = end === undefined ? windowAt(0n, undefined) : windowAt(ticksIn(end), back)
    // A plain query sees all that is there; only a schedule bounds what it sees.
    await run.window(back === undefined ? { ...window, time: {} } : window)
  }
  if (options.at !== undefined || cadence === undefined) {
    await single(options.at, cadence?.back)
    const told = cadence === undefined && options.at === undefined && readsNow(rule.rel)
    return {
      diagnostics: told ? [...diagnostics, ...(await endNotice(options, sources))] : diagnostics,
      runs: run.runs,
    }
  }
  const { apart, back } = cadence
  const whole = back >= apart && firesOnRows(part) ? allRunsAtOnce(rule.rel, apart) : undefined
  if (whole !== undefined) {
    await run.once(whole, cadence)
    return { diagnostics, runs: run.runs }
  }
  const windows = await windowsOf(options.store, sources, options.time, { apart, back })
  if (typeof windows === 'number') {
    const problem = diagnose('HR490', { count: windows, limit: limits.ruleWindows })
    return { state: 'failed', diagnostics: [...diagnostics, problem], runs: 0 }
  }
  for (const window of windows) {
    if (run.isStopped) break
    await run.window(window)
  }
  return { diagnostics, runs: run.runs }
}

async function endNotice(
  options: ScheduledOptions,
  sources: readonly string[],
): Promise<readonly Diagnostic[]> {
  const end = await endOf(options.store, sources, options.time)
  return end === undefined ? [] : [diagnose('HR491', { time: end })]
}
