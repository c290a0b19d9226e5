/**
 * Reads the parts of a view from YAML: which events of which sources it takes, and how their fields are called in it.
 * Log sources and tables are fed in the same way.
 */
import type { Span } from '../core/span.ts'
import type { YamlNode } from '../core/yaml.ts'
import { type Expr, TRUE } from '../ir/expr.ts'
import { readFields, readWhere } from './mapping.ts'
import {
  flagFrom,
  itemsOf,
  knownMapOf,
  mapOf,
  type Report,
  say,
  sayUnknown,
  textsFrom,
} from './node.ts'
import type { Source } from './source.ts'
import type { ViewPart } from './view.ts'

/** What parts may name. */
export interface Feeds {
  readonly sources: ReadonlyMap<string, Source>
  readonly mappings: ReadonlyMap<string, ReadonlyMap<string, Expr>>
}

/**
 * Names that a part does not map are read under their own name in a log source; in a table only where the part says
 * `own: true`, because the columns of a table have meanings of their own.
 */
export type ViewKind = 'log source' | 'table'

/** Sources that a part names: one, or all whose names begin with what stands before a final `*`. */
function sourcesNamed(
  pattern: string,
  draft: Feeds,
  span: Span,
  report: Report,
): readonly string[] {
  const all = [...draft.sources.keys()]
  const found = pattern.endsWith('*')
    ? all.filter((each) => each.startsWith(pattern.slice(0, -1)))
    : all.filter((each) => each === pattern)
  // Exports of a table are stored under a name of their own, which no file declares.
  if (pattern.startsWith('table.')) return [pattern]
  if (found.length === 0) sayUnknown(report, 'source', pattern, all, span)
  return found
}

function readPart(
  node: YamlNode,
  draft: Feeds,
  report: Report,
  kind: ViewKind,
): readonly ViewPart[] {
  const keys = ['source', 'where', 'use', 'fields', ...(kind === 'table' ? ['own'] : [])]
  const entries = knownMapOf(node, 'a part', keys, report)
  const source = entries.get('source')
  if (source === undefined) {
    say(report, 'HR203', { what: 'a part', key: 'source' }, node.span)
    return []
  }
  const where = entries.get('where')
  const use = entries.get('use')
  const used = use === undefined ? [] : textsFrom(use, '"use"', report)
  const shared = used.flatMap((name) => {
    const found = draft.mappings.get(name)
    if (found === undefined) {
      sayUnknown(report, 'mapping', name, draft.mappings.keys(), use?.span ?? node.span)
    }
    return [...(found ?? [])]
  })
  const own = entries.get('fields')
  const fields = new Map([...shared, ...(own === undefined ? [] : readFields(own, report))])
  const condition = where === undefined ? TRUE : readWhere(where, report)
  const names = entries.get('own')
  const isOpen = kind === 'log source' || (names !== undefined && flagFrom(names, '"own"', report))
  return textsFrom(source, '"source"', report).flatMap((pattern) =>
    sourcesNamed(pattern, draft, source.span, report).map((name) => ({
      source: name,
      where: condition,
      fields,
      ...(isOpen ? {} : { isClosed: true as const }),
    })),
  )
}

/** The parts of a log source or a table: whole sources under `source`, and what `parts` lists. */
export function readParts(
  entries: ReadonlyMap<string, YamlNode>,
  draft: Feeds,
  report: Report,
  kind: ViewKind = 'log source',
): readonly ViewPart[] {
  const source = entries.get('source')
  const listed = entries.get('parts')
  const names =
    source === undefined
      ? []
      : textsFrom(source, '"source"', report).flatMap((pattern) =>
          sourcesNamed(pattern, draft, source.span, report),
        )
  const parts =
    listed === undefined
      ? []
      : itemsOf(listed).flatMap((each) => readPart(each, draft, report, kind))
  return [
    ...names.map((name): ViewPart => ({ source: name, where: TRUE, fields: new Map() })),
    ...parts,
  ]
}

/** Adds named field maps to those that are there. */
export function readMappings(
  node: YamlNode,
  mappings: Map<string, ReadonlyMap<string, Expr>>,
  report: Report,
): void {
  for (const { key, keySpan, value } of mapOf(node, '"mappings"', report)) {
    if (mappings.has(key)) say(report, 'HR204', { what: 'mapping', name: key }, keySpan)
    else mappings.set(key, readFields(value, report))
  }
}
