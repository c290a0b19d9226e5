/**
 * Diagnostics as plain values: code, message, hint and the span they speak of. Nothing is thrown;
 * functions that can fail return an `Outcome`.
 */
import { type Code, codes, type Severity } from './codes.ts'
import { lineAt, placeOf, type Span } from './span.ts'

type Holes<S extends string> = S extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Holes<Rest>
  : never

/** The parameters that the message and hint of a code need. */
export type Params<C extends Code> = Readonly<
  Record<
    | Holes<(typeof codes)[C]['message']>
    | ((typeof codes)[C] extends { hint: infer H extends string } ? Holes<H> : never),
    string | number
  >
>

export interface Diagnostic {
  readonly code: Code
  readonly severity: Severity
  readonly message: string
  readonly hint?: string
  readonly span?: Span
}

/** A value, when one could be made, and all that there is to say about it. */
export interface Outcome<T> {
  readonly value?: T
  readonly diagnostics: readonly Diagnostic[]
}

function fill(template: string, params: Readonly<Record<string, string | number>>): string {
  return template.replace(/\{([a-zA-Z]+)\}/g, (whole, name: string) => {
    const value = Object.hasOwn(params, name) ? params[name] : undefined
    return value === undefined ? whole : String(value)
  })
}

/** Makes a diagnostic; a hole in the message is filled once and its value is never scanned again. */
export function diagnose<C extends Code>(code: C, params: Params<C>, span?: Span): Diagnostic {
  const record: { severity: Severity; message: string; hint?: string } = codes[code]
  return {
    code,
    severity: record.severity,
    message: fill(record.message, params),
    ...(record.hint === undefined ? {} : { hint: fill(record.hint, params) }),
    ...(span === undefined ? {} : { span }),
  }
}

/** True when any of the diagnostics is an error. */
export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((each) => each.severity === 'error')
}

/** Text for a person: place, code, message, the line with a caret, and the hint. */
export function renderDiagnostic(diagnostic: Diagnostic, text?: string, file?: string): string {
  const { span } = diagnostic
  const place = span && text !== undefined ? placeOf(text, span.start) : undefined
  const where = [file, place && `${place.line}:${place.column}`].filter(Boolean).join(':')
  const lines = [
    `${where === '' ? '' : `${where}: `}${diagnostic.severity} ${diagnostic.code}: ${diagnostic.message}`,
  ]
  if (span && place && text !== undefined) {
    const line = lineAt(text, span.start)
    const width = Math.max(1, Math.min(span.end - span.start, line.length - place.column + 1))
    lines.push(`  ${line}`, `  ${' '.repeat(place.column - 1)}${'^'.repeat(width)}`)
  }
  if (diagnostic.hint !== undefined) lines.push(`  hint: ${diagnostic.hint}`)
  return lines.join('\n')
}
