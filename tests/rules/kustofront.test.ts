/** The processes that compile Kusto queries: they may die, hang and lie, and their snapshot may be missing or wrong. */
import { chmodSync, existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { KustoCompiled } from '../../src/dialects/kusto/answer.ts'
import { type FrontOptions, type KustoFront, openFront } from '../../src/rules/kustofront.ts'
import { findSnapshot, frontVersion, snapshotPath } from '../../src/rules/kustosnapshot.ts'
import { decode, encode } from '../../src/rules/kustowire.ts'
import { harrier } from '../support/command.ts'
import { makeFolder, removeFolder } from '../support/engines.ts'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const require = createRequire(import.meta.url)
const TABLES = here('../../content/schema/tables')

const parts = {
  script: here('../../dist/kusto-front.cjs'),
  files: {
    library: ['bridge.min.js', 'Kusto.Language.Bridge.min.js'].map((name) =>
      require.resolve(`@kusto/language-service-next/${name}`),
    ),
    tables: readdirSync(TABLES).map((name) => join(TABLES, name)),
  },
}

let folder: string
let fronts: KustoFront[]
beforeEach(() => {
  folder = makeFolder()
  fronts = []
})
afterEach(() => {
  for (const each of fronts) each.close()
  removeFolder(folder)
})

function open(options: Partial<FrontOptions>): KustoFront {
  const front = openFront({ ...parts, version: 'x', folder: undefined, ...options })
  fronts.push(front)
  return front
}

const fake = (seconds = 5): KustoFront =>
  open({ script: here('../support/fakefront.cjs'), seconds })

function compile(front: KustoFront, texts: readonly string[]): Promise<readonly KustoCompiled[]> {
  const requests = texts.map((query) => ({ query, name: 'q' }))
  return front.compile(requests, [], [])
}

/** The codes of each query, or the text where there is none. */
const told = (all: readonly KustoCompiled[]): readonly (readonly string[])[] =>
  all.map(({ queries }) =>
    queries.map(({ diagnostics, tables }) => diagnostics[0]?.code ?? tables[0] ?? ''),
  )

describe('a process that fails', () => {
  it('is started again, and asked once more', async () => {
    const once = `once ${join(folder, 'mark')}`
    expect(told(await compile(fake(), ['a', once, 'b']))).toEqual([['a'], [once], ['b']])
  })

  it('costs one query alone when it fails at it again', async () => {
    const front = fake()
    const all = await compile(front, ['a', 'die', 'b'])
    expect(told(all)).toEqual([['a'], ['HR481'], ['b']])
    expect(all[1]?.queries[0]?.diagnostics[0]?.message).toContain('with code 7')
    expect(told(await compile(front, ['c']))).toEqual([['c']])
  })

  it('is stopped at a query that takes too long; what it had answered stays', async () => {
    const all = await compile(fake(1), ['a', 'hang', 'b'])
    expect(told(all)).toEqual([['a'], ['before', 'HR480'], ['b']])
  })

  it('is stopped when it does not speak as agreed', async () => {
    expect(told(await compile(fake(), ['babble', 'b']))).toEqual([['HR481'], ['b']])
  })

  it('fails the request when it cannot be started at all', async () => {
    const front = open({ script: join(folder, 'missing.cjs') })
    await expect(compile(front, ['a'])).rejects.toThrow(/process ended/)
  })
})

describe('many requests', () => {
  it('are answered in their order by several processes', async () => {
    const texts = Array.from({ length: 400 }, (_, index) =>
      index % 100 === 7 ? 'die' : `q${index}`,
    )
    const wanted = texts.map((each) => [each === 'die' ? 'HR481' : each])
    expect(told(await compile(fake(), texts))).toEqual(wanted)
  })

  it('wait for one another', async () => {
    const front = fake()
    const all = await Promise.all([
      compile(front, ['a']),
      compile(front, ['b', 'c']),
      compile(front, []),
    ])
    expect(all.map(told)).toEqual([[['a']], [['b'], ['c']], []])
  })
})

describe('the snapshot', () => {
  const version = frontVersion(parts)
  const options = (): Partial<FrontOptions> => ({ folder, version })

  it('gives the same answers as a plain start, and is made once', async () => {
    const texts = [
      'print real(nan), -0.0',
      'SigninLogs | where Nope == 1',
      'range x from 1 to 3 step 1',
    ]
    const plain = await compile(open({}), texts)
    const first = await compile(open(options()), texts)
    expect(first).toEqual(plain)
    const path = snapshotPath(folder, version)
    const { mtimeMs, mode } = statSync(path)
    expect(mode & 0o77).toBe(0)
    expect(await compile(open(options()), texts)).toEqual(plain)
    expect(statSync(path).mtimeMs).toBe(mtimeMs)
    expect(readdirSync(folder)).toHaveLength(1)
  })

  it('is thrown away when the process does not start from it', async () => {
    const path = snapshotPath(folder, version)
    writeFileSync(path, 'no snapshot')
    expect(told(await compile(open(options()), ['print 1']))).toEqual([['']])
    expect(existsSync(path)).toBe(false)
  })

  it('is left to the process that makes it', async () => {
    writeFileSync(snapshotPath(folder, version).replace(/blob$/, 'lock'), '')
    expect(await findSnapshot(parts, folder, version)).toBeUndefined()
  })

  it('is not used from a folder that others can write to, or that cannot be made', async () => {
    chmodSync(folder, 0o777)
    expect(await findSnapshot(parts, folder, version)).toBeUndefined()
    writeFileSync(join(folder, 'file'), '')
    expect(await findSnapshot(parts, join(folder, 'file', 'below'), version)).toBeUndefined()
  })

  it('serves two programs that start at the same time with an empty cache', async () => {
    const env = { XDG_CACHE_HOME: folder }
    const args = ['query', '--dialect', 'kusto', 'print n = 1 + 1', '--show', 'ir']
    const both = await Promise.all([harrier(args, { env }), harrier(args, { env })])
    expect(both.map(({ code, stderr }) => [code, stderr])).toEqual([
      [0, ''],
      [0, ''],
    ])
    expect(both[0]?.stdout).toBe(both[1]?.stdout)
    expect(readdirSync(join(folder, 'harrier', 'front'))).toEqual([expect.stringMatching(/blob$/)])
  })
})

describe('what passes between the processes', () => {
  it('keeps numbers that JSON does not have', () => {
    const value = { a: [Number.NaN, Number.POSITIVE_INFINITY, -0, 1.5, '@number'], b: { c: null } }
    expect(decode(encode(value))).toEqual(value)
    expect(Object.is((decode(encode([-0])) as readonly number[])[0], -0)).toBe(true)
  })
})
