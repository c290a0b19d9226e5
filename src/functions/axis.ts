/** Series along an axis: places of values on it, and the arrays of values and of places that make a series. */
import type { Type } from '../ir/types.ts'
import { instant, ticksOf } from './calendar.ts'
import { arrayJson, elementOf } from './json.ts'
import { arg, type FunctionRecord } from './record.ts'
import { type Sql, type SqlArg, sql } from './sql.ts'

/** Most places that one series has; rows beyond them are no part of it. */
export const MOST_PLACES = 1_048_576
const MOST = sql`1048576`

/** A value as a number that steps are counted in. */
function plain({ sql: value, type }: SqlArg): Sql {
  if (type === 'time') return ticksOf(value)
  return type === 'decimal' ? sql`toFloat64(${value})` : value
}

function isReal(type: Type): boolean {
  return type === 'float' || type === 'decimal'
}

/** Steps from a start to a value, rounded down or up; NULL where the step is not above zero. */
function steps(start: SqlArg, value: SqlArg, step: SqlArg, how: 'down' | 'up'): Sql {
  const size = plain(step)
  const span = sql`(${plain(value)} - ${plain(start)})`
  if (isReal(value.type)) {
    const count = sql`${span} / ${size}`
    const whole = how === 'down' ? sql`floor(${count})` : sql`ceil(${count})`
    return sql`if(${size} > 0 AND isFinite(${count}) AND abs(${count}) < 1e15, toInt64(${whole}), NULL)`
  }
  const positive = sql`if(${size} > 0, toInt64(${size}), NULL)`
  const rest = sql`positiveModulo(toInt64(${span}), ${positive})`
  const down = sql`intDivOrNull(toInt64(${span}) - ${rest}, ${positive})`
  return how === 'down' ? sql`toInt64(${down})` : sql`toInt64(${down} + (${rest} > 0))`
}

const STEPS = [
  { name: 'start', type: 'any' },
  { name: 'value', type: 'any' },
  { name: 'step', type: 'any' },
] as const

const place: FunctionRecord = {
  id: 'axis.place',
  says: 'Number of whole steps from a start to a value, below zero before the start.',
  takes: STEPS,
  gives: 'int',
  onNull: 'own',
  sql: (args) => steps(arg(args, 0), arg(args, 1), arg(args, 2), 'down'),
  examples: [
    { args: [0, 7, 2], gives: 3 },
    { args: [0, -1, 2], gives: -1 },
    { args: [0, 7, 0], gives: null },
  ],
}

const length: FunctionRecord = {
  id: 'axis.length',
  says: 'Number of steps that begin between a start and an end, the end left out.',
  takes: STEPS,
  gives: 'int',
  onNull: 'own',
  sql: (args) => steps(arg(args, 0), arg(args, 1), arg(args, 2), 'up'),
  examples: [
    { args: [0, 7, 2], gives: 4 },
    { args: [0, 6, 2], gives: 3 },
  ],
}

const collect: FunctionRecord = {
  id: 'axis.collect',
  says: 'JSON texts of values at their places, empty where there is none.',
  takes: [
    { name: 'value', type: 'any' },
    { name: 'place', type: 'int' },
  ],
  gives: { list: 'text' },
  onNull: 'own',
  aggregate: true,
  sql: (args) =>
    sql`groupArrayInsertAt('')(assumeNotNull(${elementOf(arg(args, 0))}), toUInt32(assumeNotNull(${arg(args, 1).sql})))`,
  examples: [],
}

const array: FunctionRecord = {
  id: 'axis.array',
  says: 'An array of so many values from their JSON texts, another value where there is none.',
  takes: [
    { name: 'values', type: { list: 'text' } },
    { name: 'length', type: 'int' },
    { name: 'otherwise', type: 'any' },
  ],
  gives: 'dynamic',
  onNull: 'own',
  sql: (args) => {
    const values = sql`arrayResize(${arg(args, 0).sql}, ${limited(arg(args, 1).sql)}, '')`
    return arrayJson(
      sql`arrayMap((x, d) -> if(x = '', d, x), ${values}, arrayResize([assumeNotNull(${elementOf(arg(args, 2))})], ${limited(arg(args, 1).sql)}, assumeNotNull(${elementOf(arg(args, 2))})))`,
    )
  },
  examples: [
    { args: [['1', '', '3'], 4, 0], gives: '[1,0,3,0]' },
    { args: [['1', '2'], 1, 0], gives: '[1]' },
  ],
}

function limited(count: Sql): Sql {
  return sql`toUInt32(least(greatest(ifNull(${count}, 0), 0), ${MOST}))`
}

/** The value so many steps after a start. */
function valueAt(start: SqlArg, step: SqlArg, count: Sql): SqlArg {
  const { type } = start
  const value = sql`${plain(start)} + ${count} * ${plain(step)}`
  if (type === 'time') return { sql: instant(value), type }
  return { sql: value, type: type === 'decimal' ? 'float' : type }
}

const values: FunctionRecord = {
  id: 'axis.values',
  says: 'An array of so many values a step apart, from a place counted from a start.',
  takes: [
    { name: 'start', type: 'any' },
    { name: 'step', type: 'any' },
    { name: 'first', type: 'int' },
    { name: 'length', type: 'int' },
  ],
  gives: 'dynamic',
  onNull: 'own',
  sql: (args) => {
    const [start, step, first] = [arg(args, 0), arg(args, 1), arg(args, 2).sql]
    const each = valueAt(start, step, sql`(${first} + toInt64(i))`)
    return arrayJson(
      sql`arrayMap(i -> assumeNotNull(${elementOf(each)}), range(${limited(arg(args, 3).sql)}))`,
    )
  },
  examples: [{ args: [10, 5, 1, 3], gives: '[15,20,25]' }],
}

const listLength: FunctionRecord = {
  id: 'axis.count',
  says: 'Number of elements of a list.',
  takes: [{ name: 'values', type: { list: 'text' } }],
  gives: 'int',
  onNull: 'own',
  sql: (args) => sql`toInt64(length(${arg(args, 0).sql}))`,
  examples: [{ args: [['a', 'b']], gives: 2 }],
}

export const axisFunctions: readonly FunctionRecord[] = [
  place,
  length,
  collect,
  array,
  values,
  listLength,
]
