/**
 * `harrier query --dialect kusto`: the text of one or more queries over a store or over logs. Takes the text from the
 * command line, a file or stdin; rows go to stdout in the form that the options name.
 */
import { readFileSync, statSync } from 'node:fs'
import { type Diagnostic, diagnose, hasErrors, renderDiagnostic } from '../core/diagnostic.ts'
import { limits } from '../core/limits.ts'
import { systemReason } from '../core/systemerror.ts'
import { printInstant } from '../core/time.ts'
import { compileDiscovering, type Discovering } from '../detect/discover.ts'
import {
  planQuery,
  planRows,
  type QueryPlan,
  type QueryWorld,
  queryRows,
  sourcesOf,
} from '../detect/runquery.ts'
import { endOf } from '../detect/windows.ts'
import type { KustoAnswer, KustoCompiled } from '../dialects/kusto/answer.ts'
import { EngineError } from '../engine/engine.ts'
import { printRel } from '../ir/print.ts'
import type { Rel } from '../ir/rel.ts'
import { atTime, readsNow } from '../plan/now.ts'
import { loadRules } from '../rules/load.ts'
import type { StoredCatalogue } from '../schema/stored.ts'
import type { OptionRecord, OptionValues } from './command.ts'
import {
  type Context,
  defaultStore,
  isStore,
  type OpenStore,
  openTemporaryStore,
} from './context.ts'
import { checkIntake, isShort, storeFor } from './intaking.ts'
import { knowTables, LACKS_TABLE, lazyKusto, readPins } from './kusto.ts'
import { isDrawn } from './plot.ts'
import { ResultTally, renderResultPage } from './resultpage.ts'
import { mostRows, resultWriter } from './results.ts'
import { anyOf, checkRun, engineLimits, writeReport } from './running.ts'
import { line, safeLines } from './text.ts'
import { atOf, boundsOf } from './times.ts'
import { EXIT, TroubleError, UnusableError, UsageError } from './usage.ts'
import { version } from './version.ts'

interface QueryText {
  readonly text: string
  /** The file it comes from, for messages. */
  readonly file?: string
}

const isFile = (path: string): boolean => {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true
  } catch {
    return false
  }
}

/** The text that an argument stands for: `-` is stdin, the name of a file its content, anything else itself. */
function readQuery(given: string): QueryText {
  if (given !== '-' && (given.includes('\n') || given.length > 1_000 || !isFile(given))) {
    return { text: given }
  }
  try {
    const bytes = readFileSync(given === '-' ? 0 : given)
    if (bytes.length > limits.ruleFileBytes) {
      throw new UsageError(`${given} is larger than ${limits.ruleFileBytes} bytes`)
    }
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return given === '-' ? { text } : { text, file: given }
  } catch (error) {
    if (error instanceof UsageError) throw error
    if (error instanceof TypeError) throw new UsageError(`${given} is not UTF-8 text`)
    throw new UsageError(`cannot read the query ${given}: ${systemReason(error)}`)
  }
}

/** A query that compiled. */
interface Ready extends KustoAnswer {
  readonly rel: Rel
}

export const FUNCTIONS_OPTION: OptionRecord = {
  flags: '--functions <path>',
  says: 'with --dialect: file or folder of functions and watchlists to call; may be given several times',
  many: true,
}

/** The functions and watchlists of the paths; a path that cannot be read is an error. */
async function readFunctions(context: Context, paths: readonly string[]) {
  if (paths.length === 0) return { functions: [], watchlists: [] }
  const { functions, watchlists, problems } = await loadRules(paths, { placeholders: new Map() })
  for (const { file, root, diagnostic } of problems) {
    const text = safeLines(renderDiagnostic(diagnostic, undefined, file))
    if (file === root && diagnostic.code !== 'HR910') throw new UnusableError(text)
    if (diagnostic.severity === 'error') context.output.err.write(`${text}\n`)
  }
  return { functions, watchlists }
}

/** Queries that are ready, and the text that their places are in. */
interface ReadyText {
  readonly query: QueryText
  readonly answers: readonly Ready[]
}

/** A text that is compiled. Columns that depend on the data are found when the data is there. */
interface Compiled {
  readonly readsTables: boolean
  /** The queries; without data those are refused whose columns depend on it. */
  readonly finish: (rows?: Discovering['rows'], stored?: StoredCatalogue) => Promise<ReadyText>
}

