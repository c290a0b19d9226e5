/** Outbox and courier: what becomes of messages when receivers fail, are slow, or take what the program does not note. */

import { createHmac } from 'node:crypto'
import { createSocket } from 'node:dgram'
import {
  appendFileSync,
  existsSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { type AddressInfo, createServer as createTcp } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Diagnostic } from '../../src/core/diagnostic.ts'
import { listenToSteps, type Step } from '../../src/core/steps.ts'
import { type Notify, openNotify } from '../../src/detect/notify/notify.ts'
import {
  countMessages,
  listMessages,
  outboxTable,
  retryMessages,
} from '../../src/detect/notify/outbox.ts'
import { EngineError } from '../../src/engine/engine.ts'
import type { Records } from '../../src/engine/records.ts'
import { makeFolder, removeFolder } from '../support/engines.ts'
import {
  type Answer,
  HandClock,
  mailReceiver,
  NOON,
  notifySettings,
  type Receiver,
  toldFinding,
  webReceiver,
} from '../support/notifying.ts'
import { temporaryStore } from '../support/temporary.ts'

let opened: Awaited<ReturnType<typeof temporaryStore>>
let folder = ''
const close: (() => Promise<void> | void)[] = []
beforeAll(async () => {
  opened = await temporaryStore()
  folder = makeFolder()
})
afterAll(async () => {
  await opened.close()
  removeFolder(folder)
})
afterEach(async () => {
  listenToSteps(undefined)
  for (const each of close.splice(0)) await each()
})

async function receiver(answer?: Answer): Promise<Receiver> {
  const made = await webReceiver(answer)
  close.push(() => made.close())
  return made
}

interface Post extends Notify {
  readonly clock: HandClock
  readonly told: readonly Diagnostic[]
}

/** Outbox and courier for channels in YAML, one a line. Channels of other tests are not theirs. */
async function post(
  channels: string,
  env: Record<string, string> = {},
  clock = new HandClock(),
  records: Records = opened.store.records,
): Promise<Post> {
  const told: Diagnostic[] = []
  const { value, diagnostics } = await openNotify({
    records,
    settings: notifySettings(`notify:\n  allow: [127.0.0.0/8]\n  channels:\n${channels}`),
    clock,
    tell: (each) => told.push(each),
    env,
    pathOf: (path) => join(folder, path),
    hostname: 'me',
    version: '1.0',
  })
  if (value === undefined) throw new Error(diagnostics.map((each) => each.message).join())
  return { ...value, clock, told }
}

const hook = (name: string, { port }: { readonly port: number }, more = ''): string =>
  `    - {name: ${name}, kind: webhook, url: "http://127.0.0.1:${port}/hook"${more}}\n`
const states = async (channel: string) => {
  const table = await outboxTable(opened.store.records)
  const [counts] = await countMessages(table, [channel])
  return [counts?.waiting, counts?.sent, counts?.failed]
}
const ids = (received: Receiver): readonly unknown[] =>
  received.received.map(({ headers }) => headers['idempotency-key'])
const bodies = (received: Receiver) => received.received.map(({ body }) => JSON.parse(body))
const findings = (prefix: string, many: number) =>
  Array.from({ length: many }, (_, at) => toldFinding({ id: `${prefix}-${at}` }))

describe('the outbox', () => {
  it('takes each finding once for each channel that wants it, and nothing of the past', async () => {
    const out = await receiver()
    const { outbox, courier } = await post(
      hook('all', out) +
        hook(
          'some',
          out,
          ', when: {urgency: critical, rules: [whoami as system], languages: [sigma]}',
        ),
    )
    const critical = toldFinding({ id: 'o-2', urgency: 'critical' })
    const past = toldFinding({ id: 'o-3', is_backfill: true })
    const found = [toldFinding({ id: 'o-1' }), critical, past]
    expect(await outbox.fill(found)).toBe(3)
    expect(await outbox.fill(found)).toBe(0)
    expect(await courier.pass()).toMatchObject({ sent: 3, later: 0, failed: 0, next: undefined })
    expect(await outbox.fill(found)).toBe(0)
    expect(await courier.pass()).toMatchObject({ sent: 0 })
    expect([await states('all'), await states('some')]).toEqual([
      [0, 2, 0],
      [0, 1, 0],
    ])
    expect(
      bodies(out)
        .map((each) => each.findings[0].id)
        .sort(),
    ).toEqual(['o-1', 'o-2', 'o-2'])
    expect(new Set(ids(out)).size).toBe(3)
  })

  it('keeps what is larger than a message by leaving out the event', async () => {
    const out = await receiver()
    const { outbox, courier } = await post(hook('large', out))
    await outbox.fill([toldFinding({ id: 'large', event: { a: 'x'.repeat(200_000) } })])
    await courier.pass()
    expect(bodies(out)[0]).toMatchObject({ count: 1, findings: [{ id: 'large', is_cut: true }] })
  })
})

