/**
 * `node tools/run.mjs bench/hunting.ts [--events N] [--runs N] [--only TEXT] [--sql] [--store FOLDER]`: Kusto queries over so
 * many events, each beside SQL by hand over the same stored columns, run in turns. Rows must be
 * equal; nothing is asserted of time. A named store is filled once and kept.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { planQuery } from '../src/detect/runquery.ts'
import { openChdb } from '../src/engine/chdb.ts'
import type { Engine } from '../src/engine/engine.ts'
import { openStore, type Store } from '../src/engine/store.ts'
import type { Rel } from '../src/ir/rel.ts'
import { atTime } from '../src/plan/now.ts'
import { compilerHere } from '../src/rules/kustolibrary.ts'
import type { SchemaCatalogue } from '../src/schema/catalogue.ts'
import type { StoredCatalogue } from '../src/schema/stored.ts'
import { readInto, readyMadeSchema } from '../tools/product.ts'
import { randomFrom } from '../tools/random.ts'
import { processEvents } from './generate.ts'
import { HUNTS, MONTH } from './hunts.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
/** Events that are read as logs; the others are copies with times and texts of their own. */
const SEED = 20_000
const MONTH_MS = 30 * 86_400_000

type Event = Readonly<Record<string, unknown>>

/** Half processes, a quarter connections, an eighth DNS and sign-ins each, all within the first hours of the month. */
function* seedEvents(): Iterable<Event> {
  const random = randomFrom(2)
  const start = Date.parse(`${MONTH}T00:00:00Z`)
  let place = 0
  for (const process of processEvents(SEED / 2)) {
    const iso = new Date(start + place++ * 1_000).toISOString()
    const common = {
      '@timestamp': iso,
      Channel: process.Channel,
      Hostname: process.Hostname,
      SourceName: process.SourceName,
      EventRecordID: process.EventRecordID,
    }
    const actor = { ProcessGuid: process.ProcessGuid, Image: process.Image, User: process.User }
    yield { ...process, '@timestamp': iso }
    if (place % 2 === 0) {
      yield {
        ...common,
        ...actor,
        EventID: 3,
        Initiated: 'true',
        Protocol: 'tcp',
        SourceIp: `10.0.${random.below(8)}.${random.below(250)}`,
        DestinationIp: `203.0.113.${random.below(250)}`,
        DestinationPort: random.pick(['443', '443', '443', '80', '53', '8080']),
      }
    } else if (place % 4 === 1) {
      const name = `host${random.below(3_000)}.example.com`
      yield { ...common, ...actor, EventID: 22, QueryName: name, QueryStatus: '0' }
    } else {
      yield signIn(iso, random)
    }
  }
}

function signIn(iso: string, random: ReturnType<typeof randomFrom>): Event {
  const result = (): string => random.pick(['success', 'failure', 'notApplied'])
  return {
    TimeGenerated: iso,
    Type: 'SigninLogs',
    Category: 'SignInLogs',
    UserPrincipalName: `user${random.below(1_500)}@example.com`,
    AppDisplayName: random.pick(['Azure Portal', 'Exchange Online', 'Teams', 'Graph']),
    ClientAppUsed: random.pick(['Browser', 'IMAP4', 'Mobile Apps and Desktop clients']),
    IPAddress: `198.51.100.${random.below(250)}`,
    Location: random.pick(['DE', 'FR', 'US', 'NL']),
    LocationDetails: { city: random.pick(['Berlin', 'Paris', 'Delft']), state: 'n/a' },
    ResultType: random.pick(['0', '0', '0', '50126']),
    DeviceDetail: JSON.stringify({
      os: random.pick(['Windows', 'Linux', 'MacOs']),
      browser: 'Edge 120',
      net: { city: random.pick(['Berlin', 'Paris', 'Delft']), asn: random.below(60_000) },
    }),
    AuthenticationDetails: JSON.stringify(
      Array.from({ length: random.between(1, 4) }, (_, at) => ({
        id: random.guid(),
        displayName: `policy ${at}`,
        result: result(),
      })),
    ),
  }
}

