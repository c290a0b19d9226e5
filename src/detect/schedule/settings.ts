/** The section `schedule` of the settings: what holds for rules that say nothing of their own, and the budgets of all. */
import { readCron } from '../../core/cron.ts'
import { limits } from '../../core/limits.ts'
import type { Section } from '../../core/section.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const LONGEST = 366 * 24 * HOUR

/** Lengths of time are milliseconds. */
export interface ScheduleSettings {
  /** Time zone of cron expressions. */
  readonly zone: string
  /** Sigma rules have no schedule of their own. */
  readonly sigma: { readonly every: number; readonly lookback: number; readonly delay: number }
  /** How long runs of Kusto rules wait for events that come late; the service waits five minutes. */
  readonly kusto: { readonly delay: number; readonly nrtDelay: number }
  /** How long searches wait beyond the end of their time range, and over how long their starts are spread. */
  readonly spl: { readonly delay: number; readonly spread: number }
  /** How late an event may be stored and still have its windows run again. */
  readonly lateness: number
  /** How far back windows that were missed are caught up with. */
  readonly catchUp: number
  /** What one run of one rule may take. */
  readonly budget: { readonly seconds: number; readonly memory: number; readonly rows: number }
  /** Failed runs in a row after which a rule is paused. */
  readonly strikes: number
  /** Runs at the same time, for each kind of work. */
  readonly atOnce: {
    readonly schedule: number
    readonly interactive: number
    readonly backfill: number
  }
}

function zoneOf(section: Section): string {
  const zone = section.text('zone') ?? 'UTC'
  if (typeof readCron('* * * * *', zone) !== 'string') return zone
  section.wrong('zone', 'a time zone such as UTC or Europe/Berlin')
  return 'UTC'
}

/** Reads the section; each absent value is the one that holds without it. */
export function readScheduleSettings(section: Section): ScheduleSettings {
  const length = (from: Section, key: string, usual: number, least = 0): number => {
    const given = from.duration(key)
    if (given === undefined) return usual
    if (given >= least && given <= LONGEST) return given
    from.wrong(key, `from ${least / 1_000}s to 366d`)
    return usual
  }
  const sigma = section.section('sigma')
  const kusto = section.section('kusto')
  const spl = section.section('spl')
  const budget = section.section('budget')
  const atOnce = section.section('at_once')
  const every = length(sigma, 'every', 5 * MINUTE, MINUTE)
  const settings: ScheduleSettings = {
    zone: zoneOf(section),
    sigma: {
      every,
      lookback: length(sigma, 'lookback', every, MINUTE),
      delay: length(sigma, 'delay', MINUTE),
    },
    kusto: {
      delay: length(kusto, 'delay', 5 * MINUTE),
      nrtDelay: length(kusto, 'nrt_delay', 2 * MINUTE),
    },
    spl: { delay: length(spl, 'delay', 0), spread: length(spl, 'spread', 5 * MINUTE) },
    lateness: length(section, 'lateness', 24 * HOUR),
    catchUp: length(section, 'catch_up', 7 * 24 * HOUR),
    budget: {
      seconds: (budget.duration('time') ?? limits.runSeconds * 1_000) / 1_000,
      memory:
        (budget.number('megabytes', 16, 1_048_576) ?? limits.runMemoryBytes / 1_048_576) *
        1_048_576,
      rows: budget.number('findings', 1, limits.findingsPerRule) ?? limits.findingsPerRun,
    },
    strikes: section.number('strikes', 1, 1_000) ?? 3,
    atOnce: {
      schedule: atOnce.number('schedule', 1, 64) ?? 2,
      interactive: atOnce.number('interactive', 1, 64) ?? 2,
      backfill: atOnce.number('backfill', 1, 64) ?? 1,
    },
  }
  for (const each of [sigma, kusto, spl, budget, atOnce, section]) each.end()
  return settings
}