/** Compiles the text; all its queries must be usable. What is no error is told on stderr. */
async function compile(
  context: Context,
  query: QueryText,
  options: OptionValues,
): Promise<Compiled> {
  const { functions, watchlists } = await readFunctions(context, options.texts('functions'))
  const compiler = lazyKusto(context, await readPins(options))
  const ask = async (text: string): Promise<KustoCompiled> => {
    const requests = [{ query: text, name: query.file ?? 'query' }]
    const [compiled] = await compiler.compile(requests, functions, watchlists)
    return compiled ?? { queries: [] }
  }
  const first = await ask(query.text)
  const isOpen = first.queries.some(({ discover }) => discover !== undefined)
  // Custom tables are known by what the store holds for them.
  const lacksTable = first.queries.flatMap((each) => each.diagnostics).some(isLackOfTable)
  const readsTables = lacksTable || first.queries.some((each) => each.tables.length > 0)
  if (!isOpen && !(lacksTable && hasData(context, options))) {
    const ready = { query, answers: readyQueries(context, query, first) }
    return { readsTables, finish: async () => ready }
  }
  return {
    readsTables,
    finish: async (rows, stored) => {
      if (stored !== undefined) knowTables(context, stored)
      if (rows === undefined) return { query, answers: readyQueries(context, query, first) }
      const { text, compiled } = await compileDiscovering(query.text, { compile: ask, rows })
      const found = { ...query, text }
      return { query: found, answers: readyQueries(context, found, compiled) }
    },
  }
}

const isLackOfTable = ({ code }: Diagnostic): boolean => LACKS_TABLE.has(code)

/** The queries of a compiled text, all of which must be usable. */
function readyQueries(
  context: Context,
  { text, file }: QueryText,
  { queries: answers }: KustoCompiled,
): readonly Ready[] {
  const show = (each: Diagnostic): string => safeLines(renderDiagnostic(each, text, file))
  const all = answers.flatMap((each) => each.diagnostics)
  if (hasErrors(all)) {
    const errors = all.filter((each) => each.severity === 'error')
    throw new UnusableError(errors.map(show).join('\n'))
  }
  if (!context.output.quiet) for (const each of all) context.output.err.write(`${show(each)}\n`)
  const ready = answers.flatMap((each) =>
    each.rel === undefined ? [] : [{ ...each, rel: each.rel }],
  )
  if (ready.length === 0) throw new UnusableError('the text holds no query')
  return ready
}

function plan(
  context: Context,
  answer: Ready,
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
  answers: readonly Ready[],
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

interface QueryJob extends ReadyText {
  readonly opened: OpenStore
  readonly options: OptionValues
}

/** Runs the queries in their order and prints their rows. */
async function runAll(context: Context, job: QueryJob, world: QueryWorld): Promise<number> {
  const { output } = context
  const { answers, opened, options, query } = job
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
    const { columns } = ready
    const { render } = answer
    const text = query.text.slice(answer.span.start, answer.span.end)
    await writer.begin({ columns, render })
    tally?.begin({ columns, render, text })
    let rows = 0
    try {
      for await (const row of queryRows(opened.store, ready, {
        signal,
        ...engineLimits(options),
      })) {
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
const hasData = (context: Context, options: OptionValues): boolean =>
  options.texts('logs').length > 0 ||
  options.text('store') !== undefined ||
  isStore(defaultStore(context))

/**
 * Compiles the text and opens the store that its queries read; a query without tables needs none. Where there can be no
 * other store, the engine starts beside the compiler.
 */
async function prepare(context: Context, query: QueryText, options: OptionValues) {
  const early = hasData(context, options) ? undefined : openTemporaryStore(context)
  try {
    const compiled = await compile(context, query, options)
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

/** Runs `query --dialect kusto` and gives the exit code. */
export async function queryKusto(
  context: Context,
  given: string,
  options: OptionValues,
): Promise<number> {
  checkRun(context, options)
  checkIntake(context, options)
  mostRows(context.output, options)
  if (options.flag('events')) {
    throw new UsageError('--events is for the findings of rules; the rows of a query are a table')
  }
  const query = readQuery(given)
  if (query.text.trim() === '') throw new UsageError('the query is empty')
  const what = options.text('show')
  const time = boundsOf(options, context.now())
  if ((what === 'ir' || what === 'sql') && !hasData(context, options)) {
    const compiled = await compile(context, query, options)
    const { answers } = await compiled.finish()
    if (what === 'ir') return show(context, answers, what, undefined)
    if (compiled.readsTables) {
      throw new UsageError(
        'the SQL depends on which fields are stored',
        'name logs with --logs, or a store with --store; --show ir needs neither',
      )
    }
    return show(context, answers, what, { schema: context.schema(), stored: new Map(), time })
  }
  const { compiled, opened, intake } = await prepare(context, query, options)
  try {
    if (intake?.interrupted === true) return EXIT.interrupted
    if (intake !== undefined && intake.received === 0 && isShort(intake)) return EXIT.engine
    const stored = await opened.store.catalogue()
    const world = { schema: context.schema(), stored, time }
    const limit = { signal: context.signal, ...engineLimits(options) }
    const ready = await compiled.finish(async function* (rel) {
      const timed = await nowFor(context, rel, { opened, options, world })
      yield* planRows(opened.store, timed.rel, world, limit)
    }, stored)
    if (what === 'ir' || what === 'sql') return await show(context, ready.answers, what, world)
    const code = await runAll(context, { ...ready, opened, options }, world)
    return code === EXIT.done && intake !== undefined && isShort(intake) ? EXIT.engine : code
  } finally {
    await opened.close()
  }
}
