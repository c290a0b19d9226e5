/** Files of Splunk content: three generations of detections, what stands beside them, and where their searches stand. */
import { describe, expect, it } from 'vitest'
import type { Beside } from '../../src/dialects/spl/app.ts'
import { readSplFile, splForm } from '../../src/dialects/spl/document.ts'
import { deployed, severityOfScores, tagsOf } from '../../src/dialects/spl/rule.ts'

function read(text: string, file = 'rules/a.yml', beside: Beside = {}) {
  const form = splForm(file, text, true)
  if (form === undefined) throw new Error('not SPL')
  return readSplFile(form, text, file, beside)
}

function one(text: string, file?: string) {
  const [document] = read(text, file).documents
  if (document === undefined) throw new Error('no document')
  return document
}

const codes = (text: string, file?: string): readonly string[] => {
  const { documents, diagnostics } = read(text, file)
  return [...diagnostics, ...documents.flatMap((each) => each.diagnostics)].map(({ code }) => code)
}

const head = (type: string): string => `name: Odd program
id: 0d0c6a2e-1b1b-4f5e-9a55-0c1f6a3b9d10
version: 3
author: A. Person
status: production
type: ${type}
description: Finds an odd program.
`

describe('a detection', () => {
  it('of the first generation has its risk in tags', () => {
    const { rule, diagnostics } = one(`${head('TTP')}date: '2024-05-06'
data_source: [Sysmon EventID 1]
search: index=a | stats count by dest user process
how_to_implement: Collect it.
known_false_positives: None.
references: [https://example.org/a]
drilldown_searches:
- name: Show $dest$
  search: '%original_detection_search% | search dest="$dest$"'
  earliest_offset: $info_min_time$
  latest_offset: $info_max_time$
tags:
  analytic_story: [Odd things]
  asset_type: Endpoint
  confidence: 80
  impact: 80
  risk_score: 64
  message: $user$ ran $process$ on $dest$
  mitre_attack_id: [T1059, T1059.001]
  cve: [CVE-2024-0001]
  observable:
  - {name: dest, type: Hostname, role: [Victim]}
  - {name: user, type: User, role: [Victim]}
  - {name: file, type: File Name, role: [Victim]}
  - {name: process, type: Process, role: [Attacker]}
  - {name: query, type: URL String, role: [Attacker]}
  - {name: other, type: Other, role: [Other]}
  product: [Splunk Enterprise]
  required_fields: [dest]
  security_domain: endpoint
tests:
- name: True positive
  attack_data:
  - {data: 'https://example.org/data.log', source: S, sourcetype: T}
`)
    expect(diagnostics).toEqual([])
    expect(rule).toMatchObject({
      type: 'TTP',
      date: '2024-05-06',
      severity: 'high',
      riskMessage: '$user$ ran $process$ on $dest$',
      riskObjects: [
        { field: 'dest', type: 'system', score: 64 },
        { field: 'user', type: 'user', score: 64 },
        { field: 'file', type: 'other', score: 64 },
      ],
      threatObjects: [
        { field: 'process', type: 'process' },
        { field: 'query', type: 'url' },
      ],
      stories: ['Odd things'],
      techniques: ['T1059', 'T1059.001'],
      securityDomain: 'endpoint',
      drilldowns: [{ name: 'Show $dest$', earliest: '$info_min_time$' }],
      tests: [{ name: 'True positive', type: 'unit', data: [{ source: 'S', sourcetype: 'T' }] }],
    })
    expect(tagsOf(rule)).toEqual(['attack.t1059', 'attack.t1059.001', 'cve.2024-0001'])
  })

  it('of the second generation has its risk under rba, and may be throttled', () => {
    const { rule, diagnostics, fieldSpans } = one(`${head('Anomaly')}date: '2025-05-06'
search: index=a | stats count by dest user
rba:
  message: odd on $dest$
  risk_objects:
  - {field: dest, type: system, score: 30}
  - {field: user, type: user, score: 81}
  threat_objects:
  - {field: process_name, type: process_name}
tags:
  security_domain: endpoint
  throttling: {fields: [dest, user], period: 2h}
`)
    expect(diagnostics).toEqual([])
    expect(rule).toMatchObject({
      severity: 'critical',
      hasRisk: true,
      riskObjects: [
        { field: 'dest', type: 'system', score: 30 },
        { field: 'user', type: 'user', score: 81 },
      ],
      threatObjects: [{ field: 'process_name', type: 'process_name' }],
      throttling: { fields: ['dest', 'user'], seconds: 7_200 },
    })
    expect([...fieldSpans.keys()].sort()).toEqual(['dest', 'process_name', 'user'])
  })

  it('of the third generation has findings, and all else at the top', () => {
    const { rule, diagnostics } = one(`${head('TTP')}creation_date: '2026-01-02'
modification_date: '2026-03-04'
search: index=a | stats count by dest
finding:
  title: odd on $dest$
  entity: {field: dest, type: system, score: 50}
threat_objects:
- {field: process_hash, type: process_hash}
analytic_story: [Odd things]
mitre_attack_id: [t1195.002]
asset_type: Endpoint
security_domain: network
category: [Malware]
product: [Splunk Enterprise Security]
tests:
- name: T
  test_type: experimental
  attack_data: []
`)
    expect(diagnostics).toEqual([])
    expect(rule).toMatchObject({
      date: '2026-01-02',
      modified: '2026-03-04',
      severity: 'medium',
      riskMessage: 'odd on $dest$',
      riskObjects: [{ field: 'dest', type: 'system', score: 50 }],
      threatObjects: [{ field: 'process_hash', type: 'process_hash' }],
      techniques: ['T1195.002'],
      securityDomain: 'network',
      tests: [{ type: 'experimental', data: [] }],
    })
  })

  it('that makes intermediate findings has a message for each entity', () => {
    const { rule } = one(`${head('Anomaly')}search: index=a
intermediate_findings:
  entities:
  - {field: dest, type: system, score: 20, message: odd on $dest$}
  - {field: user, type: user, score: 10, message: odd by $user$}
`)
    expect(rule.riskMessage).toBe('odd on $dest$')
    expect(rule.riskObjects).toEqual([
      { field: 'dest', type: 'system', score: 20, message: 'odd on $dest$' },
      { field: 'user', type: 'user', score: 10, message: 'odd by $user$' },
    ])
    expect(rule.severity).toBe('informational')
  })

  it('tells what is unknown and what has the wrong type, and loses nothing', () => {
    const text = `${head('TTP')}search: index=a
serch: index=b
rba:
  message: m
  risk_objects:
  - {field: dest, type: computer, score: 300}
tags: {throttling: {fields: [dest], period: soon}, mitre_attack_id: [TA0001], observables: []}
references: {a: b}
`
    expect([...codes(text)].sort()).toEqual([
      'HR456',
      'HR456',
      'HR457',
      'HR457',
      'HR551',
      'HR551',
      'HR552',
    ])
    expect(one(text).rule.custom.get('serch')).toBe('index=b')
  })

  it('without a search is refused, and so is one that is no valid YAML', () => {
    expect(codes(`${head('TTP')}search: ''\n`)).toEqual(['HR550'])
    expect(codes(`${head('TTP')}how_to_implement: x\n`)).toEqual(['HR550'])
    const broken = `${head('TTP')}search: index=a\nbad: [\n`
    expect(codes(broken)).toEqual(['HR001'])
    expect(one(broken).rule.name).toBe('Odd program')
  })

  it('that asks a person for values is refused with their names', () => {
    const text = `${head('Investigation')}inputs: [dest, user]\nsearch: index=a dest=$dest$\n`
    const [diagnostic] = one(text).diagnostics
    expect(diagnostic?.code).toBe('HR553')
    expect(diagnostic?.message).toContain('dest, user')
  })

  it.each([
    ['a plain text', 'search: index=a | bad x\n'],
    ['a text between quotes', "search: '| tstats count\n  | bad x'\n"],
    ['a text at the margin', "search: '| tstats count\n| bad x'\n"],
    ['a literal block', 'search: |\n  index=a\n  | bad x\n'],
    ['a folded block', 'search: >-\n  index=a\n  | bad x\n'],
    ['escapes', 'search: "index=\\"a\\" | bad x"\n'],
  ])('stands in its file as %s', (_, text) => {
    const source = `name: N\n${text}`
    const { search, place } = one(source)
    const at = search.indexOf('bad')
    const { start, end } = place({ start: at, end: at + 3 })
    expect(source.slice(start, end)).toBe('bad')
  })
})