describe('the courier', () => {
  it('signs what it sends where there is a secret, and sends a token where there is one', async () => {
    const out = await receiver()
    const { outbox, courier } = await post(
      hook('signed', out, ', secret_env: HOOK_SECRET, authorization_env: HOOK_TOKEN'),
      { HOOK_SECRET: 'quiet', HOOK_TOKEN: 'Bearer abc' },
    )
    await outbox.fill([toldFinding({ id: 's-1' })])
    await courier.pass()
    const [got] = out.received
    const [, at, given] =
      /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(got?.headers['x-harrier-signature'])) ?? []
    expect(given).toBe(createHmac('sha256', 'quiet').update(`${at}.${got?.body}`).digest('hex'))
    expect(got?.headers.authorization).toBe('Bearer abc')
  })

  it('waits longer after each failure, tries again with the same message, and loses nothing', async () => {
    let isDown = true
    const out = await receiver(() => ({ status: isDown ? 503 : 200 }))
    const { outbox, courier, clock } = await post(hook('down', out))
    await outbox.fill(findings('d', 3))
    const waits: number[] = []
    for (let round = 0; round < 9; round++) {
      const { next, sent, later } = await courier.pass()
      expect([sent, later]).toEqual([0, 1])
      waits.push((next ?? 0) - clock.at)
      // Nobody is asked again before the time has come.
      expect(await courier.pass()).toMatchObject({ sent: 0, later: 0 })
      clock.at = next ?? 0
    }
    expect(waits.slice(0, 6).every((each, at) => at === 0 || each > (waits[at - 1] ?? 0))).toBe(
      true,
    )
    expect(Math.max(...waits)).toBeLessThanOrEqual(900_000)
    expect(new Set(ids(out)).size).toBe(3)
    isDown = false
    expect(await courier.pass()).toMatchObject({ sent: 3, next: undefined })
    expect(new Set(ids(out)).size).toBe(3)
    expect(await states('down')).toEqual([0, 3, 0])
  })

  it('waits as long as the receiver asks, and lets one refused message not stop the others', async () => {
    const busy = await receiver(() => ({ status: 429, headers: { 'retry-after': '600' } }))
    const picky = await receiver((_, { body }) => ({ status: body.includes('p-0') ? 413 : 200 }))
    const { outbox, courier, clock } = await post(hook('busy', busy) + hook('picky', picky))
    await outbox.fill(findings('p', 3))
    const { sent, later, next } = await courier.pass()
    expect([sent, later]).toEqual([2, 2])
    expect(next).toBeLessThan(clock.at + 15_000)
    clock.at += 599_000
    await courier.pass()
    expect(busy.received).toHaveLength(1)
    clock.at += 2_000
    await courier.pass()
    expect(busy.received).toHaveLength(2)
    expect(await states('picky')).toEqual([1, 2, 0])
  })

  it('gives up after the last try, tells it, tells the other channels once, and can be asked again', async () => {
    let isDown = true
    const out = await receiver(() => ({ status: isDown ? 500 : 200 }))
    const other = await receiver()
    const { outbox, courier, clock, told } = await post(
      hook('bad', out, ', tries: 2') + hook('good', other, ', when: {urgency: critical}'),
    )
    await outbox.fill(findings('g', 2))
    for (let round = 0; round < 6; round++) {
      await courier.pass()
      clock.at += 20_000
    }
    expect(await states('bad')).toEqual([0, 0, 2])
    expect(told.map(({ code }) => code)).toEqual(['HR754', 'HR754'])
    expect(bodies(other).map(({ form, title }) => [form, title])).toEqual([
      ['notice', 'Notifications by "bad" fail'],
    ])
    isDown = false
    const before = out.received.length
    const table = await outboxTable(opened.store.records)
    expect(await retryMessages(table, clock.at, 'bad')).toBe(2)
    expect(await courier.pass()).toMatchObject({ sent: 2 })
    expect(out.received).toHaveLength(before + 2)
    expect(new Set(ids(out)).size).toBe(2)
    expect((await listMessages(table, { state: 'sent', channel: 'bad', limit: 9 })).length).toBe(2)
  })

  it('sends the very same message again when nobody knows whether it was taken', async () => {
    const out = await receiver((at) => (at === 0 ? 'nothing' : { status: 200 }))
    const { outbox, courier, clock } = await post(hook('lost', out))
    await outbox.fill([toldFinding({ id: 'l-1' })])
    const stop = new AbortController()
    const first = courier.pass(stop.signal)
    for (let tries = 0; tries < 300 && out.received.length === 0; tries++) {
      await new Promise((done) => setTimeout(done, 10))
    }
    await out.close()
    expect(await first).toMatchObject({ sent: 0, later: 1 })
    close.length = 0
    const again = await receiver()
    // The same channel by name, at another port: what counts is the outbox.
    const next = await post(hook('lost', again), {}, clock)
    clock.at += 20_000
    expect(await next.courier.pass()).toMatchObject({ sent: 1 })
    expect(again.received[0]?.headers['idempotency-key']).toBe(
      out.received[0]?.headers['idempotency-key'],
    )
    expect(again.received[0]?.body).toBe(out.received[0]?.body)
  })

  it('sends what was claimed before it was stopped, with the same members, and then what came later', async () => {
    const out = await receiver()
    const line = hook('stopped', out, ', batch: all')
    const { outbox, courier, clock } = await post(line)
    await outbox.fill(findings('c', 3))
    listenToSteps((at: Step) => {
      if (at === 'message.sent') throw new Error('killed')
    })
    await expect(courier.pass()).rejects.toThrow('killed')
    listenToSteps(undefined)
    const after = await post(line, {}, clock)
    await after.outbox.fill(findings('later', 1))
    expect(await after.courier.pass()).toMatchObject({ sent: 2 })
    expect(bodies(out).map(({ count }) => count)).toEqual([3, 3, 1])
    expect(out.received[1]?.body).toBe(out.received[0]?.body)
    expect(new Set(ids(out)).size).toBe(2)
  })

  it('puts a run or all of a while into one message, and what is past the limit of a minute', async () => {
    const out = await receiver()
    const { outbox, courier, clock } = await post(
      hook('run', out, ', batch: run') +
        hook('slow', out, ', wait: 5m') +
        hook('few', out, ', per_minute: 3'),
    )
    const found = findings('b', 10).map((each, at) => ({
      ...each,
      run_at: at < 4 ? 'one' : 'two',
      urgency: at === 9 ? ('critical' as const) : each.urgency,
    }))
    await outbox.fill(found)
    const first = await courier.pass()
    const of = (channel: string) =>
      bodies(out)
        .filter((each) => each.channel === channel)
        .map(({ form, count }) => [form, count])
    expect(of('run')).toEqual([
      ['digest', 6],
      ['digest', 4],
    ])
    expect(of('few')).toEqual([
      ['finding', 1],
      ['finding', 1],
      ['summary', 8],
    ])
    expect(bodies(out).find((each) => each.channel === 'few').urgency).toBe('critical')
    expect(of('slow')).toEqual([])
    expect(first.next).toBe(clock.at + 300_000)
    await outbox.fill(findings('b2', 1))
    await courier.pass()
    expect(of('few')).toHaveLength(3)
    clock.at += 300_000
    await courier.pass()
    expect(of('slow')).toEqual([['digest', 11]])
    expect(of('few')).toHaveLength(4)
  })

  it('goes on when the clock goes back', async () => {
    const out = await receiver()
    const { outbox, courier, clock } = await post(hook('clock', out, ', per_minute: 1'))
    await outbox.fill(findings('k1', 1))
    await courier.pass()
    clock.at -= 3_600_000
    await outbox.fill(findings('k2', 1))
    expect(await courier.pass()).toMatchObject({ sent: 1 })
  })

  it('refuses to be sent elsewhere, and a name that begins to lead to a private place', async () => {
    const out = await receiver(() => ({
      status: 307,
      headers: { location: 'http://169.254.169.254/' },
    }))
    const { outbox, courier } = await post(hook('away', out))
    await outbox.fill(findings('a', 1))
    expect(await courier.pass()).toMatchObject({ sent: 0, later: 1 })
    const table = await outboxTable(opened.store.records)
    const [message] = await listMessages(table, { channel: 'away', limit: 1 })
    expect(message?.error).toMatch(/another address/)
  })

  it('runs until it is stopped, and is woken by what is put in', async () => {
    const out = await receiver()
    const clock = new HandClock()
    const waits: (() => void)[] = []
    clock.wait = (_: number, signal?: AbortSignal) =>
      new Promise((done) => {
        waits.push(done)
        signal?.addEventListener('abort', () => done(), { once: true })
      })
    const { outbox, courier } = await post(hook('loop', out), {}, clock)
    const stop = new AbortController()
    const running = courier.run(stop.signal)
    while (waits.length === 0) await new Promise((done) => setTimeout(done, 5))
    await outbox.fill(findings('w', 1))
    for (let tries = 0; tries < 400 && out.received.length === 0; tries++) {
      await new Promise((done) => setTimeout(done, 10))
    }
    stop.abort()
    await running
    expect(out.received).toHaveLength(1)
  })
})

