/**
 * An ordinary morning on the Windows machines: programs come and go, names are looked up, files are written, people log on.
 * Nothing here may be found by a starter rule.
 */
import type { Random } from '../random.ts'
import {
  defender,
  loggedOff,
  loggedOn,
  privilegedLogon,
  processAudited,
  scriptBlock,
  serviceState,
  shareOpened,
} from './channels.ts'
import type { Logs } from './intrusion.ts'
import { at, type Log } from './log.ts'
import {
  type Account,
  dnsQuery,
  fileCreated,
  networkConnection,
  type Process,
  processAccess,
  processCreated,
  processEnded,
  registrySet,
  SYSTEM,
  type WindowsEvent,
} from './windows.ts'
import {
  ADMIN,
  BACKUP,
  CLERK,
  DC01,
  DEVELOPER,
  FILE_SERVER_ACCOUNT,
  FS02,
  factsOf,
  type Machine,
  PATHS,
  WS07,
  WS12,
} from './world.ts'

const FROM = at('08:30:00')
const TO = at('10:40:00')
const WORDS =
  'budget invoice minutes offer plan report roster summary survey travel contract forecast'.split(
    ' ',
  )
const SITES = ['www', 'mail', 'intranet', 'news', 'maps', 'cdn', 'static', 'img', 'login', 'api']
const ZONES = ['example.com', 'example.org', 'example.net']

interface Launch {
  readonly image: string
  readonly parent: 'explorer' | 'svchost' | 'services' | 'monitoring'
  readonly system?: boolean
  command(random: Random, user: Account): string
}

const SYSTEM_LAUNCHES: readonly Launch[] = [
  {
    image: PATHS.svchost,
    parent: 'services',
    system: true,
    command: (r) =>
      `${PATHS.svchost} -k ${r.pick(['netsvcs', 'LocalService', 'wsappx'])} -p -s ${r.pick(['BITS', 'wuauserv', 'Appinfo', 'UsoSvc', 'lfsvc'])}`,
  },
  {
    image: 'C:\\Windows\\System32\\taskhostw.exe',
    parent: 'svchost',
    system: true,
    command: (r) => `taskhostw.exe ${r.pick(['', 'SYSTEM', 'KEYROAMING', 'Install $(Arg0)'])}`,
  },
  {
    image: PATHS.defenderTool,
    parent: 'svchost',
    system: true,
    command: (r) =>
      `"${PATHS.defenderTool}" SignatureUpdate -ScheduleJob -RestrictPrivileges -Reinvoke ${r.hex(6)}`,
  },
  {
    image: PATHS.backup,
    parent: 'services',
    system: true,
    command: (r) => `"${PATHS.backup}" --job ${r.between(100, 140)} --log "D:\\Logs\\job.txt"`,
  },
]

