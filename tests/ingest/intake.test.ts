/** Intake as a whole ends and says why, whatever its workers do. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type IntakeStore, ingest } from '../../src/ingest/intake.ts'

test('a worker that cannot start ends the intake with its reason', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'harrier-intake-'))
  const workerPath = join(folder, 'worker.mjs')
  const log = join(folder, 'one.json')
  writeFileSync(workerPath, 'throw new Error("its package is missing")\n')
  writeFileSync(log, '{}\n')
  const store: IntakeStore = {
    write: async () => ({ stored: 0, rejected: 0, repeated: 0 }),
    knownBatches: async () => [],
    columnNames: async () => new Map(),
  }
  try {
    const report = ingest({
      paths: [log],
      store,
      workerPath,
      schemaFiles: [],
      now: { ms: 0, sub: 0 },
    })
    await expect(report).rejects.toThrow('cannot start: its package is missing')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
