/**
 * Rules in JSON: templates of Azure with rules, saved searches and watchlists among their resources, lists as the
 * service's interface gives them, single rules, and packs of queries with one object a line.
 */
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import { Fields } from '../../core/fields.ts'
import { stemOf } from '../../core/filename.ts'
import { readJsonNode } from '../../core/jsonnode.ts'
import { limits } from '../../core/limits.ts'
import {
  textOf,
  type YamlEntry,
  type YamlMap,
  type YamlNode,
  type YamlScalar,
} from '../../core/yaml.ts'
import type { KustoFunction, Watchlist } from './answer.ts'
import { isDefender, readDefender } from './defender.ts'
import { isFunction, readFunctionNode } from './function.ts'
import type { KustoDocument, KustoFile } from './rule.ts'
import { readSentinel } from './sentinel.ts'
import { readWatchlist } from './watchlist.ts'

const GUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i
const RULE_TYPE = /(?:^|\/)(?:alertRules|alertRuleTemplates)$/i
const SEARCH_TYPE = /(?:^|\/)savedSearches$/i
const WATCHLIST_TYPE = /(?:^|\/)watchlists$/i
const RULE_KIND =
  /^(?:Scheduled|NRT|Fusion|MLBehaviorAnalytics|MicrosoftSecurityIncidentCreation|ThreatIntelligence)$/i

/** Keys beside `query` that tell a rule from any other object that has a query. */
const RULE_KEYS = [
  'severity',
  'tactics',
  'queryFrequency',
  'triggerOperator',
  'requiredDataConnectors',
  'relevantTechniques',
  'entityMappings',
  'kind',
  'id',
  'name',
  'displayName',
  'title',
]

/** True for a map that is meant as a rule: a query and something said of it, or a kind that needs none. */
export function isRule(fields: Fields): boolean {
  if (fields.get('query') !== undefined) {
    return RULE_KEYS.some((key) => fields.get(key) !== undefined)
  }
  const isService = RULE_KIND.test(fields.text('kind') ?? '')
  return isService && fields.get('severity', 'queryFrequency', 'productFilter') !== undefined
}

const scalar = (text: string, { span }: YamlNode): YamlScalar => ({
  kind: 'scalar',
  value: text,
  text,
  quoted: true,
  span,
})

const entry = (key: string, value: YamlNode): YamlEntry => ({ key, keySpan: value.span, value })

/** The entries over those of the map. */
function withEntries(map: YamlMap, entries: readonly YamlEntry[]): YamlMap {
  const keys = new Set(entries.map(({ key }) => key.toLowerCase()))
  const kept = map.entries.filter(({ key }) => !keys.has(key.toLowerCase()))
  return { ...map, entries: [...entries, ...kept] }
}

/** Gathers what a JSON document holds. Its nesting is bounded by the reader. */
class Gathering {
  readonly documents: KustoDocument[] = []
  readonly functions: KustoFunction[] = []
  readonly watchlists: Watchlist[] = []
  readonly diagnostics: Diagnostic[] = []
  readonly #source: string
  readonly #file: string

  constructor(source: string, file: string) {
    this.#source = source
    this.#file = file
  }

  visit(node: YamlNode, isTemplate: boolean): void {
    if (node.kind === 'list') for (const each of node.items) this.visit(each, isTemplate)
    if (node.kind !== 'map') return
    const fields = new Fields(node)
    const isDeployed = isTemplate || /deploymentTemplate/i.test(fields.text('$schema') ?? '')
    const resources = fields.get('resources')
    if (resources !== undefined) this.#resources(resources, isDeployed)
    else this.#one(fields, isDeployed)
  }

