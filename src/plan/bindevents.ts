/**
 * Binding of events: a scan of all events, or of a dataset of a data model, becomes a union over the stored sources, in
 * which each part gives exactly the fields that are asked for, in their order and with their types. Tests of sources
 * right above the scan are decided here, so that sources that cannot match are not read.
 */
import { type Diagnostic, diagnose } from '../core/diagnostic.ts'
import { and, type Call, type Expr, TRUE } from '../ir/expr.ts'
import type { Binding, Rel } from '../ir/rel.ts'
import type { Field, Type } from '../ir/types.ts'
import { mapExpr, mapRel, visitExpr } from '../ir/walk.ts'
import { ingested, isOwnSource, SHOWN } from '../schema/own.ts'
import { isOwnName } from '../schema/source.ts'
import type { StoredCatalogue } from '../schema/stored.ts'
import type { View, ViewPart } from '../schema/view.ts'
import type { Bound } from './bind.ts'
import { bindRaw } from './columns.ts'
import {
  asEventType,
  type EventContext,
  type EventsOf,
  eventsOf,
  eventValue,
  withEventValues,
} from './eventfields.ts'
import { meansIngested, namesIndex, sourceTest } from './eventtests.ts'
import { foldExpr } from './fold.ts'

/** What binding of events needs to know of the world. */
export interface EventBindContext extends EventContext {
  readonly view: (name: string) => View | undefined
  readonly stored: StoredCatalogue
}

/** The view of all events, and the start of the names of those of data models. */
export const ALL_EVENTS = 'events:all'
export const DATASET_VIEW = 'cim:'
/** The call that stands for a test of sources. */
const SOURCE_TEST = 'events.is'

type Scan = Extract<Rel, { op: 'scan' }>

/** Names that a dataset has whatever feeds it. */
const OF_ALL = new Set(['_time', '_raw', '_indextime', 'host', 'source', 'sourcetype', 'index'])

function isEvents({ table: { kind, name } }: Scan): boolean {
  return kind === 'view' && (name === ALL_EVENTS || name.startsWith(DATASET_VIEW))
}

function constants(expr: Expr | undefined): readonly string[] {
  if (expr?.op !== 'const' || expr.value === null) return []
  return Array.isArray(expr.value) ? expr.value.map(String) : [String(expr.value)]
}

/** The name and the patterns that a test of sources asks for. */
function readTest({ args }: Call): readonly [string, readonly string[]] {
  return [constants(args[0])[0] ?? '', constants(args[1])]
}

/** A condition with its tests of sources decided for one source. */
function decided(where: Expr, on: EventsOf): Expr {
  return foldExpr(
    mapExpr(where, (each) => {
      if (each.op !== 'call' || each.fn !== SOURCE_TEST) return each
      const [name, patterns] = readTest(each)
      return withEventValues(sourceTest(name, patterns, on), on)
    }),
  )
}

/** The part of a view that reads a stored source; without one, all of its events under their own names. */
interface Part {
  readonly on: EventsOf
  readonly view: ViewPart | undefined
}

function fieldValue({ name, type }: Field, { on, view }: Part): Expr {
  if (isOwnName(name)) return { op: 'field', name, type, stored: 'plain' }
  if (view === undefined || OF_ALL.has(name)) return asEventType(eventValue(name, on), type)
  const mapped = view.fields.get(name)
  if (mapped !== undefined) return asEventType(foldExpr(bindRaw(mapped, on.named, on.source)), type)
  return asEventType(view.isClosed ? nothing(type) : eventValue(name, on), type)
}

function nothing(type: Type): Expr {
  return { op: 'const', value: null, type }
}

const isFalse = (expr: Expr): boolean => expr.op === 'const' && expr.value === false
const isTrue = (expr: Expr): boolean => expr.op === 'const' && expr.value === true

