/** Numbers: rounding and bins, powers, logarithms and angles, bits, and the least and greatest of several values. */
import type { BaseType } from '../ir/types.ts'
import { isList, type Type } from '../ir/types.ts'
import { widest } from './arithmetic.ts'
import { instant, instantWithin, ticksOf } from './calendar.ts'
import { converted, ticksSinceYear1 } from './casts.ts'
import { once, VARIABLES } from './once.ts'
import { arg, type Example, type FunctionRecord, type Parameter } from './record.ts'
import { joined, literal, type Sql, type SqlArg, sql } from './sql.ts'

type Value = Pick<SqlArg, 'sql' | 'type' | 'value'>

const NUMBER: Parameter = { name: 'number', type: 'any' }
const REAL: Parameter = { name: 'number', type: 'float' }
const LONG: Parameter = { name: 'number', type: 'int' }

/** A value as a number: what holds none by its type is read as a real one. */
function numeric(value: Value): { readonly sql: Sql; readonly type: 'int' | 'float' | 'decimal' } {
  const type = widest([value.type])
  if (type === undefined) return { sql: converted(value, 'float'), type: 'float' }
  return value.type === 'bool' || value.type === 'int32'
    ? { sql: converted(value, 'int'), type: 'int' }
    : { sql: value.sql, type }
}

/** A value as a number of a type. */
function as(value: Value, type: 'int' | 'float' | 'decimal'): Sql {
  return value.type === type ? value.sql : converted(value, type)
}

/** A real function of one real number. */
function real(
  id: string,
  says: string,
  kusto: readonly string[],
  of: (x: Sql) => Sql,
  examples: readonly (readonly [number | null, number | null])[],
): FunctionRecord {
  return {
    id: `number.${id}`,
    says,
    takes: [REAL],
    gives: 'float',
    onNull: 'own',
    spelled: { kusto },
    sql: (args) => of(arg(args, 0).sql),
    examples: examples.map(([x, gives]) => ({ args: [x], gives })),
  }
}

/** The logarithm of a number below zero is missing. */
const logarithm = (of: (x: Sql) => Sql) => (value: Sql) =>
  once(value, VARIABLES.c, (x) => sql`if(${x} < 0, NULL, ${of(x)})`)

function whole(
  id: string,
  says: string,
  kusto: readonly string[],
  count: number,
  of: (args: readonly Sql[]) => Sql,
  examples: readonly Example[],
): FunctionRecord {
  return {
    id: `number.${id}`,
    says,
    takes: Array.from({ length: count }, () => LONG),
    gives: 'int',
    onNull: 'own',
    spelled: { kusto },
    sql: (args) => of(args.map((each) => each.sql)),
    examples,
  }
}

/** A real number rounded to a whole one, halves away from zero. */
function rounded(value: Sql): Sql {
  return once(
    value,
    VARIABLES.b,
    (y) => sql`(sign(${y}) * (floor(abs(${y})) + (abs(${y}) - floor(abs(${y})) >= 0.5)))`,
  )
}

function round(args: readonly SqlArg[]): Sql {
  const { sql: value, type } = numeric(arg(args, 0))
  const digits = args[1]
  const places = digits?.value ?? (digits === undefined ? 0 : undefined)
  if (type === 'decimal') {
    return typeof places === 'number'
      ? sql`round(${value}, ${literal(Math.max(-40, Math.min(20, places)))})`
      : converted({ sql: realRound(sql`toFloat64(${value})`, digits), type: 'float' }, 'decimal')
  }
  if (type === 'float') return realRound(value, digits)
  if (typeof places === 'number' && places >= 0) return value
  return once(digits === undefined ? sql`0` : as(digits, 'int'), VARIABLES.b, (p) =>
    once(
      value,
      VARIABLES.a,
      (x) =>
        sql`multiIf(isNull(${p}), NULL, ${p} >= 0, ${x}, ${p} < -18, 0, toInt64(sign(${x}) * intDiv(abs(${x}) + intDiv(intExp10(-${p}), 2), intExp10(-${p})) * intExp10(-${p})))`,
    ),
  )
}

