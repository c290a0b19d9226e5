/**
 * Sentinel rules and hunting queries: a map of keys, from YAML or from the properties of an exported resource, to a
 * rule with all its fields checked.
 */
import { contentId } from '../../core/contentid.ts'
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import { Fields } from '../../core/fields.ts'
import { placingOf } from '../../core/placing.ts'
import { suggest } from '../../core/suggest.ts'
import { plainOf, textOf, type YamlMap, type YamlNode } from '../../core/yaml.ts'
import { durationOf, printDuration } from './duration.ts'
import { ENTITY_TYPES, entityTypeOf, identifierOf } from './entity.ts'
import {
  ALERT_DETAILS,
  type AlertDetails,
  type ColumnUse,
  type EntityMapping,
  type IncidentGrouping,
  type KustoDocument,
  type KustoRule,
  type KustoTrigger,
  MATCHING_METHODS,
  type NamedColumn,
  PLAIN_RULE,
  SEVERITIES,
  type TriggerOperator,
} from './rule.ts'

/** Kinds whose logic is inside the service. */
const SERVICE_KINDS = [
  'Fusion',
  'MLBehaviorAnalytics',
  'MicrosoftSecurityIncidentCreation',
  'ThreatIntelligence',
]
const QUERY_KINDS = ['Scheduled', 'NRT']

const OPERATORS: ReadonlyMap<string, TriggerOperator> = new Map([
  ['gt', 'gt'],
  ['greaterthan', 'gt'],
  ['lt', 'lt'],
  ['lessthan', 'lt'],
  ['eq', 'eq'],
  ['equal', 'eq'],
  ['ne', 'ne'],
  ['notequal', 'ne'],
])

const TACTICS = [
  'Reconnaissance',
  'ResourceDevelopment',
  'InitialAccess',
  'Execution',
  'Persistence',
  'PrivilegeEscalation',
  'DefenseEvasion',
  'CredentialAccess',
  'Discovery',
  'LateralMovement',
  'Collection',
  'CommandAndControl',
  'Exfiltration',
  'Impact',
  'PreAttack',
  'ImpairProcessControl',
  'InhibitResponseFunction',
  'Stealth',
  'DefenseImpairment',
]

/** Keys that are read or are known to say nothing about what the rule does. */
const KNOWN: readonly string[] = (
  'id name displayName title version templateVersion kind description severity status enabled ' +
  'requiredDataConnectors queryFrequency queryPeriod triggerOperator triggerThreshold suppressionEnabled ' +
  'suppressionDuration tactics techniques relevantTechniques subTechniques tags query entityMappings ' +
  'sentinelEntitiesMappings customDetails alertDetailsOverride eventGroupingSettings incidentConfiguration ' +
  'metadata author references alertRuleTemplateName lastModifiedUtc createdDateUTC lastUpdatedDateUTC ' +
  'alertRulesCreatedByTemplateCount etag category entityQueries startTimeUtc descriptionDetailed ' +
  'additionalInformation dependencies'
).split(' ')

/** What a wrong value of a rule leads to, as the message says it. */
const NOT_USED = 'it is not used'

/** The span of a value, for diagnostics. */
const spanOf = (fields: Fields, ...keys: readonly string[]) => fields.get(...keys)?.span

/** A word that must be one of some, whatever its case. */
function wordOf<T extends string>(
  fields: Fields,
  key: string,
  known: readonly T[],
  effect = NOT_USED,
): T | undefined {
  const text = fields.text(key)
  if (text === undefined) return undefined
  const found = known.find((each) => each.toLowerCase() === text.toLowerCase())
  if (found === undefined) {
    const params = { key, value: text.slice(0, 64), known: known.join(', '), effect }
    fields.diagnostics.push(diagnose('HR457', params, spanOf(fields, key)))
  }
  return found
}

/** The severity of a rule, under one of the keys that forms have for it. */
export function readSeverity(fields: Fields): KustoRule['severity'] {
  return wordOf(fields, 'severity', SEVERITIES, 'the rule counts as informational')
}

/** A description as people write it: the service's own files wrap it in single quotes. */
export function readDescription(fields: Fields, ...keys: readonly string[]): string {
  const text = fields.text(...keys) ?? ''
  const isWrapped = text.length > 1 && text.startsWith("'") && text.endsWith("'")
  return isWrapped ? text.slice(1, -1).trim() : text
}

/** A tactic as the service spells it; undefined when there is none. */
export function tacticNamed(text: string): string | undefined {
  const plain = text.replace(/[\s_-]/g, '').toLowerCase()
  return TACTICS.find((tactic) => tactic.toLowerCase() === plain)
}

