/**
 * The result of `rules check`: which rules can run, and for the others where and why not. Takes loaded rules, gives
 * a table for a person or one JSON document.
 */
import type { Diagnostic } from '../core/diagnostic.ts'
import type { LoadedRule, LocatedDiagnostic } from '../rules/rule.ts'
import { count, counted } from './figures.ts'
import { jsonText } from './json.ts'
import { type Column, renderTable } from './table.ts'
import { type Output, paint } from './terminal.ts'
import { safeText } from './text.ts'

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
  const warnings = loaded.diagnostics.filter((each) => each !== reason)
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
    ...(warnings.length === 0 ? {} : { warnings: warnings.map(diagnosticRecord) }),
  }
}

/** `rules check --json`: `{"rules": [...], "totals": {...}}`, one rule a line. */
export async function printCheckJson(output: Output, rules: readonly LoadedRule[]): Promise<void> {
  output.out.write('{"rules":[')
  for (const [index, rule] of rules.entries()) {
    output.out.write(`${index === 0 ? '' : ','}\n${jsonText(ruleRecord(rule))}`)
    if (index % 256 === 0) await output.out.ready()
  }
  output.out.write(`\n],"totals":${jsonText(checkTotals(rules))}}\n`)
  await output.out.ready()
}

const COLUMNS: readonly Column[] = [
  { title: 'PLACE', shrinksTo: 24 },
  { title: 'CODE' },
  { title: 'REASON', shrinksTo: 24 },
]

function placeText({ file }: LoadedRule, reason: LocatedDiagnostic | undefined): string {
  return reason?.place === undefined ? file : `${file}:${reason.place.line}:${reason.place.column}`
}

/** The warnings and notices of rules that can run, as lines; for `--verbose`. */
function warningLines(rules: readonly LoadedRule[]): string {
  let text = ''
  for (const loaded of rules) {
    if (loaded.rule === undefined) continue
    for (const each of loaded.diagnostics) {
      const place = placeText(loaded, each)
      text += `${safeText(place)}: ${each.severity} ${each.code}: ${safeText(each.message)}\n`
    }
  }
  return text
}

/**
 * `rules check` for a person: the refused rules with place, code, reason and hint on stdout, the totals on stderr.
 * With `isVerbose`, warnings of rules that can run are listed too.
 */
export async function printCheck(
  output: Output,
  rules: readonly LoadedRule[],
  isVerbose = false,
): Promise<void> {
  const { out, err } = output
  const totals = checkTotals(rules)
  const refused = rules.filter((each) => each.rule === undefined)
  if (refused.length > 0) {
    const rows = refused.map((each) => {
      const reason = reasonFor(each)
      const hint = reason?.hint === undefined ? '' : ` (hint: ${reason.hint})`
      return [
        placeText(each, reason),
        { text: reason?.code ?? 'none', style: 'bad' as const },
        `${reason?.message ?? 'no reason given'}${hint}`,
      ]
    })
    out.write(renderTable(out, COLUMNS, rows))
  }
  if (isVerbose) out.write(warningLines(rules))
  await out.ready()
  if (output.quiet) return
  const lines = [
    '',
    `${paint(err, 'bold', counted(totals.rules, 'rule'))}: ` +
      `${paint(err, 'good', `${count(totals.runnable)} can run`)}, ` +
      (totals.refused === 0 ? '0 refused' : paint(err, 'bad', `${count(totals.refused)} refused`)),
  ]
  for (const [language, each] of Object.entries(totals.byLanguage)) {
    lines.push(
      `  ${safeText(language)}: ${count(each.runnable)} can run, ${count(each.refused)} refused`,
    )
  }
  for (const [code, each] of Object.entries(totals.byCode)) {
    lines.push(`  ${code}: ${counted(each, 'rule')}`)
  }
  err.write(`${lines.join('\n')}\n`)
}
