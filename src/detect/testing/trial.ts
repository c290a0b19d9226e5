/**
 * Trying rules on events that are known: events into an empty store through the normal intake, rules over them through
 * the one path that runs rules, findings out. The store is the bench's own and is emptied for each set of logs.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Diagnostic } from '../../core/diagnostic.ts'
import type { Instant } from '../../core/time.ts'
import type { QueryOptions } from '../../engine/engine.ts'
import type { Store } from '../../engine/store.ts'
import { ingest } from '../../ingest/intake.ts'
import type { IntakeReport } from '../../ingest/report.ts'
import type { TimeBounds } from '../../ir/rel.ts'
import type { Rule } from '../../rules/rule.ts'
import type { SchemaCatalogue } from '../../schema/catalogue.ts'
import type { Finding } from '../finding.ts'
import type { RuleState } from '../report.ts'
import { runRules } from '../run.ts'
import { partKey, type ReadLogs, type ReadPart, readAhead } from './ahead.ts'

/** What a bench is made of. */
export interface BenchParts {
  /** An empty store that nobody else uses: it is emptied again and again. */
  readonly store: Store
  readonly schema: SchemaCatalogue
  /** Schema texts, for the workers of the intake. */
  readonly schemaFiles: readonly { readonly path: string; readonly text: string }[]
  /** The built worker file of the intake. */
  readonly workerPath: string
  /** An existing folder of the bench's own, for events that are given inline. */
  readonly folder: string
  /** The time of intake; it stands for what events do not say of their own time. */
  readonly now: Instant
}

/** An event given inline: a line as a log has it, or an object that becomes a line of JSON. */
export type InlineEvent = string | Readonly<Record<string, unknown>>

/** Logs that are read in one go. */
export interface LogPart {
  /** Paths of files or folders; who gives them has checked that they may be read. */
  readonly files?: readonly string[]
  readonly events?: readonly InlineEvent[]
  /** Name of a decoder, instead of telling the format from content. */
  readonly format?: string
  /** Name of a stored source, instead of recognising each event. */
  readonly source?: string
}

export interface TrialOptions {
  /** One run, as of this time; without it as `harrier run` does. */
  readonly at?: string
  readonly time?: TimeBounds
  /** True when searches may write lookups; what they write stays until other logs come. */
  readonly writesLookups?: boolean
  readonly query?: QueryOptions
}

/** What became of one rule. */
export interface Tried {
  readonly rule: Rule
  readonly state: RuleState
  readonly findings: readonly Finding[]
  /** All findings; more than are held in `findings` when there are many. */
  readonly count: number
  readonly diagnostics: readonly Diagnostic[]
}

export interface TrialReport {
  readonly tried: readonly Tried[]
  /** What the intake of each part said; those of the trial that read the logs when they were there already. */
  readonly intake: readonly IntakeReport[]
  readonly isInterrupted: boolean
}

/** Findings of one rule that a trial holds on to. */
const MOST_HELD = 2_000

/** Inline events as the text of a log. */
function logText(events: readonly InlineEvent[]): string {
  return events
    .map((each) => `${typeof each === 'string' ? each : JSON.stringify(each)}\n`)
    .join('')
}

/** A place to try rules on known events, one trial after the other. */
export class Bench {
  readonly parts: BenchParts
  /** What is in the store; undefined when that is not known. */
  #logs: readonly LogPart[] | undefined = []
  #intake: readonly IntakeReport[] = []
  /** Logs that were read for trials to come, by part. */
  #ahead: ReadonlyMap<string, ReadLogs> = new Map()
  #queue: Promise<unknown> = Promise.resolve()

  constructor(parts: BenchParts) {
    this.parts = parts
  }

  /** Waits until no other trial is under way on the bench. */
  alone<T>(action: () => Promise<T>): Promise<T> {
    const next = this.#queue.then(action, action)
    this.#queue = next.catch(() => undefined)
    return next
  }

