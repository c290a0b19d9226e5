/** Kusto rule files in YAML: every field, every check, and the place of each piece of a query in its file. */
import { describe, expect, it } from 'vitest'
import { limits } from '../../src/core/limits.ts'
import { kustoForm, readKustoFile } from '../../src/dialects/kusto/document.ts'
import { printDuration, readDuration } from '../../src/dialects/kusto/duration.ts'
import { identifierOf, legacyEntities } from '../../src/dialects/kusto/entity.ts'
import { attackTags, type KustoDocument } from '../../src/dialects/kusto/rule.ts'

function read(text: string, file = 'rule.yaml') {
  const form = kustoForm(file, text, true)
  if (form === undefined) throw new Error('not Kusto')
  return readKustoFile(form, text, file)
}

function one(text: string, file?: string): KustoDocument {
  const [first, ...others] = read(text, file).documents
  if (first === undefined || others.length > 0) throw new Error('not one document')
  return first
}

const codesOf = (document: KustoDocument): readonly string[] =>
  document.diagnostics.map((each) => each.code)

/** The text of the file where a word of the query is said to stand. */
function placed(text: string, { query, place }: KustoDocument, word: string): string {
  const start = query.indexOf(word)
  const span = place({ start, end: start + word.length })
  return text.slice(span.start, span.end)
}

const FULL = `id: 1a2b3c4d-0000-4000-8000-000000000001
name: Many failed logons
description: |
  'Counts failed logons.
  Second line.'
severity: Medium
status: Available
requiredDataConnectors:
  - connectorId: SecurityEvents
    dataTypes:
      - SecurityEvent
queryFrequency: 1h
queryPeriod: 1.00:00:00
triggerOperator: GreaterThan
triggerThreshold: 5
suppressionEnabled: true
suppressionDuration: PT5H
tactics:
  - CredentialAccess
  - Initial Access
relevantTechniques:
  - T1110.003
  - t1078
tags:
  - Schema: ASIMAuthentication
  - blue
query: |
  SecurityEvent
    | where EventID == 4625

  | summarize n = count() by Account, Computer
entityMappings:
  - entityType: account
    fieldMappings:
      - identifier: fullname
        columnName: Account
  - entityType: Host
    fieldMappings:
      - identifier: HostName
        columnName: Computer
sentinelEntitiesMappings:
  - columnName: Entities
customDetails:
  Attempts: n
alertDetailsOverride:
  alertDisplayNameFormat: 'Failures of {{Account}} on {{ Computer }}'
  alertTacticsColumnName: Tactic
  alertSeverityColumnName: Sev
  alertDynamicProperties:
    - alertProperty: AlertLink
      value: Link
eventGroupingSettings:
  aggregationKind: AlertPerResult
incidentConfiguration:
  createIncident: true
  groupingConfiguration:
    enabled: true
    reopenClosedIncident: false
    lookbackDuration: P1D
    matchingMethod: Selected
    groupByEntities: [Account]
    groupByCustomDetails: [Attempts]
metadata:
  author: {name: Someone}
version: 1.0.3
kind: Scheduled
`

