/** Time modifiers of searches: which are read, and which are refused. */
import { describe, expect, it } from 'vitest'
import { instantOf } from '../../src/dialects/spl/timerange.ts'

describe('time modifiers', () => {
  it.each([
    '-24h@h',
    '-d',
    '@w1',
    '+2mon@mon',
    'now-15m',
    '-1d@d+2h',
    '-5ms',
    '1700000000',
    '10/27/2024:00:00:00',
  ])('reads %s', (written) => {
    expect(instantOf(written)).toMatchObject({ op: 'call', fn: 'time.of_seconds' })
  })

  it.each(['', 'now', 'now()', '0'])('takes "%s" to bound nothing', (written) => {
    expect(instantOf(written)).toBeUndefined()
  })

  it.each(['yesterday', '-1x', '-dd', 'now()-1d', 'nownow', 'rt-5m'])('refuses %s', (written) => {
    expect(() => instantOf(written)).toThrow('cannot be read')
  })

  it.each([`-${'secs'.repeat(40)}!`, `${'9'.repeat(200_000)}!`, `@${'secs'.repeat(40)}!`])(
    'refuses one that may be read in many ways at once',
    (written) => {
      const start = performance.now()
      expect(() => instantOf(written)).toThrow('cannot be read')
      expect(performance.now() - start).toBeLessThan(2_000)
    },
  )
})
