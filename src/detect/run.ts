/**
 * Running many rules over a store: grouped scans, findings handed out as they come, and one bad rule isolated by
 * halving its group until it stands alone. Nothing here reads a clock for decisions; durations are only reported.
 */
import { type Diagnostic, diagnose } from '../core/diagnostic.ts'
import { limits } from '../core/limits.ts'
import { EngineError, type QueryOptions } from '../engine/engine.ts'
import { printRel } from '../ir/print.ts'
import type { Rel, TimeBounds } from '../ir/rel.ts'
import { groupedScan, rowConditions, takeCommon } from '../plan/group.ts'
import type { Rule } from '../rules/rule.ts'
import type { SchemaCatalogue } from '../schema/catalogue.ts'
import type { StoredCatalogue, StoredColumns } from '../schema/stored.ts'
import { printSql } from '../sql/print.ts'
import { runCorrelation } from './correlate/run.ts'
import { eventColumns, readEvent } from './event.ts'
import { type Finding, findingId } from './finding.ts'
import { groupScans, Plans, type planRules, type Scan } from './plan.ts'
import type { RanQuery, RuleOutcome, RuleState, RunReport } from './report.ts'
import { within } from './runquery.ts'
import { runScheduled, type ScheduledOutcome } from './scheduled.ts'
import type { ShownRows } from './shown.ts'
import { runSpl } from './splrun.ts'
import type { RunStore } from './store.ts'
import type { ScheduledRun } from './windows.ts'

export interface RunOptions {
  readonly rules: readonly Rule[]
  readonly schema: SchemaCatalogue
  readonly store: RunStore
  readonly time: TimeBounds
  readonly onFinding: (finding: Finding, rule: Rule) => void | Promise<void>
  readonly onProgress?: (done: number, total: number, findings: number) => void
  readonly query?: QueryOptions
  readonly rulesPerScan?: number
  /** The time of a run, for rules with a schedule and for `now()`; without it they run all over the logs. */
  readonly at?: string
  /** The run of its schedule that each rule is to do, in place of `at`; and what the run before has shown of each. */
  readonly scheduled?: ScheduledRun
  readonly shown?: ReadonlyMap<Rule, ShownRows>
  /** True when outcomes are to carry the queries that ran; those of a schedule always do. */
  readonly keepsQueries?: boolean
  /** Scans and queries at the same time; without it as many as pay on what is stored. */
  readonly atOnce?: number
  /** Plans that are kept from call to call. */
  readonly plans?: Plans
  /** True when searches may write lookups into the store; those that do run before all others then. */
  readonly writesLookups?: boolean
  /** True when who takes the findings throttles them: rows that a search's throttling would hold back are told too. */
  readonly isUnthrottled?: boolean
  /** Whether literals of many rules are searched in one reading; by default on sources with many rows. */
  readonly shareLiterals?: boolean
}

interface Tally {
  findings: number
  first: string | undefined
  last: string | undefined
  readonly problems: Diagnostic[]
}

/** Below this many rows, setting up the search for many literals costs more than it saves. */
const ROWS_WORTH_SHARING = 50_000

/** Scans under way at the same time on many rows: while the findings of one are told, the engine works on the other. */
const AT_ONCE = 2

/** Findings held back until their scan has ended, so that a scan that fails leaves nothing half told. */
const HELD = 10_000
/** The same in characters of events: few findings may be very large. */
const HELD_SIZE = 32 * 1024 * 1024

class Run {
  readonly options: RunOptions
  /** What rules without a time range of their own see. */
  readonly time: TimeBounds
  readonly stored: StoredCatalogue
  readonly tallies = new Map<Rule, Tally>()
  scans = 0
  findings = 0
  interrupted = false

  constructor(options: RunOptions, stored: StoredCatalogue) {
    this.options = options
    this.stored = stored
    const { scheduled, time } = options
    this.time = scheduled === undefined ? time : within(scheduled.window.time, time)
  }

  get keepsQueries(): boolean {
    return this.options.keepsQueries === true || this.options.scheduled !== undefined
  }

  tally(rule: Rule): Tally {
    const known = this.tallies.get(rule)
    if (known !== undefined) return known
    const fresh: Tally = { findings: 0, first: undefined, last: undefined, problems: [] }
    this.tallies.set(rule, fresh)
    return fresh
  }

  /** Why the engine stopped a scan, in words that do not change from run to run. */
  reason({ kind, message }: EngineError): string {
    const { seconds = limits.querySeconds, memory = limits.queryMemoryBytes } =
      this.options.query ?? {}
    if (kind === 'timeout') return `it took longer than ${seconds} seconds`
    if (kind === 'memory') return `it needed more than ${Math.round(memory / 1024 / 1024)} MB`
    return message
  }

