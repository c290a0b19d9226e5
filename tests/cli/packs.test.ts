/** Rule packs through the built program: a git repository is added, listed, used, updated and removed. */
import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { IDS, writeCase } from '../support/casefiles.ts'
import { type Desk, makeDesk } from '../support/desk.ts'

let desk: Desk
let address = ''
const commits = { main: '', next: '' }

function git(...args: readonly string[]): string {
  return execFileSync('git', ['-C', desk.path('rules'), ...args], {
    encoding: 'utf8',
    env: { ...process.env, GIT_CONFIG_GLOBAL: desk.path('.gitconfig'), GIT_CONFIG_NOSYSTEM: '1' },
  }).trim()
}

function commit(message: string): string {
  git('add', '--all')
  git('commit', '--quiet', '--message', message)
  return git('rev-parse', 'HEAD')
}

beforeAll(() => {
  desk = makeDesk()
  writeCase(desk)
  desk.write('.gitconfig', '[user]\n  name = A\n  email = a@example.org\n')
  git('init', '--quiet', '--initial-branch', 'main', '.')
  symlinkSync('/etc', desk.path('rules/etc'))
  symlinkSync('../admins.yml', desk.path('rules/linked.yml'))
  desk.write('rules/.git/hooks/post-checkout', `#!/bin/sh\ntouch ${desk.path('hooked')}\n`)
  commits.main = commit('First')
  git('tag', 'v1')
  git('checkout', '--quiet', '-b', 'next')
  desk.write('rules/more.yml', moreRule())
  commits.next = commit('More')
  git('checkout', '--quiet', 'main')
  address = `file://${desk.path('rules')}`
})
afterAll(() => desk.close())

function moreRule(): string {
  return [
    'title: One More',
    'id: 11111111-0000-4000-8000-000000000008',
    'level: low',
    'logsource: {product: windows, category: process_creation}',
    "detection: {sel: {Image|endswith: '.exe'}, condition: sel}",
    '',
  ].join('\n')
}

const short = (id: string): string => id.slice(0, 12)

