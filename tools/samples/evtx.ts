/** Turns the Windows events of the samples into an EVTX file, each value with the type that Windows stores. */
import type { EvtxValue } from '../binxml-writer.ts'
import { type EvtxEvent, writeEvtx } from '../evtx-writer.ts'
import type { EventValue, WindowsRecord } from './windows.ts'
import { valueText } from './xml.ts'

function stored(value: EventValue): EvtxValue {
  switch (typeof value) {
    case 'string':
      return { type: 'string', value }
    case 'number':
      return { type: 'uint32', value }
    case 'boolean':
      return { type: 'bool', value }
    default:
  }
  switch (value.type) {
    case 'hex32':
      return { type: 'hexint32', value: value.value }
    case 'hex64':
      return { type: 'hexint64', value: BigInt(value.value) }
    case 'guid':
    case 'sid':
      return { type: value.type, value: value.value }
    case 'uint16':
    case 'int32':
      return { type: value.type, value: value.value }
  }
}

function eventOf({ record, time, event }: WindowsRecord): EvtxEvent {
  const { section, keywords, userSid, data } = event
  return {
    provider: event.provider,
    providerGuid: event.providerGuid,
    eventId: event.eventId,
    version: event.version,
    level: event.level,
    task: event.task,
    opcode: event.opcode,
    keywords: BigInt(keywords),
    time: { ms: time, sub: 0 },
    recordId: record,
    processId: event.processId,
    threadId: event.threadId,
    channel: event.channel,
    computer: event.computer,
    ...(userSid === undefined ? {} : { userSid }),
    data: data.map(([name, value]) => [name, stored(value)] as const),
    ...(section === undefined
      ? {}
      : {
          userData: (chunk) => {
            const attributes = [['xmlns', () => chunk.text(section.namespace)]] as const
            chunk.element(section.element, { attributes }, () => {
              for (const [name, value] of data) {
                const text = valueText(value)
                if (text === '') chunk.element(name, {})
                else chunk.element(name, {}, () => chunk.text(text))
              }
            })
          },
        }),
  }
}

/** The bytes of an EVTX file with these records, in this order. */
export function evtxFile(records: readonly WindowsRecord[]): Uint8Array {
  return writeEvtx(records.map(eventOf))
}
