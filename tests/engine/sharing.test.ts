/** A store that several processes work with: by way of its owner, over a local socket. */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openChdb } from '../../src/engine/chdb.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { openShared, type SharedStore } from '../../src/engine/sharing/client.ts'
import { FrameReader, frameOf } from '../../src/engine/sharing/frame.ts'
import { type Sharing, shareStore } from '../../src/engine/sharing/server.ts'
import { openStore, type Store } from '../../src/engine/store.ts'
import { batchOf, blockOf, numberedBatch } from '../support/batches.ts'
import { childPath, makeFolder, removeFolder } from '../support/engines.ts'

let folder: string
let engine: Engine
let store: Store
let sharing: Sharing
let shared: SharedStore

async function own(): Promise<void> {
  engine = await openChdb({ path: join(folder, 'db'), childPath })
  store = await openStore({ engine })
  sharing = await shareStore({ store, engine, folder })
}

async function reached(): Promise<SharedStore> {
  const found = await openShared(folder)
  if (found === undefined) throw new Error('nobody shares the store')
  return found
}

beforeEach(async () => {
  folder = makeFolder()
  await own()
  shared = await reached()
})

afterEach(async () => {
  shared.close()
  await sharing.close()
  await engine.close()
  removeFolder(folder)
})

async function rowsOf(from: Pick<Store, 'rows'>, sql: string): Promise<readonly unknown[]> {
  const found: unknown[] = []
  for await (const row of from.rows(sql)) found.push(row)
  return found
}

async function counts(): Promise<readonly unknown[]> {
  const [first] = await store.sources()
  return [first?.name, first?.rows]
}

/** A connection that says what it likes; resolves with all that came back once it is closed. */
function speak(bytes: readonly Uint8Array[]): Promise<string> {
  const { socket } = JSON.parse(readFileSync(join(folder, 'owner.json'), 'utf8'))
  return new Promise((done) => {
    let said = ''
    const stream: Socket = connect(socket, () => {
      for (const each of bytes) stream.write(each)
    })
    stream.on('data', (piece) => {
      said += piece.toString('latin1')
    })
    stream.on('error', () => {})
    stream.on('close', () => done(said))
  })
}

const secret = (): string => JSON.parse(readFileSync(join(folder, 'owner.json'), 'utf8')).secret
const hello = () => frameOf({ op: 'hello', secret: secret(), protocol: 1 })

