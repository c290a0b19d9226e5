/** Incidents of Sentinel rules: which alerts make one together, what becomes of it, and that a crash changes nothing. */
import { describe, expect, it } from 'vitest'
import { listenToSteps } from '../../src/core/steps.ts'
import type { Finding } from '../../src/detect/finding.ts'
import { groupQueue, readFindings, readQueue } from '../../src/detect/triage/queue.ts'
import { changeFindings } from '../../src/detect/triage/states.ts'
import { type IncidentGrouping, PLAIN_RULE } from '../../src/dialects/kusto/rule.ts'
import type { Rule } from '../../src/rules/rule.ts'
import { sampleFinding } from '../support/findings.ts'
import { keepingDesk, keptRule, windowRun } from '../support/keeping.ts'

const desk = keepingDesk()
const HOUR = 3_600_000
let number = 0

const isoAt = (hour: number): string =>
  new Date(Date.UTC(2026, 0, 2) + hour * HOUR).toISOString().replace('Z', '0000Z')

function ruleOf(
  grouping: Partial<IncidentGrouping> | undefined,
  createIncident = true,
): Rule & { readonly id: string } {
  const id = `incident-rule-${++number}`
  return keptRule({
    id,
    title: id,
    language: 'kusto',
    kusto: {
      ...PLAIN_RULE,
      columns: [],
      tables: [],
      order: [],
      incidentConfiguration: {
        createIncident,
        ...(grouping === undefined
          ? {}
          : {
              grouping: {
                enabled: true,
                reopenClosedIncident: false,
                lookback: 5 * HOUR,
                matchingMethod: 'AllEntities',
                groupByEntities: [],
                groupByAlertDetails: [],
                groupByCustomDetails: [],
                ...grouping,
              },
            }),
      },
    },
  })
}

const host = (name: string) => ({ type: 'Host', HostName: name })
const user = (name: string) => ({ type: 'Account', Name: name })

function alert(rule: Rule, change: Partial<Finding> = {}): Finding {
  return sampleFinding({
    id: (++number).toString(16).padStart(8, '0').padEnd(32, 'a'),
    time: isoAt(0),
    rule_id: rule.id,
    rule_title: rule.title,
    language: 'kusto',
    entities: [host('WS01'), user('kim')],
    ...change,
  })
}

const run = (rule: Rule, hour: number, findings: readonly Finding[]) =>
  windowRun(rule, findings, { window: { at: isoAt(hour), time: { to: isoAt(hour) } } })
const keep = (rule: Rule, hour: number, ...findings: readonly Finding[]) =>
  desk.keeper().keep([run(rule, hour, findings)])

/** The incident of each finding, by the place of the finding that opened it. */
async function incidentsOf(findings: readonly Finding[]): Promise<readonly (number | undefined)[]> {
  const ids = findings.map(({ id }) => id)
  const kept = await readFindings(desk.store(), ids)
  expect(kept.map(({ id }) => id)).toEqual(ids)
  return kept.map(({ incident }) => (incident === undefined ? undefined : ids.indexOf(incident)))
}

/** The last row of each incident of a rule. */
const incidents = (rule: Rule) =>
  desk.kusto(
    `SecurityIncident | where tostring(RelatedAnalyticRuleIds[0]) == "${rule.id}" | summarize arg_max(LastModifiedTime, *) by IncidentName | project IncidentName, IncidentNumber, Status, Classification, Severity, Title, Alerts = strcat_array(AlertIds, ","), FirstActivityTime, LastActivityTime | order by FirstActivityTime asc`,
  )

const set = async (findings: readonly Finding[], patch: Parameters<typeof changeFindings>[2]) => {
  const kept = await readFindings(
    desk.store(),
    findings.map(({ id }) => id),
  )
  await changeFindings(desk.store(), kept, patch, {
    author: 'ana',
    now: { ms: Date.UTC(2026, 0, 3) + ++number, sub: 0 },
  })
}

