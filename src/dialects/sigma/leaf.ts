/**
 * One field test of a rule as an expression: values with their modifiers become calls of the match, value and
 * number records. Every leaf is two-valued (a missing field matches nothing), so `logic.not` around it is right.
 * Lists become the list records, which keeps rules with thousands of values flat.
 */
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import { limits } from '../../core/limits.ts'
import { checkRegex } from '../../core/regex.ts'
import { and, call, type Expr, field, not, number, or, TRUE, text, texts } from '../../ir/expr.ts'
import type { SigmaItem, SigmaValue } from './detection.ts'
import {
  base64,
  base64Offsets,
  dashCount,
  markDashes,
  textOfBytes,
  utf16Bytes,
  writeDashes,
} from './encoding.ts'
import type { Matcher, ValueType } from './modifiers.ts'
import { readNetwork } from './network.ts'
import { fillText, fillTokens, type Placeholders } from './placeholder.ts'
import {
  anchorTokens,
  dashPattern,
  likePattern,
  plainTokens,
  readText,
  shapeOf,
  type Tokens,
} from './value.ts'

/** What the tests of one rule share while they are lowered. */
export interface LeafContext {
  readonly placeholders: Placeholders
  readonly diagnostics: Diagnostic[]
  /** Field names in the order of their first use. */
  readonly fields: Set<string>
  keywords: boolean
  /** Values written so far, and the most there may be. */
  values: number
}

/** One way to match: a text with wildcards, a finished RE2 pattern, or absence. */
type Leaf =
  | { readonly kind: 'tokens'; readonly tokens: Tokens }
  | { readonly kind: 'regex'; readonly pattern: string }
  | { readonly kind: 'null' }

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

/** Counts values; false, with one error, when the rule has become too large. */
function spend(context: LeafContext, count: number, item: SigmaItem): boolean {
  const before = context.values
  context.values += count
  if (context.values <= limits.ruleValues) return true
  if (before <= limits.ruleValues) {
    const params = { what: 'the number of values', size: context.values }
    context.diagnostics.push(diagnose('HR004', { ...params, limit: limits.ruleValues }, item.span))
  }
  return false
}

