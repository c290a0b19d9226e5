/**
 * Searches of many texts as rules: the macros and lookups that stand beside them are gathered first, by the path that
 * led to them, and each search is compiled with those of its own path before those of others.
 */
import { type Diagnostic, diagnose, hasErrors } from '../core/diagnostic.ts'
import { suggest } from '../core/suggest.ts'
import type { SplAnswer } from '../dialects/spl/answer.ts'
import { compileSpl } from '../dialects/spl/compile.ts'
import { readSplFile, type SplForm } from '../dialects/spl/document.ts'
import { macrosOf, type SplLibrary } from '../dialects/spl/library.ts'
import { type LookupDefinition, lookupDefinition, writtenBy } from '../dialects/spl/lookupdef.ts'
import {
  type Deployment,
  deployed,
  type SplDocument,
  type SplFile,
  type SplRule,
  tagsOf,
} from '../dialects/spl/rule.ts'
import type { Macro } from '../dialects/spl/world.ts'
import type { SchemaCatalogue } from '../schema/catalogue.ts'
import type { RuleProblem, RuleText } from './files.ts'
import { filteredSearch, filterProblems } from './filtering.ts'
import { firstOf } from './firstof.ts'
import { NO_OVERLAYS, type Overlaid, type Overlays, overlaid } from './overlaying.ts'
import {
  type LoadedRule,
  type LocatedDiagnostic,
  located,
  type Rule,
  type SplCompiler,
  type SplStore,
} from './rule.ts'
import { type SplSetting, splWorld } from './splworld.ts'

/** A text that is Splunk's, and what it holds. */
export interface SplText extends RuleText {
  readonly content: SplFile
  readonly form: SplForm
  /** True for what stands beside the files that were named: its searches are no rules of the call. */
  readonly isBeside: boolean
}

export interface SplRules {
  readonly rules: ReadonlyMap<RuleText, readonly LoadedRule[]>
  /** Texts that hold something that rules use, or that are known to be wrong. */
  readonly filled: ReadonlySet<RuleText>
  readonly library: SplLibrary
  readonly problems: readonly RuleProblem[]
}

const baseOf = (file: string): string => file.split(/[\\/]/).at(-1) ?? ''

/** The same file in the other of the folders `default` and `local` of an app. */
function otherLayer(
  file: string,
): { readonly path: string; readonly isLocal: boolean } | undefined {
  const found = /^(.*[\\/])?(default|local)([\\/][^\\/]+\.conf)$/i.exec(file)
  if (found === null) return undefined
  const [, before = '', layer = '', after = ''] = found
  const isLocal = layer.toLowerCase() === 'local'
  return { path: `${before}${isLocal ? 'default' : 'local'}${after}`, isLocal }
}

const isLocal = (file: string): boolean => otherLayer(file)?.isLocal === true

/** Reads the texts that are Splunk's; files of `default` and `local` are read with each other in view. */
export function readSplTexts(
  texts: readonly (readonly [RuleText, SplForm])[],
  isBeside: boolean,
): ReadonlyMap<RuleText, SplText> {
  const byFile = new Map(texts.map(([each]) => [each.file, each.text]))
  return new Map(
    texts.map(([each, form]): readonly [RuleText, SplText] => {
      const { file, text } = each
      const other = otherLayer(file)
      const beside = other === undefined ? undefined : byFile.get(other.path)
      const layers =
        other === undefined || beside === undefined
          ? {}
          : other.isLocal
            ? { under: beside }
            : { over: beside }
      const content = readSplFile(form, text, file, layers)
      return [each, { ...each, content, form, isBeside }]
    }),
  )
}

/** What the texts of one path define. */
interface Shelf {
  readonly macros: readonly Macro[]
  readonly lookups: readonly LookupDefinition[]
  readonly deployments: readonly Deployment[]
}

