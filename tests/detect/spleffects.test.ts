/** Lookups that searches write, and read again. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { planRows, type QueryWorld } from '../../src/detect/runquery.ts'
import { runEffects } from '../../src/detect/spleffects.ts'
import { readyLookups } from '../../src/detect/spltables.ts'
import { compileSpl } from '../../src/dialects/spl/compile.ts'
import { splWorld } from '../../src/rules/splworld.ts'
import { writtenRows } from '../../tools/conform/splproduct.ts'
import { readyMadeSchema } from '../../tools/product.ts'
import { temporaryStore } from '../support/temporary.ts'

let opened: Awaited<ReturnType<typeof temporaryStore>>
beforeAll(async () => {
  opened = await temporaryStore()
})
afterAll(() => opened.close())

const schema = readyMadeSchema()
const world: QueryWorld = { schema, stored: new Map(), time: {} }
const ROWS = [
  { user: 'bob', n: '1' },
  { user: 'eve', n: '2' },
]

/** Runs a search over two rows; gives its rows and the codes of what is told of its effects. */
async function run(search: string, mayWrite = true) {
  const { store } = opened
  const written = await store.lookups.written()
  const made = splWorld({
    schema,
    stored: new Map(),
    written,
    library: { macros: [], lookups: [] },
  })
  const rows = writtenRows(ROWS.map((row) => new Map(Object.entries(row))))
  const { rel, effects, diagnostics } = compileSpl(search, {
    world: { ...made.world, rows },
    found: new Map(),
  })
  if (rel === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'))
  await readyLookups(rel, made.lookups, store.lookups)
  const found: unknown[] = []
  for await (const row of planRows(store, rel, world)) found.push(row)
  const told = await runEffects(effects, {
    store,
    world,
    lookups: made.lookups,
    timed: async (plan) => plan,
    mayWrite,
  })
  return { found, codes: told.map(({ code }) => code) }
}

const READ = 'where isnull(user) | inputlookup append=t seen | table user n'

it('writes only where the run may', async () => {
  expect((await run('outputlookup seen', false)).codes).toEqual(['HR539'])
  expect((await opened.store.lookups.written()).size).toBe(0)
  expect(await run('outputlookup seen')).toMatchObject({ codes: ['HR537'] })
  expect((await run(READ)).found).toEqual([
    ['bob', '1'],
    ['eve', '2'],
  ])
})

it('puts rows behind those that are there, or in their place by a key', async () => {
  await run('where user="bob" | eval n=7 | outputlookup append=t key_field=user seen')
  expect((await run(READ)).found).toEqual([
    ['eve', '2'],
    ['bob', '7'],
  ])
  await run('where user="bob" | eval user="amy" | outputlookup append=t seen')
  expect((await run(READ)).found).toHaveLength(3)
})

it('keeps what is there from no rows when it is told to', async () => {
  expect((await run('where user="x" | outputlookup override_if_empty=f seen')).codes).toEqual([])
  expect((await run(READ)).found).toHaveLength(3)
  expect((await run('where user="x" | outputlookup create_empty=f other')).codes).toEqual([])
  expect((await opened.store.lookups.written()).has('other')).toBe(false)
  await run('where user="x" | outputlookup seen')
  expect((await run(READ)).found).toEqual([])
})

it('writes several values as lines, and no fields of its own', async () => {
  await run('eval n=mvappend("a", "b"), _x=1 | head 1 | outputlookup seen')
  expect((await opened.store.lookups.written()).get('seen')?.columns).toEqual(['user', 'n'])
  expect((await run(READ)).found).toEqual([['bob', 'a\nb']])
})
