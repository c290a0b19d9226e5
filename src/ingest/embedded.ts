/**
 * Records that carry the record of a service as a text within one field: audit searches, look-ups of trails, shippers
 * that keep the original. Takes the events of a decoder; gives the inner record with what stood around it.
 */
import type { DecodeContext, DecodedEvent, FieldValue, Sink } from './decoder.ts'
import { JsonReader } from './jsonread.ts'
import { recordPlanner } from './plan.ts'
import { Records } from './shape.ts'
import { eventXmlReader } from './winxml.ts'

/** Fields that hold a whole record as JSON text, and a field that must stand beside each. */
const CARRIERS: readonly (readonly [carrier: string, beside: string])[] = [
  ['AuditData', ''],
  ['CloudTrailEvent', ''],
  ['event.original', 'event.dataset'],
  ['properties.log', 'category'],
  ['message', 'logStreamName'],
  ['_raw', 'sourcetype'],
]

function carrierOf({ kind, names }: DecodedEvent): number {
  if (kind === 'syslog')
    return names.includes('__REALTIME_TIMESTAMP') ? names.indexOf('message') : -1
  if (kind !== 'json' && kind !== 'csv') return -1
  for (const [carrier, beside] of CARRIERS) {
    const at = names.indexOf(carrier)
    if (at >= 0 && (beside === '' || names.includes(beside))) return at
  }
  return -1
}

/** Names and values of the inner record, then those around it whose names it has not. */
function merged(
  inner: Pick<DecodedEvent, 'names' | 'values'>,
  outer: DecodedEvent,
  carrier: number,
): { readonly names: readonly string[]; readonly values: readonly FieldValue[] } {
  const own = new Set(inner.names.map((name) => name.toLowerCase()))
  const names = [...inner.names]
  const values = [...inner.values]
  outer.names.forEach((name, at) => {
    if (at === carrier || own.has(name.toLowerCase())) return
    names.push(name)
    values.push(outer.values[at] ?? null)
  })
  return { names, values }
}

/** A sink before the given one, which opens the records within records. What is cut or damaged stays as it is. */
export function openingEmbedded(sink: Sink, context: DecodeContext): Sink {
  const carriers = new WeakMap<readonly string[], number>()
  const reader = new JsonReader(() => new Records(recordPlanner('json', context.file)))
  const readXml = eventXmlReader()

  const fromJson = (outer: DecodedEvent, carrier: number, text: string): DecodedEvent => {
    if (reader.read(text, 0, text.length) !== undefined) return outer
    if (text.slice(reader.end).trim() !== '') return outer
    const inner = reader.records.finish(text, outer.record, undefined, undefined)
    return {
      ...inner,
      ...merged(inner, outer, carrier),
      raw: outer.raw,
      time: inner.time ?? outer.time,
      host: inner.host ?? outer.host,
    }
  }

  const fromXml = (outer: DecodedEvent, text: string): DecodedEvent => {
    const { names, values, time, host, damage } = readXml(text)
    if (damage !== undefined) return outer
    const from = { time: time ?? outer.time, host: host ?? outer.host }
    return { kind: 'windows', names, values, raw: text, ...from, record: outer.record }
  }

  const opened = (event: DecodedEvent): DecodedEvent => {
    let carrier = carriers.get(event.names)
    if (carrier === undefined) {
      carrier = carrierOf(event)
      carriers.set(event.names, carrier)
    }
    if (carrier < 0) return event
    const value = event.values[carrier]
    if (typeof value !== 'string') return event
    const text = value.trim()
    if (text.startsWith('<Event')) return fromXml(event, text)
    if (event.kind === 'syslog') return event
    return text.startsWith('{') ? fromJson(event, carrier, text) : event
  }

  return {
    event: (event) => sink.event(opened(event)),
    reject: (code, reason, place, raw) => sink.reject(code, reason, place, raw),
    damage: (code, reason, place) => sink.damage(code, reason, place),
    ready: () => sink.ready(),
  }
}
