/** The decoder of Linux audit logs (`audit.log`). Takes bytes, gives one event for all records of an audit event. */
import { AuditJoiner } from './auditjoin.ts'
import { parseAudit } from './auditline.ts'
import type { DecodeContext, Decoder, Sink } from './decoder.ts'
import { readLines } from './lines.ts'
import { refuse } from './refusal.ts'
import { parseSyslog } from './syslogline.ts'

/** What `ausearch` prints between events: a rule, and the time as text. */
function isRule(text: string): boolean {
  return text === '----' || text.startsWith('time->')
}

async function decode(
  bytes: AsyncIterable<Uint8Array>,
  sink: Sink,
  context: DecodeContext,
): Promise<void> {
  const joiner = new AuditJoiner(sink)
  await readLines(bytes, sink, (text, line) => {
    if (text.trim() === '' || isRule(text)) return
    const record = parseAudit(text)
    if (record === undefined) {
      refuse(sink, 'HR135', {}, { place: `line ${line}`, raw: text })
      return
    }
    const isBare = text.startsWith('type=') || text.startsWith('node=')
    joiner.take(record, text, line, isBare ? undefined : parseSyslog(text, context.now).host)
  })
  joiner.end()
}

function detect(head: Uint8Array): number {
  const text = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('latin1')
  const lines = text.split('\n', 11).filter((line) => line.trim() !== '' && !isRule(line))
  const whole = lines.length > 1 ? lines.slice(0, 10) : lines
  const bare = whole.filter((line) => /^(?:node=\S+ )?type=/.test(line) && parseAudit(line))
  return whole.length > 0 && bare.length * 2 >= whole.length ? 95 : 0
}

/** The decoder of audit logs. */
export const auditd: Decoder = {
  name: 'auditd',
  says: 'Linux audit logs; the records of one event are joined',
  detect,
  decode,
}
