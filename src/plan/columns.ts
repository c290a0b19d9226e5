/**
 * Names of events to stored columns: where a field is kept, which of the stored names is meant, and what stands for a
 * field that no event has. Both kinds of binding, of log sources and of tables, read columns through here.
 */
import { functions } from '../functions/catalogue.ts'
import { and, call, type Expr, type FieldRef, NULL, or } from '../ir/expr.ts'
import { isList } from '../ir/types.ts'
import { mapExpr } from '../ir/walk.ts'
import { isOwnName, LIST_SUFFIX, META, type Source, storedName } from '../schema/source.ts'
import type { StoredColumns } from '../schema/stored.ts'

/** Call that stands for all values of the row, as keyword rules search them. */
export const ROW_VALUES = 'row.values'
export const NO_LIST: Expr = { op: 'const', value: [], type: { list: 'text' } }

export interface Columns {
  readonly columns: StoredColumns
  readonly folded: ReadonlyMap<string, string>
}

/** Names without case and blanks (Sigma drops blanks of event field names). */
export const loose = (name: string): string => name.toLowerCase().replaceAll(' ', '')

/** Loose names to the one stored name they stand for; names that two columns share are left out. */
export function foldNames(columns: StoredColumns): ReadonlyMap<string, string> {
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
export function findName(name: string, { columns, folded }: Columns): string | undefined {
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

export function textColumn(name: string, stored: Columns): Expr {
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
export function isUnseen(value: Expr | undefined): boolean {
  return value?.op === 'field' && value.kept === 'marks'
}

export function listColumn(name: string, stored: Columns): Expr {
  const found = findName(name, stored)
  const { overflow, lists } = stored.columns
  const column = `${found ?? storedName(name)}${LIST_SUFFIX}`
  const ref: FieldRef = { ...LIST_COLUMN, name: column }
  if (found !== undefined && lists.has(found)) return overflow ? { ...ref, kept: 'both' } : ref
  return overflow ? { ...ref, kept: 'map' } : NO_LIST
}

/** Every value of a row: all columns, the overflow map, and the record itself where it is plain text. */
export function rowValues(stored: Columns, source: Source | undefined): Expr {
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
export function withList(expr: Expr): Expr {
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

/** Replaces the raw names in a condition or mapping of the schema by columns. */
export function bindRaw(expr: Expr, stored: Columns, source: Source | undefined): Expr {
  return mapExpr(mapExpr(expr, withList), (each) => {
    if (each.op === 'call' && each.fn === ROW_VALUES) return rowValues(stored, source)
    if (each.op !== 'field' || each.stored !== undefined) return each
    if (isList(each.type)) return listColumn(each.name.slice(0, -LIST_SUFFIX.length), stored)
    const value = textColumn(each.name, stored)
    return isUnseen(value) ? NULL : value
  })
}
