/**
 * Presence, logic, numbers, lists and the value changes that field mappings need (joining a domain and a user,
 * mapping coded values to words, prefixes of registry paths).
 */
import { arg, constText, constTexts, type FunctionRecord } from './record.ts'
import { joined, literal, type SqlArg, sql } from './sql.ts'

/** True when the row lists the field as present with an empty value. */
const listedEmpty = (field: string) => sql`has(\`@empty\`, ${literal(field)})`
/** True when the row lists the field as present with a null value. */
const listedNull = (field: string) => sql`has(\`@null\`, ${literal(field)})`

const isNull: FunctionRecord = {
  id: 'value.is_null',
  says: 'True when the field is absent or null.',
  takes: [{ name: 'field', type: 'any' }],
  gives: 'bool',
  onNull: 'own',
  spelled: { sigma: ['field: null'] },
  sql: ([subject]) => {
    if (subject?.blank !== undefined) {
      return sql`(${subject.sql} = '' AND NOT ${listedEmpty(subject.blank)})`
    }
    if (subject?.computed) return sql`(${subject.sql} = '')`
    if (subject !== undefined && typeof subject.type === 'object') return sql`empty(${subject.sql})`
    return sql`isNull(${
      arg(
        [subject].flatMap((each) => each ?? []),
        0,
      ).sql
    })`
  },
  fold: ([value]) => value === null,
  examples: [
    { args: [null], gives: true },
    { args: [''], gives: false },
    { args: ['x'], gives: false },
  ],
}

const exists: FunctionRecord = {
  id: 'value.exists',
  says: 'True when the event has the field at all, even with an empty or null value.',
  takes: [{ name: 'field', type: 'any' }],
  gives: 'bool',
  onNull: 'own',
  anyOf: false,
  spelled: { sigma: ['exists'] },
  sql: (args) => {
    const subject = arg(args, 0)
    if (subject.blank !== undefined) {
      const { blank } = subject
      return sql`(${subject.sql} != '' OR ${listedEmpty(blank)} OR ${listedNull(blank)})`
    }
    if (subject.computed) return sql`(${subject.sql} != '')`
    if (typeof subject.type === 'object') return sql`notEmpty(${subject.sql})`
    return sql`isNotNull(${subject.sql})`
  },
  fold: ([value]) => value !== null,
  examples: [
    { args: ['x'], gives: true },
    { args: [null], gives: false },
  ],
}

const hasValue: FunctionRecord = {
  id: 'value.has_value',
  says: 'True when the field is present and not null; an empty text counts.',
  takes: [{ name: 'field', type: 'any' }],
  gives: 'bool',
  onNull: 'own',
  spelled: { sigma: ['contains with an empty value'] },
  sql: (args) => {
    const subject = arg(args, 0)
    if (subject.blank !== undefined) {
      return sql`(${subject.sql} != '' OR ${listedEmpty(subject.blank)})`
    }
    if (subject.computed) return sql`(${subject.sql} != '')`
    if (typeof subject.type === 'object') return sql`notEmpty(${subject.sql})`
    return sql`isNotNull(${subject.sql})`
  },
  fold: ([value]) => value !== null,
  examples: [
    { args: [''], gives: true },
    { args: [null], gives: false },
  ],
}

