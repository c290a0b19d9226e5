/**
 * Text functions of SPL's eval. They look at one text: of a field with several values they give nothing. Positions and
 * lengths count characters; case folds as Unicode has it.
 * https://help.splunk.com/en/splunk-enterprise/search/spl-search-reference/9.4/evaluation-functions/text-functions
 */
import type { BaseType } from '../ir/types.ts'
import { withPlain } from './evalcheck.ts'
import { any, evalFunction, number, numberOf, text, textOf } from './evalvalue.ts'
import { rewriteOf } from './extraction.ts'
import { VARIABLES } from './once.ts'
import { groupNames } from './pattern.ts'
import { arg, constText, type Example, type FunctionRecord } from './record.ts'
import { joined, literal, type Sql, type SqlArg, sql } from './sql.ts'

function ofText(
  spl: readonly [string, ...string[]],
  says: string,
  print: (value: Sql) => Sql,
  examples: readonly Example[],
  gives: BaseType = 'text',
): FunctionRecord {
  return evalFunction(`eval.${spl[0]}`, spl, {
    says,
    takes: [text('text')],
    gives,
    sql: (args) => print(textOf(arg(args, 0))),
    examples,
  })
}

const digest = (name: string, print: (value: Sql) => Sql, gives: string): FunctionRecord =>
  ofText([name], `The ${name} digest of the text, in hexadecimal.`, print, [
    { args: ['abc'], gives },
    { args: [null], gives: null },
  ])

/** A set of characters as RE2 reads it, which is never empty. */
function classOf(characters: string): string {
  return `[${[...characters].map((each) => `\\x{${(each.codePointAt(0) ?? 0).toString(16)}}`).join('')}]`
}

function trim(name: string, ends: readonly ('start' | 'end')[], gives: string): FunctionRecord {
  const where = ends.length === 2 ? 'both ends' : `the ${ends[0]}`
  return evalFunction(`eval.${name}`, [name], {
    says: `The text without characters of a set, or without blanks and tabs, at ${where}.`,
    takes: [text('text'), text('characters', { constant: true, optional: true })],
    gives: 'text',
    sql: (args) => {
      const value = textOf(arg(args, 0))
      const characters = args[1] === undefined ? ' \t' : constText(args, 1)
      if (characters === '') return value
      const set = classOf(characters)
      return ends.reduce((inner, end) => {
        const pattern = end === 'start' ? `\\A${set}+` : `${set}+\\z`
        return sql`replaceRegexpOne(${inner}, ${literal(pattern)}, '')`
      }, value)
    },
    examples: [
      { args: ['xyaxy', 'yx'], gives: gives },
      { args: [' \t '], gives: '' },
      { args: ['a', ''], gives: 'a' },
      { args: [null, 'x'], gives: null },
    ],
  })
}

const position = (value: SqlArg): Sql => sql`toInt64(clamp(${numberOf(value)}, -1e9, 1e9))`

/** As SQLite has it: place 0 is the one before the first, and a negative length counts back from the place. */
function substring(args: readonly SqlArg[]): Sql {
  const [value, from, count] = [textOf(arg(args, 0)), arg(args, 1), args[2]]
  const isPlain = (each: SqlArg, least: number): boolean =>
    typeof each.value === 'number' && each.value >= least && each.value < 1e9
  if (isPlain(from, 1) && (count === undefined || isPlain(count, 0))) {
    return count === undefined
      ? sql`substringUTF8(${value}, ${position(from)})`
      : sql`substringUTF8(${value}, ${position(from)}, ${position(count)})`
  }
  const [s, p, n] = [VARIABLES.a, VARIABLES.b, VARIABLES.c]
  const begin = sql`if(${p} < 0, toInt64(lengthUTF8(${s})) + ${p}, ${p} - 1)`
  const low = sql`greatest(${begin} + least(${n}, 0), 0)`
  const high = sql`greatest(${begin} + greatest(${n}, 0), 0)`
  const size = count === undefined ? sql`toInt64(1000000000)` : position(count)
  const whole = sql`if(isNull(${p}) OR isNull(${n}), NULL, substringUTF8(${s}, ifNull(${low}, 0) + 1, ifNull(${high} - ${low}, 0)))`
  return sql`arrayMap((${s}, ${p}, ${n}) -> ${whole}, [${value}], [${position(from)}], [${size}])[1]`
}

