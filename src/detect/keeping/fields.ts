/**
 * Kept findings and their risk as events, under the names that Enterprise Security has for them, so that published
 * searches read them as they are. The fields of the finding's own result stand beside those; where both have a name the
 * result's goes by `orig_`.
 */
import { ticksIn } from '../../core/time.ts'
import { type Attack, taggedBy } from '../../rules/attack.ts'
import type { Rule } from '../../rules/rule.ts'
import type { EventFields, FoundEntity, FoundThreat } from '../finding.ts'
import { STATUS_WORDS } from '../triage/words.ts'
import { entityKey } from './entities.ts'
import { incidentNumber, type KeptFinding, type KeptRisk } from './kept.ts'
import type { IncidentView } from './members.ts'

type FieldValue = string | readonly string[] | null

/** Names and values of an event, in parallel. */
export interface OwnEvent {
  readonly id: string
  readonly time: string
  readonly host: string
  readonly names: readonly string[]
  readonly values: readonly FieldValue[]
  readonly raw: string
}

/** Fields that say where and when an event was; of a finding they say it of the finding. */
const OF_EVENT = new Set(['host', 'source', 'sourcetype', 'index', 'splunk_server'])

/** Names that only we give: what a log says under one of them must decide nothing. */
const OURS = new Set(
  (
    'finding_id is_backfill is_derived more_hits reviewer comment custom_details uncapped_risk_score ' +
    'no_incident incident_id incident_key incident_title incident_description incident_urgency ' +
    'incident_status incident_disposition incident_created incident_first incident_last'
  ).split(' '),
)

/** Seconds since 1970 as Splunk writes them: whole ones plainly. */
function epochOf(iso: string): string {
  const ticks = ticksIn(iso)
  const whole = ticks / 10_000_000n
  const rest = ticks % 10_000_000n
  return rest === 0n ? String(whole) : String(Number(ticks) / 10_000_000)
}

/** What a rule says of itself, under the names of Enterprise Security; made once for all findings of a run. */
export function annotationsOf(rule: Rule, tags: readonly string[], attack: Attack): EventFields {
  const { tactics, techniques } = taggedBy(tags, attack)
  const mitre = 'annotations.mitre_attack'
  const stories = rule.spl?.stories ?? []
  const ids = techniques.map((each) => each.id)
  const cves = tags.filter((each) => /^cve[.-]/i.test(each)).map((each) => each.toUpperCase())
  const frameworks = [
    ...(ids.length + tactics.length > 0 ? ['mitre_attack'] : []),
    ...(stories.length > 0 ? ['analytic_story'] : []),
    ...(cves.length > 0 ? ['cve'] : []),
  ]
  return {
    'annotations._all': [...stories, ...ids, ...cves],
    'annotations._frameworks': frameworks,
    'annotations.analytic_story': stories,
    [mitre]: ids,
    [`${mitre}.mitre_tactic`]: tactics.map((each) => each.short),
    [`${mitre}.mitre_tactic_id`]: tactics.map((each) => each.id),
    [`${mitre}.mitre_technique`]: techniques.map((each) => each.name).filter((each) => each !== ''),
    [`${mitre}.mitre_technique_id`]: ids,
    analyticstories: stories,
    alert_tactics: tactics.map(({ short }) => pascal(short)).join(','),
    alert_category: tactics[0] === undefined ? '' : pascal(tactics[0].short),
    alert_techniques: ids.length === 0 ? '' : JSON.stringify(ids),
    ...drilldowns(rule),
  }
}

