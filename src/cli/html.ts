/**
 * The HTML report: one file that loads nothing, runs nothing, and can be mailed. Takes what a tally kept of the
 * findings with the reports of run and intake, gives the text of the page in pieces.
 */
import { createHash } from 'node:crypto'
import { limits } from '../core/limits.ts'
import type { RuleOutcome, RunReport } from '../detect/report.ts'
import type { IntakeReport } from '../ingest/report.ts'
import { LEVELS, type Level, type RuleInfo, rankOf } from '../rules/rule.ts'
import { shareBar, timelineChart } from './chart.ts'
import { bytes, count, counted, duration, shortTime } from './figures.ts'
import type { ReadFields } from './findings.ts'
import { equation, intakeHints, isTroubled } from './intake.ts'
import { html, link, type Markup, sheet } from './markup.ts'
import { levelMark, ruleSection, techniqueOf } from './section.ts'
import { reportStyle } from './style.ts'
import { type RunTotals, reasonOf, reasonsOf, totalsOf } from './summary.ts'
import { type RuleTally, Tally } from './tally.ts'

export interface ReportInput {
  /** The findings, taken in by the tally of `reportTally`. */
  readonly tally: Tally
  readonly run: RunReport
  readonly intake?: IntakeReport
  /** The text of a rule's file. */
  readonly ruleText: (rule: RuleInfo) => string | undefined
  /** When the report is made, ISO text. */
  readonly made: string
  /** Version of the product. */
  readonly version: string
}

/** The tally whose budgets fit the report; findings are added to it as the run gives them. */
export function reportTally(read: ReadFields = () => []): Tally {
  return new Tally({
    perRule: limits.reportFindingsPerRule,
    findings: limits.reportFindings,
    chars: limits.reportChars,
    read,
  })
}

const TOP_ROWS = 10
const REASON_ROWS = 50
const FILE_ROWS = 200

function policy(): string {
  const hash = createHash('sha256').update(reportStyle).digest('base64')
  return `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`
}

/** The beginning of a page that loads nothing and runs nothing. */
export function pageHead(title: string): Markup {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy()}">
<meta name="referrer" content="no-referrer"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${sheet(reportStyle)}</style></head>
<body>
`
}

function spanOf(rules: readonly RuleTally[]): string {
  let first = ''
  let last = ''
  for (const rule of rules) {
    if (first === '' || rule.first < first) first = rule.first
    if (rule.last > last) last = rule.last
  }
  if (first === '') return '–'
  return first === last ? shortTime(first) : `${shortTime(first)} – ${shortTime(last)}`
}

function header({ made, intake }: ReportInput, rules: readonly RuleTally[]): Markup {
  const logs =
    intake === undefined
      ? undefined
      : html`<dt>Logs</dt><dd>${counted(intake.files.length, 'file')}, ${counted(intake.received, 'event')}, ${bytes(intake.bytes)}</dd>`
  return html`<header><div><div class="brand">Harrier</div><h1>Detection report</h1></div>
<dl><dt>Made</dt><dd>${shortTime(made)} UTC</dd><dt>Events from</dt><dd>${spanOf(rules)}</dd>${logs}</dl></header>
`
}

function leadText(
  { tally, run }: ReportInput,
  totals: RunTotals,
  rules: readonly RuleTally[],
): Markup {
  const top = rules[0]
  const ran = totals.fired + totals.quiet
  if (top === undefined) {
    return html`<p class="lead">No rule fired. ${counted(ran, 'rule')} of ${count(totals.rules)} ran on these logs; ${count(totals.no_data)} had no data to read.</p>`
  }
  const hosts =
    tally.otherHostHits > 0
      ? `more than ${count(tally.hosts.size)} hosts`
      : counted(tally.hosts.size, 'host')
  return html`<p class="lead"><strong>${counted(run.findings, 'finding')}</strong> on ${hosts}, from ${count(totals.fired)} of the ${counted(ran, 'rule')} that ran. Most severe: ${levelMark(top.level)} <strong dir="auto">${top.title}</strong>.</p>`
}

function tiles(totals: RunTotals, rules: readonly RuleTally[]): Markup {
  const items = LEVELS.toReversed().map((level) => {
    const found = totals.levels[level]
    const fired = rules.filter((rule) => rule.level === level).length
    return html`<li class="${level}">${levelMark(level)}<span class="figure${found === 0 ? html` none` : undefined}">${count(found)}</span><span class="soft">${fired === 0 ? 'no rule fired' : `from ${counted(fired, 'rule')}`}</span></li>`
  })
  return html`<ul class="tiles" aria-label="Findings by level">${items}</ul>
