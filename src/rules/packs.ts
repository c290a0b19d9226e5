/**
 * Rule packs: public rule repositories cloned with the user's own git, pinned to a commit, kept under the data
 * folder. Nothing of a pack is ever run; links in it are not followed.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Diagnostic, diagnose } from '../core/diagnostic.ts'

const run = promisify(execFile)

export interface Pack {
  readonly name: string
  readonly url: string
  /** Branch, tag or commit that was asked for; without one the default branch of the repository. */
  readonly ref?: string
  /** Full commit id that is checked out. */
  readonly commit: string
  /** When it was added or last updated, ISO time. */
  readonly date: string
  readonly folder: string
}

export type PackResult =
  | { readonly pack: Pack; readonly before?: string }
  | { readonly problem: Diagnostic }

export interface AddOptions {
  /** Default: the last part of the address. */
  readonly name?: string | undefined
  /** Branch, tag or commit; default is the repository's own default branch. */
  readonly ref?: string | undefined
  /** Called when all is well so far and git begins to fetch. */
  readonly onFetch?: () => void
}

/** Names of folders; endings that the packs folder uses for itself are not free. */
const NAME = /^(?!.*\.(?:json|new|old)$)[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/
const URL_FORM =
  /^(?:https:\/\/[^\s@'"\\]+|file:\/\/\/[^\s'"\\]+|ssh:\/\/(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9[][^\s@'"\\]*)$/
const REF = /^(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._/+-]{0,255}$/
/** What git says when the server has no such name or does not give single commits. */
const NOT_GIVEN =
  /couldn't find remote ref|not our ref|unadvertised object|does not support shallow|not found in upstream/i

/** Git without hooks, prompts, helpers of the repository, or transports that run commands. */
const SAFE = [
  'core.hooksPath=/dev/null',
  'core.symlinks=false',
  'core.fsmonitor=false',
  'core.autocrlf=false',
  'core.protectNTFS=true',
  'protocol.ext.allow=never',
  'protocol.file.allow=always',
  'submodule.recurse=false',
  'fetch.recurseSubmodules=false',
  'advice.detachedHead=false',
  'gc.auto=0',
].flatMap((setting) => ['-c', setting])

/** Variables that would point git at another repository, set when the program is called from a hook. */
const NOT_PASSED = [
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_INDEX_FILE',
  'GIT_OBJECT_DIRECTORY',
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
  'GIT_COMMON_DIR',
  'GIT_NAMESPACE',
]

const GIT_SECONDS = 600

/** What git said when it failed. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if ('code' in error && error.code === 'ENOENT') return 'git is not installed'
  if (error.name === 'AbortError') return 'interrupted'
  if ('killed' in error && error.killed === true) return `no end after ${GIT_SECONDS} seconds`
  const stderr = 'stderr' in error ? String(error.stderr) : ''
  const line = stderr.split('\n').find((each) => /^(?:fatal|error): /.test(each))
  return (line ?? error.message.split('\n')[0] ?? '').replace(/^(?:fatal|error): /, '')
}

/** Name of a pack from the last part of its address. */
function nameOf(url: string): string | undefined {
  const last =
    url
      // A host alone names no repository.
      .replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, '')
      .replace(/\/+$/, '')
      .replace(/\.git$/, '')
      .split('/')
      .at(-1) ?? ''
  return NAME.test(last) ? last : undefined
}

/** An address as it may be shown: without what a user may have put in as a password. */
function shownUrl(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//***@')
}

interface Fetch {
  readonly name: string
  readonly url: string
  readonly ref: string | undefined
  readonly now: string
  readonly before: string | undefined
}

/** The packs of a data folder. */
export class Packs {
  readonly root: string
  readonly #signal: AbortSignal | undefined

  /** `signal` ends a running git. */
  constructor(dataFolder: string, signal?: AbortSignal) {
    this.root = join(dataFolder, 'packs')
    this.#signal = signal
  }

