/** Which files an intake reads: files, folders (recursively), globs and standard input, in a fixed order. */
import { lstatSync, readdirSync, type Stats, statSync } from 'node:fs'
import { join, resolve, sep } from 'node:path'
import { systemReason } from '../core/systemerror.ts'

export interface InputFile {
  /** Absolute path, or `-` for standard input. */
  readonly path: string
  /** Bytes on disk; 0 for standard input. */
  readonly bytes: number
  /** What stays the same when the file is renamed: device and number; empty for standard input. */
  readonly identity: string
  /** When it was changed last, in milliseconds since 1970. */
  readonly changed: number
}

interface Problem {
  readonly path: string
  readonly reason: string
}

export interface Inputs {
  readonly files: readonly InputFile[]
  /** Files below folders that are no logs by their name. */
  readonly skipped: number
  readonly problems: readonly Problem[]
}

/** What tells a file from others, whatever its name is. */
export const identityOf = ({ dev, ino }: Pick<Stats, 'dev' | 'ino'>): string => `${dev}:${ino}`

/** Name endings that are never logs; they are skipped below folders, and read when named directly. */
const NOT_LOGS = new Set(
  (
    'yml yaml md rst html htm css js mjs cjs ts py ps1 psm1 sh bat c h cpp rs go java class jar exe dll sys so ' +
    'png jpg jpeg gif svg ico pdf doc docx xls xlsx ppt pptx lock license sha256 md5 sig'
  ).split(' '),
)

function looksLikeLog(name: string): boolean {
  const dot = name.lastIndexOf('.')
  return !name.startsWith('.') && !NOT_LOGS.has(name.slice(dot + 1).toLowerCase())
}

/** Matches one path segment against `*` and `?`; greedy with one back-track point, so it is never slow. */
function fits(name: string, pattern: string): boolean {
  let n = 0
  let p = 0
  let star = -1
  let mark = 0
  while (n < name.length) {
    if (pattern[p] === '*') {
      star = p++
      mark = n
    } else if (pattern[p] === '?' || pattern[p] === name[n]) {
      p++
      n++
    } else if (star >= 0) {
      p = star + 1
      n = ++mark
    } else return false
  }
  return [...pattern.slice(p)].every((each) => each === '*')
}

/** Told of what cannot be looked at; the rest goes on. */
type OnProblem = (path: string, error: unknown) => void

function entries(folder: string, onProblem: OnProblem): readonly string[] {
  try {
    return readdirSync(folder).sort()
  } catch (error) {
    onProblem(folder, error)
    return []
  }
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

/** Paths that a glob names; `**` stands for any number of folders. */
function expand(
  base: string,
  segments: readonly string[],
  onProblem: OnProblem,
): readonly string[] {
  const [segment, ...rest] = segments
  if (segment === undefined) return [base]
  const below = (name: string, next: readonly string[]): readonly string[] =>
    expand(join(base, name), next, onProblem)
  if (segment === '**') {
    const folders = entries(base, onProblem).filter((name) => isFolder(join(base, name)))
    return [...expand(base, rest, onProblem), ...folders.flatMap((name) => below(name, segments))]
  }
  if (!/[*?]/.test(segment)) return below(segment, rest)
  return entries(base, onProblem)
    .filter((name) => fits(name, segment))
    .filter((name) => rest.length === 0 || isFolder(join(base, name)))
    .flatMap((name) => below(name, rest))
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}

/** The paths that the user named, or that fit the pattern that the user gave. */
function globbed(
  path: string,
  onProblem: OnProblem,
): { readonly found: readonly string[]; readonly isPattern: boolean } {
  if (!/[*?]/.test(path) || exists(path)) return { found: [path], isPattern: false }
  const absolute = resolve(path)
  const segments = absolute.split(sep)
  const first = segments.findIndex((each) => /[*?]/.test(each))
  const base = segments.slice(0, first).join(sep) || sep
  const all = exists(base) ? expand(base, segments.slice(first), onProblem) : []
  return { found: all.filter(exists), isPattern: true }
}

/** Why an entry of a folder cannot be read. Names that are no text come out of the system changed. */
function reasonFor(path: string, error: unknown): string {
  const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
  return isMissing && path.includes('\ufffd')
    ? 'its name is not UTF-8 text; rename it first'
    : systemReason(error)
}

/**
 * Lists the files to read. Links, pipes and devices below folders are not followed; nothing is read twice. What cannot
 * be looked at is a problem of its own, and the rest goes on.
 */
export function listInputs(paths: readonly string[]): Inputs {
  const files = new Map<string, InputFile>()
  const problems: Problem[] = []
  let skipped = 0
  const onProblem: OnProblem = (path, error) => {
    problems.push({ path, reason: reasonFor(path, error) })
  }
  const add = (path: string, how: 'named' | 'fitting' | 'below'): void => {
    const stat = how === 'below' ? lstatSync(path) : statSync(path)
    if (stat.isDirectory()) {
      for (const name of entries(path, onProblem)) if (name !== '.git') tryAdd(join(path, name))
    } else if (!stat.isFile() && how !== 'named') {
      skipped++
    } else if (how !== 'below' || looksLikeLog(path.slice(path.lastIndexOf(sep) + 1))) {
      files.set(path, {
        path,
        bytes: stat.size,
        identity: identityOf(stat),
        changed: stat.mtimeMs,
      })
    } else {
      skipped++
    }
  }
  const tryAdd = (path: string, how: 'named' | 'fitting' | 'below' = 'below'): void => {
    try {
      add(path, how)
    } catch (error) {
      onProblem(path, error)
    }
  }
  for (const path of paths) {
    if (path === '-') {
      files.set('-', { path: '-', bytes: 0, identity: '', changed: 0 })
      continue
    }
    const { found, isPattern } = globbed(path, onProblem)
    if (found.length === 0) problems.push({ path, reason: 'nothing matches' })
    for (const each of found) tryAdd(resolve(each), isPattern ? 'fitting' : 'named')
  }
  return { files: [...files.values()], skipped, problems }
}
