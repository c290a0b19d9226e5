/** The rows of lookups in a store: whole or not there, and there again when it is opened anew. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openStore } from '../../src/engine/store.ts'
import { allRows, temporaryStore } from '../support/temporary.ts'

let opened: Awaited<ReturnType<typeof temporaryStore>>
beforeAll(async () => {
  opened = await temporaryStore()
})
afterAll(() => opened.close())

const content = async (table: string) =>
  allRows(opened.engine, `SELECT * FROM \`lookup_${table}\` ORDER BY \`@@line\``)

it('writes, replaces and finds again', async () => {
  const { lookups } = opened.store
  expect(
    await lookups.write(
      'a.csv',
      ['k', '__proto__'],
      [
        ['x', "it's"],
        ['y\n', '\u0000"'],
      ],
    ),
  ).toBe(2)
  const first = (await lookups.written()).get('a.csv')
  expect(first).toMatchObject({ columns: ['k', '__proto__'], rows: 2 })
  expect(await content(first?.table ?? '')).toEqual([
    ['1', 'x', "it's"],
    ['2', 'y\n', '\u0000"'],
  ])
  await lookups.write('a.csv', ['k'], [['z']])
  const again = await openStore({ engine: opened.engine })
  const second = (await again.lookups.written()).get('a.csv')
  expect(second).toMatchObject({ columns: ['k'], rows: 1 })
  await expect(content(first?.table ?? '')).rejects.toThrow()
})

it('leaves what is there when the rows fail', async () => {
  const { lookups } = opened.store
  await lookups.write('kept', ['k'], [['1']])
  const before = (await lookups.written()).get('kept')
  async function* broken(): AsyncGenerator<readonly string[]> {
    yield ['2']
    throw new Error('no more')
  }
  await expect(lookups.write('kept', ['k'], broken())).rejects.toThrow('no more')
  expect((await lookups.written()).get('kept')).toEqual(before)
})

it('refuses names that stand for files', async () => {
  for (const name of ['../a', 'a/b', '', '.hidden', 'a\u0000', 'x'.repeat(200)]) {
    await expect(opened.store.lookups.write(name, ['k'], [])).rejects.toThrow()
  }
})

it('makes the table of a file once', async () => {
  const { lookups } = opened.store
  const made = { columns: ['k'], rows: [['1'], ['2']] }
  await Promise.all([lookups.ensure('file_abc', made), lookups.ensure('file_abc', made)])
  await lookups.ensure('file_abc', { columns: ['k'], rows: [] })
  expect(await content('file_abc')).toHaveLength(2)
  expect((await lookups.written()).has('file_abc')).toBe(false)
})

it('is empty when the store is', async () => {
  await opened.store.drop()
  expect((await opened.store.lookups.written()).size).toBe(0)
  expect(await opened.store.lookups.write('new', ['k'], [['1']])).toBe(1)
})
