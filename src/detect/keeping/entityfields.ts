/**
 * Which fields of events name an entity, for rules that do not say it themselves: one row a field. Names are those that
 * Windows, Sysmon, Zeek, auditd, web servers, clouds, the Elastic Common Schema and Splunk's models have; case does not
 * count. Types and identifiers are those of Sentinel
 * (https://learn.microsoft.com/azure/sentinel/entities-reference).
 */

export interface EntityField {
  readonly type: string
  readonly identifier: string
  /** Field that holds the domain of a user. */
  readonly domain?: string
}

/** A field, or several of one meaning; type and identifier; the field of the domain where there is one. */
type Row = readonly [fields: string, type: string, identifier: string, domain?: string]

const ROWS: readonly Row[] = [
  // Hosts.
  ['Computer', 'Host', 'HostName'],
  ['ComputerName', 'Host', 'HostName'],
  ['Hostname', 'Host', 'HostName'],
  ['host_name', 'Host', 'HostName'],
  ['host.name', 'Host', 'HostName'],
  ['host.hostname', 'Host', 'HostName'],
  ['agent.hostname', 'Host', 'HostName'],
  ['DeviceName', 'Host', 'HostName'],
  ['DvcHostname', 'Host', 'HostName'],
  ['SrcHostname', 'Host', 'HostName'],
  ['DstHostname', 'Host', 'HostName'],
  ['WorkstationName', 'Host', 'HostName'],
  ['Workstation', 'Host', 'HostName'],
  ['SourceHostname', 'Host', 'HostName'],
  ['DestinationHostname', 'Host', 'HostName'],
  ['dest', 'Host', 'HostName'],
  ['dvc', 'Host', 'HostName'],
  ['src', 'Host', 'HostName'],
  ['dest_host', 'Host', 'HostName'],
  ['src_host', 'Host', 'HostName'],
  ['dest_nt_host', 'Host', 'HostName'],
  ['src_nt_host', 'Host', 'HostName'],
  // Users.
  ['TargetUserName', 'Account', 'Name', 'TargetDomainName'],
  ['SubjectUserName', 'Account', 'Name', 'SubjectDomainName'],
  ['AccountName', 'Account', 'Name', 'AccountDomain'],
  ['InitiatingProcessAccountName', 'Account', 'Name', 'InitiatingProcessAccountDomain'],
  ['User', 'Account', 'Name'],
  ['SourceUser', 'Account', 'Name'],
  ['TargetUser', 'Account', 'Name'],
  ['src_user', 'Account', 'Name'],
  ['dest_user', 'Account', 'Name'],
  ['user.name', 'Account', 'Name', 'user.domain'],
  ['ActorUsername', 'Account', 'Name'],
  ['acct', 'Account', 'Name'],
  ['cs-username', 'Account', 'Name'],
  ['UserPrincipalName', 'Account', 'UPN'],
  ['AccountUpn', 'Account', 'UPN'],
  ['UserId', 'Account', 'Name'],
  ['Caller', 'Account', 'Name'],
  ['user.email', 'Account', 'UPN'],
  ['actor.alternateId', 'Account', 'UPN'],
  ['userIdentity.userName', 'Account', 'Name'],
  ['userIdentity.arn', 'Account', 'Name'],
  ['protoPayload.authenticationInfo.principalEmail', 'Account', 'UPN'],
  ['properties.initiatedBy.user.userPrincipalName', 'Account', 'UPN'],
  ['properties.userPrincipalName', 'Account', 'UPN'],
  ['SubjectUserSid', 'Account', 'Sid'],
  ['TargetUserSid', 'Account', 'Sid'],
  ['TargetSid', 'Account', 'Sid'],
  ['AccountSid', 'Account', 'Sid'],
  // Addresses.
  ['SourceIp', 'IP', 'Address'],
  ['DestinationIp', 'IP', 'Address'],
  ['IpAddress', 'IP', 'Address'],
  ['ClientAddress', 'IP', 'Address'],
  ['ClientIP', 'IP', 'Address'],
  ['SourceAddress', 'IP', 'Address'],
  ['DestAddress', 'IP', 'Address'],
  ['DestinationAddress', 'IP', 'Address'],
  ['RemoteIP', 'IP', 'Address'],
  ['SrcIpAddr', 'IP', 'Address'],
  ['DstIpAddr', 'IP', 'Address'],
  ['src_ip', 'IP', 'Address'],
  ['dest_ip', 'IP', 'Address'],
  ['id.orig_h', 'IP', 'Address'],
  ['id.resp_h', 'IP', 'Address'],
  ['c-ip', 'IP', 'Address'],
  ['addr', 'IP', 'Address'],
  ['sourceIPAddress', 'IP', 'Address'],
  ['CallerIpAddress', 'IP', 'Address'],
  ['actor_ip', 'IP', 'Address'],
  ['source.ip', 'IP', 'Address'],
  ['destination.ip', 'IP', 'Address'],
  ['client.ip', 'IP', 'Address'],
  ['client.ipAddress', 'IP', 'Address'],
  ['protoPayload.requestMetadata.callerIp', 'IP', 'Address'],
  ['properties.ipAddress', 'IP', 'Address'],
  // Files and processes.
  ['Image', 'File', 'Name'],
  ['NewProcessName', 'File', 'Name'],
  ['ImageLoaded', 'File', 'Name'],
  ['TargetFilename', 'File', 'Name'],
  ['ServiceFileName', 'File', 'Name'],
  ['file_path', 'File', 'Name'],
  ['file_name', 'File', 'Name'],
  ['file.path', 'File', 'Name'],
  ['process.executable', 'File', 'Name'],
  ['FileName', 'File', 'Name'],
  ['exe', 'File', 'Name'],
  ['Hashes', 'FileHash', 'Value'],
  ['Hash', 'FileHash', 'Value'],
  ['MD5', 'FileHash', 'Value'],
  ['SHA1', 'FileHash', 'Value'],
  ['SHA256', 'FileHash', 'Value'],
  ['file_hash', 'FileHash', 'Value'],
  ['process_hash', 'FileHash', 'Value'],
  ['file.hash.md5', 'FileHash', 'Value'],
  ['file.hash.sha1', 'FileHash', 'Value'],
  ['file.hash.sha256', 'FileHash', 'Value'],
  ['process.hash.sha256', 'FileHash', 'Value'],
  ['CommandLine', 'Process', 'CommandLine'],
  ['ProcessCommandLine', 'Process', 'CommandLine'],
  ['process.command_line', 'Process', 'CommandLine'],
  // Names and places of the network.
  ['QueryName', 'DNS', 'DomainName'],
  ['DnsQuery', 'DNS', 'DomainName'],
  ['query', 'DNS', 'DomainName'],
  ['dns.question.name', 'DNS', 'DomainName'],
  ['server_name', 'DNS', 'DomainName'],
  ['cs-host', 'DNS', 'DomainName'],
  ['r-dns', 'DNS', 'DomainName'],
  ['domain', 'DNS', 'DomainName'],
  ['Url', 'URL', 'Url'],
  ['RemoteUrl', 'URL', 'Url'],
  ['DestinationUrl', 'URL', 'Url'],
  ['c-uri', 'URL', 'Url'],
  ['url.full', 'URL', 'Url'],
  ['url.original', 'URL', 'Url'],
  // Mail.
  ['SenderFromAddress', 'Mailbox', 'MailboxPrimaryAddress'],
  ['SenderMailFromAddress', 'Mailbox', 'MailboxPrimaryAddress'],
  ['RecipientEmailAddress', 'Mailbox', 'MailboxPrimaryAddress'],
  ['MailboxOwnerUPN', 'Mailbox', 'MailboxPrimaryAddress'],
  ['recipient', 'Mailbox', 'MailboxPrimaryAddress'],
  ['sender', 'Mailbox', 'MailboxPrimaryAddress'],
  // The registry, and resources of clouds.
  ['TargetObject', 'RegistryKey', 'Key'],
  ['registry_path', 'RegistryKey', 'Key'],
  ['RegistryKey', 'RegistryKey', 'Key'],
  ['registry.path', 'RegistryKey', 'Key'],
  ['ResourceId', 'AzureResource', 'ResourceId'],
  ['_ResourceId', 'AzureResource', 'ResourceId'],
  ['requestParameters.bucketName', 'AmazonResource', 'AmazonResourceId'],
  ['requestParameters.functionName', 'AmazonResource', 'AmazonResourceId'],
  ['requestParameters.instanceId', 'AmazonResource', 'AmazonResourceId'],
  ['protoPayload.resourceName', 'GoogleCloudResource', 'FullResourceName'],
]

