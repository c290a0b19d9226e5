/**
 * Values of a query's result: rows of the engine as typed values, and their text as Kusto prints them in a table and
 * in JSON. Takes the engine's JSON values and the types of the plan's columns; pure.
 */

import { printSpan } from '../core/time.ts'
import { kustoTypeName } from '../dialects/kusto/adapter.ts'
import { isList, type Type } from '../ir/types.ts'

/**
 * One value. A whole number, and a time span in 100-ns ticks, is a bigint; a time is ISO text with seven digits and
 * `Z`; dynamic is JSON text; decimals, guids and texts are themselves; a list is JSON text.
 */
export type Value = null | boolean | number | bigint | string

export interface ResultColumn {
  readonly name: string
  readonly type: Type
}

/** What Kusto calls the type of a column. */
export function typeWord(type: Type): string {
  return isList(type) ? 'dynamic' : kustoTypeName(type)
}

const DENORMAL: ReadonlyMap<string, number> = new Map([
  ['nan', Number.NaN],
  ['-nan', Number.NaN],
  ['inf', Number.POSITIVE_INFINITY],
  ['-inf', Number.NEGATIVE_INFINITY],
])

function wholeOf(raw: unknown): bigint | undefined {
  if (typeof raw === 'bigint') return raw
  if (typeof raw === 'number') return Number.isInteger(raw) ? BigInt(raw) : undefined
  if (typeof raw === 'boolean') return raw ? 1n : 0n
  return typeof raw === 'string' && /^-?\d{1,40}$/.test(raw) ? BigInt(raw) : undefined
}

function realOf(raw: unknown): number | undefined {
  if (typeof raw === 'number') return raw
  if (typeof raw !== 'string' || raw === '') return undefined
  const known = DENORMAL.get(raw)
  if (known !== undefined) return known
  const value = Number(raw)
  return Number.isNaN(value) ? undefined : value
}

const TIME = /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{1,9})?Z?$/

function timeOf(raw: unknown): string | undefined {
  if (typeof raw !== 'string' || !TIME.test(raw)) return undefined
  const [whole = '', fraction = ''] = raw.replace('Z', '').split('.')
  return `${whole.replace(' ', 'T')}.${`${fraction}0000000`.slice(0, 7)}Z`
}

/**
 * A value of the engine (JSONCompactEachRow) as a value of its column's type. A value that the type cannot hold is
 * an error of our own and throws.
 */
export function readValue(raw: unknown, type: Type): Value {
  if (raw === null || raw === undefined) return null
  if (isList(type)) return JSON.stringify(raw)
  const value = read(raw, type)
  if (value !== undefined) return value
  throw new TypeError(`the engine gave ${JSON.stringify(raw)} for a value of type ${type}`)
}

function read(raw: unknown, type: Exclude<Type, object>): Value | undefined {
  switch (type) {
    case 'bool': {
      if (typeof raw === 'boolean') return raw
      const whole = wholeOf(raw)
      return whole === undefined ? undefined : whole !== 0n
    }
    case 'int32':
    case 'int':
    case 'span':
      return wholeOf(raw)
    case 'float':
      return realOf(raw)
    case 'time':
      return timeOf(raw)
    case 'decimal':
      return typeof raw === 'string' || typeof raw === 'number'
        ? plainDecimal(String(raw))
        : undefined
    default:
      return typeof raw === 'string' ? raw : JSON.stringify(raw)
  }
}

/** A decimal without the zeros at its end that say nothing. */
function plainDecimal(text: string): string {
  return /^-?\d+\.\d+$/.test(text) ? text.replace(/\.?0+$/, '') : text
}

/**
 * A real number in the fewest digits that read back as the same number, with an exponent from 1E+15 up and below
 * 0.0001, as Kusto prints it.
 */
export function printReal(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [mantissa = '', exponent = ''] = value.toExponential().split('e')
  const power = Number(exponent)
  if (power >= 15 || power < -4) {
    const digits = String(Math.abs(power)).padStart(2, '0')
    return `${mantissa}E${power < 0 ? '-' : '+'}${digits}`
  }
  const sign = value < 0 ? '-' : ''
  const digits = mantissa.replace(/[-.]/g, '')
  if (power < 0) return `${sign}0.${'0'.repeat(-power - 1)}${digits}`
  const whole = digits.slice(0, power + 1).padEnd(power + 1, '0')
  const fraction = digits.slice(power + 1)
  return fraction === '' ? `${sign}${whole}` : `${sign}${whole}.${fraction}`
}

/** JSON text without blanks between its parts; numbers keep their digits. Undefined for what is not JSON. */
export function compactJson(text: string): string | undefined {
  try {
    JSON.parse(text)
  } catch {
    return undefined
  }
  let out = ''
  let from = 0
  let isText = false
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (isText) {
      if (char === 0x5c) at++
      else if (char === 0x22) isText = false
    } else if (char === 0x22) {
      isText = true
    } else if (char === 0x20 || (char >= 0x09 && char <= 0x0d)) {
      out += text.slice(from, at)
      from = at + 1
    }
  }
  return out + text.slice(from)
}

function printDynamic(text: string): string {
  const compact = compactJson(text)
  if (compact === undefined) return text
  if (!compact.startsWith('"')) return compact
  const inner: unknown = JSON.parse(compact)
  return typeof inner === 'string' ? inner : compact
}

/** The value as a cell of a table: nothing for null, a text that is dynamic without its quotes. */
export function printValue(value: Value, type: Type): string {
  if (value === null) return ''
  switch (typeof value) {
    case 'boolean':
      return value ? 'True' : 'False'
    case 'number':
      return printReal(value)
    case 'bigint':
      return type === 'span' ? printSpan(value) : String(value)
    default:
      return typeWord(type) === 'dynamic' ? printDynamic(value) : value
  }
}

/** The value as JSON: numbers keep all digits, a time span is its text, infinities and NaN are texts. */
export function jsonOfValue(value: Value, type: Type): string {
  if (value === null) return 'null'
  switch (typeof value) {
    case 'boolean':
      return String(value)
    case 'number':
      if (!Number.isFinite(value)) return `"${printReal(value)}"`
      return JSON.stringify(value)
    case 'bigint':
      return type === 'span' ? `"${printSpan(value)}"` : String(value)
    default:
      if (type === 'decimal') return /^-?\d+(?:\.\d+)?$/.test(value) ? value : JSON.stringify(value)
      if (typeWord(type) !== 'dynamic') return JSON.stringify(value)
      return compactJson(value) ?? JSON.stringify(value)
  }
}
