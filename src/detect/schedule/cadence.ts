/**
 * When a rule runs on its own, and which events each run sees: from what the rule says of itself (cron and time range of
 * a search, frequency and period of a Kusto rule), from the settings where it says nothing, and from the user's overlay
 * above both. Times are milliseconds since 1970.
 */

import { createHash } from 'node:crypto'
import { readCron } from '../../core/cron.ts'
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import { lengthText } from '../../core/length.ts'
import { isoOfMs } from '../../core/time.ts'
import { boundOf } from '../../functions/timemodifier.ts'
import { type CorrelationPart, keyOfRule, type Rule } from '../../rules/rule.ts'
import { isSetOffBy } from '../alerts.ts'
import { cadenceOf, type RunWindow } from '../windows.ts'
import type { ScheduleSettings } from './settings.ts'

const MINUTE = 60_000
const DAY = 86_400_000

/** The times at which a rule is due. */
interface Clock {
  /** As a person says it: `10 * * * *`, `every 5m`. */
  readonly text: string
  /** The times after one instant and up to another, in order; no more than `most`. */
  between(after: number, until: number, most: number): readonly number[]
  next(after: number): number | undefined
  previous(before: number): number | undefined
}

export interface Schedule extends Clock {
  /** How long after its scheduled time a run starts: time for late events, and the rule's place in the spread. */
  readonly delay: number
  /** What a run at a scheduled time sees. */
  windowAt(time: number): RunWindow
  /** How far before its scheduled time the events of a run may lie, and how far before it they end at least. */
  readonly reach: { readonly from: number; readonly to: number }
  /** True when a run that sees no event may make a finding. */
  readonly silent: boolean
}

/** A rule that does not run on its own, and why. */
export interface Unscheduled {
  readonly off: string
  readonly problem?: Diagnostic
}

export const isScheduled = (given: Schedule | Unscheduled): given is Schedule => !('off' in given)

function everyClock(every: number): Clock {
  return {
    text: `every ${lengthText(every)}`,
    between(after, until, most) {
      const found: number[] = []
      const first = (Math.floor(after / every) + 1) * every
      for (let time = first; time <= until && found.length < most; time += every) found.push(time)
      return found
    },
    next: (after) => (Math.floor(after / every) + 1) * every,
    previous: (before) => (Math.ceil(before / every) - 1) * every,
  }
}

function cronClock(text: string, zone: string): Clock | Unscheduled {
  const cron = readCron(text, zone)
  if (typeof cron === 'string') {
    const problem = diagnose('HR710', { text: text.slice(0, 100), reason: cron })
    return { off: problem.message, problem }
  }
  return {
    text: zone === 'UTC' ? text : `${text} (${zone})`,
    between: (after, until, most) => cron.between(after, until, most),
    next: (after) => cron.next(after),
    previous: (before) => cron.previous(before),
  }
}

function windowOf(at: number, from: number | undefined, to: number): RunWindow {
  const time = { ...(from === undefined ? {} : { from: isoOfMs(from) }), to: isoOfMs(to) }
  return { at: isoOfMs(at), time }
}

/** A place of the rule between 0 and 1, always the same: rules of one schedule start one after the other. */
function placeOf(rule: Rule): number {
  const hash = createHash('sha256').update(keyOfRule(rule)).digest()
  return hash.readUInt32BE(0) / 2 ** 32
}

/** The clock that an overlay or the rule sets; undefined when neither does. */
function clockOf(rule: Rule, usual: number | string | undefined, zone: string) {
  const tuned = rule.tuning?.schedule
  if (tuned?.every !== undefined) return everyClock(Math.max(1_000, tuned.every))
  const given = tuned?.cron ?? usual
  if (given === undefined) return undefined
  return typeof given === 'number' ? everyClock(given) : cronClock(given, zone)
}

