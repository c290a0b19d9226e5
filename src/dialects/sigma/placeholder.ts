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
}

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

/**
 * Every combination of the alternatives of the parts, or undefined with an error when they are too many.
 */
function combine<T>(
  parts: readonly (readonly T[])[],
  value: SigmaValue,
  context: FillContext,
): readonly (readonly T[])[] | undefined {
  const count = parts.reduce((product, part) => product * part.length, 1)
  if (count > limits.ruleValues) {
    const params = { what: 'the number of values that the placeholders make', size: count }
    context.diagnostics.push(diagnose('HR004', { ...params, limit: limits.ruleValues }, value.span))
    return undefined
  }
  let all: readonly (readonly T[])[] = [[]]
  for (const part of parts) all = all.flatMap((start) => part.map((each) => [...start, each]))
  return all
}

function fill<T>(
  parts: readonly (readonly T[] | undefined)[],
  hasHoles: boolean,
  value: SigmaValue,
  context: FillContext,
): readonly (readonly T[])[] | undefined {
  if (!hasHoles) context.diagnostics.push(diagnose('HR353', {}, value.span))
  const known = parts.filter((part) => part !== undefined)
  return known.length < parts.length ? undefined : combine(known, value, context)
}

/** A text value with its placeholders filled; undefined, with errors, when that is not possible. */
export function fillTokens(value: SigmaValue, context: FillContext): readonly Tokens[] | undefined {
  const tokens = readText(value.text, true)
  const parts = tokens.map((token): readonly Tokens[] | undefined =>
    token.kind === 'hole'
      ? valuesOf(token.name, value, context)?.map((each) => readText(each))
      : [[token]],
  )
  const hasHoles = tokens.some((token) => token.kind === 'hole')
  return fill<readonly Token[]>(parts, hasHoles, value, context)?.map((each) =>
    joinTokens(each.flat()),
  )
}

/** The same for a value that has a syntax of its own (a pattern, a network): values are put in as they are. */
export function fillText(value: SigmaValue, context: FillContext): readonly string[] | undefined {
  // Every second piece is a name, as the expression has one group.
  const pieces = value.text.split(HOLES)
  const parts = pieces.map((piece, index) =>
    index % 2 === 1 ? valuesOf(piece, value, context) : [piece],
  )
  return fill(parts, pieces.length > 1, value, context)?.map((each) => each.join(''))
}
