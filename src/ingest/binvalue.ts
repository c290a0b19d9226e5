/**
 * The typed values of binary event XML (MS-EVEN6 2.2.12 and 3.1.4.7.3) as the texts that Windows shows. Takes a
 * place in a chunk with size and type; every read is checked against the chunk by the caller's bounds or here.
 */
import { type Instant, instantOfFiletime, printInstant } from '../core/time.ts'
import { ESCAPES } from './xml.ts'

/** Type numbers of values. Bit 0x80 makes an array of the type. */
export const BIN_TYPE = {
  empty: 0x00,
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
  sizeT: 0x10,
  fileTime: 0x11,
  systemTime: 0x12,
  sid: 0x13,
  hexInt32: 0x14,
  hexInt64: 0x15,
  xml: 0x21,
  array: 0x80,
} as const

/** A record that cannot be read; caught where records are read, never outside the decoder. */
export class BinFault extends Error {}

/** Sizes that a value of a fixed-size type may have. Windows stores a bool in four bytes. */
const SIZES: ReadonlyMap<number, readonly number[]> = new Map([
  [BIN_TYPE.int8, [1]],
  [BIN_TYPE.uint8, [1]],
  [BIN_TYPE.int16, [2]],
  [BIN_TYPE.uint16, [2]],
  [BIN_TYPE.int32, [4]],
  [BIN_TYPE.uint32, [4]],
  [BIN_TYPE.int64, [8]],
  [BIN_TYPE.uint64, [8]],
  [BIN_TYPE.real32, [4]],
  [BIN_TYPE.real64, [8]],
  [BIN_TYPE.bool, [4, 1, 2, 8]],
  [BIN_TYPE.guid, [16]],
  [BIN_TYPE.sizeT, [8, 4]],
  [BIN_TYPE.fileTime, [8]],
  [BIN_TYPE.systemTime, [16]],
  [BIN_TYPE.hexInt32, [4]],
  [BIN_TYPE.hexInt64, [8]],
])

const UPPER = '0123456789ABCDEF'
const TWO_32 = 4_294_967_296

/** Order of the bytes of a GUID in its text; -1 is a dash. */
const GUID_ORDER = [3, 2, 1, 0, -1, 5, 4, -1, 7, 6, -1, 8, 9, -1, 10, 11, 12, 13, 14, 15]

const windows1252 = new TextDecoder('windows-1252')

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0')
}

/** A decimal number without exponent and with at least one digit on each side of the point. */
function decimal(value: number, isSingle: boolean): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value < 0 ? '-INF' : 'INF'
  let text = String(value)
  if (isSingle) {
    for (let digits = 1; digits <= 9; digits++) {
      text = value.toPrecision(digits)
      if (Math.fround(Number(text)) === value) break
    }
    text = String(Number(text))
  }
  const [mantissa = '0', exponent] = text.split('e')
  if (exponent !== undefined) text = shifted(mantissa, Number(exponent))
  if (Object.is(value, -0)) text = '-0'
  return text.includes('.') ? text : `${text}.0`
}

function shifted(mantissa: string, exponent: number): string {
  const sign = mantissa.startsWith('-') ? '-' : ''
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.')
  const digits = whole + fraction
  const point = whole.length + exponent
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  if (point >= digits.length) return `${sign}${digits}${'0'.repeat(point - digits.length)}`
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
}

/** Reads the values of one chunk after another. */
export class BinValues {
  private bytes: Buffer = Buffer.alloc(0)
  private view: DataView = new DataView(new ArrayBuffer(0))
  private readonly scratch: Buffer = Buffer.allocUnsafe(65_536)
  private second = Number.NaN
  private secondText = ''
  /** What escaping the text given last needs, as in `ESCAPES`. */
  needs = 0
  /** Instant of the FILETIME given last. */
  instant: Instant = { ms: 0, sub: 0 }

