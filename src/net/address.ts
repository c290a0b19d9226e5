/**
 * Addresses of the internet protocol as bytes: what kind of place they lead to, and networks. An address that carries
 * another one (mapped, translated) is judged by that one.
 */
import { isIP } from 'node:net'

/** A public place; one that the name of a host in the settings may lead to; one that only a network allows. */
export type Reach = 'public' | 'private' | 'special'

export interface Judged {
  readonly reach: Reach
  /** What it is, for messages. */
  readonly what: string
}

export interface Network {
  readonly bytes: readonly number[]
  readonly bits: number
}

function quadBytes(text: string): readonly number[] {
  return text.split('.').map(Number)
}

/** The 4 or 16 bytes of an address, without its zone; undefined for a text that is none. */
export function bytesOf(text: string): readonly number[] | undefined {
  const [bare = ''] = text.split('%')
  const kind = isIP(bare)
  if (kind === 4) return quadBytes(bare)
  if (kind !== 6) return undefined
  const groupBytes = (part: string): readonly number[] =>
    part === ''
      ? []
      : part.split(':').flatMap((group) => {
          if (group.includes('.')) return quadBytes(group)
          const value = Number.parseInt(group, 16)
          return [value >> 8, value & 0xff]
        })
  const [head = '', tail] = bare.split('::')
  const before = groupBytes(head)
  const after = tail === undefined ? [] : groupBytes(tail)
  const zeros = new Array<number>(Math.max(0, 16 - before.length - after.length)).fill(0)
  return [...before, ...zeros, ...after]
}

/** Reads `10.1.0.0/16`, `fd00::/8` or one address; undefined for other texts. */
export function networkOf(text: string): Network | undefined {
  const [address = '', length, ...more] = text.split('/')
  const bytes = address.includes('%') ? undefined : bytesOf(address)
  if (bytes === undefined || more.length > 0) return undefined
  const most = bytes.length * 8
  if (length === undefined) return { bytes, bits: most }
  const bits = /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN
  return bits >= 0 && bits <= most ? { bytes, bits } : undefined
}

export function isWithin(bytes: readonly number[], network: Network): boolean {
  if (bytes.length !== network.bytes.length) return false
  for (let bit = 0; bit < network.bits; bit += 8) {
    const left = network.bits - bit
    const mask = left >= 8 ? 0xff : (0xff << (8 - left)) & 0xff
    const at = bit / 8
    if (((bytes[at] ?? 0) & mask) !== ((network.bytes[at] ?? 0) & mask)) return false
  }
  return true
}

type Row = readonly [network: string, reach: Reach, what: string]

/** The registries of special addresses (IANA, RFC 6890 and later), the narrower network first. */
const FOUR: readonly Row[] = [
  ['168.63.129.16/32', 'special', 'a metadata service'],
  ['0.0.0.0/8', 'special', 'no address of a host'],
  ['10.0.0.0/8', 'private', 'a private address'],
  ['100.100.100.200/32', 'special', 'a metadata service'],
  ['100.64.0.0/10', 'private', 'a shared address of a provider'],
  ['127.0.0.0/8', 'private', 'this machine'],
  ['169.254.0.0/16', 'special', 'a link-local address'],
  ['172.16.0.0/12', 'private', 'a private address'],
  ['192.0.0.0/24', 'special', 'a special address'],
  ['192.0.2.0/24', 'special', 'an address for documentation'],
  ['192.88.99.0/24', 'special', 'a relay address'],
  ['192.168.0.0/16', 'private', 'a private address'],
  ['198.18.0.0/15', 'special', 'an address for measurements'],
  ['198.51.100.0/24', 'special', 'an address for documentation'],
  ['203.0.113.0/24', 'special', 'an address for documentation'],
  ['224.0.0.0/4', 'special', 'a multicast address'],
  ['240.0.0.0/4', 'special', 'a reserved address'],
]
const SIX: readonly Row[] = [
  ['::/128', 'special', 'no address of a host'],
  ['::1/128', 'private', 'this machine'],
  ['fd00:ec2::254/128', 'special', 'a metadata service'],
  ['fd20:ce::254/128', 'special', 'a metadata service'],
  ['fc00::/7', 'private', 'a private address'],
  ['fe80::/10', 'special', 'a link-local address'],
  ['2001::/23', 'special', 'a special address'],
  ['2001:db8::/32', 'special', 'an address for documentation'],
  ['2002::/16', 'special', 'an address of a tunnel'],
  ['3fff::/20', 'special', 'an address for documentation'],
  ['2000::/3', 'public', 'a public address'],
]

/** Networks whose last four bytes are an address of the other kind: mapped, and translated (RFC 6052). */
const CARRIERS = ['::ffff:0:0/96', '64:ff9b::/96']

function tableOf(rows: readonly Row[]): readonly (readonly [Network, Judged])[] {
  return rows.flatMap(([text, reach, what]) => {
    const network = networkOf(text)
    return network === undefined ? [] : [[network, { reach, what }] as const]
  })
}

const FOUR_TABLE = tableOf(FOUR)
const SIX_TABLE = tableOf(SIX)
const CARRIER_NETWORKS = CARRIERS.flatMap((each) => networkOf(each) ?? [])

/** The bytes of the address that counts: the carried one where there is one. */
export function carriedBytes(bytes: readonly number[]): readonly number[] {
  return CARRIER_NETWORKS.some((each) => isWithin(bytes, each)) ? bytes.slice(12) : bytes
}

/** What kind of place an address leads to; whatever no table knows is special. */
export function judge(bytes: readonly number[]): Judged {
  const counted = carriedBytes(bytes)
  const isFour = counted.length === 4
  const found = (isFour ? FOUR_TABLE : SIX_TABLE).find(([network]) => isWithin(counted, network))
  if (found !== undefined) return found[1]
  return isFour
    ? { reach: 'public', what: 'a public address' }
    : { reach: 'special', what: 'a special address' }
}
