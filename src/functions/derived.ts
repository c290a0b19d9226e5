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

/** A text from a text: the engine reads each value of a dictionary-coded column once, which it cannot for arrays. */
const lastPiece = (text: Sql): Sql => sql`basename(${text})`

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

const ipKind = ofText(
  'text.ip_kind',
  'The kind of an address in the words of Defender: Public, Private, Loopback, Reserved, Broadcast, Teredo; else empty.',
  (text) =>
    sql`multiIf(${text} = '255.255.255.255', 'Broadcast', isIPv4String(${text}), multiIf(match(${text}, '^(?:10\\.|192\\.168\\.|172\\.(?:1[6-9]|2[0-9]|3[01])\\.|169\\.254\\.)'), 'Private', startsWith(${text}, '127.'), 'Loopback', match(${text}, '^(?:0|22[4-9]|2[3-5][0-9])\\.'), 'Reserved', 'Public'), isIPv6String(${text}), multiIf(${text} = '::1' OR lower(${text}) = '0:0:0:0:0:0:0:1', 'Loopback', match(${text}, '^(?i:f[cd]|fe[89ab])'), 'Private', match(${text}, '^(?i:ff|::)'), 'Reserved', match(${text}, '^(?i:2001:0{0,4}:)'), 'Teredo', 'Public'), '')`,
  [
    ['10.1.2.3', 'Private'],
    ['172.32.0.1', 'Public'],
    ['127.0.0.1', 'Loopback'],
    ['224.0.0.251', 'Reserved'],
    ['fe80::1', 'Private'],
    ['2606:4700::1', 'Public'],
    ['-', ''],
  ],
)

const registryData = ofText(
  'text.registry_data',
  'The data of a registry value as Sysmon writes it, numbers as decimal text; other texts as they are.',
  (text) =>
    sql`if(match(${text}, '^[DQ]WORD \\(0x[0-9a-fA-F-]{1,17}'), multiIf(startsWith(${text}, 'D'), toString(reinterpretAsUInt32(reverse(unhex(extract(${text}, '0x([0-9a-fA-F]{8})'))))), toString(reinterpretAsUInt64(reverse(unhex(replaceOne(extract(${text}, '0x([0-9a-fA-F]{8}-[0-9a-fA-F]{8})'), '-', '')))))), ${text})`,
  [
    ['DWORD (0x00000001)', '1'],
    ['QWORD (0x00000001-00000000)', '4294967296'],
    ['C:\\x.exe', 'C:\\x.exe'],
  ],
)

/** What stands on one side of the last of a mark in a text. */
function aroundLast(
  id: string,
  says: string,
  side: 'before' | 'after',
  gives: string,
): FunctionRecord {
  return {
    id,
    says,
    takes: [
      { name: 'text', type: 'text' },
      { name: 'mark', type: 'text', constant: true },
    ],
    gives: 'text',
    onNull: 'null',
    blankIsNull: () => true,
    sql: (args) => {
      const text = arg(args, 0).sql
      const mark = constText(args, 1)
      const last = sql`splitByString(${literal(mark)}, ${text})[-1]`
      if (side === 'after') return last
      const size = literal(new TextEncoder().encode(mark).length)
      return sql`substring(${text}, 1, greatest(toInt64(length(${text})) - toInt64(length(${last})) - ${size}, 0))`
    },
    examples: [{ args: ['HKLM\\Run\\a/b', '\\'], gives }],
  }
}

const beforeLast = aroundLast(
  'text.before_last',
  'What stands before the last of a mark; empty without one.',
  'before',
  'HKLM\\Run',
)

const afterLast = aroundLast(
  'text.after_last',
  'What stands after the last of a mark; the whole text without one.',
  'after',
  'a/b',
)

const plainTime = ofText(
  'text.plain_time',
  'A time as the portal of Azure writes it in downloads, month first, in the form of ISO; other texts as they are.',
  (text) =>
    sql`if(position(${text}, '/') > 0 AND match(${text}, '^[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}[, ]'), ifNull(toString(parseDateTime64BestEffortUSOrNull(${text}, 7, 'UTC')), ${text}), ${text})`,
  [
    ['5/1/2026, 10:00:00.250 PM', '2026-05-01 22:00:00.2500000'],
    ['2026-05-01T10:00:00Z', '2026-05-01T10:00:00Z'],
    ['5/1/2026, later', '5/1/2026, later'],
  ],
)