describe('what others do with a shared store', () => {
  it('stores batches once, whoever writes them', async () => {
    const batches = Array.from({ length: 40 }, (_, at) =>
      numberedBatch('numbered', at * 100 + 1, 100, 'a.log'),
    )
    const receipts = await Promise.all(
      batches.flatMap((batch) => [store.write(batch), shared.store.write(batch)]),
    )
    expect(receipts.reduce((sum, { stored }) => sum + stored, 0)).toBe(4_000)
    expect(receipts.reduce((sum, { repeated }) => sum + repeated, 0)).toBe(4_000)
    expect(await counts()).toEqual(['numbered', 4_000])
    expect(await shared.store.knownBatches('a.log')).toEqual(await store.knownBatches('a.log'))
    expect([...(await shared.store.catalogue())]).toEqual([...(await store.catalogue())])
    expect([...(await shared.store.columnNames())]).toEqual([...(await store.columnNames())])
    expect(await shared.store.sources()).toEqual(await store.sources())
    expect(await shared.store.touched(0)).toEqual(await store.touched(0))
    expect(await shared.store.unnoted()).toEqual(new Set())
    expect(await shared.store.about()).toEqual(await store.about())
  })

  it('keeps rejects, and columns of all kinds', async () => {
    const reject = { file: 'b.log', place: 'line 1', code: 'HR125', reason: 'odd', raw: '\u0000"' }
    const block = blockOf('mixed', [
      {
        fields: [
          ['a', 'x'],
          ['l', ['1', '2']],
        ],
        more: [['k', 'v']],
      },
      { fields: [['a', 'é\n']] },
    ])
    const receipt = await shared.store.write(batchOf([block], { rejects: [reject] }))
    expect(receipt).toEqual({ stored: 2, rejected: 1, repeated: 0 })
    const rejects = []
    for await (const each of shared.store.rejects()) rejects.push(each)
    expect(rejects).toEqual([reject])
    const sql = 'SELECT number, NULL, -0.0, toString(number) FROM system.numbers LIMIT 3'
    expect(await rowsOf(shared.store, sql)).toEqual(await rowsOf(store, sql))
  })

  it('reads a large result at the pace of the reader, and may stop', async () => {
    let count = 0
    let odd = 0
    for await (const [n] of shared.store.rows('SELECT number FROM numbers(600000)')) {
      if (n !== String(count++)) odd++
      if (count % 200_000 === 0) await new Promise((go) => setTimeout(go, 50))
    }
    expect([count, odd]).toEqual([600_000, 0])
    for await (const _ of shared.store.rows('SELECT number FROM system.numbers')) break
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 100)
    const endless = shared.store.rows('SELECT sum(number) FROM system.numbers', {
      signal: stop.signal,
    })
    await expect(endless[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      kind: 'cancelled',
    })
    expect(await rowsOf(shared.store, 'SELECT 1')).toEqual([[1]])
  })

  it('has the limits and the guard of the owner', async () => {
    const slow = rowsOf(
      { rows: (sql) => shared.store.rows(sql, { seconds: 1 }) },
      'SELECT sum(number) FROM system.numbers',
    )
    await expect(slow).rejects.toMatchObject({ kind: 'timeout' })
    for (const sql of [
      'SELECT 1; SELECT 2',
      "SELECT * FROM file('/etc/passwd')",
      'DROP TABLE batches',
    ]) {
      await expect(rowsOf(shared.store, sql)).rejects.toMatchObject({ kind: 'refused' })
    }
    await expect(shared.store.drop()).rejects.toMatchObject({ kind: 'refused' })
  })

  it('reads and writes records and lookups', async () => {
    const spec = {
      name: 'marks',
      columns: { id: 'text', n: 'number', all: 'list' },
      key: ['id'],
    } as const
    const theirs = await shared.store.records.table(spec)
    const ours = await store.records.table(spec)
    await theirs.append([{ id: 'a', n: 1, all: ['x'] }])
    await ours.append([{ id: 'a', n: 2, all: [] }])
    await theirs.append([{ id: 'b', n: 3, all: ['y', 'z'] }])
    expect(
      await theirs.read({ order: ['-id'], where: [{ column: 'n', is: 'in', value: [2, 3] }] }),
    ).toEqual([
      { id: 'b', n: 3, all: ['y', 'z'] },
      { id: 'a', n: 2, all: [] },
    ])
    expect(await ours.count()).toBe(2)
    const rows = Array.from({ length: 20_000 }, (_, at) => [String(at), 'v'])
    expect(await shared.store.lookups.write('seen.csv', ['k', 'v'], rows)).toBe(20_000)
    expect([...(await store.lookups.written()).keys()]).toEqual(['seen.csv'])
    expect((await shared.store.lookups.written()).get('seen.csv')?.rows).toBe(20_000)
    const broken = (async function* () {
      yield ['1', '2']
      throw new Error('no more')
    })()
    await expect(shared.store.lookups.write('bad.csv', ['k', 'v'], broken)).rejects.toThrow(
      'no more',
    )
    expect((await store.lookups.written()).has('bad.csv')).toBe(false)
  })
})

describe('who owns a store', () => {
  it('can be reached by its own user only, and only with what the folder says', async () => {
    expect(statSync(join(folder, 'owner.json')).mode & 0o777).toBe(0o600)
    expect(statSync(join(folder, 'owner.sock')).mode & 0o777).toBe(0o600)
    const said = await speak(frameOf({ op: 'hello', secret: 'x'.repeat(64), protocol: 1 }))
    expect(said).toContain('refused')
    expect(said).not.toContain('welcome')
  })

  it('is one of several processes, and the others find it', async () => {
    const second = openChdb({ path: join(folder, 'db'), childPath })
    await expect(second).rejects.toMatchObject({ kind: 'locked' })
    expect(shared.owner).toBe(process.pid)
  })

  it('may end: requests fail and say so, and a new owner is found', async () => {
    const pending = rowsOf(shared.store, 'SELECT sum(number) FROM system.numbers')
    const failing = expect(pending).rejects.toMatchObject({ kind: 'unavailable' })
    await new Promise((go) => setTimeout(go, 100))
    await sharing.close()
    await failing
    await expect(shared.store.catalogue()).rejects.toMatchObject({ kind: 'unavailable' })
    await engine.close()
    // What a killed owner leaves behind.
    writeFileSync(
      join(folder, 'owner.json'),
      JSON.stringify({ pid: 1, socket: join(folder, 'owner.sock'), secret: 'x', protocol: 1 }),
    )
    expect(await openShared(folder)).toBeUndefined()
    await own()
    await shared.store.write(numberedBatch('numbered', 1, 10))
    expect(await counts()).toEqual(['numbered', 10])
  })

  it('listens elsewhere when the path of its folder is too long', async () => {
    await sharing.close()
    const long = join(folder, 'x'.repeat(120))
    const { mkdirSync } = await import('node:fs')
    mkdirSync(long)
    const far = await shareStore({ store, engine, folder: long })
    const reached = await openShared(long)
    expect(await reached?.store.catalogue()).toEqual(new Map())
    reached?.close()
    await far.close()
    expect(await openShared(long)).toBeUndefined()
  })
})

