/**
 * States of findings and their changes. A finding without a change is new. Each change is written to the history, stored
 * as an event that rules can read (`SecurityIncident`, incident review), and then becomes the state; its id is made from
 * what it changes, so that a change that was cut short is done again and not twice.
 */

import { type Instant, isoOfMs } from '../../core/time.ts'
import type { RecordOf, RecordSpec, Records } from '../../engine/records.ts'
import { LEVELS, type Level } from '../../rules/rule.ts'
import { INCIDENTS } from '../../schema/own.ts'
import { fixedId } from '../finding.ts'
import { type OwnStore, writeEvents } from '../keeping/events.ts'
import { changeEvent } from '../keeping/fields.ts'
import type { KeptFinding } from '../keeping/kept.ts'
import { type IncidentView, type Member, readMembers, viewOf } from '../keeping/members.ts'
import { withdrawnIds } from '../keeping/suppressed.ts'
import {
  DISPOSITION_WORDS,
  DISPOSITIONS,
  type Disposition,
  STATUS_WORDS,
  STATUSES,
  type Status,
} from './words.ts'

const STATE_COLUMNS = {
  finding: 'text',
  /** Id of the change that made it so. */
  change: 'text',
  /** Milliseconds since 1970. */
  time: 'number',
  author: 'text',
  status: 'text',
  owner: 'text',
  disposition: 'text',
  /** Where a person has set it. */
  urgency: 'text',
  notes: 'number',
} as const
const STATES = {
  name: 'triage',
  columns: STATE_COLUMNS,
  key: ['finding'],
} as const satisfies RecordSpec<typeof STATE_COLUMNS>
const CHANGE_COLUMNS = {
  finding: 'text',
  id: 'text',
  time: 'number',
  author: 'text',
  status: 'text',
  owner: 'text',
  disposition: 'text',
  urgency: 'text',
  note: 'text',
} as const
const CHANGES = {
  name: 'triage_changes',
  columns: CHANGE_COLUMNS,
  key: ['finding', 'id'],
} as const satisfies RecordSpec<typeof CHANGE_COLUMNS>

/** What has become of a finding. Names are the public JSON contract. */
export interface FindingState {
  /** Id of the last change; empty for a finding that nobody has changed. */
  readonly change: string
  readonly status: Status
  readonly disposition: Disposition
  /** Empty for nobody. */
  readonly owner: string
  /** Absent: that of the finding. */
  readonly urgency?: Level
  readonly notes: number
  readonly changed_at?: string
  readonly changed_by?: string
}

/** One change in the history; what it changed has a value. */
export interface HistoryEntry {
  readonly id: string
  readonly time: string
  readonly author: string
  readonly status: string
  readonly owner: string
  readonly disposition: string
  readonly urgency: string
  readonly note: string
}

export const UNTOUCHED: FindingState = {
  change: '',
  status: 'new',
  disposition: 'undetermined',
  owner: '',
  notes: 0,
}

/** What is to be changed; what is absent stays. */
export interface Patch {
  readonly status?: Status
  readonly disposition?: Disposition
  /** Empty for nobody. */
  readonly owner?: string
  readonly urgency?: Level
  readonly note?: string
}

export interface ChangeOptions {
  readonly author: string
  readonly now: Instant
  /** The change that was the last when its author looked; empty for none. Another one is a conflict. */
  readonly expected?: string
}

/** What became of the change of one finding. */
export interface ChangeResult {
  readonly finding: KeptFinding
  readonly outcome: 'changed' | 'unchanged' | 'conflict'
  /** As it is now. */
  readonly state: FindingState
}

function stateOf(row: RecordOf<typeof STATE_COLUMNS>): FindingState {
  const urgency = LEVELS.find((each) => each === row.urgency)
  return {
    change: row.change,
    status: STATUSES.find((each) => each === row.status) ?? 'new',
    disposition: DISPOSITIONS.find((each) => each === row.disposition) ?? 'undetermined',
    owner: row.owner,
    ...(urgency === undefined ? {} : { urgency }),
    notes: row.notes,
    changed_at: isoOfMs(row.time),
    changed_by: row.author,
  }
}

/** States that were changed, by finding; all of them, or those of some findings. */
export async function readStates(
  records: Records,
  findings?: readonly string[],
): Promise<ReadonlyMap<string, FindingState>> {
  const table = await records.table(STATES)
  const where =
    findings === undefined ? [] : [{ column: 'finding', is: 'in' as const, value: findings }]
  return new Map((await table.read({ where })).map((row) => [row.finding, stateOf(row)]))
}

/** The changes of a finding, the first one first. */
export async function readHistory(
  records: Records,
  finding: string,
): Promise<readonly HistoryEntry[]> {
  const table = await records.table(CHANGES)
  const where = [{ column: 'finding', is: '=' as const, value: finding }]
  const rows = await table.read({ where, order: ['time', 'id'] })
  return rows.map(({ finding: _, time, ...row }) => ({ ...row, time: isoOfMs(time) }))
}

