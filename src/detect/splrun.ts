/**
 * Running one rule of Splunk content: once over all events that are there, as its publisher tests it, or as its
 * schedule runs it at a time that is named.
 */
import { type Diagnostic, diagnose, hasErrors } from '../core/diagnostic.ts'
import { limits } from '../core/limits.ts'
import { ticksIn } from '../core/time.ts'
import type { SplAnswer } from '../dialects/spl/answer.ts'
import type { Lookups } from '../dialects/spl/lookups.ts'
import type { Throttling } from '../dialects/spl/rule.ts'
import type { Rel } from '../ir/rel.ts'
import { givesNothing } from '../plan/empty.ts'
import { atTime, readsNow } from '../plan/now.ts'
import type { Rule, SplPart, SplTimes } from '../rules/rule.ts'
import { keyOfRows } from './alerts.ts'
import type { Finding } from './finding.ts'
import { periodTicks, toldOf } from './keeping/chain.ts'
import { planQuery, planRows, type QueryPlan, queryRows, sourcesOf, within } from './runquery.ts'
import { splRange } from './schedule/cadence.ts'
import type { ScheduledOptions, ScheduledOutcome } from './scheduled.ts'
import { NOTHING_SHOWN, Shown, type ShownRows } from './shown.ts'
import { discoverSpl } from './spldiscover.ts'
import { runEffects } from './spleffects.ts'
import { SplFindings } from './splfindings.ts'
import { readyLookups } from './spltables.ts'
import { SplRows } from './splvalues.ts'
import type { Value } from './values.ts'
import { endOf } from './windows.ts'

/** The time of a run over logs that hold no event. */
const NO_TIME = '1970-01-01T00:00:00.0000000Z'

/**
 * The rows that throttling tells, of those with the same values of some fields the first in each period. Where rows do not
 * say when they happened, all of a run are of one time.
 */
function throttledRows(
  { fields, seconds }: Throttling,
  rows: SplRows,
  all: readonly (readonly Value[])[],
): ReadonlySet<readonly Value[]> {
  const groups = new Map<string, { at: bigint; id: string; row: readonly Value[] }[]>()
  all.forEach((row, place) => {
    const key = JSON.stringify(fields.map((each) => rows.values(row, each)))
    const group = groups.get(key) ?? []
    groups.set(key, group)
    const at = ticksIn(rows.time(row) ?? NO_TIME)
    group.push({ at, id: String(place).padStart(12, '0'), row })
  })
  const told = [...groups.values()].flatMap((group) => [...toldOf(group, periodTicks(seconds))])
  return new Set(told.map(({ row }) => row))
}

class SplRun {
  readonly rule: Rule
  readonly part: SplPart
  readonly options: ScheduledOptions
  readonly #emit: (finding: Finding) => Promise<void>
  readonly #at: string | undefined
  readonly #shown: Shown
  #end: string | undefined
  #lookups: Lookups | undefined

  constructor(
    rule: Rule,
    part: SplPart,
    options: ScheduledOptions,
    emit: (finding: Finding) => Promise<void>,
  ) {
    this.rule = rule
    this.part = part
    this.options = options
    this.#emit = emit
    this.#at = options.scheduled?.window.at ?? options.at
    this.#shown = new Shown(options.shown ?? NOTHING_SHOWN, this.#at ?? '')
  }

  get shown(): ShownRows {
    return this.#shown.rows
  }

  get world() {
    const { schema, stored, time } = this.options
    const to = this.#at
    return { schema, stored, time: to === undefined ? time : within({ to }, time) }
  }

