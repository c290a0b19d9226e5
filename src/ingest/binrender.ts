/**
 * Renders binary XML records: fills the slots of parsed templates with the values of a record and gives, in one
 * walk, the event XML as Windows writes it and the fields. Damaged input ends in a `BinFault`.
 */
import { limits } from '../core/limits.ts'
import type { Instant } from '../core/time.ts'
import { BIN_TYPE, BinFault, BinValues } from './binvalue.ts'
import { type Attribute, BinParser, type Element, isElement, type Piece } from './binxml.ts'
import type { DecodedEvent } from './decoder.ts'
import {
  givesField,
  MOST_NAME_CHARS,
  ROOT,
  type Scope,
  sameScope,
  textField,
  windowsRecords,
} from './winevent.ts'
import { escapeAttribute, escapeText } from './xml.ts'

interface Template {
  readonly scope: Scope
  readonly elements: readonly Element[]
  readonly fault: BinFault | undefined
}

const TEMPLATE_INSTANCE = 0x0c
const FRAGMENT_HEADER = 0x0f
const OPEN_ELEMENT = 0x01
const PROCESSING = 0x0a

/** Bytes of the fixed part of a template definition: next offset, identifier, size of the body. */
const DEFINITION_HEAD = 24

/** All template definitions of a chunk lie side by side in it, so four times its size is never needed. */
const TEMPLATE_BYTES = 4 * 65_536

/** A record whose content was never written: its number and time are all that is left of the event. */
function headOnly(record: number, time: Instant): DecodedEvent {
  return {
    kind: 'windows',
    names: ['EventRecordID'],
    values: [String(record)],
    raw: `<Event><System><EventRecordID>${record}</EventRecordID></System></Event>`,
    time,
    record,
  }
}

/** Each value takes four bytes of description within the chunk, so there cannot be more in use at once. */
const MOST_VALUES = 16_384

export class BinRenderer {
  private readonly values = new BinValues()
  private records = windowsRecords()
  private readonly parser = new BinParser(this.values, this.records)
  private view: DataView = new DataView(new ArrayBuffer(0))
  private templates = new Map<number, Template>()
  private templateBytes = 0
  private steps = 0
  private chunkChars = 0
  /** Values of the template instances being rendered, innermost last. */
  private readonly valueAt = new Int32Array(MOST_VALUES)
  private readonly valueSize = new Int32Array(MOST_VALUES)
  private readonly valueType = new Uint8Array(MOST_VALUES)
  private base = 0
  private count = 0
  private roots = 0
  private xml = ''
  private time: Instant | undefined

  /** Takes the next chunk. */
  use(bytes: Buffer): void {
    if (this.records.nameChars > MOST_NAME_CHARS) this.records = windowsRecords()
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.values.use(bytes)
    this.parser.use(bytes, this.records)
    this.templates = new Map()
    this.templateBytes = 0
    this.steps = 0
    this.chunkChars = 0
  }

  /** The event of the binary XML between two offsets of the chunk. `written` stands in for a missing time. */
  event(at: number, end: number, record: number, written: Instant): DecodedEvent {
    this.records.begin()
    this.base = 0
    this.count = 0
    this.xml = ''
    this.time = undefined
    this.roots = 0
    this.fragment(at, end, ROOT, 0)
    if (this.roots === 0) return headOnly(record, written)
    this.chunkChars += this.xml.length
    const event = this.records.finish(this.xml, record, this.time)
    return event.time === undefined ? { ...event, time: written } : event
  }

  /** Counts the work (an element and its parts), so that neither a record nor a chunk can expand without end. */
  private step(size: number): void {
    this.steps += 1 + size
    if (this.steps > limits.chunkSteps) throw new BinFault('its chunk has too many elements')
    const chars = this.xml.length
    if (chars > limits.eventXmlChars || this.chunkChars + chars > limits.chunkXmlChars) {
      throw new BinFault(`it expands to more than ${limits.eventXmlChars} characters`)
    }
    if (this.records.fieldCount > limits.fieldsPerEvent) {
      throw new BinFault(`it has more than ${limits.fieldsPerEvent} fields`)
    }
  }

