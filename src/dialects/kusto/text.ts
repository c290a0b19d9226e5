/** Queries that stand in a file as they are: what the comments before one say of it, and the rule they make. */
import { contentId } from '../../core/contentid.ts'
import { stemOf } from '../../core/filename.ts'
import type { Placing } from '../../core/placing.ts'
import { type KustoDocument, type KustoRule, PLAIN_RULE } from './rule.ts'

/** A longer first line of comment is a sentence of a description, not a title. */
const MOST_TITLE = 120
const MOST_DESCRIPTION = 4_000

interface Comments {
  readonly title: string
  readonly description: string
}

/** The lines of comment at the start of a text, without their marks. */
function leadingComments(text: string): readonly string[] {
  const out: string[] = []
  let at = text.startsWith('\ufeff') ? 1 : 0
  while (at < text.length && out.length < 200) {
    const end = text.indexOf('\n', at)
    const line = text.slice(at, end === -1 ? text.length : end).trim()
    if (line !== '' && !line.startsWith('//')) break
    if (line !== '') out.push(line.replace(/^\/+/, '').trim())
    at = end === -1 ? text.length : end + 1
  }
  return out
}

/** True for a comment that reads as words, not as a rule of dashes or a line of a query. */
function isProse(line: string): boolean {
  return /\p{L}/u.test(line) && !/^[|.]|^let\s|;$/.test(line)
}

/** What the comments before a query say: a title in the first line, or none. */
function commentsOf(text: string): Comments {
  const lines = leadingComments(text).filter(isProse)
  const first = (lines[0] ?? '').replace(/^(?:title|name|rule|query)\s{0,4}:\s{0,4}/i, '')
  const hasTitle = first !== '' && first.length <= MOST_TITLE && !/^https?:/i.test(first)
  return {
    title: hasTitle ? first.replace(/[.:]$/, '') : '',
    description: (hasTitle ? lines.slice(1) : lines).join('\n').slice(0, MOST_DESCRIPTION),
  }
}

/** The document of a query with what is known of it; without a title its comments or the name of the file give one. */
export function plainDocument(
  query: string,
  file: string,
  place: Placing,
  known: Partial<KustoRule> = {},
): KustoDocument {
  const said = commentsOf(query)
  const name = known.name ?? (said.title === '' ? stemOf(file) : said.title)
  const rule: KustoRule = {
    ...PLAIN_RULE,
    description: said.description,
    ...known,
    name,
    id: known.id ?? contentId('kql', name, query),
  }
  const whole = place({ start: 0, end: query.length })
  return { rule, query, place, uses: [], diagnostics: [], span: whole }
}
