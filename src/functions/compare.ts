/**
 * Comparisons and logic with Kusto's rules for missing values: a value equals no missing one, two missing ones are
 * neither equal nor different, an order with a missing value is missing, and logic has three values.
 */
import type { Type } from '../ir/types.ts'
import { minus, plus, widest } from './arithmetic.ts'
import { converted } from './casts.ts'
import { once, VARIABLES } from './once.ts'
import { arg, type Example, type FunctionRecord } from './record.ts'
import { joined, type Sql, type SqlArg, sql } from './sql.ts'

type Value = Pick<SqlArg, 'sql' | 'type' | 'value'>
export type Sign = '=' | '!=' | '<' | '<=' | '>' | '>='

/** The signs of comparisons as the engine writes them. */
export const SIGNS: Readonly<Record<Sign, Sql>> = {
  '=': sql`=`,
  '!=': sql`!=`,
  '<': sql`<`,
  '<=': sql`<=`,
  '>': sql`>`,
  '>=': sql`>=`,
}

function isMissing(value: Value): boolean {
  return value.value === null || value.type === 'null'
}

function mayBeMissing(value: Value): boolean {
  if (value.type === 'text') return false
  return value.value === undefined || value.value === null
}

/** A value as one of another type; a dynamic one that is missing stays so, as text too. */
function like(value: Value, type: Type): Value {
  if (value.type === type || typeof type === 'object') return value
  switch (type) {
    case 'text':
      return value.type === 'dynamic'
        ? textOfDynamic(value)
        : { sql: converted(value, 'text'), type }
    case 'int32':
    case 'int':
      // Whole numbers beyond the reach of reals, and reals that are no whole numbers, both stay what they are.
      return { sql: converted(value, 'decimal'), type: 'decimal' }
    case 'bool':
    case 'float':
    case 'decimal':
    case 'time':
    case 'span':
    case 'guid':
      return { sql: converted(value, type), type }
    default:
      return value
  }
}

function textOfDynamic(value: Value): Value {
  return {
    // A type of its own: text that may be missing.
    type: 'dynamic',
    sql: once(
      value.sql,
      VARIABLES.a,
      (v) => sql`if(startsWith(${v}, '"'), JSONExtractString(${v}), ${v})`,
    ),
  }
}

/** Two values in types that the engine compares: what is written in text or JSON takes the type of the other. */
function alike(a: Value, b: Value): readonly [Value, Value] {
  if (a.type === b.type || widest([a.type, b.type]) !== undefined) return [a, b]
  if (isMissing(a) || isMissing(b)) return [a, b]
  if (a.type === 'dynamic') return [like(a, b.type), b]
  if (b.type === 'dynamic') return [a, like(b, a.type)]
  if (a.type === 'text') return textBeside(a, b)
  if (b.type === 'text') {
    const [text, other] = textBeside(b, a)
    return [other, text]
  }
  return [like(a, 'int'), like(b, 'int')]
}

/** A text beside a number is compared as text, so that a column of text keeps its index; other types are read. */
function textBeside(text: Value, other: Value): readonly [Value, Value] {
  const isNumber = widest([other.type]) !== undefined
  return isNumber ? [text, like(other, 'text')] : [like(text, other.type), other]
}

function test(a: Value, sign: Sign, b: Value): Sql {
  return sql`(${a.sql} ${SIGNS[sign]} ${b.sql})`
}

/** True where the values are equal; false beside a missing one; missing for two missing ones. */
function equals(left: Value, right: Value, sign: '=' | '!='): Sql {
  const isEqual = sign === '='
  if (isMissing(left) && isMissing(right)) return sql`CAST(NULL AS Nullable(Bool))`
  const [a, b] = alike(left, right)
  if (isMissing(a) || isMissing(b)) {
    const other = isMissing(a) ? b : a
    if (!mayBeMissing(other)) return isEqual ? sql`false` : sql`true`
    return isEqual
      ? sql`if(isNull(${other.sql}), NULL, false)`
      : sql`if(isNull(${other.sql}), NULL, true)`
  }
  const plain = test(a, sign, b)
  const open = [a, b].filter(mayBeMissing)
  if (open.length === 0) return plain
  if (open.length === 1) return settledBy(open[0] ?? a, plain, isEqual)
  const either = isEqual ? sql`ifNull(${plain}, false)` : sql`ifNull(${plain}, true)`
  return sql`if(isNull(${a.sql}) AND isNull(${b.sql}), NULL, ${either})`
}

/** A test of one value that may be missing; a test for a column's value keeps a form that indexes answer. */
function settledBy(open: Value, plain: Sql, isEqual: boolean): Sql {
  if (!isEqual) return sql`ifNull(${plain}, true)`
  return isColumn(open) ? sql`(${plain} AND isNotNull(${open.sql}))` : sql`ifNull(${plain}, false)`
}

