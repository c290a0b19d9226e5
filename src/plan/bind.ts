/**
 * Binding: a scan of a view becomes a union over the stored sources that feed it, and every field name becomes
 * the column that holds it, or null where no event has it. An unknown column never reaches SQL.
 *
 * A field that some events hold several values of has a companion list column; a test on it becomes "the text or
 * any of the list".
 */
import { type Diagnostic, diagnose } from '../core/diagnostic.ts'
import type { Expr } from '../ir/expr.ts'
import type { Binding, Rel } from '../ir/rel.ts'
import { childrenOf, fieldsOf, mapExpr, mapOwnExprs, mapRel, ownExprs } from '../ir/walk.ts'
import { isOwnName, LIST_SUFFIX, QUERY_PREFIX, type Source, storedName } from '../schema/source.ts'
import type { StoredCatalogue } from '../schema/stored.ts'
import type { View, ViewPart } from '../schema/view.ts'
import {
  bindRaw,
  type Columns,
  findName,
  foldNames,
  isUnseen,
  listColumn,
  loose,
  NO_LIST,
  ROW_VALUES,
  rowValues,
  textColumn,
  withList,
} from './columns.ts'
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

/** True for a value that no event can have: nothing that it is made from is stored. */
function isNull(value: Expr): boolean {
  return value.op === 'const' && value.value === null
}

interface PartBinding {
  readonly rel: Rel
  readonly missing: readonly string[]
  readonly folded: readonly (readonly [string, string])[]
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
