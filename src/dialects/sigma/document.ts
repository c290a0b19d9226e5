/**
 * A rule file as documents: each YAML document on its own, with the old actions `global`, `reset` and `repeat` worked
 * in as the reference implementation does.
 */
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import { limits } from '../../core/limits.ts'
import { ruleOfPage } from '../../core/rulepage.ts'
import type { Span } from '../../core/span.ts'
import { childOf, type YamlEntry, type YamlMap, type YamlNode } from '../../core/yaml.ts'
import { readYamlParts, type YamlPart } from '../../core/yamlparts.ts'

/** One document that should be a rule; without a node it could not be read, and the diagnostics say why. */
export type SigmaDocument = YamlPart

/** Far more than any file of old style has. */
const MOST_NODES = limits.yamlNodes * 4

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

function countNodes(node: YamlNode): number {
  if (node.kind === 'scalar') return 1
  const parts = node.kind === 'list' ? node.items : node.entries.map((entry) => entry.value)
  return parts.reduce((total, part) => total + countNodes(part), 1)
}

function withoutAction(node: YamlMap): YamlMap {
  return { ...node, entries: node.entries.filter((entry) => entry.key !== 'action') }
}

interface Actions {
  global?: YamlMap | undefined
  previous?: YamlMap | undefined
  /** Nodes of merged documents so far: a large global document is laid over each small one after it. */
  nodes: number
}

function refused(diagnostic: Diagnostic, span: Span): SigmaDocument {
  return { diagnostics: [diagnostic], span }
}

/** A document that is two maps laid over each other, unless too much has been merged already. */
function merged(actions: Actions, below: YamlMap, above: YamlMap, span: Span): SigmaDocument {
  if (actions.nodes <= MOST_NODES) {
    const node = { ...merge(below, above), span }
    actions.nodes += countNodes(node)
    actions.previous = node
    if (actions.nodes <= MOST_NODES) return { node, diagnostics: [], span }
  }
  const params = { what: 'the number of YAML nodes with actions worked in', size: actions.nodes }
  return refused(diagnose('HR004', { ...params, limit: MOST_NODES }), span)
}

function act(actions: Actions, node: YamlMap, action: YamlNode): readonly SigmaDocument[] {
  const word = action.kind === 'scalar' ? action.text : ''
  const rest = withoutAction(node)
  switch (word) {
    case 'global':
      actions.global = rest
      actions.previous = rest
      return []
    case 'reset':
      actions.global = undefined
      return []
    case 'repeat':
      return actions.previous === undefined
        ? [refused(diagnose('HR309', {}, action.span), node.span)]
        : [merged(actions, actions.previous, rest, node.span)]
    default:
      return [refused(diagnose('HR308', { action: word.slice(0, 64) }, action.span), node.span)]
  }
}

/** Works the actions in: `global` is laid over every later rule, `repeat` over the rule before it. */
function applyActions(documents: readonly SigmaDocument[]): readonly SigmaDocument[] {
  const actions: Actions = { nodes: 0 }
  return documents.flatMap((document): readonly SigmaDocument[] => {
    const { node, span } = document
    if (node?.kind !== 'map') return [document]
    const action = childOf(node, 'action')
    if (action !== undefined) return act(actions, node, action)
    if (actions.global !== undefined) return [merged(actions, node, actions.global, span)]
    actions.previous = node
    return [document]
  })
}

/** The rule of a catalogue's page, with blanks for what stands before it so that places stay; other texts as they are. */
function rulesIn(text: string): string {
  const found = ruleOfPage(text, 'yaml')
  if (found === undefined) return text
  return text.slice(0, found.start).replace(/[^\n]/g, ' ') + text.slice(found.start, found.end)
}

/** The documents of a file that should be rules, in order. */
export function readDocuments(text: string): readonly SigmaDocument[] {
  return applyActions(readYamlParts(rulesIn(text)))
}
