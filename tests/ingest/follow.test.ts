/** Files that grow: what is written to them is stored once each, however they are written, rotated, or read. */
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Store } from '../../src/engine/store.ts'
import { tableOf } from '../../src/engine/tables.ts'
import { type FollowState, follow } from '../../src/ingest/follow/follower.ts'
import { MARKS } from '../../src/ingest/follow/mark.ts'
import { ingest } from '../../src/ingest/intake.ts'
import { META } from '../../src/schema/source.ts'
import { quoteName, quoteText } from '../../src/sql/quote.ts'
import { schemaFiles } from '../../tools/product.ts'
import { randomFrom } from '../../tools/random.ts'
import { makeFolder, removeFolder } from '../support/engines.ts'
import { temporaryStore } from '../support/temporary.ts'

const workerPath = fileURLToPath(new URL('../../dist/ingest-worker.js', import.meta.url))
const PATIENCE_MS = 60_000

let opened: Awaited<ReturnType<typeof temporaryStore>>
let store: Store
let folder: string
let running: { stop(): Promise<FollowState>; problems: string[] } | undefined

beforeAll(async () => {
  opened = await temporaryStore()
  store = opened.store
})
afterAll(() => opened.close())
beforeEach(() => {
  folder = makeFolder()
  tables++
})
afterEach(async () => {
  await running?.stop()
  running = undefined
  removeFolder(folder)
})

/** A table for each test: numbers of files that are gone are given to others. */
let tables = 0
const marksTable = () => store.records.table({ ...MARKS, name: `followed_${tables}` })

const now = () => ({ ms: Date.now(), sub: 0 })

async function start(once = false, paths: readonly string[] = [folder]): Promise<FollowState> {
  const control = new AbortController()
  const problems: string[] = []
  const ended = follow({
    paths,
    store,
    marks: await marksTable(),
    workerPath,
    schemaFiles: schemaFiles(),
    now,
    elapsed: () => performance.now(),
    workers: 2,
    once,
    signal: control.signal,
    onState: () => {},
    onProblem: (path, reason) => problems.push(`${path}: ${reason}`),
    onTrouble: (error) => {
      throw error
    },
  })
  ended.catch(() => {})
  running = {
    problems,
    stop: () => {
      control.abort()
      return ended
    },
  }
  return once ? ended : { ...EMPTY }
}

const EMPTY: FollowState = {
  received: 0,
  stored: 0,
  repeated: 0,
  rejected: 0,
  files: 0,
  behind: 0,
  unreadBytes: 0,
  lag: 0,
  problems: 0,
}

const at = (name: string): string => join(folder, name)

/** What is stored of the folder: one raw text an event, sorted, or of one file in its order. */
async function stored(name?: string): Promise<readonly string[]> {
  const found: string[] = []
  for (const source of (await store.catalogue()).keys()) {
    const which =
      name === undefined
        ? `startsWith(${quoteName(META.file)}, ${quoteText(`${folder}/`)})`
        : `${quoteName(META.file)} = ${quoteText(at(name))}`
    const sql = `SELECT "@raw", "@record" FROM ${quoteName(tableOf(source))} WHERE ${which} ORDER BY "@record"`
    for await (const [raw] of store.rows(sql)) found.push(String(raw))
  }
  return name === undefined ? found.sort() : found
}

async function until(wanted: readonly string[], name?: string): Promise<void> {
  const started = performance.now()
  let found: readonly string[] = []
  while (performance.now() - started < PATIENCE_MS) {
    found = await stored(name)
    if (found.length >= wanted.length) break
    await wait(50)
  }
  expect(found).toEqual(wanted)
}

const lines = (from: number, to: number, what = 'n'): readonly string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `{"${what}":"${from + index}","x":"é"}`)
const text = (all: readonly string[]): string => all.map((each) => `${each}\n`).join('')

/** Another intake of all of it finds nothing that is not stored. */
async function expectNothingNew(): Promise<void> {
  await running?.stop()
  const report = await ingest({
    paths: [folder],
    store,
    workerPath,
    schemaFiles: schemaFiles(),
    now: now(),
    workers: 1,
  })
  expect(report.stored).toBe(0)
}

