/**
 * Reads one JSON object out of a text straight into flat fields: nested names joined with dots, arrays as lists,
 * numbers as written, doubled keys kept as a list. No recursion, no object is built, and every name is only data.
 */
import type { Code } from '../core/codes.ts'
import { limits } from '../core/limits.ts'
import { detached, type Field, type Records } from './shape.ts'

/** Why an object could not be read, as a diagnostic code, and at which character of the text. */
export interface JsonProblem {
  readonly code: Extract<Code, 'HR122' | 'HR123' | 'HR124' | 'HR128'>
  readonly says: string
  readonly at: number
}

/** A key at one place of the documents. `next` and `first` guess which key follows, from the last record. */
interface KeyNode {
  /** The key with its quotes as it stands in the text. */
  readonly quoted: string
  readonly field: Field
  readonly prefix: string
  children: Map<string, KeyNode> | undefined
  next: KeyNode | undefined
  first: KeyNode | undefined
  /** The same key read as a mere wrapper: its members take the names of the level above. */
  readonly bare: KeyNode | undefined
}

/** Keys and characters of names kept before all tables are built anew. */
const MOST_KEYS = 50_000
const MOST_NAME_CHARS = 16 * 1024 * 1024

const QUOTE = 34
const COMMA = 44
const MINUS = 45
const COLON = 58
const OPEN_LIST = 91
const CLOSE_LIST = 93
const OPEN = 123
const CLOSE = 125

function isBlank(code: number): boolean {
  return code === 32 || code === 10 || code === 13 || code === 9
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

/** The end of the JSON number that starts at `at`, or -1. */
function numberEnd(text: string, start: number): number {
  let at = start
  if (text.charCodeAt(at) === MINUS) at++
  if (text.charCodeAt(at) === 48) at++
  else {
    const first = at
    while (isDigit(text.charCodeAt(at))) at++
    if (at === first) return -1
  }
  if (text.charCodeAt(at) === 46) {
    const first = ++at
    while (isDigit(text.charCodeAt(at))) at++
    if (at === first) return -1
  }
  if ((text.charCodeAt(at) | 32) === 101) {
    at++
    const sign = text.charCodeAt(at)
    if (sign === 43 || sign === MINUS) at++
    const first = at
    while (isDigit(text.charCodeAt(at))) at++
    if (at === first) return -1
  }
  return at
}

const ESCAPES = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
])

/** The inside of a JSON string with its escapes resolved; undefined when one is not valid. */
function unescaped(inner: string): string | undefined {
  const pieces: string[] = []
  let from = 0
  for (let at = inner.indexOf('\\'); at !== -1; at = inner.indexOf('\\', from)) {
    pieces.push(inner.slice(from, at))
    const letter = inner.charAt(at + 1)
    if (letter === 'u') {
      const hex = inner.slice(at + 2, at + 6)
      if (!/^[0-9a-fA-F]{4}$/.test(hex)) return undefined
      pieces.push(String.fromCharCode(Number.parseInt(hex, 16)))
      from = at + 6
    } else {
      const plain = ESCAPES.get(letter)
      if (plain === undefined) return undefined
      pieces.push(plain)
      from = at + 2
    }
  }
  pieces.push(inner.slice(from))
  return pieces.join('')
}

/** The quote that closes the string whose inside starts at `at`, given the first quote after it; or -1. */
function closingQuote(text: string, at: number, quote: number): number {
  for (let close = quote; close !== -1; close = text.indexOf('"', close + 1)) {
    let before = close - 1
    while (before >= at && text.charCodeAt(before) === 92) before--
    if ((close - before) % 2 === 1) return close
  }
  return -1
}

/** What a step of the reader came to: a whole value, the place of the next one, the end of the object, a problem. */
type Step = 'value' | 'next' | 'end' | 'bad'

