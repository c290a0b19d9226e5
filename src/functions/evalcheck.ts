/**
 * Tests and conversions of SPL's eval. A field whose text is written as a number counts as a number; a text in quotes
 * does not.
 * https://help.splunk.com/en/splunk-enterprise/search/spl-search-reference/9.4/evaluation-functions/informational-functions
 */
import { isList } from '../ir/types.ts'
import {
  any,
  ELEMENT,
  evalFunction,
  isMissing,
  isNumber,
  LIST,
  NO_BOOL,
  NO_NUMBER,
  number,
  numberIn,
  numberOf,
  onlyOf,
  text,
  textOf,
  type Value,
} from './evalvalue.ts'
import { named, once, VARIABLES } from './once.ts'
import { among, arg, constText, type Example, type FunctionRecord } from './record.ts'
import { literal, type Sql, type SqlArg, sql } from './sql.ts'

/** True where the value is missing; never missing itself. */
function missing(value: Value): Sql {
  if (isMissing(value)) return sql`true`
  return isList(value.type) ? sql`empty(${value.sql})` : sql`isNull(${value.sql})`
}

function check(
  name: string,
  says: string,
  print: (value: Value) => Sql,
  examples: readonly Example[],
): FunctionRecord {
  return evalFunction(`eval.${name}`, [name], {
    says,
    takes: [any('value')],
    gives: 'bool',
    sql: (args) => print(arg(args, 0)),
    examples,
  })
}

/** The number that a value is, as `isnum` sees it; a text in quotes is none. */
function numeric(value: Value): Sql {
  return typeof value.value === 'string' || value.type === 'bool' ? NO_NUMBER : numberOf(value)
}

const isWhole = (value: Value): Sql =>
  once(numeric(value), VARIABLES.a, (v) => sql`ifNull(floor(${v}) = ${v}, false)`)

function isText(value: Value): Sql {
  if (isMissing(value) || isNumber(value) || value.type === 'bool') return sql`false`
  if (typeof value.value === 'string') return sql`true`
  return once(textOf(value), VARIABLES.a, (v) => sql`(isNotNull(${v}) AND isNull(${numberIn(v)}))`)
}

function typeName(value: Value): Sql {
  if (isMissing(value)) return sql`'Invalid'`
  if (isNumber(value)) return sql`if(isNull(${value.sql}), 'Invalid', 'Number')`
  if (value.type === 'bool') return sql`if(isNull(${value.sql}), 'Invalid', 'Boolean')`
  if (typeof value.value === 'string') return sql`'String'`
  if (isList(value.type)) {
    return named(
      value.sql,
      VARIABLES.c,
      (v) => sql`if(length(${v}) > 1, 'Multivalue', ${typeName({ sql: onlyOf(v), type: 'text' })})`,
    )
  }
  return once(
    value.sql,
    VARIABLES.a,
    (v) => sql`multiIf(isNull(${v}), 'Invalid', isNull(${numberIn(v)}), 'String', 'Number')`,
  )
}

/** The network and the length of its prefix, where a text in quotes is written as a network. */
function networkOf(written: string): { readonly net: string; readonly six: boolean } | undefined {
  const [address = '', length = '', more] = written.trim().split('/')
  const six = address.includes(':')
  if (more !== undefined || !/^\d{1,3}$/.test(length) || Number(length) > (six ? 128 : 32)) {
    return undefined
  }
  const isAddress = six
    ? /^[0-9a-fA-F:]{2,39}$/.test(address) && (address.match(/:/g) ?? []).length >= 2
    : /^(?:\d{1,3}\.){3}\d{1,3}$/.test(address) && address.split('.').every((n) => Number(n) < 256)
  return isAddress ? { net: `${address}/${Number(length)}`, six } : undefined
}

