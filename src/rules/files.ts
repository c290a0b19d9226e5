/**
 * Texts of rule files below paths: files, folders, archives and standard input, in a fixed order, within the limits
 * of a pack. Links below folders are not followed; what has no ending of a rule file is not read there, and of files that
 * may as well hold something else only those with a query, or with what queries use.
 */
import {
  closeSync,
  createReadStream,
  existsSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'
import { type Diagnostic, diagnose } from '../core/diagnostic.ts'
import { limits } from '../core/limits.ts'
import { systemReason } from '../core/systemerror.ts'
import { kustoForm } from '../dialects/kusto/document.ts'
import { splForm } from '../dialects/spl/document.ts'
import { openPath } from '../ingest/containers.ts'
import type { LocatedDiagnostic } from './rule.ts'

export interface RuleText {
  /** Path as given, joined with what is below it; members of archives are `pack.zip!/rules/x.yml`. */
  readonly file: string
  readonly text: string
  /** True when the user named this very file. */
  readonly named: boolean
  /** The path that the user named and that led here. */
  readonly root: string
}

/** Something that could not be read; when `file` is the `root` itself, nothing of that path could. */
export interface RuleProblem {
  readonly file: string
  readonly root: string
  readonly diagnostic: LocatedDiagnostic
}

export interface RuleTexts {
  readonly texts: readonly RuleText[]
  readonly problems: readonly RuleProblem[]
  /** Named paths of which a file had been read before, by way of another path. */
  readonly repeated: ReadonlySet<string>
}

const YAML_NAME = /\.ya?ml$/i
/** Tests beside rules are no rules. */
const TEST_NAME = /\.test\.ya?ml$/i
/** Endings of files that hold rules, or what rules use. */
const RULE_NAME = /\.(?:ya?ml|json|jsonl|ndjson|md|markdown|kql|kusto|csl|spl|conf|csv)$/i
/** Endings of files that may hold many rules. */
const LARGE_NAME = /(?:^-|\.(?:json|jsonl|ndjson|md|markdown|txt|conf)(?:\.(?:gz|zst))?)$/i
const CSV_NAME = /\.csv(?:\.(?:gz|zst))?$/i
/** So much of a file that is too large tells whether it is meant as rules. */
const SNIFFED_BYTES = 64 * 1024

const isRuleName = (name: string): boolean => RULE_NAME.test(name) && !TEST_NAME.test(name)

/** The most bytes that a file of a name may have. */
function mostBytes(name: string): number {
  if (CSV_NAME.test(name)) return limits.watchlistBytes
  return LARGE_NAME.test(name) ? limits.rulesFileBytes : limits.ruleFileBytes
}

/** True when a file below a folder is read: YAML always, others when they hold something of Kusto's or Splunk's. */
function isMeant(file: string, text: string): boolean {
  return (
    YAML_NAME.test(file) ||
    kustoForm(file, text, false) !== undefined ||
    splForm(file, text, false) !== undefined
  )
}

const utf8 = new TextDecoder('utf-8', { fatal: true })
const lenient = new TextDecoder('utf-8')

/** The text of bytes; without `strict`, what is no UTF-8 is replaced: the bytes may be cut within a character. */
function decoded(bytes: Uint8Array, strict = true): string | undefined {
  try {
    return (strict ? utf8 : lenient).decode(bytes)
  } catch {
    return undefined
  }
}

/** Reads the texts of one call, counting against the limits of a pack. */
class Collection {
  readonly texts: RuleText[] = []
  readonly problems: RuleProblem[] = []
  readonly repeated = new Set<string>()
  readonly #seen = new Set<string>()
  #bytes = 0
  #isFull = false

  /** True for the first time that a file on disk is met, whatever path led to it. */
  isNew(root: string, path: string): boolean {
    const real = realpathSync.native(path)
    if (this.#seen.has(real)) this.repeated.add(root)
    const isNew = !this.#seen.has(real)
    this.#seen.add(real)
    return isNew
  }

  problem(root: string, file: string, diagnostic: Diagnostic): void {
    this.problems.push({ root, file, diagnostic })
  }

  unreadable(root: string, file: string, error: unknown): void {
    const reason = systemReason(error)
    this.problem(root, file, diagnose('HR005', { path: file, reason }))
  }

  tooLarge(root: string, file: string, size: string): void {
    const params = { what: 'the file', size, limit: mostBytes(file) }
    this.problem(root, file, diagnose('HR004', params))
  }

  take(root: string, file: string, bytes: Uint8Array, named: boolean): void {
    if (bytes.length > mostBytes(file)) {
      const head = decoded(bytes.subarray(0, SNIFFED_BYTES), false) ?? ''
      if (!named && !isMeant(file, head)) return
      this.#bytes += bytes.length
      this.tooLarge(root, file, `${bytes.length} bytes or more`)
      return
    }
    // Text in UTF-16 has zero bytes, and so have files that are no text; rules have none.
    const text = bytes.includes(0) ? undefined : decoded(bytes)
    if (!named && !YAML_NAME.test(file) && (text === undefined || !isMeant(file, text))) return
    this.#bytes += bytes.length
    if (text === undefined) this.problem(root, file, diagnose('HR912', {}))
    else this.texts.push({ root, file, text, named })
  }

  /** True, with a problem noted once, when the limits of a pack are reached: nothing more is read. */
  isFull(root: string): boolean {
    const what = this.#bytes >= limits.packBytes ? 'bytes' : 'files'
    const limit = what === 'bytes' ? limits.packBytes : limits.packFiles
    if (what === 'files' && this.texts.length < limits.packFiles) return false
    if (!this.#isFull) this.problem(root, root, diagnose('HR911', { limit, what }))
    this.#isFull = true
    return true
  }
}

/** The bytes of a stream, up to a little more than a file of its name may have. */
async function bounded(stream: AsyncIterable<Uint8Array>, file: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of stream) {
    parts.push(part)
    size += part.length
    if (size > mostBytes(file)) break
  }
  return Buffer.concat(parts)
}

/** The first part of a file that is too large to be read, as text. */
function headOf(path: string): string {
  const handle = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(SNIFFED_BYTES)
    return decoded(bytes.subarray(0, readSync(handle, bytes)), false) ?? ''
  } finally {
    closeSync(handle)
  }
}

function readFolder(into: Collection, root: string, folder: string): void {
  let names: readonly string[]
  try {
    names = readdirSync(folder).sort()
  } catch (error) {
    into.unreadable(root, folder, error)
    return
  }
  for (const name of names) {
    if (into.isFull(root)) return
    const path = join(folder, name)
    try {
      const stat = lstatSync(path)
      if (stat.isDirectory()) {
        if (name !== '.git' && name !== 'node_modules') readFolder(into, root, path)
      } else if (stat.isFile() && isRuleName(name) && into.isNew(root, path)) {
        if (stat.size <= mostBytes(path)) into.take(root, path, readFileSync(path), false)
        else if (isMeant(path, headOf(path))) into.tooLarge(root, path, `${stat.size} bytes`)
      }
    } catch (error) {
      into.unreadable(root, path, error)
    }
  }
}

/** A file that is named: rule text as it is or packed, or an archive of rules. */
async function readPacked(into: Collection, path: string): Promise<void> {
  const members = openPath(path, {
    onDamage: (file, _code, reason) =>
      into.problem(path, file, diagnose('HR005', { path: file, reason })),
  })
  for await (const member of members) {
    if (into.isFull(path)) return
    const isMember = member.path.includes('!/')
    if (isMember && !isRuleName(member.path)) {
      for await (const _ of member.bytes) break
      continue
    }
    into.take(path, member.path, await bounded(member.bytes, member.path), !isMember)
  }
}

/** True for an app as Splunk packs it: an archive with the ending of a search. */
function isPackedApp(path: string): boolean {
  if (!/\.spl$/i.test(path)) return false
  const handle = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(2)
    readSync(handle, bytes)
    return bytes[0] === 0x1f && bytes[1] === 0x8b
  } finally {
    closeSync(handle)
  }
}

