/**
 * Risk of a finding: what is at risk and by how much, and what factors make of the score. A search of Splunk content says
 * it itself; of other rules the level says how much, and the hosts and users of the finding are at risk.
 * calculated = (score + what is added) x what it is multiplied with
 * (https://docs.splunk.com/Documentation/ES/latest/User/RiskFactors).
 */
import { fitsPattern } from '../../core/stars.ts'
import type { Rule } from '../../rules/rule.ts'
import {
  type Finding,
  type FoundEntity,
  type FoundRisk,
  type FoundThreat,
  fixedId,
} from '../finding.ts'
import { entityKey } from './entities.ts'
import type { KeptRisk } from './kept.ts'
import type { RiskFactor, RiskSettings } from './risksettings.ts'

/** Objects at risk that one finding has at most. */
const MOST_RISKS = 500

/** Identifiers of an entity that name it as an object at risk, the one that people know it by first. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  Host: ['FullName', 'HostName', 'NetBiosName', 'AzureID', 'DeviceName'],
  Account: ['FullName', 'UPN', 'UserPrincipalName', 'Name', 'Sid', 'AadUserId', 'ObjectGuid'],
  Mailbox: ['MailboxPrimaryAddress', 'Upn'],
  IP: ['Address'],
}

/** Kinds of entities that are evidence, with what Enterprise Security calls such an object. */
const THREATS: Readonly<Record<string, readonly [type: string, identifier: string]>> = {
  IP: ['ip_address', 'Address'],
  DNS: ['domain', 'DomainName'],
  URL: ['url', 'Url'],
  File: ['file_name', 'Name'],
  FileHash: ['file_hash', 'Value'],
  Process: ['process', 'CommandLine'],
  RegistryKey: ['registry_path', 'Key'],
}

function nameOf(entity: FoundEntity): string {
  const names = NAMES[entity.type] ?? []
  const own = names.map((each) => entity[each]).find((each) => each !== undefined && each !== '')
  return own ?? ''
}

/** What is at risk of a finding whose rule does not say it: its hosts and users, or else its addresses. */
function objectsOf(
  entities: readonly FoundEntity[],
): readonly Omit<FoundRisk, 'score' | 'message'>[] {
  const typed = (type: string, risk: string): Omit<FoundRisk, 'score' | 'message'>[] =>
    entities
      .filter((each) => each.type === type)
      .map((each) => ({ field: type, value: nameOf(each), type: risk }))
      .filter(({ value }) => value !== '')
  const hosts = typed('Host', 'system')
  const users = [...typed('Account', 'user'), ...typed('Mailbox', 'user')]
  return hosts.length + users.length > 0 ? [...hosts, ...users] : typed('IP', 'system')
}

/** Evidence of a finding whose rule does not name it. */
export function threatsOf(
  finding: Finding,
  entities: readonly FoundEntity[],
): readonly FoundThreat[] {
  if (finding.threat_objects !== undefined) return finding.threat_objects
  const isHosted = entities.some(({ type }) => type === 'Host')
  return entities.flatMap((entity): readonly FoundThreat[] => {
    const known = Object.hasOwn(THREATS, entity.type) ? THREATS[entity.type] : undefined
    const value = known === undefined ? undefined : entity[known[1]]
    if (known === undefined || value === undefined || value === '') return []
    // An address that is at risk itself is no evidence.
    if (entity.type === 'IP' && !isHosted) return []
    return [{ field: entity.type, value, type: known[0] }]
  })
}

/** The risk that a finding carries, before factors; none for a rule that itself reads risk or findings. */
export function risksOf(
  finding: Finding,
  rule: Rule,
  entities: readonly FoundEntity[],
  settings: RiskSettings,
): readonly FoundRisk[] {
  const tuned = rule.tuning?.riskScore
  if (finding.risk !== undefined && finding.risk.length > 0) {
    return finding.risk.map((each) => ({ ...each, score: tuned ?? each.score })).filter(counts)
  }
  // A search says itself whether it adds to the risk of anything.
  if (rule.spl !== undefined && tuned === undefined) return []
  const score = tuned ?? settings.levels[finding.level]
  const message = finding.risk_message ?? finding.title ?? finding.rule_title
  const all = objectsOf(entities).map((each) => ({ ...each, score, message }))
  return all.filter(counts).slice(0, MOST_RISKS)
}

