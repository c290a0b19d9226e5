/**
 * The only file that turns a value or a name into SQL text. Everything else builds trees; what an attacker
 * wrote reaches SQL through here or not at all.
 */

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '`': '\\`',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\0': '\\0',
  '\b': '\\b',
  '\f': '\\f',
}

/** Lone surrogates have no UTF-8 form; they become U+FFFD, as in every encoder on the way in. */
function escaped(value: string): string {
  return value.toWellFormed().replace(/[\\'`\n\r\t\0\b\f]/g, (found) => ESCAPES[found] ?? found)
}

/** A text literal that the engine reads back as exactly this text. */
export function quoteText(value: string): string {
  return `'${escaped(value)}'`
}

/**
 * The engine's own spelling of a name. A dot inside a column name means "part of a nested structure" to the
 * engine: `a` cannot be added beside `a.b`, lists under one prefix must be equally long, and `a.size` reads the
 * length of `a`. So a dot is kept as a colon, and a colon or caret is marked with a caret.
 */
export function identifierOf(name: string): string {
  return name.replace(/[.:^]/g, (found) => (found === '.' ? ':' : `^${found}`))
}

/** The name that an identifier of the engine stands for; the inverse of `identifierOf`. */
export function nameOf(identifier: string): string {
  return identifier.replace(/\^(.)|:/gs, (_, marked: string | undefined) => marked ?? '.')
}

/** An identifier; any text is a legal name once quoted. Names come from a resolved schema only. */
export function quoteName(name: string): string {
  return `\`${escaped(identifierOf(name))}\``
}

/** A number literal; infinities and NaN print as the engine's own words. */
export function quoteNumber(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (value === Number.POSITIVE_INFINITY) return 'inf'
  if (value === Number.NEGATIVE_INFINITY) return '-inf'
  return Object.is(value, -0) ? '-0.' : String(value)
}

/** A list of texts as an array literal. */
export function quoteTexts(values: readonly string[]): string {
  return `[${values.map(quoteText).join(', ')}]`
}
