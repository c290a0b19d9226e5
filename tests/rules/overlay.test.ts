/** Overlays: what they may say, and that a rule has it when it is loaded, in all three languages. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { printRel } from '../../src/ir/print.ts'
import { compilerHere } from '../../src/rules/kustolibrary.ts'
import { loadRules } from '../../src/rules/load.ts'
import { readOverlayFile } from '../../src/rules/overlay.ts'
import { Overlays } from '../../src/rules/overlaying.ts'
import { readyMadeSchema } from '../../tools/product.ts'

const schema = readyMadeSchema()
const kusto = compilerHere(schema.tables)

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'harrier-overlay-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function write(name: string, content: string): string {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  return path
}

const SIGMA = `title: Whoami
id: 0d9a3c4e-8a4f-4a5b-9c37-2f6f8e2b1a10
logsource: {category: process_creation, product: windows}
detection:
  selection:
    Image|endswith: \\whoami.exe
  condition: selection
level: low
`
const SEARCH = (search: string): string =>
  `name: Odd Thing\nid: s-1\ntype: TTP\ndescription: d\nsearch: ${JSON.stringify(search)}\n`
const QUERY = (query: string): string =>
  `id: k-1\nname: Odd query\nseverity: Low\nquery: |\n${query.replace(/^/gm, '  ')}\nqueryFrequency: 1h\nqueryPeriod: 1h\ntriggerOperator: gt\ntriggerThreshold: 0\nkind: Scheduled\n`

async function load(...overlays: readonly string[]) {
  const files = overlays.map((text, at) => readOverlayFile(`overrides/${at}.yml`, text))
  const wrong = files.flatMap((each) => each.diagnostics)
  expect(wrong).toEqual([])
  const set = await loadRules([folder], {
    placeholders: new Map(),
    schema: () => schema,
    kusto,
    overlays: new Overlays(files),
  })
  const [loaded] = set.rules
  return {
    ...set,
    rule: loaded?.rule,
    codes: loaded?.diagnostics.map(({ code }) => code),
    messages: loaded?.diagnostics.map(({ message }) => message),
    ir: loaded?.rule === undefined ? '' : printRel(loaded.rule.rel),
    bare: loaded?.rule?.tuning?.unfiltered,
  }
}

describe('reading', () => {
  it('takes all that may be said', () => {
    const { overlays, diagnostics } = readOverlayFile(
      'o.yml',
      `rule: [a, B title]
enabled: false
schedule: {cron: '*/5 * * * *', lookback: 10m, delay: 30s}
level: high
risk: 40
suppress: {fields: [host], period: 1d}
most_findings: 20
filter: {User: svc}
tests:
  - hides: {User: svc}
    source: windows.sysmon
  - keeps: events.json
