/** Searches of Splunk over a store that the logs of a test were read into. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { planRows } from '../../src/detect/runquery.ts'
import { discoverSpl } from '../../src/detect/spldiscover.ts'
import { compileSpl } from '../../src/dialects/spl/compile.ts'
import type { Store } from '../../src/engine/store.ts'
import { splWorld } from '../../src/rules/splworld.ts'
import { readInto, readyMadeSchema, withStore } from '../../tools/product.ts'

export type StoredRow = Readonly<Record<string, unknown>>

export interface SplStore {
  found(search: string): Promise<readonly StoredRow[]>
  /** The only row of a search, without what is missing in it. */
  one(search: string): Promise<StoredRow>
}

/** Reads logs, on disk and as lines by the name of a file, into a store for the tests of a file. */
export function splStore(
  paths: readonly string[],
  files: Readonly<Record<string, readonly string[]>>,
): SplStore {
  const schema = readyMadeSchema()
  const folder = mkdtempSync(join(tmpdir(), 'harrier-splstore-'))
  let store: Store
  let release: () => void
  let done: Promise<void>
  beforeAll(async () => {
    const opened = new Promise<Store>((resolve, reject) => {
      done = withStore((each) => {
        resolve(each)
        return new Promise<void>((free) => {
          release = free
        })
      })
      done.catch(reject)
    })
    store = await opened
    for (const [name, lines] of Object.entries(files)) {
      writeFileSync(join(folder, name), `${lines.join('\n')}\n`)
    }
    await readInto(store, [...paths, folder])
  })
  afterAll(async () => {
    release()
    await done
    rmSync(folder, { recursive: true, force: true })
  })
  const found: SplStore['found'] = async (search) => {
    const stored = await store.catalogue()
    const query = { schema, stored, time: {} }
    const { world } = splWorld({ schema, stored, library: { macros: [], lookups: [] } })
    const { rel, columns, diagnostics } = await discoverSpl({
      compile: (known) => compileSpl(search, { world, found: known }),
      rows: (each) => planRows(store, each, query),
    })
    if (rel === undefined) throw new Error(JSON.stringify(diagnostics))
    const rows: StoredRow[] = []
    for await (const row of planRows(store, rel, query)) {
      rows.push(Object.fromEntries(columns.map(({ name }, at) => [name, row[at]])))
    }
    return rows
  }
  return {
    found,
    async one(search) {
      const rows = await found(search)
      expect(rows).toHaveLength(1)
      const cells = Object.entries(rows[0] ?? {}).filter(([, value]) => value !== null)
      return Object.fromEntries(cells)
    },
  }
}

/** A Windows event as XML. */
export function windowsEvent(
  channel: string,
  id: number,
  data: Readonly<Record<string, string>>,
  provider = 'P',
): string {
  const pairs = Object.entries(data).map(([name, value]) => `<Data Name='${name}'>${value}</Data>`)
  return `<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='${provider}'/><EventID>${id}</EventID><TimeCreated SystemTime='2026-02-01T10:00:00.000000Z'/><Channel>${channel}</Channel><Computer>pc.example</Computer></System><EventData>${pairs.join('')}</EventData></Event>`
}
