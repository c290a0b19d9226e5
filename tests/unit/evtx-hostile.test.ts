import { describe, expect, it } from 'vitest'
import { limits } from '../../src/core/limits.ts'
import { evtx } from '../../src/ingest/evtx.ts'
import { eventXmlReader } from '../../src/ingest/winxml.ts'
import type { ChunkWriter, EvtxValue } from '../../tools/binxml-writer.ts'
import { type EvtxEvent, writeEvtx, writeRecords } from '../../tools/evtx-writer.ts'
import { type Decoded, decodeAll, fieldsOf } from '../support/decoding.ts'

const CHUNK = 65_536
const TIME = { ms: Date.UTC(2026, 0, 2), sub: 0 }
const NONE = { dependency: 'none' } as const

function text(value: string): EvtxValue {
  return { type: 'string', value }
}

function sample(recordId: number): EvtxEvent {
  return {
    provider: 'Provider',
    eventId: recordId % 7,
    time: { ms: TIME.ms + recordId, sub: recordId },
    recordId,
    channel: 'Security',
    computer: 'HOST',
    userSid: 'S-1-5-18',
    data: [
      ['CommandLine', text(`command ${recordId} <&> ${'y'.repeat(recordId % 300)}`)],
      ['Access', { type: 'hexint32', value: 0x1410 }],
      ['List', { type: 'array', values: [text('a'), text('b')] }],
      ['Guid', { type: 'guid', value: '{5770385F-C22A-43E0-BF4C-06F5698FFBD9}' }],
    ],
  }
}

/** A log of 30 records, and the bytes of its chunk that are in use. */
const SHORT = Buffer.from(writeEvtx(Array.from({ length: 30 }, (_, index) => sample(index + 1))))
const USED = SHORT.readUInt32LE(4096 + 48)

const COUNT = 350
const LOG = Buffer.from(writeEvtx(Array.from({ length: COUNT }, (_, index) => sample(index + 1))))

/** Decodes, and checks what holds for any input. */
async function decoded(bytes: Uint8Array, recover = true): Promise<Decoded> {
  const result = await decodeAll(evtx, bytes, undefined, { recover })
  for (const { code, reason, place } of [...result.rejects, ...result.damage]) {
    expect(code).toMatch(/^HR10\d$/)
    expect(reason).not.toContain('internal')
    expect(place).toMatch(/offset 0x[0-9a-f]+/)
  }
  const read = eventXmlReader()
  for (const event of result.events) {
    const again = read(event.raw)
    const isEqual =
      again.damage === undefined &&
      JSON.stringify([again.names, again.values]) === JSON.stringify([event.names, event.values])
    if (!isEqual) expect([again, event]).toEqual('the same')
    if (event.raw.length > 2 * limits.eventXmlChars) expect(event.raw.length).toBe('less')
  }
  return result
}

function copy(): Buffer {
  return Buffer.from(LOG)
}

/** Offsets of the records of a chunk in the file. */
function recordsOf(bytes: Buffer, chunk: number): number[] {
  const start = 4096 + chunk * CHUNK
  const out: number[] = []
  for (let at = start + 512; bytes.readUInt32LE(at) === 0x2a2a; at += bytes.readUInt32LE(at + 4)) {
    out.push(at)
  }
  return out
}

function offset(values: readonly number[], index: number): number {
  const value = values[index]
  if (value === undefined) throw new RangeError(`no record ${index}`)
  return value
}

function numbers(result: Decoded): number[] {
  return result.events.map((event) => event.record)
}

const ALL = Array.from({ length: COUNT }, (_, index) => index + 1)