reason: known
author: me
date: 2026-01-02
`,
    )
    expect(diagnostics).toEqual([])
    expect(overlays).toMatchObject([
      {
        rules: ['a', 'B title'],
        enabled: false,
        schedule: { cron: '*/5 * * * *', lookback: 600_000, delay: 30_000 },
        level: 'high',
        riskScore: 40,
        suppress: { fields: ['host'], seconds: 86_400 },
        mostFindings: 20,
        filter: { where: 'o.yml:8', written: '{User: svc}' },
        tests: [
          { keeps: false, line: 10, events: [{ User: 'svc' }], source: 'windows.sysmon' },
          { keeps: true, line: 12, events: [], files: ['events.json'] },
        ],
        reason: 'known',
        date: '2026-01-02',
      },
    ])
  })

  it.each([
    ['rule: a\nlevell: high\n', 'overlay: there is no key "levell" (did you mean "level"?)'],
    [
      'level: high\n',
      'overlay: rule must be the id or the exact title of a rule, or a list of such',
    ],
    [
      'rule: a\nlevel: urgent\n',
      'overlay: level must be one of informational, low, medium, high, critical',
    ],
    [
      'rule: a\nschedule: {cron: "* * *"}\n',
      'overlay: schedule.cron must be five fields, such as */5 * * * *',
    ],
    [
      'rule: a\nschedule: {cron: "* * * * *", every: 5m}\n',
      'overlay: schedule.every must be left out beside cron',
    ],
    [
      'rule: a\nsuppress: {fields: [a]}\n',
      'overlay: suppress.period must be a length of time, such as 24h',
    ],
    ['rule: a\nfilter: ""\n', 'overlay: filter must be what is to be hidden'],
    ['rule: a\ntests: [{hides: {a: b}}]\n', 'overlay: tests must be beside a filter'],
    [
      'rule: a\nfilter: {a: b}\ntests: [{hidse: {a: b}}]\n',
      'overlay: tests[0] must be a map with either',
    ],
    ['rule: a\nrisk: -1\n', 'overlay: risk must be a number from 0'],
  ])('refuses %j', (text, message) => {
    const { overlays, diagnostics } = readOverlayFile('o.yml', text)
    expect(overlays).toEqual([])
    expect(diagnostics.map((each) => each.message).join('\n')).toContain(message)
    expect(diagnostics.every(({ place }) => place !== undefined)).toBe(true)
  })

  it('tells of overlays that no rule is there for', () => {
    const file = readOverlayFile('o.yml', 'rule: Whoamy\nenabled: false\n---\nrule: k-1\nrisk: 1\n')
    const told = new Overlays([file]).unmet([
      { id: 'x', title: 'Whoami' },
      { id: 'k-1/2', title: 'k' },
    ])
    expect(told.map(({ diagnostic }) => diagnostic.message)).toEqual([
      'overlay: no rule has the id or the title "Whoamy" (did you mean "Whoami"?)',
    ])
  })
})

describe('a Sigma rule', () => {
  it('has what is said, and a filter in its plan', async () => {
    write('a.yml', SIGMA)
    const { rule, ir, bare } = await load(
      'rule: 0D9A3C4E-8a4f-4a5b-9c37-2f6f8e2b1a10\nlevel: critical\nrisk: 7\nreason: r\n',
      'rule: Whoami\nfilter:\n  User: svc_backup\n  CommandLine|contains: /priv\n',
    )
    expect(rule).toMatchObject({ level: 'critical', tuning: { riskScore: 7, reason: 'r' } })
    expect(ir).toMatch(/not\(.*User.*svc_backup/s)
    expect(rule?.fields).toEqual(['Image', 'User', 'CommandLine'])
    expect(printRel(bare?.rel ?? { op: 'values', rows: [], out: [] })).not.toContain('svc_backup')
  })

  it('takes a filter with a condition of its own', async () => {
    write('a.yml', SIGMA)
    const { ir } = await load(
      'rule: Whoami\nfilter:\n  a: {User: x}\n  b: {User: y}\n  condition: a or b\n',
    )
    expect(ir).toMatch(/x.*y/s)
  })

  it.each([
    ['filter: User=svc\n', 'for a Sigma rule it must be a map'],
    ['filter: {User|unknown: x}\n', 'cannot be used'],
    ['filter:\n  a: {User: x}\n  condition: a or c\n', 'cannot be used'],
  ])('does not run with %j', async (filter, message) => {
    write('a.yml', SIGMA)
    const { rule, codes, messages } = await load(`rule: Whoami\n${filter}`)
    expect(rule).toBeUndefined()
    expect(codes).toContain('HR945')
    expect(messages?.join('\n')).toContain(message)
  })

  it('does not run with a filter that matches all, or with two of a key', async () => {
    write('a.yml', SIGMA)
    expect((await load("rule: Whoami\nfilter: ['*']\n")).codes).toEqual(['HR946'])
    const twice = await load('rule: Whoami\nlevel: low\n', 'rule: Whoami\nlevel: high\n')
    expect(twice.rule).toBeUndefined()
    expect(twice.messages).toEqual([
      'overrides/0.yml:1 and overrides/1.yml:1 both say level for this rule',
    ])
  })
})

describe('a search', () => {
  it('has its filter where it calls its own filter macro', async () => {
    write('a.yml', SEARCH('index=* | `odd_thing_filter` | stats count by dest'))
    const { ir, bare, rule } = await load('rule: Odd Thing\nfilter: dest=build*\nlevel: low\n')
    expect(ir.indexOf('aggregate')).toBeGreaterThan(-1)
    expect(ir).toContain('build')
    expect(printRel(bare?.rel ?? { op: 'values', rows: [], out: [] })).not.toContain('build')
    expect(rule?.spl?.severity).toBe('low')
    const answer = rule?.spl?.compiler({}).compile(new Map())
    expect(printRel(answer?.rel ?? { op: 'values', rows: [], out: [] })).toContain('build')
  })

  it('keeps what the filter macro of the pack says', async () => {
    write('detections/a.yml', SEARCH('index=* | stats count by dest | `odd_thing_filter`'))
    write('macros/m.yml', 'name: odd_thing_filter\ndefinition: search dest!=lab*\n')
    const { ir } = await load('rule: s-1\nfilter: dest=build*\n')
    expect(ir).toMatch(/lab[\s\S]*build|build[\s\S]*lab/)
  })

  it.each([
    ['dest="a b" OR dest=c', /a b/],
    ['| where dest!="abc"', /abc/],
  ])('without a macro ends in %j', async (filter, text) => {
    write('a.yml', SEARCH('index=* | stats count by dest'))
    const { ir, codes } = await load(`rule: s-1\nfilter: '${filter}'\n`)
    expect(codes).toEqual([])
    expect(ir).toMatch(text)
  })

  it.each([
    ['dest=a) OR (dest=b', 'HR945'],
    ['dest="a', 'HR945'],
    ['"| nosuchcommand"', 'HR945'],
    ['{dest: a}', 'HR945'],
    ['"*"', 'HR946'],
    ['"| where false()"', 'HR946'],
  ])('does not run with %j', async (filter, code) => {
    write('a.yml', SEARCH('index=* | stats count by dest'))
    const { rule, codes } = await load(`rule: s-1\nfilter: ${filter}\n`)
    expect(rule).toBeUndefined()
    expect(codes).toContain(code)
  })
})

describe('a query', () => {
  it('ends in its filter', async () => {
    write(
      'a.yml',
      QUERY('SecurityEvent\n| where EventID == 4688 // end;\n| project Computer, Account;'),
    )
    const { ir, codes, bare, rule } = await load(
      'rule: k-1\nfilter: Computer == "build01" or Account == "x"\nschedule: {every: 10m}\n',
    )
    expect(codes).toEqual([])
    expect(ir).toContain('build01')
    expect(rule?.tuning?.schedule).toEqual({ every: 600_000 })
    expect(printRel(bare?.rel ?? { op: 'values', rows: [], out: [] })).not.toContain('build01')
  })

  it.each([
    ['Computr == "a"', 'HR945'],
    ['true) or (false', 'HR945'],
    ['Computer == "a"; SecurityEvent | where (true', 'HR945'],
    ['"true"', 'HR946'],
  ])('does not run with %j', async (filter, code) => {
    write('a.yml', QUERY('SecurityEvent | project Computer, Account'))
    const { rule, codes } = await load(`rule: k-1\nfilter: ${filter}\n`)
    expect(rule).toBeUndefined()
    expect(codes).toContain(code)
  })
})

it('is never taken from a rule path', async () => {
  write('a.yml', SIGMA)
  write('b.yml', 'rule: Whoami\nenabled: false\nfilter: {Image: "*"}\n')
  const { rules, problems } = await load()
  expect(rules.map(({ title, rule }) => [title, rule?.tuning])).toEqual([['Whoami', undefined]])
  expect(problems.map(({ diagnostic }) => diagnostic.code)).toEqual(['HR944'])
})
