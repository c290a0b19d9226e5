/** Commands that make rows, and those at the end of searches. */
import { describe, expect, it } from 'vitest'
import { type LookupDefinition, PLAIN_LOOKUP } from '../../src/dialects/spl/lookupdef.ts'
import { splDesk, type TestRow } from '../support/spldesk.ts'

const desk = splDesk()
const KEPT: LookupDefinition = {
  name: '',
  kind: 'csv',
  description: '',
  options: PLAIN_LOOKUP,
  fields: [],
  source: '',
  others: new Map(),
  file: '',
}
const EVENTS: readonly TestRow[] = [
  { _time: '10', host: 'a', index: 'm' },
  { _time: '20', host: 'a', index: 'm' },
  { _time: '30', host: 'b', index: 'm' },
]
const around = { indexes: { m: EVENTS } }

describe('making rows', () => {
  it('makes so many', async () => {
    expect(await desk.found([], '| makeresults count=3 | stats count')).toEqual([{ count: '3' }])
    const [row] = await desk.found([], '| makeresults annotate=t | eval a=1')
    expect(Object.keys(row ?? {})).toEqual(['_time', 'splunk_server', 'a'])
  })
  it('makes them of texts', async () => {
    expect(
      await desk.found([], '| makeresults format=csv data="a,b\n1,x\n2,\\"y,z\\"" | table a b'),
    ).toEqual([
      { a: '1', b: 'x' },
      { a: '2', b: 'y,z' },
    ])
    expect(
      await desk.found(
        [],
        '| makeresults format=json data="[{\\"a\\":1},{\\"b\\":[1]}]" | table a b',
      ),
    ).toEqual([{ a: '1' }, { b: '[1]' }])
  })
  it('refuses too many, and what is no data', async () => {
    expect(await desk.refusal('| makeresults count=999999999')).toBe('HR517')
    expect(await desk.refusal('| makeresults format=json data="{"')).toBe('HR500')
    expect(await desk.refusal('| makeresults nosuch=1')).toBe('HR505')
  })
  it('makes steps of time', async () => {
    const found = await desk.found(
      [],
      '| gentimes start=10/1/2024 end=10/3/2024 | table starttime endtime',
    )
    expect(found).toEqual([
      { starttime: '1727740800', endtime: '1727827199' },
      { starttime: '1727827200', endtime: '1727913599' },
      { starttime: '1727913600', endtime: '1727999999' },
    ])
    expect(await desk.found([], '| gentimes start=-3 increment=6h | stats count')).toEqual([
      { count: '12' },
    ])
  })
  it('counts events, and lists what they come from', async () => {
    expect(await desk.found([], '| eventcount index=m', around)).toEqual([{ count: '3' }])
    expect(await desk.found([], '| eventcount summarize=f index=m', around)).toEqual([
      { index: 'm', count: '3' },
    ])
    expect(await desk.found([], '| metadata type=hosts index=m', around)).toEqual([
      {
        host: 'a',
        totalCount: '2',
        firstTime: '10',
        lastTime: '20',
        recentTime: '20',
        type: 'hosts',
      },
      {
        host: 'b',
        totalCount: '1',
        firstTime: '30',
        lastTime: '30',
        recentTime: '30',
        type: 'hosts',
      },
    ])
  })
})

describe('the end of searches', () => {
  const rows: readonly TestRow[] = [{ a: '1', b: 'x y' }, { a: '2' }, { a: '3', b: ['p', 'q'] }]
  it('writes rows as a condition', async () => {
    expect(await desk.found(rows.slice(0, 2), 'format')).toEqual([
      { search: '( ( a="1" AND b="x y" ) OR ( a="2" ) )' },
    ])
    expect(await desk.found([], 'format')).toEqual([{ search: 'NOT ( )' }])
    const custom = 'format maxresults=1 "[" "[" "," "]" ";" "]"'
    expect(await desk.found(rows, custom)).toEqual([{ search: '[ [ a="1" , b="x y" ] ]' }])
  })
  it('gives values to the search around', async () => {
    expect(await desk.found(rows, 'return 2 a z=b')).toEqual([
      { search: 'a="1" z="x y"' },
      { search: 'a="2" ' },
    ])
    expect(await desk.found(rows, 'return $a')).toEqual([{ search: '1' }])
    const search = 'search [ search index=r | return 5 k ] | table k'
    const found = await desk.found([{ k: '1' }, { k: '2' }, { k: '3' }], search, {
      indexes: { r: [{ k: '3' }, { k: '1' }] },
    })
    expect(found).toEqual([{ k: '1' }, { k: '3' }])
  })
  it('tells the range of the search', async () => {
    const [row] = await desk.found(rows, 'head 1 | addinfo | table info_*')
    expect(row).toMatchObject({ info_min_time: '0', info_max_time: '+Infinity' })
  })
  it('keeps rows in a table of their own', async () => {
    const { effects } = await desk.answer(rows, 'collect index=mine source="s"')
    expect(effects.map(({ kind, name }) => [kind, name])).toEqual([['outputlookup', 'index.mine']])
    expect(await desk.refusal('collect index="../x"')).toBe('HR500')
    const csv = '_time,a\n5,x\n7,y\n'
    const kept = { ...KEPT, name: 'index.mine', source: 'index.mine', csv }
    const search = 'search [ search index=mine a=y | fields a ] | table a'
    expect(await desk.found([{ a: 'x' }, { a: 'y' }], search, { lookups: [kept] })).toEqual([
      { a: 'y' },
    ])
  })
  it('says that there is no database of places', async () => {
    const { diagnostics } = await desk.answer(
      rows,
      'iplocation prefix=x_ a | stats count by x_City',
    )
    expect(diagnostics.map(({ code }) => code)).toContain('HR522')
    expect(await desk.refusal('iplocation nosuch=1 a')).toBe('HR505')
  })
  it('leaves rows as they are', async () => {
    expect(
      await desk.found(rows.slice(0, 1), 'tags outputfield=t a | typer | fieldformat a=a+1'),
    ).toEqual([{ a: '1', b: 'x y' }])
  })
})
