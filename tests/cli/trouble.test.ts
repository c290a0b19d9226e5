/** What goes wrong around the built program: stores that are in use, damaged or out of reach, full disks, readers gone. */
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeCase } from '../support/casefiles.ts'
import { type Desk, makeDesk } from '../support/desk.ts'

const isRoot = process.getuid?.() === 0
/** An account without rights, for what root would be allowed. */
const NOBODY = 65_534

/** Paths below a folder that fit a pattern. */
function below(folder: string, pattern: RegExp): readonly string[] {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => pattern.test(name))
    .map((name) => `${folder}/${name}`)
}

let desk: Desk
beforeAll(async () => {
  desk = makeDesk()
  writeCase(desk)
  const { code } = await desk.call(['ingest', 'logs', '--store', 'case', '-q'])
  expect(code).toBe(0)
})
afterAll(() => {
  expect(desk.leftovers()).toEqual([])
  desk.close()
})

describe('a store in use', () => {
  it('is refused with the number of the process that has it', async () => {
    const status = desk.path('case/db/status')
    rmSync(status, { force: true })
    const first = desk.start(['ingest', '-', '--store', 'case', '-q'], { isOpen: true })
    for (let tries = 0; tries < 200 && !existsSync(status); tries++) await wait(50)
    const second = await desk.call(['run', '--store', 'case', '--rules', 'rules/windows'])
    const holder = /^PID: (\d+)$/m.exec(readFileSync(status, 'utf8'))?.[1]
    expect(second).toEqual({
      code: 4,
      out: '',
      err:
        `error: ${desk.path('case/db')} is in use by process ${holder}\n` +
        'hint: wait until it has ended, or name another store with --store\n',
    })
    const doctor = await desk.call(['doctor', '--store', 'case'])
    expect(doctor.code).toBe(4)
    expect(doctor.out).toContain(`FAIL  store    ${desk.path('case/db')} is in use by process`)
    first.child.stdin?.end('{"a": 1}\n')
    expect(await first.ended).toEqual({ code: 0, out: '', err: '' })
  })
})

describe('a damaged store', () => {
  const damaged = (name: string): string => {
    cpSync(desk.path('case'), desk.path(name), { recursive: true, verbatimSymlinks: true })
    return desk.path(name)
  }
  const hint = 'hint: restore the folder from a copy, or ingest the logs into a new store\n'

  it('is refused when events cannot be read any more', async () => {
    const store = damaged('lost')
    const [part = ''] = below(`${store}/db/store`, /\/202601_[^/]*$/)
    writeFileSync(`${part}/columns.txt`, 'nonsense')
    const { code, out, err } = await desk.call(['run', '--store', 'lost', '--rules', 'rules'])
    expect({ code, out }).toEqual({ code: 4, out: '' })
    expect(err).toMatch(/is damaged: \d of \d+ stored events are missing\n/)
    expect(err).toContain(hint)
  })

  it('is refused when the ledger of what was stored cannot be read any more', async () => {
    const store = damaged('ledger')
    for (const part of below(`${store}/db/store`, /\/[^/]*_\d+_\d+[^/]*$/)) {
      writeFileSync(`${part}/columns.txt`, 'nonsense')
    }
    const { code, err } = await desk.call(['fields', '--store', 'ledger'])
    expect(code).toBe(4)
    expect(err).toMatch(/is damaged: \d+ parts of \d+ tables cannot be read\n/)
    expect(err).toContain(hint)
  })

  it('is refused when its tables are not described any more', async () => {
    rmSync(`${damaged('bare')}/db/metadata`, { recursive: true })
    const { code, err } = await desk.call(['ingest', 'logs', '--store', 'bare'])
    expect(code).toBe(4)
    expect(err).toBe(
      `error: the store at bare is damaged: the descriptions of its tables are missing\n${hint}`,
    )
  })

  it('is refused when the description of a table is damaged', async () => {
    const [table = ''] = below(`${damaged('table')}/db/metadata/default/`, /^events_.*\.sql$/)
    writeFileSync(table, 'nonsense')
    const { code, err } = await desk.call(['run', '--store', 'table', '--rules', 'rules'])
    expect(code).toBe(4)
    expect(err).toContain(`error: cannot open ${desk.path('table/db')}: `)
    expect(err).toContain(hint)
  })
})

describe('a store out of reach', () => {
  it('is an error of the engine when nothing listens', async () => {
    const { code, out, err } = await desk.call(['run', 'logs', '--store', 'http://127.0.0.1:9'])
    expect({ code, out }).toEqual({ code: 4, out: '' })
    expect(err).toMatch(/^error: cannot use the server at http:\/\/127\.0\.0\.1:9: .*ECONNREFUSED/)
    expect(err).toContain('hint: is the server running')
  })

  it.runIf(isRoot)('is an error when the folder may not be written or read', async () => {
    mkdirSync(desk.path('locked/inside'), { recursive: true })
    chmodSync(desk.path('locked'), 0o700)
    chmodSync(desk.folder, 0o755)
    const env = { HOME: '/', XDG_DATA_HOME: '/nonexistent', TMPDIR: desk.path('scratch') }
    mkdirSync(env.TMPDIR)
    chmodSync(env.TMPDIR, 0o777)
    const options = { env, user: NOBODY }
    const write = await desk.call(['ingest', 'logs', '--store', 'new'], options)
    expect(write.code).toBe(4)
    expect(write.err).toBe('error: cannot open new/db: permission denied\n')
    const read = await desk.call(['run', '--store', 'locked/inside'], options)
    expect(read.code).toBe(4)
    expect(read.err).toContain(': permission denied\n')
    const none = await desk.call(['run'], options)
    expect(none.code).toBe(3)
  })
})

