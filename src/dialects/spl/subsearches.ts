/** Rows of a subsearch as the condition of the search around it. */
import { limits } from '../../core/limits.ts'
import type { Span } from '../../core/span.ts'
import { call, type Expr, text, texts } from '../../ir/expr.ts'
import type { Rel } from '../../ir/rel.ts'
import type { SearchExpr } from './ast.ts'
import { Reader } from './reader.ts'
import { Refusal, refuse } from './refusal.ts'
import { asText, fieldValue, type Rows, sorted } from './rows.ts'
import { readTerms } from './searchterms.ts'

/** Fields whose value is a condition itself, not the value of a field of events. */
const RAW = ['search', 'query']

/** The condition that each row is written as, with a text between those of its fields. */
export function rowCondition(rows: Rows, between = ' AND '): Expr {
  const raw = RAW.find((each) => rows.fields.has(each))
  const names = [...rows.fields.keys()].filter((each) => !each.startsWith('_'))
  return raw === undefined
    ? call(
        'search.row_condition',
        [
          texts(names.map(writtenName)),
          text(between),
          ...names.map((each) => numbersAsText(rows, each)),
        ],
        'text',
      )
    : asText(fieldValue(rows, raw))
}

/** The text of the condition of each row, in one column. */
export function rowConditions(rows: Rows, column: string): Rel {
  return { op: 'select', from: sorted(rows), keep: [{ name: column, value: rowCondition(rows) }] }
}

function numbersAsText(rows: Rows, name: string) {
  const value = fieldValue(rows, name)
  return typeof value.type === 'object' ? value : asText(value)
}

/** The name of a field as a search has it. */
export function writtenName(name: string): string {
  return /^[\w.:{}@-]+$/.test(name) ? name : `"${name.replace(/["\\]/g, '\\$&')}"`
}

/** Reads the conditions of rows: any of them. Undefined when there are none. */
export function readConditions(found: readonly string[], span: Span): SearchExpr | undefined {
  const filled = found.filter((each) => each.trim() !== '')
  if (filled.length === 0) return undefined
  if (filled.length > limits.subsearchRows) {
    const size = `more than ${limits.subsearchRows} rows`
    return refuse('HR517', { what: 'the subsearch', size, limit: limits.subsearchRows }, span)
  }
  const items = filled.flatMap((each) => readCondition(each, span) ?? [])
  const [first] = items
  return items.length <= 1 ? first : { kind: 'or', items, span }
}

function readCondition(written: string, span: Span): SearchExpr | undefined {
  // What `format` gives for no rows.
  if (/^\s*(?:\(\s*)?NOT\s*\(\s*\)\s*(?:\)\s*)?$/.test(written)) return undefined
  try {
    const reader = new Reader(written, { start: 0, end: written.length }, 'the subsearch')
    const { where } = readTerms(reader)
    reader.finish()
    return where
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return refuse('HR500', { message: `the subsearch gave "${written.slice(0, 80)}"` }, span)
  }
}
