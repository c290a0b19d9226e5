/**
 * The `filter` of a document: selections and a condition that become part of other rules. As in pySigma, the condition
 * says what is kept: it is joined to that of each rule with `and`.
 *
 * https://sigmahq.io/sigma-specification/specification/sigma-filters-specification.html
 */
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import { limits } from '../../core/limits.ts'
import { textOf, type YamlEntry, type YamlNode } from '../../core/yaml.ts'
import type { Condition } from './condition.ts'
import type { NamedRule } from './correlation.ts'
import { type Detection, readDetection } from './detection.ts'

export interface SigmaFilter {
  /** `any`: every rule whose log source lies within that of the filter. */
  readonly rules: 'any' | readonly NamedRule[]
  readonly detection: Detection
}

function readRules(node: YamlNode, diagnostics: Diagnostic[]): SigmaFilter['rules'] {
  if (node.kind === 'scalar' && node.text === 'any') return 'any'
  const items = node.kind === 'list' ? node.items : [node]
  if (items.length > limits.filterRules) {
    const params = { what: 'the number of rules of a filter', size: items.length }
    diagnostics.push(diagnose('HR004', { ...params, limit: limits.filterRules }, node.span))
    return []
  }
  return items.flatMap((item) => {
    const name = textOf(item)
    if (name !== undefined && name !== '') return [{ name, span: item.span }]
    const wanted = 'a list of names and ids of rules, or any'
    diagnostics.push(diagnose('HR302', { key: 'rules', wanted }, item.span))
    return []
  })
}

/** True when a condition says somewhere what must not hold. */
function denies(condition: Condition): boolean {
  if (condition.op === 'not') return true
  return (condition.op === 'and' || condition.op === 'or') && condition.parts.some(denies)
}

/**
 * Reads the `filter` of a document. Without a filter there is at least one error among the diagnostics; `source` is the
 * text of the file, for spans inside values.
 */
export function readFilter(
  { keySpan, value: node }: YamlEntry,
  source: string,
): { readonly filter?: SigmaFilter; readonly diagnostics: readonly Diagnostic[] } {
  if (node.kind !== 'map') {
    return { diagnostics: [diagnose('HR302', { key: 'filter', wanted: 'a map' }, keySpan)] }
  }
  const diagnostics: Diagnostic[] = []
  const named = node.entries.find(({ key }) => key === 'rules')?.value
  if (named === undefined || (named.kind === 'scalar' && named.value === null)) {
    diagnostics.push(diagnose('HR301', { key: 'rules' }, keySpan))
  }
  const rules = named === undefined ? [] : readRules(named, diagnostics)
  const entries = node.entries.filter(({ key }) => key !== 'rules')
  const { detection, diagnostics: said } = readDetection({ ...node, entries }, source)
  diagnostics.push(...said)
  if (detection === undefined || diagnostics.some((each) => each.severity === 'error')) {
    return { diagnostics }
  }
  const [first] = detection.conditions
  if (!detection.conditions.some(denies)) diagnostics.push(diagnose('HR381', {}, first?.span))
  return { filter: { rules, detection }, diagnostics }
}
