/** Totals, numbers along the rows, ranges with names, tables that are turned. */
import { describe, expect, it } from 'vitest'
import { numberDesk } from '../support/splrows.ts'

const desk = numberDesk()

async function column(query: string, name: string, rows: readonly object[]) {
  const found = await desk.run(query, rows as { v: number }[])
  return found.map((each) => each[name])
}

const NUMBERS = [3, 5, 4, 10].map((v) => ({ v }))

describe('totals', () => {
  const rows = [
    { u: 'x', a: 1, b: 2 },
    { u: 'y', a: 3 },
  ]
  it('are of rows', async () => {
    expect(await desk.run('addtotals fieldname=S a b | table S', [{ a: 1, b: 2 }])).toEqual([
      { S: 3 },
    ])
    expect(await column('addtotals', 'Total', rows)).toEqual([3, 3])
    expect(await column('addtotals a*', 'Total', rows)).toEqual([1, 3])
  })

  it('are of fields', async () => {
    expect(await desk.run('addcoltotals labelfield=u label=All', rows)).toEqual([
      ...rows,
      { u: 'All', a: 4, b: 2 },
    ])
    expect(await desk.run('addtotals col=t labelfield=u', rows)).toEqual([
      { u: 'x', a: 1, b: 2, Total: 3 },
      { u: 'y', a: 3, Total: 3 },
      { u: 'Total', a: 4, b: 2, Total: 6 },
    ])
    expect(await desk.run('stats count avg(a) as m by u | addcoltotals', rows)).toEqual([
      { u: 'x', count: 1, m: 1 },
      { u: 'y', count: 1, m: 3 },
      { count: 2, m: 4 },
    ])
    expect(await desk.run('addtotals row=f col=t b', rows)).toEqual([...rows, { b: 2 }])
  })
})

describe('numbers along the rows', () => {
  it('differ from those before, and add up', async () => {
    expect(await column('delta v as d', 'd', NUMBERS)).toEqual([undefined, 2, -1, 6])
    expect(await column('delta v p=2', 'delta(v)', NUMBERS)).toEqual([undefined, undefined, 1, 5])
    expect(await column('accum v as s', 's', NUMBERS)).toEqual([3, 8, 12, 22])
    expect(await column('accum v', 'v', [{ v: 1 }, { v: 'x' }, { v: 2 }])).toEqual([
      1,
      undefined,
      3,
    ])
    expect(await column('autoregress v', 'v_p1', NUMBERS)).toEqual([undefined, 3, 5, 4])
    expect((await desk.run('autoregress v p=1-2', NUMBERS))[3]).toEqual({ v: 10, v_p1: 4, v_p2: 5 })
    expect(await column('autoregress v as w p=3', 'w', NUMBERS)).toEqual([
      undefined,
      undefined,
      undefined,
      3,
    ])
  })

  it('have trends', async () => {
    expect(await column('trendline sma2(v)', 'sma2(v)', NUMBERS)).toEqual([undefined, 4, 4.5, 7])
    expect(await column('trendline wma2(v) as t', 't', NUMBERS)).toEqual([
      undefined,
      (3 + 10) / 3,
      (5 + 8) / 3,
      (4 + 20) / 3,
    ])
    expect(await desk.refusal('trendline ema5(v)', NUMBERS)).toBe('HR507')
    expect(await desk.refusal('trendline sma1(v)', NUMBERS)).toBe('HR500')
  })

  it('lie outside', async () => {
    const many = [1, 2, 3, 4, 100].map((v) => ({ v }))
    expect(await column('outlier v', 'v', many)).toEqual([1, 2, 3, 4, 9])
    expect(await column('outlier action=remove v', 'v', many)).toEqual([1, 2, 3, 4])
    expect((await column('outlier mark=t v', 'v', many)).at(-1)).toBe('0009')
    expect(await desk.refusal('outlier type=mean v', many)).toBe('HR506')
  })

  it('are in ranges with names', async () => {
    const query = 'rangemap field=v low=0-4 high=5-9 default=top'
    expect(await column(query, 'range', NUMBERS)).toEqual(['low', 'high', 'low', 'top'])
    expect(await column('rangemap field=v a=0-4 b=4-9', 'range', NUMBERS)).toEqual([
      ['a'],
      ['b'],
      ['a', 'b'],
      ['None'],
    ])
    expect(await column('rangemap field=v low=-5--1', 'range', [{ v: -3 }])).toEqual(['low'])
    expect(await desk.refusal('rangemap field=v low=few', NUMBERS)).toBe('HR506')
    expect(await desk.refusal('rangemap low=1-2', NUMBERS)).toBe('HR500')
  })
})

describe('tables', () => {
  const cells = [
    { a: 'x', b: 'p', n: 1 },
    { a: 'x', b: 'q', n: 2 },
    { a: 'w', b: 'p', n: 3 },
  ]
  it('are made of cells, and taken apart', async () => {
    const table = [
      { a: 'w', p: 3 },
      { a: 'x', p: 1, q: 2 },
    ]
    expect(await desk.run('xyseries a b n', cells)).toEqual(table)
    expect(await desk.run('eval m=n*2 | xyseries sep="-" a b n m', cells)).toEqual([
      { a: 'w', 'n-p': 3, 'm-p': 6 },
      { a: 'x', 'n-p': 1, 'n-q': 2, 'm-p': 2, 'm-q': 4 },
    ])
    expect(await desk.run('untable a k v', table)).toEqual([
      { a: 'w', k: 'p', v: 3 },
      { a: 'x', k: 'p', v: 1 },
      { a: 'x', k: 'q', v: 2 },
    ])
    expect(await desk.refusal('xyseries a b', cells)).toBe('HR500')
    expect(await desk.refusal('untable a b', cells)).toBe('HR500')
  })

  it('are turned', async () => {
    expect(await desk.run('transpose', cells)).toEqual([
      { column: 'a', 'row 1': 'x', 'row 2': 'x', 'row 3': 'w' },
      { column: 'b', 'row 1': 'p', 'row 2': 'q', 'row 3': 'p' },
      { column: 'n', 'row 1': 1, 'row 2': 2, 'row 3': 3 },
    ])
    expect(
      await desk.run('fields b n | transpose 2 column_name=name header_field=b', cells),
    ).toEqual([{ name: 'n', p: 1, q: 2 }])
  })

  it('are not made too wide', async () => {
    const many = Array.from({ length: 201 }, (_, at) => ({ a: 'x', b: `c${at}`, n: at }))
    await expect(desk.run('xyseries a b n', many)).rejects.toThrow('HR517')
    await expect(desk.run('transpose 0', many)).rejects.toThrow('HR517')
    await expect(desk.run('chart limit=201 count by a b', many)).rejects.toThrow('HR517')
    expect(
      Object.keys((await desk.run('chart limit=200 count by a b', many))[0] ?? {}),
    ).toHaveLength(202)
  })

  it('have rows for what lies between', async () => {
    const times = [
      { _time: 0, v: 1 },
      { _time: 120, v: 2 },
    ]
    expect(await desk.run('makecontinuous _time span=1m', times)).toEqual([
      { _time: 0, v: 1 },
      { _time: 60 },
      { _time: 120, v: 2 },
    ])
    expect(await column('makecontinuous v span=1', 'v', [{ v: 1 }, { v: 4 }])).toEqual([1, 2, 3, 4])
  })

  it('of other kinds are refused by name', async () => {
    expect(await desk.refusal('sistats count', cells)).toBe('HR504')
    expect(await desk.refusal('predict n', cells)).toBe('HR504')
    expect(await desk.refusal('anomalydetection n', cells)).toBe('HR504')
  })
})
