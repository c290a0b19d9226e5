/**
 * Filters of overlays as parts of rules. A filter says what is hidden, in the language of its rule: search terms or a
 * pipeline for SPL, a condition or a pipeline for Kusto, selections for Sigma. It is compiled with the rule, and a rule
 * whose filter does not compile is refused.
 */

import { type Diagnostic, diagnose, hasErrors, type Outcome } from '../core/diagnostic.ts'
import { withoutEnd } from '../core/trim.ts'
import type { YamlNode } from '../core/yaml.ts'
import { readDetection } from '../dialects/sigma/detection.ts'
import { type LoweredSigma, lowerSigma, type SigmaOptions } from '../dialects/sigma/lower.ts'
import type { Macro } from '../dialects/spl/world.ts'
import { and, type Expr, not } from '../ir/expr.ts'
import type { Rel } from '../ir/rel.ts'
import { childrenOf } from '../ir/walk.ts'
import { truthOf } from '../plan/truth.ts'
import type { OverlayFilter } from './overlay.ts'
import { type Overlaid, type Overlays, overlaid } from './overlaying.ts'
import type { LoadedRule, Rule } from './rule.ts'

interface Quoting {
  /** Characters that open and close texts. */
  readonly quotes: string
  /** True where `@` before a text takes backslashes for what they are, and `//` begins a comment. */
  readonly isKusto: boolean
}

const OF_SEARCHES: Quoting = { quotes: '"', isKusto: false }
const OF_QUERIES: Quoting = { quotes: `"'`, isKusto: true }

/** What is wrong with a condition whose brackets would reach out of those that are put around it; undefined when nothing is. */
function imbalance(text: string, { quotes, isKusto }: Quoting): string | undefined {
  let depth = 0
  let quote = ''
  let isVerbatim = false
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? ''
    if (quote !== '') {
      if (char === '\\' && !isVerbatim) at++
      else if (char === quote) quote = ''
    } else if (quotes.includes(char)) {
      quote = char
      isVerbatim = isKusto && text[at - 1] === '@'
    } else if (isKusto && text.startsWith('//', at)) {
      const end = text.indexOf('\n', at)
      at = end === -1 ? text.length : end
    } else if (char === '(') depth++
    else if (char === ')' && --depth < 0) return 'it closes a bracket that it does not open'
  }
  if (quote !== '') return `a quotation mark ${quote} is not closed`
  return depth > 0 ? 'a bracket is not closed' : undefined
}

const unusable = ({ where }: OverlayFilter, reason: string): Diagnostic =>
  diagnose('HR945', { file: where, reason: reason.slice(0, 500) })

/** Text of a filter that goes behind a search or a query, with its bar; or what is wrong with it. */
function pipelineOf(
  filter: OverlayFilter,
  quoting: Quoting,
  hide: (condition: string) => string,
): string | Diagnostic {
  if (filter.node.kind !== 'scalar') {
    return unusable(
      filter,
      'for this rule it must be a text: a condition, or a pipeline that begins with |',
    )
  }
  const { written } = filter
  if (written.startsWith('|')) return written
  const wrong = imbalance(written, quoting)
  return wrong === undefined ? `| ${hide(written)}` : unusable(filter, wrong)
}

/** How a filter becomes part of a search: as the rule's own filter macro where it calls one, or behind it. */
export interface FilteredSearch {
  readonly search: string
  /** Goes before all other macros. */
  readonly macro?: Macro
}

const bare = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '')

/** The filter macro that a search calls for its rule: the one with the rule's name, or the one at its end. */
function filterMacroOf(search: string, title: string): string | undefined {
  const calls = [...search.matchAll(/`([A-Za-z0-9_]+_filter)`/g)].flatMap(([, name = '']) => name)
  const own = calls.find((name) => bare(name) === `${bare(title)}filter`)
  return own ?? /\|\s*`([A-Za-z0-9_]+_filter)`\s*$/.exec(search)?.[1]
}

/** A search with a filter; `known` is what its filter macro means already, if anything. */
export function filteredSearch(
  search: string,
  title: string,
  filter: OverlayFilter,
  known: (macro: string) => string | undefined,
): FilteredSearch | Diagnostic {
  const pipeline = pipelineOf(filter, OF_SEARCHES, (condition) => `search NOT (${condition})`)
  if (typeof pipeline !== 'string') return pipeline
  const name = filterMacroOf(search, title)
  if (name === undefined) return { search: `${search.trimEnd()}\n${pipeline}` }
  const definition = `${known(name) ?? 'search *'} ${pipeline}`
  return { search, macro: { name, args: [], definition, file: filter.where } }
}

/** The text of a query with a filter behind it. */
export function filteredQuery(query: string, filter: OverlayFilter): string | Diagnostic {
  const pipeline = pipelineOf(filter, OF_QUERIES, (condition) => `where not(\n${condition}\n)`)
  if (typeof pipeline !== 'string') return pipeline
  return `${withoutEnd(query, /[\s;]/)}\n${pipeline}\n`
}

/** Filters of a plan that let nothing through. */
function deadEnds(rel: Rel): number {
  const own = rel.op === 'filter' && truthOf(rel.where) === false ? 1 : 0
  return childrenOf(rel).reduce((sum, each) => sum + deadEnds(each), own)
}

