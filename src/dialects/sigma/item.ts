/**
 * One field test of a rule as an expression: values with their modifiers become calls of the match, value and
 * number records. Every test is two-valued (a missing field matches nothing), so `logic.not` around it is right.
 * Lists become the list records, which keeps rules with thousands of values flat.
 */
import { diagnose } from '../../core/diagnostic.ts'
import { limits } from '../../core/limits.ts'
import { and, call, type Expr, field, not, number, or, TRUE, text, texts } from '../../ir/expr.ts'
import { storedName } from '../../schema/source.ts'
import type { SigmaItem, SigmaValue } from './detection.ts'
import { isFull, type Leaf, type LeafContext, leavesOf, spend } from './leaf.ts'
import type { Matcher, ValueType } from './modifiers.ts'
import { readNetwork } from './network.ts'
import { fillText } from './placeholder.ts'
import { likePattern, shapeOf } from './value.ts'

const RECORDS = {
  equals: { one: 'match.equals', many: 'match.in' },
  contains: { one: 'match.contains', many: 'match.contains_any' },
  starts: { one: 'match.starts', many: 'match.starts_any' },
  ends: { one: 'match.ends', many: 'match.ends_any' },
} as const

const TYPE_WORDS: Readonly<Record<ValueType, string>> = {
  text: 'text',
  number: 'numbers',
  bool: 'true or false',
  null: 'null',
}

function typeOf({ value }: SigmaValue): ValueType {
  if (value === null) return 'null'
  return typeof value === 'string' ? 'text' : typeof value === 'number' ? 'number' : 'bool'
}

function found({ value, text: written }: SigmaValue): string {
  if (value === null) return 'null'
  return typeof value === 'string' ? `the text "${written.slice(0, 64)}"` : `${value}`
}

/** Values of the types that the modifiers take; others are reported and left out. */
function checkedValues(item: SigmaItem, context: LeafContext): readonly SigmaValue[] {
  const { matcher, modifiers, span } = item
  const takes = matcher.takes.filter((type) => item.field !== undefined || type !== 'null')
  const name =
    modifiers.length === 0 ? 'a keyword' : `"${modifiers.map((each) => each.name).join('|')}"`
  const wanted = takes.map((type) => TYPE_WORDS[type]).join(', ')
  const refuse = (what: string, place: SigmaItem['span']): void => {
    context.diagnostics.push(diagnose('HR347', { name, wanted, found: what }, place))
  }
  if (item.values.length === 0) {
    if (takes.includes('null')) return [{ ...NOTHING, span }]
    refuse('an empty list', span)
  }
  return item.values
    .map((each) => adapt(each, matcher))
    .filter((each) => {
      const type = typeOf(each)
      if (!takes.includes(type)) {
        refuse(found(each), each.span)
        return false
      }
      if (type === 'null' && item.values.length > 1) {
        context.diagnostics.push(diagnose('HR326', {}, each.span))
      }
      if (typeof each.value === 'string' && !each.value.isWellFormed()) {
        context.diagnostics.push(diagnose('HR327', {}, each.span))
        return false
      }
      return true
    })
}

