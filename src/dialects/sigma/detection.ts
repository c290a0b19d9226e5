/**
 * The `detection` of a rule: selections as trees of field tests, and the parsed conditions over them. Takes a YAML
 * node, gives plain data with spans; what values mean together with their modifiers is settled in `lower.ts`.
 */
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import { limits } from '../../core/limits.ts'
import type { Span } from '../../core/span.ts'
import type { YamlEntry, YamlList, YamlMap, YamlNode, YamlScalar } from '../../core/yaml.ts'
import { type Condition, namesOf, parseCondition, scopeOf } from './condition.ts'
import { type Matcher, type ModifierUse, readModifiers } from './modifiers.ts'
import { isExact, placer } from './place.ts'

export interface SigmaValue {
  readonly value: string | number | boolean | null
  /** As written, without quotes. */
  readonly text: string
  readonly quoted: boolean
  readonly span: Span
  /** True when offsets in `text` are offsets in the file from the start of the span. */
  readonly exact: boolean
}

/** One test: a field (or the whole event, without one), how it is matched, and the values. */
export interface SigmaItem {
  readonly field?: string
  readonly matcher: Matcher
  readonly modifiers: readonly ModifierUse[]
  readonly values: readonly SigmaValue[]
  /** True when the values were written as a list. */
  readonly listed: boolean
  readonly span: Span
}

export type SigmaTest =
  | { readonly op: 'item'; readonly item: SigmaItem }
  | { readonly op: 'all' | 'any'; readonly parts: readonly SigmaTest[] }

export interface Selection {
  readonly name: string
  readonly test: SigmaTest
  /** From the name to the end of its body. */
  readonly span: Span
}

export interface Detection {
  readonly selections: readonly Selection[]
  /** The rule fires when any of these holds. */
  readonly conditions: readonly Condition[]
}

interface Reader {
  readonly source: string
  readonly diagnostics: Diagnostic[]
}

const RESERVED: ReadonlySet<string> = new Set(['condition', 'timeframe'])

function sigmaValue(reader: Reader, { value, text, quoted, span }: YamlScalar): SigmaValue {
  return { value, text, quoted, span, exact: isExact(reader.source, span, text) }
}

/** The field name and modifiers of a key; spaces in names are removed, as they are in those of events. */
function splitKey(
  reader: Reader,
  { key, keySpan }: YamlEntry,
): { readonly field: string; readonly modifiers: readonly ModifierUse[] } {
  const [name = '', ...words] = key.split('|')
  const exact = isExact(reader.source, keySpan, key)
  let at = name.length + 1
  const modifiers = words.map((word): ModifierUse => {
    const start = keySpan.start + at
    at += word.length + 1
    return { name: word, span: exact ? { start, end: start + word.length } : keySpan }
  })
  return { field: name.replaceAll(' ', ''), modifiers }
}

function readValues(reader: Reader, node: YamlNode, what: string): readonly SigmaValue[] {
  const items = node.kind === 'list' ? node.items : [node]
  return items.flatMap((item) => {
    if (item.kind === 'scalar') return [sigmaValue(reader, item)]
    reader.diagnostics.push(diagnose('HR322', { what }, item.span))
    return []
  })
}

function readItem(reader: Reader, entry: YamlEntry): SigmaTest | undefined {
  const { field, modifiers } = splitKey(reader, entry)
  if (modifiers.length > limits.modifiersPerField) {
    const params = { what: 'the number of modifiers', size: modifiers.length }
    const limit = limits.modifiersPerField
    reader.diagnostics.push(diagnose('HR004', { ...params, limit }, entry.keySpan))
    return undefined
  }
  const { matcher, diagnostics } = readModifiers(modifiers, field !== '')
  reader.diagnostics.push(...diagnostics)
  const name = field === '' ? 'a keyword' : `"${field.slice(0, 64)}"`
  const values = readValues(reader, entry.value, name)
  if (matcher === undefined) return undefined
  return {
    op: 'item',
    item: {
      ...(field === '' ? {} : { field }),
      matcher,
      modifiers,
      values,
      listed: entry.value.kind === 'list',
      span: { start: entry.keySpan.start, end: entry.value.span.end },
    },
  }
}

function keywords(reader: Reader, scalars: readonly YamlScalar[], span: Span): SigmaTest {
  const { matcher } = readModifiers([], false)
  const values = scalars.map((each) => sigmaValue(reader, each))
  return matcher === undefined
    ? { op: 'any', parts: [] }
    : { op: 'item', item: { matcher, modifiers: [], values, listed: true, span } }
}

function readMap(reader: Reader, node: YamlMap): SigmaTest {
  return { op: 'all', parts: node.entries.flatMap((entry) => readItem(reader, entry) ?? []) }
}

function readList(reader: Reader, node: YamlList, name: string): SigmaTest {
  const scalars = node.items.filter((item) => item.kind === 'scalar')
  const others = node.items.filter((item) => item.kind !== 'scalar')
  const parts = others.map((item) => readTest(reader, item, name))
  if (scalars.length === 0) return { op: 'any', parts }
  const words = keywords(reader, scalars, node.span)
  return parts.length === 0 ? words : { op: 'any', parts: [words, ...parts] }
}

