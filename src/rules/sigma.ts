/** Sigma rules of a text, each with its diagnostics and their places. */
import { hasErrors } from '../core/diagnostic.ts'
import { placeOf, type Span } from '../core/span.ts'
import { writtenAfter } from '../core/yamlparts.ts'
import { lowerSigma } from '../dialects/sigma/lower.ts'
import { parseSigma, type SigmaRule } from '../dialects/sigma/rule.ts'
import type { RuleText } from './files.ts'
import { LEVELS, type Level, type LoadedRule, located, type Rule } from './rule.ts'

export interface SigmaOptions {
  /** Values for `%name%` under the expand modifier. */
  readonly placeholders: ReadonlyMap<string, readonly string[]>
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

function ruleOf(file: string, text: string, rule: SigmaRule, options: SigmaOptions) {
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

/** The rules of a text that is Sigma's to read; none when it holds no rule and is not meant as one. */
export function loadSigma(
  { file, text, named }: RuleText,
  options: SigmaOptions,
): readonly LoadedRule[] {
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
