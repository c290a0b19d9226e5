/** Commands on lookups: `lookup`, `inputlookup`, `outputlookup`. */
import { diagnose } from '../../core/diagnostic.ts'
import type { Span } from '../../core/span.ts'
import { suggest } from '../../core/suggest.ts'
import { call, type Expr, field, text } from '../../ir/expr.ts'
import type { Rel } from '../../ir/rel.ts'
import { isList } from '../../ir/types.ts'
import { isLookupName, LOOKUP_LINE } from '../../schema/lookups.ts'
import { appended } from './appending.ts'
import { type CommandRecord, type Context, command } from './command.ts'
import { computedBy, lookedUp } from './lookupmatch.ts'
import { isBroken } from './lookups.ts'
import { fixed, idle, type OptionKinds, Options } from './options.ts'
import type { Reader } from './reader.ts'
import { refuse } from './refusal.ts'
import {
  asText,
  filtered,
  limited,
  NO_ROWS,
  orderKey,
  type Rows,
  selected,
  sorted,
} from './rows.ts'
import { readTerms, type SearchTerms } from './searchterms.ts'
import type { Lookup } from './world.ts'

interface Named {
  readonly name: string
  readonly span: Span
}

interface Pair {
  readonly column: Named
  readonly as: string
}

/** A lookup that can be read; refuses one that is not there or that cannot be used. */
function readable({ name, span }: Named, context: Context): Lookup {
  const lookup = context.world.lookup(name)
  if (lookup === undefined) {
    const near = suggest(name, [...context.world.lookupNames()])
    const hint =
      near === undefined ? 'load the pack or the CSV file that defines it' : `did you mean ${near}?`
    return refuse('HR532', { name, hint }, span)
  }
  if (lookup.refused !== undefined) refuse('HR533', { name, reason: lookup.refused }, span)
  for (const each of lookup.faults ?? []) {
    if (!isBroken(lookup)) context.notice({ ...each, span })
  }
  const fault = isBroken(lookup) ? lookup.faults?.[0] : undefined
  if (fault !== undefined) refuse('HR533', { name, reason: fault.message }, span)
  if (lookup.rows === undefined) context.notice(diagnose('HR535', { name }, span))
  const { match, isCaseSensitive, defaultMatch, minMatches } = lookup.options
  const ways = [...match].map(([column, way]) => `${column} as ${way}`)
  const matching = ways.length === 0 ? '' : `, matches ${ways.join(', ')}`
  const cased = isCaseSensitive ? '' : ', without case'
  context.note('lookup', `${name}: ${lookup.rows ?? 0} rows${matching}${cased}`, span)
  if (minMatches > 0 && defaultMatch === '') {
    context.note(
      'assumption',
      `the lookup ${name} has min_matches and no default_match: where nothing is found, its fields stay missing`,
      span,
    )
  }
  return lookup
}

/** Refuses a column that a lookup has not; one that has no rows yet may have any. */
function checkColumn({ columns, name, rows }: Lookup, column: Named): void {
  if (columns.includes(column.name) || (rows === undefined && columns.length === 0)) return
  refuse('HR534', { name, column: column.name, known: columns.join(', ') }, column.span)
}

interface LookupNode {
  readonly lookup: Named
  readonly keys: readonly Pair[]
  /** Absent: all columns that are no keys. */
  readonly outputs?: readonly Pair[]
  readonly isNew: boolean
}

const LOOKUP_OPTIONS: OptionKinds = {
  local: idle('flag', 'there is one server'),
  update: idle('flag', 'lookups are read when the search begins'),
}

function readPairs(reader: Reader, stops: readonly string[]): readonly Pair[] {
  const pairs: Pair[] = []
  while (!reader.isDone) {
    if (reader.take(',')) continue
    if (stops.some((each) => reader.isWord(each))) break
    const column = reader.name()
    const as = reader.takeWord('as') ? reader.name('the name of the field').name : column.name
    pairs.push({ column, as })
  }
  return pairs
}

