/**
 * When a scheduled rule runs over logs of the past: at each step of its frequency whose window holds events. Nothing
 * here reads a clock.
 */
import { limits } from '../core/limits.ts'
import { instantOfTicks, printInstant, ticksIn } from '../core/time.ts'
import { call, type Expr, field } from '../ir/expr.ts'
import type { Rel, TimeBounds } from '../ir/rel.ts'
import type { KustoPart, TunedSchedule } from '../rules/rule.ts'
import { META } from '../schema/source.ts'
import { printSql } from '../sql/print.ts'
import type { RunStore } from './store.ts'
import { readValue } from './values.ts'

/** One run of a rule: its time, and the events that it may see, the first bound included and the last not. */
export interface RunWindow {
  readonly at: string
  readonly time: TimeBounds
}

/** A run that a schedule asks for, with what it must know of the run before it. */
export interface ScheduledRun {
  readonly window: RunWindow
  /** The scheduled time before: events from then on are new to this run. */
  readonly since: string
  /** True when no event is in the window of the run before, too. */
  readonly isApart: boolean
}

/** A run of the past. `isFresh`: the run before it, which is left out, has seen no event. */
export interface PastRun extends RunWindow {
  readonly isFresh: boolean
}

const TICKS_PER_MS = 10_000n
/** How far runs on what has just come in are apart. */
const NRT_MS = 60_000

const isoOf = (ticks: bigint): string => printInstant(instantOfTicks(ticks))

/** Lengths of a rule's schedule in ticks: how far its runs are apart, and how far back each looks. */
export interface Cadence {
  readonly apart: bigint
  readonly back: bigint
}

/** The schedule of a rule; undefined for a query that has none. A rule that runs on what has just come in steps by the minute. */
export function cadenceOf(
  { queryFrequency, queryPeriod, kind }: KustoPart,
  tuned?: TunedSchedule,
): Cadence | undefined {
  const ticks = (ms: number): bigint => BigInt(Math.round(ms)) * TICKS_PER_MS
  const isNew = kind === 'NRT' || queryFrequency === 0
  const usual = isNew ? NRT_MS : (queryFrequency ?? queryPeriod)
  const apart = tuned?.every ?? usual ?? tuned?.lookback
  if (apart === undefined || apart <= 0) return undefined
  const back = tuned?.lookback ?? (isNew || usual === undefined ? apart : (queryPeriod ?? usual))
  return { apart: ticks(apart), back: ticks(back) }
}

/** The slots of a length, in ticks, that hold events of sources. */
export async function slotsOf(
  store: Pick<RunStore, 'rows'>,
  sources: readonly string[],
  time: TimeBounds,
  length: bigint,
): Promise<ReadonlySet<bigint>> {
  const found = new Set<bigint>()
  for (const name of sources) {
    const at = field(META.time, 'time')
    const rel: Rel = {
      op: 'aggregate',
      from: { op: 'scan', table: { kind: 'source', name }, time, out: [] },
      by: [
        {
          name: '@@slot',
          value: call(
            'time.slot',
            [
              { ...at, stored: 'plain' },
              { op: 'const', value: String(length), type: 'span' },
            ],
            'int',
          ),
        },
      ],
      into: [],
    }
    for await (const [slot] of store.rows(printSql(rel))) found.add(BigInt(String(slot)))
  }
  return found
}

/** The time just after the last event of sources; undefined when there is none. */
export async function endOf(
  store: Pick<RunStore, 'rows'>,
  sources: readonly string[],
  time: TimeBounds,
): Promise<string | undefined> {
  let last: string | undefined
  const at: Expr = { ...field(META.time, 'time'), stored: 'plain' }
  for (const name of sources) {
    const out = [{ name: META.time, type: 'time' as const, stored: 'plain' as const }]
    const scan: Rel = { op: 'scan', table: { kind: 'source', name }, time, out }
    const order = [{ by: at, down: true, nulls: 'last' as const }]
    const rel: Rel = { op: 'limit', from: { op: 'sort', from: scan, order }, rows: 1 }
    for await (const [value] of store.rows(printSql(rel))) {
      const read = readValue(value, 'time')
      if (typeof read === 'string' && (last === undefined || read > last)) last = read
    }
  }
  return last === undefined ? undefined : isoOf(ticksIn(last) + 1n)
}

/** Which runs of a schedule are wanted. */
export interface Wanted extends Cadence {
  /** Runs between others that see no event are wanted too: what the rule waits for is that there are none. */
  readonly silent: boolean
  /** A run that sees the same events as the one before gives the same, and is left out. */
  readonly changed: boolean
}

/** The numbers of the runs over the slots that hold events, in order; not all of them when they are too many. */
function runsOver(
  found: ReadonlySet<bigint>,
  { apart, back, silent, changed }: Wanted,
): readonly (readonly [run: bigint, isFresh: boolean])[] {
  const slots = [...found].sort((a, b) => (a < b ? -1 : 1))
  const isEven = back % apart === 0n
  const reach = back / apart + (isEven ? 0n : 1n)
  // What a run gains is in the slot just before it, what it loses in the one that the run before began with.
  const isWanted = (run: bigint): boolean =>
    !changed || !isEven || found.has(run - 1n) || found.has(run - 1n - reach)
  const [first, last] = [slots[0], slots.at(-1)]
  if (first === undefined || last === undefined) return []
  if (silent) {
    const runs: [bigint, boolean][] = []
    for (let run = first + 1n; run <= last + 1n && runs.length <= limits.ruleWindows; run++) {
      runs.push([run, run === first + 1n])
    }
    return runs
  }
  const runs = new Set<bigint>()
  for (const slot of slots) {
    for (let step = 1n; step <= reach; step++) {
      const run = slot + step
      if (isWanted(run)) runs.add(run)
    }
    if (runs.size > limits.ruleWindows) break
  }
  const sorted = [...runs].sort((a, b) => (a < b ? -1 : 1))
  let at = 0
  return sorted.map((run, index) => {
    const before = sorted[index - 1]
    if (before === undefined) return [run, true]
    // The run after the last event that the run before has seen is gone, sees none unless others have come.
    while (at + 1 < slots.length && (slots[at + 1] ?? before) < before) at++
    return [run, run > (slots[at] ?? before) + reach + 1n]
  })
}

/** The runs of a schedule that see events, in order; undefined when there are more than `limits.ruleWindows`. */
export async function windowsOf(
  store: Pick<RunStore, 'rows'>,
  sources: readonly string[],
  time: TimeBounds,
  wanted: Wanted,
): Promise<readonly PastRun[] | undefined> {
  const runs = runsOver(await slotsOf(store, sources, time, wanted.apart), wanted)
  if (runs.length > limits.ruleWindows) return undefined
  return runs.map(([run, isFresh]) => ({ ...windowAt(run * wanted.apart, wanted.back), isFresh }))
}

/** The run at a time. */
export function windowAt(ticks: bigint, back: bigint | undefined): RunWindow {
  const to = isoOf(ticks)
  return { at: to, time: back === undefined ? { to } : { from: isoOf(ticks - back), to } }
}
