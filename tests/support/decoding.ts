/** Runs a decoder over bytes held in memory and collects what it gives. */
import type { DecodeContext, DecodedEvent, Decoder, FieldValue } from '../../src/ingest/decoder.ts'

export interface Told {
  readonly code: string
  readonly reason: string
  readonly place: string
}

export interface Decoded {
  readonly events: readonly DecodedEvent[]
  readonly rejects: readonly (Told & { readonly raw: string })[]
  readonly damage: readonly Told[]
}

/** Decodes bytes that arrive in blocks of `size`. */
export async function decodeAll(
  decoder: Decoder,
  bytes: Uint8Array,
  size = 65_536,
  context: Partial<DecodeContext> = {},
): Promise<Decoded> {
  const events: DecodedEvent[] = []
  const rejects: (Told & { raw: string })[] = []
  const damage: Told[] = []
  async function* blocks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size)
  }
  await decoder.decode(
    blocks(),
    {
      event: (event) => events.push(event),
      reject: (code, reason, place, raw) => rejects.push({ code, reason, place, raw }),
      damage: (code, reason, place) => damage.push({ code, reason, place }),
      ready: () => Promise.resolve(),
    },
    { file: 'test', now: { ms: 0, sub: 0 }, ...context },
  )
  return { events, rejects, damage }
}

/** The fields of an event as a map. */
export function fieldsOf(event: DecodedEvent | undefined): ReadonlyMap<string, FieldValue> {
  return new Map(event?.names.map((name, index) => [name, event.values[index] ?? null]))
}
