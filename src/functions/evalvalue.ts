/**
 * Values as SPL's eval has them: a field is a text, a number or a list of texts; a number is written as a text and read
 * from one where the other is wanted. The templates here are the parts that all eval records are made of.
 */
import { isList, type Type } from '../ir/types.ts'
import { once, VARIABLES } from './once.ts'
import { arg, type FunctionRecord, type Parameter } from './record.ts'
import { joined, literal, type Sql, type SqlArg, sql } from './sql.ts'

/** What a template needs to know of a value. */
export type Value = Pick<SqlArg, 'sql' | 'type' | 'value'>

const NO_TEXT = sql`CAST(NULL AS Nullable(String))`
/** A missing number. */
export const NO_NUMBER = sql`CAST(NULL AS Nullable(Float64))`
/** A missing answer of a test. */
export const NO_BOOL = sql`CAST(NULL AS Nullable(Bool))`
/** A list of no values: a missing field. */
export const NO_LIST = sql`CAST([] AS Array(String))`
/** The type of a field with several values. */
export const LIST: Type = { list: 'text' }

/** Names inside templates beside those of `once`: an element and a place of a list. */
export const ELEMENT = sql`\`^e\``
export const PLACE = sql`\`^i\``

const NUMERIC: readonly unknown[] = ['int', 'int32', 'float', 'decimal']

/** True for a value whose type is a number's. */
export function isNumber(value: Value): boolean {
  return NUMERIC.includes(value.type)
}

/** True for what is missing in every row. */
export function isMissing(value: Value): boolean {
  return value.type === 'null' || value.value === null
}

/**
 * The number that a text is written as, NULL for another text: decimal digits with a sign, a point and an exponent,
 * blanks around; neither hexadecimal nor the words for infinity.
 */
export function numberIn(text: Sql): Sql {
  return sql`toFloat64OrNull(trimBoth(translate(${text}, 'iInN', 'xxxx')))`
}

/** The same for a constant. */
export function numberOfText(text: string): number | undefined {
  const plain = text.trim()
  if (!/^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(plain)) return undefined
  return Number(plain)
}

/** The only value of a list; NULL for none and for several. */
export function onlyOf(list: Sql): Sql {
  return once(list, VARIABLES.g, (v) => sql`if(length(${v}) = 1, ${v}[1], NULL)`)
}

/** A value as a text that may be NULL. */
export function textOf(value: Value): Sql {
  if (isMissing(value)) return NO_TEXT
  if (isList(value.type)) return onlyOf(value.sql)
  if (value.type === 'text') return value.sql
  return value.type === 'bool' ? boolText(value.sql) : sql`toString(${value.sql})`
}

/** A value as a number of 64 bits that may be NULL. */
export function numberOf(value: Value): Sql {
  if (isMissing(value)) return NO_NUMBER
  if (value.type === 'float') return value.sql
  if (isNumber(value)) return sql`toFloat64(${value.sql})`
  if (typeof value.value === 'string') {
    const known = numberOfText(value.value)
    return known === undefined ? NO_NUMBER : sql`toFloat64(${literal(known)})`
  }
  return value.type === 'bool' ? NO_NUMBER : numberIn(textOf(value))
}

/** A value as a list of texts, which is never NULL. */
export function listOf(value: Value): Sql {
  if (isMissing(value) || (Array.isArray(value.value) && value.value.length === 0)) return NO_LIST
  if (isList(value.type)) return value.sql
  if (typeof value.value === 'string') return sql`[${value.sql}]`
  return once(
    textOf(value),
    VARIABLES.g,
    (v) => sql`if(isNull(${v}), ${NO_LIST}, [assumeNotNull(${v})])`,
  )
}

function boolText(value: Sql): Sql {
  return sql`multiIf(isNull(${value}), NULL, ${value}, 'True', 'False')`
}

/** The number where it is finite. */
export function finite(number: Sql): Sql {
  return once(number, VARIABLES.c, (v) => sql`if(isFinite(${v}), ${v}, NULL)`)
}

const notText = (value: unknown): string | undefined =>
  typeof value === 'string' ? undefined : 'it must be a text'

