/**
 * Loading rules: texts to rules, each with its diagnostics and their places. A rule that cannot run in full is
 * kept with the reason; it never runs weakened and never stops the others.
 */
import { diagnose } from '../core/diagnostic.ts'
import type { KustoCompiler, KustoFunction, Watchlist } from '../dialects/kusto/answer.ts'
import { kustoForm, readKustoFile } from '../dialects/kusto/document.ts'
import { type RuleProblem, type RuleText, readRuleTexts } from './files.ts'
import { compileKusto, type KustoText } from './kusto.ts'
import type { LoadedRule } from './rule.ts'
import { loadSigma, type SigmaOptions } from './sigma.ts'

export interface RuleOptions extends SigmaOptions {
  /** Asked once, and only when there is a Kusto query; without it such rules are refused. */
  readonly kusto?: KustoCompiler
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
}

/** The texts that are Kusto's to read, and what they hold. */
function readKustoTexts(texts: readonly RuleText[]): ReadonlyMap<RuleText, KustoText> {
  return new Map(
    texts.flatMap((each): (readonly [RuleText, KustoText])[] => {
      const { file, text, named } = each
      const form = kustoForm(file, text, named)
      return form === undefined
        ? []
        : [[each, { ...each, content: readKustoFile(form, text, file) }]]
    }),
  )
}

/** Loads all rules below the paths, in a fixed order. A path that holds no rule is a problem. */
export async function loadRules(paths: readonly string[], options: RuleOptions): Promise<RuleSet> {
  const { texts, problems, repeated } = await readRuleTexts(paths)
  const kusto = readKustoTexts(texts)
  const compiled = await compileKusto([...kusto.values()], options.kusto)
  const rules: LoadedRule[] = []
  const filled = new Set([...repeated, ...problems.map((each) => each.root)])
  let others = 0
  for (const each of texts) {
    const own = kusto.get(each)
    const loaded = own === undefined ? loadSigma(each, options) : (compiled.rules.get(own) ?? [])
    const hasMore = own !== undefined && compiled.filled.has(own)
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
  }
}
