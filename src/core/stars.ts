/** Patterns of plain texts in which `*` stands for any text; matched without regular expressions, in linear steps. */

/** True when a text fits a pattern in which `*` stands for any text, ignoring case. */
export function fitsPattern(pattern: string, value: string): boolean {
  const [wanted, given] = [pattern.toLowerCase(), value.toLowerCase()]
  const [first = '', ...rest] = wanted.split('*')
  const last = rest.pop()
  if (last === undefined) return wanted === given
  if (!given.startsWith(first)) return false
  let at = first.length
  for (const piece of rest) {
    const found = given.indexOf(piece, at)
    if (found < 0) return false
    at = found + piece.length
  }
  return given.length - last.length >= at && given.endsWith(last)
}
