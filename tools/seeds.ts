/**
 * Two published documents with Kusto, as a person pastes them: a brief with hunting queries and a page with an analytic
 * rule (`splseeds.ts` has those with SPL). Planted events and near misses are written as logs, every query is run, and what it finds must be what was planted.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compilerHere } from '../src/rules/kustolibrary.ts'
import { loadRules } from '../src/rules/load.ts'
import { readyMadeSchema } from './product.ts'
import { type Expected, judged, type SeedResult } from './seedjudge.ts'

/** 4 May 2026, 10:00 UTC, and so many seconds later. */
const at = (seconds: number): string =>
  new Date(Date.UTC(2026, 4, 4, 10, 0, 0) + seconds * 1000).toISOString()

type Row = Readonly<Record<string, string | number | boolean>>

let report = 0

function device(table: string, seconds: number, fields: Row): Row {
  report++
  return {
    Type: table,
    Timestamp: at(seconds),
    DeviceId: 'd-7',
    DeviceName: 'ws07.example.com',
    ReportId: report,
    ...fields,
  }
}

function start(seconds: number, parent: string, child: string, mark: string, more: Row = {}): Row {
  return device('DeviceProcessEvents', seconds, {
    ActionType: 'ProcessCreated',
    FileName: child,
    FolderPath: `C:\\Users\\clerk\\${child}`,
    ProcessCommandLine: mark,
    AccountName: 'clerk',
    InitiatingProcessFileName: parent,
    InitiatingProcessCommandLine: parent,
    ...more,
  })
}

const CLERK = 'clerk@example.com'

function mail(id: string, more: Row = {}): readonly Row[] {
  const url = `https://${id}.example.net/sign-in`
  const base = { NetworkMessageId: id, ReportId: id }
  return [
    {
      Type: 'EmailEvents',
      Timestamp: at(-600),
      ...base,
      Subject: `About ${id}`,
      SenderFromAddress: 'billing@example.net',
      SenderFromDomain: 'example.net',
      RecipientEmailAddress: CLERK,
      DeliveryAction: 'Delivered',
      EmailDirection: 'Inbound',
      ...more,
    },
    {
      Type: 'EmailUrlInfo',
      Timestamp: at(-600),
      ...base,
      Url: url,
      UrlDomain: `${id}.example.net`,
    },
  ]
}

function click(seconds: number, id: string, more: Row = {}): Row {
  return {
    Type: 'UrlClickEvents',
    Timestamp: at(seconds),
    ActionType: 'ClickAllowed',
    AccountUpn: CLERK,
    IPAddress: '192.0.2.7',
    NetworkMessageId: id,
    ReportId: `${id}-click`,
    Url: `https://${id}.example.net/sign-in`,
    Workload: 'Email',
    ...more,
  }
}

/** Renamed or written files of one program on one host, one a tenth of a second. */
function files(host: string, count: number, seconds: number, more: Row = {}): readonly Row[] {
  return Array.from({ length: count }, (_, index) =>
    device('DeviceFileEvents', seconds + index / 10, {
      DeviceName: host,
      ActionType: 'FileRenamed',
      FileName: `report-${index}.xlsx.locked`,
      FolderPath: `D:\\shares\\report-${index}.xlsx.locked`,
      InitiatingProcessFileName: 'sync.exe',
      InitiatingProcessAccountName: 'clerk',
      ...more,
    }),
  )
}

function handle(seconds: number, source: string, target: string): Row {
  return {
    Channel: 'Microsoft-Windows-Sysmon/Operational',
    EventID: 10,
    Hostname: 'ws07.example.com',
    EventTime: at(seconds),
    SourceImage: `C:\\Tools\\${source}`,
    TargetImage: `C:\\Windows\\System32\\${target}`,
    GrantedAccess: '0x1010',
    SourceUser: 'EXAMPLE\\clerk',
  }
}

function sysmonStart(
  seconds: number,
  parent: string,
  child: string,
  mark: string,
  user: string,
): Row {
  return {
    Channel: 'Microsoft-Windows-Sysmon/Operational',
    EventID: 1,
    Hostname: 'ws07.example.com',
    EventTime: at(seconds),
    Image: `C:\\Program Files\\App\\${child}`,
    CommandLine: mark,
    ParentImage: `C:\\Program Files\\App\\${parent}`,
    User: user,
  }
}

