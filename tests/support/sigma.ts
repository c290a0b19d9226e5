/** Small Sigma rules for tests: a detection in, the printed expression and the diagnostic codes out. */
import type { Diagnostic } from '../../src/core/diagnostic.ts'
import { lowerSigma, type SigmaOptions } from '../../src/dialects/sigma/lower.ts'
import { parseSigma } from '../../src/dialects/sigma/rule.ts'
import { printExpr } from '../../src/ir/print.ts'

/** A whole rule around the lines of a detection. */
export function ruleText(detection: string): string {
  const lines = detection.replace(/^\n+|\s+$/g, '').split('\n')
  const least = Math.min(
    ...lines.filter((line) => line.trim() !== '').map((line) => /^ */.exec(line)?.[0].length ?? 0),
  )
  const body = lines.map((line) => `  ${line.slice(least)}`).join('\n')
  return `title: Test\nlogsource:\n  product: windows\n  category: process_creation\ndetection:\n${body}\n`
}

export interface Lowered {
  /** The printed condition, or undefined when the rule is refused. */
  readonly expr: string | undefined
  readonly codes: readonly string[]
  /** For each diagnostic the text that its span covers. */
  readonly places: readonly string[]
  readonly diagnostics: readonly Diagnostic[]
}

/** Parses and lowers the one rule of a text. */
export function lowerText(text: string, options: Partial<SigmaOptions> = {}): Lowered {
  const { rules, diagnostics } = parseSigma(text)
  const [parse] = rules
  const lowered =
    parse?.rule === undefined
      ? undefined
      : lowerSigma(parse.rule, { placeholders: new Map(), ...options })
  const all = [...diagnostics, ...(parse?.diagnostics ?? []), ...(lowered?.diagnostics ?? [])]
  return {
    expr: lowered?.value === undefined ? undefined : printExpr(lowered.value.where),
    codes: all.map((each) => each.code),
    places: all.map((each) => (each.span ? text.slice(each.span.start, each.span.end) : '')),
    diagnostics: all,
  }
}

/** Lowers a rule with the given lines of detection. */
export function lowerDetection(detection: string, options: Partial<SigmaOptions> = {}): Lowered {
  return lowerText(ruleText(detection), options)
}

/** The expression of one field test, written `field|modifiers: value` in YAML. */
export function lowerField(line: string, options: Partial<SigmaOptions> = {}): Lowered {
  const indented = line
    .split('\n')
    .map((each) => `    ${each}`)
    .join('\n')
  return lowerDetection(`  sel:\n${indented}\n  condition: sel`, options)
}
