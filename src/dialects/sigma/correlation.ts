/**
 * The `correlation` of a document: which rules it counts, over which fields and time, and when it fires. Takes a YAML
 * node, gives plain data with spans; the rules that it names are found where all files of a call are known.
 *
 * https://sigmahq.io/sigma-specification/specification/sigma-correlation-rules-specification.html
 */
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import { limits } from '../../core/limits.ts'
import type { Span } from '../../core/span.ts'
import { suggest } from '../../core/suggest.ts'
import { textOf, type YamlEntry, type YamlMap, type YamlNode } from '../../core/yaml.ts'
import { type Condition, parseCondition, scopeOf } from './condition.ts'
import { placer } from './place.ts'

const CORRELATION_TYPES = [
  'event_count',
  'value_count',
  'temporal',
  'temporal_ordered',
  'value_sum',
  'value_avg',
  'value_percentile',
  'value_median',
] as const
export type CorrelationType = (typeof CORRELATION_TYPES)[number]

const COMPARISONS = ['gt', 'gte', 'lt', 'lte', 'eq', 'neq'] as const

/** One bound of a count or value. */
export interface Comparison {
  readonly op: (typeof COMPARISONS)[number]
  readonly value: number
}

/** A rule as the document names it. */
export interface NamedRule {
  readonly name: string
  readonly span: Span
}

/** A name of the correlation for fields that events of its rules call differently. */
export interface FieldAlias {
  readonly name: string
  readonly span: Span
  readonly fields: readonly (NamedRule & { readonly field: string })[]
}

export interface Correlation {
  readonly type: CorrelationType
  /** Each once, in the order in which they are listed. */
  readonly rules: readonly NamedRule[]
  readonly aliases: readonly FieldAlias[]
  readonly groupBy: readonly string[]
  /** Milliseconds. */
  readonly timespan: number
  /** All must hold for the count or value; empty for temporal types that need every rule. */
  readonly comparisons: readonly Comparison[]
  /** Whose values are counted or summed; several count as one tuple. */
  readonly fields: readonly string[]
  /** 0 to 100. */
  readonly percentile: number
  /** Which rules must have matched, where a temporal type says so by an expression. */
  readonly expression?: Condition
  /** True when the rules that it names make findings of their own too. */
  readonly generate: boolean
  readonly span: Span
}

interface Reader {
  readonly source: string
  readonly diagnostics: Diagnostic[]
}

/** Milliseconds of each unit; months and years have their mean length, as in pySigma. */
const UNITS: ReadonlyMap<string, number> = new Map([
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
  ['w', 604_800_000],
  ['M', 2_629_746_000],
  ['y', 31_556_952_000],
])

const KEYS = ['type', 'rules', 'aliases', 'group-by', 'timespan', 'condition', 'generate'] as const
const CONDITION_KEYS: readonly string[] = [...COMPARISONS, 'field', 'percentile']
const WORDS: ReadonlySet<string> = new Set(['and', 'or', 'not', 'of', 'them', 'all', 'any', '1'])

const isNothing = (node: YamlNode | undefined): boolean =>
  node === undefined || (node.kind === 'scalar' && node.value === null)

const isTemporal = (type: CorrelationType): boolean =>
  type === 'temporal' || type === 'temporal_ordered'

function told(reader: Reader, diagnostic: Diagnostic): undefined {
  reader.diagnostics.push(diagnostic)
  return undefined
}

function checkKeys(reader: Reader, node: YamlMap, known: readonly string[], where: string): void {
  for (const { key, keySpan } of node.entries) {
    if (known.includes(key)) continue
    const near = suggest(key, known)
    const help = near === undefined ? `it may have ${known.join(', ')}` : `did you mean "${near}"?`
    told(reader, diagnose('HR361', { key: key.slice(0, 64), where, help }, keySpan))
  }
}

/** A text or a list of texts, each with its place. */
function readNames(reader: Reader, entry: YamlEntry | undefined): readonly NamedRule[] {
  if (entry === undefined || isNothing(entry.value)) return []
  const { key, value: node } = entry
  const items = node.kind === 'list' ? node.items : [node]
  if (items.length > limits.correlationRules) {
    const params = { what: `the number of entries of "${key}"`, size: items.length }
    told(reader, diagnose('HR004', { ...params, limit: limits.correlationRules }, node.span))
    return []
  }
  return items.flatMap((item) => {
    const name = textOf(item)
    if (name !== undefined && name !== '') return [{ name, span: item.span }]
    told(reader, diagnose('HR302', { key, wanted: 'a list of texts' }, item.span))
    return []
  })
}

/** The names without those that came before. */
function onceEach(reader: Reader, names: readonly NamedRule[]): readonly NamedRule[] {
  const known = new Set<string>()
  return names.filter(({ name, span }) => {
    if (known.has(name)) told(reader, diagnose('HR369', { name: name.slice(0, 64) }, span))
    return !known.has(name) && known.add(name)
  })
}

