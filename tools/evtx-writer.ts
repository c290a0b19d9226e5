/**
 * Writes EVTX files for tests and samples: takes events, gives the bytes of a log as Windows lays it out, with
 * templates, checksums and as many chunks as are needed. The same events always give the same bytes.
 */
import type { Instant } from '../src/core/time.ts'
import {
  ChunkFull,
  ChunkWriter,
  crc32,
  type EvtxValue,
  fileTime,
  typeNumber,
} from './binxml-writer.ts'

export interface EvtxEvent {
  readonly provider: string
  readonly providerGuid?: string
  readonly eventId: number
  readonly qualifiers?: number
  readonly version?: number
  readonly level?: number
  readonly task?: number
  readonly opcode?: number
  readonly keywords?: bigint
  readonly time: Instant
  readonly recordId: number
  readonly processId?: number
  readonly threadId?: number
  readonly activityId?: string
  readonly relatedActivityId?: string
  readonly channel: string
  readonly computer: string
  readonly userSid?: string
  /** Names and values of `<Data>`; an empty name gives a `<Data>` without one. */
  readonly data: readonly (readonly [name: string, value: EvtxValue])[]
  /** Written within `<UserData>` instead of `data`. */
  readonly userData?: (chunk: ChunkWriter) => void
}

/** A record whose binary XML is written by hand. */
export interface EvtxRecord {
  readonly recordId: number
  readonly time: Instant
  readonly write: (chunk: ChunkWriter) => void
}

const FILE_HEADER = 4_096
const NAMESPACE = 'http://schemas.microsoft.com/win/2004/08/events/event'
const NONE = { dependency: 'none' } as const

/** The System section as a template, with the values in the order that Windows gives them. */
function systemTemplate(chunk: ChunkWriter, computer: string): void {
  const value = (slot: number, type: number) => () => chunk.substitution(slot, type, true)
  const field = (name: string, slot: number, type: number): void =>
    chunk.element(name, { dependency: slot }, value(slot, type))
  const attributes = [['xmlns', () => chunk.text(NAMESPACE)]] as const
  chunk.element('Event', { dependency: 17, attributes }, () => {
    chunk.element('System', NONE, () => {
      chunk.element('Provider', {
        ...NONE,
        attributes: [
          ['Name', value(14, 0x01)],
          ['Guid', value(15, 0x0f)],
        ],
      })
      const qualifiers = [['Qualifiers', value(4, 0x06)]] as const
      chunk.element('EventID', { dependency: 3, attributes: qualifiers }, value(3, 0x06))
      field('Version', 11, 0x04)
      field('Level', 0, 0x04)
      field('Task', 2, 0x06)
      field('Opcode', 1, 0x04)
      field('Keywords', 5, 0x15)
      chunk.element('TimeCreated', { ...NONE, attributes: [['SystemTime', value(6, 0x11)]] })
      field('EventRecordID', 10, 0x0a)
      chunk.element('Correlation', {
        ...NONE,
        attributes: [
          ['ActivityID', value(7, 0x0f)],
          ['RelatedActivityID', value(13, 0x0f)],
        ],
      })
      chunk.element('Execution', {
        ...NONE,
        attributes: [
          ['ProcessID', value(8, 0x08)],
          ['ThreadID', value(9, 0x08)],
        ],
      })
      field('Channel', 16, 0x01)
      chunk.element('Computer', NONE, () => chunk.text(computer))
      chunk.element('Security', { ...NONE, attributes: [['UserID', value(12, 0x13)]] })
    })
    chunk.substitution(17, 0x21, true)
  })
}

function dataValue(event: EvtxEvent): EvtxValue {
  const { data, userData } = event
  if (userData !== undefined) {
    return {
      type: 'xml',
      write: (chunk) => {
        chunk.header()
        chunk.element('UserData', {}, () => userData(chunk))
        chunk.u8(0)
      },
    }
  }
  const types = data.map(([, value]) => typeNumber(value))
  return {
    type: 'xml',
    write: (chunk) => {
      chunk.header()
      const key = JSON.stringify(['data', data.map(([name]) => name), types])
      const body = (): void =>
        chunk.element('EventData', NONE, () => {
          data.forEach(([name], slot) => {
            const attributes = name === '' ? [] : ([['Name', () => chunk.text(name)]] as const)
            const value = () => chunk.substitution(slot, types[slot] ?? 0)
            chunk.element('Data', { ...NONE, attributes }, value)
          })
        })
      chunk.instance(
        key,
        body,
        data.map(([, value]) => value),
      )
      chunk.u8(0)
    },
  }
}

function text(type: 'guid' | 'sid' | 'string', value: string | undefined): EvtxValue {
  return value === undefined ? { type: 'null' } : { type, value }
}

