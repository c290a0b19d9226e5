/**
 * Reads one record of the Linux audit system: `type=PATH msg=audit(1364481363.243:24287): name="/etc/passwd" ...`, alone, after
 * `node=`, or inside a syslog line. Values that the kernel wrote as hex because of odd characters are decoded.
 */
import { isUtf8 } from 'node:buffer'
import { limits } from '../core/limits.ts'
import type { Instant } from '../core/time.ts'
import { lenientText } from './bytes.ts'

export interface AuditRecord {
  readonly type: string
  readonly node: string | undefined
  readonly time: Instant
  /** Time and serial number as written: together with the node they name the event. */
  readonly stamp: string
  readonly fields: readonly (readonly [string, string])[]
}

/** Record types by number, as the kernel prints them when no audit daemon runs. */
const TYPES = new Map([
  [1006, 'LOGIN'],
  [1100, 'USER_AUTH'],
  [1101, 'USER_ACCT'],
  [1102, 'USER_MGMT'],
  [1103, 'CRED_ACQ'],
  [1104, 'CRED_DISP'],
  [1105, 'USER_START'],
  [1106, 'USER_END'],
  [1107, 'USER_AVC'],
  [1108, 'USER_CHAUTHTOK'],
  [1109, 'USER_ERR'],
  [1110, 'CRED_REFR'],
  [1112, 'USER_LOGIN'],
  [1113, 'USER_LOGOUT'],
  [1114, 'ADD_USER'],
  [1115, 'DEL_USER'],
  [1116, 'ADD_GROUP'],
  [1117, 'DEL_GROUP'],
  [1123, 'USER_CMD'],
  [1124, 'USER_TTY'],
  [1130, 'SERVICE_START'],
  [1131, 'SERVICE_STOP'],
  [1300, 'SYSCALL'],
  [1302, 'PATH'],
  [1303, 'IPC'],
  [1304, 'SOCKETCALL'],
  [1305, 'CONFIG_CHANGE'],
  [1306, 'SOCKADDR'],
  [1307, 'CWD'],
  [1309, 'EXECVE'],
  [1317, 'FD_PAIR'],
  [1318, 'OBJ_PID'],
  [1319, 'TTY'],
  [1320, 'EOE'],
  [1321, 'BPRM_FCAPS'],
  [1322, 'CAPSET'],
  [1323, 'MMAP'],
  [1325, 'NETFILTER_CFG'],
  [1326, 'SECCOMP'],
  [1327, 'PROCTITLE'],
  [1330, 'KERN_MODULE'],
  [1331, 'FANOTIFY'],
  [1334, 'BPF'],
  [1400, 'AVC'],
  [1401, 'SELINUX_ERR'],
  [1403, 'MAC_POLICY_LOAD'],
  [1404, 'MAC_STATUS'],
  [1700, 'ANOM_PROMISCUOUS'],
  [1701, 'ANOM_ABEND'],
  [1702, 'ANOM_LINK'],
])

/** Fields that audit writes either in quotes or, with odd characters, as hex. */
const ENCODED = new Set(
  'acct cgroup cmd comm cwd data device dir exe file grp key name ocomm path proctitle root_dir sw unit vm watch'.split(
    ' ',
  ),
)

/** How far into a line the record may start (after a syslog header). */
const MOST_HEADER = 600
const HEADER =
  /type=([A-Za-z0-9_]{1,64}|UNKNOWN\[\d{1,9}\]) (?:msg=)?audit\(((\d{1,12})\.(\d{1,9}):\d{1,20})\):? ?/

function hexBytes(value: string): Buffer | undefined {
  const isHex = value.length >= 2 && value.length % 2 === 0 && /^[0-9A-F]+$/.test(value)
  return isHex ? Buffer.from(value, 'hex') : undefined
}

function bytesText(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString('utf8') : lenientText(bytes, '\\x').text
}

/** The text of an unquoted value of a field that audit may have encoded. */
function decoded(name: string, value: string): string {
  const bytes = hexBytes(value)
  if (bytes === undefined) return value
  const text = bytesText(bytes)
  // A command line holds NUL between its arguments, and often one at its end.
  if (name !== 'proctitle') return text
  let end = text.length
  while (end > 0 && text.charCodeAt(end - 1) === 0) end--
  return text.slice(0, end).replaceAll('\0', ' ')
}

const EQUALS = 61

/** True for a place that ends an unquoted value: a blank, or the sign before the interpreted fields. */
function isBreak(code: number): boolean {
  return code === 32 || code === 29
}

