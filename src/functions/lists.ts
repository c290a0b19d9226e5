/** Lists that rows are made from: elements side by side, ranges, and a number for each row. */
import { arg, constText, type FunctionRecord, type Parameter } from './record.ts'
import { joined, literal, type Sql, type SqlArg, sql } from './sql.ts'

/** Most values that one range may have; a longer one ends the query instead of losing its end. */
const MOST = sql`10000000`

function bounded(count: Sql): Sql {
  return sql`toUInt32(${count} + throwIf(${count} > ${MOST}, 'a range of more than 10,000,000 values'))`
}

const zip: FunctionRecord = {
  id: 'list.zip',
  says: 'The elements of lists side by side, each with its place from 0 behind; the longest list tells how many.',
  takes: [{ name: 'list', type: 'any', many: true }],
  gives: { list: 'dynamic' },
  onNull: 'own',
  sql: (args) => {
    const [first = arg(args, 0), ...rest] = args
    if (rest.length === 0) {
      return sql`arrayMap((e, i) -> (e, toInt64(i - 1)), ${first.sql}, arrayEnumerate(${first.sql}))`
    }
    const longest = sql`arrayMax([${joined(
      args.map((each) => sql`length(${each.sql})`),
      ', ',
    )}])`
    // A place past the end of an array reads as the type's blank, and a blank of these is NULL.
    const cells = args.map((_, index) => sql`tupleElement(l, ${literalNumber(index + 1)})[i + 1]`)
    return sql`arrayMap(l -> arrayMap(i -> (${joined(cells, ', ')}, toInt64(i)), range(${longest})), [(${joined(
      args.map((each) => each.sql),
      ', ',
    )})])[1]`
  },
  examples: [],
}

function literalNumber(value: number) {
  return { kind: 'literal', value } as const
}

const TICKS = sql`'Int64'`

function steps(from: SqlArg, to: SqlArg, step: SqlArg) {
  if (from.type === 'float' || from.type === 'decimal') {
    const count = sql`toInt64(floor((${to.sql} - ${from.sql}) / ${step.sql} + 1e-9))`
    return sql`arrayMap(i -> ${from.sql} + i * ${step.sql}, range(${bounded(sql`greatest(ifNull(${count}, -1) + 1, 0)`)}))`
  }
  const whole = (value: SqlArg) =>
    value.type === 'time' ? sql`reinterpret(${value.sql}, ${TICKS})` : value.sql
  const count = sql`intDivOrNull(${whole(to)} - ${whole(from)}, ${step.sql})`
  const goes = sql`(${whole(to)} - ${whole(from)}) * sign(${step.sql}) >= 0`
  const size = bounded(sql`if(ifNull(${goes}, false), ifNull(${count}, -1) + 1, 0)`)
  const value = sql`${whole(from)} + toInt64(i) * ${step.sql}`
  return from.type === 'time'
    ? sql`arrayMap(i -> reinterpret(${value}, 'DateTime64(7, \\'UTC\\')'), range(${size}))`
    : sql`arrayMap(i -> ${value}, range(${size}))`
}

const range: FunctionRecord = {
  id: 'list.range',
  says: 'The values from one bound to another, both included, a step apart; at most 1,048,576.',
  takes: [
    { name: 'from', type: 'any' },
    { name: 'to', type: 'any' },
    { name: 'step', type: 'any' },
  ],
  gives: { list: 'int' },
  onNull: 'own',
  sql: (args) => steps(arg(args, 0), arg(args, 1), arg(args, 2)),
  examples: [
    { args: [1, 6, 2], as: ['int', 'int', 'int'], gives: [1, 3, 5] },
    { args: [3, 1, 1], as: ['int', 'int', 'int'], gives: [] },
  ],
}

const rowNumber: FunctionRecord = {
  id: 'row.number',
  says: 'A number that no other row of the query has.',
  takes: [],
  gives: 'int',
  onNull: 'own',
  sql: () => sql`toInt64(rowNumberInAllBlocks())`,
  examples: [],
}

const slot: FunctionRecord = {
  id: 'time.slot',
  says: 'Number of the slot of a length that an instant lies in, counted from 1970.',
  takes: [
    { name: 'time', type: 'time' },
    { name: 'length', type: 'span', constant: true },
  ],
  gives: 'int',
  onNull: 'own',
  sql: (args) => {
    const ticks = sql`reinterpret(${arg(args, 0).sql}, ${TICKS})`
    const length = arg(args, 1).sql
    return sql`intDiv(${ticks} - positiveModulo(${ticks}, ${length}), ${length})`
  },
  examples: [
    { args: ['1970-01-01T00:02:30.0000000Z', 600_000_000], as: ['time', 'span'], gives: 2 },
    { args: ['1969-12-31T23:59:59.0000000Z', 600_000_000], as: ['time', 'span'], gives: -1 },
  ],
}

const TEXTS: Parameter = { name: 'list', type: { list: 'text' } }

const listOr: FunctionRecord = {
  id: 'list.or',
  says: 'The list, or another where it is empty.',
  takes: [TEXTS, { name: 'other', type: { list: 'text' }, constant: true }],
  gives: { list: 'text' },
  onNull: 'skip',
  sql: (args) => {
    const [list, other] = args
    if (list === undefined || other === undefined) return list?.sql ?? sql`[]`
    return sql`if(empty(${list.sql}), ${other.sql}, ${list.sql})`
  },
  examples: [
    { args: [['a'], ['b']], gives: ['a'] },
    { args: [[], ['b']], gives: ['b'] },
  ],
}

const listPieces: FunctionRecord = {
  id: 'list.pieces',
  says: 'The pieces of a text between marks, trimmed, without those that are empty and without a leading word of each.',
  takes: [
    { name: 'text', type: 'text' },
    { name: 'mark', type: 'text', constant: true },
    { name: 'word', type: 'text', constant: true },
  ],
  gives: { list: 'text' },
  onNull: 'own',
  sql: (args) => {
    const text = arg(args, 0)
    if (text.value === null) return sql`CAST([] AS Array(String))`
    const word = constText(args, 2)
    const piece = sql`trimBoth(v)`
    const size = literal(new TextEncoder().encode(word).length + 1)
    const plain =
      word === ''
        ? piece
        : sql`if(startsWith(${piece}, ${literal(word)}), substring(${piece}, ${size}), ${piece})`
    return sql`arrayFilter(v -> v != '', arrayMap(v -> ${plain}, splitByString(${literal(constText(args, 1))}, ${text.sql})))`
  },
  examples: [
    {
      args: ['::ffff:192.0.2.1;2001:db8::1;', ';', '::ffff:'],
      gives: ['192.0.2.1', '2001:db8::1'],
    },
    { args: ['a, b', ',', ''], gives: ['a', 'b'] },
    { args: ['', ',', ''], gives: [] },
  ],
}

const listGroup: FunctionRecord = {
  id: 'list.group',
  says: 'What the first group of an RE2 pattern matches in each element; those without a match are left out.',
  takes: [TEXTS, { name: 'pattern', type: 'text', constant: true }],
  gives: { list: 'text' },
  onNull: 'null',
  sql: (args) =>
    sql`arrayFilter(v -> v != '', arrayMap(v -> extract(v, ${literal(constText(args, 1))}), ${arg(args, 0).sql}))`,
  examples: [{ args: [['ann@a.example', 'bob'], '@(.+)'], gives: ['a.example'] }],
}

export const listFunctions: readonly FunctionRecord[] = [
  zip,
  range,
  rowNumber,
  slot,
  listOr,
  listPieces,
  listGroup,
]
