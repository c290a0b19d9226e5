/**
 * Cuts a stream of UTF-8 bytes into `<Event>` elements without reading them: what stands in comments and CDATA
 * does not count, elements named Event within an event do. Memory is bounded by one event.
 */
import type { Code } from '../core/codes.ts'
import { diagnose } from '../core/diagnostic.ts'
import { limits } from '../core/limits.ts'
import { ByteQueue } from './bytes.ts'

/**
 * `event`: one whole element. `broken`: an event that cannot be cut out, with what there is of it. `stray`: text or
 * markup that belongs to no event. `refused`: nothing after this place may be read.
 */
export type Frame =
  | { readonly kind: 'event'; readonly bytes: Buffer; readonly line: number }
  | { readonly kind: 'stray'; readonly line: number }
  | {
      readonly kind: 'broken' | 'refused'
      readonly code: Code
      readonly reason: string
      readonly bytes: Buffer
      readonly line: number
    }

const LT = 60
const GT = 62
const QUESTION = 63
const CAPITAL_E = 69
const SLASH = 47
const BANG = 33
const QUOTE = 34
const APOSTROPHE = 39

/** The longest mark that decides what a "<" begins is `<![CDATA[`. */
const LOOK_AHEAD = 9

/** Bytes of a broken event that are handed on. */
const SHOWN = 65_536

function isSpace(byte: number | undefined): boolean {
  return byte === 32 || byte === 10 || byte === 13 || byte === 9
}

/** True when the tag whose name begins at `at` has exactly this name. */
function isNamed(view: Buffer, at: number, name: string): boolean {
  const end = at + name.length
  if (view.length <= end || view.toString('latin1', at, end) !== name) return false
  const next = view[end]
  return isSpace(next) || next === GT || next === SLASH
}

/** False for tags within an event that neither begin nor end one. */
function mayMatter(view: Buffer, at: number): boolean {
  const byte = view[at] === SLASH ? view[at + 1] : view[at]
  return byte === undefined || byte === CAPITAL_E || byte === BANG || byte === QUESTION
}

/** Finds the events in a growing stream. Use: `push`, then `next` until it gives nothing; at last `end`. */
export class XmlFrames {
  private readonly queue = new ByteQueue()
  private isEnded = false
  /** Next byte to look at, and first byte of the event when `depth` is above 0; both within the queue's view. */
  private at = 0
  private start = 0
  private depth = 0
  /** The mark that ends the comment, section or foreign tag being passed over. */
  private until = ''
  /** True when what is being passed over is an `</Event>` tag. */
  private isClosing = false
  /** Start of the `<Event` tag being passed over, or -1; and the quote that is open in it. */
  private tag = -1
  private quote = 0
  /** Start of an inner `<Event>` of which the first child is awaited, or -1. */
  private inner = -1
  private line = 1
  private counted = 0
  private hasToldStray = false

  push(bytes: Uint8Array): void {
    this.queue.append(bytes)
  }

  end(): void {
    this.isEnded = true
  }

  /** The next frame, or undefined when more bytes are needed. Its bytes hold until the next call. */
  next(): Frame | undefined {
    this.discard(this.isOpen() ? this.start : this.at)
    const view = this.queue.view()
    for (;;) {
      const before = this.at
      const frame = this.step(view)
      if (frame !== undefined) return frame
      if (this.isOpen() && this.at - this.start > limits.recordBytes) return this.tooLong(view)
      if (this.at === before) return this.isEnded ? this.last(view) : undefined
    }
  }

  /** True within an event, its first tag included. */
  private isOpen(): boolean {
    return this.depth > 0 || this.tag >= 0
  }

  /** Drops bytes that are done with, and keeps all places relative to the queue. */
  private discard(count: number): void {
    this.countLines(this.queue.view(), count)
    this.queue.drop(count)
    this.at -= count
    this.start -= count
    this.counted -= count
    if (this.tag >= 0) this.tag -= count
    if (this.inner >= 0) this.inner -= count
  }

  private countLines(view: Buffer, to: number): void {
    for (let at = this.counted; at < to; at++) if (view[at] === 10) this.line++
    this.counted = Math.max(to, this.counted)
  }

  private lineOf(view: Buffer, at: number): number {
    this.countLines(view, at)
    return this.line
  }

  private step(view: Buffer): Frame | undefined {
    if (this.until !== '') return this.passOver(view)
    if (this.tag >= 0) return this.passTag(view)
    if (this.inner >= 0) return this.probe(view)
    return this.markup(view)
  }

  private passOver(view: Buffer): Frame | undefined {
    const { until } = this
    const found = view.indexOf(until, this.at, 'latin1')
    if (found === -1) {
      this.at = Math.max(this.at, view.length - until.length + 1)
      return undefined
    }
    this.at = found + until.length
    this.until = ''
    if (!this.isClosing) return undefined
    this.isClosing = false
    this.depth--
    return this.depth === 0 ? this.event(view) : undefined
  }