/** A parameter that takes one text; a constant one takes no other value. */
export const text = (name: string, more: Partial<Parameter> = {}): Parameter => ({
  name,
  type: 'text',
  ...(more.constant === true ? { wrong: notText } : {}),
  ...more,
})
/** A parameter that takes a number. */
export const number = (name: string, more: Partial<Parameter> = {}): Parameter => ({
  name,
  type: 'float',
  ...more,
})
/** A parameter that takes a list. */
export const list = (name: string, more: Partial<Parameter> = {}): Parameter => ({
  name,
  type: LIST,
  ...more,
})
/** A parameter that takes a value of any type, as it is. */
export const any = (name: string, more: Partial<Parameter> = {}): Parameter => ({
  name,
  type: 'any',
  ...more,
})

type Shape = Omit<FunctionRecord, 'id' | 'onNull' | 'spelled' | 'mayMiss'>

/** A record of eval: its SQL treats missing values itself, and may give none. */
export function evalFunction(id: string, spl: readonly string[], shape: Shape): FunctionRecord {
  return { id, onNull: 'own', mayMiss: true, spelled: { spl }, ...shape }
}

/** Days from 1970 to a date of the years from 0 on; a day beyond the end of its month is one of the next. */
export function daysOf(year: Sql, month: Sql, day: Sql): Sql {
  // Years are counted from March, so that a leap day is the last of its year.
  const y = sql`(${year} - if(${month} < 3, 1, 0))`
  const leaps = sql`intDiv(${y}, 4) - intDiv(${y}, 100) + intDiv(${y}, 400)`
  const ofYear = sql`intDiv(153 * ((${month} + 9) % 12) + 2, 5)`
  return sql`(365 * ${y} + ${leaps} + ${ofYear} + ${day} - 719469)`
}

/** The parts as an array. */
export function arrayOf(parts: readonly Sql[]): Sql {
  return sql`[${joined(parts, ', ')}]`
}

const toText = evalFunction('eval.text', [], {
  says: 'The value as a text: a whole number without a point, another with the digits it needs.',
  takes: [any('value')],
  gives: 'text',
  sql: (args) => textOf(arg(args, 0)),
  examples: [
    { args: [5], as: ['int'], gives: '5' },
    { args: [5], as: ['float'], gives: '5' },
    { args: [0.30000000000000004], as: ['float'], gives: '0.30000000000000004' },
    { args: ['a'], gives: 'a' },
    { args: [null], as: ['float'], gives: null },
    { args: [['a']], gives: 'a' },
  ],
})

const toNumber = evalFunction('eval.number', [], {
  says: 'The number that a text is written as, with blanks around it; missing for another text.',
  takes: [any('value')],
  gives: 'float',
  sql: (args) => numberOf(arg(args, 0)),
  examples: [
    { args: [' 5 '], gives: 5 },
    { args: ['-1.5e3'], gives: -1500 },
    { args: ['0x10'], gives: null },
    { args: ['inf'], gives: null },
    { args: ['NaN'], gives: null },
    { args: [''], gives: null },
    { args: [null], as: ['text'], gives: null },
    { args: [7], as: ['int'], gives: 7 },
  ],
})

const of = evalFunction('mv.of', [], {
  says: 'The value as a list: of one value, or of none where it is missing.',
  takes: [any('value')],
  gives: LIST,
  sql: (args) => listOf(arg(args, 0)),
  examples: [
    { args: ['a'], gives: ['a'] },
    { args: [''], gives: [''] },
    { args: [null], as: ['text'], gives: [] },
    { args: [2.5], as: ['float'], gives: ['2.5'] },
  ],
})

const only = evalFunction('mv.only', [], {
  says: 'The only value of a list; missing for a list of none or of several.',
  takes: [list('values')],
  gives: 'text',
  sql: (args) => textOf(arg(args, 0)),
  examples: [
    { args: [['a']], gives: 'a' },
    { args: [['a', 'b']], gives: null },
    { args: [[]], as: [LIST], gives: null },
  ],
})

export const evalValueFunctions: readonly FunctionRecord[] = [toText, toNumber, of, only]
