/** Kusto rules in JSON: templates, lists, single rules, custom detections, and packs of one object a line. */
import { describe, expect, it } from 'vitest'
import { readJsonNode } from '../../src/core/jsonnode.ts'
import { limits } from '../../src/core/limits.ts'
import { plainOf } from '../../src/core/yaml.ts'
import { kustoForm, readKustoFile } from '../../src/dialects/kusto/document.ts'

function read(content: unknown, file = 'rules.json') {
  const text = typeof content === 'string' ? content : JSON.stringify(content, null, 2)
  const form = kustoForm(file, text, true)
  if (form === undefined) throw new Error('not Kusto')
  return { text, ...readKustoFile(form, text, file) }
}

const ID = '0a0b0c0d-0000-4000-8000-000000000001'
const PROPERTIES = {
  displayName: 'Rare "thing"',
  description: 'Finds it.',
  severity: 'High',
  enabled: true,
  query: 'T\n| where a == "b\\\\c"\n| summarize n = count() by Account',
  queryFrequency: 'PT1H',
  queryPeriod: 'P1D',
  triggerOperator: 'GreaterThan',
  triggerThreshold: 0,
  suppressionDuration: 'PT1H',
  suppressionEnabled: false,
  tactics: ['Execution'],
  techniques: ['T1059'],
  entityMappings: [
    {
      entityType: 'Account',
      fieldMappings: [{ identifier: 'FullName', columnName: 'Account' }],
    },
  ],
  customDetails: null,
  alertRuleTemplateName: null,
  templateVersion: '1.0.0',
}
const RESOURCE = {
  id: `[concat(resourceId('x'), '/alertRules/${ID}')]`,
  name: `[concat(parameters('workspace'),'/Microsoft.SecurityInsights/${ID}')]`,
  type: 'Microsoft.OperationalInsights/workspaces/providers/alertRules',
  kind: 'Scheduled',
  apiVersion: '2023-12-01-preview',
  properties: PROPERTIES,
}
const template = (...resources: readonly unknown[]) => ({
  $schema: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',
  contentVersion: '1.0.0.0',
  parameters: { workspace: { type: 'String' } },
  resources,
})

describe('a template', () => {
  it('gives its rules with all their fields', () => {
    const { documents, diagnostics } = read(template(RESOURCE, { type: 'Other', properties: {} }))
    expect(diagnostics).toEqual([])
    expect(documents.length).toBe(1)
    expect(documents[0]?.diagnostics).toEqual([])
    expect(documents[0]?.query).toBe(PROPERTIES.query)
    expect(documents[0]?.rule).toMatchObject({
      form: 'sentinel',
      id: ID,
      name: 'Rare "thing"',
      kind: 'Scheduled',
      severity: 'High',
      queryFrequency: 3_600_000,
      queryPeriod: 86_400_000,
      version: '1.0.0',
      suppression: { enabled: false, duration: 3_600_000 },
      techniques: ['T1059'],
      entityMappings: [{ entityType: 'Account' }],
    })
  })

  it('places each word of a query between its escapes', () => {
    const { text, documents } = read(template(RESOURCE))
    const [document] = documents
    for (const word of ['where', 'summarize', 'Account']) {
      const start = document?.query.indexOf(word) ?? -1
      const span = document?.place({ start, end: start + word.length })
      expect(text.slice(span?.start, span?.end)).toBe(word)
      expect(span?.start).toBeGreaterThan(text.indexOf('"query"'))
    }
  })

  it('may hold templates inside, and resources by name', () => {
    const inner = { ...RESOURCE, type: 'Microsoft.SecurityInsights/AlertRuleTemplates' }
    const content = { type: 'contentTemplates', properties: { mainTemplate: template(inner) } }
    const named = { ...template(), resources: { first: content, second: RESOURCE } }
    expect(read(named).documents.map(({ rule }) => rule.id)).toEqual([ID, ID])
  })

  it('whose query is an expression is refused', () => {
    const query = "[variables('query')]"
    const resource = { ...RESOURCE, properties: { ...PROPERTIES, query } }
    const [document] = read(template(resource)).documents
    expect(document?.diagnostics[0]).toMatchObject({ code: 'HR463', severity: 'error' })
    const literal = { ...RESOURCE, properties: { ...PROPERTIES, query: "[['My table'] | take 1]" } }
    const [escaped] = read(template(literal)).documents
    expect(escaped?.query).toBe("['My table'] | take 1]")
    const plain = { kind: 'Scheduled', properties: { ...PROPERTIES, query: "['a b']" } }
    expect(read(plain).documents[0]?.diagnostics).toEqual([])
  })

  it('gives saved searches as hunting queries and functions, and watchlists', () => {
    const type = 'Microsoft.OperationalInsights/workspaces/savedSearches'
    const { documents, functions, watchlists, diagnostics } = read(
      template(
        {
          type,
          name: 'hunt',
          properties: {
            eTag: '*',
            displayName: 'Hunt',
            category: 'Hunting Queries',
            query: 'T | take 1',
            version: 2,
            tags: [
              { name: 'description', value: 'Looks.' },
              { name: 'tactics', value: 'Execution,Impact' },
              { name: 'techniques', value: 'T1059,T1486' },
            ],
          },
        },
        {
          type,
          properties: {
            displayName: 'F',
            category: 'Functions',
            functionAlias: 'MyFunction',
            functionParameters: "a:string='*', since:datetime=datetime(null)",
            query: 'T | where x == a',
          },
        },
        {
          type: 'Microsoft.OperationalInsights/workspaces/providers/Watchlists',
          properties: {
            watchlistAlias: 'vip',
            rawContent: 'User,Rank\na,1\n',
            itemsSearchKey: 'User',
          },
        },
      ),
    )
    expect(diagnostics).toEqual([])
    expect(documents.map(({ rule, diagnostics: own }) => [rule, own])).toMatchObject([
      [
        {
          form: 'hunting',
          name: 'Hunt',
          description: 'Looks.',
          tactics: ['Execution', 'Impact'],
          techniques: ['T1059', 'T1486'],
        },
        [],
      ],
    ])
    expect(functions).toMatchObject([
      {
        name: 'MyFunction',
        parameters: [
          { name: 'a', type: 'string', fallback: "'*'" },
          { name: 'since', type: 'datetime', fallback: 'datetime(null)' },
        ],
        body: 'T | where x == a',
      },
    ])
    expect(watchlists).toEqual([
      { alias: 'vip', columns: ['User', 'Rank'], rows: [['a', '1']], searchKey: 'User' },
    ])
  })
})

