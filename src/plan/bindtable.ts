/**
 * Binding of tables: a scan of a table becomes a union over the stored sources that feed it, in which each part gives
 * exactly the columns that are asked for, in their order and with their types. What no event has is a typed missing
 * value: the empty text, or null.
 */
import { type Diagnostic, diagnose } from '../core/diagnostic.ts'
import { and, call, type Expr, type FieldRef, NULL, TRUE, text, texts } from '../ir/expr.ts'
import { absurd, type Binding, type Rel } from '../ir/rel.ts'
import { type Field, isList, type Schema, type Type } from '../ir/types.ts'
import { mapExpr, mapRel, visitExpr } from '../ir/walk.ts'
import { ROW_COLUMN, ROW_DATA } from '../schema/mapping.ts'
import { isOwnSource, SHOWN } from '../schema/own.ts'
import { isOwnName, LIST_SUFFIX, META, type Source, storedName } from '../schema/source.ts'
import type { StoredColumns } from '../schema/stored.ts'
import type { Table } from '../schema/tables.ts'
import type { ViewPart } from '../schema/view.ts'
import type { BindContext, Bound } from './bind.ts'
import { bindRaw, type Columns, findName, foldNames, listColumn, loose } from './columns.ts'
import { foldExpr } from './fold.ts'

/** What binding of tables needs beside what binding needs. */
export interface TableContext extends BindContext {
  readonly table: (name: string) => Table | undefined
}

/** Start of the names of inputs that a query reads and that nobody has given. */
const MISSING_INPUT = 'missing:'
/** Start of the names of the views of tables. */
const TABLE_VIEW = 'table:'
/** Streams of Azure and Defender put the columns of a row under this key, beside facts of the stream. */
const ENVELOPE = 'properties'

/** The names of a stored source, found without case, and those of its nested values. */
interface Names {
  readonly columns: Columns
  /** Loose name to the stored names that it may mean. */
  readonly same: ReadonlyMap<string, readonly string[]>
  /** The same for names in which a dot is written as `_`, as custom tables do. */
  readonly flat: ReadonlyMap<string, readonly string[]>
  /** Loose name of a parent to the stored spellings of it. */
  readonly parents: ReadonlyMap<string, readonly string[]>
}

const indexed = new WeakMap<StoredColumns, Names>()

function add(map: Map<string, string[]>, name: string, key = loose(name)): void {
  const known = map.get(key)
  if (known === undefined) map.set(key, [name])
  else if (!known.includes(name)) known.push(name)
}

const flattened = (name: string): string => loose(name).replaceAll('.', '_')

function namesOf(columns: StoredColumns): Names {
  const known = indexed.get(columns)
  if (known !== undefined) return known
  const same = new Map<string, string[]>()
  const flat = new Map<string, string[]>()
  const parents = new Map<string, string[]>()
  for (const name of new Set([...columns.text, ...columns.lists])) {
    add(same, name)
    add(flat, name, flattened(name))
    if (columns.lists.has(name)) add(parents, name)
    for (let at = name.indexOf('.'); at > 0; at = name.indexOf('.', at + 1)) {
      add(parents, name.slice(0, at))
    }
  }
  const made = { columns: { columns, folded: foldNames(columns) }, same, flat, parents }
  indexed.set(columns, made)
  return made
}

/** A typed value for what no event has. */
function missing(type: Type): Expr {
  return type === 'text' ? text('') : { op: 'const', value: null, type }
}

function isNull(value: Expr): boolean {
  return value.op === 'const' && value.value === null
}

/** A stored text as Kusto has it: what is missing is empty. */
function plainText(name: string, { columns }: Columns): Expr {
  const ref: FieldRef = { op: 'field', name, type: 'text', stored: 'plain' }
  const isColumn = columns.text.has(name)
  if (columns.overflow) return { ...ref, kept: isColumn ? 'both' : 'map' }
  return isColumn ? ref : NULL
}

function firstOf(parts: readonly Expr[]): Expr {
  const [only = NULL] = parts
  return parts.length <= 1 ? only : call('value.first', parts, 'text')
}

