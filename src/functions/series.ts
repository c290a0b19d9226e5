/**
 * Series: arrays of numbers, mostly at even steps of time. What is no number is missing, and what is made of a missing
 * element is missing. The scores of outliers and of seasons are not here: Kusto does not say how it works them out.
 */
import { arrayJson, elementOf, elements, onlyIf } from './json.ts'
import { named, VARIABLES } from './once.ts'
import { arg, type Example, type FunctionRecord, type Parameter } from './record.ts'
import { type Sql, type SqlArg, sql } from './sql.ts'

const { a: one, b: two, c: third, g: size } = VARIABLES

const SERIES: Parameter = { name: 'series', type: 'dynamic' }

/** Elements as numbers, NULL for what is none. */
function numbers(argument: SqlArg): Sql {
  return sql`arrayMap(x -> toFloat64OrNull(x), ${elements(argument)})`
}

/** A number as an element of a result. */
function number(value: Sql, isReal: boolean): Sql {
  const digits = isReal
    ? sql`if(match(assumeNotNull(toString(${value})), '[.e]'), toString(${value}), concat(toString(${value}), '.0'))`
    : sql`toString(${value})`
  return sql`multiIf(isNull(${value}), 'null', isFinite(${value}), assumeNotNull(${digits}), isNaN(${value}), '"NaN"', ${value} > 0, '"Infinity"', '"-Infinity"')`
}

interface Made {
  readonly name: string
  readonly says: string
  readonly examples: readonly Example[]
  readonly takes?: readonly Parameter[]
}

function series(
  made: Made,
  gives: FunctionRecord['gives'],
  print: FunctionRecord['sql'],
): FunctionRecord {
  return {
    id: `series.${made.name}`,
    says: made.says,
    takes: made.takes ?? [SERIES],
    gives,
    onNull: 'own',
    spelled: { kusto: [`series_${made.name}`] },
    sql: print,
    examples: made.examples,
  }
}

/** A function of each element. */
function each(
  name: string,
  says: string,
  isReal: boolean,
  print: (value: Sql) => Sql,
  example: readonly [string, string],
): FunctionRecord {
  return series(
    { name, says, examples: [{ args: [example[0]], gives: example[1] }] },
    'dynamic',
    (args) => {
      const subject = arg(args, 0)
      const values = sql`arrayMap(${one} -> ${print(one)}, ${numbers(subject)})`
      const texts = sql`arrayMap(${one} -> ${number(one, isReal)}, ${values})`
      return onlyIf(subject, '[', arrayJson(texts))
    },
  )
}

/** The numbers of a series, or the one number that stands for a series of it. */
function side(argument: SqlArg): { readonly list: Sql; readonly isList: Sql } {
  const text = sql`ifNull(${argument.sql}, '')`
  return {
    list: sql`if(startsWith(${text}, '['), ${numbers(argument)}, [toFloat64OrNull(${text})])`,
    isList: sql`startsWith(${text}, '[')`,
  }
}

/** Two series element by element, as long as the longer one. */
function paired(args: readonly SqlArg[], print: (left: Sql, right: Sql) => Sql): Sql {
  const left = side(arg(args, 0))
  const right = side(arg(args, 1))
  const at = (list: Sql, isList: Sql): Sql =>
    sql`if(${isList}, if(i > length(${list}), NULL, ${list}[i]), ${list}[1])`
  const count = sql`greatest(if(${size}.1, length(${one}), 0), if(${size}.2, length(${two}), 0))`
  const couples = sql`arrayMap(i -> (${at(one, sql`${size}.1`)}, ${at(two, sql`${size}.2`)}), range(toUInt64(1), 1 + toUInt64(${count})))`
  const texts = sql`arrayMap(${third} -> ${print(sql`${third}.1`, sql`${third}.2`)}, ${couples})`
  const flags = sql`(${left.isList}, ${right.isList})`
  const whole = named(left.list, one, () =>
    named(right.list, two, () => named(flags, size, () => texts)),
  )
  return sql`if(${left.isList} OR ${right.isList}, ${arrayJson(whole)}, NULL)`
}

const PAIR: readonly Parameter[] = [
  { name: 'one', type: 'dynamic' },
  { name: 'other', type: 'dynamic' },
]

function pairwise(
  name: string,
  says: string,
  isReal: boolean,
  print: (left: Sql, right: Sql) => Sql,
  gives: string,
): FunctionRecord {
  return series(
    { name, says, takes: PAIR, examples: [{ args: ['[1,null,4]', '[4,2,2,1]'], gives }] },
    'dynamic',
    (args) =>
      paired(args, (left, right) =>
        named(print(left, right), VARIABLES.t, (value) => number(value, isReal)),
      ),
  )
}

