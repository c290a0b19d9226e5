/** From rows to findings: triggers, texts with columns in them, severity, details and entities. */
import { describe, expect, it } from 'vitest'
import { Alerts, isSetOffBy, keyOfRows, type ResultRow } from '../../src/detect/alerts.ts'
import type { Finding } from '../../src/detect/finding.ts'
import type { ResultColumn } from '../../src/detect/values.ts'
import { legacyEntities } from '../../src/dialects/kusto/entity.ts'
import { PLAIN_RULE, type TriggerOperator } from '../../src/dialects/kusto/rule.ts'
import type { KustoPart, Rule } from '../../src/rules/rule.ts'

const COLUMNS: readonly ResultColumn[] = [
  { name: 'TimeGenerated', type: 'time' },
  { name: 'Account', type: 'text' },
  { name: 'Address', type: 'text' },
  { name: 'Level', type: 'text' },
  { name: 'Count', type: 'int' },
  { name: 'Lists', type: 'dynamic' },
]

const WINDOW = {
  at: '2026-05-01T11:00:00.0000000Z',
  time: { from: '2026-05-01T10:00:00.0000000Z', to: '2026-05-01T11:00:00.0000000Z' },
}

function row(minute: number, account: string, address = '192.0.2.1', level = 'High'): ResultRow {
  const time = `2026-05-01T10:${String(minute).padStart(2, '0')}:00.0000000Z`
  return [time, account, address, level, BigInt(minute), '["x","y"]']
}

function part(change: Partial<KustoPart>): KustoPart {
  return {
    ...PLAIN_RULE,
    form: 'sentinel',
    aggregationKind: 'SingleAlert',
    columns: COLUMNS,
    tables: ['SigninLogs'],
    ...change,
  }
}

function rule(kusto: KustoPart): Rule {
  return {
    file: 'r.yml',
    id: 'r-1',
    title: 'The rule',
    language: 'kusto',
    level: 'medium',
    status: '',
    description: '',
    author: '',
    date: '',
    tags: ['attack.t1078'],
    references: [],
    falsepositives: [],
    logsource: 'SigninLogs',
    rel: { op: 'values', rows: [], out: [] },
    stages: [],
    fields: [],
    kusto,
  }
}

function found(change: Partial<KustoPart>, rows: readonly ResultRow[], key = 'k'): Finding {
  const own = part(change)
  const alerts = new Alerts(rule(own), own, COLUMNS)
  return alerts.finding(rows, { count: rows.length, key, window: WINDOW })
}

describe('triggers', () => {
  it.each([
    ['gt', 2, [false, false, false, true]],
    ['lt', 2, [true, true, false, false]],
    ['eq', 2, [false, false, true, false]],
    ['ne', 2, [true, true, false, true]],
    ['gt', 0, [false, true, true, true]],
    ['eq', 0, [true, false, false, false]],
  ] satisfies readonly (readonly [TriggerOperator, number, readonly boolean[]])[])(
    '%s %i',
    (operator, threshold, wanted) => {
      const own = part({ trigger: { operator, threshold } })
      expect([0, 1, 2, 3].map((rows) => isSetOffBy(own, rows))).toEqual(wanted)
    },
  )
})

describe('one finding for a run', () => {
  it('counts its rows, shows the first of them, and begins with the earliest', () => {
    const finding = found({}, [row(9, 'b'), row(3, 'a')])
    expect(finding).toMatchObject({
      time: '2026-05-01T10:03:00.0000000Z',
      rows: 2,
      window: WINDOW.time,
      source: 'SigninLogs',
      event: { Account: 'b', Count: '9', Lists: ['x', 'y'] },
    })
    expect(finding.results?.map((each) => each.Account)).toEqual(['b', 'a'])
  })

  it('takes the time of the run when no row has one', () => {
    const finding = found({}, [[null, 'a', '', '', null, null]])
    expect(finding.time).toBe(WINDOW.at)
    expect(finding.event).toEqual({ Account: 'a' })
    expect(found({ trigger: { operator: 'eq', threshold: 0 } }, []).time).toBe(WINDOW.at)
  })

  it('keeps the rows of Defender rules and plain queries apart', () => {
    for (const form of ['defender', 'hunting', 'query'] as const) {
      const own = part({ form })
      expect(new Alerts(rule(own), own, COLUMNS).isSingle).toBe(false)
    }
    const own = part({ aggregationKind: 'AlertPerResult' })
    expect(new Alerts(rule(own), own, COLUMNS).isSingle).toBe(false)
  })
})

