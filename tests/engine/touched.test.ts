/** What the ledger tells of the minutes that batches touched, in new stores and in those of earlier versions. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openStore } from '../../src/engine/store.ts'
import { touchedTexts } from '../../src/engine/touched.ts'
import { batchOf, blockOf } from '../support/batches.ts'
import { temporaryStore } from '../support/temporary.ts'

const NOON = Date.UTC(2024, 4, 1, 12)
const MINUTE = 60_000

const at = (...minutes: readonly number[]) =>
  minutes.map((minute) => ({ time: NOON + minute * MINUTE, fields: [['a', 'x']] as const }))

const NOON_MINUTE = NOON / MINUTE

let opened: Awaited<ReturnType<typeof temporaryStore>>
beforeAll(async () => {
  opened = await temporaryStore()
})
afterAll(() => opened.close())

describe('batches that were stored after one', () => {
  it('are told with the minutes that they touched, in the order of storing', async () => {
    const { store } = opened
    const before = await store.touched(0)
    expect(before).toEqual([])
    await store.write(
      batchOf([blockOf('a.b', at(0, 1, 1, 7)), blockOf('c d', at(-3))], { id: '1' }),
    )
    await store.write(batchOf([blockOf('a.b', at(2))], { id: '2' }))
    await store.write(batchOf([blockOf('a.b', at(2))], { id: '2' }))
    const all = await store.touched(0)
    expect(all.map(({ id }) => id)).toEqual(['1', '2'])
    expect(all[0]?.runs).toEqual([
      { source: 'a.b', first: NOON_MINUTE, last: NOON_MINUTE + 1, rows: 3 },
      { source: 'a.b', first: NOON_MINUTE + 7, last: NOON_MINUTE + 7, rows: 1 },
      { source: 'c d', first: NOON_MINUTE - 3, last: NOON_MINUTE - 3, rows: 1 },
    ])
    const [first] = all
    expect((await store.touched(first?.seq ?? 0)).map(({ id }) => id)).toEqual(['2'])
    expect(Math.abs((first?.ingest ?? 0) - Date.now())).toBeLessThan(60_000)
  })

  it('have numbers that grow though the clock goes back, in a reopened store too', async () => {
    let now = Date.now() + 10 * MINUTE
    const store = await openStore({ engine: opened.engine, now: () => now })
    const last = (await store.touched(0)).at(-1)?.seq ?? 0
    await Promise.all(['3', '4'].map((id) => store.write(batchOf([blockOf('a.b', at(1))], { id }))))
    now -= 60 * MINUTE
    await store.write(batchOf([blockOf('a.b', at(1))], { id: '5' }))
    const again = await openStore({ engine: opened.engine, now: () => 0 })
    await again.write(batchOf([blockOf('a.b', at(1))], { id: '6' }))
    const found = await again.touched(last)
    expect(found.map(({ id }) => id)).toEqual(['3', '4', '5', '6'])
    expect(new Set(found.map(({ seq }) => seq)).size).toBe(4)
  })

  it('are not told where an earlier version stored them', async () => {
    const { engine, store } = opened
    await engine.command('ALTER TABLE batches DROP COLUMN seq')
    await engine.command('ALTER TABLE batches DROP COLUMN touched')
    const grown = await openStore({ engine })
    expect(await grown.touched(0)).toEqual([])
    await grown.write(batchOf([blockOf('a.b', at(5))], { id: '7' }))
    expect((await store.touched(0)).map(({ id }) => id)).toEqual(['7'])
  })
})

describe('the minutes of a block', () => {
  const minutes = fc.array(fc.integer({ min: -30_000_000, max: 100_000_000 }), { maxLength: 300 })

  it('cover every event, in a bounded number of runs, with the right number of rows', () => {
    fc.assert(
      fc.property(minutes, fc.integer({ min: 0, max: 59_999 }), (all, ms) => {
        const times = all.map((minute) => Math.min(minute * MINUTE + ms, Date.UTC(2299, 0, 1)))
        const texts = touchedTexts([
          blockOf(
            's',
            times.map((time) => ({ time })),
          ),
        ])
        const runs = texts.map((text) => text.split(' ').slice(1).map(Number))
        expect(runs.length).toBeLessThanOrEqual(64)
        expect(runs.reduce((sum, [, , rows = 0]) => sum + rows, 0)).toBe(times.length)
        for (const time of times) {
          const minute = Math.floor(time / MINUTE)
          const inside = runs.filter(([first = 0, last = 0]) => first <= minute && minute <= last)
          expect(inside).toHaveLength(1)
        }
      }),
    )
  })
})
