/**
 * Kept findings as a queue: what is most urgent first, then what carries most risk, then what waits longest. Read from
 * their events, with what people have made of them.
 */
import { limits } from '../../core/limits.ts'
import { call, type Expr, text, texts } from '../../ir/expr.ts'
import type { Rel, TimeBounds } from '../../ir/rel.ts'
import type { Field } from '../../ir/types.ts'
import { LEVELS, type Level } from '../../rules/rule.ts'
import { FINDINGS } from '../../schema/own.ts'
import { LIST_SUFFIX, META } from '../../schema/source.ts'
import { printSql } from '../../sql/print.ts'
import { keysNamed } from '../keeping/entities.ts'
import { incidentNumber, type KeptFinding, keptFindingOf } from '../keeping/kept.ts'
import { ownRows } from '../keeping/ownrows.ts'
import { withdrawnIds } from '../keeping/suppressed.ts'
import type { TriageStore } from './states.ts'
import { type FindingState, readStates, UNTOUCHED } from './states.ts'
import type { Status } from './words.ts'

/** One finding of the queue. Names are the public JSON contract. */
export interface QueueEntry extends FindingState {
  readonly id: string
  readonly event_id: string
  readonly time: string
  readonly urgency: Level
  readonly severity: Level
  readonly title: string
  readonly rule_id: string
  readonly rule_title: string
  readonly risk: number
  readonly host: string
  /** Keys of what it is about: `host:ws07`. */
  readonly entities: readonly string[]
  /** Id of its incident: its own where it is one alone; empty where its rule makes none of it. */
  readonly incident: string
  readonly incident_number?: number
}

export interface QueueQuery {
  readonly time: TimeBounds
  /** Absent: what is not closed. */
  readonly statuses?: readonly Status[]
  /** The least urgency. */
  readonly urgency?: Level
  /** Part of the title, or the id, of the rule. */
  readonly rule?: string
  /** Key of an entity, or its name. */
  readonly entity?: string
  /** Empty for nobody. */
  readonly owner?: string
  /** The number or the beginning of the id of an incident. */
  readonly incident?: string
}

export interface Queue {
  readonly entries: readonly QueueEntry[]
  /** True when there are more findings in the time than are read. */
  readonly isCut: boolean
}

const TEXTS = [
  'id',
  'event_id',
  'urgency',
  'severity',
  'rule_title',
  'rule_id',
  'rule_name',
  'risk_score',
  'orig_host',
  'incident_id',
  'no_incident',
] as const
const KEYS = `entity_keys${LIST_SUFFIX}`
const TIME: Expr = { op: 'field', name: META.time, type: 'time', stored: 'plain' }

const levelOf = (given: unknown): Level => LEVELS.find((each) => each === given) ?? 'informational'

/** A scan of findings with some of their columns; undefined when none are kept. */
async function scanOf(
  store: Pick<TriageStore, 'catalogue'>,
  time: TimeBounds,
): Promise<
  { readonly scan: Rel; readonly named: (name: string) => Expr; readonly listed: Expr } | undefined
> {
  const columns = (await store.catalogue()).get(FINDINGS)
  if (columns === undefined) return undefined
  const has = columns.lists.has('entity_keys')
  const out: readonly Field[] = [
    { name: META.time, type: 'time', stored: 'plain' },
    { name: META.raw, type: 'text', stored: 'plain' },
    ...TEXTS.filter((each) => columns.text.has(each)).map(
      (name): Field => ({ name, type: 'text', stored: 'plain' }),
    ),
    ...(has ? [{ name: KEYS, type: { list: 'text' }, stored: 'plain' } as const] : []),
  ]
  return {
    scan: { op: 'scan', table: { kind: 'source', name: FINDINGS }, time, out },
    named: (name) =>
      columns.text.has(name) ? { op: 'field', name, type: 'text', stored: 'plain' } : text(''),
    listed: has ? { op: 'field', name: KEYS, type: { list: 'text' }, stored: 'plain' } : texts([]),
  }
}

