/** The runner of TypeScript scripts: arguments, own address, packages from node_modules, exit codes. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'harrier-run-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function run(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['tools/run.mjs', ...args], {
    cwd: root,
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

test('a script sees its own path, address and arguments', () => {
  const script = join(folder, 'harrier-run-check.ts')
  const lines = [
    "import { Command } from 'commander'",
    'const facts: readonly unknown[] = [process.argv.slice(1), import.meta.url, typeof Command]',
    'console.log(JSON.stringify(facts))',
    'process.exitCode = 7',
  ]
  writeFileSync(script, lines.join('\n'))
  const { status, stdout } = run(script, 'one', '--two')
  expect(JSON.parse(stdout)).toEqual([
    [script, 'one', '--two'],
    pathToFileURL(script).href,
    'function',
  ])
  expect(status).toBe(7)
})

test('without a script it says how it is used', () => {
  expect(run()).toMatchObject({ status: 3, stdout: '' })
  expect(run('x.mjs').stderr).toContain('usage: node tools/run.mjs')
})
