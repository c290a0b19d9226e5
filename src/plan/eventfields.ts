/**
 * The fields of stored events by their names in Splunk: what a name stands for in one stored source, which of the
 * names have several values, and which names there are at all. Binding and compiling both ask here.
 */
import { call, type Expr, type FieldRef, NULL, text, texts } from '../ir/expr.ts'
import { isList, type Type } from '../ir/types.ts'
import { fieldsOf, mapExpr } from '../ir/walk.ts'
import type { SchemaCatalogue } from '../schema/catalogue.ts'
import {
  declaredValues,
  type EventFields,
  type EventPart,
  type SourceTest,
} from '../schema/eventview.ts'
import { isOwnSource } from '../schema/own.ts'
import { META, type Source, storedName } from '../schema/source.ts'
import type { StoredCatalogue, StoredColumns } from '../schema/stored.ts'
import { bindRaw, type Columns, foldNames, listColumn, NO_LIST } from './columns.ts'
import { cannotMeet, type TestedPart } from './eventtests.ts'
import { foldExpr } from './fold.ts'

const LIST: Type = { list: 'text' }

/** One stored source as events of Splunk. */
export interface EventsOf extends TestedPart {
  readonly named: Columns
  readonly source: Source | undefined
}

/** What asking for events needs to know of the world. */
export interface EventContext {
  readonly events: (source: string) => EventPart
  readonly source: (name: string) => Source | undefined
  readonly values: (source: string, field: string) => readonly string[]
}

export function eventContext(schema: SchemaCatalogue): EventContext {
  return {
    events: (source) => schema.events(source),
    source: (name) => schema.sources.get(name),
    values: (source, name) => declaredValues(schema.sources.get(source), name),
  }
}

export function eventsOf(name: string, columns: StoredColumns, context: EventContext): EventsOf {
  return {
    part: context.events(name),
    columns,
    values: (each) => context.values(name, each),
    named: { columns, folded: foldNames(columns) },
    source: context.source(name),
  }
}

const own = (name: string, type: Type): FieldRef => ({ op: 'field', name, type, stored: 'plain' })
const TIME = own(META.time, 'time')
const RAW = own(META.raw, 'text')

const DATE_PARTS = ['hour', 'mday', 'minute', 'month', 'second', 'wday', 'year'] as const

/** The index of events that were given none. */
const DEFAULT_INDEX = 'main'

/** The host of events that name none. */
const NO_HOST = 'unknown'

/** What every event has, whatever source it is of; asked for after the names that the source has itself. */
const GENERAL: ReadonlyMap<string, Expr> = new Map<string, Expr>([
  ['_time', call('event.epoch', [TIME], 'float')],
  ['_raw', RAW],
  ['_indextime', call('event.epoch', [own(META.ingest, 'time')], 'float')],
  ['host', call('value.first', [own(META.host, 'text'), text(NO_HOST)], 'text')],
  ['index', text(DEFAULT_INDEX)],
  ['splunk_server', text('harrier')],
  ['linecount', call('event.lines', [RAW], 'text')],
  ['punct', call('event.punct', [RAW], 'text')],
  ['timestartpos', call('event.time_start', [RAW], 'text')],
  ['timeendpos', call('event.time_end', [RAW], 'text')],
  ...DATE_PARTS.map((part): [string, Expr] => [
    `date_${part}`,
    call('event.date', [TIME, text(part)], 'text'),
  ]),
  // Times are kept and read in UTC.
  ['date_zone', text('0')],
])

/** Names that every event has and that no field of its own may take the place of. */
const FIXED = new Set(['_time', '_raw', '_indextime', 'linecount', 'punct', 'splunk_server'])
/** Names whose values are the event types and tags of an event. */
const KIND_NAMES = new Set(['eventtype', 'tag', 'tag::eventtype'])
/** Names that Splunk shows of every event. */
const ALWAYS: readonly string[] = [
  ...[...GENERAL]
    .filter(([name, value]) => name === '_raw' || !readsRecord(value))
    .map(([name]) => name),
  'source',
  'sourcetype',
  ...KIND_NAMES,
]

/** A stored text column of exactly this name. */
function exactText(name: string, { columns }: Columns): Expr {
  const column = storedName(name)
  const ref: FieldRef = { op: 'field', name: column, type: 'text', stored: 'blank' }
  if (columns.text.has(column)) return columns.overflow ? { ...ref, kept: 'both' } : ref
  return columns.overflow ? { ...ref, kept: 'map' } : NULL
}

function exactList(name: string, named: Columns): Expr {
  const { lists, overflow } = named.columns
  return lists.has(storedName(name)) || overflow ? listColumn(storedName(name), named) : NO_LIST
}

/** Streams of Azure and Defender put the columns of a row under this key; add-ons leave it out. */
const ENVELOPE = 'properties.'

