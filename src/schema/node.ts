/**
 * Reading the YAML of `content/schema` with diagnostics: each helper takes a node and a report, gives the value or
 * undefined, and says what was wrong with the file and the place.
 */
import type { Code } from '../core/codes.ts'
import { type Diagnostic, diagnose, type Params } from '../core/diagnostic.ts'
import type { Span } from '../core/span.ts'
import { suggest } from '../core/suggest.ts'
import { textOf, type YamlEntry, type YamlNode } from '../core/yaml.ts'

/** Where the diagnostics of one file are collected. */
export interface Report {
  readonly file: string
  readonly diagnostics: Diagnostic[]
}

type Rest<C extends Code> = Omit<Params<C>, 'file'>
type Filed = 'HR200' | 'HR201' | 'HR202' | 'HR203' | 'HR204' | 'HR206' | 'HR207'

/** Adds a diagnostic about the report's file. */
export function say<C extends Filed>(
  report: Report,
  code: C,
  params: Rest<C>,
  span: Span | undefined,
): undefined {
  const all: Readonly<Record<string, string | number>> = { ...params, file: report.file }
  report.diagnostics.push(diagnose(code, all as Params<C>, span))
}

/** Says that a name is not known, with the nearest known one. */
export function sayUnknown(
  report: Report,
  what: string,
  name: string,
  known: Iterable<string>,
  span: Span,
): undefined {
  const near = suggest(name, known)
  const guess = near === undefined ? '' : `; did you mean "${near}"?`
  report.diagnostics.push(diagnose('HR205', { file: report.file, what, name, guess }, span))
}

/** The entries of a map, or none with a diagnostic. */
export function mapOf(node: YamlNode, what: string, report: Report): readonly YamlEntry[] {
  if (node.kind === 'map') return node.entries
  say(report, 'HR202', { what, expected: 'a map' }, node.span)
  return []
}

/** The entries of a map whose keys must all be known. */
export function knownMapOf(
  node: YamlNode,
  what: string,
  keys: readonly string[],
  report: Report,
): ReadonlyMap<string, YamlNode> {
  const found = new Map<string, YamlNode>()
  for (const { key, keySpan, value } of mapOf(node, what, report)) {
    if (keys.includes(key)) found.set(key, value)
    else say(report, 'HR201', { key, known: keys.join(', ') }, keySpan)
  }
  return found
}

/** The items of a list; a single value stands for a list of one. */
export function itemsOf(node: YamlNode): readonly YamlNode[] {
  return node.kind === 'list' ? node.items : [node]
}

/** A text; numbers and booleans as written. */
export function textFrom(node: YamlNode, what: string, report: Report): string | undefined {
  const text = textOf(node)
  return text ?? say(report, 'HR202', { what, expected: 'a text' }, node.span)
}

/** A list of texts; a single text stands for a list of one. */
export function textsFrom(node: YamlNode, what: string, report: Report): readonly string[] {
  return itemsOf(node).flatMap((item) => textFrom(item, what, report) ?? [])
}

/** True or false; anything else is a diagnostic and false. */
export function flagFrom(node: YamlNode, what: string, report: Report): boolean {
  if (node.kind === 'scalar' && typeof node.value === 'boolean') return node.value
  say(report, 'HR202', { what, expected: 'true or false' }, node.span)
  return false
}
