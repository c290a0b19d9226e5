/**
 * Tests of Splunk's published content: each names raw logs of the public collection of attack data, with the source and
 * the sourcetype to index them as. The logs are looked for in a folder that is laid out as that collection.
 */
import { tokensOf } from '../../dialects/spl/detection.ts'
import type { DetectionTest } from '../../dialects/spl/rule.ts'
import type { LoadedRule, Rule } from '../../rules/rule.ts'
import type { SchemaCatalogue } from '../../schema/catalogue.ts'
import type { EventFields, Finding } from '../finding.ts'
import { type RowValues, unitVerdict } from '../verdict.ts'
import { FIRES, type TestCase, type Unrunnable } from './cases.ts'
import { type Located, locate } from './datafiles.ts'
import { sourceOfSourcetype } from './sourcetype.ts'
import type { LogPart } from './trial.ts'

/** The folder of the collection that all data lies in. */
const DATASETS = 'datasets/'

/** Where data lies in the collection: `datasets/...`; as it is written where it is no address. */
export function placeOfData(address: string): string {
  const text = address.trim()
  if (!/^[a-z][a-z0-9+.-]*:/i.test(text)) return text.replace(/^\.\//, '')
  const at = text.indexOf(`/${DATASETS}`)
  return at < 0 ? '' : text.slice(at + 1).replace(/[?#].*$/s, '')
}

/** Finds data by its address. */
export type DataFinder = (address: string) => Located

/** Finds data in a folder that is laid out as the collection. */
export function dataBelow(folder: string): DataFinder {
  return (address) => locate(folder, placeOfData(address))
}

/** Looks in one place after the other. */
export function firstOf(finders: readonly DataFinder[]): DataFinder {
  return (address) => {
    let last: Located = { reason: 'no folder of attack data is named', isAbsent: true }
    for (const find of finders) {
      last = find(address)
      if ('path' in last || !last.isAbsent) return last
    }
    return last
  }
}

function testOf(
  loaded: LoadedRule,
  rule: Rule,
  test: DetectionTest,
  { find, schema }: { readonly find: DataFinder; readonly schema: SchemaCatalogue },
): TestCase | Unrunnable {
  const base = {
    convention: 'escu' as const,
    name: test.name === '' ? 'test' : test.name,
    file: loaded.file,
    rule,
  }
  const not = (state: Unrunnable['state'], ...reasons: readonly string[]): Unrunnable => ({
    ...base,
    state,
    reasons,
    diagnostics: [],
  })
  if (/^manual/i.test(test.type)) return not('skipped', 'its publisher runs it by hand')
  if (test.data.length === 0) return not('skipped', 'it names no data')
  const logs: LogPart[] = []
  for (const { data, sourcetype } of test.data) {
    const found = find(data)
    if (!('path' in found)) {
      const reason = `${placeOfData(data) || data}: ${found.reason}`
      return not(found.isAbsent ? 'skipped' : 'broken', reason)
    }
    const source = sourceOfSourcetype(schema, sourcetype)
    logs.push({ files: [found.path], ...(source === undefined ? {} : { source }) })
  }
  return { ...base, logs, steps: [{ writes: false, expected: FIRES }] }
}

/** The tests that rules of Splunk's content carry. */
export function attackTests(
  rules: readonly LoadedRule[],
  world: { readonly find: DataFinder; readonly schema: SchemaCatalogue },
): readonly (TestCase | Unrunnable)[] {
  return rules.flatMap((loaded): readonly (TestCase | Unrunnable)[] => {
    const { rule } = loaded
    if (rule?.spl !== undefined) {
      return rule.spl.tests.map((test) => testOf(loaded, rule, test, world))
    }
    const isTested = loaded.language === 'spl' && /^tests:/m.test(loaded.text)
    if (!isTested || rule !== undefined) return []
    const errors = loaded.diagnostics.filter((each) => each.severity === 'error')
    return [
      {
        convention: 'escu',
        name: 'test',
        file: loaded.file,
        rule: loaded,
        state: 'broken',
        reasons: errors.map((each) => each.message),
        diagnostics: errors,
      },
    ]
  })
}

const valuesOf =
  (event: EventFields): RowValues =>
  (field) => {
    const value = Object.hasOwn(event, field) ? event[field] : null
    return value === null || value === undefined ? [] : typeof value === 'string' ? [value] : value
  }

/** Texts of risk that still hold a token of their template, or nothing in its place. */
function openTokens(rule: Rule, findings: readonly Finding[]): readonly string[] {
  const { spl } = rule
  if (spl?.hasRisk !== true) return []
  const templates = [spl.riskMessage, ...spl.riskObjects.map(({ message }) => message ?? '')]
  const tokens = new Set(templates.flatMap(tokensOf))
  return [...tokens].flatMap((token) => {
    const open = findings.filter(({ event }) =>
      valuesOf(event)(token).every((each) => each.trim() === ''),
    )
    return open.length === 0
      ? []
      : [`the risk message has no value for $${token}$ in ${open.length} findings`]
  })
}

/** Fields that are at risk and evidence at once. */
function both({ spl }: Rule, findings: readonly Finding[]): readonly string[] {
  const risky = new Set(spl?.riskObjects.map(({ field }) => field))
  const fields = [...new Set(spl?.threatObjects.map(({ field }) => field))]
  const found = fields.filter((field) => risky.has(field))
  return findings.length === 0 || found.length === 0
    ? []
    : [`at risk and evidence at once: ${found.join(', ')}`]
}

/** Scores and kinds of what is at risk that are not those of the rule. */
function wrongRisk({ spl }: Rule, findings: readonly Finding[]): readonly string[] {
  const known = new Set(
    spl?.riskObjects.map(({ field, type, score }) => JSON.stringify([field, type, score])),
  )
  const wrong = findings.some(({ risk = [] }) =>
    risk.some(({ field, type, score }) => !known.has(JSON.stringify([field, type, score]))),
  )
  return wrong ? ['a risk has another kind or score than the rule gives it'] : []
}

/** What the publisher's own tests would hold against findings: those of the unit test, then those of integration. */
export function attackReasons(rule: Rule, findings: readonly Finding[]): readonly string[] {
  const { spl } = rule
  if (spl === undefined) return []
  const { reasons } = unitVerdict(
    spl,
    findings.map(({ event }) => valuesOf(event)),
  )
  return [
    ...reasons,
    ...openTokens(rule, findings),
    ...wrongRisk(rule, findings),
    ...both(rule, findings),
  ]
}
