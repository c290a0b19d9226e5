import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lowerSigma } from '../../src/dialects/sigma/lower.ts'
import { parseSigma, type SigmaParse } from '../../src/dialects/sigma/rule.ts'
import { lowerText } from '../support/sigma.ts'

const BODY = `logsource:
  product: windows
detection:
  sel:
    A: 1
  condition: sel
`

const codesOf = (parse: SigmaParse | undefined): readonly string[] =>
  (parse?.diagnostics ?? []).map((each) => each.code)

/** Codes and places for a rule with some more lines. */
function withLines(lines: string) {
  const text = `title: T\n${lines}\n${BODY}`
  const { rules } = parseSigma(text)
  const [parse] = rules
  return {
    rule: parse?.rule,
    codes: codesOf(parse),
    places: (parse?.diagnostics ?? []).map((each) => text.slice(each.span?.start, each.span?.end)),
  }
}

describe('metadata', () => {
  const text = `title: A rule
id: 0d9a3c4e-8a4f-4a5b-9c37-2f6f8e2b1a10
name: a_rule
related:
  - id: 1d9a3c4e-8a4f-4a5b-9c37-2f6f8e2b1a10
    type: derived
taxonomy: sigma
status: test
description: |
  Two
  lines
license: Apache-2.0
author: Somebody
references:
  - https://example.org/a
date: 2026-01-31
modified: 2026-02-28
logsource:
  product: windows
  category: process_creation
  service: sysmon
  definition: needs auditing
  extra: kept
detection:
  sel:
    A: 1
  condition: sel
fields:
  - A
falsepositives:
  - Administrators
level: high
tags:
  - attack.t1059.001
  - cve.2021-44228
scope:
  - server
simulation:
  - type: test
    __proto__: harmless
`
  const [parse] = parseSigma(text).rules

  it('is read in full', () => {
    expect(codesOf(parse)).toEqual([])
    expect(parse?.rule).toMatchObject({
      kind: 'detection',
      title: 'A rule',
      id: '0d9a3c4e-8a4f-4a5b-9c37-2f6f8e2b1a10',
      name: 'a_rule',
      related: [{ id: '1d9a3c4e-8a4f-4a5b-9c37-2f6f8e2b1a10', type: 'derived' }],
      taxonomy: 'sigma',
      status: 'test',
      description: 'Two\nlines\n',
      license: 'Apache-2.0',
      author: 'Somebody',
      references: ['https://example.org/a'],
      date: '2026-01-31',
      modified: '2026-02-28',
      level: 'high',
      tags: ['attack.t1059.001', 'cve.2021-44228'],
      fields: ['A'],
      falsepositives: ['Administrators'],
      scope: ['server'],
    })
    expect(parse?.rule?.logsource).toEqual({
      product: 'windows',
      category: 'process_creation',
      service: 'sysmon',
      definition: 'needs auditing',
      custom: new Map([['extra', 'kept']]),
    })
  })

  it('keeps unknown keys as plain values', () => {
    expect([...(parse?.rule?.custom.keys() ?? [])]).toEqual(['simulation'])
    const [simulation] = [parse?.rule?.custom.get('simulation')].flat()
    expect(Object.entries(simulation ?? {})).toEqual([
      ['type', 'test'],
      ['__proto__', 'harmless'],
    ])
  })

  it.each([
    ['id: not-a-uuid', 'HR305', 'not-a-uuid'],
    ['status: testing', 'HR304', 'testing'],
    ['level: urgent', 'HR304', 'urgent'],
    ['level: High', 'HR304', 'High'],
    ['date: 2026-02-30', 'HR305', '2026-02-30'],
    ['date: 2025-02-29', 'HR305', '2025-02-29'],
    ['date: 31.01.2026', 'HR305', '31.01.2026'],
    ['date: 2026/1/5', 'HR305', '2026/1/5'],
    ['modified: 2026-13-01', 'HR305', '2026-13-01'],
    ['tags:\n  - Attack.T1059', 'HR305', 'Attack.T1059'],
    ['tags:\n  - execution', 'HR305', 'execution'],
    ['tags: attack.t1059', 'HR305', 'attack.t1059'],
    ['tags:\n  - [a]', 'HR303', '[a'],
    ['references: https://example.org', 'HR305', 'https://example.org'],
    ['author:\n  - a', 'HR303', 'a'],
    ['related: x', 'HR303', 'x'],
    ['related:\n  - id: x', 'HR303', 'id: x'],
    ['related:\n  - id: x\n    type: cousin', 'HR304', 'cousin'],
    ['taxonomy: other', 'HR313', 'other'],
  ])('warns of %j and goes on', (lines, code, place) => {
    const found = withLines(lines)
    expect(found.codes).toEqual([code])
    expect(found.places[0]).toContain(place)
    expect(found.rule).toBeDefined()
  })

  it('reads what can be read of a wrong value', () => {
    expect(withLines('date: 2026/1/5').rule?.date).toBe('2026-01-05')
    expect(withLines('date: 2024-02-29').rule?.date).toBe('2024-02-29')
    expect(withLines('date: soon').rule?.date).toBeUndefined()
    expect(withLines('level: High').rule?.level).toBeUndefined()
    expect(withLines('tags: attack.t1059').rule?.tags).toEqual(['attack.t1059'])
    expect(withLines('falsepositives: None').codes).toEqual([])
    expect(withLines('falsepositives:').codes).toEqual([])
    expect(withLines('level:').codes).toEqual([])
  })

  it('warns of a very long title', () => {
    const found = lowerText(`title: ${'t'.repeat(257)}\n${BODY}`)
    expect(found.codes).toEqual(['HR305'])
    expect(found.expr).toBeDefined()
  })
})

