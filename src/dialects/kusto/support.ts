/** Which operators and functions a query uses that are not supported, told without lowering it. */
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import type { Span } from '../../core/span.ts'
import type { Node } from './adapter.ts'
import { functionName, isKnownFunction } from './calls.ts'
import { isPlugin } from './evaluate.ts'
import { OPERATORS } from './operators.ts'
import { isKnownAggregate } from './summarize.ts'
import { TENANT } from './tenant.ts'

/** Functions that operators read by themselves. */
const READ_BY_OPERATORS = new Set([
  'prev',
  'next',
  'row_number',
  'row_cumsum',
  'row_rank_dense',
  'row_rank_min',
  'row_window_session',
  'table',
  'materialize',
  'workspace',
  '_getwatchlist',
  '_getwatchlistalias',
])

/** A diagnostic for each operator and function that a query could not run with. */
export function unsupported(root: Node, place: (node: Node) => Span): readonly Diagnostic[] {
  const found: Diagnostic[] = []
  for (const node of root.walk()) {
    if (node.kind.endsWith('Operator') && OPERATORS[node.kind] === undefined) {
      const name = /^[a-z-]+/i.exec(node.text)?.[0] ?? node.kind
      found.push(diagnose('HR405', { name }, place(node)))
    }
    if (node.kind !== 'FunctionCallExpression' || node.calledBody !== undefined) continue
    const name = functionName(node)
    const low = name.toLowerCase()
    if (
      READ_BY_OPERATORS.has(low) ||
      isPlugin(low) ||
      isKnownFunction(name) ||
      isKnownAggregate(name)
    )
      continue
    const tenant = TENANT.get(low) ?? TENANT.get(name)
    if (tenant === undefined) found.push(diagnose('HR406', { name }, place(node)))
    else found.push(diagnose('HR408', { name, what: tenant.what }, place(node)))
  }
  return found
}
