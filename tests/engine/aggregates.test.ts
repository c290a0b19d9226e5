/** Aggregates with the semantics of Kusto: of nothing, of missing values, of ties, by a condition and in an order. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkRel } from '../../src/functions/check.ts'
import { type ConstValue, call, type Expr, field, type Scalar } from '../../src/ir/expr.ts'
import type { Rel } from '../../src/ir/rel.ts'
import type { BaseType, Type } from '../../src/ir/types.ts'
import { printSql } from '../../src/sql/print.ts'
import { allRows, type TemporaryEngine, temporaryEngine } from '../support/temporary.ts'

let opened: TemporaryEngine

beforeAll(async () => {
  opened = await temporaryEngine()
})
afterAll(() => opened.close())

const constant = (value: ConstValue, type: Type): Expr => ({ op: 'const', value, type })

interface Asked {
  readonly type?: BaseType
  readonly rest?: readonly Expr[]
  readonly where?: Expr
  /** Puts the number of the row before the value, as the order. */
  readonly before?: boolean
  readonly at?: number
}

/** The aggregate over one column of values, with the number of each row beside it. */
async function aggregated(
  fn: string,
  type: BaseType,
  values: readonly Scalar[],
  asked: Asked = {},
): Promise<unknown> {
  const value = field('x', type)
  const args = asked.before ? [field('n', 'int'), value] : [value]
  const made: Rel = {
    op: 'aggregate',
    by: [],
    into: [
      {
        name: 'made',
        fn,
        args: [...args, ...(asked.rest ?? [])],
        type: asked.type ?? type,
        ...(asked.where === undefined ? {} : { where: asked.where }),
      },
    ],
    from: {
      op: 'values',
      rows: values.map((each, index) => [index, each]),
      out: [
        { name: 'n', type: 'int' },
        { name: 'x', type },
      ],
    },
  }
  const rel: Rel =
    asked.at === undefined
      ? made
      : {
          op: 'select',
          from: made,
          keep: [
            {
              name: 'made',
              value: call('tuple.at', [field('made'), constant(asked.at, 'int')], type),
            },
          ],
        }
  expect(checkRel(rel)).toEqual([])
  const [[given] = []] = await allRows(opened.engine, printSql(rel))
  return given
}

const n = field('n', 'int')
const NOTHING = constant(null, 'int')

describe('sums and means', () => {
  it('are 0 and no number of nothing', async () => {
    expect(await aggregated('agg.sum', 'int', [])).toBe('0')
    expect(await aggregated('agg.sum', 'int32', [null, null], { type: 'int' })).toBe('0')
    expect(await aggregated('agg.sum', 'float', [1.5, null])).toBe(1.5)
    expect(await aggregated('agg.sum', 'span', [5, 6])).toBe('11')
    expect(await aggregated('agg.avg', 'int', [null], { type: 'float' })).toBe('nan')
    expect(await aggregated('agg.avg', 'int', [1, 2], { type: 'float' })).toBe(1.5)
    expect(await aggregated('agg.avg', 'span', [10, 21, null])).toBe('15')
    expect(await aggregated('agg.avg', 'span', [])).toBe(null)
    expect(await aggregated('agg.avg', 'decimal', ['1', '2'])).toBe('1.5')
    expect(
      await aggregated('agg.avg', 'time', [
        '2020-01-01T00:00:00.0000000Z',
        '2020-01-03T00:00:00.0000000Z',
      ]),
    ).toBe('2020-01-02 00:00:00.0000000')
  })

  it('count what meets a condition', async () => {
    const where = call('compare.less', [n, constant(2, 'int')])
    expect(await aggregated('agg.sum', 'int', [1, 2, 4], { where })).toBe('3')
    expect(await aggregated('agg.make_list', 'int', [1, 2, 4], { where, type: 'dynamic' })).toBe(
      '[1,2]',
    )
  })
})

describe('extremes', () => {
  it('are missing of nothing, and no number where one value is none', async () => {
    expect(await aggregated('agg.min', 'int', [])).toBe(null)
    expect(await aggregated('agg.max', 'float', [1, null, -3])).toBe(1)
    expect(await aggregated('agg.min', 'float', [1, null, -3, 0])).toBe(-3)
    expect(await aggregated('agg.max', 'float', [1, Number.NaN, 2])).toBe('nan')
    expect(await aggregated('agg.min', 'float', [1, Number.NaN, 2])).toBe('nan')
    expect(await aggregated('agg.max', 'bool', [true, false])).toBe(true)
  })

  it('choose a row, the first of those alike, and any when all are missing', async () => {
    const rest = [n]
    expect(await aggregated('agg.arg_max', 'int', [5, 9, null], { rest, at: 1 })).toBe('1')
    expect(await aggregated('agg.arg_min', 'int', [5, null, 9], { rest, at: 1 })).toBe('0')
    expect(await aggregated('agg.arg_max', 'float', [5, Number.NaN, 9], { rest, at: 1 })).toBe('1')
    expect(await aggregated('agg.arg_min', 'float', [5, Number.NaN, 9], { rest, at: 1 })).toBe('1')
    expect(await aggregated('agg.arg_max', 'int', [null, null], { rest, at: 0 })).toBe(null)
    const first = { rest, before: true, at: 1 }
    expect(await aggregated('agg.arg_max_first', 'int', [5, 9, 9], first)).toBe('1')
    expect(await aggregated('agg.arg_min_first', 'int', [7, 5, 5], first)).toBe('1')
    expect(await aggregated('agg.arg_max_first', 'int', [null, null], first)).toBe('0')
    expect(await aggregated('agg.arg_max_first', 'text', ['b', 'c', 'c'], first)).toBe('1')
    expect(await aggregated('agg.arg_max_first', 'decimal', ['-1', null], first)).toBe('0')
    expect(await aggregated('agg.arg_min_first', 'decimal', [null, '-1'], first)).toBe('1')
  })
})

