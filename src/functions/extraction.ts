/** What patterns find, cut away and replace in texts, as Kusto has it. Patterns are constants, checked before. */
import { once, VARIABLES } from './once.ts'
import { patternOf } from './pattern.ts'
import { arg, constText, type Example, type FunctionRecord, type Parameter } from './record.ts'
import { literal, type Sql, type SqlArg, sql } from './sql.ts'
import { countOf, reachOf, refused, searched } from './strings.ts'

const TEXT: Parameter = { name: 'text', type: 'text' }
const PATTERN: Parameter = { name: 'pattern', type: 'text', constant: true }

/** Removes what the pattern finds at one end of the text, once. */
function trimmed(value: Sql, pattern: string, at: 'start' | 'end'): Sql {
  const { text } = patternOf(pattern)
  const bound = at === 'start' ? `\\A(?:${text})` : `(?:${text})\\z`
  return sql`replaceRegexpOne(${value}, ${literal(bound)}, '')`
}

function trim(
  id: string,
  kusto: string,
  says: string,
  ends: readonly ('start' | 'end')[],
  examples: readonly Example[],
): FunctionRecord {
  return {
    id,
    says,
    takes: [PATTERN, TEXT],
    gives: 'text',
    onNull: 'own',
    spelled: { kusto: [kusto] },
    sql: (args) =>
      ends.reduce((value, at) => trimmed(value, constText(args, 0), at), arg(args, 1).sql),
    examples,
  }
}

/** A rewrite as the engine reads it: references to groups that are not there are empty, other signs are themselves. */
export function rewriteOf(written: string, groups: number): string {
  return written.replace(/\\(.?)/gs, (_, next: string) =>
    /[0-9]/.test(next)
      ? Number(next) <= groups
        ? `\\${next}`
        : ''
      : next === '\\' || next === ''
        ? '\\\\'
        : `\\\\${next}`,
  )
}

function replaced(subject: Sql, pattern: string, rewrite: SqlArg): Sql {
  const { text, groups } = patternOf(pattern)
  const by =
    typeof rewrite.value === 'string'
      ? sql`${literal(rewriteOf(rewrite.value, groups))}`
      : groups >= 9
        ? rewrite.sql
        : sql`replaceRegexpAll(${rewrite.sql}, ${literal(`\\\\[${groups + 1}-9]`)}, '')`
  return sql`replaceRegexpAll(${subject}, ${literal(text)}, ${by})`
}

/** The groups that an array of numbers and names asks for; all groups without one. */
function wantedGroups(
  list: SqlArg | undefined,
  groups: number,
  names: readonly string[],
): readonly number[] {
  const all = Array.from({ length: groups }, (_, index) => index + 1)
  if (typeof list?.value !== 'string') return all
  const parsed: unknown = JSON.parse(list.value)
  if (!Array.isArray(parsed)) return all
  return parsed.flatMap((each: unknown) => {
    const group = typeof each === 'string' ? names.indexOf(each) + 1 : Number(each)
    return Number.isInteger(group) && group >= 1 && group <= groups ? [group] : []
  })
}

function extractAll(args: readonly SqlArg[]): Sql {
  const { text, groups, names } = patternOf(constText(args, 0))
  const subject = arg(args, args.length - 1).sql
  const pattern = groups === 0 ? `(${text})` : text
  const wanted =
    groups === 0 ? [1] : wantedGroups(args.length === 3 ? args[1] : undefined, groups, names)
  const found = sql`extractAllGroupsVertical(${subject}, ${literal(pattern)})`
  const isWhole =
    wanted.length === Math.max(groups, 1) && wanted.every((each, at) => each === at + 1)
  const one =
    wanted.length === 1
      ? sql`m[${literal(wanted[0] ?? 1)}]`
      : sql`arrayMap(i -> m[i], ${literal(wanted)})`
  const made = isWhole && wanted.length > 1 ? found : sql`arrayMap(m -> ${one}, ${found})`
  return sql`nullIf(toJSONString(${made}), '[]')`
}

/** The part of the pattern that a group finds in its first match. */
function extract(args: readonly SqlArg[]): Sql {
  const { text, groups } = patternOf(constText(args, 0))
  const group = arg(args, 1)
  const subject = arg(args, 2).sql
  if (typeof group.value === 'number') {
    return group.value < 0 || group.value > groups
      ? sql`''`
      : sql`regexpExtract(${subject}, ${literal(text)}, ${literal(group.value)})`
  }
  const whole = `(${text})`
  const found = sql`arrayElement(extractGroups(${subject}, ${literal(whole)}), ifNull(${group.sql}, -1) + 1)`
  return sql`if(ifNull(${group.sql}, -1) BETWEEN 0 AND ${literal(groups)}, ${found}, '')`
}

/** Stands before each find in a text that is searched; no character, so no text holds it. */
const MARK = '\ufdd0'

function indexOfPattern(args: readonly SqlArg[]): Sql {
  const { text } = patternOf(constText(args, 1))
  const nth = args[4]?.sql ?? sql`1`
  const { a } = VARIABLES
  return once(arg(args, 0).sql, a, (value) =>
    searched(value, args, (part, start) => {
      const marked = sql`replaceRegexpAll(${part}, ${literal(text)}, ${literal(`${MARK}\\0`)})`
      const pieces = sql`splitByString(${literal(MARK)}, ${marked})`
      const before = sql`toInt64(lengthUTF8(arrayStringConcat(arraySlice(${pieces}, 1, toInt64(ifNull(${nth}, 1))))))`
      const reach = sql`arrayAll(piece -> lengthUTF8(piece) <= ${reachOf(args)}, arraySlice(${pieces}, 1, toInt64(ifNull(${nth}, 1))))`
      const found = sql`if(length(${pieces}) <= ifNull(${nth}, 1) OR NOT ${reach}, -1, ${before} + ${start})`
      const not = refused(args)
      return not.reduce((made, test) => sql`if(${test}, NULL, ${made})`, found)
    }),
  )
}

