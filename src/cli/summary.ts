/**
 * What a run came to, in a few lines for a person: how many rules ran, fired, had no data, cannot fire or failed,
 * why, and what to do next. Takes the run report, gives safe text for stderr.
 */
import type { RuleOutcome, RuleState, RunReport } from '../detect/report.ts'
import { LEVELS, type Level, rankOf } from '../rules/rule.ts'
import { count, counted, duration } from './figures.ts'
import { levelText, paint, type Writer } from './terminal.ts'
import { line, safeCut, safeText } from './text.ts'
import { shellWord } from './usage.ts'

export interface RunTotals {
  readonly findings: number
  readonly rules: number
  readonly fired: number
  readonly quiet: number
  readonly no_data: number
  readonly cannot_fire: number
  readonly failed: number
  readonly scans: number
  readonly seconds: number
  readonly interrupted: boolean
  /** Findings by level, all levels present. */
  readonly levels: Readonly<Record<Level, number>>
}

/** The totals of a run, as `--json` prints them. */
export function totalsOf(report: RunReport): RunTotals {
  const states: Record<RuleState, number> = {
    fired: 0,
    quiet: 0,
    no_data: 0,
    cannot_fire: 0,
    failed: 0,
  }
  const levels: Record<Level, number> = {
    critical: 0,
    high: 0,
    medium: 0,
    low: 0,
    informational: 0,
  }
  for (const { state, rule, findings } of report.outcomes) {
    states[state]++
    levels[rule.level] += findings
  }
  return {
    findings: report.findings,
    rules: report.outcomes.length,
    ...states,
    scans: report.scans,
    seconds: report.seconds,
    interrupted: report.interrupted,
    levels,
  }
}

const REASONS_SHOWN = 5
const FAILED_SHOWN = 5

/** Reasons with how many rules each holds for, most rules first. */
export function reasonsOf(
  report: RunReport,
  state: RuleState,
  reasonOf: (outcome: RuleOutcome) => string,
): readonly (readonly [string, number])[] {
  const reasons = new Map<string, number>()
  for (const outcome of report.outcomes) {
    if (outcome.state !== state) continue
    const reason = reasonOf(outcome)
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  }
  return [...reasons].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
}

function listed(title: string, reasons: readonly (readonly [string, number])[]): string[] {
  if (reasons.length === 0) return []
  const lines = [`  ${title}`]
  for (const [reason, rules] of reasons.slice(0, REASONS_SHOWN)) {
    lines.push(`    ${safeCut(reason, 160)} (${counted(rules, 'rule')})`)
  }
  if (reasons.length > REASONS_SHOWN) {
    const rest = reasons.slice(REASONS_SHOWN).reduce((sum, [, rules]) => sum + rules, 0)
    lines.push(`    and ${count(reasons.length - REASONS_SHOWN)} more (${counted(rest, 'rule')})`)
  }
  return lines
}

/** The reason of an outcome in one line: its first error or else first diagnostic. */
export function reasonOf({ diagnostics }: RuleOutcome): string {
  const first = diagnostics.find((each) => each.severity === 'error') ?? diagnostics[0]
  return first === undefined ? 'no reason given' : `${first.code} ${first.message}`
}

/** What the caller already did and was given, so that the advice fits and can be copied. */
export interface Done {
  readonly html?: boolean
  /** What to type for the program. */
  readonly program?: string
  /** Rule paths as the user named them; none means the default ones. */
  readonly rulePaths?: readonly string[]
}

/** An id from a public rule is offered for copying only when no shell reads anything in it. */
const PLAIN_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

