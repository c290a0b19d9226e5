/** Instants: the parts of the calendar, the starts and ends of its periods, steps in it, and instants of numbers. */
import { daysIn, instant, instantWithin, ticksOf, ticksOfParts } from './calendar.ts'
import { converted, ticksSinceYear1, wholeReal } from './casts.ts'
import { once, VARIABLES } from './once.ts'
import { among, arg, type Example, type FunctionRecord, type Parameter } from './record.ts'
import { literal, type Sql, type SqlArg, sql } from './sql.ts'

const DAY = sql`864000000000`
const WHEN: Parameter = { name: 'time', type: 'time' }
const OFFSET: Parameter = { name: 'offset', type: 'int', optional: true }

/** Ticks of the units that are equally long everywhere. */
const UNITS: Readonly<Record<string, Sql>> = {
  week: sql`6048000000000`,
  day: DAY,
  hour: sql`36000000000`,
  minute: sql`600000000`,
  second: sql`10000000`,
  millisecond: sql`10000`,
  microsecond: sql`10`,
}

/** Months of the units that are not. */
const MONTHS: Readonly<Record<string, number>> = { year: 12, quarter: 3, month: 1 }
const STEPS = [...Object.keys(MONTHS), ...Object.keys(UNITS), 'nanosecond']

function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined
}

function partOf(args: readonly SqlArg[]): string {
  return String(arg(args, 0).value).toLowerCase()
}

/** The ticks of an instant since the last midnight. */
export function ticksOfDay(time: Sql): Sql {
  return sql`(${ticksSinceYear1(time)} % ${DAY})`
}

function midnight(time: Sql): Sql {
  return sql`${ticksOf(time)} - ${ticksOfDay(time)}`
}

/** Months since year 0. */
function monthsOf(time: Sql): Sql {
  return sql`(toInt64(toYear(${time})) * 12 + toMonth(${time}) - 1)`
}

/** An instant so many months later, on the last day of the month where the day does not exist; NULL out of range. */
function laterByMonths(time: Sql, months: Sql): Sql {
  const [t, n] = [VARIABLES.a, VARIABLES.b]
  const isWithin = sql`${n} BETWEEN -120000 AND 120000 AND ${monthsOf(t)} + ${n} BETWEEN 12 AND 119999`
  return sql`arrayMap((${t}, ${n}) -> if(${isWithin}, addMonths(${t}, if(${isWithin}, ${n}, 0)), NULL), [${time}], [toInt64(${months})])[1]`
}

type Period = 'day' | 'week' | 'month' | 'year'

/** Ticks since 1970 of the start of a period. */
function startOf(time: Sql, period: Period): Sql {
  switch (period) {
    case 'day':
      return midnight(time)
    case 'week':
      // The first day of year 1 was a Monday, one day after a week's start.
      return sql`${ticksOf(time)} - (${ticksSinceYear1(time)} + ${DAY}) % 6048000000000`
    case 'month':
      return sql`${midnight(time)} - (toDayOfMonth(${time}) - 1) * ${DAY}`
    case 'year':
      return sql`${midnight(time)} - (toDayOfYear(${time}) - 1) * ${DAY}`
  }
}

function shifted(args: readonly SqlArg[], period: Period, of: (time: Sql) => Sql): Sql {
  const offset = args[1]
  return once(arg(args, 0).sql, VARIABLES.t, (time) => {
    const start = startOf(time, period)
    if (offset === undefined || offset.value === 0) return of(instant(start))
    if (period === 'day' || period === 'week') {
      const count = sql`if(abs(${offset.sql}) < 4000000, ${offset.sql}, NULL)`
      const size = own(UNITS, period) ?? DAY
      return once(instantWithin(sql`${start} + ${count} * ${size}`), VARIABLES.c, (moved) =>
        of(moved),
      )
    }
    const months = period === 'year' ? sql`12 * (${offset.sql})` : offset.sql
    return once(laterByMonths(instant(start), months), VARIABLES.c, (moved) => of(moved))
  })
}

function lengthOf(start: Sql, period: Period): Sql {
  switch (period) {
    case 'day':
      return DAY
    case 'week':
      return sql`6048000000000`
    case 'month':
      return sql`${daysIn(sql`toYear(${start})`, sql`toMonth(${start})`)} * ${DAY}`
    case 'year':
      return sql`(365 + (toYear(${start}) % 4 = 0 AND toYear(${start}) % 100 != 0 OR toYear(${start}) % 400 = 0)) * ${DAY}`
  }
}

