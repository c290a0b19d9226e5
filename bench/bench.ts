/**
 * `npm run bench [-- --events N] [--evtx N] [--rules PATH] [--hunts N]`: what the product does in a second on this machine, each figure beside the
 * machine's own limit measured in the same run. Nothing is asserted; machines differ.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { availableParallelism, cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runRules } from '../src/detect/run.ts'
import type { Store } from '../src/engine/store.ts'
import type { Sink } from '../src/ingest/decoder.ts'
import { evtx } from '../src/ingest/evtx.ts'
import { call, text } from '../src/ir/expr.ts'
import { loadRules } from '../src/rules/load.ts'
import { printSql } from '../src/sql/print.ts'
import { readInto, readyMadeSchema, withStore } from '../tools/product.ts'
import { writeEvtxFile, writeJsonLines } from './generate.ts'
import { runHunts } from './hunting.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const OUT = join(ROOT, 'bench/out')
const MB = 1024 * 1024

function option(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? undefined : process.argv[at + 1]
}

function say(name: string, figure: string, beside = ''): void {
  console.log(`${name.padEnd(44)} ${figure.padStart(24)}   ${beside}`)
}

const perSecond = (count: number, seconds: number): string =>
  `${Math.round(count / seconds).toLocaleString('en')}/s`

async function timed<T>(action: () => Promise<T>): Promise<readonly [T, number]> {
  const started = performance.now()
  const value = await action()
  return [value, (performance.now() - started) / 1000]
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

async function* oneChunk(path: string): AsyncIterable<Uint8Array> {
  const bytes = readFileSync(path)
  for (let at = 0; at < bytes.length; at += MB) yield bytes.subarray(at, at + MB)
}

/** Decoding alone: fields and raw text are made and thrown away. */
async function decodeEvtx(path: string): Promise<void> {
  let events = 0
  const sink: Sink = {
    event: () => {
      events++
    },
    reject: () => undefined,
    damage: () => undefined,
    ready: () => Promise.resolve(),
  }
  const context = { file: path, now: { ms: 0, sub: 0 } }
  const times: number[] = []
  for (let pass = 0; pass < 5; pass++) {
    events = 0
    const [, took] = await timed(() => evtx.decode(oneChunk(path), sink, context))
    // The first two passes warm the code up.
    if (pass >= 2) times.push(took)
  }
  const seconds = median(times)
  const size = statSync(path).size / MB
  say(
    'EVTX parse, one core',
    perSecond(events, seconds),
    `${(size / seconds).toFixed(0)} MB/s of file`,
  )
}

async function store(name: string, path: string): Promise<void> {
  await withStore(async (into) => {
    const [report, seconds] = await timed(() => readInto(into, [path]))
    const size = statSync(path).size / MB
    say(
      name,
      perSecond(report.stored, seconds),
      `${(size / seconds).toFixed(0)} MB/s, ${report.stored} events`,
    )
  })
}

/** Reading and lower-casing the command line of every event: what one substring search cannot go below. */
async function scanLimit(into: Store): Promise<number> {
  const sql = printSql({
    op: 'aggregate',
    by: [],
    into: [{ name: 'n', fn: 'agg.count', args: [], type: 'int' }],
    from: {
      op: 'filter',
      where: call('match.contains', [
        { op: 'field', name: 'CommandLine', type: 'text', stored: 'blank' },
        text('no such text anywhere'),
      ]),
      from: { op: 'scan', table: { kind: 'source', name: 'windows.sysmon' }, time: {}, out: [] },
    },
  })
  const once = async (): Promise<void> => {
    for await (const _ of into.rows(sql, { conditionCache: false }));
  }
  await once()
  const times: number[] = []
  for (let index = 0; index < 5; index++) times.push((await timed(once))[1])
  return median(times)
}

/** Most memory that the engine's child has had, in MB, where the system tells. */
function childPeak(): string {
  let most = 0
  for (const pid of existsSync('/proc')
    ? readdirSync('/proc').filter((name) => /^\d+$/.test(name))
    : []) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8')
      if (Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]) !== process.pid) continue
      most = Math.max(most, Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0))
    } catch {
      // The process has ended meanwhile.
    }
  }
  return most === 0 ? 'unknown' : `${Math.round(most / 1024)} MB`
}

async function manyRules(path: string, rulePath: string): Promise<void> {
  const { rules } = await loadRules([rulePath], { placeholders: new Map() })
  const windows = rules.flatMap((each) =>
    each.rule?.logsource.includes('windows') ? [each.rule] : [],
  )
  await withStore(async (into) => {
    const [intake, seconds] = await timed(() => readInto(into, [path]))
    say(
      'JSON lines to stored',
      `${(statSync(path).size / MB / seconds).toFixed(0)} MB/s`,
      perSecond(intake.stored, seconds),
    )
    const limit = await scanLimit(into)
    say(
      'one substring search (scan limit)',
      `${(limit * 1000).toFixed(0)} ms`,
      `${intake.stored} events`,
    )
    const [report, took] = await timed(() =>
      runRules({
        rules: windows,
        schema: readyMadeSchema(),
        store: into,
        time: {},
        onFinding: () => undefined,
        query: { conditionCache: false },
      }),
    )
    const ran = report.outcomes.filter(
      (each) => each.state === 'fired' || each.state === 'quiet',
    ).length
    say(
      `${windows.length} Windows rules, ${ran} with data`,
      `${took.toFixed(1)} s`,
      `${report.findings} findings, ${report.scans} scans, ${(took / limit).toFixed(0)} x the scan limit`,
    )
    say(
      'peak memory: this process, engine',
      `${Math.round(process.memoryUsage.rss() / MB)} MB, ${childPeak()}`,
    )
  })
}

async function main(): Promise<void> {
  const lines = Number(option('events') ?? 1_000_000)
  const records = Number(option('evtx') ?? 100_000)
  const published = join(ROOT, 'bench/rules')
  const rulePath =
    option('rules') ?? (existsSync(published) ? published : join(ROOT, 'content/rules'))
  mkdirSync(OUT, { recursive: true })
  console.log(
    `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)}, node ${process.versions.node}\n`,
  )
  const evtxPath = join(OUT, `events-${records}.evtx`)
  const jsonPath = join(OUT, `events-${lines}.jsonl`)
  if (!existsSync(evtxPath)) writeEvtxFile(evtxPath, records)
  if (!existsSync(jsonPath)) await writeJsonLines(jsonPath, lines)
  await decodeEvtx(evtxPath)
  await store('EVTX to stored', evtxPath)
  await manyRules(jsonPath, rulePath)
  console.log('\nKusto queries beside SQL by hand')
  await runHunts({ events: Number(option('hunts') ?? 2_000_000), runs: 7 })
  if (process.argv.includes('--clean')) rmSync(OUT, { recursive: true, force: true })
}

await main()
