/** Engines for tests: the embedded one in a folder of its own, and the HTTP client before a test server. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openChdb } from '../../src/engine/chdb.ts'
import type { Engine, QueryOptions } from '../../src/engine/engine.ts'
import { openHttp } from '../../src/engine/http.ts'
import { startServer } from './clickhouse-server.ts'

export const childPath = fileURLToPath(new URL('../../dist/engine-child.js', import.meta.url))

export function makeFolder(): string {
  return mkdtempSync(join(tmpdir(), 'harrier-test-'))
}

export function removeFolder(path: string): void {
  rmSync(path, { recursive: true, force: true })
}

export interface TestEngine {
  readonly engine: Engine
  close(): Promise<void>
}

export async function openEmbedded(): Promise<TestEngine> {
  const path = makeFolder()
  const engine = await openChdb({ path, childPath })
  return {
    engine,
    async close() {
      await engine.close()
      removeFolder(path)
    },
  }
}

export async function openServed(): Promise<TestEngine> {
  const embedded = await openEmbedded()
  const server = await startServer(embedded.engine)
  const engine = await openHttp({ url: server.url, user: 'default', password: '' })
  return {
    engine,
    async close() {
      await engine.close()
      await server.close()
      await embedded.close()
    },
  }
}

export async function rowsOf(
  engine: Pick<Engine, 'rows'>,
  sql: string,
  options?: QueryOptions,
): Promise<readonly (readonly unknown[])[]> {
  const rows: (readonly unknown[])[] = []
  for await (const row of engine.rows(sql, options)) rows.push(row)
  return rows
}
