/**
 * Patterns that look around themselves, which the engine's regular expressions cannot: the values that a wider pattern
 * finds are looked at one by one before the search runs, and those that pass stand in the search as a list.
 */
import { checkRegex } from '../../core/regex.ts'
import type { Span } from '../../core/span.ts'
import { call, type Expr, texts } from '../../ir/expr.ts'
import type { Context } from './command.ts'
import { refuse } from './refusal.ts'
import { asText, type Rows } from './rows.ts'

const AROUND = /\(\?<?[=!]/

/** True for a pattern with an assertion that the engine does not know. */
export function needsConfirming(pattern: string): boolean {
  return AROUND.test(pattern) && checkRegex(pattern).value === undefined
}

/** A test whose values are confirmed one by one. */
export function confirmed(
  name: string,
  subject: Expr,
  pattern: { readonly value: string; readonly span: Span },
  rows: Rows,
  context: Context,
): Expr {
  if (name !== 'match') {
    return refuse(
      'HR510',
      { reason: 'it looks around itself, which only match and regex can confirm here' },
      pattern.span,
    )
  }
  const value = asText(subject)
  const column = context.hidden('v')
  const rel = {
    op: 'aggregate',
    from: { op: 'filter', from: rows.rel, where: call('value.has_value', [value]) },
    by: [{ name: column, value }],
    into: [],
  } as const
  const passed = context.discover('match', rel, pattern.span, pattern.value)
  return call('match.in_cased', [value, texts(passed)])
}