describe('headers', () => {
  it('holds several chunks', () => {
    expect(LOG.length).toBeGreaterThan(4096 + 3 * CHUNK)
  })

  it('needs no checksum and no right counts', async () => {
    const bytes = copy()
    bytes.fill(0, 16, 128)
    for (let at = 4096; at < bytes.length; at += CHUNK) {
      bytes.fill(0, at + 52, at + 56)
      bytes.fill(0xff, at + 120, at + 128)
    }
    const result = await decoded(bytes)
    expect([numbers(result), result.rejects, result.damage]).toEqual([ALL, [], []])
  })

  it('tells of a foreign file header and reads on', async () => {
    const bytes = copy()
    bytes.write('Nothing', 0, 'latin1')
    const result = await decoded(bytes)
    expect(result.damage.map((each) => each.code)).toEqual(['HR100'])
    expect(numbers(result)).toEqual(ALL)
  })

  it('reads a chunk cut out of a log', async () => {
    const result = await decoded(LOG.subarray(4096 + CHUNK, 4096 + 2 * CHUNK))
    expect(result.damage).toEqual([])
    expect(result.events.length).toBe(recordsOf(LOG, 1).length)
  })

  it('gives nothing for a file of a header only, and damage for an empty one', async () => {
    expect(await decoded(LOG.subarray(0, 4096))).toEqual({ events: [], rejects: [], damage: [] })
    expect((await decoded(new Uint8Array(0))).damage.map((each) => each.code)).toEqual(['HR100'])
  })

  it('goes on behind a chunk without its magic', async () => {
    const bytes = copy()
    bytes.write('ElfChnX', 4096 + CHUNK, 'latin1')
    const lost = recordsOf(LOG, 1).map((at) => LOG.readUInt32LE(at + 8))
    const result = await decoded(bytes)
    expect(result.damage).toEqual([
      {
        code: 'HR101',
        reason: 'there is no chunk header where a chunk should begin',
        place: 'chunk 2, offset 0x11000',
      },
    ])
    expect(numbers(result)).toEqual(ALL.filter((each) => !lost.includes(each)))
  })

  it('passes over unused chunks without a word', async () => {
    const bytes = Buffer.concat([
      LOG.subarray(0, 4096 + CHUNK),
      Buffer.alloc(2 * CHUNK),
      LOG.subarray(4096 + CHUNK),
    ])
    const result = await decoded(bytes)
    expect([numbers(result), result.rejects, result.damage]).toEqual([ALL, [], []])
  })
})

