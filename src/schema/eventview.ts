/**
 * Events under Splunk's names: for each stored source, what Splunk calls it (sourcetype, source, index), its event types
 * and tags, and the names that Splunk's add-ons give its fields. The facts stand in content/schema/spl/events*.yml and
 * are read when a search first asks for events.
 */
import { hasErrors, type Outcome, renderDiagnostic } from '../core/diagnostic.ts'
import type { YamlNode } from '../core/yaml.ts'
import { type Expr, TRUE } from '../ir/expr.ts'
import type { Type } from '../ir/types.ts'
import { mapExpr } from '../ir/walk.ts'
import { eachOf, readDocuments, type SchemaFile } from './documents.ts'
import { readMappings } from './feed.ts'
import { readFields, readWhere, SAME_FIELD } from './mapping.ts'
import { itemsOf, knownMapOf, type Report, say, sayUnknown, textsFrom } from './node.ts'
import type { Source } from './source.ts'

/** One way to spell the sourcetype, source or index of an event: a text that may hold the value of a field. */
export interface Spelling {
  readonly before: string
  /** The field whose value follows, by its name in Splunk. */
  readonly field?: string
  /** What stands behind the value. */
  readonly after: string
}

/** What events of a kind are called: their event types and tags, which hold together for those that meet the condition. */
export interface EventKind {
  readonly where: Expr
  readonly eventtypes: readonly string[]
  readonly tags: readonly string[]
}

/** How Splunk sees the events of one stored source. */
export interface EventPart {
  readonly source: string
  /** Accepted spellings, the one that is shown first. */
  readonly sourcetype: readonly Spelling[]
  /** Splunk's `source`; none when it is the file that the events came from. */
  readonly named: readonly Spelling[]
  /** Indexes of Splunk's own that the events stand for; none for those of any index. */
  readonly index: readonly Spelling[]
  readonly kinds: readonly EventKind[]
  /** Names in Splunk that differ from the stored ones, with their value. */
  readonly fields: ReadonlyMap<string, Expr>
}

/** What the files say of sources whose names fit a pattern. */
interface Declared extends Omit<EventPart, 'source'> {
  readonly pattern: string
}

const KEYS = ['source', 'sourcetype', 'named', 'index', 'kinds', 'use', 'fields']

function spellingOf(text: string): Spelling {
  const match = /^([^{}]*)\{([^{}]+)\}([^{}]*)$/.exec(text)
  if (match === null) return { before: text, after: '' }
  const [, before = '', field = '', after = ''] = match
  return { before, field, after }
}

function readKind(node: YamlNode, report: Report): EventKind {
  const entries = knownMapOf(node, 'a kind', ['where', 'eventtype', 'tags'], report)
  const [where, eventtype, tags] = ['where', 'eventtype', 'tags'].map((key) => entries.get(key))
  return {
    where: where === undefined ? TRUE : readWhere(where, report),
    eventtypes: eventtype === undefined ? [] : textsFrom(eventtype, '"eventtype"', report),
    tags: tags === undefined ? [] : textsFrom(tags, '"tags"', report),
  }
}

/** Reads the files of events, given the sources that they may name. */
function readEvents(
  files: readonly SchemaFile[],
  sources: ReadonlyMap<string, Source>,
): Outcome<readonly Declared[]> {
  const { documents, diagnostics } = readDocuments(files, ['mappings', 'events'])
  const mappings = new Map<string, ReadonlyMap<string, Expr>>()
  const all: Declared[] = []
  eachOf(documents, 'mappings', (node, report) => readMappings(node, mappings, report))
  eachOf(documents, 'events', (node, report) => {
    for (const item of itemsOf(node)) {
      const entries = knownMapOf(item, 'events', KEYS, report)
      const source = entries.get('source')
      if (source === undefined) say(report, 'HR203', { what: 'events', key: 'source' }, item.span)
      const spellings = (key: string): readonly Spelling[] => {
        const found = entries.get(key)
        return found === undefined ? [] : textsFrom(found, `"${key}"`, report).map(spellingOf)
      }
      const use = entries.get('use')
      const shared = (use === undefined ? [] : textsFrom(use, '"use"', report)).flatMap((name) => {
        const found = mappings.get(name)
        if (found === undefined) {
          sayUnknown(report, 'mapping', name, mappings.keys(), use?.span ?? item.span)
        }
        return [...(found ?? [])]
      })
      const fields = entries.get('fields')
      const kinds = entries.get('kinds')
      const declared = {
        sourcetype: spellings('sourcetype'),
        named: spellings('named'),
        index: spellings('index'),
        kinds: kinds === undefined ? [] : itemsOf(kinds).map((each) => readKind(each, report)),
        fields: new Map([...shared, ...(fields === undefined ? [] : readFields(fields, report))]),
      }
      for (const pattern of source === undefined ? [] : textsFrom(source, '"source"', report)) {
        if (![...sources.keys()].some((name) => fits(pattern, name))) {
          sayUnknown(report, 'source', pattern, sources.keys(), item.span)
        }
        all.push({ ...declared, pattern })
      }
    }
  })
  return hasErrors(diagnostics) ? { diagnostics } : { value: all, diagnostics }
}

