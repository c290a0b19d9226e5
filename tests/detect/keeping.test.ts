/** Findings kept as events: once each, with their risk, seen by those that ask for them and by nobody else. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { listenToSteps } from '../../src/core/steps.ts'
import type { Finding } from '../../src/detect/finding.ts'
import { writeEvents } from '../../src/detect/keeping/events.ts'
import { EvidenceStore } from '../../src/detect/keeping/evidence.ts'
import { changeEvent, type OwnEvent } from '../../src/detect/keeping/fields.ts'
import { type KeptFinding, keptFindingOf } from '../../src/detect/keeping/kept.ts'
import { riskEntries, riskTotals } from '../../src/detect/keeping/risklist.ts'
import { openStore } from '../../src/engine/store.ts'
import { loadRules } from '../../src/rules/load.ts'
import type { Rule } from '../../src/rules/rule.ts'
import { FINDINGS, INCIDENTS, RISKS } from '../../src/schema/own.ts'
import { batchOf, blockOf } from '../support/batches.ts'
import { sampleFinding } from '../support/findings.ts'
import { ATTACK, keepingDesk, keptRule, riskSettings, windowRun } from '../support/keeping.ts'

const desk = keepingDesk()
const work = mkdtempSync(join(tmpdir(), 'harrier-keeping-'))
afterAll(() => rmSync(work, { recursive: true, force: true }))

/** What would be filled in, were it read as a template. */
const INERT = ['$user$', '{{rule_title}}', '$', '{jndi:ldap://x}'].join('')
const NOW = { ms: Date.UTC(2026, 0, 2, 4, 1), sub: 0 }
let number = 0
/** A finding of its own; the names of its objects are too, unless they are given. */
function finding(change: Partial<Finding> = {}): Finding {
  const id = (++number).toString(16).padStart(32, '0')
  return sampleFinding({
    id,
    time: '2026-01-02T03:10:00.5000000Z',
    entities: [
      { type: 'Host', HostName: `WS${number}` },
      { type: 'Account', Name: `user${number}` },
    ],
    ...change,
  })
}

const hostOf = (given: Finding): string => given.entities?.[0]?.HostName ?? ''

async function ruleOf(search: string): Promise<Rule> {
  const path = join(work, `rule${++number}.yml`)
  const text = `name: Rule ${number}\nid: rule-${number}\ntype: Correlation\ndescription: d\nsearch: ${JSON.stringify(search)}\n`
  writeFileSync(path, text)
  const loaded = await loadRules([path], { placeholders: new Map(), schema: () => desk.schema })
  const [rule] = loaded.rules
  if (rule?.rule === undefined) throw new Error(JSON.stringify(rule?.diagnostics))
  return rule.rule
}

async function kept(id: string): Promise<KeptFinding> {
  const [row] = await desk.spl(`index=notable id="${id}" | table _raw`)
  const found = keptFindingOf(String(row?._raw))
  if (found === undefined) throw new Error(`there is no finding ${id}`)
  return found
}

