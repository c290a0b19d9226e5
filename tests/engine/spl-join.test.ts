/** `join`: kinds, keys, several matches, fields of both sides. */
import { describe, expect, it } from 'vitest'
import { splDesk } from '../support/spldesk.ts'

const desk = splDesk()

const LEFT = [{ k: '1', a: 'x' }, { k: '2', a: 'y' }, { k: '3', a: 'z' }, { a: 'none' }]
const indexes = {
  right: [
    { k: '1', b: 'p' },
    { k: '1', b: 'q' },
    { k: '2', b: 'r', a: 'OVER' },
  ],
}
const found = (search: string, rows: Parameters<typeof desk.found>[0] = LEFT) =>
  desk.found(rows, search, { indexes })

describe('join', () => {
  it('keeps rows that have a match, the first one, whose fields go before', async () => {
    expect(await found('join k [search index=right] | table k a b')).toEqual([
      { k: '1', a: 'x', b: 'p' },
      { k: '2', a: 'OVER', b: 'r' },
    ])
    expect(await found('join k overwrite=false [search index=right] | table k a b')).toEqual([
      { k: '1', a: 'x', b: 'p' },
      { k: '2', a: 'y', b: 'r' },
    ])
  })

  it('keeps all rows with type=left and type=outer', async () => {
    for (const type of ['left', 'outer']) {
      expect(
        await found(`join type=${type} k [search index=right | fields k b] | table k a b`),
      ).toEqual([
        { k: '1', a: 'x', b: 'p' },
        { k: '2', a: 'y', b: 'r' },
        { k: '3', a: 'z' },
        { a: 'none' },
      ])
    }
  })

  it('gives a row for each match with max=0, in the order of both sides', async () => {
    expect(await found('join max=0 k [search index=right | fields k b] | table k b')).toEqual([
      { k: '1', b: 'p' },
      { k: '1', b: 'q' },
      { k: '2', b: 'r' },
    ])
    expect(await found('join k max=0 [search index=right | sort - b] | table k b')).toEqual([
      { k: '1', b: 'q' },
      { k: '1', b: 'p' },
      { k: '2', b: 'r' },
    ])
  })

  it('joins by all fields in common when none is named', async () => {
    expect(await found('join [search index=right] | table k a b')).toEqual([])
    expect(await found('join [search index=right | fields - a] | table k b')).toHaveLength(2)
  })

  it('takes lists of names, numbers, and fields with several values as keys', async () => {
    const rows = [{ k: '1', n: '5' }]
    expect(
      await found('eval m=n+0 | join k, m [search index=right | eval m=2+3] | table k b', rows),
    ).toEqual([{ k: '1', b: 'p' }])
    expect(
      await found('stats values(k) as k | join k [search index=right] | table b', rows),
    ).toEqual([{ b: 'p' }])
  })

  it('looks right sides up after grouping', async () => {
    expect(
      await found(
        'join k [search index=right | stats count values(b) as b by k] | table k b count',
      ),
    ).toEqual([
      { k: '1', b: ['p', 'q'], count: '2' },
      { k: '2', b: ['r'], count: '1' },
    ])
  })

  it('refuses what it cannot do', async () => {
    expect(await desk.refusal('join k [search index=right] [search index=right]')).toBe('HR500')
    expect(await desk.refusal('join k')).toBe('HR500')
    expect(await desk.refusal('join usetime=true k [search x]')).toBe('HR507')
    expect(await desk.refusal('join left=L right=R where L.a=R.a [search x]')).toBe('HR507')
    expect(await desk.refusal('join kind=left k [search x]')).toBe('HR505')
  })
})
