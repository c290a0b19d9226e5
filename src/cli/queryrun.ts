/**
 * Queries over a store or over logs, whatever their language: a front compiles the text, and here the store is opened,
 * the plan shown or run, and the rows go to stdout in the form that the options name.
 */
import { type Diagnostic, diagnose, hasErrors, renderDiagnostic } from '../core/diagnostic.ts'
import { limits } from '../core/limits.ts'
import { printInstant } from '../core/time.ts'
import {
  planQuery,
  planRows,
  type QueryPlan,
  type QueryWorld,
  queryRows,
  sourcesOf,
} from '../detect/runquery.ts'
import type { EffectRun } from '../detect/spleffects.ts'
import type { ResultColumn, Value } from '../detect/values.ts'
import { endOf } from '../detect/windows.ts'
import { EngineError } from '../engine/engine.ts'
import { printRel } from '../ir/print.ts'
import type { Rel } from '../ir/rel.ts'
import { atTime, readsNow } from '../plan/now.ts'
import type { LookupTables, StoredLookups } from '../schema/lookups.ts'
import type { StoredCatalogue } from '../schema/stored.ts'
import type { OptionValues } from './command.ts'
import {
  type Context,
  defaultStore,
  isStore,
  type OpenStore,
  openTemporaryStore,
} from './context.ts'
import { checkIntake, isShort, storeFor } from './intaking.ts'
import { isDrawn } from './plot.ts'
import type { Printing } from './printing.ts'
import type { QueryText } from './querytext.ts'
import { ResultTally, renderResultPage } from './resultpage.ts'
import { mostRows, resultWriter } from './results.ts'
import { anyOf, checkRun, engineLimits, writeReport } from './running.ts'
import { line, safeLines } from './text.ts'
import { atOf, boundsOf } from './times.ts'
import { EXIT, TroubleError, UnusableError, UsageError } from './usage.ts'
import { version } from './version.ts'

/** A query that compiled. */
export interface ReadyQuery {
  readonly rel: Rel
  /** Its own text. */
  readonly text: string
  /** What was told of it, with places. */
  readonly diagnostics: readonly Diagnostic[]
  /** The chart that it asks for. */
  readonly render?: string
  readonly printing: Printing
  /** True when its rows are events. */
  readonly isEvents: boolean
}

/** The rows of a plan. */
export type RowsOf = (rel: Rel) => AsyncIterable<readonly Value[]>

/** A text that is compiled. Columns that depend on the data are found when the data is there. */
export interface CompiledText {
  readonly readsTables: boolean
  /** The queries; without data those are refused whose columns depend on it. */
  readonly finish: (
    rows?: RowsOf,
    stored?: StoredCatalogue,
    written?: StoredLookups,
  ) => readonly ReadyQuery[] | Promise<readonly ReadyQuery[]>
  /** Makes ready what a plan reads beside events. */
  readonly ready?: (rel: Rel, tables: LookupTables) => Promise<void>
  /** What is done when the rows of the queries are out; gives what is to be said of it. */
  readonly after?: (run: Omit<EffectRun, 'lookups' | 'mayWrite'>) => Promise<readonly Diagnostic[]>
}

/** Compiles a text; one that is not usable is an error of its own. */
export type QueryFront = () => CompiledText | Promise<CompiledText>

/** Tells what was found in a text: errors end the call, the rest goes to stderr. */
export function tellDiagnostics(
  context: Context,
  { text, file }: QueryText,
  all: readonly Diagnostic[],
): void {
  const show = (each: Diagnostic): string => safeLines(renderDiagnostic(each, text, file))
  if (hasErrors(all)) {
    const errors = all.filter((each) => each.severity === 'error')
    throw new UnusableError(errors.map(show).join('\n'))
  }
  if (!context.output.quiet) for (const each of all) context.output.err.write(`${show(each)}\n`)
}

function plan(
  context: Context,
  answer: ReadyQuery,
  world: QueryWorld,
): { readonly plan: QueryPlan; readonly isEmpty: boolean } {
  const { value, diagnostics } = planQuery(answer.rel, world)
  if (value === undefined) {
    throw new UnusableError(diagnostics.map((each) => renderDiagnostic(each)).join('\n'))
  }
  if (!context.output.quiet) {
    for (const { code, message } of diagnostics) {
      // What the compiler has told with its place is not told again.
      if (answer.diagnostics.some((each) => each.message === message)) continue
      context.output.err.write(line`note: ${code} ${message}\n`)
    }
  }
  return { plan: value, isEmpty: diagnostics.some(({ code }) => code === 'HR262') }
}

