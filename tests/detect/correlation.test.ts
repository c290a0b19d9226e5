/** Sigma correlations and filters over a store: what is found, what is left out and told, chains, and runs of a schedule. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isoOfMs } from '../../src/core/time.ts'
import { measureOf, readBursts } from '../../src/detect/correlate/bursts.ts'
import { planMatches } from '../../src/detect/correlate/stream.ts'
import type { Finding } from '../../src/detect/finding.ts'
import { type RunOptions, runRules } from '../../src/detect/run.ts'
import type { RunStore } from '../../src/detect/store.ts'
import { loadRules } from '../../src/rules/load.ts'
import type { Rule } from '../../src/rules/rule.ts'
import { readInto, readyMadeSchema } from '../../tools/product.ts'
import { temporaryStore } from '../support/temporary.ts'

const work = mkdtempSync(join(tmpdir(), 'harrier-correlation-'))
const schema = readyMadeSchema()
const START = Date.UTC(2026, 0, 1, 10)
const MINUTE = 60_000

afterAll(() => rmSync(work, { recursive: true, force: true }))

const base = (name: string, id: number): string => `title: Logon ${name}
name: ${name}
logsource: {product: windows, service: security}
detection:
  s: {EventID: ${id}}
  condition: s
`
const FAILED = base('failed', 4625)
const SUCCESS = base('success', 4624)

const correlation = (id: string, lines: string): string => `title: ${id}
id: ${id}
name: ${id}
level: high
correlation:
${lines.replace(/^ */gm, '  ').trimEnd()}
`

const MANY = correlation(
  'many',
  `type: event_count
  rules: [failed]
  group-by: [TargetUserName]
  timespan: 5m
  condition: {gte: 3}`,
)

async function loaded(...texts: readonly string[]) {
  const path = join(work, 'rules.yml')
  writeFileSync(path, texts.join('---\n'))
  return loadRules([path], { placeholders: new Map() })
}

async function ruleOf(id: string, ...texts: readonly string[]): Promise<Rule> {
  const { rules } = await loaded(...texts)
  const found = rules.find((each) => each.id === id)
  if (found?.rule === undefined) throw new Error(JSON.stringify(found?.diagnostics))
  return found.rule
}

interface Event {
  readonly at: number
  readonly id: number
  readonly user?: string
  readonly ip?: string
  readonly size?: string
  readonly tags?: string | readonly string[]
}

const line = ({ at, id, user, ip, size, tags }: Event): string =>
  JSON.stringify({
    Channel: 'Security',
    EventID: id,
    Hostname: 'DC1',
    EventTime: new Date(START + at).toISOString(),
    TargetUserName: user,
    IpAddress: ip,
    Size: size,
    Tags: tags,
  })

const failed = (minutes: number, user?: string, ip = '10.0.0.1'): Event => ({
  at: minutes * MINUTE,
  id: 4625,
  ip,
  ...(user === undefined ? {} : { user }),
})

const EVENTS: readonly Event[] = [
  // Three within five minutes across every edge of a bucket, then a long burst with a success in it.
  failed(3, 'ann'),
  failed(6, 'ann'),
  failed(8, 'ann'),
  ...[20, 22, 24, 26, 28, 30].map((minutes) => failed(minutes, 'bob')),
  { at: 25 * MINUTE, id: 4624, user: 'bob', ip: '10.0.0.1' },
  // A second apart too far.
  failed(40, 'cat'),
  failed(42, 'cat'),
  { at: 45 * MINUTE + 1, id: 4625, user: 'cat', ip: '10.0.0.1' },
  failed(50),
  failed(50.5),
  // The same user again after a quiet time.
  failed(70, 'ann'),
  failed(71, 'ann'),
  failed(72, 'ann'),
  ...['u1', 'u2', 'u3', 'u4'].map((user, at) => failed(80 + at, user, '10.9.9.9')),
  { at: 90 * MINUTE, id: 4624, user: 'dan', size: '100', ip: '1.1.1.1' },
  { at: 91 * MINUTE, id: 4624, user: 'dan', size: '300', ip: '1.1.1.1' },
  { at: 92 * MINUTE, id: 4624, user: 'dan', size: 'much', ip: '1.1.1.1' },
  // Empty names, and names that are missing; several values in one field.
  { at: 100 * MINUTE, id: 4723, user: '', ip: '' },
  { at: 101 * MINUTE, id: 4723, user: '', ip: '2.2.2.2' },
  { at: 102 * MINUTE, id: 4723, ip: '2.2.2.2' },
  { at: 110 * MINUTE, id: 4724, tags: ['1', '2', '2'] },
  { at: 111 * MINUTE, id: 4724, tags: ['2', '3'] },
  { at: 112 * MINUTE, id: 4724, tags: '2' },
]

describe('correlations over a store', () => {
  let store: RunStore
  let close: () => Promise<void> = () => Promise.resolve()

  beforeAll(async () => {
    const opened = await temporaryStore()
    store = opened.store
    close = opened.close
    const path = join(work, 'events.jsonl')
    writeFileSync(path, `${EVENTS.map(line).join('\n')}\n`)
    expect((await readInto(opened.store, [path])).stored).toBe(EVENTS.length)
  })
  afterAll(() => close())

  async function run(rule: Rule, change: Partial<RunOptions> = {}) {
    const findings: Finding[] = []
    const { outcomes } = await runRules({
      rules: [rule],
      schema,
      store,
      time: {},
      onFinding: (finding) => {
        findings.push(finding)
      },
      ...change,
    })
    findings.sort((a, b) => (a.time < b.time ? -1 : 1))
    return { findings, outcome: outcomes[0] }
  }

  const minutesOf = ({ window }: Finding): readonly number[] =>
    [window?.from, window?.to].map((each) => (Date.parse(each ?? '') - START) / MINUTE)

  it('give one finding for each burst, with its group, its events and its counts', async () => {
    const { findings, outcome } = await run(await ruleOf('many', FAILED, MANY))
    expect(findings.map((each) => [each.event, ...minutesOf(each)])).toEqual([
      [{ TargetUserName: 'ann', event_count: '3' }, 3, 8],
      [{ TargetUserName: 'bob', event_count: '6' }, 20, 30],
      [{ TargetUserName: 'ann', event_count: '3' }, 70, 72],
    ])
    expect(findings[0]).toMatchObject({
      level: 'high',
      host: 'DC1',
      rows: 3,
      entities: [{ type: 'Account', Name: 'ann' }],
      details: { matches: ['failed: 3'] },
    })
    expect(findings[0]?.results?.map(({ EventID }) => EventID)).toEqual(['4625', '4625', '4625'])
    expect(outcome?.diagnostics.map(({ code, message }) => [code, message])).toEqual([
      ['HR372', '2 matches of "failed" have no "TargetUserName" and are in no group'],
    ])
  })

  it('count values, and leave out what is no number', async () => {
    const spray = correlation(
      'spray',
      `type: value_count
      rules: [failed]
      group-by: [IpAddress]
      timespan: 3m
      condition: {field: TargetUserName, gte: 4}`,
    )
    const counted = await run(await ruleOf('spray', FAILED, spray))
    expect(counted.findings.map((each) => [each.event, each.entities])).toEqual([
      [{ IpAddress: '10.9.9.9', value_count: '4' }, [{ type: 'IP', Address: '10.9.9.9' }]],
    ])
    expect(counted.findings[0]?.details?.['values of TargetUserName']).toEqual([
      'u1',
      'u2',
      'u3',
      'u4',
    ])
    const average = correlation(
      'average',
      `type: value_avg
      rules: [success]
      group-by: [TargetUserName]
      timespan: 10m
      condition: {field: Size, gte: 200}`,
    )
    const { findings, outcome } = await run(await ruleOf('average', SUCCESS, average))
    expect(findings.map((each) => each.event)).toEqual([
      { TargetUserName: 'dan', value_avg: '200' },
    ])
    expect(outcome?.diagnostics.map(({ code }) => code)).toEqual(['HR375'])
  })

  it('take an empty text for a value, and what is missing for none', async () => {
    const counts = async (lines: string) => {
      const rule = await ruleOf('c', base('empty', 4723), correlation('c', lines))
      const { findings, outcome } = await run(rule)
      return { findings, told: outcome?.diagnostics.map(({ message }) => message) ?? [] }
    }
    const grouped = await counts(
      'type: event_count\nrules: [empty]\ngroup-by: [TargetUserName]\ntimespan: 5m\ncondition: {gte: 1}',
    )
    expect(grouped.findings.map(({ event, rows, entities }) => [event, rows, entities])).toEqual([
      [{ TargetUserName: '', event_count: '2' }, 2, undefined],
    ])
    expect(grouped.told.join()).toContain('1 matches of "empty" have no "TargetUserName"')
    const values = await counts(
      'type: value_count\nrules: [empty]\ntimespan: 5m\ncondition: {gte: 2, field: IpAddress}',
    )
    expect(values.findings.map(({ event }) => event.value_count)).toEqual(['2'])
  })

  it('look at each value of a field that has several', async () => {
    const of = async (lines: string) => {
      const rule = await ruleOf('l', base('listed', 4724), correlation('l', lines))
      return (await run(rule)).findings.map(({ event, rows }) => [...Object.values(event), rows])
    }
    const head = (type: string) => `type: ${type}\nrules: [listed]\ntimespan: 5m\n`
    const counted = await of(`${head('event_count')}group-by: [Tags]\ncondition: {gte: 2}`)
    expect(counted).toEqual([['2', '3', 3]])
    expect(await of(`${head('value_count')}condition: {gte: 3, field: Tags}`)).toEqual([['3', 3]])
    expect(await of(`${head('value_sum')}condition: {gte: 12, field: Tags}`)).toEqual([['12', 3]])
    expect(await of(`${head('value_median')}condition: {gte: 2, field: Tags}`)).toEqual([['2', 3]])
    const tuples = await of(`${head('value_count')}condition: {gte: 1, field: [EventID, Tags]}`)
    expect(tuples).toEqual([['3', 3]])
  })

  it('take findings of other correlations as matches', async () => {
    const then = correlation(
      'then',
      `type: temporal_ordered
      rules: [many, success]
      group-by: [TargetUserName]
      timespan: 10m`,
    )
    const { findings } = await run(await ruleOf('then', FAILED, SUCCESS, MANY, then))
    expect(findings.map((each) => [each.event.TargetUserName, ...minutesOf(each)])).toEqual([
      ['bob', 20, 30],
    ])
    const often = correlation(
      'often',
      `type: event_count
      rules: [many]
      group-by: [TargetUserName]
      timespan: 2h
      condition: {gte: 2}`,
    )
    // A burst of six is one: only the user with two bursts has been met often.
    const chained = await run(await ruleOf('often', FAILED, MANY, often))
    expect(chained.findings.map((each) => each.event.TargetUserName)).toEqual(['ann'])
  })

  it('ask for rules that are there and for rules that are not', async () => {
    const without = correlation(
      'without',
      `type: temporal
      condition: failed and not success
      aliases: {who: {failed: TargetUserName, success: TargetUserName}}
      group-by: [who]
      timespan: 30m`,
    )
    const { findings } = await run(await ruleOf('without', FAILED, SUCCESS, without))
    const users = findings.map((each) => each.event.who)
    expect(users.filter((each) => each === 'bob')).toEqual(['bob'])
    expect(findings.find((each) => each.event.who === 'bob')?.window?.to).toBe(
      isoOfMs(START + 24 * MINUTE),
    )
    expect(new Set(users)).toEqual(new Set(['ann', 'bob', 'cat', 'u1', 'u2', 'u3', 'u4']))
  })

  it('are the same where groups are counted first', async () => {
    const spray = correlation(
      'spray',
      'type: value_count\nrules: [failed]\ngroup-by: [IpAddress]\ntimespan: 3m\ncondition: {field: TargetUserName, gte: 4}',
    )
    const both = correlation(
      'both',
      'type: temporal\nrules: [failed, success]\ngroup-by: [TargetUserName]\ntimespan: 5m',
    )
    const long = MANY.replaceAll('many', 'long').replace('5m', '30d')
    const listed = correlation(
      'listed',
      'type: event_count\nrules: [failed]\ngroup-by: [Tags]\ntimespan: 5m\ncondition: {gte: 3}',
    )
    const stored = await store.catalogue()
    for (const [id, ...texts] of [
      ['many', FAILED, MANY],
      ['long', FAILED, long],
      ['spray', FAILED, spray],
      ['both', FAILED, SUCCESS, both],
      ['listed', base('failed', 4724), listed],
    ] as const) {
      const part = (await ruleOf(id, ...texts)).correlation
      if (part === undefined) throw new Error(id)
      const world = { schema, stored, time: {}, store }
      const plan = planMatches(part, world)
      const [all, some] = await Promise.all(
        [1e9, 0].map((counted) => readBursts(plan, { ...world, counted }, { readsBack: false })),
      )
      expect(all?.bursts.length).toBeGreaterThan(0)
      expect(some?.bursts).toEqual(all?.bursts)
      if (id === 'many') expect(some?.lacking).toEqual(all?.lacking)
      expect(measureOf(part).rules).toEqual(part.rules.map(({ name }) => name))
    }
  })

  it('are told once by runs that follow one another, with the id of the whole', async () => {
    const rule = await ruleOf('many', FAILED, MANY)
    const whole = (await run(rule)).findings.map(({ id }) => id).sort()
    const told = new Set<string>()
    let seen = 0
    for (let minute = 0; minute < 100; minute += 2) {
      const [from, to] = [isoOfMs(START + minute * MINUTE), isoOfMs(START + (minute + 2) * MINUTE)]
      const window = { at: to, time: { from, to } }
      const { findings } = await run(rule, { scheduled: { window, since: from, isApart: true } })
      for (const { id } of findings) {
        told.add(id)
        seen++
      }
    }
    expect([...told].sort()).toEqual(whole)
    // The long burst fires in several of them.
    expect(seen).toBeGreaterThan(whole.length)
  })

  it('tell again a burst that goes on for longer than is read back', async () => {
    const rule = await ruleOf(
      'quick',
      FAILED,
      MANY.replaceAll('many', 'quick').replace('5m', '1s').replace('gte: 3', 'gte: 1'),
    )
    const opened = await temporaryStore()
    const path = join(work, 'long.jsonl')
    const events = Array.from({ length: 400 }, (_, at) => ({ ...failed(0, 'eve'), at: at * 500 }))
    writeFileSync(path, `${events.map(line).join('\n')}\n`)
    await readInto(opened.store, [path])
    const ids: string[] = []
    const codes = new Set<string>()
    for (let second = 0; second < 200; second += 10) {
      const [from, to] = [isoOfMs(START + second * 1_000), isoOfMs(START + (second + 10) * 1_000)]
      const window = { at: to, time: { from, to } }
      const { findings, outcome } = await run(rule, {
        store: opened.store,
        scheduled: { window, since: from, isApart: true },
      })
      for (const { id } of findings) ids.push(id)
      for (const { code } of outcome?.diagnostics ?? []) codes.add(code)
    }
    await opened.close()
    expect(ids).toHaveLength(20)
    // Known from its beginning at first, then once in each 32 seconds.
    expect(new Set(ids).size).toBeLessThanOrEqual(8)
    expect(codes).toEqual(new Set(['HR374']))
  })

  it('say when nothing feeds them', async () => {
    const linux = FAILED.replace(
      'product: windows, service: security',
      'product: okta, service: okta',
    )
    const { outcome } = await run(await ruleOf('many', linux, MANY))
    expect(outcome?.state).toBe('no_data')
  })
})

describe('loading correlations and filters', () => {
  const codesOf = async (id: string, ...texts: readonly string[]) => {
    const { rules } = await loaded(...texts)
    const told = rules.find((each) => each.id === id)?.diagnostics.map(({ code }) => code)
    // Names of tests are no proper ids.
    return told?.filter((code) => code !== 'HR305')
  }

  it('hides the rules that a correlation counts, unless it is to generate them', async () => {
    const { rules } = await loaded(FAILED, MANY)
    expect(rules.map(({ rule }) => rule?.countedBy)).toEqual(['many', undefined])
    expect(rules[0]?.diagnostics.map(({ code }) => code)).toEqual(['HR370'])
    const both = await loaded(FAILED, `${MANY}  generate: true\n`)
    expect(both.rules.map(({ rule }) => rule?.countedBy)).toEqual([undefined, undefined])
  })

  it('refuses what cannot be found, is not clear, or goes round', async () => {
    expect(await codesOf('many', SUCCESS, MANY)).toEqual(['HR364'])
    expect(await codesOf('many', FAILED, FAILED, MANY)).toEqual(['HR371'])
    expect(await codesOf('many', FAILED.replace('condition: s', 'condition: x'), MANY)).toEqual([
      'HR366',
    ])
    const other = MANY.replaceAll('many', 'other').replace('[failed]', '[many]')
    const round = MANY.replace('[failed]', '[other]')
    expect(await codesOf('other', round, other)).toEqual(['HR365'])
    expect(await codesOf('many', round, other)).toEqual(['HR366'])
    expect(await codesOf('many', MANY.replace('[failed]', '[many]'))).toEqual(['HR365'])
    const outer = MANY.replaceAll('many', 'outer')
      .replace('[failed]', '[many]')
      .replace('[TargetUserName]', '[IpAddress]')
    expect(await codesOf('outer', FAILED, MANY, outer)).toEqual(['HR366'])
    const alias = `${MANY}  aliases: {who: {faild: TargetUserName}}\n`
    expect(await codesOf('many', FAILED, alias)).toEqual(['HR368', 'HR367'])
  })

  it('refuses a document that is two things at once', async () => {
    const detection = 'detection: {s: {EventID: 1}, condition: s}\n'
    expect(await codesOf('many', FAILED, MANY + detection)).toEqual(['HR315'])
    expect(await codesOf('many', FAILED, `${MANY}detection:\n`)).toEqual([])
  })

  it('counts a rule once that is listed by its name and by its id', async () => {
    const uuid = '0d9a3c4e-8a4f-4a5b-9c37-2f6f8e2b1a10'
    const both = MANY.replace('[failed]', `[failed, ${uuid}]`)
    const { rules } = await loaded(`${FAILED}id: ${uuid}\n`, both)
    const many = rules.find(({ id }) => id === 'many')
    expect(many?.rule?.correlation?.rules.map(({ name }) => name)).toEqual(['failed'])
    expect(many?.diagnostics.map(({ code }) => code)).toContain('HR369')
  })

  it('takes the level of its rules where it has none', async () => {
    const rule = await ruleOf(
      'many',
      `${FAILED}level: critical\n`,
      MANY.replace('level: high\n', ''),
    )
    expect(rule.level).toBe('critical')
  })

  const filter = (lines: string, source = 'product: windows'): string =>
    `title: F\nlogsource: {${source}}\nfilter:\n${lines.replace(/^ */gm, '  ')}\n`
  const told = (set: Awaited<ReturnType<typeof loaded>>) =>
    set.problems.map(({ diagnostic }) => diagnostic.code)

  it('joins filters to the rules that they are for', async () => {
    const any = filter(
      'rules: any\nselection: {TargetUserName|startswith: adm_}\ncondition: not selection',
    )
    const set = await loaded(FAILED, MANY, any)
    expect(told(set)).toEqual([])
    expect(set.rules).toHaveLength(2)
    expect(set.rules[0]?.diagnostics.map(({ code }) => code)).toEqual(['HR383', 'HR370'])
    expect(set.rules[0]?.rule?.fields).toEqual(['EventID', 'TargetUserName'])
    expect(set.rules[1]?.rule?.correlation?.rules[0]?.rule.fields).toEqual([
      'EventID',
      'TargetUserName',
    ])
    const named = await loaded(FAILED, SUCCESS, any.replace('any', '[success]'))
    expect(named.rules.map(({ rule }) => rule?.fields.length)).toEqual([1, 2])
  })

  it('tells what a filter does not do', async () => {
    const body = 'selection: {TargetUserName: x}\ncondition: selection'
    expect(told(await loaded(FAILED, filter(`rules: any\n${body}`)))).toEqual(['HR381'])
    const not = body.replace('condition: ', 'condition: not ')
    expect(told(await loaded(FAILED, filter(`rules: [nobody]\n${not}`)))).toEqual([
      'HR380',
      'HR384',
    ])
    expect(told(await loaded(FAILED, MANY, filter(`rules: [many]\n${not}`)))).toEqual([
      'HR382',
      'HR384',
    ])
    expect(told(await loaded(FAILED, filter(`rules: [failed]\n${not}`, 'product: linux')))).toEqual(
      ['HR382', 'HR384'],
    )
    const broken = await loaded(
      FAILED,
      filter('rules: any\nselection: {a|nope: x}\ncondition: selection'),
    )
    expect(broken.rules.map(({ rule }) => rule !== undefined)).toEqual([true, false])
  })
})
