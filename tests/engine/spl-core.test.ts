/** Searches over written rows: conditions, expressions, fields and order, as Splunk documents them. */
import { describe, expect, it } from 'vitest'
import { splDesk, type TestRow } from '../support/spldesk.ts'

const desk = splDesk()

interface Case {
  readonly says: string
  readonly rows: readonly TestRow[]
  readonly search: string
  readonly gives: readonly TestRow[]
}

function check(cases: readonly Case[]): void {
  it.each(cases)('$says', async ({ rows, search, gives }) => {
    expect(await desk.found(rows, search)).toEqual(gives)
  })
}

const ACCOUNTS: readonly TestRow[] = [
  { n: '1', user: 'Alice', code: '404' },
  { n: '2', user: 'bob', code: '0404' },
  { n: '3', user: 'BOB', code: '200' },
  { n: '4', code: '9' },
]

const numbers = (...list: readonly string[]): readonly TestRow[] => list.map((n) => ({ n }))

describe('search conditions', () => {
  check([
    {
      says: 'ignore case and compare numbers as numbers',
      rows: ACCOUNTS,
      search: 'search user=bob OR code=404 | table n',
      gives: numbers('1', '2', '3'),
    },
    {
      says: 'a missing field meets neither = nor !=, but NOT',
      rows: ACCOUNTS,
      search: 'search user!=bob | table n',
      gives: numbers('1'),
    },
    {
      says: 'NOT is two-valued',
      rows: ACCOUNTS,
      search: 'search NOT user=bob | table n',
      gives: numbers('1', '4'),
    },
    {
      says: 'order is numeric where both are numbers, else by characters',
      rows: ACCOUNTS,
      search: 'search code>=200 user>b | table n',
      gives: numbers('2'),
    },
    {
      says: 'stars stand for any text, nothing else does',
      rows: [
        { n: '1', p: 'C:\\Windows\\a_b%.exe' },
        { n: '2', p: 'C:\\Windows\\axb.exe' },
      ],
      search: String.raw`search p="c:\\windows\\*_b%*" | table n`,
      gives: numbers('1'),
    },
    {
      says: 'any of several values may meet a condition, and any may differ',
      rows: [
        { n: '1', t: ['x', 'y'] },
        { n: '2', t: ['x'] },
        { n: '3', t: ['z'] },
      ],
      search: 'search t=X t!=x | table n',
      gives: numbers('1'),
    },
    {
      says: 'networks hold addresses',
      rows: [
        { n: '1', ip: '10.1.2.3' },
        { n: '2', ip: '11.1.2.3' },
        { n: '3', ip: 'x' },
      ],
      search: 'search ip="10.0.0.0/8" | table n',
      gives: numbers('1'),
    },
    {
      says: 'words are looked for in the text of events between other signs',
      rows: [
        { n: '1', _raw: 'cmd /c Net User bob' },
        { n: '2', _raw: 'netuser' },
        { n: '3', _raw: 'x net use' },
      ],
      search: 'search "net user" OR netu* | table n',
      gives: numbers('1', '2'),
    },
    {
      says: 'an empty value is a value',
      rows: [{ n: '1', e: '' }, { n: '2' }],
      search: 'search e=* | table n',
      gives: numbers('1'),
    },
    {
      says: 'rows of a subsearch are conditions, their stars too',
      rows: [
        { k: '1', a: 'x' },
        { k: '2', a: 'y' },
        { k: '3', a: 'z' },
      ],
      search: 'search [ search index=r | fields k a ] | table k',
      gives: [],
    },
  ])
  it('take the rows of a subsearch as conditions', async () => {
    const rows = [
      { k: 'abc', a: '1' },
      { k: 'b', a: '2' },
      { k: 'c', a: '3' },
    ]
    const around = { indexes: { r: [{ k: 'A*' }, { k: 'c', a: '9' }] } }
    const search = 'search [ search index=r | fields k, a ] | table k'
    expect(await desk.found(rows, search, around)).toEqual([{ k: 'abc' }])
  })
})

