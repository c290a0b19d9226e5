/**
 * Alerts of one incident, as they are stored: a finding that was put into an incident says so in its event, and nothing
 * else knows of the incident. What an incident is, and in what state, follows from its findings and theirs.
 */
import { call, text } from '../../ir/expr.ts'
import { LEVELS, type Level } from '../../rules/rule.ts'
import { FINDINGS } from '../../schema/own.ts'
import type { RunStore } from '../store.ts'
import type { Status } from '../triage/words.ts'
import type { KeptFinding } from './kept.ts'
import { ownRows } from './ownrows.ts'

const COLUMNS = [
  'id',
  'rule_key',
  'incident_id',
  'incident_key',
  'run_at',
  'kept_at',
  'finding_time',
  'rule_title',
  'rule_description',
  'urgency',
] as const

/** A finding in an incident, as its event has it. Times are ISO 8601 UTC. */
export type Member = Readonly<Record<(typeof COLUMNS)[number], string>>

export function memberOf(
  finding: KeptFinding,
  incident: { readonly id: string; readonly key: string },
): Member {
  return {
    id: finding.id,
    rule_key: finding.rule_key,
    incident_id: incident.id,
    incident_key: incident.key,
    run_at: finding.run_at,
    kept_at: finding.kept_at,
    finding_time: finding.time,
    rule_title: finding.title ?? finding.rule_title,
    rule_description: finding.description ?? finding.rule_description,
    urgency: finding.urgency,
  }
}

/** Stored findings whose field has one of some values; with `runs` those of runs between two times, both included. */
export async function readMembers(
  store: Pick<RunStore, 'rows' | 'catalogue'>,
  by: 'incident_id' | 'incident_key' | 'id',
  values: readonly string[],
  runs?: { readonly from: string; readonly to: string },
): Promise<readonly Member[]> {
  const found = new Map<string, Member>()
  // Nothing has been put into an incident yet.
  if ((await store.catalogue()).get(FINDINGS)?.text.has('incident_id') !== true) return []
  const rows = ownRows(store, FINDINGS, COLUMNS, {
    by,
    values: [...new Set(values)],
    ...(runs === undefined
      ? {}
      : {
          also: (column) => [
            call('compare.greater_or_equal', [column('run_at'), text(runs.from)]),
            call('compare.less_or_equal', [column('run_at'), text(runs.to)]),
          ],
        }),
  })
  for await (const row of rows) {
    const cell = (name: (typeof COLUMNS)[number]): string => row[COLUMNS.indexOf(name)] ?? ''
    found.set(cell('id'), {
      id: cell('id'),
      rule_key: cell('rule_key'),
      incident_id: cell('incident_id'),
      incident_key: cell('incident_key'),
      run_at: cell('run_at'),
      kept_at: cell('kept_at'),
      finding_time: cell('finding_time'),
      rule_title: cell('rule_title'),
      rule_description: cell('rule_description'),
      urgency: cell('urgency'),
    })
  }
  return [...found.values()]
}

/** What people have made of a finding. */
export interface MemberState {
  readonly status: Status
  readonly urgency?: Level
}

/** Where an incident stands: closed when all of its findings are, new while nobody has touched any. */
export function statusOf(
  members: readonly Member[],
  states: ReadonlyMap<string, MemberState>,
): Status {
  const all = new Set(members.map(({ id }) => states.get(id)?.status ?? 'new'))
  const [only] = all
  return all.size === 1 && only !== undefined ? only : 'in progress'
}

/** An incident of several findings, as each of its events says it. */
export interface IncidentView {
  readonly id: string
  /** What makes findings of it. */
  readonly key: string
  /** Of the finding that opened it. */
  readonly title: string
  readonly description: string
  readonly created: string
  readonly urgency: Level
  readonly status: Status
  readonly alerts: readonly string[]
  /** Times of the first and the last finding. */
  readonly first: string
  readonly last: string
}

/** The order in which alerts came about. */
export const byRun = (a: Member, b: Member): number => {
  for (const key of ['run_at', 'finding_time', 'id'] as const) {
    if (a[key] !== b[key]) return a[key] < b[key] ? -1 : 1
  }
  return 0
}

/** The view of an incident that has these findings, at least one. */
export function viewOf(
  members: readonly Member[],
  states: ReadonlyMap<string, MemberState>,
): IncidentView | undefined {
  const sorted = members.toSorted(byRun)
  const [first] = sorted
  if (first === undefined) return undefined
  const opener = sorted.find(({ id, incident_id: incident }) => id === incident) ?? first
  const rank = (each: Member): number =>
    LEVELS.indexOf(
      states.get(each.id)?.urgency ?? LEVELS.find((level) => level === each.urgency) ?? LEVELS[0],
    )
  const times = sorted.map((each) => each.finding_time).sort()
  return {
    id: first.incident_id,
    key: first.incident_key,
    title: opener.rule_title,
    description: opener.rule_description,
    created: opener.kept_at,
    urgency: LEVELS[Math.max(...sorted.map(rank))] ?? LEVELS[0],
    status: statusOf(sorted, states),
    alerts: sorted.map(({ id }) => id),
    first: times[0] ?? first.finding_time,
    last: times.at(-1) ?? first.finding_time,
  }
}
