/**
 * Overlays: what a user says of rules in files of their own, beside the settings and out of the way of pack updates. Takes
 * the text of a file, gives its documents; a file with a mistake gives none, because a rule must not run without its filter.
 */
import { readCron } from '../core/cron.ts'
import { type Diagnostic, hasErrors } from '../core/diagnostic.ts'
import { limits } from '../core/limits.ts'
import { OF_OVERLAYS, Section } from '../core/section.ts'
import { placesIn } from '../core/span.ts'
import { plainOf, readYaml, textOf, type YamlNode } from '../core/yaml.ts'
import {
  type FilterTest,
  LEVELS,
  type Level,
  type LocatedDiagnostic,
  located,
  type TunedSchedule,
  type Tuning,
} from './rule.ts'

/** A filter as it is written: text for searches and queries, a map for Sigma. */
export interface OverlayFilter {
  readonly node: YamlNode
  /** As explanations show it. */
  readonly written: string
  /** The overlay file with the line of the filter, for messages. */
  readonly where: string
  /** The text of the overlay file. */
  readonly source: string
}

/** One document of an overlay file. */
export interface Overlay {
  readonly file: string
  /** Ids and exact titles of the rules that it is for. */
  readonly rules: readonly string[]
  readonly place: LocatedDiagnostic['place']
  readonly enabled?: boolean
  readonly schedule?: TunedSchedule
  readonly level?: Level
  readonly riskScore?: number
  readonly suppress?: NonNullable<Tuning['suppress']>
  readonly mostFindings?: number
  readonly filter?: OverlayFilter
  readonly tests?: readonly FilterTest[]
  readonly reason?: string
  readonly author?: string
  readonly date?: string
}

export interface OverlayFile {
  readonly file: string
  readonly text: string
  readonly overlays: readonly Overlay[]
  readonly diagnostics: readonly LocatedDiagnostic[]
}

const MOST_RISK = 10_000
const LONGEST = 366 * 86_400_000

/** Known keys beside `rule`; a document of these alone is an overlay wherever it stands. */
const KEYS: ReadonlySet<string> = new Set(
  'rule enabled schedule level risk suppress most_findings filter tests reason author date'.split(
    ' ',
  ),
)

/** True for a text that is meant as overlays. */
export function isOverlayText(text: string): boolean {
  if (!/^rule[ \t]*:/m.test(text)) return false
  const { documents } = readYaml(text)
  return documents.some(
    (each) =>
      each.kind === 'map' &&
      each.entries.length > 1 &&
      each.entries.some(({ key }) => key === 'rule') &&
      each.entries.every(({ key }) => KEYS.has(key)),
  )
}

function lengthOf(section: Section, key: string, least: number): number | undefined {
  const value = section.duration(key)
  if (value === undefined || (value >= least && value <= LONGEST)) return value
  section.wrong(key, `from ${least / 1_000}s to 366d`)
  return undefined
}

function readSchedule(section: Section): TunedSchedule | undefined {
  if (section.node === undefined) return undefined
  const cron = section.text('cron')
  if (cron !== undefined) {
    const read = readCron(cron, 'UTC')
    if (typeof read === 'string') {
      section.wrong('cron', `five fields, such as */5 * * * *: ${read.slice(0, 200)}`)
    }
  }
  const every = lengthOf(section, 'every', 1_000)
  if (cron !== undefined && every !== undefined) section.wrong('every', 'left out beside cron')
  const lookback = lengthOf(section, 'lookback', 1_000)
  const delay = lengthOf(section, 'delay', 0)
  section.end()
  return {
    ...(cron === undefined ? {} : { cron }),
    ...(every === undefined ? {} : { every }),
    ...(lookback === undefined ? {} : { lookback }),
    ...(delay === undefined ? {} : { delay }),
  }
}

function readSuppress(section: Section): Tuning['suppress'] {
  if (section.node === undefined) return undefined
  const fields = section.texts('fields')
  const period = lengthOf(section, 'period', 1_000)
  if (period === undefined && section.child('period') === undefined) {
    section.wrong('period', 'a length of time, such as 24h', section.node.span)
  }
  section.end()
  return { fields: [...new Set(fields)], seconds: Math.round((period ?? 0) / 1_000) }
}

type InlineEvent = FilterTest['events'][number]

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Events that are written down: maps; a text is the name of a file beside the overlay. */
function readEvents(section: Section, key: string) {
  const node = section.child(key)
  const items = node === undefined ? [] : node.kind === 'list' ? node.items : [node]
  const files: string[] = []
  const events: InlineEvent[] = []
  for (const each of items) {
    const text = textOf(each)
    const value = plainOf(each)
    if (text !== undefined) files.push(text)
    else if (isRecord(value)) events.push(value)
    else section.wrong(key, 'an event as a map, or the name of a file', each.span)
  }
  if (items.length === 0) section.wrong(key, 'an event as a map, or the name of a file')
  return { files, events }
}