function inNetwork(address: Sql, written: string): Sql {
  const network = networkOf(written)
  if (network === undefined) return NO_BOOL
  const [is, safe] = network.six
    ? [sql`isIPv6String`, sql`'::'`]
    : [sql`isIPv4String`, sql`'0.0.0.0'`]
  return once(address, VARIABLES.a, (v) => {
    // The address is replaced, not the call left out: the engine may compute what an "and" does not need.
    const inside = sql`isIPAddressInRange(if(${is}(ifNull(${v}, '')), ifNull(${v}, ''), ${safe}), ${literal(network.net)})`
    return sql`if(isNull(${v}), NULL, ${is}(ifNull(${v}, '')) AND ${inside})`
  })
}

/** A network that is no constant: addresses of four bytes, whose bits are compared. */
function inComputed(address: Sql, network: Sql): Sql {
  const [a, n] = [VARIABLES.a, VARIABLES.b]
  const number = (value: Sql): Sql => sql`toUInt32(assumeNotNull(toIPv4OrNull(${value})))`
  const parts = sql`splitByChar('/', ifNull(${n}, ''))`
  const bits = sql`toUInt8OrNull(${parts}[2])`
  const mask = sql`toUInt32(bitAnd(bitShiftLeft(toUInt64(4294967295), 32 - ifNull(${bits}, 0)), 4294967295))`
  const isFine = sql`(isIPv4String(${parts}[1]) AND ifNull(${bits} <= 32, false) AND length(${parts}) = 2)`
  const four = sql`isIPv4String(ifNull(${a}, ''))`
  const same = sql`bitAnd(${number(sql`if(${four}, ifNull(${a}, ''), '0.0.0.0')`)}, ${mask}) = bitAnd(${number(sql`if(isIPv4String(${parts}[1]), ${parts}[1], '0.0.0.0')`)}, ${mask})`
  return sql`arrayMap((${a}, ${n}) -> if(isNull(${a}) OR NOT ${isFine}, NULL, ${four} AND ${same}), [${address}], [${network}])[1]`
}

const cidrMatch = evalFunction('eval.cidrmatch', ['cidrmatch'], {
  says: 'True when the address lies in the network; missing where the network is none.',
  takes: [text('network'), text('address')],
  gives: 'bool',
  sql: (args) => {
    const [network, address] = [arg(args, 0), textOf(arg(args, 1))]
    return typeof network.value === 'string'
      ? inNetwork(address, network.value)
      : inComputed(address, textOf(network))
  },
  examples: [
    { args: ['10.0.0.0/8', '10.1.2.3'], gives: true },
    { args: ['10.0.0.0/8', '11.1.2.3'], gives: false },
    { args: ['192.168.1.7/24', '192.168.1.200'], gives: true },
    { args: ['0.0.0.0/0', '8.8.8.8'], gives: true },
    { args: ['10.0.0.0/8', 'host'], gives: false },
    { args: ['10.0.0.0/8', null], gives: null },
    { args: ['nothing', '10.1.2.3'], gives: null },
    { args: ['10.0.0.0/33', '10.1.2.3'], gives: null },
  ],
})

/** The pattern of `like` as the engine has it; a backslash is itself. */
function likePattern(pattern: SqlArg): Sql {
  if (typeof pattern.value === 'string') {
    return sql`${literal(pattern.value.replaceAll('\\', '\\\\'))}`
  }
  return sql`replaceAll(${textOf(pattern)}, '\\\\', '\\\\\\\\')`
}

const like = evalFunction('eval.like', ['like'], {
  says: 'True when the whole text is like the pattern: % is any run of characters, _ one.',
  takes: [text('text'), text('pattern')],
  gives: 'bool',
  sql: (args) => sql`(${textOf(arg(args, 0))} LIKE ${likePattern(arg(args, 1))})`,
  examples: [
    { args: ['cat', 'c_t'], gives: true },
    { args: ['cat', 'C%'], gives: false },
    { args: ['a\\b', '%\\%'], gives: true },
    { args: ['concat', 'cat'], gives: false },
    { args: ['a\nb', 'a%b'], gives: true },
    { args: [null, '%'], gives: null },
  ],
})

/**
 * Patterns that RE2 surely reads and Splunk reads the same way: characters, sets by letter, and single repeats. A
 * pattern out of a field that is not of this kind gives no answer, since the engine would end the query at a bad one.
 */
