/**
 * Conversions between types as Kusto makes them. What cannot be converted is NULL, and an empty text where a text is
 * wanted; no conversion throws in the engine.
 */
import type { BaseType } from '../ir/types.ts'
import { isList } from '../ir/types.ts'
import { instant, readInstant, readSpan, ticksOf, trimmed } from './calendar.ts'
import { jsonOf } from './json.ts'
import { named, once, repeated, VARIABLES } from './once.ts'
import { momentText, spanText } from './printed.ts'
import { arg, type Example, type FunctionRecord } from './record.ts'
import { type Sql, type SqlArg, sql } from './sql.ts'

/** Ticks from year 1 to 1970. */
const SINCE_YEAR_1 = sql`621355968000000000`
const VALUE = VARIABLES.a
const TEXT = VARIABLES.b

type Value = Pick<SqlArg, 'sql' | 'type'>

const nothing = (type: 'Bool' | 'Int32' | 'Int64' | 'Float64' | 'String'): Sql => {
  switch (type) {
    case 'Bool':
      return sql`CAST(NULL AS Nullable(Bool))`
    case 'Int32':
      return sql`CAST(NULL AS Nullable(Int32))`
    case 'Int64':
      return sql`CAST(NULL AS Nullable(Int64))`
    case 'Float64':
      return sql`CAST(NULL AS Nullable(Float64))`
    case 'String':
      return sql`CAST(NULL AS Nullable(String))`
  }
}

const noInstant = sql`CAST(NULL AS Nullable(DateTime64(7, 'UTC')))`
const noDecimal = sql`CAST(NULL AS Nullable(Decimal(76, 20)))`

/** Ticks since year 1, the number that an instant converts to. */
export function ticksSinceYear1(time: Sql): Sql {
  return sql`(${ticksOf(time)} + ${SINCE_YEAR_1})`
}

/** A dynamic value by what it holds: a text, or the JSON text of something else. */
function ofDynamic(value: Sql, text: (text: Sql) => Sql, other: (raw: Sql) => Sql): Sql {
  return named(
    value,
    VALUE,
    (raw) =>
      sql`if(startsWith(${raw}, '"'), ${text(sql`JSONExtractString(${raw})`)}, ${other(raw)})`,
  )
}

const isTrue = (raw: Sql): Sql => sql`${raw} = 'true'`
const isTruth = (raw: Sql): Sql => sql`${raw} IN ('true', 'false')`

/**
 * A text that is read several times: a column is repeated, because the engine reads a dictionary-coded one once per
 * different value, which it cannot do through a name; all else is named.
 */
function read(text: Sql, body: (text: Sql) => Sql): Sql {
  return repeated(text, TEXT, body)
}

/** True where a pattern for hexadecimal can match; much cheaper than the pattern. */
const isMarkedHex = (text: Sql): Sql => sql`substring(${text}, 2, 1) IN ('x', 'X')`

/** A whole number of 64 bits in digits; sixteen digits in hexadecimal are its bits. */
function readLong(text: Sql): Sql {
  return read(
    trimmed(text),
    (t) =>
      sql`if(${isMarkedHex(t)} AND match(${t}, '^0[xX][0-9a-fA-F]{1,16}$'), reinterpretAsInt64(reverse(unhex(substring(${t}, 3)))), toInt64OrNull(${t}))`,
  )
}

function readInt(text: Sql): Sql {
  return read(
    trimmed(text),
    (t) =>
      sql`if(${isMarkedHex(t)} AND match(${t}, '^0[xX][0-9a-fA-F]{1,8}$'), reinterpretAsInt32(reverse(unhex(substring(${t}, 3)))), toInt32OrNull(${t}))`,
  )
}

/** The engine reads more words as numbers than Kusto does. */
function readReal(text: Sql): Sql {
  return read(
    trimmed(text),
    (t) =>
      sql`if(match(${t}, '^(?:[+-]?(?:(?:[0-9]+\\\\.?[0-9]*|\\\\.[0-9]+)(?:[eE][+-]?[0-9]+)?|inf|Infinity)|NaN|nan)$'), toFloat64OrNull(${t}), NULL)`,
  )
}

function readDecimal(text: Sql): Sql {
  return sql`toDecimal256OrNull(${trimmed(text)}, 20)`
}