function compared(name: string, says: string, sign: Sql, gives: string): FunctionRecord {
  return series(
    { name, says, takes: PAIR, examples: [{ args: ['[1,null,4]', '[4,2,4,1]'], gives }] },
    'dynamic',
    (args) =>
      paired(
        args,
        (left, right) =>
          sql`multiIf(isNull(${left}) OR isNull(${right}), 'null', ${left} ${sign} ${right}, 'true', 'false')`,
      ),
  )
}

/** One number from the numbers of a series; missing when an element is missing. */
function summed(
  name: string,
  says: string,
  print: (values: Sql) => Sql,
  example: readonly [string, number],
): FunctionRecord {
  return series(
    {
      name,
      says,
      examples: [
        { args: [example[0]], gives: example[1] },
        { args: ['[1,"a"]'], gives: null },
      ],
    },
    'float',
    (args) => {
      const subject = arg(args, 0)
      const value = named(
        numbers(subject),
        one,
        (values) =>
          sql`if(has(${values}, NULL), NULL, toFloat64(${print(sql`arrayMap(x -> assumeNotNull(x), ${values})`)}))`,
      )
      return onlyIf(subject, '[', value)
    },
  )
}

/** One number from two series of one length. */
function summedTogether(
  name: string,
  says: string,
  print: (left: Sql, right: Sql) => Sql,
  gives: number,
): FunctionRecord {
  return series(
    { name, says, takes: PAIR, examples: [{ args: ['[1,2,3]', '[2,4,6]'], gives }] },
    'float',
    (args) => {
      const solid = (list: Sql): Sql => sql`arrayMap(x -> assumeNotNull(x), ${list})`
      const odd = sql`length(${one}) != length(${two}) OR empty(${one}) OR has(${one}, NULL) OR has(${two}, NULL)`
      // The engine works out both branches where lists are constant, so the lists are of one length in each.
      const safe = sql`arrayResize(${solid(two)}, length(${one}))`
      return named(numbers(arg(args, 0)), one, () =>
        named(
          numbers(arg(args, 1)),
          two,
          () => sql`if(${odd}, NULL, toFloat64(${print(solid(one), safe)}))`,
        ),
      )
    },
  )
}

const RAW: Parameter = { name: 'missing', type: 'any', optional: true }

/** The raw element that counts as missing. */
function missing(argument: SqlArg | undefined): Sql {
  return argument === undefined ? sql`'null'` : elementOf(argument)
}

function filled(direction: 'forward' | 'backward', print: Sql, gives: string): FunctionRecord {
  return series(
    {
      name: `fill_${direction}`,
      says: `Missing elements as the nearest one ${direction === 'forward' ? 'before' : 'behind'} them.`,
      takes: [SERIES, RAW],
      examples: [{ args: ['[null,1,null,2,null]'], gives }],
    },
    'dynamic',
    (args) => {
      const subject = arg(args, 0)
      const list = named(
        missing(args[1]),
        two,
        () => sql`${print}(${one} -> ${one} != ${two}, ${elements(subject)})`,
      )
      return onlyIf(subject, '[', arrayJson(list))
    },
  )
}

const fillConst = series(
  {
    name: 'fill_const',
    says: 'Missing elements as a constant.',
    takes: [SERIES, { name: 'constant', type: 'any', optional: true }, RAW],
    examples: [
      { args: ['[1,null,3]', 7], gives: '[1,7,3]' },
      { args: ['[1,0,3]', 7, 0], gives: '[1,7,3]' },
    ],
  },
  'dynamic',
  (args) => {
    const subject = arg(args, 0)
    const constant = args[1] === undefined ? sql`'0'` : elementOf(args[1])
    const list = named(constant, third, () =>
      named(
        missing(args[2]),
        two,
        () => sql`arrayMap(${one} -> if(${one} = ${two}, ${third}, ${one}), ${elements(subject)})`,
      ),
    )
    return onlyIf(subject, '[', arrayJson(list))
  },
)

