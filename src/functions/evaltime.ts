/**
 * Times of SPL's eval: seconds since 1970, in UTC.
 * https://help.splunk.com/en/splunk-enterprise/search/spl-search-reference/9.4/evaluation-functions/date-and-time-functions
 */
import { daysOf, evalFunction, number, numberOf, text } from './evalvalue.ts'
import { named, VARIABLES } from './once.ts'
import { arg, constText, type FunctionRecord } from './record.ts'
import { literal, type Sql, sql } from './sql.ts'
import { instantOf } from './timeformat.ts'
import { isTimeModifier, type Step, stepsOf } from './timemodifier.ts'
import { TIME_UNITS } from './timeunits.ts'

/** The last time at which a unit began. */
function snapped(time: Sql, { unit, size }: Extract<Step, { kind: 'snap' }>): Sql {
  if (unit === 'second') return sql`(floor(${time} / ${literal(size)}) * ${literal(size)})`
  if (unit === 'week') {
    // 1970 began on a Thursday.
    const shift = literal((4 - size) * 86_400)
    return sql`(floor((${time} + ${shift}) / 604800) * 604800 - ${shift})`
  }
  return named(instantOf(time), VARIABLES.t, (t) => {
    const months = sql`intDiv(toMonth(${t}) - 1, ${literal(size)}) * ${literal(size)} + 1`
    return sql`toFloat64(${daysOf(sql`toInt64(toYear(${t}))`, sql`toInt64(${months})`, sql`1`)} * 86400)`
  })
}

function moved(time: Sql, { unit, by }: Extract<Step, { kind: 'move' }>): Sql {
  if (unit === 'second') return sql`(${time} + ${literal(by)})`
  const months = literal(by)
  return sql`(toUnixTimestamp64Micro(addMonths(${instantOf(time)}, ${months})) / 1000000)`
}

/** A time moved by a modifier that only the data tells: one move such as `+30d`; what is none gives nothing. */
function movedByData(time: Sql, modifier: Sql): Sql {
  const text = sql`lower(trimBoth(${modifier}))`
  const count = sql`toInt64OrNull(extract(${text}, '^([+-]?[0-9]{1,9})[a-z]+$'))`
  const unit = sql`extract(${text}, '^[+-]?[0-9]{1,9}([a-z]+)$')`
  const sizes = (of: 'seconds' | 'months'): Sql =>
    TIME_UNITS.reduceRight<Sql>(
      (rest, each) =>
        sql`if(match(${unit}, ${literal(`^(?:${each.names})$`)}), ${literal(each[of])}, ${rest})`,
      sql`NULL`,
    )
  const months = sql`greatest(-5000, least(5000, ${count} * ${sizes('months')}))`
  const later = sql`toUnixTimestamp64Micro(addMonths(${instantOf(time)}, ifNull(${months}, 0))) / 1000000`
  return sql`if(isNull(${count} * ${sizes('seconds')}), NULL, if(${months} = 0, ${time} + ${count} * ${sizes('seconds')}, ${later}))`
}

const relativeTime = evalFunction('eval.relative_time', ['relative_time'], {
  says: 'A time moved by a modifier such as -1d@d: steps of moving and of going back to the start of a unit.',
  takes: [
    number('time'),
    text('modifier', {
      constant: true,
      wrong: (value) =>
        typeof value !== 'string' || !isTimeModifier(value)
          ? 'it must be a time modifier such as -1d@d'
          : undefined,
    }),
  ],
  gives: 'float',
  sql: (args) =>
    (stepsOf(constText(args, 1)) ?? []).reduce(
      (time, step) => (step.kind === 'snap' ? snapped(time, step) : moved(time, step)),
      numberOf(arg(args, 0)),
    ),
  examples: [
    { args: [1704164645, '-1d@d'], gives: 1704067200 },
    { args: [1704164645, '@h'], gives: 1704164400 },
    { args: [1704164645, '-1h'], gives: 1704161045 },
    { args: [1704164645, '-d'], gives: 1704078245 },
    { args: [1704164645, '@w0'], gives: 1703980800 },
    { args: [1704164645, '@w1'], gives: 1704067200 },
    { args: [1704164645, '@w'], gives: 1703980800 },
    { args: [1710460800, '@mon'], gives: 1709251200 },
    { args: [1710460800, '@q'], gives: 1704067200 },
    { args: [1710460800, '@y+36h'], gives: 1704196800 },
    { args: [1706659200, '+1mon'], gives: 1709164800 },
    { args: [1710460800, '-1y@y'], gives: 1672531200 },
    { args: [1704164645.5, ''], gives: 1704164645.5 },
    { args: [null, '-1d'], gives: null },
    { args: [1e300, '@mon'], gives: null },
  ],
})

const relativeTimeByData = evalFunction('eval.relative_time_by', [], {
  says: 'A time moved by a modifier from data, which may be one move such as +30d; anything else gives nothing.',
  takes: [number('time'), text('modifier')],
  gives: 'float',
  sql: (args) => movedByData(numberOf(arg(args, 0)), arg(args, 1).sql),
  examples: [
    { args: [1704164645, '+2d'], gives: 1704337445 },
    { args: [1706659200, '+1mon'], gives: 1709164800 },
    { args: [1704164645, '2hours'], gives: 1704171845 },
    { args: [1704164645, '@d'], gives: null },
    { args: [1704164645, null], as: ['int', 'text'], gives: null },
  ],
})

export const evalTimeFunctions: readonly FunctionRecord[] = [relativeTime, relativeTimeByData]
