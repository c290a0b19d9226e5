/**
 * Writes binary event XML into one EVTX chunk of 64 KiB: names, templates, elements and typed values (MS-EVEN6
 * 2.2.12). For tests and samples; the same calls always give the same bytes.
 */
import type { Instant } from '../src/core/time.ts'

export const CHUNK = 65_536
const CHUNK_HEADER = 512
const NO_DEPENDENCY = 0xffff

/** A typed value of an event. `array` repeats the element that it stands in. */
export type EvtxValue =
  | { readonly type: 'null' }
  | { readonly type: 'string' | 'ansi' | 'guid' | 'sid'; readonly value: string }
  | {
      readonly type: 'int8' | 'uint8' | 'int16' | 'uint16' | 'int32' | 'uint32' | 'hexint32'
      readonly value: number
    }
  | { readonly type: 'int64' | 'uint64' | 'hexint64' | 'sizet'; readonly value: bigint }
  | { readonly type: 'real32' | 'real64'; readonly value: number }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'binary'; readonly value: Uint8Array }
  | { readonly type: 'filetime' | 'systemtime'; readonly value: Instant }
  | { readonly type: 'array'; readonly values: readonly EvtxValue[] }
  | { readonly type: 'xml'; readonly write: (chunk: ChunkWriter) => void }

const TYPE_NUMBERS = {
  null: 0x00,
  string: 0x01,
  ansi: 0x02,
  int8: 0x03,
  uint8: 0x04,
  int16: 0x05,
  uint16: 0x06,
  int32: 0x07,
  uint32: 0x08,
  int64: 0x09,
  uint64: 0x0a,
  real32: 0x0b,
  real64: 0x0c,
  bool: 0x0d,
  binary: 0x0e,
  guid: 0x0f,
  sizet: 0x10,
  filetime: 0x11,
  systemtime: 0x12,
  sid: 0x13,
  hexint32: 0x14,
  hexint64: 0x15,
  xml: 0x21,
} as const

/** Type number of a value; arrays have bit 0x80. */
export function typeNumber(value: EvtxValue): number {
  if (value.type !== 'array') return TYPE_NUMBERS[value.type]
  const [first] = value.values
  return 0x80 | (first === undefined ? TYPE_NUMBERS.string : typeNumber(first))
}

/** FILETIME ticks of an instant. */
export function fileTime(time: Instant): bigint {
  return (BigInt(time.ms) + 11_644_473_600_000n) * 10_000n + BigInt(time.sub)
}

/** The chunk has no room left; the record must go to the next one. */
export class ChunkFull extends Error {}

function nameHash(name: string): number {
  let hash = 0
  for (let i = 0; i < name.length; i++) {
    hash = (Math.imul(hash, 65_599) + name.charCodeAt(i)) >>> 0
  }
  return hash & 0xffff
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value
})

/** CRC-32 of some parts, as if they were one. */
export function crc32(...parts: readonly Uint8Array[]): number {
  let crc = 0xffffffff
  for (const part of parts) {
    for (const byte of part) crc = (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8)
  }
  return (crc ^ 0xffffffff) >>> 0
}

/** An element to be written. Attribute values are written by functions, so that they may be substitutions. */
export interface ElementParts {
  /** Within a template: number of the value the element depends on, or `none`. Absent outside of templates. */
  readonly dependency?: number | 'none'
  readonly attributes?: readonly (readonly [name: string, write: () => void])[]
}

export class ChunkWriter {
  readonly bytes: Buffer = Buffer.alloc(CHUNK)
  /** Offset of the next byte. */
  at = CHUNK_HEADER
  private names = new Map<string, number>()
  private templates = new Map<string, number>()

  u8(value: number): void {
    this.bytes[this.room(1)] = value & 0xff
  }

  u16(value: number): void {
    this.bytes.writeUInt16LE(value & 0xffff, this.room(2))
  }

  u32(value: number): void {
    this.bytes.writeUInt32LE(value >>> 0, this.room(4))
  }

  u64(value: bigint): void {
    this.bytes.writeBigUInt64LE(BigInt.asUintN(64, value), this.room(8))
  }

  raw(data: Uint8Array): void {
    this.bytes.set(data, this.room(data.length))
  }

  utf16(text: string): void {
    this.raw(Buffer.from(text, 'utf16le'))
  }

  private room(size: number): number {
    const { at } = this
    if (at + size > CHUNK) throw new ChunkFull(`the chunk has no ${size} bytes left`)
    this.at = at + size
    return at
  }

  /** Writes a 32-bit size in front of what `write` writes. */
  private sized(write: () => void): void {
    const at = this.room(4)
    write()
    this.bytes.writeUInt32LE(this.at - at - 4, at)
  }

  /** A reference to a name, with the name itself when it is the first time in this chunk. */
  name(text: string): void {
    const known = this.names.get(text)
    this.u32(known ?? this.at + 4)
    if (known !== undefined) return
    const hash = nameHash(text)
    const table = 128 + 4 * (hash % 64)
    this.names.set(text, this.at)
    const next = this.bytes.readUInt32LE(table)
    this.bytes.writeUInt32LE(this.at, table)
    this.u32(next)
    this.u16(hash)
    this.u16(text.length)
    this.utf16(text)
    this.u16(0)
  }

  header(): void {
    this.raw(Uint8Array.of(0x0f, 1, 1, 0))
  }

