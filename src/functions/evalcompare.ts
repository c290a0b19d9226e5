/**
 * The comparisons and the logic of SPL's eval, which have three values: what is compared with a missing value is
 * missing. A constant text is equal to the same text only (`code="404"` is not met by `0404`); two fields of texts, and
 * a text beside a number, are compared as numbers where both are written as numbers, else by their bytes. A comparison
 * with a list holds when it holds for any of its values.
 */
import { isList } from '../ir/types.ts'
import { SIGNS, type Sign } from './compare.ts'
import {
  any,
  ELEMENT,
  evalFunction,
  isMissing,
  isNumber,
  NO_BOOL,
  numberIn,
  numberOf,
  numberOfText,
  textOf,
  type Value,
} from './evalvalue.ts'
import { once, VARIABLES } from './once.ts'
import { arg, type Example, type FunctionRecord } from './record.ts'
import { joined, type Sql, type SqlArg, sql } from './sql.ts'

const isLiteral = (value: Value): boolean => typeof value.value === 'string'
const isNumericText = (value: Value): boolean =>
  typeof value.value === 'string' && numberOfText(value.value) !== undefined

function tested(a: Sql, sign: Sign, b: Sql): Sql {
  return sql`(${a} ${SIGNS[sign]} ${b})`
}

/** A text beside a number. A text that is no number equals none, and is ordered as a text. */
function beside(text: Value, sign: Sign, number: Value, swapped: boolean): Sql {
  const pair = (a: Sql, b: Sql): Sql => (swapped ? tested(b, sign, a) : tested(a, sign, b))
  if (isLiteral(text)) {
    return isNumericText(text)
      ? pair(numberOf(text), number.sql)
      : pair(textOf(text), textOf(number))
  }
  return once(
    text.sql,
    VARIABLES.a,
    (t) => sql`ifNull(${pair(numberIn(t), number.sql)}, ${pair(t, textOf(number))})`,
  )
}

function texts(a: Value, sign: Sign, b: Value): Sql {
  const isEquality = sign === '=' || sign === '!='
  const literals = [a, b].filter(isLiteral)
  const asTexts =
    literals.length === 2 ||
    (literals.length === 1 && (isEquality || !literals.every(isNumericText)))
  if (asTexts) return tested(a.sql, sign, b.sql)
  return once(a.sql, VARIABLES.a, (x) =>
    once(b.sql, VARIABLES.b, (y) => {
      const [m, n] = [x, y].map((each, index) => {
        const value = index === 0 ? a : b
        return isLiteral(value) ? numberOf(value) : numberIn(each)
      })
      return sql`ifNull(${tested(m ?? x, sign, n ?? y)}, ${tested(x, sign, y)})`
    }),
  )
}

/** The comparison of two values of any types. */
function compared(a: Value, sign: Sign, b: Value): Sql {
  if (isMissing(a) || isMissing(b)) return NO_BOOL
  if (isList(a.type)) return anyOf(a, VARIABLES.c, (each) => compared(each, sign, b))
  if (isList(b.type)) return anyOf(b, ELEMENT, (each) => compared(a, sign, each))
  if (a.type === 'bool' && b.type === 'bool') return tested(a.sql, sign, b.sql)
  if (isNumber(a) && isNumber(b)) return tested(a.sql, sign, b.sql)
  if (isNumber(b) && a.type === 'text') return beside(a, sign, b, false)
  if (isNumber(a) && b.type === 'text') return beside(b, sign, a, true)
  if (a.type === 'text' && b.type === 'text') return texts(a, sign, b)
  return tested(textOf(a), sign, textOf(b))
}

/** True when some value of a list meets the test; missing for an empty list. */
function anyOf(value: Value, variable: Sql, test: (each: Value) => Sql): Sql {
  const met = test({ sql: variable, type: 'text' })
  return once(
    value.sql,
    VARIABLES.t,
    (v) => sql`if(empty(${v}), NULL, arrayExists(${variable} -> ifNull(${met}, false), ${v}))`,
  )
}

function comparison(
  id: string,
  spl: readonly string[],
  words: string,
  sign: Sign,
  examples: readonly Example[],
): FunctionRecord {
  return evalFunction(id, spl, {
    says: `True when the first value ${words} the second; a list does when any of its values does.`,
    takes: [any('left'), any('right')],
    gives: 'bool',
    sql: (args) => compared(arg(args, 0), sign, arg(args, 1)),
    examples,
  })
}