describe('required parts', () => {
  it.each([
    [BODY, 'HR301', '"title"'],
    [`title: ''\n${BODY}`, 'HR301', '"title"'],
    [`title: [a]\n${BODY}`, 'HR301', '"title"'],
    ['title: T\ndetection:\n  sel:\n    A: 1\n  condition: sel', 'HR301', '"logsource"'],
    ['title: T\nlogsource:\n  product: windows', 'HR301', '"detection"'],
    ['title: T\nlogsource:\n  product: windows\ndetection:', 'HR301', '"detection"'],
    [`title: T\n${BODY.replace('  condition: sel\n', '')}`, 'HR301', '"condition"'],
    ['title: T\nlogsource: windows\ndetection:\n  sel:\n    A: 1\n  condition: sel', 'HR302', ''],
    ['title: T\nlogsource:\n  product: windows\ndetection: sel', 'HR302', ''],
    [
      'title: T\nlogsource:\n  definition: x\ndetection:\n  a:\n    A: 1\n  condition: a',
      'HR310',
      '',
    ],
    [
      'title: T\nlogsource:\n  product: a/b\ndetection:\n  a:\n    A: 1\n  condition: a',
      'HR311',
      '',
    ],
    [
      'title: T\nlogsource:\n  product: [a]\ndetection:\n  a:\n    A: 1\n  condition: a',
      'HR311',
      '',
    ],
  ])('refuses %j', (text, code, word) => {
    const { rules } = parseSigma(text)
    expect(rules).toHaveLength(1)
    expect(rules[0]?.rule).toBeUndefined()
    const found = rules[0]?.diagnostics.find((each) => each.code === code)
    expect(found?.severity).toBe('error')
    expect(found?.span).toBeDefined()
    expect(found?.message).toContain(word)
  })

  it('reads a log source in capitals, with a warning', () => {
    const { rules } = parseSigma(`title: T\n${BODY.replace('windows', 'Windows')}`)
    expect(codesOf(rules[0])).toEqual(['HR312'])
    expect(rules[0]?.rule?.logsource.product).toBe('windows')
  })

  it('keeps the head of a rule that cannot run', () => {
    const { rules } = parseSigma('title: Broken\nid: x\nlogsource:\n  product: windows')
    expect(rules[0]?.head?.title).toBe('Broken')
    expect(rules[0]?.head?.id).toBe('x')
  })
})