function fits(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}

/** How narrow a pattern is: a whole name is narrower than its beginning. */
function nearness(pattern: string): number {
  return pattern.endsWith('*') ? 2 * pattern.length - 2 : 2 * pattern.length + 1
}

/** Fields in which `same` is what the other name is mapped to. */
function resolved(fields: ReadonlyMap<string, Expr>): ReadonlyMap<string, Expr> {
  const resolve = (expr: Expr, within: readonly string[]): Expr =>
    mapExpr(expr, (each) => {
      if (each.op !== 'call' || each.fn !== SAME_FIELD) return each
      const [other] = each.args
      const name = other?.op === 'const' ? String(other.value) : ''
      const value = fields.get(name)
      if (value === undefined || within.includes(name)) {
        throw new Error(`the names of events cannot be read: "same" leads nowhere at ${name}`)
      }
      return resolve(value, [...within, name])
    })
  return new Map([...fields].map(([name, value]) => [name, resolve(value, [name])]))
}

/** What all that fits says together: the nearer of two patterns wins, kinds and fields add up. */
function partOf(source: string, declared: readonly Declared[]): EventPart {
  const fitting = declared
    .filter(({ pattern }) => fits(pattern, source))
    .sort((a, b) => nearness(b.pattern) - nearness(a.pattern))
  const first = (key: 'sourcetype' | 'named' | 'index'): readonly Spelling[] =>
    fitting.find((each) => each[key].length > 0)?.[key] ?? []
  const sourcetype = first('sourcetype')
  return {
    source,
    sourcetype: sourcetype.length > 0 ? sourcetype : [{ before: source, after: '' }],
    named: first('named'),
    index: first('index'),
    kinds: fitting.flatMap((each) => each.kinds),
    fields: resolved(new Map([...fitting].reverse().flatMap((each) => [...each.fields]))),
  }
}

/** The events of all sources, by source; the files are ours, so an error in them is an error of ours. */
export function lateEvents(
  files: readonly SchemaFile[],
  sources: ReadonlyMap<string, Source>,
): (source: string) => EventPart {
  let declared: readonly Declared[] | undefined
  const known = new Map<string, EventPart>()
  return (source) => {
    let part = known.get(source)
    if (part !== undefined) return part
    if (declared === undefined) {
      const { value, diagnostics } = readEvents(files, sources)
      const [first] = diagnostics
      if (value === undefined) {
        throw new Error(`the names of events cannot be read: ${first && renderDiagnostic(first)}`)
      }
      declared = value
    }
    part = partOf(source, declared)
    known.set(source, part)
    return part
  }
}

/** True for a file of events, read only when a search asks for events. */
export function isEventFile(path: string): boolean {
  return /^spl[/\\]events[^/\\]*\.yml$/.test(path)
}

/** The values that a field of a source may have, as far as its recognisers tell them; none when any. */
export function declaredValues(source: Source | undefined, field: string): readonly string[] {
  const all = new Set((source?.recognise ?? []).flatMap((each) => each.where?.[field] ?? []))
  // Exporters write some values with a piece in front; those stand for the same.
  return [...all].filter((each) => ![...all].some((one) => one !== each && each.endsWith(one)))
}

/** The fields by which a search chooses its sources. */
export type SourceField = 'index' | 'source' | 'sourcetype' | 'host'

/** A condition that all events of a search meet: the field equals one of the values, in which `*` stands for any text. */
export interface SourceTest {
  readonly field: SourceField
  readonly values: readonly string[]
}

/** The fields of the events of some sources, by their names in Splunk. */
export interface EventFields {
  /** The type of a field, text or a list of texts; undefined when no event has it. */
  readonly typeOf: (name: string) => Type | undefined
  /** All names that events have, each once, in the order in which a table of all fields shows them. */
  readonly names: readonly string[]
}
