/** A row as the text of a search condition, and instants made of seconds. */
import { arg, constTexts, type FunctionRecord } from './record.ts'
import { joined, literal, type Sql, type SqlArg, sql } from './sql.ts'

/** A value in double quotes, its own quotes and backslashes escaped. */
const quoted = (value: Sql): Sql =>
  sql`concat('"', replaceAll(replaceAll(${value}, '\\\\', '\\\\\\\\'), '"', '\\\\"'), '"')`

/** The comparisons of one field: one for each value that it has. */
function comparisons(field: string, value: SqlArg): Sql {
  const start = literal(`${field}=`)
  if (typeof value.type === 'object') {
    const each = sql`arrayStringConcat(arrayMap(v -> concat(${start}, ${quoted(sql`v`)}), ${value.sql}), ' OR ')`
    return sql`if(empty(${value.sql}), [], [if(length(${value.sql}) = 1, ${each}, concat('(', ${each}, ')'))])`
  }
  return sql`if(isNull(${value.sql}), [], [concat(${start}, ${quoted(sql`assumeNotNull(${value.sql})`)})])`
}

export const rowTextFunctions: readonly FunctionRecord[] = [
  {
    id: 'search.row_condition',
    says: 'The condition that a row meets alone: each field that it has with its value, with a text between them.',
    takes: [
      { name: 'fields', type: { list: 'text' }, constant: true },
      { name: 'between', type: 'text', constant: true },
      { name: 'value', type: 'any', many: true },
    ],
    gives: 'text',
    onNull: 'own',
    sql: (args) => {
      const parts = constTexts(args, 0).map((field, at) => comparisons(field, arg(args, at + 2)))
      const all = sql`arrayConcat(CAST([] AS Array(String)), ${joined(parts, ', ')})`
      return sql`arrayStringConcat(${all}, ${arg(args, 1).sql})`
    },
    examples: [
      { args: [['a', 'b'], ' AND ', 'x"y', 'c:\\'], gives: 'a="x\\"y" AND b="c:\\\\"' },
      {
        args: [['a', 'b'], ' AND ', null, 'z'],
        as: [{ list: 'text' }, 'text', 'text', 'text'],
        gives: 'b="z"',
      },
    ],
  },
  {
    id: 'search.joined',
    says: 'The texts of all rows in their order, with a text between them; missing when there is none.',
    takes: [
      { name: 'value', type: 'text' },
      { name: 'order', type: 'int' },
      { name: 'between', type: 'text', constant: true },
    ],
    gives: 'text',
    onNull: 'own',
    mayMiss: true,
    aggregate: true,
    sql: (args) =>
      sql`groupArray(tuple(assumeNotNull(${arg(args, 1).sql}), ifNull(${arg(args, 0).sql}, '')))`,
    finish: (made, args) =>
      sql`if(empty(${made}), NULL, arrayStringConcat(arrayMap(r -> r.2, arraySort(${made})), ${arg(args, 2).sql}))`,
    examples: [],
  },
  {
    id: 'time.of_seconds',
    says: 'The instant that lies so many seconds behind the beginning of 1970.',
    takes: [{ name: 'seconds', type: 'float' }],
    gives: 'time',
    onNull: 'null',
    sql: (args) =>
      sql`toDateTime64(fromUnixTimestamp64Micro(toInt64(round(${arg(args, 0).sql} * 1000000)), 'UTC'), 7, 'UTC')`,
    examples: [{ args: [1_700_000_000.5], gives: '2023-11-14T22:13:20.5000000Z' }],
  },
]
