/**
 * The one YAML reader: text to located nodes, with the limits that untrusted packs need (no aliases, bounded
 * depth and node count, duplicate keys refused). Dates stay text; plain numbers, booleans and null are
 * resolved as YAML 1.2 core does, with the written text kept beside.
 */
import { EVENT_ID, getScalarValue, parseEvents, YAMLException } from 'js-yaml'
import { type Diagnostic, diagnose } from './diagnostic.ts'
import { limits } from './limits.ts'
import type { Span } from './span.ts'

/** A scalar; `value` is the resolved value and `text` what was written (unquoted, unescaped). */
export interface YamlScalar {
  readonly kind: 'scalar'
  readonly value: string | number | boolean | null
  readonly text: string
  readonly quoted: boolean
  readonly span: Span
}

export interface YamlList {
  readonly kind: 'list'
  readonly items: readonly YamlNode[]
  readonly span: Span
}

export interface YamlEntry {
  readonly key: string
  readonly keySpan: Span
  readonly value: YamlNode
}

export interface YamlMap {
  readonly kind: 'map'
  readonly entries: readonly YamlEntry[]
  readonly span: Span
}

export type YamlNode = YamlScalar | YamlList | YamlMap

export interface YamlDocuments {
  readonly documents: readonly YamlNode[]
  readonly diagnostics: readonly Diagnostic[]
}

const PLAIN_STYLE = 1

function resolve(text: string): string | number | boolean | null {
  if (text === '' || text === '~' || /^(?:null|Null|NULL)$/.test(text)) return null
  if (/^(?:true|True|TRUE)$/.test(text)) return true
  if (/^(?:false|False|FALSE)$/.test(text)) return false
  // Only a number that prints as it was written: `00000429` and `1.10` are texts to whoever wrote them.
  if (/^-?\d+(?:\.\d+)?$/.test(text) && String(Number(text)) === text) return Number(text)
  return text
}

/** Entry of a map by key, or undefined. */
export function entryOf(node: YamlNode | undefined, key: string): YamlEntry | undefined {
  return node?.kind === 'map' ? node.entries.find((each) => each.key === key) : undefined
}

/** Value of a map by key, or undefined. */
export function childOf(node: YamlNode | undefined, key: string): YamlNode | undefined {
  return entryOf(node, key)?.value
}

/** Text of a scalar (dates and numbers as written), or undefined. */
export function textOf(node: YamlNode | undefined): string | undefined {
  return node?.kind === 'scalar' && node.value !== null ? node.text : undefined
}

/** The node as a plain value: null-prototype objects, arrays and scalars. */
export function plainOf(node: YamlNode): unknown {
  switch (node.kind) {
    case 'scalar':
      return node.value
    case 'list':
      return node.items.map(plainOf)
    case 'map': {
      const out: Record<string, unknown> = Object.create(null)
      for (const { key, value } of node.entries) out[key] = plainOf(value)
      return out
    }
  }
}

class Refused extends Error {
  readonly diagnostic: Diagnostic
  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message)
    this.diagnostic = diagnostic
  }
}

type Events = ReturnType<typeof parseEvents>

