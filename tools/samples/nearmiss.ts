/**
 * Harmless neighbours of the intrusion on the Windows machines: for each rule, events that look much like the ones it
 * finds and that it must leave alone. Adds to the logs of `Logs`.
 */
import {
  explicitCredentials,
  logCleared,
  logServiceStopped,
  scriptBlock,
  serviceInstalled,
} from './channels.ts'
import { encoded, type Logs, run } from './intrusion.ts'
import { at } from './log.ts'
import {
  dnsQuery,
  fileCreated,
  networkConnection,
  processAccess,
  registrySet,
  SYSTEM,
} from './windows.ts'
import {
  ADMIN,
  BACKUP,
  DC01,
  FILE_SERVER_ACCOUNT,
  FS02,
  type Machine,
  PATHS,
  WS07,
  WS12,
} from './world.ts'

/** Harmless neighbours on the desks' Sysmon. */
function nearMisses(logs: Logs, clerk: Machine, developer: Machine, files: Machine): void {
  const { sysmon, serverSysmon } = logs
  run(
    sysmon,
    developer,
    '08:52:17',
    developer.explorer,
    {
      image: PATHS.python,
      command: `"${PATHS.python}" -c "import pty_compat as p; print(p.VERSION)"`,
    },
    { quiet: [['python-pseudo-terminal', 'the module has another name and nothing is spawned']] },
  )
  const agent = run(
    sysmon,
    developer,
    '08:55:00',
    developer.monitoring,
    {
      image: PATHS.powershell,
      command: `"${PATHS.powershell}" -NoProfile -EncodedCommand ${encoded('Get-Service | Measure-Object')}`,
      user: SYSTEM,
    },
    {
      quiet: [
        ['powershell-encoded-command', 'the monitoring agent, filtered'],
        ['powershell-encoded-download', 'the decoded text names no web client'],
      ],
    },
  )
  for (const [clock, command] of [
    ['09:03:12', 'whoami'],
    ['09:03:15', 'whoami /user'],
  ] as const) {
    const quiet = [['privilege-lookup', 'asks for the name only']] as const
    run(sysmon, developer, clock, developer.explorer, { image: PATHS.whoami, command }, { quiet })
  }
  for (const [clock, command, why] of [
    ['09:05:40', 'schtasks /query /fo csv /v | find "powershell"', 'lists tasks, creates none'],
    [
      '09:06:02',
      `schtasks /create /sc daily /tn Nightly /tr "${PATHS.backup}" /st 23:00`,
      'the program stands in the program folder',
    ],
  ] as const) {
    const quiet = [['scheduled-task-user-folder', why]] as const
    run(sysmon, developer, clock, developer.explorer, { image: PATHS.schtasks, command }, { quiet })
  }
  const browser = developer.spawn(PATHS.chrome, `"${PATHS.chrome}"`, developer.user)
  const chatted = at('09:08:30')
  sysmon.add(chatted, dnsQuery(WS12, chatted, browser, 'pastebin.com', ['203.0.113.80']), {
    quiet: [['abused-web-service-lookup', 'a person with a browser']],
  })
  const chat = developer.spawn(
    'C:\\Users\\user12\\AppData\\Local\\Discord\\app-1.0\\Discord.exe',
    'Discord.exe',
    developer.user,
  )
  const called = at('09:08:45')
  sysmon.add(called, dnsQuery(WS12, called, chat, 'media.discordapp.com', ['203.0.113.81']), {
    quiet: [['abused-web-service-lookup', 'the chat program at its own service, filtered']],
  })
  for (const [clock, to] of [
    ['09:10:00', { ip: '10.20.1.20', port: 5985 }],
    ['09:10:04', { ip: 'fd00:20::14', port: 5986 }],
  ] as const) {
    const from = { port: developer.port(), ...(to.ip.includes(':') ? { ip: 'fd00:20::c' } : {}) }
    sysmon.add(at(clock), networkConnection(WS12, at(clock), agent, to, from), {
      quiet: [['script-host-public-connection', 'the address is private']],
    })
  }
  const opened = at('09:15:00')
  const trace = 'C:\\Windows\\SYSTEM32\\ntdll.dll+9d4c4|C:\\ProgramData\\Microsoft\\engine.dll+1103'
  sysmon.add(opened, processAccess(WS07, opened, clerk.defender, clerk.lsass, 0x1410, trace), {
    quiet: [['lsass-memory-read', 'Defender itself, filtered']],
  })
  const checked = at('09:15:30')
  sysmon.add(checked, processAccess(WS07, checked, clerk.svchost, clerk.lsass, 0x1410, trace), {
    quiet: [['lsass-memory-read', 'a service of the system, filtered']],
  })
  const downloaded = at('09:22:00')
  const partial = 'C:\\Users\\user12\\Downloads\\handbook.pdf.crdownload'
  sysmon.add(downloaded, fileCreated(WS12, downloaded, browser, partial), {
    quiet: [['document-second-extension', 'an unfinished download of the browser']],
  })
  const packed = at('09:23:00')
  serverSysmon.add(
    packed,
    fileCreated(FS02, packed, files.services, 'E:\\Backup\\set4\\finance.docx.zip'),
    { quiet: [['document-second-extension', 'the last extension is too short to be odd']] },
  )
  const meetings = developer.spawn(PATHS.meetings, `"${PATHS.meetings}" --update`, developer.user)
  for (const [clock, details, why] of [
    [
      '09:24:00',
      'C:\\Users\\user12\\AppData\\Roaming\\Example Meetings\\tray.exe',
      'a known program that installs itself for one user, filtered',
    ],
    ['09:24:02', `"${PATHS.backup}" --tray`, 'the program stands in the program folder'],
  ] as const) {
    const key = `HKU\\${developer.user.sid}\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run\\Tray${clock.slice(-1)}`
    sysmon.add(at(clock), registrySet(WS12, at(clock), meetings, key, details), {
      quiet: [['run-key-user-folder', why]],
    })
  }
  run(
    serverSysmon,
    files,
    '09:00:01',
    files.services,
    { image: PATHS.vssadmin, command: 'vssadmin list shadows', user: SYSTEM },
    { quiet: [['shadow-copies-deleted', 'lists the copies only']] },
  )
}

