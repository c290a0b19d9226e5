/**
 * SPL's time modifiers, read once for all who use them: as steps of moving and of going back to the start of a unit, and
 * as the instant that they give. Times are UTC.
 * https://help.splunk.com/en/splunk-enterprise/search/spl-search-reference/9.4/time-format-variables-and-modifiers/time-modifiers
 */
import { PARTS_OF_SECONDS, TIME_UNITS, unitNamed } from './timeunits.ts'

type Unit = 'second' | 'month' | 'week'

/** One step: so many seconds or months further, or back to where a unit began. */
export type Step =
  | { readonly kind: 'move'; readonly unit: 'second' | 'month'; readonly by: number }
  | { readonly kind: 'snap'; readonly unit: Unit; readonly size: number }

const unitOf = unitNamed([...PARTS_OF_SECONDS, ...TIME_UNITS])

const MOST_STEPS = 20
/** Letters of the longest modifier; a longer one is not looked at. */
const MOST_LETTERS = 400
/** Months that one step moves at most: past them no event lies. */
const MOST_MONTHS = 5_000
const WEEK = 604_800

function stepOf(written: string): Step | undefined {
  const [, at, sign, count, unit = ''] = /^(?:(@)|([+-]?)(\d{0,9}))([a-z]+\d?)$/.exec(written) ?? []
  if (at !== undefined) {
    // Weeks begin on Sundays; `@w1` is the last Monday, and 7 is Sunday again.
    const day = /^w([0-7])$/.exec(unit)?.[1]
    if (day !== undefined) return { kind: 'snap', unit: 'week', size: Number(day) % 7 }
  }
  const known = unitOf(unit)
  if (known === undefined) return undefined
  const { seconds, months } = known
  const kind = months === 0 ? 'second' : 'month'
  const size = months === 0 ? seconds : months
  if (at === undefined) {
    const far = (count === '' ? 1 : Number(count)) * size
    const by = kind === 'month' ? Math.min(MOST_MONTHS, far) : far
    return { kind: 'move', unit: kind, by: sign === '-' ? -by : by }
  }
  return seconds === WEEK
    ? { kind: 'snap', unit: 'week', size: 0 }
    : { kind: 'snap', unit: kind, size }
}

/** The steps of a modifier such as `-1d@d+2h`; undefined for another text. */
export function stepsOf(written: string): readonly Step[] | undefined {
  const plain = written
    .trim()
    .toLowerCase()
    .replace(/^now(?:\(\))?/, '')
  if (plain.length > MOST_LETTERS) return undefined
  const parts = plain.match(/@[a-z]+\d?|[+-]?\d*[a-z]+/g) ?? []
  if (parts.join('') !== plain || parts.length > MOST_STEPS) return undefined
  const steps = parts.map(stepOf)
  return steps.every((each) => each !== undefined) ? steps : undefined
}

/** True for a modifier of times: steps of moving and of going back, `-1d@d+2h`. */
export const isTimeModifier = (written: string): boolean => stepsOf(written) !== undefined

/** Milliseconds moved by months of the calendar; a day that the month does not have is its last one. */
function monthsLater(ms: number, by: number): number {
  const date = new Date(ms)
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth() + by, date.getUTCDate()]
  const last = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  const time = ms - Date.UTC(year, date.getUTCMonth(), day)
  return Date.UTC(year, month, Math.min(day, last)) + time
}

function stepped(ms: number, step: Step): number {
  if (step.kind === 'move') {
    return step.unit === 'second' ? ms + step.by * 1_000 : monthsLater(ms, step.by)
  }
  const { unit, size } = step
  if (unit === 'second') return Math.floor(ms / (size * 1_000)) * size * 1_000
  if (unit === 'week') {
    // 1970 began on a Thursday.
    const shift = (4 - size) * 86_400_000
    return Math.floor((ms + shift) / (WEEK * 1_000)) * WEEK * 1_000 - shift
  }
  const date = new Date(ms)
  return Date.UTC(date.getUTCFullYear(), Math.floor(date.getUTCMonth() / size) * size, 1)
}

/**
 * A bound of a search as milliseconds since 1970: a modifier that is moved from `now` (milliseconds), `now`, or seconds
 * since 1970. `open` for one that bounds nothing (`0`, an empty text); undefined for what is none of these.
 */
export function boundOf(written: string, now: number): number | 'open' | undefined {
  const given = written.trim().toLowerCase()
  if (given === '' || given === '0') return 'open'
  if (/^\d{1,12}(?:\.\d{1,9})?$/.test(given)) return Number(given) * 1_000
  const ms = stepsOf(given)?.reduce(stepped, now)
  return ms !== undefined && Number.isFinite(ms) ? Math.round(ms) : undefined
}