describe('expressions', () => {
  const one = [{ a: '5', b: 'x', m: ['p', 'q'], e: '' }]
  const value = (says: string, expression: string, gives?: string | readonly string[]): Case => ({
    says,
    rows: one,
    search: `eval r=${expression} | table r`,
    gives: [gives === undefined ? {} : { r: gives }],
  })
  check([
    value('numbers in texts compare as numbers', 'if(a>10, "more", "less")', 'less'),
    value('a missing test takes the other branch', 'if(zz=1, "y", "n")', 'n'),
    value('a missing test is neither true nor false', 'if(NOT zz=1, "y", "n")', 'n'),
    value('branches of several types are texts', 'if(a=5, 1, "n") . "!"', '1!'),
    value('an empty text is no missing one', 'if(isnull(e), "null", "text")', 'text'),
    value('case without a match is missing', 'case(a=1, "x", b="y", "z")'),
    value('coalesce keeps an empty text', 'coalesce(zz, e, "k")', ''),
    value('nullif', 'nullif(b, "x")'),
    value('points join numbers too', 'a . 1 . b', '51x'),
    value('mvmap looks at each value', 'mvmap(m, m . "1")', ['p1', 'q1']),
    value('mvmap of mvmap', 'mvmap(m, mvjoin(mvmap(m, m), "-"))', ['p', 'q']),
    value('mvfilter keeps values', 'mvfilter(m != "q")', 'p'.split(',')),
    value('in', 'if(in(b, "y", "x"), 1, 0)', '1'),
    value('IN with NOT', 'if(b NOT IN ("y"), 1, 0)', '1'),
    value('searchmatch', 'if(searchmatch("b=X a>4"), 1, 0)', '1'),
    value('true and false', 'if(true() AND NOT false(), 1, 0)', '1'),
    value('division by zero is missing', 'a / 0'),
    value('signs', '-a + 1', '-4'),
  ])
  it('are set one after another', async () => {
    expect(await desk.found(one, 'eval x=a+1, y=x*2 | table x y')).toEqual([{ x: '6', y: '12' }])
  })
  it('refuse what they cannot mean', async () => {
    expect(await desk.refusal('eval r=a=1')).toBe('HR515')
    expect(await desk.refusal('where a')).toBe('HR509')
    expect(await desk.refusal('eval r=if(a, 1, 2)')).toBe('HR509')
    expect(await desk.refusal('eval r=nosuch(a)')).toBe('HR508')
    expect(await desk.refusal('where match(a, "(")')).toBe('HR510')
    expect(await desk.refusal('eval r=case(a=1)')).toBe('HR509')
    expect(await desk.refusal('eval r=mvfilter(a=1 OR b=1)')).toBe('HR509')
  })
})

describe('patterns', () => {
  const paths = [
    { n: '1', p: 'a.exe' },
    { n: '2', p: 'b.TXT' },
    { n: '3' },
    { n: '4', p: 'line\nbreak' },
  ]
  check([
    {
      says: 'keep',
      rows: paths,
      search: String.raw`regex p="\.exe$" | table n`,
      gives: numbers('1'),
    },
    {
      says: 'drop, and keep rows without the field',
      rows: paths,
      search: String.raw`regex p!="(?i)\.txt$" | table n`,
      gives: numbers('1', '3', '4'),
    },
    {
      says: 'a point is no line break',
      rows: paths,
      search: 'where match(p, "line.break") | table n',
      gives: [],
    },
    {
      says: 'patterns that look around themselves',
      rows: paths,
      search: String.raw`where match(p, "^\w+\.(?!exe)") | table n`,
      gives: numbers('2'),
    },
    {
      says: 'patterns that look around themselves, with flags',
      rows: paths,
      search: String.raw`regex p="(?i)(?<!x)\.(?=EXE)" | table n`,
      gives: numbers('1'),
    },
    {
      says: 'replacing with them',
      rows: paths,
      search: String.raw`eval q=replace(p, "(\w)(?=\.)", "<\1>") | where n<3 | table q`,
      gives: [{ q: '<a>.exe' }, { q: '<b>.TXT' }],
    },
  ])
})

describe('patterns that never end', () => {
  it('are stopped', async () => {
    const rows = [{ p: `${'a'.repeat(40)}b` }]
    const { rel, diagnostics } = await desk.answer(rows, 'where match(p, "(a+)+(?=c)")')
    expect(rel).toBeUndefined()
    expect(diagnostics.map(({ code }) => code)).toContain('HR520')
  }, 20_000)
})

