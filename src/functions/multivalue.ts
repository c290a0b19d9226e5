/**
 * Functions of SPL's eval for fields with several values: lists of texts, of which an empty one is a missing field. A
 * single value counts as a list of one.
 * https://help.splunk.com/en/splunk-enterprise/search/spl-search-reference/9.4/evaluation-functions/multivalue-eval-functions
 */
import { found } from './evalcheck.ts'
import {
  any,
  ELEMENT,
  evalFunction,
  isMissing,
  LIST,
  list,
  listOf,
  NO_LIST,
  number,
  numberOf,
  PLACE,
  text,
  textOf,
} from './evalvalue.ts'
import { named, once, VARIABLES } from './once.ts'
import { arg, type Example, type FunctionRecord } from './record.ts'
import { joined, literal, type Sql, type SqlArg, sql } from './sql.ts'

function ofList(
  name: string,
  says: string,
  print: (list: Sql) => Sql,
  examples: readonly Example[],
): FunctionRecord {
  return evalFunction(`mv.${name.slice(2)}`, [name], {
    says,
    takes: [list('values')],
    gives: LIST,
    sql: (args) => print(listOf(arg(args, 0))),
    examples,
  })
}

/** A place as a whole number; NULL for no number. */
const placeOf = (value: SqlArg): Sql => sql`toInt64(floor(clamp(${numberOf(value)}, -1e9, 1e9)))`

/** The place in the engine's counting, which starts at 1 and knows places from the end too. */
function at(values: Sql, place: SqlArg): Sql {
  if (typeof place.value === 'number') {
    const index = Math.floor(place.value)
    const inside = literal(index >= 0 ? index + 1 : -index)
    return once(
      values,
      VARIABLES.a,
      (v) =>
        sql`if(length(${v}) >= ${inside}, ${v}[${literal(index >= 0 ? index + 1 : index)}], NULL)`,
    )
  }
  const [v, p] = [VARIABLES.a, VARIABLES.b]
  const inside = sql`(${p} >= 0 AND ${p} < length(${v})) OR (${p} < 0 AND -${p} <= length(${v}))`
  const one = sql`if(ifNull(${inside}, false), ${v}[if(${p} >= 0, ifNull(${p}, 0) + 1, ifNull(${p}, 0))], NULL)`
  return sql`arrayMap((${v}, ${p}) -> ${one}, [${values}], [${placeOf(place)}])[1]`
}

/** The values from one place to another, both included; what lies outside of the list is not there. */
function between(values: Sql, first: SqlArg, last: SqlArg): Sql {
  const [v, p, q] = [VARIABLES.a, VARIABLES.b, VARIABLES.c]
  const size = sql`toInt64(length(${v}))`
  const from = sql`if(${p} < 0, greatest(${size} + ${p}, 0), ${p})`
  const to = sql`least(if(${q} < 0, ${size} + ${q}, ${q}), ${size} - 1)`
  const count = sql`greatest(${to} - ${from} + 1, 0)`
  const cut = sql`arraySlice(${v}, ifNull(${from}, 0) + 1, ifNull(${count}, 0))`
  const whole = sql`if(isNull(${p}) OR isNull(${q}), ${NO_LIST}, ${cut})`
  return sql`arrayMap((${v}, ${p}, ${q}) -> ${whole}, [${values}], [${placeOf(first)}], [${placeOf(last)}])[1]`
}

const index = evalFunction('mv.index', ['mvindex'], {
  says: 'The value at a place, counted from 0, or from the end when it is negative; the values from one place to another.',
  takes: [list('values'), number('place'), number('last', { optional: true })],
  gives: 'text',
  givesFor: (types) => (types.length > 2 ? LIST : 'text'),
  sql: (args) => {
    const values = listOf(arg(args, 0))
    return args[2] === undefined ? at(values, arg(args, 1)) : between(values, arg(args, 1), args[2])
  },
  examples: [
    { args: [['a', 'b', 'c'], 0], gives: 'a' },
    { args: [['a', 'b', 'c'], -1], gives: 'c' },
    { args: [['a', 'b', 'c'], 3], gives: null },
    { args: [['a', 'b', 'c'], -4], gives: null },
    { args: [['a'], null], gives: null },
    { args: [['a', 'b', 'c'], 1, 2], givesType: LIST, gives: ['b', 'c'] },
    { args: [['a', 'b', 'c'], -2, -1], givesType: LIST, gives: ['b', 'c'] },
    { args: [['a', 'b', 'c'], 0, 9], givesType: LIST, gives: ['a', 'b', 'c'] },
    { args: [['a', 'b', 'c'], 2, 1], givesType: LIST, gives: [] },
    { args: [['a', 'b', 'c'], 0, null], givesType: LIST, gives: [] },
  ],
})