describe('what a type of rule means', () => {
  const rule = (type: string, more = '') => one(`${head(type)}search: index=a\n${more}`).rule

  it('is a usual schedule, and whether a hit makes a notable or a risk', () => {
    expect(deployed(rule('TTP'), [])).toMatchObject({
      schedule: { cron: '0 * * * *', earliest: '-70m@m', latest: '-10m@m', window: 'auto' },
      notable: { title: '%name%', fields: ['user', 'dest'] },
      hasRisk: true,
    })
    expect(deployed(rule('Anomaly'), []).notable).toBeUndefined()
    expect(deployed(rule('Hunting'), [])).toMatchObject({ hasRisk: false })
    expect(deployed(rule('Correlation'), [])).toMatchObject({
      notable: { title: 'RBA: %name%' },
      hasRisk: false,
    })
    expect(deployed(rule('Baseline'), [])).toMatchObject({
      schedule: { cron: '10 0 * * *', earliest: '-1450m@m' },
      severity: 'informational',
    })
  })

  it('is what the pack says of it, and what the rule says goes before that', () => {
    const { deployments } = read(`name: D
type: Anomaly
scheduling: {cron_schedule: '5 * * * *', earliest_time: -2h, latest_time: now}
alert_action: {notable: {rule_title: N, nes_fields: [src]}, rba: {enabled: false}}
`)
    expect(deployed(rule('Anomaly'), deployments)).toMatchObject({
      schedule: { cron: '5 * * * *', earliest: '-2h', latest: 'now', window: 'auto' },
      notable: { title: 'N', description: '%description%', fields: ['src'] },
      hasRisk: false,
    })
    const own = rule('Anomaly', "deployment: {scheduling: {cron_schedule: '1 * * * *'}}\n")
    expect(deployed(own, deployments).schedule).toMatchObject({
      cron: '1 * * * *',
      earliest: '-70m@m',
    })
  })

  it('is a severity by the highest score', () => {
    const severity = (...scores: readonly number[]) => severityOfScores(scores)
    expect([severity(), severity(0), severity(20), severity(21), severity(60)]).toEqual([
      'high',
      'informational',
      'informational',
      'low',
      'medium',
    ])
    expect([severity(61), severity(80, 10), severity(81), severity(100)]).toEqual([
      'high',
      'high',
      'critical',
      'critical',
    ])
  })
})

