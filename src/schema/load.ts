/**
 * Reads the schema files into a catalogue: sources with how they are recognised, and the views of Sigma log sources.
 * Takes the texts of content/schema, gives the catalogue or located diagnostics; unknown keys are errors.
 */
import { hasErrors, type Outcome } from '../core/diagnostic.ts'
import type { YamlNode } from '../core/yaml.ts'
import type { Expr } from '../ir/expr.ts'
import type { LogsourceView, SchemaCatalogue } from './catalogue.ts'
import { eachOf, readDocuments, type SchemaFile } from './documents.ts'
import { isEventFile, lateEvents } from './eventview.ts'
import { readMappings, readParts } from './feed.ts'
import { logsourceName } from './logsource.ts'
import { isModelFile, lateModels } from './modelfiles.ts'
import {
  flagFrom,
  itemsOf,
  knownMapOf,
  mapOf,
  type Report,
  say,
  sayUnknown,
  textFrom,
  textsFrom,
} from './node.ts'
import { orderedParts } from './parts.ts'
import type { Recogniser, Source } from './source.ts'
import { readTables } from './tables.ts'
import { isLate, lateParts } from './tableview.ts'
import type { Logsource } from './view.ts'

type Fields = ReadonlyMap<string, Expr>
type Entries = ReadonlyMap<string, YamlNode>

/** What the sources of a family share. */
interface Family {
  /** Fields that tell the members of the family apart; a member's `is` lists its values. */
  readonly by: readonly string[]
  /** Pieces that some exporters write in front of those values. */
  readonly spell: readonly string[]
  readonly shared: Shared
}

type Shared = Omit<Source, 'name' | 'title' | 'recognise'>

interface Draft {
  readonly families: Map<string, Family>
  readonly sources: Map<string, Source>
  readonly mappings: Map<string, Fields>
  readonly logsources: Map<string, LogsourceView>
}

const KEYS = ['families', 'sources', 'mappings', 'logsources']
/** The tables of Kusto and functions over them, as plain texts. */
const TABLES = /^(?:tables[/\\].*\.txt|functions[/\\].*\.kql)$/

/** What Splunk calls things: read when a search asks for it. */
const isSpl = (path: string): boolean => /^spl[/\\]/.test(path)

const SHARED_KEYS = ['order', 'time', 'host', 'rawIsText', 'plain', 'rename']
const SOURCE_NAME = /^[a-z][a-z0-9_.]*$/

/** A plain object that has no inherited names. */
function bareRecord<T>(entries: Iterable<readonly [string, T]>): Readonly<Record<string, T>> {
  const record: Record<string, T> = Object.create(null)
  for (const [key, value] of entries) record[key] = value
  return record
}

function readRename(node: YamlNode, report: Report): readonly (readonly [string, string])[] {
  const entries = mapOf(node, '"rename"', report)
  const pairs = entries.map(({ key, keySpan, value }) => {
    const to = textFrom(value, `"${key}"`, report) ?? key
    if (entries.some((each) => each.key === to)) {
      say(report, 'HR207', { name: key, target: to }, keySpan)
    }
    return [key, to] as const
  })
  return pairs
}

function readShared(entries: Entries, family: Shared | undefined, report: Report): Shared {
  const list = (key: 'time' | 'host' | 'plain'): readonly string[] | undefined => {
    const node = entries.get(key)
    const own = node === undefined ? [] : textsFrom(node, `"${key}"`, report)
    const all = [...new Set([...own, ...(family?.[key] ?? [])])]
    return all.length === 0 ? undefined : all
  }
  const order = entries.get('order')
  const raw = entries.get('rawIsText')
  const rename = entries.get('rename')
  const renames = [
    ...Object.entries(family?.rename ?? {}),
    ...(rename === undefined ? [] : readRename(rename, report)),
  ]
  const shared = {
    order: order === undefined ? family?.order : textFrom(order, '"order"', report),
    time: list('time'),
    host: list('host'),
    rawIsText: raw === undefined ? family?.rawIsText : flagFrom(raw, '"rawIsText"', report),
    plain: list('plain'),
    rename: renames.length === 0 ? undefined : bareRecord(renames),
  }
  return Object.fromEntries(Object.entries(shared).filter(([, value]) => value !== undefined))
}

function readFamily(node: YamlNode, report: Report): Family {
  const entries = knownMapOf(node, 'a family', ['by', 'spell', ...SHARED_KEYS], report)
  const texts = (key: string): readonly string[] => {
    const found = entries.get(key)
    return found === undefined ? [] : textsFrom(found, `"${key}"`, report)
  }
  return { by: texts('by'), spell: texts('spell'), shared: readShared(entries, undefined, report) }
}

function readRecogniser(node: YamlNode, report: Report): readonly Recogniser[] {
  const entries = knownMapOf(node, 'a recogniser', ['kind', 'where', 'has'], report)
  const [kind, where, has] = ['kind', 'where', 'has'].map((key) => entries.get(key))
  const tests = {
    ...(where === undefined
      ? {}
      : {
          where: bareRecord(
            mapOf(where, '"where"', report).map(({ key, value }) => [
              key,
              textsFrom(value, `"${key}"`, report),
            ]),
          ),
        }),
    ...(has === undefined ? {} : { has: textsFrom(has, '"has"', report) }),
  }
  return kind === undefined
    ? [tests]
    : textsFrom(kind, '"kind"', report).map((each) => ({ kind: each, ...tests }))
}

