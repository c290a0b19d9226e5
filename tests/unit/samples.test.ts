/** The samples are what their generator makes, and the starter rules find in them what `expected.json` says and no more. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  expectations,
  makeSamples,
  printExpectations,
  type SampleFile,
  starterRules,
} from '../../tools/make-samples.ts'
import type { WindowsEvent } from '../../tools/samples/windows.ts'
import { valueText } from '../../tools/samples/xml.ts'
import { type OracleEvent, type OracleRule, oracleRule } from '../support/oracle.ts'

const ROOT = new URL('../../', import.meta.url)
const files = makeSamples()
const rules = starterRules()
const expected = expectations(files, rules)

interface Numbered extends OracleEvent {
  readonly file: string
  readonly record: number
  /** Log sources of the event as `product/category/service`. */
  readonly sources: readonly string[]
}

const SYSMON_CATEGORIES: Readonly<Record<number, string>> = {
  1: 'process_creation',
  3: 'network_connection',
  10: 'process_access',
  11: 'file_event',
  13: 'registry_set',
  22: 'dns_query',
}

const SERVICES: Readonly<Record<string, string>> = {
  Security: 'security',
  System: 'system',
  'Microsoft-Windows-Windows Defender/Operational': 'windefend',
}

function windowsSources(event: WindowsEvent): string[] {
  const sources = [`windows//${SERVICES[event.channel] ?? ''}`]
  if (event.channel.includes('Sysmon')) sources.push(`windows/${SYSMON_CATEGORIES[event.eventId]}/`)
  if (event.eventId === 4688) sources.push('windows/process_creation/')
  if (event.eventId === 4104) sources.push('windows/ps_script/')
  return sources
}

function windowsFields(event: WindowsEvent): Map<string, string> {
  const fields = new Map<string, string>([
    ['EventID', String(event.eventId)],
    ['Provider_Name', event.provider],
    ['Channel', event.channel],
    ['Computer', event.computer],
  ])
  for (const [name, value] of event.data) {
    const plain = name.replaceAll(' ', '')
    if (!fields.has(plain)) fields.set(plain, valueText(value))
  }
  if (event.eventId === 4688) {
    fields.set('Image', fields.get('NewProcessName') ?? '')
    fields.set('ParentImage', fields.get('ParentProcessName') ?? '')
  }
  return fields
}

function flatten(value: unknown, path: string, into: Map<string, string>): Map<string, string> {
  if (typeof value !== 'object' || value === null) return into.set(path, String(value))
  for (const [key, inner] of Object.entries(value))
    flatten(inner, path === '' ? key : `${path}.${key}`, into)
  return into
}

const CISCO: readonly (readonly [string, string])[] = [
  ['dest_hostname', 'dh'],
  ['process_arguments', 'parg'],
]

