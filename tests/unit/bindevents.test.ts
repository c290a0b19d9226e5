/** Events under Splunk's names: which sources a search reads, what each name stands for, and which fields there are. */
import { describe, expect, it } from 'vitest'
import { checkRel } from '../../src/functions/check.ts'
import { and, call, type Expr, field, not, text, texts } from '../../src/ir/expr.ts'
import type { Rel } from '../../src/ir/rel.ts'
import { schemaOf } from '../../src/ir/rel.ts'
import type { Schema, Type } from '../../src/ir/types.ts'
import { fieldsOf } from '../../src/ir/walk.ts'
import { ALL_EVENTS, bindEvents } from '../../src/plan/bindevents.ts'
import { eventContext, eventFields } from '../../src/plan/eventfields.ts'
import { optimise } from '../../src/plan/passes.ts'
import type { SourceTest } from '../../src/schema/eventview.ts'
import { readSchema } from '../../src/schema/load.ts'
import type { StoredCatalogue, StoredColumns } from '../../src/schema/stored.ts'
import { printSql } from '../../src/sql/print.ts'
import { readyMadeSchema } from '../../tools/product.ts'

const SOURCES = `
sources:
  - { name: win, title: One channel, order: EventID, recognise: { where: { Channel: [Sysmon/Operational] } } }
  - { name: win.other, title: Any channel, order: EventID }
  - { name: flow, title: Flows, recognise: { has: [udid] }, rename: { pn: process_name } }
  - { name: lines, title: Lines, rawIsText: true }
  - { name: export, title: Exports of Splunk }
  - { name: internal, title: Our own }
`
const EVENTS = `
mappings:
  shared: { EventCode: EventID, process_name: { basename: { same: process_path } }, process_path: Image }
events:
  - source: win*
    sourcetype: [XmlWinEventLog, WinEventLog, 'WinEventLog:{Channel}']
    named: ['XmlWinEventLog:{Channel}', 'WinEventLog:{Channel}']
    use: shared
    fields: { vendor: { const: Any } }
  - source: win
    fields: { vendor: { const: One }, answer: { any: [QueryResults] } }
    kinds:
      - { eventtype: [sysmon] }
      - { where: { EventID: 22 }, tags: [network, dns] }
  - { source: flow, sourcetype: ['flow:data', 'flow:data:v2'], named: [flow] }
  - { source: internal, sourcetype: [own], index: [_internal] }
`
const { value: schema, diagnostics } = readSchema([
  { path: 'sources/a.yml', text: SOURCES },
  { path: 'spl/events-a.yml', text: EVENTS },
])
if (schema === undefined) throw new Error(JSON.stringify(diagnostics))
const known = schema

const columns = (names: readonly string[], lists: readonly string[] = []): StoredColumns => ({
  text: new Set(names),
  lists: new Set(lists),
  overflow: false,
  rows: 1,
})

const STORED: StoredCatalogue = new Map([
  ['win', columns(['EventID', 'Channel', 'Image'], ['QueryResults'])],
  ['win.other', columns(['EventID', 'Channel'])],
  ['flow', columns(['process_name', 'udid'], ['mods', 'peers.name', 'peers.port'])],
  ['lines', columns(['message'])],
  ['export', columns(['sourcetype', 'index', 'EventID'])],
  ['internal', columns(['message'])],
])

const LIST: Type = { list: 'text' }
const namesIn = (value: Expr): readonly string[] =>
  [...fieldsOf(value)].filter((name) => !name.startsWith('@') && !name.endsWith('[]'))
const is = (name: string, ...patterns: readonly string[]): Expr =>
  call('events.is', [text(name), texts(patterns)])

function bound(out: Schema, where?: Expr, stored = STORED) {
  const scan: Rel = { op: 'scan', table: { kind: 'view', name: ALL_EVENTS }, time: {}, out }
  const rel: Rel = where === undefined ? scan : { op: 'filter', from: scan, where }
  const context = { ...eventContext(known), view: () => undefined, stored }
  const made = bindEvents(rel, context)
  expect(checkRel(made.rel)).toEqual([])
  expect(schemaOf(made.rel).map(({ name, type }) => ({ name, type }))).toEqual(out)
  return { ...made, sql: printSql(optimise(made.rel)) }
}

/** The stored tables that a search reads. */
function tables(where: Expr): readonly string[] {
  const { sql } = bound([{ name: '_time', type: 'float' }], where)
  return [...new Set([...sql.matchAll(/events_([a-z:]+)/g)].map(([, name = '']) => name))]
}

