/** Binding of tables: typed columns over stored ones, what no event has, nested values, old names, and no data at all. */
import { describe, expect, it } from 'vitest'
import { checkRel } from '../../src/functions/check.ts'
import type { Rel } from '../../src/ir/rel.ts'
import { schemaOf } from '../../src/ir/rel.ts'
import type { BaseType, Field } from '../../src/ir/types.ts'
import { bindTables } from '../../src/plan/bindtable.ts'
import { optimise } from '../../src/plan/passes.ts'
import { readSchema } from '../../src/schema/load.ts'
import type { StoredColumns } from '../../src/schema/stored.ts'
import { viewForTable } from '../../src/schema/tableview.ts'
import { printSql } from '../../src/sql/print.ts'

const { value: schema, diagnostics } = readSchema([
  {
    path: 'sources/a.yml',
    text: `
sources:
  - { name: win, title: Windows, order: EventID }
  - { name: own, title: Exports, recognise: { where: { Type: [T] } }, rename: { Renamed: kept.as } }
`,
  },
  {
    path: 'kusto/a.yml',
    text: `
mappings:
  shared: { Name: { basename: Image }, Same: Image }
tables:
  - name: T
    aliases: { Alias: Name }
    parts:
      - { source: own, own: true }
      - source: win
        where: { EventID: 1 }
        use: shared
        fields:
          Number: { hex: Id }
          Bag: { object: { a: Image, b: Absent } }
          Gone: Absent
          Chosen: { case: [{ where: { Image: { exists: true } }, gives: Image }] }
          Xml: { data_xml: [Image, Absent] }
`,
  },
  {
    path: 'tables/a.txt',
    text: '@ t: TimeGenerated Timestamp s: Type _ItemId\nT s: Name Same Alias Gone Chosen Xml Renamed Text l: Number d: Bag List b: Flag t: When',
  },
  { path: 'tables/old.txt', text: 'Before > T\nT.Earlier: s > Same\nT.Lost: l' },
])
if (schema === undefined) throw new Error(JSON.stringify(diagnostics))

const columns = (text: readonly string[], more: Partial<StoredColumns> = {}): StoredColumns => ({
  text: new Set(text),
  lists: new Set(),
  overflow: false,
  rows: 1,
  ...more,
})

function fieldOf(name: string): Field {
  const table = schema?.tables.table('T')
  return (
    table?.columns.find((each) => each.name === name) ??
    table?.old.get(name)?.field ?? { name, type: 'text' }
  )
}

function bound(
  names: readonly string[],
  stored: Readonly<Record<string, StoredColumns>>,
  table = 'T',
  time = {},
) {
  if (schema === undefined) return expect.fail()
  const scan: Rel = {
    op: 'scan',
    table: { kind: 'view', name: `table:${table}` },
    time,
    out: names.map(fieldOf),
  }
  const result = bindTables(scan, {
    view: (name) => viewForTable(schema, name.slice('table:'.length)),
    source: (name) => schema.sources.get(name),
    stored: new Map(Object.entries(stored)),
    table: (name) => schema.tables.table(name),
  })
  expect(checkRel(result.rel)).toEqual([])
  expect(schemaOf(result.rel).map(({ name, type }) => [name, type])).toEqual(
    scan.out.map(({ name, type }) => [name, type]),
  )
  return { ...result, says: result.diagnostics.map((each) => each.code) }
}

/** The expression of one column of the only part, as SQL. */
function sqlOf(name: string, stored: Readonly<Record<string, StoredColumns>>): string {
  const text = printSql(bound([name], stored).rel)
  return text.slice('SELECT '.length, text.indexOf('\nFROM'))
}

