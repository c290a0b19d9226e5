/** What holds findings of a rule back, as the rule, its overlay and the settings say it, and how equal ones are told. */

import type { Section } from '../../core/section.ts'
import { fitsPattern } from '../../core/stars.ts'
import { parseIso, printInstant } from '../../core/time.ts'
import type { Rule } from '../../rules/rule.ts'
import type { EventFields, Finding } from '../finding.ts'

/** Findings that are equal are told once in a period. */
export interface Throttling {
  /** Fields whose values make findings equal; none: all of the rule are. */
  readonly fields: readonly string[]
  readonly seconds: number
  /** Time counts from run to run: all that the first run finds is told, as Sentinel does when it stops a query. */
  readonly isByRun: boolean
}

/** The throttling that holds for a rule: the user's own, or else that of the rule. */
export function throttlingOf({ tuning, spl, kusto }: Rule): Throttling | undefined {
  const said = tuning?.suppress ?? spl?.throttling
  if (said !== undefined) return { ...said, isByRun: false }
  const own = kusto?.suppression
  return own?.enabled === true && own.duration !== undefined && own.duration > 0
    ? { fields: [], seconds: own.duration / 1_000, isByRun: true }
    : undefined
}

/** Longest value that a key keeps whole. */
const LONGEST = 256

function saidOf(
  { event, details = {}, host, risk = [] }: Pick<Finding, 'event' | 'details' | 'host' | 'risk'>,
  name: string,
): string | readonly string[] | null {
  if (Object.hasOwn(event, name)) return event[name] ?? null
  if (Object.hasOwn(details, name)) return details[name] ?? null
  if (name === 'host') return host
  // Searches over risk are throttled by the object, which not all of them give under this name.
  if (name === 'risk_object') return risk.map((each) => each.value)
  const low = name.toLowerCase()
  const near = Object.keys(event).find((each) => each.toLowerCase() === low)
  return near === undefined ? null : (event[near] ?? null)
}

/** The values that make a finding equal to others, as one text. */
export function groupOf(
  finding: Pick<Finding, 'event' | 'details' | 'host' | 'risk'>,
  fields: readonly string[],
): string {
  const short = (text: string): string => text.slice(0, LONGEST)
  const values = fields.map((name) => {
    const value = saidOf(finding, name)
    return value === null
      ? null
      : typeof value === 'string'
        ? short(value)
        : value.slice(0, 50).map(short)
  })
  return JSON.stringify(values)
}

/** Findings that the user does not want to be told of: those that fit, in a time. */
export interface Suppression {
  readonly name: string
  /** Pattern of id or title of the rule; absent: all rules. */
  readonly rule?: string
  /** Fields with patterns of which one must fit. */
  readonly where: readonly (readonly [field: string, patterns: readonly string[]])[]
  /** ISO 8601 UTC, of the finding. */
  readonly from?: string
  readonly to?: string
  readonly reason?: string
}

const MOST = 500

function timeOf(section: Section, key: string): string | undefined {
  const text = section.text(key)
  if (text === undefined) return undefined
  const time = parseIso(text)
  if (time !== undefined) return printInstant(time)
  section.wrong(key, 'a time such as 2026-01-31 or 2026-01-31T08:00:00Z')
  return undefined
}

function readOne(section: Section): Suppression {
  const where = section.section('where')
  const keys = where.node?.kind === 'map' ? where.node.entries.map(({ key }) => key) : []
  const name = section.text('name')
  const rule = section.text('rule')
  const reason = section.text('reason')
  const [from, to] = [timeOf(section, 'from'), timeOf(section, 'to')]
  if (name === undefined || name === '') section.wrong('name', 'a text')
  if (keys.length === 0 && rule === undefined) {
    section.wrong('where', 'a map of fields and their values, where no rule is named')
  }
  const read = {
    name: name ?? '',
    ...(rule === undefined ? {} : { rule }),
    where: keys.map((key) => [key, where.texts(key)] as const),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(reason === undefined ? {} : { reason }),
  }
  section.end()
  return read
}

/** Reads the list `suppress` of the settings. */
export function readSuppressions(root: Section): readonly Suppression[] {
  const all = root.sections('suppress')
  if (all.length > MOST) root.wrong('suppress', `a list of at most ${MOST} suppressions`)
  return all.slice(0, MOST).map(readOne)
}

/** The first suppression that a finding fits; the order is that of the settings. */
export function suppressedBy(
  finding: Finding,
  suppressions: readonly Suppression[],
  facts: EventFields = {},
): Suppression | undefined {
  const ms = Date.parse(finding.time)
  return suppressions.find(({ rule, where, from, to }) => {
    if (rule !== undefined) {
      const isRule = [finding.rule_id, finding.rule_title].some((each) => fitsPattern(rule, each))
      if (!isRule) return false
    }
    if (from !== undefined && ms < Date.parse(from)) return false
    if (to !== undefined && ms >= Date.parse(to)) return false
    return where.every(([name, patterns]) => {
      const own = saidOf(finding, name)
      const value = own ?? (Object.hasOwn(facts, name) ? (facts[name] ?? null) : null)
      const values = value === null ? [] : typeof value === 'string' ? [value] : value
      return values.some((each) => patterns.some((pattern) => fitsPattern(pattern, each)))
    })
  })
}
