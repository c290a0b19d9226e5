/**
 * Sigma rules of the texts of a call, each with its diagnostics and their places: rules over single events with the
 * filters that are for them, and correlations over these.
 */
import { type Diagnostic, diagnose, hasErrors } from '../core/diagnostic.ts'
import { placeOf, type Span } from '../core/span.ts'
import { writtenAfter } from '../core/yamlparts.ts'
import { lowerSigma } from '../dialects/sigma/lower.ts'
import {
  parseSigma,
  type SigmaHead,
  type SigmaParse,
  type SigmaRule,
} from '../dialects/sigma/rule.ts'
import { correlate, type Finder } from './correlating.ts'
import type { RuleProblem, RuleText } from './files.ts'
import { overlaidSigma } from './filtering.ts'
import type { Overlays } from './overlaying.ts'
import { LEVELS, type Level, type LoadedRule, located, type Rule, type RuleInfo } from './rule.ts'
import {
  filteredBy,
  lowerFilter,
  type ReadFilter,
  type SigmaNamed,
  SigmaNames,
  withFilters,
} from './sigmafilters.ts'

export interface SigmaOptions {
  /** Values for `%name%` under the expand modifier. */
  readonly placeholders: ReadonlyMap<string, readonly string[]>
}

function levelOf({ level }: SigmaHead): Level {
  return LEVELS.find((each) => each === level) ?? 'informational'
}

/** What a document says of itself. */
function infoOf(file: string, head: SigmaHead): Omit<RuleInfo, 'logsource'> {
  return {
    file,
    id: head.id ?? '',
    title: head.title,
    language: 'sigma',
    level: levelOf(head),
    status: head.status ?? '',
    description: head.description ?? '',
    author: head.author ?? '',
    date: head.date ?? '',
    tags: head.tags,
    references: head.references,
    falsepositives: head.falsepositives,
  }
}

/** What closes a part of a text: the place of a value ends before its closing quote, and before closing brackets. */
function closingOf(part: string, rest: string): string {
  const quote = /^['"](?=[ \t]*(?:[,}\]#\r\n]|$))/.exec(rest)?.[0] ?? ''
  let open = 0
  for (const char of part.replace(/'[^'\n]*'|"[^"\n]*"/g, '')) {
    if (char === '{' || char === '[') open++
    else if (char === '}' || char === ']') open--
  }
  let closing = quote
  while (open-- > 0) {
    const next = /^\s*[}\]]/.exec(rest.slice(closing.length))
    if (next === null) break
    closing += next[0]
  }
  return closing
}

/** A part of a rule as it stands there, moved to the left margin. */
function partOf(text: string, { start, end }: Span): string {
  const part = text.slice(start, end)
  const margin = placeOf(text, start).column - 1
  const indent = (line: string): number => line.length - line.trimStart().length
  return (part + closingOf(part, text.slice(end, end + 1_000)))
    .split(/\r?\n/)
    .map((line, index) => (index === 0 ? line : line.slice(Math.min(margin, indent(line)))))
    .join('\n')
}

function ruleOf(file: string, text: string, rule: SigmaRule, options: SigmaOptions) {
  const { value, diagnostics } = lowerSigma(rule, options)
  if (value === undefined || hasErrors(diagnostics)) return { diagnostics }
  const { category, product, service } = rule.logsource
  const made: Rule = {
    ...infoOf(file, rule),
    logsource: [product, category, service].filter((each) => each !== undefined).join(' / '),
    rel: value.rel,
    stages: [
      {
        name: 'condition',
        text: rule.detection.conditions.map(({ span }) => partOf(text, span)).join('\n'),
      },
      ...value.selections.map(({ name, span }) => ({ name, text: partOf(text, span) })),
    ],
    fields: value.fields,
  }
  return { rule: made, diagnostics }
}

/** One document of a call, as it is read and as it is loaded. */
interface Document extends SigmaNamed {
  readonly root: string
  readonly text: string
  readonly parse: SigmaParse
  loaded: LoadedRule
}

/** The documents of a text that is Sigma's to read; none when it holds no rule and is not meant as one. */
function documentsOf({ file, text, named, root }: RuleText): readonly (Document | LoadedRule)[] {
  const { rules, diagnostics } = parseSigma(text)
  if (rules.length === 0) {
    // Below a folder, YAML that is no rule (workflows, test data) is not ours to judge.
    const isOurs = named || /^(?:correlation|detection|filter|logsource)\s*:/m.test(text)
    const isBroken = diagnostics.some((each) => each.code !== 'HR314')
    if (!isOurs || !isBroken) return []
    const id = writtenAfter('id', text)
    const title = writtenAfter('title', text)
    return [{ file, id, title, language: 'sigma', text, diagnostics: located(diagnostics, text) }]
  }
  return rules.map((parse): Document | LoadedRule => {
    const { head, span } = parse
    const written = head === undefined ? text.slice(span.start, span.end) : ''
    const loaded: LoadedRule = {
      file,
      id: head === undefined ? writtenAfter('id', written) : (head.id ?? ''),
      title: head === undefined ? writtenAfter('title', written) : head.title,
      language: 'sigma',
      text,
      diagnostics: located(parse.diagnostics, text),
    }
    return head === undefined ? loaded : { file, root, text, head, parse, loaded }
  })
}

const isDocument = (each: Document | LoadedRule): each is Document => 'parse' in each

/** What the rules of a call are made of. */
interface World {
  readonly options: SigmaOptions
  readonly overlays: Overlays
  readonly names: SigmaNames<Document>
  readonly filters: ReadonlyMap<Document, readonly ReadFilter[]>
  /** Documents that a correlation counts in place of findings of their own, and its title. */
  readonly counted: Map<Document, string>
  readonly made: Set<Document>
}