/** The recognisers that `is` stands for: one for each field by which the family is told apart. */
function recognisersOf(is: YamlNode, family: Family | undefined, report: Report): Recogniser[] {
  if (family === undefined) {
    say(report, 'HR203', { what: 'a source with "is"', key: 'family' }, is.span)
    return []
  }
  const values = textsFrom(is, '"is"', report)
  const spelled = values.flatMap((value) => ['', ...family.spell].map((before) => before + value))
  return family.by.map((each) => ({ where: bareRecord([[each, spelled]]) }))
}

function readSource(node: YamlNode, draft: Draft, report: Report): Source | undefined {
  const keys = ['name', 'title', 'family', 'is', 'recognise', ...SHARED_KEYS]
  const entries = knownMapOf(node, 'a source', keys, report)
  const need = (key: string): string | undefined => {
    const found = entries.get(key)
    if (found !== undefined) return textFrom(found, `"${key}"`, report)
    return say(report, 'HR203', { what: 'a source', key }, node.span)
  }
  const name = need('name')
  const title = need('title')
  if (name === undefined || title === undefined) return undefined
  if (!SOURCE_NAME.test(name)) return say(report, 'HR206', { name }, node.span)
  if (draft.sources.has(name)) return say(report, 'HR204', { what: 'source', name }, node.span)
  const familyNode = entries.get('family')
  const familyName = familyNode && textFrom(familyNode, '"family"', report)
  const family = familyName === undefined ? undefined : draft.families.get(familyName)
  if (familyName !== undefined && family === undefined) {
    sayUnknown(report, 'family', familyName, draft.families.keys(), node.span)
  }
  const is = entries.get('is')
  const own = entries.get('recognise')
  const recognise = [
    ...(is === undefined ? [] : recognisersOf(is, family, report)),
    ...(own === undefined ? [] : itemsOf(own).flatMap((each) => readRecogniser(each, report))),
  ]
  return { name, title, recognise, ...readShared(entries, family?.shared, report) }
}

function readKeys(entries: Entries, report: Report): Logsource {
  const keys = ['product', 'category', 'service'] as const
  return Object.fromEntries(
    keys.flatMap((key) => {
      const node = entries.get(key)
      const value = node && textFrom(node, `"${key}"`, report)
      return value === undefined ? [] : [[key, value.toLowerCase()]]
    }),
  )
}

const LOGSOURCE_KEYS = ['product', 'category', 'service']

function readLogsource(node: YamlNode, draft: Draft, report: Report): readonly LogsourceView[] {
  const known = [...LOGSOURCE_KEYS, 'title', 'also', 'source', 'parts']
  const entries = knownMapOf(node, 'a log source', known, report)
  const logsource = readKeys(entries, report)
  const titleNode = entries.get('title')
  const title = titleNode && textFrom(titleNode, '"title"', report)
  const lacks = (key: string): readonly LogsourceView[] => {
    say(report, 'HR203', { what: `the log source "${title ?? ''}"`, key }, node.span)
    return []
  }
  if (title === undefined) return lacks('title')
  if (Object.keys(logsource).length === 0) return lacks('product')
  if (!entries.has('source') && !entries.has('parts')) return lacks('parts')
  const parts = orderedParts(readParts(entries, draft, report), draft.sources)
  const also = entries.get('also')
  const spellings = (also === undefined ? [] : itemsOf(also)).map((each) => ({
    ...logsource,
    ...readKeys(knownMapOf(each, '"also"', LOGSOURCE_KEYS, report), report),
  }))
  return [logsource, ...spellings].map((each) => ({
    logsource: each,
    view: { name: logsourceName(each), title, parts },
  }))
}

/**
 * Reads all schema files together; names may be used across files in any order. The catalogue is given only when
 * there is no error. Diagnostics name the file in their message and hold the place within it.
 */
export function readSchema(files: readonly SchemaFile[]): Outcome<SchemaCatalogue> {
  const early = files.filter(({ path }) => !TABLES.test(path) && !isLate(path) && !isSpl(path))
  const { documents, diagnostics } = readDocuments(early, KEYS)
  const tables = readTables(files.filter(({ path }) => TABLES.test(path) || isLate(path)))
  diagnostics.push(...tables.diagnostics)
  const draft: Draft = {
    families: new Map(),
    sources: new Map(),
    mappings: new Map(),
    logsources: new Map(),
  }
  const each = (key: string, read: (node: YamlNode, report: Report) => void): void =>
    eachOf(documents, key, read)
  each('families', (node, report) => {
    for (const { key, keySpan, value } of mapOf(node, '"families"', report)) {
      if (draft.families.has(key)) say(report, 'HR204', { what: 'family', name: key }, keySpan)
      else draft.families.set(key, readFamily(value, report))
    }
  })
  each('mappings', (node, report) => readMappings(node, draft.mappings, report))
  each('sources', (node, report) => {
    for (const item of itemsOf(node)) {
      const source = readSource(item, draft, report)
      if (source !== undefined) draft.sources.set(source.name, source)
    }
  })
  each('logsources', (node, report) => {
    for (const item of itemsOf(node)) {
      for (const made of readLogsource(item, draft, report)) {
        const { name } = made.view
        if (!draft.logsources.has(name)) draft.logsources.set(name, made)
        else say(report, 'HR204', { what: 'log source', name }, item.span)
      }
    }
  })
  if (tables.value === undefined || hasErrors(diagnostics)) return { diagnostics }
  const late = files.filter(({ path }) => isLate(path))
  return {
    value: {
      sources: draft.sources,
      logsources: [...draft.logsources.values()],
      tables: tables.value,
      tableParts: lateParts(late, draft, tables.value),
      events: lateEvents(
        files.filter(({ path }) => isEventFile(path)),
        draft.sources,
      ),
      models: lateModels(
        files.filter(({ path }) => isModelFile(path)),
        draft.sources,
      ),
    },
    diagnostics,
  }
}
