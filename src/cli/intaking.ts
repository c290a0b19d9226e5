/** Reading logs for a command: options in, a store with the logs in it out, with progress and a report on stderr. */

import { existsSync, statfsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { suggest } from '../core/suggest.ts'
import { EngineError } from '../engine/engine.ts'
import { decoders } from '../ingest/formats.ts'
import { ingest } from '../ingest/intake.ts'
import type { IntakeReport } from '../ingest/report.ts'
import { ingested, isOwnSource } from '../schema/own.ts'
import { isCustom, sourceOfTable } from '../schema/tableview.ts'
import type { OptionRecord, OptionValues } from './command.ts'
import { type Context, type OpenStore, openNamedStore, openTemporaryStore } from './context.ts'
import { counted } from './figures.ts'
import { intakeText } from './intake.ts'
import { packagePath } from './paths.ts'
import { makeProgress, type Progress, type ProgressMode } from './progress.ts'
import { line } from './text.ts'
import { shellWord, UsageError } from './usage.ts'

export const STORE_OPTION: OptionRecord = {
  flags: '--store <where>',
  says: 'folder of a store, or http(s) address of a ClickHouse server',
}

export const LOGS_OPTION: OptionRecord = {
  flags: '--logs <path>',
  says: 'logs to read first; may be given several times',
  many: true,
}

export const INTAKE_OPTIONS: readonly OptionRecord[] = [
  {
    flags: '--format <name>',
    says: 'format of the logs, instead of telling it from their content',
    values: decoders.map((each) => each.name),
  },
  { flags: '--source <name>', says: 'store all events as this source, e.g. windows.sysmon' },
  {
    flags: '--table <name>',
    says: 'store all events as rows of this Kusto table, e.g. DeviceProcessEvents or Firewall_CL',
  },
  { flags: '--recover', says: 'EVTX: also look for whole records behind damaged ones' },
  {
    flags: '--progress <how>',
    says: 'progress on stderr: auto (a bar on a terminal), json, or none',
    values: ['auto', 'json', 'none'],
  },
]

const MODES: readonly ProgressMode[] = ['auto', 'json', 'none']

/** The progress display that the options choose. */
export function progressFor(context: Context, options: OptionValues): Progress {
  const mode = MODES.find((each) => each === options.text('progress')) ?? 'auto'
  return makeProgress(context.output, mode, () => performance.now())
}

/** Longest name of a custom table that Log Analytics takes, and some. */
const MOST_TABLE_CHARS = 100
const SOURCE_NAME = /^[a-z0-9][a-z0-9_.-]{0,63}$/

/** Refuses a table that is not known and is no custom one. */
function checkTable(context: Context, options: OptionValues): void {
  const table = options.text('table')
  if (table === undefined) return
  if (options.text('source') !== undefined) {
    throw new UsageError('--source and --table say the same thing', 'give one of them')
  }
  const { names } = context.schema().tables
  if (names.has(table) || (isCustom(table) && table.length <= MOST_TABLE_CHARS)) return
  const near = suggest(table, names)
  throw new UsageError(
    `there is no table "${table}"`,
    near === undefined
      ? 'give the name of a table as Kusto writes it, or of a custom table, which ends in _CL'
      : `did you mean ${near}?`,
  )
}

/** The source that the options name, if any. */
export function sourceGiven(context: Context, options: OptionValues): string | undefined {
  const table = options.text('table')
  return table === undefined ? options.text('source') : sourceOfTable(context.schema(), table)
}

/** Refuses options of intake that cannot be meant, before anything is opened. */
export function checkIntake(context: Context, options: OptionValues): void {
  const source = options.text('source')
  checkTable(context, options)
  if (source === undefined) return
  if (!SOURCE_NAME.test(source)) {
    throw new UsageError(
      `"${source}" is no name of a source`,
      'use lower-case letters, digits, ".", "_" and "-", e.g. okta or linux.auth',
    )
  }
  if (isOwnSource(source)) {
    throw new UsageError(
      `"${source}" is a source that Harrier writes itself`,
      'give logs a source of another name, or none',
    )
  }
  const { sources } = context.schema()
  if (sources.has(source) || context.output.quiet) return
  const near = suggest(source, sources.keys())
  context.output.err.write(
    line`note: no rule reads a source "${source}"${near === undefined ? '' : `; did you mean ${near}?`}\n`,
  )
}

/** Reads logs into an open store. */
export async function readLogs(
  context: Context,
  opened: OpenStore,
  paths: readonly string[],
  options: OptionValues,
): Promise<IntakeReport> {
  const source = sourceGiven(context, options)
  const format = options.text('format')
  const bar = progressFor(context, options)
  try {
    return await ingest({
      paths,
      store: opened.store,
      workerPath: packagePath('dist/ingest-worker.js'),
      schemaFiles: context.schemaFiles(),
      now: context.now(),
      workers: Math.max(1, Math.min(8, availableParallelism())),
      signal: context.signal,
      recover: options.flag('recover'),
      onProgress: bar.intake,
      ...(format === undefined ? {} : { format }),
      ...(source === undefined ? {} : { source }),
    })
  } catch (error) {
    throw withSpace(error, opened.where)
  } finally {
    bar.end()
  }
}

/** With less than this the engine cannot write, whatever it says of it. */
const LEAST_SPACE = 4 * 1024 * 1024

/** The error of a write, told as a full disk where that is what it comes from. */
function withSpace(error: unknown, where: string): unknown {
  if (!(error instanceof EngineError) || !existsSync(where)) return error
  const { bavail, bsize } = statfsSync(where)
  return bavail * bsize >= LEAST_SPACE
    ? error
    : new EngineError(error.kind, `the disk is full: ${error.message}`, error.code)
}

/** How many events a store holds, and where it is. */
async function printStore(context: Context, { store, where }: OpenStore): Promise<void> {
  if (context.output.quiet) return
  const sources = [...ingested(await store.catalogue()).values()]
  const events = sources.reduce((sum, each) => sum + each.rows, 0)
  const what =
    events === 0
      ? 'no events yet'
      : `${counted(events, 'event')} in ${counted(sources.length, 'source')}`
  context.output.err.write(line`store ${where}: ${what}\n`)
}

/**
 * The store that a command works on. With logs and no store it is a temporary one; with a store named, logs are
 * added to it first; without either it is the default store, which must exist.
 */
export async function storeFor(
  context: Context,
  logs: readonly string[],
  options: OptionValues,
): Promise<{ readonly opened: OpenStore; readonly intake?: IntakeReport }> {
  const named = options.text('store')
  const opened =
    logs.length > 0 && named === undefined
      ? await openTemporaryStore(context)
      : await openNamedStore(context, named, logs.length === 0)
  try {
    if (logs.length > 0) {
      const intake = await readLogs(context, opened, logs, options)
      printIntake(context, intake, opened)
      return { opened, intake }
    }
    await printStore(context, opened)
    return { opened }
  } catch (error) {
    await opened.close()
    throw error
  }
}

/** True when something that was named could not be read, or nothing at all could. */
export function isShort(report: IntakeReport): boolean {
  const damaged = report.files.some((each) => each.damages > 0)
  return (
    report.files.length === 0 ||
    report.files.some((each) => each.error !== undefined) ||
    (report.received === 0 && damaged)
  )
}

/** Prints the report of an intake on stderr, unless only data and errors are wanted. */
export function printIntake(context: Context, report: IntakeReport, opened: OpenStore): void {
  const { err, quiet } = context.output
  if (quiet && !isShort(report)) return
  const { isTemporary, where } = opened
  const list = isTemporary
    ? `${context.program} ingest LOGS --store FOLDER --rejects`
    : `${context.program} ingest --rejects --store ${shellWord(where)}`
  err.write(intakeText(err, report, { list, isTemporary }))
}