function realRound(value: Sql, digits: Value | undefined): Sql {
  if (digits === undefined) return rounded(value)
  const { value: places } = digits
  if (typeof places === 'number') {
    if (places === 0) return rounded(value)
    const scale = literal(10 ** Math.min(300, Math.abs(places)))
    const scaled = (x: Sql): Sql =>
      places > 0
        ? sql`${rounded(sql`${x} * ${scale}`)} / ${scale}`
        : sql`${rounded(sql`${x} / ${scale}`)} * ${scale}`
    return once(value, VARIABLES.a, (x) => sql`if(isFinite(${scaled(x)}), ${scaled(x)}, ${x})`)
  }
  return sql`arrayMap((\`^x\`, \`^p\`) -> ${rounded(sql`\`^x\` * exp10(\`^p\`)`)} / exp10(\`^p\`), [${value}], [toFloat64(${as(digits, 'int')})])[1]`
}

/** A value moved down to the next multiple of a size, counted from a fixed point; missing for a size of zero or below. */
function binOf(given: Value, size: Value, fixed?: Value): Sql {
  if (given.type === 'time' || size.type === 'span') return timeBin(given, size, fixed)
  const types: readonly Type[] = [given, size, ...(fixed === undefined ? [] : [fixed])].map(
    (each) => numeric(each).type,
  )
  const type = widest(types) ?? 'float'
  const [x, step] = [as(given, type), as(size, type)]
  const from = fixed === undefined ? undefined : as(fixed, type)
  if (type === 'int') return wholeBin(x, step, size.value, from)
  return once(x, VARIABLES.a, (v) =>
    above(step, size.value, (n) => {
      const gap = from === undefined ? v : sql`(${v} - ${from})`
      // A quotient of decimals may have no room; the remainder always has.
      if (type === 'decimal') return sql`(${v} - positiveModulo(${gap}, ${n}))`
      const down = sql`floor(${gap} / ${n}) * ${n}`
      return from === undefined ? sql`(${down})` : sql`(${down} + ${from})`
    }),
  )
}

/** The body with a size above zero; missing for another. A constant needs no care. */
function above(step: Sql, constant: unknown, body: (size: Sql) => Sql): Sql {
  if (typeof constant === 'number' && constant > 0) return body(step)
  // What is divided by must be no zero even where the result is missing: the engine computes it all the same.
  return once(
    step,
    VARIABLES.b,
    (n) => sql`if(${n} > 0, ${body(sql`if(${n} > 0, ${n}, 1)`)}, NULL)`,
  )
}

function wholeBin(x: Sql, step: Sql, constant: unknown, from: Sql | undefined): Sql {
  return once(x, VARIABLES.a, (v) =>
    above(step, constant, (size) => {
      const gap = from === undefined ? v : sql`${v} - ${from}`
      return sql`(${v} - toInt64(positiveModulo(${gap}, ${size})))`
    }),
  )
}

function timeBin(given: Value, size: Value, fixed?: Value): Sql {
  const step = size.type === 'span' ? size.sql : converted(size, 'span')
  const isTime = given.type === 'time' || fixed?.type === 'time' || size.type !== 'span'
  if (given.type !== 'span' && (isTime || given.type === 'text')) {
    const time = given.type === 'time' ? given.sql : converted(given, 'time')
    return once(time, VARIABLES.a, (t) =>
      above(step, size.value, (n) => {
        if (fixed === undefined) {
          return instant(sql`${ticksOf(t)} - toInt64(positiveModulo(${ticksSinceYear1(t)}, ${n}))`)
        }
        const from = ticksOf(fixed.type === 'time' ? fixed.sql : converted(fixed, 'time'))
        return instantWithin(
          sql`${ticksOf(t)} - toInt64(positiveModulo(${ticksOf(t)} - ${from}, ${n}))`,
        )
      }),
    )
  }
  const from = fixed === undefined ? undefined : converted(fixed, 'span')
  return wholeBin(converted(given, 'span'), step, size.value, from)
}

