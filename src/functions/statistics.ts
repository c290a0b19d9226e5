/** Aggregates of statistics: percentiles by nearest rank, exact, and variance with what is made of it. */
import { arrayJson, elementOf } from './json.ts'
import { VARIABLES } from './once.ts'
import { arg, type FunctionRecord, type Parameter } from './record.ts'
import { joined, literal, type Sql, type SqlArg, sql } from './sql.ts'

const { a: item } = VARIABLES

/** Kusto keeps ten decimal places of a variance, and makes the deviation of that. */
function variance(made: Sql): Sql {
  const rounded = sql`if(abs(${made}) < 1e15, round(${made}, 10), ${made})`
  // One value has no variance of a sample: Kusto gives 0 for it, and for none.
  return sql`ifNull(if(isInfinite(${made}), 0, ${rounded}), toFloat64(0))`
}

const real = ({ sql: value, type }: SqlArg): Sql => {
  if (type === 'time') return sql`toFloat64(reinterpret(${value}, 'Int64'))`
  return type === 'text' || type === 'dynamic'
    ? sql`toFloat64OrNull(${value})`
    : sql`toFloat64(${value})`
}

function spread(
  name: string,
  says: string,
  conditional: string | undefined,
  print: (value: Sql) => Sql,
  finish: (made: Sql) => Sql,
): FunctionRecord {
  return {
    id: `agg.${name}`,
    says,
    takes: [{ name: 'value', type: 'any' }],
    gives: 'float',
    onNull: 'own',
    aggregate: true,
    spelled: { kusto: [name] },
    ...(conditional === undefined ? {} : { conditional: { kusto: [conditional], at: 1 } }),
    sql: (args) => print(real(arg(args, 0))),
    finish,
    examples: [],
  }
}

const sample = (value: Sql): Sql => sql`varSampStable(${value})`
const population = (value: Sql): Sql => sql`varPopStable(${value})`
const root = (made: Sql): Sql => sql`sqrt(${variance(made)})`

function together(name: string, says: string, print: Sql): FunctionRecord {
  return {
    id: `agg.${name}`,
    says,
    takes: [
      { name: 'one', type: 'any' },
      { name: 'other', type: 'any' },
    ],
    gives: 'float',
    onNull: 'own',
    aggregate: true,
    spelled: { kusto: [name] },
    conditional: { kusto: [`${name}if`], at: 2 },
    sql: (args) => sql`${print}(${real(arg(args, 0))}, ${real(arg(args, 1))})`,
    finish: variance,
    examples: [],
  }
}

/**
 * The share of the values that a percentile stands for, a trace less: so a whole rank is not rounded up where values
 * have weights, and where they have none, the place counted from 0 is that of the nearest rank.
 */
function levelOf({ value }: Pick<SqlArg, 'value'>): number {
  const share = Math.min(Math.max(Number(value) / 100, 0), 1)
  return Number.isFinite(share) ? share * (1 - 1e-12) : 0
}

/** A value as a number whose percentile the engine finds. */
function ranked({ sql: value, type }: SqlArg): Sql {
  switch (type) {
    case 'int32':
    case 'bool':
      return sql`toInt64(${value})`
    case 'decimal':
      return sql`toFloat64(${value})`
    case 'int':
    case 'float':
    case 'span':
    case 'time':
      return value
    default:
      return sql`toFloat64OrNull(toString(${value}))`
  }
}

/** A percentile as a value of the type that it was asked of. */
function unranked(made: Sql, type: SqlArg['type']): Sql {
  switch (type) {
    case 'bool':
      return sql`CAST(${made} AS Nullable(Bool))`
    case 'text':
      return sql`ifNull(toString(${made}), '')`
    case 'guid':
    case 'dynamic':
      return sql`toString(${made})`
    default:
      return made
  }
}

/** The type of a percentile of a type. */
function rankedType(type: SqlArg['type']): SqlArg['type'] {
  if (type === 'int32' || type === 'bool') return 'int'
  return type === 'int' || type === 'span' || type === 'time' ? type : 'float'
}