function readBool(text: Sql): Sql {
  return named(
    sql`lower(${trimmed(text)})`,
    TEXT,
    (t) => sql`multiIf(${t} = 'true', true, ${t} = 'false', false, toInt64OrNull(${t}) != 0)`,
  )
}

function readGuid(text: Sql): Sql {
  return read(
    trimmed(text),
    (t) =>
      sql`if(match(${t}, '^(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|\\\\{[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\\\\}|\\\\([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\\\\))$'), toString(toUUIDOrNull(replaceRegexpAll(${t}, '[{}()]', ''))), NULL)`,
  )
}

/** A real without its fraction, of 64 bits; NULL where it does not fit. The engine's plain conversion throws for some. */
export function wholeReal(real: Sql): Sql {
  return sql`accurateCastOrNull(trunc(${real}), 'Int64')`
}

/** A real without its fraction; beyond the ends of the type it is the nearest end. */
function wholeOf(real: Sql, type: 'Int32' | 'Int64'): Sql {
  return once(real, VARIABLES.c, (r) =>
    type === 'Int32'
      ? sql`multiIf(${r} >= 2147483647, toInt32(2147483647), ${r} <= -2147483648, toInt32(-2147483648), accurateCastOrNull(trunc(${r}), 'Int32'))`
      : sql`multiIf(${r} >= 9223372036854775807, toInt64(9223372036854775807), ${r} <= -9223372036854775808, toInt64(-9223372036854775808), ${wholeReal(r)})`,
  )
}

function toText({ sql: value, type }: Value): Sql {
  if (isList(type)) return sql`toJSONString(${value})`
  switch (type) {
    case 'text':
      return value
    case 'bool':
      return once(value, VALUE, (v) => sql`if(isNull(${v}), '', if(${v}, 'True', 'False'))`)
    case 'int32':
    case 'int':
    case 'decimal':
      return sql`ifNull(toString(${value}), '')`
    case 'float':
      return once(
        value,
        VALUE,
        (v) =>
          sql`multiIf(isNull(${v}), '', isNaN(${v}), 'NaN', match(assumeNotNull(toString(${v})), '[.ei]'), assumeNotNull(toString(${v})), concat(assumeNotNull(toString(${v})), '.0'))`,
      )
    case 'time':
      return sql`ifNull(${momentText(value)}, '')`
    case 'span':
      return once(value, VALUE, (v) => sql`ifNull(${spanText(v)}, '')`)
    case 'guid':
    case 'ip':
      return sql`ifNull(toString(${value}), '')`
    case 'dynamic':
      return once(
        value,
        VALUE,
        (v) =>
          sql`if(startsWith(ifNull(${v}, ''), '"'), JSONExtractString(ifNull(${v}, '')), ifNull(${v}, ''))`,
      )
    case 'null':
      return sql`''`
  }
}

function toBool({ sql: value, type }: Value): Sql {
  switch (type) {
    case 'bool':
      return value
    case 'text':
      return readBool(value)
    case 'int32':
    case 'int':
    case 'float':
    case 'decimal':
    case 'span':
      return sql`toBool(${value} != 0)`
    case 'dynamic':
      return ofDynamic(
        value,
        readBool,
        (raw) =>
          sql`if(${isTruth(raw)}, toBool(${isTrue(raw)}), toBool(toFloat64OrNull(${raw}) != 0))`,
      )
    default:
      return nothing('Bool')
  }
}

function toInt({ sql: value, type }: Value): Sql {
  switch (type) {
    case 'int32':
      return value
    case 'bool':
    case 'int':
    case 'span':
      return sql`toInt32(${value})`
    case 'time':
      return sql`toInt32(${ticksSinceYear1(value)})`
    case 'float':
      return wholeOf(value, 'Int32')
    case 'decimal':
      return sql`toInt32OrNull(toString(trunc(${value})))`
    case 'text':
      return readInt(value)
    case 'dynamic':
      return ofDynamic(
        value,
        readInt,
        (raw) =>
          sql`multiIf(${isTruth(raw)}, toInt32(${isTrue(raw)}), isNotNull(toInt64OrNull(${raw})), toInt32(toInt64OrNull(${raw})), ${wholeOf(sql`toFloat64OrNull(${raw})`, 'Int32')})`,
      )
    default:
      return nothing('Int32')
  }
}