describe('logs out of reach', () => {
  it.runIf(isRoot)('are told, the others are read, and the exit code is 4', async () => {
    desk.write('part/open.jsonl', '{"time": "2026-01-05T08:00:00Z", "a": 1}\n')
    desk.write('part/closed/x.jsonl', '{"a": 1}\n')
    desk.write('part/secret.jsonl', '{"a": 1}\n')
    chmodSync(desk.path('part/closed'), 0)
    chmodSync(desk.path('part/secret.jsonl'), 0)
    const env = { HOME: '/', TMPDIR: '/tmp' }
    const { code, err } = await desk.call(['run', 'part', '--rules', 'rules/windows'], {
      env,
      user: NOBODY,
    })
    expect(code).toBe(4)
    expect(err).toContain('not read part/closed: permission denied\n')
    expect(err).toMatch(/not read part\/secret\.jsonl: .*permission denied/)
    expect(err).toContain('1 event from 1 file')
    expect(err).toContain('hint: 2 paths could not be read')
  })
})

/** Writes until nothing more fits. */
function fill(path: string): void {
  try {
    for (;;) appendFileSync(path, Buffer.alloc(4_096))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
  }
}

const canMount = ((): boolean => {
  if (!isRoot || process.platform !== 'linux') return false
  const probe = makeDesk()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', probe.temporary])
    execFileSync('umount', [probe.temporary])
    return true
  } catch {
    return false
  } finally {
    probe.close()
  }
})()

describe.runIf(canMount)('a full disk', () => {
  it('is told as such; the report goes nowhere and is not left half written', async () => {
    const small = desk.path('small')
    mkdirSync(small)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', small])
    try {
      const made = await desk.call(['ingest', 'logs/sysmon.jsonl', '--store', 'small/store', '-q'])
      expect(made.code).toBe(0)
      fill(`${small}/filler`)
      const full = await desk.call(['ingest', 'logs/broken.jsonl', '--store', 'small/store', '-q'])
      expect(full.code).toBe(4)
      expect(full.err).toMatch(/^error: the disk of the store is full: /)
      expect(full.err).toContain('hint: free some space and run the same command again')
      const html = await desk.call([
        ...['run', '--store', 'case', '--rules', 'rules/windows', '-q'],
        ...['--html', 'small/report.html'],
      ])
      expect(html.code).toBe(4)
      expect(html.err).toBe('error: cannot write the report small/report.html: the disk is full\n')
      expect(html.out).toContain('Encoded Command')
      expect(readdirSync(small)).not.toContain('report.html')
      rmSync(`${small}/filler`)
      const again = await desk.call(['ingest', 'logs', '--store', 'small/store', '--json', '-q'])
      expect(again.code).toBe(0)
      expect(JSON.parse(again.out)).toMatchObject({ received: 5, stored: 1, repeated: 3 })
    } finally {
      execFileSync('umount', [small])
    }
  })
})

describe('a reader that goes away', () => {
  it('ends the run quietly, and leaves the exit code and the report to those who asked', async () => {
    const rows = Array.from({ length: 3_000 }, (_, index) =>
      JSON.stringify({
        EventID: 1,
        Channel: 'Microsoft-Windows-Sysmon/Operational',
        TimeCreated: '2026-01-05T08:00:00Z',
        CommandLine: `whoami ${'x'.repeat(500)} ${index}`,
      }),
    )
    desk.write('many.jsonl', `${rows.join('\n')}\n`)
    const args = ['run', 'many.jsonl', '--rules', 'rules/windows/whoami.yml', '--jsonl']
    const [plain, wanted] = await Promise.all([
      desk.call(args, { readOnly: 1 }),
      desk.call([...args, '--fail-on', 'medium', '--html', 'gone.html', '-q'], { readOnly: 1 }),
    ])
    expect(plain.code).toBe(0)
    expect(plain.err).not.toContain('findings')
    expect(wanted.code).toBe(1)
    expect(readFileSync(desk.path('gone.html'), 'utf8')).toContain('3,000')
  })
})

describe('the channels', () => {
  it('colour what a person reads only where it is wanted', async () => {
    const args = ['run', '--store', 'case', '--rules', 'rules/windows', '-q', '--events']
    const plain = await desk.call(args)
    const colored = await desk.call(args, { env: { FORCE_COLOR: '1' } })
    const refused = await desk.call(args, { env: { FORCE_COLOR: '1', NO_COLOR: '1' } })
    const flagged = await desk.call([...args, '--no-color'], { env: { FORCE_COLOR: '1' } })
    expect(colored.out).toContain('\x1b[')
    expect(colored.out.replace(/\x1b\[[\d;]*m/g, '')).toBe(plain.out)
    expect([refused.out, flagged.out]).toEqual([plain.out, plain.out])
  })

  it('tell progress as JSON lines on stderr when asked', async () => {
    const { err } = await desk.call([
      ...['run', 'logs/sysmon.jsonl', '--rules', 'rules/windows', '-q'],
      ...['--progress', 'json'],
    ])
    const states = err
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line))
    expect(states.at(0)).toMatchObject({ progress: 'intake', totalFiles: 1 })
    expect(states.at(-1)).toMatchObject({ progress: 'scan', findings: 2 })
  })

  it('leave nothing in the temporary folder, and nothing of a store in the folder they are called from', () => {
    expect(desk.leftovers()).toEqual([])
    expect(readdirSync(desk.folder)).not.toContain('db')
  })
})
