/** Custom tables: known by what was ingested for them, to queries and to rules alike. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { harrier, type Ran } from '../support/command.ts'
import { makeFolder, removeFolder } from '../support/engines.ts'

let folder: string
beforeEach(() => {
  folder = makeFolder()
  const rows = [
    { TimeGenerated: '2026-05-01T10:00:00Z', door_s: 'north', tries_d: 7 },
    { TimeGenerated: '2026-05-01T11:00:00Z', door_s: 'south', tries_d: 1 },
  ]
  write('gate.jsonl', rows.map((each) => JSON.stringify(each)).join('\n'))
  write('gate.kql', 'Gate_CL | where tries_d > 5 | project TimeGenerated, door_s')
})
afterEach(() => removeFolder(folder))

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text)
}

const run = (...args: readonly string[]): Promise<Ran> =>
  harrier(args, { cwd: folder, env: { XDG_CACHE_HOME: join(folder, 'cache') }, seconds: 120 })
const query = (text: string): Promise<Ran> =>
  run('query', '--dialect', 'kusto', '--store', 'store', '--csv', text)

it('has the columns of its data, whatever the case of its name', async () => {
  const into = ['--store', 'store', '--table', 'Gate_CL']
  expect((await run('ingest', 'gate.jsonl', ...into)).code).toBe(0)
  const asked = await query('gate_cl | where tries_d > 5 | project door_s')
  expect([asked.code, asked.stdout]).toEqual([0, 'door_s\nnorth\n'])
  const all = await query(
    'union withsource=T * | union withsource=S (union isfuzzy=true Gate_CL, None_CL), Gate_* | summarize n = count()',
  )
  expect([all.code, all.stdout]).toEqual([0, 'n\n6\n'])
  const wrong = await query('Gate_CL | where nothing_s == "a"')
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('HR402')])
  const other = await query('Fence_CL | take 1')
  expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('--table Fence_CL')])
  const found = await run('run', '--store', 'store', '--rules', 'gate.kql', '--jsonl')
  expect([found.code, found.stdout]).toEqual([0, expect.stringContaining('north')])
  expect(found.stdout).not.toContain('south')
}, 240_000)

it('is refused by a check of rules, which has no data', async () => {
  const { code, stdout } = await run('rules', 'check', 'gate.kql', '--verbose')
  expect(code).toBe(2)
  expect(stdout).toContain('HR401: there is no table or function "Gate_CL"')
}, 120_000)
