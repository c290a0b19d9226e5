/**
 * The operators of arithmetic as Kusto has them: whole numbers divide to whole numbers and wrap around at the ends, a
 * division of whole numbers by zero is NULL, a remainder is never negative, and instants and lengths of time add up.
 */
import { isList, type Type } from '../ir/types.ts'
import { instantWithin, ticksOf } from './calendar.ts'
import { converted, ticksSinceYear1 } from './casts.ts'
import { named, once, VARIABLES } from './once.ts'
import { arg, type Example, type FunctionRecord } from './record.ts'
import { type Sql, type SqlArg, sql } from './sql.ts'

type Value = Pick<SqlArg, 'sql' | 'type' | 'value'>
type Number = 'int' | 'float' | 'decimal'

/** The type in which numbers of two types meet; whole numbers always have 64 bits. */
function numberOf(type: Type): Number | undefined {
  if (isList(type)) return undefined
  switch (type) {
    case 'bool':
    case 'int32':
    case 'int':
      return 'int'
    case 'float':
      return 'float'
    case 'decimal':
      return 'decimal'
    default:
      return undefined
  }
}

/** The wider type of numbers, or undefined where one of them is no number. */
export function widest(types: readonly Type[]): Number | undefined {
  const numbers = types.map(numberOf)
  if (numbers.includes(undefined)) return undefined
  return numbers.includes('decimal') ? 'decimal' : numbers.includes('float') ? 'float' : 'int'
}

function as(value: Value, type: Number | 'span' | 'time'): Value {
  const known = numberOf(value.type) ?? value.type
  return known === type ? value : { sql: converted(value, type), type }
}

/** A dynamic value beside another takes the other's type; two of them meet as reals, and give a dynamic number. */
function settled(a: Value, b: Value): readonly [Value, Value] {
  const other = (type: Type): Type => (type === 'dynamic' || isList(type) ? 'float' : type)
  const settle = (value: Value, beside: Type): Value => {
    if (value.type === 'null') return typed(value, other(beside))
    if (value.type !== 'dynamic' && value.type !== 'text') return value
    return typed(value, beside === 'time' && value.type === 'dynamic' ? 'time' : other(beside))
  }
  return [settle(a, b.type), settle(b, a.type)]
}

function typed(value: Value, type: Type): Value {
  switch (type) {
    case 'time':
    case 'span':
    case 'float':
    case 'decimal':
    case 'int':
      return { sql: converted(value, type), type }
    case 'int32':
    case 'bool':
      return { sql: converted(value, 'int'), type: 'int' }
    default:
      return { sql: converted(value, 'float'), type: 'float' }
  }
}

/** A whole number as the engine adds it: of 64 bits, where 32 could be too few. */
const long = (value: Value): Sql => (value.type === 'bool' ? sql`toInt64(${value.sql})` : value.sql)

/** An instant moved by ticks; NULL before year 1 and after year 9999. */
function moved(time: Sql, by: Sql): Sql {
  return instantWithin(sql`${ticksOf(time)} + ${by}`)
}

/** A sum, of which each part may be of any type that has one. */
export function plus(a: Value, b: Value): Sql {
  const both = widest([a.type, b.type])
  if (both === 'int') return sql`(${long(a)} + ${long(b)})`
  if (both !== undefined) return sql`(${as(a, both).sql} + ${as(b, both).sql})`
  if (a.type === 'time') return moved(a.sql, as(b, 'span').sql)
  if (b.type === 'time') return moved(b.sql, as(a, 'span').sql)
  return sql`(${as(a, 'span').sql} + ${as(b, 'span').sql})`
}

/** A difference, of which each part may be of any type that has one. */
export function minus(a: Value, b: Value): Sql {
  const both = widest([a.type, b.type])
  if (both === 'int') return sql`(${long(a)} - ${long(b)})`
  if (both !== undefined) return sql`(${as(a, both).sql} - ${as(b, both).sql})`
  if (a.type === 'time' && b.type === 'time') {
    return sql`(${ticksOf(a.sql)} - ${ticksOf(b.sql)})`
  }
  if (a.type === 'time') return moved(a.sql, sql`(-${as(b, 'span').sql})`)
  if (b.type === 'time') {
    return instantWithin(sql`${as(a, 'span').sql} - ${ticksSinceYear1(b.sql)} - 621355968000000000`)
  }
  return sql`(${as(a, 'span').sql} - ${as(b, 'span').sql})`
}

/** A product or quotient of decimals, NULL where it would not fit. */
function decimals(a: Sql, b: Sql, by: 'times' | 'over'): Sql {
  const [x, y] = [VARIABLES.a, VARIABLES.b]
  const fits =
    by === 'times'
      ? sql`abs(toFloat64(${x})) * abs(toFloat64(${y})) < 1e55`
      : sql`isNotNull(${y}) AND abs(toFloat64(${x})) < 1e35 * least(1., abs(toFloat64(${y})))`
  // The operands are replaced, not the call left out: the engine may compute what an `if` does not take.
  const safeX = sql`if(${fits}, ${x}, NULL)`
  const safeY = sql`if(${fits}, ${y}, toDecimal256(1, 20))`
  const whole =
    by === 'times'
      ? sql`multiplyDecimal(${safeX}, ${safeY}, 20)`
      : sql`divideDecimal(${safeX}, ${safeY}, 20)`
  return sql`arrayMap((${x}, ${y}) -> ${whole}, [${a}], [${b}])[1]`
}