function isColumn(value: Value): boolean {
  return value.sql.holes.length === 1 && value.sql.holes[0]?.kind === 'name'
}

function ordered(left: Value, right: Value, sign: Sign): Sql {
  if (isMissing(left) || isMissing(right)) return sql`CAST(NULL AS Nullable(Bool))`
  if (left.type === 'dynamic' && right.type === 'dynamic') {
    return test(like(left, 'float'), sign, like(right, 'float'))
  }
  const [a, b] = alike(left, right)
  return test(a, sign, b)
}

type Case = readonly [
  readonly [Example['gives'], Type],
  readonly [Example['gives'], Type],
  boolean | null,
]

function comparison(
  id: string,
  words: string,
  kusto: string,
  of: (a: Value, b: Value) => Sql,
  cases: readonly Case[],
): FunctionRecord {
  return {
    id,
    says: `True when the first value ${words} the second.`,
    takes: [
      { name: 'left', type: 'any' },
      { name: 'right', type: 'any' },
    ],
    gives: 'bool',
    onNull: 'own',
    spelled: { kusto: [kusto] },
    sql: (args) => of(arg(args, 0), arg(args, 1)),
    examples: cases.map(([a, b, gives]) => ({ args: [a[0], b[0]], as: [a[1], b[1]], gives })),
  }
}

const order = (
  id: string,
  words: string,
  sign: '<' | '<=' | '>' | '>=',
  expected: readonly [boolean, boolean, boolean],
): FunctionRecord =>
  comparison(`compare.${id}`, words, sign, (a, b) => ordered(a, b, sign), [
    [[1, 'int32'], [1.5, 'float'], expected[0]],
    [['2', 'decimal'], [2, 'int'], expected[1]],
    [[3, 'span'], [2, 'span'], expected[2]],
    [['a', 'text'], ['b', 'text'], expected[0]],
    [['7', 'dynamic'], [7, 'int'], expected[1]],
    [
      ['2020-01-02T00:00:00.0000000Z', 'time'],
      ['2020-01-01T00:00:00.0000000Z', 'time'],
      expected[2],
    ],
    [[null, 'int'], [1, 'int'], null],
  ])

/** The end of a range: a length of time beside an instant is counted from the start. */
function endOf(value: Value, low: Value, high: Value): Value {
  if (value.type !== 'time' || high.type !== 'span') return high
  return { sql: plus(low, high), type: 'time' }
}

function within(value: Value, low: Value, high: Value): Sql {
  const end = endOf(value, low, high)
  return once(value.sql, VARIABLES.a, (v) => {
    const one: Value = { sql: v, type: value.type }
    return sql`(${ordered(one, low, '>=')} AND ${ordered(one, end, '<=')})`
  })
}

function among(args: readonly SqlArg[]): Sql {
  const value = arg(args, 0)
  const list = args.slice(1).filter((each) => !isMissing(each))
  if (list.length === 0) return sql`false`
  if (isMissing(value)) return sql`false`
  const type = list[0]?.type ?? 'text'
  const isEasy = list.every((each) => each.value !== undefined && each.type === type)
  const asOne = isEasy ? alike(value, { sql: sql``, type, value: '' })[0] : value
  const isSame = asOne.type === type || widest([asOne.type, type]) !== undefined
  const isText = type === 'text' && asOne.type === 'dynamic'
  if (isEasy && (isSame || isText)) {
    const test = sql`${asOne.sql} IN (${joined(
      list.map((each) => each.sql),
      ', ',
    )})`
    if (!mayBeMissing(asOne)) return sql`(${test})`
    return settledBy(asOne, test, true)
  }
  return once(value.sql, VARIABLES.c, (v) => {
    const one: Value = { sql: v, type: value.type }
    return sql`(${joined(
      list.map((each) => sql`ifNull(${equals(one, each, '=')}, false)`),
      ' OR ',
    )})`
  })
}

const membership: FunctionRecord = {
  id: 'compare.in',
  says: 'True when the value equals one of the others.',
  takes: [
    { name: 'value', type: 'any' },
    { name: 'one', type: 'any', many: true },
  ],
  gives: 'bool',
  onNull: 'own',
  spelled: { kusto: ['in'] },
  sql: among,
  examples: [
    { args: ['b', 'a', 'b'], gives: true },
    { args: ['B', 'a', 'b'], gives: false },
    { args: [2, 1, 2], gives: true },
    { args: [null, 1], as: ['int', 'int'], gives: false },
    { args: ['"a"', 'a'], as: ['dynamic', 'text'], gives: true },
    { args: [2, 2.5, 2], as: ['int', 'float', 'float'], gives: true },
    { args: [1, '1'], as: ['int', 'text'], gives: true },
  ],
}