/** One source as rows of the fields that are asked for; undefined when none of its events can meet the conditions. */
function bindPart(part: Part, scan: Scan, where: Expr): Rel | undefined {
  const { on, view } = part
  const left = decided(where, on)
  const shown = isOwnSource(on.part.source) ? SHOWN : TRUE
  const belongs = foldExpr(bindRaw(and([view?.where ?? TRUE, shown]), on.named, on.source))
  if (isFalse(left) || isFalse(belongs)) return undefined
  const keep = scan.out.map(
    (field): Binding => ({ name: field.name, value: foldExpr(fieldValue(field, part)) }),
  )
  const known = new Map(keep.map((each) => [each.name, each.value]))
  // What was decided here may speak of stored fields, which are below the selection; passes move the rest there.
  const parts = left.op === 'call' && left.fn === 'logic.and' ? left.args : [left]
  const below = parts
    .filter(readsStored)
    .map((each) =>
      mapExpr(each, (inner) =>
        inner.op === 'field' && inner.stored === undefined
          ? (known.get(inner.name) ?? inner)
          : inner,
      ),
    )
  const above = parts.filter((each) => !readsStored(each) && !isTrue(each))
  const condition = foldExpr(and([belongs, ...below]))
  if (isFalse(condition)) return undefined
  const read = new Map<string, Field>()
  for (const each of [condition, ...keep.map((binding) => binding.value)]) {
    visitExpr(each, (inner) => {
      if (inner.op === 'field') read.set(inner.name, { name: inner.name, type: inner.type })
    })
  }
  const rows: Rel = {
    ...scan,
    table: { kind: 'source', name: on.part.source },
    out: [...read.values()],
  }
  const from: Rel = isTrue(condition) ? rows : { op: 'filter', from: rows, where: condition }
  const rel: Rel = { op: 'select', from, keep }
  return above.length === 0 ? rel : { op: 'filter', from: rel, where: and(above) }
}

/** True when a condition reads a column of a stored source. */
function readsStored(where: Expr): boolean {
  let found = false
  visitExpr(where, (each) => {
    if (each.op === 'field' && each.stored !== undefined) found = true
  })
  return found
}

/** True when a condition tests sources. */
function hasTest(where: Expr): boolean {
  let found = false
  visitExpr(where, (each) => {
    if (each.op === 'call' && each.fn === SOURCE_TEST) found = true
  })
  return found
}

/** The patterns of the indexes that a condition speaks of. */
function indexesOf(where: Expr): readonly string[] {
  const found: string[] = []
  visitExpr(where, (each) => {
    if (each.op !== 'call' || each.fn !== SOURCE_TEST) return
    const [name, patterns] = readTest(each)
    if (name === 'index') found.push(...patterns)
  })
  return found
}

/** Indexes that a condition asks for although no event knows one. */
function unknownIndexes(where: Expr): readonly string[] {
  return indexesOf(where).filter((each) => !/^\*+$/.test(each) && meansIngested(each))
}

/** True when events of a source say themselves which index they were in. */
function knowsIndex(stored: StoredCatalogue): boolean {
  return [...ingested(stored).values()].some(({ text }) => text.has('index') || text.has('_index'))
}

/** The parts that a scan reads; what the product writes itself is among all events only where its index is named. */
function partsOf(scan: Scan, where: Expr, context: EventBindContext): readonly Part[] {
  if (scan.table.name === ALL_EVENTS) {
    const named = indexesOf(where)
    return [...context.stored].flatMap(([name, columns]): readonly Part[] => {
      const on = eventsOf(name, columns, context)
      return isOwnSource(name) && !namesIndex(named, on.part) ? [] : [{ on, view: undefined }]
    })
  }
  return (context.view(scan.table.name)?.parts ?? []).flatMap((view): readonly Part[] => {
    const columns = context.stored.get(view.source)
    return columns === undefined ? [] : [{ on: eventsOf(view.source, columns, context), view }]
  })
}

/** Binds every scan of events in a relation, with the conditions right above it. */
export function bindEvents(rel: Rel, context: EventBindContext): Bound {
  const diagnostics: Diagnostic[] = []
  const scanned = (scan: Scan, where: Expr): Rel => {
    const asked = unknownIndexes(where)
    if (asked.length > 0 && !knowsIndex(context.stored)) {
      diagnostics.push(diagnose('HR540', { names: [...new Set(asked)].join(', ') }))
    }
    const parts = partsOf(scan, where, context)
    if (parts.length === 0) {
      const title = context.view(scan.table.name)?.title ?? 'events'
      diagnostics.push(diagnose('HR262', { logsource: title }))
    }
    const all = parts.flatMap((part) => bindPart(part, scan, where) ?? [])
    const [only] = all
    if (only === undefined) return { op: 'values', rows: [], out: scan.out }
    return all.length === 1 ? only : { op: 'union', all }
  }
  // Conditions that stand on each other are one, so that all tests of sources are right above their scan.
  const joined = mapRel(rel, (each) =>
    each.op === 'filter' && each.from.op === 'filter'
      ? { op: 'filter', from: each.from.from, where: and([each.from.where, each.where]) }
      : each,
  )
  const tested = mapRel(joined, (each) =>
    each.op === 'filter' && each.from.op === 'scan' && isEvents(each.from) && hasTest(each.where)
      ? scanned(each.from, each.where)
      : each,
  )
  const bound = mapRel(tested, (each) =>
    each.op === 'scan' && isEvents(each) ? scanned(each, TRUE) : each,
  )
  return { rel: bound, diagnostics }
}
