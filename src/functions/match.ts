/**
 * Matching of texts: equality, containment, prefixes, suffixes, wildcards, patterns and address ranges. All are
 * two-valued (a missing text matches nothing) and, unless `cased`, ignore case in the way of Unicode.
 *
 * The engine's `lower()` knows ASCII only, so it is used for ASCII literals and `lowerUTF8` otherwise; a literal
 * without letters needs neither, which lets the sort key be used.
 */
import {
  arg,
  constText,
  constTexts,
  type Example,
  type FunctionRecord,
  type Parameter,
} from './record.ts'
import { joined, literal, type Sql, type SqlArg, sql } from './sql.ts'

/**
 * True when lowering ASCII letters alone is enough for a literal: its other characters have no case. (Two signs
 * outside ASCII lower to an ASCII letter, Kelvin and long s; they are not taken for `k` and `s`.)
 */
function isPlainCase(value: string): boolean {
  return [...value].every((each) => each <= '\x7f' || each.toLowerCase() === each.toUpperCase())
}

/** The same as `lowerText` for a text at hand. */
const lowerCase = (text: string): string => text.toLowerCase().replaceAll('ς', 'σ')

/** The engine's multi-needle search takes at most 255 needles. */
const NEEDLES = 255

/** Lower-cases ASCII letters only, as the engine's `lower` does. */
function asciiLower(value: string): string {
  return value.replace(/[A-Z]/g, (each) => each.toLowerCase())
}

type Case = 'any' | 'exact'
interface Pair {
  readonly text: Sql
  readonly value: Sql
}

/** Texts in which a Greek sigma takes part. */
const SIGMA = /[\u03a3\u03c2\u03c3]/

/** A text in lower case with one form of the small sigma: which one a capital becomes depends on what follows it. */
const lowerText = (text: Sql): Sql => sql`replaceAll(lowerUTF8(${text}), 'ς', 'σ')`

/** The subject and the literal, both brought to one case. */
function fold(text: Sql, value: string, how: Case): Pair {
  const plain = sql`${literal(value)}`
  if (how === 'exact' || value.toLowerCase() === value.toUpperCase()) return { text, value: plain }
  if (isPlainCase(value)) {
    return { text: sql`lower(${text})`, value: sql`${literal(asciiLower(value))}` }
  }
  return SIGMA.test(value)
    ? { text: lowerText(text), value: lowerText(plain) }
    : { text: sql`lowerUTF8(${text})`, value: sql`lowerUTF8(${plain})` }
}

function anyOf(pieces: readonly Sql[]): Sql {
  const [only] = pieces
  return pieces.length === 1 && only ? only : sql`(${joined(pieces, ' OR ')})`
}

/** Groups literals that share one way of folding case. */
function groups(values: readonly string[], how: Case): readonly (readonly string[])[] {
  const caseless = values.filter(
    (each) => how === 'exact' || each.toLowerCase() === each.toUpperCase(),
  )
  const rest = new Set(caseless)
  const plain = values.filter((each) => !rest.has(each) && isPlainCase(each))
  const wide = values.filter((each) => !rest.has(each) && !isPlainCase(each))
  const sigma = wide.filter((each) => SIGMA.test(each))
  const other = wide.filter((each) => !SIGMA.test(each))
  return [caseless, plain, other, sigma].filter((each) => each.length > 0)
}

function chunks<T>(values: readonly T[], size: number): readonly (readonly T[])[] {
  const out: T[][] = []
  for (let at = 0; at < values.length; at += size) out.push(values.slice(at, at + size))
  return out
}

const TEXT: Parameter = { name: 'text', type: 'text' }
const VALUE: Parameter = { name: 'value', type: 'text', constant: true }
const VALUES: Parameter = { name: 'values', type: { list: 'text' }, constant: true }

interface Shape {
  readonly id: string
  readonly says: string
  readonly second: Parameter
  readonly sql: (args: readonly SqlArg[], how: Case) => Sql
  readonly test: (text: string, value: string) => boolean
  readonly examples: readonly Example[]
  readonly sigma: string
}

