/**
 * Which findings make an incident together, as a Sentinel rule says it (`incidentConfiguration`,
 * https://learn.microsoft.com/azure/sentinel/create-analytics-rules#configure-the-incident-creation-settings). A finding
 * joins an incident of its rule with the same values if all alerts of it were made within the time of the rule, or
 * else opens one, which has its id. An alert is made when its run is due. All that decides is stored with the findings and
 * their states: a finding that is stored stays in its incident, and the same findings come to the same incidents.
 */
import { instantOfTicks, printInstant, ticksIn } from '../../core/time.ts'
import type { IncidentGrouping } from '../../dialects/kusto/rule.ts'
import { keyOfRule, type Rule } from '../../rules/rule.ts'
import { type FoundEntity, fixedId } from '../finding.ts'
import { readStanding, type TriageStore } from '../triage/states.ts'
import type { KeptFinding } from './kept.ts'
import {
  byRun,
  type IncidentView,
  type Member,
  type MemberState,
  memberOf,
  readMembers,
  statusOf,
  viewOf,
} from './members.ts'

/** Alerts of one incident at most, as in the service; what comes after them opens another. */
const MOST_ALERTS = 150
/** The time of the service where a rule names none. */
const USUAL_LOOKBACK_MS = 5 * 3_600_000
const TICKS_PER_MS = 10_000n

const lookbackOf = ({ lookback = USUAL_LOOKBACK_MS }: IncidentGrouping): bigint =>
  BigInt(Math.max(0, Math.round(lookback))) * TICKS_PER_MS

/** Entities as texts that are the same for the same ones, whatever their order and case. */
function entityTexts(entities: readonly FoundEntity[]): readonly string[] {
  const all = entities.map(({ type, ...names }) =>
    JSON.stringify([type, ...Object.entries(names).sort(([a], [b]) => (a < b ? -1 : 1))]),
  )
  return [...new Set(all.map((each) => each.toLowerCase()))].sort()
}

/** What a finding shares with those of its incident; undefined where it has nothing that could be shared. */
function sharedBy(
  { entities = [], details = {}, title, rule_title: rule, level }: KeptFinding,
  grouping: IncidentGrouping,
): unknown {
  if (grouping.matchingMethod === 'AnyAlert') return []
  if (grouping.matchingMethod === 'AllEntities') {
    return entities.length === 0 ? undefined : entityTexts(entities)
  }
  const said = { DisplayName: title ?? rule, Severity: level }
  const alert = grouping.groupByAlertDetails.map((name) => said[name])
  const typed = grouping.groupByEntities.map((type) =>
    entityTexts(entities.filter((each) => each.type === type)),
  )
  const custom = grouping.groupByCustomDetails.map((name) =>
    [...(Object.hasOwn(details, name) ? (details[name] ?? []) : [])].sort(),
  )
  const isSaid = alert.length > 0 || [...typed, ...custom].some((each) => each.length > 0)
  return isSaid ? [typed, alert, custom] : undefined
}

/** What makes findings of one incident, as one text; undefined for a finding that is an incident of its own. */
function keyOf(finding: KeptFinding, grouping: IncidentGrouping): string | undefined {
  const shared = sharedBy(finding, grouping)
  if (shared === undefined) return undefined
  return fixedId(finding.rule_key, 'incident', grouping.matchingMethod, shared)
}

interface Open {
  readonly id: string
  readonly members: Member[]
}

/** A finding to be put into an incident. */
interface Newcomer {
  readonly member: Member
  readonly grouping: IncidentGrouping
}

/** The incident that an alert belongs to, of those with its values: the latest that still takes it. */
function joined(
  { member, grouping }: Newcomer,
  incidents: readonly Open[],
  states: ReadonlyMap<string, MemberState>,
): Open | undefined {
  const lookback = lookbackOf(grouping)
  const takes = ({ members }: Open): boolean => {
    const times = [member, ...members].map((each) => each.run_at).sort()
    const span = ticksIn(times.at(-1) ?? member.run_at) - ticksIn(times[0] ?? member.run_at)
    if (members.length >= MOST_ALERTS || span > lookback) return false
    return grouping.reopenClosedIncident || statusOf(members, states) !== 'closed'
  }
  const firstOf = ({ members }: Open): string => members.map((each) => each.run_at).sort()[0] ?? ''
  return incidents.filter(takes).toSorted((a, b) => {
    const [x, y] = [`${firstOf(a)} ${a.id}`, `${firstOf(b)} ${b.id}`]
    return x < y ? 1 : -1
  })[0]
}