/** `credential-access` as Sentinel and Defender write it. */
function pascal(short: string): string {
  return short.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

function drilldowns(rule: Rule): EventFields {
  const all = rule.spl?.drilldowns ?? []
  const [first] = all
  if (first === undefined) return {}
  const listed = all.map(({ name, search, earliest, latest }) => ({
    name,
    search,
    earliest_offset: earliest,
    latest_offset: latest,
  }))
  return {
    drilldown_name: first.name,
    drilldown_search: first.search,
    drilldown_earliest_offset: first.earliest,
    drilldown_latest_offset: first.latest,
    drilldown_searches: JSON.stringify(listed),
  }
}

/** What a finding and its risk both say: the run, the rule, and what is evidence. */
function commonFields(finding: KeptFinding, annotations: EventFields): EventFields {
  const threats: readonly FoundThreat[] = finding.threat_objects ?? []
  return {
    rule_id: finding.rule_id,
    rule_key: finding.rule_key,
    rule_version: finding.rule_version,
    rule_name: finding.rule_title,
    rule_title: finding.title ?? finding.rule_title,
    language: finding.language,
    search_name: finding.search_name,
    security_domain: finding.security_domain,
    level: finding.level,
    severity: finding.severity,
    orig_time: epochOf(finding.time),
    info_min_time: finding.window.from === undefined ? '0' : epochOf(finding.window.from),
    info_max_time: epochOf(finding.window.to ?? finding.run_at),
    info_search_time: epochOf(finding.run_at),
    threat_object: threats.map((each) => each.value),
    threat_object_type: threats.map((each) => each.type),
    tags: finding.tags,
    ...annotations,
    ...finding.context,
  }
}

/** The fields of a result beside ours; ours hold, and a field that says where the event was says it of the original. */
function beside(own: EventFields, result: EventFields): EventFields {
  const fields: [string, FieldValue][] = Object.entries(own).filter(([, value]) => isSaid(value))
  const taken = new Set([...Object.keys(own), ...fields.map(([name]) => name)])
  for (const [name, value] of Object.entries(result)) {
    if (name.startsWith('_')) continue
    const isTaken =
      OF_EVENT.has(name) || OURS.has(name) || (taken.has(name) && isSaid(own[name] ?? null))
    const free = isTaken ? `orig_${name}` : name
    if (isTaken && taken.has(free)) continue
    taken.add(free)
    fields.push([free, value])
  }
  return Object.fromEntries(fields)
}

function isSaid(value: FieldValue): boolean {
  return value !== null && value.length > 0
}

function event(id: string, finding: KeptFinding, fields: EventFields, raw: string): OwnEvent {
  return {
    id,
    time: finding.time,
    host: finding.host,
    names: Object.keys(fields),
    values: Object.values(fields),
    raw,
  }
}

/** Entities in the form of Sentinel's `Entities`. */
function alertEntities(entities: readonly FoundEntity[]): string {
  const all = entities.map(({ type, ...identifiers }, at) => ({
    $id: String(at + 1),
    ...identifiers,
    Type: type.toLowerCase(),
  }))
  return JSON.stringify(all)
}

/** What the service keeps of an alert beside its columns: custom details, and the rule and times of the run. */
function extendedProperties({ details, rule_id, rule_title, window }: KeptFinding): string {
  return JSON.stringify({
    ...(details === undefined ? {} : { 'Custom Details': JSON.stringify(details) }),
    'Analytic Rule Ids': JSON.stringify([rule_id]),
    'Analytic Rule Name': rule_title,
    ...(window.from === undefined ? {} : { 'Query Start Time UTC': window.from }),
    ...(window.to === undefined ? {} : { 'Query End Time UTC': window.to }),
  })
}

/** What a finding and each change of it say of it as an incident, alone or with others. */
function incidentFields(finding: KeptFinding, incident?: IncidentView): EventFields {
  return {
    rule_title: finding.title ?? finding.rule_title,
    rule_description: finding.description ?? finding.rule_description,
    urgency: finding.urgency,
    kept_at: finding.kept_at,
    finding_time: finding.time,
    incident_number: String(incidentNumber(incident?.id ?? finding.id)),
    alert_ids: incident?.alerts ?? [finding.id],
    rule_ids: [finding.rule_id],
    ...(finding.is_alert_only === true ? { no_incident: 'true' } : {}),
    ...(incident === undefined
      ? {}
      : {
          incident_id: incident.id,
          incident_key: incident.key,
          incident_title: incident.title,
          incident_description: incident.description,
          incident_urgency: incident.urgency,
          incident_status: STATUS_WORDS[incident.status].splunk,
          incident_created: incident.created,
          incident_first: incident.first,
          incident_last: incident.last,
        }),
  }
}

/** What has become of a finding, as its change says it. */
export interface FindingChange {
  /** Fixed id of the change. */
  readonly id: string
  /** ISO 8601 UTC. */
  readonly time: string
  readonly author: string
  /** Of the finding from now on: `New`, `In Progress`, `Pending`, `Resolved` or `Closed`. */
  readonly status: string
  readonly owner: string
  /** `Undetermined`, `True Positive`, `Benign Positive` or `False Positive`. */
  readonly disposition: string
  readonly urgency: string
  readonly note: string
}

/** Numbers of Enterprise Security. */
const STATUS = new Map([
  ['Unassigned', '0'],
  ['New', '1'],
  ['In Progress', '2'],
  ['Pending', '3'],
  ['Resolved', '4'],
  ['Closed', '5'],
])
const DISPOSITION = new Map([
  ['True Positive', 'disposition:1'],
  ['Benign Positive', 'disposition:2'],
  ['False Positive', 'disposition:3'],
  ['Undetermined', 'disposition:6'],
])

/** The event of a change of a finding. */
export function changeEvent(
  finding: KeptFinding,
  change: FindingChange,
  incident?: IncidentView,
): OwnEvent {
  const isOpen = incident !== undefined && incident.status !== 'closed'
  const fields: EventFields = {
    ...incidentFields(finding, incident),
    // What one finding was found to be says it of all only once all are closed.
    ...(isOpen ? { incident_disposition: 'Undetermined' } : {}),
    id: change.id,
    finding_id: finding.id,
    event_id: finding.event_id,
    rule_id: finding.rule_id,
    rule_key: finding.rule_key,
    rule_name: finding.rule_title,
    severity: finding.severity,
    urgency: change.urgency,
    owner: change.owner === '' ? 'unassigned' : change.owner,
    status: STATUS.get(change.status) ?? '1',
    status_label: change.status,
    status_group: change.status === 'New' || change.status === 'Closed' ? change.status : 'Open',
    disposition: DISPOSITION.get(change.disposition) ?? 'disposition:6',
    disposition_label: change.disposition,
    reviewer: change.author,
    comment: change.note,
    ...(finding.is_derived === true ? { is_derived: 'true' } : {}),
  }
  const raw = JSON.stringify(fields)
  return { ...event(change.id, finding, fields, raw), time: change.time }
}

/** The event of a finding. */
export function findingEvent(
  finding: KeptFinding,
  annotations: EventFields,
  incident?: IncidentView,
): OwnEvent {
  const { risks, entities = [] } = finding
  const own: EventFields = {
    id: finding.id,
    event_id: finding.event_id,
    ...incidentFields(finding, incident),
    owner: 'unassigned',
    status: '1',
    status_label: 'New',
    status_group: 'New',
    disposition: 'disposition:6',
    disposition_label: 'Undetermined',
    run_at: finding.run_at,
    extended_properties: extendedProperties(finding),
    orig_source: finding.source,
    orig_host: finding.host,
    alert_entities: alertEntities(entities),
    entity_keys: entities.map(entityKey).filter((each) => each !== ''),
    ...(finding.more === undefined ? {} : { more_hits: String(finding.more) }),
    ...(finding.is_backfill === true ? { is_backfill: 'true' } : {}),
    ...(finding.is_derived === true ? { is_derived: 'true' } : {}),
    ...commonFields(finding, annotations),
    ...(risks.length === 0
      ? {}
      : {
          risk_object: [...new Set(risks.map((each) => each.value))],
          risk_object_type: [...new Set(risks.map((each) => each.type))],
          normalized_risk_object: [...new Set(risks.map((each) => each.normalized))],
          risk_score: String(finding.risk_score),
          risk_message: risks[0]?.message ?? '',
        }),
  }
  const fields = beside(own, finding.event)
  return event(finding.id, finding, fields, JSON.stringify(finding))
}

/** The event of one risk of a finding. */
export function riskEvent(
  finding: KeptFinding,
  risk: KeptRisk,
  annotations: EventFields,
): OwnEvent {
  const own: EventFields = {
    id: risk.id,
    finding_id: finding.id,
    event_id: finding.event_id,
    risk_object: risk.value,
    risk_object_type: risk.type,
    normalized_risk_object: risk.normalized,
    risk_score: String(risk.score),
    calculated_risk_score: String(risk.calculated),
    risk_message: risk.message,
    risk_factor_add_matched: risk.added,
    risk_factor_mult_matched: risk.multiplied,
    risk_modifier_count: '1',
    savedsearch_description: finding.rule_description,
    ...(risk.uncapped === undefined ? {} : { uncapped_risk_score: String(risk.uncapped) }),
    ...commonFields(finding, annotations),
  }
  const fields = beside(own, finding.event)
  return event(risk.id, finding, fields, JSON.stringify(fields))
}