function readTest(section: Section, file: string, line: number): FilterTest | undefined {
  const isHidden = section.child('hides') !== undefined
  const isKept = section.child('keeps') !== undefined
  if (isHidden === isKept) {
    section.wrong('', 'a map with either `hides` or `keeps`', section.node?.span)
    return undefined
  }
  const { files, events } = readEvents(section, isKept ? 'keeps' : 'hides')
  const name = section.text('name') ?? `${isKept ? 'keeps' : 'hides'}, line ${line}`
  const words = ['format', 'source', 'table', 'sourcetype'] as const
  const from = Object.fromEntries(
    words.flatMap((key) => {
      const text = section.text(key)
      return text === undefined ? [] : [[key, text] as const]
    }),
  )
  section.end()
  return { ...from, keeps: isKept, name, file, line, files, events }
}

/** A filter must say something. */
function readFilter(section: Section, file: string, source: string, line: (at: number) => number) {
  const node = section.child('filter')
  if (node === undefined) return undefined
  const isEmpty =
    node.kind === 'scalar'
      ? node.text.trim() === ''
      : (node.kind === 'map' ? node.entries : node.items).length === 0
  if (isEmpty) section.wrong('filter', 'what is to be hidden, in the language of the rule')
  const { start, end } = node.span
  // The place of a value in brackets ends before they close.
  const closing = /^[[{]/.test(source.slice(start, start + 1))
    ? (/^['"]?\s*[}\]]{1,20}/.exec(source.slice(end, end + 200))?.[0] ?? '')
    : ''
  const written = node.kind === 'scalar' ? node.text : source.slice(start, end) + closing
  return { node, written: written.trim(), where: `${file}:${line(start)}`, source }
}

function readOverlay(
  node: YamlNode,
  file: string,
  source: string,
  tell: (each: Diagnostic) => void,
): Overlay {
  const placed = placesIn(source)
  const lineOf = (at: number): number => placed(at).line
  const root = new Section(node, '', tell, OF_OVERLAYS)
  const rules = root.texts('rule').map((each) => each.trim())
  if (rules.length === 0 || rules.some((each) => each === '')) {
    root.wrong('rule', 'the id or the exact title of a rule, or a list of such', node.span)
  }
  const enabled = root.flag('enabled')
  const schedule = readSchedule(root.section('schedule'))
  const level = root.word('level', LEVELS)
  const riskScore = root.number('risk', 0, MOST_RISK)
  const suppress = readSuppress(root.section('suppress'))
  const mostFindings = root.number('most_findings', 1, limits.findingsPerRule)
  const filter = readFilter(root, file, source, lineOf)
  const tests = root
    .sections('tests')
    .flatMap((each) => readTest(each, file, lineOf(each.node?.span.start ?? 0)) ?? [])
  if (tests.length > 0 && filter === undefined) root.wrong('tests', 'beside a filter')
  const words = {
    reason: root.text('reason'),
    author: root.text('author'),
    date: root.text('date'),
  }
  root.end()
  return {
    file,
    rules,
    place: placed(node.span.start),
    ...(enabled === undefined ? {} : { enabled }),
    ...(schedule === undefined ? {} : { schedule }),
    ...(level === undefined ? {} : { level }),
    ...(riskScore === undefined ? {} : { riskScore }),
    ...(suppress === undefined ? {} : { suppress }),
    ...(mostFindings === undefined ? {} : { mostFindings }),
    ...(filter === undefined ? {} : { filter }),
    ...(tests.length === 0 ? {} : { tests }),
    ...(words.reason === undefined ? {} : { reason: words.reason }),
    ...(words.author === undefined ? {} : { author: words.author }),
    ...(words.date === undefined ? {} : { date: words.date }),
  }
}

/** Reads an overlay file; it has no overlays when something in it is wrong. */
export function readOverlayFile(file: string, text: string): OverlayFile {
  const { documents, diagnostics: broken } = readYaml(text)
  const diagnostics: Diagnostic[] = [...broken]
  const overlays = documents
    .filter((each) => !(each.kind === 'scalar' && each.value === null))
    .map((each) => readOverlay(each, file, text, (diagnostic) => diagnostics.push(diagnostic)))
  const isWrong = hasErrors(diagnostics)
  return {
    file,
    text,
    overlays: isWrong ? [] : overlays,
    diagnostics: located(diagnostics, text),
  }
}
