/** Aggregates: one value from the rows of a group. Missing values are not counted. */
import type { BaseType } from '../ir/types.ts'
import { arg, type FunctionRecord } from './record.ts'
import { type Sql, sql } from './sql.ts'

function aggregate(
  id: string,
  says: string,
  gives: BaseType,
  print: (value: Sql) => Sql,
): FunctionRecord {
  return {
    id,
    says,
    takes: [{ name: 'value', type: 'any' }],
    gives,
    onNull: 'null',
    aggregate: true,
    sql: (args) => print(arg(args, 0).sql),
    examples: [],
  }
}

export const aggregateFunctions: readonly FunctionRecord[] = [
  {
    id: 'agg.count',
    says: 'Number of rows.',
    takes: [],
    gives: 'int',
    onNull: 'own',
    aggregate: true,
    sql: () => sql`count()`,
    examples: [],
  },
  aggregate(
    'agg.values',
    'Number of values that are there.',
    'int',
    (value) => sql`count(${value})`,
  ),
  aggregate(
    'agg.distinct',
    'Number of different values, exact.',
    'int',
    (value) => sql`uniqExact(${value})`,
  ),
  aggregate('agg.min', 'The least value.', 'text', (value) => sql`min(${value})`),
  aggregate('agg.max', 'The greatest value.', 'text', (value) => sql`max(${value})`),
  aggregate('agg.sample', 'One of the values.', 'text', (value) => sql`any(${value})`),
]
