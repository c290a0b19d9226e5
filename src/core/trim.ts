/** Taking characters away at the end of a text: a pattern for it would look for an end behind every run of them. */

/** A text without the characters at its end that are among some. */
export function withoutEnd(text: string, those: RegExp): string {
  let end = text.length
  while (end > 0 && those.test(text.charAt(end - 1))) end--
  return text.slice(0, end)
}
