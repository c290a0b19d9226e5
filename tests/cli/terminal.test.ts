/** Every output form against texts that steer a terminal, in every place where a text can come from outside. */
import { describe, expect, it } from 'vitest'
import { printCheck, printCheckJson } from '../../src/cli/check.ts'
import { eventTable, groupedTable } from '../../src/cli/findings.ts'
import { intakeText } from '../../src/cli/intake.ts'
import { makeProgress } from '../../src/cli/progress.ts'
import { csvTable, type FindingWriter, jsonDocument, jsonLines } from '../../src/cli/stream.ts'
import { runSummary } from '../../src/cli/summary.ts'
import type { Writer } from '../../src/cli/terminal.ts'
import { widthOf } from '../../src/cli/text.ts'
import { diagnose } from '../../src/core/diagnostic.ts'
import type { RunReport } from '../../src/detect/report.ts'
import {
  sampleFile,
  sampleFinding,
  sampleIntake,
  sampleOutcome,
  sampleRule,
  sampleRun,
} from '../support/findings.ts'
import { fakeOutput } from '../support/output.ts'
import { HAZARD, terminalPayloads } from '../support/payloads.ts'

function hostileFinding(text: string) {
  return sampleFinding({
    time: text,
    rule_id: text,
    rule_title: text,
    host: text,
    tags: [text],
    source: text,
    file: text,
    id: text,
    event: { [text]: text, CommandLine: text, list: [text, text] },
  })
}

function hostileRun(text: string): RunReport {
  const rule = sampleRule({ id: text, title: text, file: text, logsource: text })
  const diagnostics = [diagnose('HR254', { name: text })]
  return sampleRun([
    sampleOutcome({ rule }),
    sampleOutcome({ rule, state: 'no_data', findings: 0 }),
    sampleOutcome({ rule, state: 'cannot_fire', findings: 0, diagnostics }),
    sampleOutcome({ rule, state: 'failed', findings: 0, diagnostics }),
  ])
}

const hostileIntake = (text: string) =>
  sampleIntake([
    sampleFile({ file: text, format: text, error: text }),
    sampleFile({
      file: text,
      rejected: 1,
      damages: 1,
      damage: [{ code: text, reason: text, place: text }],
    }),
  ])

const hostileRules = (text: string) => [
  {
    file: text,
    id: text,
    title: text,
    language: 'sigma' as const,
    text,
    diagnostics: [{ ...diagnose('HR254', { name: text }), place: { line: 1, column: 1 } }],
  },
]

const forms: readonly (readonly [string, (writer: Writer) => FindingWriter])[] = [
  ['the grouped table', (writer) => groupedTable(writer, () => ['CommandLine'])],
  ['the event table', (writer) => eventTable(writer)],
  ['JSON lines', jsonLines],
  ['the JSON document', jsonDocument],
  ['CSV', (writer) => csvTable(writer, false)],
  ['raw CSV on a terminal', (writer) => csvTable(writer, true)],
]

describe.each(terminalPayloads.map((payload, index) => [index, payload] as const))(
  'payload %i',
  (_index, payload) => {
    it.each(forms)('stays inert in %s', async (name, make) => {
      for (const columns of [undefined, 80]) {
        if (columns === undefined && name.startsWith('raw')) continue
        const output = fakeOutput(columns === undefined ? {} : { columns })
        const writer = make(output.out)
        await writer.write(hostileFinding(payload))
        await writer.end(hostileRun(payload))
        const text = output.outText()
        expect(text).not.toMatch(HAZARD)
        expect(text).not.toBe('')
        if (columns !== undefined && name.endsWith('table')) {
          for (const line of text.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(columns)
        }
      }
    })

    it('adds no line and no colour of its own', async () => {
      const output = fakeOutput({ columns: 100, color: true })
      const benign = fakeOutput({ columns: 100, color: true })
      for (const [where, text] of [
        [output, payload],
        [benign, 'benign'],
      ] as const) {
        const writer = groupedTable(where.out)
        await writer.write({ ...hostileFinding(text), time: '2024-01-05T10:11:12.0000000Z' })
        await writer.end(hostileRun(text))
      }
      const lines = (text: string): number => text.split('\n').length
      const colors = (text: string): readonly string[] => text.match(/\x1b\[[\d;]*m/g) ?? []
      expect(lines(output.outText())).toBe(lines(benign.outText()))
      expect(colors(output.outText())).toEqual(colors(benign.outText()))
      expect(output.outText().replace(/\x1b\[[\d;]*m/g, '')).not.toMatch(HAZARD)
    })

    it('stays inert in the summary, the intake report, the rule check and progress', async () => {
      const output = fakeOutput({ columns: 100 })
      output.err.write(runSummary(output.err, hostileRun(payload)))
      output.err.write(intakeText(output.err, hostileIntake(payload)))
      await printCheck(output, hostileRules(payload), true)
      await printCheckJson(output, hostileRules(payload))
      const json = fakeOutput()
      const progress = makeProgress(json, 'json', () => 0)
      progress.scans(1, 2, 3)
      progress.end()
      for (const text of [output.outText(), output.errText(), json.errText()]) {
        expect(text).not.toMatch(HAZARD)
      }
    })
  },
)