describe('a Sentinel rule', () => {
  it('keeps every field', () => {
    const { rule, query, uses, diagnostics } = one(FULL)
    expect(diagnostics).toEqual([])
    expect(query).toBe(
      'SecurityEvent\n  | where EventID == 4625\n\n| summarize n = count() by Account, Computer\n',
    )
    expect(rule).toMatchObject({
      form: 'sentinel',
      id: '1a2b3c4d-0000-4000-8000-000000000001',
      name: 'Many failed logons',
      description: 'Counts failed logons.\nSecond line.',
      severity: 'Medium',
      kind: 'Scheduled',
      status: 'Available',
      version: '1.0.3',
      author: 'Someone',
      queryFrequency: 3_600_000,
      queryPeriod: 86_400_000,
      trigger: { operator: 'gt', threshold: 5 },
      suppression: { enabled: true, duration: 18_000_000 },
      tactics: ['CredentialAccess', 'InitialAccess'],
      techniques: ['T1110.003', 'T1078'],
      tags: ['Schema: ASIMAuthentication', 'blue'],
      requiredDataConnectors: [{ connectorId: 'SecurityEvents', dataTypes: ['SecurityEvent'] }],
      entityMappings: [
        {
          entityType: 'Account',
          fieldMappings: [{ identifier: 'FullName', columnName: 'Account' }],
        },
        { entityType: 'Host', fieldMappings: [{ identifier: 'HostName', columnName: 'Computer' }] },
      ],
      sentinelEntitiesMappings: ['Entities'],
      customDetails: [{ name: 'Attempts', column: 'n' }],
      alertDetailsOverride: {
        displayNameFormat: 'Failures of {{Account}} on {{ Computer }}',
        tacticsColumn: 'Tactic',
        severityColumn: 'Sev',
        dynamicProperties: [{ name: 'AlertLink', column: 'Link' }],
      },
      aggregationKind: 'AlertPerResult',
      incidentConfiguration: {
        createIncident: true,
        grouping: {
          enabled: true,
          lookback: 86_400_000,
          matchingMethod: 'Selected',
          groupByEntities: ['Account'],
          groupByCustomDetails: ['Attempts'],
        },
      },
    })
    expect(uses.map(({ name, span }) => [name, FULL.slice(span.start, span.end)])).toContainEqual([
      'Tactic',
      'Tactic',
    ])
    expect(uses.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['Account', 'Computer', 'Entities', 'n', 'Tactic', 'Sev', 'Link']),
    )
  })

  it('groups by nothing less than what is said', () => {
    const grouped = (lines: string) => {
      const text = FULL.replace(
        /matchingMethod: Selected\n.*\n.*\n/,
        `${lines.split('; ').join('\n    ')}\n`,
      )
      const { rule, diagnostics } = one(text)
      const { enabled, matchingMethod } = rule.incidentConfiguration?.grouping ?? {}
      return [enabled, matchingMethod, diagnostics.map(({ code }) => code).join()]
    }
    expect(grouped('matchingMethod: anyalert')).toEqual([true, 'AnyAlert', ''])
    expect(grouped('entitiesMatchingMethod: None')).toEqual([true, 'AnyAlert', ''])
    expect(grouped('groupByEntities: []')).toEqual([true, 'AllEntities', ''])
    expect(grouped('matchingMethod: Sometimes')).toEqual([false, 'AllEntities', 'HR457'])
    expect(grouped('matchingMethod: Selected')).toEqual([false, 'Selected', 'HR457'])
    expect(grouped('matchingMethod: Selected; groupByAlertDetails: [displayname]')).toEqual([
      true,
      'Selected',
      '',
    ])
    expect(grouped('matchingMethod: Selected; groupByAlertDetails: [Severity, Tactics]')).toEqual([
      false,
      'Selected',
      'HR457',
    ])
    expect(grouped('matchingMethod: Selected; groupByCustomDetails: [Other]')).toEqual([
      false,
      'Selected',
      'HR457',
    ])
  })

  it('has tags as Sigma writes them', () => {
    expect(attackTags(one(FULL).rule)).toEqual([
      'attack.credential-access',
      'attack.initial-access',
      'attack.t1110.003',
      'attack.t1078',
      'Schema: ASIMAuthentication',
      'blue',
    ])
  })

  it('is the same with CRLF, a byte order mark and tabs after the margin', () => {
    const text = `\ufeff${FULL.replaceAll('\n', '\r\n').replace('    | where', '  \t| where')}`
    const document = one(text)
    expect(document.diagnostics).toEqual([])
    expect(document.rule.queryPeriod).toBe(86_400_000)
    expect(placed(text, document, 'summarize')).toBe('summarize')
  })

  it('without a schedule is a hunting query', () => {
    const { rule, diagnostics } = one(
      'id: h1\nname: Hunt\ntactics: [Discovery]\nquery: T | take 1\n',
    )
    expect(diagnostics).toEqual([])
    expect(rule).toMatchObject({ form: 'hunting', trigger: { operator: 'gt', threshold: 0 } })
    expect(rule.kind).toBeUndefined()
  })

  it('of a kind that lives in the service is refused by name', () => {
    const text = 'id: f1\nname: Fusion\nkind: Fusion\nseverity: High\n'
    const document = one(text)
    expect(codesOf(document)).toEqual(['HR451'])
    const span = document.diagnostics[0]?.span
    expect(text.slice(span?.start, span?.end)).toBe('Fusion')
  })

  it('has an id of its content when it has none', () => {
    const [first, second, other] = [
      'name: A\nquery: T',
      'name: A\nquery: T # x',
      'name: A\nquery: U',
    ].map((text) => one(`${text}\n`).rule.id)
    expect(first).toMatch(/^kql-[0-9a-f]{16}$/)
    expect(second).toBe(first)
    expect(other).not.toBe(first)
  })
})

