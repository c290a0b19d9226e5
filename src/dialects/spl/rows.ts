/** Rows under way: their fields by name, their order, and the small steps that commands are made of. */

import type { Span } from '../../core/span.ts'
import { call, type Expr, field, NULL } from '../../ir/expr.ts'
import type { Binding, Order, OrderKey, Rel } from '../../ir/rel.ts'
import { type Field, isList, type Schema, type Type } from '../../ir/types.ts'
import { META, QUERY_PREFIX, storedName } from '../../schema/source.ts'
import { refuse } from './refusal.ts'

export interface Rows {
  readonly rel: Rel
  /** The fields by name, in the order in which a table shows them. Columns of the plan itself are not among them. */
  readonly fields: ReadonlyMap<string, Type>
  /** Speaks of columns of the plan only (`@@...`, `@time`), so that no command on fields can disturb it. */
  readonly order: Order
  /** True while the rows are events: nothing has grouped them or chosen the columns of a table. */
  readonly isEvents: boolean
}

/** What a search begins with before any command has made rows. */
export const NO_ROWS: Rows = {
  rel: { op: 'values', rows: [], out: [] },
  fields: new Map(),
  order: [],
  isEvents: false,
}

/** Start of the names of columns that only the plan knows. */
export const HIDDEN = QUERY_PREFIX

/**
 * The name of a field that a value of the data gives, as a series of a chart has it: never that of a column of the
 * plan.
 */
export function nameFromData(value: string): string {
  return storedName(value)
}

/** Fields that every event has. */
export const STANDARD_FIELDS: ReadonlyMap<string, Type> = new Map<string, Type>([
  ['_time', 'float'],
  ['_raw', 'text'],
  ['host', 'text'],
  ['source', 'text'],
  ['sourcetype', 'text'],
  ['index', 'text'],
])

/** Columns of the plan that events carry: by them they are ordered and bounded. */
export const OWN_COLUMNS: readonly Field[] = [
  { name: META.time, type: 'time' },
  { name: META.ingest, type: 'time' },
  { name: META.record, type: 'int' },
]

/** Fields that events keep when others are chosen, unless they are taken out by name. */
export const INTERNAL: readonly string[] = ['_time', '_raw']

/** A whole number as a constant. */
export const int = (value: number): Expr => ({ op: 'const', value, type: 'int' })

/** A number with a fraction as a constant. */
export const float = (value: number): Expr => ({ op: 'const', value, type: 'float' })

/** The value of a field in a row; null where no row has it. */
export function fieldValue(rows: Rows, name: string): Expr {
  const type = rows.fields.get(name)
  return type === undefined ? NULL : field(name, type)
}

/** A value that a field can hold: a missing one is a missing text, and the result of a test is refused. */
export function storable(value: Expr, span?: Span): Expr {
  if (value.type === 'bool') return refuse('HR515', {}, span)
  return value.type === 'null' ? { op: 'const', value: null, type: 'text' } : value
}

/** Rows with fields set, all at once: later ones do not see earlier ones. */
export function derived(rows: Rows, set: readonly Binding[]): Rows {
  if (set.length === 0) return rows
  const fields = new Map(rows.fields)
  for (const { name, value } of set) if (!name.startsWith(HIDDEN)) fields.set(name, value.type)
  return { ...rows, rel: { op: 'derive', from: rows.rel, set }, fields }
}

export function filtered(rows: Rows, where: Expr): Rows {
  return { ...rows, rel: { op: 'filter', from: rows.rel, where } }
}

/** The columns of the plan that carry the order. */
export function orderFields(order: Order): readonly Field[] {
  return distinct(
    order.flatMap(({ by }): readonly Field[] =>
      by.op === 'field' ? [{ name: by.name, type: by.type }] : [],
    ),
  )
}

/** Fields without those whose names came before. */
function distinct(fields: readonly Field[]): readonly Field[] {
  return fields.filter(
    (each, index) => fields.findIndex(({ name }) => name === each.name) === index,
  )
}

const kept = ({ name, type }: Field): Binding => ({ name, value: field(name, type) })

/** Rows with exactly these fields, each made from those that are there; the order is carried along. */
export function selected(rows: Rows, keep: readonly Binding[], extra: readonly Field[] = []): Rows {
  const hidden = distinct([...orderFields(rows.order), ...extra]).map(kept)
  return {
    ...rows,
    rel: { op: 'select', from: rows.rel, keep: [...keep, ...hidden] },
    fields: new Map(keep.map(({ name, value }) => [name, value.type])),
  }
}

/** Rows with only the named fields, of those that are there. */
export function chosen(rows: Rows, names: readonly string[]): Rows {
  const keep = names.flatMap((name): readonly Binding[] => {
    const type = rows.fields.get(name)
    return type === undefined ? [] : [{ name, value: field(name, type) }]
  })
  return selected(rows, keep)
}

