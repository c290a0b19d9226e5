/**
 * Series taken apart into a season, a trend and a rest. The length of the season must be said: how Kusto finds one by
 * itself is not told. Arrays go beside one another into the lambdas: one that a lambda reads from outside is copied
 * for each element.
 */
import type { ConstValue } from '../ir/expr.ts'
import { arrayJson, elementOf, elements, onlyIf } from './json.ts'
import { named, VARIABLES } from './once.ts'
import { among, arg, type FunctionRecord, type Parameter } from './record.ts'
import { literal, type Sql, type SqlArg, sql } from './sql.ts'

const { a: all, b: learned, c: season, g: line, t: value } = VARIABLES

/** Longest season that is looked for. */
const MOST_BINS = 100_000

function isLength(given: ConstValue, least: number): boolean {
  return (
    typeof given === 'number' && Number.isInteger(given) && given >= least && given <= MOST_BINS
  )
}

const SERIES: Parameter = { name: 'series', type: 'dynamic' }
const TREND: Parameter = {
  name: 'trend',
  type: 'text',
  constant: true,
  optional: true,
  wrong: among(['avg', 'linefit', 'none']),
}
const POINTS: Parameter = {
  name: 'test_points',
  type: 'int',
  constant: true,
  optional: true,
  wrong: (given) => (isLength(given, 0) ? undefined : 'it must be a number of points'),
}

function seasonality(least: number): Parameter {
  return {
    name: 'seasonality',
    type: 'int',
    constant: true,
    wrong: (given) =>
      isLength(given, least)
        ? undefined
        : 'the length of the season must be said: seasons are not found by themselves here',
  }
}

/** The medians of the places of a season over the learned values, repeated as long as the series is. */
function seasonal(period: number): Sql {
  if (period === 0) return sql`arrayMap(x -> toFloat64(0), ${all})`
  const bins = literal(period)
  const places = sql`range(${bins})`
  const counts = sql`arrayMap(p -> toUInt64(greatest(intDiv(${line} - toInt64(p) + ${bins} - 1, ${bins}), 0)), ${places})`
  const starts = sql`arrayMap((e, n) -> toUInt64(e - n + 1), arrayCumSum(${counts}), ${counts})`
  const sorted = sql`arraySort((x, i) -> (i - 1) % ${bins}, ${learned}, arrayEnumerate(${learned}))`
  const medians = sql`arrayReduceInRanges('quantileExactInclusive(0.5)', arrayZip(${starts}, ${counts}), ${sorted})`
  const solid = sql`arrayMap(m -> if(ifNull(isFinite(m), false), assumeNotNull(m), 0), ${medians})`
  const times = sql`range(toUInt32(intDiv(length(${all}), ${bins}) + 1))`
  return named(
    named(sql`toInt64(length(${learned}))`, line, () => solid),
    value,
    (each) => sql`arraySlice(arrayFlatten(arrayMap(k -> ${each}, ${times})), 1, length(${all}))`,
  )
}

/** The trend of what is left of the learned values without the season, over the whole series. */
function trendOf(kind: string): Sql {
  const rest = sql`arrayMap((x, s) -> x - s, ${learned}, arraySlice(${season}, 1, length(${learned})))`
  const there = sql`arrayFilter((x, i) -> isNotNull(x), ${rest}, arrayEnumerate(${rest}))`
  const places = sql`arrayFilter((i, x) -> isNotNull(x), arrayMap(i -> toFloat64(i - 1), arrayEnumerate(${rest})), ${rest})`
  if (kind === 'none') return sql`arrayMap(x -> toFloat64(0), ${all})`
  if (kind === 'avg') {
    const mean = sql`arrayAvg(arrayMap(x -> assumeNotNull(x), ${there}))`
    return named(
      sql`if(empty(${there}), toFloat64(0), ${mean})`,
      line,
      (each) => sql`arrayMap(x -> ${each}, ${all})`,
    )
  }
  const fit = sql`arrayReduce('simpleLinearRegression', ${places}, arrayMap(x -> assumeNotNull(x), ${there}))`
  return named(
    fit,
    line,
    (each) => sql`arrayMap(i -> ${each}.1 * (i - 1) + ${each}.2, arrayEnumerate(${all}))`,
  )
}

interface Parts {
  readonly season: Sql
  readonly trend: Sql
}

