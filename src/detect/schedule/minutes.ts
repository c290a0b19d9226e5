/**
 * Which minutes of which source hold events, so that windows without any cost no query, and which windows of a schedule
 * some minutes belong to. Minutes are counted from 1970.
 */

import { isoOfMs } from '../../core/time.ts'
import type { RunStore } from '../store.ts'
import { type RunWindow, slotsOf } from '../windows.ts'
import type { Schedule } from './cadence.ts'

const MINUTE = 60_000
const DAY_MINUTES = 1_440
/** Minutes looked at in the future: clocks of other machines may be ahead. */
const AHEAD_MINUTES = 2 * DAY_MINUTES
/** Windows that one batch may have run again, of one rule. */
const MOST_TOUCHED_WINDOWS = 5_000

/** Minutes in which sources have events, from a time on. */
export class Minutes {
  readonly #store: Pick<RunStore, 'rows'>
  readonly #known = new Map<string, { from: number; readonly minutes: Set<number> }>()

  constructor(store: Pick<RunStore, 'rows'>) {
    this.#store = store
  }

  /** Learns the minutes of a source from a time on, in milliseconds. */
  async learn(source: string, from: number): Promise<void> {
    const first = Math.floor(from / MINUTE)
    const known = this.#known.get(source)
    if (known !== undefined && known.from <= first) return
    const time = { from: isoOfMs(Math.max(0, first) * MINUTE) }
    const slots = await slotsOf(this.#store, [source], time, BigInt(MINUTE) * 10_000n)
    const minutes = new Set([...slots].map(Number))
    for (const each of known?.minutes ?? []) minutes.add(each)
    this.#known.set(source, { from: first, minutes })
  }

  /** Notes minutes of a source that a batch has touched. */
  add(source: string, first: number, last: number, now: number): void {
    const known = this.#known.get(source)
    if (known === undefined) return
    const end = Math.min(last, Math.floor(now / MINUTE) + AHEAD_MINUTES)
    for (let each = Math.max(first, known.from); each <= end; each++) known.minutes.add(each)
  }

  /** True when a source may have events between two times, in milliseconds: what is not known may be there. */
  mayHave(source: string, from: number, to: number): boolean {
    const known = this.#known.get(source)
    const first = Math.floor(from / MINUTE)
    if (known === undefined || first < known.from) return true
    const end = Math.ceil(to / MINUTE)
    if (end - first > known.minutes.size) {
      for (const each of known.minutes) if (each >= first && each < end) return true
      return false
    }
    for (let each = first; each < end; each++) if (known.minutes.has(each)) return true
    return false
  }

  /** Forgets minutes before a time, in milliseconds. */
  forget(before: number): void {
    const first = Math.floor(before / MINUTE)
    for (const known of this.#known.values()) {
      if (known.from + DAY_MINUTES > first) continue
      for (const each of known.minutes) if (each < first) known.minutes.delete(each)
      known.from = first
    }
  }
}

/** The bounds of a window in milliseconds; one that is open begins before all. */
export function boundsIn({ time }: RunWindow): Seen {
  return {
    from: time.from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(time.from),
    to: time.to === undefined ? Number.POSITIVE_INFINITY : Date.parse(time.to),
  }
}

/** From when to when the events of a run may lie, in milliseconds. */
export interface Seen {
  readonly from: number
  readonly to: number
}

/** The scheduled times after one and up to another whose runs see some of the minutes. */
export function timesTouched(
  schedule: Pick<Schedule, 'between' | 'reach'>,
  sees: (time: number) => Seen,
  minutes: { readonly first: number; readonly last: number },
  done: { readonly after: number; readonly until: number },
): readonly number[] {
  const from = minutes.first * MINUTE
  const to = (minutes.last + 1) * MINUTE
  const earliest = Math.max(done.after, from + schedule.reach.to - 1)
  const latest = Math.min(done.until, to + schedule.reach.from)
  if (earliest >= latest) return []
  return schedule.between(earliest, latest, MOST_TOUCHED_WINDOWS).filter((time) => {
    const seen = sees(time)
    return seen.from < to && seen.to > from
  })
}
