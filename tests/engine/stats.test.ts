/** Aggregates with the semantics of SPL: texts and numbers, lists, missing values, ranks, times, windows. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { functionOf } from '../../src/functions/catalogue.ts'
import { checkRel } from '../../src/functions/check.ts'
import { type Expr, field, type Scalar, texts } from '../../src/ir/expr.ts'
import type { AggBinding, Rel } from '../../src/ir/rel.ts'
import { isList, type Type } from '../../src/ir/types.ts'
import { printSql } from '../../src/sql/print.ts'
import { allRows, type TemporaryEngine, temporaryEngine } from '../support/temporary.ts'

let opened: TemporaryEngine

beforeAll(async () => {
  opened = await temporaryEngine()
})
afterAll(() => opened.close())

const LIST: Type = { list: 'text' }

/** Rows with a rank `n`, a time `t`, newest first, and a value `x`: a list is written with `;` between. */
function rowsOf(type: Type, values: readonly Scalar[], times?: readonly Scalar[]): Rel {
  const timeOf = (at: number): Scalar => (times === undefined ? 100 - at : (times[at] ?? null))
  if (!isList(type)) {
    return {
      op: 'values',
      rows: values.map((each, at) => [at + 1, timeOf(at), each]),
      out: [
        { name: 'n', type: 'int' },
        { name: 't', type: 'float' },
        { name: 'x', type },
      ],
    }
  }
  const all = values.map((each, at): Rel => {
    const elements = each === null ? [] : String(each).split(';')
    return {
      op: 'select',
      from: { op: 'values', rows: [[at + 1]], out: [{ name: 'n', type: 'int' }] },
      keep: [
        { name: 'n', value: field('n', 'int') },
        { name: 't', value: { op: 'const', value: timeOf(at), type: 'float' } },
        { name: 'x', value: texts(elements) },
      ],
    }
  })
  return { op: 'union', all }
}

function bindingOf(fn: string, type: Type, rest: readonly Expr[]): AggBinding {
  const record = functionOf(`stats.${fn}`)
  const own = record.takes.flatMap(({ name }): readonly Expr[] => {
    if (name === 'value') return [field('x', type)]
    if (name === 'order') return [field('n', 'int')]
    return name === 'time' ? [field('t', 'float')] : rest
  })
  const gives = record.givesFor?.(own.map((each) => each.type)) ?? record.gives
  return { name: 'made', fn: record.id, args: own, type: gives }
}

function plain(value: unknown): unknown {
  return typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value
}

async function stats(
  fn: string,
  type: Type,
  values: readonly Scalar[],
  more: { readonly rest?: readonly Expr[]; readonly times?: readonly Scalar[] } = {},
): Promise<unknown> {
  const from = rowsOf(type, values, more.times)
  const rel: Rel = { op: 'aggregate', by: [], into: [bindingOf(fn, type, more.rest ?? [])], from }
  expect(checkRel(rel)).toEqual([])
  const [[given] = []] = await allRows(opened.engine, printSql(rel))
  return Array.isArray(given) ? given : plain(given)
}

const percent = (value: number): readonly Expr[] => [{ op: 'const', value, type: 'float' }]
const MIXED = ['10', '9', 'x', null, ' 4 ']

describe('counts', () => {
  it('are of values, and of each value of a list', async () => {
    expect(await stats('count', 'text', MIXED)).toBe(4)
    expect(await stats('count', 'float', [1, null])).toBe(1)
    expect(await stats('count', LIST, ['a;b', null, 'b'])).toBe(3)
    expect(await stats('count', 'null', [null])).toBe(0)
    expect(await stats('count_rows', 'text', MIXED)).toBe(5)
    expect(await stats('dc', 'text', ['a', 'a', null, ''])).toBe(2)
    expect(await stats('dc', LIST, ['a;b', 'b'])).toBe(2)
    expect(await stats('estdc', 'int', [1, 1, 2])).toBe(2)
    expect(await stats('estdc_error', 'int', [1])).toBe(0)
  })
})

describe('collections', () => {
  it('hold different values in the order of bytes', async () => {
    expect(await stats('values', 'text', ['10', '9', 'b', 'B', '9', null])).toEqual([
      '10',
      '9',
      'B',
      'b',
    ])
    expect(await stats('values', 'float', [2.5, 10, null])).toEqual(['10', '2.5'])
    expect(await stats('values', LIST, ['b;a', 'a'])).toEqual(['a', 'b'])
    expect(await stats('values', 'text', [])).toEqual([])
  })

  it('hold the first hundred in the order of rows', async () => {
    expect(await stats('list', 'text', ['b', null, 'a', 'b'])).toEqual(['b', 'a', 'b'])
    expect(await stats('list', LIST, ['b;a', null, 'c'])).toEqual(['b', 'a', 'c'])
    const many = await stats(
      'list',
      'int',
      Array.from({ length: 150 }, (_, at) => at),
    )
    expect(many).toEqual(Array.from({ length: 100 }, (_, at) => String(at)))
  })
})

