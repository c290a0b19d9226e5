/** Running the schedule for a command: rules, store, keeper and messages put together, and what is told meanwhile. */
import { statSync } from 'node:fs'
import { hostname } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import { renderDiagnostic } from '../core/diagnostic.ts'
import { openNotify } from '../detect/notify/notify.ts'
import { type Clock, LeaseError } from '../detect/schedule/lease.ts'
import type { Scheduler } from '../detect/schedule/loop.ts'
import { makePools, type Pools, pooledRows } from '../detect/schedule/pools.ts'
import { runService, type Standing } from '../detect/schedule/service.ts'
import type { RuleSet } from '../rules/load.ts'
import type { Rule } from '../rules/rule.ts'
import type { OptionRecord, OptionValues } from './command.ts'
import { channelSurroundings } from './commands/notify.ts'
import { type Context, isAddress, type OpenStore } from './context.ts'
import { count, counted, duration } from './figures.ts'
import { keeperFor } from './keeping.ts'
import { knowTables, lacksTable } from './kusto.ts'
import { defaultRulePaths, readRules, rulesFor, runnableRules, selectRules } from './rulesets.ts'
import type { FoundSettings } from './settings.ts'
import { line, safeLines } from './text.ts'
import { parseTime } from './time.ts'
import { EXIT, TakenError, UnusableError, UsageError } from './usage.ts'

export const SINCE_OPTION: OptionRecord = {
  flags: '--since <time>',
  says: 'where rules that are new to the store begin, e.g. -24h (default: now); nobody is notified of what lies before',
}

/** How often the files of rules are looked at for changes, and how often things are told where there is no terminal. */
const LOOK_MS = 30_000
const TELL_MS = 60_000

/** The time of `--since` in milliseconds. */
export function sinceOf(context: Context, options: OptionValues): number | undefined {
  const text = options.text('since')
  if (text === undefined) return undefined
  const { value, diagnostics } = parseTime(text, 'from', context.now())
  const [first] = diagnostics
  if (value === undefined) throw new UsageError(first?.message ?? 'not a time', first?.hint)
  return value.ms
}

/** The clock of the machine. */
function clockFor(context: Context): Clock {
  return {
    now: () => context.now().ms,
    elapsed: () => performance.now(),
    wait: (ms, signal) =>
      wait(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined),
  }
}

/** Paths of the rules of a command: those of the options, or else of the settings. */
export function scheduledPaths(found: FoundSettings, options: OptionValues): readonly string[] {
  const named = options.texts('rules')
  return named.length > 0 ? named : found.settings.rules.map(found.pathOf)
}

/** The rules that the options choose, read when the store is there: only it knows custom tables. */
export async function rulesOfStore(
  context: Context,
  options: OptionValues,
  paths: readonly string[],
  { store }: OpenStore,
): Promise<readonly Rule[]> {
  const choose = (set: RuleSet): readonly Rule[] =>
    selectRules(runnableRules(context, set, paths), options)
  const set = await rulesFor(context, options, paths)
  const isTold = set.rules.some(lacksTable) && knowTables(context, await store.catalogue())
  return choose(isTold ? (await readRules(context, options, paths)).set : set)
}

/** The size and the last change of all that rules are read from, as one text. */
function fingerprintOf(files: Iterable<string>): string {
  const facts = [...new Set(files)].sort().map((file) => {
    const stat = statSync(file.split('!/')[0] ?? file, { throwIfNoEntry: false })
    return `${file} ${stat?.mtimeMs ?? 0} ${stat?.size ?? 0}`
  })
  return facts.join('\n')
}

export interface ScheduleJob {
  readonly opened: OpenStore
  readonly found: FoundSettings
  readonly options: OptionValues
  readonly rules: readonly Rule[]
  readonly rulePaths: readonly string[]
  readonly once: boolean
  readonly signal: AbortSignal
  /** The pools of queries; others who read the store share them. */
  readonly pools?: Pools
}

/** `host, process N`: who runs the schedule, for others to read. */
const holderName = (): string => `${hostname()}, process ${process.pid}`

/** True when the process that a holder of the schedule names has ended. For folders: both are of this machine then. */
function hasEnded(holder: string): boolean {
  const [, host, pid] = /^(.*), process (\d{1,10})$/.exec(holder) ?? []
  if (host !== hostname() || pid === undefined) return false
  // A process before this one that had its number.
  if (Number(pid) === process.pid) return true
  try {
    process.kill(Number(pid), 0)
    return false
  } catch (error) {
    return (error as { code?: unknown }).code === 'ESRCH'
  }
}

function standingText({ windows, findings, lag, slowest, paused, failed }: Standing): string {
  return [
    counted(windows, 'window'),
    `${counted(findings, 'finding')} kept`,
    lag < 2_000 ? 'up to date' : line`${duration(lag / 1_000)} behind (${slowest})`,
    ...(failed > 0 ? [`${counted(failed, 'run')} failed`] : []),
    ...(paused > 0 ? [`${counted(paused, 'rule')} paused`] : []),
  ].join(' · ')
}

/** Tells how the schedule stands: at the foot of a terminal, or as a line a minute elsewhere. */
class Teller {
  readonly #context: Context
  #last = ''
  #at = Number.NEGATIVE_INFINITY
  #paused = 0

  constructor(context: Context) {
    this.#context = context
  }