/** Tactics as one word each; unknown ones are told and kept. */
export function readTactics(fields: Fields, ...keys: readonly string[]): readonly string[] {
  const given = fields.texts(...keys).map((each) => ({ each, tactic: tacticNamed(each) }))
  for (const { each, tactic } of given) {
    if (tactic !== undefined) continue
    const near = suggest(each, TACTICS)
    const known = near ?? TACTICS.slice(0, 14).join(', ')
    const params = { key: 'tactic', value: each.slice(0, 64), known, effect: 'it is kept' }
    fields.diagnostics.push(diagnose('HR457', params, spanOf(fields, ...keys)))
  }
  return [...new Set(given.map(({ each, tactic }) => tactic ?? each))]
}

/** Techniques of all the keys, each once, without the titles that some write after them. */
export function readTechniques(fields: Fields, ...keys: readonly string[]): readonly string[] {
  const found = keys.flatMap((key) =>
    fields.texts(key).flatMap((each) => {
      const id = /^T\d{4}(?:\.\d{3})?(?![\w.])/i.exec(each)?.[0]
      if (id !== undefined) return [id.toUpperCase()]
      const known = 'T1059, T1059.001'
      const params = { key: 'technique', value: each.slice(0, 64), known, effect: NOT_USED }
      fields.diagnostics.push(diagnose('HR457', params, spanOf(fields, key)))
      return []
    }),
  )
  return [...new Set(found)]
}

/** What is gathered beside the fields: columns that the rule names. */
interface Uses {
  readonly uses: ColumnUse[]
}

function useColumn({ uses }: Uses, fields: Fields, key: string, what: string): string | undefined {
  const name = fields.text(key)
  const node = fields.get(key)
  if (name === undefined || name === '' || node === undefined) return undefined
  uses.push({ name, what, span: node.span })
  return name
}

/** The columns that a format names between double braces. */
function useFormat({ uses }: Uses, fields: Fields, key: string): string | undefined {
  const text = fields.text(key)
  const node = fields.get(key)
  if (text === undefined || node === undefined) return undefined
  for (const [, name = ''] of text.matchAll(/\{\{\s{0,8}([^{}\s]{1,256})\s{0,8}\}\}/g)) {
    uses.push({ name, what: `the format ${key}`, span: node.span })
  }
  return text
}

function readMapping(into: Uses, fields: Fields): readonly EntityMapping[] {
  const written = fields.text('entityType')
  if (written === undefined) return []
  const type = entityTypeOf(written)
  if (type === undefined) {
    const near = suggest(written, ENTITY_TYPES)
    const known = near ?? ENTITY_TYPES.join(', ')
    const params = { key: 'entityType', value: written.slice(0, 64), known, effect: 'it is kept' }
    fields.diagnostics.push(diagnose('HR457', params, spanOf(fields, 'entityType')))
  }
  const entityType = type ?? written
  const fieldMappings = fields.maps('fieldMappings').flatMap((each) => {
    const identifier = each.text('identifier')
    const columnName = useColumn(into, each, 'columnName', `the entity ${entityType}`)
    if (identifier === undefined || columnName === undefined) return []
    const { found, near } =
      type === undefined ? { found: identifier } : identifierOf(type, identifier)
    if (found === undefined) {
      const guess = near === undefined ? '' : ` (did you mean "${near}"?)`
      const params = { type: entityType, value: identifier.slice(0, 64), guess }
      fields.diagnostics.push(diagnose('HR458', params, spanOf(each, 'identifier')))
    }
    return [{ identifier: found ?? identifier, columnName }]
  })
  return [{ entityType, fieldMappings }]
}

/** A map of own names to columns. */
function readDetails(into: Uses, fields: Fields, key: string): readonly NamedColumn[] {
  const details = fields.map(key)
  return (details?.node.entries ?? []).flatMap(({ key: name, value }) => {
    const column = textOf(value)?.trim()
    if (column === undefined || column === '') return []
    into.uses.push({ name: column, what: `the custom detail ${name}`, span: value.span })
    return [{ name, column }]
  })
}

