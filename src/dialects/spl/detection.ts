/**
 * Detections, baselines and investigations of Splunk content in YAML. Three generations of keys are read: risk under
 * `tags` (to 2024), under `rba` (2025 on), and under `finding` and `intermediate_findings` (2026 on).
 */
import { contentId } from '../../core/contentid.ts'
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import { Fields } from '../../core/fields.ts'
import { placingOf } from '../../core/placing.ts'
import type { Span } from '../../core/span.ts'
import { suggest } from '../../core/suggest.ts'
import { plainOf, type YamlMap } from '../../core/yaml.ts'
import { readNotable, readSchedule } from './deployment.ts'
import {
  type DetectionTest,
  type Drilldown,
  PLAIN_RULE,
  type RiskObject,
  RULE_TYPES,
  SPL_SEVERITIES,
  type SplDocument,
  type SplRule,
  type SplRuleType,
  type SplSeverity,
  severityOfScores,
  type ThreatObject,
  type Throttling,
} from './rule.ts'

const words = (text: string): readonly string[] => text.split(' ')

/** Keys that are read or are known to say nothing about what the rule does. */
const KNOWN = words(
  'name id version date creation_date modification_date author status type description data_source data_sources ' +
    'datamodel search how_to_implement known_false_positives references drilldown_searches tags tests rba finding ' +
    'intermediate_findings threat_objects deployment inputs analytic_story mitre_attack_id asset_type product ' +
    'security_domain cve atomic_guid group category throttling severity confidence impact risk_score message observable ' +
    'required_fields manual_test kill_chain_phases nist cis20 detections context dataset macros lookups usecase ' +
    'automated_detection_testing enabled_by_default deprecation_info removal_info replacement_contents source test_type',
)

const RISK_TYPES = ['system', 'user', 'other']

/** Kinds of observables of the first generation that are users and systems; all others are `other`. */
const USERS = new Set(['user', 'user name', 'username', 'email address'])
const SYSTEMS = new Set(['hostname', 'endpoint', 'ip address', 'device', 'host', 'system'])
/** Kinds of observables whose name as a threat object is another one. */
const THREATS: ReadonlyMap<string, string> = new Map([
  ['url string', 'url'],
  ['uniform resource locator', 'url'],
  ['hash', 'file_hash'],
  ['file', 'file_name'],
  ['registry key', 'registry_path'],
  ['user agent', 'http_user_agent'],
])

const PERIODS: ReadonlyMap<string, number> = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3_600],
  ['d', 86_400],
])

/** What is read of a rule beside its search, and where the fields of its result are named. */
class Reading {
  readonly fields: Fields
  readonly tags: Fields | undefined
  readonly spans = new Map<string, Span>()
  readonly diagnostics: Diagnostic[]

  constructor(fields: Fields) {
    this.fields = fields
    this.tags = fields.map('tags')
    this.diagnostics = fields.diagnostics
  }

  /** A text of the rule or, in older generations, of its tags. */
  text(...keys: readonly string[]): string {
    return this.fields.text(...keys) ?? this.tags?.text(...keys) ?? ''
  }

  texts(...keys: readonly string[]): readonly string[] {
    const own = this.fields.texts(...keys)
    return [...new Set(own.length > 0 ? own : (this.tags?.texts(...keys) ?? []))]
  }

  /** Notes where a field of the result is named. */
  use(name: string, span: Span | undefined): void {
    if (span !== undefined && !this.spans.has(name)) this.spans.set(name, span)
  }

  /** A text in which `$field$` stands for values. */
  message(fields: Fields, ...keys: readonly string[]): string {
    const text = fields.text(...keys) ?? ''
    for (const name of tokensOf(text)) this.use(name, fields.get(...keys)?.span)
    return text
  }

  unknown(key: string, value: string, known: readonly string[], effect: string, span?: Span): void {
    const near = suggest(value, known)
    const params = { key, value: value.slice(0, 64), known: near ?? known.join(', '), effect }
    this.diagnostics.push(diagnose('HR457', params, span))
  }

  score(fields: Fields, key: string): number | undefined {
    const text = fields.text(key)
    if (text === undefined) return undefined
    const value = Number(text)
    if (text !== '' && value >= 0 && value <= 100) return value
    const params = { key, value: text.slice(0, 64) }
    this.diagnostics.push(diagnose('HR552', params, fields.get(key)?.span))
    return undefined
  }
}

/** The names of the fields that stand between dollar signs in a text, each once. */
export function tokensOf(text: string): readonly string[] {
  return [...new Set([...text.matchAll(/\$([^$\s]{1,256})\$/g)].map(([, name = '']) => name))]
}

function riskObject(from: Reading, fields: Fields, scored?: number): readonly RiskObject[] {
  const field = fields.text('field') ?? ''
  if (field === '') return []
  from.use(field, fields.get('field')?.span)
  const type = (fields.text('type') ?? 'other').toLowerCase()
  if (!RISK_TYPES.includes(type)) {
    from.unknown('type', type, RISK_TYPES, 'it is kept', fields.get('type')?.span)
  }
  const message = from.message(fields, 'message', 'title')
  const score = from.score(fields, 'score') ?? scored ?? 0
  return [{ field, type, score, ...(message === '' ? {} : { message }) }]
}

