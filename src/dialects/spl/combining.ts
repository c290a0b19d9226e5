/** Commands that put the rows of several searches together: `append`, `appendcols`, `appendpipe`, `union`, `set`. */
import { and, call, type Expr, field, number } from '../../ir/expr.ts'
import type { AggBinding, Binding } from '../../ir/rel.ts'
import { isList } from '../../ir/types.ts'
import { appended } from './appending.ts'
import type { Subsearch } from './ast.ts'
import { type CommandRecord, type Context, command } from './command.ts'
import { idle, Options } from './options.ts'
import { numbered, sortedBy } from './ordering.ts'
import type { Reader } from './reader.ts'
import {
  asText,
  asType,
  commonType,
  derived,
  fieldValue,
  filtered,
  limited,
  NO_ROWS,
  orderKey,
  type Rows,
  selected,
} from './rows.ts'
import { where } from './statscommands.ts'
import { rowNumber, windowed } from './windows.ts'

/** How long a subsearch may take is a matter of Splunk's own limits; how many rows it gives is kept to. */
const APPEND_OPTIONS = {
  extendtimerange: idle('flag', 'each search keeps its own range of time'),
  maxtime: idle('count', 'a search runs as long as it needs'),
  maxout: 'count',
  timeout: idle('count', 'a search runs as long as it needs'),
} as const

interface SearchesNode {
  readonly searches: readonly Subsearch[]
  readonly options: Options
}

function readSearches(reader: Reader, options: Options, least: number, most: number): SearchesNode {
  const searches: Subsearch[] = []
  while (!reader.isDone) {
    if (reader.take(',') || options.take(reader)) continue
    searches.push(reader.search())
  }
  if (searches.length < least || searches.length > most) {
    const wanted = least === most ? `${least}` : `at least ${least}`
    reader.fail(`${reader.command} takes ${wanted} search${wanted === '1' ? '' : 'es'} in brackets`)
  }
  return { searches, options }
}

function searched(search: Subsearch, options: Options, context: Context): Rows {
  const rows = context.subsearch(search)
  const most = options.number('maxout', 0)
  return most === 0 ? rows : limited(rows, most)
}

const append = command<SearchesNode>({
  name: 'append',
  says: 'Adds the rows of a search behind the rows that there are.',
  kind: 'transforming',
  options: APPEND_OPTIONS,
  read: (reader) => readSearches(reader, new Options(APPEND_OPTIONS), 1, 1),
  lower: ({ searches: [search], options }, rows, context) =>
    search === undefined ? rows : appended(rows, searched(search, options, context), context),
})

const APPENDPIPE_OPTIONS = { run_in_preview: idle('flag', 'there are no previews') } as const

const appendpipe = command<SearchesNode>({
  name: 'appendpipe',
  says: 'Runs commands over the rows that there are and adds what they give behind them.',
  kind: 'transforming',
  options: APPENDPIPE_OPTIONS,
  read: (reader) => readSearches(reader, new Options(APPENDPIPE_OPTIONS), 1, 1),
  lower: ({ searches: [search] }, rows, context) => {
    if (search === undefined) return rows
    const shared = context.shared(rows)
    return appended(shared, context.subsearch(search, shared), context)
  },
})

const APPENDCOLS_OPTIONS = { ...APPEND_OPTIONS, override: 'flag' } as const

/** Numbered rows with their fields and number under names of the plan, and a mark that they are there. */
function side(rows: Rows, context: Context) {
  const counted = numbered(rows, context)
  const columns = [...rows.fields].map(([name, type]) => ({
    name,
    column: { name: context.hidden('c'), value: field(name, type) } satisfies Binding,
  }))
  const place = context.hidden('n')
  const mark = context.hidden('m')
  const made = selected({ ...counted.rows, order: [] }, [
    ...columns.map(({ column }) => column),
    { name: place, value: counted.number },
    { name: mark, value: number(1) },
  ])
  const isThere = call('compare.equals', [field(mark, 'int'), number(1)])
  const valueAt = (name: string): Expr | undefined => {
    const found = columns.find((each) => each.name === name)?.column
    return found && where(isThere, field(found.name, found.value.type))
  }
  return { rel: made.rel, place: field(place, 'int'), isThere, valueAt }
}

