/** Bins of SPL: the range that a number falls in, and the beginnings of spans between two. */
import { limits } from '../core/limits.ts'
import { NO_LIST, numberOf } from './evalvalue.ts'
import { named, VARIABLES } from './once.ts'
import { arg, type FunctionRecord, type Parameter } from './record.ts'
import { literal, type Sql, sql } from './sql.ts'
import { stats } from './statsshape.ts'

const VALUE: Parameter = { name: 'value', type: 'float' }
const STEP: Parameter = {
  name: 'step',
  type: 'float',
  constant: true,
  wrong: (value) => (typeof value === 'number' && value > 0 ? undefined : 'it must be above 0'),
}
const START: Parameter = { name: 'start', type: 'float', constant: true }
const MONTHS: Parameter = {
  name: 'months',
  type: 'int',
  constant: true,
  wrong: (value) =>
    typeof value === 'number' && value > 0 && value <= 12_000 ? undefined : 'it must be above 0',
}

/** The greatest multiple of a step, counted from a start, that is no greater than a number. */
function floored(value: Sql, step: number, start: number): Sql {
  // Steps below one are counted in their reverse, so that 0.3 / 0.1 is 3.
  const size =
    step < 1 ? sql`* toFloat64(${literal(1 / step)})` : sql`/ toFloat64(${literal(step)})`
  const back =
    step < 1 ? sql`/ toFloat64(${literal(1 / step)})` : sql`* toFloat64(${literal(step)})`
  const count = start === 0 ? value : sql`(${value} - toFloat64(${literal(start)}))`
  const low = sql`floor(round(${count} ${size}, 9)) ${back}`
  return start === 0 ? sql`(${low})` : sql`(${low} + toFloat64(${literal(start)}))`
}

const WHOLE_DIGITS = 1e15

/** A bound of a range as a text: with a point where the bins are of fractions. */
const boundText = (bound: Sql, isReal: boolean): Sql =>
  isReal
    ? sql`if(${bound} = floor(${bound}) AND abs(${bound}) < ${literal(WHOLE_DIGITS)}, concat(toString(toInt64(${bound})), '.0'), toString(${bound}))`
    : sql`if(${bound} = floor(${bound}) AND abs(${bound}) < ${literal(WHOLE_DIGITS)}, toString(toInt64(${bound})), toString(${bound}))`

/** The two bounds, rounded where calculating has left a trace. */
const rangeText = (low: Sql, high: Sql, isReal: boolean): Sql =>
  sql`concat(${boundText(sql`round(${low}, 9)`, isReal)}, '-', ${boundText(sql`round(${high}, 9)`, isReal)})`

const range: FunctionRecord = {
  id: 'bin.range',
  says: 'The range of a width that a number falls in, as a text of its bounds; missing for what is no number.',
  takes: [VALUE, STEP, START, { name: 'real', type: 'bool', constant: true }],
  gives: 'text',
  onNull: 'own',
  mayMiss: true,
  sql: (args) => {
    const step = Number(arg(args, 1).value)
    const { a, b } = VARIABLES
    const low = (value: Sql): Sql => floored(value, step, Number(arg(args, 2).value))
    return named(numberOf(arg(args, 0)), b, (value) =>
      named(low(value), a, (bound) => {
        const text = rangeText(
          bound,
          sql`(${bound} + toFloat64(${literal(step)}))`,
          arg(args, 3).value === true,
        )
        return sql`if(isNull(${bound}), NULL, ${text})`
      }),
    )
  },
  examples: [
    { args: [32, 10, 0, false], gives: '30-40' },
    { args: [-1, 10, 0, false], gives: '-10-0' },
    { args: [0.3, 0.1, 0, false], gives: '0.3-0.4' },
    { args: [7, 5, 1, false], gives: '6-11' },
    { args: [32, 1, 0, true], gives: '32.0-33.0' },
    { args: [null, 1, 0, true], as: ['float'], gives: null },
  ],
}

