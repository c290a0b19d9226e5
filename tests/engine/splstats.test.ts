/** `stats` and its kin: groups, names, lists as keys, missing keys, running values. */
import { describe, expect, it } from 'vitest'
import { numberDesk } from '../support/splrows.ts'

const desk = numberDesk()

const EVENTS = [
  { _time: 3, u: 'b', v: '10' },
  { _time: 1, u: 'a', v: '9' },
  { _time: 2, u: 'a', v: 'x' },
  { _time: 4, v: '1' },
]

describe('stats', () => {
  it('makes one row of each group, those without a key dropped, in the order of keys', async () => {
    expect(await desk.run('stats count, sum(v) as s by u', EVENTS)).toEqual([
      { u: 'a', count: 2, s: 9 },
      { u: 'b', count: 1, s: 10 },
    ])
    const many = ['10', '9', '100'].map((n) => ({ n }))
    expect(await desk.run('stats c by n', many)).toEqual([
      { n: 9, c: 1 },
      { n: 10, c: 1 },
      { n: 100, c: 1 },
    ])
  })

  it('names columns by what was asked for', async () => {
    expect(await desk.run('stats dc(u) sum(v) p50(v) count(eval(u="a")) count', EVENTS)).toEqual([
      { 'dc(u)': 2, 'sum(v)': 20, 'p50(v)': 9, 'count(eval(u="a"))': 2, count: 4 },
    ])
    expect(await desk.run('stats count AS "How many" by u | table "How many"', EVENTS)).toEqual([
      { 'How many': 2 },
      { 'How many': 1 },
    ])
  })

  it('gives one row for no rows, none for no groups', async () => {
    expect(await desk.run('where u="z" | stats count, sum(v)', EVENTS)).toEqual([{ count: 0 }])
    expect(await desk.run('where u="z" | stats count by u', EVENTS)).toEqual([])
    expect(await desk.run('stats count by nothing', EVENTS)).toEqual([])
    expect(
      await desk.run('stats count(nothing) as n, values(nothing), max(nothing)', EVENTS),
    ).toEqual([{ n: 0 }])
  })

  it('spreads patterns over fields', async () => {
    const rows = [
      { a_x: '1', a_y: '2', u: 'k' },
      { a_x: '3', u: 'k' },
    ]
    expect(await desk.run('stats sum(a_*) as s_* by u', rows)).toEqual([{ u: 'k', s_x: 4, s_y: 2 }])
    expect(await desk.run('stats values(*) as * by u', rows)).toEqual([
      { u: 'k', a_x: ['1', '3'], a_y: ['2'] },
    ])
    expect(await desk.run('stats max(a_*)', rows)).toEqual([{ 'max(a_x)': 3, 'max(a_y)': 2 }])
    expect(await desk.run('stats dc', rows)).toEqual([{ 'dc(a_x)': 2, 'dc(a_y)': 1, 'dc(u)': 1 }])
  })

  it('takes each value of a list as a key', async () => {
    const rows = [
      { u: ['x', 'y'], w: ['1', '2'] },
      { u: ['x'], w: ['1'] },
    ]
    expect(await desk.run('stats count by u', rows)).toEqual([
      { u: 'x', count: 2 },
      { u: 'y', count: 1 },
    ])
    expect((await desk.run('stats count by u, w,', rows)).length).toBe(4)
  })

  it('calculates over expressions, and keeps the order of rows', async () => {
    expect(
      await desk.run('stats sum(eval(v*2)) as s avg(eval(if(u="a",1,0))) as a', EVENTS),
    ).toEqual([{ s: 40, a: 0.5 }])
    expect(await desk.run('stats first(u) last(v) latest(u) earliest(v) list(u)', EVENTS)).toEqual([
      {
        'first(u)': 'b',
        'last(v)': 1,
        'latest(u)': 'b',
        'earliest(v)': 9,
        'list(u)': ['b', 'a', 'a'],
      },
    ])
    expect(await desk.run('sort v | stats first(v) as f', EVENTS)).toEqual([{ f: 1 }])
  })

  it('counts along the time for sparklines', async () => {
    expect(await desk.run('stats sparkline(count, 2s) as s, count by u', EVENTS)).toEqual([
      { u: 'a', s: ['##__SPARKLINE__##', '1', '1'], count: 2 },
      { u: 'b', s: ['##__SPARKLINE__##', '0', '1'], count: 1 },
    ])
    expect(await desk.run('stats sparkline', EVENTS)).toEqual([
      { sparkline: ['##__SPARKLINE__##', '1', '1', '1', '1'] },
    ])
  })

  it('refuses what it does not know', async () => {
    expect(await desk.refusal('stats cuont by u')).toBe('HR508')
    expect(await desk.refusal('stats sum(eval(u="a"))', EVENTS)).toBe('HR509')
    expect(await desk.refusal('stats perc(v)', EVENTS)).toBe('HR509')
    expect(await desk.refusal('stats sparkline(avg(v))', EVENTS)).toBe('HR507')
    expect(await desk.refusal('stats sparkline(count, 1mon)', EVENTS)).toBe('HR507')
    expect(await desk.refusal('stats allnum=t avg(v)', EVENTS)).toBe('HR507')
    expect(await desk.refusal('stats speed=3 avg(v)', EVENTS)).toBe('HR505')
    expect(await desk.refusal('stats count as u by u', EVENTS)).toBe('HR509')
    expect(await desk.refusal('stats p101(v)', EVENTS)).toBe('HR500')
    expect(await desk.refusal('stats count by u*', EVENTS)).toBe('HR500')
    expect(await desk.refusal('stats', EVENTS)).toBe('HR500')
  })
})

describe('eventstats', () => {
  it('adds to every row; rows without a key get nothing', async () => {
    expect(await desk.run('eventstats count as n, max(v) as m by u | table u n m', EVENTS)).toEqual(
      [{ u: 'b', n: 1, m: 10 }, { u: 'a', n: 2, m: 'x' }, { u: 'a', n: 2, m: 'x' }, {}],
    )
    expect(await desk.run('eventstats sum(v) as v | table v', EVENTS)).toEqual(
      EVENTS.map(() => ({ v: 20 })),
    )
    expect((await desk.run('eventstats list(u) as l values(v) as w by u', EVENTS))[1]).toEqual({
      _time: 1,
      u: 'a',
      v: 9,
      l: ['a', 'a'],
      w: ['9', 'x'],
    })
  })
})
