import { describe, expect, it } from 'vitest'
import { evidenceLine, orderFields } from '../../src/cli/evidence.ts'
import { Tally } from '../../src/cli/tally.ts'
import { limits } from '../../src/core/limits.ts'
import type { Level } from '../../src/rules/rule.ts'
import { sampleFinding } from '../support/findings.ts'

const roomy = { perRule: 5, findings: 1_000, chars: 1_000_000 }

function fill(tally: Tally, level: Level, rule: string, hits: number): void {
  for (let record = 1; record <= hits; record++) {
    tally.add(sampleFinding({ level, rule_id: rule, rule_title: rule, record }))
  }
}

describe('the tally', () => {
  it('counts everything and keeps the first of each rule', () => {
    const tally = new Tally(roomy)
    fill(tally, 'low', 'a', 9)
    fill(tally, 'critical', 'b', 2)
    tally.add(
      sampleFinding({
        rule_id: 'a',
        level: 'low',
        host: 'WS02',
        time: '2020-01-01T00:00:00.0000000Z',
      }),
    )
    expect(tally.findings).toBe(12)
    const [first, second] = tally.ordered()
    expect(first).toMatchObject({ id: 'b', hits: 2 })
    expect(second).toMatchObject({
      id: 'a',
      hits: 10,
      first: '2020-01-01T00:00:00.0000000Z',
      last: '2024-01-05T10:11:12.1234567Z',
    })
    expect(second?.kept.map((each) => each.record)).toEqual([1, 2, 3, 4, 5])
    expect([...(second?.hosts ?? [])]).toEqual(['WS01', 'WS02'])
    expect(tally.hosts.get('WS01')).toMatchObject({ hits: 11, level: 'critical' })
  })

  it('takes room from the lowest level first', () => {
    const tally = new Tally({ perRule: 8, findings: 20, chars: 1_000_000 })
    fill(tally, 'critical', 'c', 8)
    for (const rule of ['l1', 'l2', 'l3', 'l4']) fill(tally, 'low', rule, 8)
    const kept = new Map(tally.ordered().map((rule) => [rule.id, rule.kept.length]))
    expect(kept.get('c')).toBe(8)
    for (const rule of ['l1', 'l2', 'l3', 'l4']) {
      expect(kept.get(rule)).toBeGreaterThanOrEqual(1)
      expect(kept.get(rule)).toBeLessThanOrEqual(4)
    }
    expect([...kept.values()].reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(20)
    expect(tally.findings).toBe(40)
  })

  it('stays within its budget of characters, whatever events hold', () => {
    const tally = new Tally({ perRule: 200, findings: 1_000, chars: 500_000 })
    for (let record = 0; record < 400; record++) {
      const event = Object.fromEntries(
        Array.from({ length: 100 }, (_, field) => [`f${field}`, 'x'.repeat(10_000)]),
      )
      tally.add(sampleFinding({ rule_id: `r${record % 7}`, record, event }))
    }
    let size = 0
    for (const rule of tally.rules.values()) {
      for (const kept of rule.kept) {
        expect(kept.fields.length).toBeLessThanOrEqual(limits.reportFields)
        expect(kept.moreFields).toBe(100 - limits.reportFields)
        for (const { values } of kept.fields) {
          for (const value of values) size += value.length
        }
      }
    }
    expect(size).toBeLessThanOrEqual(500_000)
    expect(tally.findings).toBe(400)
  })

  it('says how much of a value or a list it left out', () => {
    const tally = new Tally(roomy)
    tally.add(
      sampleFinding({
        event: { long: 'y'.repeat(5_000), many: Array.from({ length: 500 }, () => 'z') },
      }),
    )
    const fields = new Map(
      tally.ordered()[0]?.kept[0]?.fields.map((each) => [each.name, each.values]),
    )
    expect(fields.get('long')?.[0]).toMatch(/^y{2000} … \(3000 more characters\)$/)
    expect(fields.get('many')?.at(-1)).toBe('… (400 more values)')
  })

  it('tells a bounded number of hosts apart', () => {
    const tally = new Tally(roomy)
    for (let index = 0; index < limits.hostsPerReport + 50; index++) {
      tally.add(sampleFinding({ host: `host-${index}` }))
    }
    expect(tally.hosts.size).toBe(limits.hostsPerReport)
    expect(tally.otherHostHits).toBe(50)
    expect(tally.ordered()[0]?.hosts.size).toBe(limits.hostsPerRule)
    expect(tally.ordered()[0]?.hasMoreHosts).toBe(true)
  })

  it('takes any text as a rule id, a host or a field name', () => {
    const tally = new Tally(roomy)
    for (const name of ['__proto__', 'constructor', 'toString']) {
      const event = JSON.parse(`{"${name}": "v"}`)
      tally.add(sampleFinding({ rule_id: name, host: name, event }))
    }
    expect(tally.rules.size).toBe(3)
    expect(tally.hosts.size).toBe(3)
    expect(tally.rules.get('__proto__')?.kept[0]?.fields[0]).toMatchObject({
      name: '__proto__',
      values: ['v'],
    })
    expect(Object.prototype).not.toHaveProperty('v')
  })
})

describe('the timeline', () => {
  it('covers all dated findings in at most the asked number of buckets', () => {
    const tally = new Tally(roomy)
    for (let minute = 0; minute < 10_000; minute += 7) {
      const time = new Date(Date.UTC(2024, 0, 1, 0, minute)).toISOString()
      tally.add(sampleFinding({ time, level: minute % 2 === 0 ? 'high' : 'low' }))
    }
    tally.add(sampleFinding({ time: 'no time' }))
    const { width, buckets } = tally.timeline(60)
    expect(buckets.length).toBeLessThanOrEqual(60)
    expect(width).toBeGreaterThan(0)
    const total = buckets.flatMap((each) => each.counts).reduce((sum, each) => sum + each, 0)
    expect(total + tally.undated).toBe(tally.findings)
    expect(tally.undated).toBe(1)
    for (let index = 1; index < buckets.length; index++) {
      expect((buckets[index]?.start ?? 0) - (buckets[index - 1]?.start ?? 0)).toBe(width)
    }
  })

  it('stays small when times lie centuries apart', () => {
    const tally = new Tally(roomy)
    for (let year = 1900; year < 2300; year++) {
      for (let day = 1; day < 28; day++) {
        tally.add(sampleFinding({ time: `${year}-01-${String(day).padStart(2, '0')}T00:00:00Z` }))
      }
    }
    const { buckets } = tally.timeline(60)
    expect(buckets.length).toBeLessThanOrEqual(60)
    expect(buckets.flatMap((each) => each.counts).reduce((a, b) => a + b, 0)).toBe(400 * 27)
    expect(new Tally(roomy).timeline(60)).toEqual({ width: 0, buckets: [] })
  })
})

describe('evidence', () => {
  const event = {
    EventID: '1',
    Odd: 'x',
    User: 'u',
    CommandLine: 'cmd /c whoami',
    Empty: '',
    Read: ['one', 'two'],
  }

  it('puts first what the rule reads, then what tells most', () => {
    const names = orderFields(event, ['read', 'eventid']).map((each) => each.name)
    expect(names).toEqual(['EventID', 'Read', 'CommandLine', 'User', 'Odd', 'Empty'])
  })

  it('is one safe line of the width asked for', () => {
    const fields = orderFields(event, ['Read'])
    expect(evidenceLine(fields, 200)).toBe('Read=one, two  CommandLine=cmd /c whoami  User=u')
    expect(evidenceLine(fields, 20)).toBe('Read=one, two')
    const hostile = orderFields({ 'a\x1b[0m\n': '\x1b]52;c;x\x07' }, [])
    expect(evidenceLine(hostile, 80)).toBe('a\\x1b[0m\\n=\\x1b]52;c;x\\x07')
  })
})
