/** Where the product's own files are (next to the built program) and where the user's data goes. */
import { homedir } from 'node:os'
import { join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A file of the package, from its root; the built program is one folder below it. */
export function packagePath(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url))
}

/** The user's data folder: `XDG_DATA_HOME/harrier`, by default `~/.local/share/harrier`. */
export function dataFolder(env: NodeJS.ProcessEnv): string {
  const base = env.XDG_DATA_HOME
  return join(base?.startsWith('/') ? base : join(homedir(), '.local', 'share'), 'harrier')
}

/** The user's folder for what can be made again: `XDG_CACHE_HOME/harrier`, by default `~/.cache/harrier`. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  const base = env.XDG_CACHE_HOME
  return join(base?.startsWith('/') ? base : join(homedir(), '.cache'), 'harrier')
}

/** A path as a person reads it: without the folder that they are in. */
export function shownPath(path: string): string {
  const here = process.cwd()
  const below = here.endsWith(sep) ? here : here + sep
  return path.startsWith(below) && path.length > below.length ? path.slice(below.length) : path
}
