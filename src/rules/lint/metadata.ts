/** What rules say of themselves: keys that are missing, dates that are none, limits of services, levels and scores. */
import type { Diagnostic } from '../../core/diagnostic.ts'
import { severityOfScores } from '../../dialects/spl/rule.ts'
import { LEVELS, type Rule, rankOf } from '../rule.ts'
import { found, type LintCheck, placeOfKey, type Subject } from './subject.ts'

/** True for a rule that is published as such: a query in a page or a file of its own says nothing of itself. */
function isPublished({ kusto, spl }: Rule): boolean {
  const form = kusto?.form ?? spl?.form ?? 'rule'
  return form !== 'query' && form !== 'search' && form !== 'savedsearch' && form !== 'page'
}

/** True for a key that has a value; one that cannot be read has a report of its own. */
function isWritten({ loaded, span }: Subject, key: string): boolean {
  const lines = loaded.text.slice(span.start, span.end).split('\n')
  const value = lines.find((line) => line.startsWith(`${key}:`))?.slice(key.length + 1) ?? ''
  return /^\s*(?!["']{2}|#|~|null\b)\S/.test(value)
}

function missing(subject: Subject): readonly Diagnostic[] {
  const { rule } = subject.loaded
  const { sigma, span } = subject
  const start = { start: span.start, end: span.start + 1 }
  const tell = (keys: readonly (readonly [string, string | undefined])[]) =>
    keys.flatMap(([key, value]) =>
      (value === undefined || value.trim() === '') && !isWritten(subject, key)
        ? [found('HR956', { key }, start)]
        : [],
    )
  if (sigma?.head !== undefined) {
    const { id, status, description, date, level, kind } = sigma.head
    const base: readonly (readonly [string, string | undefined])[] = [
      ['id', id],
      ['description', description],
      ['date', date],
    ]
    return tell(
      kind === 'filter' ? base.slice(0, 2) : [...base, ['status', status], ['level', level]],
    )
  }
  if (rule === undefined || !isPublished(rule)) return []
  const { kusto, spl } = rule
  if (kusto?.form === 'sentinel') {
    return tell([
      ['description', kusto.description],
      ['severity', kusto.severity],
    ])
  }
  if (spl?.form === 'detection') {
    const isDetection = spl.type !== 'Baseline' && spl.type !== 'Investigation'
    return tell([
      ['description', spl.description],
      ['date', spl.date],
      ['type', spl.type],
      ...(isDetection ? [['status', spl.status] as const] : []),
    ])
  }
  return []
}

function isDay(text: string): boolean {
  const [, year, month, day] = (/^(\d{4})-(\d\d)-(\d\d)$/.exec(text) ?? []).map(Number)
  if (year === undefined || month === undefined || day === undefined) return false
  const date = new Date(Date.UTC(year, month - 1, day))
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day
}

/** Dates of Splunk content; those of Sigma are checked when they are read. */
function dates(subject: Subject): readonly Diagnostic[] {
  const part = subject.loaded.rule?.spl
  if (part?.form !== 'detection' || part.date === '' || isDay(part.date)) return []
  const value = part.date.slice(0, 64)
  return [found('HR957', { value }, placeOfKey(subject, 'date', 'creation_date'))]
}

const DAY = 86_400_000
const HOUR = 3_600_000

/** What the service does not take although the query runs here. */
function serviceLimits(subject: Subject): readonly Diagnostic[] {
  const part = subject.loaded.rule?.kusto
  if (part?.form !== 'sentinel') return []
  const { queryFrequency: every, queryPeriod: back, kind } = part
  const reasons: (readonly [string, readonly string[]])[] = []
  const tell = (reason: string, ...keys: readonly string[]) => reasons.push([reason, keys])
  if (kind === 'Scheduled') {
    if (every !== undefined && every !== 0 && (every < 5 * 60_000 || every > 14 * DAY)) {
      tell('queryFrequency must lie between 5 minutes and 14 days', 'queryFrequency')
    }
    if (back !== undefined && (back < 5 * 60_000 || back > 14 * DAY)) {
      tell('queryPeriod must lie between 5 minutes and 14 days', 'queryPeriod')
    }
    if (back !== undefined && every !== undefined && back >= 2 * DAY && every < HOUR) {
      tell('a query that looks back two days or more runs at most once an hour', 'queryFrequency')
    }
  }
  if (part.entityMappings.length > 10) tell('it takes ten entity mappings', 'entityMappings')
  if (part.entityMappings.some((each) => each.fieldMappings.length > 3)) {
    tell('an entity takes three identifiers', 'entityMappings')
  }
  if (part.customDetails.length > 20) tell('it takes 20 custom details', 'customDetails')
  if (part.trigger.threshold < 0 || part.trigger.threshold > 10_000) {
    tell('triggerThreshold must lie between 0 and 10000', 'triggerThreshold')
  }
  return reasons.map(([reason, keys]) => found('HR982', { reason }, placeOfKey(subject, ...keys)))
}

/** A score may lie this many levels away from the level that it stands for. */
const APART = 3

function scores(subject: Subject): readonly Diagnostic[] {
  const { rule } = subject.loaded
  if (rule === undefined) return []
  const own = rule.spl?.riskObjects.map(({ score }) => score) ?? []
  const given = rule.tuning?.riskScore
  const all = given === undefined ? own : [given]
  if (all.length === 0) return []
  const most = Math.max(...all)
  const meant = LEVELS.find((each) => each === severityOfScores([most]))
  const isApart = meant !== undefined && Math.abs(rankOf(meant) - rankOf(rule.level)) >= APART
  const isNothing = most === 0 && rule.spl?.hasRisk === true
  if (!isApart && !isNothing) return []
  const span = placeOfKey(subject, 'risk_score', 'score', 'risk_objects', 'rba', 'level')
  return [found('HR970', { level: rule.level, score: most }, span)]
}

export const metadataChecks: readonly LintCheck[] = [
  {
    codes: ['HR956'],
    says: 'A rule says what it is: id, title, description, date, status and level, as its language has them.',
    check: missing,
  },
  { codes: ['HR957'], says: 'Dates are days of the calendar, as 2026-01-31.', check: dates },
  {
    codes: ['HR970'],
    says: 'The level of a rule and the risk that it adds do not contradict each other.',
    check: scores,
  },
  {
    codes: ['HR982'],
    says: "A Sentinel rule keeps to the service's limits on periods, mappings and details.",
    check: serviceLimits,
  },
]
