/** When rules of each language run on their own, and what each run sees. */
import { describe, expect, it } from 'vitest'
import { lengthText } from '../../src/core/length.ts'
import { isScheduled, type Schedule, scheduleOf } from '../../src/detect/schedule/cadence.ts'
import { plainSettings, readSettings } from '../../src/detect/settings.ts'
import { PLAIN_RULE as PLAIN_KUSTO } from '../../src/dialects/kusto/rule.ts'
import { PLAIN_RULE as PLAIN_SPL, type SplRule } from '../../src/dialects/spl/rule.ts'
import type { KustoPart, Rule, Tuning } from '../../src/rules/rule.ts'

const { schedule: SETTINGS } = plainSettings()
const MINUTE = 60_000
const NOON = Date.parse('2024-03-15T12:00Z')

const BASE: Rule = {
  file: 'a.yml',
  id: 'a',
  title: 'A rule',
  language: 'sigma',
  level: 'high',
  status: 'test',
  description: '',
  author: '',
  date: '',
  tags: [],
  references: [],
  falsepositives: [],
  logsource: '',
  rel: { op: 'values', rows: [], out: [] },
  stages: [],
  fields: [],
}

const tuned = (rule: Rule, schedule: Tuning['schedule'], rest: Partial<Tuning> = {}): Rule => ({
  ...rule,
  tuning: { file: 'o.yml', ...(schedule === undefined ? {} : { schedule }), ...rest },
})

const kusto = (part: Partial<KustoPart>): Rule => ({
  ...BASE,
  language: 'kusto',
  kusto: { ...PLAIN_KUSTO, columns: [], tables: [], ...part },
})

const spl = (part: Partial<SplRule>): Rule => ({
  ...BASE,
  language: 'spl',
  spl: {
    ...PLAIN_SPL,
    columns: [],
    isEvents: false,
    order: [],
    notes: [],
    reads: [],
    search: '',
    writes: [],
    compiler: () => {
      throw new Error('not compiled here')
    },
    ...part,
  },
})

const HOURLY = { cron: '10 * * * *', earliest: '-70m@m', latest: '-10m@m', window: '' }

function scheduled(rule: Rule, settings = SETTINGS): Schedule {
  const found = scheduleOf(rule, settings)
  if (!isScheduled(found)) throw new Error(found.off)
  return found
}

const off = (rule: Rule): string => {
  const found = scheduleOf(rule, SETTINGS)
  return isScheduled(found) ? '' : found.off
}

const timesOf = ({ time }: { readonly time: { readonly from?: string; readonly to?: string } }) =>
  [time.from, time.to].map((each) => each?.slice(0, 19))

describe('a Sigma rule', () => {
  it('runs every five minutes over the last five, a minute later', () => {
    const found = scheduled(BASE)
    expect(found.text).toBe('every 5m')
    expect(found.delay).toBe(MINUTE)
    expect(found.between(NOON, NOON + 11 * MINUTE, 9)).toEqual([
      NOON + 5 * MINUTE,
      NOON + 10 * MINUTE,
    ])
    expect(found.previous(NOON)).toBe(NOON - 5 * MINUTE)
    expect(timesOf(found.windowAt(NOON))).toEqual(['2024-03-15T11:55:00', '2024-03-15T12:00:00'])
  })

  it('follows the settings, and an overlay above them', () => {
    const { value } = readSettings('schedule: {sigma: {every: 1h, lookback: 2h, delay: 10m}}')
    const settings = value?.schedule ?? SETTINGS
    expect(scheduled(BASE, settings)).toMatchObject({ text: 'every 1h', delay: 10 * MINUTE })
    expect(scheduled(BASE, settings).reach.from).toBe(120 * MINUTE)
    const own = scheduled(tuned(BASE, { every: 15 * MINUTE }), settings)
    expect(own.text).toBe('every 15m')
    expect(timesOf(own.windowAt(NOON))).toEqual(['2024-03-15T11:45:00', '2024-03-15T12:00:00'])
    expect(scheduled(tuned(BASE, { cron: '0 6 * * *', lookback: 1_440 * MINUTE })).text).toBe(
      '0 6 * * *',
    )
  })

  it('is off when an overlay says so', () => {
    expect(off(tuned(BASE, undefined, { enabled: false }))).toContain('overlay')
  })
})

