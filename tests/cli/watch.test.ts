/** `harrier watch` in a process of its own, and other commands on the store that it has. */
import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { harrier } from '../support/command.ts'
import { makeFolder, removeFolder } from '../support/engines.ts'

const PROGRAM = fileURLToPath(new URL('../../dist/harrier.js', import.meta.url))
const PATIENCE_MS = 60_000

let folder: string
let logs: string
let store: string
let watching: ChildProcess | undefined
let said = ''

beforeEach(() => {
  folder = makeFolder()
  logs = join(folder, 'logs')
  store = join(folder, 'store')
  mkdirSync(logs)
  said = ''
})
afterEach(async () => {
  await end('SIGKILL')
  removeFolder(folder)
})

async function end(signal: NodeJS.Signals): Promise<number | null> {
  const child = watching
  watching = undefined
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return null
  const gone = new Promise<number | null>((done) => child.once('close', (code) => done(code)))
  child.kill(signal)
  return gone
}

function begin(...args: readonly string[]): void {
  watching = spawn(process.execPath, [PROGRAM, 'watch', logs, '--store', store, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    cwd: folder,
  })
  watching.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
}

const events = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, at) => `{"n":"${from + at}","k":"v"}\n`).join('')

const SEARCH = ['query', '--dialect', 'spl', 'index=* k=v | stats count dc(n) as d', '--csv', '-q']

async function counts(): Promise<string> {
  const { code, stdout, stderr } = await harrier([...SEARCH, '--store', store], { cwd: folder })
  expect([code, stderr]).toEqual([0, ''])
  return stdout.trim().split(/\r?\n/)[1] ?? ''
}

async function until(wanted: string): Promise<void> {
  const started = performance.now()
  let found = ''
  while (performance.now() - started < PATIENCE_MS) {
    if (existsSync(join(store, 'owner.json'))) found = await counts()
    if (found === wanted) return
    await wait(100)
  }
  throw new Error(`wanted ${wanted}, found ${found}; watch said: ${said}`)
}

describe('watch', () => {
  it('lets others query and ingest meanwhile, and goes on after a kill', async () => {
    writeFileSync(join(logs, 'a.json'), events(1, 100))
    begin('--no-rules')
    await until('100,100')
    appendFileSync(join(logs, 'a.json'), events(101, 150))
    await until('150,150')
    const other = join(folder, 'other.json')
    writeFileSync(other, events(1_001, 1_050))
    for (const wanted of ['stored 50', 'stored 0']) {
      const { code, stderr } = await harrier([
        'ingest',
        other,
        join(logs, 'a.json'),
        '--store',
        store,
      ])
      expect(code).toBe(0)
      expect(stderr).toContain(wanted)
    }
    expect(await counts()).toBe('200,200')
    for (const command of ['fields', 'doctor']) {
      expect((await harrier([command, '--store', store], { cwd: folder })).code).toBe(0)
    }
    await end('SIGKILL')
    expect(existsSync(join(store, 'owner.json'))).toBe(true)
    appendFileSync(join(logs, 'a.json'), events(151, 160))
    // Nobody answers where the killed one listened: the next command has the store for itself.
    expect(await counts()).toBe('200,200')
    begin('--no-rules')
    await until('210,210')
    expect(await end('SIGINT')).toBe(130)
    expect(existsSync(join(store, 'owner.json'))).toBe(false)
    expect(said).toContain('up to date')
  })

  it('runs rules over what comes, once and for as long as it runs', async () => {
    const rule = `title: Marked\nid: 00000000-0000-4000-8000-000000000001\nstatus: test\nlevel: high
logsource: {category: process_creation, product: windows}
detection: {selection: {CommandLine|contains: marked}, condition: selection}\n`
    writeFileSync(join(folder, 'r.yml'), rule)
    const time = new Date(Date.now() - 600_000).toISOString()
    const event = {
      UtcTime: time,
      '@timestamp': time,
      EventID: 1,
      Channel: 'Microsoft-Windows-Sysmon/Operational',
      Image: 'C:\\a.exe',
      CommandLine: 'a marked one',
    }
    writeFileSync(join(logs, 's.json'), `${JSON.stringify(event)}\n`)
    const args = [
      'watch',
      logs,
      '--store',
      store,
      '--rules',
      join(folder, 'r.yml'),
      '--since',
      '-1h',
    ]
    const { code, stderr } = await harrier([...args, '--once'], { cwd: folder, seconds: 110 })
    expect(stderr).toContain('1 event stored')
    expect(stderr).toContain('1 finding kept')
    expect(code).toBe(0)
  })

  it('refuses what cannot be meant', async () => {
    const none = await harrier(['watch', '--store', store])
    expect(none.code).toBe(3)
    const inside = await harrier(['watch', folder, '--store', store, '--no-rules'])
    expect([inside.code, inside.stderr]).toEqual([3, expect.stringContaining('lies in the folder')])
    const input = await harrier(['watch', '-', '--store', store])
    expect(input.code).toBe(3)
  })
})