function compare(
  id: string,
  sign: '<' | '<=' | '>' | '>=' | '=' | '!=',
  words: string,
): FunctionRecord {
  const signs = {
    '<': sql`<`,
    '<=': sql`<=`,
    '>': sql`>`,
    '>=': sql`>=`,
    '=': sql`=`,
    '!=': sql`!=`,
  }
  const expected: Readonly<Record<typeof sign, readonly [boolean, boolean, boolean]>> = {
    '<': [true, false, false],
    '<=': [true, true, false],
    '>': [false, false, true],
    '>=': [false, true, true],
    '=': [false, true, false],
    '!=': [true, false, true],
  }
  const [less, same, more] = expected[sign]
  return {
    id,
    says: `True when the text reads as a number ${words} the bound; other texts match nothing.`,
    takes: [
      { name: 'text', type: 'any' },
      { name: 'bound', type: 'float', constant: true },
    ],
    gives: 'bool',
    onNull: 'false',
    anyOf: true,
    blankIsNull: () => true,
    spelled: { sigma: [id.replace('number.', '')] },
    sql: (args) => {
      const subject = arg(args, 0)
      const number =
        subject.type === 'text' || typeof subject.type === 'object'
          ? sql`toFloat64OrNull(trim(${subject.sql}))`
          : subject.sql
      const test = sql`${number} ${signs[sign]} ${arg(args, 1).sql}`
      // The engine reads the words `inf` and `nan` as numbers; here they are texts.
      return number === subject.sql
        ? sql`ifNull(${test}, 0)`
        : sql`ifNull(isFinite(${number}) AND ${test}, 0)`
    },
    examples: [
      { args: ['9', 10], gives: less },
      { args: ['10', 10], gives: same },
      { args: ['10.5', 10], gives: more },
      { args: ['ten', 10], gives: false },
      { args: ['', 10], gives: false },
      { args: ['inf', 10], gives: false },
      { args: ['-infinity', 10], gives: false },
      { args: ['nan', 10], gives: false },
      { args: [null, 10], gives: false },
    ],
  }
}

/** Where each part stands in a written date; the part is taken as written, without any zone shift. */
const PARTS: Readonly<Record<string, string>> = {
  year: '^\\s*(\\d{4})-\\d\\d-\\d\\d',
  month: '^\\s*\\d{4}-(\\d\\d)-\\d\\d',
  day: '^\\s*\\d{4}-\\d\\d-(\\d\\d)',
  hour: '^\\s*\\d{4}-\\d\\d-\\d\\d[T ](\\d\\d)',
  minute: '^\\s*\\d{4}-\\d\\d-\\d\\d[T ]\\d\\d:(\\d\\d)',
}

const timePart: FunctionRecord = {
  id: 'time.part',
  says: 'A part of a written date (minute, hour, day, week, month, year) as a number; ISO weeks; no zone shift.',
  takes: [
    { name: 'text', type: 'text' },
    { name: 'part', type: 'text', constant: true },
  ],
  gives: 'int',
  onNull: 'null',
  mayMiss: true,
  blankIsNull: () => true,
  spelled: { sigma: ['minute', 'hour', 'day', 'week', 'month', 'year'] },
  sql: (args) => {
    const part = constText(args, 1)
    const text = arg(args, 0).sql
    const pattern = Object.hasOwn(PARTS, part) ? PARTS[part] : undefined
    return pattern === undefined
      ? sql`toInt32(toISOWeek(toDate32OrNull(extract(${text}, '^\\\\s*(\\\\d{4}-\\\\d\\\\d-\\\\d\\\\d)'))))`
      : sql`toInt32OrNull(extract(${text}, ${literal(pattern)}))`
  },
  examples: [
    { args: ['2026-04-20T10:05:35.64Z', 'hour'], gives: 10 },
    { args: ['2026-04-20 10:05:35', 'minute'], gives: 5 },
    { args: ['2026-01-01 00:00:00', 'week'], gives: 1 },
    { args: ['2026-04-20', 'day'], gives: 20 },
    { args: ['2026-04-20', 'month'], gives: 4 },
    { args: ['2026-04-20', 'year'], gives: 2026 },
    { args: ['yesterday', 'hour'], gives: null },
  ],
}

const listTimePart: FunctionRecord = {
  id: 'list.time_part',
  says: 'A part of each written date of a list as a number; missing where an element is no date.',
  takes: [
    { name: 'list', type: { list: 'text' } },
    { name: 'part', type: 'text', constant: true },
  ],
  gives: { list: 'int' },
  onNull: 'null',
  sql: ([list, ...part]) => {
    const each = timePart.sql([{ sql: sql`v`, type: 'text' }, ...part])
    return sql`arrayMap(v -> ${each}, ${list?.sql ?? sql`[]`})`
  },
  examples: [{ args: [['2026-04-20T10:05:35Z', '2026-04-20 23:00'], 'hour'], gives: [10, 23] }],
}

