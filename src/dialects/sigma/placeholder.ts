/**
 * Placeholders: `%name%` under the modifier `expand` stands for each value that the settings have for the name.
 * A placeholder without values is an error, never a wildcard.
 */
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import { limits } from '../../core/limits.ts'
import type { SigmaValue } from './detection.ts'
import { joinTokens, readText, type Token, type Tokens } from './value.ts'

/** Values by the name of the placeholder, case matters; texts may hold wildcards as rule values do. */
export type Placeholders = ReadonlyMap<string, readonly (string | number)[]>

interface FillContext {
  readonly placeholders: Placeholders
  readonly diagnostics: Diagnostic[]
  /** Values that placeholders have made in the rule so far. */
  filled: number
}

/** Each placeholder of a value multiplies its forms. */
const MOST_HOLES = 16

const HOLES = /(?<!\\)%([\p{L}\p{N}_.-]{1,128})%/gu

/** The values of a placeholder, or undefined with an error when there are none. */
function valuesOf(
  name: string,
  value: SigmaValue,
  context: FillContext,
): readonly string[] | undefined {
  const known = context.placeholders.get(name)
  if (known !== undefined && known.length > 0) return known.map(String)
  context.diagnostics.push(diagnose('HR352', { name }, value.span))
  return undefined
}

function tooMuch(what: string, size: number, limit: number, value: SigmaValue): Diagnostic {
  return diagnose('HR004', { what, size, limit }, value.span)
}

/** An error when the combinations of the parts are too many, or too long together. */
function checkSize(
  parts: readonly (readonly unknown[])[],
  value: SigmaValue,
  context: FillContext,
): Diagnostic | undefined {
  const count = parts.reduce((product, part) => product * part.length, 1)
  const length = count * value.text.length
  context.filled += count
  if (context.filled > limits.ruleValues) {
    const what = 'the number of values that the placeholders make'
    return tooMuch(what, context.filled, limits.ruleValues, value)
  }
  return length > limits.writtenCharacters
    ? tooMuch('the text that the placeholders make', length, limits.writtenCharacters, value)
    : undefined
}

/**
 * Every combination of the alternatives of the parts: fixed ones, and holes by their names. Undefined, with
 * errors, when a name has no values or the combinations would be too large.
 */
function combine<T>(
  parts: readonly (T | { readonly hole: string })[],
  isHole: (part: T | { readonly hole: string }) => part is { readonly hole: string },
  read: (text: string) => T,
  value: SigmaValue,
  context: FillContext,
): readonly (readonly T[])[] | undefined {
  // The error that the rule has become too large is given once.
  if (context.filled > limits.ruleValues) return undefined
  const holes = parts.filter(isHole).length
  if (holes === 0) context.diagnostics.push(diagnose('HR353', {}, value.span))
  if (holes > MOST_HOLES) {
    const what = 'the number of placeholders in one value'
    context.diagnostics.push(tooMuch(what, holes, MOST_HOLES, value))
    return undefined
  }
  const found = parts.map((part) =>
    isHole(part) ? valuesOf(part.hole, value, context)?.map(read) : [part],
  )
  const known = found.filter((part) => part !== undefined)
  if (known.length < found.length) return undefined
  const wrong = checkSize(known, value, context)
  if (wrong !== undefined) {
    context.diagnostics.push(wrong)
    return undefined
  }
  let all: readonly (readonly T[])[] = [[]]
  for (const part of known) all = all.flatMap((start) => part.map((each) => [...start, each]))
  return all
}

/** A text value with its placeholders filled; undefined, with errors, when that is not possible. */
export function fillTokens(value: SigmaValue, context: FillContext): readonly Tokens[] | undefined {
  const parts: (Token[] | { readonly hole: string })[] = []
  for (const token of readText(value.text, true)) {
    const last = parts.at(-1)
    if (token.kind === 'hole') parts.push({ hole: token.name })
    else if (Array.isArray(last)) last.push(token)
    else parts.push([token])
  }
  const isHole = (part: Tokens | { readonly hole: string }): part is { readonly hole: string } =>
    !Array.isArray(part)
  return combine<Tokens>(parts, isHole, (text) => readText(text), value, context)?.map((each) =>
    joinTokens(each.flat()),
  )
}

/** The same for a value that has a syntax of its own (a pattern, a network): values are put in as they are. */
export function fillText(value: SigmaValue, context: FillContext): readonly string[] | undefined {
  // Every second piece is a name, as the expression has one group.
  const parts = value.text
    .split(HOLES)
    .map((piece, index) => (index % 2 === 1 ? { hole: piece } : piece))
  const isHole = (part: string | { readonly hole: string }): part is { readonly hole: string } =>
    typeof part !== 'string'
  return combine<string>(parts, isHole, (text) => text, value, context)?.map((each) =>
    each.join(''),
  )
}