describe('alerts of one rule', () => {
  it('come together where all of their entities are the same, in any order', async () => {
    const rule = ruleOf({})
    const all = [
      alert(rule),
      alert(rule, { entities: [user('KIM'), host('ws01')], title: 'Again', time: isoAt(1) }),
      alert(rule, { entities: [host('WS01')] }),
      alert(rule, { entities: [host('WS01'), user('kim'), user('ana')] }),
    ]
    await keep(rule, 1, ...all.slice(0, 1))
    await keep(rule, 2, ...all.slice(1))
    expect(await incidentsOf(all)).toEqual([0, 0, 2, 3])
    const rows = await incidents(rule)
    expect(rows).toHaveLength(3)
    const [first] = rows.filter(({ IncidentName: name }) => name === all[0]?.id)
    expect(first).toMatchObject({
      Status: 'New',
      Severity: 'High',
      Title: rule.title,
      Alerts: `${all[0]?.id},${all[1]?.id}`,
      FirstActivityTime: isoAt(0),
      LastActivityTime: isoAt(1),
    })
  })

  it('stay alone without entities, and in other rules', async () => {
    const [rule, other] = [ruleOf({}), ruleOf({})]
    const nothing = { entities: [], host: '', event: { Count: '3' } }
    const all = [alert(rule, nothing), alert(rule, nothing), alert(rule)]
    await keep(rule, 1, ...all)
    const foreign = alert(other)
    await keep(other, 1, foreign)
    expect(await incidentsOf(all)).toEqual([undefined, undefined, 2])
    expect(await incidentsOf([foreign])).toEqual([0])
  })

  it.each([
    [{ matchingMethod: 'AnyAlert' } as const, [0, 0, 0, 0]],
    [{ matchingMethod: 'Selected', groupByEntities: ['Account'] } as const, [0, 1, 0, 0]],
    [{ matchingMethod: 'Selected', groupByAlertDetails: ['Severity'] } as const, [0, 0, 2, 0]],
    [{ matchingMethod: 'Selected', groupByAlertDetails: ['DisplayName'] } as const, [0, 0, 0, 3]],
    [{ matchingMethod: 'Selected', groupByCustomDetails: ['Why'] } as const, [0, 0, 2, undefined]],
    [
      {
        matchingMethod: 'Selected',
        groupByEntities: ['Account'],
        groupByAlertDetails: ['Severity'],
      } as const,
      [0, 1, 2, 0],
    ],
    [{ enabled: false }, [undefined, undefined, undefined, undefined]],
  ])('come together by %o', async (grouping, expected) => {
    const rule = ruleOf(grouping)
    const all = [
      alert(rule, { details: { Why: ['a', 'b'] } }),
      alert(rule, { entities: [host('WS01'), user('ana')], details: { Why: ['b', 'a'] } }),
      alert(rule, { entities: [host('WS02'), user('kim')], level: 'low', details: { Why: ['a'] } }),
      alert(rule, { entities: [host('WS03'), user('kim')], title: 'Other' }),
    ]
    await keep(rule, 1, ...all)
    expect(await incidentsOf(all)).toEqual(expected)
  })

  it('come together only within the time of the rule, by their runs', async () => {
    const rule = ruleOf({ lookback: 2 * HOUR })
    const all = [1, 2, 3, 4, 6.5].map(() => alert(rule))
    for (const [at, hour] of [1, 2, 3, 4, 6.5].entries()) {
      await keep(rule, hour, ...all.slice(at, at + 1))
    }
    expect(await incidentsOf(all)).toEqual([0, 0, 0, 3, 4])
  })

  it('that come up late join what is there, and the frame does not move', async () => {
    const rule = ruleOf({ lookback: 2 * HOUR })
    const [late, opener, more] = [alert(rule), alert(rule), alert(rule)]
    await keep(rule, 3, opener)
    await keep(rule, 4, more)
    await keep(rule, 2, late)
    const early = alert(rule)
    await keep(rule, 1, early)
    expect(await incidentsOf([opener, more, late, early])).toEqual([0, 0, 0, 3])
  })

  it('are at most 150 of one incident', async () => {
    const rule = ruleOf({ matchingMethod: 'AnyAlert' })
    const all = Array.from({ length: 151 }, () => alert(rule))
    await keep(rule, 1, ...all.slice(0, 100))
    await keep(rule, 2, ...all.slice(100))
    const found = await incidentsOf(all)
    expect(found.slice(0, 150).every((each) => each === 0)).toBe(true)
    expect(found[150]).toBe(150)
  })

  it('are the same after a crash before they are told, and when a window is run again', async () => {
    const rule = ruleOf({})
    const all = [alert(rule), alert(rule), alert(rule, { entities: [host('WS09')] })]
    listenToSteps((step) => {
      if (step === 'findings.kept') throw new Error('killed')
    })
    await expect(keep(rule, 1, ...all.slice(0, 2))).rejects.toThrow('killed')
    listenToSteps(undefined)
    await keep(rule, 1, ...all)
    await keep(rule, 1, ...all.toReversed())
    expect(await incidentsOf(all)).toEqual([0, 0, 2])
    expect(await incidents(rule)).toHaveLength(2)
    const outbox: unknown[] = []
    const fill = async (list: readonly { incident?: string }[]) => {
      outbox.push(...list.map(({ incident }) => incident))
      return 0
    }
    await desk.keeper({ outbox: { fill } }).keep([run(rule, 1, all.slice(1))])
    expect(outbox).toEqual([all[0]?.id, all[2]?.id])
  })

  it('are left as they are where the rule says nothing of incidents', async () => {
    const rule = keptRule({ id: `plain-${++number}` })
    const one = alert(rule)
    await keep(rule, 1, one)
    const [kept] = await readFindings(desk.store(), [one.id])
    expect(kept).not.toHaveProperty('incident')
    expect(kept).not.toHaveProperty('is_alert_only')
    expect(await incidents(rule)).toMatchObject([{ IncidentName: one.id, Alerts: one.id }])
  })

  it('cannot be put into an incident by what a log says', async () => {
    const [rule, plain] = [ruleOf({}), keptRule({ id: `plain-${++number}` })]
    const one = alert(rule)
    await keep(rule, 1, one)
    const event = { incident_id: one.id, no_incident: 'true', incident_title: 'x' }
    const forged = alert(plain, { event })
    await keep(plain, 1, forged)
    expect(await incidents(plain)).toMatchObject([
      { IncidentName: forged.id, Title: plain.title, Alerts: forged.id },
    ])
    expect(await incidents(rule)).toMatchObject([{ Alerts: one.id }])
  })
})

