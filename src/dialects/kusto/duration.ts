/** Lengths of time as rule files write them: `1h`, `PT1H`, `1.00:00:00`. In milliseconds. */
import { diagnose } from '../../core/diagnostic.ts'
import type { Fields } from '../../core/fields.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const UNITS: ReadonlyMap<string, number> = new Map([
  ['d', DAY],
  ['h', HOUR],
  ['m', MINUTE],
  ['s', SECOND],
  ['ms', 1],
])

/** Far beyond any schedule, and exact as a number. */
const MOST = 3_660 * DAY

const SHORT = /^(\d{1,9}(?:\.\d{1,9})?)\s{0,4}(d|h|m|s|ms)$/i
const ISO =
  /^P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9}(?:\.\d{1,7})?)S)?)?$/i
const CLOCK = /^(?:(\d{1,6})\.)?(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d{1,7})?))?$/

function sum(parts: readonly (readonly [string | undefined, number])[]): number {
  return parts.reduce((total, [text, unit]) => total + Number(text ?? 0) * unit, 0)
}

function read(text: string): number | undefined {
  const short = SHORT.exec(text)
  if (short) return Number(short[1]) * (UNITS.get((short[2] ?? '').toLowerCase()) ?? Number.NaN)
  const clock = CLOCK.exec(text)
  if (clock) {
    const [, days, hours, minutes, seconds] = clock
    if (Number(hours) > 23 || Number(minutes) > 59 || Number(seconds ?? 0) >= 60) return undefined
    return sum([
      [days, DAY],
      [hours, HOUR],
      [minutes, MINUTE],
      [seconds, SECOND],
    ])
  }
  const iso = ISO.exec(text)
  if (!iso || /^P$|T$/i.test(text)) return undefined
  const [, weeks, days, hours, minutes, seconds] = iso
  return sum([
    [weeks, 7 * DAY],
    [days, DAY],
    [hours, HOUR],
    [minutes, MINUTE],
    [seconds, SECOND],
  ])
}

/** Milliseconds of a length of time, or undefined when the text is none or longer than ten years. */
export function readDuration(text: string): number | undefined {
  const value = read(text.trim())
  return value === undefined || !(value <= MOST) ? undefined : Math.round(value)
}

/** A length of time in the largest unit that divides it: `1d`, `90m`. */
export function printDuration(ms: number): string {
  for (const [name, unit] of UNITS) if (ms >= unit && ms % unit === 0) return `${ms / unit}${name}`
  return `${ms}ms`
}

/** Milliseconds of the first of the keys that has a value. A text that is no length of time is an error. */
export function durationOf(fields: Fields, ...keys: readonly string[]): number | undefined {
  const text = fields.text(...keys)
  if (text === undefined) return undefined
  const value = readDuration(text)
  if (value === undefined) {
    const wanted = 'write e.g. 5m, 1h, 14d, PT1H or 1.00:00:00'
    const params = { key: keys[0] ?? '', value: text.slice(0, 64), wanted }
    fields.diagnostics.push(diagnose('HR453', params, fields.get(...keys)?.span))
  }
  return value
}
