/** Keys of rows: several values as one text that no other values give, lists as one value, addresses in their order. */
import { arg, type FunctionRecord } from './record.ts'
import { joined, sql } from './sql.ts'

const TEXTS = { list: 'text' } as const

export const rowKeyFunctions: readonly FunctionRecord[] = [
  {
    id: 'row.key',
    says: 'One text for several values: equal only where all of them are, missing ones too.',
    takes: [{ name: 'value', type: 'text', many: true }],
    gives: 'text',
    onNull: 'own',
    sql: (args) =>
      sql`concat(${joined(
        args.map(
          (each) => sql`ifNull(concat(toString(length(${each.sql})), ':', ${each.sql}), '-')`,
        ),
        ', ',
      )}, '')`,
    examples: [
      { args: ['a', null, ''], as: ['text', 'text', 'text'], gives: '1:a-0:' },
      { args: ['a:b'], gives: '3:a:b' },
    ],
  },
  {
    id: 'list.key',
    says: 'A list as one text, equal only where the values and their order are; missing for an empty list.',
    takes: [{ name: 'list', type: TEXTS }],
    gives: 'text',
    onNull: 'own',
    mayMiss: true,
    sql: (args) =>
      sql`if(empty(${arg(args, 0).sql}), NULL, arrayStringConcat(arrayMap(v -> concat(toString(length(v)), ':', v), ${arg(args, 0).sql})))`,
    examples: [
      { args: [['a', 'bc']], gives: '1:a2:bc' },
      { args: [[]], as: [TEXTS], gives: null },
    ],
  },
  {
    id: 'sort.address',
    says: 'A text that puts IP addresses in the order of their numbers; missing for other texts.',
    takes: [{ name: 'text', type: 'text' }],
    gives: 'text',
    onNull: 'null',
    mayMiss: true,
    sql: (args) => sql`hex(toIPv6OrNull(${arg(args, 0).sql}))`,
    examples: [
      { args: ['10.0.0.1'], gives: '00000000000000000000FFFF0A000001' },
      { args: ['x'], gives: null },
    ],
  },
  {
    id: 'mv.first',
    says: 'The first value of a list; missing for an empty one.',
    takes: [{ name: 'list', type: TEXTS }],
    gives: 'text',
    onNull: 'own',
    mayMiss: true,
    sql: (args) => sql`if(empty(${arg(args, 0).sql}), NULL, ${arg(args, 0).sql}[1])`,
    examples: [
      { args: [['a', 'b']], gives: 'a' },
      { args: [[]], as: [TEXTS], gives: null },
    ],
  },
]