/** Fills the tables: seed events through the intake, then copies of them over a month, made by the engine. */
async function fill(store: Store, engine: Engine, folder: string, events: number): Promise<void> {
  const path = join(folder, 'seed.jsonl')
  writeFileSync(path, [...seedEvents()].map((each) => JSON.stringify(each)).join('\n'))
  await readInto(store, [path])
  const copies = Math.round(events / SEED)
  const apart = Math.floor(MONTH_MS / copies)
  const later = `addMilliseconds(\`@time\`, copy * ${apart} + cityHash64(\`@record\`, copy) % ${apart})`
  for (const [table, replaced] of [
    [
      'events_windows:sysmon',
      `, if(copy % 2 = 0 OR CommandLine = '', CommandLine, concat(CommandLine, ' /r:', toString(copy))) AS CommandLine`,
    ],
    ['events_azure:signinlogs', ''],
  ]) {
    await engine.command(
      `INSERT INTO \`${table}\` SELECT * EXCEPT copy REPLACE (${later} AS \`@time\`${replaced}) FROM (SELECT *, arrayJoin(range(1, ${copies})) AS copy FROM \`${table}\`)`,
    )
    await engine.command(`OPTIMIZE TABLE \`${table}\` FINAL`)
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

/** Rows as sorted texts; numbers of both are texts when they have 64 bits. */
async function rowsOf(store: Store, sql: string): Promise<readonly [readonly string[], number]> {
  const rows: string[] = []
  const started = performance.now()
  for await (const row of store.rows(sql, { conditionCache: false })) {
    rows.push(row.map(String).join('\t'))
  }
  return [rows.sort(), performance.now() - started]
}

interface World {
  readonly store: Store
  readonly schema: SchemaCatalogue
  readonly now: string
  readonly runs: number
}

/** A query beside SQL by hand that gives the same rows. */
export interface Comparison {
  readonly name: string
  readonly sql: string
  /** Share of the time by hand that the query is meant to stay within. */
  readonly goal?: number
  /** The query's plan; undefined when it does not compile. */
  readonly compile: (
    schema: SchemaCatalogue,
    stored: StoredCatalogue,
  ) => Rel | undefined | Promise<Rel | undefined>
}

const kustoHunts: readonly Comparison[] = HUNTS.map(({ kusto, ...hunt }) => ({
  ...hunt,
  async compile(schema) {
    const compiler = compilerHere(schema.tables)
    const [answer] = await compiler.compile([{ query: kusto, name: 'bench' }], [], [])
    return answer?.queries[0]?.rel
  },
}))

async function measure(hunt: Comparison, world: World): Promise<void> {
  const { store, schema, now, runs } = world
  const stored = await store.catalogue()
  const rel = await hunt.compile(schema, stored)
  if (rel === undefined) throw new Error(`${hunt.name} does not compile`)
  const { value: plan } = planQuery(atTime(rel, now), { schema, stored, time: {} })
  if (plan === undefined) throw new Error(`${hunt.name} has no plan`)
  const byHand = hunt.sql.replaceAll('{now}', now.replace('T', ' ').replace('Z', ''))
  if (process.argv.includes('--sql')) console.log(`\n${plan.sql}\n-- by hand\n${byHand}`)
  const [ours] = await rowsOf(store, plan.sql)
  const [theirs] = await rowsOf(store, byHand)
  const same = ours.length === theirs.length && ours.every((each, at) => each === theirs[at])
  const times: { readonly ours: number[]; readonly theirs: number[] } = { ours: [], theirs: [] }
  for (let run = 0; run < runs; run++) {
    const both = [
      async () => times.ours.push((await rowsOf(store, plan.sql))[1]),
      async () => times.theirs.push((await rowsOf(store, byHand))[1]),
    ]
    // In turns, so that what else the machine does falls on both.
    for (const each of run % 2 === 0 ? both : both.reverse()) await each()
  }
  const [ourTime, theirTime] = [median(times.ours), median(times.theirs)]
  const goal = hunt.goal === undefined ? '' : `  goal ${hunt.goal}`
  console.log(
    `${hunt.name.padEnd(42)} ${ourTime.toFixed(0).padStart(6)} ms  by hand ${theirTime.toFixed(0).padStart(6)} ms  ratio ${(ourTime / theirTime).toFixed(2)} (fastest ${(Math.min(...times.ours) / Math.min(...times.theirs)).toFixed(2)})${goal}${same ? `  ${ours.length} rows` : `  ROWS DIFFER: ${ours.length}, ${theirs.length}: ${ours[0]} | ${theirs[0]}`}`,
  )
}

export interface HuntOptions {
  readonly events: number
  readonly runs: number
  /** Only hunts whose name holds the text. */
  readonly only?: string | undefined
  /** Folder of a store that is filled once and kept; a temporary one else. */
  readonly store?: string | undefined
}

/** Runs queries over generated events and prints a line for each. */
export async function runComparisons(
  hunts: readonly Comparison[],
  { events, runs, only, store: kept }: HuntOptions,
): Promise<void> {
  const folder = kept ?? mkdtempSync(join(tmpdir(), 'harrier-bench-'))
  const path = join(folder, 'db')
  const engine = await openChdb({ path, childPath: join(ROOT, 'dist/engine-child.js') })
  try {
    const schema = readyMadeSchema()
    const store = await openStore({ engine, source: (name) => schema.sources.get(name) })
    if ((await store.catalogue()).size === 0) await fill(store, engine, folder, events)
    // Within the events: the last hours of the month have fewer of them.
    const now = new Date(Date.parse(`${MONTH}T00:00:00Z`) + MONTH_MS - 6 * 3_600_000).toISOString()
    const load = loadavg().map((each) => each.toFixed(1))
    console.log(
      `${availableParallelism()} cores of ${cpus()[0]?.model}, load ${load.join(' ')}, ${events} events`,
    )
    for (const hunt of hunts) {
      if (only === undefined || hunt.name.includes(only)) {
        await measure(hunt, { store, schema, now, runs })
      }
    }
    console.log(`load ${loadavg()[0]?.toFixed(1)} at the end`)
  } finally {
    await engine.close()
    if (kept === undefined) rmSync(folder, { recursive: true, force: true })
  }
}

/** Runs the Kusto queries. */
export const runHunts = (options: HuntOptions): Promise<void> => runComparisons(kustoHunts, options)

export function option(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? undefined : process.argv[at + 1]
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await runHunts({
    events: Number(option('events') ?? 2_000_000),
    runs: Number(option('runs') ?? 7),
    only: option('only'),
    store: option('store'),
  })
}
