/**
 * A log under construction: entries with their time and with what the starter rules must make of them. Takes entries in
 * any order, gives them in the order of time.
 */

/** What an entry proves. Rules are called by the name of their file without `.yml`. */
export interface Mark {
  /** Rules that must find the entry. */
  readonly fires?: readonly string[]
  /** Rules that must leave the entry alone although it comes near, each with the reason. */
  readonly quiet?: readonly (readonly [rule: string, why: string])[]
}

export interface Entry<T> {
  /** Milliseconds since 1970. */
  readonly time: number
  readonly item: T
  readonly mark: Mark
}

export interface Log<T> {
  add(time: number, item: T, mark?: Mark): void
  /** All entries by time; entries of one time stay in the order in which they were added. */
  entries(): readonly Entry<T>[]
}

export function makeLog<T>(): Log<T> {
  const entries: Entry<T>[] = []
  return {
    add: (time, item, mark = {}) => {
      entries.push({ time, item, mark })
    },
    entries: () => entries.toSorted((a, b) => a.time - b.time),
  }
}

/** The day of the story; all times of day below are on it, in UTC. */
export const DAY = Date.UTC(2026, 10, 3)

/** Milliseconds of a time of day such as `09:14:05` or `09:14:05.250` on the day of the story. */
export function at(clock: string): number {
  const match = /^(\d\d):(\d\d):(\d\d)(?:\.(\d{3}))?$/.exec(clock)
  if (!match) throw new RangeError(`no time of day: ${clock}`)
  const [hours = 0, minutes = 0, seconds = 0, thousandths = 0] = match
    .slice(1)
    .map((part) => Number(part ?? 0))
  return DAY + ((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths
}