type Line = readonly [...Example['args'], Example['gives']]

function lines(all: readonly Line[]): readonly Example[] {
  return all.map((line) => ({ args: line.slice(0, -1), gives: line.at(-1) ?? null }))
}

function start(period: Period, examples: readonly Line[]): FunctionRecord {
  return {
    id: `time.start_of_${period}`,
    says: `The first instant of the ${period} that the instant lies in, or of the ${period} so many later.`,
    takes: [WHEN, OFFSET],
    gives: 'time',
    onNull: 'own',
    spelled: { kusto: [`startof${period}`] },
    sql: (args) => shifted(args, period, (time) => time),
    examples: lines(examples),
  }
}

function end(period: Period, examples: readonly Line[]): FunctionRecord {
  return {
    id: `time.end_of_${period}`,
    says: `The last instant of the ${period} that the instant lies in, or of the ${period} so many later.`,
    takes: [WHEN, OFFSET],
    gives: 'time',
    onNull: 'own',
    spelled: { kusto: [`endof${period}`] },
    sql: (args) =>
      shifted(args, period, (time) =>
        once(time, VARIABLES.a, (from) =>
          instant(sql`${ticksOf(from)} + ${lengthOf(from, period)} - 1`),
        ),
      ),
    examples: lines(examples),
  }
}

/** Parts of an instant, as whole numbers. */
const PARTS: Readonly<Record<string, (time: Sql) => Sql>> = {
  year: (time) => sql`toYear(${time})`,
  quarter: (time) => sql`toQuarter(${time})`,
  month: (time) => sql`toMonth(${time})`,
  week_of_year: (time) => sql`toISOWeek(${time})`,
  weekofyear: (time) => sql`toISOWeek(${time})`,
  day: (time) => sql`toDayOfMonth(${time})`,
  dayofyear: (time) => sql`toDayOfYear(${time})`,
  hour: (time) => sql`intDiv(${ticksOfDay(time)}, 36000000000)`,
  minute: (time) => sql`intDiv(${ticksOfDay(time)}, 600000000) % 60`,
  second: (time) => sql`intDiv(${ticksOfDay(time)}, 10000000) % 60`,
  millisecond: (time) => sql`intDiv(${ticksOfDay(time)} % 10000000, 10000)`,
  microsecond: (time) => sql`intDiv(${ticksOfDay(time)} % 10000000, 10)`,
  nanosecond: (time) => sql`${ticksOfDay(time)} % 10000000 * 100`,
}

function partSql(part: string, time: Sql): Sql {
  const of = own(PARTS, part)
  return of === undefined ? sql`CAST(NULL AS Nullable(Int32))` : sql`toInt32(${of(time)})`
}

function part(
  id: string,
  words: string,
  key: string,
  kusto: readonly string[],
  examples: readonly Line[],
): FunctionRecord {
  return {
    id: `time.${id}`,
    says: `The ${words} of an instant.`,
    takes: [WHEN],
    gives: 'int32',
    onNull: 'own',
    spelled: { kusto },
    sql: (args) => once(arg(args, 0).sql, VARIABLES.t, (time) => partSql(key, time)),
    examples: lines(examples),
  }
}

const anyPart: FunctionRecord = {
  id: 'time.part_of',
  says: 'A part of an instant as a number: year, quarter, month, week, day, hour, minute, second and below.',
  takes: [{ name: 'part', type: 'text', constant: true, wrong: among(Object.keys(PARTS)) }, WHEN],
  gives: 'int32',
  onNull: 'own',
  spelled: { kusto: ['datetime_part', 'datepart'] },
  sql: (args) => once(arg(args, 1).sql, VARIABLES.t, (time) => partSql(partOf(args), time)),
  examples: lines([
    ['quarter', '2017-10-30T01:02:03.7654321Z', 4],
    ['week_of_year', '2017-10-30T01:02:03.7654321Z', 44],
    ['dayOfYear', '2017-10-30T01:02:03.7654321Z', 303],
    ['second', '1955-10-30T01:02:03.7654321Z', 3],
    ['microsecond', '2017-10-30T01:02:03.7654321Z', 765432],
    ['nanosecond', '2017-10-30T01:02:03.7654321Z', 765432100],
    ['year', '9999-12-31T23:59:59.9999999Z', 9999],
    ['hour', null, null],
  ]),
}