describe('other forms', () => {
  it('are lists of the interface, single rules and flat rules', () => {
    const bare = { kind: 'NRT', name: ID, properties: { displayName: 'N', query: 'T' } }
    expect(read({ value: [RESOURCE, bare] }).documents.length).toBe(2)
    expect(read([RESOURCE]).documents.length).toBe(1)
    expect(read(bare).documents[0]?.rule).toMatchObject({ id: ID, kind: 'NRT', name: 'N' })
    expect(read({ id: 'x', name: 'Flat', query: 'T' }).documents[0]?.rule.name).toBe('Flat')
    const service = { kind: 'Fusion', properties: { severity: 'High', enabled: true } }
    expect(read(service).documents[0]?.diagnostics[0]?.code).toBe('HR451')
  })

  it('are custom detections of the Graph interface', () => {
    const { documents } = read({
      '@odata.type': '#microsoft.graph.security.detectionRule',
      id: '7506',
      displayName: 'Odd child',
      isEnabled: true,
      queryCondition: { queryText: 'DeviceProcessEvents\r\n| take 1' },
      schedule: { period: '12H' },
      detectionAction: {
        alertTemplate: {
          title: 'Odd child of {{DeviceName}}',
          description: 'It is odd.',
          severity: 'medium',
          category: 'Malware',
          mitreTechniques: ['T1059.001'],
          impactedAssets: [
            {
              '@odata.type': '#microsoft.graph.security.impactedDeviceAsset',
              identifier: 'deviceId',
            },
            {
              '@odata.type': '#microsoft.graph.security.impactedUserAsset',
              identifier: 'initiatingProcessAccountUpn',
            },
          ],
        },
        responseActions: [{ '@odata.type': '#microsoft.graph.security.isolateDevice' }],
      },
    })
    expect(documents[0]?.diagnostics).toEqual([])
    expect(documents[0]?.rule).toMatchObject({
      form: 'defender',
      name: 'Odd child',
      severity: 'Medium',
      tactics: [],
      techniques: ['T1059.001'],
      queryFrequency: 43_200_000,
      queryPeriod: 172_800_000,
      alertDetailsOverride: { displayNameFormat: 'Odd child of {{DeviceName}}' },
      impactedAssets: [
        { name: 'device', column: 'DeviceId' },
        { name: 'user', column: 'InitiatingProcessAccountUpn' },
      ],
      actions: [{ '@odata.type': '#microsoft.graph.security.isolateDevice' }],
    })
    const never = {
      displayName: 'x',
      queryCondition: { queryText: '' },
      schedule: { period: '9Q' },
    }
    expect(read(never).documents[0]?.diagnostics.map((each) => each.code)).toEqual([
      'HR453',
      'HR450',
    ])
  })

  it('are left alone below a folder when they are no rules', () => {
    expect(kustoForm('a.json', '{"query": "example.org", "rcode": 0}', false)).toBeUndefined()
    expect(kustoForm('a.json', '{"name": "x", "version": "1"}', false)).toBeUndefined()
    expect(kustoForm('a.json', JSON.stringify(RESOURCE), false)).toBe('json')
    expect(kustoForm('a.jsonl', '{"query": "T | take 1"}', false)).toBe('pack')
  })
})

