/** When rules run and what they look at: gaps, overlaps, schedules that never run, suppression that hides too much. */

import { type Cron, readCron } from '../../core/cron.ts'
import type { Diagnostic } from '../../core/diagnostic.ts'
import { lengthText, millisecondsOf } from '../../core/length.ts'
import { boundOf } from '../../functions/timemodifier.ts'
import { codeOf } from './code.ts'
import { found, type LintCheck, placeOfKey, placeOfText, type Subject, shown } from './subject.ts'

/** Runs that are looked at for the distance between them. */
const RUNS = 60

/** The longest distance between runs of an expression that follow each other, and the first run. */
function apartOf(cron: Cron): { readonly first: number; readonly apart: number } | undefined {
  // A day in the middle of a week of no change of the clocks.
  let at = cron.next(Date.UTC(2026, 0, 13))
  const first = at
  let apart = 0
  for (let run = 0; run < RUNS && at !== undefined; run++) {
    const next = cron.next(at)
    if (next !== undefined) apart = Math.max(apart, next - at)
    at = next
  }
  return first === undefined || apart === 0 ? undefined : { first, apart }
}

function ofCron(
  subject: Subject,
  text: string,
  bounds: { readonly earliest: string; readonly latest: string },
  span = placeOfKey(subject, 'cron_schedule', 'cron', 'cronSchedule', 'scheduling'),
): readonly Diagnostic[] {
  const cron = readCron(text, 'UTC')
  if (typeof cron === 'string') {
    return [found('HR967', { reason: `"${shown(text)}" is no schedule: ${cron}` }, span)]
  }
  const runs = apartOf(cron)
  if (runs === undefined) {
    return [found('HR967', { reason: `"${shown(text)}" names no time that comes` }, span)]
  }
  const { first, apart } = runs
  const from = boundOf(bounds.earliest, first)
  const latest = bounds.latest.trim()
  const to = latest === '' ? first : boundOf(latest, first)
  if (typeof from !== 'number' || typeof to !== 'number') return []
  const length = Math.min(to, first) - from
  const params = { apart: lengthText(apart), length: lengthText(Math.max(0, length)) }
  if (length <= 0) {
    const reason = `the time range from ${bounds.earliest} to ${latest || 'now'} is empty`
    return [found('HR960', { reason }, placeOfText(subject, bounds.earliest))]
  }
  if (length < apart) return [found('HR964', params, span)]
  const { rule } = subject.loaded
  // A little more than the distance is for events that come late; twice as much finds everything twice.
  const isHeld = (rule?.spl?.throttling ?? rule?.tuning?.suppress) !== undefined
  return length >= 2 * apart && !isHeld ? [found('HR965', params, span)] : []
}

function splTimes(subject: Subject): readonly Diagnostic[] {
  const { rule } = subject.loaded
  const schedule = rule?.spl?.schedule
  const tuned = rule?.tuning?.schedule
  if (schedule === undefined || schedule.cron === '' || tuned !== undefined) return []
  // A baseline sums up a long time again and again; it finds nothing itself.
  if (rule?.spl?.type === 'Baseline') return []
  return ofCron(subject, schedule.cron, schedule)
}

const TIME = String.raw`(\d{1,6})(d(?:ays?)?|h(?:ours?)?|m(?:in(?:utes?)?)?|s(?:ec(?:onds?)?)?)`
const LET_TIME = new RegExp(String.raw`\blet\s+(\w+)\s*=\s*${TIME}\s*;`, 'g')
/** A call of `ago`, with the name that is compared with it where there is one. */
const AGO = new RegExp(
  String.raw`(?:\b(\w+)\s*(?:[<>]=?|between\s*\()\s*)?\bago\(\s*(?:${TIME}|(\w+))\s*\)`,
  'g',
)
/** Columns of other times (of an account, a password) are no times of events. */
const EVENT_TIMES: ReadonlySet<string> = new Set(['TimeGenerated', 'Timestamp'])