export const extractionFunctions: readonly FunctionRecord[] = [
  trim(
    'text.trim',
    'trim',
    'The text without what the pattern finds at its start and at its end.',
    ['start', 'end'],
    [
      { args: ['x', 'xxabcxx'], gives: 'xabcx' },
      { args: ['\\s+', '  \u00a0a b '], gives: 'a b' },
      { args: ['[^\\w]+', '-- Müé//'], gives: 'Müé' },
      { args: ['1', '1'], gives: '' },
    ],
  ),
  trim(
    'text.trim_start',
    'trim_start',
    'The text without what the pattern finds at its start.',
    ['start'],
    [
      { args: [' ', '  a '], gives: ' a ' },
      { args: ['a|b', 'ba'], gives: 'a' },
    ],
  ),
  trim(
    'text.trim_end',
    'trim_end',
    'The text without what the pattern finds at its end.',
    ['end'],
    [
      { args: [' ', '  a  '], gives: '  a ' },
      { args: ['\\.exe', 'a.exe.exe'], gives: 'a.exe' },
    ],
  ),
  {
    id: 'text.rewrite',
    says: 'The text with what the pattern finds rewritten; `\\1` stands for the first group, `\\0` for the whole find.',
    takes: [TEXT, PATTERN, { name: 'rewrite', type: 'text' }],
    gives: 'text',
    onNull: 'own',
    spelled: { kusto: ['replace_regex'] },
    sql: (args) => replaced(arg(args, 0).sql, constText(args, 1), arg(args, 2)),
    examples: [
      { args: ['abcABCabc', '(?i)abc', '#'], gives: '###' },
      { args: ['abcABC', '([a-z])([A-Z])', '\\1_\\2\\3'], gives: 'abc_ABC' },
      { args: ['a.b', '\\.', '[\\0]'], gives: 'a[.]b' },
    ],
  },
  {
    id: 'text.rewrite_in',
    says: 'As `text.rewrite`, with the text as the last argument.',
    takes: [PATTERN, { name: 'rewrite', type: 'text' }, TEXT],
    gives: 'text',
    onNull: 'own',
    spelled: { kusto: ['replace'] },
    sql: (args) => replaced(arg(args, 2).sql, constText(args, 0), arg(args, 1)),
    examples: [{ args: ['(\\d)', '<\\1>', 'a1'], gives: 'a<1>' }],
  },
  {
    id: 'text.extract',
    says: 'What a group of the pattern finds in the text, 0 for the whole find; empty when it finds nothing.',
    takes: [PATTERN, { name: 'group', type: 'int' }, TEXT],
    gives: 'text',
    onNull: 'own',
    sql: extract,
    examples: [
      { args: ['User: ([^,]+)', 1, 'User: Ann, Age: 2'], gives: 'Ann' },
      { args: ['\\d+', 0, 'Age: 29'], gives: '29' },
      { args: ['(\\d+)', 2, 'Age: 29'], gives: '' },
      { args: ['(\\d+)', 1, 'none'], gives: '' },
    ],
  },
  {
    id: 'text.extract_all',
    says: 'An array of all that the pattern finds: of texts for one group, of arrays for several; null for none.',
    takes: [
      PATTERN,
      { name: 'groups or text', type: 'any' },
      { name: 'text', type: 'any', optional: true },
    ],
    gives: 'dynamic',
    onNull: 'own',
    spelled: { kusto: ['extract_all', 'extractall'] },
    sql: extractAll,
    examples: [
      { args: ['([a-z])(\\d)?', 'a1b'], gives: '[["a","1"],["b",""]]' },
      { args: ['<(/?[a-z]+)', '<tag></tag>'], gives: '["tag","/tag"]' },
      { args: ['(\\d)', 'none'], gives: null },
    ],
  },
  {
    id: 'text.count',
    says: 'How often a piece is found, overlapping finds too; with the kind `regex`, how often a pattern is.',
    takes: [
      TEXT,
      { name: 'piece', type: 'text', constant: true },
      { name: 'kind', type: 'text', constant: true, optional: true },
    ],
    gives: 'int',
    onNull: 'own',
    spelled: { kusto: ['countof'] },
    sql: (args) =>
      args[2]?.value === 'regex'
        ? sql`toInt64(countMatches(${arg(args, 0).sql}, ${literal(patternOf(constText(args, 1)).text)}))`
        : countOf(arg(args, 0).sql, constText(args, 1)),
    examples: [
      { args: ['aaaa', 'aa'], gives: 3 },
      { args: ['ababa', 'aba'], gives: 2 },
      { args: ['hello hello', 'hello', 'normal'], gives: 2 },
      { args: ['', 'a'], gives: 0 },
    ],
  },
  {
    id: 'text.index_of_match',
    says: 'Where the pattern is found, -1 when it is not; start, length and number of the find may be given.',
    takes: [
      TEXT,
      PATTERN,
      { name: 'start', type: 'int', optional: true },
      { name: 'length', type: 'int', optional: true },
      { name: 'number', type: 'int', optional: true },
    ],
    gives: 'int',
    onNull: 'own',
    spelled: { kusto: ['indexof_regex'] },
    sql: indexOfPattern,
    examples: [
      { args: ['abcabc', 'a.c'], gives: 0 },
      { args: ['ñabcabc', 'a.c', 0, -1, 2], gives: 4 },
      { args: ['abcabc', 'a.c', 0, -1, 3], gives: -1 },
      { args: ['abcabc', 'a.c', 1], gives: 3 },
    ],
  },
]