function entryOf(row: readonly unknown[], states: ReadonlyMap<string, FindingState>): QueueEntry {
  const [at, keys, ...cells] = row
  const [
    id = '',
    event = '',
    urgency,
    severity,
    title = '',
    rule = '',
    name = '',
    risk,
    host = '',
    group = '',
    alone = '',
  ] = cells.map(String)
  const incident = alone === 'true' ? '' : group || id
  const state = states.get(id) ?? UNTOUCHED
  return {
    id,
    event_id: event,
    time: `${String(at).replace(' ', 'T')}Z`,
    title,
    rule_id: rule,
    rule_title: name,
    risk: Number(risk) || 0,
    host,
    entities: Array.isArray(keys) ? keys.map(String) : [],
    incident,
    ...(incident === '' ? {} : { incident_number: incidentNumber(incident) }),
    ...state,
    urgency: state.urgency ?? levelOf(urgency),
    severity: levelOf(severity),
  }
}

/** The order of the queue. */
function byUrgency(a: QueueEntry, b: QueueEntry): number {
  const ranks = LEVELS.indexOf(b.urgency) - LEVELS.indexOf(a.urgency)
  if (ranks !== 0) return ranks
  if (a.risk !== b.risk) return b.risk - a.risk
  return a.time < b.time ? -1 : a.time > b.time ? 1 : a.id < b.id ? -1 : 1
}

/** Whether an incident is the one that a person names. */
function isIncident(incident: string, named: string): boolean {
  if (incident === '') return false
  const isNumber = /^\d+$/.test(named) && incidentNumber(incident) === Number(named)
  return isNumber || (named.length >= 4 && incident.startsWith(named))
}

function filterOf({ statuses, urgency, rule, entity, owner, incident }: QueueQuery) {
  const least = urgency === undefined ? 0 : LEVELS.indexOf(urgency)
  const wanted = rule?.toLowerCase()
  const named = incident?.toLowerCase()
  const keys = entity === undefined ? undefined : new Set(keysNamed(entity))
  return (each: QueueEntry): boolean =>
    (statuses === undefined ? each.status !== 'closed' : statuses.includes(each.status)) &&
    LEVELS.indexOf(each.urgency) >= least &&
    (owner === undefined || each.owner.toLowerCase() === owner.toLowerCase()) &&
    (named === undefined || isIncident(each.incident, named)) &&
    (keys === undefined || each.entities.some((key) => keys.has(key))) &&
    (wanted === undefined ||
      each.rule_id.toLowerCase() === wanted ||
      [each.rule_title, each.title].some((title) => title.toLowerCase().includes(wanted)))
}

/** The findings of a query, in the order of the queue. Those that were withdrawn and that nobody has touched are left out. */
export async function readQueue(store: TriageStore, query: QueueQuery): Promise<Queue> {
  const found = await scanOf(store, query.time)
  if (found === undefined) return { entries: [], isCut: false }
  const rel: Rel = {
    op: 'limit',
    rows: limits.queueFindings + 1,
    from: {
      op: 'sort',
      order: [{ by: TIME, down: true, nulls: 'last' }],
      from: {
        op: 'select',
        from: found.scan,
        keep: [
          { name: META.time, value: TIME },
          { name: KEYS, value: found.listed },
          ...TEXTS.map((name) => ({ name, value: found.named(name) })),
        ],
      },
    },
  }
  const states = await readStates(store.records)
  const withdrawn = await withdrawnIds(store.records)
  const holds = filterOf(query)
  const entries = new Map<string, QueueEntry>()
  let read = 0
  for await (const row of store.rows(printSql(rel))) {
    if (++read > limits.queueFindings) break
    const entry = entryOf(row, states)
    const isOut = withdrawn.has(entry.id) && entry.change === ''
    if (!isOut && holds(entry)) entries.set(entry.id, entry)
  }
  return {
    entries: [...entries.values()].sort(byUrgency),
    isCut: read > limits.queueFindings,
  }
}

