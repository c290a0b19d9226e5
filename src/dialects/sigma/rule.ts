/**
 * Sigma rule files: every document of a file as a rule with its metadata checked and its detection parsed, or as
 * a refusal with reasons. Takes YAML text, gives plain data with spans in that text.
 */
import { type Diagnostic, diagnose, hasErrors } from '../../core/diagnostic.ts'
import type { Span } from '../../core/span.ts'
import { childOf, entryOf, plainOf, textOf, type YamlMap, type YamlNode } from '../../core/yaml.ts'
import type { Logsource } from '../../schema/view.ts'
import { type Correlation, readCorrelation } from './correlation.ts'
import { type Detection, readDetection } from './detection.ts'
import { readDocuments, type SigmaDocument } from './document.ts'
import { readFilter, type SigmaFilter } from './filter.ts'

export interface SigmaLogsource extends Logsource {
  /** What the source must be set up to log; not evaluated. */
  readonly definition?: string
  readonly custom: ReadonlyMap<string, unknown>
}

interface SigmaRelated {
  readonly id: string
  readonly type: string
}

/** All that a document says of itself; also there for documents that cannot be run. */
export interface SigmaHead {
  readonly kind: 'detection' | 'correlation' | 'filter'
  /** Empty when the document has none. */
  readonly title: string
  readonly id: string | undefined
  readonly name: string | undefined
  readonly related: readonly SigmaRelated[]
  readonly taxonomy: string
  readonly status: string | undefined
  readonly description: string | undefined
  readonly license: string | undefined
  readonly author: string | undefined
  readonly references: readonly string[]
  /** ISO dates. */
  readonly date: string | undefined
  readonly modified: string | undefined
  readonly logsource?: SigmaLogsource
  readonly level: string | undefined
  readonly tags: readonly string[]
  readonly fields: readonly string[]
  readonly falsepositives: readonly string[]
  readonly scope: readonly string[]
  /** Keys that the specification does not know, as plain values. */
  readonly custom: ReadonlyMap<string, unknown>
  readonly span: Span
}

/** A rule that can be lowered. */
export interface SigmaRule extends SigmaHead {
  readonly kind: 'detection'
  readonly logsource: SigmaLogsource
  readonly detection: Detection
}

/**
 * One document of a file: `head` is there when it was a map, and one of `rule`, `correlation` and `filter` when nothing
 * forbids to use it.
 */
export interface SigmaParse {
  readonly head?: SigmaHead
  readonly rule?: SigmaRule
  readonly correlation?: Correlation
  readonly filter?: SigmaFilter
  readonly diagnostics: readonly Diagnostic[]
  readonly span: Span
}

interface Reader {
  readonly node: YamlMap
  readonly diagnostics: Diagnostic[]
}

const STATUSES = ['stable', 'test', 'experimental', 'deprecated', 'unsupported'] as const
const LEVELS = ['informational', 'low', 'medium', 'high', 'critical'] as const
const RELATIONS = ['derived', 'obsolete', 'merged', 'renamed', 'similar'] as const
const LOGSOURCE_KEYS = ['product', 'category', 'service'] as const
const MOST_TITLE = 256
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const TAG = /^[a-z0-9_-]+\.[a-z0-9._-]+$/
const LOGSOURCE_WORD = /^[a-z0-9_.-]+$/

/** Keys of which a document has one: what it detects, correlates or filters. */
const BODIES: ReadonlySet<string> = new Set(['correlation', 'detection', 'filter'])
const MEANT_KEYS: ReadonlySet<string> = new Set(['correlation', 'detection', 'filter', 'logsource'])
const MEANT_TEXT = /^(?:correlation|detection|filter|logsource)\s*:/m

const KNOWN: ReadonlySet<string> = new Set([
  'action',
  'author',
  'correlation',
  'date',
  'description',
  'detection',
  'falsepositives',
  'fields',
  'filter',
  'id',
  'level',
  'license',
  'logsource',
  'modified',
  'name',
  'references',
  'related',
  'scope',
  'status',
  'tags',
  'taxonomy',
  'title',
])

