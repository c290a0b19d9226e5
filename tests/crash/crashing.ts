/**
 * Kills the scenario at named steps again and again until it has come to its end, and compares what is there with a run
 * that nobody disturbed.
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { serialize } from 'node:v8'
import { build, type Plugin } from 'esbuild'
import type { Step } from '../../src/core/steps.ts'
import { compilerHere } from '../../src/rules/kustolibrary.ts'
import { loadRules } from '../../src/rules/load.ts'
import type { Rule } from '../../src/rules/rule.ts'
import { readyMadeSchema } from '../../tools/product.ts'
import { type Received, webReceiver } from '../support/notifying.ts'
import { eventsOfTick, type ScenarioOptions, type ScenarioReport } from './scenario.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const CHILD = join(ROOT, 'dist/engine-child.js')
/** The most arrivals at a step that a life of the program may have. */
const MOST_ARRIVALS = 4
/** Lives of one scenario; more means that it does not get on. */
const MOST_LIVES = 400

const sigma = (id: string, text: string): string =>
  `title: ${id}\nid: ${id}\nlogsource: {product: windows, category: process_creation}\n` +
  `detection: {s: {CommandLine|contains: '${text}'}, condition: s}\nlevel: high\n`

const RULES: Readonly<Record<string, string>> = {
  'sigma.yml': sigma('sigma-odd', 'odd'),
  // More than two hits of one computer in twenty minutes; the rule that it counts goes on telling its own.
  'correlation.yml':
    'title: many-odd\nid: many-odd\nlevel: high\ncorrelation:\n  type: event_count\n  rules: [sigma-odd]\n' +
    '  group-by: [Computer]\n  timespan: 20m\n  condition: {gte: 3}\n  generate: true\n',
  'spl.yml':
    'name: spl-odd\nid: spl-odd\ntype: TTP\nstatus: production\ndescription: d\nsearch: \'`sysmon` EventCode=1 CommandLine="*odd*" ' +
    "| stats count min(_time) as firstTime by dest'\n" +
    'rba:\n  message: odd on $dest$\n  risk_objects:\n    - {field: dest, type: system, score: 40}\n  threat_objects: []\n',
  'risk.yml':
    'name: risk-incident\nid: risk-incident\ntype: Correlation\nstatus: production\ndescription: d\n' +
    "search: '| tstats summariesonly=false sum(All_Risk.calculated_risk_score) as risk_score, count from datamodel=Risk.All_Risk by All_Risk.risk_object " +
    "| where risk_score > 50'\n",
}
const KUSTO =
  'id: kusto-odd\nname: kusto-odd\nseverity: High\nkind: Scheduled\nqueryFrequency: 10m\nqueryPeriod: 10m\n' +
  'triggerOperator: gt\ntriggerThreshold: 0\nquery: |\n  DeviceProcessEvents\n  | where ProcessCommandLine has "odd"\n' +
  '  | summarize Programs = count() by DeviceName\n'

/** A place with the program and its rules, made once. */
export interface Workshop {
  readonly folder: string
  close(): void
}

async function compiledKusto(folder: string): Promise<readonly Rule[]> {
  mkdirSync(folder)
  writeFileSync(join(folder, 'kusto.yml'), KUSTO)
  const schema = readyMadeSchema()
  const { rules } = await loadRules([folder], {
    placeholders: new Map(),
    kusto: compilerHere(schema.tables),
    schema: () => schema,
  })
  const found = rules.flatMap((each) => each.rule ?? [])
  if (found.length === 0) throw new Error(JSON.stringify(rules.map((each) => each.diagnostics)))
  return found
}

/** Parts of Node that a snapshot cannot hold; they are loaded at the first use. */
const LATE =
  /^node:(?:https?|tls|net|dns\/promises|dgram|zlib|child_process|timers\/promises|crypto)$/