  async emit(rule: Rule, finding: Finding): Promise<void> {
    const tally = this.tally(rule)
    tally.findings++
    this.findings++
    if (tally.first === undefined || finding.time < tally.first) tally.first = finding.time
    if (tally.last === undefined || finding.time > tally.last) tally.last = finding.time
    if (tally.findings === limits.findingsPerRule + 1) {
      tally.problems.push(diagnose('HR701', { limit: limits.findingsPerRule }))
    }
    if (tally.findings <= limits.findingsPerRule) await this.options.onFinding(finding, rule)
  }

  /** Runs one scan; `told` are the findings of an earlier, failed try that were handed out already. */
  async scan(scan: Scan, told: ReadonlySet<string> = new Set()): Promise<void> {
    const columns = this.stored.get(scan.source)
    if (columns === undefined || this.options.query?.signal?.aborted) return
    this.scans++
    const now = new Set(told)
    try {
      await this.read(scan, columns, told, now)
    } catch (error) {
      if (!(error instanceof EngineError)) throw error
      if (error.kind === 'cancelled') {
        this.interrupted = true
        return
      }
      if (error.kind === 'locked' || error.kind === 'unavailable') throw error
      const [only] = scan.items
      if (scan.items.length === 1 && only !== undefined) {
        this.tally(only.rule).problems.push(diagnose('HR700', { reason: this.reason(error) }))
        return
      }
      const middle = Math.ceil(scan.items.length / 2)
      await this.scan({ ...scan, items: scan.items.slice(0, middle) }, now)
      await this.scan({ ...scan, items: scan.items.slice(middle) }, now)
    }
  }

  async read(
    scan: Scan,
    columns: StoredColumns,
    told: ReadonlySet<string>,
    now: Set<string>,
  ): Promise<void> {
    const schema = eventColumns(columns)
    const { common, rest } = takeCommon(scan.items.map((each) => each.where))
    const sql = printSql(
      groupedScan({
        source: scan.source,
        ...(common === undefined ? {} : { common }),
        conditions: rest,
        shared: this.options.shareLiterals ?? columns.rows >= ROWS_WORTH_SHARING,
        time: this.time,
        columns: schema,
      }),
    )
    const held: (readonly [Rule, Finding])[] = []
    let size = 0
    const release = async (ended: boolean): Promise<void> => {
      size = 0
      for (const [rule, finding] of held.splice(0)) {
        if (!ended) now.add(finding.id)
        await this.emit(rule, finding)
      }
    }
    for await (const row of this.options.store.rows(sql, this.options.query)) {
      const [hits] = row
      const stored = readEvent(row, schema, 1)
      const { time, host, file, record, event } = stored
      for (const hit of Array.isArray(hits) ? hits : []) {
        const rule = scan.items[Number(hit) - 1]?.rule
        if (rule === undefined) continue
        const id = findingId(rule.id, scan.source, stored)
        if (told.has(id)) continue
        const { source } = scan
        held.push([
          rule,
          {
            time,
            rule_id: rule.id,
            rule_title: rule.title,
            language: rule.language,
            level: rule.level,
            host,
            tags: rule.tags,
            source,
            file,
            record,
            id,
            event,
          },
        ])
      }
      for (const value of row) if (typeof value === 'string') size += value.length
      if (held.length >= HELD || size >= HELD_SIZE) await release(false)
    }
    await release(true)
  }
}

/** True for a search that writes lookups. */
function writes(spl: Rule['spl']): boolean {
  return spl?.writes.some(({ kind }) => kind === 'outputlookup') === true
}

/** Runs a rule that has a query of its own. */
async function runAlone(run: Run, rule: Rule): Promise<RuleOutcome> {
  const {
    schema,
    store,
    time,
    query,
    scheduled,
    writesLookups = false,
    isUnthrottled = false,
  } = run.options
  const at = scheduled === undefined ? run.options.at : undefined
  const shown = run.options.shown?.get(rule)
  const { kusto, spl, correlation } = rule
  const tally = run.tally(rule)
  const told = (
    state: RuleState,
    diagnostics: readonly Diagnostic[],
    ended?: ScheduledOutcome,
  ): RuleOutcome => ({
    rule,
    ...(ended?.shown === undefined || ended.shown.size === 0 ? {} : { shown: ended.shown }),
    ...(ended?.ran === undefined || tally.findings === 0 || !run.keepsQueries
      ? {}
      : { queries: [{ plan: printRel(ended.ran.rel), sql: ended.ran.sql }] }),
    state,
    findings: tally.findings,
    ...(tally.first === undefined ? {} : { first: tally.first }),
    ...(tally.last === undefined ? {} : { last: tally.last }),
    diagnostics: [...diagnostics, ...tally.problems],
  })
  const options = {
    schema,
    store,
    time,
    stored: run.stored,
    ...(query === undefined ? {} : { query }),
    ...(at === undefined ? {} : { at }),
    ...(scheduled === undefined ? {} : { scheduled }),
    ...(shown === undefined ? {} : { shown }),
    writesLookups,
    isUnthrottled,
  }
  try {
    const emit = (finding: Finding): Promise<void> => run.emit(rule, finding)
    const outcome =
      kusto !== undefined
        ? await runScheduled(rule, kusto, options, emit)
        : spl !== undefined
          ? await runSpl(rule, spl, options, emit)
          : correlation !== undefined
            ? await runCorrelation(rule, correlation, options, emit)
            : undefined
    if (outcome === undefined) return told('failed', [])
    run.scans += outcome.runs
    const state = outcome.state ?? (tally.findings > 0 ? 'fired' : 'quiet')
    return told(state, outcome.diagnostics, outcome)
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    if (error.kind === 'locked' || error.kind === 'unavailable') throw error
    if (error.kind === 'cancelled') {
      run.interrupted = true
      return told(tally.findings > 0 ? 'fired' : 'quiet', [])
    }
    return told('failed', [diagnose('HR700', { reason: run.reason(error) })])
  }
}

