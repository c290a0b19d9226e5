/**
 * Binding: a scan of a view becomes a union over the stored sources that feed it, and every field name becomes
 * the column that holds it, or null where no event has it. An unknown column never reaches SQL.
 *
 * A field that some events hold several values of has a companion list column; a test on it becomes "the text or
 * any of the list".
 */
import { type Diagnostic, diagnose } from '../core/diagnostic.ts'
import { functions } from '../functions/catalogue.ts'
import { and, call, type Expr, type FieldRef, NULL, or } from '../ir/expr.ts'
import type { Binding, Rel } from '../ir/rel.ts'
import { isList } from '../ir/types.ts'
import { childrenOf, fieldsOf, mapExpr, mapOwnExprs, mapRel, ownExprs } from '../ir/walk.ts'
import {
  isOwnName,
  LIST_SUFFIX,
  META,
  QUERY_PREFIX,
  type Source,
  storedName,
} from '../schema/source.ts'
import type { StoredCatalogue, StoredColumns } from '../schema/stored.ts'
import type { View, ViewPart } from '../schema/view.ts'
import { foldExpr } from './fold.ts'

/** What binding needs to know of the world; all plain data. */
export interface BindContext {
  readonly view: (name: string) => View | undefined
  readonly source: (name: string) => Source | undefined
  readonly stored: StoredCatalogue
}

export interface Bound {
  readonly rel: Rel
  readonly diagnostics: readonly Diagnostic[]
}

/** Call that stands for all values of the row, as keyword rules search them. */
const ROW_VALUES = 'row.values'
const NO_LIST: Expr = { op: 'const', value: [], type: { list: 'text' } }

interface Columns {
  readonly columns: StoredColumns
  readonly folded: ReadonlyMap<string, string>
}

/** Names without case and blanks (Sigma drops blanks of event field names). */
const loose = (name: string): string => name.toLowerCase().replaceAll(' ', '')

/** Loose names to the one stored name they stand for; names that two columns share are left out. */
function foldNames(columns: StoredColumns): ReadonlyMap<string, string> {
  const folded = new Map<string, string>()
  const twice = new Set<string>()
  for (const name of new Set([...columns.text, ...columns.lists])) {
    const low = loose(name)
    if (folded.has(low)) twice.add(low)
    folded.set(low, name)
  }
  for (const low of twice) folded.delete(low)
  return folded
}

/** The stored name of a field: exact first, then the only one that differs in case or blanks. */
function findName(name: string, { columns, folded }: Columns): string | undefined {
  const wanted = storedName(name)
  if (columns.text.has(wanted) || columns.lists.has(wanted)) return wanted
  return folded.get(loose(wanted))
}

/** Most columns that a parent name stands for. */
const CHILDREN = 200

/**
 * The parent of nested values (`requestParameters` of `requestParameters.bucketName`): their texts, one a line, so
 * that a rule that searches the whole of it finds what is inside.
 */
function parentText(name: string, { columns }: Columns): Expr {
  const below = (names: ReadonlySet<string>): readonly string[] =>
    [...names].filter((each) => each.startsWith(`${name}.`)).sort()
  const texts = below(columns.text).map((each): Expr => ({ ...TEXT_COLUMN, name: each }))
  const lists = below(columns.lists).map(
    (each): Expr => ({ ...LIST_COLUMN, name: each + LIST_SUFFIX }),
  )
  const parts = [...texts, ...lists].slice(0, CHILDREN)
  return parts.length === 0 ? NULL : call('text.lines', parts, 'text')
}

const TEXT_COLUMN = { op: 'field', type: 'text', stored: 'blank' } as const
const LIST_COLUMN = { op: 'field', type: { list: 'text' }, stored: 'plain' } as const

function textColumn(name: string, stored: Columns): Expr {
  const found = findName(name, stored)
  const { overflow, text } = stored.columns
  const column = found ?? storedName(name)
  const ref: FieldRef = { ...TEXT_COLUMN, name: column }
  if (found !== undefined && text.has(found)) return overflow ? { ...ref, kept: 'both' } : ref
  if (overflow) return { ...ref, kept: 'map' }
  const below = found === undefined ? parentText(name, stored) : NULL
  return below === NULL ? { ...ref, kept: 'marks' } : below
}

/** True for a field that no event has a text for. */
function isUnseen(value: Expr | undefined): boolean {
  return value?.op === 'field' && value.kept === 'marks'
}