describe('places', () => {
  it('are by rank, by time, and of elements', async () => {
    expect(await stats('first', 'text', [null, 'b', 'c', null])).toBe('b')
    expect(await stats('last', 'text', [null, 'b', 'c', null])).toBe('c')
    expect(await stats('first', LIST, [null, 'b;c', 'd;e'])).toBe('b')
    expect(await stats('last', LIST, ['b;c', 'd;e', null])).toBe('e')
    expect(await stats('first', LIST, [null])).toBeNull()
    expect(await stats('latest', 'text', ['a', 'b', 'c'], { times: [1, 3, 2] })).toBe('b')
    expect(await stats('earliest', 'text', ['a', 'b', 'c'], { times: [1, 3, null] })).toBe('a')
    expect(await stats('latest', 'text', ['a', 'b'], { times: [1, 1] })).toBe('a')
    expect(await stats('earliest', 'text', ['a', 'b'], { times: [1, 1] })).toBe('b')
    expect(await stats('latest', LIST, ['a;b', 'c'], { times: [2, 1] })).toBe('b')
    expect(await stats('latest_time', 'text', ['a', null], { times: [1, 2] })).toBe(1)
    expect(await stats('earliest_time', LIST, [null, 'c'], { times: [1, 2] })).toBe(2)
  })

  it('are of the least and the greatest: as numbers where all are numbers', async () => {
    expect(await stats('max', 'text', ['9', '10', null])).toBe(10)
    expect(await stats('min', 'text', ['9', '10'])).toBe(9)
    expect(await stats('max', 'text', ['9', '10', 'abc'])).toBe('abc')
    expect(await stats('min', 'text', ['9', '10', 'abc'])).toBe(10)
    expect(await stats('max', LIST, ['9;10', '2'])).toBe(10)
    expect(await stats('max', LIST, ['9;10', 'x'])).toBe('x')
    expect(await stats('max', 'text', [null])).toBeNull()
    expect(await stats('min', 'float', [2.5, -1, null])).toBe(-1)
  })

  it('are of what comes most often', async () => {
    expect(await stats('mode', 'text', ['b', 'a', 'b', null])).toBe('b')
    expect(await stats('mode', 'text', ['b', 'a'])).toBe('a')
    expect(await stats('mode', 'text', [null])).toBeNull()
  })
})

describe('numbers', () => {
  it('are added up where they are any', async () => {
    expect(await stats('sum', 'text', MIXED)).toBe(23)
    expect(await stats('sum', LIST, ['1;2', 'x', null, '3'])).toBe(6)
    expect(await stats('sum', 'text', ['x', null])).toBeNull()
    expect(await stats('sum', 'int', [])).toBeNull()
    expect(await stats('avg', 'text', ['1', '2', 'x'])).toBe(1.5)
    expect(await stats('sumsq', 'int', [3, 4])).toBe(25)
    expect(await stats('range', 'text', ['2', '4', '9', 'x'])).toBe(7)
    expect(await stats('range', 'text', ['x'])).toBeNull()
    expect(await stats('range', LIST, ['2;4', '9'])).toBe(7)
  })

  it('vary', async () => {
    expect(await stats('stdev', 'text', ['2', '4', '9'])).toBeCloseTo(3.605551275463989, 12)
    expect(await stats('stdev', 'text', ['2'])).toBe(0)
    expect(await stats('stdev', 'text', ['x'])).toBeNull()
    expect(await stats('var', LIST, ['2;4', '9'])).toBeCloseTo(13, 12)
    expect(await stats('varp', 'int', [2, 4])).toBe(1)
    expect(await stats('stdevp', 'int', [2, 4])).toBe(1)
  })

  it('have percentiles', async () => {
    const ten = Array.from({ length: 10 }, (_, at) => 10 - at)
    expect(await stats('perc', 'int', ten, { rest: percent(50) })).toBe(5.5)
    expect(await stats('perc', 'int', ten, { rest: percent(95) })).toBeCloseTo(9.55, 12)
    expect(await stats('exactperc', 'text', ['1', '2', '3', 'x'], { rest: percent(50) })).toBe(2)
    expect(await stats('upperperc', LIST, ['1;2', '3'], { rest: percent(100) })).toBe(3)
    expect(await stats('median', 'text', ['1', '2', 'x'])).toBe(1.5)
    expect(await stats('median', 'text', ['x'])).toBeNull()
  })

  it('grow', async () => {
    expect(await stats('rate', 'text', ['30', 'x', '10'], { times: [20, 15, 10] })).toBe(2)
    expect(await stats('rate', 'text', ['30'], { times: [20] })).toBeNull()
    expect(await stats('rate', LIST, ['30', '10'], { times: [20, 10] })).toBe(2)
  })
})

describe('windows', () => {
  it('hold the aggregates too', async () => {
    const all = [
      'count',
      'values',
      'list',
      'first',
      'last',
      'max',
      'sum',
      'stdev',
      'median',
      'mode',
      'range',
      'rate',
      'earliest',
    ]
    for (const type of ['text', LIST] as const) {
      const from = rowsOf(type, ['1', '3'])
      const into = all.map((fn) => ({ ...bindingOf(fn, type, []), name: fn }))
      const order = [{ by: field('n', 'int'), down: false, nulls: 'last' as const }]
      const window: Rel = { op: 'window', from, by: [], order, into, frame: 'running' }
      const rel: Rel = { op: 'sort', from: window, order }
      expect(checkRel(rel)).toEqual([])
      const [first = [], last = []] = await allRows(opened.engine, printSql(rel))
      const of = (row: readonly unknown[]) => row.slice(3).map(plain)
      expect(of(first)).toEqual([1, ['1'], ['1'], 1, 1, 1, 1, 0, 1, 1, 0, null, 1])
      expect(of(last)).toEqual([2, ['1', '3'], ['1', '3'], 1, 3, 3, 4, Math.SQRT2, 2, 1, 2, -2, 3])
    }
  })
})