/** The text of a field: its column, and a list of several values as JSON. */
function textOf(name: string, columns: Columns): Expr {
  const stored = findName(name, columns) ?? storedName(name)
  const list = columns.columns.lists.has(stored)
    ? [call('list.json', [listColumn(stored, columns)], 'text')]
    : []
  return firstOf([plainText(stored, columns), ...list].filter((each) => !isNull(each)))
}

/** Most fields that an object of a whole row has. */
const MOST_MEMBERS = 400
/** Fields of a Windows event that are not its data; those of sections are told by their first word. */
const HEADER = new Set(
  [
    'EventID Channel Computer Version Level Task Opcode Keywords EventRecordID Message Type',
    'EventTime TimeGenerated @timestamp',
  ]
    .join(' ')
    .split(' ')
    .map(loose),
)
const HEADER_SECTION =
  /^(?:provider|eventid|timecreated|correlation|execution|security|renderinginfo)_/

const DATA_CALLS: ReadonlyMap<string, string> = new Map([
  [ROW_DATA.object, 'dynamic.object'],
  [ROW_DATA.xml, 'text.event_data'],
  [ROW_DATA.params, 'text.event_params'],
])

/** The data of a Windows event: the fields that are named, or all texts of the row but its header. */
function rowData(fn: string, type: Type, named: readonly string[], columns: Columns): Expr {
  const isData = (name: string): boolean => {
    const low = loose(name)
    return !HEADER.has(low) && !HEADER_SECTION.test(low)
  }
  const names =
    named.length > 0
      ? named
      : [...columns.columns.text].filter(isData).sort().slice(0, MOST_MEMBERS)
  const values = names.map((name) => {
    const value = textOf(name, columns)
    return isNull(value) && fn !== 'dynamic.object' ? text('') : value
  })
  const flags = fn === 'text.event_data' ? [text(named.length > 0 ? 'all' : 'present')] : []
  return call(fn, [texts(names), ...flags, ...values], type)
}

/** The constants of an argument. */
function constants(expr: Expr | undefined): readonly string[] {
  if (expr?.op !== 'const') return []
  return Array.isArray(expr.value) ? expr.value.map(String) : [String(expr.value)]
}

/** A mapping of the schema over columns; null stands for what no event has. `type` is what the column wants. */
function bindValue(expr: Expr, type: Type, names: Names, source: Source | undefined): Expr {
  const inner = (each: Expr): Expr => bindValue(each, type, names, source)
  switch (expr.op) {
    case 'const':
    case 'query':
      return expr
    case 'field':
      if (expr.stored !== undefined) return expr
      return isList(expr.type)
        ? listColumn(expr.name.slice(0, -LIST_SUFFIX.length), names.columns)
        : textOf(expr.name, names.columns)
    case 'call': {
      const data = DATA_CALLS.get(expr.fn)
      if (data !== undefined) {
        return rowData(data, expr.type, constants(expr.args[0]), names.columns)
      }
      if (expr.fn === ROW_COLUMN) {
        const [name = ''] = constants(expr.args[0])
        return ownColumn({ name, type }, names, source)
      }
      return { ...expr, args: expr.args.map(inner) }
    }
    case 'case':
      return {
        ...expr,
        when: expr.when.map(([test, then]) => [bindRaw(test, names.columns, source), inner(then)]),
        otherwise: inner(expr.otherwise),
      }
    default:
      return absurd(expr)
  }
}

/** Each of the values once; the fields of several spellings may be one column. */
function different(args: readonly Expr[]): readonly Expr[] {
  const seen = new Set<string>()
  return args.filter((each) => {
    const key = JSON.stringify(each)
    const isNew = !seen.has(key)
    seen.add(key)
    return isNew
  })
}

/** Members of an object that no event has are left out, and second readings of one column. */
function withoutMissing(expr: Expr): Expr {
  if (expr.op === 'case' && expr.type === 'text') {
    const filled = (each: Expr): Expr => (isNull(each) ? text('') : each)
    return {
      ...expr,
      when: expr.when.map(([test, then]) => [test, filled(then)]),
      otherwise: filled(expr.otherwise),
    }
  }
  if (expr.op !== 'call') return expr
  if (expr.fn === 'value.first') {
    const args = different(expr.args)
    const [only] = args
    // A stored text is never null, so it is its own first.
    return args.length === 1 && only?.op === 'field' && only.stored === 'plain'
      ? only
      : { ...expr, args }
  }
  if (expr.fn === 'dynamic.first') {
    const args = expr.args.filter((each) => !isNull(each))
    return args.length > 1 ? { ...expr, args } : (args[0] ?? NULL)
  }
  if (expr.fn !== 'dynamic.object') return expr
  const [keys, ...values] = expr.args
  const kept = constants(keys).flatMap((key, index) => {
    const value = values[index]
    return value === undefined || isNull(value) ? [] : [{ key, value }]
  })
  if (kept.length === 0) return NULL
  return {
    ...expr,
    args: [texts(kept.map((each) => each.key)), ...kept.map((each) => each.value)],
  }
}

