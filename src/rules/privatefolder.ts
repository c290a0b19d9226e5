/** Folders for what the program keeps for itself: made for their user alone, and used only while they are. */
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/** Bits of a mode that let the group or others write. */
const OTHERS_WRITE = 0o022

/** Makes a folder and those above it one by one: the recursive form never ends where making always fails. */
function make(path: string): void {
  if (existsSync(path)) return
  const above = dirname(path)
  if (above !== path) make(above)
  mkdirSync(path, { mode: 0o700 })
}

/** Makes the folder if it can be made. False when it cannot be used, or when others could put something there. */
export function isPrivateFolder(path: string): boolean {
  try {
    make(path)
    const stat = statSync(path)
    const isOurs = process.getuid === undefined || stat.uid === process.getuid()
    return stat.isDirectory() && isOurs && (stat.mode & OTHERS_WRITE) === 0
  } catch (error) {
    // Another process may have made it in between.
    return error instanceof Error && 'code' in error && error.code === 'EEXIST'
      ? isPrivateFolder(path)
      : false
  }
}

/** Removes a file if it is there and can be removed; what is kept for speed only is not worth an error. */
export function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    // The folder may have gone, or have become something else.
  }
}
