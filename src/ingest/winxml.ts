/**
 * Windows event XML: single events, one a line, run together, or wrapped in `<Events>`, in UTF-8 or UTF-16.
 * Takes bytes, gives one event for each `<Event>`; a bad one is rejected with its line and the next go on.
 */
import { diagnose } from '../core/diagnostic.ts'
import { limits } from '../core/limits.ts'
import type { Instant } from '../core/time.ts'
import { asUtf8, utf8Head } from './bytes.ts'
import type { Decoder, FieldValue, Sink } from './decoder.ts'
import { TextReader } from './lines.ts'
import { tell } from './refusal.ts'
import type { Records } from './shape.ts'
import {
  attributeField,
  givesField,
  innerScope,
  isDataName,
  MOST_NAME_CHARS,
  ROOT,
  type Scope,
  textField,
  windowsRecords,
} from './winevent.ts'
import { readXml, type XmlFault, type XmlHandler } from './xml.ts'
import { type Frame, XmlFrames } from './xmlframes.ts'

/** One event as read from its XML. `record` is its EventRecordID. With `damage` there are no fields. */
export interface EventReading {
  readonly names: readonly string[]
  readonly values: readonly FieldValue[]
  readonly time: Instant | undefined
  readonly host: string | undefined
  readonly record: number | undefined
  readonly damage: XmlFault | undefined
}

interface OpenElement {
  readonly name: string
  readonly scope: Scope
  readonly inner: Scope
  text: string
  dataName: string
  hadAttributes: boolean
  hadChildren: boolean
}

/** Turns the parts of one event into fields of the builder. */
class EventFields implements XmlHandler {
  private readonly records: Records
  private readonly stack: OpenElement[] = []
  /** The name of the outermost element when it is not `Event`. */
  stranger: string | undefined
  full = false

  constructor(records: Records) {
    this.records = records
  }

  open(name: string): void {
    const parent = this.stack.at(-1)
    if (parent !== undefined) parent.hadChildren = true
    else if (name !== 'Event') this.stranger = name
    const scope = parent === undefined ? ROOT : parent.inner
    const inner = innerScope(scope, name)
    this.stack.push({
      name,
      scope,
      inner,
      text: '',
      dataName: '',
      hadAttributes: false,
      hadChildren: false,
    })
  }

  attribute(name: string, value: string): void {
    const element = this.stack.at(-1)
    if (element === undefined || value === '') return
    if (isDataName(element.scope, element.name, name)) {
      element.dataName = value
      return
    }
    const field = attributeField(element.scope, element.name, name)
    if (field === '') return
    element.hadAttributes = true
    this.put(field, value)
  }

  text(value: string): void {
    const element = this.stack.at(-1)
    if (element !== undefined) element.text += value
  }

  close(): void {
    const element = this.stack.pop()
    if (element === undefined) return
    const { name, scope, text, dataName, hadAttributes, hadChildren } = element
    if (givesField(scope, name, text, hadChildren, hadAttributes)) {
      this.put(textField(scope, name, dataName), text)
    }
  }

  private put(field: string, value: string): void {
    if (this.records.fieldCount >= limits.fieldsPerEvent) this.full = true
    else this.records.put(this.records.field(field), value)
  }
}

function damaged(damage: XmlFault): EventReading {
  return { names: [], values: [], time: undefined, host: undefined, record: undefined, damage }
}

function recordNumber(value: FieldValue | undefined): number | undefined {
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : 0
  return number > 0 ? number : undefined
}

/**
 * A function that reads the text of one `<Event>` element by the rules of `winevent.ts`. Keep it for all events
 * of a file: it remembers the names it has seen.
 */
export function eventXmlReader(): (text: string) => EventReading {
  let records = windowsRecords()
  return (text) => {
    if (records.nameChars > MOST_NAME_CHARS) records = windowsRecords()
    records.begin()
    const fields = new EventFields(records)
    const fault = readXml(text, fields)
    if (fault !== undefined) return damaged(fault)
    if (fields.stranger !== undefined) {
      const reason = `the element is <${fields.stranger}>, not <Event>`
      return damaged({ code: 'HR110', reason: diagnose('HR110', { reason }).message, offset: 0 })
    }
    if (fields.full) {
      const params = { limit: limits.fieldsPerEvent }
      return damaged({ code: 'HR124', reason: diagnose('HR124', params).message, offset: 0 })
    }
    const record = recordNumber(records.value(records.field('EventRecordID')))
    const { names, values, time, host } = records.finish(text, record ?? 0)
    return { names, values, time, host, record, damage: undefined }
  }
}

/** Characters of a rejected text that are handed on. */
const REJECT_CHARS = 65_536

/** Hands the frames of one file to the sink. */
class Delivery {
  private readonly sink: Sink
  private readonly texts = new TextReader()
  private readonly read = eventXmlReader()
  private count = 0

  constructor(sink: Sink) {
    this.sink = sink
  }

  /** Delivers all that has been framed. False when the rest of the file must not be read. */
  drain(frames: XmlFrames): boolean {
    for (let frame = frames.next(); frame !== undefined; frame = frames.next()) {
      this.deliver(frame)
      if (frame.kind === 'refused') return false
    }
    return true
  }

  close(): void {
    this.texts.close(this.sink)
  }

  private deliver(frame: Frame): void {
    const place = `line ${frame.line}`
    if (frame.kind === 'event') this.event(frame.bytes, place)
    else if (frame.kind === 'stray') tell(this.sink, 'HR114', {}, place)
    else this.sink.reject(frame.code, frame.reason, place, frame.bytes.toString('utf8'))
  }

  private event(bytes: Buffer, place: string): void {
    const raw = this.texts.text(bytes, place)
    this.count++
    const { names, values, time, host, damage } = this.read(raw)
    if (damage !== undefined) {
      const where = `${place}, event ${this.count}, character ${damage.offset + 1}`
      this.sink.reject(damage.code, damage.reason, where, raw.slice(0, REJECT_CHARS))
      return
    }
    this.sink.event({ kind: 'windows', names, values, raw, time, host, record: this.count })
  }
}

async function decode(bytes: AsyncIterable<Uint8Array>, sink: Sink): Promise<void> {
  const frames = new XmlFrames()
  const delivery = new Delivery(sink)
  for await (const block of asUtf8(bytes)) {
    frames.push(block)
    const goOn = delivery.drain(frames)
    await sink.ready()
    if (!goOn) return delivery.close()
  }
  frames.end()
  delivery.drain(frames)
  delivery.close()
}

const NAMESPACE = 'http://schemas.microsoft.com/win/2004/08/events'

function detect(head: Uint8Array): number {
  const text = Buffer.from(utf8Head(head)).toString('utf8').trimStart()
  if (!text.startsWith('<') || !/<Event[\s>]/.test(text)) return 0
  const isKnown = text.includes(NAMESPACE)
  if (/^<Events?[\s>]/.test(text)) return isKnown ? 100 : 80
  return isKnown ? 95 : 0
}

/** The decoder of Windows event XML. */
export const winxml: Decoder = {
  name: 'winxml',
  says: 'Windows event XML, as exported by the Event Viewer, wevtutil or a forwarder',
  detect,
  decode,
}