describe('what stands beside detections', () => {
  it('are macros, with the names of their arguments', () => {
    const { macros } = read("name: within(2)\narguments: [a, b]\ndefinition: 'x>$a$ x<$b$'\n")
    expect(macros).toEqual([
      { name: 'within', args: ['a', 'b'], definition: 'x>$a$ x<$b$', file: 'rules/a.yml' },
    ])
    expect(codes("name: m\ndefinition: ''\n")).toEqual(['HR554'])
  })

  it('are lookups of files, of stores, and models', () => {
    const lookup = (text: string, file = 'lookups/odd.yml') => read(text, file).lookups[0]
    expect(
      lookup(
        'name: odd\nfilename: other.csv\nmatch_type: WILDCARD(a), CIDR(b)\nmin_matches: 1\n' +
          "max_matches: 2\ncase_sensitive_match: 'false'\ndefault_match: 'none'\n",
      ),
    ).toMatchObject({
      kind: 'csv',
      source: 'other.csv',
      options: {
        match: new Map([
          ['a', 'wildcard'],
          ['b', 'cidr'],
        ]),
        minMatches: 1,
        maxMatches: 2,
        isCaseSensitive: false,
        defaultMatch: 'none',
      },
    })
    expect(lookup('name: odd\nlookup_type: csv\n')).toMatchObject({
      source: 'odd.csv',
      options: { isCaseSensitive: true, maxMatches: 100, minMatches: 0, defaultMatch: '' },
    })
    expect(lookup('name: s\nlookup_type: kvstore\nfields: [_key, a, b]\n')).toMatchObject({
      kind: 'kvstore',
      source: 's',
      fields: ['_key', 'a', 'b'],
    })
    expect(lookup('name: m\nlookup_type: mlmodel\n')?.kind).toBe('mlmodel')
  })

  it.each([
    ['name: ../odd\nlookup_type: csv\n'],
    ['name: odd\nlookup_type: external\n'],
    ['name: odd\nlookup_type: csv\nmatch_type: FUZZY(a)\n'],
    ['name: odd\nlookup_type: csv\nmax_matches: 5000\n'],
    ['name: odd\nlookup_type: csv\ncase_sensitive_match: maybe\n'],
  ])('a lookup that cannot be used is refused: %j', (text) => {
    expect(codes(text)).toEqual(['HR555'])
    expect(read(text).lookups).toEqual([])
  })

  it('are stories', () => {
    const { stories } = read(
      'name: Odd\nid: i\nnarrative: It was odd.\ntags: {category: [Malware]}\n',
    )
    expect(stories).toMatchObject([{ name: 'Odd', categories: ['Malware'] }])
  })
})

