/** Throttling, suppression and the flood cap: what is told, what is counted, and that any order of runs ends in the same. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Section } from '../../src/core/section.ts'
import { readYaml } from '../../src/core/yaml.ts'
import type { Finding } from '../../src/detect/finding.ts'
import { periodTicks, toldOf } from '../../src/detect/keeping/chain.ts'
import { storedTexts } from '../../src/detect/keeping/events.ts'
import { suppressedFindings, withdrawnIds } from '../../src/detect/keeping/suppressed.ts'
import { readSuppressions, throttlingOf } from '../../src/detect/keeping/suppression.ts'
import type { Rule } from '../../src/rules/rule.ts'
import { FINDINGS } from '../../src/schema/own.ts'
import { sampleFinding } from '../support/findings.ts'
import { keepingDesk, keptRule, windowRun } from '../support/keeping.ts'

const desk = keepingDesk()
const START = Date.UTC(2026, 0, 2)
const MINUTE = 60_000
const isoOf = (minute: number): string =>
  new Date(START + minute * MINUTE).toISOString().replace('Z', '0000Z')

let rules = 0
/** A rule that has its findings to itself. */
function throttled(seconds: number, fields: readonly string[] = ['host'], change = {}): Rule {
  const id = `throttled-${++rules}`
  return keptRule({
    id,
    title: id,
    tuning: { file: 'o.yml', suppress: { fields, seconds } },
    ...change,
  })
}

const idOf = (rule: Rule, minute: number, host: string): string => `${rule.id} ${minute} ${host}`
const found = (rule: Rule, minute: number, host = 'a', change: Partial<Finding> = {}): Finding =>
  sampleFinding({
    id: idOf(rule, minute, host),
    rule_id: rule.id,
    rule_title: rule.title,
    time: isoOf(minute),
    host,
    event: { n: String(minute) },
    ...change,
  })

/** The window of ten minutes that a minute lies in. */
const windowOf = (minute: number) => {
  const from = Math.floor(minute / 10) * 10
  return { at: isoOf(from + 10), time: { from: isoOf(from), to: isoOf(from + 10) } }
}
const runOf = (rule: Rule, findings: readonly Finding[], minute: number) =>
  windowRun(rule, findings, { window: windowOf(minute) })

/** Ids of what is kept and was not withdrawn. */
async function toldIds(ids: readonly string[]): Promise<readonly string[]> {
  const kept = await storedTexts(desk.store(), FINDINGS, ids)
  const withdrawn = await withdrawnIds(desk.store().records)
  return [...kept.keys()].filter((id) => !withdrawn.has(id)).sort()
}

describe('a chain', () => {
  it('tells the first, and the first a period after', () => {
    const links = [0, 5, 9, 10, 19, 20].map((at) => ({ at: BigInt(at), id: String(at) }))
    expect([...toldOf(links, 10n)].map(({ id }) => id)).toEqual(['0', '10', '20'])
    expect([...toldOf(links, 10n, { last: -1n })].map(({ id }) => id)).toEqual(['9', '19'])
    expect(periodTicks(1.5)).toBe(15_000_000n)
  })
})

