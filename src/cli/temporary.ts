/**
 * Temporary folders that are gone when the program is, however it ends: each is removed by its user, else when the
 * process exits, else (after a kill or a power cut) by a later call.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const PREFIX = 'harrier-run-'
const OWNED = /^harrier-run-(\d{1,10})-/
/** What nobody has touched for so long is surely not in use, even by a process that this one cannot see. */
const STALE_MS = 24 * 3600 * 1000
/** How long an engine that was killed may take to let go of its files. */
const LET_GO_MS = 50

const live = new Set<string>()

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3, retryDelay: LET_GO_MS })
}

/** Ends the engine that works in the folder, or it could write on after the folder is gone. */
function endEngine(folder: string): void {
  try {
    const status = readFileSync(join(folder, 'db', 'status'), 'utf8')
    const pid = Number(/^PID: (\d+)$/m.exec(status)?.[1])
    if (!Number.isSafeInteger(pid) || pid <= 1 || pid === process.pid) return
    process.kill(pid, 'SIGKILL')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LET_GO_MS)
  } catch {
    // No engine was started there, or it has ended.
  }
}

function removeLive(): void {
  for (const folder of live) {
    endEngine(folder)
    remove(folder)
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** Removes what calls that were killed left behind: ours, unused for a day, and of a process that is gone. */
function removeStale(parent: string): void {
  for (const name of readdirSync(parent)) {
    const pid = Number(OWNED.exec(name)?.[1] ?? Number.NaN)
    if (Number.isNaN(pid) || isRunning(pid)) continue
    const folder = join(parent, name)
    try {
      const { uid, mtimeMs } = statSync(folder)
      const isOurs = process.getuid === undefined || uid === process.getuid()
      if (isOurs && Date.now() - mtimeMs > STALE_MS) remove(folder)
    } catch {
      // Another call was quicker.
    }
  }
}

/** Makes a temporary folder for this process. */
export function makeTemporaryFolder(): { readonly folder: string; remove(): void } {
  const parent = tmpdir()
  removeStale(parent)
  const folder = mkdtempSync(join(parent, `${PREFIX}${process.pid}-`))
  if (live.size === 0) process.on('exit', removeLive)
  live.add(folder)
  return {
    folder,
    remove() {
      remove(folder)
      live.delete(folder)
    },
  }
}
