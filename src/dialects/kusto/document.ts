/**
 * The files that hold Kusto queries: told apart by name and content, and read to documents. A file is Kusto's or
 * Sigma's, never both: `detection` makes it Sigma's, `query` makes it Kusto's.
 */
import { contentId } from '../../core/contentid.ts'
import { type Diagnostic, diagnose, hasErrors } from '../../core/diagnostic.ts'
import { Fields } from '../../core/fields.ts'
import { endingOf, stemOf } from '../../core/filename.ts'
import { limits } from '../../core/limits.ts'
import { isRulePage, ruleOfPage } from '../../core/rulepage.ts'
import { readYaml, type YamlNode } from '../../core/yaml.ts'
import { moveNode, readYamlParts, writtenAfter, type YamlPart } from '../../core/yamlparts.ts'
import { isDefender, readDefender } from './defender.ts'
import { isRule, readExport, readPack } from './export.ts'
import { isFunction, isFunctionText, readFunctionNode, readFunctionText } from './function.ts'
import { hasKustoBlock, readMarkdown } from './markdown.ts'
import { type KustoDocument, type KustoFile, PLAIN_RULE } from './rule.ts'
import { readSentinel } from './sentinel.ts'
import { plainDocument } from './text.ts'
import { readWatchlist } from './watchlist.ts'

export type KustoForm = 'yaml' | 'json' | 'pack' | 'markdown' | 'page' | 'query' | 'csv'

const FORMS: ReadonlyMap<string, KustoForm> = new Map([
  ['yml', 'yaml'],
  ['yaml', 'yaml'],
  ['json', 'json'],
  ['jsonl', 'pack'],
  ['ndjson', 'pack'],
  ['md', 'markdown'],
  ['markdown', 'markdown'],
  ['kql', 'query'],
  ['kusto', 'query'],
  ['csl', 'query'],
  ['csv', 'csv'],
])

