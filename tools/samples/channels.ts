/**
 * Makers of events of the Security, System, PowerShell and Defender logs, beside the Sysmon ones in windows.ts. Each
 * takes a machine and the facts, and gives the event as data.
 */
import {
  type Account,
  type EventData,
  type Host,
  logonGuid,
  typed,
  type WindowsEvent,
} from './windows.ts'

const { hex64, guid, sid } = typed
const NO_GUID = guid('{00000000-0000-0000-0000-000000000000}')
const EVENTLOG = 'http://manifests.microsoft.com/win/2004/08/windows/eventlog'

function audit(
  host: Host,
  eventId: number,
  version: number,
  task: number,
  data: EventData,
): WindowsEvent {
  return {
    provider: 'Microsoft-Windows-Security-Auditing',
    providerGuid: '{54849625-5478-4994-A5BA-3E3B0328C30D}',
    eventId,
    version,
    level: 0,
    task,
    opcode: 0,
    keywords: '0x8020000000000000',
    channel: 'Security',
    computer: host.name,
    processId: 4,
    threadId: 812,
    data,
  }
}

function subject(account: Account): EventData {
  return [
    ['SubjectUserSid', sid(account.sid)],
    ['SubjectUserName', account.name],
    ['SubjectDomainName', account.domain],
    ['SubjectLogonId', hex64(account.logonId)],
  ]
}

const NOBODY: EventData = [
  ['SubjectUserSid', sid('S-1-0-0')],
  ['SubjectUserName', '-'],
  ['SubjectDomainName', '-'],
  ['SubjectLogonId', hex64(0)],
]

/** Security 4624: somebody logged on. */
export function loggedOn(
  host: Host,
  account: Account,
  logonId: number,
  type: number,
  from: { readonly ip: string; readonly port: number },
): WindowsEvent {
  return audit(host, 4624, 2, 12544, [
    ...NOBODY,
    ['TargetUserSid', sid(account.sid)],
    ['TargetUserName', account.name],
    ['TargetDomainName', account.domain],
    ['TargetLogonId', hex64(logonId)],
    ['LogonType', type],
    ['LogonProcessName', type === 3 ? 'Kerberos' : 'User32 '],
    ['AuthenticationPackageName', type === 3 ? 'Kerberos' : 'Negotiate'],
    ['WorkstationName', '-'],
    ['LogonGuid', guid(logonGuid(host, { ...account, logonId }))],
    ['TransmittedServices', '-'],
    ['LmPackageName', '-'],
    ['KeyLength', 0],
    ['ProcessId', hex64(0)],
    ['ProcessName', '-'],
    ['IpAddress', from.ip],
    ['IpPort', String(from.port)],
    ['ImpersonationLevel', '%%1833'],
    ['RestrictedAdminMode', '-'],
    ['TargetOutboundUserName', '-'],
    ['TargetOutboundDomainName', '-'],
    ['VirtualAccount', '%%1843'],
    ['TargetLinkedLogonId', hex64(0)],
    ['ElevatedToken', '%%1842'],
  ])
}

/** Security 4634: a session ended. */
export function loggedOff(
  host: Host,
  account: Account,
  logonId: number,
  type: number,
): WindowsEvent {
  return audit(host, 4634, 0, 12545, [
    ['TargetUserSid', sid(account.sid)],
    ['TargetUserName', account.name],
    ['TargetDomainName', account.domain],
    ['TargetLogonId', hex64(logonId)],
    ['LogonType', type],
  ])
}

/** Security 4648: a process used a name and password that it was given. */
export function explicitCredentials(
  host: Host,
  account: Account,
  used: { readonly name: string; readonly domain: string; readonly server: string },
  process: { readonly image: string; readonly pid: number },
): WindowsEvent {
  return audit(host, 4648, 0, 12544, [
    ...subject(account),
    ['LogonGuid', guid(logonGuid(host, account))],
    ['TargetUserName', used.name],
    ['TargetDomainName', used.domain],
    ['TargetLogonGuid', NO_GUID],
    ['TargetServerName', used.server],
    ['TargetInfo', used.server],
    ['ProcessId', hex64(process.pid)],
    ['ProcessName', process.image],
    ['IpAddress', '-'],
    ['IpPort', '-'],
  ])
}

/** Security 4672: a session with strong privileges began. */
export function privilegedLogon(host: Host, account: Account, logonId: number): WindowsEvent {
  return audit(host, 4672, 0, 12548, [
    ...subject({ ...account, logonId }),
    [
      'PrivilegeList',
      'SeSecurityPrivilege\r\n\t\t\tSeBackupPrivilege\r\n\t\t\tSeRestorePrivilege\r\n\t\t\tSeDebugPrivilege',
    ],
  ])
}

/** Security 4688: a process was created, as the audit policy records it. */
export function processAudited(
  host: Host,
  account: Account,
  process: { readonly image: string; readonly pid: number; readonly commandLine: string },
  parent: { readonly image: string; readonly pid: number },
): WindowsEvent {
  return audit(host, 4688, 2, 13312, [
    ...subject(account),
    ['NewProcessId', hex64(process.pid)],
    ['NewProcessName', process.image],
    ['TokenElevationType', '%%1936'],
    ['ProcessId', hex64(parent.pid)],
    ['CommandLine', process.commandLine],
    ['TargetUserSid', sid('S-1-0-0')],
    ['TargetUserName', '-'],
    ['TargetDomainName', '-'],
    ['TargetLogonId', hex64(0)],
    ['ParentProcessName', parent.image],
    ['MandatoryLabel', sid(account.name === 'SYSTEM' ? 'S-1-16-16384' : 'S-1-16-8192')],
  ])
}

