/**
 * Hashes as Kusto gives them. The cryptographic ones are of the value's text; `hash` is xxHash64 of the bytes of a
 * text, of a number, or of the steps of 100 ns since year 1 of an instant.
 */
import { arg, type Example, type FunctionRecord } from './record.ts'
import { literal, type Sql, type SqlArg, sql } from './sql.ts'

function digest(
  id: string,
  kusto: string,
  says: string,
  print: (text: Sql) => Sql,
  examples: readonly Example[],
): FunctionRecord {
  return {
    id,
    says,
    takes: [{ name: 'value', type: 'text' }],
    gives: 'text',
    onNull: 'own',
    spelled: { kusto: [kusto] },
    sql: (args) => sql`lower(hex(${print(arg(args, 0).sql)}))`,
    examples,
  }
}

/** Steps of 100 ns between year 1 and 1970. */
const YEAR_ONE = '621355968000000000'

/** What `hash` reads of a value. */
function bytesOf({ sql: value, type }: SqlArg): Sql {
  switch (type) {
    case 'int32':
    case 'int':
    case 'span':
      return sql`toInt64(${value})`
    case 'float':
      return sql`toFloat64(${value})`
    case 'bool':
      return sql`toUInt8(${value})`
    case 'time':
      return sql`(reinterpret(${value}, 'Int64') + toInt64(${literal(YEAR_ONE)}))`
    default:
      return value
  }
}

export const hashFunctions: readonly FunctionRecord[] = [
  {
    id: 'hash.number',
    says: 'A whole number that stands for the value, or its remainder.',
    takes: [
      { name: 'value', type: 'any' },
      { name: 'modulus', type: 'int', optional: true },
    ],
    gives: 'int',
    onNull: 'own',
    spelled: { kusto: ['hash', 'hash_xxhash64'] },
    sql: (args) => {
      const hash = sql`toInt64(xxHash64(${bytesOf(arg(args, 0))}))`
      const modulus = args[1]?.sql
      if (modulus === undefined) return hash
      return sql`if(ifNull(${modulus}, 0) <= 0, CAST(NULL AS Nullable(Int64)), toInt64(positiveModulo(${hash}, greatest(ifNull(toInt64(${modulus}), 1), 1))))`
    },
    examples: [
      { args: ['World'], gives: '1846988464401551951' },
      { args: ['World', 100], gives: 51 },
      { args: ['2015-01-01T00:00:00.0000000Z'], as: ['time'], gives: '1380966698541616202' },
      { args: ['World', 0], gives: null },
    ],
  },
  digest(
    'hash.md5',
    'hash_md5',
    'The MD5 hash in hexadecimal digits.',
    (text) => sql`MD5(${text})`,
    [
      { args: ['World'], gives: 'f5a7924e621e84c9280a9a27e1bcb7f6' },
      { args: ['2020-01-01T00:00:00.0000000Z'], gives: '786c530672d1f8db31fee25ea8a9390b' },
    ],
  ),
  digest(
    'hash.sha1',
    'hash_sha1',
    'The SHA-1 hash in hexadecimal digits.',
    (text) => sql`SHA1(${text})`,
    [{ args: ['abc'], gives: 'a9993e364706816aba3e25717850c26c9cd0d89d' }],
  ),
  digest(
    'hash.sha256',
    'hash_sha256',
    'The SHA-256 hash in hexadecimal digits.',
    (text) => sql`SHA256(${text})`,
    [{ args: ['abc'], gives: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad' }],
  ),
]
