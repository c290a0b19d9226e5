/**
 * Parses binary XML (MS-EVEN6 2.2.12, as stored in EVTX chunks) into elements that are ready to be rendered again
 * and again: constant markup is already text, field names are already resolved, only the slots are open.
 */
import { limits } from '../core/limits.ts'
import { BIN_TYPE, BinFault, type BinValues } from './binvalue.ts'
import type { Field, Records } from './shape.ts'
import {
  attributeField,
  innerScope,
  isDataName,
  type Scope,
  TIME_FIELD,
  textField,
} from './winevent.ts'
import { escapeAttribute, escapeText, isXmlName, namedEntity } from './xml.ts'

/** Constant text with its markup, or (as `slot`) the number of the value that stands here. */
export interface Piece {
  readonly slot: number
  readonly text: string
  readonly xml: string
}

export interface Attribute {
  /** ` Name='`; the value and a quote follow. */
  readonly before: string
  readonly field: Field | undefined
  readonly isDataName: boolean
  readonly isTime: boolean
  readonly pieces: readonly Piece[]
}

export interface Element {
  readonly name: string
  readonly scope: Scope
  readonly inner: Scope
  /** Number of the value without which the element is left out, or -1. */
  readonly dependency: number
  /** `<Name`, or the whole start tag when all attributes are constant. */
  readonly start: string
  /** Attributes that depend on values; all of them when one does. */
  readonly attributes: readonly Attribute[]
  /** Fields that the constant attributes give. */
  readonly constants: readonly { readonly field: Field; readonly text: string }[]
  /** `>`, `/>`, or empty when `start` has it. */
  readonly open: string
  readonly content: readonly (Piece | Element)[]
  readonly end: string
  /** Constant `Name` of a `<Data>` element, or empty. */
  readonly dataName: string
  /** Field of the text, when `dataName` is constant. */
  readonly field: Field
  /** The one value that is the whole content, when the start tag is constant; or -1. */
  readonly leaf: number
  /** True when a direct part of the element is a value, so that an array may repeat it. */
  readonly hasSlots: boolean
}

/** Token numbers; bit 0x40 says that more of the same follows and is no part of the number. */
const TOKEN = {
  end: 0x00,
  open: 0x01,
  closeStart: 0x02,
  closeEmpty: 0x03,
  close: 0x04,
  value: 0x05,
  attribute: 0x06,
  cdata: 0x07,
  charRef: 0x08,
  entityRef: 0x09,
  piTarget: 0x0a,
  piData: 0x0b,
  substitution: 0x0d,
  optional: 0x0e,
  header: 0x0f,
} as const

const MORE = 0x40
const NO_DEPENDENCY = 0xffff

export function isElement(item: Piece | Element): item is Element {
  return 'content' in item
}

function constant(text: string, xml: string): Piece {
  return { slot: -1, text, xml }
}

/** Parses one chunk after another. Offsets are relative to the chunk. */
export class BinParser {
  private readonly values: BinValues
  private records: Records
  private view: DataView = new DataView(new ArrayBuffer(0))
  private names = new Map<number, string>()
  /** Next byte to read, and the end of the range that may be read. */
  at = 0
  private end = 0
  /** True within a template: elements then carry a dependency, and values may be substituted. */
  private isTemplate = false

  constructor(values: BinValues, records: Records) {
    this.values = values
    this.records = records
  }

  /** Takes the next chunk and the builder of the fields that its elements will name. */
  use(bytes: Buffer, records: Records): void {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.records = records
    this.names = new Map()
  }

  /** The elements of a template definition's body. */
  template(at: number, end: number, scope: Scope): Element[] {
    this.begin(at, end, true)
    const elements: Element[] = []
    while (this.at < this.end) {
      const token = this.peek() & ~MORE
      if (token === TOKEN.end) break
      if (token === TOKEN.header) this.skip(4)
      else if (token === TOKEN.open) elements.push(this.element(scope, 1))
      else throw new BinFault(`token ${this.peek()} in a template at ${this.at}`)
    }
    return elements
  }

