/** What a kind of channel is: how it makes values safe, and how it hands a message over. */
import { type Allowed, RefusedError } from '../../../net/place.ts'
import type { Resolver } from '../../../net/resolve.ts'
import type { Message } from '../message.ts'
import type { ChannelKind, ChannelSettings } from '../settings.ts'

/** What senders need of the world. */
export interface Surroundings {
  readonly allowed: Allowed
  readonly proxy?: string
  readonly resolver?: Resolver
  readonly ca?: string
  /** A path of the settings as one that can be opened. */
  readonly pathOf: (written: string) => string
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly hostname: string
  readonly version: string
  readonly signal?: AbortSignal
}

/** A channel with its secrets, which come from the environment. */
export interface Target extends ChannelSettings {
  readonly secret?: string
  readonly authorization?: string
  readonly user?: string
  readonly password?: string
}

/** What is known of an earlier try of the same message. */
export interface Earlier {
  /** False for a message that was surely never sent. */
  readonly isAgain: boolean
  /** What `mark` gave before the first try. */
  readonly mark: number
}

export interface Sender {
  /** Where the place of delivery ends now; a later try looks from there for what an earlier one may have written. */
  mark?(): Promise<number>
  /** Hands a message over; resolves when the receiver has it, as far as this kind can know. */
  send(message: Message, earlier: Earlier): Promise<void>
}

export interface Kind {
  readonly kind: ChannelKind
  /** What a crash between sending and noting can do, for the manual and for `notify list`. */
  readonly promise: string
  /** Makes a value of an event safe within the text of a message. */
  safe(value: string): string
  /** Throws a `RefusedError` for a target that can never be reached. */
  open(target: Target, around: Surroundings): Sender
}

/** A message that was not taken. */
export class SendError extends Error {
  /** True when only this message is the reason, so that others need not wait. */
  readonly isOfMessage: boolean
  /** Milliseconds that the receiver asks to wait. */
  readonly wait: number | undefined
  constructor(reason: string, isOfMessage = false, wait?: number) {
    super(reason)
    this.name = 'SendError'
    this.isOfMessage = isOfMessage
    this.wait = wait
  }
}

/** Host and port of an address such as `smtp://mail.example:587`. */
export function serverOf(
  text: string | undefined,
  ports: Readonly<Record<string, number>>,
): { readonly scheme: string; readonly host: string; readonly port: number } {
  let url: URL
  try {
    url = new URL(text ?? '')
  } catch {
    throw new RefusedError('the address cannot be read')
  }
  const scheme = url.protocol.slice(0, -1)
  const usual = Object.hasOwn(ports, scheme) ? ports[scheme] : undefined
  if (usual === undefined) {
    throw new RefusedError(
      `the address does not begin with ${Object.keys(ports).join(':// or ')}://`,
    )
  }
  if (url.username !== '' || url.password !== '') {
    throw new RefusedError('an address must not hold a user or a password')
  }
  const bare = url.hostname.toLowerCase().replace(/^\[|\]$/g, '')
  return { scheme, host: bare, port: url.port === '' ? usual : Number(url.port) }
}

/** Values as they are, for kinds that carry text by structure. */
export const asIs = (value: string): string => value
