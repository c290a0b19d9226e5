/** Rows of searches as findings read them, and the verdict of a published unit test on them. */
import { describe, expect, it } from 'vitest'
import { SplRows } from '../../src/detect/splvalues.ts'
import type { ResultColumn } from '../../src/detect/values.ts'
import { unitVerdict } from '../../src/detect/verdict.ts'

const COLUMNS: readonly ResultColumn[] = [
  { name: '_time', type: 'float' },
  { name: 'dest', type: 'text' },
  { name: 'users{}.name', type: { list: 'text' } },
  { name: 'count', type: 'int' },
  { name: 'firstTime', type: 'text' },
]
const rows = new SplRows(COLUMNS)

describe('a row', () => {
  const row = [1_767_323_045.123, 'HOST$dest$', '["a","b"]', 3n, '2026-01-01T00:00:00']

  it('has its fields as texts and lists', () => {
    expect(rows.event(row)).toEqual({
      _time: '2026-01-02T03:04:05.1230000Z',
      dest: 'HOST$dest$',
      'users{}.name': ['a', 'b'],
      count: '3',
      firstTime: '2026-01-01T00:00:00',
    })
    expect(rows.event([null, null, '[]', null, ''])).toEqual({ firstTime: '' })
    expect(rows.event([null, null, '["x"]', null, null])).toEqual({ 'users{}.name': 'x' })
  })

  it('fills texts once: what is put in is not read again, what is missing stays', () => {
    expect(rows.filled('$dest$ by $users{}.name$, $count$ times, $nope$ 5$ $', row, 1_000)).toBe(
      'HOST$dest$ by a, b, 3 times, $nope$ 5$ $',
    )
  })

  it('fills no more than what is wanted', () => {
    const long = [null, 'x'.repeat(100_000), '[]', null, null]
    expect(rows.filled('$dest$'.repeat(10_000), long, 500)).toBe('x'.repeat(500))
    expect(rows.filled(`a $count$${'b'.repeat(1_000)}`, long, 10)).toBe('a $count$b')
  })

  it('says when it happened by the surest of its fields', () => {
    expect(rows.time(row)).toBe('2026-01-02T03:04:05.1230000Z')
    expect(rows.time([null, ...row.slice(1)])).toBe('2026-01-01T00:00:00.0000000Z')
    expect(rows.time([null, null, null, null, '1767225600'])).toBe('2026-01-01T00:00:00.0000000Z')
    expect(rows.time([null, null, null, null, 'soon'])).toBeUndefined()
  })
})

describe('the verdict', () => {
  const rule = {
    riskObjects: [{ field: 'dest', type: 'system', score: 1 }],
    threatObjects: [{ field: 'users{}.name', type: 'x' }],
  }
  const verdict = (...all: readonly (readonly [string | null, string])[]) =>
    unitVerdict(
      rule,
      all.map(
        ([dest, users]) =>
          (field) =>
            rows.values([null, dest, users, null, null], field),
      ),
    ).reasons

  it('wants a row, every risk object in each row, and evidence in one', () => {
    expect(verdict(['h', '["a"]'])).toEqual([])
    expect(verdict(['h', '[]'], ['h', '["a"]'])).toEqual([])
    expect(verdict()).toEqual(['the search gives no row'])
    expect(verdict(['h', '["a"]'], [null, '["a"]'], ['null', '["a"]'])).toEqual([
      'the risk object dest is missing in 2 rows',
    ])
    expect(verdict(['h', '["null"]'], ['h', '[]'])).toEqual([
      'the threat object users{}.name is missing in every row',
    ])
  })
})
