/**
 * Windows events as data: the frame that every event has, and one maker for each kind of event in the samples.
 * Field names, order and types are those of the real manifests, so that readers meet what they meet in the field.
 */
import { createHash } from 'node:crypto'

/** A value with the type in which the event log stores it; plain text is a string, a plain number 32 bits unsigned. */
export type EventValue =
  | string
  | number
  | boolean
  | { readonly type: 'hex32' | 'hex64' | 'uint16' | 'int32'; readonly value: number }
  | { readonly type: 'guid' | 'sid'; readonly value: string }

export type EventData = readonly (readonly [name: string, value: EventValue])[]

export interface WindowsEvent {
  readonly provider: string
  readonly providerGuid: string
  readonly eventId: number
  readonly version: number
  readonly level: number
  readonly task: number
  readonly opcode: number
  /** 64 bits as `0x` and 16 digits. */
  readonly keywords: string
  readonly channel: string
  readonly computer: string
  readonly processId: number
  readonly threadId: number
  /** SID of the account that wrote the event. */
  readonly userSid?: string
  readonly data: EventData
  /** Set when the data is a section of its own and not EventData: the element and its namespace. */
  readonly section?: { readonly element: string; readonly namespace: string }
}

/** An event with its time and the number under which its log keeps it. */
export interface WindowsRecord {
  readonly record: number
  readonly time: number
  readonly event: WindowsEvent
}

/** A machine of the story. */
export interface Host {
  /** Full name, as the event log prints it. */
  readonly name: string
  readonly ip: string
}

/** An account of the story. */
export interface Account {
  readonly domain: string
  readonly name: string
  readonly sid: string
  readonly logonId: number
}

export interface Process {
  readonly guid: string
  readonly pid: number
  readonly image: string
  readonly commandLine: string
  readonly user: Account
}

/** What Sysmon reads out of a program file. */
export interface ProgramFacts {
  readonly version: string
  readonly description: string
  readonly product: string
  readonly company: string
  readonly original: string
}

const SYSTEM_SID = 'S-1-5-18'

export const SYSTEM: Account = {
  domain: 'NT AUTHORITY',
  name: 'SYSTEM',
  sid: SYSTEM_SID,
  logonId: 0x3e7,
}

const hex32 = (value: number): EventValue => ({ type: 'hex32', value })
const hex64 = (value: number): EventValue => ({ type: 'hex64', value })
const uint16 = (value: number): EventValue => ({ type: 'uint16', value })
const guid = (value: string): EventValue => ({ type: 'guid', value })
const sid = (value: string): EventValue => ({ type: 'sid', value })

/** `2026-11-03 09:14:05.250`, the way Sysmon writes times into its data. */
export function sysmonTime(time: number): string {
  return new Date(time).toISOString().replace('T', ' ').slice(0, 23)
}

/** `CORP\user07`. */
export function accountName(account: Account): string {
  return `${account.domain}\\${account.name}`
}

function digest(algorithm: string, text: string): string {
  return createHash(algorithm).update(text).digest('hex').toUpperCase()
}

/** Digests that stand for a file: the same for the same name, and of no real file. */
export function hashesOf(name: string): string {
  const key = `harrier sample ${name.toLowerCase()}`
  return `SHA1=${digest('sha1', key)},MD5=${digest('md5', key)},SHA256=${digest('sha256', key)},IMPHASH=${digest('md5', `imports of ${key}`)}`
}

/** A GUID that belongs to a logon session. */
export function logonGuid(host: Host, account: Account): string {
  const digits = digest('md5', `${host.name} ${account.sid} ${account.logonId}`)
  return `{${digits.slice(0, 8)}-${digits.slice(8, 12)}-${digits.slice(12, 16)}-${digits.slice(16, 20)}-${digits.slice(20)}}`
}

/** Sysmon's number, version and task (they are the same number) of each kind of event. */
const SYSMON_VERSIONS: Readonly<Record<number, number>> = {
  1: 5,
  3: 5,
  5: 3,
  10: 3,
  11: 2,
  13: 2,
  22: 5,
}

function sysmon(host: Host, eventId: number, data: EventData): WindowsEvent {
  return {
    provider: 'Microsoft-Windows-Sysmon',
    providerGuid: '{5770385F-C22A-43E0-BF4C-06F5698FFBD9}',
    eventId,
    version: SYSMON_VERSIONS[eventId] ?? 1,
    level: 4,
    task: eventId,
    opcode: 0,
    keywords: '0x8000000000000000',
    channel: 'Microsoft-Windows-Sysmon/Operational',
    computer: host.name,
    processId: 2916,
    threadId: 3908,
    userSid: SYSTEM_SID,
    data: [['RuleName', '-'], ...data],
  }
}

