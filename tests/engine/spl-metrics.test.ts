/** `mstats` over written metrics. */
import { describe, expect, it } from 'vitest'
import { splDesk, type TestRow } from '../support/spldesk.ts'

const desk = splDesk()

const METRICS: readonly TestRow[] = [
  { _time: '0', host: 'a', metric_name: 'cpu.user', _value: '10' },
  { _time: '30', host: 'a', metric_name: 'cpu.user', _value: '20' },
  { _time: '70', host: 'b', metric_name: 'cpu.system', _value: '7' },
  { _time: '80', host: 'b', 'metric_name:cpu.user': '40', 'metric_name:mem.free': '5' },
  { _time: '90', metric_name: 'cpu.user', _value: 'x' },
]

const run = (search: string) => desk.found([], search, { indexes: { m: METRICS } })

describe('mstats', () => {
  it('reads one measure, however the event has it', async () => {
    expect(await run('| mstats avg(cpu.user) as u where index=m by host')).toEqual([
      { host: 'a', u: '15' },
      { host: 'b', u: '40' },
    ])
  })
  it('reads the value of the measure that a condition names', async () => {
    expect(await run('| mstats sum(_value) as s where index=m AND metric_name="cpu.user"')).toEqual(
      [{ s: '70' }],
    )
    expect(await run('| mstats max(_value) as s where index=m metric_name=cpu.*')).toEqual([
      { s: '40' },
    ])
  })
  it('reads all measures that a pattern means', async () => {
    expect(await run('| mstats max(cpu.*) as top_* where index=m by host')).toEqual([
      { host: 'a', top_user: '20' },
      { host: 'b', top_system: '7', top_user: '40' },
    ])
  })
  it('puts times in buckets', async () => {
    expect(await run('| mstats avg(cpu.user) as u where index=m span=1m by host')).toEqual([
      { _time: '0', host: 'a', u: '15' },
      { _time: '60', host: 'b', u: '40' },
    ])
  })
  it('refuses what it cannot mean', async () => {
    expect(await desk.refusal('| mstats avg(_value)')).toBe('HR509')
    expect(await desk.refusal('| mstats avg(x) where index=m prestats=t')).toMatch(/^HR5/)
    expect(await desk.refusal('| mstats where index=m')).toBe('HR500')
  })
})
