/** What a pack says of all rules of a type: their schedule and what a hit leads to. */
import type { Fields } from '../../core/fields.ts'
import {
  type Deployment,
  type NotableAction,
  RULE_TYPES,
  type SplRuleType,
  type SplSchedule,
  usualSchedule,
} from './rule.ts'

/** The schedule under `scheduling`; what it leaves out is as usual for the type. */
export function readSchedule(
  fields: Fields,
  type: SplRuleType | undefined,
): SplSchedule | undefined {
  const given = fields.map('scheduling')
  if (given === undefined) return undefined
  const usual = usualSchedule(type ?? 'TTP')
  return {
    cron: given.text('cron_schedule') ?? usual?.cron ?? '',
    earliest: given.text('earliest_time') ?? usual?.earliest ?? '',
    latest: given.text('latest_time') ?? usual?.latest ?? '',
    window: given.text('schedule_window') ?? usual?.window ?? '',
  }
}

/** The notable under `alert_action`. */
export function readNotable(fields: Fields): NotableAction | undefined {
  const given = fields.map('alert_action')?.map('notable')
  if (given === undefined) return undefined
  return {
    title: given.text('rule_title') ?? '%name%',
    description: given.text('rule_description') ?? '%description%',
    fields: given.texts('nes_fields'),
  }
}

/** Reads a deployment; undefined when it is for no type of rule. */
export function readDeployment(fields: Fields): Deployment | undefined {
  const word = fields.text('type')?.toLowerCase()
  const type = RULE_TYPES.find((each) => each.toLowerCase() === word)
  if (type === undefined) return undefined
  const schedule = readSchedule(fields, type)
  const actions = fields.map('alert_action')
  const notable = readNotable(fields)
  return {
    type,
    ...(schedule === undefined ? {} : { schedule }),
    notable: notable ?? 'none',
    hasRisk: actions?.map('rba')?.flag('enabled') ?? false,
  }
}
