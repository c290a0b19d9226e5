/**
 * Tests of the filters of overlays: an event that a filter hides must be found without the filter and not with it; one
 * that it keeps must be found with it. Takes loaded rules, gives the cases that can be run and those that cannot.
 */
import { dirname } from 'node:path'
import type { Diagnostic } from '../../core/diagnostic.ts'
import type { FilterTest, Rule } from '../../rules/rule.ts'
import type { SchemaCatalogue } from '../../schema/catalogue.ts'
import { FIRES, type Step, type TestCase, type Unrunnable } from './cases.ts'
import { partOf } from './neighbours.ts'

const NOTHING: Step['expected'] = { ...FIRES, fires: { least: 0, most: 0 } }

function caseOf(
  rule: Rule,
  unfiltered: Rule,
  test: FilterTest,
  schema: SchemaCatalogue,
): TestCase | Unrunnable {
  const { name, file, line, keeps } = test
  const base = { convention: 'overlay' as const, name, file, line, rule }
  const problems: Diagnostic[] = []
  const part = partOf(test, dirname(file), schema, (each) => problems.push(each))
  if (part === undefined) {
    const reasons = problems.map(({ message }) => message)
    return { ...base, state: 'broken', reasons, diagnostics: problems }
  }
  const steps: readonly Step[] = [
    { said: 'without the filter', rule: unfiltered, writes: false, expected: FIRES },
    { said: 'with the filter', writes: false, expected: keeps ? FIRES : NOTHING },
  ]
  return { ...base, logs: [part], steps }
}

/** The tests of the filters of rules. */
export function filterTests(
  rules: readonly Rule[],
  schema: SchemaCatalogue,
): readonly (TestCase | Unrunnable)[] {
  return rules.flatMap((rule) => {
    const { tests = [], unfiltered } = rule.tuning ?? {}
    return unfiltered === undefined
      ? []
      : tests.map((each) => caseOf(rule, unfiltered, each, schema))
  })
}
