/** The schedule from the command line: served once and for good, listed, paused, resumed, and stopped. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Desk, makeDesk } from '../support/desk.ts'

const RULE = `title: Odd Program
id: odd-1
logsource: {product: windows, category: process_creation}
detection: {s: {CommandLine|contains: odd}, condition: s}
level: high
`
const HUNT = `name: A hunt
id: hunt-1
type: Hunting
description: d
search: '\`sysmon\` EventCode=1'
`

let desk: Desk
beforeAll(() => {
  desk = makeDesk()
  desk.write('rules/odd.yml', RULE)
  desk.write('rules/hunt.yml', HUNT)
  // Events of one slot are seen by the same window, whatever the time is.
  const slot = Math.floor((Date.now() - 30 * MINUTE) / EVERY) * EVERY
  const event = (minute: number, command: string): string =>
    JSON.stringify({
      Channel: 'Microsoft-Windows-Sysmon/Operational',
      EventID: 1,
      Hostname: 'host1',
      EventTime: new Date(slot + minute * MINUTE).toISOString(),
      CommandLine: command,
    })
  desk.write('logs/a.jsonl', `${event(2, 'odd \u001b[31m')}\n${event(1, 'even')}\n`)
  desk.write('logs2/b.jsonl', `${event(12, 'odd late')}\n`)
})
afterAll(() => desk.close())

const MINUTE = 60_000
/** How often rules of Sigma run, and how long after that. */
const EVERY = 5 * MINUTE
const DELAY = MINUTE
const runsUntil = (time: number): number => Math.floor((time - DELAY) / EVERY)

let servedAt = Number.NaN
/** Serves what is due; `due` tells how many windows may have come due since the time before. */
async function serveOnce(...options: readonly string[]) {
  const before = servedAt
  servedAt = Date.now()
  const done = await desk.call(['serve', '--once', ...options, ...STORE, ...RULES])
  const windows = Number(/(\d+) windows? · .*up to date\n$/.exec(done.err)?.[1])
  return { ...done, windows, due: runsUntil(Date.now()) - runsUntil(before) }
}

const STORE = ['--store', 'store']
const RULES = ['--rules', 'rules']
const json = (text: string) => JSON.parse(text)

describe('a schedule that is served once', () => {
  it('wants a store', async () => {
    const { code, err } = await desk.call(['serve', '--once', ...STORE, ...RULES])
    expect(code).toBe(3)
    expect(err).toContain('there is no store')
  })

  it('runs what is due, keeps what it finds, and ends', async () => {
    expect((await desk.call(['ingest', 'logs', ...STORE])).code).toBe(0)
    const first = await serveOnce('--since', '-1h')
    expect(first).toMatchObject({ code: 0, out: '' })
    expect(first.err).toContain('1 rule on a schedule over store; 1 without one')
    expect(first.err).toMatch(/1[12] windows · 1 finding kept · up to date/)
    const again = await serveOnce()
    expect(again.err).toMatch(/\d windows? · 0 findings kept/)
    expect(again.windows).toBeLessThanOrEqual(1 + again.due)
  })

  it('finds what comes late', async () => {
    await desk.call(['ingest', 'logs2', ...STORE])
    const late = await serveOnce()
    expect(late.err).toMatch(/[1-9] windows? · 1 finding kept/)
    expect(late.windows).toBeLessThanOrEqual(2 + late.due)
  })

  it('refuses a wrong time', async () => {
    const { code } = await desk.call(['serve', '--once', '--since', 'yesterday', ...STORE])
    expect(code).toBe(3)
  })
})

describe('the schedule', () => {
  it('is listed, with what does not run', async () => {
    const { out, err, code } = await desk.call(['schedule', ...STORE, ...RULES])
    expect(code).toBe(0)
    expect(out).toMatch(/^RULE .*SCHEDULE/)
    expect(out).toMatch(/Odd Program +sigma +every 5m +ok/)
    expect(out).not.toContain('A hunt')
    expect(err).toContain('nobody runs them now; 1 without a schedule are not shown')
    const all = await desk.call(['schedule', 'list', '--all', '--csv', ...STORE, ...RULES])
    expect(all.out).toMatch(/^rule,title,language,schedule,state,reason,/)
    expect(all.out).toContain('hunt-1,A hunt,spl,,off,')
    const { rules } = json((await desk.call(['schedule', '--json', ...STORE, ...RULES])).out)
    expect(rules.map(({ rule }: { rule: string }) => rule)).toEqual(['odd-1', 'hunt-1'])
  })

  it('tells its windows', async () => {
    const { out } = await desk.call(['schedule', 'windows', 'odd-1', '--json', ...STORE])
    const { windows } = json(out)
    expect(windows.length).toBeGreaterThan(10)
    expect(windows.reduce((sum: number, { kept }: { kept: number }) => sum + kept, 0)).toBe(2)
    const table = await desk.call(['schedule', 'windows', 'Odd Program', '--limit', '3', ...STORE])
    expect(table.out.trimEnd().split('\n')).toHaveLength(4)
    expect((await desk.call(['schedule', 'windows', '--limit', 'x', ...STORE])).code).toBe(3)
  })

  it('may be paused and resumed, rule by rule', async () => {
    const wrong = await desk.call(['schedule', 'pause', 'odd-2', ...STORE])
    expect(wrong.code).toBe(3)
    expect(wrong.err).toContain('did you mean "odd-1"?')
    const paused = await desk.call(['schedule', 'pause', 'odd', '--reason', 'a test', ...STORE])
    expect(paused).toMatchObject({ code: 0, out: '' })
    const after = await desk.call(['schedule', '--json', ...STORE, ...RULES])
    expect(json(after.out).rules[0].reason).toBe('is to be paused')
    await desk.call(['serve', '--once', ...STORE, ...RULES])
    const state = json((await desk.call(['schedule', '--json', ...STORE, ...RULES])).out).rules[0]
    expect(state).toMatchObject({ state: 'paused', reason: 'a test', next_run: null })
    expect((await desk.call(['schedule', 'resume', 'odd-1', ...STORE])).err).toContain('goes on')
    await desk.call(['serve', '--once', ...STORE, ...RULES])
    expect(
      json((await desk.call(['schedule', '--json', ...STORE, ...RULES])).out).rules[0].state,
    ).toBe('ok')
  })

  it('ends with Ctrl-C, and the next one can begin at once', async () => {
    const live = desk.start(['serve', '--no-web', ...STORE, ...RULES])
    await live.until(/on a schedule over/)
    live.child.kill('SIGINT')
    const { code, err } = await live.ended
    expect(code).toBe(130)
    expect(err).not.toContain('error')
    expect((await desk.call(['serve', '--once', ...STORE, ...RULES])).code).toBe(0)
  })
})
