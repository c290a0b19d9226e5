/** `bin`, `top`, `rare`, `fillnull`, `filldown`. */
import { describe, expect, it } from 'vitest'
import { numberDesk } from '../support/splrows.ts'

const desk = numberDesk()

const AGES = [32, 36, 28, 33].map((age) => ({ age }))

async function binned(query: string, name = 'age', rows: readonly object[] = AGES) {
  const found = await desk.run(query, rows as typeof AGES)
  return found.map((each) => each[name])
}

describe('bin', () => {
  it('puts numbers in ranges', async () => {
    expect(await binned('bin age span=10')).toEqual(['30-40', '30-40', '20-30', '30-40'])
    expect((await binned('bin span=2.5 age'))[0]).toBe('30.0-32.5')
    expect((await binned('bin age span=10 as decade', 'decade'))[2]).toBe('20-30')
    expect((await binned('bin age bins=2'))[0]).toBe('30-40')
    expect((await binned('bin age bins=21'))[0]).toBe('32-33')
    expect((await binned('bin age minspan=5'))[0]).toBe('30-40')
    expect((await binned('bin age minspan=101'))[0]).toBe('0-1000')
    expect((await binned('bin age start=0 end=101'))[0]).toBe('0-100')
    expect((await binned('bin age span=1 start=25 end=35'))[1]).toBe('36-37')
    expect((await binned('bin age'))[0]).toBe('32.0-33.0')
    expect((await binned('bin age span=log2'))[0]).toBe('32.0-64.0')
    const text = [{ age: 'old' }, { b: '1' }, { age: '7' }]
    expect(await binned('bin age span=5', 'age', text)).toEqual(['old', undefined, '5-10'])
  })

  it('puts times at the beginning of their span', async () => {
    const times = [1700000059, 1700000100].map((_time) => ({ _time }))
    expect(await desk.run('bin _time span=5m | stats count by _time', times)).toEqual([
      { _time: 1699999800, count: 1 },
      { _time: 1700000100, count: 1 },
    ])
    expect(await binned('bucket _time span=1d', '_time', times)).toEqual([1699920000, 1699920000])
    expect(await binned('bin _time span=1mon', '_time', times)).toEqual([1698796800, 1698796800])
    expect((await binned('bin _time span=2h aligntime=1500000000', '_time', times))[0]).toBe(
      1699994400,
    )
    expect(await binned('bin _time', '_time', times)).toEqual([1700000059, 1700000100])
    expect((await binned('bin _time bins=3', '_time', times))[0]).toBe(1700000040)
  })

  it('refuses what it cannot read', async () => {
    expect(await desk.refusal('bin age span=x', AGES)).toBe('HR506')
    expect(await desk.refusal('bin age bins=1', AGES)).toBe('HR506')
    expect(await desk.refusal('bin age width=3', AGES)).toBe('HR505')
    expect(await desk.refusal('bin age span=0', AGES)).toBe('HR506')
    expect(await desk.refusal('bin', AGES)).toBe('HR500')
  })
})

const USERS = ['a', 'a', 'b', 'c', 'a', 'b'].map((u, at) => ({ u, g: at < 3 ? 'x' : 'y' }))

describe('top and rare', () => {
  it('show how often values come', async () => {
    expect(await desk.run('top u', USERS)).toEqual([
      { u: 'a', count: 3, percent: 50 },
      { u: 'b', count: 2, percent: 33.333333 },
      { u: 'c', count: 1, percent: 16.666667 },
    ])
    expect(await desk.run('top 1 u', USERS)).toEqual([{ u: 'a', count: 3, percent: 50 }])
    expect(await desk.run('rare limit=1 u showperc=f', USERS)).toEqual([{ u: 'c', count: 1 }])
    expect(await desk.run('top limit=1 countfield=n percentfield=p u by g', USERS)).toEqual([
      { g: 'x', u: 'a', n: 2, p: 66.666667 },
      { g: 'y', u: 'a', n: 1, p: 33.333333 },
    ])
    expect(await desk.run('top 1 useother=t otherstr=rest u', USERS)).toEqual([
      { u: 'a', count: 3, percent: 50 },
      { u: 'rest', count: 3, percent: 50 },
    ])
    expect((await desk.run('top u, g showcount=f', USERS))[0]).toEqual({
      u: 'a',
      g: 'x',
      percent: 33.333333,
    })
    expect((await desk.run('top 0 u', USERS)).length).toBe(3)
  })

  it('refuse what they cannot do', async () => {
    expect(await desk.refusal('top 5', USERS)).toBe('HR500')
    expect(await desk.refusal('top u showcounts=f', USERS)).toBe('HR505')
    expect(await desk.refusal('top u*', USERS)).toBe('HR507')
  })
})

describe('fillnull and filldown', () => {
  const rows = [{ a: '1', b: 'x' }, { a: '2', m: ['p', 'q'] }, { b: 'y' }]
  it('fill what is missing', async () => {
    expect(await desk.run('fillnull', rows)).toEqual([
      { a: 1, b: 'x', m: ['0'] },
      { a: 2, b: 0, m: ['p', 'q'] },
      { a: 0, b: 'y', m: ['0'] },
    ])
    expect((await desk.run('fillnull value=none b, c', rows))[1]).toEqual({
      a: 2,
      b: 'none',
      c: 'none',
      m: ['p', 'q'],
    })
    expect((await desk.run('fillnull value="" b', rows))[1]?.b).toBe('')
    expect(await desk.run('fields a b | filldown', rows)).toEqual([
      { a: 1, b: 'x' },
      { a: 2, b: 'x' },
      { a: 2, b: 'y' },
    ])
    expect(await desk.run('stats sum(z) as s count | fillnull', rows)).toEqual([{ s: 0, count: 3 }])
    expect(await desk.run('stats sum(z) as s | fillnull value=- s', rows)).toEqual([{ s: '-' }])
  })
})
