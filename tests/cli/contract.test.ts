/** What other programs read: the keys of every machine form are those of the manual, and nothing else is on stdout. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EVERYWHERE } from '../../src/cli/command.ts'
import { commands } from '../../src/cli/commands.ts'
import {
  alertKeys,
  checkKeys,
  checkTotalKeys,
  findingKeys,
  intakeKeys,
  runTotalKeys,
} from '../../tools/clipage.ts'
import { writeCase } from '../support/casefiles.ts'
import { type Desk, makeDesk } from '../support/desk.ts'

let desk: Desk
beforeAll(async () => {
  desk = makeDesk()
  writeCase(desk)
  await desk.call(['ingest', 'logs', '--store', 'case', '-q'])
})
afterAll(() => desk.close())

const namesOf = (keys: typeof findingKeys): readonly string[] => keys.map(([name]) => name)
const RUN = ['run', '--store', 'case', '--rules', 'rules']

describe('findings', () => {
  it('have the keys of the manual, as JSON lines, in a document and as columns', async () => {
    const [lines, whole, table, raw] = await Promise.all([
      desk.call([...RUN, '--jsonl']),
      desk.call(['run', 'logs', '--rules', 'rules', '--json']),
      desk.call(['run', 'logs', '--rules', 'rules', '--csv']),
      desk.call(['run', 'logs', '--rules', 'rules', '--raw-csv']),
    ])
    const findings = lines.out
      .trimEnd()
      .split('\n')
      .map((line): Record<string, unknown> => JSON.parse(line))
    expect(findings).toHaveLength(2)
    for (const each of findings) expect(Object.keys(each)).toEqual(namesOf(findingKeys))
    const document = JSON.parse(whole.out)
    expect(Object.keys(document)).toEqual(['findings', 'rules', 'totals'])
    expect(document.findings.map((each: { id: string }) => each.id).sort()).toEqual(
      findings.map((each) => each.id).sort(),
    )
    expect(Object.keys(document.totals)).toEqual(namesOf(runTotalKeys))
    const alertColumns = alertKeys.flatMap(([name, , isColumn]) => (isColumn ? [name] : []))
    const columns = [...namesOf(findingKeys), ...alertColumns].sort()
    expect(table.out.split('\n')[0]?.split(',').sort()).toEqual(columns)
    expect(raw.out.split('\n')[0]).toBe(table.out.split('\n')[0])
    expect(table.out.trimEnd().split('\n')).toHaveLength(3)
  })

  it('have fixed ids: the same whatever else is stored, another for another record', async () => {
    const { out } = await desk.call([...RUN, '--jsonl', '-q'])
    const { out: again } = await desk.call(['run', 'logs/sysmon.jsonl', '-r', 'rules', '--jsonl'])
    const ids = (text: string): readonly string[] =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).id)
        .sort()
    expect(ids(again)).toEqual(ids(out))
    expect(new Set(ids(out)).size).toBe(2)
  })
})

describe('the check of rules', () => {
  it('has the keys of the manual', async () => {
    const { out } = await desk.call(['rules', 'check', 'rules', '--json'])
    const { rules, problems, totals, ...rest } = JSON.parse(out)
    expect(rest).toEqual({})
    expect(problems).toEqual([])
    expect(Object.keys(totals)).toEqual(namesOf(checkTotalKeys))
    for (const each of rules) {
      expect(namesOf(checkKeys)).toEqual(expect.arrayContaining(Object.keys(each)))
      expect(Object.keys(each).slice(0, 5)).toEqual(namesOf(checkKeys).slice(0, 5))
      expect(each.runnable).toBe(!('code' in each))
      expect('reason' in each).toBe(!each.runnable)
    }
    expect(totals).toMatchObject({ rules: 6, runnable: 3, refused: 3 })
    expect(totals.byLanguage).toEqual({ sigma: { runnable: 3, refused: 3 } })
  })
})

describe('the report of intake', () => {
  it('has the keys of the manual, and its counts add up', async () => {
    const { out } = await desk.call(['ingest', 'logs', '--store', 'other', '--json'])
    const report = JSON.parse(out)
    expect(Object.keys(report)).toEqual(namesOf(intakeKeys))
    expect(report.received).toBe(report.stored + report.repeated + report.rejected)
  })
})

describe('stdout', () => {
  it('has nothing but data: every JSON form is one document or JSON lines', async () => {
    const calls = [
      ['fields', '--json', '--store', 'case'],
      ['fields', 'windows.sysmon', '--json', '--store', 'case'],
      ['fields', 'windows.security', '--json', '--store', 'case'],
      ['rules', 'list', '--json'],
      ['doctor', '--json'],
      ['ingest', '--rejects', '--json', '--store', 'case'],
      [...RUN, '--json', '--tags', 't1033'],
    ]
    for (const args of calls) {
      const { code, out } = await desk.call(args)
      expect(code).toBe(0)
      expect(() => JSON.parse(out)).not.toThrow()
    }
  })

  it('is empty when a command fails before it has data', async () => {
    for (const args of [['run', 'missing'], ['query', 'missing'], ['run', '--nope'], ['runn']]) {
      expect((await desk.call([...args])).out).toBe('')
    }
  })
})

describe('the completion script of bash', () => {
  it('offers every option of every command, and the values of options', () => {
    const folder = mkdtempSync(join(tmpdir(), 'harrier-completion-'))
    try {
      const root = new URL('../../dist/harrier.js', import.meta.url).pathname
      const script = execFileSync(process.execPath, [root, 'completion', 'bash'])
      const path = join(folder, 'script')
      writeFileSync(path, script)
      const lines = commands.map(({ name }) => {
        const words = ['harrier', ...name.split(' '), '--'].join(' ')
        return `COMP_WORDS=(${words}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _harrier; echo "\${COMPREPLY[@]}"`
      })
      const said = execFileSync(
        '/bin/bash',
        ['--norc', '-c', `source ${path}\n${lines.join('\n')}`],
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
      ).split('\n')
      for (const [index, { options }] of commands.entries()) {
        const wanted = [...options, ...EVERYWHERE].map(
          ({ flags }) => /--[\w-]+/.exec(flags)?.[0] ?? '',
        )
        expect(said[index]?.split(' ')).toEqual([...wanted, '--help'])
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
