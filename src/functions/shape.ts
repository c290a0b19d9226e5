/** Texts taken to pieces by one pattern: the groups of a match, and the pairs of keys and values in a text. */
import { arg, type FunctionRecord } from './record.ts'
import { literal, sql } from './sql.ts'

const groups: FunctionRecord = {
  id: 'parse.groups',
  says: 'What the groups of a pattern match in a text, an empty list where it does not match.',
  takes: [
    { name: 'text', type: 'text' },
    { name: 'pattern', type: 'text', constant: true },
  ],
  gives: { list: 'text' },
  onNull: 'own',
  sql: (args) => sql`extractGroups(${arg(args, 0).sql}, ${arg(args, 1).sql})`,
  examples: [
    { args: ['n=12;', '^n=(\\d+)()'], gives: ['12', ''] },
    { args: ['none', '^n=(\\d+)()'], gives: [] },
  ],
}

const part: FunctionRecord = {
  id: 'parse.part',
  says: 'The text at a place of a list, counted from 1; empty where there is none.',
  takes: [
    { name: 'list', type: { list: 'text' } },
    { name: 'place', type: 'int', constant: true },
  ],
  gives: 'text',
  onNull: 'own',
  sql: (args) => sql`${arg(args, 0).sql}[${arg(args, 1).sql}]`,
  examples: [
    { args: [['a', 'b'], 2], gives: 'b' },
    { args: [['a'], 2], gives: '' },
  ],
}

const isParsed: FunctionRecord = {
  id: 'parse.matched',
  says: 'True when a pattern has matched, by the list of its groups.',
  takes: [{ name: 'list', type: { list: 'text' } }],
  gives: 'bool',
  onNull: 'own',
  sql: (args) => sql`notEmpty(${arg(args, 0).sql})`,
  examples: [
    { args: [['a', '']], gives: true },
    { args: [[]], gives: false },
  ],
}

/** Stands between the pairs of a text while it is read; taken out of the text first. */
const PAIR_END = '\u{e000}'
/** Stands between a key and its value. */
const KEY_END = '\u{e001}'
/** Stands in front of a key while pairs are made longer. */
const KEY_START = '\u{e002}'

const marked: FunctionRecord = {
  id: 'pairs.marked',
  says: 'A text with one sign in place of what stands between pairs, and another between keys and values.',
  takes: [
    { name: 'text', type: 'text' },
    { name: 'pairDelimiter', type: 'text', constant: true },
    { name: 'keyDelimiter', type: 'text', constant: true },
  ],
  gives: 'text',
  onNull: 'own',
  sql: (args) =>
    sql`replaceAll(replaceAll(replaceRegexpAll(${arg(args, 0).sql}, ${literal(`[${PAIR_END}${KEY_END}${KEY_START}]`)}, ''), ${arg(args, 1).sql}, ${literal(PAIR_END)}), ${arg(args, 2).sql}, ${literal(KEY_END)})`,
  examples: [{ args: ['a:=1;;b:=2', ';;', ':='], gives: `a${KEY_END}1${PAIR_END}b${KEY_END}2` }],
}

const cut: FunctionRecord = {
  id: 'pairs.cut',
  says: 'A marked text whose pairs end only where another key follows.',
  takes: [
    { name: 'text', type: 'text' },
    { name: 'pairDelimiter', type: 'text', constant: true },
  ],
  gives: 'text',
  onNull: 'own',
  sql: (args) =>
    // First every end is taken away, then one is set in front of each key.
    sql`replaceRegexpAll(replaceAll(replaceRegexpAll(${arg(args, 0).sql}, ${literal(`(?s)(^|${PAIR_END})(\\s*[^${PAIR_END}${KEY_END}]+?\\s*${KEY_END})`)}, ${literal(`${KEY_START}\\2`)}), ${literal(PAIR_END)}, ${arg(args, 1).sql}), ${literal(KEY_START)}, ${literal(PAIR_END)})`,
  examples: [
    {
      args: [`a${KEY_END}x${PAIR_END}y${PAIR_END}b${KEY_END}2`, ' '],
      gives: `${PAIR_END}a${KEY_END}x y${PAIR_END}b${KEY_END}2`,
    },
  ],
}

const found: FunctionRecord = {
  id: 'pairs.found',
  says: 'The groups of every match of a pattern in a text, in order.',
  takes: [
    { name: 'text', type: 'text' },
    { name: 'pattern', type: 'text', constant: true },
  ],
  gives: { list: 'dynamic' },
  onNull: 'own',
  sql: (args) => sql`extractAllGroupsVertical(${arg(args, 0).sql}, ${arg(args, 1).sql})`,
  examples: [],
}

const value: FunctionRecord = {
  id: 'pairs.value',
  says: 'The value of a key: the groups behind the first ones of the first match whose first groups make up the key.',
  takes: [
    { name: 'matches', type: { list: 'dynamic' } },
    { name: 'key', type: 'text', constant: true },
    { name: 'keyGroups', type: 'int', constant: true },
  ],
  gives: 'text',
  onNull: 'own',
  sql: (args) => {
    const [list, key, count] = [arg(args, 0).sql, arg(args, 1).sql, arg(args, 2).sql]
    return sql`arrayStringConcat(arraySlice(arrayFirst(g -> trimBoth(arrayStringConcat(arraySlice(g, 1, ${count}))) = ${key}, ${list}), ${count} + 1))`
  },
  examples: [],
}

const plain: FunctionRecord = {
  id: 'pairs.plain',
  says: 'A value with the delimiters that it holds in place of the signs for them, without blanks around it.',
  takes: [
    { name: 'value', type: 'text' },
    { name: 'pairDelimiter', type: 'text', constant: true },
    { name: 'keyDelimiter', type: 'text', constant: true },
  ],
  gives: 'text',
  onNull: 'own',
  sql: (args) =>
    sql`replaceAll(replaceAll(trimBoth(${arg(args, 0).sql}), ${literal(PAIR_END)}, ${arg(args, 1).sql}), ${literal(KEY_END)}, ${arg(args, 2).sql})`,
  examples: [{ args: [`${KEY_END}a `, ';', '='], gives: '=a' }],
}

const unescaped: FunctionRecord = {
  id: 'pairs.unescaped',
  says: 'A text without the escape sign in front of characters, by a pattern of such pairs.',
  takes: [
    { name: 'text', type: 'text' },
    { name: 'pattern', type: 'text', constant: true },
  ],
  gives: 'text',
  onNull: 'own',
  sql: (args) => sql`replaceRegexpAll(${arg(args, 0).sql}, ${arg(args, 1).sql}, ${literal('\\1')})`,
  examples: [{ args: ['a\\"b', '(?s)\\\\(.)'], gives: 'a"b' }],
}

export const SIGNS = { pairEnd: PAIR_END, keyEnd: KEY_END } as const

export const shapeFunctions: readonly FunctionRecord[] = [
  groups,
  part,
  isParsed,
  marked,
  cut,
  found,
  value,
  plain,
  unescaped,
]
