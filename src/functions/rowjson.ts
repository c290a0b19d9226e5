/** Rows as JSON texts. */
import { isMissing, isNumber } from './evalvalue.ts'
import { arg, constTexts, type FunctionRecord } from './record.ts'
import { joined, literal, type Sql, type SqlArg, sql } from './sql.ts'

/** The members that a field gives: one, or none where it is missing. */
function members(name: string, value: SqlArg): Sql {
  const none = sql`CAST([] AS Array(String))`
  if (isMissing(value)) return none
  const start = literal(`${JSON.stringify(name)}:`)
  if (typeof value.type === 'object') {
    return sql`if(empty(${value.sql}), ${none}, [concat(${start}, toJSONString(${value.sql}))])`
  }
  const plain = isNumber(value)
    ? sql`toString(${value.sql})`
    : sql`toJSONString(toString(${value.sql}))`
  return sql`if(isNull(${value.sql}), ${none}, [concat(${start}, assumeNotNull(${plain}))])`
}

export const rowJsonFunctions: readonly FunctionRecord[] = [
  {
    id: 'row.json',
    says: 'A row as a JSON object of its fields; those that it has not are left out.',
    takes: [
      { name: 'fields', type: { list: 'text' }, constant: true },
      { name: 'value', type: 'any', many: true },
    ],
    gives: 'text',
    onNull: 'own',
    sql: (args) => {
      const parts = constTexts(args, 0).map((name, at) => members(name, arg(args, at + 1)))
      const all = sql`arrayConcat(CAST([] AS Array(String)), ${joined(parts, ', ')})`
      return sql`concat('{', arrayStringConcat(${all}, ','), '}')`
    },
    examples: [
      { args: [['a', 'b'], 'x"y', 5], gives: '{"a":"x\\"y","b":5}' },
      {
        args: [['a', 'b'], null, ['p', 'q']],
        as: [{ list: 'text' }, 'text', { list: 'text' }],
        gives: '{"b":["p","q"]}',
      },
    ],
  },
]
