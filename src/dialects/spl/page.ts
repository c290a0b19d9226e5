/**
 * The page of a detection on the publisher's site, pasted as text: headings on lines of their own, tables with a bar
 * between their cells, and the search in numbered lines.
 */
import { contentId } from '../../core/contentid.ts'
import { diagnose } from '../../core/diagnostic.ts'
import { type Placing, placingBy, type Segment } from '../../core/placing.ts'
import type { Span } from '../../core/span.ts'
import { tokensOf } from './detection.ts'
import {
  PLAIN_RULE,
  type RiskObject,
  type SplDocument,
  type SplRule,
  type SplRuleType,
  severityOfScores,
  type ThreatObject,
  threatTypeOf,
} from './rule.ts'
import type { Macro } from './world.ts'

const TITLE = /^Detection:[ \t]{0,20}(\S[^\r\n]{0,300})$/m
const HEADINGS = new Set([
  'Description',
  'Search',
  'Data Source',
  'Macros Used',
  'Annotations',
  'Default Configuration',
  'Implementation',
  'Known False Positives',
  'Associated Analytic Story',
  'Risk Based Analytics (RBA)',
  'References',
  'Detection Testing',
])
const RISK_TYPES = /^(?:system|user|other)$/i

interface Line {
  readonly start: number
  readonly text: string
}

/** True for the text of a page: its title, and the heading of a search that begins with line 1. */
export function isPage(text: string): boolean {
  return TITLE.test(text) && /^Search[ \t]*\r?\n[ \t]{0,8}1/m.test(text)
}

/** The lines of the page by the heading that they stand below; those before the first are below ''. */
function sectionsOf(text: string): ReadonlyMap<string, readonly Line[]> {
  const sections = new Map<string, Line[]>()
  let open: Line[] = []
  sections.set('', open)
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf('\n', start)
    const end = found === -1 ? text.length : found
    const line = text.slice(start, end).replace(/\r$/, '')
    const heading = line.trim()
    if (HEADINGS.has(heading) && !sections.has(heading)) {
      open = []
      sections.set(heading, open)
    } else open.push({ start, text: line })
    start = end + 1
  }
  return sections
}

/** Whether a double-quoted string is open after a text, when one was or was not before it. */
function opens(text: string, isOpen: boolean): boolean {
  let open = isOpen
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') open = !open
  }
  return open
}

/**
 * The search of numbered lines. The page breaks lines before each bar, also within strings, where the break is none of
 * the search: there, what begins with a bar continues the line before.
 */
function readSearch(lines: readonly Line[]): { readonly search: string; readonly place: Placing } {
  let search = ''
  let isOpen = false
  let number = 1
  const segments: Segment[] = []
  for (const { start, text } of lines) {
    const margin = /^[ \t]{0,8}/.exec(text)?.[0].length ?? 0
    const mark = String(number)
    if (!text.startsWith(mark, margin)) break
    const from = margin + mark.length
    const line = text.slice(from)
    if (number > 1 && !(isOpen && line.startsWith('|'))) search += '\n'
    segments.push({ query: search.length, file: start + from })
    search += line
    isOpen = opens(line, isOpen)
    number++
  }
  return { search, place: placingBy(() => segments) }
}

/** The rows of a table: cells between bars, without the row of its titles and the rule below. */
function rowsOf(lines: readonly Line[]): readonly (readonly string[])[] {
  const rows = lines
    .filter(({ text }) => text.includes('|'))
    .map(({ text }) =>
      text
        .trim()
        .replace(/^\||\|$/g, '')
        .split('|')
        .map((each) => each.trim()),
    )
  const rule = rows.findIndex((cells) => cells.every((each) => /^:?-{2,}:?$|^$/.test(each)))
  return rows.slice(rule + 1)
}

const proseOf = (lines: readonly Line[] | undefined): string =>
  (lines ?? [])
    .map(({ text }) => text)
    .join('\n')
    .trim()

