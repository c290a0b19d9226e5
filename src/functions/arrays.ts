/** Arrays of dynamic values. Elements are kept as raw JSON text; what is no array gives a missing value. */
import type { ConstValue } from '../ir/expr.ts'
import { instant, ticksOf } from './calendar.ts'
import { arrayJson, elementOf, elements, onlyIf, rawOf, solid } from './json.ts'
import { named, VARIABLES } from './once.ts'
import { arg, type FunctionRecord, type Parameter } from './record.ts'
import { joined, literal, type Sql, type SqlArg, sql } from './sql.ts'

const { a: list, b: other } = VARIABLES

/** More elements than this, and Kusto cuts a made array off. */
const MOST = 1_048_576

/** An array of one value repeated is made no longer than this many bytes: the engine refuses arrays that are too large. */
const MOST_BYTES = 16_777_216

const ARRAY: Parameter = { name: 'array', type: 'dynamic' }

/** A whole number of 64 bits, NULL where there is none. */
function integer({ sql: value, type }: SqlArg): Sql {
  if (type === 'text' || type === 'dynamic') return sql`toInt64OrNull(${value})`
  return type === 'int' || type === 'int32' || type === 'bool'
    ? sql`toInt64(${value})`
    : sql`accurateCastOrNull(${value}, 'Int64')`
}

/** A whole number that is never NULL. */
function whole(argument: SqlArg | undefined, otherwise: number): Sql {
  if (argument === undefined) return sql`${literal(otherwise)}`
  if (typeof argument.value === 'number') return sql`${literal(argument.value)}`
  return sql`ifNull(${integer(argument)}, ${literal(otherwise)})`
}

interface Made {
  readonly id: string
  readonly says: string
  readonly takes?: readonly Parameter[]
  readonly spelled: readonly string[]
  readonly several?: string
  readonly examples: FunctionRecord['examples']
}

function record(
  made: Made,
  gives: FunctionRecord['gives'],
  print: FunctionRecord['sql'],
): FunctionRecord {
  return {
    id: made.id,
    says: made.says,
    takes: made.takes ?? [ARRAY],
    gives,
    onNull: 'own',
    spelled: { kusto: made.spelled },
    ...(made.several === undefined ? {} : { several: made.several }),
    sql: print,
    examples: made.examples,
  }
}

/** A function from the elements of its first argument to those of a new array. */
function reshaped(made: Made, reshape: (raw: Sql, rest: readonly SqlArg[]) => Sql): FunctionRecord {
  return record(made, 'dynamic', ([first = arg([], 0), ...rest]) =>
    onlyIf(first, '[', arrayJson(reshape(elements(first), rest))),
  )
}

