/**
 * Makes the sample logs of a small, invented intrusion, and the list of what the starter rules must find in them. Run with
 * `node tools/run.mjs tools/make-samples.ts` to write `samples/`; the same bytes come out every time.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cloudDns, cloudTrail } from './samples/cloud.ts'
import { evtxFile } from './samples/evtx.ts'
import { addIntrusion, type Logs } from './samples/intrusion.ts'
import { kustoExpectations } from './samples/kusto.ts'
import { accessLog, auditLog, authLog } from './samples/linux.ts'
import { type Log, type Mark, makeLog } from './samples/log.ts'
import { addNearMisses } from './samples/nearmiss.ts'
import { ciscoFlows, ZEEK_FOOTER, ZEEK_HEADER, zeekDns } from './samples/network.ts'
import { addNoise } from './samples/noise.ts'
import { proxyLog } from './samples/proxy.ts'
import type { RowExpectation } from './samples/rows.ts'
import { splExpectations } from './samples/spl.ts'
import { FILE_HEADER, fileEvents, huntingStream, signins } from './samples/tables.ts'
import { SYSTEM, type WindowsEvent, type WindowsRecord } from './samples/windows.ts'
import { CLERK, DEVELOPER, FS02, machineOf, WS07, WS12 } from './samples/world.ts'
import { eventXml } from './samples/xml.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

export interface SampleFile {
  /** Path below `samples/`. */
  readonly path: string
  readonly bytes: Uint8Array
  /** Number of events. */
  readonly events: number
  /** What the rules must make of records, for those records that a rule is about. */
  readonly marks: readonly { readonly record: number; readonly mark: Mark }[]
  /** For logs of text, the text of each event. */
  readonly texts?: readonly string[]
  /** For Windows logs, the events that the file holds. */
  readonly windows?: readonly WindowsRecord[]
}

/** One rule's part of `expected.json`. */
export interface Expectation {
  readonly id: string
  readonly rule: string
  readonly fires: readonly { readonly file: string; readonly record: number }[]
  readonly quiet: readonly {
    readonly file: string
    readonly record: number
    readonly why: string
  }[]
}

function marksOf<T>(log: Log<T>, recordOf: (place: number) => number): SampleFile['marks'] {
  return log
    .entries()
    .map(({ mark }, place) => ({ record: recordOf(place), mark }))
    .filter(({ mark }) => mark.fires !== undefined || mark.quiet !== undefined)
}

function textFile(
  path: string,
  log: Log<string>,
  around: { readonly before?: readonly string[]; readonly after?: readonly string[] } = {},
): SampleFile {
  const { before = [], after = [] } = around
  const entries = log.entries()
  const lines = [...before, ...entries.map((entry) => entry.item), ...after]
  // An entry of several lines goes by its first.
  const starts: number[] = []
  let next = before.length + 1
  for (const { item } of entries) {
    starts.push(next)
    next += item.split('\n').length
  }
  return {
    path,
    bytes: Buffer.from(`${lines.join('\n')}\n`),
    events: entries.length,
    texts: entries.map(({ item }) => item),
    marks: marksOf(log, (place) => starts[place] ?? 0),
  }
}

function windowsFile(path: string, log: Log<WindowsEvent>, first: number): SampleFile {
  const windows = log
    .entries()
    .map(({ time, item }, place) => ({ record: first + place, time, event: item }))
  const marks = marksOf(log, (place) => first + place)
  return { path, bytes: evtxFile(windows), events: windows.length, marks, windows }
}

function xmlFile(path: string, log: Log<WindowsEvent>, first: number): SampleFile {
  const entries = log.entries()
  const lines = entries.map(({ time, item }, place) => eventXml(item, first + place, time))
  const text = `<?xml version="1.0" encoding="utf-8"?>\n<Events>\n${lines.join('\n')}\n</Events>\n`
  return {
    path,
    bytes: Buffer.from(text),
    events: entries.length,
    // A record of an XML file goes by its place among the elements.
    marks: marksOf(log, (place) => place + 1),
    windows: entries.map(({ time, item }, place) => ({ record: place + 1, time, event: item })),
  }
}

function arrayFile(path: string, log: Log<string>, open: string, close: string): SampleFile {
  const entries = log.entries()
  const text = `${open}\n${entries.map((entry) => entry.item).join(',\n')}\n${close}\n`
  return {
    path,
    bytes: Buffer.from(text),
    events: entries.length,
    texts: entries.map(({ item }) => item),
    marks: marksOf(log, (place) => place + 1),
  }
}

function windowsLogs(): Logs {
  const logs: Logs = {
    sysmon: makeLog(),
    serverSysmon: makeLog(),
    security: makeLog(),
    system: makeLog(),
    powershell: makeLog(),
    defender: makeLog(),
  }
  const machines = {
    clerk: machineOf(WS07, CLERK),
    developer: machineOf(WS12, DEVELOPER),
    files: machineOf(FS02, SYSTEM),
  }
  addIntrusion(logs, machines)
  addNearMisses(logs, machines)
  addNoise(logs, machines)
  return logs
}