const map: FunctionRecord = {
  id: 'value.map',
  says: 'The word for a coded value; a value without a word stays as it is.',
  takes: [
    { name: 'text', type: 'text' },
    { name: 'from', type: { list: 'text' }, constant: true },
    { name: 'to', type: { list: 'text' }, constant: true },
  ],
  gives: 'text',
  onNull: 'null',
  blankIsNull: (args) => !constTexts(args, 1).includes(''),
  sql: (args) => {
    const text = arg(args, 0).sql
    return sql`transform(${text}, ${literal(constTexts(args, 1))}, ${literal(constTexts(args, 2))}, ${text})`
  },
  examples: [
    { args: ['%%1842', ['%%1842', '%%1843'], ['Yes', 'No']], gives: 'Yes' },
    { args: ['other', ['a'], ['b']], gives: 'other' },
  ],
}

const replacePrefix: FunctionRecord = {
  id: 'text.replace_prefix',
  says: 'The text with a leading piece replaced by another, ignoring case; else as it is.',
  takes: [
    { name: 'text', type: 'text' },
    { name: 'from', type: 'text', constant: true },
    { name: 'to', type: 'text', constant: true },
  ],
  gives: 'text',
  onNull: 'null',
  blankIsNull: (args) => constText(args, 1) !== '',
  sql: (args) => {
    const text = arg(args, 0).sql
    const from = constText(args, 1)
    return sql`if(startsWith(lower(${text}), ${literal(from.toLowerCase())}), concat(${literal(constText(args, 2))}, substring(${text}, ${literal(new TextEncoder().encode(from).length + 1)})), ${text})`
  },
  examples: [
    {
      args: ['\\REGISTRY\\MACHINE\\SOFTWARE', '\\REGISTRY\\MACHINE', 'HKLM'],
      gives: 'HKLM\\SOFTWARE',
    },
    { args: ['C:\\x', '\\REGISTRY', 'HKLM'], gives: 'C:\\x' },
  ],
}

const hexToDecimal: FunctionRecord = {
  id: 'text.hex_to_decimal',
  says: 'A number written `0x...` as decimal text; other texts as they are.',
  takes: [{ name: 'text', type: 'text' }],
  gives: 'text',
  onNull: 'null',
  blankIsNull: () => true,
  sql: (args) => {
    const text = arg(args, 0).sql
    return sql`if(match(${text}, '^0[xX][0-9a-fA-F]{1,16}$'), toString(reinterpretAsUInt64(reverse(unhex(leftPad(substring(${text}, 3), 16, '0'))))), ${text})`
  },
  examples: [
    { args: ['0x1f4'], gives: '500' },
    { args: ['500'], gives: '500' },
    { args: ['0xffffffffffffffff'], gives: '18446744073709551615' },
  ],
}

/** Joins only when every part is present: half a name would be another name. */
const join: FunctionRecord = {
  id: 'text.join',
  says: 'The parts one after the other; missing when any part is missing.',
  takes: [{ name: 'part', type: 'text', many: true }],
  gives: 'text',
  onNull: 'null',
  blankIsNull: () => true,
  sql: (args) => {
    const present = args
      .filter((each) => each.value === undefined)
      .map((each) => sql`${each.sql} != ''`)
    const whole = sql`concat(${joined(
      args.map((each) => each.sql),
      ', ',
    )})`
    return present.length === 0 ? whole : sql`if(${joined(present, ' AND ')}, ${whole}, '')`
  },
  examples: [{ args: ['CORP', '\\', 'ann'], gives: 'CORP\\ann' }],
}

