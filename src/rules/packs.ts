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
  /** Full commit id that is checked out. */
  readonly commit: string
  /** When it was added or last updated, ISO time. */
  readonly date: string
  readonly folder: string
}

export type PackResult =
  | { readonly pack: Pack; readonly before?: string }
  | { readonly problem: Diagnostic }

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/
const URL_FORM = /^(?:https:\/\/[^\s@'"\\]+|file:\/\/\/[^\s'"\\]+|ssh:\/\/[^\s'"\\]+)$/

/** Git without hooks, prompts, helpers of the repository, or transports that run commands. */
const SAFE = [
  '-c',
  'core.hooksPath=/dev/null',
  '-c',
  'core.symlinks=false',
  '-c',
  'protocol.ext.allow=never',
  '-c',
  'protocol.file.allow=always',
  '-c',
  'submodule.recurse=false',
  '-c',
  'core.fsmonitor=false',
]

async function git(args: readonly string[], seconds = 600): Promise<string> {
  const { stdout } = await run('git', [...SAFE, ...args], {
    timeout: seconds * 1000,
    maxBuffer: 16 * 1024 * 1024,
    env: { ...process.env, GIT_TERMINAL_PROMPT: '0', GIT_ASKPASS: 'true', LC_ALL: 'C' },
  })
  return stdout.trim()
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
    return 'git is not installed'
  }
  const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : ''
  const line = stderr
    .split('\n')
    .find((each) => each.startsWith('fatal:') || each.startsWith('error:'))
  return line ?? (error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error))
}

/** Name of a pack from the last part of its address. */
function nameOf(url: string): string | undefined {
  const last =
    url
      .replace(/\/+$/, '')
      .replace(/\.git$/, '')
      .split('/')
      .at(-1) ?? ''
  return NAME.test(last) ? last : undefined
}

/** The packs of a data folder. */
export class Packs {
  readonly root: string
  constructor(dataFolder: string) {
    this.root = join(dataFolder, 'packs')
  }

  private get index(): string {
    return join(this.root, 'packs.json')
  }

  /** All packs, by name. A damaged index is an error with its path, never an empty list. */
  list(): readonly Pack[] {
    if (!existsSync(this.index)) return []
    const parsed: unknown = JSON.parse(readFileSync(this.index, 'utf8'))
    if (!Array.isArray(parsed)) throw new SyntaxError(`${this.index} is not a list of packs`)
    return parsed.flatMap((each: unknown) => {
      if (each === null || typeof each !== 'object') return []
      const { name, url, commit, date } = each as Record<string, unknown>
      if (typeof name !== 'string' || !NAME.test(name)) return []
      return [
        {
          name,
          url: String(url),
          commit: String(commit),
          date: String(date),
          folder: join(this.root, name),
        },
      ]
    })
  }

  private save(packs: readonly Pack[]): void {
    mkdirSync(this.root, { recursive: true })
    const text = JSON.stringify(
      packs.map(({ folder: _, ...kept }) => kept),
      null,
      2,
    )
    writeFileSync(`${this.index}.new`, `${text}\n`)
    renameSync(`${this.index}.new`, this.index)
  }

  /**
   * Clones a repository and pins its commit. `ref` is a branch, tag or commit; default is the remote's own.
   * The clone is made beside and moved in, so an interrupted one leaves nothing.
   */
  async add(
    url: string,
    now: string,
    options: { name?: string; ref?: string } = {},
  ): Promise<PackResult> {
    if (!URL_FORM.test(url)) return { problem: diagnose('HR900', { url }) }
    const name = options.name ?? nameOf(url)
    if (name === undefined || !NAME.test(name)) {
      return { problem: diagnose('HR901', { name: options.name ?? url }) }
    }
    if (this.list().some((each) => each.name === name)) {
      return { problem: diagnose('HR902', { name }) }
    }
    return this.fetch({ name, url, now, ref: options.ref, before: undefined })
  }

  /** Fetches a pack again; gives the commit that it had before. */
  async update(name: string, now: string): Promise<PackResult> {
    const known = this.list().find((each) => each.name === name)
    if (known === undefined) return { problem: diagnose('HR903', { name }) }
    return this.fetch({ name, url: known.url, now, ref: undefined, before: known.commit })
  }

  private async fetch(job: {
    name: string
    url: string
    now: string
    ref: string | undefined
    before: string | undefined
  }): Promise<PackResult> {
    const folder = join(this.root, job.name)
    const fresh = `${folder}.new`
    mkdirSync(this.root, { recursive: true })
    rmSync(fresh, { recursive: true, force: true })
    try {
      const shallow = job.ref === undefined ? ['--depth', '1'] : []
      await git([
        'clone',
        '--quiet',
        '--no-tags',
        '--single-branch',
        ...shallow,
        '--',
        job.url,
        fresh,
      ])
      if (job.ref !== undefined) {
        await git(['-C', fresh, 'checkout', '--quiet', '--detach', job.ref.replace(/^-+/, '')])
      }
      const commit = await git(['-C', fresh, 'rev-parse', 'HEAD'])
      rmSync(folder, { recursive: true, force: true })
      renameSync(fresh, folder)
      const pack: Pack = { name: job.name, url: job.url, commit, date: job.now, folder }
      this.save([...this.list().filter((each) => each.name !== job.name), pack])
      return job.before === undefined ? { pack } : { pack, before: job.before }
    } catch (error) {
      rmSync(fresh, { recursive: true, force: true })
      return { problem: diagnose('HR904', { url: job.url, reason: reasonOf(error) }) }
    }
  }

  /** Removes a pack; false when there is none of that name. */
  remove(name: string): boolean {
    const packs = this.list()
    const known = packs.find((each) => each.name === name)
    if (known === undefined) return false
    rmSync(known.folder, { recursive: true, force: true })
    this.save(packs.filter((each) => each !== known))
    return true
  }
}