function buildDocuments(text: string, events: Events): YamlNode[] {
  if (events.length > limits.yamlNodes * 2) {
    throw new Refused(
      diagnose('HR004', {
        what: 'the number of YAML nodes',
        size: events.length,
        limit: limits.yamlNodes,
      }),
    )
  }
  let at = 0
  // Where the last scalar ended: a value that is not written stands there.
  let reached = 0
  // Depth is bounded by the parser (limits.yamlDepth), so recursion is safe here.
  const read = (): YamlNode => {
    const event = events[at++]
    if (!event) throw new Refused(diagnose('HR001', { reason: 'the document ends too early' }))
    switch (event.type) {
      case EVENT_ID.SCALAR: {
        const written = getScalarValue(text, event)
        const plain = event.style === PLAIN_STYLE && event.tagStart < 0
        const start = event.valueStart < 0 ? reached : event.valueStart
        reached = Math.max(event.valueEnd, start)
        return {
          kind: 'scalar',
          value: plain ? resolve(written) : written,
          text: written,
          quoted: !plain,
          span: { start, end: reached },
        }
      }
      case EVENT_ID.SEQUENCE: {
        const start = Math.max(event.start, 0)
        const items: YamlNode[] = []
        while (events[at]?.type !== EVENT_ID.POP) items.push(read())
        at++
        return { kind: 'list', items, span: { start, end: items.at(-1)?.span.end ?? start + 1 } }
      }
      case EVENT_ID.MAPPING: {
        const start = Math.max(event.start, 0)
        const entries: YamlEntry[] = []
        const seen = new Set<string>()
        while (events[at]?.type !== EVENT_ID.POP) {
          const key = read()
          if (key.kind !== 'scalar') {
            throw new Refused(diagnose('HR001', { reason: 'a key must be plain text' }, key.span))
          }
          if (seen.has(key.text)) throw new Refused(diagnose('HR003', { key: key.text }, key.span))
          seen.add(key.text)
          entries.push({ key: key.text, keySpan: key.span, value: read() })
        }
        at++
        return {
          kind: 'map',
          entries,
          span: { start, end: entries.at(-1)?.value.span.end ?? start + 1 },
        }
      }
      case EVENT_ID.ALIAS:
        throw new Refused(
          diagnose(
            'HR002',
            { name: text.slice(event.anchorStart, event.anchorEnd) },
            { start: event.anchorStart, end: event.anchorEnd },
          ),
        )
      default:
        throw new Refused(diagnose('HR001', { reason: 'unexpected structure' }))
    }
  }
  const documents: YamlNode[] = []
  while (at < events.length) {
    const event = events[at]
    at++
    if (event?.type !== EVENT_ID.DOCUMENT) continue
    if (events[at]?.type === EVENT_ID.POP) continue
    documents.push(read())
  }
  return documents
}

/** The node with all its spans moved by a rule for offsets. */
export function placeNode(node: YamlNode, placed: (offset: number) => number): YamlNode {
  const moved = ({ start, end }: Span): Span => ({ start: placed(start), end: placed(end) })
  const span = moved(node.span)
  switch (node.kind) {
    case 'scalar':
      return { ...node, span }
    case 'list':
      return { ...node, span, items: node.items.map((item) => placeNode(item, placed)) }
    case 'map': {
      const entries = node.entries.map((entry) => ({
        ...entry,
        keySpan: moved(entry.keySpan),
        value: placeNode(entry.value, placed),
      }))
      return { ...node, span, entries }
    }
  }
}

/** Lines of quoted texts that are indented for the parser; each costs a reading of the file. */
const MOST_INDENTS = 200

/**
 * Parses a text. A quoted text whose lines stand at the left margin is read as most parsers do, although the standard wants
 * such lines indented: blanks are put before them, at the offsets that come back in rising order.
 */
function parseLenient(text: string): {
  readonly events: Events
  readonly text: string
  readonly added: readonly number[]
} {
  const added: number[] = []
  let tried = text
  for (;;) {
    try {
      return { events: parseEvents(tried, { maxDepth: limits.yamlDepth }), text: tried, added }
    } catch (error) {
      const at = error instanceof YAMLException ? error.mark?.position : undefined
      const isMargin = error instanceof YAMLException && error.reason === 'deficient indentation'
      if (!isMargin || at === undefined || added.length >= MOST_INDENTS) throw error
      const start = tried.lastIndexOf('\n', at - 1) + 1
      added.push(start - added.filter((each) => each < start).length)
      tried = `${tried.slice(0, start)} ${tried.slice(start)}`
    }
  }
}

/** Reads all documents of a YAML text. Errors are diagnostics with the place; nothing is thrown. */
export function readYaml(text: string): YamlDocuments {
  if (text.length > limits.ruleFileBytes) {
    const size = `${text.length} characters`
    return {
      documents: [],
      diagnostics: [diagnose('HR004', { what: 'the file', size, limit: limits.ruleFileBytes })],
    }
  }
  try {
    const parsed = parseLenient(text)
    const documents = buildDocuments(parsed.text, parsed.events)
    if (parsed.added.length === 0) return { documents, diagnostics: [] }
    const places = parsed.added.map((each, index) => each + index)
    const original = (offset: number): number =>
      offset - places.filter((each) => each < offset).length
    return { documents: documents.map((each) => placeNode(each, original)), diagnostics: [] }
  } catch (error) {
    if (error instanceof Refused) return { documents: [], diagnostics: [error.diagnostic] }
    if (error instanceof YAMLException) {
      const start = error.mark?.position
      const span = start === undefined ? undefined : { start, end: start + 1 }
      return { documents: [], diagnostics: [diagnose('HR001', { reason: error.reason }, span)] }
    }
    const reason = error instanceof Error ? error.message : String(error)
    return { documents: [], diagnostics: [diagnose('HR001', { reason })] }
  }
}
