/**
 * Instants and lengths of time as Kusto prints them. The engine's calendar knows the years 1900 to 2299 only, so an
 * instant is moved there by whole periods of 400 years, after which the calendar repeats itself, and the year is
 * written apart.
 */
import { type Sql, sql } from './sql.ts'

/** `2020-01-01T00:00:00.0000000Z` of a `time`; NULL for a missing one. */
export function momentText(moment: Sql): Sql {
  const ticks = sql`reinterpret(${moment}, 'Int64')`
  // From 1900 to 1970 there are 25,567 days; 400 years have 146,097.
  const era = sql`intDiv(${ticks} + 22089888000000000 + 757366848000000000, 126227808000000000) - 6`
  const near = sql`toString(reinterpret(${ticks} - (${era}) * 126227808000000000, 'DateTime64(7, \'UTC\')'))`
  return sql`concat(leftPad(toString(toInt64(substring(${near}, 1, 4)) + 400 * (${era})), 4, '0'), substring(${near}, 5, 6), 'T', substring(${near}, 12), 'Z')`
}

/** `1.02:03:04.5000000` of a `span` in ticks; NULL for a missing one. */
export function spanText(span: Sql): Sql {
  const size = sql`abs(toInt128(${span}))`
  const day = sql`intDiv(${size}, 864000000000)`
  const two = (value: Sql): Sql => sql`leftPad(toString(${value}), 2, '0')`
  const rest = sql`toInt64(${size} % 864000000000)`
  const clock = sql`concat(${two(sql`intDiv(${rest}, 36000000000)`)}, ':', ${two(sql`intDiv(${rest}, 600000000) % 60`)}, ':', ${two(sql`intDiv(${rest}, 10000000) % 60`)})`
  const fraction = sql`if(${rest} % 10000000 = 0, '', concat('.', leftPad(toString(${rest} % 10000000), 7, '0')))`
  return sql`concat(if(${span} < 0, '-', ''), if(${day} = 0, '', concat(toString(${day}), '.')), ${clock}, ${fraction})`
}