/** Macros of the table: all after the first bar is the definition; arguments are what stands between dollar signs. */
function readMacros(lines: readonly Line[]): readonly Macro[] {
  return lines.flatMap(({ text }) => {
    const found = /^\s{0,8}\|?\s{0,8}(\w{1,200})\s{0,8}\|(.*?)\|?\s{0,8}$/.exec(text)
    if (found === null) return []
    const [, name = '', value = ''] = found
    const definition = value.trim()
    if (definition === '' || (name === 'Name' && definition === 'Value')) return []
    return [{ name, args: tokensOf(definition), definition }]
  })
}

interface Risk {
  readonly message: string
  readonly objects: readonly RiskObject[]
  readonly threats: readonly ThreatObject[]
  readonly scores: readonly number[]
  /** True when the objects are those that the message names, because the page itself names none. */
  readonly isInferred?: boolean
}

const numberOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,3}$/.test(text) ? Number(text) : undefined

function readRisk(lines: readonly Line[]): Risk {
  const after = lines.findIndex(({ text }) => /^Risk Message:?\s*$/i.test(text.trim()))
  const message = after === -1 ? '' : (lines[after + 1]?.text.trim() ?? '')
  const rows = rowsOf(lines.slice(after === -1 ? 0 : after + 2))
  const objects: RiskObject[] = []
  const threats = new Map<string, ThreatObject>()
  for (const [field = '', type = '', score, names = ''] of rows) {
    const value = numberOf(score)
    if (!RISK_TYPES.test(type) || value === undefined) continue
    objects.push({ field, type: type.toLowerCase(), score: value })
    for (const name of names.split(/[,\s]+/)) {
      if (name !== '' && !/^(?:none|n\/a|-)$/i.test(name)) {
        threats.set(name, { field: name, type: threatTypeOf(name) })
      }
    }
  }
  if (objects.length > 0 || message !== '') {
    const scores = objects.map((each) => each.score)
    return { message, objects, threats: [...threats.values()], scores }
  }
  // The older page has the message in a table with one score, and names no objects: those of the message are meant.
  const [cells = []] = rows
  const at = cells.findIndex((each) => numberOf(each) !== undefined)
  const text = cells.slice(0, at).join(' | ')
  const score = numberOf(cells[at])
  const named = score === undefined ? [] : objectsNamed(text, score)
  const scores = score === undefined ? [] : [score]
  return { message: text, objects: named, threats: [], scores, isInferred: named.length > 0 }
}

/**
 * Fields that hold an asset or an identity, by their names
 * (https://docs.splunk.com/Documentation/ES/latest/Admin/Identitycorrelation).
 */
const OBJECT_TYPES: ReadonlyMap<string, string> = new Map([
  ...['dest', 'src', 'dvc', 'host', 'dest_ip', 'src_ip', 'dest_host', 'src_host', 'Computer'].map(
    (name) => [name, 'system'] as const,
  ),
  ...['user', 'src_user', 'dest_user', 'user_name'].map((name) => [name, 'user'] as const),
])

/** The lines of a section, as a place. */
const spanOf = (lines: readonly Line[]): Span => {
  const [first, last] = [lines[0], lines.at(-1)]
  return { start: first?.start ?? 0, end: (last?.start ?? 0) + (last?.text.length ?? 0) }
}

/** The assets and identities that a message names, as objects at risk. */
function objectsNamed(message: string, score: number): readonly RiskObject[] {
  return tokensOf(message).flatMap((field) => {
    const type = OBJECT_TYPES.get(field)
    return type === undefined ? [] : [{ field, type, score }]
  })
}

/** The type that makes what the page says is made of a hit. */
function typeOf(hasNotable: boolean, hasRisk: boolean): SplRuleType {
  if (hasNotable) return hasRisk ? 'TTP' : 'Correlation'
  return hasRisk ? 'Anomaly' : 'Hunting'
}

