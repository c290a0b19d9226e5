/**
 * Three published documents with SPL, as a person pastes them: a brief with hunting searches and two pages of detections.
 * Planted events and near misses are written as logs, every search is run, and what it finds must be what was planted.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadRules } from '../src/rules/load.ts'
import { readyMadeSchema } from './product.ts'
import { type Expected, judged, type SeedResult } from './seedjudge.ts'

type Row = Readonly<Record<string, unknown>>

/** 4 May 2026, 10:00 UTC, and so many seconds later. */
const at = (seconds: number): Date => new Date(Date.UTC(2026, 4, 4, 10, 0, 0) + seconds * 1000)

let process = 1_000

/** A start of a process as Sysmon logs it. */
function start(
  seconds: number,
  parent: string,
  child: string,
  line: string,
  { user = 'clerk', machine = 'ws07.example.com' } = {},
): Row {
  process++
  return {
    Channel: 'Microsoft-Windows-Sysmon/Operational',
    EventID: 1,
    Hostname: machine,
    EventTime: at(seconds).toISOString(),
    Image: `C:\\Programs\\${child}`,
    CommandLine: line,
    ParentImage: `C:\\Programs\\${parent}`,
    ParentCommandLine: parent,
    ProcessId: process,
    User: user,
  }
}

function query(seconds: number, name: string, image = 'C:\\Tools\\odd.exe'): Row {
  return {
    Channel: 'Microsoft-Windows-Sysmon/Operational',
    EventID: 22,
    Hostname: 'ws07.example.com',
    EventTime: at(seconds).toISOString(),
    Image: image,
    QueryName: name,
    QueryStatus: '0',
    QueryResults: '::ffff:203.0.113.9;',
    ProcessId: 77,
  }
}

function created(seconds: number, name: string, more: Row = {}): Row {
  return {
    Channel: 'Microsoft-Windows-Sysmon/Operational',
    EventID: 11,
    Hostname: 'ws07.example.com',
    EventTime: at(seconds).toISOString(),
    Image: 'C:\\Tools\\writer.exe',
    TargetFilename: `C:\\Data\\${name}`,
    User: 'clerk',
    ...more,
  }
}

/** A flow of Cisco's Network Visibility Module, under its own short names. */
function flow(seconds: number, args: string, host: string, more: Row = {}): Row {
  return {
    fss: String(Math.floor(at(seconds).getTime() / 1000)),
    fes: String(Math.floor(at(seconds + 2).getTime() / 1000)),
    udid: 'b7a6f0c2d4e81103b7a6f0c2d4e81103b7a6f0c2',
    osn: 'WinNT',
    sa: '192.0.2.12',
    sp: '50100',
    da: '203.0.113.20',
    dp: '443',
    dh: host,
    pr: '6',
    pn: 'python.exe',
    ppath: 'C:\\Python\\python.exe',
    parg: args,
    ph: 'AB'.repeat(32),
    pid: '4000',
    pil: 'MEDIUM',
    pa: 'EXAMPLE\\clerk',
    ppn: 'cmd.exe',
    pppath: 'C:\\Windows\\System32\\cmd.exe',
    pparg: 'cmd.exe',
    pph: 'CD'.repeat(32),
    ppid: '3000',
    ppil: 'MEDIUM',
    mnl: 'ntdll.dll',
    mhl: 'EF'.repeat(32),
    aliul: 'EXAMPLE\\clerk',
    liuid: 'EXAMPLE\\clerk',
    ...more,
  }
}

/** Mail as Suricata sees it on its way. */
function mail(seconds: number, to: string, more: Row): Row {
  return {
    timestamp: at(seconds).toISOString().replace('Z', '000+0000'),
    flow_id: 1_000 + seconds,
    event_type: 'smtp',
    src_ip: '198.51.100.25',
    src_port: 40_000,
    dest_ip: '192.0.2.25',
    dest_port: 25,
    proto: 'TCP',
    smtp: { helo: 'mx.example.net', mail_from: '<billing@example.net>', rcpt_to: [`<${to}>`] },
    email: {
      status: 'PARSE_DONE',
      from: 'billing@example.net',
      to: [to],
      subject: 'About the order',
      ...more,
    },
  }
}