/** Values in the one type in which they are compared. */
function meeting(args: readonly SqlArg[]): readonly Sql[] {
  const typed = args.filter((each) => each.type !== 'null' && each.type !== 'dynamic')
  const type = widest(typed.map((each) => each.type))
  if (type !== undefined) {
    const isShort = typed.every((each) => each.type === 'int32')
    return args.map((each) => (isShort ? each.sql : as(each, type)))
  }
  const [first] = typed
  if (first === undefined || isList(first.type)) return args.map((each) => each.sql)
  const wanted = first.type
  return args.map((each) =>
    each.type === wanted || wanted === 'ip' || wanted === 'null' || wanted === 'dynamic'
      ? each.sql
      : converted(each, wanted),
  )
}

function extreme(name: 'least' | 'greatest', kusto: string): FunctionRecord {
  const isLeast = name === 'least'
  const type = (base: BaseType) => [base, base] as const
  return {
    id: `value.${name}`,
    says: `The ${isLeast ? 'lowest' : 'highest'} of the values that are not missing.`,
    takes: [{ name: 'value', type: 'any', many: true }],
    gives: 'dynamic',
    onNull: 'own',
    spelled: { kusto: [kusto] },
    sql: (args) => {
      const list = joined(meeting(args), ', ')
      return isLeast ? sql`least(${list})` : sql`greatest(${list})`
    },
    examples: [
      { args: [1, 2.5], as: ['int', 'float'], givesType: 'float', gives: isLeast ? 1 : 2.5 },
      { args: [null, 3], as: type('int'), givesType: 'int', gives: 3 },
      { args: ['a', 'b'], as: type('text'), givesType: 'text', gives: isLeast ? 'a' : 'b' },
      { args: [5, 7], as: type('span'), givesType: 'span', gives: isLeast ? 5 : 7 },
    ],
  }
}

const test = (id: string, says: string, kusto: string, of: (x: Sql) => Sql): FunctionRecord => ({
  id: `number.${id}`,
  says,
  takes: [REAL],
  gives: 'bool',
  onNull: 'own',
  spelled: { kusto: [kusto] },
  sql: (args) => of(arg(args, 0).sql),
  examples: [
    { args: [1.5], gives: id === 'is_finite' },
    { args: [Number.POSITIVE_INFINITY], gives: id === 'is_infinite' },
    { args: [Number.NaN], gives: id === 'is_nan' },
    { args: [null], gives: null },
  ],
})

const moving = (id: string, says: string, kusto: string, of: 'up' | 'size'): FunctionRecord => ({
  id: `number.${id}`,
  says,
  takes: [NUMBER],
  gives: 'dynamic',
  onNull: 'own',
  spelled: { kusto: [kusto] },
  sql: (args) => {
    const given = arg(args, 0)
    if (given.type === 'span') return of === 'up' ? given.sql : sql`toInt64(abs(${given.sql}))`
    const { sql: value, type } = numeric(given)
    if (of === 'up') return type === 'int' ? value : sql`ceil(${value})`
    return type === 'int' ? sql`toInt64(abs(${value}))` : sql`abs(${value})`
  },
  examples: [
    { args: [-1.1], as: ['float'], givesType: 'float', gives: of === 'up' ? -1 : 1.1 },
    { args: [-5], as: ['int32'], givesType: 'int', gives: of === 'up' ? -5 : 5 },
    { args: ['2.1'], as: ['decimal'], givesType: 'decimal', gives: of === 'up' ? '3' : '2.1' },
    { args: [null], as: ['float'], givesType: 'float', gives: null },
  ],
})

const DAY = 864_000_000_000

