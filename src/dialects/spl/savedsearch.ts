/** Saved searches of an app (`savedsearches.conf`) as rules: correlation searches with their actions, and plain ones. */
import { contentId } from '../../core/contentid.ts'
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import type { Span } from '../../core/span.ts'
import { suggest } from '../../core/suggest.ts'
import type { Stanza } from './conf.ts'
import { periodSeconds, tokensOf } from './detection.ts'
import {
  type Drilldown,
  PLAIN_RULE,
  type RiskObject,
  SPL_SEVERITIES,
  type SplDocument,
  type SplRule,
  type SplSeverity,
  severityOfScores,
  type ThreatObject,
  type Throttling,
} from './rule.ts'

/** Beginnings of keys that Splunk knows, with those that say nothing about what is found. */
const FAMILIES =
  /^(?:action\.|alert\.|alert_|dispatch\.|display\.|request\.|auto_summarize|schedule_|embed\.|durable\.|defer_scheduled|workload_pool|federated\.|federation)/
const KNOWN = (
  'search description cron_schedule disabled enableSched is_scheduled is_visible counttype quantity relation ' +
  'realtime_schedule allow_skew max_concurrent run_on_startup run_n_times restart_on_searchpeer_add vsid qualifiedSearch ' +
  'sendresults nextrun precalculate_required_fields_for_alerts estimatedResultCount earliestTime latestTime userid ' +
  'role role_restriction skip_scheduled_realtime_idxc schedule_priority eventtypes search_type'
).split(' ')

/** Numbers that `alert.severity` gives severities. */
const ALERT_SEVERITIES: readonly SplSeverity[] = [
  'informational',
  'informational',
  'low',
  'medium',
  'high',
  'critical',
]

class Reading {
  readonly stanza: Stanza
  readonly diagnostics: Diagnostic[] = []
  readonly spans = new Map<string, Span>()

  constructor(stanza: Stanza) {
    this.stanza = stanza
  }

  text(...keys: readonly string[]): string {
    for (const key of keys) {
      const text = this.stanza.settings.get(key)?.text.trim()
      if (text !== undefined && text !== '') return text
    }
    return ''
  }

  span(key: string): Span | undefined {
    return this.stanza.settings.get(key)?.span
  }

  flag(key: string): boolean | undefined {
    const text = this.text(key).toLowerCase()
    if (text === '') return undefined
    if (/^(?:1|true|t|yes|y|on|enabled)$/.test(text)) return true
    if (/^(?:0|false|f|no|n|off|disabled)$/.test(text)) return false
    this.diagnostics.push(diagnose('HR456', { key, wanted: '0 or 1' }, this.span(key)))
    return undefined
  }

  list(key: string): readonly string[] {
    const parts = this.text(key).split(/[\s,]+/)
    return parts.filter((each) => each !== '')
  }

  /** The items of a JSON list; something else is told and not used. */
  items(key: string): readonly unknown[] {
    const text = this.text(key)
    if (text === '') return []
    const value = parsed(text)
    if (Array.isArray(value)) return value
    this.diagnostics.push(diagnose('HR456', { key, wanted: 'a JSON list' }, this.span(key)))
    return []
  }

  use(name: string, key: string): void {
    const span = this.span(key)
    if (span !== undefined && !this.spans.has(name)) this.spans.set(name, span)
  }

