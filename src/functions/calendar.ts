/**
 * Days and ticks as SQL: the calendar from year 1 to 9999 by whole-number arithmetic, and the readers of written
 * instants and lengths of time. Nothing here throws in the engine: what cannot be read is NULL.
 */
import { named, once, repeated, VARIABLES } from './once.ts'
import { type Sql, sql } from './sql.ts'

/** The instant of a number of ticks since 1970. */
export function instant(ticks: Sql): Sql {
  return sql`reinterpret(${ticks}, 'DateTime64(7, \\'UTC\\')')`
}

/** Ticks since 1970 of an instant. */
export function ticksOf(time: Sql): Sql {
  return sql`reinterpret(${time}, 'Int64')`
}

/** The instant of a number of ticks since 1970; NULL before year 1 and after year 9999. */
export function instantWithin(ticks: Sql): Sql {
  return repeated(
    ticks,
    VARIABLES.t,
    (t) => sql`if(${t} BETWEEN -621355968000000000 AND 2534023007999999999, ${instant(t)}, NULL)`,
  )
}

/** Days since 1970 of a year, a month and a day, which must be numbers of a real date. */
function daysOf(year: Sql, month: Sql, day: Sql): Sql {
  // The year begins in March here, so that the leap day is its last day.
  const from = sql`(${year} - (${month} <= 2))`
  return sql`(365 * ${from} + intDiv(${from}, 4) - intDiv(${from}, 100) + intDiv(${from}, 400) + intDiv(153 * ((${month} + 9) % 12) + 2, 5) + ${day} - 719469)`
}

/** The number of days in a month. */
export function daysIn(year: Sql, month: Sql): Sql {
  return sql`([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][${month}] + (${month} = 2 AND (${year} % 4 = 0 AND ${year} % 100 != 0 OR ${year} % 400 = 0)))`
}

/** Ticks since 1970 of calendar parts (32-bit numbers, or NULL); NULL where they are no date and time of day. */
export function ticksOfParts(parts: {
  readonly year: Sql
  readonly month: Sql
  readonly day: Sql
  readonly hour: Sql
  readonly minute: Sql
  /** Ticks within the minute. */
  readonly ticks: Sql
}): Sql {
  const [y, m, d] = [sql`\`^y\``, sql`\`^m\``, sql`\`^d\``]
  const [h, n, s] = [sql`\`^h\``, sql`\`^n\``, sql`\`^s\``]
  const day = sql`toInt64(${daysOf(y, m, d)})`
  const real = sql`${y} BETWEEN 1 AND 9999 AND ${m} BETWEEN 1 AND 12 AND ${d} BETWEEN 1 AND ${daysIn(y, m)} AND ${h} BETWEEN 0 AND 23 AND ${n} BETWEEN 0 AND 59 AND ${s} >= 0 AND ${s} < 600000000`
  return sql`arrayMap((${y}, ${m}, ${d}, ${h}, ${n}, ${s}) -> if(${real}, ((${day} * 24 + ${h}) * 60 + ${n}) * 600000000 + ${s}, NULL), [${parts.year}], [${parts.month}], [${parts.day}], [${parts.hour}], [${parts.minute}], [${parts.ticks}])[1]`
}

/**
 * Groups: year, month, day | month, day, year | day, month name, year | month name, day, year; hour, minute, second, fraction,
 * half of the day; sign, hours and minutes of the offset.
 */
const WRITTEN_TIME = sql`'^(?:[A-Za-z]{3,9},?\\\\s+)?(?:(\\\\d{4})(?:[-/](\\\\d{1,2})(?:[-/](\\\\d{1,2}))?)?|(\\\\d{1,2})/(\\\\d{1,2})/(\\\\d{4}|\\\\d{2})|(\\\\d{1,2})[- ]([A-Za-z]{3,9})[-, ]+(\\\\d{4}|\\\\d{2})|([A-Za-z]{3,9})\\\\s+(\\\\d{1,2})(?:,\\\\s*|\\\\s+)(\\\\d{4}))(?:(?:T|,?\\\\s+)(\\\\d{1,2}):(\\\\d{1,2})(?::(\\\\d{1,2})(?:[.,](\\\\d{1,30}))?)?\\\\s*([AaPp][Mm])?)?\\\\s*(?:Z|z|GMT|UTC)?\\\\s*(?:([+-])(\\\\d{1,2})(?::?(\\\\d{2}))?)?$'`

const MONTHS = sql`['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']`

/** Blanks at both ends away. */
export function trimmed(text: Sql): Sql {
  return sql`trimBoth(${text}, ' \\t\\r\\n')`
}

