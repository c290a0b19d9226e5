/**
 * Aggregates of SPL over numbers: texts that are none are left out, a list counts as each of its values. Of no numbers
 * there is no result.
 */
import { isList } from '../ir/types.ts'
import { ELEMENT, numberIn, numberOf } from './evalvalue.ts'
import { named, VARIABLES } from './once.ts'
import { arg, type FunctionRecord, type Parameter } from './record.ts'
import { literal, type Sql, type SqlArg, sql } from './sql.ts'
import { stats, VALUE } from './statsshape.ts'

/** An aggregate of numbers as the engine spells it, and over arrays of them. */
interface Spelling {
  readonly one: Sql
  readonly many: Sql
}

const same = (number: Sql): Sql => number

/** The numbers of a value, given to an aggregate: `make` says what is made of each of them. */
function over({ one, many }: Spelling, value: SqlArg, make: (number: Sql) => Sql = same): Sql {
  return isList(value.type)
    ? sql`${many}(arrayMap(${ELEMENT} -> ${make(numberIn(ELEMENT))}, ${value.sql}))`
    : sql`${one}(${make(sql`toNullable(${numberOf(value)})`)})`
}

interface Shape {
  readonly make?: (number: Sql) => Sql
  readonly finish?: (made: Sql) => Sql
}

function ofNumbers(
  id: string,
  spl: readonly string[],
  says: string,
  spelling: Spelling,
  { make, finish }: Shape = {},
): FunctionRecord {
  return stats(id, spl, {
    says,
    takes: [VALUE],
    gives: 'float',
    sql: (args) => over(spelling, arg(args, 0), make),
    ...(finish === undefined ? {} : { finish }),
  })
}

const SUM: Spelling = { one: sql`sum`, many: sql`sumArray` }
const AVG: Spelling = { one: sql`avg`, many: sql`avgArray` }
const SAMPLE: Spelling = { one: sql`varSampStable`, many: sql`varSampStableArray` }
const POPULATION: Spelling = { one: sql`varPopStable`, many: sql`varPopStableArray` }
const GREATEST: Spelling = { one: sql`maxForEach`, many: sql`maxForEachArray` }

/** One number does not vary: the engine's variance of a sample of one is infinite. */
const steady = (made: Sql): Sql => sql`if(isInfinite(${made}), toFloat64(0), ${made})`

/** The least and the greatest number, from one aggregate of each number and its negative. */
const range = ofNumbers('range', ['range'], 'The greatest number less the least.', GREATEST, {
  make: (number) =>
    named(
      number,
      VARIABLES.b,
      (v) => sql`if(isNull(${v}), [], [assumeNotNull(${v}), -assumeNotNull(${v})])`,
    ),
  finish: (made) => named(made, VARIABLES.a, (m) => sql`if(empty(${m}), NULL, ${m}[1] + ${m}[2])`),
})

const PERCENT: Parameter = {
  name: 'percent',
  type: 'float',
  constant: true,
  wrong: (value) =>
    typeof value === 'number' && value >= 0 && value <= 100
      ? undefined
      : 'it must be from 0 to 100',
}

function quantile(value: SqlArg, level: number): Sql {
  return over(
    {
      one: sql`quantileExactInclusive(${literal(level)})`,
      many: sql`quantileExactInclusiveArray(${literal(level)})`,
    },
    value,
  )
}

/**
 * Splunk estimates percentiles of more than a thousand different values, and gives exact ones of fewer: between two
 * values in proportion, as the examples of its manual have it (5.5 for the middle of 1 to 10).
 */
function percentile(id: string, spl: readonly string[]): FunctionRecord {
  return stats(id, spl, {
    says: 'The number that a percentage of the numbers lies below, exact, between two of them in proportion.',
    takes: [VALUE, PERCENT],
    gives: 'float',
    sql: (args) => quantile(arg(args, 0), Number(arg(args, 1).value) / 100),
  })
}

const median = stats('median', ['median'], {
  says: 'The number in the middle; of two, the mean of them.',
  takes: [VALUE],
  gives: 'float',
  sql: (args) => quantile(arg(args, 0), 0.5),
})

/** Time, rank and number of the latest row and of the earliest, from one aggregate. */
const rate = stats('rate', ['rate'], {
  says: 'How much a number grew each second, from the earliest row to the latest.',
  takes: [VALUE, { name: 'time', type: 'float' }, { name: 'order', type: 'int' }],
  ordered: true,
  gives: 'float',
  sql: (args) => {
    const time = sql`assumeNotNull(${arg(args, 1).sql})`
    const rank = sql`toInt64(${arg(args, 2).sql})`
    const ends = (number: Sql): Sql =>
      named(
        number,
        VARIABLES.b,
        (v) =>
          sql`if(isNull(${v}) OR isNull(${arg(args, 1).sql}), [], [(${time}, -${rank}, assumeNotNull(${v})), (-${time}, ${rank}, assumeNotNull(${v}))])`,
      )
    return over(GREATEST, arg(args, 0), ends)
  },
  finish: (made) =>
    named(
      made,
      VARIABLES.a,
      (m) =>
        sql`if(empty(${m}) OR ${m}[1].1 + ${m}[2].1 = 0, NULL, (${m}[1].3 - ${m}[2].3) / (${m}[1].1 + ${m}[2].1))`,
    ),
})

export const statsNumberFunctions: readonly FunctionRecord[] = [
  ofNumbers('sum', ['sum'], 'The sum.', SUM),
  ofNumbers('sumsq', ['sumsq'], 'The sum of the squares.', SUM, {
    make: (number) => sql`pow(${number}, 2)`,
  }),
  ofNumbers('avg', ['avg', 'mean'], 'The mean.', AVG),
  ofNumbers('var', ['var'], 'The variance of a sample; 0 for one number.', SAMPLE, {
    finish: steady,
  }),
  ofNumbers('varp', ['varp'], 'The variance of a population.', POPULATION),
  ofNumbers('stdev', ['stdev'], 'The standard deviation of a sample; 0 for one number.', SAMPLE, {
    finish: (made) => sql`sqrt(${steady(made)})`,
  }),
  ofNumbers('stdevp', ['stdevp'], 'The standard deviation of a population.', POPULATION, {
    finish: (made) => sql`sqrt(${made})`,
  }),
  range,
  percentile('perc', ['perc', 'p']),
  percentile('upperperc', ['upperperc']),
  percentile('exactperc', ['exactperc']),
  median,
  rate,
]