describe('fields', () => {
  const row = [{ 'P.user': 'u', 'P.dest': 'd', n: '1', _time: '5' }]
  check([
    {
      says: 'are renamed by patterns',
      rows: row,
      search: 'rename "P.*" as "*" | table user dest n',
      gives: [{ user: 'u', dest: 'd', n: '1' }],
    },
    {
      says: 'new names may have parentheses',
      rows: [{ a: '1' }],
      search: 'stats values(a) as a(x) by a | rename "a(x)" as b(y)',
      gives: [{ a: '1', 'b(y)': ['1'] }],
    },
    {
      says: 'a name that is taken goes to the newcomer',
      rows: [{ a: '1', b: '2' }],
      search: 'rename a as b | table a b',
      gives: [{ b: '1' }],
    },
    {
      says: 'a missing source empties its target',
      rows: [{ b: '2' }],
      search: 'rename zz as b | table b',
      gives: [{}],
    },
    {
      says: 'fields keeps the time',
      rows: row,
      search: 'fields n | eval m=n',
      gives: [{ n: '1', _time: '5', m: '1' }],
    },
    {
      says: 'fields - takes away',
      rows: [{ a: '1', b: '2', bc: '3' }],
      search: 'fields - b*',
      gives: [{ a: '1' }],
    },
    {
      says: 'table with stars leaves internal fields out',
      rows: row,
      search: 'table n, *',
      gives: [{ n: '1', 'P.user': 'u', 'P.dest': 'd' }],
    },
  ])
})

describe('order', () => {
  const list: readonly TestRow[] = [{ v: '10' }, { v: '9' }, { v: 'b' }, {}, { v: 'B' }]
  const values = (...all: readonly string[]): readonly TestRow[] => all.map((v) => ({ v }))
  check([
    {
      says: 'numbers come before texts',
      rows: list,
      search: 'sort v',
      gives: [...values('9', '10', 'B', 'b'), {}],
    },
    {
      says: 'from the greatest down missing values are last too',
      rows: list,
      search: 'sort - v',
      gives: [...values('b', 'B', '10', '9'), {}],
    },
    {
      says: 'as texts',
      rows: list,
      search: 'sort str(v)',
      gives: [...values('10', '9', 'B', 'b'), {}],
    },
    { says: 'from the greatest', rows: list, search: 'sort 2 -num(v)', gives: values('10', '9') },
    {
      says: 'addresses',
      rows: values('10.0.0.9', '9.0.0.1', '10.0.0.10'),
      search: 'sort ip(v)',
      gives: values('9.0.0.1', '10.0.0.9', '10.0.0.10'),
    },
    { says: 'reverse', rows: values('1', '2'), search: 'reverse', gives: values('2', '1') },
    {
      says: 'head with a test',
      rows: values('1', '2', '3', '1'),
      search: 'head (v<3)',
      gives: values('1', '2'),
    },
    {
      says: 'head keeps the last',
      rows: values('1', '3', '1'),
      search: 'head v<3 keeplast=t',
      gives: values('1', '3'),
    },
    {
      says: 'tail turns the last round',
      rows: values('1', '2', '3'),
      search: 'tail 2',
      gives: values('3', '2'),
    },
    {
      says: 'dedup keeps the first, case counts',
      rows: values('a', 'A', 'a'),
      search: 'dedup v',
      gives: values('a', 'A'),
    },
    {
      says: 'dedup by several',
      rows: [
        { v: '1', w: '1' },
        { v: '1', w: '2' },
        { v: '1', w: '1' },
      ],
      search: 'dedup v w | table v w',
      gives: [
        { v: '1', w: '1' },
        { v: '1', w: '2' },
      ],
    },
    {
      says: 'dedup of a number and sortby',
      rows: values('2', '1', '2', '2'),
      search: 'dedup 2 v sortby v',
      gives: values('1', '2', '2'),
    },
    {
      says: 'dedup of runs',
      rows: values('1', '1', '2', '1'),
      search: 'dedup v consecutive=t',
      gives: values('1', '2', '1'),
    },
  ])
  it('refuses options that there are not', async () => {
    expect(await desk.refusal('dedup a nosuch=1')).toBe('HR505')
    expect(await desk.refusal('dedup a keepempty=maybe')).toBe('HR506')
    expect(await desk.refusal('nosuch a')).toBe('HR503')
    expect(await desk.refusal('script python x')).toBe('HR504')
  })
})