/** True for null and for an empty list or map. */
function isNothing(node: YamlNode): boolean {
  if (node.kind === 'scalar') return node.value === null
  return (node.kind === 'map' ? node.entries : node.items).length === 0
}

/** A map is all of its fields, a list any of its members, plain values are keywords. */
function readTest(reader: Reader, node: YamlNode, name: string): SigmaTest {
  if (isNothing(node))
    reader.diagnostics.push(diagnose('HR321', { name: name.slice(0, 64) }, node.span))
  switch (node.kind) {
    case 'scalar':
      return keywords(reader, [node], node.span)
    case 'map':
      return readMap(reader, node)
    case 'list':
      return readList(reader, node, name)
  }
}

function readSelections(reader: Reader, entries: readonly YamlEntry[]): readonly Selection[] {
  return entries.map((entry) => ({
    name: entry.key,
    test: readTest(reader, entry.value, entry.key),
    span: { start: entry.keySpan.start, end: entry.value.span.end },
  }))
}

function readConditions(
  reader: Reader,
  node: YamlNode,
  selections: readonly Selection[],
): readonly Condition[] {
  const scope = scopeOf(selections.map((each) => each.name))
  const nodes = node.kind === 'list' ? node.items : [node]
  const total = nodes.reduce(
    (sum, each) => sum + (each.kind === 'scalar' ? each.text.length : 0),
    0,
  )
  if (nodes.length > 1 && total > limits.conditionBytes) {
    const params = { what: 'the list of conditions', size: `${total} characters` }
    reader.diagnostics.push(
      diagnose('HR004', { ...params, limit: limits.conditionBytes }, node.span),
    )
    return []
  }
  return nodes.flatMap((each) => {
    if (each.kind !== 'scalar' || typeof each.value !== 'string') {
      const params = { key: 'condition', wanted: 'a text, or a list of texts' }
      reader.diagnostics.push(diagnose('HR302', params, each.span))
      return []
    }
    const { condition, diagnostics } = parseCondition(each.text, scope, placer(reader.source, each))
    reader.diagnostics.push(...diagnostics)
    return condition ?? []
  })
}

function checkCounts(reader: Reader, selections: readonly Selection[], span: Span): boolean {
  if (selections.length === 0) reader.diagnostics.push(diagnose('HR320', {}, span))
  const tooLong = selections.find((each) => each.name.length > limits.fieldNameBytes)
  if (tooLong !== undefined) {
    const params = { what: 'the name of a selection', size: `${tooLong.name.length} characters` }
    reader.diagnostics.push(
      diagnose('HR004', { ...params, limit: limits.fieldNameBytes }, tooLong.span),
    )
  }
  if (selections.length > limits.selections) {
    const params = { what: 'the number of selections', size: selections.length }
    reader.diagnostics.push(diagnose('HR004', { ...params, limit: limits.selections }, span))
  }
  return tooLong === undefined && selections.length <= limits.selections
}

/** Warns of selections that no condition uses: most often a misspelled pattern. */
function checkUse(
  reader: Reader,
  selections: readonly Selection[],
  all: readonly Condition[],
): void {
  const used = new Set<string>()
  for (const condition of all) namesOf(condition, used)
  for (const { name, span } of selections) {
    if (used.has(name)) continue
    const place = { start: span.start, end: Math.min(span.end, span.start + name.length) }
    reader.diagnostics.push(diagnose('HR324', { name }, place))
  }
}

/**
 * Reads the `detection` node of a rule. Without a detection there is at least one error among the diagnostics;
 * `source` is the text of the file, for spans inside values.
 */
export function readDetection(
  node: YamlNode,
  source: string,
): { readonly detection?: Detection; readonly diagnostics: readonly Diagnostic[] } {
  const reader: Reader = { source, diagnostics: [] }
  const { diagnostics } = reader
  if (node.kind !== 'map') {
    const params = { key: 'detection', wanted: 'a map of selections and a condition' }
    return { diagnostics: [diagnose('HR302', params, node.span)] }
  }
  const timeframe = node.entries.find((each) => each.key === 'timeframe')
  if (timeframe !== undefined) diagnostics.push(diagnose('HR325', {}, timeframe.keySpan))
  const named = node.entries.filter((each) => !RESERVED.has(each.key))
  const selections = readSelections(reader, named)
  if (!checkCounts(reader, selections, node.span)) return { diagnostics }
  const condition = node.entries.find((each) => each.key === 'condition')?.value
  if (condition === undefined || isNothing(condition)) {
    diagnostics.push(diagnose('HR301', { key: 'condition' }, condition?.span ?? node.span))
    return { diagnostics }
  }
  const before = diagnostics.length
  const conditions = readConditions(reader, condition, selections)
  if (diagnostics.length === before) checkUse(reader, selections, conditions)
  if (diagnostics.some((each) => each.severity === 'error')) return { diagnostics }
  return { detection: { selections, conditions }, diagnostics }
}
