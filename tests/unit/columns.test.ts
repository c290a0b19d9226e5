import { describe, expect, it } from 'vitest'
import type { ColumnBlock } from '../../src/schema/batch.ts'
import {
  constantText,
  constantTime,
  ListColumn,
  MapColumn,
  TextColumn,
  TimeColumn,
  Uint64Column,
} from '../../src/schema/columns.ts'

/** Reads length-prefixed texts to the end of the bytes. */
function texts(data: Uint8Array): string[] {
  const found: string[] = []
  let at = 0
  while (at < data.length) {
    let length = 0
    for (let shift = 0; ; shift += 7) {
      const byte = data[at++] ?? 0
      length += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) break
    }
    found.push(new TextDecoder('utf-8', { fatal: true }).decode(data.subarray(at, at + length)))
    at += length
  }
  return found
}

function words(data: Uint8Array): bigint[] {
  const view = new DataView(data.buffer, data.byteOffset, data.length)
  return Array.from({ length: data.length / 8 }, (_, row) => view.getBigInt64(row * 8, true))
}

describe('text column', () => {
  it('writes texts of every length and alphabet, and blanks for the rows between', () => {
    const column = new TextColumn()
    const values = ['', 'a', 'é', 'x'.repeat(32), 'x'.repeat(33), `${'x'.repeat(31)}é`]
    values.push('é'.repeat(64), 'x'.repeat(127), 'x'.repeat(128), '😀'.repeat(5000), 'a\0b\nc')
    values.forEach((value, index) => {
      expect(column.append(index * 3, value)).toBe(true)
    })
    const rows = values.length * 3 + 5
    const block = column.finish('f', rows)
    const expected = Array.from({ length: rows }, (_, row) =>
      row % 3 === 0 ? (values[row / 3] ?? '') : '',
    )
    expect(texts(block.data)).toEqual(expected)
    expect(block.data.buffer.byteLength).toBe(block.data.length)
  })

  it('writes long texts of every alphabet, and goes on after them', () => {
    const column = new TextColumn()
    const values = [
      'x'.repeat(16_385),
      `${'x'.repeat(20_000)}é${'y'.repeat(20_000)}`,
      'é'.repeat(100_000),
      '€'.repeat(700_000),
      '😀'.repeat(30_000),
      `${'x'.repeat(16_384)}\ud83d`,
      `${'é'.repeat(8_192)}${'x'.repeat(120_000)}`,
      'short',
    ]
    for (const round of [1, 2]) {
      values.forEach((value, row) => {
        column.append(row, value)
      })
      const found = texts(column.finish(`f${round}`, values.length + 1).data)
      expect(found.length).toBe(values.length + 1)
      const expected = [...values.map((each) => each.toWellFormed()), '']
      expect(found.filter((each, row) => each !== expected[row])).toEqual([])
    }
  })

  it('turns lone surrogates into U+FFFD in short and long texts', () => {
    const column = new TextColumn()
    column.append(0, 'a\ud800b')
    column.append(1, `${'x'.repeat(200)}\udc00`)
    expect(texts(column.finish('f', 2).data)).toEqual(['a\ufffdb', `${'x'.repeat(200)}\ufffd`])
  })

  it('keeps the first of two values of a row', () => {
    const column = new TextColumn()
    expect(column.append(1, 'first')).toBe(true)
    expect(column.append(1, 'second')).toBe(false)
    expect(column.append(0, 'late')).toBe(false)
    expect(texts(column.finish('f', 2).data)).toEqual(['', 'first'])
  })

  it('can be used again, and refuses a block with fewer rows than it has', () => {
    const column = new TextColumn()
    column.append(4, 'x')
    expect(() => column.finish('f', 4)).toThrow(RangeError)
    const again = new TextColumn()
    for (let round = 0; round < 3; round++) {
      again.append(round, `value ${round}`)
      expect(texts(again.finish('f', round + 1).data).at(-1)).toBe(`value ${round}`)
    }
  })

  it('tells how much values vary, once there are enough of them', () => {
    const variety = (values: readonly string[]): number => {
      const column = new TextColumn()
      values.forEach((value, row) => {
        column.append(row, value)
      })
      return column.finish('f', values.length).variety
    }
    expect(variety(['a', 'a', 'a'])).toBe(1)
    expect(variety(Array.from({ length: 100 }, (_, row) => `v${row % 5}`))).toBeCloseTo(0.05)
    expect(variety(Array.from({ length: 5000 }, (_, row) => `v${row}`))).toBe(1)
  })
})

describe('other columns', () => {
  it('writes lists as running ends and texts', () => {
    const column = new ListColumn()
    column.append(1, ['a', 'b'])
    expect(column.append(1, ['never'])).toBe(false)
    column.append(3, [])
    column.append(4, ['c'])
    const { data } = column.finish('f[]', 6)
    expect(words(data.slice(0, 48)).map(Number)).toEqual([0, 2, 2, 2, 3, 3])
    expect(texts(data.subarray(48))).toEqual(['a', 'b', 'c'])
  })

  it('writes maps as running ends, keys and values', () => {
    const column = new MapColumn()
    column.append(0, 'k', 'v')
    column.append(0, '__proto__', 'w')
    column.append(2, 'k', 'x')
    expect(column.append(1, 'late', 'y')).toBe(false)
    const { data } = column.finish('@more', 3)
    expect(words(data.slice(0, 24)).map(Number)).toEqual([2, 2, 3])
    expect(texts(data.subarray(24))).toEqual(['k', '__proto__', 'k', 'v', 'w', 'x'])
  })

  it('writes instants exactly, before and after 1970', () => {
    const times: readonly (readonly [number, number])[] = [
      [0, 0],
      [-1, 9_999],
      [-11_644_473_600_000, 1],
      [1_700_000_000_123, 4_567],
      [253_402_300_799_999, 9_999],
      [-2_208_988_800_001, 5_000],
    ]
    const column = new TimeColumn()
    times.forEach(([ms, sub], row) => {
      column.append(row * 2, ms, sub)
    })
    const found = words(column.finish('@time', 12).data)
    expect(found.filter((_, row) => row % 2 === 0)).toEqual(
      times.map(([ms, sub]) => BigInt(ms) * 10_000n + BigInt(sub)),
    )
    expect(found.filter((_, row) => row % 2 === 1)).toEqual(times.map(() => 0n))
  })

  it('writes numbers up to 2^53', () => {
    const column = new Uint64Column()
    column.append(0, 7)
    column.append(300, Number.MAX_SAFE_INTEGER)
    const found = words(column.finish('@record', 302).data)
    expect([found[0], found[1], found[300], found[301]]).toEqual([
      7n,
      0n,
      BigInt(Number.MAX_SAFE_INTEGER),
      0n,
    ])
  })

  it('makes constant columns', () => {
    const text: ColumnBlock = constantText('@batch', 'abc', 3)
    expect(texts(text.data)).toEqual(['abc', 'abc', 'abc'])
    expect(words(constantTime('@ingest', 5, 2).data)).toEqual([50_000n, 50_000n])
  })
})