const DESK_LAUNCHES: readonly Launch[] = [
  {
    image: PATHS.chrome,
    parent: 'explorer',
    command: (r) =>
      `"${PATHS.chrome}" --type=${r.pick(['renderer', 'utility', 'gpu-process'])} --lang=en-GB --renderer-client-id=${r.below(400)} --launch-time-ticks=${r.below(1e9)} /prefetch:${r.below(9)}`,
  },
  {
    image: PATHS.edge,
    parent: 'explorer',
    command: (r) =>
      `"${PATHS.edge}" --single-argument https://intranet.corp.example.com/${r.pick(WORDS)}`,
  },
  {
    image: PATHS.word,
    parent: 'explorer',
    command: (r, u) =>
      `"${PATHS.word}" /n "C:\\Users\\${u.name}\\Documents\\${r.pick(WORDS)} ${r.between(1, 60)}.docx" /o ""`,
  },
  {
    image: PATHS.excel,
    parent: 'explorer',
    command: (r, u) =>
      `"${PATHS.excel}" "C:\\Users\\${u.name}\\Documents\\${r.pick(WORDS)}-${r.between(1, 60)}.xlsx"`,
  },
  {
    image: 'C:\\Windows\\System32\\backgroundTaskHost.exe',
    parent: 'svchost',
    command: (r) =>
      `"C:\\Windows\\System32\\backgroundTaskHost.exe" -ServerName:App.AppX${r.hex(20)}.mca`,
  },
  {
    image: 'C:\\Windows\\System32\\RuntimeBroker.exe',
    parent: 'svchost',
    command: () => 'C:\\Windows\\System32\\RuntimeBroker.exe -Embedding',
  },
  {
    image: 'C:\\Windows\\System32\\notepad.exe',
    parent: 'explorer',
    command: (r, u) =>
      `"C:\\Windows\\System32\\notepad.exe" C:\\Users\\${u.name}\\Desktop\\${r.pick(WORDS)}.txt`,
  },
  {
    image: PATHS.powershell,
    parent: 'monitoring',
    system: true,
    command: (r) =>
      `"${PATHS.powershell}" -NoProfile -NonInteractive -Command "& {Get-Counter -Counter '\\Processor(${r.below(8)})\\% Processor Time'}"`,
  },
]

const DEVELOPER_LAUNCHES: readonly Launch[] = [
  {
    image: 'C:\\Program Files\\Git\\cmd\\git.exe',
    parent: 'explorer',
    command: (r) =>
      `git.exe -c core.quotepath=false ${r.pick(['fetch', 'status --porcelain', 'log -1 --format=%H', 'diff --name-only'])} ${r.hex(12)}`,
  },
  {
    image: PATHS.python,
    parent: 'explorer',
    command: (r) =>
      `"${PATHS.python}" -m ${r.pick(['pytest -q', 'http.server 8000', 'venv .venv', 'pip list'])}`,
  },
  {
    image: 'C:\\Program Files\\nodejs\\node.exe',
    parent: 'explorer',
    command: (r) =>
      `"C:\\Program Files\\nodejs\\node.exe" C:\\Users\\user12\\src\\${r.pick(WORDS)}\\build.js --port ${r.between(3000, 9000)}`,
  },
]

function siteName(random: Random): string {
  return `${random.pick(SITES)}${random.below(4) === 0 ? random.below(9) : ''}.${random.pick(ZONES)}`
}

function publicIp(random: Random): string {
  return `${random.pick(['198.51.100', '203.0.113'])}.${random.between(100, 250)}`
}

function launch(
  machine: Machine,
  log: Log<WindowsEvent>,
  time: number,
  launches: readonly Launch[],
): void {
  const { random } = machine
  const one = random.pick(launches)
  const user = one.system === true ? SYSTEM : machine.user
  const child = machine.spawn(one.image, one.command(random, machine.user), user)
  const integrity = user === SYSTEM ? 'System' : 'Medium'
  const directory = user === SYSTEM ? 'C:\\Windows\\System32\\' : `C:\\Users\\${user.name}\\`
  log.add(
    time,
    processCreated(machine.host, time, child, machine[one.parent], factsOf(one.image), {
      directory,
      integrity,
    }),
  )
  if (random.below(3) === 0) {
    const end = time + random.between(800, 90_000)
    log.add(end, processEnded(machine.host, end, child))
  }
}

function connect(machine: Machine, log: Log<WindowsEvent>, time: number, from: Process): void {
  const { host, random } = machine
  const inside = random.below(3) === 0
  const to = inside
    ? { ip: `10.20.1.${random.pick([5, 12, 20])}`, port: random.pick([53, 88, 445]) }
    : { ip: publicIp(random), port: random.pick([443, 443, 443, 80]), name: siteName(random) }
  log.add(time, networkConnection(host, time, from, to, { port: machine.port() }))
}