/** What a filter did to a plan, as diagnostics of its rule: what it says that the rule alone did not, and a match of all. */
export function filterProblems(
  filter: OverlayFilter,
  before: { readonly rel?: Rel; readonly diagnostics: readonly Diagnostic[] },
  after: { readonly rel?: Rel; readonly diagnostics: readonly Diagnostic[] },
): readonly Diagnostic[] {
  const known = new Set(before.diagnostics.map(({ code, message }) => `${code} ${message}`))
  const fresh = after.diagnostics.filter(({ code, message }) => !known.has(`${code} ${message}`))
  const told = fresh.map(({ severity, message, hint }) => {
    const reason = hint === undefined ? message : `${message} (${hint})`
    return severity === 'error'
      ? unusable(filter, reason)
      : diagnose('HR947', { file: filter.where, reason: reason.slice(0, 500) })
  })
  const { rel } = after
  if (before.rel === undefined || rel === undefined) return told
  const isAll = deadEnds(rel) > deadEnds(before.rel)
  return isAll ? [...told, diagnose('HR946', { file: filter.where })] : told
}

/** The condition of a Sigma filter: selections with a condition, or one selection that is hidden. */
function sigmaFilter(filter: OverlayFilter, options: SigmaOptions): Outcome<LoweredSigma> {
  const { node, source } = filter
  if (node.kind === 'scalar') {
    return {
      diagnostics: [unusable(filter, 'for a Sigma rule it must be a map: fields with values')],
    }
  }
  const isFull = node.kind === 'map' && node.entries.some(({ key }) => key === 'condition')
  const { span } = node
  const entry = (key: string, value: YamlNode) => ({ key, keySpan: span, value })
  const word: YamlNode = { kind: 'scalar', value: 'hidden', text: 'hidden', quoted: false, span }
  const whole: YamlNode = isFull
    ? node
    : { kind: 'map', span, entries: [entry('hidden', node), entry('condition', word)] }
  const { detection, diagnostics } = readDetection(whole, source)
  if (detection === undefined) return { diagnostics }
  const { value, diagnostics: lowered } = lowerSigma(
    {
      kind: 'detection',
      title: '',
      id: undefined,
      name: undefined,
      related: [],
      taxonomy: 'sigma',
      status: undefined,
      description: undefined,
      license: undefined,
      author: undefined,
      references: [],
      date: undefined,
      modified: undefined,
      level: undefined,
      tags: [],
      fields: [],
      falsepositives: [],
      scope: [],
      custom: new Map(),
      span,
      logsource: { custom: new Map() },
      detection,
    },
    options,
  )
  return { ...(value === undefined ? {} : { value }), diagnostics: [...diagnostics, ...lowered] }
}

/** A Sigma rule that also asks for a condition; undefined when its plan is no test of single events. */
export function narrowedRule(rule: Rule, kept: Expr, fields: readonly string[]): Rule | undefined {
  const { rel } = rule
  if (rel.op !== 'filter' || rel.from.op !== 'scan') return undefined
  const { from, where } = rel
  const known = new Set(from.out.map(({ name }) => name))
  const added = fields.filter((name) => !known.has(name))
  const out = [...from.out, ...added.map((name) => ({ name, type: 'text' as const }))]
  return {
    ...rule,
    fields: [...rule.fields, ...added],
    rel: { op: 'filter', from: { ...from, out }, where: and([where, kept]) },
  }
}

function refused(loaded: LoadedRule, diagnostics: readonly Diagnostic[]): LoadedRule {
  const { rule: _, ...rest } = loaded
  return { ...rest, diagnostics: [...loaded.diagnostics, ...diagnostics] }
}

/** A loaded rule without a filter, with what else is said of it. */
function withOverlay(loaded: LoadedRule, said: Overlaid): LoadedRule {
  if (hasErrors(said.diagnostics)) return refused(loaded, said.diagnostics)
  return loaded.rule === undefined ? loaded : { ...loaded, rule: overlaid(loaded.rule, said) }
}

/** A loaded Sigma rule with what the user's overlays say of it. */
export function overlaidSigma(
  loaded: LoadedRule,
  overlays: Overlays,
  options: SigmaOptions,
): LoadedRule {
  const said = overlays.of(loaded)
  if (said === undefined) return loaded
  const { filter } = said
  const { rule } = loaded
  if (filter === undefined || rule === undefined || hasErrors(said.diagnostics)) {
    return withOverlay(loaded, said)
  }
  const { value, diagnostics } = sigmaFilter(filter, options)
  const problems = diagnostics.map((each) =>
    each.code === 'HR945' || each.severity !== 'error' ? each : unusable(filter, each.message),
  )
  if (value === undefined || hasErrors(problems)) return refused(loaded, problems)
  if (truthOf(value.where) === true)
    return refused(loaded, [diagnose('HR946', { file: filter.where })])
  const made = narrowedRule(rule, not(value.where), value.fields)
  if (made === undefined) {
    const reason = 'the rule counts findings of other rules; put the filter on those'
    return refused(loaded, [unusable(filter, reason)])
  }
  const warnings = problems.map(({ message }) =>
    diagnose('HR947', { file: filter.where, reason: message }),
  )
  return {
    ...loaded,
    rule: overlaid(made, said, rule),
    diagnostics: [...loaded.diagnostics, ...warnings],
  }
}
