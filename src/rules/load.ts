/**
 * Loading rules: texts to rules, each with its diagnostics and their places. A rule that cannot run in full is
 * kept with the reason; it never runs weakened and never stops the others.
 */
import { type Diagnostic, diagnose, hasErrors } from '../core/diagnostic.ts'
import { placeOf, type Span } from '../core/span.ts'
import { lowerSigma } from '../dialects/sigma/lower.ts'
import { parseSigma, type SigmaRule } from '../dialects/sigma/rule.ts'
import { type RuleProblem, type RuleText, readRuleTexts } from './files.ts'
import { LEVELS, type Level, type LoadedRule, type LocatedDiagnostic, type Rule } from './rule.ts'

export interface RuleOptions {
  /** Values for `%name%` under the expand modifier. */
  readonly placeholders: ReadonlyMap<string, readonly string[]>
}

export interface RuleSet {
  readonly rules: readonly LoadedRule[]
  /** Text of each rule file, by file. */
  readonly texts: ReadonlyMap<string, string>
  /** What could not be read at all, and paths that hold no rule. */
  readonly problems: readonly RuleProblem[]
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

/** What a person wrote after `key:` at the start of a line, for a document that is no valid YAML. */
function writtenAfter(key: 'id' | 'title', text: string): string {
  const line = text.split('\n').find((each) => each.startsWith(`${key}:`)) ?? ''
  return line
    .slice(key.length + 1, 300)
    .trim()
    .replace(/^(['"])(.*)\1$/, '$2')
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
        text: rule.detection.conditions.map(({ span }) => partOf(text, span)).join('\n'),
      },
      ...value.selections.map(({ name, span }) => ({ name, text: partOf(text, span) })),
    ],
    fields: value.fields,
  }
  return { rule: made, diagnostics }
}

function loadText({ file, text, named }: RuleText, options: RuleOptions): readonly LoadedRule[] {
  const { rules, diagnostics } = parseSigma(text)
  if (rules.length === 0) {
    // Below a folder, YAML that is no rule (workflows, test data) is not ours to judge.
    const isOurs = named || /^(?:detection|logsource)\s*:/m.test(text)
    const isBroken = diagnostics.some((each) => each.code !== 'HR314')
    if (!isOurs || !isBroken) return []
    const id = writtenAfter('id', text)
    const title = writtenAfter('title', text)
    return [{ file, id, title, language: 'sigma', text, diagnostics: located(diagnostics, text) }]
  }
  return rules.map((each): LoadedRule => {
    const { head, rule, span } = each
    const written = head === undefined ? text.slice(span.start, span.end) : ''
    const base = {
      file,
      id: head === undefined ? writtenAfter('id', written) : (head.id ?? ''),
      title: head === undefined ? writtenAfter('title', written) : head.title,
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

/** Loads all rules below the paths, in a fixed order. A path that holds no rule is a problem. */
export async function loadRules(paths: readonly string[], options: RuleOptions): Promise<RuleSet> {
  const { texts, problems, repeated } = await readRuleTexts(paths)
  const rules: LoadedRule[] = []
  const filled = new Set([...repeated, ...problems.map((each) => each.root)])
  let others = 0
  for (const each of texts) {
    const loaded = loadText(each, options)
    if (loaded.length === 0) others++
    else filled.add(each.root)
    rules.push(...loaded)
  }
  const empty = [...new Set(paths)].filter((path) => !filled.has(path))
  return {
    rules,
    problems: [
      ...problems,
      ...empty.map((path) => ({
        root: path,
        file: path,
        diagnostic: diagnose('HR910', { path }),
      })),
    ],
    others,
    texts: new Map(texts.map(({ file, text }) => [file, text])),
  }
}
