/**
 * Texts of rule files below paths: files, folders and archives, in a fixed order, within the limits of a pack.
 * Links below folders are not followed; what is no YAML is not read.
 */
import { lstatSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'
import { type Diagnostic, diagnose } from '../core/diagnostic.ts'
import { limits } from '../core/limits.ts'
import { openPath } from '../ingest/containers.ts'

export interface RuleText {
  /** Path as given, joined with what is below it; members of archives are `pack.zip!/rules/x.yml`. */
  readonly file: string
  readonly text: string
  /** True when the user named this very file. */
  readonly named: boolean
}

export interface RuleTexts {
  readonly texts: readonly RuleText[]
  readonly problems: readonly { readonly file: string; readonly diagnostic: Diagnostic }[]
}

const RULE_NAME = /\.ya?ml$/i
const ARCHIVE_NAME = /\.(?:zip|tar|tgz|tar\.gz|tar\.zst)$/i
const utf8 = new TextDecoder('utf-8', { fatal: true })

interface Collection {
  readonly texts: RuleText[]
  readonly problems: { file: string; diagnostic: Diagnostic }[]
  bytes: number
}

function take(into: Collection, file: string, bytes: Uint8Array, named: boolean): void {
  into.bytes += bytes.length
  const problem = (diagnostic: Diagnostic): void => {
    into.problems.push({ file, diagnostic })
  }
  if (bytes.length > limits.ruleFileBytes) {
    const what = 'the file'
    problem(diagnose('HR004', { what, size: `${bytes.length} bytes`, limit: limits.ruleFileBytes }))
    return
  }
  try {
    into.texts.push({ file, text: utf8.decode(bytes), named })
  } catch {
    problem(diagnose('HR912', {}))
  }
}

/** True, with a problem noted once, when the pack has grown past its limits. */
function isFull(into: Collection, file: string): boolean {
  const what = into.bytes > limits.packBytes ? 'bytes' : 'files'
  const limit = what === 'bytes' ? limits.packBytes : limits.packFiles
  if (what === 'files' && into.texts.length < limits.packFiles) return false
  if (!into.problems.some((each) => each.diagnostic.code === 'HR911')) {
    into.problems.push({ file, diagnostic: diagnose('HR911', { limit, what }) })
  }
  return true
}

function readFolder(into: Collection, folder: string): void {
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name)
    const stat = lstatSync(path)
    if (isFull(into, folder)) return
    if (stat.isDirectory()) {
      if (name !== '.git' && name !== 'node_modules') readFolder(into, path)
    } else if (stat.isFile() && RULE_NAME.test(name)) {
      take(into, path, readFileSync(path), false)
    }
  }
}

async function readArchive(into: Collection, path: string): Promise<void> {
  for await (const member of openPath(path)) {
    if (isFull(into, path)) return
    if (!RULE_NAME.test(member.path)) {
      for await (const _ of member.bytes) break
      continue
    }
    const parts: Uint8Array[] = []
    let size = 0
    for await (const part of member.bytes) {
      size += part.length
      parts.push(part)
      if (size > limits.ruleFileBytes) break
    }
    take(into, member.path, Buffer.concat(parts), false)
  }
}

/** Reads all rule texts below the paths. What cannot be read is a problem with its path; the rest goes on. */
export async function readRuleTexts(paths: readonly string[]): Promise<RuleTexts> {
  const into: Collection = { texts: [], problems: [], bytes: 0 }
  for (const path of paths) {
    try {
      if (statSync(path).isDirectory())
        readFolder(into, path.endsWith(sep) ? path.slice(0, -1) : path)
      else if (ARCHIVE_NAME.test(path)) await readArchive(into, path)
      else take(into, path, readFileSync(path), true)
    } catch (error) {
      const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
      const reason = missing ? 'no such file or folder' : String(error)
      into.problems.push({ file: path, diagnostic: diagnose('HR005', { path, reason }) })
    }
  }
  return into
}
