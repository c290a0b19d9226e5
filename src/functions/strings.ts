/** Texts as Kusto takes them apart and puts them together. Positions and lengths count code points, from 0. */
import { limits } from '../core/limits.ts'
import type { BaseType } from '../ir/types.ts'
import { named, VARIABLES } from './once.ts'
import { arg, constText, type Example, type FunctionRecord, type Parameter } from './record.ts'
import { joined, literal, type Sql, type SqlArg, sql } from './sql.ts'

const TEXT: Parameter = { name: 'text', type: 'text' }
const { a: A, b: B, c: C } = VARIABLES

interface Shape {
  readonly says: string
  readonly takes?: readonly Parameter[]
  readonly gives?: BaseType
  readonly sql: (args: readonly SqlArg[]) => Sql
  readonly fold?: FunctionRecord['fold']
  readonly examples: readonly Example[]
}

/** A record with its id and its Kusto spellings; it takes one text and gives a text where nothing else is said. */
function textFunction(id: string, kusto: readonly string[], shape: Shape): FunctionRecord {
  return {
    id,
    says: shape.says,
    takes: shape.takes ?? [TEXT],
    gives: shape.gives ?? 'text',
    onNull: 'own',
    spelled: { kusto },
    sql: shape.sql,
    ...(shape.fold === undefined ? {} : { fold: shape.fold }),
    examples: shape.examples,
  }
}

const int = (name: string, more: Partial<Parameter> = {}): Parameter => ({
  name,
  type: 'int',
  ...more,
})
const text = (name: string, more: Partial<Parameter> = {}): Parameter => ({
  name,
  type: 'text',
  ...more,
})
const length = (value: Sql): Sql => sql`toInt64(lengthUTF8(${value}))`

/** A whole number that is there: beyond what a text can hold there is no difference any more. */
const whole = (value: SqlArg, least: number): Sql =>
  sql`ifNull(toInt64(least(greatest(${value.sql}, ${literal(least)}), 2147483646)), 0)`

const MOST = 2_147_483_646

const isShort = (value: SqlArg): value is SqlArg & { readonly value: number } =>
  typeof value.value === 'number' && value.value >= 0 && value.value < MOST

/** The rest of a text from a place, which counts from the end when it is negative. */
function substring(args: readonly SqlArg[]): Sql {
  const from = arg(args, 1)
  const count = args[2]
  const size =
    count === undefined ? [] : [isShort(count) ? sql`${literal(count.value)}` : whole(count, 0)]
  const cut = (subject: Sql, start: Sql): Sql =>
    sql`substringUTF8(${joined([subject, start, ...size], ', ')})`
  const subject = arg(args, 0).sql
  if (isShort(from)) return cut(subject, sql`${literal(from.value + 1)}`)
  return named(subject, A, (value) =>
    named(whole(from, -MOST), B, (start) => {
      const place = sql`if(${start} < 0, ${start}, ${start} + 1)`
      return sql`if(${start} < -${length(value)}, '', ${cut(value, place)})`
    }),
  )
}

/** The text in capitals; a letter whose capital form is several letters stays, as in Kusto. */
function upper(subject: Sql): Sql {
  return named(subject, A, (value) => {
    const one = sql`if(lengthUTF8(upperUTF8(${B})) = 1, upperUTF8(${B}), ${B})`
    const byLetter = sql`arrayStringConcat(arrayMap(${B} -> ${one}, extractAll(${value}, '(?s).')))`
    return sql`if(lengthUTF8(upperUTF8(${value})) = lengthUTF8(${value}), upperUTF8(${value}), ${byLetter})`
  })
}

const concat = (pieces: readonly Sql[]): Sql =>
  pieces.length === 1 ? sql`${joined(pieces, ', ')}` : sql`concat(${joined(pieces, ', ')})`

/** True when two finds of the needle can overlap. */
function overlapsItself(needle: string): boolean {
  return [...needle].some((_, at) => at > 0 && needle.startsWith(needle.slice(at)))
}

/** Finds of a constant needle, those that overlap too. */
export function countOf(subject: Sql, needle: string): Sql {
  if (!overlapsItself(needle)) {
    return sql`toInt64(countSubstrings(${subject}, ${literal(needle)}))`
  }
  const size = literal([...needle.toWellFormed()].length)
  return sql`toInt64(countEqual(ngrams(${subject}, ${size}), ${literal(needle)}))`
}

const NULL_INT = sql`CAST(NULL AS Nullable(Int64))`

