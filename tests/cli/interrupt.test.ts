/** Ctrl-C and other signals: once ends cleanly with a summary, twice at once, and nothing temporary is left. */
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { writeCase } from '../support/casefiles.ts'
import { type Desk, type Live, makeDesk } from '../support/desk.ts'

let desk: Desk
beforeEach(() => {
  desk = makeDesk()
  writeCase(desk)
})
afterEach(() => desk.close())

/** Lines of a log: two full batches and a part of a third. */
const ROWS = 45_000
const BATCH = 20_000

function lines(rows: number): string {
  const all = Array.from(
    { length: rows },
    (_, index) => `{"time": "2026-01-05T08:00:00Z", "host": "a", "n": "${index}"}`,
  )
  return `${all.join('\n')}\n`
}

/** Gives the lines on standard input and leaves it open, so that the program waits for more. */
async function feeding(args: readonly string[], text: string): Promise<Live> {
  const live = desk.start([...args, '--progress', 'json'], { isOpen: true })
  live.child.stdin?.write(text)
  await live.until(/"events":40000/)
  return live
}

it('once, while logs are read, keeps what is stored and tells how to go on', async () => {
  const text = lines(ROWS)
  const live = await feeding(['ingest', '-', '--store', 'kept'], text)
  live.child.kill('SIGINT')
  const { code, out, err } = await live.ended
  expect({ code, out }).toEqual({ code: 130, out: '' })
  expect(err).toContain('received 40,000 = stored 40,000 + already stored 0 + rejected 0')
  expect(err).toContain('hint: interrupted: run the same command again to read the rest')
  const again = await desk.call(['ingest', '-', '--store', 'kept', '--json', '-q'], { input: text })
  expect(again.code).toBe(0)
  expect(JSON.parse(again.out)).toMatchObject({
    received: ROWS,
    repeated: 2 * BATCH,
    stored: ROWS - 2 * BATCH,
  })
})

it('once, while logs are read for a run, runs nothing and removes the store', async () => {
  const live = await feeding(['run', '-', '--rules', 'rules'], lines(ROWS))
  expect(desk.leftovers()).toHaveLength(1)
  live.child.kill('SIGTERM')
  const { code, out, err } = await live.ended
  expect({ code, out }).toEqual({ code: 130, out: '' })
  expect(err).toContain('hint: interrupted: the rest was not read')
  expect(err).not.toContain('findings')
  expect(desk.leftovers()).toEqual([])
})

it('twice ends at once and removes the store all the same', async () => {
  const live = await feeding(['run', '-', '--rules', 'rules'], lines(ROWS))
  const started = performance.now()
  live.child.kill('SIGINT')
  live.child.kill('SIGINT')
  live.child.kill('SIGTERM')
  const { code } = await live.ended
  expect(code).toBe(130)
  expect(performance.now() - started).toBeLessThan(5_000)
  await wait(200)
  expect(desk.leftovers()).toEqual([])
})

it('once, while rules run, prints what was found so far', async () => {
  const slow = Array.from(
    { length: 90 },
    (_, at) => `    N|re: '(?:a|b)*${at}(?:c|d)*x${at}.{20}y'`,
  )
  const conditions = slow.map((text, at) => `  s${at}:\n${text}`)
  desk.write(
    'slow.yml',
    [
      'title: Slow',
      'logsource: {product: windows, category: process_creation}',
      'detection:',
      ...conditions,
      '  condition: 1 of s*',
      '',
    ].join('\n'),
  )
  const row = `"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","N":"${'ab'.repeat(600)}"`
  const rows = Array.from({ length: 20_000 }, (_, at) => `{${row},"at":"${at}"}`)
  const made = await desk.call(['ingest', '-', '--store', 'kept', '-q'], {
    input: `${rows.join('\n')}\n`,
  })
  expect(made.code).toBe(0)
  const live = desk.start([
    ...['run', '--store', 'kept', '--rules', 'slow.yml', '--json', '--progress', 'json'],
  ])
  await live.until(/"progress":"scan"/)
  live.child.kill('SIGINT')
  const { code, out, err } = await live.ended
  expect(code).toBe(130)
  expect(JSON.parse(out)).toMatchObject({ findings: [], totals: { interrupted: true } })
  expect(err).toContain('(interrupted: the result is partial)')
  expect(err).toContain('1 rule: 0 fired so far, 1 were to run in all')
})

it('a kill leaves a store that a later call removes when it is old', async () => {
  const live = await feeding(['run', '-', '--rules', 'rules'], lines(ROWS))
  live.child.kill('SIGKILL')
  await live.ended
  const [left = ''] = desk.leftovers()
  expect(left).toMatch(/^harrier-run-\d+-/)
  const fresh = await desk.call(['run', 'logs', '--rules', 'rules', '-q'])
  expect(fresh.code).toBe(0)
  expect(desk.leftovers()).toEqual([left])
  const old = new Date(Date.now() - 2 * 24 * 3_600 * 1_000)
  utimesSync(`${desk.temporary}/${left}`, old, old)
  mkdirSync(`${desk.temporary}/harrier-run-notes`)
  writeFileSync(`${desk.temporary}/harrier-run-notes/mine`, '')
  utimesSync(`${desk.temporary}/harrier-run-notes`, old, old)
  const later = await desk.call(['run', 'logs', '--rules', 'rules', '-q'])
  expect(later.code).toBe(0)
  expect(readdirSync(desk.temporary)).toEqual(['harrier-run-notes'])
  expect(existsSync(`${desk.temporary}/harrier-run-notes/mine`)).toBe(true)
})
