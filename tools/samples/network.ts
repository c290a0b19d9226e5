/**
 * What the network saw: Zeek's record of DNS, and the flows that Cisco's Network Visibility Module reports from the
 * developer's desk. Gives lines of text with what the rules must make of them.
 */

import { createHash } from 'node:crypto'
import { type Random, randomFrom, seedOf } from '../random.ts'
import { at, type Log, type Mark, makeLog } from './log.ts'
import { WS12 } from './world.ts'

const FROM = at('08:00:00')
const TO = at('10:40:00')

const ZEEK_FIELDS =
  'ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto trans_id rtt query qclass qclass_name qtype qtype_name rcode rcode_name AA TC RD RA Z answers TTLs rejected'
const ZEEK_TYPES =
  'time string addr port addr port enum count interval string count string count string count string bool bool bool bool count vector[string] vector[interval] bool'

/** The lines that stand before the records of a Zeek log. */
export const ZEEK_HEADER: readonly string[] = [
  '#separator \\x09',
  '#set_separator\t,',
  '#empty_field\t(empty)',
  '#unset_field\t-',
  '#path\tdns',
  '#open\t2026-11-03-08-00-00',
  `#fields\t${ZEEK_FIELDS.replaceAll(' ', '\t')}`,
  `#types\t${ZEEK_TYPES.replaceAll(' ', '\t')}`,
]

/** The line that stands after them. */
export const ZEEK_FOOTER = '#close\t2026-11-03-10-40-00'

const TYPES: Readonly<Record<string, number>> = { A: 1, TXT: 16, AAAA: 28, NULL: 10, PTR: 12 }
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'

/** So many letters of the Base32 alphabet, as encoded data looks. */
export function base32(random: Random, length: number): string {
  return Array.from({ length }, () => ALPHABET[random.below(32)]).join('')
}

function zeekLine(
  random: Random,
  time: number,
  client: string,
  query: string,
  type: string,
  answer: string,
): string {
  const found = answer !== '-'
  return [
    (time / 1000).toFixed(6),
    `C${random.hex(16)}`,
    client,
    random.between(30_000, 60_000),
    '10.20.1.5',
    53,
    'udp',
    random.below(65_536),
    (random.between(300, 40_000) / 1e6).toFixed(6),
    query,
    1,
    'C_INTERNET',
    TYPES[type] ?? 1,
    type,
    found ? 0 : 3,
    found ? 'NOERROR' : 'NXDOMAIN',
    'F',
    'F',
    'T',
    found ? 'T' : 'F',
    0,
    answer,
    found ? '300.000000' : '-',
    'F',
  ].join('\t')
}

/** Zeek's dns.log without header and footer. */
export function zeekDns(): Log<string> {
  const log = makeLog<string>()
  const random = randomFrom(seedOf('zeek-dns.log'))
  const zones = ['example.com', 'example.org', 'example.net', 'corp.example.com']
  for (let done = 0; done < 420; done++) {
    const time = random.between(FROM, TO)
    const name = `${random.pick(['www', 'mail', 'api', 'cdn', 'img', 'ntp', 'db'])}${random.below(30)}.${random.pick(zones)}`
    const type = random.pick(['A', 'A', 'A', 'AAAA', 'TXT'])
    const good = random.below(15) > 0
    const answer = !good
      ? '-'
      : type === 'A'
        ? `198.51.100.${random.between(1, 250)}`
        : type === 'TXT'
          ? 'TXT 15 v=spf1 mx -all'
          : `2001:db8::${random.hex(4)}`
    const client = `10.20.${random.pick([0, 7])}.${random.between(10, 140)}`
    log.add(time, zeekLine(random, time, client, name, type, answer))
  }
  const add = (clock: string, query: string, type: string, mark: Mark): void => {
    log.add(at(clock), zeekLine(random, at(clock), '10.20.0.80', query, type, 'TXT 4 aGk='), mark)
  }
  const fires = { fires: ['zeek-dns-long-label'] }
  add('08:40:00', `${base32(random, 52)}.t.sync.example.test`, 'TXT', {
    fires: [...fires.fires, 'zeek-dns-many-long-labels'],
  })
  add('08:40:02', `${base32(random, 60)}.t.sync.example.test`, 'TXT', fires)
  add('08:40:04', `${base32(random, 48)}.t.sync.example.test`, 'NULL', fires)
  add('08:15:00', `${base32(random, 42)}._domainkey.example.org`, 'TXT', {
    quiet: [
      ['zeek-dns-long-label', 'a key for signed mail, filtered'],
      ['zeek-dns-many-long-labels', 'a key for signed mail, filtered'],
    ],
  })
  add('08:16:00', `${base32(random, 44)}.acme.corp.example.com`, 'TXT', {
    quiet: [['zeek-dns-long-label', 'our own domain, filtered']],
  })
  add('08:17:00', `${base32(random, 44)}.cdn.example.net`, 'A', {
    quiet: [
      ['zeek-dns-long-label', 'asks for an address and not for text'],
      ['zeek-dns-many-long-labels', 'asks for an address and not for text'],
    ],
  })
  return log
}

