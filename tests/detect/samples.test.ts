/** The starter rules over the sample logs: exactly the records that samples/expected.json names, no more, no fewer. */
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
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
}

const expected = JSON.parse(readFileSync(join(SAMPLES, 'expected.json'), 'utf8')) as Expected
const text = ({ file, record }: Place): string => `${file} ${record}`

describe('the starter rules over the samples', () => {
  const found = new Map<string, string[]>()

  it('read every sample and run every rule', async () => {
    const totals = await findingsOf([join(ROOT, 'content/rules')], [SAMPLES], (finding) => {
      const places = found.get(finding.rule_id) ?? []
      places.push(text({ file: relative(SAMPLES, finding.file), record: finding.record }))
      found.set(finding.rule_id, places)
    })
    expect(totals.failed).toBe(0)
    expect(totals.rules).toBe(expected.rules.length)
    expect(totals.events).toBeGreaterThan(1_000)
  })

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
