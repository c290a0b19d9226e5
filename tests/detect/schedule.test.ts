/**
 * The schedule on a clock of its own: each window once whatever the clock does, late events found, what fails paused, and
 * one owner.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { runRules } from '../../src/detect/run.ts'
import { LeaseError } from '../../src/detect/schedule/lease.ts'
import { ScheduleState } from '../../src/detect/schedule/state.ts'
import { EngineError } from '../../src/engine/engine.ts'
import type { Rule } from '../../src/rules/rule.ts'
import { readyMadeSchema } from '../../tools/product.ts'
import {
  DAY,
  HOUR,
  kustoText,
  MINUTE,
  openStage,
  rulesFrom,
  START,
  type Stage,
  sigmaText,
  splText,
} from '../support/scheduling.ts'

const SEARCH =
  '`sysmon` EventCode=1 CommandLine="*odd*" | stats count min(_time) as firstTime by dest'
const COUNT = '`sysmon` EventCode=1 CommandLine="*odd*" | stats count by dest'

let sigma: Rule
let spl: Rule
let count: Rule
beforeAll(async () => {
  const rules = await rulesFrom(
    sigmaText('sigma-odd', 'odd'),
    splText('spl-odd', SEARCH),
    splText('spl-count', COUNT),
  )
  const [first, second, third] = rules
  if (first === undefined || second === undefined || third === undefined) throw new Error('rules')
  ;[sigma, spl, count] = [first, second, third]
})

async function staged(action: (stage: Stage) => Promise<void>, start = START): Promise<void> {
  const stage = await openStage(start)
  try {
    await action(stage)
  } finally {
    await stage.close()
  }
}

/** What a plain run over all events finds. */
async function found(stage: Stage, rule: Rule): Promise<readonly string[]> {
  const ids: string[] = []
  await runRules({
    rules: [rule],
    schema: readyMadeSchema(),
    store: stage.store,
    time: {},
    onFinding: ({ id }) => {
      ids.push(id)
    },
  })
  return ids.sort()
}

const times = (rows: readonly { readonly at: number }[]): readonly number[] =>
  rows.map(({ at }) => (at - START) / MINUTE)

describe('a rule on its schedule', () => {
  it('begins now, runs each window once it is due, and finds what a plain run finds', () =>
    staged(async (stage) => {
      const { clock, kept } = stage
      await stage.programs([START - 10 * MINUTE])
      const scheduler = await stage.open([sigma])
      await stage.settle(scheduler)
      expect(await stage.windows()).toEqual([])
      await stage.programs([START + MINUTE, START + 7 * MINUTE])
      clock.pass(5 * MINUTE)
      await stage.settle(scheduler)
      // It waits a minute for late events.
      expect(await stage.windows()).toEqual([])
      clock.pass(MINUTE)
      await stage.settle(scheduler)
      expect(kept.ids.size).toBe(1)
      clock.pass(10 * MINUTE)
      await stage.settle(scheduler)
      const windows = await stage.windows()
      expect(times(windows)).toEqual([5, 10, 15])
      expect(
        windows.map(({ state, reason, findings, lag }) => [state, reason, findings, lag]),
      ).toEqual([
        ['ok', '', 1, 0],
        ['ok', '', 1, 5 * MINUTE],
        ['ok', 'no events', 0, 0],
      ])
      const all = await found(stage, sigma)
      expect(all).toHaveLength(3)
      expect(all).toEqual(expect.arrayContaining([...kept.of('sigma-odd')]))
      const [run] = kept.runs
      expect(run?.queries[0]?.sql).toContain('odd')
      expect(run?.isBackfill).toBe(false)
    }))

  it('may begin in the past, of which nobody is told', () =>
    staged(async (stage) => {
      await stage.programs([START - 50 * MINUTE])
      const scheduler = await stage.open([sigma, count], { since: START - HOUR })
      await stage.settle(scheduler)
      expect(times(await stage.windows('sigma-odd'))).toEqual([
        -55, -50, -45, -40, -35, -30, -25, -20, -15, -10, -5,
      ])
      expect(stage.kept.of('sigma-odd')).toEqual(await found(stage, sigma))
      expect(stage.kept.runs.map(({ isBackfill }) => isBackfill)).toEqual([true])
    }))

  it('tells the same counts of other events again, and of the same events once', () =>
    staged(async (stage) => {
      const scheduler = await stage.open([count])
      for (const hour of [0, 1, 3]) await stage.programs([START + hour * HOUR + 5 * MINUTE])
      for (let hour = 0; hour < 6; hour++) {
        stage.clock.pass(HOUR)
        await stage.settle(scheduler)
      }
      expect(stage.kept.of('spl-count')).toHaveLength(3)
    }))
})