describe('an incident', () => {
  it('is not made of alerts of a rule that wants none', async () => {
    const rule = ruleOf({}, false)
    const one = alert(rule)
    await keep(rule, 1, one)
    await set([one], { status: 'closed' })
    expect(await incidents(rule)).toEqual([])
    const alerts = await desk.kusto(
      `SecurityAlert | where SystemAlertId == "${one.id}" | project AlertName`,
    )
    expect(alerts).toEqual([{ AlertName: rule.title }])
    const { entries } = await readQueue(desk.store(), {
      time: {},
      statuses: ['closed'],
      rule: rule.id,
    })
    expect(entries).toMatchObject([{ id: one.id, incident: '' }])
    expect(entries[0]).not.toHaveProperty('incident_number')
  })

  it('is closed when all of its findings are', async () => {
    const rule = ruleOf({})
    const all = [alert(rule), alert(rule, { level: 'critical' })]
    await keep(rule, 1, ...all)
    const closed = { status: 'closed', disposition: 'true positive' } as const
    await set(all.slice(0, 1), closed)
    expect(await incidents(rule)).toMatchObject([
      { Status: 'Active', Classification: 'Undetermined', Severity: 'High' },
    ])
    await set(all.slice(1), closed)
    expect(await incidents(rule)).toMatchObject([
      {
        IncidentName: all[0]?.id,
        Status: 'Closed',
        Classification: 'TruePositive',
        Alerts: all.map(({ id }) => id).join(','),
      },
    ])
  })

  it.each([
    [false, [0, 1]],
    [true, [0, 0]],
  ])(
    'that is closed is opened again only if the rule says so: %s',
    async (isReopened, expected) => {
      const rule = ruleOf({ reopenClosedIncident: isReopened })
      const [one, two] = [alert(rule), alert(rule)]
      await keep(rule, 1, one)
      await set([one], { status: 'closed', disposition: 'false positive' })
      await keep(rule, 2, two)
      expect(await incidentsOf([one, two])).toEqual(expected)
      const { entries } = await readQueue(desk.store(), { time: {}, rule: rule.id })
      expect(entries.map(({ id }) => id)).toEqual([two.id])
    },
  )

  it('is a group of the queue, named by its id or number', async () => {
    const rule = ruleOf({})
    const all = [alert(rule), alert(rule), alert(rule, { entities: [host('WS02')] })]
    await keep(rule, 1, ...all)
    const { entries } = await readQueue(desk.store(), { time: {}, rule: rule.id })
    const groups = groupQueue(entries, 'incident')
    expect(groups.map(({ of, findings }) => [of, findings])).toEqual([
      [all[0]?.id, 2],
      [all[2]?.id, 1],
    ])
    const [{ incident_number: of } = {}] = entries
    for (const incident of [String(of), String(all[0]?.id.slice(0, 8)).toUpperCase()]) {
      const found = await readQueue(desk.store(), { time: {}, rule: rule.id, incident })
      expect(found.entries.map(({ id }) => id)).toEqual(all.slice(0, 2).map(({ id }) => id))
    }
  })
})