function readAlertDetails(into: Uses, fields: Fields): AlertDetails | undefined {
  const details = fields.map('alertDetailsOverride')
  if (details === undefined) return undefined
  const displayNameFormat = useFormat(into, details, 'alertDisplayNameFormat')
  const descriptionFormat = useFormat(into, details, 'alertDescriptionFormat')
  const tacticsColumn = useColumn(into, details, 'alertTacticsColumnName', 'the tactics')
  const severityColumn = useColumn(into, details, 'alertSeverityColumnName', 'the severity')
  const dynamicProperties = details.maps('alertDynamicProperties').flatMap((each) => {
    const name = each.text('alertProperty')
    const column = useColumn(into, each, 'value', `the alert property ${name ?? ''}`)
    return name === undefined || column === undefined ? [] : [{ name, column }]
  })
  return {
    ...(displayNameFormat === undefined ? {} : { displayNameFormat }),
    ...(descriptionFormat === undefined ? {} : { descriptionFormat }),
    ...(tacticsColumn === undefined ? {} : { tacticsColumn }),
    ...(severityColumn === undefined ? {} : { severityColumn }),
    dynamicProperties,
  }
}

/** What older exports call the ways of matching. */
const OLD_METHODS: ReadonlyMap<string, string> = new Map([
  ['all', 'AllEntities'],
  ['none', 'AnyAlert'],
  ['custom', 'Selected'],
])
const UNGROUPED = 'each alert is an incident of its own'

/** Tells that a value of a grouping is not known, so that nothing is grouped; `at` is the key where it stands. */
function tellUngrouped(fields: Fields, key: string, value: string, known: string, at = key): void {
  const params = { key, value: value.slice(0, 64), known, effect: UNGROUPED }
  fields.diagnostics.push(diagnose('HR457', params, spanOf(fields, at)))
}

/** What a list of a grouping names; `isWhole` is false where one of them is not known. */
function namesOf<T extends string>(
  fields: Fields,
  key: string,
  known: readonly T[],
): { readonly names: readonly T[]; readonly isWhole: boolean } {
  const given = fields.texts(key)
  const names = given.flatMap((text) => {
    const found = known.find((each) => each.toLowerCase() === text.toLowerCase())
    if (found !== undefined) return [found]
    tellUngrouped(fields, key, text, known.join(', ') || 'none: the rule has no such')
    return []
  })
  return { names: [...new Set(names)], isWhole: names.length === given.length }
}

/** What the rule itself has that its alerts can be grouped by. */
interface Groupable {
  readonly entities: readonly string[]
  readonly details: readonly string[]
}

function readGrouping(fields: Fields, { entities, details }: Groupable): IncidentGrouping {
  const isEnabled = fields.flag('enabled') ?? false
  const lookback = durationOf(fields, 'lookbackDuration')
  const key =
    fields.get('matchingMethod') === undefined ? 'entitiesMatchingMethod' : 'matchingMethod'
  const written = fields.text(key) ?? 'AllEntities'
  const word = OLD_METHODS.get(written.toLowerCase()) ?? written
  const method = MATCHING_METHODS.find((each) => each.toLowerCase() === word.toLowerCase())
  if (isEnabled && method === undefined) {
    tellUngrouped(fields, key, written, MATCHING_METHODS.join(', '))
  }
  const off = { names: [], isWhole: true }
  const isSelected = isEnabled && method === 'Selected'
  const [byEntities, byDetails, byCustom] = isSelected
    ? [
        namesOf(fields, 'groupByEntities', entities),
        namesOf(fields, 'groupByAlertDetails', ALERT_DETAILS),
        namesOf(fields, 'groupByCustomDetails', details),
      ]
    : [off, off, off]
  const lists = [byEntities, byDetails, byCustom]
  const isEmpty = isSelected && lists.every(({ names, isWhole }) => isWhole && names.length === 0)
  if (isEmpty) {
    const lists = 'groupByEntities, groupByAlertDetails, groupByCustomDetails'
    tellUngrouped(fields, 'matchingMethod', 'Selected without a list', lists, key)
  }
  const isWhole = method !== undefined && !isEmpty && lists.every((each) => each.isWhole)
  return {
    enabled: isEnabled && isWhole,
    reopenClosedIncident: fields.flag('reopenClosedIncident') ?? false,
    ...(lookback === undefined ? {} : { lookback }),
    matchingMethod: method ?? 'AllEntities',
    groupByEntities: byEntities.names,
    groupByAlertDetails: byDetails.names,
    groupByCustomDetails: byCustom.names,
  }
}

function readIncident(fields: Fields, groupable: Groupable): KustoRule['incidentConfiguration'] {
  const incident = fields.map('incidentConfiguration')
  if (incident === undefined) return undefined
  const grouping = incident.map('groupingConfiguration')
  return {
    createIncident: incident.flag('createIncident') ?? true,
    ...(grouping === undefined ? {} : { grouping: readGrouping(grouping, groupable) }),
  }
}