  /** An element; without `content` it closes itself. */
  element(name: string, parts: ElementParts, content?: () => void): void {
    const { dependency, attributes = [] } = parts
    this.u8(attributes.length > 0 ? 0x41 : 0x01)
    if (dependency !== undefined) this.u16(dependency === 'none' ? NO_DEPENDENCY : dependency)
    this.sized(() => {
      this.name(name)
      if (attributes.length > 0) {
        this.sized(() => {
          attributes.forEach(([attribute, write], index) => {
            this.u8(index < attributes.length - 1 ? 0x46 : 0x06)
            this.name(attribute)
            write()
          })
        })
      }
      if (content === undefined) this.u8(0x03)
      else {
        this.u8(0x02)
        content()
        this.u8(0x04)
      }
    })
  }

  text(value: string): void {
    this.raw(Uint8Array.of(0x05, TYPE_NUMBERS.string))
    this.u16(value.length)
    this.utf16(value)
  }

  cdata(value: string): void {
    this.u8(0x07)
    this.u16(value.length)
    this.utf16(value)
  }

  charRef(code: number): void {
    this.u8(0x08)
    this.u16(code)
  }

  entityRef(name: string): void {
    this.u8(0x09)
    this.name(name)
  }

  instruction(target: string, data: string): void {
    this.u8(0x0a)
    this.name(target)
    this.u8(0x0b)
    this.u16(data.length)
    this.utf16(data)
  }

  substitution(slot: number, type: number, isOptional = false): void {
    this.u8(isOptional ? 0x0e : 0x0d)
    this.u16(slot)
    this.u8(type)
  }

  /**
   * A template instance: the definition, when `key` is new in this chunk, or a reference to it, and the values.
   * `body` writes the elements of the definition.
   */
  instance(key: string, body: () => void, values: readonly EvtxValue[]): void {
    const id = Buffer.alloc(16)
    for (let i = 0; i < 4; i++) id.writeUInt32LE(crc32(Buffer.from(`${i} ${key}`)), 4 * i)
    this.raw(Uint8Array.of(0x0c, 1))
    this.raw(id.subarray(0, 4))
    const known = this.templates.get(key)
    this.u32(known ?? this.at + 4)
    if (known === undefined) {
      const table = 384 + 4 * (id.readUInt32LE(0) % 32)
      this.templates.set(key, this.at)
      const next = this.bytes.readUInt32LE(table)
      this.bytes.writeUInt32LE(this.at, table)
      this.u32(next)
      this.raw(id)
      this.sized(() => {
        this.header()
        body()
        this.u8(0)
      })
    }
    this.values(values)
  }

  private values(values: readonly EvtxValue[]): void {
    this.u32(values.length)
    const specs = this.room(4 * values.length)
    values.forEach((value, index) => {
      const before = this.at
      this.value(value)
      const size = this.at - before
      this.bytes.writeUInt16LE(size, specs + 4 * index)
      this.bytes[specs + 4 * index + 2] = typeNumber(value)
    })
  }

  private value(value: EvtxValue, isItem = false): void {
    switch (value.type) {
      case 'null':
        return
      case 'string':
        this.utf16(isItem ? `${value.value}\0` : value.value)
        return
      case 'ansi':
        this.raw(Buffer.from(isItem ? `${value.value}\0` : value.value, 'latin1'))
        return
      case 'array':
        for (const each of value.values) this.value(each, true)
        return
      case 'xml':
        value.write(this)
        return
      case 'binary':
        this.raw(value.value)
        return
      case 'guid':
        this.guid(value.value)
        return
      case 'sid':
        this.sid(value.value)
        return
      default:
        this.fixed(value)
    }
  }

  private fixed(
    value: Exclude<
      EvtxValue,
      { type: 'null' | 'string' | 'ansi' | 'guid' | 'sid' | 'array' | 'xml' | 'binary' }
    >,
  ): void {
    if (value.type === 'int8' || value.type === 'uint8') this.u8(value.value)
    else if (value.type === 'int16' || value.type === 'uint16') this.u16(value.value)
    else if (value.type === 'int32' || value.type === 'uint32' || value.type === 'hexint32')
      this.u32(value.value)
    else if (value.type === 'real32') this.bytes.writeFloatLE(value.value, this.room(4))
    else if (value.type === 'real64') this.bytes.writeDoubleLE(value.value, this.room(8))
    else if (value.type === 'bool') this.u32(value.value ? 1 : 0)
    else if (value.type === 'filetime') this.u64(fileTime(value.value))
    else if (value.type === 'systemtime') this.systemTime(value.value)
    else if (typeof value.value === 'bigint') this.u64(value.value)
  }

  private guid(text: string): void {
    const hex = text.replace(/[{}-]/g, '')
    if (!/^[0-9a-fA-F]{32}$/.test(hex)) throw new RangeError(`"${text}" is no GUID`)
    const bytes = Buffer.from(hex, 'hex')
    bytes.subarray(0, 4).reverse()
    bytes.subarray(4, 6).reverse()
    bytes.subarray(6, 8).reverse()
    this.raw(bytes)
  }

  private sid(text: string): void {
    const [letter, revision, authority, ...parts] = text.split('-')
    if (letter !== 'S' || authority === undefined) throw new RangeError(`"${text}" is no SID`)
    this.u8(Number(revision))
    this.u8(parts.length)
    const bytes = Buffer.alloc(6)
    bytes.writeUIntBE(Number(authority), 0, 6)
    this.raw(bytes)
    for (const part of parts) this.u32(Number(part))
  }

  private systemTime(time: Instant): void {
    const date = new Date(time.ms)
    this.u16(date.getUTCFullYear())
    this.u16(date.getUTCMonth() + 1)
    this.u16(date.getUTCDay())
    this.u16(date.getUTCDate())
    this.u16(date.getUTCHours())
    this.u16(date.getUTCMinutes())
    this.u16(date.getUTCSeconds())
    this.u16(date.getUTCMilliseconds())
  }
}
