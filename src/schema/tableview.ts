/**
 * Views of Kusto tables: which stored sources feed a table. What content/schema/kusto declares comes first; beside it,
 * every table is fed by events that were exported from it, under the names of its own columns.
 */
import { hasErrors, type Outcome, renderDiagnostic } from '../core/diagnostic.ts'
import type { YamlNode } from '../core/yaml.ts'
import { call, type Expr, field, TRUE, text } from '../ir/expr.ts'
import type { Field } from '../ir/types.ts'
import type { SchemaCatalogue } from './catalogue.ts'
import { eachOf, readDocuments, type SchemaFile } from './documents.ts'
import { type Feeds, readMappings, readParts } from './feed.ts'
import { itemsOf, knownMapOf, mapOf, type Report, say, sayUnknown, textFrom } from './node.ts'
import { orderedParts } from './parts.ts'
import type { StoredCatalogue } from './stored.ts'
import { suffixType, type Table, type TableCatalogue } from './tables.ts'
import type { View, ViewPart } from './view.ts'

type TableParts = ReadonlyMap<string, readonly ViewPart[]>

/** True for a file that is read only when a table is asked for. */
export function isLate(path: string): boolean {
  return /^kusto[/\\]/.test(path)
}

/** Second names of columns, by the column that has the value. */
function readAliases(
  node: YamlNode | undefined,
  report: Report,
): readonly (readonly [string, string])[] {
  if (node === undefined) return []
  return mapOf(node, '"aliases"', report).flatMap(({ key, value }) => {
    const to = textFrom(value, `"${key}"`, report)
    return to === undefined ? [] : [[key, to] as const]
  })
}

function withAliases(part: ViewPart, aliases: readonly (readonly [string, string])[]): ViewPart {
  const fields = new Map(part.fields)
  for (const [alias, column] of aliases) {
    const value = part.fields.get(column) ?? (part.isClosed === true ? undefined : field(column))
    if (value !== undefined && !fields.has(alias)) fields.set(alias, value)
  }
  return { ...part, fields }
}

/** Reads the files of the views of tables, given what they may name. */
function readTableParts(
  files: readonly SchemaFile[],
  feeds: Feeds,
  tables: TableCatalogue,
): Outcome<TableParts> {
  const { documents, diagnostics } = readDocuments(files, ['mappings', 'tables'])
  const mappings = new Map(feeds.mappings)
  const all = new Map<string, readonly ViewPart[]>()
  // A shared mapping may hold more than one table has, but nothing that no table has.
  const known = new Set<string>()
  const mapped = new Map<string, () => void>()
  const readTable = (node: YamlNode, report: Report): void => {
    const entries = knownMapOf(node, 'a table', ['name', 'source', 'parts', 'aliases'], report)
    const nameNode = entries.get('name')
    const name = nameNode && textFrom(nameNode, '"name"', report)
    const table = name === undefined ? undefined : tables.table(name)
    if (name === undefined) say(report, 'HR203', { what: 'a table', key: 'name' }, node.span)
    else if (table === undefined) sayUnknown(report, 'table', name, tables.names, node.span)
    else if (all.has(name)) say(report, 'HR204', { what: 'table', name }, node.span)
    if (name === undefined || table === undefined || all.has(name)) return
    const aliases = readAliases(entries.get('aliases'), report)
    const parts = readParts(entries, { sources: feeds.sources, mappings }, report, 'table').map(
      (part) => withAliases(part, aliases),
    )
    const columns = table.columns.map((each) => each.name)
    for (const each of columns) known.add(each)
    for (const column of parts.flatMap((each) => [...each.fields.keys()])) {
      mapped.set(column, () => sayUnknown(report, `column of ${name}`, column, columns, node.span))
    }
    all.set(name, orderedParts(parts, feeds.sources))
  }
  eachOf(documents, 'mappings', (node, report) => readMappings(node, mappings, report))
  eachOf(documents, 'tables', (node, report) => {
    for (const item of itemsOf(node)) readTable(item, report)
  })
  for (const [column, tell] of mapped) if (!known.has(column)) tell()
  return hasErrors(diagnostics) ? { diagnostics } : { value: all, diagnostics }
}

/** The parts of all tables, read at the first call; the files are ours, so an error in them is an error of ours. */
export function lateParts(
  files: readonly SchemaFile[],
  feeds: Feeds,
  tables: TableCatalogue,
): () => TableParts {
  let parts: TableParts | undefined
  return () => {
    if (parts === undefined) {
      const { value, diagnostics } = readTableParts(files, feeds, tables)
      const [first] = diagnostics
      if (value === undefined) {
        throw new Error(`the views of tables cannot be read: ${first && renderDiagnostic(first)}`)
      }
      parts = value
    }
    return parts
  }
}

