/**
 * A program that takes in events, runs rules of all languages on their schedules over a simulated clock, keeps what they
 * find and sends messages about it, and is killed at the n-th arrival at a named step. Started again it goes on from what
 * is on disk. When it comes to the end it prints what the store holds. Bundled and started by `crashing.ts`.
 */
import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { deserialize, startupSnapshot } from 'node:v8'
import { Section } from '../../src/core/section.ts'
import { listenToSteps, type Step } from '../../src/core/steps.ts'
import { makeKeeper } from '../../src/detect/keeping/keep.ts'
import { readRiskSettings } from '../../src/detect/keeping/risksettings.ts'
import { openNotify } from '../../src/detect/notify/notify.ts'
import { outboxTable } from '../../src/detect/notify/outbox.ts'
import { Scheduler } from '../../src/detect/schedule/loop.ts'
import { ScheduleState } from '../../src/detect/schedule/state.ts'
import { plainSettings, readSettings } from '../../src/detect/settings.ts'
import { openChdb } from '../../src/engine/chdb.ts'
import { openStore, type Store } from '../../src/engine/store.ts'
import { type Attack, readAttack } from '../../src/rules/attack.ts'
import { loadRules } from '../../src/rules/load.ts'
import type { Rule, TunedSchedule } from '../../src/rules/rule.ts'
import type { SchemaCatalogue } from '../../src/schema/catalogue.ts'
import { readSchema } from '../../src/schema/load.ts'
import { batchOf, blockOf, type TestEvent } from '../support/batches.ts'

const MINUTE = 60_000
export const START = Date.UTC(2026, 0, 5)
export const TICK = 5 * MINUTE
/** Searches run every hour else, which would make the scenario long. */
const EVERY: Readonly<Record<string, TunedSchedule>> = {
  'spl-odd': { every: 10 * MINUTE, lookback: 10 * MINUTE, delay: MINUTE },
  'risk-incident': { every: 10 * MINUTE, lookback: 60 * MINUTE, delay: 2 * MINUTE },
}
/** Events of one tick. */
const EVENTS = 4

export interface ScenarioOptions {
  /** Folder of the store, the position and the file channel. */
  readonly folder: string
  readonly childPath: string
  readonly hook: string
  readonly ticks: number
  /** Where the program kills itself; absent: nowhere. */
  readonly kill?: {
    readonly step: Step
    readonly arrival: number
    /** True: the engine's process dies with it; false: it goes on with what it was doing. */
    readonly whole: boolean
  }
}

/** What the store holds when all is done. */
export interface ScenarioReport {
  /** Ids of findings as they are stored, sorted; a doubled one stands twice. */
  readonly findings: readonly string[]
  /** Risk events in the same way: object and finding. */
  readonly risks: readonly string[]
  /** Rule, time and state of each window. */
  readonly windows: readonly string[]
  /** Numbers of events. */
  readonly events: readonly number[]
  /** Finding, channel and state of each message. */
  readonly outbox: readonly string[]
}

const program = (time: number, n: number, command: string, host: string): TestEvent => ({
  time,
  fields: [
    ['EventID', '1'],
    ['Channel', 'Microsoft-Windows-Sysmon/Operational'],
    ['Computer', host],
    ['Image', 'C:\\app.exe'],
    ['CommandLine', command],
    ['User', `user${n % 3}`],
    ['n', String(n)],
  ],
})

/** The batch of a tick: hits, a plain event, and one that comes late by half an hour. */
export function batchOfTick(tick: number) {
  const at = START + tick * TICK
  const n = tick * EVENTS
  const events = [
    program(at - 4 * MINUTE, n, 'odd one', `host${tick % 2}`),
    program(at - 3 * MINUTE, n + 1, 'plain', 'host0'),
    program(at - 2 * MINUTE, n + 2, tick % 3 === 0 ? 'odd two' : 'plain', 'host1'),
    program(at - 32 * MINUTE, n + 3, tick % 4 === 3 ? 'odd late' : 'plain late', 'host2'),
  ]
  const id = `tick-${tick}`
  return batchOf([blockOf('windows.sysmon', events)], { id, file: id })
}

/** Numbers of the events of a tick. */
export const eventsOfTick = (tick: number): readonly number[] =>
  Array.from({ length: EVENTS }, (_, at) => tick * EVENTS + at)

async function rulesIn(folder: string, schema: SchemaCatalogue): Promise<readonly Rule[]> {
  const { rules } = await loadRules([folder], { placeholders: new Map(), schema: () => schema })
  const wrong = rules.filter((each) => each.rule === undefined)
  if (wrong.length > 0) throw new Error(JSON.stringify(wrong.map((each) => each.diagnostics)))
  const found = rules.flatMap((each) => each.rule ?? [])
  // Compiled before: the front end takes longer to load than all the rest to run.
  const compiled: readonly Rule[] = deserialize(readFileSync(join(folder, 'kusto.bin')))
  return [...found, ...compiled].map((rule) => {
    const schedule = EVERY[rule.id]
    return schedule === undefined ? rule : { ...rule, tuning: { file: 'test', schedule } }
  })
}

function openScheduler(
  store: Store,
  schema: SchemaCatalogue,
  keeper: ReturnType<typeof makeKeeper>,
  now: () => number,
  rules: readonly Rule[],
) {
  const clock = { now, elapsed: now, wait: () => Promise.resolve() }
  const { schedule } = plainSettings()
  const options = {
    store,
    schema,
    settings: schedule,
    keeper,
    clock,
    holder: `process ${process.pid}`,
  }
  // The lease of a killed owner must not be waited for; two owners are another test's.
  return Scheduler.open({ ...options, leaseHolds: 1 }, rules)
}

