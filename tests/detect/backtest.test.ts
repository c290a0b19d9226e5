/** Rules over the past by their schedules. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isoOfMs } from '../../src/core/time.ts'
import { isScheduled, scheduleOf } from '../../src/detect/schedule/cadence.ts'
import { plainSettings } from '../../src/detect/settings.ts'
import { type Backtest, backtest, differenceOf } from '../../src/detect/testing/backtest.ts'
import { EventTimes, pastRuns } from '../../src/detect/testing/past.ts'
import type { Store } from '../../src/engine/store.ts'
import type { TimeBounds } from '../../src/ir/rel.ts'
import { compilerHere } from '../../src/rules/kustolibrary.ts'
import { loadRules } from '../../src/rules/load.ts'
import type { Rule } from '../../src/rules/rule.ts'
import { readInto, readyMadeSchema } from '../../tools/product.ts'
import { type TemporaryEngine, temporaryStore } from '../support/temporary.ts'

const schema = readyMadeSchema()
const settings = plainSettings().schedule
const folder = mkdtempSync(join(tmpdir(), 'harrier-backtest-'))
let opened: TemporaryEngine & { readonly store: Store }

/** Ten events a day for three days, by two users; on the second day alice is alone. */
const events = [1, 2, 3].flatMap((day) =>
  Array.from({ length: 10 }, (_, at) => ({
    TimeGenerated: `2026-02-0${day}T${String(at * 2).padStart(2, '0')}:30:00Z`,
    Who: at % 2 === 0 || day === 2 ? 'alice' : 'bob',
    Number: at,
  })),
)

beforeAll(async () => {
  opened = await temporaryStore()
  const rows = events.map(({ TimeGenerated, Who, Number: number }) =>
    JSON.stringify({
      EventID: 1,
      Channel: 'Microsoft-Windows-Sysmon/Operational',
      Provider_Name: 'Microsoft-Windows-Sysmon',
      Computer: 'pc.example',
      UtcTime: TimeGenerated.replace('T', ' ').replace('Z', '.000'),
      Image: `C:\\${number}.exe`,
      User: Who,
    }),
  )
  writeFileSync(join(folder, 'a.jsonl'), `${rows.join('\n')}\n`)
  await readInto(opened.store, [join(folder, 'a.jsonl')])
})
afterAll(async () => {
  await opened.close()
  rmSync(folder, { recursive: true, force: true })
})

async function ruleOf(name: string, text: string): Promise<Rule> {
  const path = join(folder, name)
  writeFileSync(path, text)
  const { rules } = await loadRules([path], {
    placeholders: new Map(),
    kusto: compilerHere(schema.tables),
    schema: () => schema,
  })
  const [loaded] = rules
  if (loaded?.rule === undefined) throw new Error(JSON.stringify(loaded?.diagnostics))
  return loaded.rule
}

let now = 0
const run = (rule: Rule, time: TimeBounds = {}): Promise<Backtest> =>
  backtest(rule, { store: opened.store, schema, time, settings, clock: () => now++ })

const sigma = (user: string) => `title: By User
id: a7c0a1c2-55ee-4a3b-8b52-0f5f0c1d0009
level: high
status: test
logsource: {category: process_creation, product: windows}
detection: {s: {User: [${user}]}, condition: s}
`
const kusto = (more = '') => `id: 407b7a94-e1ef-403c-b27f-9731b1cbb9aa
name: Users by the Hour
severity: High
queryFrequency: 1h
queryPeriod: 2h
triggerOperator: gt
triggerThreshold: 0
query: |
  DeviceProcessEvents | where AccountName == "alice" | summarize n = count() by AccountName
kind: Scheduled
${more}`
const spl = (more = '') => `name: Users of a Search
id: 55232d97-7f83-49db-9f31-000000000099
version: 1
date: '2026-01-01'
author: x
status: production
type: TTP
description: d
search: '| tstats count min(_time) as firstTime from datamodel=Endpoint.Processes by Processes.dest Processes.user | rename Processes.* as *'
rba: {message: $user$, risk_objects: [{field: user, type: user, score: 10}], threat_objects: []}
tags: {security_domain: endpoint}
${more}`

