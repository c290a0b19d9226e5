/**
 * The HTML report of queries: each query with its text, its chart where it asks for one, and its rows as a table. Takes
 * what a tally kept of the rows, gives the text of the page in pieces.
 */
import { limits } from '../core/limits.ts'
import type { ResultColumn, Value } from '../detect/values.ts'
import { count, counted, shortTime } from './figures.ts'
import { pageHead } from './html.ts'
import { html, lines, type Markup } from './markup.ts'
import { resultChart } from './plot.ts'
import type { Printing } from './printing.ts'

interface ResultStart {
  readonly columns: readonly ResultColumn[]
  readonly render: string | undefined
  readonly printing: Printing
  /** The query's own text. */
  readonly text: string
}

interface Kept extends ResultStart {
  readonly rows: (readonly Value[])[]
  total: number
}

function sizeOf(row: readonly Value[]): number {
  return row.reduce<number>((sum, each) => sum + (typeof each === 'string' ? each.length : 8), 0)
}

/** Rows of queries for the report, as many as its budgets hold; all are counted. */
export class ResultTally {
  readonly results: Kept[] = []
  #chars = 0

  begin(start: ResultStart): void {
    this.results.push({ ...start, rows: [], total: 0 })
  }

  add(row: readonly Value[]): void {
    const result = this.results.at(-1)
    if (result === undefined) return
    result.total++
    const size = sizeOf(row)
    if (result.rows.length >= limits.reportFindings || this.#chars + size > limits.reportChars) {
      return
    }
    this.#chars += size
    result.rows.push(row)
  }
}

function cell(value: Value, column: ResultColumn, printing: Printing): Markup {
  const text = printing.text(value, column)
  const shown = text.slice(0, limits.reportValueChars)
  const rest = text.length - shown.length
  const more =
    rest > 0 ? html`<span class="soft"> and ${counted(rest, 'more character')}</span>` : undefined
  return html`<td class="${printing.isNumber(column) ? 'number' : 'value'}">${lines(shown)}${more}</td>`
}

function* table({ columns, rows, total, printing }: Kept): Generator<Markup> {
  yield html`<div class="wide"><table><thead><tr>${columns.map(
    ({ name, type }) =>
      html`<th scope="col"><bdi>${name}</bdi><div class="soft">${printing.typeWord(type)}</div></th>`,
  )}</tr></thead><tbody>`
  for (const row of rows) {
    const cells = columns.map((column, at) => cell(row[at] ?? null, column, printing))
    yield html`<tr>${cells}</tr>\n`
  }
  const rest = total - rows.length
  yield html`</tbody></table></div>${rest > 0 ? html`<p class="soft">and ${counted(rest, 'more row')}; the command line prints all</p>` : undefined}`
}

export interface ResultPage {
  readonly tally: ResultTally
  /** When the report is made, ISO text. */
  readonly made: string
  readonly version: string
  readonly isInterrupted: boolean
}

/** The page, in pieces of one row at most. */
export function* renderResultPage(page: ResultPage): Generator<string> {
  const { results } = page.tally
  yield String(pageHead('Query results'))
  yield String(html`<header><div><div class="brand">Harrier</div><h1>Query results</h1></div>
<dl><dt>Made</dt><dd>${shortTime(page.made)} UTC</dd></dl></header>
<main>${page.isInterrupted ? html`<p class="notice"><strong>Partial result.</strong> The run was interrupted before all rows were read.</p>` : undefined}`)
  for (const [index, result] of results.entries()) {
    const title = results.length === 1 ? 'Result' : `Result ${index + 1}`
    yield String(html`<h2>${title} <span class="soft">${count(result.total)} ${result.total === 1 ? 'row' : 'rows'}</span></h2>
<section class="panel"><pre>${lines(result.text.trim())}</pre></section>
`)
    if (result.render !== undefined) {
      const chart = resultChart(result.render, result.columns, result.rows)
      if (chart !== undefined) yield String(html`<figure class="panel">${chart}</figure>\n`)
    }
    yield '<section class="panel">'
    for (const piece of table(result)) yield String(piece)
    yield '</section>\n'
  }
  yield String(html`</main>
<footer>Made by Harrier ${page.version}. This file loads nothing from the network and contains no script. Times are UTC. Characters that control, hide or reorder text are shown as escapes.</footer>
</body></html>
`)
}
