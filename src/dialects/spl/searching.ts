/**
 * Conditions of `search` as expressions. All are two-valued: a missing field meets no comparison, `!=` neither, and
 * NOT turns true and false round. Values ignore case; of a field with several values any may meet the condition.
 */
import { diagnose } from '../../core/diagnostic.ts'
import { and, call, type Expr, FALSE, not, or, TRUE, text, texts } from '../../ir/expr.ts'
import { isList } from '../../ir/types.ts'
import type { SearchExpr, SearchValue } from './ast.ts'
import type { Context } from './command.ts'
import { asText, fieldValue, type Rows } from './rows.ts'

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/

/** A value with stars as a pattern of `match.like`. */
function likePattern(value: string): string {
  return value.replace(/[\\%_]/g, '\\$&').replaceAll('*', '%')
}

/** True when there is a value, an empty one too. */
export function present(value: Expr): Expr {
  if (value.type === 'null') return FALSE
  return isList(value.type) ? call('list.not_empty', [value]) : call('value.has_value', [value])
}

/** Texts on which a test of texts can be made: numbers as they are printed. */
const matchable = (value: Expr): Expr =>
  isList(value.type) || value.type === 'text' ? value : asText(value)

/** Equality of a value with a text in which `*` stands for any text. */
export function equalTo(value: Expr, wanted: string): Expr {
  if (value.type === 'null') return FALSE
  if (/^\*+$/.test(wanted)) return present(value)
  const subject = matchable(value)
  if (!wanted.includes('*')) return exactly(value, subject, wanted)
  const inner = wanted.replace(/^\*+|\*+$/g, '')
  if (!inner.includes('*')) {
    const [starts, ends] = [!wanted.startsWith('*'), !wanted.endsWith('*')]
    const fn = starts ? 'match.starts' : ends ? 'match.ends' : 'match.contains'
    return call(fn, [subject, text(inner)])
  }
  return call('match.like', [subject, text(likePattern(wanted))])
}

function exactly(value: Expr, subject: Expr, wanted: string): Expr {
  if (NUMBER.test(wanted)) {
    const same = call('search.same_number', [value, text(wanted)])
    return value.type === 'text' || isList(value.type)
      ? or([call('match.equals', [subject, text(wanted)]), same])
      : same
  }
  const network = networkOf(wanted)
  const equal = call('match.equals', [subject, text(wanted)])
  return network === undefined
    ? equal
    : or([equal, call('match.cidr_any', [subject, texts([network])])])
}

/** The value as a network, if it is written as one. */
function networkOf(value: string): string | undefined {
  const four = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(value)
  if (four !== null) {
    const [, a, b, c, d, bits] = four.map(Number)
    const isAddress = [a, b, c, d].every((each) => each !== undefined && each <= 255)
    return isAddress && (bits ?? 99) <= 32 ? value : undefined
  }
  const six = /^([0-9a-f:]{2,39})\/(\d{1,3})$/i.exec(value)
  return six !== null && (six[1] ?? '').includes(':') && Number(six[2]) <= 128 ? value : undefined
}

/** Equality with any of several texts; plain ones are looked up together. */
function equalToAny(value: Expr, wanted: readonly string[]): Expr {
  if (value.type === 'null') return FALSE
  const plain = wanted.filter(
    (each) => !each.includes('*') && !NUMBER.test(each) && networkOf(each) === undefined,
  )
  const others = wanted.filter((each) => !plain.includes(each))
  const subject = matchable(value)
  const together =
    plain.length > 1 && !(value.type === 'float' || value.type === 'int')
      ? [call('match.in', [subject, texts([...new Set(plain)])])]
      : plain.map((each) => equalTo(value, each))
  return or([...together, ...others.map((each) => equalTo(value, each))])
}

function differsFrom(value: Expr, wanted: string): Expr {
  if (value.type === 'null') return FALSE
  if (isList(value.type)) return call('search.unlike', [value, text(likePattern(wanted))])
  return and([present(value), not(equalTo(value, wanted))])
}

const ORDERS = {
  '<': 'search.less',
  '<=': 'search.less_or_equal',
  '>': 'search.greater',
  '>=': 'search.greater_or_equal',
} as const

