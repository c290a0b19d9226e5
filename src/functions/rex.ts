/**
 * What the groups of a pattern find in a text, as SPL's `rex` takes it: a group that finds nothing, or an empty text,
 * leaves its field as it was. Patterns are RE2, already checked.
 */
import { evalFunction, LIST, list, listOf, text, textOf } from './evalvalue.ts'
import { named, VARIABLES } from './once.ts'
import { arg, constText, constTexts, type FunctionRecord } from './record.ts'
import { joined, literal, type Sql, type SqlArg, sql } from './sql.ts'

const PATTERN = text('pattern', { constant: true })
const VALUE = sql`\`^v\``
const FOUND = sql`\`^f\``

const numberAt = (args: readonly SqlArg[], index: number): number => {
  const { value } = arg(args, index)
  return typeof value === 'number' ? value : 0
}

/** What one group finds, all over a text that is not missing. */
function allOf(value: Sql, pattern: string, group: number, most: number): Sql {
  const all =
    group === 1
      ? sql`extractAll(${value}, ${literal(pattern)})`
      : sql`arrayMap(${FOUND} -> ${FOUND}[${literal(group)}], extractAllGroupsVertical(${value}, ${literal(pattern)}))`
  const first = most === 0 ? all : sql`arraySlice(${all}, 1, ${literal(most)})`
  return sql`arrayFilter(${FOUND} -> ${FOUND} != '', ${first})`
}

/** A replacement in which the engine's `\0` to `\9` are the only escapes. */
function replaced(value: Sql, pattern: string, rewrite: string, isAll: boolean): Sql {
  return isAll
    ? sql`replaceRegexpAll(${value}, ${literal(pattern)}, ${literal(rewrite)})`
    : sql`replaceRegexpOne(${value}, ${literal(pattern)}, ${literal(rewrite)})`
}

/**
 * The one of a number of the places that a pattern with so many groups finds rewritten: what stands before it is taken
 * as a group of its own, so that the pattern's groups have higher numbers.
 */
function rewrittenOne(
  value: Sql,
  pattern: string,
  rewrite: string,
  place: number,
  groups: number,
): Sql {
  const any = '(?s:.)*?'
  const whole = `^((?:${any}(?:${pattern})){${place - 1}}${any})(${pattern})`
  const moved = rewrite.replace(/\\(.)/gs, (all, next: string) =>
    /\d/.test(next) ? `\\${Number(next) + groups + 2}` : all,
  )
  const made = sql`replaceRegexpOne(${VALUE}, ${literal(whole)}, ${literal(`\\1${moved}`)})`
  const isThere = sql`length(extractAll(ifNull(${VALUE}, ''), ${literal(pattern)})) >= ${literal(place)}`
  return sql`arrayMap(${VALUE} -> if(${isThere}, ${made}, ${VALUE}), [${value}])[1]`
}

