/** Values of results: from the engine's JSON, and as Kusto prints them in tables and in JSON. */
import { describe, expect, it } from 'vitest'
import { printSpan } from '../../src/core/time.ts'
import {
  compactJson,
  jsonOfValue,
  printReal,
  printValue,
  readValue,
  typeWord,
} from '../../src/detect/values.ts'
import type { Type } from '../../src/ir/types.ts'

const DAY = 864_000_000_000n

describe('values of results', () => {
  it.each<readonly [Type, unknown, string, string]>([
    ['bool', true, 'True', 'true'],
    ['bool', 0, 'False', 'false'],
    ['int32', 7, '7', '7'],
    ['int', '-9223372036854775808', '-9223372036854775808', '-9223372036854775808'],
    ['float', 1, '1', '1'],
    ['float', 0.1, '0.1', '0.1'],
    ['float', 'nan', 'NaN', '"NaN"'],
    ['float', '-inf', '-Infinity', '"-Infinity"'],
    ['float', 6.37134336e17, '6.37134336E+17', '637134336000000000'],
    ['decimal', '12345678901234567890.100', '12345678901234567890.1', '12345678901234567890.1'],
    ['decimal', 10, '10', '10'],
    ['text', 'a"b', 'a"b', '"a\\"b"'],
    ['text', '', '', '""'],
    ['text', 'null', 'null', '"null"'],
    [
      'time',
      '0001-01-01 00:00:00.0000001',
      '0001-01-01T00:00:00.0000001Z',
      '"0001-01-01T00:00:00.0000001Z"',
    ],
    ['span', '937845000000', '1.02:03:04.5000000', '"1.02:03:04.5000000"'],
    ['guid', 'ab', 'ab', '"ab"'],
    ['dynamic', '{ "a" : [1, "x y"] }', '{"a":[1,"x y"]}', '{"a":[1,"x y"]}'],
    ['dynamic', '"text"', 'text', '"text"'],
    ['dynamic', '12345678901234567890', '12345678901234567890', '12345678901234567890'],
    ['dynamic', 'not json', 'not json', '"not json"'],
    [{ list: 'text' }, ['a', 'b'], '["a","b"]', '["a","b"]'],
  ])('prints %j %j as %s and %s', (type, raw, text, json) => {
    const value = readValue(raw, type)
    expect(printValue(value, type)).toBe(text)
    expect(jsonOfValue(value, type)).toBe(json)
  })

  it('prints null as nothing in a table, and as null in JSON', () => {
    for (const type of ['bool', 'int', 'float', 'time', 'span', 'dynamic', 'guid'] as const) {
      expect(readValue(null, type)).toBeNull()
      expect(printValue(null, type)).toBe('')
      expect(jsonOfValue(null, type)).toBe('null')
    }
  })

  it.each<readonly [Type, unknown]>([
    ['int', 1.5],
    ['int', 'x'],
    ['float', 'x'],
    ['time', 'yesterday'],
    ['bool', 'x'],
  ])('refuses what a type cannot hold: %j %j', (type, raw) => {
    expect(() => readValue(raw, type)).toThrow(TypeError)
  })

  it('names types as Kusto does', () => {
    const types: readonly Type[] = ['int32', 'int', 'float', 'span', 'text', { list: 'int' }]
    expect(types.map(typeWord)).toEqual(['int', 'long', 'real', 'timespan', 'string', 'dynamic'])
  })
})

describe('real numbers', () => {
  it.each<readonly [number, string]>([
    [0, '0'],
    [-0, '-0'],
    [-5.5, '-5.5'],
    [100000.5, '100000.5'],
    [0.004086771438464067, '0.004086771438464067'],
    [0.0001, '0.0001'],
    [0.00001, '1E-05'],
    [1e-7, '1E-07'],
    [999999999999999, '999999999999999'],
    [1e15, '1E+15'],
    [9.223372036854776e18, '9.223372036854776E+18'],
    [-1.5e300, '-1.5E+300'],
    [864000000000, '864000000000'],
  ])('%d is %s', (value, text) => {
    expect(printReal(value)).toBe(text)
  })
})

describe('time spans', () => {
  it.each<readonly [bigint, string]>([
    [0n, '00:00:00'],
    [1n, '00:00:00.0000001'],
    [-DAY / 48n, '-00:30:00'],
    [7n * DAY - 1n, '6.23:59:59.9999999'],
    [3_652_058n * DAY, '3652058.00:00:00'],
    [-(2n ** 63n), '-10675199.02:48:05.4775808'],
  ])('%d ticks are %s', (ticks, text) => {
    expect(printSpan(ticks)).toBe(text)
  })
})

describe('JSON without blanks', () => {
  it('keeps texts and digits as they are', () => {
    expect(compactJson(' { "a b" : "\\" x \\\\" ,\n"c": 1.0 } ')).toBe(
      '{"a b":"\\" x \\\\","c":1.0}',
    )
    expect(compactJson('{"__proto__": 1}')).toBe('{"__proto__":1}')
    expect(compactJson('{')).toBeUndefined()
    expect(compactJson('')).toBeUndefined()
  })

  it('holds out against depth', () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`
    expect(compactJson(deep)).toBe(deep)
  })
})
