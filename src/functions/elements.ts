/** Functions of a multivalue field that look at each of its values: `mvmap`, `mvfilter`. The value is a variable. */
import { arg, constText, type FunctionRecord, type Parameter } from './record.ts'
import { name, type Sql, type SqlArg, sql } from './sql.ts'

const TEXTS = { list: 'text' } as const
const TAKES: readonly Parameter[] = [
  { name: 'list', type: TEXTS },
  { name: 'variable', type: 'text', constant: true },
]

const base = { gives: TEXTS, onNull: 'own', binds: 1, examples: [] } as const

const variable = (args: readonly SqlArg[]): Sql => sql`${name(constText(args, 1))}`

export const elementFunctions: readonly FunctionRecord[] = [
  {
    ...base,
    id: 'mv.map',
    says: 'The values of an expression over each value of the list; missing ones are left out.',
    takes: [...TAKES, { name: 'value', type: 'text' }],
    spelled: { spl: ['mvmap'] },
    sql: (args) =>
      sql`arrayMap(x -> assumeNotNull(x), arrayFilter(x -> isNotNull(x), arrayMap(${variable(args)} -> toNullable(${arg(args, 2).sql}), ${arg(args, 0).sql})))`,
  },
  {
    ...base,
    id: 'mv.flat_map',
    says: 'The values of all lists that an expression gives over each value of the list.',
    takes: [...TAKES, { name: 'values', type: TEXTS }],
    sql: (args) =>
      sql`arrayFlatten(arrayMap(${variable(args)} -> ${arg(args, 2).sql}, ${arg(args, 0).sql}))`,
  },
  {
    ...base,
    id: 'mv.filter',
    says: 'The values of the list that pass a test.',
    takes: [...TAKES, { name: 'test', type: 'bool' }],
    spelled: { spl: ['mvfilter'] },
    sql: (args) =>
      sql`arrayFilter(${variable(args)} -> ifNull(${arg(args, 2).sql}, false), ${arg(args, 0).sql})`,
  },
]