/** Rows side by side, the first with the first. */
function besides(rows: Rows, others: Rows, overrides: boolean, context: Context): Rows {
  const [left, right] = [side(rows, context), side(others, context)]
  const rel = {
    op: 'join',
    how: 'full',
    left: left.rel,
    right: right.rel,
    on: [{ left: left.place, right: right.place }],
  } as const
  const names = [...new Set([...rows.fields.keys(), ...others.fields.keys()])]
  const place = context.hidden('i')
  const set = names.map((name): Binding => {
    const [own, other] = [left.valueAt(name), right.valueAt(name)]
    const parts = (overrides ? [other, own] : [own, other]).filter((each) => each !== undefined)
    const type = commonType(parts.map((each) => each.type))
    const values = parts.map((each) => asType(each, type))
    const [only] = values
    const value =
      values.length === 1 && only !== undefined ? only : call('eval.coalesce', values, type)
    return { name, value }
  })
  const placeOf = call('eval.case', [left.isThere, left.place, right.place], 'int')
  const made = derived({ rel, fields: new Map(), order: [], isEvents: false }, [
    ...set,
    { name: place, value: placeOf },
  ])
  return { ...made, order: [orderKey(place, 'int')] }
}

const appendcols = command<SearchesNode>({
  name: 'appendcols',
  says: 'Adds the fields of the rows of a search to the rows that there are, the first to the first.',
  kind: 'transforming',
  options: APPENDCOLS_OPTIONS,
  read: (reader) => readSearches(reader, new Options(APPENDCOLS_OPTIONS), 1, 1),
  lower: ({ searches: [search], options }, rows, context) => {
    if (search === undefined) return rows
    const others = searched(search, options, context)
    return besides(rows, others, options.flag('override', false), context)
  },
})

/** The rows of all; events come in the order of time. */
function together(all: readonly Rows[], context: Context): Rows {
  const [first = NO_ROWS, ...rest] = all
  const made = rest.reduce((before, each) => appended(before, each, context), first)
  const isTimed = all.every((each) => each.isEvents && each.fields.has('_time'))
  return isTimed ? sortedBy(made, [{ field: '_time', isDown: true, type: 'num' }], context) : made
}

const union = command<SearchesNode>({
  name: 'union',
  says: 'Puts the rows of searches together, behind those that there are.',
  kind: 'streaming',
  options: APPEND_OPTIONS,
  read: (reader) => readSearches(reader, new Options(APPEND_OPTIONS), 1, 100),
  lower: ({ searches, options }, rows, context) => {
    const all = searches.map((each) => searched(each, options, context))
    return together(rows === NO_ROWS ? all : [rows, ...all], context)
  },
})

const multisearch = command<SearchesNode>({
  name: 'multisearch',
  says: 'Runs several searches of events and puts the events together in the order of time.',
  kind: 'generating',
  read: (reader) => readSearches(reader, new Options({}), 2, 100),
  lower: ({ searches }, _, context) =>
    together(
      searches.map((each) => context.subsearch(each)),
      context,
    ),
})

type SetKind = 'union' | 'diff' | 'intersect'

interface SetNode extends SearchesNode {
  readonly how: SetKind
}

const SET_KINDS: ReadonlySet<string> = new Set(['union', 'diff', 'intersect'])
const isSetKind = (word: string): word is SetKind => SET_KINDS.has(word)

/** The different rows of two searches: those of either, of one only, or of both. */
function different(how: SetKind, first: Rows, second: Rows, context: Context): Rows {
  const all = appended(first, second, context)
  const [part] = all.order
  if (part === undefined) return all
  const parts = [...all.fields].map(([name, type]) =>
    isList(type)
      ? call('list.key', [fieldValue(all, name)], 'text')
      : asText(fieldValue(all, name)),
  )
  const key = context.hidden('k')
  const keyed = derived(all, [{ name: key, value: call('row.key', parts, 'text') }])
  const [least, most] = [context.hidden('l'), context.hidden('g')]
  const by = [field(key, 'text')]
  const ends: readonly AggBinding[] = [
    { name: least, fn: 'win.min', args: [part.by], type: 'int' },
    { name: most, fn: 'win.max', args: [part.by], type: 'int' },
  ]
  const bounds = windowed(keyed, ends, { by, frame: 'all' })
  const { rows: placed, value: place } = rowNumber(bounds, context, { by })
  const isSame = call('compare.equals', [field(least, 'int'), field(most, 'int')])
  const isOne = how === 'union' ? [] : [how === 'diff' ? isSame : call('logic.not', [isSame])]
  const isFirst = call('compare.equals', [place, number(1)])
  return filtered(placed, and([isFirst, ...isOne]))
}

const set = command<SetNode>({
  name: 'set',
  says: 'Compares the rows of two searches: those of either (union), of one only (diff), of both (intersect).',
  kind: 'generating',
  read: (reader) => {
    const how = reader.value().text.toLowerCase()
    if (!isSetKind(how)) return reader.fail('set needs union, diff or intersect')
    return { how, ...readSearches(reader, new Options({}), 2, 2) }
  },
  lower: ({ how, searches }, _, context) => {
    const [first = NO_ROWS, second = NO_ROWS] = searches.map((each) => context.subsearch(each))
    return different(how, first, second, context)
  },
})

export const combiningCommands: readonly CommandRecord[] = [
  append,
  appendpipe,
  appendcols,
  union,
  multisearch,
  set,
]