const lower: FunctionRecord = {
  id: 'bin.lower',
  says: 'The lower bound of a range that is written as a text; missing for other texts.',
  takes: [{ name: 'range', type: 'text' }],
  gives: 'float',
  onNull: 'null',
  mayMiss: true,
  sql: (args) =>
    sql`toFloat64OrNull(extract(${arg(args, 0).sql}, '^(-?[0-9.]+(?:e[-+]?[0-9]+)?)-'))`,
  examples: [
    { args: ['30-40'], gives: 30 },
    { args: ['-10-0'], gives: -10 },
    { args: ['32.5-33.0'], gives: 32.5 },
    { args: ['x'], gives: null },
    { args: [null], as: ['text'], gives: null },
  ],
}

const logRange: FunctionRecord = {
  id: 'bin.log_range',
  says: 'The range between two powers of a base, each times a factor, that a number above 0 falls in.',
  takes: [
    VALUE,
    { name: 'factor', type: 'float', constant: true },
    { name: 'base', type: 'float', constant: true },
  ],
  gives: 'text',
  onNull: 'own',
  mayMiss: true,
  sql: (args) => {
    const factor = Number(arg(args, 1).value)
    const base = Number(arg(args, 2).value)
    const { a, b } = VARIABLES
    const power = (value: Sql): Sql =>
      sql`if(${value} > 0, floor(round(log(${value} / toFloat64(${literal(factor)})) / toFloat64(${literal(Math.log(base))}), 9)), NULL)`
    const bound = (exponent: Sql): Sql =>
      sql`(toFloat64(${literal(factor)}) * pow(toFloat64(${literal(base)}), ${exponent}))`
    return named(numberOf(arg(args, 0)), b, (value) =>
      named(power(value), a, (exponent) => {
        const text = rangeText(bound(exponent), bound(sql`(${exponent} + 1)`), true)
        return sql`if(isNull(${exponent}), NULL, ${text})`
      }),
    )
  },
  examples: [
    { args: [39225, 1, 10], gives: '10000.0-100000.0' },
    { args: [5686, 2, 10], gives: '2000.0-20000.0' },
    { args: [1000, 1, 10], gives: '1000.0-10000.0' },
    { args: [0, 1, 10], gives: null },
  ],
}

/** The beginnings of the spans from one to another, which is left out: as texts, for lists hold texts. */
const between: FunctionRecord = {
  id: 'bin.between',
  says: 'The numbers a step apart from one to another, which is left out; the first alone where there is no other or where there are too many.',
  takes: [VALUE, { name: 'next', type: 'float' }, STEP],
  gives: { list: 'text' },
  onNull: 'own',
  sql: (args) => {
    const [first, next] = [arg(args, 0).sql, arg(args, 1).sql]
    const step = Number(arg(args, 2).value)
    const count = sql`round((${next} - ${first}) / toFloat64(${literal(step)}))`
    return sql`if(isNull(${first}), ${NO_LIST}, arrayMap(i -> toString(assumeNotNull(${first}) + i * toFloat64(${literal(step)})), range(toUInt32(multiIf(isNull(${next}) OR ${count} > ${literal(limits.gapSpans)} OR ${count} < 1, 1, assumeNotNull(${count}))))))`
  },
  examples: [
    { args: [0, 180, 60], gives: ['0', '60', '120'] },
    { args: [0, null, 60], as: ['float', 'float'], gives: ['0'] },
    { args: [0, 1e12, 1], gives: ['0'] },
  ],
}

/** The day of an instant in seconds. */
const dayOf = (seconds: Sql): Sql => sql`toDate32(toDateTime64(ifNull(${seconds}, 0), 0, 'UTC'))`