describe('texts of the alert', () => {
  const override = {
    displayNameFormat: 'Logon of {{Account}} from {{ Address }}',
    descriptionFormat: '{{Count}} times; {{Missing}}.',
    severityColumn: 'Level',
    dynamicProperties: [{ name: 'AlertLink', column: 'Address' }],
  }

  it('have their columns filled in', () => {
    const finding = found({ alertDetailsOverride: override }, [row(5, 'clerk')])
    expect(finding.title).toBe('Logon of clerk from 192.0.2.1')
    expect(finding.description).toBe('5 times; .')
    expect(finding.level).toBe('high')
    expect(finding.details).toEqual({ AlertLink: ['192.0.2.1'] })
  })

  it('do not read again what a log has put in', () => {
    const finding = found({ alertDetailsOverride: override }, [
      row(5, '{{Address}}$&', '{{Account}}'),
    ])
    expect(finding.title).toBe('Logon of {{Address}}$& from {{Account}}')
  })

  it('keep the rule’s own where a column has no value that can be used', () => {
    const odd = { ...override, displayNameFormat: '{{Missing}}' }
    const finding = found({ alertDetailsOverride: odd }, [row(5, 'a', 'b', 'Severe')])
    expect(finding.level).toBe('medium')
    expect(finding.title).toBeUndefined()
    expect(finding.rule_title).toBe('The rule')
  })

  it('are filled as they are written, in time that grows with their length', () => {
    const titled = (displayNameFormat: string) =>
      found({ alertDetailsOverride: { displayNameFormat, dynamicProperties: [] } }, [row(5, 'a')])
        .title
    expect(titled('{{{Account}}} {{ {{Account}}')).toBe('{a} {{ a')
    expect(titled('{{}} {{Acc{ount}} {{Account')).toBe('{{}} {{Acc{ount}} {{Account')
    expect(titled('}}{{Account}}{{')).toBe('}}a{{')
    const start = performance.now()
    for (const each of [' ', '{{', '{{ ', '{{ }']) titled(`{{${each.repeat(50_000)}`)
    expect(performance.now() - start).toBeLessThan(1_000)
  })

  it('have the tactics of a row in place of those of the rule, as a list or as words', () => {
    const techniques = ['T1078']
    const tagged = (value: string) =>
      found(
        {
          tactics: ['Execution'],
          techniques,
          alertDetailsOverride: { tacticsColumn: 'Lists', dynamicProperties: [] },
        },
        [['2026-05-01T10:00:00.0000000Z', 'a', '', '', 1n, value]],
      ).tags
    const moved = ['attack.lateral-movement', 'attack.collection', 'attack.t1078']
    expect(tagged('["LateralMovement", "Collection"]')).toEqual(moved)
    expect(tagged('Lateral Movement, collection')).toEqual(moved)
    expect(tagged('["$tactic$"]')).toEqual(['attack.t1078'])
    expect(tagged('')).toEqual(['attack.t1078'])
  })

  it('are bounded', () => {
    const long = { displayNameFormat: '{{Account}}', dynamicProperties: [] }
    const finding = found({ alertDetailsOverride: long }, [row(5, 'x'.repeat(100_000))])
    expect(finding.title?.length).toBe(5_000)
  })
})

describe('entities and details', () => {
  const entityMappings = [
    {
      entityType: 'Account',
      fieldMappings: [
        { identifier: 'FullName', columnName: 'Account' },
        { identifier: 'Sid', columnName: 'Missing' },
      ],
    },
    { entityType: 'IP', fieldMappings: [{ identifier: 'Address', columnName: 'Address' }] },
  ]

  it('come from all rows, each once', () => {
    const rows = [row(1, 'a'), row(2, 'b'), row(3, 'a', '')]
    const finding = found({ entityMappings }, rows)
    expect(finding.entities).toEqual([
      { type: 'Account', FullName: 'a' },
      { type: 'IP', Address: '192.0.2.1' },
      { type: 'Account', FullName: 'b' },
    ])
  })

  it('come from columns that hold lists of them', () => {
    const listed = (value: string) =>
      found({ sentinelEntitiesMappings: ['Lists'] }, [[null, 'a', '', '', 1n, value]]).entities
    const all = [
      { $id: '1', HostName: 'ws01', Type: 'host', OSFamily: { a: 1 }, Odd: 'x' },
      { $id: '2', Address: '192.0.2.7', Type: 'ip' },
      { ResourceId: '/subscriptions/1', Type: 'azure-resource' },
      { Type: 'mystery', Name: 'x' },
      { $ref: '1' },
    ]
    expect(listed(JSON.stringify(all))).toEqual([
      { type: 'Host', HostName: 'ws01' },
      { type: 'IP', Address: '192.0.2.7' },
      { type: 'AzureResource', ResourceId: '/subscriptions/1' },
    ])
    for (const odd of ['', '[', 'null', '7', '[[[]]]', '{"Type":"host"}']) {
      expect(listed(odd)).toBeUndefined()
    }
    expect(listed('{"Type":"Host","__proto__":{"x":1},"NetBiosName":"b"}')).toEqual([
      { type: 'Host', NetBiosName: 'b' },
    ])
  })

  it('surface columns by names of the rule’s own', () => {
    const customDetails = [
      { name: 'Who', column: 'Account' },
      { name: 'Nothing', column: 'Missing' },
    ]
    expect(found({ customDetails }, [row(1, 'a'), row(2, 'b'), row(3, 'a')]).details).toEqual({
      Who: ['a', 'b'],
    })
  })

  it('are told by old names of columns', () => {
    const mappings = legacyEntities(['IPCustomEntity', 'AccountCustomEntity', 'Other'])
    const types = mappings.map(({ entityType }) => entityType).sort()
    expect(types).toEqual(['Account', 'IP'])
  })

  it('are the assets that a Defender rule names', () => {
    const finding = found(
      { form: 'defender', impactedAssets: [{ name: 'User', column: 'Account' }] },
      [row(1, 'a')],
    )
    expect(finding.entities).toEqual([{ type: 'User', Account: 'a' }])
  })
})

describe('ids', () => {
  it('are the same for the same key, and others for other keys and rows', () => {
    expect(found({}, [row(1, 'a')], 'k').id).toBe(found({}, [row(1, 'a')], 'k').id)
    expect(found({}, [row(1, 'a')], 'k').id).not.toBe(found({}, [row(1, 'a')], 'l').id)
    expect(keyOfRows([row(1, 'a')])).not.toBe(keyOfRows([row(1, 'b')]))
    expect(keyOfRows([['a', 'b']])).not.toBe(keyOfRows([['a'], ['b']]))
  })
})