function writeFile(machine: Machine, log: Log<WindowsEvent>, time: number, by: Process): void {
  const { host, random, user } = machine
  const home = `C:\\Users\\${user.name}`
  const path = random.pick([
    `${home}\\AppData\\Local\\Google\\Chrome\\User Data\\Default\\Cache\\f_${random.hex(6)}`,
    `${home}\\AppData\\Local\\Temp\\${random.hex(8)}.tmp`,
    `${home}\\Documents\\~$${random.pick(WORDS)}.docx`,
    `${home}\\Downloads\\${random.pick(WORDS)}.pdf`,
  ])
  log.add(time, fileCreated(host, time, by, path))
}

function setValue(machine: Machine, log: Log<WindowsEvent>, time: number): void {
  const { host, random, user } = machine
  const key = random.pick([
    `HKU\\${user.sid}\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Explorer\\FileExts\\.${random.pick(WORDS)}\\OpenWithProgids`,
    `HKU\\${user.sid}\\SOFTWARE\\Microsoft\\Office\\16.0\\Word\\File MRU\\Item ${random.between(1, 40)}`,
    `HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\WINEVT\\Channels\\${random.pick(WORDS)}\\Enabled`,
  ])
  log.add(
    time,
    registrySet(host, time, machine.explorer, key, `DWORD (0x0000000${random.below(9)})`),
  )
}

function openProcess(machine: Machine, log: Log<WindowsEvent>, time: number): void {
  const { host, random } = machine
  log.add(
    time,
    processAccess(
      host,
      time,
      random.pick([machine.svchost, machine.monitoring]),
      random.pick([machine.explorer, machine.lsass]),
      random.pick([0x1000, 0x1400]),
      `C:\\Windows\\SYSTEM32\\ntdll.dll+9d${random.hex(3)}|C:\\Windows\\System32\\KERNELBASE.dll+2c${random.hex(3)}`,
    ),
  )
}

/** So many events of a desk, spread over the morning. */
function desk(
  machine: Machine,
  log: Log<WindowsEvent>,
  count: number,
  extra: readonly Launch[],
): void {
  const { host, random } = machine
  const browser = machine.spawn(PATHS.chrome, `"${PATHS.chrome}"`, machine.user)
  const launches = [...SYSTEM_LAUNCHES.slice(0, 3), ...DESK_LAUNCHES, ...extra, ...extra]
  for (let done = 0; done < count; done++) {
    const time = random.between(FROM, TO)
    const kind = random.below(100)
    if (kind < 22) launch(machine, log, time, launches)
    else if (kind < 47) connect(machine, log, time, browser)
    else if (kind < 71) {
      const answers = random.below(12) === 0 ? [] : [publicIp(random)]
      log.add(time, dnsQuery(host, time, browser, siteName(random), answers))
    } else if (kind < 87) writeFile(machine, log, time, browser)
    else if (kind < 97) setValue(machine, log, time)
    else openProcess(machine, log, time)
  }
}

/** So many events of the file server, which backs itself up. */
function server(machine: Machine, log: Log<WindowsEvent>, count: number): void {
  const { host, random } = machine
  const backup = machine.spawn(PATHS.backup, `"${PATHS.backup}" --service`, SYSTEM)
  for (let done = 0; done < count; done++) {
    const time = random.between(FROM, TO)
    const kind = random.below(10)
    if (kind < 3) launch(machine, log, time, SYSTEM_LAUNCHES)
    else if (kind < 8) {
      const path = `E:\\Backup\\set${random.between(1, 9)}\\${random.hex(10)}.${random.pick(['blk', 'idx', 'zip'])}`
      log.add(time, fileCreated(host, time, backup, path))
    } else connect(machine, log, time, backup)
  }
}