describe('keeping', () => {
  it('stores each finding and its risk once', async () => {
    const [one, two, three] = [finding(), finding(), finding()]
    const keep = (list: readonly Finding[]) => desk.keeper().keep([windowRun(keptRule(), list)])
    expect(await keep([one, two])).toEqual([{ kept: 2, known: 0, suppressed: 0 }])
    expect(await keep([one, two])).toEqual([{ kept: 0, known: 2, suppressed: 0 }])
    expect(await keep([two, three])).toEqual([{ kept: 1, known: 1, suppressed: 0 }])
    const ids = [one, two, three].map(({ id }) => `"${id}"`).join(', ')
    expect(
      await desk.spl(`index=notable id IN (${ids}) | stats count dc(event_id) as ids`),
    ).toEqual([{ count: 3, ids: 3 }])
    const risk = await desk.spl(
      `index=risk finding_id IN (${ids}) | stats count sum(calculated_risk_score) as score by risk_object_type`,
    )
    expect(risk).toEqual([
      { risk_object_type: 'system', count: 3, score: 210 },
      { risk_object_type: 'user', count: 3, score: 210 },
    ])
  })

  it('keeps runs of many rules together and counts each', async () => {
    const both = finding()
    const runs = [
      windowRun(keptRule({ id: 'a' }), [both, finding()]),
      windowRun(keptRule({ id: 'b' }), []),
      windowRun(keptRule({ id: 'c' }), [finding()], { isBackfill: true }),
    ]
    const reports = await desk.keeper().keep(runs)
    expect(reports.map((each) => each.kept)).toEqual([2, 0, 1])
    expect(await kept(runs[2]?.findings[0]?.id ?? '')).toMatchObject({ is_backfill: true })
    expect((await kept(both.id)).is_backfill).toBeUndefined()
  })

  it('finishes what was cut short after the risk, or after the findings', async () => {
    const cut = finding()
    const run = [windowRun(keptRule(), [cut])]
    const written: OwnEvent[] = []
    const store = desk.store()
    const stopping = {
      ...storeParts(),
      write: async (batch: Parameters<typeof store.write>[0]) => {
        const [risk] = batch.blocks.filter(({ source }) => source === RISKS)
        if (risk !== undefined) await store.write({ ...batch, id: `${batch.id}x`, blocks: [risk] })
        throw new Error('stopped')
      },
    }
    await expect(desk.keeper({ store: stopping }).keep(run)).rejects.toThrow('stopped')
    expect(written).toEqual([])
    const count = async (): Promise<unknown[]> => [
      (await desk.spl(`index=notable id="${cut.id}" | stats count`))[0]?.count,
      (await desk.spl(`index=risk finding_id="${cut.id}" | stats count`))[0]?.count,
    ]
    expect(await count()).toEqual([0, 2])
    listenToSteps((step) => {
      if (step === 'findings.kept') throw new Error('killed')
    })
    const filled: string[] = []
    const outbox = {
      fill: async (list: readonly KeptFinding[]) => {
        filled.push(...list.map(({ id }) => id))
        return list.length
      },
    }
    await expect(desk.keeper({ outbox }).keep(run)).rejects.toThrow('killed')
    listenToSteps(undefined)
    expect(filled).toEqual([])
    expect(await count()).toEqual([1, 2])
    expect(await desk.keeper({ outbox }).keep(run)).toEqual([{ kept: 0, known: 1, suppressed: 0 }])
    expect(await count()).toEqual([1, 2])
    expect(filled).toEqual([cut.id])
  })

  it.each([false, true])(
    'notes what was stored and not noted, so that nobody removes it and all are told (owner: %s)',
    async (isOwned) => {
      const [cut, more] = [finding(), finding()]
      const before = Math.max(0, ...(await desk.store().touched(0)).map(({ seq }) => seq))
      await desk.keeper().keep([windowRun(keptRule(), [cut])])
      const told = (await desk.store().touched(before)).flatMap(({ runs }) => runs)
      expect(told.map(({ source }) => source)).toEqual([RISKS, FINDINGS])
      await desk.engine().command(`DELETE FROM batches WHERE seq > ${before}`)
      // Another process goes on, and the same window has one more finding there.
      const store = await openStore({ engine: desk.engine(), isOwned })
      expect((await store.unnoted()).size).toBe(1)
      const run = [windowRun(keptRule(), [more, cut])]
      expect(await desk.keeper({ store }).keep(run)).toEqual([{ kept: 2, known: 0, suppressed: 0 }])
      expect(await desk.keeper({ store }).keep(run)).toEqual([{ kept: 0, known: 2, suppressed: 0 }])
      expect((await store.unnoted()).size).toBe(0)
      const again = (await store.touched(before)).flatMap(({ runs }) => runs)
      expect(again.map(({ source }) => source).sort()).toEqual([FINDINGS, FINDINGS, RISKS, RISKS])
      await store.write(
        batchOf([blockOf('any.other', [{ fields: [['n', '1']] }])], { id: `${isOwned}` }),
      )
      for (const { id } of [cut, more]) {
        const [found] = await desk.spl(`index=notable id="${id}" | stats count`)
        const [risk] = await desk.spl(`index=risk finding_id="${id}" | stats count`)
        expect([found?.count, risk?.count]).toEqual([1, 2])
      }
    },
  )

  it('keeps what was run once for runs that differ in their times', async () => {
    const rule = keptRule({ id: 'evidence' })
    const query = (hour: number) => ({
      plan: `scan from 2026-01-02T0${hour}:00:00Z`,
      sql: `SELECT * WHERE time >= '2026-01-02 0${hour}:00:00.0000000'`,
    })
    const [one, two] = [finding(), finding()]
    await desk.keeper().keep([windowRun(rule, [one], { queries: [query(3)] })])
    await desk.keeper().keep([windowRun(rule, [two], { queries: [query(4)] })])
    const [first, second] = [await kept(one.id), await kept(two.id)]
    expect(first.plans).toHaveLength(1)
    expect(second.plans).toEqual(first.plans)
    const [text] = await new EvidenceStore(desk.store().records).read(first.plans)
    expect(text).toMatchObject({ ...query(3), rule: 'evidence', version: first.rule_version })
  })
})

