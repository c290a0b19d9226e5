/** Lowering of one search: its commands one after another, each making rows from rows. */
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import { limits } from '../../core/limits.ts'
import type { Span } from '../../core/span.ts'
import { suggest } from '../../core/suggest.ts'
import { and, call, type Expr, field } from '../../ir/expr.ts'
import { type Order, type Rel, schemaOf } from '../../ir/rel.ts'
import type { Field, Type } from '../../ir/types.ts'
import type { Dataset } from '../../schema/datamodels.ts'
import type { SourceTest } from '../../schema/eventview.ts'
import { LOOKUP_LINE } from '../../schema/lookups.ts'
import { isOwnName, META } from '../../schema/source.ts'
import type { Confirmation, Discovery, Effect, NoteKind, SplNote } from './answer.ts'
import type { Command, EvalExpr, SearchExpr, Subsearch } from './ast.ts'
import type { Context, TimeRange } from './command.ts'
import { commands, REFUSED } from './commands.ts'
import { evaluate, testOf } from './evaluating.ts'
import { type ExpandedText, expand } from './expand.ts'
import { Reader } from './reader.ts'
import { Refusal, refuse } from './refusal.ts'
import {
  filtered,
  HIDDEN,
  NO_ROWS,
  OWN_COLUMNS,
  orderFields,
  orderKey,
  type Rows,
  STANDARD_FIELDS,
  schemaOfRows,
  selected,
  sorted,
} from './rows.ts'
import { conditionOf } from './searching.ts'
import type { TimeModifier } from './searchterms.ts'
import { splitSearch } from './split.ts'
import { readConditions, rowConditions } from './subsearches.ts'
import { timeTests } from './timerange.ts'
import type { World, WrittenRows } from './world.ts'

export interface LoweringOptions {
  readonly world: World
  readonly range: TimeRange
  /** What was found in the data for earlier answers, by key. */
  readonly found: ReadonlyMap<string, readonly string[]>
}

/** Start of the names of the lookups that hold what `collect` keeps. */
const COLLECTED = 'index.'

/** Events come newest first; of one instant, the later record first. */
const NEWEST_FIRST: Order = [
  { ...orderKey(META.time, 'time', true), nulls: 'last' },
  { ...orderKey(META.record, 'int', true), nulls: 'last' },
]

export class Lowering implements Context {
  readonly world: World
  readonly range: TimeRange
  readonly diagnostics: Diagnostic[] = []
  readonly notes: SplNote[] = []
  readonly effects: Effect[] = []
  readonly discoveries: Discovery[] = []
  readonly reads = new Set<string>()
  readonly #found: ReadonlyMap<string, readonly string[]>
  readonly #shared: { readonly name: string; readonly rel: Rel }[] = []
  readonly #words: ReadonlySet<string>
  #text: ExpandedText
  #hidden = 0
  #depth = 0
  /** Tells apart what is compiled from one place several times. */
  #path = ''

  constructor(text: ExpandedText, { world, range, found }: LoweringOptions) {
    this.world = world
    this.range = range
    this.#found = found
    this.#text = text
    this.#words = wordsOf(text.text)
  }

  hidden(label: string): string {
    return `${HIDDEN}${label}${++this.#hidden}`
  }

