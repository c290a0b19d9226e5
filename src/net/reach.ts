/**
 * Requests over http and https that are safe by design: only to checked addresses, with verified certificates, a
 * deadline, and an answer of bounded size. Redirects of GET are followed to places that pass the same checks; those of
 * POST are refused, since what was sent would go to somebody else.
 */
import { type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { createGunzip } from 'node:zlib'
import { limits } from '../core/limits.ts'
import { hostOf, type PlaceRules, RefusedError, readPlace } from './place.ts'
import { checkedAddresses, pinned, type Resolver } from './resolve.ts'

export interface ReachRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface ReachOptions extends PlaceRules {
  readonly resolver?: Resolver
  /** Address of a proxy; names are then resolved there, and only the text of an address can be checked. */
  readonly proxy?: string
  readonly ca?: string
  readonly seconds?: number
  /** The most of an answer, in bytes; more is refused. */
  readonly bytes?: number
  /** Content types that are taken, in lower case; absent: any. */
  readonly types?: readonly string[]
  readonly signal?: AbortSignal
}

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** Where the answer came from, after redirects. */
  readonly url: string
}

/** Headers that are for one place only. */
const SECRET_HEADERS = new Set(['authorization', 'cookie', 'proxy-authorization'])
/** Each header of a request is one line of plain characters. */
const HEADER = /^[\t\x20-\x7e\x80-\xff]*$/

function checkHeaders(headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[A-Za-z0-9-]{1,64}$/.test(name) || !HEADER.test(value)) {
      throw new RefusedError(`the header ${name.slice(0, 64)} holds what no header may`)
    }
  }
}

/** The time is up for a request that may have been answered: nobody knows whether it was taken. */
class TimeoutError extends Error {
  constructor(seconds: number) {
    super(`no answer within ${seconds} seconds`)
    this.name = 'TimeoutError'
  }
}

/** Makes a request. Rejects with a `RefusedError` where it is not allowed, a `TimeoutError`, or the system's error. */
export async function reach(request: ReachRequest, options: ReachOptions): Promise<Reply> {
  const seconds = options.seconds ?? limits.fetchSeconds
  const clock = new AbortController()
  const timer = setTimeout(() => clock.abort(), seconds * 1_000)
  const stop = (): void => clock.abort()
  options.signal?.addEventListener('abort', stop, { once: true })
  try {
    return await follow(request, options, clock.signal)
  } catch (error) {
    if (options.signal?.aborted === true) throw new Error('the request was interrupted')
    throw clock.signal.aborted ? new TimeoutError(seconds) : error
  } finally {
    clearTimeout(timer)
    options.signal?.removeEventListener('abort', stop)
  }
}

async function follow(
  request: ReachRequest,
  options: ReachOptions,
  signal: AbortSignal,
): Promise<Reply> {
  let url = readPlace(request.url, options)
  let headers = request.headers ?? {}
  checkHeaders(headers)
  const seen = new Set<string>()
  for (let hops = 0; hops <= limits.fetchRedirects; hops++) {
    seen.add(url.href)
    const reply = await once({ ...request, headers }, url, options, signal)
    const to = reply.headers.location
    if (reply.status < 300 || reply.status > 399 || reply.status === 304 || to === undefined) {
      return reply
    }
    if (request.method === 'POST') {
      throw new RefusedError('the receiver sends the message on to another address')
    }
    const next = readPlace(absolute(to, url), options)
    if (url.protocol === 'https:' && next.protocol !== 'https:') {
      throw new RefusedError('a redirect from https to http')
    }
    if (seen.has(next.href)) throw new RefusedError('redirects in a circle')
    if (next.origin !== url.origin) {
      headers = Object.fromEntries(
        Object.entries(headers).filter(([name]) => !SECRET_HEADERS.has(name.toLowerCase())),
      )
    }
    url = next
  }
  throw new RefusedError(`more than ${limits.fetchRedirects} redirects`)
}

/** What a redirect leads to, in full; it is checked like any other address. */
function absolute(to: string, from: URL): string {
  if (/^[a-z][a-z0-9+.-]*:/i.test(to)) return to
  try {
    return new URL(to, from).href
  } catch {
    throw new RefusedError('a redirect to what is no address')
  }
}