/** Harmless neighbours in the other Windows logs. */
function nearMissesElsewhere(logs: Logs): void {
  const { security, system, powershell } = logs
  const tool = { image: 'C:\\Windows\\System32\\taskhostw.exe', pid: 5120 }
  security.add(
    at('08:49:00'),
    explicitCredentials(FS02, BACKUP, { name: 'svc-backup', domain: 'CORP', server: 'DC01' }, tool),
    { quiet: [['explicit-credentials-other-account', 'the same account under its own name']] },
  )
  security.add(
    at('08:49:30'),
    explicitCredentials(WS12, ADMIN, { name: 'user12', domain: 'CORP', server: 'localhost' }, tool),
    { quiet: [['explicit-credentials-other-account', 'another account, but on the same machine']] },
  )
  security.add(
    at('08:49:45'),
    explicitCredentials(
      FS02,
      FILE_SERVER_ACCOUNT,
      { name: 'svc-backup', domain: 'CORP', server: 'DC01.corp.example.com' },
      tool,
    ),
    { quiet: [['explicit-credentials-other-account', 'a task of the machine itself, filtered']] },
  )
  security.add(at('08:31:05'), logServiceStopped(DC01), {
    quiet: [['security-log-cleared', 'the log service stopped, the log was kept']],
  })
  system.add(at('08:35:00'), logCleared(FS02, FILE_SERVER_ACCOUNT, 'Example-Backup/Debug'), {
    quiet: [['system-log-cleared', 'set-up by the machine itself, filtered']],
  })
  for (const [clock, name, path, why] of [
    [
      '08:36:10',
      'Example Backup Agent',
      '"C:\\Program Files\\Example Backup\\agent.exe" --service',
      'an ordinary service',
    ],
    [
      '08:36:12',
      'exbackup',
      '%SystemRoot%\\System32\\drivers\\exbackup.sys',
      'a driver in its own folder, though its name has eight letters',
    ],
  ] as const) {
    system.add(at(clock), serviceInstalled(FS02, SYSTEM, { name, path, start: 'auto start' }), {
      quiet: [['psexec-service-install', why]],
    })
  }
  for (const [clock, text, path, why] of [
    [
      '09:02:00',
      'Invoke-WebRequest -Uri https://intranet.corp.example.com/roster.csv -OutFile D:\\roster.csv',
      '',
      'downloads, runs nothing',
    ],
    [
      '09:02:40',
      'function Update-Help { Invoke-WebRequest $uri -OutFile $file; Start-Process $viewer $file }',
      'C:\\Program Files\\WindowsPowerShell\\Modules\\HelpTools\\HelpTools.psm1',
      'a module installed for all users, filtered',
    ],
  ] as const) {
    const id = `7b0c1d2e-0000-4000-8000-${clock.replaceAll(':', '')}000000`
    powershell.add(at(clock), scriptBlock(WS12, ADMIN, 6_204, { id, text, path }), {
      quiet: [['powershell-download-and-run', why]],
    })
  }
}

/** Adds the near misses to the logs. */
export function addNearMisses(
  logs: Logs,
  machines: { readonly clerk: Machine; readonly developer: Machine; readonly files: Machine },
): void {
  nearMisses(logs, machines.clerk, machines.developer, machines.files)
  nearMissesElsewhere(logs)
}
