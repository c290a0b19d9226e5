/** Conditions of rules, from their plans: never true, always true, parts that contradict themselves, costly ones. */
import type { Diagnostic } from '../../core/diagnostic.ts'
import type { Span } from '../../core/span.ts'
import { and, type Expr } from '../../ir/expr.ts'
import type { Rel } from '../../ir/rel.ts'
import { isList } from '../../ir/types.ts'
import { childrenOf, ownExprs, visitExpr } from '../../ir/walk.ts'
import { truthOf } from '../../plan/truth.ts'
import {
  found,
  itemsOf,
  type LintCheck,
  placeOfKey,
  placeOfText,
  type Subject,
  shown,
} from './subject.ts'

const EQUALS: ReadonlySet<string> = new Set([
  'match.equals',
  'match.in',
  'match.equals_cased',
  'match.in_cased',
  'text.equals_nocase',
  'text.in_nocase',
  'compare.equals',
  'compare.in',
])

/** Functions that leave a field what it is, or give it a type. */
const THROUGH: ReadonlySet<string> = new Set(['value.or_null', 'text.or_empty'])

/** Contradictions of one rule that are told. */
const MOST_TOLD = 20

/** A value that stands so near behind a field is asked of it. */
const NEAR = 60

type Scalar = string | number | boolean

/** Which field an expression is; undefined for anything computed and for fields of several values. */
function fieldOf(expr: Expr | undefined): string | undefined {
  if (expr?.op === 'field') return isList(expr.type) ? undefined : expr.name
  const isThrough = expr?.op === 'call' && THROUGH.has(expr.fn) && expr.args.length === 1
  return isThrough ? fieldOf(expr.args[0]) : undefined
}

function valuesOf(expr: Expr | undefined): readonly Scalar[] | undefined {
  if (expr?.op !== 'const' || expr.value === null) return undefined
  const { value } = expr
  const all = typeof value === 'object' ? value : [value]
  return all.flatMap((each) => (each === null ? [] : [each]))
}

/** A field that must have one of some values. */
interface Wanted {
  readonly field: string
  readonly values: readonly Scalar[]
}

/** What an expression asks of one field by equality; several alternatives for one field are one. */
function wantedBy(expr: Expr): Wanted | undefined {
  if (expr.op !== 'call') return undefined
  if (expr.fn === 'logic.or' || expr.fn === 'logic3.or') {
    const parts = expr.args.map(wantedBy)
    const [first] = parts
    if (first === undefined || parts.some((each) => each?.field !== first.field)) return undefined
    return { field: first.field, values: parts.flatMap((each) => each?.values ?? []) }
  }
  if (!EQUALS.has(expr.fn)) return undefined
  const [left, right] = expr.args
  const field = fieldOf(left)
  const values = valuesOf(right)
  return field === undefined || values === undefined || values.length === 0
    ? undefined
    : { field, values }
}

/** Order comparisons with a number: which side they bound. */
const BOUNDS: ReadonlyMap<string, 'above' | 'below'> = new Map([
  ['less', 'above'],
  ['less_or_equal', 'above'],
  ['greater', 'below'],
  ['greater_or_equal', 'below'],
  ['lt', 'above'],
  ['lte', 'above'],
  ['gt', 'below'],
  ['gte', 'below'],
])

interface Bound {
  readonly field: string
  readonly side: 'above' | 'below'
  readonly value: number
  readonly isStrict: boolean
}

function boundBy(expr: Expr): Bound | undefined {
  if (expr.op !== 'call') return undefined
  const name = expr.fn.slice(expr.fn.lastIndexOf('.') + 1)
  const side = BOUNDS.get(name)
  const field = fieldOf(expr.args[0])
  const [given] = valuesOf(expr.args[1]) ?? []
  const value = given === undefined || given === '' ? Number.NaN : Number(given)
  if (side === undefined || field === undefined || !Number.isFinite(value)) return undefined
  return { field, side, value, isStrict: !/_or_equal$|^[lg]te$/.test(name) }
}

