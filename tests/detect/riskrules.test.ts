/** The starter rules over risk: what they find in stored risk, from which threshold on, and what they leave. */
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Finding } from '../../src/detect/finding.ts'
import { runRules } from '../../src/detect/run.ts'
import { loadRules } from '../../src/rules/load.ts'
import type { Rule } from '../../src/rules/rule.ts'
import { sampleFinding } from '../support/findings.ts'
import { keepingDesk, keptRule, windowRun } from '../support/keeping.ts'

const RULES = fileURLToPath(new URL('../../content/rules/spl', import.meta.url))
const desk = keepingDesk()

let number = 0
/** Keeps a finding of a rule with risk for one object. */
async function keep(
  value: string,
  rule: Partial<Rule>,
  score: number,
  time: string,
  tags: string[],
) {
  const id = (++number).toString(16).padStart(32, '0')
  const risk = [{ field: 'dest', value, type: 'system', score, message: 'm' }]
  const made = keptRule({ title: `Rule ${rule.id}`, ...rule, tags })
  const found = sampleFinding({ id, time, risk, tags, rule_title: made.title })
  await desk.keeper().keep([windowRun(made, [found])])
}

/** What the rules find as of a time, as `title: object`. */
async function found(at: string): Promise<readonly Finding[]> {
  const loaded = await loadRules([RULES], { placeholders: new Map(), schema: () => desk.schema })
  const rules = loaded.rules.flatMap(({ rule }) =>
    rule?.spl?.type === 'Correlation' ? [rule] : [],
  )
  const findings: Finding[] = []
  await runRules({
    rules,
    schema: desk.schema,
    store: desk.store(),
    time: {},
    at,
    onFinding: (each) => {
      findings.push(each)
    },
  })
  return findings
}

const named = (all: readonly Finding[], title: RegExp): readonly unknown[] =>
  all
    .filter((each) => title.test(each.rule_title))
    .map((each) => each.event.normalized_risk_object)
    .toSorted()

describe('rules over risk', () => {
  const day = (hour: string): string => `2026-01-02T${hour}:00:00.0000000Z`

  it('find an object from the threshold on, within a day', async () => {
    await keep('AT', { id: 'a' }, 60, day('01'), [])
    await keep('at', { id: 'b' }, 40, day('05'), [])
    await keep('BELOW', { id: 'a' }, 60, day('01'), [])
    await keep('BELOW', { id: 'b' }, 39, day('05'), [])
    await keep('APART', { id: 'a' }, 60, '2026-01-01T05:00:00.0000000Z', [])
    await keep('APART', { id: 'b' }, 60, day('05'), [])
    const all = await found(day('06'))
    expect(named(all, /24 Hours/)).toEqual(['at'])
    expect(all[0]).toMatchObject({
      title: 'Risk of system at is 100 in 24 hours',
      description: '2 risk events of 2 rules in 24 hours add up to 100.',
      event: { severity: 'critical', risk_score: '100', source_count: '2' },
    })
    expect(named(await found('2026-01-03T06:00:00.0000000Z'), /24 Hours/)).toEqual([])
  })

  it('find several tactics of several rules in a week', async () => {
    const tactics = ['attack.execution', 'attack.persistence', 'attack.discovery', 'attack.impact']
    for (const [at, tactic] of tactics.entries()) {
      await keep('WIDE', { id: `w${at}` }, 5, `2026-01-0${at + 3}T01:00:00.0000000Z`, [tactic])
      await keep('ONE-RULE', { id: 'same' }, 5, `2026-01-0${at + 3}T01:00:00.0000000Z`, [tactic])
    }
    for (const at of [0, 1, 2, 3]) {
      await keep('NARROW', { id: `n${at}` }, 5, day('02'), ['attack.execution'])
    }
    const all = await found('2026-01-08T00:00:00.0000000Z')
    expect(named(all, /7 Days/)).toEqual(['wide'])
    expect(all.find((each) => /7 Days/.test(each.rule_title))).toMatchObject({
      title: '4 tactics against system wide in 7 days',
    })
  })
})