function toLong({ sql: value, type }: Value): Sql {
  switch (type) {
    case 'int':
    case 'span':
      return value
    case 'bool':
    case 'int32':
      return sql`toInt64(${value})`
    case 'time':
      return ticksSinceYear1(value)
    case 'float':
      return wholeOf(value, 'Int64')
    case 'decimal':
      return sql`toInt64OrNull(toString(trunc(${value})))`
    case 'text':
      return readLong(value)
    case 'dynamic':
      return ofDynamic(
        value,
        readLong,
        (raw) =>
          sql`multiIf(${isTruth(raw)}, toInt64(${isTrue(raw)}), isNotNull(toInt64OrNull(${raw})), toInt64OrNull(${raw}), ${wholeOf(sql`toFloat64OrNull(${raw})`, 'Int64')})`,
      )
    default:
      return nothing('Int64')
  }
}

function toReal({ sql: value, type }: Value): Sql {
  switch (type) {
    case 'float':
      return value
    case 'bool':
    case 'int32':
    case 'int':
    case 'decimal':
    case 'span':
      return sql`toFloat64(${value})`
    case 'time':
      return sql`toFloat64(${ticksSinceYear1(value)})`
    case 'text':
      return readReal(value)
    case 'dynamic':
      return ofDynamic(
        value,
        readReal,
        (raw) => sql`if(${isTruth(raw)}, toFloat64(${isTrue(raw)}), toFloat64OrNull(${raw}))`,
      )
    default:
      return nothing('Float64')
  }
}

function toDecimal({ sql: value, type }: Value): Sql {
  switch (type) {
    case 'decimal':
      return value
    case 'bool':
    case 'int32':
    case 'int':
    case 'span':
      return sql`toDecimal256(toInt64(${value}), 20)`
    case 'time':
      return sql`toDecimal256(${ticksSinceYear1(value)}, 20)`
    case 'float':
      return sql`toDecimal256OrNull(toString(${value}), 20)`
    case 'text':
      return readDecimal(value)
    case 'dynamic':
      return ofDynamic(
        value,
        readDecimal,
        (raw) =>
          sql`toDecimal256OrNull(multiIf(${raw} = 'true', '1', ${raw} = 'false', '0', ${raw}), 20)`,
      )
    default:
      return noDecimal
  }
}

/** The instant at a number of ticks since year 1. */
function atTicks(ticks: Sql): Sql {
  return once(
    ticks,
    VARIABLES.c,
    (n) =>
      sql`if(${n} BETWEEN 0 AND 3155378975999999999, ${instant(sql`${n} - ${SINCE_YEAR_1}`)}, NULL)`,
  )
}

function toTime({ sql: value, type }: Value): Sql {
  switch (type) {
    case 'time':
      return value
    case 'int32':
    case 'int':
      return atTicks(value)
    case 'float':
    case 'decimal':
      return atTicks(toLong({ sql: value, type }))
    case 'text':
      return readInstant(value)
    case 'dynamic':
      return ofDynamic(value, readInstant, (raw) =>
        atTicks(wholeOf(sql`toFloat64OrNull(${raw})`, 'Int64')),
      )
    default:
      return noInstant
  }
}

function toSpan({ sql: value, type }: Value): Sql {
  switch (type) {
    case 'span':
    case 'int':
      return value
    case 'int32':
      return sql`toInt64(${value})`
    case 'float':
    case 'decimal':
      return toLong({ sql: value, type })
    case 'text':
      return readSpan(value)
    case 'dynamic':
      return ofDynamic(value, readSpan, (raw) => wholeOf(sql`toFloat64OrNull(${raw})`, 'Int64'))
    default:
      return nothing('Int64')
  }
}

function toGuid({ sql: value, type }: Value): Sql {
  switch (type) {
    case 'guid':
      return value
    case 'text':
      return readGuid(value)
    case 'dynamic':
      return ofDynamic(value, readGuid, () => nothing('String'))
    default:
      return nothing('String')
  }
}

/** The types that values convert to. */
type Target =
  | 'bool'
  | 'int32'
  | 'int'
  | 'float'
  | 'decimal'
  | 'time'
  | 'span'
  | 'guid'
  | 'dynamic'
  | 'text'

