/** Instants and lengths of time as Kusto prints them. */
import { type Sql, sql } from './sql.ts'

/** `2020-01-01T00:00:00.0000000Z` of a `time`; NULL for a missing one. */
export function momentText(moment: Sql): Sql {
  return sql`concat(replaceOne(toString(${moment}), ' ', 'T'), 'Z')`
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
