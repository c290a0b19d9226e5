/** Kusto queries from the command line with what stands beside them: watchlists, functions, external data, the cache. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { harrier, type Ran } from '../support/command.ts'
import { makeFolder, removeFolder } from '../support/engines.ts'

let folder: string
beforeEach(() => {
  folder = makeFolder()
  mkdirSync(join(folder, 'pack', 'watchlists'), { recursive: true })
  write('pack/watchlists/vip.csv', 'User,Team\nann,red\nbob,blue\n')
  write(
    'pack/names.kql',
    '// function: Names(team:string)\n_GetWatchlist("vip") | where Team == team',
  )
  write('list.txt', 'ann\ncarl\n')
})
afterEach(() => removeFolder(folder))

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text)
}

const run = (...args: readonly string[]): Promise<Ran> =>
  harrier(args, { cwd: folder, env: { XDG_CACHE_HOME: join(folder, 'cache') }, seconds: 120 })

const ADDRESS = 'https://example.org/list.txt'

describe('Kusto from the command line', () => {
  it('reads watchlists, functions and external data of files that are named', async () => {
    const query = `externaldata(User:string)['${ADDRESS}'] | join kind=inner (Names('red')) on User | project User, Team, SearchKey`
    const pin = ['--external', `${ADDRESS}=list.txt`]
    const { code, stdout, stderr } = await run(
      ...['query', '--dialect', 'kusto', query, '--csv', '--functions', 'pack', ...pin],
    )
    expect([code, stdout, stderr]).toEqual([0, 'User,Team,SearchKey\nann,red,ann\n', ''])
  })

  it('says how to give what is missing', async () => {
    write('pack/rule.kql', `_GetWatchlist('other') | take 1`)
    write('pack/feed.kql', `externaldata(User:string)['${ADDRESS}'] | take 1`)
    const first = await run('rules', 'check', 'pack', '--verbose')
    expect(first.stdout).toContain('HR431: the query needs the watchlist "other"')
    expect(first.stdout).toContain(`HR430: the query needs the file that stands for ${ADDRESS}`)
    const alone = await run('query', '--dialect', 'kusto', 'pack/rule.kql')
    expect([alone.code, alone.stdout]).toEqual([2, ''])
    expect(alone.stderr).toContain('HR432: what the query needs is not given')
    write('pack/watchlists/other.csv', 'a\n1\n')
    const pin = ['--external', `${ADDRESS}=list.txt`]
    expect((await run('rules', 'check', 'pack', '--strict', ...pin)).code).toBe(0)
    const wrong = await run('rules', 'check', 'pack', '--external', `${ADDRESS}=no-file`)
    expect([wrong.code, wrong.stdout]).toEqual([3, ''])
    expect(wrong.stderr).toContain('there is no file no-file')
  })

  it('starts no front end for what was compiled before', async () => {
    write('pack/rule.kql', 'SigninLogs | where UserPrincipalName == "a"')
    const check = ['rules', 'check', 'pack', '--json']
    const first = await run(...check)
    expect(first.code).toBe(0)
    const front = join(folder, 'cache', 'harrier', 'front')
    const [blob = ''] = readdirSync(front)
    // Without its snapshot a front end would have to make it again.
    removeFolder(front)
    const second = await run(...check)
    expect([second.code, second.stdout]).toEqual([0, first.stdout])
    expect(existsSync(join(front, blob))).toBe(false)
  })

  it('compiles where nothing can be kept', async () => {
    write('cache', 'a file, not a folder')
    const { code, stdout } = await run('query', '--dialect', 'kusto', 'print 1', '--show', 'ir')
    expect(code).toBe(0)
    expect(stdout).toContain('print_0')
    expect(readFileSync(join(folder, 'cache'), 'utf8')).toBe('a file, not a folder')
  })

  it('tells how it starts', async () => {
    const { stdout } = await run('doctor')
    expect(stdout).toMatch(/ok {4}kusto {4}starts from a snapshot of \d+/)
  })
})