describe('records', () => {
  it('rejects a record of size zero and goes on with the next', async () => {
    const bytes = copy()
    const at = offset(recordsOf(LOG, 0), 5)
    bytes.writeUInt32LE(0, at + 4)
    const result = await decoded(bytes)
    expect(numbers(result)).toEqual(ALL.filter((each) => each !== 6))
    expect(result.rejects.length).toBe(1)
    expect(result.rejects[0]?.code).toBe('HR104')
    expect(result.rejects[0]?.place).toBe(`chunk 1, offset 0x${at.toString(16)}, record 6`)
    expect(result.rejects[0]?.raw).toMatch(/^2A2A/i)
  })

  it('ends the chunk at a record of size zero when it is not asked to recover', async () => {
    const bytes = copy()
    const records = recordsOf(LOG, 0)
    bytes.writeUInt32LE(0, offset(records, 5) + 4)
    const result = await decoded(bytes, false)
    const others = ALL.filter((each) => each <= 5 || each > records.length)
    expect(numbers(result)).toEqual(others)
    expect(result.rejects.map((each) => each.code)).toEqual(['HR104'])
  })

  it('keeps the number and the time of a record whose content was never written', async () => {
    const write = (chunk: ChunkWriter): void => chunk.header()
    const { events, rejects } = await decoded(writeRecords([{ recordId: 7, time: TIME, write }]))
    expect(rejects).toEqual([])
    expect(events).toMatchObject([
      { names: ['EventRecordID'], values: ['7'], time: TIME, record: 7 },
    ])
  })

  it('tells of bytes where a record should be', async () => {
    const bytes = copy()
    const at = offset(recordsOf(LOG, 0), 5)
    bytes.fill(0x41, at, at + 300)
    const result = await decoded(bytes)
    expect(result.damage.map((each) => each.code)).toEqual(['HR103'])
    expect(numbers(result).filter((each) => each > 10)).toEqual(ALL.filter((each) => each > 10))
  })

  it('tells of records that were overwritten with zeros', async () => {
    const bytes = copy()
    const at = offset(recordsOf(LOG, 0), 5)
    bytes.fill(0, at, 4096 + CHUNK)
    const result = await decoded(bytes)
    expect(result.damage.map((each) => each.code)).toEqual(['HR103'])
    bytes.writeUInt32LE(0, 4096 + 48)
    expect((await decoded(bytes)).damage).toEqual([])
  })

  it('takes no bytes within a value for a record', async () => {
    const fake = Buffer.from(LOG.subarray(offset(recordsOf(LOG, 0), 0), 4096 + 512 + 64))
    fake.writeUInt32LE(fake.length, 4)
    fake.writeUInt32LE(fake.length, fake.length - 4)
    const bytes = Buffer.from(
      writeEvtx([
        sample(100),
        { ...sample(101), data: [['V', { type: 'binary', value: Buffer.concat([fake, fake]) }]] },
        sample(102),
      ]),
    )
    const at = offset(recordsOf(bytes, 0), 1)
    bytes.writeUInt32LE(0, at + 4)
    expect(numbers(await decoded(bytes))).toEqual([100, 102])
  })

  it('reads records that the chunk header does not count yet, but none that are older', async () => {
    const bytes = copy()
    const records = recordsOf(LOG, 0)
    bytes.writeUInt32LE(offset(records, records.length - 3) - 4096, 4096 + 48)
    expect(numbers(await decoded(bytes))).toEqual(ALL)
    for (const at of records.slice(-2)) bytes.writeUInt32LE(3, at + 8)
    expect(numbers(await decoded(bytes)).length).toBe(COUNT - 2)
  })

  it('loses one record at most by a wrong size', async () => {
    for (const size of [1, 27, 28, 29, 700, 5000, 20_000, CHUNK, 0x7fffffff, 0xffffffff]) {
      const bytes = copy()
      bytes.writeUInt32LE(size, offset(recordsOf(LOG, 0), 9) + 4)
      const result = await decoded(bytes)
      const others = numbers(result).filter((each) => each !== 10)
      expect(others).toEqual(ALL.filter((each) => each !== 10))
      expect(result.rejects.length + result.damage.length).toBeGreaterThanOrEqual(1)
    }
  })

  it('tells of a record that was written in part, and gives what there is', async () => {
    const bytes = copy()
    const at = offset(recordsOf(LOG, 0), 9)
    bytes.fill(0, at + bytes.readUInt32LE(at + 4) - 8, at + bytes.readUInt32LE(at + 4))
    const result = await decoded(bytes)
    expect(numbers(result)).toEqual(ALL)
    expect(result.damage.map((each) => each.code)).toEqual(['HR105'])
  })
})

/** A log of good events with one record written by hand in the middle; gives the reason of its rejection. */
async function refusal(write: (chunk: ChunkWriter) => void): Promise<string> {
  const good = (recordId: number) => ({
    recordId,
    time: TIME,
    write: (chunk: ChunkWriter) => chunk.element('Event', {}, () => chunk.text('x')),
  })
  const result = await decoded(writeRecords([good(1), { recordId: 2, time: TIME, write }, good(3)]))
  expect(numbers(result)).toEqual([1, 3])
  expect(result.rejects.length).toBe(1)
  return result.rejects[0]?.reason ?? ''
}