/** Definitions of lookups with the text of their files, and each file as a lookup under its own name. */
function withFiles(
  definitions: readonly LookupDefinition[],
  texts: readonly SplText[],
): readonly LookupDefinition[] {
  const files = new Map<string, SplText>()
  for (const each of texts) {
    const name = baseOf(each.file)
    if (each.form === 'csv' && !files.has(name)) files.set(name, each)
  }
  const collections = new Map(texts.flatMap(({ content }) => [...content.collections]))
  const known = definitions.map((each): LookupDefinition => {
    if (each.kind === 'kvstore' && each.fields.length === 0) {
      return { ...each, fields: collections.get(each.source) ?? [] }
    }
    const csv = each.kind === 'csv' ? files.get(each.source)?.text : undefined
    return csv === undefined ? each : { ...each, csv }
  })
  const names = new Set(known.flatMap(({ name, source }) => [name, source]))
  const plain = [...files]
    .filter(([name]) => !names.has(name))
    .map(([name, { text, file }]) => lookupDefinition(name, 'csv', { csv: text, file }))
  return [...known, ...plain]
}

/** What a user's own layer of an app says holds before that of its maker. */
const replaces = (first: RuleText, other: RuleText): boolean =>
  isLocal(first.file) && !isLocal(other.file)

function shelve(texts: readonly SplText[]): Shelf & { readonly problems: readonly RuleProblem[] } {
  const layered = [...texts].sort((a, b) => Number(isLocal(b.file)) - Number(isLocal(a.file)))
  const macros = firstOf(
    layered.flatMap((from) => from.content.macros.map((value) => ({ from, value }))),
    {
      what: 'macro',
      nameOf: ({ name, args }) => (args.length === 0 ? name : `${name}(${args.length})`),
      meaningOf: ({ args, definition }) => [args, definition],
      replaces,
    },
  )
  const lookups = firstOf(
    layered.flatMap((from) => from.content.lookups.map((value) => ({ from, value }))),
    {
      what: 'lookup',
      nameOf: ({ name }) => name,
      meaningOf: ({ kind, source, options }) => [kind, source, options, [...options.match]],
      replaces,
    },
  )
  return {
    macros: macros.kept,
    lookups: [
      ...withFiles(lookups.kept, layered),
      ...layered.flatMap(({ content, file }) =>
        content.documents.flatMap(({ search }) => writtenBy(search, file)),
      ),
    ],
    deployments: layered.flatMap(({ content }) => content.deployments),
    problems: [...macros.problems, ...lookups.problems],
  }
}

/** What is wrong with a file beside its documents; a file that the user named and that holds nothing is told. */
function fileProblems({ content, text, form, named }: SplText): readonly LocatedDiagnostic[] {
  const { documents, macros, lookups, stories, deployments, collections, diagnostics } = content
  const held = [documents, macros, lookups, stories, deployments, [...collections]]
  const isEmpty = form !== 'csv' && held.every((each) => each.length === 0)
  const isTold = named && isEmpty && form !== 'markdown' && !hasErrors(diagnostics)
  return located([...diagnostics, ...(isTold ? [diagnose('HR559', {})] : [])], text)
}

/** Fields that the rule names and its search does not give. */
function missingFields(
  { rule, fieldSpans }: SplDocument,
  { columns }: SplAnswer,
): readonly Diagnostic[] {
  const names = columns.map((each) => each.name)
  const known = new Set(names)
  const uses = [
    ...rule.riskObjects.map(({ field }) => [field, 'the risk object'] as const),
    ...rule.threatObjects.map(({ field }) => [field, 'the threat object'] as const),
    ...[...fieldSpans.keys()].map((field) => [field, 'a message or the throttling'] as const),
  ]
  const told = new Set<string>()
  return uses.flatMap(([name, what]) => {
    if (known.has(name) || told.has(name)) return []
    told.add(name)
    const near = suggest(name, names)
    const guess = near === undefined ? '' : ` (did you mean "${near}"?)`
    return [diagnose('HR558', { name: name.slice(0, 128), what, guess }, fieldSpans.get(name))]
  })
}

interface Head extends Pick<LoadedRule, 'file' | 'id' | 'title' | 'language'> {}

