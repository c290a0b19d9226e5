/** Numbers of several fields of a row taken together, and the weighted mean of the last rows. */
import { ELEMENT, numberOf, PLACE } from './evalvalue.ts'
import { named, VARIABLES } from './once.ts'
import { arg, type FunctionRecord } from './record.ts'
import { joined, type Sql, sql } from './sql.ts'
import { stats, VALUE } from './statsshape.ts'

const sum: FunctionRecord = {
  id: 'row.sum',
  says: 'The sum of the numbers that are there; 0 of none.',
  takes: [{ name: 'value', type: 'float', many: true }],
  gives: 'float',
  onNull: 'own',
  sql: (args) =>
    args.length === 0
      ? sql`toFloat64(0)`
      : sql`arraySum([${joined(
          args.map((each): Sql => sql`ifNull(${numberOf(each)}, toFloat64(0))`),
          ', ',
        )}])`,
  examples: [
    { args: [1, 2.5], gives: 3.5 },
    { args: [1, null], as: ['float', 'float'], gives: 1 },
    { args: [null], as: ['float'], gives: 0 },
  ],
}

const weighted = stats('wma', [], {
  says: 'The mean of numbers of which the first counts once, the second twice, and so on.',
  takes: [VALUE, { name: 'order', type: 'int' }],
  ordered: true,
  gives: 'float',
  sql: (args) =>
    sql`groupArray((${arg(args, 1).sql}, ifNull(${numberOf(arg(args, 0))}, toFloat64(0))))`,
  finish: (made) =>
    named(
      sql`arraySort(${made})`,
      VARIABLES.a,
      (pairs) =>
        sql`if(empty(${pairs}), NULL, arraySum(arrayMap((${ELEMENT}, ${PLACE}) -> ${ELEMENT}.2 * ${PLACE}, ${pairs}, arrayEnumerate(${pairs}))) / (length(${pairs}) * (length(${pairs}) + 1) / 2))`,
    ),
})

export const rowNumberFunctions: readonly FunctionRecord[] = [sum, weighted]
