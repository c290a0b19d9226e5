/** Texts as code points, base64, URLs and hexadecimal digits, as Kusto writes and reads them. */
import type { BaseType } from '../ir/types.ts'
import { named, VARIABLES } from './once.ts'
import { arg, type Example, type FunctionRecord, type Parameter } from './record.ts'
import { joined, type Sql, type SqlArg, sql } from './sql.ts'

const TEXT: Parameter = { name: 'text', type: 'text' }
const { a: A, b: B } = VARIABLES

interface Shape {
  readonly says: string
  readonly takes?: readonly Parameter[]
  readonly gives?: BaseType
  readonly sql: (value: Sql, args: readonly SqlArg[]) => Sql
  readonly examples: readonly Example[]
}

const record = (id: string, kusto: readonly string[], shape: Shape): FunctionRecord => ({
  id,
  says: shape.says,
  takes: shape.takes ?? [TEXT],
  gives: shape.gives ?? 'text',
  onNull: 'own',
  spelled: { kusto },
  sql: (args) => shape.sql(arg(args, 0).sql, args),
  examples: shape.examples,
})

/** An array of numbers of the engine as JSON text. */
const numbers = (list: Sql): Sql => sql`concat('[', arrayStringConcat(${list}, ','), ']')`

/** The bytes of a base64 text; empty for a text that is none. */
const decoded = (text: Sql): Sql => sql`tryBase64Decode(${text})`

/** The bytes when they are UTF-8, else the empty text. */
const utf8 = (bytes: Sql): Sql =>
  named(bytes, A, (each) => sql`if(isValidUTF8(${each}), ${each}, '')`)

/** The code points of an argument: a number, or an array of numbers. */
function codePoints({ sql: value, type }: SqlArg): Sql {
  if (type !== 'dynamic') return sql`[ifNull(toInt64(${value}), -1)]`
  const list = sql`if(startsWith(ifNull(${value}, ''), '['), JSONExtractArrayRaw(ifNull(${value}, '')), [ifNull(${value}, '')])`
  return sql`arrayMap(r -> toInt64OrDefault(r, toInt64(-1)), ${list})`
}

/** A code point in UTF-8; what is no character gives nothing. */
function character(code: Sql): Sql {
  const low = (shift: Sql): Sql => sql`128 + bitAnd(bitShiftRight(${code}, ${shift}), 63)`
  const three = sql`char(224 + bitShiftRight(${code}, 12), ${low(sql`6`)}, ${low(sql`0`)})`
  const four = sql`char(240 + bitShiftRight(${code}, 18), ${low(sql`12`)}, ${low(sql`6`)}, ${low(sql`0`)})`
  return sql`multiIf(${code} < 0 OR ${code} > 1114111 OR ${code} BETWEEN 55296 AND 57343, '', ${code} < 128, char(${code}), ${code} < 2048, char(192 + bitShiftRight(${code}, 6), ${low(sql`0`)}), ${code} < 65536, ${three}, ${four})`
}

/** The first part of a GUID stands with its bytes in reverse in binary form; the last two do not. */
const guidOf = (digits: Sql): Sql =>
  sql`replaceRegexpOne(${digits}, '^(..)(..)(..)(..)(..)(..)(..)(..)(....)(.{12})$', '\\\\4\\\\3\\\\2\\\\1-\\\\6\\\\5-\\\\8\\\\7-\\\\9-')`

/** The escapes of a URL in small letters, and the signs that forms leave alone or write in their own way. */
function formEncoded(text: Sql): Sql {
  const parts = sql`splitByChar('%', encodeURLComponent(${text}))`
  const small = sql`arrayStringConcat(arrayMap((p, n) -> if(n = 1, p, concat('%', lower(substring(p, 1, 2)), substring(p, 3))), ${parts}, arrayEnumerate(${parts})))`
  const plain: readonly (readonly [Sql, Sql])[] = [
    [sql`'%20'`, sql`'+'`],
    [sql`'%21'`, sql`'!'`],
    [sql`'%2a'`, sql`'*'`],
    [sql`'%28'`, sql`'('`],
    [sql`'%29'`, sql`')'`],
    [sql`'~'`, sql`'%7e'`],
  ]
  return plain.reduce((made, [from, to]) => sql`replaceAll(${made}, ${from}, ${to})`, small)
}

