/**
 * One owner of the schedule of a store. A claim is a row with the next number; when all who claim it at the same time can
 * see each other, the earliest by the server's clock is the owner. A lease that has
 * not been renewed in time is free for whoever comes next, who takes a greater number; the rows of its owner of before
 * then count for nothing.
 */
import type { RecordOf, RecordSpec, Records, RecordTable } from '../../engine/records.ts'
import type { RunStore } from '../store.ts'

const LEASE = {
  fence: 'number',
  holder: 'text',
  /** When it was claimed and last renewed, by the server's clock, in milliseconds. */
  claimed: 'number',
  renewed: 'number',
  /** 1 when its owner has let go of it, 2 when it was no more than a claim. */
  released: 'number',
} as const

const LEASES: RecordSpec<typeof LEASE> = {
  name: 'schedule_leases',
  columns: LEASE,
  key: ['fence', 'holder'],
}

type LeaseRow = RecordOf<typeof LEASE>

/** How long a lease holds when it is not renewed, and how often it is. */
const LEASE_MS = 60_000
const RENEW_MS = 10_000
/** How long a claim waits for others of the same moment to be seen; a claim that takes longer to write is no good. */
const SETTLE_MS = 1_000
const TRIES = 3

/** The clock of the scheduler, so that tests bring their own. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Milliseconds that only ever grow, for lengths of time. */
  elapsed(): number
  /** Resolves after so many milliseconds, or when the signal aborts. */
  wait(ms: number, signal?: AbortSignal): Promise<void>
}

/** The schedule belongs to someone else. */
export class LeaseError extends Error {
  readonly holder: string
  constructor(holder: string) {
    super(`the schedule of this store is run by ${holder}`)
    this.name = 'LeaseError'
    this.holder = holder
  }
}

export interface LeaseOptions {
  readonly store: Pick<RunStore, 'rows'> & { readonly records: Records }
  /** Who this is, for others to read. */
  readonly holder: string
  readonly clock: Clock
  /** True for a holder that is known to be no more: its lease is free at once. */
  readonly hasEnded?: (holder: string) => boolean
  /** How long a lease holds, in milliseconds; for tests. */
  readonly holds?: number
}

async function serverTime(store: Pick<RunStore, 'rows'>): Promise<number> {
  for await (const [ms] of store.rows('SELECT toUnixTimestamp64Milli(now64(3))')) return Number(ms)
  return 0
}

const RELEASED = 1
const WITHDRAWN = 2

/** The lease with the greatest number, of those the one that was claimed first; undefined when its owner let go of it. */
async function latest(table: RecordTable<typeof LEASE>): Promise<LeaseRow | undefined> {
  const [found] = await table.read({
    where: [{ column: 'released', is: '<', value: WITHDRAWN }],
    order: ['-fence', 'claimed', 'holder'],
    limit: 1,
  })
  return found?.released === RELEASED ? undefined : found
}

export class Lease {
  readonly #options: LeaseOptions
  readonly #table: RecordTable<typeof LEASE>
  readonly fence: number
  readonly #claimed: number
  #renewedAt: number
  #isOver = false

  private constructor(
    options: LeaseOptions,
    table: RecordTable<typeof LEASE>,
    row: LeaseRow,
    renewedAt: number,
  ) {
    this.#options = options
    this.#table = table
    this.fence = row.fence
    this.#claimed = row.claimed
    this.#renewedAt = renewedAt
  }

  /** Claims the schedule. A `LeaseError` when someone else has it. */
  static async claim(options: LeaseOptions): Promise<Lease> {
    const { store, holder, clock } = options
    const table = await store.records.table(LEASES)
    for (let tries = 1; ; tries++) {
      const [greatest] = await table.read({ order: ['-fence'], limit: 1 })
      const last = await latest(table)
      const begun = clock.elapsed()
      const claimed = await serverTime(store)
      const isHeld = last !== undefined && options.hasEnded?.(last.holder) !== true
      if (isHeld && claimed - last.renewed < (options.holds ?? LEASE_MS)) {
        throw new LeaseError(last.holder)
      }
      const row = {
        fence: (greatest?.fence ?? 0) + 1,
        holder,
        claimed,
        renewed: claimed,
        released: 0,
      }
      await table.append([row])
      const isPrompt = clock.elapsed() - begun < SETTLE_MS
      if (isPrompt) {
        await clock.wait(SETTLE_MS)
        const first = await latest(table)
        if (first?.holder === holder && first.fence === row.fence) {
          return new Lease(options, table, row, begun)
        }
      }
      await table.append([{ ...row, released: WITHDRAWN }])
      if (tries === TRIES) throw new LeaseError((await latest(table))?.holder ?? 'nobody yet')
    }
  }

  /** Makes sure that the schedule is still ours, and renews the lease where it is time. A `LeaseError` when it is lost. */
  async hold(): Promise<void> {
    const { store, clock, holder } = this.#options
    const at = clock.elapsed()
    const age = at - this.#renewedAt
    if (!this.#isOver && age < RENEW_MS) return
    const last = await latest(this.#table)
    const isOurs = last !== undefined && last.fence === this.fence && last.holder === holder
    // One that has run out is still ours as long as nobody else has taken a greater number.
    if (this.#isOver || !isOurs) {
      this.#isOver = true
      throw new LeaseError(isOurs || last === undefined ? 'nobody any more' : last.holder)
    }
    const renewed = await serverTime(store)
    await this.#table.append([
      { fence: this.fence, holder, claimed: this.#claimed, renewed, released: 0 },
    ])
    this.#renewedAt = at
  }

  /** Lets go of the schedule, so that the next owner need not wait. */
  async release(): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    const { store, holder } = this.#options
    const renewed = await serverTime(store)
    await this.#table.append([
      { fence: this.fence, holder, claimed: this.#claimed, renewed, released: RELEASED },
    ])
  }

  /** Who runs the schedule now; undefined when nobody does. */
  static async holderOf({ store }: Pick<LeaseOptions, 'store'>): Promise<string | undefined> {
    const last = await latest(await store.records.table(LEASES))
    if (last === undefined) return undefined
    return (await serverTime(store)) - last.renewed < LEASE_MS ? last.holder : undefined
  }
}
