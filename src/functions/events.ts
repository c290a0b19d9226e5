/**
 * What Splunk knows of every event beside its own fields: its time in seconds, the parts of its date, its punctuation,
 * and where its text tells the time. And the steps between stored fields and values that may be missing.
 */
import { arg, constText, type FunctionRecord } from './record.ts'
import { joined, literal, type Sql, sql } from './sql.ts'

/** Parts of a date as Splunk names and writes them. */
const DATE_PARTS: Readonly<Record<string, (time: Sql) => Sql>> = {
  hour: (time) => sql`toString(toHour(${time}))`,
  mday: (time) => sql`toString(toDayOfMonth(${time}))`,
  minute: (time) => sql`toString(toMinute(${time}))`,
  month: (time) => sql`lower(monthName(${time}))`,
  second: (time) => sql`toString(toSecond(${time}))`,
  wday: (time) => sql`lower(dateName('weekday', ${time}))`,
  year: (time) => sql`toString(toYear(${time}))`,
}

/** A date and a time of day, or seconds since 1970, as logs write them; the first in a text is taken for its time. */
const WRITTEN_TIME = [
  String.raw`\d{4}[-/.]\d{1,2}[-/.]\d{1,2}[T\s]+\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?(?:\s*(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}))?`,
  String.raw`\d{1,2}[-/. ](?:\d{1,2}|[A-Z][a-z]{2,8})[-/. ]\d{4}[:\s]+\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?(?:\s*[AP]M)?(?:\s*[+-]\d{4})?`,
  String.raw`[A-Z][a-z]{2}\s+\d{1,2}\s+(?:\d{4}\s+)?\d{1,2}:\d{2}:\d{2}(?:\.\d+)?`,
  String.raw`\b1\d{9}(?:\.\d+|\d{3})?\b`,
].join('|')

const timeAt = (end: boolean): FunctionRecord => ({
  id: end ? 'event.time_end' : 'event.time_start',
  says: `The place in the text, from 0, where the first time in it ${end ? 'ends' : 'begins'}; missing when there is none.`,
  takes: [{ name: 'text', type: 'text' }],
  gives: 'text',
  onNull: 'null',
  mayMiss: true,
  sql: (args) => {
    const text = arg(args, 0).sql
    const found = sql`extract(${text}, ${literal(WRITTEN_TIME)})`
    const start = sql`position(${text}, ${found})`
    const place = end ? sql`${start} + length(${found}) - 1` : sql`${start} - 1`
    return sql`if(${found} = '', NULL, toString(${place}))`
  },
  examples: [
    { args: ['at 2024-05-01T10:11:12Z x'], gives: end ? '23' : '3' },
    { args: ['no time'], gives: null },
  ],
})

/** Characters of the first line that are looked at for its punctuation. */
const PUNCTUATED = 2000
/** Characters of punctuation that Splunk keeps. */
const PUNCT = 30

