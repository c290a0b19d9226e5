/**
 * Where the owner of a store listens: a socket in the store's folder, or in a private temporary folder when that path is
 * too long for one, or a named pipe on Windows. `owner.json` in the folder names it, with a secret that only those know
 * who may read the folder's files.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

/** Changes when frames do: processes of different versions do not talk. */
export const PROTOCOL = 1

export interface Place {
  readonly pid: number
  readonly socket: string
  readonly secret: string
  readonly protocol: number
}

/** Systems take 104 bytes or more, with a zero at the end. */
const SOCKET_BYTES = 100
const OWNER_BYTES = 4_096

const fileOf = (folder: string): string => join(resolve(folder), 'owner.json')

/** A place for a store that this process has open. */
export function makePlace(folder: string): Place {
  const secret = randomBytes(32).toString('hex')
  const near = join(resolve(folder), 'owner.sock')
  const isLong = Buffer.byteLength(near) > SOCKET_BYTES
  const socket =
    process.platform === 'win32'
      ? `\\\\.\\pipe\\harrier-${randomBytes(16).toString('hex')}`
      : isLong
        ? join(mkdtempSync(join(tmpdir(), 'harrier-')), 'owner.sock')
        : near
  return { pid: process.pid, socket, secret, protocol: PROTOCOL }
}

/** Tells others of a place; what stood there before is gone at once. */
export function publish(folder: string, place: Place): void {
  const file = fileOf(folder)
  const fresh = `${file}.${place.pid}`
  writeFileSync(fresh, `${JSON.stringify(place)}\n`, { mode: 0o600 })
  renameSync(fresh, file)
}

/** Takes a place back, unless another process has put its own there. */
export function withdraw(folder: string, place: Place): void {
  if (readPlace(folder)?.secret === place.secret) rmSync(fileOf(folder), { force: true })
  if (process.platform === 'win32') return
  const within = dirname(place.socket)
  if (within === resolve(folder)) rmSync(place.socket, { force: true })
  else rmSync(within, { recursive: true, force: true })
}

/** The place that a folder names; it may be one of a process that has ended. */
export function readPlace(folder: string): Place | undefined {
  try {
    const text = readFileSync(fileOf(folder), 'utf8')
    if (text.length > OWNER_BYTES) return undefined
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return undefined
    const { pid, socket, secret, protocol } = Object.fromEntries(Object.entries(value))
    if (typeof pid !== 'number' || typeof protocol !== 'number') return undefined
    if (typeof socket !== 'string' || typeof secret !== 'string') return undefined
    return { pid, socket, secret, protocol }
  } catch {
    return undefined
  }
}