const fillLinear = series(
  {
    name: 'fill_linear',
    says: 'Missing elements on the line between their neighbours; at the edges as the nearest one.',
    takes: [
      SERIES,
      RAW,
      { name: 'edges', type: 'bool', optional: true },
      { name: 'constant', type: 'any', optional: true },
    ],
    examples: [
      {
        args: ['[null,111,null,36,41,null,null,16,null]'],
        gives: '[111,111,73,36,41,32,24,16,16]',
      },
      { args: ['[1.5,null,2]'], gives: '[1.5,1.75,2]' },
      { args: ['[null,null]'], gives: '[0,0]' },
    ],
  },
  'dynamic',
  (args) => {
    const subject = arg(args, 0)
    const edges = args[2] === undefined ? sql`true` : sql`ifNull(${args[2].sql}, true)`
    const constant = args[3] === undefined ? sql`'0'` : elementOf(args[3])
    const { t: places } = VARIABLES
    // Of each element, the place of the nearest one that is there, at or before it and at or behind it; 0 for none.
    const before = sql`arrayFill(p -> p != 0, ${places})`
    const behind = sql`arrayReverseFill(p -> p != 0, ${places})`
    const value = (place: Sql): Sql => sql`toFloat64OrZero(${one}[${place}])`
    const between = sql`${value(sql`p`)} + (${value(sql`n`)} - ${value(sql`p`)}) * (i - p) / (n - p)`
    // Among whole numbers what is put in is whole.
    const shown = sql`if(${size}.3, toString(toInt64(trunc(${between}))), ${number(between, false)})`
    const element = sql`multiIf(p = i, ${one}[i], p = 0 AND n = 0, ${size}.2, p = 0, if(${size}.1, ${one}[n], ${two}), n = 0, if(${size}.1, ${one}[p], ${two}), ${shown})`
    const list = sql`arrayMap((p, n, i) -> ${element}, ${before}, ${behind}, arrayEnumerate(${one}))`
    // Elements that are read out of an array lose the point of a whole real number, so the whole text tells.
    const isWhole = sql`NOT match(ifNull(${subject.sql}, ''), '[0-9][.eE]')`
    const whole = named(elements(subject), one, () =>
      named(missing(args[1]), two, () =>
        named(sql`(${edges}, ${constant}, ${isWhole})`, size, () =>
          named(
            sql`arrayMap((${third}, i) -> if(${third} = ${two}, 0, i), ${one}, arrayEnumerate(${one}))`,
            places,
            () => list,
          ),
        ),
      ),
    )
    return onlyIf(subject, '[', arrayJson(whole))
  },
)

const fir = series(
  {
    name: 'fir',
    says: 'Each element as a weighted sum of itself and those before it.',
    takes: [
      SERIES,
      { name: 'filter', type: 'dynamic' },
      { name: 'normalize', type: 'bool', optional: true },
      { name: 'center', type: 'bool', optional: true },
    ],
    examples: [
      { args: ['[5,15,10,20]', '[1,-1]', false], gives: '[5,10,-5,10]' },
      { args: ['[3,6,9]', '[1,1,1]'], gives: '[1,3,6]' },
    ],
  },
  'dynamic',
  (args) => {
    const subject = arg(args, 0)
    const solid = (argument: SqlArg): Sql =>
      sql`arrayMap(x -> toFloat64OrZero(x), ${elements(argument)})`
    const isNegative = sql`arrayExists(f -> f < 0, ${two})`
    const normalize =
      args[2] === undefined
        ? sql`NOT ${isNegative}`
        : sql`ifNull(${args[2].sql}, NOT ${isNegative})`
    const center = args[3] === undefined ? sql`false` : sql`ifNull(${args[3].sql}, false)`
    const shift = sql`if(${size}.2, intDiv(length(${two}), 2), 0)`
    const at = sql`toInt64(i) - toInt64(k) + 1 + toInt64(${shift})`
    const sum = sql`arraySum((f, k) -> if(${at} BETWEEN 1 AND length(${one}), f * ${one}[${at}], 0), ${two}, arrayEnumerate(${two}))`
    const made = sql`arrayMap(${third} -> ${number(third, false)}, arrayMap(i -> ${sum} / if(${size}.1, arraySum(${two}), 1), arrayEnumerate(${one})))`
    const whole = named(solid(subject), one, () =>
      named(solid(arg(args, 1)), two, () =>
        named(sql`(${normalize}, ${center})`, size, () => made),
      ),
    )
    return onlyIf(subject, '[', arrayJson(whole))
  },
)

const iir = series(
  {
    name: 'iir',
    says: 'Each element as a weighted sum of those before it and of the results before it.',
    takes: [
      SERIES,
      { name: 'numerators', type: 'dynamic' },
      { name: 'denominators', type: 'dynamic' },
    ],
    examples: [{ args: ['[1,2,0,4]', '[1]', '[1,-1]'], gives: '[1,3,3,7]' }],
  },
  'dynamic',
  (args) => {
    const subject = arg(args, 0)
    const solid = (argument: SqlArg): Sql =>
      sql`arrayMap(x -> toFloat64OrZero(x), ${elements(argument)})`
    const forward = sql`arraySum((f, k) -> if(i >= k, f * ${one}[i - k + 1], 0), ${two}, arrayEnumerate(${two}))`
    const back = sql`arraySum((f, k) -> if(k > 1 AND i >= k, f * acc[i - k + 1], 0), ${third}, arrayEnumerate(${third}))`
    const fold = sql`arrayFold((acc, i) -> arrayPushBack(acc, (${forward} - ${back}) / ${third}[1]), arrayEnumerate(${one}), emptyArrayFloat64())`
    const whole = named(solid(subject), one, () =>
      named(solid(arg(args, 1)), two, () => named(solid(arg(args, 2)), third, () => fold)),
    )
    return onlyIf(
      subject,
      '[',
      arrayJson(sql`arrayMap(${size} -> ${number(size, false)}, ${whole})`),
    )
  },
)