const PLAIN_PATTERN =
  '\\A(?:[|^$]|(?:[^\\\\.\\[\\](){}*+?|^$]|\\.|\\\\[^A-Za-z0-9\\x00-\\x1f\\x{80}-\\x{10FFFF}]|\\\\[dDwWsSbB])(?:[*+?]\\??)?)*\\z'

/** True for a pattern out of a field that is surely read. */
function isPlain(pattern: Sql): Sql {
  return sql`ifNull(length(${pattern}) <= 1000 AND match(${pattern}, ${literal(PLAIN_PATTERN)}), false)`
}

/** What a pattern out of a field gives; NULL where the pattern is not plain. */
export function withPlain(pattern: SqlArg, result: (pattern: Sql) => Sql): Sql {
  return once(textOf(pattern), VARIABLES.b, (p) => {
    const safe = sql`if(${isPlain(p)}, concat('(?-s)', ifNull(${p}, '')), 'x')`
    return sql`if(${isPlain(p)}, ${result(safe)}, NULL)`
  })
}

/** True when a pattern (RE2, already checked, or out of a field) is found in the text. */
export function found(value: Sql, pattern: SqlArg): Sql {
  if (typeof pattern.value === 'string') return sql`match(${value}, ${literal(pattern.value)})`
  return withPlain(pattern, (safe) => sql`match(${value}, ${safe})`)
}

const match = evalFunction('eval.match', ['match'], {
  says: 'True when the pattern (RE2, already checked) is found in the text; out of a field only a plain pattern is.',
  takes: [text('text'), text('pattern')],
  gives: 'bool',
  sql: (args) => found(textOf(arg(args, 0)), arg(args, 1)),
  examples: [
    { args: ['abc123', 'c\\d'], gives: true },
    { args: ['ABC', 'abc'], gives: false },
    { args: ['a.b', '^a\\.b$'], gives: true },
    { args: ['', '^$'], gives: true },
    { args: [null, 'a'], gives: null },
    { args: ['abc', null], gives: null },
  ],
})

const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyz'

function baseOf(value: unknown): string | undefined {
  const isBase = typeof value === 'number' && Number.isInteger(value) && value >= 2 && value <= 36
  return isBase ? undefined : 'it must be a whole number from 2 to 36'
}

/** Written in a base from 2 to 36, without a sign; `0x` may stand before hexadecimal digits. */
function inBase(value: Sql, base: number): Sql {
  const digits = DIGITS.slice(0, base)
  const pattern = `\\A${base === 16 ? '(?:0x)?' : ''}[${digits}]{1,200}\\z`
  return named(sql`lower(trimBoth(${value}))`, VARIABLES.a, (v) => {
    const plain =
      base === 16 ? sql`replaceRegexpOne(ifNull(${v}, ''), '\\A0x', '')` : sql`ifNull(${v}, '')`
    const codes = sql`arrayMap(${ELEMENT} -> toFloat64(position(${literal(digits)}, ${ELEMENT}) - 1), splitByString('', ${plain}))`
    const folded = sql`arrayFold((${VARIABLES.b}, ${ELEMENT}) -> ${VARIABLES.b} * ${literal(base)} + ${ELEMENT}, ${codes}, toFloat64(0))`
    return sql`if(match(${v}, ${literal(pattern)}), ${folded}, NULL)`
  })
}

const toNumber = evalFunction('eval.tonumber', ['tonumber'], {
  says: 'The number that a text is written as, in a base; missing for another text.',
  takes: [any('value'), number('base', { constant: true, optional: true, wrong: baseOf })],
  gives: 'float',
  sql: (args) => {
    const [value, base] = [arg(args, 0), args[1]]
    if (base === undefined || base.value === 10) return numberOf(value)
    return inBase(textOf(value), Number(base.value))
  },
  examples: [
    { args: ['15'], gives: 15 },
    { args: [' -1.5 '], gives: -1.5 },
    { args: ['0A4', 16], gives: 164 },
    { args: ['0xff', 16], gives: 255 },
    { args: ['102', 2], gives: null },
    { args: ['abc'], gives: null },
    { args: [''], gives: null },
    { args: [null, 16], gives: null },
  ],
})

