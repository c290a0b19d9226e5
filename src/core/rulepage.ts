/**
 * Pages of rule catalogues as people paste them: a heading, the rule as it stands in its file, and what the catalogue says
 * of it. Takes the text of a page, gives where the rule is.
 */
import type { Span } from './span.ts'

/** Lines that a rule's file has at its left margin: a key, a comment, an item, or nothing. */
const OF_RULE = /^(?:[A-Za-z_][\w-]{0,64}[ \t]*:|[ \t#]|- |\r?$)/

/** True for a page whose rule is written in a language, as the heading over it names it (`kusto`, `yaml`). */
export function isRulePage(text: string, language: string): boolean {
  return headingOf(text, language) !== undefined
}

/** The offset behind the heading `Rule body LANGUAGE`. */
function headingOf(text: string, language: string): number | undefined {
  const wanted = `rule body ${language}`
  for (let at = 0; at !== -1; at = text.indexOf('\n', at) + 1 || -1) {
    const next = text.indexOf('\n', at)
    const end = next === -1 ? text.length : next
    if (end - at < 128 && text.slice(at, end).trimEnd().toLowerCase() === wanted) return end
  }
  return undefined
}

/** Where the rule of a page stands; undefined for a text that is no such page. */
export function ruleOfPage(text: string, language: string): Span | undefined {
  const start = headingOf(text, language)
  if (start === undefined) return undefined
  let end = start
  for (let at = text.indexOf('\n', start) + 1; at > 0; ) {
    const next = text.indexOf('\n', at)
    const line = text.slice(at, next === -1 ? text.length : next)
    if (!OF_RULE.test(line)) break
    end = next === -1 ? text.length : next
    at = next + 1
  }
  return { start, end }
}
