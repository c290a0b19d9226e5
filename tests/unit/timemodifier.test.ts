/** Time modifiers as instants; what they give in the engine is tested with the function that uses the same steps. */
import { describe, expect, it } from 'vitest'
import { boundOf } from '../../src/functions/timemodifier.ts'

const NOW = Date.parse('2024-03-15T13:47:12.500Z')

const instant = (text: string): string | number | undefined => {
  const found = boundOf(text, NOW)
  return typeof found === 'number' ? new Date(found).toISOString() : found
}

describe('the bound of a search', () => {
  it.each([
    ['now', '2024-03-15T13:47:12.500Z'],
    ['-70m@m', '2024-03-15T12:37:00.000Z'],
    ['-10m@m', '2024-03-15T13:37:00.000Z'],
    ['@d', '2024-03-15T00:00:00.000Z'],
    ['-1d@d+2h', '2024-03-14T02:00:00.000Z'],
    ['@w0', '2024-03-10T00:00:00.000Z'],
    ['@w1', '2024-03-11T00:00:00.000Z'],
    ['-1mon@mon', '2024-02-01T00:00:00.000Z'],
    ['@q', '2024-01-01T00:00:00.000Z'],
    ['-1y@y', '2023-01-01T00:00:00.000Z'],
    ['now-1h', '2024-03-15T12:47:12.500Z'],
    ['1700000000', '2023-11-14T22:13:20.000Z'],
  ])('%s', (text, wanted) => {
    expect(instant(text)).toBe(wanted)
  })

  it('keeps to the last day of a shorter month', () => {
    expect(boundOf('+1mon', Date.parse('2024-01-31T00:00Z'))).toBe(Date.parse('2024-02-29T00:00Z'))
    expect(boundOf('-1mon', Date.parse('2024-03-31T05:00Z'))).toBe(Date.parse('2024-02-29T05:00Z'))
  })

  it('may be open, and is nothing for other texts', () => {
    expect(boundOf('', NOW)).toBe('open')
    expect(boundOf('0', NOW)).toBe('open')
    expect(['rt', 'rt-5m', 'yesterday', '-1x', '@@d'].map((each) => boundOf(each, NOW))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ])
  })
})
