/** Loading Kusto rules: one call of the compiler for all, rules from its answers, and what stands beside them. */
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { diagnose } from '../../src/core/diagnostic.ts'
import { limits } from '../../src/core/limits.ts'
import type {
  KustoAnswer,
  KustoCompiler,
  KustoFunction,
  KustoRequest,
  Watchlist,
} from '../../src/dialects/kusto/answer.ts'
import type { Rel } from '../../src/ir/rel.ts'
import { loadRules } from '../../src/rules/load.ts'
import { zip } from '../support/archives.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'harrier-kusto-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  return path
}

interface Call {
  readonly requests: readonly KustoRequest[]
  readonly functions: readonly KustoFunction[]
  readonly watchlists: readonly Watchlist[]
}

/**
 * A stand-in for the compiler: a query is cut at blank lines; `project a, b` gives the columns; the word `wrong` is
 * an error.
 */
function fake(): { readonly calls: Call[]; readonly compiler: KustoCompiler } {
  const calls: Call[] = []
  const answer = (query: string, start: number): KustoAnswer => {
    const names = /project ([\w, ]+)/.exec(query)?.[1]?.split(', ') ?? ['TimeGenerated']
    const columns = names.map((name) => ({ name, type: 'text' as const }))
    const tables = [/^\w+/m.exec(query)?.[0] ?? '']
    const span = { start, end: start + query.length }
    const at = query.indexOf('wrong')
    const rel: Rel = {
      op: 'scan',
      table: { kind: 'view', name: tables[0] ?? '' },
      time: {},
      out: columns,
    }
    if (at === -1) return { rel, columns, tables, span, diagnostics: [] }
    const place = { start: start + at, end: start + at + 5 }
    return { columns: [], tables, span, diagnostics: [diagnose('HR254', { name: 'wrong' }, place)] }
  }
  const compiler: KustoCompiler = {
    compile(requests, functions, watchlists) {
      calls.push({ requests, functions, watchlists })
      return Promise.resolve(
        requests.map(({ query }) => {
          let at = 0
          const queries = query.split('\n\n').flatMap((part) => {
            const start = at
            at += part.length + 2
            return part.trim() === '' ? [] : [answer(part, start)]
          })
          return { queries }
        }),
      )
    },
  }
  return { calls, compiler }
}

async function load(paths: readonly string[], given = fake()) {
  const set = await loadRules(paths, { placeholders: new Map(), kusto: given.compiler })
  return {
    ...set,
    calls: given.calls,
    titles: set.rules.map((each) => each.title),
    codes: set.problems.map((each) => each.diagnostic.code),
  }
}

const sentinel = (name: string, query: string, more = ''): string =>
  `id: ${name.toLowerCase()}\nname: ${name}\nseverity: High\ntactics: [InitialAccess]\n` +
  `relevantTechniques: [T1195]\n${more}query: |\n${query
    .split('\n')
    .map((each) => `  ${each}`)
    .join('\n')}\n`

const SIGMA = `title: S\nid: 11111111-0000-4000-8000-000000000001
logsource: {product: windows, category: process_creation}
detection: {sel: {Image|endswith: '.exe'}, condition: sel}\n`