const latePlugin: Plugin = {
  name: 'late',
  setup(builder) {
    builder.onResolve({ filter: LATE }, ({ path }) => ({ path, namespace: 'late' }))
    builder.onLoad({ filter: /./, namespace: 'late' }, async ({ path }) => {
      const names = Object.keys(await import(path)).filter((each) => each !== 'default')
      const getters = names.map((name) =>
        // Asked while the snapshot is made.
        name === 'isIP'
          ? 'isIP(text) { return /^[0-9.]+$/.test(text) ? 4 : text.includes(":") ? 6 : 0 }'
          : `get ${name}() { return load(${JSON.stringify(path)}).${name} }`,
      )
      return {
        loader: 'js',
        contents: `const load = require\nmodule.exports = {${getters.join(',')}}`,
      }
    })
    builder.onResolve({ filter: /^nodemailer$/ }, ({ path }) => ({ path, namespace: 'none' }))
    builder.onLoad({ filter: /./, namespace: 'none' }, () => ({
      loader: 'js',
      contents: 'export function createTransport() { throw new Error("no mail here") }',
    }))
  },
}

/**
 * Makes the program ready: a snapshot of it that has read schema and rules already, since a life of it is short and
 * there are many.
 */
export async function makeWorkshop(): Promise<Workshop> {
  const folder = mkdtempSync(join(tmpdir(), 'harrier-crash-'))
  const rules = join(folder, 'rules')
  mkdirSync(rules)
  for (const [name, text] of Object.entries(RULES)) writeFileSync(join(rules, name), text)
  writeFileSync(join(rules, 'kusto.bin'), serialize(await compiledKusto(join(folder, 'kusto'))))
  const script = join(folder, 'scenario.cjs')
  await build({
    entryPoints: [join(ROOT, 'tests/crash/scenario.ts')],
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'iife',
    logLevel: 'error',
    plugins: [latePlugin],
    define: {
      CRASH_CONTENT: JSON.stringify(join(ROOT, 'content')),
      CRASH_RULES: JSON.stringify(rules),
      // Written so that no tool takes it for the address of this file.
      [['import', 'meta', 'url'].join('.')]: JSON.stringify(pathToFileURL(script).href),
    },
  })
  const args = ['--no-warnings', '--snapshot-blob', blobIn(folder), '--build-snapshot', script]
  execFileSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  return { folder, close: () => rmSync(folder, { recursive: true, force: true }) }
}

const blobIn = (folder: string): string => join(folder, 'scenario.blob')

interface Life {
  readonly acknowledged: readonly number[]
  readonly report: ScenarioReport | undefined
  readonly isKilled: boolean
  readonly said: string
}

/** One life of the program. It has a process group of its own, so that it can take the engine with it. */
function live(workshop: Workshop, options: ScenarioOptions): Promise<Life> {
  const child = spawn(
    process.execPath,
    ['--no-warnings', '--snapshot-blob', blobIn(workshop.folder), JSON.stringify(options)],
    { stdio: ['ignore', 'pipe', 'pipe'], detached: true },
  )
  let [out, said] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  return new Promise((done) => {
    child.on('close', (_, signal) => {
      const lines = out.split('\n').slice(0, -1)
      const last = lines.find((each) => each.startsWith('{'))
      done({
        acknowledged: lines.filter((each) => /^\d+$/.test(each)).map(Number),
        report: last === undefined ? undefined : JSON.parse(last),
        isKilled: signal === 'SIGKILL',
        said,
      })
    })
  })
}

/** What came of one scenario. */
export interface ScenarioResult {
  readonly kills: number
  readonly lives: number
  readonly acknowledged: ReadonlySet<number>
  readonly report: ScenarioReport
  /** Finding ids of the lines of the file, as they stand there. */
  readonly file: readonly string[]
  /** What the web receiver was sent. */
  readonly hook: readonly Received[]
}

export interface Plan {
  readonly ticks: number
  /** The steps of the kills, in turn; empty: nobody disturbs it. */
  readonly steps: readonly Step[]
  /** Kills that are wanted at most. */
  readonly kills: number
  /** Numbers from 0 to 1. */
  readonly random: () => number
}