/**
 * The time that `now()` is for a query: what `--at` names, or the end of the logs that the query reads, so that
 * `ago(7d)` means the last week of logs of the past too.
 */
async function nowFor(
  context: Context,
  rel: Rel,
  { opened, options, world }: { opened: OpenStore; options: OptionValues; world: QueryWorld },
): Promise<{ readonly rel: Rel; readonly end?: string }> {
  if (!readsNow(rel)) return { rel }
  const at = atOf(options, context.now())
  if (at !== undefined) return { rel: atTime(rel, at) }
  const { value } = planQuery(rel, world)
  const end =
    value === undefined ? undefined : await endOf(opened.store, sourcesOf(value.rel), world.time)
  return end === undefined ? { rel } : { rel: atTime(rel, end), end }
}

/** `--show`: the plan or the SQL of each query. */
async function show(
  context: Context,
  answers: readonly ReadyQuery[],
  what: 'ir' | 'sql',
  world: QueryWorld | undefined,
): Promise<number> {
  const texts = answers.map((answer) => {
    if (world === undefined) return printRel(answer.rel)
    const made = plan(context, answer, world).plan
    return what === 'ir' ? printRel(made.rel) : `${made.sql};`
  })
  context.output.out.write(`${safeLines(texts.join('\n\n'))}\n`)
  return EXIT.done
}

/** An error in words that say which limit stopped the query, and how to raise it. */
function stopped(error: unknown, options: OptionValues): unknown {
  if (!(error instanceof EngineError)) return error
  const { seconds = limits.querySeconds, memory = limits.queryMemoryBytes } = engineLimits(options)
  if (error.kind === 'timeout') {
    const hint = 'give it more time with --timeout, or narrow the time range with --from and --to'
    return new TroubleError(`the query took longer than ${seconds} seconds`, hint)
  }
  if (error.kind === 'memory') {
    const hint = 'give it more with --memory, or narrow the time range with --from and --to'
    return new TroubleError(
      `the query needed more than ${Math.round(memory / 1024 / 1024)} MB`,
      hint,
    )
  }
  return error
}

/** Places of columns in the order in which they are shown: of events the time first, and what was read last. */
function shownOrder(columns: readonly ResultColumn[], isEvents: boolean): readonly number[] {
  const places = [...columns.keys()]
  if (!isEvents) return places
  const rank = (at: number): number => {
    const name = columns[at]?.name
    return name === '_time' ? 0 : name === '_raw' ? 2 : 1
  }
  return places.sort((a, b) => rank(a) - rank(b) || a - b)
}

interface QueryJob {
  readonly answers: readonly ReadyQuery[]
  readonly opened: OpenStore
  readonly options: OptionValues
}

/** Runs the queries in their order and prints their rows. */
async function runAll(context: Context, job: QueryJob, world: QueryWorld): Promise<number> {
  const { output } = context
  const { answers, opened, options } = job
  const writer = resultWriter(output, options)
  const most = mostRows(output, options)
  const html = options.text('html')
  const tally = html === undefined ? undefined : new ResultTally()
  const signal = html === undefined ? anyOf([context.signal, output.gone]) : context.signal
  let isInterrupted = false
  for (const answer of answers) {
    const { rel, end } = await nowFor(context, answer.rel, { opened, options, world })
    if (end !== undefined && !output.quiet) {
      const { code, message } = diagnose('HR491', { time: end })
      output.err.write(line`note: ${code} ${message}\n`)
    }
    const { plan: ready } = plan(context, { ...answer, rel }, world)
    const { render, printing, isEvents, text } = answer
    const places = shownOrder(ready.columns, isEvents)
    const columns = places.flatMap((at) => ready.columns[at] ?? [])
    await writer.begin({ columns, render, printing, isEvents })
    tally?.begin({ columns, render, printing, text })
    let rows = 0
    try {
      for await (const given of queryRows(opened.store, ready, {
        signal,
        ...engineLimits(options),
      })) {
        const row = places.map((at) => given[at] ?? null)
        tally?.add(row)
        if (rows++ < most) await writer.row(row)
      }
    } catch (error) {
      if (!(error instanceof EngineError) || error.kind !== 'cancelled')
        throw stopped(error, options)
      isInterrupted = true
      if (!output.gone.aborted) output.err.write('interrupted: rows are missing\n')
    }
    await writer.finish({ more: Math.max(0, rows - most), isPartial: isInterrupted })
    if (render !== undefined && isDrawn(render) && html === undefined && !output.quiet) {
      output.err.write(
        line`note: the chart (render ${render}) is drawn in the report of --html FILE\n`,
      )
    }
    if (isInterrupted) break
  }
  await writer.end()
  if (tally !== undefined && html !== undefined) {
    const made = printInstant(context.now())
    writeReport(html, renderResultPage({ tally, made, version: version(), isInterrupted }))
    if (!output.quiet) output.err.write(line`report: ${html}\n`)
  }
  return isInterrupted && context.signal.aborted ? EXIT.interrupted : EXIT.done
}

