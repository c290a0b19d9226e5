/** The arithmetic of risk, and what is at risk of findings of each language. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { calculated, normalizedObject, risksOf, scored } from '../../src/detect/keeping/risk.ts'
import type { RiskFactor } from '../../src/detect/keeping/risksettings.ts'
import { sampleFinding } from '../support/findings.ts'
import { keptRule, riskSettings } from '../support/keeping.ts'

const factor = (change: Partial<RiskFactor>): RiskFactor => ({
  name: 'f',
  when: [['kind', ['*']]],
  add: 0,
  multiply: 1,
  ...change,
})

const factors = fc.array(
  fc.record({
    name: fc.string({ minLength: 1, maxLength: 4 }),
    when: fc.constantFrom<RiskFactor['when']>(
      [['kind', ['A*']]],
      [['kind', ['b']]],
      [
        ['kind', ['*']],
        ['priority', ['critical']],
      ],
    ),
    add: fc.integer({ min: -50, max: 50 }),
    multiply: fc.constantFrom(0.5, 1, 1.25, 2),
  }),
  { maxLength: 6 },
)
const facts = fc.record({
  kind: fc.constantFrom('alpha', 'B', 'c', ['x', 'b']),
  priority: fc.constantFrom('critical', 'low', null),
})

describe('a calculated score', () => {
  it('is the score with what is added, times what it is multiplied with', () => {
    const holds = ({ when }: RiskFactor, kind: string | readonly string[], priority: unknown) =>
      when.every(([name, [pattern = '']]) => {
        const value = name === 'kind' ? kind : priority
        if (value === null) return false
        const all = (Array.isArray(value) ? value : [value]).map((each) =>
          String(each).toLowerCase(),
        )
        if (pattern === '*') return true
        return pattern === 'A*' ? all.some((each) => each.startsWith('a')) : all.includes(pattern)
      })
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100 }), factors, facts, (score, all, given) => {
        const met = all.filter((each) => holds(each, given.kind, given.priority))
        const sum = met.reduce((total, { add }) => total + add, score)
        const wanted = Math.max(0, sum * met.reduce((total, { multiply }) => total * multiply, 1))
        const made = calculated(score, all, given)
        expect(made.calculated).toBeCloseTo(wanted, 1)
        expect(made.added).toEqual(met.filter(({ add }) => add !== 0).map(({ name }) => name))
        expect(made.multiplied).toEqual(
          met.filter(({ multiply }) => multiply !== 1).map(({ name }) => name),
        )
      }),
    )
  })

  it('does not hang on the order of factors', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100 }), factors, facts, (score, all, given) => {
        const there = calculated(score, all, given).calculated
        expect(calculated(score, [...all].reverse(), given).calculated).toBe(there)
      }),
    )
  })

  it('never falls below nothing and is unchanged without factors', () => {
    expect(calculated(70, [], { kind: 'a' }).calculated).toBe(70)
    expect(calculated(10, [factor({ add: -50 })], { kind: 'a' }).calculated).toBe(0)
    expect(calculated(10, [factor({ add: 50 })], { other: 'a' }).calculated).toBe(10)
  })

  it('may ask for what is known of the object itself', () => {
    const factors = [factor({ when: [['risk_object_priority', ['critical']]], multiply: 1.5 })]
    const risk = { field: 'dest', value: 'DC1', type: 'system', score: 40, message: '' }
    const facts = { dest_priority: 'critical', user_priority: 'low' }
    const [made] = scored({ id: 'f' }, [risk], factors, facts)
    expect(made).toMatchObject({ calculated: 60, score: 40, multiplied: ['f'], normalized: 'dc1' })
    const [other] = scored({ id: 'f' }, [{ ...risk, field: 'user' }], factors, facts)
    expect(other?.calculated).toBe(40)
  })
})

describe('risks of a finding', () => {
  const risk = { field: 'dest', value: 'WS1', type: 'system', score: 40, message: 'm' }

  it('have ids that nothing but the risk decides', () => {
    const ids = (list: (typeof risk)[]) => scored({ id: 'f' }, list, [], {}).map(({ id }) => id)
    const other = { ...risk, value: 'WS2' }
    expect(ids([risk, other])).toEqual(ids([other, risk]).reverse())
    expect(ids([{ ...risk, score: 90 }])).toEqual(ids([risk]))
    expect(scored({ id: 'g' }, [risk], [], {})[0]?.id).not.toBe(ids([risk])[0])
  })

  it('count one object once, by its highest score', () => {
    const made = scored({ id: 'f' }, [risk, { ...risk, score: 60 }, { ...risk, score: 50 }], [], {})
    expect(made.map(({ score }) => score)).toEqual([60])
  })

  it('come from the level where the rule names none, for its hosts and users', () => {
    const entities = [
      { type: 'Host', HostName: 'WS1' },
      { type: 'Account', Name: 'kim', NTDomain: 'CORP' },
      { type: 'IP', Address: '192.0.2.1' },
      { type: 'Process', CommandLine: 'cmd' },
    ]
    const made = risksOf(sampleFinding({ level: 'medium' }), keptRule(), entities, riskSettings())
    expect(made.map(({ value, type, score }) => [value, type, score])).toEqual([
      ['WS1', 'system', 50],
      ['kim', 'user', 50],
    ])
    const alone = risksOf(sampleFinding(), keptRule(), entities.slice(2), riskSettings())
    expect(alone.map(({ value, type }) => [value, type])).toEqual([['192.0.2.1', 'system']])
    const usual = sampleFinding({ level: 'informational' })
    expect(risksOf(usual, keptRule(), entities, riskSettings())).toEqual([])
    const settings = riskSettings('levels: { informational: 5 }')
    expect(risksOf(usual, keptRule(), entities, settings)).toHaveLength(2)
  })

  it('have the score that the user gives the rule', () => {
    const rule = keptRule({ tuning: { file: 'o.yml', riskScore: 5 } })
    const made = risksOf(sampleFinding({ risk: [risk] }), rule, [], riskSettings())
    expect(made).toEqual([{ ...risk, score: 5 }])
    const none = keptRule({ tuning: { file: 'o.yml', riskScore: 0 } })
    expect(risksOf(sampleFinding({ risk: [risk] }), none, [], riskSettings())).toEqual([])
  })
})

describe('an object', () => {
  it('is compared without case, domain and blanks', () => {
    const of = (value: string, type = 'user') => normalizedObject({ value, type })
    expect(of('CORP\\Kim')).toBe(of(' kim'))
    expect(of('WS07.corp.example', 'system')).toBe(of('ws07', 'system'))
    expect(of('::ffff:192.0.2.1', 'system')).toBe('192.0.2.1')
    expect(of('C:\\x', 'other')).toBe('c:\\x')
  })

  it('is the same however often that is done', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', ' ', '.', '\\', 'B') }),
        fc.constantFrom('user', 'system', 'other'),
        (value, type) => {
          const once = normalizedObject({ value, type })
          expect(normalizedObject({ value: once, type })).toBe(once)
        },
      ),
    )
  })
})

describe('the section risk of the settings', () => {
  it('reads factors and levels', () => {
    const settings = riskSettings(
      'levels: { high: 80 }\nmost_per_day: 0\nfactors:\n  - name: crown jewels\n    when: { dest_priority: critical, user_category: [privileged, admin*] }\n    add: 10\n    multiply: 1.5\n',
    )
    expect(settings.levels).toMatchObject({ high: 80, medium: 50 })
    expect(settings.mostPerDay).toBe(0)
    expect(settings.factors).toEqual([
      {
        name: 'crown jewels',
        when: [
          ['dest_priority', ['critical']],
          ['user_category', ['privileged', 'admin*']],
        ],
        add: 10,
        multiply: 1.5,
      },
    ])
  })

  it.each([
    ['levels: { severe: 1 }', 'severe'],
    ['factors:\n  - { name: x, add: 1 }', 'when'],
    ['factors:\n  - { when: { a: b } }', 'name'],
    ['most_per_day: lots', 'most_per_day'],
    ['most: 1', 'most'],
  ])('refuses %s', (text, named) => {
    expect(() => riskSettings(text)).toThrow(named)
  })
})
