/** Choices and tests for missing values in languages whose texts are never missing, and sets of rows of a query. */
import { arg, constTexts, type FunctionRecord } from './record.ts'
import { joined, literal, type SqlArg, sql } from './sql.ts'

const isText = (given: SqlArg): boolean => given.type === 'text'

const holds: FunctionRecord = {
  id: 'logic.holds',
  says: 'The truth value, false where it is missing.',
  takes: [{ name: 'test', type: 'bool' }],
  gives: 'bool',
  onNull: 'own',
  sql: (args) => sql`ifNull(${arg(args, 0).sql}, false)`,
  examples: [
    { args: [true], gives: true },
    { args: [null], gives: false },
  ],
}

const coalesce: FunctionRecord = {
  id: 'value.coalesce',
  says: 'The first value that is not missing; of texts, the first that is not empty.',
  takes: [{ name: 'value', type: 'any', many: true }],
  gives: 'dynamic',
  onNull: 'own',
  spelled: { kusto: ['coalesce'] },
  sql: (args) => {
    const [first = arg(args, 0), ...rest] = args
    if (!isText(first))
      return sql`coalesce(${joined(
        args.map((each) => each.sql),
        ', ',
      )})`
    return rest.length === 0
      ? first.sql
      : sql`ifNull(coalesce(${joined(
          args.map((each) => sql`nullIf(${each.sql}, '')`),
          ', ',
        )}), '')`
  },
  examples: [
    { args: ['', 'b', 'c'], gives: 'b' },
    { args: ['', ''], gives: '' },
  ],
}

const isEmpty: FunctionRecord = {
  id: 'value.is_empty',
  says: 'True for an empty text and for a missing value.',
  takes: [{ name: 'value', type: 'any' }],
  gives: 'bool',
  onNull: 'own',
  spelled: { kusto: ['isempty'] },
  sql: (args) => {
    const value = arg(args, 0)
    if (isText(value)) return sql`(${value.sql} = '')`
    return value.type === 'dynamic'
      ? sql`(ifNull(${value.sql}, '""') = '""')`
      : sql`isNull(${value.sql})`
  },
  examples: [
    { args: [''], gives: true },
    { args: ['x'], gives: false },
  ],
}

const isMissing: FunctionRecord = {
  id: 'value.is_missing',
  says: 'True for a missing value.',
  takes: [{ name: 'value', type: 'any' }],
  gives: 'bool',
  onNull: 'own',
  spelled: { kusto: ['isnull'] },
  sql: (args) => sql`isNull(${arg(args, 0).sql})`,
  examples: [
    { args: [null], gives: true },
    { args: [0], gives: false },
  ],
}

const nullable: FunctionRecord = {
  id: 'value.may_miss',
  says: 'The value, in a column that may also hold no value: what an outer join leaves without a partner.',
  takes: [{ name: 'value', type: 'any' }],
  gives: 'dynamic',
  onNull: 'own',
  sql: (args) => sql`toNullable(${arg(args, 0).sql})`,
  examples: [{ args: ['x'], gives: 'x' }],
}

const orEmpty: FunctionRecord = {
  id: 'text.or_empty',
  says: 'The text, the empty one where there is none.',
  takes: [{ name: 'value', type: 'any' }],
  gives: 'text',
  onNull: 'own',
  sql: (args) => sql`ifNull(${arg(args, 0).sql}, '')`,
  examples: [
    { args: ['x'], gives: 'x' },
    { args: [null], gives: '' },
  ],
}

const inSet: FunctionRecord = {
  id: 'set.has',
  says: 'True when the rows of a query hold the value; a missing value is in no set.',
  takes: [
    { name: 'value', type: 'any' },
    { name: 'set', type: 'any' },
  ],
  gives: 'bool',
  onNull: 'own',
  sql: (args) => sql`ifNull(${arg(args, 0).sql} IN ${arg(args, 1).sql}, false)`,
  examples: [],
}

const isSame: FunctionRecord = {
  id: 'compare.is',
  says: 'True when both are the same value, or both are missing.',
  takes: [
    { name: 'left', type: 'any' },
    { name: 'right', type: 'any' },
  ],
  gives: 'bool',
  onNull: 'own',
  sql: (args) => sql`(${arg(args, 0).sql} <=> ${arg(args, 1).sql})`,
  examples: [
    { args: ['a', 'a'], gives: true },
    { args: ['a', null], gives: false },
  ],
}

const inList: FunctionRecord = {
  id: 'text.in_case',
  says: 'True when the text is one of those listed, in their case.',
  takes: [
    { name: 'text', type: 'text' },
    { name: 'list', type: { list: 'text' }, constant: true },
  ],
  gives: 'bool',
  onNull: 'own',
  spelled: { kusto: ['in'] },
  sql: (args) => {
    const listed = constTexts(args, 1)
    const [only] = listed
    return listed.length === 1 && only !== undefined
      ? sql`(${arg(args, 0).sql} = ${literal(only)})`
      : sql`has(${arg(args, 1).sql}, ${arg(args, 0).sql})`
  },
  examples: [
    { args: ['a', ['a', 'b']], gives: true },
    { args: ['A', ['a', 'b']], gives: false },
  ],
}

export const choiceFunctions: readonly FunctionRecord[] = [
  inList,
  isSame,
  holds,
  coalesce,
  isEmpty,
  isMissing,
  nullable,
  orEmpty,
  inSet,
]