function readType(reader: Reader, entry: YamlEntry): CorrelationType | undefined {
  const written = textOf(entry.value) ?? ''
  const type = CORRELATION_TYPES.find((each) => each === written)
  if (type !== undefined) return type
  const near = suggest(written, CORRELATION_TYPES)
  const help =
    near === undefined ? `one of ${CORRELATION_TYPES.join(', ')}` : `did you mean "${near}"?`
  return told(reader, diagnose('HR360', { type: written.slice(0, 64), help }, entry.value.span))
}

function readTimespan(reader: Reader, { value: node }: YamlEntry): number | undefined {
  const written = (textOf(node) ?? '').trim()
  const found = /^(\d{1,9})([smhdwMy])$/.exec(written)
  const length = found === null ? 0 : Number(found[1]) * (UNITS.get(found[2] ?? '') ?? 0)
  if (length > 0 && length <= limits.correlationTimespanMs) return length
  if (length === 0) {
    return told(reader, diagnose('HR362', { value: written.slice(0, 64) }, node.span))
  }
  const params = { what: 'the timespan in milliseconds', size: length }
  const limit = limits.correlationTimespanMs
  return told(reader, diagnose('HR004', { ...params, limit }, node.span))
}

function readAliases(reader: Reader, node: YamlNode | undefined): readonly FieldAlias[] {
  if (node === undefined || isNothing(node)) return []
  const wanted = 'a map of alias names, each with the field of each rule'
  if (node.kind !== 'map') {
    told(reader, diagnose('HR302', { key: 'aliases', wanted }, node.span))
    return []
  }
  return node.entries.flatMap(({ key, keySpan, value }): readonly FieldAlias[] => {
    if (value.kind !== 'map') {
      told(reader, diagnose('HR302', { key: 'aliases', wanted }, value.span))
      return []
    }
    const fields = value.entries.flatMap((each) => {
      const field = textOf(each.value)
      if (field !== undefined) return [{ name: each.key, field, span: each.keySpan }]
      told(reader, diagnose('HR302', { key: each.key, wanted: 'a field name' }, each.value.span))
      return []
    })
    return [{ name: key, span: keySpan, fields }]
  })
}

interface CountCondition {
  readonly comparisons: readonly Comparison[]
  readonly fields: readonly NamedRule[]
  readonly percentile: number
}

const USUAL_PERCENTILE = 50

function readComparisons(reader: Reader, node: YamlMap): readonly Comparison[] {
  const found = node.entries.flatMap(({ key, value }): readonly Comparison[] => {
    const op = COMPARISONS.find((each) => each === key)
    if (op === undefined) return []
    const number = value.kind === 'scalar' ? value.value : undefined
    if (typeof number === 'number' && Number.isFinite(number)) return [{ op, value: number }]
    told(reader, diagnose('HR302', { key, wanted: 'a number' }, value.span))
    return []
  })
  return found
}

function readPercentile(reader: Reader, node: YamlNode | undefined): number {
  if (node === undefined || isNothing(node)) return USUAL_PERCENTILE
  const value = node.kind === 'scalar' ? node.value : undefined
  if (typeof value === 'number' && value >= 0 && value <= 100) return value
  told(
    reader,
    diagnose('HR302', { key: 'percentile', wanted: 'a number from 0 to 100' }, node.span),
  )
  return USUAL_PERCENTILE
}

function readCounting(reader: Reader, node: YamlMap): CountCondition {
  checkKeys(reader, node, CONDITION_KEYS, 'condition')
  const entry = (key: string): YamlEntry | undefined =>
    node.entries.find((each) => each.key === key)
  return {
    comparisons: readComparisons(reader, node),
    fields: readNames(reader, entry('field')),
    percentile: readPercentile(reader, entry('percentile')?.value),
  }
}

/** What is missing from, or too much in, the condition of a type; undefined when it is as it must be. */
function misfit(type: CorrelationType, condition: CountCondition): string | undefined {
  const { comparisons, fields } = condition
  if (comparisons.length === 0) return 'needs a comparison in its condition, such as `gte: 10`'
  if (comparisons.length > 2) return 'takes one comparison, or two for a range'
  const isEvents = type === 'event_count' || isTemporal(type)
  if (isEvents && fields.length > 0) return 'counts matches and takes no "field"'
  if (isEvents) return undefined
  if (fields.length === 0) return 'needs a "field" in its condition'
  return type !== 'value_count' && fields.length > 1 ? 'takes one "field"' : undefined
}

/** The words of an expression that name rules, in order; each with its place. */
function namedIn(text: string, place: (start: number, end: number) => Span): readonly NamedRule[] {
  const found = [...text.matchAll(/[^\s()|]+/g)].map((each) => ({
    name: each[0],
    span: place(each.index, each.index + each[0].length),
  }))
  const known = new Set<string>()
  return found.filter(({ name }) => {
    const isNew = !WORDS.has(name) && !name.includes('*') && !known.has(name)
    known.add(name)
    return isNew
  })
}

