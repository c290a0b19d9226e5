/** Recorded cases of SPL: how they are read, and what the comparer lets pass and must not. */
import { describe, expect, it } from 'vitest'
import { readValue } from '../../src/detect/values.ts'
import type { Type } from '../../src/ir/types.ts'
import type { Given } from '../../tools/conform/compare.ts'
import { readCases } from '../../tools/conform/formats.ts'
import type { SplCase } from '../../tools/conform/splcase.ts'
import { compareSpl } from '../../tools/conform/splcompare.ts'
import { writtenRows } from '../../tools/conform/splproduct.ts'

const LIST: Type = { list: 'text' }

function caseOf(given: object, more: object = {}): SplCase {
  const whole = { name: 'authored/x/one', query: 'table a', confidence: 'high', ...given }
  const [only] = readCases({ ...more, cases: [whole] }).searches
  if (only === undefined) throw new Error('no case')
  return only
}

function given(
  columns: Readonly<Record<string, Type>>,
  ...rows: readonly (readonly unknown[])[]
): Given {
  const list = Object.entries(columns).map(([name, type]) => ({ name, type }))
  return {
    columns: list,
    rows: rows.map((row) => row.map((raw, at) => readValue(raw, list[at]?.type ?? 'text'))),
  }
}

const expecting = (rows: readonly object[], columns?: readonly string[]): SplCase =>
  caseOf({ input: [], expected: columns === undefined ? { rows } : { rows, columns } })

const cause = (recorded: SplCase, got: Given): string => compareSpl(recorded, got)?.cause ?? 'same'

describe('reading cases of SPL', () => {
  it('takes rows as fields and lists as several values', () => {
    const { rows, family } = caseOf({ input: [{ a: '1', b: ['x', 'y'], c: null }], expected: {} })
    expect(family).toBe('x')
    expect(rows?.map((row) => Object.fromEntries(row))).toEqual([{ a: '1', b: ['x', 'y'] }])
  })

  it('names the parts of events of a data set as Splunk does', () => {
    const shared = { datasets: { os_a: { rows: [{ n: { m: 1 }, l: [{ k: 1 }, { k: 2 }] }] } } }
    const { rows, indexes } = caseOf({ input: { $dataset: 'os_a' }, expected: {} }, shared)
    expect(rows).toBeUndefined()
    const [row] = indexes.get('a') ?? []
    expect(Object.fromEntries(row ?? [])).toEqual({ 'n.m': '1', 'l{}.k': ['1', '2'] })
  })

  it('reads macros by their number of arguments, and lookups of both forms', () => {
    const { macros, lookups } = caseOf({
      input: [],
      expected: {},
      macros: { 'm(1)': { args: ['x'], definition: 'eval a=$x$' } },
      lookups: { l: { fields: ['a', 'b'], rows: [['1', '2'], { b: '4' }], max_matches: 1 } },
    })
    expect(macros).toEqual([{ name: 'm', args: ['x'], definition: 'eval a=$x$' }])
    expect(lookups[0]).toMatchObject({
      rows: [
        ['1', '2'],
        ['', '4'],
      ],
      options: { max_matches: 1 },
    })
  })

  it('writes rows with lists one by one, others as one table', () => {
    const plain = writtenRows([new Map([['_time', '5']]), new Map([['a', 'x']])])
    expect(plain.rel.op).toBe('values')
    expect(plain.fields).toEqual([
      { name: '_time', type: 'float' },
      { name: 'a', type: 'text' },
    ])
    const listed = writtenRows([new Map([['a', ['x']]]), new Map([['a', 'y']])])
    expect([listed.rel.op, listed.fields]).toEqual(['union', [{ name: 'a', type: LIST }]])
  })
})

describe('comparing rows of searches', () => {
  it('compares numbers by value and texts as they are', () => {
    expect(cause(expecting([{ a: '1234.0' }]), given({ a: 'float' }, [1234]))).toBe('same')
    expect(cause(expecting([{ a: '0404' }]), given({ a: 'text' }, ['404']))).toBe('rows')
    expect(cause(expecting([{ a: 'x' }]), given({ a: 'text' }, ['X']))).toBe('rows')
  })

  it('takes one value and a list of one for the same, and nothing for a missing field', () => {
    expect(cause(expecting([{ a: 'x' }]), given({ a: LIST }, [['x']]))).toBe('same')
    expect(cause(expecting([{}]), given({ a: LIST, b: 'text' }, [[], null]))).toBe('same')
    expect(cause(expecting([{ a: '' }]), given({ a: 'text' }, [null]))).toBe('rows')
    expect(cause(expecting([{ a: ['x', 'y'] }]), given({ a: LIST }, [['y', 'x']]))).toBe('rows')
  })

  it('lets no further field, row or order pass', () => {
    expect(cause(expecting([{ a: 'x' }]), given({ a: 'text', b: 'text' }, ['x', 'y']))).toBe('rows')
    expect(cause(expecting([{ a: 'x' }]), given({ a: 'text' }, ['x'], ['x']))).toBe('count')
    expect(cause(expecting([{ a: 'x' }, { a: 'y' }]), given({ a: 'text' }, ['y'], ['x']))).toBe(
      'order',
    )
  })

  it('holds the columns that the record says, in their order', () => {
    const two = given({ a: 'text', b: 'text' }, ['x', null])
    expect(cause(expecting([{ a: 'x' }], ['a', 'b']), two)).toBe('same')
    expect(cause(expecting([{ a: 'x' }], ['b', 'a']), two)).toBe('columns')
  })
})