const dayOfWeek: FunctionRecord = {
  id: 'time.day_of_week',
  says: 'The days since the last Sunday, as a length of time; missing on the last day there is.',
  takes: [WHEN],
  gives: 'span',
  onNull: 'own',
  spelled: { kusto: ['dayofweek'] },
  sql: (args) =>
    once(
      ticksSinceYear1(arg(args, 0).sql),
      VARIABLES.t,
      (t) =>
        sql`if(${t} < 3155378112000000000, (intDiv(${t}, ${DAY}) + 1) % 7 * toInt64(${DAY}), NULL)`,
    ),
  examples: lines([
    ['1970-05-12T23:00:00.0000000Z', 1728000000000],
    ['0001-01-07T00:00:00.0000000Z', 0],
    ['9999-12-31T00:00:00.0000000Z', null],
    [null, null],
  ]),
}

const step: FunctionRecord = {
  id: 'time.add_part',
  says: 'An instant so many years, months, days and so on later.',
  takes: [
    { name: 'part', type: 'text', constant: true, wrong: among(STEPS) },
    { name: 'count', type: 'int' },
    WHEN,
  ],
  gives: 'time',
  onNull: 'own',
  spelled: { kusto: ['datetime_add'] },
  sql: (args) => {
    const unit = partOf(args)
    const count = arg(args, 1).sql
    const time = arg(args, 2).sql
    const months = own(MONTHS, unit)
    if (months !== undefined) {
      const near = once(count, VARIABLES.c, (n) => sql`if(abs(${n}) < 1000000, ${n}, NULL)`)
      return laterByMonths(time, months === 1 ? near : sql`${near} * ${literal(months)}`)
    }
    if (unit === 'nanosecond') {
      return instantWithin(sql`${ticksOf(time)} + intDiv(${count}, 100)`)
    }
    const size = own(UNITS, unit) ?? DAY
    // Three thousand thousand million million ticks are nearly ten thousand years.
    const near = once(
      count,
      VARIABLES.c,
      (n) => sql`if(abs(${n}) < intDiv(3200000000000000000, ${size}), ${n}, NULL)`,
    )
    return instantWithin(sql`${ticksOf(time)} + ${near} * ${size}`)
  },
  examples: lines([
    ['year', 1, '2020-02-29T00:00:00.0000000Z', '2021-02-28T00:00:00.0000000Z'],
    ['month', -1, '2020-03-31T00:00:00.0000001Z', '2020-02-29T00:00:00.0000001Z'],
    ['quarter', -3, '2020-02-29T12:00:00.0000000Z', '2019-05-29T12:00:00.0000000Z'],
    ['Week', -53, '2021-03-15T12:00:00.0000000Z', '2020-03-09T12:00:00.0000000Z'],
    ['day', -1, '0001-01-01T12:00:00.0000000Z', null],
    ['year', 1, '9999-01-01T00:00:00.0000000Z', null],
    ['millisecond', 1500, '2020-01-01T00:00:00.0000000Z', '2020-01-01T00:00:01.5000000Z'],
  ]),
}

/** The number of a period that an instant lies in, counted from year 1. */
function numberOf(time: Sql, unit: string): Sql {
  const ticks = ticksSinceYear1(time)
  const months = own(MONTHS, unit)
  if (months !== undefined) return sql`intDiv(${monthsOf(time)}, ${literal(months)})`
  if (unit === 'nanosecond') return ticks
  // The first day of year 1 was a Monday; weeks start on Sunday.
  if (unit === 'week') return sql`intDiv(${ticks} + ${DAY}, 6048000000000)`
  return sql`intDiv(${ticks}, ${own(UNITS, unit) ?? DAY})`
}