describe('Kusto rules', () => {
  it('stand beside Sigma rules in one pack and are compiled by one call', async () => {
    write('a.yaml', sentinel('A', 'T\n| project x'))
    write('b.yml', SIGMA)
    write('c/d.md', '# D\n```kql\nU\n```\n')
    write('e.kql', '// E\nV\n')
    write('other.md', '# nothing\n')
    write('ci.yml', 'on: push\n')
    write('data.json', '{"query": "example.org"}')
    const { rules, titles, problems, others, calls } = await load([folder])
    expect(problems).toEqual([])
    expect(titles).toEqual(['A', 'S', 'D', 'E'])
    expect(rules.map((each) => each.language)).toEqual(['kusto', 'sigma', 'kusto', 'kusto'])
    expect(others).toBe(1)
    expect(calls.map((each) => each.requests.map(({ name }) => name))).toEqual([['A', 'D', 'E']])
    expect(rules[0]?.rule).toMatchObject({
      id: 'a',
      level: 'high',
      tags: ['attack.initial-access', 'attack.t1195'],
      logsource: 'T',
      fields: ['x'],
      stages: [{ name: 'query', text: 'T\n| project x' }],
      kusto: { form: 'hunting', severity: 'High', tables: ['T'] },
    })
    expect(rules[2]?.rule?.level).toBe('informational')
  })

  it('are not compiled when there are none', async () => {
    const { calls, titles } = await load([write('b.yml', SIGMA)])
    expect([calls, titles]).toEqual([[], ['S']])
  })

  it('of a text with several queries are several rules', async () => {
    const { rules, titles } = await load([write('a.kql', '// A\nT\n\n\nwrong\n\nU | project y')])
    expect(titles).toEqual(['A', 'A (2)', 'A (3)'])
    expect(rules.map(({ rule }) => rule?.logsource)).toEqual(['T', undefined, 'U'])
    expect(new Set(rules.map(({ id }) => id)).size).toBe(3)
    expect(rules[1]?.diagnostics).toMatchObject([{ code: 'HR254', place: { line: 5, column: 1 } }])
  })

  it('have their diagnostics at the place in the file', async () => {
    const { rules } = await load([write('a.yaml', sentinel('A', 'T\n| where wrong'))])
    expect(rules[0]?.rule).toBeUndefined()
    expect(rules[0]?.diagnostics).toMatchObject([{ code: 'HR254', place: { line: 8, column: 11 } }])
  })

  it('with errors of their own are not compiled', async () => {
    const path = write('a.yaml', sentinel('A', 'T', 'triggerOperator: near\n'))
    const { rules, calls } = await load([path])
    expect(calls).toEqual([])
    expect(rules[0]?.rule).toBeUndefined()
    expect(rules[0]?.diagnostics).toContainEqual(
      expect.objectContaining({ code: 'HR452', place: { line: 6, column: 18 } }),
    )
  })

  it('name columns that the query must give', async () => {
    const mapping =
      'entityMappings:\n  - entityType: Account\n    fieldMappings:\n' +
      '      - identifier: FullName\n        columnName: Acount\ncustomDetails: {N: n}\n'
    const path = write('a.yaml', sentinel('A', 'T | project Account, n', mapping))
    const [loaded] = (await load([path])).rules
    expect(loaded?.rule?.kusto?.entityMappings).toHaveLength(1)
    expect(loaded?.diagnostics).toMatchObject([{ code: 'HR459', place: { line: 10, column: 21 } }])
    expect(loaded?.diagnostics[0]?.message).toBe(
      'the query gives no column "Acount", which the entity Account needs (did you mean "Account"?)',
    )
  })

  it('of old form have entities by the names of their columns', async () => {
    const path = write('a.yaml', sentinel('A', 'T | project IPCustomEntity, x'))
    const [loaded] = (await load([path])).rules
    expect(loaded?.rule?.kusto?.entityMappings).toEqual([
      {
        entityType: 'IP',
        fieldMappings: [{ identifier: 'Address', columnName: 'IPCustomEntity' }],
      },
    ])
  })

  it('with nothing but comments are refused', async () => {
    const empty: KustoCompiler = {
      compile: (requests) => Promise.resolve(requests.map(() => ({ queries: [] }))),
    }
    const { rules } = await load([write('a.kql', '// A\n')], { calls: [], compiler: empty })
    expect(rules).toMatchObject([{ title: 'A', diagnostics: [{ code: 'HR450' }] }])
  })

  it('are refused, each, when the compiler fails or is not there', async () => {
    const path = write('a.md', '# A\n```kql\nT\n```\n```kql\nU\n```\n')
    const broken: KustoCompiler = { compile: () => Promise.reject(new Error('no memory')) }
    const failed = await load([path], { calls: [], compiler: broken })
    expect(failed.rules.flatMap((each) => each.diagnostics.map(({ code }) => code))).toEqual([
      'HR469',
      'HR469',
    ])
    expect(failed.rules[1]?.diagnostics[0]).toMatchObject({
      message: 'Kusto queries cannot be compiled here: no memory',
      place: { line: 6 },
    })
    const { rules } = await loadRules([path], { placeholders: new Map() })
    expect(rules[0]?.diagnostics[0]?.code).toBe('HR469')
    const short: KustoCompiler = { compile: () => Promise.resolve([]) }
    expect((await load([path], { calls: [], compiler: short })).rules).toMatchObject([
      { diagnostics: [{ code: 'HR469' }] },
      { diagnostics: [{ code: 'HR469' }] },
    ])
  })

  it('that are broken YAML are a Kusto problem with `query`, a Sigma one with `detection`', async () => {
    const { rules } = await load([
      write('a.yaml', 'id: k1\nname: K\nquery: [\n'),
      write('b.yaml', 'id: s1\ntitle: S\ndetection: [\nquery: x\n'),
    ])
    expect(rules).toMatchObject([
      { language: 'kusto', id: 'k1', title: 'K', diagnostics: [{ code: 'HR001' }] },
      { language: 'sigma', id: 's1', title: 'S', diagnostics: [{ code: 'HR001' }] },
    ])
  })
})