/** What is made of a series and its parts; `all` are its numbers. */
function decomposed(
  series: SqlArg,
  {
    period,
    kind,
    points,
  }: { readonly period: number; readonly kind: string; readonly points: number },
  print: (parts: Parts) => Sql,
): Sql {
  const numbers = sql`arrayMap(x -> toFloat64OrNull(x), ${elements(series)})`
  const known = sql`arraySlice(${all}, 1, greatest(toInt64(length(${all})) - ${literal(points)}, 0))`
  const body = named(numbers, all, () =>
    named(known, learned, () =>
      named(seasonal(period), season, () =>
        named(trendOf(kind), line, (trend) => print({ season, trend })),
      ),
    ),
  )
  return onlyIf(series, '[', body)
}

const real = (number: Sql): Sql => elementOf({ sql: number, type: 'float' })
const list = (numbers: Sql): Sql => arrayJson(sql`arrayMap(${value} -> ${real(value)}, ${numbers})`)

const constant = (given: SqlArg | undefined, otherwise: number): number =>
  given === undefined ? otherwise : Number(given.value)

const kindOf = (given: SqlArg | undefined): string => String(given?.value ?? 'avg').toLowerCase()

const SHARED = { gives: 'dynamic', onNull: 'own' } as const

const seasonalRecord: FunctionRecord = {
  ...SHARED,
  id: 'series.seasonal',
  says: 'The season of a series: the medians of its places.',
  takes: [SERIES, seasonality(1), POINTS],
  spelled: { kusto: ['series_seasonal'] },
  sql: (args) =>
    decomposed(
      arg(args, 0),
      { period: constant(args[1], 1), kind: 'none', points: constant(args[2], 0) },
      (parts) => list(parts.season),
    ),
  examples: [
    { args: ['[1,9,3,7,1]', 2], gives: '[1.0,8.0,1.0,8.0,1.0]' },
    { args: ['[]', 2], gives: '[]' },
    { args: [null, 2], gives: null },
  ],
}

const DECOMPOSE: readonly Parameter[] = [SERIES, seasonality(0), TREND, POINTS]

const baseline = ({ season: s, trend }: Parts): Sql =>
  sql`arrayMap((s, t) -> s + t, ${s}, ${trend})`

function decompose(print: (parts: Parts) => Sql): FunctionRecord['sql'] {
  return (args) =>
    decomposed(
      arg(args, 0),
      { period: constant(args[1], 0), kind: kindOf(args[2]), points: constant(args[3], 0) },
      print,
    )
}

const decomposeRecord: FunctionRecord = {
  ...SHARED,
  id: 'series.decompose',
  says: 'What the season and the trend of a series make together.',
  takes: DECOMPOSE,
  spelled: { kusto: ['series_decompose'] },
  several: 'series.decompose_list',
  sql: decompose((parts) => list(baseline(parts))),
  examples: [
    { args: ['[1,9,1,9]', 2], gives: '[1.0,9.0,1.0,9.0]' },
    { args: ['[1,2,3,4]', 0, 'linefit'], gives: '[1.0,2.0,3.0,4.0]' },
    { args: ['[1,2,9]', 0, 'avg', 1], gives: '[1.5,1.5,1.5]' },
  ],
}

const decomposeList: FunctionRecord = {
  ...SHARED,
  id: 'series.decompose_list',
  says: 'Baseline, season, trend and rest of a series, as an array of arrays.',
  takes: DECOMPOSE,
  sql: decompose((parts) => {
    const rest = sql`arrayMap((x, y) -> x - y, ${all}, ${baseline(parts)})`
    return arrayJson(
      sql`[${list(baseline(parts))}, ${list(parts.season)}, ${list(parts.trend)}, ${list(rest)}]`,
    )
  }),
  examples: [
    {
      args: ['[1,3,2]', 0],
      gives: '[[2.0,2.0,2.0],[0.0,0.0,0.0],[2.0,2.0,2.0],[-1.0,1.0,0.0]]',
    },
  ],
}

const forecast: FunctionRecord = {
  ...SHARED,
  id: 'series.decompose_forecast',
  says: 'The season and the trend of a series without its last points, carried on over them.',
  takes: [SERIES, { ...POINTS, name: 'points', optional: false }, seasonality(0), TREND],
  spelled: { kusto: ['series_decompose_forecast'] },
  sql: (args) =>
    decomposed(
      arg(args, 0),
      { period: constant(args[2], 0), kind: kindOf(args[3]), points: constant(args[1], 0) },
      (parts) => list(baseline(parts)),
    ),
  examples: [{ args: ['[1,2,3,0,0]', 2, 0, 'linefit'], gives: '[1.0,2.0,3.0,4.0,5.0]' }],
}

export const seasonFunctions: readonly FunctionRecord[] = [
  seasonalRecord,
  decomposeRecord,
  decomposeList,
  forecast,
]