describe('a file that grows', () => {
  it('is read to its last whole line, whatever pieces it is written in', async () => {
    const all = lines(1, 60)
    const bytes = Buffer.from(text(all).replaceAll('\n', '\r\n'))
    writeFileSync(at('a.json'), bytes.subarray(0, 100))
    await start()
    // Odd sizes cut characters, and CR from LF.
    for (let from = 100; from < bytes.length; from += 77) {
      appendFileSync(at('a.json'), bytes.subarray(from, from + 77))
      if (from % 5 === 0) await wait(120)
    }
    await until(all, 'a.json')
    await expectNothingNew()
  })

  it('gives its last line when that has been quiet for a while', async () => {
    writeFileSync(at('a.json'), text(lines(1, 3)))
    await start()
    await until(lines(1, 3), 'a.json')
    appendFileSync(at('a.json'), '{"n":"4"')
    await wait(1_000)
    expect(await stored('a.json')).toEqual(lines(1, 3))
    appendFileSync(at('a.json'), ',"x":"é"}')
    await until(lines(1, 4), 'a.json')
    appendFileSync(at('a.json'), `\n${text(lines(5, 6))}`)
    await until(lines(1, 6), 'a.json')
  })

  it('is read on with its header, and its records are counted on', async () => {
    const header = '#Version: 1.0\n#Fields: date time c-ip sc-status\n'
    writeFileSync(at('w.log'), `${header}2024-01-01 00:00:01 1.1.1.1 200\n`)
    writeFileSync(at('t.csv'), 'time,user,what\n2024-01-01T00:00:01Z,a,"x\ny"\n')
    await start()
    await until(['2024-01-01 00:00:01 1.1.1.1 200'], 'w.log')
    appendFileSync(at('w.log'), '2024-01-01 00:00:02 1.1.1.2 404\nbroken\n')
    appendFileSync(at('t.csv'), '2024-01-01T00:00:02Z,b,"half')
    await until(['2024-01-01 00:00:01 1.1.1.1 200', '2024-01-01 00:00:02 1.1.1.2 404'], 'w.log')
    appendFileSync(
      at('w.log'),
      '#Fields: date time sc-status c-ip\n2024-01-01 00:00:03 500 1.1.1.3\n',
    )
    appendFileSync(at('t.csv'), '\nrest"\n')
    await until(['2024-01-01T00:00:01Z,a,"x\ny"', '2024-01-01T00:00:02Z,b,"half\nrest"'], 't.csv')
    await until(
      [
        '2024-01-01 00:00:01 1.1.1.1 200',
        '2024-01-01 00:00:02 1.1.1.2 404',
        '2024-01-01 00:00:03 500 1.1.1.3',
      ],
      'w.log',
    )
    await expectNothingNew()
    const places: string[] = []
    for await (const each of store.rejects()) if (each.file === at('w.log')) places.push(each.place)
    expect(places).toEqual(['line 5'])
  })

  it('keeps the records of an audit event together', async () => {
    const record = (serial: number, type: string): string =>
      `type=${type} msg=audit(1700000000.${serial}:${serial}): pid=1 uid=0\n`
    writeFileSync(
      at('audit.log'),
      record(101, 'SYSCALL') + record(101, 'CWD') + record(102, 'SYSCALL'),
    )
    await start()
    await wait(1_500)
    appendFileSync(
      at('audit.log'),
      record(102, 'CWD') + record(103, 'SYSCALL') + record(103, 'EOE'),
    )
    const started = performance.now()
    while ((await stored('audit.log')).length < 3 && performance.now() - started < PATIENCE_MS)
      await wait(50)
    const found = await stored('audit.log')
    expect(found.map((raw) => raw.trim().split('\n').length)).toEqual([2, 2, 2])
    await expectNothingNew()
  })

  it('is stored within two seconds', async () => {
    writeFileSync(at('a.json'), text(lines(1, 1)))
    await start()
    await until(lines(1, 1), 'a.json')
    const delays: number[] = []
    for (let n = 2; n <= 6; n++) {
      appendFileSync(at('a.json'), text(lines(n, n)))
      const started = performance.now()
      while ((await stored('a.json')).length < n && performance.now() - started < PATIENCE_MS)
        await wait(10)
      delays.push(performance.now() - started)
    }
    expect(delays.sort((a, b) => a - b)[2]).toBeLessThan(2_000)
  })
})

describe('rotation', () => {
  it('by renaming loses and doubles nothing, and packing later is not read again', async () => {
    writeFileSync(at('app.log'), text(lines(1, 50)))
    await start()
    await until(lines(1, 50), 'app.log')
    appendFileSync(at('app.log'), text(lines(51, 60)))
    renameSync(at('app.log'), at('app.log.1'))
    writeFileSync(at('app.log'), text(lines(1, 5, 'm')))
    appendFileSync(at('app.log.1'), text(lines(61, 62)))
    const all = [...lines(1, 62), ...lines(1, 5, 'm')].sort()
    await until(all)
    await wait(1_200)
    writeFileSync(at('app.log.1.gz'), gzipSync(readFileSync(at('app.log.1'))))
    rmSync(at('app.log.1'))
    appendFileSync(at('app.log'), text(lines(6, 6, 'm')))
    await wait(4_000)
    await until([...all, ...lines(6, 6, 'm')].sort())
    expect((await stored()).length).toBe(68)
  })

  it('may come at any moment, time and again', async () => {
    await start()
    const random = randomFrom(7)
    const all: string[] = []
    for (let turn = 0; turn < 40; turn++) {
      const some = lines(turn * 10 + 1, turn * 10 + 10)
      all.push(...some)
      writeFileSync(at('app.log'), text(some.slice(0, 6)))
      await wait(random.next() * 60)
      appendFileSync(at('app.log'), text(some.slice(6)))
      await wait(random.next() * 30)
      renameSync(at('app.log'), at(`app.log.${turn}`))
      await wait(random.next() * 10)
    }
    await until(all.sort())
    await wait(1_000)
    expect(await stored()).toEqual(all)
  })

  it('by copying and cutting reads from the copy what it had not read', async () => {
    writeFileSync(at('app.log'), text(lines(1, 50)))
    await start()
    await until(lines(1, 50), 'app.log')
    await wait(1_200)
    // What is written between the last look and the cut is in the copy only.
    appendFileSync(at('app.log'), text(lines(51, 55)))
    copyFileSync(at('app.log'), at('app.log.1'))
    truncateSync(at('app.log'))
    appendFileSync(at('app.log'), text(lines(1, 3, 'm')))
    await until([...lines(1, 55), ...lines(1, 3, 'm')].sort())
    await wait(3_000)
    expect((await stored()).length).toBe(58)
  })

  it('while nobody looks is made up for', async () => {
    writeFileSync(at('app.log'), text(lines(1, 40)))
    await start(true)
    appendFileSync(at('app.log'), text(lines(41, 45)))
    writeFileSync(at('app.log.1.gz'), gzipSync(readFileSync(at('app.log'))))
    rmSync(at('app.log'))
    writeFileSync(at('app.log'), text(lines(1, 2, 'm')))
    const state = await start(true)
    expect(state.stored).toBe(7)
    expect(await stored()).toEqual([...lines(1, 45), ...lines(1, 2, 'm')].sort())
  })
})

