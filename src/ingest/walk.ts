/** Which files an intake reads: files, folders (recursively), globs and standard input, in a fixed order. */
import { lstatSync, readdirSync, statSync } from 'node:fs'
import { join, resolve, sep } from 'node:path'

export interface InputFile {
  /** Absolute path, or `-` for standard input. */
  readonly path: string
  /** Bytes on disk; 0 for standard input. */
  readonly bytes: number
}

export interface Inputs {
  readonly files: readonly InputFile[]
  /** Files below folders that are no logs by their name. */
  readonly skipped: number
  readonly problems: readonly { readonly path: string; readonly reason: string }[]
}

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

function entries(folder: string): readonly string[] {
  return readdirSync(folder).sort()
}

/** Paths that a glob names; `**` stands for any number of folders. */
function expand(base: string, segments: readonly string[]): readonly string[] {
  const [segment, ...rest] = segments
  if (segment === undefined) return [base]
  const folders = (): readonly string[] =>
    entries(base).filter((name) => lstatSync(join(base, name)).isDirectory())
  if (segment === '**') {
    return [
      ...expand(base, rest),
      ...folders().flatMap((name) => expand(join(base, name), segments)),
    ]
  }
  if (!/[*?]/.test(segment)) return expand(join(base, segment), rest)
  return entries(base)
    .filter((name) => fits(name, segment))
    .filter((name) => rest.length === 0 || lstatSync(join(base, name)).isDirectory())
    .flatMap((name) => expand(join(base, name), rest))
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}

function globbed(path: string): readonly string[] {
  if (!/[*?]/.test(path) || exists(path)) return [path]
  const absolute = resolve(path)
  const segments = absolute.split(sep)
  const first = segments.findIndex((each) => /[*?]/.test(each))
  const base = segments.slice(0, first).join(sep) || sep
  return exists(base) ? expand(base, segments.slice(first)).filter(exists) : []
}

/** Lists the files to read. Links below folders are not followed; nothing is read twice. */
export function listInputs(paths: readonly string[]): Inputs {
  const files = new Map<string, InputFile>()
  const problems: { path: string; reason: string }[] = []
  let skipped = 0
  const add = (path: string, named: boolean): void => {
    const stat = named ? statSync(path) : lstatSync(path)
    if (stat.isDirectory()) {
      for (const name of entries(path)) if (name !== '.git') add(join(path, name), false)
    } else if (!stat.isFile() && !named) {
      skipped++
    } else if (named || looksLikeLog(path.slice(path.lastIndexOf(sep) + 1))) {
      files.set(path, { path, bytes: stat.size })
    } else {
      skipped++
    }
  }
  for (const path of paths) {
    if (path === '-') {
      files.set('-', { path: '-', bytes: 0 })
      continue
    }
    const found = globbed(path)
    if (found.length === 0) problems.push({ path, reason: 'nothing matches' })
    for (const each of found) {
      try {
        add(resolve(each), true)
      } catch (error) {
        const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
        const reason = missing ? 'no such file or folder' : String(error)
        problems.push({ path: each, reason })
      }
    }
  }
  return { files: [...files.values()], skipped, problems }
}