/** Whole windows of one length back from the scheduled time. */
function lookingBack(clock: Clock, back: number, delay: number, silent = false): Schedule {
  return {
    ...clock,
    delay,
    windowAt: (time) => windowOf(time, time - back, time),
    reach: { from: back, to: 0 },
    silent,
  }
}

/** The longest distance between runs that follow each other, over a year or as many runs as show it. */
function longestApart(clock: Clock): number {
  let at = clock.next(Date.UTC(2024, 0, 1))
  const end = Date.UTC(2025, 1, 1)
  let apart = 0
  for (let run = 0; run < 2_000 && at !== undefined && at < end; run++) {
    const next = clock.next(at)
    if (next !== undefined) apart = Math.max(apart, next - at)
    at = next
  }
  return apart
}

/** Windows from the run before to this one, however far apart they are: nothing between is left out. */
function sinceLast(clock: Clock, delay: number, silent = false): Schedule {
  return {
    ...clock,
    delay,
    windowAt: (time) => windowOf(time, clock.previous(time), time),
    reach: { from: longestApart(clock), to: 0 },
    silent,
  }
}

const NEVER: Unscheduled = { off: 'it has no schedule; an overlay can give it one' }

function ofSigma(rule: Rule, { sigma, zone }: ScheduleSettings): Schedule | Unscheduled {
  const clock = clockOf(rule, sigma.every, zone) ?? NEVER
  if ('off' in clock) return clock
  const tuned = rule.tuning?.schedule
  const back = tuned?.lookback ?? (tuned?.every === undefined ? sigma.lookback : tuned.every)
  const delay = tuned?.delay ?? sigma.delay
  const isByCron = tuned?.cron !== undefined && tuned.lookback === undefined
  const schedule = isByCron ? sinceLast(clock, delay) : lookingBack(clock, back, delay)
  const span = rule.correlation === undefined ? 0 : spanOf(rule.correlation)
  return { ...schedule, reach: { from: schedule.reach.from + span, to: 0 } }
}

/** How long an event counts for a correlation, and for those that count it. */
function spanOf({ timespan, rules }: CorrelationPart): number {
  return (
    timespan +
    Math.max(
      0,
      ...rules.map(({ rule: { correlation } }) => (correlation ? spanOf(correlation) : 0)),
    )
  )
}

function ofKusto(rule: Rule, { kusto, zone }: ScheduleSettings): Schedule | Unscheduled {
  const part = rule.kusto
  if (part === undefined) return NEVER
  const own = cadenceOf(part)
  const ms = (ticks: bigint): number => Number(ticks / 10_000n)
  const tuned = rule.tuning?.schedule
  const clock = clockOf(rule, own === undefined ? undefined : ms(own.apart), zone)
  if (clock === undefined || 'off' in clock) return clock ?? NEVER
  const back = tuned?.lookback ?? (own === undefined ? tuned?.every : ms(own.back)) ?? DAY
  const isNew = part.kind === 'NRT' || part.queryFrequency === 0
  const delay = tuned?.delay ?? (isNew ? kusto.nrtDelay : kusto.delay)
  const isByCron = own === undefined && tuned?.cron !== undefined && tuned.lookback === undefined
  const silent = isSetOffBy(part, 0)
  return isByCron ? sinceLast(clock, delay, silent) : lookingBack(clock, back, delay, silent)
}

/** How long the start of a search may be put off for others, in milliseconds. */
function spreadOf(window: string, period: number, most: number): number {
  const minutes = /^\d{1,4}$/.test(window.trim()) ? Number(window) : undefined
  const allowed = minutes === undefined ? (window.trim() === 'auto' ? most : 0) : minutes * MINUTE
  return Math.min(allowed, most, period / 2)
}

