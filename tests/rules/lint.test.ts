/** Linting: what each check finds, what it leaves alone, and how findings are left out. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { codes } from '../../src/core/codes.ts'
import { readAttack } from '../../src/rules/attack.ts'
import { compilerHere } from '../../src/rules/kustolibrary.ts'
import { readUsualFields } from '../../src/rules/lint/fields.ts'
import { ignoredLines, type LintOptions, lint } from '../../src/rules/lint/lint.ts'
import { faultOf } from '../../src/rules/lint/pattern.ts'
import { CHECKS } from '../../src/rules/lint/table.ts'
import { loadRules } from '../../src/rules/load.ts'
import { readOverlayFile } from '../../src/rules/overlay.ts'
import { Overlays } from '../../src/rules/overlaying.ts'
import type { StoredCatalogue } from '../../src/schema/stored.ts'
import { readyMadeSchema } from '../../tools/product.ts'

const schema = readyMadeSchema()
const kusto = compilerHere(schema.tables)
const attack = readAttack(readFileSync('content/attack/enterprise.txt', 'utf8'))
const usual = readUsualFields(readFileSync('content/lint/sigma-fields.txt', 'utf8'))
const ALL: LintOptions = { only: new Set(), ignore: new Set(), notices: true }

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'harrier-lint-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function write(name: string, content: string): void {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}

async function linted(
  given: { readonly stored?: StoredCatalogue; readonly overlay?: string } = {},
  options = ALL,
) {
  const files = given.overlay === undefined ? [] : [readOverlayFile('o.yml', given.overlay)]
  const set = await loadRules([folder], {
    placeholders: new Map(),
    schema: () => schema,
    kusto,
    overlays: new Overlays(files),
  })
  const { stored } = given
  const world = { schema, attack, usual, ...(stored === undefined ? {} : { stored }) }
  return lint(set, world, options).map(({ file, text, diagnostic }) => ({
    code: diagnostic.code,
    message: diagnostic.message,
    file: file.slice(folder.length + 1),
    line: diagnostic.place?.line,
    at: diagnostic.span === undefined ? '' : text.slice(diagnostic.span.start, diagnostic.span.end),
  }))
}

const HEAD = `id: 0d9a3c4e-8a4f-4a5b-9c37-2f6f8e2b1a10
status: test
description: d
date: 2026-01-31
level: low
`

function sigma(detection: string, more = ''): string {
  const lines = detection.replace(/^/gm, '  ')
  return `title: T\n${HEAD}logsource: {category: process_creation, product: windows}\ndetection:\n${lines}\n${more}`
}

async function codesOf(...given: Parameters<typeof linted>): Promise<readonly string[]> {
  return (await linted(...given)).map(({ code }) => code)
}

describe('a Sigma rule', () => {
  it.each<readonly [string, string, readonly string[]]>([
    ['is right', 'a: {Image|endswith: \\whoami.exe}\ncondition: a', []],
    [
      'asks for two ids at once',
      'a: {EventID: 1}\nb: {EventID: 2}\ncondition: all of them',
      ['HR961'],
    ],
    ['has two ids to choose from', 'a: {EventID: 1}\nb: {EventID: 2}\ncondition: 1 of them', []],
    [
      'asks for one of two, and one of them',
      'a: {EventID: [1, 2]}\nb: {EventID: 2}\ncondition: a and b',
      [],
    ],
    [
      'contradicts itself in an alternative',
      'a: {User: x}\nb: {User: y}\nc: {Image: z}\ncondition: (a and b) or c',
      ['HR961'],
    ],
    ['excludes another value', 'a: {User: x}\nb: {User: y}\ncondition: a and not b', []],
    ['has an empty range', 'a: {x|gt: 5}\nb: {x|lt: 3}\ncondition: a and b', ['HR961']],
    ['has a range of nothing', 'a: {x|gte: 5}\nb: {x|lt: 5}\ncondition: a and b', ['HR961']],
    ['has a range of one', 'a: {x|gte: 5}\nb: {x|lte: 5}\ncondition: a and b', []],
    ['has a range', 'a: {x|gt: 3}\nb: {x|lt: 5}\ncondition: a and b', []],
    ['asks for two parts', 'a: {CommandLine|contains|all: [x, y]}\ncondition: a', []],
    ['finds all', "a: {Image: '*'}\ncondition: a", ['HR962']],
    ['finds all by an alternative', "a: {Image: '*'}\nb: {User: x}\ncondition: a or b", ['HR962']],
    ['finds what is and what is not', 'a: {User: x}\ncondition: a or not a', ['HR962']],
    ['excludes what it asks for', 'a: {User: x}\ncondition: a and not a', ['HR960']],
    [
      'excludes more than it asks for',
      'a: {User: x, Image: y}\nb: {User: x}\ncondition: a and not b',
      ['HR960'],
    ],
    [
      'excludes less than it asks for',
      'a: {User: x}\nb: {User: x, Image: y}\ncondition: a and not b',
      [],
    ],
    [
      'excludes what one alternative asks for',
      'a: {User: x}\nb: {Image: y}\ncondition: (a or b) and not a',
      [],
    ],
    ['says only what must not be', 'a: {Image: x}\ncondition: not a', ['HR983']],
    ['writes a field in another case', 'a: {Commandline: x}\ncondition: a', ['HR971']],
    ['misspells a field', 'a: {ComandLine: x}\ncondition: a', ['HR972']],
    ['has a field of its own', 'a: {SomethingElse: x}\ncondition: a', []],
    ['has a value twice', 'a: {User: [x, y, X]}\ncondition: a', ['HR976']],
    ['writes stars', "a: {User: '*x*'}\ncondition: a", ['HR978']],
    ['needs its stars', "a: {User: 'a*b'}\ncondition: a", []],
    ['leaves the start of a program open', 'a: {Image|endswith: cmd.exe}\ncondition: a', ['HR979']],
    ['is quoted by a word processor', 'a: {User: “x”}\ncondition: a', ['HR958']],
    ['has a pattern that cannot match', "a: {User|re: 'a^b'}\ncondition: a", ['HR974']],
    ['has an idle start of a pattern', "a: {User|re: '.*ab'}\ncondition: a", ['HR975']],
    ['has a selection that is not used', 'a: {User: x}\nb: {User: y}\ncondition: a', ['HR324']],
  ])('that %s', async (_, detection, expected) => {
    write('a.yml', sigma(detection))
    expect(await codesOf()).toEqual(expected)
  })

  it('is told at the place that is meant', async () => {
    write('a.yml', sigma('a: {EventID: 4688}\nb: {EventID: 4624}\ncondition: a and b'))
    expect(await linted()).toEqual([
      {
        code: 'HR961',
        message: 'this part can never hold: EventID would have to be "4688" and "4624"',
        file: 'a.yml',
        line: 10,
        at: '4624',
      },
    ])
  })

  it('names tactics and techniques that there are', async () => {
    const tags = [
      't1059.001',
      't1086',
      't1059.099',
      't1690',
      't9999',
      'ta0002',
      'ta0999',
      'execution',
    ]
    const ofControlSystems = ['t0843', 'ta0107', 'inhibit-response-function']
    const more = [...tags, ...ofControlSystems, 'executoin', 'g0001', 'stealth'].map(
      (each) => `  - attack.${each}\n`,
    )
    write('a.yml', sigma('a: {User: x}\ncondition: a', `tags:\n${more.join('')}  - cve.2021-1\n`))
    expect((await linted()).map(({ code, at }) => [code, at])).toEqual([
      ['HR951', 'attack.t1086'],
      ['HR950', 'attack.t1059.099'],
      ['HR953', 'attack.t1690'],
      ['HR950', 'attack.t9999'],
      ['HR950', 'attack.ta0999'],
      ['HR950', 'attack.executoin'],
      ['HR953', 'attack.stealth'],
    ])
  })

  it('has an id and a title of its own, and says what it is', async () => {
    write('a.yml', sigma('a: {User: x}\ncondition: a'))
    write('b.yml', sigma('a: {User: y}\ncondition: a'))
    write('c.yml', sigma('a: {User: z}\ncondition: a').replace(HEAD, ''))
    expect((await linted()).map(({ code, file, message }) => [code, file, message])).toEqual([
      ['HR954', 'b.yml', expect.stringContaining('a.yml')],
      ...['id', 'description', 'date', 'status', 'level'].map((key) => [
        'HR956',
        'c.yml',
        `the rule has no ${key}`,
      ]),
      ['HR955', 'c.yml', expect.stringContaining('a.yml')],
    ])
  })

  it('has a date that is none, which is told once', async () => {
    write('a.yml', sigma('a: {User: x}\ncondition: a').replace('2026-01-31', '2026-02-30'))
    expect(await codesOf()).toEqual(['HR305'])
  })

  it('is compared with what is stored', async () => {
    write('a.yml', sigma('a: {Image: x, Nowhere: y}\ncondition: a'))
    const columns = { text: new Set(['Image', 'EventID']), lists: new Set<string>(), rows: 1 }
    const stored = new Map([['windows.sysmon', { ...columns, overflow: false }]])
    expect((await linted({ stored })).map(({ code, at }) => [code, at])).toEqual([
      ['HR973', 'Nowhere'],
    ])
    const open = new Map([['windows.sysmon', { ...columns, overflow: true }]])
    expect(await codesOf({ stored: open })).toEqual([])
  })

  it('is compared with its overlay', async () => {
    write('a.yml', sigma('a: {User: x}\ncondition: a'))
    const overlay = `rule: T
schedule: {every: 1h, lookback: 10m}
suppress: {period: 30d}
level: critical
risk: 5
filter: {User: y}
`
    expect((await codesOf({ overlay })).toSorted()).toEqual(['HR964', 'HR968', 'HR969', 'HR970'])
  })
})

function search(text: string, more = ''): string {
  return `name: T\nid: s-1\ntype: TTP\nstatus: production\ndate: 2026-01-31\ndescription: d\nsearch: |-\n  ${text}\n${more}`
}

describe('a search', () => {
  it.each<readonly [string, string, string, readonly string[]]>([
    ['is right', 'index=* a=b | `t_filter`', '', []],
    ['asks for two values', 'index=* a=b a=c | `t_filter`', '', ['HR961']],
    ['has an empty range', 'index=* a>5 a<3 | `t_filter`', '', ['HR961']],
    ['looks for words with an open start', 'index=* *foo* | `t_filter`', '', ['HR963']],
    ['has typographic marks', 'index=* a=“b” | `t_filter`', '', ['HR958', 'HR958']],
    ['has such marks in a text', 'index=* a="x “b” y" | `t_filter`', '', []],
    ['has doubled marks', 'index=* a IN ("x", ""*b*"") | `t_filter`', '', ['HR959', 'HR513']],
    ['has an empty text', 'index=* a="" | eval b=if(a="","",a) | `t_filter`', '', []],
    ['has no filter macro', 'index=* a=b', '', ['HR980']],
    ['excludes what it asks for', 'index=* a=b NOT a=b | `t_filter`', '', ['HR960']],
    ['can never be', 'index=* a=b | where 1==2', '', ['HR960', 'HR980']],
    [
      'has a gap between its runs',
      'index=* a=b | `t_filter`',
      "deployment: {scheduling: {cron_schedule: '0 * * * *', earliest_time: -30m, latest_time: now}}\n",
      ['HR964'],
    ],
    [
      'sees everything many times',
      'index=* a=b | `t_filter`',
      "deployment: {scheduling: {cron_schedule: '0 * * * *', earliest_time: -1d, latest_time: now}}\n",
      ['HR965'],
    ],
    [
      'has an empty range of time',
      'index=* a=b | `t_filter`',
      "deployment: {scheduling: {cron_schedule: '0 * * * *', earliest_time: -10m, latest_time: -20m}}\n",
      ['HR960'],
    ],
    [
      'never runs',
      'index=* a=b | `t_filter`',
      "deployment: {scheduling: {cron_schedule: '0 0 30 2 *', earliest_time: -10m, latest_time: now}}\n",
      ['HR967'],
    ],
  ])('that %s', async (_, text, more, expected) => {
    write('a.yml', search(text, more))
    const found = (await codesOf()).filter((each) => /^HR(?:9|513)/.test(each))
    expect(found.toSorted()).toEqual([...expected].sort())
  })

  it('is run less often by its overlay than it looks back', async () => {
    const scheduling = "{cron_schedule: '0 * * * *', earliest_time: -70m@m, latest_time: -10m@m}"
    write('a.yml', search('index=* a=b | `t_filter`', `deployment: {scheduling: ${scheduling}}\n`))
    expect(await codesOf()).toEqual([])
    const overlay = "rule: T\nschedule: {cron: '0 */6 * * *'}\n"
    expect(await codesOf({ overlay })).toEqual(['HR964'])
  })

  it('has a date', async () => {
    write('a.yml', search('index=* a=b | `t_filter`').replace('2026-01-31', '2026-02-30'))
    expect((await linted()).map(({ code, at }) => [code, at])).toEqual([['HR957', 'date']])
  })

  it('calls the macros of its pack', async () => {
    write('detections/a.yml', search('index=* `used` | `t_filter`'))
    write('macros/used.yml', 'name: used\ndefinition: search a=b `deep`\n')
    write('macros/deep.yml', 'name: deep\ndefinition: c=d\n')
    write('macros/idle.yml', 'name: idle\ndefinition: c=d\n')
    expect((await linted()).map(({ code, file }) => [code, file])).toEqual([
      ['HR981', 'macros/idle.yml'],
    ])
  })
})