/** The elements of a constant; undefined for what is no array. */
function constantElements(value: ConstValue | undefined): readonly unknown[] | undefined {
  if (typeof value !== 'string') return undefined
  try {
    const parsed: unknown = JSON.parse(value)
    return Array.isArray(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}

const measured = record(
  {
    id: 'array.length',
    says: 'Number of elements.',
    spelled: ['array_length', 'arraylength'],
    examples: [
      { args: ['[1,null,"a"]'], gives: 3 },
      { args: ['[]'], gives: 0 },
      { args: ['{"a":1}'], gives: null },
      { args: [null], gives: null },
    ],
  },
  'int',
  (args) => onlyIf(arg(args, 0), '[', sql`toInt64(JSONLength(${solid(arg(args, 0))}))`),
)

const length: FunctionRecord = {
  ...measured,
  fold: ([list]) => constantElements(list)?.length,
}

const concat = record(
  {
    id: 'array.concat',
    says: 'The arrays put together; what is no array adds nothing.',
    takes: [{ ...ARRAY, many: true }],
    spelled: ['array_concat'],
    examples: [
      { args: ['[1,2]', '[3]'], gives: '[1,2,3]' },
      { args: [null, '[3]'], gives: '[3]' },
    ],
  },
  'dynamic',
  (args) =>
    arrayJson(
      sql`arrayConcat(${joined(
        args.map((each) => elements(each)),
        ', ',
      )})`,
    ),
)

const reverse = reshaped(
  {
    id: 'array.reverse',
    says: 'The elements from the last to the first.',
    spelled: ['array_reverse'],
    examples: [{ args: ['[1,"a"]'], gives: '["a",1]' }],
  },
  (raw) => sql`arrayReverse(${raw})`,
)

/** A position that may count from the end, as one from the start of a named list. */
function fromStart(position: Sql): Sql {
  return sql`if(${position} < 0, ${position} + toInt64(length(${list})), ${position})`
}

const slice = reshaped(
  {
    id: 'array.slice',
    says: 'The elements from one position to another, both with them; below zero a position counts from the end.',
    takes: [ARRAY, { name: 'start', type: 'int' }, { name: 'end', type: 'int' }],
    spelled: ['array_slice'],
    examples: [
      { args: ['[1,2,3,4,5]', 1, 3], gives: '[2,3,4]' },
      { args: ['[1,2,3,4,5]', -3, -2], gives: '[3,4]' },
      { args: ['[1,2,3]', -9, 0], gives: '[1]' },
      { args: ['[1,2,3]', 2, 9], gives: '[3]' },
      { args: ['[1,2,3]', 2, 1], gives: '[]' },
    ],
  },
  (raw, rest) =>
    named(raw, list, (all) => {
      const from = sql`greatest(${fromStart(whole(rest[0], 0))}, 0)`
      const to = sql`least(${fromStart(whole(rest[1], -1))}, toInt64(length(${all})) - 1)`
      return sql`arraySlice(${all}, ${from} + 1, greatest(${to} - ${from} + 1, 0))`
    }),
)

const split = record(
  {
    id: 'array.split',
    says: 'An array of the parts of an array between positions.',
    takes: [ARRAY, { name: 'positions', type: 'any' }],
    spelled: ['array_split'],
    examples: [
      { args: ['[1,2,3,4,5]', 2], gives: '[[1,2],[3,4,5]]' },
      { args: ['[1,2,3]', -1], gives: '[[1,2],[3]]' },
      { args: ['[1,2,3]', 9], gives: '[[1,2,3],[]]' },
    ],
  },
  'dynamic',
  (args) => {
    const first = arg(args, 0)
    const at = arg(args, 1)
    const given =
      at.type === 'dynamic'
        ? sql`if(startsWith(${solid(at)}, '['), arrayMap(x -> toInt64OrZero(x), ${elements(at)}), [toInt64OrZero(${solid(at)})])`
        : sql`[${whole(at, 0)}]`
    const size = sql`toInt64(length(${list}))`
    // Cuts are within the array and never go back.
    const cuts = sql`arraySort(arrayMap(x -> least(greatest(if(x < 0, x + ${size}, x), 0), ${size}), ${given}))`
    const parts = sql`arrayMap((x, y) -> concat('[', arrayStringConcat(arraySlice(${list}, x + 1, y - x), ','), ']'), arrayConcat([toInt64(0)], ${other}), arrayConcat(${other}, [${size}]))`
    const all = named(elements(first), list, () => named(cuts, other, () => parts))
    return onlyIf(first, '[', arrayJson(all))
  },
)

function rotate(direction: 'left' | 'right'): FunctionRecord {
  const sign = direction === 'left' ? sql`` : sql`-`
  return reshaped(
    {
      id: `array.rotate_${direction}`,
      says: `The elements moved to the ${direction}; what falls out comes in at the other end.`,
      takes: [ARRAY, { name: 'count', type: 'int' }],
      spelled: [`array_rotate_${direction}`],
      examples: [
        { args: ['[1,2,3]', 1], gives: direction === 'left' ? '[2,3,1]' : '[3,1,2]' },
        { args: ['[1,2,3]', -7], gives: direction === 'left' ? '[3,1,2]' : '[2,3,1]' },
        { args: ['[]', 1], gives: '[]' },
      ],
    },
    (raw, rest) =>
      named(
        raw,
        list,
        (all) =>
          sql`arrayRotateLeft(${all}, positiveModulo(${sign}(${whole(rest[0], 0)}), greatest(toInt64(length(${all})), 1)))`,
      ),
  )
}

function shift(direction: 'left' | 'right'): FunctionRecord {
  const print = direction === 'left' ? sql`arrayShiftLeft` : sql`arrayShiftRight`
  return reshaped(
    {
      id: `array.shift_${direction}`,
      says: `The elements moved to the ${direction}; places that come free are filled.`,
      takes: [ARRAY, { name: 'count', type: 'int' }, { name: 'fill', type: 'any', optional: true }],
      spelled: [`array_shift_${direction}`],
      examples: [
        { args: ['[1,2,3]', 1], gives: direction === 'left' ? '[2,3,null]' : '[null,1,2]' },
        { args: ['[1,2,3]', -2, -1], gives: direction === 'left' ? '[-1,-1,1]' : '[3,-1,-1]' },
        { args: ['[1,2]', 9], gives: '[null,null]' },
      ],
    },
    (raw, rest) => {
      const fill = rest[1] === undefined ? sql`'null'` : elementOf(rest[1])
      // No array is this long; the engine refuses to shift by the lowest number.
      const count = sql`greatest(least(${whole(rest[0], 0)}, 2000000000), -2000000000)`
      return sql`${print}(${raw}, ${count}, ${fill})`
    },
  )
}

const indexOf = record(
  {
    id: 'array.index_of',
    says: 'The position of a value, -1 where it is not: from a start, within a length, of an occurrence.',
    takes: [
      ARRAY,
      { name: 'value', type: 'any' },
      { name: 'start', type: 'int', optional: true },
      { name: 'length', type: 'int', optional: true },
      { name: 'occurrence', type: 'int', optional: true },
    ],
    spelled: ['array_index_of'],
    examples: [
      { args: ['["a","b","a"]', 'a'], gives: 0 },
      { args: ['["a","b"]', 'c'], gives: -1 },
      { args: ['["a","b","a"]', 'a', 1], gives: 2 },
      { args: ['["a","b","a"]', 'a', -1, 1], gives: 2 },
      { args: ['["a","b","a"]', 'a', 1, 1], gives: -1 },
      { args: ['["a","b","a"]', 'a', 0, -1, 2], gives: 2 },
    ],
  },
  'int',
  (args) => {
    const first = arg(args, 0)
    const value = sql`ifNull(${rawOf(arg(args, 1))}, 'null')`
    const [, , start, size, occurrence] = args
    if (start === undefined) {
      return onlyIf(first, '[', sql`toInt64(indexOf(${elements(first)}, ${value})) - 1`)
    }
    const found = named(elements(first), list, (all) => {
      const from = sql`greatest(${fromStart(whole(start, 0))}, 0)`
      const count = whole(size, -1)
      const part = sql`arraySlice(${all}, ${from} + 1, if(${count} < 0, toInt64(length(${all})), ${count}))`
      const places = sql`arrayFilter((n, x) -> x = ${other}, arrayEnumerate(${part}), ${part})`
      const at = sql`toInt64(${named(value, other, () => sql`${places}[${whole(occurrence, 1)}]`)})`
      return sql`if(${at} = 0, -1, ${at} + ${from} - 1)`
    })
    return onlyIf(first, '[', sql`toInt64(${found})`)
  },
)

/** True, false or NULL of a raw element that serves as a condition. */
const CONDITION = sql`multiIf(${other} = 'true', true, ${other} = 'false', false, toFloat64OrNull(${other}) != 0)`

const choose = record(
  {
    id: 'array.choose',
    says: 'Element by element, one of two values, as the element of a first array says.',
    takes: [
      { name: 'conditions', type: 'dynamic' },
      { name: 'then', type: 'any' },
      { name: 'otherwise', type: 'any' },
    ],
    spelled: ['array_iff', 'array_iif'],
    examples: [
      { args: ['[true,false,true]', 'x', 'y'], gives: '["x","y","x"]' },
      { args: ['[1,0,50]', 1, 2], gives: '[1,2,1]' },
      { args: ['["some",null]', 1, 0], gives: '[null,null]' },
      { args: [null, 1, 0], gives: null },
    ],
  },
  'dynamic',
  (args) => {
    const first = arg(args, 0)
    const { c, g } = VARIABLES
    const from = (value: SqlArg, variable: Sql): Sql =>
      value.type === 'dynamic'
        ? sql`if(startsWith(${variable}, '['), JSONExtractArrayRaw(${variable})[\`^n\`], ${variable})`
        : variable
    const chosen = sql`multiIf(isNull(${CONDITION}), 'null', assumeNotNull(${CONDITION}), ${from(arg(args, 1), c)}, ${from(arg(args, 2), g)})`
    const raw = sql`arrayMap((${other}, \`^n\`) -> if(${chosen} = '', 'null', ${chosen}), ${list}, arrayEnumerate(${list}))`
    const then = elementOf(arg(args, 1))
    const otherwise = elementOf(arg(args, 2))
    const all = named(elements(first), list, () =>
      named(then, c, () => named(otherwise, g, () => raw)),
    )
    return onlyIf(first, '[', arrayJson(all))
  },
)

const total = record(
  {
    id: 'array.sum',
    says: 'Sum of the elements; missing when one is neither a number nor null.',
    spelled: ['array_sum'],
    examples: [
      { args: ['[1,null,2.5]'], gives: 3.5 },
      { args: ['[]'], gives: 0 },
      { args: ['[1,"a"]'], gives: null },
      { args: [null], gives: null },
    ],
  },
  'float',
  (args) => {
    const first = arg(args, 0)
    const numbers = named(elements(first), list, (all) => {
      const odd = sql`arrayExists(x -> x != 'null' AND isNull(toFloat64OrNull(x)), ${all})`
      return sql`if(${odd}, NULL, arraySum(x -> toFloat64OrZero(x), ${all}))`
    })
    return onlyIf(first, '[', sql`toFloat64(${numbers})`)
  },
)

/** What raw elements are put in order by: numbers before texts. */
const SORT_KEY = sql`startsWith(x, '"'), toFloat64OrZero(x), if(startsWith(x, '"'), JSONExtractString(x), x)`

/** Elements of a sorting array in order, or others in the order of theirs. */
function sorted(direction: 'asc' | 'desc', nullsLast: Sql, sources: readonly Sql[]): Sql {
  const isDown = direction === 'desc'
  const nulls = isDown ? sql`(x = 'null') != ${nullsLast}` : sql`(x = 'null') = ${nullsLast}`
  const print = isDown ? sql`arrayReverseSort` : sql`arraySort`
  const names = sources.length === 1 ? sql`x` : sql`(y, x)`
  return sql`${print}(${names} -> (${nulls}, ${SORT_KEY}), ${joined(sources, ', ')})`
}

function nullsLastOf(last: SqlArg | undefined): Sql {
  return last?.type === 'bool' && last.value === false ? sql`false` : sql`true`
}

function sort(direction: 'asc' | 'desc'): readonly FunctionRecord[] {
  const way = direction === 'asc' ? 'From the least up' : 'From the greatest down'
  return [
    record(
      {
        id: `array.sort_${direction}`,
        says: `${way}, numbers apart from texts; nulls stand last, or first where a last argument is false.`,
        takes: [ARRAY, { name: 'other', type: 'any', many: true }],
        spelled: [`array_sort_${direction}`],
        several: `array.sort_${direction}_list`,
        examples: [
          {
            args: ['["b",null,10,9,"a b","a"]'],
            gives: direction === 'asc' ? '[9,10,"a","a b","b",null]' : '["b","a b","a",10,9,null]',
          },
        ],
      },
      'dynamic',
      (args) => {
        const first = arg(args, 0)
        return onlyIf(
          first,
          '[',
          arrayJson(sorted(direction, nullsLastOf(args.at(-1)), [elements(first)])),
        )
      },
    ),
    {
      id: `array.sort_${direction}_list`,
      says: 'An array sorted, and others in the order that it is sorted in, in one array.',
      takes: [ARRAY, { name: 'other', type: 'any', many: true }],
      gives: 'dynamic',
      onNull: 'own',
      sql: ([first = arg([], 0), ...rest]) => {
        const last = nullsLastOf(rest.at(-1))
        const others = rest.flatMap((each) => (each.type === 'dynamic' ? [each] : []))
        const along = others.map((each) => {
          const padded = sql`arrayResize(${elements(each)}, length(${list}), 'null')`
          return arrayJson(
            named(elements(first), list, (all) => sorted(direction, last, [padded, all])),
          )
        })
        const own = arrayJson(sorted(direction, last, [elements(first)]))
        return onlyIf(first, '[', arrayJson(sql`[${joined([own, ...along], ', ')}]`))
      },
      examples: [
        {
          args: ['[2,1]'],
          gives: direction === 'asc' ? '[[1,2]]' : '[[2,1]]',
        },
      ],
    },
  ]
}

const texts = record(
  {
    id: 'array.strcat',
    says: 'The elements as text, with a text between them; a null is empty.',
    takes: [ARRAY, { name: 'between', type: 'text' }],
    spelled: ['strcat_array', 'array_strcat'],
    examples: [
      { args: ['["a",null,1,true]', '|'], gives: 'a||1|true' },
      { args: ['[]', ','], gives: '' },
      { args: [null, ','], gives: '' },
    ],
  },
  'text',
  (args) => {
    const texts = sql`arrayMap(x -> multiIf(x = 'null', '', startsWith(x, '"'), JSONExtractString(x), x), ${elements(arg(args, 0))})`
    const between = arg(args, 1)
    // The engine wants the text between to be a constant.
    return typeof between.value === 'string'
      ? sql`arrayStringConcat(${texts}, ${between.sql})`
      : sql`arrayStringConcat(arrayMap((${list}, ${other}) -> if(${other} = 1, ${list}, concat(${between.sql}, ${list})), ${texts}, arrayEnumerate(${texts})))`
  },
)

const strcat: FunctionRecord = {
  ...texts,
  fold: ([list, between]) => {
    const all = constantElements(list)
    // A number's text is the engine's to tell.
    const isPlain = all?.every((each) => each === null || typeof each === 'string')
    if (isPlain !== true || typeof between !== 'string') return undefined
    return all?.map((each) => each ?? '').join(between)
  },
}

const repeat = record(
  {
    id: 'array.repeat',
    says: 'An array of one value, a number of times.',
    takes: [
      { name: 'value', type: 'any' },
      { name: 'count', type: 'int' },
    ],
    spelled: ['repeat'],
    examples: [
      { args: ['a', 2], gives: '["a","a"]' },
      { args: [1, 0], gives: '[]' },
      { args: [1, -1], gives: null },
    ],
  },
  'dynamic',
  (args) => {
    const count = whole(arg(args, 1), -1)
    const fits = sql`intDiv(${literal(MOST_BYTES)}, length(${list}) + 1)`
    const times = sql`arrayWithConstant(toUInt64(least(greatest(${count}, 0), ${literal(MOST)}, ${fits})), ${list})`
    return sql`if(${count} < 0, NULL, ${named(elementOf(arg(args, 0)), list, () => arrayJson(times))})`
  },
)

/** Ticks of an hour, the step between instants and between lengths of time when none is said. */
const HOUR = 36_000_000_000

/** Values as whole numbers to count with, and back. */
function counted(value: SqlArg): Sql {
  if (value.type === 'time') return ticksOf(value.sql)
  return value.type === 'dynamic' || value.type === 'text'
    ? sql`toFloat64OrNull(${value.sql})`
    : value.sql
}

const range = record(
  {
    id: 'array.range',
    says: 'An array of the values from one bound to another, both included, a step apart; at most 1,048,576.',
    takes: [
      { name: 'from', type: 'any' },
      { name: 'to', type: 'any' },
      { name: 'step', type: 'any', optional: true },
    ],
    spelled: ['range'],
    examples: [
      { args: [1, 8, 3], gives: '[1,4,7]' },
      { args: [3, 1, -1], gives: '[3,2,1]' },
      { args: [3, 1], gives: '[]' },
      { args: [1, 2, 0], gives: '[]' },
      { args: [null, 2], gives: null },
    ],
  },
  'dynamic',
  (args) => {
    const from = arg(args, 0)
    const to = arg(args, 1)
    const step = args[2]
    const isOf = (type: SqlArg['type']): boolean => from.type === type || to.type === type
    const type = isOf('time') ? 'time' : isOf('span') ? 'span' : args.some(isReal) ? 'float' : 'int'
    const by =
      step === undefined
        ? sql`${literal(type === 'time' || type === 'span' ? HOUR : 1)}`
        : counted(step)
    const wide = type === 'float' ? sql`toFloat64` : sql`toInt128`
    const [start, end, pace] = [counted(from), counted(to), by].map((each) => sql`${wide}(${each})`)
    const steps =
      type === 'float'
        ? sql`floor((${other}.2 - ${other}.1) / ${other}.3 + 1e-9)`
        : sql`intDivOrZero(${other}.2 - ${other}.1, ${other}.3)`
    // The far bound lies in the direction of the step, or there is nothing.
    const goes = sql`${other}.3 != 0 AND (${other}.2 - ${other}.1) * sign(${other}.3) >= 0`
    const size = sql`toUInt64(if(${goes}, least(${steps} + 1, ${literal(MOST)}), 0))`
    const at = sql`${other}.1 + ${list} * ${other}.3`
    const value =
      type === 'float' ? at : type === 'time' ? instant(sql`toInt64(${at})`) : sql`toInt64(${at})`
    const whole = sql`arrayMap(${list} -> ${elementOf({ sql: value, type })}, range(${size}))`
    const there = sql`(assumeNotNull(${start ?? other}), assumeNotNull(${end ?? other}), assumeNotNull(${pace ?? other}))`
    const isMissing = [from, to, ...(step === undefined ? [] : [step])].map(
      (each) => sql`isNull(${counted(each)})`,
    )
    return sql`if(${joined(isMissing, ' OR ')}, NULL, ${arrayJson(named(there, other, () => whole))})`
  },
)

function isReal({ type }: SqlArg): boolean {
  return type === 'float' || type === 'decimal' || type === 'dynamic'
}

const zip = record(
  {
    id: 'array.zip',
    says: 'An array of arrays: of the first elements, of the second ones, and so on, as long as the longest.',
    takes: [{ ...ARRAY, many: true }],
    spelled: ['zip'],
    examples: [
      { args: ['[1,3]', '[2,"x",5]'], gives: '[[1,2],[3,"x"],[null,5]]' },
      { args: ['[]', '[]'], gives: '[]' },
    ],
  },
  'dynamic',
  (args) => {
    const lists = sql`[${joined(
      args.map((each) => elements(each)),
      ', ',
    )}]`
    const row = sql`concat('[', arrayStringConcat(arrayMap(x -> if(n > length(x), 'null', x[n]), ${list}), ','), ']')`
    const rows = sql`arrayMap(n -> ${row}, range(toUInt64(1), 1 + toUInt64(arrayMax(x -> length(x), ${list}))))`
    return named(lists, list, () => arrayJson(rows))
  },
)

export const arrayFunctions: readonly FunctionRecord[] = [
  length,
  concat,
  reverse,
  slice,
  split,
  rotate('left'),
  rotate('right'),
  shift('left'),
  shift('right'),
  indexOf,
  choose,
  total,
  ...sort('asc'),
  ...sort('desc'),
  strcat,
  repeat,
  range,
  zip,
]