/** A text pair test as two records, one ignoring case and one exact. */
function pair(shape: Shape): readonly FunctionRecord[] {
  const make = (how: Case): FunctionRecord => ({
    id: how === 'exact' ? `${shape.id}_cased` : shape.id,
    says: `${shape.says}${how === 'exact' ? ', with exact case' : ', ignoring case'}.`,
    takes: [TEXT, shape.second],
    gives: 'bool',
    onNull: 'false',
    anyOf: true,
    blankIsNull: (args) => {
      const { value } = arg(args, 1)
      return (typeof value === 'string' ? [value] : Array.isArray(value) ? value : []).every(
        (each) => typeof each === 'string' && !shape.test('', each),
      )
    },
    spelled: { sigma: [how === 'exact' ? `${shape.sigma}|cased`.replace(/^\|/, '') : shape.sigma] },
    sql: (args) => shape.sql(args, how),
    fold: ([text, value]) => {
      if (text === null) return false
      if (typeof text !== 'string') return undefined
      const key = how === 'exact' ? (each: string) => each : lowerCase
      const wanted = typeof value === 'string' ? [value] : Array.isArray(value) ? value : []
      return wanted.some((each) => typeof each === 'string' && shape.test(key(text), key(each)))
    },
    examples: [
      ...shape.examples,
      ...(how === 'exact' ? (CASED_EXAMPLES[shape.id] ?? []) : (UNCASED_EXAMPLES[shape.id] ?? [])),
    ],
  })
  return [make('any'), make('exact')]
}

const single =
  (print: (pair: Pair) => Sql) =>
  (args: readonly SqlArg[], how: Case): Sql =>
    print(fold(arg(args, 0).sql, constText(args, 1), how))

const several =
  (print: (pair: Pair) => Sql) =>
  (args: readonly SqlArg[], how: Case): Sql =>
    anyOf(constTexts(args, 1).map((each) => print(fold(arg(args, 0).sql, each, how))))

const UNCASED_EXAMPLES: Readonly<Record<string, readonly Example[]>> = {
  'match.equals': [
    { args: ['CMD.exe', 'cmd.EXE'], gives: true },
    { args: ['ÀÉ', 'àé'], gives: true },
    { args: ['ΛΟΓΟΣ', 'λογοσ'], gives: true },
  ],
  'match.contains': [
    { args: ['xx ÄPFEL yy', 'äpfel'], gives: true },
    { args: ['οδοσα', 'ΟΔΟΣ'], gives: true },
  ],
  'match.in': [{ args: ['Net.exe', ['whoami.exe', 'NET.EXE']], gives: true }],
  'match.contains_any': [{ args: ['cmd /c WHOAMI', ['net user', 'whoami']], gives: true }],
}
const CASED_EXAMPLES: Readonly<Record<string, readonly Example[]>> = {
  'match.equals': [{ args: ['CMD.exe', 'cmd.exe'], gives: false }],
  'match.contains': [{ args: ['aGVsbG8', 'agv'], gives: false }],
  'match.in': [{ args: ['Net.exe', ['net.exe']], gives: false }],
  'match.contains_any': [{ args: ['WHOAMI', ['whoami']], gives: false }],
}