function ofSpl(rule: Rule, { spl, zone }: ScheduleSettings): Schedule | Unscheduled {
  const own = rule.spl?.schedule
  const tuned = rule.tuning?.schedule
  const clock = clockOf(rule, own?.cron === '' ? undefined : own?.cron, zone)
  if (clock === undefined || 'off' in clock) return clock ?? NEVER
  const next = clock.next(0) ?? 0
  const period = (clock.next(next) ?? next + DAY) - next
  const delay =
    (tuned?.delay ?? spl.delay) +
    Math.floor((placeOf(rule) * spreadOf(own?.window ?? '', period, spl.spread)) / 1_000) * 1_000
  const { earliest, latest } = splRange(rule) ?? { earliest: '', latest: '' }
  const bounds = (time: number) => {
    const from = boundOf(earliest, time)
    const to = latest.trim() === '' ? time : boundOf(latest, time)
    if (from === undefined || to === undefined) return undefined
    return {
      from: from === 'open' ? undefined : from,
      to: Math.min(to === 'open' ? time : to, time),
    }
  }
  const first = bounds(next)
  if (first === undefined || (first.from !== undefined && first.from >= first.to)) {
    const reason = first === undefined ? 'it is no time range of the past' : 'it is empty'
    const problem = diagnose('HR711', {
      earliest: earliest.slice(0, 64),
      latest: latest.slice(0, 64),
      reason,
    })
    return { off: problem.message, problem }
  }
  // A bound such as `@d` lies further back the later it is in the unit: the longest of a year counts.
  const samples = Array.from({ length: 24 }, (_, at) => {
    const near = Date.UTC(2024, at % 12, 28, at)
    return clock.next(near) ?? near
  })
  const spans = [next, ...samples].flatMap((time) => {
    const found = bounds(time)
    return found === undefined
      ? []
      : [{ from: time - (found.from ?? Number.NEGATIVE_INFINITY), to: time - found.to }]
  })
  return {
    ...clock,
    delay,
    windowAt(time) {
      const found = bounds(time) ?? { from: undefined, to: time }
      return windowOf(time, found.from, found.to)
    },
    reach: {
      from: Math.max(...spans.map(({ from }) => from)),
      to: Math.max(0, Math.min(...spans.map(({ to }) => to))),
    },
    silent: false,
  }
}

/** The time range that a search runs over on its schedule, as Splunk writes it; undefined when nothing says one. */
export function splRange(
  rule: Rule,
): { readonly earliest: string; readonly latest: string } | undefined {
  const tuned = rule.tuning?.schedule
  if (tuned?.lookback !== undefined) {
    return { earliest: `-${Math.round(tuned.lookback / 1_000)}s`, latest: 'now' }
  }
  const own = rule.spl?.schedule
  if (own !== undefined) return { earliest: own.earliest, latest: own.latest }
  return tuned?.every === undefined
    ? undefined
    : { earliest: `-${Math.round(tuned.every / 1_000)}s`, latest: 'now' }
}

/** Kinds of searches that people run themselves, or that only make ready what others read. */
const NOT_BY_THEMSELVES: ReadonlySet<string> = new Set(['Hunting', 'Baseline', 'Investigation'])

/** The schedule of a rule, or why it has none. */
export function scheduleOf(rule: Rule, settings: ScheduleSettings): Schedule | Unscheduled {
  const { tuning, kusto, spl } = rule
  const isAsked = tuning?.enabled === true || tuning?.schedule !== undefined
  if (tuning?.enabled === false) return { off: 'an overlay disables it' }
  if (rule.countedBy !== undefined) return { off: `the correlation "${rule.countedBy}" counts it` }
  if (!isAsked && (kusto ?? spl)?.enabled === false) return { off: 'its file disables it' }
  if (kusto !== undefined) return ofKusto(rule, settings)
  if (spl === undefined) return ofSigma(rule, settings)
  if (!isAsked && NOT_BY_THEMSELVES.has(spl.type ?? '')) {
    const type = spl.type === 'Investigation' ? 'an Investigation' : `a ${spl.type}`
    return { off: `${type} runs on a schedule only when an overlay enables it` }
  }
  return ofSpl(rule, settings)
}