function addTo(
  document: Document,
  rule: Rule | undefined,
  said: readonly Diagnostic[],
): LoadedRule {
  const { loaded, text } = document
  const diagnostics = [...loaded.diagnostics, ...located(said, text)]
  return rule === undefined ? { ...loaded, diagnostics } : { ...loaded, rule, diagnostics }
}

function makeRule(document: Document, { options, filters, overlays }: World): void {
  const { file, text, parse } = document
  if (parse.rule === undefined || hasErrors(parse.diagnostics)) return
  const { rule, diagnostics } = ruleOf(file, text, parse.rule, options)
  const filtered = rule && withFilters(rule, filters.get(document) ?? [])
  const said = [...diagnostics, ...(filtered?.diagnostics ?? [])]
  document.loaded = overlaidSigma(addTo(document, filtered?.rule, said), overlays, options)
}

function makeCorrelation(document: Document, world: World, path: readonly Document[]): void {
  const { head, parse, text, file } = document
  const { correlation } = parse
  if (correlation === undefined) return
  const find: Finder<Document> = (each) => {
    make(each, world, [...path, document])
    return each.loaded
  }
  const found = correlate(correlation, world.names, [...path, document], find)
  const { part, rel, diagnostics } = found
  if (part === undefined || rel === undefined) {
    document.loaded = addTo(document, undefined, diagnostics)
    return
  }
  const level = LEVELS.find((each) => each === head.level) ?? found.level
  const rule: Rule = {
    ...infoOf(file, head),
    level,
    logsource: found.logsource,
    rel,
    stages: [
      { name: 'correlation', text: partOf(text, correlation.span) },
      ...part.rules.map(({ name, rule: each }) => ({
        name,
        text: [each.title, ...each.stages.slice(0, 1).map((stage) => stage.text)].join('\n'),
      })),
    ],
    fields: [...new Set([...part.groupBy, ...part.fields])],
    correlation: part,
  }
  const whole = addTo(document, rule, diagnostics)
  document.loaded = overlaidSigma(whole, world.overlays, world.options)
  if (part.generate || document.loaded.rule === undefined) return
  for (const each of found.documents) world.counted.set(each, head.title)
}

/** Makes the rule of a document, once. */
function make(document: Document, world: World, path: readonly Document[] = []): void {
  if (world.made.has(document)) return
  if (document.parse.correlation !== undefined) makeCorrelation(document, world, path)
  else makeRule(document, world)
  world.made.add(document)
}

/** The filters of a call: for which documents each is, and what is to be said of them. */
function readFilters(
  documents: readonly Document[],
  names: SigmaNames<Document>,
  options: SigmaOptions,
) {
  const rules = documents.filter(({ parse }) => parse.rule !== undefined)
  const filters = new Map<Document, ReadFilter[]>()
  const problems: RuleProblem[] = []
  for (const document of documents) {
    const { head, file, text, parse } = document
    const { filter } = parse
    if (filter === undefined) continue
    const { value: lowered, diagnostics } = lowerFilter(head, filter, options)
    if (lowered === undefined || hasErrors(diagnostics)) {
      document.loaded = addTo(document, undefined, diagnostics)
      continue
    }
    const conditions = filter.detection.conditions.map(({ span }) => partOf(text, span))
    const stages = [
      { name: `filter: ${head.title}`, text: conditions.join('\n') },
      ...lowered.selections.map(({ name, span }) => ({ name, text: partOf(text, span) })),
    ]
    const read: ReadFilter = { head, file, filter, lowered, stages }
    const found = filteredBy(read, rules, names)
    for (const rule of found.rules) filters.set(rule, [...(filters.get(rule) ?? []), read])
    const said = [...parse.diagnostics, ...diagnostics, ...found.diagnostics]
    for (const diagnostic of located(said, text)) problems.push({ root: '', file, diagnostic })
  }
  return { filters, problems }
}

/** True for a filter that is in use: it is no rule, and what it does stands with the rules that it is for. */
const isFilter = ({ parse, loaded }: Document): boolean =>
  parse.filter !== undefined && !hasErrors(loaded.diagnostics)

export interface SigmaRules {
  readonly rules: ReadonlyMap<RuleText, readonly LoadedRule[]>
  /** Texts that hold filters. */
  readonly filled: ReadonlySet<RuleText>
  /** What is to be said of filters. */
  readonly problems: readonly RuleProblem[]
}

/** The rules of texts that are Sigma's to read, with the filters and correlations among them. */
export function loadSigma(
  texts: readonly RuleText[],
  options: SigmaOptions,
  overlays: Overlays,
): SigmaRules {
  const read = texts.map((text) => [text, documentsOf(text)] as const)
  const documents = read.flatMap(([, all]) => all.filter(isDocument))
  const names = new SigmaNames(documents)
  const { filters, problems } = readFilters(documents, names, options)
  const counted = new Map<Document, string>()
  const world: World = { options, overlays, names, filters, counted, made: new Set() }
  for (const document of documents) make(document, world)
  const finish = (each: Document): LoadedRule => {
    const title = counted.get(each)
    const { rule } = each.loaded
    if (title === undefined || rule === undefined) return each.loaded
    const notice = diagnose('HR370', { title: title.slice(0, 128) })
    return { ...addTo(each, { ...rule, countedBy: title }, [notice]) }
  }
  const rules = read.map(([text, all]): [RuleText, readonly LoadedRule[]] => [
    text,
    all.flatMap((each) => (!isDocument(each) ? [each] : isFilter(each) ? [] : [finish(each)])),
  ])
  const filled = read.filter(([, all]) => all.some((each) => isDocument(each) && isFilter(each)))
  return { rules: new Map(rules), filled: new Set(filled.map(([text]) => text)), problems }
}
