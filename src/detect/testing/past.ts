/** Which runs of a schedule saw events of the past: what a backtest runs, in order. */
import { limits } from '../../core/limits.ts'
import { isoOfMs, ticksIn } from '../../core/time.ts'
import type { TimeBounds } from '../../ir/rel.ts'
import type { StoredCatalogue } from '../../schema/stored.ts'
import type { Schedule } from '../schedule/cadence.ts'
import type { RunStore } from '../store.ts'
import { type ScheduledRun, slotsOf } from '../windows.ts'

const TICKS_PER_MS = 10_000n
/** The grain in which it is looked up where events are. */
const SLOT_MS = 60_000

/** When there are events, by the minute. */
export class EventTimes {
  /** Starts of minutes that hold events, milliseconds since 1970, in order. */
  readonly #minutes: readonly number[]

  constructor(minutes: readonly number[]) {
    this.#minutes = minutes
  }

  get first(): number | undefined {
    return this.#minutes[0]
  }

  /** The end of the last minute with an event. */
  get end(): number | undefined {
    const last = this.#minutes.at(-1)
    return last === undefined ? undefined : last + SLOT_MS
  }

  /** True when a minute with events reaches into a range; an absent bound is open. */
  has(from: number, to: number): boolean {
    let low = 0
    let high = this.#minutes.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#minutes[middle] ?? 0) + SLOT_MS > from) high = middle
      else low = middle + 1
    }
    const found = this.#minutes[low]
    return found !== undefined && found < to
  }
}

/** Looks up when there are events of any source within bounds; findings count, as rules may read them. */
export async function eventTimes(
  store: Pick<RunStore, 'rows'>,
  stored: StoredCatalogue,
  time: TimeBounds,
): Promise<EventTimes> {
  const slots = await slotsOf(store, [...stored.keys()], time, BigInt(SLOT_MS) * TICKS_PER_MS)
  return new EventTimes([...slots].map((slot) => Number(slot) * SLOT_MS).sort((a, b) => a - b))
}

const msOf = (iso: string): number => Number(ticksIn(iso) / TICKS_PER_MS)

export interface PastRuns {
  readonly runs: readonly ScheduledRun[]
  /** Due times within the range, also those that saw no event. */
  readonly due: number
}

/** The runs whose windows hold events; undefined when there are more than `limits.ruleWindows`. */
export function pastRuns(schedule: Schedule, events: EventTimes): PastRuns | undefined {
  const { first, end } = events
  if (first === undefined || end === undefined) return { runs: [], due: 0 }
  const { from: back, to: near } = schedule.reach
  const start = first + near
  const stop = end + (Number.isFinite(back) ? back : 0)
  const runs: ScheduledRun[] = []
  let due = 0
  let before: { readonly at: number; readonly end: number } | undefined
  const endOf = (time: number): number => {
    const { to } = schedule.windowAt(time).time
    return to === undefined ? Number.POSITIVE_INFINITY : msOf(to)
  }
  let after = start - 1
  while (after < stop) {
    const times = schedule.between(after, stop, limits.ruleWindows)
    for (const at of times) {
      const window = schedule.windowAt(at)
      const { from, to } = window.time
      const range = [
        from === undefined ? Number.NEGATIVE_INFINITY : msOf(from),
        to === undefined ? Number.POSITIVE_INFINITY : msOf(to),
      ] as const
      const isWanted = schedule.silent ? range[0] < end && range[1] > first : events.has(...range)
      due++
      if (isWanted) {
        // The first run has one before it too: whether their windows overlap decides how its rows are known.
        const previous = before?.at ?? schedule.previous(at)
        const since = previous ?? at
        const isApart = previous === undefined || range[0] >= (before?.end ?? endOf(previous))
        runs.push({ window, since: isoOfMs(since), isApart })
        if (runs.length > limits.ruleWindows) return undefined
      }
      before = { at, end: range[1] }
    }
    const last = times.at(-1)
    if (last === undefined || times.length < limits.ruleWindows) break
    after = last
  }
  return { runs, due }
}
