/** Functions of a window: the row's place, its neighbours, and running totals. */
import { arg, type FunctionRecord } from './record.ts'
import { type Sql, type SqlArg, sql } from './sql.ts'

/** A value as the engine compares its type with that of the default: a column of a store is never missing, a default is. */
const mayMiss = (value: SqlArg, otherwise: SqlArg): Sql =>
  value.type === 'text' && otherwise.value !== null ? value.sql : sql`toNullable(${value.sql})`

const base = { onNull: 'own', aggregate: true, examples: [] } as const

export const windowFunctions: readonly FunctionRecord[] = [
  {
    ...base,
    id: 'win.row_number',
    says: 'Number of the row, from 1.',
    takes: [],
    gives: 'int',
    spelled: { kusto: ['row_number'] },
    // The engine's own row_number is unsigned, and types of different sign have no common one.
    sql: () => sql`sum(toInt64(1))`,
  },
  {
    ...base,
    id: 'win.lag',
    says: 'The value so many rows before, or the one given where there is no such row.',
    takes: [
      { name: 'value', type: 'any' },
      { name: 'rows', type: 'int' },
      { name: 'otherwise', type: 'any' },
    ],
    gives: 'dynamic',
    spelled: { kusto: ['prev'] },
    sql: (args) =>
      sql`lagInFrame(${mayMiss(arg(args, 0), arg(args, 2))}, ${arg(args, 1).sql}, ${arg(args, 2).sql})`,
  },
  {
    ...base,
    id: 'win.lead',
    says: 'The value so many rows after, or the one given where there is no such row.',
    takes: [
      { name: 'value', type: 'any' },
      { name: 'rows', type: 'int' },
      { name: 'otherwise', type: 'any' },
    ],
    gives: 'dynamic',
    spelled: { kusto: ['next'] },
    sql: (args) =>
      sql`leadInFrame(${mayMiss(arg(args, 0), arg(args, 2))}, ${arg(args, 1).sql}, ${arg(args, 2).sql})`,
  },
  {
    ...base,
    id: 'win.sum',
    says: 'Sum of the values in the window; missing values count nothing.',
    takes: [{ name: 'value', type: 'any' }],
    gives: 'int',
    spelled: { kusto: ['row_cumsum'] },
    sql: (args) => sql`sum(${arg(args, 0).sql})`,
  },
  {
    ...base,
    id: 'win.max',
    says: 'The greatest value in the window.',
    takes: [{ name: 'value', type: 'any' }],
    gives: 'int',
    sql: (args) => sql`max(${arg(args, 0).sql})`,
  },
  {
    ...base,
    id: 'win.min',
    says: 'The least value in the window.',
    takes: [{ name: 'value', type: 'any' }],
    gives: 'int',
    sql: (args) => sql`min(${arg(args, 0).sql})`,
  },
]
