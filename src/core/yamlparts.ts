/**
 * A YAML text as documents, each on its own, so that a broken one never takes the others with it. Spans are in the
 * whole text.
 */
import type { Diagnostic } from './diagnostic.ts'
import type { Span } from './span.ts'
import { placeNode, readYaml, type YamlNode } from './yaml.ts'

/** One document; without a node it could not be read, and the diagnostics say why. */
export interface YamlPart {
  readonly node?: YamlNode
  readonly diagnostics: readonly Diagnostic[]
  readonly span: Span
}

/** A broken file of more documents than this is refused as a whole. */
const MOST_PIECES = 5_000

interface Piece {
  readonly start: number
  readonly text: string
}

/** True for a line that holds more than a mark, a comment or a directive. */
function isContent(line: string): boolean {
  const plain = line.replace(/^(?:---|\.\.\.)/, '').trim()
  return plain !== '' && !plain.startsWith('#') && !line.startsWith('%')
}

/** The file cut at its document marks, which YAML has nowhere else at the start of a line. */
function pieces(text: string): readonly Piece[] {
  const starts = [0, ...[...text.matchAll(/^---(?=\s|$)/gm)].map((found) => found.index)]
  const out: Piece[] = []
  let open = 0
  for (const [index, start] of starts.entries()) {
    const end = starts[index + 1] ?? text.length
    const hasContent = text.slice(start, end).split('\n').some(isContent)
    // A piece of comments and directives belongs to the document after it.
    if (!hasContent && end < text.length) continue
    if (hasContent) out.push({ start: open, text: text.slice(open, end) })
    open = end
  }
  return out
}

/** False for the document that a mark opens and nothing follows. */
function isWritten(node: YamlNode): boolean {
  return node.kind !== 'scalar' || node.value !== null
}

const moved = (span: Span, by: number): Span => ({ start: span.start + by, end: span.end + by })

/** The node with all its spans moved: read from a part of a text, placed in the whole. */
export function moveNode(node: YamlNode, by: number): YamlNode {
  return placeNode(node, (offset) => offset + by)
}

/** The documents of a part of a text that begins at an offset of the whole. */
function readPiece({ start, text }: Piece): readonly YamlPart[] {
  const { documents, diagnostics } = readYaml(text)
  if (diagnostics.length === 0) {
    return documents.filter(isWritten).map((each) => {
      const node = moveNode(each, start)
      return { node, diagnostics: [], span: node.span }
    })
  }
  const span = { start, end: start + text.length }
  const placed = diagnostics.map((each) =>
    each.span === undefined ? { ...each, span } : { ...each, span: moved(each.span, start) },
  )
  return [{ diagnostics: placed, span }]
}

/** The documents of a text, in order. */
export function readYamlParts(text: string): readonly YamlPart[] {
  const whole = readYaml(text)
  if (whole.diagnostics.length === 0) {
    const full = whole.documents.filter(isWritten)
    return full.map((node) => ({ node, diagnostics: [], span: node.span }))
  }
  const parts = pieces(text)
  if (parts.length < 2 || parts.length > MOST_PIECES) {
    return [{ diagnostics: whole.diagnostics, span: { start: 0, end: text.length } }]
  }
  return parts.flatMap(readPiece)
}

/** What a person wrote after `key:` at the start of a line, for a document that is no valid YAML. */
export function writtenAfter(key: string, text: string): string {
  const line = text.split('\n').find((each) => each.startsWith(`${key}:`)) ?? ''
  return line
    .slice(key.length + 1, 300)
    .trim()
    .replace(/^(['"])(.*)\1$/, '$2')
}
