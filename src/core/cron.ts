/**
 * Cron expressions of five fields as Vixie cron and Splunk read them: where days of the month and of the week are both
 * restricted, either is enough. Times come in and go out; nothing here reads a clock.
 *
 * In a zone with summer time an expression whose hour begins with `*` runs in every hour that passes, the repeated one
 * included, because its windows follow one another. One with fixed hours runs once a day: at the first of two equal
 * times, and at the end of a gap that swallows its time.
 */

const MINUTE = 60_000
const DAY = 86_400_000
/** Days looked through for the next run; the 29th of February may be eight years away. */
const MOST_DAYS = 366 * 9
const MOST_LETTERS = 200

const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ')
const WEEKDAYS = 'sun mon tue wed thu fri sat'.split(' ')

interface FieldRule {
  readonly name: string
  readonly least: number
  readonly most: number
  readonly names?: readonly string[]
}

const FIELDS: readonly FieldRule[] = [
  { name: 'minute', least: 0, most: 59 },
  { name: 'hour', least: 0, most: 23 },
  { name: 'day of the month', least: 1, most: 31 },
  { name: 'month', least: 1, most: 12, names: MONTHS },
  { name: 'day of the week', least: 0, most: 7, names: WEEKDAYS },
]

class CronError extends Error {}

function numberIn(text: string, { name, least, most, names }: FieldRule): number {
  const at = names?.indexOf(text.toLowerCase()) ?? -1
  const value = at >= 0 ? at + least : /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= least && value <= most)) {
    throw new CronError(`"${text}" is no ${name} (${least} to ${most})`)
  }
  return value
}

function valuesOf(text: string, rule: FieldRule): ReadonlySet<number> {
  const found = new Set<number>()
  for (const part of text.split(',')) {
    const [range = '', step, more] = part.split('/')
    const by = step === undefined ? 1 : /^\d{1,2}$/.test(step) ? Number(step) : 0
    if (by === 0 || more !== undefined) throw new CronError(`"${part}" has no step above 0`)
    const [from = '', to, rest] = range.split('-')
    if (rest !== undefined) throw new CronError(`"${part}" is no range`)
    const first = range === '*' ? rule.least : numberIn(from, rule)
    const last = range === '*' ? rule.most : to === undefined ? undefined : numberIn(to, rule)
    if (last !== undefined && last < first) {
      throw new CronError(`the range "${range}" ends before it begins`)
    }
    const end = last ?? (step === undefined ? first : rule.most)
    for (let value = first; value <= end; value += by) found.add(value)
  }
  return found
}

/** Reads the offset of a zone from UTC, in milliseconds; throws a RangeError for a zone that is not known. */
function offsetReader(zone: string): (ms: number) => number {
  if (zone === 'UTC') return () => 0
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  })
  return (ms) => {
    const whole = Math.floor(ms / MINUTE) * MINUTE
    const parts = new Map(format.formatToParts(whole).map(({ type, value }) => [type, +value]))
    const part = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? 0
    const wall = Date.UTC(
      part('year'),
      part('month') - 1,
      part('day'),
      part('hour'),
      part('minute'),
    )
    return wall - whole
  }
}

/** A schedule: the times at which something is due, in milliseconds since 1970. */
export class Cron {
  readonly #offset: (ms: number) => number
  readonly #times: readonly number[]
  readonly #days: ReadonlySet<number>
  readonly #months: ReadonlySet<number>
  readonly #weekdays: ReadonlySet<number>
  readonly #isEither: boolean
  readonly #isFloating: boolean
  /** The times of the last days asked for: rules of one schedule ask for the same ones. */
  readonly #known = new Map<number, readonly number[]>()

