/**
 * Comparisons of Splunk's search command beside the tests of texts (`match.*`): numbers written in several ways, order,
 * terms in the text of an event. All are two-valued: a missing value meets none of them; of several values any may.
 */
import { arg, constText, type Example, type FunctionRecord, type Parameter } from './record.ts'
import { literal, type Sql, type SqlArg, sql } from './sql.ts'

const VALUE: Parameter = { name: 'value', type: 'any' }
const LITERAL: Parameter = { name: 'literal', type: 'text', constant: true }

const base = { gives: 'bool', onNull: 'false', anyOf: true } as const

/** A text as a number, null for what is none; blanks around it do not count. */
const numberOf = (value: SqlArg): Sql =>
  value.type === 'text' ? sql`toFloat64OrNull(trim(BOTH ' ' FROM ${value.sql}))` : value.sql

const isNumber = (text: string): boolean =>
  /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/.test(text)

function constNumber(args: readonly SqlArg[]): Sql {
  return sql`${literal(Number(constText(args, 1)))}`
}

/** Text as the engine compares it, of a value of any type. */
const textOf = (value: SqlArg): Sql =>
  value.type === 'text' ? value.sql : sql`toString(${value.sql})`

interface Ordering {
  readonly id: string
  readonly sign: Sql
  readonly says: string
  readonly examples: readonly Example[]
}

/** An order test: of numbers where both are numbers, else of texts by their characters. */
function ordering({ id, sign, says, examples }: Ordering): FunctionRecord {
  return {
    ...base,
    id,
    says,
    takes: [VALUE, LITERAL],
    blankIsNull: () => false,
    sql: (args) => {
      const value = arg(args, 0)
      const wanted = constText(args, 1)
      const asText = sql`(${textOf(value)} ${sign} ${literal(wanted)})`
      if (!isNumber(wanted)) return asText
      const number = constNumber(args)
      return value.type === 'text'
        ? sql`ifNull(${numberOf(value)} ${sign} ${number}, ${asText})`
        : sql`(${value.sql} ${sign} ${number})`
    },
    examples,
  }
}

/** A part of a pattern over the text of an event for a term: its stars stand for any characters. */
function termPattern(term: string, isCased: boolean): string {
  const written = term
    .split('*')
    .map((each) => each.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&'))
    .join('.*?')
  const edge = '[^\\p{L}\\p{N}]'
  const before = /^[\p{L}\p{N}]/u.test(term) ? `(?:^|${edge})` : ''
  const after = /[\p{L}\p{N}]$/u.test(term) ? `(?:$|${edge})` : ''
  return `(?s${isCased ? '' : 'i'})${before}${written}${after}`
}

/** The longest piece of a term between its stars, which the text must hold. */
function longestPiece(term: string): string {
  return term.split('*').reduce((best, each) => (each.length > best.length ? each : best), '')
}

function term(id: string, isCased: boolean, says: string, examples: readonly Example[]) {
  const record: FunctionRecord = {
    ...base,
    id,
    says,
    takes: [{ name: 'text', type: 'text' }, LITERAL],
    blankIsNull: () => true,
    sql: (args) => {
      const text = arg(args, 0).sql
      const wanted = constText(args, 1)
      const piece = longestPiece(wanted)
      const isPlain = /^[\x20-\x7e]*$/.test(piece)
      const holds =
        isCased || !isPlain
          ? isCased
            ? sql`position(${text}, ${literal(piece)}) > 0`
            : sql`positionCaseInsensitiveUTF8(${text}, ${literal(piece)}) > 0`
          : sql`position(lower(${text}), ${literal(piece.toLowerCase())}) > 0`
      const isFree = /^\*.*\*$/s.test(wanted) && !wanted.slice(1, -1).includes('*')
      return isFree
        ? sql`(${holds})`
        : sql`(${holds} AND match(${text}, ${literal(termPattern(wanted, isCased))}))`
    },
    examples,
  }
  return record
}

export const searchingFunctions: readonly FunctionRecord[] = [
  {
    ...base,
    id: 'search.same_number',
    says: 'True when the value is a number and the same one as the literal.',
    takes: [VALUE, LITERAL],
    blankIsNull: () => true,
    sql: (args) => sql`ifNull(${numberOf(arg(args, 0))} = ${constNumber(args)}, false)`,
    fold: ([value, wanted]) =>
      typeof value === 'string' ? isNumber(value) && Number(value) === Number(wanted) : undefined,
    examples: [
      { args: ['0404', '404'], gives: true },
      { args: ['404.0', '404'], gives: true },
      { args: ['x', '404'], gives: false },
      { args: [null, '404'], gives: false },
    ],
  },
  {
    ...base,
    id: 'search.unlike',
    says: 'True when there is a value that does not fit the pattern (as `match.like`), ignoring case.',
    takes: [{ name: 'value', type: 'text' }, LITERAL],
    blankIsNull: () => false,
    sql: (args) => sql`(${arg(args, 0).sql} NOT ILIKE ${literal(constText(args, 1))})`,
    examples: [
      { args: ['y', 'X'], gives: true },
      { args: ['x', 'X'], gives: false },
      { args: [null, 'x'], gives: false },
    ],
  },
  ordering({
    id: 'search.less',
    sign: sql`<`,
    says: 'True when the value is less than the literal: by number where both are numbers.',
    examples: [
      { args: ['9', '10'], gives: true },
      { args: ['abc', 'abd'], gives: true },
      { args: [null, '10'], gives: false },
    ],
  }),
  ordering({
    id: 'search.less_or_equal',
    sign: sql`<=`,
    says: 'True when the value is at most the literal: by number where both are numbers.',
    examples: [
      { args: ['10', '10'], gives: true },
      { args: ['11', '10'], gives: false },
    ],
  }),
  ordering({
    id: 'search.greater',
    sign: sql`>`,
    says: 'True when the value is greater than the literal: by number where both are numbers.',
    examples: [
      { args: ['10', '9'], gives: true },
      { args: ['x', '9'], gives: true },
    ],
  }),
  ordering({
    id: 'search.greater_or_equal',
    sign: sql`>=`,
    says: 'True when the value is at least the literal: by number where both are numbers.',
    examples: [
      { args: ['10', '10.0'], gives: true },
      { args: ['9', '10'], gives: false },
    ],
  }),
  term(
    'search.term',
    false,
    'True when the text holds the term between characters that are no letters or digits, ignoring case; `*` stands for any text.',
    [
      { args: ['GET /admin HTTP', 'admin'], gives: true },
      { args: ['GET /administrator', 'admin'], gives: false },
      { args: ['GET /administrator', 'admin*'], gives: true },
      { args: ['cmd /c Net User x', 'net user'], gives: true },
      { args: [null, 'x'], gives: false },
    ],
  ),
  term('search.term_cased', true, 'The same with exact case.', [
    { args: ['x Error y', 'error'], gives: false },
    { args: ['x error y', 'error'], gives: true },
  ]),
]