/** A text of the document; other kinds of values are warned of. */
function readText(reader: Reader, key: string): string | undefined {
  const node = childOf(reader.node, key)
  if (node === undefined || (node.kind === 'scalar' && node.value === null)) return undefined
  if (node.kind === 'scalar') return node.text
  reader.diagnostics.push(diagnose('HR303', { key, wanted: 'a text' }, node.span))
  return undefined
}

/** A text that must be one of some words. */
function readWord(reader: Reader, key: string, known: readonly string[]): string | undefined {
  const value = readText(reader, key)
  if (value === undefined || known.includes(value)) return value
  const span = childOf(reader.node, key)?.span
  const params = { key, value: value.slice(0, 64), known: known.join(', ') }
  reader.diagnostics.push(diagnose('HR304', params, span))
  return undefined
}

/** A list of texts; a single text is taken as a list of one. */
function readTexts(reader: Reader, key: string): readonly string[] {
  const node = childOf(reader.node, key)
  if (node === undefined || (node.kind === 'scalar' && node.value === null)) return []
  const items = node.kind === 'list' ? node.items : [node]
  const isList = node.kind === 'list' || (node.kind === 'scalar' && key === 'falsepositives')
  const found = items.flatMap((item) => textOf(item) ?? [])
  if (found.length < items.length || !isList) {
    const params = { key, wanted: 'a list of texts' }
    const code = found.length < items.length ? 'HR303' : 'HR305'
    reader.diagnostics.push(
      code === 'HR303'
        ? diagnose(code, params, node.span)
        : diagnose(code, { value: key, what: 'list', wanted: 'write a list of texts' }, node.span),
    )
  }
  return found
}

function isDate(text: string): boolean {
  const found = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text)
  const [year = 0, month = 0, day = 0] = (found ?? []).slice(1).map(Number)
  const days = [31, year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28, 31, 30]
  const most = [...days, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0
  return found !== null && day >= 1 && day <= most
}

/** A date; the old form with slashes is read too. */
function readDate(reader: Reader, key: string): string | undefined {
  const value = readText(reader, key)
  if (value === undefined || isDate(value)) return value
  const params = { value: value.slice(0, 64), what: 'date', wanted: 'write 2026-01-31' }
  reader.diagnostics.push(diagnose('HR305', params, childOf(reader.node, key)?.span))
  const parts = value.split('/').map((part) => part.padStart(2, '0'))
  const iso = parts.join('-')
  return parts.length === 3 && isDate(iso) ? iso : undefined
}

function checkFormat(
  reader: Reader,
  key: string,
  pattern: RegExp,
  what: string,
  wanted: string,
): void {
  const node = childOf(reader.node, key)
  for (const item of node?.kind === 'list' ? node.items : node === undefined ? [] : [node]) {
    const value = textOf(item)
    if (value === undefined || pattern.test(value)) continue
    const params = { value: value.slice(0, 64), what, wanted }
    reader.diagnostics.push(diagnose('HR305', params, item.span))
  }
}

function readRelated(reader: Reader): readonly SigmaRelated[] {
  const node = childOf(reader.node, 'related')
  if (node === undefined || (node.kind === 'scalar' && node.value === null)) return []
  const items = node.kind === 'list' ? node.items : [node]
  return items.flatMap((item) => {
    const id = textOf(childOf(item, 'id'))
    const type = textOf(childOf(item, 'type'))
    if (id === undefined || type === undefined) {
      const params = { key: 'related', wanted: 'a list of maps with "id" and "type"' }
      reader.diagnostics.push(diagnose('HR303', params, item.span))
      return []
    }
    if (!RELATIONS.some((known) => known === type)) {
      const params = { key: 'type', value: type.slice(0, 64), known: RELATIONS.join(', ') }
      reader.diagnostics.push(diagnose('HR304', params, childOf(item, 'type')?.span))
      return []
    }
    return { id, type }
  })
}

