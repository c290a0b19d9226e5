/**
 * Tests of texts as Kusto has them: terms (`has` and its kin), parts, starts, ends, equality and lists, each exact
 * or ignoring case. Texts are never missing here, so every test is true or false.
 *
 * A term is a longest run of letters and digits of any script. A needle is found where it stands in the text and no
 * term is cut: at an end of the needle that is a letter or digit, the text must not go on with one.
 *
 * The engine's own token functions take every byte above ASCII for a part of a token. What they find is therefore
 * right, and what they miss is asked again with a pattern (or with the ends of terms marked), after a search for the
 * needle alone has left few rows.
 */
import { named, VARIABLES } from './once.ts'
import { patternOf } from './pattern.ts'
import {
  arg,
  constText,
  constTexts,
  type Example,
  type FunctionRecord,
  type Parameter,
} from './record.ts'
import { joined, literal, type Sql, type SqlArg, sql } from './sql.ts'

type Case = 'any' | 'exact'

/** The ends of a needle at which a term may not be cut. */
interface Ends {
  readonly left: boolean
  readonly right: boolean
}

/** No term may be cut at either end. */
export const WHOLE: Ends = { left: true, right: true }

/** Lists up to this long are printed needle by needle; longer ones go through the engine's multi-needle functions. */
const FEW = 8

const LETTERS = /^[\p{L}\p{N}]+$/u
const STARTS_TERM = /^[\p{L}\p{N}]/u
const ENDS_TERM = /[\p{L}\p{N}]$/u
const TERMS = /[\p{L}\p{N}]+/gu

/** Stands where a term begins or ends in marked texts; no character, so no needle holds it. */
export const MARK = '\ufdd0'

/** The engine's function for places of needles takes at most this many. */
const MOST_PLACES = 255

function chunks(values: readonly string[]): readonly (readonly string[])[] {
  return Array.from({ length: Math.ceil(values.length / MOST_PLACES) }, (_, index) =>
    values.slice(index * MOST_PLACES, (index + 1) * MOST_PLACES),
  )
}

/** ASCII letters alone have case: Kelvin and long s are not taken for `k` and `s`, as in Kusto. */
function isPlain(value: string): boolean {
  return [...value].every((each) => each <= '\x7f' || each.toLowerCase() === each.toUpperCase())
}

/** A constant in lower case, as `folded` gives it; capital sigma has two small forms, which count as one. */
function lowered(value: string): string {
  return isPlain(value)
    ? value.replace(/[A-Z]/g, (each) => each.toLowerCase())
    : value.toLowerCase().replaceAll('ς', 'σ')
}

const fullyFolded = (text: Sql): Sql => sql`replaceAll(lowerUTF8(${text}), 'ς', 'σ')`

/** A constant needle in the case in which it is looked up, and the text it is looked up in. */
interface Needle {
  readonly value: string
  readonly subject: Sql
}

function needleIn(text: Sql, value: string, how: Case): Needle {
  const plain = value.toWellFormed()
  if (how === 'exact') return { value: plain, subject: text }
  const subject = isPlain(plain)
    ? plain.toLowerCase() === plain.toUpperCase()
      ? text
      : sql`lower(${text})`
    : fullyFolded(text)
  return { value: lowered(plain), subject }
}

/** Constant needles in lower case, those first for which lowering ASCII letters is enough. */
function grouped(
  text: Sql,
  values: readonly string[],
): readonly { readonly subject: Sql; readonly needles: readonly string[] }[] {
  const needlesOf = (some: readonly string[]) => [
    ...new Set(some.map((each) => lowered(each.toWellFormed()))),
  ]
  return [
    { subject: sql`lower(${text})`, needles: needlesOf(values.filter(isPlain)) },
    {
      subject: fullyFolded(text),
      needles: needlesOf(values.filter((each) => !isPlain(each))),
    },
  ].filter(({ needles }) => needles.length > 0)
}