/** What the engine's own reader of instants reads as it should: real months, days and hours, with all their digits. */
const ISO_TIME = sql`'^[1-8][0-9]{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])(?:[T ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\\\.[0-9]{1,9})?(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])?)?$'`

/** The instant that a text says, in the forms that logs and people write; NULL for any other text. */
export function readInstant(text: Sql): Sql {
  return once(
    text,
    VARIABLES.t,
    (t) =>
      sql`if(match(${t}, ${ISO_TIME}), parseDateTime64BestEffortOrNull(${t}, 7, 'UTC'), ${readWritten(t)})`,
  )
}

function readWritten(text: Sql): Sql {
  return named(sql`extractGroups(${trimmed(text)}, ${WRITTEN_TIME})`, VARIABLES.g, (g) => {
    const year = sql`concat(${g}[1], ${g}[6], ${g}[9], ${g}[12])`
    const month = sql`concat(${g}[2], ${g}[4], ${g}[8], ${g}[10])`
    const day = sql`concat(${g}[3], ${g}[5], ${g}[7], ${g}[11])`
    const number = (part: Sql) => sql`ifNull(toInt32OrNull(${part}), 0)`
    const half = sql`lower(${g}[17])`
    const hour = number(sql`${g}[13]`)
    const ticks = ticksOfParts({
      year: sql`toInt32OrNull(${year}) + if(length(${year}) = 2, if(${year} < '50', 2000, 1900), 0)`,
      month: sql`if(${month} = '', 1, ifNull(toInt32OrNull(${month}), indexOf(${MONTHS}, lower(substring(${month}, 1, 3)))))`,
      day: sql`if(${day} = '', 1, toInt32OrNull(${day}))`,
      hour: sql`if(${half} = '', ${hour}, if(${hour} BETWEEN 1 AND 12, ${hour} % 12 + if(${half} = 'pm', 12, 0), -1))`,
      minute: number(sql`${g}[14]`),
      ticks: sql`if(${number(sql`${g}[15]`)} > 59, -1, ${number(sql`${g}[15]`)} * toInt64(10000000) + ${number(sql`rightPad(substring(${g}[16], 1, 7), 7, '0')`)})`,
    })
    const offset = sql`(${number(sql`${g}[19]`)} * 60 + ${number(sql`${g}[20]`)}) * toInt64(600000000)`
    return instantWithin(sql`${ticks} - if(${g}[18] = '-', -1, 1) * ${offset}`)
  })
}

/** Groups: sign; days, hours, minutes, seconds, fraction | a number and its unit. */
const WRITTEN_SPAN = sql`'^(-)?(?:(?:(\\\\d{1,8})\\\\.)?([01]?\\\\d|2[0-3]):([0-5]?\\\\d)(?::([0-5]?\\\\d)(?:\\\\.(\\\\d{1,7}))?)?|(\\\\d{1,15}(?:\\\\.\\\\d{1,15})?)\\\\s*(d|days?|h|hrs?|hours?|m|min|minutes?|s|sec|seconds?|ms|millis?|milliseconds?|micros?|microseconds?|nanos?|nanoseconds?|ticks?)?)$'`

/** The length of time, in ticks, that a text says; a bare number is days. NULL for any other text. */
export function readSpan(text: Sql): Sql {
  return named(sql`extractGroups(${trimmed(text)}, ${WRITTEN_SPAN})`, VARIABLES.g, (g) => {
    const number = (index: Sql) => sql`toInt64OrZero(${g}[${index}])`
    const clock = sql`((${number(sql`2`)} * 24 + ${number(sql`3`)}) * 60 + ${number(sql`4`)}) * 600000000 + ${number(sql`5`)} * 10000000 + toInt64OrZero(rightPad(${g}[6], 7, '0'))`
    const unit = sql`multiIf(${g}[8] = '' OR startsWith(${g}[8], 'd'), 864000000000, startsWith(${g}[8], 'h'), 36000000000, startsWith(${g}[8], 's'), 10000000, ${g}[8] = 'ms' OR startsWith(${g}[8], 'mil'), 10000, startsWith(${g}[8], 'mic'), 10, startsWith(${g}[8], 'n'), 0.01, startsWith(${g}[8], 't'), 1, 600000000)`
    const measure = sql`round(toFloat64OrZero(${g}[7]) * ${unit})`
    const size = sql`multiIf(empty(${g}), NULL, ${g}[3] != '', if(${number(sql`2`)} > 10675198, NULL, ${clock}), if(${measure} > 9.2e18, NULL, toInt64(${measure})))`
    return sql`if(${g}[1] = '-', -1, 1) * ${size}`
  })
}
