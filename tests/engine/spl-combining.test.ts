/** Commands that put searches together, run commands for rows and fields, and convert values. */
import { describe, expect, it } from 'vitest'
import { splDesk } from '../support/spldesk.ts'

const desk = splDesk()

const ROWS = [{ k: '1', a: 'x' }, { k: '2', a: 'y' }, { a: 'none' }]
const indexes = {
  right: [
    { k: '1', b: 'p' },
    { k: '1', b: 'q' },
    { k: '2', b: 'r' },
  ],
}
const found = (search: string) => desk.found(ROWS, search, { indexes })

describe('append and its kin', () => {
  it('put rows behind each other, each side in its order', async () => {
    expect(
      await found('where k>0 | sort - k | append [search index=right | sort - b] | table k b'),
    ).toEqual([{ k: '2' }, { k: '1' }, { k: '2', b: 'r' }, { k: '1', b: 'q' }, { k: '1', b: 'p' }])
    expect(await found('appendpipe [stats count] | tail 1 | table count')).toEqual([{ count: '3' }])
    expect(await desk.refusal('append wrong=1 [search x]')).toBe('HR505')
  })

  it('put rows side by side, and compare them', async () => {
    expect(await found('appendcols [search index=right | fields b k] | table k b')).toEqual([
      { k: '1', b: 'p' },
      { k: '2', b: 'q' },
      { k: '2', b: 'r' },
    ])
    const sides = '[search index=right | fields k] [search index=right k=1 | fields k]'
    expect(await found(`| set diff ${sides}`)).toEqual([{ k: '2' }])
    expect(await found(`| set intersect ${sides}`)).toEqual([{ k: '1' }])
  })
})

describe('map', () => {
  it('runs a search for each row that has its fields', async () => {
    expect(await found('map search="search index=right k=$k$" | table k b')).toEqual(indexes.right)
  })

  it('keeps values of rows values, whatever they hold', async () => {
    const rows = [{ k: '1" | delete' }, { k: '1 | delete' }]
    for (const token of ['$k$', '\\"$k$\\"']) {
      expect(
        await desk.found(rows, `map search="search index=right k=${token}"`, { indexes }),
      ).toEqual([])
    }
    expect(await desk.refusal('map search="search x=$nothing$"')).toBe('HR509')
  })
})

describe('foreach over values', () => {
  it('runs an eval for each value of a field', async () => {
    const rows = [{ a: ['1', '2', '4'] }, { a: ['9'] }, { b: 'x' }]
    const sum = 'eval s=0 | foreach mode=multivalue a [eval s=s+<<ITEM>>, l=<<ITEM>>] | table s l'
    expect(await desk.found(rows, sum)).toEqual([
      { s: '7', l: '4' },
      { s: '9', l: '9' },
      { s: '0' },
    ])
    const kept =
      'foreach mode=multivalue a [eval m=mvappend(m, if(<<ITEM>> > 1, "v" . <<ITEM>>, null()))] | table m'
    expect(await desk.found(rows, kept)).toEqual([{ m: ['v2', 'v4'] }, { m: ['v9'] }, {}])
  })
  it('runs an eval for each value of a JSON list', async () => {
    const rows = [{ j: '[1, "two", 3]' }, { j: 'no' }]
    const search =
      'foreach mode=json_array itemstr=IT j [eval o=if(isnull(o), IT, o . "," . IT)] | table o'
    expect(await desk.found(rows, search)).toEqual([{ o: '1,two,3' }, {}])
  })
  it('bounds the values and takes one eval only', async () => {
    const most = Array.from({ length: 50 }, () => '1')
    const search = 'eval s=0 | foreach mode=multivalue a [eval s=s+<<ITEM>>] | table s'
    expect(await desk.found([{ a: most }], search)).toEqual([{ s: '50' }])
    expect(await desk.refusal('foreach mode=multivalue a b [eval s=<<ITEM>>]')).toBe('HR500')
    expect(await desk.refusal('foreach mode=multivalue a [eval s="<<ITEM>>"]')).toBe('HR507')
    expect(await desk.refusal('foreach mode=multivalue a [where <<ITEM>>=1]')).toBe('HR507')
  })
})

describe('foreach', () => {
  it('runs commands for fields, also such as are no words', async () => {
    const rows = [{ a: 'null', 'b.c': '5', x: '9', avg_x: '2' }]
    const empty = 'foreach * [eval <<FIELD>> = if(<<FIELD>>="null", null(), <<FIELD>>)]'
    expect(await desk.found(rows, empty)).toEqual([{ 'b.c': '5', x: '9', avg_x: '2' }])
    const over = `foreach avg_* [eval d='<<MATCHSTR>>' - 'avg_<<MATCHSTR>>'] | table d`
    expect(await desk.found(rows, over)).toEqual([{ d: '7' }])
  })
})

describe('convert, replace, strcat', () => {
  it('change values', async () => {
    const rows = [{ t: '0', v: 'never', p: '1,234', d: '01:23:45', c: '880 Holmes Lane' }]
    const one = async (search: string) => (await desk.found(rows, search))[0]
    expect(await one('convert timeformat="%Y-%m-%d" ctime(t) ctime(v) | table t v')).toEqual({
      t: '1970-01-01',
      v: 'never',
    })
    expect(await one('convert num(p) dur2sec(d) | table p d')).toEqual({ p: '1234', d: '5025' })
    expect(await one('replace "* Lane" with "Lane *" in c | table c')).toEqual({
      c: 'Lane 880 Holmes',
    })
    expect(await one('strcat t "-" v s | table s')).toEqual({ s: '0-never' })
  })
})