`
}

function hostPanel(tally: Tally): Markup | undefined {
  const hosts = [...tally.hosts].sort(
    ([nameA, a], [nameB, b]) =>
      rankOf(b.level) - rankOf(a.level) || b.hits - a.hits || (nameA < nameB ? -1 : 1),
  )
  if (hosts.length === 0) return undefined
  const most = Math.max(...hosts.slice(0, TOP_ROWS).map(([, each]) => each.hits))
  const rows = hosts
    .slice(0, TOP_ROWS)
    .map(
      ([name, { hits, level, rules }]) =>
        html`<tr class="${level}"><th scope="row"><bdi>${name}</bdi></th><td>${levelMark(level)}</td><td class="number">${count(rules.size)}${rules.size >= limits.hostsPerRule ? '+' : ''}</td><td class="number">${count(hits)}</td><td class="share">${shareBar(hits, most)}</td></tr>`,
    )
  const rest = hosts.length - rows.length
  return html`<section class="panel"><div class="wide"><table><caption>Hosts</caption><thead><tr><th scope="col">Host</th><th scope="col">Most severe</th><th scope="col" class="number">Rules</th><th scope="col" class="number">Findings</th><td></td></tr></thead><tbody>${rows}</tbody></table></div>${rest > 0 ? html`<p class="soft">and ${counted(rest, 'more host')}${tally.otherHostHits > 0 ? ' and others' : ''}</p>` : undefined}</section>
`
}

interface Technique {
  readonly address: string
  rules: number
  hits: number
  level: Level
}

function techniquePanel(run: RunReport): Markup | undefined {
  const techniques = new Map<string, Technique>()
  for (const { rule, findings, state } of run.outcomes) {
    if (state !== 'fired') continue
    for (const tag of new Set(rule.tags)) {
      const technique = techniqueOf(tag)
      if (technique === undefined) continue
      const known = techniques.get(technique.id) ?? {
        address: technique.address,
        rules: 0,
        hits: 0,
        level: rule.level,
      }
      known.rules++
      known.hits += findings
      if (rankOf(rule.level) > rankOf(known.level)) known.level = rule.level
      techniques.set(technique.id, known)
    }
  }
  if (techniques.size === 0) return undefined
  const sorted = [...techniques].sort(
    ([idA, a], [idB, b]) =>
      rankOf(b.level) - rankOf(a.level) || b.hits - a.hits || (idA < idB ? -1 : 1),
  )
  const most = Math.max(...sorted.slice(0, TOP_ROWS).map(([, each]) => each.hits))
  const rows = sorted
    .slice(0, TOP_ROWS)
    .map(
      ([id, { address, rules, hits, level }]) =>
        html`<tr class="${level}"><th scope="row">${link(address, id)}</th><td>${levelMark(level)}</td><td class="number">${count(rules)}</td><td class="number">${count(hits)}</td><td class="share">${shareBar(hits, most)}</td></tr>`,
    )
  const rest = sorted.length - rows.length
  return html`<section class="panel"><div class="wide"><table><caption>ATT&amp;CK techniques named by the rules</caption><thead><tr><th scope="col">Technique</th><th scope="col">Most severe</th><th scope="col" class="number">Rules</th><th scope="col" class="number">Findings</th><td></td></tr></thead><tbody>${rows}</tbody></table></div>${rest > 0 ? html`<p class="soft">and ${count(rest)} more</p>` : undefined}</section>
`
}

function overview(input: ReportInput, totals: RunTotals, rules: readonly RuleTally[]): Markup {
  const { run, tally } = input
  const partial = run.interrupted
    ? html`<p class="notice"><strong>Partial result.</strong> The run was interrupted before all rules were done.</p>`
    : undefined
  const undated =
    tally.undated > 0
      ? html`<p class="soft">${counted(tally.undated, 'finding')} without a time that can be read.</p>`
      : undefined
  return html`<main>${partial}${leadText(input, totals, rules)}
${tiles(totals, rules)}${timelineChart(tally)}${undated}
<div class="panels">${hostPanel(tally)}${techniquePanel(run)}</div>
`
}

function filters(rules: readonly RuleTally[]): Markup {
  const present = LEVELS.toReversed().filter((level) => rules.some((rule) => rule.level === level))
  if (present.length < 2) return html``
  return html`<fieldset class="filters"><legend>Show</legend>${present.map(
    (level) =>
      html`<label class="${level}"><input type="checkbox" id="show-${level}" checked>${levelMark(level)}</label>`,
  )}</fieldset>
`
}

function reasonTable(
  title: string,
  column: string,
  reasons: readonly (readonly [string, number])[],
): Markup {
  if (reasons.length === 0) return html``
  const rows = reasons
    .slice(0, REASON_ROWS)
    .map(
      ([reason, rules]) => html`<tr><td>${reason}</td><td class="number">${count(rules)}</td></tr>`,
    )
  const rest = reasons.length - rows.length
  return html`<section class="panel"><div class="wide"><table><caption>${title}</caption><thead><tr><th scope="col">${column}</th><th scope="col" class="number">Rules</th></tr></thead><tbody>${rows}</tbody></table></div>${rest > 0 ? html`<p class="soft">and ${count(rest)} more</p>` : undefined}</section>