describe('an app', () => {
  const SEARCHES = `[default]
dispatch.latest_time = now

[ESCU - Odd program - Rule]
action.correlationsearch.enabled = 1
action.correlationsearch.label = ESCU - Odd program - Rule
action.correlationsearch.annotations = {"mitre_attack": ["T1059"], "analytic_story": ["Odd"], "cve": []}
action.correlationsearch.metadata = {"detection_id": "the-id", "detection_version": "4"}
action.notable = 1
action.notable.param.rule_title = odd on $dest$
action.notable.param.nes_fields = user,dest
action.notable.param.severity = medium
action.notable.param.security_domain = endpoint
action.risk = 1
action.risk.param._risk_message = odd on $dest$
action.risk.param._risk = [{"risk_object_field": "dest", "risk_object_type": "system", "risk_score": 50}, \\
{"threat_object_field": "process", "threat_object_type": "process"}]
alert.suppress = 1
alert.suppress.fields = dest
alert.suppress.period = 86400s
cron_schedule = 0 * * * *
enableSched = 1
dispatch.earliest_time = -70m@m
# a comment
search = index=a \\
| stats count by dest \\
| bad x

[plain]
search = index=b
`

  it('has saved searches with their actions', () => {
    const { documents, diagnostics } = read(SEARCHES, 'app/default/savedsearches.conf')
    expect(diagnostics).toEqual([])
    const [first, second] = documents
    expect(first?.diagnostics).toEqual([])
    expect(first?.rule).toMatchObject({
      form: 'savedsearch',
      id: 'the-id',
      name: 'ESCU - Odd program - Rule',
      severity: 'medium',
      riskObjects: [{ field: 'dest', type: 'system', score: 50 }],
      threatObjects: [{ field: 'process', type: 'process' }],
      throttling: { fields: ['dest'], seconds: 86_400 },
      schedule: { cron: '0 * * * *', earliest: '-70m@m', latest: 'now' },
      notable: { title: 'odd on $dest$', fields: ['user', 'dest'] },
      techniques: ['T1059'],
      hasRisk: true,
    })
    const at = first?.search.indexOf('bad') ?? 0
    const span = first?.place({ start: at, end: at + 3 })
    expect(SEARCHES.slice(span?.start, span?.end)).toBe('bad')
    expect(first?.search).toBe('index=a \n| stats count by dest \n| bad x')
    expect(second?.rule).toMatchObject({ name: 'plain', hasRisk: false })
    expect(second?.rule.schedule).toBeUndefined()
  })

  it('has settings of the user before those of its publisher', () => {
    const local = '[plain]\ncron_schedule = 5 * * * *\n[mine]\nsearch = index=c\n'
    const over = read(SEARCHES, 'app/default/savedsearches.conf', { over: local })
    expect(over.documents[1]?.rule.schedule?.cron).toBe('5 * * * *')
    const own = read(local, 'app/local/savedsearches.conf', { under: SEARCHES })
    expect(own.documents.map(({ rule }) => rule.name)).toEqual(['mine'])
    const replaced = '[plain]\nsearch = index=d\n'
    const rest = read(SEARCHES, 'app/default/savedsearches.conf', { over: replaced })
    expect(rest.documents.map(({ rule }) => rule.name)).toEqual(['ESCU - Odd program - Rule'])
    const mine = read(replaced, 'app/local/savedsearches.conf', { under: SEARCHES })
    expect(mine.documents[0]?.search).toBe('index=d')
  })

  it('has macros, lookups and collections', () => {
    const macros =
      '[a(1)]\nargs = x\ndefinition = f=$x$\niseval = 0\n\n[b]\ndefinition = "c"\niseval = 1\n'
    expect(read(macros, 'app/default/macros.conf').macros).toMatchObject([
      { name: 'a', args: ['x'], definition: 'f=$x$' },
      { name: 'b', args: [], isEval: true },
    ])
    const transforms =
      '[odd]\nfilename = odd.csv\nmatch_type = WILDCARD(a)\nmin_matches = 1\n\n[s]\nexternal_type = kvstore\n' +
      'collection = store\nfields_list = _key, a\n\n[extract]\nREGEX = x\n\n[t]\nfilename = t.csv\ntime_field = when\n'
    expect(read(transforms, 'app/default/transforms.conf').lookups).toMatchObject([
      { name: 'odd', kind: 'csv', source: 'odd.csv' },
      { name: 't', others: new Map([['time_field', 'when']]) },
      { name: 's', kind: 'kvstore', source: 'store', fields: ['_key', 'a'] },
    ])
    const collections = '[store]\nfield.a = string\nfield.b = number\n'
    expect(read(collections, 'app/default/collections.conf').collections).toEqual(
      new Map([['store', ['a', 'b']]]),
    )
  })

  it('may have its searches and macros in files of any name', () => {
    const search = '[a]\nsearch = index=a\ncron_schedule = 0 * * * *\n'
    expect(splForm('detections/mine.conf', search, false)).toBe('conf')
    expect(read(search, 'detections/mine.conf').documents[0]?.rule.name).toBe('a')
    expect(read('[m(1)]\nargs = x\ndefinition = $x$\n', 'mine.conf').macros).toHaveLength(1)
    expect(splForm('app.conf', '[x]\nsearch = y\n', false)).toBeUndefined()
    expect(splForm('app.conf', '[x]\ny = z\n', true)).toBeUndefined()
  })

  it('tells lines that are none of a configuration, and settings that it does not know', () => {
    expect(codes('[a]\nsearch = x\nwhat is this\n', 'default/savedsearches.conf')).toEqual([
      'HR556',
    ])
    expect(codes('[a]\nsearch = x\nserach = y\n', 'default/savedsearches.conf')).toEqual(['HR551'])
  })
})