function storeParts() {
  const store = desk.store()
  return {
    records: store.records,
    write: (batch: Parameters<typeof store.write>[0]) => store.write(batch),
    rows: (sql: string) => store.rows(sql),
    catalogue: () => store.catalogue(),
    columnNames: () => store.columnNames(),
    unnoted: () => store.unnoted(),
  }
}

describe('views of what is kept', () => {
  it('show notables and risk to searches under the names of Enterprise Security', async () => {
    const one = finding({
      threat_objects: [{ field: 'src', value: '192.0.2.9', type: 'ip_address' }],
    })
    await desk.keeper().keep([windowRun(keptRule(), [one])])
    const [notable] = await desk.spl(`\`notable\` | search id="${one.id}" | table *`)
    expect(notable).toMatchObject({
      index: 'notable',
      sourcetype: 'stash',
      source: 'Threat - Suspicious Thing - Rule',
      search_name: 'Threat - Suspicious Thing - Rule',
      event_id: `harrier@@notable@@${one.id}`,
      rule_name: 'Suspicious Thing',
      security_domain: 'threat',
      severity: 'high',
      urgency: 'high',
      owner: 'unassigned',
      status: '1',
      status_label: 'New',
      orig_time: '1767323400.5',
      info_min_time: '1767322800',
      info_max_time: '1767326400',
      CommandLine: 'cmd /c whoami',
      risk_score: '140',
    })
    const [risk] = await desk.spl(
      `| from datamodel:"Risk.All_Risk" | search risk_object=${hostOf(one)} | table *`,
    )
    expect(risk).toMatchObject({
      index: 'risk',
      source: 'Threat - Suspicious Thing - Rule',
      risk_object_type: 'system',
      normalized_risk_object: hostOf(one).toLowerCase(),
      calculated_risk_score: '70',
      threat_object: '["192.0.2.9"]',
      threat_object_type: '["ip_address"]',
      'annotations.mitre_attack.mitre_tactic_id': '["TA0002"]',
      'annotations.mitre_attack.mitre_technique_id': '["T1059.001"]',
    })
    const [sum] = await desk.spl(
      `| tstats sum(All_Risk.calculated_risk_score) as score dc(source) as sources from datamodel=Risk.All_Risk where All_Risk.risk_object=${hostOf(one)} by All_Risk.risk_object All_Risk.annotations.mitre_attack.mitre_tactic`,
    )
    expect(sum).toMatchObject({
      'All_Risk.annotations.mitre_attack.mitre_tactic': 'execution',
      score: 70,
      sources: 1,
    })
    const [meta] = await desk.spl(
      `| from datamodel:"Incident_Management.Notable_Events" | search event_id="*${one.id}" | table rule_title`,
    )
    expect(meta).toEqual({ rule_title: 'Suspicious Thing' })
  })

  it('show alerts and incidents to Kusto', async () => {
    const one = finding({ title: 'Thing on a host', level: 'critical', details: { Who: ['kim'] } })
    await desk.keeper().keep([windowRun(keptRule(), [one])])
    const stored = await kept(one.id)
    const change = {
      id: 'change-1',
      time: '2026-01-02T05:00:00.0000000Z',
      author: 'ana',
      status: 'Closed',
      owner: 'ana',
      disposition: 'False Positive',
      urgency: 'low',
      note: 'a test',
    }
    await writeEvents(desk.store(), [[INCIDENTS, [changeEvent(stored, change)]]], NOW)
    await writeEvents(desk.store(), [[INCIDENTS, [changeEvent(stored, change)]]], NOW)
    const [alert] = await desk.kusto(
      `SecurityAlert | where SystemAlertId == "${one.id}" | extend Host = tostring(parse_json(Entities)[0].HostName), Who = tostring(parse_json(tostring(parse_json(ExtendedProperties)["Custom Details"])).Who[0])`,
    )
    expect(alert).toMatchObject({
      TimeGenerated: '2026-01-02T03:10:00.5000000Z',
      AlertName: 'Thing on a host',
      AlertSeverity: 'High',
      ProviderName: 'ASI Scheduled Alerts',
      Tactics: 'Execution',
      Techniques: '["T1059.001"]',
      Host: hostOf(one),
      Who: 'kim',
    })
    const incidents = await desk.kusto(
      `SecurityIncident | where IncidentName == "${one.id}" | order by LastModifiedTime asc | project Status, Classification, Severity, Owner = tostring(Owner.assignedTo), AlertId = tostring(AlertIds[0]), IncidentNumber`,
    )
    const { IncidentNumber: same } = incidents[0] ?? {}
    expect(incidents).toEqual([
      {
        Status: 'New',
        Classification: 'Undetermined',
        Severity: 'High',
        Owner: 'unassigned',
        AlertId: one.id,
        IncidentNumber: same,
      },
      {
        Status: 'Closed',
        Classification: 'FalsePositive',
        Severity: 'Low',
        Owner: 'ana',
        AlertId: one.id,
        IncidentNumber: same,
      },
    ])
    const evidence = await desk.kusto(
      `AlertInfo | where AlertId == "${one.id}" | join kind=inner AlertEvidence on AlertId | project Category, EntityType, DeviceName, AccountName | order by EntityType asc`,
    )
    expect(evidence).toEqual([
      { Category: 'Execution', EntityType: 'Machine', DeviceName: hostOf(one), AccountName: '' },
      { Category: 'Execution', EntityType: 'User', DeviceName: '', AccountName: `user${number}` },
    ])
  })

  it.each([
    'index=*',
    'suspicious',
    '*',
    'sourcetype=stash',
    'source="Threat*"',
    'NOT index=main',
    'NOT index=risk',
    'index=not* OR index=ri*',
    'index!=main',
    '| tstats count where index=*',
  ])('are not seen by the search %s', async (search) => {
    await desk.keeper().keep([windowRun(keptRule(), [finding()])])
    const [row] = await desk.spl(search.startsWith('|') ? search : `${search} | stats count`)
    expect(row?.count).toBe(0)
  })

  it.each([
    'search "WS" | count',
    'union * | count',
    'union withsource=T Security*, Alert* | count',
    'find where * has "WS" | count',
    'search in (Security*) "Suspicious" | count',
  ])('are not seen by the query %s', async (query) => {
    await desk.keeper().keep([windowRun(keptRule(), [finding()])])
    const [row] = await desk.kusto(query)
    expect(row?.Count).toBe(0)
  })

  it('are seen by what names them among others', async () => {
    const one = finding()
    await desk.keeper().keep([windowRun(keptRule(), [one])])
    const seen = await desk.spl(
      `(index=notable OR index=main) id="${one.id}" | stats count by index`,
    )
    expect(seen).toEqual([{ index: 'notable', count: 1 }])
    const [alert] = await desk.kusto(
      `union SecurityAlert, SecurityEvent | where SystemAlertId == "${one.id}" | count`,
    )
    expect(alert?.Count).toBe(1)
  })
})