describe('throttling', () => {
  it('is that of the user, of the search, or of the analytics rule', () => {
    const suppress = { fields: ['a'], seconds: 60 }
    expect(throttlingOf(keptRule({ tuning: { file: 'o', suppress } }))).toEqual({
      ...suppress,
      isByRun: false,
    })
    expect(throttlingOf(keptRule())).toBeUndefined()
  })

  it('tells equal findings once in a period, counts the others, and remembers over restarts', async () => {
    const rule = throttled(3_600)
    const first = [found(rule, 1), found(rule, 2), found(rule, 3, 'b')]
    const again = { kept: 0, known: 2, suppressed: 1 }
    expect(await desk.keeper().keep([runOf(rule, first, 1)])).toEqual([
      { kept: 2, known: 0, suppressed: 1 },
    ])
    // Another keeper knows no more than what is stored.
    expect(await desk.keeper().keep([runOf(rule, first, 1)])).toEqual([again])
    expect(await desk.keeper().keep([runOf(rule, [found(rule, 12)], 12)])).toEqual([
      { kept: 0, known: 0, suppressed: 1 },
    ])
    expect(await desk.keeper().keep([runOf(rule, [found(rule, 61)], 61)])).toEqual([
      { kept: 1, known: 0, suppressed: 0 },
    ])
    const groups = await suppressedFindings(desk.store().records, { rule: rule.id })
    expect(groups).toEqual([
      {
        rule: rule.id,
        title: rule.title,
        fields: ['host'],
        values: ['a'],
        reason: '',
        count: 2,
        withdrawn: 0,
        first: isoOf(2),
        last: isoOf(12),
        instead: idOf(rule, 1, 'a'),
      },
    ])
  })

  it('takes back what an earlier finding comes before, and tells what then is due', async () => {
    const rule = throttled(600)
    const all = [found(rule, 5), found(rule, 14), found(rule, 24)]
    for (const each of all) await desk.keeper().keep([runOf(rule, [each], Number(each.event.n))])
    const ids = [...all, found(rule, 4)].map(({ id }) => id)
    expect(await toldIds(ids)).toEqual([idOf(rule, 24, 'a'), idOf(rule, 5, 'a')].sort())
    await desk.keeper().keep([runOf(rule, [found(rule, 4), found(rule, 5)], 4)])
    // 5 had been told, and lies within a period of 4; 14 and 24 lie a period apart.
    expect(await toldIds(ids)).toEqual([4, 14, 24].map((at) => idOf(rule, at, 'a')).sort())
  })

  it('comes to the same in whatever order windows are run, and however often', async () => {
    const minutes = fc.uniqueArray(fc.integer({ min: 0, max: 99 }), { minLength: 1, maxLength: 14 })
    const order = fc.array(fc.nat({ max: 9 }), { minLength: 0, maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(
        minutes,
        order,
        fc.integer({ min: 5, max: 40 }),
        async (at, some, period) => {
          const rule = throttled(period * 60)
          const findings = at.map((each) => found(rule, each, each % 3 === 0 ? 'b' : 'a'))
          const windows = [
            ...some,
            ...Array.from({ length: 10 }, (_, each) => (each * 7 + period) % 10),
          ]
          for (const window of windows) {
            const own = findings.filter(({ event }) => Math.floor(Number(event.n) / 10) === window)
            if (own.length > 0) await desk.keeper().keep([runOf(rule, own, window * 10)])
          }
          const wanted = ['a', 'b'].flatMap((host) => {
            const links = findings
              .filter((each) => each.host === host)
              .map(({ id, event }) => ({ id, at: BigInt(String(event.n)) }))
            return [...toldOf(links, BigInt(period))].map(({ id }) => id)
          })
          expect(await toldIds(findings.map(({ id }) => id))).toEqual(wanted.sort())
        },
      ),
      { numRuns: 15 },
    )
  }, 240_000)

  it('silences an analytics rule from run to run, and tells all of the run that fired', async () => {
    const kusto = { suppression: { enabled: true, duration: 3_600_000 } } as unknown as NonNullable<
      Rule['kusto']
    >
    const rule = keptRule({ id: 'sentinel', title: 'sentinel', kusto })
    const first = [found(rule, 1), found(rule, 2, 'b')]
    expect(await desk.keeper().keep([runOf(rule, first, 1)])).toMatchObject([{ kept: 2 }])
    expect(await desk.keeper().keep([runOf(rule, [found(rule, 15, 'c')], 15)])).toMatchObject([
      { kept: 0, suppressed: 1 },
    ])
    expect(await desk.keeper().keep([runOf(rule, [found(rule, 65)], 65)])).toMatchObject([
      { kept: 1 },
    ])
  })
})

describe('suppression', () => {
  const read = (yaml: string) => {
    const wrong: string[] = []
    const [first] = readYaml(yaml).documents
    const root = new Section(first, '', (each) => wrong.push(each.message))
    return { suppressions: readSuppressions(root), wrong }
  }

  it('holds back what fits in its time, and counts it by its name', async () => {
    const { suppressions, wrong } = read(`suppress:
  - name: scanner
    rule: supp*
    where: {host: [scan*, probe]}
    from: 2026-01-02
    to: 2026-01-02T00:30:00Z
    reason: weekly scan
`)
    expect(wrong).toEqual([])
    const rule = keptRule({ id: 'suppressed', title: 'suppressed' })
    const findings = [
      found(rule, 1, 'scan01'),
      found(rule, 2, 'PROBE'),
      found(rule, 3, 'ws01'),
      found(rule, 31, 'scan01'),
    ]
    const report = await desk.keeper({ suppressions }).keep([runOf(rule, findings, 1)])
    expect(report).toEqual([{ kept: 2, known: 0, suppressed: 2 }])
    expect(await suppressedFindings(desk.store().records, { rule: 'suppressed' })).toMatchObject([
      { reason: 'scanner', count: 2, first: isoOf(1), last: isoOf(2) },
    ])
    // Without it they are told.
    expect(await desk.keeper().keep([runOf(rule, findings, 1)])).toEqual([
      { kept: 2, known: 2, suppressed: 0 },
    ])
  })

  it('that is wrong is told', () => {
    expect(read('suppress:\n  - {from: soon}\n').wrong).toHaveLength(3)
  })
})

describe('a flood', () => {
  it('keeps the most severe and tells the number of the others once', async () => {
    const rule = keptRule({ id: 'flood', title: 'flood', tuning: { file: 'o', mostFindings: 3 } })
    const findings = Array.from({ length: 10 }, (_, at) =>
      found(rule, at % 10, `h${at}`, { level: at === 7 ? 'critical' : 'low' }),
    )
    const run = windowRun(rule, findings, { window: windowOf(1), more: 5 })
    expect(await desk.keeper().keep([run])).toEqual([{ kept: 4, known: 0, suppressed: 0 }])
    expect(await desk.keeper().keep([run])).toEqual([{ kept: 0, known: 3, suppressed: 0 }])
    const rows = await desk.spl(
      'index=notable rule_id=flood | table rule_title severity more_hits orig_host',
    )
    expect(rows).toHaveLength(4)
    expect(rows.filter(({ more_hits }) => more_hits !== undefined)).toMatchObject([
      { rule_title: '12 more findings of flood', more_hits: '12' },
    ])
    expect(rows.some(({ severity }) => severity === 'critical')).toBe(true)
  })
})