/** Reads objects into a record builder; one reader a file. */
export class JsonReader {
  private readonly fresh: () => Records
  records: Records
  private root: KeyNode
  private keys = 0
  private preview: Field
  private text = ''
  private limit = 0
  private backslash = -1
  private at = 0
  private count = 0
  private problem: JsonProblem | undefined
  // The container being read: its node, whether it is a list, the key before, and those around it.
  private parent: KeyNode
  private isList = false
  private before: KeyNode | undefined
  private listDepth = 0
  private readonly nodes: KeyNode[] = []
  private readonly lists: boolean[] = []

  /** `fresh` makes an empty builder; it is called again when a file has brought too many names. */
  constructor(fresh: () => Records) {
    this.fresh = fresh
    this.records = fresh()
    this.root = this.node(undefined, '')
    this.parent = this.root
    this.preview = this.records.field('preview')
  }

  /** Where the object that was read last ends. */
  get end(): number {
    return this.at
  }

  private node(parent: KeyNode | undefined, raw: string): KeyNode {
    this.keys++
    const quoted = parent === undefined ? '' : detached(`"${raw}"`)
    const name = raw.includes('\\') ? (unescaped(raw) ?? raw) : raw
    const field = this.records.field(parent === undefined ? '' : parent.prefix + name)
    const plain = { quoted, field, children: undefined, next: undefined, first: undefined }
    const isTop = parent !== undefined && parent === this.root
    const prefix = parent === undefined || (isTop && name === '_source') ? '' : `${field.name}.`
    const bare = isTop && name === 'result' ? { ...plain, prefix: '', bare: undefined } : undefined
    return { ...plain, prefix, bare }
  }

  private child(parent: KeyNode, raw: string): KeyNode {
    parent.children ??= new Map()
    const known = parent.children.get(raw)
    if (known !== undefined) return known
    const made = this.node(parent, raw)
    parent.children.set(made.quoted.slice(1, -1), made)
    return made
  }

  /** Forgets all names; called between records when there are too many of them. */
  private renew(): void {
    this.records = this.fresh()
    this.keys = 0
    this.root = this.node(undefined, '')
    this.preview = this.records.field('preview')
  }

  private fail(code: JsonProblem['code'], says: string, at: number): 'bad' {
    this.problem = { code, says, at }
    return 'bad'
  }

  /** The character at the next place that is not blank. */
  private skip(): number {
    const { text } = this
    let code = text.charCodeAt(this.at)
    while (isBlank(code)) code = text.charCodeAt(++this.at)
    return code
  }

  /**
   * The closing quote of the string whose inside starts at `at`, or -1. Where the next backslash is is
   * remembered, so that a text is searched for it only once.
   */
  private stringEnd(at: number): number {
    const { text } = this
    if (this.backslash < at) {
      const found = text.indexOf('\\', at)
      this.backslash = found === -1 ? Number.MAX_SAFE_INTEGER : found
    }
    const quote = text.indexOf('"', at)
    const close = quote < this.backslash ? quote : closingQuote(text, at, quote)
    return close >= this.limit ? -1 : close
  }

  private stringValue(at: number, close: number): string | undefined {
    const { text } = this
    if (this.backslash > close) return text.slice(at, close)
    try {
      const value: unknown = JSON.parse(text.slice(at - 1, close + 1))
      return typeof value === 'string' ? value : undefined
    } catch {
      return unescaped(text.slice(at, close))
    }
  }

  /**
   * Reads the object that starts at `start` (a `{`) and must end at or before `limit`. On success the fields stand in
   * `records` and `end` is set; otherwise the problem is returned and the builder holds nothing of use.
   */
  read(text: string, start: number, limit: number): JsonProblem | undefined {
    if (this.keys > MOST_KEYS || this.records.nameChars > MOST_NAME_CHARS) this.renew()
    this.records.begin()
    this.text = text
    this.limit = limit
    this.backslash = -1
    this.at = start + 1
    this.count = 0
    this.parent = this.root
    this.before = undefined
    this.isList = false
    this.listDepth = 0
    this.nodes.length = 0
    this.lists.length = 0
    let step: Step
    if (this.skip() === CLOSE && this.at < limit) {
      this.at++
      return undefined
    }
    for (;;) {
      const node = this.isList ? this.parent : this.key()
      if (node === undefined) return this.problem
      step = this.value(node)
      if (step === 'value') step = this.after()
      if (step === 'end') return undefined
      if (step === 'bad') return this.problem
    }
  }