describe('rules that read what is kept', () => {
  it('add no risk, and rules of findings are not seen by rules', async () => {
    const risk = { field: 'dest', value: 'LOOP', type: 'system', score: 50, message: 'm' }
    const overFindings = await ruleOf('index=notable | stats count by rule_name')
    const overRisk = await ruleOf('| from datamodel:"Risk.All_Risk" | stats count by risk_object')
    const overEvents = await ruleOf('index=* user=notable | stats count by user')
    const [one, two, three] = [finding({ risk: [risk] }), finding({ risk: [risk] }), finding()]
    await desk
      .keeper()
      .keep([
        windowRun(overFindings, [one]),
        windowRun(overRisk, [two]),
        windowRun(overEvents, [{ ...three, risk: [risk] }]),
      ])
    const seen = await desk.spl(
      `index=notable id IN ("${one.id}", "${two.id}", "${three.id}") | table id`,
    )
    expect(seen.map(({ id }) => id).toSorted()).toEqual([two.id, three.id])
    const risky = await desk.spl('index=risk risk_object=LOOP | table finding_id')
    expect(risky).toEqual([{ finding_id: three.id }])
    expect(await desk.kusto(`SecurityAlert | where SystemAlertId == "${one.id}" | count`)).toEqual([
      { Count: 0 },
    ])
  })

  it('say themselves how severe what they found is', async () => {
    const over = await ruleOf('| from datamodel:"Risk.All_Risk" | stats count by risk_object')
    const event = { severity: 'critical', risk_object: 'WS1', risk_score: '120' }
    const [one, two] = [finding({ event }), finding({ event })]
    await desk.keeper().keep([windowRun(over, [one]), windowRun(keptRule(), [two])])
    expect(await kept(one.id)).toMatchObject({ severity: 'critical' })
    expect(await kept(two.id)).toMatchObject({ severity: 'high' })
    const [row] = await desk.spl(`index=notable id="${one.id}" | table risk_object risk_score`)
    expect(row).toEqual({ risk_object: '["WS1"]', risk_score: '120' })
  })
})