describe('files', () => {
  const rule = (title: string): string => `title: ${title}\n${BODY}`
  const titles = (text: string) => parseSigma(text).rules.map((each) => each.rule?.title)

  it('may hold many documents', () => {
    expect(titles(`${rule('A')}---\n${rule('B')}`)).toEqual(['A', 'B'])
    expect(titles(`---\n${rule('A')}...\n---\n${rule('B')}---\n`)).toEqual(['A', 'B'])
    expect(titles(`${rule('A')}--- # nothing\n`)).toEqual(['A'])
    expect(titles(rule('A').replaceAll('\n', '\r\n'))).toEqual(['A'])
    expect(titles(`\ufeff${rule('A')}`)).toEqual(['A'])
  })

  it('go on after a broken document, with places in the whole file', () => {
    const text = `# first\n---\n${rule('A')}---\n${rule('B')}bad: [\n---\n${rule('C')}extra: [a]\nlevel: odd\n`
    const { rules, diagnostics } = parseSigma(text)
    expect(rules.map((each) => each.rule?.title)).toEqual(['A', undefined, 'C'])
    expect(diagnostics).toEqual([])
    expect(codesOf(rules[1])).toEqual(['HR001'])
    expect(text.slice(0, rules[1]?.diagnostics[0]?.span?.start).split('title:')).toHaveLength(3)
    const [odd] = rules[2]?.diagnostics ?? []
    expect(odd?.code).toBe('HR304')
    expect(text.slice(odd?.span?.start, odd?.span?.end)).toBe('odd')
    expect(text.slice(rules[2]?.span.start).startsWith('title: C')).toBe(true)
  })

  it('go on after a duplicate key and an alias', () => {
    const text = `${rule('A')}title: again\n---\n${rule('B')}x: &x 1\ny: *x\n---\n${rule('C')}`
    const { rules } = parseSigma(text)
    expect(rules.map((each) => each.rule?.title)).toEqual([undefined, undefined, 'C'])
    expect(rules.map(codesOf)).toEqual([['HR003'], ['HR002'], []])
  })

  it('name the document that is no map', () => {
    const { rules } = parseSigma(`${rule('A')}---\njust text\n`)
    expect(rules.map(codesOf)).toEqual([[], ['HR300']])
  })

  it('say when they hold no rule', () => {
    for (const text of ['', '# nothing\n', 'on: push\njobs: {}\n', '- a\n- b\n']) {
      const { rules, diagnostics } = parseSigma(text)
      expect(rules).toEqual([])
      expect(diagnostics.map((each) => each.code)).toEqual(['HR314'])
    }
    const broken = parseSigma('on: [push\n')
    expect(broken.rules).toEqual([])
    expect(broken.diagnostics.map((each) => each.code)).toEqual(['HR001'])
  })

  it('recognise correlations and filters, and refuse them where they lack something', () => {
    const text = `${rule('A')}---\ntitle: C\ncorrelation:\n  type: event_count\n---\ntitle: F\nlogsource:\n  product: windows\nfilter:\n  rules: any\n`
    const { rules } = parseSigma(text)
    expect(rules.map((each) => each.head?.kind)).toEqual(['detection', 'correlation', 'filter'])
    expect(rules.map(codesOf)).toEqual([[], ['HR301', 'HR301'], ['HR320', 'HR301']])
    expect(rules.map((each) => each.rule !== undefined)).toEqual([true, false, false])
  })
})