/** An expression over rules, with the rules that it counts: those listed, or else those that it names. */
function readExpression(
  reader: Reader,
  type: CorrelationType,
  node: Extract<YamlNode, { kind: 'scalar' }>,
  listed: readonly NamedRule[],
): { readonly expression: Condition; readonly rules: readonly NamedRule[] } | undefined {
  if (type !== 'temporal') {
    const reason = 'takes a map as its condition; only "temporal" takes an expression over rules'
    return told(reader, diagnose('HR363', { type, reason }, node.span))
  }
  const place = placer(reader.source, node)
  const rules = listed.length > 0 ? listed : namedIn(node.text, place)
  const scope = scopeOf(rules.map(({ name }) => name))
  const { condition, diagnostics } = parseCondition(node.text, scope, place)
  reader.diagnostics.push(...diagnostics)
  return condition === undefined ? undefined : { expression: condition, rules }
}

function readGenerate(reader: Reader, node: YamlNode | undefined): boolean {
  if (node === undefined || isNothing(node)) return false
  const value = node.kind === 'scalar' ? node.value : undefined
  if (typeof value === 'boolean') return value
  told(reader, diagnose('HR302', { key: 'generate', wanted: 'true or false' }, node.span))
  return false
}

/** What fires: comparisons with their fields, or an expression. */
type Firing = Pick<Correlation, 'comparisons' | 'fields' | 'percentile' | 'rules'> & {
  readonly expression?: Condition
}

function readCondition(
  reader: Reader,
  type: CorrelationType,
  entry: YamlEntry | undefined,
  rules: readonly NamedRule[],
  place: Span,
): Firing | undefined {
  const node = entry?.value
  const none = { comparisons: [], fields: [], percentile: USUAL_PERCENTILE, rules }
  if (node === undefined || isNothing(node)) {
    if (isTemporal(type)) return none
    return told(reader, diagnose('HR301', { key: 'condition' }, place))
  }
  if (node.kind === 'list') {
    return told(reader, diagnose('HR302', { key: 'condition', wanted: 'a map' }, node.span))
  }
  if (node.kind === 'scalar') {
    const read = readExpression(reader, type, node, rules)
    return read === undefined ? undefined : { ...none, ...read }
  }
  const counting = readCounting(reader, node)
  const reason = misfit(type, counting)
  if (reason !== undefined) return told(reader, diagnose('HR363', { type, reason }, node.span))
  return { ...counting, fields: counting.fields.map(({ name }) => name), rules }
}

/** Warns of aliases that neither a group nor a value uses. */
function checkAliases(
  reader: Reader,
  aliases: readonly FieldAlias[],
  used: readonly string[],
): void {
  for (const { name, span } of aliases) {
    if (!used.includes(name)) told(reader, diagnose('HR368', { name: name.slice(0, 64) }, span))
  }
}

/**
 * Reads the `correlation` of a document. Without a correlation there is at least one error among the diagnostics;
 * `source` is the text of the file, for spans inside values.
 */
export function readCorrelation(
  { keySpan, value: node }: YamlEntry,
  source: string,
): { readonly correlation?: Correlation; readonly diagnostics: readonly Diagnostic[] } {
  const reader: Reader = { source, diagnostics: [] }
  const { diagnostics } = reader
  if (node.kind !== 'map') {
    return { diagnostics: [diagnose('HR302', { key: 'correlation', wanted: 'a map' }, keySpan)] }
  }
  checkKeys(reader, node, KEYS, 'correlation')
  const entry = (key: (typeof KEYS)[number]): YamlEntry | undefined =>
    node.entries.find((each) => each.key === key && !isNothing(each.value))
  const needed = (key: (typeof KEYS)[number]): YamlEntry | undefined =>
    entry(key) ?? told(reader, diagnose('HR301', { key }, keySpan))
  const [typed, timed] = [needed('type'), needed('timespan')]
  const type = typed && readType(reader, typed)
  const timespan = timed && readTimespan(reader, timed)
  const listed = onceEach(reader, readNames(reader, entry('rules')))
  const groupBy = [...new Set(readNames(reader, entry('group-by')).map(({ name }) => name))]
  const aliases = readAliases(reader, entry('aliases')?.value)
  const generate = readGenerate(reader, entry('generate')?.value)
  const firing =
    type &&
    readCondition(reader, type, entry('condition'), listed, entry('type')?.keySpan ?? keySpan)
  if (firing === undefined || type === undefined || timespan === undefined) return { diagnostics }
  if (firing.rules.length === 0) {
    const given = entry('rules')
    const wanted = 'a list of names and ids of rules, with at least one'
    if (given === undefined) needed('rules')
    else told(reader, diagnose('HR302', { key: 'rules', wanted }, given.value.span))
  }
  checkAliases(reader, aliases, [...groupBy, ...firing.fields])
  if (diagnostics.some((each) => each.severity === 'error')) return { diagnostics }
  const span = { start: keySpan.start, end: node.span.end }
  return {
    correlation: { type, aliases, groupBy, timespan, generate, span, ...firing },
    diagnostics,
  }
}