function multiply(a: Value, b: Value): Sql {
  const both = widest([a.type, b.type])
  if (both === 'int') return sql`(${long(a)} * ${long(b)})`
  if (both === 'float') return sql`(${as(a, both).sql} * ${as(b, both).sql})`
  if (both === 'decimal') return decimals(as(a, both).sql, as(b, both).sql, 'times')
  const [span, number] = a.type === 'span' ? [a, b] : [b, a]
  if (numberOf(number.type) === 'int') return sql`(${as(span, 'span').sql} * ${long(number)})`
  return converted(
    { sql: sql`${converted(span, 'float')} * ${converted(number, 'float')}`, type: 'float' },
    'span',
  )
}

/** True for a constant that a whole number can be divided by without any care. */
const isPlainDivisor = (value: Value): boolean =>
  typeof value.value === 'number' && value.value !== 0 && value.value !== -1

function quotient(a: Sql, b: Value): Sql {
  return isPlainDivisor(b)
    ? sql`toInt64(intDiv(${a}, ${long(b)}))`
    : sql`toInt64(intDivOrNull(${a}, ${long(b)}))`
}

function divide(a: Value, b: Value): Sql {
  const both = widest([a.type, b.type])
  if (both === 'int') return quotient(long(a), b)
  if (both === 'float') return sql`(${as(a, both).sql} / ${as(b, both).sql})`
  if (both === 'decimal') return decimals(as(a, both).sql, as(b, both).sql, 'over')
  if (numberOf(b.type) === 'int') return quotient(as(a, 'span').sql, b)
  if (numberOf(b.type) !== undefined) {
    return converted(
      { sql: sql`${converted(a, 'float')} / ${converted(b, 'float')}`, type: 'float' },
      'span',
    )
  }
  return sql`(${converted(a, 'float')} / ${converted(b, 'float')})`
}

function modulo(a: Value, b: Value): Sql {
  const both = widest([a.type, b.type])
  if (both === 'float') return sql`positiveModulo(${as(a, both).sql}, abs(${as(b, both).sql}))`
  if (both === 'decimal') {
    const divisor = as(b, both).sql
    return sql`positiveModulo(${as(a, both).sql}, abs(nullIf(${divisor}, toDecimal256(0, 20))))`
  }
  const whole = (value: Value): Sql =>
    value.type === 'time'
      ? ticksSinceYear1(value.sql)
      : long(both === 'int' ? value : as(value, 'span'))
  if (isPlainDivisor(b)) return sql`toInt64(positiveModulo(${whole(a)}, toInt64(abs(${whole(b)}))))`
  // The engine refuses to divide by the lowest number, which is its own size in 64 bits.
  const size = once(
    whole(b),
    VARIABLES.b,
    (n) => sql`if(${n} = -9223372036854775808, 0, toInt64(abs(${n})))`,
  )
  return sql`toInt64(positiveModuloOrNull(${whole(a)}, ${size}))`
}

type Pair = readonly [
  readonly [Example['gives'], Type],
  readonly [Example['gives'], Type],
  readonly [Example['gives'], Type],
]

function operator(
  id: string,
  says: string,
  kusto: string,
  of: (a: Value, b: Value) => Sql,
  pairs: readonly Pair[],
): FunctionRecord {
  return {
    id,
    says,
    takes: [
      { name: 'left', type: 'any' },
      { name: 'right', type: 'any' },
    ],
    gives: 'dynamic',
    onNull: 'own',
    spelled: { kusto: [kusto] },
    sql: (args) => {
      const [a, b] = settled(arg(args, 0), arg(args, 1))
      const value = of(a, b)
      if (arg(args, 0).type !== 'dynamic' || arg(args, 1).type !== 'dynamic') return value
      return once(value, VARIABLES.c, (v) => sql`if(isFinite(${v}), toString(${v}), NULL)`)
    },
    examples: pairs.map(([a, b, gives]) => ({
      args: [a[0], b[0]],
      as: [a[1], b[1]],
      gives: gives[0],
      givesType: gives[1],
    })),
  }
}

const NEW_YEAR = '2020-01-01T00:00:00.0000000Z'
const DAY = 864_000_000_000