describe('binary XML', () => {
  it('refuses tokens that do not belong', async () => {
    expect(await refusal((chunk) => chunk.u8(0x33))).toContain('token 51')
    expect(await refusal((chunk) => chunk.raw(Uint8Array.of(0x0c, 1, 0)))).toContain('cut off')
    const unknown = (chunk: ChunkWriter): void =>
      chunk.element('Event', {}, () => chunk.substitution(0, 1))
    expect(await refusal(unknown)).toContain('token 13')
  })

  it('refuses what is not one event', async () => {
    expect(await refusal((chunk) => chunk.element('Other', {}))).toContain('not one <Event>')
    const two = (chunk: ChunkWriter): void => {
      chunk.element('Event', {})
      chunk.element('Event', {})
    }
    expect(await refusal(two)).toContain('not one <Event>')
  })

  it('refuses names that are no XML names', async () => {
    for (const name of ['a b', 'a><b', "a='", '\u0000', '!x', '?x', 'a\n']) {
      const write = (chunk: ChunkWriter): void =>
        chunk.element('Event', {}, () => chunk.element(name, {}))
      expect(await refusal(write)).toContain('no XML name')
    }
  })

  it('refuses entities other than the five', async () => {
    const write = (chunk: ChunkWriter): void =>
      chunk.element('Event', {}, () => chunk.entityRef('xxe'))
    expect(await refusal(write)).toContain('entity')
  })

  it('refuses offsets and counts that leave the chunk', async () => {
    for (const at of [0xffffffff, 65_530, CHUNK]) {
      const name = (chunk: ChunkWriter): void => {
        chunk.u8(1)
        chunk.u32(8)
        chunk.u32(at)
        chunk.raw(new Uint8Array(16))
      }
      expect(await refusal(name)).toContain('no name')
      const template = (chunk: ChunkWriter): void => {
        chunk.raw(Uint8Array.of(0x0c, 1, 0, 0, 0, 0))
        chunk.u32(at)
        chunk.u32(0)
      }
      expect(await refusal(template)).toContain('no template')
    }
    const many = (chunk: ChunkWriter): void => {
      chunk.instance('x', () => chunk.element('Event', NONE), [])
      chunk.bytes.writeUInt32LE(0x40000000, chunk.at - 4)
    }
    expect(await refusal(many)).toContain('1073741824 values')
  })

  it('refuses a value that its instance lacks, or of a wrong size', async () => {
    const lacking = (chunk: ChunkWriter): void =>
      chunk.instance('x', () => chunk.element('Event', NONE, () => chunk.substitution(1, 1)), [
        text('a'),
      ])
    expect(await refusal(lacking)).toContain('value 1 of 1')
    const wrong = (chunk: ChunkWriter): void => {
      chunk.instance('x', () => chunk.element('Event', NONE, () => chunk.substitution(0, 8)), [
        { type: 'uint16', value: 7 },
      ])
      chunk.bytes[chunk.at - 4] = 0x08
    }
    expect(await refusal(wrong)).toContain('type 0x8 with 2 bytes')
  })

  it('refuses deep nesting, in elements and in values', async () => {
    const elements = (chunk: ChunkWriter, depth: number): void =>
      chunk.element('E', {}, depth === 0 ? undefined : () => elements(chunk, depth - 1))
    for (const depth of [63, 64, 500]) {
      const write = (chunk: ChunkWriter): void =>
        chunk.element('Event', {}, () => elements(chunk, depth))
      expect(await refusal(write)).toContain('64 levels')
    }
    const values = (depth: number): EvtxValue => ({
      type: 'xml',
      write: (chunk) => {
        const body = (): void => chunk.element('E', NONE, () => chunk.substitution(0, 0x21))
        chunk.instance('nest', body, [depth === 0 ? { type: 'null' } : values(depth - 1)])
      },
    })
    const write = (chunk: ChunkWriter): void => {
      const body = (): void => chunk.element('Event', NONE, () => chunk.substitution(0, 0x21))
      chunk.instance('outer', body, [values(100)])
    }
    expect(await refusal(write)).toContain('64 levels')
  })

  it('stops templates that multiply', async () => {
    const bomb = (depth: number): EvtxValue => ({
      type: 'xml',
      write: (chunk) => {
        const body = (): void =>
          chunk.element('E', NONE, () => {
            for (let i = 0; i < 50; i++) chunk.substitution(0, 0x21)
          })
        chunk.instance('bomb', body, [depth === 0 ? text('lol') : bomb(depth - 1)])
      },
    })
    const write = (chunk: ChunkWriter): void => {
      const body = (): void => chunk.element('Event', NONE, () => chunk.substitution(0, 0x21))
      chunk.instance('outer', body, [bomb(9)])
    }
    const start = performance.now()
    const records = Array.from({ length: 60 }, (_, index) => ({
      recordId: index + 1,
      time: TIME,
      write,
    }))
    const result = await decodeAll(evtx, writeRecords(records))
    expect(result.events).toEqual([])
    expect(result.rejects.length).toBe(60)
    expect(performance.now() - start).toBeLessThan(10_000)
  }, 30_000)

  it('stops arrays that multiply', async () => {
    const array: EvtxValue = { type: 'array', values: Array.from({ length: 3000 }, () => text('')) }
    const write = (chunk: ChunkWriter): void => {
      const body = (): void =>
        chunk.element('Event', NONE, () => {
          chunk.element('Data', NONE, () => {
            for (let slot = 0; slot < 3; slot++) chunk.substitution(slot, 0x81)
          })
        })
      chunk.instance('arrays', body, [array, array, array])
    }
    expect(await refusal(write)).toMatch(/expands to more than|too many elements/)
  })

  it('reads 3,000 levels of damage in templates without a full stack', async () => {
    const bytes = copy()
    for (let at = 4096 + 600; at < 4096 + 40_000; at += 8) {
      bytes.set([1, 0xff, 0xff, 0, 0, 0, 0, 0], at)
    }
    const result = await decoded(bytes)
    expect(result.events.length).toBeGreaterThan(0)
  })
})

