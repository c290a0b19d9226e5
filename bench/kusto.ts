/**
 * `node tools/run.mjs bench/kusto.ts QUERIES.jsonl [--every N]`: how fast the Kusto front end starts and compiles. The
 * program must be built. Each line of the file is an object with `query`. Nothing is asserted; machines differ.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cachedCompiler, cacheSize } from '../src/rules/kustocache.ts'
import { type KustoFront, openFront } from '../src/rules/kustofront.ts'
import { findSnapshot, frontVersion } from '../src/rules/kustosnapshot.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const TABLES = join(ROOT, 'content/schema/tables')
const RUNS = 10

const require = createRequire(import.meta.url)
const parts = {
  script: join(ROOT, 'dist/kusto-front.cjs'),
  files: {
    library: ['bridge.min.js', 'Kusto.Language.Bridge.min.js'].map((name) =>
      require.resolve(`@kusto/language-service-next/${name}`),
    ),
    tables: readdirSync(TABLES).map((name) => join(TABLES, name)),
  },
}
const version = frontVersion(parts)

function quantile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * part)] ?? 0
}

function say(name: string, values: readonly number[]): void {
  const [middle, high, most] = [0.5, 0.95, 1].map((part) => quantile(values, part).toFixed(0))
  const figures =
    values.length === 1 ? `${middle} ms` : `p50 ${middle}  p95 ${high}  max ${most} ms`
  console.log(`${name.padEnd(52)} ${figures}`)
}

async function timed(action: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await action()
  return performance.now() - started
}

const request = (query: string) => [{ query, name: 'bench' }]

/** From nothing to the first answer, in a process of its own each time. */
async function starts(folder: string | undefined): Promise<readonly number[]> {
  const times: number[] = []
  for (let run = 0; run < RUNS; run++) {
    const front = openFront({ ...parts, version, folder })
    times.push(await timed(() => front.compile(request(`print ${run}`), [], [])))
    front.close()
  }
  return times
}

async function each(front: KustoFront, queries: readonly string[]): Promise<readonly number[]> {
  const times: number[] = []
  for (const query of queries) times.push(await timed(() => front.compile(request(query), [], [])))
  return times
}

/** The program as a user starts it: up to the plan, or with the engine to the rows. */
function program(
  query: (run: number) => string,
  cache: string,
  show = ['--show', 'ir'],
): readonly number[] {
  return Array.from({ length: RUNS }, (_, run) => {
    const started = performance.now()
    const args = ['query', '--dialect', 'kusto', query(run), ...show]
    execFileSync(process.execPath, [join(ROOT, 'dist/harrier.js'), ...args], {
      env: { ...process.env, XDG_CACHE_HOME: cache },
    })
    return performance.now() - started
  })
}

async function main(path: string, every: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'harrier-bench-'))
  try {
    const load = loadavg()
      .map((one) => one.toFixed(1))
      .join(' ')
    console.log(`${availableParallelism()} cores of ${cpus()[0]?.model}, load ${load}`)
    say('start without a snapshot to the first answer', await starts(undefined))
    say('making the snapshot', [await timed(() => findSnapshot(parts, folder, version))])
    say('start from the snapshot to the first answer', await starts(folder))
    say('harrier query --show ir, first use', program(() => 'print 1', folder).slice(0, 1))
    say(
      'harrier query --show ir, a new query',
      program((run) => `print ${run + 2}`, folder),
    )
    say(
      'harrier query --show ir, a query known',
      program(() => 'print 1', folder),
    )
    say(
      'harrier query to the rows, a new query',
      program((run) => `print ${run + 20}`, folder, []),
    )
    say(
      'harrier query to the rows, a query known',
      program(() => 'print 1', folder, []),
    )
    const lines = readFileSync(path, 'utf8')
      .split('\n')
      .filter((one) => one !== '')
    const queries = lines
      .filter((_, index) => index % every === 0)
      .map((one) => String((JSON.parse(one) as { readonly query: string }).query))
    const front = openFront({ ...parts, version, folder })
    say(`${queries.length} queries, one after the other`, await each(front, queries))
    const options = { folder: join(folder, 'compiled'), version }
    const requests = queries.flatMap(request)
    const all = () => cachedCompiler(front, options).compile(requests, [], [])
    say(`${queries.length} queries at once, none known`, [await timed(all)])
    say(`${queries.length} queries at once, all known`, [await timed(all)])
    console.log(`${cacheSize(options.folder).bytes} bytes of compiled queries`)
    front.close()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const at = process.argv.indexOf('--every')
const [, , path] = process.argv
if (path === undefined) throw new Error('name a file of queries')
await main(path, at < 0 ? 1 : Number(process.argv[at + 1]))