function query(text: string, more: Readonly<Record<string, string>> = {}): string {
  const keys = {
    kind: 'Scheduled',
    queryFrequency: '1h',
    queryPeriod: '1h',
    triggerOperator: 'gt',
    triggerThreshold: '0',
    ...more,
  }
  const lines = Object.entries(keys).map(([key, value]) => `${key}: ${value}\n`)
  return `id: 0d9a3c4e-8a4f-4a5b-9c37-2f6f8e2b1a11\nname: Q\ndescription: d\nseverity: Low\nquery: |\n${text.replace(/^/gm, '  ')}\n${lines.join('')}`
}

describe('a query', () => {
  it.each<readonly [string, string, Readonly<Record<string, string>>, readonly string[]]>([
    ['is right', 'SecurityEvent | where EventID == 4688', {}, []],
    ['asks for two ids', 'SecurityEvent | where EventID == 1 | where EventID == 2', {}, ['HR961']],
    [
      'asks for two texts',
      'SecurityEvent | where Computer =~ "a" and Computer == "B"',
      {},
      ['HR961'],
    ],
    [
      'asks for one in two cases',
      'SecurityEvent | where Computer =~ "a" and Computer == "A"',
      {},
      [],
    ],
    ['has an empty range', 'SecurityEvent | where EventID > 5 and EventID < 3', {}, ['HR961']],
    [
      'is quoted by a word processor',
      'SecurityEvent | where Computer == “a”',
      {},
      ['HR400', 'HR958', 'HR958'],
    ],
    ['is false', 'SecurityEvent | where 1 == 2', {}, ['HR960']],
    ['says that it is false', 'SecurityEvent | where false', {}, ['HR960']],
    [
      'excludes what it asks for',
      'SecurityEvent | where EventID == 1 | where not(EventID == 1)',
      {},
      ['HR960'],
    ],
    [
      'defines what nothing reads',
      'let a = 1; let b = 2;\nSecurityEvent | where EventID == b',
      {},
      ['HR977'],
    ],
    [
      'looks back further than it is given',
      'let back = 7d;\nSecurityEvent | where TimeGenerated > ago(back)',
      { queryPeriod: '1d' },
      ['HR966'],
    ],
    [
      'looks back further than it is given, in long words',
      'SecurityEvent | where TimeGenerated > ago(7days)',
      { queryPeriod: '1d' },
      ['HR966'],
    ],
    [
      'says in a comment and a text how far it might look back',
      'SecurityEvent // ago(7d)\n| where Computer == "ago(7d)"',
      { queryPeriod: '1d' },
      [],
    ],
    [
      'asks for accounts of an age, not for events of it',
      'IdentityInfo | where AccountCreationTime > ago(30d)',
      { queryPeriod: '1d' },
      [],
    ],
    [
      'reads a view by a wildcard',
      'let A_x = view () { SecurityEvent | where EventID == 1 };\nunion A_*',
      {},
      [],
    ],
    [
      'finds rows again and again',
      'SecurityEvent | where EventID == 1',
      { queryPeriod: '1d', eventGroupingSettings: '{aggregationKind: AlertPerResult}' },
      ['HR965'],
    ],
    [
      'is beyond what the service takes',
      'SecurityEvent',
      { queryPeriod: '30d', queryFrequency: '1d' },
      ['HR982'],
    ],
  ])('that %s', async (_, text, more, expected) => {
    write('a.yml', query(text, more))
    expect(await codesOf()).toEqual(expected)
  })
})