describe('a backtest', () => {
  it('of an event rule finds each event once, by day', async () => {
    const test = await run(await ruleOf('a.yml', sigma('alice')))
    expect(test.days).toEqual([
      { value: '2026-02-01', count: 5 },
      { value: '2026-02-02', count: 10 },
      { value: '2026-02-03', count: 5 },
    ])
    expect([test.findings, test.state, test.schedule, test.fired]).toEqual([
      20,
      'fired',
      'every 5m',
      3,
    ])
    expect(test.fields[0]).toEqual({
      name: 'User',
      different: 1,
      top: [{ value: 'alice', count: 20 }],
    })
    expect(test.entities).toEqual([{ value: 'pc.example', count: 20 }])
    expect(test.samples).toHaveLength(5)
  })

  it('keeps to its range', async () => {
    const test = await run(await ruleOf('a.yml', sigma('alice')), {
      from: '2026-02-02T00:00:00.0000000Z',
      to: '2026-02-02T12:00:00.0000000Z',
    })
    expect(test.days).toEqual([{ value: '2026-02-02', count: 6 }])
  })

  it('of a search makes the runs of its cron', async () => {
    const test = await run(await ruleOf('s.yml', spl()))
    // Each event is alone in its hour, and each window is an hour.
    expect([test.findings, test.fired, test.ran, test.schedule]).toEqual([30, 30, 30, '0 * * * *'])
    expect(test.due).toBe(67)
    expect(test.cost.runs).toBe(30)
    expect(test.entities[0]).toEqual({ value: 'Account alice', count: 20 })
  })

  it('says what throttling would hold back', async () => {
    const throttling = 'throttling: {fields: [user], period: 3h}'
    const { hidden } = await run(await ruleOf('t.yml', spl(throttling)))
    // alice every two hours on the second day, each user every four on the others.
    expect(hidden).toMatchObject({ fields: ['user'], period: 10_800, cut: 0 })
    const told = { alice: [] as number[], bob: [] as number[] }
    let held = 0
    for (const { TimeGenerated, Who } of events) {
      const at = Date.parse(TimeGenerated)
      const last = told[Who === 'alice' ? 'alice' : 'bob'].at(-1)
      if (last !== undefined && at - last < 10_800_000) held++
      else told[Who === 'alice' ? 'alice' : 'bob'].push(at)
    }
    expect(held).toBeGreaterThan(0)
    expect(hidden.suppressed).toBe(held)
  })

  it('says what the flood cap would cut', async () => {
    const rule = await ruleOf('a.yml', sigma('alice'))
    const tuned: Rule = {
      ...rule,
      tuning: { file: 'o.yml', mostFindings: 3, schedule: { every: 86_400_000 } },
    }
    const { hidden } = await run(tuned)
    expect(hidden).toMatchObject({ most: 3, cut: 2 + 7 + 2, flooded: 3 })
  })

  it('says what suppressions of the settings would hold back', async () => {
    const { hidden, findings } = await backtest(await ruleOf('a.yml', sigma('alice')), {
      store: opened.store,
      schema,
      time: {},
      settings,
      suppressions: [
        { name: 'planned', where: [['User', ['al*']]], to: '2026-02-02T00:00:00.0000000Z' },
      ],
      clock: () => 0,
    })
    expect([findings, hidden.unwanted, hidden.suppressed]).toEqual([20, 5, 0])
  })

  it('of nothing is quiet, and of what has no data says so', async () => {
    const nobody = await run(await ruleOf('n.yml', sigma('nobody')))
    expect([nobody.state, nobody.findings]).toEqual(['quiet', 0])
    const linux = sigma('alice').replace('product: windows', 'product: linux')
    const none = await run(await ruleOf('l.yml', linux))
    expect([none.state, none.findings]).toEqual(['no_data', 0])
    const empty = await run(await ruleOf('n.yml', sigma('alice')), {
      from: '2027-01-01T00:00:00.0000000Z',
    })
    expect([empty.findings, empty.cost.runs]).toEqual([0, 0])
  })

  it('of a query makes the runs of its frequency', async () => {
    const test = await run(await ruleOf('k.yml', kusto()))
    expect([test.state, test.schedule]).toEqual(['fired', 'every 1h'])
    expect(test.days.reduce((sum, each) => sum + each.count, 0)).toBe(test.findings)
    expect(test.ran).toBeGreaterThan(40)
  })
})