  /** The element at a place outside of any template; `at` is then behind it. */
  plain(at: number, end: number, scope: Scope): Element {
    this.begin(at, end, false)
    return this.element(scope, 1)
  }

  /** The processing instruction at a place outside of any template; `at` is then behind it. */
  instruction(at: number, end: number): string {
    this.begin(at, end, false)
    return this.processing().xml
  }

  private begin(at: number, end: number, isTemplate: boolean): void {
    this.at = at
    this.end = end
    this.isTemplate = isTemplate
  }

  private skip(size: number): number {
    const { at } = this
    if (at + size > this.end) throw new BinFault(`it ends at ${this.end}, within a token`)
    this.at = at + size
    return at
  }

  private peek(): number {
    if (this.at >= this.end) throw new BinFault(`it ends at ${this.end}, before its last token`)
    return this.view.getUint8(this.at)
  }

  private uint8(): number {
    return this.view.getUint8(this.skip(1))
  }

  private uint16(): number {
    return this.view.getUint16(this.skip(2), true)
  }

  private uint32(): number {
    return this.view.getUint32(this.skip(4), true)
  }

  /** A name by its offset in the chunk; it stands in line when the offset is the very next byte. */
  private name(): string {
    const offset = this.uint32()
    if (offset === this.at) {
      this.skip(6)
      this.skip(2 * this.uint16() + 2)
    }
    const known = this.names.get(offset)
    if (known !== undefined) return known
    const size = this.view.byteLength
    const chars = offset + 8 <= size ? this.view.getUint16(offset + 6, true) : 0
    if (chars === 0 || offset + 8 + 2 * chars > size) throw new BinFault(`no name at ${offset}`)
    const name = this.values.units(offset + 8, chars)
    if (!isXmlName(name)) throw new BinFault(`the name at ${offset} is no XML name`)
    this.names.set(offset, name)
    return name
  }

  /** A text with its length in front. */
  private counted(): string {
    const chars = this.uint16()
    return this.values.units(this.skip(2 * chars), chars)
  }

  private element(scope: Scope, depth: number): Element {
    if (depth > limits.xmlDepth) throw new BinFault(`more than ${limits.xmlDepth} levels`)
    const token = this.uint8()
    const dependency = this.isTemplate ? this.uint16() : NO_DEPENDENCY
    this.skip(4)
    const name = this.name()
    const attributes: Attribute[] = []
    if ((token & MORE) !== 0) {
      this.skip(4)
      while ((this.peek() & ~MORE) === TOKEN.attribute) attributes.push(this.attribute(scope, name))
    }
    const close = this.uint8()
    if (close !== TOKEN.closeStart && close !== TOKEN.closeEmpty) {
      throw new BinFault(`token ${close} in a start tag at ${this.at - 1}`)
    }
    const isEmpty = close === TOKEN.closeEmpty
    const inner = innerScope(scope, name)
    const content = isEmpty ? [] : this.content(inner, depth)
    return this.finish({ name, scope, inner, isEmpty, attributes, content, dependency })
  }

  /** Settles what is constant about an element. */
  private finish(parts: {
    readonly name: string
    readonly scope: Scope
    readonly inner: Scope
    readonly isEmpty: boolean
    readonly attributes: readonly Attribute[]
    readonly content: readonly (Piece | Element)[]
    readonly dependency: number
  }): Element {
    const { name, scope, inner, isEmpty, content, dependency } = parts
    const isConstant = parts.attributes.every((each) => each.pieces.every((one) => one.slot < 0))
    const constants: { field: Field; text: string }[] = []
    let start = `<${name}`
    let dataName = ''
    if (isConstant) {
      for (const { before, field, isDataName, pieces } of parts.attributes) {
        const text = pieces.map((each) => each.text).join('')
        if (text === '') continue
        start += `${before}${pieces.map((each) => each.xml).join('')}'`
        if (isDataName) dataName = text
        if (field !== undefined) constants.push({ field, text })
      }
    }
    const open = isEmpty ? '/>' : '>'
    const [only] = content
    const isLeaf =
      isConstant && content.length === 1 && only !== undefined && !isElement(only) && only.slot >= 0
    return {
      name,
      scope,
      inner,
      dependency: dependency === NO_DEPENDENCY ? -1 : dependency,
      start: isConstant ? start + open : start,
      attributes: isConstant ? [] : parts.attributes,
      constants,
      open: isConstant ? '' : open,
      content,
      end: isEmpty ? '' : `</${name}>`,
      dataName,
      field: this.records.field(textField(scope, name, dataName)),
      leaf: isLeaf && !isElement(only) ? only.slot : -1,
      hasSlots: !isConstant || content.some((each) => !isElement(each) && each.slot >= 0),
    }
  }