/** The relation with its rows in the order that they have. */
export function sorted(rows: Rows): Rel {
  return rows.order.length === 0 ? rows.rel : { op: 'sort', from: rows.rel, order: rows.order }
}

/** The first rows, in their order; of each group where there is one. */
export function limited(rows: Rows, count: number, per: readonly Expr[] = []): Rows {
  const from = sorted(rows)
  const rel: Rel =
    per.length === 0 ? { op: 'limit', from, rows: count } : { op: 'limit', from, rows: count, per }
  return { ...rows, rel }
}

/** Rows with the order turned round. */
export function reversed(order: Order): Order {
  return order.map(
    (each): OrderKey => ({
      ...each,
      down: !each.down,
      nulls: each.nulls === 'first' ? 'last' : 'first',
    }),
  )
}

/** An ascending or descending key over a column of the plan. */
export function orderKey(name: string, type: Type, down = false): OrderKey {
  return { by: field(name, type), down, nulls: down ? 'first' : 'last' }
}

/** The columns of a result, in order. */
export function schemaOfRows({ fields }: Rows): Schema {
  return [...fields].map(([name, type]) => ({ name, type }))
}

/** A value as text: numbers as they are printed, a list of one as its value. */
export function asText(value: Expr): Expr {
  if (value.type === 'null') return { op: 'const', value: null, type: 'text' }
  if (value.type === 'text') return value
  if (isList(value.type)) return call('mv.only', [value], 'text')
  return call('eval.text', [value], 'text')
}

/** A value as a number: null for a text that is none. */
export function asNumber(value: Expr): Expr {
  if (value.type === 'float' || value.type === 'int') return value
  if (value.type === 'null') return { op: 'const', value: null, type: 'float' }
  return call('eval.number', [asText(value)], 'float')
}

/** A value as a list: none for a missing value. */
export function asList(value: Expr): Expr {
  if (isList(value.type)) return value
  if (value.type === 'null') return { op: 'const', value: [], type: { list: 'text' } }
  return call('mv.of', [asText(value)], { list: 'text' })
}

/** A value in another type of the language. */
export function asType(value: Expr, type: Type): Expr {
  if (isList(type)) return asList(value)
  if (value.type === 'null') return { op: 'const', value: null, type }
  if (type === 'text') return asText(value)
  if (type === 'float') return asFloat(asNumber(value))
  return type === 'int' ? asNumber(value) : value
}

/** A number as one with a fraction: the engine finds no common type for whole numbers and others. */
function asFloat(value: Expr): Expr {
  if (value.type !== 'int') return value
  return value.op === 'const' ? { ...value, type: 'float' } : call('cast.float', [value], 'float')
}

/** The type that holds values of all of these: a list, a number, or else a text. */
export function commonType(types: readonly Type[]): Type {
  const known = types.filter((each) => each !== 'null')
  const [first] = known
  if (first === undefined) return 'null'
  if (known.some(isList)) return { list: 'text' }
  if (known.every((each) => each === first)) return first
  return known.every((each) => each === 'int' || each === 'float') ? 'float' : 'text'
}

/** A pattern with `*` as a test of names. */
export function nameTest(pattern: string): (name: string) => boolean {
  if (!pattern.includes('*')) return (name) => name === pattern
  const pieces = pattern.split('*')
  return (name) => {
    let at = 0
    for (const [index, piece] of pieces.entries()) {
      if (index === 0) {
        if (!name.startsWith(piece)) return false
        at = piece.length
      } else if (index === pieces.length - 1) {
        return name.length - piece.length >= at && name.endsWith(piece)
      } else {
        const found = name.indexOf(piece, at)
        if (found === -1) return false
        at = found + piece.length
      }
    }
    return true
  }
}

/** The parts of a name that the stars of a pattern stand for; undefined when it does not fit. */
export function nameParts(pattern: string, name: string): readonly string[] | undefined {
  const source = pattern
    .split('*')
    .map((each) => each.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&'))
    .join('(.*)')
  return new RegExp(`^${source}$`, 's').exec(name)?.slice(1)
}

/** Names of fields that a list of names and patterns means, in the order of the list; unknown plain names too. */
export function namesMeant(rows: Rows, patterns: readonly string[]): readonly string[] {
  const found = new Set<string>()
  for (const pattern of patterns) {
    if (!pattern.includes('*')) {
      found.add(pattern)
      continue
    }
    const fits = nameTest(pattern)
    for (const name of rows.fields.keys()) {
      // A star alone does not mean the fields that Splunk keeps for itself.
      if (fits(name) && (!name.startsWith('_') || pattern.startsWith('_'))) found.add(name)
    }
  }
  return [...found]
}