`
}

function failedTable(run: RunReport): Markup {
  const failed = run.outcomes.filter((each) => each.state === 'failed')
  if (failed.length === 0) return html``
  const rows = failed
    .slice(0, REASON_ROWS)
    .map(
      (each) =>
        html`<tr><th scope="row">${each.rule.title}<div class="soft mono">${each.rule.file}</div></th><td>${reasonOf(each)}</td></tr>`,
    )
  const rest = failed.length - rows.length
  return html`<section class="panel"><div class="wide"><table><caption>Failed</caption><thead><tr><th scope="col">Rule</th><th scope="col">Reason</th></tr></thead><tbody>${rows}</tbody></table></div>${rest > 0 ? html`<p class="soft">and ${count(rest)} more</p>` : undefined}</section>
`
}

function rulesUsed({ run }: ReportInput, totals: RunTotals): Markup {
  const rows: readonly (readonly [string, number, string])[] = [
    ['Fired', totals.fired, 'found at least one event'],
    ['Quiet', totals.quiet, 'ran on data and found nothing'],
    ['No data', totals.no_data, 'no log of the kind they read was stored'],
    ['Cannot fire', totals.cannot_fire, 'logs were there, but without the fields they need'],
    ['Failed', totals.failed, 'were stopped or refused by the engine'],
  ]
  return html`<h2>Rules used</h2>
<section class="panel"><div class="wide"><table><caption>${counted(totals.rules, 'rule')}, ${duration(run.seconds)}</caption><thead><tr><th scope="col">Outcome</th><th scope="col" class="number">Rules</th><th scope="col">Meaning</th></tr></thead><tbody>${rows.map(
    ([name, rules, says]) =>
      html`<tr><th scope="row">${name}</th><td class="number">${count(rules)}</td><td class="soft">${says}</td></tr>`,
  )}</tbody></table></div></section>
${failedTable(run)}<div class="panels">${reasonTable(
    'No data for',
    'Log source',
    reasonsOf(run, 'no_data', (each) => each.rule.logsource),
  )}${reasonTable('Cannot fire', 'Reason', reasonsOf(run, 'cannot_fire', reasonOf))}</div>
`
}

function intakeSection(intake: IntakeReport | undefined): Markup {
  if (intake === undefined) return html``
  const files = [
    ...intake.files.filter(isTroubled),
    ...intake.files.filter((each) => !isTroubled(each)),
  ]
  const rows = files.slice(0, FILE_ROWS).map((file) => {
    const notes = [
      ...(file.error === undefined ? [] : [file.error]),
      ...file.damage.slice(0, 3).map(({ place, code, reason }) => `${place}: ${code} ${reason}`),
    ]
    return html`<tr><th scope="row" class="mono">${file.file}${notes.map((note) => html`<div class="soft">${note}</div>`)}</th><td>${file.format ?? 'unknown'}</td><td class="number">${bytes(file.bytes)}</td><td class="number">${count(file.received)}</td><td class="number">${count(file.stored)}</td><td class="number">${count(file.repeated)}</td><td class="number">${count(file.rejected)}</td><td class="number">${count(file.damages)}</td></tr>`
  })
  const rest = files.length - rows.length
  return html`<h2>Logs</h2>
<section class="panel"><p>${equation(intake)}${intake.skipped > 0 ? `; ${counted(intake.skipped, 'file')} skipped` : ''}</p>${intakeHints(intake).map((hint) => html`<p class="soft">${hint}</p>`)}
<div class="wide"><table><thead><tr><th scope="col">File</th><th scope="col">Format</th><th scope="col" class="number">Size</th><th scope="col" class="number">Received</th><th scope="col" class="number">Stored</th><th scope="col" class="number">Already stored</th><th scope="col" class="number">Rejected</th><th scope="col" class="number">Damage</th></tr></thead><tbody>${rows}</tbody></table></div>${rest > 0 ? html`<p class="soft">and ${counted(rest, 'more file')}</p>` : undefined}</section>
`
}

/** The page, in pieces of one rule at most, so that a caller can write them as they come. */
export function* renderReport(input: ReportInput): Generator<string> {
  const totals = totalsOf(input.run)
  const rules = input.tally.ordered()
  const outcomes = new Map<string, RuleOutcome>(
    input.run.outcomes.map((outcome) => [outcome.rule.id, outcome]),
  )
  yield String(pageHead('Detection report'))
  yield String(header(input, rules))
  yield String(overview(input, totals, rules))
  if (rules.length > 0) yield String(html`<h2 id="findings">Findings</h2>\n${filters(rules)}`)
  let room: number = limits.reportChars
  for (const [index, tally] of rules.entries()) {
    const outcome = outcomes.get(tally.id)
    const text = outcome === undefined ? undefined : input.ruleText(outcome.rule)
    const hasRoom = text !== undefined && text.length <= room
    if (hasRoom) room -= text.length
    yield String(
      ruleSection({
        tally,
        outcome,
        text: hasRoom || text === undefined ? text : '(left out: the report is full; see the file)',
        isOpen: index === 0,
      }),
    )
  }
  yield String(rulesUsed(input, totals))
  yield String(intakeSection(input.intake))
  yield String(html`</main>
<footer>Made by Harrier ${input.version}. This file loads nothing from the network and contains no script. Times are UTC. Characters that control, hide or reorder text are shown as escapes.</footer>
</body></html>
`)
}