/** A page that a proxy of the kind of Squid let through. */
function page(seconds: number, machine: string, who: string, result = 'TCP_MISS/200'): string {
  const time = (at(seconds).getTime() / 1000).toFixed(3)
  return `${time} 120 ${machine} ${result} 4100 GET https://lure.example.net/sign-in ${who} HIER_DIRECT/198.51.100.9 text/html`
}

/** Pages before programs: one in time, one too early, one refused, and one of somebody without mail. */
function pages(): string {
  const lines = [
    page(0, 'ws07.example.com', 'clerk@example.com'),
    page(0, 'ws08.example.com', 'late@example.com'),
    page(0, 'ws09.example.com', 'refused@example.com', 'TCP_DENIED/403'),
    page(0, 'ws10.example.com', 'unmailed@example.com'),
  ]
  return `${lines.join('\n')}\n`
}

/** Files of one program that changed, as Defender tells them, ten a second. */
function renamed(host: string, count: number, seconds: number): readonly Row[] {
  return Array.from({ length: count }, (_, index) => ({
    Type: 'DeviceFileEvents',
    Timestamp: at(seconds + index / 10).toISOString(),
    DeviceId: `d-${host}`,
    DeviceName: host,
    ReportId: index + 1,
    ActionType: 'FileRenamed',
    FileName: `report-${index}.xlsx.locked`,
    FolderPath: `D:\\shares\\report-${index}.xlsx.locked`,
    InitiatingProcessFileName: 'sync.exe',
    InitiatingProcessAccountName: 'clerk',
  }))
}

function logs(): Readonly<Record<string, readonly Row[]>> {
  const index = 'files.python-poetry.org'
  return {
    'sysmon.jsonl': [
      start(30, 'msedge.exe', 'powershell.exe', '1 after half a minute'),
      start(61, 'msedge.exe', 'powershell.exe', 'too late', { machine: 'ws08.example.com' }),
      start(10, 'msedge.exe', 'powershell.exe', 'refused', { machine: 'ws09.example.com' }),
      start(10, 'msedge.exe', 'powershell.exe', 'no mail', { machine: 'ws10.example.com' }),
      start(65, 'winword.exe', 'wscript.exe', '2 3 of an attachment', {
        user: 'clerk@example.com',
      }),
      start(66, 'winword.exe', 'cmd.exe', '3 no mail', { user: 'unmailed@example.com' }),
      start(70, 'EXCEL.EXE', 'powershell.exe', '3 from a sheet'),
      start(71, 'explorer.exe', 'powershell.exe', 'by hand'),
      start(72, 'winword.exe', 'splwow64.exe', 'prints'),
      start(80, 'cmd.exe', 'procdump.exe', '5 procdump -ma lsass.exe out'),
      start(81, 'cmd.exe', 'rundll32.exe', '5 rundll32 C:\\x\\comsvcs.dll MiniDump 600 out full'),
      start(82, 'cmd.exe', 'rundll32.exe', 'rundll32 printui.dll'),
      start(90, 'services.exe', 'PSEXESVC.exe', '6 service'),
      start(91, 'cmd.exe', 'WMIC.exe', '6 wmic /node:fs02 process call create x'),
      start(92, 'cmd.exe', 'wmic.exe', 'wmic os get caption'),
      start(100, 'python.exe', 'main.py', '7 main.py'),
      start(101, 'python.exe', 'domain.py', 'domain.py'),
      created(110, 'MAIN.PY'),
      created(111, 'main.pyc'),
      query(0, 'pastebin.com'),
      query(1, 'raw.textbin.net'),
      query(2, 'x.ngrok.io'),
      query(3, 'www.example.com'),
      query(4, 'textbi.net'),
    ],
    'mail.jsonl': [
      ...['clerk', 'late', 'refused'].map((who, index) =>
        mail(index - 600, `${who}@example.com`, { url: ['https://lure.example.net/sign-in'] }),
      ),
      mail(-500, 'clerk@example.com', { attachment: ['order.docm'] }),
    ],
    'files.json': [...renamed('fs02.example.com', 201, 0), ...renamed('fs03.example.com', 200, 0)],
    'flows.jsonl': [
      flow(0, 'python.exe -m pip install reqeusts', index),
      flow(60, 'poetry.exe add djangoo', 'shop.python-poetry.org'),
      flow(120, 'python.exe -m pip install requests', index),
      flow(180, 'python.exe -m pip download reqeusts', index),
      flow(240, 'python.exe -m pip install reqeusts', 'mirror.example.com'),
      flow(300, 'python.exe -m pip install reqeusts --quiet', index),
    ],
  }
}

