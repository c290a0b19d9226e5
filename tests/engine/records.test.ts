/** Records in a store: the newest of a key counts, texts of any kind come back, and a reopened store knows them. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { RecordSpec } from '../../src/engine/records.ts'
import { openStore } from '../../src/engine/store.ts'
import { temporaryStore } from '../support/temporary.ts'

const COLUMNS = { rule: 'text', at: 'number', tags: 'list', note: 'text' } as const
const SPEC: RecordSpec<typeof COLUMNS> = { name: 'things', columns: COLUMNS, key: ['rule', 'at'] }

let opened: Awaited<ReturnType<typeof temporaryStore>>
beforeAll(async () => {
  opened = await temporaryStore()
})
afterAll(() => opened.close())

it('keeps the newest row of a key, in this and in a reopened store', async () => {
  const table = await opened.store.records.table(SPEC)
  const far = 9_000_000_000_000_000
  await table.append([
    { rule: "a'`\\\n\u0000", at: far, tags: ['x', "y'"], note: 'first' },
    { rule: 'b', at: 1, tags: [], note: 'b' },
  ])
  await table.append([{ rule: "a'`\\\n\u0000", at: far, tags: [], note: 'second' }])
  await table.append([{ rule: 'b', at: 1, tags: [], note: 'older' }], 5)
  expect(await table.read({ order: ['rule'] })).toEqual([
    { rule: "a'`\\\n\u0000", at: far, tags: [], note: 'second' },
    { rule: 'b', at: 1, tags: [], note: 'b' },
  ])
  const again = await (await openStore({ engine: opened.engine, now: () => 0 })).records.table(SPEC)
  await again.append([{ rule: 'b', at: 1, tags: ['new'], note: 'third' }])
  const where = [
    { column: 'rule', is: 'in', value: ['b', "') OR 1=1 --"] },
    { column: 'at', is: '>=', value: 1 },
  ] as const
  expect(await again.read({ where, limit: 1 })).toEqual([
    { rule: 'b', at: 1, tags: ['new'], note: 'third' },
  ])
  expect(await again.count()).toBe(2)
  expect(await again.count([{ column: 'rule', is: 'in', value: [] }])).toBe(0)
})