/** Sysmon 1: a process was created. */
export function processCreated(
  host: Host,
  time: number,
  process: Process,
  parent: Process,
  facts: ProgramFacts,
  more: { readonly directory: string; readonly integrity: string },
): WindowsEvent {
  const { user } = process
  return sysmon(host, 1, [
    ['UtcTime', sysmonTime(time)],
    ['ProcessGuid', guid(process.guid)],
    ['ProcessId', process.pid],
    ['Image', process.image],
    ['FileVersion', facts.version],
    ['Description', facts.description],
    ['Product', facts.product],
    ['Company', facts.company],
    ['OriginalFileName', facts.original],
    ['CommandLine', process.commandLine],
    ['CurrentDirectory', more.directory],
    ['User', accountName(user)],
    ['LogonGuid', guid(logonGuid(host, user))],
    ['LogonId', hex64(user.logonId)],
    ['TerminalSessionId', user === SYSTEM ? 0 : 1],
    ['IntegrityLevel', more.integrity],
    ['Hashes', hashesOf(facts.original === '-' ? process.image : facts.original)],
    ['ParentProcessGuid', guid(parent.guid)],
    ['ParentProcessId', parent.pid],
    ['ParentImage', parent.image],
    ['ParentCommandLine', parent.commandLine],
    ['ParentUser', accountName(parent.user)],
  ])
}

/** Sysmon 3: a connection was opened. */
export function networkConnection(
  host: Host,
  time: number,
  process: Process,
  to: { readonly ip: string; readonly port: number; readonly name?: string },
  from: { readonly port: number; readonly ip?: string },
): WindowsEvent {
  const ports: Readonly<Record<number, string>> = {
    53: 'domain',
    80: 'http',
    88: 'kerberos',
    443: 'https',
    445: 'microsoft-ds',
  }
  return sysmon(host, 3, [
    ['UtcTime', sysmonTime(time)],
    ['ProcessGuid', guid(process.guid)],
    ['ProcessId', process.pid],
    ['Image', process.image],
    ['User', accountName(process.user)],
    ['Protocol', to.port === 53 ? 'udp' : 'tcp'],
    ['Initiated', true],
    ['SourceIsIpv6', to.ip.includes(':')],
    ['SourceIp', from.ip ?? host.ip],
    ['SourceHostname', host.name],
    ['SourcePort', uint16(from.port)],
    ['SourcePortName', '-'],
    ['DestinationIsIpv6', to.ip.includes(':')],
    ['DestinationIp', to.ip],
    ['DestinationHostname', to.name ?? '-'],
    ['DestinationPort', uint16(to.port)],
    ['DestinationPortName', ports[to.port] ?? '-'],
  ])
}

/** Sysmon 5: a process ended. */
export function processEnded(host: Host, time: number, process: Process): WindowsEvent {
  return sysmon(host, 5, [
    ['UtcTime', sysmonTime(time)],
    ['ProcessGuid', guid(process.guid)],
    ['ProcessId', process.pid],
    ['Image', process.image],
    ['User', accountName(process.user)],
  ])
}

/** Sysmon 10: one process opened another. */
export function processAccess(
  host: Host,
  time: number,
  source: Process,
  target: Process,
  access: number,
  trace: string,
): WindowsEvent {
  return sysmon(host, 10, [
    ['UtcTime', sysmonTime(time)],
    ['SourceProcessGUID', guid(source.guid)],
    ['SourceProcessId', source.pid],
    ['SourceThreadId', source.pid + 12],
    ['SourceImage', source.image],
    ['TargetProcessGUID', guid(target.guid)],
    ['TargetProcessId', target.pid],
    ['TargetImage', target.image],
    ['GrantedAccess', hex32(access)],
    ['CallTrace', trace],
    ['SourceUser', accountName(source.user)],
    ['TargetUser', accountName(target.user)],
  ])
}

/** Sysmon 11: a file was created or replaced. */
export function fileCreated(
  host: Host,
  time: number,
  process: Process,
  path: string,
): WindowsEvent {
  return sysmon(host, 11, [
    ['UtcTime', sysmonTime(time)],
    ['ProcessGuid', guid(process.guid)],
    ['ProcessId', process.pid],
    ['Image', process.image],
    ['TargetFilename', path],
    ['CreationUtcTime', sysmonTime(time)],
    ['User', accountName(process.user)],
  ])
}

/** Sysmon 13: a registry value was set. */
export function registrySet(
  host: Host,
  time: number,
  process: Process,
  key: string,
  details: string,
): WindowsEvent {
  return sysmon(host, 13, [
    ['EventType', 'SetValue'],
    ['UtcTime', sysmonTime(time)],
    ['ProcessGuid', guid(process.guid)],
    ['ProcessId', process.pid],
    ['Image', process.image],
    ['TargetObject', key],
    ['Details', details],
    ['User', accountName(process.user)],
  ])
}

/** Sysmon 22: a name was looked up. No answers make it a failed look-up. */
export function dnsQuery(
  host: Host,
  time: number,
  process: Process,
  name: string,
  answers: readonly string[],
): WindowsEvent {
  const results = answers.map((ip) => (ip.includes(':') ? ip : `::ffff:${ip}`))
  return sysmon(host, 22, [
    ['UtcTime', sysmonTime(time)],
    ['ProcessGuid', guid(process.guid)],
    ['ProcessId', process.pid],
    ['QueryName', name],
    ['QueryStatus', answers.length === 0 ? '9003' : '0'],
    ['QueryResults', answers.length === 0 ? '-' : `${results.join(';')};`],
    ['Image', process.image],
    ['User', accountName(process.user)],
  ])
}

/** Makers of typed values, for the other channels. */
export const typed = { hex32, hex64, uint16, guid, sid }