  /** Renders the tokens outside of any template. */
  private fragment(start: number, end: number, scope: Scope, depth: number): void {
    let at = start
    while (at < end) {
      const token = this.view.getUint8(at)
      if (token === 0) break
      if (token === FRAGMENT_HEADER) at += 4
      else if (token === TEMPLATE_INSTANCE) {
        at = this.instance(at, end, scope, depth)
      } else if ((token & 0xbf) === OPEN_ELEMENT) {
        const element = this.parser.plain(at, end, scope)
        at = this.parser.at
        this.element(element, depth)
      } else if (token === PROCESSING) {
        this.xml += this.parser.instruction(at, end)
        at = this.parser.at
      } else throw new BinFault(`token ${token} at ${at}`)
    }
  }

  /** Renders a template instance; gives the offset behind it. */
  private instance(start: number, end: number, scope: Scope, depth: number): number {
    const { view } = this
    let at = start + 10
    if (at + 4 > end) throw new BinFault(`the template instance at ${start} is cut off`)
    const offset = view.getUint32(start + 6, true)
    const template = this.template(offset, scope)
    if (offset === at) at += DEFINITION_HEAD + view.getUint32(at + 20, true)
    if (at + 4 > end) throw new BinFault(`the template instance at ${start} is cut off`)
    const count = view.getUint32(at, true)
    at += 4
    const base = this.base + this.count
    if (count > (end - at) / 4 || base + count > MOST_VALUES) {
      throw new BinFault(`the template instance at ${start} has ${count} values`)
    }
    let from = at + 4 * count
    for (let i = base; i < base + count; i++, at += 4) {
      const size = view.getUint16(at, true)
      this.valueAt[i] = from
      this.valueSize[i] = size
      this.valueType[i] = view.getUint8(at + 2)
      from += size
    }
    if (from > end) throw new BinFault(`the values of the instance at ${start} pass its end`)
    const outerBase = this.base
    const outerCount = this.count
    this.base = base
    this.count = count
    for (const element of template.elements) this.element(element, depth)
    this.base = outerBase
    this.count = outerCount
    return from
  }

  private template(offset: number, scope: Scope): Template {
    const known = this.templates.get(offset)
    if (known !== undefined && sameScope(known.scope, scope)) {
      if (known.fault !== undefined) throw known.fault
      return known
    }
    try {
      const template = { scope, elements: this.parsed(offset, scope), fault: undefined }
      this.templates.set(offset, template)
      return template
    } catch (error) {
      if (error instanceof BinFault) {
        this.templates.set(offset, { scope, elements: [], fault: error })
      }
      throw error
    }
  }

  private parsed(offset: number, scope: Scope): Element[] {
    const body = offset + DEFINITION_HEAD
    const length = this.view.byteLength
    const size = body <= length ? this.view.getUint32(offset + 20, true) : length
    if (body + size > length) throw new BinFault(`no template at ${offset}`)
    this.templateBytes += size
    if (this.templateBytes > TEMPLATE_BYTES) throw new BinFault('its chunk has too many templates')
    return this.parser.template(body, body + size, scope)
  }

  /** Index of a value in the value arrays. */
  private index(slot: number): number {
    if (slot >= this.count) throw new BinFault(`value ${slot} of ${this.count} is missing`)
    return this.base + slot
  }

  private element(element: Element, depth: number): void {
    this.step(element.content.length + element.attributes.length)
    if (depth >= limits.xmlDepth) throw new BinFault(`more than ${limits.xmlDepth} levels`)
    const { dependency, leaf } = element
    if (dependency >= 0 && this.valueType[this.index(dependency)] === BIN_TYPE.empty) return
    if (leaf >= 0) {
      const at = this.index(leaf)
      const type = this.valueType[at] ?? 0
      if (type !== BIN_TYPE.xml && type < BIN_TYPE.array) {
        this.leaf(element, at, type)
        return
      }
    }
    if (element.hasSlots && this.repeated(element, depth)) return
    this.whole(element, depth)
  }

  /** The common case: `<Data Name='X'>value</Data>`. */
  private leaf(element: Element, at: number, type: number): void {
    const { values } = this
    const text =
      type === BIN_TYPE.empty
        ? ''
        : values.text(this.valueAt[at] ?? 0, this.valueSize[at] ?? 0, type)
    const isPlain = text === '' || (values.needs & 1) === 0
    this.xml += element.start + (isPlain ? text : escapeText(text)) + element.end
    const { constants, scope, name, field } = element
    for (const each of constants) this.records.put(each.field, each.text)
    if (text !== '' || givesField(scope, name, text, false, constants.length > 0)) {
      this.records.put(field, text)
    }
  }