  /** What `now` is: the time that is named, or the end of the logs that the search reads. */
  async end(rel: Rel): Promise<string | undefined> {
    const { store } = this.options
    if (this.#at !== undefined) return this.#at
    if (this.#end !== undefined) return this.#end
    const bound = planQuery(rel, this.world).value
    if (bound === undefined) return undefined
    this.#end = await endOf(store, sourcesOf(bound.rel), this.world.time)
    return this.#end
  }

  async timed(rel: Rel): Promise<Rel> {
    if (!readsNow(rel)) return rel
    const end = await this.end(rel)
    return end === undefined ? rel : atTime(rel, end)
  }

  /** The search compiled for what is stored, with what only the data can tell; the tables that it reads are there. */
  async compiled(): Promise<SplAnswer> {
    const { stored, store, query } = this.options
    const range = splRange(this.rule)
    const written = await store.lookups?.written()
    const setting: SplTimes = {
      stored,
      ...(written === undefined ? {} : { written }),
      ...(this.#at === undefined || range === undefined ? {} : { range }),
    }
    const { compile, lookups } = this.part.compiler(setting)
    this.#lookups = lookups
    const rowsOf = async function* (this: SplRun, rel: Rel): AsyncGenerator<readonly Value[]> {
      await readyLookups(rel, lookups, store.lookups)
      yield* planRows(store, await this.timed(rel), this.world, query)
    }
    const answer = await discoverSpl({ compile, rows: rowsOf.bind(this) })
    if (answer.rel !== undefined) await readyLookups(answer.rel, lookups, store.lookups)
    return answer
  }

  /** Writes what the search writes, where the run may. */
  async carryOut({ effects }: SplAnswer): Promise<readonly Diagnostic[]> {
    const { store, query, writesLookups = false } = this.options
    if (this.#lookups === undefined) return []
    return runEffects(effects, {
      store,
      world: this.world,
      lookups: this.#lookups,
      timed: (rel) => this.timed(rel),
      mayWrite: writesLookups,
      ...(query === undefined ? {} : { query }),
    })
  }

  /**
   * Tells a finding for each row, when all are there: a search that fails tells nothing. Gives what is to be said of them.
   */
  async tell(plan: QueryPlan, rel: Rel): Promise<readonly Diagnostic[]> {
    const { part, rule, options } = this
    const rows = new SplRows(plan.columns)
    const held: (readonly Value[])[] = []
    const makesFindings = part.type !== 'Baseline'
    // One more than is told, so that it is said that there are more.
    const most = makesFindings ? limits.findingsPerRule + 1 : 0
    for await (const row of queryRows(options.store, plan, options.query)) {
      if (held.length < most) held.push(row)
    }
    const findings = new SplFindings(rule, part, rows)
    const throttling =
      options.scheduled === undefined && options.isUnthrottled !== true
        ? part.throttling
        : undefined
    const told = throttling === undefined ? undefined : throttledRows(throttling, rows, held)
    const counts = new Map<string, number>()
    for (const row of held) {
      if (told?.has(row) === false) continue
      const values = keyOfRows([row])
      const place = counts.get(values) ?? 0
      counts.set(values, place + 1)
      const own = rows.time(row)
      const since = own === undefined ? this.#since(`${values} ${place}`) : undefined
      if (since !== undefined && since !== this.#at) continue
      const key = `${values} ${place}${since === undefined ? '' : ` ${since}`}`
      const time = own ?? (await this.end(rel)) ?? NO_TIME
      await this.#emit(findings.finding(row, { key, time }))
    }
    return [
      ...(makesFindings ? [] : [diagnose('HR572', {})]),
      ...(told === undefined || told.size === held.length
        ? []
        : [diagnose('HR571', { count: held.length - told.size, fields: throttledBy(part) })]),
      ...this.#lacking(rows, held),
    ]
  }

  /**
   * The run of the schedule that first showed a row which does not say when it happened; undefined without a schedule.
   * Runs that share no event show the same values of other events.
   */
  #since(key: string): string | undefined {
    const { scheduled } = this.options
    if (scheduled === undefined) return undefined
    return scheduled.isApart ? scheduled.window.at : this.#shown.since(key)
  }

  /** Objects at risk that some of the rows do not have. */
  #lacking(rows: SplRows, all: readonly (readonly Value[])[]): readonly Diagnostic[] {
    const { hasRisk, riskObjects } = this.part
    if (!hasRisk) return []
    return [...new Set(riskObjects.map(({ field }) => field))].flatMap((name) => {
      const missing = all.filter((row) => rows.values(row, name).length === 0).length
      return missing === 0 ? [] : [diagnose('HR573', { name, missing, count: all.length })]
    })
  }
}

const throttledBy = ({ throttling }: SplPart): string =>
  (throttling?.fields ?? []).join(', ').slice(0, 200)

/** Runs a rule of Splunk content; findings are handed out as they come. Errors of the engine are the caller's. */
export async function runSpl(
  rule: Rule,
  part: SplPart,
  options: ScheduledOptions,
  emit: (finding: Finding) => Promise<void>,
): Promise<ScheduledOutcome> {
  const run = new SplRun(rule, part, options, emit)
  const answer = await run.compiled()
  const told = answer.diagnostics.map(({ span: _, ...each }) => each)
  if (answer.rel === undefined) return { state: 'failed', diagnostics: told, runs: 0 }
  const { value, diagnostics } = planQuery(await run.timed(answer.rel), run.world)
  if (value === undefined || hasErrors(diagnostics)) {
    return { state: 'failed', diagnostics, runs: 0 }
  }
  const isRead = answer.reads.length > 0
  if (isRead && sourcesOf(value.rel).length === 0) {
    return { state: 'no_data', diagnostics, runs: 0 }
  }
  if (givesNothing(value.rel)) {
    const reason = diagnostics.length > 0 ? [] : [diagnose('HR574', {})]
    return { state: 'cannot_fire', diagnostics: [...diagnostics, ...reason], runs: 0 }
  }
  const notices = await run.tell(value, answer.rel)
  const at = options.scheduled?.window.at ?? options.at
  const isTold = at === undefined && part.schedule !== undefined
  const schedule = isTold ? [diagnose('HR570', { cron: part.schedule?.cron ?? '' })] : []
  const effects = await run.carryOut(answer)
  const isAsOf = at === undefined && readsNow(answer.rel)
  const end = isAsOf ? await run.end(answer.rel) : undefined
  const asOf = end === undefined ? [] : [diagnose('HR491', { time: end })]
  const failed = hasErrors(effects) ? { state: 'failed' as const } : {}
  const all = [...diagnostics, ...schedule, ...asOf, ...effects, ...notices]
  return { ...failed, diagnostics: all, runs: 1, ran: value, shown: run.shown }
}
