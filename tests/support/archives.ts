/** Writes small archives for tests, also such as no honest tool would write. */
import { deflateRawSync } from 'node:zlib'
import { crc32 } from '../../src/ingest/inflate.ts'

export interface Entry {
  readonly name: string
  readonly data: Uint8Array
}

export interface ZipEntry extends Entry {
  /** 8 unless told otherwise; 0 is stored. */
  readonly method?: number
  readonly flags?: number
  /** Stated in place of the true values. */
  readonly size?: number
  readonly crc?: number
  readonly packed?: Uint8Array
  readonly unixMode?: number
}

function numbers(...parts: readonly (readonly [number, number])[]): Buffer {
  return Buffer.concat(
    parts.map(([value, bytes]) => {
      const buffer = Buffer.alloc(bytes)
      if (bytes === 8) buffer.writeBigUInt64LE(BigInt(value))
      else buffer.writeUIntLE(value, 0, bytes)
      return buffer
    }),
  )
}

/** A zip archive. With `wide`, sizes and the directory are written in the 64-bit way. */
export function zip(
  entries: readonly ZipEntry[],
  options: {
    readonly wide?: boolean
    readonly prefix?: Uint8Array
    readonly comment?: string
  } = {},
): Buffer {
  const { wide = false, prefix = Buffer.alloc(0), comment = '' } = options
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const { name, data, method = 8, flags = 0, size, crc, packed, unixMode = 0 } of entries) {
    const body = packed ?? (method === 8 ? deflateRawSync(data) : data)
    const title = Buffer.from(name)
    const checksum = crc ?? crc32(data)
    const length = size ?? data.length
    const small = (value: number): number => (wide ? 0xffffffff : value)
    const local = Buffer.concat([
      numbers([0x04034b50, 4], [20, 2], [flags, 2], [method, 2], [0, 4], [checksum, 4]),
      numbers([body.length, 4], [length, 4], [title.length, 2], [0, 2]),
      title,
      body,
    ])
    const extra = wide
      ? numbers([1, 2], [24, 2], [length, 8], [body.length, 8], [offset, 8])
      : Buffer.alloc(0)
    directory.push(
      Buffer.concat([
        numbers([0x02014b50, 4], [20, 1], [3, 1], [20, 2], [flags, 2], [method, 2], [0, 4]),
        numbers([checksum, 4], [small(body.length), 4], [small(length), 4], [title.length, 2]),
        numbers([extra.length, 2], [0, 2], [0, 2], [0, 2], [unixMode * 65_536, 4]),
        numbers([small(offset), 4]),
        title,
        extra,
      ]),
    )
    parts.push(local)
    offset += local.length
  }
  const list = Buffer.concat(directory)
  const count = entries.length
  const end64 = wide
    ? Buffer.concat([
        numbers([0x06064b50, 4], [44, 8], [45, 2], [45, 2], [0, 4], [0, 4], [count, 8], [count, 8]),
        numbers([list.length, 8], [offset, 8]),
        numbers([0x07064b50, 4], [0, 4], [offset + list.length, 8], [1, 4]),
      ])
    : Buffer.alloc(0)
  const note = Buffer.from(comment)
  const stated = wide ? 0xffff : count
  const end = Buffer.concat([
    numbers([0x06054b50, 4], [0, 4], [stated, 2], [stated, 2]),
    numbers([wide ? 0xffffffff : list.length, 4], [wide ? 0xffffffff : offset, 4]),
    numbers([note.length, 2]),
    note,
  ])
  return Buffer.concat([prefix, ...parts, list, end64, end])
}

/** A tar header block with its checksum. */
export function tarHeader(name: string, size: number | string, type = '0', link = ''): Buffer {
  const block = Buffer.alloc(512)
  block.write(name.slice(0, 100), 0, 'utf8')
  block.write('0000644\0', 100)
  block.write(typeof size === 'string' ? size : `${size.toString(8).padStart(11, '0')}\0`, 124)
  block.write('        ', 148)
  block.write(type, 156)
  block.write(link, 157)
  block.write('ustar\x0000', 257)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

function padded(data: Uint8Array): Buffer {
  return Buffer.concat([data, Buffer.alloc((512 - (data.length % 512)) % 512)])
}

/** One member with its header; `type` as tar has it. */
export function tarEntry(name: string, data: Uint8Array | string, type = '0'): Buffer {
  const bytes = Buffer.from(data)
  return Buffer.concat([tarHeader(name, bytes.length, type), padded(bytes)])
}

/** A tar archive of regular files. */
export function tar(entries: readonly Entry[]): Buffer {
  return Buffer.concat([
    ...entries.map(({ name, data }) => tarEntry(name, data)),
    Buffer.alloc(1_024),
  ])
}

/** A pax header that gives the next member a name. */
export function paxName(name: string): Buffer {
  const record = ` path=${name}\n`
  let length = Buffer.byteLength(record) + 2
  while (Buffer.byteLength(`${length}${record}`) !== length) length++
  return tarEntry('pax', `${length}${record}`, 'x')
}

/** A zstd frame of stored blocks, or of one byte repeated in each block. */
export function zstdFrame(
  blocks: readonly (Uint8Array | { readonly byte: number; readonly count: number })[],
  options: {
    readonly windowLog?: number
    readonly checksum?: boolean
    readonly dictionary?: boolean
  } = {},
): Buffer {
  const { windowLog = 17, checksum = false, dictionary = false } = options
  const descriptor = (checksum ? 4 : 0) | (dictionary ? 1 : 0)
  const parts = [
    numbers([0xfd2fb528, 4], [descriptor, 1], [(windowLog - 10) << 3, 1]),
    ...(dictionary ? [Buffer.from([7])] : []),
  ]
  blocks.forEach((block, at) => {
    const last = at === blocks.length - 1 ? 1 : 0
    if (block instanceof Uint8Array) {
      parts.push(numbers([last | (block.length << 3), 3]), Buffer.from(block))
    } else parts.push(numbers([last | 2 | (block.count << 3), 3], [block.byte, 1]))
  })
  if (checksum) parts.push(Buffer.alloc(4))
  return Buffer.concat(parts)
}
