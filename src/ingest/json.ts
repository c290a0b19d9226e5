/**
 * The decoder of JSON in all the shapes logs come in: one object a line, lists, objects pretty-printed or run together,
 * and documents around a list of records. Takes bytes, gives flat events; Windows records get the names of EVTX.
 * Numbers stay as written; a null inside a list is kept as an empty text; a key that occurs twice makes a list.
 */
import { limits } from '../core/limits.ts'
import { asUtf8, withHead } from './bytes.ts'
import type { DecodeContext, Decoder, Sink } from './decoder.ts'
import { openingEmbedded } from './embedded.ts'
import { JsonReader } from './jsonread.ts'
import { JsonSplitter, mayWrap, openWrapper } from './jsonsplit.ts'
import { readLines, TextReader } from './lines.ts'
import { recordPlanner } from './plan.ts'
import { refuse, tell } from './refusal.ts'
import { Records } from './shape.ts'

/** A byte that is not UTF-8 becomes this and two hex digits: an escaped backslash, as it stands within JSON. */
const BAD_BYTE = '\\\\x'
const OPEN = 123
/** How far the file is looked at to tell lines from other layouts. */
const LOOK_AHEAD = 64 * 1024

/** Turns objects into events. */
class ObjectEvents {
  private readonly reader: JsonReader
  private readonly sink: Sink

  constructor(sink: Sink, context: DecodeContext) {
    this.sink = sink
    this.reader = new JsonReader(() => new Records(recordPlanner('json', context.file)))
  }

  /** Gives the event of the object that starts at `start`; returns where it ends, or -1 when it was rejected. */
  object(text: string, start: number, record: number, place: string): number {
    const { reader, sink } = this
    const problem = reader.read(text, start, text.length)
    if (problem === undefined) {
      const { end } = reader
      const raw = start === 0 && end === text.length ? text : text.slice(start, end)
      sink.event(reader.records.finish(raw, record))
      return end
    }
    const at = { place, raw: text.slice(start) }
    if (problem.code === 'HR122') {
      refuse(sink, 'HR122', { what: problem.says, at: problem.at - start + 1 }, at)
    } else if (problem.code === 'HR123') refuse(sink, 'HR123', { limit: limits.jsonDepth }, at)
    else if (problem.code === 'HR124') {
      refuse(sink, 'HR124', { limit: limits.fieldsPerEvent }, at)
    } else refuse(sink, 'HR128', { limit: limits.valuesPerEvent }, at)
    return -1
  }
}

function splitter(
  sink: Sink,
  events: ObjectEvents,
  reader: TextReader,
  line?: number,
): JsonSplitter {
  let count = 0
  const place = (): string => (line === undefined ? `record ${count}` : `line ${line}`)
  return new JsonSplitter({
    object(bytes) {
      count++
      events.object(reader.text(bytes, place()), 0, line ?? count, place())
    },
    other(bytes, why) {
      count++
      const raw = reader.text(bytes.subarray(0, limits.recordBytes), place())
      const at = { place: place(), raw }
      if (why === 'scalar') refuse(sink, 'HR125', { found: raw.slice(0, 40) }, at)
      else if (why === 'unfinished') refuse(sink, 'HR126', {}, at)
      else if (why === 'long') refuse(sink, 'HR120', { limit: limits.recordBytes }, at)
      else refuse(sink, 'HR122', { what: 'the end of a text', at: raw.length }, at)
    },
    keys(names) {
      tell(sink, 'HR127', { names: names.join(', ') }, place())
    },
    unclosed() {
      tell(sink, 'HR151', { format: 'JSON' }, place())
    },
  })
}

function skipBlank(text: string, from: number): number {
  let at = from
  for (let code = text.charCodeAt(at); at < text.length; code = text.charCodeAt(++at)) {
    if (code !== 32 && code !== 9 && code !== 13 && code !== 44 && code !== 0x1e) break
  }
  return at
}

async function decodeLines(
  bytes: AsyncIterable<Uint8Array>,
  sink: Sink,
  events: ObjectEvents,
): Promise<void> {
  const onLine = (text: string, line: number): void => {
    const place = `line ${line}`
    let at = skipBlank(text, 0)
    if (mayWrap(text.slice(at + 2, text.indexOf('"', at + 2)))) {
      const whole = Buffer.from(text)
      const wrapper = openWrapper(whole, Buffer.byteLength(text.slice(0, at)))
      if (wrapper !== undefined && wrapper !== 'more') {
        const inner = splitter(sink, events, new TextReader(BAD_BYTE), line)
        inner.push(whole)
        inner.end()
        return
      }
    }
    for (; at !== -1 && at < text.length; at = at === -1 ? -1 : skipBlank(text, at)) {
      if (text.charCodeAt(at) === OPEN) {
        at = events.object(text, at, line, place)
      } else {
        const raw = text.slice(at)
        refuse(sink, 'HR125', { found: raw.slice(0, 40) }, { place, raw })
        return
      }
    }
  }
  await readLines(bytes, sink, onLine, BAD_BYTE)
}

async function decodeStream(
  bytes: AsyncIterable<Uint8Array>,
  sink: Sink,
  events: ObjectEvents,
): Promise<void> {
  const reader = new TextReader(BAD_BYTE)
  const parts = splitter(sink, events, reader)
  for await (const chunk of bytes) {
    parts.push(chunk)
    await sink.ready()
  }
  parts.end()
  reader.close(sink)
}

/** The first place that is not blank, a comma or a record separator. */
function firstByte(head: Buffer): number {
  let at = 0
  while (at < head.length && [9, 10, 13, 32, 0x1e].includes(head[at] ?? 0)) at++
  return at
}

/** True when the text is an object from its first to its last character, brackets counted. */
function isWholeObject(text: string): boolean {
  let depth = 0
  let inString = false
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (inString) {
      if (char === '\\') at++
      else if (char === '"') inString = false
    } else if (char === '"') inString = true
    else if (char === '{' || char === '[') depth++
    else if (char === '}' || char === ']') depth--
  }
  return depth <= 0 && !inString
}

/** True for one object a line: the first line is a whole object, or the second starts with one. */
function isLines(head: Buffer): boolean {
  const start = firstByte(head)
  if (head[start] !== OPEN) return false
  const wrapper = openWrapper(head, start)
  if (wrapper !== undefined && wrapper !== 'more') return false
  const end = head.indexOf(10, start)
  if (end === -1) return true
  return head[end + 1] === OPEN || isWholeObject(head.toString('utf8', start, end))
}

async function decode(
  bytes: AsyncIterable<Uint8Array>,
  sink: Sink,
  context: DecodeContext,
): Promise<void> {
  const events = new ObjectEvents(openingEmbedded(sink, context), context)
  const { head, all } = await withHead(asUtf8(bytes), LOOK_AHEAD)
  if (isLines(head)) await decodeLines(all, sink, events)
  else await decodeStream(all, sink, events)
}

function detect(bytes: Uint8Array): number {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const start = firstByte(head)
  const open = head[start]
  let next = start + 1
  while (next < head.length && [9, 10, 13, 32].includes(head[next] ?? 0)) next++
  const inner = head[next]
  if (open === OPEN) return inner === 34 || inner === 125 ? 90 : 0
  if (open === 91) return inner === OPEN ? 90 : inner === 93 || inner === 91 ? 40 : 0
  return 0
}

/** The decoder of JSON. */
export const json: Decoder = {
  name: 'json',
  says: 'JSON: one object a line, lists, pretty-printed, or cloud exports with a list of records',
  detect,
  decode,
}
