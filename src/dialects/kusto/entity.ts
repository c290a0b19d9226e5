/**
 * The entities that a rule may map columns to, with their identifiers, and the columns of old rules that stand for an
 * entity by their name alone (https://learn.microsoft.com/azure/sentinel/entities-reference).
 */
import { suggest } from '../../core/suggest.ts'
import type { EntityMapping } from './rule.ts'

const words = (text: string): readonly string[] => text.split(' ')

/** Identifiers by type of entity. */
const ENTITIES: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    Account:
      'Name FullName NTDomain DnsDomain UPNSuffix Sid AadTenantId AadUserId PUID IsDomainJoined DisplayName ObjectGuid CloudAppAccountId IsAnonymized',
    AzureResource: 'ResourceId',
    CloudApplication: 'AppId Name InstanceName SaasId',
    DNS: 'DomainName',
    File: 'Directory Name',
    FileHash: 'Algorithm Value',
    Host: 'DnsDomain NTDomain HostName FullName NetBiosName AzureID OMSAgentID OSFamily OSVersion IsDomainJoined',
    IP: 'Address AddressScope',
    MailCluster:
      'NetworkMessageIds CountByDeliveryStatus CountByThreatType CountByProtectionStatus Threats Query QueryTime MailCount IsVolumeAnomaly Source ClusterSourceIdentifier ClusterSourceType ClusterQueryStartTime ClusterQueryEndTime ClusterGroup',
    MailMessage:
      'Recipient Urls Threats Sender P1Sender P1SenderDisplayName P1SenderDomain SenderIP P2Sender P2SenderDisplayName P2SenderDomain ReceivedDate NetworkMessageId InternetMessageId Subject BodyFingerprintBin1 BodyFingerprintBin2 BodyFingerprintBin3 BodyFingerprintBin4 BodyFingerprintBin5 AntispamDirection DeliveryAction DeliveryLocation Language ThreatDetectionMethods',
    Mailbox: 'MailboxPrimaryAddress DisplayName Upn ExternalDirectoryObjectId RiskLevel',
    Malware: 'Name Category',
    Process: 'ProcessId CommandLine ElevationToken CreationTimeUtc',
    RegistryKey: 'Hive Key',
    RegistryValue: 'Name Value ValueType',
    SecurityGroup: 'DistinguishedName SID ObjectGuid',
    SubmissionMail:
      'SubmissionId SubmissionDate Submitter NetworkMessageId Timestamp Recipient Sender SenderIp Subject ReportType',
    URL: 'Url',
  }).map(([type, identifiers]) => [type, words(identifiers)]),
)

/** Columns of rules from before entity mappings: what they stand for. */
const LEGACY: readonly (readonly [string, string, string])[] = [
  ['AccountCustomEntity', 'Account', 'FullName'],
  ['HostCustomEntity', 'Host', 'FullName'],
  ['IPCustomEntity', 'IP', 'Address'],
  ['URLCustomEntity', 'URL', 'Url'],
  ['FileHashCustomEntity', 'FileHash', 'Value'],
  ['DNSCustomEntity', 'DNS', 'DomainName'],
  ['FileCustomEntity', 'File', 'Name'],
  ['ProcessCustomEntity', 'Process', 'CommandLine'],
  ['MalwareCustomEntity', 'Malware', 'Name'],
  ['RegistryKeyCustomEntity', 'RegistryKey', 'Key'],
  ['ResourceCustomEntity', 'AzureResource', 'ResourceId'],
  ['AzureResourceCustomEntity', 'AzureResource', 'ResourceId'],
  ['CloudApplicationCustomEntity', 'CloudApplication', 'Name'],
  ['MailboxCustomEntity', 'Mailbox', 'MailboxPrimaryAddress'],
]

export const ENTITY_TYPES: readonly string[] = [...ENTITIES.keys()]

const sameText = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

/** The type as the service spells it; undefined when there is none. */
export function entityTypeOf(text: string): string | undefined {
  return ENTITY_TYPES.find((each) => sameText(each, text))
}

/** The identifier as the service spells it, or the nearest one. */
export function identifierOf(
  type: string,
  text: string,
): { readonly found?: string; readonly near?: string } {
  const known = ENTITIES.get(type) ?? []
  const found = known.find((each) => sameText(each, text))
  if (found !== undefined) return { found }
  const near = suggest(text, known)
  return near === undefined ? {} : { near }
}

/** The mappings that the columns of a result stand for by their names. */
export function legacyEntities(columns: readonly string[]): readonly EntityMapping[] {
  const known = new Map(columns.map((each) => [each.toLowerCase(), each]))
  return LEGACY.flatMap(([column, entityType, identifier]) => {
    const columnName = known.get(column.toLowerCase())
    return columnName === undefined
      ? []
      : [{ entityType, fieldMappings: [{ identifier, columnName }] }]
  })
}

/** Entities of one list that are read; the service itself takes fewer. */
const MOST_LISTED = 500

/** An entity of a list: its type, and its identifiers by name. */
export interface ListedEntity {
  readonly type: string
  readonly [identifier: string]: string
}

/**
 * The entities of a column that holds a list of them in the service's own form, as `SecurityAlert` has it:
 * `[{"HostName": "ws01", "Type": "host"}]`. What is no entity of a known type is passed over, and so is what an entity
 * says beside its identifiers.
 */
export function listedEntities(text: string): readonly ListedEntity[] {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return []
  }
  const all: readonly unknown[] = Array.isArray(parsed) ? parsed : [parsed]
  return all.slice(0, MOST_LISTED).flatMap((each): readonly ListedEntity[] => {
    if (each === null || typeof each !== 'object') return []
    const said: readonly (readonly [string, unknown])[] = Object.entries(each)
    const written = said.find(([name]) => sameText(name, 'type'))?.[1]
    // The service writes some types with a hyphen: `azure-resource`.
    const type = typeof written === 'string' ? entityTypeOf(written.replaceAll('-', '')) : undefined
    if (type === undefined) return []
    const names = said.flatMap(([name, value]) => {
      const { found } = identifierOf(type, name)
      const isValue = (typeof value === 'string' && value !== '') || typeof value === 'number'
      return found === undefined || !isValue ? [] : [[found, String(value)] as const]
    })
    return names.length === 0 ? [] : [{ type, ...Object.fromEntries(names) }]
  })
}
