/**
 * What tables make out of the fields of other logs: parts of paths and accounts, one hash of several, objects as JSON
 * text, and ids of rows. A text is empty where there is nothing to make it from; an object is then null.
 */
import { arg, constText, constTexts, type FunctionRecord } from './record.ts'
import { joined, literal, type Sql, type SqlArg, sql } from './sql.ts'

/** A function of one text that gives a text, and an empty one for an empty one. */
function ofText(
  id: string,
  says: string,
  make: (text: Sql) => Sql,
  examples: readonly (readonly [string, string])[],
): FunctionRecord {
  return {
    id,
    says,
    takes: [{ name: 'text', type: 'text' }],
    gives: 'text',
    onNull: 'null',
    blankIsNull: () => true,
    sql: (args) => make(arg(args, 0).sql),
    examples: examples.map(([text, gives]) => ({ args: [text], gives })),
  }
}

const lastPiece = (text: Sql): Sql => sql`splitByChar('/', splitByChar('\\\\', ${text})[-1])[-1]`

const basename = ofText(
  'text.basename',
  'What stands after the last separator of a path, of Windows or of Unix; the whole text without one.',
  lastPiece,
  [
    ['C:\\Windows\\System32\\cmd.exe', 'cmd.exe'],
    ['/usr/bin/curl', 'curl'],
    ['cmd.exe', 'cmd.exe'],
    ['C:\\Temp\\', ''],
    ['', ''],
  ],
)

const dirname = ofText(
  'text.dirname',
  'What stands before the last separator of a path; empty without one.',
  (text) =>
    sql`substring(${text}, 1, greatest(toInt64(length(${text})) - toInt64(length(${lastPiece(text)})) - 1, 0))`,
  [
    ['C:\\Windows\\System32\\cmd.exe', 'C:\\Windows\\System32'],
    ['/usr/bin/curl', '/usr/bin'],
    ['cmd.exe', ''],
  ],
)

const account = ofText(
  'text.account',
  'The account of `DOMAIN\\account` or `account@domain`, without the domain.',
  (text) => sql`splitByChar('@', splitByChar('\\\\', ${text})[-1])[1]`,
  [
    ['CORP\\ann', 'ann'],
    ['ann@corp.example', 'ann'],
    ['root', 'root'],
    ['', ''],
  ],
)

const domain = ofText(
  'text.domain',
  'The domain of `DOMAIN\\account` or `account@domain`; empty where there is none.',
  (text) =>
    sql`if(position(${text}, '\\\\') > 0, splitByChar('\\\\', ${text})[1], splitByChar('@', ${text})[2])`,
  [
    ['CORP\\ann', 'CORP'],
    ['ann@corp.example', 'corp.example'],
    ['root', ''],
  ],
)

const lower = ofText(
  'text.lower_case',
  'The text in lower case.',
  (text) => sql`lowerUTF8(${text})`,
  [['ÄB', 'äb']],
)

const upper = ofText(
  'text.upper_case',
  'The text in upper case.',
  (text) => sql`upperUTF8(${text})`,
  [['äb', 'ÄB']],
)

const hash: FunctionRecord = {
  id: 'text.hash',
  says: 'One hash of a list written `SHA1=...,MD5=...`, in lower case; empty when it is not there.',
  takes: [
    { name: 'text', type: 'text' },
    { name: 'name', type: 'text', constant: true },
  ],
  gives: 'text',
  onNull: 'null',
  blankIsNull: () => true,
  sql: (args) => {
    const pattern = `(?:^|[,; ])${constText(args, 1).toLowerCase()}=([0-9a-f]*)`
    return sql`extract(lower(${arg(args, 0).sql}), ${literal(pattern)})`
  },
  examples: [
    { args: ['SHA1=AB,MD5=CD,SHA256=EF,IMPHASH=01', 'MD5'], gives: 'cd' },
    { args: ['SHA256=EF', 'SHA1'], gives: '' },
  ],
}

const extract: FunctionRecord = {
  id: 'text.group',
  says: 'What the first group of an RE2 pattern matches; empty when the pattern does not match.',
  takes: [
    { name: 'text', type: 'text' },
    { name: 'pattern', type: 'text', constant: true },
  ],
  gives: 'text',
  onNull: 'null',
  blankIsNull: () => true,
  sql: (args) => sql`extract(${arg(args, 0).sql}, ${literal(constText(args, 1))})`,
  examples: [
    { args: ['port 22 ssh2', 'port (\\d+)'], gives: '22' },
    { args: ['none', 'port (\\d+)'], gives: '' },
  ],
}

