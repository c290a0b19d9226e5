/** Packs of rules below a data folder: what git is asked, what it must not do, and what is kept when it fails. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type PackResult, Packs } from '../../src/rules/packs.ts'

const NOW = '2026-01-05T08:00:00.0000000Z'

let folder = ''
let data = ''
let address = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'harrier-packs-'))
  data = join(folder, 'data')
  address = `file://${repository('rules')}`
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function git(path: string, ...args: readonly string[]): string {
  const author = ['-c', 'user.name=A', '-c', 'user.email=a@example.org']
  return execFileSync('git', ['-C', path, ...author, ...args], {
    encoding: 'utf8',
    env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
  }).trim()
}

function repository(name: string): string {
  const path = join(folder, name)
  mkdirSync(path)
  git(path, 'init', '--quiet', '--initial-branch', 'main', '.')
  writeFileSync(join(path, 'rule.yml'), 'title: One\n')
  git(path, 'add', '.')
  git(path, 'commit', '--quiet', '--message', 'One')
  return path
}

function packOf(result: PackResult) {
  if ('problem' in result) throw new Error(result.problem.message)
  return result.pack
}

const codeOf = (result: PackResult): string =>
  'problem' in result ? result.problem.code : 'no problem'

describe('packs', () => {
  it('are kept with address, commit and date, and survive a new start', async () => {
    const head = git(join(folder, 'rules'), 'rev-parse', 'HEAD')
    const pack = packOf(await new Packs(data).add(address, NOW))
    expect(pack).toEqual({
      name: 'rules',
      url: address,
      commit: head,
      date: NOW,
      folder: join(data, 'packs', 'rules'),
    })
    expect(new Packs(data).list()).toEqual([pack])
    expect(existsSync(join(pack.folder, 'rule.yml'))).toBe(true)
  })

  it('take their name from the address', async () => {
    const packs = new Packs(data)
    git(folder, 'clone', '--quiet', '--bare', 'rules', 'bare.git')
    expect(packOf(await packs.add(`file://${folder}/bare.git`, NOW)).name).toBe('bare')
    expect(packOf(await packs.add(`${address}/`, NOW)).name).toBe('rules')
    expect(codeOf(await packs.add('https://example.org/', NOW))).toBe('HR901')
  })

  it('ask git nothing for addresses and names that cannot be meant', async () => {
    const packs = new Packs(data)
    let asked = 0
    const onFetch = (): void => {
      asked++
    }
    for (const url of [
      '',
      'rules',
      '/srv/rules',
      'http://example.org/rules',
      'git://example.org/rules',
      'ext::sh -c id',
      'https://a@example.org/rules',
      'https://example.org/ru les',
      'ssh://-oProxyCommand=id/rules',
      "file:///srv/it's",
    ]) {
      expect([url, codeOf(await packs.add(url, NOW, { onFetch }))]).toEqual([url, 'HR900'])
    }
    for (const name of ['', '.', '..', '.git', 'a/b', '../up', 'a b', 'x.new', 'packs.json']) {
      expect([name, codeOf(await packs.add(address, NOW, { name, onFetch }))]).toEqual([
        name,
        'HR901',
      ])
    }
    expect(asked).toBe(0)
    expect(existsSync(data)).toBe(false)
  })

  it('are updated to what the branch is then, and keep the commit before', async () => {
    const packs = new Packs(data)
    const first = packOf(await packs.add(address, NOW, { name: 'mine', ref: 'main' }))
    writeFileSync(join(folder, 'rules/more.yml'), 'title: Two\n')
    git(join(folder, 'rules'), 'add', '.')
    git(join(folder, 'rules'), 'commit', '--quiet', '--message', 'Two')
    const later = '2026-01-06T08:00:00.0000000Z'
    const result = await packs.update('mine', later)
    expect(result).toMatchObject({ before: first.commit, pack: { ref: 'main', date: later } })
    expect(packOf(result).commit).not.toBe(first.commit)
    expect(readdirSync(first.folder)).toContain('more.yml')
    expect(codeOf(await packs.update('other', NOW))).toBe('HR903')
  })

  it('stay as they were when git fails, and leave nothing half made', async () => {
    const packs = new Packs(data)
    const pack = packOf(await packs.add(address, NOW))
    rmSync(join(folder, 'rules'), { recursive: true })
    expect(codeOf(await packs.update('rules', NOW))).toBe('HR904')
    expect(packs.list()).toEqual([pack])
    expect(readdirSync(join(data, 'packs')).sort()).toEqual(['packs.json', 'rules'])
    expect(readdirSync(pack.folder)).toContain('rule.yml')
  })

  it('know when the branch is not there', async () => {
    const packs = new Packs(data)
    for (const ref of ['nope', '0123456', 'a..b', '-b', '']) {
      const result = await packs.add(address, NOW, { ref })
      expect([ref, codeOf(result)]).toEqual([ref, 'HR913'])
    }
    expect(packs.list()).toEqual([])
  })

  it('do not listen to the repository that the program is called from', async () => {
    const other = repository('other')
    const before = process.env.GIT_DIR
    process.env.GIT_DIR = join(other, '.git')
    try {
      const pack = packOf(await new Packs(data).add(address, NOW))
      expect(pack.commit).toBe(git(join(folder, 'rules'), '--git-dir', '.git', 'rev-parse', 'HEAD'))
      expect(git(other, '--git-dir', '.git', 'branch', '--list')).toBe('* main')
    } finally {
      if (before === undefined) delete process.env.GIT_DIR
      else process.env.GIT_DIR = before
    }
  })

  it('end with the signal', async () => {
    const control = new AbortController()
    const packs = new Packs(data, control.signal)
    const result = await packs.add(address, NOW, { onFetch: () => control.abort() })
    expect(codeOf(result)).toBe('HR904')
    expect(readdirSync(join(data, 'packs'))).toEqual([])
  })

  it('are not made up from a list that is damaged or was tampered with', async () => {
    const packs = new Packs(data)
    packOf(await packs.add(address, NOW))
    const index = join(data, 'packs', 'packs.json')
    const entry = { name: '../../up', url: 'x', commit: 'y', date: 'z' }
    writeFileSync(index, JSON.stringify([entry, null, 7, { name: 'fine', url: 'u' }]))
    expect(packs.list().map((each) => each.name)).toEqual(['fine'])
    writeFileSync(index, '{}')
    expect(() => packs.list()).toThrow('packs.json is no list of packs')
    writeFileSync(index, '[')
    expect(() => packs.list()).toThrow('packs.json cannot be read')
  })

  it('are removed by name', async () => {
    const packs = new Packs(data)
    const pack = packOf(await packs.add(address, NOW))
    expect(packs.remove('other')).toBe(false)
    expect(packs.remove('rules')).toBe(true)
    expect(packs.list()).toEqual([])
    expect(existsSync(pack.folder)).toBe(false)
  })
})