async function column(store: Store, sql: string): Promise<readonly string[]> {
  const found: string[] = []
  for await (const row of store.rows(sql)) found.push(row.map(String).join(' '))
  return found
}

async function reportOf(store: Store): Promise<ScenarioReport> {
  const state = await ScheduleState.open(store.records)
  const table = await outboxTable(store.records)
  const numbers = await column(store, 'SELECT n FROM `events_windows:sysmon` ORDER BY toUInt32(n)')
  return {
    findings: await column(
      store,
      'SELECT rule_id, id FROM `events_harrier:finding` ORDER BY rule_id, id',
    ),
    risks: await column(
      store,
      'SELECT id, risk_object, calculated_risk_score FROM `events_harrier:risk` ORDER BY id, risk_object',
    ),
    windows: (await state.windows())
      .map(({ rule, at, state: ended }) => `${rule} ${at} ${ended}`)
      .sort(),
    events: numbers.map(Number),
    outbox: (await table.read({ order: ['finding', 'channel'] })).map(
      (row) => `${row.finding} ${row.channel} ${row.state}`,
    ),
  }
}

function listen({ kill }: ScenarioOptions): void {
  if (kill === undefined) return
  let left = kill.arrival
  listenToSteps((step) => {
    if (step !== kill.step || --left > 0) return
    process.kill(kill.whole ? -process.pid : process.pid, 'SIGKILL')
  })
}

/** What does not change from life to life; it is made once and kept as a snapshot of the program. */
interface Prepared {
  readonly schema: SchemaCatalogue
  readonly rules: readonly Rule[]
  readonly attack: Attack
}

/** Reads all that the program needs beside the store. */
async function prepare(content: string, ruleFolder: string): Promise<Prepared> {
  const schemaFolder = join(content, 'schema')
  const files = readdirSync(schemaFolder, { recursive: true })
    .map(String)
    .filter((name) => /\.(?:yml|txt|kql)$/.test(name))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(schemaFolder, path), 'utf8') }))
  const { value: schema } = readSchema(files)
  if (schema === undefined) throw new Error('no schema')
  const rules = await rulesIn(ruleFolder, schema)
  const attack = readAttack(readFileSync(join(content, 'attack/enterprise.txt'), 'utf8'))
  return { schema, rules, attack }
}

async function main(options: ScenarioOptions, { schema, rules, attack }: Prepared): Promise<void> {
  const { folder, childPath } = options
  const engine = await openChdb({ path: join(folder, 'db'), childPath })
  let now = START
  const store = await openStore({
    engine,
    now: () => now,
    source: (name) => schema.sources.get(name),
  })
  const { value: settings } = readSettings(
    `notify:\n  allow: [127.0.0.0/8]\n  channels:\n    - {name: file, kind: file, path: out.jsonl, per_minute: 10000}\n    - {name: hook, kind: webhook, url: "${options.hook}", per_minute: 10000}\n`,
  )
  if (settings === undefined) throw new Error('no settings')
  const { value: notify } = await openNotify({
    records: store.records,
    settings: settings.notify,
    clock: { now: () => now, wait: () => Promise.resolve() },
    tell: ({ message }) => writeSync(2, `${message}\n`),
    env: {},
    pathOf: (path) => join(folder, path),
    hostname: 'test',
    version: '0',
  })
  if (notify === undefined) throw new Error('no channels')
  const keeper = makeKeeper({
    store,
    schema,
    attack,
    risk: readRiskSettings(new Section(undefined, 'risk', () => {})),
    now: () => ({ ms: now, sub: 0 }),
    outbox: notify.outbox,
  })
  const position = join(folder, 'position')
  const from = existsSync(position) ? Number(readFileSync(position, 'utf8')) : 0
  now = START + from * TICK
  listen(options)
  const scheduler = await openScheduler(store, schema, keeper, () => now, rules)
  for (let tick = from; tick < options.ticks; tick++) {
    now = START + tick * TICK
    if (tick > from) await scheduler.use(rules)
    await store.write(batchOfTick(tick))
    writeSync(1, `${tick}\n`)
    while ((await scheduler.round()).more) now += 1
    let next: number | undefined
    do {
      next = (await notify.courier.pass()).next
      if (next !== undefined) now = Math.max(now, next)
    } while (next !== undefined)
    writeFileSync(`${position}.new`, String(tick + 1))
    renameSync(`${position}.new`, position)
  }
  listenToSteps(undefined)
  await scheduler.close()
  const report = await reportOf(store)
  await engine.close()
  writeSync(1, `${JSON.stringify(report)}\n`)
}

/** What the bundle is told when it is made; see `crashing.ts`. */
declare const CRASH_CONTENT: string | undefined
declare const CRASH_RULES: string | undefined

if (typeof CRASH_CONTENT === 'string' && typeof CRASH_RULES === 'string') {
  const preparing = prepare(CRASH_CONTENT, CRASH_RULES)
  let prepared: Prepared | undefined
  void preparing.then((made) => {
    prepared = made
  })
  startupSnapshot.setDeserializeMainFunction(() => {
    const [, given = '{}'] = process.argv
    if (prepared === undefined) throw new Error('the program was not prepared')
    main(JSON.parse(given), prepared).then(
      () => process.exit(0),
      (error: unknown) => {
        writeSync(2, `${error instanceof Error ? error.stack : String(error)}\n`)
        process.exit(1)
      },
    )
  })
}