/** Collects `name=value` pairs out of the body of a record. */
class Pairs {
  readonly found: [string, string][] = []
  /** True within `msg='...'`, which holds no second one. */
  private isInner = false
  private readonly isExecve: boolean

  constructor(type: string) {
    this.isExecve = type === 'EXECVE'
  }

  private add(name: string, value: string, isQuoted: boolean): void {
    const isEncoded = !isQuoted && (ENCODED.has(name) || (this.isExecve && /^a\d+$/.test(name)))
    if (!isEncoded) this.found.push([name, value])
    else if (name === 'key' && hexBytes(value) !== undefined) {
      // Several keys of one rule are joined by 0x01.
      for (const key of decoded(name, value).split('\x01')) this.found.push([name, key])
    } else this.found.push([name, decoded(name, value)])
  }

  /**
   * Reads pairs from `at` up to `end`, until there are more than an event may have. A word without `=` goes on with the
   * unquoted value before it.
   */
  read(body: string, from: number, end: number): void {
    let last = -1
    for (let at = from; at < end && this.found.length <= limits.fieldsPerEvent; ) {
      if (isBreak(body.charCodeAt(at))) {
        at++
        continue
      }
      let stop = at
      let code = body.charCodeAt(stop)
      while (stop < end && code !== EQUALS && !isBreak(code)) code = body.charCodeAt(++stop)
      if (code !== EQUALS || stop >= end) {
        const before = this.found[last]
        if (before !== undefined) before[1] = `${before[1]} ${body.slice(at, stop)}`
        at = stop
        continue
      }
      const name = body.slice(at, stop)
      last = -1
      const quote = body[stop + 1]
      if (quote === '"' || quote === "'") {
        at = this.quoted(body, name, stop + 2, end, quote)
        continue
      }
      at = stop + 1
      while (at < end && !isBreak(body.charCodeAt(at))) at++
      this.add(name, body.slice(stop + 1, at), false)
      last = this.found.length - 1
    }
  }

  /**
   * A value in quotes. `msg='...'` of user-space records holds pairs of its own and ends at the last apostrophe, as
   * values within may hold some.
   */
  private quoted(body: string, name: string, from: number, end: number, quote: string): number {
    const sign = body.indexOf('\x1d', from)
    const limit = sign === -1 || sign > end ? end : sign
    const last = quote === "'" ? body.lastIndexOf(quote, limit - 1) : body.indexOf(quote, from)
    const close = last < from || last >= end ? limit : last
    if (name === 'msg' && quote === "'" && !this.isInner) {
      this.isInner = true
      this.read(body, this.avc(body, from, close), close)
      this.isInner = false
    } else this.add(name, body.slice(from, close), true)
    return close + 1
  }

  /** `avc:  denied  { read write } for  pid=...`: the words that are not pairs. Gives where the pairs start. */
  avc(body: string, from: number, end: number): number {
    const match = /^avc: +(denied|granted) +\{ ([^}]{0,256}) \} +for +/.exec(
      body.slice(from, Math.min(end, from + 320)),
    )
    if (match?.[1] === undefined || match[2] === undefined) return from
    this.found.push(['seresult', match[1]], ['seperms', match[2]])
    return from + match[0].length
  }
}

/** The record in a line, or undefined when there is none. */
export function parseAudit(line: string): AuditRecord | undefined {
  const match = HEADER.exec(line.slice(0, MOST_HEADER))
  if (!match) return undefined
  const [whole, name = '', stamp = '', seconds = '0', fraction = ''] = match
  const number = /^(?:UNKNOWN\[)?(\d{1,9})\]?$/.exec(name)?.[1]
  const type = number === undefined ? name : (TYPES.get(Number(number)) ?? name)
  const digits = `${fraction}0000000`.slice(0, 7)
  const pairs = new Pairs(type)
  const start = match.index + whole.length
  pairs.read(line, pairs.avc(line, start, line.length), line.length)
  return {
    type,
    node: /(?:^|\s)node=(\S{1,255}) $/.exec(line.slice(0, match.index))?.[1],
    time: {
      ms: Number(seconds) * 1000 + Number(digits.slice(0, 3)),
      sub: Number(digits.slice(3)),
    },
    stamp,
    fields: pairs.found,
  }
}

/** Text of the pieces of one long argument: hex pieces are put together before they are decoded. */
export function argumentText(pieces: readonly string[]): string {
  const whole = pieces.join('')
  const bytes = hexBytes(whole)
  return bytes === undefined ? whole : bytesText(bytes)
}
