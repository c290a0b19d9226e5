/** Findings of rules with a query of their own, at a terminal and in the report: texts come from logs and stay text. */
import { describe, expect, it } from 'vitest'
import { groupedTable } from '../../src/cli/findings.ts'
import { renderReport, reportTally } from '../../src/cli/html.ts'
import type { Finding } from '../../src/detect/finding.ts'
import { sampleFinding, sampleOutcome, sampleRule, sampleRun } from '../support/findings.ts'
import { fakeOutput } from '../support/output.ts'

const NASTY = '<img src=x onerror=alert(1)>\x1b]0;x\x07\u202e'

const ALERT: Partial<Finding> = {
  language: 'kusto',
  source: 'SigninLogs',
  file: '',
  record: 0,
  title: `Logon of ${NASTY}`,
  description: `Seen at ${NASTY}`,
  entities: [
    { type: 'IP', Address: '192.0.2.9' },
    { type: 'Account', Name: NASTY, UPNSuffix: 'example.com' },
  ],
  details: { Application: ['Portal', NASTY] },
  rows: 30,
  results: [
    { UserPrincipalName: 'a@example.com', Count: '3' },
    { UserPrincipalName: NASTY, Extra: ['x', 'y'] },
  ],
  event: { UserPrincipalName: 'a@example.com', Count: '3' },
}

function page(finding: Finding): string {
  const tally = reportTally()
  tally.add(finding)
  const outcome = sampleOutcome({ rule: sampleRule({ language: 'kusto' }) })
  const run = sampleRun([outcome])
  const made = '2026-01-01T00:00:00Z'
  return [...renderReport({ tally, run, ruleText: () => undefined, made, version: '0' })].join('')
}

describe('an alert', () => {
  it('is shown with its title, rows and entities at a terminal', async () => {
    const output = fakeOutput({ columns: 100 })
    const writer = groupedTable(output.out)
    await writer.write(sampleFinding(ALERT))
    await writer.end(sampleRun([]))
    const text = output.outText()
    expect(text).toContain('Logon of <img')
    expect(text).toContain('30 rows')
    expect(text).toContain('entities: IP 192.0.2.9, Account')
    expect(text).not.toMatch(/\x07|\u202e|\x1b\]/)
  })

  it('is shown with its rows in the report, all of it escaped', () => {
    const text = page(sampleFinding(ALERT))
    expect(text).toContain('<caption>Rows of the run</caption>')
    expect(text).toContain('and 28 more rows')
    expect(text).toContain('192.0.2.9')
    expect(text).toContain('<th scope="col"><bdi>Extra</bdi></th>')
    expect(text).toContain('<dt>Application</dt>')
    expect(text).not.toContain('<img')
    expect(text).not.toMatch(/\x07|\u202e|\x1b/)
    expect(text).not.toContain('record 0')
  })

  it('adds nothing to a finding of one event', () => {
    const text = page(sampleFinding())
    expect(text).not.toContain('<caption>Rows of the run</caption>')
    expect(text).toContain('logs/a.evtx, record 7')
  })
})
