/** Rules of Splunk content over logs of the past: findings with their risk, throttling, runs at a time, baselines. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Finding } from '../../src/detect/finding.ts'
import { type RunOptions, runRules } from '../../src/detect/run.ts'
import type { RunStore } from '../../src/detect/store.ts'
import { loadRules } from '../../src/rules/load.ts'
import { readInto, readyMadeSchema } from '../../tools/product.ts'
import { temporaryStore } from '../support/temporary.ts'

const work = mkdtempSync(join(tmpdir(), 'harrier-splrun-'))
const schema = readyMadeSchema()

const program = (time: string, fields: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({
    Channel: 'Microsoft-Windows-Sysmon/Operational',
    Provider_Name: 'Microsoft-Windows-Sysmon',
    EventID: 1,
    Computer: 'HOST1',
    UtcTime: time,
    User: 'CORP\\clerk',
    ...fields,
  })

const EVENTS = [
  program('2026-01-02 03:00:00.000', { Image: 'C:\\a\\odd.exe', CommandLine: 'odd $Image$' }),
  program('2026-01-02 03:10:00.000', { Image: 'C:\\a\\odd.exe', CommandLine: 'odd 2' }),
  program('2026-01-02 06:00:00.000', { Image: 'C:\\a\\odd.exe', CommandLine: 'odd 3' }),
  program('2026-01-02 06:00:00.000', { Image: 'C:\\a\\even.exe', CommandLine: 'even' }),
]

let store: RunStore
let close = async (): Promise<void> => undefined

beforeAll(async () => {
  const opened = await temporaryStore()
  store = opened.store
  close = opened.close
  mkdirSync(join(work, 'logs'))
  writeFileSync(join(work, 'logs', 'a.jsonl'), `${EVENTS.join('\n')}\n`)
  await readInto(opened.store, [join(work, 'logs')])
})
afterAll(async () => {
  await close()
  rmSync(work, { recursive: true, force: true })
})

let number = 0

async function run(rule: string, options: Partial<RunOptions> = {}) {
  const path = join(work, `rule${number++}.yml`)
  writeFileSync(path, rule)
  const { rules } = await loadRules([path], { placeholders: new Map(), schema: () => schema })
  const findings: Finding[] = []
  const report = await runRules({
    rules: rules.flatMap((each) => each.rule ?? []),
    schema,
    store,
    time: {},
    onFinding: (finding) => {
      findings.push(finding)
    },
    ...options,
  })
  const [outcome] = report.outcomes
  const codes = outcome?.diagnostics.map(({ code }) => code)
  return { findings, state: outcome?.state, codes, refused: rules[0]?.diagnostics }
}

const rule = (search: string, more = '', type = 'TTP'): string =>
  `name: Odd program\nid: odd\ntype: ${type}\ndescription: Odd.\nsearch: ${JSON.stringify(search)}\n${more}`

const TABLE =
  '`sysmon` EventCode=1 Image="*odd.exe" | stats count min(_time) as firstTime values(CommandLine) as process by dest user | eval nothing=null()'

const RISK = `rba:
  message: $user$ ran $process$ on $dest$, $nothing$ $absent{}.x$
  risk_objects:
  - {field: dest, type: system, score: 50}
  - {field: user, type: user, score: 40}
  - {field: nothing, type: other, score: 40}
  threat_objects:
  - {field: process, type: process}
`

describe('a finding', () => {
  it('is made of each row, with its risk, evidence and texts', async () => {
    const { findings, state, codes } = await run(rule(TABLE, RISK))
    expect(state).toBe('fired')
    expect(codes).toEqual(['HR570', 'HR573'])
    const [finding] = findings
    const message = 'CORP\\clerk ran odd $Image$, odd 2, odd 3 on HOST1, $nothing$ $absent{}.x$'
    expect(findings).toHaveLength(1)
    expect(finding).toMatchObject({
      time: '2026-01-02T03:00:00.0000000Z',
      language: 'spl',
      level: 'medium',
      host: 'HOST1',
      risk_message: message,
      risk: [
        { field: 'dest', value: 'HOST1', type: 'system', score: 50, message },
        { field: 'user', value: 'CORP\\clerk', type: 'user', score: 40, message },
      ],
      threat_objects: [
        { field: 'process', value: 'odd $Image$', type: 'process' },
        { field: 'process', value: 'odd 2', type: 'process' },
        { field: 'process', value: 'odd 3', type: 'process' },
      ],
      details: { user: ['CORP\\clerk'], dest: ['HOST1'] },
      event: { dest: 'HOST1', count: '3', process: ['odd $Image$', 'odd 2', 'odd 3'] },
    })
    expect(finding?.entities?.slice(0, 3)).toEqual([
      { type: 'Host', HostName: 'HOST1' },
      { type: 'Account', Name: 'CORP\\clerk' },
      { type: 'Process', CommandLine: 'odd $Image$' },
    ])
    expect(finding?.title).toBeUndefined()
  })

  it('has the same id each time', async () => {
    const first = await run(rule(TABLE, RISK))
    const again = await run(rule(TABLE, RISK))
    expect(first.findings[0]?.id).toBe(again.findings[0]?.id)
  })

  it('has the texts of its notable where they say more than the rule', async () => {
    const more =
      'deployment: {alert_action: {notable: {rule_title: "%name% on $dest$", rule_description: "%description%", nes_fields: [process]}}}\n'
    const { findings } = await run(rule(TABLE, more))
    expect(findings[0]).toMatchObject({ title: 'Odd program on HOST1' })
    expect(findings[0]?.description).toBeUndefined()
  })
})

describe('a run', () => {
  it('at a time sees what the schedule looks at then', async () => {
    const search = '`sysmon` EventCode=1 Image="*odd.exe" | table _time dest CommandLine'
    const all = await run(rule(search))
    expect(all.findings.map(({ time }) => time).sort()).toEqual([
      '2026-01-02T03:00:00.0000000Z',
      '2026-01-02T03:10:00.0000000Z',
      '2026-01-02T06:00:00.0000000Z',
    ])
    const at = await run(rule(search), { at: '2026-01-02T04:00:00Z' })
    expect(at.findings.map(({ time }) => time).sort()).toEqual([
      '2026-01-02T03:00:00.0000000Z',
      '2026-01-02T03:10:00.0000000Z',
    ])
    expect(at.codes).toEqual([])
    const none = await run(rule(search), { at: '2026-01-02T05:00:00Z' })
    expect(none.state).toBe('quiet')
    const bounded = await run(rule(search), { time: { from: '2026-01-02T05:00:00.0000000Z' } })
    expect(bounded.findings).toHaveLength(1)
  })

  it('tells rows with the same throttled fields once in a period', async () => {
    const more = 'tags: {throttling: {fields: [dest], period: 1h}}\n'
    const search =
      '`sysmon` EventCode=1 Image="*odd.exe" | table _time dest CommandLine | sort _time'
    const { findings, codes } = await run(rule(search, more))
    expect(findings.map(({ event }) => event.CommandLine)).toEqual(['odd $Image$', 'odd 3'])
    expect(codes).toContain('HR571')
    const untimed = await run(rule('`sysmon` EventCode=1 | table dest CommandLine', more))
    expect(untimed.findings).toHaveLength(1)
  })

  it('of a baseline makes no findings', async () => {
    const { findings, state, codes } = await run(rule(TABLE, '', 'Baseline'))
    expect(findings).toEqual([])
    expect(state).toBe('quiet')
    expect(codes).toContain('HR572')
  })

  it('of several lets those that write lookups go first, where they may write', async () => {
    const folder = join(work, 'baseline')
    mkdirSync(folder)
    const known =
      '`sysmon` EventCode=1 Image="*even.exe" | stats count by Image | outputlookup seen_programs'
    const other =
      '`sysmon` EventCode=1 | stats count by Image | search NOT [| inputlookup seen_programs | fields Image]'
    writeFileSync(join(folder, 'a.yml'), rule(other))
    writeFileSync(
      join(folder, 'b.yml'),
      rule(known, '', 'Baseline').replace('id: odd', 'id: seen').replace('Odd program', 'Seen'),
    )
    writeFileSync(
      join(folder, 'c.yml'),
      'name: seen_programs\ncollection: seen_programs\nfields_list: Image, count\n',
    )
    const { rules } = await loadRules([folder], { placeholders: new Map(), schema: () => schema })
    const found = async (writesLookups: boolean): Promise<readonly unknown[]> => {
      const images: unknown[] = []
      await runRules({
        rules: rules.flatMap((each) => each.rule ?? []),
        schema,
        store,
        time: {},
        writesLookups,
        onFinding: ({ event }) => {
          images.push(event.Image)
        },
      })
      return images.sort()
    }
    expect(await found(false)).toEqual(['C:\\a\\even.exe', 'C:\\a\\odd.exe'])
    expect(await found(true)).toEqual(['C:\\a\\odd.exe'])
  })

  it('without data for the rule says so', async () => {
    expect((await run(rule('sourcetype=aws:cloudtrail | stats count by user'))).state).toBe(
      'no_data',
    )
  })
})
