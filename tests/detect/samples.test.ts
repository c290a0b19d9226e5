/** The starter rules over the sample logs: exactly the records that samples/expected.json names, no more, no fewer. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { EventFields } from '../../src/detect/finding.ts'
import { findingsOf } from '../../tools/product.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const SAMPLES = join(ROOT, 'samples')

interface Place {
  readonly file: string
  readonly record: number
}

interface Expected {
  readonly rules: readonly {
    readonly id: string
    readonly fires: readonly Place[]
    readonly quiet: readonly (Place & { readonly why: string })[]
  }[]
  readonly kusto: readonly Rows[]
  readonly spl: readonly Rows[]
}

/** What a rule finds whose findings are rows of a result. */
interface Rows {
  readonly id: string
  readonly rule: string
  readonly column: string
  readonly finds: readonly string[]
  readonly leaves: readonly { readonly value: string; readonly why: string }[]
}

const expected = JSON.parse(readFileSync(join(SAMPLES, 'expected.json'), 'utf8')) as Expected
const text = ({ file, record }: Place): string => `${file} ${record}`

describe('the starter rules over the samples', () => {
  const found = new Map<string, string[]>()
  /** Rows of the findings of rules in Kusto and SPL, by rule. */
  const rows = new Map<string, EventFields[]>()

  it('read every sample and run every rule', async () => {
    const totals = await findingsOf([join(ROOT, 'content/rules')], [SAMPLES], (finding) => {
      const { event, results = [event] } = finding
      if (finding.language !== 'sigma') {
        rows.set(finding.rule_id, [...(rows.get(finding.rule_id) ?? []), ...results])
      }
      const places = found.get(finding.rule_id) ?? []
      places.push(text({ file: relative(SAMPLES, finding.file), record: finding.record }))
      found.set(finding.rule_id, places)
    })
    expect(totals.failed).toBe(0)
    // Rules over risk find nothing in logs: tests/detect/riskrules.test.ts has what they find.
    const overRisk = readdirSync(join(ROOT, 'content/rules/spl/risk')).length
    const { rules, kusto, spl } = expected
    expect(totals.rules).toBe(rules.length + kusto.length + spl.length + overRisk)
    expect(totals.events).toBeGreaterThan(1_000)
  })

  const inSamples = readdirSync(SAMPLES, { recursive: true })
    .map(String)
    .filter((name) => /[/\\].*\.(?:jsonl?|csv|evtx|xml|log)$/.test(name))
    .map((name) => readFileSync(join(SAMPLES, name)))
  for (const { id, rule, column, finds, leaves } of [...expected.kusto, ...expected.spl]) {
    it(`${rule} finds what it must and leaves the rest`, () => {
      const values = new Set((rows.get(id) ?? []).map((each) => String(each[column] ?? '')))
      expect([...values].toSorted()).toEqual(finds.toSorted())
      expect(leaves.length).toBeGreaterThan(0)
      for (const { value } of leaves) {
        expect(values.has(value), value).toBe(false)
        // A near miss that is in no log proves nothing.
        const forms = [Buffer.from(value), Buffer.from(value, 'utf16le')]
        expect(inSamples.some((bytes) => forms.some((form) => bytes.includes(form)))).toBe(true)
      }
    })
  }

  for (const { id, fires, quiet } of expected.rules) {
    it(`${id} fires on its true cases and on nothing else`, () => {
      expect(fires.length).toBeGreaterThan(0)
      expect((found.get(id) ?? []).toSorted()).toEqual(fires.map(text).toSorted())
    })

    it(`${id} stays quiet on its near misses`, () => {
      expect(quiet.length).toBeGreaterThan(0)
      const hits = new Set(found.get(id))
      expect(quiet.map(text).filter((each) => hits.has(each))).toEqual([])
    })
  }
})
