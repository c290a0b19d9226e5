/** `streamstats`: running values, windows of rows and of time, runs. */
import { describe, expect, it } from 'vitest'
import { numberDesk } from '../support/splrows.ts'

const desk = numberDesk()

const ROWS = ['a', 'b', 'a', 'a'].map((g, at) => ({ v: at + 1, g }))

async function column(query: string, name: string, rows: readonly object[] = ROWS) {
  const found = await desk.run(query, rows as typeof ROWS)
  return found.map((each) => each[name])
}

describe('streamstats', () => {
  it('runs along the rows', async () => {
    expect(await column('streamstats sum(v) as s', 's')).toEqual([1, 3, 6, 10])
    expect(await column('streamstats count', 'count')).toEqual([1, 2, 3, 4])
    expect(await column('streamstats count by g', 'count')).toEqual([1, 1, 2, 3])
    expect(await column('sort - v | streamstats sum(v) as s', 's')).toEqual([4, 7, 9, 10])
    expect(await column('streamstats current=f last(v) as p', 'p')).toEqual([undefined, 1, 2, 3])
    expect(await column('streamstats current=f sum(v) as p by g', 'p')).toEqual([
      undefined,
      undefined,
      1,
      4,
    ])
    expect(await column('streamstats values(g) as l', 'l')).toEqual([
      ['a'],
      ['a', 'b'],
      ['a', 'b'],
      ['a', 'b'],
    ])
  })

  it('looks at the last rows, over all groups or over its own', async () => {
    expect(await column('streamstats window=2 sum(v) as s', 's')).toEqual([1, 3, 5, 7])
    expect(await column('streamstats window=2 global=t sum(v) as s by g', 's')).toEqual([
      1, 2, 3, 7,
    ])
    expect(await column('streamstats window=2 global=f sum(v) as s by g', 's')).toEqual([
      1, 2, 4, 7,
    ])
    expect(await column('streamstats window=1 current=f sum(v) as s', 's')).toEqual([
      undefined,
      1,
      2,
      3,
    ])
    expect(await column('streamstats window=2 list(v) as s', 's')).toEqual([
      ['1'],
      ['1', '2'],
      ['2', '3'],
      ['3', '4'],
    ])
  })

  it('looks back in time, whichever way rows come', async () => {
    const up = [0, 30, 60, 200].map((_time) => ({ _time }))
    expect(await column('streamstats time_window=1m count as n', 'n', up)).toEqual([1, 2, 3, 1])
    const down = [200, 60, 30, 30, 0].map((_time) => ({ _time }))
    expect(await column('streamstats time_window=30s count as n', 'n', down)).toEqual([
      1, 1, 2, 3, 3,
    ])
  })

  it('begins anew', async () => {
    const runs = ['a', 'a', 'b', 'a'].map((g) => ({ g }))
    expect(await column('streamstats reset_on_change=t count as n by g', 'n', runs)).toEqual([
      1, 2, 1, 1,
    ])
    expect(await column('streamstats reset_before="("g=="b"")" count as n', 'n', runs)).toEqual([
      1, 2, 1, 2,
    ])
    expect(await column('streamstats reset_after=(g="b") count as n', 'n', runs)).toEqual([
      1, 2, 3, 1,
    ])
    expect(await column('streamstats reset_after="g=b" count as n', 'n', runs)).toEqual([
      1, 2, 3, 4,
    ])
  })

  it('leaves rows without a key alone', async () => {
    const rows = [{ g: 'a' }, { h: 'x' }, { g: 'a' }]
    expect(await column('streamstats count as n by g', 'n', rows)).toEqual([1, undefined, 2])
  })

  it('refuses what it cannot do', async () => {
    expect(await desk.refusal('streamstats window=x count', ROWS)).toBe('HR506')
    expect(await desk.refusal('streamstats reset_on_change=t count', ROWS)).toBe('HR500')
    expect(await desk.refusal('streamstats window=2 time_window=1m count', ROWS)).toBe('HR507')
    expect(await desk.refusal('streamstats time_window=1m current=f count', ROWS)).toBe('HR507')
    expect(await desk.refusal('streamstats time_window=1mon count', ROWS)).toBe('HR506')
  })
})