  message(key: string): string {
    const text = this.text(key)
    for (const name of tokensOf(text)) this.use(name, key)
    return text
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A member of a JSON object as a text. */
function memberOf(value: unknown, key: string): string {
  if (value === null || typeof value !== 'object' || !Object.hasOwn(value, key)) return ''
  const member: unknown = Reflect.get(value, key)
  return typeof member === 'string' || typeof member === 'number' ? String(member) : ''
}

function textsOf(value: unknown, key: string): readonly string[] {
  if (value === null || typeof value !== 'object' || !Object.hasOwn(value, key)) return []
  const member: unknown = Reflect.get(value, key)
  return Array.isArray(member)
    ? member.flatMap((each) => (typeof each === 'string' ? [each] : []))
    : []
}

const RISK = 'action.risk.param._risk'

function readRisk(from: Reading) {
  const objects: RiskObject[] = []
  const threats: ThreatObject[] = []
  for (const each of from.items(RISK)) {
    const field = memberOf(each, 'risk_object_field')
    const threat = memberOf(each, 'threat_object_field')
    const score = Number(memberOf(each, 'risk_score') || '0')
    if (field !== '') {
      const type = memberOf(each, 'risk_object_type') || 'other'
      objects.push({ field, type, score: Number.isFinite(score) ? score : 0 })
      from.use(field, RISK)
    }
    if (threat !== '') {
      threats.push({ field: threat, type: memberOf(each, 'threat_object_type') })
      from.use(threat, RISK)
    }
  }
  return { objects, threats, message: from.message('action.risk.param._risk_message') }
}

function readThrottling(from: Reading): Throttling | undefined {
  if (from.flag('alert.suppress') !== true) return undefined
  const seconds = periodSeconds(from.text('alert.suppress.period'))
  if (seconds === undefined) {
    const params = { key: 'alert.suppress.period', wanted: 'a time such as 3600s, 60m or 24h' }
    from.diagnostics.push(diagnose('HR456', params, from.span('alert.suppress')))
    return undefined
  }
  const fields = from.list('alert.suppress.fields')
  for (const name of fields) from.use(name, 'alert.suppress.fields')
  return { fields, seconds }
}

function readSeverity(from: Reading, objects: readonly RiskObject[]): SplSeverity | undefined {
  const named = from.text('action.notable.param.severity').toLowerCase()
  const known = SPL_SEVERITIES.find((each) => each === named)
  if (known !== undefined) return known
  if (objects.length > 0) return severityOfScores(objects.map((each) => each.score))
  const number = Number(from.text('alert.severity') || '-1')
  return ALERT_SEVERITIES[number]
}

function readDrilldowns(from: Reading): readonly Drilldown[] {
  const old = from.text('action.notable.param.drilldown_search')
  const single: Drilldown = {
    name: from.text('action.notable.param.drilldown_name'),
    search: old,
    earliest: from.text('action.notable.param.drilldown_earliest_offset'),
    latest: from.text('action.notable.param.drilldown_latest_offset'),
  }
  const many = from.items('action.notable.param.drilldown_searches').map((each) => ({
    name: memberOf(each, 'name'),
    search: memberOf(each, 'search'),
    earliest: memberOf(each, 'earliest_offset') || memberOf(each, 'earliest'),
    latest: memberOf(each, 'latest_offset') || memberOf(each, 'latest'),
  }))
  return old === '' ? many : [single, ...many]
}

/** `ESCU - Name - Rule` as the name. */
function plainName(stanza: string): string {
  return /^[\w .]{1,40}? - (.{1,300}) - Rule$/.exec(stanza)?.[1] ?? stanza
}

function readCustom(from: Reading): ReadonlyMap<string, unknown> {
  const unknown = [...from.stanza.settings].filter(
    ([key]) => !KNOWN.includes(key) && !FAMILIES.test(key),
  )
  for (const [key, { span }] of unknown) {
    const near = suggest(key, KNOWN)
    const guess = near === undefined ? '' : ` (did you mean "${near}"?)`
    from.diagnostics.push(diagnose('HR551', { key: key.slice(0, 64), guess }, span))
  }
  return new Map(unknown.map(([key, { text }]) => [key, text]))
}

function readRule(from: Reading): SplRule {
  const { stanza } = from
  const annotations = parsed(from.text('action.correlationsearch.annotations'))
  const metadata = parsed(from.text('action.correlationsearch.metadata'))
  const { objects, threats, message } = readRisk(from)
  const throttling = readThrottling(from)
  const severity = readSeverity(from, objects)
  const cron = from.text('cron_schedule')
  const isScheduled = (from.flag('enableSched') ?? from.flag('is_scheduled')) !== false
  const stories = parsed(from.text('action.escu.analytic_story'))
  return {
    ...PLAIN_RULE,
    form: 'savedsearch',
    id: memberOf(metadata, 'detection_id'),
    name: from.text('action.correlationsearch.label') || plainName(stanza.name),
    version: memberOf(metadata, 'detection_version'),
    date: from.text('action.escu.creation_date'),
    modified: from.text('action.escu.modification_date'),
    enabled: from.flag('disabled') !== true,
    description: from.text('description', 'action.escu.eli5'),
    implementation: from.text('action.escu.how_to_implement'),
    falsePositives: from.text('action.escu.known_false_positives'),
    stories: Array.isArray(stories)
      ? stories.flatMap((each) => (typeof each === 'string' ? [each] : []))
      : textsOf(annotations, 'analytic_story'),
    techniques: textsOf(annotations, 'mitre_attack').map((each) => each.toUpperCase()),
    cves: textsOf(annotations, 'cve'),
    assetType: from.text('action.escu.asset_type'),
    securityDomain: from.text('action.notable.param.security_domain'),
    ...(severity === undefined ? {} : { severity }),
    riskMessage: message,
    riskObjects: objects,
    threatObjects: threats,
    drilldowns: readDrilldowns(from),
    ...(throttling === undefined ? {} : { throttling }),
    ...(cron === '' || !isScheduled
      ? {}
      : {
          schedule: {
            cron,
            earliest: from.text('dispatch.earliest_time'),
            latest: from.text('dispatch.latest_time'),
            window: from.text('schedule_window'),
          },
        }),
    ...(from.flag('action.notable') === true
      ? {
          notable: {
            title: from.message('action.notable.param.rule_title') || '%name%',
            description: from.message('action.notable.param.rule_description') || '%description%',
            fields: from.list('action.notable.param.nes_fields'),
          },
        }
      : {}),
    hasRisk: from.flag('action.risk') === true,
    custom: readCustom(from),
  }
}

/**
 * The document of a stanza; undefined for one without a search. `file` may be another file than the one that some of its
 * settings come from: then those have no place.
 */
export function readSavedSearch(stanza: Stanza): SplDocument | undefined {
  const setting = stanza.settings.get('search')
  if (setting === undefined || setting.text.trim() === '') return undefined
  const from = new Reading(stanza)
  const rule = readRule(from)
  if (!rule.enabled) from.diagnostics.push(diagnose('HR468', {}, from.span('disabled')))
  return {
    rule: rule.id === '' ? { ...rule, id: contentId('spl', rule.name, setting.text) } : rule,
    search: setting.text,
    place: setting.place,
    diagnostics: from.diagnostics,
    span: stanza.span,
    macros: [],
    fieldSpans: from.spans,
  }
}
