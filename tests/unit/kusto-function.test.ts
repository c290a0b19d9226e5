/** Functions and watchlists of the user's own. */
import { describe, expect, it } from 'vitest'
import { limits } from '../../src/core/limits.ts'
import { kustoForm, readKustoFile } from '../../src/dialects/kusto/document.ts'
import { readWatchlist } from '../../src/dialects/kusto/watchlist.ts'

function read(text: string, file: string) {
  const form = kustoForm(file, text, true)
  if (form === undefined) throw new Error('not Kusto')
  return readKustoFile(form, text, file)
}

describe('parser files in YAML', () => {
  it('are functions under their alias', () => {
    const text = [
      'id: 1',
      'Function:',
      '  Title: Parser for X',
      'Category: Microsoft Sentinel Parser',
      'FunctionName: XParser',
      'FunctionAlias: X',
      'FunctionQuery: |',
      '  let a = 1;',
      '  T | where x == a',
    ].join('\n')
    const { functions, documents, diagnostics } = read(text, 'x.yaml')
    expect({ documents, diagnostics }).toEqual({ documents: [], diagnostics: [] })
    expect(functions).toMatchObject([
      { name: 'X', parameters: [], body: 'let a = 1;\nT | where x == a\n', file: 'x.yaml' },
    ])
    const [{ span } = { span: { start: 0, end: 0 } }] = functions
    expect(text.slice(span.start, span.end)).toContain('T | where x')
  })

  it('of a normalised schema have both names, and parameters with defaults', () => {
    const text = [
      'Parser: {Title: A}',
      'ParserName: vimDnsX',
      'EquivalentBuiltInParser: _Im_Dns_X',
      'ParserParams:',
      '  - Name: starttime',
      '    Type: datetime',
      '    Default: datetime(null)',
      '  - Name: domain',
      '    Type: string',
      "    Default: '*'",
      '  - Name: list',
      '    Type: dynamic',
      '    Default: dynamic([])',
      '  - Name: disabled',
      '    Type: bool',
      '    Default: false',
      'ParserQuery: |',
      '  T',
    ].join('\n')
    const { functions, diagnostics } = read(text, 'vim.yaml')
    expect(diagnostics).toEqual([])
    expect(functions.map((each) => each.name)).toEqual(['vimDnsX', '_Im_Dns_X'])
    expect(functions[0]?.parameters).toEqual([
      { name: 'starttime', type: 'datetime', fallback: 'datetime(null)' },
      { name: 'domain', type: 'string', fallback: '"*"' },
      { name: 'list', type: 'dynamic', fallback: 'dynamic([])' },
      { name: 'disabled', type: 'bool', fallback: 'false' },
    ])
  })

  it.each([
    [
      "FunctionParameters: a:string, b:int=1, T:(x:long, *), d:dynamic=dynamic({'a': 1, 'b': [1,2]})",
    ],
    [
      "FunctionParameters: \"(a:string, b:int=1, T:(x:long, *), d:dynamic=dynamic({'a': 1, 'b': [1,2]}))\"",
    ],
    [
      "FunctionParameters:\n  - a:string\n  - b:int=1\n  - T:(x:long, *)\n  - \"d:dynamic=dynamic({'a': 1, 'b': [1,2]})\"",
    ],
  ])('take parameters as texts: %#', (line) => {
    const { functions, diagnostics } = read(
      `FunctionName: F\n${line.replace(/: (a:string.*)$/, ': "$1"')}\nFunctionQuery: T\n`,
      'f.yaml',
    )
    expect(diagnostics).toEqual([])
    expect(functions[0]?.parameters).toEqual([
      { name: 'a', type: 'string' },
      { name: 'b', type: 'int', fallback: '1' },
      { name: 'T', type: '(x:long, *)' },
      { name: 'd', type: 'dynamic', fallback: "dynamic({'a': 1, 'b': [1,2]})" },
    ])
  })

  it.each([
    'FunctionQuery: T\n',
    'FunctionName: "a b"\nFunctionQuery: T\n',
    'FunctionName: F\nFunctionQuery: ""\n',
    'FunctionName: F\nFunctionParameters: a\nFunctionQuery: T\n',
    'FunctionName: F\nFunctionParameters: "a:text"\nFunctionQuery: T\n',
    `FunctionName: F\nFunctionParameters: "${'a:int,'.repeat(100)}"\nFunctionQuery: T\n`,
    `FunctionName: F\nFunctionParameters: "${'('.repeat(200_000)}"\nFunctionQuery: T\n`,
  ])('that cannot be called are refused: %#', (text) => {
    const { functions, diagnostics } = read(text, 'f.yaml')
    expect(functions).toEqual([])
    expect(diagnostics).toMatchObject([{ code: 'HR464', severity: 'error' }])
  })
})

