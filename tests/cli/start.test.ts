/** The first look, and what a person sees on a real terminal. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeCase } from '../support/casefiles.ts'
import { type Desk, makeDesk } from '../support/desk.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

let desk: Desk
beforeAll(() => {
  desk = makeDesk()
  writeCase(desk)
})
afterAll(() => {
  expect(desk.leftovers()).toEqual([])
  desk.close()
})

describe('harrier start', () => {
  it('reads the samples, fires every starter rule, and tells what to do next', async () => {
    const started = performance.now()
    const { code, out, err } = await desk.call(['start', '--once', '--html', 'first.html'])
    expect(code).toBe(0)
    expect(performance.now() - started).toBeLessThan(90_000)
    expect(out).toMatch(/^LEVEL +RULE +HITS /)
    expect(out).toContain('Python Opens a Pseudo-Terminal on Windows')
    expect(err).toMatch(/received ([\d,]+) = stored \1 \+ already stored 0 \+ rejected 0/)
    expect(err).toMatch(
      /rules: (\d+) ran \(\1 fired\), 2 had no data, 0 cannot fire, 0 failed\n {2}no data for\n {4}Risk\.All_Risk \(2 rules\)/,
    )
    expect(err).toContain('Your own logs    harrier run LOGS')
    expect(readFileSync(desk.path('first.html'), 'utf8')).toContain('</html>')
    expect(existsSync(desk.path('.data/harrier'))).toBe(false)
  })

  it('shows commands as they are typed in a checkout when it is called there', async () => {
    const { status, stderr } = spawnSync('npm', ['run', '-s', 'harrier', '--', 'run'], {
      cwd: ROOT,
      encoding: 'utf8',
      env: { ...process.env, XDG_DATA_HOME: desk.path('nothing') },
    })
    expect(status).toBe(3)
    expect(stderr).toContain('`npm run -s harrier -- ingest LOGS --store FOLDER`')
  })
})

const hasScript = process.platform === 'linux' && existsSync('/usr/bin/script')

describe.runIf(hasScript)('a terminal', () => {
  /** What a terminal of some width gets: both channels, with carriage returns as they are. */
  function screen(args: string, columns = 80): string {
    const program = `${process.execPath} ${ROOT}dist/harrier.js ${args}`
    return execFileSync(
      '/usr/bin/script',
      ['-qec', `stty cols ${columns}; ${program}`, '/dev/null'],
      {
        cwd: desk.folder,
        encoding: 'utf8',
        stdio: ['pipe', 'pipe', 'pipe'],
        env: {
          PATH: process.env.PATH,
          HOME: desk.path('.home'),
          XDG_DATA_HOME: desk.data,
          TMPDIR: desk.temporary,
          TERM: 'xterm-256color',
        },
      },
    )
  }
  const plain = (text: string): string => text.replace(/\x1b\[[\d;]*[mK]/g, '')
  /** What is left on the screen of text that returns to the start of a line. */
  const lines = (text: string): readonly string[] =>
    plain(text)
      .split('\r\n')
      .map((line) => line.split('\r').at(-1) ?? '')

  it('gets colour, level shapes and progress, and nothing of the progress stays', () => {
    const shown = screen('run logs --rules rules/windows')
    expect(shown).toContain('\x1b[1;31m▲ high\x1b[0m')
    expect(shown).toContain('Reading')
    expect(shown).toContain('Running')
    const left = lines(shown).join('\n')
    expect(left).toContain('▲ high    Encoded Command')
    expect(left).not.toMatch(/Reading|Running|░|█/)
  })

  it('gets lines that fit its width', () => {
    const widest = (shown: string): number => Math.max(...lines(shown).map((line) => line.length))
    for (const columns of [60, 100]) {
      const table = screen('run logs --rules rules/windows -q', columns)
      expect(widest(table)).toBeLessThanOrEqual(columns)
    }
    expect(widest(screen('run --help', 80))).toBeLessThanOrEqual(80)
  })
})
