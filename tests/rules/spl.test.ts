/** Loading packs of Splunk content: what searches may call, which definition goes before which, and what is refused. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { compilerHere } from '../../src/rules/kustolibrary.ts'
import { loadRules } from '../../src/rules/load.ts'
import { readyMadeSchema } from '../../tools/product.ts'
import { tar, zip } from '../support/archives.ts'

const schema = readyMadeSchema()
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'harrier-spl-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  return path
}

function detection(name: string, search: string, more = ''): string {
  return `name: ${name}\nid: id-${name}\ntype: TTP\ndescription: d\nsearch: ${JSON.stringify(search)}\n${more}`
}

async function load(...names: readonly string[]) {
  const paths = names.map((name) => join(folder, name))
  const set = await loadRules(paths, { placeholders: new Map(), schema: () => schema })
  return {
    ...set,
    runnable: set.rules.flatMap(({ rule }) => (rule === undefined ? [] : [rule.title])),
    codes: set.rules.map(({ title, diagnostics }) => [title, diagnostics.map(({ code }) => code)]),
    problemCodes: set.problems.map(({ diagnostic }) => diagnostic.code),
  }
}

const SEARCH = 'index=* `odd_source` | stats count by dest | `named_filter`'

describe('a pack', () => {
  it('gives its rules with its macros, and filters that nobody wrote let all through', async () => {
    write('pack/detections/a.yml', detection('named', SEARCH))
    write('pack/macros/odd.yml', 'name: odd_source\ndefinition: sourcetype=a\ndescription: d\n')
    write('pack/data_sources/a.yml', 'name: A\nsource: x\n')
    const { runnable, library, others, problems } = await load('pack')
    expect(runnable).toEqual(['named'])
    expect(library.macros).toMatchObject([{ name: 'odd_source' }])
    expect({ others, problems }).toEqual({ others: 1, problems: [] })
  })

  it.each([
    ['a file', 'pack/detections/endpoint/a.yml'],
    ['a folder', 'pack/detections'],
  ])('is found above %s of it, with its macros, lookups and schedules', async (_, name) => {
    write(
      'pack/detections/endpoint/a.yml',
      detection('named', 'index=* | `tagged` | lookup odd key OUTPUT kind | stats count by kind'),
    )
    write('pack/macros/tagged.yml', 'name: tagged\ndefinition: eval key=user\n')
    write('pack/lookups/odd.yml', 'name: odd\nlookup_type: csv\n')
    write('pack/lookups/odd.csv', 'key,kind\na,b\n')
    write('pack/detections/other.yml', detection('other', 'index=*'))
    write(
      'pack/deployments/ttp.yml',
      "name: D\ntype: TTP\nscheduling: {cron_schedule: '5 * * * *', earliest_time: -2h, latest_time: now}\n",
    )
    const { rules, runnable } = await load(name)
    expect(runnable).toEqual(name.endsWith('.yml') ? ['named'] : ['named', 'other'])
    expect(rules[0]?.rule?.spl?.schedule).toMatchObject({ cron: '5 * * * *', earliest: '-2h' })
    expect(rules[0]?.rule?.fields).toEqual(['kind', 'count'])
  })

  it('is not looked for beyond a few levels, and nothing but its folders is read', async () => {
    write('macros/m.yml', 'name: odd_source\ndefinition: sourcetype=a\n')
    write('a/b/c/d/e/rule.yml', detection('named', SEARCH))
    write('f/rule.yml', detection('near', SEARCH))
    write('secret.yml', 'name: s\ndefinition: x\n')
    const far = await load('a/b/c/d/e/rule.yml')
    expect(far.codes).toEqual([['named', ['HR501']]])
    const near = await load('f/rule.yml')
    expect(near.runnable).toEqual(['near'])
    expect(near.library.macros.map(({ name }) => name)).toEqual(['odd_source'])
  })

  it('in an archive is read like a folder', async () => {
    write(
      'pack.zip',
      zip([
        { name: 'p/detections/a.yml', data: bytes(detection('named', SEARCH)) },
        { name: 'p/macros/m.yml', data: bytes('name: odd_source\ndefinition: sourcetype=a\n') },
      ]),
    )
    expect((await load('pack.zip')).runnable).toEqual(['named'])
  })

  it('as Splunk packs an app is read like a folder, its own settings before those of its publisher', async () => {
    const searches = '[named]\nsearch = `m` | stats count by dest\ncron_schedule = 0 * * * *\n'
    write(
      'app.spl',
      gzipSync(
        tar([
          { name: 'app/default/savedsearches.conf', data: bytes(searches) },
          {
            name: 'app/local/savedsearches.conf',
            data: bytes('[named]\ncron_schedule = 5 * * * *\n'),
          },
          { name: 'app/default/macros.conf', data: bytes('[m]\ndefinition = sourcetype=a\n') },
        ]),
      ),
    )
    const { runnable, rules } = await load('app.spl')
    expect(runnable).toEqual(['named'])
    expect(rules[0]?.rule?.spl?.schedule?.cron).toBe('5 * * * *')
  })

  it('that defines a macro twice tells it, and the first holds', async () => {
    write('pack/macros/a.yml', 'name: m\ndefinition: sourcetype=a\n')
    write('pack/macros/b.yml', 'name: m\ndefinition: sourcetype=b\n')
    write('pack/detections/a.yml', detection('named', '`m`'))
    const { problemCodes, rules } = await load('pack')
    expect(problemCodes).toEqual(['HR465'])
    expect(rules[0]?.rule?.spl?.notes[0]?.text).toBe('m = sourcetype=a')
  })
})

describe('which definition holds', () => {
  it("is the user's own, then the one of the same path, then of others, then the known one", async () => {
    write(
      'a/app/default/macros.conf',
      '[sysmon]\ndefinition = sourcetype=a\n[m]\ndefinition = sourcetype=a\n',
    )
    write('a/app/local/macros.conf', '[m]\ndefinition = sourcetype=mine\n')
    write('a/rule.yml', detection('a', '`sysmon` `m`'))
    write('b/macros/m.yml', 'name: m\ndefinition: sourcetype=b\n')
    write('b/rule.yml', detection('b', '`sysmon` `m`'))
    write('c/rule.yml', detection('c', '`wineventlog_security`'))
    const { rules, problems } = await load('b', 'a', 'c')
    const notes = rules.map(({ rule }) => rule?.spl?.notes.map(({ text }) => text))
    expect(problems).toEqual([])
    expect(notes).toEqual([
      ['sysmon = sourcetype=a', 'm = sourcetype=b'],
      ['sysmon = sourcetype=a', 'm = sourcetype=mine'],
      [expect.stringContaining('XmlWinEventLog:Security')],
    ])
  })
})

describe('a rule', () => {
  it('that cannot be compiled is refused at its place in the file', async () => {
    const text = `name: n\nid: i\ntype: TTP\nsearch: '| tstats count from datamodel=Web\n  | nonsense x'\n`
    write('a.yml', text)
    const { rules, runnable } = await load('a.yml')
    expect(runnable).toEqual([])
    expect(rules[0]?.diagnostics[0]).toMatchObject({ code: 'HR503', place: { line: 5, column: 5 } })
  })

  it('is told which fields of its risk its search does not give', async () => {
    const risk =
      'rba: {message: "$dest$ $usr$", risk_objects: [{field: dst, type: system, score: 5}], threat_objects: []}\n'
    write('a.yml', detection('n', 'index=* | stats count by dest user', risk))
    const { rules } = await load('a.yml')
    expect(rules[0]?.diagnostics.map(({ message }) => message)).toEqual([
      expect.stringContaining('"dst", which the risk object needs (did you mean "dest"?)'),
      expect.stringContaining('"usr", which a message or the throttling needs'),
    ])
  })

  it('has level, tags and what it says of itself', async () => {
    const more =
      'creation_date: 2026-01-01\nmodification_date: 2026-02-02\nauthor: A\nstatus: production\nreferences: [r]\n' +
      'known_false_positives: f\nmitre_attack_id: [T1059]\n' +
      'finding: {title: t, entity: {field: dest, type: system, score: 90}}\n'
    write('a.yml', detection('n', '| tstats count from datamodel=Web by Web.dest', more))
    const { rules } = await load('a.yml')
    expect(rules[0]?.rule).toMatchObject({
      id: 'id-n',
      language: 'spl',
      level: 'critical',
      status: 'production',
      author: 'A',
      date: '2026-02-02',
      tags: ['attack.t1059'],
      references: ['r'],
      falsepositives: ['f'],
      logsource: 'Web.Web',
    })
  })

  it('is refused when nothing is known of logs', async () => {
    const path = write('a.yml', detection('n', 'index=*'))
    const { rules } = await loadRules([path], { placeholders: new Map() })
    expect(rules[0]?.diagnostics.map(({ code }) => code)).toEqual(['HR557'])
  })

  it('stands beside Kusto rules in one Markdown file', async () => {
    const fence = '```'
    const path = write(
      'hunt.md',
      `# Hunt\n${fence}spl\nindex=* | stats count\n${fence}\n${fence}kql\nSigninLogs | take 1\n${fence}\n`,
    )
    const { rules } = await loadRules([path], {
      placeholders: new Map(),
      schema: () => schema,
      kusto: compilerHere(schema.tables),
    })
    expect(rules.map(({ language, title, rule }) => [language, title, rule !== undefined])).toEqual(
      [
        ['kusto', 'Hunt', true],
        ['spl', 'Hunt', true],
      ],
    )
  })
})

describe('other files', () => {
  it('of folders that are no rules are left alone', async () => {
    write('r/a.yml', detection('n', 'index=*'))
    write('r/mkdocs.yml', 'search:\n  enabled: true\nname: x\n')
    write('r/app.conf', '[x]\nsearch = y\n')
    write('r/data.csv', 'a,b\n1,2\n')
    write('r/notes.txt', '| tstats count')
    const { runnable, rules, others, problems } = await load('r')
    expect({ runnable, rules: rules.length, others, problems }).toEqual({
      runnable: ['n'],
      rules: 1,
      others: 1,
      problems: [],
    })
  })

  it('that the user names and that hold nothing are told', async () => {
    write('macros.conf', '# nothing yet\n')
    expect((await load('macros.conf')).problemCodes).toEqual(['HR559'])
  })
})