/** Findings with their incidents, and how those look with them. */
export interface Grouped {
  readonly findings: readonly KeptFinding[]
  /** By the ids of incidents. */
  readonly views: ReadonlyMap<string, IncidentView>
}

/** Puts findings into incidents; nothing is written. Those of rules that say nothing of incidents stay as they are. */
export async function grouped(
  store: TriageStore,
  rules: readonly Rule[],
  findings: readonly KeptFinding[],
): Promise<Grouped> {
  const said = new Map(
    rules.map((rule) => [keyOfRule(rule), rule.kusto?.incidentConfiguration] as const),
  )
  const marked = findings.map((finding): KeptFinding => {
    const isAlone = said.get(finding.rule_key)?.createIncident === false
    return isAlone ? { ...finding, is_alert_only: true } : finding
  })
  const newcomers = marked.flatMap((finding): readonly Newcomer[] => {
    const grouping = said.get(finding.rule_key)?.grouping
    if (finding.is_alert_only === true || grouping?.enabled !== true) return []
    const key = keyOf(finding, grouping)
    return key === undefined ? [] : [{ member: memberOf(finding, { id: '', key }), grouping }]
  })
  if (newcomers.length === 0) return { findings: marked, views: new Map() }
  const incidents = await placed(store, newcomers)
  return {
    findings: marked.map((finding) => {
      const incident = incidents.of.get(finding.id)
      return incident === undefined ? finding : { ...finding, incident }
    }),
    views: incidents.views,
  }
}

/** The incident of each newcomer, and the views of those incidents. */
async function placed(
  store: TriageStore,
  newcomers: readonly Newcomer[],
): Promise<{
  readonly of: ReadonlyMap<string, string>
  readonly views: ReadonlyMap<string, IncidentView>
}> {
  const known = await readMembers(
    store,
    'id',
    newcomers.map(({ member }) => member.id),
  )
  const stored = new Map(known.map((each) => [each.id, each]))
  const runs = newcomers.map(({ member }) => member.run_at).sort()
  const lookbacks = newcomers.map(({ grouping }) => lookbackOf(grouping))
  const far = lookbacks.toSorted((a, b) => (a < b ? 1 : -1))[0] ?? 0n
  const moved = (iso: string, ticks: bigint): string =>
    printInstant(instantOfTicks(ticksIn(iso) + ticks))
  const around = await readMembers(
    store,
    'incident_key',
    newcomers.map(({ member }) => member.incident_key),
    { from: moved(runs[0] ?? '', -far), to: moved(runs.at(-1) ?? '', far) },
  )
  const near = [...around, ...known].map((each) => each.incident_id).filter((each) => each !== '')
  // All of an incident count, also those of runs further away.
  const { members, states } = await readStanding(store, near)
  const incidents = new Map<string, Open>()
  const add = (member: Member): Open => {
    const { incident_id: id } = member
    const incident = incidents.get(id) ?? { id, members: [] }
    incidents.set(id, incident)
    incident.members.push(member)
    return incident
  }
  const byKey = new Map<string, Set<Open>>()
  const index = (incident: Open, key: string): void => {
    const all = byKey.get(key) ?? new Set<Open>()
    byKey.set(key, all.add(incident))
  }
  for (const each of members) index(add(each), each.incident_key)
  const of = new Map<string, string>()
  for (const newcomer of newcomers.toSorted((a, b) => byRun(a.member, b.member))) {
    const { member } = newcomer
    const before = stored.get(member.id)
    if (before !== undefined) {
      if (before.incident_id !== '') of.set(member.id, before.incident_id)
      continue
    }
    const open = joined(newcomer, [...(byKey.get(member.incident_key) ?? [])], states)
    const id = open?.id ?? member.id
    of.set(member.id, id)
    index(add({ ...member, incident_id: id }), member.incident_key)
  }
  const views = new Map<string, IncidentView>()
  for (const id of new Set(of.values())) {
    const view = viewOf(incidents.get(id)?.members ?? [], states)
    if (view !== undefined) views.set(id, view)
  }
  return { of, views }
}
