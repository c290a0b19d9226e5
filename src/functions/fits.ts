/**
 * Figures of a series: its extremes and spread, and the straight line nearest to it. Each comes three ways: as one
 * value (the first), as a bag, and as an array of all that makes several columns at once.
 */
import { arrayJson, elements, onlyIf } from './json.ts'
import { named, VARIABLES } from './once.ts'
import { arg, type FunctionRecord, type Parameter } from './record.ts'
import { joined, literal, type Sql, type SqlArg, sql } from './sql.ts'

const { a: all, b: kept, c: made, g: value, t: line } = VARIABLES

interface Figures {
  readonly name: string
  readonly says: string
  readonly takes: readonly Parameter[]
  /** Names of the figures in order. */
  readonly names: readonly string[]
  /** How many of them, from the first, make columns. */
  readonly columns: number
  /** The figures as an array of raw JSON; empty where there are none. */
  readonly raw: (args: readonly SqlArg[]) => Sql
  readonly example: readonly [array: string, first: number, list: string, bag: string]
}

function figures(given: Figures): readonly FunctionRecord[] {
  const { name, says, takes, names, columns, raw, example } = given
  const [array, first, list, bag] = example
  const shared = { takes, onNull: 'own' } as const
  const none = joined(
    names.map(() => sql`'null'`),
    ', ',
  )
  const whole = (args: readonly SqlArg[]): Sql =>
    named(raw(args), made, (each) => sql`if(empty(${each}), [${none}], ${each})`)
  return [
    {
      ...shared,
      id: `series.${name}`,
      says: `${says} The first of them.`,
      gives: 'float',
      spelled: { kusto: [`series_${name}`] },
      several: `series.${name}_list`,
      sql: (args) => sql`toFloat64OrNull(${whole(args)}[1])`,
      examples: [{ args: [array], gives: first }],
    },
    {
      ...shared,
      id: `series.${name}_list`,
      says: `${says} As an array.`,
      gives: 'dynamic',
      sql: (args) => arrayJson(sql`arraySlice(${whole(args)}, 1, ${literal(columns)})`),
      examples: [{ args: [array], gives: list }],
    },
    {
      ...shared,
      id: `series.${name}_dynamic`,
      says: `${says} As a bag.`,
      gives: 'dynamic',
      spelled: { kusto: [`series_${name}_dynamic`] },
      sql: (args) => {
        const keys = joined(
          names.map((each) => literal(`"${each}":`)),
          ', ',
        )
        const members = sql`arrayMap((k, v) -> concat(k, v), [${keys}], ${whole(args)})`
        return onlyIf(arg(args, 0), '[', sql`concat('{', arrayStringConcat(${members}, ','), '}')`)
      },
      examples: [
        { args: [array], gives: bag },
        { args: [null], gives: null },
      ],
    },
  ]
}

/** A real number as raw JSON. */
const real = (number: Sql): Sql =>
  sql`multiIf(NOT isFinite(${number}), 'null', match(toString(${number}), '[.e]'), toString(${number}), concat(toString(${number}), '.0'))`

const numbers = (argument: SqlArg): Sql =>
  sql`arrayMap(x -> toFloat64OrNull(x), ${elements(argument)})`

const finite = sql`arrayMap(x -> assumeNotNull(x), arrayFilter(x -> ifNull(isFinite(x), false), ${all}))`

const stats = figures({
  name: 'stats',
  says: 'Least and greatest element of a series with their places, mean, deviation and variance.',
  takes: [
    { name: 'series', type: 'dynamic' },
    { name: 'ignore_nonfinite', type: 'bool', optional: true },
  ],
  names: ['min', 'min_idx', 'max', 'max_idx', 'avg', 'stdev', 'variance', 'sum', 'len'],
  columns: 7,
  raw: (args) => {
    const ignore = args[1] === undefined ? sql`false` : sql`ifNull(${args[1].sql}, false)`
    const least = sql`arrayMin(${kept})`
    const most = sql`arrayMax(${kept})`
    const place = (of: Sql): Sql => sql`toFloat64(indexOf(${all}, ${of})) - 1`
    const spread = sql`if(length(${kept}) < 2, 0, arrayReduce('varSampStable', ${kept}))`
    const list = sql`[${least}, ${place(least)}, ${most}, ${place(most)}, arrayAvg(${kept}), sqrt(${spread}), ${spread}, arraySum(${kept}), toFloat64(length(${kept}))]`
    const texts = sql`arrayMap((${value}, i) -> if(i IN (2, 4, 9), toString(toInt64(${value})), ${real(value)}), ${list}, range(1, 10))`
    return named(numbers(arg(args, 0)), all, () =>
      named(
        finite,
        kept,
        () =>
          sql`if(empty(${kept}) OR (length(${kept}) != length(${all}) AND NOT ${ignore}), emptyArrayString(), ${texts})`,
      ),
    )
  },
  example: [
    '[10,20]',
    10,
    '[10.0,0,20.0,1,15.0,7.0710678118654755,50.0]',
    '{"min":10.0,"min_idx":0,"max":20.0,"max_idx":1,"avg":15.0,"stdev":7.0710678118654755,"variance":50.0,"sum":30.0,"len":2}',
  ],
})

const fitLine = figures({
  name: 'fit_line',
  says: 'How well a straight line fits a series, and the line.',
  takes: [{ name: 'series', type: 'dynamic' }],
  names: ['rsquare', 'slope', 'variance', 'rvariance', 'interception', 'line_fit'],
  columns: 6,
  raw: (args) => {
    const places = sql`arrayMap(i -> toFloat64(i - 1), arrayEnumerate(${kept}))`
    const at = sql`(${line}.1 * toFloat64(i - 1) + ${line}.2)`
    const rest = sql`arrayReduce('varSampStable', arrayMap((y, i) -> y - ${at}, ${kept}, arrayEnumerate(${kept})))`
    const spread = sql`arrayReduce('varSampStable', ${kept})`
    const list = sql`[1 - ${rest} / ${spread}, ${line}.1, ${spread}, ${rest}, ${line}.2]`
    const fitted = sql`arrayMap(${value} -> ${real(value)}, arrayMap(i -> ${at}, arrayEnumerate(${kept})))`
    const texts = sql`arrayPushBack(arrayMap(${value} -> ${real(value)}, ${list}), ${arrayJson(fitted)})`
    return named(numbers(arg(args, 0)), all, () =>
      named(finite, kept, () =>
        named(
          sql`arrayReduce('simpleLinearRegression', ${places}, ${kept})`,
          line,
          () =>
            sql`if(length(${kept}) < 2 OR length(${kept}) != length(${all}), emptyArrayString(), ${texts})`,
        ),
      ),
    )
  },
  example: [
    '[1,3]',
    1,
    '[1.0,2.0,2.0,0.0,1.0,[1.0,3.0]]',
    '{"rsquare":1.0,"slope":2.0,"variance":2.0,"rvariance":0.0,"interception":1.0,"line_fit":[1.0,3.0]}',
  ],
})

export const fitFunctions: readonly FunctionRecord[] = [...stats, ...fitLine]
