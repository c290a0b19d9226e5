/** Running rules for a command: options in, findings on stdout, a report file when asked, and a summary on stderr. */
import {
  accessSync,
  closeSync,
  constants,
  openSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { systemReason } from '../core/systemerror.ts'
import { printInstant } from '../core/time.ts'
import type { Finding } from '../detect/finding.ts'
import type { RunReport } from '../detect/report.ts'
import { runRules } from '../detect/run.ts'
import type { QueryOptions } from '../engine/engine.ts'
import type { IntakeReport } from '../ingest/report.ts'
import { type Level, type Rule, type RuleInfo, rankOf } from '../rules/rule.ts'
import type { OptionRecord, OptionValues } from './command.ts'
import type { Context, OpenStore } from './context.ts'
import { count, counted } from './figures.ts'
import { renderReport, reportTally } from './html.ts'
import { isShort, progressFor } from './intaking.ts'
import { Keeping, keeperFor } from './keeping.ts'
import { checkOutputs, chooseWriter } from './outputs.ts'
import { levelOption } from './rulesets.ts'
import { settingsFor } from './settings.ts'
import { runSummary } from './summary.ts'
import { line } from './text.ts'
import { atOf, boundsOf } from './times.ts'
import { EXIT, TroubleError, UsageError } from './usage.ts'
import { version } from './version.ts'

export const HTML_OPTION: OptionRecord = {
  flags: '--html <file>',
  says: 'also write a self-contained report, with the findings and the rules used',
}

export const WRITE_OPTION: OptionRecord = {
  flags: '--write-lookups',
  says: 'let searches write lookups (outputlookup) into the store; without it they only say that they would',
}

export const ENGINE_OPTIONS: readonly OptionRecord[] = [
  { flags: '--timeout <seconds>', says: 'the longest one scan may take (default 600)' },
  { flags: '--memory <megabytes>', says: 'the most memory one scan may take (default 4096)' },
]

function positive(options: OptionValues, name: string): number | undefined {
  const text = options.text(name)
  if (text === undefined) return undefined
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0) {
    throw new UsageError(`--${name} wants a number above 0, not "${text}"`)
  }
  return value
}

/** What the options let one scan or query take. */
export function engineLimits(options: OptionValues): Pick<QueryOptions, 'seconds' | 'memory'> {
  const seconds = positive(options, 'timeout')
  const megabytes = positive(options, 'memory')
  return {
    ...(seconds === undefined ? {} : { seconds }),
    ...(megabytes === undefined ? {} : { memory: megabytes * 1024 * 1024 }),
  }
}

/** Refuses a report that could not be written, before the work that would be lost. */
function checkReportPath(path: string): void {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat?.isDirectory() === true) throw new UsageError(`--html ${path}: it is a folder`)
  try {
    accessSync(stat === undefined ? dirname(path) : path, constants.W_OK)
  } catch (error) {
    throw new UsageError(`cannot write the report ${path}: ${systemReason(error)}`)
  }
}

/** Refuses options of a run that cannot be meant, before anything is opened. */
export function checkRun(context: Context, options: OptionValues): void {
  checkOutputs(options)
  boundsOf(options, context.now())
  atOf(options, context.now())
  engineLimits(options)
  const html = options.text('html')
  if (html !== undefined) checkReportPath(html)
}

