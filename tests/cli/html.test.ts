/** The HTML report against texts that become markup or script, in every place where a text comes from outside. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { renderReport, reportTally } from '../../src/cli/html.ts'
import { html, link } from '../../src/cli/markup.ts'
import { safeText } from '../../src/cli/text.ts'
import { diagnose } from '../../src/core/diagnostic.ts'
import { limits } from '../../src/core/limits.ts'
import type { Finding } from '../../src/detect/finding.ts'
import type { RunReport } from '../../src/detect/report.ts'
import type { IntakeReport } from '../../src/ingest/report.ts'
import { LEVELS } from '../../src/rules/rule.ts'
import {
  sampleFile,
  sampleFinding,
  sampleIntake,
  sampleOutcome,
  sampleRule,
  sampleRun,
} from '../support/findings.ts'
import { HAZARD, htmlPayloads, terminalPayloads } from '../support/payloads.ts'

interface Tag {
  readonly name: string
  readonly attributes: readonly (readonly [string, string])[]
}

interface Page {
  readonly tags: readonly Tag[]
  readonly text: string
}

const REFERENCES = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['#39', "'"],
  ['#96', '`'],
])

function decode(text: string): string {
  return text.replace(/&(#?\w+);/g, (whole, name: string) => REFERENCES.get(name) ?? whole)
}

/** A small reader of HTML: every `<` is a tag, and every tag must be of the plain shape that we print. */
function readPage(source: string): Page {
  const tags: Tag[] = []
  let text = ''
  let at = 0
  while (at < source.length) {
    const open = source.indexOf('<', at)
    text += decode(source.slice(at, open === -1 ? undefined : open))
    if (open === -1) break
    const tag =
      /^<(\/?[a-z][a-z0-9]*|!doctype html)((?:\s+[a-zA-Z][a-zA-Z0-9-]*(?:="[^"<>]*")?)*)\s*\/?>/.exec(
        source.slice(open, open + 4_000),
      )
    if (!tag) throw new Error(`no tag of ours: ${source.slice(open, open + 80)}`)
    const [whole, name = '', attributes = ''] = tag
    const found = attributes.matchAll(/([a-zA-Z][a-zA-Z0-9-]*)(?:="([^"]*)")?/g)
    tags.push({
      name,
      attributes: [...found].map(([, key = '', value = '']) => [key, decode(value)]),
    })
    at = open + whole.length
    if (name === 'style') at = source.indexOf('</style>', at)
  }
  return { tags, text }
}

interface Hostile {
  readonly findings: readonly Finding[]
  readonly run: RunReport
  readonly intake: IntakeReport
  readonly text: string
}

/** A report whose every outside text is the given one. */
function hostile(text: string, number = 0): Hostile {
  const id = `${text}#${number}`
  const rule = sampleRule({
    id,
    file: text,
    title: text,
    status: text,
    description: text,
    author: text,
    date: text,
    tags: [text, 'attack.t1059'],
    references: [text],
    falsepositives: [text],
    logsource: text,
  })
  const event = { CommandLine: text, [`name ${text}`]: [text, text], none: null }
  const finding = sampleFinding({
    time: text,
    rule_id: id,
    rule_title: text,
    host: text,
    tags: [text],
    source: text,
    file: text,
    id: text,
    event,
  })
  const diagnostics = [diagnose('HR254', { name: text })]
  return {
    text,
    findings: [finding, sampleFinding({ ...finding, time: '2024-01-05T10:11:12.0000000Z' })],
    run: sampleRun([
      sampleOutcome({ rule, findings: 2 }),
      sampleOutcome({ rule: { ...rule, id: `${id}2` }, state: 'no_data', findings: 0 }),
      sampleOutcome({
        rule: { ...rule, id: `${id}3` },
        state: 'cannot_fire',
        findings: 0,
        diagnostics,
      }),
      sampleOutcome({ rule: { ...rule, id: `${id}4` }, state: 'failed', findings: 0, diagnostics }),
    ]),
    intake: sampleIntake([
      sampleFile({ file: text, format: text, error: text }),
      sampleFile({
        file: text,
        damages: 1,
        damage: [{ code: text, reason: text, place: text }],
      }),
    ]),
  }
}

function render({ findings, run, intake, text }: Hostile): string {
  const tally = reportTally(() => ['commandline'])
  for (const each of findings) tally.add(each)
  return [
    ...renderReport({
      tally,
      run,
      intake,
      ruleText: () => text,
      made: '2024-01-06T00:00:00.0000000Z',
      version: text,
    }),
  ].join('')
}

const shapeOf = (page: Page): readonly string[] =>
  page.tags.map(({ name, attributes }) =>
    [name, ...attributes.map(([key, value]) => `${key}=${value}`)].join(' '),
  )

const benign = shapeOf(readPage(render(hostile('benign text'))))

describe('the HTML report', () => {
  it('has at least 100 payloads to face', () => {
    expect(htmlPayloads.length).toBeGreaterThanOrEqual(100)
  })

  it.each(
    [...htmlPayloads, ...terminalPayloads].map((payload, index) => [index, payload] as const),
  )('takes no tag, attribute or character reference from payload %i', (_index, payload) => {
    const source = render(hostile(payload))
    const page = readPage(source)
    expect(shapeOf(page)).toEqual(benign)
    expect(page.text).toContain(safeText(payload).slice(0, 60))
    expect(source.replaceAll('\t', '')).not.toMatch(HAZARD)
  })

  it('loads nothing and runs nothing', () => {
    const source = render(hostile('x'))
    const { tags } = readPage(source)
    const names = new Set(tags.map((each) => each.name))
    for (const name of ['script', 'img', 'iframe', 'link', 'object', 'embed', 'form', 'base']) {
      expect(names.has(name)).toBe(false)
    }
    const attributes = new Set(tags.flatMap((each) => each.attributes.map(([key]) => key)))
    expect([...attributes].filter((key) => /^on|^style$|src|action/i.test(key))).toEqual([])
    const policy = tags.find((each) =>
      each.attributes.some(([, value]) => value === 'Content-Security-Policy'),
    )
    const style = source.slice(source.indexOf('<style>') + 7, source.indexOf('</style>'))
    const hash = createHash('sha256').update(style).digest('base64')
    expect(policy?.attributes.find(([key]) => key === 'content')?.[1]).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`,
    )
    expect(style).not.toMatch(/url\(|@import|expression/)
    expect(source.indexOf('Content-Security-Policy')).toBeLessThan(source.indexOf('<style>'))
  })

  it('links to http and https only, apart from this page', () => {
    const one = (address: string): string => String(link(address))
    expect(one('https://example.org/a?b=1&c="x"<y>')).toBe(
      '<a href="https://example.org/a?b=1&amp;c=%22x%22%3Cy%3E" target="_blank" rel="noopener noreferrer nofollow">https://example.org/a?b=1&amp;c=&quot;x&quot;&lt;y&gt;</a>',
    )
    expect(one('http://example.org/')).toContain('rel="noopener ')
    for (const payload of htmlPayloads) {
      const href = /href="([^"]*)"/.exec(one(payload))?.[1]
      expect(href ?? 'https://').toMatch(/^https?:\/\//)
    }
    expect(one('javascript:alert(1)')).toBe('javascript:alert(1)')
  })

  it('takes markup only from its own templates', () => {
    const inner = html`<b>${'<i>'}</b>`
    expect(String(html`${inner}${[inner, inner]}${3}${undefined}${'&'}`)).toBe(
      '<b>&lt;i&gt;</b><b>&lt;i&gt;</b><b>&lt;i&gt;</b>3&amp;',
    )
  })

  it('holds a large run in bounds and counts all of it', () => {
    const tally = reportTally()
    const rules = Array.from({ length: 100 }, (_, index) =>
      sampleRule({ id: `r${index}`, title: `Rule ${index}`, level: LEVELS[index % 5] ?? 'low' }),
    )
    const event = Object.fromEntries(
      Array.from({ length: 30 }, (_, index) => [`field${index}`, `value ${index} `.repeat(4)]),
    )
    for (let record = 0; record < 100_000; record++) {
      const rule = rules[record % 100]
      if (rule === undefined) continue
      tally.add(
        sampleFinding({
          rule_id: rule.id,
          rule_title: rule.title,
          level: rule.level,
          record,
          event,
          host: `host-${record % 3_000}`,
        }),
      )
    }
    const run = sampleRun(rules.map((rule) => sampleOutcome({ rule, findings: 1_000 })))
    let size = 0
    let shown = 0
    let all = ''
    for (const piece of renderReport({
      tally,
      run,
      ruleText: () => 'title: x',
      made: '2024-01-06T00:00:00Z',
      version: '0.1.0',
    })) {
      size += piece.length
      shown += piece.split('class="finding"').length - 1
      if (all.length < 100_000) all += piece
    }
    expect(shown).toBeLessThanOrEqual(limits.reportFindings)
    expect(shown).toBeGreaterThan(1_000)
    expect(size).toBeLessThan(40_000_000)
    expect(all).toContain('100,000 findings')
    expect(all).toMatch(/\d+ of 1,000 findings are shown/)
  })

  it('says when nothing was found and when a run was cut short', () => {
    const source = [
      ...renderReport({
        tally: reportTally(),
        run: sampleRun([sampleOutcome({ state: 'quiet', findings: 0 })], { interrupted: true }),
        ruleText: () => undefined,
        made: '2024-01-06T00:00:00Z',
        version: '0.1.0',
      }),
    ].join('')
    expect(source).toContain('No rule fired.')
    expect(source).toContain('Partial result.')
  })
})

const CHROMIUM = '/usr/bin/chromium'

describe.runIf(existsSync(CHROMIUM))('in a browser', () => {
  it('no payload runs, and the policy of the page blocks nothing of its own', () => {
    const folder = mkdtempSync(join(tmpdir(), 'harrier-html-'))
    try {
      const all = htmlPayloads.map((payload, index) => hostile(payload, index))
      const tally = reportTally()
      for (const { findings } of all) for (const each of findings) tally.add(each)
      const texts = new Map(all.map(({ run, text }) => [run.outcomes[0]?.rule.id, text]))
      const source = [
        ...renderReport({
          tally,
          run: sampleRun(all.flatMap(({ run }) => run.outcomes)),
          intake: sampleIntake(all.flatMap(({ intake }) => intake.files)),
          ruleText: (rule) => texts.get(rule.id),
          made: '2024-01-06T00:00:00Z',
          version: '0.1.0',
        }),
      ].join('')
      const path = join(folder, 'report.html')
      // Everything is opened, so that nothing stays unrendered.
      writeFileSync(
        path,
        source.replace(/<details class="(rule|finding|source|more)/g, '<details open class="$1'),
      )
      const logPath = join(folder, 'log.txt')
      const dom = execFileSync(
        CHROMIUM,
        [
          '--headless',
          '--no-sandbox',
          '--disable-gpu',
          '--enable-logging',
          `--log-file=${logPath}`,
          `--user-data-dir=${join(folder, 'profile')}`,
          '--dump-dom',
          `file://${path}`,
        ],
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 90_000, maxBuffer: 1e9 },
      )
      const log = readFileSync(logPath, 'utf8')
      expect(dom).toContain('Detection report')
      expect(dom).not.toMatch(
        /<(?:script|img|iframe|object|embed|form|audio|video|base|marquee)\b/i,
      )
      expect(dom.replace(/<[^>]*>/g, (tag) => tag.toLowerCase())).not.toMatch(/<[a-z][^>]*\son\w+=/)
      expect(log).not.toMatch(/CONSOLE|Content Security Policy|Refused to/)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