/** Where a search of part of a text begins, and that part. A length is left to `body` when it counts for each find anew. */
export function searched(
  subject: Sql,
  args: readonly SqlArg[],
  body: (part: Sql, start: Sql) => Sql,
): Sql {
  const from = args[2]
  if (from === undefined) return body(subject, sql`0`)
  const size = args[4] === undefined ? args[3] : undefined
  const start = sql`if(${whole(from, -MOST)} < 0, greatest(${length(subject)} + ${whole(from, -MOST)}, 0), ${whole(from, -MOST)})`
  return named(start, B, (at) => {
    const part =
      size === undefined
        ? sql`substringUTF8(${subject}, ${at} + 1)`
        : sql`if(${whole(size, -2)} < 0, substringUTF8(${subject}, ${at} + 1), substringUTF8(${subject}, ${at} + 1, ${whole(size, 0)}))`
    return named(part, C, (piece) => body(piece, at))
  })
}

/** The tests of optional arguments of a search that make its result null. */
export function refused(args: readonly SqlArg[]): readonly Sql[] {
  return [
    ...(args[3] === undefined ? [] : [sql`${whole(args[3], -2)} < -1`]),
    ...(args[4] === undefined ? [] : [sql`${whole(args[4], 0)} < 1`]),
  ]
}

/** How far from where a search begins, or from the find before, the next find may end. */
export function reachOf(args: readonly SqlArg[]): Sql {
  const size = args[3]
  return size === undefined
    ? sql`${literal(MOST)}`
    : sql`if(${whole(size, -1)} < 0, ${literal(MOST)}, ${whole(size, -1)})`
}

/** The pieces between the finds of a separator; the engine's own splitter takes constants only. */
function piecesBetween(subject: Sql, separator: SqlArg): Sql {
  if (typeof separator.value === 'string' && separator.value !== '') {
    return sql`splitByString(${literal(separator.value)}, ${subject})`
  }
  return sql`splitByChar('\\xFF', replaceAll(${subject}, ${separator.sql}, '\\xFF'))`
}

function indexOf(args: readonly SqlArg[]): Sql {
  const needle = arg(args, 1)
  const nth = args[4]
  return named(arg(args, 0).sql, A, (value) =>
    searched(value, args, (part, start) => {
      const first = sql`positionUTF8(${part}, ${needle.sql})`
      const pieces = piecesBetween(part, needle)
      const count = nth === undefined ? sql`1` : whole(nth, 1)
      const before = length(sql`arrayStringConcat(arraySlice(${pieces}, 1, ${count}))`)
      const reach = sql`arrayAll(piece -> lengthUTF8(piece) + lengthUTF8(${needle.sql}) <= ${reachOf(args)}, arraySlice(${pieces}, 1, ${count}))`
      const found =
        nth === undefined
          ? sql`if(${first} = 0, -1, toInt64(${first}) - 1 + ${start})`
          : sql`if(length(${pieces}) <= ${count} OR NOT ${reach}, -1, ${start} + ${before} + (${count} - 1) * ${length(needle.sql)})`
      const not = joined([sql`${needle.sql} = ''`, ...refused(args)], ' OR ')
      return sql`if(${not}, ${NULL_INT}, ${found})`
    }),
  )
}

/** The texts of an array at run time; a null is the empty text. */
const textsOf = (array: Sql): Sql => sql`JSONExtract(ifNull(${array}, '[]'), 'Array(String)')`

/**
 * Replaces many needles at once: each find becomes a token of bytes that stand in no text, and the tokens then
 * become the replacements, so that no replacement is searched again.
 */
function replaceStrings(args: readonly SqlArg[]): Sql {
  const token = sql`concat('\\xFF', char(128 + intDiv(n, 64), 128 + n % 64))`
  const lookups = sql`arraySlice(${textsOf(arg(args, 1).sql)}, 1, 4096)`
  const rewrites = sql`arrayResize(${textsOf(arg(args, 2).sql)}, length(${lookups}))`
  const marked = sql`arrayFold((whole, each, n) -> replaceAll(whole, each, ${token}), ${lookups}, range(length(${lookups})), ${arg(args, 0).sql})`
  return sql`arrayFold((whole, each, n) -> replaceAll(whole, ${token}, each), ${rewrites}, range(length(${lookups})), ${marked})`
}

function translate(args: readonly SqlArg[]): Sql {
  const from = [...new Set(constText(args, 0).toWellFormed())]
  const given = [...constText(args, 0).toWellFormed()]
  const to = [...constText(args, 1).toWellFormed()]
  const subject = arg(args, 2).sql
  if (from.length === 0) return subject
  if (to.length === 0) {
    return from.reduce((text, each) => sql`replaceAll(${text}, ${literal(each)}, '')`, subject)
  }
  const made = from.map((each) => to[Math.min(given.indexOf(each), to.length - 1)] ?? '')
  return sql`translateUTF8(${subject}, ${literal(from.join(''))}, ${literal(made.join(''))})`
}

/** Signs that a pattern reads as more than themselves. */
const SIGNS = '([\\\\.+*?()|\\[\\]{}^$#&~-])'

