/**
 * Kusto rules over logs of the past: one scan for all runs gives what run by run gives, triggers and windows, what a rule
 * without data says, and rules that fail beside others.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Finding } from '../../src/detect/finding.ts'
import { type RunOptions, runRules } from '../../src/detect/run.ts'
import { isScheduled, scheduleOf } from '../../src/detect/schedule/cadence.ts'
import { plainSettings } from '../../src/detect/settings.ts'
import type { ShownRows } from '../../src/detect/shown.ts'
import type { RunStore } from '../../src/detect/store.ts'
import { EngineError } from '../../src/engine/engine.ts'
import { compilerHere } from '../../src/rules/kustolibrary.ts'
import { loadRules } from '../../src/rules/load.ts'
import type { Rule } from '../../src/rules/rule.ts'
import { readInto, readyMadeSchema } from '../../tools/product.ts'
import { randomFrom } from '../../tools/random.ts'
import { temporaryStore } from '../support/temporary.ts'

const work = mkdtempSync(join(tmpdir(), 'harrier-scheduled-'))
const schema = readyMadeSchema()
const kusto = compilerHere(schema.tables)
const random = randomFrom(7)

const at = (minute: number): string =>
  new Date(Date.UTC(2026, 0, 5, 0, 0) + minute * 60_000).toISOString()

/** Starts of programs over five hours, some at the very edges of runs, some alike but for their time. */
const MINUTES = [
  ...[0, 59, 60, 60, 61, 120, 180, 180, 239, 240, 299, 300],
  ...Array.from({ length: 27 }, () => random.between(0, 300)),
]

function program(minute: number, index: number): string {
  return JSON.stringify({
    Type: 'DeviceProcessEvents',
    Timestamp: at(minute),
    DeviceId: `d${index % 3}`,
    DeviceName: `host${index % 3}`,
    ReportId: index,
    ActionType: 'ProcessCreated',
    FileName: `app${index % 4}.exe`,
    ProcessId: index,
    AccountName: ['clerk', 'admin'][index % 2],
  })
}

interface Kind {
  readonly frequency?: string
  readonly period?: string
  readonly kind?: string
  readonly trigger?: string
  readonly threshold?: number
  readonly perResult?: boolean
  readonly more?: string
}

function text(name: string, query: string, kind: Kind = {}): string {
  const { frequency = '1h', period = '1h', trigger = 'gt', threshold = 0 } = kind
  return [
    `id: ${name}`,
    `name: ${name}`,
    'severity: High',
    `kind: ${kind.kind ?? 'Scheduled'}`,
    ...(kind.kind === 'NRT' ? [] : [`queryFrequency: ${frequency}`, `queryPeriod: ${period}`]),
    `triggerOperator: ${trigger}`,
    `triggerThreshold: ${threshold}`,
    ...(kind.perResult ? ['eventGroupingSettings: { aggregationKind: AlertPerResult }'] : []),
    ...(kind.more === undefined ? [] : [kind.more]),
    'query: |',
    ...query.split('\n').map((each) => `  ${each}`),
    '',
  ].join('\n')
}

async function rulesOf(...texts: readonly string[]): Promise<readonly Rule[]> {
  const folder = mkdtempSync(join(work, 'rules-'))
  mkdirSync(folder, { recursive: true })
  texts.forEach((each, index) => {
    writeFileSync(join(folder, `${index}.yaml`), each)
  })
  const { rules } = await loadRules([folder], { placeholders: new Map(), kusto })
  const errors = rules.flatMap(({ diagnostics }) =>
    diagnostics.filter((each) => each.severity === 'error'),
  )
  expect(errors).toEqual([])
  return rules.flatMap((each) => each.rule ?? [])
}