function lineFields(path: string, line: string): Map<string, string> {
  switch (path) {
    case 'cloud/gcp-dns.jsonl':
      return flatten(JSON.parse(line), '', new Map())
    case 'network/cisco-nvm.jsonl': {
      const fields = flatten(JSON.parse(line), '', new Map())
      for (const [long, short] of CISCO) fields.set(long, fields.get(short) ?? '')
      return fields
    }
    case 'linux/access.log': {
      const match = /^(\S+) - - \[[^\]]+\] "(\S+) ([^ ?]+)(?:\?(\S+))? HTTP\/1\.1" (\d+)/.exec(line)
      const names = ['c-ip', 'cs-method', 'cs-uri-stem', 'cs-uri-query', 'sc-status']
      const found = names.map((name, place) => [name, match?.[place + 1]] as const)
      return new Map(found.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
    }
    case 'linux/audit.log': {
      // The arguments stand in the EXECVE record alone; SYSCALL has registers of the same names.
      const exec = line.split('\n').find((each) => each.startsWith('type=EXECVE')) ?? ''
      const pairs = [...exec.matchAll(/(\w+)=(?:"([^"]*)"|(\S+))/g)]
      return new Map(pairs.map(([, name = '', quoted, plain = '']) => [name, quoted ?? plain]))
    }
    case 'network/zeek-dns.log': {
      const cells = line.split('\t')
      return new Map([
        ['query', cells[9] ?? ''],
        ['qtype_name', cells[13] ?? ''],
      ])
    }
    default:
      return new Map()
  }
}

const LINE_SOURCES: Readonly<Record<string, string>> = {
  'cloud/cloudtrail.json': 'aws//cloudtrail',
  'cloud/gcp-dns.jsonl': 'gcp//gcp.dns',
  'linux/access.log': '/webserver/',
  'linux/audit.log': 'linux//auditd',
  'linux/auth.log': 'linux//auth',
  'network/cisco-nvm.jsonl': 'cisco//nvm',
  'network/zeek-dns.log': 'zeek//dns',
}

function eventsOf(file: SampleFile): Numbered[] {
  if (file.windows !== undefined) {
    return file.windows.map(({ record, event }) => ({
      file: file.path,
      record,
      sources: windowsSources(event),
      fields: windowsFields(event),
      raw: '',
    }))
  }
  if (/^defender\/|signin/.test(file.path)) {
    // Only Kusto rules read these; their findings are tests of their own.
    return (file.texts ?? []).map((raw, place) => {
      return { file: file.path, record: place + 1, sources: [], fields: new Map(), raw }
    })
  }
  const text = Buffer.from(file.bytes).toString('utf8')
  const sources = [LINE_SOURCES[file.path] ?? '']
  if (file.path === 'cloud/cloudtrail.json') {
    const { Records: records }: { Records: unknown[] } = JSON.parse(text)
    return records.map((each, place) => {
      const fields = flatten(each, '', new Map())
      return { file: file.path, record: place + 1, sources, fields, raw: '' }
    })
  }
  const perEvent = file.path === 'linux/audit.log' ? 5 : 1
  const lines = text.split('\n')
  return lines
    .map((_, place) => ({
      raw: place % perEvent === 0 ? lines.slice(place, place + perEvent).join('\n') : '',
      record: place + 1,
    }))
    .filter(({ raw }) => raw !== '' && !raw.startsWith('#'))
    .map(({ raw, record }) => {
      return { file: file.path, record, sources, fields: lineFields(file.path, raw), raw }
    })
}

const events = files.flatMap(eventsOf)

function sourceOf(rule: OracleRule): string {
  const { product = '', category = '', service = '' } = rule.logsource
  return `${product}/${category}/${service}`
}

describe('samples', () => {
  test('come out the same every time, and are what is in the repository', () => {
    const again = makeSamples()
    expect(again.map((file) => file.path)).toEqual(files.map((file) => file.path))
    for (const [place, file] of files.entries()) {
      const twin = again[place]?.bytes ?? new Uint8Array()
      expect(Buffer.compare(file.bytes, twin), file.path).toBe(0)
      const stored = readFileSync(new URL(`samples/${file.path}`, ROOT))
      expect(Buffer.compare(file.bytes, stored), file.path).toBe(0)
    }
    const list = readFileSync(new URL('samples/expected.json', ROOT), 'utf8')
    expect(printExpectations(expected)).toBe(list)
  })

  test('are small enough to live in the repository', () => {
    const total = files.reduce((sum, file) => sum + file.bytes.length, 0)
    expect(total).toBeLessThan(3_000_000)
    expect(events.length).toBe(files.reduce((sum, file) => sum + file.events, 0))
    expect(events.length).toBeGreaterThan(3_000)
  })

  test('name only documentation addresses and domains', () => {
    const allowed =
      /^(?:10\.|127\.0\.0\.|192\.0\.2\.|198\.51\.100\.|203\.0\.113\.|169\.254\.|0\.0\.0\.0$)/
    for (const event of events) {
      const values = event.raw === '' ? [...event.fields.values()].join('\n') : event.raw
      const found = values.match(/(?<![\d.\w])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])/g) ?? []
      // Four numbers in a user agent, a version or a package are no address.
      const wrong = found.filter((ip) => !allowed.test(ip) && !/^(?:1|4|10)\.(?:8|18|0)\./.test(ip))
      expect(wrong, `${event.file} ${event.record}`).toEqual([])
    }
  })
})

describe('starter rules', () => {
  test('there are enough of them, of every level from low to critical', () => {
    expect(rules.size).toBeGreaterThanOrEqual(16)
    expect(new Set(rules.values()).size).toBe(rules.size)
    const folder = new URL('content/rules/sigma/', ROOT)
    const files = readdirSync(folder).filter((name) => !name.endsWith('.test.yml'))
    const levels = files.map(
      (name) => /^level: (\w+)$/m.exec(readFileSync(new URL(name, folder), 'utf8'))?.[1],
    )
    expect([...new Set(levels)].toSorted()).toEqual(['critical', 'high', 'low', 'medium'])
  })

  const textOf = (name: string): string =>
    readFileSync(new URL(`content/rules/sigma/${name}.yml`, ROOT), 'utf8')
  // The oracle looks at single events.
  const single = [...rules.keys()].filter((name) => !/^correlation:/m.test(textOf(name)))

  test.each(single)('%s finds what it must and nothing else', (name) => {
    const yaml = textOf(name)
    const rule = oracleRule(yaml)
    const wanted = expected.find((each) => each.id === rule.id)
    const inSource = events.filter((event) => event.sources.includes(sourceOf(rule)))
    const found = inSource
      .filter((event) => rule.matches(event))
      .map(({ file, record }) => ({ file, record }))
    expect(found).toEqual(wanted?.fires)
    expect(found.length).toBeGreaterThan(0)
    expect(wanted?.quiet.length).toBeGreaterThan(0)
    for (const { file, record } of wanted?.quiet ?? []) {
      // A near miss that the rule never sees proves nothing.
      expect(inSource.some((each) => each.file === file && each.record === record)).toBe(true)
    }
  })
})
