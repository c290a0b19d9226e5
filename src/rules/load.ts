/**
 * Loading rules: texts to rules, each with its diagnostics and their places. A rule that cannot run in full is
 * kept with the reason; it never runs weakened and never stops the others.
 */
import { resolve } from 'node:path'
import { diagnose } from '../core/diagnostic.ts'
import type { KustoCompiler, KustoFunction, Watchlist } from '../dialects/kusto/answer.ts'
import { kustoForm, readKustoFile } from '../dialects/kusto/document.ts'
import { type SplForm, splForm } from '../dialects/spl/document.ts'
import type { SplLibrary } from '../dialects/spl/library.ts'
import type { SchemaCatalogue } from '../schema/catalogue.ts'
import { type RuleProblem, type RuleText, readPackTexts, readRuleTexts } from './files.ts'
import { compileKusto, type KustoText } from './kusto.ts'
import { isOverlayText } from './overlay.ts'
import { NO_OVERLAYS, type Overlays } from './overlaying.ts'
import type { LoadedRule } from './rule.ts'
import { loadSigma, type SigmaOptions } from './sigma.ts'
import { loadSpl, readSplTexts, type SplText } from './spl.ts'

export interface RuleOptions extends SigmaOptions {
  /** Asked once, and only when there is a Kusto query; without it such rules are refused. */
  readonly kusto?: KustoCompiler
  /** Asked only when there is a search; without it such rules are refused. */
  readonly schema?: () => SchemaCatalogue
  /** Folders of packs whose macros and lookups searches may use where nothing nearer defines them. */
  readonly packs?: readonly string[]
  /** What the user says of rules; it holds over what they say of themselves. */
  readonly overlays?: Overlays
}

export interface RuleSet {
  readonly rules: readonly LoadedRule[]
  /** Text of each rule file, by file. */
  readonly texts: ReadonlyMap<string, string>
  /** What could not be read at all, and paths that hold no rule. */
  readonly problems: readonly RuleProblem[]
  /** YAML files that hold no rule. */
  readonly others: number
  /** Functions and watchlists that stand beside the rules, each name once. */
  readonly functions: readonly KustoFunction[]
  readonly watchlists: readonly Watchlist[]
  /** Macros and lookups that stand beside the rules. */
  readonly library: SplLibrary
}

/** The texts that are Kusto's to read, and what they hold; those that are Splunk's alone are not among them. */
function readKustoTexts(
  texts: readonly RuleText[],
  spl: ReadonlyMap<RuleText, SplText>,
): ReadonlyMap<RuleText, KustoText> {
  return new Map(
    texts.flatMap((each): (readonly [RuleText, KustoText])[] => {
      const { file, text, named } = each
      const other = spl.get(each)?.form
      const isOther = other !== undefined && other !== 'markdown' && other !== 'csv'
      const form = isOther ? undefined : kustoForm(file, text, named)
      return form === undefined
        ? []
        : [[each, { ...each, content: readKustoFile(form, text, file) }]]
    }),
  )
}

/** The texts that are Splunk's to read, with those that stand beside them in their packs, and what they hold. */
function readSpl(paths: readonly string[], packs: readonly string[], texts: readonly RuleText[]) {
  const formsOf = (all: readonly RuleText[]): readonly (readonly [RuleText, SplForm])[] =>
    all.flatMap((each): (readonly [RuleText, SplForm])[] => {
      const form = splForm(each.file, each.text, each.named)
      return form === undefined ? [] : [[each, form]]
    })
  const own = readSplTexts(formsOf(texts), false)
  const searching = new Set(
    [...own].flatMap(([{ root }, { content }]) => (content.documents.length > 0 ? [root] : [])),
  )
  const wanted = paths.filter((path) => searching.has(path))
  const beside = readPackTexts(wanted, wanted.length === 0 ? [] : packs, texts)
  const others = readSplTexts(formsOf(beside.texts), true)
  return { spl: new Map([...own, ...others]), problems: beside.problems }
}

/** Loads all rules below the paths, in a fixed order. A path that holds no rule is a problem. */
export async function loadRules(paths: readonly string[], options: RuleOptions): Promise<RuleSet> {
  const { texts, problems: unread, repeated } = await readRuleTexts(paths)
  const { spl, problems: unreadBeside } = readSpl(paths, options.packs ?? [], texts)
  const problems = [...unread, ...unreadBeside]
  const kusto = readKustoTexts(texts, spl)
  const overlays = options.overlays ?? NO_OVERLAYS
  const compiled = await compileKusto([...kusto.values()], options.kusto, overlays)
  const searches = loadSpl(spl, options.schema, overlays)
  const unclaimed = texts.filter((each) => !kusto.has(each) && !spl.has(each))
  const sigma = loadSigma(
    unclaimed.filter(({ text }) => !isOverlayText(text)),
    options,
    overlays,
  )
  const overlayFiles = new Set(overlays.files.map(({ file }) => resolve(file)))
  const rules: LoadedRule[] = []
  const filled = new Set([...repeated, ...problems.map((each) => each.root)])
  let others = 0
  for (const each of texts) {
    const own = kusto.get(each)
    const isOurs = own !== undefined || spl.has(each)
    if (!isOurs && isOverlayText(each.text)) {
      filled.add(each.root)
      if (!overlayFiles.has(resolve(each.file))) {
        const { root, file } = each
        problems.push({ root, file, diagnostic: diagnose('HR944', {}) })
      }
      continue
    }
    const queries = own === undefined ? [] : (compiled.rules.get(own) ?? [])
    const loaded = isOurs
      ? [...queries, ...(searches.rules.get(each) ?? [])]
      : (sigma.rules.get(each) ?? [])
    const hasMore =
      (own !== undefined && compiled.filled.has(own)) ||
      searches.filled.has(each) ||
      sigma.filled.has(each)
    if (loaded.length === 0 && !hasMore) others++
    else filled.add(each.root)
    // One by one: a file may hold more rules than a call takes arguments.
    for (const rule of loaded) rules.push(rule)
  }
  const empty = [...new Set(paths)].filter((path) => !filled.has(path))
  return {
    rules,
    problems: [
      ...problems,
      ...compiled.problems,
      ...searches.problems,
      ...sigma.problems,
      ...empty.map((path) => ({
        root: path,
        file: path,
        diagnostic: diagnose('HR910', { path }),
      })),
    ],
    others,
    texts: new Map(texts.map(({ file, text }) => [file, text])),
    functions: compiled.functions,
    watchlists: compiled.watchlists,
    library: searches.library,
  }
}