describe('an engine that dies meanwhile', () => {
  it('does not end the courier', async () => {
    const out = await receiver()
    const clock = new HandClock()
    const waited: number[] = []
    const stop = new AbortController()
    clock.wait = async (ms: number) => {
      waited.push(ms)
      clock.at += ms
      if (out.received.length > 0) stop.abort()
    }
    let fails = 2
    const records: Records = {
      async table(spec) {
        const table = await opened.store.records.table(spec)
        return {
          ...table,
          append: (rows, version) => table.append(rows, version),
          count: (where) => table.count(where),
          read: (query) => {
            if (stop.signal.aborted || clock.at === NOON || fails-- <= 0) return table.read(query)
            throw new EngineError('crashed', 'the engine died')
          },
        }
      },
    }
    const { outbox, courier } = await post(hook('dies', out), {}, clock, records)
    await outbox.fill(findings('e', 1))
    clock.at += 1
    await courier.run(stop.signal)
    expect(waited.slice(0, 2)).toEqual([5_000, 5_000])
    expect(out.received).toHaveLength(1)
    const broken = { ...records, table: () => Promise.reject(new EngineError('damaged', 'no')) }
    await expect(post(hook('dies', out), {}, clock, broken)).rejects.toThrow('no')
  })
})

describe('a file', () => {
  const lines = (path: string) =>
    readFileSync(join(folder, path), 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((each) => JSON.parse(each))
  const channel = (path: string) =>
    `    - {name: ${path.replaceAll('/', '.')}, kind: file, path: ${path}}\n`

  it('has each message once, readable by its owner only', async () => {
    const { outbox, courier } = await post(channel('f1'))
    await outbox.fill(findings('f', 3))
    await courier.pass()
    expect(lines('f1').map(({ findings: [each] }) => each.id)).toEqual(['f-0', 'f-1', 'f-2'])
    expect(statSync(join(folder, 'f1')).mode & 0o777).toBe(0o600)
  })

  it('has each message once whatever a crash left: all of the line, a part of it, or nothing', async () => {
    const path = join(folder, 'f2')
    writeFileSync(path, 'begun by somebody else')
    for (const [name, leave] of [
      ['whole', () => {}],
      ['torn', () => truncateSync(path, statSync(path).size - 40)],
      ['short', () => truncateSync(path, statSync(path).size - 1)],
      ['rotated', () => writeFileSync(path, '')],
    ] as const) {
      const clock = new HandClock()
      const first = await post(channel('f2'), {}, clock)
      await first.outbox.fill(findings(name, 1))
      listenToSteps((at) => {
        if (at === 'message.sent') throw new Error('killed')
      })
      await expect(first.courier.pass()).rejects.toThrow('killed')
      listenToSteps(undefined)
      leave()
      const again = await post(channel('f2'), {}, clock)
      expect(await again.courier.pass()).toMatchObject({ sent: 1 })
      const text = readFileSync(path, 'utf8')
      expect(text.split(`"id":"${name}-0"`).length - 1, name).toBe(1)
      expect(text.endsWith('\n')).toBe(true)
      expect(text.split('\n').filter((each) => /^\{.*[^}]$/.test(each))).toEqual([])
    }
    expect(lines('f2')).toHaveLength(1)
  })

  it('is not taken for sent when it cannot be written', async () => {
    const { outbox, courier } = await post(channel('no/such/folder'))
    await outbox.fill(findings('n', 1))
    expect(await courier.pass()).toMatchObject({ sent: 0, later: 1 })
    expect(existsSync(join(folder, 'no'))).toBe(false)
    appendFileSync(join(folder, 'f3'), '')
  })
})

describe('mail', () => {
  const channel = (port: number) =>
    `    - {name: mail, kind: email, url: "smtp://127.0.0.1:${port}", from: harrier@example.com, to: [soc@example.com]}\n`

  it('is plain text with a fixed id, and no value makes a header', async () => {
    let fails = true
    const mail = await mailReceiver(() => (fails ? '451 later' : '250 taken'))
    close.push(() => mail.close())
    const { outbox, courier, clock } = await post(channel(mail.port))
    const host = 'DC1\r\nBcc: evil@example.com\r\n\r\n<script>'
    await outbox.fill([toldFinding({ id: 'm-1', host })])
    expect(await courier.pass()).toMatchObject({ sent: 0, later: 1 })
    fails = false
    clock.at += 20_000
    expect(await courier.pass()).toMatchObject({ sent: 1 })
    const idOf = (data = ''): string => /^Message-ID: <(.+)>\r?$/m.exec(data)?.[1] ?? ''
    const [first, second] = mail.mails
    expect(idOf(first?.data)).toMatch(/^[0-9a-f]{32}@example\.com$/)
    expect(idOf(second?.data)).toBe(idOf(first?.data))
    expect(second?.commands.filter((each) => /^RCPT/.test(each))).toEqual([
      'RCPT TO:<soc@example.com>',
    ])
    const [head = ''] = (second?.data ?? '').split('\r\n\r\n')
    expect(head).not.toMatch(/^Bcc:/im)
    expect(head).toMatch(/^Content-Type: text\/plain/m)
    expect(head).not.toMatch(/text\/html/)
  })

  it('sends no password in the clear', async () => {
    const mail = await mailReceiver()
    close.push(() => mail.close())
    const { outbox, courier } = await post(
      channel(mail.port).replace('}', ', user_env: U, password_env: P}'),
      { U: 'me', P: 'hunter2' },
    )
    await outbox.fill(findings('pw', 1))
    expect(await courier.pass()).toMatchObject({ sent: 0, later: 1 })
    expect(mail.mails).toEqual([])
  })
})

describe('syslog', () => {
  it('goes as a datagram, or in a stream with the length before each line', async () => {
    const got: string[] = []
    const udp = createSocket('udp4')
    udp.on('message', (part) => got.push(part.toString()))
    await new Promise<void>((done) => udp.bind(0, '127.0.0.1', done))
    close.push(() => void udp.close())
    const tcp = createTcp((socket) => socket.on('data', (part) => got.push(part.toString())))
    await new Promise<void>((done) => tcp.listen(0, '127.0.0.1', done))
    close.push(() => void tcp.close())
    const { port } = tcp.address() as AddressInfo
    const { outbox, courier } = await post(
      `    - {name: udp, kind: syslog, url: "udp://127.0.0.1:${udp.address().port}", format: cef}\n` +
        `    - {name: tcp, kind: syslog, url: "tcp://127.0.0.1:${port}"}\n`,
    )
    await outbox.fill([toldFinding({ id: 'y-1', host: 'a\n<13>1 forged' })])
    expect(await courier.pass()).toMatchObject({ sent: 2 })
    for (let tries = 0; tries < 200 && got.length < 2; tries++) {
      await new Promise((done) => setTimeout(done, 10))
    }
    const [stream = '', datagram = ''] = [...got].sort()
    expect(datagram).toMatch(/^<83>1 .* CEF:0\|Harrier\|/)
    const [, length, line = ''] = /^(\d+) (.*)$/s.exec(stream) ?? []
    expect(Buffer.byteLength(line)).toBe(Number(length))
    expect(got.join('')).not.toContain('\n')
  })
})

describe('Slack and Teams', () => {
  it('get values by structure and never as markup', async () => {
    const out = await receiver()
    const at = (name: string) =>
      `    - {name: ${name}, kind: ${name}, url: "http://127.0.0.1:${out.port}/${name}", template: "*$cmd$*"}\n`
    const { outbox, courier } = await post(at('slack') + at('teams'))
    await outbox.fill([
      toldFinding({ id: 'z-1', event: { cmd: '<!everyone> "},{"x": [a](http://b.example)' } }),
    ])
    expect(await courier.pass()).toMatchObject({ sent: 2 })
    const of = (path: string) =>
      JSON.parse(out.received.find((each) => each.path === path)?.body ?? '')
    expect(of('/slack').blocks[1].text).toEqual({
      type: 'mrkdwn',
      text: '*&lt;!everyone&gt; "},{"x": [a](hxxp://b[.]example)*',
      verbatim: true,
    })
    expect(of('/teams').attachments[0].content.body[1]).toEqual({
      type: 'RichTextBlock',
      inlines: [{ type: 'TextRun', text: '*<!everyone> "},{"x": [a](hxxp://b[.]example)*' }],
    })
  })
})