/** Start of the names of the sources that hold exports of a table. */
const EXPORTS = 'table.'

/** The source that holds exports of a table, unless a source of its own is declared for it. */
export function exportsOf(table: string): string {
  return `${EXPORTS}${table.toLowerCase()}`
}

/**
 * The source in which rows of a table are stored when the user says which table they are of: the one declared for that
 * table alone, or the one for its exports.
 */
export function sourceOfTable(schema: SchemaCatalogue, table: string): string {
  for (const { name, recognise } of schema.sources.values()) {
    const types = recognise.flatMap((each) => each.where?.Type ?? [])
    const tables = new Set(types.filter((each) => schema.tables.names.has(each)))
    if (tables.size === 1 && tables.has(table)) return name
  }
  return exportsOf(table)
}

/** Sources whose events may say by their `Type` that they are rows of the table. */
function namesakes(schema: SchemaCatalogue, table: string): readonly ViewPart[] {
  return [...schema.sources.values()].flatMap(({ name, recognise }): readonly ViewPart[] => {
    const types = new Set(recognise.flatMap((each) => each.where?.Type ?? []))
    if (!types.has(table)) return []
    const others = [...types].filter((each) => each !== table && schema.tables.names.has(each))
    const where: Expr =
      others.length === 0 ? TRUE : call('match.equals', [field('Type'), text(table)])
    return [{ source: name, where, fields: new Map() }]
  })
}

/** The view of a table; undefined when there is no table of that name. A renamed table is fed as it is now. */
export function viewForTable(schema: SchemaCatalogue, called: string): View | undefined {
  const table = schema.tables.table(called)
  if (table === undefined && !isCustom(called)) return undefined
  const name = table?.name ?? called
  const declared = schema.tableParts().get(name) ?? []
  const sources = new Set(declared.map((each) => each.source))
  const others = namesakes(schema, name).filter((each) => !sources.has(each.source))
  const exports = [...new Set([name, called])].map(
    (each): ViewPart => ({ source: exportsOf(each), where: TRUE, fields: new Map() }),
  )
  return {
    name: `table:${called}`,
    title: `table ${called}`,
    parts: [...declared, ...others, ...exports.filter((each) => !sources.has(each.source))],
  }
}

/** True for the name of a custom table: what it holds is told by what is stored. */
export function isCustom(name: string): boolean {
  return /^[A-Za-z_]\w*_CL$/i.test(name)
}

const NAME = /^[A-Za-z_]\w*$/

/**
 * A custom table that the schema does not know, told by what the store holds for it: all columns are texts unless
 * their suffix says otherwise. Undefined when nothing is stored for it.
 */
export function storedTable(name: string, stored: StoredCatalogue): Table | undefined {
  const columns = isCustom(name) ? stored.get(exportsOf(name)) : undefined
  if (columns === undefined) return undefined
  const parents = (each: string): string => each.split('.', 1)[0] ?? each
  const names = new Set([...columns.text, ...columns.lists].map(parents))
  const nested = new Set([...columns.text, ...columns.lists].filter((each) => each.includes('.')))
  const objects = new Set([...[...nested].map(parents), ...columns.lists])
  const fields = [...names]
    .filter((each) => NAME.test(each) && each !== 'TimeGenerated' && each !== 'Type')
    .sort()
    .map((each): Field => {
      const type = suffixType(each) ?? (objects.has(each) ? 'dynamic' : 'text')
      return { name: each, type }
    })
  const standard: readonly Field[] = [
    { name: 'TimeGenerated', type: 'time' },
    { name: 'Type', type: 'text' },
  ]
  return { name, columns: [...standard, ...fields], old: new Map(), isHunting: false, grows: true }
}

/** The tables that a store holds exports of; custom ones have names in lower case. */
export function exportedTables(stored: StoredCatalogue, tables: TableCatalogue): readonly Table[] {
  const exported = [...stored.keys()].filter((source) => source.startsWith(EXPORTS))
  if (exported.length === 0) return []
  const names = new Map([...tables.names].map((name) => [name.toLowerCase(), name]))
  return exported.flatMap((source) => {
    const low = source.slice(EXPORTS.length)
    const name = names.get(low)
    const held = storedTable(low, stored)
    // What was published of a custom table may be less than what is stored.
    if (name !== undefined && held !== undefined) return { ...held, name }
    return held ?? (name === undefined ? undefined : tables.table(name)) ?? []
  })
}