const withLine = (line: string, base = 'id: a\nname: A\nquery: T\n'): KustoDocument =>
  one(`${base}${line}\n`)

describe('checks', () => {
  it.each([
    ['queryFrequency: soon', 'HR453'],
    ['queryPeriod: 1y', 'HR453'],
    ['triggerOperator: above', 'HR452'],
    ['triggerThreshold: -1', 'HR453'],
    ['triggerThreshold: many', 'HR453'],
  ])('refuses what would change the rule: %s', (line, code) => {
    expect(withLine(line).diagnostics).toContainEqual(
      expect.objectContaining({ code, severity: 'error' }),
    )
  })

  it.each([
    ['severity: Critical', 'HR457', 'warning'],
    ['tactics: [Initial Acces]', 'HR457', 'warning'],
    ['techniques: [phishing]', 'HR457', 'warning'],
    ['entityMappings: [{entityType: Machine, fieldMappings: []}]', 'HR457', 'warning'],
    [
      'entityMappings: [{entityType: IP, fieldMappings: [{identifier: Adress, columnName: x}]}]',
      'HR458',
      'warning',
    ],
    ['tactics: {a: b}', 'HR456', 'warning'],
    ['eventGroupingSettings: {aggregationKind: All}', 'HR457', 'warning'],
    ['kind: Hunting', 'HR457', 'warning'],
    ['qeryPeriod: 1h', 'HR455', 'notice'],
    ['enabled: false', 'HR468', 'notice'],
    ['queryFrequency: 2h\nqueryPeriod: 1h', 'HR454', 'warning'],
    ['kind: Scheduled', 'HR467', 'warning'],
  ])('tells and goes on: %s', (line, code, severity) => {
    const { diagnostics } = withLine(line)
    expect(diagnostics).toContainEqual(expect.objectContaining({ code, severity }))
    expect(diagnostics.every((each) => each.severity !== 'error')).toBe(true)
  })

  it('says what was perhaps meant', () => {
    expect(withLine('qeryPeriod: 1h').diagnostics[0]?.message).toContain(
      'did you mean "queryPeriod"',
    )
    expect(identifierOf('IP', 'Adress')).toEqual({ near: 'Address' })
  })

  it.each(['query:', 'query: ""', 'query: [a, b]'])(
    'refuses a rule without a query: %s',
    (line) => {
      const text = `id: a\nname: A\nqueryFrequency: 1h\nqueryPeriod: 1h\n${line}\nseverity: Low\n`
      const { documents } = readKustoFile('yaml', text, 'a.yaml')
      expect(documents.flatMap(codesOf)).toEqual(line === 'query:' ? [] : ['HR450'])
    },
  )
})