describe('actions of older files', () => {
  const lowered = (text: string) =>
    parseSigma(text).rules.map((each) => {
      const value = each.rule && lowerSigma(each.rule, { placeholders: new Map() }).value
      return [each.rule?.title, value?.fields.join(' '), each.rule?.level]
    })

  it('lays a global document over those after it', () => {
    const text = `action: global
title: G
level: high
detection:
  condition: sel
---
logsource:
  product: windows
detection:
  sel:
    A: 1
---
logsource:
  product: linux
level: low
detection:
  sel:
    B: 1
`
    expect(lowered(text)).toEqual([
      ['G', 'A', 'high'],
      ['G', 'B', 'high'],
    ])
  })

  it('forgets it at a reset', () => {
    const text = `action: global\nlevel: high\n---\ntitle: A\n${BODY}---\naction: reset\n---\ntitle: B\n${BODY}`
    expect(lowered(text)).toEqual([
      ['A', 'A', 'high'],
      ['B', 'A', undefined],
    ])
  })

  it('repeats the rule before with changes', () => {
    const text = `title: A\n${BODY}---\naction: repeat\ntitle: B\ndetection:\n  sel:\n    C: 2\n---\naction: repeat\nlevel: low\n`
    expect(lowered(text)).toEqual([
      ['A', 'A', undefined],
      ['B', 'A C', undefined],
      ['B', 'A C', 'low'],
    ])
  })

  it('bounds what a large global document makes of small ones', () => {
    const lines = Array.from({ length: 4_000 }, (_, index) => `  s${index}: 1`).join('\n')
    const text = `action: global\n${BODY}${lines}\n${`---\ntitle: A\n`.repeat(100)}`
    const { rules } = parseSigma(text)
    expect(rules).toHaveLength(100)
    expect(rules.at(-1)?.rule).toBeUndefined()
    expect(codesOf(rules.at(-1))).toEqual(['HR004'])
  })

  it('refuses other actions, and repeats of nothing', () => {
    const { rules } = parseSigma(
      `action: repeat\ntitle: A\n${BODY}---\naction: again\ntitle: B\n${BODY}---\ntitle: C\n${BODY}`,
    )
    expect(rules.map(codesOf)).toEqual([['HR309'], ['HR308'], []])
  })
})

describe('hostile files', () => {
  it('never throw', () => {
    const line = fc.constantFrom(
      'title: T',
      'logsource:',
      '  product: windows',
      'detection:',
      '  sel:',
      '    A: 1',
      "    '|all':",
      '    - a',
      '    B|re: (',
      '    C|cidr|contains: 1',
      '    D|expand: "%x%"',
      '  condition: sel',
      '  condition: 1 of them | count() > 1',
      '---',
      '...',
      'action: global',
      'action: repeat',
      'correlation:',
      'filter: {}',
      '__proto__: 1',
      'tags: [a, {b: c}]',
      'related: [[1], {id: 1, type: x}]',
      'date: 9999-99-99',
      '\t',
      '&a [*a]',
      '"\\ud800": x',
      '%YAML 1.2',
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 24 }), (lines) => {
        const { rules, diagnostics } = parseSigma(lines.join('\n'))
        expect(rules.length > 0 || diagnostics.length > 0).toBe(true)
        for (const { rule } of rules) {
          if (rule === undefined) continue
          const lowered = lowerSigma(rule, { placeholders: new Map() })
          expect(lowered.value === undefined).toBe(
            lowered.diagnostics.some((each) => each.severity === 'error'),
          )
        }
      }),
      { numRuns: 1_500 },
    )
  })

  it('are bounded in size', () => {
    expect(parseSigma(`title: ${'x'.repeat(2_000_000)}`).diagnostics[0]?.code).toBe('HR004')
  })
})

describe('pages of a catalogue', () => {
  const body = [
    'title: Odd tool',
    'logsource: { category: process_creation, product: windows }',
    'detection:',
    '  selection:',
    "    Image|endswith: '\\odd.exe' # as it is installed",
    '  condition: selection',
  ]
  const page = [
    'Detection rules › Sigma',
    '',
    'Odd tool',
    'Log source',
    'product windows, category process_creation',
    'Rule body yaml',
    '',
    ...body,
    '',
    'Stages and Predicates',
    'selection:',
    '  Image: other',
  ].join('\n')

  it('give the rule that stands on them, in its place', () => {
    const { rules, diagnostics } = parseSigma(page)
    expect(diagnostics).toEqual([])
    expect(rules.map(({ rule }) => rule?.title)).toEqual(['Odd tool'])
    const [part] = rules[0]?.rule?.detection.conditions ?? []
    expect(page.slice(part?.span.start, part?.span.end)).toBe('selection')
    expect(page.slice(0, part?.span.start)).toMatch(/condition: $/)
  })

  it('tell what is wrong with it at its own line', () => {
    const broken = page.replace('condition: selection', 'condition: [')
    const [first] = parseSigma(broken).rules
    expect(first?.rule).toBeUndefined()
    const at = first?.diagnostics[0]?.span?.start ?? 0
    expect(at).toBeGreaterThan(page.indexOf('Rule body'))
    expect(at).toBeLessThan(page.indexOf('Stages and'))
  })
})
