/**
 * Aggregates of SPL over values as they are: how many, which, the first of them by a rank or by time, the least. A list
 * counts as each of its values, a missing value counts nothing.
 */
import { isList, type Type } from '../ir/types.ts'
import { ELEMENT, isMissing, isNumber, LIST, listOf, numberIn, PLACE, textOf } from './evalvalue.ts'
import { named, VARIABLES } from './once.ts'
import { arg, type FunctionRecord, type Parameter } from './record.ts'
import { literal, type Sql, type SqlArg, sql } from './sql.ts'
import { stats, VALUE } from './statsshape.ts'

const whole = (made: Sql): Sql => sql`toInt64(${made})`

const ORDER: Parameter = { name: 'order', type: 'int' }
const TIME: Parameter = { name: 'time', type: 'float' }

/** Values that `list` keeps of a group. */
const LISTED = 100

/** A value as the engine has it, a number or a text, in a type that may be missing: of no rows there is no value. */
const plain = (value: SqlArg): Sql =>
  sql`toNullable(${isNumber(value) ? value.sql : textOf(value)})`

/** The type of one of the values. */
const elementType = (types: readonly Type[]): Type => {
  const [first = 'text'] = types
  return isList(first) || first === 'null' ? 'text' : first
}

const rows = stats('count_rows', [], {
  says: 'Number of rows.',
  takes: [],
  gives: 'int',
  sql: () => sql`count()`,
  finish: whole,
})

const count = stats('count', ['count', 'c'], {
  says: 'Number of values.',
  takes: [VALUE],
  gives: 'int',
  sql: (args) => {
    const value = arg(args, 0)
    return isList(value.type) ? sql`sum(length(${value.sql}))` : sql`count(${plain(value)})`
  },
  finish: whole,
})

function distinct(id: string, spl: readonly string[], says: string): FunctionRecord {
  return stats(id, spl, {
    says,
    takes: [VALUE],
    gives: 'int',
    sql: (args) => {
      const value = arg(args, 0)
      return isList(value.type)
        ? sql`uniqExactArray(${value.sql})`
        : sql`uniqExact(${plain(value)})`
    },
    finish: whole,
  })
}

const error = stats('estdc_error', ['estdc_error'], {
  says: 'How far the number of different values may be off: not at all, for it is counted exactly.',
  takes: [VALUE],
  gives: 'float',
  sql: () => sql`count()`,
  finish: () => sql`toFloat64(0)`,
})

const values = stats('values', ['values'], {
  says: 'The different values, in the order of their bytes.',
  takes: [VALUE],
  gives: LIST,
  sql: (args) => {
    const value = arg(args, 0)
    return value.type === 'text' && !isMissing(value)
      ? sql`groupUniqArray(${value.sql})`
      : sql`groupUniqArrayArray(${listOf(value)})`
  },
  finish: (made) => sql`arraySort(${made})`,
})

const list = stats('list', ['list'], {
  says: `The first ${LISTED} values in the order of the rows.`,
  takes: [VALUE, ORDER],
  ordered: true,
  gives: LIST,
  sql: (args) => {
    const order = arg(args, 1).sql
    const { a } = VARIABLES
    return sql`groupArraySortedArray(${literal(LISTED)})(${named(
      listOf(arg(args, 0)),
      a,
      (v) =>
        sql`arrayMap((${ELEMENT}, ${PLACE}) -> (${order}, ${PLACE}, ${ELEMENT}), ${v}, arrayEnumerate(${v}))`,
    )})`
  },
  finish: (made) => sql`arrayMap(${ELEMENT} -> ${ELEMENT}.3, ${made})`,
})

/** The value that stands first by a rank; the elements of a list have ranks of their own. */
function placed(args: readonly SqlArg[], which: 'min' | 'max', rank: (place: Sql) => Sql): Sql {
  const value = arg(args, 0)
  if (!isList(value.type)) {
    return sql`${which === 'min' ? sql`argMin` : sql`argMax`}(${plain(value)}, ${rank(sql`0`)})`
  }
  const elements = sql`arrayMap(${ELEMENT} -> toNullable(${ELEMENT}), ${value.sql})`
  const ranks = sql`arrayMap(${PLACE} -> ${rank(PLACE)}, arrayEnumerate(${value.sql}))`
  return sql`${which === 'min' ? sql`argMinArray` : sql`argMaxArray`}(${elements}, ${ranks})`
}

function byOrder(id: 'first' | 'last'): FunctionRecord {
  return stats(id, [id], {
    says: `The ${id} value in the order of the rows.`,
    takes: [VALUE, ORDER],
    ordered: true,
    gives: 'text',
    givesFor: elementType,
    sql: (args) =>
      placed(
        args,
        id === 'first' ? 'min' : 'max',
        (place) => sql`(${arg(args, 1).sql}, toInt64(${place}))`,
      ),
  })
}