const difference: FunctionRecord = {
  id: 'time.difference',
  says: 'How many starts of a year, month, day and so on lie between two instants; below zero when the first is earlier.',
  takes: [
    { name: 'part', type: 'text', constant: true, wrong: among(STEPS) },
    { name: 'later', type: 'time' },
    { name: 'earlier', type: 'time' },
  ],
  gives: 'int',
  onNull: 'own',
  spelled: { kusto: ['datetime_diff'] },
  sql: (args) => {
    const unit = partOf(args)
    const of = (index: number): Sql =>
      once(arg(args, index).sql, VARIABLES.t, (time) => numberOf(time, unit))
    const count = sql`(${of(1)} - ${of(2)})`
    return unit === 'nanosecond' ? sql`(${count} * 100)` : count
  },
  examples: lines([
    ['month', '2021-03-15T00:00:00.0000000Z', '2020-01-01T00:00:00.0000000Z', 14],
    ['year', '2020-12-31T00:00:00.0000000Z', '2021-01-01T00:00:00.0000000Z', -1],
    ['week', '2020-12-31T00:00:00.0000000Z', '2020-01-01T00:00:00.0000000Z', 52],
    ['quarter', '2024-03-31T00:00:00.0000000Z', '2020-04-01T00:00:00.0000000Z', 15],
    ['day', '1969-12-31T23:00:00.0000000Z', '1970-01-01T01:00:00.0000000Z', -1],
    ['microsecond', '2020-01-01T00:00:00.0000020Z', '2020-01-01T00:00:00.0000005Z', 2],
    ['nanosecond', '2020-01-01T00:00:00.0000002Z', '2020-01-01T00:00:00.0000000Z', 200],
    ['hour', null, '2020-01-01T00:00:00.0000000Z', null],
  ]),
}

const make: FunctionRecord = {
  id: 'time.make',
  says: 'The instant of a year, month, day, hour, minute and second; missing where there is none such.',
  takes: [{ name: 'part', type: 'any', many: true }],
  gives: 'time',
  onNull: 'own',
  spelled: { kusto: ['make_datetime'] },
  sql: (args) => {
    if (args.length === 1) return converted(arg(args, 0), 'time')
    const number = (index: number): Sql => {
      const given = args[index]
      // A number beyond 32 bits is no part of a date, and stays none.
      if (given === undefined) return sql`${literal(index === 1 || index === 2 ? 1 : 0)}`
      return once(
        converted(given, 'int'),
        VARIABLES.c,
        (n) => sql`if(${n} BETWEEN 0 AND 9999, toInt32(${n}), -1)`,
      )
    }
    const seconds = args[5]
    const ticks =
      seconds === undefined
        ? sql`toInt64(0)`
        : once(
            converted(seconds, 'float'),
            VARIABLES.c,
            (s) => sql`if(${s} >= 0 AND ${s} < 60, ${wholeReal(sql`round(${s} * 10000000)`)}, -1)`,
          )
    const missing = args.filter((each) => each.type !== 'text').map((each) => each.sql)
    const whole = instant(
      ticksOfParts({
        year: number(0),
        month: number(1),
        day: number(2),
        hour: number(3),
        minute: number(4),
        ticks,
      }),
    )
    return missing.reduce((value, each) => sql`if(isNull(${each}), NULL, ${value})`, whole)
  },
  examples: [
    { args: [2017, 10, 1], gives: '2017-10-01T00:00:00.0000000Z' },
    { args: [2017, 10, 1, 12, 10], gives: '2017-10-01T12:10:00.0000000Z' },
    { args: [2017, 2, 29], gives: null },
    { args: [2017, 0, 9], gives: null },
    { args: [10000, 1, 1], gives: null },
    { args: [2017, null, 1], as: ['int', 'int', 'int'], gives: null },
    {
      args: [2017, 10, 1, 12, 10, 0.1234567],
      as: ['int', 'int', 'int', 'int', 'int', 'float'],
      gives: '2017-10-01T12:10:00.1234567Z',
    },
  ],
}

function ofUnix(unit: string, ticks: Sql, most: Sql, examples: readonly Line[]): FunctionRecord {
  return {
    id: `time.of_unix_${unit}`,
    says: `The instant that a number of ${unit} after the start of 1970 is.`,
    takes: [{ name: 'number', type: 'any' }],
    gives: 'time',
    onNull: 'own',
    spelled: { kusto: [`unixtime_${unit}_todatetime`] },
    sql: (args) => {
      const given = arg(args, 0)
      const isWhole = given.type === 'int' || given.type === 'int32'
      const number = isWhole ? given.sql : converted(given, 'float')
      const size = unit === 'nanoseconds'
      return once(number, VARIABLES.c, (n) => {
        const near = sql`if(abs(${n}) < ${most}, ${n}, NULL)`
        const scaled = size
          ? isWhole
            ? sql`intDiv(${near}, 100)`
            : sql`floor(${near} / 100)`
          : sql`${near} * ${ticks}`
        return instantWithin(isWhole ? scaled : wholeReal(scaled))
      })
    },
    examples: lines(examples),
  }
}

