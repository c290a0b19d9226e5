/**
 * Numbers of SPL's eval: mathematics, trigonometry, bits, and the least and greatest of values. What has no finite
 * result is missing.
 * https://help.splunk.com/en/splunk-enterprise/search/spl-search-reference/9.4/evaluation-functions/mathematical-functions
 */

import { isList } from '../ir/types.ts'
import {
  any,
  arrayOf,
  ELEMENT,
  evalFunction,
  finite,
  isNumber,
  listOf,
  NO_NUMBER,
  number,
  numberIn,
  numberOf,
  textOf,
} from './evalvalue.ts'
import { named, once, VARIABLES } from './once.ts'
import { arg, type Example, type FunctionRecord } from './record.ts'
import { joined, type Sql, type SqlArg, sql } from './sql.ts'

const MISSING: Example = { args: [null], gives: null }

function ofNumber(
  spl: readonly [string, ...string[]],
  says: string,
  print: (value: Sql) => Sql,
  examples: readonly Example[],
): FunctionRecord {
  return evalFunction(`eval.${spl[0]}`, spl, {
    says,
    takes: [number('number')],
    gives: 'float',
    sql: (args) => print(numberOf(arg(args, 0))),
    examples: [...examples, MISSING],
  })
}

function ofTwo(
  name: string,
  names: readonly [string, string],
  says: string,
  print: (a: Sql, b: Sql) => Sql,
  examples: readonly Example[],
): FunctionRecord {
  return evalFunction(`eval.${name}`, [name], {
    says,
    takes: names.map((each) => number(each)),
    gives: 'float',
    sql: (args) => print(numberOf(arg(args, 0)), numberOf(arg(args, 1))),
    examples,
  })
}

/** Halves go away from zero; what is a half as it is written counts as one, though its binary form may lie below. */
function rounded(args: readonly SqlArg[]): Sql {
  const [value, digits] = [numberOf(arg(args, 0)), args[1]]
  const [x, p] = [VARIABLES.a, VARIABLES.b]
  if (digits === undefined) {
    return once(value, x, (v) => sql`(sign(${v}) * floor(abs(${v}) * (1 + 4e-16) + 0.5))`)
  }
  const scale = sql`pow(10, trunc(clamp(${numberOf(digits)}, -15, 15)))`
  const near = sql`sign(${x}) * floor(abs(${x}) * ${p} * (1 + 4e-16) + 0.5) / ${p}`
  const whole = sql`if(abs(${x}) >= 1e15, ${x}, ${near})`
  return sql`arrayMap((${x}, ${p}) -> ${whole}, [${value}], [${scale}])[1]`
}

const isNumeric = (value: SqlArg): boolean => isNumber(value) || value.type === 'null'

/** All values of the arguments as texts. */
function valuesOf(args: readonly SqlArg[]): Sql {
  if (args.every((each) => !isList(each.type))) {
    return sql`arrayFilter(${ELEMENT} -> isNotNull(${ELEMENT}), ${arrayOf(args.map((each) => textOf(each)))})`
  }
  return sql`arrayConcat(${joined(
    args.map((each) => listOf(each)),
    ', ',
  )})`
}

/** A number is below every text. Missing values are left out. */
function extreme(which: 'max' | 'min', says: string, examples: readonly Example[]): FunctionRecord {
  const best = which === 'max' ? sql`arrayMax` : sql`arrayMin`
  return evalFunction(`eval.${which}`, [which], {
    says,
    takes: [any('value', { many: true })],
    gives: 'float',
    givesFor: (types) =>
      types.every((type) => isNumeric({ sql: NO_NUMBER, type })) ? 'float' : 'text',
    sql: (args) => {
      if (args.every(isNumeric)) {
        return sql`${best}(${arrayOf(args.map((each) => numberOf(each)))})`
      }
      return named(valuesOf(args), VARIABLES.a, (all) => {
        const numbers = sql`arrayMap(${ELEMENT} -> ${numberIn(ELEMENT)}, ${all})`
        const texts = sql`arrayFilter(${ELEMENT} -> isNull(${numberIn(ELEMENT)}), ${all})`
        const number = sql`toString(${best}(${numbers}))`
        const text = sql`if(empty(${texts}), NULL, toNullable(${best}(${texts})))`
        return which === 'max' ? sql`ifNull(${text}, ${number})` : sql`ifNull(${number}, ${text})`
      })
    },
    examples,
  })
}

