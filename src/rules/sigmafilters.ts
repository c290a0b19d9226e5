/**
 * Sigma filters of a call: each becomes part of the rules that it is for. A filter is joined to a rule when its log source
 * contains the rule's, and its condition says what is kept, as in pySigma.
 */
import { type Diagnostic, diagnose } from '../core/diagnostic.ts'
import { suggest } from '../core/suggest.ts'
import type { SigmaFilter } from '../dialects/sigma/filter.ts'
import { type LoweredSigma, lowerSigma, type SigmaOptions } from '../dialects/sigma/lower.ts'
import type { SigmaHead, SigmaLogsource } from '../dialects/sigma/rule.ts'
import { narrowedRule } from './filtering.ts'
import type { Rule, Stage } from './rule.ts'

/** A document that rules and filters may name. */
export interface SigmaNamed {
  readonly file: string
  readonly head: SigmaHead
}

/** The documents of a call by name and id. */
export class SigmaNames<T extends SigmaNamed> {
  readonly #known = new Map<string, T[]>()

  constructor(all: readonly T[]) {
    for (const each of all) {
      const { id, name } = each.head
      for (const key of new Set([id?.toLowerCase(), name])) {
        if (key === undefined || key === '') continue
        const known = this.#known.get(key) ?? []
        this.#known.set(key, known)
        known.push(each)
      }
    }
  }

  /** Those with a name or an id. */
  of(name: string): readonly T[] {
    return this.#known.get(name) ?? this.#known.get(name.toLowerCase()) ?? []
  }

  /** What may have been meant by a name that is not here. */
  help(name: string): string {
    const near = suggest(name, this.#known.keys())
    return near === undefined
      ? 'name its file or folder in the same call'
      : `did you mean "${near}"?`
  }
}

/** A filter with its condition. */
export interface ReadFilter {
  readonly head: SigmaHead
  readonly file: string
  readonly filter: SigmaFilter
  readonly lowered: LoweredSigma
  readonly stages: readonly Stage[]
}

/** The condition of a filter; without a value there are errors. */
export function lowerFilter(
  head: SigmaHead,
  { detection }: SigmaFilter,
  options: SigmaOptions,
): ReturnType<typeof lowerSigma> {
  const logsource: SigmaLogsource = head.logsource ?? { custom: new Map() }
  return lowerSigma({ ...head, kind: 'detection', logsource, detection }, options)
}

/** True when all that the wider source asks is asked by the narrower one too. */
function contains(wide: SigmaLogsource | undefined, narrow: SigmaLogsource | undefined): boolean {
  const keys = ['product', 'category', 'service'] as const
  return keys.every((key) => wide?.[key] === undefined || wide[key] === narrow?.[key])
}

/** Which of the documents a filter is for, with what is to be said of those that it names in vain. */
export function filteredBy<T extends SigmaNamed>(
  { head, filter }: ReadFilter,
  rules: readonly T[],
  names: SigmaNames<T>,
): { readonly rules: readonly T[]; readonly diagnostics: readonly Diagnostic[] } {
  const isWithin = (each: T): boolean => contains(head.logsource, each.head.logsource)
  if (filter.rules === 'any') return chosen(rules.filter(isWithin), [])
  const diagnostics: Diagnostic[] = []
  const found = filter.rules.flatMap(({ name, span }): readonly T[] => {
    const named = names.of(name)
    if (named.length === 0) {
      const params = { name: name.slice(0, 64), help: names.help(name) }
      diagnostics.push(diagnose('HR380', params, span))
    }
    return named.filter((each) => {
      const isRule = each.head.kind === 'detection'
      if (isRule && isWithin(each)) return true
      const reason = isRule
        ? 'its log source lies outside of that of the filter'
        : 'it is no rule over single events; filter the rules that it counts'
      diagnostics.push(diagnose('HR382', { name: name.slice(0, 64), reason }, span))
      return false
    })
  })
  return chosen([...new Set(found)], diagnostics)
}

function chosen<T>(rules: readonly T[], told: readonly Diagnostic[]) {
  const diagnostics = rules.length > 0 ? told : [...told, diagnose('HR384', {})]
  return { rules, diagnostics }
}

/** A rule with filters, and the notices of what was joined to it. */
export function withFilters(
  rule: Rule,
  filters: readonly ReadFilter[],
): { readonly rule: Rule; readonly diagnostics: readonly Diagnostic[] } {
  let made = rule
  const diagnostics: Diagnostic[] = []
  for (const { head, file, lowered, stages } of filters) {
    const narrowed = narrowedRule(made, lowered.where, lowered.fields)
    if (narrowed === undefined) continue
    made = { ...narrowed, stages: [...narrowed.stages, ...stages] }
    diagnostics.push(diagnose('HR383', { title: head.title.slice(0, 128), file }))
  }
  return { rule: made, diagnostics }
}
