/** Reading the fields of a rule's map: texts, lists, numbers and flags, each with what is wrong about it. */
import { type Diagnostic, diagnose } from './diagnostic.ts'
import type { Span } from './span.ts'
import { textOf, type YamlEntry, type YamlMap, type YamlNode } from './yaml.ts'

/** A map that is being read. Keys are found whatever their case. */
export class Fields {
  readonly node: YamlMap
  readonly diagnostics: Diagnostic[]
  readonly #entries: ReadonlyMap<string, YamlEntry>

  constructor(node: YamlMap, diagnostics: Diagnostic[] = []) {
    this.node = node
    this.diagnostics = diagnostics
    const entries = new Map<string, YamlEntry>()
    for (const entry of node.entries) {
      const key = entry.key.toLowerCase()
      if (!entries.has(key)) entries.set(key, entry)
    }
    this.#entries = entries
  }

  /** The first of the keys that has a value. */
  get(...keys: readonly string[]): YamlNode | undefined {
    for (const key of keys) {
      const node = this.#entries.get(key.toLowerCase())?.value
      if (node !== undefined && !(node.kind === 'scalar' && node.value === null)) return node
    }
    return undefined
  }

  /** The fields of a map under a key; something else is told and not used. */
  map(...keys: readonly string[]): Fields | undefined {
    const node = this.get(...keys)
    if (node === undefined) return undefined
    if (node.kind === 'map') return new Fields(node, this.diagnostics)
    this.#unused(keys, 'a map', node.span)
    return undefined
  }

  /** The maps of a list under a key. */
  maps(...keys: readonly string[]): readonly Fields[] {
    const node = this.get(...keys)
    if (node === undefined) return []
    const items = node.kind === 'list' ? node.items : [node]
    const maps = items.flatMap((each) =>
      each.kind === 'map' ? [new Fields(each, this.diagnostics)] : [],
    )
    if (maps.length < items.length) this.#unused(keys, 'a list of maps', node.span)
    return maps
  }

  text(...keys: readonly string[]): string | undefined {
    const node = this.get(...keys)
    if (node === undefined || node.kind === 'scalar') return textOf(node)?.trim()
    this.#unused(keys, 'a text', node.span)
    return undefined
  }

  /** Texts of a list, or of one text with commas. */
  texts(...keys: readonly string[]): readonly string[] {
    const node = this.get(...keys)
    if (node === undefined) return []
    if (node.kind === 'scalar') {
      const parts = node.text.split(',').map((each) => each.trim())
      return parts.filter((each) => each !== '')
    }
    const items = node.kind === 'list' ? node.items : []
    const texts = items.flatMap((each) => textOf(each)?.trim() ?? [])
    if (node.kind === 'map' || texts.length < items.length) {
      this.#unused(keys, 'a list of texts', node.span)
    }
    return texts
  }

  flag(...keys: readonly string[]): boolean | undefined {
    const text = this.text(...keys)?.toLowerCase()
    if (text === undefined) return undefined
    if (text === 'true' || text === 'false') return text === 'true'
    this.#unused(keys, 'true or false', this.get(...keys)?.span)
    return undefined
  }

  #unused(keys: readonly string[], wanted: string, span: Span | undefined): void {
    this.diagnostics.push(diagnose('HR456', { key: keys[0] ?? '', wanted }, span))
  }
}