  /** An array among the values of an element repeats the element, once for each item. */
  private repeated(element: Element, depth: number): boolean {
    const at = this.arrayIn(element)
    if (at < 0) return false
    const [start, size, type] = [
      this.valueAt[at] ?? 0,
      this.valueSize[at] ?? 0,
      this.valueType[at] ?? 0,
    ]
    const items = this.values.items(start, size, type & ~BIN_TYPE.array)
    this.valueType[at] = items.length === 0 ? BIN_TYPE.empty : type & ~BIN_TYPE.array
    if (items.length === 0) this.element(element, depth)
    for (let i = 0; i < items.length; i += 2) {
      this.valueAt[at] = items[i] ?? 0
      this.valueSize[at] = items[i + 1] ?? 0
      this.element(element, depth)
    }
    this.valueAt[at] = start
    this.valueSize[at] = size
    this.valueType[at] = type
    return true
  }

  private arrayIn(element: Element): number {
    for (const item of element.content) {
      if (!isElement(item) && this.isArray(item)) return this.index(item.slot)
    }
    for (const attribute of element.attributes) {
      for (const piece of attribute.pieces) if (this.isArray(piece)) return this.index(piece.slot)
    }
    return -1
  }

  private isArray(piece: Piece): boolean {
    return piece.slot >= 0 && (this.valueType[this.index(piece.slot)] ?? 0) >= BIN_TYPE.array
  }

  private whole(element: Element, depth: number): void {
    if (depth === 0 && (element.name !== 'Event' || this.roots++ > 0)) {
      throw new BinFault('it is not one <Event>')
    }
    const { scope, name, constants } = element
    let { dataName } = element
    let hadAttributes = constants.length > 0
    this.xml += element.start
    for (const each of constants) this.records.put(each.field, each.text)
    for (const attribute of element.attributes) {
      const text = this.attribute(attribute)
      if (text === '') continue
      if (attribute.isDataName) dataName = text
      else if (attribute.field !== undefined) {
        hadAttributes = true
        this.records.put(attribute.field, text)
      }
    }
    this.xml += element.open
    let text = ''
    let hadChildren = false
    for (const item of element.content) {
      if (isElement(item)) {
        const before = this.xml.length
        this.element(item, depth + 1)
        if (this.xml.length !== before) hadChildren = true
      } else if (item.slot < 0) {
        this.xml += item.xml
        text += item.text
      } else {
        const at = this.index(item.slot)
        const type = this.valueType[at] ?? 0
        if (type === BIN_TYPE.xml) {
          if (this.nested(at, element.inner, depth + 1)) hadChildren = true
        } else text += this.value(at, type)
      }
    }
    this.xml += element.end
    if (!givesField(scope, name, text, hadChildren, hadAttributes)) return
    const isConstant = dataName === element.dataName
    const field = isConstant ? element.field : this.records.field(textField(scope, name, dataName))
    this.records.put(field, text)
  }

  /** Binary XML as a value. It lies within the values of its instance, so nesting always ends. */
  private nested(at: number, scope: Scope, depth: number): boolean {
    const start = this.valueAt[at] ?? 0
    const before = this.xml.length
    this.fragment(start, start + (this.valueSize[at] ?? 0), scope, depth)
    return this.xml.length !== before
  }

  private value(at: number, type: number): string {
    if (type === BIN_TYPE.empty) return ''
    const text = this.values.text(this.valueAt[at] ?? 0, this.valueSize[at] ?? 0, type)
    this.xml += (this.values.needs & 1) === 0 ? text : escapeText(text)
    return text
  }

  /** Writes an attribute and gives its text; one without text is left out. */
  private attribute(attribute: Attribute): string {
    let text = ''
    let xml = ''
    for (const { slot, text: fixed, xml: markup } of attribute.pieces) {
      if (slot < 0) {
        text += fixed
        xml += markup
        continue
      }
      const at = this.index(slot)
      const type = this.valueType[at] ?? 0
      if (type === BIN_TYPE.empty) continue
      const value = this.values.text(this.valueAt[at] ?? 0, this.valueSize[at] ?? 0, type)
      if (attribute.isTime && type === BIN_TYPE.fileTime) this.time = this.values.instant
      text += value
      xml += (this.values.needs & 2) === 0 ? value : escapeAttribute(value)
    }
    if (text !== '') this.xml += `${attribute.before}${xml}'`
    return text
  }
}