function dns(seconds: number, name: string): Row {
  return {
    insertId: `i${seconds}`,
    timestamp: at(seconds),
    logName: 'projects/example/logs/dns.googleapis.com%2Fdns_queries',
    // A nested object is written as the text of the log has it.
    jsonPayload: JSON.stringify({ queryName: name, queryType: 'A', sourceIP: '10.128.0.4' }),
  }
}

/** The logs, by the names of their files. What a query must find has a mark that begins with its number. */
function logs(): Readonly<Record<string, readonly Row[]>> {
  const upn = { AccountName: CLERK }
  return {
    'hunting.json': [
      ...mail('lure'),
      ...mail('outbound', { EmailDirection: 'Outbound' }),
      ...mail('held', { DeliveryAction: 'Blocked' }),
      click(0, 'lure'),
      click(300, 'lure', { ActionType: 'ClickBlocked' }),
      click(600, 'outbound'),
      click(900, 'held'),
      start(60, 'msedge.exe', 'PowerShell.exe', '1 after a minute to the second', upn),
      start(5, 'OUTLOOK.EXE', 'mshta.exe', '1 after five seconds', upn),
      start(61, 'msedge.exe', 'cmd.exe', 'a second too late', upn),
      start(-1, 'msedge.exe', 'cmd.exe', 'before the click', upn),
      start(10, 'explorer.exe', 'cmd.exe', 'not from a browser', upn),
      start(11, 'chrome.exe', 'notepad.exe', 'no script host', upn),
      start(12, 'chrome.exe', 'curl.exe', 'another person', { AccountName: 'other@example.com' }),
      start(305, 'chrome.exe', 'curl.exe', 'after a blocked click', upn),
      start(605, 'chrome.exe', 'curl.exe', 'after a click in mail that went out', upn),
      start(905, 'chrome.exe', 'curl.exe', 'after a click in mail that was blocked', upn),
      {
        Type: 'EmailAttachmentInfo',
        Timestamp: at(-500),
        NetworkMessageId: 'lure',
        ReportId: 'a1',
        RecipientEmailAddress: CLERK,
        FileName: 'invoice.docm',
        SHA256: 'ab'.repeat(32),
      },
      start(30, 'WINWORD.EXE', 'wscript.exe', '2 3 opened the attachment', { AccountUpn: CLERK }),
      start(31, 'winword.exe', 'cmd.exe', '3 got no attachment', { AccountUpn: 'b@example.com' }),
      start(32, 'winword.exe', 'splwow64.exe', 'prints', { AccountUpn: CLERK }),
      start(33, 'winword.exe', 'cmd.exe', 'a machine account', { AccountName: 'ws07$' }),
      start(40, 'services.exe', 'PSEXESVC.exe', '6 service'),
      start(41, 'cmd.exe', 'WMIC.exe', '6 wmic /node:fs02 process call create x'),
      start(42, 'cmd.exe', 'wmic.exe', 'wmic /nodes:fs02 os get caption'),
      start(43, 'python.exe', 'main.py', '7 main.py'),
      start(44, 'python.exe', 'domain.py', 'domain.py'),
      ...files('fs02.example.com', 201, 0),
      ...files('fs03.example.com', 200, 0),
      ...files('fs04.example.com', 300, 45),
      ...files('fs05.example.com', 250, 0, { InitiatingProcessAccountName: 'fs05$' }),
      ...files('fs06.example.com', 250, 0, { FileName: 'one.log' }),
      ...files('fs07.example.com', 250, 0, { ActionType: 'FileDeleted' }),
      device('DeviceFileEvents', 50, {
        ActionType: 'FileCreated',
        FileName: 'MAIN.PY',
        FolderPath: '8',
      }),
      device('DeviceFileEvents', 51, {
        ActionType: 'FileRenamed',
        FileName: 'main.py',
        FolderPath: 'renamed',
      }),
    ],
    'sysmon.jsonl': [
      sysmonStart(70, 'EXCEL.EXE', 'powershell.exe', '3 from Sysmon', 'EXAMPLE\\clerk'),
      sysmonStart(71, 'excel.exe', 'powershell.exe', 'a service', 'EXAMPLE\\WS07$'),
      sysmonStart(72, 'explorer.exe', 'powershell.exe', 'by hand', 'EXAMPLE\\clerk'),
      handle(80, 'dumper.exe', 'lsass.exe'),
      handle(81, 'MsMpEng.exe', 'lsass.exe'),
      handle(82, 'dumper.exe', 'winlogon.exe'),
    ],
    'dns.jsonl': [
      dns(1, 'psec.forward.io.global.prod.fastly.net.'),
      dns(2, 'x.b0a0374cd1cb4305002e.d.requestbin.net.'),
      dns(3, 'a.yxznlysc47wvrb9r9z211e1jbah15q.example.org.'),
      dns(4, 'tornadodomain.000webhostapp.com.'),
      dns(5, 'psec.forward.io.global.prod.fastly.network.'),
      dns(6, 'yxznlysc47wvrb9r9z211e1jbah15qq.example.org.'),
      dns(7, 'mytornadodomain.000webhostapp.com.'),
    ],
  }
}

