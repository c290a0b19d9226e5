/** Charts of the HTML report as inline SVG, each with its numbers in a table. Takes counts, gives markup. */
import { LEVELS } from '../rules/rule.ts'
import { count } from './figures.ts'
import { html, type Markup } from './markup.ts'
import type { Bucket, Tally } from './tally.ts'

const WIDTH = 1_000
const HEIGHT = 150
const LEFT = 44
const TOP = 8
const FOOT = 22
const BUCKETS = 60
/** Smallest height of a bar, so that one critical finding among many others can be seen. */
const LEAST = 2

/** Start of a bucket as `2024-01-31 08:00`, or only the date when buckets are a day or wider. */
function bucketLabel(start: number, width: number): string {
  const date = new Date(start)
  if (Number.isNaN(date.getTime())) return ''
  const text = date.toISOString().replace('T', ' ')
  return width >= 86_400_000 ? text.slice(0, -14) : text.slice(0, -8)
}

function widthLabel(width: number): string {
  const minutes = Math.round(width / 60_000)
  if (minutes < 120) return `${minutes} min`
  if (minutes < 2 * 1440) return `${Math.round(minutes / 6) / 10} h`
  return `${Math.round(minutes / 144) / 10} days`
}

/** A number at or above the largest count that is easy to read: one digit, then noughts. */
function ceilingOf(most: number): number {
  let step = 1
  while (step * 10 < most) step *= 10
  return Math.ceil(most / step) * step
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, each) => total + each, 0)
}

function column({ counts }: Bucket, x: number, width: number, scale: number): Markup[] {
  const bars: Markup[] = []
  let base = TOP + HEIGHT
  for (let rank = LEVELS.length - 1; rank >= 0; rank--) {
    const found = counts[rank] ?? 0
    const level = LEVELS[rank]
    if (found === 0 || level === undefined) continue
    const height = Math.max(LEAST, found * scale)
    base -= height
    bars.push(
      html`<rect class="bar ${level}" x="${x.toFixed(1)}" y="${base.toFixed(1)}" width="${width.toFixed(1)}" height="${height.toFixed(1)}"/>`,
    )
  }
  return bars
}

function twin(buckets: readonly Bucket[], width: number): Markup {
  const rows = buckets
    .filter(({ counts }) => sum(counts) > 0)
    .map(
      ({ start, counts }) =>
        html`<tr><th scope="row" class="mono">${bucketLabel(start, width)}</th>${LEVELS.toReversed().map(
          (_, index) =>
            html`<td class="number">${count(counts[LEVELS.length - 1 - index] ?? 0)}</td>`,
        )}</tr>`,
    )
  return html`<details class="more"><summary>The same as a table</summary><div class="wide"><table>
<thead><tr><th scope="col">From (UTC)</th>${LEVELS.toReversed().map(
    (level) => html`<th scope="col" class="number">${level}</th>`,
  )}</tr></thead><tbody>${rows}</tbody></table></div></details>`
}

/** Findings over time, stacked by level with the most severe at the base; nothing when no finding is dated. */
export function timelineChart(tally: Tally): Markup | undefined {
  const { width, buckets } = tally.timeline(BUCKETS)
  const first = buckets[0]
  const last = buckets.at(-1)
  if (first === undefined || last === undefined) return undefined
  const most = Math.max(...buckets.map(({ counts }) => sum(counts)))
  const ceiling = ceilingOf(most)
  const step = (WIDTH - LEFT) / buckets.length
  const bar = Math.min(40, Math.max(2, step - 2))
  const bars = buckets.flatMap((bucket, index) =>
    column(bucket, LEFT + index * step + (step - bar) / 2, bar, (HEIGHT - 10) / ceiling),
  )
  const lineAt = (share: number): Markup => {
    const y = TOP + HEIGHT - share * (HEIGHT - 10)
    return html`<line class="grid" x1="${LEFT}" x2="${WIDTH}" y1="${y}" y2="${y}"/><text x="${LEFT - 8}" y="${y + 4}" text-anchor="end">${count(ceiling * share)}</text>`
  }
  const shares = ceiling % 2 === 0 ? [0, 0.5, 1] : [0, 1]
  const foot = TOP + HEIGHT + 15
  return html`<figure class="panel"><h3>Findings over time <span class="soft">(UTC, ${widthLabel(width)} a bar)</span></h3>
<svg viewBox="0 0 ${WIDTH} ${TOP + HEIGHT + FOOT}" role="img" aria-label="Findings over time, stacked by level; the table below has the numbers">
${shares.map(lineAt)}
${bars}
<text x="${LEFT}" y="${foot}">${bucketLabel(first.start, width)}</text><text x="${WIDTH}" y="${foot}" text-anchor="end">${bucketLabel(last.start + width, width)}</text>
</svg>${twin(buckets, width)}</figure>`
}

/** A bar for the share of a count in the largest one; the count itself stands beside it. */
export function shareBar(value: number, most: number): Markup {
  const width = most > 0 ? Math.max(1, Math.round((value / most) * 100)) : 0
  return html`<svg viewBox="0 0 100 8" preserveAspectRatio="none" height="8" aria-hidden="true"><rect class="rail" width="100" height="8"/><rect class="share" width="${width}" height="8"/></svg>`
}