const weightOf = (weight: SqlArg): Sql =>
  sql`toUInt64(greatest(ifNull(toInt64(${weight.sql}), 0), 0))`

const VALUE: Parameter = { name: 'value', type: 'any' }
const WEIGHT: Parameter = { name: 'weight', type: 'int' }
const PERCENT: Parameter = { name: 'percent', type: 'float', constant: true }
const SHARED = { onNull: 'own', aggregate: true, examples: [] } as const

const percentile: FunctionRecord = {
  ...SHARED,
  id: 'agg.percentile',
  says: 'The value that a percentage of the values do not exceed, by nearest rank.',
  takes: [VALUE, PERCENT],
  gives: 'dynamic',
  spelled: { kusto: ['percentile', 'percentiles'] },
  sql: (args) => sql`quantileExact(${literal(levelOf(arg(args, 1)))})(${ranked(arg(args, 0))})`,
  finish: (made, args) => unranked(made, arg(args, 0).type),
}

const weighted: FunctionRecord = {
  ...SHARED,
  id: 'agg.percentilew',
  says: 'The percentile of values that count as often as their weights say.',
  takes: [VALUE, WEIGHT, PERCENT],
  gives: 'dynamic',
  spelled: { kusto: ['percentilew', 'percentilesw'] },
  sql: (args) =>
    sql`quantileExactWeighted(${literal(levelOf(arg(args, 2)))})(${ranked(arg(args, 0))}, ${weightOf(arg(args, 1))})`,
  finish: (made, args) => unranked(made, arg(args, 0).type),
}

/** The levels of percentages that are given one by one, or in one constant array. */
function levelsOf(args: readonly SqlArg[]): Sql {
  const numbers = args.flatMap(({ type, value }): readonly unknown[] => {
    if (type !== 'dynamic' || typeof value !== 'string') return [value]
    const list: unknown = JSON.parse(value)
    return Array.isArray(list) ? list : []
  })
  const levels = numbers.map((each) => literal(levelOf({ value: Number(each) })))
  return joined(levels.length === 0 ? [literal(0)] : levels, ', ')
}

const asArray = (made: Sql, args: readonly SqlArg[]): Sql =>
  arrayJson(
    sql`arrayMap(${item} -> ${elementOf({ sql: item, type: rankedType(arg(args, 0).type) })}, ${made})`,
  )

const percentileArray: FunctionRecord = {
  ...SHARED,
  id: 'agg.percentiles_array',
  says: 'An array of percentiles, by nearest rank.',
  takes: [VALUE, { name: 'percent', type: 'any', constant: true, many: true }],
  gives: 'dynamic',
  spelled: { kusto: ['percentiles_array'] },
  sql: (args) => sql`quantilesExact(${levelsOf(args.slice(1))})(${ranked(arg(args, 0))})`,
  finish: asArray,
}

const weightedArray: FunctionRecord = {
  ...SHARED,
  id: 'agg.percentiles_weighted_array',
  says: 'An array of percentiles of values that count as often as their weights say.',
  takes: [VALUE, WEIGHT, { name: 'percent', type: 'any', constant: true, many: true }],
  gives: 'dynamic',
  spelled: { kusto: ['percentilesw_array'] },
  sql: (args) =>
    sql`quantilesExactWeighted(${levelsOf(args.slice(2))})(${ranked(arg(args, 0))}, ${weightOf(arg(args, 1))})`,
  finish: asArray,
}

export const statisticsFunctions: readonly FunctionRecord[] = [
  spread('variance', 'Variance of a sample.', 'varianceif', sample, variance),
  spread('variancep', 'Variance of a population.', 'variancepif', population, variance),
  spread('stdev', 'Standard deviation of a sample.', 'stdevif', sample, root),
  spread('stdevp', 'Standard deviation of a population.', undefined, population, root),
  together('covariance', 'Covariance of a sample.', sql`covarSampStable`),
  together('covariancep', 'Covariance of a population.', sql`covarPopStable`),
  percentile,
  weighted,
  percentileArray,
  weightedArray,
]
