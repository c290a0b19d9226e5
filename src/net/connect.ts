/** A TCP or TLS connection to a checked address of a host. */
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { limits } from '../core/limits.ts'
import type { Allowed } from './place.ts'
import { checkedAddresses, pinned, type Resolver } from './resolve.ts'

export interface ConnectOptions {
  readonly allowed: Allowed
  readonly resolver?: Resolver
  /** The authorities that certificates are checked with instead of those of the system, as PEM. */
  readonly ca?: string
  readonly seconds?: number
}

/** Opens a connection; the certificate of a TLS server must be valid for the host. Errors reject. */
export async function connectTo(
  { host, port, isTls }: { readonly host: string; readonly port: number; readonly isTls: boolean },
  { allowed, resolver, ca, seconds = limits.fetchSeconds }: ConnectOptions,
): Promise<Socket> {
  const lookup = pinned(await checkedAddresses(host, allowed, resolver))
  return new Promise((done, failed) => {
    const target = { host, port, lookup }
    const socket = isTls
      ? connectTls({
          ...target,
          rejectUnauthorized: true,
          minVersion: 'TLSv1.2',
          ...(isIP(host) === 0 ? { servername: host } : {}),
          ...(ca === undefined ? {} : { ca }),
        })
      : connectTcp(target)
    const fail = (error: Error): void => {
      socket.destroy()
      failed(error)
    }
    socket.setTimeout(seconds * 1_000, () => fail(new Error('no answer in time')))
    socket.once('error', fail)
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      socket.off('error', fail)
      done(socket)
    })
  })
}