const shapes: readonly Shape[] = [
  {
    id: 'match.equals',
    says: 'True when the text is exactly the value',
    second: VALUE,
    sigma: 'field: value',
    sql: single(({ text, value }) => sql`(${text} = ${value})`),
    test: (text, value) => text === value,
    examples: [
      { args: ['4688', '4688'], gives: true },
      { args: ["it's \\ `x`", "it's \\ `x`"], gives: true },
      { args: [null, 'x'], gives: false },
      { args: ['a ', 'a'], gives: false },
    ],
  },
  {
    id: 'match.in',
    says: 'True when the text is one of the values',
    second: VALUES,
    sigma: 'field: [values]',
    sql: (args, how) =>
      anyOf(
        groups(constTexts(args, 1), how).map((group) => {
          const pairs = group.map((each) => fold(arg(args, 0).sql, each, how))
          const text = pairs[0]?.text ?? arg(args, 0).sql
          return sql`(${text} IN (${joined(
            pairs.map((each) => each.value),
            ', ',
          )}))`
        }),
      ),
    test: (text, value) => text === value,
    examples: [
      { args: ['4', ['1', '4']], gives: true },
      { args: ['5', ['1', '4']], gives: false },
      { args: [null, ['x']], gives: false },
    ],
  },
  {
    id: 'match.contains',
    says: 'True when the text holds the value',
    second: VALUE,
    sigma: 'contains',
    sql: single(({ text, value }) => sql`(position(${text}, ${value}) > 0)`),
    test: (text, value) => text.includes(value),
    examples: [
      { args: ['powershell -enc AAAA', ' -enc '], gives: true },
      { args: ['powershell -encoded', ' -enc '], gives: false },
      { args: ['100%_x', '%_'], gives: true },
      { args: [null, 'x'], gives: false },
    ],
  },
  {
    id: 'match.contains_any',
    says: 'True when the text holds at least one of the values',
    second: VALUES,
    sigma: 'contains: [values]',
    sql: (args, how) =>
      anyOf(
        groups(constTexts(args, 1), how).flatMap((group) =>
          chunks(group, NEEDLES).map((chunk) => {
            const pairs = chunk.map((each) => fold(arg(args, 0).sql, each, how))
            const text = pairs[0]?.text ?? arg(args, 0).sql
            return sql`multiSearchAny(${text}, [${joined(
              pairs.map((each) => each.value),
              ', ',
            )}])`
          }),
        ),
      ),
    test: (text, value) => text.includes(value),
    examples: [
      { args: ['abc', ['x', 'b']], gives: true },
      { args: ['abc', ['x', 'y']], gives: false },
      { args: [null, ['x']], gives: false },
    ],
  },
  {
    id: 'match.starts',
    says: 'True when the text begins with the value',
    second: VALUE,
    sigma: 'startswith',
    sql: single(({ text, value }) => sql`startsWith(${text}, ${value})`),
    test: (text, value) => text.startsWith(value),
    examples: [
      { args: ['C:\\Windows\\x', 'C:\\Windows\\'], gives: true },
      { args: ['xC:\\', 'C:\\'], gives: false },
    ],
  },
  {
    id: 'match.starts_any',
    says: 'True when the text begins with one of the values',
    second: VALUES,
    sigma: 'startswith: [values]',
    sql: several(({ text, value }) => sql`startsWith(${text}, ${value})`),
    test: (text, value) => text.startsWith(value),
    examples: [{ args: ['abc', ['b', 'ab']], gives: true }],
  },
  {
    id: 'match.ends',
    says: 'True when the text ends with the value',
    second: VALUE,
    sigma: 'endswith',
    sql: single(({ text, value }) => sql`endsWith(${text}, ${value})`),
    test: (text, value) => text.endsWith(value),
    examples: [
      { args: ['C:\\x\\cmd.exe', '\\cmd.exe'], gives: true },
      { args: ['cmd.exe ', 'cmd.exe'], gives: false },
    ],
  },
  {
    id: 'match.ends_any',
    says: 'True when the text ends with one of the values',
    second: VALUES,
    sigma: 'endswith: [values]',
    sql: several(({ text, value }) => sql`endsWith(${text}, ${value})`),
    test: (text, value) => text.endsWith(value),
    examples: [{ args: ['a.py', ['.js', '.py']], gives: true }],
  },
  {
    id: 'match.like',
    says: 'True when the whole text fits the pattern (`%` any run, `_` one character, `\\` escapes)',
    second: { name: 'pattern', type: 'text', constant: true },
    sigma: 'field: a*b?c',
    sql: single(({ text, value }) => sql`(${text} LIKE ${value})`),
    test: fitsLike,
    examples: [
      { args: ['abXXc', 'ab%c'], gives: true },
      { args: ['a\nb', 'a_b'], gives: true },
      { args: ['a😀b', 'a_b'], gives: true },
      { args: ['50% off', '50\\% %'], gives: true },
      { args: ['50 off', '50\\% %'], gives: false },
      { args: ['C:\\x', 'C:\\\\_'], gives: true },
      { args: ['one\ntwo', 'one%two'], gives: true },
    ],
  },
]

/** LIKE on whole code points, linear in the text for each `%` (greedy with one back-track point). */
function fitsLike(text: string, pattern: string): boolean {
  type Token = { readonly any: 'run' | 'one' } | { readonly char: string }
  const tokens: Token[] = []
  const chars = [...pattern]
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] ?? ''
    const next = chars[at + 1]
    if (char === '\\' && next !== undefined && '%_\\'.includes(next)) {
      tokens.push({ char: next })
      at++
    } else if (char === '%') tokens.push({ any: 'run' })
    else if (char === '_') tokens.push({ any: 'one' })
    else tokens.push({ char })
  }
  const subject = [...text]
  let s = 0
  let p = 0
  let star = -1
  let mark = 0
  while (s < subject.length) {
    const token = tokens[p]
    if (token && 'any' in token && token.any === 'run') {
      star = p++
      mark = s
    } else if (
      token &&
      (('any' in token && token.any === 'one') || ('char' in token && token.char === subject[s]))
    ) {
      p++
      s++
    } else if (star >= 0) {
      p = star + 1
      s = ++mark
    } else return false
  }
  return tokens.slice(p).every((token) => 'any' in token && token.any === 'run')
}

const regex: FunctionRecord = {
  id: 'match.regex',
  says: 'True when the pattern (RE2, already checked) is found anywhere in the text.',
  takes: [TEXT, { name: 'pattern', type: 'text', constant: true }],
  gives: 'bool',
  onNull: 'false',
  anyOf: true,
  blankIsNull: () => false,
  spelled: { sigma: ['re'] },
  sql: (args) => sql`match(${arg(args, 0).sql}, ${literal(constText(args, 1))})`,
  examples: [
    { args: ['abc123', '(?-s)[a-c]+\\d'], gives: true },
    { args: ['a\nb', '(?-s)a.b'], gives: false },
    { args: ['ABC', '(?-s)abc'], gives: false },
    { args: [null, '(?-s).*'], gives: false },
    { args: ['', '(?-s)^$'], gives: true },
  ],
}

