/**
 * Whether a query asks for an order of its rows, told from its text, so that the check does not rest on the compiler
 * under test alone. Takes query text, gives the sort keys.
 */

/** Parts of a text between separators that stand outside brackets, literals and comments. */
function partsOf(text: string, separator: string): readonly string[] {
  const parts: string[] = []
  let part = ''
  let depth = 0
  const token =
    /\/\/[^\n]*|@"(?:[^"]|"")*"|@'(?:[^']|'')*'|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[\s\S]/g
  for (const [piece] of text.matchAll(token)) {
    if (piece.startsWith('//')) continue
    if (piece === '(' || piece === '[' || piece === '{') depth++
    if (piece === ')' || piece === ']' || piece === '}') depth--
    if (piece === separator && depth === 0) {
      parts.push(part)
      part = ''
    } else part += piece
  }
  parts.push(part)
  return parts.map((each) => each.trim())
}

const SORTS = /^(?:sort|order)\s+by\s+([\s\S]*)$/i
const TOP = /^top\s+[\s\S]*?\sby\s+([\s\S]*)$/i
/** Operators after a sort that leave the rows in their order. */
const KEEPS =
  /^(?:where|filter|extend|project|project-away|project-keep|project-rename|project-reorder|take|limit|serialize|as|parse|parse-where|parse-kv|mv-expand|render)\b/i

/** A key that is a column's name, or undefined for a computed one. */
function keyName(text: string): string | undefined {
  const bare = text
    .replace(/\s+nulls\s+(?:first|last)\s*$/i, '')
    .replace(/\s+(?:asc|desc)\s*$/i, '')
  return /^[A-Za-z_]\w*$/.test(bare) ? bare : undefined
}

/** The sort keys that hold for the rows of the query's last statement; undefined when it asks for no order. */
export function orderOf(query: string): readonly (string | undefined)[] | undefined {
  const statement = partsOf(query, ';').findLast((each) => each !== '') ?? ''
  const steps = partsOf(statement, '|')
  const at = steps.findLastIndex((each) => SORTS.test(each) || TOP.test(each))
  if (at === -1 || !steps.slice(at + 1).every((each) => KEEPS.test(each))) return undefined
  const step = steps[at] ?? ''
  const keys = (SORTS.exec(step) ?? TOP.exec(step))?.[1] ?? ''
  return partsOf(keys, ',').map(keyName)
}