/** One of product, category and service. */
function readSourceKey(
  reader: Reader,
  node: YamlMap,
  key: (typeof LOGSOURCE_KEYS)[number],
): string | undefined {
  const value = childOf(node, key)
  if (value === undefined || (value.kind === 'scalar' && value.value === null)) return undefined
  const written = textOf(value)?.trim()
  const lower = written?.toLowerCase()
  if (written === undefined || lower === undefined || !LOGSOURCE_WORD.test(lower)) {
    const params = { value: (written ?? '').slice(0, 64), key }
    reader.diagnostics.push(diagnose('HR311', params, value.span))
    return undefined
  }
  if (lower !== written) {
    reader.diagnostics.push(diagnose('HR312', { key, value: lower }, value.span))
  }
  return lower
}

function readLogsource(reader: Reader, isRequired: boolean): SigmaLogsource | undefined {
  const node = childOf(reader.node, 'logsource')
  if (node === undefined || (node.kind === 'scalar' && node.value === null)) {
    if (isRequired) missing(reader, 'logsource')
    return undefined
  }
  if (node.kind !== 'map') {
    const params = { key: 'logsource', wanted: 'a map' }
    reader.diagnostics.push(diagnose('HR302', params, node.span))
    return undefined
  }
  const before = reader.diagnostics.filter((each) => each.severity === 'error').length
  const given = LOGSOURCE_KEYS.flatMap((key): (readonly [string, string])[] => {
    const value = readSourceKey(reader, node, key)
    return value === undefined ? [] : [[key, value]]
  })
  const wrong = reader.diagnostics.filter((each) => each.severity === 'error').length > before
  if (given.length === 0 && !wrong && isRequired) {
    reader.diagnostics.push(diagnose('HR310', {}, node.span))
  }
  const definition = textOf(childOf(node, 'definition'))
  const known: readonly string[] = [...LOGSOURCE_KEYS, 'definition']
  const logsource: Logsource = Object.fromEntries(given)
  return {
    ...logsource,
    ...(definition === undefined ? {} : { definition }),
    custom: customOf(node, (key) => known.includes(key)),
  }
}

function customOf(node: YamlMap, isKnown: (key: string) => boolean): ReadonlyMap<string, unknown> {
  return new Map(
    node.entries.filter(({ key }) => !isKnown(key)).map(({ key, value }) => [key, plainOf(value)]),
  )
}

function missing(reader: Reader, key: string): void {
  const { start } = reader.node.span
  reader.diagnostics.push(diagnose('HR301', { key }, { start, end: start + 1 }))
}

function kindOf(node: YamlMap): SigmaHead['kind'] {
  if (entryOf(node, 'correlation') !== undefined) return 'correlation'
  return entryOf(node, 'filter') === undefined ? 'detection' : 'filter'
}

function readTitle(reader: Reader): string {
  const title = readText(reader, 'title') ?? ''
  if (title.trim() === '') missing(reader, 'title')
  else if (title.length > MOST_TITLE) {
    const wanted = `at most ${MOST_TITLE} characters`
    const params = { value: `${title.slice(0, 64)}...`, what: 'title', wanted }
    reader.diagnostics.push(diagnose('HR305', params, childOf(reader.node, 'title')?.span))
  }
  return title
}

function readHead(reader: Reader): SigmaHead {
  const { node } = reader
  const kind = kindOf(node)
  const title = readTitle(reader)
  const logsource = readLogsource(reader, kind !== 'correlation')
  const taxonomy = readText(reader, 'taxonomy') ?? 'sigma'
  if (taxonomy !== 'sigma') {
    const span = childOf(node, 'taxonomy')?.span
    reader.diagnostics.push(diagnose('HR313', { taxonomy: taxonomy.slice(0, 64) }, span))
  }
  checkFormat(
    reader,
    'id',
    UUID,
    'id',
    'write a UUID, such as 0d9a3c4e-8a4f-4a5b-9c37-2f6f8e2b1a10',
  )
  checkFormat(reader, 'tags', TAG, 'tag', 'write a namespace and a name, such as attack.t1059.001')
  return {
    kind,
    title,
    id: readText(reader, 'id'),
    name: readText(reader, 'name'),
    related: readRelated(reader),
    taxonomy,
    status: readWord(reader, 'status', STATUSES),
    description: readText(reader, 'description'),
    license: readText(reader, 'license'),
    author: readText(reader, 'author'),
    references: readTexts(reader, 'references'),
    date: readDate(reader, 'date'),
    modified: readDate(reader, 'modified'),
    ...(logsource === undefined ? {} : { logsource }),
    level: readWord(reader, 'level', LEVELS),
    tags: readTexts(reader, 'tags'),
    fields: readTexts(reader, 'fields'),
    falsepositives: readTexts(reader, 'falsepositives'),
    scope: readTexts(reader, 'scope'),
    custom: customOf(node, (key) => KNOWN.has(key)),
    span: node.span,
  }
}