/** A repeatable random number below `limit`. */
function random(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
}

describe('damage anywhere', () => {
  it('gives the records before the place where a file is cut off', async () => {
    const next = random(1)
    const places = [
      0,
      1,
      7,
      8,
      4095,
      4096,
      4097,
      4096 + 511,
      4096 + 512,
      4096 + 540,
      LOG.length - 1,
    ]
    for (let i = 0; i < 30; i++) places.push(next(LOG.length))
    for (const place of places) {
      const result = await decoded(LOG.subarray(0, place))
      const read = numbers(result)
      expect(read).toEqual(ALL.slice(0, read.length))
      const isWhole = place <= 4096 || (place - 4096) % CHUNK === 0
      if (!isWhole) expect(result.damage.at(-1)?.code).toBe('HR102')
    }
  })

  it('ends and never throws for bytes that were changed', async () => {
    let kept = 0
    for (let seed = 0; seed < 300; seed++) {
      const next = random(seed)
      const bytes = Buffer.from(SHORT)
      const count = 1 + next(60)
      const isLocal = seed % 2 === 0
      const base = 4096 + next(USED - 2000)
      for (let i = 0; i < count; i++) {
        const at = isLocal ? base + next(2000) : 4096 + next(USED)
        bytes[at] = next(4) === 0 ? 0xff : next(256)
      }
      kept += (await decoded(bytes)).events.length
    }
    expect(kept).toBeGreaterThan(2_000)
  }, 60_000)

  it('ends and never throws for holes and for parts in wrong places', async () => {
    for (let seed = 0; seed < 60; seed++) {
      const next = random(1000 + seed)
      const bytes = Buffer.from(LOG.subarray(0, 4096 + 2 * CHUNK))
      for (let i = 0; i < 4; i++) {
        const at = next(bytes.length - 600)
        if (next(2) === 0) bytes.fill(next(256), at, at + 512)
        else bytes.copyWithin(at, next(bytes.length - 600), bytes.length - next(500))
      }
      await decoded(bytes)
    }
  }, 60_000)

  it('reads the good fields beside a broken one in another record', async () => {
    const bytes = copy()
    bytes[offset(recordsOf(LOG, 0), 3) + 24] = 0x77
    const result = await decoded(bytes)
    expect(result.rejects.length).toBe(1)
    expect(fieldsOf(result.events[3]).get('CommandLine')).toBe(`command 5 <&> ${'y'.repeat(5)}`)
  })
})