describe('commands', () => {
  it('define one function each', () => {
    const text = [
      '// All ours',
      '.create-or-alter function with (docstring = \'a) {b\', folder = "x")',
      'First(a:string = "}", n: long) {',
      '  T // not the end: }',
      "  | where x == a and y != '}' and z != @\"\\\" | extend d = dynamic({'q': 1})",
      '}',
      '',
      ".create function ifnotexists ['Second']() { U }",
    ].join('\r\n')
    const { functions, diagnostics } = read(text, 'f.kql')
    expect(diagnostics).toEqual([])
    expect(functions.map(({ name, parameters }) => [name, parameters])).toEqual([
      [
        'First',
        [
          { name: 'a', type: 'string', fallback: '"}"' },
          { name: 'n', type: 'long' },
        ],
      ],
      ['Second', []],
    ])
    expect(functions[0]?.body).toContain("dynamic({'q': 1})")
    expect(functions[1]?.body.trim()).toBe('U')
    const span = functions[1]?.span
    expect(text.slice(span?.start, span?.end)).toBe(' U ')
  })

  it.each([
    '.create-or-alter function F { T }',
    '.create-or-alter function F() { T ',
    '.create-or-alter function F() T',
    '.create-or-alter function F(a) { T }',
    '.create-or-alter function (a:int) { T }',
    '.create-or-alter function with (x F() { T }',
  ])('that are broken are refused: %s', (text) => {
    const { functions, documents, diagnostics } = read(text, 'f.csl')
    expect({ functions, documents }).toEqual({ functions: [], documents: [] })
    expect(diagnostics).toMatchObject([{ code: 'HR464' }])
  })

  it('are followed by nothing else', () => {
    const { functions, diagnostics } = read('.create function F() { T }\nF | take 1', 'f.kql')
    expect(functions.length).toBe(1)
    expect(diagnostics).toMatchObject([{ code: 'HR464', span: { start: 27 } }])
  })
})

describe('files with a line that names the function', () => {
  it('are functions, not queries', () => {
    const text = '// function: F(a:string)\nT | where x == a\n// Function: G\nU\n'
    const { functions, documents } = read(text, 'f.kql')
    expect(documents).toEqual([])
    expect(functions.map(({ name, body }) => [name, body.trim()])).toEqual([
      ['F', 'T | where x == a'],
      ['G', 'U'],
    ])
  })

  it('are queries when the line stands later', () => {
    const { functions, documents } = read('T\n// function: F()\n| take 1', 'f.kql')
    expect([functions.length, documents.length]).toEqual([0, 1])
  })
})

describe('watchlists', () => {
  it('are read from CSV by the name of the file', () => {
    const text = '\ufeffUser,"Full, name",Note\r\na,"A ""x""\r\nB",\r\n\r\nb\r\n'
    const { watchlists, diagnostics } = read(text, 'lists/VIP Users.csv')
    expect(diagnostics).toEqual([])
    expect(watchlists).toEqual([
      {
        alias: 'VIP Users',
        columns: ['User', 'Full, name', 'Note'],
        rows: [
          ['a', 'A "x"\r\nB', ''],
          ['b', '', ''],
        ],
      },
    ])
  })

  it.each([
    ['', 'no row of column names'],
    ['a,,b\n', 'column 2 has no name'],
    ['a,a\n', 'two columns "a"'],
    ['a,b\n1,2,3\n', 'row 2 has 3 cells'],
    ['a\n"x\n', 'not closed'],
    ['a\n"x"y\n', 'followed by'],
    [`a\n${'1\n'.repeat(limits.watchlistRows + 1)}`, 'more than'],
    [`${'a'.repeat(limits.watchlistBytes)}\n`, 'more than'],
  ])('that cannot be read whole are refused: %#', (text, reason) => {
    const { watchlist, diagnostics } = readWatchlist('x', text)
    expect(watchlist).toBeUndefined()
    expect(diagnostics).toMatchObject([{ code: 'HR466' }])
    expect(diagnostics[0]?.message).toContain(reason)
  })

  it('are searched by a column that is there', () => {
    expect(readWatchlist('x', 'a,b\n', 'b').watchlist?.searchKey).toBe('b')
    expect(readWatchlist('x', 'a,b\n', 'c').watchlist).toBeUndefined()
    expect(readWatchlist('../x', 'a\n').watchlist).toBeUndefined()
  })

  it('are taken from folders of that name only, or when they are named', () => {
    expect(kustoForm('p/Watchlists/a.csv', 'a\n', false)).toBe('csv')
    expect(kustoForm('p/logs/a.csv', 'a\n', false)).toBeUndefined()
    expect(kustoForm('p/logs/a.csv', 'a\n', true)).toBe('csv')
  })
})
