/** Functions of the user's and those without a body, from the text of a query to the engine's rows. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { planQuery, type QueryWorld, queryRows } from '../../src/detect/runquery.ts'
import type { KustoAnswer, KustoFunction, Watchlist } from '../../src/dialects/kusto/answer.ts'
import { compilerHere } from '../../src/rules/kustolibrary.ts'
import { readyMadeSchema } from '../../tools/product.ts'
import { type TemporaryEngine, temporaryEngine } from '../support/temporary.ts'

let opened: TemporaryEngine
beforeAll(async () => {
  opened = await temporaryEngine()
})
afterAll(() => opened.close())

const schema = readyMadeSchema()
const world: QueryWorld = { schema, stored: new Map(), time: {} }
const compiler = compilerHere(schema.tables)

const WATCHLISTS: readonly Watchlist[] = [
  {
    alias: 'vip',
    searchKey: 'User',
    columns: ['User', 'Team', 'SearchKey'],
    rows: [
      ['ann', 'red', 'other'],
      ['bob', 'blue "x"', ''],
    ],
  },
  { alias: 'ips', columns: ['Address'], rows: [['10.0.0.1'], ['10.0.0.2']] },
]

function userFunction(name: string, body: string, parameters: KustoFunction['parameters'] = []) {
  return { name, parameters, body, file: 'functions.kql', span: { start: 0, end: 1 } }
}

async function answer(query: string, functions: readonly KustoFunction[] = []) {
  const [compiled] = await compiler.compile([{ query, name: 'q' }], functions, WATCHLISTS)
  const [first] = compiled?.queries ?? []
  if (first === undefined) throw new Error('no answer')
  return first
}

async function rows(query: string, functions: readonly KustoFunction[] = []) {
  const { rel, diagnostics }: KustoAnswer = await answer(query, functions)
  if (rel === undefined) throw new Error(JSON.stringify(diagnostics))
  const { value: plan } = planQuery(rel, world)
  if (plan === undefined) throw new Error('no plan')
  const found: (readonly unknown[])[] = []
  for await (const row of queryRows(opened.engine, plan)) found.push(row)
  return found
}

const codes = ({ diagnostics }: KustoAnswer): readonly string[] =>
  diagnostics.map(({ code }) => code)

describe('watchlists', () => {
  it('give the columns of the list and those of the service', async () => {
    expect(await rows(`_GetWatchlist('vip') | project User, Team, SearchKey`)).toEqual([
      ['ann', 'red', 'ann'],
      ['bob', 'blue "x"', 'bob'],
    ])
  })

  it('give each row as a bag', async () => {
    const query = `_GetWatchlist('vip') | where User == 'bob' | project tostring(WatchlistItem.Team)`
    expect(await rows(query)).toEqual([['blue "x"']])
  })

  it('are as new as the query', async () => {
    const query = `_GetWatchlist('vip') | where LastUpdatedTimeUTC > ago(1m) and _DTTimestamp <= now() | count`
    expect(await rows(query)).toEqual([[2n]])
  })

  it('are searched by the first column where the file names none', async () => {
    expect(await rows(`_GetWatchlist('ips', '10.0.0.2', 'x') | project SearchKey`)).toEqual([
      ['10.0.0.2'],
    ])
    const listed = `_GetWatchlist('ips', dynamic(['10.0.0.1'])) | project Address`
    expect(await rows(listed)).toEqual([['10.0.0.1']])
  })

  it('take their name from a constant, however it is given', async () => {
    const text = `let list = (a:string) { _GetWatchlist(a) }; let n = 'ips'; list(n) | count`
    expect(await rows(text)).toEqual([[2n]])
  })

  it('serve as lists to look in', async () => {
    const text = `print u = 'bob' | where u in ((_GetWatchlist('vip') | project User))`
    expect(await rows(text)).toEqual([['bob']])
  })

  it('are listed by their aliases', async () => {
    expect(await rows('_GetWatchlistAlias | sort by WatchlistAlias asc')).toEqual([
      ['ips'],
      ['vip'],
    ])
  })

  it('are asked for by name when they are not there, and nothing runs without them', async () => {
    const refused = await answer(`_GetWatchlist('vib') | where Risk == 'x' | project Nope`)
    expect(codes(refused)).toEqual(['HR431'])
    if (refused.rel === undefined) throw new Error('no plan')
    const { value, diagnostics } = planQuery(refused.rel, world)
    expect([value, diagnostics[0]?.code]).toEqual([undefined, 'HR432'])
    expect(refused.diagnostics[0]?.message).toContain('there is "vip"')
  })
})

describe('functions of the user', () => {
  it('are called, with defaults and names of arguments', async () => {
    const parameters = [
      { name: 'least', type: 'long' },
      { name: 'word', type: 'string', fallback: "'a'" },
    ]
    const own = userFunction(
      'Own',
      'range x from 1 to 3 step 1 | where x >= least | extend word // end',
      parameters,
    )
    expect(await rows('Own(3)', [own])).toEqual([[3n, 'a']])
    expect(await rows(`Own(word='b', least=3)`, [own])).toEqual([[3n, 'b']])
  })

  it('are found through one another, in any order', async () => {
    const functions = [
      userFunction('Inner', 'print n = 1'),
      userFunction('Outer', 'Inner | extend m = n'),
    ]
    expect(await rows('Outer', functions)).toEqual([[1n, 1n]])
    expect(await rows('Outer()', [...functions].reverse())).toEqual([[1n, 1n]])
  })

  it('are invoked on rows, which they may read more than once', async () => {
    const own = userFunction('Twice', 'T | union T | extend each = step', [
      { name: 'T', type: '(a:long)' },
      { name: 'step', type: 'long' },
    ])
    const text = 'datatable(a:long)[1, 2] | invoke Twice(7) | summarize count(), sum(a), max(each)'
    expect(await rows(text, [own])).toEqual([[4n, 6n, 7n]])
  })

  it('stand for what only a tenant has', async () => {
    const own = userFunction('FileProfile', 'T | extend GlobalPrevalence = 5', [
      { name: 'T', type: '(*)' },
      { name: 'hash', type: 'string', fallback: "''" },
    ])
    const text = `datatable(SHA1:string)['x'] | invoke FileProfile('SHA1') | project GlobalPrevalence`
    expect(await rows(text, [own])).toEqual([[5n]])
  })

  it.each([
    ['an unknown table', userFunction('Bad', 'NoSuchTable | take 1'), 'HR401'],
    [
      'a comparison of what cannot be compared',
      userFunction('Bad', `print a = 'x' | where a > 5`),
      'HR472',
    ],
    ['itself', userFunction('Bad', 'Bad()'), 'HR406'],
  ])('are refused for %s in their body', async (_, own, code) => {
    expect(codes(await answer('Bad()', [own]))).toEqual([code])
  })
})

describe('what only a tenant has', () => {
  it.each([
    'DeviceFileEvents | invoke FileProfile(SHA1, 1000) | where GlobalPrevalence < 3',
    'DeviceInfo | invoke SeenBy() | project SeenBy',
    `AssignedIPAddresses('host', now()) | project IPAddress`,
  ])('is refused at its place: %s', async (query) => {
    const refused = await answer(query)
    expect(codes(refused)).toEqual(['HR408'])
    const { start = 0 } = refused.diagnostics[0]?.span ?? {}
    expect(query.slice(start)).toMatch(/^(?:FileProfile|SeenBy|AssignedIPAddresses)\(/)
  })

  it('is not needed for Resource Graph, whose exports are tables', async () => {
    const query = 'arg("").Resources | where type =~ "x" | project name'
    expect(await answer(query)).toMatchObject({ tables: ['Resources'], diagnostics: [] })
  })

  it('is no harm where nothing uses it', async () => {
    expect(await rows('let x = arg("").Resources; print 1')).toEqual([[1n]])
  })
})
