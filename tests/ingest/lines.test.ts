import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../src/core/limits.ts'
import type { Sink } from '../../src/ingest/decoder.ts'
import { readLines } from '../../src/ingest/lines.ts'

interface Read {
  readonly lines: readonly (readonly [string, number, boolean])[]
  readonly rejects: readonly (readonly [string, string, string])[]
  readonly damage: readonly (readonly [string, string, string])[]
}

async function read(bytes: Uint8Array, size = 64 * 1024): Promise<Read> {
  const lines: [string, number, boolean][] = []
  const rejects: [string, string, string][] = []
  const damage: [string, string, string][] = []
  async function* blocks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  }
  const sink: Sink = {
    event: () => {},
    reject: (code, _reason, place, raw) => rejects.push([code, place, raw]),
    damage: (code, reason, place) => damage.push([code, reason, place]),
    ready: () => Promise.resolve(),
  }
  await readLines(blocks(), sink, (text, line, hadReturn) => lines.push([text, line, hadReturn]))
  return { lines, rejects, damage }
}

const texts = (result: Read): string[] => result.lines.map(([text]) => text)

describe('lines', () => {
  it('ends a line at LF and CR LF, not at a lone CR', async () => {
    const result = await read(Buffer.from('a\nb\r\nc\rd\n\ne'))
    expect(result.lines).toEqual([
      ['a', 1, false],
      ['b', 2, true],
      ['c\rd', 3, false],
      ['', 4, false],
      ['e', 5, false],
    ])
  })

  it('gives the same lines however the bytes are cut', async () => {
    const bytes = Buffer.from('\uFEFFfirst é\r\nsecond 😀\n\nlast \u2028 line')
    const whole = await read(bytes)
    expect(texts(whole)).toEqual(['first é', 'second 😀', '', 'last \u2028 line'])
    for (let size = 1; size < 12; size++) expect(await read(bytes, size)).toEqual(whole)
  })

  it('reads UTF-16 with a byte order mark', async () => {
    const little = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('é😀\r\nb', 'utf16le')])
    const big = Buffer.from(little)
    big.swap16()
    for (const bytes of [little, big]) {
      for (const size of [1, 3, 1000]) expect(texts(await read(bytes, size))).toEqual(['é😀', 'b'])
    }
  })

  it('keeps bytes that are not UTF-8 and tells their number once', async () => {
    const bytes = Buffer.concat([
      Buffer.from('good\nb'),
      Buffer.from([0xff, 0xc3, 0x28, 0xed, 0xa0, 0x80]),
      Buffer.from('d é\nnext\n'),
      Buffer.from([0xe9]),
    ])
    const result = await read(bytes)
    expect(texts(result)).toEqual(['good', 'b\\xff\\xc3(\\xed\\xa0\\x80d é', 'next', '\\xe9'])
    expect(result.damage).toEqual([
      ['HR121', '6 bytes are not UTF-8 text; each is kept as \\x and two hex digits', 'line 2'],
    ])
    expect(await read(bytes, 1)).toEqual(result)
  })

  it('keeps different bad bytes different', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), async (bytes) => {
        const plain = Uint8Array.from(bytes, (byte) => (byte === 10 || byte === 13 ? 65 : byte))
        const line = (await read(plain)).lines[0]?.[0] ?? ''
        const back = Buffer.concat(
          line
            .split(/(\\x[0-9a-f]{2})/)
            .map((piece) =>
              /^\\x/.test(piece) ? Buffer.from(piece.slice(2), 'hex') : Buffer.from(piece),
            ),
        )
        const hasMark = plain[0] === 0xff && plain[1] === 0xfe
        const isUtf16 = hasMark || (plain[0] === 0xfe && plain[1] === 0xff)
        const isMarked = plain[0] === 0xef && plain[1] === 0xbb && plain[2] === 0xbf
        if (!isUtf16 && !isMarked && !Buffer.from(plain).includes('\\x')) {
          expect([...back]).toEqual([...plain])
        }
      }),
    )
  })

  it('rejects a line over the limit whole, and goes on after it', async () => {
    const long = Buffer.alloc(limits.recordBytes + 10, 0x61)
    const bytes = Buffer.concat([Buffer.from('one\n'), long, Buffer.from('\nthree\n')])
    for (const size of [1024 * 1024, bytes.length]) {
      const result = await read(bytes, size)
      expect(result.lines.map(([text, line]) => [text, line])).toEqual([
        ['one', 1],
        ['three', 3],
      ])
      expect(result.rejects.map(([code, place, raw]) => [code, place, raw.length])).toEqual([
        ['HR120', 'line 2', 64 * 1024],
      ])
    }
  })

  it('counts every line, whatever the bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.integer({ min: 1, max: 50 }),
        async (bytes, size) => {
          const body = Buffer.concat([Buffer.from('x'), bytes])
          const result = await read(body, size)
          const breaks = body.filter((byte) => byte === 10).length
          const open = body.length > 0 && body.at(-1) !== 10 ? 1 : 0
          expect(result.lines.length).toBe(breaks + open)
        },
      ),
    )
  })
})
