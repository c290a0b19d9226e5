/** Keeping the findings of a run, and what is at risk, from the command line. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { harrier, type Ran } from '../support/command.ts'
import { makeFolder, removeFolder } from '../support/engines.ts'

let folder: string
const run = (...args: readonly string[]): Promise<Ran> =>
  harrier(args, { cwd: folder, env: { XDG_DATA_HOME: join(folder, 'data') }, seconds: 120 })

const event = (host: string, user: string, program: string): string =>
  JSON.stringify({
    Channel: 'Microsoft-Windows-Sysmon/Operational',
    Provider_Name: 'Microsoft-Windows-Sysmon',
    EventID: 1,
    Computer: host,
    UtcTime: '2026-01-02 03:00:00.000',
    User: user,
    Image: `C:\\a\\${program}`,
    CommandLine: '=cmd \u001b[31m$user$',
  })

const RULE = `title: Odd program
id: 3f1c9c1e-0a6e-4c5d-9a59-1f0f8f1f0a01
status: test
logsource: { product: windows, category: process_creation }
detection:
  selection: { Image|endswith: \\odd.exe }
  condition: selection
level: high
tags: [attack.execution]
`

beforeAll(() => {
  folder = makeFolder()
  const logs = [
    event('WS1.corp.example', 'CORP\\kim', 'odd.exe'),
    event('WS2.corp.example', 'CORP\\kim', 'odd.exe'),
    event('WS3.corp.example', 'CORP\\lee', 'even.exe'),
  ]
  writeFileSync(join(folder, 'a.jsonl'), `${logs.join('\n')}\n`)
  writeFileSync(join(folder, 'odd.yml'), RULE)
})
afterAll(() => removeFolder(folder))

const LOGS = ['run', 'a.jsonl', '--rules', 'odd.yml']
const STORE = ['--store', 'store']

it('keeps the findings of a run once, and shows what is at risk', async () => {
  const first = await run(...LOGS, ...STORE, '--keep', '--json')
  expect([first.code, first.stderr]).toEqual([0, expect.stringContaining('kept 2 findings;')])
  const again = await run('run', '--rules', 'odd.yml', ...STORE, '--keep', '--json')
  expect(again.stderr).toContain('kept 0 findings, 2 were kept before')
  expect(again.stderr).toContain('3 events in 1 source')

  const list = await run('risk', ...STORE, '--json')
  expect(JSON.parse(list.stdout)).toMatchObject({
    total: 3,
    objects: [
      { type: 'user', risk: 140, events: 2, rules: ['Odd program'], tactics: ['execution'] },
      { type: 'system', risk: 70, events: 1 },
      { type: 'system', risk: 70, events: 1 },
    ],
  })
  const one = await run('risk', 'WS1', ...STORE)
  expect(one.code).toBe(0)
  expect(one.stdout).toContain('Odd program')
  expect(one.stderr).toContain('risk 70 from 1 event of 1 rule')
  const typed = await run('risk', ...STORE, '--type', 'user', '--jsonl')
  expect(typed.stdout.trim().split('\n')).toHaveLength(1)
  const csv = await run('risk', 'kim', ...STORE, '--csv', '--limit', '1')
  expect(csv.stdout.trim().split('\n')).toHaveLength(2)
  expect(csv.stdout).toMatch(/^time,object,type,/)

  const fields = await run('fields', ...STORE)
  expect(fields.stdout).not.toContain('harrier.')
  expect(fields.stderr).toContain('harrier.finding, harrier.risk')
  const named = await run('fields', 'harrier.risk', ...STORE)
  expect(named.stdout).toContain('calculated_risk_score')
  expect((await run('doctor', ...STORE)).stdout).toContain('2 findings that Harrier keeps')
}, 300_000)

it('says what is wrong', async () => {
  const temporary = await run(...LOGS, '--keep')
  expect([temporary.code, temporary.stderr]).toEqual([3, expect.stringContaining('--store')])
  const none = await run('risk', '--store', 'nowhere')
  expect([none.code, none.stderr]).toEqual([3, expect.stringContaining('there is no store')])
  const unknown = await run('risk', 'ws9', ...STORE)
  expect([unknown.code, unknown.stderr]).toEqual([3, expect.stringContaining('no risk of "ws9"')])
  for (const wrong of [
    ['--limit', '0'],
    ['--json', '--csv'],
    ['--from', 'yesteryear'],
    ['--type', 'thing'],
  ]) {
    expect((await run('risk', ...STORE, ...wrong)).code).toBe(3)
  }
  const forged = await run('ingest', 'a.jsonl', ...STORE, '--source', 'harrier.finding')
  expect([forged.code, forged.stderr]).toEqual([
    3,
    expect.stringContaining('a source that Harrier writes itself'),
  ])
  const empty = await run('ingest', 'a.jsonl', '--store', 'empty')
  expect(empty.code).toBe(0)
  const nothing = await run('risk', '--store', 'empty')
  expect([nothing.code, nothing.stdout]).toEqual([0, ''])
  expect(nothing.stderr).toContain('nothing is at risk')
}, 300_000)
