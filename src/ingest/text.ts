/** The decoder of last resort: each line of a text is one event with a `message`, its time read from its start. */
import type { DecodeContext, Decoder, Sink } from './decoder.ts'
import { readLines } from './lines.ts'
import { Records } from './shape.ts'
import { textForm } from './textforms.ts'

async function decode(
  bytes: AsyncIterable<Uint8Array>,
  sink: Sink,
  _context: DecodeContext,
): Promise<void> {
  const builders = new Map<string, Records>()
  const builder = (kind: string): Records => {
    const known = builders.get(kind)
    if (known !== undefined) return known
    const made = new Records((names) => ({ kind, names, times: [], hosts: [] }))
    builders.set(kind, made)
    return made
  }
  await readLines(bytes, sink, (text, line) => {
    if (text.trim() === '') return
    const { kind, time, fields } = textForm(text)
    const records = builder(kind)
    records.begin()
    for (const [name, value] of fields) records.put(records.field(name), value)
    records.put(records.field('message'), text)
    sink.event(records.finish(text, line, time))
  })
}

function detect(head: Uint8Array): number {
  return head.length === 0 || head.includes(0) ? 0 : 1
}

/** The decoder of plain text. */
export const text: Decoder = {
  name: 'text',
  says: 'Plain text, one event a line',
  detect,
  decode,
}
