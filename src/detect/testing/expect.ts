/** Whether findings are what a test expects, and in which words they are not. */
import type { EventFields, Finding } from '../finding.ts'
import type { Expected, ExpectedValues, Fires } from './cases.ts'

/** Values of findings that a reason shows beside the one that was expected. */
const MOST_SHOWN = 5
const MOST_CHARS = 120

/** `2`, `at least 1`, `1 to 3`, `none`. */
function firesText({ least, most }: Fires): string {
  if (most === undefined) return least === 0 ? 'any number' : `at least ${least}`
  if (least === most) return most === 0 ? 'none' : String(most)
  return least === 0 ? `at most ${most}` : `${least} to ${most}`
}

const shown = (text: string): string =>
  text.length <= MOST_CHARS ? text : `${text.slice(0, MOST_CHARS - 1)}…`

function listText(values: readonly string[]): string {
  const some = [...new Set(values)]
  const rest = some.length - MOST_SHOWN
  const first = some.slice(0, MOST_SHOWN).map((each) => `"${shown(each)}"`)
  return [...first, ...(rest > 0 ? [`${rest} more`] : [])].join(', ')
}

function fieldOf(event: EventFields, name: string): readonly string[] {
  if (!Object.hasOwn(event, name)) return []
  const value = event[name]
  return value === null || value === undefined ? [] : typeof value === 'string' ? [value] : value
}

/** The values of a name in a finding: what it surfaces, its event, and the rows that it stands for. */
function valuesIn({ details, event, results = [] }: Finding, name: string): readonly string[] {
  const surfaced =
    details !== undefined && Object.hasOwn(details, name) ? (details[name] ?? []) : []
  return [...surfaced, ...[event, ...results].flatMap((each) => fieldOf(each, name))]
}

type Facts = (name: string) => readonly string[]

/** Something that an expectation may be about, and how it is shown. */
interface Thing {
  readonly facts: Facts
  readonly text?: string
}

const textOfThing = (values: Readonly<Record<string, unknown>>): string =>
  Object.entries(values)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ')

/** The first name whose values are not all there; undefined when all are. An empty list stands for no value. */
function missingIn(expected: ExpectedValues, facts: Facts): string | undefined {
  for (const [name, wanted] of expected) {
    const found = facts(name)
    const isMet =
      wanted.length === 0 ? found.length === 0 : wanted.every((each) => found.includes(each))
    if (!isMet) return name
  }
  return undefined
}

function wantedText(expected: ExpectedValues): string {
  const parts = [...expected].map(([name, values]) => {
    return `${name} ${values.length === 0 ? 'without a value' : values.map((each) => `"${shown(each)}"`).join(' and ')}`
  })
  return parts.join(', ')
}

/** What a list of expectations lacks: each must be met by some thing of some finding. */
function lacking(
  what: string,
  expected: readonly ExpectedValues[],
  things: readonly Thing[],
): readonly string[] {
  return expected.flatMap((each) => {
    const missing = things.map(({ facts }) => missingIn(each, facts))
    if (missing.some((name) => name === undefined)) return []
    const [name = [...each.keys()][0] ?? ''] = missing
    const found = things.flatMap(({ facts }) => facts(name ?? ''))
    const all = things.flatMap(({ text }) => text ?? [])
    const instead =
      things.length === 0
        ? 'there is none'
        : all.length > 0
          ? `there is ${listText(all)}`
          : found.length === 0
            ? `nothing has a ${name}`
            : `${name} is ${listText(found)}`
    return [`${what} with ${wantedText(each)} expected; ${instead}`]
  })
}

const single = (value: string | number | undefined): readonly string[] =>
  value === undefined || value === '' ? [] : [String(value)]

interface AtStake {
  readonly field: string
  readonly value: string
  readonly type: string
  readonly score?: number
}

function atStake({ field, value, type, score }: AtStake): Thing {
  const facts = new Map<string, string | number | undefined>([
    ['object', value],
    ['type', type],
    ['field', field],
    ['score', score],
  ])
  return {
    facts: (name) => single(facts.get(name)),
    text: textOfThing(Object.fromEntries(facts)),
  }
}

function textLacks(
  what: string,
  wanted: string | undefined,
  found: readonly string[],
): readonly string[] {
  if (wanted === undefined || found.includes(wanted)) return []
  const instead = found.length === 0 ? 'there is none' : `it is ${listText(found)}`
  return [`the ${what} "${shown(wanted)}" expected; ${instead}`]
}

/** Why findings are not what is expected; empty when they are. `count` is that of all, of which some may be held. */
export function unmet(
  expected: Expected,
  findings: readonly Finding[],
  count: number,
): readonly string[] {
  const { least, most = Number.POSITIVE_INFINITY } = expected.fires
  const reasons: string[] = []
  if (count < least || count > most) {
    reasons.push(`expected ${firesText(expected.fires)}, found ${count === 0 ? 'none' : count}`)
  }
  if (count === 0) return reasons
  const messages = findings.flatMap(({ risk_message, risk = [] }) => [
    ...single(risk_message),
    ...risk.map((each) => each.message),
  ])
  const entities = findings.flatMap(({ entities: own = [] }) =>
    own.map(
      (entity): Thing => ({
        facts: (name) => (Object.hasOwn(entity, name) ? single(entity[name]) : []),
        text: textOfThing(entity),
      }),
    ),
  )
  return [
    ...reasons,
    ...textLacks(
      'title',
      expected.title,
      findings.map(({ title, rule_title }) => title ?? rule_title),
    ),
    ...textLacks(
      'level',
      expected.level,
      findings.map(({ level }) => level),
    ),
    ...textLacks(
      'host',
      expected.host,
      findings.map(({ host }) => host),
    ),
    ...textLacks('message', expected.message, messages),
    ...lacking(
      'a finding',
      expected.fields,
      findings.map((finding): Thing => ({ facts: (name) => valuesIn(finding, name) })),
    ),
    ...lacking('an entity', expected.entities, entities),
    ...lacking(
      'a risk',
      expected.risk,
      findings.flatMap(({ risk = [] }) => risk.map(atStake)),
    ),
    ...lacking(
      'a threat object',
      expected.threats,
      findings.flatMap(({ threat_objects = [] }) => threat_objects.map(atStake)),
    ),
  ]
}