/** The stored names that a name of Splunk may mean: its own, without the marks of lists, and the name it is folded onto. */
function storedNames(name: string, { source, columns }: EventsOf): readonly string[] {
  const plain = name.replaceAll('{}', '')
  const renamed = source?.rename
  const folded = renamed !== undefined && Object.hasOwn(renamed, plain) ? renamed[plain] : undefined
  const has = (each: string): boolean =>
    columns.text.has(storedName(each)) || columns.lists.has(storedName(each))
  const all = [name, plain, ...(folded === undefined ? [] : [folded]), `${ENVELOPE}${plain}`]
  return all.filter((each, index) => has(each) && all.indexOf(each) === index)
}

const isNull = (expr: Expr): boolean => expr.op === 'const' && expr.value === null
const isEmptyList = (expr: Expr): boolean =>
  expr.op === 'const' && Array.isArray(expr.value) && expr.value.length === 0
const isNothing = (expr: Expr): boolean => isNull(expr) || isEmptyList(expr)

/** The first of the spellings that the events are shown under. */
function shown(name: 'sourcetype' | 'source' | 'index', on: EventsOf): Expr {
  const { part } = on
  const [first] = part[name === 'source' ? 'named' : name]
  if (first === undefined) {
    return name === 'source' ? own(META.file, 'text') : text(DEFAULT_INDEX)
  }
  if (first.field === undefined) return text(first.before)
  const pieces = [text(first.before), eventValue(first.field, on), text(first.after)]
  const written = pieces.filter((each) => each.op !== 'const' || each.value !== '')
  const [only] = written
  return written.length === 1 && only !== undefined ? only : call('text.join', written, 'text')
}

function sourceValue(name: 'sourcetype' | 'source' | 'index', on: EventsOf): Expr {
  const declared = shown(name, on)
  const columns = name === 'index' ? ['index', '_index'] : name === 'sourcetype' ? [name] : []
  const stored = columns.map((each) => exactText(each, on.named)).filter((each) => !isNull(each))
  return stored.length === 0 ? declared : call('value.first', [...stored, declared], 'text')
}

/** The event types and tags of an event, as the kinds that it is of say. */
function kindValue(name: string, on: EventsOf): Expr {
  const listOf = (each: EventPart['kinds'][number]): readonly string[] =>
    name === 'eventtype' ? each.eventtypes : each.tags
  const lists = on.part.kinds.flatMap((each): readonly Expr[] => {
    const values = listOf(each)
    if (values.length === 0) return []
    const where = bindNames(each.where, on)
    const isAlways = where.op === 'const' && where.value === true
    return isAlways
      ? [texts(values)]
      : [{ op: 'case', when: [[where, texts(values)]], otherwise: NO_LIST, type: LIST }]
  })
  const [only = NO_LIST] = lists
  return lists.length <= 1 ? only : call('event.kinds', lists, LIST)
}

/** A condition or value of the schema over stored columns. */
function bindNames(expr: Expr, { named, source }: EventsOf): Expr {
  return foldExpr(mapExpr(bindRaw(expr, named, source), (each) => marked(each, source)))
}

/** The field that leads the order of a source holds the ids of its events. */
function marked(expr: Expr, source: Source | undefined): Expr {
  return expr.op === 'field' && expr.name === source?.order ? { ...expr, whole: true } : expr
}

/** What a name stands for in the events of a source: stored or computed values, null where no event has it. */
export function eventValue(name: string, on: EventsOf): Expr {
  if (name === 'sourcetype' || name === 'source' || name === 'index') return sourceValue(name, on)
  const general = GENERAL.get(name)
  if (general !== undefined && FIXED.has(name)) return general
  const mapped = on.part.fields.get(name)
  const value = mapped === undefined ? NULL : bindNames(mapped, on)
  if (!isNothing(value)) return value
  if (KIND_NAMES.has(name)) return kindValue(name, on)
  const [stored] = storedNames(name, on)
  if (stored !== undefined) return storedValue(stored, on)
  if (general !== undefined) return general
  if (on.columns.overflow) return exactText(name, on.named)
  return writtenPair(name, on)
}

/** Names that a text may write before an equals sign. */
const PAIR_NAME = /^[A-Za-z_][\w.-]{0,63}$/

/** Splunk reads `name=value` out of any text; the text of a record is read so where its source keeps it as text. */
function writtenPair(name: string, { source }: EventsOf): Expr {
  if (source?.rawIsText !== true || !PAIR_NAME.test(name)) return NULL
  return call('event.pair', [RAW, text(name)], 'text')
}

function storedValue(name: string, { named, columns, source }: EventsOf): Expr {
  const written = marked(exactText(name, named), source)
  if (!columns.lists.has(storedName(name))) return written
  const list = exactList(name, named)
  return isNull(written) ? list : call('value.listed', [list, written], LIST)
}

/** A text that may be missing, of a stored or computed one in which the empty text stands for that. */
function orNull(value: Expr): Expr {
  if (value.op === 'const' || value === RAW) return value
  return call('value.or_null', [value], 'text')
}