export const eventFunctions: readonly FunctionRecord[] = [
  {
    id: 'events.is',
    says: 'True when Splunk calls the events of a source by one of the patterns; binding decides it source by source.',
    takes: [
      { name: 'field', type: 'text', constant: true },
      { name: 'patterns', type: { list: 'text' }, constant: true },
    ],
    gives: 'bool',
    onNull: 'own',
    sql: () => {
      throw new RangeError('events.is has no SQL before it is bound')
    },
    examples: [],
  },
  {
    id: 'value.or_null',
    says: 'A stored or computed text, missing where the event has none.',
    takes: [{ name: 'text', type: 'text' }],
    gives: 'text',
    onNull: 'null',
    mayMiss: true,
    sql: (args) => {
      const text = arg(args, 0)
      return text.blank === undefined ? sql`nullIf(${text.sql}, '')` : text.sql
    },
    examples: [{ args: ['x'], gives: 'x' }],
  },
  {
    id: 'value.listed',
    says: 'The values of a field that some events have several of: the list, or else the one value.',
    takes: [
      { name: 'list', type: { list: 'text' } },
      { name: 'text', type: 'text' },
    ],
    gives: { list: 'text' },
    onNull: 'null',
    sql: (args) => {
      const [list, text] = [arg(args, 0).sql, arg(args, 1)]
      const one = text.blank === undefined ? sql`nullIf(${text.sql}, '')` : text.sql
      return sql`if(notEmpty(${list}), ${list}, arrayMap(v -> assumeNotNull(v), arrayFilter(v -> isNotNull(v), [${one}])))`
    },
    examples: [
      { args: [['a', 'b'], ''], gives: ['a', 'b'] },
      { args: [[], 'c'], as: [{ list: 'text' }, 'text'], gives: ['c'] },
      { args: [[], ''], as: [{ list: 'text' }, 'text'], gives: [] },
    ],
  },
  {
    id: 'event.epoch',
    says: 'A time as seconds since 1970, to the microsecond.',
    takes: [{ name: 'time', type: 'time' }],
    gives: 'float',
    onNull: 'null',
    sql: (args) => sql`(toUnixTimestamp64Micro(${arg(args, 0).sql}) / 1000000)`,
    examples: [{ args: ['2024-01-01T00:00:00.25Z'], as: ['time'], gives: 1704067200.25 }],
  },
  {
    id: 'event.date',
    says: 'A part of the date of an event as a word or number: hour, mday, minute, month, second, wday, year.',
    takes: [
      { name: 'time', type: 'time' },
      { name: 'part', type: 'text', constant: true },
    ],
    gives: 'text',
    onNull: 'null',
    sql: (args) => {
      const part = DATE_PARTS[constText(args, 1)]
      if (part === undefined) throw new RangeError('no such part of a date')
      return part(arg(args, 0).sql)
    },
    examples: [
      { args: ['2024-03-06T04:05:06Z', 'wday'], as: ['time', 'text'], gives: 'wednesday' },
      { args: ['2024-03-06T04:05:06Z', 'month'], as: ['time', 'text'], gives: 'march' },
      { args: ['2024-03-06T04:05:06Z', 'hour'], as: ['time', 'text'], gives: '4' },
    ],
  },
  {
    id: 'event.punct',
    says: 'The punctuation of the first line of a text: letters and digits left out, a blank as _, a tab as t.',
    takes: [{ name: 'text', type: 'text' }],
    gives: 'text',
    onNull: 'null',
    sql: (args) => {
      const line = sql`extract(substring(${arg(args, 0).sql}, 1, ${literal(PUNCTUATED)}), ${literal('^[^\\n]*')})`
      const marks = sql`replaceRegexpAll(${line}, ${literal('[\\p{L}\\p{N}]+')}, '')`
      return sql`substringUTF8(replaceAll(replaceAll(${marks}, '\\t', 't'), ' ', '_'), 1, ${literal(PUNCT)})`
    },
    examples: [{ args: ['May 27 09:28 a-b: x\nnext'], gives: '__:_-:_' }],
  },
  {
    id: 'event.lines',
    says: 'The number of lines of a text.',
    takes: [{ name: 'text', type: 'text' }],
    gives: 'text',
    onNull: 'null',
    sql: (args) =>
      sql`toString(countSubstrings(trim(TRAILING '\\n' FROM ${arg(args, 0).sql}), '\\n') + 1)`,
    examples: [
      { args: ['one'], gives: '1' },
      { args: ['one\ntwo\n'], gives: '2' },
    ],
  },
  {
    id: 'event.pair',
    says: 'The value that a text writes behind `name=`: in quotes, or up to the next blank or comma; missing when it does not.',
    takes: [
      { name: 'text', type: 'text' },
      { name: 'name', type: 'text', constant: true },
    ],
    gives: 'text',
    onNull: 'null',
    mayMiss: true,
    sql: (args) => {
      const name = constText(args, 1).replace(/[.]/g, '\\.')
      const pattern = `(?:^|[\\s,;|&\\[({])${name}\\s?=\\s?("[^"]*"|\\'[^\\']*\\'|[^\\s,;|&\\])}]+)`
      const found = sql`extract(${arg(args, 0).sql}, ${literal(pattern)})`
      return sql`nullIf(trim(BOTH '"\\'' FROM ${found}), '')`
    },
    examples: [
      { args: ['a=1 user="x y", b=2', 'user'], gives: 'x y' },
      { args: ['a=1, b=2', 'a'], gives: '1' },
      { args: ['superuser=1', 'user'], gives: null },
    ],
  },
  {
    id: 'event.kinds',
    says: 'All values of several lists, each once, in their order.',
    takes: [{ name: 'list', type: { list: 'text' }, many: true }],
    gives: { list: 'text' },
    onNull: 'own',
    sql: (args) =>
      sql`arrayDistinct(arrayConcat(${joined(
        args.map((each) => each.sql),
        ', ',
      )}))`,
    examples: [
      {
        args: [
          ['a', 'b'],
          ['b', 'c'],
        ],
        gives: ['a', 'b', 'c'],
      },
    ],
  },
  timeAt(false),
  timeAt(true),
]
