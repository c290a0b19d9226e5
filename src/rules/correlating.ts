/**
 * Sigma correlations of a call as rules: the rules that they name are found among all documents, and what is said of
 * fields under aliases is settled for each of them. The plan of a correlation is the union of those of its rules, each
 * giving which rule matched, when, and the fields of the group; what fires is decided over that stream.
 */
import { type Diagnostic, diagnose } from '../core/diagnostic.ts'
import { limits } from '../core/limits.ts'
import { suggest } from '../core/suggest.ts'
import type { Correlation, NamedRule } from '../dialects/sigma/correlation.ts'
import { field, text } from '../ir/expr.ts'
import type { Binding, Rel } from '../ir/rel.ts'
import { META, QUERY_PREFIX } from '../schema/source.ts'
import type { CorrelatedRule, CorrelationPart, Rule } from './rule.ts'
import { LEVELS, type Level, rankOf } from './rule.ts'
import type { SigmaNamed, SigmaNames } from './sigmafilters.ts'

/** What a correlation finds of a document that it names. */
export interface Counted {
  /** Absent when the document cannot be used. */
  readonly rule?: Rule
  readonly diagnostics: readonly Diagnostic[]
}

/** Looks up documents; what it gives for a correlation is the correlation made already. */
export type Finder<T> = (document: T) => Counted

/** Column of a correlation's plan that names the rule which matched. */
const RULE_COLUMN = `${QUERY_PREFIX}rule`

/** A named rule, or what is wrong about it. */
function findRule<T extends SigmaNamed>(
  { name, span }: NamedRule,
  names: SigmaNames<T>,
  path: readonly T[],
  find: Finder<T>,
): { readonly document: T; readonly rule: Rule } | Diagnostic {
  const short = name.slice(0, 64)
  const all = names.of(name)
  // A name within the file goes before the same one elsewhere.
  const near = all.filter(({ file }) => file === path.at(-1)?.file)
  const [document, ...others] = near.length > 0 ? near : all
  if (document === undefined) {
    return diagnose('HR364', { name: short, help: names.help(name) }, span)
  }
  if (others.length > 0) return diagnose('HR371', { name: short, count: others.length + 1 }, span)
  if (path.includes(document)) {
    const loop = [...path.slice(path.indexOf(document)), document]
    const titles = loop.map(({ head }) => (head.name ?? head.title).slice(0, 64))
    return diagnose('HR365', { path: titles.join(' > ') }, span)
  }
  if (path.length >= limits.correlationDepth) {
    const params = { what: 'the number of correlations over each other', size: path.length + 1 }
    return diagnose('HR004', { ...params, limit: limits.correlationDepth }, span)
  }
  const { rule, diagnostics } = find(document)
  if (rule !== undefined) return { document, rule }
  const cause = diagnostics.find(({ severity }) => severity === 'error')?.message
  const reason = document.head.kind === 'filter' ? 'it is a filter' : (cause ?? 'it is refused')
  return diagnose('HR366', { name: short, reason: reason.slice(0, 300) }, span)
}

/** What the events of one rule call the fields of the correlation. */
function fieldsOf(
  { aliases, groupBy, fields }: Correlation,
  spellings: readonly (string | undefined)[],
): ReadonlyMap<string, string> {
  return new Map(
    [...groupBy, ...fields].map((name): readonly [string, string] => {
      const alias = aliases.find((each) => each.name === name)
      const own = alias?.fields.find((each) => spellings.includes(each.name))
      return [name, own?.field ?? name]
    }),
  )
}

/** Aliases for rules that the correlation does not use. */
function strayAliases({ aliases }: Correlation, known: readonly string[]): readonly Diagnostic[] {
  return aliases.flatMap(({ fields }) =>
    fields.flatMap(({ name, span }) => {
      if (known.includes(name)) return []
      const near = suggest(name, known)
      const help =
        near === undefined ? 'write the name as it stands in "rules"' : `did you mean "${near}"?`
      return [diagnose('HR367', { name: name.slice(0, 64), help }, span)]
    }),
  )
}

/** Fields that the correlation asks of findings of another one, which have only those of its groups. */
function lackingField(rule: Rule, fields: ReadonlyMap<string, string>): string | undefined {
  const own = rule.correlation?.groupBy
  return own === undefined ? undefined : [...fields.values()].find((each) => !own.includes(each))
}

function columnsOf({ name, rule, fields }: CorrelatedRule): Rel {
  const keep: Binding[] = [
    { name: RULE_COLUMN, value: text(name) },
    { name: META.time, value: field(META.time, 'time') },
    ...[...fields].map(([own, each]) => ({ name: own, value: field(each) })),
  ]
  return { op: 'select', from: rule.rel, keep }
}

/** The plan of a correlation: the matches of all its rules. */
function planOf(rules: readonly CorrelatedRule[]): Rel {
  const [only, ...others] = rules.map(columnsOf)
  return only !== undefined && others.length === 0
    ? only
    : { op: 'union', all: rules.map(columnsOf) }
}

export interface Correlated<T> {
  readonly part?: CorrelationPart
  readonly rel?: Rel
  /** The documents that it counts. */
  readonly documents: readonly T[]
  /** The highest level of its rules. */
  readonly level: Level
  readonly logsource: string
  readonly diagnostics: readonly Diagnostic[]
}

/** A correlation with its rules; without a part there are errors. */
export function correlate<T extends SigmaNamed>(
  correlation: Correlation,
  names: SigmaNames<T>,
  path: readonly T[],
  find: Finder<T>,
): Correlated<T> {
  const diagnostics: Diagnostic[] = []
  const documents: T[] = []
  const spelled: string[] = []
  const rules = correlation.rules.flatMap((named): readonly CorrelatedRule[] => {
    spelled.push(named.name)
    const found = findRule(named, names, path, find)
    if (!('rule' in found)) {
      diagnostics.push(found)
      return []
    }
    const { document, rule } = found
    // By its name and by its id it is one rule: its matches must not count twice. An expression may use both.
    if (correlation.expression === undefined && documents.includes(document)) {
      diagnostics.push(diagnose('HR369', { name: named.name.slice(0, 64) }, named.span))
      return []
    }
    const spellings = [named.name, document.head.name, document.head.id]
    for (const each of spellings) if (each !== undefined) spelled.push(each)
    const fields = fieldsOf(correlation, spellings)
    const lacking = lackingField(rule, fields)
    if (lacking !== undefined) {
      const reason = `its findings have the fields of its group-by, and no "${lacking.slice(0, 64)}"`
      const params = { name: named.name.slice(0, 64), reason }
      diagnostics.push(diagnose('HR366', params, named.span))
      return []
    }
    documents.push(document)
    return [{ name: named.name, rule, fields }]
  })
  diagnostics.push(...strayAliases(correlation, spelled))
  const level = rules
    .map(({ rule }) => rule.level)
    .reduce<Level>((a, b) => (rankOf(a) >= rankOf(b) ? a : b), LEVELS[0])
  const logsource = [...new Set(rules.map(({ rule }) => rule.logsource))].join(', ')
  const told = { documents, level, logsource, diagnostics }
  if (diagnostics.some(({ severity }) => severity === 'error')) return told
  const { type, groupBy, timespan, comparisons, fields, percentile, expression } = correlation
  const part: CorrelationPart = {
    type,
    rules,
    groupBy,
    timespan,
    comparisons,
    fields,
    percentile,
    ...(expression === undefined ? {} : { expression }),
    generate: correlation.generate,
  }
  return { ...told, part, rel: planOf(rules) }
}