const between: FunctionRecord = {
  id: 'compare.between',
  says: 'True when the value is neither below the first bound nor above the second.',
  takes: [
    { name: 'value', type: 'any' },
    { name: 'low', type: 'any' },
    { name: 'high', type: 'any' },
  ],
  gives: 'bool',
  onNull: 'own',
  spelled: { kusto: ['between'] },
  sql: (args) => within(arg(args, 0), arg(args, 1), arg(args, 2)),
  examples: [
    { args: [2, 1, 2], gives: true },
    { args: [3, 1, 2.5], as: ['int', 'int', 'float'], gives: false },
    { args: [null, 1, 2], as: ['int', 'int', 'int'], gives: null },
  ],
}

const around: FunctionRecord = {
  id: 'compare.around',
  says: 'True when the value is at most so far from the centre.',
  takes: [
    { name: 'value', type: 'any' },
    { name: 'centre', type: 'any' },
    { name: 'distance', type: 'any' },
  ],
  gives: 'bool',
  onNull: 'own',
  spelled: { kusto: ['around'] },
  sql: (args) => {
    const [value, centre, distance] = [arg(args, 0), arg(args, 1), arg(args, 2)]
    const type = centre.type === 'time' ? 'time' : (widest([centre.type, distance.type]) ?? 'span')
    const low: Value = { sql: minus(centre, distance), type }
    const high: Value = { sql: plus(centre, distance), type }
    return within(value, low, high)
  },
  examples: [
    { args: [9, 10, 1], gives: true },
    { args: [8.5, 10, 1], as: ['float', 'int', 'int'], gives: false },
    {
      args: ['2020-01-01T00:00:30.0000000Z', '2020-01-01T00:00:00.0000000Z', 600000000],
      as: ['time', 'time', 'span'],
      gives: true,
    },
    { args: [null, 10, 1], as: ['int', 'int', 'int'], gives: null },
  ],
}

function logic(
  id: string,
  says: string,
  kusto: string,
  between: ' AND ' | ' OR ',
  cases: readonly (readonly [readonly (boolean | null)[], boolean | null])[],
): FunctionRecord {
  return {
    id,
    says,
    takes: [{ name: 'part', type: 'bool', many: true }],
    gives: 'bool',
    onNull: 'own',
    spelled: { kusto: [kusto], spl: [kusto] },
    sql: (args) =>
      sql`(${joined(
        args.map((each) => each.sql),
        between,
      )})`,
    examples: cases.map(([args, gives]) => ({ args, as: args.map(() => 'bool' as const), gives })),
  }
}

export const compareFunctions: readonly FunctionRecord[] = [
  comparison('compare.equals', 'equals', '==', (a, b) => equals(a, b, '='), [
    [['a', 'text'], ['a', 'text'], true],
    [['a', 'text'], ['A', 'text'], false],
    [[1, 'int'], [1, 'float'], true],
    [[null, 'int'], [1, 'int'], false],
    [[null, 'int'], [null, 'int32'], null],
    [['1', 'dynamic'], [1, 'int'], true],
    [['1.5', 'dynamic'], [1, 'int'], false],
    [['"a"', 'dynamic'], ['a', 'text'], true],
    [[null, 'dynamic'], ['', 'text'], false],
    [['true', 'dynamic'], [true, 'bool'], true],
    [['0', 'text'], [0, 'int'], true],
    [['2020-01-01T00:00:00.0000000Z', 'time'], ['2020-01-01', 'text'], true],
  ]),
  comparison('compare.differs', 'differs from', '!=', (a, b) => equals(a, b, '!='), [
    [['a', 'text'], ['b', 'text'], true],
    [[null, 'int'], [1, 'int'], true],
    [[null, 'int'], [null, 'int'], null],
    [[2, 'int'], ['2', 'decimal'], false],
  ]),
  order('less', 'is below', '<', [true, false, false]),
  order('less_or_equal', 'is at most', '<=', [true, true, false]),
  order('greater', 'is above', '>', [false, false, true]),
  order('greater_or_equal', 'is at least', '>=', [false, true, true]),
  membership,
  between,
  around,
  logic(
    'logic3.and',
    'True when all parts are; missing when one is and none is false.',
    'and',
    ' AND ',
    [
      [[true, true], true],
      [[true, null], null],
      [[false, null], false],
    ],
  ),
  logic('logic3.or', 'True when any part is; missing when one is and none is true.', 'or', ' OR ', [
    [[false, true], true],
    [[false, null], null],
    [[true, null], true],
  ]),
  {
    id: 'logic3.not',
    says: 'True for false, false for true, missing where the part is.',
    takes: [{ name: 'part', type: 'bool' }],
    gives: 'bool',
    onNull: 'own',
    spelled: { kusto: ['not'], spl: ['not'] },
    sql: (args) => sql`(NOT ${arg(args, 0).sql})`,
    examples: [
      { args: [true], gives: false },
      { args: [null], as: ['bool'], gives: null },
    ],
  },
]