  /** Resources are a list, or in newer templates a map by symbolic name. */
  #resources(node: YamlNode, isTemplate: boolean): void {
    const items = node.kind === 'map' ? node.entries.map(({ value }) => value) : [node]
    for (const each of items) this.visit(each, isTemplate)
  }

  #one(fields: Fields, isTemplate: boolean): void {
    const type = fields.text('type') ?? ''
    const inner = fields.get('properties')
    const properties = inner?.kind === 'map' ? new Fields(inner) : undefined
    const nested = properties?.get('mainTemplate', 'template')
    const value = fields.get('value')
    if (nested !== undefined) this.visit(nested, isTemplate)
    else if (properties !== undefined && SEARCH_TYPE.test(type)) this.#search(fields, properties)
    else if (properties !== undefined && WATCHLIST_TYPE.test(type)) this.#watchlist(properties)
    else if (properties !== undefined && isResource(fields, properties, type)) {
      this.#resource(fields, properties, isTemplate)
    } else if (value?.kind === 'list') this.visit(value, isTemplate)
    else if (isDefender(fields)) this.documents.push(readDefender(this.#source, fields.node))
    else if (isFunction(fields)) this.#function(fields)
    else if (isRule(fields)) this.#rule(fields.node, isTemplate)
  }

  #function(fields: Fields): void {
    const { functions, diagnostics } = readFunctionNode(this.#file, fields)
    this.functions.push(...functions)
    this.diagnostics.push(...diagnostics)
  }

  /** A rule as a resource: its fields are properties, its id is in its name. */
  #resource(fields: Fields, properties: Fields, isTemplate: boolean): void {
    const kind = fields.get('kind')
    const name = fields.get('name', 'id')
    const guid = GUID.exec(textOf(name) ?? '')?.[0]
    const added = [
      ...(kind === undefined ? [] : [entry('kind', kind)]),
      ...(name === undefined || guid === undefined ? [] : [entry('id', scalar(guid, name))]),
    ]
    this.#rule(withEntries(properties.node, added), isTemplate)
  }

  #rule(node: YamlMap, isTemplate: boolean): void {
    const query = node.entries.find(({ key }) => key.toLowerCase() === 'query')
    const text = isTemplate && query !== undefined ? (textOf(query.value)?.trim() ?? '') : ''
    if (query === undefined || !text.startsWith('[') || !text.endsWith(']')) {
      this.documents.push(readSentinel(this.#source, node))
    } else if (text.startsWith('[[')) {
      this.documents.push(readSentinel(this.#source, withEntries(node, [unescaped(query)])))
    } else {
      const made = readSentinel(this.#source, node)
      const refused = diagnose('HR463', { what: 'the query' }, query.value.span)
      this.documents.push({ ...made, diagnostics: [refused, ...made.diagnostics] })
    }
  }

  /** A saved search is a function when it has an alias, else a hunting query. */
  #search(fields: Fields, properties: Fields): void {
    if (properties.get('functionAlias') !== undefined) {
      this.#function(properties)
      return
    }
    const tags = new Map(
      properties
        .maps('tags')
        .map((each) => [(each.text('name') ?? '').toLowerCase(), each.get('value')]),
    )
    const known = ['description', 'tactics', 'techniques'].flatMap((key) => {
      const value = tags.get(key)
      return value === undefined ? [] : [entry(key, value)]
    })
    const guid = GUID.exec(fields.text('name') ?? '')?.[0]
    const name = fields.get('name')
    const id = guid === undefined || name === undefined ? [] : [entry('id', scalar(guid, name))]
    const dropped = new Set(['tags', 'etag', 'category', 'functionparameters'])
    const kept = properties.node.entries.filter(({ key }) => !dropped.has(key.toLowerCase()))
    this.#rule(withEntries({ ...properties.node, entries: kept }, [...known, ...id]), false)
  }

  #watchlist(properties: Fields): void {
    const content = textOf(properties.get('rawContent'))
    const alias = properties.text('watchlistAlias')
    if (content === undefined || alias === undefined) return
    const made = readWatchlist(alias, content, properties.text('itemsSearchKey'))
    if (made.watchlist !== undefined) this.watchlists.push(made.watchlist)
    const { span } = properties.node
    this.diagnostics.push(...made.diagnostics.map((each) => ({ ...each, span })))
  }
}

function isResource(fields: Fields, properties: Fields, type: string): boolean {
  return RULE_TYPE.test(type) || RULE_KIND.test(fields.text('kind') ?? '') || isRule(properties)
}

/** A text of a template that begins with two brackets stands for one that begins with one. */
function unescaped({ key, keySpan, value }: YamlEntry): YamlEntry {
  const text = (textOf(value) ?? '').trimStart().slice(1)
  const start = value.span.start + (textOf(value) ?? '').length - text.length
  return { key, keySpan, value: scalar(text, { ...value, span: { start, end: value.span.end } }) }
}

/** Reads a JSON document of rules. */
export function readExport(source: string, file: string): KustoFile {
  const { node, diagnostics } = readJsonNode(source)
  if (node === undefined) return { documents: [], functions: [], watchlists: [], diagnostics }
  const into = new Gathering(source, file)
  into.visit(node, false)
  return into
}

/** Keys of a line of a pack that say where the query was found, not what the rule is. */
const ORIGIN = new Set(['path', 'repo', 'i', 'part', 'kind', 'h', 'index', 'file', 'url', 'hash'])

/** One object of a pack: its own keys, and those under `meta`. */
function readLine(source: string, file: string, node: YamlMap): KustoDocument {
  const fields = new Fields(node)
  const meta = fields.get('meta')
  const own = node.entries.filter(({ key }) => key !== 'meta' && !ORIGIN.has(key.toLowerCase()))
  const map = meta?.kind === 'map' ? withEntries(meta, own) : { ...node, entries: own }
  const made = readSentinel(source, { ...map, span: node.span })
  const path = fields.text('path') ?? ''
  const name = made.rule.name || stemOf(path === '' ? file : path)
  const diagnostics = made.diagnostics.filter(({ code }) => code !== 'HR455')
  return { ...made, rule: { ...made.rule, name }, diagnostics }
}

/** Reads a pack of queries, one JSON object a line. */
export function readPack(source: string, file: string): KustoFile {
  const documents: KustoDocument[] = []
  const diagnostics: Diagnostic[] = []
  for (let start = 0; start < source.length; ) {
    const found = source.indexOf('\n', start)
    const end = found === -1 ? source.length : found
    if (documents.length >= limits.queriesPerFile) break
    if (source.slice(start, Math.min(end, start + 8)).trim() !== '') {
      const read = readJsonNode(source, { start, end })
      diagnostics.push(...read.diagnostics.slice(0, diagnostics.length < 20 ? 1 : 0))
      if (read.node?.kind === 'map' && new Fields(read.node).get('query') !== undefined) {
        documents.push(readLine(source, file, read.node))
      }
    }
    start = end + 1
  }
  return { documents, functions: [], watchlists: [], diagnostics }
}