/**
 * A computed rewrite: a backslash is itself where no digit follows, and the number of no group is nothing. The engine
 * takes a digit behind two backslashes for the number of a group too, so it is one here.
 */
function computedRewrite(value: Sql, groups: number): Sql {
  const last = Math.min(groups, 9)
  const known =
    last === 9 ? value : sql`replaceRegexpAll(${value}, ${literal(`\\\\+[${last + 1}-9]`)}, '')`
  const plain = sql`replaceRegexpAll(${known}, ${literal('\\\\+')}, ${literal('\\\\\\\\')})`
  const reference = `\\\\\\\\([0-${last}])`
  return sql`replaceRegexpAll(${plain}, ${literal(reference)}, ${literal('\\\\\\1')})`
}

function replaced(args: readonly SqlArg[]): Sql {
  const [value, by] = [textOf(arg(args, 0)), arg(args, 2)]
  if (typeof arg(args, 1).value !== 'string') {
    const rewrite = computedRewrite(textOf(by), 0)
    return withPlain(arg(args, 1), (safe) => sql`replaceRegexpAll(${value}, ${safe}, ${rewrite})`)
  }
  const pattern = constText(args, 1)
  const groups = groupNames(pattern).length
  const rewrite =
    typeof by.value === 'string'
      ? sql`${literal(rewriteOf(by.value.replace(/\\+(?=[0-9])/g, '\\'), groups))}`
      : computedRewrite(textOf(by), groups)
  return sql`replaceRegexpAll(${value}, ${literal(pattern)}, ${rewrite})`
}

/** A piece of a format of `printf`: plain text, or a conversion. */
interface Piece {
  readonly plain: string
  readonly flags: string
  readonly conversion: string
}

const MOST_WIDTH = 1_000