describe('scheduled rules', () => {
  let store: RunStore
  let close: () => Promise<void> = () => Promise.resolve()

  beforeAll(async () => {
    const opened = await temporaryStore()
    store = opened.store
    close = opened.close
    const path = join(work, 'events.jsonl')
    writeFileSync(path, `${MINUTES.map(program).join('\n')}\n`)
    expect((await readInto(opened.store, [path])).stored).toBe(MINUTES.length)
  })
  afterAll(async () => {
    await close()
    rmSync(work, { recursive: true, force: true })
  })

  async function run(rules: readonly Rule[], change: Partial<RunOptions> = {}) {
    const findings: Finding[] = []
    const report = await runRules({
      rules,
      schema,
      store,
      time: {},
      onFinding: (finding) => {
        findings.push(finding)
      },
      ...change,
    })
    const codes = report.outcomes.map((each) => each.diagnostics.map(({ code }) => code))
    return { report, findings, states: report.outcomes.map(({ state }) => state), codes }
  }

  /** A query that gives the same rows, in a form that has to be run window by window. */
  const slowly = (query: string): string => `${query}\n| where rand() < 2`

  const queries = [
    'DeviceProcessEvents',
    'DeviceProcessEvents\n| where Timestamp > ago(1h)',
    "DeviceProcessEvents\n| where TimeGenerated >= ago(1h) and AccountName == 'clerk'\n| project FileName, Timestamp, ReportId",
    'DeviceProcessEvents\n| where Timestamp between (ago(1h) .. now())\n| extend Name = toupper(FileName)\n| project Name, Other = Timestamp, ReportId',
    "union DeviceProcessEvents, (DeviceProcessEvents | where FileName == 'app1.exe' | extend FileName = 'twice')\n| project Timestamp, FileName, ReportId",
    'DeviceProcessEvents\n| project FileName, ReportId',
    'DeviceProcessEvents\n| extend Timestamp = datetime(2020-01-01)\n| project Timestamp, FileName, ReportId',
  ]

  it.each(queries)('gives at once what the runs give one by one: %s', async (query) => {
    for (const [period, perResult] of [
      ['1h', false],
      ['3h', true],
    ] as const) {
      const kind = { period, perResult }
      const [once, each] = await rulesOf(
        text('once', query, kind),
        text('each', slowly(query), kind),
      )
      if (once === undefined || each === undefined) return expect.fail('no rules')
      const [fast, slow] = [await run([once]), await run([each])]
      const shown = ({ findings }: typeof fast): readonly string[] =>
        findings
          .map(({ event, rows, results, window }) =>
            JSON.stringify(
              perResult
                ? event
                : { rows, results: results?.map((row) => JSON.stringify(row)).sort(), window },
            ),
          )
          .sort()
      expect(fast.report.scans).toBe(1)
      expect(slow.report.scans).toBeGreaterThan(4)
      expect(shown(fast)).toEqual(shown(slow))
      const total = fast.findings.reduce((sum, finding) => sum + (finding.rows ?? 1), 0)
      expect(total).toBeGreaterThan(15)
    }
  })

  it('tells alike rows of several events apart, and a row that overlapping runs see once', async () => {
    const query = 'DeviceProcessEvents\n| where FileName == "app1.exe"\n| project FileName'
    const wanted = MINUTES.filter((_, index) => index % 4 === 1).length
    const rules = await rulesOf(
      text('once', query, { perResult: true }),
      text('each', slowly(query), { perResult: true }),
    )
    for (const rule of rules) expect((await run([rule])).findings).toHaveLength(wanted)
  })

  it('gives each finding a fixed id', async () => {
    const query = 'DeviceProcessEvents\n| summarize count() by DeviceName'
    const rules = await rulesOf(text('a', query), text('b', query, { perResult: true }))
    const ids = async () => (await run(rules)).findings.map(({ id }) => id).toSorted()
    const first = await ids()
    expect(new Set(first).size).toBe(first.length)
    expect(await ids()).toEqual(first)
  })

  /** The rule as its schedule runs it, window after window, knowing only what the window before has shown. */
  async function byItself(rule: Rule, times: (all: readonly number[]) => readonly number[]) {
    const schedule = scheduleOf(rule, plainSettings().schedule)
    if (!isScheduled(schedule)) throw new Error(schedule.off)
    const all = schedule.between(Date.parse(at(-1)), Date.parse(at(60 * 30)), 10_000)
    const shown = new Map<number, ShownRows>()
    const ids = new Set<string>()
    for (const time of times(all)) {
      const before = schedule.previous(time) ?? 0
      const last = schedule.windowAt(before).time.to ?? ''
      const window = schedule.windowAt(time)
      const isApart = last <= (window.time.from ?? '')
      const since = new Date(before).toISOString()
      const known = shown.get(before)
      const { report, findings } = await run([rule], {
        scheduled: { window, since, isApart },
        ...(known === undefined ? {} : { shown: new Map([[rule, known]]) }),
      })
      shown.set(time, report.outcomes[0]?.shown ?? new Map())
      for (const { id } of findings) ids.add(id)
    }
    return [...ids].sort()
  }

  it.each([
    ['each event', 'DeviceProcessEvents', { perResult: true }],
    ['each event of a long period', 'DeviceProcessEvents', { period: '3h', perResult: true }],
    ['all events', 'DeviceProcessEvents', { period: '3h' }],
    ['counts', 'DeviceProcessEvents\n| summarize count() by DeviceName', { perResult: true }],
    [
      'running counts',
      'DeviceProcessEvents\n| summarize count() by DeviceName',
      { period: '3h', perResult: true },
    ],
    [
      'all running counts',
      'DeviceProcessEvents\n| summarize count() by AccountName',
      { period: '2h' },
    ],
    ['few events', 'DeviceProcessEvents', { trigger: 'lt', threshold: 20 }],
  ] as const)('finds by itself what it finds over the past: %s', async (_, query, kind) => {
    const [rule] = await rulesOf(text('live', query, kind))
    if (rule === undefined) return expect.fail('no rule')
    const wanted = (await run([rule])).findings.map(({ id }) => id).toSorted()
    expect(wanted.length).toBeGreaterThan(2)
    const held = (all: readonly number[]) => all.filter((time) => time <= Date.parse(at(360 + 180)))
    const live = await byItself(rule, held)
    if ('trigger' in kind) expect(live).toEqual(expect.arrayContaining(wanted))
    else expect(live).toEqual(wanted)
    // The same windows run again change nothing.
    expect(await byItself(rule, (all) => held(all).flatMap((time) => [time, time]))).toEqual(live)
  })

  it('tells the queries that ran', async () => {
    const [rule] = await rulesOf(text('q', 'DeviceProcessEvents', { perResult: true }))
    if (rule === undefined) return expect.fail('no rule')
    const { report } = await run([rule], { keepsQueries: true })
    expect(report.outcomes[0]?.queries?.[0]?.sql).toMatch(/^SELECT|^WITH/)
    expect(report.outcomes[0]?.queries?.[0]?.plan).toContain('scan')
    expect((await run([rule])).report.outcomes[0]?.queries).toBeUndefined()
  })

  it('counts rows run by run for the trigger', async () => {
    const query = 'DeviceProcessEvents'
    const perHour = new Map<number, number>()
    for (const minute of MINUTES) {
      perHour.set(Math.floor(minute / 60), (perHour.get(Math.floor(minute / 60)) ?? 0) + 1)
    }
    const counts = [...perHour.values()]
    const rules = await rulesOf(
      text('gt', query, { threshold: 4 }),
      text('lt', query, { trigger: 'lt', threshold: 4 }),
      text('eq', query, { trigger: 'eq', threshold: 4 }),
      text('ne', query, { trigger: 'ne', threshold: 4 }),
    )
    const { report } = await run(rules)
    const wanted = [
      counts.filter((each) => each > 4).length,
      counts.filter((each) => each < 4).length,
      counts.filter((each) => each === 4).length,
      counts.filter((each) => each !== 4).length,
    ]
    // Hours without any event count for rules that wait for nothing to come.
    const silent = 6 - counts.length
    const [gt, lt, eq, ne] = report.outcomes.map(({ findings }) => findings)
    expect([gt, (lt ?? 0) - silent, eq, (ne ?? 0) - silent]).toEqual(wanted)
  })

  it('fires on silence between events', async () => {
    const query = 'DeviceProcessEvents\n| where Timestamp > ago(1h) and ReportId in (0, 11)'
    const [rule] = await rulesOf(text('silent', query, { trigger: 'eq', threshold: 0 }))
    if (rule === undefined) return expect.fail('no rule')
    const { findings } = await run([rule])
    expect(findings).toHaveLength(4)
    expect(findings[0]).toMatchObject({ rows: 0, event: {} })
  })

  it('runs a rule that looks at what has just come in minute by minute', async () => {
    const query = 'DeviceProcessEvents\n| where AccountName == "clerk"'
    const [rule] = await rulesOf(text('nrt', query, { kind: 'NRT' }))
    if (rule === undefined) return expect.fail('no rule')
    const minutes = new Set(MINUTES.filter((_, index) => index % 2 === 0))
    expect((await run([rule])).findings).toHaveLength(minutes.size)
  })

  it('tells rows of a sliding window once, as long as they stay the same', async () => {
    const query = 'DeviceProcessEvents\n| where ReportId == 5\n| summarize count() by FileName'
    const [rule] = await rulesOf(text('slides', query, { period: '5h' }))
    if (rule === undefined) return expect.fail('no rule')
    expect((await run([rule])).findings).toHaveLength(1)
  })

  it('runs once at a named time, and sees nothing after it', async () => {
    const query = 'DeviceProcessEvents\n| project Timestamp, ReportId'
    const rules = await rulesOf(text('at', query, { period: '2h', perResult: true }))
    const { findings, report } = await run(rules, { at: at(240) })
    const seen = MINUTES.filter((minute) => minute >= 120 && minute < 240)
    expect(report.scans).toBe(1)
    expect(findings).toHaveLength(seen.length)
    const hunt = join(work, 'hunt.kql')
    writeFileSync(hunt, query)
    const { rules: loaded } = await loadRules([hunt], { placeholders: new Map(), kusto })
    const past = await run(
      loaded.flatMap((each) => each.rule ?? []),
      { at: at(240) },
    )
    expect(past.findings).toHaveLength(MINUTES.filter((minute) => minute < 240).length)
  })

  it('runs a hunt as of the end of the logs and says so', async () => {
    const hunt = join(work, 'ago.kql')
    writeFileSync(hunt, 'DeviceProcessEvents\n| where Timestamp > ago(1h)\n| project ReportId')
    const { rules } = await loadRules([hunt], { placeholders: new Map(), kusto })
    const { findings, codes } = await run(rules.flatMap((each) => each.rule ?? []))
    expect(findings).toHaveLength(MINUTES.filter((minute) => minute > 240).length)
    expect(codes).toEqual([['HR491']])
    const bounded = await run(
      rules.flatMap((each) => each.rule ?? []),
      { time: { to: at(120) } },
    )
    const last = Math.max(...MINUTES.filter((minute) => minute < 120))
    const seen = MINUTES.filter((minute) => minute > last - 60 && minute <= last)
    expect(bounded.findings).toHaveLength(seen.length)
  })

  it('says which tables have no data, and what cannot fire without them', async () => {
    const rules = await rulesOf(
      text('none', 'SigninLogs\n| where ResultType != 0'),
      text(
        'joined',
        'DeviceProcessEvents\n| join kind=inner (EmailEvents) on $left.DeviceName == $right.Subject',
      ),
      text(
        'left',
        'DeviceProcessEvents\n| join kind=leftouter (EmailEvents | project Subject) on $left.DeviceName == $right.Subject',
      ),
      text('quiet', 'DeviceProcessEvents\n| where FileName == "none.exe"'),
    )
    const { states, report, codes } = await run(rules)
    expect(states).toEqual(['no_data', 'cannot_fire', 'fired', 'quiet'])
    expect(codes.map((each) => each.includes('HR262'))).toEqual([true, true, true, false])
    expect(report.outcomes[1]?.diagnostics.map(({ message }) => message).join()).toMatch(
      /EmailEvents/,
    )
  })

  it('goes on beside a rule that the engine stops', async () => {
    const rules = await rulesOf(
      text('bad', 'DeviceProcessEvents\n| where FileName == "stop"'),
      text('good', 'DeviceProcessEvents\n| where FileName == "app1.exe"'),
    )
    const failing: RunStore = {
      catalogue: () => store.catalogue(),
      rows(sql, options) {
        if (sql.includes("'stop'")) throw new EngineError('memory', 'too much')
        return store.rows(sql, options)
      },
    }
    const { states, codes } = await run(rules, { store: failing })
    expect(states).toEqual(['failed', 'fired'])
    expect(codes[0]).toEqual(['HR700'])
  })

  it('ends cleanly when it is interrupted between runs', async () => {
    const control = new AbortController()
    const rules = await rulesOf(
      text('slow', slowly('DeviceProcessEvents')),
      text('never', 'DeviceProcessEvents'),
    )
    const { report } = await run(rules, {
      query: { signal: control.signal },
      onFinding: () => control.abort(),
    })
    expect(report.interrupted).toBe(true)
    expect(report.findings).toBe(1)
  })

  it('refuses more runs than it may make', async () => {
    const query = 'DeviceProcessEvents\n| where Timestamp > ago(7d)\n| summarize count()'
    const [rule] = await rulesOf(text('many', query, { frequency: '5m', period: '14d' }))
    if (rule?.kusto === undefined) return expect.fail('no rule')
    const often: Rule = {
      ...rule,
      kusto: { ...rule.kusto, queryFrequency: 60_000, queryPeriod: 30 * 86_400_000 },
    }
    const { states, codes } = await run([often])
    expect(states).toEqual(['failed'])
    expect(codes[0]).toContain('HR490')
  })
})