/** What a field of an event names, by its name in lower case. */
export const ENTITY_FIELDS: ReadonlyMap<string, EntityField> = new Map(
  ROWS.map(([name, type, identifier, domain]) => [
    name.toLowerCase(),
    { type, identifier, ...(domain === undefined ? {} : { domain: domain.toLowerCase() }) },
  ]),
)

/** What people call the types of entities, and which of their identifiers name one, the surest first. */
export const ENTITY_KINDS: Readonly<
  Record<string, { readonly word: string; readonly names: readonly string[] }>
> = {
  Host: {
    word: 'host',
    names: ['HostName', 'FullName', 'NetBiosName', 'DeviceName', 'AzureID', 'OMSAgentID'],
  },
  Account: {
    word: 'user',
    names: [
      ...['Name', 'UPN', 'UserPrincipalName', 'FullName', 'DisplayName', 'Sid', 'AadUserId'],
      ...['ObjectGuid', 'PUID'],
    ],
  },
  IP: { word: 'ip', names: ['Address'] },
  File: { word: 'file', names: ['Name'] },
  FileHash: { word: 'hash', names: ['Value'] },
  Process: { word: 'process', names: ['CommandLine', 'ProcessId'] },
  URL: { word: 'url', names: ['Url'] },
  DNS: { word: 'domain', names: ['DomainName'] },
  Mailbox: { word: 'mailbox', names: ['MailboxPrimaryAddress', 'Upn'] },
  RegistryKey: { word: 'registry', names: ['Key'] },
  RegistryValue: { word: 'registry value', names: ['Name', 'Value'] },
  AzureResource: { word: 'cloud resource', names: ['ResourceId'] },
  AmazonResource: { word: 'cloud resource', names: ['AmazonResourceId', 'Arn'] },
  GoogleCloudResource: { word: 'cloud resource', names: ['FullResourceName'] },
  CloudApplication: { word: 'application', names: ['Name', 'AppId'] },
  Malware: { word: 'malware', names: ['Name'] },
}
