/**
 * What minutes of which source a batch has touched, as the ledger keeps it: a few runs of minutes with their rows, so
 * that a scheduler can tell which windows a late batch belongs to without reading any event.
 */
import type { ColumnBlock, SourceBlock } from '../schema/batch.ts'
import { META } from '../schema/source.ts'
import { quoteName } from '../sql/quote.ts'
import type { Engine } from './engine.ts'
import { BATCHES } from './tables.ts'

/** Minutes that follow one another: the first and the last, in minutes since 1970, and the events in them. */
export interface TouchedRun {
  readonly source: string
  readonly first: number
  readonly last: number
  readonly rows: number
}

export interface TouchedBatch {
  readonly id: string
  /** Grows with every batch, whatever the clock does. */
  readonly seq: number
  /** Milliseconds since 1970 at which it was stored. */
  readonly ingest: number
  readonly runs: readonly TouchedRun[]
}

/** Runs that the ledger keeps of one source of a batch; those that are nearest to each other are put together. */
const MOST_RUNS = 64
/** Batches that one look at the ledger gives at most. */
export const MOST_TOUCHED = 10_000

const TICKS_PER_MINUTE = 600_000_000
/** 2^32 ticks are so many minutes and so many ticks. */
const WORD_MINUTES = 7
const WORD_TICKS = 2 ** 32 - WORD_MINUTES * TICKS_PER_MINUTE

/** The minutes of a time column with their rows. The sums stay below 2^53, so that no minute is wrong by rounding. */
function minutesOf({ data }: ColumnBlock, rows: number): ReadonlyMap<number, number> {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const counts = new Map<number, number>()
  let current = Number.NaN
  let count = 0
  for (let row = 0; row < rows; row++) {
    const high = view.getInt32(row * 8 + 4, true)
    const rest = high * WORD_TICKS + view.getUint32(row * 8, true)
    const minute = high * WORD_MINUTES + Math.floor(rest / TICKS_PER_MINUTE)
    if (minute === current) {
      count++
      continue
    }
    if (count > 0) counts.set(current, (counts.get(current) ?? 0) + count)
    current = minute
    count = 1
  }
  if (count > 0) counts.set(current, (counts.get(current) ?? 0) + count)
  return counts
}

type Run = [first: number, last: number, rows: number]

/** Runs with the smallest gaps between them filled, so that no more than `MOST_RUNS` are left. */
function coarser(runs: readonly Run[]): readonly Run[] {
  const gaps = runs.slice(1).map(([first], at) => first - (runs[at]?.[1] ?? first))
  const least = gaps.toSorted((a, b) => b - a)[MOST_RUNS - 2] ?? 0
  const found: Run[] = []
  let left = MOST_RUNS - 1
  for (const [at, run] of runs.entries()) {
    const last = found.at(-1)
    const gap = gaps[at - 1] ?? 0
    if (last === undefined || (gap >= least && left > 0)) {
      if (last !== undefined) left--
      found.push([...run])
      continue
    }
    last[1] = run[1]
    last[2] += run[2]
  }
  return found
}

/** The runs of minutes that blocks hold, as texts: source, first and last minute, rows. */
export function touchedTexts(blocks: readonly SourceBlock[]): readonly string[] {
  const bySource = new Map<string, Map<number, number>>()
  for (const { source, rows, columns } of blocks) {
    const time = columns.find(({ name, kind }) => name === META.time && kind === 'time')
    if (time === undefined || rows === 0) continue
    const counts = bySource.get(source) ?? new Map<number, number>()
    bySource.set(source, counts)
    for (const [minute, count] of minutesOf(time, rows)) {
      counts.set(minute, (counts.get(minute) ?? 0) + count)
    }
  }
  return [...bySource].flatMap(([source, counts]) => {
    const runs: Run[] = []
    for (const [minute, count] of [...counts].sort(([a], [b]) => a - b)) {
      const last = runs.at(-1)
      if (last?.[1] === minute - 1) {
        last[1] = minute
        last[2] += count
      } else runs.push([minute, minute, count])
    }
    const kept = runs.length > MOST_RUNS ? coarser(runs) : runs
    return kept.map((run) => `${source} ${run.join(' ')}`)
  })
}

function runOf(text: string): readonly TouchedRun[] {
  const parts = text.split(' ')
  const [first, last, rows] = parts.slice(-3).map(Number)
  if (first === undefined || last === undefined || rows === undefined) return []
  return [{ source: parts.slice(0, -3).join(' '), first, last, rows }]
}

/** Batches that were stored after a number, in their order; no more than `MOST_TOUCHED`. */
export async function readTouched(
  engine: Pick<Engine, 'rows'>,
  after: number,
): Promise<readonly TouchedBatch[]> {
  const seq = quoteName('seq')
  const found: TouchedBatch[] = []
  const sql =
    `SELECT id, ${seq}, toUnixTimestamp64Milli(CAST(ingest, 'DateTime64(3)')), touched ` +
    `FROM ${quoteName(BATCHES)} WHERE ${seq} > ${Math.max(0, Math.floor(after))} ` +
    `ORDER BY ${seq} LIMIT ${MOST_TOUCHED}`
  for await (const [id, number, ingest, touched] of engine.rows(sql)) {
    const texts = Array.isArray(touched) ? touched.map(String) : []
    found.push({
      id: String(id),
      seq: Number(number),
      ingest: Number(ingest),
      runs: texts.flatMap(runOf),
    })
  }
  return found
}

/** Gives each batch a greater number than all before it: the time in microseconds, or more when clocks go back. */
export class Numbering {
  readonly #engine: Pick<Engine, 'rows'>
  readonly #now: () => number
  #last: number | undefined

  constructor(engine: Pick<Engine, 'rows'>, now: () => number) {
    this.#engine = engine
    this.#now = now
  }

  /** The first of so many numbers that follow one another. */
  async take(count: number): Promise<number> {
    if (this.#last === undefined) {
      this.#last = 0
      const sql = `SELECT max(${quoteName('seq')}) FROM ${quoteName(BATCHES)}`
      for await (const [most] of this.#engine.rows(sql)) this.#last = Number(most)
    }
    const first = Math.max(this.#last + 1, Math.floor(this.#now() * 1_000))
    this.#last = first + count - 1
    return first
  }
}
