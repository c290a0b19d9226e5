/**
 * A user's desk for tests of the built program: a folder with its own home, data and temporary folders, calls of the
 * program from there, and what they said with everything removed that changes from run to run.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const PROGRAM = join(ROOT, 'dist/harrier.js')
/** Shared by all tests, so that the Kusto front end is made ready once. */
const CACHE = join(ROOT, 'node_modules/.cache/harrier/xdg')

export interface Said {
  /** Exit code; null when a signal ended it. */
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface CallOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Given on standard input; without it standard input is empty. */
  readonly input?: string | Uint8Array
  /** Leaves standard input open. */
  readonly isOpen?: boolean
  /** Closes our end of stdout after so many bytes, as `head` does. */
  readonly readOnly?: number
  /** User and group to run as. */
  readonly user?: number
}

/** A call under way. */
export interface Live {
  readonly child: ChildProcess
  readonly ended: Promise<Said>
  /** Resolves when stderr has said it. */
  until(pattern: RegExp): Promise<void>
}

export interface Desk {
  readonly folder: string
  /** Where the program makes temporary folders. */
  readonly temporary: string
  /** Where the default store and rule packs are. */
  readonly data: string
  path(name: string): string
  write(name: string, content: string | Uint8Array): string
  start(args: readonly string[], options?: CallOptions): Live
  call(args: readonly string[], options?: CallOptions): Promise<Said>
  /** The call as a transcript, the same on every machine. */
  transcript(args: readonly string[], options?: CallOptions): Promise<string>
  /** What is left in the temporary folder. */
  leftovers(): readonly string[]
  close(): void
}

/** Text without places, times, rates and the like. */
function settled(text: string, folder: string): string {
  return (
    text
      .replaceAll(folder, 'DESK')
      .replaceAll(ROOT, 'REPO/')
      .replace(/\bin \d[\d.]* (?:s|min \d+ s)\b/g, 'in N s')
      .replace(/ \([\d,]+ events\/s\)/g, '')
      .replace(/"seconds":[\d.e-]+/g, '"seconds":N')
      .replace(/\bprocess \d+/g, 'process PID')
      .replace(/\b(commit|was) [0-9a-f]{12}\b/g, '$1 COMMIT')
      .replace(/\b[0-9a-f]{32}\b/g, 'ID')
      // Findings come in no fixed order: two scans run at once.
      .replace(/(?:^\{"time".*\n)+/gm, (lines) => {
        const found = lines.split('\n').filter((each) => each !== '')
        const plain = found.map((each) => each.replace(/,$/, '')).sort()
        return `${plain.join('\n')}\n`
      })
  )
}

export function makeDesk(): Desk {
  const folder = mkdtempSync(join(tmpdir(), 'harrier-desk-'))
  const path = (name: string): string => join(folder, name)
  const home = path('.home')
  const data = path('.data')
  const temporary = path('.tmp')
  for (const each of [home, data, temporary]) mkdirSync(each)
  const running = new Set<ChildProcess>()

  const start = (args: readonly string[], options: CallOptions = {}): Live => {
    const { env = {}, input, isOpen, readOnly, user } = options
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        HOME: home,
        XDG_DATA_HOME: data,
        XDG_CACHE_HOME: CACHE,
        TMPDIR: temporary,
        GIT_CONFIG_GLOBAL: path('.gitconfig'),
        GIT_CONFIG_NOSYSTEM: '1',
        ...env,
      },
      ...(user === undefined ? {} : { uid: user, gid: user }),
    })
    running.add(child)
    child.on('close', () => running.delete(child))
    let out = ''
    let err = ''
    const waiting = new Set<() => void>()
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
      if (readOnly !== undefined && out.length >= readOnly) child.stdout.destroy()
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text
      for (const look of waiting) look()
    })
    child.stdin.on('error', () => {})
    if (isOpen !== true) child.stdin.end(input)
    return {
      child,
      ended: new Promise((done) => child.on('close', (code) => done({ code, out, err }))),
      until: (pattern) =>
        new Promise((done, failed) => {
          const look = (): void => {
            if (!pattern.test(err)) return
            waiting.delete(look)
            done()
          }
          waiting.add(look)
          child.on('close', () => failed(new Error(`ended without ${pattern}: ${err}`)))
          look()
        }),
    }
  }
  const call = (args: readonly string[], options?: CallOptions): Promise<Said> =>
    start(args, options).ended
  return {
    folder,
    temporary,
    data,
    path,
    start,
    call,
    write(name, content) {
      mkdirSync(dirname(path(name)), { recursive: true })
      writeFileSync(path(name), content)
      return path(name)
    },
    async transcript(args, options) {
      const { code, out, err } = await call(args, options)
      const words = args.map((each) => (/^[\w./:=,@%*+-]+$/.test(each) ? each : `'${each}'`))
      const parts = [`$ ${['harrier', ...words].join(' ')}`, out.trimEnd()]
      if (err.trim() !== '') parts.push('--- stderr', err.trimEnd())
      parts.push(`--- exit ${code}`, '')
      return settled(parts.filter((each, at) => each !== '' || at > 1).join('\n'), folder)
    },
    leftovers: () => readdirSync(temporary),
    close() {
      for (const child of running) child.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    },
  }
}
