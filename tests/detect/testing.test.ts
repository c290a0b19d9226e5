/** Tests of rules, run: our own files, SigmaHQ's regression data, and the tests of Splunk content. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { testBench } from '../support/bench.ts'

const desk = testBench()
const RULES = fileURLToPath(new URL('../../content/rules', import.meta.url))

const sigma = (id: string) => `title: Whoami by alice
id: ${id}
status: test
level: high
logsource: {category: process_creation, product: windows}
detection:
  s: {Image|endswith: '\\whoami.exe', User: alice}
  condition: s
`
const sysmon = (user: string) =>
  JSON.stringify({
    EventID: 1,
    Channel: 'Microsoft-Windows-Sysmon/Operational',
    Provider_Name: 'Microsoft-Windows-Sysmon',
    Computer: 'pc.example',
    UtcTime: '2026-02-01 10:00:00.000',
    Image: 'C:\\Windows\\System32\\whoami.exe',
    User: user,
  })

const said = (results: Awaited<ReturnType<typeof desk.tested>>) =>
  results
    .map(
      ({ state, name, reasons }) =>
        `${state} ${name}${reasons.map((each) => `; ${each}`).join('')}`,
    )
    .sort()

describe('tests of our own', () => {
  it('pass for the starter rules', async () => {
    const results = await desk.tested([RULES])
    expect(results.filter(({ state }) => state !== 'passed')).toEqual([])
    const languages = new Set(results.map(({ rule }) => rule?.language))
    expect([...languages].sort()).toEqual(['kusto', 'sigma', 'spl'])
  }, 240_000)

  it('fail with what was expected and what was found, and where the rule came nearest', async () => {
    desk.write('own/whoami.yml', sigma('a7c0a1c2-55ee-4a3b-8b52-0f5f0c1d0001'))
    desk.write('own/bob.jsonl', `${sysmon('bob')}\n`)
    desk.write(
      'own/tests/whoami.test.yml',
      `tests:
  - {name: found, events: ['${sysmon('alice').replaceAll("'", "''")}'], fires: 1, fields: {User: alice}}
  - {name: missed, events: ['${sysmon('bob')}'], fires: at least 2}
  - {name: loud, events: ['${sysmon('alice')}'], fires: false}
  - {name: empty, events: ['{"a": 1}'], fires: 1}
  - {name: idle, events: ['{"a": 1}'], fires: false}
  - {name: quiet, events: ['${sysmon('bob')}'], fires: false}
  - {name: unknown, rule: no such rule, events: [x], fires: 1}
`,
    )
    const results = await desk.tested([join(desk.folder, 'own')])
    expect(said(results)).toEqual([
      'broken unknown; no rule is called "no such rule" here',
      'failed empty; expected 1, found none; no event of the test is of a source that the rule reads',
      'failed idle; no event of the test is of a source that the rule reads, so that it proves nothing',
      'failed loud; expected none, found 1',
      'failed missed; expected at least 2, found none',
      'passed found',
      'passed quiet',
    ])
    const missed = results.find(({ name }) => name === 'missed')
    expect(missed).toMatchObject({
      line: 3,
      nearest: ['a filter leaves nothing of 1 row', 'met by no row: match.equals(User, "alice")'],
    })
  })

  it('may have steps, of which earlier ones write what later ones read', async () => {
    const search = (name: string, type: string, text: string) => `name: ${name}
id: 55232d97-7f83-49db-9f31-${name.length.toString().padStart(12, '0')}
version: 1
date: '2026-01-01'
author: x
status: production
type: ${type}
description: d
search: '${text}'
`
    const events = 'sourcetype="aws:cloudtrail"'
    desk.write(
      'steps/known.yml',
      search(
        'Known Users',
        'Baseline',
        `${events} | stats count by userName | outputlookup known_users`,
      ),
    )
    desk.write(
      'steps/new.yml',
      search(
        'New User Of A Cloud',
        'TTP',
        `${events} | stats count by userName | lookup known_users userName OUTPUT count as seen | where isnull(seen)`,
      ),
    )
    desk.write(
      'steps/lookups/known_users.yml',
      'name: known_users\nlookup_type: kvstore\nfields: [_key, userName, count]\ndescription: d\n',
    )
    const call = (user: string) =>
      `{eventVersion: "1.08", eventTime: "2026-02-01T10:00:00Z", eventSource: s3.amazonaws.com, eventName: GetObject, userName: ${user}, sourcetype: "aws:cloudtrail", awsRegion: x, userIdentity: {type: IAMUser}}`
    desk.write(
      'steps/new.test.yml',
      `tests:
  - name: known by now
    events: [${call('ann')}, ${call('bea')}]
    steps:
      - {rule: known.yml, write: true}
      - {fires: false}
  - name: nothing known
    events: [${call('ann')}, ${call('bea')}]
    steps:
      - {rule: Known Users, fires: false}
      - {fires: 2}
`,
    )
    expect(said(await desk.tested([join(desk.folder, 'steps')]))).toEqual([
      'passed known by now',
      'passed nothing known',
    ])
  })

  it('are not read as rules', async () => {
    const rules = await desk.rules(join(desk.folder, 'own'))
    expect(rules.map(({ title }) => title)).toEqual(['Whoami by alice'])
  })
})

describe('regression data of Sigma', () => {
  it('is found by the id of its rule, and beside its info only', async () => {
    const id = 'a7c0a1c2-55ee-4a3b-8b52-0f5f0c1d0002'
    const info = (
      path: string,
      count: number | string,
      rule = id,
    ) => `rule_metadata: [{id: ${rule}, title: t}]
regression_tests_info:
  - {name: positive, type: json, match_count: ${count}, path: ${path}}
`
    desk.write(
      'sigma/rules/a.yml',
      `${sigma(id)}regression_tests_path: regression_data/a/info.yml\n`,
    )
    desk.write(
      'sigma/rules/b.yml',
      `${sigma(id.replace(/2$/, '3'))}regression_tests_path: x/info.yml\n`,
    )
    desk.write('sigma/regression_data/a/x.json', `${sysmon('alice')}\n${sysmon('alice')}\n`)
    desk.write('sigma/regression_data/a/info.yml', info('regression_data/elsewhere/x.json', 2))
    desk.write('sigma/regression_data/b/info.yml', info('/etc/passwd', 1))
    desk.write('sigma/regression_data/c/info.yml', info('x.json', 1, 'none'))
    desk.write('sigma/regression_data/d/info.yml', info('x.json', 'many'))
    desk.write('sigma/regression_data/e/info.yml', 'name: another kind of info\n')
    expect(said(await desk.tested([join(desk.folder, 'sigma')]))).toEqual([
      'broken positive; match_count is no number of matches',
      'passed positive',
      'skipped positive; its rule none is not here',
      'skipped positive; passwd: it is not there',
      'skipped regression; its regression data is not here (--regression-data FOLDER)',
    ])
  })
})

describe('tests of Splunk content', () => {
  const DATA = 'https://media.githubusercontent.com/media/splunk/attack_data/master/datasets'
  const rule = (name: string, tests: string) => `name: ${name}
id: 55232d97-7f83-49db-9f31-9${String(name.length).padStart(11, '0')}
version: 1
date: '2026-01-01'
author: x
status: production
type: TTP
description: d
search: '| tstats count min(_time) as firstTime from datamodel=Endpoint.Processes where Processes.process_name=whoami.exe by Processes.dest Processes.user | rename Processes.* as *'
rba:
  message: $user$ on $dest$$nowhere$
  risk_objects: [{field: dest, type: system, score: 20}, {field: user, type: user, score: 20}]
  threat_objects: [{field: process_name, type: process_name}]
tags: {security_domain: endpoint}
tests:
${tests}`
  const test = (path: string, more = '') =>
    `- name: ${path}\n  attack_data:\n  - {data: '${DATA}/${path}', source: s, sourcetype: XmlWinEventLog}\n${more}`

  it('are judged as their publisher does, and skipped without their data', async () => {
    desk.write('data/datasets/T1/a.log', `${sysmon('alice')}\n`)
    desk.write(
      'data/datasets/T1/pointer.log',
      'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n',
    )
    desk.write(
      'escu/a.yml',
      rule(
        'Whoami',
        test('T1/a.log') +
          test('T1/b.log') +
          test('T1/pointer.log') +
          test('../../x.log') +
          test('T1/m.log', '  test_type: manual\n'),
      ),
    )
    const escu = [join(desk.folder, 'escu')]
    expect(said(await desk.tested(escu, { attackData: join(desk.folder, 'data') }))).toEqual([
      'broken ../../x.log; datasets/../../x.log: it is outside of its folder',
      'failed T1/a.log; the threat object process_name is missing in every row; the risk message has no value for $nowhere$ in 1 findings',
      'skipped T1/b.log; datasets/T1/b.log: it is not there',
      'skipped T1/m.log; its publisher runs it by hand',
      'skipped T1/pointer.log; datasets/T1/pointer.log: only a pointer of Git LFS is here, not the file (git lfs pull)',
    ])
    const without = await desk.tested(escu)
    expect(without.map(({ state }) => state).every((each) => each === 'skipped')).toBe(true)
  })
})
