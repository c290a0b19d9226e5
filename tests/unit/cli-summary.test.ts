import { describe, expect, it } from 'vitest'
import { bytes, count, counted, duration, shortTime } from '../../src/cli/figures.ts'
import { eventTable, groupedTable } from '../../src/cli/findings.ts'
import { nextSteps, runSummary, totalsOf } from '../../src/cli/summary.ts'
import { diagnose } from '../../src/core/diagnostic.ts'
import { sampleFinding, sampleOutcome, sampleRule, sampleRun } from '../support/findings.ts'
import { fakeOutput } from '../support/output.ts'

describe('figures', () => {
  it('read well', () => {
    expect([0, 999, 1_000, 1_234_567].map(count)).toEqual(['0', '999', '1,000', '1,234,567'])
    expect([counted(1, 'rule'), counted(2, 'rule'), counted(2, 'entry', 'entries')]).toEqual([
      '1 rule',
      '2 rules',
      '2 entries',
    ])
    expect([0, 1, 999, 1_000, 1_234_567, 99_960_000, 5e12].map(bytes)).toEqual([
      '0 bytes',
      '1 byte',
      '999 bytes',
      '1.00 kB',
      '1.23 MB',
      '100 MB',
      '5.00 TB',
    ])
    expect([0, 9.94, 12.4, 185, 7_800, 273_600, -1].map(duration)).toEqual([
      '0.0 s',
      '9.9 s',
      '12 s',
      '3 min 5 s',
      '2 h 10 min',
      '3 d 4 h',
      '?',
    ])
    expect(shortTime('2024-01-05T10:11:12.1234567Z')).toBe('2024-01-05 10:11:12')
    expect(shortTime('whenever')).toBe('whenever')
  })
})

const run = sampleRun([
  sampleOutcome({ findings: 3 }),
  sampleOutcome({ rule: sampleRule({ id: 'rule-2', level: 'critical', title: 'Worse' }) }),
  sampleOutcome({ state: 'quiet', findings: 0 }),
  sampleOutcome({
    state: 'no_data',
    findings: 0,
    rule: sampleRule({ logsource: 'linux / auditd' }),
  }),
  sampleOutcome({
    state: 'cannot_fire',
    findings: 0,
    diagnostics: [diagnose('HR261', { name: 'Image', source: 'windows.security' })],
  }),
  sampleOutcome({
    state: 'failed',
    findings: 0,
    rule: sampleRule({ title: 'Broken\x1b[2J', file: 'rules/b.yml' }),
    diagnostics: [diagnose('HR256', { limit: 200 })],
  }),
])

describe('the summary of a run', () => {
  it('accounts for every rule', () => {
    const totals = totalsOf(run)
    expect(totals).toMatchObject({
      findings: 4,
      rules: 6,
      fired: 2,
      quiet: 1,
      no_data: 1,
      cannot_fire: 1,
      failed: 1,
      levels: { critical: 1, high: 3, medium: 0 },
    })
    expect(totals.fired + totals.quiet + totals.no_data + totals.cannot_fire + totals.failed).toBe(
      totals.rules,
    )
  })

  it('says why rules did not run, and what to do next', () => {
    const text = runSummary(fakeOutput().err, run)
    expect(text).toContain('4 findings from 2 rules in 1.5 s')
    expect(text).toContain('◆ critical 1   ▲ high 3')
    expect(text).toContain('6 rules: 3 ran (2 fired), 1 had no data, 1 cannot fire, 1 failed')
    expect(text).toContain('failed Broken\\x1b[2J (rules/b.yml): HR256')
    expect(text).toContain('linux / auditd (1 rule)')
    expect(text).toContain('HR261 field "Image" does not occur in windows.security (1 rule)')
    expect(text).toContain('harrier explain rule-2 ')
    expect(text).toContain('--html')
  })

  it('says what rules left out, of few rules each', () => {
    const left = (at: number) =>
      sampleOutcome({
        rule: sampleRule({ title: `Many ${at}` }),
        state: 'quiet',
        diagnostics: [diagnose('HR372', { count: 7, name: 'logon', fields: '"User"' })],
      })
    const text = runSummary(fakeOutput().err, sampleRun([left(1)]))
    expect(text).toContain('  Many 1: HR372 7 matches of "logon" have no "User"')
    const many = Array.from({ length: 13 }, (_, at) => left(at))
    const long = runSummary(fakeOutput().err, sampleRun(many))
    expect(long.match(/HR372/g)).toHaveLength(10)
    expect(long).toContain('and 3 more such lines')
  })

  it('offers no command that a shell would read otherwise', () => {
    const evil = sampleOutcome({ rule: sampleRule({ id: '$(touch x)' }) })
    expect(nextSteps(sampleRun([evil]), { html: true })).toEqual([])
  })

  it('says when a result is partial and when nothing could run', () => {
    expect(runSummary(fakeOutput().err, { ...run, interrupted: true })).toContain('partial')
    const none = sampleRun([sampleOutcome({ state: 'no_data', findings: 0 })])
    expect(nextSteps(none)).toHaveLength(1)
  })
})

describe('findings for a person', () => {
  it('are grouped by rule, most severe first, with samples', async () => {
    const output = fakeOutput({ columns: 100 })
    const writer = groupedTable(output.out, () => ['CommandLine'])
    for (let index = 0; index < 4; index++) {
      await writer.write(sampleFinding({ host: `WS0${index}` }))
    }
    await writer.write(sampleFinding({ rule_id: 'rule-2', rule_title: 'Worse', level: 'critical' }))
    await writer.end(run)
    const lines = output.outText().split('\n')
    expect(lines[0]).toMatch(/^LEVEL +RULE +HITS +HOSTS +FIRST \(UTC\) +LAST \(UTC\)$/)
    expect(lines[1]).toMatch(/^◆ critical +Worse +1 +1 +2024-01-05 10:11:12/)
    expect(lines[2]).toMatch(/^▲ high +Suspicious Thing +4 +4 /)
    expect(output.outText()).toContain('    CommandLine=cmd /c whoami')
    expect(output.outText()).toContain('and 2 more')
    expect(output.errText()).toBe('')
  })

  it('print nothing on stdout when there are none', async () => {
    const output = fakeOutput()
    await groupedTable(output.out).end(sampleRun([]))
    await eventTable(output.out).end(sampleRun([]))
    expect(output.outText()).toBe('')
  })

  it('are one line an event when asked, with one head', async () => {
    const output = fakeOutput()
    const writer = eventTable(output.out)
    for (let record = 0; record < 1_203; record++) await writer.write(sampleFinding({ record }))
    await writer.end(run)
    const lines = output.outText().trimEnd().split('\n')
    expect(lines).toHaveLength(1_204)
    expect(lines.filter((each) => each.startsWith('TIME'))).toHaveLength(1)
    expect(lines[1]).toContain('CommandLine=cmd /c whoami  Image=C:\\Windows\\cmd.exe')
  })
})
