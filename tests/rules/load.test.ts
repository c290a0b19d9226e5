/** Loading rules from files, folders, archives and pipes: what is read, what is refused, and what is left alone. */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { limits } from '../../src/core/limits.ts'
import { loadRules, type RuleOptions } from '../../src/rules/load.ts'
import { tar, zip } from '../support/archives.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'harrier-rules-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  return path
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

const idOf = (title: string): string =>
  `11111111-0000-4000-8000-${Buffer.from(title).toString('hex').padStart(12, '0').slice(-12)}`

function rule(title: string, change: Readonly<Record<string, string>> = {}): string {
  const fields = {
    title,
    id: idOf(title),
    logsource: '{product: windows, category: process_creation}',
    detection: "{sel: {Image|endswith: '.exe'}, condition: sel}",
    ...change,
  }
  return `${Object.entries(fields)
    .map(([key, value]) => `${key}: ${value}`)
    .join('\n')}\n`
}

const none: RuleOptions = { placeholders: new Map() }

async function load(paths: readonly string[], options = none) {
  const set = await loadRules(paths, options)
  return {
    ...set,
    titles: set.rules.map((each) => each.title),
    codes: set.problems.map((each) => each.diagnostic.code),
  }
}

describe('one file', () => {
  it('gives its rule with what it says of itself', async () => {
    const path = write(
      'a.yml',
      rule('One', {
        level: 'high',
        status: 'test',
        tags: '[attack.t1059]',
        author: 'A',
        mine: 'kept by the dialect',
      }),
    )
    const { rules, problems, others, texts } = await load([path])
    expect({ problems, others }).toEqual({ problems: [], others: 0 })
    expect(rules[0]).toMatchObject({ file: path, title: 'One', language: 'sigma' })
    expect(rules[0]?.rule).toMatchObject({
      level: 'high',
      status: 'test',
      author: 'A',
      tags: ['attack.t1059'],
      logsource: 'windows / process_creation',
      fields: ['Image'],
    })
    expect(texts.get(path)).toContain('title: One')
  })

  it('takes custom keys without a word', async () => {
    const { rules } = await load([write('a.yml', rule('One', { x_team: 'blue', ticket: '42' }))])
    expect(rules[0]?.rule).toBeDefined()
    expect(rules[0]?.diagnostics.filter((each) => each.severity === 'error')).toEqual([])
  })

  it('gives each document of its own, a broken one among them with its place', async () => {
    const text = [
      rule('One'),
      rule('Two', { detection: '{sel: {Image|nope: x}, condition: sel}' }),
      'title: Three\nid: abc\n  wrong: [\n',
      rule('Four'),
    ].join('---\n')
    const { rules } = await load([write('many.yml', text)])
    expect(rules.map(({ title, rule: made }) => [title, made !== undefined])).toEqual([
      ['One', true],
      ['Two', false],
      ['Three', false],
      ['Four', true],
    ])
    expect(rules[1]?.diagnostics[0]).toMatchObject({ code: 'HR340', place: { line: 9 } })
    expect(rules[2]).toMatchObject({ id: 'abc', diagnostics: [{ code: 'HR001' }] })
  })

  it('keeps id and title of what it refuses', async () => {
    const wrong = { correlation: '{type: event_count}', detection: 'x' }
    const { rules } = await load([
      write('a.yml', rule('Counted', wrong)),
      write('b.yml', `title: "Quoted: it"\nid: 'x1'\nlogsource: {\n`),
    ])
    expect(rules.map(({ id, title, rule: made }) => [id, title, made])).toEqual([
      [idOf('Counted'), 'Counted', undefined],
      ['x1', 'Quoted: it', undefined],
    ])
  })

  it('that holds no rule is a problem when it is named', async () => {
    const path = write('ci.yml', 'on: push\njobs: {}\n')
    const { rules, problems, others } = await load([path])
    expect({ rules, others }).toEqual({ rules: [], others: 1 })
    expect(problems).toMatchObject([{ file: path, root: path, diagnostic: { code: 'HR910' } }])
  })

  it('that is missing, too large, no text or no file at all is a problem', async () => {
    const large = write('large.yml', `title: ${'x'.repeat(limits.ruleFileBytes)}\n`)
    const utf16 = write('utf16.yml', Buffer.from(rule('One'), 'utf16le'))
    const missing = join(folder, 'missing.yml')
    const { problems, rules } = await load([missing, large, utf16, '/dev/zero'])
    expect(rules).toEqual([])
    expect(problems.map(({ diagnostic }) => diagnostic.message)).toEqual([
      `cannot read "${missing}": no such file or folder`,
      `the file is ${limits.ruleFileBytes + 8} bytes or more, more than the limit of ${limits.ruleFileBytes}`,
      'the file is not UTF-8 text',
      expect.stringMatching(/^the file is \d+ bytes or more, more than the limit/),
    ])
  })

  it('may begin with a byte order mark and have any line ends', async () => {
    const text = `\ufeff${rule('One', { detection: '{sel: {Image|nope: x}, condition: sel}' })}`
    const { rules } = await load([write('a.yml', text.replaceAll('\n', '\r\n'))])
    expect(rules[0]).toMatchObject({ title: 'One' })
    expect(rules[0]?.diagnostics[0]?.place).toEqual({ line: 4, column: 25 })
  })
})

