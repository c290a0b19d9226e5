/**
 * `npm run soak -- --minutes 10 --rate 5000 --rules 500 [--restarts]`: logs are written into files at a rate, the built
 * program watches them and runs rules on a schedule of one minute, and is killed now and then. Tells at the end what was
 * written and what is stored, which windows were missed and which findings are there twice, and how memory and lag went.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

const PROGRAM = fileURLToPath(new URL('../dist/harrier.js', import.meta.url))
const MB = 1024 * 1024
const FILES = 4
const TICK_MS = 100
const SAMPLE_MS = 2_000
/** A file is renamed after so many bytes. */
const ROTATE_BYTES = 64 * MB
/** One event in so many is what one of the rules looks for. */
const RARE = 10_000
const EVERY_MS = 60_000
const TICKS_A_SECOND = 100

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    rate: { type: 'string', default: '5000' },
    rules: { type: 'string', default: '500' },
    restarts: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
})
const minutes = Number(values.minutes)
const rate = Number(values.rate)
const ruleCount = Number(values.rules)

const folder = mkdtempSync(join(tmpdir(), 'harrier-soak-'))
const logs = join(folder, 'logs')
const rules = join(folder, 'rules')
const store = join(folder, 'store')
mkdirSync(logs)
mkdirSync(rules)

const NAMES = ['whoami.exe', 'cmd.exe', 'powershell.exe', 'svchost.exe', 'net.exe', 'chrome.exe']

/** One process event as Sysmon forwarders write them; one in ten thousand is what a rule looks for. */
function eventAt(n: number, ms: number): string {
  const rare = n % RARE === 0 ? `marker${(n / RARE) % ruleCount}` : `value${n % 977}`
  const time = new Date(ms).toISOString()
  const name = NAMES[n % NAMES.length]
  return (
    `{"UtcTime":"${time}","EventID":"1","Channel":"Microsoft-Windows-Sysmon/Operational",` +
    `"Provider_Name":"Microsoft-Windows-Sysmon","Computer":"host${n % 200}","ProcessId":"${n % 65_000}",` +
    `"Image":"C:\\\\Windows\\\\System32\\\\${name}","CommandLine":"${name} /c ${rare} ${n}",` +
    `"User":"CORP\\\\user${n % 500}","ParentImage":"C:\\\\Windows\\\\explorer.exe","Serial":"${n}"}`
  )
}