/** True when no number is on the right side of both bounds. */
function excludes(one: Bound, other: Bound): boolean {
  if (one.side === other.side) return false
  const [low, high] = one.side === 'below' ? [one, other] : [other, one]
  return low.value > high.value || (low.value === high.value && (one.isStrict || other.isStrict))
}

/** Parts that must all hold, through what leaves a condition what it is. */
function conjuncts(expr: Expr): readonly Expr[] {
  if (expr.op !== 'call') return [expr]
  if (expr.fn === 'logic.and' || expr.fn === 'logic3.and') return expr.args.flatMap(conjuncts)
  const [part] = expr.args
  return expr.fn === 'logic.holds' && part !== undefined ? conjuncts(part) : [expr]
}

interface Contradiction {
  readonly field: string
  readonly first: string
  readonly second: string
}

const plain = (value: Scalar): string => String(value).toLowerCase()

const said = (values: readonly Scalar[]): string => {
  const few = values.slice(0, 3).map((each) => `"${shown(String(each), 40)}"`)
  return few.join(' or ') + (values.length > few.length ? ' or another' : '')
}

/** The first two parts of a conjunction that cannot both hold. */
function contradictionOf(parts: readonly Expr[]): Contradiction | undefined {
  const wanted = new Map<string, Wanted>()
  const bounds = new Map<string, Bound[]>()
  for (const part of parts) {
    const equal = wantedBy(part)
    if (equal !== undefined) {
      const before = wanted.get(equal.field)
      const allowed = before === undefined ? undefined : new Set(before.values.map(plain))
      if (before === undefined) wanted.set(equal.field, equal)
      else if (!equal.values.some((each) => allowed?.has(plain(each)))) {
        return { field: equal.field, first: said(before.values), second: said(equal.values) }
      }
      continue
    }
    const bound = boundBy(part)
    if (bound === undefined) continue
    const known = bounds.get(bound.field) ?? []
    const other = known.find((each) => excludes(each, bound))
    if (other !== undefined) {
      const word = (each: Bound): string =>
        `${each.side === 'below' ? 'above' : 'below'} ${each.value}`
      return { field: bound.field, first: word(other), second: word(bound) }
    }
    bounds.set(bound.field, [...known, bound])
  }
  return undefined
}

/** The conditions that rows pass one after the other, with no step between that changes them. */
function chains(rel: Rel): readonly (readonly Expr[])[] {
  const own: Expr[] = []
  let below = rel
  while (below.op === 'filter') {
    own.push(below.where)
    below = below.from
  }
  const rest = childrenOf(below).flatMap(chains)
  return own.length === 0 ? rest : [own.reverse(), ...rest]
}

/** Conjunctions within an expression that are parts of something else: of alternatives, or of what must not be. */
function innerConjunctions(expr: Expr, into: (readonly Expr[])[]): void {
  visitExpr(expr, (each) => {
    if (each.op === 'call' && (each.fn === 'logic.and' || each.fn === 'logic3.and')) {
      into.push(conjuncts(each))
    }
  })
}

/** The value that a description of values begins with. */
const valueIn = (description: string): string =>
  /"([^"]*)/.exec(description)?.[1] ?? /(\S+)$/.exec(description)?.[1] ?? ''

/** Where a rule asks a field for a value: in a selection of Sigma, or the value a little behind the name of the field. */
function placeOf(subject: Subject, { field, second }: Contradiction): Span {
  const value = valueIn(second)
  for (const item of itemsOf(subject)) {
    if (item.field !== field) continue
    const own = item.values.find(({ text }) => text.toLowerCase() === value.toLowerCase())
    if (own !== undefined) return own.span
  }
  const { text } = subject.loaded
  const { start, end } = subject.span
  const name = field.split('.').at(-1) ?? field
  let last = placeOfText(subject, name)
  for (let at = text.indexOf(name, start); at !== -1 && at < end; at = text.indexOf(name, at + 1)) {
    const behind = text.slice(at + name.length, at + name.length + NEAR)
    const found = behind.toLowerCase().indexOf(value.toLowerCase())
    const from = at + name.length + found
    if (found !== -1) last = { start: from, end: from + value.length }
  }
  return last
}