describe('after three days of downtime', () => {
  it('runs every window once, in order, and finds all', () =>
    staged(async (stage) => {
      const { clock, kept } = stage
      const first = await stage.open([sigma, spl])
      clock.pass(HOUR)
      await stage.settle(first)
      await first.close()
      const marks = Array.from({ length: 70 }, (_, hour) => START + hour * HOUR + 17 * MINUTE)
      await stage.programs(marks)
      clock.pass(3 * DAY + 6 * MINUTE)
      const second = await stage.open([sigma, spl], { holder: 'again' })
      await stage.settle(second)
      const end = (3 * DAY + HOUR) / MINUTE + 6
      const wanted = Array.from({ length: Math.floor((end - 1) / 5) }, (_, at) => (at + 1) * 5)
      const windows = await stage.windows('sigma-odd')
      expect(times(windows)).toEqual(wanted)
      expect(new Set(windows.map(({ state }) => state))).toEqual(new Set(['ok']))
      const hourly = await stage.windows('spl-odd')
      expect(times(hourly)).toEqual(Array.from({ length: 73 }, (_, hour) => (hour + 1) * 60))
      expect(kept.of('sigma-odd')).toEqual(await found(stage, sigma))
      expect(kept.of('spl-odd')).toHaveLength(70)
      expect(kept.known).toBe(0)
      // The order of the runs is that of their times.
      const at = kept.runs.map(({ window }) => window.at)
      expect(at).toEqual(at.toSorted())
    }))

  it('skips, and tells so, what is longer ago than is caught up with', () =>
    staged(async (stage) => {
      const first = await stage.open([spl])
      stage.clock.pass(HOUR)
      await stage.settle(first)
      await first.close()
      stage.clock.pass(20 * DAY + 6 * MINUTE)
      const second = await stage.open([spl])
      await stage.settle(second)
      const windows = await stage.windows('spl-odd')
      expect(windows).toHaveLength(20 * 24 + 1)
      const skipped = windows.filter(({ state }) => state === 'skipped')
      expect(skipped).toHaveLength(13 * 24 + 1)
      expect(skipped[0]?.reason).toContain('catch_up')
      expect(second.entries[0]?.row.gaps).toBe(13 * 24 + 1)
    }))
})