const first: FunctionRecord = {
  id: 'value.first',
  says: 'The first part that has a value.',
  takes: [{ name: 'part', type: 'text', many: true }],
  gives: 'text',
  onNull: 'skip',
  blankIsNull: () => true,
  sql: (args) => {
    const last = args.at(-1)
    const isFilled = typeof last?.value === 'string' && last.value !== ''
    const parts = args.map((each) =>
      isFilled && each === last ? each.sql : sql`nullIf(${each.sql}, '')`,
    )
    return sql`coalesce(${joined(isFilled ? parts : [...parts, sql`''`], ', ')})`
  },
  examples: [
    { args: ['', 'b'], gives: 'b' },
    { args: ['a', 'b'], gives: 'a' },
  ],
}

/** A list part is joined with line ends too, so that a keyword never matches across two values by accident. */
const piece = (each: SqlArg) =>
  typeof each.type === 'object' ? sql`arrayStringConcat(${each.sql}, '\n')` : sql`${each.sql}`

const lines: FunctionRecord = {
  id: 'text.lines',
  says: 'All given values that are not empty, one a line.',
  takes: [{ name: 'part', type: 'any', many: true }],
  gives: 'text',
  onNull: 'skip',
  blankIsNull: () => true,
  sql: (args) => {
    const [only] = args
    return args.length === 1 && only !== undefined
      ? piece(only)
      : sql`arrayStringConcat(arrayFilter(v -> v != '', [${joined(args.map(piece), ', ')}]), '\n')`
  },
  examples: [
    { args: ['a', 'b'], gives: 'a\nb' },
    { args: ['', 'b', ''], gives: 'b' },
    { args: ['', ''], gives: '' },
  ],
}

const stack: FunctionRecord = {
  id: 'text.stack',
  says: 'All given values, one a line, empty ones too; quicker than `text.lines` for very many.',
  takes: [{ name: 'part', type: 'any', many: true }],
  gives: 'text',
  onNull: 'skip',
  blankIsNull: () => true,
  sql: (args) =>
    args.length === 0
      ? sql`''`
      : args.length === 1
        ? piece(arg(args, 0))
        : sql`concatWithSeparator('\n', ${joined(args.map(piece), ', ')})`,
  examples: [{ args: ['a', '', 'b'], gives: 'a\n\nb' }],
}

const mapValues: FunctionRecord = {
  id: 'map.values',
  says: 'All values of the overflow map, one a line.',
  takes: [{ name: 'map', type: 'dynamic' }],
  gives: 'text',
  onNull: 'own',
  sql: (args) => sql`arrayStringConcat(mapValues(${arg(args, 0).sql}), '\n')`,
  examples: [],
}

const notEmpty: FunctionRecord = {
  id: 'list.not_empty',
  says: 'True when the list has at least one element.',
  takes: [{ name: 'list', type: 'any' }],
  gives: 'bool',
  onNull: 'own',
  sql: (args) => sql`notEmpty(${arg(args, 0).sql})`,
  examples: [
    { args: [['a']], gives: true },
    { args: [[]], gives: false },
  ],
}

const between: FunctionRecord = {
  id: 'text.between',
  says: 'The piece after the first `after` and before the next `before` (an empty one: to the end); else missing.',
  takes: [
    { name: 'text', type: 'text' },
    { name: 'after', type: 'text', constant: true },
    { name: 'before', type: 'text', constant: true },
  ],
  gives: 'text',
  onNull: 'null',
  blankIsNull: () => true,
  sql: (args) => {
    const text = arg(args, 0).sql
    const after = constText(args, 1)
    const before = constText(args, 2)
    const at = sql`position(${text}, ${literal(after)})`
    const rest = sql`substring(${text}, ${at} + ${literal(new TextEncoder().encode(after).length)})`
    const piece = before === '' ? rest : sql`splitByString(${literal(before)}, ${rest})[1]`
    return sql`if(${at} > 0, ${piece}, '')`
  },
  examples: [
    { args: ['TTY=pts/0 ; USER=#-1 ; COMMAND=/bin/sh', 'USER=', ' ;'], gives: '#-1' },
    { args: ['projects/p/logs/activity', '/logs/', ''], gives: 'activity' },
    { args: ['USER=root', 'USER=', ' ;'], gives: 'root' },
    { args: ['nothing here', 'USER=', ' ;'], gives: '' },
  ],
}

