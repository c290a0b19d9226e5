/** Small logs and rules for journeys through the command line: every outcome that a rule can have, in a few lines. */
import type { Desk } from './desk.ts'

/** One Sysmon process creation as a JSON line. */
function processCreation(at: number, fields: Readonly<Record<string, string>>): string {
  return JSON.stringify({
    EventID: 1,
    Channel: 'Microsoft-Windows-Sysmon/Operational',
    Provider_Name: 'Microsoft-Windows-Sysmon',
    TimeCreated: new Date(Date.UTC(2026, 0, 5, 8, 0, at)).toISOString(),
    Computer: 'WS01',
    ...fields,
  })
}

const rule = (lines: readonly string[]): string => `${lines.join('\n')}\n`

export const IDS = {
  whoami: '11111111-0000-4000-8000-000000000001',
  encoded: '11111111-0000-4000-8000-000000000002',
} as const

/** Writes `logs/` and `rules/` to the desk. */
export function writeCase(desk: Desk): void {
  const shell = 'C:\\Windows\\System32\\cmd.exe'
  desk.write(
    'logs/sysmon.jsonl',
    [
      processCreation(1, {
        Image: shell,
        CommandLine: 'cmd.exe /c whoami /all',
        User: 'CORP\\ann',
      }),
      processCreation(2, { Image: shell, CommandLine: 'cmd.exe /c dir', User: 'CORP\\ann' }),
      processCreation(3, {
        Image: 'C:\\Windows\\System32\\powershell.exe',
        CommandLine: 'powershell.exe -enc SQBFAFgA',
        User: 'CORP\\bob',
        Computer: 'WS02',
      }),
      '',
    ].join('\n'),
  )
  desk.write(
    'logs/broken.jsonl',
    '{"time": "2026-01-05T09:00:00Z", "host": "WS01", "a": 1}\n{broken\n',
  )
  desk.write(
    'rules/windows/whoami.yml',
    rule([
      'title: Whoami Is Run',
      `id: ${IDS.whoami}`,
      'status: test',
      'description: Somebody asks who they are.',
      'level: medium',
      'tags: [attack.discovery, attack.t1033]',
      'logsource: {product: windows, category: process_creation}',
      'detection:',
      '  selection:',
      "    CommandLine|contains: 'whoami'",
      '  condition: selection',
    ]),
  )
  desk.write(
    'rules/windows/encoded.yml',
    rule([
      'title: Encoded Command',
      `id: ${IDS.encoded}`,
      'status: test',
      'level: high',
      'tags: [attack.execution, attack.t1059.001]',
      'logsource: {product: windows, category: process_creation}',
      'detection:',
      '  selection:',
      "    CommandLine|contains: ' -enc '",
      '  condition: selection',
    ]),
  )
  desk.write(
    'rules/linux.yml',
    rule([
      'title: Linux Thing',
      'id: 11111111-0000-4000-8000-000000000003',
      'level: low',
      'logsource: {product: linux, service: auditd}',
      'detection: {sel: {type: EXECVE}, condition: sel}',
    ]),
  )
  desk.write(
    'rules/wrong.yml',
    rule([
      'title: Wrong Modifier',
      'id: 11111111-0000-4000-8000-000000000004',
      'logsource: {product: windows, category: process_creation}',
      'detection:',
      '  sel:',
      "    Image|endswth: '\\cmd.exe'",
      '  condition: sel',
    ]),
  )
  desk.write(
    'rules/many.yml',
    rule([
      'title: Counted Logons',
      'id: 11111111-0000-4000-8000-000000000005',
      'correlation: {type: event_count, rules: [a], group-by: [User], timespan: 5m, condition: {gte: 5}}',
    ]),
  )
  desk.write(
    'rules/counting.yml',
    rule([
      'title: Many Of Them',
      'id: 11111111-0000-4000-8000-000000000006',
      'logsource: {product: windows}',
      'detection: {sel: {User: scanner}, condition: sel | count() > 5}',
    ]),
  )
  desk.write('rules/.github/workflows/build.yml', 'name: build\non: [push]\n')
  desk.write('rules/notes.yaml', 'just: some notes\n')
  desk.write(
    'admins.yml',
    rule([
      'title: Administrators At Work',
      'id: 11111111-0000-4000-8000-000000000007',
      'level: low',
      'logsource: {product: windows, category: process_creation}',
      'detection:',
      '  sel:',
      "    User|expand: '%Administrators%'",
      '  condition: sel',
    ]),
  )
  desk.write('vars.yml', "vars:\n  Administrators: ['CORP\\ann', 'CORP\\root']\n")
}