/** A value that has a time: rows without one have no place in time. */
function timed(args: readonly SqlArg[]): readonly SqlArg[] {
  const value = arg(args, 0)
  const time = arg(args, 1).sql
  const made = isList(value.type)
    ? sql`if(isNull(${time}), [], ${value.sql})`
    : sql`if(isNull(${time}), NULL, ${plain(value)})`
  return [{ sql: made, type: value.type }, ...args.slice(1)]
}

function byTime(id: 'earliest' | 'latest'): FunctionRecord {
  return stats(id, [id], {
    says: `The ${id} value by time. Rows come newest first: of one time, the first is the latest.`,
    takes: [VALUE, TIME, ORDER],
    ordered: true,
    gives: 'text',
    givesFor: elementType,
    sql: (args) =>
      placed(
        timed(args),
        id === 'earliest' ? 'min' : 'max',
        (place) =>
          sql`(ifNull(${arg(args, 1).sql}, toFloat64(0)), -toInt64(${arg(args, 2).sql}), toInt64(${place}))`,
      ),
  })
}

function timeOf(id: 'earliest_time' | 'latest_time'): FunctionRecord {
  const fn = id === 'earliest_time' ? sql`min` : sql`max`
  return stats(id, [id], {
    says: `The time of the ${id === 'earliest_time' ? 'earliest' : 'latest'} row with a value.`,
    takes: [VALUE, TIME],
    gives: 'float',
    sql: (args) => {
      const value = arg(args, 0)
      const isThere = isList(value.type)
        ? sql`notEmpty(${value.sql})`
        : sql`isNotNull(${plain(value)})`
      return sql`${fn}(if(${isThere}, ${arg(args, 1).sql}, NULL))`
    },
  })
}

const mode = stats('mode', ['mode'], {
  says: 'The value that comes most often; of several, the first in the order of their bytes.',
  takes: [VALUE],
  gives: 'text',
  sql: (args) =>
    sql`sumMapArray(arrayMap(${ELEMENT} -> map(${ELEMENT}, toUInt64(1)), ${listOf(arg(args, 0))}))`,
  finish: (made) =>
    named(made, VARIABLES.a, (counts) => {
      const keys = sql`mapKeys(${counts})`
      const sorted = sql`arraySort((${ELEMENT}, ${PLACE}) -> (-toInt64(${PLACE}), ${ELEMENT}), ${keys}, mapValues(${counts}))`
      return sql`if(empty(${keys}), NULL, toNullable(${sorted}[1]))`
    }),
})

/**
 * What decides the least or greatest of texts, for one of them: the text, the number in it with the text, and whether
 * it is none. Kept at the same time, for one value that is no number makes all of them texts.
 */
function extremeParts(which: 'min' | 'max', text: Sql): Sql {
  const worst = which === 'min' ? sql`toFloat64('inf')` : sql`toFloat64('-inf')`
  const mark = which === 'min' ? sql`toFloat64(-1)` : sql`toFloat64(1)`
  return named(
    numberIn(text),
    VARIABLES.b,
    (number) =>
      sql`[(toFloat64(0), ${text}), (ifNull(${number}, ${worst}), ${text}), (if(isNull(${number}), ${mark}, toFloat64(0)), '')]`,
  )
}

function extreme(which: 'min' | 'max', says: string): FunctionRecord {
  const plainly = which === 'min' ? sql`min` : sql`max`
  const each = which === 'min' ? sql`minForEach` : sql`maxForEach`
  const eachOf = which === 'min' ? sql`minForEachArray` : sql`maxForEachArray`
  const isPlain = (value: SqlArg): boolean => isNumber(value) || isMissing(value)
  return stats(which, [which], {
    says,
    takes: [VALUE],
    gives: 'text',
    givesFor: elementType,
    sql: (args) => {
      const value = arg(args, 0)
      if (isPlain(value)) return sql`${plainly}(${plain(value)})`
      if (isList(value.type)) {
        return sql`${eachOf}(arrayMap(${ELEMENT} -> ${extremeParts(which, ELEMENT)}, ${value.sql}))`
      }
      const parts = extremeParts(which, sql`assumeNotNull(${value.sql})`)
      return sql`${each}(if(isNull(${value.sql}), [], ${parts}))`
    },
    finish: (made, args) =>
      isPlain(arg(args, 0))
        ? made
        : named(
            made,
            VARIABLES.a,
            (m) =>
              sql`multiIf(empty(${m}), NULL, ${m}[3].1 = 0, toNullable(${m}[2].2), toNullable(${m}[1].2))`,
          ),
  })
}

export const statsValueFunctions: readonly FunctionRecord[] = [
  rows,
  count,
  distinct('dc', ['dc', 'distinct_count'], 'Number of different values, exact.'),
  distinct('estdc', ['estdc'], 'Number of different values; exact here too.'),
  error,
  values,
  list,
  byOrder('first'),
  byOrder('last'),
  byTime('earliest'),
  byTime('latest'),
  timeOf('earliest_time'),
  timeOf('latest_time'),
  mode,
  extreme('min', 'The least value: of numbers by size, of texts, or both, by their bytes.'),
  extreme('max', 'The greatest value: of numbers by size, of texts, or both, by their bytes.'),
]