/** Signs that mean something in a pattern; in front of them a backslash takes the meaning away. */
const PATTERN_SIGNS = /[\\^$.|?*+()[\]{}]/g

/**
 * Positions of many literals in one reading of the text. The engine's multi-pattern matcher is exact for literals
 * (only for those: see notes on the engine), so it is given escaped ASCII literals and nothing else.
 */
const found: FunctionRecord = {
  id: 'match.found',
  says: 'The positions, from 1, of the lower-case ASCII literals that the text holds, ignoring case.',
  takes: [TEXT, VALUES],
  gives: { list: 'int' },
  onNull: 'own',
  blankIsNull: () => true,
  sql: (args) => {
    const patterns = constTexts(args, 1).map((each) => each.replace(PATTERN_SIGNS, '\\$&'))
    return sql`multiMatchAllIndices(lower(${arg(args, 0).sql}), ${literal(patterns)})`
  },
  examples: [
    { args: ['run CMD.exe /c', ['zz', 'cmd.exe']], gives: [2] },
    { args: ['cmdXexe', ['cmd.exe', 'x*', '(']], gives: [] },
  ],
}

/** True when a text is an address of the range's family and inside it; anything else is no match. */
const cidr: FunctionRecord = {
  id: 'match.cidr_any',
  says: 'True when the text is an IP address inside one of the networks; other texts match nothing.',
  takes: [TEXT, { name: 'networks', type: { list: 'text' }, constant: true }],
  gives: 'bool',
  onNull: 'false',
  anyOf: true,
  blankIsNull: () => true,
  spelled: { sigma: ['cidr'] },
  sql: (args) => {
    const text = arg(args, 0).sql
    const networks = constTexts(args, 1)
    const four = networks.filter((each) => !each.includes(':'))
    const six = networks.filter((each) => each.includes(':'))
    const inside = (list: readonly string[], guard: Sql, safe: Sql): readonly Sql[] =>
      list.length === 0
        ? []
        : [
            sql`(${guard} AND ${anyOf(
              list.map((each) => sql`isIPAddressInRange(${safe}, ${literal(each)})`),
            )})`,
          ]
    return anyOf([
      ...inside(
        four,
        sql`isIPv4String(${text})`,
        sql`if(isIPv4String(${text}), ${text}, '0.0.0.0')`,
      ),
      ...inside(six, sql`isIPv6String(${text})`, sql`if(isIPv6String(${text}), ${text}, '::')`),
    ])
  },
  examples: [
    { args: ['10.1.2.3', ['10.0.0.0/8']], gives: true },
    { args: ['11.1.2.3', ['10.0.0.0/8', '192.168.0.0/16']], gives: false },
    { args: ['not an address', ['0.0.0.0/0']], gives: false },
    { args: ['fe80::1', ['fe80::/10']], gives: true },
    { args: ['::1', ['0.0.0.0/0']], gives: false },
    { args: ['0.0.0.0', ['0.0.0.0/32']], gives: true },
    { args: [null, ['0.0.0.0/0']], gives: false },
  ],
}

function byField(
  id: string,
  says: string,
  print: (a: Sql, b: Sql) => Sql,
  examples: readonly Example[],
): FunctionRecord {
  return {
    id,
    says,
    takes: [TEXT, { name: 'other', type: 'text' }],
    gives: 'bool',
    onNull: 'false',
    anyOf: true,
    blankIsNull: () => false,
    spelled: { sigma: ['fieldref'] },
    sql: (args) => print(lowerText(arg(args, 0).sql), lowerText(arg(args, 1).sql)),
    examples: [
      ...examples,
      { args: [null, 'x'], gives: false },
      { args: ['x', null], gives: false },
    ],
  }
}

export const matchFunctions: readonly FunctionRecord[] = [
  ...shapes.flatMap(pair),
  regex,
  found,
  cidr,
  byField(
    'match.same',
    'True when both texts are present and equal, ignoring case.',
    (a, b) => sql`(${a} = ${b})`,
    [
      { args: ['Ab', 'aB'], gives: true },
      { args: ['a', 'b'], gives: false },
    ],
  ),
  byField(
    'match.same_start',
    'True when the text begins with the other text, ignoring case.',
    (a, b) => sql`startsWith(${a}, ${b})`,
    [{ args: ['Abc', 'aB'], gives: true }],
  ),
  byField(
    'match.same_end',
    'True when the text ends with the other text, ignoring case.',
    (a, b) => sql`endsWith(${a}, ${b})`,
    [{ args: ['Abc', 'BC'], gives: true }],
  ),
  byField(
    'match.same_part',
    'True when the text holds the other text, ignoring case.',
    (a, b) => sql`(position(${a}, ${b}) > 0)`,
    [{ args: ['Abc', 'B'], gives: true }],
  ),
]