const lookupCommand = command<LookupNode>({
  name: 'lookup',
  says: 'Adds fields from the rows of a lookup whose columns match fields. A lookup with at most one match gives single values, others lists.',
  kind: 'streaming',
  options: LOOKUP_OPTIONS,
  read: (reader) => {
    new Options(LOOKUP_OPTIONS).takeAll(reader)
    const lookup = reader.name('the name of a lookup')
    const keys = readPairs(reader, ['output', 'outputnew'])
    if (keys.length === 0) reader.fail('lookup needs a field to look up')
    const isNew = reader.isWord('outputnew')
    if (!isNew && !reader.isWord('output')) return { lookup, keys, isNew }
    reader.next()
    const outputs = readPairs(reader, [])
    if (outputs.length === 0) reader.fail('expected the columns to give')
    return { lookup, keys, outputs, isNew }
  },
  lower: (node, rows, context) => {
    const lookup = readable(node.lookup, context)
    for (const { column } of [...node.keys, ...(node.outputs ?? [])]) checkColumn(lookup, column)
    const keys = node.keys.map(({ column, as }) => ({ column: column.name, field: as }))
    const outputs =
      node.outputs?.map(({ column, as }) => ({ column: column.name, name: as })) ??
      lookup.columns
        .filter((each) => !keys.some(({ column }) => column === each))
        .map((each) => ({ column: each, name: each }))
    if (lookup.computed !== undefined) {
      return computedBy({ lookup, keys, outputs, isNew: node.isNew }, rows)
    }
    return lookedUp({ lookup, keys, outputs, isNew: node.isNew }, rows, context)
  },
})

interface InputNode {
  readonly lookup: Named
  readonly options: Options
  readonly where?: SearchTerms
  readonly span: Span
}

const INPUT_OPTIONS: OptionKinds = {
  append: 'flag',
  start: 'count',
  max: 'count',
  strict: idle('flag', 'a lookup that cannot be read is always an error'),
}

function lookupRows(lookup: Lookup): Rows {
  const rows: Rows = {
    rel: lookup.rel,
    fields: new Map(lookup.columns.map((name) => [name, 'text'])),
    order: [orderKey(LOOKUP_LINE, 'int')],
    isEvents: false,
  }
  const keep = lookup.columns.map((name) => ({
    name,
    value: call('lookup.cell', [field(name)], 'text'),
  }))
  return selected(rows, keep)
}

const inputlookup = command<InputNode>({
  name: 'inputlookup',
  says: 'Reads the rows of a lookup; with append=t, puts them behind those that are there.',
  kind: 'generating',
  options: INPUT_OPTIONS,
  read: (reader) => {
    const options = new Options(INPUT_OPTIONS)
    options.takeAll(reader)
    const lookup = reader.name('the name of a lookup')
    options.takeAll(reader)
    const base = { lookup, options, span: lookup.span }
    return reader.takeWord('where') ? { ...base, where: readTerms(reader) } : base
  },
  lower: ({ lookup: named, options, where }, before, context) => {
    const isAppended = options.flag('append', false)
    if (before !== NO_ROWS && !isAppended) {
      refuse(
        'HR500',
        { message: 'inputlookup begins a search; behind other commands it needs append=t' },
        named.span,
      )
    }
    const lookup = readable(named, context)
    if (lookup.computed !== undefined) {
      refuse('HR533', { name: named.name, reason: 'it is computed and has no rows' }, named.span)
    }
    let rows = lookupRows(lookup)
    for (const each of where?.diagnostics ?? []) context.notice(each)
    if (where?.times[0] !== undefined) {
      refuse('HR507', { what: 'a bound of time in the where of a lookup' }, where.times[0].span)
    }
    if (where?.where !== undefined) rows = filtered(rows, context.condition(where.where, rows))
    const start = options.number('start', 0)
    if (start > 0) {
      const isBehind = call('compare.greater', [
        field(LOOKUP_LINE, 'int'),
        { op: 'const', value: start, type: 'int' },
      ])
      rows = filtered(rows, isBehind)
    }
    const most = options.number('max')
    if (most !== undefined) rows = limited(rows, most)
    return before === NO_ROWS ? rows : appended(before, rows, context)
  },
})

interface OutputNode {
  readonly lookup: Named
  readonly options: Options
}