export const rexFunctions: readonly FunctionRecord[] = [
  evalFunction('rex.group', [], {
    says: 'What a group of a pattern finds first in a text; missing when that is nothing.',
    takes: [text('text'), PATTERN, { name: 'group', type: 'int', constant: true }],
    gives: 'text',
    sql: (args) =>
      sql`nullIf(regexpExtract(ifNull(${textOf(arg(args, 0))}, ''), ${literal(constText(args, 1))}, ${literal(numberAt(args, 2))}), '')`,
    examples: [
      { args: ['id=7 id=8', 'id=(\\d+)', 1], gives: '7' },
      { args: ['id=x', 'id=(\\d*)', 1], gives: null },
      { args: [null, '(.)', 1], as: ['text', 'text', 'int'], gives: null },
    ],
  }),
  evalFunction('rex.groups', [], {
    says: 'What the groups of a pattern find first in a text, empty for a group that finds nothing.',
    takes: [text('text'), PATTERN],
    gives: LIST,
    sql: (args) =>
      sql`extractGroups(ifNull(${textOf(arg(args, 0))}, ''), ${literal(constText(args, 1))})`,
    examples: [
      { args: ['a1', '([a-z])(\\d)(x)?'], gives: ['a', '1', ''] },
      { args: ['-', '([a-z])(\\d)'], gives: [] },
    ],
  }),
  evalFunction('rex.found', [], {
    says: 'What one of the groups has found; missing when that is nothing.',
    takes: [list('groups'), { name: 'group', type: 'int', constant: true }],
    gives: 'text',
    sql: (args) => sql`nullIf(${listOf(arg(args, 0))}[${literal(numberAt(args, 1))}], '')`,
    examples: [
      { args: [['a', ''], 1], gives: 'a' },
      { args: [['a', ''], 2], gives: null },
      { args: [[], 1], as: [LIST, 'int'], gives: null },
    ],
  }),
  evalFunction('rex.all', [], {
    says: 'All that a group of a pattern finds in each of the values, or the first so many of each.',
    takes: [
      list('values'),
      PATTERN,
      { name: 'group', type: 'int', constant: true },
      { name: 'most', type: 'int', constant: true },
    ],
    gives: LIST,
    sql: (args) => {
      const found = allOf(VALUE, constText(args, 1), numberAt(args, 2), numberAt(args, 3))
      return sql`arrayFlatten(arrayMap(${VALUE} -> ${found}, ${listOf(arg(args, 0))}))`
    },
    examples: [
      { args: [['a1b22', 'c3'], '(\\d+)', 1, 0], gives: ['1', '22', '3'] },
      { args: [['a1b22'], '([a-z])(\\d+)', 2, 1], gives: ['1'] },
      { args: [[], '(\\d)', 1, 0], as: [LIST, 'text', 'int', 'int'], gives: [] },
    ],
  }),
  evalFunction('rex.rewrite', [], {
    says: 'The text with the first, or all, that a pattern finds rewritten; `\\1` stands for the first group.',
    takes: [
      text('text'),
      PATTERN,
      text('rewrite', { constant: true }),
      { name: 'all', type: 'bool', constant: true },
    ],
    gives: 'text',
    sql: (args) =>
      replaced(
        textOf(arg(args, 0)),
        constText(args, 1),
        constText(args, 2),
        arg(args, 3).value === true,
      ),
    examples: [
      { args: ['1234-5678', '(\\d)\\d{3}', '\\1xxx', true], gives: '1xxx-5xxx' },
      { args: ['aa', 'a', 'b', false], gives: 'ba' },
      { args: [null, 'a', 'b', true], as: ['text', 'text', 'text', 'bool'], gives: null },
    ],
  }),
  evalFunction('rex.rewrite_one', [], {
    says: 'The text with one of the places that a pattern finds rewritten, by its number from 2; `\\1` stands for the first of its groups.',
    takes: [
      text('text'),
      PATTERN,
      text('rewrite', { constant: true }),
      { name: 'place', type: 'int', constant: true },
      { name: 'groups', type: 'int', constant: true },
    ],
    gives: 'text',
    sql: (args) =>
      rewrittenOne(
        textOf(arg(args, 0)),
        constText(args, 1),
        constText(args, 2),
        numberAt(args, 3),
        numberAt(args, 4),
      ),
    examples: [
      { args: ['a1\na2 a3', 'a(\\d)', '<\\1\\0>', 2, 1], gives: 'a1\n<2a2> a3' },
      { args: ['aaa', 'a+', 'b', 2, 0], gives: 'aaa' },
      { args: ['aaa b a', 'a+', 'b', 2, 0], gives: 'aaa b b' },
      { args: [null, 'a', 'b', 2, 0], as: ['text', 'text', 'text', 'int', 'int'], gives: null },
    ],
  }),
  evalFunction('rex.filled', [], {
    says: 'Pieces of text with what the groups of a pattern find between them.',
    takes: [text('text'), PATTERN, list('pieces', { constant: true })],
    gives: 'text',
    sql: (args) => {
      const groups = sql`extractGroups(ifNull(${textOf(arg(args, 0))}, ''), ${literal(constText(args, 1))})`
      return named(groups, VARIABLES.g, (g) => {
        const parts = constTexts(args, 2).flatMap((each, at) =>
          at === 0 ? [literal(each)] : [sql`${g}[${literal(at)}]`, literal(each)],
        )
        return sql`concat('', ${joined(parts, ', ')})`
      })
    },
    examples: [
      { args: ['880 Holmes Lane', '^(.*) Lane$', ['Lane ', '!']], gives: 'Lane 880 Holmes!' },
      { args: ['a', '^(.*)$', ['\\1', '']], gives: '\\1a' },
    ],
  }),
  evalFunction('rex.translate', [], {
    says: 'The text with each character of one list replaced by the one at its place in another.',
    takes: [text('text'), text('from', { constant: true }), text('to', { constant: true })],
    gives: 'text',
    sql: (args) =>
      sql`translateUTF8(${textOf(arg(args, 0))}, ${literal(constText(args, 1))}, ${literal(constText(args, 2))})`,
    examples: [{ args: ['abcä', 'abä', 'xyz'], gives: 'xycz' }],
  }),
]
