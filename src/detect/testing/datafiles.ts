/**
 * Files that tests name: found only in the folder that they may come from or below it, whatever a test says. Links are
 * not followed, and what is no plain file or folder is not opened.
 */
import { closeSync, lstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { basename, join } from 'node:path'
import { limits } from '../../core/limits.ts'
import { systemReason } from '../../core/systemerror.ts'

/** A path that may be opened, or why there is none. `isAbsent`: the name is a good one, and nothing is there. */
export type Located =
  | { readonly path: string; readonly bytes: number }
  | { readonly reason: string; readonly isAbsent: boolean }

/** Longest name of a file within its folder. */
const MOST_CHARS = 1_000
const MOST_PARTS = 32
/** A pointer of Git's large file storage is a text of three lines. */
const POINTER_BYTES = 400
const POINTER = 'version https://git-lfs.'
/** Levels of folders below one that is searched. */
const MOST_LEVELS = 40
/** Entries of folders that are looked at; a clone of the largest collections has about 100,000. */
const MOST_ENTRIES = 1_000_000

const refused = (reason: string): Located => ({ reason, isAbsent: false })

/** True for a file that stands for one that was not fetched. */
function isPointer(path: string, bytes: number): boolean {
  if (bytes > POINTER_BYTES) return false
  const handle = openSync(path, 'r')
  try {
    const head = Buffer.alloc(POINTER.length)
    readSync(handle, head)
    return head.toString('latin1') === POINTER
  } finally {
    closeSync(handle)
  }
}

/** Bytes of all plain files below a folder; counting ends when it is too much. */
function bytesBelow(folder: string, level = 0): number {
  let sum = 0
  if (level > MOST_LEVELS) return Number.POSITIVE_INFINITY
  for (const name of readdirSync(folder)) {
    const stat = lstatSync(join(folder, name))
    if (stat.isDirectory()) sum += bytesBelow(join(folder, name), level + 1)
    else if (stat.isFile()) sum += stat.size
    if (sum > limits.testDataBytes) break
  }
  return sum
}

/** The file or folder that is written so, in a folder or below it. */
export function locate(folder: string, written: string): Located {
  if (written === '' || written.length > MOST_CHARS) return refused('its name is empty or too long')
  if (/[\\\0]/.test(written)) return refused('its name has a backslash or a zero byte')
  if (written.startsWith('/')) return refused('it is an absolute path')
  const parts = written.split('/').filter((each) => each !== '' && each !== '.')
  if (parts.includes('..')) return refused('it is outside of its folder')
  if (parts.length === 0 || parts.length > MOST_PARTS) return refused('it names no file')
  let path = folder
  try {
    for (const [place, part] of parts.entries()) {
      path = join(path, part)
      const stat = lstatSync(path, { throwIfNoEntry: false })
      if (stat === undefined) return { reason: 'it is not there', isAbsent: true }
      if (stat.isSymbolicLink()) return refused('links are not followed')
      const isLast = place === parts.length - 1
      if (!stat.isDirectory() && !(isLast && stat.isFile())) {
        return refused('it is no plain file or folder')
      }
      if (!isLast) continue
      const bytes = stat.isDirectory() ? bytesBelow(path) : stat.size
      if (bytes > limits.testDataBytes) {
        return refused(`it has more than ${limits.testDataBytes} bytes`)
      }
      if (stat.isFile() && isPointer(path, bytes)) {
        return {
          reason: 'only a pointer of Git LFS is here, not the file (git lfs pull)',
          isAbsent: true,
        }
      }
      return { path, bytes }
    }
  } catch (error) {
    return refused(systemReason(error))
  }
  return refused('it names no file')
}

/** Plain files below a path whose name fits, in a fixed order; a path that is such a file is the only one. */
export function filesBelow(path: string, fits: (name: string) => boolean): readonly string[] {
  const found: string[] = []
  let seen = 0
  const look = (at: string, level: number): void => {
    if (level > MOST_LEVELS) return
    for (const name of readdirSync(at).sort()) {
      if (found.length >= limits.packFiles || ++seen > MOST_ENTRIES) return
      if (name === '.git' || name === 'node_modules') continue
      const below = join(at, name)
      const stat = lstatSync(below, { throwIfNoEntry: false })
      if (stat?.isDirectory() === true) look(below, level + 1)
      else if (stat?.isFile() === true && fits(name)) found.push(below)
    }
  }
  try {
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (stat?.isDirectory() === true) look(path, 0)
    else if (stat?.isFile() === true && fits(basename(path))) found.push(path)
  } catch {
    // A folder that cannot be read is told by the reader of the rules.
  }
  return found
}