/** The record of an event. */
function recordOf(event: EvtxEvent): EvtxRecord {
  const { qualifiers } = event
  const values: readonly EvtxValue[] = [
    { type: 'uint8', value: event.level ?? 4 },
    { type: 'uint8', value: event.opcode ?? 0 },
    { type: 'uint16', value: event.task ?? 0 },
    { type: 'uint16', value: event.eventId },
    qualifiers === undefined ? { type: 'null' } : { type: 'uint16', value: qualifiers },
    { type: 'hexint64', value: event.keywords ?? 0x8000000000000000n },
    { type: 'filetime', value: event.time },
    text('guid', event.activityId),
    { type: 'uint32', value: event.processId ?? 0 },
    { type: 'uint32', value: event.threadId ?? 0 },
    { type: 'uint64', value: BigInt(event.recordId) },
    { type: 'uint8', value: event.version ?? 0 },
    text('sid', event.userSid),
    text('guid', event.relatedActivityId),
    text('string', event.provider),
    text('guid', event.providerGuid),
    text('string', event.channel),
    dataValue(event),
  ]
  return {
    recordId: event.recordId,
    time: event.time,
    write: (chunk) => {
      chunk.header()
      const { computer } = event
      chunk.instance(`system ${computer}`, () => systemTemplate(chunk, computer), values)
      chunk.u8(0)
    },
  }
}

class Log {
  private readonly chunks: Buffer[] = []
  private chunk = new ChunkWriter()
  private first: EvtxRecord | undefined
  private last: EvtxRecord | undefined
  private lastOffset = 0
  /** Records written, and those of them in closed chunks. */
  private count = 0
  private closed = 0

  add(record: EvtxRecord): void {
    const head = Buffer.from(this.chunk.bytes.subarray(0, 512))
    const start = this.chunk.at
    try {
      this.write(record)
    } catch (error) {
      if (!(error instanceof ChunkFull) || this.first === undefined) throw error
      this.chunk.bytes.set(head, 0)
      this.chunk.bytes.fill(0, start)
      this.chunk.at = start
      this.close()
      this.write(record)
    }
    this.first ??= record
    this.last = record
    this.count++
  }

  private write(record: EvtxRecord): void {
    const { chunk } = this
    const start = chunk.at
    chunk.u32(0x2a2a)
    chunk.u32(0)
    chunk.u64(BigInt(record.recordId))
    chunk.u64(fileTime(record.time))
    record.write(chunk)
    while ((chunk.at - start + 4) % 8 !== 0) chunk.u8(0)
    const size = chunk.at - start + 4
    chunk.u32(size)
    chunk.bytes.writeUInt32LE(size, start + 4)
    this.lastOffset = start
  }

  private close(): void {
    const { first, last } = this
    if (first === undefined || last === undefined) return
    const { bytes, at } = this.chunk
    bytes.write('ElfChnk\0', 0, 'latin1')
    bytes.writeBigUInt64LE(BigInt(this.closed + 1), 8)
    bytes.writeBigUInt64LE(BigInt(this.count), 16)
    bytes.writeBigUInt64LE(BigInt(first.recordId), 24)
    bytes.writeBigUInt64LE(BigInt(last.recordId), 32)
    bytes.writeUInt32LE(128, 40)
    bytes.writeUInt32LE(this.lastOffset, 44)
    bytes.writeUInt32LE(at, 48)
    bytes.writeUInt32LE(crc32(bytes.subarray(512, at)), 52)
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 120), bytes.subarray(128, 512)), 124)
    this.chunks.push(bytes)
    this.closed = this.count
    this.chunk = new ChunkWriter()
    this.first = undefined
    this.last = undefined
  }

  finish(nextRecord: number): Uint8Array {
    this.close()
    const header = Buffer.alloc(FILE_HEADER)
    header.write('ElfFile\0', 0, 'latin1')
    header.writeBigUInt64LE(BigInt(Math.max(0, this.chunks.length - 1)), 16)
    header.writeBigUInt64LE(BigInt(nextRecord), 24)
    header.writeUInt32LE(128, 32)
    header.writeUInt16LE(1, 36)
    header.writeUInt16LE(3, 38)
    header.writeUInt16LE(FILE_HEADER, 40)
    header.writeUInt16LE(this.chunks.length, 42)
    header.writeUInt32LE(crc32(header.subarray(0, 120)), 124)
    return new Uint8Array(Buffer.concat([header, ...this.chunks]))
  }
}

/** The log of some records, in the order given. Throws when a record is larger than a chunk. */
export function writeRecords(records: readonly EvtxRecord[]): Uint8Array {
  const log = new Log()
  for (const record of records) log.add(record)
  return log.finish(Math.max(0, ...records.map((each) => each.recordId)) + 1)
}

/** The log of some events, in the order given. Throws when an event is larger than a chunk. */
export function writeEvtx(events: readonly EvtxEvent[]): Uint8Array {
  return writeRecords(events.map(recordOf))
}
