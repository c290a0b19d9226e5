/** Compiled queries on disk: what they depend on, and what may be wrong with the files. */
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { diagnose } from '../../src/core/diagnostic.ts'
import type {
  KustoCompiled,
  KustoCompiler,
  KustoFunction,
  Watchlist,
} from '../../src/dialects/kusto/answer.ts'
import { cachedCompiler, cacheSize } from '../../src/rules/kustocache.ts'
import { makeFolder, removeFolder } from '../support/engines.ts'

let folder: string
let asked: string[]
beforeEach(() => {
  folder = makeFolder()
  asked = []
})
afterEach(() => removeFolder(folder))

function answerTo(query: string): KustoCompiled {
  const span = { start: 0, end: query.length }
  const diagnostics = query.startsWith('slow') ? [diagnose('HR480', { seconds: 1 }, span)] : []
  const rel = { op: 'values' as const, rows: [[Number.NaN, query]], out: [] }
  return { queries: [{ rel, columns: [], tables: [], span, diagnostics }] }
}

const compiler: KustoCompiler = {
  async compile(requests) {
    asked.push(...requests.map(({ query }) => query))
    return requests.map(({ query }) => answerTo(query))
  },
}

interface World {
  readonly version?: string
  readonly bytes?: number
  readonly functions?: readonly KustoFunction[]
  readonly watchlists?: readonly Watchlist[]
}

/** Compiles through a cache, and gives what the compiler behind it was asked. */
async function askedFor(queries: readonly string[], world: World = {}): Promise<readonly string[]> {
  const { version = '1', functions = [], watchlists = [], bytes } = world
  asked = []
  const options = { folder, version, ...(bytes === undefined ? {} : { bytes }) }
  const requests = queries.map((query) => ({ query, name: 'q' }))
  const answers = await cachedCompiler(compiler, options).compile(requests, functions, watchlists)
  expect(answers).toEqual(queries.map(answerTo))
  return asked
}

function userFunction(name: string, body: string): KustoFunction {
  return { name, parameters: [], body, file: 'f', span: { start: 0, end: 1 } }
}

const files = (): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .map((each) => join(each.parentPath, each.name))

describe('compiled queries on disk', () => {
  it('are asked for once, in any order and number', async () => {
    expect(await askedFor(['a', 'b', 'a'])).toEqual(['a', 'b'])
    expect(await askedFor(['b', 'c', 'a'])).toEqual(['c'])
    expect(await askedFor(['c', 'c'])).toEqual([])
  })

  it('depend on the version, and on the functions and watchlists that they use', async () => {
    const list = (alias: string): Watchlist => ({ alias, columns: ['a'], rows: [] })
    const before = {
      functions: [userFunction('F', 'G | take 1'), userFunction('G', 'T')],
      watchlists: [list('x')],
    }
    const queries = ['F', 'other', `_GetWatchlist('x')`]
    expect(await askedFor(queries, before)).toEqual(queries)
    expect(await askedFor(queries, before)).toEqual([])
    const inner = [userFunction('F', 'G | take 1'), userFunction('G', 'U')]
    expect(await askedFor(queries, { ...before, functions: inner })).toEqual(['F'])
    expect(await askedFor(queries, { ...before, watchlists: [list('y')] })).toEqual([queries[2]])
    expect(await askedFor(queries, { ...before, version: '2' })).toEqual(queries)
  })

  it('are not kept when the front end gave up on them', async () => {
    expect(await askedFor(['slow', 'a'])).toEqual(['slow', 'a'])
    expect(await askedFor(['slow', 'a'])).toEqual(['slow'])
  })

  it('are for their user alone', async () => {
    await askedFor(['a'])
    const modes = files().map((path) => statSync(path).mode & 0o077)
    expect(modes).toEqual([0])
  })

  it('are read anew when a file is cut, changed, empty or somebody else’s', async () => {
    await askedFor(['a', 'b'])
    const [first = '', second = ''] = files()
    const whole = readFileSync(first)
    const changed = Buffer.from(whole)
    changed.writeUInt8(changed.readUInt8(changed.length - 3) ^ 1, changed.length - 3)
    const wrong = [
      whole.subarray(0, whole.length - 1),
      changed,
      Buffer.alloc(0),
      Buffer.from('{"queries":[]}'),
      readFileSync(second),
    ]
    for (const bytes of wrong) {
      writeFileSync(first, bytes)
      expect(await askedFor(['a', 'b'])).toHaveLength(1)
      expect(await askedFor(['a', 'b'])).toEqual([])
    }
  })

  it('are not used from a folder that others can write to', async () => {
    await askedFor(['a'])
    chmodSync(folder, 0o777)
    expect(await askedFor(['a'])).toEqual(['a'])
  })

  it('work without a folder', async () => {
    removeFolder(folder)
    writeFileSync(folder, '')
    expect(await askedFor(['a'])).toEqual(['a'])
    expect(await askedFor(['a'])).toEqual(['a'])
  })

  it('stay below their bound, the oldest going first', async () => {
    const some = Array.from({ length: 100 }, (_, index) => `q${index}`)
    await askedFor(some)
    const { texts, bytes } = cacheSize(folder)
    expect(texts).toBe(100)
    const long = new Date(Date.now() - 30 * 24 * 3600 * 1000)
    for (const path of files()) utimesSync(path, long, long)
    await askedFor(['q7'])
    const more = Array.from({ length: 64 }, (_, index) => `r${index}`)
    await askedFor(more, { bytes })
    expect(cacheSize(folder).bytes).toBeLessThanOrEqual(bytes)
    expect(await askedFor(['q7'])).toEqual([])
  })

  it('leave files of others in their folder alone', async () => {
    mkdirSync(join(folder, 'mine'))
    writeFileSync(join(folder, 'mine', 'x'), 'x'.repeat(1000))
    await askedFor(
      Array.from({ length: 70 }, (_, index) => `q${index}`),
      { bytes: 10 },
    )
    expect(readFileSync(join(folder, 'mine', 'x'), 'utf8')).toHaveLength(1000)
  })
})
