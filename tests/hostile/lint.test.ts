/** Rules and overlays that are written to make linting slow, or to reach what is not theirs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ignoredLines, lint } from '../../src/rules/lint/lint.ts'
import { faultOf } from '../../src/rules/lint/pattern.ts'
import { loadRules } from '../../src/rules/load.ts'
import { isOverlayText, readOverlayFile } from '../../src/rules/overlay.ts'
import { Overlays } from '../../src/rules/overlaying.ts'
import { readyMadeSchema } from '../../tools/product.ts'

const SECONDS = 5
const schema = readyMadeSchema()
const world = {
  schema,
  attack: { tactics: new Map(), techniques: new Map(), gone: new Map() },
  usual: new Map(),
}

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'harrier-hostile-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function seconds(action: () => unknown): number {
  const start = performance.now()
  action()
  return (performance.now() - start) / 1_000
}

describe('patterns', () => {
  it.each([
    '('.repeat(5_000),
    '['.repeat(5_000),
    '(a'.repeat(3_000),
    '(['.repeat(3_000),
    'a|'.repeat(5_000),
    `(${'a+'.repeat(3_000)}`,
    '^$'.repeat(5_000),
    '\\'.repeat(5_001),
    `(${'[a]'.repeat(2_000)}`,
  ])('end soon: %#', (pattern) => {
    expect(seconds(() => faultOf(pattern))).toBeLessThan(SECONDS)
  })
})

it('comments of thousands of lines end soon', () => {
  const deep = Array.from({ length: 1_000 }, (_, at) => `${' '.repeat(at)}# harrier-ignore: HR961`)
  const flat = '# harrier-ignore: HR961\n a\n'.repeat(20_000)
  expect(seconds(() => ignoredLines(deep.join('\n')))).toBeLessThan(SECONDS)
  expect(seconds(() => ignoredLines(flat))).toBeLessThan(SECONDS)
})

it('a rule that contradicts itself thousands of times is told of a few', async () => {
  const names = Array.from({ length: 400 }, (_, at) => `  s${at}: {EventID: ${at}, User: u${at}}\n`)
  const pairs = names.map((_, at) => `(s${at} and s${(at + 1) % names.length})`).join(' or ')
  const text = `title: T\nlogsource: {product: windows}\ndetection:\n${names.join('')}  condition: ${pairs}\n`
  writeFileSync(join(folder, 'a.yml'), text)
  const set = await loadRules([folder], { placeholders: new Map() })
  expect(set.rules[0]?.rule).toBeDefined()
  const options = { only: new Set(['HR961']), ignore: new Set<string>(), notices: true }
  const start = performance.now()
  const told = lint(set, world, options)
  expect((performance.now() - start) / 1_000).toBeLessThan(SECONDS)
  expect(told).toHaveLength(20)
})

describe('overlays', () => {
  it.each([
    'rule: a\n__proto__: {enabled: false}\n',
    'rule: a\nfilter: {a: &x b, c: *x}\n',
    `rule: a\nfilter: ${'['.repeat(500)}`,
    'rule: a\nrisk: 1e999\n',
    'rule: a\nschedule: {every: 999999999d}\n',
    'rule: a\nmost_findings: 0\n',
    'rule: {a: b}\n',
    '- rule: a\n',
    'just text',
  ])('that are wrong give nothing: %j', (text) => {
    const { overlays, diagnostics } = readOverlayFile('o.yml', text)
    expect(overlays).toEqual([])
    expect(diagnostics.length).toBeGreaterThan(0)
  })

  it('keep names of objects apart from what they hold', () => {
    const file = readOverlayFile(
      'o.yml',
      'rule: [__proto__, constructor, toString]\nenabled: false\n',
    )
    const overlays = new Overlays([file])
    expect(overlays.of({ id: 'constructor', title: '' })?.tuning.enabled).toBe(false)
    expect(overlays.of({ id: 'valueOf', title: 'hasOwnProperty' })).toBeUndefined()
    expect(({} as Record<string, unknown>).enabled).toBeUndefined()
  })

  it('are known among rules, and other files are not taken for them', () => {
    expect(isOverlayText('rule: a\nenabled: false\n')).toBe(true)
    expect(isOverlayText('rule: a\n')).toBe(false)
    expect(isOverlayText('rule: a\ndetection: {}\nenabled: false\n')).toBe(false)
    expect(seconds(() => isOverlayText(`rule: a\n${'x: 1\n'.repeat(100_000)}`))).toBeLessThan(
      SECONDS,
    )
  })
})