/** The queries of a rule that shares its scans, as they would be for it alone. */
function ownQueries(run: Run, plan: Rel): readonly RanQuery[] {
  return (rowConditions(plan) ?? []).flatMap(({ source, where }): readonly RanQuery[] => {
    const stored = run.stored.get(source)
    if (stored === undefined) return []
    const columns = eventColumns(stored)
    const rel = groupedScan({ source, conditions: [where], shared: false, time: run.time, columns })
    return [{ plan: printRel(plan), sql: printSql(rel) }]
  })
}

function outcomes(run: Run, planned: ReturnType<typeof planRules>): readonly RuleOutcome[] {
  return planned.map(({ rule, state, diagnostics, plan }): RuleOutcome => {
    const tally = run.tallies.get(rule)
    const failed = state === 'failed' || tally?.problems.some((each) => each.severity === 'error')
    const findings = tally?.findings ?? 0
    return {
      rule,
      state: failed ? 'failed' : state === 'ready' ? (findings > 0 ? 'fired' : 'quiet') : state,
      findings,
      ...(tally?.first === undefined ? {} : { first: tally.first }),
      ...(tally?.last === undefined ? {} : { last: tally.last }),
      ...(findings === 0 || !run.keepsQueries ? {} : { queries: ownQueries(run, plan) }),
      diagnostics: [...diagnostics, ...(tally?.problems ?? [])],
    }
  })
}

/**
 * Runs rules over a store. Findings come in no fixed order; each (rule, event) is told once. A rule that the
 * engine stops (time, memory) is reported as failed and the others still run; an interrupt ends the run cleanly.
 */
export async function runRules(options: RunOptions): Promise<RunReport> {
  const started = performance.now()
  const stored = await options.store.catalogue()
  const isAlone = ({ kusto, spl, correlation }: Rule): boolean =>
    (kusto ?? spl ?? correlation) !== undefined
  const alone = options.rules.filter(isAlone)
  const shared = options.rules.filter((rule) => !isAlone(rule))
  const planned = (options.plans ?? new Plans()).of(shared, options.schema, stored)
  const scans = groupScans(planned, options.rulesPerScan)
  const run = new Run(options, stored)
  const total = scans.length + alone.length
  let done = 0
  const ended = new Map<Rule, RuleOutcome>()
  const writing = options.writesLookups === true ? alone.filter(({ spl }) => writes(spl)) : []
  const jobOf = (rule: Rule) => async (): Promise<void> => {
    ended.set(rule, await runAlone(run, rule))
  }
  const queue = [
    ...scans.map((scan) => () => run.scan(scan)),
    ...alone.filter((rule) => !writing.includes(rule)).map(jobOf),
  ]
  const work = async (jobs: (() => Promise<void>)[]): Promise<void> => {
    for (let next = jobs.shift(); next !== undefined; next = jobs.shift()) {
      options.onProgress?.(done, total, run.findings)
      if (options.query?.signal?.aborted) run.interrupted = true
      if (run.interrupted) return
      await next()
      done++
    }
  }
  const isLarge = [...stored.values()].some((each) => each.rows >= ROWS_WORTH_SHARING)
  await work(writing.map(jobOf))
  await Promise.all(
    Array.from({ length: options.atOnce ?? (isLarge ? AT_ONCE : 1) }, () => work(queue)),
  )
  options.onProgress?.(total, total, run.findings)
  const told = new Map([
    ...outcomes(run, planned).map((each) => [each.rule, each] as const),
    ...ended,
  ])
  return {
    outcomes: options.rules.flatMap((rule) => told.get(rule) ?? []),
    findings: run.findings,
    scans: run.scans,
    seconds: (performance.now() - started) / 1000,
    interrupted: run.interrupted,
  }
}
