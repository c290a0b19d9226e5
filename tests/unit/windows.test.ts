/** The runs of a schedule over logs of the past: which there are, and what each sees. */
import { describe, expect, it } from 'vitest'
import { limits } from '../../src/core/limits.ts'
import { cadenceOf, endOf, windowAt, windowsOf } from '../../src/detect/windows.ts'
import { PLAIN_RULE } from '../../src/dialects/kusto/rule.ts'
import type { KustoPart } from '../../src/rules/rule.ts'

const MINUTE = 600_000_000n
const HOUR = 60n * MINUTE

function part(change: Partial<KustoPart>): KustoPart {
  return { ...PLAIN_RULE, columns: [], tables: [], ...change }
}

/** A store whose every query gives these values. */
function holding(...slots: readonly (string | number | null)[]) {
  return {
    async *rows(): AsyncGenerator<readonly unknown[]> {
      for (const each of slots) yield [each]
    },
  }
}

async function runs(
  slots: readonly number[],
  apart: bigint,
  back: bigint,
  change: { readonly silent?: boolean; readonly changed?: boolean } = {},
): Promise<readonly number[] | undefined> {
  const wanted = { apart, back, silent: false, changed: false, ...change }
  const found = await windowsOf(holding(...slots), ['a.b'], {}, wanted)
  return found?.map(({ at }) => Number((BigInt(Date.parse(at)) * 10_000n) / apart))
}

describe('the cadence of a rule', () => {
  it('is its frequency and its period, in ticks', () => {
    const hour = 3_600_000
    expect(cadenceOf(part({ queryFrequency: hour, queryPeriod: 2 * hour }))).toEqual({
      apart: HOUR,
      back: 2n * HOUR,
    })
    expect(cadenceOf(part({ queryFrequency: hour }))).toEqual({ apart: HOUR, back: HOUR })
    expect(cadenceOf(part({ queryPeriod: hour }))).toEqual({ apart: HOUR, back: HOUR })
  })

  it('is a minute for rules that run on what has just come in', () => {
    const minute = { apart: MINUTE, back: MINUTE }
    expect(cadenceOf(part({ kind: 'NRT' }))).toEqual(minute)
    expect(cadenceOf(part({ queryFrequency: 0, queryPeriod: 3_600_000 }))).toEqual(minute)
  })

  it('is none for queries without a schedule', () => {
    expect(cadenceOf(part({}))).toBeUndefined()
  })
})

describe('windows', () => {
  it('see what lies between their beginning and their time', () => {
    expect(windowAt(HOUR, HOUR)).toEqual({
      at: '1970-01-01T01:00:00.0000000Z',
      time: { from: '1970-01-01T00:00:00.0000000Z', to: '1970-01-01T01:00:00.0000000Z' },
    })
    expect(windowAt(HOUR, undefined).time).toEqual({ to: '1970-01-01T01:00:00.0000000Z' })
  })

  it('are those that hold events: the run after each slot', async () => {
    expect(await runs([10, 12], HOUR, HOUR)).toEqual([11, 13])
  })

  it('overlap when the period is longer than the frequency', async () => {
    expect(await runs([10, 12], HOUR, 3n * HOUR)).toEqual([11, 12, 13, 14, 15])
    // A period that is no multiple of the frequency reaches into one slot more.
    expect(await runs([10], HOUR, HOUR + MINUTE)).toEqual([11, 12])
    expect(await runs([10], HOUR, MINUTE)).toEqual([11])
  })

  it('are left out when they see the same events as the run before', async () => {
    // Events of slot 10 come in with run 11 and are gone with run 35, which sees those of slot 30 alone.
    expect(await runs([10, 30], HOUR, 24n * HOUR, { changed: true })).toEqual([11, 31, 35])
    expect(await runs([10], HOUR, HOUR + MINUTE, { changed: true })).toEqual([11, 12])
  })

  it('are all of them when it counts that nothing came', async () => {
    expect(await runs([10, 14], HOUR, HOUR, { silent: true })).toEqual([11, 12, 13, 14, 15])
    expect(await runs([], HOUR, HOUR, { silent: true })).toEqual([])
  })

  it('are too many at some number', async () => {
    const far = [1, limits.ruleWindows + 10]
    expect(await runs(far, HOUR, HOUR)).toHaveLength(2)
    expect(await runs(far, HOUR, HOUR, { silent: true })).toBeUndefined()
    expect(await runs([1], MINUTE, MINUTE * BigInt(limits.ruleWindows + 1))).toBeUndefined()
  })
})

describe('the end of the logs', () => {
  it('is the tick after the last event', async () => {
    const times = ['2026-01-01 00:00:01.5000000', '2026-01-01 00:00:03.0000000', null]
    expect(await endOf(holding(...times), ['a.b'], {})).toBe('2026-01-01T00:00:03.0000001Z')
    expect(await endOf(holding(), ['a.b'], {})).toBeUndefined()
  })
})