/** What each query must find: for each finding the columns that tell it, joined. */
const EXPECTED: Expected = [
  ['click', 'ProcessCommandLine', ['1 after a minute to the second', '1 after five seconds']],
  ['attachment', 'ProcessCommandLine', ['2 3 opened the attachment']],
  [
    'Office',
    'ProcessCommandLine',
    ['1 after five seconds', '2 3 opened the attachment', '3 from Sysmon', '3 got no attachment'],
  ],
  ['rename', 'DeviceName', ['fs02.example.com']],
  ['LSASS', 'InitiatingProcessFileName', ['dumper.exe']],
  ['PsExec', 'ProcessCommandLine', ['6 service', '6 wmic /node:fs02 process call create x']],
  ['processes of the article', 'ProcessCommandLine', ['7 main.py']],
  ['files of the article', 'FolderPath', ['8']],
  [
    'DNS',
    'DNSCustomEntity',
    [
      'a.yxznlysc47wvrb9r9z211e1jbah15q.example.org',
      'psec.forward.io.global.prod.fastly.net',
      'tornadodomain.000webhostapp.com',
      'x.b0a0374cd1cb4305002e.d.requestbin.net',
    ],
  ],
]

/** The rule on a page: from its id to its kind. */
function ruleOn(page: string): string {
  return page
    .slice(page.indexOf('\nid: ') + 1, page.indexOf('\nkind: '))
    .concat('\nkind: Scheduled\n')
}

function writeLogs(folder: string): void {
  mkdirSync(folder, { recursive: true })
  for (const [name, rows] of Object.entries(logs())) {
    const lines = rows.map((row) => {
      const { jsonPayload } = row
      if (typeof jsonPayload !== 'string') return JSON.stringify(row)
      return JSON.stringify({ ...row, jsonPayload: JSON.parse(jsonPayload) as unknown })
    })
    const text = name.endsWith('.json') ? `[${lines.join(',\n')}]` : `${lines.join('\n')}\n`
    writeFileSync(join(folder, name), text)
  }
}

/** The documents of a folder, as files that hold rules. */
function writeRules(documents: string, folder: string): void {
  mkdirSync(folder, { recursive: true })
  const names = readdirSync(documents, { recursive: true }).map(String)
  const textOf = (number: string): string => {
    const name = names.find((each) => each.split('/').at(-1)?.startsWith(number))
    return name === undefined ? '' : readFileSync(join(documents, name), 'utf8')
  }
  writeFileSync(join(folder, '1-brief.md'), textOf('000_'))
  writeFileSync(join(folder, '2-rule.yaml'), ruleOn(textOf('004_')))
}

/** Runs the documents below a folder, in their order, over the planted events. */
export async function runSeeds(documents: string, work: string): Promise<SeedResult> {
  writeLogs(join(work, 'logs'))
  writeRules(documents, join(work, 'rules'))
  const schema = readyMadeSchema()
  const kusto = compilerHere(schema.tables)
  const loaded = await loadRules([join(work, 'rules')], { placeholders: new Map(), kusto })
  const rules = loaded.rules.filter(({ language }) => language === 'kusto')
  return judged(rules, EXPECTED, join(work, 'logs'), schema)
}
