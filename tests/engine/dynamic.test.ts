/** Functions of dynamic values: no value of the logs makes a query fail, and constant paths reach nested properties. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { arrayFunctions } from '../../src/functions/arrays.ts'
import { bagFunctions } from '../../src/functions/bags.ts'
import { dynamicFunctions } from '../../src/functions/dynamic.ts'
import { fitFunctions } from '../../src/functions/fits.ts'
import type { FunctionRecord, Parameter } from '../../src/functions/record.ts'
import { seriesFunctions } from '../../src/functions/series.ts'
import { setFunctions } from '../../src/functions/sets.ts'
import { type ConstValue, call, type Expr, field, type Scalar } from '../../src/ir/expr.ts'
import type { Rel } from '../../src/ir/rel.ts'
import type { BaseType, Field, Type } from '../../src/ir/types.ts'
import { printSql } from '../../src/sql/print.ts'
import { allRows, type TemporaryEngine, temporaryEngine } from '../support/temporary.ts'

let opened: TemporaryEngine

beforeAll(async () => {
  opened = await temporaryEngine()
})
afterAll(() => opened.close())

/** What logs may hold where a value is expected. */
const ODD: Readonly<Partial<Record<BaseType, readonly Scalar[]>>> = {
  dynamic: [
    null,
    '[]',
    '{}',
    '[null]',
    '[1,"a",{"b":[2]},true,null,1.5,-3]',
    '{"a":{"b":1},"a":2,"":3,"x\\"y":[]}',
    '"text"',
    '7',
    '-1.5e300',
    'true',
    '[[1,2],[3]]',
    `[${Array.from({ length: 300 }, (_, index) => index).join(',')}]`,
    '["é","\\u0000","\\ud83d\\ude00"]',
    // No value of a dynamic column looks like these, but a stored text may.
    '[1,',
    'no json',
    '',
  ],
  text: ['', 'a', '$.a.b', '$', '$.', 'é', '\0', '{"a":[1]}', '[1,', '"', `${'['.repeat(3000)}`],
  int: [0, 1, -1, 2, 300, '9223372036854775807', '-9223372036854775808', null],
  float: [0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, -1e308, null],
  bool: [true, false, null],
}

/** The types that an argument of any type is tried with. */
const TRIED: readonly BaseType[] = ['dynamic', 'text', 'int', 'float', 'bool']

function typesOf(parameter: Parameter | undefined): readonly BaseType[] {
  if (parameter === undefined) return []
  if (parameter.type === 'any') return TRIED
  return typeof parameter.type === 'string' ? [parameter.type] : []
}

/** Rows with odd values of each type at each place of an argument, so many that each value meets many others. */
const PLACES = 6
const out = TRIED.flatMap((type) =>
  Array.from(
    { length: PLACES },
    (_, at): Field => ({ name: at === 0 ? `${type}x` : `${type}${at}`, type }),
  ),
)
const rows = Array.from({ length: 32 }, (_, row) =>
  TRIED.flatMap((type) => {
    const values = ODD[type] ?? [null]
    return Array.from(
      { length: PLACES },
      (__, at): Scalar =>
        values[(row * (at + 1) + Math.floor(row / values.length)) % values.length] ?? null,
    )
  }),
)

const argument = (type: BaseType, at: number): Expr =>
  field(at === 0 ? `${type}x` : `${type}${at}`, type)

/** Arguments of each choice of types for the first two, and one for the rest. */
function argumentLists(record: FunctionRecord): readonly (readonly Expr[])[] {
  const [first, second] = record.takes
  const last = record.takes.at(-1)
  const next = second ?? (last?.many ? last : undefined)
  const rest = record.takes.slice(2).flatMap((each) => typesOf(each).slice(0, 1))
  return typesOf(first).flatMap((one) =>
    next === undefined
      ? [[argument(one, 0)]]
      : typesOf(next).map((two) => [one, two, ...rest].map((type, at) => argument(type, at))),
  )
}

const records = [
  ...dynamicFunctions,
  ...arrayFunctions,
  ...bagFunctions,
  ...setFunctions,
  ...seriesFunctions,
  ...fitFunctions,
]
  .filter(({ takes }) => takes.every((each) => typeof each.type === 'string' && !each.constant))
  // As long as their arguments say, up to a million elements in each row: that is slow, not wrong.
  .filter(({ id }) => id !== 'array.range' && id !== 'array.repeat')

describe('functions of dynamic values', () => {
  it.each(records.map((record) => [record.id, record] as const))(
    '%s never fails, whatever the rows hold',
    async (_, record) => {
      const rel: Rel = {
        op: 'select',
        from: { op: 'values', rows, out },
        keep: argumentLists(record).map((args, index) => ({
          name: `made${index}`,
          value: call(record.id, args, record.gives),
        })),
      }
      expect(await allRows(opened.engine, printSql(rel))).toHaveLength(rows.length)
    },
  )
})

const constant = (value: ConstValue, type: Type): Expr => ({ op: 'const', value, type })

/** The function on one row with a dynamic column `x`. */
async function given(fn: string, value: string, args: readonly Expr[]): Promise<unknown> {
  const rel: Rel = {
    op: 'select',
    from: { op: 'values', rows: [[value]], out: [{ name: 'x', type: 'dynamic' }] },
    keep: [{ name: 'made', value: call(fn, [field('x', 'dynamic'), ...args], 'dynamic') }],
  }
  const [[made] = []] = await allRows(opened.engine, printSql(rel))
  return made
}

describe('constant paths', () => {
  const bag = '{"a":{"b":1,"c":{"d":2}},"e":3}'

  it('reach nested properties', async () => {
    expect(await given('bag.remove_keys', bag, [constant('["e","$.a.c.d"]', 'dynamic')])).toBe(
      '{"a":{"b":1,"c":{}}}',
    )
    expect(await given('bag.set_key', bag, [constant('$.a.c.d', 'text'), constant(5, 'int')])).toBe(
      '{"a":{"b":1,"c":{"d":5}},"e":3}',
    )
    expect(
      await given('bag.set_key', bag, [constant("$['a']['x'].y", 'text'), constant('z', 'text')]),
    ).toBe('{"a":{"b":1,"c":{"d":2},"x":{"y":"z"}},"e":3}')
    expect(await given('dyn.has_key', bag, [constant('$.a.c.d', 'text')])).toBe(true)
    expect(await given('dyn.has_key', bag, [constant('$.a.x', 'text')])).toBe(false)
  })

  it('are read from text in one pass', () => {
    const rel: Rel = {
      op: 'select',
      from: { op: 'values', rows: [['']], out: [{ name: 'x', type: 'text' }] },
      keep: [
        {
          name: 'made',
          value: call(
            'dyn.path',
            [field('x', 'text'), constant('a', 'text'), constant('b', 'text')],
            'dynamic',
          ),
        },
      ],
    }
    expect(printSql(rel).match(/JSONExtract/g)).toHaveLength(1)
  })
})