  private attribute(scope: Scope, element: string): Attribute {
    this.skip(1)
    const name = this.name()
    const pieces: Piece[] = []
    for (;;) {
      const token = this.peek() & ~MORE
      if (token === TOKEN.attribute || token === TOKEN.closeStart || token === TOKEN.closeEmpty) {
        break
      }
      pieces.push(this.piece(token, escapeAttribute))
    }
    const isName = isDataName(scope, element, name)
    const field = isName ? '' : attributeField(scope, element, name)
    return {
      before: ` ${name}='`,
      field: field === '' ? undefined : this.records.field(field),
      isDataName: isName,
      isTime: field === TIME_FIELD,
      pieces,
    }
  }

  private content(scope: Scope, depth: number): (Piece | Element)[] {
    const content: (Piece | Element)[] = []
    for (;;) {
      const token = this.peek() & ~MORE
      if (token === TOKEN.close) {
        this.skip(1)
        return content
      }
      if (token === TOKEN.open) content.push(this.element(scope, depth + 1))
      else if (token === TOKEN.cdata) content.push(this.cdata())
      else if (token === TOKEN.piTarget) content.push(this.processing())
      else content.push(this.piece(token, escapeText))
    }
  }

  /** What may stand in an attribute value as well as in content. */
  private piece(token: number, escaped: (text: string) => string): Piece {
    const start = this.skip(1)
    if (token === TOKEN.value) {
      const text = this.inlineValue()
      return constant(text, escaped(text))
    }
    if (token === TOKEN.charRef) {
      const code = this.uint16()
      if (code >= 0xd800 && code <= 0xdfff) throw new BinFault('a reference to half a character')
      return constant(String.fromCharCode(code), `&#${code};`)
    }
    if (token === TOKEN.entityRef) {
      const name = this.name()
      const text = namedEntity(name)
      if (text === undefined) throw new BinFault('an entity that is none of the five')
      return constant(text, `&${name};`)
    }
    if (this.isTemplate && (token === TOKEN.substitution || token === TOKEN.optional)) {
      const slot = this.uint16()
      this.skip(1)
      return { slot, text: '', xml: '' }
    }
    throw new BinFault(`token ${token} at ${start}`)
  }

  private inlineValue(): string {
    const type = this.uint8()
    if (type === BIN_TYPE.string) return this.counted()
    if (type === BIN_TYPE.empty) return ''
    const size = this.values.inlineSize(type)
    if (size === undefined) throw new BinFault(`a value in line of type ${type}`)
    return this.values.text(this.skip(size), size, type)
  }

  private cdata(): Piece {
    this.skip(1)
    const text = this.counted()
    return constant(text, text.includes(']]>') ? escapeText(text) : `<![CDATA[${text}]]>`)
  }

  private processing(): Piece {
    this.skip(1)
    const target = this.name()
    const isData = (this.peek() & ~MORE) === TOKEN.piData
    if (isData) this.skip(1)
    const data = isData ? this.counted() : ''
    if (data.includes('?>')) throw new BinFault('a processing instruction that ends within itself')
    return constant('', `<?${target} ${data}?>`)
  }
}