/** Plain words that the YAML reader leaves as text, where the modifiers ask for a number or for yes or no. */
function adapt(value: SigmaValue, { kind }: Matcher): SigmaValue {
  if (value.quoted || typeof value.value !== 'string') return value
  const word = value.value.toLowerCase()
  if (kind === 'exists' && (word === 'yes' || word === 'on')) return { ...value, value: true }
  if (kind === 'exists' && (word === 'no' || word === 'off')) return { ...value, value: false }
  if (kind !== 'compare' || !/^[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?$/.test(word)) return value
  const number = Number(word)
  // Past this the nearest number that can be kept is another one.
  return Math.abs(number) <= Number.MAX_SAFE_INTEGER ? { ...value, value: number } : value
}

const NOTHING: SigmaValue = {
  value: null,
  text: '',
  quoted: false,
  span: { start: 0, end: 0 },
  exact: false,
}

/** A field of the event, whatever its name: `@time` of a rule is not our own column of that name. */
function eventField(name: string): Expr {
  return field(storedName(name))
}

/** The subject of a test: a field, or the text of the whole event. */
function subjectOf(item: SigmaItem, context: LeafContext): Expr {
  if (item.field === undefined) {
    context.keywords = true
    return call('row.values', [], 'text')
  }
  context.fields.add(item.field)
  return eventField(item.field)
}

/** One test as an expression; errors go to the context, and the expression then means nothing. */
export function lowerItem(item: SigmaItem, context: LeafContext): Expr {
  const subject = subjectOf(item, context)
  const values = checkedValues(item, context)
  switch (item.matcher.kind) {
    case 'exists':
      return lowerExists(item, context, values, subject)
    case 'compare':
      return negate(item, link(item, lowerComparisons(item, context, values, subject)))
    case 'field':
      return lowerReferences(item, context, values, subject)
    case 'network':
      return negate(item, lowerNetworks(item, context, values, subject))
    case 'regex':
    case 'text':
      return negate(item, lowerTexts(item, context, values, subject))
  }
}

function link(item: SigmaItem, parts: readonly Expr[]): Expr {
  return item.matcher.all ? and(parts) : or(parts)
}

function negate(item: SigmaItem, whole: Expr): Expr {
  return item.matcher.negated ? not(whole) : whole
}

function lowerExists(
  item: SigmaItem,
  context: LeafContext,
  values: readonly SigmaValue[],
  subject: Expr,
): Expr {
  const [only] = values
  if (item.values.length > 1) context.diagnostics.push(diagnose('HR354', {}, item.span))
  spend(context, 1, item)
  const present = call('value.exists', [subject])
  return only?.value === false ? not(present) : present
}

function lowerComparisons(
  item: SigmaItem,
  context: LeafContext,
  values: readonly SigmaValue[],
  subject: Expr,
): readonly Expr[] {
  const { comparison = 'eq', part } = item.matcher
  spend(context, values.length, item)
  const left = part === undefined ? subject : call('time.part', [subject, text(part)], 'int')
  return values.flatMap(({ value, span }): readonly Expr[] => {
    if (typeof value !== 'number') return []
    if (part !== undefined && !Number.isInteger(value)) {
      context.diagnostics.push(diagnose('HR356', { part, found: value }, span))
    }
    return [call(`number.${comparison}`, [left, number(value)])]
  })
}

/** Comparison with other fields; with `neq` both must be present, which plain negation would not ask. */
function lowerReferences(
  item: SigmaItem,
  context: LeafContext,
  values: readonly SigmaValue[],
  subject: Expr,
): Expr {
  const { anchor, negated } = item.matcher
  spend(context, values.length, item)
  const parts = values.map((each) => {
    const name = each.text.replaceAll(' ', '')
    if (name === '') context.diagnostics.push(diagnose('HR355', {}, each.span))
    context.fields.add(name)
    const pair = [subject, eventField(name)]
    const ids = { contains: 'match.same_part', starts: 'match.same_start', ends: 'match.same_end' }
    const same = call(anchor === undefined ? 'match.same' : ids[anchor], pair)
    if (!negated) return same
    return and([...pair.map((side) => call('value.has_value', [side])), not(same)])
  })
  return negated ? and(parts) : link(item, parts)
}

function lowerNetworks(
  item: SigmaItem,
  context: LeafContext,
  values: readonly SigmaValue[],
  subject: Expr,
): Expr {
  const groups = values.map((each) =>
    networksOf(each, item, context).flatMap((written) => {
      const network = readNetwork(written)
      if (network === undefined) {
        context.diagnostics.push(diagnose('HR351', { value: written.slice(0, 64) }, each.span))
      }
      return network ?? []
    }),
  )
  const tests = item.matcher.all ? groups : [groups.flat()]
  return and(tests.map((networks) => call('match.cidr_any', [subject, texts(networks)])))
}

function networksOf(value: SigmaValue, item: SigmaItem, context: LeafContext): readonly string[] {
  if (isFull(context)) return []
  if (!item.matcher.expands) return spend(context, 1, item) ? [value.text] : []
  const filled = fillText(value, context) ?? []
  return spend(context, filled.length, item) ? filled : []
}

function lowerTexts(
  item: SigmaItem,
  context: LeafContext,
  values: readonly SigmaValue[],
  subject: Expr,
): Expr {
  const leaves = values.map((value) => leavesOf(value, item, context))
  const groups = item.matcher.all ? leaves : [leaves.flat()]
  return and(groups.map((group) => anyLeaf(group, item, context, subject)))
}

/** True when any of the leaves matches; leaves of one shape become one call. */
function anyLeaf(
  leaves: readonly Leaf[],
  item: SigmaItem,
  context: LeafContext,
  subject: Expr,
): Expr {
  const suffix = item.matcher.cased ? '_cased' : ''
  const lists = new Map<keyof typeof RECORDS, Set<string>>()
  const others = new Map<string, Expr>()
  for (const leaf of leaves) {
    if (leaf.kind === 'null') others.set('null', call('value.is_null', [subject]))
    else if (leaf.kind === 'regex') {
      others.set(`re ${leaf.pattern}`, call('match.regex', [subject, text(leaf.pattern)]))
    } else {
      const shape = shapeOf(leaf.tokens)
      if (shape.kind === 'any') others.set('any', anyValue(item, context, subject))
      else if (shape.kind === 'like') {
        const pattern = likePattern(leaf.tokens)
        checkLike(pattern, item, context)
        others.set(`like ${pattern}`, call(`match.like${suffix}`, [subject, text(pattern)]))
      } else {
        const known = lists.get(shape.kind)
        if (known === undefined) lists.set(shape.kind, new Set([shape.text]))
        else known.add(shape.text)
      }
    }
  }
  const calls = [...lists].map(([kind, found]) => {
    const [only = '', ...more] = found
    const { one, many } = RECORDS[kind]
    return more.length === 0
      ? call(`${one}${suffix}`, [subject, text(only)])
      : call(`${many}${suffix}`, [subject, texts([only, ...more])])
  })
  return or([...calls, ...others.values()])
}

function anyValue(item: SigmaItem, context: LeafContext, subject: Expr): Expr {
  if (item.field !== undefined) return call('value.has_value', [subject])
  context.diagnostics.push(diagnose('HR323', {}, item.span))
  return TRUE
}

function checkLike(pattern: string, item: SigmaItem, context: LeafContext): void {
  if (pattern.length <= limits.likeCharacters) return
  const params = { what: 'a value with wildcards', size: `${pattern.length} characters` }
  const limit = limits.likeCharacters
  context.diagnostics.push(diagnose('HR004', { ...params, limit }, item.span))
}