/** Names that the page's lookup stands for: two invented ones, each with the package that is meant. */
const LOOKUP = `name: typo_squatted_python_packages
lookup_type: csv
match_type:
  - WILDCARD(typosquatted_package_name)
min_matches: 1
case_sensitive_match: false
description: Names that are taken for others.
`
const NAMES = `typosquatted_package_name,comment,package_official_url
reqeusts,taken for requests,requests
djangoo*,taken for django,django
`

/** What each search must find: for each row the value of a column. */
const EXPECTED: Expected = [
  ['click', 'recipient', ['clerk@example.com']],
  ['attachment', 'user', ['clerk@example.com']],
  ['Office', 'process', ['2 3 of an attachment', '3 from a sheet', '3 no mail']],
  ['renames', 'dest', ['fs02.example.com']],
  [
    'LSASS',
    'process',
    ['5 procdump -ma lsass.exe out', '5 rundll32 C:\\x\\comsvcs.dll MiniDump 600 out full'],
  ],
  ['remote work', 'process', ['6 service', '6 wmic /node:fs02 process call create x']],
  ['names of the article', 'count', ['1', '1']],
  ['packages', 'package_name', ['djangoo', 'reqeusts']],
  ['web services', 'QueryName', ['pastebin.com', 'raw.textbin.net', 'x.ngrok.io']],
]

function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name)
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, text)
  }
}

function logTexts(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(logs()).map(([name, rows]) => {
      const lines = rows.map((row) => JSON.stringify(row))
      return [name, name.endsWith('.json') ? `[${lines.join(',\n')}]` : `${lines.join('\n')}\n`]
    }),
  )
}

/** Runs the searches of the documents below a folder, in their order, over the planted events. */
export async function runSplSeeds(documents: string, work: string): Promise<SeedResult> {
  const names = readdirSync(documents, { recursive: true }).map(String)
  const textOf = (number: string): string => {
    const name = names.find((each) => each.split('/').at(-1)?.startsWith(number))
    return name === undefined ? '' : readFileSync(join(documents, name), 'utf8')
  }
  const folder = join(work, 'searches')
  writeFiles(join(work, 'logs'), { ...logTexts(), 'proxy.log': pages() })
  writeFiles(folder, {
    '1-brief.md': textOf('000_'),
    '2-packages.txt': textOf('001_'),
    '3-services.txt': textOf('003_'),
    'lookups/typo_squatted_python_packages.yml': LOOKUP,
    'lookups/typo_squatted_python_packages.csv': NAMES,
  })
  const schema = readyMadeSchema()
  const paths = ['1-brief.md', '2-packages.txt', '3-services.txt', 'lookups']
  const loaded = await loadRules(
    paths.map((each) => join(folder, each)),
    { placeholders: new Map(), schema: () => schema },
  )
  const rules = loaded.rules.filter(({ language }) => language === 'spl')
  return judged(rules, EXPECTED, join(work, 'logs'), schema)
}
