/**
 * Every function of the query languages with values that break conversions, divisions and positions: a query may give
 * nothing for a row, but no row may end it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { functions } from '../../src/functions/catalogue.ts'
import type { Example, FunctionRecord } from '../../src/functions/record.ts'
import { call, type Expr, field, type Scalar } from '../../src/ir/expr.ts'
import type { BaseType, Field, Type } from '../../src/ir/types.ts'
import { printSql } from '../../src/sql/print.ts'
import { allRows, type TemporaryEngine, temporaryEngine } from '../support/temporary.ts'

const MOST_ROWS = 100
/** Functions that may make a million elements for each row. */
const HEAVY: ReadonlySet<string> = new Set(['array.range', 'array.repeat'])

const VALUES: Readonly<Record<string, readonly Scalar[]>> = {
  int: ['9223372036854775807', '-9223372036854775808', 0, 1, -1, 63, 64, null],
  int32: [2147483647, -2147483648, 0, -1, null],
  float: [
    1e308,
    -1e308,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    0,
    0.5,
    null,
  ],
  decimal: [`${'9'.repeat(55)}.5`, `-${'9'.repeat(55)}.5`, '0', '0.00000000000000000001', null],
  time: [
    '0001-01-01T00:00:00.0000000Z',
    '9999-12-31T23:59:59.9999999Z',
    '1970-01-01T00:00:00.0000000Z',
    null,
  ],
  span: ['9223372036854775807', '-9223372036854775808', 0, 1, -1, null],
  text: ['', 'x', '%', '\\', '9'.repeat(80), '::ffff:1.2.3.4', '1.2.3.4/24', '\u{1f600}'],
  bool: [true, false, null],
  guid: ['70fc66f7-8279-44fc-9092-d364d70fce44', null],
  dynamic: ['1', '"a"', '{"a":1}', '[1,null,"x",[2],{"b":3}]', '[]', 'true', '1e400', null],
}

let opened: TemporaryEngine

beforeAll(async () => {
  opened = await temporaryEngine()
})
afterAll(() => opened.close())

/** The type an argument has where a parameter takes any: that of the example, or one of what any call may bring. */
function typesOf(record: FunctionRecord, example: Example): readonly (readonly Type[])[] {
  const at = (index: number, any: BaseType | undefined): Type => {
    const parameter = record.takes[index] ?? record.takes.at(-1)
    if (parameter !== undefined && parameter.type !== 'any') return parameter.type
    if (parameter?.constant || any === undefined) {
      const value = example.args[index]
      return example.as?.[index] ?? (typeof value === 'number' ? 'int' : 'text')
    }
    return any
  }
  const isOpen = record.takes.some((each) => each.type === 'any' && each.constant !== true)
  const isOne = record.takes.length === 1 && record.takes[0]?.many !== true
  const choices = [undefined, ...(isOpen && isOne ? (['dynamic', 'float', 'int'] as const) : [])]
  return choices.map((any) => example.args.map((_, index) => at(index, any)))
}

function queryOf(record: FunctionRecord, example: Example, types: readonly Type[]): string {
  const out: Field[] = []
  let rows: readonly (readonly Scalar[])[] = [[]]
  const args = example.args.map((value, index): Expr => {
    const type = types[index] ?? 'text'
    const parameter = record.takes[index] ?? record.takes.at(-1)
    if (parameter?.constant || typeof type === 'object') return { op: 'const', value, type }
    const values = VALUES[type] ?? [null]
    out.push({ name: `a${index}`, type })
    rows =
      rows.length * values.length > MOST_ROWS
        ? rows.map((row, at) => [...row, values[at % values.length] ?? null])
        : rows.flatMap((row) => values.map((each) => [...row, each]))
    return field(`a${index}`, type)
  })
  const gives = example.givesType ?? record.gives
  const keep = [{ name: 'result', value: call(record.id, args, gives) }]
  const some = HEAVY.has(record.id) ? rows.slice(0, 1) : rows
  return printSql({ op: 'select', keep, from: { op: 'values', rows: some, out } })
}

describe('functions of the query languages', () => {
  for (const record of functions.values()) {
    if (record.spelled?.kusto === undefined || record.aggregate || record.examples.length === 0)
      continue
    it(`${record.id} fails on no row`, async () => {
      const shapes = new Map<string, string>()
      for (const example of record.examples) {
        for (const types of typesOf(record, example)) {
          const isConstant = record.takes.some((each) => each.constant)
          const key = `${JSON.stringify(types)} ${isConstant ? JSON.stringify(example.args) : ''}`
          if (!shapes.has(key)) shapes.set(key, queryOf(record, example, types))
        }
      }
      const failures: string[] = []
      for (const [key, query] of shapes) {
        try {
          await allRows(opened.engine, query)
        } catch (error) {
          failures.push(`${key}: ${String(error).slice(0, 200)}`)
        }
      }
      expect(failures).toEqual([])
    })
  }
})