/** Advice on what to do with the result, most useful first; at most three lines. */
export function nextSteps(report: RunReport, done: Done = {}): readonly string[] {
  const { program = 'harrier', rulePaths = [] } = done
  const totals = totalsOf(report)
  const steps: string[] = []
  let top: RuleOutcome | undefined
  for (const outcome of report.outcomes) {
    if (outcome.state !== 'fired' || !PLAIN_ID.test(outcome.rule.id)) continue
    if (top === undefined || rankOf(outcome.rule.level) > rankOf(top.rule.level)) top = outcome
  }
  if (top !== undefined) {
    const where = rulePaths.map((path) => ` --rules ${shellWord(path)}`).join('')
    steps.push(`${program} explain ${top.rule.id}${where}   what this rule looks for`)
  }
  if (totals.fired > 0 && done.html !== true) {
    steps.push('add --html report.html   a report with the evidence, to keep or to share')
  }
  if (totals.rules > 0 && totals.no_data === totals.rules && !report.interrupted) {
    steps.push('none of the rules reads the kinds of logs that are stored: add logs or other rules')
  }
  return steps.slice(0, 3)
}

/** Failed rules: each with its file when there are few, then by reason. */
function failedLines(writer: Writer, report: RunReport): readonly string[] {
  const failed = report.outcomes.filter((each) => each.state === 'failed')
  const mark = paint(writer, 'bad', 'failed')
  if (failed.length > FAILED_SHOWN) {
    return listed(mark, reasonsOf(report, 'failed', reasonOf))
  }
  return failed.map(
    (each) =>
      `  ${mark} ${safeCut(each.rule.title, 60)} (${safeText(each.rule.file)}): ${safeCut(reasonOf(each), 300)}`,
  )
}

/** What a rule did not look at, or did not tell: it would pass for "nothing there" otherwise. */
const LEFT_OUT: ReadonlySet<string> = new Set(['HR372', 'HR374', 'HR375', 'HR701'])
const LEFT_OUT_SHOWN = 10

/** Rules that left matches or findings out. */
function cutLines(report: RunReport): readonly string[] {
  const all = report.outcomes.flatMap(({ rule, diagnostics }) =>
    diagnostics
      .filter((each) => LEFT_OUT.has(each.code))
      .map(({ code, message }) => `  ${safeCut(rule.title, 60)}: ${code} ${safeCut(message, 300)}`),
  )
  const more = all.length - LEFT_OUT_SHOWN
  const rest = more > 0 ? [`  and ${count(more)} more such lines; --json has them all`] : []
  return [...all.slice(0, LEFT_OUT_SHOWN), ...rest]
}

function rulesLine(totals: RunTotals): string {
  const rules = counted(totals.rules, 'rule')
  const fired = `${count(totals.fired)} fired`
  const ran = totals.fired + totals.quiet
  const rest =
    `${count(totals.no_data)} had no data, ${count(totals.cannot_fire)} cannot fire, ` +
    `${count(totals.failed)} failed`
  return totals.interrupted
    ? `  ${rules}: ${fired} so far, ${count(ran)} were to run in all, ${rest}`
    : `  ${rules}: ${count(ran)} ran (${fired}), ${rest}`
}

/** The summary of a run for stderr. Rules that had no data are counted by the log source they need. */
export function runSummary(writer: Writer, report: RunReport, done: Done = {}): string {
  const totals = totalsOf(report)
  const head =
    totals.findings === 0
      ? 'No findings'
      : `${counted(totals.findings, 'finding')} from ${counted(totals.fired, 'rule')}`
  const lines = [
    '',
    `${paint(writer, 'bold', head)} in ${duration(totals.seconds)}${totals.interrupted ? paint(writer, 'bad', ' (interrupted: the result is partial)') : ''}`,
  ]
  const byLevel = LEVELS.toReversed()
    .filter((level) => totals.levels[level] > 0)
    .map((level) => `${paint(writer, level, levelText(level))} ${count(totals.levels[level])}`)
  if (byLevel.length > 0) lines.push(`  ${byLevel.join('   ')}`)
  lines.push(rulesLine(totals), ...failedLines(writer, report), ...cutLines(report))
  if (!totals.interrupted) {
    lines.push(
      ...listed(
        'no data for',
        reasonsOf(report, 'no_data', (each) => each.rule.logsource),
      ),
      ...listed('cannot fire', reasonsOf(report, 'cannot_fire', reasonOf)),
    )
  }
  const steps = totals.interrupted ? [] : nextSteps(report, done)
  if (steps.length > 0) {
    lines.push('', 'Next', ...steps.map((step) => line`  ${step}`))
  }
  return `${lines.join('\n')}\n`
}
