/** An engine in a temporary folder for the time of a test file. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openChdb } from '../../src/engine/chdb.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { openStore, type Store } from '../../src/engine/store.ts'
import { readyMadeSchema } from '../../tools/product.ts'

export interface TemporaryEngine {
  readonly engine: Engine
  close(): Promise<void>
}

/** The built engine child. */
export const CHILD = fileURLToPath(new URL('../../dist/engine-child.js', import.meta.url))

export async function temporaryEngine(): Promise<TemporaryEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'harrier-test-'))
  const engine = await openChdb({ path: join(folder, 'db'), childPath: CHILD })
  return {
    engine,
    async close() {
      await engine.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The same with a store over it that knows the schema of the checkout. */
export async function temporaryStore(): Promise<TemporaryEngine & { readonly store: Store }> {
  const opened = await temporaryEngine()
  const schema = readyMadeSchema()
  const store = await openStore({
    engine: opened.engine,
    source: (name) => schema.sources.get(name),
  })
  return { ...opened, store }
}

/** All rows of a query. */
export async function allRows(
  engine: Engine,
  sql: string,
): Promise<readonly (readonly unknown[])[]> {
  const rows: (readonly unknown[])[] = []
  for await (const row of engine.rows(sql)) rows.push(row)
  return rows
}