describe('columns of exports', () => {
  it('are the stored text itself, empty where there is none', () => {
    expect(sqlOf('Text', { own: columns(['Text']) })).toBe('`Text`')
    expect(sqlOf('Text', { own: columns(['Other']) })).toBe("'' AS `Text`")
    expect(sqlOf('Text', { own: columns(['text']) })).toBe('`text` AS `Text`')
  })

  it('are found under an envelope, under their stored name, and in the overflow map', () => {
    expect(sqlOf('Text', { own: columns(['properties.text']) })).toBe('`properties:text` AS `Text`')
    expect(sqlOf('Text', { own: columns(['Text', 'text']) })).toContain('coalesce(')
    expect(sqlOf('Renamed', { own: columns(['kept.as']) })).toBe('`kept:as` AS `Renamed`')
    expect(sqlOf('Text', { own: columns([], { overflow: true }) })).toContain("`@more`['Text']")
  })

  it('have the type of the column', () => {
    expect(sqlOf('Number', { own: columns(['Number']) })).toContain('Int64')
    for (const [name, type] of [
      ['Number', 'int'],
      ['Flag', 'bool'],
      ['When', 'time'],
      ['Bag', 'dynamic'],
    ] as const satisfies readonly (readonly [string, BaseType])[]) {
      expect(schemaOf(bound([name], { own: columns([name]) }).rel)).toMatchObject([{ name, type }])
      expect(schemaOf(bound([name], { own: columns([]) }).rel)).toMatchObject([{ name, type }])
    }
  })

  it('keep lists and what is nested in them', () => {
    const listed = sqlOf('List', { own: columns([], { lists: new Set(['List']) }) })
    expect(listed).toContain("JSONExtractRaw(`@raw`, 'List')")
    expect(listed).toContain('toJSONString(`List[]`)')
    const nested = sqlOf('Bag', { own: columns(['Bag.a.b', 'properties.bag.c']) })
    expect(nested).toContain("JSONExtractRaw(`@raw`, 'Bag')")
    expect(nested).toContain("JSONExtractRaw(`@raw`, 'properties', 'bag')")
  })
})

describe('mapped columns', () => {
  const win = { win: columns(['Image', 'Id', 'Text', 'EventID']) }

  it('are made of what is stored, and only of what is mapped', () => {
    expect(sqlOf('Same', win)).toBe('`Image` AS `Same`')
    expect(sqlOf('Name', win)).toContain('basename')
    expect(sqlOf('Alias', win)).toContain('basename')
    expect(sqlOf('Text', win)).toBe("'' AS `Text`")
    expect(sqlOf('Gone', win)).toBe("'' AS `Gone`")
    expect(sqlOf('Number', win)).toContain('Int64')
  })

  it('leave out members that no event has', () => {
    const bag = sqlOf('Bag', win)
    expect(bag).toContain('"a":')
    expect(bag).not.toContain('"b":')
    expect(sqlOf('Bag', { win: columns(['EventID']) })).toMatch(/^CAST\(NULL/)
    expect(sqlOf('Chosen', win)).toContain("ELSE '' END")
    expect(sqlOf('Xml', win)).toContain('<Data Name="Absent">')
  })

  it('are the same in every table', () => {
    expect(sqlOf('TimeGenerated', win)).toBe('`@time` AS `TimeGenerated`')
    expect(sqlOf('Timestamp', win)).toBe('`@time` AS `Timestamp`')
    expect(sqlOf('Type', win)).toBe("'T' AS `Type`")
    expect(sqlOf('_ItemId', win)).toContain('sipHash128')
    expect(sqlOf('@file', win)).toBe('`@file`')
  })
})

describe('a table', () => {
  it('is the union of what feeds it, within the bounds of time', () => {
    const both = { own: columns(['Same']), win: columns(['Image', 'EventID']) }
    const { rel } = bound(['Same'], both, 'T', { from: '2026-05-01T00:00:00Z' })
    const sql = printSql(rel)
    expect(sql.match(/FROM `events_/g)).toHaveLength(2)
    expect(sql.match(/`@time` >= toDateTime64\('2026-05-01 00:00:00'/g)).toHaveLength(2)
  })

  it('takes a filter down to the stored column', () => {
    const { rel } = bound(['Same'], { win: columns(['Image', 'EventID']) })
    const where = {
      op: 'call',
      fn: 'match.contains',
      args: [
        { op: 'field', name: 'Same', type: 'text' },
        { op: 'const', value: 'x', type: 'text' },
      ],
      type: 'bool',
    } as const
    const sql = printSql(optimise({ op: 'filter', from: rel, where }))
    expect(sql).toMatch(/WHERE [\s\S]*`Image`/)
    expect(sql).not.toContain('FROM (')
  })

  it('without data is empty and says so', () => {
    const { rel, says } = bound(['Text', 'Number'], {})
    expect(says).toEqual(['HR262'])
    expect(rel).toMatchObject({ op: 'values', rows: [] })
  })

  it('that is not known is refused', () => {
    expect(bound(['Text'], {}, 'Unknown').says).toEqual(['HR473'])
  })

  it('and its columns may be called as they once were', () => {
    const { says } = bound(['Earlier', 'Lost'], { own: columns(['Same']) }, 'Before')
    expect(says).toEqual(['HR475', 'HR474', 'HR474'])
    expect(sqlOf('Earlier', { own: columns(['Same']) })).toBe('`Same` AS `Earlier`')
    expect(sqlOf('Earlier', { own: columns(['Earlier', 'Same']) })).toBe('`Earlier`')
    expect(sqlOf('Lost', { own: columns(['Same']) })).toMatch(/^CAST\(NULL/)
  })
})
