/**
 * Pools of queries, so that schedules, people and runs of the past do not keep each other waiting: each kind of work has
 * so many queries at a time, and those that wait go on in the order in which they came.
 */
import { EngineError, type QueryOptions } from '../../engine/engine.ts'
import type { RunStore } from '../store.ts'
import type { ScheduleSettings } from './settings.ts'

/** Places of which so many can be taken at a time. */
export class Pool {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(atOnce: number) {
    this.#free = atOnce
  }

  /** Takes a place; gives what lets go of it. An `EngineError` when the signal aborts before there is one. */
  async enter(signal?: AbortSignal): Promise<() => void> {
    const cancelled = (): EngineError => new EngineError('cancelled', 'the query was cancelled')
    if (signal?.aborted === true) throw cancelled()
    if (this.#free > 0) this.#free--
    else {
      await new Promise<void>((go, stop) => {
        const abort = (): void => {
          const at = this.#waiting.indexOf(enter)
          if (at < 0) return
          this.#waiting.splice(at, 1)
          stop(cancelled())
        }
        const enter = (): void => {
          signal?.removeEventListener('abort', abort)
          go()
        }
        this.#waiting.push(enter)
        signal?.addEventListener('abort', abort, { once: true })
      })
    }
    let isIn = true
    return () => {
      if (!isIn) return
      isIn = false
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }
}

export type PoolName = keyof ScheduleSettings['atOnce']
export type Pools = Readonly<Record<PoolName, Pool>>

/** The pools of a store, as the settings size them. */
export function makePools({ atOnce }: Pick<ScheduleSettings, 'atOnce'>): Pools {
  return {
    schedule: new Pool(atOnce.schedule),
    interactive: new Pool(atOnce.interactive),
    backfill: new Pool(atOnce.backfill),
  }
}

/** The rows of a store by way of a pool: a query holds its place until its last row is read, or nobody reads on. */
export function pooledRows(store: Pick<RunStore, 'rows'>, pool: Pool): RunStore['rows'] {
  return async function* rows(sql: string, options: QueryOptions = {}) {
    const leave = await pool.enter(options.signal)
    try {
      yield* store.rows(sql, options)
    } finally {
      leave()
    }
  }
}
