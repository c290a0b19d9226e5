/** Requests to receivers on this machine: what is refused, what ends in time, and which address is connected to. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer as createHttps } from 'node:https'
import { type AddressInfo, createServer as createTcp } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RefusedError, readAllowed } from '../../src/net/place.ts'
import { type ReachOptions, type ReachRequest, reach } from '../../src/net/reach.ts'
import { makeFolder, removeFolder } from '../support/engines.ts'
import { type Answer, type Receiver, webReceiver } from '../support/notifying.ts'

const LOCAL = readAllowed(['hooks.corp', '127.0.0.0/8'])
const close: (() => Promise<void> | void)[] = []
afterAll(async () => {
  for (const each of close) await each()
})

async function receiver(answer?: Answer): Promise<Receiver> {
  const made = await webReceiver(answer)
  close.push(() => made.close())
  return made
}

const get = (
  port: number,
  options: Partial<ReachOptions> = {},
  change: Partial<ReachRequest> = {},
) =>
  reach(
    { method: 'GET', url: `http://127.0.0.1:${port}/`, ...change },
    { allowed: LOCAL, ...options },
  )

describe('a request', () => {
  it('carries its body and headers, and gives status and body of the answer', async () => {
    const { port, received } = await receiver(() => ({ status: 201, body: 'made' }))
    const reply = await get(port, {}, { method: 'POST', body: 'é', headers: { 'X-A': 'b' } })
    expect([reply.status, reply.body.toString()]).toEqual([201, 'made'])
    expect(received[0]).toMatchObject({ body: 'é', headers: { 'x-a': 'b', 'content-length': '2' } })
  })

  it('connects to the address that was checked, whatever the name server says later', async () => {
    const { port, received } = await receiver()
    let asked = 0
    const resolver = async () => (asked++ === 0 ? ['127.0.0.1'] : ['169.254.169.254'])
    const url = `http://hooks.corp:${port}/`
    expect((await get(port, { resolver }, { url })).status).toBe(200)
    expect([asked, received[0]?.headers.host]).toEqual([1, `hooks.corp:${port}`])
    await expect(get(port, { resolver }, { url })).rejects.toThrow(/169\.254\.169\.254/)
    expect(received).toHaveLength(1)
  })

  it('follows redirects of GET to checked places, and none of POST', async () => {
    const to =
      (location: string, status = 302): Answer =>
      () => ({ status, headers: { location } })
    const end = await receiver()
    const { port } = await receiver(to(`http://127.0.0.1:${end.port}/end`))
    const reply = await get(port, {}, { headers: { Authorization: 'secret' } })
    expect([reply.status, reply.url]).toEqual([200, `http://127.0.0.1:${end.port}/end`])
    expect(end.received[0]?.headers.authorization).toBeUndefined()
    for (const location of [
      'http://169.254.169.254/latest/meta-data',
      'http://[::ffff:a9fe:a9fe]/',
      'http://2852039166/',
      '//169.254.169.254/',
      'file:///etc/passwd',
      'javascript:alert(1)',
      'http://user:pass@127.0.0.1/',
      'http://',
    ]) {
      const bad = await receiver(to(location))
      await expect(get(bad.port), location).rejects.toThrow(RefusedError)
    }
    const kept = await receiver(to(`http://127.0.0.1:${end.port}/end`, 307))
    const before = end.received.length
    await expect(get(kept.port, {}, { method: 'POST', body: 'x' })).rejects.toThrow(
      /sends the message on/,
    )
    expect(end.received).toHaveLength(before)
  })

  it('ends circles and chains of redirects', async () => {
    const circle = await receiver((at) => ({
      status: 302,
      headers: { location: at % 2 ? '/' : '/b' },
    }))
    await expect(get(circle.port)).rejects.toThrow(/circle/)
    const chain = await receiver((at) => ({ status: 302, headers: { location: `/${at}` } }))
    await expect(get(chain.port)).rejects.toThrow(/more than 5/)
    expect(chain.received).toHaveLength(6)
  })

  it('ends in time when there is no answer, a slow one, or an endless one', async () => {
    const silent = await receiver(() => 'nothing')
    await expect(get(silent.port, { seconds: 0.2 })).rejects.toThrow(/no answer within 0.2/)
    const server = createTcp((socket) => {
      socket.on('error', () => {})
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      const timer = setInterval(() => socket.write('x'), 20)
      socket.on('close', () => clearInterval(timer))
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    close.push(() => void server.close())
    const { port } = server.address() as AddressInfo
    await expect(get(port, { seconds: 0.3 })).rejects.toThrow(/no answer within/)
    await expect(get(port, { bytes: 5 })).rejects.toThrow(/more than 5 bytes/)
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 50)
    await expect(get(silent.port, { signal: stop.signal })).rejects.toThrow(/interrupted/)
  })

  it('takes no answer that is too long, packed twice, a bomb, or of another type', async () => {
    const long = await receiver(() => ({ status: 200, headers: { 'content-length': '500000000' } }))
    await expect(get(long.port)).rejects.toThrow(/more than/)
    const twice = await receiver(() => ({
      status: 200,
      headers: { 'content-encoding': 'gzip, gzip' },
    }))
    await expect(get(twice.port)).rejects.toThrow(/packed/)
    const bomb = gzipSync(Buffer.alloc(50_000_000))
    const server = createTcp((socket) => {
      socket.on('error', () => {})
      socket.write(
        `HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`,
      )
      socket.end(bomb)
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    close.push(() => void server.close())
    await expect(get((server.address() as AddressInfo).port)).rejects.toThrow(/more than/)
    const exe = await receiver(() => ({
      status: 200,
      headers: { 'content-type': 'application/x-msdownload' },
    }))
    await expect(get(exe.port, { types: ['text/html'] })).rejects.toThrow(/x-msdownload/)
    const heads = await receiver(() => ({ status: 200, headers: { a: 'x'.repeat(60_000) } }))
    await expect(get(heads.port)).rejects.toThrow(/[Hh]eader/)
  })

  it('carries no header that would end early', async () => {
    const { port, received } = await receiver()
    for (const headers of [{ 'X-A': 'b\r\nX-C: d' }, { 'X-A\r\nX-B': 'c' }, { 'X-A': '\u0000' }]) {
      await expect(get(port, {}, { headers })).rejects.toThrow(RefusedError)
    }
    expect(received).toHaveLength(0)
  })

  it('goes through a proxy where there is one', async () => {
    const proxy = await receiver(() => ({ status: 200, body: 'by proxy' }))
    const options = { proxy: `http://127.0.0.1:${proxy.port}` }
    const reply = await get(1, options, { url: 'http://hooks.example.com/a?b' })
    expect([reply.body.toString(), proxy.received[0]?.path]).toEqual([
      'by proxy',
      'http://hooks.example.com/a?b',
    ])
    await expect(get(1, options, { url: 'https://hooks.example.com/' })).rejects.toThrow()
    await expect(get(1, options, { url: 'http://169.254.169.254/' })).rejects.toThrow(RefusedError)
  })
})

describe('a certificate', () => {
  let folder = ''
  beforeAll(() => {
    folder = makeFolder()
    execFileSync(
      'openssl',
      [
        ...[
          'req',
          '-x509',
          '-newkey',
          'rsa:2048',
          '-nodes',
          '-days',
          '2',
          '-subj',
          '/CN=hooks.corp',
        ],
        ...['-addext', 'subjectAltName=DNS:hooks.corp'],
        ...['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')],
      ],
      { stdio: 'ignore' },
    )
  })
  afterAll(() => removeFolder(folder))

  it('must be known and be that of the host', async () => {
    const cert = readFileSync(join(folder, 'cert.pem'), 'utf8')
    const key = readFileSync(join(folder, 'key.pem'), 'utf8')
    const server = createHttps({ cert, key }, (_, reply) => reply.end('secret'))
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    close.push(() => void server.close())
    const { port } = server.address() as AddressInfo
    const resolver = async () => ['127.0.0.1']
    const url = `https://hooks.corp:${port}/`
    const reply = await get(port, { resolver, ca: cert }, { url })
    expect(reply.body.toString()).toBe('secret')
    await expect(get(port, { resolver }, { url })).rejects.toThrow(/self.signed/)
    const other = { resolver, ca: cert, allowed: readAllowed(['other.corp']) }
    await expect(get(port, other, { url: `https://other.corp:${port}/` })).rejects.toThrow(
      /altnames/,
    )
  })
})