describe('a Kusto rule', () => {
  it('runs at its frequency over its period, five minutes later', () => {
    const found = scheduled(kusto({ queryFrequency: 60 * MINUTE, queryPeriod: 180 * MINUTE }))
    expect(found).toMatchObject({ text: 'every 1h', delay: 5 * MINUTE, silent: false })
    expect(timesOf(found.windowAt(NOON))).toEqual(['2024-03-15T09:00:00', '2024-03-15T12:00:00'])
  })

  it('runs each minute on what has just come in, two minutes later', () => {
    const found = scheduled(kusto({ kind: 'NRT' }))
    expect(found).toMatchObject({ text: 'every 1m', delay: 2 * MINUTE, reach: { from: MINUTE } })
  })

  it('is told when silence sets it off', () => {
    const rule = kusto({ queryFrequency: MINUTE, trigger: { operator: 'lt', threshold: 1 } })
    expect(scheduled(rule).silent).toBe(true)
  })

  it('does not run without a schedule, but for an overlay', () => {
    expect(off(kusto({ form: 'hunting' }))).toContain('no schedule')
    expect(off(kusto({ queryFrequency: MINUTE, enabled: false }))).toContain('file disables')
    const rule = tuned(kusto({ form: 'hunting' }), { every: 60 * MINUTE })
    expect(scheduled(rule)).toMatchObject({ text: 'every 1h', reach: { from: 60 * MINUTE } })
  })
})

describe('a search', () => {
  it('runs by cron over its time range', () => {
    const found = scheduled(spl({ schedule: HOURLY }))
    expect(found).toMatchObject({ text: '10 * * * *', delay: 0 })
    expect(found.reach).toEqual({ from: 70 * MINUTE, to: 10 * MINUTE })
    const at = NOON + 10 * MINUTE
    expect(timesOf(found.windowAt(at))).toEqual(['2024-03-15T11:00:00', '2024-03-15T12:00:00'])
  })

  it('has windows that leave no moment out and see none twice', () => {
    const found = scheduled(spl({ schedule: HOURLY }))
    const times = found.between(NOON, NOON + 1_440 * MINUTE, 100)
    const windows = times.map((time) => found.windowAt(time).time)
    expect(windows).toHaveLength(24)
    expect(windows.slice(1).map(({ from }) => from)).toEqual(
      windows.slice(0, -1).map(({ to }) => to),
    )
  })

  it('starts at a time of its own where it may, over the same events', () => {
    const auto = { ...HOURLY, window: 'auto' }
    const delays = Array.from({ length: 50 }, (_, at) =>
      scheduled({ ...spl({ schedule: auto }), id: `r${at}` }),
    )
    const spread = new Set(delays.map(({ delay }) => delay))
    expect(spread.size).toBeGreaterThan(30)
    expect(Math.max(...spread)).toBeLessThan(5 * MINUTE)
    expect(scheduled(spl({ schedule: auto })).delay).toBe(scheduled(spl({ schedule: auto })).delay)
    expect(scheduled(spl({ schedule: auto })).windowAt(NOON)).toEqual(
      scheduled(spl({ schedule: HOURLY })).windowAt(NOON),
    )
  })

  it('may look at all that was there by then', () => {
    const found = scheduled(spl({ schedule: { ...HOURLY, earliest: '0', latest: 'now' } }))
    expect(timesOf(found.windowAt(NOON))).toEqual([undefined, '2024-03-15T12:00:00'])
    expect(found.reach.from).toBe(Number.POSITIVE_INFINITY)
  })

  it('reaches as far back as its snapped bounds ever lie', () => {
    const found = scheduled(spl({ schedule: { ...HOURLY, earliest: '@d', latest: 'now' } }))
    expect(found.reach.from).toBeGreaterThan(23 * 60 * MINUTE)
  })

  it('is refused for a schedule or a time range that cannot be', () => {
    expect(off(spl({ schedule: { ...HOURLY, cron: '61 * * * *' } }))).toContain('no minute')
    expect(off(spl({ schedule: { ...HOURLY, earliest: 'rt-5m', latest: 'rt' } }))).toContain(
      'rt-5m',
    )
    expect(off(spl({ schedule: { ...HOURLY, earliest: '-10m', latest: '-70m' } }))).toContain(
      'empty',
    )
  })

  it('of a kind that people run themselves is off until an overlay enables it', () => {
    const rule = spl({ schedule: HOURLY, type: 'Baseline' })
    expect(off(rule)).toContain('Baseline')
    expect(scheduled(tuned(rule, undefined, { enabled: true })).text).toBe('10 * * * *')
  })
})

describe('the settings', () => {
  it('are told what is wrong with them', () => {
    const { diagnostics } = readSettings(
      'schedule: {zone: Mars, sigma: {every: 10ms}, lateness: soon, strikes: 0, budget: {tme: 1s}}',
    )
    const said = diagnostics.map(({ message }) => message).join('\n')
    for (const key of ['zone', 'sigma.every', 'lateness', 'strikes', 'budget.tme']) {
      expect(said).toContain(`schedule.${key}`)
    }
  })

  it('say lengths of time shortly', () => {
    expect([90_000, 300_000, 86_400_000].map(lengthText)).toEqual(['90s', '5m', '1d'])
  })
})
