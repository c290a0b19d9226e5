/** How the schedule of a store stands, for who looks at it: rules with their last and next runs, whoever runs them. */
import type { Records } from '../../engine/records.ts'
import { keyOfRule, type Rule } from '../../rules/rule.ts'
import type { RunStore } from '../store.ts'
import { isScheduled, type Schedule, scheduleOf } from './cadence.ts'
import { Lease } from './lease.ts'
import type { ScheduleSettings } from './settings.ts'
import { type OrderRow, type RuleRow, ScheduleState } from './state.ts'

/**
 * new: not met by a schedule yet; ok, failed: how its last run ended; paused: by hand or after failures; off: it has no
 * schedule; gone: it is not among the rules any more.
 */
export type RuleStanding = 'new' | 'ok' | 'failed' | 'paused' | 'off' | 'gone'

export interface ScheduledRule {
  readonly rule: string
  readonly title: string
  readonly language: string
  readonly schedule: string
  readonly state: RuleStanding
  /** Why it is paused or off; what has been asked for and is not followed yet. */
  readonly reason: string
  /** The last window that is done and when the next run is due, in milliseconds; undefined when there is none. */
  readonly last?: number
  readonly next?: number
  /** By how much the rule is behind, in milliseconds. */
  readonly lag: number
  readonly late: number
  readonly gaps: number
}

export interface Overview {
  readonly rules: readonly ScheduledRule[]
  /** Who runs the schedule; undefined when nobody does. */
  readonly holder: string | undefined
}

function reasonOf(row: RuleRow, order: OrderRow | undefined): string {
  if (order !== undefined && order.at > row.paused_at) {
    return order.want === 'pause' ? 'is to be paused' : 'is to be resumed'
  }
  return row.paused
}

function scheduled(
  rule: Rule,
  schedule: Schedule,
  row: RuleRow | undefined,
  order: OrderRow | undefined,
  now: number,
): ScheduledRule {
  const base = {
    rule: keyOfRule(rule),
    title: rule.title,
    language: rule.language,
    schedule: schedule.text,
  }
  const due = schedule.next(row?.checkpoint ?? now)
  const next = due === undefined ? {} : { next: due + schedule.delay }
  if (row === undefined) {
    return { ...base, state: 'new', reason: '', ...next, lag: 0, late: 0, gaps: 0 }
  }
  const isPaused = row.paused !== ''
  const state = isPaused
    ? 'paused'
    : row.state === 'failed'
      ? 'failed'
      : row.state === ''
        ? 'new'
        : 'ok'
  return {
    ...base,
    state,
    reason: reasonOf(row, order),
    ...(row.checkpoint > row.since ? { last: row.checkpoint } : {}),
    ...(isPaused ? {} : next),
    lag: isPaused || due === undefined ? 0 : Math.max(0, now - due - schedule.delay),
    late: row.late,
    gaps: row.gaps,
  }
}

/** How the rules of a command stand, and those that the store still remembers. `now` is in milliseconds. */
export async function overviewOf(
  store: Pick<RunStore, 'rows'> & { readonly records: Records },
  rules: readonly Rule[],
  settings: ScheduleSettings,
  now: number,
): Promise<Overview> {
  const state = await ScheduleState.open(store.records)
  const rows = new Map((await state.rules()).map((each) => [each.rule, each]))
  const orders = new Map((await state.orders()).map((each) => [each.rule, each]))
  const found = new Map<string, ScheduledRule>()
  for (const rule of rules) {
    const key = keyOfRule(rule)
    if (found.has(key)) continue
    const schedule = scheduleOf(rule, settings)
    const { title, language } = rule
    found.set(
      key,
      isScheduled(schedule)
        ? scheduled(rule, schedule, rows.get(key), orders.get(key), now)
        : {
            rule: key,
            title,
            language,
            schedule: '',
            state: 'off',
            reason: schedule.off,
            lag: 0,
            late: 0,
            gaps: 0,
          },
    )
  }
  for (const row of rows.values()) {
    if (found.has(row.rule)) continue
    const { rule, title, language, schedule, late, gaps } = row
    const last = row.checkpoint > row.since ? { last: row.checkpoint } : {}
    const reason = 'it is not among the rules'
    found.set(rule, {
      rule,
      title,
      language,
      schedule,
      state: 'gone',
      reason,
      ...last,
      lag: 0,
      late,
      gaps,
    })
  }
  return { rules: [...found.values()], holder: await Lease.holderOf({ store }) }
}
