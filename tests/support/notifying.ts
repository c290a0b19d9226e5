/** Findings to be told of, settings of channels, receivers on this machine, and a clock that tests move. */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcp, type Server as TcpServer } from 'node:net'
import type { KeptFinding } from '../../src/detect/keeping/kept.ts'
import type { NotifySettings } from '../../src/detect/notify/settings.ts'
import { readSettings } from '../../src/detect/settings.ts'

export const NOON = Date.UTC(2026, 0, 2, 12)

export function toldFinding(change: Partial<KeptFinding> = {}): KeptFinding {
  return {
    time: '2026-01-02T03:04:05.0000000Z',
    rule_id: 'rule-1',
    rule_title: 'Whoami as System',
    language: 'sigma',
    level: 'high',
    host: 'DC1',
    tags: ['attack.t1033'],
    source: 'windows.sysmon',
    file: 'a.evtx',
    record: 7,
    id: 'f00d',
    event: { CommandLine: 'whoami /all', User: 'SYSTEM' },
    event_id: 'harrier@@notable@@f00d',
    rule_key: 'rule-1',
    rule_version: 'v1',
    search_name: 'Threat - Whoami as System - Rule',
    rule_description: 'Somebody asks who they are.',
    severity: 'high',
    urgency: 'high',
    security_domain: 'threat',
    run_at: '2026-01-02T04:00:00.0000000Z',
    window: {},
    kept_at: '2026-01-02T04:00:01.0000000Z',
    plans: [],
    context: {},
    risks: [],
    risk_score: 0,
    ...change,
  }
}

/** The settings of a `notify` section in YAML. */
export function notifySettings(yaml: string): NotifySettings {
  const { value, diagnostics } = readSettings(yaml)
  if (value === undefined) throw new Error(diagnostics.map((each) => each.message).join('\n'))
  return value.notify
}

/** A clock that only moves when it is told to, or waited on. */
export class HandClock {
  at = NOON
  now(): number {
    return this.at
  }
  elapsed(): number {
    return this.at
  }
  async wait(ms: number): Promise<void> {
    this.at += ms
  }
}

export interface Received {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** What a web receiver does with the n-th request, from 0: a status, or nothing at all. */
export type Answer = (
  index: number,
  received: Received,
) =>
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  | 'nothing'

export interface Receiver {
  readonly port: number
  readonly received: Received[]
  close(): Promise<void>
}

function closing(server: Server | TcpServer): () => Promise<void> {
  return () =>
    new Promise((done) => {
      if ('closeAllConnections' in server) server.closeAllConnections()
      server.close(() => done())
    })
}

/** A web server that notes what it is sent. */
export async function webReceiver(answer: Answer = () => ({ status: 200 })): Promise<Receiver> {
  const received: Received[] = []
  const server = createServer((request, reply) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const got = {
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(parts).toString(),
      }
      received.push(got)
      const given = answer(received.length - 1, got)
      if (given !== 'nothing') reply.writeHead(given.status, given.headers).end(given.body)
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  return { port, received, close: closing(server) }
}

export interface MailReceiver {
  readonly port: number
  /** The commands and the text of each mail. */
  readonly mails: { readonly commands: string[]; data: string }[]
  close(): Promise<void>
}

/** A mail server that takes everything, and answers the end of a mail with what `answer` gives. */
export async function mailReceiver(
  answer: (index: number) => string = () => '250 taken',
): Promise<MailReceiver> {
  const mails: MailReceiver['mails'] = []
  const server = createTcp((socket) => {
    let text = ''
    let mail: (typeof mails)[number] | undefined
    let commands: string[] = []
    socket.on('error', () => {})
    socket.write('220 test\r\n')
    socket.on('data', (part) => {
      text += part.toString()
      for (;;) {
        if (mail !== undefined) {
          const end = text.indexOf('\r\n.\r\n')
          if (end < 0) return
          mail.data = text.slice(0, end)
          text = text.slice(end + 5)
          mails.push(mail)
          mail = undefined
          socket.write(`${answer(mails.length - 1)}\r\n`)
          continue
        }
        const end = text.indexOf('\r\n')
        if (end < 0) return
        const command = text.slice(0, end)
        text = text.slice(end + 2)
        commands.push(command)
        if (/^DATA/i.test(command)) {
          mail = { commands, data: '' }
          commands = []
          socket.write('354 go on\r\n')
        } else if (/^STARTTLS/i.test(command)) socket.write('502 no\r\n')
        else if (/^QUIT/i.test(command)) socket.end('221 bye\r\n')
        else socket.write('250 ok\r\n')
      }
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  return { port, mails, close: closing(server) }
}
