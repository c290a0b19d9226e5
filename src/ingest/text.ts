/** The decoder of last resort: each line of a text is one event with a `message`, its time read from its start. */
import type { Instant } from '../core/time.ts'
import type { DecodeContext, Decoder, Sink } from './decoder.ts'
import { readLines } from './lines.ts'
import { Records } from './shape.ts'
import { timeIn } from './times.ts'

const LEADING_TIME =
  /^[[("]?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?)/

/** The ISO time that a line starts with, with or without a bracket before it. */
function leadingTime(line: string): Instant | undefined {
  const match = LEADING_TIME.exec(line)
  return match?.[1] === undefined ? undefined : timeIn(match[1])
}

async function decode(
  bytes: AsyncIterable<Uint8Array>,
  sink: Sink,
  _context: DecodeContext,
): Promise<void> {
  const records = new Records((names) => ({ kind: 'text', names, times: [], hosts: [] }))
  const message = records.field('message')
  await readLines(bytes, sink, (text, line) => {
    if (text.trim() === '') return
    records.begin()
    records.put(message, text)
    sink.event(records.finish(text, line, leadingTime(text)))
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