describe('late events', () => {
  it('are found within a day of lateness, and counted after it', () =>
    staged(async (stage) => {
      const { clock, kept } = stage
      const scheduler = await stage.open([sigma, spl])
      clock.pass(30 * HOUR)
      await stage.settle(scheduler)
      const now = clock.now()
      const late = [MINUTE, HOUR, 23 * HOUR]
      for (const each of late) await stage.programs([now - 10 * MINUTE - each])
      await stage.programs([now - 25 * HOUR, now - 25 * HOUR])
      clock.pass(2 * HOUR)
      await stage.settle(scheduler)
      expect(kept.of('sigma-odd')).toHaveLength(3)
      expect(kept.of('spl-odd')).toHaveLength(3)
      expect(scheduler.entries.map(({ row }) => row.late)).toEqual([2, 2])
      const windows = await stage.windows('sigma-odd')
      expect(windows).toHaveLength(383)
      expect(windows.filter(({ findings }) => findings > 0)).toHaveLength(3)
      // Run again, they change nothing.
      clock.pass(MINUTE)
      await stage.settle(scheduler)
      expect(kept.known).toBe(0)
    }))

  it('of a rule that looks at each event alone have only the windows run again that decide them', async () => {
    const [rule] = await rulesFrom(
      kustoText('kusto-odd', 'Event | where RenderedDescription != "x"', '1h', '12h'),
    )
    if (rule === undefined) return expect.fail('no rule')
    await staged(async (stage) => {
      const { clock, kept } = stage
      const scheduler = await stage.open([rule])
      await stage.programs([START + 30 * MINUTE])
      clock.pass(20 * HOUR + 6 * MINUTE)
      await stage.settle(scheduler)
      await stage.programs([START + 4 * HOUR + MINUTE])
      clock.pass(MINUTE)
      await stage.settle(scheduler)
      expect(kept.of('kusto-odd')).toEqual(await found(stage, rule))
      expect(kept.of('kusto-odd')).toHaveLength(2)
      const windows = await stage.windows()
      expect(windows).toHaveLength(20)
      expect(
        windows.filter(({ reason }) => reason === '').map(({ at }) => (at - START) / HOUR),
      ).toEqual([1, 5])
    })
  })

  it('are found after a restart before their windows were run again', () =>
    staged(async (stage) => {
      const { clock, kept } = stage
      const first = await stage.open([sigma])
      clock.pass(2 * HOUR)
      await stage.settle(first)
      await stage.programs([START + 30 * MINUTE])
      // Stopped without a word.
      clock.pass(2 * MINUTE)
      await first.close()
      const second = await stage.open([sigma])
      await stage.settle(second)
      expect(kept.of('sigma-odd')).toEqual(await found(stage, sigma))
      expect(kept.ids.size).toBe(1)
    }))

  it('lead to the findings that a clean run makes, where windows overlap', async () => {
    const [rule] = await rulesFrom(
      splText(
        'sliding',
        COUNT,
        'deployment: {scheduling: {cron_schedule: "0 * * * *", earliest_time: "-3h@h", latest_time: "now"}}\n',
      ),
    )
    if (rule === undefined) return expect.fail('no rule')
    const events = [10, 70, 75, 400, 410].map((minute) => START + minute * MINUTE)
    const clean = await openStage()
    const stage = await openStage()
    try {
      await clean.programs(events)
      const one = await clean.open([rule])
      clean.clock.pass(12 * HOUR)
      await clean.settle(one)
      const two = await stage.open([rule])
      for (let hour = 0; hour < 12; hour++) {
        stage.clock.pass(HOUR)
        await stage.settle(two)
      }
      // Each comes in late and alone; the last first.
      for (const each of events.toReversed()) {
        await stage.programs([each])
        await stage.settle(two)
      }
      expect(clean.kept.ids.size).toBeGreaterThan(2)
      const ids = [...stage.kept.ids.keys()]
      expect(ids).toEqual(expect.arrayContaining([...clean.kept.ids.keys()]))
    } finally {
      await clean.close()
      await stage.close()
    }
  })
})

describe('whatever the clock does', () => {
  it('runs each window once when it is set back and forth', () =>
    staged(async (stage) => {
      const { clock, kept } = stage
      const scheduler = await stage.open([sigma])
      await stage.programs(Array.from({ length: 30 }, (_, at) => START + at * 10 * MINUTE))
      const passing = async (minutes: number): Promise<void> => {
        for (let each = 0; each < minutes; each += 5) {
          clock.pass(5 * MINUTE)
          await stage.settle(scheduler)
        }
      }
      await passing(60)
      clock.set(clock.now() - HOUR)
      await passing(90)
      clock.set(clock.now() + HOUR)
      await passing(60)
      // The machine sleeps.
      clock.set(clock.now() + 2 * HOUR)
      await passing(10)
      const windows = await stage.windows()
      const end = (clock.now() - START) / MINUTE
      expect(times(windows)).toEqual(
        Array.from({ length: Math.floor((end - 1) / 5) }, (_, at) => (at + 1) * 5),
      )
      expect(kept.of('sigma-odd')).toEqual(await found(stage, sigma))
      expect(kept.known).toBe(0)
    }))

  it('runs each hour of a zone whose clocks change', async () => {
    const [rule] = await rulesFrom(splText('zoned', SEARCH))
    if (rule === undefined) return expect.fail('no rule')
    const start = Date.UTC(2026, 9, 24, 20)
    await staged(async (stage) => {
      const { plainSettings } = await import('../../src/detect/settings.ts')
      const settings = { ...plainSettings().schedule, zone: 'Europe/Berlin' }
      const scheduler = await stage.open([rule], { settings })
      await stage.programs(Array.from({ length: 10 }, (_, at) => start + at * HOUR + 5 * MINUTE))
      stage.clock.pass(11 * HOUR)
      await stage.settle(scheduler)
      expect(stage.kept.ids.size).toBe(10)
      expect(await stage.windows()).toHaveLength(10)
    }, start)
  })
})