function makeRule(
  head: Head,
  search: string,
  rule: SplRule,
  answer: SplAnswer,
  compiler: SplCompiler,
): Rule | undefined {
  const { rel, columns, order, isEvents, notes, reads, effects } = answer
  if (rel === undefined) return undefined
  return {
    ...head,
    level: rule.severity ?? 'informational',
    status: rule.status,
    description: rule.description,
    author: rule.author,
    date: rule.modified || rule.date,
    tags: tagsOf(rule),
    references: rule.references,
    falsepositives: rule.falsePositives === '' ? [] : [rule.falsePositives],
    logsource: reads.join(', '),
    rel,
    stages: [{ name: 'search', text: search.trim() }],
    fields: columns.map(({ name }) => name),
    spl: {
      ...rule,
      search,
      columns,
      order,
      isEvents,
      notes,
      reads,
      writes: effects.map(({ kind, name }) => ({ kind, name })),
      compiler,
    },
  }
}

/** Compiles searches with what stands beside them. */
class Compilation {
  readonly #schema: (() => SchemaCatalogue) | undefined
  readonly #shelves: ReadonlyMap<string, Shelf>
  readonly #overlays: Overlays

  constructor(
    schema: (() => SchemaCatalogue) | undefined,
    shelves: ReadonlyMap<string, Shelf>,
    overlays: Overlays,
  ) {
    this.#schema = schema
    this.#shelves = shelves
    this.#overlays = overlays
  }

  /** What searches of a path may call: what its own path defines, then what others do. */
  library(root: string): SplLibrary {
    const own = this.#shelves.get(root)
    const others = [...this.#shelves].flatMap(([each, shelf]) => (each === root ? [] : [shelf]))
    const all = own === undefined ? others : [own, ...others]
    return {
      macros: all.flatMap((each) => each.macros),
      lookups: all.flatMap((each) => each.lookups),
    }
  }

  readonly #settings = new WeakMap<object, Map<string, SplSetting>>()

  /** The world of searches of a path over a store, made once: files of lookups are read once for all of them. */
  #setting(schema: SchemaCatalogue, root: string, { stored, written }: SplStore): SplSetting {
    const store = stored ?? schema
    const known = this.#settings.get(store) ?? new Map<string, SplSetting>()
    this.#settings.set(store, known)
    const tables = [...(written ?? [])].map(([name, { table }]) => [name, table])
    const key = JSON.stringify([root, tables])
    const made =
      known.get(key) ??
      splWorld({
        schema,
        library: this.library(root),
        hasFilters: true,
        ...(stored === undefined ? {} : { stored }),
        ...(written === undefined ? {} : { written }),
      })
    known.set(key, made)
    return made
  }