/** Groups of three digits, and two decimal places unless the number is whole. */
function withCommas(v: Sql): Sql {
  const cents = sql`toInt64(floor(clamp(abs(${v}), 0, 9e15) * 100 * (1 + 4e-16) + 0.5))`
  const grouped = sql`reverse(trimRight(replaceRegexpAll(reverse(toString(intDiv(${cents}, 100))), '(\\d{3})', '\\1,'), ','))`
  const rest = sql`if(floor(${v}) = ${v}, '', concat('.', leftPad(toString(${cents} % 100), 2, '0')))`
  return sql`concat(if(${v} < 0, '-', ''), ${grouped}, ${rest})`
}

/** Days where there are some, then hours, minutes and seconds, and microseconds where the number is not whole. */
function asDuration(v: Sql): Sql {
  const seconds = sql`toInt64(floor(clamp(abs(${v}), 0, 9e15)))`
  const two = (part: Sql): Sql => sql`leftPad(toString(${part}), 2, '0')`
  const days = sql`if(${seconds} < 86400, '', concat(toString(intDiv(${seconds}, 86400)), '+'))`
  const clock = sql`${two(sql`intDiv(${seconds}, 3600) % 24`)}, ':', ${two(sql`intDiv(${seconds}, 60) % 60`)}, ':', ${two(sql`${seconds} % 60`)}`
  const micros = sql`leftPad(toString(toInt64(floor((abs(${v}) - floor(abs(${v}))) * 1000000))), 6, '0')`
  return sql`concat(if(${v} < 0, '-', ''), ${days}, ${clock}, if(floor(${v}) = ${v}, '', concat('.', ${micros})))`
}

const FORMATS: Readonly<Record<string, (value: Sql) => Sql>> = {
  hex: (v) =>
    sql`concat(if(${v} < 0, '-', ''), '0x', printf('%X', toInt64(clamp(abs(${v}), 0, 9e15))))`,
  binary: (v) =>
    sql`concat(if(${v} < 0, '-', ''), replaceRegexpOne(bin(toInt64(clamp(abs(${v}), 0, 9e15))), '^0+(.)', '\\1'))`,
  commas: withCommas,
  duration: asDuration,
}

const toText = evalFunction('eval.tostring', ['tostring'], {
  says: 'The value as a text; a number in hexadecimal or binary digits, with commas, or as a length of time.',
  takes: [
    any('value'),
    text('format', { constant: true, optional: true, wrong: among(Object.keys(FORMATS)) }),
  ],
  gives: 'text',
  sql: (args) => {
    const value = arg(args, 0)
    if (args[1] === undefined) return textOf(value)
    const print = FORMATS[constText(args, 1).toLowerCase()]
    if (print === undefined || value.type === 'bool') return textOf(value)
    return named(numberOf(value), VARIABLES.a, print)
  },
  examples: [
    { args: [615, 'duration'], as: ['int', 'text'], gives: '00:10:15' },
    { args: [90061.5, 'duration'], as: ['float', 'text'], gives: '1+01:01:01.500000' },
    { args: [12345.6789, 'commas'], as: ['float', 'text'], gives: '12,345.68' },
    { args: [-1234567, 'commas'], as: ['int', 'text'], gives: '-1,234,567' },
    { args: [12, 'commas'], as: ['int', 'text'], gives: '12' },
    { args: [15, 'hex'], as: ['int', 'text'], gives: '0xF' },
    { args: [9, 'binary'], as: ['int', 'text'], gives: '1001' },
    { args: [0, 'binary'], as: ['int', 'text'], gives: '0' },
    { args: ['1000', 'commas'], gives: '1,000' },
    { args: ['x', 'commas'], gives: null },
    { args: [true], gives: 'True' },
    { args: [1.5], as: ['float'], gives: '1.5' },
    { args: [null], as: ['text'], gives: null },
  ],
})

/** The four bytes of a mask. */
function octetsOf(mask: unknown): readonly number[] | undefined {
  if (typeof mask !== 'string') return undefined
  const parts = mask.split('.')
  const isMask =
    parts.length === 4 && parts.every((each) => /^\d{1,3}$/.test(each) && Number(each) < 256)
  return isMask ? parts.map(Number) : undefined
}