/** The needle as pattern text that matches itself only. */
function quoted(needle: string): string {
  return needle.replace(/[^\p{L}\p{N}\u0080-\u{10ffff}]/gu, (each) =>
    each < ' ' || each === '\x7f'
      ? `\\x{${each.charCodeAt(0).toString(16)}}`
      : /[\w\s]/.test(each)
        ? each
        : `\\${each}`,
  )
}

function bounded(needle: string, at: Ends, outside: string): string {
  const left = at.left ? `(?:^|${outside})` : ''
  const right = at.right ? `(?:$|${outside})` : ''
  return `${left}${quoted(needle)}${right}`
}

/** ASCII characters that are in no term. */
const ASCII_OUTSIDE = '[\\x00-/:-@\\[-`{-\\x7f]'
const OUTSIDE = '[^\\pL\\pN]'

function endsOf(needle: string, ends: Ends): Ends {
  return {
    left: ends.left && STARTS_TERM.test(needle),
    right: ends.right && ENDS_TERM.test(needle),
  }
}

const held = ({ subject, value }: Needle): Sql => sql`position(${subject}, ${literal(value)}) > 0`

/** For rows that hold the needle: that it cuts no term. Undefined when it cannot cut one. */
function cutsNone({ subject, value }: Needle, ends: Ends): Sql | undefined {
  const at = endsOf(value, ends)
  if (!at.left && !at.right) return undefined
  const quick =
    at.left && at.right && LETTERS.test(value)
      ? sql`hasToken(${subject}, ${literal(value)})`
      : sql`match(${subject}, ${literal(bounded(value, at, ASCII_OUTSIDE))})`
  return sql`(${quick} OR match(${subject}, ${literal(bounded(value, at, OUTSIDE))}))`
}

/** The test for one constant needle. */
function hasOne(text: Sql, value: string, ends: Ends, how: Case): Sql {
  const needle = needleIn(text, value, how)
  if (needle.value === '') return sql`true`
  const sure = cutsNone(needle, ends)
  return sure === undefined ? sql`(${held(needle)})` : sql`(${held(needle)} AND ${sure})`
}

/** The text with a mark at each of the given ends of each of its terms: a bounded search becomes a plain one. */
export function marked(text: Sql, ends: Ends): Sql {
  const with_ = `${ends.left ? MARK : ''}\\0${ends.right ? MARK : ''}`
  return sql`replaceRegexpAll(${text}, '[\\\\pL\\\\pN]+', ${literal(with_)})`
}

const markedNeedle = (needle: string): string => needle.replace(TERMS, `${MARK}$&${MARK}`)

/** The test for a needle that is known only when the row is read. */
function hasValue(text: Sql, needle: Sql, ends: Ends, how: Case): Sql {
  const [subject, wanted] =
    how === 'exact' ? [text, needle] : [fullyFolded(text), fullyFolded(needle)]
  return sql`(position(${marked(subject, ends)}, ${marked(wanted, ends)}) > 0)`
}

function either(pieces: readonly Sql[], none: Sql, between: ' OR ' | ' AND '): Sql {
  const [only] = pieces
  if (only === undefined) return none
  return pieces.length === 1 ? only : sql`(${joined(pieces, between)})`
}

/** Any of a few needles: one search for all leaves the rows to look at closely. */
function hasAnyOfFew(text: Sql, needles: readonly string[]): Sql {
  const patterns = (some: readonly string[], outside: string): Sql =>
    sql`match(${text}, ${literal(some.map((each) => bounded(each, endsOf(each, WHOLE), outside)).join('|'))})`
  const phrases = needles.filter((each) => !LETTERS.test(each))
  const quick = [
    ...needles
      .filter((each) => LETTERS.test(each))
      .map((each) => sql`hasToken(${text}, ${literal(each)})`),
    ...(phrases.length > 0 ? [patterns(phrases, ASCII_OUTSIDE)] : []),
  ]
  const sure = joined([...quick, patterns(needles, OUTSIDE)], ' OR ')
  return sql`(multiSearchAny(${text}, ${literal(needles)}) AND (${sure}))`
}

