/** Choice among values by tests, as Splunk's `if`, `case` and `coalesce` make it: a test that is missing does not hold. */
import type { Type } from '../ir/types.ts'
import { arg, constTexts, type FunctionRecord } from './record.ts'
import { joined, type Sql, type SqlArg, sql } from './sql.ts'

/** The value of a branch in the type of the whole, so that the engine finds a common one. */
function branch(value: SqlArg): Sql {
  return value.type === 'null' ? sql`NULL` : value.sql
}

const lastType = (types: readonly Type[]): Type => types.find((_, at) => at % 2 === 1) ?? 'null'

export const choosingFunctions: readonly FunctionRecord[] = [
  {
    id: 'eval.case',
    says: 'The value behind the first test that holds, or else the last value. Tests and values take turns.',
    takes: [{ name: 'part', type: 'any', many: true }],
    gives: 'text',
    givesFor: lastType,
    onNull: 'own',
    mayMiss: true,
    sql: (args) => {
      const parts = args.map((each, index) =>
        index % 2 === 0 && index < args.length - 1 ? sql`ifNull(${each.sql}, false)` : branch(each),
      )
      return args.length === 1 ? branch(arg(args, 0)) : sql`multiIf(${joined(parts, ', ')})`
    },
    examples: [
      { args: [false, 'a', true, 'b', 'c'], gives: 'b' },
      { args: [null, 'a', 'c'], as: ['bool', 'text', 'text'], gives: 'c' },
      { args: [false, 'a', null], as: ['bool', 'text', 'text'], gives: null },
    ],
  },
  {
    id: 'eval.coalesce',
    says: 'The first value that is not missing; an empty text is a value.',
    takes: [{ name: 'value', type: 'any', many: true }],
    gives: 'text',
    givesFor: ([first]) => first ?? 'null',
    onNull: 'own',
    mayMiss: true,
    spelled: { spl: ['coalesce'] },
    sql: (args) => {
      if (args.some((each) => typeof each.type === 'object')) {
        return args.reduceRight<Sql>(
          (rest, each) => sql`if(notEmpty(${each.sql}), ${each.sql}, ${rest})`,
          sql`CAST([] AS Array(String))`,
        )
      }
      return sql`coalesce(${joined(args.map(branch), ', ')})`
    },
    examples: [
      { args: [null, '', 'x'], as: ['text', 'text', 'text'], gives: '' },
      { args: [null, 2], as: ['int', 'int'], givesType: 'int', gives: 2 },
    ],
  },
  {
    id: 'eval.exchange',
    says: 'The text that stands for a text in the second list where the first has it; any other text as it is.',
    takes: [
      { name: 'text', type: 'text' },
      { name: 'from', type: { list: 'text' }, constant: true },
      { name: 'to', type: { list: 'text' }, constant: true },
    ],
    gives: 'text',
    onNull: 'null',
    mayMiss: true,
    sql: (args) => {
      const value = arg(args, 0).sql
      return constTexts(args, 1).length === 0
        ? value
        : sql`transform(${value}, ${arg(args, 1).sql}, ${arg(args, 2).sql}, ${value})`
    },
    examples: [
      { args: ['a', ['a', 'b'], ['x', 'y']], gives: 'x' },
      { args: ['c', ['a'], ['x']], gives: 'c' },
      { args: [null, ['a'], ['x']], as: ['text'], gives: null },
    ],
  },
]
