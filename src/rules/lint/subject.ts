/** What a check looks at: one rule with its text, and the world around it. */

import type { Code } from '../../core/codes.ts'
import { type Diagnostic, diagnose, type Params } from '../../core/diagnostic.ts'
import type { Span } from '../../core/span.ts'
import type { SigmaItem, SigmaTest } from '../../dialects/sigma/detection.ts'
import type { SigmaParse } from '../../dialects/sigma/rule.ts'
import type { SchemaCatalogue } from '../../schema/catalogue.ts'
import type { StoredCatalogue } from '../../schema/stored.ts'
import type { Attack } from '../attack.ts'
import type { LoadedRule } from '../rule.ts'

/** What is known beside the rules. */
export interface LintWorld {
  readonly schema: SchemaCatalogue
  readonly attack: Attack
  /** Names of fields that published rules of a log source read, by `product/category/service`. */
  readonly usual: ReadonlyMap<string, readonly string[]>
  /** What a store holds, when one was named. */
  readonly stored?: StoredCatalogue
}

export interface Subject {
  readonly loaded: LoadedRule
  /** The part of the file that is the rule. */
  readonly span: Span
  /** The document of a Sigma rule, with the places of its parts. */
  readonly sigma?: SigmaParse
  readonly world: LintWorld
}

/** One check: what it tells, why, and how it finds it. */
export interface LintCheck {
  readonly codes: readonly Code[]
  /** What it is for, for the manual. */
  readonly says: string
  readonly check: (subject: Subject) => readonly Diagnostic[]
}

/** The span of a text in the rule, from an offset on; the beginning of the rule where it is not found. */
export function placeOfText({ loaded, span }: Subject, wanted: string, from = span.start): Span {
  const { text } = loaded
  const at = wanted === '' ? -1 : text.indexOf(wanted, Math.max(from, span.start))
  if (at === -1 || at >= span.end) return { start: span.start, end: span.start + 1 }
  return { start: at, end: at + wanted.length }
}

/** The span of a key of the rule; the beginning of the rule where it has none. */
export function placeOfKey(subject: Subject, ...keys: readonly string[]): Span {
  const { loaded, span } = subject
  const part = loaded.text.slice(span.start, span.end)
  for (const line of part.matchAll(/^[ \t]*"?([A-Za-z_]+)"?[ \t]*[:=]/gm)) {
    const [whole = '', name = ''] = line
    if (!keys.includes(name)) continue
    const start = span.start + line.index + whole.indexOf(name)
    return { start, end: start + name.length }
  }
  return { start: span.start, end: span.start + 1 }
}

/** A diagnostic of a check with its place. */
export function found<C extends Code>(code: C, params: Params<C>, span: Span): Diagnostic {
  return diagnose(code, params, span)
}

/** A text of a rule as messages show it. */
export function shown(text: string, most = 80): string {
  const line = text.replace(/\s+/g, ' ')
  return line.length > most ? `${line.slice(0, most)}...` : line
}

function itemsBelow(test: SigmaTest): readonly SigmaItem[] {
  return test.op === 'item' ? [test.item] : test.parts.flatMap(itemsBelow)
}

/** The tests of a Sigma rule's selections. */
export function itemsOf({ sigma }: Subject): readonly SigmaItem[] {
  return sigma?.rule?.detection.selections.flatMap(({ test }) => itemsBelow(test)) ?? []
}