const dropEnd: FunctionRecord = {
  id: 'text.drop_end',
  says: 'The text without the given end; a text that ends otherwise stays as it is.',
  takes: [
    { name: 'text', type: 'text' },
    { name: 'end', type: 'text', constant: true },
  ],
  gives: 'text',
  onNull: 'null',
  blankIsNull: () => true,
  sql: (args) => {
    const text = arg(args, 0).sql
    const end = constText(args, 1)
    const size = literal(new TextEncoder().encode(end).length)
    return sql`if(endsWith(${text}, ${literal(end)}), substring(${text}, 1, length(${text}) - ${size}), ${text})`
  },
  examples: [
    { args: ['example.org.', '.'], gives: 'example.org' },
    { args: ['example.org', '.'], gives: 'example.org' },
  ],
}

const dword: FunctionRecord = {
  id: 'text.dword',
  says: 'A decimal number below 2^32 in the form in which Sysmon writes registry numbers; other texts as they are.',
  takes: [{ name: 'text', type: 'text' }],
  gives: 'text',
  onNull: 'null',
  blankIsNull: () => true,
  sql: (args) => {
    const text = arg(args, 0).sql
    const number = sql`toUInt64OrZero(${text})`
    return sql`if(match(${text}, '^[0-9]{1,10}$') AND ${number} < 4294967296, concat('DWORD (0x', lower(leftPad(hex(${number}), 8, '0')), ')'), ${text})`
  },
  examples: [
    { args: ['1'], gives: 'DWORD (0x00000001)' },
    { args: ['0'], gives: 'DWORD (0x00000000)' },
    { args: ['4294967295'], gives: 'DWORD (0xffffffff)' },
    { args: ['4294967296'], gives: '4294967296' },
    { args: ['C:\\x.exe'], gives: 'C:\\x.exe' },
  ],
}

const listAt: FunctionRecord = {
  id: 'list.at',
  says: 'The element at a position, counted from 1; missing past the end.',
  takes: [
    { name: 'list', type: { list: 'text' } },
    { name: 'position', type: 'int', constant: true },
  ],
  gives: 'text',
  onNull: 'null',
  sql: (args) => sql`${arg(args, 0).sql}[${arg(args, 1).sql}]`,
  fold: ([list, position]) =>
    Array.isArray(list) && typeof position === 'number' ? (list[position - 1] ?? null) : undefined,
  examples: [{ args: [['a', 'b'], 2], gives: 'b' }],
}

const listJoin: FunctionRecord = {
  id: 'list.join',
  says: 'The elements of a list as one text with the given piece between them.',
  takes: [
    { name: 'list', type: { list: 'text' } },
    { name: 'between', type: 'text', constant: true },
  ],
  gives: 'text',
  onNull: 'null',
  sql: (args) => sql`arrayStringConcat(${arg(args, 0).sql}, ${literal(constText(args, 1))})`,
  fold: ([list, between]) =>
    Array.isArray(list) && typeof between === 'string'
      ? list.length === 0
        ? null
        : list.join(between)
      : undefined,
  examples: [{ args: [['ls', '-l', '/'], ' '], gives: 'ls -l /' }],
}

const listOf: FunctionRecord = {
  id: 'list.of',
  says: 'All values of the parts as one multivalued field: a test holds when it holds for any of them.',
  takes: [{ name: 'part', type: 'any', many: true }],
  gives: { list: 'text' },
  onNull: 'skip',
  blankIsNull: () => true,
  sql: (args) => {
    const lists = args.filter((each) => typeof each.type === 'object')
    const texts = args.filter((each) => typeof each.type !== 'object')
    const all = [
      ...(texts.length === 0
        ? []
        : [
            sql`[${joined(
              texts.map((each) => each.sql),
              ', ',
            )}]`,
          ]),
      ...lists.map((each) => each.sql),
    ]
    return sql`arrayFilter(v -> v != '', arrayConcat(${joined(all, ', ')}))`
  },
  examples: [{ args: ['a', ['b', '']], gives: ['a', 'b'] }],
}

