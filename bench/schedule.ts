/**
 * The schedule under load: `node tools/run.mjs bench/schedule.ts [--rules 500] [--days 3] [--minutes 1] [--rate 5000]`. First the
 * time that it takes to catch up after a downtime, then lag, memory and processor time over an intake of events. Rules are of all
 * languages in equal parts, each with a literal of its own; some of them fire.
 */
import { cpus } from 'node:os'
import { isoOfMs } from '../src/core/time.ts'
import type { Rule } from '../src/rules/rule.ts'
import {
  HOUR,
  kustoText,
  MINUTE,
  openStage,
  rulesFrom,
  sigmaText,
  splText,
} from '../tests/support/scheduling.ts'

function option(name: string, usual: number): number {
  const at = process.argv.indexOf(`--${name}`)
  const value = Number(process.argv[at + 1])
  return at < 0 || !(value > 0) ? usual : value
}

const RULES = option('rules', 500)
const DAYS = option('days', 3)
const MINUTES = option('minutes', 1)
const RATE = option('rate', 5_000)
/** Events of the downtime, for each minute of it. */
const PER_MINUTE = 20
const STEP = 1_000

function textOf(index: number): string {
  const word = `word${index}`
  if (index % 3 === 0) return sigmaText(`sigma-${index}`, word)
  if (index % 3 === 1) {
    const search = `\`sysmon\` EventCode=1 CommandLine="*${word}*" | stats count min(_time) as firstTime by dest CommandLine`
    return splText(`spl-${index}`, search)
  }
  const query = `Event | where Source == "Microsoft-Windows-Sysmon" and RenderedDescription has "${word}"`
  return kustoText(`kusto-${index}`, query)
}

const say = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

const percentile = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0

async function catchUp(rules: readonly Rule[]): Promise<void> {
  const stage = await openStage()
  try {
    const first = await stage.open(rules)
    await first.close()
    const start = stage.clock.now()
    const minutes = DAYS * 24 * 60
    for (let minute = 0; minute < minutes; minute += 500) {
      const times = Array.from(
        { length: Math.min(500, minutes - minute) * PER_MINUTE },
        (_, at) => start + minute * MINUTE + (at * MINUTE) / PER_MINUTE,
      )
      await stage.programs(times, `word${minute % RULES}`)
    }
    stage.clock.pass(DAYS * 24 * HOUR + 10 * MINUTE)
    const from = performance.now()
    const scheduler = await stage.open(rules, { holder: 'again' })
    await stage.settle(scheduler)
    const seconds = (performance.now() - from) / 1_000
    const factor = (DAYS * 86_400) / seconds
    say(
      `catch-up: ${rules.length} rules, ${DAYS} days, ${minutes * PER_MINUTE} events: ${scheduler.windows} windows in ` +
        `${seconds.toFixed(1)} s, ${Math.round(factor)} times real time, ${scheduler.failed} failed, ${scheduler.findings} findings`,
    )
    const behind = scheduler.entries.filter((each) => each.behind(stage.clock.now()) > 0).length
    say(`rules behind at the end: ${behind}`)
    await scheduler.close()
  } finally {
    await stage.close()
  }
}

/** Real time: events come in at a rate while rules run each minute. */
async function underIntake(rules: readonly Rule[]): Promise<void> {
  const stage = await openStage(Date.now())
  try {
    const began = Date.now()
    const used = process.cpuUsage()
    const clock = {
      ...stage.clock,
      now: () => Date.now(),
      elapsed: () => performance.now(),
      wait: (ms: number) => new Promise<void>((done) => setTimeout(done, ms)),
    }
    const tuned = rules.map((rule) => ({
      ...rule,
      tuning: { file: 'bench', schedule: { every: MINUTE, lookback: MINUTE, delay: 5_000 } },
    }))
    const scheduler = await stage.open(tuned, { clock })
    let stored = 0
    let isOver = false
    const intake = (async (): Promise<void> => {
      while (!isOver) {
        const at = Date.now()
        const times = Array.from(
          { length: RATE },
          (_, index) => at - 1_000 + (index * 1_000) / RATE,
        )
        await stage.programs(times, `word${stored % 7}`)
        stored += RATE
        await new Promise((done) => setTimeout(done, Math.max(0, STEP - (Date.now() - at))))
      }
    })()
    let most = 0
    while (Date.now() - began < MINUTES * MINUTE) {
      await scheduler.round()
      most = Math.max(most, process.memoryUsage().rss)
      await clock.wait(500)
    }
    isOver = true
    await intake
    const seconds = (Date.now() - began) / 1_000
    const windows = await stage.windows()
    const lags = windows.map(({ lag }) => lag / 1_000).sort((a, b) => a - b)
    const { user, system } = process.cpuUsage(used)
    say(
      `intake: ${rules.length} rules each minute, ${Math.round(stored / seconds)} events/s for ${seconds.toFixed(0)} s from ${isoOfMs(began)}: ` +
        `${windows.length} windows, lag p50 ${percentile(lags, 0.5).toFixed(1)} s, p99 ${percentile(lags, 0.99).toFixed(1)} s, ` +
        `${scheduler.failed} failed, ${scheduler.findings} findings`,
    )
    say(
      `memory of the parent ${Math.round(most / 1e6)} MB; processor time of the parent ${((user + system) / 1e4 / seconds).toFixed(0)} % ` +
        `of one of ${cpus().length} cores`,
    )
    await scheduler.close()
  } finally {
    await stage.close()
  }
}

const rules = await rulesFrom(...Array.from({ length: RULES }, (_, index) => textOf(index)))
if (!process.argv.includes('--no-catch-up')) await catchUp(rules)
if (!process.argv.includes('--no-intake')) await underIntake(rules)
process.exit(0)