/** Findings of one entity, rule or incident together. Names are the public JSON contract. */
export interface QueueGroup {
  /** Key of the entity, title of the rule, or id of the incident. */
  readonly of: string
  readonly findings: number
  /** The greatest of them. */
  readonly urgency: Level
  readonly risk: number
  /** Titles of their rules, or keys of their entities. */
  readonly about: readonly string[]
  readonly first: string
  readonly last: string
}

/** Titles or keys that are listed of one group. */
const MOST_ABOUT = 50

/** The groups that an entry is in. */
const GROUPS = {
  rule: ({ rule_title: rule }: QueueEntry): readonly string[] => [rule],
  incident: ({ incident }: QueueEntry): readonly string[] => [incident || 'none'],
  entity: ({ entities }: QueueEntry): readonly string[] =>
    entities.length > 0 ? entities : ['none'],
} as const

/** The entries of a queue in groups, in the order of the queue; a finding of several entities is in the group of each. */
export function groupQueue(
  entries: readonly QueueEntry[],
  by: keyof typeof GROUPS,
): readonly QueueGroup[] {
  const groups = new Map<string, QueueGroup & { readonly seen: Set<string> }>()
  for (const each of entries) {
    const names = GROUPS[by](each)
    const about = by === 'rule' ? each.entities : [each.rule_title]
    for (const of of names) {
      const before = groups.get(of)
      const seen = before?.seen ?? new Set<string>()
      for (const one of about) if (seen.size < MOST_ABOUT) seen.add(one)
      const isMore =
        before === undefined || LEVELS.indexOf(each.urgency) > LEVELS.indexOf(before.urgency)
      groups.set(of, {
        of,
        findings: (before?.findings ?? 0) + 1,
        urgency: isMore ? each.urgency : before.urgency,
        risk: Math.round(((before?.risk ?? 0) + each.risk) * 100) / 100,
        about: [],
        first: before === undefined || each.time < before.first ? each.time : before.first,
        last: before === undefined || each.time > before.last ? each.time : before.last,
        seen,
      })
    }
  }
  return [...groups.values()]
    .map(({ seen, ...group }): QueueGroup => ({ ...group, about: [...seen].sort() }))
    .sort((a, b) => {
      const ranks = LEVELS.indexOf(b.urgency) - LEVELS.indexOf(a.urgency)
      return ranks || b.risk - a.risk || b.findings - a.findings || (a.of < b.of ? -1 : 1)
    })
}

/** The ids that begin so, at most two; a whole id gives itself. Texts that are no id give none. */
export async function idsNamed(store: TriageStore, given: string): Promise<readonly string[]> {
  const prefix = given.toLowerCase().slice(given.lastIndexOf('@') + 1)
  const found = await scanOf(store, {})
  if (!/^[0-9a-f]{4,32}$/.test(prefix) || found === undefined) return []
  const rel: Rel = {
    op: 'select',
    from: {
      op: 'filter',
      from: found.scan,
      where: call('match.starts', [found.named('id'), text(prefix)]),
    },
    keep: [{ name: 'id', value: found.named('id') }],
  }
  const ids = new Set<string>()
  for await (const [id] of store.rows(printSql(rel))) {
    ids.add(String(id))
    if (ids.size === 2) break
  }
  return [...ids]
}

/** Kept findings by their ids, in the order of the ids; those that are not there are left out. */
export async function readFindings(
  store: TriageStore,
  ids: readonly string[],
): Promise<readonly KeptFinding[]> {
  const known = new Map<string, KeptFinding>()
  for await (const [raw = ''] of ownRows(store, FINDINGS, [META.raw], { by: 'id', values: ids })) {
    const finding = keptFindingOf(raw)
    if (finding !== undefined) known.set(finding.id, finding)
  }
  return ids.flatMap((id) => known.get(id) ?? [])
}
