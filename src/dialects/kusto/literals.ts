/**
 * Literals of the language: numbers, lengths of time, dates, ids and dynamic values, from the text of their tokens to
 * constants. Forms: Microsoft's pages on scalar data types.
 */
import { parseIso, printInstant, printSpan } from '../../core/time.ts'
import type { Expr } from '../../ir/expr.ts'
import type { Scalar } from '../../ir/rel.ts'
import type { BaseType } from '../../ir/types.ts'
import type { Node } from './adapter.ts'
import { constant, refuse, spanOf } from './scope.ts'

const TICKS = 10_000_000
const UNITS: Readonly<Record<string, number>> = {
  d: 86_400 * TICKS,
  day: 86_400 * TICKS,
  days: 86_400 * TICKS,
  h: 3_600 * TICKS,
  hr: 3_600 * TICKS,
  hrs: 3_600 * TICKS,
  hour: 3_600 * TICKS,
  hours: 3_600 * TICKS,
  m: 60 * TICKS,
  min: 60 * TICKS,
  minute: 60 * TICKS,
  minutes: 60 * TICKS,
  s: TICKS,
  sec: TICKS,
  second: TICKS,
  seconds: TICKS,
  ms: TICKS / 1_000,
  milli: TICKS / 1_000,
  millis: TICKS / 1_000,
  millisec: TICKS / 1_000,
  millisecond: TICKS / 1_000,
  milliseconds: TICKS / 1_000,
  micro: 10,
  micros: 10,
  microsec: 10,
  microsecond: 10,
  microseconds: 10,
  tick: 1,
  ticks: 1,
}
const SPAN = /^(-)?(?:(\d+)\.)?(\d+):(\d\d?)(?::(\d\d?)(?:\.(\d{1,7}))?)?$/
const NUMBER = /^[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)$/