it('is told at its place among many of a file', async () => {
  const text =
    '```kql\nSecurityEvent | where EventID == 2 // 1\n```\n\n```kql\nSecurityEvent | where EventID == 1 and EventID == 2\n```\n'
  write('a.md', `# Two\n\n${text}`)
  expect((await linted()).map(({ code, line, at }) => [code, line, at])).toEqual([
    ['HR961', 8, '2'],
  ])
})

describe('patterns', () => {
  it.each([
    ['a^b', true],
    ['a$b', true],
    ['x|a^b', undefined],
    ['^a$', undefined],
    ['a*^b', undefined],
    ['(^|x)a($|y)', undefined],
    ['(?m)a\n^b', undefined],
    ['[$]a[^b]c', undefined],
    ['\\$a\\^b', undefined],
    ['\\Qa^b\\E', undefined],
    ['(?:a+)+', false],
    ['([a-z]*)+b', false],
    ['(\\.[a-z]+)*', undefined],
    ['(?:[\\w.]+/+)+', undefined],
    ['w(in*d*)*', undefined],
    ['(a+|b)+', undefined],
    ['\\(a+)+', undefined],
    ['.*a', false],
    ['.*?a', undefined],
    ['.*', undefined],
    ['', undefined],
    ['a(b', undefined],
  ])('%j', (pattern, isNever) => {
    expect(faultOf(pattern)?.isNever).toBe(isNever)
  })
})