function readRule(document: SigmaDocument, source: string): SigmaParse {
  const { node, span } = document
  if (node === undefined) return { diagnostics: document.diagnostics, span }
  if (node.kind !== 'map') return { diagnostics: [diagnose('HR300', {}, span)], span }
  const reader: Reader = { node, diagnostics: [] }
  const { diagnostics } = reader
  const head = readHead(reader)
  if (head.kind !== 'detection') {
    checkAlone(reader, head.kind)
    const own = readMeta(reader, head.kind, source)
    return hasErrors(diagnostics)
      ? { head, diagnostics, span }
      : { head, ...own, diagnostics, span }
  }
  const detection = readDetectionOf(reader, source)
  const { logsource } = head
  if (detection === undefined || logsource === undefined || hasErrors(diagnostics)) {
    return { head, diagnostics, span }
  }
  return { head, rule: { ...head, kind: 'detection', logsource, detection }, diagnostics, span }
}

/** A document that is two things at once: which of them is meant cannot be known, and none is left out silently. */
function checkAlone(reader: Reader, kind: 'correlation' | 'filter'): void {
  for (const { key, keySpan, value } of reader.node.entries) {
    const isNothing = value.kind === 'scalar' && value.value === null
    if (key === kind || !BODIES.has(key) || isNothing) continue
    reader.diagnostics.push(diagnose('HR315', { kind, key }, keySpan))
  }
}

/** What a document that is no rule of its own says: what it correlates or filters. */
function readMeta(
  reader: Reader,
  kind: 'correlation' | 'filter',
  source: string,
): Pick<SigmaParse, 'correlation' | 'filter'> {
  const entry = entryOf(reader.node, kind)
  if (entry === undefined) return {}
  if (kind === 'correlation') {
    const { correlation, diagnostics } = readCorrelation(entry, source)
    reader.diagnostics.push(...diagnostics)
    return correlation === undefined ? {} : { correlation }
  }
  const { filter, diagnostics } = readFilter(entry, source)
  reader.diagnostics.push(...diagnostics)
  return filter === undefined ? {} : { filter }
}

function readDetectionOf(reader: Reader, source: string): Detection | undefined {
  const node: YamlNode | undefined = childOf(reader.node, 'detection')
  if (node === undefined || (node.kind === 'scalar' && node.value === null)) {
    missing(reader, 'detection')
    return undefined
  }
  const { detection, diagnostics } = readDetection(node, source)
  reader.diagnostics.push(...diagnostics)
  return detection
}

/** True for what is meant as a rule: other YAML lies in the folders of rule packs too. */
function isMeant({ node, span }: SigmaDocument, source: string): boolean {
  if (node === undefined) return MEANT_TEXT.test(source.slice(span.start, span.end))
  return node.kind === 'map' && node.entries.some(({ key }) => MEANT_KEYS.has(key))
}

/**
 * Reads all documents of a Sigma file. A document that cannot be run has errors among its own diagnostics and
 * never stops the others. When no document is meant as a rule, there are no rules, and the diagnostics of the
 * file say so; otherwise every document is in `rules`, and the file has no diagnostics of its own.
 */
export function parseSigma(text: string): {
  readonly rules: readonly SigmaParse[]
  readonly diagnostics: readonly Diagnostic[]
} {
  const documents = readDocuments(text)
  if (documents.some((document) => isMeant(document, text))) {
    return { rules: documents.map((document) => readRule(document, text)), diagnostics: [] }
  }
  const broken = documents.flatMap((document) => document.diagnostics)
  return { rules: [], diagnostics: broken.length > 0 ? broken : [diagnose('HR314', {})] }
}
