/** Running a schedule for as long as nobody stops it: rounds, rests until something is due, and what goes wrong meanwhile. */
import { EngineError } from '../../engine/engine.ts'
import type { Rule } from '../../rules/rule.ts'
import { type Clock, LeaseError } from './lease.ts'
import { Scheduler, type SchedulerOptions } from './loop.ts'

/** How things stand after a round. */
export interface Standing {
  readonly rules: number
  readonly paused: number
  readonly windows: number
  readonly findings: number
  readonly suppressed: number
  readonly failed: number
  /** Milliseconds by which the rule that is furthest behind is late, and its title. */
  readonly lag: number
  readonly slowest: string
  /** True when more is due already. */
  readonly isBusy: boolean
}

export interface ServiceOptions extends Omit<SchedulerOptions, 'signal'> {
  readonly signal: AbortSignal
  readonly rules: readonly Rule[]
  /** Ends when nothing is due any more. */
  readonly once: boolean
  /** Gives the rules again when they have changed since they were last asked for; asked between rounds. */
  readonly changed?: () => Promise<readonly Rule[] | undefined>
  readonly onStanding: (standing: Standing) => void
  /** Told what is wrong with schedules, at the start and when rules have changed. */
  readonly onProblems: (scheduler: Scheduler) => void
  /** Told what goes wrong outside of rules, and that it is tried again. */
  readonly onTrouble: (error: Error) => void
}

/** The longest rest: late events and orders are looked for as often. */
const REST_MS = 5_000
const TROUBLE_MS = 5_000
/** Troubles in a row, without a round between them, after which the caller is told. */
const MOST_TROUBLES = 60

function standingOf(scheduler: Scheduler, clock: Clock, isBusy: boolean): Standing {
  const now = clock.now()
  let lag = 0
  let slowest = ''
  for (const entry of scheduler.entries) {
    const behind = entry.isPaused ? 0 : entry.behind(now)
    if (behind <= lag) continue
    lag = behind
    slowest = entry.rule.title
  }
  const { windows, findings, suppressed, failed } = scheduler
  const paused = scheduler.entries.filter((each) => each.isPaused).length
  return {
    rules: scheduler.entries.length,
    paused,
    windows,
    findings,
    suppressed,
    failed,
    lag,
    slowest,
    isBusy,
  }
}

/** Milliseconds until something is due. */
function restOf(scheduler: Scheduler, clock: Clock): number {
  const now = clock.now()
  let next = now + REST_MS
  for (const entry of scheduler.entries) {
    if (entry.isPaused) continue
    const time = entry.schedule.next(entry.row.checkpoint)
    if (time !== undefined)
      next = Math.min(next, Math.max(time + entry.schedule.delay, entry.retryAt))
  }
  return Math.max(100, next - now)
}

/** True for troubles that pass: the engine is started again, or a server comes back. */
function passes(error: unknown): error is EngineError {
  return error instanceof EngineError && (error.kind === 'crashed' || error.kind === 'unavailable')
}

/**
 * Runs a schedule until the signal aborts, or once until nothing is due. Rejects with a `LeaseError` when someone else
 * runs it, and with errors of the engine that do not pass.
 */
export async function runService(options: ServiceOptions): Promise<Standing> {
  const { clock, signal, rules, once, changed } = options
  const scheduler = await Scheduler.open(options, rules)
  options.onProblems(scheduler)
  let troubles = 0
  try {
    for (;;) {
      try {
        const { more } = await scheduler.round()
        troubles = 0
        options.onStanding(standingOf(scheduler, clock, more))
        if (signal.aborted || (once && !more)) break
        const fresh = await changed?.()
        if (fresh !== undefined) {
          await scheduler.use(fresh)
          options.onProblems(scheduler)
        }
        if (!more) await clock.wait(restOf(scheduler, clock), signal)
      } catch (error) {
        if (signal.aborted) break
        if (!passes(error) || ++troubles > MOST_TROUBLES) throw error
        options.onTrouble(error)
        await clock.wait(TROUBLE_MS, signal)
      }
    }
    return standingOf(scheduler, clock, false)
  } finally {
    await scheduler.close().catch((error: unknown) => {
      if (!(error instanceof EngineError) && !(error instanceof LeaseError)) throw error
    })
  }
}