/** Writes a report piece by piece; what was written of one that fails is removed. */
export function writeReport(path: string, pieces: Iterable<string>): void {
  try {
    const file = openSync(path, 'w')
    try {
      for (const piece of pieces) writeFileSync(file, piece)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    rmSync(path, { force: true })
    throw new TroubleError(`cannot write the report ${path}: ${systemReason(error)}`)
  }
}

/** One signal for several: aborts with the first of them. */
export function anyOf(signals: readonly AbortSignal[]): AbortSignal {
  const control = new AbortController()
  for (const signal of signals) {
    if (signal.aborted) control.abort()
    else signal.addEventListener('abort', () => control.abort(), { once: true })
  }
  return control.signal
}

export interface RunJob {
  readonly rules: readonly Rule[]
  /** Text of each rule file, for the report. */
  readonly texts: ReadonlyMap<string, string>
  readonly opened: OpenStore
  readonly intake?: IntakeReport | undefined
  readonly options: OptionValues
  /** Rule paths as the user named them, for advice that can be copied. */
  readonly rulePaths?: readonly string[]
}

/** Exit code of a run: a finding at the level of `--fail-on` first, then whatever is missing from the result. */
function exitOf(report: RunReport, highest: Level | undefined, job: RunJob): number {
  const failOn = levelOption(job.options, 'failOn')
  if (failOn !== undefined && highest !== undefined && rankOf(highest) >= rankOf(failOn)) {
    return EXIT.failOn
  }
  const isStopped = report.outcomes.some(
    ({ state, diagnostics }) =>
      state === 'failed' && diagnostics.some((each) => each.code === 'HR700'),
  )
  return isStopped || (job.intake !== undefined && isShort(job.intake)) ? EXIT.engine : EXIT.done
}

/** What keeps the findings of a run, where the options ask for it. */
function keepingFor(context: Context, { opened, options }: RunJob): Keeping | undefined {
  if (!options.flag('keep')) return undefined
  return new Keeping(keeperFor(context, settingsFor(context, options), opened))
}

/** What was kept, in a line. */
function keptText({ program }: Context, { kept, known, suppressed }: Keeping): string {
  const more = [
    ...(known === 0 ? [] : [`${count(known)} were kept before`]),
    ...(suppressed === 0 ? [] : [`${count(suppressed)} are held back`]),
  ]
  const said = [`kept ${counted(kept, 'finding')}`, ...more].join(', ')
  return line`${said}; \`${program} risk\` shows what is at risk\n`
}

/** Runs rules over an open store and prints findings as the options say; gives the exit code. */
export async function runAndPrint(context: Context, job: RunJob): Promise<number> {
  const { rules, opened, intake, options } = job
  const { output } = context
  const fields = new Map(rules.map((rule) => [rule.id, rule.fields]))
  const read = (rule: string): readonly string[] => fields.get(rule) ?? []
  const writer = chooseWriter(output, options, read)
  const htmlPath = options.text('html')
  const tally = htmlPath === undefined ? undefined : reportTally(read)
  const progress = progressFor(context, options)
  // When nobody reads the findings any more, the rest of the run is only worth its report and its exit code.
  const isAllWanted = tally !== undefined || options.text('failOn') !== undefined
  const signal = isAllWanted ? context.signal : anyOf([context.signal, output.gone])
  let highest: Level | undefined
  const keeping = keepingFor(context, job)
  const onFinding = async (finding: Finding, rule: Rule): Promise<void> => {
    if (highest === undefined || rankOf(finding.level) > rankOf(highest)) highest = finding.level
    tally?.add(finding)
    await keeping?.add(finding, rule)
    await writer.write(finding)
  }
  const at = atOf(options, context.now())
  let report: RunReport
  try {
    report = await runRules({
      rules,
      schema: context.schema(),
      store: opened.store,
      time: boundsOf(options, context.now()),
      ...(at === undefined ? {} : { at }),
      writesLookups: options.flag('writeLookups'),
      keepsQueries: keeping !== undefined,
      isUnthrottled: keeping !== undefined,
      onFinding,
      onProgress: progress.scans,
      query: { signal, ...engineLimits(options) },
    })
  } finally {
    progress.end()
  }
  await keeping?.flush((rule) => {
    const outcome = report.outcomes.find((each) => each.rule === rule)
    return outcome?.queries ?? []
  })
  await writer.end(report)
  if (tally !== undefined && htmlPath !== undefined) {
    const made = printInstant(context.now())
    const ruleText = (rule: RuleInfo): string | undefined => job.texts.get(rule.file)
    const input = { tally, run: report, ruleText, made, version: version() }
    writeReport(htmlPath, renderReport(intake === undefined ? input : { ...input, intake }))
  }
  if (!output.quiet && !output.gone.aborted) {
    const { program } = context
    const done = { html: htmlPath !== undefined, program, rulePaths: job.rulePaths ?? [] }
    output.err.write(runSummary(output.err, report, done))
    if (keeping !== undefined) output.err.write(keptText(context, keeping))
    if (htmlPath !== undefined) output.err.write(line`\nreport: ${htmlPath}\n`)
  }
  return exitOf(report, highest, job)
}
