/**
 * The ways in which one value of a rule can match: its wildcards, placeholders, dashes and encodings settled.
 * Takes a value with its modifiers, gives leaves that `item.ts` turns into calls; errors go to the context.
 */
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import { limits } from '../../core/limits.ts'
import { checkRegex } from '../../core/regex.ts'
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
import type { Matcher } from './modifiers.ts'
import { fillText, fillTokens, type Placeholders } from './placeholder.ts'
import { anchorTokens, dashPattern, plainTokens, readText, type Tokens } from './value.ts'

/** What the tests of one rule share while they are lowered. */
export interface LeafContext {
  readonly placeholders: Placeholders
  readonly diagnostics: Diagnostic[]
  /** Field names in the order of their first use. */
  readonly fields: Set<string>
  keywords: boolean
  /** Values written so far. */
  values: number
  /** Values that placeholders have made so far. */
  filled: number
}

/** One way to match: a text with wildcards, a finished RE2 pattern, or absence. */
export type Leaf =
  | { readonly kind: 'tokens'; readonly tokens: Tokens }
  | { readonly kind: 'regex'; readonly pattern: string }
  | { readonly kind: 'null' }

/** Characters of a value that count as one value. */
const LONG_VALUE = 256

/** Counts values; false, with one error, when the rule has become too large. */
export function spend(context: LeafContext, count: number, item: SigmaItem): boolean {
  const before = context.values
  context.values += count
  if (context.values <= limits.ruleValues) return true
  if (before <= limits.ruleValues) {
    const params = { what: 'the number of values', size: context.values }
    context.diagnostics.push(diagnose('HR004', { ...params, limit: limits.ruleValues }, item.span))
  }
  return false
}

/** True when no more values may be written; the error has been given. */
export function isFull(context: LeafContext): boolean {
  return context.values > limits.ruleValues
}

/** The ways in which one value of the rule can match; stops when the rule has become too large. */
export function leavesOf(
  value: SigmaValue,
  item: SigmaItem,
  context: LeafContext,
): readonly Leaf[] {
  const out: Leaf[] = []
  if (isFull(context)) return out
  for (const leaf of makeLeaves(value, item, context)) {
    if (!spend(context, weightOf(leaf), item)) break
    out.push(leaf)
  }
  return out
}

/** How much a leaf counts: a long text is written out wherever the condition names its selection. */
function weightOf(leaf: Leaf): number {
  if (leaf.kind === 'null') return 1
  const length =
    leaf.kind === 'regex'
      ? leaf.pattern.length
      : leaf.tokens.reduce((sum, token) => sum + (token.kind === 'text' ? token.text.length : 1), 0)
  return 1 + Math.floor(length / LONG_VALUE)
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
  if (canWrite(tokens, value, context)) {
    return writeDashes(tokens).map((each) => ({ kind: 'tokens', tokens: each }))
  }
  const pattern = dashPattern(tokens, item.matcher.cased)
  if (pattern.length <= limits.regexBytes) return [{ kind: 'regex', pattern }]
  const params = { what: 'the value with its dashes', size: `${pattern.length} characters` }
  const limit = limits.regexBytes
  context.diagnostics.push(diagnose('HR004', { ...params, limit }, value.span))
  return []
}

/** True when the ways to write the dashes are few enough, and not too long together. */
function canWrite(tokens: Tokens, value: SigmaValue, context: LeafContext): boolean {
  const count = dashCount(tokens)
  return (
    count <= Math.min(limits.windashValues, limits.ruleValues - context.values) &&
    count * value.text.length <= limits.writtenCharacters
  )
}

function* regexLeaves(value: SigmaValue, item: SigmaItem, context: LeafContext): Iterable<Leaf> {
  const patterns = item.matcher.expands ? (fillText(value, context) ?? []) : [value.text]
  for (const written of patterns) {
    const { value: pattern, diagnostics } = checkRegex(written, item.matcher.flags)
    const isPlace = value.exact && written === value.text
    const { start } = value.span
    for (const each of diagnostics) {
      const span =
        isPlace && each.span
          ? { start: start + each.span.start, end: start + each.span.end }
          : value.span
      context.diagnostics.push({ ...each, span })
    }
    if (pattern === undefined) return
    yield { kind: 'regex', pattern }
  }
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
    const made = isEncoded ? encode(marked, value, item, context) : [marked]
    if (made === undefined) return
    yield* made
  }
}

/** The value with its encodings, or undefined with one error. */
function encode(
  tokens: Tokens,
  value: SigmaValue,
  item: SigmaItem,
  context: LeafContext,
): readonly Tokens[] | undefined {
  const out: Tokens[] = []
  const refuse = (diagnostic: Diagnostic): undefined => {
    context.diagnostics.push(diagnostic)
    return undefined
  }
  if (!canWrite(tokens, value, context)) {
    const params = { what: 'the number of ways to write the dashes', size: dashCount(tokens) }
    return refuse(diagnose('HR004', { ...params, limit: limits.windashValues }, value.span))
  }
  for (const written of writeDashes(tokens)) {
    if (item.matcher.base64 === undefined) {
      const wide = utf16Tokens(written, item)
      if (wide === undefined) return refuse(diagnose('HR350', {}, value.span))
      out.push(wide)
    } else {
      const forms = base64Forms(written, item.matcher)
      if (forms === undefined) return refuse(diagnose('HR348', {}, value.span))
      if (forms.includes('')) return refuse(diagnose('HR349', {}, value.span))
      out.push(...forms.map(plainTokens))
    }
  }
  return out
}

/** The base64 forms of a plain text, or undefined when there are wildcards in it. */
function base64Forms(
  tokens: Tokens,
  { utf16, base64: form }: Matcher,
): readonly string[] | undefined {
  const [only] = tokens
  if (tokens.length > 1 || (only !== undefined && only.kind !== 'text')) return undefined
  const plain = only?.text ?? ''
  const bytes = utf16 === undefined ? new TextEncoder().encode(plain) : utf16Bytes(plain, utf16)
  return form === 'whole' ? [base64(bytes)] : base64Offsets(bytes)
}

/** The UTF-16 bytes as the text that a log would show for them, or undefined when they are no text. */
function utf16Tokens(tokens: Tokens, item: SigmaItem): Tokens | undefined {
  const { utf16 } = item.matcher
  if (utf16 === undefined || utf16 === 'bom') return undefined
  const out = tokens.map((token) => {
    if (token.kind !== 'text') return token
    const decoded = textOfBytes(utf16Bytes(token.text, utf16))
    return decoded === undefined ? undefined : { kind: 'text' as const, text: decoded }
  })
  const known = out.filter((token) => token !== undefined)
  return known.length === out.length ? known : undefined
}
