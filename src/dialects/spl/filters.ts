/** Commands that keep rows: `search`, `where`, `regex`. The first `search` of a search reads events. */

import { diagnose } from '../../core/diagnostic.ts'
import type { Span } from '../../core/span.ts'
import { and, call, type Expr, not, text } from '../../ir/expr.ts'
import type { SourceField, SourceTest } from '../../schema/eventview.ts'
import type { EvalExpr, SearchExpr } from './ast.ts'
import { type CommandRecord, type Context, command } from './command.ts'
import { confirmedMatch, needsConfirming } from './confirm.ts'
import { enginePattern } from './evaluating.ts'
import { readEval } from './evaluation.ts'
import type { Reader } from './reader.ts'
import { asText, fieldValue, filtered, NO_ROWS, type Rows } from './rows.ts'
import { conditionOf } from './searching.ts'
import { readTerms, type SearchTerms } from './searchterms.ts'

const SOURCE_FIELDS: ReadonlySet<string> = new Set(['index', 'source', 'sourcetype', 'host'])
const isSource = (name: string): name is SourceField => SOURCE_FIELDS.has(name)

/** The condition that one part of a conjunction sets on the sources of events; undefined for others. */
function sourceTest(expr: SearchExpr): SourceTest | undefined {
  if (expr.kind === 'compare' && expr.op === '=' && isSource(expr.field)) {
    return { field: expr.field, values: [expr.value.text] }
  }
  if (expr.kind === 'in' && isSource(expr.field)) {
    return { field: expr.field, values: expr.values.map((each) => each.text) }
  }
  if (expr.kind !== 'or') return undefined
  const parts = expr.items.map(sourceTest)
  const [first] = parts
  if (first === undefined || parts.some((each) => each?.field !== first.field)) return undefined
  return { field: first.field, values: parts.flatMap((each) => each?.values ?? []) }
}

/** The conditions on sources that every event of a search meets. */
function sourceTests(expr: SearchExpr | undefined): readonly SourceTest[] {
  if (expr === undefined) return []
  const parts = expr.kind === 'and' ? expr.items : [expr]
  return parts.flatMap((each) =>
    each.kind === 'and' ? sourceTests(each) : (sourceTest(each) ?? []),
  )
}

/** Conditions without those that name the index of rows that are written down, which hold for all of them. */
function withoutIndex(expr: SearchExpr): readonly SearchExpr[] {
  if (expr.kind === 'and') return expr.items.flatMap(withoutIndex)
  return sourceTest(expr)?.field === 'index' ? [] : [expr]
}

/** The events that conditions find. */
export function searchedEvents(terms: SearchTerms, context: Context): Rows {
  for (const each of terms.diagnostics) context.notice(each)
  const { rows, isStored } = context.events(sourceTests(terms.where), terms.times)
  if (terms.where === undefined) return rows
  if (isStored) return filtered(rows, conditionOf(terms.where, { rows, context, isFirst: true }))
  const parts = withoutIndex(terms.where)
  return filtered(rows, and(parts.map((each) => context.condition(each, rows))))
}

const search = command<SearchTerms>({
  name: 'search',
  says: 'Reads the events that meet conditions; behind a pipe, keeps the rows that do.',
  kind: 'streaming',
  read: (reader) => readTerms(reader),
  lower: (terms, rows, context) => {
    if (rows === NO_ROWS) return searchedEvents(terms, context)
    for (const each of terms.diagnostics) context.notice(each)
    for (const { name, span: place } of terms.times) {
      context.notice(diagnose('HR514', { name }, place))
    }
    return terms.where === undefined ? rows : filtered(rows, context.condition(terms.where, rows))
  },
})

const where = command<EvalExpr>({
  name: 'where',
  says: 'Keeps the rows for which an expression is true.',
  kind: 'streaming',
  read: (reader) => readEval(reader),
  lower: (test, rows, context) => filtered(rows, context.test(test, rows)),
})

interface RegexNode {
  readonly field: string
  readonly isNegated: boolean
  readonly pattern: { readonly value: string; readonly span: Span }
}

function readRegex(reader: Reader): RegexNode {
  const first = reader.value()
  const isNegated = reader.isAt('!=')
  if (!reader.isAt('=') && !isNegated) {
    return { field: '_raw', isNegated: false, pattern: { value: first.text, span: first.span } }
  }
  reader.next()
  const { text: value, span } = reader.value()
  return { field: first.text, isNegated, pattern: { value, span } }
}

/** A test of a pattern: false for a missing value. */
function found(
  value: Expr,
  { value: pattern, span }: RegexNode['pattern'],
  rows: Rows,
  context: Context,
): Expr {
  if (needsConfirming(pattern)) {
    return confirmedMatch(value, { value: pattern, span }, rows, context)
  }
  const subject = typeof value.type === 'object' ? value : asText(value)
  return call('match.regex', [subject, text(enginePattern(pattern, span))])
}

const regex = command<RegexNode>({
  name: 'regex',
  says: 'Keeps the rows in which a regular expression finds something in a field, or with != those in which it does not.',
  kind: 'streaming',
  read: readRegex,
  lower: ({ field, isNegated, pattern }, rows, context) => {
    const test = found(fieldValue(rows, field), pattern, rows, context)
    return filtered(rows, isNegated ? not(test) : and([test]))
  },
})

export const filterCommands: readonly CommandRecord[] = [search, where, regex]
