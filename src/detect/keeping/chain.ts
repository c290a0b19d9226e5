/**
 * Which of equal findings are told: the first, then the first that lies a period or more after the last that was told.
 * What is told hangs on the times of the findings alone, so that the order in which they come up changes nothing.
 */

const TICKS_PER_SECOND = 10_000_000

/** A period as ticks of 100 ns. */
export function periodTicks(seconds: number): bigint {
  return BigInt(Math.max(0, Math.round(seconds * TICKS_PER_SECOND)))
}

interface Linked {
  /** Ticks since 1970. */
  readonly at: bigint
  readonly id: string
}

/** The order of a chain: by time, then by id. */
export const byTime = (a: Linked, b: Linked): number =>
  a.at < b.at ? -1 : a.at > b.at ? 1 : a.id < b.id ? -1 : a.id > b.id ? 1 : 0

/**
 * The findings that are told, of equal ones. `last` is the time of the last one told before them. With `isTogether` those
 * of one time are told together.
 */
export function toldOf<T extends Linked>(
  all: readonly T[],
  period: bigint,
  { last, isTogether = false }: { readonly last?: bigint; readonly isTogether?: boolean } = {},
): ReadonlySet<T> {
  const told = new Set<T>()
  let before = last
  for (const each of all.toSorted(byTime)) {
    const isFirst = before === undefined || each.at - before >= period
    if (!isFirst && !(isTogether && each.at === before)) continue
    told.add(each)
    before = each.at
  }
  return told
}
