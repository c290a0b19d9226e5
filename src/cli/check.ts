/**
 * The result of `rules check`: which rules can run, and for the others where and why not. Takes loaded rules, gives
 * lines for a person or one JSON document.
 */
import type { Diagnostic } from '../core/diagnostic.ts'
import type { LoadedRule, LocatedDiagnostic } from '../rules/rule.ts'
import { count, counted } from './figures.ts'
import { jsonText } from './json.ts'
import { type Output, paint } from './terminal.ts'
import { safeCut, safeText } from './text.ts'

/** A diagnostic as the JSON forms print it. */
export interface DiagnosticRecord {
  readonly code: string
  readonly severity: string
  readonly message: string
  readonly hint?: string
  readonly place?: { readonly line: number; readonly column: number }
}

/** The public form of a diagnostic. */
export function diagnosticRecord(diagnostic: Diagnostic | LocatedDiagnostic): DiagnosticRecord {
  const { code, severity, message, hint } = diagnostic
  const place = 'place' in diagnostic ? diagnostic.place : undefined
  return {
    code,
    severity,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(place === undefined ? {} : { place: { line: place.line, column: place.column } }),
  }
}

export interface CheckTotals {
  readonly rules: number
  readonly runnable: number
  readonly refused: number
  readonly byLanguage: Readonly<Record<string, { runnable: number; refused: number }>>
  /** Refused rules by the code of their reason. */
  readonly byCode: Readonly<Record<string, number>>
}

/** Why a rule is refused: its first error, or its first diagnostic when it has no error. */
function reasonFor(rule: LoadedRule): LocatedDiagnostic | undefined {
  return rule.diagnostics.find((each) => each.severity === 'error') ?? rule.diagnostics[0]
}

/** Counts of a check. */
export function checkTotals(rules: readonly LoadedRule[]): CheckTotals {
  const languages = new Map<string, { runnable: number; refused: number }>()
  const codes = new Map<string, number>()
  let runnable = 0
  for (const each of rules) {
    const language = languages.get(each.language) ?? { runnable: 0, refused: 0 }
    languages.set(each.language, language)
    if (each.rule !== undefined) {
      runnable++
      language.runnable++
      continue
    }
    language.refused++
    const code = reasonFor(each)?.code ?? 'none'
    codes.set(code, (codes.get(code) ?? 0) + 1)
  }
  const sorted = [...codes].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  return {
    rules: rules.length,
    runnable,
    refused: rules.length - runnable,
    byLanguage: Object.fromEntries([...languages].sort()),
    byCode: Object.fromEntries(sorted),
  }
}

function ruleRecord(loaded: LoadedRule): unknown {
  const { file, id, title, language, rule } = loaded
  const reason = rule === undefined ? reasonFor(loaded) : undefined
  const others = loaded.diagnostics.filter((each) => each !== reason)
  return {
    file,
    id,
    title,
    language,
    runnable: rule !== undefined,
    ...(rule === undefined
      ? { code: reason?.code ?? 'none', reason: reason?.message ?? 'no reason given' }
      : {}),
    ...(reason?.hint === undefined ? {} : { hint: reason.hint }),
    ...(reason?.place === undefined
      ? {}
      : { place: { line: reason.place.line, column: reason.place.column } }),
    ...(others.length === 0 ? {} : { diagnostics: others.map(diagnosticRecord) }),
  }
}

/**
 * `rules check --json`: `{"rules": [...], "problems": [...], "totals": {...}}`, one rule a line. Problems are paths that
 * cannot be read or hold no rule.
 */
export async function printCheckJson(
  output: Output,
  rules: readonly LoadedRule[],
  problems: readonly { readonly file: string; readonly diagnostic: Diagnostic }[] = [],
): Promise<void> {
  output.out.write('{"rules":[')
  for (const [index, rule] of rules.entries()) {
    output.out.write(`${index === 0 ? '' : ','}\n${jsonText(ruleRecord(rule))}`)
    if (index % 256 === 0) await output.out.ready()
  }
  const others = problems.map(({ file, diagnostic }) => ({ file, ...diagnosticRecord(diagnostic) }))
  output.out.write(`\n],"problems":${jsonText(others)},"totals":${jsonText(checkTotals(rules))}}\n`)
  await output.out.ready()
}

function placeText({ file }: LoadedRule, reason: LocatedDiagnostic | undefined): string {
  return reason?.place === undefined ? file : `${file}:${reason.place.line}:${reason.place.column}`
}

/** One line a diagnostic, in the form that editors and CI systems make clickable. */
function diagnosticLine(output: Output, loaded: LoadedRule, each?: LocatedDiagnostic): string {
  const place = safeText(placeText(loaded, each))
  if (each === undefined) return `${place}: ${paint(output.out, 'bad', 'error')}: no reason given\n`
  const style = each.severity === 'error' ? 'bad' : undefined
  const head = paint(output.out, style, `${each.severity} ${each.code}`)
  return `${place}: ${head}: ${safeCut(each.message, 500)}\n`
}

/** The totals by language and by code, each code with the hint of its first rule. */
function totalLines(output: Output, rules: readonly LoadedRule[]): string {
  const { err } = output
  const totals = checkTotals(rules)
  const refused =
    totals.refused === 0 ? '0 refused' : paint(err, 'bad', `${count(totals.refused)} refused`)
  const lines = [
    `${paint(err, 'bold', counted(totals.rules, 'rule'))}: ` +
      `${paint(err, 'good', `${count(totals.runnable)} can run`)}, ${refused}`,
  ]
  const languages = Object.entries(totals.byLanguage)
  for (const [language, each] of languages.length > 1 ? languages : []) {
    lines.push(
      `  ${safeText(language)}: ${count(each.runnable)} can run, ${count(each.refused)} refused`,
    )
  }
  const hints = new Map<string, string>()
  for (const loaded of rules) {
    const reason = loaded.rule === undefined ? reasonFor(loaded) : undefined
    if (reason?.hint !== undefined && !hints.has(reason.code)) hints.set(reason.code, reason.hint)
  }
  for (const [code, each] of Object.entries(totals.byCode)) {
    const hint = hints.get(code)
    lines.push(
      `  ${code}: ${counted(each, 'rule')}${hint === undefined ? '' : `; hint: ${safeCut(hint, 300)}`}`,
    )
  }
  return `${lines.join('\n')}\n`
}

/**
 * `rules check` for a person: each refused rule with place, code and reason on stdout, the totals with hints on stderr.
 * With `isVerbose`, warnings and notices of all rules are listed too.
 */
export async function printCheck(
  output: Output,
  rules: readonly LoadedRule[],
  isVerbose = false,
): Promise<void> {
  for (const [index, loaded] of rules.entries()) {
    const reason = reasonFor(loaded)
    if (loaded.rule === undefined) output.out.write(diagnosticLine(output, loaded, reason))
    for (const each of isVerbose ? loaded.diagnostics : []) {
      if (loaded.rule === undefined && each === reason) continue
      output.out.write(diagnosticLine(output, loaded, each))
    }
    if (index % 256 === 0) await output.out.ready()
  }
  await output.out.ready()
  if (!output.quiet) output.err.write(totalLines(output, rules))
}