function piecesOf(format: string): readonly Piece[] | undefined {
  const pieces: Piece[] = []
  let plain = ''
  let at = 0
  while (at < format.length) {
    const char = format[at] ?? ''
    if (char !== '%') {
      plain += char
      at++
      continue
    }
    if (format[at + 1] === '%') {
      plain += '%'
      at += 2
      continue
    }
    const found = /^%([-+ 0#]{0,5}(\d{0,4})(?:\.(\d{0,4}))?)([dioxXufFeEgGcs])/.exec(
      format.slice(at, at + 24),
    )
    if (found === null) return undefined
    const [all, flags = '', width, digits, conversion = ''] = found
    if (Number(width) > MOST_WIDTH || Number(digits ?? 0) > MOST_WIDTH) return undefined
    if (plain !== '') pieces.push({ plain, flags: '', conversion: '' })
    plain = ''
    pieces.push({ plain: '', flags, conversion })
    at += all.length
  }
  return plain === '' ? pieces : [...pieces, { plain, flags: '', conversion: '' }]
}

function conversionOf({ flags, conversion }: Piece, value: SqlArg): Sql {
  if ('cs'.includes(conversion)) {
    const written = textOf(value)
    if (flags === '' && conversion === 's') return written
    const shown = conversion === 'c' ? sql`substringUTF8(${written}, 1, 1)` : written
    return sql`printf(${literal(`%${flags}s`)}, ${shown})`
  }
  const isWhole = 'dioxXu'.includes(conversion)
  const read = numberOf(value)
  const shown = isWhole ? sql`toInt64(trunc(clamp(${read}, -9e18, 9e18)))` : read
  const letter = 'iu'.includes(conversion) ? 'd' : conversion
  return sql`printf(${literal(`%${flags}${letter}`)}, ${shown})`
}

const printf = evalFunction('eval.printf', ['printf'], {
  says: 'The format with the values in it, as the C function of this name has it.',
  takes: [
    text('format', {
      constant: true,
      wrong: (value) =>
        typeof value !== 'string' || piecesOf(value) === undefined
          ? 'it has a conversion that is not known'
          : undefined,
    }),
    any('value', { many: true }),
  ],
  gives: 'text',
  sql: (args) => {
    let next = 1
    const parts = (piecesOf(constText(args, 0)) ?? []).map((piece): Sql => {
      if (piece.conversion === '') return sql`${literal(piece.plain)}`
      const value = args[next++]
      // A conversion without a value prints nothing, as a missing value does not.
      return value === undefined ? sql`''` : conversionOf(piece, value)
    })
    const [only] = parts
    if (only === undefined) return sql`''`
    return parts.length === 1 ? only : sql`concat(${joined(parts, ', ')})`
  },
  examples: [
    { args: ['%04.4f', 9.5], as: ['text', 'float'], gives: '9.5000' },
    { args: ['%d-%s%%', 7, 'a'], as: ['text', 'int', 'text'], gives: '7-a%' },
    { args: ['%x', 255], as: ['text', 'int'], gives: 'ff' },
    { args: ['%-5s|', 'ab'], gives: 'ab   |' },
    { args: ['%d', 'x'], gives: null },
  ],
})

export const evalTextFunctions: readonly FunctionRecord[] = [
  ofText(
    ['len'],
    'Number of characters.',
    (x) => sql`toInt64(lengthUTF8(${x}))`,
    [
      { args: ['héllo'], gives: 5 },
      { args: [''], gives: 0 },
      { args: [null], gives: null },
    ],
    'int',
  ),
  ofText(['lower'], 'The text in lower case.', (x) => sql`lowerUTF8(${x})`, [
    { args: ['ABC É'], gives: 'abc é' },
    { args: [null], gives: null },
  ]),
  ofText(['upper'], 'The text in upper case.', (x) => sql`upperUTF8(${x})`, [
    { args: ['abc é'], gives: 'ABC É' },
    { args: [null], gives: null },
  ]),
  ofText(['urldecode'], 'The text with its %XX read.', (x) => sql`decodeURLComponent(${x})`, [
    { args: ['a%20b%2Fc'], gives: 'a b/c' },
    { args: ['%zz%'], gives: '%zz%' },
    { args: [null], gives: null },
  ]),
  digest('md5', (x) => sql`lower(hex(MD5(${x})))`, '900150983cd24fb0d6963f7d28e17f72'),
  digest('sha1', (x) => sql`lower(hex(SHA1(${x})))`, 'a9993e364706816aba3e25717850c26c9cd0d89d'),
  digest(
    'sha256',
    (x) => sql`lower(hex(SHA256(${x})))`,
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  ),
  digest(
    'sha512',
    (x) => sql`lower(hex(SHA512(${x})))`,
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
  ),
  trim('trim', ['start', 'end'], 'a'),
  trim('ltrim', ['start'], 'axy'),
  trim('rtrim', ['end'], 'xya'),
  evalFunction('eval.substr', ['substr'], {
    says: 'The characters from a place, counted from 1, or from the end when it is negative.',
    takes: [text('text'), number('place'), number('count', { optional: true })],
    gives: 'text',
    sql: substring,
    examples: [
      { args: ['abcdef', 2, 3], gives: 'bcd' },
      { args: ['abcdef', 4], gives: 'def' },
      { args: ['abcdef', -2], gives: 'ef' },
      { args: ['abcdef', -3, 2], gives: 'de' },
      { args: ['hello', -10, 7], gives: 'he' },
      { args: ['hello', -10], gives: 'hello' },
      { args: ['abc', 0, 2], gives: 'a' },
      { args: ['abcdef', 4, -2], gives: 'bc' },
      { args: ['abc', 9], gives: '' },
      { args: ['héllo', 2, 1], gives: 'é' },
      { args: [null, 2], gives: null },
      { args: ['abc', null], gives: null },
    ],
  }),
  evalFunction('eval.replace', ['replace'], {
    says: 'The text with each match of a pattern (RE2, already checked; a plain one out of a field) replaced; \\1 stands for a group.',
    takes: [text('text'), text('pattern'), text('by')],
    gives: 'text',
    sql: replaced,
    examples: [
      { args: ['a\\b\\c', '\\\\', '/'], gives: 'a/b/c' },
      { args: ['abc', 'B', 'x'], gives: 'abc' },
      { args: ['abc', 'b.?', ''], gives: 'a' },
      { args: [null, 'b', ''], gives: null },
      { args: ['abc', 'b', null], gives: null },
      { args: ['abc', 'b', '<\\1\\x>'], gives: 'a<\\x>c' },
    ],
  }),
  printf,
]