/** How to get to the place: straight to a checked address, or through the proxy. */
async function wayTo(
  url: URL,
  options: ReachOptions,
  signal: AbortSignal,
): Promise<RequestOptions> {
  const host = hostOf(url)
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
  const path = `${url.pathname}${url.search}`
  if (options.proxy === undefined) {
    const addresses = await checkedAddresses(host, options.allowed, options.resolver)
    return { host, port, path, lookup: pinned(addresses) }
  }
  const proxy = new URL(options.proxy)
  const proxyPort = Number(proxy.port || 80)
  if (url.protocol === 'http:') {
    return { host: hostOf(proxy), port: proxyPort, path: url.href }
  }
  const target = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`
  const socket = await tunnel(hostOf(proxy), proxyPort, target, signal)
  const secured = connectTls({
    socket,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...serverOf(host),
    ...caOf(options),
  })
  return { host, port, path, createConnection: () => secured }
}

const serverOf = (host: string) => (isIP(host) === 0 ? { servername: host } : {})
const caOf = ({ ca }: ReachOptions) => (ca === undefined ? {} : { ca })

function tunnel(host: string, port: number, target: string, signal: AbortSignal): Promise<Socket> {
  return new Promise((done, failed) => {
    const asked = requestHttp({ host, port, method: 'CONNECT', path: target, agent: false, signal })
    asked.once('error', failed)
    asked.once('connect', (reply, socket) => {
      if (reply.statusCode === 200) return done(socket)
      socket.destroy()
      failed(new Error(`the proxy answers ${reply.statusCode}`))
    })
    asked.once('response', (reply) => {
      reply.destroy()
      failed(new Error(`the proxy answers ${reply.statusCode}`))
    })
    asked.end()
  })
}

async function once(
  { method, headers = {}, body }: ReachRequest,
  url: URL,
  options: ReachOptions,
  signal: AbortSignal,
): Promise<Reply> {
  const way = await wayTo(url, options, signal)
  const isTls = url.protocol === 'https:'
  const sent = {
    ...way,
    method,
    agent: false,
    signal,
    maxHeaderSize: limits.fetchHeaderBytes,
    headers: {
      'user-agent': 'harrier',
      accept: '*/*',
      'accept-encoding': 'identity, gzip',
      ...headers,
      host: url.host,
      ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
    },
    ...(isTls
      ? {
          rejectUnauthorized: true,
          minVersion: 'TLSv1.2' as const,
          ...serverOf(hostOf(url)),
          ...caOf(options),
        }
      : {}),
  }
  return new Promise((done, failed) => {
    const request = (isTls ? requestHttps : requestHttp)(sent, (reply) => {
      read(reply, options).then(
        (read) => done({ ...read, url: url.href }),
        (error: unknown) => {
          request.destroy()
          failed(error)
        },
      )
    })
    request.once('error', failed)
    request.end(body)
  })
}

/** Reads an answer as far as it is taken; a longer one is refused before it is read. */
async function read(reply: IncomingMessage, options: ReachOptions): Promise<Omit<Reply, 'url'>> {
  const most = options.bytes ?? limits.fetchBytes
  const headers = Object.fromEntries(
    Object.entries(reply.headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
    ),
  )
  const status = reply.statusCode ?? 0
  const isRedirect = status >= 300 && status <= 399
  const type = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  if (options.types !== undefined && status < 300 && !options.types.includes(type)) {
    throw new RefusedError(`the answer is of the type ${type.slice(0, 64) || 'unknown'}`)
  }
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  if (encoding !== 'identity' && encoding !== 'gzip') {
    throw new RefusedError(`the answer is packed as ${encoding.slice(0, 64)}`)
  }
  const tooLong = (): RefusedError => new RefusedError(`the answer has more than ${most} bytes`)
  if (!isRedirect && Number(headers['content-length'] ?? 0) > most) throw tooLong()
  const parts: Buffer[] = []
  let size = 0
  const source = encoding === 'gzip' ? unpacked(reply) : reply
  if (isRedirect) reply.destroy()
  else {
    for await (const part of source) {
      const bytes = Buffer.from(part)
      size += bytes.length
      if (size > most) throw tooLong()
      parts.push(bytes)
    }
  }
  return { status, headers, body: Buffer.concat(parts) }
}

function unpacked(reply: IncomingMessage): AsyncIterable<Uint8Array> {
  const unpack = createGunzip()
  reply.once('error', (error) => unpack.destroy(error))
  return reply.pipe(unpack)
}
