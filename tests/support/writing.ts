/**
 * A program that writes numbered batches into a store until it is killed, and says which were acknowledged: one
 * number a line. Bundled and started by the crash test.
 */
import { writeSync } from 'node:fs'
import { openChdb } from '../../src/engine/chdb.ts'
import { openStore } from '../../src/engine/store.ts'
import { batchOf, blockOf, type TestEvent } from './batches.ts'

export const ROWS = 200
const MONTH = 31 * 24 * 3600 * 1000

/** Batch number `index`: two sources, rows spread over four months, one reject. */
export function crashBatch(index: number) {
  const events = Array.from(
    { length: ROWS },
    (_, row): TestEvent => ({
      time: Date.UTC(2024, 0, 1) + (row % 4) * MONTH,
      fields: [['n', String(index * ROWS + row)]],
    }),
  )
  const reject = { file: 'crash.log', place: `line ${index}`, code: 'HR100', reason: 'x', raw: 'y' }
  return batchOf([blockOf('crash.a', events), blockOf('crash.b', events.slice(0, ROWS / 2))], {
    id: `crash-${index}`,
    file: 'crash.log',
    first: index + 1,
    rejects: [reject],
  })
}

const [path, childPath, from] = process.argv.slice(2)
if (path !== undefined && childPath !== undefined && process.send === undefined) {
  const engine = await openChdb({ path, childPath })
  const store = await openStore({ engine })
  let next = Number(from)
  const write = async (): Promise<void> => {
    for (;;) {
      const index = next++
      await store.write(crashBatch(index))
      writeSync(1, `${index}\n`)
    }
  }
  await Promise.all([write(), write(), write()])
}