/** The subject of a test: a field, or the text of the whole event. */
function subjectOf(item: SigmaItem, context: LeafContext): Expr {
  if (item.field === undefined) {
    context.keywords = true
    return call('row.values', [], 'text')
  }
  context.fields.add(item.field)
  return field(item.field)
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
    const pair = [subject, field(name)]
    const ids = { contains: 'match.same_part', starts: 'match.same_start', ends: 'match.same_end' }
    const same = call(anchor === undefined ? 'match.same' : ids[anchor], pair)
    if (!negated) return same
    if (anchor === undefined) return call('match.differs', pair)
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

/** The ways in which one value of the rule can match; stops when the rule has become too large. */
function leavesOf(value: SigmaValue, item: SigmaItem, context: LeafContext): readonly Leaf[] {
  const out: Leaf[] = []
  for (const leaf of makeLeaves(value, item, context)) {
    if (!spend(context, 1, item)) break
    out.push(leaf)
  }
  return out
}

function* makeLeaves(value: SigmaValue, item: SigmaItem, context: LeafContext): Iterable<Leaf> {
  if (value.value === null) {
    yield { kind: 'null' }
    return
  }
  if (item.matcher.kind === 'regex') {
    yield* regexLeaves(value, item, context)
    return
  }
  const { anchor = item.field === undefined ? ('contains' as const) : undefined } = item.matcher
  for (const tokens of tokensOf(value, item, context)) {
    yield* dashLeaves(anchorTokens(tokens, anchor), value, item, context)
  }
}

/** The dashes written out, or as one pattern when they are too many. */
function dashLeaves(
  tokens: Tokens,
  value: SigmaValue,
  item: SigmaItem,
  context: LeafContext,
): readonly Leaf[] {
  if (!tokens.some((token) => token.kind === 'dash')) return [{ kind: 'tokens', tokens }]
  if (dashCount(tokens) <= roomFor(context)) {
    return writeDashes(tokens).map((each) => ({ kind: 'tokens', tokens: each }))
  }
  const pattern = dashPattern(tokens, item.matcher.cased)
  if (pattern.length <= limits.regexBytes) return [{ kind: 'regex', pattern }]
  const params = { what: 'the value with its dashes', size: `${pattern.length} characters` }
  const limit = limits.regexBytes
  context.diagnostics.push(diagnose('HR004', { ...params, limit }, value.span))
  return []
}

/** How many values one value with dashes may become. */
function roomFor(context: LeafContext): number {
  return Math.min(limits.windashValues, limits.ruleValues - context.values)
}

function regexLeaves(value: SigmaValue, item: SigmaItem, context: LeafContext): readonly Leaf[] {
  const patterns = item.matcher.expands ? (fillText(value, context) ?? []) : [value.text]
  return patterns.flatMap((written): readonly Leaf[] => {
    const { value: pattern, diagnostics } = checkRegex(written, item.matcher.flags)
    const isPlace = value.exact && written === value.text
    context.diagnostics.push(
      ...diagnostics.map((each) => {
        const { start } = value.span
        const span =
          isPlace && each.span
            ? { start: start + each.span.start, end: start + each.span.end }
            : value.span
        return { ...each, span }
      }),
    )
    return pattern === undefined ? [] : [{ kind: 'regex', pattern }]
  })
}

/** The value as tokens, placeholders filled and encodings applied; dashes are only marked when they may stay so. */
function* tokensOf(value: SigmaValue, item: SigmaItem, context: LeafContext): Iterable<Tokens> {
  const { matcher } = item
  if (typeof value.value !== 'string') {
    yield plainTokens(String(value.value))
    return
  }
  const isEncoded = matcher.utf16 !== undefined || matcher.base64 !== undefined
  const filled = matcher.expands ? fillTokens(value, context) : [readText(value.text)]
  for (const tokens of filled ?? []) {
    const marked = matcher.dashes ? markDashes(tokens) : tokens
    if (isEncoded) yield* encode(marked, value, item, context)
    else yield marked
  }
}

function encode(
  tokens: Tokens,
  value: SigmaValue,
  item: SigmaItem,
  context: LeafContext,
): readonly Tokens[] {
  const { utf16, base64: form } = item.matcher
  const refuse = (diagnostic: Diagnostic): readonly Tokens[] => {
    context.diagnostics.push(diagnostic)
    return []
  }
  const count = dashCount(tokens)
  if (count > roomFor(context)) {
    const params = { what: 'the number of ways to write the dashes', size: count }
    return refuse(diagnose('HR004', { ...params, limit: limits.windashValues }, value.span))
  }
  return writeDashes(tokens).flatMap((written): readonly Tokens[] => {
    if (form === undefined)
      return utf16Tokens(written, item) ?? refuse(diagnose('HR350', {}, value.span))
    const [only] = written
    if (written.length > 1 || (only !== undefined && only.kind !== 'text')) {
      return refuse(diagnose('HR348', {}, value.span))
    }
    const plain = only?.text ?? ''
    const bytes = utf16 === undefined ? new TextEncoder().encode(plain) : utf16Bytes(plain, utf16)
    const encoded = form === 'whole' ? [base64(bytes)] : base64Offsets(bytes)
    return encoded.includes('')
      ? refuse(diagnose('HR349', {}, value.span))
      : encoded.map(plainTokens)
  })
}

/** The UTF-16 bytes as the text that a log would show for them, or undefined when they are no text. */
function utf16Tokens(tokens: Tokens, item: SigmaItem): readonly Tokens[] | undefined {
  const { utf16 } = item.matcher
  if (utf16 === undefined || utf16 === 'bom') return undefined
  const out = tokens.map((token) => {
    if (token.kind !== 'text') return token
    const decoded = textOfBytes(utf16Bytes(token.text, utf16))
    return decoded === undefined ? undefined : { kind: 'text' as const, text: decoded }
  })
  const known = out.filter((token) => token !== undefined)
  return known.length === out.length ? [known] : undefined
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