/** A stored text as a dynamic value: what JSON it holds, or the text itself; null for none. */
function parsed(value: Expr): Expr {
  return call('dyn.parse', [value], 'dynamic')
}

/** A value as a column of the type has it. */
function asType(value: Expr, type: Type): Expr {
  const made = mapExpr(foldExpr(value), withoutMissing)
  if (isNull(made) || (made.op === 'const' && made.value === '')) return missing(type)
  if (isList(made.type)) return asType(call('list.json', [made], 'text'), type)
  if (isList(type) || made.type === type) return made
  if (type === 'text') return call('dynamic.text', [made], 'text')
  if (type === 'dynamic') return parsed(made)
  if (type === 'time') return call('cast.time', [call('text.plain_time', [made], 'text')], type)
  return call(`cast.${type}`, [made], type)
}

/** The value of a column that is stored under its own name, or under it within an envelope. */
function ownColumn({ name, type }: Field, names: Names, source: Source | undefined): Expr {
  const { columns } = names
  const renamed = source?.rename?.[name]
  const spelled = [
    ...new Set(
      [renamed ?? name, name, `${ENVELOPE}.${name}`].map((each) => loose(storedName(each))),
    ),
  ]
  // A custom table writes the type of a column behind its name: `client_ip_s` is the text `client.ip`.
  const custom = /^(.+)_[sdbtg]$/.exec(name)?.[1]
  const stored = [
    ...spelled.flatMap((each) => names.same.get(each) ?? []),
    ...(custom === undefined ? [] : (names.flat.get(flattened(custom)) ?? [])),
  ]
  const plain = stored.map((each) => plainText(each, columns)).filter((each) => !isNull(each))
  const kept = plain.length === 0 ? [plainText(storedName(name), columns)] : plain
  const written = firstOf(kept.filter((each) => !isNull(each)))
  const lists = stored
    .filter((each) => columns.columns.lists.has(each))
    .map((each) => call('list.json', [listColumn(each, columns)], 'text'))
  const parents = spelled.flatMap((each) => names.parents.get(each) ?? [])
  if (parents.length === 0) return firstOf([written, ...lists].filter((each) => !isNull(each)))
  // The names within are stored one by one; the record still holds the value as it was.
  const record: FieldRef = { op: 'field', name: META.raw, type: 'text', stored: 'plain' }
  const paths = new Set([...parents, name])
  const whole = [...paths].map((path) =>
    call('dynamic.raw', [record, texts(path.split('.'))], 'dynamic'),
  )
  if (type === 'text') {
    const parts = whole.map((each) => call('dynamic.text', [each], 'text'))
    return firstOf([written, ...parts, ...lists].filter((each) => !isNull(each)))
  }
  if (type !== 'dynamic') return written
  const first = isNull(written) ? [] : [parsed(written)]
  return call('dynamic.first', [...first, ...whole, ...lists.map(parsed)], 'dynamic')
}

interface Part {
  readonly part: ViewPart
  readonly names: Names
  readonly source: Source | undefined
  readonly table: Table | undefined
  /** The table's name as the query writes it. */
  readonly called: string
}

const TIME: Expr = { op: 'field', name: META.time, type: 'time', stored: 'plain' }
const RECEIVED: Expr = { op: 'field', name: META.ingest, type: 'time', stored: 'plain' }
const IDENTITY: Expr = call(
  'row.identity',
  [
    { op: 'field', name: META.file, type: 'text', stored: 'plain' },
    { op: 'field', name: META.record, type: 'int', stored: 'plain' },
  ],
  'text',
)

