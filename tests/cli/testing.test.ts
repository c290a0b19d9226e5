/** `test` and `backtest` as a user calls them: reports, forms, exit codes. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Desk, makeDesk } from '../support/desk.ts'

let desk: Desk
beforeAll(() => {
  desk = makeDesk()
  desk.write('rules/a.yml', rule('alice', '1'))
  desk.write('rules/b.yml', rule('bob', '2'))
  desk.write(
    'rules/a.test.yml',
    `tests:
  - {name: found, events: [${event('alice')}], fires: 1}
  - {name: left alone, events: [${event('bob')}], fires: false}
`,
  )
  desk.write('bad/a.yml', rule('alice', '3'))
  desk.write(
    'bad/a.test.yml',
    `tests:
  - {name: "\\e[31mred", events: [${event('bob')}], fires: 1}
  - {name: broken, files: ../x.log, fires: 1}
`,
  )
  desk.write('logs/a.jsonl', `${event('alice')}\n${event('bob')}\n`)
})
afterAll(() => desk.close())

const rule = (user: string, id: string) => `title: Whoami by ${user}
id: a7c0a1c2-55ee-4a3b-8b52-0f5f0c1d000${id}
status: test
level: high
logsource: {category: process_creation, product: windows}
detection: {s: {Image|endswith: '\\whoami.exe', User: ${user}}, condition: s}
`
function event(user: string): string {
  return JSON.stringify({
    EventID: 1,
    Channel: 'Microsoft-Windows-Sysmon/Operational',
    Provider_Name: 'Microsoft-Windows-Sysmon',
    Computer: 'pc.example',
    UtcTime: '2026-02-01 10:00:00.000',
    Image: 'C:\\Windows\\System32\\whoami.exe',
    User: user,
  })
}

describe('harrier test', () => {
  it('prints each test and the totals', async () => {
    const { code, out, err } = await desk.call(['test', 'rules', '--coverage'])
    expect(code).toBe(0)
    expect(out).toMatch(
      /^passed {3}Whoami by alice: found \(rules\/a\.test\.yml:2, .* s\)\npassed .*\nno test {2}Whoami by bob \(rules\/b\.yml\)\n1 of 2 rules has a test \(50 %\)\n$/,
    )
    expect(err).toMatch(/2 passed of 2 tests in .* s\n$/)
  }, 120_000)

  it('says why a test fails, without obeying its name, and exits with 1', async () => {
    const { code, out } = await desk.call(['test', 'bad'])
    expect(code).toBe(1)
    expect(out).toContain(
      'broken   Whoami by alice: broken (bad/a.test.yml:3)\n         the file "../x.log" cannot be used: it is outside of its folder\n',
    )
    expect(out).toContain('failed   Whoami by alice: \\x1b[31mred (bad/a.test.yml:2,')
    expect(out).toContain('         expected 1, found none\n')
    expect(out).toContain('nearest: met by no row: match.equals(User, "alice")\n')
    expect(out).not.toContain('\u001b')
  }, 120_000)

  it('writes JSON, JSON lines and JUnit', async () => {
    const whole = await desk.call([
      'test',
      'rules',
      'bad',
      '--json',
      '-q',
      '--junit',
      desk.path('j.xml'),
    ])
    const report = JSON.parse(whole.out)
    expect(report.totals).toMatchObject({ tests: 4, passed: 2, failed: 1, broken: 1, skipped: 0 })
    expect(report.tests.map((each: { state: string }) => each.state)).toEqual([
      'failed',
      'broken',
      'passed',
      'passed',
    ])
    const xml = readFileSync(desk.path('j.xml'), 'utf8')
    expect(xml).toContain('<testsuites tests="4" failures="1" errors="1" skipped="0"')
    expect(xml).toContain('name="\\x1b[31mred"')
    const lines = await desk.call(['test', 'rules', '--jsonl', '-q'])
    expect(
      lines.out
        .trim()
        .split('\n')
        .map((each) => JSON.parse(each).name),
    ).toEqual(['found', 'left alone'])
  }, 120_000)

  it('stops at the first failure, filters, and never passes in silence', async () => {
    const fast = await desk.call(['test', 'rules', '--filter', 'nothing like it'])
    expect([fast.code, fast.err]).toEqual([
      2,
      expect.stringContaining('nothing was tested: no test fits "nothing like it"'),
    ])
    const none = await desk.call(['test', 'rules/b.yml'])
    expect([none.code, none.err]).toEqual([
      2,
      expect.stringContaining('nothing was tested: no test was found there'),
    ])
    const one = await desk.call(['test', 'bad', '--filter', 'red'])
    expect(one.err).toContain('1 failed of 1 test')
    const first = await desk.call(['test', 'bad', 'rules', '--fail-fast'])
    expect(first.code).toBe(2)
    expect(first.err).toContain('3 not reached')
  }, 120_000)

  it('takes the file of tests itself, and refuses what is not there', async () => {
    const own = await desk.call(['test', 'rules/a.test.yml', '-q'])
    expect([own.code, own.err]).toEqual([0, ''])
    const missing = await desk.call(['test', 'nowhere'])
    expect([missing.code, missing.err]).toEqual([2, expect.stringContaining('HR005')])
    const wrong = await desk.call(['test', 'rules', '--json', '--jsonl'])
    expect(wrong.code).toBe(3)
    expect(desk.leftovers()).toEqual([])
  }, 120_000)
})

describe('harrier backtest', () => {
  it('prints what a rule would have found', async () => {
    const { code, out } = await desk.call(['backtest', 'rules/a.yml', '--logs', 'logs', '-q'])
    expect(code).toBe(0)
    expect(out).toContain(
      'Whoami by alice\nrange     2026-02-01 10:00:00 to 2026-02-01 10:01:00 UTC\nschedule  every 5m\n',
    )
    expect(out).toContain('findings  1\n')
    expect(out).toContain('2026-02-01         1  ██████')
  }, 120_000)

  it('compares two versions, as JSON too', async () => {
    const args = ['backtest', 'rules/a.yml', '--against', 'rules/b.yml', '--logs', 'logs', '-q']
    const { out } = await desk.call(args)
    expect(out).toContain('both find 0; only this version 1; only rules/b.yml 1\n')
    const { backtests } = JSON.parse((await desk.call([...args, '--json'])).out)
    expect(backtests[0].against.difference).toMatchObject({ both: 0, onlyFirst: 1, onlySecond: 1 })
    expect(backtests[0].days).toEqual([{ value: '2026-02-01', count: 1 }])
  }, 120_000)

  it('compares a rule with itself as its publisher has it, and tests the filter of the overlay', async () => {
    desk.write('own/harrier.yml', 'overrides: mine\n')
    desk.write(
      'own/mine/a.yml',
      `rule: Whoami by alice
reason: she is the administrator
filter: {s: {Computer: pc.example}, condition: s}
tests: [{hides: ${event('alice')}, source: windows.sysmon}]
`,
    )
    const own = ['--settings', 'own/harrier.yml', '-q']
    const { code, out } = await desk.call([
      'backtest',
      'rules',
      '--against-overlay',
      'off',
      '--logs',
      'logs',
      ...own,
    ])
    expect(code).toBe(0)
    expect(out).toContain('both find 0; only this version 0; only the rule without its overlay 1\n')
    expect(out.match(/both find/g)).toHaveLength(1)
    const tested = await desk.call(['test', 'rules/a.yml', '--filter', 'hides', ...own])
    expect([tested.code, tested.out]).toEqual([
      0,
      expect.stringMatching(/^passed {3}Whoami by alice: hides/),
    ])
  }, 120_000)

  it('refuses what cannot be meant', async () => {
    const none = await desk.call(['backtest', 'rules/a.yml'])
    expect([none.code, none.err]).toEqual([
      3,
      expect.stringContaining('there is no default store yet'),
    ])
    const time = await desk.call(['backtest', 'rules/a.yml', '--from', 'soon', '--logs', 'logs'])
    expect([time.code, time.err]).toEqual([3, expect.stringContaining('"soon" is not a time')])
    const other = await desk.call([
      'backtest',
      'rules',
      '--against',
      'bad',
      '--logs',
      'logs',
      '--min-level',
      'low',
    ])
    expect([other.code, other.err]).toEqual([0, expect.anything()])
    expect((await desk.call(['backtest', 'nowhere', '--logs', 'logs'])).code).toBe(2)
    expect(desk.leftovers()).toEqual([])
  }, 120_000)
})
