/**
 * Where a request may go: what the text of an address may look like, and which private places are allowed. Reading is
 * strict, because readers of addresses disagree where one is written oddly.
 */
import { isIP } from 'node:net'
import { limits } from '../core/limits.ts'
import { bytesOf, carriedBytes, isWithin, judge, type Network, networkOf } from './address.ts'

/** A request or connection that is not made, or whose answer is not taken, because of what it is. */
export class RefusedError extends Error {
  constructor(reason: string) {
    super(reason)
    this.name = 'RefusedError'
  }
}

/** What may be reached though it is not public. */
export interface Allowed {
  /** Names of hosts, in lower case. */
  readonly hosts: ReadonlySet<string>
  readonly networks: readonly Network[]
}

export const NOTHING_ALLOWED: Allowed = { hosts: new Set(), networks: [] }

const HOST = /^(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/

/** Reads a list of hosts and networks; texts that are neither are given back. */
export function readAllowed(
  texts: readonly string[],
): Allowed & { readonly wrong: readonly string[] } {
  const hosts = new Set<string>()
  const networks: Network[] = []
  const wrong: string[] = []
  for (const text of texts) {
    const network = networkOf(text)
    if (network !== undefined) networks.push(network)
    else if (HOST.test(text.toLowerCase()) && text.length <= 253) hosts.add(text.toLowerCase())
    else wrong.push(text)
  }
  return { hosts, networks, wrong }
}

/** Names that stand for places which are not public, whatever a name server says (RFC 6761, 6762, 8375, 9476). */
const LOCAL_NAMES =
  /(?:^|\.)(?:localhost|localdomain|local|internal|intranet|lan|home|corp|private|arpa|test|invalid|onion|alt)$/

/** True for names that are not public ones; a name of one label is none either. */
function isLocalName(host: string): boolean {
  return !host.includes('.') || LOCAL_NAMES.test(host)
}

/** Refuses an address that may not be reached by this name of a host. */
export function checkAddress(address: string, host: string, allowed: Allowed): void {
  const bytes = bytesOf(address)
  if (bytes === undefined) throw new RefusedError(`"${address}" is no address`)
  if (address.includes('%')) throw new RefusedError(`${address} is an address of one link only`)
  const counted = carriedBytes(bytes)
  if (allowed.networks.some((each) => isWithin(counted, each) || isWithin(bytes, each))) return
  const { reach, what } = judge(bytes)
  const isNamed = allowed.hosts.has(host)
  if (isLocalName(host) && isIP(host) === 0 && !isNamed) {
    throw new RefusedError(`${host} is not a public name`)
  }
  if (reach === 'public' || (reach === 'private' && isNamed)) return
  throw new RefusedError(
    host === address ? `${host} is ${what}` : `${host} is at ${address}, ${what}`,
  )
}

/** What an address of the web may be. */
export interface PlaceRules {
  readonly allowed: Allowed
  /** The only ports; absent: any. */
  readonly ports?: readonly number[]
}

const RAW = /^https?:\/\/[^/?#\\\s]+(?:[/?][^\\\t\r\n]*)?$/i

/**
 * Reads an address of the web. What can be refused before a name server is asked is refused here: other schemes,
 * passwords in it, odd spellings, addresses of private places.
 */
export function readPlace(text: string, { allowed, ports }: PlaceRules): URL {
  if (Buffer.byteLength(text) > limits.urlBytes) throw new RefusedError('the address is too long')
  if (!/^https?:/i.test(text)) throw new RefusedError('only http and https are allowed')
  if (!RAW.test(text) || hasControl(text)) {
    throw new RefusedError('the address is not written as https://host/path')
  }
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw new RefusedError('the address cannot be read')
  }
  if (url.username !== '' || url.password !== '' || /^[a-z]+:\/\/[^/?]*@/i.test(text)) {
    throw new RefusedError('an address must not hold a user or a password')
  }
  const host = hostOf(url)
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
  if (port === 0) throw new RefusedError('port 0 cannot be reached')
  if (ports !== undefined && !ports.includes(port)) {
    throw new RefusedError(`port ${port} is not one of ${ports.join(', ')}`)
  }
  checkHost(host, allowed)
  return url
}

/** The host of an address as names are compared: lower case, no brackets, no dot at the end. */
export function hostOf(url: URL): string {
  const bare = url.hostname.toLowerCase().replace(/\.$/, '')
  return bare.startsWith('[') ? bare.slice(1, -1) : bare
}

/** Refuses what the text of a host alone tells. */
export function checkHost(host: string, allowed: Allowed): void {
  if (isIP(host) !== 0) {
    checkAddress(host, host, allowed)
    return
  }
  if (!HOST.test(host) || host.length > 253)
    throw new RefusedError(`"${host}" is no name of a host`)
  const mayBeAllowed = allowed.hosts.has(host) || allowed.networks.length > 0
  if (isLocalName(host) && !mayBeAllowed) throw new RefusedError(`${host} is not a public name`)
}

function hasControl(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x20 || code === 0x7f) return true
  }
  return false
}
