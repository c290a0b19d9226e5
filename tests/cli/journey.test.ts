/**
 * Journeys of a user through the built program, as transcripts: what each command prints on stdout and stderr and how
 * it ends. `npx vitest run --project system tests/cli/journey.test.ts -u` writes the transcripts anew.
 */
import { mkdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { IDS, writeCase } from '../support/casefiles.ts'
import { type CallOptions, type Desk, makeDesk } from '../support/desk.ts'

let desk: Desk
beforeAll(async () => {
  desk = makeDesk()
  writeCase(desk)
})
afterAll(() => desk.close())

type Step = readonly string[] | { readonly args: readonly string[]; readonly options: CallOptions }

/** Plays the steps, so many at a time, and compares the transcript with the one that is kept. */
async function play(name: string, steps: readonly Step[], atOnce = 1): Promise<void> {
  const texts: string[] = []
  for (let at = 0; at < steps.length; at += atOnce) {
    const some = steps.slice(at, at + atOnce).map((step) => {
      const { args, options } = 'args' in step ? step : { args: step, options: {} }
      return desk.transcript(args, options)
    })
    texts.push(...(await Promise.all(some)))
  }
  await expect(texts.join('\n').trimEnd()).toMatchFileSnapshot(`transcripts/${name}.txt`)
  expect(desk.leftovers()).toEqual([])
}

it('help', () =>
  play('help', [
    [],
    ['rules'],
    ['help', 'run'],
    ['rules', 'check', '--help'],
    ['--version'],
    ['explain', '-h'],
  ]))

it('usage errors', () =>
  play(
    'usage',
    [
      ['runn'],
      ['rules', 'chek'],
      ['run', '--ruls', 'x'],
      ['run', 'logs', '--min-level', 'hi'],
      ['run', 'logs', '--fail-on', 'hi'],
      ['run', 'logs', '--format', 'pcap'],
      ['run', 'logs', '--source', 'My Source'],
      ['run', 'logs', '--from', 'yesterday'],
      ['run', 'logs', '--from', '2026-01-02', '--to', '2026-01-01'],
      ['run', 'logs', '--timeout', '0'],
      ['run', 'logs', '--memory', 'much'],
      ['run', 'logs', '--json', '--csv'],
      ['run', 'logs', '--html', 'no/such/folder/report.html'],
      ['run', 'logs', '--html', 'rules'],
      ['run', 'logs', '--progress', 'bar'],
      ['run', 'logs', '--placeholders', 'missing.yml'],
      ['run', 'logs', '--placeholders', 'logs/broken.jsonl'],
      ['run', '--store'],
      ['run'],
      ['run', '--store', 'nowhere'],
      ['run', '--store', 'vars.yml'],
      ['run', '--store', 'http://'],
      ['run', '--store', 'ftp://127.0.0.1/'],
      ['run', '--store', 'http://user:secret@127.0.0.1/'],
      ['ingest'],
      ['ingest', '--rejects', '--store', 'nowhere'],
      ['query'],
      ['query', 'rules'],
      ['query', 'admins.yml', '--show', 'sql'],
      ['query', 'admins.yml', '--show', 'plan'],
      ['completion', 'tcsh'],
      ['doctor', 'now'],
      ['rules', 'remove', 'nothing'],
      ['rules', 'update', 'nothing'],
    ],
    3,
  ))

it('rules that cannot be used', () => {
  mkdirSync(desk.path('empty'), { recursive: true })
  return play(
    'refused',
    [
      ['rules', 'check', 'rules'],
      ['rules', 'check', 'rules', '--verbose', '--strict'],
      ['rules', 'check', 'rules/windows', '--strict'],
      ['rules', 'check', 'rules/wrong.yml'],
      ['rules', 'check', 'rules', '--json'],
      ['rules', 'check', 'rules/notes.yaml', '--json'],
      ['rules', 'check', 'rules/notes.yaml'],
      ['rules', 'check', 'empty', 'missing'],
      ['rules', 'check', 'admins.yml'],
      ['rules', 'check', 'admins.yml', '--placeholders', 'vars.yml'],
      { args: ['rules', 'check', '-'], options: { input: 'title: [\n' } },
      ['run', 'logs', '--rules', 'empty'],
      ['run', 'logs', '--rules', 'rules/windows', '--rules', 'missing'],
      ['run', 'logs', '--rules', 'rules/notes.yaml'],
      ['run', 'logs', '--rules', 'rules/wrong.yml'],
      ['run', 'logs', '--rules', 'rules', '--tags', 'attack.t1034'],
      ['run', 'logs', '--rules', 'rules', '--min-level', 'critical'],
      ['query', 'rules/wrong.yml'],
      ['query', 'missing.yml'],
      ['explain', 'rules/wrong.yml'],
      ['explain', 'rules/many.yml'],
      ['explain', 'rules/filter.yml'],
      ['explain', 'missing.yml'],
      ['explain', 'nobody', '--rules', 'rules'],
      ['explain', '11111111', '--rules', 'rules'],
    ],
    3,
  )
})

it('running rules over logs', () =>
  play(
    'run',
    [
      ['run', 'logs/sysmon.jsonl', '--rules', 'rules'],
      ['run', 'logs/sysmon.jsonl', '--rules', 'rules', '-q', '--min-level', 'high'],
      ['run', 'logs/*.jsonl', '--rules', 'rules/windows', '--events'],
      ['run', 'logs', '--rules', 'rules/windows', '--jsonl', '--tags', 't1059', '-q'],
      ['run', 'logs', '--rules', 'rules', '--json', '-q'],
      ['run', 'logs', '--rules', 'rules/windows', '--csv', '-q', '--from', '2026-01-05T08:00:02Z'],
      ['run', 'logs', '--rules', 'rules/windows', '-q', '--fail-on', 'high', '--min-level', 'high'],
      ['run', 'logs', '--rules', 'rules/windows', '-q', '--fail-on', 'critical'],
      ['run', 'logs/sysmon.jsonl', '--rules', 'admins.yml', '--placeholders', 'vars.yml', '-q'],
      ['run', 'logs/sysmon.jsonl', '--rules', 'rules/linux.yml'],
      ['run', 'logs/sysmon.jsonl', '--rules', 'rules/windows', '--source', 'windows.sysmo'],
      ['run', 'logs/sysmon.jsonl', 'missing.evtx', '--rules', 'rules/windows', '-q'],
      ['run', 'missing.evtx', '--rules', 'rules/windows'],
      ['run', 'no*.evtx', 'empty', '--rules', 'rules/windows'],
      ['run', 'logs', '--rules', 'rules/windows', '--html', 'report.html', '--progress', 'none'],
      ['run', 'logs', '--rules', 'rules/windows', '--timeout', '0.000001', '--min-level', 'high'],
    ],
    3,
  ))

it('a store', () =>
  play('store', [
    ['ingest', 'logs'],
    ['ingest', 'logs', '--json'],
    ['ingest', '--rejects'],
    ['ingest', '--rejects', '--jsonl'],
    ['ingest', '--rejects', '--json'],
    { args: ['ingest', '-', '--store', 'piped'], options: { input: '{"a": "1"}\n{"a": "2"}\n' } },
    ['ingest', '--rejects', '--store', 'piped'],
    ['ingest', '--rejects', '--store', 'piped', '--json'],
    ['run', '--rules', 'rules/windows'],
    ['run', '--rules', 'rules/windows', '--to', '2020-01-01'],
    ['fields'],
    ['fields', '--json'],
    ['fields', 'windows.sysmon'],
    ['fields', 'windows.security'],
    ['fields', 'windows.sysmn'],
    ['query', 'rules/windows/whoami.yml', '--jsonl', '-q'],
    ['query', 'rules/windows/whoami.yml', '--show', 'ir'],
    ['query', 'rules/linux.yml', '--show', 'sql'],
    ['query', 'rules/linux.yml', '--show', 'ir', '--logs', 'logs/sysmon.jsonl', '-q'],
    ['explain', 'rules/linux.yml'],
    ['explain', IDS.whoami.slice(0, 8), '--rules', 'rules/windows/whoami.yml', '-q'],
  ]))

const kusto = (...args: readonly string[]): readonly string[] => [
  'query',
  '--dialect',
  'kusto',
  ...args,
]
const VALUES =
  'print n = 1, r = 1.5, t = datetime(2020-01-01), s = 1d + 1ms, b = true, d = dynamic({"a": [1, "x"]}), none = int(null), text = "a,b"'
const PROCESSES =
  'DeviceProcessEvents | project Timestamp, DeviceName, FileName, ProcessCommandLine'

it('Kusto queries without data', { timeout: 240_000 }, () =>
  play(
    'kusto',
    [
      kusto(VALUES),
      kusto(VALUES, '--json'),
      kusto(VALUES, '--csv'),
      kusto('print a = 1\n\nprint b = "x" | render piechart', '--json'),
      kusto('range x from 1 to 5 step 1', '--jsonl', '--rows', '2'),
      kusto('print a = strcat("x", '),
      {
        args: kusto('Nothing | take 1'),
        options: { env: { XDG_DATA_HOME: desk.path('.nothing') } },
      },
      kusto(' '),
      kusto('print 1', '--events'),
      kusto('print 1', '--rows', 'many'),
      kusto('print a = 1', '--show', 'ir'),
      // Without a default store, whatever was played before.
      {
        args: kusto('DeviceProcessEvents | count'),
        options: { env: { XDG_DATA_HOME: desk.path('.nothing') } },
      },
      ['query', 'DeviceProcessEvents | count'],
    ],
    3,
  ),
)

it('Kusto queries over logs', { timeout: 240_000 }, async () => {
  const table = 'DeviceProcessEvents'
  desk.write('counts.kql', `${table}\n| summarize n = count() by DeviceName\n| sort by n desc\n`)
  desk.write('wrong.kql', `${table}\n| where FileNam == "a"\n`)
  desk.write(
    'functions/whoami.yml',
    `FunctionName: Whoami\nFunctionAlias: Whoami\nFunctionQuery: |\n  ${table}\n  | where ProcessCommandLine has "whoami"\n`,
  )
  const logs = ['--logs', 'logs/sysmon.jsonl']
  const pie = `${table} | summarize n = count() by DeviceName | sort by n desc | render piechart`
  await play(
    'kusto-logs',
    [
      kusto(`${PROCESSES} | sort by Timestamp asc`, ...logs),
      kusto(PROCESSES, ...logs, '-q', '--csv', '--to', '2026-01-05T08:00:02Z'),
      kusto('counts.kql', ...logs, '-q', '--jsonl'),
      kusto('wrong.kql', ...logs),
      kusto('SigninLogs | count', ...logs),
      kusto('Whoami | count', ...logs, '-q', '--functions', 'functions'),
      kusto('Whoami | count', '--functions', 'missing'),
      {
        args: ['query', '--dialect', 'kusto', '-', ...logs, '--html', 'rows.html'],
        options: { input: pie },
      },
    ],
    3,
  )
  const report = readFileSync(desk.path('rows.html'), 'utf8')
  expect(report).toContain('<svg class="pie"')
  expect(report).toContain('ws01: 66.7 %')
})

it('Kusto rules over logs', { timeout: 240_000 }, async () => {
  desk.write(
    'kusto/shell.yml',
    [
      'id: 22222222-0000-4000-8000-000000000001',
      'name: A Shell Asks Who It Is',
      'description: Somebody asks who they are.',
      'severity: Medium',
      'queryFrequency: 5m',
      'queryPeriod: 5m',
      'triggerOperator: gt',
      'triggerThreshold: 0',
      'tactics: [Discovery]',
      'relevantTechniques: [T1033]',
      'query: |',
      '  DeviceProcessEvents',
      '  | where Timestamp > ago(5m)',
      '  | where ProcessCommandLine has "whoami"',
      '  | project Timestamp, DeviceName, AccountName, ProcessCommandLine',
      'eventGroupingSettings: { aggregationKind: AlertPerResult }',
      'alertDetailsOverride:',
      "  alertDisplayNameFormat: '{{AccountName}} asks on {{DeviceName}}'",
      'customDetails: { Command: ProcessCommandLine }',
      'entityMappings:',
      '  - entityType: Host',
      '    fieldMappings: [{ identifier: FullName, columnName: DeviceName }]',
      'kind: Scheduled',
      '',
    ].join('\n'),
  )
  desk.write(
    'kusto/counts.yml',
    [
      'id: 22222222-0000-4000-8000-000000000002',
      'name: Starts By Machine',
      'severity: Low',
      'queryFrequency: 1h',
      'queryPeriod: 1h',
      'triggerOperator: gt',
      'triggerThreshold: 1',
      'query: DeviceProcessEvents | summarize Starts = count() by DeviceName | sort by DeviceName asc',
      'kind: Scheduled',
      '',
    ].join('\n'),
  )
  desk.write(
    'kusto/hunts.md',
    [
      '# Hunts of the week',
      '## Clicks',
      '```kql',
      'DeviceProcessEvents | join kind=inner (UrlClickEvents) on $left.AccountUpn == $right.AccountUpn',
      '```',
      '## Last hour',
      '```kql',
      'DeviceProcessEvents | where Timestamp > ago(1s) | project Timestamp, FileName',
      '```',
      '## Wrong',
      '```kql',
      'DeviceProcessEvents | where FileNam == "x"',
      '```',
      '',
    ].join('\n'),
  )
  desk.write('kusto/signin.kql', '// Logons that failed\nSigninLogs\n| where ResultType != "0"\n')
  const logs = 'logs/sysmon.jsonl'
  // Without a default store, whatever was played before.
  const alone = { env: { XDG_DATA_HOME: desk.path('.nothing') } }
  await play(
    'kusto-rules',
    [
      ['rules', 'check', 'kusto'],
      ['run', logs, '--rules', 'kusto'],
      ['run', logs, '--rules', 'kusto', '-q', '--jsonl'],
      ['run', logs, '--rules', 'kusto', '--json', '-q', '--min-level', 'medium'],
      ['run', logs, '--rules', 'kusto/shell.yml', '-q', '--csv'],
      ['run', logs, '--rules', 'kusto/shell.yml', '-q', '--at', '2026-01-05T08:00:01Z'],
      ['run', logs, '--rules', 'kusto/shell.yml', '-q', '--at', 'noon'],
      ['run', logs, '--rules', 'kusto', '--html', 'alerts.html', '-q', '--events'],
      ['query', 'kusto/shell.yml', '--logs', logs, '-q'],
      { args: ['query', 'kusto/shell.yml', '--show', 'ir'], options: alone },
      { args: ['explain', 'kusto/counts.yml'], options: alone },
      kusto('DeviceProcessEvents | where Timestamp > ago(1s) | project FileName', '--logs', logs),
      kusto('print now()', '--at', '2026-01-05', '--csv'),
    ],
    3,
  )
  const report = readFileSync(desk.path('alerts.html'), 'utf8')
  expect(report).toContain('<dt>Alert</dt><dd>ann asks on ws01</dd>')
  expect(report).toContain('<caption>Rows of the run</caption>')
})