function listColumn(name: string, stored: Columns): Expr {
  const found = findName(name, stored)
  const { overflow, lists } = stored.columns
  const column = `${found ?? storedName(name)}${LIST_SUFFIX}`
  const ref: FieldRef = { ...LIST_COLUMN, name: column }
  if (found !== undefined && lists.has(found)) return overflow ? { ...ref, kept: 'both' } : ref
  return overflow ? { ...ref, kept: 'map' } : NO_LIST
}

/** Every value of a row: all columns, the overflow map, and the record itself where it is plain text. */
function rowValues(stored: Columns, source: Source | undefined): Expr {
  const texts = [...stored.columns.text].sort().map((name) => textColumn(name, stored))
  const lists = [...stored.columns.lists].sort().map((name) => listColumn(name, stored))
  const parts = [...texts, ...lists]
    .map((each): Expr => {
      if (each.op !== 'field' || each.kept === undefined) return each
      const { kept: _, ...plain } = each
      return plain
    })
    .concat(
      source?.rawIsText ? [{ op: 'field', name: META.raw, type: 'text', stored: 'plain' }] : [],
      stored.columns.overflow
        ? [call('map.values', [{ op: 'field', name: META.more, type: 'dynamic' }], 'text')]
        : [],
    )
  return call('text.stack', parts, 'text')
}

/** The companion list of a field; none for a list and for a column of our own. */
function listOf(field: Expr | undefined): FieldRef | undefined {
  return field?.op !== 'field' || isList(field.type) || isOwnName(field.name)
    ? undefined
    : { op: 'field', name: `${field.name}${LIST_SUFFIX}`, type: { list: 'text' } }
}

/** A part of a date, of each of the values of the companion list. */
function partsOf(subject: Expr | undefined): Expr | undefined {
  if (subject?.op !== 'call' || subject.fn !== 'time.part') return undefined
  const [written, ...rest] = subject.args
  const list = listOf(written)
  return list === undefined ? undefined : call('list.time_part', [list, ...rest], { list: 'int' })
}

/** A test that also looks at the companion lists of its arguments. */
function withList(expr: Expr): Expr {
  if (expr.op !== 'call') return expr
  const [subject, ...rest] = expr.args
  const [second] = rest
  const list = listOf(subject) ?? partsOf(subject)
  if (subject === undefined || list === undefined) return expr
  const other: Expr = { ...expr, args: [list, ...rest] }
  const secondList = listOf(second)
  if (functions.get(expr.fn)?.anyOf === true) {
    if (secondList === undefined) return or([expr, other])
    return or([
      expr,
      other,
      ...[subject, list].map((each): Expr => ({ ...expr, args: [each, secondList] })),
    ])
  }
  if (expr.fn === 'value.is_null') return and([expr, other])
  if (expr.fn === 'value.exists' || expr.fn === 'value.has_value') return or([expr, other])
  return expr
}

/** True for a value that no event can have: nothing that it is made from is stored. */
function isNull(value: Expr): boolean {
  return value.op === 'const' && value.value === null
}

interface PartBinding {
  readonly rel: Rel
  readonly missing: readonly string[]
  readonly folded: readonly (readonly [string, string])[]
}

/** Replaces the raw names in a condition or mapping of the schema by columns. */
function bindRaw(expr: Expr, stored: Columns, source: Source | undefined): Expr {
  return mapExpr(mapExpr(expr, withList), (each) => {
    if (each.op === 'call' && each.fn === ROW_VALUES) return rowValues(stored, source)
    if (each.op !== 'field' || each.stored !== undefined) return each
    if (isList(each.type)) return listColumn(each.name.slice(0, -LIST_SUFFIX.length), stored)
    const value = textColumn(each.name, stored)
    return isUnseen(value) ? NULL : value
  })
}

/** What a view says of a name: by the exact name, or else by the only one that differs in case. */
function mappedField(name: string, part: ViewPart, stored: Columns): Expr | undefined {
  const exact = part.fields.get(name)
  if (exact !== undefined || stored.columns.text.has(storedName(name))) return exact
  const near = [...part.fields].filter(([each]) => loose(each) === loose(name))
  return near.length === 1 ? near[0]?.[1] : undefined
}