/** Runs the scenario to its end, with kills as the plan says. */
export async function runScenario(workshop: Workshop, plan: Plan): Promise<ScenarioResult> {
  const folder = mkdtempSync(join(workshop.folder, 'run-'))
  const receiver = await webReceiver()
  const acknowledged = new Set<number>()
  let kills = 0
  try {
    for (let lives = 1; lives <= MOST_LIVES; lives++) {
      const { steps, random } = plan
      const step = steps[kills % Math.max(1, steps.length)]
      const kill =
        step === undefined || kills >= plan.kills
          ? undefined
          : {
              step,
              arrival: 1 + Math.floor(random() * MOST_ARRIVALS),
              whole: random() < 0.7,
            }
      const life = await live(workshop, {
        folder,
        childPath: CHILD,
        hook: `http://127.0.0.1:${receiver.port}/hook`,
        ticks: plan.ticks,
        ...(kill === undefined ? {} : { kill }),
      })
      for (const each of life.acknowledged) acknowledged.add(each)
      if (life.isKilled) kills++
      else if (life.report === undefined) throw new Error(`the scenario failed: ${life.said}`)
      if (life.report === undefined) continue
      const lines = readFileSync(join(folder, 'out.jsonl'), 'utf8').split('\n')
      if (lines.pop() !== '') throw new Error('the last line of the file is torn')
      return {
        kills,
        lives,
        acknowledged,
        report: life.report,
        file: lines.flatMap((line) => findingsOf(line)),
        hook: receiver.received,
      }
    }
    throw new Error(`${plan.steps.join()}: not at an end after ${MOST_LIVES} lives`)
  } finally {
    await receiver.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

function findingsOf(line: string): readonly string[] {
  const { findings } = JSON.parse(line)
  return findings.map((each: { readonly id: string }) => each.id)
}

/** How a disturbed run differs from an undisturbed one. All but `repeated` must be 0. */
export interface Difference {
  /** Findings that only one of the two has, and findings that are stored more than once. */
  readonly findings: number
  readonly risks: number
  readonly windows: number
  /** Acknowledged events that are not there, and events that are there twice. */
  readonly lost: number
  readonly doubled: number
  /** Findings that a channel was not told of, and those told in more than one message. */
  readonly untold: number
  readonly toldTwice: number
  /** Messages that the web receiver got again under the same key. */
  readonly repeated: number
}

export const DIFFERENCES = [
  'findings',
  'risks',
  'windows',
  'lost',
  'doubled',
  'untold',
  'toldTwice',
  'repeated',
] as const satisfies readonly (keyof Difference)[]

/** How many values two lists do not have equally often. */
function apart(one: readonly string[], other: readonly string[]): number {
  const counts = new Map<string, number>()
  for (const each of one) counts.set(each, (counts.get(each) ?? 0) + 1)
  for (const each of other) counts.set(each, (counts.get(each) ?? 0) - 1)
  return [...counts.values()].reduce((sum, each) => sum + Math.abs(each), 0)
}

export function compare(clean: ScenarioResult, result: ScenarioResult): Difference {
  const { report } = result
  const numbers = new Set(report.events)
  const wanted = [...result.acknowledged].flatMap(eventsOfTick)
  const keys = new Map<string, string>()
  for (const { headers, body } of result.hook) keys.set(String(headers['idempotency-key']), body)
  const told = [...keys.values()].flatMap(findingsOf)
  const toldClean = [...new Set(clean.file)]
  const missing = (list: readonly string[]): number =>
    toldClean.filter((id) => !list.includes(id)).length
  const again = (list: readonly string[]): number => list.length - new Set(list).size
  return {
    findings: apart(clean.report.findings, report.findings),
    risks: apart(clean.report.risks, report.risks),
    windows: apart(clean.report.windows, report.windows),
    lost: wanted.filter((n) => !numbers.has(n)).length,
    doubled: report.events.length - numbers.size,
    untold: missing(result.file) + missing(told) + apart(clean.report.outbox, report.outbox),
    toldTwice: again(result.file) + again(told),
    repeated: result.hook.length - keys.size,
  }
}