  constructor(fields: readonly string[], zone: string) {
    const [minutes, hours, days, months, weekdays] = FIELDS.map((rule, at) =>
      valuesOf(fields[at] ?? '', rule),
    )
    const none: ReadonlySet<number> = new Set()
    this.#times = [...(hours ?? none)]
      .flatMap((hour) => [...(minutes ?? none)].map((minute) => (hour * 60 + minute) * MINUTE))
      .sort((a, b) => a - b)
    this.#days = days ?? none
    this.#months = months ?? none
    this.#weekdays = new Set([...(weekdays ?? none)].map((each) => each % 7))
    const isOpen = (at: number): boolean => fields[at]?.startsWith('*') === true
    this.#isEither = !isOpen(2) && !isOpen(4)
    this.#isFloating = isOpen(1)
    this.#offset = offsetReader(zone)
  }

  #isDay(day: number): boolean {
    const date = new Date(day)
    if (!this.#months.has(date.getUTCMonth() + 1)) return false
    const isDate = this.#days.has(date.getUTCDate())
    const isWeekday = this.#weekdays.has(date.getUTCDay())
    return this.#isEither ? isDate || isWeekday : isDate && isWeekday
  }

  /** The times of a day of the zone, which is named by its midnight as if it were in UTC. */
  #timesOf(day: number): readonly number[] {
    if (!this.#isDay(day)) return []
    const known = this.#known.get(day)
    if (known !== undefined) return known
    const before = this.#offset(day - 15 * 60 * MINUTE)
    const after = this.#offset(day + 39 * 60 * MINUTE)
    const times =
      before === after
        ? this.#times.map((time) => day + time - before)
        : this.#timesOfChange(day, Math.max(before, after), Math.min(before, after))
    if (this.#known.size >= 16) this.#known.clear()
    this.#known.set(day, times)
    return times
  }

  /** The same for a day near a change of the clocks, minute by minute. */
  #timesOfChange(day: number, most: number, least: number): readonly number[] {
    const wanted = new Set(this.#times)
    const found: number[] = []
    let last = this.#offset(day - most - MINUTE)
    for (let ms = day - most; ms < day + DAY - least; ms += MINUTE) {
      const offset = this.#offset(ms)
      const wall = ms + offset - day
      const gap = offset - last
      last = offset
      if (wall < 0 || wall >= DAY) continue
      const isRepeated = this.#offset(ms - (most - least)) === offset + most - least
      const isDue = wanted.has(wall) && (this.#isFloating || !isRepeated)
      const isSwallowed =
        !this.#isFloating && this.#times.some((time) => time < wall && time >= wall - gap)
      if (isDue || isSwallowed) found.push(ms)
    }
    return found
  }

  /** The times after one instant and up to another, in order; no more than `most`. */
  between(after: number, until: number, most: number): readonly number[] {
    const found: number[] = []
    const first = Math.floor(after / DAY) * DAY - DAY
    for (let day = first; day <= until + DAY && day <= first + MOST_DAYS * DAY; day += DAY) {
      for (const time of this.#timesOf(day)) {
        if (time <= after) continue
        if (time > until || found.length >= most) return found
        found.push(time)
      }
    }
    return found
  }

  /** The last time before an instant; undefined when there is none in nine years. */
  previous(before: number): number | undefined {
    const first = Math.floor(before / DAY) * DAY + DAY
    for (let day = first; day > first - MOST_DAYS * DAY; day -= DAY) {
      const found = this.#timesOf(day).findLast((time) => time < before)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** The first time after an instant; undefined when there is none in nine years. */
  next(after: number): number | undefined {
    return this.between(after, after + (MOST_DAYS - 2) * DAY, 1)[0]
  }
}

/** Reads an expression; a text is why it cannot be read. */
export function readCron(text: string, zone = 'UTC'): Cron | string {
  if (text.length > MOST_LETTERS) return 'it is too long'
  const fields = text.trim().split(/\s+/)
  if (fields.length !== FIELDS.length) {
    return 'it needs five fields: minute, hour, day of the month, month, day of the week'
  }
  try {
    const cron = new Cron(fields, zone)
    // Eight years from here there is every date of the calendar.
    return cron.next(Date.UTC(2000, 0, 1)) === undefined ? 'no such date ever comes' : cron
  } catch (error) {
    if (error instanceof CronError) return error.message
    if (error instanceof RangeError) return `there is no time zone "${zone.slice(0, 64)}"`
    throw error
  }
}