describe('a page', () => {
  const PAGE = `ID | Technique | Tactic |
---|---|---|
T1105 | Transfer | Command |
Detection: Odd - Download of a Thing
Description
It finds things
that are odd.
Search
1\`odd_source\`
2| rex field=command "(?i)(?:get
3|fetch)\\"[^
4|]+ (?P<thing>\\S+)"
5
6| stats count by thing src
7| \`odd___download_of_a_thing_filter\`
Macros Used
Name | Value |
---|---|
odd_source | sourcetype="a" OR sourcetype="b" |
odd_time | convert timeformat="%H | %M" ctime($field$) |
odd___download_of_a_thing_filter | search * |
Default Configuration
Setting | Value |
---|---|
Cron Schedule | 0 * * * * |
Earliest Time | -70m@m |
Latest Time | -10m@m |
Creates Notable | Yes |
Rule Title | %name% |
Rule Description | %description% |
Notable Event Fields | user, dest |
Creates Risk Event | True |
Risk Based Analytics (RBA)
Risk Message:
$src$ got $thing$
Risk Object | Risk Object Type | Risk Score | Threat Objects |
---|---|---|---|
src | system | 60 | thing |
References
-
https://example.org/a
`

  it('gives its search without numbers and without the breaks within strings', () => {
    const { search, rule, macros, place } = one(PAGE, 'page.txt')
    expect(search).toBe(
      '`odd_source`\n' +
        '| rex field=command "(?i)(?:get|fetch)\\"[^|]+ (?P<thing>\\S+)"\n\n' +
        '| stats count by thing src\n' +
        '| `odd___download_of_a_thing_filter`',
    )
    const at = search.indexOf('thing src')
    const { start } = place({ start: at, end: at + 1 })
    expect(PAGE.slice(start, start + 9)).toBe('thing src')
    expect(macros).toEqual([
      { name: 'odd_source', args: [], definition: 'sourcetype="a" OR sourcetype="b"' },
      {
        name: 'odd_time',
        args: ['field'],
        definition: 'convert timeformat="%H | %M" ctime($field$)',
      },
      { name: 'odd___download_of_a_thing_filter', args: [], definition: 'search *' },
    ])
    expect(rule).toMatchObject({
      form: 'page',
      name: 'Odd - Download of a Thing',
      type: 'TTP',
      severity: 'medium',
      techniques: ['T1105'],
      riskMessage: '$src$ got $thing$',
      riskObjects: [{ field: 'src', type: 'system', score: 60 }],
      threatObjects: [{ field: 'thing', type: '' }],
      schedule: { cron: '0 * * * *', earliest: '-70m@m' },
      notable: { title: '%name%', fields: ['user', 'dest'] },
      references: ['https://example.org/a'],
    })
  })

  it('of the older form has its message and score in one row', () => {
    const old = PAGE.replace(
      /Risk Message:[\s\S]*?References/,
      'Risk Message | Risk Score | Impact | Confidence |\n---|---|---|---|\nodd on $src$ | 36 | 60 | 60 |\nReferences',
    )
    const read = one(old, 'page.txt')
    expect(read.rule).toMatchObject({
      riskMessage: 'odd on $src$',
      riskObjects: [{ field: 'src', type: 'system', score: 36 }],
      severity: 'low',
    })
    expect(read.diagnostics.map(({ code }) => code)).toEqual(['HR560'])
    const none = one(old.replace('$src$', '$thing$'), 'page.txt')
    expect(none.rule.riskObjects).toEqual([])
    expect(none.diagnostics).toEqual([])
  })
})

