/**
 * HTML that data cannot break out of: a template tag that escapes every text put in, and keeps only what the tag
 * itself made. Takes templates and data, gives markup.
 */
import { safeLines, safeText } from './text.ts'

/** Markup made by `html`; nothing else can make it. */
class Markup {
  readonly #text: string
  constructor(text: string) {
    this.#text = text
  }
  toString(): string {
    return this.#text
  }
}

export type { Markup }

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
  ['`', '&#96;'],
])

/** The one place where data becomes HTML: right for text and for attributes in double quotes. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, (char) => ESCAPES.get(char) ?? '')
}

type Hole = string | number | Markup | readonly Markup[] | undefined

function filled(hole: Hole): string {
  if (hole === undefined) return ''
  if (typeof hole === 'string') return escapeHtml(safeText(hole))
  if (typeof hole === 'number') return String(hole)
  return hole instanceof Markup ? hole.toString() : hole.map(String).join('')
}

/** Template tag: texts are escaped, numbers printed, markup and lists of markup kept. */
export function html(parts: TemplateStringsArray, ...holes: readonly Hole[]): Markup {
  let text = parts[0] ?? ''
  holes.forEach((hole, index) => {
    text += filled(hole) + (parts[index + 1] ?? '')
  })
  return new Markup(text)
}

/** A text of several lines, for `<pre>`: line feeds and tabs stay. */
export function lines(text: string): Markup {
  return new Markup(escapeHtml(safeLines(text)))
}

/** The text of a style sheet of ours, as it is: the policy of the page holds its hash. */
export function sheet(css: string): Markup {
  return new Markup(css)
}

/** A link when the address is http or https, else its text. Opened apart, and told nothing of this page. */
export function link(address: string, text: string = address): Markup {
  const url = URL.canParse(address) ? new URL(address) : undefined
  return url?.protocol === 'https:' || url?.protocol === 'http:'
    ? html`<a href="${url.href}" target="_blank" rel="noopener noreferrer nofollow">${text}</a>`
    : html`${text}`
}