const monthsBetween: FunctionRecord = {
  id: 'bin.months_between',
  says: 'The beginnings of the spans of months from one to another, which is left out.',
  takes: [VALUE, { name: 'next', type: 'float' }, MONTHS],
  gives: { list: 'text' },
  onNull: 'own',
  sql: (args) => {
    const [first, next] = [arg(args, 0).sql, arg(args, 1).sql]
    const months = literal(Number(arg(args, 2).value))
    const count = sql`intDiv(dateDiff('month', ${dayOf(first)}, ${dayOf(next)}), ${months})`
    const many = sql`if(isNull(${next}), 1, least(greatest(${count}, 1), ${literal(limits.gapSpans)}))`
    const each = sql`toUnixTimestamp64Second(toDateTime64(addMonths(${dayOf(first)}, toInt32(i * ${months})), 0, 'UTC'))`
    return sql`if(isNull(${first}), ${NO_LIST}, arrayMap(i -> toString(${each}), range(toUInt32(${many}))))`
  },
  examples: [
    { args: [1698796800, 1704067200, 1], gives: ['1698796800', '1701388800'] },
    { args: [1698796800, null, 1], as: ['float', 'float'], gives: ['1698796800'] },
  ],
}

/** The distance of two ranks in time that lie the length of the window apart. */
export const TIME_RANKS = 1_000_000

const timeRank: FunctionRecord = {
  id: 'bin.time_rank',
  says: 'A number that grows with time from the first row on, up or down, and among rows of one time with their place. Rows at most a length of time apart differ by no more than a million.',
  takes: [
    VALUE,
    { name: 'first', type: 'float' },
    { name: 'last', type: 'float' },
    { name: 'place', type: 'int' },
    { ...STEP, name: 'length' },
  ],
  gives: 'float',
  onNull: 'own',
  sql: (args) => {
    const [time, first, last] = [0, 1, 2].map((at) => sql`ifNull(${arg(args, at).sql}, 0)`)
    const [low = sql``, high = sql``, end = sql``] = [first, time, last]
    const passed = sql`if(${low} > ${end}, ${low} - ${high}, ${high} - ${low})`
    const place = sql`least(toFloat64(${arg(args, 3).sql}), 9) * 1e-7`
    const scale = TIME_RANKS / (Number(arg(args, 4).value) + 1e-6)
    return sql`((${passed} + ${place}) * toFloat64(${literal(scale)}))`
  },
  examples: [
    { args: [60, 60, 0, 0, 60], gives: 0 },
    { args: [null, 0, 0, 0, 60], as: ['float'], gives: 0 },
  ],
}

/** What Splunk writes before the numbers of a sparkline. */
const SPARKLINE = '##__SPARKLINE__##'

const PLACES: Parameter = {
  name: 'places',
  type: 'int',
  constant: true,
  wrong: (value) =>
    typeof value === 'number' && value > 0 && value <= limits.sparklineSpans
      ? undefined
      : `it must be from 1 to ${limits.sparklineSpans}`,
}

const sparkline = stats('sparkline', ['sparkline'], {
  says: 'How many rows there are in each span of time, as a list behind the mark of a sparkline.',
  takes: [{ name: 'time', type: 'float' }, START, STEP, PLACES],
  gives: { list: 'text' },
  sql: (args) => {
    const [time, start, step] = [arg(args, 0), arg(args, 1), arg(args, 2)].map((each) => each.sql)
    const place = sql`toInt64(floor((assumeNotNull(${time ?? sql``}) - ${start ?? sql``}) / ${step ?? sql``}))`
    return sql`sumMap(if(isNull(${time ?? sql``}), CAST(map(), 'Map(Int64, UInt64)'), map(${place}, toUInt64(1))))`
  },
  finish: (made, args) =>
    named(
      made,
      VARIABLES.a,
      (counts) =>
        sql`arrayConcat([${literal(SPARKLINE)}], arrayMap(i -> toString(${counts}[toInt64(i)]), range(${literal(Number(arg(args, 3).value))})))`,
    ),
})

export const binFunctions: readonly FunctionRecord[] = [
  sparkline,
  lower,
  range,
  logRange,
  between,
  monthsBetween,
  timeRank,
]