const SIGMA = /^(?:detection|logsource|correlation|filter)[ \t]*:/m
const KUSTO =
  /^(?:- )?["']?(?:query|queryText|queryCondition|FunctionQuery|ParserQuery)["']?[ \t]*:/im
const SERVICE_RULE =
  /^kind[ \t]*:[ \t]*["']?(?:Fusion|MLBehaviorAnalytics|MicrosoftSecurityIncidentCreation|ThreatIntelligence)\b/im
/** Rules as the items of one list. */
const LISTED = /^ {2}(?:query|queryText)[ \t]*:/im
const QUERY = /^[ \t]*(?:\|[ \t]*\w|let[ \t]+\w+[ \t]*=)/m

/** Keys that only rules, saved searches and watchlists have, or a query with a stage. */
const JSON_MEANT =
  /"(?:queryFrequency|triggerOperator|queryCondition|requiredDataConnectors|relevantTechniques|entityMappings|functionAlias|watchlistAlias|productFilter)"\s{0,20}:|"query"\s{0,20}:\s{0,20}"[^"\r\n]{0,20000}\|/i
const WATCHLIST_FOLDER = /(?:^|[\\/])watchlists?[\\/][^\\/]{1,300}$/i

const NOTHING: KustoFile = { documents: [], functions: [], watchlists: [], diagnostics: [] }

/** True for YAML that is meant as Kusto's. */
function isKustoYaml(text: string): boolean {
  if (SIGMA.test(text)) return false
  return KUSTO.test(text) || SERVICE_RULE.test(text) || (/^- /m.test(text) && LISTED.test(text))
}

/** The form that the content of a text shows, whatever its name; undefined when it shows none of Kusto's. */
function formOfContent(text: string): KustoForm | undefined {
  if (/^\s{0,100}(?:\{\s{0,100}"|\[\s{0,100}\{)/.test(text)) {
    return /^\s{0,100}\{[^\n]{0,1000000}\}[ \t]*\r?\n\s{0,100}\{/.test(text) ? 'pack' : 'json'
  }
  if (isRulePage(text, 'kusto')) return 'page'
  if (hasKustoBlock(text)) return 'markdown'
  if (SIGMA.test(text)) return undefined
  if (isKustoYaml(text)) return 'yaml'
  return QUERY.test(text) || isFunctionText(text) ? 'query' : undefined
}

/**
 * The form of a file that is Kusto's to read. `named`: the user gave this very file, so that what has no ending of
 * ours is judged by its content, and a text file may be a query.
 */
export function kustoForm(file: string, text: string, named: boolean): KustoForm | undefined {
  const ending = endingOf(file)
  const form = FORMS.get(ending)
  if (form === 'yaml') {
    return isKustoYaml(text) ? form : undefined
  }
  if (form !== undefined) return named || isMeant(form, file, text) ? form : undefined
  if (!named) return undefined
  return formOfContent(text) ?? (ending === 'txt' && !SIGMA.test(text) ? 'query' : undefined)
}

/** True for a file below a folder that is not there for something else: a log, a page, a table of data. */
function isMeant(form: KustoForm, file: string, text: string): boolean {
  switch (form) {
    case 'json':
    case 'pack':
      return JSON_MEANT.test(text)
    case 'markdown':
      return hasKustoBlock(text)
    case 'csv':
      return WATCHLIST_FOLDER.test(file)
    default:
      return true
  }
}

/** A document that cannot be read, with what can be told of it. */
function broken(source: string, part: YamlPart): KustoDocument {
  const text = source.slice(part.span.start, part.span.end)
  const name = writtenAfter('name', text) || writtenAfter('displayName', text)
  const id = writtenAfter('id', text) || contentId('kql', name, text)
  return {
    rule: { ...PLAIN_RULE, form: 'sentinel', id, name },
    query: '',
    place: (span) => span,
    uses: [],
    diagnostics: part.diagnostics,
    span: part.span,
  }
}

function readNode(source: string, file: string, node: YamlNode): KustoFile {
  if (node.kind === 'list') {
    return joined(node.items.map((each) => readNode(source, file, each)))
  }
  if (node.kind !== 'map') return NOTHING
  const fields = new Fields(node)
  if (isDefender(fields)) return { ...NOTHING, documents: [readDefender(source, node)] }
  if (isFunction(fields)) return { ...NOTHING, ...readFunctionNode(file, fields) }
  return isRule(fields) ? { ...NOTHING, documents: [readSentinel(source, node)] } : NOTHING
}

function joined(files: readonly KustoFile[]): KustoFile {
  return {
    documents: files.flatMap((each) => each.documents),
    functions: files.flatMap((each) => each.functions),
    watchlists: files.flatMap((each) => each.watchlists),
    diagnostics: files.flatMap((each) => each.diagnostics),
  }
}

function readParts(source: string, file: string, parts: readonly YamlPart[]): KustoFile {
  return joined(
    parts.map((part): KustoFile => {
      if (part.node !== undefined) return readNode(source, file, part.node)
      const text = source.slice(part.span.start, part.span.end)
      const isOurs = parts.length === 1 || KUSTO.test(text) || SERVICE_RULE.test(text)
      return isOurs ? { ...NOTHING, documents: [broken(source, part)] } : NOTHING
    }),
  )
}

/** The rule of a catalogue's page: the YAML after its mark, up to the first line that is none. */
function readPage(source: string, file: string): KustoFile {
  const span = ruleOfPage(source, 'kusto')
  if (span === undefined) return NOTHING
  const { start, end } = span
  const { documents, diagnostics } = readYaml(source.slice(start, end))
  const placed = diagnostics.map((each) => ({
    ...each,
    span:
      each.span === undefined
        ? span
        : { start: each.span.start + start, end: each.span.end + start },
  }))
  const parts: readonly YamlPart[] = hasErrors(diagnostics)
    ? [{ diagnostics: placed, span }]
    : documents.map((node) => ({ node: moveNode(node, start), diagnostics: [], span }))
  return readParts(source, file, parts)
}

/** A file that is a query, or functions. */
function readText(source: string, file: string): KustoFile {
  if (isFunctionText(source)) return { ...NOTHING, ...readFunctionText(file, source) }
  const start = source.startsWith('\ufeff') ? 1 : 0
  const query = source.slice(start)
  if (query.trim() === '') return NOTHING
  const place = (span: { readonly start: number; readonly end: number }) => ({
    start: span.start + start,
    end: span.end + start,
  })
  return { ...NOTHING, documents: [plainDocument(query, file, place)] }
}

function readCsv(source: string, file: string): KustoFile {
  const { watchlist, diagnostics } = readWatchlist(stemOf(file), source)
  return { ...NOTHING, watchlists: watchlist === undefined ? [] : [watchlist], diagnostics }
}

function readForm(form: KustoForm, source: string, file: string): KustoFile {
  switch (form) {
    case 'yaml':
      return readParts(source, file, readYamlParts(source))
    case 'json':
      return readExport(source, file)
    case 'pack':
      return readPack(source, file)
    case 'markdown':
      return { ...NOTHING, ...readMarkdown(source, file) }
    case 'page':
      return readPage(source, file)
    case 'query':
      return readText(source, file)
    case 'csv':
      return readCsv(source, file)
  }
}

/** A file of more queries than the limit is told, and what is over is not read. */
function bounded(file: KustoFile): KustoFile {
  const limit = limits.queriesPerFile
  if (file.documents.length < limit) return file
  const params = { what: 'the number of queries in the file', size: `${limit} or more`, limit }
  const diagnostics: readonly Diagnostic[] = [...file.diagnostics, diagnose('HR004', params)]
  return { ...file, documents: file.documents.slice(0, limit), diagnostics }
}

/** Reads a file of a form. Nothing is thrown; what is wrong is told with its place. */
export function readKustoFile(form: KustoForm, source: string, file: string): KustoFile {
  return bounded(readForm(form, source, file))
}