/** True when the options name data, or there is a default store. */
export const hasData = (context: Context, options: OptionValues): boolean =>
  options.texts('logs').length > 0 ||
  options.text('store') !== undefined ||
  isStore(defaultStore(context))

/**
 * Compiles the text and opens the store that its queries read; a query without tables needs none. Where there can be no
 * other store, the engine starts beside the compiler.
 */
async function prepare(context: Context, front: QueryFront, options: OptionValues) {
  const early = hasData(context, options) ? undefined : openTemporaryStore(context)
  try {
    const compiled = await front()
    const isFree = !compiled.readsTables
    const isNamed = options.texts('logs').length > 0 || options.text('store') !== undefined
    if (isFree && !isNamed) {
      return { compiled, opened: await (early ?? openTemporaryStore(context)), intake: undefined }
    }
    const { opened, intake } = await storeFor(context, options.texts('logs'), options)
    return { compiled, opened, intake }
  } catch (error) {
    await early?.then(
      (opened) => opened.close(),
      () => undefined,
    )
    throw error
  }
}

/** Refuses options that do not belong to a query, before anything is read. */
export function checkQuery(context: Context, options: OptionValues): void {
  checkRun(context, options)
  checkIntake(context, options)
  mostRows(context.output, options)
  if (options.flag('events')) {
    throw new UsageError('--events is for the findings of rules; the rows of a query are a table')
  }
}

/** Runs the queries that a front compiles, or shows what would run, and gives the exit code. */
export async function runQueries(
  context: Context,
  front: QueryFront,
  options: OptionValues,
): Promise<number> {
  const what = options.text('show')
  const time = boundsOf(options, context.now())
  if ((what === 'ir' || what === 'sql') && !hasData(context, options)) {
    const compiled = await front()
    const answers = await compiled.finish()
    if (what === 'ir') return show(context, answers, what, undefined)
    if (compiled.readsTables) {
      throw new UsageError(
        'the SQL depends on which fields are stored',
        'name logs with --logs, or a store with --store; --show ir needs neither',
      )
    }
    return show(context, answers, what, { schema: context.schema(), stored: new Map(), time })
  }
  const { compiled, opened, intake } = await prepare(context, front, options)
  try {
    if (intake?.interrupted === true) return EXIT.interrupted
    if (intake !== undefined && intake.received === 0 && isShort(intake)) return EXIT.engine
    const stored = await opened.store.catalogue()
    const world = { schema: context.schema(), stored, time }
    const limit = { signal: context.signal, ...engineLimits(options) }
    const { lookups } = opened.store
    const timed = async (rel: Rel): Promise<Rel> =>
      (await nowFor(context, rel, { opened, options, world })).rel
    const rowsOf: RowsOf = async function* (rel) {
      await compiled.ready?.(rel, lookups)
      yield* planRows(opened.store, await timed(rel), world, limit)
    }
    const answers = await compiled.finish(rowsOf, stored, await lookups.written())
    if (what === 'ir' || what === 'sql') return await show(context, answers, what, world)
    for (const { rel } of answers) await compiled.ready?.(rel, lookups)
    const code = await runAll(context, { answers, opened, options }, world)
    if (code === EXIT.done && compiled.after !== undefined) {
      const told = await compiled.after({ store: opened.store, world, timed, query: limit })
      for (const each of told) {
        if (hasErrors([each])) throw new TroubleError(each.message)
        if (!context.output.quiet) {
          context.output.err.write(line`note: ${each.code} ${each.message}\n`)
        }
      }
    }
    return code === EXIT.done && intake !== undefined && isShort(intake) ? EXIT.engine : code
  } finally {
    await opened.close()
  }
}
