/** Things with names that stand in several texts: macros, lookups, functions, watchlists. */
import { diagnose } from '../core/diagnostic.ts'
import type { RuleProblem, RuleText } from './files.ts'

/** A thing and the text that holds it. */
export interface Held<T> {
  readonly from: RuleText
  readonly value: T
}

export interface Naming<T> {
  /** What the things are, for messages. */
  readonly what: string
  readonly nameOf: (value: T) => string
  /** What two of a name must have in common to be the same. */
  readonly meaningOf: (value: T) => unknown
  /** True where the first means to replace the other. */
  readonly replaces?: (first: RuleText, other: RuleText) => boolean
}

/** The first of each name; of two that differ the other is told, unless it is meant to be replaced. */
export function firstOf<T>(
  all: readonly Held<T>[],
  { what, nameOf, meaningOf, replaces }: Naming<T>,
): { readonly kept: readonly T[]; readonly problems: readonly RuleProblem[] } {
  const kept = new Map<string, Held<T>>()
  const problems = all.flatMap((each): readonly RuleProblem[] => {
    const name = nameOf(each.value)
    const known = kept.get(name)
    if (known === undefined) {
      kept.set(name, each)
      return []
    }
    const [first, again] = [known, each].map(({ value }) => JSON.stringify(meaningOf(value)))
    if (first === again || replaces?.(known.from, each.from) === true) return []
    const diagnostic = diagnose('HR465', { what, name, first: known.from.file })
    return [{ root: each.from.root, file: each.from.file, diagnostic }]
  })
  return { kept: [...kept.values()].map(({ value }) => value), problems }
}