export const seriesFunctions: readonly FunctionRecord[] = [
  pairwise(
    'add',
    'Sums, element by element.',
    false,
    (a, b) => sql`${a} + ${b}`,
    '[5,null,6,null]',
  ),
  pairwise(
    'subtract',
    'Differences, element by element.',
    false,
    (a, b) => sql`${a} - ${b}`,
    '[-3,null,2,null]',
  ),
  pairwise(
    'multiply',
    'Products, element by element.',
    false,
    (a, b) => sql`${a} * ${b}`,
    '[4,null,8,null]',
  ),
  pairwise(
    'divide',
    'Quotients, element by element.',
    true,
    (a, b) => sql`${a} / ${b}`,
    '[0.25,null,2.0,null]',
  ),
  pairwise(
    'pow',
    'Powers, element by element.',
    true,
    (a, b) => sql`pow(${a}, ${b})`,
    '[1.0,null,16.0,null]',
  ),
  compared('equals', 'True where elements are equal.', sql`=`, '[false,null,true,null]'),
  compared('not_equals', 'True where elements differ.', sql`!=`, '[true,null,false,null]'),
  compared('less', 'True where the first element is less.', sql`<`, '[true,null,false,null]'),
  compared(
    'less_equals',
    'True where the first element is not greater.',
    sql`<=`,
    '[true,null,true,null]',
  ),
  compared(
    'greater',
    'True where the first element is greater.',
    sql`>`,
    '[false,null,false,null]',
  ),
  compared(
    'greater_equals',
    'True where the first element is not less.',
    sql`>=`,
    '[false,null,true,null]',
  ),
  each('abs', 'The elements without their signs.', false, (x) => sql`abs(${x})`, [
    '[-1,2]',
    '[1,2]',
  ]),
  each('sign', 'The signs of the elements.', false, (x) => sql`toFloat64(sign(${x}))`, [
    '[-5,0]',
    '[-1,0]',
  ]),
  each('ceiling', 'The elements rounded up.', true, (x) => sql`ceil(${x})`, ['[1.5]', '[2.0]']),
  each('floor', 'The elements rounded down.', true, (x) => sql`floor(${x})`, ['[-1.5]', '[-2.0]']),
  each('exp', 'Powers of e.', true, (x) => sql`exp(${x})`, ['[0,null]', '[1.0,null]']),
  each('log', 'Natural logarithms.', true, (x) => sql`log(${x})`, ['[1]', '[0.0]']),
  each('sin', 'Sines.', true, (x) => sql`sin(${x})`, ['[0]', '[0.0]']),
  each('cos', 'Cosines.', true, (x) => sql`cos(${x})`, ['[0]', '[1.0]']),
  each('tan', 'Tangents.', true, (x) => sql`tan(${x})`, ['[0]', '[0.0]']),
  each('asin', 'Arc sines.', true, (x) => sql`asin(${x})`, ['[0]', '[0.0]']),
  each('acos', 'Arc cosines.', true, (x) => sql`acos(${x})`, ['[1]', '[0.0]']),
  each('atan', 'Arc tangents.', true, (x) => sql`atan(${x})`, ['[0]', '[0.0]']),
  summed('sum', 'Sum of a series.', (x) => sql`arraySum(${x})`, ['[1,2.5]', 3.5]),
  summed('product', 'Product of a series.', (x) => sql`arrayProduct(${x})`, ['[1,2,4]', 8]),
  summed(
    'magnitude',
    'Length of a series as a vector.',
    (x) => sql`sqrt(arraySum(arrayMap(y -> y * y, ${x})))`,
    ['[3,4]', 5],
  ),
  summedTogether(
    'dot_product',
    'Dot product of two series.',
    (a, b) => sql`arrayDotProduct(${a}, ${b})`,
    28,
  ),
  summedTogether(
    'cosine_similarity',
    'Cosine of the angle between two series.',
    (a, b) => sql`1 - cosineDistance(${a}, ${b})`,
    1,
  ),
  summedTogether(
    'pearson_correlation',
    'Correlation of two series.',
    (a, b) => sql`arrayReduce('corr', ${a}, ${b})`,
    1,
  ),
  filled('forward', sql`arrayFill`, '[null,1,1,2,2]'),
  filled('backward', sql`arrayReverseFill`, '[1,1,2,2,null]'),
  fillConst,
  fillLinear,
  fir,
  iir,
]