function writeRules(): void {
  for (let n = 0; n < ruleCount; n++) {
    const id = `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
    const text = `title: Soak ${n}
id: ${id}
status: test
level: medium
logsource:
  category: process_creation
  product: windows
detection:
  selection:
    CommandLine|contains: 'marker${n} '
  condition: selection
`
    writeFileSync(join(rules, `soak-${n}.yml`), text)
  }
  writeFileSync(
    join(folder, 'harrier.yml'),
    'schedule:\n  sigma:\n    every: 1m\n    lookback: 1m\n    delay: 10s\n',
  )
}

interface Sample {
  readonly rss: number
  readonly childRss: number
  readonly cpu: number
}

function statOf(pid: number): { rss: number; cpu: number } {
  try {
    const rss = Number(
      /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0,
    )
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { rss: rss * 1024, cpu: (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND }
  } catch {
    return { rss: 0, cpu: 0 }
  }
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8')
        .trim()
        .split(' ')
        .filter(Boolean)
        .map(Number),
    )
  } catch {
    return []
  }
}

function sampleOf(child: ChildProcess): Sample {
  const { pid = 0 } = child
  const own = statOf(pid)
  const others = childrenOf(pid).map(statOf)
  return {
    rss: own.rss,
    childRss: others.reduce((sum, { rss }) => sum + rss, 0),
    cpu: others.reduce((sum, { cpu }) => sum + cpu, own.cpu),
  }
}

const run: { kills: number; stderr: string; child?: ChildProcess } = { kills: 0, stderr: '' }

function begin(since: string): ChildProcess {
  const args = ['watch', logs, '--store', store, '--rules', rules, '--since', since]
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  run.child = child
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    run.stderr = (run.stderr + text).slice(-20_000)
  })
  return child
}

/** Runs a command on the same store, while the other has it, and gives what it printed. */
async function ask(args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [PROGRAM, ...args, '--store', store, '-q'], { cwd: folder })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const code = await new Promise((done) => child.on('close', done))
  if (code !== 0) throw new Error(`harrier ${args.join(' ')} ended with ${code}: ${err}`)
  return out
}

/** The two numbers that a search of Splunk's language gives. */
async function pairOf(search: string): Promise<readonly [number, number]> {
  const out = await ask(['query', '--dialect', 'spl', search, '--csv'])
  const [, row = ''] = out.trim().split(/\r?\n/)
  const [first, second] = row.split(',').map((each) => Number(each.replaceAll('"', '')))
  return [first ?? 0, second ?? 0]
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

const megabytes = (bytes: number): string => `${Math.round(bytes / MB)} MB`

async function soak(): Promise<boolean> {
  writeRules()
  const started = Date.now()
  const since = new Date(started - 60_000).toISOString()
  let child = begin(since)
  const samples: Sample[] = []
  const sizes = Array.from({ length: FILES }, () => 0)
  let written = 0
  let rotated = 0
  let cpu = 0
  let nextKill = started + 45_000 + Math.random() * 30_000
  let nextSample = started
  const end = started + minutes * 60_000
  for (let now = Date.now(); now < end; now = Date.now()) {
    const due = Math.floor(((now - started) / 1_000) * rate)
    for (let file = 0; file < FILES && written < due; file++) {
      const share = Math.ceil((due - written) / (FILES - file))
      const lines: string[] = []
      for (let n = 0; n < share; n++) lines.push(eventAt(written++, now))
      const text = `${lines.join('\n')}\n`
      const path = join(logs, `app${file}.json`)
      appendFileSync(path, text)
      sizes[file] = (sizes[file] ?? 0) + text.length
      if ((sizes[file] ?? 0) > ROTATE_BYTES) {
        sizes[file] = 0
        renameSync(path, join(logs, `app${file}.json.${++rotated}`))
      }
    }
    if (child.exitCode !== null) throw new Error(`watch has ended by itself:\n${run.stderr}`)
    if (now >= nextSample) {
      samples.push(sampleOf(child))
      nextSample = now + SAMPLE_MS
    }
    if (values.restarts && now >= nextKill && end - now > 60_000) {
      cpu += sampleOf(child).cpu
      const gone = new Promise((done) => child.once('close', done))
      child.kill('SIGKILL')
      await gone
      run.kills++
      child = begin(since)
      nextKill = Date.now() + 45_000 + Math.random() * 60_000
    }
    await wait(TICK_MS)
  }
  cpu += sampleOf(child).cpu
  const seconds = (Date.now() - started) / 1_000
  // The last window must have ended before things are counted.
  await wait(90_000)
  const report = await count()
  const stopped = new Promise((done) => child.once('close', done))
  child.kill('SIGINT')
  await stopped
  return tell(report, { written, rotated, samples, cpu, seconds })
}

interface Counted {
  readonly stored: number
  readonly different: number
  readonly findings: number
  readonly doubled: number
  readonly windows: number
  readonly missed: number
  readonly failed: number
  /** Seconds. */
  readonly lags: readonly number[]
}

async function count(): Promise<Counted> {
  const [stored, different] = await pairOf('index=* Serial=* | stats count dc(Serial) as d')
  const [findings, ids] = await pairOf('index=notable | stats count dc(event_id) as d')
  const rows = (await ask(['schedule', 'windows', '--jsonl', '--limit', '999999']))
    .split('\n')
    .filter((each) => each !== '')
    .map((each) => {
      const { rule, scheduled, state, lag_seconds: lag } = JSON.parse(each)
      return {
        rule: String(rule),
        at: Date.parse(scheduled),
        state: String(state),
        lag: Number(lag),
      }
    })
  const byRule = new Map<string, number[]>()
  for (const { rule, at } of rows) byRule.set(rule, [...(byRule.get(rule) ?? []), at])
  let missed = 0
  for (const all of byRule.values()) {
    all.sort((a, b) => a - b)
    const last = all.at(-1) ?? 0
    const first = all[0] ?? last
    missed += Math.max(0, Math.round((last - first) / EVERY_MS) + 1 - new Set(all).size)
  }
  return {
    stored,
    different,
    findings,
    doubled: findings - ids,
    windows: rows.length,
    missed: missed + (ruleCount - byRule.size),
    failed: rows.filter(({ state }) => state === 'failed').length,
    lags: rows.map(({ lag }) => lag),
  }
}

interface Made {
  readonly written: number
  readonly rotated: number
  readonly samples: readonly Sample[]
  readonly cpu: number
  readonly seconds: number
}

/** Prints the figures and the verdict; true when nothing was lost, doubled or missed. */
function tell(report: Counted, { written, rotated, samples, cpu, seconds }: Made): boolean {
  const { stored, different, findings, doubled, windows, missed, failed, lags } = report
  const wanted = Math.ceil(written / RARE)
  const rest = samples.slice(Math.floor(samples.length / 3))
  const half = Math.floor(rest.length / 2)
  const grown = (pick: (sample: Sample) => number): string => {
    const before = quantile(rest.slice(0, half).map(pick), 0.5)
    const after = quantile(rest.slice(half).map(pick), 0.5)
    return `${after >= before ? '+' : ''}${Math.round(((after - before) / Math.max(1, before)) * 100)} %`
  }
  const peak = (pick: (sample: Sample) => number): string =>
    megabytes(Math.max(0, ...samples.map(pick)))
  const isGood =
    stored === written && different === written && findings === wanted && doubled + missed === 0
  const lines = [
    `${written} events written in ${Math.round(seconds)} s (${Math.round(written / seconds)}/s), ${rotated} rotations, ${run.kills} kills`,
    `events: ${stored} stored, ${different} different, ${written - different} lost, ${stored - different} doubled`,
    `windows: ${windows} run, ${missed} missed, ${failed} failed; lag p50 ${quantile(lags, 0.5).toFixed(1)} s, p99 ${quantile(lags, 0.99).toFixed(1)} s`,
    `findings: ${findings} kept of ${wanted} wanted, ${doubled} doubled`,
    `memory: program ${peak((each) => each.rss)} (${grown((each) => each.rss)}), engine ${peak((each) => each.childRss)} (${grown((each) => each.childRss)}); growth is the second half of the last two thirds against the first`,
    `CPU: ${(cpu / seconds).toFixed(2)} cores`,
    isGood ? 'verdict: nothing lost, nothing doubled, nothing missed' : 'verdict: FAILED',
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
  return isGood
}

const isGood = await soak().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  run.child?.kill('SIGKILL')
  return false
})
if (!values.keep) rmSync(folder, { recursive: true, force: true })
else process.stdout.write(`kept: ${pathToFileURL(folder)}\n`)
process.exitCode = isGood ? 0 : 1
