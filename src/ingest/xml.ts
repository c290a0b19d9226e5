/**
 * A small strict XML reader for texts that attackers may have written: elements, attributes, text, CDATA,
 * comments, processing instructions, the five named entities and numeric references. No document type
 * declaration, no other entity, nothing is fetched. White space and line ends are given as written.
 */
import type { Code } from '../core/codes.ts'
import { type Diagnostic, diagnose } from '../core/diagnostic.ts'
import { limits } from '../core/limits.ts'

/** Why a text is refused, and at which UTF-16 offset. */
export interface XmlFault {
  readonly code: Code
  readonly reason: string
  readonly offset: number
}

/** Told of each part in document order. All attributes of an element come before its text and children. */
export interface XmlHandler {
  open(name: string): void
  attribute(name: string, value: string): void
  text(value: string): void
  close(name: string): void
}

const LT = 60
const GT = 62
const SLASH = 47
const BANG = 33
const QUESTION = 63
const EQUALS = 61
const AMP = 38
const QUOTE = 34
const APOSTROPHE = 39

/** Stops a reading; never leaves this file. */
class Refusal extends Error {
  readonly fault: XmlFault

  constructor(diagnostic: Diagnostic, offset: number) {
    super(diagnostic.message)
    this.fault = { code: diagnostic.code, reason: diagnostic.message, offset }
  }
}

function malformed(reason: string, offset: number): Refusal {
  return new Refusal(diagnose('HR110', { reason }), offset)
}

function isSpace(code: number): boolean {
  return code === 32 || code === 10 || code === 13 || code === 9
}

/** True for characters that end a name or may not stand in one. */
function endsName(code: number): boolean {
  return (
    code <= 32 ||
    code === LT ||
    code === GT ||
    code === SLASH ||
    code === EQUALS ||
    code === AMP ||
    code === QUOTE ||
    code === APOSTROPHE
  )
}

/** True when `name` can stand as an element or attribute name and be read again by this reader. */
export function isXmlName(name: string): boolean {
  const first = name.charCodeAt(0)
  if (name === '' || first === BANG || first === QUESTION) return false
  for (let i = 0; i < name.length; i++) if (endsName(name.charCodeAt(i))) return false
  return true
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
])

/** The character of one of the five named entities, or undefined. */
export function namedEntity(name: string): string | undefined {
  return ENTITIES.get(name)
}

/** The longest accepted reference is `&#x0010FFFF;` with some leading zeros. */
const LONGEST_REFERENCE = 16

function reference(name: string, at: number): string {
  if (!name.startsWith('#')) {
    const value = ENTITIES.get(name)
    if (value !== undefined) return value
    throw new Refusal(diagnose('HR112', { name }), at)
  }
  const hex = name[1] === 'x' || name[1] === 'X'
  const digits = name.slice(hex ? 2 : 1)
  const good = hex ? /^[0-9a-fA-F]+$/.test(digits) : /^[0-9]+$/.test(digits)
  const code = good ? Number.parseInt(digits, hex ? 16 : 10) : -1
  if (code < 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
    throw malformed(`"&${name};" is no character`, at)
  }
  return String.fromCodePoint(code)
}

/** The text from `start` to `end` with its references replaced. */
function resolve(text: string, start: number, end: number): string {
  const part = text.slice(start, end)
  let at = part.indexOf('&')
  if (at === -1) return part
  let out = ''
  let from = 0
  while (at !== -1) {
    const limit = Math.min(part.length, at + LONGEST_REFERENCE)
    let semicolon = at + 1
    while (semicolon < limit && part.charCodeAt(semicolon) !== 59) semicolon++
    if (semicolon === limit) throw malformed('"&" does not begin a reference', start + at)
    out += part.slice(from, at) + reference(part.slice(at + 1, semicolon), start + at)
    from = semicolon + 1
    at = part.indexOf('&', from)
  }
  return out + part.slice(from)
}

class Reading {
  private readonly text: string
  private readonly handler: XmlHandler
  private readonly stack: string[] = []
  private at = 0
  private roots = 0

  constructor(text: string, handler: XmlHandler) {
    this.text = text
    this.handler = handler
  }

  run(): void {
    const { text } = this
    while (this.at < text.length) {
      const next = text.indexOf('<', this.at)
      const end = next === -1 ? text.length : next
      if (end > this.at) this.characters(this.at, end)
      if (next === -1) break
      this.at = next
      this.markup()
    }
    const open = this.stack.at(-1)
    if (open !== undefined) throw malformed(`<${open}> is not closed`, text.length)
    if (this.roots === 0) throw malformed('there is no element', text.length)
  }

  private characters(start: number, end: number): void {
    if (this.stack.length > 0) {
      this.handler.text(resolve(this.text, start, end))
      return
    }
    for (let i = start; i < end; i++) {
      const code = this.text.charCodeAt(i)
      if (!isSpace(code) && code !== 0xfeff) throw malformed('text outside of the element', i)
    }
  }

