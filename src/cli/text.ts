/**
 * Text that is safe to show: characters that would steer a terminal, reorder or hide text become visible
 * escapes. Takes any text (log values are written by attackers), gives text of known width on one line.
 */

/** Marks stacked on one character beyond this are shown as escapes, or they paint over the lines around. */
const STACKED_MARKS = 4

/**
 * Controls (C0, DEL, C1), the line and paragraph separators, everything that is invisible by design (bidi controls,
 * zero-width characters, tags, fillers), interlinear marks and lone surrogates. Variation selectors are left
 * alone: they only choose how the character before them looks.
 */
const UNSAFE =
  /[\x00-\x1f\x7f-\x9f\u2028\u2029\ufff9-\ufffb]|(?![\ufe00-\ufe0f])\p{Default_Ignorable_Code_Point}|\p{Surrogate}/gu
const UNSAFE_BUT_LINES =
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufff9-\ufffb]|(?![\ufe00-\ufe0f])\p{Default_Ignorable_Code_Point}|\p{Surrogate}/gu
const MARKS = /\p{M}{5,}/gu
const PLAIN = /^[\x20-\x7e]*$/

const NAMED = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
])

function escapeOf(char: string): string {
  const named = NAMED.get(char)
  if (named !== undefined) return named
  const code = char.codePointAt(0) ?? 0
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`
  if (code < 0x10000) return `\\u${code.toString(16).padStart(4, '0')}`
  return `\\u{${code.toString(16)}}`
}

function tameMarks(text: string): string {
  return text.replace(MARKS, (run) => {
    const marks = [...run]
    return (
      marks.slice(0, STACKED_MARKS).join('') + marks.slice(STACKED_MARKS).map(escapeOf).join('')
    )
  })
}

/** The text with every control, invisible or reordering character shown as an escape, so it stays on its line. */
export function safeText(text: string): string {
  if (PLAIN.test(text)) return text
  return tameMarks(text.replace(UNSAFE, escapeOf))
}

/** As `safeText`, but line feeds and tabs are kept; for texts of several lines such as a rule. */
export function safeLines(text: string): string {
  return tameMarks(text.replaceAll('\r\n', '\n').replace(UNSAFE_BUT_LINES, escapeOf))
}

/** Template tag for one line of text: every value put in is made safe. */
export function line(parts: TemplateStringsArray, ...values: readonly (string | number)[]): string {
  let text = parts[0] ?? ''
  values.forEach((value, index) => {
    text += (typeof value === 'number' ? String(value) : safeText(value)) + (parts[index + 1] ?? '')
  })
  return text
}

/** Ranges that take two columns besides emoji (East Asian Wide and Fullwidth of Unicode), as start and end. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18dff],
  [0x1aff0, 0x1b2ff],
  [0x20000, 0x3fffd],
]

const EMOJI = /^\p{Emoji_Presentation}$/u
const NO_WIDTH = /^[\p{Mn}\p{Me}]$/u

function widthOfChar(char: string): number {
  const code = char.codePointAt(0) ?? 0
  if (code < 0x300) return 1
  if (NO_WIDTH.test(char)) return 0
  for (const [start, end] of WIDE) {
    if (code < start) break
    if (code <= end) return 2
  }
  // Regional indicators come in pairs that fill two columns together.
  if (code >= 0x1f1e6 && code <= 0x1f1ff) return 1
  return code >= 0x231a && EMOJI.test(char) ? 2 : 1
}

/** Columns that a safe text takes in a terminal. */
export function widthOf(text: string): number {
  if (PLAIN.test(text)) return text.length
  let width = 0
  for (const char of text) width += widthOfChar(char)
  return width
}

/** Cuts a safe text to a width in columns; a cut text ends in an ellipsis. Width 0 gives the empty text. */
export function cut(text: string, width: number): string {
  if (width <= 0) return ''
  if (text.length <= width && PLAIN.test(text)) return text
  if (widthOf(text) <= width) return text
  let taken = 0
  let kept = ''
  for (const char of text) {
    const next = taken + widthOfChar(char)
    if (next > width - 1) break
    taken = next
    kept += char
  }
  return `${kept.trimEnd()}…`
}

/**
 * Makes a raw text safe and cuts it, reading only as much of a very long text as can be shown. Width in columns.
 */
export function safeCut(raw: string, width: number): string {
  const most = width * 8 + 64
  if (raw.length <= most) return cut(safeText(raw), width)
  const shown = cut(safeText(raw.slice(0, most)), width)
  return shown.endsWith('…') ? shown : `${cut(shown, width - 1)}…`
}

/** Fills a safe text with blanks up to a width in columns. */
export function pad(text: string, width: number, side: 'left' | 'right' = 'left'): string {
  const blanks = ' '.repeat(Math.max(0, width - widthOf(text)))
  return side === 'left' ? text + blanks : blanks + text
}