/** Columns that every table has whatever feeds it. */
function standardColumn(name: string, { table, called }: Part): Expr | undefined {
  switch (name) {
    case 'TimeGenerated':
      return TIME
    case 'Timestamp':
      return table?.isHunting === true ? TIME : undefined
    case '_TimeReceived':
      return RECEIVED
    case 'Type':
      return text(called)
    case '_ItemId':
      return IDENTITY
    default:
      return undefined
  }
}

function columnValue(field: Field, on: Part): Expr {
  const { part, names, source } = on
  if (isOwnName(field.name)) {
    return { op: 'field', name: field.name, type: field.type, stored: 'plain' }
  }
  const mapped = part.fields.get(field.name)
  if (mapped !== undefined) return bindValue(mapped, field.type, names, source)
  const standard = standardColumn(field.name, on)
  if (standard !== undefined) return standard
  const own = part.isClosed === true ? NULL : ownColumn(field, names, source)
  const now = isNull(own) ? on.table?.old.get(field.name)?.now : undefined
  const successor = on.table?.columns.find((each) => each.name === now)
  return successor === undefined ? own : columnValue(successor, on)
}

function bindPart(on: Part, scan: Extract<Rel, { op: 'scan' }>): Rel {
  const { part, names, source } = on
  const where = bindRaw(part.where, names.columns, source)
  const keep = scan.out.map(
    (field): Binding => ({ name: field.name, value: asType(columnValue(field, on), field.type) }),
  )
  const read = new Map<string, Field>()
  for (const each of [where, ...keep.map((binding) => binding.value)]) {
    visitExpr(each, (inner) => {
      if (inner.op === 'field') read.set(inner.name, { name: inner.name, type: inner.type })
    })
  }
  const rows: Rel = {
    ...scan,
    table: { kind: 'source', name: part.source },
    out: [...read.values()],
  }
  const from: Rel = part.where === TRUE ? rows : { op: 'filter', from: rows, where }
  return { op: 'select', from, keep }
}

/** What is said of names that a table no longer has. */
function oldNames(called: string, table: Table, out: Schema): readonly Diagnostic[] {
  const columns = out.flatMap(({ name }) => {
    const old = table.old.get(name)
    if (old === undefined) return []
    const now = old.now === undefined ? '; it is empty' : `; it is called "${old.now}" now`
    return [diagnose('HR474', { table: table.name, name, now })]
  })
  return called === table.name
    ? columns
    : [diagnose('HR475', { name: called, now: table.name }), ...columns]
}

/**
 * Binds every table of a relation to what is stored. Each part of the union gives `out` of the scan: names, order and
 * types. A table without data becomes an empty `values` of those columns and says "no data here".
 */
export function bindTables(rel: Rel, context: TableContext): Bound {
  const diagnostics: Diagnostic[] = []
  const bound = mapRel(rel, (each) => {
    if (each.op !== 'scan' || each.table.kind !== 'view') return each
    if (each.table.name.startsWith(MISSING_INPUT)) {
      const what = each.table.name.slice(MISSING_INPUT.length)
      diagnostics.push(diagnose('HR432', { what }))
      return { op: 'values', rows: [], out: each.out }
    }
    if (!each.table.name.startsWith(TABLE_VIEW)) return each
    const called = each.table.name.slice(TABLE_VIEW.length)
    const view = context.view(each.table.name)
    if (view === undefined) {
      diagnostics.push(diagnose('HR473', { name: called }))
      return { op: 'values', rows: [], out: each.out }
    }
    const table = context.table(called)
    if (table !== undefined) diagnostics.push(...oldNames(called, table, each.out))
    const all = view.parts.flatMap((part) => {
      const columns = context.stored.get(part.source)
      const isOwn = isOwnSource(part.source)
      if (columns === undefined || (isOwn && each.table.isUnnamed === true)) return []
      const source = context.source(part.source)
      const shown = isOwn ? { ...part, where: and([part.where, SHOWN]) } : part
      return [bindPart({ part: shown, names: namesOf(columns), source, table, called }, each)]
    })
    const [only] = all
    if (only === undefined) {
      diagnostics.push(diagnose('HR262', { logsource: view.title }))
      return { op: 'values', rows: [], out: each.out }
    }
    return all.length === 1 ? only : { op: 'union', all }
  })
  return { rel: bound, diagnostics }
}