describe('values of logs', () => {
  it('take the place of nothing that the finding says itself', async () => {
    const event = Object.fromEntries([
      ['owner', 'attacker'],
      ['status_label', 'Closed'],
      ['severity', 'informational'],
      ['id', 'x'],
      ['event_id', 'y'],
      ['is_derived', 'true'],
      ['risk_score', '0'],
      ['source', 'elsewhere'],
      ['index', 'main'],
      ['_time', '1'],
      ['_raw', 'z'],
      ['@time', 'w'],
      ['__proto__', 'p'],
      ['constructor', 'c'],
      ['process', INERT],
    ])
    const one = finding({ event })
    await desk.keeper().keep([windowRun(keptRule(), [one])])
    const [row] = await desk.spl(`index=notable id="${one.id}" | table *`)
    expect(row).toMatchObject({
      owner: 'unassigned',
      status_label: 'New',
      severity: 'high',
      risk_score: '140',
      index: 'notable',
      orig_owner: 'attacker',
      orig_severity: 'informational',
      orig_source: 'windows.sysmon',
      process: INERT,
    })
    expect(({} as Record<string, unknown>).p).toBeUndefined()
    expect((await kept(one.id)).event).toMatchObject({ owner: 'attacker' })
  })

  it('of any name and size can be kept', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.string({ maxLength: 30 }), fc.string(), { maxKeys: 8 }),
        async (event) => {
          const one = finding({ event })
          const [report] = await desk.keeper().keep([windowRun(keptRule(), [one])])
          expect(report?.kept).toBe(1)
          expect((await kept(one.id)).event).toEqual({ ...event })
        },
      ),
      { numRuns: 20 },
    )
  })
})

describe('the risk of one rule and object in a day', () => {
  const risk = (score: number, value: string) => [
    { field: 'dest', value, type: 'system', score, message: 'm' },
  ]

  it('comes to the same whatever the order and the grouping of runs', async () => {
    const all = [80, 70, 60, 50].map((score, at) => ({ score, at }))
    const orders = [
      all,
      [...all].reverse(),
      [all[2], all[0], all[3], all[1]].flatMap((x) => x ?? []),
    ]
    for (const [place, order] of orders.entries()) {
      const value = `DAY${place}`
      const rule = keptRule({ id: `day-${place}` })
      const groups = place === 0 ? [order] : [order.slice(0, 1), order.slice(1)]
      for (const group of groups) {
        const list = group.map(({ score }) => finding({ risk: risk(score, value) }))
        await desk.keeper().keep([windowRun(rule, list)])
      }
      const next = finding({ time: '2026-01-03T00:00:00.0000000Z', risk: risk(80, value) })
      await desk.keeper().keep([windowRun(rule, [next])])
      const { totals } = await riskTotals(desk.store(), { time: {}, object: value })
      expect(totals).toMatchObject([{ risk: 280, events: 5 }])
    }
    const entries: (readonly [number, number])[] = []
    for await (const each of riskEntries(desk.store(), { time: {}, object: 'day0' })) {
      entries.push([each.score, each.calculated])
    }
    expect(entries).toEqual([
      [80, 80],
      [70, 70],
      [60, 50],
      [50, 0],
      [80, 80],
    ])
  })

  it('is not bound where the settings say so, and other rules count on their own', async () => {
    const settings = riskSettings('most_per_day: 0')
    const of = (id: string) =>
      windowRun(
        keptRule({ id }),
        [1, 2, 3].map(() => finding({ risk: risk(100, 'FREE') })),
      )
    await desk.keeper({ risk: settings }).keep([of('free')])
    await desk.keeper().keep([of('bound')])
    const { totals } = await riskTotals(desk.store(), { time: {}, object: 'free' })
    expect(totals).toMatchObject([{ risk: 500, events: 6 }])
  })
})

describe('the table of ATT&CK', () => {
  it('names tactics and techniques', () => {
    expect(ATTACK.tactics.size).toBe(14)
    expect(ATTACK.techniques.get('T1059.001')).toMatchObject({ name: 'PowerShell' })
    expect(ATTACK.gone.get('T1086')).toBe('T1059.001')
    expect(ATTACK.gone.has('T1153')).toBe(true)
  })

  it('keeps to its source', async () => {
    expect([FINDINGS, RISKS, INCIDENTS].every((each) => desk.schema.sources.has(each))).toBe(true)
  })
})