interface Flow {
  readonly time: number
  readonly name: string
  readonly path: string
  readonly args: string
  readonly host: string
  readonly ip: string
  readonly port: number
}

function sha256(name: string): string {
  return createHash('sha256').update(`harrier sample ${name}`).digest('hex').toUpperCase()
}

/** One flow with the short names that the module itself uses; every value is text. */
function flowLine(random: Random, flow: Flow): string {
  const started = Math.floor(flow.time / 1000)
  return JSON.stringify({
    fss: String(started),
    fes: String(started + random.between(1, 40)),
    udid: 'b7a6f0c2d4e81103b7a6f0c2d4e81103b7a6f0c2',
    osn: 'WinNT',
    sa: WS12.ip,
    sp: String(random.between(49_200, 65_000)),
    da: flow.ip,
    dp: String(flow.port),
    dh: flow.host,
    pr: flow.port === 53 ? '17' : '6',
    ibc: String(random.between(400, 900_000)),
    obc: String(random.between(200, 20_000)),
    pn: flow.name,
    ppath: flow.path,
    parg: flow.args,
    ph: sha256(flow.path),
    pid: String(4 * random.between(900, 4_000)),
    pil: 'MEDIUM',
    pa: 'CORP\\user12',
    ppn: 'cmd.exe',
    pppath: 'C:\\Windows\\System32\\cmd.exe',
    pparg: 'cmd.exe',
    pph: sha256('cmd.exe'),
    ppid: String(4 * random.between(900, 4_000)),
    ppil: 'MEDIUM',
    mnl: 'ntdll.dll,ws2_32.dll',
    mhl: `${sha256('ntdll.dll')},${sha256('ws2_32.dll')}`,
    liuid: 'CORP\\user12',
    liuida: 'CORP',
    liuidp: 'user12',
    aliul: '',
    ds: 'corp.example.com',
  })
}

/** Flows of the developer's desk, one JSON object a line. */
export function ciscoFlows(): Log<string> {
  const log = makeLog<string>()
  const random = randomFrom(seedOf('cisco-nvm.jsonl'))
  const python = 'C:\\Users\\user12\\AppData\\Local\\Programs\\Python\\Python312\\python.exe'
  for (let done = 0; done < 170; done++) {
    const time = random.between(FROM, TO)
    const browser = random.below(3) > 0
    log.add(
      time,
      flowLine(random, {
        time,
        name: browser ? 'chrome.exe' : 'node.exe',
        path: browser
          ? 'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe'
          : 'C:\\Program Files\\nodejs\\node.exe',
        args: browser
          ? '--type=utility --lang=en-GB'
          : `build.js --port ${random.between(3000, 9000)}`,
        host: `${random.pick(['www', 'cdn', 'api'])}${random.below(20)}.example.org`,
        ip: `198.51.100.${random.between(1, 250)}`,
        port: 443,
      }),
    )
  }
  const pip = (clock: string, args: string, host: string, mark: Mark): void => {
    const time = at(clock)
    const flow = {
      time,
      name: 'python.exe',
      path: python,
      args,
      host,
      ip: '203.0.113.20',
      port: 443,
    }
    log.add(time, flowLine(random, flow), mark)
  }
  const index = 'pypi.mirror.example.net'
  const fires = { fires: ['nvm-misspelt-python-package'] }
  pip('09:08:11', `${python} -m pip install reqeusts`, index, fires)
  pip('09:08:40', `${python} -m poetry add "Colourama" numppy==1.26`, index, fires)
  const quiet = (why: string): Mark => ({ quiet: [['nvm-misspelt-python-package', why]] })
  pip(
    '08:50:00',
    `${python} -m pip install requests colorama`,
    index,
    quiet('spelt as it should be'),
  )
  pip('08:51:00', `${python} -m pip download reqeusts`, index, quiet('fetched, not installed'))
  pip(
    '08:52:00',
    `${python} -m pip install reqeusts --no-index`,
    'wheels.corp.example.com',
    quiet('not from a package index'),
  )
  return log
}
