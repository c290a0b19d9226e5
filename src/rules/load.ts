/**
 * Loading rules: texts to rules, each with its diagnostics and their places. A rule that cannot run in full is
 * kept with the reason; it never runs weakened and never stops the others.
 */
import { type Diagnostic, hasErrors } from '../core/diagnostic.ts'
import { placeOf } from '../core/span.ts'
import { lowerSigma } from '../dialects/sigma/lower.ts'
import { parseSigma, type SigmaRule } from '../dialects/sigma/rule.ts'
import { type RuleText, readRuleTexts } from './files.ts'
import { LEVELS, type Level, type LoadedRule, type LocatedDiagnostic, type Rule } from './rule.ts'

export interface RuleOptions {
  /** Values for `%name%` under the expand modifier. */
  readonly placeholders: ReadonlyMap<string, readonly string[]>
}

export interface RuleSet {
  readonly rules: readonly LoadedRule[]
  /** Text of each rule file, by file. */
  readonly texts: ReadonlyMap<string, string>
  /** Files that could not be read at all. */
  readonly problems: readonly { readonly file: string; readonly diagnostic: Diagnostic }[]
  /** YAML files that hold no rule. */
  readonly others: number
}

function located(diagnostics: readonly Diagnostic[], text: string): readonly LocatedDiagnostic[] {
  return diagnostics.map((each) =>
    each.span === undefined ? each : { ...each, place: placeOf(text, each.span.start) },
  )
}

function levelOf(rule: SigmaRule): Level {
  return LEVELS.find((each) => each === rule.level) ?? 'informational'
}

function ruleOf(file: string, text: string, rule: SigmaRule, options: RuleOptions) {
  const { value, diagnostics } = lowerSigma(rule, options)
  if (value === undefined || hasErrors(diagnostics)) return { diagnostics }
  const { category, product, service } = rule.logsource
  const made: Rule = {
    file,
    id: rule.id ?? '',
    title: rule.title,
    language: 'sigma',
    level: levelOf(rule),
    status: rule.status ?? '',
    description: rule.description ?? '',
    author: rule.author ?? '',
    date: rule.date ?? '',
    tags: rule.tags,
    references: rule.references,
    falsepositives: rule.falsepositives,
    logsource: [product, category, service].filter((each) => each !== undefined).join(' / '),
    rel: value.rel,
    stages: [
      {
        name: 'condition',
        text: rule.detection.conditions
          .map(({ span }) => text.slice(span.start, span.end))
          .join('\n'),
      },
      ...value.selections.map(({ name, span }) => ({
        name,
        text: text.slice(span.start, span.end),
      })),
    ],
    fields: value.fields,
  }
  return { rule: made, diagnostics }
}

function loadText({ file, text, named }: RuleText, options: RuleOptions): readonly LoadedRule[] {
  const parsed = parseSigma(text)
  const { rules, diagnostics } = parsed
  if (rules.length === 0) {
    // Below a folder, YAML that is no rule (workflows, test data) is not ours to judge.
    const isOurs = named || /^(?:detection|logsource)\s*:/m.test(text)
    return isOurs && diagnostics.length > 0
      ? [
          {
            file,
            id: '',
            title: '',
            language: 'sigma',
            diagnostics: located(diagnostics, text),
            text,
          },
        ]
      : []
  }
  return rules.map((each): LoadedRule => {
    const { rule } = each
    const base = {
      file,
      id: rule?.id ?? '',
      title: rule?.title ?? '',
      language: 'sigma',
      text,
    } as const
    if (rule === undefined || hasErrors(each.diagnostics)) {
      return { ...base, diagnostics: located(each.diagnostics, text) }
    }
    const made = ruleOf(file, text, rule, options)
    const all = located([...each.diagnostics, ...made.diagnostics], text)
    return made.rule === undefined
      ? { ...base, diagnostics: all }
      : { ...base, rule: made.rule, diagnostics: all }
  })
}

/** Loads all rules below the paths, in a fixed order. */
export async function loadRules(paths: readonly string[], options: RuleOptions): Promise<RuleSet> {
  const { texts, problems } = await readRuleTexts(paths)
  const rules: LoadedRule[] = []
  let others = 0
  for (const each of texts) {
    const loaded = loadText(each, options)
    if (loaded.length === 0) others++
    rules.push(...loaded)
  }
  return {
    rules,
    problems,
    others,
    texts: new Map(texts.map(({ file, text }) => [file, text])),
  }
}
