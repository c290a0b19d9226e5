/**
 * The made-up company of the samples: machines, accounts, programs, and the processes that run all day. Addresses are
 * private or from the ranges for documentation, names end in `example.com`; nobody and nothing here exists.
 */
import { type Random, randomFrom, seedOf } from '../random.ts'
import { type Account, type Host, type Process, type ProgramFacts, SYSTEM } from './windows.ts'

const DOMAIN = 'corp.example.com'

/** A clerk's desk (the first victim), a developer's desk, the file server, the domain controller. */
export const WS07: Host = { name: `WS07.${DOMAIN}`, ip: '10.20.7.107' }
export const WS12: Host = { name: `WS12.${DOMAIN}`, ip: '10.20.7.112' }
export const FS02: Host = { name: `FS02.${DOMAIN}`, ip: '10.20.1.12' }
export const DC01: Host = { name: `DC01.${DOMAIN}`, ip: '10.20.1.5' }

/** Where the intruder sits, and the intruder's second address. */
export const INTRUDER = '203.0.113.66'
export const INTRUDER_V6 = '2001:db8:66::7'

const account = (name: string, rid: number, logonId: number): Account => ({
  domain: 'CORP',
  name,
  sid: `S-1-5-21-1004336348-1177238915-682003330-${rid}`,
  logonId,
})

export const CLERK = account('user07', 1107, 0x3b5e64)
export const DEVELOPER = account('user12', 1112, 0x41a0c2)
export const ADMIN = account('it-admin', 1050, 0x7c90de)
export const BACKUP = account('svc-backup', 1061, 0x1f2a33)
export const FILE_SERVER_ACCOUNT = account('FS02$', 1012, 0x3e7)

const WINDOWS = 'Microsoft® Windows® Operating System'
const MICROSOFT = 'Microsoft Corporation'
const S = 'C:\\Windows\\System32\\'
const P = 'C:\\Program Files\\'

const windowsTool = (original: string, description: string): ProgramFacts => ({
  version: '10.0.22621.3527 (WinBuild.160101.0800)',
  description,
  product: WINDOWS,
  company: MICROSOFT,
  original,
})
const office = (original: string, description: string): ProgramFacts => ({
  version: '16.0.17928.20114',
  description,
  product: 'Microsoft Office',
  company: MICROSOFT,
  original,
})
const other = (original: string, description: string, company: string): ProgramFacts => ({
  version: '1.8.2.0',
  description,
  product: description,
  company,
  original,
})

const PROGRAMS: ReadonlyMap<string, ProgramFacts> = new Map([
  ['svchost.exe', windowsTool('svchost.exe', 'Host Process for Windows Services')],
  ['conhost.exe', windowsTool('CONHOST.EXE', 'Console Window Host')],
  ['cmd.exe', windowsTool('Cmd.Exe', 'Windows Command Processor')],
  ['powershell.exe', windowsTool('PowerShell.EXE', 'Windows PowerShell')],
  ['taskhostw.exe', windowsTool('taskhostw.exe', 'Host Process for Windows Tasks')],
  ['RuntimeBroker.exe', windowsTool('RuntimeBroker.exe', 'Runtime Broker')],
  ['backgroundTaskHost.exe', windowsTool('backgroundTaskHost.exe', 'Background Task Host')],
  ['dllhost.exe', windowsTool('dllhost.exe', 'COM Surrogate')],
  ['splwow64.exe', windowsTool('splwow64.exe', 'Print driver host for applications')],
  ['schtasks.exe', windowsTool('schtasks.exe', 'Task Scheduler Configuration Tool')],
  ['whoami.exe', windowsTool('whoami.exe', 'whoami - displays logged on user information')],
  ['ipconfig.exe', windowsTool('ipconfig.exe', 'IP Configuration Utility')],
  ['net.exe', windowsTool('net.exe', 'Net Command')],
  ['reg.exe', windowsTool('reg.exe', 'Registry Console Tool')],
  ['vssadmin.exe', windowsTool('VSSADMIN.EXE', 'Command Line Interface for Volume Shadow Copy')],
  ['WMIC.exe', windowsTool('wmic.exe', 'WMI Commandline Utility')],
  ['wbadmin.exe', windowsTool('WBADMIN.EXE', 'Command Line Interface for Backup')],
  ['wevtutil.exe', windowsTool('wevtutil.exe', 'Eventing Command Line Utility')],
  ['notepad.exe', windowsTool('NOTEPAD.EXE', 'Notepad')],
  ['WINWORD.EXE', office('WinWord.exe', 'Microsoft Word')],
  ['EXCEL.EXE', office('Excel.exe', 'Microsoft Excel')],
  ['OUTLOOK.EXE', office('Outlook.exe', 'Microsoft Outlook')],
  ['chrome.exe', other('chrome.exe', 'Google Chrome', 'Google LLC')],
  ['msedge.exe', other('msedge.exe', 'Microsoft Edge', MICROSOFT)],
  ['python.exe', other('python.exe', 'Python', 'Python Software Foundation')],
  ['git.exe', other('git.exe', 'Git for Windows', 'The Git Development Community')],
  ['node.exe', other('node.exe', 'Node.js', 'Node.js')],
  [
    'MpCmdRun.exe',
    windowsTool('MpCmdRun.exe', 'Microsoft Malware Protection Command Line Utility'),
  ],
  ['agent.exe', other('agent.exe', 'Example Backup Agent', 'Example Backup Ltd')],
  ['meetings.exe', other('meetings.exe', 'Example Meetings', 'Example Meetings Inc')],
  ['hostmon.exe', windowsTool('PowerShell.EXE', 'Windows PowerShell')],
  ['PSEXESVC.exe', other('psexesvc.exe', 'PsExec Service', 'Sysinternals')],
])