/** Security 5140: a share was opened. */
export function shareOpened(
  host: Host,
  account: Account,
  from: { readonly ip: string; readonly port: number },
  share: { readonly name: string; readonly path: string },
): WindowsEvent {
  return audit(host, 5140, 1, 12808, [
    ...subject(account),
    ['ObjectType', 'File'],
    ['IpAddress', from.ip],
    ['IpPort', String(from.port)],
    ['ShareName', `\\\\*\\${share.name}`],
    ['ShareLocalPath', share.path],
    ['AccessMask', typed.hex32(1)],
    ['AccessList', '%%4416\r\n\t\t\t\t'],
  ])
}

function eventLog(
  host: Host,
  eventId: number,
  channel: string,
  task: number,
  section: string,
  data: EventData,
): WindowsEvent {
  return {
    provider: 'Microsoft-Windows-Eventlog',
    providerGuid: '{FC65DDD8-D6EF-4962-83D5-6E5CFE9CE148}',
    eventId,
    version: 0,
    level: 4,
    task,
    opcode: 0,
    keywords: channel === 'Security' ? '0x4020000000000000' : '0x8000000000000000',
    channel,
    computer: host.name,
    processId: 1124,
    threadId: 1480,
    data,
    section: { element: section, namespace: EVENTLOG },
  }
}

/** Security 1100: the event log service stopped, as it does when the machine does. */
export function logServiceStopped(host: Host): WindowsEvent {
  return eventLog(host, 1100, 'Security', 103, 'ServiceShutdown', [])
}

/** Security 1102: the Security log was emptied. */
export function securityLogCleared(host: Host, account: Account): WindowsEvent {
  return eventLog(host, 1102, 'Security', 104, 'LogFileCleared', subject(account))
}

/** System 104: another log was emptied. */
export function logCleared(host: Host, account: Account, cleared: string): WindowsEvent {
  return eventLog(host, 104, 'System', 104, 'LogFileCleared', [
    ['SubjectUserName', account.name],
    ['SubjectDomainName', account.domain],
    ['Channel', cleared],
    ['BackupPath', ''],
  ])
}

function serviceManager(host: Host, eventId: number, data: EventData): WindowsEvent {
  return {
    provider: 'Service Control Manager',
    providerGuid: '{555908D1-A6D7-4695-8E1E-26931D2012F4}',
    eventId,
    version: 0,
    level: 4,
    task: 0,
    opcode: 0,
    keywords: '0x8080000000000000',
    channel: 'System',
    computer: host.name,
    processId: 704,
    threadId: 5212,
    data,
  }
}

/** System 7036: a service started or stopped. */
export function serviceState(host: Host, service: string, state: string): WindowsEvent {
  return serviceManager(host, 7036, [
    ['param1', service],
    ['param2', state],
  ])
}

/** System 7045: a service was installed. */
export function serviceInstalled(
  host: Host,
  account: Account,
  service: { readonly name: string; readonly path: string; readonly start: string },
): WindowsEvent {
  return {
    ...serviceManager(host, 7045, [
      ['ServiceName', service.name],
      ['ImagePath', service.path],
      ['ServiceType', service.path.endsWith('.sys') ? 'kernel mode driver' : 'user mode service'],
      ['StartType', service.start],
      ['AccountName', service.path.endsWith('.sys') ? '' : 'LocalSystem'],
    ]),
    userSid: account.sid,
  }
}

/** PowerShell 4104: a script block as it was compiled. */
export function scriptBlock(
  host: Host,
  account: Account,
  pid: number,
  script: { readonly id: string; readonly text: string; readonly path: string },
): WindowsEvent {
  return {
    provider: 'Microsoft-Windows-PowerShell',
    providerGuid: '{A0C1853B-5C40-4B15-8766-3CF1C58F985A}',
    eventId: 4104,
    version: 1,
    level: 5,
    task: 2,
    opcode: 15,
    keywords: '0x0000000000000000',
    channel: 'Microsoft-Windows-PowerShell/Operational',
    computer: host.name,
    processId: pid,
    threadId: pid + 60,
    userSid: account.sid,
    data: [
      ['MessageNumber', { type: 'int32', value: 1 }],
      ['MessageTotal', { type: 'int32', value: 1 }],
      ['ScriptBlockText', script.text],
      ['ScriptBlockId', script.id],
      ['Path', script.path],
    ],
  }
}

/** A Defender event: 1000 and 1001 scans, 2000 updates, 5001 protection off, 5007 settings changed. */
export function defender(host: Host, eventId: number, data: EventData): WindowsEvent {
  return {
    provider: 'Microsoft-Windows-Windows Defender',
    providerGuid: '{11CD958A-C507-4EF3-B3F2-5FD9DFBD2C78}',
    eventId,
    version: 0,
    level: 4,
    task: 0,
    opcode: 0,
    keywords: '0x8000000000000000',
    channel: 'Microsoft-Windows-Windows Defender/Operational',
    computer: host.name,
    processId: 3120,
    threadId: 4404,
    userSid: 'S-1-5-18',
    data: [
      ['Product Name', 'Microsoft Defender Antivirus'],
      ['Product Version', '4.18.26090.9'],
      ...data,
    ],
  }
}