describe('searches that stand alone', () => {
  const FENCE = '```'

  it('are files, named by it, with their first comment as what they say', () => {
    const { rule, search } = one(`${FENCE} Odd things ${FENCE}\nindex=a`, 'x/odd_things.spl')
    expect(rule).toMatchObject({ form: 'search', name: 'odd_things', description: 'Odd things' })
    expect(search).toContain('index=a')
    expect(rule.id).toMatch(/^spl-[0-9a-f]{16}$/)
  })

  it('are blocks of Markdown, with comments of backticks in them', () => {
    const text = [
      '# Hunt',
      `${FENCE}spl`,
      `${FENCE} a comment ${FENCE}`,
      '| tstats count',
      FENCE,
      `${FENCE}kql`,
      'T',
      FENCE,
      `${FENCE}splunk`,
      'index=a',
      FENCE,
    ].join('\n')
    const { documents } = read(text, 'hunt.md')
    expect(documents.map(({ rule }) => rule.name)).toEqual(['Hunt', 'Hunt (2)'])
    expect(documents[0]?.search).toBe(`${FENCE} a comment ${FENCE}\n| tstats count`)
  })

  it('are told from queries of other languages by how they begin', () => {
    const form = (text: string, file = 'q.txt') => splForm(file, text, true)
    expect(form('| tstats count')).toBe('search')
    expect(form('index=a | head 1')).toBe('search')
    expect(form('`sysmon` EventCode=1')).toBe('search')
    expect(form('SigninLogs | take 10')).toBeUndefined()
    expect(form('let x = 1;\n| where x')).toBeUndefined()
    expect(form('query: |\n  T | take 1\nname: n\n', 'q.yml')).toBeUndefined()
    expect(form('title: t\ndetection:\n  s: {a: b}\nfilename: x\n', 'q.yml')).toBeUndefined()
    expect(splForm('notes.txt', '| tstats count', false)).toBeUndefined()
  })
})