/** A value converted to a type; NULL, or the empty text, where it has none. */
export function converted(value: Value, to: Target): Sql {
  switch (to) {
    case 'bool':
      return toBool(value)
    case 'int32':
      return toInt(value)
    case 'int':
      return toLong(value)
    case 'float':
      return toReal(value)
    case 'decimal':
      return toDecimal(value)
    case 'time':
      return toTime(value)
    case 'span':
      return toSpan(value)
    case 'guid':
      return toGuid(value)
    case 'dynamic':
      return jsonOf(value)
    case 'text':
      return toText(value)
  }
}

/** One conversion: what it is called, and pairs of a value, its type and what it gives. */
function cast(
  to: Target,
  says: string,
  kusto: readonly string[],
  pairs: readonly (readonly [Example['gives'], BaseType, Example['gives']])[],
): FunctionRecord {
  return {
    id: `cast.${to}`,
    says,
    takes: [{ name: 'value', type: 'any' }],
    gives: to,
    onNull: 'own',
    ...(kusto.length === 0 ? {} : { spelled: { kusto } }),
    sql: (args) => converted(arg(args, 0), to),
    examples: pairs.map(([value, type, gives]) => ({ args: [value], as: [type], gives })),
  }
}

export const castFunctions: readonly FunctionRecord[] = [
  cast(
    'bool',
    'The value as true or false.',
    ['tobool', 'toboolean'],
    [
      ['TRUE', 'text', true],
      [' false ', 'text', false],
      ['7', 'text', true],
      ['0.0', 'text', null],
      ['yes', 'text', null],
      [0, 'int', false],
      [0.5, 'float', true],
      ['"1"', 'dynamic', true],
      ['false', 'dynamic', false],
      ['2', 'dynamic', true],
      [null, 'dynamic', null],
    ],
  ),
  cast(
    'int32',
    'The value as a whole number of 32 bits.',
    ['toint'],
    [
      [' 42 ', 'text', 42],
      ['-7', 'text', -7],
      ['2147483648', 'text', null],
      ['7.0', 'text', null],
      ['0X1f', 'text', 31],
      ['-0x10', 'text', null],
      ['', 'text', null],
      [2.9, 'float', 2],
      [-2.9, 'float', -2],
      [1e19, 'float', 2147483647],
      ['4294967298', 'int', 2],
      ['9.99', 'decimal', 9],
      [true, 'bool', 1],
      ['1.5', 'dynamic', 1],
      ['"12"', 'dynamic', 12],
      ['{"a":1}', 'dynamic', null],
    ],
  ),
  cast(
    'int',
    'The value as a whole number of 64 bits.',
    ['tolong'],
    [
      ['0xFFFFFFFFFFFFFFFF', 'text', -1],
      ['+5', 'text', 5],
      ['5abc', 'text', null],
      [-1e19, 'float', '-9223372036854775808'],
      ['9223372036854775807', 'dynamic', '9223372036854775807'],
      ['2020-01-01T00:00:00.0000001Z', 'time', '637134336000000001'],
      [36000000000, 'span', 36000000000],
      ['true', 'dynamic', 1],
      [null, 'float', null],
    ],
  ),
  cast(
    'float',
    'The value as a real number.',
    ['toreal', 'todouble'],
    [
      ['1.5e3', 'text', 1500],
      ['.5', 'text', 0.5],
      ['5.', 'text', 5],
      ['0x1F', 'text', null],
      ['1,5', 'text', null],
      ['INF', 'text', null],
      [3, 'int', 3],
      ['1.25', 'decimal', 1.25],
      ['"2.5"', 'dynamic', 2.5],
      ['[1]', 'dynamic', null],
    ],
  ),
  cast(
    'decimal',
    'The value as an exact decimal fraction.',
    ['todecimal'],
    [
      ['3.14159', 'text', '3.14159'],
      ['abc', 'text', null],
      [0.1, 'float', '0.1'],
      [10, 'int', '10'],
      ['0.25', 'dynamic', '0.25'],
    ],
  ),
  cast(
    'time',
    'The value as an instant, in UTC.',
    ['todatetime'],
    [
      ['2020-06-15T13:45:09.1234567Z', 'text', '2020-06-15T13:45:09.1234567Z'],
      ['2020-06-15 13:45', 'text', '2020-06-15T13:45:00.0000000Z'],
      ['2020-06-15T13:45:09.5+02:30', 'text', '2020-06-15T11:15:09.5000000Z'],
      ['1969-07-20', 'text', '1969-07-20T00:00:00.0000000Z'],
      ['0001-02-03', 'text', '0001-02-03T00:00:00.0000000Z'],
      ['9999-12-31 23:59:59.9999999', 'text', '9999-12-31T23:59:59.9999999Z'],
      ['2020-02-30', 'text', null],
      ['2020-00-10', 'text', null],
      ['2020-02-30T10:00:00Z', 'text', null],
      ['2020-06-15T13:45:09.123456789Z', 'text', '2020-06-15T13:45:09.1234567Z'],
      [' 2020-06-15 13:45:09 ', 'text', '2020-06-15T13:45:09.0000000Z'],
      ['9999-12-31T23:59:59-01:00', 'text', null],
      ['2014-11', 'text', '2014-11-01T00:00:00.0000000Z'],
      ['08-Nov-14 15:05', 'text', '2014-11-08T15:05:00.0000000Z'],
      ['2020-13-01', 'text', null],
      ['2020-01-01T24:00:00Z', 'text', null],
      ['1/2/2020 3:04 PM', 'text', '2020-01-02T15:04:00.0000000Z'],
      ['Sat, 8 Nov 14 15:05:02 GMT', 'text', '2014-11-08T15:05:02.0000000Z'],
      ['Nov 8, 2014', 'text', '2014-11-08T00:00:00.0000000Z'],
      ['soon', 'text', null],
      ['', 'text', null],
      [1, 'int', '0001-01-01T00:00:00.0000001Z'],
      [-1, 'int', null],
      ['"2020-01-01"', 'dynamic', '2020-01-01T00:00:00.0000000Z'],
      ['{}', 'dynamic', null],
    ],
  ),
  cast(
    'span',
    'The value as a length of time.',
    ['totimespan', 'totime'],
    [
      ['1.02:03:04.5', 'text', 937845000000],
      ['-00:30:00', 'text', -18000000000],
      ['13:00', 'text', 468000000000],
      ['24:00', 'text', null],
      ['1d', 'text', 864000000000],
      ['1.5h', 'text', 54000000000],
      ['10ms', 'text', 100000],
      ['abc', 'text', null],
      [5, 'int', 5],
      ['"00:00:01"', 'dynamic', 10000000],
    ],
  ),
  cast(
    'guid',
    'The value as a guid.',
    ['toguid'],
    [
      ['{70FC66F7-8279-44FC-9092-D364D70FCE44}', 'text', '70fc66f7-8279-44fc-9092-d364d70fce44'],
      ['70fc66f7827944fc9092d364d70fce44', 'text', '70fc66f7-8279-44fc-9092-d364d70fce44'],
      ['xyz', 'text', null],
    ],
  ),
  cast(
    'dynamic',
    'The value as a dynamic value; a text stays a text.',
    [],
    [
      ['a"b', 'text', '"a\\"b"'],
      [1, 'int', '1'],
      [null, 'int', null],
    ],
  ),
  cast(
    'text',
    'The value as text; empty where it is missing.',
    ['tostring'],
    [
      [true, 'bool', 'True'],
      [null, 'bool', ''],
      [-12, 'int', '-12'],
      [1, 'float', '1.0'],
      [0.30000000000000004, 'float', '0.30000000000000004'],
      [1e11, 'float', '100000000000.0'],
      [1e21, 'float', '1e21'],
      ['2020-01-01T00:00:00.0000000Z', 'time', '2020-01-01T00:00:00.0000000Z'],
      ['0001-01-01T00:00:00.0000001Z', 'time', '0001-01-01T00:00:00.0000001Z'],
      [936000000000, 'span', '1.02:00:00'],
      [-5000000, 'span', '-00:00:00.5000000'],
      ['1.5', 'decimal', '1.5'],
      ['"a\\nb"', 'dynamic', 'a\nb'],
      ['{"a":1}', 'dynamic', '{"a":1}'],
      ['true', 'dynamic', 'true'],
      [null, 'dynamic', ''],
    ],
  ),
]
