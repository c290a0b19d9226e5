/** Overlays through the built program: written, checked, tested, explained, and refused when they are wrong. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Desk, makeDesk } from '../support/desk.ts'

const ID = '11111111-0000-4000-8000-000000000021'
const RULE = [
  'title: Whoami Asked',
  `id: ${ID}`,
  'level: low',
  'logsource: {product: windows, category: process_creation}',
  "detection: {sel: {Image|endswith: '\\whoami.exe'}, condition: sel}",
  '',
].join('\n')

const event = (user: string): string =>
  `{Channel: Microsoft-Windows-Sysmon/Operational, EventID: 1, Image: 'C:\\whoami.exe', User: '${user}', UtcTime: '2026-01-01 00:00:00', Computer: a}`

let desk: Desk
beforeAll(() => {
  desk = makeDesk()
  desk.write('rules/a.yml', RULE)
  desk.write('harrier.yml', '')
})
afterAll(() => desk.close())

const call = (...args: readonly string[]) =>
  desk.call([...args, '--settings', desk.path('harrier.yml')])

describe('an overlay', () => {
  it('is written once for a rule, with all that may be said', async () => {
    const made = await call('rules', 'tune', ID, '--rules', 'rules')
    expect(made.code).toBe(0)
    expect(made.out).toMatch(/overrides\/whoami-asked\.yml\n$/)
    const again = await call('rules', 'tune', ID, '--rules', 'rules')
    expect(again.code).toBe(3)
    expect(again.err).toContain('there is an overlay for this rule')
    const checked = await call('rules', 'check', 'rules')
    expect(checked.code).toBe(0)
    desk.write('overrides/whoami-asked.yml', '')
  })

  it('has its filter tested, shown and applied', async () => {
    const text = `rule: ${ID}\nlevel: high\nfilter: {User: svc}\ntests:\n  - hides: ${event('svc')}\n  - keeps: ${event('bob')}\n`
    desk.write('overrides/a.yml', text)
    const tested = await call('test', 'rules')
    expect(tested).toMatchObject({ code: 0, out: expect.stringContaining('a.yml:6') })
    const shown = await call('explain', ID, '--rules', 'rules')
    expect(shown.out).toContain('hides: {User: svc}')
    expect(shown.out).toContain('high')
    expect((await call('rules', 'check', 'rules')).code).toBe(0)
    desk.write('overrides/a.yml', text.replace('keeps', 'hides'))
    const failed = await call('rules', 'check', 'rules')
    expect(failed.code).toBe(1)
    expect(failed.err).toMatch(/a\.yml:6:1: error HR948: .*with the filter: /)
  })

  it('with a mistake stops every command that would run rules', async () => {
    desk.write('overrides/a.yml', `rule: ${ID}\nfiltre: {User: svc}\n`)
    for (const args of [
      ['run', 'rules', '--rules', 'rules'],
      ['rules', 'check', 'rules'],
      ['explain', ID, '--rules', 'rules'],
      ['test', 'rules'],
    ]) {
      const { code, out, err } = await call(...args)
      expect({ args, code, out }).toEqual({ args, code: 3, out: '' })
      expect(err).toMatch(/a\.yml:2:1: error HR941: .*did you mean "filter"/)
    }
  })
})