describe('a pack', () => {
  it('has a rule a line, with what is under meta', () => {
    const lines = [
      { id: 7, repo: 'r', path: 'a/b c.kql', i: 0, kind: 'md:kql', query: 'T', meta: {} },
      {
        id: 8,
        path: 'x.yaml',
        kind: 'yaml',
        query: 'U\n| take 1',
        meta: { name: 'Named', queryFrequency: '1h', queryPeriod: '1d', kind: 'Scheduled' },
      },
      { title: 'T', query: 'V', severity: 'Low' },
      { other: 1 },
    ]
    const text = `${lines.map((each) => JSON.stringify(each)).join('\r\n')}\r\n\n`
    const { documents, diagnostics } = read(text, 'pack.jsonl')
    expect(diagnostics).toEqual([])
    expect(documents.map(({ rule }) => [rule.id, rule.name, rule.kind])).toEqual([
      ['7', 'b c', undefined],
      ['8', 'Named', 'Scheduled'],
      [expect.stringMatching(/^kql-/), 'T', undefined],
    ])
    const span = documents[1]?.place({ start: 2, end: 8 })
    expect(text.slice(span?.start, span?.end)).toBe('| take')
  })

  it('tells a broken line, and goes on', () => {
    const { documents, diagnostics } = read(
      '{"query": "T"}\n{"query": \n{"query": "U"}\n',
      'p.jsonl',
    )
    expect(documents.length).toBe(2)
    expect(diagnostics).toMatchObject([{ code: 'HR460', span: { start: 25 } }])
  })
})

describe('JSON', () => {
  it.each([
    '{"a": [1, -2.5e3, true, null, "x\\u00e9\\n"], "b": {}, "c": []}',
    ' "text" ',
    '[[], {}]',
    '0',
  ])('is read as it is: %s', (text) => {
    const { node } = readJsonNode(text)
    expect(node && JSON.parse(JSON.stringify(plainOf(node)))).toEqual(JSON.parse(text))
  })

  it('may have comments and line breaks within texts', () => {
    const { node } = readJsonNode('// a\n{/* b */ "q": "T\n| take 1" // c\n}')
    expect(node && plainOf(node)).toEqual({ q: 'T\n| take 1' })
  })

  it.each([
    ['', 'HR460'],
    ['{', 'HR460'],
    ['{"a" 1}', 'HR460'],
    ['{"a": 1,}', 'HR460'],
    ['[1,]', 'HR460'],
    ['[1 2]', 'HR460'],
    ['{a: 1}', 'HR460'],
    ['"open', 'HR460'],
    ['"\\q"', 'HR460'],
    ['"\\u12"', 'HR460'],
    ['01', 'HR460'],
    ['1 2', 'HR460'],
    ['/* open', 'HR460'],
    ['nul', 'HR460'],
    ['{"a": 1, "a": 2}', 'HR003'],
    ['['.repeat(100_000), 'HR123'],
    ['{"a":'.repeat(100_000), 'HR123'],
  ])('that is broken is refused with its place: %#', (text, code) => {
    expect(readJsonNode(text).diagnostics).toMatchObject([{ code, severity: 'error' }])
  })

  it('of too many values is refused', () => {
    const text = `[${'0,'.repeat(limits.jsonNodes)}0]`
    expect(readJsonNode(text).diagnostics).toMatchObject([{ code: 'HR004' }])
  })

  it('with names of the language itself changes nothing', () => {
    const { documents } = read(
      '{"__proto__": {"x": 1}, "id": "a", "query": "T", "customDetails": {"__proto__": "y"}}',
    )
    expect(documents[0]?.rule.customDetails).toEqual([{ name: '__proto__', column: 'y' }])
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false)
  })
})