const counts = ({ score, value }: FoundRisk): boolean => score > 0 && value !== ''

/** An object as it is compared: as the entity that it is, whatever rule or language names it. */
export function normalizedObject({ value, type }: Pick<FoundRisk, 'value' | 'type'>): string {
  const low = value.trim().toLowerCase()
  if (type !== 'system' && type !== 'user') return low
  const entity =
    type === 'user' ? { type: 'Account', Name: value } : { type: 'Host', HostName: value }
  const key = entityKey(entity)
  return key.slice(key.indexOf(':') + 1) || low
}

/** What factors read of a risk: values by field. */
export type RiskFacts = Readonly<Record<string, string | readonly string[] | null>>

function holds(factor: RiskFactor, facts: RiskFacts): boolean {
  return factor.when.every(([name, patterns]) => {
    const value = Object.hasOwn(facts, name) ? facts[name] : undefined
    if (value === undefined || value === null) return false
    const values = typeof value === 'string' ? [value] : value
    return values.some((each) => patterns.some((pattern) => fitsPattern(pattern, each)))
  })
}

/** The score with all factors that hold, to two places; never below 0. */
export function calculated(
  score: number,
  factors: readonly RiskFactor[],
  facts: RiskFacts,
): Pick<KeptRisk, 'calculated' | 'added' | 'multiplied'> {
  const met = factors.filter((each) => holds(each, facts))
  const sum = met.reduce((all, each) => all + each.add, 0)
  const product = met.reduce((all, each) => all * each.multiply, 1)
  const exact = Math.max(0, (score + sum) * product)
  return {
    calculated: Math.round(Math.min(exact, Number.MAX_SAFE_INTEGER / 100) * 100) / 100,
    added: met.filter((each) => each.add !== 0).map((each) => each.name),
    multiplied: met.filter((each) => each.multiply !== 1).map((each) => each.name),
  }
}

/** Risks with their ids and what they count; `facts` are of the finding, those of the risk are added here. */
export function scored(
  finding: Pick<Finding, 'id'>,
  risks: readonly FoundRisk[],
  factors: readonly RiskFactor[],
  facts: RiskFacts,
): readonly KeptRisk[] {
  const known = new Map<string, KeptRisk>()
  for (const risk of risks) {
    const { field, value, type, message, score } = risk
    const id = fixedId(finding.id, 'risk', field, value, type, message)
    const own: RiskFacts = { ...facts, ...factsOf(risk, facts) }
    const before = known.get(id)
    // The same object with several scores counts once, by the highest.
    if (before !== undefined && before.score >= score) continue
    known.set(id, {
      ...risk,
      id,
      normalized: normalizedObject(risk),
      ...calculated(score, factors, own),
    })
  }
  return [...known.values()]
}

/** Fields under which the lists of assets and identities speak of entities. */
const LISTED: ReadonlyMap<string, string> = new Map([
  ['Host', 'dest'],
  ['IP', 'src'],
  ['Account', 'user'],
  ['Mailbox', 'user'],
])

/** What factors may ask of the object itself, whatever field it stands in. */
function factsOf({ field: own, value, type, score }: FoundRisk, facts: RiskFacts): RiskFacts {
  const field = LISTED.get(own) ?? own
  const said = (end: string): RiskFacts => {
    const found = Object.hasOwn(facts, `${field}_${end}`) ? facts[`${field}_${end}`] : undefined
    return found === undefined || found === null ? {} : { [`risk_object_${end}`]: found }
  }
  return {
    risk_object: value,
    risk_object_type: type,
    risk_score: String(score),
    ...said('priority'),
    ...said('category'),
    ...said('bunit'),
    ...said('watchlist'),
  }
}