const find = evalFunction('mv.find', ['mvfind'], {
  says: 'The place, from 0, of the first value in which the pattern (RE2, already checked) is found.',
  takes: [list('values'), text('pattern')],
  gives: 'int',
  sql: (args) => {
    const test = found(ELEMENT, arg(args, 1))
    return sql`nullIf(toInt64(arrayFirstIndex(${ELEMENT} -> ifNull(${test}, false), ${listOf(arg(args, 0))})) - 1, -1)`
  },
  examples: [
    { args: [['abc', 'b', 'c'], '^b$'], gives: 1 },
    { args: [['abc', 'b'], 'z'], gives: null },
    { args: [[], 'z'], as: [LIST, 'text'], gives: null },
    { args: [['a'], null], gives: null },
  ],
})

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 }
const STEP = /^(\d{0,6})(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)$/

/** The step of a range as a number: a number, or a length of time in seconds. */
function stepOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value !== 'string') return undefined
  const [, count = '', unit = ''] = STEP.exec(value.trim()) ?? []
  if (unit === '') return /^-?\d+(?:\.\d+)?$/.test(value.trim()) ? Number(value) : undefined
  return (count === '' ? 1 : Number(count)) * (SECONDS[unit[0] ?? ''] ?? 1)
}

/** More values than this, and a range has none. */
const MOST_VALUES = 1_000_000

const range = evalFunction('mv.range', ['mvrange'], {
  says: 'The numbers from one bound to another, which is left out; of more than 1,000,000 none.',
  takes: [
    number('from'),
    number('to'),
    any('step', {
      constant: true,
      optional: true,
      wrong: (value) =>
        stepOf(value) === undefined
          ? 'it must be a number or a length of time such as 7d'
          : undefined,
    }),
  ],
  gives: LIST,
  sql: (args) => {
    const step = literal(args[2] === undefined ? 1 : (stepOf(args[2].value) ?? 1))
    const [a, b] = [VARIABLES.a, VARIABLES.b]
    const count = sql`ceil((${b} - ${a}) / nullIf(toFloat64(${step}), 0))`
    const size = sql`toUInt32(ifNull(if(${count} > 0 AND ${count} <= ${literal(MOST_VALUES)}, ${count}, 0), 0))`
    const each = sql`toString(ifNull(${a}, 0) + ${PLACE} * ${step})`
    return sql`arrayMap((${a}, ${b}) -> arrayMap(${PLACE} -> ${each}, range(${size})), [${numberOf(arg(args, 0))}], [${numberOf(arg(args, 1))}])[1]`
  },
  examples: [
    { args: [1, 11, 2], gives: ['1', '3', '5', '7', '9'] },
    { args: [3, 1, -1], gives: ['3', '2'] },
    { args: [1, 1], gives: [] },
    { args: [0, 172800, '1d'], as: ['int', 'int', 'text'], gives: ['0', '86400'] },
    { args: [null, 3], gives: [] },
    { args: [0, 1e12], gives: [] },
  ],
})

const zip = evalFunction('mv.zip', ['mvzip'], {
  says: 'The values of two lists side by side, with a text between; the shorter list tells how many.',
  takes: [list('left'), list('right'), text('between', { optional: true })],
  gives: LIST,
  sql: (args) => {
    const [a, b, c] = [VARIABLES.a, VARIABLES.b, VARIABLES.c]
    const between = args[2] === undefined ? sql`','` : textOf(args[2])
    const size = sql`least(length(${a}), length(${b}))`
    const pairs = sql`arrayMap(${PLACE} -> concat(${a}[${PLACE}], ifNull(${c}, ','), ${b}[${PLACE}]), arrayEnumerate(arrayResize(${a}, ${size})))`
    return sql`arrayMap((${a}, ${b}, ${c}) -> ${pairs}, [${listOf(arg(args, 0))}], [${listOf(arg(args, 1))}], [${between}])[1]`
  },
  examples: [
    {
      args: [
        ['a', 'b'],
        ['1', '2'],
      ],
      gives: ['a,1', 'b,2'],
    },
    { args: [['a', 'b'], ['1'], ' = '], gives: ['a = 1'] },
    { args: [['a', 'b'], []], as: [LIST, LIST], gives: [] },
  ],
})

