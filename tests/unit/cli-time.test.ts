import { describe, expect, it } from 'vitest'
import { parseRange, parseTime } from '../../src/cli/time.ts'
import { printInstant } from '../../src/core/time.ts'

const now = { ms: Date.UTC(2024, 0, 31, 12, 0, 0, 250), sub: 5 }

function at(text: string, edge: 'from' | 'to' = 'from'): string {
  const { value, diagnostics } = parseTime(text, edge, now)
  return value === undefined ? (diagnostics[0]?.code ?? 'none') : printInstant(value)
}

describe('times', () => {
  it.each([
    ['now', '2024-01-31T12:00:00.2500005Z'],
    ['-24h', '2024-01-30T12:00:00.2500005Z'],
    ['-7d', '2024-01-24T12:00:00.2500005Z'],
    ['now-90m', '2024-01-31T10:30:00.2500005Z'],
    ['+30s', '2024-01-31T12:00:30.2500005Z'],
    ['-2W', '2024-01-17T12:00:00.2500005Z'],
    ['2024-01-05', '2024-01-05T00:00:00.0000000Z'],
    ['2024-01-05T10:11:12.5+02:00', '2024-01-05T08:11:12.5000000Z'],
    ['2024-01-05 10:11', '2024-01-05T10:11:00.0000000Z'],
    [' 1704067200 ', '2024-01-01T00:00:00.0000000Z'],
    ['1900-01-01', '1900-01-01T00:00:00.0000000Z'],
  ])('reads %j', (text, iso) => {
    expect(at(text)).toBe(iso)
  })

  it('takes a date as a whole day', () => {
    expect(at('2024-01-05', 'to')).toBe('2024-01-06T00:00:00.0000000Z')
    expect(at('2024-01-05T00:00', 'to')).toBe('2024-01-05T00:00:00.0000000Z')
    const { value } = parseRange('2024-01-05', '2024-01-05', now)
    expect(value?.to && value.from && value.to.ms - value.from.ms).toBe(86_400_000)
  })

  it.each([
    '',
    'yesterday',
    '24h',
    '-24',
    '-1y',
    '2024-13-01',
    '2024-02-30',
    '--7d',
    `-${'9'.repeat(40)}d`,
  ])('refuses %j with a hint', (text) => {
    const { value, diagnostics } = parseTime(text, 'from', now)
    expect(value).toBeUndefined()
    expect(diagnostics[0]?.code).toBe('HR800')
    expect(diagnostics[0]?.hint).toContain('-24h')
  })

  it('refuses times that the store cannot hold', () => {
    expect(at('1899-12-31')).toBe('HR801')
    expect(at('-999999999d')).toBe('HR801')
    expect(at('2299-12-31', 'to')).toBe('HR801')
  })

  it('refuses a range that can hold nothing', () => {
    expect(parseRange('now', 'now', now).diagnostics[0]?.code).toBe('HR802')
    expect(parseRange('-1h', '-2h', now).diagnostics[0]?.code).toBe('HR802')
    expect(parseRange('nope', 'neither', now).diagnostics).toHaveLength(2)
    expect(parseRange(undefined, undefined, now)).toEqual({ value: {}, diagnostics: [] })
  })
})
