/**
 * Urgency: how severe a finding is, by how much what it is about matters
 * (https://docs.splunk.com/Documentation/ES/latest/User/Howurgencyisassigned). Without lists of assets and identities
 * nothing is known of that, and urgency is severity.
 */
import type { Level } from '../../rules/rule.ts'
import type { EventFields, Finding, FoundEntity } from '../finding.ts'
import { type AssetLists, type Listed, PRIORITIES, type Priority } from './assets.ts'
import { entityName } from './entities.ts'

const MATRIX: Readonly<Record<Priority, Readonly<Record<Level, Level>>>> = {
  unknown: row('informational', 'low', 'low', 'medium', 'high'),
  low: row('informational', 'low', 'low', 'medium', 'high'),
  medium: row('informational', 'low', 'medium', 'high', 'critical'),
  high: row('informational', 'medium', 'medium', 'high', 'critical'),
  critical: row('informational', 'medium', 'high', 'critical', 'critical'),
}

function row(
  informational: Level,
  low: Level,
  medium: Level,
  high: Level,
  critical: Level,
): Readonly<Record<Level, Level>> {
  return { informational, low, medium, high, critical }
}

/** The urgency of a severity for what has a priority. */
export function urgencyOf(severity: Level, priority: Priority): Level {
  return MATRIX[priority][severity]
}

/** Fields that name assets and identities, with the entities that stand for them where an event lacks the field. */
const ASSET_FIELDS: readonly (readonly [field: string, entity: string | undefined])[] = [
  ['dest', 'Host'],
  ['src', 'IP'],
  ['dvc', undefined],
]
const IDENTITY_FIELDS: readonly (readonly [field: string, entity: string | undefined])[] = [
  ['user', 'Account'],
  ['src_user', undefined],
]
/** Values of one field that are looked up. */
const MOST_VALUES = 20

/** What the lists say of a finding. */
export interface Standing {
  readonly priority: Priority
  /** `dest_priority`, `user_category` and so on. */
  readonly context: Readonly<Record<string, string | readonly string[]>>
}

function valuesOf(
  field: string,
  entity: string | undefined,
  event: EventFields,
  entities: readonly FoundEntity[],
): readonly string[] {
  const value = Object.hasOwn(event, field) ? event[field] : null
  const own =
    value === null || value === undefined ? [] : typeof value === 'string' ? [value] : value
  if (own.length > 0) return own.slice(0, MOST_VALUES)
  if (entity === undefined) return []
  const named = entities.filter(
    (each) => each.type === entity || (entity === 'Account' && each.type === 'Mailbox'),
  )
  return named.map(entityName).slice(0, MOST_VALUES)
}

function greatest(all: readonly Priority[]): Priority {
  return all.reduce(
    (most, each) => (PRIORITIES.indexOf(each) > PRIORITIES.indexOf(most) ? each : most),
    'unknown',
  )
}

/** What several entries of a list say, under the name of a field. */
function contextOf(field: string, entries: readonly Listed[]): Standing['context'] {
  const all = (values: readonly string[]): string | readonly string[] | undefined => {
    const said = [...new Set(values)].filter((each) => each !== '')
    return said.length > 1 ? said : said[0]
  }
  const fields = {
    priority: greatest(entries.map((each) => each.priority)),
    category: all(entries.flatMap((each) => each.category)),
    bunit: all(entries.map((each) => each.bunit)),
    owner: all(entries.map((each) => each.owner)),
    watchlist: entries.some((each) => each.watchlist) ? 'true' : undefined,
  }
  return Object.fromEntries(
    Object.entries(fields).flatMap(([end, value]) =>
      value === undefined ? [] : [[`${field}_${end}`, value]],
    ),
  )
}

/** What the lists say of what a finding is about, and the greatest priority of it. */
export function standingOf(
  { event }: Pick<Finding, 'event'>,
  entities: readonly FoundEntity[],
  lists: AssetLists,
): Standing {
  const priorities: Priority[] = []
  const context: Record<string, string | readonly string[]> = {}
  const look = (
    field: string,
    entity: string | undefined,
    find: (value: string) => Listed | undefined,
  ): void => {
    const entries = valuesOf(field, entity, event, entities).flatMap((each) => find(each) ?? [])
    if (entries.length === 0) return
    priorities.push(...entries.map((each) => each.priority))
    Object.assign(context, contextOf(field, entries))
  }
  for (const [field, entity] of ASSET_FIELDS) look(field, entity, (value) => lists.asset(value))
  for (const [field, entity] of IDENTITY_FIELDS) {
    look(field, entity, (value) => lists.identity(value))
  }
  return { priority: greatest(priorities), context }
}
