/** Which decoder a file is for: told from its first bytes, or named by the user. */
import type { Code } from '../core/codes.ts'
import { diagnose } from '../core/diagnostic.ts'
import { utf8Head, withHead } from './bytes.ts'
import type { Member } from './containers.ts'
import type { Decoder } from './decoder.ts'

/** How much of a file is looked at. */
const HEAD = 64 * 1024

export interface Choice {
  readonly decoder?: Decoder
  /** The whole file, from its start. */
  readonly bytes: AsyncIterable<Uint8Array>
  /** Why there is no decoder. */
  readonly code?: Code
  readonly problem?: string
}

/** The decoder that is surest of the first bytes of an unpacked file; undefined when none knows them. */
export function detectFormat(head: Uint8Array, decoders: readonly Decoder[]): Decoder | undefined {
  const text = utf8Head(head)
  let best: Decoder | undefined
  let most = 0
  for (const decoder of decoders) {
    const sure = decoder.detect(text)
    if (sure > most) {
      best = decoder
      most = sure
    }
  }
  return best
}

/** Chooses the decoder of a file. `format` is the name of a decoder that the user wants instead of telling it. */
export async function chooseDecoder(
  member: Member,
  decoders: readonly Decoder[],
  format?: string,
): Promise<Choice> {
  if (format !== undefined) {
    const named = decoders.find((each) => each.name === format)
    if (named !== undefined) return { decoder: named, bytes: member.bytes }
    const names = decoders.map((each) => each.name).join(', ')
    const { code, message } = diagnose('HR143', { name: format, names })
    return { bytes: member.bytes, code, problem: message }
  }
  const { head, all } = await withHead(member.bytes, HEAD)
  // An empty file holds no events in any format.
  const decoder =
    head.length === 0 ? decoders.at(-1) : detectFormat(head.subarray(0, HEAD), decoders)
  if (decoder !== undefined) return { decoder, bytes: all }
  const { code, message } = diagnose('HR142', {})
  return { bytes: all, code, problem: message }
}