/** What the columns of one source are made of. */
function column(source: string, name: string, type: Type = 'text'): string {
  const stored = new Map([[source, STORED.get(source) ?? columns([])]])
  const { sql } = bound([{ name, type }], undefined, stored)
  return sql.replace(/^SELECT (.*) AS `[^`]*`\nFROM .*$/s, '$1')
}

describe('tests of sources', () => {
  it.each<readonly [string, Expr, readonly string[]]>([
    ['a spelling, in any case', is('sourcetype', 'XMLWINEVENTLOG'), ['win', 'win:other', 'export']],
    ['a second spelling', is('sourcetype', 'flow:data:v2'), ['flow', 'export']],
    ['a pattern', is('sourcetype', 'flow:*'), ['flow', 'export']],
    ['a spelling with a known value', is('source', 'WinEventLog:Sysmon/*'), ['win', 'win:other']],
    ['no spelling at all', is('sourcetype', 'linux_secure'), ['export']],
    ['several patterns', is('sourcetype', 'own', 'flow:data'), ['flow', 'export', 'internal']],
    ['an index of Splunk itself', is('index', '_internal'), ['export', 'internal']],
    [
      'an index that nothing knows',
      is('index', 'main', 'wineventlog'),
      ['win', 'win:other', 'flow', 'lines', 'export'],
    ],
    ['a name of no file', is('source', 'WinEventLog:Security'), ['win:other']],
    ['the name of a file', is('source', '/var/log/x.log'), ['lines', 'export', 'internal']],
    ['two tests', and([is('sourcetype', 'WinEventLog'), is('source', 'flow')]), []],
    ['what must not be', not(is('sourcetype', '*')), []],
  ])('read only what may meet %s', (_, where, wanted) => {
    expect(tables(where)).toEqual(wanted)
  })

  it('leave a condition where only the event can tell', () => {
    const { sql } = bound([{ name: 'EventCode', type: 'text' }], is('source', 'WinEventLog:Sec*'))
    expect(sql).toContain('FROM `events_win:other`')
    expect(sql).toMatch(
      /WHERE startsWith\(lower\(`Channel`\), 'sec'\)|WHERE .*`Channel`.*'[Ss]ec%'/,
    )
  })

  it('say that events know no index, and only then', () => {
    const out: Schema = [{ name: '_time', type: 'float' }]
    const without = new Map([...STORED].filter(([name]) => name !== 'export'))
    const codes = (index: string, stored: StoredCatalogue): readonly string[] =>
      bound(out, is('index', index), stored).diagnostics.map((each) => each.code)
    expect(codes('main', without)).toEqual(['HR540'])
    expect(codes('*', without)).toEqual([])
    expect(codes('_internal', without)).toEqual([])
    expect(codes('main', STORED)).toEqual([])
  })

  it('stand with other conditions in one filter, wherever they stand', () => {
    const scan: Rel = {
      op: 'scan',
      table: { kind: 'view', name: ALL_EVENTS },
      time: {},
      out: [{ name: 'EventCode', type: 'text' }],
    }
    const inner: Rel = { op: 'filter', from: scan, where: is('sourcetype', 'XmlWinEventLog') }
    const rel: Rel = {
      op: 'filter',
      from: inner,
      where: call('match.equals', [field('EventCode'), text('22')]),
    }
    const context = { ...eventContext(known), view: () => undefined, stored: STORED }
    const sql = printSql(optimise(bindEvents(rel, context).rel))
    expect(sql.match(/FROM `events_[^`]*`\nWHERE \(?`EventID` = '22'\)?/g)).toHaveLength(2)
  })
})

describe('fields', () => {
  it.each<readonly [string, string, Type, string]>([
    ['win', '_time', 'float', '(toUnixTimestamp64Micro(`@time`) / 1000000)'],
    [
      'win',
      'EventCode',
      'text',
      "if((`EventID` != '' OR has(`@empty`, 'EventID')), `EventID`, NULL)",
    ],
    ['win', 'vendor', 'text', "'One'"],
    ['win.other', 'vendor', 'text', "'Any'"],
    ['win', 'sourcetype', 'text', "'XmlWinEventLog'"],
    ['lines', 'sourcetype', 'text', "'lines'"],
    ['lines', 'source', 'text', "nullIf(`@file`, '')"],
    ['win', 'nothing', 'text', 'NULL'],
    ['win', 'nothing', LIST, '[]'],
    ['win', 'eventid', 'text', 'NULL'],
    ['flow', 'mods{}', LIST, '`mods[]`'],
    ['flow', 'peers{}.name', LIST, '`peers:name[]`'],
    ['win', 'answer', LIST, '`QueryResults[]`'],
  ])('of %s: %s', (source, name, type, wanted) => {
    const made = column(source, name, type)
    expect(made.includes(wanted) || made === wanted, made).toBe(true)
  })

  it('are read under the names that intake folds onto others', () => {
    expect(column('flow', 'pn')).toBe(column('flow', 'process_name'))
  })

  it('take what another name stands for', () => {
    expect(column('win', 'process_name')).toContain('Image')
  })

  it('are looked for in the text where a source keeps it', () => {
    expect(column('lines', 'user')).toContain('extract(`@raw`')
    expect(column('win', 'user')).toContain('NULL')
  })

  it('hold the tags of the kinds that an event is of', () => {
    expect(column('win', 'eventtype', LIST)).toBe("['sysmon']")
    expect(column('win', 'tag', LIST)).toContain("['network', 'dns']")
    expect(column('flow', 'tag', LIST)).toBe('CAST([] AS Array(String))')
  })

  it('compare ids of events as they are stored, so that they can be looked up', () => {
    const where = and([
      is('sourcetype', 'WinEventLog'),
      call('logic.or', [
        call('match.equals', [field('EventCode'), text('022')]),
        call('search.same_number', [field('EventCode'), text('022')]),
      ]),
    ])
    const { sql } = bound([{ name: 'EventCode', type: 'text' }], where)
    expect(sql).toContain("`EventID` = '22'")
    expect(sql).not.toContain('toFloat64OrNull')
  })
})

