/** The whole process is killed while it stores: what was acknowledged is there, and a replay doubles nothing. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openChdb } from '../../src/engine/chdb.ts'
import { openStore } from '../../src/engine/store.ts'
import { childPath, makeFolder, removeFolder, rowsOf } from '../support/engines.ts'
import { crashBatch, ROWS } from '../support/writing.ts'

let folder = ''
beforeAll(async () => {
  folder = makeFolder()
  await build({
    entryPoints: [fileURLToPath(new URL('../support/writing.ts', import.meta.url))],
    outfile: join(folder, 'writing.mjs'),
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  })
})
afterAll(() => removeFolder(folder))

/** Runs the writing program until it has acknowledged some batches, then kills it. */
function writeUntilKilled(path: string, from: number, acknowledged: number): Promise<number[]> {
  const child = spawn(
    process.execPath,
    [join(folder, 'writing.mjs'), path, childPath, String(from)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
    if (said.split('\n').length > acknowledged) child.kill('SIGKILL')
  })
  return new Promise((done) => {
    child.on('close', () => done(said.split('\n').slice(0, -1).map(Number)))
  })
}

describe('crash of the whole process', () => {
  it('keeps what was acknowledged, whole, and stores the rest once', async () => {
    const path = join(folder, 'db')
    const acknowledged = new Set<number>()
    let from = 0
    for (const count of [5, 12, 9]) {
      for (const index of await writeUntilKilled(path, from, count)) acknowledged.add(index)
      from = Math.max(...acknowledged) + 4

      const engine = await openChdb({ path, childPath })
      const store = await openStore({ engine })
      const known = new Set((await store.knownBatches('crash.log')).map((each) => each.id))
      for (const index of acknowledged) expect(known).toContain(`crash-${index}`)
      for (const [table, rows] of [
        ['`events_crash:a`', ROWS],
        ['`events_crash:b`', ROWS / 2],
        ['rejects', 1],
      ] as const) {
        const found = await rowsOf(engine, `SELECT \`@batch\`, count() FROM ${table} GROUP BY 1`)
        const counts = new Map(found.map(([id, many]) => [id, Number(many)]))
        for (const index of acknowledged) expect(counts.get(`crash-${index}`)).toBe(rows)
        for (const many of counts.values()) expect(many).toBeLessThanOrEqual(rows)
      }

      const replayed = Array.from({ length: from }, (_, index) => store.write(crashBatch(index)))
      const receipts = await Promise.all(replayed)
      for (const index of acknowledged) expect(receipts[index]?.repeated).toBe(ROWS * 1.5 + 1)
      expect(
        await rowsOf(
          engine,
          'SELECT (SELECT count() FROM `events_crash:a`), (SELECT uniqExact(n) FROM `events_crash:a`), ' +
            '(SELECT count() FROM `events_crash:b`), (SELECT count() FROM rejects), ' +
            '(SELECT count() FROM batches)',
        ),
      ).toEqual([[from * ROWS, from * ROWS, (from * ROWS) / 2, from, from].map(String)])
      await engine.close()
    }
  })
})
