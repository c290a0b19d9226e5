/** Completion scripts, asked for words by the shells themselves where they are installed. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Completable, completionScript, SHELLS } from '../../src/cli/completion.ts'

const commands: readonly Completable[] = [
  {
    name: 'run',
    says: "run rules on logs: the 'main' command [of all]",
    options: [
      { flags: '--rules <path>', says: 'rule files' },
      { flags: '--min-level <level>', says: 'least level', values: ['low', 'high', 'critical'] },
      { flags: '-q, --quiet', says: 'only data' },
    ],
  },
  { name: 'rules check', says: 'check rules', options: [{ flags: '--json', says: 'as JSON' }] },
  { name: 'rules add', says: 'add a pack', options: [] },
]

function withScript<T>(shell: (typeof SHELLS)[number], use: (path: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'harrier-completion-'))
  try {
    const path = join(folder, 'script')
    writeFileSync(path, completionScript(shell, commands))
    return use(path)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

describe('completion scripts', () => {
  it.each(SHELLS)('name every command and flag for %s', (shell) => {
    const script = completionScript(shell, commands)
    for (const word of ['run', 'check', 'add', 'rules', 'min-level', 'quiet', 'critical', 'json']) {
      expect(script).toContain(word)
    }
    expect(script.endsWith('\n')).toBe(true)
  })

  it('quote what commands say', () => {
    expect(completionScript('fish', commands)).toContain(
      "'run rules on logs: the \\'main\\' command",
    )
    expect(completionScript('zsh', commands)).toContain(
      "run:run rules on logs\\: the '\\''main'\\''",
    )
    expect(completionScript('powershell', commands)).toContain("the ''main'' command")
  })
})

describe.runIf(existsSync('/bin/bash'))('bash', () => {
  const complete = (...words: string[]): readonly string[] =>
    withScript('bash', (path) => {
      const script = `source ${path}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _harrier; printf '%s\\n' "\${COMPREPLY[@]}"`
      const args = ['--norc', '-c', script, 'bash', 'harrier', ...words]
      return execFileSync('/bin/bash', args, {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      })
        .split('\n')
        .filter((each) => each !== '')
    })

  it('completes commands, flags and values', () => {
    expect(complete('')).toEqual(['run', 'rules'])
    expect(complete('ru')).toEqual(['run', 'rules'])
    expect(complete('rules', '')).toEqual(['check', 'add'])
    expect(complete('rules', 'check', '--')).toEqual(['--json', '--help'])
    expect(complete('run', '--')).toEqual(['--rules', '--min-level', '--quiet', '--help'])
    expect(complete('run', '--min-level', '')).toEqual(['low', 'high', 'critical'])
    expect(complete('run', '--min-level', 'h')).toEqual(['high'])
    expect(complete('run', '')).toEqual([])
  })
})

describe.runIf(existsSync('/usr/bin/fish'))('fish', () => {
  const complete = (line: string): readonly string[] =>
    withScript('fish', (path) =>
      execFileSync(
        '/usr/bin/fish',
        ['--no-config', '-c', `source ${path}; complete -C '${line}'`],
        {
          encoding: 'utf8',
        },
      )
        .split('\n')
        .filter((each) => each !== '')
        .map((each) => each.split('\t')[0] ?? ''),
    )

  it('completes commands, flags and values', () => {
    expect([...complete('harrier ru')].sort()).toEqual(['rules', 'run'])
    expect(complete('harrier rules c')).toContain('check')
    expect(complete('harrier run --m')).toEqual(['--min-level'])
    expect([...complete('harrier run --min-level ')].sort()).toEqual(['critical', 'high', 'low'])
    expect(complete('harrier rules check --j')).toEqual(['--json'])
  })
})

describe.runIf(existsSync('/usr/bin/zsh'))('zsh', () => {
  it('takes the script without an error and registers it', () => {
    const said = withScript('zsh', (path) =>
      execFileSync(
        '/usr/bin/zsh',
        ['-f', '-c', `autoload -U compinit; compinit -D; source ${path}; print $_comps[harrier]`],
        { encoding: 'utf8' },
      ),
    )
    expect(said.trim()).toBe('_harrier')
  })
})
