/** The store over both engines: tables made as they are needed, batches once, what is there. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { limits } from '../../src/core/limits.ts'
import { openStore, type Store } from '../../src/engine/store.ts'
import type { Source } from '../../src/schema/source.ts'
import { quoteName } from '../../src/sql/quote.ts'
import { batchOf, blockOf, numberedBatch, type TestEvent } from '../support/batches.ts'
import { openEmbedded, openServed, rowsOf, type TestEngine } from '../support/engines.ts'

const SOURCES: ReadonlyMap<string, Source> = new Map([
  [
    'windows.sysmon',
    {
      name: 'windows.sysmon',
      title: 'Sysmon',
      recognise: [],
      order: 'EventID',
      plain: ['CommandLine'],
    },
  ],
])
const source = (name: string): Source | undefined => SOURCES.get(name)

const HOSTILE = [
  'a`b',
  'x) OR 1=1--',
  "'; DROP TABLE batches; --",
  '😀',
  'é'.repeat(100),
  'user',
  'User',
  'user.name',
  'user.name.size',
  'user.size',
  'user:name',
  'a^b',
  'null',
  '__proto__',
  'constructor',
  'file',
  '\0\n',
  '@more',
  ' ',
  '%s%n{x}',
]

describe.each([
  ['embedded', openEmbedded],
  ['http', openServed],
] as const)('store, %s', (_, open) => {
  let test: TestEngine
  let store: Store
  const reopen = async (): Promise<void> => {
    store = await openStore({ engine: test.engine, source, now: () => Date.UTC(2026, 0, 2) })
  }
  beforeAll(async () => {
    test = await open()
    await reopen()
  })
  afterAll(() => test.close())
  const rows = (sql: string) => rowsOf(test.engine, sql)

  it('is empty at first', async () => {
    expect(await store.catalogue()).toEqual(new Map())
    expect(await store.sources()).toEqual([])
    expect(await store.columnNames()).toEqual(new Map())
    expect(await store.knownBatches('x')).toEqual([])
  })

  it('makes a table for a source and columns for its fields', async () => {
    const events = Array.from(
      { length: 100 },
      (__, row): TestEvent => ({
        fields: [
          ['EventID', '1'],
          ['Image', `image ${row % 3}`],
          ['CommandLine', 'the same'],
          ['Hash', `hash ${row}`],
          ...(row === 5 ? ([['Names', ['a', 'b']]] as const) : []),
        ],
      }),
    )
    const receipt = await store.write(batchOf([blockOf('windows.sysmon', events)]))
    expect(receipt).toEqual({ stored: 100, rejected: 0, repeated: 0 })
    const columns = (await store.catalogue()).get('windows.sysmon')
    expect(columns).toEqual({
      text: new Set(['EventID', 'Image', 'CommandLine', 'Hash']),
      lists: new Set(['Names']),
      overflow: false,
      rows: 100,
    })
    const types = await rows(
      "SELECT name, type FROM system.columns WHERE startsWith(table, 'events_') AND NOT startsWith(name, '@')",
    )
    expect(new Map(types.map(([name, type]) => [name, type]))).toEqual(
      new Map([
        ['EventID', 'LowCardinality(String)'],
        ['Image', 'LowCardinality(String)'],
        ['CommandLine', 'String'],
        ['Hash', 'String'],
        ['Names[]', 'Array(String)'],
      ]),
    )
    expect(
      await rows(
        `SELECT ${quoteName('@time')}, ${quoteName('@ingest')}, ${quoteName('@record')}, Image, ` +
          `${quoteName('Names[]')} FROM ${quoteName('events_windows.sysmon')} WHERE Hash = 'hash 5'`,
      ),
    ).toEqual([
      ['2024-05-01 00:00:00.0050000', '2026-01-02 00:00:00.0000000', '6', 'image 2', ['a', 'b']],
    ])
    expect(await store.sources()).toEqual([
      {
        name: 'windows.sysmon',
        rows: 100,
        columns: ['CommandLine', 'EventID', 'Hash', 'Image', 'Names'],
        first: '2024-05-01T00:00:00.0000000Z',
        last: '2024-05-01T00:00:00.0990000Z',
      },
    ])
  })

  it('stores a batch once: twice at once, later, and after it was opened again', async () => {
    const batch = numberedBatch('repeat', 1, 50)
    const receipts = await Promise.all([store.write(batch), store.write(batch)])
    expect(receipts.map((each) => each.stored)).toEqual([50, 0])
    expect(await store.write(batch)).toEqual({ stored: 0, rejected: 0, repeated: 50 })
    await reopen()
    expect(await store.write(batch)).toEqual({ stored: 0, rejected: 0, repeated: 50 })
    expect(await rows('SELECT count() FROM events_repeat')).toEqual([['50']])
    expect(await store.knownBatches('test.log')).toContainEqual({
      id: batch.id,
      first: 1,
      received: 50,
    })
  })

  it('knows a batch long after the engine has forgotten its token', async () => {
    await test.engine.command(
      'ALTER TABLE events_repeat MODIFY SETTING non_replicated_deduplication_window = 2',
    )
    const old = numberedBatch('repeat', 1_001, 10)
    await store.write(old)
    for (let index = 0; index < 5; index++) {
      await store.write(numberedBatch('repeat', 2_000 + index * 10, 10))
    }
    expect((await store.write(old)).repeated).toBe(10)
    await reopen()
    expect((await store.write(old)).repeated).toBe(10)
    expect(await rows('SELECT count() FROM events_repeat')).toEqual([['110']])
  })

  it('finishes a batch that was cut short, whatever part of it is there', async () => {
    const month = 31 * 24 * 3600 * 1000
    const at = (row: number): TestEvent => ({
      time: Date.UTC(2024, 0, 1) + (row % 3) * month,
      fields: [['n', String(row)]],
    })
    const events = Array.from({ length: 30 }, (__, row) => at(row))
    const batch = batchOf([blockOf('cut.a', events), blockOf('cut.b', events)], { id: 'cut' })
    await store.write(batch)
    await test.engine.command("DELETE FROM batches WHERE id = 'cut'")
    await test.engine.command('ALTER TABLE `events_cut:b` DROP PARTITION 202402')
    await reopen()
    expect((await store.write(batch)).stored).toBe(60)
    for (const table of ['`events_cut:a`', '`events_cut:b`']) {
      expect(await rows(`SELECT count(), uniqExact(n) FROM ${table}`)).toEqual([['30', '30']])
    }
  })

  it('removes what a batch that was cut short has left when it owns the store, and only then', async () => {
    for (const isOwned of [false, true]) {
      const name = isOwned ? 'left.owned' : 'left.shared'
      const left = numberedBatch(name, 1, 30, `${name}.log`)
      await store.write(left)
      await test.engine.command(`DELETE FROM batches WHERE id = '${left.id}'`)
      store = await openStore({ engine: test.engine, source, isOwned })
      // The file has grown, and its first records come in another batch.
      await store.write(numberedBatch(name, 1, 40, `${name}.log`))
      const counted = isOwned ? [['40', '40']] : [['70', '40']]
      const table = `\`events_${name.replace('.', ':')}\``
      expect(await rows(`SELECT count(), uniqExact(n) FROM ${table}`)).toEqual(counted)
    }
    await reopen()
  })

  it('leaves the events of older batches that the ledger has lost', async () => {
    await store.write(numberedBatch('older', 1, 10, 'older.log'))
    await store.write(numberedBatch('newer', 1, 10, 'newer.log'))
    await test.engine.command("DELETE FROM batches WHERE file = 'older.log'")
    store = await openStore({ engine: test.engine, source, isOwned: true })
    await store.write(numberedBatch('newest', 1, 10, 'newest.log'))
    expect(await rows('SELECT count() FROM events_older')).toEqual([['10']])
    await reopen()
  })

  it('takes many batches together and answers each', async () => {
    const writes = Array.from({ length: 300 }, (__, index) =>
      store.write(numberedBatch(`many.${index % 3}`, index * 7 + 1, 7, `file ${index}`)),
    )
    const receipts = await Promise.all(writes)
    expect(receipts.every((each) => each.stored === 7)).toBe(true)
    const counts = await Promise.all(
      [0, 1, 2].map((index) => rows(`SELECT count(), uniqExact(n) FROM \`events_many:${index}\``)),
    )
    expect(counts).toEqual([[['700', '700']], [['700', '700']], [['700', '700']]])
    expect(await store.knownBatches('file 42')).toHaveLength(1)
  })

  it('fails a batch that cannot be stored without failing its neighbours', async () => {
    const good = store.write(numberedBatch('fine', 1, 3, 'good'))
    const bad = store.write(numberedBatch('x'.repeat(300), 1, 3, 'bad'))
    await expect(bad).rejects.toMatchObject({ kind: 'query' })
    expect((await good).stored).toBe(3)
  })

  it('keeps rejects with their reasons', async () => {
    const reject = {
      file: 'bad.log',
      place: 'line 7',
      code: 'HR101',
      reason: 'not JSON',
      raw: '{"a\0',
    }
    const batch = batchOf([], {
      file: 'bad.log',
      rejects: [reject, { ...reject, place: 'line 9' }],
    })
    expect(await store.write(batch)).toEqual({ stored: 0, rejected: 2, repeated: 0 })
    expect((await store.write(batch)).repeated).toBe(2)
    const found = []
    for await (const each of store.rejects()) found.push(each)
    expect(found).toEqual([reject, { ...reject, place: 'line 9' }])
  })

  it('takes any field name, also names that the engine would read as one structure', async () => {
    for (const [index, name] of HOSTILE.entries()) {
      const fields = [
        [name, `text of ${index}`],
        [name, ['one', ...Array.from({ length: index }, () => 'more')]],
      ] as const
      const kept = name.startsWith('@') ? [] : fields
      await store.write(batchOf([blockOf('hostile', [{ fields: kept }, {}])], { first: index + 1 }))
    }
    const names = HOSTILE.filter((name) => !name.startsWith('@'))
    const columns = (await store.catalogue()).get('hostile')
    expect(columns?.text).toEqual(new Set(names))
    expect(columns?.lists).toEqual(new Set(names))
    for (const name of names) {
      const index = HOSTILE.indexOf(name)
      const [text, list] = [quoteName(name), quoteName(`${name}[]`)]
      expect(
        await rows(
          `SELECT ${text}, length(${list}) FROM events_hostile WHERE ${text} != '' OR notEmpty(${list})`,
        ),
      ).toEqual([[`text of ${index}`, String(index + 1)]])
    }
    await reopen()
    expect((await store.catalogue()).get('hostile')).toEqual(columns)
  })

  it('holds the budget of columns; what is past it is in the overflow map', async () => {
    const fields = Array.from(
      { length: 10_000 },
      (__, index) => [`f${index}`, `v${index}`] as const,
    )
    const long = `${'n'.repeat(limits.fieldNameBytes)}x`
    const block = blockOf('flood', [
      { fields: [...fields, ['lists', ['a', 'b']], [long, 'kept']], more: [['old', 'entry']] },
      {
        fields: [
          ['f9999', 'again'],
          ['f0', 'first'],
        ],
      },
    ])
    expect((await store.write(batchOf([block], { id: 'flood' }))).stored).toBe(2)
    const columns = (await store.catalogue()).get('flood')
    expect(columns?.text.size).toBe(limits.fieldsPerSource)
    expect(columns?.overflow).toBe(true)
    const more = quoteName('@more')
    const last = limits.fieldsPerSource - 1
    expect(
      await rows(
        `SELECT f0, f${last}, length(${more}), ${more}['f9999'], ${more}['old'], ${more}['lists[]'], ` +
          `${more}['${long}'] FROM events_flood ORDER BY ${quoteName('@record')}`,
      ),
    ).toEqual([
      ['v0', `v${last}`, String(10_002 - last), 'v9999', 'entry', '["a","b"]', 'kept'],
      ['first', '', '1', 'again', '', '', ''],
    ])
    await reopen()
    expect((await store.catalogue()).get('flood')?.overflow).toBe(true)
  })

  it('stores events of any time', async () => {
    const times = [
      Date.UTC(1601, 0, 1),
      Date.UTC(1970, 0, 1),
      Date.UTC(1999, 11, 31),
      Date.UTC(2024, 1, 29),
      Date.UTC(2299, 11, 31),
      Date.UTC(9999, 11, 31),
      9e15,
      -9e15,
    ]
    const months = Array.from({ length: 400 }, (__, index) => Date.UTC(1900 + index, index % 12, 1))
    const events = [...times, ...months].map((time): TestEvent => ({ time }))
    const { stored } = await store.write(batchOf([blockOf('times', events)], { id: 'times' }))
    expect(stored).toBe(events.length)
    expect(await rows('SELECT count() FROM events_times')).toEqual([[String(events.length)]])
    expect(
      await rows(
        "SELECT count() FROM events_times WHERE `@time` >= toDateTime64('2024-02-01', 7, 'UTC') " +
          "AND `@time` < toDateTime64('2024-03-01', 7, 'UTC')",
      ),
    ).toEqual([['1']])
    expect((await store.sources()).some((each) => each.name === 'times')).toBe(true)
  })

  it('can be emptied', async () => {
    await store.drop()
    expect(await store.sources()).toEqual([])
    expect((await store.write(numberedBatch('repeat', 1, 50))).stored).toBe(50)
    await reopen()
    expect((await store.catalogue()).size).toBe(1)
  })
})