/** The pieces of a text; the engine's own splitter takes constant separators only, and no text holds the byte FF. */
function piecesOf(value: Sql, separator: SqlArg): Sql {
  if (typeof separator.value === 'string') {
    return sql`splitByString(${separator.sql}, ${value})`
  }
  const by = sql`ifNull(${textOf(separator)}, '')`
  return sql`if(${by} = '', splitByString('', ${value}), splitByChar('\\xFF', replaceAll(${value}, ${by}, '\\xFF')))`
}

const split = evalFunction('mv.split', ['split'], {
  says: 'The pieces of a text between a separator; each character where the separator is empty.',
  takes: [text('text'), text('separator')],
  gives: LIST,
  sql: (args) => {
    const separator = arg(args, 1)
    const isThere = isMissing(separator) ? sql`false` : sql`isNotNull(${textOf(separator)})`
    return once(
      textOf(arg(args, 0)),
      VARIABLES.a,
      (v) =>
        sql`if(isNull(${v}) OR NOT ${isThere}, ${NO_LIST}, ${piecesOf(sql`ifNull(${v}, '')`, separator)})`,
    )
  },
  examples: [
    { args: ['a;b;;c', ';'], gives: ['a', 'b', '', 'c'] },
    { args: ['abc', ''], gives: ['a', 'b', 'c'] },
    { args: ['abc', ';'], gives: ['abc'] },
    { args: ['', ';'], gives: [''] },
    { args: [null, ';'], gives: [] },
    { args: ['a', null], gives: [] },
  ],
})

export const multivalueFunctions: readonly FunctionRecord[] = [
  evalFunction('mv.append', ['mvappend'], {
    says: 'All values of all arguments in one list.',
    takes: [any('value', { many: true })],
    gives: LIST,
    sql: (args) =>
      sql`arrayConcat(${joined(
        args.map((each) => listOf(each)),
        ', ',
      )})`,
    examples: [
      { args: ['a', ['b', 'c']], gives: ['a', 'b', 'c'] },
      { args: [1, 2.5], as: ['int', 'float'], gives: ['1', '2.5'] },
      { args: [null, 'a'], as: ['text', 'text'], gives: ['a'] },
      { args: [null], as: ['text'], gives: [] },
    ],
  }),
  evalFunction('mv.count', ['mvcount'], {
    says: 'Number of values; missing for a field that is missing.',
    takes: [list('values')],
    gives: 'int',
    sql: (args) => sql`nullIf(toInt64(length(${listOf(arg(args, 0))})), 0)`,
    examples: [
      { args: [['a', 'b']], gives: 2 },
      { args: [['']], gives: 1 },
      { args: [[]], as: [LIST], gives: null },
    ],
  }),
  ofList(
    'mvdedup',
    'The values without repetitions, each where it is first.',
    (v) => sql`arrayDistinct(${v})`,
    [
      { args: [['b', 'a', 'b']], gives: ['b', 'a'] },
      { args: [[]], as: [LIST], gives: [] },
    ],
  ),
  ofList('mvsort', 'The values in the order of their bytes.', (v) => sql`arraySort(${v})`, [
    { args: [['b', '10', '9', 'B']], gives: ['10', '9', 'B', 'b'] },
  ]),
  ofList('mvreverse', 'The values from the last to the first.', (v) => sql`arrayReverse(${v})`, [
    { args: [['a', 'b']], gives: ['b', 'a'] },
  ]),
  evalFunction('mv.join', ['mvjoin'], {
    says: 'The values as one text, with a text between.',
    takes: [list('values'), text('between')],
    gives: 'text',
    sql: (args) => {
      const between = textOf(arg(args, 1))
      return named(listOf(arg(args, 0)), VARIABLES.a, (v) => {
        // The engine joins by constants only; another text is put before each value, and cut off in front.
        const whole =
          typeof arg(args, 1).value === 'string'
            ? sql`arrayStringConcat(${v}, ${between})`
            : sql`substring(arrayStringConcat(arrayMap(${ELEMENT} -> concat(${between}, ${ELEMENT}), ${v})), length(${between}) + 1)`
        return sql`if(empty(${v}), NULL, ${whole})`
      })
    },
    examples: [
      { args: [['a', 'b'], ', '], gives: 'a, b' },
      { args: [['a'], ','], gives: 'a' },
      { args: [['', ''], '-'], gives: '-' },
      { args: [[], ','], as: [LIST, 'text'], gives: null },
    ],
  }),
  index,
  find,
  range,
  zip,
  split,
]
