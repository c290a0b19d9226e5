/** Triage: the order of the queue, changes of findings with their history, and how both stand up to size. */
import { describe, expect, it } from 'vitest'
import type { Finding } from '../../src/detect/finding.ts'
import { writeEvents } from '../../src/detect/keeping/events.ts'
import { annotationsOf, findingEvent } from '../../src/detect/keeping/fields.ts'
import { eventIdOf, type KeptFinding } from '../../src/detect/keeping/kept.ts'
import { groupQueue, idsNamed, readFindings, readQueue } from '../../src/detect/triage/queue.ts'
import { changeFindings, readHistory, readStates } from '../../src/detect/triage/states.ts'
import { dispositionNamed, statusNamed } from '../../src/detect/triage/words.ts'
import { FINDINGS } from '../../src/schema/own.ts'
import { sampleFinding } from '../support/findings.ts'
import { ATTACK, keepingDesk, keptRule, windowRun } from '../support/keeping.ts'

const desk = keepingDesk()
const at = (minute: number) => ({ ms: Date.UTC(2026, 0, 3, 0, minute), sub: 0 })
const idOf = (name: string): string => Buffer.from(name).toString('hex').padEnd(32, '0')

const finding = (name: string, change: Partial<Finding> = {}): Finding =>
  sampleFinding({
    id: idOf(name),
    time: '2026-01-02T03:10:00.0000000Z',
    entities: [{ type: 'Host', HostName: 'WS01' }],
    ...change,
  })

describe('words', () => {
  it.each([
    ['In Progress', 'in progress'],
    ['in_progress', 'in progress'],
    ['Active', 'in progress'],
    ['Resolved', 'closed'],
    ['NEW', 'new'],
    ['later', undefined],
  ])('of a status are taken from all products: %s', (word, status) => {
    expect(statusNamed(word)).toBe(status)
  })

  it.each([
    ['TruePositive', 'true positive'],
    ['True Positive - Suspicious Activity', 'true positive'],
    ['BenignPositive (SuspiciousButExpected)', 'benign positive'],
    ['False Positive - Inaccurate Data', 'false positive'],
    ['FP', 'false positive'],
    ['Other', 'undetermined'],
    ['maybe', undefined],
  ])('of a disposition too: %s', (word, disposition) => {
    expect(dispositionNamed(word)).toBe(disposition)
  })
})

describe('the queue', () => {
  it('is ordered by urgency, risk and age, and asked by what findings are about', async () => {
    const rule = keptRule({ id: 'q', title: 'Queue' })
    const own = { rule_id: 'q', rule_title: 'Queue' }
    const findings = [
      finding('late', { ...own, time: '2026-01-02T03:20:00.0000000Z' }),
      finding('early', own),
      finding('top', {
        ...own,
        level: 'critical',
        entities: [{ type: 'IP', Address: '10.0.0.5' }],
      }),
      finding('risky', {
        ...own,
        entities: [
          { type: 'Host', HostName: 'a' },
          { type: 'Host', HostName: 'b' },
        ],
      }),
      finding('low', { ...own, level: 'low' }),
    ]
    await desk.keeper().keep([windowRun(rule, findings)])
    const ids = async (query = {}) =>
      (await readQueue(desk.store(), { time: {}, ...query })).entries.map(({ id }) => id)
    const order = ['top', 'risky', 'early', 'late', 'low'].map(idOf)
    expect(await ids()).toEqual(order)
    expect(await ids({ urgency: 'critical' })).toEqual([idOf('top')])
    expect(await ids({ entity: 'ws01.corp.example' })).toEqual(['early', 'late', 'low'].map(idOf))
    expect(await ids({ entity: 'ip:10.0.0.5' })).toEqual([idOf('top')])
    expect(await ids({ rule: 'queu' })).toEqual(order)
    expect(await ids({ rule: 'other' })).toEqual([])
    expect(await ids({ owner: 'kim' })).toEqual([])
    expect(await ids({ time: { from: '2026-01-02T03:15:00Z' } })).toEqual([idOf('late')])
    const { entries } = await readQueue(desk.store(), { time: {} })
    expect(groupQueue(entries, 'entity').map(({ of, findings: many }) => [of, many])).toEqual([
      ['ip:10.0.0.5', 1],
      ['host:ws01', 3],
      ['host:a', 1],
      ['host:b', 1],
    ])
    expect(groupQueue(entries, 'rule')).toMatchObject([
      { of: 'Queue', findings: 5, urgency: 'critical', first: '2026-01-02T03:10:00.0000000Z' },
    ])
  })

  it('finds a finding by the beginning of its id, and by its id in Enterprise Security', async () => {
    expect(await idsNamed(desk.store(), idOf('top').slice(0, 4))).toEqual([idOf('top')])
    expect(await idsNamed(desk.store(), eventIdOf(idOf('top')))).toEqual([idOf('top')])
    expect(await idsNamed(desk.store(), "x' OR 1=1")).toEqual([])
    expect(await idsNamed(desk.store(), 'ffffffff')).toEqual([])
  })
})