function readRule(
  text: string,
  sections: ReadonlyMap<string, readonly Line[]>,
  risk: Risk,
): SplRule {
  const section = (name: string): readonly Line[] => sections.get(name) ?? []
  const settings = new Map(
    rowsOf(section('Default Configuration')).map(([key = '', ...value]) => [
      key,
      value.join('|').trim(),
    ]),
  )
  const isYes = (key: string): boolean => /^(?:yes|true)$/i.test(settings.get(key) ?? '')
  const hasNotable = isYes('Creates Notable')
  const hasRisk = isYes('Creates Risk Event')
  const outside = [...sections].flatMap(([name, lines]) => (name === 'Search' ? [] : lines))
  const techniques = outside.flatMap(
    ({ text: line }) => /^[-*\s|]{0,8}(T\d{4}(?:\.\d{3})?)\b/.exec(line)?.[1] ?? [],
  )
  const cron = settings.get('Cron Schedule') ?? ''
  const footer = /\bVersion:\s{0,8}(\d{1,6})/.exec(text)?.[1] ?? ''
  return {
    ...PLAIN_RULE,
    form: 'page',
    name: TITLE.exec(text)?.[1]?.trim() ?? '',
    version: footer,
    ...(settings.size === 0 ? {} : { type: typeOf(hasNotable, hasRisk) }),
    description: proseOf(sections.get('Description')),
    dataSources: rowsOf(section('Data Source')).flatMap(([name = '']) =>
      name === '' || name.startsWith("'") ? [] : [name],
    ),
    implementation: proseOf(sections.get('Implementation')),
    falsePositives: proseOf(sections.get('Known False Positives')),
    references: section('References').flatMap(
      ({ text: line }) => /https?:\/\/\S{1,2000}/.exec(line)?.[0] ?? [],
    ),
    stories: section('Associated Analytic Story').flatMap(({ text: line }) => {
      const name = line.replace(/^[\s*-]+/, '').trim()
      return name === '' ? [] : [name]
    }),
    techniques: [...new Set(techniques)],
    severity: severityOfScores(risk.scores),
    riskMessage: risk.message,
    riskObjects: risk.objects,
    threatObjects: risk.threats,
    ...(cron === ''
      ? {}
      : {
          schedule: {
            cron,
            earliest: settings.get('Earliest Time') ?? '',
            latest: settings.get('Latest Time') ?? '',
            window: settings.get('Schedule Window') ?? '',
          },
        }),
    ...(hasNotable
      ? {
          notable: {
            title: settings.get('Rule Title') ?? '%name%',
            description: settings.get('Rule Description') ?? '%description%',
            fields: (settings.get('Notable Event Fields') ?? '')
              .split(/[,\s]+/)
              .filter((each) => each !== ''),
          },
        }
      : {}),
    hasRisk,
  }
}

/** Reads a page. */
export function readPage(text: string): SplDocument {
  const sections = sectionsOf(text)
  const lines = sections.get('Search') ?? []
  const { search, place } = readSearch(lines)
  const told = sections.get('Risk Based Analytics (RBA)') ?? []
  const risk = readRisk(told)
  const rule = readRule(text, sections, risk)
  const start = lines[0]?.start ?? 0
  const isEmpty = search.trim() === ''
  const fieldSpans = new Map<string, Span>()
  const names = rule.riskObjects.map(({ field, type }) => `${field} (${type})`).join(', ')
  const used = [
    ...tokensOf(rule.riskMessage),
    ...rule.riskObjects.map((each) => each.field),
    ...rule.threatObjects.map((each) => each.field),
  ]
  for (const name of used) {
    const line = told.find((each) => each.text.includes(name))
    if (line === undefined) continue
    const from = line.start + line.text.indexOf(name)
    fieldSpans.set(name, { start: from, end: from + name.length })
  }
  return {
    rule: { ...rule, id: contentId('spl', rule.name, search) },
    search,
    place,
    diagnostics: [
      ...(isEmpty ? [diagnose('HR550', { what: 'page' }, { start, end: start + 1 })] : []),
      ...(risk.isInferred === true
        ? [diagnose('HR560', { names: names.slice(0, 200) }, spanOf(told))]
        : []),
    ],
    span: { start: TITLE.exec(text)?.index ?? 0, end: text.length },
    macros: readMacros(sections.get('Macros Used') ?? []),
    fieldSpans,
  }
}
