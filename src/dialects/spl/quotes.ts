/** Double quotes: where a string ends, and quotes that are characters of a word. */

/** The end of a double-quoted string that begins at an offset, past its closing quote; -1 when it is not closed. */
export function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const each = text[at]
    if (each === '\\') at++
    else if (each === '"') return at + 1
  }
  return -1
}

/** True for a quote with a backslash before it: outside of a string it is a character of a word. */
export function isEscapedQuote(text: string, at: number): boolean {
  return text[at] === '\\' && text[at + 1] === '"'
}