  /** Skips to the end of a part that closes with `mark`; gives the offset where its content ends. */
  private through(mark: string, from: number, what: string): number {
    const end = this.text.indexOf(mark, from)
    if (end === -1) throw malformed(`${what} is not closed`, this.at)
    this.at = end + mark.length
    return end
  }

  private markup(): void {
    const { text, at } = this
    const code = text.charCodeAt(at + 1)
    if (code === SLASH) this.endTag()
    else if (code === QUESTION) this.through('?>', at + 2, 'a processing instruction')
    else if (code !== BANG) this.startTag()
    else if (text.startsWith('<!--', at)) this.through('-->', at + 4, 'a comment')
    else if (text.startsWith('<![CDATA[', at) && this.stack.length > 0) {
      const start = at + 9
      this.handler.text(text.slice(start, this.through(']]>', start, 'a CDATA section')))
    } else if (text.startsWith('<!DOCTYPE', at)) throw new Refusal(diagnose('HR111', {}), at)
    else throw malformed('"<!" begins nothing known', at)
  }

  private name(): string {
    const { text, at } = this
    let end = at
    while (end < text.length && !endsName(text.charCodeAt(end))) end++
    if (end === at) throw malformed('a name is missing', at)
    this.at = end
    return text.slice(at, end)
  }

  private space(): void {
    while (isSpace(this.text.charCodeAt(this.at))) this.at++
  }

  private endTag(): void {
    const start = this.at
    this.at += 2
    const name = this.name()
    this.space()
    if (this.text.charCodeAt(this.at) !== GT) throw malformed(`</${name} is not closed`, start)
    this.at++
    const open = this.stack.pop()
    if (open !== name) {
      const found = open === undefined ? 'nothing is open' : `<${open}> is open`
      throw malformed(`</${name}> where ${found}`, start)
    }
    this.handler.close(name)
  }

  private startTag(): void {
    const start = this.at
    const { text, stack } = this
    if (stack.length === 0 && this.roots++ > 0) throw malformed('a second element', start)
    if (stack.length >= limits.xmlDepth) {
      throw new Refusal(diagnose('HR113', { limit: limits.xmlDepth }), start)
    }
    this.at++
    const name = this.name()
    this.handler.open(name)
    for (;;) {
      const before = this.at
      this.space()
      const code = text.charCodeAt(this.at)
      if (code === GT) {
        this.at++
        stack.push(name)
        return
      }
      if (code === SLASH && text.charCodeAt(this.at + 1) === GT) {
        this.at += 2
        this.handler.close(name)
        return
      }
      if (this.at >= text.length) throw malformed(`<${name} is not closed`, start)
      if (this.at === before) throw malformed('a space is missing before an attribute', before)
      this.attribute()
    }
  }

  private attribute(): void {
    const { text } = this
    const name = this.name()
    this.space()
    if (text.charCodeAt(this.at) !== EQUALS) throw malformed(`"${name}" has no value`, this.at)
    this.at++
    this.space()
    const quote = text.charCodeAt(this.at)
    if (quote !== QUOTE && quote !== APOSTROPHE) {
      throw malformed(`the value of "${name}" is not quoted`, this.at)
    }
    const start = this.at + 1
    const end = this.through(quote === QUOTE ? '"' : "'", start, `the value of "${name}"`)
    const inner = text.slice(start, end).indexOf('<')
    if (inner !== -1) throw malformed(`"<" in the value of "${name}"`, start + inner)
    this.handler.attribute(name, resolve(text, start, end))
  }
}

/** Reads a text that holds one element, with comments and processing instructions around it. */
export function readXml(text: string, handler: XmlHandler): XmlFault | undefined {
  try {
    new Reading(text, handler).run()
    return undefined
  } catch (error) {
    if (error instanceof Refusal) return error.fault
    throw error
  }
}

/** What the escaping of a text must look at: 1 in element content, 2 in an attribute value. */
export const ESCAPES: Uint8Array = (() => {
  const table = new Uint8Array(256)
  table.fill(3, 0, 32)
  table[9] = 2
  table[10] = 2
  table[13] = 2
  table[AMP] = 3
  table[LT] = 3
  table[GT] = 3
  table[APOSTROPHE] = 2
  return table
})()

function escaped(code: number): string {
  if (code === AMP) return '&amp;'
  if (code === LT) return '&lt;'
  if (code === GT) return '&gt;'
  if (code === APOSTROPHE) return '&apos;'
  return `&#x${code.toString(16).toUpperCase()};`
}

function escapeBy(text: string, mask: number): string {
  let out = ''
  let from = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 63 && ((ESCAPES[code] ?? 0) & mask) !== 0) {
      out += text.slice(from, i) + escaped(code)
      from = i + 1
    }
  }
  return from === 0 ? text : out + text.slice(from)
}

/** Element content as Windows writes it: `&`, `<`, `>` and control characters escaped, quotes as they are. */
export function escapeText(text: string): string {
  return escapeBy(text, 1)
}

/** An attribute value for single quotes. */
export function escapeAttribute(text: string): string {
  return escapeBy(text, 2)
}