describe('hostile frames', () => {
  const prefix = (text: number, bytes: number): Uint8Array => {
    const made = Buffer.alloc(8)
    made.writeUInt32BE(text, 0)
    made.writeUInt32BE(bytes, 4)
    return made
  }

  it('end their connection and nothing else', async () => {
    const call = (json: object) => [...hello(), ...frameOf(json)]
    const cases: readonly (readonly Uint8Array[])[] = [
      [prefix(0xffffffff, 0xffffffff)],
      [prefix(5_000, 0), Buffer.alloc(5_000, 32)],
      [...hello(), prefix(0xffffffff, 1)],
      [...hello(), prefix(3, 0), Buffer.from('{"a')],
      [...hello(), prefix(2, 0), Buffer.from([0xff, 0xfe])],
      frameOf({ op: 'rows', id: 1, sql: 'SELECT 1' }),
      call({ op: 'command', id: 1, sql: 'DROP TABLE batches' }),
      call({ op: 'rows', id: -1, sql: 'SELECT 1' }),
      call({ op: 'rows', id: 1, sql: ['SELECT 1'] }),
      [...hello(), ...frameOf([]), ...frameOf(null)],
    ]
    for (const bytes of cases) expect(await speak(bytes)).toContain('refused')
    expect(await rowsOf(shared.store, 'SELECT 1')).toEqual([[1]])
  })

  it('of a wrong shape are refused one by one', async () => {
    const link = shared.store
    const bad = numberedBatch('numbered', 1, 3)
    const [block] = bad.blocks
    const asAny = (value: object): typeof bad => Object.assign({}, bad, value)
    await expect(link.write(asAny({ first: -1 }))).rejects.toMatchObject({ kind: 'refused' })
    await expect(link.write(asAny({ blocks: [{ ...block, rows: 'x' }] }))).rejects.toMatchObject({
      kind: 'refused',
    })
    await expect(link.write(asAny({ rejects: [{ file: 1 }] }))).rejects.toMatchObject({
      kind: 'refused',
    })
    const spec = { name: 'm; DROP', columns: { id: 'text' }, key: ['id'] } as const
    await expect(link.records.table(spec)).rejects.toMatchObject({ kind: 'refused' })
    const table = await link.records.table({ ...spec, name: 'm' })
    const where = [{ column: '1=1 OR id', is: '=', value: 'x' }] as const
    await expect(table.read({ where })).rejects.toMatchObject({ kind: 'refused' })
    await expect(table.read({ order: ['-id`; x'] })).rejects.toMatchObject({ kind: 'refused' })
    expect(await table.count()).toBe(0)
  })

  it('may come in pieces of any size', () => {
    const frames = [frameOf({ a: 1 }, [Uint8Array.of(1, 2)]), frameOf('x'), frameOf([], [])]
    const bytes = Buffer.concat(frames.flat())
    for (let size = 1; size < 20; size++) {
      const reader = new FrameReader(1_000)
      const found = []
      for (let at = 0; at < bytes.length; at += size) {
        reader.push(bytes.subarray(at, at + size))
        for (let next = reader.next(); next !== undefined; next = reader.next()) found.push(next)
      }
      expect(found.map(({ json, bytes }) => [json, [...bytes]])).toEqual([
        [{ a: 1 }, [1, 2]],
        ['x', []],
        [[], []],
      ])
    }
  })
})