  /** Takes the next chunk; `bytes` may hold at most 64 KiB. */
  use(bytes: Buffer): void {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** UTF-16 text of `chars` units. */
  units(at: number, chars: number): string {
    const { bytes, scratch } = this
    let high = 0
    let needs = 0
    for (let i = 0, p = at; i < chars; i++, p += 2) {
      const low = bytes[p] ?? 0
      high |= bytes[p + 1] ?? 0
      scratch[i] = low
      needs |= ESCAPES[low] ?? 0
    }
    this.needs = needs
    return high === 0
      ? scratch.toString('latin1', 0, chars)
      : bytes.toString('utf16le', at, at + 2 * chars)
  }

  /** UTF-16 text of a value: one terminating zero is no part of it. */
  private string(at: number, size: number): string {
    let chars = size >> 1
    if ((size & 1) !== 0) throw new BinFault(`a text of ${size} bytes`)
    const end = at + size
    if (chars > 0 && this.bytes[end - 1] === 0 && this.bytes[end - 2] === 0) chars--
    return this.units(at, chars)
  }

  private ansi(at: number, size: number): string {
    const length = size > 0 && this.bytes[at + size - 1] === 0 ? size - 1 : size
    this.needs = 3
    return windows1252.decode(this.bytes.subarray(at, at + length))
  }

  private long(at: number, isSigned: boolean): string {
    const low = this.view.getUint32(at, true)
    const high = this.view.getUint32(at + 4, true)
    if (high < 0x200000) return String(high * TWO_32 + low)
    return String(isSigned ? this.view.getBigInt64(at, true) : this.view.getBigUint64(at, true))
  }

  private hex(at: number, size: number): string {
    const low = this.view.getUint32(at, true)
    const high = size === 8 ? this.view.getUint32(at + 4, true) : 0
    if (high === 0) return `0x${low.toString(16)}`
    return `0x${high.toString(16)}${low.toString(16).padStart(8, '0')}`
  }

  private binary(at: number, size: number): string {
    return this.bytes.toString('hex', at, at + size).toUpperCase()
  }

  private guid(at: number): string {
    const { bytes, scratch } = this
    let out = 0
    scratch[out++] = 123
    for (const offset of GUID_ORDER) {
      if (offset < 0) scratch[out++] = 45
      else {
        const byte = bytes[at + offset] ?? 0
        scratch[out++] = UPPER.charCodeAt(byte >> 4)
        scratch[out++] = UPPER.charCodeAt(byte & 15)
      }
    }
    scratch[out++] = 125
    return scratch.toString('latin1', 0, out)
  }

  private sid(at: number, size: number): string {
    const count = size < 8 ? 0 : (this.bytes[at + 1] ?? 0)
    if (size !== 8 + 4 * count) throw new BinFault(`a security identifier of ${size} bytes`)
    const high = this.view.getUint16(at + 2, false)
    const low = this.view.getUint32(at + 4, false)
    const authority = high === 0 ? String(low) : `0x${(high * TWO_32 + low).toString(16)}`
    let text = `S-${this.bytes[at] ?? 0}-${authority}`
    for (let i = 0; i < count; i++) text += `-${this.view.getUint32(at + 8 + 4 * i, true)}`
    return text
  }

  private fileTime(at: number): string {
    const instant = instantOfFiletime(
      this.view.getUint32(at, true),
      this.view.getUint32(at + 4, true),
    )
    this.instant = instant
    const { ms, sub } = instant
    const second = Math.floor(ms / 1000)
    if (second !== this.second) {
      this.second = second
      this.secondText = printInstant({ ms: second * 1000, sub: 0 }).slice(0, -8)
    }
    const ticks = (ms - second * 1000) * 10_000 + sub
    return `${this.secondText}${String(10_000_000 + ticks).slice(1)}Z`
  }

  private systemTime(at: number): string {
    const part = (index: number, width: number): string =>
      pad(this.view.getUint16(at + 2 * index, true), width)
    const date = `${part(0, 4)}-${part(1, 2)}-${part(3, 2)}`
    return `${date}T${part(4, 2)}:${part(5, 2)}:${part(6, 2)}.${part(7, 3)}0000Z`
  }

  private isTrue(at: number, size: number): boolean {
    for (let i = 0; i < size; i++) if (this.bytes[at + i] !== 0) return true
    return false
  }

  /** Bytes that a value of a fixed-size type takes, or undefined for other types. */
  inlineSize(type: number): number | undefined {
    return SIZES.get(type)?.[0]
  }

  /**
   * Text of a value that is no array and no nested XML. The caller has checked that it lies within the chunk.
   * A value of no bytes is an empty text whatever its type.
   */
  text(at: number, size: number, type: number): string {
    if (type === BIN_TYPE.string) return this.string(at, size)
    this.needs = 0
    if (size === 0) return ''
    if (type === BIN_TYPE.ansi) return this.ansi(at, size)
    if (type === BIN_TYPE.binary) return this.binary(at, size)
    if (type === BIN_TYPE.sid) return this.sid(at, size)
    const sizes = SIZES.get(type)
    if (sizes === undefined) throw new BinFault(`a value of type 0x${type.toString(16)}`)
    if (size !== sizes[0] && !sizes.includes(size)) {
      throw new BinFault(`a value of type 0x${type.toString(16)} with ${size} bytes`)
    }
    return this.fixed(at, size, type)
  }

  private fixed(at: number, size: number, type: number): string {
    const { view } = this
    switch (type) {
      case BIN_TYPE.int8:
        return String(view.getInt8(at))
      case BIN_TYPE.uint8:
        return String(view.getUint8(at))
      case BIN_TYPE.int16:
        return String(view.getInt16(at, true))
      case BIN_TYPE.uint16:
        return String(view.getUint16(at, true))
      case BIN_TYPE.int32:
        return String(view.getInt32(at, true))
      case BIN_TYPE.uint32:
        return String(view.getUint32(at, true))
      case BIN_TYPE.int64:
        return this.long(at, true)
      case BIN_TYPE.uint64:
        return this.long(at, false)
      case BIN_TYPE.real32:
        return decimal(view.getFloat32(at, true), true)
      case BIN_TYPE.real64:
        return decimal(view.getFloat64(at, true), false)
      case BIN_TYPE.bool:
        return this.isTrue(at, size) ? 'true' : 'false'
      case BIN_TYPE.guid:
        return this.guid(at)
      case BIN_TYPE.fileTime:
        return this.fileTime(at)
      case BIN_TYPE.systemTime:
        return this.systemTime(at)
      default:
        return this.hex(at, size)
    }
  }

  /** Where the items of an array lie: pairs of place and size, in order. */
  items(at: number, size: number, type: number): number[] {
    const { bytes } = this
    const end = at + size
    const out: number[] = []
    if (type === BIN_TYPE.string || type === BIN_TYPE.ansi) {
      const width = type === BIN_TYPE.string ? 2 : 1
      let start = at
      for (let p = at; p + width <= end; p += width) {
        if (bytes[p] !== 0 || (width === 2 && bytes[p + 1] !== 0)) continue
        out.push(start, p - start)
        start = p + width
      }
      if (start < end) out.push(start, end - start)
      return out
    }
    for (let p = at; p < end; ) {
      const width = type === BIN_TYPE.sid ? 8 + 4 * (bytes[p + 1] ?? 0) : SIZES.get(type)?.[0]
      if (width === undefined) throw new BinFault(`an array of type 0x${type.toString(16)}`)
      if (p + width > end)
        throw new BinFault(`an array of ${size} bytes of type 0x${type.toString(16)}`)
      out.push(p, width)
      p += width
    }
    return out
  }
}