const hasAny: FunctionRecord = {
  id: 'list.has_any',
  says: 'True when the list holds at least one of the numbers.',
  takes: [
    { name: 'list', type: { list: 'int' } },
    { name: 'numbers', type: { list: 'int' }, constant: true },
  ],
  gives: 'bool',
  onNull: 'own',
  sql: (args) => {
    const numbers = arg(args, 1).value
    return Array.isArray(numbers) && numbers.length === 1
      ? sql`has(${arg(args, 0).sql}, ${literal(numbers[0])})`
      : sql`hasAny(${arg(args, 0).sql}, ${arg(args, 1).sql})`
  },
  examples: [
    {
      args: [
        [1, 3],
        [3, 4],
      ],
      gives: true,
    },
    { args: [[1, 3], [2]], gives: false },
  ],
}

const rowValues: FunctionRecord = {
  id: 'row.values',
  says: 'All values of the row; binding puts the columns of the source in its place.',
  takes: [],
  gives: 'text',
  onNull: 'own',
  sql: () => {
    throw new RangeError('row.values has no SQL before it is bound')
  },
  examples: [],
}

const hits: FunctionRecord = {
  id: 'rules.hits',
  says: 'The positions, from 1, of the conditions that hold.',
  takes: [{ name: 'condition', type: 'bool', many: true }],
  gives: { list: 'int' },
  onNull: 'own',
  sql: (args) =>
    sql`arrayFilter(n -> n > 0, [${joined(
      args.map((each, index) => sql`if(${each.sql}, ${literal(index + 1)}, 0)`),
      ', ',
    )}])`,
  examples: [{ args: [true, false, true], gives: [1, 3] }],
}

const logic: readonly FunctionRecord[] = [
  {
    id: 'logic.and',
    says: 'True when every part is true.',
    takes: [{ name: 'part', type: 'bool', many: true }],
    gives: 'bool',
    onNull: 'own',
    sql: (args) =>
      sql`(${joined(
        args.map((each) => each.sql),
        ' AND ',
      )})`,
    fold: (args) => args.every((each) => each === true),
    examples: [
      { args: [true, true], gives: true },
      { args: [true, false], gives: false },
    ],
  },
  {
    id: 'logic.or',
    says: 'True when any part is true.',
    takes: [{ name: 'part', type: 'bool', many: true }],
    gives: 'bool',
    onNull: 'own',
    sql: (args) =>
      sql`(${joined(
        args.map((each) => each.sql),
        ' OR ',
      )})`,
    fold: (args) => args.some((each) => each === true),
    examples: [
      { args: [false, true], gives: true },
      { args: [false, false], gives: false },
    ],
  },
  {
    id: 'logic.not',
    says: 'True when the part is false; parts are two-valued, so a missing field makes this true.',
    takes: [{ name: 'part', type: 'bool' }],
    gives: 'bool',
    onNull: 'own',
    sql: (args) => sql`(NOT ${arg(args, 0).sql})`,
    fold: ([value]) => value !== true,
    examples: [
      { args: [true], gives: false },
      { args: [false], gives: true },
    ],
  },
]

export const valueFunctions: readonly FunctionRecord[] = [
  ...logic,
  isNull,
  exists,
  hasValue,
  compare('number.lt', '<', 'below'),
  compare('number.lte', '<=', 'at most'),
  compare('number.gt', '>', 'above'),
  compare('number.gte', '>=', 'at least'),
  compare('number.eq', '=', 'equal to'),
  compare('number.neq', '!=', 'different from'),
  timePart,
  listTimePart,
  map,
  replacePrefix,
  hexToDecimal,
  join,
  first,
  lines,
  stack,
  mapValues,
  between,
  dropEnd,
  dword,
  listAt,
  listJoin,
  listOf,
  notEmpty,
  hasAny,
  rowValues,
  hits,
]
