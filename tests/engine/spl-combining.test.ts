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

describe('foreach', () => {
  it('runs commands for fields, also such as are no words', async () => {
    const rows = [{ a: 'null', 'b.c': '5', x: '9', avg_x: '2' }]
    const empty = 'foreach * [eval <<FIELD>> = if(<<FIELD>>="null", null(), <<FIELD>>)]'
    expect(await desk.found(rows, empty)).toEqual([{ 'b.c': '5', x: '9', avg_x: '2' }])
    const over = `foreach avg_* [eval d='<<MATCHSTR>>' - 'avg_<<MATCHSTR>>'] | table d`
    expect(await desk.found(rows, over)).toEqual([{ d: '7' }])
    expect(await desk.refusal('foreach mode=multivalue a [eval b=<<ITEM>>]')).toBe('HR507')
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