export const encodingFunctions: readonly FunctionRecord[] = [
  record('text.code_points', ['unicode_codepoints_from_string', 'to_utf8'], {
    says: 'The code points of the characters, as an array.',
    gives: 'dynamic',
    sql: (value) =>
      numbers(
        sql`arrayMap(c -> toString(reinterpretAsUInt32(convertCharset(c, 'utf-8', 'utf-32le'))), extractAll(${value}, '(?s).'))`,
      ),
    examples: [
      { args: ['Añ😀'], gives: '[65,241,128512]' },
      { args: [''], gives: '[]' },
    ],
  }),
  record('text.of_code_points', ['unicode_codepoints_to_string', 'make_string'], {
    says: 'The text of code points, which are given one by one or as arrays.',
    takes: [{ name: 'code', type: 'any', many: true }],
    sql: (_, args) =>
      sql`arrayStringConcat(arrayMap(${A} -> ${character(A)}, arrayConcat(${joined(args.map(codePoints), ', ')})))`,
    examples: [
      { args: [75, 117], gives: 'Ku' },
      { args: ['[65,241,8364]', 128_512], as: ['dynamic', 'int'], gives: 'Añ€😀' },
      { args: [-1, 55_296, 66], gives: 'B' },
    ],
  }),
  record('base64.encode', ['base64_encode_tostring', 'base64_encodestring'], {
    says: 'The UTF-8 of the text in base64.',
    sql: (value) => sql`base64Encode(${value})`,
    examples: [
      { args: ['Kusto'], gives: 'S3VzdG8=' },
      { args: [''], gives: '' },
    ],
  }),
  record('base64.decode', ['base64_decode_tostring', 'base64_decodestring'], {
    says: 'The text of a base64 text; empty when it is no base64 or not UTF-8.',
    sql: (value) => utf8(decoded(value)),
    examples: [
      { args: ['S3VzdG8='], gives: 'Kusto' },
      { args: ['S3VzdG8'], gives: '' },
      { args: ['U3RyaW5n0KHR0tGA0L7Rh9C60LA='], gives: '' },
      { args: ['?'], gives: '' },
    ],
  }),
  record('base64.decode_bytes', ['base64_decode_toarray'], {
    says: 'The bytes of a base64 text as an array; null when it is no base64.',
    gives: 'dynamic',
    sql: (value) =>
      named(decoded(value), A, (bytes) => {
        const list = numbers(
          sql`arrayMap(h -> toString(reinterpretAsUInt8(unhex(h))), extractAll(hex(${bytes}), '..'))`,
        )
        return sql`if(${bytes} = '' AND ${value} != '', NULL, ${list})`
      }),
    examples: [
      { args: ['S3VzdG8='], gives: '[75,117,115,116,111]' },
      { args: ['?'], gives: null },
    ],
  }),
  record('base64.encode_bytes', ['base64_encode_fromarray'], {
    says: 'An array of bytes in base64; empty when an element is no byte.',
    takes: [{ name: 'bytes', type: 'dynamic' }],
    sql: (value) =>
      named(
        sql`arrayMap(r -> toInt64OrDefault(r, toInt64(-1)), JSONExtractArrayRaw(ifNull(${value}, '[]')))`,
        A,
        (list) =>
          sql`if(arrayExists(n -> n NOT BETWEEN 0 AND 255, ${list}), '', base64Encode(arrayStringConcat(arrayMap(n -> char(n), ${list}))))`,
      ),
    examples: [
      { args: ['[75,117,115,116,111]'], gives: 'S3VzdG8=' },
      { args: ['[256]'], gives: '' },
    ],
  }),
  record('base64.decode_guid', ['base64_decode_toguid'], {
    says: 'The GUID whose sixteen bytes a base64 text holds.',
    gives: 'guid',
    sql: (value) =>
      named(decoded(value), A, (bytes) => {
        const digits = sql`lower(hex(${bytes}))`
        return sql`if(length(${bytes}) = 16, concat(${guidOf(digits)}, substring(${digits}, 21)), NULL)`
      }),
    examples: [
      { args: ['8jMxriJurkmwahbmqbIS6w=='], gives: 'ae3133f2-6e22-49ae-b06a-16e6a9b212eb' },
      { args: ['S3VzdG8='], gives: null },
    ],
  }),
  record('base64.encode_guid', ['base64_encode_fromguid'], {
    says: 'The bytes of a GUID in base64.',
    takes: [{ name: 'guid', type: 'guid' }],
    sql: (value) =>
      named(sql`replaceAll(ifNull(${value}, ''), '-', '')`, A, (digits) => {
        const bytes = sql`concat(reverse(unhex(substring(${digits}, 1, 8))), reverse(unhex(substring(${digits}, 9, 4))), reverse(unhex(substring(${digits}, 13, 4))), unhex(substring(${digits}, 17)))`
        return sql`if(length(${digits}) = 32, base64Encode(${bytes}), '')`
      }),
    examples: [
      { args: ['ae3133f2-6e22-49ae-b06a-16e6a9b212eb'], gives: '8jMxriJurkmwahbmqbIS6w==' },
    ],
  }),
  record('url.encode', ['url_encode'], {
    says: 'The text as a form sends it: a blank is a plus sign.',
    sql: (value) => formEncoded(value),
    examples: [
      {
        args: ['https://www.bing.com/hello world'],
        gives: 'https%3a%2f%2fwww.bing.com%2fhello+world',
      },
      { args: ['é!~(%41)'], gives: '%c3%a9!%7e(%2541)' },
    ],
  }),
  record('url.encode_component', ['url_encode_component'], {
    says: 'The text as a part of a URL.',
    sql: (value) => sql`encodeURLComponent(${value})`,
    examples: [{ args: ['https://a b/é'], gives: 'https%3A%2F%2Fa%20b%2F%C3%A9' }],
  }),
  record('url.decode', ['url_decode'], {
    says: 'The text of an encoded URL; a plus sign is a blank.',
    sql: (value) => sql`toValidUTF8(decodeURLFormComponent(${value}))`,
    examples: [
      { args: ['https%3a%2f%2fa%2Fhello+w%C3%A9'], gives: 'https://a/hello wé' },
      { args: ['100%'], gives: '100%' },
    ],
  }),
  record('number.hex', ['tohex'], {
    says: 'The whole number in hexadecimal digits, filled up with zeros to a least length.',
    takes: [
      { name: 'number', type: 'any' },
      { name: 'length', type: 'int', optional: true },
    ],
    sql: (value, args) => {
      const number = arg(args, 0).type === 'int32' ? sql`toInt32(${value})` : sql`toInt64(${value})`
      const digits = sql`lower(replaceRegexpOne(ifNull(hex(${number}), ''), '^0([0-9A-F])', '\\\\1'))`
      const length = args[1]
      if (length === undefined) return digits
      return named(digits, B, (each) => {
        const least = sql`greatest(least(ifNull(${length.sql}, 0), 4096), length(${each}))`
        return sql`if(${each} = '', '', leftPad(${each}, toUInt64(${least}), '0'))`
      })
    },
    examples: [
      { args: [256], gives: '100' },
      { args: [0], gives: '0' },
      { args: [-256], gives: 'ffffffffffffff00' },
      { args: [-256], as: ['int32'], gives: 'ffffff00' },
      { args: [256, 10], gives: '0000000100' },
      { args: [256, 2], gives: '100' },
    ],
  }),
]
