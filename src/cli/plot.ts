/**
 * Charts of query results as inline SVG: lines, columns and pies, as `render` asks for them. Takes typed columns and
 * rows, gives markup, or nothing when the rows hold nothing to draw; the rows themselves stand in the table below.
 */
import { printReal, type ResultColumn, typeWord, type Value } from '../detect/values.ts'
import { html, type Markup } from './markup.ts'

const WIDTH = 1_000
const HEIGHT = 260
const LEFT = 64
const TOP = 10
const FOOT = 26
/** Series that are drawn; further ones would share colour and dash with others. */
const MOST_SERIES = 10
const MOST_POINTS = 2_000
const MOST_COLUMNS = 60
const MOST_SLICES = 9
const TONES = 5

type Kind = 'line' | 'column' | 'pie'

/** The charts of Kusto and what is drawn for each; others are shown as the table only. */
const KINDS: ReadonlyMap<string, Kind> = new Map([
  ['timechart', 'line'],
  ['linechart', 'line'],
  ['areachart', 'line'],
  ['stackedareachart', 'line'],
  ['anomalychart', 'line'],
  ['scatterchart', 'line'],
  ['timepivot', 'line'],
  ['barchart', 'column'],
  ['columnchart', 'column'],
  ['piechart', 'pie'],
])

/** True for a chart that is drawn. */
export function isDrawn(render: string): boolean {
  return KINDS.has(render.toLowerCase())
}

type Row = readonly Value[]

interface Point {
  /** Place on the axis, where the axis is one of times or numbers. */
  readonly x: number
  readonly label: string
  readonly y: number
}

interface Series {
  readonly name: string
  readonly points: Point[]
}

const isNumeric = ({ type }: ResultColumn): boolean =>
  ['int', 'long', 'real', 'decimal', 'timespan'].includes(typeWord(type))

function numberOf(value: Value | undefined): number | undefined {
  if (value === null || value === undefined || value === '' || typeof value === 'boolean') {
    return undefined
  }
  const number = Number(value)
  return Number.isFinite(number) ? number : undefined
}

const labelOf = (value: Value | undefined): string =>
  value === null || value === undefined
    ? '(none)'
    : typeof value === 'number'
      ? printReal(value)
      : String(value)

/** Place of a value on an axis of times or numbers. */
function placeOf(value: Value | undefined, isTime: boolean): number | undefined {
  if (!isTime) return numberOf(value)
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(time) ? undefined : time
}

function listOf(value: Value | undefined): readonly unknown[] | undefined {
  if (typeof value !== 'string' || !value.startsWith('[')) return undefined
  try {
    const list: unknown = JSON.parse(value)
    return Array.isArray(list) ? list : undefined
  } catch {
    return undefined
  }
}

const isDate = (value: unknown): boolean =>
  typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value)

/**
 * Rows whose columns hold lists of one length, as `make-series` gives them, as one row for each element: the list of
 * times, or the last list, is the axis.
 */
function unfolded(
  columns: readonly ResultColumn[],
  rows: readonly Row[],
): { readonly columns: readonly ResultColumn[]; readonly rows: readonly Row[] } {
  const [first] = rows
  const lists = columns.flatMap(({ type }, at) =>
    typeWord(type) === 'dynamic' && listOf(first?.[at]) !== undefined ? [at] : [],
  )
  if (lists.length < 2) return { columns, rows }
  const axis = lists.find((at) => isDate(listOf(first?.[at])?.[0])) ?? lists.at(-1)
  const others = [...columns.keys()].filter((at) => !lists.includes(at))
  const order = [
    ...(axis === undefined ? [] : [axis]),
    ...others,
    ...lists.filter((at) => at !== axis),
  ]
  const isTime = axis !== undefined && isDate(listOf(first?.[axis])?.[0])
  const made = rows.flatMap((row) => {
    const length = Math.min(MOST_POINTS, listOf(row[axis ?? 0])?.length ?? 0)
    return Array.from({ length }, (_, index) =>
      order.map((at): Value => {
        if (!lists.includes(at)) return row[at] ?? null
        const item = listOf(row[at])?.[index]
        return typeof item === 'number' || typeof item === 'string' ? item : null
      }),
    )
  })
  const described = order.map((at): ResultColumn => {
    const name = columns[at]?.name ?? ''
    if (!lists.includes(at)) return { name, type: columns[at]?.type ?? 'text' }
    return { name, type: at === axis && isTime ? 'time' : 'float' }
  })
  return { columns: described, rows: made }
}

interface Plot {
  readonly series: readonly Series[]
  readonly isTime: boolean
  /** Series that are not drawn. */
  readonly more: number
}

