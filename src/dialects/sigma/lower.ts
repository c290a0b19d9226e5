/**
 * From a parsed Sigma rule to the IR: a scan of the view of its log source and one filter. Selections become
 * expressions once and are shared by every place of the condition that names them.
 */
import { type Diagnostic, diagnose, hasErrors, type Outcome } from '../../core/diagnostic.ts'
import { limits } from '../../core/limits.ts'
import type { Span } from '../../core/span.ts'
import { and, type Expr, not, or } from '../../ir/expr.ts'
import type { Rel } from '../../ir/rel.ts'
import { logsourceName } from '../../schema/logsource.ts'
import type { Logsource } from '../../schema/view.ts'
import { type Condition, namesOf } from './condition.ts'
import type { SigmaTest } from './detection.ts'
import { lowerItem } from './item.ts'
import type { LeafContext } from './leaf.ts'
import type { Placeholders } from './placeholder.ts'
import type { SigmaRule } from './rule.ts'

export interface SigmaOptions {
  /** Values for `%name%` under the modifier `expand`, from the user's settings. */
  readonly placeholders: Placeholders
}

/** A selection that the condition uses, with its own expression. */
export interface LoweredSelection {
  readonly name: string
  readonly expr: Expr
  readonly span: Span
}

export interface LoweredSigma {
  readonly rel: Rel
  readonly where: Expr
  readonly logsource: Logsource
  readonly selections: readonly LoweredSelection[]
  /** Names of the fields that the rule reads, in the order of their first use. */
  readonly fields: readonly string[]
  /** True when the rule looks into the text of the whole event. */
  readonly keywords: boolean
}

interface Part extends LoweredSelection {
  /** How many values the selection has: each use in a condition writes them again. */
  readonly size: number
}

function lowerTest(test: SigmaTest, context: LeafContext): Expr {
  if (test.op === 'item') return lowerItem(test.item, context)
  const parts = test.parts.map((part) => lowerTest(part, context))
  return test.op === 'all' ? and(parts) : or(parts)
}

/** Values that a condition writes, each use of a selection counted. */
function sizeOf(condition: Condition, parts: ReadonlyMap<string, Part>): number {
  const sum = (names: readonly string[]): number =>
    names.reduce((total, name) => total + (parts.get(name)?.size ?? 0), 0)
  switch (condition.op) {
    case 'selection':
      return sum([condition.name])
    case 'not':
      return sizeOf(condition.part, parts)
    case 'some':
    case 'every':
      return sum(condition.names)
    case 'and':
    case 'or':
      return condition.parts.reduce((total, part) => total + sizeOf(part, parts), 0)
  }
}

function lowerCondition(condition: Condition, parts: ReadonlyMap<string, Part>): Expr {
  const named = (names: readonly string[]): readonly Expr[] =>
    names.flatMap((name) => parts.get(name)?.expr ?? [])
  switch (condition.op) {
    case 'selection':
      return or(named([condition.name]))
    case 'not':
      return not(lowerCondition(condition.part, parts))
    case 'some':
      return or(named(condition.names))
    case 'every':
      return and(named(condition.names))
    case 'and':
      return and(condition.parts.map((part) => lowerCondition(part, parts)))
    case 'or':
      return or(condition.parts.map((part) => lowerCondition(part, parts)))
  }
}

function lowerSelections(rule: SigmaRule, context: LeafContext): ReadonlyMap<string, Part> {
  const { selections, conditions } = rule.detection
  const used = new Set<string>()
  for (const condition of conditions) namesOf(condition, used)
  const parts = new Map<string, Part>()
  for (const { name, test, span } of selections) {
    if (!used.has(name)) continue
    const before = context.values
    const expr = lowerTest(test, context)
    parts.set(name, { name, expr, span, size: context.values - before })
  }
  return parts
}

/**
 * Lowers a rule. Without a value there is at least one error: a value of the wrong type, an expression that the
 * engine cannot run, or a placeholder without values.
 */
export function lowerSigma(rule: SigmaRule, options: SigmaOptions): Outcome<LoweredSigma> {
  const diagnostics: Diagnostic[] = []
  const context: LeafContext = {
    placeholders: options.placeholders,
    diagnostics,
    fields: new Set(),
    keywords: false,
    values: 0,
    filled: 0,
  }
  const parts = lowerSelections(rule, context)
  const { conditions } = rule.detection
  const size = conditions.reduce((total, each) => total + sizeOf(each, parts), 0)
  if (size > limits.ruleValues && !hasErrors(diagnostics)) {
    const params = { what: 'the number of values in the condition', size }
    const span = conditions[0]?.span
    diagnostics.push(diagnose('HR004', { ...params, limit: limits.ruleValues }, span))
  }
  if (hasErrors(diagnostics)) return { diagnostics }
  const where = or(conditions.map((each) => lowerCondition(each, parts)))
  const { product, category, service } = rule.logsource
  const source: Logsource = {
    ...(product === undefined ? {} : { product }),
    ...(category === undefined ? {} : { category }),
    ...(service === undefined ? {} : { service }),
  }
  const fields = [...context.fields]
  const rel: Rel = {
    op: 'filter',
    from: {
      op: 'scan',
      table: { kind: 'view', name: logsourceName(source) },
      time: {},
      out: fields.map((name) => ({ name, type: 'text' })),
    },
    where,
  }
  const selections = [...parts.values()].map(({ name, expr, span }) => ({ name, expr, span }))
  return {
    value: { rel, where, logsource: source, selections, fields, keywords: context.keywords },
    diagnostics,
  }
}
