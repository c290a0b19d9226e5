/** Pools of queries: so many at a time, in the order in which they came, and no place lost. */
import { describe, expect, it } from 'vitest'
import { makePools, Pool, pooledRows } from '../../src/detect/schedule/pools.ts'
import { plainSettings } from '../../src/detect/settings.ts'

async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
}

describe('a pool', () => {
  it('lets so many in, and the others in their order', async () => {
    const pool = new Pool(2)
    const inside: number[] = []
    const leave: (() => void)[] = []
    for (const each of [1, 2, 3, 4]) {
      void pool.enter().then((out) => {
        inside.push(each)
        leave.push(out)
      })
    }
    await settled()
    expect(inside).toEqual([1, 2])
    leave[0]?.()
    leave[0]?.()
    await settled()
    expect(inside).toEqual([1, 2, 3])
    leave[1]?.()
    await settled()
    expect(inside).toEqual([1, 2, 3, 4])
  })

  it('forgets who gives up waiting', async () => {
    const pool = new Pool(1)
    const leave = await pool.enter()
    const control = new AbortController()
    const waiting = pool.enter(control.signal)
    control.abort()
    await expect(waiting).rejects.toMatchObject({ kind: 'cancelled' })
    leave()
    ;(await pool.enter())()
    await expect(pool.enter(control.signal)).rejects.toMatchObject({ kind: 'cancelled' })
  })

  it('keeps a place for as long as rows are read, whatever ends that', async () => {
    const pool = new Pool(1)
    const rows = pooledRows(
      {
        async *rows(sql: string) {
          if (sql === 'fails') throw new Error('no')
          yield [1]
          yield [2]
        },
      },
      pool,
    )
    const seen: unknown[] = []
    for await (const [each] of rows('first')) {
      seen.push(each)
      break
    }
    await expect(async () => {
      for await (const each of rows('fails')) seen.push(each)
    }).rejects.toThrow('no')
    for await (const [each] of rows('last')) seen.push(each)
    expect(seen).toEqual([1, 1, 2])
  })

  it('of one kind of work does not wait for another', async () => {
    const pools = makePools(plainSettings().schedule)
    const taken = [
      await pools.schedule.enter(),
      await pools.schedule.enter(),
      await pools.backfill.enter(),
    ]
    const leave = await pools.interactive.enter()
    expect(taken).toHaveLength(3)
    leave()
  })
})
