/** One suite for both implementations of the engine. */
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EngineFailure, QueryOptions } from '../../src/engine/engine.ts'
import { assembleBlock } from '../../src/engine/native.ts'
import {
  ListColumn,
  MapColumn,
  TextColumn,
  TimeColumn,
  Uint64Column,
} from '../../src/schema/columns.ts'
import { quoteName, quoteText } from '../../src/sql/quote.ts'
import { openEmbedded, openServed, rowsOf, type TestEngine } from '../support/engines.ts'

/** Runs for hours unless it is stopped, and gives no row before. */
const LONG = 'SELECT max(sipHash64(number)) FROM numbers(1000000000000)'
/** Prepares for hours: the engine evaluates it before it starts the query proper. */
const LONG_SCALAR = `SELECT (${LONG})`
const ENDLESS = 'SELECT number, toString(number) FROM numbers(1000000000000)'

function failure(kind: EngineFailure) {
  return expect.objectContaining({ name: 'EngineError', kind })
}

describe.each([
  ['embedded', openEmbedded],
  ['http', openServed],
] as const)('engine, %s', (_, open) => {
  let test: TestEngine
  beforeAll(async () => {
    test = await open()
  })
  afterAll(() => test.close())

  const rows = (sql: string, options?: QueryOptions) => rowsOf(test.engine, sql, options)
  const failing = (sql: string, options?: QueryOptions) =>
    rows(sql, options).then(
      () => undefined,
      (error: unknown) => error,
    )

  it('gives rows as arrays, 64-bit integers as text, times in UTC', async () => {
    expect(
      await rows(
        "SELECT 1, toUInt64(9007199254740993), 'a\\n\"b', [1, 2], map('k', 'v'), NULL, nan, 1.5, " +
          "toDateTime64('2024-01-02 03:04:05.1234567', 7)",
      ),
    ).toEqual([
      [
        1,
        '9007199254740993',
        'a\n"b',
        [1, 2],
        { k: 'v' },
        null,
        'nan',
        1.5,
        '2024-01-02 03:04:05.1234567',
      ],
    ])
    expect(await rows('SELECT 1 WHERE 0')).toEqual([])
  })

  it('gives every row of a large result once and in order', async () => {
    let next = 0
    for await (const [number] of test.engine.rows(
      "SELECT toUInt32(number), repeat('x', number % 300) FROM numbers(200000) ORDER BY number",
    )) {
      if (number !== next++) throw new Error(`row ${next} is ${number}`)
    }
    expect(next).toBe(200_000)
  })

  it('reads back any text and any name', async () => {
    const nasty = ['\0', '\\', "'", '`', '\n\r\t\b\f', '😀é', "\\'", '\x001', 'a.b:c^d', '%s?{x}']
    for (const text of nasty) {
      const found = await rows(`SELECT ${quoteText(text)}, x FROM (SELECT 1 AS x)`)
      expect(found).toEqual([[text, 1]])
      const name = `${text}x`
      expect(await rows(`SELECT ${quoteName(name)} FROM (SELECT 7 AS ${quoteName(name)})`)).toEqual(
        [[7]],
      )
    }
    expect(await rows(`SELECT ${quoteText('\ud800')}`)).toEqual([['\ufffd']])
  })

  it('leaves nothing of a failed query behind', async () => {
    const failed = "SELECT number, throwIf(number = 150000, 'no') FROM numbers(300000)"
    for (let round = 0; round < 3; round++) {
      expect(await failing(failed)).toEqual(failure('query'))
      expect(await rows('SELECT 1')).toEqual([[1]])
    }
    const tries = Array.from({ length: 12 }, (__, index) =>
      index % 2 === 0 ? failing(failed) : rows(`SELECT ${index}`),
    )
    const results = await Promise.all(tries)
    for (const [index, result] of results.entries()) {
      expect(result).toEqual(index % 2 === 0 ? failure('query') : [[index]])
    }
  })

  it('keeps the limits of one query from the next', async () => {
    const settings = "SELECT getSetting('max_execution_time'), getSetting('max_memory_usage')"
    expect(await rows(settings, { seconds: 7, memory: 50_000_000 })).toEqual([[7, 50_000_000]])
    const [before = []] = await rows(settings)
    expect(before[0]).toBe(600)
    expect(await failing(LONG, { seconds: 0.2 })).toEqual(failure('timeout'))
    expect(await rows(settings)).toEqual([before])
    expect(await rows('SELECT sleep(0.4)')).toEqual([[0]])
  })

  it.each([LONG, LONG_SCALAR])('stops at the time limit: %s', async (sql) => {
    const started = performance.now()
    expect(await failing(sql, { seconds: 0.3 })).toEqual(failure('timeout'))
    expect(performance.now() - started).toBeLessThan(3_000)
  })

  it('stops at the memory limit', async () => {
    expect(
      await failing('SELECT length(groupArray(number)) FROM numbers(100000000)', {
        memory: 60_000_000,
      }),
    ).toEqual(failure('memory'))
  })

  it.each([LONG, LONG_SCALAR, ENDLESS])('is cancelled at once: %s', async (sql) => {
    const started = performance.now()
    const signal = AbortSignal.timeout(200)
    expect(await failing(sql, { signal })).toEqual(failure('cancelled'))
    expect(performance.now() - started).toBeLessThan(1_500)
    // The engine itself stops too, not only the caller.
    const running =
      "SELECT count() FROM system.processes WHERE position(query, 'numbers(10000') > 0"
    const others = `${running} AND position(query, 'system.processes') = 0`
    let left = '?'
    for (let tries = 0; tries < 50 && left !== '0'; tries++) {
      left = String((await rows(others))[0]?.[0])
      if (left !== '0') await new Promise((later) => setTimeout(later, 50))
    }
    expect(left).toBe('0')
  })

  it('takes more queries than it has readers', async () => {
    const signal = AbortSignal.timeout(300)
    const long = Array.from({ length: 6 }, () => failing(LONG, { signal }))
    const short = Array.from({ length: 20 }, (__, index) => rows(`SELECT ${index}`))
    expect(await Promise.all(long)).toEqual(long.map(() => failure('cancelled')))
    expect(await Promise.all(short)).toEqual(short.map((__, index) => [[index]]))
    expect(await failing('SELECT 1', { signal })).toEqual(failure('cancelled'))
  })

  it('stops a query that nobody reads to its end', async () => {
    let seen = 0
    for await (const _row of test.engine.rows(ENDLESS)) if (++seen === 10) break
    expect(seen).toBe(10)
    expect(await rows('SELECT 1')).toEqual([[1]])
  })

  it('says what is wrong with a query, with the number of the engine', async () => {
    const error = await failing('SELECT nope FROM numbers(1)')
    expect(error).toEqual(failure('query'))
    expect(error).toMatchObject({ code: 47, message: expect.stringContaining('nope') })
  })

  it.each([
    "SELECT file('/etc/passwd')",
    "SELECT arrayMap(file, ['/etc/passwd'])",
    "SELECT * FROM file('/etc/passwd', LineAsString)",
    'SELECT * FROM `/etc/passwd`',
    "SELECT * FROM url('http://127.0.0.1:9/x', LineAsString)",
    "SELECT * FROM s3('http://127.0.0.1:9/b/x.csv', 'CSV', 'a String')",
    "SELECT * FROM remote('127.0.0.1:9', system.one)",
    "SELECT * FROM executable('id', TSV, 'x String')",
    `SELECT 1 INTO OUTFILE '${join(tmpdir(), 'harrier-escape.txt')}'`,
    'SELECT 1; SELECT 2',
    'SET readonly = 0',
    'SELECT 1 SETTINGS readonly = 0',
    'SYSTEM SHUTDOWN',
    'INSERT INTO t VALUES (1)',
    'DROP TABLE t',
    'CREATE TABLE u (a UInt8) ENGINE = Memory',
  ])('refuses %s', async (sql) => {
    expect(await failing(sql)).toEqual(failure('refused'))
    expect(existsSync(join(tmpdir(), 'harrier-escape.txt'))).toBe(false)
  })

  it('inserts blocks of every kind of column, once for each token', async () => {
    const { engine } = test
    await engine.command(
      'CREATE TABLE kinds (`n` UInt64, `t` String, `c` LowCardinality(String), ' +
        "`l[]` Array(LowCardinality(String)), `m` Map(String, String), `@time` DateTime64(7, 'UTC')) " +
        'ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100',
    )
    const [n, t, c] = [new Uint64Column(), new TextColumn(), new TextColumn()]
    const [l, m, time] = [new ListColumn(), new MapColumn(), new TimeColumn()]
    for (let row = 0; row < 300; row++) {
      n.append(row, row)
      t.append(row, row === 7 ? '😀'.repeat(2_000) : `text ${row}`)
      if (row % 2 === 0) c.append(row, `c${row % 3}`)
      if (row % 4 === 1) l.append(row, ['a', `b${row}`])
      if (row % 5 === 1) m.append(row, 'key', `v${row}`)
      time.append(row, 1_700_000_000_000 + row, 1_234)
    }
    const letters = Array.from({ length: 300 }, (__, row) =>
      row === 7 ? 8_000 : `text ${row}`.length,
    )
    const total = letters.reduce((sum, each) => sum + each, 0)
    const first = assembleBlock(300, [
      n.finish('n', 300),
      t.finish('t', 300),
      c.finish('c', 300),
      l.finish('l[]', 300),
      m.finish('m', 300),
      time.finish('@time', 300),
    ])
    n.append(0, 1_000)
    const second = assembleBlock(1, [n.finish('n', 1)])
    for (let tries = 0; tries < 3; tries++) {
      await engine.insert('kinds', [...first, ...second], 'token')
    }
    expect(await rows("SELECT count(), sum(length(t)), countIf(c = '') FROM kinds")).toEqual([
      ['301', String(total), '151'],
    ])
    expect(await rows('SELECT * FROM kinds WHERE n IN (0, 1, 1000) ORDER BY n')).toEqual([
      ['0', 'text 0', 'c0', [], {}, '2023-11-14 22:13:20.0001234'],
      ['1', 'text 1', '', ['a', 'b1'], { key: 'v1' }, '2023-11-14 22:13:20.0011234'],
      ['1000', '', '', [], {}, '1970-01-01 00:00:00.0000000'],
    ])
  })

  it('reports statements that fail', async () => {
    await expect(test.engine.command('DROP TABLE nope')).rejects.toEqual(failure('query'))
    await expect(test.engine.insert('nope', [Uint8Array.from([0, 0])], 'x')).rejects.toEqual(
      failure('query'),
    )
    await test.engine.command('CREATE TABLE still (a UInt64) ENGINE = MergeTree ORDER BY a')
    const column = new Uint64Column()
    column.append(0, 1)
    const unknown = assembleBlock(1, [column.finish('b', 1)])
    await expect(test.engine.insert('still', unknown, 'x')).rejects.toEqual(failure('query'))
    column.append(0, 1)
    await test.engine.insert('still', assembleBlock(1, [column.finish('a', 1)]), 'y')
    expect(await rows('SELECT * FROM still')).toEqual([['1']])
  })

  it('holds little of a result that is not read', async () => {
    const before = process.memoryUsage().arrayBuffers
    const endless = "SELECT repeat('x', 2000), number FROM numbers(1000000000)"
    let most = 0
    let seen = 0
    for await (const chunk of test.engine.chunks(endless)) {
      seen += chunk.length
      await new Promise((later) => setTimeout(later, 250))
      most = Math.max(most, process.memoryUsage().arrayBuffers - before)
      if (seen > 200) break
    }
    expect(most).toBeLessThan(40 * 1024 * 1024)
  })

  it('tells its version', async () => {
    expect((await test.engine.about()).version).toMatch(/^\d+\.\d+/)
  })
})
