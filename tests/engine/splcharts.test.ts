/** `chart` and `timechart`: columns from the data, gaps, series that are shown and those that are not. */
import { describe, expect, it } from 'vitest'
import { numberDesk } from '../support/splrows.ts'

const desk = numberDesk()

const PAIRS = [
  { a: 'x', b: 'p', v: 1 },
  { a: 'x', b: 'q', v: 2 },
  { a: 'y', b: 'p', v: 3 },
  { a: 'y', v: 4 },
]

describe('chart', () => {
  it('makes a column for each value', async () => {
    expect(await desk.run('where isnotnull(b) | chart count over a by b', PAIRS)).toEqual([
      { a: 'x', p: 1, q: 1 },
      { a: 'y', p: 1, q: 0 },
    ])
    expect(await desk.run('chart sum(v) by a, b', PAIRS)).toEqual([
      { a: 'x', p: 1, q: 2 },
      { a: 'y', p: 3, NULL: 4 },
    ])
    expect(await desk.run('chart sum(v) over a by b usenull=f', PAIRS)).toEqual([
      { a: 'x', p: 1, q: 2 },
      { a: 'y', p: 3 },
    ])
    expect(await desk.run('chart count by a', PAIRS)).toEqual([
      { a: 'x', count: 2 },
      { a: 'y', count: 2 },
    ])
    expect(await desk.run('chart count max(v) as m by a b usenull=f', PAIRS)).toEqual([
      { a: 'x', 'count: p': 1, 'count: q': 1, 'm: p': 1, 'm: q': 2 },
      { a: 'y', 'count: p': 1, 'count: q': 0, 'm: p': 3 },
    ])
    expect(await desk.run('chart count', PAIRS)).toEqual([{ count: 4 }])
    expect(await desk.run('chart count over v span=2 by a', PAIRS)).toEqual([
      { v: '0-2', x: 1, y: 0 },
      { v: '2-4', x: 1, y: 1 },
      { v: '4-6', x: 0, y: 1 },
    ])
  })

  it('shows ranges in the order of their numbers', async () => {
    const rows = [5, 20, 100, 3].map((v) => ({ v }))
    const found = await desk.run('chart count over v bins=20 span=10', rows)
    expect(found.map(({ v }) => v)).toEqual(['0-10', '20-30', '100-110'])
  })

  it('shows the greatest series and the others as one', async () => {
    const rows = ['a', 'a', 'a', 'b', 'b', 'c', 'd'].map((s) => ({ k: 'all', s }))
    expect(await desk.run('chart limit=2 count by k s', rows)).toEqual([
      { k: 'all', a: 3, b: 2, OTHER: 2 },
    ])
    expect(await desk.run('chart limit=2 useother=f count by k s', rows)).toEqual([
      { k: 'all', a: 3, b: 2 },
    ])
    expect(await desk.run('chart limit=bottom1 otherstr=rest count by k s', rows)).toEqual([
      { k: 'all', c: 1, rest: 6 },
    ])
    expect(await desk.run('chart count over k by s where max in top1', rows)).toEqual([
      { k: 'all', a: 3, OTHER: 4 },
    ])
    expect(await desk.run('chart limit=0 count by k s', rows)).toEqual([
      { k: 'all', a: 3, b: 2, c: 1, d: 1 },
    ])
    const lists = [{ k: '1', s: ['a', 'b'] }, { k: '2', s: ['a'] }, { k: '2' }]
    expect(await desk.run('chart count by k s', lists)).toEqual([
      { k: 1, a: 1, b: 1, NULL: 0 },
      { k: 2, a: 1, b: 0, NULL: 1 },
    ])
  })

  it('refuses what it cannot draw', async () => {
    expect(await desk.refusal('chart count by a b where count > 5', PAIRS)).toBe('HR507')
    expect(await desk.refusal('chart count by a b where size in top5', PAIRS)).toBe('HR507')
    expect(await desk.refusal('chart count by a where sum in top5', PAIRS)).toBe('HR500')
    expect(await desk.refusal('chart cont=t count by a b', PAIRS)).toBe('HR507')
    expect(await desk.refusal('timechart dedup_splitvals=t count', TIMES)).toBe('HR507')
    expect(await desk.refusal('chart limit=many count by a b', PAIRS)).toBe('HR506')
    expect(await desk.refusal('chart count by a a', PAIRS)).toBe('HR509')
    expect(await desk.refusal('chart per_hour(v) by a', PAIRS)).toBe('HR509')
    expect(await desk.refusal('chart count by a colour=red', PAIRS)).toBe('HR505')
  })
})

const TIMES = [
  { _time: 0, v: 4, h: 'a' },
  { _time: 120, v: 6, h: 'b' },
]

describe('timechart', () => {
  it('has a row for each span, those without events too', async () => {
    expect(await desk.run('timechart span=1m count', TIMES)).toEqual([
      { _time: 0, count: 1 },
      { _time: 60, count: 0 },
      { _time: 120, count: 1 },
    ])
    expect(await desk.run('timechart span=1m avg(v) as v', TIMES)).toEqual([
      { _time: 0, v: 4 },
      { _time: 60 },
      { _time: 120, v: 6 },
    ])
    expect(await desk.run('timechart cont=f span=1m count', TIMES)).toEqual([
      { _time: 0, count: 1 },
      { _time: 120, count: 1 },
    ])
    const months = [{ _time: 1698796800 }, { _time: 1704067200 }]
    expect((await desk.run('timechart span=1mon count', months)).map((each) => each._time)).toEqual(
      [1698796800, 1701388800, 1704067200],
    )
  })

  it('has a column for each value of a field', async () => {
    expect(await desk.run('timechart span=1m count by h', TIMES)).toEqual([
      { _time: 0, a: 1, b: 0 },
      { _time: 60, a: 0, b: 0 },
      { _time: 120, a: 0, b: 1 },
    ])
    expect(await desk.run('timechart count by h span=2m limit=1', TIMES)).toEqual([
      { _time: 0, a: 1, OTHER: 0 },
      { _time: 120, a: 0, OTHER: 1 },
    ])
    expect(await desk.run('timechart span=1m sum(v) count by h', TIMES)).toEqual([
      { _time: 0, 'sum(v): a': 4, 'count: a': 1, 'count: b': 0 },
      { _time: 60, 'count: a': 0, 'count: b': 0 },
      { _time: 120, 'sum(v): b': 6, 'count: a': 0, 'count: b': 1 },
    ])
    expect(await desk.run('timechart span=2m per_minute(v) by h', TIMES)).toEqual([
      { _time: 0, a: 2 },
      { _time: 120, b: 3 },
    ])
    expect(await desk.run('timechart span=2m per_second(v) as r', TIMES)).toEqual([
      { _time: 0, r: 4 / 120 },
      { _time: 120, r: 6 / 120 },
    ])
  })

  it('chooses a span so that there are no more than a hundred', async () => {
    expect(await desk.run('timechart count', TIMES)).toHaveLength(25)
    expect(await desk.run('timechart bins=3 count', TIMES)).toHaveLength(3)
  })

  it('refuses what it cannot draw', async () => {
    expect(await desk.refusal('timechart partial=f count', TIMES)).toBe('HR507')
    expect(await desk.refusal('timechart count', [{ a: '1' }])).toBe('HR509')
    expect(await desk.refusal('timechart rate_avg(v)', TIMES)).toBe('HR507')
  })
})