async function readNamed(into: Collection, path: string): Promise<void> {
  if (path === '-') {
    into.take(path, '-', await bounded(process.stdin, '-'), true)
    return
  }
  const stat = statSync(path)
  if (stat.isDirectory()) {
    const isRoot = resolve(path) === sep
    readFolder(into, path, path.endsWith(sep) && !isRoot ? path.slice(0, -1) : path)
  } else if (!stat.isFile()) {
    // A pipe, such as the shell makes for <(...).
    into.take(path, path, await bounded(createReadStream(path), path), true)
  } else if (!into.isNew(path, path)) return
  else if (!RULE_NAME.test(path) || isPackedApp(path)) await readPacked(into, path)
  else if (stat.size > mostBytes(path)) into.tooLarge(path, path, `${stat.size} bytes or more`)
  else into.take(path, path, await bounded(createReadStream(path), path), true)
}

/** How far up a pack is looked for whose macros and lookups a named file or folder uses. */
const MOST_LEVELS = 4
/** Folders of a pack that hold what its searches use. */
const PACK_FOLDERS = ['macros', 'lookups', 'deployments', 'default', 'local']

/** The folder above a path that holds macros or lookups beside it; undefined when there is none near. */
function packAbove(path: string): string | undefined {
  let folder = resolve(path)
  for (let level = 0; level < MOST_LEVELS; level++) {
    const above = dirname(folder)
    if (above === folder) return undefined
    folder = above
    const isPack = ['macros', 'lookups', join('default', 'macros.conf')].some((name) =>
      existsSync(join(folder, name)),
    )
    if (isPack) return folder
  }
  return undefined
}

/**
 * Texts that searches of the named paths may use: macros, lookups and configuration of the folder above that holds them,
 * with that path as their root, and then those of packs.
 */
export function readPackTexts(
  paths: readonly string[],
  packs: readonly string[],
  known: readonly RuleText[],
): RuleTexts {
  const into = new Collection()
  const read = new Set(known.map(({ file }) => resolve(file)))
  const above = paths.flatMap((path): (readonly [root: string, pack: string])[] => {
    const pack = path === '-' || !existsSync(path) ? undefined : packAbove(path)
    return pack === undefined ? [] : [[path, pack]]
  })
  for (const [root, pack] of [...above, ...packs.map((each) => [each, each] as const)]) {
    for (const name of PACK_FOLDERS) {
      const folder = join(pack, name)
      if (existsSync(folder) && statSync(folder).isDirectory()) readFolder(into, root, folder)
    }
  }
  const texts = into.texts.filter(({ file }) => !read.has(resolve(file)))
  return { texts, problems: into.problems, repeated: into.repeated }
}

/**
 * Reads all rule texts below the paths; a file that several of them lead to is read once. What cannot be read is a
 * problem with its path; the rest goes on.
 */
export async function readRuleTexts(paths: readonly string[]): Promise<RuleTexts> {
  const into = new Collection()
  for (const path of paths) {
    try {
      await readNamed(into, path)
    } catch (error) {
      into.unreadable(path, path, error)
    }
  }
  return into
}