  get #index(): string {
    return join(this.root, 'packs.json')
  }

  /** All packs, by name. A damaged index is an error with its path, never an empty list. */
  list(): readonly Pack[] {
    if (!existsSync(this.#index)) return []
    let parsed: unknown
    try {
      parsed = JSON.parse(readFileSync(this.#index, 'utf8'))
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new Error(`the list of packs ${this.#index} cannot be read: ${reason}`)
    }
    if (!Array.isArray(parsed)) throw new Error(`${this.#index} is no list of packs`)
    return parsed
      .flatMap((each: unknown): readonly Pack[] => {
        if (each === null || typeof each !== 'object') return []
        const { name, url, ref, commit, date } = each as Record<string, unknown>
        if (typeof name !== 'string' || !NAME.test(name)) return []
        const folder = join(this.root, name)
        const pack = { name, url: String(url), commit: String(commit), date: String(date), folder }
        return [typeof ref === 'string' ? { ...pack, ref } : pack]
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  #save(packs: readonly Pack[]): void {
    mkdirSync(this.root, { recursive: true })
    const kept = packs.map(({ folder: _, ...pack }) => pack)
    writeFileSync(`${this.#index}.new`, `${JSON.stringify(kept, null, 2)}\n`)
    renameSync(`${this.#index}.new`, this.#index)
  }

  async #git(folder: string, args: readonly string[]): Promise<string> {
    const env: NodeJS.ProcessEnv = { ...process.env }
    for (const name of NOT_PASSED) delete env[name]
    const { stdout } = await run('git', ['-C', folder, ...SAFE, ...args], {
      timeout: GIT_SECONDS * 1000,
      maxBuffer: 16 * 1024 * 1024,
      env: { ...env, GIT_TERMINAL_PROMPT: '0', GIT_ASKPASS: 'true', LC_ALL: 'C' },
      ...(this.#signal === undefined ? {} : { signal: this.#signal }),
    })
    return stdout.trim()
  }

  /**
   * Clones a repository and pins its commit. The clone is made beside and moved in, so an interrupted one leaves
   * nothing.
   */
  async add(url: string, now: string, options: AddOptions = {}): Promise<PackResult> {
    if (!URL_FORM.test(url)) return { problem: diagnose('HR900', { url: shownUrl(url) }) }
    const name = options.name ?? nameOf(url)
    if (name === undefined || !NAME.test(name)) {
      return { problem: diagnose('HR901', { name: options.name ?? url }) }
    }
    if (this.list().some((each) => each.name === name)) {
      return { problem: diagnose('HR902', { name }) }
    }
    options.onFetch?.()
    return this.#fetch({ name, url, now, ref: options.ref, before: undefined })
  }

  /** Fetches a pack again, the branch or tag that it was added with; gives the commit that it had before. */
  async update(name: string, now: string): Promise<PackResult> {
    const known = this.list().find((each) => each.name === name)
    if (known === undefined) return { problem: diagnose('HR903', { name }) }
    return this.#fetch({ name, url: known.url, now, ref: known.ref, before: known.commit })
  }

  /** Checks out what was asked for in a fresh folder; gives the commit, or undefined when there is no such name. */
  async #checkout(folder: string, { url, ref }: Fetch): Promise<string | undefined> {
    let found = 'FETCH_HEAD'
    await this.#git(folder, ['init', '--quiet', '.'])
    try {
      const wanted = ref ?? 'HEAD'
      await this.#git(folder, ['fetch', '--quiet', '--no-tags', '--depth', '1', '--', url, wanted])
    } catch (error) {
      if (!NOT_GIVEN.test(String(error))) throw error
      const all = [
        '+refs/heads/*:refs/remotes/origin/*',
        '+refs/tags/*:refs/tags/*',
        '+HEAD:harrier',
      ]
      await this.#git(folder, ['fetch', '--quiet', '--no-tags', '--', url, ...all])
      const names = ref === undefined ? ['harrier'] : [`refs/tags/${ref}`, `origin/${ref}`, ref]
      const commits = await Promise.all(
        names.map((name) =>
          this.#git(folder, ['rev-parse', '--verify', '--quiet', `${name}^{commit}`]).catch(
            () => '',
          ),
        ),
      )
      const commit = commits.find((each) => each !== '')
      if (commit === undefined) return undefined
      found = commit
    }
    await this.#git(folder, ['checkout', '--quiet', '--detach', found])
    return this.#git(folder, ['rev-parse', 'HEAD'])
  }

  async #fetch(job: Fetch): Promise<PackResult> {
    const { name, url, ref, now, before } = job
    const missing = { problem: diagnose('HR913', { ref: ref ?? 'HEAD', url }) }
    if (ref !== undefined && !REF.test(ref)) return missing
    const folder = join(this.root, name)
    const fresh = `${folder}.new`
    const old = `${folder}.old`
    try {
      mkdirSync(this.root, { recursive: true })
      rmSync(fresh, { recursive: true, force: true })
      mkdirSync(fresh)
      const commit = await this.#checkout(fresh, job)
      if (commit === undefined) return missing
      rmSync(old, { recursive: true, force: true })
      if (existsSync(folder)) renameSync(folder, old)
      renameSync(fresh, folder)
      const known: Pack = { name, url, commit, date: now, folder }
      const pack: Pack = ref === undefined ? known : { ...known, ref }
      this.#save([...this.list().filter((each) => each.name !== name), pack])
      return before === undefined ? { pack } : { pack, before }
    } catch (error) {
      if (!existsSync(folder) && existsSync(old)) renameSync(old, folder)
      return { problem: diagnose('HR904', { url, reason: reasonOf(error) }) }
    } finally {
      rmSync(fresh, { recursive: true, force: true })
      rmSync(old, { recursive: true, force: true })
    }
  }

  /** Removes a pack; false when there is none of that name. */
  remove(name: string): boolean {
    const packs = this.list()
    const known = packs.find((each) => each.name === name)
    if (known === undefined) return false
    rmSync(known.folder, { recursive: true, force: true })
    this.#save(packs.filter((each) => each !== known))
    return true
  }
}
