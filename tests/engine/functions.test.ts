/** Every example of every function record: on the engine, and through the constant folder where it has one. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { functions } from '../../src/functions/catalogue.ts'
import { checkRel } from '../../src/functions/check.ts'
import type { Example, FunctionRecord } from '../../src/functions/record.ts'
import { type ConstValue, call, type Expr, field, type Scalar } from '../../src/ir/expr.ts'
import type { Rel } from '../../src/ir/rel.ts'
import type { Field, Type } from '../../src/ir/types.ts'
import { printSql } from '../../src/sql/print.ts'
import { allRows, type TemporaryEngine, temporaryEngine } from '../support/temporary.ts'

/** Types whose constants are written as text or as a number in an example. */
const WRITTEN: readonly unknown[] = [
  'bool',
  'dynamic',
  'time',
  'span',
  'guid',
  'decimal',
  'float',
  'int32',
]

function typeOf(value: ConstValue, wanted: Type | 'any' = 'any'): Type {
  if (typeof wanted === 'string' && wanted !== 'any' && WRITTEN.includes(wanted)) return wanted
  if (typeof wanted === 'object' && wanted.list === 'dynamic') return wanted
  if (Array.isArray(value)) return { list: typeof value[0] === 'number' ? 'int' : 'text' }
  if (typeof value === 'number') return 'int'
  return typeof value === 'boolean' ? 'bool' : 'text'
}

/** A result of the engine as the record's type has it: 64-bit numbers come as text, truth as 0 or 1. */
function plainOf(given: unknown, type: Type, wanted: ConstValue): unknown {
  if (type === 'time' && typeof given === 'string') return `${given.replace(' ', 'T')}Z`
  // A number beyond what a number of the test holds is written as text.
  if (typeof wanted === 'string') return given
  if (Array.isArray(given))
    return typeof type === 'object' && type.list === 'int' ? given.map(Number) : given
  if (given === null) return null
  if (['int', 'int32', 'float', 'span'].includes(String(type))) return Number(given)
  return type === 'bool' ? Boolean(given) : given
}

function resultOf(record: FunctionRecord, example: Example): Type {
  return example.givesType ?? record.gives
}

/** The example as a relation of one row, with its variable arguments as columns. */
function exampleRel(record: FunctionRecord, example: Example): Rel {
  const out: Field[] = []
  const row: Scalar[] = []
  const args = example.args.map((value, index): Expr => {
    const parameter = record.takes[index] ?? record.takes.at(-1)
    const type = example.as?.[index] ?? typeOf(value, parameter?.type)
    if (parameter?.constant || (typeof value === 'object' && value !== null)) {
      return { op: 'const', value, type }
    }
    out.push({ name: `a${index}`, type })
    row.push(value)
    return field(`a${index}`, type)
  })
  return {
    op: 'select',
    keep: [{ name: 'result', value: call(record.id, args, resultOf(record, example)) }],
    from: { op: 'values', rows: [row], out },
  }
}

let opened: TemporaryEngine

beforeAll(async () => {
  opened = await temporaryEngine()
})
afterAll(() => opened.close())

describe('functions', () => {
  for (const record of functions.values()) {
    if (record.examples.length === 0) continue
    it(`${record.id} gives what its examples say`, async () => {
      for (const example of record.examples) {
        const rel = exampleRel(record, example)
        expect(checkRel(rel), JSON.stringify(example)).toEqual([])
        const [[given] = []] = await allRows(opened.engine, printSql(rel))
        const plain = plainOf(given, resultOf(record, example), example.gives)
        expect(plain, JSON.stringify(example)).toEqual(example.gives)
        const folded = record.fold?.(example.args)
        if (folded !== undefined) expect(folded, JSON.stringify(example)).toEqual(example.gives)
      }
    })
  }

  it('have an example each, unless they need rows, a stored column, a clock, chance or what only plans make', () => {
    const without = [...functions.values()]
      .filter((record) => record.examples.length === 0 && record.aggregate !== true)
      .map((record) => record.id)
    expect(without.sort()).toEqual([
      // Lists of several lists, sets of rows and tuples: plans make them, tests/detect runs them.
      'dyn.members',
      'eval.random',
      'events.is',
      'guid.random',
      'ipv6.networks',
      'list.zip',
      'map.values',
      'mv.filter',
      'mv.flat_map',
      'mv.map',
      'number.random',
      'pairs.found',
      'pairs.value',
      'row.number',
      'row.values',
      'scan.walk',
      'session.starts',
      'set.has',
      'time.now',
      'time.zones',
      'tuple.at',
    ])
  })
})