  /** A line with the time before it. */
  say(text: string): void {
    const { output, now } = this.#context
    const time = new Date(now().ms).toISOString().slice(0, 19).replace('T', ' ')
    output.err.write(`${time}  ${text}\n`)
  }

  standing(standing: Standing): void {
    const { output } = this.#context
    if (output.quiet) return
    const text = standingText(standing)
    output.status(text)
    if (standing.paused > this.#paused) {
      this.say(
        `${counted(standing.paused, 'rule')} paused after failed runs; \`${this.#context.program} schedule\` tells why`,
      )
    }
    this.#paused = standing.paused
    const at = performance.now()
    if (output.err.isTerminal || text === this.#last || at - this.#at < TELL_MS) return
    this.#last = text
    this.#at = at
    this.say(text)
  }
}

/** Reads the rules again when one of their files has changed; bad ones are told, and the old ones go on. */
function changedRules(context: Context, job: ScheduleJob, teller: Teller) {
  const paths = job.rulePaths.length > 0 ? job.rulePaths : defaultRulePaths(context)
  const files = (): readonly string[] => [
    ...paths,
    ...job.rules.flatMap(({ file, tuning }) => [
      file,
      ...(tuning === undefined ? [] : [tuning.file]),
    ]),
  ]
  let before = fingerprintOf(files())
  let lookedAt = performance.now()
  return async (): Promise<readonly Rule[] | undefined> => {
    if (performance.now() - lookedAt < LOOK_MS) return undefined
    lookedAt = performance.now()
    const now = fingerprintOf(files())
    if (now === before) return undefined
    before = now
    try {
      const rules = await rulesOfStore(context, job.options, job.rulePaths, job.opened)
      teller.say(`rules have changed: ${counted(rules.length, 'rule')} from here on`)
      return rules
    } catch (error) {
      if (!(error instanceof UnusableError) && !(error instanceof UsageError)) throw error
      teller.say(`rules have changed and cannot be used; the ones of before go on:`)
      context.output.err.write(`${safeLines(error.message)}\n`)
      return undefined
    }
  }
}

function tellStart(context: Context, job: ScheduleJob, scheduler: Scheduler): void {
  const { output, program } = context
  const { entries, problems } = scheduler
  const off = job.rules.length - entries.length
  if (!output.quiet) {
    output.err.write(
      line`${counted(entries.length, 'rule')} on a schedule over ${job.opened.where}` +
        (off === 0 ? '\n' : `; ${count(off)} without one (${program} schedule --all)\n`),
    )
  }
  for (const each of problems) output.err.write(`${safeLines(renderDiagnostic(each))}\n`)
}

/** Runs the schedule of a store; gives the exit code. */
export async function runSchedule(context: Context, job: ScheduleJob): Promise<number> {
  const { opened, found, options, once } = job
  const { settings } = found
  const { store } = opened
  const clock = clockFor(context)
  const teller = new Teller(context)
  const pools = job.pools ?? makePools(settings.schedule)
  const stop = new AbortController()
  const signal = AbortSignal.any([job.signal, stop.signal])
  const { value: notify, diagnostics } = await openNotify({
    ...channelSurroundings(context, found),
    records: store.records,
    settings: settings.notify,
    clock,
    tell: (each) => teller.say(safeLines(renderDiagnostic(each))),
  })
  for (const each of diagnostics) context.output.err.write(`${safeLines(renderDiagnostic(each))}\n`)
  if (notify === undefined) return EXIT.usage
  const catalogue = (): ReturnType<typeof store.catalogue> => store.catalogue()
  const { lookups, records } = store
  const since = sinceOf(context, options)
  let delivered: Promise<void> | undefined
  let undelivered: unknown
  const deliver = (): void => {
    delivered ??= notify.courier.run(signal).catch((error: unknown) => {
      undelivered = error
      stop.abort()
    })
  }
  const service = runService({
    store: {
      catalogue,
      lookups,
      records,
      touched: (after) => store.touched(after),
      rows: pooledRows(store, pools.schedule),
    },
    past: { catalogue, lookups, rows: pooledRows(store, pools.backfill) },
    schema: context.schema(),
    settings: settings.schedule,
    keeper: keeperFor(context, found, opened, notify.outbox),
    clock,
    holder: holderName(),
    ...(isAddress(opened.where) ? {} : { hasEnded }),
    ...(since === undefined ? {} : { since }),
    rules: job.rules,
    once,
    signal,
    ...(once ? {} : { changed: changedRules(context, job, teller) }),
    onStanding: (each) => teller.standing(each),
    onProblems(scheduler) {
      tellStart(context, job, scheduler)
      // Only who has the schedule sends messages.
      if (!once) deliver()
    },
    onTrouble: (error) => teller.say(line`${error.message}; trying again`),
  })
  try {
    const ended = await service
    stop.abort()
    await delivered
    if (undelivered !== undefined) throw undelivered
    if (once) await notify.courier.pass(job.signal)
    context.output.status(undefined)
    if (!context.output.quiet) context.output.err.write(`${standingText(ended)}\n`)
    return ended.failed > 0 && once ? EXIT.engine : EXIT.done
  } catch (error) {
    if (!(error instanceof LeaseError)) throw error
    throw new TakenError(
      error.message,
      'one schedule runs on a store at a time; wait a minute, or stop the other one',
    )
  } finally {
    stop.abort()
    await delivered
  }
}
