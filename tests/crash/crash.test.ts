/**
 * The program is killed at every named step, time and again: what it has found, stored and sent is the same as if nobody
 * had disturbed it. `npm run crash` does the same for longer.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { STEPS } from '../../src/core/steps.ts'
import { randomFrom } from '../../tools/random.ts'
import {
  compare,
  makeWorkshop,
  runScenario,
  type ScenarioResult,
  type Workshop,
} from './crashing.ts'

const TICKS = 8
const KILLS = 20
/** Kills of all runs, of which there are two at a time. */
const WANTED = 20
const MOST_RUNS = 12
/** A machine that is busy with other things needs long for so many starts. */
const LONG = 900_000

let workshop: Workshop
let clean: ScenarioResult
beforeAll(async () => {
  workshop = await makeWorkshop()
  clean = await runScenario(workshop, {
    ticks: TICKS,
    steps: [],
    kills: 0,
    random: randomFrom(0).next,
  })
}, LONG)
afterAll(() => workshop.close())

it('has something to lose: findings of all languages, risk, windows, messages', () => {
  const { findings, risks, windows, events, outbox } = clean.report
  const rules = new Set(findings.map((each) => each.split(' ')[0]))
  expect([...rules].sort()).toEqual([
    'kusto-odd',
    'many-odd',
    'risk-incident',
    'sigma-odd',
    'spl-odd',
  ])
  expect(risks.length).toBeGreaterThan(3)
  expect(windows.length).toBeGreaterThan(10)
  expect(events).toHaveLength(TICKS * 4)
  expect(outbox).toHaveLength(findings.length * 2)
  expect(outbox.every((each) => each.endsWith(' sent'))).toBe(true)
  expect(clean.hook).toHaveLength(findings.length)
})

it(
  'loses nothing, doubles nothing and tells everything once, wherever it is killed',
  async () => {
    let kills = 0
    // How many kills a run comes to hangs on where they fall, so there are as many runs as that takes.
    const lane = async (first: number, steps: typeof STEPS): Promise<void> => {
      for (let seed = first; kills <= WANTED && seed < first + MOST_RUNS; seed += 2) {
        const random = randomFrom(seed).next
        const result = await runScenario(workshop, { ticks: TICKS, steps, kills: KILLS, random })
        const { repeated, ...rest } = compare(clean, result)
        expect(rest).toEqual({
          findings: 0,
          risks: 0,
          windows: 0,
          lost: 0,
          doubled: 0,
          untold: 0,
          toldTwice: 0,
        })
        // Only a kill between sending and noting makes a repeat, and it has the key of the message.
        expect(repeated).toBeLessThanOrEqual(result.kills)
        kills += result.kills
      }
    }
    await Promise.all([lane(1, STEPS), lane(2, STEPS.toReversed())])
    expect(kills).toBeGreaterThan(WANTED)
  },
  LONG,
)
