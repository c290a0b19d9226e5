/**
 * The files that hold SPL: told apart by name and content, and read to documents and to what searches use. YAML is
 * Splunk's when it has a key that only its content has, and none that makes it Sigma's or Kusto's.
 */
import { contentId } from '../../core/contentid.ts'
import { Fields } from '../../core/fields.ts'
import { endingOf, stemOf } from '../../core/filename.ts'
import { readBlocks } from '../../core/markdown.ts'
import type { Placing } from '../../core/placing.ts'
import type { YamlNode } from '../../core/yaml.ts'
import { readYamlParts, writtenAfter, type YamlPart } from '../../core/yamlparts.ts'
import { type Beside, type ConfKind, readApp } from './app.ts'
import { readLookup, readMacro, readStory } from './content.ts'
import { readDeployment } from './deployment.ts'
import { readDetection } from './detection.ts'
import { isPage, readPage } from './page.ts'
import { EMPTY_FILE, PLAIN_RULE, type SplDocument, type SplFile, type SplRule } from './rule.ts'

export type SplForm = 'yaml' | 'conf' | 'search' | 'markdown' | 'page' | 'csv'

const OTHERS =
  /^["']?(?:detection|logsource|correlation|query|queryText|queryCondition)["']?[ \t]*:/m
const CONTENT =
  /^(?:search|definition|lookup_type|filename|collection|case_sensitive_match|match_type|min_matches|scheduling|narrative|how_to_implement)[ \t]*:/m
const CONF = /(?:^|[\\/])(savedsearches|macros|transforms|collections)\.conf$/i
/** A stanza with a search that runs by itself, in a configuration file of any name. */
const CONF_SEARCH = /^(?:cron_schedule|enableSched|action\.|dispatch\.|alert\.)[\w.]{0,100}[ \t]*=/m
const LOOKUP_FOLDER = /(?:^|[\\/])lookups?[\\/](?:[^\\/]{1,100}[\\/])?[^\\/]{1,300}$/i
const BLOCK = /^\{?\.?(?:spl|splunk)(?![\w])/i
const HAS_BLOCK = /^(?:[ \t]|>){0,64}(?:`{3,}|~{3,})[ \t]{0,8}\{?\.?spl(?:unk)?(?![\w])/im
/** The beginning of a search: a command after a bar, a macro, or a test of a source. */
const SEARCH =
  /^\s{0,100}(?:```[^`]{0,4000}```\s{0,100}){0,8}(?:\||`\w|search\s|(?:index|sourcetype|source|eventtype|tag|host)\s{0,8}=)/i
const TECHNIQUE = /\bT\d{4}(?:\.\d{3})?\b/g

/** True when a search begins the text of a file whose name does not tell what it holds. */
function isSearch(ending: string, text: string): boolean {
  return (ending === 'txt' || ending === '') && SEARCH.test(text)
}

/** True for a configuration file of another name that holds searches or macros. */
function isConf(text: string, named: boolean): boolean {
  if (!/^\[[^\]\r\n]{1,300}\][ \t]*\r?$/m.test(text)) return false
  const isMeant = named || CONF_SEARCH.test(text)
  return isMeant && /^(?:search|definition)[ \t]*=/m.test(text)
}

/**
 * The form of a file that holds SPL. `named`: the user gave this very file, so that what has no ending of ours is judged
 * by its content. A Markdown file may hold queries of other languages too; all other forms are SPL's alone.
 */
export function splForm(file: string, text: string, named: boolean): SplForm | undefined {
  if (CONF.test(file)) return 'conf'
  const ending = endingOf(file)
  switch (ending) {
    case 'yml':
    case 'yaml':
      return !OTHERS.test(text) && CONTENT.test(text) ? 'yaml' : undefined
    case 'spl':
      return 'search'
    case 'conf':
      return isConf(text, named) ? 'conf' : undefined
    case 'md':
    case 'markdown':
      return HAS_BLOCK.test(text) ? 'markdown' : undefined
    case 'csv':
      return LOOKUP_FOLDER.test(file) ? 'csv' : undefined
    default:
      if (!named) return undefined
      if (isPage(text)) return 'page'
      if (HAS_BLOCK.test(text)) return 'markdown'
      if (isSearch(ending, text)) return 'search'
      return /^(?:name|id)[ \t]*:/m.test(text) && !OTHERS.test(text) && CONTENT.test(text)
        ? 'yaml'
        : undefined
  }
}

function joined(files: readonly SplFile[]): SplFile {
  return {
    documents: files.flatMap((each) => each.documents),
    macros: files.flatMap((each) => each.macros),
    lookups: files.flatMap((each) => each.lookups),
    stories: files.flatMap((each) => each.stories),
    deployments: files.flatMap((each) => each.deployments),
    collections: new Map(files.flatMap((each) => [...each.collections])),
    diagnostics: files.flatMap((each) => each.diagnostics),
  }
}

function readNode(source: string, file: string, node: YamlNode): SplFile {
  if (node.kind === 'list') return joined(node.items.map((each) => readNode(source, file, each)))
  if (node.kind !== 'map') return EMPTY_FILE
  const fields = new Fields(node)
  const has = (...keys: readonly string[]): boolean => fields.get(...keys) !== undefined
  const isNamed = has('name')
  if (fields.get('search')?.kind === 'scalar' && has('name', 'id', 'description')) {
    return { ...EMPTY_FILE, documents: [readDetection(source, node)] }
  }
  const { diagnostics } = fields
  if (isNamed && has('definition')) {
    const macro = readMacro(fields, file)
    return { ...EMPTY_FILE, macros: macro === undefined ? [] : [macro], diagnostics }
  }
  if (isNamed && has('scheduling') && has('type')) {
    const deployment = readDeployment(fields)
    const deployments = deployment === undefined ? [] : [deployment]
    return { ...EMPTY_FILE, deployments, diagnostics }
  }
  if (isNamed && has('narrative')) {
    return { ...EMPTY_FILE, stories: [readStory(fields)], diagnostics }
  }
  if (
    isNamed &&
    has(
      'lookup_type',
      'filename',
      'collection',
      'match_type',
      'min_matches',
      'case_sensitive_match',
    )
  ) {
    const lookup = readLookup(fields, file, stemOf(file))
    return { ...EMPTY_FILE, lookups: lookup === undefined ? [] : [lookup], diagnostics }
  }
  // A detection that lost its search is told as one.
  const isRule = isNamed && has('how_to_implement', 'known_false_positives')
  return isRule ? { ...EMPTY_FILE, documents: [readDetection(source, node)] } : EMPTY_FILE
}

/** A document that cannot be read, with what can be told of it. */
function broken(source: string, part: YamlPart): SplDocument {
  const text = source.slice(part.span.start, part.span.end)
  const name = writtenAfter('name', text)
  const id = writtenAfter('id', text) || contentId('spl', name, text)
  const rule: SplRule = { ...PLAIN_RULE, form: 'detection', id, name }
  return document(rule, '', (span) => span, part)
}

function document(
  rule: SplRule,
  search: string,
  place: Placing,
  { diagnostics, span }: Pick<SplDocument, 'diagnostics' | 'span'>,
): SplDocument {
  return { rule, search, place, diagnostics, span, macros: [], fieldSpans: new Map() }
}

function readYamlFile(source: string, file: string): SplFile {
  return joined(
    readYamlParts(source).map((part) => {
      if (part.node !== undefined) return readNode(source, file, part.node)
      const text = source.slice(part.span.start, part.span.end)
      const isOurs = /^search[ \t]*:/m.test(text) && /^(?:name|id)[ \t]*:/m.test(text)
      return isOurs ? { ...EMPTY_FILE, documents: [broken(source, part)] } : EMPTY_FILE
    }),
  )
}

/** A search with a title and no more. */
function plainDocument(
  search: string,
  name: string,
  prose: string,
  place: Placing = (span) => span,
): SplDocument {
  const said = prose === '' ? (/^\s{0,100}```([^`]{1,4000})```/.exec(search)?.[1] ?? '') : prose
  const rule: SplRule = {
    ...PLAIN_RULE,
    id: contentId('spl', name, search),
    name,
    description: said.trim(),
    techniques: [...new Set(prose.match(TECHNIQUE) ?? [])],
  }
  const span = place({ start: 0, end: search.length })
  return document(rule, search, place, { diagnostics: [], span })
}

/** Reads a file of a form. Of rows of a lookup (`csv`) nothing is read here: its definition says what they are. */
export function readSplFile(
  form: SplForm,
  source: string,
  file: string,
  beside: Beside = {},
): SplFile {
  switch (form) {
    case 'yaml':
      return readYamlFile(source, file)
    case 'conf':
      return readApp(confKind(file, source), source, file, beside)
    case 'page':
      return { ...EMPTY_FILE, documents: [readPage(source)] }
    case 'markdown': {
      const { blocks, diagnostics } = readBlocks(source, file, BLOCK)
      const documents = blocks.map(({ query, title, prose, place }) =>
        plainDocument(query, title, prose, place),
      )
      return { ...EMPTY_FILE, documents, diagnostics }
    }
    case 'search': {
      const start = source.startsWith('\ufeff') ? 1 : 0
      const search = source.slice(start)
      if (search.trim() === '') return EMPTY_FILE
      const place: Placing = (span) => ({ start: span.start + start, end: span.end + start })
      return { ...EMPTY_FILE, documents: [plainDocument(search, stemOf(file), '', place)] }
    }
    case 'csv':
      return EMPTY_FILE
  }
}

const CONF_KINDS: readonly ConfKind[] = ['savedsearches', 'macros', 'transforms', 'collections']

/** What a configuration file holds: its name says it, or else its first settings. */
function confKind(file: string, text: string): ConfKind {
  const name = CONF.exec(file)?.[1]?.toLowerCase()
  const known = CONF_KINDS.find((each) => each === name)
  return known ?? (/^search[ \t]*=/m.test(text) ? 'savedsearches' : 'macros')
}