/** A member as `"name":value`, or the empty text where the value is missing. */
function member(name: string, value: SqlArg): Sql {
  const start = literal(`${JSON.stringify(name)}:`)
  if (value.type === 'text') {
    return sql`if(${value.sql} = '', '', concat(${start}, toJSONString(toString(${value.sql}))))`
  }
  return sql`ifNull(concat(${start}, toString(${value.sql})), '')`
}

const object: FunctionRecord = {
  id: 'dynamic.object',
  says: 'An object of the given names and values, without those that are empty; null when all are.',
  takes: [
    { name: 'names', type: { list: 'text' }, constant: true },
    { name: 'value', type: 'any', many: true },
  ],
  gives: 'dynamic',
  onNull: 'own',
  sql: (args) => {
    const members = constTexts(args, 0).map((name, index) => member(name, arg(args, index + 1)))
    const inner = sql`arrayStringConcat(arrayFilter(x -> x != '', [${joined(members, ', ')}]), ',')`
    return sql`if(${inner} = '', NULL, concat('{', ${inner}, '}'))`
  },
  examples: [
    { args: [['a', 'b'], 'x"y', ''], gives: '{"a":"x\\"y"}' },
    { args: [['a', 'b'], '1', '2'], gives: '{"a":"1","b":"2"}' },
    { args: [['a'], ''], gives: null },
  ],
}

const rawValue: FunctionRecord = {
  id: 'dynamic.raw',
  says: 'The value at a path of names within a record that is JSON; null when there is none.',
  takes: [
    { name: 'record', type: 'text' },
    { name: 'path', type: { list: 'text' }, constant: true },
  ],
  gives: 'dynamic',
  onNull: 'own',
  sql: (args) => {
    const path = joined(constTexts(args, 1).map(literal), ', ')
    return sql`nullIf(nullIf(JSONExtractRaw(${arg(args, 0).sql}, ${path}), ''), 'null')`
  },
  examples: [
    { args: ['{"a":{"b":[1, {"c":"d"}]}}', ['a', 'b']], gives: '[1,{"c":"d"}]' },
    { args: ['{"a":null}', ['a']], gives: null },
    { args: ['none', ['a']], gives: null },
  ],
}

const firstDynamic: FunctionRecord = {
  id: 'dynamic.first',
  says: 'The first value that is not null.',
  takes: [{ name: 'value', type: 'dynamic', many: true }],
  gives: 'dynamic',
  onNull: 'own',
  sql: (args) =>
    sql`coalesce(${joined(
      args.map((each) => each.sql),
      ', ',
    )})`,
  examples: [{ args: [null, '[1]'], gives: '[1]' }],
}

const dynamicText: FunctionRecord = {
  id: 'dynamic.text',
  says: 'An object or a list as its JSON text; empty for null.',
  takes: [{ name: 'value', type: 'any' }],
  gives: 'text',
  onNull: 'own',
  sql: (args) => sql`ifNull(toString(${arg(args, 0).sql}), '')`,
  examples: [
    { args: ['{"a":1}'], gives: '{"a":1}' },
    { args: [null], gives: '' },
  ],
}

const listJson: FunctionRecord = {
  id: 'list.json',
  says: 'A list as JSON text; empty for an empty list.',
  takes: [{ name: 'list', type: { list: 'text' } }],
  gives: 'text',
  onNull: 'own',
  sql: (args) => {
    const list = arg(args, 0).sql
    return sql`if(empty(${list}), '', toJSONString(${list}))`
  },
  examples: [
    { args: [['a', 'b']], gives: '["a","b"]' },
    { args: [[]], gives: '' },
  ],
}

const place: FunctionRecord = {
  id: 'row.place',
  says: 'The place of an event in its file as a number.',
  takes: [{ name: 'record', type: 'any' }],
  gives: 'int',
  onNull: 'own',
  sql: (args) => sql`toInt64(${arg(args, 0).sql})`,
  examples: [{ args: [7], gives: 7 }],
}

const identity: FunctionRecord = {
  id: 'row.identity',
  says: 'An id of an event, made of its file and its place there: the same each time the file is read.',
  takes: [
    { name: 'file', type: 'text' },
    { name: 'record', type: 'any' },
  ],
  gives: 'text',
  onNull: 'own',
  sql: (args) =>
    sql`lower(hex(sipHash128(toString(${arg(args, 0).sql}), toUInt64(${arg(args, 1).sql}))))`,
  examples: [],
}

export const derivedFunctions: readonly FunctionRecord[] = [
  basename,
  dirname,
  account,
  domain,
  lower,
  upper,
  hash,
  extract,
  object,
  rawValue,
  firstDynamic,
  dynamicText,
  listJson,
  place,
  identity,
]
