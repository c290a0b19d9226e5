/** Cron expressions: what they mean, in which zone, and against another reader of them. */
import { Cron as Croner } from 'croner'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Cron, readCron } from '../../src/core/cron.ts'

const MOST = 500

function cronOf(text: string, zone?: string): Cron {
  const cron = readCron(text, zone)
  if (typeof cron === 'string') throw new Error(cron)
  return cron
}

function times(text: string, from: string, to: string, zone?: string): readonly string[] {
  const found = cronOf(text, zone).between(Date.parse(from), Date.parse(to), MOST)
  return found.map((each) => new Date(each).toISOString().slice(5, 16))
}

describe('a cron expression', () => {
  it('names minutes, hours, days, months and days of the week', () => {
    expect(times('5,35 */12 * * *', '2024-01-01T00:05Z', '2024-01-02T00:05Z')).toEqual([
      '01-01T00:35',
      '01-01T12:05',
      '01-01T12:35',
      '01-02T00:05',
    ])
    expect(times('0 0 1-3/2 feb *', '2024-01-01T00:00Z', '2024-12-31T00:00Z')).toEqual([
      '02-01T00:00',
      '02-03T00:00',
    ])
    expect(times('0 9 * * MON-tue', '2024-01-01T00:00Z', '2024-01-09T12:00Z')).toEqual([
      '01-01T09:00',
      '01-02T09:00',
      '01-08T09:00',
      '01-09T09:00',
    ])
  })

  it('takes either of two kinds of days when both are restricted', () => {
    expect(times('0 0 3 * 1', '2024-01-01T00:00Z', '2024-01-09T00:00Z')).toEqual([
      '01-03T00:00',
      '01-08T00:00',
    ])
  })

  it('takes 0 and 7 for Sunday', () => {
    const [zero, seven] = ['0 0 * * 0', '0 0 * * 7'].map((each) =>
      times(each, '2024-01-01T00:00Z', '2024-02-01T00:00Z'),
    )
    expect(zero).toEqual(['01-07T00:00', '01-14T00:00', '01-21T00:00', '01-28T00:00'])
    expect(seven).toEqual(zero)
  })

  it('excludes the first bound and includes the last', () => {
    expect(times('0 * * * *', '2024-01-01T01:00Z', '2024-01-01T02:00Z')).toEqual(['01-01T02:00'])
  })

  it('knows the time before an instant', () => {
    const cron = cronOf('10 0 1 * *')
    expect(cron.previous(Date.parse('2024-03-15T00:00Z'))).toBe(Date.parse('2024-03-01T00:10Z'))
    expect(cron.previous(Date.parse('2024-03-01T00:10Z'))).toBe(Date.parse('2024-02-01T00:10Z'))
  })

  it('finds the next time far away, and a bounded number of times', () => {
    expect(cronOf('0 0 29 2 *').next(Date.parse('2096-03-01T00:00Z'))).toBe(
      Date.parse('2104-02-29T00:00Z'),
    )
    expect(cronOf('* * * * *').between(0, 1e12, 10)).toHaveLength(10)
  })

  it.each([
    ['', 'five fields'],
    ['* * * *', 'five fields'],
    ['0 * * * * *', 'five fields'],
    ['60 * * * *', 'no minute'],
    ['* 24 * * *', 'no hour'],
    ['* * 0 * *', 'no day of the month'],
    ['* * * foo *', 'no month'],
    ['*/0 * * * *', 'no step'],
    ['5-1 * * * *', 'ends before'],
    ['1-2-3 * * * *', 'no range'],
    ['1/2/3 * * * *', 'no step'],
    ['0 0 L * *', 'no day of the month'],
    ['0 0 31 2 *', 'no such date'],
    ['@daily', 'five fields'],
    [`${'1,'.repeat(500)}1 * * * *`, 'too long'],
  ])('is refused with a reason: %s', (text, reason) => {
    expect(readCron(text)).toContain(reason)
  })

  it('is refused in a zone that is not known', () => {
    expect(readCron('0 * * * *', 'Mars/Olympus')).toContain('Mars/Olympus')
  })
})

describe('a change of the clocks', () => {
  const zone = 'Europe/Berlin'

  it('leaves no hour out of an hourly schedule', () => {
    const hours = ['00', '01', '02', '03', '04']
    expect(times('0 * * * *', '2024-10-26T23:00Z', '2024-10-27T04:00Z', zone)).toEqual(
      hours.map((hour) => `10-27T${hour}:00`),
    )
    expect(times('0 * * * *', '2024-03-30T23:00Z', '2024-03-31T04:00Z', zone)).toEqual(
      hours.map((hour) => `03-31T${hour}:00`),
    )
  })

  it('runs a daily schedule once a day', () => {
    expect(times('30 2 * * *', '2024-10-26T12:00Z', '2024-10-28T12:00Z', zone)).toEqual([
      '10-27T00:30',
      '10-28T01:30',
    ])
    // 02:30 does not come on the 31st: the run is at the end of the gap.
    expect(times('30 2 * * *', '2024-03-30T12:00Z', '2024-04-01T12:00Z', zone)).toEqual([
      '03-31T01:00',
      '04-01T00:30',
    ])
  })

  it('knows zones whose clocks change by half an hour', () => {
    const found = times(
      '*/30 * * * *',
      '2024-04-06T13:00Z',
      '2024-04-06T17:00Z',
      'Australia/Lord_Howe',
    )
    expect(found).toEqual([
      ...['13:30', '14:00', '14:30', '15:00', '15:30', '16:00', '16:30', '17:00'].map(
        (time) => `04-06T${time}`,
      ),
    ])
  })
})

describe('in UTC', () => {
  it('gives the times that another reader gives', () => {
    const field = (least: number, most: number): fc.Arbitrary<string> =>
      fc.oneof(
        fc.constant('*'),
        fc.integer({ min: least, max: most }).map(String),
        fc.integer({ min: 2, max: 9 }).map((step) => `*/${step}`),
        fc
          .tuple(fc.integer({ min: least, max: most }), fc.integer({ min: least, max: most }))
          .map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
      )
    // Days stay open here: readers differ on what `*/2` restricts.
    const text = fc
      .tuple(field(0, 59), field(0, 23), field(1, 12), fc.integer({ min: 0, max: 6 }))
      .map(([minute, hour, month, day]) => `${minute} ${hour} * ${month} ${day}`)
    fc.assert(
      fc.property(text, fc.integer({ min: 1_600_000_000, max: 1_900_000_000 }), (cron, second) => {
        const other = new Croner(cron, { timezone: 'UTC', paused: true })
        const theirs = other.nextRuns(5, new Date(second * 1_000)).map((each) => each.getTime())
        const until = theirs.at(-1) ?? 0
        expect(cronOf(cron).between(second * 1_000, until, 5)).toEqual(theirs)
      }),
      { numRuns: 200 },
    )
  })
})