  /** Passes over an `<Event ...>` tag; an attribute value may hold ">". */
  private passTag(view: Buffer): Frame | undefined {
    let { at, quote } = this
    for (; at < view.length; at++) {
      const byte = view[at] ?? 0
      if (quote !== 0) {
        if (byte === quote) quote = 0
      } else if (byte === QUOTE || byte === APOSTROPHE) quote = byte
      else if (byte === GT) break
    }
    this.at = at
    this.quote = quote
    if (at === view.length) return undefined
    this.at++
    const isInner = this.tag !== this.start
    const isEmpty = view[at - 1] === SLASH
    if (!isEmpty) this.depth++
    if (isInner && !isEmpty) this.inner = this.tag
    this.tag = -1
    return isEmpty && !isInner ? this.event(view) : undefined
  }

  /** An inner event that begins with `<System>` is the next record: the one before it was cut off. */
  private probe(view: Buffer): Frame | undefined {
    while (this.at < view.length && isSpace(view[this.at])) this.at++
    const mark = '<System>'
    if (view.length - this.at < mark.length && !this.isEnded) return undefined
    const { inner } = this
    const isNext = isNamed(view, this.at, '<System')
    this.inner = -1
    if (!isNext) return this.markup(view)
    const reason = 'the next event begins before it ends'
    const frame = this.broken(view, inner, 'HR110', diagnose('HR110', { reason }).message)
    this.start = inner
    this.depth = 1
    return frame
  }

  private markup(view: Buffer): Frame | undefined {
    const stray = this.toMarkup(view)
    if (stray !== undefined) return stray
    const { at } = this
    if (at === view.length || (view.length - at < LOOK_AHEAD && !this.isEnded)) return undefined
    const head = view.toString('latin1', at, at + LOOK_AHEAD)
    if (head.startsWith('<!--')) return this.skip('-->', 4)
    if (head.startsWith('<?')) return this.skip('?>', 2)
    if (this.depth === 0) return this.outside(view, head)
    if (head === '<![CDATA[') return this.skip(']]>', 9)
    if (isNamed(view, at, '<Event')) this.openTag(6)
    else if (isNamed(view, at, '</Event')) {
      this.isClosing = true
      this.skip('>', 7)
    } else this.at++
    return undefined
  }

  /** Goes on to the next "<"; between events there may be white space only. */
  private toMarkup(view: Buffer): Frame | undefined {
    let { at } = this
    if (this.depth > 0) {
      while (at < view.length && !(view[at] === LT && mayMatter(view, at + 1))) at++
      this.at = at
      return undefined
    }
    while (at < view.length && isSpace(view[at])) at++
    const isStray = at < view.length && view[at] !== LT
    if (isStray) {
      const line = this.lineOf(view, at)
      const next = view.indexOf(LT, at)
      this.at = next === -1 ? view.length : next
      return this.stray(line)
    }
    this.at = at
    return undefined
  }

  private skip(until: string, length: number): undefined {
    this.at += length
    this.until = until
  }

  private openTag(length: number): void {
    this.tag = this.at
    this.quote = 0
    this.at += length
  }

  /** Markup between events: the wrapper, a document type declaration, or something foreign. */
  private outside(view: Buffer, head: string): Frame | undefined {
    const { at } = this
    if (isNamed(view, at, '<Event')) {
      this.hasToldStray = false
      this.start = at
      this.openTag(6)
      return undefined
    }
    if (head === '<!DOCTYPE') {
      const { code, message: reason } = diagnose('HR111', {})
      const bytes = view.subarray(at, at + LOOK_AHEAD)
      return { kind: 'refused', code, reason, bytes, line: this.lineOf(view, at) }
    }
    const isWrapper = isNamed(view, at, '<Events') || isNamed(view, at, '</Events')
    const line = isWrapper ? 0 : this.lineOf(view, at)
    this.skip('>', 1)
    return isWrapper ? undefined : this.stray(line)
  }

  private event(view: Buffer): Frame {
    const bytes = view.subarray(this.start, this.at)
    this.depth = 0
    return { kind: 'event', bytes, line: this.lineOf(view, this.start) }
  }

  /** One report for everything between two events. */
  private stray(line: number): Frame | undefined {
    if (this.hasToldStray) return undefined
    this.hasToldStray = true
    return { kind: 'stray', line }
  }

  private broken(view: Buffer, end: number, code: Code, reason: string): Frame {
    const bytes = view.subarray(this.start, Math.min(end, this.start + SHOWN))
    return { kind: 'broken', code, reason, bytes, line: this.lineOf(view, this.start) }
  }

  private tooLong(view: Buffer): Frame {
    const { code, message } = diagnose('HR120', { limit: limits.recordBytes })
    const frame = this.broken(view, this.at, code, message)
    this.reset()
    this.hasToldStray = true
    return frame
  }

  private reset(): void {
    this.depth = 0
    this.until = ''
    this.isClosing = false
    this.tag = -1
    this.inner = -1
  }

  /** What stands open when the file ends. */
  private last(view: Buffer): Frame | undefined {
    const isOpen = this.isOpen()
    const isPassing = this.until !== '' && !isOpen
    const { start } = this
    this.at = view.length
    const line = this.lineOf(view, isOpen ? start : this.at)
    this.reset()
    if (isPassing) return this.stray(line)
    if (!isOpen) return undefined
    const { code, message: reason } = diagnose('HR126', {})
    return { kind: 'broken', code, reason, bytes: view.subarray(start, start + SHOWN), line }
  }
}