describe('damaged files', () => {
  const whole: readonly (readonly [string, string])[] = [
    [
      'a.yml',
      `${head('TTP')}search: 'index=a\n| stats count'\nrba: {message: $a$, risk_objects: [{field: a, type: user, score: 1}]}\n`,
    ],
    ['lookups/a.yml', 'name: odd\nlookup_type: csv\nmatch_type: WILDCARD(a)\nmax_matches: 3\n'],
    [
      'default/savedsearches.conf',
      '[a]\nsearch = index=a \\\n| head\naction.risk.param._risk = [{"a": 1}]\n',
    ],
    ['default/transforms.conf', '[a]\nfilename = a.csv\nmatch_type = CIDR(a)\n'],
    [
      'page.txt',
      'Detection: A\nSearch\n1index=a\n2| rex "(a\n3|b)"\nMacros Used\na | b |\nReferences\n',
    ],
    ['a.md', '# A\n```spl\nindex=a\n```\n'],
  ]

  it.each(whole)(
    '%s is read or refused at every cut, and its searches have places',
    (file, text) => {
      for (let end = 0; end <= text.length; end++) {
        const cut = text.slice(0, end)
        const form = splForm(file, cut, true)
        if (form === undefined) continue
        const { documents } = readSplFile(form, cut, file)
        for (const { search, place } of documents) {
          const span = place({ start: 0, end: search.length })
          expect(span.start).toBeGreaterThanOrEqual(0)
          expect(span.end).toBeLessThanOrEqual(cut.length)
        }
      }
    },
  )

  it('with names of the runtime for keys change nothing but what they say', () => {
    const text = `${head('TTP')}search: index=a\n__proto__: {form: x}\nconstructor: y\n`
    expect(one(text).rule.form).toBe('detection')
    const conf = '[__proto__]\nsearch = index=a\n__proto__ = x\n'
    expect(read(conf, 'default/savedsearches.conf').documents[0]?.rule.name).toBe('__proto__')
  })

  it('of great length are read in time', () => {
    const long = 'x'.repeat(300_000)
    const bars = '|'.repeat(300_000)
    for (const text of [
      long,
      bars,
      ' '.repeat(300_000),
      '`'.repeat(300_000),
      '$'.repeat(300_000),
    ]) {
      for (const file of ['a.txt', 'a.conf', 'a.md', 'a.yml', 'a.spl']) {
        const form = splForm(file, text, true)
        if (form !== undefined) readSplFile(form, text, file)
      }
      read(`Detection: A\nSearch\n1${text}\nMacros Used\na | ${text}\n`, 'a.txt')
      read(
        `[a]\nsearch = ${text}\naction.risk.param._risk_message = ${text}\n`,
        'savedsearches.conf',
      )
    }
  })
})