const UNKNOWN: ProgramFacts = {
  version: '-',
  description: '-',
  product: '-',
  company: '-',
  original: '-',
}

/** What Sysmon finds in the file, by its name; nothing for programs without a version record. */
export function factsOf(image: string): ProgramFacts {
  return PROGRAMS.get(image.slice(image.lastIndexOf('\\') + 1)) ?? UNKNOWN
}

/** Programs by the names used in the story. */
export const PATHS = {
  cmd: `${S}cmd.exe`,
  powershell: `${S}WindowsPowerShell\\v1.0\\powershell.exe`,
  svchost: `${S}svchost.exe`,
  services: `${S}services.exe`,
  lsass: `${S}lsass.exe`,
  explorer: 'C:\\Windows\\explorer.exe',
  word: `${P}Microsoft Office\\root\\Office16\\WINWORD.EXE`,
  excel: `${P}Microsoft Office\\root\\Office16\\EXCEL.EXE`,
  outlook: `${P}Microsoft Office\\root\\Office16\\OUTLOOK.EXE`,
  chrome: `${P}Google\\Chrome\\Application\\chrome.exe`,
  edge: 'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
  defender: 'C:\\ProgramData\\Microsoft\\Windows Defender\\Platform\\4.18.26090.9-0\\MsMpEng.exe',
  defenderTool:
    'C:\\ProgramData\\Microsoft\\Windows Defender\\Platform\\4.18.26090.9-0\\MpCmdRun.exe',
  monitoring: `${P}Microsoft Monitoring Agent\\Agent\\MonitoringHost.exe`,
  backup: `${P}Example Backup\\agent.exe`,
  meetings: `${P}Example Meetings\\meetings.exe`,
  python: 'C:\\Users\\user12\\AppData\\Local\\Programs\\Python\\Python312\\python.exe',
  portablePython: 'C:\\Users\\user07\\AppData\\Local\\Temp\\py\\python.exe',
  hostmon: 'C:\\Users\\Public\\hostmon.exe',
  schtasks: `${S}schtasks.exe`,
  whoami: `${S}whoami.exe`,
  vssadmin: `${S}vssadmin.exe`,
  wbadmin: `${S}wbadmin.exe`,
  wmic: `${S}wbem\\WMIC.exe`,
  wevtutil: `${S}wevtutil.exe`,
  psexec: 'C:\\Windows\\PSEXESVC.exe',
} as const

/** The processes of a machine: those that run all day, and new ones by number. */
export interface Machine {
  readonly host: Host
  readonly user: Account
  readonly random: Random
  readonly services: Process
  readonly svchost: Process
  readonly lsass: Process
  readonly explorer: Process
  readonly defender: Process
  readonly monitoring: Process
  /** A process that is new: its own number and GUID. */
  spawn(image: string, commandLine: string, user: Account): Process
  /** The next port for an outgoing connection. */
  port(): number
}

/** A machine with the user who sits at it; the same machine always has the same numbers. */
export function machineOf(host: Host, user: Account): Machine {
  const random = randomFrom(seedOf(`machine ${host.name}`))
  let pid = 4_000 + 4 * random.below(200)
  let port = 49_700 + random.below(300)
  const machineId = random.hex(8).toUpperCase()
  const spawn = (image: string, commandLine: string, owner: Account): Process => {
    pid += 4 * random.between(1, 9)
    const tail = random.hex(12).toUpperCase()
    return {
      guid: `{${machineId}-${random.hex(4).toUpperCase()}-6908-${tail.slice(0, 4)}-000000${tail.slice(6)}}`,
      pid,
      image,
      commandLine,
      user: owner,
    }
  }
  const standing = (
    number: number,
    image: string,
    commandLine: string,
    owner: Account,
  ): Process => ({
    ...spawn(image, commandLine, owner),
    pid: number,
  })
  return {
    host,
    user,
    random,
    services: standing(704, PATHS.services, PATHS.services, SYSTEM),
    svchost: standing(1032, PATHS.svchost, `${PATHS.svchost} -k netsvcs -p -s Schedule`, SYSTEM),
    lsass: standing(720, PATHS.lsass, PATHS.lsass, SYSTEM),
    explorer: standing(3_616, PATHS.explorer, 'C:\\Windows\\Explorer.EXE', user),
    defender: standing(3_120, PATHS.defender, `"${PATHS.defender}"`, SYSTEM),
    monitoring: standing(2_480, PATHS.monitoring, `"${PATHS.monitoring}" -Embedding`, SYSTEM),
    spawn,
    port: () => {
      port += random.between(1, 3)
      return port
    },
  }
}