/** An expression as a key: expressions hold no places, so equal ones are written alike. */
const keyOf = (expr: Expr): string =>
  JSON.stringify(expr, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))

/** What a negation turns round; undefined for anything else. */
function negated(expr: Expr): Expr | undefined {
  return expr.op === 'call' && (expr.fn === 'logic.not' || expr.fn === 'logic3.not')
    ? expr.args[0]
    : undefined
}

/** True when an expression holds wherever all of some others do, because it is made of them. */
function isImplied(expr: Expr, holding: ReadonlySet<string>): boolean {
  if (holding.has(keyOf(expr))) return true
  if (expr.op !== 'call') return false
  switch (expr.fn) {
    case 'logic.and':
    case 'logic3.and':
      return expr.args.every((each) => isImplied(each, holding))
    case 'logic.or':
    case 'logic3.or':
      return expr.args.some((each) => isImplied(each, holding))
    case 'logic.holds':
      return expr.args.every((each) => isImplied(each, holding))
    default:
      return false
  }
}

/** True when a conjunction excludes what it asks for: `a and not a`, also where the excluded part is wider. */
function excludesItself(parts: readonly Expr[]): boolean {
  const turned = parts.flatMap((each) => negated(each) ?? [])
  if (turned.length === 0) return false
  const holding = new Set(parts.map(keyOf))
  return turned.some((each) => isImplied(each, holding))
}

function contradictions(subject: Subject): readonly Diagnostic[] {
  const { rule } = subject.loaded
  if (rule === undefined) return []
  const told = new Set<string>()
  return chains(rule.rel).flatMap((chain): readonly Diagnostic[] => {
    const whole = contradictionOf(chain.flatMap(conjuncts))
    const inner: (readonly Expr[])[] = []
    for (const each of chain) innerConjunctions(each, inner)
    const parts = inner.flatMap((each) => contradictionOf(each) ?? [])
    return [...(whole === undefined ? [] : [whole]), ...parts].flatMap((each) => {
      const key = JSON.stringify(each)
      if (told.has(key) || told.size >= MOST_TOLD) return []
      told.add(key)
      return [found('HR961', { ...each, field: shown(each.field) }, placeOf(subject, each))]
    })
  })
}

/** A test of values that are written there; what is false for want of data, such as a lookup without rows, is not. */
function isWrittenFalse(expr: Expr, isKusto: boolean): boolean {
  if (isKusto && conjuncts(expr).some((part) => part.op === 'const' && part.value === false)) {
    return true
  }
  const isWritten = (part: Expr): boolean =>
    part.op === 'call' &&
    part.args.length > 0 &&
    part.args.every((each) => each.op === 'const' && each.value !== null)
  return conjuncts(expr).some((part) => isWritten(part) && truthOf(part) === false)
}

/** True when a filter that every row of a plan passes lets none through; filters one behind the other are one. */
function isEmpty(
  rel: Rel,
  isFalse: (where: Expr) => boolean,
  above: readonly Expr[] = [],
): boolean {
  switch (rel.op) {
    case 'filter': {
      const all = [rel.where, ...above]
      return rel.from.op === 'filter'
        ? isEmpty(rel.from, isFalse, all)
        : isFalse(and(all)) || isEmpty(rel.from, isFalse)
    }
    case 'aggregate':
      // Without keys there is a row even of nothing.
      return rel.by.length > 0 && isEmpty(rel.from, isFalse)
    case 'select':
    case 'derive':
    case 'sort':
    case 'limit':
    case 'window':
    case 'expand':
      return isEmpty(rel.from, isFalse)
    case 'named':
      return isEmpty(rel.body, isFalse)
    default:
      return false
  }
}

