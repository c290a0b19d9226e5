/**
 * Runs the built command line as a user would, in a process of its own, and watches it: how it ended, what it said,
 * and the most memory that it and its children held.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('../../dist/harrier.js', import.meta.url))
/** Shared by all tests, so that the Kusto front end is made ready once. */
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/harrier/xdg', import.meta.url))
const SAMPLE_MS = 20
const MB = 1024 * 1024

export interface Ran {
  /** Exit code; null when a signal ended it. */
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
  /** Most memory of each process of the tree, added up, in megabytes; 0 where the system does not tell it. */
  readonly peak: number
  readonly seconds: number
  /** True when it did not end in time and was killed. */
  readonly isLate: boolean
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Written to standard input. */
  readonly input?: Uint8Array
  /** The process is killed after so many seconds. */
  readonly seconds?: number
  /** User and group to run as. */
  readonly user?: number
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8')
        .split(' ')
        .filter((each) => each !== '')
        .map(Number),
    )
  } catch {
    return []
  }
}

/** Notes the most memory that each process of the tree has held so far. */
function sample(pid: number, peaks: Map<number, number>): void {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const kilobytes = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0)
    peaks.set(pid, Math.max(peaks.get(pid) ?? 0, kilobytes * 1024))
  } catch {
    return
  }
  for (const child of childrenOf(pid)) sample(child, peaks)
}

function collect(stream: ChildProcess['stdout']): () => string {
  const pieces: Buffer[] = []
  stream?.on('data', (piece: Buffer) => pieces.push(piece))
  return () => Buffer.concat(pieces).toString('utf8')
}

/** Runs `harrier` with these arguments until it ends, or its time is up. */
export async function harrier(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { env = {}, cwd, input, seconds = 60, user } = options
  const started = performance.now()
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      TMPDIR: process.env.TMPDIR,
      XDG_CACHE_HOME: CACHE,
      ...env,
    },
    ...(cwd === undefined ? {} : { cwd }),
    ...(user === undefined ? {} : { uid: user, gid: user }),
  })
  const stdout = collect(child.stdout)
  const stderr = collect(child.stderr)
  child.stdin?.on('error', () => {})
  child.stdin?.end(input)
  const peaks = new Map<number, number>()
  const { pid } = child
  const watch = setInterval(() => pid !== undefined && sample(pid, peaks), SAMPLE_MS)
  let isLate = false
  const late = setTimeout(() => {
    isLate = true
    child.kill('SIGKILL')
  }, seconds * 1000)
  const [code, signal] = await new Promise<readonly [number | null, string | null]>((done) => {
    child.on('error', () => done([null, null]))
    child.on('close', (...ended) => done(ended))
  })
  clearInterval(watch)
  clearTimeout(late)
  return {
    code,
    signal,
    stdout: stdout(),
    stderr: stderr(),
    peak: Math.round([...peaks.values()].reduce((sum, each) => sum + each, 0) / MB),
    seconds: (performance.now() - started) / 1000,
    isLate,
  }
}