describe('two versions of a rule', () => {
  it('differ by the events that only one matches', async () => {
    const both = await run(await ruleOf('b.yml', sigma('alice, bob')))
    const one = await run(await ruleOf('a.yml', sigma('alice').replace(/id: .*\n/, '')))
    const difference = differenceOf(both, one)
    expect(difference).toMatchObject({ both: 20, onlyFirst: 10, onlySecond: 0 })
    expect(difference.firstSamples.map(({ event }) => event.User)).toEqual(Array(5).fill('bob'))
    expect(differenceOf(both, both)).toMatchObject({ both: 30, onlyFirst: 0, onlySecond: 0 })
  })
})

describe('the runs of the past', () => {
  it('are those whose window holds an event, and no event is left out', async () => {
    const rule = await ruleOf('s.yml', spl())
    const schedule = scheduleOf(rule, settings)
    if (!isScheduled(schedule)) throw new Error('it has a schedule')
    const start = Date.parse('2026-02-01T00:00:00Z')
    fc.assert(
      fc.property(fc.array(fc.nat(20_000), { minLength: 1, maxLength: 20 }), (minutes) => {
        const times = [...new Set(minutes)]
          .map((each) => start + each * 60_000)
          .sort((a, b) => a - b)
        const past = pastRuns(schedule, new EventTimes(times))
        const ranges = (past?.runs ?? []).map(({ window }) => [
          Date.parse(window.time.from ?? ''),
          Date.parse(window.time.to ?? ''),
        ])
        const isIn = (time: number, [from = 0, to = 0]: readonly number[]) =>
          time >= from && time < to
        expect(times.every((time) => ranges.some((range) => isIn(time, range)))).toBe(true)
        expect(ranges.every((range) => times.some((time) => isIn(time, range)))).toBe(true)
      }),
      { numRuns: 50 },
    )
  })

  it('know the run before the first one, whose window may overlap', async () => {
    const schedule = scheduleOf(await ruleOf('k.yml', kusto()), settings)
    if (!isScheduled(schedule)) throw new Error('it has a schedule')
    const minute = Date.parse('2026-02-01T00:30:00Z')
    for (const [back, isApart] of [
      [3_600_000, true],
      [7_200_000, false],
    ] as const) {
      const windowAt = (time: number) => ({
        at: isoOfMs(time),
        time: { from: isoOfMs(time - back), to: isoOfMs(time) },
      })
      const past = pastRuns(
        { ...schedule, windowAt, reach: { from: back, to: 0 } },
        new EventTimes([minute]),
      )
      expect(past?.runs.map((each) => each.isApart)).toEqual(isApart ? [true] : [false, false])
    }
  })

  it('by the cron of an overlay look back to the run before', async () => {
    const rule = await ruleOf('c.yml', sigma('alice'))
    const tuning = { file: 'o.yml', schedule: { cron: '0 6 * * 1-5' } }
    const schedule = scheduleOf({ ...rule, tuning }, settings)
    if (!isScheduled(schedule)) throw new Error('it has a schedule')
    const monday = Date.parse('2026-02-02T06:00:00Z')
    expect(schedule.windowAt(monday).time.from).toBe(isoOfMs(monday - 3 * 86_400_000))
    expect(schedule.reach.from).toBe(3 * 86_400_000)
  })

  it('are refused when they are too many', async () => {
    const schedule = scheduleOf(await ruleOf('a.yml', sigma('alice')), settings)
    if (!isScheduled(schedule)) throw new Error('it has a schedule')
    const times = Array.from({ length: 60_000 }, (_, at) => at * 300_000)
    expect(pastRuns(schedule, new EventTimes(times))).toBeUndefined()
  })
})
