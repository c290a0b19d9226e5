/**
 * Values of findings as words of a message: on one line, without characters that hide or turn round text, cut with a
 * mark, and with links that nobody follows by mistake. Values are written by attackers.
 */
import { limits } from '../../core/limits.ts'

/** Controls, separators of lines, what is invisible by design, and lone surrogates. */
const UNSAFE =
  /[\x00-\x1f\x7f-\x9f\u2028\u2029\ufff9-\ufffb]|(?![\ufe00-\ufe0f])\p{Default_Ignorable_Code_Point}|\p{Surrogate}/gu

const NAMED = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
])

/** Text on one line: what would steer the reader's program is shown as an escape. */
export function plainLine(text: string): string {
  return text.replace(UNSAFE, (char) => {
    const code = char.codePointAt(0) ?? 0
    return NAMED.get(char) ?? `\\u{${code.toString(16)}}`
  })
}

/** Cuts a text to a number of characters, never within one, and says how many are missing. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text
  const end = /[\ud800-\udbff]/.test(text.charAt(most - 1)) ? most - 1 : most
  return `${text.slice(0, end)}... (+${text.length - end})`
}

/** Links that are no links any more, in the form that analysts know: `hxxps://evil[.]example/x`. */
export function defang(text: string): string {
  return text
    .replace(
      /\b(ht)tp(s?):\/\/([^\s/?#"'<>]{1,253})/gi,
      (_, head: string, tail: string, host: string) =>
        `${head.slice(0, 1)}xxp${tail}://${host.replaceAll('.', '[.]')}`,
    )
    .replace(/\b(ftp|file|javascript|data|smb|ldaps?|rmi):/gi, '$1[:]')
    .replace(/\bwww\./gi, 'www[.]')
}

/** A value as it stands in a message. */
export function valueText(value: unknown): string {
  const text = Array.isArray(value)
    ? value.slice(0, limits.messageListItems).map(String).join(', ')
    : value === null || value === undefined
      ? ''
      : String(value)
  return defang(plainLine(cut(text, limits.messageValueChars)))
}