const ipMask = evalFunction('eval.ipmask', ['ipmask'], {
  says: 'The address of four bytes with only the bits that the mask has; missing for another text.',
  takes: [
    text('mask', {
      constant: true,
      wrong: (value) =>
        octetsOf(value) === undefined ? 'it must be a mask such as 255.255.0.0' : undefined,
    }),
    text('address'),
  ],
  gives: 'text',
  sql: (args) => {
    const [a = 0, b = 0, c = 0, d = 0] = octetsOf(constText(args, 0)) ?? []
    const mask = ((a * 256 + b) * 256 + c) * 256 + d
    return once(
      textOf(arg(args, 1)),
      VARIABLES.a,
      (v) =>
        sql`if(isIPv4String(ifNull(${v}, '')), IPv4NumToString(toUInt32(bitAnd(toUInt32(ifNull(toIPv4OrNull(${v}), toIPv4('0.0.0.0'))), toUInt32(${literal(mask)})))), NULL)`,
    )
  },
  examples: [
    { args: ['255.255.255.0', '10.20.30.40'], gives: '10.20.30.0' },
    { args: ['0.255.0.255', '10.20.30.40'], gives: '0.20.0.40' },
    { args: ['255.0.0.0', 'host'], gives: null },
    { args: ['255.0.0.0', null], gives: null },
  ],
})

export const evalCheckFunctions: readonly FunctionRecord[] = [
  check('isnull', 'True when the value is missing.', missing, [
    { args: [null], as: ['text'], gives: true },
    { args: [''], gives: false },
    { args: [[]], as: [LIST], gives: true },
    { args: [0], gives: false },
  ]),
  check('isnotnull', 'True when the value is there.', (value) => sql`(NOT ${missing(value)})`, [
    { args: [null], as: ['text'], gives: false },
    { args: [''], gives: true },
    { args: [['a', 'b']], gives: true },
  ]),
  check('isnum', 'True for a number.', (value) => sql`isNotNull(${numeric(value)})`, [
    { args: [1.5], as: ['float'], gives: true },
    { args: ['x'], gives: false },
    { args: [null], as: ['text'], gives: false },
  ]),
  check('isint', 'True for a whole number.', isWhole, [
    { args: [2], gives: true },
    { args: [2.5], as: ['float'], gives: false },
    { args: ['x'], gives: false },
    { args: [null], as: ['float'], gives: false },
  ]),
  check(
    'isdouble',
    'True for a number that is not whole.',
    (value) => once(numeric(value), VARIABLES.a, (v) => sql`ifNull(floor(${v}) != ${v}, false)`),
    [
      { args: [2], gives: false },
      { args: [2.5], as: ['float'], gives: true },
    ],
  ),
  check('isstr', 'True for a text that is not written as a number.', isText, [
    { args: ['x'], gives: true },
    { args: [1], gives: false },
    { args: [null], as: ['text'], gives: false },
  ]),
  check('isbool', 'True for a test.', ({ type }) => (type === 'bool' ? sql`true` : sql`false`), [
    { args: [true], gives: true },
    { args: [1], gives: false },
  ]),
  check(
    'ismv',
    'True for several values.',
    (value) => (isList(value.type) ? sql`(length(${value.sql}) > 1)` : sql`false`),
    [
      { args: [['a', 'b']], gives: true },
      { args: ['a'], gives: false },
    ],
  ),
  evalFunction('eval.typeof', ['typeof'], {
    says: 'Number, String, Boolean, Multivalue, or Invalid for a missing value.',
    takes: [any('value')],
    gives: 'text',
    sql: (args) => typeName(arg(args, 0)),
    examples: [
      { args: [12], gives: 'Number' },
      { args: ['x'], gives: 'String' },
      { args: [true], gives: 'Boolean' },
      { args: [null], as: ['text'], gives: 'Invalid' },
      { args: [['a', 'b']], gives: 'Multivalue' },
    ],
  }),
  cidrMatch,
  like,
  match,
  toNumber,
  toText,
  ipMask,
]