describe('the place of a query', () => {
  const styles: readonly (readonly [string, string])[] = [
    ['a literal block', 'query: |-\n    T\n    | where a == "b"\n\n      | take 5\n'],
    ['a literal block with a given margin', 'query: |2\n    T\n    | where a == "b"\n  | take 5\n'],
    ['a folded block', 'query: >\n  T\n  | where a == "b"\n  | take 5\n'],
    ['plain text', 'query: T | where a == "b" | take 5\n'],
    ['single quotes', "query: 'T | where x == ''y'' | where a == \"b\" | take 5'\n"],
    [
      'double quotes',
      'query: "T\\n| where x == \\"\\u00e9\\"\\\n  | where a == \\"b\\"\n   | take 5"\n',
    ],
  ]
  it.each(styles)('is known in %s', (_, text) => {
    const whole = `id: a\nname: A\n${text}`
    const document = one(whole)
    expect(document.query).toContain('where')
    for (const word of ['where', 'take', '5', 'a ==']) {
      expect(placed(whole, document, word)).toBe(word)
    }
  })

  it('is never outside the file', () => {
    const whole = `id: a\nname: A\n${styles[0]?.[1] ?? ''}`
    const { place, query } = one(whole)
    const past = place({ start: query.length, end: query.length + 10 })
    expect(past.start).toBeLessThanOrEqual(whole.length)
    expect(place({ start: 0, end: 0 })).toEqual({ start: 28, end: 28 })
  })
})

describe('files of several documents', () => {
  it('give each, and a broken one with what can be told of it', () => {
    const text = `id: a\nname: A\nquery: T\n---\nid: b\nname: "B: b"\nquery: [\n---\nid: c\nname: C\nquery: U\n`
    const { documents } = read(text)
    expect(
      documents.map(({ rule, diagnostics }) => [rule.id, rule.name, diagnostics.length]),
    ).toEqual([
      ['a', 'A', 0],
      ['b', 'B: b', 1],
      ['c', 'C', 0],
    ])
    expect(documents[1]?.diagnostics[0]?.span?.start).toBeGreaterThan(text.indexOf('query: ['))
  })

  it('may be one list', () => {
    const { documents } = read('- id: a\n  name: A\n  query: T\n- id: b\n  name: B\n  query: U\n')
    expect(documents.map(({ rule }) => rule.id)).toEqual(['a', 'b'])
  })

  it('leave alone what is no rule', () => {
    expect(kustoForm('a.yml', 'name: CI\non: push\n', false)).toBeUndefined()
    expect(kustoForm('a.yml', 'title: x\ndetection:\n  a: b\nquery: T\n', true)).toBeUndefined()
    expect(readKustoFile('yaml', 'query: {a: 1}\nother: 2\n', 'a.yaml').documents).toEqual([])
  })
})

describe('a custom detection in flat YAML', () => {
  it('is read with its assets', () => {
    const { rule, query, uses, diagnostics } = one(
      [
        'guid: 00000000-0000-4000-8000-00000000000d',
        'ruleName: Odd child',
        'isEnabled: true',
        'frequency: 1H',
        'alertTitle: Odd child of {{DeviceName}}',
        'severity: High',
        'category: Execution',
        'mitreTechniques: [T1059.001]',
        'impactedEntities:',
        '  - entityType: Machine',
        '    entityIdentifier: deviceId',
        'queryText: |-',
        '  DeviceProcessEvents',
        '  | take 1',
      ].join('\n'),
    )
    expect(diagnostics).toEqual([])
    expect(query).toBe('DeviceProcessEvents\n| take 1')
    expect(rule).toMatchObject({
      form: 'defender',
      kind: 'Scheduled',
      name: 'Odd child',
      severity: 'High',
      queryFrequency: 3_600_000,
      queryPeriod: 14_400_000,
      tactics: ['Execution'],
      techniques: ['T1059.001'],
      impactedAssets: [{ name: 'machine', column: 'DeviceId' }],
      aggregationKind: 'AlertPerResult',
    })
    expect(uses.map(({ name }) => name)).toEqual(['DeviceId'])
  })
})