function threatObject(from: Reading, fields: Fields): readonly ThreatObject[] {
  const field = fields.text('field') ?? ''
  if (field === '') return []
  from.use(field, fields.get('field')?.span)
  return [{ field, type: (fields.text('type') ?? '').toLowerCase() }]
}

interface Risk {
  readonly message: string
  readonly objects: readonly RiskObject[]
  readonly threats: readonly ThreatObject[]
  /** Scores that say how severe a hit is. */
  readonly scores: readonly number[]
}

/** The first generation: one score for all, and observables with the role that they play. */
function observedRisk(from: Reading, tags: Fields): Risk {
  const score = from.score(tags, 'risk_score')
  const objects: RiskObject[] = []
  const threats: ThreatObject[] = []
  for (const each of tags.maps('observable')) {
    const field = each.text('name') ?? ''
    const kind = (each.text('type') ?? '').toLowerCase()
    const roles = each.texts('role').map((role) => role.toLowerCase())
    if (field === '') continue
    if (roles.includes('victim')) {
      const type = USERS.has(kind) ? 'user' : SYSTEMS.has(kind) ? 'system' : 'other'
      objects.push({ field, type, score: score ?? 0 })
    } else if (roles.includes('attacker')) {
      threats.push({ field, type: THREATS.get(kind) ?? kind.replace(/\s+/g, '_') })
    } else continue
    from.use(field, each.get('name')?.span)
  }
  return {
    message: from.message(tags, 'message'),
    objects,
    threats,
    scores: score === undefined ? [] : [score],
  }
}

function readRisk(from: Reading): Risk {
  const { fields, tags } = from
  const rba = fields.map('rba')
  const finding = fields.map('finding')
  const middle = fields.map('intermediate_findings')
  if (rba === undefined && finding === undefined && middle === undefined) {
    const old = tags?.get('observable') ?? tags?.get('risk_score')
    if (tags !== undefined && old !== undefined) return observedRisk(from, tags)
  }
  const threats = [...(rba?.maps('threat_objects') ?? []), ...fields.maps('threat_objects')]
  const message = [
    rba === undefined ? '' : from.message(rba, 'message'),
    finding === undefined ? '' : from.message(finding, 'title', 'message'),
    middle === undefined ? '' : from.message(middle, 'title', 'message'),
  ].find((each) => each !== '')
  const entities = [
    ...(rba?.maps('risk_objects') ?? []),
    ...(finding?.maps('entity', 'entities') ?? []),
    ...(middle?.maps('entities', 'entity') ?? []),
  ]
  const objects = entities.flatMap((each) => riskObject(from, each))
  return {
    message: message ?? objects.find((each) => each.message !== undefined)?.message ?? '',
    objects,
    threats: threats.flatMap((each) => threatObject(from, each)),
    scores: objects.map((each) => each.score),
  }
}

function readType(from: Reading): SplRuleType | undefined {
  const text = from.fields.text('type')
  if (text === undefined) return undefined
  const found = RULE_TYPES.find((each) => each.toLowerCase() === text.toLowerCase())
  if (found === undefined) {
    const effect = 'the rule runs once over all that is there'
    from.unknown('type', text, RULE_TYPES, effect, from.fields.get('type')?.span)
  }
  return found
}

function readSeverity(from: Reading, type: SplRuleType | undefined, risk: Risk): SplSeverity {
  const text = from.text('severity').toLowerCase()
  const named = SPL_SEVERITIES.find((each) => each === text)
  if (named !== undefined) return named
  return type === 'Baseline' || type === 'Investigation'
    ? 'informational'
    : severityOfScores(risk.scores)
}

/** Seconds of a period such as `3600s`; undefined when it is none. */
export function periodSeconds(text: string): number | undefined {
  const found = /^(\d{1,9})\s{0,4}([smhd])?$/.exec(text.trim())
  if (found === null) return undefined
  return Number(found[1]) * (PERIODS.get(found[2] ?? 's') ?? 1)
}

function readThrottling(from: Reading): Throttling | undefined {
  const fields = from.fields.map('throttling') ?? from.tags?.map('throttling')
  if (fields === undefined) return undefined
  const names = fields.texts('fields')
  const period = fields.text('period') ?? ''
  const seconds = periodSeconds(period)
  if (seconds === undefined || names.length === 0) {
    const key = seconds === undefined ? 'throttling.period' : 'throttling.fields'
    const wanted = seconds === undefined ? 'a time such as 3600s, 60m or 24h' : 'a list of fields'
    from.diagnostics.push(diagnose('HR456', { key, wanted }, fields.node.span))
    return undefined
  }
  for (const name of names) from.use(name, fields.get('fields')?.span)
  return { fields: names, seconds }
}