/** A sum or an average of numbers; what is no number is left out. */
function overall(which: 'sum' | 'avg', says: string, examples: readonly Example[]): FunctionRecord {
  return evalFunction(`eval.${which}`, [which], {
    says,
    takes: [any('value', { many: true })],
    gives: 'float',
    sql: (args) => {
      const numbers = args.every(isNumeric)
        ? arrayOf(args.map((each) => numberOf(each)))
        : sql`arrayMap(${ELEMENT} -> ${numberIn(ELEMENT)}, ${valuesOf(args)})`
      const there = sql`arrayFilter(${ELEMENT} -> isNotNull(${ELEMENT}), ${numbers})`
      const total = which === 'sum' ? sql`arraySum` : sql`arrayAvg`
      return named(
        there,
        VARIABLES.a,
        (v) =>
          sql`if(empty(${v}), NULL, ${total}(arrayMap(${ELEMENT} -> assumeNotNull(${ELEMENT}), ${v})))`,
      )
    },
    examples,
  })
}

/** A whole number from 0; missing for any other number. */
function wholeOf(value: SqlArg): Sql {
  return once(
    numberOf(value),
    VARIABLES.g,
    (v) =>
      sql`if(${v} >= 0 AND ${v} < 9007199254740992 AND floor(${v}) = ${v}, toInt64(${v}), NULL)`,
  )
}

function bits(name: string, says: string, of: 'bitAnd' | 'bitOr' | 'bitXor', gives: number) {
  const print = { bitAnd: sql`bitAnd`, bitOr: sql`bitOr`, bitXor: sql`bitXor` }[of]
  return evalFunction(`eval.${name}`, [name], {
    says,
    takes: [number('number'), number('other', { many: true })],
    gives: 'float',
    sql: ([first, ...others]) =>
      sql`toFloat64(${others.reduce(
        (made, each) => sql`${print}(${made}, ${wholeOf(each)})`,
        first === undefined ? NO_NUMBER : wholeOf(first),
      )})`,
    examples: [
      { args: [12, 10], gives },
      { args: [12, -1], gives: null },
    ],
  })
}

function shift(name: string, way: 'left' | 'right', gives: number): FunctionRecord {
  const print = way === 'left' ? sql`bitShiftLeft` : sql`bitShiftRight`
  return evalFunction(`eval.${name}`, [name], {
    says: `The bits of a whole number moved to the ${way}, of 53 bits.`,
    takes: [number('number'), number('places')],
    gives: 'float',
    sql: (args) => {
      const moved = sql`${print}(${wholeOf(arg(args, 0))}, clamp(${wholeOf(arg(args, 1))}, 0, 53))`
      return sql`toFloat64(bitAnd(${moved}, 9007199254740991))`
    },
    examples: [
      { args: [12, 2], gives },
      { args: [12, null], gives: null },
    ],
  })
}

const bitNot = evalFunction('eval.bit_not', ['bit_not'], {
  says: 'The bits of a whole number turned over, within 53 bits or those of a mask.',
  takes: [number('number'), number('mask', { optional: true })],
  gives: 'float',
  sql: (args) => {
    const mask = args[1] === undefined ? sql`toInt64(9007199254740991)` : wholeOf(args[1])
    return sql`toFloat64(bitAnd(bitNot(${wholeOf(arg(args, 0))}), ${mask}))`
  },
  examples: [{ args: [5, 15], gives: 10 }, { args: [0], gives: 9007199254740991 }, MISSING],
})

