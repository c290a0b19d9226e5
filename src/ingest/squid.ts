/**
 * The decoder of Squid's own access log: blanks between a Unix time, duration, client, result and status, bytes, method,
 * address, user, the way it was fetched, and type; also behind a syslog header.
 */
import type { DecodeContext, Decoder, Sink } from './decoder.ts'
import { readLines } from './lines.ts'
import { refuse } from './refusal.ts'
import { Records } from './shape.ts'
import { timeIn } from './times.ts'

const LINE =
  /(?:^|: )(\d{9,11}\.\d{3}) +(\d{1,12}) ([^\s/]{1,64}) ([A-Z_]{1,64})\/(\d{1,3}) (\d{1,20}) (\S{1,64}) (\S+) (\S+) ([A-Z_]{1,64})\/(\S+) (\S+)/
/** How far into a line its header may reach. */
const HEADER = 256

const NAMES = 'time duration src_ip result status bytes method url user hierarchy peer type'.split(
  ' ',
)

function parts(line: string): readonly string[] | undefined {
  const match = LINE.exec(line)
  return match === null || match.index > HEADER ? undefined : match.slice(1)
}

async function decode(
  bytes: AsyncIterable<Uint8Array>,
  sink: Sink,
  _context: DecodeContext,
): Promise<void> {
  const records = new Records((names) => ({ kind: 'squid', names, times: [0], hosts: [] }))
  const fields = NAMES.map((name) => records.field(name))
  await readLines(bytes, sink, (text, line) => {
    if (text.trim() === '') return
    const values = parts(text)
    if (values === undefined) {
      refuse(sink, 'HR141', {}, { place: `line ${line}`, raw: text })
      return
    }
    records.begin()
    fields.forEach((field, at) => {
      const value = values[at] ?? ''
      if (value !== '-') records.put(field, value)
    })
    sink.event(records.finish(text, line, timeIn(values[0] ?? '')))
  })
}

function detect(head: Uint8Array): number {
  const text = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('utf8')
  const lines = text.split('\n', 21).filter((line) => line.trim() !== '')
  const whole = lines.length > 1 && text.length >= 60_000 ? lines.slice(0, -1) : lines
  const good = whole.filter((line) => parts(line) !== undefined).length
  return good > 0 && good * 10 >= whole.length * 8 ? 93 : 0
}

/** The decoder of Squid access logs. */
export const squid: Decoder = {
  name: 'squid',
  says: 'Squid access log in its own form',
  detect,
  decode,
}