const account = ofText(
  'text.account',
  'The account of `DOMAIN\\account` or `account@domain`, without the domain.',
  (text) => sql`substringIndex(substringIndex(${text}, '\\\\', -1), '@', 1)`,
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

const size = ofText(
  'text.size',
  'The number of characters of a text, as a text; empty for an empty one.',
  (text) => sql`if(${text} = '', '', toString(lengthUTF8(${text})))`,
  [
    ['äb', '2'],
    ['', ''],
  ],
)

const sum: FunctionRecord = {
  id: 'text.sum',
  says: 'The sum of the parts that are whole numbers, as a text; empty when none is.',
  takes: [{ name: 'part', type: 'text', many: true }],
  gives: 'text',
  onNull: 'skip',
  blankIsNull: () => true,
  sql: (args) => {
    const numbers = args.map((each) => sql`toInt64OrNull(${each.sql})`)
    const none = joined(
      numbers.map((each) => sql`isNull(${each})`),
      ' AND ',
    )
    const all = joined(
      numbers.map((each) => sql`ifNull(${each}, 0)`),
      ', ',
    )
    return sql`if(${none}, '', toString(arraySum([${all}])))`
  },
  examples: [
    { args: ['5', '7'], gives: '12' },
    { args: ['5', 'x'], gives: '5' },
    { args: ['', 'x'], gives: '' },
  ],
}

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

/** A text as it stands within an element. */
const escapedXml = (text: Sql): Sql =>
  sql`replaceAll(replaceAll(replaceAll(${text}, '&', '&amp;'), '<', '&lt;'), '>', '&gt;')`

const eventData: FunctionRecord = {
  id: 'text.event_data',
  says: 'The data of a Windows event as its XML; `present` leaves out what is empty, `all` keeps each in its place.',
  takes: [
    { name: 'names', type: { list: 'text' }, constant: true },
    { name: 'which', type: 'text', constant: true },
    { name: 'value', type: 'text', many: true },
  ],
  gives: 'text',
  onNull: 'own',
  sql: (args) => {
    const keepsEmpty = constText(args, 1) === 'all'
    const parts = constTexts(args, 0).map((name, index) => {
      const value = arg(args, index + 2).sql
      const start = literal(`<Data Name="${xmlAttribute(name)}">`)
      const element = sql`concat(${start}, ${escapedXml(value)}, '</Data>')`
      return keepsEmpty ? element : sql`if(${value} = '', '', ${element})`
    })
    const start = literal(
      '<EventData xmlns="http://schemas.microsoft.com/win/2004/08/events/event">',
    )
    return sql`concat(${joined([start, ...parts, literal('</EventData>')], ', ')})`
  },
  examples: [
    {
      args: [['A', 'B'], 'present', 'x<y', ''],
      gives:
        '<EventData xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><Data Name="A">x&lt;y</Data></EventData>',
    },
  ],
}

function xmlAttribute(name: string): string {
  return name.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}

const eventParams: FunctionRecord = {
  id: 'text.event_params',
  says: 'The data of a Windows event as `<Param>` elements without names, those that are empty left out.',
  takes: [
    { name: 'names', type: { list: 'text' }, constant: true },
    { name: 'value', type: 'text', many: true },
  ],
  gives: 'text',
  onNull: 'own',
  sql: (args) => {
    const parts = constTexts(args, 0).map((_, index) => {
      const value = arg(args, index + 1).sql
      return sql`if(${value} = '', '', concat('<Param>', ${escapedXml(value)}, '</Param>'))`
    })
    return sql`concat(${joined([literal(''), literal(''), ...parts], ', ')})`
  },
  examples: [{ args: [['A', 'B'], 'x', 'y'], gives: '<Param>x</Param><Param>y</Param>' }],
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
    const path = constTexts(args, 1).map(literal)
    const whole = joined([arg(args, 0).sql, ...path], ', ')
    return sql`nullIf(nullIf(JSONExtractRaw(${whole}), ''), 'null')`
  },
  examples: [
    { args: ['{"a":{"b":[1, {"c":"d"}]}}', ['a', 'b']], gives: '[1,{"c":"d"}]' },
    { args: ['{"a": 1}', []], gives: '{"a":1}' },
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
  sql: (args) => sql`toNullable(toInt64(${arg(args, 0).sql}))`,
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
  examples: [{ args: ['logs/a.json', 7], gives: '00d6e38e865377f7e5682854d28329a1' }],
}

export const derivedFunctions: readonly FunctionRecord[] = [
  basename,
  dirname,
  ipKind,
  registryData,
  beforeLast,
  afterLast,
  plainTime,
  account,
  domain,
  lower,
  upper,
  size,
  sum,
  hash,
  extract,
  object,
  eventData,
  eventParams,
  rawValue,
  firstDynamic,
  dynamicText,
  listJson,
  place,
  identity,
]