describe('the fields that events have', () => {
  const fields = (...tests: readonly SourceTest[]) => eventFields(known, STORED, tests)

  it('are those of the sources that can meet the tests', () => {
    const flows = fields({ field: 'sourcetype', values: ['flow:data'] })
    expect(flows.typeOf('process_name')).toBe('text')
    expect(flows.typeOf('pn')).toBe('text')
    expect(flows.typeOf('Image')).toBeUndefined()
    expect(flows.typeOf('mods{}')).toEqual(LIST)
    expect(flows.typeOf('_time')).toBe('float')
    expect(flows.names).toContain('mods{}')
    expect(flows.names).toContain('peers{}.name')
    expect(flows.names).not.toContain('EventCode')
  })

  it('are lists where any such source has lists', () => {
    expect(fields().typeOf('tag')).toEqual(LIST)
    expect(fields().typeOf('answer')).toEqual(LIST)
    expect(fields().typeOf('process_name')).toBe('text')
  })

  it('name nothing twice, and nothing that must be looked for in the record', () => {
    const { names } = fields()
    expect(new Set(names).size).toBe(names.length)
    expect(names).not.toContain('punct')
    expect(fields().typeOf('punct')).toBe('text')
  })

  it('are all there while nothing is stored', () => {
    const assumed = eventFields(known, undefined, [])
    expect(assumed.typeOf('whatever')).toBe('text')
    expect(assumed.typeOf('what{}.ever')).toEqual(LIST)
    expect(assumed.typeOf('answer')).toEqual(LIST)
    expect(assumed.names).toContain('EventCode')
  })
})

describe('the files of events', () => {
  it.each([
    ['events: { source: nothing }', 'HR205'],
    ['events: { source: win, use: none }', 'HR205'],
    ['events: { sourcetype: a }', 'HR203'],
    ['events: { source: win, name: a }', 'HR201'],
    ['events: { source: win, fields: { a: { same: b } } }', 'same'],
    ['events: { source: win, fields: { a: { same: a } } }', 'same'],
  ])('%s', (wrong, said) => {
    const { value } = readSchema([
      { path: 'sources/a.yml', text: SOURCES },
      { path: 'spl/events-a.yml', text: wrong },
    ])
    expect(() => value?.events('win')).toThrow(said)
  })
})

describe('the events that ship', () => {
  const shipped = readyMadeSchema()

  it('have values that can be checked and printed', () => {
    for (const name of shipped.sources.keys()) {
      const part = shipped.events(name)
      const stored = columns([...new Set([...part.fields.values()].flatMap(namesIn))])
      const all: StoredCatalogue = new Map([[name, stored]])
      const fields = eventFields(shipped, all, [])
      const out = [...part.fields.keys()].map((each) => ({
        name: each,
        type: fields.typeOf(each) ?? 'text',
      }))
      const scan: Rel = { op: 'scan', table: { kind: 'view', name: ALL_EVENTS }, time: {}, out }
      const context = { ...eventContext(shipped), view: () => undefined, stored: all }
      const made = bindEvents(scan, context)
      expect(checkRel(made.rel), name).toEqual([])
      expect(printSql(optimise(made.rel)).length, name).toBeGreaterThan(0)
    }
  })

  it.each([
    ['XmlWinEventLog', 'windows.sysmon'],
    ['WinEventLog:Security', 'windows.security'],
    ['sysmon:linux', 'linux.sysmon'],
    ['linux:audit', 'linux.auditd'],
    ['aws:cloudtrail', 'aws.cloudtrail'],
    ['o365:management:activity', 'm365.audit'],
    ['azure:monitor:aad', 'azure.signinlogs'],
    ['suricata', 'suricata.alert'],
    ['cisco:nvm:flowdata', 'cisco.nvm'],
    ['kube:apiserver:audit', 'kubernetes.audit'],
    ['OktaIM2:log', 'okta'],
    ['zeek:x509:json', 'zeek.x509'],
    ['crowdstrike:events:sensor', 'crowdstrike'],
    ['stream:http', 'stream'],
  ])('of sourcetype %s are those of %s', (sourcetype, source) => {
    const all: StoredCatalogue = new Map([[source, columns(['protocol_stack'])]])
    const tests: readonly SourceTest[] = [{ field: 'sourcetype', values: [sourcetype] }]
    expect(eventFields(shipped, all, tests).typeOf('host')).toBe('text')
    expect(eventFields(shipped, all, tests).names).not.toEqual([])
    const others = eventFields(shipped, all, [{ field: 'sourcetype', values: ['no:such'] }])
    expect(others.names).toEqual([])
  })
})