describe('rule packs', () => {
  it('are added from git, at the default branch, a branch, a tag or a commit', async () => {
    const first = await desk.call(['rules', 'add', address])
    expect(first).toEqual({
      code: 0,
      out: '',
      err: [
        `fetching ${address} with git`,
        `rules: 6 rules, 3 can run, 3 refused; commit ${short(commits.main)}`,
        `why rules are refused: harrier rules check ${desk.path('.data/harrier/packs/rules')}`,
        'next: harrier run LOGS',
        '',
      ].join('\n'),
    })
    const others = [
      ['branch', 'next', commits.next],
      ['tag', 'v1', commits.main],
      ['whole', commits.next, commits.next],
      ['part', commits.next.slice(0, 9), commits.next],
    ] as const
    for (const [name, ref, wanted] of others) {
      const { code, err } = await desk.call([
        ...['rules', 'add', address],
        ...['--name', name, '--ref', ref],
      ])
      expect(err).toContain(`commit ${short(wanted)}\n`)
      expect(code).toBe(0)
    }
  })

  it('run nothing of the repository and follow no link in it', () => {
    const folder = desk.path('.data/harrier/packs/rules')
    expect(lstatSync(`${folder}/etc`).isSymbolicLink()).toBe(false)
    expect(lstatSync(`${folder}/linked.yml`).isSymbolicLink()).toBe(false)
    expect(existsSync(desk.path('hooked'))).toBe(false)
  })

  it('are listed', async () => {
    const { code, out } = await desk.call(['rules', 'list', '--json'])
    expect(code).toBe(0)
    const { packs } = JSON.parse(out)
    expect(packs.map((each: { name: string }) => each.name)).toEqual([
      'branch',
      'part',
      'rules',
      'tag',
      'whole',
    ])
    expect(packs[0]).toEqual({
      name: 'branch',
      url: address,
      ref: 'next',
      commit: commits.next,
      date: expect.stringMatching(/^20\d\d-/),
      folder: desk.path('.data/harrier/packs/branch'),
      rules: 7,
      runnable: 4,
    })
    const table = await desk.call(['rules', 'list'])
    expect(table.out.split('\n')[0]).toMatch(/^PACK +RULES +CAN RUN +REF +COMMIT +FETCHED +FROM$/)
    expect(table.out).toMatch(new RegExp(`^rules +6 +3 +default +${short(commits.main)} `, 'm'))
  })

  it('are used by commands that are given no rules, each rule once', async () => {
    const run = await desk.call(['run', 'logs', '--jsonl'])
    const ids = run.out
      .trim()
      .split('\n')
      .map((each) => JSON.parse(each).rule_id)
    expect(ids.filter((each) => each === IDS.whoami)).toHaveLength(1)
    expect(run.err).toMatch(/note: 15 of \d+ rules cannot run; why: harrier rules check\n/)
    const explain = await desk.call(['explain', 'one more', '-q'])
    expect(explain.out).toContain('● low  One More')
  })

  it('are updated along their branch, and stay when fetching fails', async () => {
    desk.write('rules/later.yml', moreRule().replace('000000000008', '000000000009'))
    const later = commit('Later')
    const { code, err } = await desk.call(['rules', 'update'])
    expect(code).toBe(0)
    expect(err).toContain(`commit ${short(later)} (was ${short(commits.main)})`)
    expect(err).toMatch(
      new RegExp(`^branch: .*commit ${short(commits.next)} \\(no change\\)$`, 'm'),
    )
    expect(err).toMatch(new RegExp(`^tag: .*commit ${short(commits.main)} \\(no change\\)$`, 'm'))

    execFileSync('mv', [desk.path('rules'), desk.path('away')])
    const gone = await desk.call(['rules', 'update', 'rules'])
    execFileSync('mv', [desk.path('away'), desk.path('rules')])
    expect(gone.code).toBe(4)
    expect(gone.err).toContain('error HR904: git could not fetch')
    expect(gone.err).toContain('does not appear to be a git repository')
    const check = await desk.call(['rules', 'check', '.data/harrier/packs/rules', '--json'])
    expect(JSON.parse(check.out).totals.rules).toBe(7)
  })

  it('are refused when name, address or branch cannot be used', async () => {
    const cases = [
      [[address], 3, 'error HR902: there is a pack "rules" already'],
      [['sigma'], 3, 'error HR900: cannot add "sigma"'],
      [['git@github.com:a/b'], 3, 'error HR900'],
      [['ext::sh -c id'], 3, 'error HR900'],
      [['ssh://-oProxyCommand=x/y'], 3, 'error HR900'],
      [['https://user:secret@example.org/x'], 3, 'error HR900: cannot add "https://***@'],
      [[address, '--name', '../up'], 3, 'error HR901'],
      [[address, '--name', 'packs.json'], 3, 'error HR901'],
      [[address, '--name', 'x', '--ref', 'nope'], 4, 'error HR913: there is no branch, tag'],
      [[address, '--name', 'x', '--ref=--upload-pack=id'], 4, 'error HR913'],
      [['file:///no/such/repository'], 4, 'error HR904'],
    ] as const
    for (const [args, code, said] of cases) {
      const result = await desk.call(['rules', 'add', ...args])
      expect(result.err).toContain(said)
      expect(result.err).not.toContain('secret')
      expect([result.code, result.out]).toEqual([code, ''])
    }
    expect(readdirSync(desk.path('.data/harrier/packs')).sort()).toEqual(
      ['branch', 'packs.json', 'part', 'rules', 'tag', 'whole'].sort(),
    )
  })

  it('are removed, all that are named or none', async () => {
    const none = await desk.call(['rules', 'remove', 'tag', 'nope'])
    expect(none).toEqual({
      code: 3,
      out: '',
      err: 'error: there is no pack "nope"\nhint: there are branch, part, rules, tag, whole\n',
    })
    const all = await desk.call(['rules', 'remove', 'tag', 'branch', 'part', 'rules', 'whole'])
    expect(all.code).toBe(0)
    expect(readdirSync(desk.path('.data/harrier/packs'))).toEqual(['packs.json'])
    const list = await desk.call(['rules', 'list'])
    expect(list.err).toContain('no packs yet')
  })

  it('with a damaged list are an error that names the file', async () => {
    writeFileSync(desk.path('.data/harrier/packs/packs.json'), '[{')
    const { code, err } = await desk.call(['rules', 'list'])
    expect(code).toBe(4)
    expect(err).toContain(`${desk.path('.data/harrier/packs/packs.json')} cannot be read`)
  })
})