/** When the number of rows makes a finding. What is not understood here would change the rule: an error. */
function readTrigger(fields: Fields): KustoTrigger {
  const word = fields.text('triggerOperator') ?? 'gt'
  const operator = OPERATORS.get(word.toLowerCase())
  if (operator === undefined) {
    const params = { key: 'triggerOperator', value: word.slice(0, 64), known: 'gt, lt, eq, ne' }
    fields.diagnostics.push(diagnose('HR452', params, spanOf(fields, 'triggerOperator')))
  }
  const text = fields.text('triggerThreshold') ?? '0'
  const threshold = /^\d{1,9}$/.test(text) ? Number(text) : undefined
  if (threshold === undefined) {
    const params = { key: 'triggerThreshold', value: text.slice(0, 64), wanted: 'a whole number' }
    fields.diagnostics.push(diagnose('HR453', params, spanOf(fields, 'triggerThreshold')))
  }
  return { operator: operator ?? 'gt', threshold: threshold ?? 0 }
}

/** The kind of rule as the service spells it; undefined for hunting queries. */
function readKind(fields: Fields): string | undefined {
  const word = fields.text('kind')
  if (word === undefined) {
    return fields.get('queryFrequency', 'triggerOperator') === undefined ? undefined : 'Scheduled'
  }
  const isSame = (each: string): boolean => each.toLowerCase() === word.toLowerCase()
  const service = SERVICE_KINDS.find(isSame)
  if (service !== undefined) {
    fields.diagnostics.push(diagnose('HR451', { kind: service }, spanOf(fields, 'kind')))
    return service
  }
  return wordOf(fields, 'kind', QUERY_KINDS, 'it is run as a hunting query')
}

function readSchedule(fields: Fields, kind: string | undefined): Partial<KustoRule> {
  const queryFrequency = durationOf(fields, 'queryFrequency')
  const queryPeriod = durationOf(fields, 'queryPeriod')
  if (queryFrequency !== undefined && queryPeriod !== undefined && queryFrequency > queryPeriod) {
    const params = {
      frequency: printDuration(queryFrequency),
      period: printDuration(queryPeriod),
    }
    fields.diagnostics.push(diagnose('HR454', params, spanOf(fields, 'queryPeriod')))
  }
  if (kind === 'Scheduled') {
    for (const key of ['queryFrequency', 'queryPeriod']) {
      if (fields.get(key) !== undefined) continue
      const { start } = fields.node.span
      fields.diagnostics.push(diagnose('HR467', { key }, { start, end: start + 1 }))
    }
  }
  const enabled = fields.flag('suppressionEnabled')
  const duration = durationOf(fields, 'suppressionDuration')
  return {
    ...(queryFrequency === undefined ? {} : { queryFrequency }),
    ...(queryPeriod === undefined ? {} : { queryPeriod }),
    ...(enabled === undefined && duration === undefined
      ? {}
      : {
          suppression: {
            enabled: enabled ?? false,
            ...(duration === undefined ? {} : { duration }),
          },
        }),
  }
}

/** Tags are words, or maps of one meaning each: `Schema: ASIMDns`. */
function readTags(fields: Fields): readonly string[] {
  const node = fields.get('tags')
  if (node?.kind !== 'list') return fields.texts('tags')
  return node.items.flatMap((each) =>
    each.kind === 'map'
      ? each.entries.map(({ key, value }) => `${key}: ${textOf(value) ?? ''}`)
      : (textOf(each) ?? []),
  )
}

/** Keys outside the known ones: kept, and told as a notice. */
export function readCustom(fields: Fields, known: readonly string[]): ReadonlyMap<string, unknown> {
  const lower = new Set(known.map((each) => each.toLowerCase()))
  const others = fields.node.entries.filter(({ key }) => !lower.has(key.toLowerCase()))
  for (const { key, keySpan } of others) {
    const near = suggest(key, known)
    const guess = near === undefined || near.length < 4 ? '' : ` (did you mean "${near}"?)`
    fields.diagnostics.push(diagnose('HR455', { key: key.slice(0, 64), guess }, keySpan))
  }
  return new Map(others.map(({ key, value }) => [key, plainOf(value)]))
}

function readConnectors(fields: Fields): KustoRule['requiredDataConnectors'] {
  return fields.maps('requiredDataConnectors').flatMap((each) => {
    const connectorId = each.text('connectorId')
    return connectorId === undefined ? [] : [{ connectorId, dataTypes: each.texts('dataTypes') }]
  })
}