/** The state after a patch. Who opens a closed finding again takes its disposition back. */
function patched(state: FindingState, patch: Patch): FindingState {
  const status = patch.status ?? state.status
  const isReopened = state.status === 'closed' && status !== 'closed'
  const urgency = patch.urgency ?? state.urgency
  return {
    ...state,
    status,
    disposition: patch.disposition ?? (isReopened ? 'undetermined' : state.disposition),
    owner: patch.owner ?? state.owner,
    ...(urgency === undefined ? {} : { urgency }),
    notes: state.notes + (patch.note === undefined ? 0 : 1),
  }
}

const CHANGED = ['status', 'disposition', 'owner', 'urgency', 'notes'] as const

export interface TriageStore extends OwnStore {
  readonly records: Records
}

interface Made {
  readonly finding: KeptFinding
  readonly before: FindingState
  readonly after: FindingState
  readonly id: string
  /** Milliseconds; a change is never before the one that it follows, whatever the clock says. */
  readonly time: number
}

/** Changes findings, each by the same patch; resolves when all is on disk. */
export async function changeFindings(
  store: TriageStore,
  findings: readonly KeptFinding[],
  patch: Patch,
  { author, now, expected }: ChangeOptions,
): Promise<readonly ChangeResult[]> {
  const states = await readStates(
    store.records,
    findings.map(({ id }) => id),
  )
  const made: Made[] = []
  const results = findings.map((finding): ChangeResult => {
    const before = states.get(finding.id) ?? UNTOUCHED
    if (expected !== undefined && expected !== before.change) {
      return { finding, outcome: 'conflict', state: before }
    }
    const after = patched(before, patch)
    if (CHANGED.every((key) => after[key] === before[key])) {
      return { finding, outcome: 'unchanged', state: before }
    }
    const id = fixedId(finding.id, before.change, patch, author)
    const last = before.changed_at === undefined ? 0 : Date.parse(before.changed_at)
    const time = Math.max(now.ms, last + 1)
    const state = { ...after, change: id, changed_at: isoOfMs(time), changed_by: author }
    made.push({ finding, before, after: state, id, time })
    return { finding, outcome: 'changed', state }
  })
  await write(store, made, patch, author, now)
  return results
}

/**
 * The findings of incidents that are still in the queue, and their states, with those that are about to change. A finding
 * that was withdrawn, and that nobody has touched, is not in the queue, and holds no incident open.
 */
export async function readStanding(
  store: TriageStore,
  incidents: readonly string[],
  changed: ReadonlyMap<string, FindingState> = new Map(),
): Promise<{
  readonly members: readonly Member[]
  readonly states: ReadonlyMap<string, FindingState>
}> {
  const withdrawn = await withdrawnIds(store.records)
  const all = await readMembers(store, 'incident_id', incidents)
  const before = await readStates(
    store.records,
    all.map(({ id }) => id),
  )
  const states = new Map([...before, ...changed])
  return { members: all.filter(({ id }) => states.has(id) || !withdrawn.has(id)), states }
}

/** How the incidents of changed findings look after the changes, by their ids. */
async function viewsAfter(
  store: TriageStore,
  made: readonly Made[],
): Promise<ReadonlyMap<string, IncidentView>> {
  const ids = new Set(made.flatMap(({ finding }) => finding.incident ?? []))
  const views = new Map<string, IncidentView>()
  if (ids.size === 0) return views
  const changed = new Map(made.map(({ finding, after }) => [finding.id, after]))
  const { members, states } = await readStanding(store, [...ids], changed)
  for (const incident of ids) {
    const own = members.filter((each) => each.incident_id === incident)
    const view = viewOf(own, states)
    if (view !== undefined) views.set(incident, view)
  }
  return views
}

async function write(
  store: TriageStore,
  made: readonly Made[],
  patch: Patch,
  author: string,
  now: Instant,
): Promise<void> {
  if (made.length === 0) return
  const note = patch.note ?? ''
  const history = made.map(({ finding, before, after, id, time }) => {
    const said = <K extends 'status' | 'owner' | 'disposition' | 'urgency'>(key: K): string =>
      after[key] === before[key] ? '' : (after[key] ?? '') || 'none'
    return {
      finding: finding.id,
      id,
      time,
      author,
      status: said('status'),
      owner: said('owner'),
      disposition: said('disposition'),
      urgency: said('urgency'),
      note,
    }
  })
  await (await store.records.table(CHANGES)).append(history)
  const views = await viewsAfter(store, made)
  const events = made.map(({ finding, after, id, time }) =>
    changeEvent(
      finding,
      {
        id,
        time: isoOfMs(time),
        author,
        status: STATUS_WORDS[after.status].splunk,
        owner: after.owner,
        disposition: (DISPOSITION_WORDS[after.disposition].splunk.split(' - ')[0] ?? '').trim(),
        urgency: after.urgency ?? finding.urgency,
        note,
      },
      views.get(finding.incident ?? ''),
    ),
  )
  await writeEvents(store, [[INCIDENTS, events]], now)
  const rows = made.map(({ finding, after, id, time }) => ({
    finding: finding.id,
    change: id,
    time,
    author,
    status: after.status,
    owner: after.owner,
    disposition: after.disposition,
    urgency: after.urgency ?? '',
    notes: after.notes,
  }))
  await (await store.records.table(STATES)).append(rows)
}