function neverTrue(subject: Subject): readonly Diagnostic[] {
  const { rule } = subject.loaded
  if (rule === undefined || rule.kusto?.unfinished !== undefined) return []
  const span = placeOfKey(subject, 'condition', 'search', 'query')
  const { rel } = rule
  if (isEmpty(rel, (where) => isWrittenFalse(where, rule.kusto !== undefined))) {
    return [found('HR960', { reason: 'its condition is false' }, span)]
  }
  return isEmpty(rel, (where) => excludesItself(conjuncts(where)))
    ? [found('HR960', { reason: 'its condition excludes what it asks for' }, span)]
    : []
}

/** A test of whether a field is there, which says nothing of what it holds. */
const PRESENCE: ReadonlySet<string> = new Set(['value.has_value', 'value.exists'])

/** True for a condition that events of a source meet as a rule. */
function isIdle(expr: Expr): boolean {
  if (truthOf(expr) === true) return true
  if (expr.op !== 'call') return false
  if (expr.fn === 'events.is') return false
  if (expr.fn === 'logic.and') return expr.args.length > 0 && expr.args.every(isIdle)
  // One alternative that all events meet is enough, and so are two of which one is the other turned round.
  if (expr.fn === 'logic.or') {
    const holding = new Set(expr.args.map(keyOf))
    return expr.args.some((each) => {
      const turned = negated(each)
      return isIdle(each) || (turned !== undefined && holding.has(keyOf(turned)))
    })
  }
  return PRESENCE.has(expr.fn)
}

function matchAll(subject: Subject): readonly Diagnostic[] {
  const { rule } = subject.loaded
  // A search or a query may well read everything and sum it up.
  if (rule?.language !== 'sigma' || rule.rel.op !== 'filter' || rule.rel.from.op !== 'scan')
    return []
  const { where } = rule.rel
  if (isIdle(where)) return [found('HR962', {}, placeOfText(subject, 'condition'))]
  const parts = conjuncts(where)
  const isNegative = parts.every((each) => each.op === 'call' && each.fn === 'logic.not')
  return isNegative ? [found('HR983', {}, placeOfText(subject, 'condition'))] : []
}

/** Words that are looked for in whole events of a source that has fields, with an open start. */
function cost(subject: Subject): readonly Diagnostic[] {
  const { rule } = subject.loaded
  if (rule?.spl === undefined) return []
  const seen = new Set<string>()
  const visit = (rel: Rel): void => {
    for (const expr of ownExprs(rel)) {
      visitExpr(expr, (each) => {
        if (each.op !== 'call' || !each.fn.startsWith('search.term')) return
        const word = each.args.flatMap((arg) => (arg.op === 'const' ? [String(arg.value)] : []))
        for (const text of word) if (/^[*%]./.test(text)) seen.add(text)
      })
    }
    for (const each of childrenOf(rel)) visit(each)
  }
  visit(rule.rel)
  return [...seen].map((word) => {
    const text = word.replaceAll('%', '*')
    return found(
      'HR963',
      { what: `"${shown(text)}"` },
      placeOfText(subject, text.replace(/^\*+/, '')),
    )
  })
}

export const predicateChecks: readonly LintCheck[] = [
  {
    codes: ['HR960', 'HR961'],
    says: 'A condition can hold: no field must be two things at once, no range is empty, nothing folds to false.',
    check: (subject) => {
      const never = neverTrue(subject)
      return never.length > 0 ? never : contradictions(subject)
    },
  },
  {
    codes: ['HR962', 'HR983'],
    says: 'A rule tests something: it does not find every event of its source, or all but a few.',
    check: matchAll,
  },
  {
    codes: ['HR963'],
    says: 'Words with an open start are not looked for in the whole text of every event.',
    check: cost,
  },
]
