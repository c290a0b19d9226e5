/** `harrier run`: logs in, rules over them, findings out. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { printInstant } from '../../core/time.ts'
import type { Finding } from '../../detect/finding.ts'
import type { RunReport } from '../../detect/report.ts'
import { runRules } from '../../detect/run.ts'
import type { IntakeReport } from '../../ingest/report.ts'
import { type Level, type Rule, type RuleInfo, rankOf } from '../../rules/rule.ts'
import type { CommandRecord, OptionRecord, OptionValues } from '../command.ts'
import type { Context, OpenStore } from '../context.ts'
import { renderReport, reportTally } from '../html.ts'
import { INTAKE_OPTIONS, printIntake, progressFor, STORE_OPTION, storeFor } from '../intaking.ts'
import { chooseWriter, OUTPUT_OPTIONS } from '../outputs.ts'
import { levelOption, RULE_OPTIONS, rulesFor, selectRules } from '../rulesets.ts'
import { runSummary } from '../summary.ts'
import { boundsOf, TIME_OPTIONS } from '../times.ts'
import { EXIT, UsageError } from '../usage.ts'
import { version } from '../version.ts'

const ENGINE_OPTIONS: readonly OptionRecord[] = [
  { flags: '--timeout <seconds>', says: 'the longest one scan may take (default 600)' },
  { flags: '--memory <megabytes>', says: 'the most memory one scan may take (default 4096)' },
]

function positive(options: OptionValues, name: string): number | undefined {
  const text = options.text(name)
  if (text === undefined) return undefined
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0)
    throw new UsageError(`--${name} wants a number above 0`)
  return value
}

function writeReport(path: string, pieces: Iterable<string>): void {
  let file: number
  try {
    file = openSync(path, 'w')
  } catch (error) {
    throw new UsageError(
      `cannot write the report: ${error instanceof Error ? error.message : path}`,
    )
  }
  try {
    for (const piece of pieces) writeSync(file, piece)
  } finally {
    closeSync(file)
  }
}

export interface RunResult {
  readonly report: RunReport
  /** Highest level among the findings. */
  readonly highest: Level | undefined
}

/** Runs rules over an open store and prints findings as the options say; shared by `run`, `query`, `start`. */
export async function runAndPrint(
  context: Context,
  job: {
    readonly rules: readonly Rule[]
    readonly texts: ReadonlyMap<string, string>
    readonly opened: OpenStore
    readonly intake?: IntakeReport
    readonly options: OptionValues
    readonly summary: boolean
  },
): Promise<RunResult> {
  const { rules, opened, intake, options } = job
  const { output } = context
  const fields = new Map(rules.map((rule) => [rule.id, rule.fields]))
  const read = (rule: string): readonly string[] => fields.get(rule) ?? []
  const writer = chooseWriter(output, options, read)
  const htmlPath = options.text('html')
  const tally = htmlPath === undefined ? undefined : reportTally(read)
  const progress = progressFor(context, options)
  const seconds = positive(options, 'timeout')
  const megabytes = positive(options, 'memory')
  let highest: Level | undefined
  const onFinding = async (finding: Finding): Promise<void> => {
    if (highest === undefined || rankOf(finding.level) > rankOf(highest)) highest = finding.level
    tally?.add(finding)
    await writer.write(finding)
  }
  let report: RunReport
  try {
    report = await runRules({
      rules,
      schema: context.schema(),
      store: opened.store,
      time: boundsOf(options, context.now()),
      onFinding,
      onProgress: progress.scans,
      query: {
        signal: context.signal,
        ...(seconds === undefined ? {} : { seconds }),
        ...(megabytes === undefined ? {} : { memory: megabytes * 1024 * 1024 }),
      },
    })
  } finally {
    progress.end()
  }
  await writer.end(report)
  if (tally !== undefined && htmlPath !== undefined) {
    const made = printInstant(context.now())
    const ruleText = (rule: RuleInfo): string | undefined => job.texts.get(rule.file)
    const input = { tally, run: report, ruleText, made, version: version() }
    writeReport(htmlPath, renderReport(intake === undefined ? input : { ...input, intake }))
  }
  if (job.summary && !output.quiet) {
    output.err.write(runSummary(output.err, report, { html: htmlPath !== undefined }))
  }
  return { report, highest }
}

/** The exit code of a run: 1 when a finding reaches the level of `--fail-on`. */
function exitOf(result: RunResult, options: OptionValues): number {
  const failOn = levelOption(options, 'failOn')
  if (failOn === undefined || result.highest === undefined) return EXIT.done
  return rankOf(result.highest) >= rankOf(failOn) ? EXIT.failOn : EXIT.done
}

async function act(
  context: Context,
  args: readonly string[],
  options: OptionValues,
): Promise<number> {
  const set = await rulesFor(context, options)
  const rules = selectRules(set, options)
  const { output } = context
  boundsOf(options, context.now())
  if (rules.length === 0) {
    throw new UsageError(
      'no runnable rule is selected',
      '`harrier rules check PATH` tells why each rule cannot run',
    )
  }
  const { opened, intake } = await storeFor(context, args, options)
  try {
    if (intake !== undefined) printIntake(context, intake)
    const refused = set.rules.length - set.rules.filter((each) => each.rule !== undefined).length
    if (refused > 0 && !output.quiet) {
      output.err.write(
        `${refused} of ${set.rules.length} rules cannot run; \`harrier rules check\` tells why\n`,
      )
    }
    const result = await runAndPrint(context, {
      rules,
      texts: set.texts,
      opened,
      ...(intake === undefined ? {} : { intake }),
      options,
      summary: true,
    })
    const unread = intake?.files.some((each) => each.error !== undefined) ?? false
    const code = exitOf(result, options)
    return code === EXIT.done && unread && intake?.received === 0 ? EXIT.engine : code
  } finally {
    await opened.close()
  }
}

export const run: CommandRecord = {
  name: 'run',
  says: 'run rules over logs, or over a store, and print the findings',
  args: '[logs...]',
  options: [
    ...RULE_OPTIONS,
    STORE_OPTION,
    ...TIME_OPTIONS,
    ...OUTPUT_OPTIONS,
    { flags: '--html <file>', says: 'also write a self-contained report' },
    { flags: '--fail-on <level>', says: 'exit with 1 when a finding has this level or above' },
    ...INTAKE_OPTIONS,
    ...ENGINE_OPTIONS,
  ],
  examples: [
    'harrier run logs/ --rules sigma/rules --min-level high',
    'harrier run Security.evtx --rules rules/ --jsonl | jq .rule_title',
    'harrier run --store case42 --from -7d --html report.html',
  ],
  act,
}
