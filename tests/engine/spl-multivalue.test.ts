/** Commands on fields with several values. */
import { describe, expect, it } from 'vitest'
import { splDesk } from '../support/spldesk.ts'

const desk = splDesk()

const ROWS = [
  { k: '1', m: ['a', 'b', 'c'], t: 'a,b,,c' },
  { k: '2', t: 'x1y22' },
  { k: '3', m: ['z'], t: 'p q' },
]
const found = (search: string) => desk.found(ROWS, search)

describe('mvexpand', () => {
  it('makes a row of each value, in order, and keeps rows without the field', async () => {
    expect(await found('sort - k | mvexpand m | table k m')).toEqual([
      { k: '3', m: 'z' },
      { k: '2' },
      { k: '1', m: 'a' },
      { k: '1', m: 'b' },
      { k: '1', m: 'c' },
    ])
    expect(await found('mvexpand limit=1 m | table m')).toEqual([{ m: 'a' }, {}, { m: 'z' }])
    expect(await found('mvexpand nothing | stats count')).toEqual([{ count: '3' }])
  })
})

describe('makemv', () => {
  it('takes texts apart at a delimiter or by a pattern', async () => {
    expect(await found('makemv delim="," t | table t | head 1')).toEqual([{ t: ['a', 'b', 'c'] }])
    expect(await found('makemv delim="," allowempty=t t | table t | head 1')).toEqual([
      { t: ['a', 'b', '', 'c'] },
    ])
    expect(await found(String.raw`makemv tokenizer="([a-z])\d*" t | table t | tail 2`)).toEqual([
      { t: ['p', 'q'] },
      { t: ['x', 'y'] },
    ])
    expect(await found('makemv t | table t | tail 1')).toEqual([{ t: ['p', 'q'] }])
    expect(await found('makemv delim="," setsv=t t | table t | head 1')).toEqual([{ t: 'a b c' }])
    expect(await desk.refusal('makemv tokenizer="x" a')).toBe('HR500')
  })
})

describe('mvcombine and nomv', () => {
  it('combines rows that differ in one field', async () => {
    const rows = [{ a: '1', b: 'x' }, { a: '2', b: 'x' }, { a: '1', b: 'y' }, { a: '1' }]
    expect(await desk.found(rows, 'mvcombine b | table a b')).toEqual([
      { a: '1', b: ['x', 'y'] },
      { a: '2', b: ['x'] },
      { a: '1' },
    ])
  })

  it('makes the values of a field one text', async () => {
    expect(await found('nomv m | table m')).toEqual([{ m: 'a\nb\nc' }, {}, { m: 'z' }])
  })
})