export const numberFunctions: readonly FunctionRecord[] = [
  moving('size', 'The number or the length of time without its sign.', 'abs', 'size'),
  moving('ceiling', 'The next whole number that is not below.', 'ceiling', 'up'),
  {
    id: 'number.round',
    says: 'The number rounded to so many places, halves away from zero.',
    takes: [NUMBER, { name: 'places', type: 'int', optional: true }],
    gives: 'dynamic',
    onNull: 'own',
    spelled: { kusto: ['round'] },
    sql: round,
    examples: [
      { args: [2.5], as: ['float'], givesType: 'float', gives: 3 },
      { args: [-2.5], as: ['float'], givesType: 'float', gives: -3 },
      { args: [0.49999999999999994], as: ['float'], givesType: 'float', gives: 0 },
      { args: [3.25, 1], as: ['float', 'int'], givesType: 'float', gives: 3.3 },
      { args: [1250, -2], as: ['float', 'int'], givesType: 'float', gives: 1300 },
      { args: [15, -1], as: ['int', 'int'], givesType: 'int', gives: 20 },
      { args: [7], as: ['int'], givesType: 'int', gives: 7 },
      { args: ['2.345', 2], as: ['decimal', 'int'], givesType: 'decimal', gives: '2.35' },
      { args: [null], as: ['float'], givesType: 'float', gives: null },
    ],
  },
  {
    id: 'number.bin',
    says: 'The next multiple of a size that is not above; missing for a size of zero or below.',
    takes: [
      { name: 'value', type: 'any' },
      { name: 'size', type: 'any' },
    ],
    gives: 'dynamic',
    onNull: 'own',
    spelled: { kusto: ['bin', 'floor'] },
    sql: (args) => binOf(arg(args, 0), arg(args, 1)),
    examples: [
      { args: [-5, 2], as: ['int', 'int'], givesType: 'int', gives: -6 },
      { args: [5, 0], as: ['int', 'int'], givesType: 'int', gives: null },
      { args: [4.5, 1], as: ['float', 'int'], givesType: 'float', gives: 4 },
      { args: [-0.5, 1], as: ['float', 'int'], givesType: 'float', gives: -1 },
      { args: ['4.5', 1], as: ['decimal', 'int'], givesType: 'decimal', gives: '4' },
      { args: [16 * DAY, 7 * DAY], as: ['span', 'span'], givesType: 'span', gives: 14 * DAY },
      {
        args: ['1955-11-05T06:15:00.0000000Z', 7 * DAY],
        as: ['time', 'span'],
        givesType: 'time',
        gives: '1955-10-31T00:00:00.0000000Z',
      },
      {
        args: ['2020-10-25T02:30:00.0000000Z', -1],
        as: ['time', 'span'],
        givesType: 'time',
        gives: null,
      },
    ],
  },
  {
    id: 'number.bin_at',
    says: 'The next multiple of a size that is not above, counted from a fixed point.',
    takes: [
      { name: 'value', type: 'any' },
      { name: 'size', type: 'any' },
      { name: 'fixed', type: 'any' },
    ],
    gives: 'dynamic',
    onNull: 'own',
    spelled: { kusto: ['bin_at'] },
    sql: (args) => binOf(arg(args, 0), arg(args, 1), arg(args, 2)),
    examples: [
      { args: [6.5, 2.5, 7], as: ['float', 'float', 'int'], givesType: 'float', gives: 4.5 },
      { args: [10, 4, 3], as: ['int', 'int', 'int'], givesType: 'int', gives: 7 },
      {
        args: [DAY / 24, DAY, DAY / 2],
        as: ['span', 'span', 'span'],
        givesType: 'span',
        gives: -DAY / 2,
      },
      {
        args: ['2017-05-15T10:20:00.0000000Z', DAY, '1970-01-01T12:00:00.0000000Z'],
        as: ['time', 'span', 'time'],
        givesType: 'time',
        gives: '2017-05-14T12:00:00.0000000Z',
      },
    ],
  },
  real('sign', '1, 0 or -1: the sign of a number.', ['sign'], (x) => sql`toFloat64(sign(${x}))`, [
    [-42, -1],
    [0, 0],
    [null, null],
  ]),
  real('sqrt', 'The square root.', ['sqrt'], (x) => sql`sqrt(${x})`, [[9, 3]]),
  real('exp', 'The power of e.', ['exp'], (x) => sql`exp(${x})`, [[0, 1]]),
  real('exp2', 'The power of 2.', ['exp2'], (x) => sql`exp2(${x})`, [[3, 8]]),
  real('exp10', 'The power of 10.', ['exp10'], (x) => sql`exp10(${x})`, [[2, 100]]),
  real(
    'log',
    'The natural logarithm; missing below zero.',
    ['log'],
    logarithm((x) => sql`log(${x})`),
    [
      [5, 1.6094379124341003],
      [-1, null],
    ],
  ),
  real(
    'log2',
    'The logarithm to base 2; missing below zero.',
    ['log2'],
    logarithm((x) => sql`log2(${x})`),
    [
      [8, 3],
      [-1, null],
    ],
  ),
  real(
    'log10',
    'The logarithm to base 10; missing below zero.',
    ['log10'],
    logarithm((x) => sql`log10(${x})`),
    [
      [100, 2],
      [-1, null],
    ],
  ),
  real('gamma', 'The gamma function.', ['gamma'], (x) => sql`tgamma(${x})`, [[5, 24]]),
  real(
    'log_gamma',
    'The logarithm of the gamma function.',
    ['loggamma'],
    (x) => sql`lgamma(${x})`,
    [[1, 0]],
  ),
  real('erf', 'The error function.', ['erf'], (x) => sql`erf(${x})`, [[0, 0]]),
  real('erfc', 'The complementary error function.', ['erfc'], (x) => sql`erfc(${x})`, [[0, 1]]),
  real('sin', 'The sine.', ['sin'], (x) => sql`sin(${x})`, [[0, 0]]),
  real('cos', 'The cosine.', ['cos'], (x) => sql`cos(${x})`, [[0, 1]]),
  real('tan', 'The tangent.', ['tan'], (x) => sql`tan(${x})`, [[0, 0]]),
  real('cot', 'The cotangent.', ['cot'], (x) => sql`(1 / tan(${x}))`, [[1, 0.6420926159343306]]),
  real('asin', 'The angle of a sine.', ['asin'], (x) => sql`asin(${x})`, [[0, 0]]),
  real('acos', 'The angle of a cosine.', ['acos'], (x) => sql`acos(${x})`, [[1, 0]]),
  real('atan', 'The angle of a tangent.', ['atan'], (x) => sql`atan(${x})`, [[0, 0]]),
  real('degrees', 'An angle in degrees.', ['degrees'], (x) => sql`degrees(${x})`, [[0, 0]]),
  real('radians', 'An angle in radians.', ['radians'], (x) => sql`radians(${x})`, [[0, 0]]),
  {
    id: 'number.atan2',
    says: 'The angle of a point, given y and x.',
    takes: [REAL, REAL],
    gives: 'float',
    onNull: 'own',
    spelled: { kusto: ['atan2'] },
    sql: (args) => sql`atan2(${arg(args, 0).sql}, ${arg(args, 1).sql})`,
    examples: [{ args: [0, 1], gives: 0 }],
  },
  {
    id: 'number.power',
    says: 'A number to a power.',
    takes: [REAL, REAL],
    gives: 'float',
    onNull: 'own',
    spelled: { kusto: ['pow'] },
    sql: (args) => sql`pow(${arg(args, 0).sql}, ${arg(args, 1).sql})`,
    examples: [
      { args: [2, 10], gives: 1024 },
      { args: [null, 2], gives: null },
    ],
  },
  {
    id: 'number.pi',
    says: 'The number pi.',
    takes: [],
    gives: 'float',
    onNull: 'own',
    spelled: { kusto: ['pi'] },
    sql: () => sql`pi()`,
    examples: [{ args: [], gives: Math.PI }],
  },
  {
    id: 'number.random',
    says: 'A real number by chance from 0 on, below 1; with a bound, a whole one below the bound.',
    takes: [
      { name: 'bound', type: 'int', optional: true },
      { name: 'mark', type: 'int', constant: true, optional: true },
    ],
    gives: 'float',
    onNull: 'own',
    spelled: { kusto: ['rand'] },
    sql: ([bound, mark]) => {
      // The engine computes equal calls once; a mark of its own keeps two calls apart.
      const chance = mark === undefined ? sql`randCanonical()` : sql`randCanonical(${mark.sql})`
      return bound === undefined || bound.value === null
        ? chance
        : once(bound.sql, VARIABLES.c, (n) => sql`if(${n} > 1, floor(${chance} * ${n}), ${chance})`)
    },
    examples: [],
  },
  {
    id: 'guid.random',
    says: 'A guid by chance.',
    takes: [],
    gives: 'guid',
    onNull: 'own',
    spelled: { kusto: ['new_guid'] },
    sql: () => sql`toNullable(toString(generateUUIDv4()))`,
    examples: [],
  },
  test('is_nan', 'True for a real that is no number.', 'isnan', (x) => sql`isNaN(${x})`),
  test('is_infinite', 'True for an infinite real.', 'isinf', (x) => sql`isInfinite(${x})`),
  test('is_finite', 'True for a finite real.', 'isfinite', (x) => sql`isFinite(${x})`),
  extreme('least', 'min_of'),
  extreme('greatest', 'max_of'),
  whole(
    'bits_and',
    'The bits that both have.',
    ['binary_and'],
    2,
    ([a, b]) => sql`bitAnd(${a ?? sql``}, ${b ?? sql``})`,
    [
      { args: [12, 10], gives: 8 },
      { args: [null, 1], as: ['int', 'int'], gives: null },
    ],
  ),
  whole(
    'bits_or',
    'The bits that either has.',
    ['binary_or'],
    2,
    ([a, b]) => sql`bitOr(${a ?? sql``}, ${b ?? sql``})`,
    [{ args: [5, 3], gives: 7 }],
  ),
  whole(
    'bits_xor',
    'The bits that only one has.',
    ['binary_xor'],
    2,
    ([a, b]) => sql`bitXor(${a ?? sql``}, ${b ?? sql``})`,
    [{ args: [5, 3], gives: 6 }],
  ),
  whole(
    'bits_not',
    'All bits the other way.',
    ['binary_not'],
    1,
    ([a]) => sql`bitNot(${a ?? sql``})`,
    [{ args: [5], gives: -6 }],
  ),
  whole(
    'bits_left',
    'The bits moved to higher places; the number of places is taken modulo 64, and missing below zero.',
    ['binary_shift_left'],
    2,
    ([a, n]) => sql`bitShiftLeft(${a ?? sql``}, ${places(n)})`,
    [
      { args: [1, 4], gives: 16 },
      { args: [1, 65], gives: 2 },
      { args: [1, -1], gives: null },
    ],
  ),
  whole(
    'bits_right',
    'The bits moved to lower places; the number of places is taken modulo 64, and missing below zero.',
    ['binary_shift_right'],
    2,
    ([a, n]) => sql`bitShiftRight(${a ?? sql``}, ${places(n)})`,
    [
      { args: [16, 4], gives: 1 },
      { args: [-8, 1], gives: -4 },
    ],
  ),
  whole(
    'bits_count',
    'How many bits are set.',
    ['bitset_count_ones'],
    1,
    ([a]) => sql`toInt64(bitCount(${a ?? sql``}))`,
    [
      { args: [42], gives: 3 },
      { args: [-1], gives: 64 },
    ],
  ),
]

/** Places to move bits by; the engine refuses those below zero. */
function places(count: Sql | undefined): Sql {
  const given = count ?? sql`0`
  return once(given, VARIABLES.c, (n) => sql`if(${n} >= 0, toUInt8(${n} % 64), NULL)`)
}