  /** `first`: macros that go before all others. */
  #compiler(
    root: string,
    { search, macros }: Pick<SplDocument, 'search' | 'macros'>,
    first: readonly Macro[] = [],
  ): SplCompiler | undefined {
    const schema = this.#schema?.()
    if (schema === undefined) return undefined
    // Macros of a document alone are those of a page: what packs and the user define goes before them.
    const isOwn = macros.length + first.length > 0
    const own = isOwn ? [...first, ...this.library(root).macros, ...macros] : undefined
    return ({ range = {}, ...store }) => {
      const shared = this.#setting(schema, root, store)
      const world = own === undefined ? shared.world : { ...shared.world, ...macrosOf(own, true) }
      return {
        lookups: shared.lookups,
        compile: (found) => compileSpl(search, { world, found, ...range }),
      }
    }
  }

  /** The rule of a document; without one, the diagnostics say why. */
  rule(from: SplText, document: SplDocument) {
    const rule = deployed(document.rule, this.#shelves.get(from.root)?.deployments ?? [])
    const { search, place } = document
    const head: Head = { file: from.file, id: rule.id, title: rule.name, language: 'spl' }
    if (hasErrors(document.diagnostics)) return { head, diagnostics: document.diagnostics }
    const compiler = this.#compiler(from.root, document)
    if (compiler === undefined) {
      const reason = 'nothing is known of what logs hold'
      const refused = diagnose('HR557', { reason }, document.span)
      return { head, diagnostics: [refused, ...document.diagnostics] }
    }
    const answer = compiler({}).compile(new Map())
    const own = answer.diagnostics.map((each) =>
      each.span === undefined ? each : { ...each, span: place(each.span) },
    )
    const made = hasErrors(own) ? undefined : makeRule(head, search, rule, answer, compiler)
    const isOpen = answer.isEvents || answer.discoveries.length > 0
    const missing = made === undefined || isOpen ? [] : missingFields(document, answer)
    const diagnostics = [...own, ...document.diagnostics, ...missing]
    if (made === undefined) return { head, diagnostics }
    const said = this.#overlays.of(head)
    if (said === undefined) return { head, rule: made, diagnostics }
    const tuned = this.#tuned(from.root, document, { made, answer, said })
    const all = [...diagnostics, ...tuned.diagnostics]
    return tuned.rule === undefined || hasErrors(tuned.diagnostics)
      ? { head, diagnostics: all }
      : { head, rule: tuned.rule, diagnostics: all }
  }

  /** A rule with what the user says of it. */
  #tuned(
    root: string,
    document: SplDocument,
    given: { readonly made: Rule; readonly answer: SplAnswer; readonly said: Overlaid },
  ): { readonly rule?: Rule; readonly diagnostics: readonly Diagnostic[] } {
    const { made, answer, said } = given
    const { filter } = said
    if (hasErrors(said.diagnostics)) return { diagnostics: said.diagnostics }
    if (filter === undefined) return { rule: overlaid(made, said), diagnostics: [] }
    const { macros } = this.library(root)
    const known = (name: string): string | undefined =>
      [...macros, ...document.macros].find((each) => each.name === name && each.args.length === 0)
        ?.definition
    const changed = filteredSearch(document.search, made.title, filter, known)
    if ('code' in changed) return { diagnostics: [changed] }
    const { search, macro } = changed
    const first = macro === undefined ? [] : [macro]
    const compiler = this.#compiler(root, { search, macros: document.macros }, first)
    const after = compiler?.({}).compile(new Map())
    if (compiler === undefined || after === undefined) return { diagnostics: [] }
    const diagnostics = filterProblems(filter, answer, after)
    const part = made.spl
    if (hasErrors(diagnostics) || part === undefined) return { diagnostics }
    const filtered = makeRule(made, search, part, after, compiler)
    if (filtered === undefined) return { diagnostics }
    return {
      rule: overlaid({ ...filtered, stages: made.stages }, said, made),
      diagnostics,
    }
  }
}

/** Makes the rules of all texts. `schema` is asked for when there is a search. */
export function loadSpl(
  texts: ReadonlyMap<RuleText, SplText>,
  schema: (() => SchemaCatalogue) | undefined,
  overlays: Overlays = NO_OVERLAYS,
): SplRules {
  const all = [...texts]
  const byRoot = new Map<string, SplText[]>()
  for (const [, each] of all) {
    const known = byRoot.get(each.root) ?? []
    byRoot.set(each.root, known)
    known.push(each)
  }
  const shelved = [...byRoot].map(([root, own]) => [root, shelve(own)] as const)
  const compilation = new Compilation(schema, new Map(shelved), overlays)
  const rules = new Map<RuleText, readonly LoadedRule[]>()
  const filled = new Set<RuleText>()
  const problems = shelved.flatMap(([, shelf]) => shelf.problems)
  for (const [key, each] of all) {
    const { content, file, root, text, isBeside } = each
    const wrong = fileProblems(each)
    problems.push(...wrong.map((diagnostic) => ({ root, file, diagnostic })))
    const { macros, lookups, stories, deployments } = content
    const held = macros.length + lookups.length + stories.length + deployments.length
    if (held > 0 || wrong.length > 0 || each.form === 'csv') filled.add(key)
    if (isBeside || content.documents.length === 0) continue
    const made = content.documents.map((document) => compilation.rule(each, document))
    const placed = located(
      made.flatMap(({ diagnostics }) => diagnostics),
      text,
    )
    let at = 0
    const loaded = made.map(({ head, rule, diagnostics }): LoadedRule => {
      const own = placed.slice(at, at + diagnostics.length)
      at += diagnostics.length
      const base = { ...head, diagnostics: own, text }
      return rule === undefined ? base : { ...base, rule }
    })
    rules.set(key, loaded)
  }
  return { rules, filled, library: compilation.library(''), problems }
}