describe('what is left out', () => {
  const bad = 'a: {EventID: 1}\nb: {EventID: 2}\ncondition: a and b'

  it('by code, and notices when they are not wanted', async () => {
    write('a.yml', sigma(`${bad}\n`, 'tags: [attack.stealth]\n'))
    expect(await codesOf()).toEqual(['HR961', 'HR953'])
    expect(await codesOf({}, { ...ALL, notices: false })).toEqual(['HR961'])
    expect(await codesOf({}, { ...ALL, ignore: new Set(['HR961']) })).toEqual(['HR953'])
    expect(await codesOf({}, { ...ALL, notices: false, only: new Set(['HR953']) })).toEqual([
      'HR953',
    ])
  })

  it.each([
    ['on the line', bad.replace('EventID: 2}', 'EventID: 2} # harrier-ignore: HR961')],
    ['above the line', bad.replace('b: {', '# harrier-ignore: HR100, HR961\nb: {')],
  ])('by a comment %s', async (_, detection) => {
    write('a.yml', sigma(detection))
    expect(await codesOf()).toEqual([])
  })

  it('below a key, with all that is indended there and no more', () => {
    const text =
      '# harrier-ignore: HR950\nquery: |\n  a\n\n  b\nnext: c\nlast: d # harrier-ignore: HR951\n'
    expect([...ignoredLines(text).keys()]).toEqual([1, 2, 3, 4, 5, 7])
  })
})

it('has every code of the table among the codes, each once', () => {
  const all = CHECKS.flatMap((each) => each.codes)
  expect(new Set(all).size).toBe(all.length)
  const own = Object.keys(codes).filter((code) => code >= 'HR950' && code <= 'HR989')
  expect([...all].sort()).toEqual(own)
})