function readDrilldown(fields: Fields): readonly Drilldown[] {
  const search = fields.text('search') ?? ''
  if (search === '') return []
  return [
    {
      name: fields.text('name') ?? '',
      search,
      earliest: fields.text('earliest_offset') ?? '',
      latest: fields.text('latest_offset') ?? '',
    },
  ]
}

function readTest(fields: Fields): DetectionTest {
  return {
    name: fields.text('name') ?? '',
    type: fields.text('test_type') ?? 'unit',
    data: fields.maps('attack_data').map((each) => ({
      data: each.text('data') ?? '',
      source: each.text('source') ?? '',
      sourcetype: each.text('sourcetype') ?? '',
      host: each.text('host') ?? '',
      index: each.text('custom_index') ?? '',
    })),
  }
}

/** Techniques of ATT&CK; what has not their form is told. */
function readTechniques(from: Reading): readonly string[] {
  return from.texts('mitre_attack_id').flatMap((each) => {
    const id = /^T\d{4}(?:\.\d{3})?$/i.exec(each)?.[0]
    if (id !== undefined) return [id.toUpperCase()]
    const node = from.fields.get('mitre_attack_id') ?? from.tags?.get('mitre_attack_id')
    const known = ['T1059', 'T1059.001']
    from.unknown('technique', each, known, 'it is not used', node?.span)
    return []
  })
}

/** Keys that nobody knows here: told and kept. */
function readCustom(from: Reading): ReadonlyMap<string, unknown> {
  const entries = [...from.fields.node.entries, ...(from.tags?.node.entries ?? [])]
  const unknown = entries.filter(({ key }) => !KNOWN.includes(key.toLowerCase()))
  for (const { key, keySpan } of unknown) {
    const near = suggest(key, KNOWN)
    const guess = near === undefined ? '' : ` (did you mean "${near}"?)`
    from.diagnostics.push(diagnose('HR551', { key: key.slice(0, 64), guess }, keySpan))
  }
  return new Map(unknown.map(({ key, value }) => [key, plainOf(value)]))
}

function readRule(from: Reading): SplRule {
  const { fields } = from
  const type = readType(from)
  const risk = readRisk(from)
  const throttling = readThrottling(from)
  const deployment = fields.map('deployment')
  const schedule = deployment === undefined ? undefined : readSchedule(deployment, type)
  const notable = deployment === undefined ? undefined : readNotable(deployment)
  return {
    ...PLAIN_RULE,
    form: 'detection',
    id: fields.text('id') ?? '',
    name: fields.text('name') ?? '',
    version: fields.text('version') ?? '',
    date: fields.text('creation_date', 'date') ?? '',
    modified: fields.text('modification_date', 'date') ?? '',
    author: fields.text('author') ?? '',
    status: fields.text('status') ?? '',
    ...(type === undefined ? {} : { type }),
    description: fields.text('description') ?? '',
    dataSources: fields.texts('data_source', 'data_sources'),
    implementation: fields.text('how_to_implement') ?? '',
    falsePositives: fields.text('known_false_positives') ?? '',
    references: fields.texts('references'),
    stories: from.texts('analytic_story'),
    techniques: readTechniques(from),
    cves: from.texts('cve'),
    groups: from.texts('group'),
    assetType: from.text('asset_type'),
    products: from.texts('product'),
    securityDomain: from.text('security_domain'),
    severity: readSeverity(from, type, risk),
    riskMessage: risk.message,
    riskObjects: risk.objects,
    threatObjects: risk.threats,
    drilldowns: fields.maps('drilldown_searches').flatMap(readDrilldown),
    ...(throttling === undefined ? {} : { throttling }),
    tests: fields.maps('tests').map(readTest),
    ...(schedule === undefined ? {} : { schedule }),
    ...(notable === undefined ? {} : { notable }),
    hasRisk: fields.get('rba', 'finding', 'intermediate_findings') !== undefined,
    inputs: fields.texts('inputs'),
    custom: readCustom(from),
  }
}

/** Reads a detection, a baseline or an investigation. */
export function readDetection(source: string, node: YamlMap): SplDocument {
  const diagnostics: Diagnostic[] = []
  const fields = new Fields(node, diagnostics)
  const from = new Reading(fields)
  const rule = readRule(from)
  const query = fields.get('search')
  const search = query?.kind === 'scalar' ? query.text : ''
  if (search.trim() === '') {
    const { start } = query?.span ?? node.span
    diagnostics.push(diagnose('HR550', { what: 'rule' }, { start, end: start + 1 }))
  }
  if (rule.inputs.length > 0) {
    const inputs = rule.inputs.join(', ').slice(0, 200)
    diagnostics.push(diagnose('HR553', { inputs }, fields.get('inputs')?.span))
  }
  return {
    rule: rule.id === '' ? { ...rule, id: contentId('spl', rule.name, search) } : rule,
    search,
    place: query?.kind === 'scalar' ? placingOf(source, query) : (span) => span,
    diagnostics,
    span: node.span,
    macros: [],
    fieldSpans: from.spans,
  }
}
