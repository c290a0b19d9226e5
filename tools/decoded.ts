/** Decodes one file without a store: the events as maps, and how many records could not be read. */

import { openPath } from '../src/ingest/containers.ts'
import type { DecodedEvent, FieldValue, Sink } from '../src/ingest/decoder.ts'
import { chooseDecoder } from '../src/ingest/detect.ts'
import { decoders } from '../src/ingest/formats.ts'

export interface Decoded {
  readonly events: readonly ReadonlyMap<string, FieldValue>[]
  readonly rejected: number
  readonly damaged: number
  /** Events for which a time was found. */
  readonly timed: number
}

function fieldsOf({ names, values }: DecodedEvent): ReadonlyMap<string, FieldValue> {
  return new Map(names.map((name, index) => [name, values[index] ?? null]))
}

/** Reads a file of any known format. */
export async function decodeFile(path: string): Promise<Decoded> {
  const events: ReadonlyMap<string, FieldValue>[] = []
  let [rejected, damaged, timed] = [0, 0, 0]
  const sink: Sink = {
    event(event) {
      events.push(fieldsOf(event))
      if (event.time !== undefined) timed++
    },
    reject: () => {
      rejected++
    },
    damage: () => {
      damaged++
    },
    ready: () => Promise.resolve(),
  }
  for await (const member of openPath(path)) {
    const { decoder, bytes } = await chooseDecoder(member, decoders, undefined)
    if (decoder === undefined) damaged++
    else await decoder.decode(bytes, sink, { file: member.path, now: { ms: 0, sub: 0 } })
  }
  return { events, rejected, damaged, timed }
}