function repeated(args: readonly SqlArg[]): Sql {
  const [value, times, between] = [arg(args, 0).sql, arg(args, 1), args[2]?.sql ?? sql`''`]
  const count = sql`least(${whole(times, 0)}, ${literal(limits.textRepeats)})`
  return named(value, A, (each) => {
    // A text is at most as long in Kusto; without a bound a row could fill the memory.
    const most = sql`intDiv(${literal(limits.textRepeatBytes)}, length(${each}) + length(${between}) + 1)`
    const rest = sql`repeat(concat(${between}, ${each}), least(greatest(${count} - 1, 0), ${most}))`
    return sql`if(${count} = 0, '', concat(${each}, ${rest}))`
  })
}

export const stringFunctions: readonly FunctionRecord[] = [
  textFunction('text.length', ['strlen'], {
    says: 'Number of characters.',
    gives: 'int',
    sql: (args) => length(arg(args, 0).sql),
    examples: [
      { args: ['añ😀'], gives: 3 },
      { args: [''], gives: 0 },
    ],
  }),
  textFunction('text.bytes', ['string_size'], {
    says: 'Number of bytes in UTF-8.',
    gives: 'int',
    sql: (args) => sql`toInt64(length(${arg(args, 0).sql}))`,
    examples: [{ args: ['añ😀'], gives: 7 }],
  }),
  textFunction('text.concat', ['strcat'], {
    says: 'The parts one after the other; a missing part is empty.',
    takes: [text('part', { many: true })],
    sql: (args) => concat(args.map((each) => each.sql)),
    fold: (args) => (args.every((each) => typeof each === 'string') ? args.join('') : undefined),
    examples: [
      { args: ['a', '', 'b'], gives: 'ab' },
      { args: ['a'], gives: 'a' },
    ],
  }),
  textFunction('text.concat_with', ['strcat_delim'], {
    says: 'The parts with the first argument between them.',
    takes: [text('between'), text('part', { many: true })],
    sql: ([between, ...parts]) =>
      concat(
        parts.flatMap((each, index) =>
          index === 0 || between === undefined ? [each.sql] : [between.sql, each.sql],
        ),
      ),
    fold: ([between, ...parts]) =>
      typeof between === 'string' && parts.every((each) => typeof each === 'string')
        ? parts.join(between)
        : undefined,
    examples: [{ args: ['-', 'a', '', 'c'], gives: 'a--c' }],
  }),
  textFunction('text.substring', ['substring'], {
    says: 'Part of a text from a place, which counts from the end when it is negative, and of a length.',
    takes: [TEXT, int('start'), int('length', { optional: true })],
    sql: substring,
    examples: [
      { args: ['abcdef', 3], gives: 'def' },
      { args: ['añ😀b', 1, 2], gives: 'ñ😀' },
      { args: ['abc', -1, 2], gives: 'c' },
      { args: ['x', -2, 5], gives: '' },
      { args: ['abc', 0, -1], gives: '' },
      { args: ['abc', 9], gives: '' },
    ],
  }),
  textFunction('text.upper', ['toupper'], {
    says: 'The text in capitals.',
    sql: (args) => upper(arg(args, 0).sql),
    examples: [
      { args: ['ÅngstrÖm'], gives: 'ÅNGSTRÖM' },
      { args: ['straße'], gives: 'STRAßE' },
    ],
  }),
  textFunction('text.lower', ['tolower'], {
    says: 'The text in small letters.',
    sql: (args) => sql`lowerUTF8(replaceAll(${arg(args, 0).sql}, 'Σ', 'σ'))`,
    examples: [
      { args: ['ÅNGSTRÖM'], gives: 'ångström' },
      { args: ['ΟΔΟΣ'], gives: 'οδοσ' },
    ],
  }),
  textFunction('text.reverse', ['reverse'], {
    says: 'The characters in reverse order.',
    sql: (args) => sql`reverseUTF8(${arg(args, 0).sql})`,
    examples: [{ args: ['añ😀'], gives: '😀ña' }],
  }),
  textFunction('text.repeat', ['strrep'], {
    says: `The text several times (at most ${limits.textRepeats}), with a piece between.`,
    takes: [TEXT, int('times'), text('between', { optional: true })],
    sql: repeated,
    examples: [
      { args: ['ABC', 2], gives: 'ABCABC' },
      { args: ['x', 3, '.'], gives: 'x.x.x' },
      { args: ['x', 0], gives: '' },
    ],
  }),
  textFunction('text.compare', ['strcmp'], {
    says: '-1, 0 or 1 as the first text stands before, with or after the second.',
    takes: [TEXT, text('other')],
    gives: 'int',
    sql: (args) => {
      const [one, other] = [arg(args, 0).sql, arg(args, 1).sql]
      return sql`toInt64(if(${one} < ${other}, -1, if(${one} = ${other}, 0, 1)))`
    },
    examples: [
      { args: ['ABC', 'abc'], gives: -1 },
      { args: ['abcde', 'abc'], gives: 1 },
      { args: ['', ''], gives: 0 },
    ],
  }),
  textFunction('text.replace_all', ['replace_string'], {
    says: 'The text with every find of a piece replaced; an empty piece changes nothing.',
    takes: [TEXT, text('piece'), text('by')],
    sql: (args) => sql`replaceAll(${arg(args, 0).sql}, ${arg(args, 1).sql}, ${arg(args, 2).sql})`,
    examples: [
      { args: ['a cat, a cat', 'cat', 'dog'], gives: 'a dog, a dog' },
      { args: ['abc', '', '_'], gives: 'abc' },
    ],
  }),
  textFunction('text.replace_each', ['replace_strings'], {
    says: 'The text with each of the pieces replaced by what stands at its place in the other array.',
    takes: [TEXT, { name: 'pieces', type: 'dynamic' }, { name: 'by', type: 'dynamic' }],
    sql: replaceStrings,
    examples: [
      {
        args: ['a cat and a dog', '["cat","dog"]', '["dog","pigeon"]'],
        gives: 'a dog and a pigeon',
      },
    ],
  }),
  textFunction('text.translate', ['translate'], {
    says: 'The text with each character of a list replaced by its partner in another; the last partner stands for those that have none.',
    takes: [text('from', { constant: true }), text('to', { constant: true }), TEXT],
    sql: translate,
    examples: [
      { args: ['krasp', 'otsku', 'spark'], gives: 'kusto' },
      { args: ['abc', 'x', 'aabcz'], gives: 'xxxxz' },
      { args: ['abc', '', 'aabcz'], gives: 'z' },
    ],
  }),
  textFunction('text.index_of', ['indexof'], {
    says: 'Where a piece is found, -1 when it is not, null for an empty piece; start, length and number of the find may be given.',
    takes: [
      TEXT,
      text('piece'),
      int('start', { optional: true }),
      int('length', { optional: true }),
      int('number', { optional: true }),
    ],
    gives: 'int',
    sql: indexOf,
    examples: [
      { args: ['abcdefg', 'cde'], gives: 2 },
      { args: ['añ😀b', 'b'], gives: 3 },
      { args: ['abc', ''], gives: null },
      { args: ['abcdefg', 'cde', 1, 4], gives: 2 },
      { args: ['abcdefg', 'cde', 1, 2], gives: -1 },
      { args: ['abcdefg', 'cde', -5], gives: 2 },
      { args: ['abcdefgabcdefg', 'cde', 1, 10, 2], gives: 9 },
      { args: ['abcdefgabcdefg', 'cde', 1, -1, 3], gives: -1 },
      { args: ['abc', 'b', 0, -2], gives: null },
      { args: ['abc', 'b', 0, -1, 0], gives: null },
    ],
  }),
  textFunction('text.split', ['split'], {
    says: 'The pieces between the finds of a separator as an array, or an array of the one piece at a place.',
    takes: [TEXT, text('separator'), int('place', { optional: true })],
    gives: 'dynamic',
    sql: (args) => {
      const place = args[2]
      const pieces = piecesBetween(arg(args, 0).sql, arg(args, 1))
      if (place === undefined) return sql`toJSONString(${pieces})`
      return named(pieces, A, (list) => {
        const at = whole(place, -1)
        return sql`if(${at} < 0 OR ${at} >= length(${list}), NULL, toJSONString([${list}[${at} + 1]]))`
      })
    },
    examples: [
      { args: ['a,,b', ','], gives: '["a","","b"]' },
      { args: ['', ','], gives: '[""]' },
      { args: ['a_b', '_', 1], gives: '["b"]' },
      { args: ['a_b', '_', 2], gives: null },
    ],
  }),
  textFunction('text.quote_pattern', ['regex_quote'], {
    says: 'The text as a pattern that matches itself only.',
    sql: (args) =>
      sql`replaceRegexpAll(${arg(args, 0).sql}, ${literal(SIGNS)}, ${literal('\\\\\\1')})`,
    examples: [{ args: ['(so$me.Te%^xt)'], gives: '\\(so\\$me\\.Te%\\^xt\\)' }],
  }),
  textFunction('text.is_ascii', ['isascii'], {
    says: 'True when every character is ASCII.',
    gives: 'bool',
    sql: (args) => sql`isValidASCII(${arg(args, 0).sql})`,
    examples: [
      { args: ['some'], gives: true },
      { args: ['añ'], gives: false },
    ],
  }),
  textFunction('text.is_utf8', ['isutf8'], {
    says: 'True when the text is UTF-8.',
    gives: 'bool',
    sql: (args) => sql`isValidUTF8(${arg(args, 0).sql})`,
    examples: [{ args: ['añ'], gives: true }],
  }),
]