/** A function of one number that the engine has under the same name. */
function trigonometric(name: string, print: Sql, says: string, example: Example): FunctionRecord {
  return ofNumber([name], says, (x) => finite(sql`${print}(${x})`), [example])
}

export const evalNumberFunctions: readonly FunctionRecord[] = [
  ofNumber(['abs'], 'The size of the number.', (x) => sql`abs(${x})`, [
    { args: [-1.5], gives: 1.5 },
  ]),
  ofNumber(['ceiling', 'ceil'], 'The next whole number above.', (x) => sql`ceil(${x})`, [
    { args: [1.1], gives: 2 },
    { args: [-1.9], gives: -1 },
  ]),
  ofNumber(['floor'], 'The next whole number below.', (x) => sql`floor(${x})`, [
    { args: [1.9], gives: 1 },
    { args: [-1.1], gives: -2 },
  ]),
  ofNumber(['exact'], 'The number with all its digits.', (x) => x, [{ args: [3.14], gives: 3.14 }]),
  ofNumber(['exp'], 'Euler’s number to this power.', (x) => finite(sql`exp(${x})`), [
    { args: [0], gives: 1 },
    { args: [1000], gives: null },
  ]),
  ofNumber(['ln'], 'The natural logarithm.', (x) => finite(sql`log(${x})`), [
    { args: [1], gives: 0 },
    { args: [0], gives: null },
    { args: [-1], gives: null },
  ]),
  ofNumber(['sqrt'], 'The square root.', (x) => finite(sql`sqrt(${x})`), [
    { args: [9], gives: 3 },
    { args: [-1], gives: null },
  ]),
  evalFunction('eval.log', ['log'], {
    says: 'The logarithm to a base, 10 where none is given.',
    takes: [number('number'), number('base', { optional: true })],
    gives: 'float',
    sql: (args) => {
      const [value, base] = [numberOf(arg(args, 0)), args[1]]
      if (base === undefined || base.value === 10) return finite(sql`log10(${value})`)
      if (base.value === 2) return finite(sql`log2(${value})`)
      return finite(sql`(log(${value}) / log(${numberOf(base)}))`)
    },
    examples: [
      { args: [100], gives: 2 },
      { args: [8, 2], gives: 3 },
      { args: [5, 1], gives: null },
      { args: [0], gives: null },
    ],
  }),
  evalFunction('eval.pi', ['pi'], {
    says: 'The number pi to 11 digits.',
    takes: [],
    gives: 'float',
    sql: () => sql`toFloat64(3.14159265358)`,
    examples: [{ args: [], gives: Number('3.14159265358') }],
  }),
  evalFunction('eval.random', ['random'], {
    says: 'A whole number by chance, from 0 to 2^31 - 1.',
    takes: [],
    gives: 'float',
    sql: () => sql`toFloat64(bitAnd(rand(), 2147483647))`,
    examples: [],
  }),
  ofTwo(
    'pow',
    ['number', 'exponent'],
    'A number to a power.',
    (a, b) => finite(sql`pow(${a}, ${b})`),
    [
      { args: [2, 10], gives: 1024 },
      { args: [0, -1], gives: null },
      { args: [2, null], gives: null },
    ],
  ),
  evalFunction('eval.round', ['round'], {
    says: 'The number rounded to so many decimal places, halves away from zero.',
    takes: [number('number'), number('places', { optional: true })],
    gives: 'float',
    sql: rounded,
    examples: [
      { args: [3.5], gives: 4 },
      { args: [2.5], gives: 3 },
      { args: [-2.5], gives: -3 },
      { args: [2.555, 2], gives: 2.56 },
      { args: [1.005, 2], gives: 1.01 },
      { args: [1234, -2], gives: 1200 },
      { args: [1e300, 2], gives: 1e300 },
      { args: [null, 2], gives: null },
      { args: [1.5, null], gives: null },
    ],
  }),
  extreme('max', 'The greatest of the values; a text is above every number.', [
    { args: [1, 3, 2], as: ['int', 'float', 'int'], gives: 3 },
    { args: [1, '3', 2], as: ['int', 'text', 'int'], givesType: 'text', gives: '3' },
    { args: [9, 'foo'], as: ['int', 'text'], givesType: 'text', gives: 'foo' },
    { args: [null, 2], as: ['float', 'int'], gives: 2 },
    { args: [null], as: ['text'], givesType: 'text', gives: null },
    { args: [['4', '10'], 5], as: [{ list: 'text' }, 'int'], givesType: 'text', gives: '10' },
  ]),
  extreme('min', 'The least of the values; a number is below every text.', [
    { args: [4, 2], as: ['int', 'int'], gives: 2 },
    { args: [9, 'foo', null], as: ['int', 'text', 'text'], givesType: 'text', gives: '9' },
    { args: ['b', 'a'], givesType: 'text', gives: 'a' },
  ]),
  overall('sum', 'The sum of the numbers; what is no number is left out.', [
    { args: [1, 2.5], as: ['int', 'float'], gives: 3.5 },
    { args: ['1', 'x', 2], as: ['text', 'text', 'int'], gives: 3 },
    { args: [null], as: ['float'], gives: null },
  ]),
  overall('avg', 'The average of the numbers; what is no number is left out.', [
    { args: [1, 2, null], as: ['int', 'int', 'float'], gives: 1.5 },
    { args: [['1', '3'], 5], as: [{ list: 'text' }, 'int'], gives: 3 },
  ]),
  bits('bit_and', 'The bits that all whole numbers have.', 'bitAnd', 8),
  bits('bit_or', 'The bits that any of the whole numbers has.', 'bitOr', 14),
  bits('bit_xor', 'The bits that an odd number of the whole numbers has.', 'bitXor', 6),
  bitNot,
  shift('bit_shift_left', 'left', 48),
  shift('bit_shift_right', 'right', 3),
  trigonometric('acos', sql`acos`, 'The arc cosine.', { args: [1], gives: 0 }),
  trigonometric('acosh', sql`acosh`, 'The inverse hyperbolic cosine.', {
    args: [0.5],
    gives: null,
  }),
  trigonometric('asin', sql`asin`, 'The arc sine.', { args: [2], gives: null }),
  trigonometric('asinh', sql`asinh`, 'The inverse hyperbolic sine.', { args: [0], gives: 0 }),
  trigonometric('atan', sql`atan`, 'The arc tangent.', { args: [0], gives: 0 }),
  trigonometric('atanh', sql`atanh`, 'The inverse hyperbolic tangent.', { args: [1], gives: null }),
  trigonometric('cos', sql`cos`, 'The cosine of an angle in radians.', { args: [0], gives: 1 }),
  trigonometric('cosh', sql`cosh`, 'The hyperbolic cosine.', { args: [0], gives: 1 }),
  trigonometric('sin', sql`sin`, 'The sine of an angle in radians.', { args: [0], gives: 0 }),
  trigonometric('sinh', sql`sinh`, 'The hyperbolic sine.', { args: [0], gives: 0 }),
  trigonometric('tan', sql`tan`, 'The tangent of an angle in radians.', { args: [0], gives: 0 }),
  trigonometric('tanh', sql`tanh`, 'The hyperbolic tangent.', { args: [0], gives: 0 }),
  ofTwo(
    'atan2',
    ['y', 'x'],
    'The angle of a point, in radians.',
    (y, x) => sql`atan2(${y}, ${x})`,
    [
      { args: [0, 1], gives: 0 },
      { args: [null, 1], gives: null },
    ],
  ),
  ofTwo(
    'hypot',
    ['x', 'y'],
    'The length of the longest side of a right triangle.',
    (x, y) => finite(sql`hypot(${x}, ${y})`),
    [
      { args: [3, 4], gives: 5 },
      { args: [3, null], gives: null },
    ],
  ),
]
