/**
 * The part of the HTML report about one rule that fired: what the rule says, the findings with their evidence, and
 * the rule's own text. Takes the outcome and what was kept, gives markup.
 */
import { limits } from '../core/limits.ts'
import type { RuleOutcome } from '../detect/report.ts'
import type { Level, RuleInfo } from '../rules/rule.ts'
import { evidenceLine } from './evidence.ts'
import { count, counted, shortTime } from './figures.ts'
import { hostsText } from './findings.ts'
import { html, lines, link, type Markup } from './markup.ts'
import type { Kept, RuleTally } from './tally.ts'
import { shapes } from './terminal.ts'

const SUMMARY_COLUMNS = 150
const TEXT_CHARS = 100_000
const LISTED = 40

/** Shape and word of a level. */
export function levelMark(level: Level): Markup {
  return html`<span class="level ${level}"><span class="shape" aria-hidden="true">${shapes[level]}</span>${level}</span>`
}

/** The address of a technique's page, from a tag such as `attack.t1059.001`; undefined for other tags. */
export function techniqueOf(
  tag: string,
): { readonly id: string; readonly address: string } | undefined {
  const match = /^attack\.(t\d{4})(?:\.(\d{3}))?$/i.exec(tag)
  if (!match) return undefined
  const [, technique = '', sub] = match
  const main = technique.toUpperCase()
  return {
    id: sub === undefined ? main : `${main}.${sub}`,
    address: `https://attack.mitre.org/techniques/${main}/${sub === undefined ? '' : `${sub}/`}`,
  }
}

function tagItem(tag: string): Markup {
  const technique = techniqueOf(tag)
  return html`<li>${technique === undefined ? html`${tag}` : link(technique.address, technique.id)}</li>`
}

function term(name: string, value: Markup | string): Markup {
  return value === '' ? html`` : html`<dt>${name}</dt><dd>${value}</dd>`
}

function listOf(values: readonly string[], show: (value: string) => Markup): Markup | string {
  if (values.length === 0) return ''
  const shown = values.slice(0, LISTED).map((value) => html`<div>${show(value)}</div>`)
  const rest = values.length - LISTED
  return html`${shown}${rest > 0 ? html`<div class="soft">and ${count(rest)} more</div>` : undefined}`
}

function about(rule: RuleInfo): Markup {
  const plain = (value: string): Markup => html`${value}`
  const tags =
    rule.tags.length === 0
      ? ''
      : html`<ul class="tags">${rule.tags.slice(0, LISTED).map(tagItem)}</ul>`
  return html`<dl class="about">
${term('Description', rule.description === '' ? '' : lines(rule.description))}
${term('Tags', tags)}
${term('Log source', rule.logsource)}
${term('False positives', listOf(rule.falsepositives, plain))}
${term('References', listOf(rule.references, link))}
${term('Author', rule.author)}
${term('Date', rule.date)}
${term('Status', rule.status)}
${term('Rule id', html`<span class="mono">${rule.id}</span>`)}
${term('File', html`<span class="mono">${rule.file}</span>`)}
</dl>`
}

function fieldRow({ name, values, isRead }: Kept['fields'][number]): Markup {
  const value =
    values.length === 0 ? html`<span class="soft">(no value)</span>` : lines(values.join('\n'))
  return html`<tr${isRead ? html` class="read"` : undefined}><th scope="row"><bdi>${name}</bdi></th><td class="value">${value}</td></tr>`
}

function resultRow(cells: readonly string[]): Markup {
  return html`<tr>${cells.map((each) => html`<td class="value">${lines(each)}</td>`)}</tr>`
}

/** What the alert of a rule says beside its event. */
function saidPart({ said }: Kept): Markup | undefined {
  if (said === undefined) return undefined
  const { title, description, entities, details, rows, columns, results } = said
  const entity = (text: string): Markup => html`<bdi>${text}</bdi>`
  const about = html`<dl class="about">${term('Alert', title)}
${term('Description', description === '' ? '' : lines(description))}
${term('Entities', listOf(entities, entity))}
${details.map(({ name, values }) => term(name, listOf(values, entity)))}
${term('Rows', rows === undefined ? '' : count(rows))}</dl>`
  if (results.length === 0) return about
  const rest = (rows ?? 0) - results.length
  return html`${about}<div class="wide"><table class="results"><caption>Rows of the run</caption><thead><tr>${columns.map((each) => html`<th scope="col"><bdi>${each}</bdi></th>`)}</tr></thead><tbody>${results.map(resultRow)}</tbody></table></div>${rest > 0 ? html`<p class="soft">and ${counted(rest, 'more row')}</p>` : undefined}
`
}

function findingItem(kept: Kept, isOpen: boolean): Markup {
  const more =
    kept.moreFields > 0
      ? html`<p class="soft">and ${counted(kept.moreFields, 'more field')}</p>`
      : undefined
  return html`<details class="finding"${isOpen ? html` open` : undefined}><summary><span class="when">${shortTime(kept.time)}</span> <bdi class="host">${kept.host === '' ? '(no host)' : kept.host}</bdi> <bdi class="mono soft">${kept.said?.title === undefined || kept.said.title === '' ? evidenceLine(kept.fields, SUMMARY_COLUMNS) : kept.said.title}</bdi></summary>
${saidPart(kept)}<table class="fields"><tbody>${kept.fields.map(fieldRow)}
<tr><th scope="row">from</th><td class="value">${kept.file === '' ? kept.source : `${kept.file}, record ${kept.record} (${kept.source})`}</td></tr>
<tr><th scope="row">finding id</th><td class="value">${kept.id}</td></tr></tbody></table>${more}</details>
`
}

function sourceText(text: string | undefined): Markup {
  if (text === undefined) return html``
  const isCut = text.length > TEXT_CHARS
  return html`<details class="source"><summary>Text of the rule</summary><pre>${lines(text.slice(0, TEXT_CHARS))}</pre>${isCut ? html`<p class="soft">The first ${count(TEXT_CHARS)} of ${count(text.length)} characters.</p>` : undefined}</details>`
}

export interface RuleSection {
  readonly tally: RuleTally
  /** Outcome of the rule; without it only the findings are shown. */
  readonly outcome: RuleOutcome | undefined
  readonly text: string | undefined
  readonly isOpen: boolean
}

/** The section of one rule. */
export function ruleSection({ tally, outcome, text, isOpen }: RuleSection): Markup {
  const hits = Math.max(tally.hits, outcome?.findings ?? 0)
  const kept = tally.kept.toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
  const shown =
    kept.length < hits
      ? html`<p class="soft">${count(kept.length)} of ${count(hits)} findings are shown (at most ${count(limits.reportFindingsPerRule)} a rule, ${count(limits.reportFindings)} in the report).</p>`
      : undefined
  const span =
    tally.first === tally.last
      ? shortTime(tally.first)
      : `${shortTime(tally.first)} – ${shortTime(tally.last)}`
  const hosts = tally.hasMoreHosts ? `${hostsText(tally)} hosts` : counted(tally.hosts.size, 'host')
  return html`<details class="rule ${tally.level}"${isOpen ? html` open` : undefined}><summary>${levelMark(tally.level)}<span class="title" dir="auto">${tally.title}</span><span class="facts">${counted(hits, 'hit')} · ${hosts} · ${span}</span></summary>
<div class="body">${outcome === undefined ? undefined : about(outcome.rule)}
<h4>Findings</h4>${shown}
${kept.map((each, index) => findingItem(each, isOpen && index === 0))}
${sourceText(text)}</div></details>
`
}
