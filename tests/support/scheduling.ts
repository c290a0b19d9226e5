/** A store, rules of all languages and a clock of their own, for tests of the schedule. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Keeper, WindowRun } from '../../src/detect/keeping/keeper.ts'
import type { Clock } from '../../src/detect/schedule/lease.ts'
import { Scheduler, type SchedulerOptions } from '../../src/detect/schedule/loop.ts'
import type { WindowRow } from '../../src/detect/schedule/state.ts'
import { ScheduleState } from '../../src/detect/schedule/state.ts'
import { plainSettings } from '../../src/detect/settings.ts'
import { openStore, type Store } from '../../src/engine/store.ts'
import { compilerHere } from '../../src/rules/kustolibrary.ts'
import { loadRules } from '../../src/rules/load.ts'
import type { Rule } from '../../src/rules/rule.ts'
import { readyMadeSchema } from '../../tools/product.ts'
import { batchOf, blockOf, type TestEvent } from './batches.ts'
import { temporaryEngine } from './temporary.ts'

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR
/** When the tests begin. */
export const START = Date.UTC(2026, 0, 5)

export interface SimulatedClock extends Clock {
  /** Time passes. */
  pass(ms: number): void
  /** The clock on the wall is set; no time passes. */
  set(ms: number): void
}

export function simulatedClock(start = START): SimulatedClock {
  let now = start
  let elapsed = 0
  return {
    now: () => now,
    elapsed: () => elapsed,
    wait: () => Promise.resolve(),
    pass(ms) {
      now += ms
      elapsed += ms
    },
    set(ms) {
      now = ms
    },
  }
}

/** A keeper that keeps in memory. */
export class Kept implements Keeper {
  readonly ids = new Map<string, WindowRun>()
  readonly runs: WindowRun[] = []
  known = 0

  keep(runs: readonly WindowRun[]): ReturnType<Keeper['keep']> {
    this.runs.push(...runs)
    return Promise.resolve(
      runs.map((run) => {
        const fresh = run.findings.filter(({ id }) => !this.ids.has(id))
        for (const { id } of run.findings) if (!this.ids.has(id)) this.ids.set(id, run)
        this.known += run.findings.length - fresh.length
        return {
          kept: fresh.length,
          known: run.findings.length - fresh.length,
          suppressed: 0,
        }
      }),
    )
  }

  /** Ids of what one rule has found, sorted. */
  of(rule: string): readonly string[] {
    return [...this.ids]
      .filter(([, run]) => run.rule.id === rule)
      .map(([id]) => id)
      .sort()
  }
}

const schema = readyMadeSchema()
const kusto = compilerHere(schema.tables)

/** A Sigma rule on a command line. */
export const sigmaText = (id: string, text: string): string =>
  `title: ${id}\nid: ${id}\nlogsource: {product: windows, category: process_creation}\n` +
  `detection: {s: {CommandLine|contains: '${text}'}, condition: s}\nlevel: high\n`

export const kustoText = (
  id: string,
  query: string,
  every = '1h',
  period = every,
  rest = '',
): string =>
  `id: ${id}\nname: ${id}\nseverity: High\nkind: Scheduled\nqueryFrequency: ${every}\nqueryPeriod: ${period}\n` +
  `triggerOperator: gt\ntriggerThreshold: 0\n${rest}query: |\n  ${query.replaceAll('\n', '\n  ')}\n`

export const splText = (id: string, search: string, rest = ''): string =>
  `name: ${id}\nid: ${id}\ntype: TTP\nstatus: production\ndescription: d\nsearch: '${search}'\n${rest}`

/** Loads rules from their texts. */
export async function rulesFrom(...texts: readonly string[]): Promise<readonly Rule[]> {
  const folder = mkdtempSync(join(tmpdir(), 'harrier-rules-'))
  texts.forEach((each, at) => {
    writeFileSync(join(folder, `${String(at).padStart(4, '0')}.yml`), each)
  })
  const { rules } = await loadRules([folder], {
    placeholders: new Map(),
    kusto,
    schema: () => schema,
  })
  rmSync(folder, { recursive: true, force: true })
  const found = rules.flatMap((each) => each.rule ?? [])
  if (found.length !== texts.length) {
    throw new Error(JSON.stringify(rules.flatMap(({ diagnostics }) => diagnostics)))
  }
  return found
}

export interface Stage {
  readonly store: Store
  readonly clock: SimulatedClock
  readonly kept: Kept
  /** Stores a program start of Sysmon for each time, in one batch. */
  programs(times: readonly number[], command?: string): Promise<void>
  /** Opens a scheduler for rules. */
  open(rules: readonly Rule[], options?: Partial<SchedulerOptions>): Promise<Scheduler>
  /** Rounds until nothing more is due. */
  settle(scheduler: Scheduler): Promise<number>
  /** Results of windows, the earliest first. */
  windows(rule?: string): Promise<readonly WindowRow[]>
  close(): Promise<void>
}

let batches = 0

export async function openStage(start = START): Promise<Stage> {
  const { engine, close } = await temporaryEngine()
  const clock = simulatedClock(start)
  const kept = new Kept()
  const store = await openStore({
    engine,
    now: clock.now,
    source: (name) => schema.sources.get(name),
  })
  return {
    store,
    clock,
    kept,
    async programs(times, command = 'odd') {
      const events = times.map(
        (time): TestEvent => ({
          time,
          fields: [
            ['EventID', '1'],
            ['Channel', 'Microsoft-Windows-Sysmon/Operational'],
            ['Computer', `host${Math.floor(time / MINUTE) % 3}`],
            ['Image', 'C:\\app.exe'],
            ['CommandLine', command],
          ],
        }),
      )
      const id = `batch${batches++}`
      await store.write(batchOf([blockOf('windows.sysmon', events)], { id, file: id }))
    },
    open: (rules, options = {}) =>
      Scheduler.open(
        {
          store,
          schema,
          settings: plainSettings().schedule,
          keeper: kept,
          clock,
          holder: 'test',
          ...options,
        },
        rules,
      ),
    async settle(scheduler) {
      for (let rounds = 1; ; rounds++) {
        const { more } = await scheduler.round()
        if (!more) return rounds
      }
    },
    async windows(rule) {
      const state = await ScheduleState.open(store.records)
      return (await state.windows(rule)).toReversed()
    },
    close,
  }
}