describe('collections', () => {
  const type = 'dynamic'

  it('leave out what is missing, and put arrays together', async () => {
    expect(await aggregated('agg.make_list', 'int', [3, null, 1], { type })).toBe('[3,1]')
    expect(await aggregated('agg.make_list', 'text', ['a"', ''], { type })).toBe('["a\\"",""]')
    expect(await aggregated('agg.make_list', 'float', [1.5, 5], { type })).toBe('[1.5,5.0]')
    expect(await aggregated('agg.make_list', 'int', [], { type })).toBe('[]')
    expect(await aggregated('agg.make_list', type, ['[1,2]', '{"a":1}', null, '[3]'])).toBe(
      '[1,2,{"a":1},null,3]',
    )
    expect(
      await aggregated('agg.make_list', 'int', [1, 2, 3], { type, rest: [constant(2, 'int')] }),
    ).toBe('[1,2]')
    expect(await aggregated('agg.make_list_with_nulls', 'int', [1, null], { type })).toBe(
      '[1,null]',
    )
    expect(await aggregated('agg.make_set', 'text', ['b', 'a', 'b', ''], { type })).toBe(
      '["","a","b"]',
    )
    expect(await aggregated('agg.make_set', type, ['["b"]', null, '"b"', '1'])).toBe('["b",1]')
    expect(await aggregated('agg.make_bag', type, ['{"a":1}', '{"a":2,"b":3}', null])).toBe(
      '{"a":1,"b":3}',
    )
    expect(await aggregated('agg.make_bag', type, [])).toBe('{}')
  })

  it('come in the order of a number', async () => {
    const rest = [NOTHING, call('arith.negate', [n], 'int')]
    expect(await aggregated('agg.make_list', 'int', [3, null, 1], { type, rest })).toBe('[1,3]')
    expect(await aggregated('agg.make_list', type, ['[1,2]', '3'], { rest })).toBe('[3,1,2]')
    expect(await aggregated('agg.make_set', 'text', ['b', 'a', 'c', 'b'], { type, rest })).toBe(
      '["b","c","a"]',
    )
    expect(await aggregated('agg.make_set', 'int', [2, null, 1, 2], { type, rest })).toBe('[2,1]')
    expect(await aggregated('agg.make_set', type, ['[1,2]', '[2,3]'], { rest })).toBe('[2,3,1]')
    expect(await aggregated('agg.make_bag', type, ['{"a":1}', '{"a":2,"b":3}'], { rest })).toBe(
      '{"a":2,"b":3}',
    )
    expect(await aggregated('agg.make_list_with_nulls', 'int', [1, null], { type, rest })).toBe(
      '[null,1]',
    )
    const two = [constant(2, 'int'), call('arith.negate', [n], 'int')]
    expect(await aggregated('agg.make_list', 'int', [1, 2, 3], { type, rest: two })).toBe('[3,2]')
    expect(await aggregated('agg.take_first', 'text', ['b', 'a'], { before: true })).toBe('b')
  })
})

describe('statistics', () => {
  it('find percentiles by nearest rank', async () => {
    const percent = (value: number) => [constant(value, 'float')]
    const ten = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    expect(await aggregated('agg.percentile', 'int', ten, { rest: percent(90) })).toBe('9')
    expect(await aggregated('agg.percentile', 'int', ten, { rest: percent(0) })).toBe('1')
    expect(await aggregated('agg.percentile', 'int', ten, { rest: percent(100) })).toBe('10')
    expect(
      await aggregated('agg.percentile', 'float', [1.5, 2.5, 3.5, 4.5], { rest: percent(50) }),
    ).toBe(2.5)
    expect(await aggregated('agg.percentile', 'int', [10, 20], { rest: percent(25) })).toBe('10')
    expect(await aggregated('agg.percentile', 'int', [null], { rest: percent(25) })).toBe(null)
    expect(
      await aggregated('agg.percentiles_array', 'int', ten, {
        type: 'dynamic',
        rest: [constant('[50,90]', 'dynamic')],
      }),
    ).toBe('[5,9]')
    expect(
      await aggregated('agg.percentilew', 'int', [1, 2, 3], {
        rest: [n, constant(50, 'float')],
      }),
    ).toBe('3')
  })

  it('round a variance to ten places, and give 0 for one value', async () => {
    const type = 'float'
    expect(await aggregated('agg.variance', 'int', [1, 2, 3, 4], { type })).toBe(1.6666666667)
    expect(await aggregated('agg.stdev', 'int', [1, 2, 3, 4], { type })).toBe(1.2909944487487155)
    expect(await aggregated('agg.stdevp', 'int', [1, 2, 3, 4], { type })).toBe(1.118033988749895)
    expect(await aggregated('agg.stdev', 'int', [5], { type })).toBe(0)
    expect(await aggregated('agg.stdev', 'int', [null], { type })).toBe(0)
    expect(await aggregated('agg.covariance', 'int', [1, 2, 3], { type, rest: [n] })).toBe(1)
    expect(await aggregated('agg.binary_all_and', 'int', [7, 6])).toBe('6')
  })

  it('count different values exactly', async () => {
    expect(await aggregated('agg.dcount', 'text', ['a', 'A', '', 'a'], { type: 'int' })).toBe('3')
    expect(await aggregated('agg.count_distinct', 'int', [1, null, 1], { type: 'int' })).toBe('1')
  })
})