describe('a restart', () => {
  it('goes on where it was, and reads again what was not noted', async () => {
    writeFileSync(at('a.json'), text(lines(1, 500)))
    await start(true)
    const marks = await marksTable()
    const [mark] = (await marks.read()).filter(({ path }) => path === at('a.json'))
    if (mark === undefined) throw new Error('no mark')
    expect(mark.first).toBe(501)
    appendFileSync(at('a.json'), text(lines(501, 600)))
    expect(await start(true)).toMatchObject({ stored: 100, repeated: 0 })
    // The mark of before the last part, as after a crash between storing and noting.
    await marks.append([mark])
    appendFileSync(at('a.json'), text(lines(601, 650)))
    expect(await start(true)).toMatchObject({ stored: 50, repeated: 100 })
    expect(await stored('a.json')).toEqual(lines(1, 650))
  })

  it('tells generations of one name apart, though nothing was noted', async () => {
    const marks = await marksTable()
    writeFileSync(at('a.json'), text(lines(1, 30)))
    await start(true)
    rmSync(at('a.json'))
    writeFileSync(at('a.json'), text(lines(1, 10, 'm')))
    await start(true)
    const mine = (await marks.read()).filter(({ path }) => path === at('a.json'))
    await marks.append(mine.map((each) => ({ ...each, state: 'ended', at: 0 })))
    appendFileSync(at('a.json'), text(lines(11, 40, 'm')))
    expect(await start(true)).toMatchObject({ stored: 30, repeated: 10 })
    expect((await stored()).length).toBe(70)
  })
})

describe('what is in folders', () => {
  it('may be hostile or forbidden: told once, and the rest goes on', async () => {
    mkdirSync(at('deep'))
    symlinkSync(folder, at('deep/loop'))
    symlinkSync(at('deep/self'), at('deep/self'))
    writeFileSync(at('ok.json'), text(lines(1, 2)))
    writeFileSync(at('zeros.log'), Buffer.alloc(100_000))
    writeFileSync(at('empty.log'), '')
    if (process.getuid?.() !== 0) {
      writeFileSync(at('closed.json'), text(lines(1, 2)))
      chmodSync(at('closed.json'), 0)
    }
    await start()
    await until(lines(1, 2), 'ok.json')
    await wait(4_000)
    const told = running?.problems ?? []
    expect(new Set(told).size).toBe(told.length)
    expect(told.some((each) => each.includes('loop'))).toBe(false)
    const state = await running?.stop()
    expect(state?.received).toBe(
      (state?.stored ?? 0) + (state?.rejected ?? 0) + (state?.repeated ?? 0),
    )
  })

  it('may be hundreds of files that come at once', async () => {
    for (let n = 0; n < 600; n++) writeFileSync(at(`f${n}.json`), text(lines(n, n)))
    const state = await start(true)
    expect([state.files, state.stored]).toEqual([600, 600])
    appendFileSync(at('f7.json'), text(lines(9_999, 9_999)))
    expect(await start(true)).toMatchObject({ stored: 1, repeated: 0 })
  })

  it('may be read as a whole only: again when it has changed', async () => {
    const pretty = (all: readonly number[]): string =>
      JSON.stringify(
        all.map((n) => ({ n: String(n), y: 'z' })),
        null,
        2,
      )
    writeFileSync(at('list.json'), pretty([1, 2, 3]))
    writeFileSync(at('old.json.gz'), gzipSync(text(lines(1, 10, 'g'))))
    expect(await start(true)).toMatchObject({ stored: 13 })
    expect(await start(true)).toMatchObject({ stored: 0, repeated: 0 })
    appendFileSync(at('list.json'), '\n')
    expect(await start(true)).toMatchObject({ stored: 0, repeated: 3 })
  })
})
