import { describe, expect, it } from 'vitest'
import { checkTotals, printCheck, printCheckJson } from '../../src/cli/check.ts'
import { equation, intakeHints, intakeText } from '../../src/cli/intake.ts'
import { diagnose } from '../../src/core/diagnostic.ts'
import type { LoadedRule } from '../../src/rules/rule.ts'
import { sampleFile, sampleIntake, sampleRule } from '../support/findings.ts'
import { fakeOutput } from '../support/output.ts'

describe('the intake report', () => {
  const troubled = sampleFile({
    file: 'logs/b\x1b]0;x\x07.evtx',
    received: 12,
    stored: 8,
    repeated: 1,
    rejected: 3,
    damages: 5,
    damage: [{ code: 'HR103', reason: 'the record header is damaged', place: 'chunk 3' }],
  })

  it('lists a few files and adds up', () => {
    const text = intakeText(fakeOutput().err, sampleIntake([sampleFile(), troubled]))
    expect(text).toContain('logs/a.evtx')
    expect(text).toContain('received 22 = stored 18 + already stored 1 + rejected 3')
    expect(text).toContain('damaged logs/b\\x1b]0;x\\x07.evtx at chunk 3: HR103')
    expect(text).toContain('and 4 more in this file')
    expect(text).toContain('22 events from 2 files, 2.00 kB in 2.0 s; 5 damaged parts\n')
    expect(text).not.toMatch(/[\x07\x1b]/)
  })

  it('gives a rate only when there was something to measure', () => {
    const large = sampleIntake([sampleFile({ received: 400_000, stored: 400_000 })])
    expect(intakeText(fakeOutput().err, large)).toContain('in 2.0 s (200,000 events/s)')
  })

  it('lists only trouble when there are many files', () => {
    const many = Array.from({ length: 40 }, (_, index) => sampleFile({ file: `fine-${index}` }))
    const text = intakeText(fakeOutput().err, sampleIntake([...many, troubled]))
    expect(text).not.toContain('fine-')
    expect(text).toContain('logs/b')
  })

  it('says why a file was not read', () => {
    const report = sampleIntake([
      sampleFile({ received: 0, stored: 0, error: 'permission denied' }),
    ])
    const text = intakeText(fakeOutput().err, report)
    expect(text).toContain('not read logs/a.evtx: permission denied')
    expect(text).toContain('hint: 1 path could not be read')
  })

  it('hints at what happened', () => {
    expect(intakeHints(sampleIntake([sampleFile()]))).toEqual([])
    expect(intakeHints(sampleIntake([]))).toEqual(['no file was found under the given paths'])
    const again = sampleIntake([sampleFile({ stored: 0, repeated: 10 })])
    expect(intakeHints(again)[0]).toContain('nothing was doubled')
    expect(equation(again)).toBe('received 10 = stored 0 + already stored 10 + rejected 0')
    expect(intakeHints({ ...sampleIntake([sampleFile()]), interrupted: true })[0]).toContain(
      'again',
    )
  })
})

function loaded(change: Partial<LoadedRule>): LoadedRule {
  return {
    file: 'rules/a.yml',
    id: 'rule-1',
    title: 'A rule',
    language: 'sigma',
    diagnostics: [],
    text: '',
    ...change,
  }
}

const runnable = {
  ...sampleRule(),
  rel: { op: 'values', rows: [], out: [] } as const,
  stages: [],
  fields: [],
}

const rules: readonly LoadedRule[] = [
  loaded({
    rule: runnable,
    diagnostics: [
      { ...diagnose('HR260', { name: 'image', found: 'Image' }), place: { line: 9, column: 3 } },
    ],
  }),
  loaded({
    file: 'rules/b\x1b[2J.yml',
    id: 'b',
    diagnostics: [
      diagnose('HR260', { name: 'x', found: 'X' }),
      { ...diagnose('HR250', { name: 'nope' }), place: { line: 12, column: 5 } },
    ],
  }),
  loaded({ file: 'rules/c.yml', id: 'c', diagnostics: [diagnose('HR250', { name: 'other' })] }),
  loaded({ file: 'rules/d.yml', id: 'd' }),
]

describe('the rule check', () => {
  it('counts by language and by code', () => {
    expect(checkTotals(rules)).toEqual({
      rules: 4,
      runnable: 1,
      refused: 3,
      byLanguage: { sigma: { runnable: 1, refused: 3 } },
      byCode: { HR250: 2, none: 1 },
    })
  })

  it('lists the refused with place, code and reason, and totals apart', async () => {
    const output = fakeOutput()
    await printCheck(output, rules)
    const lines = output.outText().trimEnd().split('\n')
    expect(lines).toEqual([
      'rules/b\\x1b[2J.yml:12:5: error HR250: no function nope',
      'rules/c.yml: error HR250: no function other',
      'rules/d.yml: error: no reason given',
    ])
    expect(output.errText()).toContain('4 rules: 1 can run, 3 refused')
    expect(output.errText()).toContain('HR250: 2 rules')
  })

  it('adds warnings when asked, and is silent when quiet', async () => {
    const output = fakeOutput({ quiet: true })
    await printCheck(output, rules.slice(0, 1), true)
    expect(output.outText()).toBe(
      'rules/a.yml:9:3: notice HR260: field "image" is read as "Image", which differs in case only\n',
    )
    expect(output.errText()).toBe('')
  })

  it('prints one JSON document', async () => {
    const output = fakeOutput()
    await printCheckJson(output, rules)
    const parsed = JSON.parse(output.outText())
    expect(parsed.rules[0]).toEqual({
      file: 'rules/a.yml',
      id: 'rule-1',
      title: 'A rule',
      language: 'sigma',
      runnable: true,
      diagnostics: [
        {
          code: 'HR260',
          severity: 'notice',
          message: 'field "image" is read as "Image", which differs in case only',
          place: { line: 9, column: 3 },
        },
      ],
    })
    expect(parsed.rules[1]).toMatchObject({
      runnable: false,
      code: 'HR250',
      reason: 'no function nope',
      place: { line: 12, column: 5 },
      diagnostics: [{ code: 'HR260' }],
    })
    expect(parsed.rules[3]).toMatchObject({ code: 'none', reason: 'no reason given' })
    expect(parsed.totals).toEqual(checkTotals(rules))
  })

  it('prints a valid document without rules', async () => {
    const output = fakeOutput()
    await printCheckJson(output, [])
    expect(JSON.parse(output.outText()).totals.rules).toBe(0)
  })
})