/** Any of many needles that are one term each: the terms of the text are looked up in the set of needles. */
function hasAnyTerm(text: Sql, needles: readonly string[]): Sql {
  const set = joined(needles.map(literal), ', ')
  const terms = sql`extractAll(${text}, '[\\\\pL\\\\pN]+')`
  const sure = sql`(hasAnyTokens(${text}, ${literal(needles)}) OR arrayExists(t -> t IN (${set}), ${terms}))`
  return sql`(multiMatchAny(${text}, ${literal(needles)}) AND ${sure})`
}

/** Any of many needles of other shapes: one multi-needle search for all, and one in the marked text to decide. */
function hasAnyPhrase(text: Sql, needles: readonly string[]): Sql {
  const plain = needles.map(quoted)
  const sure = needles.map((each) => quoted(markedNeedle(each)))
  return sql`(multiMatchAny(${text}, ${literal(plain)}) AND multiMatchAny(${marked(text, WHOLE)}, ${literal(sure)}))`
}

/** Any of constant needles as `term.has` says. */
export function hasAny(text: Sql, values: readonly string[]): Sql {
  if (values.includes('')) return sql`true`
  const tests = grouped(text, values).flatMap(({ subject, needles }) => {
    if (needles.length <= FEW) return [hasAnyOfFew(subject, needles)]
    const terms = needles.filter((each) => LETTERS.test(each))
    const phrases = needles.filter((each) => !LETTERS.test(each))
    const many = (some: readonly string[], print: typeof hasAnyTerm): readonly Sql[] =>
      some.length === 0
        ? []
        : [some.length <= FEW ? hasAnyOfFew(subject, some) : print(subject, some)]
    return [...many(terms, hasAnyTerm), ...many(phrases, hasAnyPhrase)]
  })
  return either(tests, sql`false`, ' OR ')
}

function hasAll(text: Sql, values: readonly string[]): Sql {
  const tests = grouped(
    text,
    values.filter((each) => each !== ''),
  ).map(({ subject, needles }) => {
    if (needles.length > FEW) {
      const found = chunks(needles.map(markedNeedle)).map(
        (chunk) =>
          sql`arrayAll(at -> at > 0, multiSearchAllPositions(${marked(subject, WHOLE)}, ${literal(chunk)}))`,
      )
      return either(found, sql`true`, ' AND ')
    }
    const each = needles.map((value): Needle => ({ value, subject }))
    const sure = each.map((one) => cutsNone(one, WHOLE)).filter((one) => one !== undefined)
    return either([...each.map(held), ...sure], sql`true`, ' AND ')
  })
  return either(tests, sql`true`, ' AND ')
}

/** Stands for a null among needles: a byte that is in no text. */
const NOTHING = sql`'\\xFF'`

/** The elements of an array at run time as texts. */
const textsOf = (array: Sql): Sql =>
  sql`arrayMap(r -> if(r = 'null', ${NOTHING}, if(startsWith(r, '"'), JSONExtractString(r), r)), JSONExtractArrayRaw(ifNull(${array}, '[]')))`

const presentTextsOf = (array: Sql): Sql =>
  sql`arrayFilter(r -> r != ${NOTHING}, ${textsOf(array)})`

/** Needles of the row, ready for a search in a marked text. */
const markedNeedles = (texts: Sql): Sql =>
  sql`arrayMap(needle -> ${marked(fullyFolded(sql`needle`), WHOLE)}, ${texts})`

/** Any of the texts of an array at run time. The texts are searched without a lambda, which would copy the subject for each. */
export function hasAnyOf(text: Sql, texts: Sql): Sql {
  const subject = sql`materialize(${marked(fullyFolded(text), WHOLE)})`
  return sql`(has(${texts}, '') OR multiSearchAny(${subject}, ${markedNeedles(texts)}))`
}

/** Arrays of the row are searched in this many runs of needles; what is longer is found nowhere. */
const RUNS = 8