/** Ticks of a length of time as it is written: `1.5h`, `2d`, `1.02:03:04.5`, `12:30`; undefined for another text. */
function ticksOfSpan(text: string): bigint | undefined {
  const written = text.trim()
  const unit = /^([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*([a-z]+)$/i.exec(written)
  if (unit) {
    const scale = UNITS[(unit[2] ?? '').toLowerCase()]
    if (scale === undefined) return undefined
    const [whole = '0', fraction = ''] = (unit[1] ?? '0').split('.')
    if (/[eE]/.test(unit[1] ?? '')) return BigInt(Math.round(Number(unit[1]) * scale))
    const sign = whole.startsWith('-') ? -1n : 1n
    const digits = fraction.slice(0, 15)
    const part = (BigInt(digits || '0') * BigInt(scale)) / 10n ** BigInt(digits.length)
    return BigInt(whole) * BigInt(scale) + sign * part
  }
  const clock = SPAN.exec(written)
  if (clock) {
    const [, minus, days = '0', hours = '0', minutes = '0', seconds = '0', fraction = ''] = clock
    const whole =
      ((BigInt(days) * 24n + BigInt(hours)) * 60n + BigInt(minutes)) * 60n + BigInt(seconds)
    const ticks = whole * BigInt(TICKS) + BigInt(fraction.padEnd(7, '0') || '0')
    return minus === undefined ? ticks : -ticks
  }
  if (/^-?\d+$/.test(written)) return BigInt(written) * BigInt(UNITS.d ?? 0)
  return undefined
}

/** A whole number as a constant holds it: exact, as digits where a number of JavaScript is not. */
function whole(value: bigint): Scalar {
  const small = Number(value)
  return Number.isSafeInteger(small) ? small : String(value)
}

/** ISO text of a date as it is written in a query; undefined for another text. */
function isoOf(text: string): string | undefined {
  const written = text.trim().replace(/^(['"])(.*)\1$/, '$2')
  const padded = written
    .replace(/^(\d{4})-(\d{1,2})-(\d{1,2})/, (_, year: string, month: string, day: string) =>
      [year, month.padStart(2, '0'), day.padStart(2, '0')].join('-'),
    )
    .replace(/^(\d{4}-\d{2}-\d{2})[T ](\d):/, '$1T0$2:')
    .replace(/^(\d{4}-\d{2}-\d{2})[T ](\d{2}):(\d):/, '$1T$2:0$3:')
    .replace(/^(\d{4})$/, '$1-01-01')
    .replace(/^(\d{4})-(\d{2})$/, '$1-$2-01')
    .replace(/^(\d{4}-\d{2}-\d{2})[T ](\d{2})$/, '$1T$2:00')
  const american =
    /^(\d{1,2})\/(\d{1,2})\/(\d{4})(?:[ T]+(\d{1,2}):(\d\d)(?::(\d\d)(\.\d+)?)?\s*([AaPp][Mm])?)?$/.exec(
      written,
    )
  const parts = /^(\d{1,4})((?:,\s*\d+){2,6})$/.exec(written)
  const iso = parts ? isoOfParts(written) : american === null ? padded : isoOfAmerican(american)
  const instant = parseIso(iso)
  return instant === undefined ? undefined : printInstant(instant)
}

/** `2025, 6, 14, 10, 30`: the parts of a date with commas between. */
function isoOfParts(text: string): string {
  const [year = '', month = '1', day = '1', hour = '0', minute = '0', second = '0'] =
    text.split(/,\s*/)
  const two = (part: string): string => part.padStart(2, '0')
  return `${year.padStart(4, '0')}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}`
}

function isoOfAmerican(parts: RegExpExecArray): string {
  const [
    ,
    month = '',
    day = '',
    year = '',
    hour = '0',
    minute = '00',
    second = '00',
    fraction = '',
    half,
  ] = parts
  const hours = half === undefined ? Number(hour) : (Number(hour) % 12) + (/p/i.test(half) ? 12 : 0)
  const two = (text: string): string => text.padStart(2, '0')
  return `${year}-${two(month)}-${two(day)}T${two(String(hours))}:${minute}:${second}${fraction}`
}

/** The text between the brackets of `datetime(...)`, `long(...)` and their kin; the text itself without brackets. */
function inner(text: string): string {
  const open = text.indexOf('(')
  return open === -1 ? text : text.slice(open + 1, text.lastIndexOf(')')).trim()
}

const unquoted = (text: string): string => text.replace(/^@?(['"])(.*)\1$/s, '$2')

function wholeOf(text: string): bigint | undefined {
  const sign = text.startsWith('-') ? -1n : 1n
  const digits = text.replace(/^[+-]/, '')
  return /^(?:0[xX][0-9a-fA-F]+|\d+)$/.test(digits) ? sign * BigInt(digits) : undefined
}

function realOf(text: string): number | undefined {
  const low = text.toLowerCase()
  if (low === 'nan') return Number.NaN
  if (low === '+inf' || low === 'inf') return Number.POSITIVE_INFINITY
  if (low === '-inf') return Number.NEGATIVE_INFINITY
  return NUMBER.test(text) || wholeOf(text) !== undefined ? Number(text) : undefined
}

/** The value that a literal's text stands for; undefined when it stands for none. */
function scalarNamed(kind: string, text: string): Scalar | undefined {
  switch (kind) {
    case 'BooleanLiteralExpression': {
      const low = unquoted(text).toLowerCase()
      return low === 'true' || low === '1'
        ? true
        : low === 'false' || low === '0'
          ? false
          : undefined
    }
    case 'IntLiteralExpression':
    case 'LongLiteralExpression': {
      const value = wholeOf(text)
      return value === undefined ? undefined : whole(value)
    }
    case 'RealLiteralExpression':
      return realOf(text)
    case 'DecimalLiteralExpression':
      return NUMBER.test(unquoted(text)) ? unquoted(text) : undefined
    case 'TimespanLiteralExpression': {
      const ticks = ticksOfSpan(unquoted(text))
      return ticks === undefined ? undefined : whole(ticks)
    }
    case 'DateTimeLiteralExpression':
      return isoOf(unquoted(text))
    default: {
      const id = unquoted(text).toLowerCase()
      return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) ? id : undefined
    }
  }
}

const LITERAL_TYPES: Readonly<Record<string, BaseType>> = {
  BooleanLiteralExpression: 'bool',
  IntLiteralExpression: 'int32',
  LongLiteralExpression: 'int',
  RealLiteralExpression: 'float',
  DecimalLiteralExpression: 'decimal',
  TimespanLiteralExpression: 'span',
  DateTimeLiteralExpression: 'time',
  GuidLiteralExpression: 'guid',
}

/** The constant of a literal; undefined when the node is no literal. */
export function literalOf(node: Node): Expr | undefined {
  const { kind } = node
  if (kind === 'StringLiteralExpression' || kind === 'CompoundStringLiteralExpression') {
    return constant(node.literalText, 'text')
  }
  if (kind === 'NullLiteralExpression') return constant(null, 'null')
  if (kind === 'DynamicExpression') {
    return constant(dynamicText(node.child('Expression')), 'dynamic')
  }
  const type = LITERAL_TYPES[kind]
  if (type === undefined) return undefined
  const written = inner(node.text)
  if (written.toLowerCase() === 'null') return constant(null, type)
  const value = scalarNamed(kind, written)
  return value === undefined ? constant(null, type) : constant(value, type)
}

/** Number of JSON as it is written, where JSON can write it. */
function jsonNumber(text: string): string {
  const value = wholeOf(text)
  if (value !== undefined) return String(value)
  const real = realOf(text)
  if (real === undefined) return 'null'
  if (!Number.isFinite(real))
    return JSON.stringify(Number.isNaN(real) ? 'NaN' : real > 0 ? 'Infinity' : '-Infinity')
  return /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text) ? text : String(real)
}

/** JSON text of the inside of `dynamic(...)`; null for `null`. */
function dynamicText(node: Node): string | null {
  const text = jsonOf(node)
  return text === 'null' ? null : text
}

function jsonOf(node: Node): string {
  switch (node.kind) {
    case 'JsonObjectExpression': {
      const pairs = node.items('Pairs').map((pair) => {
        const name = pair.child('Name')
        return `${JSON.stringify(name.tokenValue)}:${jsonOf(pair.child('Value'))}`
      })
      return `{${pairs.join(',')}}`
    }
    case 'JsonArrayExpression':
      return `[${node.items('Values').map(jsonOf).join(',')}]`
    case 'StringLiteralExpression':
    case 'CompoundStringLiteralExpression':
      return JSON.stringify(node.literalText)
    case 'NullLiteralExpression':
      return 'null'
    case 'UnaryMinusExpression':
      return jsonNumber(`-${inner(node.child('Expression').text)}`)
    case 'DynamicExpression':
      return jsonOf(node.child('Expression'))
    case 'BooleanLiteralExpression':
      return inner(node.text).toLowerCase()
    case 'IntLiteralExpression':
    case 'LongLiteralExpression':
    case 'RealLiteralExpression':
    case 'DecimalLiteralExpression':
      return jsonNumber(inner(node.text))
    case 'TimespanLiteralExpression': {
      const ticks = ticksOfSpan(unquoted(inner(node.text)))
      return ticks === undefined ? 'null' : JSON.stringify(printSpan(ticks))
    }
    case 'DateTimeLiteralExpression':
      return JSON.stringify(isoOf(unquoted(inner(node.text))) ?? null)
    case 'GuidLiteralExpression':
      return JSON.stringify(unquoted(inner(node.text)))
    default:
      return refuse('HR407', { what: node.text.slice(0, 60) }, spanOf(node))
  }
}
