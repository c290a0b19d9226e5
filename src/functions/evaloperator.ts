/**
 * The operators of SPL's eval that make values: sums of numbers or of texts, the other calculations, and texts put
 * together.
 */
import { isList, type Type } from '../ir/types.ts'
import { any, evalFunction, number, numberIn, numberOf, text, textOf } from './evalvalue.ts'
import { once, VARIABLES } from './once.ts'
import { arg, type Example, type FunctionRecord } from './record.ts'
import { joined, type Sql, type SqlArg, sql } from './sql.ts'

const isText = (type: Type | undefined): boolean =>
  type === 'text' || (type !== undefined && isList(type))

/** Two texts add up when both are written as numbers, else they are put together; a number adds up with a number only. */
function sum(args: readonly SqlArg[]): Sql {
  const [a, b] = [arg(args, 0), arg(args, 1)]
  if (!isText(a.type) || !isText(b.type)) return sql`(${numberOf(a)} + ${numberOf(b)})`
  return once(textOf(a), VARIABLES.a, (x) =>
    once(
      textOf(b),
      VARIABLES.b,
      (y) => sql`ifNull(toString(${numberIn(x)} + ${numberIn(y)}), concat(${x}, ${y}))`,
    ),
  )
}

const add = evalFunction('eval.add', ['+'], {
  says: 'The sum of two numbers; of two texts that are not both written as numbers, one text.',
  takes: [any('left'), any('right')],
  gives: 'float',
  givesFor: ([a, b]) => (isText(a) && isText(b) ? 'text' : 'float'),
  sql: sum,
  examples: [
    { args: [1, 2.5], as: ['int', 'float'], gives: 3.5 },
    { args: ['a', 'b'], givesType: 'text', gives: 'ab' },
    { args: ['3', '5'], givesType: 'text', gives: '8' },
    { args: ['3', 5], as: ['text', 'int'], gives: 8 },
    { args: ['x', 5], as: ['text', 'int'], gives: null },
    { args: [null, 5], as: ['float', 'int'], gives: null },
    { args: [null, 'a'], as: ['text', 'text'], givesType: 'text', gives: null },
  ],
})

function calculation(
  id: string,
  spl: readonly string[],
  says: string,
  of: (a: Sql, b: Sql) => Sql,
  examples: readonly Example[],
): FunctionRecord {
  return evalFunction(id, spl, {
    says,
    takes: [number('left'), number('right')],
    gives: 'float',
    sql: (args) => of(numberOf(arg(args, 0)), numberOf(arg(args, 1))),
    examples,
  })
}

const concat = evalFunction('eval.concat', ['.'], {
  says: 'The texts put together; missing when one of them is.',
  takes: [text('text', { many: true })],
  gives: 'text',
  sql: (args) =>
    sql`concat(${joined(
      args.map((each) => textOf(each)),
      ', ',
    )})`,
  examples: [
    { args: ['a', 'b', 'c'], gives: 'abc' },
    { args: ['a', ''], gives: 'a' },
    { args: ['a', null], gives: null },
  ],
})

export const evalOperatorFunctions: readonly FunctionRecord[] = [
  add,
  calculation(
    'eval.subtract',
    ['-'],
    'The difference of two numbers.',
    (a, b) => sql`(${a} - ${b})`,
    [
      { args: [5, 3], gives: 2 },
      { args: [5, null], gives: null },
    ],
  ),
  calculation('eval.multiply', ['*'], 'The product of two numbers.', (a, b) => sql`(${a} * ${b})`, [
    { args: [5, 0.5], gives: 2.5 },
    { args: [null, 3], gives: null },
  ]),
  calculation(
    'eval.divide',
    ['/'],
    'The quotient of two numbers; missing for a division by zero.',
    (a, b) => sql`(${a} / nullIf(${b}, 0))`,
    [
      { args: [5, 2], gives: 2.5 },
      { args: [5, 0], gives: null },
    ],
  ),
  calculation(
    'eval.modulo',
    ['%'],
    'The remainder of a division, with the sign of its first number; missing for a division by zero.',
    (a, b) => sql`(${a} % nullIf(${b}, 0))`,
    [
      { args: [7, 3], gives: 1 },
      { args: [-5.5, 3], gives: -2.5 },
      { args: [7, 0], gives: null },
    ],
  ),
  concat,
]