export const momentFunctions: readonly FunctionRecord[] = [
  {
    id: 'time.now',
    says: 'The instant at which the query runs.',
    takes: [],
    gives: 'time',
    onNull: 'own',
    sql: () => sql`CAST(now64(7, 'UTC') AS Nullable(DateTime64(7, 'UTC')))`,
    examples: [],
  },
  start('day', [
    ['2017-01-01T10:10:17.0000000Z', '2017-01-01T00:00:00.0000000Z'],
    ['1950-06-15T13:45:00.0000000Z', -1, '1950-06-14T00:00:00.0000000Z'],
    ['0001-01-01T10:00:00.0000000Z', -1, null],
    [null, null],
  ]),
  start('week', [
    ['2007-01-01T00:00:00.0000000Z', '2006-12-31T00:00:00.0000000Z'],
    ['1950-06-15T13:45:00.0000000Z', '1950-06-11T00:00:00.0000000Z'],
    ['2017-01-01T10:10:17.0000000Z', 1, '2017-01-08T00:00:00.0000000Z'],
  ]),
  start('month', [
    ['2017-01-31T10:10:17.0000000Z', '2017-01-01T00:00:00.0000000Z'],
    ['2017-01-31T10:10:17.0000000Z', 1, '2017-02-01T00:00:00.0000000Z'],
    ['1899-12-31T10:10:17.0000000Z', '1899-12-01T00:00:00.0000000Z'],
  ]),
  start('year', [
    ['2016-12-31T10:10:17.0000000Z', '2016-01-01T00:00:00.0000000Z'],
    ['2999-06-15T00:00:00.0000000Z', -1, '2998-01-01T00:00:00.0000000Z'],
  ]),
  end('day', [
    ['2017-01-01T10:10:17.0000000Z', '2017-01-01T23:59:59.9999999Z'],
    ['2017-01-01T10:10:17.0000000Z', 1, '2017-01-02T23:59:59.9999999Z'],
  ]),
  end('week', [
    ['2017-01-01T10:10:17.0000000Z', '2017-01-07T23:59:59.9999999Z'],
    ['2017-01-01T10:10:17.0000000Z', -1, '2016-12-31T23:59:59.9999999Z'],
  ]),
  end('month', [
    ['2020-02-28T23:59:59.9999999Z', '2020-02-29T23:59:59.9999999Z'],
    ['9999-12-01T00:00:00.0000000Z', '9999-12-31T23:59:59.9999999Z'],
    ['2017-01-31T10:10:17.0000000Z', 1, '2017-02-28T23:59:59.9999999Z'],
  ]),
  end('year', [
    ['2999-06-15T00:00:00.0000000Z', '2999-12-31T23:59:59.9999999Z'],
    ['2017-01-31T10:10:17.0000000Z', -1, '2016-12-31T23:59:59.9999999Z'],
  ]),
  part('year', 'year', 'year', ['getyear'], [['2020-02-29T00:00:00.0000000Z', 2020]]),
  part(
    'month',
    'month',
    'month',
    ['getmonth', 'monthofyear'],
    [['2015-12-14T00:00:00.0000000Z', 12]],
  ),
  part(
    'day_of_month',
    'day in the month',
    'day',
    ['dayofmonth'],
    [['2015-12-14T00:00:00.0000000Z', 14]],
  ),
  part(
    'day_of_year',
    'day in the year',
    'dayofyear',
    ['dayofyear'],
    [['2020-12-31T00:00:00.0000000Z', 366]],
  ),
  part(
    'week_of_year',
    'week in the year, as ISO 8601 counts,',
    'week_of_year',
    ['week_of_year', 'weekofyear'],
    [['2020-12-31T00:00:00.0000000Z', 53]],
  ),
  part('hour', 'hour of the day', 'hour', ['hourofday'], [['1950-06-15T13:45:00.0000000Z', 13]]),
  anyPart,
  dayOfWeek,
  step,
  difference,
  make,
  ofUnix('seconds', sql`10000000`, sql`300000000000`, [
    [1546300800, '2019-01-01T00:00:00.0000000Z'],
    [-1, '1969-12-31T23:59:59.0000000Z'],
    [400000000000, null],
  ]),
  ofUnix('milliseconds', sql`10000`, sql`300000000000000`, [
    [1546300800001, '2019-01-01T00:00:00.0010000Z'],
  ]),
  ofUnix('microseconds', sql`10`, sql`300000000000000000`, [
    [1546300800000000, '2019-01-01T00:00:00.0000000Z'],
  ]),
  ofUnix('nanoseconds', sql`1`, sql`9223372036854775807`, [[-100, '1969-12-31T23:59:59.9999999Z']]),
]
