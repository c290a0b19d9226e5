/** What `explain` says of a rule of Splunk content beside its search: when it runs, what a hit means, what was assumed. */
import type { NoteKind } from '../dialects/spl/answer.ts'
import type { SplPart } from '../rules/rule.ts'
import { counted } from './figures.ts'

/** A titled part of the page; one without text is not shown. */
export interface Section {
  readonly title: string
  readonly text: string
}

const lines = (all: readonly string[]): string => all.filter((each) => each !== '').join('\n')

function scheduleText({ schedule, throttling, type }: SplPart): string {
  const held =
    throttling === undefined
      ? ''
      : `the same ${throttling.fields.join(', ')} is told once in ${throttling.seconds} seconds`
  if (schedule === undefined) return lines(['none: it runs once over all events', held])
  const { cron, earliest, latest } = schedule
  const range = `events from ${earliest || 'the beginning'} to ${latest || 'now'}`
  return lines([
    `${cron}, ${range}`,
    'over logs of the past it runs once over all events; --at TIME runs it as its schedule does then',
    held,
    type === 'Baseline' ? 'a baseline: its rows are for other searches, not findings' : '',
  ])
}

function riskText({ hasRisk, riskMessage, riskObjects, columns, isEvents }: SplPart): string {
  const known = new Set(columns.map(({ name }) => name))
  const objects = riskObjects.map(({ field, type, score, message }) => {
    const lacks = isEvents || known.has(field) ? '' : ' - the search does not give it'
    const own = message === undefined || message === riskMessage ? '' : `: ${message}`
    return `${field}: ${type}, score ${score}${lacks}${own}`
  })
  if (riskMessage === '' && objects.length === 0) return ''
  return lines([
    riskMessage,
    ...objects,
    hasRisk ? '' : 'kept with each finding; a rule of this type adds to no risk',
  ])
}

function alertText({ notable, severity = 'informational', securityDomain, name }: SplPart): string {
  if (notable === undefined) return ''
  const { title, description } = notable
  return lines([
    `title: ${title.replace(/%name%/g, () => name)}`,
    description === '%description%' ? '' : `description: ${description}`,
    notable.fields.length === 0 ? '' : `fields shown first: ${notable.fields.join(', ')}`,
    `severity: ${severity}`,
    securityDomain === '' ? '' : `security domain: ${securityDomain}`,
  ])
}

function factText(part: SplPart): string {
  const facts: readonly (readonly [string, string])[] = [
    ['type', part.type ?? ''],
    ['version', part.version],
    ['made', part.date === part.modified ? '' : part.date],
    ['data sources', part.dataSources.join(', ')],
    ['stories', part.stories.join(', ')],
    ['asset', part.assetType],
    ['products', part.products.join(', ')],
    ['groups', part.groups.join(', ')],
  ]
  return lines(facts.map(([name, text]) => (text === '' ? '' : `${name}: ${text}`)))
}

/** What a search of a rule does that its text does not show, by kind. */
const NOTES: readonly (readonly [NoteKind, string])[] = [
  ['macro', 'Macros'],
  ['data model', 'Data models'],
  ['lookup', 'Lookups'],
  ['time', 'Times'],
  ['missing keys', 'Events that are not counted'],
  ['assumption', 'Assumptions'],
]

function noteSections({ notes }: SplPart): readonly Section[] {
  return NOTES.map(([kind, title]) => ({
    title,
    text: lines([...new Set(notes.flatMap((each) => (each.kind === kind ? [each.text] : [])))]),
  }))
}

/** The sections of a rule, in order. */
export function splSections(part: SplPart): readonly Section[] {
  const { columns, threatObjects, writes, drilldowns, tests, implementation } = part
  return [
    { title: 'About', text: factText(part) },
    ...noteSections(part),
    { title: 'Schedule', text: scheduleText(part) },
    { title: 'Columns', text: columns.map(({ name }) => name).join(', ') },
    { title: 'Risk', text: riskText(part) },
    {
      title: 'Evidence',
      text: lines(
        threatObjects.map(({ field, type }) => (type === '' ? field : `${field}: ${type}`)),
      ),
    },
    { title: 'Alert', text: alertText(part) },
    { title: 'Writes', text: lines(writes.map(({ kind, name }) => `${kind} ${name}`)) },
    {
      title: 'Drilldowns',
      text: lines(drilldowns.map(({ name, search }) => `${name}\n  ${search.trim()}`)),
    },
    { title: 'Tests', text: tests.length === 0 ? '' : counted(tests.length, 'published test') },
    { title: 'What it needs', text: implementation },
  ]
}