function bindPart(
  part: ViewPart,
  names: ReadonlySet<string>,
  scan: Extract<Rel, { op: 'scan' }>,
  context: BindContext,
): PartBinding | undefined {
  const columns = context.stored.get(part.source)
  if (columns === undefined) return undefined
  const stored: Columns = { columns, folded: foldNames(columns) }
  const source = context.source(part.source)
  const missing: string[] = []
  const folded: (readonly [string, string])[] = []
  const set: Binding[] = []
  for (const name of names) {
    if (isOwnName(name)) {
      if (name === ROW_NAME) set.push({ name, value: rowValues(stored, source) })
      continue
    }
    const isListName = name.endsWith(LIST_SUFFIX)
    const plain = isListName ? name.slice(0, -LIST_SUFFIX.length) : name
    const mapped = mappedField(plain, part, stored)
    if (mapped !== undefined && mapped.op !== 'field') {
      const value = isListName ? NO_LIST : bindRaw(mapped, stored, source)
      set.push({ name, value })
      if (isNull(foldExpr(value))) missing.push(plain)
      continue
    }
    const raw = mapped?.op === 'field' ? mapped.name : plain
    const value = isListName ? listColumn(raw, stored) : textColumn(raw, stored)
    set.push({ name, value })
    if (isListName) continue
    const found = findName(raw, stored)
    if (isUnseen(value) && found === undefined) missing.push(plain)
    else if (found !== undefined && found !== storedName(raw)) folded.push([plain, found])
  }
  const from: Rel = {
    ...scan,
    table: { kind: 'source', name: part.source },
    out: [],
  }
  const where = bindRaw(part.where, stored, source)
  return { rel: { op: 'derive', from: { op: 'filter', from, where }, set }, missing, folded }
}

/** Name under which the whole-row text travels between binding and pushing down. */
const ROW_NAME = `${QUERY_PREFIX}row_values`

/** True when binding must also provide the companion lists: some part may hold several values. */
function hasLists(view: View, context: BindContext): boolean {
  return view.parts.some((part) => {
    const columns = context.stored.get(part.source)
    return columns !== undefined && (columns.lists.size > 0 || columns.overflow)
  })
}

function viewsOf(rel: Rel): readonly string[] {
  return rel.op === 'scan'
    ? rel.table.kind === 'view'
      ? [rel.table.name]
      : []
    : childrenOf(rel).flatMap(viewsOf)
}

/** Binds every view of a relation. A view without data becomes an empty `values` and says "no data here". */
export function bind(rel: Rel, context: BindContext): Bound {
  const diagnostics: Diagnostic[] = []
  const lists = viewsOf(rel).some((name) => {
    const view = context.view(name)
    return view !== undefined && hasLists(view, context)
  })
  const prepared = mapRel(rel, (each) =>
    mapOwnExprs(each, (expr) => {
      const named = mapExpr(
        expr,
        (inner): Expr =>
          inner.op === 'call' && inner.fn === ROW_VALUES
            ? { op: 'field', name: ROW_NAME, type: 'text' }
            : inner,
      )
      return lists ? mapExpr(named, withList) : named
    }),
  )
  const names = new Set<string>()
  const collect = (each: Rel): void => {
    for (const expr of ownExprs(each)) for (const name of fieldsOf(expr)) names.add(name)
    childrenOf(each).forEach(collect)
  }
  collect(prepared)
  const bound = mapRel(prepared, (each) => {
    if (each.op !== 'scan' || each.table.kind !== 'view') return each
    const view = context.view(each.table.name)
    const parts = (view?.parts ?? []).flatMap((part) => {
      const made = bindPart(part, names, each, context)
      return made === undefined ? [] : [{ part, made }]
    })
    for (const { part, made } of parts) {
      for (const name of made.missing) {
        diagnostics.push(diagnose('HR261', { name, source: part.source }))
      }
      for (const [name, found] of made.folded) diagnostics.push(diagnose('HR260', { name, found }))
    }
    if (parts.length === 0) {
      diagnostics.push(diagnose('HR262', { logsource: view?.title ?? each.table.name }))
      return { op: 'values', rows: [], out: [...names].map((name) => ({ name, type: 'text' })) }
    }
    const all = parts.map(({ made }) => made.rel)
    const [only] = all
    return all.length === 1 && only !== undefined ? only : { op: 'union', all }
  })
  return { rel: bound, diagnostics }
}