describe('packed rules', () => {
  const line = (name: string): string => `${JSON.stringify({ name, query: 'T | take 1' })}\n`

  it('are packs of lines, packed or not, and members of archives', async () => {
    const lines = write('pack.jsonl', line('A') + line('B'))
    const packed = write('more.jsonl.gz', gzipSync(line('C')))
    const archive = write(
      'all.zip',
      zip([
        { name: 'x/d.yaml', data: new TextEncoder().encode(sentinel('D', 'T')) },
        { name: 'x/e.kql', data: new TextEncoder().encode('// E\nT') },
        { name: 'x/readme.md', data: new TextEncoder().encode('# none') },
      ]),
    )
    const { titles, codes } = await load([lines, packed, archive])
    expect(codes).toEqual([])
    expect(titles).toEqual(['A', 'B', 'C', 'D', 'E'])
  })

  it('have places by line in a large pack, soon', async () => {
    const path = write('pack.jsonl', `${line('A').repeat(4_999)}{"name": "Z", "query": "wrong"}\n`)
    const start = performance.now()
    const { rules } = await load([path])
    expect(rules.at(-1)?.diagnostics).toMatchObject([{ place: { line: 5_000 } }])
    expect(performance.now() - start).toBeLessThan(20_000)
  })
})

describe('functions and watchlists', () => {
  it('are given to the compiler, each name once', async () => {
    write('parsers/f.yaml', 'FunctionAlias: F\nFunctionQuery: T\n')
    write('parsers/g.kql', '.create function F() { U }\n.create function G() { V }')
    write('Watchlists/vip.csv', 'User\na\n')
    write('rules/a.yaml', sentinel('A', 'F'))
    const { calls, problems, others, functions, watchlists } = await load([folder])
    expect(others).toBe(0)
    expect(calls[0]?.functions.map(({ name, body }) => [name, body.trim()])).toEqual([
      ['F', 'T'],
      ['G', 'V'],
    ])
    expect(calls[0]?.watchlists.map((each) => each.alias)).toEqual(['vip'])
    expect([functions.length, watchlists.length]).toEqual([2, 1])
    expect(problems).toMatchObject([
      {
        file: join(folder, 'parsers/g.kql'),
        diagnostic: {
          code: 'HR465',
          message: `the function "F" is defined again; the first one is used, of ${join(folder, 'parsers/f.yaml')}`,
        },
      },
    ])
  })

  it('may be all that a path holds', async () => {
    const path = write('f.kql', '.create function F() { U }')
    const { codes, rules } = await load([path])
    expect([codes, rules]).toEqual([[], []])
  })

  it('that are wrong are problems with their place', async () => {
    const path = write('f.kql', '.create function F() { U }\n.create function { V }')
    const { problems } = await load([path])
    expect(problems).toMatchObject([
      { file: path, root: path, diagnostic: { code: 'HR464', place: { line: 2 } } },
    ])
  })
})

describe('named files', () => {
  it('without a query are problems', async () => {
    const page = write('a.md', '# A\n')
    const json = write('b.json', '{"a": 1}')
    const broken = write('c.json', '{"query": ')
    const empty = write('d.kql', '\n')
    const { problems } = await load([page, json, broken, empty])
    expect(problems.map(({ file, diagnostic }) => [file, diagnostic.code])).toEqual([
      [page, 'HR461'],
      [json, 'HR461'],
      [broken, 'HR460'],
      [empty, 'HR461'],
    ])
  })

  it('that are too large are refused, and passed over below a folder when they are no rules', async () => {
    const path = write('a.json', '{"log": 1}')
    truncateSync(path, 100 * 1024 * 1024)
    expect((await load([folder])).codes).toEqual(['HR910'])
    const { problems } = await load([path])
    expect(problems).toMatchObject([{ diagnostic: { code: 'HR004' } }])
    expect(problems[0]?.diagnostic.message).toContain(String(limits.rulesFileBytes))
    writeFileSync(path, '{"queryFrequency": "PT1H"')
    truncateSync(path, 100 * 1024 * 1024)
    expect((await load([folder])).codes).toEqual(['HR004'])
  })

  it('that are no text are refused', async () => {
    expect((await load([write('a.kql', Uint8Array.of(0, 1, 2))])).codes).toEqual(['HR912'])
  })
})