  /** Makes these logs, and nothing else, what is in the store; they are not read again when they are there already. */
  async hold(logs: readonly LogPart[], signal?: AbortSignal): Promise<readonly IntakeReport[]> {
    const held = this.#logs
    if (held !== undefined && JSON.stringify(held) === JSON.stringify(logs)) return this.#intake
    this.#logs = undefined
    if (held === undefined || held.length > 0) await this.parts.store.drop()
    const reports: IntakeReport[] = []
    for (const [index, part] of logs.entries()) {
      reports.push(...(await this.#read(part, index, signal)))
    }
    this.#logs = logs
    this.#intake = reports
    return reports
  }

  /** A part with its inline events as a file. */
  #readPart({ files = [], events = [], format, source }: LogPart, index: number): ReadPart {
    const inline = events.length === 0 ? [] : [this.#inline(events, index)]
    return {
      paths: [...files, ...inline],
      ...(format === undefined ? {} : { format }),
      ...(source === undefined ? {} : { source }),
    }
  }

  #intakeOptions(signal?: AbortSignal) {
    const { schemaFiles, workerPath, now } = this.parts
    return { schemaFiles, workerPath, now, ...(signal === undefined ? {} : { signal }) }
  }

  /** Reads the small ones of several sets of logs in one go, for trials that come next. */
  async prepare(sets: readonly (readonly LogPart[])[], signal?: AbortSignal): Promise<void> {
    const parts = sets.flatMap((logs) => logs.map((part, index) => this.#readPart(part, index)))
    this.#ahead = await readAhead(
      parts.filter(({ paths }) => paths.length > 0),
      this.#intakeOptions(signal),
    )
  }

  async #read(part: LogPart, index: number, signal?: AbortSignal): Promise<IntakeReport[]> {
    const { store } = this.parts
    const read = this.#readPart(part, index)
    if (read.paths.length === 0) return []
    const known = this.#ahead.get(partKey(read))
    if (known !== undefined) {
      await Promise.all(known.batches.map((each) => store.write(each)))
      return [known.report]
    }
    return [await ingest({ ...read, ...this.#intakeOptions(signal), store })]
  }

  /** A file with inline events; its name is the same for the same events, as findings are told by it. */
  #inline(events: readonly InlineEvent[], index: number): string {
    const text = logText(events)
    const name = createHash('sha256').update(text).digest('hex').slice(0, 16)
    const path = join(this.parts.folder, `events-${index}-${name}.log`)
    if (!existsSync(path)) {
      mkdirSync(this.parts.folder, { recursive: true })
      writeFileSync(path, text)
    }
    return path
  }

  /** Forgets what is in the store: lookups that searches wrote go too. */
  async clear(): Promise<void> {
    this.#logs = undefined
    await this.parts.store.drop()
    this.#logs = []
    this.#intake = []
  }
}

/**
 * Runs rules over logs, and nothing else, on a bench. Trials on one bench wait for each other. Errors of the engine that
 * are no rule's fault, and those of the intake itself, are thrown; everything else is in the report.
 */
export function trial(
  rules: readonly Rule[],
  logs: readonly LogPart[],
  bench: Bench,
  options: TrialOptions = {},
): Promise<TrialReport> {
  return bench.alone(async () => {
    const { at, time = {}, writesLookups = false, query } = options
    const intake = await bench.hold(logs, query?.signal)
    const { schema, store } = bench.parts
    const findings = new Map<Rule, Finding[]>(rules.map((each) => [each, []]))
    const report = await runRules({
      rules: [...findings.keys()],
      schema,
      store,
      time,
      writesLookups,
      onFinding: (finding, rule) => {
        const held = findings.get(rule)
        if (held !== undefined && held.length < MOST_HELD) held.push(finding)
      },
      ...(at === undefined ? {} : { at }),
      ...(query === undefined ? {} : { query }),
    })
    const outcomes = new Map(report.outcomes.map((each) => [each.rule, each]))
    const tried = [...findings].map(([rule, held]): Tried => {
      const outcome = outcomes.get(rule)
      return {
        rule,
        state: outcome?.state ?? 'failed',
        findings: held,
        count: outcome?.findings ?? 0,
        diagnostics: outcome?.diagnostics ?? [],
      }
    })
    const isInterrupted = report.interrupted || intake.some((each) => each.interrupted)
    return { tried, intake, isInterrupted }
  })
}