/** A value in the type that a search asks for. */
export function asEventType(value: Expr, type: Type): Expr {
  const nothing: Expr = isList(type) ? NO_LIST : { op: 'const', value: null, type }
  if (isNothing(value)) return nothing
  if (isList(type)) {
    if (isList(value.type)) return value
    const one = value.type === 'text' ? value : call('eval.text', [value], 'text')
    if (one.op === 'const') return texts([String(one.value)])
    return call('value.listed', [NO_LIST, one], LIST)
  }
  if (isList(value.type)) {
    return asEventType(call('list.join', [value, text('\n')], 'text'), type)
  }
  if (type === 'text') {
    return value.type === 'text' ? orNull(value) : call('eval.text', [value], 'text')
  }
  if (value.type === type) return value
  if (value.type === 'time') return call('event.epoch', [value], 'float')
  return value.type === 'text' ? call('eval.number', [orNull(value)], type) : value
}

/** Most names that a list of all fields gives. */
const MOST_NAMES = 2_000

/** How Splunk writes the name of a list: where fields beside it are lists too, the list is the object around them. */
function listName(name: string, lists: ReadonlySet<string>): string {
  const dot = name.lastIndexOf('.')
  const parent = name.slice(0, dot + 1)
  const isOfObjects = dot > 0 && [...lists].some((each) => each !== name && each.startsWith(parent))
  return isOfObjects ? `${name.slice(0, dot)}{}${name.slice(dot)}` : `${name}{}`
}

/** True for a value that is looked for in the text of the record. */
function readsRecord(value: Expr): boolean {
  return fieldsOf(value).has(META.raw)
}

/**
 * The names of all fields that the events of a source have, mapped and stored ones. What has to be looked for in the text
 * of each record is there for those that ask for it by name.
 */
function namesOf(on: EventsOf): readonly string[] {
  const mapped = [...on.part.fields.keys()].filter((name) => {
    const value = eventValue(name, on)
    return !isNothing(value) && !readsRecord(value)
  })
  const stored = [...on.columns.text, ...on.columns.lists]
  // Lists of our own events are written by hand, not read from JSON.
  const isListed = (name: string): boolean =>
    on.columns.lists.has(name) && !isOwnSource(on.part.source)
  return [
    ...ALWAYS,
    ...mapped,
    ...stored.map((each) => (isListed(each) ? listName(each, on.columns.lists) : each)),
  ]
}

const TYPES: ReadonlyMap<string, Type> = new Map<string, Type>([
  ...[...GENERAL].map(([name, value]): [string, Type] => [name, value.type]),
  ...[...KIND_NAMES].map((name): [string, Type] => [name, LIST]),
])

/**
 * The fields of the events that may meet all of the tests. Without a store nothing is known of what events hold, so
 * every name is taken to be there: as a list where its name says so, else as a text.
 */
export function eventFields(
  schema: SchemaCatalogue,
  stored: StoredCatalogue | undefined,
  tests: readonly SourceTest[],
): EventFields {
  const context = eventContext(schema)
  if (stored === undefined) return assumedFields(schema)
  const parts = [...stored]
    .map(([name, columns]) => eventsOf(name, columns, context))
    .filter((on) => !cannotMeet(tests, on))
  const types = new Map<string, Type | undefined>()
  const typeOf = (name: string): Type | undefined => {
    if (!types.has(name)) types.set(name, TYPES.get(name) ?? typeAmong(name, parts))
    return types.get(name)
  }
  let names: readonly string[] | undefined
  return {
    typeOf,
    get names() {
      names ??= [...new Set(parts.flatMap(namesOf))].slice(0, MOST_NAMES)
      return names
    },
  }
}

function typeAmong(name: string, parts: readonly EventsOf[]): Type | undefined {
  const values = parts.map((on) => eventValue(name, on)).filter((each) => !isNothing(each))
  if (values.length === 0) return undefined
  return values.some((each) => isList(each.type)) ? LIST : 'text'
}

function assumedFields(schema: SchemaCatalogue): EventFields {
  const taken = [...schema.sources.keys()].filter((name) => !isOwnSource(name))
  const parts = taken.map((name) => schema.events(name))
  const mapped = new Map<string, Type>()
  for (const { fields } of parts) {
    for (const [name, value] of fields) {
      const isKnown = mapped.get(name) !== undefined && !isList(value.type)
      if (!isKnown) mapped.set(name, isList(value.type) ? LIST : 'text')
    }
  }
  return {
    typeOf: (name) => TYPES.get(name) ?? mapped.get(name) ?? (name.includes('{}') ? LIST : 'text'),
    names: [...new Set([...ALWAYS, ...mapped.keys()])],
  }
}

/** A field of Splunk that a test of the schema speaks of, as what stands for it. */
export function withEventValues(expr: Expr, on: EventsOf): Expr {
  if (expr.op === 'field' && expr.stored === undefined) {
    const value = eventValue(expr.name, on)
    return isNull(value) ? NULL : value
  }
  if (expr.op !== 'call') return expr
  return { ...expr, args: expr.args.map((each) => withEventValues(each, on)) }
}
