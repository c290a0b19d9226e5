/** Names of hosts to addresses that have been checked; what connects goes to these and asks no name server again. */
import { lookup as systemLookup } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import { type Allowed, checkAddress, checkHost, RefusedError } from './place.ts'

/** Gives the addresses of a name; tests put their own in. */
export type Resolver = (host: string) => Promise<readonly string[]>

const systemResolver: Resolver = async (host) =>
  (await systemLookup(host, { all: true })).map(({ address }) => address)

/** Answers of a name server that are looked at. */
const MOST_ADDRESSES = 64

/**
 * The addresses of a host, each of which may be reached. One that may not refuses the whole name: whoever mixes
 * private addresses into an answer waits for the connection that takes them.
 */
export async function checkedAddresses(
  host: string,
  allowed: Allowed,
  resolver: Resolver = systemResolver,
): Promise<readonly string[]> {
  checkHost(host, allowed)
  if (isIP(host) !== 0) return [host]
  const addresses = (await resolver(host)).slice(0, MOST_ADDRESSES)
  if (addresses.length === 0) throw new RefusedError(`${host} has no address`)
  for (const address of addresses) checkAddress(address, host, allowed)
  return addresses
}

/** Checked addresses in the form in which sockets ask for them. */
export function pinned(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }))
  return (_host, options, done) => {
    const [first] = all
    if (options.all === true) done(null, all)
    else done(null, first?.address ?? '', first?.family)
  }
}