export const arithmeticFunctions: readonly FunctionRecord[] = [
  operator(
    'arith.add',
    'The sum of numbers or lengths of time, or an instant moved later.',
    '+',
    plus,
    [
      [
        [2147483647, 'int32'],
        [1, 'int32'],
        [2147483648, 'int'],
      ],
      [
        ['9223372036854775807', 'int'],
        [1, 'int'],
        ['-9223372036854775808', 'int'],
      ],
      [
        [1, 'int'],
        [0.5, 'float'],
        [1.5, 'float'],
      ],
      [
        ['0.1', 'decimal'],
        [0.2, 'float'],
        ['0.3', 'decimal'],
      ],
      [
        [null, 'int'],
        [1, 'int'],
        [null, 'int'],
      ],
      [
        [NEW_YEAR, 'time'],
        [DAY, 'span'],
        ['2020-01-02T00:00:00.0000000Z', 'time'],
      ],
      [
        ['9999-12-31T23:00:00.0000000Z', 'time'],
        [DAY, 'span'],
        [null, 'time'],
      ],
      [
        ['2', 'dynamic'],
        [1, 'int'],
        [3, 'int'],
      ],
      [
        ['2', 'dynamic'],
        ['1.5', 'dynamic'],
        ['3.5', 'dynamic'],
      ],
    ],
  ),
  operator(
    'arith.subtract',
    'The difference of numbers, of instants or of lengths of time, or an instant moved earlier.',
    '-',
    minus,
    [
      [
        [5, 'int32'],
        [7, 'int'],
        [-2, 'int'],
      ],
      [
        ['2020-01-02T00:00:00.0000000Z', 'time'],
        [NEW_YEAR, 'time'],
        [DAY, 'span'],
      ],
      [
        [NEW_YEAR, 'time'],
        [DAY, 'span'],
        ['2019-12-31T00:00:00.0000000Z', 'time'],
      ],
      [
        ['0001-01-01T00:00:00.0000000Z', 'time'],
        [1, 'span'],
        [null, 'time'],
      ],
      [
        [DAY, 'span'],
        [1, 'span'],
        [863999999999, 'span'],
      ],
    ],
  ),
  operator(
    'arith.multiply',
    'The product of numbers, or a length of time so many times.',
    '*',
    multiply,
    [
      [
        [2147483647, 'int32'],
        [2, 'int32'],
        [4294967294, 'int'],
      ],
      [
        [3, 'int'],
        [1.5, 'float'],
        [4.5, 'float'],
      ],
      [
        ['0.1', 'decimal'],
        ['3', 'decimal'],
        ['0.3', 'decimal'],
      ],
      [
        ['1e50', 'decimal'],
        ['1e50', 'decimal'],
        [null, 'decimal'],
      ],
      [
        [2, 'int'],
        [DAY, 'span'],
        [2 * DAY, 'span'],
      ],
      [
        [DAY, 'span'],
        [0.5, 'float'],
        [DAY / 2, 'span'],
      ],
    ],
  ),
  operator(
    'arith.divide',
    'The quotient: whole for whole numbers, missing for a whole number by zero, real for lengths of time.',
    '/',
    divide,
    [
      [
        [-7, 'int'],
        [2, 'int'],
        [-3, 'int'],
      ],
      [
        [1, 'int'],
        [0, 'int'],
        [null, 'int'],
      ],
      [
        [7, 'int32'],
        [2, 'int32'],
        [3, 'int'],
      ],
      [
        [7, 'int'],
        [2, 'float'],
        [3.5, 'float'],
      ],
      [
        ['1', 'decimal'],
        [4, 'int'],
        ['0.25', 'decimal'],
      ],
      [
        ['1', 'decimal'],
        ['0', 'decimal'],
        [null, 'decimal'],
      ],
      [
        [DAY, 'span'],
        [DAY / 24, 'span'],
        [24, 'float'],
      ],
      [
        [DAY, 'span'],
        [2, 'int'],
        [DAY / 2, 'span'],
      ],
    ],
  ),
  operator('arith.modulo', 'The remainder, which is never negative.', '%', modulo, [
    [
      [-7, 'int'],
      [3, 'int'],
      [2, 'int'],
    ],
    [
      [7, 'int'],
      [-3, 'int'],
      [1, 'int'],
    ],
    [
      [7, 'int'],
      [0, 'int'],
      [null, 'int'],
    ],
    [
      [-7.5, 'float'],
      [2, 'int'],
      [0.5, 'float'],
    ],
    [
      ['10', 'decimal'],
      ['3', 'decimal'],
      ['1', 'decimal'],
    ],
    [
      ['10', 'decimal'],
      ['0', 'decimal'],
      [null, 'decimal'],
    ],
    [
      [DAY, 'span'],
      [5 * (DAY / 24), 'span'],
      [4 * (DAY / 24), 'span'],
    ],
  ]),
  {
    id: 'arith.negate',
    says: 'The number or the length of time with the other sign.',
    takes: [{ name: 'value', type: 'any' }],
    gives: 'int',
    onNull: 'own',
    spelled: { kusto: ['-'] },
    sql: (args) => {
      const value = arg(args, 0)
      if (value.type === 'dynamic') {
        const number = converted(value, 'float')
        return named(number, VARIABLES.c, (v) => sql`if(isFinite(${v}), toString(-${v}), NULL)`)
      }
      return value.type === 'int32' ? sql`(-toInt64(${value.sql}))` : sql`(-${value.sql})`
    },
    examples: [
      { args: [5], gives: -5 },
      { args: [-2147483648], as: ['int32'], gives: 2147483648 },
      { args: [1.5], as: ['float'], givesType: 'float', gives: -1.5 },
      { args: [null], as: ['span'], gives: null },
    ],
  },
]