function among(args: readonly SqlArg[]): Sql {
  const [value, ...others] = args
  if (value === undefined || isMissing(value)) return NO_BOOL
  if (value.type === 'text' && !isLiteral(value) && others.every(isLiteral)) {
    return sql`(${value.sql} IN (${joined(
      others.map((each) => each.sql),
      ', ',
    )}))`
  }
  const whole = (v: Sql): Sql => {
    const one: Value = { ...value, sql: v }
    return sql`(${joined(
      others.map((each) => compared(one, '=', each)),
      ' OR ',
    )})`
  }
  return others.length === 1 ? whole(value.sql) : once(value.sql, VARIABLES.g, whole)
}

const membership = evalFunction('eval.in', ['in'], {
  says: 'True when the value equals one of the others.',
  takes: [any('value'), any('one', { many: true })],
  gives: 'bool',
  sql: among,
  examples: [
    { args: ['b', 'a', 'b'], gives: true },
    { args: ['B', 'a', 'b'], gives: false },
    { args: ['2.0', 1, 2], as: ['text', 'int', 'int'], gives: true },
    { args: [2, 1, 2], gives: true },
    { args: [null, 'a'], as: ['text', 'text'], gives: null },
    { args: [['x', 'b'], 'a', 'b'], gives: true },
  ],
})

const xor = evalFunction('eval.xor', ['xor'], {
  says: 'True when an odd number of parts is; missing when one is.',
  takes: [{ name: 'part', type: 'bool', many: true }],
  gives: 'bool',
  sql: (args) =>
    sql`xor(${joined(
      args.map((each) => (isMissing(each) ? NO_BOOL : each.sql)),
      ', ',
    )})`,
  examples: [
    { args: [true, true], gives: false },
    { args: [true, false], gives: true },
    { args: [true, null], as: ['bool', 'bool'], gives: null },
  ],
})

export const evalCompareFunctions: readonly FunctionRecord[] = [
  comparison('eval.compare.equals', ['=', '=='], 'equals', '=', [
    { args: ['a', 'a'], gives: true },
    { args: ['a', 'A'], gives: false },
    { args: ['10', '10.0'], gives: true },
    { args: ['0404', 404], as: ['text', 'int'], gives: true },
    { args: ['x', 404], as: ['text', 'int'], gives: false },
    { args: [5, '5'], as: ['float', 'text'], gives: true },
    { args: ['', 0], as: ['text', 'int'], gives: false },
    { args: [null, 'a'], gives: null },
    { args: [['a', 'b'], 'b'], gives: true },
    { args: ['c', ['a', 'b']], gives: false },
    {
      args: [
        ['a', 'b'],
        ['b', 'c'],
      ],
      gives: true,
    },
    { args: [[], 'b'], as: [{ list: 'text' }, 'text'], gives: null },
  ]),
  comparison('eval.compare.differs', ['!='], 'differs from', '!=', [
    { args: ['a', 'b'], gives: true },
    { args: ['1', 1], as: ['text', 'int'], gives: false },
    { args: ['x', 1], as: ['text', 'int'], gives: true },
    { args: [['a', 'b'], 'b'], gives: true },
    { args: [null, 'b'], gives: null },
  ]),
  comparison('eval.compare.less', ['<'], 'is below', '<', [
    { args: ['9', '10'], gives: true },
    { args: ['b', 'a'], gives: false },
    { args: ['9', 10], as: ['text', 'int'], gives: true },
    { args: ['x', 10], as: ['text', 'int'], gives: false },
    { args: [9, 'x'], as: ['int', 'text'], gives: true },
    { args: [null, 1], as: ['float', 'int'], gives: null },
  ]),
  comparison('eval.compare.less_or_equal', ['<='], 'is at most', '<=', [
    { args: [2, 2], gives: true },
    { args: ['2.5', 2], as: ['text', 'int'], gives: false },
  ]),
  comparison('eval.compare.greater', ['>'], 'is above', '>', [
    { args: ['10', '9'], gives: true },
    { args: [2, 2], gives: false },
    { args: [['1', '7'], 5], as: [{ list: 'text' }, 'int'], gives: true },
  ]),
  comparison('eval.compare.greater_or_equal', ['>='], 'is at least', '>=', [
    { args: [2, '2'], as: ['float', 'text'], gives: true },
    { args: ['1', 2], as: ['text', 'int'], gives: false },
  ]),
  membership,
  xor,
]