describe('a folder', () => {
  it('is read in order, however deep, and only YAML of it', async () => {
    write('b/two.yaml', rule('Two'))
    write('a/deep/er/one.YML', rule('One'))
    write('c.yml', rule('Three'))
    write('README.md', rule('No'))
    write('rule.yml.bak', rule('No'))
    write('.git/hidden.yml', rule('No'))
    write('node_modules/x/y.yml', rule('No'))
    expect((await load([folder])).titles).toEqual(['One', 'Two', 'Three'])
    expect((await load([`${folder}/`])).rules[0]?.file).toBe(join(folder, 'a/deep/er/one.YML'))
  })

  it('may hold other YAML, also broken; what is meant as a rule is told', async () => {
    write('.github/workflows/ci.yml', 'on: push\n')
    write('data.yml', '- 1\n- [2\n')
    write('list.yml', '- a\n')
    write('empty.yml', '')
    write('comment.yml', '# nothing yet\n')
    write('meant.yml', 'title: Meant\ndetection:\n  sel: [\n')
    write('rule.yml', rule('One'))
    const { rules, problems, others } = await load([folder])
    expect(problems).toEqual([])
    expect(others).toBe(5)
    expect(rules.map(({ title, rule: made }) => [title, made !== undefined])).toEqual([
      ['Meant', false],
      ['One', true],
    ])
  })

  it('without a rule is a problem', async () => {
    write('some/ci.yml', 'on: push\n')
    expect((await load([folder])).problems).toMatchObject([
      { file: folder, diagnostic: { code: 'HR910' } },
    ])
  })

  it('has links that are not followed', async () => {
    write('inside/rule.yml', rule('One'))
    write('outside/other.yml', rule('No'))
    symlinkSync('../outside/other.yml', join(folder, 'inside/linked.yml'))
    symlinkSync('../outside', join(folder, 'inside/linked'))
    symlinkSync('.', join(folder, 'inside/loop'))
    symlinkSync('/dev/zero', join(folder, 'inside/endless.yml'))
    symlinkSync('nowhere', join(folder, 'inside/dangling.yml'))
    expect((await load([join(folder, 'inside')])).titles).toEqual(['One'])
    // A link that the user names is what the user means.
    expect((await load([join(folder, 'inside/linked.yml')])).titles).toEqual(['No'])
  })

  it('may have pipes, which are not waited for', async () => {
    write('rule.yml', rule('One'))
    execFileSync('mkfifo', [join(folder, 'pipe.yml')])
    expect((await load([folder])).titles).toEqual(['One'])
  })

  it.runIf(process.getuid?.() !== 0)('tells what may not be read; the rest goes on', async () => {
    write('a/secret.yml', rule('No'))
    write('b.yml', rule('One'))
    chmodSync(join(folder, 'a'), 0)
    const { titles, problems } = await load([folder])
    chmodSync(join(folder, 'a'), 0o700)
    expect(titles).toEqual(['One'])
    expect(problems[0]?.diagnostic.message).toContain('permission denied')
  })

  it('tells a file that is too large by its size; the rest goes on', async () => {
    write('big.yml', `detection: ${' '.repeat(limits.ruleFileBytes)}\n`)
    write('rule.yml', rule('One'))
    const { titles, problems } = await load([folder])
    expect(titles).toEqual(['One'])
    expect(problems).toMatchObject([
      { file: join(folder, 'big.yml'), root: folder, diagnostic: { code: 'HR004' } },
    ])
  })
})

describe('several paths', () => {
  it('that lead to the same file give its rules once', async () => {
    const path = write('a/rule.yml', rule('One'))
    linkSync(path, join(folder, 'a/hard.yml'))
    const same = [path, path, join(folder, 'a', '..', 'a', 'rule.yml'), join(folder, 'a'), folder]
    const { titles, problems } = await load(same)
    expect(titles).toEqual(['One', 'One'])
    expect(problems).toEqual([])
  })

  it('are judged each on its own', async () => {
    const good = write('good.yml', rule('One'))
    const empty = join(folder, 'empty')
    mkdirSync(empty)
    const { titles, problems } = await load([empty, good, join(folder, 'missing')])
    expect(titles).toEqual(['One'])
    expect(problems.map(({ root, diagnostic }) => [root, diagnostic.code])).toEqual([
      [join(folder, 'missing'), 'HR005'],
      [empty, 'HR910'],
    ])
  })
})

