/**
 * The start-up snapshot of the Kusto front end: the heap of a process that has loaded Microsoft's library and bound a few
 * queries, so that the next one starts in a tenth of the time (docs/decisions/007.md). It is made once for each version
 * of Node and of the program, in the user's cache folder; where that fails the front end starts without.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
} from 'node:fs'
import { join } from 'node:path'
import { limits } from '../core/limits.ts'
import type { FrontFiles } from './kustowire.ts'
import { isPrivateFolder, removeQuietly } from './privatefolder.ts'

export interface FrontParts {
  /** The built process, `dist/kusto-front.cjs`. */
  readonly script: string
  readonly files: FrontFiles
}

const NAME = /^front-[0-9a-f]{32}\.(?:blob|lock|\d+)$/
const DAY_MS = 24 * 3600 * 1000
/** A snapshot that nothing started from for so long is of a version that is gone. */
const UNUSED_MS = 14 * DAY_MS
const LOCK_MS = 120_000
const BUILD_MS = 60_000

/** Options of Node for the front end's process. A snapshot only starts under the ones that it was made with. */
export function nodeOptions(): readonly string[] {
  return ['--no-warnings', `--max-old-space-size=${limits.kustoMegabytes}`]
}

/** The environment of the process: nothing that changes how Node runs, and no secret of ours. */
export function frontEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:NODE_|HARRIER_)/.test(name)),
  )
}

/** A text that changes with anything that can change what the front end answers. */
export function frontVersion({ script, files }: FrontParts): string {
  const hash = createHash('sha256')
  for (const path of [script, ...files.tables]) hash.update(path).update(readFileSync(path))
  for (const path of files.library) hash.update(path).update(String(statSync(path).size))
  return hash.digest('hex')
}

/** Where the snapshot of this program and this Node is, or would be. */
export function snapshotPath(folder: string, version: string): string {
  const { version: node, arch, platform } = process
  const key = JSON.stringify([version, node, arch, platform, nodeOptions()])
  const name = createHash('sha256').update(key).digest('hex').slice(0, 32)
  return join(folder, `front-${name}.blob`)
}

/** The size of a file in bytes; 0 when there is none. */
export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

function build({ script, files }: FrontParts, into: string): Promise<boolean> {
  const args = [...nodeOptions(), '--snapshot-blob', into, '--build-snapshot', script]
  return new Promise((done) => {
    execFile(
      process.execPath,
      [...args, JSON.stringify(files)],
      { env: frontEnvironment(), timeout: BUILD_MS, killSignal: 'SIGKILL' },
      (error) => done(error === null && sizeOf(into) > 0),
    )
  })
}

/** Takes the right to build; false while another process has it. */
function lock(path: string): boolean {
  try {
    closeSync(openSync(path, 'wx', 0o600))
    return true
  } catch {
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0)
    // Who made it has ended without letting go; the next call builds.
    if (age > LOCK_MS) removeQuietly(path)
    return false
  }
}

/** Removes what earlier versions and builds that were cut short have left. */
function sweep(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!NAME.test(name)) continue
    const path = join(folder, name)
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0)
    if (age > (name.endsWith('.blob') ? UNUSED_MS : LOCK_MS)) removeQuietly(path)
  }
}

/** Marks a snapshot as used, once a day. */
function touch(path: string): void {
  const now = Date.now()
  if (now - statSync(path).mtimeMs > DAY_MS) utimesSync(path, new Date(now), new Date(now))
}

/**
 * The snapshot to start from; made when it is not there, which takes a few seconds. Undefined when there is none and
 * none can be made, and while another process makes it.
 */
export async function findSnapshot(
  parts: FrontParts,
  folder: string,
  version: string,
): Promise<string | undefined> {
  if (!isPrivateFolder(folder)) return undefined
  const path = snapshotPath(folder, version)
  const guard = path.replace(/\.blob$/, '.lock')
  try {
    if (sizeOf(path) > 0) {
      touch(path)
      return path
    }
    if (!lock(guard)) return undefined
  } catch {
    return undefined
  }
  const fresh = path.replace(/\.blob$/, `.${process.pid}`)
  try {
    sweep(folder)
    if (!(await build(parts, fresh))) return undefined
    chmodSync(fresh, 0o600)
    renameSync(fresh, path)
    return path
  } catch {
    return undefined
  } finally {
    removeQuietly(fresh)
    removeQuietly(guard)
  }
}

/** Removes a snapshot that the front end does not start from. */
export function dropSnapshot(path: string): void {
  removeQuietly(path)
}
