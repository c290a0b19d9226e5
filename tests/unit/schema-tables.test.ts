/** The tables of Kusto: how their texts are read, what ships, what feeds them, and how exports of them are told. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { renderDiagnostic } from '../../src/core/diagnostic.ts'
import { functions } from '../../src/functions/catalogue.ts'
import { visitExpr } from '../../src/ir/walk.ts'
import { readSchema } from '../../src/schema/load.ts'
import { makeRecogniser } from '../../src/schema/recognise.ts'
import { readTables } from '../../src/schema/tables.ts'
import { exportsOf, sourceOfTable, storedTable, viewForTable } from '../../src/schema/tableview.ts'

const FOLDER = fileURLToPath(new URL('../../content/schema', import.meta.url))
const files = readdirSync(FOLDER, { recursive: true })
  .map(String)
  .filter((name) => /\.(?:yml|txt)$/.test(name))
  .sort()
  .map((path) => ({ path, text: readFileSync(`${FOLDER}/${path}`, 'utf8') }))
const { value: schema, diagnostics } = readSchema(files)
if (schema === undefined) throw new Error(JSON.stringify(diagnostics.slice(0, 3)))

const tablesOf = (...texts: readonly string[]) =>
  readTables(texts.map((text, at) => ({ path: `tables/${at}.txt`, text })))
const columnsOf = (text: string, name: string) =>
  tablesOf(text)
    .value?.table(name)
    ?.columns.map((each) => `${each.name}: ${each.type}`)

describe('the texts of tables', () => {
  it('give columns by type, the time first', () => {
    expect(columnsOf('# note\n@ t: TimeGenerated s: Type\nA s: b C l: n d: bag\n', 'A')).toEqual([
      'TimeGenerated: time',
      'b: text',
      'bag: dynamic',
      'C: text',
      'n: int',
      'Type: text',
    ])
    expect(columnsOf('A r: x i: y b: z g: u n: v m: w', 'A')).toEqual([
      'u: guid',
      'v: span',
      'w: decimal',
      'x: float',
      'y: int32',
      'z: bool',
    ])
  })

  it('keep the case of names apart', () => {
    const { value } = tablesOf('Event s: a')
    expect(value?.table('event')).toBeUndefined()
    expect(value?.names.has('Event')).toBe(true)
  })

  it('add columns to a table and take those of another', () => {
    const { value } = tablesOf('A s: a\nB =A l: b', '+A t: c')
    expect(value?.table('A')?.columns.map((each) => each.name)).toEqual(['a', 'c'])
    expect(value?.table('B')?.columns.map((each) => each.name)).toEqual(['a', 'b', 'c'])
    expect(columnsOf('A =A s: x', 'A')).toEqual(['x: text'])
  })

  it('know which tables logs of other forms feed, and columns made from data', () => {
    const { value } = readTables([
      { path: 'tables/a.txt', text: 'A * s: a\nB s: b\nC_ s: c' },
      { path: 'kusto/a.yml', text: 'tables:\n  - name: A\n  - name: C_\n' },
      { path: 'functions/a.kql', text: '// function: F()\nA' },
    ])
    expect(value?.fed).toEqual(['A'])
    expect([value?.table('A')?.grows, value?.table('B')?.grows]).toEqual([true, false])
    expect(value?.functions.map(({ path }) => path)).toEqual(['functions/a.kql'])
  })

  it('know what tables and columns were called', () => {
    const { value } = readTables([
      { path: 'tables/a.txt', text: '@ t: TimeGenerated Timestamp\nNew s: Host' },
      { path: 'tables/old.txt', text: 'Old > New\nNew.Name: s > Host\nNew.Gone: l\nNew.Host: s' },
    ])
    expect(value?.renamed('Old')).toBe('New')
    expect(value?.table('Old')?.name).toBe('New')
    expect(value?.table('New')?.isHunting).toBe(true)
    expect([...(value?.table('New')?.old ?? [])]).toEqual([
      ['Name', { field: { name: 'Name', type: 'text' }, now: 'Host' }],
      ['Gone', { field: { name: 'Gone', type: 'int' } }],
    ])
  })

  it.each([
    ['a-b s: c', 'HR470'],
    ['@ q: c', 'HR470'],
    ['+None s: c', 'HR470'],
    ['A s: b\nA s: c', 'HR204'],
  ])('refuse %j', (text, code) => {
    expect(tablesOf(text).diagnostics.map((each) => each.code)).toEqual([code])
  })

  it('refuse an old name that cannot be read', () => {
    const { diagnostics } = readTables([{ path: 'tables/old.txt', text: 'A < B' }])
    expect(diagnostics.map((each) => each.code)).toEqual(['HR470'])
  })
})

describe('the tables that ship', () => {
  it('have columns that can be read, none twice', () => {
    expect(schema.tables.names.size).toBeGreaterThan(1_900)
    for (const { path, text } of files.filter((each) => each.path.startsWith('tables'))) {
      if (path.endsWith('old.txt')) continue
      for (const line of text.split('\n')) {
        if (line === '' || line.startsWith('#')) continue
        expect(line, path).toMatch(/^[@+]?\w*(?: =\w+)?(?: \*)?(?: [a-z]:(?: \w+)+)*$/)
      }
    }
    for (const name of schema.tables.names) {
      const columns = schema.tables.table(name)?.columns.map((each) => each.name) ?? []
      expect(new Set(columns).size, name).toBe(columns.length)
      expect(columns.length, name).toBeGreaterThan(0)
    }
  })

  it('have successors of old names that exist', () => {
    for (const name of schema.tables.names) {
      const table = schema.tables.table(name)
      for (const { now } of table?.old.values() ?? []) {
        if (now !== undefined) expect(table?.columns.map((each) => each.name)).toContain(now)
      }
    }
  })

  it('have the columns that queries are about', () => {
    const names = schema.tables.table('DeviceProcessEvents')?.columns.map((each) => each.name)
    expect(names?.slice(0, 2)).toEqual(['TimeGenerated', 'Timestamp'])
    expect(names).toEqual(expect.arrayContaining(['ProcessCommandLine', 'AdditionalFields']))
    expect(schema.tables.table('AuditLogs')?.isHunting).toBe(false)
    expect(schema.tables.table('FileCreationEvents')?.name).toBe('DeviceFileEvents')
  })

  it('are fed by parts that name functions and sources which exist', () => {
    expect(diagnostics.map((each) => renderDiagnostic(each))).toEqual([])
    for (const [name, parts] of schema.tableParts()) {
      for (const { source, fields } of parts) {
        expect(schema.sources.has(source) || source.startsWith('table.'), source).toBe(true)
        for (const value of fields.values()) {
          visitExpr(value, (each) => {
            if (each.op !== 'call' || each.fn.startsWith('row.')) return
            expect(functions.has(each.fn), `${name}: ${each.fn}`).toBe(true)
          })
        }
      }
    }
  })
})

describe('views of tables', () => {
  const partsOf = (name: string): readonly string[] =>
    viewForTable(schema, name)?.parts.map((each) => each.source) ?? []

  it('hold what is declared, and exports of every table', () => {
    expect(partsOf('DeviceProcessEvents')).toEqual(
      expect.arrayContaining([
        'defender.process_events',
        'windows.sysmon',
        'windows.security',
        'linux.auditd',
        'table.deviceprocessevents',
      ]),
    )
    expect(partsOf('EmailEvents')).toEqual(['defender.email_events', 'table.emailevents'])
    expect(partsOf('SecurityAlert')).toEqual(['harrier.finding', 'table.securityalert'])
    expect(partsOf('Anything_CL')).toEqual(['table.anything_cl'])
  })

  it('know a renamed table under both names', () => {
    expect(partsOf('MiscEvents')).toEqual(
      expect.arrayContaining(['defender.events', 'table.deviceevents', 'table.miscevents']),
    )
  })

  it('are none for a table that is not known', () => {
    expect(viewForTable(schema, 'Nothing')).toBeUndefined()
    expect(viewForTable(schema, 'deviceprocessevents')).toBeUndefined()
  })

  it('read the columns of a custom table from what is stored', () => {
    const stored = new Map([
      [
        'table.gate_cl',
        {
          text: new Set(['door_s', 'n_d', 'who.name', 'odd name']),
          lists: new Set(['tags']),
          overflow: false,
          rows: 1,
        },
      ],
    ])
    expect(
      storedTable('Gate_CL', stored)?.columns.map((each) => `${each.name}: ${each.type}`),
    ).toEqual([
      'TimeGenerated: time',
      'Type: text',
      'door_s: text',
      'n_d: float',
      'tags: dynamic',
      'who: dynamic',
    ])
    expect(storedTable('Gate', stored)).toBeUndefined()
  })

  it('name the source in which rows of a table are stored', () => {
    expect(sourceOfTable(schema, 'DeviceProcessEvents')).toBe('defender.process_events')
    expect(sourceOfTable(schema, 'AADNonInteractiveUserSignInLogs')).toBe(
      'table.aadnoninteractiveusersigninlogs',
    )
    expect(sourceOfTable(schema, 'Gate_CL')).toBe(exportsOf('Gate_CL'))
  })
})

describe('exports of tables', () => {
  const recognise = makeRecogniser(schema)
  const sourceOf = (kind: string, row: Readonly<Record<string, string>>): string =>
    recognise(kind, Object.keys(row), Object.values(row))

  it.each([
    [{ TimeGenerated: 'x', Type: 'SecurityAlert', AlertName: 'a' }, 'table.securityalert'],
    [{ TimeGenerated: 'x', Type: 'Gate_CL', door_s: 'a' }, 'table.gate_cl'],
    [{ Timestamp: 'x', Type: 'DeviceProcessEvents', FileName: 'a' }, 'defender.process_events'],
    [{ Timestamp: 'x', $table: 'EmailEvents', Subject: 'a' }, 'defender.email_events'],
    [
      { time: 'x', category: 'AdvancedHunting-CloudProcessEvents', 'properties.Timestamp': 'x' },
      'table.cloudprocessevents',
    ],
    // A record of something else may have a field of that name too.
    [{ Type: 'SecurityAlert', AlertName: 'a' }, 'json.other'],
    [{ TimeGenerated: 'x', Type: 'none of ours', AlertName: 'a' }, 'json.other'],
  ])('are told by the table that a row names: %j', (row, source) => {
    expect(sourceOf('json', row)).toBe(source)
  })

  it('are told by their columns where a row names no table', () => {
    const names = schema.tables.table('SecurityIncident')?.columns.map((each) => each.name) ?? []
    const row = Object.fromEntries(
      names.filter((each) => each !== 'Type' && !each.startsWith('_')).map((each) => [each, 'x']),
    )
    expect(sourceOf('csv', row)).toBe('table.securityincident')
    expect(sourceOf('csv', { ...row, Other: 'x' })).toBe('csv.other')
    expect(sourceOf('csv', { TimeGenerated: 'x', Title: 'x', Status: 'x' })).toBe('csv.other')
  })
})