const OUTPUT_OPTIONS: OptionKinds = {
  append: 'flag',
  create_empty: 'flag',
  override_if_empty: 'flag',
  max: 'count',
  key_field: 'text',
  allow_updates: fixed('flag', 'true'),
  createinapp: idle('flag', 'lookups are kept in the store'),
  create_context: idle(['app', 'user', 'system'], 'lookups are kept in the store'),
  output_format: fixed(['splunk_sv_csv', 'splunk_mv_csv'], 'splunk_sv_csv'),
}

/** Fields of Splunk's own that are no columns of a lookup, but for the time and the key. */
const isWritten = (name: string): boolean =>
  !name.startsWith('_') || name === '_time' || name === '_key'

/** A value as a cell: several are written on lines of their own. */
function cellOf(value: Expr): Expr {
  const made = isList(value.type) ? call('list.join', [value, text('\n')], 'text') : asText(value)
  return call('text.or_empty', [made], 'text')
}

/** What a lookup holds when rows have been written to it. */
function contentOf(
  rows: Rows,
  lookup: Lookup | undefined,
  options: Options,
  context: Context,
): Rows {
  const before =
    lookup === undefined || !options.flag('append', false) ? undefined : lookupRows(lookup)
  if (before === undefined || before.fields.size === 0) return rows
  const key = options.text('key_field')
  if (key === undefined || !before.fields.has(key) || !rows.fields.has(key)) {
    return appended(before, rows, context)
  }
  // Rows with a key that is there already take the place of the old ones.
  const name = context.hidden('k')
  const right: Rel = {
    op: 'select',
    from: rows.rel,
    keep: [{ name, value: asText(field(key, rows.fields.get(key) ?? 'text')) }],
  }
  const kept: Rel = {
    op: 'join',
    how: 'anti',
    left: before.rel,
    right,
    on: [{ left: field(key), right: field(name) }],
  }
  return appended({ ...before, rel: kept }, rows, context)
}

const outputlookup = command<OutputNode>({
  name: 'outputlookup',
  says: 'Writes the rows to a lookup when the search has run, and passes them on.',
  kind: 'streaming',
  options: OUTPUT_OPTIONS,
  read: (reader) => {
    const options = new Options(OUTPUT_OPTIONS)
    options.takeAll(reader)
    const lookup = reader.name('the name of a lookup')
    options.takeAll(reader)
    return { lookup, options }
  },
  lower: ({ lookup: { name, span }, options }, rows, context) => {
    const lookup = context.world.lookup(name)
    if (lookup?.refused !== undefined) refuse('HR533', { name, reason: lookup.refused }, span)
    if (lookup?.computed !== undefined) {
      refuse('HR533', { name, reason: 'it is computed and cannot be written' }, span)
    }
    const storage = lookup?.storage ?? name
    if (!isLookupName(storage)) refuse('HR536', { name: storage }, span)
    if (lookup === undefined) {
      context.note('lookup', `${name}: made by this search, nothing else defines it`, span)
    }
    const most = options.number('max')
    const given = most === undefined ? rows : limited(rows, most)
    const keeps = lookup?.keeps
    const names = [...given.fields.keys()].filter(
      (each) => isWritten(each) && (keeps === undefined || each === '_key' || keeps.includes(each)),
    )
    const keep = names.map((each) => ({
      name: each,
      value: field(each, given.fields.get(each) ?? 'text'),
    }))
    const whole = contentOf(selected(given, keep), lookup, options, context)
    const cells = [...whole.fields].map(([each, type]) => ({
      name: each,
      value: cellOf(field(each, type)),
    }))
    context.effect({
      kind: 'outputlookup',
      name: storage,
      rel: { op: 'select', from: sorted(whole), keep: cells },
      columns: cells.map((each) => ({ name: each.name, type: 'text' })),
      options: {
        create_empty: String(options.flag('create_empty', true)),
        override_if_empty: String(options.flag('override_if_empty', true)),
      },
      span,
    })
    return rows
  },
})

export const lookupCommands: readonly CommandRecord[] = [lookupCommand, inputlookup, outputlookup]
