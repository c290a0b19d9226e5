/** The child process of the embedded engine: its lock, its death, its end. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { openChdb } from '../../src/engine/chdb.ts'
import type { Engine, EngineFailure } from '../../src/engine/engine.ts'
import { openStore } from '../../src/engine/store.ts'
import { numberedBatch } from '../support/batches.ts'
import { childPath, makeFolder, removeFolder, rowsOf } from '../support/engines.ts'

const folders: string[] = []
const engines: Engine[] = []

async function open(path: string): Promise<Engine> {
  const engine = await openChdb({ path, childPath })
  engines.push(engine)
  return engine
}

function folder(name = 'db'): string {
  const path = makeFolder()
  folders.push(path)
  return join(path, name)
}

/** The process that holds an open folder. */
function holder(path: string): number {
  return Number(/^PID: (\d+)/m.exec(readFileSync(join(path, 'status'), 'utf8'))?.[1])
}

function failure(kind: EngineFailure) {
  return expect.objectContaining({ name: 'EngineError', kind })
}

const pause = (ms: number) => new Promise((later) => setTimeout(later, ms))

afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close()
  for (const path of folders.splice(0)) removeFolder(path)
})

describe('engine child', () => {
  it('refuses a folder that another process has, and names both', async () => {
    const path = folder()
    const first = await open(path)
    const error = await openChdb({ path, childPath }).catch((reason: unknown) => reason)
    expect(error).toEqual(failure('locked'))
    expect(error).toMatchObject({ message: `${path} is in use by process ${holder(path)}` })
    expect(await rowsOf(first, 'SELECT 1')).toEqual([[1]])
    await first.close()
    expect(await rowsOf(await open(path), 'SELECT 2')).toEqual([[2]])
  })

  it('works in folders with any name', async () => {
    const path = folder("a b'<&>;%:.é")
    const engine = await open(path)
    const store = await openStore({ engine })
    expect((await store.write(numberedBatch('s', 1, 3))).stored).toBe(3)
    expect(await rowsOf(engine, 'SELECT count() FROM events_s')).toEqual([['3']])
  })

  it('says why a folder cannot be opened', async () => {
    const path = folder()
    writeFileSync(path, 'not a folder')
    const pattern = folder('a{b,c}*')
    for (const each of [path, pattern]) {
      const error = await openChdb({ path: each, childPath }).catch((reason: unknown) => reason)
      expect(error).toEqual(failure('unavailable'))
      expect(error).toMatchObject({ message: expect.stringContaining(each) })
    }
  })

  it('starts again within a second when the child is killed; what ran has failed', async () => {
    const path = folder()
    const engine = await open(path)
    expect(await rowsOf(engine, 'SELECT 1')).toEqual([[1]])
    const running = rowsOf(engine, 'SELECT max(sipHash64(number)) FROM numbers(1000000000000)')
    const outcome = running.catch((reason: unknown) => reason)
    await pause(100)
    process.kill(holder(path), 'SIGKILL')
    expect(await outcome).toEqual(failure('crashed'))
    const started = performance.now()
    expect(await rowsOf(engine, 'SELECT 2')).toEqual([[2]])
    expect(performance.now() - started).toBeLessThan(2_000)
  })

  it('loses nothing and doubles nothing when the child is killed during inserts', async () => {
    const path = folder()
    const engine = await open(path)
    const store = await openStore({ engine })
    const batches = Array.from({ length: 24 }, (_, index) =>
      numberedBatch('s', index * 500 + 1, 500),
    )
    let ended = false
    const killing = (async () => {
      for (let kills = 0; kills < 3 && !ended; kills++) {
        await pause(150)
        try {
          process.kill(holder(path), 'SIGKILL')
        } catch {
          // The last one is dead and the next has not opened the folder yet.
        }
        await pause(600)
      }
    })()
    for (const batch of batches) {
      const receipt = await store.write(batch).catch(() => store.write(batch))
      expect(receipt.stored + receipt.repeated).toBe(500)
      await pause(20)
    }
    ended = true
    await killing
    expect(
      await rowsOf(engine, 'SELECT count(), uniqExact(n), max(toUInt32(n)) FROM events_s'),
    ).toEqual([['12000', '12000', 12_000]])
  })

  it('takes no work after it was closed, and leaves no process', async () => {
    const path = folder()
    const engine = await open(path)
    const pid = holder(path)
    await engine.close()
    await engine.close()
    expect(() => process.kill(pid, 0)).toThrow()
    await expect(rowsOf(engine, 'SELECT 1')).rejects.toEqual(failure('unavailable'))
    await expect(engine.command('SELECT 1')).rejects.toEqual(failure('unavailable'))
  })
})