describe('an archive', () => {
  const entries = [
    { name: 'pack/rules/one.yml', data: bytes(rule('One')) },
    { name: 'pack/rules/two.yaml', data: bytes(rule('Two')) },
    { name: 'pack/README.md', data: bytes(rule('No')) },
    { name: 'pack/.github/ci.yml', data: bytes('on: push\n') },
  ]

  it.each([
    ['pack.zip', zip(entries)],
    ['pack.tar', tar(entries)],
    ['pack.tar.gz', gzipSync(tar(entries))],
    ['pack', zip(entries)],
  ] as const)('%s gives its rules with their names in it', async (name, data) => {
    const path = write(name, data)
    const { rules, titles, problems } = await load([path])
    expect(titles).toEqual(['One', 'Two'])
    expect(rules[0]?.file).toBe(`${path}!/pack/rules/one.yml`)
    expect(problems).toEqual([])
  })

  it('below a folder is not opened', async () => {
    write('pack.zip', zip(entries))
    expect((await load([folder])).codes).toEqual(['HR910'])
  })

  it('has names that lead nowhere else, whatever they are', async () => {
    const tricks = ['../../up.yml', '/etc/passwd.yml', 'a/../../b.yml', 'new\nline.yml']
    const path = write(
      'tricks.zip',
      zip(tricks.map((name) => ({ name, data: bytes(rule('Trick')) }))),
    )
    const { rules } = await load([path])
    expect(rules).toHaveLength(tricks.length)
    for (const { file } of rules) {
      expect(file.startsWith(`${path}!/`)).toBe(true)
      expect(file.slice(path.length)).not.toMatch(/\.\.\/|\n/)
    }
  })

  it('that is damaged, empty or of a kind that is not read is told', async () => {
    const whole = zip(entries)
    const cut = await load([write('cut.zip', whole.subarray(0, whole.length - 40))])
    expect(cut.codes).toContain('HR005')
    expect((await load([write('none.zip', zip([]))])).codes).toEqual(['HR910'])
    const xz = write('pack.tar.xz', Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 1, 2, 3))
    const { problems } = await load([xz])
    expect(problems[0]?.diagnostic.message).toContain('an xz file')
  })

  it('may hold no endless rule', async () => {
    const bomb = { name: 'bomb.yml', data: new Uint8Array(8 * limits.ruleFileBytes).fill(0x20) }
    const path = write('bomb.zip', zip([bomb, ...entries]))
    const { titles, codes } = await load([path])
    expect(titles).toEqual(['One', 'Two'])
    expect(codes).toEqual(['HR004'])
  })

  it('that is one packed rule gives it', async () => {
    expect((await load([write('one.yml.gz', gzipSync(rule('One')))])).titles).toEqual(['One'])
  })
})

describe('placeholders', () => {
  it('take the values that are given, and refuse the rule without them', async () => {
    const path = write(
      'a.yml',
      rule('One', { detection: "{sel: {User|expand: '%Admins%'}, condition: sel}" }),
    )
    expect((await load([path])).rules[0]?.diagnostics[0]?.code).toBe('HR352')
    const { rules } = await load([path], { placeholders: new Map([['Admins', ['ann', 'bob']]]) })
    expect(JSON.stringify(rules[0]?.rule?.rel)).toContain('["ann","bob"]')
  })
})

describe('the stages of a rule', () => {
  it('are its own text, whole and at the left margin', async () => {
    const text = [
      'title: One',
      'logsource: {product: windows}',
      'detection:',
      '    first:',
      '        Image|endswith:',
      "            - '\\a.exe'",
      '            - "b.exe"  # why',
      "    flow: {Image: 'x', List: ['a', \"b\"]}",
      '    condition: first and',
      '        not flow',
      '',
    ].join('\n')
    const { rules } = await load([write('a.yml', text)])
    expect(rules[0]?.rule?.stages).toEqual([
      { name: 'condition', text: 'first and\nnot flow' },
      {
        name: 'first',
        text: 'first:\n    Image|endswith:\n        - \'\\a.exe\'\n        - "b.exe"',
      },
      { name: 'flow', text: "flow: {Image: 'x', List: ['a', \"b\"]}" },
    ])
  })
})