describe('a page of a catalogue', () => {
  const page = [
    'Detection rules › Kusto',
    '',
    'Odd names',
    '',
    'Rule body kusto',
    '',
    'id: p1',
    'name: Odd names',
    'queryFrequency: 15m',
    'queryPeriod: 15m',
    'query: |',
    '  T',
    '  | where x == 1',
    '',
    'kind: Scheduled',
    '',
    'Stages and Predicates',
    '',
    'Stage 1: source',
    '| where y',
  ].join('\n')

  it('gives its rule, placed in the page', () => {
    const document = one(page, 'page.txt')
    expect(document.diagnostics).toEqual([])
    expect(document.rule).toMatchObject({ id: 'p1', kind: 'Scheduled', queryPeriod: 900_000 })
    expect(document.query).toBe('T\n| where x == 1\n')
    expect(placed(page, document, 'x == 1')).toBe('x == 1')
  })

  it('whose rule is broken says where', () => {
    const text = page.replace('name: Odd names', 'name: [')
    const document = one(text, 'page.txt')
    expect(codesOf(document)).toEqual(['HR001'])
    expect(document.diagnostics[0]?.span?.start).toBeGreaterThan(text.indexOf('Rule body'))
  })
})

describe('lengths of time', () => {
  it.each([
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['14d', 1_209_600_000],
    ['90s', 90_000],
    ['1.5h', 5_400_000],
    ['PT15M', 900_000],
    ['P1D', 86_400_000],
    ['P1DT12H', 129_600_000],
    ['P2W', 1_209_600_000],
    ['1.00:00:00', 86_400_000],
    ['00:05:00', 300_000],
    ['0:30', 1_800_000],
    ['24H', 86_400_000],
  ])('%s', (text, ms) => {
    expect(readDuration(text)).toBe(ms)
  })

  it.each([
    '',
    'P',
    'PT',
    'P1M',
    '1y',
    '-1h',
    '1h2',
    '25:00:00',
    '1:60:00',
    '999999d',
    'ago(1h)',
    '5',
  ])('is not %s', (text) => {
    expect(readDuration(text)).toBeUndefined()
  })

  it('are printed in whole units', () => {
    expect([86_400_000, 5_400_000, 1_500].map(printDuration)).toEqual(['1d', '90m', '1500ms'])
  })
})

describe('columns of old rules', () => {
  it('stand for entities by their names', () => {
    expect(legacyEntities(['TimeGenerated', 'IPCustomEntity', 'accountcustomentity'])).toEqual([
      {
        entityType: 'Account',
        fieldMappings: [{ identifier: 'FullName', columnName: 'accountcustomentity' }],
      },
      {
        entityType: 'IP',
        fieldMappings: [{ identifier: 'Address', columnName: 'IPCustomEntity' }],
      },
    ])
  })
})

describe('hostile files', () => {
  it('with aliases, deep nesting or too many nodes are refused', () => {
    const bomb = 'a: &a [x, x]\nb: &b [*a, *a]\nquery: T\nname: A\n'
    expect(codesOf(one(bomb))).toEqual(['HR002'])
    const deep = `name: A\nquery: T\nx: ${'['.repeat(500)}${']'.repeat(500)}\n`
    expect(codesOf(one(deep))).toEqual(['HR001'])
    const wide = `name: A\nquery: T\nx: [${'a,'.repeat(limits.yamlNodes * 2)}a]\n`
    expect(codesOf(one(wide))).toEqual(['HR004'])
  })

  it('with names of the language itself change nothing', () => {
    const { rule, diagnostics } = one(
      '__proto__: {polluted: true}\nconstructor: 1\nid: a\nname: A\nquery: T\ncustomDetails: {__proto__: toString}\n',
    )
    expect(rule.customDetails).toEqual([{ name: '__proto__', column: 'toString' }])
    expect(rule.custom.get('constructor')).toBe(1)
    expect(diagnostics.map((each) => each.code)).toEqual(['HR455', 'HR455'])
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })

  it('with endless formats end soon', () => {
    const braces = '{{'.repeat(50_000)
    const start = performance.now()
    one(`id: a\nname: A\nquery: T\nalertDetailsOverride: {alertDisplayNameFormat: '${braces}'}\n`)
    expect(performance.now() - start).toBeLessThan(10_000)
  })
})