function audits(machine: Machine, log: Log<WindowsEvent>, count: number): void {
  const { random } = machine
  const people = [CLERK, DEVELOPER, ADMIN, BACKUP, FILE_SERVER_ACCOUNT]
  for (let done = 0; done < count; done++) {
    const time = random.between(FROM, TO)
    const host = random.pick([DC01, DC01, FS02, FS02, WS07, WS12])
    const account = random.pick(people)
    const logonId = 0x400000 + random.below(0x800000)
    const from = { ip: `10.20.7.${random.between(100, 140)}`, port: random.between(49_200, 65_000) }
    const kind = random.below(10)
    if (kind < 4) {
      log.add(time, loggedOn(host, account, logonId, 3, from))
      log.add(time + random.between(200, 60_000), loggedOff(host, account, logonId, 3))
    } else if (kind < 5) {
      log.add(time, privilegedLogon(host, random.pick([ADMIN, BACKUP]), logonId))
    } else if (kind < 7) {
      const name = random.pick(['Finance', 'Projects', 'IPC$'])
      const share = { name, path: name === 'IPC$' ? '' : `\\??\\D:\\Shares\\${name}` }
      log.add(time, shareOpened(FS02, { ...account, logonId }, from, share))
    } else {
      const one = random.pick(SYSTEM_LAUNCHES)
      const child = machine.spawn(one.image, one.command(random, SYSTEM), SYSTEM)
      log.add(time, processAudited(FS02, FILE_SERVER_ACCOUNT, child, machine.services))
    }
  }
}

function services(machine: Machine, log: Log<WindowsEvent>, count: number): void {
  const { random } = machine
  const names = [
    'Windows Update',
    'BITS',
    'Windows Installer',
    'Example Backup Agent',
    'Print Spooler',
  ]
  for (let done = 0; done < count; done++) {
    const time = random.between(FROM, TO)
    const host = random.pick([WS07, WS12, FS02, DC01])
    log.add(time, serviceState(host, random.pick(names), random.pick(['running', 'stopped'])))
  }
}

function scripts(machine: Machine, log: Log<WindowsEvent>, count: number): void {
  const { random } = machine
  const texts = [
    'Get-Service | Where-Object Status -eq Running | Select-Object Name, DisplayName',
    "Get-Counter -Counter '\\Memory\\Available MBytes' -MaxSamples 3",
    'prompt',
    'Get-ChildItem -Path D:\\Shares -Directory | Measure-Object',
    '{ Set-StrictMode -Version 1; $_.PSMessageDetails }',
  ]
  for (let done = 0; done < count; done++) {
    const time = random.between(FROM, TO)
    const id = random.guid().slice(1, -1).toLowerCase()
    const script = { id, text: random.pick(texts), path: '' }
    const host = random.pick([WS07, WS12, FS02])
    log.add(
      time,
      scriptBlock(host, random.pick([SYSTEM, ADMIN]), 4 * random.between(900, 3000), script),
    )
  }
}

function protection(machine: Machine, log: Log<WindowsEvent>, count: number): void {
  const { random } = machine
  for (let done = 0; done < count; done++) {
    const time = random.between(FROM, TO)
    const host = random.pick([WS07, WS12, FS02])
    const scan = `{${random.guid().slice(1, -1)}}`
    const data = [
      ['Scan ID', scan],
      ['Scan Type', 'Antimalware'],
      ['Scan Parameters', 'Quick scan'],
    ] as const
    log.add(time, defender(host, random.pick([1000, 1001]), data))
  }
}

/** Fills the Windows logs with an ordinary morning. */
export function addNoise(
  logs: Logs,
  machines: { readonly clerk: Machine; readonly developer: Machine; readonly files: Machine },
): void {
  desk(machines.clerk, logs.sysmon, 330, [])
  desk(machines.developer, logs.sysmon, 330, DEVELOPER_LAUNCHES)
  server(machines.files, logs.serverSysmon, 130)
  audits(machines.files, logs.security, 330)
  services(machines.files, logs.system, 110)
  scripts(machines.developer, logs.powershell, 50)
  protection(machines.clerk, logs.defender, 24)
}
