/**
 * Values as JSON text that is also safe to look at in a terminal: what JSON leaves raw but a terminal obeys or hides
 * is written as a `\u` escape, which every JSON reader turns back into the same character.
 */

const RISKY =
  /[\x7f-\x9f\u2028\u2029\ufff9-\ufffb]|(?![\ufe00-\ufe0f])\p{Default_Ignorable_Code_Point}/gu

function escapeUnits(char: string): string {
  let text = ''
  for (let at = 0; at < char.length; at++) {
    text += `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`
  }
  return text
}

/** JSON text on one line, with what a terminal obeys or hides as escapes. */
export function safeJson(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : text.replace(RISKY, escapeUnits)
}

/** One line of JSON. Own keys only, in their order; undefined members are left out. */
export function jsonText(value: unknown): string {
  return safeJson(JSON.stringify(value) ?? 'null')
}