describe('a rule that fails', () => {
  it('is paused after three tries, tells so, and goes on where it stopped', () =>
    staged(async (stage) => {
      const { clock, kept, store } = stage
      let isBroken = true
      const breaking = {
        ...store,
        records: store.records,
        lookups: store.lookups,
        catalogue: () => store.catalogue(),
        touched: (after: number) => store.touched(after),
        async *rows(sql: string) {
          if (isBroken && sql.includes('odd')) throw new EngineError('memory', 'too much')
          yield* store.rows(sql)
        },
      }
      const other = (await rulesFrom(sigmaText('sigma-fine', 'fine')))[0]
      if (other === undefined) return expect.fail('no rule')
      const scheduler = await stage.open([sigma, other], { store: breaking })
      await stage.programs([START + MINUTE])
      await stage.programs([START + 2 * MINUTE], 'fine')
      for (let minute = 0; minute < 30; minute++) {
        clock.pass(MINUTE)
        await stage.settle(scheduler)
      }
      const [odd, fine] = ['sigma-odd', 'sigma-fine'].map((key) =>
        scheduler.entries.find((each) => each.key === key),
      )
      expect(odd?.row).toMatchObject({ strikes: 3, checkpoint: START })
      expect(odd?.row.paused).toContain('MB')
      expect(fine?.row.checkpoint).toBe(START + 25 * MINUTE)
      expect(kept.of('sigma-fine')).toHaveLength(1)
      expect(kept.of('harrier-rule-paused')).toHaveLength(1)
      const [failed] = await stage.windows('sigma-odd')
      expect(failed).toMatchObject({ state: 'failed', tries: 3 })

      isBroken = false
      const state = await ScheduleState.open(store.records)
      await state.order({ rule: 'sigma-odd', want: 'resume', at: clock.now(), reason: '' })
      clock.pass(MINUTE)
      await stage.settle(scheduler)
      expect(kept.of('sigma-odd')).toEqual(await found(stage, sigma))
      expect((await stage.windows('sigma-odd')).map(({ state: each }) => each)).toEqual(
        Array(6).fill('ok'),
      )
    }))

  it('can be resumed after the window that fails', () =>
    staged(async (stage) => {
      const scheduler = await stage.open([sigma])
      const state = await ScheduleState.open(stage.store.records)
      await state.order({
        rule: 'sigma-odd',
        want: 'pause',
        at: stage.clock.now() + 1,
        reason: 'for a test',
      })
      stage.clock.pass(20 * MINUTE)
      await stage.settle(scheduler)
      expect(scheduler.entries[0]?.row.paused).toBe('for a test')
      expect(await stage.windows()).toEqual([])
      await state.order({ rule: 'sigma-odd', want: 'skip', at: stage.clock.now(), reason: '' })
      await stage.settle(scheduler)
      expect((await stage.windows()).map(({ state: each }) => each)).toEqual([
        'skipped',
        'ok',
        'ok',
      ])
    }))
})

describe('the owner of a schedule', () => {
  it('is one, and what an owner of before still writes counts for nothing', () =>
    staged(async (stage) => {
      const { clock, kept } = stage
      await stage.programs([START + MINUTE])
      const first = await stage.open([sigma], { holder: 'first', leaseHolds: 300 })
      await expect(stage.open([sigma], { holder: 'second' })).rejects.toThrow(LeaseError)
      clock.pass(6 * MINUTE)
      await stage.settle(first)
      // The first one is stopped for longer than its lease holds.
      await new Promise((done) => setTimeout(done, 400))
      const second = await stage.open([sigma], { holder: 'second', leaseHolds: 300 })
      clock.pass(10 * MINUTE)
      await expect(first.round()).rejects.toThrow('second')
      await stage.settle(second)
      const state = await ScheduleState.open(stage.store.records)
      const [row] = await state.rules()
      expect(row?.checkpoint).toBe(START + 15 * MINUTE)
      await state.keepRules([{ ...sample(row), checkpoint: 1 }], 1)
      expect((await state.rules())[0]?.checkpoint).toBe(START + 15 * MINUTE)
      expect(times(await stage.windows())).toEqual([5, 10, 15])
      expect(kept.ids.size).toBe(1)
      await second.close()
      const third = await stage.open([sigma], { holder: 'third' })
      expect(third.entries[0]?.row.checkpoint).toBe(START + 15 * MINUTE)
      // The third one dies without letting go.
      const hasEnded = (holder: string): boolean => holder === 'third'
      const fourth = await stage.open([sigma], { holder: 'fourth', hasEnded })
      expect(fourth.entries[0]?.row.checkpoint).toBe(START + 15 * MINUTE)
      await expect(stage.open([sigma], { holder: 'fifth', hasEnded })).rejects.toThrow('fourth')
    }))
})

function sample<T>(row: T | undefined): T {
  if (row === undefined) throw new Error('no row')
  return row
}