/** Fields by which events are chosen; in the first command of a search they are decided source by source. */
const SOURCES = new Set(['index', 'source', 'sourcetype'])

/** Indexes that hold what Splunk or this product makes itself, not what was ingested. */
const OWN_INDEX = /^(?:_|risk$|notable$|summary|history$|cim_)/i

/** How conditions are lowered. */
export interface Searching {
  readonly rows: Rows
  readonly context: Context
  /** True where tests of sources can be decided for each stored source: right above the events. */
  readonly isFirst: boolean
}

function sourceTest(name: string, values: readonly string[], isNegated: boolean): Expr {
  // Events know no index unless they were given one: a test of it must not take them away, whichever way it is meant.
  if (name === 'index' && isNegated && !values.every((each) => OWN_INDEX.test(each))) return FALSE
  return call('events.is', [text(name), texts(values)])
}

interface Polarity extends Searching {
  readonly isNegated: boolean
}

function lowered(expr: SearchExpr, on: Polarity): Expr {
  switch (expr.kind) {
    case 'and':
      return and(expr.items.map((each) => lowered(each, on)))
    case 'or':
      return either(expr.items, on)
    case 'not':
      return not(lowered(expr.of, { ...on, isNegated: !on.isNegated }))
    case 'compare':
      return comparison(expr, on)
    case 'in': {
      const values = expr.values.map((each) => each.text)
      if (on.isFirst && SOURCES.has(expr.field)) return sourceTest(expr.field, values, on.isNegated)
      return equalToAny(fieldOf(expr.field, on), values)
    }
    case 'term':
      return term(expr.value, expr.as, on)
    case 'subsearch':
      return subsearch(expr, on)
  }
}

/** Alternatives: those that compare one field with plain values are looked up together. */
function either(items: readonly SearchExpr[], on: Polarity): Expr {
  const byField = new Map<string, string[]>()
  const others: SearchExpr[] = []
  for (const each of items) {
    if (each.kind === 'compare' && each.op === '=') {
      const values = byField.get(each.field) ?? []
      values.push(each.value.text)
      byField.set(each.field, values)
    } else others.push(each)
  }
  const together = [...byField].map(([name, values]) =>
    on.isFirst && SOURCES.has(name)
      ? sourceTest(name, values, on.isNegated)
      : equalToAny(fieldOf(name, on), values),
  )
  return or([...together, ...others.map((each) => lowered(each, on))])
}

const fieldOf = (name: string, { rows }: Searching): Expr => fieldValue(rows, name)

function comparison(expr: Extract<SearchExpr, { kind: 'compare' }>, on: Polarity): Expr {
  const { field, op, value } = expr
  if (on.isFirst && SOURCES.has(field) && (op === '=' || op === '!=')) {
    const isNegated = on.isNegated !== (op === '!=')
    const test = sourceTest(field, [value.text], isNegated)
    return op === '=' ? test : not(test)
  }
  const subject = fieldOf(field, on)
  if (op === '=') return equalTo(subject, value.text)
  if (op === '!=') return differsFrom(subject, value.text)
  if (subject.type === 'null') return FALSE
  return call(ORDERS[op], [subject, text(value.text)])
}

/** A term is looked for in the text of the event. */
function term(value: SearchValue, as: 'TERM' | 'CASE' | undefined, on: Polarity): Expr {
  if (/^\*+$/.test(value.text)) return TRUE
  if (value.text === '') return TRUE
  const raw = fieldOf('_raw', on)
  if (raw.type === 'null') {
    on.context.notice(diagnose('HR518', { text: value.text }, value.span))
    return FALSE
  }
  return call(as === 'CASE' ? 'search.term_cased' : 'search.term', [asText(raw), text(value.text)])
}

/** A subsearch: its rows become the conditions that they would be written as. */
function subsearch(expr: Extract<SearchExpr, { kind: 'subsearch' }>, on: Polarity): Expr {
  const found = on.context.conditionsOf(expr.search)
  return found === undefined ? FALSE : lowered(found, on)
}

/** A condition over rows. */
export function conditionOf(expr: SearchExpr, on: Searching): Expr {
  return lowered(expr, { ...on, isNegated: false })
}