  notice(diagnostic: Diagnostic): void {
    const { span } = diagnostic
    this.diagnostics.push(
      span === undefined ? diagnostic : { ...diagnostic, span: this.#text.origin(span) },
    )
  }

  note(kind: NoteKind, text: string, span?: Span, count?: Rel): void {
    if (this.notes.some((each) => each.kind === kind && each.text === text)) return
    this.notes.push({
      kind,
      text,
      ...(span === undefined ? {} : { span: this.#text.origin(span) }),
      ...(count === undefined ? {} : { count: this.#withShared(count) }),
    })
  }

  effect(effect: Effect): void {
    const rel = this.#withShared(effect.rel)
    this.effects.push({ ...effect, rel, span: this.#text.origin(effect.span) })
  }

  evaluate(expr: EvalExpr, rows: Rows): Expr {
    return evaluate(expr, { rows, context: this })
  }

  test(expr: EvalExpr, rows: Rows): Expr {
    return call('logic.holds', [testOf(expr, { rows, context: this })])
  }

  condition(expr: SearchExpr, rows: Rows): Expr {
    return conditionOf(expr, { rows, context: this, isFirst: false })
  }

  /** Bounds of time: those that the search sets itself, else those it was asked for. */
  #times(times: readonly TimeModifier[]): readonly TimeModifier[] {
    const span = { start: 0, end: 0 }
    const { earliest, latest } = this.range
    const outer: readonly (readonly [string, string | undefined])[] = [
      ['earliest', earliest],
      ['latest', latest],
    ]
    const sets = (name: string): boolean =>
      times.some(
        (each) => each.name === name || each.name.startsWith(name === 'earliest' ? 'start' : 'end'),
      )
    const added = outer.flatMap(([name, value]): readonly TimeModifier[] =>
      value === undefined || sets(name) ? [] : [{ name, value, span }],
    )
    return [...times, ...added]
  }

  events(
    tests: readonly SourceTest[],
    times: readonly TimeModifier[],
  ): { readonly rows: Rows; readonly isStored: boolean } {
    const written = this.#writtenFor(tests)
    if (written !== undefined) return { rows: rowsOfWritten(written), isStored: false }
    const collected = this.#collectedIn(tests)
    if (collected !== undefined) return { rows: collected, isStored: false }
    this.reads.add('events')
    const known = this.world.events(tests)
    const fields = new Map(STANDARD_FIELDS)
    const add = (name: string): void => {
      const type = fields.has(name) || name.startsWith('@') ? undefined : known.typeOf(name)
      if (type !== undefined) fields.set(name, type)
    }
    known.names.forEach(add)
    this.#words.forEach(add)
    return { rows: this.#scanned('events:all', fields, times), isStored: true }
  }

  #writtenFor(tests: readonly SourceTest[]): WrittenRows | undefined {
    const names = tests.flatMap((each) => (each.field === 'index' ? each.values : []))
    return names.flatMap((each) => this.world.indexes?.get(each) ?? [])[0]
  }

  /** The rows that `collect` has put into the index that the tests name, if it has. */
  #collectedIn(tests: readonly SourceTest[]): Rows | undefined {
    const names = tests.flatMap((each) => (each.field === 'index' ? each.values : []))
    const [name] = names
    const lookup = names.length === 1 ? this.world.lookup(`${COLLECTED}${name}`) : undefined
    if (lookup?.rows === undefined) return undefined
    const keep = lookup.columns.map((each) => {
      const cell = call('lookup.cell', [field(each)], 'text')
      return { name: each, value: each === '_time' ? call('eval.number', [cell], 'float') : cell }
    })
    const rows: Rows = {
      rel: lookup.rel,
      fields: new Map(lookup.columns.map((each) => [each, 'text'])),
      order: [orderKey(LOOKUP_LINE, 'int', true)],
      isEvents: true,
    }
    return selected(rows, keep)
  }

  /** The rows of a view, within the bounds of time. */
  #scanned(view: string, fields: ReadonlyMap<string, Type>, times: readonly TimeModifier[]): Rows {
    const out: Field[] = [...fields].map(([name, type]) => ({ name, type }))
    const scan: Rel = {
      op: 'scan',
      table: { kind: 'view', name: view },
      time: {},
      out: [...out, ...OWN_COLUMNS],
    }
    const rows: Rows = { rel: scan, fields, order: NEWEST_FIRST, isEvents: true }
    const where = timeTests(this.#times(times))
    return where.length === 0 ? rows : filtered(rows, and(where))
  }

  dataset(
    {
      model,
      dataset,
      span,
    }: { readonly model: string; readonly dataset?: string; readonly span: Span },
    times: readonly TimeModifier[],
  ): { readonly rows: Rows; readonly dataset: Dataset } {
    const found = this.world.dataset(model, dataset)
    if (found === undefined) {
      const name = dataset === undefined ? model : `${model}.${dataset}`
      const near = suggest(name, this.world.datasetNames())
      const hint =
        near === undefined ? 'see the manual for those there are' : `did you mean ${near}?`
      return refuse('HR511', { name, hint }, span)
    }
    const full = `${found.model}.${found.name}`
    this.reads.add(full)
    this.note('data model', `${full}: ${found.fields.size} fields`, span)
    const fields = new Map([...STANDARD_FIELDS, ...found.fields])
    return { rows: this.#scanned(`cim:${full}`, fields, times), dataset: found }
  }

  subsearch(search: Subsearch, rows: Rows = NO_ROWS): Rows {
    return this.run(search.commands, rows)
  }

  conditionsOf(search: Subsearch): SearchExpr | undefined {
    const rows = this.subsearch(search)
    const column = this.hidden('c')
    const found = this.discover('subsearch', rowConditions(rows, column), search.span)
    return readConditions(found, search.span)
  }

  inner(text: string, rows: Rows | undefined, span: Span): Rows {
    const [outer, path] = [this.#text, this.#path]
    const place = outer.origin(span)
    try {
      const expanded = expand(text, this.world)
      this.#text = expanded.within(place)
      this.#path = `${path}${span.start}:${text}/`
      const commands = splitSearch(expanded.text, { start: 0, end: expanded.text.length }, false)
      return this.run(commands, rows ?? NO_ROWS)
    } finally {
      this.#text = outer
      this.#path = path
    }
  }

  discover(label: string, rel: Rel, span: Span, confirm?: Confirmation): readonly string[] {
    const key = `${this.#path}${label}@${span.start}`
    const known = this.#found.get(key)
    if (known !== undefined) return known
    if (!this.discoveries.some((each) => each.key === key)) {
      const whole = this.#withShared(rel)
      this.discoveries.push({ key, rel: whole, ...(confirm === undefined ? {} : { confirm }) })
    }
    return []
  }

  shared(rows: Rows): Rows {
    const name = this.hidden('n')
    this.#shared.push({ name, rel: rows.rel })
    const out: readonly Field[] = [...schemaOfRows(rows), ...orderFields(rows.order)]
    return {
      ...rows,
      rel: { op: 'scan', table: { kind: 'named', name }, time: {}, out },
    }
  }

  #withShared(body: Rel): Rel {
    return this.#shared.reduceRight<Rel>(
      (inner, { name, rel }) => ({ op: 'named', name, value: rel, body: inner, once: true }),
      body,
    )
  }

  /** Runs commands over rows. */
  run(list: readonly Command[], start: Rows): Rows {
    if (list.length > limits.splCommands) {
      const size = `${list.length} commands`
      refuse('HR517', { what: 'the search', size, limit: limits.splCommands }, list[0]?.span)
    }
    if (++this.#depth > limits.splNesting) {
      const size = `more than ${limits.splNesting} levels`
      refuse(
        'HR517',
        { what: 'the nesting of searches', size, limit: limits.splNesting },
        list[0]?.span,
      )
    }
    let rows = start
    for (const [index, each] of list.entries()) rows = this.#apply(each, rows, index, start)
    this.#depth--
    return rows
  }

  #apply({ name, nameSpan, args, span }: Command, rows: Rows, index: number, start: Rows): Rows {
    const record = commands.get(name)
    if (record === undefined) {
      const reason = REFUSED.get(name)
      if (reason !== undefined) refuse('HR504', { name, reason }, nameSpan)
      const near = suggest(name, [...commands.keys()])
      const hint = near === undefined ? 'it is no command of the language' : `did you mean ${near}?`
      return refuse('HR503', { name, hint }, nameSpan)
    }
    const reader = new Reader(this.#text.text, args, name)
    const node = record.read(reader)
    reader.finish()
    for (const each of reader.assumptions) this.note('assumption', each.text, each.span)
    const isStart = index === 0 && start === NO_ROWS
    if (isStart && record.kind !== 'generating' && name !== 'search') {
      refuse('HR500', { message: `${name} needs rows: a search cannot begin with it` }, nameSpan)
    }
    // The first `search` reads events; what comes before any command are no rows yet.
    const made = record.lower(node, isStart ? NO_ROWS : rows, this, span)
    const taken = [...made.fields.keys()].find(isOwnName)
    if (taken !== undefined) refuse('HR507', { what: `a field called ${taken}` }, span)
    return made
  }

  /** The rows that a search begins with. */
  start(): Rows {
    return this.world.rows === undefined ? NO_ROWS : rowsOfWritten(this.world.rows)
  }

  /** The whole search: its rows in order, its fields alone, and what is computed once around it. */
  finish(rows: Rows): Rel {
    const keep = schemaOfRows(rows).map(({ name, type }) => ({ name, value: field(name, type) }))
    return this.#withShared({ op: 'select', from: sorted(rows), keep })
  }

  /** A refusal with its place in the text as written. */
  placed(error: unknown): Diagnostic {
    if (error instanceof Refusal) {
      const { span } = error.diagnostic
      return span === undefined
        ? error.diagnostic
        : { ...error.diagnostic, span: this.#text.origin(span) }
    }
    if (error instanceof RangeError && /stack/i.test(error.message)) {
      const limit = limits.splNesting
      return diagnose('HR517', { what: 'the nesting', size: 'too much for the compiler', limit })
    }
    throw error
  }
}

function rowsOfWritten({ fields, rel }: WrittenRows): Rows {
  const place = schemaOf(rel).find(({ name }) => name.startsWith(HIDDEN))
  return {
    rel,
    fields: new Map(
      fields.filter(({ name }) => !name.startsWith('@')).map(({ name, type }) => [name, type]),
    ),
    order: place === undefined ? [] : [orderKey(place.name, place.type)],
    isEvents: true,
  }
}

/** Words of a search that may be names of fields: whole, in quotes, and the parts around points. */
function wordsOf(text: string): ReadonlySet<string> {
  const words = new Set<string>()
  const add = (word: string): void => {
    if (word.length <= 200) words.add(word)
  }
  for (const [word] of text.matchAll(/[A-Za-z_][\w.:{}@-]*/g)) {
    add(word)
    for (const part of word.split('.')) if (part !== '') add(part)
  }
  for (const [, quoted = ''] of text.matchAll(/["']([^"'*|]{1,200})["']/g)) add(quoted)
  return words
}