  /** Reads a name and its colon. */
  private key(): KeyNode | undefined {
    const { text, parent, before } = this
    if (this.skip() !== QUOTE || this.at >= this.limit) {
      this.fail('HR122', 'a name in quotes', this.at)
      return undefined
    }
    let node = before === undefined ? parent.first : before.next
    if (node !== undefined && text.startsWith(node.quoted, this.at)) {
      this.at += node.quoted.length
    } else {
      const close = this.stringEnd(this.at + 1)
      if (close === -1) {
        this.fail('HR122', 'the end of a name', this.at)
        return undefined
      }
      node = this.child(parent, text.slice(this.at + 1, close))
      if (before === undefined) parent.first = node
      else before.next = node
      this.at = close + 1
    }
    this.before = node
    if (this.skip() === COLON) {
      this.at++
      return node
    }
    this.fail('HR122', 'a colon', this.at)
    return undefined
  }

  private put(field: Field, value: string | null): void {
    if (this.listDepth > 0) this.records.append(field, value)
    else this.records.put(field, value)
  }

  /** Reads the value of a key or the next element of a list. */
  private value(node: KeyNode): Step {
    const code = this.skip()
    if (this.records.fieldCount > limits.fieldsPerEvent) return this.fail('HR124', '', this.at)
    if (++this.count > limits.valuesPerEvent) return this.fail('HR128', '', this.at)
    if (code === QUOTE) {
      const close = this.stringEnd(this.at + 1)
      if (close === -1) return this.fail('HR122', 'the end of a text', this.at)
      const value = this.stringValue(this.at + 1, close)
      if (value === undefined) return this.fail('HR122', 'a valid escape', this.at)
      this.put(node.field, value)
      this.at = close + 1
      return 'value'
    }
    if (code === OPEN || code === OPEN_LIST) return this.open(node, code)
    return this.literal(node.field, code)
  }

  /** Enters an object or a list; an empty one is a present but empty value. */
  private open(node: KeyNode, code: number): Step {
    const opened = this.at++
    if (this.skip() === code + 2) {
      this.at++
      this.put(node.field, '')
      return 'value'
    }
    if (this.nodes.length + 2 > limits.jsonDepth) return this.fail('HR123', '', opened)
    this.nodes.push(this.parent)
    this.lists.push(this.isList)
    this.parent = node.bare !== undefined && this.records.has(this.preview) ? node.bare : node
    this.before = undefined
    this.isList = code === OPEN_LIST
    if (this.isList) this.listDepth++
    return 'next'
  }

  /** Reads true, false, null or a number. */
  private literal(field: Field, code: number): Step {
    const { text, at } = this
    if (code === MINUS || isDigit(code)) {
      const end = numberEnd(text, at)
      if (end === -1) return this.fail('HR122', 'a number', at)
      this.put(field, text.slice(at, end))
      this.at = end
    } else if (text.startsWith('true', at)) {
      this.put(field, 'true')
      this.at += 4
    } else if (text.startsWith('false', at)) {
      this.put(field, 'false')
      this.at += 5
    } else if (text.startsWith('null', at)) {
      this.put(field, null)
      this.at += 4
    } else {
      return this.fail('HR122', 'a value', at)
    }
    return 'value'
  }

  /** Reads what follows a value: a comma, or the ends of containers. */
  private after(): Step {
    for (;;) {
      const code = this.skip()
      if (this.at >= this.limit) return this.fail('HR122', 'the end of the object', this.limit)
      this.at++
      if (code === COMMA) return 'next'
      if (code !== (this.isList ? CLOSE_LIST : CLOSE)) {
        return this.fail('HR122', 'a comma or the end of the object', this.at - 1)
      }
      if (this.isList) this.listDepth--
      const outer = this.nodes.pop()
      if (outer === undefined) return 'end'
      this.before = this.parent
      this.parent = outer
      this.isList = this.lists.pop() === true
    }
  }
}