/** All sample files in memory, in the order of their paths. */
export function makeSamples(): readonly SampleFile[] {
  const logs = windowsLogs()
  return [
    textFile('cloud/gcp-dns.jsonl', cloudDns()),
    arrayFile('cloud/cloudtrail.json', cloudTrail(), '{"Records":[', ']}'),
    arrayFile('cloud/signin.json', signins(), '[', ']'),
    textFile('defender/file-events.csv', fileEvents(), { before: [FILE_HEADER] }),
    textFile('defender/hunting.jsonl', huntingStream()),
    textFile('linux/access.log', accessLog()),
    textFile('linux/audit.log', auditLog()),
    textFile('linux/auth.log', authLog()),
    textFile('network/cisco-nvm.jsonl', ciscoFlows()),
    textFile('network/proxy.log', proxyLog()),
    textFile('network/zeek-dns.log', zeekDns(), { before: ZEEK_HEADER, after: [ZEEK_FOOTER] }),
    windowsFile('windows/defender.evtx', logs.defender, 2_101),
    windowsFile('windows/powershell.evtx', logs.powershell, 7_401),
    windowsFile('windows/security.evtx', logs.security, 410_201),
    windowsFile('windows/sysmon.evtx', logs.sysmon, 88_101),
    windowsFile('windows/system.evtx', logs.system, 30_501),
    xmlFile('windows/sysmon-events.xml', logs.serverSysmon, 51_001),
  ].toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

/** Ids of the starter rules of a language by the name of their file without `.yml`. */
export function starterRules(
  language: 'sigma' | 'kusto' | 'spl' = 'sigma',
): ReadonlyMap<string, string> {
  const folder = `${ROOT}content/rules/${language}/`
  const rules = new Map<string, string>()
  for (const file of readdirSync(folder).toSorted()) {
    if (!file.endsWith('.yml') || file.endsWith('.test.yml')) continue
    const id = /^id: (\S+)$/m.exec(readFileSync(folder + file, 'utf8'))?.[1]
    if (id === undefined) throw new Error(`${file} has no id`)
    rules.set(file.slice(0, -4), id)
  }
  return rules
}

/** What each rule must find and leave, rule by rule in the order of their names. */
export function expectations(
  files: readonly SampleFile[],
  rules: ReadonlyMap<string, string>,
): readonly Expectation[] {
  const all = files.flatMap((file) =>
    file.marks.map(({ record, mark }) => ({ file: file.path, record, mark })),
  )
  for (const { mark } of all) {
    for (const rule of [...(mark.fires ?? []), ...(mark.quiet ?? []).map(([name]) => name)]) {
      if (!rules.has(rule)) throw new Error(`an event is marked for an unknown rule: ${rule}`)
    }
  }
  return [...rules].map(([rule, id]) => ({
    id,
    rule,
    fires: all
      .filter(({ mark }) => mark.fires?.includes(rule))
      .map(({ file, record }) => ({ file, record })),
    quiet: all.flatMap(({ file, record, mark }) =>
      (mark.quiet ?? [])
        .filter(([name]) => name === rule)
        .map(([, why]) => ({ file, record, why })),
    ),
  }))
}

const ROW_EXPECTATIONS = { kusto: kustoExpectations, spl: splExpectations } as const

/** What the rules of a language must find whose findings are rows: every rule has its part. */
function rowBlocks(language: keyof typeof ROW_EXPECTATIONS): readonly string[] {
  const all = ROW_EXPECTATIONS[language]
  const rules = starterRules(language)
  const byRule = new Map(all.map((each) => [each.rule, each]))
  for (const { rule } of all) {
    if (!rules.has(rule)) throw new Error(`something is expected of an unknown rule: ${rule}`)
  }
  return [...rules].map(([rule, id]) => {
    const expected = byRule.get(rule)
    if (expected === undefined) throw new Error(`nothing is expected of the rule ${rule}`)
    return printRows(id, expected)
  })
}

function printRows(id: string, { rule, column, finds, leaves }: RowExpectation): string {
  const left = leaves.map(([value, why]) => `        ${JSON.stringify({ value, why })}`)
  return (
    `    {\n      "id": ${JSON.stringify(id)},\n      "rule": ${JSON.stringify(rule)},\n` +
    `      "column": ${JSON.stringify(column)},\n      "finds": ${JSON.stringify(finds)},\n` +
    `      "leaves": [\n${left.join(',\n')}\n      ]\n    }`
  )
}

/** The text of `expected.json`: one line a record, so that a change is seen in a diff. */
export function printExpectations(rules: readonly Expectation[]): string {
  const list = (items: readonly object[]): string =>
    items.length === 0
      ? '[]'
      : `[\n${items.map((item) => `        ${JSON.stringify(item)}`).join(',\n')}\n      ]`
  const blocks = rules.map(
    ({ id, rule, fires, quiet }) =>
      `    {\n      "id": ${JSON.stringify(id)},\n      "rule": ${JSON.stringify(rule)},\n` +
      `      "fires": ${list(fires)},\n      "quiet": ${list(quiet)}\n    }`,
  )
  const rows = (['kusto', 'spl'] as const).map(
    (language) => `  "${language}": [\n${rowBlocks(language).join(',\n')}\n  ]`,
  )
  return `{\n  "rules": [\n${blocks.join(',\n')}\n  ],\n${rows.join(',\n')}\n}\n`
}

function write(path: string, bytes: Uint8Array | string): void {
  const full = `${ROOT}samples/${path}`
  mkdirSync(dirname(full), { recursive: true })
  writeFileSync(full, bytes)
}

function main(): void {
  const files = makeSamples()
  for (const folder of ['cloud', 'defender', 'linux', 'network', 'windows']) {
    rmSync(`${ROOT}samples/${folder}`, { recursive: true, force: true })
  }
  let bytes = 0
  let events = 0
  for (const file of files) {
    write(file.path, file.bytes)
    bytes += file.bytes.length
    events += file.events
    console.log(`${file.path}: ${file.events} events, ${file.bytes.length} bytes`)
  }
  write('expected.json', printExpectations(expectations(files, starterRules())))
  console.log(`${files.length} files, ${events} events, ${bytes} bytes`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main()
