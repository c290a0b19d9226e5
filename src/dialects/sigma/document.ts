/**
 * A rule file as documents: each YAML document on its own, so that a broken one never takes the others with it,
 * and the old actions `global`, `reset` and `repeat` worked in as the reference implementation does.
 */
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import type { Span } from '../../core/span.ts'
import { readYaml, type YamlEntry, type YamlMap, type YamlNode } from '../../core/yaml.ts'

/** One document that should be a rule; without a node it could not be read, and the diagnostics say why. */
export interface SigmaDocument {
  readonly node?: YamlNode
  readonly diagnostics: readonly Diagnostic[]
  readonly span: Span
}

interface Piece {
  readonly start: number
  readonly text: string
}

/** The file cut at its document marks, which YAML has nowhere else at the start of a line. */
function pieces(text: string): readonly Piece[] {
  const starts = [0, ...[...text.matchAll(/^---(?=\s|$)/gm)].map((found) => found.index)]
  const out: Piece[] = []
  let open = 0
  for (const [index, start] of starts.entries()) {
    const end = starts[index + 1] ?? text.length
    const hasContent = /^(?!---\s*$|#|%|\s*$).+/m.test(text.slice(start, end))
    // A piece of comments and directives belongs to the document after it.
    if (!hasContent && end < text.length) continue
    if (hasContent) out.push({ start: open, text: text.slice(open, end) })
    open = end
  }
  return out
}

const moved = (span: Span, by: number): Span => ({ start: span.start + by, end: span.end + by })

function moveNode(node: YamlNode, by: number): YamlNode {
  const span = moved(node.span, by)
  switch (node.kind) {
    case 'scalar':
      return { ...node, span }
    case 'list':
      return { ...node, span, items: node.items.map((item) => moveNode(item, by)) }
    case 'map': {
      const entries = node.entries.map((entry) => ({
        ...entry,
        keySpan: moved(entry.keySpan, by),
        value: moveNode(entry.value, by),
      }))
      return { ...node, span, entries }
    }
  }
}

function readPiece({ start, text }: Piece): readonly SigmaDocument[] {
  const { documents, diagnostics } = readYaml(text)
  if (diagnostics.length === 0) {
    return documents.map((each) => {
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

/** The map with the other's entries over its own; maps within are merged, all else is replaced. */
function merge(below: YamlMap, above: YamlMap): YamlMap {
  const entries = new Map<string, YamlEntry>(below.entries.map((entry) => [entry.key, entry]))
  for (const entry of above.entries) {
    const old = entries.get(entry.key)?.value
    const both = old?.kind === 'map' && entry.value.kind === 'map'
    entries.set(entry.key, both ? { ...entry, value: merge(old, entry.value) } : entry)
  }
  return { ...below, entries: [...entries.values()] }
}

function withoutAction(node: YamlMap): YamlMap {
  return { ...node, entries: node.entries.filter((entry) => entry.key !== 'action') }
}

/** Works the actions in: `global` is laid over every later rule, `repeat` over the rule before it. */
function applyActions(documents: readonly SigmaDocument[]): readonly SigmaDocument[] {
  const out: SigmaDocument[] = []
  let global: YamlMap | undefined
  let previous: YamlMap | undefined
  for (const document of documents) {
    const { node } = document
    const action =
      node?.kind === 'map' ? node.entries.find(({ key }) => key === 'action') : undefined
    if (node?.kind !== 'map') out.push(document)
    else if (action === undefined) {
      previous = global === undefined ? node : merge(node, global)
      out.push({ ...document, node: previous })
    } else {
      const word = action.value.kind === 'scalar' ? action.value.text : ''
      const rest = withoutAction(node)
      if (word === 'global') {
        global = rest
        previous = rest
      } else if (word === 'reset') global = undefined
      else if (word !== 'repeat') {
        const diagnostic = diagnose('HR308', { action: word.slice(0, 64) }, action.value.span)
        out.push({ diagnostics: [diagnostic], span: document.span })
      } else if (previous === undefined) {
        out.push({ diagnostics: [diagnose('HR309', {}, action.value.span)], span: document.span })
      } else {
        previous = { ...merge(previous, rest), span: node.span }
        out.push({ ...document, node: previous })
      }
    }
  }
  return out
}

/** The documents of a file that should be rules, in order. */
export function readDocuments(text: string): readonly SigmaDocument[] {
  const whole = readYaml(text)
  if (whole.diagnostics.length === 0) {
    return applyActions(whole.documents.map((node) => ({ node, diagnostics: [], span: node.span })))
  }
  const parts = pieces(text)
  if (parts.length < 2) {
    return [{ diagnostics: whole.diagnostics, span: { start: 0, end: text.length } }]
  }
  return applyActions(parts.flatMap(readPiece))
}