describe('changes', () => {
  it('are kept with their authors, are seen by rules, and survive a repeat', async () => {
    const [top] = await readFindings(desk.store(), [idOf('top')])
    if (top === undefined) throw new Error('it is not kept')
    const store = desk.store()
    const first = await changeFindings(
      store,
      [top],
      { status: 'in progress', owner: 'kim' },
      { author: 'kim', now: at(1) },
    )
    expect(first).toMatchObject([
      { outcome: 'changed', state: { status: 'in progress', owner: 'kim' } },
    ])
    const close = { status: 'closed', disposition: 'benign positive', note: 'a test' } as const
    await changeFindings(store, [top], close, { author: 'ann', now: at(2) })
    // The clock may step back; the order of changes does not.
    await changeFindings(store, [top], { status: 'in progress' }, { author: 'kim', now: at(0) })
    expect(
      await changeFindings(store, [top], { owner: 'kim' }, { author: 'kim', now: at(3) }),
    ).toMatchObject([{ outcome: 'unchanged' }])
    const history = await readHistory(store.records, top.id)
    expect(
      history.map(({ author, status, disposition, owner, note }) => [
        author,
        status,
        disposition,
        owner,
        note,
      ]),
    ).toEqual([
      ['kim', 'in progress', '', 'kim', ''],
      ['ann', 'closed', 'benign positive', '', 'a test'],
      ['kim', 'in progress', 'undetermined', '', ''],
    ])
    const rows = await desk.spl(
      'index=notable OR index=harrier_incident sourcetype=incident_review | stats count',
    )
    expect(rows).toHaveLength(1)
    const incidents = await desk.kusto(
      'SecurityIncident | where IncidentName startswith "746f70" | summarize arg_max(LastModifiedTime, *) by IncidentName | project Status, Owner',
    )
    expect(incidents).toMatchObject([{ Status: 'Active' }])
    expect(
      (await readQueue(store, { time: {}, owner: 'KIM' })).entries.map(({ id }) => id),
    ).toEqual([top.id])
  })

  it('that meet another one change nothing', async () => {
    const store = desk.store()
    const findings = await readFindings(store, [idOf('low')])
    const [seen] = await changeFindings(
      store,
      findings,
      { owner: 'ann' },
      { author: 'ann', now: at(1), expected: '' },
    )
    await changeFindings(store, findings, { owner: 'kim' }, { author: 'kim', now: at(2) })
    const late = await changeFindings(
      store,
      findings,
      { status: 'closed' },
      {
        author: 'ann',
        now: at(3),
        expected: seen?.state.change ?? '',
      },
    )
    expect(late).toMatchObject([{ outcome: 'conflict', state: { owner: 'kim', status: 'new' } }])
    expect((await readStates(store.records, [idOf('low')])).get(idOf('low'))).toMatchObject({
      owner: 'kim',
      status: 'new',
    })
  })
})

it('stays fast with a hundred thousand findings', async () => {
  const rule = keptRule({ id: 'many', title: 'Many' })
  const [base] = await readFindings(desk.store(), [idOf('early')])
  if (base === undefined) throw new Error('it is not kept')
  const annotations = annotationsOf(rule, [], ATTACK)
  const made = Array.from({ length: 100_000 }, (_, index): KeptFinding => {
    const id = `ab${index.toString(16).padStart(30, '0')}`
    const time = new Date(Date.UTC(2026, 1, 1) + index * 1_000).toISOString().replace('Z', '0000Z')
    return { ...base, id, event_id: eventIdOf(id), time, rule_id: 'many', rule_title: 'Many' }
  })
  const events = made.map((each) => findingEvent(each, annotations))
  await writeEvents(desk.store(), [[FINDINGS, events]], at(0))
  const before = performance.now()
  const { entries, isCut } = await readQueue(desk.store(), { time: {}, rule: 'many' })
  const took = performance.now() - before
  expect(entries).toHaveLength(100_000)
  expect(isCut).toBe(false)
  console.info(`a queue of 100,000 findings: ${Math.round(took)} ms`)
  expect(took).toBeLessThan(15_000)
}, 180_000)
