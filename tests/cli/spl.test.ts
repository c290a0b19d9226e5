/** Searches from the command line: forms of output, time ranges, macros and lookups of files, and what is refused. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { harrier, type Ran } from '../support/command.ts'
import { makeFolder, removeFolder } from '../support/engines.ts'

let folder: string

/** A query for a name as Sysmon logs it, so many hours before noon. */
function query(hours: number, name: string, image: string): string {
  return JSON.stringify({
    Channel: 'Microsoft-Windows-Sysmon/Operational',
    EventID: 22,
    Hostname: 'ws07.example.com',
    EventTime: new Date(Date.UTC(2026, 4, 4, 12 - hours)).toISOString(),
    QueryName: name,
    Image: image,
  })
}

beforeEach(() => {
  folder = makeFolder()
  mkdirSync(join(folder, 'pack', 'macros'), { recursive: true })
  mkdirSync(join(folder, 'pack', 'lookups'))
  const lines = [
    query(0, 'pastebin.com', 'C:\\a.exe'),
    query(2, 'example.com', 'C:\\b.exe'),
    query(5, 'pastebin.com', 'C:\\b.exe'),
  ]
  write('log.jsonl', `${lines.join('\n')}\n`)
  write('pack/macros/names.yml', 'name: names\ndefinition: EventCode=22 QueryName=*\n')
  write('pack/lookups/kinds.yml', 'name: kinds\nlookup_type: csv\ncase_sensitive_match: false\n')
  write('pack/lookups/kinds.csv', 'QueryName,kind\nPASTEBIN.COM,paste\n')
})
afterEach(() => removeFolder(folder))

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text)
}

const run = (...args: readonly string[]): Promise<Ran> =>
  harrier(args, { cwd: folder, env: { XDG_CACHE_HOME: join(folder, 'cache') }, seconds: 120 })
const search = (text: string, ...args: readonly string[]): Promise<Ran> =>
  run('query', '--dialect', 'spl', text, '--logs', 'log.jsonl', '--quiet', ...args)

describe('searches from the command line', () => {
  it('groups events, and prints several values as a list', async () => {
    const text = 'EventCode=22 | stats count values(Image) as Image by QueryName'
    const { code, stdout, stderr } = await search(text, '--jsonl')
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toBe(
      '{"QueryName":"example.com","count":1,"Image":["C:\\\\b.exe"]}\n' +
        '{"QueryName":"pastebin.com","count":2,"Image":["C:\\\\a.exe","C:\\\\b.exe"]}\n',
    )
  })

  it('shows events with their time first and their text last', async () => {
    const { code, stdout } = await search('QueryName=example.com')
    expect(code).toBe(0)
    const lines = stdout.trimEnd().split('\n')
    expect(lines[0]).toBe('row 1')
    expect(lines[1]).toMatch(/^ _time +2026-05-04T10:00:00Z$/)
    expect(lines.at(-1)).toMatch(/^ _raw +\{"Channel"/)
  })

  it('counts time modifiers from the end of the logs, or from --at', async () => {
    const count = async (...args: readonly string[]): Promise<string> =>
      (await search('EventCode=22 | stats count', '--csv', ...args)).stdout
    expect(await count('--earliest', '-3h')).toBe('count\n2\n')
    expect(await count('--earliest', '-3h', '--latest', '-1h')).toBe('count\n1\n')
    expect(await count('--earliest', '-3h', '--at', '2026-05-04T09:00:00Z')).toBe('count\n3\n')
    expect(await count('--from', '2026-05-04T11:00:00Z')).toBe('count\n1\n')
  })

  it('calls macros and lookups of the files that are named', async () => {
    const text =
      '`names` | lookup kinds QueryName OUTPUT kind | search kind=* | stats count by kind'
    const { code, stdout, stderr } = await search(text, '--csv', '--functions', 'pack')
    expect([code, stdout, stderr]).toEqual([0, 'kind,count\npaste,2\n', ''])
    const alone = await search(text)
    expect([alone.code, alone.stdout]).toEqual([2, ''])
    expect(alone.stderr).toContain('HR501')
  })

  it('reads the search from a file, and shows its plan without logs', async () => {
    write('find.spl', 'EventCode=22 | stats count')
    const { code, stdout } = await run('query', '--dialect', 'spl', 'find.spl', '--show', 'ir')
    expect(code).toBe(0)
    expect(stdout).toContain('scan view events:all')
  })

  it('refuses what is not SPL, and time modifiers of other languages', async () => {
    const wrong = await search('EventCode=22 | frobnicate x')
    expect([wrong.code, wrong.stdout]).toEqual([2, ''])
    expect(wrong.stderr).toContain('HR503')
    const other = await run('query', '--dialect', 'kusto', 'print 1', '--earliest', '-1h')
    expect([other.code, other.stdout]).toEqual([3, ''])
    expect(other.stderr).toContain('--earliest is for searches')
  })
})
