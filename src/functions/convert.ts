/**
 * Readings of texts as numbers that SPL's `convert` knows: with commas, as lengths of time, as sizes of memory. What is
 * not written in the form is missing.
 * https://help.splunk.com/en/splunk-enterprise/search/spl-search-reference/9.4/search-commands/convert
 */
import { evalFunction, NO_NUMBER, numberIn, text, textOf } from './evalvalue.ts'
import { named, VARIABLES } from './once.ts'
import { arg, type Example, type FunctionRecord } from './record.ts'
import { literal, type Sql, sql } from './sql.ts'

const { g: GROUPS, a: TEXT } = VARIABLES

const part = (index: number): Sql => sql`toFloat64OrZero(${GROUPS}[${literal(index)}])`

/** A number made of the groups of a pattern that must fit the whole text. */
function reading(
  id: string,
  says: string,
  pattern: string,
  made: Sql,
  examples: readonly Example[],
): FunctionRecord {
  return evalFunction(`convert.${id}`, [], {
    says,
    takes: [text('text')],
    gives: 'float',
    sql: (args) => {
      const groups = sql`extractGroups(ifNull(${textOf(arg(args, 0))}, ''), ${literal(pattern)})`
      return named(groups, GROUPS, (g) => sql`if(empty(${g}), ${NO_NUMBER}, ${made})`)
    },
    examples,
  })
}

export const convertFunctions: readonly FunctionRecord[] = [
  evalFunction('convert.num', [], {
    says: 'The number that a text is written as, with or without commas between its thousands.',
    takes: [text('text')],
    gives: 'float',
    sql: (args) =>
      named(textOf(arg(args, 0)), TEXT, (v) => {
        const grouped = sql`match(${v}, '^\\\\s*[-+]?\\\\d{1,3}(?:,\\\\d{3})+(?:\\\\.\\\\d*)?\\\\s*$')`
        return numberIn(sql`if(${grouped}, replaceAll(${v}, ',', ''), ${v})`)
      }),
    examples: [
      { args: ['1,234'], gives: 1234 },
      { args: ['-1,234,567.5'], gives: -1_234_567.5 },
      { args: ['12,34'], gives: null },
      { args: [' 7 '], gives: 7 },
      { args: ['7 s'], gives: null },
      { args: [null], as: ['text'], gives: null },
    ],
  }),
  reading(
    'seconds',
    'The seconds of a length of time: `[D+]HH:MM:SS`, or a plain number.',
    '^\\s*(?:(?:(\\d+)\\+)?(\\d+):(\\d{1,2}):(\\d{1,2}(?:\\.\\d+)?)|(\\d+(?:\\.\\d+)?))\\s*$',
    sql`(${part(1)} * 86400 + ${part(2)} * 3600 + ${part(3)} * 60 + ${part(4)} + ${part(5)})`,
    [
      { args: ['01:23:45'], gives: 5025 },
      { args: ['2+00:00:01'], gives: 172_801 },
      { args: ['90'], gives: 90 },
      { args: ['1h'], gives: null },
      { args: [null], as: ['text'], gives: null },
    ],
  ),
  reading(
    'minutes',
    'The seconds of a length of time: `[MM:]SS.SSS`.',
    '^\\s*(?:(\\d+):)?(\\d+(?:\\.\\d+)?)\\s*$',
    sql`(${part(1)} * 60 + ${part(2)})`,
    [
      { args: ['02:03.5'], gives: 123.5 },
      { args: ['7.25'], gives: 7.25 },
      { args: ['x'], gives: null },
    ],
  ),
  reading(
    'kilobytes',
    'The kilobytes of a size: a number with k, m or g behind it, k where there is none.',
    '^\\s*(\\d+(?:\\.\\d+)?)\\s*([kKmMgG]?)[bB]?\\s*$',
    sql`(${part(1)} * multiIf(lower(${GROUPS}[2]) = 'm', 1024, lower(${GROUPS}[2]) = 'g', 1048576, 1))`,
    [
      { args: ['200k'], gives: 200 },
      { args: ['2M'], gives: 2048 },
      { args: ['1.5g'], gives: 1_572_864 },
      { args: ['12'], gives: 12 },
      { args: ['12x'], gives: null },
    ],
  ),
  evalFunction('convert.lead', [], {
    says: 'The number at the beginning of a text, as it is written; missing where there is none.',
    takes: [text('text')],
    gives: 'text',
    sql: (args) =>
      sql`nullIf(regexpExtract(ifNull(${textOf(arg(args, 0))}, ''), '^\\\\s*([-+]?(?:\\\\d[\\\\d,]*(?:\\\\.\\\\d+)?|\\\\.\\\\d+))', 1), '')`,
    examples: [
      { args: ['2.000 sec'], gives: '2.000' },
      { args: ['-7ms'], gives: '-7' },
      { args: ['x'], gives: null },
    ],
  }),
  evalFunction('convert.no_commas', [], {
    says: 'The text without commas.',
    takes: [text('text')],
    gives: 'text',
    sql: (args) => sql`replaceAll(${textOf(arg(args, 0))}, ',', '')`,
    examples: [{ args: ['1,000,000.00'], gives: '1000000.00' }],
  }),
]
