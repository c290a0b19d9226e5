/**
 * Syslog as RFC 5424 has it, over UDP, TCP or TLS; the text is JSON, CEF or plain. Nobody acknowledges a line: over UDP it
 * may be lost on its way, over TCP with the connection.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { isIP } from 'node:net'
import { limits } from '../../../core/limits.ts'
import { connectTo } from '../../../net/connect.ts'
import { checkHost } from '../../../net/place.ts'
import { checkedAddresses } from '../../../net/resolve.ts'
import { rankOf } from '../../../rules/rule.ts'
import type { Message } from '../message.ts'
import { cut, plainLine } from '../words.ts'
import { asIs, type Kind, type Surroundings, serverOf, type Target } from './sender.ts'

/** Security messages (facility 10), with severities by urgency: informational to critical. */
const FACILITY = 10
const SEVERITIES = [6, 5, 4, 3, 2]
const CEF_SEVERITIES = [1, 3, 5, 8, 10]
/** The number for documentation: the product has none of its own. */
const ENTERPRISE = 32_473

/** A parameter of structured data: quotes, backslashes and brackets are escaped. */
function paramText(value: string): string {
  return plainLine(value).replace(/["\\\]]/g, '\\$&')
}

const cefHeader = (value: string): string => plainLine(value).replace(/[\\|]/g, '\\$&')
const cefValue = (value: string): string => plainLine(value).replace(/[\\=]/g, '\\$&')

function cefText(message: Message, version: string): string {
  const [finding] = message.findings
  const isOne = message.form === 'finding' && finding !== undefined
  const head = [
    'CEF:0',
    'Harrier',
    'Harrier',
    version,
    isOne ? finding.rule_id || finding.rule_key : message.form,
    isOne ? finding.rule_title : message.title,
    String(CEF_SEVERITIES[rankOf(message.urgency)] ?? 1),
  ].map((each, at) => (at === 0 ? each : cefHeader(each)))
  const fields: readonly (readonly [string, string])[] = [
    ['rt', String(message.time)],
    ['externalId', isOne ? finding.id : message.id],
    ['cnt', String(message.count)],
    ...(isOne
      ? ([
          ['dvchost', finding.host],
          ['cat', finding.language],
          ['cs1Label', 'urgency'],
          ['cs1', finding.urgency],
          ['cs2Label', 'tags'],
          ['cs2', finding.tags.join(',')],
        ] as const)
      : []),
    ['msg', cut(message.text, 2_000)],
  ]
  const extension = fields
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}=${cefValue(value)}`)
  return `${head.join('|')}|${extension.join(' ')}`
}

/** JSON that still is JSON when it has to be short. */
function jsonText(message: Message): string {
  const [finding] = message.findings
  const { id, form, title, urgency, count } = message
  const short = { id, form, title, urgency, count, ids: message.findings.map((each) => each.id) }
  const one =
    finding === undefined || message.form !== 'finding'
      ? {}
      : {
          rule_id: finding.rule_id,
          rule_title: finding.rule_title,
          time: finding.time,
          host: finding.host,
          tags: finding.tags,
          risk_score: finding.risk_score,
        }
  const tries = [
    { ...short, ...one, text: message.text, event: finding?.event ?? {} },
    { ...short, ...one, text: cut(message.text, 1_000) },
    { id, form, title: cut(title, 100), urgency, count },
  ]
  const texts = tries.map((each) => JSON.stringify(each))
  return texts.find((each) => Buffer.byteLength(each) <= limits.syslogBytes - 500) ?? texts[2] ?? ''
}

/** A message as one line of syslog. */
export function syslogLine(message: Message, target: Target, around: Surroundings): string {
  const priority = FACILITY * 8 + (SEVERITIES[rankOf(message.urgency)] ?? 6)
  const time = new Date(message.time).toISOString()
  const host = around.hostname.replace(/[^\x21-\x7e]/g, '').slice(0, 255) || '-'
  const [finding] = message.findings
  const params = [
    ['id', message.id],
    ['form', message.form],
    ['count', String(message.count)],
    ['urgency', message.urgency],
    ['rule', message.form === 'finding' ? (finding?.rule_id ?? '') : ''],
    ['host', message.form === 'finding' ? (finding?.host ?? '') : ''],
  ] as const
  const data = params
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}="${paramText(cut(value, 200))}"`)
  const text =
    target.format === 'cef'
      ? cefText(message, around.version)
      : target.format === 'json'
        ? jsonText(message)
        : plainLine(`${message.title}; ${message.text.replaceAll('\n', '; ')}`)
  const whole = `<${priority}>1 ${time} ${host} harrier - finding [harrier@${ENTERPRISE} ${data.join(' ')}] ${text}`
  return fitted(whole)
}

/** At most the bytes that receivers take, never ending within a character. */
function fitted(text: string): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= limits.syslogBytes) return text
  let end = limits.syslogBytes - 3
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return `${bytes.subarray(0, end).toString()}...`
}

async function sendDatagram(line: string, host: string, port: number, around: Surroundings) {
  const [address = host] = await checkedAddresses(host, around.allowed, around.resolver)
  const socket = createSocket(isIP(address) === 6 ? 'udp6' : 'udp4')
  try {
    await new Promise<void>((done, failed) => {
      socket.once('error', failed)
      socket.send(line, port, address, (error) => (error === null ? done() : failed(error)))
    })
  } finally {
    socket.close()
  }
}

async function sendStream(
  line: string,
  target: { readonly host: string; readonly port: number; readonly isTls: boolean },
  around: Surroundings,
): Promise<void> {
  const socket = await connectTo(target, around)
  try {
    // Octet counting (RFC 6587): a line of text cannot be taken for two messages.
    const gone = once(socket, 'close')
    socket.on('error', () => {})
    await new Promise<void>((done, failed) => {
      socket.once('error', failed)
      socket.once('timeout', () => failed(new Error('no answer in time')))
      socket.end(`${Buffer.byteLength(line)} ${line}`, () => done())
    })
    socket.resume()
    await Promise.race([gone, new Promise((done) => setTimeout(done, 1_000).unref())])
  } finally {
    socket.destroy()
  }
}

export const syslog: Kind = {
  kind: 'syslog',
  promise: 'best effort: no line is acknowledged, over UDP any may be lost',
  safe: asIs,
  open(target, around) {
    const { scheme, host, port } = serverOf(target.url, { udp: 514, tcp: 514, tls: 6_514 })
    checkHost(host, around.allowed)
    return {
      async send(message) {
        const line = syslogLine(message, target, around)
        if (scheme === 'udp') await sendDatagram(line, host, port, around)
        else await sendStream(line, { host, port, isTls: scheme === 'tls' }, around)
      },
    }
  },
}