/** The axis is the first column of times, or else the first column; texts beside it part the numbers into series. */
function plotOf(columns: readonly ResultColumn[], rows: readonly Row[]): Plot {
  const time = columns.findIndex(({ type }) => typeWord(type) === 'datetime')
  const axis = time === -1 ? 0 : time
  const isTime = time !== -1
  const values = columns.flatMap((each, at) => (at !== axis && isNumeric(each) ? [at] : []))
  const parts = columns.flatMap((each, at) =>
    at !== axis && !isNumeric(each) && typeWord(each.type) !== 'datetime' ? [at] : [],
  )
  const series = new Map<string, Series>()
  rows.forEach((row, index) => {
    const x = placeOf(row[axis], isTime) ?? index
    for (const at of values) {
      const y = numberOf(row[at])
      if (y === undefined) continue
      const part = parts.map((each) => labelOf(row[each])).join(', ')
      const own = columns[at]?.name ?? ''
      const name = part === '' ? own : values.length === 1 ? part : `${part}: ${own}`
      const known = series.get(name) ?? { name, points: [] }
      series.set(name, known)
      if (known.points.length < MOST_POINTS) {
        known.points.push({ x, label: labelOf(row[axis]), y })
      }
    }
  })
  const all = [...series.values()]
  return {
    series: all.slice(0, MOST_SERIES),
    isTime,
    more: Math.max(0, all.length - MOST_SERIES),
  }
}

/** Bounds of an axis that are easy to read, with nought among them. */
function scaleOf(values: readonly number[]): { readonly low: number; readonly high: number } {
  let low = 0
  let high = 0
  for (const each of values) {
    low = Math.min(low, each)
    high = Math.max(high, each)
  }
  const size = Math.max(high, -low)
  if (size === 0) return { low: 0, high: 1 }
  const step = 10 ** Math.floor(Math.log10(size)) / 2
  return { low: Math.floor(low / step) * step, high: Math.ceil(high / step) * step }
}

const tone = (index: number): string => `tone${index % TONES}${index >= TONES ? ' second' : ''}`

function legend(names: readonly string[], more: number): Markup {
  const items = names.map(
    (name, index) =>
      html`<li><svg viewBox="0 0 24 10" aria-hidden="true" class="key ${tone(index)}"><line x1="0" x2="24" y1="5" y2="5"/></svg><bdi>${name}</bdi></li>`,
  )
  return html`<ul class="legend">${items}${more > 0 ? html`<li class="soft">and ${more} more, in the table only</li>` : undefined}</ul>`
}

function frame(
  { low, high }: { readonly low: number; readonly high: number },
  ends: readonly [string, string],
  marks: readonly Markup[],
  title: string,
): Markup {
  const yOf = (value: number): number => TOP + HEIGHT - ((value - low) / (high - low)) * HEIGHT
  const lines = [low, (low + high) / 2, high].map((value) => {
    const y = yOf(value).toFixed(1)
    return html`<line class="grid" x1="${LEFT}" x2="${WIDTH}" y1="${y}" y2="${y}"/><text x="${LEFT - 8}" y="${(yOf(value) + 4).toFixed(1)}" text-anchor="end">${printReal(Number(value.toPrecision(6)))}</text>`
  })
  const foot = TOP + HEIGHT + 18
  return html`<svg viewBox="0 0 ${WIDTH} ${TOP + HEIGHT + FOOT}" role="img" aria-label="${title}; the table below has the numbers">
${lines}
${marks}
<text x="${LEFT}" y="${foot}">${ends[0]}</text><text x="${WIDTH}" y="${foot}" text-anchor="end">${ends[1]}</text>
</svg>`
}

/** Text of an end of the axis: a time without what is nought, or the label as it is. */
const endLabel = (label: string): string =>
  label.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)\.\d{7}Z$/, '$1 $2').replace(/ 00:00:00$/, '')

function lineChart({ series, more }: Plot, title: string): Markup | undefined {
  const points = series.flatMap((each) => each.points)
  if (points.length === 0) return undefined
  const scale = scaleOf(points.map(({ y }) => y))
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  let ends: [string, string] = ['', '']
  for (const { x, label } of points) {
    if (x < least) [least, ends] = [x, [label, ends[1]]]
    if (x > most) [most, ends] = [x, [ends[0], label]]
  }
  const xOf = (x: number): number =>
    most === least
      ? (LEFT + WIDTH) / 2
      : LEFT + 4 + ((x - least) / (most - least)) * (WIDTH - LEFT - 8)
  const yOf = (y: number): number =>
    TOP + HEIGHT - ((y - scale.low) / (scale.high - scale.low)) * HEIGHT
  const marks = series.map(({ points }, index) => {
    const sorted = points.toSorted((a, b) => a.x - b.x)
    const path = sorted.map(({ x, y }) => `${xOf(x).toFixed(1)},${yOf(y).toFixed(1)}`).join(' ')
    const [only] = sorted
    return sorted.length === 1 && only !== undefined
      ? html`<circle class="dot ${tone(index)}" cx="${xOf(only.x).toFixed(1)}" cy="${yOf(only.y).toFixed(1)}" r="4"/>`
      : html`<polyline class="plot ${tone(index)}" points="${path}"/>`
  })
  const names = series.map(({ name }) => name)
  return html`${frame(scale, [endLabel(ends[0]), endLabel(ends[1])], marks, title)}${legend(names, more)}`
}