function readRule(fields: Fields, into: Uses): KustoRule {
  const kind = readKind(fields)
  const severity = readSeverity(fields)
  const metadata = fields.map('metadata')
  const grouping = fields.map('eventGroupingSettings')
  const kinds = ['SingleAlert', 'AlertPerResult'] as const
  const aggregationKind = grouping && wordOf(grouping, 'aggregationKind', kinds)
  const alertDetailsOverride = readAlertDetails(into, fields)
  const entityMappings = fields.maps('entityMappings').flatMap((each) => readMapping(into, each))
  const sentinelEntitiesMappings = fields
    .maps('sentinelEntitiesMappings')
    .flatMap((each) => useColumn(into, each, 'columnName', 'the list of entities') ?? [])
  const customDetails = readDetails(into, fields, 'customDetails')
  const incidentConfiguration = readIncident(fields, {
    // A list of entities may hold any.
    entities:
      sentinelEntitiesMappings.length > 0
        ? ENTITY_TYPES
        : [...new Set(entityMappings.map((each) => each.entityType))],
    details: customDetails.map(({ name }) => name),
  })
  return {
    ...PLAIN_RULE,
    form: kind === undefined ? 'hunting' : 'sentinel',
    id: fields.text('id') ?? '',
    name: fields.text('name', 'displayName', 'title') ?? '',
    description: readDescription(fields, 'description'),
    ...(severity === undefined ? {} : { severity }),
    ...(kind === undefined ? {} : { kind }),
    status: fields.text('status') ?? '',
    version: fields.text('version', 'templateVersion') ?? '',
    author: fields.text('author') ?? metadata?.map('author')?.text('name') ?? '',
    enabled: fields.flag('enabled') ?? true,
    ...readSchedule(fields, kind),
    trigger: readTrigger(fields),
    tactics: readTactics(fields, 'tactics'),
    techniques: readTechniques(fields, 'relevantTechniques', 'techniques', 'subTechniques'),
    tags: readTags(fields),
    references: fields.texts('references'),
    requiredDataConnectors: readConnectors(fields),
    entityMappings,
    sentinelEntitiesMappings,
    customDetails,
    ...(alertDetailsOverride === undefined ? {} : { alertDetailsOverride }),
    aggregationKind: aggregationKind ?? 'SingleAlert',
    ...(incidentConfiguration === undefined ? {} : { incidentConfiguration }),
    metadata: metadata === undefined ? undefined : plainOf(metadata.node),
    custom: readCustom(fields, KNOWN),
  }
}

/** What is said of a rule that a file switches off; the user who names the file wants it to run. */
export function tellDisabled(fields: Fields, { enabled }: KustoRule, key: string): void {
  if (!enabled) fields.diagnostics.push(diagnose('HR468', {}, spanOf(fields, key)))
}

interface Parts {
  readonly rule: KustoRule
  /** Where the text of the query stands. */
  readonly query: YamlNode | undefined
  readonly uses: readonly ColumnUse[]
  readonly diagnostics: Diagnostic[]
  /** What is said to have no query where there is none; undefined for what needs none. */
  readonly lacks: 'rule' | 'detection' | undefined
}

/** A document of a rule and its query; a rule without an id gets one by its name and text. */
export function documentOf(source: string, node: YamlMap, parts: Parts): KustoDocument {
  const { rule, query, uses, diagnostics, lacks } = parts
  const text = query?.kind === 'scalar' ? query.text : ''
  if (text.trim() === '' && lacks !== undefined) {
    const { start } = query?.span ?? node.span
    diagnostics.push(diagnose('HR450', { what: lacks }, { start, end: start + 1 }))
  }
  return {
    rule: rule.id === '' ? { ...rule, id: contentId('kql', rule.name, text) } : rule,
    query: text,
    place: query?.kind === 'scalar' ? placingOf(source, query) : (span) => span,
    uses,
    diagnostics,
    span: node.span,
  }
}

/** A Sentinel rule, a template of one, or a hunting query. */
export function readSentinel(source: string, node: YamlMap): KustoDocument {
  const diagnostics: Diagnostic[] = []
  const fields = new Fields(node, diagnostics)
  const uses: ColumnUse[] = []
  const rule = readRule(fields, { uses })
  tellDisabled(fields, rule, 'enabled')
  const query = fields.get('query')
  const isService = diagnostics.some((each) => each.code === 'HR451')
  return documentOf(source, node, {
    rule,
    query,
    uses,
    diagnostics,
    lacks: isService ? undefined : 'rule',
  })
}