/** How far a query reaches back by its own words, in milliseconds; comments and texts say nothing. */
function longestAgo(query: string): { readonly ms: number; readonly text: string } | undefined {
  const code = codeOf(query, true)
  const timeOf = (size = '', unit = '') => ({
    ms: millisecondsOf(`${size}${unit.charAt(0)}`) ?? 0,
    text: `${size}${unit}`,
  })
  const lets = new Map(
    [...code.matchAll(LET_TIME)].map(([, name = '', size, unit]) => [name, timeOf(size, unit)]),
  )
  const all = [...code.matchAll(AGO)].flatMap(([, compared, size, unit, name = '']) => {
    if (compared !== undefined && !EVENT_TIMES.has(compared)) return []
    return size === undefined ? (lets.get(name) ?? []) : [timeOf(size, unit)]
  })
  return all.sort((a, b) => b.ms - a.ms)[0]
}

function kustoTimes(subject: Subject): readonly Diagnostic[] {
  const { rule } = subject.loaded
  const part = rule?.kusto
  if (rule === undefined || part === undefined || rule.tuning?.schedule !== undefined) return []
  const { queryFrequency: every, queryPeriod: back, aggregationKind, suppression } = part
  if (every === undefined || back === undefined || every === 0) return []
  const query = rule.stages[0]?.text ?? ''
  const ago = longestAgo(query)
  const problems: Diagnostic[] = []
  if (ago !== undefined && ago.ms > back) {
    const params = { ago: ago.text, period: lengthText(back) }
    problems.push(found('HR966', params, placeOfText(subject, ago.text)))
  }
  const isHeld = suppression?.enabled === true || rule.tuning?.suppress !== undefined
  // Queries that compare the last part with what was before say so themselves.
  const isNarrowed = /\bago\(|\bingestion_time\(|\bnow\(|\bmake-series\b|\bbin\(/.test(query)
  if (back > every && aggregationKind === 'AlertPerResult' && !isHeld && !isNarrowed) {
    const params = { apart: lengthText(every), length: lengthText(back) }
    problems.push(found('HR965', params, placeOfKey(subject, 'queryPeriod')))
  }
  return problems
}

/** An overlay's schedule, whatever the language. */
function tunedTimes(subject: Subject): readonly Diagnostic[] {
  const { rule } = subject.loaded
  const { every, cron, lookback } = rule?.tuning?.schedule ?? {}
  const { start } = subject.span
  if (lookback === undefined) {
    // The time range stays that of the rule itself, which was made for another distance.
    const own = rule?.spl?.schedule
    return cron === undefined || own === undefined || own.earliest === ''
      ? []
      : ofCron(subject, cron, own, { start, end: start + 1 })
  }
  const read = cron === undefined ? undefined : readCron(cron, 'UTC')
  const apart =
    every ?? (read === undefined || typeof read === 'string' ? undefined : apartOf(read)?.apart)
  if (apart === undefined || lookback >= apart) return []
  const params = { apart: lengthText(apart), length: lengthText(lookback) }
  return [found('HR964', params, { start, end: start + 1 })]
}

function suppression(subject: Subject): readonly Diagnostic[] {
  const { rule } = subject.loaded
  if (rule === undefined) return []
  const tuned = rule.tuning?.suppress
  const own = rule.spl?.throttling
  const given = tuned ?? own
  if (given === undefined || given.fields.length > 0 || given.seconds < 3_600) return []
  const span = placeOfKey(subject, 'throttling', 'suppress', 'alert_suppress')
  return [found('HR968', { period: lengthText(given.seconds * 1_000) }, span)]
}

function filters(subject: Subject): readonly Diagnostic[] {
  const { tuning } = subject.loaded.rule ?? {}
  if (tuning?.filter === undefined || (tuning.tests ?? []).length > 0) return []
  const { start } = subject.span
  return [found('HR969', { file: tuning.file }, { start, end: start + 1 })]
}

export const timingChecks: readonly LintCheck[] = [
  {
    codes: ['HR964', 'HR965', 'HR966', 'HR967'],
    says: 'Runs of a rule see every event once: no gap between what they look at, nothing found again and again.',
    check: (subject) => [...splTimes(subject), ...kustoTimes(subject), ...tunedTimes(subject)],
  },
  {
    codes: ['HR968'],
    says: 'A suppression without fields does not hide everything that a rule finds.',
    check: suppression,
  },
  {
    codes: ['HR969'],
    says: 'A filter of an overlay is proved by tests: an event that it hides, and one that it keeps.',
    check: filters,
  },
]