function columnChart({ series, more }: Plot, title: string): Markup | undefined {
  const labels = [...new Set(series.flatMap((each) => each.points.map(({ label }) => label)))]
  const shown = labels.slice(0, MOST_COLUMNS)
  if (shown.length === 0) return undefined
  const heights = series.map(
    ({ points }) => new Map(points.map(({ label, y }) => [label, y] as const)),
  )
  const scale = scaleOf(heights.flatMap((each) => [...each.values()]))
  const yOf = (y: number): number =>
    TOP + HEIGHT - ((y - scale.low) / (scale.high - scale.low)) * HEIGHT
  const step = (WIDTH - LEFT) / shown.length
  const width = Math.max(1, Math.min(48, (step - 4) / series.length))
  const marks = shown.flatMap((label, place) =>
    heights.flatMap((each, index) => {
      const y = each.get(label)
      if (y === undefined) return []
      const x = LEFT + place * step + (step - width * series.length) / 2 + index * width
      const [top, base] = [Math.min(yOf(y), yOf(0)), Math.max(yOf(y), yOf(0))]
      return [
        html`<rect class="fill ${tone(index)}" x="${x.toFixed(1)}" y="${top.toFixed(1)}" width="${width.toFixed(1)}" height="${Math.max(1, base - top).toFixed(1)}"><title>${label}: ${printReal(y)}</title></rect>`,
      ]
    }),
  )
  const ends = [
    endLabel(shown[0] ?? ''),
    shown.length > 1 ? endLabel(shown.at(-1) ?? '') : '',
  ] as const
  const rest = labels.length - shown.length
  const names = series.map(({ name }) => name)
  return html`${frame(scale, ends, marks, title)}${legend(names, more)}${rest > 0 ? html`<p class="soft">The first ${shown.length} of ${labels.length} columns.</p>` : undefined}`
}

function slicePath(from: number, to: number): string {
  const at = (share: number): string => {
    const angle = 2 * Math.PI * share - Math.PI / 2
    return `${(130 + 120 * Math.cos(angle)).toFixed(2)} ${(130 + 120 * Math.sin(angle)).toFixed(2)}`
  }
  return `M130 130 L${at(from)} A120 120 0 ${to - from > 0.5 ? 1 : 0} 1 ${at(to)} Z`
}

/** Shares of the first numbers by the labels of the axis; what is small is one slice. */
function pieChart({ series }: Plot, title: string): Markup | undefined {
  const points = series.flatMap(({ name, points }) =>
    points.map(({ label, y }) => ({ label: series.length > 1 ? name : label, y })),
  )
  const sorted = points.filter(({ y }) => y > 0).sort((a, b) => b.y - a.y)
  const rest = sorted.slice(MOST_SLICES).reduce((sum, { y }) => sum + y, 0)
  const slices = [
    ...sorted.slice(0, MOST_SLICES),
    ...(rest > 0 ? [{ label: 'others', y: rest }] : []),
  ]
  const total = slices.reduce((sum, { y }) => sum + y, 0)
  if (!(total > 0) || !Number.isFinite(total)) return undefined
  let from = 0
  const marks = slices.map(({ y }, index) => {
    const to = from + y / total
    // A slice that is the whole circle has no corner to be drawn from.
    const mark =
      slices.length === 1
        ? html`<circle class="fill ${tone(index)}" cx="130" cy="130" r="120"/>`
        : html`<path class="fill ${tone(index)}" d="${slicePath(from, to)}"/>`
    from = to
    return mark
  })
  const names = slices.map(({ label, y }) => `${label}: ${((100 * y) / total).toFixed(1)} %`)
  return html`<svg class="pie" viewBox="0 0 260 260" role="img" aria-label="${title}; the table below has the numbers">${marks}</svg>${legend(names, 0)}`
}

/** The chart that a query asks for, or nothing when it is none that is drawn, or there is nothing to draw. */
export function resultChart(
  render: string,
  columns: readonly ResultColumn[],
  rows: readonly Row[],
): Markup | undefined {
  const kind = KINDS.get(render.toLowerCase())
  if (kind === undefined || columns.length < 2 || rows.length === 0) return undefined
  const flat = unfolded(columns, rows)
  const plot = plotOf(flat.columns, flat.rows)
  if (kind === 'pie') return pieChart(plot, render)
  return kind === 'line' ? lineChart(plot, render) : columnChart(plot, render)
}