/** Where each of the texts is found, 0 where it is not; an empty text is found everywhere. */
function placesOf(text: Sql, texts: Sql): Sql {
  const { a, b } = VARIABLES
  return named(sql`materialize(${marked(fullyFolded(text), WHOLE)})`, a, (subject) =>
    named(texts, b, (list) => {
      const needles = markedNeedles(list)
      const runs = Array.from({ length: RUNS }, (_, index) => {
        const run = sql`arraySlice(${needles}, ${literal(index * MOST_PLACES + 1)}, ${literal(MOST_PLACES)})`
        return sql`multiSearchAllPositions(${subject}, ${run})`
      })
      const places = sql`arrayResize(arrayConcat(${joined(runs, ', ')}), length(${list}))`
      return sql`arrayMap((at, needle) -> if(needle = '', 1, at), ${places}, ${list})`
    }),
  )
}

const TEXT: Parameter = { name: 'text', type: 'text' }
const NEEDLE: Parameter = { name: 'needle', type: 'text' }
const NEEDLES: Parameter = { name: 'needles', type: { list: 'text' }, constant: true }
const ARRAY: Parameter = { name: 'needles', type: 'dynamic' }

interface Shape {
  readonly id: string
  readonly says: string
  readonly second: Parameter
  readonly sql: (text: Sql, args: readonly SqlArg[]) => Sql
  readonly examples: readonly Example[]
}

const test = (shape: Shape): FunctionRecord => ({
  id: shape.id,
  says: shape.says,
  takes: [TEXT, shape.second],
  gives: 'bool',
  onNull: 'own',
  sql: (args) => shape.sql(arg(args, 0).sql, args),
  examples: shape.examples,
})

type Row = readonly [text: string, needle: string | readonly string[], gives: boolean]

const rows = (list: readonly Row[]): readonly Example[] =>
  list.map(([text, needle, gives]) => ({ args: [text, needle], gives }))

/** The needle when it is a constant. */
function constantOf(args: readonly SqlArg[]): string | undefined {
  const { value } = arg(args, 1)
  return typeof value === 'string' ? value : undefined
}

/** A term test as two records, one ignoring case and one exact. */
function termTest(
  id: string,
  says: string,
  ends: Ends,
  both: readonly Row[],
  other: readonly Row[],
): readonly FunctionRecord[] {
  return (['any', 'exact'] satisfies readonly Case[]).map((how) =>
    test({
      id: how === 'exact' ? `${id}_cs` : id,
      says: `${says}${how === 'exact' ? ', with exact case' : ', ignoring case'}.`,
      second: NEEDLE,
      sql: (text, args) => {
        const needle = constantOf(args)
        return needle === undefined
          ? hasValue(text, arg(args, 1).sql, ends, how)
          : hasOne(text, needle, ends, how)
      },
      examples: rows([
        ...both,
        ...other.map(([text, needle, gives]): Row => [text, needle, how === 'any' && gives]),
      ]),
    }),
  )
}

/** A plain text test as two records; `print` sees the text and the needle in one case. */
function plainTest(
  id: string,
  says: string,
  print: (text: Sql, needle: Sql) => Sql,
  both: readonly Row[],
  other: readonly Row[],
): readonly FunctionRecord[] {
  return (['any', 'exact'] satisfies readonly Case[]).map((how) =>
    test({
      id: `${id}_${how === 'exact' ? 'case' : 'nocase'}`,
      says: `${says}${how === 'exact' ? ', with exact case' : ', ignoring case'}.`,
      second: NEEDLE,
      sql: (text, args) => foldedPair(text, args, how, print),
      examples: rows([
        ...both,
        ...other.map(([text, needle, gives]): Row => [text, needle, how === 'any' && gives]),
      ]),
    }),
  )
}

