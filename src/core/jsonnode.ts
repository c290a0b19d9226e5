/**
 * JSON to the same located nodes that YAML gives, so that one reader of rules serves both. Comments and line breaks
 * within texts are accepted, as the templates of Azure have them. Depth and number of nodes are bounded; keys are
 * entries of a list, never properties.
 */
import { type Diagnostic, diagnose } from './diagnostic.ts'
import { limits } from './limits.ts'
import type { Span } from './span.ts'
import type { YamlEntry, YamlNode, YamlScalar } from './yaml.ts'

/** A value, or where and why the text is none. */
export interface JsonNode {
  readonly node?: YamlNode
  readonly diagnostics: readonly Diagnostic[]
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
])

class Refused extends Error {
  readonly diagnostic: Diagnostic
  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message)
    this.diagnostic = diagnostic
  }
}

class Reader {
  readonly #text: string
  readonly #end: number
  #at: number
  #nodes = 0

  constructor(text: string, { start, end }: Span) {
    this.#text = text
    this.#at = start
    this.#end = end
  }

  read(): YamlNode {
    const node = this.#value(0)
    this.#skip()
    if (this.#at < this.#end) this.#fail('the end')
    return node
  }

  #fail(wanted: string): never {
    const found = this.#at < this.#end ? JSON.stringify(this.#text[this.#at]) : 'the end'
    const reason = `${wanted} is expected, not ${found}`
    throw new Refused(diagnose('HR460', { reason }, { start: this.#at, end: this.#at + 1 }))
  }

  #skip(): void {
    for (;;) {
      const char = this.#at < this.#end ? this.#text.charCodeAt(this.#at) : 0
      if (char === 32 || char === 10 || char === 13 || char === 9 || char === 0xfeff) this.#at++
      else if (char === 47) this.#comment()
      else return
    }
  }

  #comment(): void {
    const isLine = this.#text.startsWith('//', this.#at)
    if (!isLine && !this.#text.startsWith('/*', this.#at)) this.#fail('a value')
    const close = this.#text.indexOf(isLine ? '\n' : '*/', this.#at + 2)
    if (close === -1 && !isLine) this.#fail('the end of the comment')
    this.#at = close === -1 ? this.#end : close + (isLine ? 1 : 2)
  }

  #value(depth: number): YamlNode {
    if (depth > limits.jsonDepth) {
      const span = { start: this.#at, end: this.#at + 1 }
      throw new Refused(diagnose('HR123', { limit: limits.jsonDepth }, span))
    }
    if (++this.#nodes > limits.jsonNodes) {
      const params = { what: 'the number of JSON values', size: this.#nodes }
      throw new Refused(diagnose('HR004', { ...params, limit: limits.jsonNodes }))
    }
    this.#skip()
    const char = this.#at < this.#end ? this.#text[this.#at] : ''
    if (char === '"') return this.#string()
    if (char === '{') return this.#object(depth)
    return char === '[' ? this.#list(depth) : this.#plain()
  }

  #plain(): YamlScalar {
    const pattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y
    pattern.lastIndex = this.#at
    const text = pattern.exec(this.#text)?.[0]
    if (text === undefined || this.#at + text.length > this.#end) this.#fail('a value')
    const start = this.#at
    this.#at += text.length
    const span = { start, end: this.#at }
    const word = text === 'null' ? null : text === 'true' ? true : text === 'false' ? false : text
    const value = typeof word === 'string' ? Number(word) : word
    return { kind: 'scalar', value, text, quoted: false, span }
  }

  /** The text between quotes; the span is what stands between them. */
  #string(): YamlScalar {
    const start = ++this.#at
    const parts: string[] = []
    let from = start
    for (;;) {
      if (this.#at >= this.#end) this.#fail('a closing quote')
      const char = this.#text[this.#at]
      if (char === '"') break
      if (char !== '\\') {
        this.#at++
        continue
      }
      parts.push(this.#text.slice(from, this.#at), this.#escape())
      from = this.#at
    }
    const end = this.#at++
    const text = parts.join('') + this.#text.slice(from, end)
    return { kind: 'scalar', value: text, text, quoted: true, span: { start, end } }
  }

  #escape(): string {
    const mark = this.#text[this.#at + 1] ?? ''
    const plain = ESCAPES.get(mark)
    if (plain !== undefined) {
      this.#at += 2
      return plain
    }
    const digits = this.#text.slice(this.#at + 2, this.#at + 6)
    if (mark !== 'u' || !/^[0-9a-fA-F]{4}$/.test(digits)) this.#fail('an escape of JSON')
    this.#at += 6
    return String.fromCharCode(Number.parseInt(digits, 16))
  }

  #object(depth: number): YamlNode {
    const start = this.#at++
    const entries: YamlEntry[] = []
    const seen = new Set<string>()
    for (;;) {
      this.#skip()
      if (this.#text[this.#at] === '}') break
      if (entries.length > 0) this.#take(',', '"," or "}"')
      this.#skip()
      if (this.#text[this.#at] !== '"' || this.#at >= this.#end) this.#fail('a key in quotes')
      const key = this.#string()
      if (seen.has(key.text)) throw new Refused(diagnose('HR003', { key: key.text }, key.span))
      seen.add(key.text)
      this.#skip()
      this.#take(':', '":"')
      entries.push({ key: key.text, keySpan: key.span, value: this.#value(depth + 1) })
    }
    return { kind: 'map', entries, span: { start, end: ++this.#at } }
  }

  #list(depth: number): YamlNode {
    const start = this.#at++
    const items: YamlNode[] = []
    for (;;) {
      this.#skip()
      if (this.#text[this.#at] === ']') break
      if (items.length > 0) this.#take(',', '"," or "]"')
      items.push(this.#value(depth + 1))
    }
    return { kind: 'list', items, span: { start, end: ++this.#at } }
  }

  #take(char: string, wanted: string): void {
    if (this.#at >= this.#end || this.#text[this.#at] !== char) this.#fail(wanted)
    this.#at++
  }
}

/** Reads one JSON value that fills a part of a text (default: all of it). Nothing is thrown. */
export function readJsonNode(text: string, span?: Span): JsonNode {
  const whole = span ?? { start: 0, end: text.length }
  try {
    return { node: new Reader(text, whole).read(), diagnostics: [] }
  } catch (error) {
    if (error instanceof Refused) return { diagnostics: [error.diagnostic] }
    throw error
  }
}