function foldedPair(
  text: Sql,
  args: readonly SqlArg[],
  how: Case,
  print: (text: Sql, needle: Sql) => Sql,
): Sql {
  const needle = constantOf(args)
  if (needle !== undefined) {
    const { value, subject } = needleIn(text, needle, how)
    return print(subject, sql`${literal(value)}`)
  }
  const value = arg(args, 1).sql
  return how === 'exact' ? print(text, value) : print(fullyFolded(text), fullyFolded(value))
}

const OTHER_CASE: readonly Row[] = [
  ['CMD /c', 'cmd', true],
  ['ПРИВЕТ', 'привет', true],
]

const tests: readonly FunctionRecord[] = [
  ...termTest(
    'term.has',
    'True when the text holds the needle and cuts no term at its ends',
    WHOLE,
    [
      ['run cmd.exe now', 'exe', true],
      ['run cmd.exe now', '.exe', true],
      ['run cmd.exer now', '.exe', false],
      ['alpha_beta', 'alpha', true],
      ['v1.2.3', '1', false],
      ['v1.2.3', '2.3', true],
      ['one\u2014two\u00a0three', 'two', true],
      ['éclair', 'clair', false],
      ['xa-a-a y', 'a-a', true],
      ['', '', true],
      ['abc', '', true],
    ],
    OTHER_CASE,
  ),
  ...termTest(
    'term.hasprefix',
    'True when a term of the text begins with the needle',
    { left: true, right: false },
    [
      ['a category', 'cat', true],
      ['scatter', 'cat', false],
      ['a-category', 'a-cat', true],
      ['“category”', 'cat', true],
    ],
    OTHER_CASE,
  ),
  ...termTest(
    'term.hassuffix',
    'True when a term of the text ends with the needle',
    { left: false, right: true },
    [
      ['tomcat 9', 'cat', true],
      ['scatter', 'cat', false],
      ['“tomcat”', 'cat', true],
    ],
    OTHER_CASE,
  ),
  test({
    id: 'term.has_any',
    says: 'True when the text has at least one of the needles as `term.has` says.',
    second: NEEDLES,
    sql: (text, args) => hasAny(text, constTexts(args, 1)),
    examples: rows([
      ['net USER /add', ['group', 'user'], true],
      ['net users', ['group', 'user'], false],
      ['x', ['', 'y'], true],
      ['a\u2014K9.b', ['1', '2', '3', '4', '5', '6', '7', '8', 'k9'], true],
      ['a\u2014K9.b', ['1', '2', '3', '4', '5', '6', '7', '8', 'k9.b'], true],
      ['a\u2014K9.bc', ['1', '2', '3', '4', '5', '6', '7', '8', 'k9.b', 'ü'], false],
    ]),
  }),
  test({
    id: 'term.has_all',
    says: 'True when the text has every needle as `term.has` says.',
    second: NEEDLES,
    sql: (text, args) => hasAll(text, constTexts(args, 1)),
    examples: rows([
      ['net USER /add', ['add', 'user'], true],
      ['net users /add', ['add', 'user'], false],
      ['a b c d e f g h İ i', ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'I'], true],
      ['a b c d e f g h ii', ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'I'], false],
    ]),
  }),
  test({
    id: 'term.has_any_of',
    says: 'True when the text has at least one element of the array as `term.has` says.',
    second: ARRAY,
    sql: (text, args) => hasAnyOf(text, presentTextsOf(arg(args, 1).sql)),
    examples: rows([
      ['net USER /add', '["group","user"]', true],
      ['port 443', '[443]', true],
      ['net users', '["user",null]', false],
      ['x', '[]', false],
      ['', '["a",""]', true],
    ]),
  }),
  test({
    id: 'term.has_all_of',
    says: 'True when the text has every element of the array as `term.has` says.',
    second: ARRAY,
    sql: (text, args) =>
      sql`arrayAll(at -> at > 0, ${placesOf(text, presentTextsOf(arg(args, 1).sql))})`,
    examples: rows([
      ['net USER /add', '["add","user"]', true],
      ['net users /add', '["add","user"]', false],
      ['', '["",null]', true],
    ]),
  }),
  ...plainTest(
    'text.contains',
    'True when the text holds the needle',
    (text, needle) => sql`(position(${text}, ${needle}) > 0)`,
    [
      ['quickbrown', 'kbr', true],
      ['', '', true],
      ['a', 'ab', false],
    ],
    OTHER_CASE,
  ),
  ...plainTest(
    'text.starts',
    'True when the text begins with the needle',
    (text, needle) => sql`startsWith(${text}, ${needle})`,
    [
      ['C:\\x', 'C:\\', true],
      ['xC:\\', 'C:\\', false],
    ],
    OTHER_CASE,
  ),
  ...plainTest(
    'text.ends',
    'True when the text ends with the needle',
    (text, needle) => sql`endsWith(${text}, ${needle})`,
    [
      ['a.exe', '.exe', true],
      ['a.exe ', '.exe', false],
    ],
    [['A.EXE', '.exe', true]],
  ),
  test({
    id: 'text.equals_nocase',
    says: 'True when both texts are the same, ignoring case.',
    second: NEEDLE,
    sql: (text, args) => foldedPair(text, args, 'any', (a, b) => sql`(${a} = ${b})`),
    examples: rows([
      ['MÜLLER', 'müller', true],
      ['ΟΔΟΣ', 'οδος', true],
      ['a ', 'a', false],
    ]),
  }),
  test({
    id: 'text.in_nocase',
    says: 'True when the text is one of the values, ignoring case.',
    second: NEEDLES,
    sql: (text, args) => {
      const tests = grouped(text, constTexts(args, 1)).map(
        ({ subject, needles }) => sql`(${subject} IN (${joined(needles.map(literal), ', ')}))`,
      )
      return either(tests, sql`false`, ' OR ')
    },
    examples: rows([
      ['Net.EXE', ['cmd.exe', 'NET.exe'], true],
      ['ÄPFEL', ['äpfel', 'x'], true],
      ['', ['a'], false],
    ]),
  }),
  {
    id: 'text.fold',
    says: 'The text in the case in which texts of the row are compared when case is ignored.',
    takes: [TEXT],
    gives: 'text',
    onNull: 'own',
    sql: (args) => fullyFolded(arg(args, 0).sql),
    examples: [{ args: ['ΟΔΟς Ä'], gives: 'οδοσ ä' }],
  },
  {
    id: 'text.has_any_index',
    says: 'Where the first element of the array that the text has stands in the array, -1 when it has none.',
    takes: [TEXT, ARRAY],
    gives: 'int',
    onNull: 'own',
    spelled: { kusto: ['has_any_index'] },
    sql: (args) => {
      const places = placesOf(arg(args, 0).sql, textsOf(arg(args, 1).sql))
      return sql`(toInt64(arrayFirstIndex(at -> at > 0, ${places})) - 1)`
    },
    examples: [
      { args: ['this is an example', '["this","example"]'], gives: 0 },
      { args: ['this is an example', '["not","EXAMPLE"]'], gives: 1 },
      { args: ['this is', '["not",3]'], gives: -1 },
      { args: ['this is', '[null,"is"]'], gives: 1 },
      { args: ['x', '[]'], gives: -1 },
    ],
  },
  {
    id: 'text.matches',
    says: 'True when the pattern, already checked, is found anywhere in the text.',
    takes: [TEXT, { name: 'pattern', type: 'text', constant: true }],
    gives: 'bool',
    onNull: 'own',
    sql: (args) => sql`match(${arg(args, 0).sql}, ${literal(patternOf(constText(args, 1)).text)})`,
    examples: rows([
      ['abc123', '[a-c]+\\d', true],
      ['a\nb', 'a.b', false],
      ['', '^$', true],
      ['a\u00a0b', 'a\\sb', true],
      ['né', '^\\w+$', true],
      ['né', '[^\\w]', false],
      ['a\tb', '[[:alpha:]\\s]b', true],
    ]),
  },
]

export const termFunctions: readonly FunctionRecord[] = tests
